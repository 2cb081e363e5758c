"""Convolution and pooling under random settings; ties, kinks and overlapping bins, as torch decides them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from test_kinds import compare, said

from visualizer import kinds
from visualizer.kinds._window import Axis, windows_of
from visualizer.trace import Layer, Trace

torch.set_num_threads(1)
quick = settings(deadline=None, derandomize=True, max_examples=25)
small = st.integers(1, 3)


@given(size=st.integers(3, 7), kernel=small, stride=small, padding=st.integers(0, 2), dilation=small,
       groups=st.sampled_from([1, 2, 4]), bias=st.booleans())
@quick
def test_conv1d_equals_torch(size: int, kernel: int, stride: int, padding: int, dilation: int, groups: int,
                             bias: bool) -> None:
    assume(size + 2 * padding >= dilation * (kernel - 1) + 1)
    weights = {"weight": (4, 4 // groups, kernel), **({"bias": (4,)} if bias else {})}
    compare(said("conv1d", F.conv1d, ((4, size),), weights, stride=stride, padding=padding, dilation=dilation,
                 groups=groups), torch.float64)


@given(rows=st.integers(2, 5), columns=st.integers(2, 5), kernel=st.tuples(small, small),
       stride=st.tuples(small, small), padding=st.tuples(st.integers(0, 2), st.integers(0, 2)),
       dilation=st.tuples(st.integers(1, 2), st.integers(1, 2)), groups=st.sampled_from([1, 2]))
@quick
def test_conv2d_and_its_input_gradient_equal_torch(rows: int, columns: int, kernel: Any, stride: Any, padding: Any,
                                                   dilation: Any, groups: int) -> None:
    for size, k, p, d in zip((rows, columns), kernel, padding, dilation, strict=True):
        assume(size + 2 * p >= d * (k - 1) + 1)
    compare(said("conv2d", F.conv2d, ((2, rows, columns),), {"weight": (2, 2 // groups, *kernel)}, stride=stride,
                 padding=padding, dilation=dilation, groups=groups), torch.float64)


@given(size=st.integers(1, 4), kernel=small, stride=small, padding=st.integers(0, 1), output_padding=st.integers(0, 2),
       dilation=small, groups=st.sampled_from([1, 2]))
@quick
def test_conv_transpose2d_equals_torch(size: int, kernel: int, stride: int, padding: int, output_padding: int,
                                       dilation: int, groups: int) -> None:
    assume(output_padding < max(stride, dilation))
    assume((size - 1) * stride - 2 * padding + dilation * (kernel - 1) + output_padding + 1 > 0)
    weights = {"weight": (2, 1, kernel, 2), "bias": (groups,)}
    compare(said("conv_transpose2d", F.conv_transpose2d, ((2, size, 2),), weights,
                 stride=(stride, 1), padding=(padding, 0), output_padding=(output_padding, 0), dilation=(dilation, 1),
                 groups=groups), torch.float64)


@given(size=st.integers(4, 9), kernel=small, stride=small, padding=st.integers(0, 2), dilation=small)
@quick
def test_the_input_gradient_of_a_convolution_is_a_transposed_one_with_this_output_padding(
        size: int, kernel: int, stride: int, padding: int, dilation: int) -> None:
    """dx = conv_transpose(g) with output_padding N − ((O − 1)·s − 2p + d·(k − 1) + 1)."""
    room = size + 2 * padding - dilation * (kernel - 1) - 1
    assume(room >= 0)
    outs = room // stride + 1
    output_padding = size - ((outs - 1) * stride - 2 * padding + dilation * (kernel - 1) + 1)
    random = np.random.default_rng(0)
    weight, gradient = random.normal(size=(2, 3, kernel)), random.normal(size=(2, outs))
    said_of_both = {"stride": stride, "padding": padding, "dilation": dilation}
    x = Layer("x", "input", ("channel", "step"), {}, (), random.normal(size=(3, size)))
    y = Layer("y", "conv1d", ("channel", "step"), said_of_both, ("x",), np.zeros((2, outs)), gradient,
              {"weight": weight})
    g = Layer("g", "input", ("channel", "step"), {}, (), gradient)
    turned = Layer("t", "conv_transpose1d", ("channel", "step"), {**said_of_both, "output_padding": output_padding},
                   ("g",), np.zeros((3, size)), None, {"weight": weight})
    back, forth = kinds.of(y), kinds.of(turned)
    assert back is not None
    assert forth is not None
    for cell in np.ndindex(3, size):
        assert back.backward_terms(y, (x,), 0, cell).result == pytest.approx(
            forth.terms(turned, (g,), cell).result, abs=1e-12)


@given(size=st.integers(3, 7), kernel=st.integers(1, 4), stride=small, padding=st.integers(0, 2), dilation=small,
       ceil_mode=st.booleans())
@quick
def test_max_pool2d_equals_torch(size: int, kernel: int, stride: int, padding: int, dilation: int,
                                 ceil_mode: bool) -> None:
    assume(padding <= kernel // 2)
    assume(size + 2 * padding >= dilation * (kernel - 1) + 1)
    compare(said("max_pool2d", F.max_pool2d, ((1, size, 5),), kernel_size=(kernel, 2), stride=(stride, 1),
                 padding=(padding, 0), dilation=(dilation, 2), ceil_mode=ceil_mode), torch.float64)


@given(size=st.integers(3, 7), kernel=st.integers(1, 4), stride=small, padding=st.integers(0, 2),
       ceil_mode=st.booleans(), count_include_pad=st.booleans(), divisor=st.sampled_from([None, 5]))
@quick
def test_avg_pool2d_equals_torch(size: int, kernel: int, stride: int, padding: int, ceil_mode: bool,
                                 count_include_pad: bool, divisor: int | None) -> None:
    assume(padding <= kernel // 2)
    assume(size + 2 * padding >= kernel)
    compare(said("avg_pool2d", F.avg_pool2d, ((1, size, 4),), kernel_size=(kernel, 3), stride=(stride, 2),
                 padding=(padding, 1), ceil_mode=ceil_mode, count_include_pad=count_include_pad,
                 divisor_override=divisor), torch.float64)


@given(size=st.integers(1, 9), wanted=st.integers(1, 9))
@quick
def test_adaptive_pools_equal_torch(size: int, wanted: int) -> None:
    compare(said("adaptive_avg_pool1d", F.adaptive_avg_pool1d, ((1, size),), output_size=wanted), torch.float64)
    compare(said("adaptive_max_pool2d", F.adaptive_max_pool2d, ((1, size, 3),), output_size=(wanted, 2)),
            torch.float64)


@given(size=st.integers(1, 12), kernel=st.integers(1, 4), stride=st.integers(1, 4), padding=st.integers(0, 2),
       dilation=small, ceil_mode=st.booleans())
@settings(deadline=None, derandomize=True, max_examples=200)
def test_as_many_windows_fit_as_torch_makes(size: int, kernel: int, stride: int, padding: int, dilation: int,
                                            ceil_mode: bool) -> None:
    assume(padding <= kernel // 2)
    assume(size + 2 * padding >= dilation * (kernel - 1) + 1)
    made = F.max_pool1d(torch.zeros(1, 1, size), kernel, stride, padding, dilation, ceil_mode).shape[-1]
    assert windows_of(size, kernel, stride, padding, dilation, ceil_mode) == made


@given(size=st.integers(1, 9), windows=st.integers(1, 6), kernel=small, stride=st.integers(1, 4),
       before=st.integers(0, 3), dilation=small)
@settings(deadline=None, derandomize=True, max_examples=200)
def test_a_window_reads_a_place_exactly_when_it_is_among_its_readers(size: int, windows: int, kernel: int, stride: int,
                                                                     before: int, dilation: int) -> None:
    axis = Axis(size, windows, kernel, stride, before, dilation)
    for place in range(size):
        found = list(zip(*axis.readers(place), strict=True))
        assert found == [(w, t) for w in range(windows) for t in range(kernel) if axis.places(w)[t] == place]


# --- ties, kinks, bins ----------------------------------------------------------------------------------------------

def pooled(x: np.ndarray, kind: str, said_settings: dict[str, Any], output: np.ndarray) -> Trace:
    source = Layer("x", "input", ("channel", "row", "column"), {}, (), x, np.zeros_like(x))
    return Trace("t", (source, Layer("y", kind, ("channel", "row", "column"), said_settings, ("x",), output,
                                     np.ones_like(output))))


@pytest.mark.parametrize("kind", ["max_pool2d", "adaptive_max_pool2d"])
def test_the_first_of_equal_numbers_wins_row_by_row_as_in_torch(kind: str) -> None:
    x = torch.tensor([[[[1.0, 3, 3, 0], [3, 3, 0, 3], [2, 2, 2, 2], [2, 2, 2, 2]]]], requires_grad=True)
    call, said_settings = (F.max_pool2d, {"kernel_size": 2}) if kind == "max_pool2d" else \
        (F.adaptive_max_pool2d, {"output_size": 2})
    y = call(x, 2)
    (gradient,) = torch.autograd.grad(y.sum(), x)
    trace = pooled(x.detach().numpy()[0], kind, said_settings, y.detach().numpy()[0])
    assert [kinds.terms(trace, "y", (0, 0, column)).winner for column in (0, 1)] == [1, 0]
    for cell in np.ndindex(1, 4, 4):
        assert kinds.backward_terms(trace, "x", cell)[0][1].result == gradient[0][cell].item()


def test_padding_never_wins_a_maximum_even_over_negative_numbers() -> None:
    x = np.full((1, 2, 2), -5.0)
    trace = pooled(x, "max_pool2d", {"kernel_size": 3, "stride": 1, "padding": 1}, x)
    found = kinds.terms(trace, "y", (0, 0, 0))
    taps = found.taps[0]
    assert taps.inside is not None
    assert found.result == -5
    assert found.winner == 4
    assert (taps.values[~taps.inside] == -np.inf).all()
    assert taps.inside.tolist() == [False, False, False, False, True, True, False, True, True]
    assert taps.grid == (1, 3, 3)


def test_padding_of_a_convolution_is_listed_as_lying_outside_with_the_value_0() -> None:
    x = np.arange(1.0, 5).reshape(1, 2, 2)
    source = Layer("x", "input", ("channel", "row", "column"), {}, (), x)
    weight = np.arange(9.0).reshape(1, 1, 3, 3)
    layer = Layer("y", "conv2d", ("channel", "row", "column"), {"padding": 1}, ("x",), np.zeros((1, 2, 2)), None,
                  {"weight": weight, "bias": np.array([0.5])})
    found = kinds.terms(Trace("t", (source, layer)), "y", (0, 0, 0))
    taps = found.taps[0]
    assert taps.inside is not None
    assert taps.cells.tolist() == [[0, row, column] for row in (-1, 0, 1) for column in (-1, 0, 1)]
    assert taps.values.tolist() == [0, 0, 0, 0, 1, 2, 0, 3, 4]
    assert taps.weights.tolist() == list(range(9))
    assert taps.inside.tolist() == [False, False, False, False, True, True, False, True, True]
    assert (taps.weight, found.bias, found.bias_name, taps.grid) == ("weight", 0.5, "bias", (1, 3, 3))
    assert found.result == 1 * 4 + 2 * 5 + 3 * 7 + 4 * 8 + 0.5


def test_the_slope_of_relu_at_zero_is_zero() -> None:
    x = np.array([0.0, -0.0, 1e-300, -1.0])
    source = Layer("x", "input", ("unit",), {}, (), x, np.zeros(4))
    layer = Layer("y", "relu", ("unit",), {}, ("x",), np.maximum(x, 0), np.ones(4))
    trace = Trace("t", (source, layer))
    found = [kinds.backward_terms(trace, "x", (i,))[0][1] for i in range(4)]
    assert [terms.result for terms in found] == [0, 0, 1, 0]
    assert dict(found[2].met)["slope"] == 1


def test_five_places_in_three_bins_overlap() -> None:
    x = np.arange(5.0)[None, None]
    trace = pooled(x, "adaptive_avg_pool2d", {}, np.zeros((1, 1, 3)))
    found = [kinds.terms(trace, "y", (0, 0, i)).taps[0].values.tolist() for i in range(3)]
    assert found == [[0, 1], [1, 2, 3], [3, 4]]
    boxes = [kinds.receptive_field(trace, "y", (0, 0, i))["x"][2] for i in range(3)]
    assert boxes == [(0, 1), (1, 3), (3, 4)]


def test_dropout_does_not_guess_whether_a_zero_was_dropped() -> None:
    x = np.array([0.0, 2.0, 3.0])
    source = Layer("x", "input", ("unit",), {}, (), x, np.zeros(3))
    layer = Layer("y", "dropout", ("unit",), {"p": 0.5, "training": True}, ("x",), np.array([0.0, 4.0, 0.0]),
                  np.ones(3))
    trace = Trace("t", (source, layer))
    assert [kinds.terms(trace, "y", (i,)).result for i in range(3)] == [0, 4, 0]
    assert [kinds.backward_terms(trace, "x", (i,))[0][1].result for i in (1, 2)] == [2, 0]
    with pytest.raises(LookupError, match="does not show whether"):
        kinds.backward_terms(trace, "x", (0,))


def test_a_dropout_that_was_not_recorded_rightly_is_found_out() -> None:
    x = np.array([1.0, 2.0])
    layer = Layer("y", "dropout", ("unit",), {"p": 0.5, "training": True}, ("x",), np.array([2.0, 3.0]))
    trace = Trace("t", (Layer("x", "input", ("unit",), {}, (), x), layer), dtype="float64")
    assert not trace.check().passed
