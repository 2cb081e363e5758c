"""Films: every frame is the picture of its moment, pixel for pixel; the same bytes twice; nothing half done is left."""

from __future__ import annotations

import errno
import importlib.util
import io
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageSequence
from PySide6.QtGui import QImage

from tests.toys import toy
from visualizer import cli, door, export, paint, registry, sight
from visualizer.export import film as films
from visualizer.export.film import folder, gif
from visualizer.export.film._changes import changes
from visualizer.export.film._storyboard import key_frames, scaled, sheet
from visualizer.scene import colour, state
from visualizer.scene.picture import Line, Look, Picture, Rect, Text
from visualizer.scene.picture import Path as Curve
from visualizer.scene.state import Place
from visualizer.scene.timeline import REST, timeline
from visualizer.trace import Refused, load

SIZE = (640, 480)
STATE = state.to_json(state.changed(state.State(), model="digits_cnn", at="conv.forward@0",
                                    sample="a <b> & \"c\" ∥ é.png"))
FORMS = {form.name: form for form in films.formats()}
FILES = [name for name, form in FORMS.items() if form.suffixes]
LOSSLESS = ["apng", "webp"]
VIDEO = importlib.util.find_spec("av") is not None
needs_av = pytest.mark.skipif(not VIDEO, reason="PyAV is missing; pip install 'av>=18' brings it")


def named(names):
    return [pytest.param(name, marks=needs_av if name in ("mp4", "webm") else ()) for name in names]


def times_of(trace):
    """The beats at the pace of the view that is filmed."""
    return sight.times(trace, Place())


def a_film(**changed):
    """Two beats of the toy: a convolution, and half of what follows."""
    start, end = films.between(times_of(toy()), "conv", "relu@0.5")
    given = {"look": Look(size=SIZE), "start": start, "end": end, "fps": Fraction(5), "speed": Fraction(3),
             "state_json": STATE} | changed
    return films.Film(toy(), **given)


def saved(film, path):
    return films.save(film, path)


def drawn(film, frame):
    """What any other export makes of the moment of a frame: (rows, columns, 3)."""
    times = times_of(film.trace)
    second = min(film.start + Fraction(frame) / film.fps * film.speed, film.last)
    picture = export.draw(film.trace, film.view, times.at(second).address, film.focus, film.look.theme, film.look.size,
                          reduced_motion=film.look.reduced_motion)
    return as_rgb(paint.render(picture, film.scale))


def as_rgb(image):
    image = image.convertToFormat(QImage.Format.Format_RGBA8888)
    return np.array(image.constBits()).reshape(image.height(), image.width(), 4)[..., :3]


def packed(pixels):
    """0xRRGGBB of colours."""
    return pixels.astype(int) @ (1 << 16, 1 << 8, 1)


def on_screen(path, seconds):
    """The pictures that a viewer shows at these seconds, as Pillow reads the file."""
    found, ends, now = [], [], 0.0
    with Image.open(path) as image:
        for frame in ImageSequence.Iterator(image):
            found.append(np.array(frame.convert("RGB")))
            now += frame.info["duration"] / 1000
            ends.append(now)
    return [found[next(place for place, end in enumerate(ends) if second < end)] for second in seconds], now


# --- which frames ---------------------------------------------------------------------------------------------------

def test_frame_i_shows_the_timeline_at_the_start_and_i_frames_at_the_speed():
    film = a_film(speed=Fraction(1, 2), end=None)
    times = times_of(toy())
    for frame in (0, 1, 7, 13, film.count - 1):
        assert film.moment(frame) == times.at(film.start + Fraction(frame, 5) / 2)


@pytest.mark.parametrize(("fps", "speed"), [(30, 1), (24, 2), (Fraction(2997, 100), 1), (1, 8), (60, Fraction(1, 4))])
def test_a_film_ends_on_its_last_moment_and_rests_there(fps, speed):
    film = a_film(fps=Fraction(fps), speed=Fraction(speed))
    times = times_of(toy())
    assert film.moment(0).address == "conv.forward@0"
    assert film.moment(film.count - 1).address == "relu.forward@0.5"
    way = (film.last - film.start) / film.speed
    assert way < film.seconds <= way + max(REST / film.speed, 2 / film.fps) + 1 / film.fps
    whole = replace(film, start=Fraction(0), end=None)
    assert whole.moment(whole.count - 1) == times.settled(len(times.beats) - 1)


