"""Pages: the numbers of the recording and the marks of the pictures, parsed back; and what a browser makes of them."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import math
import re
import zlib
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import pairwise

import numpy as np
import PIL.Image
import pytest

from tests.browser import CHROMIUM, browser
from tests.test_layout import MODELS, recording
from visualizer import cli, export, paint, registry, sight
from visualizer.export import film as films
from visualizer.export.film import html
from visualizer.language import speaking
from visualizer.scene import colour
from visualizer.scene import state as does
from visualizer.scene.numbers import significant
from visualizer.scene.picture import BEAT, Focus, Image, Line, Look, Path, Rect, Text
from visualizer.trace import load
from visualizer.ui import walking, words
from visualizer.ui.stage import sound

STATE = does.to_json(does.changed(does.State(), model="digits_cnn", sample="</script><img src=x onerror=alert(1)>.png"))
HOSTILE = "</script><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
NEAR = 0.00501
"""Pixels: lengths are kept to 1/100."""
CODES = {Image: "image", Rect: "rect", Line: "line", Path: "path", Text: "text"}
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="Chromium is missing; .ci/run installs it as root")


@cache
def digits():
    return load(registry.folder("assets") / "traces" / "digits_cnn.trace")


def a_film(trace=None, **changed):
    return films.Film(trace or digits(), **({"look": Look(), "state_json": STATE} | changed))


SPOKEN = {"network": "de", "microscope": ""}
"""One page of each view, each in a language of its own."""


@cache
def page_of(view):
    return html.to_bytes(a_film(view=view, look=Look(language=SPOKEN[view])))


def part_of(trace=None):
    """The film of one beat, where any will do."""
    start, end = films.between(sight.times(trace or digits(), a_film()), "softmax.forward", "softmax.forward")
    return a_film(trace, start=start, end=end)


def unpacked(page):
    """(the JSON, the bytes behind it) of a page."""
    found = re.search(rb'<script type="text/plain" id="data" data-size="(\d+)">([A-Za-z0-9+/=]+)</script>', page)
    whole = zlib.decompress(base64.b64decode(found[2], validate=True), -15)
    assert len(whole) == int(found[1])
    length = int.from_bytes(whole[:4], "little")
    return json.loads(whole[4:4 + length]), whole[4 + length:]


def cell(value):
    """The cell of a table that a page says."""
    return value[0] if isinstance(value, list) else float(np.float32(value)) if isinstance(value, float) else value


def flat(found):
    return [length for point in found for length in point]


def check_mark(written, mark, theme, data, binary):
    """One mark of a page says what the mark of the picture says."""
    assert written[0] == CODES[type(mark)]
    if isinstance(mark, Rect):
        near(written[1:5], (mark.x, mark.y, mark.width, mark.height))
        assert written[5:7] == [mark.fill, mark.stroke]
        near([*written[7:8], written[9], written[11]], (mark.stroke_width, mark.radius, mark.opacity))
        assert (written[8], written[10]) == (mark.inside, mark.dashed)
    elif isinstance(mark, Line):
        near(written[1], flat(mark.points))
        near([written[3], written[5]], (mark.width, mark.opacity))
        assert (written[2], written[4]) == (mark.color, mark.dashed)
    elif isinstance(mark, Path):
        curves = [data["curves"][at] for at in np.cumsum(data["lists"][written[1]])]
        assert len(curves) == len(mark.curves)
        for (straight, *points), curve in zip(curves, mark.curves, strict=True):
            near(flat(bent(points)) if straight else points, flat(curve))
        assert (written[2], written[4], written[5]) == (mark.stroke, mark.fill, mark.dashed)
        near([written[3], written[6]], (mark.width, mark.opacity))
    elif isinstance(mark, Text):
        near([*written[1:3], written[4]], (mark.x, mark.y, mark.opacity))
        said = "".join(piece[5] if isinstance(piece[5], str) else "".join(piece[5]) for piece in written[3])
        assert said == mark.plain or (mark.max_width and said.endswith("…") and mark.plain.startswith(said[:-1]))
        assert {piece[4] for piece in written[3]} <= {run.color or mark.color for run in mark.runs}
        for _, _, face, _, _, words_, _ in written[3]:
            assert set(words_) <= set(data["glyphs"][face])
    else:
        it = written[1]
        near([it["x"], it["y"], *it["cell"], *it["pitch"], it["opacity"], it["rows_shown"]],
             (mark.x, mark.y, *mark.cell, *mark.pitch, mark.opacity, mark.rows_shown))
        start, length = it["values"]
        assert binary[start:start + length] == mark.values.tobytes()
        assert (tuple(it["shape"]), it["palette"], it["columns"], it["border"]) == (
            mark.values.shape, mark.palette, mark.columns, mark.border)
        for name in ("hatched", "covered"):
            mask = getattr(mark, name)
            if mask is not None and mask.any():
                place = it[name]
                bits = np.unpackbits(np.frombuffer(binary[place[0]:sum(place)], np.uint8), count=mask.size)
                assert np.array_equal(bits.reshape(mask.shape), mask)
            else:
                assert name not in it


def bent(steps):
    """The points of a curve that goes straight from corner to corner, by so many 1/100 pixels."""
    ends = list(zip(np.cumsum(steps[::2]) / 100, np.cumsum(steps[1::2]) / 100, strict=True))
    return [ends[0], *(point for start, end in pairwise(ends) for point in (start, end, end))]


def near(written, lengths):
    assert len(written) == len(lengths)
    assert all(abs(one - other) <= NEAR for one, other in zip(written, lengths, strict=True)), (written, lengths)


# --- what is written ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("view", ["network", "microscope"])
def test_every_mark_of_every_frame_is_the_pictures_in_light_and_in_dark(view):
    data, binary = unpacked(page_of(view))
    times = sight.times(digits(), a_film(view=view))
    assert [beat["at"] for beat in data["beats"]] == [beat.address for beat in times.beats]
    done = {}
    for index, beat in list(enumerate(data["beats"]))[::8]:
        for phase, still, moving, *dark in beat["frames"]:
            moment = replace(times.settled(index), phase=phase)
            for theme, lists in (("light", (still, moving)), ("dark", dark or (still, moving))):
                picture = sight.seen(digits(), a_film(view=view, look=Look(theme=theme, language=SPOKEN[view])), moment)
                for number, marks in zip(lists, (picture.still, picture.moving), strict=True):
                    seen = [mark for mark in marks if mark.opacity > 0]
                    numbers = np.cumsum(data["lists"][number]).tolist()
                    assert len(numbers) == len(seen)
                    for at, mark in zip(numbers, seen, strict=True):
                        if mark not in done.setdefault(at, []):  # else in the frame before
                            check_mark(data["marks"][at], mark, theme, data, binary)
                            done[at].append(mark)
        assert (beat["caption"], beat["frames"][-1][0]) == (picture.caption, 1)
        assert beat["columns"] == list(picture.table.columns)
        rows = [data["rows"][at] for at in np.cumsum(data["lists"][beat["rows"]])]
        assert [[cell(value) for value in row] for row in rows] == [list(row) for row in picture.table.rows]


def test_every_number_is_the_recordings():
    data, binary = unpacked(page_of("network"))
    found = {}
    for array in data["arrays"]:
        layer, name = digits()[array["layer"]], array["name"]
        pair = (layer.output, layer.gradient) if name == "output" else \
            (layer.weights[name], layer.weight_gradients.get(name))
        for place, values in zip(array["places"], pair, strict=True):
            if values is None:
                assert place is None
                continue
            kind = np.dtype("<f8" if array["wide"] else "<f4")
            read = np.frombuffer(binary, kind, place[1], place[0]).reshape(array["shape"])
            assert np.array_equal(read, values)
            found[array["layer"], name] = values.size
    assert {layer.name for layer in digits() if layer.name != "loss"} <= {layer for layer, _ in found} | {"fc2", "loss"}


def test_colours_are_those_of_both_themes():
    data, _ = unpacked(page_of("network"))
    for name, theme in zip(("light", "dark"), data["themes"], strict=True):
        assert theme["tokens"] == {token: list(colour.resolve(name, token)) for token in colour.theme(name).tokens}
        for palette, table in theme["palettes"].items():
            assert base64.b64decode(table) == colour.theme(name).palettes[palette].tobytes()


def test_letters_are_the_fonts_own_outlines():
    data, _ = unpacked(page_of("network"))
    for face, glyphs in zip(data["faces"], data["glyphs"], strict=True):
        for letter, (reach, outline) in glyphs.items():
            assert reach == round(paint.outline(letter, tuple(face))[0], 1)
            assert outline or not letter.strip()
            assert re.fullmatch(r"([MLC](-?\d+ )*-?\d+ ?)*", outline)


def test_what_is_known_when_is_said():
    data, _ = unpacked(page_of("network"))
    arrays = [(array["layer"], array["name"]) for array in data["arrays"]]
    known = [dict(zip(arrays, data["known"][beat["known"]], strict=True)) for beat in data["beats"]]
    first = [beat["at"] for beat in data["beats"]].index("conv1.forward")
    assert known[first]["conv1", "output"] == "1"
    assert known[first]["relu1", "output"] == "0"


def test_a_page_is_small_and_the_same_bytes_twice():
    assert len(page_of("network")) < html.MOST / 5
    assert html.to_bytes(part_of()) == html.to_bytes(part_of())


def test_a_page_fetches_nothing_and_runs_our_script_alone():
    text = page_of("network").decode()
    assert not re.search(r"""\b(src|href|url|import)\s*[=(]|https?:|\bon\w+\s*=\s*["']""", text.split('id="data"')[0])
    allowed = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[1]
    for kind, body in (("script", re.search(r"<script>(.*)</script>", text, re.DOTALL)[1]),
                       ("style", re.search(r"<style>(.*)</style>", text, re.DOTALL)[1])):
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}';" in allowed
    assert allowed.startswith("default-src 'none';")
    assert "unsafe" not in allowed


