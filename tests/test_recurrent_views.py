"""Views of recurrent layers: the laws of all views, on networks that read text; and what they say is true."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from tests import motion
from tests.recorded import recorded
from tests.test_views import box, corners, seen
from visualizer import kinds, record
from visualizer.record.catalog import open_model
from visualizer.registry import files
from visualizer.scene import colour, hops, numbers, projector
from visualizer.scene.picture import Flight, Focus, Image, Line, Look, Path, Picture, Rect, Text, box_of
from visualizer.scene.reading import entropy, first_level, guesses, label, layers, opened, reading, tabs, top_of
from visualizer.scene.sofar import so_far
from visualizer.scene.spotlight import extent
from visualizer.scene.step_inputs import inputs_of
from visualizer.scene.timeline import timeline
from visualizer.scene.type import width
from visualizer.trace import Trace
from visualizer.views import View, all_views, find
from visualizer.views import picture as picture_of
from visualizer.views.hidden_state import ordered
from visualizer.views.step_outputs import drawn
from visualizer.views.unrolled._lane import crossings
from visualizer.views.unrolled._saliency import saliency

NAMES = ("unrolled", "hidden_state", "gates", "trajectory", "step_outputs", "cell", "connectivity")
TEXT = "wherefore art thou"


@pytest.fixture(scope="module", params=["char_lstm", "char_gru", "char_rnn"])
def text(request: pytest.FixtureRequest) -> Trace:
    return record.with_study(record.pass_of(request.param, TEXT), "connectivity")


@pytest.fixture(scope="module")
def lstm() -> Trace:
    return record.record("char_lstm", TEXT)


@pytest.fixture(scope="module")
def long() -> Trace:
    return record.record("char_gru", (TEXT + " ") * 11)


def suiting(trace: Trace) -> Iterator[View]:
    for name in NAMES:
        if find(name).suits(trace):
            yield find(name)


def test_every_recurrent_network_suits_these_views(text: Trace) -> None:
    assert {view.name for view in suiting(text)} >= set(NAMES) - {"gates"}
    assert all(name in {view.name for view in all_views()} for name in NAMES)


@pytest.mark.parametrize("look", [Look((1104, 796)), Look((952, 656), "dark"), Look((1920, 1080), "projector", 1.25)])
def test_nothing_lies_outside_the_frame(text: Trace, look: Look) -> None:
    times = timeline(text)
    for view in suiting(text):
        for index in range(0, len(times.beats), 5):
            for moment in (times.settled(index), times.at(times.starts[index] + Fraction(1, 5))):
                picture = picture_of(view, text, moment, None, look)
                assert picture.caption.endswith("."), f"{view.name} {moment.address}"
                assert picture.table.rows
                for mark in picture:
                    if mark.opacity > 0.3:
                        assert all(-1 <= x <= look.size[0] + 1 and -1 <= y <= look.size[1] + 1
                                   for x, y in corners(mark)), f"{view.name} {moment.address}: {mark}"


def test_a_step_forward_and_back_gives_the_identical_picture(lstm: Trace) -> None:
    times = timeline(lstm)
    for view in suiting(lstm):
        for index in range(0, len(times.beats) - 1, 4):
            before = view.draw(lstm, times.settled(index), None, Look())
            view.draw(lstm, times.settled(index + 1), None, Look())
            assert view.draw(lstm, times.settled(index), None, Look()) == before


def test_columns_move_without_jumping(lstm: Trace) -> None:
    """The end of one step and the start of the next show the same tiles: states, gates and gradients."""
    times = timeline(lstm)
    for index in range(len(times.beats) - 1):
        end = find("unrolled").draw(lstm, times.settled(index), None, Look())
        start = find("unrolled").draw(lstm, times.at(times.starts[index + 1]), None, Look())
        tiles = tiles_of(end), tiles_of(start)
        assert tiles[0] == tiles[1], times.beats[index + 1].address


def tiles_of(picture: Picture) -> dict[str, int]:
    lines = seen(Picture(picture.size, tuple(mark for mark in picture if isinstance(mark, Image)), theme=picture.theme))
    return {line: count for line, count in lines.items() if "inner." not in line}


def test_the_lines_of_an_opened_cell_add_up_to_what_was_recorded(text: Trace) -> None:
    layer = layers(text)[0]
    shown = reading(text, layer.name)
    for step in (0, 1, 9, shown.steps - 1):
        for key in shown.family.keys:
            rows = opened(text, shown, key, step)
            total = rows[-2].values if rows[-2].words.startswith("= ") else sum(row.values for row in rows[:-1])
            squash = np.tanh if key in ("candidate", "new") else \
                (lambda a: a) if key == "preactivation" else (lambda a: 1 / (1 + np.exp(-a)))
            assert np.abs(squash(total) - rows[-1].values).max() < 1e-5, (key, step)
            assert np.abs(np.asarray(layer.inner[key][step]) - rows[-1].values).max() == 0
        if shown.family.kept[0]:
            last = opened(text, shown, tabs(shown)[-1][0], step)
            made = last[0].values * last[1].values if shown.family.name == "lstm" else last[0].values + last[1].values
            assert np.abs(made - last[-1].values).max() < 1e-5


def test_the_sentence_names_the_likeliest_answer(text: Trace) -> None:
    answers = guesses(text)
    assert answers is not None
    name = layers(text)[0].name
    for step in (3, 10, 17):
        caption = find("unrolled").draw(text, timeline(text).find(f"{name}.forward[{step}]"), None, Look()).caption
        share = float(re.findall(r"with (\d+) %", caption)[0])
        assert abs(share - 100 * answers[step - 1].max()) <= 0.5 + 1e-9


def test_probabilities_and_entropy_are_those_of_the_logits(text: Trace) -> None:
    answers = guesses(text)
    assert answers is not None
    assert np.abs(answers.sum(axis=1) - 1).max() < 1e-12
    assert entropy(np.full(8, 1 / 8)) == pytest.approx(3.0)
    assert entropy(np.array([1.0, 0.0])) == 0


def test_a_long_text_is_a_strip_and_a_window(long: Trace) -> None:
    name = layers(long)[0].name
    picture = find("unrolled").draw(long, timeline(long).find(f"{name}.forward[120]"), None, Look())
    words = [mark.plain for mark in picture if isinstance(mark, Text)]
    assert any(word.startswith("all 209 steps") for word in words)
    assert sum(1 for _ in picture) < 800


@pytest.mark.parametrize("language", [path.stem for path in files("assets", "i18n/*.json")])
def test_what_a_row_is_called_has_room_at_its_left_in_every_language(lstm: Trace, text: Trace, language: str) -> None:
    for trace in (lstm, text):
        for beat in timeline(trace).beats[::7]:
            for scale in (1.0, 1.25):
                look = Look((824, 640), language=language, text_scale=scale)
                picture = picture_of(find("unrolled"), trace, timeline(trace).find(beat.address), None, look)
                for mark in picture:
                    if isinstance(mark, Text) and mark.plain.strip():
                        assert box_of(mark)[0] >= 0, mark.plain


def test_between_two_gate_tiles_the_nearer_one_is_meant(lstm: Trace) -> None:
    """Of two steps, and of two gates one above the other."""
    picture = find("unrolled").draw(lstm, timeline(lstm).telling, None, Look((1104, 796)))
    gates = [mark for mark in picture if isinstance(mark, Image) and mark.focus is not None
             and mark.focus.array.startswith("inner.") and mark.values.shape == (len(TEXT), 1, 1)
             and mark.pitch[0] > mark.cell[0]]
    assert len(gates) == 3, "forget, input, output"
    for mark in gates:
        (x, y), (next_x, _), (wide, high) = mark.tile_origin(1), mark.tile_origin(2), mark.tile_size
        gap = next_x - x - wide
        assert picture.hit(x + wide + gap / 2, y + high / 2) is None
        for at, tile in ((x + wide + 0.3 * gap, 1), (x + wide + 0.7 * gap, 2)):
            assert picture.near(at, y + high / 2) == replace(mark.focus, cell=(mark.index(tile),))
    for above, below in pairwise(sorted(gates, key=lambda mark: mark.y)):
        gap = below.y - above.y - above.tile_size[1]
        x = above.tile_origin(1)[0] + 3
        for at, mark in ((0.3, above), (0.7, below)):
            found = picture.near(x, above.y + above.tile_size[1] + at * gap)
            assert found == replace(mark.focus, cell=(mark.index(1),))


def test_the_scale_of_the_state_never_changes(lstm: Trace) -> None:
    """Equal values have equal colours at every step: the map of step 5 is part of the map of step 15."""
    maps = []
    for step in (6, 16):
        picture = find("hidden_state").draw(lstm, timeline(lstm).find(f"lstm.forward[{step}]"), None, Look())
        maps.append(next(mark.values[0] for mark in picture if isinstance(mark, Image) and mark.rows))
    assert np.array_equal(maps[0], maps[1][:, :maps[0].shape[1]])


def test_a_view_of_steps_refuses_a_network_without_steps() -> None:
    trace = record.record("mlp_mnist", "digit-2148")
    assert not find("unrolled").suits(trace)
    with pytest.raises(LookupError, match="no recurrent layer"):
        find("unrolled").draw(trace, timeline(trace).settled(0), Focus("fc1"), Look())


# --- folded into one cell ---------------------------------------------------------------------------------------------

FOLDS = ("0", "0.1", "0.25", "0.5", "0.75", "0.9", "1")


@pytest.mark.parametrize("look", [Look(), Look((952, 656), "dark"), Look((1920, 1080), "projector", 1.25)])
@pytest.mark.parametrize("fold", FOLDS)
def test_every_picture_on_the_way_to_the_folded_cell_keeps_the_laws(fold: str, look: Look, every: Trace) -> None:
    times = timeline(every)
    name = layers(every)[-1].name
    middle = times.find(f"{name}.forward[3]")
    for moment in (middle, times.at(times.starts[middle.index] + Fraction(1, 5)), times.find(f"{name}.backward[3]")):
        picture = find("unrolled").draw(every, moment, None, replace(look, knobs=(("fold", fold),)))
        for mark in picture:
            assert all(-1 <= x <= look.size[0] + 1 and -1 <= y <= look.size[1] + 1 for x, y in corners(mark)), mark
        texts = [(mark, box(mark)) for mark in picture if isinstance(mark, Text) and mark.opacity > 0.02]
        for index, (mark, (x0, y0, x1, y1)) in enumerate(texts):
            for other, (u0, v0, u1, v1) in texts[index + 1:]:
                apart = x1 <= u0 + 1 or u1 <= x0 + 1 or y1 <= v0 + 1 or v1 <= y0 + 1 or same_place(mark, other)
                assert apart, f"{moment.address}: {mark.plain!r} and {other.plain!r}"


def same_place(one: Text, other: Text) -> bool:
    """A word that changes its colour is drawn twice, both times in part."""
    return (one.plain, one.x, one.y) == (other.plain, other.x, other.y) and one.opacity + other.opacity <= 1.001


def test_folding_moves_without_jumping(lstm: Trace) -> None:
    """From one hundredth to the next no mark moves or grows by more than a few pixels, nor appears at once."""
    moment = timeline(lstm).find("lstm.forward[9]")

    def place(fold: float) -> dict[str, float]:
        picture = find("unrolled").draw(lstm, moment, None, Look(knobs=(("fold", f"{fold:.3f}"),)))
        band = next(mark for mark in picture if isinstance(mark, Rect) and mark.fill == "tint")
        names = {mark.plain: mark.x for mark in picture if isinstance(mark, Text) and mark.anchor == "end"}
        return {"band": band.x, "wide": band.width, "hidden": names["hidden state h"]}

    before = place(0.0)
    assert before == place(0.15), "the words go first"
    for hundredth in range(1, 101):
        now = place(hundredth / 100)
        assert all(abs(now[key] - before[key]) < 16 for key in now), hundredth
        before = now


def test_the_folded_cell_says_which_step_it_is_and_counts_its_weights_once(text: Trace) -> None:
    layer = layers(text)[0]
    picture = find("unrolled").draw(text, timeline(text).find(f"{layer.name}.forward[9]"), None,
                                    Look(knobs=(("fold", "1"),)))
    words = [mark.plain for mark in picture if isinstance(mark, Text)]
    count = sum(values.size for values in layer.weights.values())
    assert "step 9 of 18" in words
    assert f"the same {count:,} weights" in words
    assert {"h of step 9", "step 10 reads it again"} <= set(words)
    tiles = [mark for mark in picture if isinstance(mark, Image) and mark.palette == "weight"]
    assert [len(mark.values) for mark in tiles] == [1]


def test_steps_change_within_the_folded_cell_without_jumping(lstm: Trace) -> None:
    look, times = Look(knobs=(("fold", "1"),)), timeline(lstm)
    for index in range(times.find("lstm.forward[3]").index, times.find("lstm.forward[8]").index):
        end = find("unrolled").draw(lstm, times.settled(index), None, look)
        start = find("unrolled").draw(lstm, times.at(times.starts[index + 1]), None, look)
        assert tiles_of(end) == tiles_of(start), times.beats[index + 1].address


# --- both directions, padding, what is read ---------------------------------------------------------------------------

class Packed(nn.Module):
    """Reads sequences without their padding and pads what it made again."""

    def __init__(self, both: bool, kind: type[nn.RNNBase] = nn.LSTM) -> None:
        super().__init__()
        self.rnn = kind(3, 8, batch_first=True, bidirectional=both)
        self.fc = nn.Linear(16 if both else 8, 4)

    def forward(self, x: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        made, _ = pad_packed_sequence(self.rnn(packed)[0], batch_first=True, total_length=x.shape[1])
        return self.fc(made)


def packed(both: bool) -> Trace:
    torch.manual_seed(0)
    return record.capture(Packed(both), (torch.randn(1, 9, 3), torch.tensor([6])))


@pytest.fixture(scope="module", params=["char_lstm", "rows_gru", "sentiment_gru", "crnn_strip", "packed",
                                        "packed both"])
def every(request: pytest.FixtureRequest) -> Trace:
    if request.param.startswith("packed"):
        return packed("both" in request.param)
    samples = {"char_lstm": TEXT, "sentiment_gru": "a processed comedy chop suey"}
    return record.record(request.param, samples[request.param]) if request.param in samples else \
        record.record(request.param)


@pytest.mark.parametrize("look", [Look(), Look((952, 656), "dark"), Look((1920, 1080), "projector", 1.25)])
def test_every_view_of_every_reader_keeps_the_laws(every: Trace, look: Look) -> None:
    times = timeline(every)
    for view in suiting(every):
        for index in range(0, len(times.beats), 7):
            picture = picture_of(view, every, times.settled(index), None, look)
            for mark in picture:
                assert all(-1 <= x <= look.size[0] + 1 and -1 <= y <= look.size[1] + 1 for x, y in corners(mark)), \
                    f"{view.name} {times.beats[index].address}: {mark}"
            texts = [(mark, box(mark)) for mark in picture if isinstance(mark, Text) and mark.opacity == 1]
            for number, (mark, (x0, y0, x1, y1)) in enumerate(texts):
                for other, (u0, v0, u1, v1) in texts[number + 1:]:
                    assert x1 <= u0 + 1 or u1 <= x0 + 1 or y1 <= v0 + 1 or v1 <= y0 + 1, \
                        f"{view.name} {times.beats[index].address}: {mark.plain!r} and {other.plain!r}"


def test_two_directions_are_two_tracks_over_the_same_steps() -> None:
    trace = packed(both=True)
    picture = find("unrolled").draw(trace, timeline(trace).find("rnn.l0.reverse.forward[4]"), None, Look())
    states = {mark.focus.layer: mark for mark in picture if isinstance(mark, Image) and mark.focus is not None
              and mark.palette == "activation" and mark.focus.array == "output"}
    forward, reverse = states["rnn.l0"], states["rnn.l0.reverse"]
    assert (forward.x, forward.stride, forward.cell) == (reverse.x, reverse.stride, reverse.cell)
    assert reverse.y > forward.y
    assert unread(forward) == {6, 7, 8}, "the padding"
    assert unread(reverse) == {0, 1, 2, 6, 7, 8}, "it reads from the right, and has come to step 4"
    assert any(mark.plain.startswith("6 of 9 steps") for mark in picture if isinstance(mark, Text))


def unread(states: Image) -> set[int]:
    assert states.hatched is not None
    return {int(tile) for tile in np.flatnonzero(states.hatched.all(axis=(1, 2)))}


def test_the_reverse_direction_moves_on_from_the_right(every: Trace) -> None:
    """A state's movement is measured from the state that was read just before it."""
    for layer in layers(every):
        shown = reading(every, layer.name)
        if shown.reverse and shown.steps != 40:
            moment = timeline(every).find(f"{layer.name}.forward[4]")
            caption = find("unrolled").draw(every, moment, None, Look()).caption
            moved = float(np.linalg.norm(shown.states[3] - shown.states[4]))
            assert f"moves by {moved:.3g}" in caption


