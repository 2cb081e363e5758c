"""The drawing of a cell: its numbers against torch, its ways back against autograd, and the laws of its motion."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise, permutations

import numpy as np
import pytest
import torch
from torch import nn

from tests import motion
from tests.recorded import recorded
from tests.test_layout import SIZES, faults
from visualizer import kinds
from visualizer.scene import cellnumbers, stepbeat
from visualizer.scene.cellnumbers import Pick
from visualizer.scene.labels import overlap
from visualizer.scene.picture import Choice, Flight, Focus, Look, Picture, Rect, Text
from visualizer.scene.reading import layers, reading
from visualizer.scene.subject import is_number
from visualizer.scene.timeline import Moment, timeline
from visualizer.scene.type import bounds
from visualizer.trace import Layer, Trace
from visualizer.views import find
from visualizer.views import picture as picture_of

TEXT = "text:wherefore art thou"
CELLS = {"char_lstm": "lstm", "char_gru": "gru", "char_rnn": "rnn"}
RECURRENT = (*CELLS, "rows_lstm", "rows_gru", "rows_rnn", "surname_gru", "sentiment_gru", "adding_lstm", "adding_gru",
             "adding_rnn", "wait_lstm", "wait_rnn", "crnn_strip")
VIEW = find("diagram")


def read(model: str) -> Trace:
    return recorded(model, TEXT if model in CELLS else "")


def at(trace: Trace, address: str) -> Moment:
    return timeline(trace).find(address)


def drawn(model: str, address: str, unit: int | None = None, look: Look | None = None, **knobs: str) -> Picture:
    trace = read(model)
    focus = None if unit is None else Focus(CELLS[model], (0, unit))
    return picture_of(VIEW, trace, at(trace, address), focus, replace(look or Look(), knobs=tuple(knobs.items())))


def words(picture: Picture) -> list[str]:
    return [mark.plain for mark in picture if isinstance(mark, Text) and mark.opacity > 0.5]


# --- numbers ----------------------------------------------------------------------------------------------------------

def unrolled(layer: Layer, read_by: np.ndarray) -> Iterator[dict[str, torch.Tensor]]:
    """torch's own cells, step by step in double precision, with everything that may be asked of their gradients."""
    weights = {name: torch.tensor(np.asarray(values, np.float64)) for name, values in layer.weights.items()}
    h = torch.zeros(weights["weight_hh"].shape[1], dtype=torch.float64, requires_grad=True)
    c = torch.zeros_like(h, requires_grad=True)
    for x in torch.tensor(np.asarray(read_by, np.float64)):
        from_x = weights["weight_ih"] @ x + weights["bias_ih"]
        from_h = weights["weight_hh"] @ h + weights["bias_hh"]
        found = {"hidden_before": h, "cell_before": c}
        if layer.kind == "lstm":
            sums = dict(zip(("input", "forget", "candidate", "output_gate"), (from_x + from_h).chunk(4), strict=True))
            found |= {key: torch.tanh(sums[key]) if key == "candidate" else torch.sigmoid(sums[key]) for key in sums}
            found["kept"], found["added"] = found["forget"] * c, found["input"] * found["candidate"]
            c = found["cell"] = found["kept"] + found["added"]
            found["opened"] = torch.tanh(c)
            h = found["hidden"] = found["output_gate"] * found["opened"]
        elif layer.kind == "gru":
            (xr, xz, xn), (hr, hz, hn) = from_x.chunk(3), from_h.chunk(3)
            sums = {"reset": xr + hr, "update": xz + hz}
            found |= {key: torch.sigmoid(sums[key]) for key in sums}
            found["hidden_new"] = hn
            sums["new"] = xn + found["reset"] * hn
            found["new"] = torch.tanh(sums["new"])
            found["kept"], found["added"] = found["update"] * h, (1 - found["update"]) * found["new"]
            h = found["hidden"] = found["kept"] + found["added"]
        else:
            sums = {"preactivation": from_x + from_h}
            found |= sums
            h = found["hidden"] = torch.tanh(sums["preactivation"])
        found |= {f"{key}.sum": total for key, total in sums.items()}
        yield found


