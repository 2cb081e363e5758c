"""Recurrent layers in every wiring: each line of each view is torch's equation with its numbers, and adds up."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import visualizer
from tests import wirings
from tests.wirings import Wiring, derived
from visualizer.scene import numbers
from visualizer.scene.cellnumbers import backward, forward
from visualizer.scene.picture import Focus, Look, Text
from visualizer.scene.reading import bounded, layers, opened, reading, tabs, top_of
from visualizer.scene.timeline import timeline
from visualizer.trace import Refused, Trace
from visualizer.views import find, picture
from visualizer.views.unrolled._columns import top_of_states

pytestmark = pytest.mark.filterwarnings("ignore:LSTM with projections")
ALL = tuple(wirings.every())
WRONG_BEFORE = ("lstm-2-both-batch_first-zero", "lstm-projected-time_first-read", "gru-unbatched-learned",
                "rnn-2-unbatched-read-cells", "lstm-2-time_first-read-no_bias-cells", "gru-2-both-time_first-read")
"""Of the settings that were drawn wrong or not at all one each."""
VIEWS = ("unrolled", "cell", "diagram", "gates", "hidden_state", "trajectory", "connectivity", "gradient_flow", "bptt",
         "walk", "network")
CLOSE = 2e-6
some = pytest.mark.matrix(spine=WRONG_BEFORE, sample=8, each=False)
each = pytest.mark.parametrize("one", ALL, ids=str)


def recorded(one: Wiring) -> tuple[Trace, list[dict[str, wirings.Values]]]:
    model, inputs = one.make()
    trace = visualizer.capture(model, inputs if len(inputs) > 1 else inputs[0], target=1)
    return trace, derived(one, model, inputs)


@some
@each
def test_every_line_is_torchs_equation_and_adds_up(one: Wiring) -> None:
    trace, right = recorded(one)
    found = layers(trace)
    assert len(found) == len(right)
    for layer, known in zip(found, right, strict=True):
        shown = reading(trace, layer.name)
        numbers = forward(trace, shown).arrays
        for key, values in known.items():
            assert np.abs(numbers[key] - values).max() < CLOSE, (layer.name, key)
        for step in range(shown.steps):
            for key, _ in tabs(shown):
                lines_add_up(trace, shown, key, step, known)
        assert np.abs(shown.start - known["hidden_before"][-1 if shown.reverse else 0]).max() < CLOSE


def lines_add_up(trace, shown, key, step, known) -> None:
    *lines, result = [row.values for row in opened(trace, shown, key, step)]
    assert np.abs(result - known[key][step]).max() < CLOSE, (key, step)
    if f"{key}.read" in known:
        parts = [known[f"{key}.{part}"][step] for part in ("read", "state", "bias")]
        if key == "new":
            parts = [parts[0] + parts[2], parts[1]]
        for line, part in zip(lines, parts, strict=False):
            assert np.abs(line - part).max() < CLOSE, (key, step)
        if len(lines) > len(parts):
            assert np.abs(lines[-1] - sum(lines[:-1])).max() < CLOSE, (key, step)
        total = lines[-1] if len(lines) > len(parts) else sum(lines)
        made = total if key == "preactivation" else np.tanh(total) if key in ("candidate", "new") else \
            1 / (1 + np.exp(-total))
    elif shown.family.name == "rnn":
        made = np.tanh(lines[0])
    elif shown.family.name == "gru" or key == "cell":
        made = lines[0] + lines[1]
    else:
        made = lines[0] * lines[1]
        if shown.projected:
            assert np.abs(made - lines[2]).max() < CLOSE
            made = np.asarray(shown.layer.weights["weight_hr"], np.float64) @ lines[2]
    assert np.abs(made - result).max() < CLOSE, (key, step)


@some
@each
def test_what_goes_back_adds_up_and_the_check_passes(one: Wiring) -> None:
    trace, _ = recorded(one)
    report = trace.check()
    assert report.passed, report.worst
    assert not report.unverified
    for layer in layers(trace):
        back = backward(trace, reading(trace, layer.name))
        assert back is not None
        assert back.error < 1e-5


@pytest.mark.matrix(spine=WRONG_BEFORE, sample=6, each=False)
@pytest.mark.parametrize("one", [one for one in ALL if one.bias and one.state != "learned"], ids=str)
def test_every_view_draws_it(one: Wiring) -> None:
    trace, _ = recorded(one)
    times = timeline(trace)
    moments = {times.find(f"{layer.name}.{way}[{step}]").index for layer in layers(trace)
               for way in ("forward", "backward") for step in (1, 3)} | {0, len(times.beats) - 1}
    for name in VIEWS:
        view = find(name)
        assert view.suits(trace) or (name == "gates" and one.kind == "rnn"), name
        for index in sorted(moments) if view.suits(trace) else ():
            drawn = picture(view, trace, times.settled(index), None, Look())
            assert drawn.caption, (name, index)
            assert len(tuple(drawn)) > 3, (name, index)


def test_a_projected_state_is_shown_beside_the_units_it_is_made_of() -> None:
    one = Wiring("lstm", projected=2)
    trace, known = recorded(one)
    drawn = find("cell").draw(trace, timeline(trace).find("layer.forward[3]"), Focus("layer", (2, 4), "inner.cell"),
                              Look())
    shows, result = drawn.table.rows[-2:]
    assert np.allclose(shows[2:], known[0]["shown"][2], atol=1e-5)
    assert np.allclose(result[2:4], known[0]["hidden"][2], atol=1e-5)
    assert result[4:] == ("", "", "")
    assert f"{known[0]['cell'][2][4]:.2f}" in drawn.caption


class Weighed(nn.Module):
    """A layer one of whose weights is computed each time it runs."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer, self.out = layer, nn.Linear(wirings.UNITS, 3)

    def forward(self, read: torch.Tensor) -> torch.Tensor:
        return self.out(self.layer(read)[0][:, -1])


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("how", ["weight_norm", "spectral_norm", "orthogonal"])
def test_a_layer_whose_weight_is_computed_is_taken_apart_with_the_weight_that_ran(kind: str, how: str) -> None:
    torch.manual_seed(1)
    layer = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[kind](wirings.READ, wirings.UNITS, batch_first=True)
    getattr(torch.nn.utils.parametrizations, how)(layer, "weight_hh_l0")
    model, read = Weighed(layer).eval(), torch.randn(1, 4, wirings.READ)
    trace = visualizer.capture(model, read, target=1)
    found = trace["layer"]
    assert (found.kind, found.why) == (kind, "")
    right = layer.weight_hh_l0
    assert np.abs(found.weights["weight_hh"] - right.detach().numpy()).max() < 1e-6
    assert "weight_hh" not in found.learned
    plain = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[kind](wirings.READ, wirings.UNITS, batch_first=True)
    plain.load_state_dict({name: getattr(layer, name).detach() for name in plain.state_dict()})
    torch.nn.functional.cross_entropy(model.out(plain(read)[0][:, -1]), torch.tensor([1])).backward()
    assert np.abs(found.weight_gradients["weight_hh"] - plain.weight_hh_l0.grad.numpy()).max() < 1e-6
    assert np.abs(found.weight_gradients["weight_ih"] - plain.weight_ih_l0.grad.numpy()).max() < 1e-6


