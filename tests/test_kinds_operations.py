"""Operations as they are recorded: numbers and gradients that torch makes, from terms that numpy adds up.

Each is run by torch in float64 and differentiated by autograd; the report compares every number of these small layers.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from operations import COMPOSITES, OPERATIONS, Operation, recorded_call
from torch import nn
from torch.nn.utils import prune

from visualizer import kinds
from visualizer.record import capture
from visualizer.trace import Layer, Trace

torch.set_num_threads(1)
sizes = st.integers(1, 3)


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_numbers_and_gradients_are_torchs(operation: Operation) -> None:
    trace = recorded_call(operation)
    _holds(operation, trace)
    for layer in trace:
        said = kinds.sentence(trace, layer.name)
        assert said.endswith("."), said
        assert not [strange for strange in ("{", "None", "  ") if strange in said], said
        _sees_all_that_it_reads(trace, layer)


@given(operation=st.sampled_from(OPERATIONS), rows=sizes, columns=sizes, seed=st.integers(0, 999))
@settings(deadline=None, derandomize=True, max_examples=40)
def test_so_they_are_of_other_sizes(operation: Operation, rows: int, columns: int, seed: int) -> None:
    _holds(operation, recorded_call(operation, rows, columns, seed))


def _holds(operation: Operation, trace: Trace) -> None:
    report = trace.check()
    assert report.unverified == {}
    assert report.passed, report.errors | report.gradient_errors
    assert report.tolerance == 1e-10
    if operation.kind:
        assert operation.kind in {layer.kind for layer in trace}


def _sees_all_that_it_reads(trace: Trace, layer: Layer) -> None:
    """What a number is made of lies in the box that it sees."""
    if kinds.of(layer) is None or not layer.output.size:
        return
    cell = tuple(size // 2 for size in layer.shape)
    boxes = kinds.receptive_field(trace, layer.name, cell)
    for taps in kinds.terms(trace, layer.name, cell).taps:
        if taps.source == layer.name or taps.array != "output":
            continue
        inside = np.ones(len(taps.cells), dtype=bool) if taps.inside is None else taps.inside
        for read in taps.cells[inside & (taps.weights != 0)]:
            assert all(low <= index <= high for index, (low, high) in zip(read, boxes[taps.source], strict=True))


def test_every_kind_is_among_the_operations_or_has_an_example() -> None:
    """`COVERS` of this file is what the table of operations says."""
    assert COVERS == {operation.kind for operation in OPERATIONS if operation.kind}


@pytest.mark.parametrize("norm", ["weight_norm", "spectral_norm", "pruned", "parametrized"])
def test_a_computed_weight_is_a_layer_that_feeds_its_layer(norm: str) -> None:
    torch.manual_seed(0)
    conv = nn.Conv2d(2, 3, 3)
    if norm == "pruned":
        prune.l1_unstructured(conv, "weight", 0.5)
    elif norm == "parametrized":
        nn.utils.parametrize.register_parametrization(conv, "weight", nn.Tanh())
    else:
        getattr(nn.utils.parametrizations, norm)(conv)
    model = nn.Sequential(conv, nn.ReLU(), nn.Flatten(), nn.Linear(27, 2)).double().eval()
    x = torch.randn(1, 2, 5, 5).double()
    trace = capture(model, x, target=1)
    layer = trace["0"]
    assert layer.kind == "conv2d"
    assert kinds.computed_weight(layer, 1) == "weight"
    source = trace[layer.reads[1]]
    np.testing.assert_array_equal(source.output, conv.weight.detach().numpy())
    report = trace.check()
    assert report.passed
    assert report.unverified == {}
    kept = conv.weight.detach().clone().requires_grad_()  # what autograd says of the kernel itself
    made = torch.nn.functional.conv2d(x, kept, conv.bias)
    loss = torch.nn.functional.cross_entropy(model[3](model[2](model[1](made))), torch.tensor([1]))
    wanted = torch.autograd.grad(loss, kept)[0].numpy()
    np.testing.assert_allclose(source.gradient, wanted, atol=1e-12)
    np.testing.assert_allclose(layer.weight_gradients["weight"], wanted, atol=1e-12)
    handed = kinds.backward_terms(trace, source.name, (1, 0, 2, 2))
    assert sum(terms.result for _, terms in handed) == pytest.approx(wanted[1, 0, 2, 2], abs=1e-12)
    assert layer.parameters == 3  # its bias; the numbers that the kernel is made of are counted where they are


def test_a_composite_is_left_whole_where_its_steps_make_other_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    from visualizer.record import composites

    operation = next(one for one in COMPOSITES if one.name == "sdpa")
    monkeypatch.setitem(composites.DOCUMENTED, "scaled_dot_product_attention", lambda q, k, v: q * 0)
    trace = recorded_call(operation)
    assert trace["call.scaled_dot_product_attention" if "call.scaled_dot_product_attention" in trace
                 else "scaled_dot_product_attention"].kind == "unexplained"


def test_only_minus_infinity_counts_as_a_number() -> None:
    class Masked(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return (x.masked_fill(x > 0, self.filled) * 0.5).softmax(1)

    Masked.filled = -float("inf")
    report = capture(Masked(), torch.tensor([[-1.0, 2.0, -0.5]])).check()
    assert report.passed
    assert report.unverified == {}
    Masked.filled = float("inf")
    assert "mul" in capture(Masked(), torch.tensor([[-1.0, 2.0, -0.5]])).check().unverified


COVERS = {
    "dstack", "one_hot", "bucketize", "searchsorted",
    "acos", "acosh", "adaptive_avg_pool3d", "adaptive_max_pool3d", "addbmm", "addcdiv", "addcmul", "addmv", "addr",
    "affine_grid", "all", "amin", "any", "argmax", "argmin", "argsort", "asin", "asinh", "assign", "atan", "atan2",
    "atanh", "avg_pool3d", "baddbmm", "bilinear", "broadcast_to", "cast", "cdist", "ceil", "channel_shuffle",
    "conv3d", "conv_transpose3d", "copy", "cos", "cosh", "cosine_similarity", "count_nonzero", "cross", "cummax",
    "cummin", "cumprod", "cumsum", "deg2rad", "diag", "diag_embed", "diagonal", "diff", "dist", "div", "einsum",
    "embedding_bag", "eq", "erf", "erfc", "exp2", "expand_as", "expm1", "fill", "fliplr", "flipud", "floor",
    "floor_divide", "fmod", "fold", "frac", "gather", "ge", "glu", "grid_sample", "gt", "hardshrink",
    "hinge_embedding_loss", "hstack", "huber_loss", "hypot", "index_add", "index_fill", "inner",
    "interpolate", "isfinite", "isinf", "isnan", "kl_div", "kthvalue", "l1_loss", "le", "lerp", "limits", "log10",
    "log1p", "log2", "log_odds", "logaddexp", "logcumsumexp", "logical_and", "logical_not", "logical_or",
    "logical_xor", "logsumexp", "lt", "margin_ranking_loss", "masked_fill", "masked_select", "max", "max_pool3d",
    "max_unpool", "maximum", "median", "meshgrid", "min", "minimum", "nan_to_num", "ne", "outer",
    "pairwise_distance", "pick", "pixel_unshuffle", "poisson_nll_loss", "power", "prod", "rad2deg", "remainder",
    "repeat_by", "repeat_interleave", "reshape_as", "rot90", "round", "rrelu", "rsqrt", "scatter", "scatter_add",
    "sign", "sin", "sinc", "sinh", "smooth_l1_loss", "soft_margin_loss", "softshrink", "sort", "std", "sub", "take",
    "tan", "tanhshrink", "tensor_split", "tensordot", "threshold", "topk", "tril", "triu", "trunc", "unfold", "var",
    "vdot", "vector_norm", "vstack", "weighed_binary_cross_entropy", "weighed_binary_cross_entropy_with_logits",
    "weight_norm", "where", "sliding_windows", "xlogy", "inverse", "pseudoinverse", "solution", "triangular_solution",
    "cholesky_solution", "inverse_by_factor", "determinant", "size_of_determinant", "logarithm_of_determinant",
    "matrix_exponential", "matrix_power", "cholesky", "qr", "eigenvalues", "singular_values", "singular_decomposition",
    "written", "seen_again", "masked_scatter", "put", "fill_diagonal", "alpha_dropout", "channel_alpha_dropout",
}