@pytest.mark.parametrize("model", CELLS)
def test_every_number_of_the_drawing_is_that_of_torchs_cell(model: str) -> None:
    trace = read(model)
    layer = trace[CELLS[model]]
    found = cellnumbers.forward(trace, reading(trace, layer.name))
    for step, truth in enumerate(unrolled(layer, trace.inputs(layer)[0].output)):
        for key, value in truth.items():
            if key in found.arrays:
                assert np.abs(found.arrays[key][step] - value.detach().numpy()).max() < 2e-5, (key, step)
    assert {"hidden_before", "kept", "added"} <= set(found.arrays) or model == "char_rnn"


@pytest.mark.parametrize("model", CELLS)
def test_every_way_back_is_what_autograd_sends_along_it(model: str) -> None:
    """Of each gate: what arrives, what leaves, and what goes through it to the last state, as vectors."""
    trace = read(model)
    layer = trace[CELLS[model]]
    back = cellnumbers.backward(trace, reading(trace, layer.name))
    assert back is not None
    steps = list(unrolled(layer, trace.inputs(layer)[0].output))
    direct = torch.tensor(back.arrays["own"])
    loss = sum((step["hidden"] * direct[number]).sum() for number, step in enumerate(steps))
    for number in (17, 9, 3, 1):
        step = steps[number]
        sums = {key.removesuffix(".sum"): value for key, value in step.items() if key.endswith(".sum")}
        of_sums = torch.autograd.grad(loss, tuple(sums.values()), retain_graph=True)
        of_state, = torch.autograd.grad(loss, step["hidden"], retain_graph=True)
        assert np.allclose(back.arrays["hidden"][number], of_state, atol=1e-7)
        total = torch.zeros_like(of_state)
        for (key, value), gradient in zip(sums.items(), of_sums, strict=True):
            onto = torch.autograd.grad(value, step["hidden_before"], gradient, retain_graph=True)[0]
            if key == "new":  # its way through the reset gate is the reset gate's
                through, = torch.autograd.grad(step["hidden_new"], step["hidden_before"], gradient * step["reset"],
                                               retain_graph=True)
                onto = through
            assert np.allclose(back.to[key][number], onto, atol=2e-7), (key, number)
            total = total + onto
        if model == "char_lstm":
            of_cell, = torch.autograd.grad(loss, step["cell"], retain_graph=True)
            assert np.allclose(back.arrays["cell"][number], of_cell, atol=1e-7)
            assert np.allclose(back.arrays["kept"][number], of_cell * step["forget"].detach(), atol=1e-7)
        elif model == "char_gru":
            total = total + of_state * step["update"].detach()
        of_before, = torch.autograd.grad(loss, step["hidden_before"], retain_graph=True)
        own = torch.tensor(back.arrays["own"][number - 1])
        assert np.allclose(total, of_before - own, atol=3e-7), "the ways add up to the gradient, as vectors"


@pytest.mark.parametrize("model", RECURRENT)
def test_the_ways_back_add_up_to_what_was_recorded(model: str) -> None:
    trace = read(model)
    for layer in layers(trace):
        back = cellnumbers.backward(trace, reading(trace, layer.name))
        assert back is not None
        assert back.error < 2e-6, (layer.name, back.error)


def test_what_each_way_keeps_is_printed_as_it_was_measured() -> None:
    """Of the space in the middle: the memory does not pass almost whole, whatever the textbook says."""
    trace = read("char_lstm")
    layer = trace["lstm"]
    cell = np.asarray(layer.inner_gradients["cell"][9], np.float64)
    kept = np.linalg.norm(np.asarray(layer.inner["forget"][9]) * cell) / np.linalg.norm(cell)
    picture = drawn("char_lstm", "lstm.backward[10]")
    assert f"keeps × {kept:.2f}" in words(picture)
    assert f"× {kept:.2f}" in picture.caption
    assert kept < 0.6
    back = cellnumbers.backward(trace, reading(trace, "lstm"))
    assert back is not None
    shares = {f"× {back.kept(over, under, 9, Pick(0, True)):.2f}" for over, under in
              (("candidate.arrives", "cell"), ("opens", "hidden"))}
    assert shares <= set(words(picture))
    assert any(said.startswith("tanh′ × ") for said in words(picture))


