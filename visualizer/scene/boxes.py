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
