"""How far a network sees, against autograd on plain torch modules in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from tests.recorded import recorded
from visualizer.kinds import reach
from visualizer.record import capture, study
from visualizer.scene.picture import Focus, Image, Look
from visualizer.scene.timeline import timeline
from visualizer.trace import Trace
from visualizer.views import find
from visualizer.views.reach import _axis


def convolutions() -> tuple[nn.Sequential, torch.Tensor]:
    """Padding, strides, a dilation and two channels: fields that are cut off at the edges."""
    torch.manual_seed(3)
    model = nn.Sequential(nn.Conv2d(2, 3, 3, padding=1), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(3, 2, 2, dilation=2),
                          nn.Flatten(), nn.Linear(18, 4))
    return model.eval(), torch.randn(1, 2, 10, 10)


@pytest.fixture(scope="module")
def measured() -> Trace:
    model, x = convolutions()
    return study(capture(model, x, 1), model, x, "reach", target=1)


@pytest.mark.parametrize(("name", "depth"), [("0", 1), ("2", 3), ("3", 4), ("5", 6)])
def test_what_a_number_depends_on_is_what_autograd_says(measured: Trace, name: str, depth: int) -> None:
    model, x = convolutions()
    model, x = model.double(), x.double().requires_grad_()
    out = model[:depth](x).flatten()
    held = measured.studies["reach"]
    units, corners, heat = (held[f"{name}/{key}"] for key in ("units", "corners", "heat"))
    assert len(units) == out.numel()
    for place in range(0, len(units), max(1, len(units) // 40)):
        (gradient,) = torch.autograd.grad(out[int(units[place])], x, retain_graph=True)
        whole = np.zeros((10, 10))
        (top, left), (high, wide) = corners[place], heat.shape[1:]
        whole[top:top + high, left:left + wide] = heat[place]
        assert np.allclose(whole, gradient[0].norm(dim=0).numpy(), atol=1e-12), units[place]


def test_no_gradient_lies_outside_the_field_that_the_formula_gives(measured: Trace) -> None:
    for name, size in (("0", 3), ("2", 4), ("3", 8)):
        layer = measured[name]
        middle = (0, *(length // 2 for length in layer.shape[1:]))
        box = reach.field(measured, name, middle, "input")
        assert box is not None
        assert [high - low + 1 for low, high in box] == [size, size], name


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_what_a_state_recalls_is_the_norm_of_its_jacobian(kind: type[nn.RNNBase]) -> None:
    torch.manual_seed(5)
    model, x = kind(3, 4, batch_first=True), torch.randn(1, 6, 3)
    trace = study(capture(model, x, objective="sum"), model, x, "reach", objective="sum")
    (name,) = (layer.name for layer in trace if layer.inner)
    y = x.double().requires_grad_()
    jacobian = torch.autograd.functional.jacobian(lambda given: model.double()(given)[0][0], y)
    expected = jacobian[:, :, 0].norm(dim=(1, 3)).numpy()
    assert np.allclose(trace.studies["reach"][f"{name}/memory"], expected, atol=1e-12)
    assert expected[4, 5] == 0


@pytest.mark.parametrize(("depth", "share"), [(5, 0.66), (10, 0.49), (20, 0.36)])
def test_a_stack_of_equal_kernels_uses_the_share_that_theory_says(depth: int, share: float) -> None:
    weights = np.ones(1)
    for _ in range(depth):
        weights = np.convolve(weights, np.ones(3))
    assert reach.used(weights)[0] / len(weights) == pytest.approx(share, abs=0.005)
    assert reach.used(np.ones(5)) == (5.0,), "no wider than the field"


def test_influence_by_distance_and_its_horizon() -> None:
    heat = np.zeros((5, 5))
    heat[2, 2], heat[1, 1], heat[3, 2], heat[0, 4] = 2.0, 3.0, 4.0, 0.01
    found = reach.rings(heat)
    assert found.distances.tolist() == [0, 1, 2]
    assert found.sizes.tolist() == pytest.approx([2, 5, 0.01])
    assert found.horizon == 1
    assert reach.rings(np.array([1.0, 0.0, 3.0])).sizes.tolist() == [3, 0, 1], "steps count back from the last"
    assert np.isnan(reach.rings(np.zeros((3, 3))).horizon)


def test_a_convolution_and_a_recurrent_layer_that_read_the_same_have_the_same_axis() -> None:
    assert _axis.longest(recorded("digits_cnn"), "") == _axis.longest(recorded("rows_lstm"), "lstm") == 27


def test_a_number_that_is_chosen_has_its_own_field_and_the_rest_of_the_input_is_hatched(measured: Trace) -> None:
    at = timeline(measured).find("3.forward")
    pictures = [find("reach").draw(measured, at, Focus("3", cell), Look()) for cell in ((0, 0, 0), (1, 2, 2))]
    heats = [next(mark for mark in picture if isinstance(mark, Image) and mark.palette == "gradient")
             for picture in pictures]
    assert heats[0].x < heats[1].x
    assert heats[0].y < heats[1].y


def test_before_it_is_measured_the_field_is_there_and_nothing_is_said_of_the_gradient() -> None:
    model, x = convolutions()
    trace = capture(model, x, 1)
    picture = find("reach").draw(trace, timeline(trace).find("3.forward"), None, Look())
    assert "standard" not in picture.caption
    assert not any(isinstance(mark, Image) and mark.palette == "gradient" for mark in picture)


def test_a_field_through_which_nothing_comes_is_drawn_without_a_middle() -> None:
    """A dead unit: its gradient is 0 everywhere, and has no centre."""
    model = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(72, 3)).eval()
    with torch.no_grad():
        model[0].bias.fill_(-100)
    x = torch.rand(1, 1, 6, 6)
    trace = study(capture(model, x, 1), model, x, "reach", target=1)
    for beat in timeline(trace).beats:
        if beat.direction == "forward":
            assert find("reach").draw(trace, timeline(trace).find(beat.address), None, Look()).caption