def test_a_unit_alone_and_the_mean_of_all_say_their_own_numbers() -> None:
    layer = read("char_lstm")["lstm"]
    cell = layer.inner["cell"][16]
    alone, mean = drawn("char_lstm", "lstm.forward[17]", 87), drawn("char_lstm", "lstm.forward[17]", 87, show="mean")
    assert f"{float(cell[87]):.2f}".replace("-", "−") in words(alone)
    assert f"{float(cell.mean()):.2f}".replace("-", "−") in words(mean)
    assert alone.caption != mean.caption


# --- where marks lead -----------------------------------------------------------------------------------------------

@pytest.mark.parametrize("model", CELLS)
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_everything_leads_into_the_microscope_of_its_gate_and_unit(model: str, direction: str) -> None:
    trace, name = read(model), CELLS[model]
    picture = drawn(model, f"{name}.{direction}[9]", 7)
    led = {mark.focus for mark in picture if mark.focus is not None and is_number(trace, mark.focus)
           and mark.focus.layer == name}
    wanted = {Focus(name, (8, 7), f"inner.{row.key}") for row in reading(trace, name).family.rows}
    assert wanted <= led
    assert Focus(name, (8, 7)) in led
    for focus in led:
        key = focus.array.removeprefix("inner.") if focus.array != "output" else "hidden"
        assert kinds.inner_terms(trace, name, key, *focus.cell).taps, focus


def test_the_chips_turn_a_knob() -> None:
    choices = [mark.holds for mark in drawn("char_lstm", "lstm.forward[9]") if isinstance(mark, Rect)
               and isinstance(mark.holds, Choice)]
    assert [(choice.knob, choice.word) for choice in choices] == [("show", "unit"), ("show", "mean")]
    assert all(VIEW.takes(choice.knob, choice.word) for choice in choices)


def test_of_a_layer_that_reads_both_ways_each_direction_has_its_cell() -> None:
    trace = read("crnn_strip")
    for name, first in (("lstm.l0", 1), ("lstm.l0.reverse", 40)):
        picture = picture_of(VIEW, trace, at(trace, f"{name}.forward[{first}]"), None, Look())
        assert any(mark.focus is not None and mark.focus.layer == name for mark in picture)
        assert not [mark for mark in picture if isinstance(mark, Rect) and isinstance(mark.holds, Flight)
                    and mark.holds.source.array == "inner.cell" and mark.holds.source.cell[0] != first - 1]


# --- the laws of motion ---------------------------------------------------------------------------------------------

STEPS = [(model, f"{name}.{direction}[9]") for model, name in CELLS.items() for direction in ("forward", "backward")]


def other_future(trace: Trace, name: str, step: int, keep: tuple[str, ...] = ()) -> Trace:
    """The recording with other numbers in all steps after one, and in that step itself except some."""
    layer = trace[name]

    def changed(key: str, values: np.ndarray) -> np.ndarray:
        found = np.array(values, copy=True)
        largest = np.abs(found).max(axis=0)
        later = np.arange(len(found)) > step - (key not in keep)
        free = later[:, None] & (np.abs(found) < largest)
        return np.where(free, found * 0.5, found)

    inner = {key: changed(key, values) for key, values in layer.inner.items()}
    other = replace(layer, inner=inner, output=inner["hidden"])
    logits = trace["fc"]
    rows = (np.arange(len(logits.output)) >= step)[:, None]
    answer = replace(logits, output=np.where(rows, logits.output[:, ::-1], logits.output))
    return replace(trace, layers=tuple({name: other, "fc": answer}.get(each.name, each) for each in trace.layers))


@pytest.mark.parametrize(("model", "kept"), [
    ("char_lstm", [(0.21, ()), (0.5, ("input", "forget", "candidate", "output_gate")),
                   (0.7, ("input", "forget", "candidate", "output_gate"))]),
    ("char_gru", [(0.21, ()), (0.5, ("reset", "update", "new"))]),
    ("char_rnn", [(0.21, ()), (0.5, ("preactivation",))])])
def test_nothing_is_seen_before_its_time(model: str, kept: list) -> None:
    trace, name = read(model), CELLS[model]
    for phase, known in kept:
        moment = replace(at(trace, f"{name}.forward[9]"), phase=phase)
        other = other_future(trace, name, 8, known)
        assert not np.array_equal(other[name].output, trace[name].output)
        here, there = ([line for line in seen(picture_of(VIEW, one, moment, Focus(name, (8, 7)), Look()))
                        if "full bore" not in line] for one in (trace, other))  # the scale is that of the whole text
        assert here == there, phase


