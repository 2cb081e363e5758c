"""How fast a curve of gradient sizes falls: the factor it keeps a step, its half-life, and where 1 % is left."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

STRAIGHT = 0.9
"""From this R² on a half-life says how the curve runs; below it the curve is too uneven for one number."""


@dataclass(frozen=True)
class Decay:
    """A straight line through the logarithms of the sizes, over a window of lags, by least squares."""

    since: int
    until: int
    """First and last lag that were fitted."""
    factor: float
    """Kept per step: e to the power of the slope."""
    fit: float
    """R²; 1 for a curve that is straight on a logarithmic axis."""

    @property
    def half_life(self) -> float:
        """ln ½ / ln factor, in steps; infinite where nothing decays."""
        return math.log(0.5) / math.log(self.factor) if 0 < self.factor < 1 else 0.0 if self.factor == 0 else math.inf

    @property
    def decays(self) -> bool:
        """Whether at least one half-life passes within the window."""
        return self.half_life <= self.until - self.since


def decay(sizes: ArrayLike, since: int | None = None, until: int | None = None) -> Decay | None:
    """The line through sizes by lag, lag 0 first; None with fewer than three numbers above 0 in the window.

    Without a window the first lags are left out, up to five, where what has just entered has not yet turned into the
    directions that last. A size that is exactly 0, infinite or no number is left out.
    """
    values = np.asarray(sizes, np.float64)
    since = min(5, len(values) // 6) if since is None else since
    until = len(values) - 1 if until is None else min(until, len(values) - 1)
    lags = np.arange(since, until + 1)
    usable = lags[np.isfinite(values[since:until + 1]) & (values[since:until + 1] > 0)]
    if len(usable) < 3:
        return None
    logs = np.log(values[usable])
    slope, start = np.polyfit(usable, logs, 1)
    rest, spread = logs - (slope * usable + start), logs - logs.mean()
    total = float(spread @ spread)
    fit = 1.0 if total < 1e-24 else 1 - float(rest @ rest) / total
    return Decay(int(usable[0]), int(usable[-1]), float(np.exp(slope)), fit)


def below(sizes: Sequence[float] | NDArray[np.float64], share: float = 0.01) -> int | None:
    """The first lag from which on everything is below that share of lag 0; None if that never happens."""
    values = np.asarray(sizes, np.float64)
    small = values < share * values[0]
    if not len(values) or not small[-1]:
        return None
    return int(len(small) - np.argmin(small[::-1])) if not small.all() else 0
