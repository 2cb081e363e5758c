"""Studies of the gradient, against torch's own autograd in double precision, and against what theory says exactly."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from tests.gradient_toys import SigmoidTower, Steps, given, measured, tower
from visualizer import record
from visualizer.kinds.curves import OF_SIGMOID, OF_TANH
from visualizer.kinds.sizes import rows
from visualizer.record import origins
from visualizer.record.studies import Pass, bptt, jacobian, saturation
from visualizer.size import norm

CELLS = ("RNN", "GRU", "LSTM")


# --- flow -------------------------------------------------------------------------------------------------------------

def test_the_size_of_every_gradient_is_that_of_autograd_in_double_precision() -> None:
    model, again = tower(nn.Tanh, 5)
    flow = measured(again, "flow")
    doubled = model.double()
    values, kept = again.inputs[0].double(), []
    for module in doubled:
        values = module(values)
        values.retain_grad()
        kept.append(values)
    nn.functional.cross_entropy(values, torch.tensor([1])).backward()  # type: ignore[no-untyped-call]
    names = [layer.name for layer in again.trace]
    for (name, module), value in zip(doubled.named_children(), kept, strict=True):
        index = names.index(name)
        assert value.grad is not None
        assert flow["gradient"][index] == pytest.approx(float(value.grad.norm()), rel=1e-12)
        assert flow["spread"][index] == pytest.approx(float(value.detach().std(correction=0)), rel=1e-12)
        if isinstance(module, nn.Linear):
            assert flow["weight_gradient"][index] == pytest.approx(float(module.weight.grad.norm()),
                                                                   rel=1e-12)  # type: ignore[union-attr]
            assert flow["stretch"][index] == pytest.approx(float(torch.linalg.matrix_norm(module.weight.detach(), 2)),
                                                           rel=1e-12)


def test_where_single_precision_rounds_to_zero_there_is_still_a_number() -> None:
    """Sixty sigmoids: 0.25/√3 each, so about 10⁻⁵¹ is left, and float32 ends at 10⁻⁴⁵."""
    torch.manual_seed(0)
    model = SigmoidTower(60).eval()
    again = given(model, torch.randn(1, 32), target=1)
    assert float(np.abs(again.trace[model.first].gradient).max()) == 0  # type: ignore[arg-type]
    index = [layer.name for layer in again.trace].index(model.first)
    assert 1e-60 < measured(again, "flow")["gradient"][index] < 1e-42


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_through_time_are_those_of_single_steps_under_autograd(cell: str) -> None:
    model, again, aims = Steps.example(cell)
    flow = measured(again, "flow")
    for aim, part in ((aims, "hidden"), ([*[-100] * (len(aims) - 1), aims[-1]], "last")):
        hidden, memory = model.double().by_hand(again.inputs[0].double(), aim,
                                                weight=len(aims) if part == "last" else 1)
        assert flow[f"rnn/{part}"] == pytest.approx(hidden, rel=1e-9)
        if cell == "LSTM":
            assert flow["rnn/cell" if part == "hidden" else "rnn/last_cell"] == pytest.approx(memory, rel=1e-9)


def test_a_layer_that_reads_backwards_keeps_its_places() -> None:
    torch.manual_seed(3)
    model = Steps("LSTM", both=True).eval()
    again = given(model, torch.randn(1, 7, 3), target=[0, 1, 2, 0, 1, 2, 1])
    flow = measured(again, "flow")
    for name in ("rnn.l0", "rnn.l0.reverse"):
        recorded = again.trace[name].inner_gradients["hidden"]
        assert flow[f"{name}/hidden"] == pytest.approx(np.linalg.norm(recorded, axis=1), rel=1e-4)
    assert flow["rnn.l0.reverse/last"][0] > 0  # the loss at step 1 is the last that it comes to
    assert flow["rnn.l0/last"][-1] > 0


def test_sizes_neither_overflow_nor_hide_what_is_not_finite() -> None:
    assert norm(np.array([3e200, 4e200])) == pytest.approx(5e200)
    assert norm(np.array([1.0, np.inf])) == math.inf
    assert math.isnan(norm(np.array([1.0, np.nan])))
    assert rows(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist() == [5.0, 0.0]


# --- step by step -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("cell", CELLS)
def test_step_gradients_add_up_to_the_gradient_of_autograd(cell: str) -> None:
    _, again, _ = Steps.example(cell)
    found = measured(again, "bptt")
    assert float(found["rnn/error"]) <= 1e-12
    trace = record.capture(again.model, again.inputs, again.target, "float64")
    one = origins.again(trace, trace["rnn"])
    items = origins.whole(one).at_hidden.numpy()[:, :, None] * one.sequence.before.numpy()[:, None]
    assert found["rnn/norms"] == pytest.approx(np.linalg.norm(items.reshape(len(items), -1), axis=1), rel=1e-12)
    assert items.sum(0) == pytest.approx(trace["rnn"].weight_gradients["weight_hh"], rel=1e-11, abs=1e-15)
    assert found["rnn/corner"] == pytest.approx(items[:, :16, :16])


@pytest.mark.parametrize("cell", CELLS)
def test_the_gradient_of_a_step_is_split_by_the_loss_that_it_came_from(cell: str) -> None:
    """Each row of the split against a recording in which only that step costs anything."""
    _, again, aims = Steps.example(cell)
    split = measured(again, "bptt")["rnn/from"]
    for origin in range(len(aims)):
        alone = record.capture(again.model, again.inputs, aims, "float64", objective=f"loss@{origin}")
        sizes = np.linalg.norm(alone["rnn"].inner_gradients["hidden"], axis=1) / len(aims)  # the mean over all steps
        assert split[origin] == pytest.approx(sizes, rel=1e-9, abs=1e-300)


@pytest.mark.parametrize("cell", ["RNN", "LSTM"])
def test_a_cut_window_leaves_what_autograd_leaves_when_states_are_detached(cell: str) -> None:
    model, again, aims = Steps.example(cell)
    kept = measured(again, "bptt")["rnn/kept"]
    whole = model.double().cut(again.inputs[0].double(), aims, len(aims))
    for index, window in enumerate(bptt.WINDOWS):
        part = model.cut(again.inputs[0].double(), aims, window)
        assert kept[index, 0] == pytest.approx(float(part.norm() / whole.norm()), rel=1e-9)
        assert kept[index, 1] == pytest.approx(float((whole - part).norm() / whole.norm()), rel=1e-7, abs=1e-12)


# --- Jacobians --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("cell", CELLS)
def test_singular_values_are_those_of_the_derivative_of_many_steps(cell: str) -> None:
    model, again, aims = Steps.example(cell)
    found = measured(again, "jacobian")["rnn/values"]
    derivative = model.double().derivative(again.inputs[0].double())
    assert found[len(aims)] == pytest.approx(np.linalg.svd(derivative, compute_uv=False), rel=1e-8, abs=1e-14)
    assert found[0].tolist() == [1.0] * len(found[0])


@pytest.mark.parametrize("gain", [0.5, 0.9, 1.0])
def test_a_rotation_times_a_gain_has_one_exponent_the_logarithm_of_the_gain(gain: float) -> None:
    """At rest tanh is straight, so J = W exactly; W is orthogonal times the gain."""
    torch.manual_seed(1)
    model = Steps("RNN").eval()
    with torch.no_grad():
        for name, weight in model.rnn.named_parameters():
            weight.zero_() if "weight_hh" not in name else nn.init.orthogonal_(weight).mul_(gain)
    found = measured(given(model, torch.zeros(1, 12, 3), target=[0] * 12), "jacobian")
    assert found["rnn/exponents"] == pytest.approx(np.full(6, math.log(gain)), abs=1e-6)
    assert found["rnn/values"][12] == pytest.approx(np.full(6, gain ** 12), rel=1e-5)
    assert found["rnn/spectrum"] == pytest.approx([gain, gain], rel=1e-6)


def test_a_direction_that_is_lost_has_an_exponent_of_minus_infinity() -> None:
    assert jacobian.exponents([np.diag([0.5, 0.0])] * 4).tolist() == [pytest.approx(math.log(0.5)), -math.inf]


# --- saturation -------------------------------------------------------------------------------------------------------

def test_saturation_is_counted_over_the_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saturation, "MOST", 6)
    again = record.pass_of("digits_cnn", "digit-2148")
    found = measured(again, "saturation")
    assert int(found["inputs"]) == 6
    on: list[Tensor] = []
    from visualizer import inputs
    relu3 = again.model.get_submodule("relu3")
    hook = relu3.register_forward_hook(lambda module, args, output: on.append(output[0] > 0))
    for sample in inputs.all_samples("image")[:6]:
        again.model(again.opened.prepare(inputs.raw(sample.name)))  # type: ignore[misc, union-attr]
    hook.remove()
    table = torch.stack(on).double()
    assert found["relu3:on"] == pytest.approx(table.mean(0).numpy())
    assert float(found["relu3:share"]) == pytest.approx(1 - float(table.mean()))


def test_saturation_is_counted_over_inputs_that_are_edited_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saturation, "MOST", 4)
    again = record.pass_of("digits_cnn", "digit-2148", edits=("shift:9,0", "unit_off:conv1:2"))
    found = measured(again, "saturation")
    from visualizer import inputs
    on = []
    for sample in inputs.all_samples("image")[:4]:
        x = again.opened.prepare(inputs.raw(sample.name))  # type: ignore[misc, union-attr]
        moved = torch.zeros_like(x)
        moved[..., 9:] = x[..., :-9]
        with torch.no_grad():
            seen = again.model.conv1(moved)
        seen[:, 2] = 0
        on.append((torch.relu(seen)[0] > 0).flatten(1))
    assert found["relu1:on"] == pytest.approx(torch.stack(on).double().mean((0, 2)).numpy())
    assert found["relu1:on"][2] == 0


def test_gates_are_counted_by_their_own_nonlinearity() -> None:
    _, again, _ = Steps.example("GRU")
    layer = again.trace["rnn"]
    flats = {name: flat for name, (flat, _) in saturation.counted(layer).items()}
    assert flats == {"rnn/reset": OF_SIGMOID, "rnn/update": OF_SIGMOID, "rnn/new": OF_TANH}
    count = saturation.Count(OF_TANH)
    count.add(np.array([0.95, -0.95, 0.5, 0.0]))
    assert (count.beyond, count.values, int(count.bins.sum())) == (2, 4, 4)


def test_a_model_that_makes_no_input_of_its_own_is_counted_over_what_it_was_given() -> None:
    _, again, _ = Steps.example("GRU")
    trace = record.with_study(again, "saturation")
    found = trace.studies["saturation"]
    update = trace["rnn"].inner["update"].astype(np.float64)
    assert int(found["inputs"]) == 1
    assert int(found["rnn/update:values"]) == update.size
    assert float(found["rnn/update:share"]) == np.mean((update < OF_SIGMOID.low) | (update > OF_SIGMOID.high))


def test_before_training_is_measured_only_where_its_weights_are() -> None:
    from visualizer.record.studies import before, measure

    _, again, _ = Steps.example("RNN")
    assert not before.suits(again.trace)
    assert list(measure("before", again)) == []


def test_every_study_can_be_stopped_between_its_passes() -> None:
    _, again, _ = Steps.example("LSTM")
    for module in (bptt, jacobian):
        told = list(module.run(again))
        assert len(told) > 3
        shares: Sequence[float] = [share for share, _ in told]
        assert list(shares) == sorted(shares)
        assert all(0 <= share <= 1 for share in shares)


def test_a_pass_keeps_what_was_differentiated() -> None:
    again: Pass = record.pass_of("rows_rnn", "digit-2148", objective="logit:3")
    assert again.objective == "logit:3"
    recorded = np.linalg.norm(again.trace["rnn"].inner_gradients["hidden"], axis=1)
    assert measured(again, "flow")["rnn/hidden"] == pytest.approx(recorded, rel=1e-3)
