"""Every kind against torch: its terms make torch's numbers, its backward terms autograd's gradients."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from visualizer import kinds
from visualizer.kinds import shape
from visualizer.trace import Layer, Trace

torch.set_num_threads(1)
Call = Callable[..., Tensor]
TOLERANCE = {torch.float64: 1e-10, torch.float32: 1e-5}


@dataclass(frozen=True)
class Example:
    """One call of torch: `call(*reads, **weights)`, with a batch axis of 1 in front of every read and of the output."""

    kind: str
    shapes: tuple[tuple[int, ...], ...]
    """Of what it reads, without the batch axis."""
    call: Call
    settings: Mapping[str, Any] = field(default_factory=dict)
    weights: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    batch: bool = True
    """Whether reads have a batch axis."""
    batch_out: int | None = 0
    """Where the output has it."""
    make: Callable[[Tensor], Tensor] = lambda x: x
    """Makes random numbers fit for this call: positive, whole, …"""
    buffers: tuple[str, ...] = ()

    def __str__(self) -> str:
        said = ", ".join(f"{key}={value}" for key, value in self.settings.items())
        return f"{self.kind}({said})"


def ctc(z: Tensor, target: tuple[int, ...], blank: int, reduction: str) -> Tensor:
    """torch's own loss for one sample of scores (1, step, class)."""
    return F.ctc_loss(z[0].log_softmax(1)[:, None], torch.tensor([target]), (z.shape[1],), (len(target),), blank,
                      reduction)


def recorded(example: Example, dtype: torch.dtype, seed: int = 0) -> Trace:
    """The call as a Trace, with torch's own output, gradients and weight gradients under a random gradient."""
    random = torch.Generator().manual_seed(seed)
    bare = [example.make(torch.randn(shape, generator=random, dtype=dtype)) for shape in example.shapes]
    reads = [(x[None] if example.batch else x).clone() for x in bare]
    reads = [x.requires_grad_() if x.is_floating_point() else x for x in reads]
    weights = {name: torch.randn(shape, generator=random, dtype=dtype) for name, shape in example.weights.items()}
    weights = {name: (w.abs() + 0.5 if name == "running_var" else w).requires_grad_(name not in example.buffers)
               for name, w in weights.items()}
    output = called(example, reads, weights)
    gradient = torch.randn(output.shape, generator=random, dtype=output.dtype)
    learned = {name: w for name, w in weights.items() if w.requires_grad}
    wanted = [x for x in reads if x.requires_grad]
    found = torch.autograd.grad(output, [*wanted, *learned.values()], gradient, allow_unused=True)
    back = iter(found[:len(wanted)])
    gradients = [next(back) if x.requires_grad else None for x in reads]

    def plain(x: Tensor, batch: int | None) -> np.ndarray:
        return np.array((x if batch is None else x.squeeze(batch)).detach().numpy(), order="C")

    at = 0 if example.batch else None
    sources = []
    for number, (x, g) in enumerate(zip(reads, gradients, strict=True)):
        values = plain(x, at)
        back_values = None if g is None else plain(g, at)
        sources.append(Layer(f"x{number}", "input", tuple(f"axis{i}" for i in range(values.ndim)), {}, (), values,
                             back_values))
    out = plain(output, example.batch_out)
    said = dict(example.settings) | ({} if example.batch else {"batch": None})
    layer = Layer("y", example.kind, tuple(f"axis{i}" for i in range(out.ndim)), said,
                  tuple(source.name for source in sources), out, plain(gradient, example.batch_out),
                  {name: w.detach().numpy() for name, w in weights.items()},
                  {name: g.numpy() for name, g in zip(learned, found[len(wanted):], strict=True) if g is not None})
    return Trace("example", (*sources, layer), dtype=str(dtype).removeprefix("torch."))


def called(example: Example, reads: list[Tensor], weights: Mapping[str, Tensor]) -> Tensor:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Using padding='same' with even kernel")
        return example.call(*reads, **weights)


