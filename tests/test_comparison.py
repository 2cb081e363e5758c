"""Compare: what the networks of a comparison have in common, what it says of them, and that every number is theirs."""

import math
from functools import cache

import numpy as np
import pytest
import torch

import visualizer
from tests.quantities import read
from tests.quantities import worked_out as expected
from tests.test_sentences import unclaimed
from visualizer import comparison, kinds
from visualizer.comparison import Reader, path
from visualizer.comparison import reader as of
from visualizer.comparison import table as tables
from visualizer.comparison.frame import frame
from visualizer.costs import Measured, from_plain
from visualizer.kinds import waiting
from visualizer.kinds.jacobian import recalls
from visualizer.record import record
from visualizer.record.catalog import open_model
from visualizer.record.costs import finished, measured
from visualizer.said import Said, listening
from visualizer.scene import projector
from visualizer.scene.picture import BEAT, Image, Look, Rect, Text
from visualizer.scene.timeline import BACKWARD, FORWARD
from visualizer.trace import Refused, Trace, forget

THREE = ("digits_cnn", "rows_lstm", "mlp_mnist")


@cache
def trace_of(model: str, sample: str = "", edits: tuple[str, ...] = ()) -> Trace:
    return record(model, sample, edits=edits)


def readers_of(*models: str, edits: tuple[str, ...] = (), sample: str = "") -> tuple[Reader, ...]:
    return tuple(Reader(trace_of(model, sample, edits), trace_of(model, sample) if edits else None, None, "", edits)
                 for model in models)


def at(readers: tuple[Reader, ...], share: float, direction: str = FORWARD, look: Look | None = None):
    return comparison.seen(readers, 0, path.at_share(readers[0].trace, direction, share), look or Look((1568, 796)))


# --- the way ---------------------------------------------------------------------------------------------------------

def test_the_way_of_a_network_is_what_it_computes() -> None:
    counted = {model: len(path.way(trace_of(model), FORWARD)) for model in (*THREE, "lenet_mnist")}
    assert counted == {"digits_cnn": 9, "rows_lstm": 29, "mlp_mnist": 5, "lenet_mnist": 11}, \
        "no flattening, no picking, no shares at the end; a recurrent layer once a step"
    assert {model: waiting.waits(trace_of(model)) for model in counted} == counted


def test_a_recurrent_layer_above_another_follows_one_step_behind() -> None:
    module = torch.nn.GRU(3, 4, num_layers=3, batch_first=True)
    assert waiting.waits(visualizer.capture(module, torch.randn(1, 7, 3))) == 7 + 2


def test_what_reads_both_ways_waits_for_the_longer_one() -> None:
    module = torch.nn.LSTM(3, 4, bidirectional=True, batch_first=True)
    assert waiting.waits(visualizer.capture(module, torch.randn(1, 7, 3))) == 7


@pytest.mark.parametrize("direction", [FORWARD, BACKWARD])
@pytest.mark.parametrize("share", [0.0, 0.2, 0.55, 0.99, 1.0])
def test_a_share_and_its_moment_are_the_same(direction: str, share: float) -> None:
    for model in THREE:
        trace = trace_of(model)
        assert path.share_of(trace, path.at_share(trace, direction, share)) == pytest.approx(share, abs=1e-9)


def test_all_ways_take_equally_long_and_a_second_is_one_share_for_all() -> None:
    traces = [trace_of(model) for model in THREE]
    clocks = [path.times(traces, active) for active in range(3)]
    assert len({clock.seconds for clock in clocks}) == 1
    for second in (0.5, 3, 4.9):
        shares = [path.share_of(trace, clock.at(second)) for trace, clock in zip(traces, clocks, strict=True)]
        assert shares == pytest.approx([float(second / (clocks[0].seconds / 2))] * 3, abs=1e-6)


def test_by_beat_and_by_step() -> None:
    traces = [trace_of(model) for model in ("rows_lstm", "digits_cnn", "rows_rnn")]
    moment = path.at_beat(traces[0], FORWARD, 4.0)
    by_beat = path.joined(traces, 0, moment, path.BEAT)
    assert [path.way(trace, FORWARD).done(each) for trace, each in zip(traces, by_beat, strict=True)] == [4.0] * 3
    by_step = path.joined(traces, 0, moment, path.STEP)
    assert by_step[2].beat.step == moment.beat.step == 4
    assert path.share_of(traces[1], by_step[1]) == pytest.approx(4 / 29), "what has no steps keeps its share"