@pytest.mark.parametrize("cell", [nn.GRUCell, nn.RNNCell, nn.LSTMCell])
def test_a_loop_that_answers_at_every_step_is_checked_at_one_answer(cell: type[nn.Module]) -> None:
    """Nothing but rounding came to the earlier states from outside: it is 0, and no false alarm."""
    torch.manual_seed(8)

    class Loop(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell, self.out = cell(4, 6), nn.Linear(6, 3)

        def forward(self, read: torch.Tensor) -> torch.Tensor:
            kept, answers = None, []
            for step in range(read.shape[1]):
                kept = self.cell(read[:, step], kept)
                answers.append(self.out(kept[0] if isinstance(kept, tuple) else kept))
            return torch.stack(answers, 1)

    trace = visualizer.capture(Loop().eval(), torch.randn(1, 4, 4))
    assert trace.check().passed
    asked = int(np.argmax(trace["stack"].output)) // 3
    came = trace["cell"].inner_gradients["hidden_direct"].any(axis=1)
    assert came.tolist() == [step == asked for step in range(4)]
    assert trace["cell"].inner_gradients["hidden"].any(axis=1).tolist() == [step <= asked for step in range(4)]
    assert asked > 0


@pytest.mark.parametrize(("read", "axes"), [
    ((4, 1, 3), ("step", "unit")), ((1, 4, 3), ("step", "unit")), ((4, 3), ("step", "unit"))])
def test_steps_first_or_no_batch_is_one_sample(read: tuple[int, ...], axes: tuple[str, ...]) -> None:
    class Sum(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cell, self.out = nn.GRUCell(3, 5), nn.Linear(5, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            kept = None
            for part in x.unbind(x.ndim - 2 if x.shape[0] == 1 else 0):
                kept = self.cell(part, kept)
            return self.out(kept)

    trace = visualizer.capture(Sum().eval(), torch.randn(read), target=1)
    assert trace["input"].axes == axes
    assert trace["cell"].shape == (4, 5)
    assert trace.check().passed


def test_several_samples_are_still_refused() -> None:
    with pytest.raises(Refused, match="4 samples"):
        visualizer.capture(nn.Linear(3, 2), torch.randn(4, 3))
    layers_first = nn.Sequential(nn.Linear(3, 5), nn.LSTM(5, 4, batch_first=True))
    with pytest.raises(Refused, match="4 samples"):
        visualizer.capture(layers_first, torch.randn(4, 1, 3))


def test_a_projected_state_has_its_own_range_and_no_number_of_it_is_a_unit_s() -> None:
    model, inputs = Wiring("lstm", projected=2).make()
    with torch.no_grad():
        model.layer.weight_hr_l0.mul_(40)
    trace = visualizer.capture(model, inputs[0], target=1)
    shown = reading(trace, "layer")
    largest = np.abs(shown.states).max()
    assert largest > 2
    assert not shown.squashed
    assert not bounded(shown, "hidden")
    assert top_of_states(shown) == pytest.approx(largest)
    assert top_of(shown, "hidden") == pytest.approx(np.percentile(np.abs(shown.states), 99), rel=1e-6)
    step = 2
    drawn = find("cell").draw(trace, timeline(trace).find("layer.forward[3]"), Focus("layer", (step, 0), "inner.cell"),
                              Look())
    said = [mark.plain for mark in drawn if isinstance(mark, Text)]
    assert numbers.signed(float(trace["layer"].inner["unprojected"][step, 0])) in said
    assert not {numbers.number(float(shown.states[step, 0])), numbers.signed(float(shown.states[step, 0]))} & {*said}


def test_a_state_that_a_tanh_made_is_drawn_from_minus_one_to_one() -> None:
    trace, _ = recorded(Wiring("lstm"))
    shown = reading(trace, "layer")
    assert shown.squashed
    assert bounded(shown, "hidden")
    assert top_of_states(shown) == top_of(shown, "hidden") == 1


def test_the_cell_of_a_projected_state_shows_what_its_units_make() -> None:
    trace, known = recorded(Wiring("lstm", projected=2))
    drawn = find("diagram").draw(trace, timeline(trace).find("layer.forward[3]"), Focus("layer", (2, 4), "inner.cell"),
                                 Look())
    said = [mark.plain for mark in drawn if isinstance(mark, Text)]
    assert "y3" in said
    assert "mean state h2" in said
    assert f"{known[0]['hidden'][1].mean():.2f}".replace("-", "−") in said
    assert f"{known[0]['shown'][2][4]:.2f}" in said
    assert "Mean of 5 units" in said
