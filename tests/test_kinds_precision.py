"""The check where torch computed in several precisions, where numbers are rests of others, and where a model
differentiates itself: no false alarm, and no false peace."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from visualizer import record
from visualizer.kinds._check import LAST_DIGIT, SMALLEST, TOLERANCE
from visualizer.trace import Trace, from_bytes

torch.set_num_threads(1)


class UnderAutocast(nn.Module):
    """A convolution and a dense layer in bfloat16, then one in single precision."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.fc, self.end = nn.Conv2d(1, 3, 3), nn.Linear(48, 4), nn.Linear(4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            y = self.fc(torch.relu(self.conv(x)).flatten(1))
        return self.end(y.float())


class Sequence(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.fc = nn.LSTM(4, 5, batch_first=True), nn.Linear(5, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(self.lstm(x)[0][:, -1])


def recorded(model: nn.Module, x: torch.Tensor) -> Trace:
    torch.manual_seed(0)
    return record.capture(model.eval(), x, target=1)


def test_each_layer_is_held_to_the_precision_in_which_torch_computed_it() -> None:
    torch.manual_seed(0)
    trace = recorded(UnderAutocast(), torch.randn(1, 1, 6, 6))
    assert trace.dtype == "float32"
    assert (trace["conv"].dtype, trace["fc"].dtype, trace["end"].dtype) == ("bfloat16", "bfloat16", "")
    report = trace.check()
    assert report.passed
    assert report.allowed["conv"] == TOLERANCE["bfloat16"]
    assert "end" not in report.allowed
    assert report.errors["end"] <= TOLERANCE["float32"]
    assert report.errors["conv"] > TOLERANCE["float32"]  # else this would prove nothing


def test_what_is_wrong_beyond_its_precision_is_found_out() -> None:
    torch.manual_seed(0)
    trace = recorded(UnderAutocast(), torch.randn(1, 1, 6, 6))
    for name, off in (("end", 1.001), ("conv", 1.2)):
        output = trace[name].output * off
        layers = tuple(replace(layer, output=output) if layer.name == name else layer for layer in trace)
        assert name in replace(trace, layers=layers).check().disagreeing


def test_the_precision_of_a_layer_is_in_its_file() -> None:
    torch.manual_seed(0)
    trace = recorded(UnderAutocast(), torch.randn(1, 1, 6, 6))
    assert from_bytes(trace.to_bytes())["conv"].dtype == "bfloat16"
    assert from_bytes(trace.to_bytes()).check() == trace.check()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_gates_are_held_to_the_precision_of_their_layer(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    report = recorded(Sequence().to(dtype), torch.randn(1, 6, 4).to(dtype)).check()
    assert not report.unverified
    assert report.passed
    assert report.tolerance == TOLERANCE[str(dtype).removeprefix("torch.")]


def saturated(factor: float) -> Trace:
    """A tanh whose every unit is saturated: 1 − y² is the small rest of two numbers that torch rounded."""
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    with torch.no_grad():
        model[0].weight.fill_(1.0)
        model[0].bias.copy_(torch.tensor([5.0, 5.5, 6.0, 6.5]))
    trace = recorded(model, torch.tensor([[0.1, 0.2, 0.3]]))
    gradient = np.asarray(trace["0"].gradient) * np.float32(factor)
    return replace(trace, layers=tuple(replace(layer, gradient=gradient) if layer.name == "0" else layer
                                       for layer in trace))


def test_a_rest_of_rounding_is_judged_against_the_numbers_that_it_is_the_rest_of() -> None:
    report = saturated(1.0).check()
    assert report.passed
    assert 0 < report.gradient_errors["0"] <= TOLERANCE["float32"]


def test_a_wrong_slope_of_a_saturated_unit_is_still_found_out() -> None:
    assert "0" in saturated(2.0).check().disagreeing


class Penalised(nn.Module):
    """Differentiates itself: what it answers is u and ∂u/∂x."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(2, 5), nn.Linear(5, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        u = self.b(torch.tanh(self.a(x)))
        (slope,) = torch.autograd.grad(u.sum(), x, create_graph=True)
        return torch.cat([u, slope], 1)


def test_what_a_model_differentiates_itself_is_unverified_and_not_wrong() -> None:
    torch.manual_seed(0)
    model, x = Penalised().eval(), torch.randn(1, 2)
    trace = record.capture(model, x, objective="logit:1")
    report = trace.check()
    assert report.passed
    assert "torch.autograd.grad" in report.unverified["a"]
    assert "grad handed it back" in report.unverified["tanh"]
    given = x.clone().requires_grad_()  # the recorded gradients are torch's own all the same
    u = model.b(torch.tanh(model.a(given)))
    (slope,) = torch.autograd.grad(u.sum(), given, create_graph=True)
    (of_x, of_weight) = torch.autograd.grad(slope[0, 0], [given, model.a.weight])
    np.testing.assert_allclose(trace["input"].gradient, of_x[0], atol=1e-7)
    np.testing.assert_allclose(trace["a"].weight_gradients["weight"], of_weight, atol=1e-7)


def test_the_table_of_what_was_compared_tells_each_array_and_agrees_with_the_verdict() -> None:
    torch.manual_seed(0)
    trace = recorded(Sequence(), torch.randn(1, 6, 4))
    report = trace.check()
    told = {(row.layer, row.quantity) for row in report.rows}
    assert {("lstm", "output"), ("lstm", "inner.forget"), ("lstm", "gradient"),
            ("lstm", "inner_gradients.cell"), ("lstm", "weight_gradients.weight_hh")} <= told
    for name, error in report.errors.items():
        assert error == max(row.error for row in report.rows if row.layer == name and not row.backward)
    assert all(0 < row.cells <= row.size for row in report.rows if row.error is not None)
    assert report.explained == (len(trace.layers) - 1, len(trace.layers) - 1)


def test_a_last_digit_is_that_of_the_precision() -> None:
    for name, digit in LAST_DIGIT.items():
        assert digit == torch.finfo(getattr(torch, name)).eps
        assert SMALLEST[name] == torch.finfo(getattr(torch, name)).smallest_normal


def test_a_gradient_smaller_than_any_number_with_all_its_digits_is_compared_in_those_it_has() -> None:
    torch.manual_seed(0)
    lstm = torch.nn.LSTM(1, 4, batch_first=True)
    weight = lstm.weight_hh_l0.detach()
    weight *= 0.2
    trace = record.capture(lstm, torch.randn(1, 190, 1), objective="value:189,0")
    assert 0 < np.abs(trace["lstm"].inner_gradients["hidden"][0]).max() < SMALLEST["float32"]
    assert trace.check().passed


def test_a_gradient_below_any_number_with_all_its_digits_that_is_wrong_by_a_fifth_is_found_out(
        monkeypatch: pytest.MonkeyPatch) -> None:
    model = nn.Sequential(nn.Linear(3, 1, bias=False), nn.Linear(1, 1, bias=False))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([[3.3, 2.7, 3.1]]) * 2.0**-70)
        model[1].weight.fill_(1.1 * 2.0**-70)
    trace = record.capture(model.eval(), torch.ones(1, 3), objective="logit:0")
    gradient = np.asarray(trace["input"].gradient)
    assert 0 < np.abs(gradient).max() < SMALLEST["float32"] / 1000  # some ten digits of 24 are left
    assert trace.check().passed
    wrong = replace(trace["input"], gradient=gradient * np.float32(1.2))
    assert "input" in replace(trace, layers=(wrong, *trace.layers[1:])).check().disagreeing
    monkeypatch.setitem(SMALLEST, "float32", 0.0)
    assert "input" in trace.check().disagreeing  # else this would prove nothing


class Scores(nn.Module):
    """What is read is the score of each class at each step."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * 1


def test_a_gradient_of_a_loss_over_many_paths_is_judged_by_the_digits_of_its_sums_and_found_out_beyond() -> None:
    scores = torch.from_numpy(5 * np.random.default_rng(0).normal(size=(1, 40, 6))).float()
    trace, exact = (record.capture(Scores(), x, target=(1, 2, 1), labels=tuple("abcde_"),
                                   asks={"kind": "ctc", "blank": 5, "reduction": "sum"})
                    for x in (scores, scores.double()))
    (name,) = trace["loss"].reads
    assert trace.objective.value > 100
    given = np.asarray(exact[name].gradient)

    def disagreeing(factor: float) -> set[str]:
        gradient = (given * factor).astype(np.float32)
        layers = tuple(replace(layer, gradient=gradient) if layer.name in ("input", name) else layer for layer in trace)
        return set(replace(trace, layers=layers).check().disagreeing)

    assert disagreeing(1.0) == set()
    assert name not in disagreeing(1 + 2 * TOLERANCE["float32"])  # as much as the two sums may be rounded
    assert name in disagreeing(1.001)
    assert name in disagreeing(1.2)