# --- what it says ----------------------------------------------------------------------------------------------------

def worked_out(readers: tuple[Reader, ...], share: float, claim: Said) -> float | str:
    """What a number of a comparison should be, from the recordings and the networks themselves."""
    number, _, layer = claim.layer.partition(":")
    reader, plain = readers[int(number) - 1], claim._replace(layer=layer)
    trace, before = reader.trace, reader.before
    if claim.quantity == "value before":
        assert before is not None
        return float(before[layer].output[claim.cell])
    if claim.quantity == "change":
        assert before is not None
        one, other = (np.float64(each[layer].output) for each in (trace, before))
        steps = claim.cell[0] if trace[layer].inner else len(one)
        return float(np.sqrt(((one - other)[:steps] ** 2).sum() / (other[:steps] ** 2).sum()))
    if claim.quantity == "share so far":
        last = trace["fc"]
        scores = np.float64(trace["lstm"].output[claim.step]) @ last.weights["weight"].T + last.weights["bias"]
        return float(np.exp(scores[claim.cell[0]]) / np.exp(scores).sum())
    if claim.quantity == "recalled share":
        sizes = recalls(trace[layer], trace.inputs(trace[layer]), claim.cell[1])
        return float(sizes[0] / sizes[claim.cell[1]])
    counted = {"parameters": lambda: sum(each.numel() for each in open_model(trace.model).module.parameters()),
               "multiply-adds": lambda: {"digits_cnn": 232128, "rows_lstm": 660096, "mlp_mnist": 109184}[trace.model],
               "steps that must wait": lambda: {"digits_cnn": 9, "rows_lstm": 29, "mlp_mnist": 5}[trace.model],
               "beats of the way": lambda: {"digits_cnn": 9, "rows_lstm": 29, "mlp_mnist": 5}[trace.model],
               "beats done": lambda: int(share * {"digits_cnn": 9, "rows_lstm": 29, "mlp_mnist": 5}[trace.model]),
               "kilobytes kept": lambda: sum(array.size * 4 for each in trace.layers[1:]
                                             for array in {id(a): a for a in (each.output, *each.inner.values())
                                                           }.values()) / 1024,
               "places of a map": lambda: np.prod(trace[layer].shape[1:]),
               "half-life": lambda: decayed(trace)}
    if claim.quantity in counted:
        return float(counted[claim.quantity]())
    return expected(trace, plain)


def decayed(trace: Trace) -> float:
    """The half-life of the line through the logarithms of the gradients, lags 5 and on."""
    sizes = np.sqrt((np.float64(trace["lstm"].inner_gradients["hidden"]) ** 2).sum(axis=1))[::-1]
    return float(np.log(0.5) / np.polyfit(np.arange(5, 28), np.log(sizes[5:]), 1)[0])


@pytest.mark.parametrize("share", [0.55, 1.0])
@pytest.mark.parametrize("edits", [(), ("shift:4,4",)])
def test_every_number_is_true_and_none_is_bare(share: float, edits: tuple[str, ...]) -> None:
    readers = readers_of(*THREE, edits=edits, sample="digit-11")
    for reader in readers:
        forget(reader.trace)  # what is kept would not be said again
    with listening(placing=True) as heard:
        picture = at(readers, share)
    assert len(heard) >= 25
    for claim in heard:
        right = worked_out(readers, share, claim)
        if isinstance(right, str):
            assert right == claim.text, claim
            continue
        number, half = read(claim.text)
        assert abs(right - number) <= half * 1.001 + 2e-6 * abs(right), (claim, right)
    named = {reader.name for reader in comparison.named(readers)} | {str(digit) for digit in range(10)}
    told = ["".join(run.text for run in mark.runs if not run.mono) for mark in picture if isinstance(mark, Text)
            and not mark.mono and mark.size >= 12 and mark.plain not in named]
    bare = unclaimed(readers[1].trace, told, heard)
    assert not [words for words in bare if not words.startswith(("Shifted", "Digit 11", ", shifted"))], bare


def test_what_is_not_answered_yet_is_nowhere() -> None:
    readers = readers_of(*THREE)
    early, late = at(readers, 0.5), at(readers, 1.0)
    assert "says" not in early.caption
    assert late.caption.count("says") == 3
    filled = [mark for mark in early.moving if isinstance(mark, Rect) and mark.fill == "accent-fill"]
    assert not filled, "a bar of an answer is solid only when it is given"