def compare(example: Example, dtype: torch.dtype, seed: int = 0) -> None:
    """All cells of the output, of every input's gradient and of every weight's gradient."""
    trace = recorded(example, dtype, seed)
    layer, tolerance = trace["y"], TOLERANCE[dtype]
    for cell in np.ndindex(layer.shape):
        found = kinds.terms(trace, "y", cell)
        near(found.result, layer.output, cell, tolerance)
        holds_together(found)
    for source in trace.inputs(layer):
        if source.gradient is None:
            continue
        for cell in np.ndindex(source.shape):
            handed = [terms for _, terms in kinds.backward_terms(trace, source.name, cell)]
            near(sum(terms.result for terms in handed), source.gradient, cell, tolerance)
            for terms in handed:
                holds_together(terms)
                assert all(taps.array == "gradient" and taps.source == "y" for taps in terms.taps)
    for name, gradient in layer.weight_gradients.items():
        for cell in np.ndindex(gradient.shape):
            near(kinds.weight_terms(trace, "y", name, cell).result, gradient, cell, tolerance)


def near(found: float, array: np.ndarray, cell: tuple[int, ...], tolerance: float) -> None:
    scale = max(1.0, float(np.abs(array).max()))
    assert abs(found - float(array[cell])) <= tolerance * scale, f"cell {cell}: {found} instead of {array[cell]}"


def holds_together(terms: kinds.Terms) -> None:
    """The result is what the taps say, and the taps are laid out as they say."""
    if terms.op == "sum":
        total = sum(taps.products.sum() for taps in terms.taps) + (terms.bias or 0.0)
        assert terms.result == pytest.approx(total, abs=1e-12)
    if terms.op == "product":
        assert terms.result == pytest.approx(np.prod([taps.products.prod() for taps in terms.taps]), abs=1e-12)
    if terms.op == "max":
        values = terms.taps[0].values
        assert values[terms.winner] == terms.result == values.max()
        assert terms.winner == int(np.flatnonzero(values == values.max())[0])
    if terms.op == "copy":
        assert [taps.products.tolist() for taps in terms.taps] == [[terms.result]]
    for taps in terms.taps:
        assert len(taps.cells) == len(taps.values) == len(taps.weights) == np.prod(taps.grid or (1,))


# --- one example at least for each kind -----------------------------------------------------------------------------

def positive(x: Tensor) -> Tensor:
    return x.abs() + 0.1


def tokens(x: Tensor) -> Tensor:
    return (x.abs() * 3).long() % 5


def spread(x: Tensor) -> Tensor:
    """From far below to far above zero, so that every piece of a piecewise function is met, kinks included."""
    steps = torch.linspace(-7, 7, x.numel(), dtype=x.dtype).reshape(x.shape)
    return torch.where(steps.abs() < 0.3, torch.zeros_like(steps), steps)


MAPS, LINE = ((2, 5, 6),), ((3, 7),)
CONV2 = {"weight": (4, 2, 3, 2), "bias": (4,)}


def said(kind: str, call: Any, shapes: Any = MAPS, weights: Any = None, **settings: Any) -> Example:
    """An example whose settings are handed to torch as they are."""
    return Example(kind, shapes, lambda *reads, **w: call(*reads, **w, **settings), settings, weights or {})


def pointwise(kind: str, call: Any, make: Any = spread, **settings: Any) -> Example:
    return replace(said(kind, call, ((2, 4, 5),), **settings), make=make)


