"""Operations on lines: what lies along one axis or several becomes one number, a few, or as many.

Each says what it makes of the numbers of a line, and how these change with each of them: a matrix of slopes. From that
come its terms, both ways.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.kinds import Box, Inputs, Kind, Terms, _words
from visualizer.kinds._broadcast import box_read, read_by, readers_of
from visualizer.kinds._dims import axes_of, axis_of, batch_of, dim_of
from visualizer.kinds._taps import Cells, Numbers, added, clipped, gradient_taps, grid_of, look, taps
from visualizer.language import english, listed, tr, translated
from visualizer.trace import Cell, Layer

Settings = Mapping[str, Any]
Names = tuple[str, ...]
Shape = tuple[int, ...]
ONE, FEW, SAME = "one", "few", "same"
"""How many numbers a line becomes: one, so that its axes vanish; a few along its one axis; as many as it has."""


@dataclass(frozen=True)
class Line:
    """y = f(x₁ … xₙ) for every line; with several inputs, lines that lie across from one another."""

    name: str
    title: str
    calls: Mapping[str, str]
    says: str
    """The sentence; `{source}`, `{count}` (numbers of a line), `{axes}`, `{before}`, `{after}`, `{spread}`."""
    value: Callable[..., NDArray[Any]]
    """(line of each input …, settings) -> the numbers that it becomes."""
    slopes: Callable[..., NDArray[Any]]
    """(which input, line of each …, settings) -> ∂y/∂x, a row for each y."""
    formula: str
    makes: str = ONE
    dims: Callable[[Settings, int], tuple[int, ...]] = lambda settings, count: dims_said(settings, count, None)
    """(settings, number of axes) -> the axes along which lines lie."""
    wins: Callable[..., NDArray[Any]] | None = None
    """(line, settings) -> which of its numbers each y is, where it is one of them."""
    pairs: bool = False
    """Whether every row of the one meets every row of the other."""
    role: str = ""
    back: str = ""
    back_formula: str = "∂L/∂xᵢ = Σⱼ ∂L/∂yⱼ·∂yⱼ/∂xᵢ"
    sums: bool = False
    """Whether it is a sum, with the slopes as weights."""
    known: Mapping[str, Any] = field(default_factory=dict)


def dims_said(settings: Settings, count: int, otherwise: int | None) -> tuple[int, ...]:
    """The axes that the setting `dim` names; `otherwise` stands for one that is not given, None for all."""
    dim = dim_of(settings)
    return axes_of(settings, otherwise if dim is None else dim, count)


@dataclass(frozen=True)
class _Laid:
    """How the lines of a layer lie: all inputs as one full shape, and the axes along which lines lie."""

    line: Line
    layer: Layer
    inputs: Inputs
    full: Shape
    along: tuple[int, ...]

    def ranges(self, cell: Cell) -> list[Cells]:
        """For each axis of the full shape the indices of the line that makes an output cell."""
        indices, found = [*(0,) * self.lacks, *cell], []
        for axis, size in enumerate(self.full):
            index = indices.pop(0) if axis not in self.along or self.keeps else 0
            found.append(np.arange(size) if axis in self.along else np.array([index]))
        return found

    @property
    def keeps(self) -> bool:
        """Whether the axes of lines are there in the output."""
        if self.line.makes != ONE:
            return True
        return len(self.full) == self.layer.output.ndim and bool(self.along)

    @property
    def lacks(self) -> int:
        """Leading axes of one, of rows that were the batch, which the output lacks."""
        return max(len(self.full) - (0 if self.keeps else len(self.along)) - self.layer.output.ndim, 0)

    def made_by(self, place: Cell) -> tuple[Cells, tuple[int, ...]]:
        """Every output cell that the line through a place of the full shape makes, and how they are laid out."""
        ranges = []
        for axis, index in enumerate(place):
            if axis not in self.along:
                ranges.append(np.array([index]))
            elif self.keeps:
                ranges.append(np.arange(self.layer.shape[axis]))
        ranges = ranges[self.lacks:]
        return grid_of(*ranges), tuple(map(len, ranges))

    def of_input(self, which: int, cells: Cells) -> Cells:
        """Cells of the full shape as cells of one input."""
        axis = _lacking(self.line, which)
        found = read_by(cells, self.shape_of(which), batch_of(self.layer.settings, which))
        if axis is not None:
            found = np.delete(found, found.shape[1] + axis, axis=1)
        return found[:, found.shape[1] - self.inputs[which].output.ndim:]

    def shape_of(self, which: int) -> Shape:
        """The shape of an input, with an axis of one across from each row of the other."""
        shape, axis = self.inputs[which].shape, _lacking(self.line, which)
        if axis is None:
            return shape
        shape = shape if len(shape) > 1 else (1, *shape)
        at = len(shape) + 1 + axis
        return (*shape[:at], 1, *shape[at:])

    def lines(self, ranges: list[Cells]) -> list[Numbers]:
        """The numbers of a line, of each input."""
        cells = grid_of(*ranges)
        return [look(source.output, self.of_input(which, cells))[0] for which, source in enumerate(self.inputs)]

    def place_in(self, cell: Cell) -> int:
        """Which of the numbers that its line makes an output cell is."""
        if self.line.makes == ONE:
            return 0
        sizes = [self.layer.shape[axis] for axis in self.along]
        return int(np.ravel_multi_index([cell[axis] for axis in self.along], sizes)) if sizes else 0


def terms(line: Line, layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """The whole line, and what it makes here; where it is one of its numbers, which."""
    laid = _laid(line, layer, inputs)
    ranges = laid.ranges(cell)
    cells, grid, lines, at = grid_of(*ranges), tuple(map(len, ranges)), laid.lines(ranges), laid.place_in(cell)
    weights: Any = line.slopes(0, *lines, layer.settings)[at] if line.sums else 1.0
    read = [taps(source, "output", laid.of_input(which, cells), weights if which == 0 else 1.0, grid)
            for which, source in enumerate(inputs)]
    if line.sums:
        return added(*read, formula=line.formula)
    result = float(np.atleast_1d(line.value(*lines, layer.settings))[at])
    if line.wins is None:
        return Terms("function", tuple(read), result, formula=translated(line.formula))
    winner = int(line.wins(*lines, layer.settings)[at])
    best = winner == int(np.argmax(lines[0])) and result == lines[0].max()
    met = ((english("place"), float(winner)),)
    return Terms("max" if best else "function", tuple(read), result, formula=translated(line.formula), met=met,
                 winner=winner)


def backward(line: Line, layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """The gradient of all that its line made, each times how that changes with this number."""
    laid = _laid(line, layer, inputs)
    axis = _lacking(line, which)
    own = cell
    if axis is not None:
        own = own if len(own) > 1 else (0, *own)
        own = (*own[:len(own) + 1 + axis], 0, *own[len(own) + 1 + axis:])
    places, _ = readers_of(own, laid.shape_of(which), laid.full, batch_of(layer.settings, which))
    where, factors, grids = [], [], []
    for place in places:
        made, grid = laid.made_by(tuple(map(int, place)))
        ranges = [np.arange(size) if number in laid.along else np.array([place[number]])
                  for number, size in enumerate(laid.full)]
        at = int(np.ravel_multi_index([place[number] for number in laid.along],
                                      [laid.full[number] for number in laid.along])) if laid.along else 0
        with np.errstate(all="ignore"):
            slopes = line.slopes(which, *laid.lines(ranges), layer.settings)
        where.append(made)
        factors.append(np.atleast_2d(slopes)[:, at])
        grids.append(grid)
    read = gradient_taps(layer, np.concatenate(where), np.concatenate(factors), grids[0] if len(grids) == 1 else ())
    return added(read, formula=translated(line.back_formula))


def box(line: Line, layer: Layer, inputs: Inputs, which: int, seen: Box) -> Box:
    """The lines that make these cells, whole."""
    laid = _laid(line, layer, inputs)
    inside, found = [*((0, 0),) * laid.lacks, *clipped(seen, layer.shape)], []
    for axis, size in enumerate(laid.full):
        ends = inside.pop(0) if axis not in laid.along or laid.keeps else (0, 0)
        found.append((0, size - 1) if axis in laid.along else ends)
    own = list(box_read(tuple(found), laid.shape_of(which), batch_of(layer.settings, which)))
    lacking = _lacking(line, which)
    if lacking is not None:
        del own[len(own) + lacking]
    return tuple(own[len(own) - inputs[which].output.ndim:])


def sentence(line: Line, layer: Layer, inputs: Inputs) -> str:
    laid = _laid(line, layer, inputs)
    names = _along(laid)
    count = int(np.prod([laid.full[axis] for axis in laid.along]))
    ahead = len(laid.full) - inputs[0].output.ndim
    over = tuple(axis - ahead for axis in laid.along if axis >= ahead)
    numbers = _words.some(count, "number", "numbers over axes", inputs[0].name, over, None, "")
    return _words.fixed(translated(line.says), layer).format(
        source=listed([source.name for source in inputs]), count=numbers,
        line=tr("{numbers} over {axes}").format(numbers=numbers, axes=names) if names else numbers,
        before=_words.shape(inputs[0]), after=_words.shape(layer), spread=_words.spread(layer))


def short(line: Line, layer: Layer, inputs: Inputs) -> str:
    if line.makes == SAME:
        names = _along(_laid(line, layer, inputs))
        return tr("over {what}").format(what=names) if names else ""
    return _words.becomes(inputs[0], layer)


def _along(laid: _Laid) -> str:
    """The names of the axes of lines, if all have one."""
    axes = laid.inputs[0].axes
    if len(axes) != len(laid.full) or any(axes[axis].startswith("axis") for axis in laid.along):
        return ""
    return listed([translated(axes[axis]) for axis in laid.along])


def _lacking(line: Line, which: int) -> int | None:
    """Where an input lacks the axis of the other one's rows, counted from the end, if each row meets each."""
    return (-2, -3)[which] if line.pairs else None