@pytest.mark.parametrize("name", ["unrolled", "hidden_state", "gates"])
def test_padding_is_hatched_and_the_length_said(name: str) -> None:
    trace = packed(both=False)
    assert (reading(trace, "rnn").steps, reading(trace, "rnn").padded) == (6, 3)
    picture = find(name).draw(trace, timeline(trace).find("rnn.backward[1]"), None, Look())
    words = " ".join(mark.plain for mark in picture if isinstance(mark, Text))
    assert "6 of 9 steps" in words
    assert "padding" in words


def test_what_is_read_is_found_by_its_numbers() -> None:
    rows = record.record("rows_gru", "digit-2148")
    found = inputs_of(rows, reading(rows, "gru"), kinds.receptive_field)
    assert found is not None
    assert (found.kind, found.upright) == ("rows", True)
    assert np.array_equal(found.values, rows["input"].output[0])
    strip = record.record("crnn_strip")
    found = inputs_of(strip, reading(strip, "lstm.l0"), kinds.receptive_field)
    assert found is not None
    assert found.kind == "windows"
    lows, highs = (np.array(edges) for edges in zip(*found.windows, strict=True))
    assert set(np.diff(lows)) == set(np.diff(highs)) == {4}, "160 columns in 40 steps"
    sequence = packed(both=False)
    found = inputs_of(sequence, reading(sequence, "rnn"), kinds.receptive_field)
    assert found is not None
    assert found.kind == "numbers"
    text = record.record("char_lstm", TEXT)
    assert inputs_of(text, reading(text, "lstm"), kinds.receptive_field) is None


