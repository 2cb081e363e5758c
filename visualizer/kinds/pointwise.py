"""Functions of one number: activations, and the like. Each row of FUNCTIONS is one of them, with its slope.

Slopes at a kink are torch's: ReLU'(0) = 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from visualizer import said
from visualizer.kinds import NOTHING, Box, Inputs, Kind, Terms, _words
from visualizer.kinds._taps import added, copied, gradient_taps, grid_of, one, taps, through
from visualizer.kinds.curves import CURVES
from visualizer.language import counted_as, english, single, tr, translated
from visualizer.trace import Cell, Layer

Settings = Mapping[str, Any]
Number = Callable[[float, Settings], float]


@dataclass(frozen=True)
class Function:
    """y = f(x), its slope f'(x), and what it is called."""

    name: str
    title: str
    formula: str
    value: Number
    slope: Number
    says: str
    """What it does, in a sentence; `{zero}` and `{below}` are shares of all values, `{spread}` is how they lie."""
    calls: str = "input"
    """Its arguments."""
    also: tuple[str, ...] = ()
    """Other torch calls that mean the same, each with its arguments where these differ."""


def sigmoid(x: float) -> float:
    """1 / (1 + e⁻ˣ), without overflow."""
    if x < 0:
        grown = math.exp(x)
        return grown / (1 + grown)
    return 1 / (1 + math.exp(-x))


def softplus(x: float) -> float:
    """ln(1 + eˣ), without overflow."""
    return max(x, 0.0) + math.log1p(math.exp(-abs(x))) if x == x else x


def normal_below(x: float) -> float:
    """The share of a standard normal distribution that lies below x."""
    return 0.5 * (1 + math.erf(x / math.sqrt(2)))


def _gelu(x: float, s: Settings) -> float:
    if s.get("approximate") == "tanh":
        return 0.5 * x * (1 + math.tanh(_gelu_inner(x)))
    return x * normal_below(x)


def _gelu_slope(x: float, s: Settings) -> float:
    if s.get("approximate") == "tanh":
        t = math.tanh(_gelu_inner(x))
        return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * math.sqrt(2 / math.pi) * (1 + 3 * 0.044715 * x * x)
    return normal_below(x) + x * math.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


def _gelu_inner(x: float) -> float:
    return math.sqrt(2 / math.pi) * (x + 0.044715 * x * x * x)


def _elu(x: float, s: Settings) -> float:
    return x if x > 0 else s.get("alpha", 1.0) * math.expm1(x)


def _elu_slope(x: float, s: Settings) -> float:
    return 1.0 if x > 0 else s.get("alpha", 1.0) * math.exp(x)


def _celu(x: float, s: Settings) -> float:
    alpha = s.get("alpha", 1.0)
    return x if x > 0 else float(alpha * math.expm1(x / alpha))


def _celu_slope(x: float, s: Settings) -> float:
    return 1.0 if x > 0 else math.exp(x / s.get("alpha", 1.0))


_SELU_SCALE, _SELU_ALPHA = 1.0507009873554804934193349852946, 1.6732632423543772848170429916717
"""Klambauer et al. 2017: the two numbers that keep mean 0 and variance 1."""


def _selu(x: float, s: Settings) -> float:
    return _SELU_SCALE * (x if x > 0 else _SELU_ALPHA * math.expm1(x))


def _selu_slope(x: float, s: Settings) -> float:
    return _SELU_SCALE * (1.0 if x > 0 else _SELU_ALPHA * math.exp(x))


def _silu_slope(x: float, s: Settings) -> float:
    gate = sigmoid(x)
    return gate * (1 + x * (1 - gate))


def _mish_slope(x: float, s: Settings) -> float:
    t = math.tanh(softplus(x))
    return t + x * (1 - t * t) * sigmoid(x)


def _softplus(x: float, s: Settings) -> float:
    beta = s.get("beta", 1.0)
    return x if x * beta > s.get("threshold", 20.0) else softplus(x * beta) / beta


def _softplus_slope(x: float, s: Settings) -> float:
    beta = s.get("beta", 1.0)
    return 1.0 if x * beta > s.get("threshold", 20.0) else sigmoid(x * beta)


def _between(low: float, high: float) -> tuple[Number, Number]:
    """Cut off below and above; the slope is 1 strictly between, else 0."""
    def value(x: float, s: Settings) -> float:
        return min(max(x, s.get("min_val", low)), s.get("max_val", high)) if x == x else x

    def slope(x: float, s: Settings) -> float:
        return 1.0 if s.get("min_val", low) < x < s.get("max_val", high) else 0.0

    return value, slope


def _clamp(x: float, s: Settings) -> float:
    return min(max(x, _limit(s, "min", -math.inf)), _limit(s, "max", math.inf)) if x == x else x


def _clamp_slope(x: float, s: Settings) -> float:
    return 1.0 if _limit(s, "min", -math.inf) <= x <= _limit(s, "max", math.inf) else 0.0