@pytest.mark.parametrize("paced", [timeline, times_of])
def test_the_whole_the_way_forward_and_the_way_back_meet(paced):
    times = paced(toy())
    assert films.whole(times) == (0, times.second_of(times.settled(len(times.beats) - 1)))
    assert films.forward(times)[0] == 0
    last = max(index for index, beat in enumerate(times.beats) if beat.direction == "forward")
    assert films.forward(times)[1] == times.second_of(times.settled(last))
    film = a_film(start=Fraction(0), end=films.forward(times_of(toy()))[1])
    assert film.moment(film.count - 1) == times_of(toy()).settled(last), "it ends on what is done"
    start, end = films.backward(times)
    assert times.at(start) == replace(times.settled(last + 1), phase=0)
    assert times.at(start).index == last + 1
    assert end == films.whole(times)[1]


@pytest.mark.parametrize("paced", [timeline, times_of])
def test_an_address_is_a_whole_beat_and_one_with_a_phase_that_moment(paced):
    times = paced(toy())
    done = times.find("relu")
    at, half, end = times.starts[done.index], times.second_of(replace(done, phase=0.5)), times.second_of(done)
    assert at < half < end
    assert films.between(times, "relu", "relu") == (at, end)
    assert films.between(times, "relu@0.5", "relu@1") == (half, end)
    assert films.between(times, "", "") == films.whole(times)
    with pytest.raises(LookupError, match="conv comes before relu"):
        films.between(times, "relu", "conv")
    with pytest.raises(LookupError, match="no moment 'nothing'"):
        films.between(times, "nothing", "")


def test_with_reduced_motion_the_same_moments_fade_into_each_other():
    film = a_film(look=Look(size=SIZE, reduced_motion=True))
    assert [film.address(frame) for frame in range(film.count)] == \
        [a_film().address(frame) for frame in range(film.count)]
    assert len({pixels.tobytes() for pixels in films.frames(film)}) > 4


# --- what is in the file --------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", LOSSLESS)
@pytest.mark.parametrize("changed", [{}, {"scale": 1.5, "speed": Fraction(2)},
                                     {"look": Look(size=SIZE, theme="dark"), "start": Fraction(0)}])
def test_every_frame_of_a_lossless_film_is_the_picture_of_its_moment(name, changed, tmp_path):
    film = a_film(**changed)
    path = saved(film, tmp_path / f"a.{name}")
    shown, seconds = on_screen(path, [(frame + 0.5) / film.fps for frame in range(film.count)])
    assert seconds == pytest.approx(float(film.seconds), abs=0.005)
    for frame, pixels in enumerate(shown):
        assert np.array_equal(pixels, drawn(film, frame)), frame


def test_every_frame_in_a_folder_is_the_picture_of_its_moment_and_opens_there(tmp_path):
    film = a_film(scale=1.5)
    path = saved(film, tmp_path / "a")
    assert sorted(item.name for item in path.iterdir()) == [
        *(f"{number:04}.png" for number in range(1, film.count + 1)), "film.json", "storyboard.pdf", "storyboard.png"]
    for frame in range(film.count):
        with Image.open(path / folder.name(frame, film)) as image:
            assert np.array_equal(np.array(image), drawn(film, frame)), frame
            assert image.text["Description"] == film.picture(frame).caption
        opened = state.from_json(export.state_in(path / folder.name(frame, film)))
        assert opened == state.changed(state.from_json(STATE), at=film.moment(frame).address)
    told = json.loads((path / "film.json").read_text("utf-8"))
    assert (told["frames"], told["fps"], told["size"]) == (film.count, 5.0, [960, 720])
    assert (told["from"], told["to"]) == ("conv.forward@0", "relu.forward@0.5")


