"""Figures: what the colours stand for is written below, letters can be read on paper, panels have letters."""

from __future__ import annotations

import json
import re
import zlib

import numpy as np
import pytest

from tests.toys import toy
from visualizer import data, export, load, record, registry
from visualizer.export import Panel
from visualizer.scene import figures
from visualizer.scene.picture import Focus, Image, Line, Look, Path, Picture, Rect, Run, Scale, Table, Text, plain
from visualizer.scene.state import State, changed, from_json
from visualizer.scene.type import SHIFT_SIZE
from visualizer.views import all_views


@pytest.fixture(scope="module")
def digits():
    return load(registry.folder("assets") / "traces" / "digits_cnn.trace")


@pytest.fixture(scope="module")
def verses():
    return record.record("char_lstm", "text:wherefore art thou")


def panel(trace, view, at, focus=None, **look):
    return Panel(trace, changed(State(), model=trace.model, sample=trace.sample.name, view=view, at=at, focus=focus,
                              look=Look(**look)))


def pdf_letters(content):
    """Sizes in points of all letters of a PDF page that Qt wrote: the font's size times the scale it is drawn at."""
    found = []
    for stream in re.findall(rb"stream\n(.*?)\n?endstream", content, re.DOTALL):
        try:
            page = zlib.decompressobj().decompress(stream).decode("latin-1")
        except zlib.error:
            continue
        if " Tf" not in page:
            continue
        stack, now, size = [], np.eye(3), 0.0
        for word in re.findall(r"(?:[-\d.]+ ){6}cm|(?:[-\d.]+ ){6}Tm|/F\d+ [\d.]+ Tf|\bq\b|\bQ\b|> Tj|\] TJ", page):
            if word == "q":
                stack.append(now)
            elif word == "Q":
                now = stack.pop()
            elif word.endswith("cm"):
                a, b, c, d, e, f = map(float, word.split()[:6])
                now = np.array([[a, b, 0], [c, d, 0], [e, f, 1]]) @ now
            elif word.endswith("Tm"):
                a, b, c, d, e, f = map(float, word.split()[:6])
                text = np.array([[a, b, 0], [c, d, 0], [e, f, 1]])
            elif word.endswith("Tf"):
                size = float(word.split()[1])
            else:
                found.append(size * abs(np.linalg.det((text @ now)[:2, :2])) ** 0.5)
    return found


# --- letters --------------------------------------------------------------------------------------------------------

CASES = [("digits", "network", "conv2.forward", 183), ("digits", "network", "conv2.backward", 183),
         ("digits", "microscope", "conv2.forward", 183), ("digits", "filters", "conv2.forward", 89),
         ("digits", "feature_maps", "conv2.backward", 89), ("verses", "unrolled", "lstm.backward[8]", 183),
         ("verses", "hidden_state", "lstm.forward[8]", 89), ("verses", "gates", "lstm.backward[8]", 89)]


@pytest.mark.parametrize(("which", "view", "at", "mm"), CASES)
def test_letters_of_a_journal_figure_are_5_to_7_points_in_the_pdf(which, view, at, mm, request, tmp_path):
    found = export.compose([panel(request.getfixturevalue(which), view, at)], mm=(mm, None), bars=True)
    assert found.complaint == ""
    content = export.save(found.picture, tmp_path / "a.pdf", mm=found.mm).read_bytes()
    sizes = pdf_letters(content)
    assert len(sizes) > 20
    assert 4.99 <= min(sizes)
    assert max(sizes) <= 7.01
    box = [float(number) for number in re.search(rb"/MediaBox \[([^\]]*)\]", content)[1].split()]
    assert box[2] / 72 * 25.4 == pytest.approx(mm, abs=0.01)
    assert box[3] / box[2] == pytest.approx(found.picture.size[1] / found.picture.size[0], rel=0.002)


