"""Reading cells of arrays: what every kind builds its Terms from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.kinds import Box, Taps, Terms
from visualizer.language import english, tr
from visualizer.reasons import told
from visualizer.trace import Array, Cell, Layer

Cells = NDArray[np.int64]
Numbers = NDArray[np.float64]


def taps(source: Layer, array: str, cells: Cells, weights: Any = 1.0, grid: tuple[int, ...] = (), *,
         outside: float = 0.0, weight: str = "", weight_cells: Cells | None = None) -> Taps:
    """Read `cells` of one array of `source` (`output`, `gradient`, `weights.bias`), each with its factor.

    Cells beyond the array are padding, with the value `outside`.
    """
    values, inside = look(array_of(source, array), cells, outside)
    factors = np.broadcast_to(np.asarray(weights, dtype=np.float64), values.shape)
    return Taps(source.name, cells, values, factors, array, weight, weight_cells, inside, grid or (len(values),))


def gradient_taps(layer: Layer, cells: Cells, slopes: Any = 1.0, grid: tuple[int, ...] = (), *, weight: str = "",
                  weight_cells: Cells | None = None) -> Taps:
    """Read `cells` of the layer's own gradient, each times a local derivative. LookupError if there is no gradient."""
    return taps(layer, "gradient", cells, slopes, grid, weight=weight, weight_cells=weight_cells)


def weighed(read: Taps, weights: Any) -> Taps:
    """The same numbers, each with another factor."""
    return replace(read, weights=np.broadcast_to(np.asarray(weights, dtype=np.float64), read.values.shape))


def added(*read: Taps, bias: float | None = None, bias_name: str = "", formula: str = "",
          met: tuple[tuple[str, float], ...] = ()) -> Terms:
    """Σ value × weight, plus a bias if there is one."""
    total = sum(float(one.products.sum()) for one in read) + (bias or 0.0)
    return Terms("sum", read, total, bias, bias_name, formula, met)


def through(layer: Layer, cell: Cell, slope: float, formula: str, met: tuple[tuple[str, float], ...] = ()) -> Terms:
    """The gradient of one cell times one slope: how a function of one number hands back."""
    read = gradient_taps(layer, one(cell), slope)
    return Terms("product", (read,), float(read.products.sum()), formula=formula,
                 met=(*met, (english("slope"), slope)))


def copied(read: Taps, formula: str) -> Terms:
    """One number, unchanged."""
    return Terms("copy", (read,), float(read.products.sum()), formula=formula)


def largest(read: Taps, formula: str) -> Terms:
    """The largest of them; the first one wins a tie, and a NaN wins over everything."""
    winner = int(np.argmax(read.values))
    return Terms("max", (read,), float(read.values[winner]), formula=formula, winner=winner)


def array_of(layer: Layer, array: str) -> Array:
    """`output`, `gradient`, or one of a group such as `weights.bias`; LookupError if the layer has none."""
    if array == "output":
        return layer.output
    if array == "gradient":
        if layer.gradient is None:
            raise LookupError(tr("No gradient flowed back through {layer}: {why}."
                                 ).format(layer=layer.name, why=told(layer.why) or tr("it was not recorded")))
        return layer.gradient
    group, _, name = array.partition(".")
    found: Array = getattr(layer, group)[name]
    return found


def look(array: Array, cells: Cells, outside: float = 0.0) -> tuple[Numbers, NDArray[np.bool_] | None]:
    """The numbers in `cells` (n, axes), and which of them lie inside; None when all do."""
    if not array.ndim:
        return np.full(len(cells), float(array)), None
    inside: NDArray[np.bool_] = np.all((cells >= 0) & (cells < array.shape), axis=1)
    if inside.all():
        return array[tuple(cells.T)].astype(np.float64), None
    values = np.full(len(cells), outside)
    values[inside] = array[tuple(cells[inside].T)]
    return values, inside


def grid_of(*axes: Sequence[int] | Cells) -> Cells:
    """Every combination of the indices given for each axis, the last axis fastest: (n, axes)."""
    sizes = [len(axis) for axis in axes]
    cells = np.empty((*sizes, len(axes)), dtype=np.int64)
    for number, axis in enumerate(axes):
        cells[..., number] = np.asarray(axis, dtype=np.int64).reshape(-1, *([1] * (len(axes) - number - 1)))
    return cells.reshape(prod(sizes), len(axes))


def one(cell: Cell) -> Cells:
    """A single cell as an array of cells."""
    return np.array([cell], dtype=np.int64).reshape(1, len(cell))


def unravel(flat: Any, shape: tuple[int, ...]) -> Cells:
    """Flat row-major places as cells (n, axes)."""
    places = np.atleast_1d(np.asarray(flat, dtype=np.int64))
    return np.stack(np.unravel_index(places, shape), axis=1) if shape else np.zeros((len(places), 0), dtype=np.int64)


def ravel(cell: Cell, shape: tuple[int, ...]) -> int:
    """The flat row-major place of a cell."""
    return int(np.ravel_multi_index(cell, shape)) if shape else 0


def whole(shape: tuple[int, ...]) -> Box:
    """Everything."""
    return tuple((0, size - 1) for size in shape)


def all_seen(layer: Layer, inputs: Sequence[Layer], which: int, box: Box) -> Box:
    """The box of what reads all of an input, wherever its result lies."""
    return whole(inputs[which].shape)


def clipped(box: Box, shape: tuple[int, ...]) -> Box:
    """The part of a box that lies in the array; at least one cell, the nearest."""
    return tuple((min(max(low, 0), size - 1), min(max(high, 0), size - 1))
                 for (low, high), size in zip(box, shape, strict=True))


def around(cells: Cells) -> Box:
    """The smallest box that holds all these cells."""
    return tuple((int(low), int(high)) for low, high in zip(cells.min(axis=0), cells.max(axis=0), strict=True))