def test_a_gif_has_one_palette_no_noise_and_the_colours_of_its_theme(tmp_path):
    film = a_film(fps=Fraction(30), speed=Fraction(6))
    path = saved(film, tmp_path / "a.gif")
    shown, seconds = on_screen(path, [(frame + 0.5) / 30 for frame in range(0, film.count, 5)])
    assert seconds == pytest.approx(float(film.seconds), abs=0.005)
    palette, _ = gif.tables("light")
    known = packed(palette)
    for place, pixels in enumerate(shown):
        exact = drawn(film, 5 * place)
        assert np.isin(packed(pixels), known).all()
        away = np.abs(pixels.astype(int) - exact).max(axis=-1)
        assert away.mean() < 0.6
        assert np.quantile(away, 0.999) <= 24
        flat = np.all(exact == exact[-1, -1], axis=-1)  # the ground is one colour, and stays one
        assert flat.mean() > 0.3
        assert len(np.unique(packed(pixels)[flat])) == 1
    with Image.open(path) as image:
        assert image.info["loop"] == 0
    assert path.read_bytes().count(palette.tobytes()) == 1


@pytest.mark.parametrize("theme", colour.names())
def test_every_token_of_a_theme_is_in_the_palette_of_its_gif(theme):
    palette, nearest = gif.tables(theme)
    for token in ("stage", "ink", "ink-2", "accent", "gradient-mark", "positive-bar", "negative-bar", "hair", "rule"):
        red, green, blue, _ = colour.resolve(theme, token)
        entry = nearest[(red >> 2) << 12 | (green >> 2) << 6 | blue >> 2]
        assert np.abs(palette[entry].astype(int) - (red, green, blue)).max() <= 3, token
    for name in ("activation", "weight", "gradient", "pixel"):
        table = colour.theme(theme).palettes[name]
        cells = (table[:, 0].astype(int) >> 2) << 12 | (table[:, 1].astype(int) >> 2) << 6 | table[:, 2] >> 2
        assert np.abs(palette[nearest[cells]].astype(int) - table).max() <= 14, name
    assert gif.CLEAR not in nearest


def test_what_does_not_change_is_not_kept():
    still = np.full((40, 50), 0xFFFFFFFF, np.uint32)
    moved = still.copy()
    moved[11:13, 21:25] = 0xFF112233
    kept = list(changes(iter([still, still, still.copy(), moved, moved.copy()]), grid=2))
    assert [(item.left, item.top, item.pixels.shape, item.frames) for item in kept] == [
        (0, 0, (40, 50), 3), (20, 10, (3, 5), 2)]
    assert np.array_equal(kept[1].pixels != 0, (moved != still)[10:13, 20:25])


@needs_av
@pytest.mark.parametrize("name", ["mp4", "webm"])
def test_a_video_has_every_frame_at_its_time_in_its_colours(name, tmp_path):
    import av
    from av.video.reformatter import Colorspace

    film = a_film(fps=Fraction(25), speed=Fraction(6), scale=1.5)
    with av.open(saved(film, tmp_path / f"a.{name}")) as video:
        stream = video.streams.video[0]
        assert (stream.width, stream.height) == (960, 720)
        assert stream.average_rate == 25
        assert (stream.codec_context.colorspace, stream.codec_context.color_range) == (1, 1)
        found = [(frame.time, frame.to_ndarray(format="rgb24", src_colorspace=Colorspace.ITU709))
                 for frame in video.decode(stream)]
        assert video.duration / 1e6 == pytest.approx(float(film.seconds), abs=0.05)
    assert [time for time, _ in found] == pytest.approx([frame / 25 for frame in range(film.count)], abs=0.001)
    for frame in (0, 9, film.count - 1):
        exact, seen = drawn(film, frame).astype(int), found[frame][1].astype(int)
        assert np.abs(seen - exact).mean() < 1.2
        for middle in (np.all(exact == colour.resolve("light", "stage")[:3], axis=-1),
                       np.all(exact == colour.theme("light").palettes["activation"][255], axis=-1)):
            inner = middle.copy()
            for axis in (0, 1):  # away from edges, which the halved chroma softens
                for by in (-2, 2):
                    inner &= np.roll(middle, by, axis)
            if inner.sum() > 50:
                assert np.abs(seen[inner] - exact[inner]).mean() < 4


@pytest.mark.parametrize("name", named(FILES))
def test_the_same_film_twice_is_the_same_bytes_and_a_longer_one_is_not(name, tmp_path):
    suffix = FORMS[name].suffixes[0]
    one, two = (saved(a_film(), tmp_path / f"{which}{suffix}").read_bytes() for which in "ab")
    assert one == two
    longer = films.between(times_of(toy()), "conv", "relu@0.7")[1]
    assert saved(a_film(end=longer), tmp_path / f"c{suffix}").read_bytes() != one
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"a{suffix}", f"b{suffix}", f"c{suffix}"]