def test_every_view_is_readable_on_one_column_or_says_why_not_and_on_which_it_is(digits, verses):
    for trace, at in ((digits, "conv2.forward"), (verses, "lstm.forward[3]")):
        for view in all_views():
            for mm in figures.PRESETS if view.suits(trace) else ():
                found = export.compose([panel(trace, view.name, at)], mm=(mm, None), bars=True)
                small = found.points < figures.SMALLEST - 0.005
                assert bool(found.complaint) == small
                assert found.complaint.count(".") - len(re.findall(r"\d\.\d", found.complaint)) == int(small)
                if small:
                    named = float(re.search(r"(\d+) mm", found.complaint)[1])
                    assert named in figures.PRESETS
                    assert named > mm
                    assert found.reason
                    assert found.complaint.endswith(f"where it is narrower, {found.reason}.")
                assert mm < 183 or not small, view.name


def test_a_layout_that_says_so_would_be_readable_at_the_width_it_names(digits):
    small = export.compose([panel(digits, "microscope", "conv2.forward")], mm=(89, None), bars=True)
    named = float(re.search(r"(\d+) mm", small.complaint)[1])
    assert export.compose([panel(digits, "microscope", "conv2.forward")], mm=(named, None), bars=True).complaint == ""


def test_a_layout_given_in_pixels_is_kept(digits):
    found = export.compose([panel(digits, "network", "conv2.forward")], mm=(89, None), size=(1600, 900))
    assert found.picture.size == (1600, 900)
    assert found.points == pytest.approx(11 / 1600 * 89 / 25.4 * 72, rel=0.02)


def test_indices_are_large_enough_to_be_read():
    index = Text(10, 40, (Run("h"), Run("t", shift="sub")), 11)
    marks = (Text(10, 20, plain("a"), 11), index)
    found = figures.figure([lambda size: Picture(size, marks)], (183, None), (1141, 400))
    sizes = [mark.size for mark in found.picture if isinstance(mark, Text)]
    pixels = found.picture.size[0] / (183 / 25.4 * 72)
    assert sizes[1] * SHIFT_SIZE / pixels >= 4.99
    assert sizes[1] / pixels <= 7.01


@pytest.mark.parametrize("marks", [
    (Text(10, 20, plain("two words"), 12), Text(30, 22, plain("collide"), 12)),
    (Text(90, 20, plain("leaves the frame"), 12),),
    (Text(10, 20, plain("cut off in the middle"), 12, max_width=40),),
    (Text(10, 20, plain("covered"), 12), Rect(0, 5, 50, 20, "tint")),
    (Rect(80, 80, 40, 10, "tint"),),
    (Image(0, 0, (9, 9), np.ones((1, 3, 3), np.uint8), "weight"), Image(10, 0, (9, 9), np.ones((1, 3, 3), np.uint8))),
])
def test_what_is_crowded_is_seen(marks):
    assert figures.crowded(Picture((100, 100), marks))


def test_what_is_not_crowded_is_not_said_to_be(digits):
    apart = Picture((100, 100), (Rect(0, 5, 80, 20, "tint"), Text(10, 20, plain("on a card"), 12),
                                 Text(10, 40, plain("below it"), 12)))
    assert not figures.crowded(apart)
    assert not figures.crowded(panel(digits, "filters", "conv2.forward").draw((1104, 796)))


# --- colour bars ----------------------------------------------------------------------------------------------------

def words(picture):
    return [mark.plain for mark in picture if isinstance(mark, Text)]


