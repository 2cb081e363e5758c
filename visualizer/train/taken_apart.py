"""Taken apart: how one weight came from its gradient in one update, term by term, as torch's optimisers compute it.

    gradient -> clipped -> velocity, or both of Adam's moments, corrected for their zero start -> step -> weight

Every stage is Terms as those of a layer are: what was read, what it was multiplied by, what that makes. They are
recomputed in float64 from what float32 kept, so they differ from torch's by no more than float32 rounds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.kinds import Taps, Terms
from visualizer.language import tr
from visualizer.train import BETA1, BETA2, EPSILON, MOMENTUM, Knobs

CLIP_EPSILON = 1e-6
"""What torch adds to the norm by which it divides a gradient that is clipped."""


FIRST_MADE = {"adam": "first_kept", "momentum": "velocity_kept", "sgd": "step"}
"""What each optimiser computes first, by its name in a recording of one update."""


def cell_in_maps(held: Mapping[str, NDArray[Any]], parameter: str, cell: tuple[int, ...]) -> tuple[int, ...]:
    """Where a number of a weight stands in the recording of one update: there kernels are channels, and a matrix is one
    map."""
    shape = held[f"weights/{parameter}"].shape[1:]
    if len(shape) > 3:
        return (int(np.ravel_multi_index(cell[:-2], shape[:-2])), *cell[-2:])
    return (0, *cell) if len(shape) == 2 else cell


@dataclass(frozen=True)
class Before:
    """What stood there before the update, of one weight."""

    layer: str
    name: str
    """The weight's name in its layer: `weight`, `bias`, `weight_hh_l0`."""
    cell: tuple[int, ...]
    step: int
    """Which update it is, from 1."""
    memory: int
    """Which update of this optimiser it is, from 1: another one begins without memory."""
    weight: float
    gradient: float
    norm: float
    """Of the gradient of all weights together."""
    moments: Mapping[str, float]
    """By torch's own names: `exp_avg` and `exp_avg_sq`, `momentum_buffer`; nothing before the first update."""


@dataclass(frozen=True, eq=False)
class Stage:
    """One of the numbers on the way."""

    name: str
    """`gradient`, `velocity`, `first`, `second`, `first_corrected`, `second_corrected`, `step`, `weight`."""
    symbol: str
    terms: Terms

    @property
    def value(self) -> float:
        return self.terms.result


def stages(before: Before, knobs: Knobs) -> tuple[Stage, ...]:
    """Each number from the gradient to the new weight, in the order in which they are computed."""
    source = _Source(before)
    factor = min(1.0, knobs.clip / (before.norm + CLIP_EPSILON)) if knobs.clip else 1.0
    gradient = source.sum("gradient", "g", "g = ∂L/∂w" if factor == 1 else "g = ∂L/∂w · clip / ‖∂L/∂W‖",
                          ("weight_gradients", before.gradient, factor))
    if knobs.optimiser == "adam":
        made = _adam(before, source, gradient.value, knobs.rate)
    elif knobs.optimiser == "momentum":
        old = before.moments.get("momentum_buffer")
        velocity = source.sum("velocity", "m", "m = g" if old is None else "m = 0.9·m + g",
                              *(() if old is None else (("momentum_buffer", old, MOMENTUM),)),
                              ("gradient", gradient.value, 1.0))
        made = (velocity, source.sum("step", "Δw", "Δw = −η·m", ("velocity", velocity.value, -knobs.rate)))
    else:
        made = (source.sum("step", "Δw", "Δw = −η·g", ("gradient", gradient.value, -knobs.rate)),)
    weight = source.sum("weight", "w", "w = w + Δw", ("weights", before.weight, 1.0), ("step", made[-1].value, 1.0))
    return (gradient, *made, weight)


def _adam(before: Before, source: _Source, gradient: float, rate: float) -> tuple[Stage, ...]:
    count = before.memory
    first = source.sum("first", "m", "m = β₁·m + (1 − β₁)·g",
                       ("exp_avg", before.moments.get("exp_avg", 0.0), BETA1), ("gradient", gradient, 1 - BETA1))
    second = source.sum("second", "v", "v = β₂·v + (1 − β₂)·g²",
                        ("exp_avg_sq", before.moments.get("exp_avg_sq", 0.0), BETA2),
                        ("gradient", gradient, (1 - BETA2) * gradient))
    mean = source.sum("first_corrected", "m̂", "m̂ = m / (1 − β₁ᵗ)", ("first", first.value, 1 / (1 - BETA1 ** count)))
    square = source.sum("second_corrected", "v̂", "v̂ = v / (1 − β₂ᵗ)",
                        ("second", second.value, 1 / (1 - BETA2 ** count)))
    divisor = math.sqrt(square.value) + EPSILON
    step = source.sum("step", "Δw", "Δw = −η·m̂ / (√v̂ + ε)", ("first_corrected", mean.value, -rate / divisor),
                      met=(("√v̂ + ε", divisor),))
    return first, second, mean, square, step


@dataclass(frozen=True)
class _Source:
    """Where the numbers of one weight are read."""

    before: Before

    def sum(self, name: str, symbol: str, formula: str, *read: tuple[str, float, float],
            met: tuple[tuple[str, float], ...] = ()) -> Stage:
        """A stage that adds (array, value, factor)."""
        taps = tuple(Taps(self.before.layer, np.array([self.before.cell], np.int64), np.array([value]),
                          np.array([factor]), f"{array}.{self.before.name}") for array, value, factor in read)
        total = math.fsum(value * factor for _, value, factor in read)
        return Stage(name, symbol, Terms("sum", taps, total, formula=formula, met=met))


def name_of(stage: str) -> str:
    """What a stage is called."""
    return {
        "gradient": tr("gradient"), "velocity": tr("velocity"), "first": tr("first moment"),
        "second": tr("second moment"), "first_corrected": tr("first moment, corrected"),
        "second_corrected": tr("second moment, corrected"), "step": tr("step"), "weight": tr("weight"),
    }[stage]
