"""Boxes: places in a picture, and how they are divided. A view says how much room a thing takes, not where it stands.

Lengths are those of the layout, which is at a text scale of 1. What is made of cells is measured in whole pixels of the
screen (`Look.pixel`), so that all cells of a map look equally large however large the text is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Box:
    """A place in a picture, by its edges; it is never less than nothing wide and high."""

    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "right", max(self.left, self.right))
        object.__setattr__(self, "bottom", max(self.top, self.bottom))

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top

    @property
    def middle(self) -> tuple[float, float]:
        """x and y."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def inset(self, left: float, top: float | None = None, right: float | None = None,
              bottom: float | None = None) -> Box:
        """What is left of it inside margins: one for all sides, or the left and right, and the top and bottom alike;
        where they meet nothing is left."""
        top = left if top is None else top
        right, bottom = left if right is None else right, top if bottom is None else bottom
        x, y = min(self.left + left, self.right), min(self.top + top, self.bottom)
        return Box(x, y, self.right - right, self.bottom - bottom)


def rows(box: Box, sizes: Sequence[float | None], gap: float = 0.0) -> tuple[Box, ...]:
    """The box cut into rows from its top, with gaps between them: of given heights, and where none is given of equal
    shares of what is left. Where they do not fit, all heights shrink alike, and before them the shares to nothing."""
    found, y = [], box.top
    for high, apart in zip(*_lengths(box.height, sizes, gap), strict=True):
        found.append(Box(box.left, y, box.right, y + high))
        y += high + apart
    return tuple(found)


def columns(box: Box, sizes: Sequence[float | None], gap: float = 0.0) -> tuple[Box, ...]:
    """The same from its left: columns of given widths, and of equal shares of what is left."""
    found, x = [], box.left
    for wide, apart in zip(*_lengths(box.width, sizes, gap), strict=True):
        found.append(Box(x, box.top, x + wide, box.bottom))
        x += wide + apart
    return tuple(found)


def split(box: Box, edge: str, size: float, gap: float = 0.0) -> tuple[Box, Box]:
    """(a strip along one edge, the rest): `left`, `top`, `right` or `bottom`; the strip is no larger than the box."""
    cut = columns if edge in ("left", "right") else rows
    if edge in ("left", "top"):
        strip, rest = cut(box, (size, None), gap)
    else:
        rest, strip = cut(box, (None, size), gap)
    return strip, rest


def _lengths(room: float, sizes: Sequence[float | None], gap: float) -> tuple[list[float], list[float]]:
    """Lengths for the sizes, and the gap behind each; in too little room gaps and lengths shrink alike."""
    gaps = [gap] * (len(sizes) - 1) + [0.0] * bool(sizes)
    fixed = sum(size for size in sizes if size is not None) + sum(gaps)
    shrunk = min(1.0, room / fixed) if fixed > 0 else 1.0
    open_ones = sum(size is None for size in sizes)
    share = max(0.0, room - fixed) / open_ones if open_ones else 0.0
    return [share if size is None else size * shrunk for size in sizes], [apart * shrunk for apart in gaps]


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