@cache
def hostile():
    """The page of a recording that was named by somebody who means harm."""
    return html.to_bytes(part_of(replace(digits(), title=HOSTILE, labels=(HOSTILE,) * 10, answers=())))


def test_a_hostile_name_becomes_no_markup():
    text = hostile().decode()
    assert text.count("<script") == text.count("</script>") == 3  # the State, the data, ours
    assert "<img" not in text
    data, _ = unpacked(text.encode())
    assert HOSTILE[:9] in json.dumps([data["marks"], data["beats"]])


@pytest.mark.matrix(spine=(), sample=1, each=False)
@pytest.mark.parametrize("model", [model for model in MODELS if not model.startswith("lab")])
def test_a_page_of_any_network_in_any_view_is_small_and_fetches_nothing(model):
    trace = recording(model)
    for view in sight.suited(trace):
        film = a_film(trace, view=view.name)
        last = film.times.settled(len(film.times.beats) // 2)
        start, end = films.between(film.times, last.address, last.address)
        page = html.to_bytes(replace(film, start=start, end=end))
        data, _ = unpacked(page)
        assert len(data["beats"]) == 1
        assert len(page) <= html.MOST
        assert b"://" not in page.partition(b'id="data"')[0]
        assert b"://" not in page.rpartition(b"<script>")[2]


def test_numbers_that_are_none_are_named():
    output = digits()["conv2"].output.copy()
    output[7, 0, :3] = np.nan, np.inf, -np.inf
    broken = replace(digits(), layers=tuple(
        replace(layer, output=output) if layer.name == "conv2" else layer for layer in digits().layers))
    data, binary = unpacked(html.to_bytes(part_of(broken)))
    array = next(array for array in data["arrays"] if array["layer"] == "conv2")
    start, length = array["places"][0]
    assert np.array_equal(np.frombuffer(binary, "<f4", length, start).reshape(array["shape"]), output, equal_nan=True)


def test_a_page_carries_its_state(tmp_path):
    path = tmp_path / "a.html"
    films.save(part_of(), path)
    assert export.state_in(path) == STATE


def test_a_stretch_is_that_stretch():
    times = sight.times(digits(), a_film())
    start, end = films.between(times, "conv1.forward", "conv2.forward")
    data, _ = unpacked(html.to_bytes(a_film(start=start, end=end)))
    names = ("conv1", "relu1", "pool1", "conv2")
    assert [beat["at"] for beat in data["beats"]] == [f"{name}.forward" for name in names]


def test_the_command_line_writes_one_and_no_film_by_that_name(tmp_path, capsys):
    assert cli.main(["page", "digits_cnn", "--from", "fc1", "--to", "fc2", "-o", str(tmp_path / "a.html")]) == 0
    assert capsys.readouterr().out.endswith(f"{(tmp_path / 'a.html').stat().st_size:,} bytes\n")
    assert len(unpacked((tmp_path / "a.html").read_bytes())[0]["beats"]) == 3
    assert cli.main(["page", "digits_cnn", "-o", str(tmp_path / "a.gif")]) == cli.WRONG_USAGE
    assert "call it" in capsys.readouterr().err


# --- in a browser ---------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def chromium(tmp_path_factory):
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


def opened(chromium, path, page, **given):
    path.write_bytes(page)
    chromium.open(path, **given)
    assert chromium.complaints == []
    assert chromium.fetched == [path.as_uri()]


def said_at(trace, picture, moment, x, y):
    """What the app's own stage says of a point."""
    found, spot = picture.mark_at(x, y), picture.spot_at(x, y)
    if found is None:
        return ""
    if isinstance(found[0], Rect) and found[0].tip:
        return found[0].tip
    if spot.focus.array == BEAT:
        return words.beat_tip(trace, spot.focus.layer, moment.backward)
    spot = replace(spot, focus=sound(trace, spot.focus))
    return words.waiting(trace, moment, spot.focus) or walking.spot_tip(trace, spot, moment.backward)


def check_tips(chromium, view, index):
    """What is said of 200 points of a picture is what the app says; answers how many of them have a tip."""
    random = np.random.default_rng(index)
    points = (random.uniform(size=(200, 2)) * Look().size).round(1).tolist()
    with speaking(SPOKEN[view]):
        moment = sight.times(digits(), a_film(view=view)).settled(index)
        picture = sight.seen(digits(), a_film(view=view, look=Look(language=SPOKEN[view])), moment)
        wanted = [said_at(digits(), picture, moment, x, y) for x, y in points]
    said = chromium.run(f"""(go({index}), {json.dumps(points)}.map(([x, y]) => {{
        const found = pointed(x, y); return found ? tipOf(found) : ""; }}))""")
    assert said == wanted
    return sum(map(bool, said))


@needs_chromium
@pytest.mark.parametrize("old", [False, True])
def test_after_stepping_to_a_beat_its_numbers_are_the_recordings(chromium, tmp_path, old):
    """In a browser that cannot unpack by itself, too."""
    opened(chromium, tmp_path / "a.html", page_of("network"),
           before="delete window.DecompressionStream;" if old else "")
    chromium.press("Home")
    times = sight.times(digits(), a_film())
    for _ in range(times.find("conv2").index):
        chromium.press("ArrowRight")
    settled = times.find("conv2")
    picture = sight.seen(digits(), a_film(look=Look(language="de")), settled)
    assert chromium.run("$('caption').textContent") == picture.caption
    place = chromium.run("""(() => {
        const mark = marksOf(frame).find((mark) => mark[0] === "image" && aboutOf(mark) &&
          data.arrays[data.foci[aboutOf(mark).focus][0]].layer === "conv2");
        const [x, y] = origin(mark[1], 7), box = $("picture").getBoundingClientRect(), [wide, high] = mark[1].cell;
        return [box.left + (x + 9.5 * wide) * box.width / data.size[0],
                box.top + (y + 3.5 * high) * box.height / data.size[1]]; })()""")
    chromium.move(*place)
    with speaking("de"):
        assert chromium.run("$('tip').textContent") == words.tip(digits(), Focus("conv2", (7, 3, 9)), False)
    read = chromium.run("[...numbersAt(data.arrays.findIndex((it) => it.layer === 'conv2'), [])]")
    assert np.array_equal(np.float32(read).reshape(12, 12, 12), digits()["conv2"].output)
    chromium.run("$('table').open = true")
    assert chromium.run("new Promise((done) => setTimeout(() => done($('rows').rows.length), 100))") == \
        len(picture.table.rows) + 1


@needs_chromium
@pytest.mark.parametrize("view", ["network", "microscope"])
def test_what_is_pointed_at_is_said_as_in_the_app(chromium, tmp_path, view):
    opened(chromium, tmp_path / "a.html", page_of(view), prefers_color_scheme="dark")
    assert chromium.run("document.documentElement.lang") == (SPOKEN[view] or "en")
    assert chromium.run("theme === data.themes[1]") is True
    beats = chromium.run("data.beats.length")
    assert sum(check_tips(chromium, view, index) for index in range(0, beats, 4)) > 100


@needs_chromium
def test_the_page_is_drawn_as_the_app_paints_it(chromium, tmp_path):
    """The mean colour of a map, and of the ground, to what the smoothing of edges allows."""
    opened(chromium, tmp_path / "a.html", page_of("network"), size=(1200, 1100))
    chromium.press("Home")
    chromium.run("$('picture').style.width = '1104px'; show()")
    shown = PIL.Image.open(io.BytesIO(base64.b64decode(
        chromium.run("$('picture').toDataURL('image/png')").partition(",")[2])))
    wide, seen = shown.width, np.asarray(shown.convert("RGB")).astype(int)
    film = a_film(look=Look(language="de"))
    image = paint.render(sight.seen(digits(), film, sight.times(digits(), film).settled(0)), wide / 1104)
    mine = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)[..., 2::-1].astype(int)
    both = min(len(seen), len(mine)), min(seen.shape[1], mine.shape[1])
    apart = np.abs(seen[:both[0], :both[1]] - mine[:both[0], :both[1]])
    assert apart.mean() < 1.0
    assert (apart.max(-1) > 40).mean() < 0.01