@pytest.mark.parametrize(("model", "address"), STEPS)
def test_what_happens_in_a_step_never_goes_back(model: str, address: str) -> None:
    """More of the pipes is filled from frame to frame, once the step before has made room."""
    trace = read(model)
    filled = []
    for phase in np.linspace(stepbeat.SLIDE, 1, 60):
        picture = picture_of(VIEW, trace, replace(at(trace, address), phase=float(phase)), None, Look())
        filled.append(sum(mark.width * mark.height for mark in picture
                          if isinstance(mark, Rect) and isinstance(mark.holds, Flight)))
    assert all(after >= before - 1e-6 for before, after in pairwise(filled))
    assert filled[0] == 0 < filled[-1]


@pytest.mark.matrix(spine=("char_lstm",), sample=2, each=False)
@pytest.mark.parametrize(("model", "address"), STEPS)
def test_one_step_goes_over_into_the_next_without_a_jump(model: str, address: str) -> None:
    played = motion.beat(read(model), "diagram", address)
    motion.no_jumps(played)
    motion.the_same_backwards(played)


@pytest.mark.parametrize(("model", "address"), STEPS)
def test_a_step_begins_where_the_one_before_ended(model: str, address: str) -> None:
    trace = read(model)
    moment = at(trace, address)
    before = timeline(trace).settled(moment.index - 1)
    ends = [picture_of(VIEW, trace, one, None, Look()) for one in (before, replace(moment, phase=0.0))]
    assert seen(ends[0]) == seen(ends[1])


@pytest.mark.parametrize("view", ["diagram", "unrolled", "gates", "hidden_state"])
def test_the_first_beat_back_crosses_over_from_what_was_there(view: str) -> None:
    trace = read("char_lstm")
    times = timeline(trace)
    first = next(index for index, beat in enumerate(times.beats) if beat.direction == "backward")
    end = picture_of(find(view), trace, times.settled(first - 1), None, Look())
    start, half, done = (picture_of(find(view), trace, replace(times.settled(first), phase=phase), None, Look())
                         for phase in (0.0, 0.5, 1.0))
    assert sorted(seen(start)) == sorted(seen(end))
    assert any(0 < mark.opacity < 1 for mark in half)
    assert not [mark for mark in done if isinstance(mark, Text) and mark.plain == "0 shut, 1 open"]


def seen(picture: Picture) -> list[str]:
    return replace(picture, table=Picture((1, 1), ()).table).dump().splitlines()


@pytest.mark.parametrize("model", CELLS)
def test_what_flows_is_a_number_of_torchs_cell_and_as_thick_as_it_is_large(model: str) -> None:
    trace, name, unit = read(model), CELLS[model], 7
    step = list(unrolled(trace[name], trace.inputs(trace[name])[0].output))[8]
    numbers = {key: float(value.detach()[unit]) for key, value in step.items() if len(value) > unit}
    if name == "gru":
        numbers["r·q"] = float((step["reset"] * step["hidden_new"]).detach()[unit])
        numbers["fed"] = float(step["new.sum"].detach()[unit]) - numbers["r·q"]
    flown = []
    for phase in (0.6, 0.75, 0.95, 1.0):
        picture = picture_of(VIEW, trace, replace(at(trace, f"{name}.forward[9]"), phase=phase), Focus(name, (8, unit)),
                             Look())
        for mark in picture:
            if isinstance(mark, Rect) and isinstance(mark.holds, Flight) and mark.fill.endswith("-bar"):
                value = mark.holds.value
                assert min(abs(value - number) for number in numbers.values()) < 2e-5, mark.holds
                assert (mark.fill == "negative-bar") == (value < 0)
                flown.append((abs(value), min(mark.width, mark.height)))
    assert len(flown) > 6 or name == "rnn"
    ratios = {round(thick / size, 2) for size, thick in flown if thick > 1.2 and size > 1e-9 and thick < 43}
    assert len(ratios) <= 2, "one scale for the line, and one before the tanh of a GRU"


