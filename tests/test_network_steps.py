"""A recurrent layer in the network view: drawn as its step, and the seam between maps and steps. The laws of motion
hold for both; what is printed is computed anew here."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from tests import motion
from tests.networks import NETWORKS
from tests.recorded import recorded
from tests.test_layout import SIZES, faults
from visualizer import capture, record, sight
from visualizer.scene.picture import Flight, Focus, Image, Look, Opens, Picture, Rect, Text
from visualizer.scene.reading import layers
from visualizer.scene.state import State, changed
from visualizer.scene.stepbeat import SLIDE
from visualizer.scene.timeline import Moment, timeline
from visualizer.trace import Layer, Trace
from visualizer.views import diagram, find
from visualizer.views import picture as picture_of
from visualizer.views.network import _seam, _step
from visualizer.views.network._seam.plan import seam_of

VIEW = find("network")
TEXT = "text:wherefore art thou"
STEPS = [("char_lstm", "lstm.forward[9]"), ("char_gru", "gru.forward[9]"), ("char_rnn", "rnn.forward[9]"),
         ("char_lstm", "lstm.backward[9]"), ("surname_gru", "gru.forward[4]"), ("adding_lstm", "lstm.forward[30]"),
         ("rows_lstm", "lstm.forward[12]"), ("rows_lstm", "lstm.backward[12]"), ("sentiment_gru", "gru.forward[3]")]
SEAM = ["flatten.forward", "softmax.forward", "lstm.l0.forward[21]", "lstm.l0.reverse.forward[21]", "pool4.backward"]
ALL = [*STEPS, *(("crnn_strip", address) for address in SEAM)]


def read(model: str) -> Trace:
    return recorded(model, TEXT if model.startswith("char_") else "")


def drawn(trace: Trace, address: str, focus: Focus | None = None, look: Look | None = None) -> Picture:
    return picture_of(VIEW, trace, timeline(trace).find(address), focus, look or Look())


def words(picture: Picture) -> list[str]:
    return [mark.plain for mark in picture if isinstance(mark, Text) and mark.opacity > 0.5]


def number(said: str) -> float:
    return float(said.replace("−", "-"))


# --- the laws ---------------------------------------------------------------------------------------------------------

@pytest.mark.matrix(spine=("char_lstm-lstm.forward[9]", "crnn_strip-flatten.forward"), sample=5, each=False)
@pytest.mark.parametrize(("model", "address"), ALL)
def test_no_mark_jumps_and_reversed_play_is_the_same(model: str, address: str) -> None:
    played = motion.beat(read(model), "network", address)
    motion.the_same_backwards(played, every=17)
    motion.no_jumps(played)


@pytest.mark.matrix(spine=("char_lstm-lstm.forward[9]", "crnn_strip-flatten.forward"), sample=6, each=False)
@pytest.mark.parametrize(("model", "address"), ALL)
def test_what_flies_is_a_number_and_what_is_outlined_is_read(model: str, address: str) -> None:
    played = motion.beat(read(model), "network", address)
    flown = motion.nothing_is_made_up(played, every=3)
    assert flown or address not in ("flatten.forward", "pool4.backward", "lstm.forward[9]", "gru.forward[9]")
    touched = motion.causes_touch_effects(played, every=3)
    assert touched or ".forward[9]" not in address


@pytest.mark.matrix(spine=("char_lstm-lstm.forward[9]",), sample=4, each=False)
@pytest.mark.parametrize(("model", "address"), [pair for pair in STEPS if "forward" in pair[1]])
def test_no_number_of_a_step_to_come_is_seen(model: str, address: str) -> None:
    """Gates, states and answers of later steps, and of this one before they are computed, may be any numbers: the
    picture is the same."""
    trace = read(model)
    moment = timeline(trace).find(address)
    for phase in (0.0, SLIDE, SLIDE + 0.05, 0.5):
        step = moment.beat.step - 1 + (phase > 0.45)  # the gates of this step are there then
        other = _with_another_future(trace, moment.beat.layer, step)
        one, two = (picture_of(VIEW, which, replace(moment, phase=phase), Focus(moment.beat.layer, (0, 3)), Look())
                    for which in (trace, other))
        early = [pair for pair in zip(_seen(one), _seen(two), strict=True) if pair[0] != pair[1]]
        if phase > 0.45:  # a sum of old and new states is being made just then
            early = [pair for pair in early if "Image" not in pair[0] and not pair[0].startswith("image")]
        assert not early, (phase, early[:2])


def _with_another_future(trace: Trace, name: str, first: int) -> Trace:
    """The recording with other numbers at all steps from one on; the largest stay, so that the scales do."""
    order = [layer.name for layer in trace.layers]

    def later(layer: Layer) -> Layer:
        if order.index(layer.name) < order.index(name) or layer.axes[:1] != ("step",):
            return layer
        kept = np.arange(layer.shape[0]) < first
        kept[-1] = True  # what a network would say is known by what it said in the end
        inner = {key: motion.other_numbers(values, kept[:, None]) for key, values in layer.inner.items()}
        output = motion.other_numbers(layer.output, kept.reshape(-1, *[1] * (layer.output.ndim - 1)))
        return replace(layer, output=output, inner=inner)

    return replace(trace, layers=tuple(map(later, trace.layers)))


def _seen(picture: Picture) -> list[str]:
    return replace(picture, table=Picture((1, 1), ()).table).dump().splitlines()


@pytest.mark.parametrize(("model", "address"), [("char_lstm", "lstm.forward[9]"), ("char_lstm", "lstm.backward[9]"),
                                                ("crnn_strip", "lstm.l0.forward[21]")])
def test_a_step_begins_where_the_one_before_ended(model: str, address: str) -> None:
    trace = read(model)
    moment = timeline(trace).find(address)
    ends = [picture_of(VIEW, trace, one, None, Look())
            for one in (timeline(trace).settled(moment.index - 1), replace(moment, phase=0.0))]
    assert ends[0].caption == ends[1].caption or model == "crnn_strip"
    heat = [sorted((mark.x, mark.y, mark.values.tobytes()) for mark in end if isinstance(mark, Image)
                   and mark.palette in ("activation", "gradient") and mark.opacity == 1) for end in ends]
    assert set(heat[0]) <= set(heat[1]) or set(heat[1]) >= set(heat[0])


@pytest.mark.parametrize("address", ["lstm.forward[1]", "fc.forward", "lstm.backward[18]"])
def test_the_picture_of_a_step_and_that_of_the_columns_cross_over(address: str) -> None:
    trace = read("char_lstm")
    moment = timeline(trace).find(address)
    before = timeline(trace).settled(moment.index - 1)
    start, half = (picture_of(VIEW, trace, replace(moment, phase=phase), None, Look()) for phase in (0.0, 0.06))
    end = picture_of(VIEW, trace, before, None, Look())
    assert sorted(words(start)) == sorted(words(end))
    assert any(0 < mark.opacity < 1 for mark in half)


@pytest.mark.parametrize(("model", "address"), [("char_lstm", "lstm.forward[9]"), ("crnn_strip", "flatten.forward")])
def test_with_reduced_motion_states_fade_into_each_other_and_nothing_travels(model: str, address: str) -> None:
    """Where nothing fades nothing is on its way either."""
    played = motion.beat(read(model), "network", address, look=Look(reduced_motion=True))
    for picture in played.pictures(5):
        flown = [mark.holds for mark in picture if not isinstance(mark, Text) and isinstance(mark.holds, Flight)
                 and mark.opacity == 1]
        assert all(min(flight.share, 1 - flight.share) < 1e-6 for flight in flown)


# --- a step -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("model", ["char_lstm", "char_gru"])
def test_the_row_of_numbers_reads_as_the_equation(model: str) -> None:
    """c₋ × f + i × g = c, and h₋ × z + (1 − z) × n = h, as printed."""
    trace, name = read(model), model.removeprefix("char_")
    least = np.min([np.abs(values[8]) for values in trace[name].inner.values()], axis=0)
    unit = int(np.argmax(np.minimum(least, np.abs(trace[name].output[7]))))  # none of its numbers rounds to nothing
    picture = drawn(trace, f"{name}.forward[9]", Focus(name, (8, unit)))
    row = {}
    for mark in picture:
        if isinstance(mark, Text) and re.fullmatch(r"−?\d+\.\d\d", mark.plain) and mark.anchor == "middle" and \
                mark.group is not None and mark.group.name.startswith(f"unit {unit} "):
            row[mark.x] = number(mark.plain)
    said = [row[x] for x in sorted(row)]
    if name == "lstm":
        before, memory, keeps, lets, new, after, shows, state = said
        assert abs(memory * keeps + lets * new - after) < 0.03
        assert abs(shows * math.tanh(after) - state) < 0.02
    else:
        reset, before, keeps, new, state = said
        assert abs(before * keeps + (1 - keeps) * new - state) < 0.02
        assert 0 <= reset <= 1
    assert abs(state - float(trace[name].output[8, unit])) < 0.006
    assert abs(before - float(trace[name].output[7, unit])) < 0.006


def test_surprise_is_the_negative_logarithm_of_what_came() -> None:
    trace = read("char_lstm")
    picture = drawn(trace, "lstm.forward[9]")
    chances = np.asarray(trace["softmax"].output, np.float64)
    labels, symbols = trace.labels, trace.sample.steps
    wanted = [f"{-math.log2(chances[step][labels.index(symbols[step + 1])]):.1f}" for step in range(8)]
    lowest = max(mark.y for mark in picture if isinstance(mark, Text) and mark.plain == "surprise, bits")
    said = [mark.plain for mark in sorted((mark for mark in picture if isinstance(mark, Text)), key=lambda m: m.x)
            if abs(mark.y - lowest) < 4 and re.fullmatch(r"\d+\.\d", mark.plain)]
    assert said == wanted, "one for each symbol whose next one has been read, and none for the one that is to come"


@pytest.mark.parametrize("model", ["char_lstm", "char_gru", "char_rnn"])
def test_what_a_hop_keeps_is_measured(model: str) -> None:
    trace, name = read(model), model.removeprefix("char_")
    layer = trace[name]
    picture = drawn(trace, f"{name}.backward[9]")
    total, own = (np.asarray(layer.inner_gradients[key], np.float64) for key in ("hidden", "hidden_direct"))
    through = np.linalg.norm(total[7] - own[7]) / np.linalg.norm(total[8])
    assert any(f"state × {through:.2f}" in said for said in words(picture))
    if name == "lstm":
        memory = np.asarray(layer.inner_gradients["cell"][8], np.float64)
        kept = np.linalg.norm(np.asarray(layer.inner["forget"][8], np.float64) * memory) / np.linalg.norm(memory)
        assert any(f"memory × {kept:.2f}" in said for said in words(picture))


def test_the_whole_matrix_is_never_veiled_and_columns_lead_into_gates() -> None:
    trace = read("char_lstm")
    picture = drawn(trace, "lstm.forward[9]")
    assert not [mark for mark in picture if isinstance(mark, Image) and mark.hatched is not None]
    found = {mark.focus.array for mark in picture if isinstance(mark, Image) and mark.focus is not None
             and mark.focus.layer == "lstm"}
    assert {"output", *(f"inner.{key}" for key in ("forget", "input", "candidate", "output_gate", "cell"))} <= found
    x, y = next((mark.x, mark.y) for mark in picture if isinstance(mark, Image) and mark.focus is not None
                and mark.focus.array == "inner.forget" and mark.opacity == 0)
    pressed = picture.mark_at(x + 3, y + 3)
    assert pressed is not None
    assert pressed[1] == Focus("lstm", (8, 0), "inner.forget")
    assert {mark.holds.view for mark in picture if isinstance(mark, Rect) and isinstance(mark.holds, Opens)} == \
        {"diagram"}


@pytest.mark.parametrize("model", [model for model, _ in dict(STEPS).items()])
def test_every_step_of_every_network_is_drawn_as_its_step(model: str) -> None:
    trace = read(model)
    steps = [beat for beat in timeline(trace).beats if beat.step is not None]
    assert steps
    for beat in (steps[0], steps[len(steps) // 2], steps[-1]):
        assert _step.shown_at(trace, Moment(beat))


def test_a_text_that_is_read_to_its_end_is_what_opens() -> None:
    for model, telling in (("char_lstm", "lstm.forward[18]"), ("surname_gru", "softmax.forward"),
                           ("crnn_strip", "softmax.forward")):
        trace = read(model)
        place = changed(State(), view="network")
        assert sight.times(trace, place).telling.address == telling


class Reader(nn.Module):
    def __init__(self, cell: type[nn.RNNBase], units: int, both: bool) -> None:
        super().__init__()
        self.rnn = cell(3, units, 1 + both, batch_first=True, bidirectional=both)
        self.fc = nn.Linear(units * (1 + both), 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.fc(self.rnn(x)[0][:, -1])
        return answer


@pytest.mark.parametrize("size", ["1366x768", "projector"])
@pytest.mark.parametrize(("cell", "units", "steps", "both"), [
    (nn.LSTM, 1500, 3, False), (nn.GRU, 700, 3, False), (nn.LSTM, 6, 5, True), (nn.RNN, 1, 1, False),
    (nn.GRU, 12, 1000, False)])
def test_any_number_of_units_steps_and_directions_has_room(cell: type[nn.RNNBase], units: int, steps: int, both: bool,
                                                           size: str) -> None:
    torch.manual_seed(0)
    trace = record.capture(Reader(cell, units, both), torch.randn(1, steps, 3), target=1)
    beats = [index for index, beat in enumerate(timeline(trace).beats) if beat.step is not None]
    for index in (beats[0], beats[len(beats) // 4], beats[-1]):
        for phase in (0.4, 1.0):
            moment = replace(timeline(trace).settled(index), phase=phase)
            picture = picture_of(VIEW, trace, moment, None, SIZES[size])
            assert not (found := list(faults(picture, SIZES[size].text_scale))), (moment.address, found[:2])
            assert sum(1 for _ in picture) < 500


# --- the seam ---------------------------------------------------------------------------------------------------------

def test_a_seam_is_recognised_by_what_becomes_of_columns() -> None:
    trace = recorded("crnn_strip")
    seam = seam_of(trace)
    assert seam is not None
    assert (seam.maps, seam.chain, seam.count) == ("pool4", ("flatten", "transpose"), 40)
    assert seam.lanes == ("lstm.l0", "lstm.l0.reverse")
    maps, steps = trace[seam.maps].output, trace[seam.steps_layer].output
    for step in range(seam.count):
        assert (steps[step] == maps[:, :, step].ravel()).all(), "packets stack up in the order of the channels"
    for model in ("rows_lstm", "char_lstm", "digits_cnn"):
        assert seam_of(recorded(model)) is None


def test_columns_that_have_left_are_faint_and_steps_come_from_left_to_right() -> None:
    played = motion.beat(recorded("crnn_strip"), "network", "flatten.forward")

    def lifted(picture: Picture) -> float:
        return sum(mark.values.shape[2] for mark in picture if isinstance(mark, Image) and mark.transposed
                   and mark.focus == Focus("transpose") and mark.opacity == 1) / 40

    shares = [lifted(picture) for picture in played.pictures(3)]
    assert all(after >= before for before, after in pairwise(shares))
    assert (shares[0], shares[-1]) == (0, 1)
    last = list(played.pictures(1000))[-1]
    assert {mark.opacity for mark in last if isinstance(mark, Image) and mark.focus == Focus("pool4")} == {0.38}


def test_the_leftward_lane_waits_and_answers_wait_for_both() -> None:
    trace = recorded("crnn_strip")

    def hatched(address: str) -> tuple[int, int]:
        picture = drawn(trace, address)
        tiles = [mark for mark in picture if isinstance(mark, Rect) and mark.fill == "hatch"
                 and mark.focus is not None and mark.focus.layer == "softmax"]
        states = sum(mark.values.shape[2] for mark in picture if isinstance(mark, Image) and mark.focus is None
                     and mark.palette == "activation" and mark.values.shape[2] <= 40 and mark.values.shape[1] > 8)
        return len(tiles), states

    assert hatched("lstm.l0.forward[21]") == (40, 21)
    assert hatched("lstm.l0.forward[40]") == (40, 40)
    assert hatched("lstm.l0.reverse.forward[31]") == (40, 50)
    assert hatched("softmax.forward") == (0, 80)
    half = drawn(trace, "softmax.forward@0.8")
    waiting = [mark.focus.cell[0] for mark in half if isinstance(mark, Rect) and mark.fill == "hatch"
               and mark.focus is not None and mark.focus.layer == "softmax"]
    assert waiting == list(range(waiting[0], 40))


def test_packets_carry_the_strongest_of_their_numbers() -> None:
    trace = recorded("crnn_strip")
    flights = [mark.holds for picture in motion.beat(trace, "network", "flatten.forward").pictures(4)
               for mark in picture if isinstance(mark, Rect) and isinstance(mark.holds, Flight)]
    assert len({flight.source.cell[0] // 8 for flight in flights}) == 4
    assert {flight.source.cell[-1] for flight in flights} == {0, 1, 2}


def test_both_have_their_own_pictures_only_where_they_belong() -> None:
    for model in ("digits_cnn", "mlp_mnist"):
        trace = recorded(model)
        assert not layers(trace)
        for beat in timeline(trace).beats:
            assert not _seam.shown_at(trace, Moment(beat))
            assert not _step.shown_at(trace, Moment(beat))


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("unit", [1, 5])
def test_no_number_of_a_projected_state_stands_for_a_unit_of_the_gates(unit: int) -> None:
    made, x, target = NETWORKS["lstm_projection"]()
    trace = capture(made, x, target)
    layer, look = trace["recurrent"], Look()
    gate = Focus("recurrent", (3, unit), "inner.forget")
    scene = _step.scene(trace, timeline(trace).find("recurrent.forward[4]"), gate, look)
    own = layer.inner["output_gate"][3, unit] * np.tanh(layer.inner["cell"][3, unit].astype(np.float64))
    picture = drawn(trace, "recurrent.forward[4]", gate)
    assert f"Unit {unit} shows" in picture.caption
    assert picture.caption.endswith(" before the projection.")
    assert number(picture.caption.split(": ")[1].split()[0]) == pytest.approx(own, abs=0.005)
    outlined = {mark.focus.array for mark in picture if isinstance(mark, Rect) and mark.focus is not None
                and mark.stroke == "ink" and len(mark.focus.cell) == 2}
    assert outlined == {"inner.cell", *(f"inner.{name}" for name in ("forget", "input", "candidate", "output_gate"))}
    assert len([mark for mark in picture if isinstance(mark, Text) and mark.y == scene.plan.numbers
                and re.fullmatch(r"[−0-9.]+", mark.plain)]) == 6  # all columns but the two of the state
    back = drawn(trace, "recurrent.backward[4]", gate)
    printed = [mark.plain for mark in back if isinstance(mark, Text) and mark.y == scene.plan.numbers]
    state = np.linalg.norm(layer.inner_gradients["hidden"][3].astype(np.float64))
    assert number(printed[-1]) == pytest.approx(state, rel=0.005)
    assert "projected to 3" in " ".join(words(picture))


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("view", [_step, diagram])
def test_a_number_of_a_projected_state_chooses_no_unit(view) -> None:
    made, x, target = NETWORKS["lstm_projection"]()
    trace = capture(made, x, target)
    at = timeline(trace).find("recurrent.forward[4]")
    told = view.draw(trace, at, None, Look()).caption
    for number_of_it in (0, 1, 2):
        assert view.draw(trace, at, Focus("recurrent", (3, number_of_it)), Look()).caption == told
    spread = np.std(trace["recurrent"].inner["output_gate"] * np.tanh(trace["recurrent"].inner["cell"]), axis=0)
    assert f"nit {int(np.argmax(spread))} " in told