def test_so_far_is_what_the_network_says_of_its_rows_so_far() -> None:
    trace = trace_of("rows_lstm")
    found = of.guesses(trace)
    assert found is not None
    opened = open_model("rows_lstm")
    pixels = torch.tensor(np.array(trace.layers[0].output))[None]
    with torch.no_grad():
        for step in (1, 9, 28):
            own = opened.module(pixels[:, :, :step]).softmax(-1)[0].numpy()
            assert np.allclose(found[step - 1], own, atol=1e-5)


@pytest.mark.parametrize("model", ["rows_lstm", "rows_gru", "rows_rnn"])
def test_what_a_state_recalls_is_what_torch_differentiates(model: str) -> None:
    layer = next(layer for layer in trace_of(model) if layer.inner)
    given = torch.tensor(np.float64(trace_of(model)[layer.reads[0]].output))
    kind = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}.get(layer.kind, torch.nn.RNN)
    module = kind(given.shape[1], layer.shape[1]).double()
    with torch.no_grad():
        for name, value in layer.weights.items():
            getattr(module, f"{name}_l0").copy_(torch.tensor(np.array(value)))
    jacobian = torch.autograd.functional.jacobian(lambda x: module(x[:, None])[0][15, 0], given)
    assert np.allclose(recalls(layer, trace_of(model).inputs(layer), 15), jacobian.pow(2).sum((0, 2)).sqrt(), rtol=1e-5)


def test_multiply_adds_are_half_of_what_torch_counts() -> None:
    from torch.utils.flop_counter import FlopCounterMode

    for model in ("digits_cnn", "mlp_mnist"):
        trace, opened = trace_of(model), open_model(model)
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            opened.module(torch.tensor(np.array(trace.layers[0].output))[None])
        assert kinds.macs(trace) == counter.get_total_flops() / 2
    hidden, read_by, steps = 64, 28, 28
    assert kinds.macs(trace_of("rows_lstm")) == steps * 4 * hidden * (hidden + read_by) + hidden * 10


def test_the_difference_is_the_one_less_the_other() -> None:
    readers = (*readers_of("mlp_mnist"), Reader(trace_of("mlp_mnist", "digit-11")))
    assert of.alike(readers)
    assert not of.one_input(readers)
    moments = [path.at_share(reader.trace, FORWARD, 0.4) for reader in readers]
    picture = comparison.picture(readers, moments, Look((1568, 796)))
    scale = next(mark.scale for mark in picture if isinstance(mark, Image) and mark.focus is None and mark.scale
                 and mark.palette == "activation")
    one, other = (np.float64(reader.trace["relu1"].output) for reader in readers)
    assert scale.high == pytest.approx(np.abs(other - one).max())


# --- what is measured ------------------------------------------------------------------------------------------------

def test_right_answers_are_counted_and_times_taken_in_turn() -> None:
    opened = [open_model(model) for model in ("mlp_mnist", "digits_cnn")]
    found = finished(measured(opened, ""))
    assert [each.of for each in found] == [400, 400]
    from visualizer import inputs
    words = inputs.samples("image").words[:60]
    asked = [record(opened[0], word, objective="none") for word in words]
    right = [int(np.argmax(trace.answer.output)) == trace.sample.label for trace in asked if trace.answer is not None]
    assert abs(np.mean(right) - found[0].accuracy) < 0.1
    assert found[0].right > 380
    assert all(each.milliseconds > 0 and each.runs >= 6 and "torch" in each.where for each in found)
    assert from_plain(found[0].plain()) == found[0]
    assert found[0].error == pytest.approx(math.sqrt(found[0].accuracy * (1 - found[0].accuracy) / 400))


def test_the_table_says_what_is_measured_and_nothing_else() -> None:
    readers = readers_of(*THREE)
    plain = tables.table(readers)
    assert all(row[plain.columns.index("accuracy")] == "" for row in plain.rows)
    known = tables.table((Reader(readers[0].trace, measured=Measured(1.5, 10, "torch", 390, 400)), readers[1]))
    assert known.rows[0][known.columns.index("accuracy")] == 0.975


# --- how it looks ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("look", [Look((1568, 796)), Look((1310, 660)), Look((960, 664)),
                                  projector.look_for(Look(), (1920, 1080)),
                                  Look((1568, 796), language="de")], ids=str)