def test_states_slide_into_the_places_of_the_last_ones() -> None:
    places = []
    for phase in (0.0, 0.03, 0.06, 0.09, 0.12, 0.15, 0.18):
        picture = drawn("char_lstm", f"lstm.forward[9]@{phase}", 7)
        places.append([mark.x for mark in picture if isinstance(mark, Rect) and isinstance(mark.holds, Flight)
                       and mark.fill in ("tint", "raised")])
    sliding = [min(xs) for xs in places if xs]
    assert sliding == sorted(sliding, reverse=True)
    assert len(sliding) >= 4


def test_a_step_plays_in_its_time_and_slowly_where_its_operations_are_watched() -> None:
    trace = read("char_lstm")
    moment = at(trace, "lstm.forward[9]")
    assert VIEW.pace is not None
    for knob, seconds in (("quick", 0.95), ("slow", 2.75)):
        pace = VIEW.pace(trace, moment, None, Look(knobs=(("operations", knob),)))
        assert float(pace.seconds) == pytest.approx(seconds)


# --- layout -----------------------------------------------------------------------------------------------------------

@pytest.mark.matrix(spine=("char_lstm-1366x768", "char_gru-projector", "crnn_strip-beside"), sample=2, each=False)
@pytest.mark.parametrize("size", list(SIZES))
@pytest.mark.parametrize("model", RECURRENT)
def test_the_drawing_keeps_the_law_of_layout_while_it_moves(model: str, size: str) -> None:
    trace, look = read(model), SIZES[size]
    name = layers(trace)[-1].name
    for direction in ("forward", "backward"):
        for phase in (0.1, 0.45, 0.75, 1.0):
            moment = replace(at(trace, f"{name}.{direction}[3]"), phase=phase)
            for show in ("unit", "mean"):
                picture = picture_of(VIEW, trace, moment, None, replace(look, knobs=(("show", show),)))
                assert not (found := list(faults(picture, look.text_scale))), f"{moment.address} {show}: {found[:3]}"


def test_no_gradient_no_drawing_of_one() -> None:
    """A step through which nothing came says so."""
    picture = drawn("char_lstm", "lstm.backward[18]")
    assert "exactly 0" in picture.caption
    assert not [mark for mark in picture if isinstance(mark, Rect) and isinstance(mark.holds, Flight)
                and mark.holds.value > 0]


@pytest.mark.filterwarnings("ignore:LSTM with projections")
def test_a_projected_lstm_and_one_without_biases_are_drawn() -> None:
    from visualizer.record import capture

    class Model(nn.Module):
        def __init__(self, **options: object) -> None:
            super().__init__()
            self.lstm = nn.LSTM(3, 6, **options)  # type: ignore[arg-type]

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.lstm(x)[0][-1].sum()

    for options in ({"proj_size": 4}, {"bias": False}, {"num_layers": 2}, {"bidirectional": True}):
        torch.manual_seed(0)
        trace = capture(Model(**options), torch.randn(5, 1, 3))
        for layer in layers(trace):
            back = cellnumbers.backward(trace, reading(trace, layer.name))
            assert back is None or back.error < 1e-5, options
            for direction in ("forward", "backward"):
                for unit in (None, Focus(layer.name, (2, 3))):
                    moment = timeline(trace).of(layer.name, direction, 3)
                    if moment is not None:
                        picture = picture_of(VIEW, trace, moment, unit, Look())
                        assert not list(faults(picture, 1.0)), (options, moment.address)




def test_the_inspector_writes_the_equations_with_the_numbers_of_the_unit() -> None:
    trace = read("char_lstm")
    assert VIEW.page is not None
    page = VIEW.page(trace, at(trace, "lstm.forward[17]"), Focus("lstm", (16, 87)), Look())
    assert page is not None
    layer = trace["lstm"]
    forget, before, cell = (float(layer.inner[key][step, 87]) for key, step in
                            (("forget", 16), ("cell", 15), ("cell", 16)))
    said = [mark.plain for mark in page if isinstance(mark, Text)]
    assert any(words.startswith("f = σ(") for words in said)
    assert any(f"{forget:.2f} × {before:.2f}".replace("-", "−") in words for words in said)
    assert any(words.endswith(f"= {cell:.2f}".replace("-", "−")) for words in said)
    early = VIEW.page(trace, replace(at(trace, "lstm.forward[17]"), phase=0.3), Focus("lstm", (16, 87)), Look())
    assert early is not None
    assert not [mark for mark in early if isinstance(mark, Text) and mark.plain.startswith("= ")], "not made yet"
    assert VIEW.page(trace, at(trace, "lstm.forward[17]"), Focus("lstm", (16, 87), "inner.forget"), Look()) is None


