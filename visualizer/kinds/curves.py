"""Curves that gates, states and activations go through: each with its slope, and where it is flat."""

from __future__ import annotations

import math

import numpy as np

from visualizer.kinds import Curve, Flat, Values
from visualizer.language import english

OF_TANH = Flat(english("beyond ±0.9"), -0.9, 0.9, (-1.0, 1.0))
"""Beyond 0.9 the slope of a tanh is below 0.19."""
OF_SIGMOID = Flat(english("below 0.05 or above 0.95"), 0.05, 0.95, (0.0, 1.0))
"""Outside these the slope of a sigmoid is below 0.048 (the line that Glorot and Bengio 2010 draw)."""
OF_RELU = Flat(english("off"), 0.0, math.inf, (0.0, math.inf), dies=True)


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
