"""The check: what is right passes, what was changed is found out, what cannot be known is named."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from visualizer import kinds, record
from visualizer.kinds._check import CELLS, cells_of
from visualizer.trace import Layer, Trace

torch.set_num_threads(1)


def small_cnn(dtype: str = "float64") -> Trace:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(48, 5))
    return record.capture(model, torch.randn(1, 1, 8, 8), target=2, dtype=dtype)


def changed(trace: Trace, name: str, **fields: Any) -> Trace:
    return replace(trace, layers=tuple(replace(layer, **fields) if layer.name == name else layer for layer in trace))


@pytest.mark.parametrize(("dtype", "tolerance"), [("float32", 1e-5), ("float64", 1e-10)])
def test_a_true_recording_passes_with_every_layer_compared_both_ways(dtype: str, tolerance: float) -> None:
    trace = small_cnn(dtype)
    report = trace.check()
    assert report.passed
    assert report.tolerance == tolerance
    assert set(report.errors) == {layer.name for layer in trace} - {"input"}
    assert set(report.gradient_errors) == {layer.name for layer in trace} - {"softmax"}
    assert report.unverified == {}


@pytest.mark.parametrize("name", ["0", "1", "2", "3", "4", "softmax", "loss"])
def test_an_output_that_was_changed_is_found_out(name: str) -> None:
    trace = small_cnn()
    report = changed(trace, name, output=trace[name].output * 1.001 + 0.001).check()
    assert report.errors[name] > 1e-4
    assert not report.passed


@pytest.mark.parametrize("name", ["input", "0", "1", "2", "3", "4", "loss"])
def test_a_gradient_that_was_changed_is_found_out(name: str) -> None:
    trace = small_cnn()
    report = changed(trace, name, gradient=np.asarray(trace[name].gradient) * 1.001).check()
    assert report.gradient_errors[name] > 1e-4
    assert not report.passed


@pytest.mark.parametrize("name", ["0", "4"])
@pytest.mark.parametrize("weight", ["weight", "bias"])
def test_a_weight_gradient_that_was_changed_is_found_out(name: str, weight: str) -> None:
    trace = small_cnn()
    gradients = dict(trace[name].weight_gradients)
    gradients[weight] = gradients[weight] * 1.001
    report = changed(trace, name, weight_gradients=gradients).check()
    assert report.gradient_errors[name] > 1e-4
    assert not report.passed


def test_a_single_wrong_number_of_a_small_layer_is_found_out() -> None:
    trace = small_cnn()
    for cell in range(5):
        output = trace["4"].output.copy()
        output[cell] += 1e-6
        assert changed(trace, "4", output=output).check().errors["4"] > 1e-7


def test_a_layer_that_makes_nan_fails_and_those_that_read_it_are_named() -> None:
    trace = small_cnn()
    output = trace["0"].output.copy()
    output[1, 2, 3] = np.nan
    report = changed(trace, "0", output=output).check()
    assert report.errors["0"] == np.inf
    assert not report.passed
    assert "read NaN or infinity from 0" in report.unverified["1"]


@pytest.mark.parametrize("strange", [np.nan, np.inf])
def test_nan_or_infinity_in_what_was_fed_in_is_named(strange: float) -> None:
    trace = small_cnn()
    image = trace["input"].output.copy()
    image[0, 0, 0] = strange
    report = changed(trace, "input", output=image).check()
    assert "0" not in report.errors
    assert "read NaN or infinity from input" in report.unverified["0"]


def test_a_nan_among_the_gradients_fails() -> None:
    trace = small_cnn()
    gradient = np.array(trace["input"].gradient)
    gradient[0, 5, 5] = np.nan
    report = changed(trace, "input", gradient=gradient).check()
    assert report.gradient_errors["input"] == np.inf
    assert not report.passed


def test_nan_made_by_torch_itself_is_never_passed_over() -> None:
    class Root(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.sqrt() * 2

    trace = record.capture(Root(), torch.tensor([[-1.0, 4.0]]), objective="logit:1")
    report = trace.check()
    assert np.isnan(trace["sqrt"].output[0])
    assert report.errors["sqrt"] == 0  # the root of −1 has to be one
    assert next(row.why for row in report.rows if row.layer == "sqrt") == "1 of its 2 numbers are NaN or infinite."
    assert "read NaN or infinity from sqrt" in report.unverified["mul"]
    assert report.passed
    hidden = changed(trace, "sqrt", output=np.array([0.5, 2.0], np.float32)).check()
    assert hidden.errors["sqrt"] == np.inf  # and a number in its place is found out


def test_an_unexplained_operation_is_named_and_so_is_the_gradient_it_handed_back() -> None:
    class Strange(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.lgamma(x * 2)

    trace = record.capture(Strange(), torch.randn(1, 4), objective="logit:1")
    report = trace.check()
    assert set(report.unverified) == {"mul", "lgamma"}
    assert "lgamma handed it back, and is unexplained" in report.unverified["mul"]
    assert "mul" in report.errors
    assert report.passed


def test_what_has_no_gradient_is_only_compared_forwards() -> None:
    torch.manual_seed(0)
    report = record.capture(nn.Linear(4, 3), torch.randn(1, 4), objective="none").check()
    assert report.gradient_errors == {}
    assert report.unverified == {}
    assert report.passed


def test_a_gradient_that_is_only_rounding_does_not_fail() -> None:
    """A bias before a batch norm in training has the gradient 0, and single precision makes 1e-9 of it."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3))
    trace = record.capture(model.train(), torch.randn(1, 2, 8, 8), target=0)
    assert 0 < np.abs(trace["0"].weight_gradients["bias"]).max() < 1e-6
    assert trace.check().passed


