"""How fast a curve of gradient sizes falls: the factor it keeps a step, its half-life, and where 1 % is left.

There is one fit for recordings and the laboratory alike: least squares through the logarithms of the sizes, over the
lags 5 to 59, as the published curves of recurrent networks were measured. The first five are left out because what has
just entered has not yet turned into the directions that last (of a short curve at most a quarter is left out), and the
window ends at 59 so that a longer recording of the same network has the same half-life.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

WINDOW = (5, 59)
"""The first and the last lag that are fitted, as far as a curve has them."""
FEWEST = 3
"""Fewer sizes make no line."""
ONE_PERCENT = 0.01


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
        """In how many steps it halves; infinite where nothing decays."""
        return half_life(self.factor)

    @property
    def decays(self) -> bool:
        """Whether at least one half-life passes within the window."""
        return self.half_life <= self.until - self.since


def half_life(factor: float) -> float:
    """ln ½ / ln factor, in steps; infinite where nothing decays, 0 where nothing is left."""
    return math.log(0.5) / math.log(factor) if 0 < factor < 1 else 0.0 if factor == 0 else math.inf


def decay(sizes: ArrayLike, since: int | None = None, until: int | None = None) -> Decay | None:
    """The line through sizes by lag, lag 0 first; None with fewer than three numbers above 0 in the window.

    A size that is exactly 0, infinite or no number is left out.
    """
    values = np.asarray(sizes, np.float64)
    since = min(WINDOW[0], len(values) // 4) if since is None else since
    until = min(WINDOW[1] if until is None else until, len(values) - 1)
    lags = np.arange(since, until + 1)
    usable = lags[np.isfinite(values[since:until + 1]) & (values[since:until + 1] > 0)]
    if len(usable) < FEWEST:
        return None
    logs = np.log(values[usable])
    slope, start = np.polyfit(usable, logs, 1)
    rest, spread = logs - (slope * usable + start), logs - logs.mean()
    total = float(spread @ spread)
    fit = 1.0 if total < 1e-20 else 1 - float(rest @ rest) / total
    return Decay(int(usable[0]), int(usable[-1]), float(np.exp(slope)), fit)


def below(sizes: Sequence[float] | NDArray[np.float64], share: float = ONE_PERCENT) -> int | None:
    """The first lag from which on everything is below that share of lag 0; None if that never happens."""
    values = np.asarray(sizes, np.float64)
    small = values < share * values[0]
    if not len(values) or not small[-1]:
        return None
    return int(len(small) - np.argmin(small[::-1])) if not small.all() else 0
