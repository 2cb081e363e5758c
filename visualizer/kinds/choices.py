"""Comparisons and choices, and further functions of two or three numbers in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from visualizer.kinds._elementwise import Operation, kind_of
from visualizer.language import english
from visualizer.trace import Layer

Settings = Mapping[str, Any]
_TWO = "input other"


def adds_a_product(layer: Layer) -> bool:
    """Whether it adds the product of two layers to a third, place by place."""
    return layer.kind == "addcmul" and len(layer.reads) == 3


def blends(layer: Layer) -> bool:
    """Whether it goes from one layer towards another by the shares of a third."""
    return layer.kind == "lerp" and len(layer.reads) == 3


def _none(count: int) -> Callable[..., tuple[Any, ...]]:
    """Yes and no hand nothing back."""
    return lambda *given: (0.0,) * count


def _comparison(name: str, sign: str, says: str, value: Callable[[Any, Any], Any]) -> Operation:
    spellings = {name: _TWO, **dict.fromkeys(COMPARED[name], _TWO)}
    return Operation(name, english("comparison"), spellings, sign, says, lambda a, b, s: value(a, b) * 1.0, _none(2))


COMPARED = {
    "gt": ("greater", "__gt__"), "lt": ("less", "__lt__"), "ge": ("greater_equal", "__ge__"),
    "le": ("less_equal", "__le__"), "eq": ("__eq__",), "ne": ("not_equal", "__ne__"),
}
"""Other names for the same."""


def _both(a: Any, b: Any, s: Settings) -> Any:
    return (np.asarray(a) != 0) * (np.asarray(b) != 0) * 1.0


def _either(a: Any, b: Any, s: Settings) -> Any:
    return ((np.asarray(a) != 0) | (np.asarray(b) != 0)) * 1.0


def _one_of(a: Any, b: Any, s: Settings) -> Any:
    return ((np.asarray(a) != 0) != (np.asarray(b) != 0)) * 1.0


def _smaller_slopes(a: Any, b: Any, s: Settings) -> tuple[Any, Any]:
    """A tie is shared half and half, as in torch."""
    a, b = np.asarray(a), np.asarray(b)
    return (a < b) + 0.5 * (a == b), (b < a) + 0.5 * (a == b)


def _power_slopes(a: Any, b: Any, s: Settings) -> tuple[Any, Any]:
    a, b = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    with np.errstate(all="ignore"):
        base = np.where(b == 0, 0.0, b * a ** (b - 1))
        exponent = np.where((a == 0) & (b >= 0), 0.0, a ** b * np.log(a))
    return base, exponent


def _clipped_slopes(x: Any, low: Any, high: Any, s: Settings) -> tuple[Any, Any, Any]:
    """Where both limits cross, the upper one holds."""
    x, low, high = np.broadcast_arrays(x, low, high)
    return ((x >= low) & (x <= high)) * 1.0, ((x < low) & (low < high)) * 1.0, ((x > high) | (low > high)) * 1.0


def _rest(a: Any, b: Any, s: Settings) -> Any:
    return np.asarray(a, dtype=np.float64) - b * np.floor(np.asarray(a, dtype=np.float64) / b)


def _log_of_both(a: Any, b: Any, s: Settings) -> tuple[Any, Any]:
    total = np.logaddexp(a, b)
    return np.exp(a - total), np.exp(b - total)


def _turn_slopes(a: Any, b: Any, s: Settings) -> tuple[Any, Any]:
    size = np.asarray(a) ** 2 + np.asarray(b) ** 2
    return b / size, -a / size


def _length_slopes(a: Any, b: Any, s: Settings) -> tuple[Any, Any]:
    size = np.hypot(a, b)
    return a / size, b / size


def _scaled(s: Settings) -> float:
    return float(s.get("value", 1.0))


_LIMITS = ("input", "min", "max")
OPERATIONS = (
    _comparison("gt", ">", english("Each place says whether {a} is above {b}: {true} of {values} are."),
                lambda a, b: np.asarray(a) > b),
    _comparison("lt", "<", english("Each place says whether {a} is below {b}: {true} of {values} are."),
                lambda a, b: np.asarray(a) < b),
    _comparison("ge", "≥", english("Each place says whether {a} is {b} or above: {true} of {values} are."),
                lambda a, b: np.asarray(a) >= b),
    _comparison("le", "≤", english("Each place says whether {a} is {b} or below: {true} of {values} are."),
                lambda a, b: np.asarray(a) <= b),
    _comparison("eq", "=", english("Each place says whether {a} is {b}: {true} of {values} are."),
                lambda a, b: np.asarray(a) == b),
    _comparison("ne", "≠", english("Each place says whether {a} is not {b}: {true} of {values} are not."),
                lambda a, b: np.asarray(a) != b),
    Operation("logical_and", english("both"),
              dict.fromkeys(("logical_and", "bitwise_and", "__and__", "__rand__"), _TWO), "∧",
              english("Each place says whether both {a} and {b} hold: {true} of {values} do."), _both, _none(2)),
    Operation("logical_or", english("either"), dict.fromkeys(("logical_or", "bitwise_or", "__or__", "__ror__"), _TWO),
              "∨", english("Each place says whether {a} or {b} holds: {true} of {values} do."), _either, _none(2)),
    Operation("logical_xor", english("one of two"),
              dict.fromkeys(("logical_xor", "bitwise_xor", "__xor__", "__rxor__"), _TWO), "⊕",
              english("Each place says whether just one of {a} and {b} holds: {true} of {values} do."), _one_of,
              _none(2)),
    Operation("where", english("choice"), {"where": "condition input other",
                                             "Tensor.where": "input condition other"}, "",
              english("Where {a} holds, {b} is taken, else {c}: {values} {spread}."),
              lambda c, a, b, s: np.where(c, a, b),
              lambda c, a, b, s: (0.0, (np.asarray(c) != 0) * 1.0, (np.asarray(c) == 0) * 1.0),
              ("condition", "input", "other"), formula=english("y = a where the condition holds, else b"),
              chosen=lambda c, a, b, s: 1 if c else 2),
    Operation("masked_fill", english("mask"), {"masked_fill": "input mask value"}, "",
              english("Where {b} holds, {a} is replaced with {c}: {values} {spread}."),
              lambda x, m, v, s: np.where(m, v, x),
              lambda x, m, v, s: ((np.asarray(m) == 0) * 1.0, 0.0, (np.asarray(m) != 0) * 1.0),
              ("input", "mask", "value"), formula=english("y = x where the mask lets it through"),
              chosen=lambda x, m, v, s: 2 if m else 0),
    Operation("minimum", english("minimum of two"), {"minimum": _TWO, "min(input,dim)": _TWO, "fmin": _TWO}, "or",
              english("The smaller of {a} and {b} is kept in each place: {values} {spread}."),
              lambda a, b, s: min(a, b), _smaller_slopes),
    Operation("power", english("power"), {f"pow({names})": "input exponent" for names in (
        "input,exponent", "exponent")} | {"float_power": "input exponent", "__rpow__": "exponent input"}, "^",
              english("{a} is raised to the power {b}, place by place: {values} {spread}."),
              lambda a, b, s: np.float64(a) ** b, _power_slopes, ("input", "exponent"), formula="y = aᵇ"),
    Operation("limits", english("clamp"), {f"{call}({names})": "input min max" for call in ("clamp", "clip") for names
                                           in ("input,min,max", "input,min", "input,max")}
              | {"clamp_min(input,min)": "input min", "clamp_max(input,max)": "input max"}, "",
              english("{a} is kept between {b} and {c}: {values} {spread}."),
              lambda x, low, high, s: np.minimum(np.maximum(x, low), high), _clipped_slopes, _LIMITS,
              {"min": -np.inf, "max": np.inf}, english("y = min(max(x, low), high)")),
    Operation("lerp", english("blend"), {"lerp": "input end amount"}, "",
              english("{a} and {b} are blended, {c} of the second: {values} {spread}."),
              lambda a, b, w, s: a + w * (b - a), lambda a, b, w, s: (1 - w, w, np.asarray(b) - a),
              ("input", "end", "amount"), formula="y = a + w·(b − a)"),
    Operation("addcmul", english("sum and product"), {"addcmul": "input tensor1 tensor2 value"}, "",
              english("{b} times {c} is added to {a}, place by place: {values} {spread}."),
              lambda a, b, c, s: a + _scaled(s) * b * c,
              lambda a, b, c, s: (1.0, _scaled(s) * c, _scaled(s) * b), ("input", "tensor1", "tensor2"),
              formula="y = a + v·b·c"),
    Operation("addcdiv", english("sum and quotient"), {"addcdiv": "input tensor1 tensor2 value"}, "",
              english("{b} divided by {c} is added to {a}, place by place: {values} {spread}."),
              lambda a, b, c, s: a + _scaled(s) * b / c,
              lambda a, b, c, s: (1.0, _scaled(s) / c, -_scaled(s) * b / c ** 2), ("input", "tensor1", "tensor2"),
              formula="y = a + v·b / c"),
    Operation("remainder", english("remainder"), {"remainder": _TWO, "__mod__": _TWO}, "mod",
              english("{a} is divided by {b}, and what is left over is kept: {values} {spread}."), _rest,
              lambda a, b, s: (1.0, -np.floor(np.asarray(a, dtype=np.float64) / b))),
    Operation("fmod", english("remainder"), {"fmod": _TWO}, "mod",
              english("{a} is divided by {b}, and what is left over is kept: {values} {spread}."),
              lambda a, b, s: np.fmod(a, b), lambda a, b, s: (1.0, -np.trunc(np.asarray(a, dtype=np.float64) / b))),
    Operation("floor_divide", english("whole quotient"), dict.fromkeys(("floor_divide", "__floordiv__"), _TWO), "//",
              english("{a} is divided by {b}, and cut off to a whole number: {values} {spread}."),
              lambda a, b, s: np.floor(np.asarray(a, dtype=np.float64) / b), _none(2)),
    Operation("logaddexp", english("logarithm of a sum"), {"logaddexp": _TWO}, "",
              english("The logarithm of the sum of the exponentials of {a} and {b}: {values} {spread}."),
              lambda a, b, s: np.logaddexp(a, b), _log_of_both, formula="y = ln(eᵃ + eᵇ)"),
    Operation("atan2", english("angle"), dict.fromkeys(("atan2", "arctan2"), _TWO), "",
              english("The angle whose sides are {a} and {b}: {values} {spread}."),
              lambda a, b, s: np.arctan2(a, b), _turn_slopes, formula="y = atan2(a, b)"),
    Operation("hypot", english("hypotenuse"), {"hypot": _TWO}, "",
              english("The length of the line whose sides are {a} and {b}: {values} {spread}."),
              lambda a, b, s: np.hypot(a, b), _length_slopes, formula="y = √(a² + b²)"),
    Operation("xlogy", english("product with a logarithm"), {"xlogy": _TWO}, "",
              english("{a} times the logarithm of {b}: {values} {spread}."),
              lambda a, b, s: np.where(np.asarray(a) == 0, 0.0, a * np.log(b)),
              lambda a, b, s: (np.log(b), a / b), formula="y = a·ln b"),
)
KINDS = tuple(map(kind_of, OPERATIONS))