EXAMPLES = (
    said("conv1d", F.conv1d, LINE, {"weight": (2, 3, 3), "bias": (2,)}, stride=2, padding=1),
    said("conv1d", F.conv1d, LINE, {"weight": (6, 1, 2)}, groups=3, dilation=2),
    said("conv2d", F.conv2d, weights=CONV2),
    said("conv2d", F.conv2d, weights=CONV2, stride=(2, 1), padding=(1, 2), dilation=(1, 2)),
    said("conv2d", F.conv2d, weights={"weight": (4, 2, 4, 3)}, padding="same"),
    said("conv2d", F.conv2d, weights={"weight": (4, 2, 2, 3)}, padding="same", dilation=(3, 2)),
    said("conv2d", F.conv2d, weights=CONV2, padding="valid"),
    said("conv2d", F.conv2d, weights={"weight": (4, 1, 3, 3), "bias": (4,)}, groups=2, padding=1, stride=3),
    said("conv_transpose1d", F.conv_transpose1d, LINE, {"weight": (3, 2, 4), "bias": (2,)}, stride=3, padding=1),
    said("conv_transpose2d", F.conv_transpose2d, weights={"weight": (2, 3, 3, 2), "bias": (3,)}, stride=2,
         padding=1, output_padding=1),
    said("conv_transpose2d", F.conv_transpose2d, weights={"weight": (2, 2, 2, 2)}, groups=2, dilation=(2, 3)),
    said("max_pool1d", F.max_pool1d, LINE, kernel_size=3, stride=2, padding=1),
    said("max_pool2d", F.max_pool2d, kernel_size=2),
    said("max_pool2d", F.max_pool2d, kernel_size=3, stride=2, padding=1, ceil_mode=True),
    said("max_pool2d", F.max_pool2d, kernel_size=2, stride=1, dilation=(2, 3)),
    said("avg_pool1d", F.avg_pool1d, LINE, kernel_size=3, stride=2, padding=1, ceil_mode=True),
    said("avg_pool2d", F.avg_pool2d, kernel_size=2),
    said("avg_pool2d", F.avg_pool2d, kernel_size=3, stride=2, padding=1, count_include_pad=False),
    said("avg_pool2d", F.avg_pool2d, kernel_size=(2, 3), stride=(2, 2), padding=1, ceil_mode=True),
    said("avg_pool2d", F.avg_pool2d, kernel_size=2, divisor_override=3),
    said("adaptive_avg_pool1d", F.adaptive_avg_pool1d, LINE, output_size=3),
    said("adaptive_avg_pool2d", F.adaptive_avg_pool2d, output_size=(3, 4)),
    said("adaptive_avg_pool2d", F.adaptive_avg_pool2d, output_size=1),
    said("adaptive_max_pool1d", F.adaptive_max_pool1d, LINE, output_size=3),
    said("adaptive_max_pool2d", F.adaptive_max_pool2d, output_size=(3, 2)),
    pointwise("relu", F.relu),
    pointwise("leaky_relu", F.leaky_relu),
    pointwise("leaky_relu", F.leaky_relu, negative_slope=0.2),
    pointwise("elu", F.elu),
    pointwise("elu", F.elu, alpha=1.7),
    pointwise("celu", F.celu, alpha=0.5),  # torch rounds other alphas to single precision
    pointwise("selu", F.selu),
    pointwise("gelu", F.gelu),
    pointwise("gelu", F.gelu, approximate="tanh"),
    pointwise("silu", F.silu),
    pointwise("mish", F.mish),
    pointwise("sigmoid", torch.sigmoid),
    pointwise("tanh", torch.tanh),
    pointwise("hardtanh", F.hardtanh),
    pointwise("hardtanh", F.hardtanh, min_val=-2.0, max_val=0.0),
    pointwise("relu6", F.relu6),
    pointwise("hardsigmoid", F.hardsigmoid),
    pointwise("hardswish", F.hardswish),
    pointwise("softplus", F.softplus),
    pointwise("softplus", F.softplus, beta=2.0, threshold=5.0),
    pointwise("softsign", F.softsign),
    pointwise("log_sigmoid", F.logsigmoid),
    pointwise("exp", torch.exp),
    pointwise("log", torch.log, positive),
    pointwise("sqrt", torch.sqrt, positive),
    pointwise("square", torch.square),
    pointwise("pow", torch.pow, exponent=3),
    pointwise("pow", torch.pow, positive, exponent=-0.5),
    pointwise("abs", torch.abs),
    pointwise("neg", torch.neg),
    pointwise("reciprocal", torch.reciprocal, positive),
    pointwise("clamp", torch.clamp, min=-1.0),
    pointwise("clamp", torch.clamp, min=-1.0, max=2.0),
    said("prelu", F.prelu, weights={"weight": (2,)}),
    said("prelu", F.prelu, weights={"weight": (1,)}),
    said("dropout", F.dropout, p=0.3, training=False),
    said("dropout", F.dropout, p=0.3, training=True),
    said("channel_dropout", F.dropout2d, p=0.5, training=True),
    said("identity", torch.clone),
    said("linear", F.linear, ((5,),), {"weight": (3, 5), "bias": (3,)}),
    said("linear", F.linear, ((4, 5),), {"weight": (3, 5)}),
    Example("embedding", ((6,),), F.embedding, {}, {"weight": (5, 3)}, make=tokens),
    Example("embedding", ((6,),), lambda x, weight: F.embedding(x, weight, padding_idx=1), {"padding_idx": 1},
            {"weight": (5, 3)}, make=tokens),
    Example("matmul", ((3, 4), (4, 2)), torch.matmul),
    Example("matmul", ((2, 3, 4), (2, 4, 2)), torch.matmul),
    Example("matmul", ((2, 3, 4), (4, 2)), torch.matmul, batch=False, batch_out=None),
    Example("matmul", ((4, 2), (5, 2, 3)), torch.matmul, batch=False, batch_out=None),
    Example("matmul", ((4,), (4, 2)), torch.matmul, batch=False, batch_out=None),
    Example("matmul", ((3, 4), (4,)), torch.matmul, batch=False, batch_out=None),
    Example("matmul", ((5, 3, 4), (4,)), torch.matmul, batch=False, batch_out=None),
    Example("matmul", ((4,), (4,)), torch.matmul, batch=False, batch_out=None),
    Example("addmm", ((2,), (3, 4), (4, 2)), lambda c, a, b: torch.addmm(c, a, b, beta=0.5, alpha=2.0),
            {"beta": 0.5, "alpha": 2.0}, batch=False, batch_out=None),
    Example("add", ((2, 3, 4), (2, 3, 4)), torch.add),
    Example("add", ((2, 3, 4), (2, 1, 1)), lambda x, y: torch.add(x, y, alpha=3), {"alpha": 3}),
    Example("add", ((2, 3),), lambda x: x + 1.5, {"other": 1.5}),
    Example("sub", ((2, 3), (2, 3)), torch.sub),
    Example("sub", ((2, 3),), lambda x: 2 - x, {"input": 2}),
    Example("sub", ((2, 3),), lambda x: x - 2, {"other": 2}),
    Example("mul", ((2, 3, 4), (2, 1, 1)), torch.mul),
    Example("mul", ((3, 4), (3, 4)), torch.mul),
    Example("mul", ((3, 4),), lambda x: 0.3 * x, {"other": 0.3}),
    Example("div", ((3, 4), (3, 4)), torch.div, make=positive),
    Example("div", ((3, 4),), lambda x: x / 7, {"other": 7}),
    Example("div", ((3, 4),), lambda x: 7 / x, {"input": 7}, make=positive),
    Example("maximum", ((3, 4), (3, 4)), torch.maximum),
    said("mean", torch.mean, dim=(2, 3)),
    said("mean", torch.mean, dim=-1, keepdim=True),
    Example("mean", MAPS, torch.mean, batch_out=None),
    said("sum", torch.sum, dim=1),
    said("sum", torch.sum, dim=[1, -1], keepdim=True),
    Example("max", MAPS, lambda x: torch.max(x, 1).values, {"dim": 1}),
    Example("max", MAPS, torch.max, batch_out=None),
    said("amax", torch.amax, dim=(2, 3)),
    said("softmax", F.softmax, ((6,),), dim=-1),
    said("softmax", F.softmax, ((2, 3, 4),), dim=2),
    said("log_softmax", F.log_softmax, ((6,),), dim=1),
    said("log_softmax", F.log_softmax, ((3, 4),), dim=-1),
    Example("cross_entropy", ((5,),), lambda z: F.cross_entropy(z, torch.tensor([3])), {"target": 3}, batch_out=None),
    Example("cross_entropy", ((5,),), lambda z: F.cross_entropy(z, torch.tensor([3]), label_smoothing=0.2),
            {"target": 3, "label_smoothing": 0.2}, batch_out=None),
    Example("cross_entropy", ((5,),), lambda z, weight: F.cross_entropy(z, torch.tensor([3]), weight, reduction="sum",
                                                                      label_smoothing=0.2),
            {"target": 3, "label_smoothing": 0.2, "reduction": "sum"}, {"weight": (5,)}, batch_out=None,
            buffers=("weight",)),
    Example("cross_entropy", ((4, 5),), lambda z: F.cross_entropy(z, torch.tensor([3, 0, -100, 1])),
            {"target": (3, 0, -100, 1)}, batch=False, batch_out=None),
    Example("cross_entropy", ((4, 2, 3),), lambda z: F.cross_entropy(z, torch.tensor([[[3, 0, 1], [1, 1, 2]]])),
            {"target": ((3, 0, 1), (1, 1, 2))}, batch_out=None),
    Example("cross_entropy", ((4, 3),), lambda z: F.cross_entropy(z, torch.tensor([[3, 0, 1]]), reduction="none"),
            {"target": (3, 0, 1), "reduction": "none"}),
    Example("cross_entropy", ((4, 5),), lambda z: F.cross_entropy(z, torch.tensor([3, 0, -100, 1])),
            {"target": (3, 0, -100, 1)}, batch=False, batch_out=None),
    Example("cross_entropy", ((4, 5),), lambda z: F.cross_entropy(z, torch.tensor([-100, -100, 2, -100])),
            {"target": (-100, -100, 2, -100)}, batch=False, batch_out=None),
    Example("ctc_loss", ((9, 5),), lambda z: ctc(z, (1, 3, 3, 2), 0, "sum"),
            {"target": (1, 3, 3, 2), "blank": 0, "reduction": "sum"}, batch_out=None),
    Example("ctc_loss", ((4, 5),), lambda z: ctc(z, (2, 2, 0), 4, "mean"), {"target": (2, 2, 0), "blank": 4},
            batch_out=None),
    Example("ctc_loss", ((3, 2),), lambda z: ctc(z, (1,), 0, "sum"), {"target": (1,), "blank": 0, "reduction": "sum"},
            batch_out=None),
    Example("nll_loss", ((5,),), lambda z: F.nll_loss(z, torch.tensor([2])), {"target": (2,)}, batch_out=None),
    Example("nll_loss", ((3, 5),), lambda z, weight: F.nll_loss(z, torch.tensor([2, 0, 4]), weight),
            {"target": (2, 0, 4)}, {"weight": (5,)}, batch=False, batch_out=None, buffers=("weight",)),
    Example("mse_loss", ((1,),), lambda y: F.mse_loss(y, torch.tensor([[1.25]], dtype=y.dtype)), {"target": 1.25},
            batch_out=None),
    Example("mse_loss", ((4, 3),), lambda y: F.mse_loss(y, torch.full_like(y, -0.5), reduction="sum"),
            {"target": -0.5, "reduction": "sum"}, batch_out=None),
    Example("mse_loss", ((4, 3), (4, 3)), F.mse_loss, batch_out=None),
    Example("mse_loss", ((4, 3), (4, 3)), lambda y, t: F.mse_loss(y, t, reduction="none"), {"reduction": "none"}),
    Example("binary_cross_entropy", ((4, 3), (4, 3)), F.binary_cross_entropy, make=torch.sigmoid, batch_out=None),
    Example("binary_cross_entropy", ((5,), (5,)), lambda p, t: F.binary_cross_entropy(p, t, reduction="none"),
            {"reduction": "none"}, make=torch.sigmoid),
    Example("binary_cross_entropy_with_logits", ((4, 3), (4, 3)), F.binary_cross_entropy_with_logits, batch_out=None),
    Example("binary_cross_entropy_with_logits", ((1, 2, 3), (1, 2, 3)),
            lambda z, t: F.binary_cross_entropy_with_logits(z, t, reduction="sum"), {"reduction": "sum"},
            batch_out=None),
    Example("binary_cross_entropy_with_logits", ((5,), (5,)),
            lambda z, t: F.binary_cross_entropy_with_logits(z, t, reduction="none"), {"reduction": "none"}),
    Example("logit", ((5,),), lambda z: z[0, 3], {"index": 3}, batch_out=None),
    Example("logit", ((2, 3),), lambda z: z[0, 1, 2], {"index": (1, 2)}, batch_out=None),
    Example("batch_norm", MAPS, lambda x, running_mean, running_var, **w: F.batch_norm(x, running_mean, running_var,
                                                                                     **w), {"training": False},
            {"running_mean": (2,), "running_var": (2,), "weight": (2,), "bias": (2,)},
            buffers=("running_mean", "running_var")),
    Example("batch_norm", MAPS, lambda x, **w: F.batch_norm(x, None, None, **w, training=True, eps=0.01),
            {"training": True, "eps": 0.01}, {"weight": (2,), "bias": (2,)}),
    Example("batch_norm", ((4, 3),), lambda x, **w: F.batch_norm(x, None, None, **w, training=True),
            {"training": True}, {"weight": (3,), "bias": (3,)}, batch=False, batch_out=None),
    Example("instance_norm", MAPS, lambda x, **w: F.instance_norm(x, **w), {}, {"weight": (2,), "bias": (2,)}),
    Example("instance_norm", MAPS, lambda x, running_mean, running_var: F.instance_norm(
        x, running_mean, running_var, use_input_stats=False), {"use_input_stats": False},
            {"running_mean": (2,), "running_var": (2,)}, buffers=("running_mean", "running_var")),
    said("group_norm", F.group_norm, ((4, 3, 2),), {"weight": (4,), "bias": (4,)}, num_groups=2),
    said("layer_norm", F.layer_norm, ((3, 5),), {"weight": (5,), "bias": (5,)}, normalized_shape=(5,)),
    said("layer_norm", F.layer_norm, ((2, 3, 4),), {"weight": (3, 4)}, normalized_shape=(3, 4)),
    said("rms_norm", F.rms_norm, ((3, 5),), {"weight": (5,)}, normalized_shape=(5,)),
    Example("flatten", MAPS, lambda x: x.flatten(1), {"start_dim": 1}),
    Example("reshape", MAPS, lambda x: x.view(1, 5, 12), {"shape": (1, 5, 12)}),
    Example("squeeze", ((3, 1, 2),), lambda x: x.squeeze(2), {"dim": 2}),
    Example("unsqueeze", LINE, lambda x: x.unsqueeze(1), {"dim": 1}),
    Example("permute", MAPS, lambda x: x.permute(0, 3, 1, 2), {"dims": (0, 3, 1, 2)}),
    Example("permute", LINE, lambda x: x.permute(2, 0, 1), {"dims": (2, 0, 1)}, batch_out=1),
    Example("transpose", MAPS, lambda x: x.transpose(-1, 1), {"dim0": -1, "dim1": 1}),
    Example("turn", LINE, lambda x: x.mT),
    Example("reverse_axes", LINE, lambda x: x.T, batch=False, batch_out=None),
    Example("movedim", MAPS, lambda x: x.movedim(1, -1), {"source": 1, "destination": -1}),
    Example("select", MAPS, lambda x: x.select(2, -1), {"dim": 2, "index": -1}),
    Example("narrow", MAPS, lambda x: x.narrow(3, 1, 4), {"dim": 3, "start": 1, "length": 4}),
    Example("slice", MAPS, lambda x: x[:, :, 1:5:2], {"dim": 2, "start": 1, "end": 5, "step": 2}),
    Example("getitem", MAPS, lambda x: x[:, 1], {"index": (("slice", None, None, None), 1)}),
    Example("getitem", MAPS, lambda x: x[..., 1:5:2], {"index": ("...", ("slice", 1, 5, 2))}),
    Example("getitem", MAPS, lambda x: x[:, None, 0], {"index": (("slice", None, None, None), None, 0)}),
    Example("getitem", MAPS, lambda x: x[0], {"index": 0}, batch_out=None),
    Example("getitem", LINE, lambda x: x[[2, 0]], {"index": (2, 0)}, batch=False, batch_out=None),
    Example("chunk", LINE, lambda x: x.chunk(3, 2)[1], {"chunks": 3, "dim": 2, "part": 1}),
    Example("split", LINE, lambda x: x.split([2, 4, 1], 2)[1], {"split_size": (2, 4, 1), "dim": 2, "part": 1}),
    Example("split", LINE, lambda x: x.split(3, -1)[2], {"split_size": 3, "dim": -1, "part": 2}),
    Example("unbind", LINE, lambda x: x.unbind(1)[2], {"dim": 1, "part": 2}),
    Example("cat", ((2, 3, 4), (1, 3, 4)), lambda x, y: torch.cat([x, y], 1), {"dim": 1}),
    Example("cat", ((2, 3), (2, 3)), lambda x, y: torch.cat([x, y], -1), {"dim": -1}),
    Example("stack", ((2, 3), (2, 3)), lambda x, y: torch.stack([x, y], 2), {"dim": 2}),
    Example("flip", MAPS, lambda x: x.flip(3), {"dims": 3}),
    Example("roll", MAPS, lambda x: x.roll((1, -2), (2, 3)), {"shifts": (1, -2), "dims": (2, 3)}),
    Example("repeat", LINE, lambda x: x.repeat(1, 2, 1), {"repeats": (1, 2, 1)}),
    Example("expand", ((3, 1),), lambda x: x.expand(-1, 3, 4), {"size": (-1, 3, 4)}),
    said("pad", F.pad, pad=(1, 2, 0, 1)),
    said("pad", F.pad, pad=(1, -1), value=0.5),
    said("pad", F.pad, pad=(2, 1, 1, 1), mode="reflect"),
    said("pad", F.pad, LINE, pad=(2, 1), mode="replicate"),
    said("pad", F.pad, pad=(2, 1, 1, 3), mode="circular"),
    said("upsample", F.interpolate, scale_factor=2),
    said("upsample", F.interpolate, size=(7, 9), mode="nearest"),
    said("pixel_shuffle", F.pixel_shuffle, ((8, 2, 3),), upscale_factor=2),
)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_terms_make_torchs_numbers_and_gradients_in_float64(example: Example) -> None:
    torch.manual_seed(1)
    compare(example, torch.float64)


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_terms_make_torchs_numbers_and_gradients_in_float32(example: Example) -> None:
    torch.manual_seed(1)
    compare(example, torch.float32, seed=1)