def test_nothing_outside_its_window_reaches_a_frame() -> None:
    """The windows against torch: other columns may change as they like, the frame stays as it is; its own change it."""
    trace = record.record("crnn_strip")
    found = inputs_of(trace, reading(trace, "lstm.l0"), kinds.receptive_field)
    assert found is not None
    (low, high), source = found.windows[20], first_level(trace, trace["lstm.l0"]).name
    picture = np.array(trace["input"].output)
    model = open_model("crnn_strip").module

    def frame(values: np.ndarray) -> np.ndarray:
        return record.capture(model, torch.from_numpy(values[None]))[source].output[20]

    outside, inside = picture.copy(), picture.copy()
    outside[..., :low] = outside[..., high + 1:] = 0.7
    inside[..., low:high + 1] = 0.7
    assert np.abs(frame(outside) - frame(picture)).max() < 1e-6
    assert np.abs(frame(inside) - frame(picture)).max() > 0.1


def test_the_row_that_is_read_is_outlined_and_rows_to_come_are_hatched() -> None:
    rows = record.record("rows_gru", "digit-2148")
    picture = find("unrolled").draw(rows, timeline(rows).find("gru.forward[12]"), None, Look())
    lines = [mark for mark in picture if isinstance(mark, Image) and mark.palette == "pixel" and len(mark.values) > 1]
    read = next(mark for mark in lines if mark.opacity == 1)
    assert read.indices == tuple(range(12))
    hatched = [mark for mark in picture if isinstance(mark, Rect) and mark.fill == "hatch" and mark.y == read.y]
    assert len(hatched) >= 28 - 12