def test_the_same_folder_twice_is_the_same_bytes(tmp_path):
    one, two = ({item.name: item.read_bytes() for item in saved(a_film(), tmp_path / which).iterdir()}
                for which in "ab")
    assert one == two


@pytest.mark.parametrize("name", named(FILES))
def test_a_film_opens_at_its_first_moment_and_a_damaged_one_raises_nothing(name, tmp_path):
    path = saved(a_film(), tmp_path / f"a{FORMS[name].suffixes[0]}")
    assert export.state_in(path) == STATE
    data = path.read_bytes()
    random = np.random.default_rng(1)
    for cut in (*random.integers(0, len(data), 30), 0, 5, 13):
        assert FORMS[name].state(data[:cut]) in (None, STATE)
    for _ in range(60):
        changed = bytearray(data)
        for at in random.integers(0, min(3000, len(data)), 8):
            changed[at] = random.integers(0, 256)
        found = FORMS[name].state(bytes(changed))
        assert found is None or isinstance(found, str)
    assert all(form.state(data) is None for other, form in FORMS.items() if other != name)
    assert export.state_in(saved(a_film(state_json=""), path)) is None


def test_whatever_carries_a_state_is_known_where_files_are_opened():
    for form in (*export.formats(), *films.formats()):
        assert set(form.suffixes) <= set(door.endings())


# --- a folder goes on where it was ----------------------------------------------------------------------------------

def test_a_folder_keeps_what_is_whole_and_draws_only_what_is_missing_or_damaged(tmp_path, monkeypatch):
    film = a_film()
    path = saved(film, tmp_path / "a")
    before = {item.name: item.read_bytes() for item in path.iterdir()}
    (path / "0002.png").unlink()
    (path / "0005.png").write_bytes(before["0005.png"][:-20])
    broken = bytearray(before["0007.png"])
    broken[len(broken) // 2] ^= 1
    (path / "0007.png").write_bytes(broken)
    (path / "0009.png").write_bytes(export.draw(toy(), size=SIZE).save(tmp_path / "other.png").read_bytes())
    (path / "storyboard.pdf").unlink()
    painted = []
    monkeypatch.setattr(folder, "painted", lambda *given: painted.append(1) or films.painted(*given))
    saved(a_film(), path)
    assert len(painted) == 4
    assert {item.name: item.read_bytes() for item in path.iterdir()} == before


def test_a_stopped_folder_holds_only_whole_frames_and_goes_on(tmp_path):
    film, path = a_film(), tmp_path / "a"
    with pytest.raises(KeyboardInterrupt):
        films.save(film, path, stop_after(3))
    assert sorted(item.name for item in path.iterdir()) == ["0001.png", "0002.png", "0003.png", "film.json"]
    saved(film, path)
    whole = saved(film, tmp_path / "b")
    assert {item.name: item.read_bytes() for item in path.iterdir()} == {
        item.name: item.read_bytes() for item in whole.iterdir()}


@pytest.fixture(scope="module")
def film_of_pictures(tmp_path_factory):
    """A folder with a film in it, which nobody may change."""
    return saved(a_film(), tmp_path_factory.mktemp("film") / "a")


@pytest.mark.parametrize("other", [{"speed": Fraction(2)}, {"look": Look(size=SIZE, theme="dark")}, {"scale": 2.0},
                                   {"end": None}, {"fps": Fraction(9)}, {"view": "filters"}])
def test_a_folder_of_another_film_or_of_other_things_is_left_alone(other, film_of_pictures, tmp_path):
    path = film_of_pictures
    before = {item.name: item.read_bytes() for item in path.iterdir()}
    with pytest.raises(Refused, match="holds another film"):
        saved(a_film(**other), path)
    assert {item.name: item.read_bytes() for item in path.iterdir()} == before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "film.json").write_text("[]")
    with pytest.raises(Refused, match="other things in it"):
        saved(a_film(), tmp_path / "mine")
    assert [item.name for item in (tmp_path / "mine").iterdir()] == ["film.json"]


# --- the storyboard -------------------------------------------------------------------------------------------------

