"""Products of matrices, sums over axes, losses."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from visualizer.record.formats.onnx.operators._table import Said, listed, operator


@operator("MatMul")
def _matmul(how: Said, x: Tensor, y: Tensor) -> Tensor:
    return torch.matmul(x, y)


@operator("visualizer.Linear")
def _linear(how: Said, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """What a product with a constant matrix is once a file has been read, with the bias that is added behind it."""
    return F.linear(x, weight, bias)


@operator("Gemm")
def _gemm(how: Said, x: Tensor, y: Tensor, more: Tensor | None = None) -> Tensor:
    x, y = (x.t() if how.get("transA", 0) else x), (y.t() if how.get("transB", 0) else y)
    alpha, beta = how.get("alpha", 1.0), how.get("beta", 1.0)
    made = torch.matmul(x, y)
    if alpha != 1:
        made = torch.mul(made, alpha)
    if more is None or beta == 0:
        return made
    return torch.add(made, more if beta == 1 else torch.mul(more, beta))


@operator("com.microsoft.FusedMatMul")
def _fused(how: Said, x: Tensor, y: Tensor) -> Tensor:
    x, y = (x.mT if how.get("transA", 0) else x), (y.mT if how.get("transB", 0) else y)
    made = torch.matmul(x, y)
    return made if how.get("alpha", 1.0) == 1 else torch.mul(made, how.get("alpha", 1.0))


@operator("Einsum")
def _einsum(how: Said, *xs: Tensor) -> Tensor:
    return torch.einsum(how.get("equation"), *xs)


@operator("Det")
def _det(how: Said, x: Tensor) -> Tensor:
    return torch.linalg.det(x)


# --- over axes ------------------------------------------------------------------------------------------------------

def _axes(how: Said, x: Tensor, axes: Any) -> tuple[int, ...] | None:
    """Those that are reduced; None where nothing is."""
    axes = how.get("axes", axes)
    if not axes and axes != 0:
        return None if how.get("noop_with_empty_axes", 0) else tuple(range(x.dim()))
    return tuple(axis % x.dim() for axis in listed(axes)) if x.dim() else ()


def _reduced(does: Any, before: Any = None, after: Any = None) -> Any:
    def made(how: Said, x: Tensor, axes: Any = None) -> Tensor:
        over, kept = _axes(how, x, axes), bool(how.get("keepdims", 1))
        first = x if before is None else before(x)
        found = does(first, over, kept) if over else first
        found = found if after is None else after(found)
        return found if found.dtype == x.dtype or found.dtype == torch.bool else found.to(x.dtype)

    return made


def _largest(x: Tensor, axes: tuple[int, ...], kept: bool) -> Tensor:
    return _extreme(x, axes, kept, torch.amax, -1)


def _smallest(x: Tensor, axes: tuple[int, ...], kept: bool) -> Tensor:
    return _extreme(x, axes, kept, torch.amin, 1)


def _extreme(x: Tensor, axes: tuple[int, ...], kept: bool, does: Any, sign: int) -> Tensor:
    if x.dtype == torch.bool:
        return _extreme(x.byte(), axes, kept, does, sign).bool()
    if any(x.shape[axis] == 0 for axis in axes):
        if x.is_floating_point():
            edge = sign * float("inf")
        else:
            edge = torch.iinfo(x.dtype).max if sign > 0 else torch.iinfo(x.dtype).min
        sizes = [1 if axis in axes else size for axis, size in enumerate(x.shape) if kept or axis not in axes]
        return torch.full(sizes, edge, dtype=x.dtype, device=x.device)
    return does(x, axes, kept)  # type: ignore[no-any-return]


def _product(x: Tensor, axes: tuple[int, ...], kept: bool) -> Tensor:
    for axis in sorted(axes, reverse=True):
        x = torch.prod(x, axis, keepdim=kept)
    return x


def _mean(x: Tensor, axes: tuple[int, ...], kept: bool) -> Tensor:
    return torch.mean(x, axes, kept) if x.is_floating_point() else torch.div(
        torch.sum(x, axes, kept), max(1, torch.Size([x.shape[axis] for axis in axes]).numel()), rounding_mode="floor")


def _norm(x: Tensor, axes: tuple[int, ...], kept: bool) -> Tensor:
    return torch.sqrt(torch.sum(torch.square(x).to(torch.float64) if not x.is_floating_point() else torch.square(x),
                                axes, kept))


for _name, _made in {
        "ReduceSum": _reduced(torch.sum), "ReduceMean": _reduced(_mean), "ReduceMax": _reduced(_largest),
        "ReduceMin": _reduced(_smallest), "ReduceProd": _reduced(_product),
        "ReduceL1": _reduced(torch.sum, before=torch.abs), "ReduceL2": _reduced(_norm),
        "ReduceLogSum": _reduced(torch.sum, after=torch.log), "ReduceLogSumExp": _reduced(torch.logsumexp),
        "ReduceSumSquare": _reduced(torch.sum, before=torch.square)}.items():
    operator(_name, told=(1,))(_made)


@operator("ArgMax", "ArgMin")
def _arg(how: Any, x: Tensor) -> Tensor:
    axis, does = how.get("axis", 0) % x.dim(), torch.argmax if how.op == "ArgMax" else torch.argmin
    if not how.get("select_last_index", 0):
        return does(x, axis, bool(how.get("keepdims", 1)))
    made = does(torch.flip(x, [axis]), axis, bool(how.get("keepdims", 1)))
    return x.shape[axis] - 1 - made


def _running(does: Any, beginning: int) -> Any:
    def made(how: Said, x: Tensor, axis: Any) -> Tensor:
        (axis,) = listed(axis)
        turned = bool(how.get("reverse", 0))
        x = torch.flip(x, [axis]) if turned else x
        found = does(x, axis).to(x.dtype)
        if how.get("exclusive", 0):
            first = torch.full_like(x.narrow(axis, 0, 1), beginning)
            found = torch.cat([first, found.narrow(axis, 0, x.shape[axis] - 1)], axis)
        return torch.flip(found, [axis]) if turned else found

    return made


operator("CumSum", told=(1,))(_running(torch.cumsum, 0))
operator("CumProd", told=(1,))(_running(torch.cumprod, 1))


# --- losses ---------------------------------------------------------------------------------------------------------

@operator("SoftmaxCrossEntropyLoss")
def _cross_entropy(how: Said, x: Tensor, target: Tensor, weight: Tensor | None = None) -> Any:
    loss = F.cross_entropy(x, target.long(), weight, ignore_index=how.get("ignore_index", -100),
                           reduction=how.get("reduction", "mean"))
    return (loss, torch.log_softmax(x, 1)) if len(how.made) > 1 else loss


@operator("NegativeLogLikelihoodLoss")
def _likelihood(how: Said, x: Tensor, target: Tensor, weight: Tensor | None = None) -> Tensor:
    return F.nll_loss(x, target.long(), weight, ignore_index=how.get("ignore_index", -100),
                      reduction=how.get("reduction", "mean"))