def _limit(s: Settings, name: str, otherwise: float) -> float:
    limit = s.get(name)
    return otherwise if limit is None else float(limit)


def _hardswish_slope(x: float, s: Settings) -> float:
    if x <= -3:
        return 0.0
    return 1.0 if x >= 3 else x / 3 + 0.5


def _power(x: float, s: Settings) -> float:
    return float(np.float64(x) ** s["exponent"])


def _power_slope(x: float, s: Settings) -> float:
    exponent = s["exponent"]
    return 0.0 if exponent == 0 else float(exponent * np.float64(x) ** (exponent - 1))


def _log(x: float, s: Settings) -> float:
    return math.log(x) if x > 0 else -math.inf if x == 0 else math.nan


def _divided(x: float) -> float:
    return 1 / x if x else math.copysign(math.inf, x)


def _exp(x: float, s: Settings) -> float:
    return math.exp(x) if x < 709.78 else math.inf if x == x else x


def _number(x: float, s: Settings) -> float:
    largest = float(np.finfo(np.float32).max)
    return float(np.nan_to_num(x, nan=s.get("nan", 0.0), posinf=s.get("posinf", largest),
                               neginf=s.get("neginf", -largest)))


def _limits_of(s: Settings) -> tuple[float, float]:
    """Between which numbers a chance is kept before its odds are taken."""
    eps = float(s.get("eps", 0.0))
    return eps, 1 - eps


def _odds(x: float, s: Settings) -> float:
    low, high = _limits_of(s)
    kept = min(max(x, low), high) if "eps" in s else x
    return kept * _divided(1 - kept)


def _middle_slope(s: Settings) -> float:
    """While used, the mean of the slopes that are drawn in training."""
    if s.get("training"):
        raise LookupError(tr("its slopes are drawn by chance in training, and leave no mark."))
    return float(s.get("lower", 1 / 8) + s.get("upper", 1 / 3)) / 2


SIXTH = float(np.float32(1) / np.float32(6))
"""torch writes this slope with single precision, whatever the precision of the tensors."""
_hardtanh, _hardtanh_slope = _between(-1.0, 1.0)
_relu6, _relu6_slope = _between(0.0, 6.0)