def test_below_the_picture_stands_what_its_colours_stand_for_with_the_real_numbers(digits):
    shown = panel(digits, "filters", "conv2.forward")
    bare = shown.draw((1104, 796), bars=False)
    found = figures.with_bars(bare)
    added = found.still[len(bare.still):]
    assert all(getattr(mark, "y", 796) >= 796 for mark in added)
    assert found.size[1] > 796
    largest = float(np.abs(digits["conv2"].weights["weight"]).max())
    said = [mark.plain for mark in added if isinstance(mark, Text)]
    assert f"−{largest:.2f}" in said
    assert f"{largest:.2f}" in said
    assert "Weights of conv2" in said
    assert "0" in said
    ramps = {mark.palette: mark for mark in added if isinstance(mark, Image)}
    assert set(ramps) == {"weight", "activation"}
    bar = ramps["weight"]
    tick = next(mark for mark in added if isinstance(mark, Line) and mark.points[0][0] == mark.points[1][0])
    assert tick.points[0][0] == pytest.approx(bar.x + bar.tile_size[0] / 2)
    assert bar.values[0, 0, 127] == 128  # in the middle of the ramp is the entry of zero


def test_bars_inside_the_picture_give_way_to_those_below_it(digits):
    for view in ("network", "filters", "feature_maps"):
        shown = panel(digits, view, "conv2.forward")
        ramps = [sum(isinstance(mark, Image) and mark.scale is None for mark in shown.draw((1104, 796), bars))
                 for bars in (True, False)]
        assert ramps == [1, 0]


def test_scales_of_many_ranges_share_a_bar_and_are_listed(digits):
    bars = figures.bars(panel(digits, "network", "conv2.forward").draw((1104, 796)).scales)
    values = next(bar for bar in bars if bar.palette == "activation")
    assert values.ends == ("−max", "+max")
    assert values.title == "Values, each layer by its own largest"
    for name in ("conv1", "relu1", "conv2", "fc2"):
        top = float(np.abs(digits[name].output).max())
        assert f"{name}\u00a0±{top:.2f}" in values.listed
    assert next(bar for bar in bars if bar.palette == "pixel").ends == ("0", "1")


def test_a_log_scale_has_no_zero_and_says_what_its_first_colour_stands_for(digits):
    bar, = figures.bars([Scale("gradient", "size of the gradient", "", 1e-4, 0.1, "one scale for all", log=True)])
    assert bar.zero is None
    assert bar.ends[0].startswith("≤ ")
    assert bar.title.endswith("log")


def test_zero_is_where_it_is():
    assert Scale("activation", "values", "", -2, 2).zero == 0.5
    assert Scale("pixel", "pixels", "", -1, 3).zero == 0.25
    assert Scale("pixel", "pixels", "", 1, 3).zero is None


def test_a_picture_whose_colours_stand_for_nothing_gets_no_strip():
    bare = Picture((100, 50), (Text(1, 20, plain("a"), 12),))
    assert figures.with_bars(bare) is bare


# --- panels ---------------------------------------------------------------------------------------------------------

def test_panels_stand_beside_each_other_with_letters_and_lose_no_mark(digits):
    pictures = [panel(digits, view, "conv2.forward").draw((1104, 796)) for view in ("network", "filters", "microscope")]
    whole = figures.panels(pictures, 2)
    assert len(tuple(whole)) == sum(len(tuple(picture)) for picture in pictures) + 3
    letters = [(mark.plain, mark.x, mark.y) for mark in whole if isinstance(mark, Text) and mark.weight == 700]
    assert [letter for letter, _, _ in letters] == ["a", "b", "c"]
    assert letters[0][2] == letters[1][2] < letters[2][2]
    assert letters[0][1] == letters[2][1] < letters[1][1]
    assert whole.size[0] == 2 * 1104 + figures.GAP
    for letter, picture in zip("abc", pictures, strict=True):
        assert f"{letter}, {picture.caption}" in whole.caption


