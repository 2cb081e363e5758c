"""How large an array is: one measure, in float64, for captions, tables, tips, lanes, the inspector and studies."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def norm(values: Any) -> float:
    """∥·∥₂ of all numbers."""
    flat = np.asarray(values).reshape(-1)
    return float(norms(flat)) if flat.size <= BLOCK else _in_blocks(flat)


BLOCK = 1 << 15
"""So many numbers stay in the processor's cache while they are squared."""


def _in_blocks(flat: NDArray[Any]) -> float:
    """The same of many numbers, without a copy of all of them in float64."""
    top = max(float(flat.max()), -float(flat.min()))
    if not 0 < top < np.inf:
        return float(norms(flat))
    total = 0.0
    for start in range(0, flat.size, BLOCK):
        part = flat[start:start + BLOCK].astype(np.float64)
        part /= top
        total += float(part @ part)
    return float(np.sqrt(total)) * top


def norms(values: Any, axis: int = -1) -> NDArray[np.float64]:
    """∥·∥₂ along one axis.

    Squares of numbers below 1e-23 are 0 in the precision that networks compute in, and those above 1e19 infinite, so
    all are divided by the largest first. NaN where one of them is none, ∞ where one of them is.
    """
    array: NDArray[np.float64] = np.asarray(values, np.float64)
    with np.errstate(all="ignore"):
        top = np.max(np.abs(array), axis=axis, keepdims=True, initial=0.0)
        safe = np.where((top > 0) & np.isfinite(top), top, 1.0)
        found: NDArray[np.float64] = np.sqrt(np.square(array / safe).sum(axis=axis)) * np.squeeze(safe, axis)
    return found


def spectral(matrix: Any) -> float:
    """∥·∥ of a matrix: how much it can stretch a vector, its largest singular value."""
    return float(np.linalg.svd(np.asarray(matrix, np.float64), compute_uv=False)[0])
