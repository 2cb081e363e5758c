"""Curves that gates, states and activations go through: each with its slope, and where it is flat."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.floating]


@dataclass(frozen=True)
class Flat:
    """Where a curve is flat, so that hardly any gradient, or none, passes: which values lie there."""

    rule: str
    """In words, of a value: `beyond ±0.9`."""
    low: float
    high: float
    """What lies below the one or above the other is in the flat part."""
    range: tuple[float, float]
    """Between which numbers all values lie."""
    dies: bool = False
    """Whether the flat part passes nothing at all, as that of a ReLU: a unit that is always there is dead. Its edge
    belongs to it."""

    def holds(self, values: Values) -> NDArray[np.bool_]:
        """Which values lie in the flat part."""
        return values <= self.low if self.dies else (values < self.low) | (values > self.high)

    def share(self, values: Values) -> float:
        return float(np.mean(self.holds(values)))


OF_TANH = Flat("beyond ±0.9", -0.9, 0.9, (-1.0, 1.0))
"""Beyond 0.9 the slope of a tanh is below 0.19."""
OF_SIGMOID = Flat("below 0.05 or above 0.95", 0.05, 0.95, (0.0, 1.0))
"""Outside these the slope of a sigmoid is below 0.048 (the line that Glorot and Bengio 2010 draw)."""
OF_RELU = Flat("off", 0.0, math.inf, (0.0, math.inf), dies=True)


@dataclass(frozen=True)
class Curve:
    """One function of one number."""

    name: str
    """As torch calls it: `sigmoid`."""
    value: Callable[[Values], Values]
    slope: Callable[[Any], Any]
    """Its derivative, from the value y that came out: numbers or arrays."""
    words: str
    """`σ({})`, of what goes in."""
    slope_words: str
    """`{0}·(1 − {0})`, of what came out."""
    flat: Flat | None = None
    steepest: float = 1.0
    """The largest slope that it has."""

    def backward(self, value: str = "y") -> str:
        """`∂L/∂a = ∂L/∂y·y·(1 − y)`."""
        return self.times.format(value, self.slope_words.format(value))

    times: str = "∂L/∂a = ∂L/∂{0}·{1}"


def sigmoid(sums: Values) -> Values:
    """σ(a) = ½ tanh(a/2) + ½: one function that never overflows."""
    found: Values = 0.5 * np.tanh(0.5 * sums) + 0.5
    return found


SIGMOID = Curve("sigmoid", sigmoid, lambda y: y * (1 - y), "σ({})", "{0}·(1 − {0})", OF_SIGMOID, 0.25)
TANH = Curve("tanh", np.tanh, lambda y: 1 - y * y, "tanh({})", "1 − {0}²", OF_TANH,
             times="∂L/∂a = ∂L/∂{0}·({1})")
RELU = Curve("relu", lambda a: np.maximum(a, 0), lambda y: (np.asarray(y) > 0).astype(np.asarray(y).dtype),
             "max(0, {})", "1 where {0} > 0", OF_RELU, times="∂L/∂a = ∂L/∂{0} where {0} > 0, else 0")
LINEAR = Curve("linear", lambda a: a, np.ones_like, "{}", "1", times="∂L/∂a = ∂L/∂{0}")
CURVES = {curve.name: curve for curve in (TANH, RELU, SIGMOID, LINEAR)}
"""torch's RNN has the first two; the laboratory of gradients compares them with the others."""
