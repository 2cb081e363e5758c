"""Functions of whole matrices, whose every number depends on all that was read: inverses, determinants, factors.

Each says what it makes, and how that moves when one number it read moves (its differential, Magnus and Neudecker
1988). The second, at a single number, is the column of slopes by which a gradient comes back to that number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any

import numpy as np

from visualizer.kinds import Inputs, Kind, Terms, _words
from visualizer.kinds._dims import batch_of, full_shape
from visualizer.kinds._taps import Cells, added, all_seen, gradient_taps, grid_of, ravel, taps, unravel
from visualizer.language import listed, tr, translated
from visualizer.trace import Cell, Layer, remembered

Settings = Mapping[str, Any]
Matrix = Any
"""An array in float64, the numbers of one matrix (or of several, with axes in front)."""
Names = tuple[str, ...]
Shape = tuple[int, ...]


@dataclass(frozen=True)
class OfMatrices:
    """Y = f(A, …), for each of the matrices that lie along the axes in front."""

    name: str
    title: str
    calls: Mapping[str, str]
    says: str
    """The sentence; `{source}`, `{before}`, `{after}`, `{spread}`, `{loss}` (the one number that comes out)."""
    value: Callable[..., Matrix]
    """(matrices …, settings) -> what they make."""
    moves: Callable[..., Matrix]
    """(which, its movement, what was made, matrices …, settings) -> the movement of what they make."""
    formula: str
    back_formula: str
    axes: Callable[[tuple[Names, ...], int], Names] = lambda inputs, count: inputs[0][:count]
    """(axes of the inputs, how many the output has) -> those of the output."""
    counts: Callable[[int, Matrix, Settings], Any] = lambda which, matrix, settings: None
    """(which, matrix, settings) -> which of its numbers are looked at; None for all."""
    signs: Callable[[Matrix, Matrix, Settings], Matrix] = lambda made, there, settings: made
    """(what was made, what torch made, settings) -> the first, with the signs of the other where they are free."""
    vectors: bool = False
    """Whether the second input may be a vector."""

    def __hash__(self) -> int:
        return hash(self.name)


@dataclass(frozen=True, eq=False)
class _Laid:
    """All inputs with their batch axes, how many of their axes are those of a matrix, and the axes in front."""

    arrays: tuple[Matrix, ...]
    trailing: tuple[int, ...]
    lead: Shape
    made: Shape
    """Of one matrix that comes out."""

    @property
    def full(self) -> Shape:
        return (*self.lead, *self.made)

    def at(self, which: int, lead: Cell) -> Cell:
        """Where one input has what is used at a place of the axes in front."""
        own = self.arrays[which].shape[:self.arrays[which].ndim - self.trailing[which]]
        return tuple(0 if size == 1 else index for size, index in
                     zip(own, lead[len(lead) - len(own):], strict=True))

    def matrices(self, lead: Cell) -> tuple[Matrix, ...]:
        return tuple(array[self.at(which, lead)] for which, array in enumerate(self.arrays))


def terms(of: OfMatrices, layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """Every number of the matrices that is looked at, and what they make here."""
    laid = _laid(layer, inputs, of)
    place = _full_cell(cell, layer.shape, laid.full)
    lead, at = place[:len(laid.lead)], place[len(laid.lead):]
    read = []
    for which, matrix in enumerate(laid.matrices(lead)):
        seen = of.counts(which, matrix, layer.settings)
        cells = grid_of(*(np.arange(size) for size in matrix.shape))
        cells = cells if seen is None else cells[np.asarray(seen).ravel()]
        read.append(taps(inputs[which], "output", _own_cells(laid, which, lead, cells, inputs[which].shape),
                         grid=matrix.shape if seen is None else ()))
    result = float(_made(layer, inputs, of, lead)[at])
    return Terms("function", tuple(read), result, formula=translated(of.formula))


def backward(of: OfMatrices, layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """The gradient of all that was made, each number times how it moves with this one."""
    laid = _laid(layer, inputs, of)
    array = laid.arrays[which]
    own = array.ndim - laid.trailing[which]
    place = _full_cell(cell, inputs[which].shape, array.shape)
    unit = np.zeros(array.shape[own:])
    unit[place[own:]] = 1.0
    cells, slopes = [], []
    made_at = grid_of(*(np.arange(size) for size in laid.made))
    for lead in np.ndindex(laid.lead):
        if laid.at(which, lead) != place[:own]:
            continue  # another matrix
        moved = of.moves(which, unit, _made(layer, inputs, of, lead), *laid.matrices(lead), layer.settings)
        full = np.column_stack([np.tile(np.array(lead, np.int64), (len(made_at), 1)), made_at])
        flat = np.ravel_multi_index(tuple(full.T), laid.full) if laid.full else np.zeros(1, np.int64)
        cells.append(unravel(flat, layer.shape))
        slopes.append(np.broadcast_to(moved, laid.made).ravel())
    read = gradient_taps(layer, np.concatenate(cells), np.concatenate(slopes), laid.made if len(cells) == 1 else ())
    return added(read, formula=translated(of.back_formula))


def sentence(of: OfMatrices, layer: Layer, inputs: Inputs) -> str:
    loss = _words.one(layer) if layer.output.size == 1 else _words.spread(layer)
    return _words.fixed(translated(of.says), layer).format(
        source=listed([source.name for source in inputs]), before=_words.shape(inputs[0]),
        after=_words.shape(layer), spread=_words.spread(layer), loss=loss)


def short(layer: Layer, inputs: Inputs) -> str:
    return _words.becomes(inputs[0], layer)


def kind_of(of: OfMatrices) -> Kind:
    return Kind(of.name, of.title, of.calls, lambda settings, inputs, shape: of.axes(inputs, len(shape)),
                partial(terms, of),
                partial(backward, of), all_seen, partial(sentence, of), short=short)


@remembered(2)
def _laid(layer: Layer, inputs: Inputs, of: OfMatrices) -> _Laid:
    """LookupError where what was read and made is not what such a function reads and makes."""
    arrays = tuple(source.output.astype(np.float64).reshape(
        full_shape({"batch": batch_of(layer.settings, which)}, source)) for which, source in enumerate(inputs))
    trailing = tuple(1 if of.vectors and which and _is_vector(arrays) else 2 for which in range(len(arrays)))
    leads = [array.shape[:array.ndim - count] for array, count in zip(arrays, trailing, strict=True)]
    bare = _Laid(arrays, trailing, np.broadcast_shapes(*leads), ())
    first = bare.matrices((0,) * len(bare.lead))
    laid = _Laid(arrays, trailing, bare.lead, np.shape(of.value(*first, layer.settings)))
    if prod(laid.full) != layer.output.size:
        raise LookupError(tr("{layer} does not make {shape} of what it read, which is not explained."
                             ).format(layer=layer.name, shape=layer.shape))
    return laid


def _is_vector(arrays: tuple[Matrix, ...]) -> bool:
    """As torch tells a vector from a matrix: by an axis less, with the same axes in front."""
    matrix, other = arrays
    return bool(other.ndim == 1 or (other.ndim == matrix.ndim - 1 and other.shape == matrix.shape[:-1]))


@remembered(8)
def _made(layer: Layer, inputs: Inputs, of: OfMatrices, lead: Cell) -> Matrix:
    """What the matrices at one place of the axes in front make."""
    laid = _laid(layer, inputs, of)
    made = np.asarray(of.value(*laid.matrices(lead), layer.settings), dtype=np.float64)
    there = layer.output.astype(np.float64).reshape(laid.full)[lead]
    return of.signs(made, there, layer.settings)


def _full_cell(cell: Cell, shape: Shape, full: Shape) -> Cell:
    """A cell of a layer as one of the same numbers with their batch axis."""
    return tuple(map(int, unravel(ravel(cell, shape), full)[0])) if full else ()


def _own_cells(laid: _Laid, which: int, lead: Cell, cells: Cells, shape: Shape) -> Cells:
    """Cells of one matrix as cells of the layer that was read."""
    own = laid.at(which, lead)
    full = np.column_stack([np.tile(np.array(own, np.int64), (len(cells), 1)), cells])
    return unravel(np.ravel_multi_index(tuple(full.T), laid.arrays[which].shape), shape)
