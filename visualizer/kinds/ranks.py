"""Ranks: how far two rows of numbers put the same things in the same order."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
FEWEST_RANKED = 3


def rank_correlation(one: Values, other: Values) -> float | None:
    """Spearman's: the correlation of the ranks, equal values sharing the mean of theirs; None for fewer than three, or
    where all are alike."""
    if len(one) < FEWEST_RANKED or np.ptp(one) == 0 or np.ptp(other) == 0:
        return None
    return float(np.corrcoef(ranks(one), ranks(other))[0, 1])


def ranks(values: Values) -> Values:
    """From 1, the least, upwards; equal values share the mean of theirs."""
    _, at, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    found: Values = (last - (counts - 1) / 2)[at]
    return found
