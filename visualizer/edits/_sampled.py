"""What turning and scaling share: a picture read off between its pixels by straight lines."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from visualizer.edits import Matter
from visualizer.trace import Array

Way = tuple[float, float, float, float]
"""(xx, xy, yx, yy): where a pixel comes from, counted from the middle: x = xx·x′ + xy·y′, y = yx·x′ + yy·y′."""


def sampled(matter: Matter, way: Way) -> Array:
    """The picture of which each pixel is read off where the way leads, bilinear between the four around it; beyond the
    frame is what is empty."""
    array, empty = matter.array, float(matter.grain.empty or 0)
    height, width = array.shape[-2:]
    places, shares = _places(height, width, way)
    padded = np.full((*array.shape[:-2], height + 2, width + 2), empty)
    padded[..., 1:-1, 1:-1] = array
    found = (padded.reshape(*array.shape[:-2], -1)[..., places] * shares).sum(-1).reshape(array.shape)
    return as_before(found, array)


def as_before(found: Array, array: Array) -> Array:
    """Numbers of the type that they had; whole ones are rounded."""
    if array.dtype.kind in "iu":
        limits = np.iinfo(array.dtype)
        found = np.clip(np.rint(found), limits.min, limits.max)
    return found.astype(array.dtype)


def outside(height: int, width: int, way: Way) -> Array:
    """Where (row, column) of a picture the numbers are that lie beyond the frame afterwards: the way backwards."""
    xx, xy, yx, yy = way
    area = xx * yy - xy * yx
    x, y = _grid(height, width)
    to_x, to_y = (yy * x - xy * y) / area, (xx * y - yx * x) / area
    return (np.abs(to_x) > width / 2 - 0.5 + 1e-9) | (np.abs(to_y) > height / 2 - 0.5 + 1e-9)


@lru_cache(maxsize=32)
def _places(height: int, width: int, way: Way) -> tuple[Array, Array]:
    """(pixels, 4) in a picture with a border of one pixel, and how much each counts."""
    xx, xy, yx, yy = way
    x, y = _grid(height, width)
    column = np.clip(xx * x + xy * y + (width - 1) / 2 + 1, 0, width + 1).ravel()
    row = np.clip(yx * x + yy * y + (height - 1) / 2 + 1, 0, height + 1).ravel()
    left, top = np.minimum(column.astype(int), width), np.minimum(row.astype(int), height)
    right_share, low_share = column - left, row - top
    corner = top * (width + 2) + left
    return (np.stack([corner, corner + 1, corner + width + 2, corner + width + 3], axis=1),
            np.stack([(1 - low_share) * (1 - right_share), (1 - low_share) * right_share,
                      low_share * (1 - right_share), low_share * right_share], axis=1))


def _grid(height: int, width: int) -> tuple[Array, Array]:
    """x and y (row, column) of each pixel, counted from the middle."""
    x, y = np.meshgrid(np.arange(width) - (width - 1) / 2, np.arange(height) - (height - 1) / 2)
    return x, y