def _laid(line: Line, layer: Layer, inputs: Inputs) -> _Laid:
    wanted = 2 if line.pairs else None
    if not inputs or (wanted is not None and len(inputs) != wanted):
        raise LookupError(tr("{layer} does not read what a {title} does."
                             ).format(layer=layer.name, title=translated(line.title)))
    bare = _Laid(line, layer, inputs, (), ())
    shapes = [bare.shape_of(which) for which in range(len(inputs))]
    most = max(map(len, shapes))
    batches = [batch_of(layer.settings, which) for which in range(len(inputs))]
    shapes = [_without_batch(shape, batch, most, shapes) for shape, batch in zip(shapes, batches, strict=True)]
    full = tuple(int(size) for size in np.broadcast_shapes(*shapes))
    return _Laid(line, layer, inputs, full, line.dims(layer.settings, len(full)))


def _without_batch(shape: Shape, batch: int | None, most: int, shapes: list[Shape]) -> Shape:
    """Without a leading axis of one that no other input has: a parameter beside samples."""
    while len(shape) == most and most > min(map(len, shapes)) and batch is None and shape[:1] == (1,):
        shape = shape[1:]
    return shape


def names_of(line: Line, settings: Settings, inputs: tuple[Names, ...], shape: Shape) -> Names:
    """Those of the lines are lost where one number is made of each."""
    names = inputs[0]
    if len(names) == len(shape):
        return names
    dim = dim_of(settings)
    if line.pairs or line.makes != ONE or len(names) < len(shape):
        return ()
    if dim is None or dim == ():
        return tuple(name for name in names if name == "batch")[:len(shape)]
    gone = {int(one_dim) % len(names) for one_dim in (dim if isinstance(dim, tuple | list) else (dim,))}
    return tuple(name for number, name in enumerate(names) if number not in gone)


def last_axis(settings: Settings, count: int) -> tuple[int, ...]:
    """The axis that is named, else the last one."""
    return dims_said(settings, count, -1)


def one_axis(otherwise: int) -> Callable[[Settings, int], tuple[int, ...]]:
    def dims(settings: Settings, count: int) -> tuple[int, ...]:
        dim = dim_of(settings)
        axis = axis_of(settings, otherwise if dim is None else int(dim), count)
        return () if axis is None else (axis,)
    return dims


def kind_of(line: Line) -> Kind:
    return Kind(line.name, line.title, line.calls, partial(names_of, line), partial(terms, line),
                partial(backward, line), partial(box, line), partial(sentence, line), short=partial(short, line),
                role=line.role, back=line.back, tells_places=line.wins is not None)


def at(index: int, count: int) -> Numbers:
    """A row with a 1 in one place."""
    row: Numbers = (np.arange(count) == index).astype(np.float64)
    return row


