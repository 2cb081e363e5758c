"""How beats move: partial results against numpy and torch, and the laws of motion over the beats of small networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from torch import nn

from tests import motion
from tests.motion import Played
from tests.recorded import recorded
from tests.toys import toy, whole_numbers
from visualizer import kinds, motions, record
from visualizer.answers import _column
from visualizer.kinds import pointwise
from visualizer.motions import Frame, convolution, curve, dense, loss, maxpool, mean, norm, softmax
from visualizer.scene.picture import LANE, LEGEND, Look, Picture
from visualizer.scene.timeline import Moment, timeline
from visualizer.trace import Layer, Trace
from visualizer.views import network


def frame_at(trace: Trace, address: str, second: float) -> Frame:
    """What a beat of the network shows so many seconds after its beginning."""
    moment = timeline(trace).find(address)
    look = Look()
    lasts = float(network.pace(trace, moment, None, look).seconds)
    at = Moment(moment.beat, min(second / lasts, 1 - 1e-9), moment.index)
    return network._now(trace, at, None, look, _column.inner(trace, look)).frame


def lasts(trace: Trace, address: str) -> float:
    return float(network.pace(trace, timeline(trace).find(address), None, Look()).seconds)


@cache
def small(*modules: nn.Module, shape: tuple[int, ...] = (2, 6, 6)) -> Trace:
    """A small network of these, over a picture whose numbers are different from each other."""
    model = nn.Sequential(*modules)
    whole_numbers(model)
    count = int(np.prod(shape))
    values = torch.sin(torch.arange(count, dtype=torch.float32) * 1.7).reshape(1, *shape) * 3
    return record.capture(model, values, target=1, name="small", title="Small", labels=("a", "b", "c"))


# --- the laws, over the beats of small networks ---------------------------------------------------------------------

class Drawing(Played):
    """A beat without its lanes, which show the whole recording at every moment."""

    def draw(self, moment: Moment, trace: Trace | None = None) -> Picture:
        picture = super().draw(moment, trace)
        def kept(marks: tuple) -> tuple:
            return tuple(mark for mark in marks if mark.group not in (LANE, LEGEND))
        return replace(picture, still=kept(picture.still), moving=kept(picture.moving))


NETWORKS: dict[str, Callable[[], Trace]] = {
    "toy": toy,
    "digits_cnn": lambda: recorded("digits_cnn"),
}
BEATS = [(name, f"{beat.layer}.{beat.direction}") for name, made in NETWORKS.items()
         for beat in timeline(made()).beats if beat.layer != "input"]


def played(name: str, address: str) -> Played:
    found = motion.beat(NETWORKS[name](), "network", address)
    return Drawing(found.trace, found.place, found.moments, found.pace)


def camera(found: Played) -> tuple[tuple[float, float], ...]:
    return ((0.0, motions.CAMERA / float(found.pace.seconds) + 0.005),)


@pytest.mark.matrix(spine=("pool.forward", "relu.backward"), sample=4, each=False)
@pytest.mark.parametrize(("name", "address"), BEATS)
def test_a_beat_keeps_the_laws_of_motion(name: str, address: str) -> None:
    found = played(name, address)
    begun = motions.CAMERA / float(found.pace.seconds)
    if address not in ("fc.backward", "fc2.backward"):  # one beat before, the answer shows their gradient
        motion.nothing_early(found, (0.0, begun / 2, begun * 1.05))
    motion.causes_touch_effects(found, 7)
    motion.nothing_is_made_up(found, 3)
    motion.the_same_backwards(found, 40)
    motion.no_jumps(found, camera(found))


@pytest.mark.parametrize("address", [address for name, address in BEATS if name == "toy"])
def test_what_is_done_never_falls_and_is_all_at_last(address: str) -> None:
    trace = toy()
    end = lasts(trace, address)
    done = [frame_at(trace, address, second).done for second in np.linspace(0, end, 60)]
    shares = [one / count if count else 0.0 for one, count in done]
    assert shares == sorted(shares)
    assert not done[-1][1] or done[-1][0] == done[-1][1]


# --- functions of one number ----------------------------------------------------------------------------------------

NEEDED = {"threshold": (0.5, 0.0)}
"""What a function cannot do without, beside its number."""


@pytest.mark.parametrize("function", [
    f for f in pointwise.FUNCTIONS if hasattr(torch.nn.functional, f.name)],
                         ids=lambda f: f.name)
def test_the_slopes_that_gates_close_by_are_those_of_torch(function: pointwise.Function) -> None:
    class Model(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return getattr(torch.nn.functional, function.name)(x, *NEEDED.get(function.name, ()))

    values = torch.linspace(-4, 4, 23)[None].requires_grad_()
    trace = record.capture(Model(), values.detach(), objective="logit:0", name="curve")
    (layer,) = (layer for layer in trace.layers if layer.kind == function.name)
    Model()(values).sum().backward()
    found = curve.slopes(trace, layer.name, layer.reads[0])
    np.testing.assert_allclose(found, values.grad[0].numpy(), rtol=1e-4, atol=1e-6)


def test_a_front_uncovers_column_by_column_what_a_relu_makes() -> None:
    trace = toy()
    for second in (0.2, 1.0, 1.4, 1.8):
        frame = frame_at(trace, "relu.forward", second)
        done, count = frame.done
        assert count == trace["relu"].shape[-1]
        assert frame.covered is not None
        assert (frame.covered == (np.arange(count) >= done)).all()
    assert frame_at(trace, "relu.forward", 0.9).done[0] == 0


def test_what_a_relu_keeps_is_counted_as_far_as_the_front_has_come() -> None:
    trace = toy()
    for second in (1.4, 1.7):
        frame = frame_at(trace, "relu.forward", second)
        passed = trace["relu"].output[..., :frame.done[0]]
        assert f"{np.count_nonzero(passed)} of {passed.size}" in frame.sentence


# --- max-pooling ----------------------------------------------------------------------------------------------------

POOLS = {
    "side by side": (nn.MaxPool2d(2), (2, 6, 6)),
    "overlapping, padded": (nn.MaxPool2d(3, 2, 1), (2, 7, 6)),
    "dilated": (nn.MaxPool2d(2, 1, dilation=2), (2, 6, 6)),
    "adaptive": (nn.AdaptiveMaxPool2d((3, 2)), (2, 7, 5)),
    "a signal": (nn.MaxPool1d(3, 2), (2, 9)),
}


@pytest.mark.parametrize("name", list(POOLS))
def test_the_winners_are_those_of_torch_and_get_the_gradient_place_by_place(name: str) -> None:
    module, shape = POOLS[name]
    count = int(np.prod(shape))
    values = torch.sin(torch.arange(count, dtype=torch.float32) * 1.7).mul(3).round().reshape(1, *shape)
    model = nn.Sequential()
    model.add_module("pool", module)
    trace = record.capture(model, values, objective="logit:0", name="pool")
    layer = trace["pool"]
    indices = getattr(torch.nn.functional, layer.kind)(values, return_indices=True, **_settings(module))[1][0].numpy()
    found = maxpool.contests(trace, "pool")
    places = int(np.prod(shape[1:]))
    assert (found.winner == indices + places * np.arange(shape[0]).reshape(-1, *(1,) * len(shape[1:]))).all()

    gradient = np.arange(1, layer.output.size + 1, dtype=np.float32).reshape(layer.shape)
    trace = replace(trace, layers=tuple(replace(one, gradient=gradient) if one.name == "pool" else one
                                        for one in trace.layers))
    for done in (0, 2, found.count):
        late = gradient.reshape(shape[0], -1).copy()
        late[:, :found.count - done] = 0
        leaf = values.clone().requires_grad_()
        module(leaf).backward(torch.from_numpy(late.reshape(1, *layer.shape)))
        np.testing.assert_array_equal(maxpool.laid(trace, "pool", done), leaf.grad[0].numpy())


def _settings(module: nn.Module) -> dict:
    names = ("kernel_size", "stride", "padding", "dilation", "output_size")
    return {name: getattr(module, name) for name in names if hasattr(module, name)}


def test_losers_fade_as_the_window_passes_and_winners_stay() -> None:
    trace = toy()
    pool, read = trace["pool"], trace["relu"]
    for second in (1.5, 2.2, 3.0):
        frame = frame_at(trace, "pool.forward", second)
        done = frame.done[0]
        lost, strength = frame.dimmed["relu"]
        assert strength == maxpool.FAINT
        blocks = lost.reshape(2, 3, 2, 3, 2).transpose(0, 1, 3, 2, 4).reshape(2, 9, 4)
        assert (blocks.sum(axis=2) == np.where(np.arange(9) < done, 3, 0)).all()
        kept = np.where(lost, -np.inf, read.output).reshape(2, 3, 2, 3, 2).max(axis=(2, 4))
        assert (kept == pool.output).all()


# --- convolutions ---------------------------------------------------------------------------------------------------

def test_gradients_are_laid_down_place_by_place_as_torch_adds_them_up() -> None:
    trace = recorded("digits_cnn")
    layer = trace["conv2"]
    assert layer.gradient is not None
    for first in (140, 70, 0):
        sent = layer.gradient.reshape(12, -1).copy()
        sent[:, :first] = 0
        leaf = torch.from_numpy(trace["pool1"].output[None].copy()).requires_grad_()
        weight = torch.from_numpy(layer.weights["weight"].copy()).requires_grad_()
        torch.nn.functional.conv2d(leaf, weight).backward(torch.from_numpy(sent.reshape(1, 12, 12, 12)))
        np.testing.assert_allclose(convolution._laid_from(trace, "conv2", first), leaf.grad[0].numpy(), atol=1e-6)
        np.testing.assert_allclose(convolution._weights_from(trace, "conv2", 7, first), weight.grad[7].numpy(),
                                   atol=1e-6)


# --- dense layers ---------------------------------------------------------------------------------------------------

def test_what_lands_in_a_unit_adds_up_to_it() -> None:
    trace = recorded("digits_cnn")
    for name in ("fc1", "fc2"):
        layer = trace[name]
        read = trace[layer.reads[0]].output.astype(np.float64)
        for unit in (0, layer.output.size - 1):
            products = layer.weights["weight"][unit].astype(np.float64) * read
            sums = dense._sums(trace, name, (unit,))
            assert sums.running[-1] == pytest.approx(float(layer.output[unit]), abs=1e-4)
            assert list(np.abs(sums.products)) == sorted(np.abs(products), reverse=True)[:len(sums.products)]
            assert sums.others_count == len(products) - len(sums.products)


def test_the_bar_of_a_unit_follows_the_products_that_have_landed() -> None:
    landed = [dense.landings(14, share)[0] for share in np.linspace(0, 1, 200)]
    assert landed == sorted(landed)
    assert (landed[0], landed[int(200 * dense.SUMMED) + 1]) == (0, 14)


def test_errors_come_back_unit_by_unit_as_torch_adds_them_up() -> None:
    trace = recorded("digits_cnn")
    layer = trace["fc1"]
    order = dense.errors(trace, "fc1")
    assert layer.gradient is not None
    assert set(order) == set(np.flatnonzero(layer.gradient))
    for done in (0, 1, len(order) // 2, len(order)):
        sent = torch.zeros(layer.shape)
        sent[list(order[:done])] = torch.from_numpy(layer.gradient[list(order[:done])])
        leaf = torch.from_numpy(trace["flatten"].output.copy()).requires_grad_()
        torch.nn.functional.linear(leaf, torch.from_numpy(layer.weights["weight"].copy())).backward(sent)
        np.testing.assert_allclose(dense.laid(trace, "fc1", done), leaf.grad.numpy(), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(dense.laid(trace, "fc1", len(order)), trace["flatten"].gradient, rtol=1e-4, atol=1e-6)


# --- shares and losses ----------------------------------------------------------------------------------------------

def test_exponentials_divided_by_their_sum_are_the_shares() -> None:
    trace = recorded("digits_cnn")
    powers = softmax.exponentials(trace, "softmax")
    assert powers.max() == 1
    np.testing.assert_allclose(powers / powers.sum(), trace["softmax"].output, rtol=1e-5)
    address = "softmax.forward"
    grown = [frame_at(trace, address, second).bars for second in np.linspace(0.45, 1.4, 8)]
    lengths = np.array([bars.lengths for bars in grown if bars is not None])
    assert (np.diff(lengths, axis=0) >= -1e-12).all()
    last = frame_at(trace, address, lasts(trace, address) - motions.SETTLE / 2)
    assert last.bars is not None
    np.testing.assert_allclose(last.bars.lengths, trace["softmax"].output, rtol=1e-3, atol=1e-4)


LOSSES: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "cross_entropy": lambda z: torch.nn.functional.cross_entropy(z, torch.tensor([2])),
    "nll_loss": lambda z: torch.nn.functional.nll_loss(z.log_softmax(1), torch.tensor([1])),
    "mse_loss": lambda z: torch.nn.functional.mse_loss(z, z.flip(1)),
    "binary_cross_entropy": lambda z: torch.nn.functional.binary_cross_entropy(z.sigmoid(), (z > 0).float()),
    "binary_cross_entropy_with_logits": lambda z: torch.nn.functional.binary_cross_entropy_with_logits(
        z, (z > 0).float()),
}


@pytest.mark.parametrize("name", list(LOSSES))
def test_what_is_added_up_is_the_loss_of_torch(name: str) -> None:
    class Model(nn.Module):
        def forward(self, z: torch.Tensor) -> torch.Tensor:
            return LOSSES[name](z)

    trace = record.capture(Model(), torch.linspace(-2, 3, 6)[None], objective="none", name="loss")
    (layer,) = (layer for layer in trace.layers if layer.kind == name)
    found = loss.cost_of(trace, layer.name)
    assert found is not None
    assert found[1].sum() == pytest.approx(float(layer.output), rel=1e-5)


def test_p_minus_label_grows_to_what_torch_hands_the_scores() -> None:
    trace = recorded("digits_cnn")
    address = "softmax.backward"
    frame = frame_at(trace, address, lasts(trace, address) - motions.SETTLE / 2)
    assert frame.bars is not None
    assert frame.bars.backward
    np.testing.assert_allclose(frame.bars.lengths, trace["fc2"].gradient, atol=1e-6)


# --- means and norms ------------------------------------------------------------------------------------------------

MEANS = {
    "side by side": (nn.AvgPool2d(2), (2, 6, 6)),
    "padded": (nn.AvgPool2d(3, 2, 1), (2, 7, 6)),
    "padding not counted": (nn.AvgPool2d(3, 2, 1, count_include_pad=False), (2, 7, 6)),
    "adaptive": (nn.AdaptiveAvgPool2d((3, 2)), (2, 7, 5)),
    "whole maps": (nn.AdaptiveAvgPool2d(1), (3, 4, 5)),
    "a signal": (nn.AvgPool1d(3, 2), (2, 9)),
}


def _with_gradient(module: nn.Module, shape: tuple[int, ...]) -> tuple[Trace, torch.Tensor]:
    """A layer alone, with a gradient of its output that is different everywhere, and what it was given."""
    values = torch.sin(torch.arange(int(np.prod(shape)), dtype=torch.float32) * 1.7).mul(3).reshape(1, *shape)
    model = nn.Sequential()
    model.add_module("layer", module)
    trace = record.capture(model, values, objective="logit:0", name="one")
    gradient = np.sin(np.arange(1, trace["layer"].output.size + 1, dtype=np.float32)).reshape(trace["layer"].shape)
    layers = tuple(replace(one, gradient=gradient) if one.name == "layer" else one for one in trace.layers)
    return replace(trace, layers=layers), values


def _handed_back(module: nn.Module, values: torch.Tensor, gradient: np.ndarray) -> np.ndarray:
    leaf = values.clone().requires_grad_()
    module(leaf).backward(torch.from_numpy(gradient.copy())[None])
    return leaf.grad[0].numpy()


@pytest.mark.parametrize("name", list(MEANS))
def test_gradients_of_means_spread_evenly_place_by_place(name: str) -> None:
    module, shape = MEANS[name]
    trace, values = _with_gradient(module, shape)
    gradient, count = trace["layer"].gradient, motions.places(trace["layer"]).count
    assert gradient is not None
    for done in sorted({0, 1, count}):
        late = gradient.reshape(shape[0], -1).copy()
        late[:, :count - done] = 0
        np.testing.assert_allclose(mean.laid(trace, "layer", done)[0],
                                   _handed_back(module, values, late.reshape(gradient.shape)), atol=1e-6)


NORMS = {
    "layer norm": (nn.LayerNorm([5, 4]), (3, 5, 4)),
    "layer norm of units": (nn.LayerNorm(7), (7,)),
    "group norm": (nn.GroupNorm(2, 4), (4, 3, 3)),
    "instance norm": (nn.InstanceNorm2d(3, affine=True), (3, 4, 4)),
    "batch norm, learned": (nn.BatchNorm2d(3), (3, 4, 4)),
    "RMS norm": (nn.RMSNorm(7), (7,)),
}


@pytest.mark.parametrize("name", list(NORMS))
def test_a_norm_takes_off_the_mean_and_two_mean_terms_come_back(name: str) -> None:
    module, shape = NORMS[name]
    with torch.no_grad():
        for number, parameter in enumerate(module.parameters()):
            parameter.copy_(torch.linspace(0.5, 1.5, parameter.numel()).reshape(parameter.shape) - number)
    module.eval()
    trace, values = _with_gradient(module, shape)
    layer = trace["layer"]
    assert layer.gradient is not None
    found = norm.measured_of(trace, "layer")
    hats = (values[0].numpy() - found.mean) / found.spread
    module_of_hats = {key: value.detach().numpy() for key, value in module.named_parameters()}
    gain, shift = (module_of_hats.get(key, np.zeros(1)) for key in ("weight", "bias"))
    if layer.output.ndim == 3 and gain.ndim == 1:
        gain, shift = (each.reshape(-1, 1, 1) for each in (gain, shift))
    np.testing.assert_allclose(hats * gain + shift, layer.output, atol=1e-4)
    steps = norm.back_steps(trace, "layer")
    np.testing.assert_allclose(steps[2], _handed_back(module, values, layer.gradient), atol=1e-4)


# --- every kind -----------------------------------------------------------------------------------------------------

UNCOVERED = {
    "amax", "logit", "alpha_dropout", "channel_alpha_dropout", "inverse", "pseudoinverse", "solution",
    "triangular_solution", "cholesky_solution", "inverse_by_factor", "determinant", "size_of_determinant",
    "logarithm_of_determinant", "matrix_exponential", "matrix_power", "cholesky", "qr", "eigenvalues",
    "singular_values", "singular_decomposition", "embedding_bag", "magnitude", "angle", "conjugate", "complex_mul",
    "complex_add", "complex_sub", "fft_fft", "fft_fft2", "fft_fftn", "fft_rfft", "fft_rfft2", "fft_rfftn", "fft_ifft",
    "fft_ifft2", "fft_ifftn", "fft_irfft", "fft_irfft2", "fft_irfftn", "stft", "einsum", "tensordot", "outer",
    "inner", "vdot", "addbmm", "addmv", "addr", "bilinear", "conv3d", "conv_transpose3d", "amin", "argmax", "argmin",
    "argsort", "var", "std", "vector_norm", "pairwise_distance", "dist", "cdist", "cosine_similarity", "weight_norm",
    "cross", "any", "all", "count_nonzero", "prod", "cumprod", "cumsum", "diff", "logsumexp", "logcumsumexp", "glu",
    "cast", "grid_sample", "affine_grid", "fold", "scatter_add", "index_add", "interpolate", "fill", "one_hot",
    "bucketize", "searchsorted",
}
"""Kinds whose result uncovers in reading order, with a window on what each number reads; recurrent layers beside them
have beats of their own for each step."""
FORMS = ((("channel", "row", "column"), (2, 4, 4)), (("channel", "step"), (2, 6)), (("unit",), (6,)),
         (("step", "unit"), (5, 6)), ((), ()))


@pytest.mark.parametrize("kind", kinds.all_kinds(), ids=lambda kind: kind.name)
def test_a_kind_has_a_motion_of_its_own_or_is_named(kind: kinds.Kind) -> None:
    layers = [Layer("one", kind.name, axes, {}, ("a", "b"), np.zeros(shape, np.float32), weights=weights)
              for axes, shape in FORMS for weights in ({}, {"weight": np.ones((2, 2, 3, 3), np.float32)})]
    if kind.name not in UNCOVERED and kind.role != "recurrent":
        assert {motions.of(layer).name for layer in layers} != {"window"}


def test_the_motion_of_every_file_is_found_and_the_last_suits_everything() -> None:
    names = [one.name for one in motions.all_motions()]
    assert len(set(names)) == len(names)
    assert names[-1] == "window"
    assert all(motions.all_motions()[-1].suits(layer) for layer in toy().layers)
    assert {motions.of(layer).name for layer in toy().layers if kinds.role(layer) == "curve"} == {"curve"}
