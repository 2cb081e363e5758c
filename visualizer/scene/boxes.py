"""Boxes: places in a picture, and how they are divided. A view says how much room a thing takes, not where it stands.

Lengths are those of the layout, which is at a text scale of 1. What is made of cells is measured in whole pixels of the
screen (`Look.pixel`), so that all cells of a map look equally large however large the text is.
"""

from __future__ import annotations

import math


def whole(length: float, pixel: float = 1.0) -> float:
    """The longest length of whole pixels that is not longer."""
    return math.floor(length / pixel + 1e-9) * pixel


def descending(most: float, pixel: float = 1.0) -> list[float]:
    """Lengths of whole pixels, the longest first, down to one pixel: for what takes the largest that fits."""
    return [count * pixel for count in range(max(1, int(most / pixel + 1e-9)), 0, -1)]


def inside(box: tuple[float, float, float, float], start: tuple[float, float], end: tuple[float, float]) \
        -> tuple[tuple[float, float], tuple[float, float]] | None:
    """The part of a straight line that lies in a box of left, top, right, bottom (Liang and Barsky 1984)."""
    first, last = 0.0, 1.0
    for axis in (0, 1):
        way = end[axis] - start[axis]
        near, far = box[axis] - start[axis], box[axis + 2] - start[axis]
        if way == 0:
            if near > 0 or far < 0:
                return None
            continue
        first, last = max(first, min(near / way, far / way)), min(last, max(near / way, far / way))
    if first > last:
        return None
    (x, y), (dx, dy) = start, (end[0] - start[0], end[1] - start[1])
    return (x + dx * first, y + dy * first), (x + dx * last, y + dy * last)