@pytest.mark.parametrize("knobs", [("order", "as is"), ("order", "principal"), ("order", "last")])
@pytest.mark.parametrize("name", ["unrolled", "hidden_state"])
def test_a_point_of_the_state_is_that_unit_at_that_step(name: str, knobs: tuple[str, str], every: Trace) -> None:
    """The colour under a point is that of the value which the focus there names."""
    layer = layers(every)[0]
    look = Look(knobs=(knobs,))
    picture = find(name).draw(every, timeline(every).settled(len(timeline(every).beats) // 2 - 1), None, look)
    tiles = [mark for mark in picture if isinstance(mark, Image) and mark.palette == "activation" and mark.rows
             and mark.focus is not None and mark.focus.layer == layer.name]
    for mark in tiles:
        for tile, row, column in ((0, 0, 0), (len(mark.values) - 1, len(mark.rows) // 2, mark.values.shape[2] - 1)):
            if mark.hatched is not None and mark.hatched[tile, row, 0]:
                continue
            x, y = mark.tile_origin(tile)
            found = picture.hit(x + (column + 0.5) * mark.cell[0], y + (row + 0.5) * mark.cell[1])
            assert found is not None
            assert found.layer == layer.name
            value = np.asarray(layer.inner["hidden"])[found.cell]
            assert colour.signed(value, 1.0) == mark.values[tile, row, column]


# --- long, sorted, saturated ------------------------------------------------------------------------------------------

def test_a_thousand_steps_are_not_a_thousand_marks() -> None:
    torch.manual_seed(0)

    class Reader(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.fc = nn.LSTM(3, 12, batch_first=True), nn.Linear(12, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.fc(self.rnn(x)[0][:, -1])

    trace = record.capture(Reader(), torch.randn(1, 1000, 3), target=1)
    moment = timeline(trace).find("rnn.forward[500]")
    for name in ("unrolled", "hidden_state", "gates", "cell", "trajectory"):
        picture = find(name).draw(trace, moment, None, Look())
        assert sum(1 for _ in picture) < 400, name
    picture = find("hidden_state").draw(trace, moment, None, Look())
    assert picture.hit(132 + 700 * 0.9, 300) is not None, "steps narrower than a pixel can still be pointed at"


def test_units_are_sorted_by_their_loading_and_by_their_first_change(lstm: Trace) -> None:
    shown = reading(lstm, "lstm")
    values = shown.states - shown.states.mean(axis=0)
    _, vectors = np.linalg.eigh(values.T @ values)  # another way to the principal components than the view's
    loading = vectors[:, -1] * np.sign(vectors[np.abs(vectors[:, -1]).argmax(), -1])
    order = ordered(shown, "hidden", "principal")
    assert np.all(np.diff(loading[list(order)]) <= 1e-9)
    jumps = np.abs(np.diff(shown.states, axis=0)) > 0.5 * np.ptp(shown.states, axis=0)
    moved = [next((step for step in range(len(jumps)) if jumps[step, unit]), shown.steps)
             for unit in ordered(shown, "hidden", "change")]
    assert moved == sorted(moved)


def test_the_unbounded_memory_is_drawn_on_a_symmetric_scale_and_what_lies_beyond_is_marked(lstm: Trace) -> None:
    shown = reading(lstm, "lstm")
    assert top_of(shown, "hidden") == 1.0
    memory = np.abs(np.asarray(shown.layer.inner["cell"], np.float64))
    top = top_of(shown, "cell")
    assert np.isclose(np.mean(memory <= top), 0.99, atol=0.005)
    picture = find("hidden_state").draw(lstm, timeline(lstm).settled(len(timeline(lstm).beats) // 2), None,
                                        Look(knobs=(("state", "cell"),)))
    marked = [mark for mark in picture if isinstance(mark, Path) and mark.fill == "ink"]
    assert sum(len(mark.curves) for mark in marked) == np.count_nonzero(memory > top)
    words = " ".join(mark.plain for mark in picture if isinstance(mark, Text))
    assert f"{np.count_nonzero(memory > top)} beyond it" in words


def test_going_back_over_a_space_is_said_only_where_it_divides(lstm: Trace) -> None:
    shown = reading(lstm, "lstm")
    assert shown.norms is not None
    falls = [shown.norms[step + 1] / shown.norms[step] for step, word in enumerate(shown.words[:-1]) if word == "␣"]
    said = crossings(shown, range(shown.steps))
    assert bool(said) == all(fall >= 1.2 for fall in falls)
    steep = replace(shown, gradients=np.full(shown.states.shape, 10.0) ** np.arange(-18, 0)[:, None])
    assert crossings(steep, range(18)) == "Going back over a space divides the gradient by **10**, then by **10**."


# --- saliency of what is read -----------------------------------------------------------------------------------------

def gradient_images(picture: Picture, part_of: str = "what is read") -> list[Image]:
    return [mark for mark in picture if isinstance(mark, Image) and mark.scale is not None
            and mark.scale.palette == "gradient" and mark.scale.of == part_of]


def pulled_steps(picture: Picture) -> dict[int, tuple[str, float]]:
    """(fill, how much is seen) of the words whose gradient is shown."""
    return {mark.focus.cell[0]: (mark.fill, mark.opacity) for mark in picture if isinstance(mark, Rect)
            and mark.scale is not None and mark.scale.of == "what is read" and mark.focus is not None}


def test_the_saliency_of_numbers_is_that_of_autograd_and_arrives_step_by_step() -> None:
    torch.manual_seed(3)

    class Reader(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.rnn, self.fc = nn.GRU(2, 5, batch_first=True), nn.Linear(5, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.fc(self.rnn(x)[0][:, -1])

    model, x = Reader(), torch.randn(1, 9, 2)
    trace = record.capture(model, x, target=1)
    asked = x.clone().requires_grad_()
    wanted = torch.autograd.grad(nn.functional.cross_entropy(model(asked), torch.tensor([1])), asked)[0][0].numpy()
    shown = reading(trace, "rnn")
    found = saliency(trace, shown, inputs_of(trace, shown, kinds.receptive_field))
    assert found is not None
    assert not found.at, "each step's is known when its own gradient has come"
    assert np.abs(found.values - wanted).max() < 1e-6 * np.abs(wanted).max() + 1e-9
    assert not gradient_images(find("unrolled").draw(trace, timeline(trace).find("rnn.forward[9]"), None, Look()))
    for reached in (9, 4, 1):
        images = gradient_images(find("unrolled").draw(trace, timeline(trace).find(f"rnn.backward[{reached}]"), None,
                                                       Look()))
        steps = [step for mark in images for step in mark.indices]
        assert steps == list(range(reached - 1, 9))
        top = np.abs(wanted).max()
        expected = colour.magnitude(wanted[reached - 1:], top * 1e-6, top)
        drawn_cells = np.concatenate([mark.values[:, 0] for mark in images])
        assert np.abs(drawn_cells.astype(int) - expected).max() <= 1
    caption = find("unrolled").draw(trace, timeline(trace).find("input.backward"), None, Look()).caption
    assert f"step {np.linalg.norm(wanted, axis=1).argmax() + 1} reads" in caption


def test_a_negative_gradient_of_a_number_carries_a_minus() -> None:
    trace = record.record("adding_lstm")
    shown = reading(trace, layers(trace)[0].name)
    found = saliency(trace, shown, inputs_of(trace, shown, kinds.receptive_field))
    assert found is not None
    moment = timeline(trace).find(f"{shown.layer.name}.backward[50]")
    picture = find("unrolled").draw(trace, moment, None, Look())
    row = gradient_images(picture)[0]
    minuses = sum(len(mark.curves) for mark in picture if isinstance(mark, Path) and mark.stroke
                  and row.y < mark.curves[0][0][1] < row.y + row.tile_size[1])
    steps = [step for mark in gradient_images(picture) for step in mark.indices]
    assert minuses == np.count_nonzero(found.values[steps] < 0)


def test_the_words_take_the_colour_of_their_gradient_in_the_last_part_of_their_beat(text: Trace) -> None:
    name, times = layers(text)[0].name, timeline(text)
    sizes = hops.of_symbols(text, text.layers[0])
    assert sizes is not None
    entries = colour.magnitude(sizes, sizes.max() * 1e-6, sizes.max())
    assert not pulled_steps(find("unrolled").draw(text, times.find(f"{name}.forward[18]"), None, Look()))
    there = pulled_steps(find("unrolled").draw(text, times.find(f"{name}.backward[9]"), None, Look()))
    assert there == {step: (f"gradient:{entries[step]}", 1.0) for step in range(8, 18)}
    count = len(times.find(f"{name}.backward[9]").beat.acts)
    before = pulled_steps(find("unrolled").draw(text, times.find(f"{name}.backward[9]@{(count - 1.001) / count}"), None,
                                                Look()))
    assert set(before) == set(range(9, 18))
    half = pulled_steps(find("unrolled").draw(text, times.find(f"{name}.backward[9]@{(count - 0.5) / count}"), None,
                                              Look()))
    assert half[8][1] == pytest.approx(0.5)


def test_pixels_behind_other_layers_get_their_gradient_with_the_beat_of_the_input() -> None:
    trace = record.record("crnn_strip")
    times, first = timeline(trace), trace.layers[0]
    assert not gradient_images(find("unrolled").draw(trace, times.find("lstm.l0.backward[1]"), None, Look()))
    image, = gradient_images(find("unrolled").draw(trace, times.find("input.backward"), None, Look()))
    wanted = np.abs(np.asarray(first.gradient, np.float64)[0])
    expected = colour.magnitude(wanted, wanted.max() * 1e-6, wanted.max())
    assert image.values.shape[1] == len(wanted)
    assert np.array_equal(image.values[0], expected[:, :image.values.shape[2]])


def test_rows_of_a_picture_get_their_pixels_own_gradient() -> None:
    trace = record.record("rows_gru")
    wanted = np.abs(np.asarray(trace.layers[0].gradient, np.float64)[0])
    images = gradient_images(find("unrolled").draw(trace, timeline(trace).find("gru.backward[20]"), None, Look()))
    rows = next(mark for mark in images if mark.indices)
    assert rows.indices == tuple(range(19, 28))
    assert np.array_equal(rows.values[:, :, 0], colour.magnitude(wanted, wanted.max() * 1e-6, wanted.max())[19:])


def test_the_opened_part_follows_the_way_back_where_it_stops_and_not_while_it_plays(lstm: Trace) -> None:
    times = timeline(lstm)

    def opened_part(address: str) -> str:
        picture = find("unrolled").draw(lstm, times.find(address), None, Look())
        return next(mark.plain for mark in picture if isinstance(mark, Text) and " at step " in mark.plain)

    for key, title in tabs(reading(lstm, "lstm")):
        said = opened_part(f"lstm.backward[5].{key}")
        assert title.lower() in said.lower()
        assert "at step 5," in said
    assert {opened_part(f"lstm.backward[5]@{frame / 24}").partition(" at")[0] for frame in range(25)} == {
        "Forget gate"}, "60 frames a second"


# --- answers, and the scale of the cell -------------------------------------------------------------------------------

def test_a_sample_is_drawn_by_its_probability_and_always_the_same() -> None:
    row = np.array([0.5, 0.3, 0.2])
    counts = np.bincount([drawn(row, "0", step)[0] for step in range(4000)], minlength=3) / 4000
    assert np.abs(counts - row).max() < 4 * np.sqrt(0.25 / 4000)
    assert [drawn(row, "1", step) for step in range(9)] == [drawn(row, "1", step) for step in range(9)]
    assert [drawn(row, "1", step)[0] for step in range(40)] != [drawn(row, "2", step)[0] for step in range(40)]
    for step in range(50):
        answer, number = drawn(row, "3", step)
        assert row[:answer].sum() <= number < row[:answer + 1].sum() + 1e-12


def test_greedy_and_sampled_answers_are_marked(lstm: Trace) -> None:
    answers = guesses(lstm)
    assert answers is not None
    seen_apart = 0
    for step in range(3, 15):
        for seed in ("0", "3"):
            answer, _ = drawn(answers[step], seed, step)
            picture = find("step_outputs").draw(lstm, timeline(lstm).find(f"lstm.forward[{step + 1}]"), None,
                                                Look(knobs=(("seed", seed),)))
            texts = [mark for mark in picture if isinstance(mark, Text)]
            tag, = [mark for mark in texts if "sampled" in mark.plain.split(", ") and "seed" not in mark.plain]
            name = next(mark.plain for mark in texts if abs(mark.y - tag.y) < 0.1 and mark.mono)
            assert name == label(lstm, answer)
            assert ("greedy" in tag.plain) == (answer == answers[step].argmax())
            seen_apart += "greedy" not in tag.plain
    assert seen_apart


def test_the_whole_string_stands_beside_its_target() -> None:
    trace = record.record("crnn_strip")
    texts = [mark.plain for mark in find("step_outputs").draw(
        trace, timeline(trace).find("lstm.l0.reverse.forward[1]"), None, Look()) if isinstance(mark, Text)]
    target = "".join(str(index) for index in trace["loss"].settings["target"])
    assert texts[texts.index("target") + 1] == target
    assert ("the same" in texts) == (texts[texts.index("all of it") + 1] == target)


@pytest.mark.parametrize("model", ["char_lstm", "char_gru", "char_rnn"])
def test_the_scale_of_every_row_of_a_cell_says_what_its_colours_are(model: str) -> None:
    trace = record.record(model, TEXT)
    name = layers(trace)[0].name
    shown = reading(trace, name)
    picture = find("cell").draw(trace, timeline(trace).find(f"{name}.forward[9]"), None, Look())
    rows = [row.values for key, _ in tabs(shown) for row in opened(trace, shown, key, 8)]
    images = [mark for mark in picture if isinstance(mark, Image) and mark.scale is not None and mark.focus is not None
              and mark.focus.array.startswith("inner.")]
    drawn_values = [
        mark.scale.low + (mark.values[:, 0, 0].astype(float) - (mark.palette == "activation")) /
        (254 + (mark.palette == "pixel")) * (mark.scale.high - mark.scale.low)
        for mark in images if mark.scale is not None]
    grey = {"pixel"} if shown.gates else set()
    assert {mark.palette for mark in images} == {"activation"} | grey, "blue and red are values, gates are grey"
    tops = np.concatenate([np.full(len(mark.values), mark.scale.high) for mark in images if mark.scale is not None])
    assert np.all(np.abs(np.concatenate(drawn_values) - np.concatenate(rows)) <= tops / 254 + 1e-9)


class Greedy(nn.Module):
    """An encoder, and a decoder that reads the token it has just chosen."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self.steps = steps
        self.encoder, self.decoder = nn.GRU(3, 4, batch_first=True), nn.GRUCell(3, 4)
        self.out, self.words = nn.Linear(4, 5), nn.Embedding(5, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        state, token, said = self.encoder(x)[1][0], torch.zeros(1, dtype=torch.long), []
        for _ in range(self.steps):
            state = self.decoder(self.words(token), state)
            said.append(self.out(state))
            token = said[-1].argmax(1)
        return torch.stack(said, 1)


@pytest.mark.parametrize("view", ["gates", "unrolled", "cell", "hidden_state"])
def test_another_layer_is_never_shown_for_a_single_call_of_a_cell(view):
    from visualizer import capture, draw

    trace = capture(Greedy(1).eval(), torch.randn(1, 6, 3))
    with pytest.raises(LookupError, match="decoder is a single call of a cell"):
        draw(trace, view=view, focus="decoder")
    shown = draw(trace, view="microscope", at="decoder.forward", focus="decoder:0,2/inner.reset")
    assert f"{float(trace['decoder'].inner['reset'][0, 2]):.2f}"[:4] in shown.caption


@pytest.mark.matrix(spine=("char_lstm",), sample=1, each=False)
@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("model", ["char_lstm", "char_gru", "char_rnn"])
def test_a_step_of_the_columns_plays_by_the_laws_of_motion(model: str, direction: str) -> None:
    """No mark jumps, reversed play is the same, and what flies goes from one column to the one beside it."""
    trace = recorded(model, TEXT)
    name = layers(trace)[0].name
    played = motion.beat(trace, "unrolled", f"{name}.{direction}[9]")
    motion.no_jumps(played)
    motion.the_same_backwards(played)
    flown = [mark for picture in played.pictures() for mark in picture
             if isinstance(getattr(mark, "holds", None), Flight)]
    assert flown
    ways = {mark.holds.source.cell[0] for mark in flown if mark.holds.source.layer == name}
    assert ways == {7 if direction == "forward" else 9}
    assert {mark.holds.target for mark in flown} == {Focus(name, (8,))}


@pytest.mark.parametrize("at", ["lstm.forward[17].forget", "lstm.forward[17]@0.3", "lstm.forward[17]"])
def test_pausing_inside_a_step_shows_that_step_everywhere(at: str) -> None:
    trace = recorded("char_lstm", "text:wherefore art thou")
    moment = timeline(trace).find(at)
    for view in ("unrolled", "gates", "cell", "hidden_state", "diagram"):
        picture = picture_of(find(view), trace, moment, None, Look())
        said = " ".join(mark.plain for mark in picture if isinstance(mark, Text))
        assert "step 16" not in said.lower(), view
        assert "17" in picture.caption or "wherefore art tho" in picture.caption, view
    columns = picture_of(find("unrolled"), trace, moment, None, Look())
    [band] = [mark for mark in columns if isinstance(mark, Rect) and mark.fill == "tint" and mark.height > 200]
    boxes = [mark.x for mark in columns if isinstance(mark, Rect) and mark.focus == Focus("lstm", (16,))
             and mark.fill == "sunk"]
    assert band.x + 4 == pytest.approx(boxes[0])


@pytest.mark.parametrize("model", ["surname_gru", "rows_lstm", "rows_rnn", "wait_lstm", "adding_gru", "sentiment_gru",
                                   "char_rnn"])
def test_after_every_step_it_is_said_what_the_network_would_answer(model: str) -> None:
    """The last one is its own answer, recorded by torch; the others go through the same weights."""
    trace = recorded(model)
    shown = reading(trace, layers(trace)[0].name)
    found = so_far(trace, shown)
    assert found is not None
    answer = trace[trace.answers[0].layer].output
    last = answer if answer.ndim == 1 else answer[-1]
    assert np.allclose(found.values[-1], last, atol=1e-4)
    picture = picture_of(find("unrolled"), trace, timeline(trace).find(f"{shown.layer.name}.forward[3]"), None, Look())
    said = [mark.plain for mark in picture if isinstance(mark, Text) and mark.color == "accent-ink" and mark.x > 400]
    row = found.values[2]
    wanted = f"{100 * row.max():.0f} %" if found.shares else f"{row[0]:.2f}"
    assert any(wanted in words for words in said), (wanted, said)


@pytest.mark.parametrize("view", ["unrolled", "gates", "hidden_state"])
def test_on_the_way_back_names_and_scales_are_the_gradients(view: str) -> None:
    trace = recorded("rows_gru")
    picture = picture_of(find(view), trace, timeline(trace).find("gru.backward[6]"), None, Look())
    said = {mark.plain for mark in picture if isinstance(mark, Text)}
    assert not {"0 shut, 1 open", "hidden state h"} & said
    assert not [words for words in said if "−1 to 1" in words]
    assert any("∂L/∂" in words for words in said)
    palettes = {mark.palette for mark in picture if isinstance(mark, Image) and mark.scale is not None
                and mark.hatched is None and mark.y > 100 and mark.opacity == 1}
    assert "gradient" in palettes


@pytest.mark.parametrize(("at", "come"), [
    ("lstm.l0.forward[20]", range(0)), ("lstm.l0.forward[40]", range(0)), ("lstm.l0.backward[40]@0.5", range(0)),
    ("lstm.l0.backward[21]@0.5", range(21, 40)), ("lstm.l0.backward[21]", range(20, 40)),
    ("lstm.l0.backward[1]", range(40)), ("lstm.l0.reverse.backward[21]", range(21))])
@pytest.mark.parametrize("view", ["unrolled", "gates", "hidden_state", "cell", "trajectory", "step_outputs"])
def test_the_lane_shows_the_gradient_where_it_has_come_and_hatching_elsewhere(view: str, at: str, come: range) -> None:
    """Nothing before its time: steps stand side by side, so the x of a dot says which step it is."""
    trace, look = recorded("crnn_strip"), Look()
    picture = picture_of(find(view), trace, timeline(trace).find(at), None, look)
    lane = [mark for mark in picture if extent(mark)[1] > look.size[1] - 112]
    dots = sorted({mark.x + mark.width / 2 for mark in lane if isinstance(mark, Rect) and mark.width == mark.height == 5
                   and mark.stroke == "gradient-mark"})
    assert len(dots) == len(come)
    drawn_to = [x for mark in lane if isinstance(mark, Line) and mark.color == "gradient-line" for x, _ in mark.points]
    assert sorted(drawn_to) == pytest.approx(dots if len(dots) > 1 else [])
    hatched = [mark for mark in lane if isinstance(mark, Rect) and mark.fill == "hatch" and mark.height > 20]
    pitch = sum(mark.width for mark in hatched) / (40 - len(come)) if len(come) < 40 else 0
    assert bool(hatched) == (len(come) < 40)
    assert not [x for x in dots for mark in hatched if mark.x < x < mark.x + mark.width]
    if len(dots) > 1 and hatched:
        assert dots[1] - dots[0] == pytest.approx(pitch)


@pytest.mark.parametrize("at", ["rnn.forward[50]", "rnn.backward[30]@0.5", "rnn.backward[30]"])
def test_the_strip_over_a_long_sequence_shows_the_gradient_where_it_has_come(at: str) -> None:
    trace = recorded("adding_rnn")
    picture = picture_of(find("unrolled"), trace, timeline(trace).find(at), None, Look())
    [strip] = [mark for mark in picture if isinstance(mark, Rect) and mark.fill == "hatch"
               and mark.stroke == "tile-border"]
    steps = [(x - strip.x) / strip.width * 60 for mark in picture if isinstance(mark, Line)
             and mark.color == "gradient-mark" and mark.points[0][1] < strip.y for x, _ in mark.points]
    first = {"rnn.forward[50]": 60, "rnn.backward[30]@0.5": 30, "rnn.backward[30]": 29}[at]
    assert [round(step - 0.5) for step in steps] == list(range(first, 60))


@pytest.mark.parametrize("view", ["jacobian", "bptt", "gradient_flow"])
def test_a_study_that_measured_the_way_back_as_a_whole_shows_all_of_it(view: str) -> None:
    trace = recorded("surname_gru", studies=find(view).studies)
    picture = picture_of(find(view), trace, timeline(trace).find("gru.forward[3]"), None, Look())
    assert not [mark for mark in picture if isinstance(mark, Text) and mark.plain == "comes on the way back"]
    assert [mark for mark in picture if isinstance(mark, Line) and mark.color == "gradient-line"
            and mark.points[0][1] > 796 - 112]


@pytest.mark.parametrize("model", ["char_lstm", "char_gru", "crnn_strip"])
@pytest.mark.parametrize("size", [(1104, 796), (952, 656), (1920, 1080)])
def test_names_of_the_largest_terms_are_whole(model: str, size: tuple[int, int]) -> None:
    """Bars give way to names; in a room, too."""
    trace = recorded(model)
    name = layers(trace)[0].name
    look = Look(size) if size[0] < 1900 else projector.look_for(Look(), size)
    for at in (f"{name}.backward[17]", f"{name}.forward[17].{'input' if 'input' in trace[name].inner else 'update'}"):
        picture = picture_of(find("microscope"), trace, timeline(trace).find(at), None, look)
        cut = [mark.plain for mark in picture if isinstance(mark, Text) and mark.size == 13 * look.text_scale
               and mark.max_width and width(mark.runs, mark.size, mark.weight, mark.mono) > mark.max_width + 0.5]
        assert not cut, at


@pytest.mark.parametrize("at", [0, 6, 17])
def test_nothing_is_drawn_of_the_steps_that_are_to_come(lstm: Trace, at: int) -> None:
    """The path of the state and the mean of a gate end where the reading has come."""
    moment = timeline(lstm).find(f"lstm.forward[{at + 1}]")
    path = picture_of(find("trajectory"), lstm, moment, None, Look())
    dots = [mark for mark in path if isinstance(mark, Rect) and mark.radius and mark.width == mark.height
            and mark.stroke in ("accent", "rule") and mark.y < 680]
    assert len(dots) == at + 1
    gate = picture_of(find("gates"), lstm, moment, None, Look())
    means = [mark for mark in gate if isinstance(mark, Line) and mark.color == "ink-2"]
    assert [len(mark.points) for mark in means] == ([at + 1] * 3 if at else [])


def test_the_path_on_the_way_back_says_how_large_the_gradient_is(lstm: Trace) -> None:
    moment = timeline(lstm).find("lstm.backward[9]")
    said = picture_of(find("trajectory"), lstm, moment, None, Look()).caption
    size = float(np.linalg.norm(lstm["lstm"].inner_gradients["hidden"][8].astype(np.float64)))
    assert numbers.significant(size, 3) in said
    assert "forwards" in said
    title = picture_of(find("cell"), lstm, moment, None, Look())
    assert any("values of the way forward" in mark.plain for mark in title if isinstance(mark, Text))


def test_a_step_whose_word_is_its_number_is_named_once() -> None:
    trace = recorded("crnn_strip")
    picture = picture_of(find("trajectory"), trace, timeline(trace).find("lstm.l0.forward[20]"), None, Look())
    said = [mark.plain for mark in picture if isinstance(mark, Text) and "20" in mark.plain and mark.size == 13
            and mark.y < 680]
    assert said == ["20"]


def test_rows_of_answers_that_are_not_known_are_hatched() -> None:
    trace = recorded("crnn_strip")
    for at, missing in (("lstm.l0.forward[20]", 40), ("lstm.l0.reverse.forward[21]", 20),
                        ("lstm.l0.reverse.forward[1]", 0)):
        picture = picture_of(find("step_outputs"), trace, timeline(trace).find(at), None, Look())
        hatched = [mark for mark in picture if isinstance(mark, Rect) and mark.fill == "hatch" and mark.height == 20]
        assert len(hatched) == 2 * missing, at


@pytest.mark.parametrize(("view", "model", "at"), [
    ("unrolled", "adding_rnn", "rnn.backward[30]"), ("network", "adding_rnn", "rnn.backward[30]"),
    ("diagram", "surname_gru", "gru.forward[4]"), ("network", "surname_gru", "gru.backward[4]")])
def test_words_of_neighbouring_steps_stand_apart(view: str, model: str, at: str) -> None:
    """Numbers in a row do not run into each other, and none is said twice beside itself where it says only `below`."""
    trace, look = recorded(model), Look()
    picture = picture_of(find(view), trace, timeline(trace).find(at), None, look)
    rows: dict[float, list[Text]] = {}
    for mark in picture:
        if isinstance(mark, Text) and mark.anchor == "middle" and mark.y > 0.75 * look.size[1]:
            rows.setdefault(mark.y, []).append(mark)
    for row in rows.values():
        row.sort(key=lambda mark: mark.x)
        for one, other in pairwise(row):
            assert box(other)[0] - box(one)[2] >= 3.5, (one.plain, other.plain)
    below = [mark.plain for mark in picture if isinstance(mark, Text) and mark.plain.startswith("below ")]
    assert len(set(below)) == len(below)


def test_every_number_of_a_gate_on_the_way_back_has_its_name() -> None:
    trace = recorded("surname_gru")
    for size in ((740, 560), (870, 664), (952, 656), (1104, 796)):
        picture = picture_of(find("diagram"), trace, timeline(trace).find("gru.backward[4]"), None, Look(size))
        cards = [mark for mark in picture if isinstance(mark, Rect) and mark.stroke_width == 1.5 and mark.radius == 8
                 and mark.focus is not None and "inner." in mark.focus.array and mark.height > 110]
        for card in cards:
            own = [mark for mark in picture if isinstance(mark, Text) and mark.size == 12
                   and card.x < mark.x < card.x + card.width and card.y + 20 < mark.y < card.y + card.height]
            numbered = {mark.y for mark in own if mark.anchor == "end"}
            assert len(numbered) == 3
            assert numbered <= {mark.y for mark in own if mark.anchor == "start"}, size


@pytest.mark.parametrize("view", ["trajectory", "hidden_state"])
@pytest.mark.parametrize(("at", "come"), [("fc.backward", False), ("lstm.backward[9]@0.3", False),
                                          ("lstm.backward[9]", True), ("lstm.backward[1]", True)])
def test_no_sentence_speaks_of_a_gradient_that_has_not_come(lstm: Trace, view: str, at: str, come: bool) -> None:
    said = picture_of(find(view), lstm, timeline(lstm).find(at), None, Look()).caption
    assert ("has not come to step" in said) is not come
    assert ("∥∂L/∂h∥ is" in said) is come


# --- stages without room ----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("model", ["digits_cnn", "char_lstm"])
def test_a_stage_without_room_still_has_a_picture(model: str) -> None:
    """Rows of less than a pixel were sought for ever with letters smaller than usual; the widest of no rows, too."""
    done = record.pass_of(model)
    for view in all_views():
        trace = record.with_study(done, *view.studies) if view.studies else done.trace
        if view.suits(trace):
            moment = timeline(trace).settled(len(timeline(trace).beats) // 2)
            for size, scale in (((240, 120), 0.8), ((480, 300), 2.0)):
                look = Look(size=size, text_scale=scale)
                assert picture_of(view, trace, moment, None, look).size in (size, look.laid_out.size), view.name


def test_a_stage_too_narrow_for_all_layers_shows_a_beat_large() -> None:
    """The columns of a deep network were sought to the right of those that stay, and there were none."""
    trace = record.record("mlp_mnist", "digit-2148")
    moment, network = timeline(trace).settled(len(timeline(trace).beats) // 2), find("network")
    small, lensed = (picture_of(network, trace, moment, None, Look(size=(356, 512), knobs=knobs))
                     for knobs in ((("lens", "off"),), ()))
    assert small.still == lensed.still
    assert small.moving == lensed.moving