def test_no_words_lie_over_each_other_and_nothing_leaves_the_picture(look: Look) -> None:
    readers = readers_of(*THREE, edits=("shift:4,4",), sample="digit-11")
    for share in (0.0, 0.55, 1.0):
        picture = at(readers, share, look=look)
        boxes = [(*_bounds(mark), mark.plain) for mark in picture if isinstance(mark, Text) and mark.plain.strip()]
        for index, one in enumerate(boxes):
            assert one[0] >= -1, one
            assert one[2] <= look.size[0] + 1, one
            assert one[3] <= look.size[1] + 1, one
            for other in boxes[index + 1:]:
                across = min(one[2], other[2]) - max(one[0], other[0])
                down = min(one[3], other[3]) - max(one[1], other[1])
                assert across <= 2 or down <= 2, (one, other)


def _bounds(mark: Text) -> tuple[float, float, float, float]:
    from visualizer.scene.figures import _box

    return _box(mark)


def test_what_stands_still_is_the_very_same_while_it_plays() -> None:
    readers = readers_of(*THREE)
    assert at(readers, 0.3).still is at(readers, 0.31).still


def test_one_alone_and_a_pixel_in_all_of_them() -> None:
    readers = readers_of(*THREE)
    look = Look((1568, 796))
    assert [place.index for place in frame(comparison.named(readers), look, alone=2).places] == [1]
    moment = path.at_share(readers[0].trace, FORWARD, 4 / 9)
    plain = comparison.seen(readers, 0, moment, look)
    pointed = comparison.seen(readers, 0, moment, look, pointed=comparison.Pointed((12, 14)))
    assert len(pointed.moving) > len(plain.moving) + 2


def test_a_step_that_is_pointed_at_is_found_in_the_input_and_in_the_other_state() -> None:
    readers = readers_of("rows_lstm", "rows_rnn", "mlp_mnist")
    look, moment = Look((1568, 796)), path.at_share(readers[0].trace, FORWARD, 0.8)
    plain = comparison.seen(readers, 0, moment, look)
    pointed = comparison.seen(readers, 0, moment, look, pointed=comparison.Pointed((5, 3), 0))
    added = [mark for mark in pointed.moving[len(plain.moving):] if isinstance(mark, Rect)]
    assert len(added) == 3
    placed = comparison.layout(readers, look)
    rows = [(placed.input.top, placed.input.width / 28),
            *((place.picture.top, place.picture.height / 28) for place in placed.places[:2])]
    heights = [(mark.y + 1 - top) / high for mark, (top, high) in zip(added, rows, strict=True)]
    assert heights[1:] == pytest.approx([5, 5])
    assert 4.4 < heights[0] < 5.1, "pixels of the input are whole pixels of the screen"


def test_several_edits_of_one_network_have_names_of_their_own() -> None:
    found = comparison.read(["mlp_mnist", "mlp_mnist+shift=2,0", "mlp_mnist+unit_off:fc1:3"], measure=False)
    names = [reader.name for reader in comparison.named(found)]
    assert len(set(names)) == 3
    assert "shifted by +2" in names[1]
    assert [reader.before is None for reader in found] == [True, False, True]
    assert not of.one_input(found)
    with pytest.raises(LookupError, match="no edit"):
        comparison.read(["mlp_mnist", "mlp_mnist+shove=2"], measure=False)


def test_the_lanes_are_to_be_dragged() -> None:
    picture = at(readers_of(*THREE), 0.4)
    assert any(mark.focus is not None and mark.focus.array == BEAT for mark in picture.still)


# --- from Python -----------------------------------------------------------------------------------------------------

def test_from_python() -> None:
    picture = visualizer.compare("mlp_mnist", "rows_rnn", input="digit-11", what_if="shift:2,0", measure=False)
    assert "Shifted by +2" in picture.caption
    assert len(picture.table.rows) == 2
    with pytest.raises(Refused, match="Who can: MLP"):
        visualizer.compare("mlp_mnist", "char_lstm", measure=False)
    with pytest.raises(Refused, match="Two to four"):
        visualizer.compare("mlp_mnist", measure=False)
    with pytest.raises(Refused, match="inputs for"):
        visualizer.compare("mlp_mnist", "rows_rnn", "digits_cnn", input=("digit-11", "digit-3"), measure=False)


def test_before_training_beside_after() -> None:
    found = comparison.read(["before:mlp_mnist", "mlp_mnist"], measure=False)
    assert of.alike(found)
    assert found[0].trace.digest != found[1].trace.digest
    names = [reader.name for reader in comparison.named(found)]
    assert len(set(names)) == 2