FUNCTIONS = (
    Function("relu", "ReLU", "y = max(0, x)", lambda x, s: x if x > 0 or x != x else 0.0,
             lambda x, s: 1.0 if x > 0 else 0.0,
             english("ReLU keeps what is above zero and stops the rest: {zero} of {all} values {are} now 0."),
             "input inplace"),
    Function("leaky_relu", english("Leaky ReLU"), english("y = x if x > 0, else a·x"),
             lambda x, s: x if x > 0 else s.get("negative_slope", 0.01) * x,
             lambda x, s: 1.0 if x > 0 else s.get("negative_slope", 0.01),
             english("Leaky ReLU keeps what is above zero and makes the rest small: {below} of {all} values "
                     "{below_are} below 0."),
             "input negative_slope inplace"),
    Function("elu", "ELU", english("y = x if x > 0, else α·(eˣ − 1)"), _elu, _elu_slope,
             english("ELU keeps what is above zero and bends the rest towards a floor: values lie {spread}."),
             "input alpha inplace"),
    Function("celu", "CELU", english("y = x if x > 0, else α·(eˣᐟᵅ − 1)"), _celu, _celu_slope,
             english("CELU keeps what is above zero and bends the rest towards a floor: values lie {spread}."),
             "input alpha inplace"),
    Function("selu", "SELU", english("y = λ·x if x > 0, else λ·α·(eˣ − 1)"), _selu, _selu_slope,
             english("SELU stretches what is above zero and bends the rest towards a floor: values lie {spread}."),
             "input inplace"),
    Function("gelu", "GELU", "y = x·Φ(x)", _gelu, _gelu_slope,
             english("GELU weighs each number by how likely a normal number is to lie below it: values lie {spread}."),
             "input approximate"),
    Function("silu", "SiLU", "y = x·σ(x)", lambda x, s: x * sigmoid(x), _silu_slope,
             english("SiLU multiplies each number with its own sigmoid: values lie {spread}."), "input inplace"),
    Function("mish", english("Mish"), "y = x·tanh(ln(1 + eˣ))", lambda x, s: x * math.tanh(softplus(x)), _mish_slope,
             english("Mish keeps what is far above zero and lets little of the rest through: values lie {spread}."),
             "input inplace"),
    Function("sigmoid", english("Sigmoid"), "y = 1 / (1 + e⁻ˣ)", lambda x, s: sigmoid(x),
             lambda x, s: sigmoid(x) * (1 - sigmoid(x)),
             english("Sigmoid squeezes every number between 0 and 1: values lie {spread}.")),
    Function("tanh", english("Tanh"), "y = tanh x", lambda x, s: math.tanh(x), lambda x, s: 1 - math.tanh(x) ** 2,
             english("Tanh squeezes every number between −1 and 1: values lie {spread}.")),
    Function("hardtanh", english("Hardtanh"), english("y = min(max(x, low), high)"), _hardtanh, _hardtanh_slope,
             english("Hardtanh cuts off what lies below {low} or above {high}: values lie {spread}."),
             "input min_val max_val inplace"),
    Function("relu6", "ReLU6", "y = min(max(0, x), 6)", _relu6, _relu6_slope,
             english("ReLU6 keeps what lies between 0 and 6 and cuts off the rest: {zero} of {all} values {are} "
                     "now 0."),
             "input inplace"),
    Function("hardsigmoid", english("Hardsigmoid"), "y = min(max(0, x/6 + ½), 1)",
             lambda x, s: min(max(x + 3, 0.0), 6.0) / 6 if x == x else x, lambda x, s: SIXTH if -3 < x < 3 else 0.0,
             english("Hardsigmoid squeezes every number between 0 and 1 with straight lines: values lie {spread}."),
             "input inplace"),
    Function("hardswish", english("Hardswish"), "y = x·min(max(0, x/6 + ½), 1)",
             lambda x, s: x * min(max(x + 3, 0.0), 6.0) / 6 if x == x else x, _hardswish_slope,
             english("Hardswish multiplies each number with a straight-line sigmoid of itself: values lie {spread}."),
             "input inplace"),
    Function("softplus", english("Softplus"), "y = ln(1 + eᵝˣ) / β", _softplus, _softplus_slope,
             english("Softplus is a ReLU with a round corner: values lie {spread}."), "input beta threshold"),
    Function("softsign", english("Softsign"), "y = x / (1 + |x|)", lambda x, s: x / (1 + abs(x)),
             lambda x, s: 1 / (1 + abs(x)) ** 2,
             english("Softsign squeezes every number between −1 and 1: values lie {spread}.")),
    Function("log_sigmoid", english("Log-sigmoid"), "y = −ln(1 + e⁻ˣ)", lambda x, s: -softplus(-x),
             lambda x, s: sigmoid(-x),
             english("Log-sigmoid is the logarithm of the sigmoid: values lie {spread}."), also=("logsigmoid",)),
    Function("exp", english("exponential"), "y = eˣ", _exp, _exp,
             english("The exponential makes every number positive: values lie {spread}.")),
    Function("log", english("logarithm"), "y = ln x", _log, lambda x, s: _divided(x),
             english("The logarithm turns products into sums: values lie {spread}.")),
    Function("sqrt", english("square root"), "y = √x", lambda x, s: math.sqrt(x) if x >= 0 else math.nan,
             lambda x, s: 0.5 * _divided(math.sqrt(x)) if x >= 0 else math.nan,
             english("The square root undoes a square: values lie {spread}.")),
    Function("square", english("square"), "y = x²", lambda x, s: x * x, lambda x, s: 2 * x,
             english("The square multiplies each number with itself: values lie {spread}.")),
    Function("pow", english("power"), "y = xⁿ", _power, _power_slope,
             english("The power raises each number to the power {exponent}: values lie {spread}."),
             "input exponent", ("__pow__",)),
    Function("abs", english("absolute value"), "y = |x|", lambda x, s: abs(x), lambda x, s: float(np.sign(x)),
             english("The absolute value drops the sign of each number: values lie {spread}."),
             also=("absolute", "__abs__")),
    Function("neg", english("negative"), "y = −x", lambda x, s: -x, lambda x, s: -1.0,
             english("The negative turns the sign of each number: values lie {spread}."), also=("negative", "__neg__")),
    Function("reciprocal", english("reciprocal"), "y = 1/x", lambda x, s: _divided(x),
             lambda x, s: -_divided(x * x), english("The reciprocal divides 1 by each number: values lie {spread}.")),
    Function("clamp", english("clamp"), english("y = min(max(x, low), high)"), _clamp, _clamp_slope,
             english("The clamp cuts off what lies outside its limits: values lie {spread}."), "input min max",
             ("clip", "clamp_min input min", "clamp_max input max")),
    Function("log1p", english("logarithm"), "y = ln(1 + x)", lambda x, s: _log(1 + x, s) if abs(x) > 0.1 else
             math.log1p(x), lambda x, s: _divided(1 + x),
             english("One is added to each number and the logarithm taken: values lie {spread}.")),
    Function("expm1", english("exponential"), "y = eˣ − 1", lambda x, s: math.expm1(x) if x < 709 else math.inf,
             lambda x, s: _exp(x, s), english("The exponential, less one: values lie {spread}.")),
    Function("exp2", english("exponential"), "y = 2ˣ", lambda x, s: float(np.exp2(x)),
             lambda x, s: float(np.exp2(x) * np.log(2)), 
             english("Two to the power of each number: values lie {spread}.")),
    Function("log2", english("logarithm"), "y = log₂ x", lambda x, s: _log(x, s) / math.log(2),
             lambda x, s: _divided(x * math.log(2)), english("The logarithm to the base 2: values lie {spread}.")),
    Function("log10", english("logarithm"), "y = log₁₀ x", lambda x, s: _log(x, s) / math.log(10),
             lambda x, s: _divided(x * math.log(10)), english("The logarithm to the base 10: values lie {spread}.")),
    Function("rsqrt", english("one over the square root"), "y = 1/√x",
             lambda x, s: _divided(math.sqrt(x)) if x >= 0 else math.nan,
             lambda x, s: -0.5 * _divided(math.sqrt(x) * x) if x >= 0 else math.nan,
             english("One is divided by the square root of each number: values lie {spread}.")),
    Function("sin", english("sine"), "y = sin x", lambda x, s: math.sin(x), lambda x, s: math.cos(x),
             english("The sine of each number: values lie {spread}.")),
    Function("cos", english("cosine"), "y = cos x", lambda x, s: math.cos(x), lambda x, s: -math.sin(x),
             english("The cosine of each number: values lie {spread}.")),
    Function("tan", english("tangent"), "y = tan x", lambda x, s: math.tan(x), lambda x, s: 1 + math.tan(x) ** 2,
             english("The tangent of each number: values lie {spread}.")),
    Function("asin", english("arcsine"), "y = asin x", lambda x, s: float(np.arcsin(x)),
             lambda x, s: _divided(math.sqrt(max(1 - x * x, 0.0))),
             english("The angle whose sine is each number: values lie {spread}."), also=("arcsin",)),
    Function("acos", english("arccosine"), "y = acos x", lambda x, s: float(np.arccos(x)),
             lambda x, s: -_divided(math.sqrt(max(1 - x * x, 0.0))),
             english("The angle whose cosine is each number: values lie {spread}."), also=("arccos",)),
    Function("atan", english("arctangent"), "y = atan x", lambda x, s: math.atan(x), lambda x, s: 1 / (1 + x * x),
             english("The angle whose tangent is each number: values lie {spread}."), also=("arctan",)),
    Function("sinh", english("hyperbolic sine"), "y = sinh x", lambda x, s: float(np.sinh(x)),
             lambda x, s: float(np.cosh(x)), english("The hyperbolic sine of each number: values lie {spread}.")),
    Function("cosh", english("hyperbolic cosine"), "y = cosh x", lambda x, s: float(np.cosh(x)),
             lambda x, s: float(np.sinh(x)), english("The hyperbolic cosine of each number: values lie {spread}.")),
    Function("erf", english("error function"), "y = erf x", lambda x, s: math.erf(x),
             lambda x, s: 2 / math.sqrt(math.pi) * math.exp(-x * x),
             english("The error function squeezes every number between −1 and 1: values lie {spread}.")),
    Function("erfc", english("error function"), "y = 1 − erf x", lambda x, s: math.erfc(x),
             lambda x, s: -2 / math.sqrt(math.pi) * math.exp(-x * x),
             english("One less the error function of each number: values lie {spread}.")),
    Function("sign", english("sign"), "y = x / |x|", lambda x, s: float(np.sign(x)), lambda x, s: 0.0,
             english("Only the sign of each number is kept, and hands no gradient back: values lie {spread}."),
             also=("sgn",)),
    Function("floor", english("rounding down"), "y = ⌊x⌋", lambda x, s: float(np.floor(x)), lambda x, s: 0.0,
             english("Each number is rounded down, which hands no gradient back: values lie {spread}.")),
    Function("ceil", english("rounding up"), "y = ⌈x⌉", lambda x, s: float(np.ceil(x)), lambda x, s: 0.0,
             english("Each number is rounded up, which hands no gradient back: values lie {spread}.")),
    Function("round", english("rounding"), english("y = x, rounded"), lambda x, s: float(np.round(
             x, int(s.get("decimals", 0)))), lambda x, s: 0.0,
             english("Each number is rounded, which hands no gradient back: values lie {spread}."), "input decimals"),
    Function("trunc", english("rounding towards 0"), english("y = x without its fraction"),
             lambda x, s: float(np.trunc(x)), lambda x, s: 0.0,
             english("Each number loses its fraction, which hands no gradient back: values lie {spread}."),
             also=("fix",)),
    Function("frac", english("fraction"), english("y = the fraction of x"), lambda x, s: float(x - np.trunc(x)),
             lambda x, s: 1.0, english("Only the fraction of each number is kept: values lie {spread}.")),
    Function("logical_not", english("negation"), "y = ¬x", lambda x, s: float(x == 0), lambda x, s: 0.0,
             english("Yes becomes no and no becomes yes: {zero} of {all} {are} no now."),
             also=("bitwise_not", "__invert__")),
    Function("isnan", english("a question"), english("y = whether x is NaN"), lambda x, s: float(x != x),
             lambda x, s: 0.0, english("Each place says whether there is no number: {zero} of {all} say no.")),
    Function("isfinite", english("a question"), english("y = whether x is finite"),
             lambda x, s: float(np.isfinite(x)), lambda x, s: 0.0,
             english("Each place says whether its number is finite: {zero} of {all} say no.")),
    Function("isinf", english("a question"), english("y = whether x is infinite"),
             lambda x, s: float(np.isinf(x)), lambda x, s: 0.0,
             english("Each place says whether its number is infinite: {zero} of {all} say no.")),
    Function("nan_to_num", english("numbers for what is none"), english("y = x, or a number where x is none"), _number,
             lambda x, s: float(np.isfinite(x)),
             english("What is no number is replaced with one: values lie {spread}."), "input nan posinf neginf"),
    Function("log_odds", english("log-odds"), "y = ln(x / (1 − x))", lambda x, s: _log(_odds(x, s), s),
             lambda x, s: _divided(x * (1 - x)) if _limits_of(s)[0] <= x <= _limits_of(s)[1] else 0.0,
             english("The logarithm of the odds undoes a sigmoid: values lie {spread}."), "input eps",
             ("logit", "special_logit")),
    Function("deg2rad", english("degrees as radians"), "y = x·π / 180", lambda x, s: math.radians(x),
             lambda x, s: math.radians(1.0), english("Degrees become radians: values lie {spread}.")),
    Function("rad2deg", english("radians as degrees"), "y = x·180 / π", lambda x, s: math.degrees(x),
             lambda x, s: math.degrees(1.0), english("Radians become degrees: values lie {spread}.")),
    Function("sinc", english("cardinal sine"), "y = sin(π·x) / (π·x)", lambda x, s: float(np.sinc(x)),
             lambda x, s: (math.cos(math.pi * x) - float(np.sinc(x))) / x if x else 0.0,
             english("The sine of each number over that number: values lie {spread}.")),
    Function("asinh", english("inverse hyperbolic sine"), "y = asinh x", lambda x, s: float(np.arcsinh(x)),
             lambda x, s: 1 / math.sqrt(x * x + 1), english("The inverse hyperbolic sine of each number: values lie "
                                                            "{spread}."), also=("arcsinh",)),
    Function("acosh", english("inverse hyperbolic cosine"), "y = acosh x", lambda x, s: float(np.arccosh(x)),
             lambda x, s: _divided(math.sqrt(max(x * x - 1, 0.0))),
             english("The inverse hyperbolic cosine of each number: values lie {spread}."), also=("arccosh",)),
    Function("atanh", english("inverse hyperbolic tangent"), "y = atanh x", lambda x, s: float(np.arctanh(x)),
             lambda x, s: _divided(1 - x * x), english("The inverse hyperbolic tangent of each number: values lie "
                                                       "{spread}."), also=("arctanh",)),
    Function("softshrink", english("Softshrink"), english("y = x moved towards 0 by λ"),
             lambda x, s: math.copysign(max(abs(x) - s.get("lambd", 0.5), 0.0), x),
             lambda x, s: float(abs(x) > s.get("lambd", 0.5)),
             english("Softshrink moves every number towards 0: {zero} of {all} values {are} now 0."), "input lambd"),
    Function("hardshrink", english("Hardshrink"), english("y = x if |x| > λ, else 0"),
             lambda x, s: x if abs(x) > s.get("lambd", 0.5) else 0.0,
             lambda x, s: float(abs(x) > s.get("lambd", 0.5)),
             english("Hardshrink drops what is small: {zero} of {all} values {are} now 0."), "input lambd"),
    Function("tanhshrink", english("Tanhshrink"), "y = x − tanh x", lambda x, s: x - math.tanh(x),
             lambda x, s: math.tanh(x) ** 2, english("Tanhshrink takes its own tanh from each number: values lie "
                                                     "{spread}.")),
    Function("threshold", english("threshold"), english("y = x if x > t, else v"),
             lambda x, s: x if x > s["threshold"] else float(s["value"]), lambda x, s: float(x > s["threshold"]),
             english("What is not above a threshold is replaced: values lie {spread}."),
             "input threshold value inplace"),
    Function("rrelu", english("Leaky ReLU"), english("y = x if x > 0, else a·x"),
             lambda x, s: x if x >= 0 else _middle_slope(s) * x, lambda x, s: 1.0 if x >= 0 else _middle_slope(s),
             english("Leaky ReLU keeps what is above zero and makes the rest small: {below} of {all} values "
                     "{below_are} below 0."), "input lower upper training inplace"),
)