@pytest.mark.parametrize("model", CELLS)
def test_the_words_of_the_equations_keep_their_room(model: str) -> None:
    assert VIEW.page is not None
    for address in ("forward[17]", "backward[10]"):
        for show in ("unit", "mean"):
            trace = read(model)
            page = VIEW.page(trace, at(trace, f"{CELLS[model]}.{address}"), None, Look(knobs=(("show", show),)))
            assert page is not None
            assert not list(faults(page, 1.0))


@pytest.mark.parametrize("size", [(740, 560), (870, 664), (960, 632), (952, 656), (1104, 796)])
@pytest.mark.parametrize(("model", "address"), [("char_lstm", "lstm.forward[9]"), ("char_gru", "gru.forward[9]"),
                                                ("char_lstm", "lstm.backward[9]"), ("adding_rnn", "rnn.forward[9]")])
def test_names_and_numbers_of_states_and_sums_keep_apart(model: str, address: str, size: tuple[int, int]) -> None:
    """Within a card no two lines touch: a subscript hangs 4 px below its line, a digit is 0.74 of its size tall."""
    picture = drawn(model, address, look=Look(size))
    cards = [mark for mark in picture if isinstance(mark, Rect) and mark.stroke_width == 1.5 and mark.radius == 8]
    assert len(cards) > 2
    for card in cards:
        texts = [mark for mark in picture if isinstance(mark, Text) and card.x < mark.x < card.x + card.width
                 and card.y < mark.y < card.y + card.height]
        for upper, lower in permutations(texts, 2):
            if lower.y - upper.y > 2 and overlap(bounds(upper), bounds(replace(lower, y=upper.y))):
                hangs = 4 if any(run.shift == "sub" for run in upper.runs) else 1
                assert lower.y - 0.74 * lower.size - upper.y >= hangs, (upper.plain, lower.plain)


@pytest.mark.parametrize("size", [(870, 664), (960, 632), (1104, 796)])
@pytest.mark.parametrize("model", ["adding_rnn", "crnn_strip", "rows_lstm", "char_lstm"])
def test_the_step_that_is_read_says_its_word_and_others_by_one_rule(model: str, size: tuple[int, int]) -> None:
    """All words are written, or of numbers that do not fit every fifth."""
    trace = read(model)
    name = layers(trace)[0].name
    picture = drawn(model, f"{name}.forward[18]", look=Look(size))
    tiles = [mark for mark in picture if isinstance(mark, Rect) and mark.focus is not None and mark.y > size[1] * 0.6
             and mark.fill in ("sunk", "accent-fill") and mark.focus.array == "output" and len(mark.focus.cell) == 1
             and mark.height > 20]
    said = {tile.focus.cell[0]: [mark.plain for mark in picture if isinstance(mark, Text) and mark.size <= 13
                                 and tile.x <= mark.x <= tile.x + tile.width and tile.y < mark.y < tile.y + tile.height]
            for tile in tiles if tile.focus is not None}
    assert said[17]
    missing = sorted(step for step, words in said.items() if not words)
    assert all((step + 1) % 5 or abs(step - 17) < 2 for step in missing), missing
    written = [step for step, words in said.items() if words and step != 17]
    assert not missing or all((step + 1) % 5 == 0 for step in written), written


def test_a_number_that_would_be_the_answer_stands_where_the_state_goes() -> None:
    """What a head makes of a state that it never saw: torch's own layer says the same."""
    trace = read("adding_rnn")
    found = [mark for mark in drawn("adding_rnn", "rnn.forward[9]") if isinstance(mark, Text)]
    head = trace["fc"]
    state, weight, bias = (torch.tensor(np.asarray(values)) for values in (
        trace["rnn"].inner["hidden"][8], head.weights["weight"], head.weights["bias"]))
    value = float(nn.functional.linear(state, weight, bias))
    assert f"{value:.2f}".replace("-", "−") in [mark.plain for mark in found if mark.size == 15]
    assert "would say" in [mark.plain for mark in found]
