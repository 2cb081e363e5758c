"""Functions of torch that are made of others: attention, normalisation of a vector, a loss over triplets.

What torch writes in Python is run again with its own calls seen, one by one; what it has compiled into one is run as
the documented steps, if these make the same numbers. So each step is a layer that can be looked at.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

SEEN = ("has_torch_function", "has_torch_function_unary", "has_torch_function_variadic")
"""By these the functions that torch writes in Python ask whether somebody wants to see them."""
SHAPES = frozenset({
    "grad", "stft", "istft", "unique", "unique_consecutive", "split", "block_diag", "lu", "unravel_index",
})
"""Written in Python, but no more than the arguments of one compiled call brought in order."""
CLOSE = {torch.float64: 1e-12, torch.float32: 1e-5}


@lru_cache(256)
def written_out(func: Any) -> Callable[..., Any] | None:
    """A function of torch as one that hands its steps to whoever watches; None if it is one step.

    The same code in a copy of its module, in which nobody asks to see the whole of it.
    """
    inner = getattr(func, "__wrapped__", None)
    if not isinstance(func, FunctionType) or not str(func.__module__).startswith("torch"):
        return None
    if func.__name__ in SHAPES or not (_asks(func.__code__) or (inner is not None and _asks(inner.__code__))):
        return None
    unseen = {name: _nobody for name in SEEN if name in func.__globals__}
    copied = FunctionType(func.__code__, {**func.__globals__, **unseen}, func.__name__, func.__defaults__,
                          func.__closure__)
    copied.__kwdefaults__ = func.__kwdefaults__
    return copied


def documented(name: str) -> Callable[..., Any] | None:
    """The steps that torch documents of a function that it has compiled into one."""
    return DOCUMENTED.get(name)


def in_another_form(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a call that is one step otherwise is made of several in this form: a loss against shares of classes, the
    norm of a matrix."""
    if name == "linalg_norm":
        return _of_a_matrix(*args, **kwargs)
    if name != "cross_entropy":
        return False
    target = args[1] if len(args) > 1 else kwargs.get("target")
    return isinstance(target, Tensor) and target.is_floating_point()


def same(func: Callable[[], Any], steps: Callable[[], Any], rewind: Callable[[], None]) -> bool:
    """Whether a function and its steps make the same numbers but for rounding, from the same chance."""
    one = func()
    rewind()
    other = steps()
    if not (isinstance(one, Tensor) and isinstance(other, Tensor)) or one.shape != other.shape:
        return False
    tolerance = CLOSE.get(one.dtype, 5e-2)
    return bool(torch.allclose(one.detach(), other.detach(), rtol=tolerance, atol=tolerance, equal_nan=True))


def _asks(code: CodeType) -> bool:
    return any(name in SEEN for name in code.co_names)


def _nobody(*given: Any) -> bool:
    return False


# --- what torch documents of its compiled functions -------------------------------------------------------------------

