"""Films: what can be done to their frames, how one's own is read, and their view, against the network run by hand."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch
from PIL import Image as Picture
from torch import nn

from tests import quantities_of_films, quantities_of_words  # noqa: F401  (their quantities are known once there)
from tests.test_sentences import texts_of, true, unclaimed
from visualizer import capture, draw, edits, inputs
from visualizer.manifest import Manifest
from visualizer.record import open_model, pass_of
from visualizer.record.costs import right_answers
from visualizer.record.edits import matter_of
from visualizer.said import listening
from visualizer.scene.picture import Focus, Image
from visualizer.scene.sofar import so_far
from visualizer.trace import Refused, forget
from visualizer.views import find
from visualizer.views.frames._film import film_of

FACTS = {"kind": "video", "shape": [1, None, 16, 16], "frames": 8}


@pytest.fixture(scope="module")
def again():
    return pass_of("dot_video", "dots-1")


def given(word, **facts):
    return inputs.given(str(word), "video", "Moving dot", {**FACTS, **facts})


@pytest.mark.parametrize("at", ["conv1.forward@0.55", "gru.forward[5]", "softmax.forward", "gru.backward[4]",
                                "input.backward"])
def test_every_number_that_is_read_is_true(again, at) -> None:
    forget(again.trace)
    with listening(placing=True) as heard:
        texts = texts_of(draw(again.trace, "frames", at), True)
    wrong = [claim for claim in heard if not true(again.trace, claim)]
    assert not wrong, wrong[:3]
    assert not unclaimed(again.trace, texts, heard)


def test_the_answer_after_each_frame_is_that_to_the_film_up_to_it(again) -> None:
    film = film_of(again.trace)
    found = so_far(again.trace, film.shown).values
    with torch.no_grad():
        for step in (1, 4, 7):
            own = again.model(again.inputs[0][:, :, :step + 1])[0].double().softmax(0)
            np.testing.assert_allclose(found[step], own.numpy(), atol=1e-5)
            best = int(own.argmax())
            told = draw(again.trace, "frames", f"gru.forward[{step + 1}]").caption
            assert f"say “{again.trace.labels[best]}” with {100 * own[best]:.0f} %" in told


def test_the_frames_and_maps_are_those_of_the_network_and_the_gradient_that_of_autograd(again) -> None:
    x = again.inputs[0].clone().requires_grad_()
    nn.functional.cross_entropy(again.model(x), torch.tensor([0])).backward()
    film = film_of(again.trace)
    np.testing.assert_allclose(film.of(film.given, 0, True), x.grad[0, 0].numpy(), atol=1e-7)
    with torch.no_grad():
        maps = again.model.conv1(again.inputs[0])[0]
    np.testing.assert_allclose(film.of(again.trace["conv1"], 3, False), maps[3].numpy(), atol=1e-6)
    picture = draw(again.trace, "frames", "gru.forward[8]", focus=Focus("conv1", (3, 2, 5, 6)))
    tiles = next(mark for mark in picture if isinstance(mark, Image) and mark.focus == Focus("conv1"))
    x, y = tiles.tile_origin(2)
    assert picture.hit(x + 6.5 * tiles.cell[0], y + 5.5 * tiles.cell[1]) == Focus("conv1", (3, 2, 5, 6))


def test_what_is_done_to_a_film_is_done_to_each_frame_or_to_their_order() -> None:
    raw = given("dots-3").raw
    grain = inputs.kind("video").grain(FACTS)
    plane = inputs.kind("pictures").grain({})

    def edited(words: str, array=raw, of=grain):
        return edits.done(matter_of(array, of), (words,)).array

    for words in ("shift:3,-2", "rotate:30", "scale:-30", "blur:1.5", "occlude:6,1,2"):
        alone = np.stack([edited(words, frame, plane) for frame in raw])
        np.testing.assert_array_equal(edited(words), alone, err_msg=words)
    np.testing.assert_array_equal(edited("reverse"), raw[::-1])
    np.testing.assert_array_equal(edited("hold:3"), raw[[2] * 8])
    mixed = edited("shuffle_rows:1,5")
    assert not np.array_equal(mixed, raw)
    assert sorted(frame.tobytes() for frame in mixed) == sorted(frame.tobytes() for frame in raw)
    with pytest.raises(ValueError, match="only 8"):
        edited("hold:9")
    assert edits.find("shuffle_rows").titled(grain) == "Shuffle film frames"


def test_backwards_the_opposite_is_answered_and_one_frame_tells_nothing() -> None:
    """Of the model that learned from shuffled frames the right line is told, and both ways along it are as likely."""
    back = [pass_of("dot_video", f"dots-{number}", edits=("reverse",)).trace for number in (1, 2, 3, 4)]
    assert [int(trace.answer.output.argmax()) for trace in back] == [4, 5, 6, 7]
    for number in (1, 3):
        shares = pass_of("dot_video_shuffled", f"dots-{number}", edits=("shuffle_rows:1",)).trace.answer.output
        line = shares[number - 1] + shares[number + 3]
        assert line > 0.9
        assert 0.3 < shares[number - 1] / line < 0.7
    told = draw(pass_of("dot_video_shuffled").trace, "frames", "softmax.forward").caption
    assert "98 % of all films are answered along the right line, and 50 % of these the right way: a coin toss" in told


def test_the_thumbnail_is_the_way_of_the_dot_given_or_recorded(again) -> None:
    made = inputs.kind("video").thumbnail
    given_film, recorded = made(given("dots-1").raw), made(again.trace.layers[0].output)
    np.testing.assert_array_equal(given_film, given("dots-1").raw.max(0))
    stretched = (given_film - given_film.min()) / np.ptp(given_film) * 255
    np.testing.assert_allclose(recorded, stretched, atol=0.51)
    assert made(np.zeros(3)) is None


def test_each_network_is_counted_on_films_of_its_own_directions() -> None:
    for name, count in (("dot_video", 16), ("dot_video_two", 8)):
        counted = []

        def whole(network, kept=counted):
            kept.append((yield from right_answers(network)))

        assert [*whole(open_model(name))]
        assert counted == [(count, count)]
        first = pass_of(name).trace
        assert first.labels[int(first.answer.output.argmax())] == first.labels[first.sample.label]


# --- one's own ------------------------------------------------------------------------------------------------------

def frames(count: int, rows: int, columns: int) -> list[np.ndarray]:
    """A light dot that goes to the right, on black, as it would in frames of 16 × 16."""
    found, scale = [], rows / 16
    for number in range(count):
        at = columns / 2 + rows * 0.45 * (number / (count - 1) - 0.5)
        away = [(np.arange(size) + 0.5 - middle) / scale for size, middle in ((rows, rows / 2), (columns, at))]
        found.append(np.rint(255 * np.exp(-(away[0][:, None] ** 2 + away[1] ** 2) / 1.28)).astype(np.uint8))
    return found


def test_an_animated_picture_of_another_size_and_length_is_brought_to_the_model(tmp_path) -> None:
    pictures = [Picture.fromarray(frame) for frame in frames(24, 32, 60)]
    pictures[0].save(tmp_path / "own.gif", save_all=True, append_images=pictures[1:], duration=40)
    found = given(tmp_path / "own.gif")
    assert found.raw.shape == (8, 16, 16)
    assert found.sample.title == "own.gif, 8 of its 24 frames, evenly spaced, the middle of each, 16 × 16"
    across = found.raw.astype(float).sum(1) @ np.arange(16) / found.raw.astype(float).sum((1, 2))
    assert (np.diff(across) > 0.5).all()
    trace = pass_of("dot_video", str(tmp_path / "own.gif")).trace
    assert trace.labels[int(trace.answer.output.argmax())] == "→"


def test_a_folder_and_a_sheet_are_films_too_and_dark_on_light_is_turned_around(tmp_path) -> None:
    folder = tmp_path / "shots"
    folder.mkdir()
    for number, frame in enumerate(frames(5, 16, 16)):
        Picture.fromarray(255 - frame).save(folder / f"{number:02}.png")
    found = given(folder)
    assert found.raw.shape == (5, 16, 16)
    assert found.sample.title == "shots, 5 frames, light and dark exchanged"
    np.testing.assert_array_equal(found.raw, np.stack(frames(5, 16, 16)))
    Picture.fromarray(np.concatenate(frames(3, 20, 20), 1)).save(tmp_path / "sheet.png")
    assert given(tmp_path / "sheet.png").sample.title == "sheet.png, 3 frames, the middle of each, 16 × 16"
    np.save(tmp_path / "long.npy", np.zeros((30, 16, 16), np.uint8))
    assert given(tmp_path / "long.npy").raw.shape == (30, 16, 16)


@pytest.mark.parametrize(("name", "why"), [
    ("one.png", "is a single picture"), ("none.gif", "There is no file"), ("bad.gif", "no image that can be read"),
    ("bad.npy", "holds no array"), ("flat.npy", "is no film for this model"), ("empty", "there are no two pictures")])
def test_what_is_no_film_is_refused_in_one_sentence(tmp_path, name, why) -> None:
    Picture.new("L", (40, 30)).save(tmp_path / "one.png")
    for broken in ("bad.gif", "bad.npy"):
        (tmp_path / broken).write_bytes(b"no film at all")
    np.save(tmp_path / "flat.npy", np.zeros((16, 16), np.uint8))
    (tmp_path / "empty").mkdir()
    with pytest.raises(Refused, match=why):
        given(tmp_path / name)


def test_a_film_file_takes_the_extra_video_and_says_so(tmp_path, monkeypatch) -> None:
    (tmp_path / "own.mp4").write_bytes(b"\0" * 64)
    monkeypatch.setattr("visualizer.inputs.videos.import_module", _missing)
    with pytest.raises(Refused, match="takes the extra video: pip install 'av>=18'; or save it as GIF"):
        given(tmp_path / "own.mp4")


@pytest.fixture
def av():
    return pytest.importorskip("av", reason="PyAV is missing; pip install 'av>=18' brings it")


def _written(av, path, shots, kind="mpeg4"):
    with av.open(str(path), "w") as file:
        stream = file.add_stream(kind, rate=25)
        stream.height, stream.width = shots[0].shape
        stream.pix_fmt, stream.bit_rate = "yuv420p", 4_000_000
        for shot in shots:
            for packet in stream.encode(av.VideoFrame.from_ndarray(shot, format="gray")):
                file.mux(packet)
        for packet in stream.encode():
            file.mux(packet)


@pytest.mark.parametrize("suffix", ["mp4", "avi"])
def test_a_film_file_is_read_as_its_frames_are(tmp_path, av, suffix) -> None:
    shots = frames(20, 48, 64)
    _written(av, tmp_path / f"own.{suffix}", shots)
    found = given(tmp_path / f"own.{suffix}")
    assert found.sample.title == f"own.{suffix}, 8 of its 20 frames, evenly spaced, the middle of each, 16 × 16"
    np.save(tmp_path / "own.npy", np.stack(shots))
    assert np.abs(found.raw.astype(int) - given(tmp_path / "own.npy").raw).mean() < 8  # packed, with a loss


def test_a_film_file_that_is_too_long_or_cut_off_or_without_pictures_is_refused(tmp_path, av, monkeypatch) -> None:
    _written(av, tmp_path / "own.mp4", frames(6, 32, 32))
    (tmp_path / "cut.mp4").write_bytes((tmp_path / "own.mp4").read_bytes()[:200])
    with pytest.raises(Refused, match=r"cut.mp4 is no film that can be read \([A-Z][^\[/]*\); save it as GIF"):
        given(tmp_path / "cut.mp4")
    with av.open(str(tmp_path / "sound.mp4"), "w") as file:
        stream = file.add_stream("aac", rate=16_000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        sound.sample_rate = 16_000
        for packet in (*stream.encode(sound), *stream.encode()):
            file.mux(packet)
    with pytest.raises(Refused, match="holds no pictures"):
        given(tmp_path / "sound.mp4")
    monkeypatch.setattr("visualizer.inputs.videos.MOST", 5)
    with pytest.raises(Refused, match="more than 5 frames; cut it"):
        given(tmp_path / "own.mp4")


def _missing(name: str) -> None:
    raise ImportError(name)


# --- a model of one's own -------------------------------------------------------------------------------------------

class Own(nn.Module):
    """Frames in front of the channels, each looked at by plain convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.see = nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(4))
        self.rnn, self.out = nn.LSTM(36, 6, batch_first=True), nn.Linear(6, 3)

    def forward(self, film: torch.Tensor) -> torch.Tensor:
        seen = self.see(film.flatten(0, 1)).flatten(1)
        return self.out(self.rnn(seen.view(*film.shape[:2], -1))[0][:, -1])