def test_a_storyboard_shows_each_beat_when_it_is_done_with_its_caption(tmp_path):
    film = a_film(end=None, fps=Fraction(10), speed=Fraction(1))
    times = times_of(toy())
    beats = times.beats[times.find("conv").index:]
    shown = key_frames(film)
    assert len(shown) == min(12, len(beats))
    assert min(film.moment(frame).phase for frame in shown) > 0.9, "each is done, or all but done"
    assert film.moment(shown[0]).beat.address == "conv.forward"
    assert film.moment(shown[-1]) == film.moment(film.count - 1)
    board = sheet(film)
    words = " ".join(mark.plain for mark in board if isinstance(mark, Text))
    for frame in shown:
        assert film.moment(frame).beat.address in words
        assert all(word in words for word in film.picture(frame).caption.split())
    for mark in board:
        if isinstance(mark, Rect):
            assert -0.01 <= mark.x <= mark.x + mark.width <= board.size[0] + 0.01
            assert -0.01 <= mark.y <= mark.y + mark.height <= board.size[1] + 0.01
    assert len(key_frames(film, most=3)) == 3


def test_a_picture_made_small_looks_as_it_did_when_it_is_enlarged_again():
    picture = export.draw(toy(), at="conv.backward", size=SIZE)
    small = Picture(SIZE, tuple(scaled(mark, 40, 30, 0.5) for mark in picture))
    again = Picture(SIZE, tuple(scaled(mark, -80, -60, 2) for mark in small))
    for one, other in zip(picture, again, strict=True):
        if isinstance(one, Line):
            assert np.allclose(one.points, other.points)
        elif isinstance(one, Curve):
            assert np.allclose(one.curves, other.curves)
        else:
            assert (one.x, one.y) == pytest.approx((other.x, other.y))
    wordless = [replace(it, still=tuple(mark for mark in it if not isinstance(mark, Text)), moving=())
                for it in (picture, again)]
    assert paint.render(wordless[0]) == paint.render(replace(wordless[1], theme=picture.theme))


# --- what goes wrong ------------------------------------------------------------------------------------------------

def stop_after(frames):
    def told(done, of):
        if done == frames:
            raise KeyboardInterrupt
    return told


@pytest.mark.parametrize("name", named(FILES))
def test_a_film_that_is_stopped_leaves_the_old_file_and_nothing_else(name, tmp_path):
    path = tmp_path / f"a{FORMS[name].suffixes[0]}"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt):
        films.save(a_film(), path, stop_after(5))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


class Full(io.FileIO):
    """A file on a disk with room for a few bytes."""

    def write(self, data):
        if self.tell() + len(data) > 2000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)