@needs_chromium
def test_scrubbing_playing_and_less_motion(chromium, tmp_path):
    opened(chromium, tmp_path / "a.html", page_of("network"), prefers_reduced_motion="reduce")
    chromium.run("$('scrub').value = 4; $('scrub').dispatchEvent(new Event('input'))")
    assert chromium.run("$('place').textContent").endswith(digits_beat(4))
    assert chromium.run("""new Promise((done) => { play(); const seen = new Set();
        const look = () => { seen.add(frame[0]); beat >= 6 ? (go(6), done([...seen])) : setTimeout(look, 5); };
        look(); })""") == [1]


def digits_beat(index):
    return sight.times(digits(), a_film()).beats[index].address


@needs_chromium
def test_a_hostile_name_is_only_words_in_a_browser(chromium, tmp_path):
    opened(chromium, tmp_path / "a.html", hostile())
    assert chromium.run("document.title") == HOSTILE
    assert chromium.run("document.querySelectorAll('img').length") == 0
    assert chromium.run("document.querySelector('h1').textContent") == HOSTILE
    assert chromium.run("""new Promise((done) => {
        document.addEventListener("securitypolicyviolation", (told) => done(told.effectiveDirective));
        const taken = document.createElement("script"); taken.textContent = "document.title = 'taken'";
        document.body.append(taken); })""") == "script-src-elem"
    assert chromium.run("document.title") == HOSTILE


@needs_chromium
def test_numbers_are_written_as_in_the_app(chromium, tmp_path):
    opened(chromium, tmp_path / "a.html", page_of("network"))
    random = np.random.default_rng(0)
    values = [0.0, 1.0625, 2.5, 1062.5, 12345.5, 12346.5, 9999.5, 0.99996, 1e9, 999_999_999.6, 1e-5, 9.9996e-5, 1e-4,
              -0.03125, 1 / 3, *(random.normal(size=400) * 10.0 ** random.uniform(-8, 10, 400)).tolist(),
              *random.integers(-10**6, 10**6, 100).astype(float).tolist()]
    with speaking("de"):
        for digits_ in (3, 4):
            assert chromium.run(f"{json.dumps(values)}.map((value) => significant(value, {digits_}))") == [
                significant(value, digits_) for value in values]
        assert chromium.run("[NaN, Infinity, -Infinity].map((value) => significant(value, 4))") == [
            significant(value, 4) for value in (math.nan, math.inf, -math.inf)]


def test_the_same_stretch_in_a_film_is_as_long(tmp_path):
    assert films.find("a.html").stepped
    assert films.refusal(a_film(fps=Fraction(100_000)), films.find("a.html")) == ""