def test_a_frame_model_of_ones_own_has_the_view() -> None:
    torch.manual_seed(0)
    model, x = Own().eval(), torch.rand(1, 5, 2, 12, 12)
    trace = capture(model, x, 1)
    film = film_of(trace)
    assert (film.frames, film.axis) == (5, 0)
    assert find("frames").suits(trace)
    with torch.no_grad():
        maps = model.see[0](x[0])
    np.testing.assert_allclose(film.of(trace["see.0"], 2, False), maps[:, 2].numpy(), atol=1e-6)
    for at in ("see.0.forward", "rnn.forward[3]", "see.0.backward"):
        forget(trace)
        with listening(placing=True) as heard:
            texts = texts_of(draw(trace, "frames", at, size=(740, 560)), True)
        assert not [claim for claim in heard if not true(trace, claim)]
        assert not unclaimed(trace, texts, heard)
    picture = draw(trace, "frames", "rnn.forward[5]", focus=Focus("see.0", (0, 2, 0, 0)))
    tiles = next(mark for mark in picture if isinstance(mark, Image) and mark.focus == Focus("see.0"))
    x0, y0 = tiles.tile_origin(4)
    assert picture.hit(x0 + 3.5 * tiles.cell[0], y0 + 7.5 * tiles.cell[1]) == Focus("see.0", (4, 2, 7, 3))