def _attention(query: Tensor, key: Tensor, value: Tensor, attn_mask: Tensor | None = None, dropout_p: float = 0.0,
               is_causal: bool = False, scale: float | None = None, enable_gqa: bool = False) -> Tensor:
    """softmax(Q·Kᵀ·scale + mask)·V, from Vaswani et al. 2017; heads of the keys are repeated for groups of queries."""
    if enable_gqa:
        key = key.repeat_interleave(query.size(-3) // key.size(-3), -3)
        value = value.repeat_interleave(query.size(-3) // value.size(-3), -3)
    factor = 1 / math.sqrt(query.size(-1)) if scale is None else scale
    scores = torch.matmul(query, key.transpose(-2, -1)) * factor
    if is_causal:
        future = torch.ones(query.size(-2), key.size(-2), dtype=torch.bool, device=query.device).triu(1)
        scores = scores.masked_fill(future, -math.inf)
    if attn_mask is not None:
        scores = scores.masked_fill(attn_mask.logical_not(), -math.inf) if attn_mask.dtype == torch.bool \
            else scores + attn_mask
    shares = torch.softmax(scores, -1)
    if dropout_p > 0.0:
        shares = F.dropout(shares, dropout_p, True)
    return torch.matmul(shares, value)


def _against_shares(input: Tensor, target: Tensor, weight: Tensor | None = None, size_average: Any = None,
                    ignore_index: int = -100, reduce: Any = None, reduction: str = "mean",
                    label_smoothing: float = 0.0) -> Tensor:
    """−Σ t·ln p over the classes, the mean of all places."""
    axis = 1 if input.dim() > 1 else 0
    if label_smoothing > 0:
        target = target * (1 - label_smoothing) + label_smoothing / target.size(axis)
    parts = torch.log_softmax(input, axis) * target
    if weight is not None:
        parts = parts * weight.reshape(-1, *[1] * (input.dim() - axis - 1))
    costs = -parts.sum(axis)
    return costs if reduction == "none" else costs.sum() if reduction == "sum" else costs.mean()


def _triplet(anchor: Tensor, positive: Tensor, negative: Tensor, margin: float = 1.0, p: float = 2.0,
             eps: float = 1e-6, swap: bool = False, reduction: int = 1) -> Tensor:
    """How much nearer the anchor should be to the one than to the other (Balntas et al. 2016)."""
    near = F.pairwise_distance(anchor, positive, p, eps)
    far = F.pairwise_distance(anchor, negative, p, eps)
    if swap:
        far = torch.minimum(far, F.pairwise_distance(positive, negative, p, eps))
    return _reduced((near - far + margin).clamp_min(0), reduction)


def _cosine(input1: Tensor, input2: Tensor, target: Tensor, margin: float = 0.0, reduction: int = 1) -> Tensor:
    """1 − cos for what belongs together, what is above the margin for what does not."""
    cosine = F.cosine_similarity(input1, input2, -1, 1e-12)
    return _reduced(torch.where(target == 1, 1 - cosine, (cosine - margin).clamp_min(0)), reduction)


def _margins(input: Tensor, target: Tensor, p: float = 1, margin: float = 1.0, weight: Tensor | None = None,
             reduction: int = 1) -> Tensor:
    """What each wrong class lacks to being a margin below the right one."""
    scores, wanted = (input, target) if input.dim() > 1 else (input[None], target.reshape(1))
    right = scores.gather(1, wanted[:, None])
    lacks = (margin - right + scores).clamp_min(0).pow(p)
    if weight is not None:
        lacks = lacks * weight[wanted][:, None]
    costs = lacks.scatter(1, wanted[:, None], 0.0).sum(1) / scores.size(1)
    return _reduced(costs if input.dim() > 1 else costs.squeeze(0), reduction)


def _chain(tensors: Any) -> Tensor:
    """A product of several matrices, from the left."""
    made: Tensor = tensors[0]
    for other in tensors[1:]:
        made = torch.matmul(made, other)
    return made


def _of_a_matrix(*args: Any, **kwargs: Any) -> bool:
    """Whether a norm is asked of matrices, and not of the numbers in them as of one line."""
    said = dict(zip(("A", "ord", "dim"), args, strict=False)) | kwargs
    order, dim = said.get("ord"), said.get("dim")
    if order in (None, "fro"):
        return False
    if isinstance(dim, tuple | list):
        return len(dim) == 2
    return dim is None and said.get("A", said.get("input")).dim() == 2


def _matrix_norm(A: Tensor, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None,
                 ) -> Tensor:
    """The largest sum of a row or a column, or what singular values say."""
    rows, columns = (-2, -1) if dim is None else dim
    if ord == "fro":
        return torch.linalg.vector_norm(A, 2, (rows, columns), keepdim)
    if ord in ("nuc", 2, -2):
        sizes = torch.linalg.svdvals(torch.movedim(A, (rows, columns), (-2, -1)))
        found = sizes.sum(-1) if ord == "nuc" else sizes.amax(-1) if ord > 0 else sizes.amin(-1)
        if keepdim:
            for axis in sorted((rows % A.dim(), columns % A.dim())):
                found = found.unsqueeze(axis)
        return found
    along, over = (rows, columns) if abs(ord) == 1 else (columns, rows)
    sums = A.abs().sum(along, True)
    found = sums.amax(over, True) if ord > 0 else sums.amin(over, True)
    return found if keepdim else found.squeeze((rows, columns))


def _condition(input: Tensor, p: Any = None) -> Tensor:
    """The longest singular value by the shortest, or a norm times that of the inverse."""
    if p in (None, 2, -2):
        sizes = torch.linalg.svdvals(input)
        long, short = sizes[..., 0], sizes[..., -1]
        return short / long if p == -2 else long / short
    return _matrix_norm(input, p) * _matrix_norm(torch.linalg.inv(input), p)


def _trace(input: Tensor) -> Tensor:
    """The sum of the diagonal."""
    return input.diagonal().sum()


def _kron(input: Tensor, other: Tensor) -> Tensor:
    """Every number of the one times the whole of the other."""
    count = max(input.dim(), other.dim())
    a = input.reshape([1] * (count - input.dim()) + list(input.shape))
    b = other.reshape([1] * (count - other.dim()) + list(other.shape))
    sizes = [long * short for long, short in zip(a.shape, b.shape, strict=True)]
    return (a.reshape([size for each in a.shape for size in (each, 1)])
            * b.reshape([size for each in b.shape for size in (1, each)])).reshape(sizes)


def _blocks(*tensors: Any) -> Tensor:
    """Matrices along a diagonal, among zeros."""
    given = [torch.atleast_2d(tensor) for tensor in (tensors[0] if isinstance(tensors[0], tuple | list) else tensors)]
    widths = [tensor.size(1) for tensor in given]
    return torch.cat([F.pad(tensor, (sum(widths[:number]), sum(widths[number + 1:])))
                      for number, tensor in enumerate(given)])


def _every_pair(*tensors: Any) -> Tensor:
    """Every way to take one number of each."""
    given = tensors[0] if isinstance(tensors[0], tuple | list) else tensors
    return torch.stack([grid.reshape(-1) for grid in torch.meshgrid(*given, indexing="ij")], 1)


def _put_at(input: Tensor, indices: Any, values: Tensor, accumulate: bool = False) -> Tensor:
    """Numbers put in places, or added there as often as a place is named."""
    if not accumulate:
        made = input.clone()
        made[tuple(indices)] = values
        return made
    places = torch.arange(input.numel()).reshape(input.shape)[tuple(indices)]
    added = values.expand(places.shape).reshape(-1)
    return input.reshape(-1).index_add(0, places.reshape(-1), added).reshape(input.shape)


def _padded_together(sequences: Any, batch_first: bool = False, padding_value: float = 0.0,
                     padding_side: str = "right") -> Tensor:
    """Sequences side by side, the shorter ones padded."""
    longest = max(len(each) for each in sequences)
    made = [F.pad(each, (0, 0) * (each.dim() - 1) + ((longest - len(each), 0) if padding_side == "left"
                                                     else (0, longest - len(each))), value=padding_value)
            for each in sequences]
    return torch.stack(made, 0 if batch_first else 1)


def _reduced(costs: Tensor, reduction: int) -> Tensor:
    """torch numbers the ways to put losses together: none, mean, sum."""
    return costs if reduction == 0 else costs.mean() if reduction == 1 else costs.sum()


DOCUMENTED: dict[str, Callable[..., Any]] = {
    "cross_entropy": _against_shares,
    "scaled_dot_product_attention": _attention,
    "triplet_margin_loss": _triplet,
    "cosine_embedding_loss": _cosine,
    "multi_margin_loss": _margins,
    "linalg_multi_dot": _chain,
    "chain_matmul": _chain,
    "linalg_norm": _matrix_norm,
    "linalg_matrix_norm": _matrix_norm,
    "linalg_cond": _condition,
    "trace": _trace,
    "kron": _kron,
    "block_diag": _blocks,
    "cartesian_prod": _every_pair,
    "index_put": _put_at,
    "pad_sequence": _padded_together,
}
