"""Broadcasting: arrays of fewer or shorter axes are read again and again, lined up at their last axes."""

from __future__ import annotations

import numpy as np

from visualizer.kinds import Box
from visualizer.kinds._taps import Cells, grid_of
from visualizer.language import tr
from visualizer.trace import Cell

Shape = tuple[int, ...]


def read_by(cells: Cells, shape: Shape, batch: int | None = 0) -> Cells:
    """The cells of an array of `shape` that output cells (n, axes) read; an axis of size 1 is read everywhere."""
    kept = _kept(shape, cells.shape[1], batch)
    found = np.zeros((len(cells), len(shape)), dtype=np.int64)
    for number, axis in enumerate(reversed(kept), start=1):
        if shape[axis] > 1:
            found[:, axis] = cells[:, -number]
    return found


def readers_of(cell: Cell, shape: Shape, output: Shape, batch: int | None = 0) -> tuple[Cells, Shape]:
    """The output cells that read one cell of an array of `shape`, and how they are laid out: (axes of the output)."""
    kept = _kept(shape, len(output), batch)
    ranges = [np.arange(size) for size in output]
    for number, axis in enumerate(reversed(kept), start=1):
        if shape[axis] > 1:
            ranges[-number] = np.array([cell[axis]])
    return grid_of(*ranges), tuple(map(len, ranges))


def box_read(box: Box, shape: Shape, batch: int | None = 0) -> Box:
    """The box of an array of `shape` that a box of the output reads."""
    kept = _kept(shape, len(box), batch)
    found = [(0, 0)] * len(shape)
    for number, axis in enumerate(reversed(kept), start=1):
        if shape[axis] > 1:
            found[axis] = box[-number]
    return tuple(found)


def _kept(shape: Shape, count: int, batch: int | None) -> list[int]:
    """The axes of an array that line up with the last of `count` output axes.

    An array that was no sample (a parameter, a constant) still has an axis of size 1 where the batch would be, and
    perhaps more in front; these line up with nothing.
    """
    kept = list(range(len(shape)))
    if len(kept) > count and batch is not None and batch < len(shape) and shape[batch] == 1:
        kept.remove(batch)
    while len(kept) > count and shape[kept[0]] == 1:
        kept.pop(0)
    if len(kept) > count:
        raise LookupError(tr("An array of shape {shape} cannot be lined up with an output of {count} axes."
                             ).format(shape=shape, count=count))
    return kept