def test_a_file_of_ones_own_that_is_said_to_read_films_is_given_one(tmp_path) -> None:
    """Its frames are those of the GIF; where it reads more than there are the last is held, and that is said."""
    torch.manual_seed(0)
    film = torch.rand(1, 6, 3, 12, 12)

    class Coloured(Own):
        def __init__(self) -> None:
            super().__init__()
            self.see[0] = nn.Conv2d(3, 4, 3, padding=1)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.export.save(torch.export.export(Coloured().eval(), (film,)), tmp_path / "films.pt2")
    shown = [Picture.fromarray(frame) for frame in frames(4, 24, 24)]
    shown[0].save(tmp_path / "own.gif", save_all=True, append_images=shown[1:])
    trace = pass_of(open_model(tmp_path / "films.pt2", told=Manifest(kind="video")), str(tmp_path / "own.gif")).trace
    made = given(tmp_path / "own.gif", shape=[1, None, 12, 12], frames=6).raw / 255
    read = trace.layers[0].output
    np.testing.assert_allclose(read, np.stack([made[[0, 1, 2, 3, 3, 3]]] * 3, 1), atol=1e-6)
    assert any("has 4 frames and" in note and "the last of them is held" in note for note in trace.notes)
    assert find("frames").suits(trace)
    assert trace.sample.title == "own.gif, 4 frames, the middle of each, 12 × 12"


def test_what_reads_no_film_has_no_such_view() -> None:
    for name in ("rows_gru", "crnn_strip", "digits_cnn"):
        assert not find("frames").suits(pass_of(name).trace)