def test_an_operation_without_numbers_to_compare_says_why() -> None:
    class Rounds(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.div(x, 2, rounding_mode="floor")

    report = record.capture(Rounds(), torch.randn(1, 4), objective="none").check()
    assert report.unverified == {"div": "div rounds its quotients, which is not explained."}


@pytest.mark.parametrize(("name", "settings"), [
    ("0", {"stride": "wide"}), ("0", {"stride": 0}), ("0", {"padding": (9, 9, 9)}), ("2", {}),
    ("2", {"kernel_size": 0}),
])
def test_settings_that_make_no_sense_are_named_and_stop_nothing(name: str, settings: dict[str, Any]) -> None:
    report = changed(small_cnn(), name, settings=settings).check()
    assert "of an unknown form" in report.unverified[name]
    assert report.errors["4"] < 1e-10


@given(shape=st.lists(st.integers(1, 7), min_size=0, max_size=4))
@settings(deadline=None, derandomize=True, max_examples=60)
def test_sampled_cells_lie_inside_are_few_and_always_the_same(shape: list[int]) -> None:
    array = np.random.default_rng(1).normal(size=shape)
    cells = cells_of(array)
    assert cells == cells_of(array.copy())
    assert len(set(cells)) == len(cells) <= CELLS
    assert all(0 <= i < n for cell in cells for i, n in zip(cell, shape, strict=True))
    if array.size <= CELLS:
        assert len(cells) == array.size
    else:
        places = [int(np.ravel_multi_index(cell, array.shape)) for cell in cells]
        assert {0, array.size - 1, int(array.argmax()), int(array.argmin())} <= set(places)


def test_sampled_cells_of_a_large_layer_hold_the_corners_of_a_map_and_come_from_everywhere() -> None:
    array = np.random.default_rng(0).normal(size=(64, 20, 30))
    cells = cells_of(array)
    corners = {(row, column) for row in (0, 19) for column in (0, 29)}
    assert corners <= {(row, column) for _, row, column in cells}
    assert len({channel // 8 for channel, _, _ in cells}) == 8


def test_a_layer_of_no_numbers_is_no_trouble() -> None:
    source = Layer("x", "input", ("unit",), {}, (), np.zeros(0))
    layer = Layer("y", "relu", ("unit",), {}, ("x",), np.zeros(0))
    assert Trace("t", (source, layer)).check().passed


def test_shared_weights_and_a_layer_that_is_read_twice_add_up() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.dense = nn.Linear(4, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            y = self.dense(x)
            return self.dense(y * y) + y

    torch.manual_seed(0)
    trace = record.capture(Twice(), torch.randn(1, 4), target=1, dtype="float64")
    report = trace.check()
    assert report.passed
    assert report.unverified == {}
    assert [name for name, _ in kinds.backward_terms(trace, "dense", (0,))] == ["mul", "mul", "add"]


def test_what_a_softmax_hands_back_is_the_rest_of_two_numbers_that_torch_rounded() -> None:
    """Where one share is nearly all, ten of eleven digits cancel; a gradient that is wrong is found all the same."""
    torch.manual_seed(0)
    scores = torch.tensor([[9.0, 0.0, 1.0]])

    class Weighs(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.softmax(x * 1.0, 1) @ torch.tensor([[0.3312114], [0.2280298], [0.29]])

    trace = record.capture(Weighs(), scores, objective="sum")
    assert trace.check().passed
    wrong = [replace(layer, gradient=layer.gradient * np.float32(1.2)) if layer.name == "mul" else layer
             for layer in trace.layers]
    assert not replace(trace, layers=tuple(wrong)).check().passed