def test_every_kind_has_an_example() -> None:
    """A file that tests further kinds says which, in a set `COVERS`."""
    covered = {example.kind for example in EXAMPLES}
    for path in Path(__file__).parent.glob("test_kinds_*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "COVERS":
                covered |= set(ast.literal_eval(node.value))
    assert {kind.name for kind in kinds.all_kinds()} - covered == set()


def test_every_call_is_spoken_for_by_one_kind() -> None:
    calls = [call for kind in kinds.all_kinds() for call in kind.calls]
    assert len(calls) == len(set(calls))
    names = [kind.name for kind in kinds.all_kinds()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_every_kind_says_one_plain_sentence_with_true_signs(example: Example) -> None:
    trace = recorded(example, torch.float64)
    layer = trace["y"]
    kind = kinds.of(layer)
    assert kind is not None
    sentence, short = kinds.sentence(trace, "y"), kind.short(layer, trace.inputs(layer))
    assert sentence.endswith(".")
    assert sentence[0].isupper() or sentence[0].isdigit() or sentence.startswith(("x0", "x1"))
    assert kind.cost(layer, trace.inputs(layer)).macs >= 0
    for words in (sentence, short):
        assert "{" not in words
        assert "-" not in words.replace("element-wise", "").replace("Log-softmax", "").replace("straight-line", "") \
            .replace("Log-sigmoid", "")
        assert "None" not in words
        assert "  " not in words


TIGHT = {"conv1d", "conv2d", "conv_transpose1d", "conv_transpose2d", "avg_pool1d", "avg_pool2d", "linear", "matmul",
         "adaptive_avg_pool1d", "adaptive_avg_pool2d", "addmm", "add", "sub", "mean", "sum", "neg", "identity",
         *(kind.name for kind in shape.KINDS)}
"""Kinds that every cell of the box can change, at its edges at least."""


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_the_source_box_holds_what_autograd_finds_and_is_no_larger_than_needed(example: Example) -> None:
    if example.make is tokens or (example.settings.get("training") and "dropout" in example.kind):
        pytest.skip("no gradient, or a random one")
    trace = recorded(example, torch.float64)
    layer = trace["y"]
    kind = kinds.of(layer)
    assert kind is not None
    reads = [torch.tensor(source.output) for source in trace.inputs(layer)]
    reads = [(x[None] if example.batch else x).clone().requires_grad_() for x in reads]
    flat = called(example, reads, {name: torch.tensor(w) for name, w in layer.weights.items()}).reshape(-1)
    for place in {0, flat.numel() // 2, flat.numel() - 1}:
        cell = tuple(int(i) for i in np.unravel_index(place, layer.shape)) if layer.shape else ()
        gradients = torch.autograd.grad(flat[place], reads, retain_graph=True, allow_unused=True,
                                        materialize_grads=True)
        for which, (gradient, source) in enumerate(zip(gradients, trace.inputs(layer), strict=True)):
            box = kind.source_box(layer, trace.inputs(layer), which, tuple((i, i) for i in cell))
            support = np.argwhere(gradient.reshape(source.shape).numpy() != 0)
            if not len(support):
                continue
            least = list(zip(support.min(axis=0).tolist(), support.max(axis=0).tolist(), strict=True))
            assert all(a <= c and d <= b for (a, b), (c, d) in zip(box, least, strict=True)), (cell, box, least)
            in_layer = all(0 <= low and high < size for (low, high), size in zip(box, source.shape, strict=True))
            plain = example.settings.get("mode", "constant") in ("constant", "nearest")
            if example.kind in TIGHT and in_layer and plain:
                assert list(box) == least, (cell, box, least)


def test_an_input_that_a_cell_does_not_see_has_an_empty_box() -> None:
    trace = recorded(next(example for example in EXAMPLES if example.kind == "cat"), torch.float64)
    assert set(kinds.receptive_field(trace, "y", (0, 1, 1))) == {"y", "x0"}
    assert kinds.receptive_field(trace, "y", (2, 1, 1)) == {"y": ((2, 2), (1, 1), (1, 1)),
                                                           "x1": ((0, 0), (1, 1), (1, 1))}


def test_reading_outside_a_layer_says_what_there_is() -> None:
    trace = recorded(EXAMPLES[2], torch.float64)
    with pytest.raises(IndexError, match=r"y has no cell \(9, 0, 0\); it has axis0 0…3"):
        kinds.terms(trace, "y", (9, 0, 0))
    with pytest.raises(LookupError, match="x0 cannot be taken apart: it is the input"):
        kinds.terms(trace, "x0", (0, 0, 0))
    with pytest.raises(LookupError, match="y has no weight 'running_mean'; it has weight, bias"):
        kinds.weight_terms(trace, "y", "running_mean", (0,))
