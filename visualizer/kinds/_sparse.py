"""Linear operations by their weights: which numbers of the input each number of the output is a weighted sum of.

Most weights are 0, so that only the others are kept. From them come the terms, both ways: forwards a row, backwards a
column. An operation that treats every axis on its own keeps one small matrix for each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.kinds import NOTHING, Box, Inputs, Kind, Terms, _words
from visualizer.kinds._taps import (
    Cells,
    Numbers,
    added,
    around,
    clipped,
    gradient_taps,
    grid_of,
    ravel,
    taps,
    unravel,
    whole,
)
from visualizer.language import listed, tr, translated
from visualizer.trace import Cell, Layer, remembered

Settings = Mapping[str, Any]
Names = tuple[str, ...]
SUM, SUM_BACK = "y = Σ w·x", "∂L/∂x = Σ ∂L/∂y·w"


@dataclass(frozen=True, eq=False)
class Entries:
    """Weights that are not 0, as three columns, of an operation on the last axes of its inputs; the axes in front stay
    as they are."""

    rows: NDArray[np.int64]
    """The place in the output."""
    columns: NDArray[np.int64]
    """The place in the inputs, counted on from one to the next."""
    weights: Numbers

    def row(self, place: int) -> tuple[NDArray[np.int64], Numbers]:
        at = np.flatnonzero(self.rows == place)
        return self.columns[at], self.weights[at]

    def column(self, place: int) -> tuple[NDArray[np.int64], Numbers]:
        at = np.flatnonzero(self.columns == place)
        return self.rows[at], self.weights[at]


@dataclass(frozen=True)
class Linear:
    """One such operation."""

    name: str
    title: str
    calls: Mapping[str, str]
    axes: Callable[[Settings, tuple[Names, ...], tuple[int, ...]], Names]
    says: str
    """The sentence; `{source}`, `{before}`, `{after}` are filled in."""
    entries: Callable[[Layer, Inputs], Entries]
    lead: Callable[[Layer, Inputs], int] = lambda layer, inputs: 0
    """How many axes in front stay as they are."""
    others: Callable[[Layer, Inputs, int, Cell], Terms] | None = None
    """What is handed back to inputs in which the operation is not linear: those that say where to look."""
    linear_in: tuple[int, ...] = (0,)
    """The inputs in which it is linear."""

    def __hash__(self) -> int:
        return hash(self.name)


def linear_terms(linear: Linear, layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """All numbers that this one is a weighted sum of."""
    lead = linear.lead(layer, inputs)
    columns, weights = _entries(layer, inputs, linear).row(ravel(cell[lead:], layer.shape[lead:]))
    read, first = [], 0
    for which in linear.linear_in:
        shape = inputs[which].shape[lead:]
        mine = (columns >= first) & (columns < first + prod(shape))
        cells = _with_lead(cell[:lead], unravel(columns[mine] - first, shape))
        if mine.any() or len(linear.linear_in) == 1:
            read.append(taps(inputs[which], "output", cells, weights[mine]))
        first += prod(shape)
    return added(*read, formula=SUM)


def linear_backward(linear: Linear, layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """The gradient of every number that this one went into, times its weight there."""
    if which not in linear.linear_in:
        if linear.others is None:
            raise LookupError(tr("{layer} reads {source} to know where to look, and hands nothing back."
                                 ).format(layer=layer.name, source=inputs[which].name))
        return linear.others(layer, inputs, which, cell)
    lead = linear.lead(layer, inputs)
    first = sum(prod(inputs[other].shape[lead:]) for other in linear.linear_in if other < which)
    rows, weights = _entries(layer, inputs, linear).column(first + ravel(cell[lead:], inputs[which].shape[lead:]))
    return added(gradient_taps(layer, _with_lead(cell[:lead], unravel(rows, layer.shape[lead:])), weights),
                 formula=SUM_BACK)


def linear_box(linear: Linear, layer: Layer, inputs: Inputs, which: int, box: Box) -> Box:
    lead = linear.lead(layer, inputs)
    inside = clipped(box, layer.shape)
    if which not in linear.linear_in:
        return whole(inputs[which].shape)
    cells = grid_of(*(np.arange(low, high + 1) for low, high in inside[lead:]))
    rows = np.ravel_multi_index(tuple(cells.T), layer.shape[lead:]) if layer.shape[lead:] else np.zeros(1, np.int64)
    found = _entries(layer, inputs, linear)
    shape = inputs[which].shape[lead:]
    first = sum(prod(inputs[other].shape[lead:]) for other in linear.linear_in if other < which)
    columns = found.columns[np.isin(found.rows, rows) & (found.weights != 0)] - first
    columns = columns[(columns >= 0) & (columns < prod(shape))]
    return (*inside[:lead], *around(unravel(columns, shape))) if len(columns) else NOTHING


def linear_sentence(linear: Linear, layer: Layer, inputs: Inputs) -> str:
    return _words.fixed(translated(linear.says), layer).format(
        source=listed([source.name for source in inputs]), before=_words.shape(inputs[0]),
        after=_words.shape(layer), spread=_words.spread(layer))


def short(layer: Layer, inputs: Inputs) -> str:
    return _words.becomes(inputs[0], layer)


@remembered(2)
def _entries(layer: Layer, inputs: Inputs, linear: Linear) -> Entries:
    return linear.entries(layer, inputs)


def _with_lead(lead: Cell, cells: Cells) -> Cells:
    return np.column_stack([np.tile(np.array(lead, dtype=np.int64), (len(cells), 1)), cells]) if lead else cells


def kind_of(linear: Linear) -> Kind:
    return Kind(linear.name, linear.title, linear.calls, linear.axes, partial(linear_terms, linear),
                partial(linear_backward, linear), partial(linear_box, linear), partial(linear_sentence, linear),
                short=short)


# --- every axis on its own --------------------------------------------------------------------------------------------

Matrix = NDArray[np.float64]
Matrices = Callable[[Layer, Inputs], tuple[Matrix, ...]]
"""(layer, inputs) -> for each of the last axes the weights (place of the output, place of the input)."""


@remembered(2)
def _along(layer: Layer, inputs: Inputs, matrices: Matrices) -> tuple[Matrix, ...]:
    return matrices(layer, inputs)


def axes_terms(matrices: Matrices, layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """Along each axis the few places that count; together a small grid, each weight the product of its own."""
    found = _along(layer, inputs, matrices)
    lead = len(cell) - len(found)
    cells, weights, grid = _crossed(cell[:lead], [matrix[i] for matrix, i in zip(found, cell[lead:], strict=True)])
    return added(taps(inputs[0], "output", cells, weights, grid), formula=SUM)


def axes_backward(matrices: Matrices, layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """The gradient of every place that this number went into, times its weight there."""
    found = _along(layer, inputs, matrices)
    lead = len(cell) - len(found)
    cells, weights, grid = _crossed(cell[:lead], [matrix[:, i] for matrix, i in zip(found, cell[lead:], strict=True)])
    return added(gradient_taps(layer, cells, weights, grid), formula=SUM_BACK)


def axes_box(matrices: Matrices, layer: Layer, inputs: Inputs, which: int, box: Box) -> Box:
    found = _along(layer, inputs, matrices)
    inside = clipped(box, layer.shape)
    lead = len(inside) - len(found)
    spans = []
    for matrix, (low, high) in zip(found, inside[lead:], strict=True):
        seen = np.flatnonzero(matrix[low:high + 1].any(axis=0))
        spans.append((int(seen[0]), int(seen[-1])))
    return (*inside[:lead], *spans)


def _crossed(lead: Cell, lines: list[Numbers]) -> tuple[Cells, Numbers, tuple[int, ...]]:
    """The places along each axis whose weight is not 0, all combinations of them, and the products of their weights."""
    places = [np.flatnonzero(line) for line in lines]
    weights = np.ones(1)
    for line, at in zip(lines, places, strict=True):
        weights = np.outer(weights, line[at]).ravel()
    return grid_of(*([i] for i in lead), *places), weights, (*(1 for _ in lead), *map(len, places))