def function_terms(f: Function, layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """f of the one number in the same place."""
    read = taps(inputs[0], "output", one(cell))
    return Terms("function", (read,), f.value(float(read.values[0]), layer.settings), formula=f.formula)


def function_backward(f: Function, layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """The gradient in the same place, times the slope of f where it stood."""
    x = float(inputs[0].output[cell])
    curve = CURVES.get(f.name)  # its slope is told by what came out, which is what torch keeps
    slope = f.slope(x, layer.settings) if curve is None else float(curve.slope(float(layer.output[cell])))
    return through(layer, cell, slope, "∂L/∂x = ∂L/∂y·f′(x)", (("x", x),))


def function_sentence(f: Function, layer: Layer, inputs: Inputs) -> str:
    size = layer.output.size
    zero, below = int((layer.output == 0).sum()), int((layer.output < 0).sum())
    exponent, low, high = (
        _words.value(layer.settings.get(name, otherwise), *said.of("plain operand", layer, array=name))
        for name, otherwise in (("exponent", 1), ("min_val", -1.0), ("max_val", 1.0)))
    return _words.fixed(translated(f.says), layer).format(
        zero=_words.percent(zero, size, *said.of("share exactly 0", layer)), are=_are(zero),
        all=_words.count(size, *said.size(layer)), spread=_words.spread(layer),
        below=_words.percent(below, size, *said.of("share below 0", layer)), below_are=_are(below),
        exponent=exponent, low=low, high=high)


def function_short(f: Function, layer: Layer, inputs: Inputs) -> str:
    return translated(f.formula)


def same_box(layer: Layer, inputs: Inputs, which: int, box: Box) -> Box:
    """A cell sees the cell in its own place."""
    return box


def same_axes(settings: Settings, inputs: tuple[tuple[str, ...], ...], shape: tuple[int, ...]) -> tuple[str, ...]:
    return inputs[0]


def _are(number: int) -> str:
    return counted_as(number, tr("is"), tr("are"))


# --- PReLU: a leaky ReLU that learns its slope ----------------------------------------------------------------------

def prelu_terms(layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """x above zero, else a·x, with one a for each channel or one for all."""
    at = _slope_cell(layer, cell)
    x = float(inputs[0].output[cell])
    a = float(layer.weights["weight"][at])
    read = taps(inputs[0], "output", one(cell), 1.0 if x > 0 else a, weight="" if x > 0 else "weight",
                weight_cells=None if x > 0 else one(at))
    return Terms("function", (read,), float(read.products[0]), formula=english("y = x if x > 0, else a·x"),
                 met=(("a", a),))


def prelu_backward(layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    x = float(inputs[0].output[cell])
    slope = 1.0 if x > 0 else float(layer.weights["weight"][_slope_cell(layer, cell)])
    return through(layer, cell, slope, "∂L/∂x = ∂L/∂y·f′(x)", (("x", x),))


def prelu_weight(layer: Layer, inputs: Inputs, name: str, cell: Cell) -> Terms:
    """Every place below zero in that channel: the gradient there, times x."""
    ranges = [np.arange(size) for size in layer.shape]
    if layer.weights["weight"].size > 1:
        ranges[0] = np.array(cell)
    cells = grid_of(*ranges)
    x = taps(inputs[0], "output", cells).values
    return added(gradient_taps(layer, cells, np.where(x > 0, 0.0, x), weight=inputs[0].name, weight_cells=cells),
                 formula=english("∂L/∂a = Σ ∂L/∂y·x where x ≤ 0"))


def prelu_sentence(layer: Layer, inputs: Inputs) -> str:
    below = int((inputs[0].output <= 0).sum())
    words = tr("PReLU keeps what is above zero and multiplies the rest with a learned slope: {below} of {all} values "
               "{are} not above 0.")
    return _words.fixed(words, layer).format(
        below=_words.percent(below, layer.output.size, *said.of("share not above 0", inputs[0])),
        all=_words.count(layer.output.size, *said.size(layer)), are=_are(below))


def _slope_cell(layer: Layer, cell: Cell) -> Cell:
    return (cell[0],) if layer.weights["weight"].size > 1 else (0,) * layer.weights["weight"].ndim


# --- dropout, and what passes everything on --------------------------------------------------------------------------

def passed_terms(layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """The same number."""
    return copied(taps(inputs[0], "output", one(cell)), "y = x")


def passed_backward(layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    return copied(gradient_taps(layer, one(cell)), "∂L/∂x = ∂L/∂y")


def cast_terms(layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """The same number, as near as the other precision has one."""
    read = taps(inputs[0], "output", one(cell))
    x = read.values[0]
    with np.errstate(all="ignore"):
        value = float(np.asarray(x).astype(layer.output.dtype))
    if layer.settings.get("dtype") == "bfloat16" or layer.settings.get("call") == "bfloat16":
        value = _in_bfloat16(x)
    return copied(read, "y = x") if value == x else Terms("function", (read,), value, formula=english("y ≈ x"))


def _in_bfloat16(x: float) -> float:
    """To the nearest number of 8 digits (binary), a tie to the even one."""
    bits = np.asarray(x, dtype=np.float32).view(np.uint32)
    rounded = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) & np.uint32(0xFFFF0000)
    return float(rounded.view(np.float32))


def cast_backward(layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    if which:
        raise LookupError(tr("{layer} takes nothing but the precision from {source}."
                             ).format(layer=layer.name, source=inputs[which].name))
    return passed_backward(layer, inputs, which, cell)


def cast_sentence(layer: Layer, inputs: Inputs) -> str:
    return tr("Every number of {source} is written in another precision: {before} becomes {after}.").format(
        source=inputs[0].name, before=said.said(str(inputs[0].output.dtype), "precision", inputs[0].name),
        after=said.said(str(layer.output.dtype), "precision", layer.name))


def dropout_terms(channels: bool, layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """In evaluation the same number; in training 0 or x / (1 − p), as the recorded numbers show it was drawn."""
    if not _drops(layer):
        return passed_terms(layer, inputs, cell)
    kept = _kept(channels, layer, inputs, cell)
    read = taps(inputs[0], "output", one(cell), _scale(layer) if kept else 0.0)  # 0 stays 0 where nobody can tell
    return Terms("product", (read,), float(read.products[0]), formula="y = m·x / (1 − p)",
                 met=() if kept is None else ((english("kept"), float(kept)),))


def dropout_backward(channels: bool, layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """LookupError where the input was 0: whether it was dropped left no mark in the numbers."""
    if not _drops(layer):
        return passed_backward(layer, inputs, which, cell)
    kept = _kept(channels, layer, inputs, cell)
    if kept is None:
        raise LookupError(tr("{layer} read 0 at {cell}, so its output does not show whether that cell was dropped."
                             ).format(layer=layer.name, cell=cell))
    return through(layer, cell, _scale(layer) if kept else 0.0, "∂L/∂x = m·∂L/∂y / (1 − p)")


def dropout_sentence(layer: Layer, inputs: Inputs) -> str:
    if not _drops(layer):
        return tr("Dropout is off while the network is used: every number passes unchanged.")
    dropped = int(((layer.output == 0) & (inputs[0].output != 0)).sum())
    p = layer.settings.get("p", 0.5)
    words = tr("Dropout sets each number to 0 with probability {share} and stretches the rest by {scale}: {numbers} of "
               "{all} was dropped.") if single(dropped) else \
        tr("Dropout sets each number to 0 with probability {share} and stretches the rest by {scale}: {numbers} of "
           "{all} were dropped.")
    return _words.fixed(words, layer).format(
        share=_words.value(p, *said.of("plain operand", layer, array="p")),
        scale=_words.value(_scale(layer), *said.of("stretch of what is kept", layer)),
        numbers=_words.some(dropped, "number", *said.of("how many were dropped", layer)),
        all=_words.count(layer.output.size, *said.size(layer)))


def dropout_short(layer: Layer, inputs: Inputs) -> str:
    p = _words.value(layer.settings.get("p", 0.5), *said.of("plain operand", layer, array="p"))
    return f"p = {p}{'' if _drops(layer) else tr(', off')}"


def _drops(layer: Layer) -> bool:
    return bool(layer.settings.get("training", True)) and layer.settings.get("p", 0.5) > 0


def _scale(layer: Layer) -> float:
    p = layer.settings.get("p", 0.5)
    return 1 / (1 - p) if p < 1 else 0.0


def _kept(channels: bool, layer: Layer, inputs: Inputs, cell: Cell) -> bool | None:
    """Whether a cell (or its channel) was kept, told from the numbers; None where all of them were 0 to begin with."""
    at: Any = cell[:1] if channels else cell
    seen = inputs[0].output[at] != 0
    return bool((layer.output[at] != 0)[seen].any()) if seen.any() else None


# --- alpha dropout (Klambauer et al. 2017): what is dropped becomes where SELU ends, and mean and variance stay -------

def alpha_terms(channels: bool, layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """In evaluation the same number; in training a·x + b or, where it was dropped, a·α′ + b, as the recorded numbers
    show it was drawn."""
    if not _drops(layer):
        return passed_terms(layer, inputs, cell)
    kept = _kept_by_alpha(channels, layer, inputs, cell)
    stretch, shift, floor = _stretched(layer)
    read = taps(inputs[0], "output", one(cell), stretch if kept else 0.0)
    return added(read, bias=shift if kept else stretch * floor + shift, formula="y = a·(m·x + (1 − m)·α′) + b",
                 met=((english("kept"), float(kept)),))


def alpha_backward(channels: bool, layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    if not _drops(layer):
        return passed_backward(layer, inputs, which, cell)
    kept = _kept_by_alpha(channels, layer, inputs, cell)
    return through(layer, cell, _stretched(layer)[0] if kept else 0.0, "∂L/∂x = a·m·∂L/∂y")


def alpha_sentence(layer: Layer, inputs: Inputs) -> str:
    if not _drops(layer):
        return tr("Dropout is off while the network is used: every number passes unchanged.")
    dropped = _dropped_by_alpha(layer, inputs)
    p = layer.settings.get("p", 0.5)
    words = tr("Alpha dropout sets each number to {floor} with probability {share}, and then stretches and shifts all: "
               "{numbers} of {all} was dropped.") if single(dropped) else \
        tr("Alpha dropout sets each number to {floor} with probability {share}, and then stretches and shifts all: "
           "{numbers} of {all} were dropped.")
    return _words.fixed(words, layer).format(
        floor=_words.plain(ALPHA), share=_words.value(p, *said.of("plain operand", layer, array="p")),
        numbers=_words.some(dropped, "number", *said.of("how many were dropped", layer)),
        all=_words.count(layer.output.size, *said.size(layer)))


ALPHA = -1.7580993408473766
"""Where SELU ends: −λ·α."""


def _stretched(layer: Layer) -> tuple[float, float, float]:
    """(a, b, α′): all are multiplied by a and shifted by b, so that mean and variance stay; the dropped are α′."""
    p = layer.settings.get("p", 0.5)
    if p >= 1:  # torch makes zeros then
        return 0.0, 0.0, 0.0
    stretch = ((ALPHA ** 2 * p + 1) * (1 - p)) ** -0.5
    return stretch, -stretch * ALPHA * p, ALPHA


def _kept_by_alpha(channels: bool, layer: Layer, inputs: Inputs, cell: Cell) -> bool:
    """Whether a cell (or its channel) was kept: whether its numbers lie nearer to what that makes."""
    at: Any = cell[:1 if layer.settings.get("batch", 0) is not None else 2] if channels else cell
    stretch, shift, floor = _stretched(layer)
    x, y = inputs[0].output[at].astype(np.float64), layer.output[at]
    return bool(np.abs(y - (stretch * x + shift)).sum() <= np.abs(y - (stretch * floor + shift)).sum())


def _dropped_by_alpha(layer: Layer, inputs: Inputs) -> int:
    """How many numbers are where the dropped ones are put."""
    stretch, shift, floor = _stretched(layer)
    return int(np.isclose(layer.output, stretch * floor + shift, rtol=1e-5, atol=1e-7).sum())


def passed_sentence(layer: Layer, inputs: Inputs) -> str:
    return tr("Every number of {source} passes unchanged.").format(source=inputs[0].name)


def _function_kind(f: Function) -> Kind:
    calls = {call: arguments or f.calls for call, _, arguments in (also.partition(" ") for also in (f.name, *f.also))}
    curve = CURVES.get(f.name)
    back = english("× 1 above zero, × 0 elsewhere") if f.name == "relu" else english("× the slope at each number")
    flats = {} if curve is None or curve.flat is None else {"": curve.flat}
    return Kind(f.name, f.title, calls, same_axes,
                partial(function_terms, f), partial(function_backward, f), same_box, partial(function_sentence, f),
                short=partial(function_short, f), flat=lambda layer: flats if layer.output.ndim else {}, role="curve",
                slide="curve", curve=curve, back=back)


KINDS = (
    *map(_function_kind, FUNCTIONS),
    Kind("prelu", "PReLU", {"prelu": "input weight"}, same_axes, prelu_terms, prelu_backward, same_box, prelu_sentence,
         prelu_weight, role="curve", slide="curve", back=english("× the slope at each number")),
    Kind("dropout", english("dropout"), {"dropout": "input p training inplace"}, same_axes,
         partial(dropout_terms, False), partial(dropout_backward, False), same_box, dropout_sentence,
         short=dropout_short, role="dropout"),
    Kind("channel_dropout", english("channel dropout"),
         dict.fromkeys(("dropout1d", "dropout2d", "feature_dropout"), "input p training inplace"), same_axes,
         partial(dropout_terms, True), partial(dropout_backward, True), same_box, dropout_sentence,
         short=dropout_short, role="dropout"),
    *(Kind(name, title, {call: "input p training inplace"}, same_axes, partial(alpha_terms, channels),
           partial(alpha_backward, channels), same_box, alpha_sentence, short=dropout_short)
      for name, title, call, channels in (
          ("alpha_dropout", english("alpha dropout"), "alpha_dropout", False),
          ("channel_alpha_dropout", english("alpha dropout of channels"), "feature_alpha_dropout", True))),
    Kind("cast", english("change of precision"),
         {**dict.fromkeys(("float", "double", "half", "bfloat16", "int", "long", "short", "bool", "byte", "char"),
                          "input"), "to": "input dtype", "type": "input dtype", "type_as": "input other",
          "_to_copy": "input dtype"}, same_axes, cast_terms, cast_backward,
         lambda layer, inputs, which, box: NOTHING if which else box, cast_sentence),
    Kind("identity", english("identity"),
         dict.fromkeys(("clone", "detach", "data", "contiguous", "alias", "positive", "lift_fresh", "cpu", "cuda"),
                       "input"),
         same_axes,
         passed_terms, passed_backward, same_box, passed_sentence, moves_only=True),
)
