"""Number by number: arithmetic, comparisons, activations."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from visualizer.record.formats.onnx.operators._table import Said, operator

_PLAIN = {
    "Abs": torch.abs, "Acos": torch.acos, "Acosh": torch.acosh, "Asin": torch.asin, "Asinh": torch.asinh,
    "Atan": torch.atan, "Atanh": torch.atanh, "Ceil": torch.ceil, "Cos": torch.cos, "Cosh": torch.cosh,
    "Erf": torch.erf, "Exp": torch.exp, "Floor": torch.floor, "Log": torch.log, "Neg": torch.neg,
    "Reciprocal": torch.reciprocal, "Round": torch.round, "Sigmoid": torch.sigmoid, "Sign": torch.sign,
    "Sin": torch.sin, "Sinh": torch.sinh, "Sqrt": torch.sqrt, "Tan": torch.tan, "Tanh": torch.tanh,
    "Not": torch.logical_not, "IsNaN": torch.isnan, "Relu": F.relu,
    "Softsign": F.softsign, "HardSwish": F.hardswish, "Mish": F.mish}
for _name, _does in _PLAIN.items():
    operator(_name)(lambda how, x, does=_does: does(x))

_PAIRS = {
    "Add": torch.add, "Sub": torch.sub, "Mul": torch.mul, "And": torch.logical_and, "Or": torch.logical_or,
    "Xor": torch.logical_xor, "Equal": torch.eq, "Greater": torch.gt, "GreaterOrEqual": torch.ge, "Less": torch.lt,
    "LessOrEqual": torch.le, "BitwiseAnd": torch.bitwise_and, "BitwiseOr": torch.bitwise_or,
    "BitwiseXor": torch.bitwise_xor}
_TURNED = {torch.gt: torch.lt, torch.ge: torch.le, torch.lt: torch.gt, torch.le: torch.ge}


def _pair(does: Any, x: Any, y: Any) -> Tensor:
    """Of two tensors, or of one and a number; functions of torch want the tensor first."""
    if isinstance(x, Tensor):
        if x.dtype in (torch.uint16, torch.uint32, torch.uint64):  # torch computes with few of these
            return does(x.long(), y.long() if isinstance(y, Tensor) else y).to(
                torch.bool if does in _COMPARE else x.dtype)
        return does(x, y)  # type: ignore[no-any-return]
    if does is torch.sub:
        return torch.rsub(y, x)
    return _TURNED.get(does, does)(y, x)  # type: ignore[no-any-return]


_COMPARE = frozenset({torch.eq, torch.gt, torch.ge, torch.lt, torch.le})
for _name, _does in _PAIRS.items():
    operator(_name, numbers=True)(lambda how, x, y, does=_does: _pair(does, x, y))


@operator("BitwiseNot")
def _bitwise_not(how: Said, x: Tensor) -> Tensor:
    return torch.bitwise_not(x.long()).to(x.dtype) if x.dtype in (torch.uint16, torch.uint32, torch.uint64) else \
        torch.bitwise_not(x)


@operator("Identity")
def _identity(how: Said, x: Any) -> Any:
    return x


@operator("Div", numbers=True)
def _div(how: Said, x: Any, y: Any) -> Tensor:
    if not isinstance(x, Tensor):
        return torch.reciprocal(y) if x == 1 and y.is_floating_point() else torch.mul(torch.reciprocal(y), x) \
            if y.is_floating_point() else torch.div(torch.full_like(y, x), y, rounding_mode="trunc")
    if x.is_floating_point():
        return torch.div(x, y)
    if x.dtype in (torch.uint16, torch.uint32, torch.uint64):
        return _pair(torch.floor_divide, x, y)
    return torch.div(x, y, rounding_mode="trunc")


@operator("Pow", numbers=True)
def _pow(how: Said, x: Any, y: Any) -> Tensor:
    if not isinstance(x, Tensor):
        return torch.pow(torch.full_like(y, x), y)
    made = torch.pow(x, int(y) if float(y).is_integer() else y) if not isinstance(y, Tensor) else torch.pow(x, y)
    return made if made.dtype == x.dtype else made.to(x.dtype)


@operator("Mod")
def _mod(how: Said, x: Tensor, y: Tensor) -> Tensor:
    does = torch.fmod if how.get("fmod", 0) else torch.remainder
    return does(x.long(), y.long()).to(x.dtype) if x.dtype in (torch.uint16, torch.uint32, torch.uint64) else does(x, y)


@operator("BitShift")
def _shift(how: Said, x: Tensor, y: Tensor) -> Tensor:
    does = torch.bitwise_left_shift if how.get("direction") == "LEFT" else torch.bitwise_right_shift
    return does(x.long(), y.long()).to(x.dtype) if x.dtype in (torch.uint16, torch.uint32, torch.uint64) else does(x, y)


@operator("Max", "Min", "Sum", "Mean")
def _several(how: Any, *xs: Tensor) -> Tensor:
    does = {"Max": torch.maximum, "Min": torch.minimum}.get(how.op, torch.add)
    if xs[0].dtype in (torch.uint16, torch.uint32, torch.uint64):
        return _several(how, *[x.long() for x in xs]).to(xs[0].dtype)
    made = xs[0]
    for x in xs[1:]:
        made = does(made, x)
    return torch.div(made, len(xs)) if how.op == "Mean" else made


@operator("Where", numbers=True)
def _where(how: Said, chosen: Tensor, x: Any, y: Any) -> Tensor:
    like = x if isinstance(x, Tensor) else y
    if not isinstance(like, Tensor):  # two numbers
        return torch.where(chosen, *[torch.tensor(each, device=chosen.device) for each in (x, y)])
    x, y = (each if isinstance(each, Tensor) else torch.tensor(each, dtype=like.dtype, device=like.device)
            for each in (x, y))
    return torch.where(chosen, x, y)


@operator("Clip", numbers=True)
def _clip(how: Said, x: Tensor, low: Any = None, high: Any = None) -> Tensor:
    low, high = how.get("min", low), how.get("max", high)
    if low is None and high is None:
        return x
    if isinstance(low, Tensor) or isinstance(high, Tensor):
        made = x if low is None else torch.clamp(x, min=low)
        return made if high is None else torch.clamp(made, max=high)
    if x.is_floating_point():
        largest = torch.finfo(x.dtype).max
        low = None if low is not None and low <= -largest else low
        high = None if high is not None and high >= largest else high
        if (low, high) == (0, None):
            return F.relu(x)
        if (low, high) == (0, 6):
            return F.relu6(x)
        if low is None and high is None:
            return x
        if low is not None and high is not None and low < high:
            return F.hardtanh(x, low, high)
    return torch.clamp(x, low, high)


# --- activations with settings --------------------------------------------------------------------------------------

@operator("Elu")
def _elu(how: Said, x: Tensor) -> Tensor:
    return F.elu(x, how.get("alpha", 1.0))


@operator("Celu")
def _celu(how: Said, x: Tensor) -> Tensor:
    return F.celu(x, how.get("alpha", 1.0))


@operator("Selu")
def _selu(how: Said, x: Tensor) -> Tensor:
    alpha, gamma = how.get("alpha", 1.6732632423543772), how.get("gamma", 1.0507009873554805)
    if math.isclose(alpha, 1.6732632423543772, rel_tol=1e-6) and math.isclose(gamma, 1.0507009873554805, rel_tol=1e-6):
        return F.selu(x)
    return torch.mul(F.elu(x, alpha), gamma)


@operator("LeakyRelu")
def _leaky(how: Said, x: Tensor) -> Tensor:
    return F.leaky_relu(x, how.get("alpha", 0.01))


@operator("ThresholdedRelu")
def _thresholded(how: Said, x: Tensor) -> Tensor:
    return F.threshold(x, how.get("alpha", 1.0), 0.0)


@operator("HardSigmoid")
def _hard_sigmoid(how: Said, x: Tensor) -> Tensor:
    alpha, beta = how.get("alpha", 0.2), how.get("beta", 0.5)
    if math.isclose(alpha, 1 / 6, rel_tol=1e-4) and abs(alpha - 1 / 6) < 1e-7 and beta == 0.5:
        return F.hardsigmoid(x)
    return F.hardtanh(torch.add(torch.mul(x, alpha), beta), 0.0, 1.0)


@operator("Shrink")
def _shrink(how: Said, x: Tensor) -> Tensor:
    bias, edge = how.get("bias", 0.0), how.get("lambd", 0.5)
    if bias == edge and x.is_floating_point():
        return F.softshrink(x, edge)
    zero = torch.zeros_like(x)
    return torch.where(x < -edge, (x + bias).to(x.dtype), torch.where(x > edge, (x - bias).to(x.dtype), zero))


@operator("Gelu", "com.microsoft.Gelu")
def _gelu(how: Said, x: Tensor) -> Tensor:
    return F.gelu(x, approximate=how.get("approximate", "none"))


@operator("com.microsoft.BiasGelu")
def _bias_gelu(how: Said, x: Tensor, bias: Tensor) -> Tensor:
    return F.gelu(torch.add(x, bias))


@operator("com.microsoft.FastGelu")
def _fast_gelu(how: Said, x: Tensor, bias: Tensor | None = None) -> Tensor:
    return F.gelu(x if bias is None else torch.add(x, bias), approximate="tanh")


@operator("Swish", "com.microsoft.QuickGelu")
def _swish(how: Said, x: Tensor) -> Tensor:
    alpha = how.get("alpha", 1.702 if getattr(how, "op", "") == "com.microsoft.QuickGelu" else 1.0)
    return F.silu(x) if alpha == 1 else torch.mul(x, torch.sigmoid(torch.mul(x, alpha)))


@operator("Softplus")
def _softplus(how: Said, x: Tensor) -> Tensor:
    return F.softplus(x)


@operator("PRelu")
def _prelu(how: Said, x: Tensor, slope: Tensor) -> Tensor:
    channels = x.shape[1] if x.dim() > 1 else 1
    along = x.dim() > 1 and slope.dim() >= x.dim() - 1 and slope.numel() == channels \
        and slope.shape[slope.dim() - x.dim() + 1] == channels
    if x.is_floating_point() and (slope.numel() == 1 or along):
        return F.prelu(x, slope if slope.dim() == 1 else slope.flatten())
    return torch.where(x >= 0, x, torch.mul(x, slope))


@operator("Softmax")
def _softmax(how: Any, x: Tensor) -> Tensor:
    return _over(how, x, torch.softmax)


@operator("LogSoftmax")
def _log_softmax(how: Any, x: Tensor) -> Tensor:
    return _over(how, x, torch.log_softmax)


def _over(how: Said, x: Tensor, does: Any) -> Tensor:
    """Before opset 13 over all axes from one on."""
    axis = how.get("axis", -1 if how.version >= 13 else 1) if x.dim() else 0
    axis %= max(x.dim(), 1)
    if how.version >= 13 or axis == x.dim() - 1 or all(size == 1 for size in x.shape[axis + 1:]):
        return does(x, axis)  # type: ignore[no-any-return]
    return does(x.flatten(axis), axis).reshape(x.shape)  # type: ignore[no-any-return]


@operator("Hardmax")
def _hardmax(how: Said, x: Tensor) -> Tensor:
    axis = how.get("axis", -1 if how.version >= 13 else 1) % x.dim()
    flat = x if how.version >= 13 else x.flatten(axis)
    largest = torch.argmax(flat, axis, keepdim=True)
    return torch.zeros_like(flat).scatter(axis, largest, 1.0).reshape(x.shape)


@operator("IsInf")
def _is_inf(how: Said, x: Tensor) -> Tensor:
    made = torch.isinf(x)
    if not how.get("detect_negative", 1):
        made = torch.logical_and(made, x > 0)
    return made if how.get("detect_positive", 1) else torch.logical_and(made, x < 0)


@operator("Dropout")
def _dropout(how: Said, x: Tensor, ratio: Any = None, training: Any = None) -> Any:
    """As while it answers, not while it learns."""
    return (x, torch.ones_like(x, dtype=torch.bool)) if len(how.made) > 1 and how.made[1] else x