@pytest.mark.parametrize("name", named(FILES))
def test_a_full_disk_is_said_and_leaves_the_old_file(name, tmp_path, monkeypatch):
    path = tmp_path / f"a{FORMS[name].suffixes[0]}"
    path.write_bytes(b"old")
    monkeypatch.setattr(Path, "open", lambda self, mode: Full(str(self), mode.replace("b", "")))
    with pytest.raises(films.NotWritten, match=r"^a\.\w+ was not written: the disk is full; make room"):
        films.save(a_film(), path)
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_picture_that_cannot_be_drawn_ends_the_encoder_too(tmp_path, monkeypatch):
    monkeypatch.setattr(films, "painted", lambda *given: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        films.save(a_film(), tmp_path / "a.gif")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("changed", "name", "words"), [
    ({"look": Look(size=(641, 480))}, "a.mp4", "needs an even width and height, not 641 × 480; choose 640 × 480"),
    ({"look": Look(size=(640, 481))}, "a.webm", "choose 640 × 480"),
    ({"fps": Fraction(60)}, "a.gif", "at most 50 frames a second"),
    ({"look": Look(size=(20_000, 1000))}, "a.webp", "at most 16,384 pixels"),
    ({"look": Look(size=(20_000, 20_000))}, "a.apng", "are too many for a film"),
    ({"fps": Fraction(1000), "speed": Fraction(1, 100)}, "folder", "50,000 is the most"),
])
def test_what_cannot_be_filmed_is_refused_in_one_sentence(changed, name, words, tmp_path):
    with pytest.raises(Refused, match=words):
        films.save(a_film(**changed), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_an_ending_that_is_none_of_ours_names_those_that_are():
    with pytest.raises(LookupError, match=r"cannot be written as \.avi; give it one of the endings \.apng, \.gif"):
        films.find("a.avi")
    assert films.find("a.GIF").name == "gif"
    assert films.find("frames").name == "folder"


# --- the command line -----------------------------------------------------------------------------------------------

@pytest.fixture
def recorded(tmp_path_factory):
    return toy().save(tmp_path_factory.mktemp("recorded") / "toy.trace")


@pytest.fixture
def said(capsys):
    def run(*arguments):
        capsys.readouterr()
        status = cli.main(["film", *map(str, arguments)])
        out, err = capsys.readouterr()
        assert err == "" if status == cli.DONE else err.count("\n") == 1
        return status, out, err
    return run


SHORT = ("--from", "conv", "--to", "conv", "--fps", 5, "--size", "640x480")


def long(fps, speed=1):
    """How many frames the film of that beat has."""
    start, end = films.between(times_of(toy()), "conv", "conv")
    return a_film(start=start, end=end, fps=Fraction(fps), speed=Fraction(speed)).count


def test_film_writes_what_is_asked_for_and_says_so(said, recorded, tmp_path):
    status, out, _ = said(recorded, *SHORT, "--speed", "0.5", "--theme", "dark", "--focus", "conv:1", "-o",
                          tmp_path / "a.gif")
    size = (tmp_path / "a.gif").stat().st_size
    count = long(5, 0.5)
    assert (status, out) == (cli.DONE, f"{tmp_path / 'a.gif'}: {count} frames, {count / 5:.1f} s, {size:,} bytes\n")
    opened = state.from_json(export.state_in(tmp_path / "a.gif"))
    assert (opened.at, opened.look.theme, opened.look.size) == ("conv.forward@0", "dark", (640, 480))
    assert opened.focus == export.parse_focus(toy(), "conv:1")
    status, out, _ = said(tmp_path / "a.gif", "--to", "conv", "--from", "conv", "--speed", "8", "-o",
                          tmp_path / "frames")
    assert status == cli.DONE
    assert sum(path.suffix == ".png" for path in (tmp_path / "frames").iterdir()) == long(30, 8) + 1
    assert said(recorded, *SHORT, "--set", "reduced_motion=on", "-o", tmp_path / "b.gif")[0] == cli.DONE
    assert state.from_json(export.state_in(tmp_path / "b.gif")).look.reduced_motion


def test_a_program_is_told_how_far_it_is(said, recorded, tmp_path):
    _, out, _ = said(recorded, *SHORT, "--json", "-o", tmp_path / "a.apng")
    lines = [json.loads(line) for line in out.splitlines()]
    assert [line["done"] for line in lines[:-1]] == list(range(1, long(5) + 1))
    assert lines[-1] == {"file": str(tmp_path / "a.apng"), "frames": long(5), "seconds": long(5) / 5,
                         "bytes": (tmp_path / "a.apng").stat().st_size}


def test_a_person_at_a_terminal_sees_a_bar_that_goes_away(recorded, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert cli.main(["film", str(recorded), *map(str, SHORT), "-o", str(tmp_path / "a.gif")]) == cli.DONE
    err = capsys.readouterr().err
    half = long(5) // 2
    filled = 25 * half // long(5)
    assert "█" * filled + "░" * (25 - filled) + f" {half} of {long(5)} frames" in err
    assert err.endswith("\r\033[K")


@pytest.mark.parametrize(("arguments", "status", "words"), [
    (["-o", "a.avi"], cli.WRONG_USAGE, "cannot be written as .avi"),
    (["--from", "conv9", "-o", "a.gif"], cli.WRONG_USAGE, "no moment 'conv9'"),
    (["--from", "relu", "--to", "conv", "-o", "a.gif"], cli.WRONG_USAGE, "conv comes before relu"),
    (["--fps", "0", "-o", "a.gif"], cli.WRONG_USAGE, "no number from 0.01 to 1000"),
    (["--speed", "fast", "-o", "a.gif"], cli.WRONG_USAGE, "'fast' is no number"),
    (["--fps", "60", "-o", "a.gif"], cli.WRONG_USAGE, "at most 50 frames"),
    (["--fps", "1000", "--speed", "0.01", "-o", "a.apng"], cli.WRONG_USAGE, "50,000 is the most"),
    (["--size", "9000x9000", "-o", "a.gif"], cli.WRONG_USAGE, "too many for a film"),
    (["-o", "nowhere/a.gif"], cli.NOT_DONE, "There is no folder nowhere"),
    (["-o", "taken"], cli.REFUSED, "other things in it"),
    (["-o", "taken/mine"], cli.REFUSED, "is a file"),
    pytest.param(["--size", "641x480", "-o", "a.mp4"], cli.WRONG_USAGE, "even width and height", marks=needs_av),
])
def test_film_refuses(said, recorded, tmp_path, monkeypatch, arguments, status, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "mine").write_text("mine")
    found, out, err = said(recorded, *arguments)
    assert (found, out) == (status, ""), err
    assert words in err
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["mine", "taken"]


def test_a_full_disk_and_a_folder_that_cannot_be_written_are_said(said, recorded, tmp_path, monkeypatch):
    monkeypatch.setattr(Path, "open", lambda self, mode="r": Full(str(self), mode.replace("b", "")))
    status, _, err = said(recorded, *SHORT, "-o", tmp_path / "a.gif")
    assert (status, "the disk is full; make room" in err) == (cli.NOT_DONE, True)
    monkeypatch.undo()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    status, _, err = said(recorded, *SHORT, "-o", tmp_path / "a.gif")
    assert (status, err.startswith("Nothing can be written in")) == (cli.NOT_DONE, True)
    monkeypatch.undo()

    honest = Path.open

    def forbidden(self, mode="r", *rest, **options):
        if "w" in mode:
            raise PermissionError(errno.EACCES, "Permission denied")
        return honest(self, mode, *rest, **options)

    monkeypatch.setattr(Path, "open", forbidden)
    status, _, err = said(recorded, *SHORT, "-o", tmp_path / "a.gif")
    assert (status, err) == (cli.NOT_DONE, "a.gif was not written: nothing can be written there; choose a folder of "
                                           "your own.\n")
    assert list(tmp_path.iterdir()) == []


def test_without_pyav_one_sentence_says_how_to_get_it(said, recorded, tmp_path, monkeypatch):
    from visualizer.export.film import _video

    monkeypatch.setitem(sys.modules, "av", None)
    _video.missing.cache_clear()
    status, _, err = said(recorded, *SHORT, "-o", tmp_path / "a.mp4")
    _video.missing.cache_clear()
    assert (status, err) == (cli.NOT_DONE, "Video needs PyAV, which is not installed; run: pip install 'av>=18', or "
                                           "choose .gif, .apng or .webp.\n")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM that a program can take")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_film_is_stopped_from_outside_and_leaves_no_half_file(recorded, tmp_path, number):
    (tmp_path / "a.apng").write_bytes(b"old")
    running = subprocess.Popen([sys.executable, "-m", "visualizer", "film", str(recorded), "--size", "1920x1080",
                                "--fps", "200", "--json", "-o", str(tmp_path / "a.apng")], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, cwd=registry.PACKAGE.parent)
    assert json.loads(running.stdout.readline())["done"] > 0
    running.send_signal(number)
    _, err = running.communicate(timeout=60)
    assert (running.returncode, err) == (cli.INTERRUPTED, "Stopped; nothing was written.\n")
    assert (tmp_path / "a.apng").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.apng"]


def test_the_recording_on_screen_is_filmed_and_the_state_of_the_window_travels(said, tmp_path):
    """What the window hands over: a session, and the numbers that belong to it."""
    where = state.changed(state.State(), model="digits_cnn", sample=toy().sample.name, at="relu.forward")
    (tmp_path / "a.session").write_text(state.to_json(where))
    toy().save(tmp_path / "a.trace")
    assert said(tmp_path / "a.session", "--numbers", tmp_path / "a.trace", *SHORT, "-o", tmp_path / "a.apng")[0] == 0
    opened = state.from_json(export.state_in(tmp_path / "a.apng"))
    assert (opened.model, opened.at) == ("digits_cnn", "conv.forward@0")
    shown, _ = on_screen(tmp_path / "a.apng", [long(5) / 5 - 0.05])
    picture = export.draw(load(tmp_path / "a.trace"), at="conv.forward", size=(640, 480))
    assert np.array_equal(shown[0], as_rgb(paint.render(picture)))