def test_a_moved_mark_is_the_same_elsewhere():
    for mark in (Text(1, 2, plain("a")), Rect(1, 2, 3, 4), Image(1, 2, (3, 3), np.ones((1, 2, 2), np.uint8)),
                 Line(((1, 2), (3, 4))), Path((((1, 2), (1, 2), (3, 4), (3, 4)),))):
        assert figures.moved(figures.moved(mark, 5, 7), -5, -7) == mark
        assert figures.moved(mark, 5, 7) != mark
    assert figures.letter(0) + figures.letter(25) + figures.letter(26) + figures.letter(27) == "azaaab"


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_a_figure_of_panels_is_written_in_every_format_and_opens_where_its_first_panel_was(suffix, digits, tmp_path):
    shown = [panel(digits, "filters", "conv2.forward", Focus("conv2", (7,)), theme="dark"),
             panel(digits, "feature_maps", "relu1.backward")]
    found = export.compose(shown, mm=(183, None), bars=True)
    path = export.save(found.picture, tmp_path / f"a{suffix}", mm=found.mm, state_json=shown[0].way_back)
    assert from_json(export.state_in(path)) == shown[0].state
    if suffix == ".svg":
        told = path.read_text("utf-8")
        assert all(f">{letter}</text>" in told for letter in "ab")


# --- captions -------------------------------------------------------------------------------------------------------

def test_a_caption_names_everything_that_made_the_figure(digits, tmp_path):
    shown = panel(digits, "network", "conv2.forward", Focus("conv2", (7,)), knobs=(("ranking", "max"),))
    with export.captioned(tmp_path / "figure.pdf", [shown], True) as (for_people, for_programs):
        assert not for_people.exists()
    assert (for_people.name, for_programs.name) == ("figure.txt", "figure.json")
    told, (found,) = for_people.read_text("utf-8"), json.loads(for_programs.read_text("utf-8"))["panels"]
    import hashlib

    weights = registry.folder("models") / "digits_cnn.safetensors"
    assert found["model"]["file_sha256"] == hashlib.sha256(weights.read_bytes()).hexdigest()
    assert found["model"]["weights_sha256"] == digits.hashes["weights"]
    assert found["input"]["sha256"] == digits.hashes["input"]
    assert found["versions"]["torch"] == digits.versions["torch"]
    assert (found["dtype"], found["seed"]) == ("float32", 0)
    assert (found["view"], found["address"]) == ("network", "conv2.forward")
    assert found["focus"] == {"layer": "conv2", "cell": [7], "part": "output"}
    assert found["knobs"] == {"ranking": "max"}
    assert found["objective"]["target"] == 4
    top = float(np.abs(digits["conv2"].output).max())
    colour = next(bar for bar in found["colours"] if bar["of"] == "conv2" and bar["palette"] == "activation")
    assert (colour["low"], colour["high"], colour["zero"], colour["axis"]) == (-top, top, 0, "linear")
    assert colour["scope"] == "each layer by its own largest"
    for word in (found["sentence"], digits.hashes["weights"], digits.hashes["input"], "conv2:7", "float32",
                 "torch", "cross entropy", f"±{top:.2f}"):
        assert word in told


def test_a_caption_of_panels_lists_each_by_its_letter(digits, tmp_path):
    shown = [panel(digits, view, "conv2.forward") for view in ("network", "filters")]
    with export.captioned(tmp_path / "figure.pdf", shown, True) as (path, _):
        pass
    told = path.read_text("utf-8")
    for letter, one in zip("ab", shown, strict=True):
        assert f"{letter}, {one.draw((1104, 796)).caption}" in told


def test_a_caption_has_nothing_to_say_of_a_model_without_a_file():
    state = changed(State(), model="toy", view="network")
    shown = (toy(), state, panel(toy(), "network", "conv.forward").draw((800, 600)))
    found, = data.caption([shown])["panels"]
    assert (found["model"]["file"], found["model"]["file_sha256"]) == ("", "")
    assert "sha256  " not in data.caption_text([shown])


def test_a_table_goes_to_a_spreadsheet_with_tabs():
    assert data.table_tabs(Table(("a", "b"), ((1, "x\ty"), (0.5, "z")))) == "a\tb\n1\tx y\n0.5\tz\n"
