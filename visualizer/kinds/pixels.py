"""Pixels: what an answer with a class for each pixel makes of each, how sure it is, and how far that is right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visualizer.trace import Answer, Array

UNKNOWN = -100
"""What stands in the truth where it is not known."""
Classes = NDArray[np.int64]


@dataclass(frozen=True)
class Overlap:
    """How far the pixels that a class was given are those that belong to it."""

    index: int
    shared: int
    """Pixels that are given the class and belong to it."""
    either: int
    """Pixels that are given the class or belong to it."""

    @property
    def share(self) -> float:
        """Intersection over union (IoU)."""
        return self.shared / self.either


def shares(values: Array) -> NDArray[np.float64]:
    """How likely each pixel belongs to each class (class, row, column): softmax of scores; shares as they are."""
    found: NDArray[np.float64] = np.asarray(values, np.float64)
    if found.size and found.min() >= 0 and np.allclose(found.sum(axis=0), 1, atol=1e-3):
        return found
    powers = np.exp(found - found.max(axis=0))
    whole: NDArray[np.float64] = powers / powers.sum(axis=0)
    return whole


def classes(values: Array) -> Classes:
    """The class with the largest number at each pixel (row, column)."""
    found: Classes = np.asarray(values).argmax(axis=0)
    return found


def truth_of(answer: Answer, values: Array) -> Classes | None:
    """The right class of each pixel, UNKNOWN where nobody knows it; None where nobody knows any."""
    if answer.truth is None or answer.truth.size != values[0].size:
        return None
    found = np.rint(answer.truth.reshape(values.shape[1:])).astype(np.int64)
    return None if (found == UNKNOWN).all() else found


def ground_of(answer: Answer) -> int | None:
    """The class that means none of the others."""
    found = answer.settings.get("ground")
    return None if found is None else int(found)


def overlaps(answer: Answer, values: Array) -> tuple[Overlap, ...]:
    """Of each class that is there or is found, in the order of the classes; none where the truth is not known."""
    right, given, count = truth_of(answer, values), classes(values), len(values)
    if right is None:
        return ()
    known = (right >= 0) & (right < count)
    pairs = np.bincount(count * right[known] + given[known], minlength=count * count).reshape(count, count)
    shared = np.diag(pairs)
    either = pairs.sum(axis=0) + pairs.sum(axis=1) - shared
    return tuple(Overlap(index, int(shared[index]), int(either[index])) for index in range(count) if either[index])


def mean_overlap(answer: Answer, values: Array) -> float | None:
    """Mean of the overlaps of the classes that are there or are found, without the ground; None where there are none.
    """
    counted = [each.share for each in overlaps(answer, values) if each.index != ground_of(answer)]
    return sum(counted) / len(counted) if counted else None


def right_pixels(answer: Answer, values: Array) -> tuple[int, int]:
    """(how many are right, how many are known)."""
    right = truth_of(answer, values)
    if right is None:
        return 0, 0
    known = right != UNKNOWN
    return int(((classes(values) == right) & known).sum()), int(known.sum())


def entropy(values: Array) -> NDArray[np.float64]:
    """How doubtful each pixel is (row, column), in bits: −Σ p·log₂ p."""
    p = shares(values)
    found: NDArray[np.float64] = -(p * np.log2(np.where(p > 0, p, 1.0))).sum(axis=0)
    return found


def doubtful(answer: Answer, values: Array) -> tuple[int, int]:
    """The pixel with the largest entropy, of those that are not taken for the ground if there are any."""
    found, given = np.nan_to_num(entropy(values)), classes(values)
    other = given != ground_of(answer)
    row, column = np.unravel_index(int(np.where(other, found, -1.0 if other.any() else found).argmax()), found.shape)
    return int(row), int(column)
