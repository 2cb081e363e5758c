"""Sums, products and quotients of layers or plain numbers; means, sums and largest values over whole axes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from visualizer.kinds import Box, Inputs, Kind, Terms, _words
from visualizer.kinds._broadcast import box_read, read_by, readers_of
from visualizer.kinds._dims import axes_of, dim_of, longest_names
from visualizer.kinds._taps import Cells, added, gradient_taps, grid_of, largest, one, taps
from visualizer.language import english, tr, translated
from visualizer.trace import Cell, Layer

Settings = Mapping[str, Any]
Names = tuple[str, ...]


# --- two numbers in the same place ----------------------------------------------------------------------------------

@dataclass(frozen=True)
class Operation:
    """a ∘ b, place by place; a number that stands for a whole axis is used again along it."""

    name: str
    title: str
    calls: Mapping[str, str]
    sign: str
    says: str
    """The sentence; `{a}` and `{b}` are what is put together, `{values}` how many come out, `{spread}` how they lie."""
    value: Callable[[float, float, Settings], float]
    slopes: Callable[[Any, Any, Settings], tuple[Any, Any]]
    """∂y/∂a and ∂y/∂b."""
    adds: bool = False
    """Whether it is a sum, with the slopes as weights."""
    role: str = ""
    back: str = ""


def two_terms(operation: Operation, layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """Both numbers, and what they make."""
    operands = _operands(layer, inputs)
    places = [None if which is None else read_by(one(cell), inputs[which].shape, _batch(layer))
              for which, _ in operands]
    a, b = (float(plain) if which is None or place is None else float(inputs[which].output[tuple(place[0])])
            for (which, plain), place in zip(operands, places, strict=True))
    weights: tuple[Any, ...] = (1.0, 1.0)
    if operation.adds:
        weights = operation.slopes(a, b, layer.settings)
    elif operation.name == "mul":  # a plain number is the weight of the other one
        weights = tuple(next((float(plain) for which, plain in operands if which is None), 1.0) for _ in operands)
    read = tuple(taps(inputs[which], "output", place, weight) for (which, _), place, weight
                 in zip(operands, places, weights, strict=True) if which is not None and place is not None)
    formula = f"y = a {operation.sign} b"
    plain_number = next((float(plain) * weight for (which, plain), weight in zip(operands, weights, strict=True)
                         if which is None), None)
    if operation.adds:
        return added(*read, bias=plain_number, formula=formula)
    op = "product" if operation.name == "mul" else "function"
    met = tuple((english("number"), float(plain)) for which, plain in operands if which is None)
    return Terms(op, read, operation.value(a, b, layer.settings), formula=formula, met=met)


def two_backward(operation: Operation, layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """The gradient of every place where the number was used, times the slope of what it made there."""
    cells, grid = readers_of(cell, inputs[which].shape, layer.shape, _batch(layer))
    operands = _operands(layer, inputs)
    a, b = (np.full(len(cells), float(plain)) if source is None else
            taps(inputs[source], "output", read_by(cells, inputs[source].shape, _batch(layer))).values
            for source, plain in operands)
    place = [source for source, _ in operands].index(which)
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = operation.slopes(a, b, layer.settings)[place]
    return added(gradient_taps(layer, cells, slopes, grid), formula=f"∂L/∂{'ab'[place]} = Σ ∂L/∂y·∂y/∂{'ab'[place]}")


def two_box(layer: Layer, inputs: Inputs, which: int, box: Box) -> Box:
    return box_read(box, inputs[which].shape, _batch(layer))


@dataclass(frozen=True, eq=False)
class Read:
    """What an operation on two reads of one of them, for all numbers of its output in row-major order."""

    which: int
    """Which of its inputs."""
    cells: Cells
    """(n, axes of that input)."""
    weights: Any
    """As in the terms: what each is multiplied by in a sum."""
    slopes: Any
    """∂y/∂ of each."""


def operands_read(layer: Layer, inputs: Inputs) -> tuple[Read, ...]:
    """All that an operation on two reads, one for each that is a layer. LookupError where that is not explained."""
    operation = next((operation for operation in OPERATIONS if operation.name == layer.kind), None)
    if operation is None:
        raise LookupError(f"{layer.name} does not put two together.")
    cells = grid_of(*(np.arange(size) for size in layer.shape))
    operands = _operands(layer, inputs)
    read = [None if which is None else read_by(cells, inputs[which].shape, _batch(layer)) for which, _ in operands]
    a, b = (np.full(len(cells), float(plain)) if which is None or place is None else
            inputs[which].output[tuple(place.T)].astype(np.float64)
            for (which, plain), place in zip(operands, read, strict=True))
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = operation.slopes(a, b, layer.settings)
    weights: tuple[Any, ...] = slopes if operation.adds else tuple(
        next((float(plain) for which, plain in operands if which is None), 1.0) if operation.name == "mul" else 1.0
        for _ in operands)
    return tuple(Read(which, place, weight, slope) for (which, _), place, weight, slope
                 in zip(operands, read, weights, slopes, strict=True) if which is not None and place is not None)


def two_sentence(operation: Operation, layer: Layer, inputs: Inputs) -> str:
    names = [_words.value(float(plain)) if which is None else inputs[which].name
             for which, plain in _operands(layer, inputs)]
    return translated(operation.says).format(a=names[0], b=names[1], values=_words.some(layer.output.size, "value"),
                                             spread=_words.spread(layer.output))


def two_short(operation: Operation, layer: Layer, inputs: Inputs) -> str:
    names = [_words.value(float(plain)) if which is None else inputs[which].name
             for which, plain in _operands(layer, inputs)]
    return f"{names[0]} {operation.sign} {names[1]}"


def _operands(layer: Layer, inputs: Inputs) -> list[tuple[int | None, Any]]:
    """`input` and `other`: each the number of a layer that was read, or None and a plain number."""
    if layer.settings.get("rounding_mode"):
        raise LookupError(f"{layer.name} rounds its quotients, which is not explained.")
    found: list[tuple[int | None, Any]] = []
    read = 0
    for name in ("input", "other"):
        plain = layer.settings.get(name)
        if plain is None:
            if read == len(inputs):
                raise LookupError(f"{layer.name} does not say what it puts together.")
            found.append((read, None))
            read += 1
        else:
            found.append((None, plain))
    return found


def _batch(layer: Layer) -> int | None:
    found: int | None = layer.settings.get("batch", 0)
    return found


def _alpha(s: Settings) -> float:
    return float(s.get("alpha", 1.0))


def _quotient(a: float, b: float, s: Settings) -> float:
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.float64(a) / np.float64(b))


def _larger_slopes(a: Any, b: Any, s: Settings) -> tuple[Any, Any]:
    """A tie is shared half and half, as in torch."""
    a, b = np.asarray(a), np.asarray(b)
    return (a > b) + 0.5 * (a == b), (b > a) + 0.5 * (a == b)


_TWO = "input other"
OPERATIONS = (
    Operation("add", english("sum"), {"add": f"{_TWO} alpha", "__radd__": "other input"}, "+",
              english("{a} and {b} are added: {values} {spread}."),
              lambda a, b, s: a + _alpha(s) * b, lambda a, b, s: (1.0, _alpha(s)), adds=True,
              role="sum", back=english("the same to both that were added")),
    Operation("sub", english("difference"),
              {"sub": f"{_TWO} alpha", "subtract": f"{_TWO} alpha", "__rsub__": "other input",
               "rsub": "other input alpha"}, "−",
              english("{b} is taken from {a}: {values} {spread}."), lambda a, b, s: a - _alpha(s) * b,
              lambda a, b, s: (1.0, -_alpha(s)), adds=True),
    Operation("mul", english("product"), {"mul": _TWO, "multiply": _TWO, "__rmul__": "other input"}, "×",
              english("{a} and {b} are multiplied, place by place: {values} {spread}."), lambda a, b, s: a * b,
              lambda a, b, s: (b, a), role="product"),
    Operation("div", english("quotient"),
              {**dict.fromkeys(("div", "divide", "true_divide"), f"{_TWO} rounding_mode"), "__rdiv__": "other input",
               "__rtruediv__": "other input"}, "/",
              english("{a} is divided by {b}, place by place: {values} {spread}."), _quotient,
              lambda a, b, s: (1 / b, -a / (b * b))),
    Operation("maximum", english("maximum of two"), {"maximum": _TWO}, "or",
              english("The larger of {a} and {b} is kept in each place: {values} {spread}."), lambda a, b, s: max(a, b),
              _larger_slopes),
)


# --- whole axes -----------------------------------------------------------------------------------------------------

def reduced_terms(mean: bool, layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """All numbers along the axes that vanish, added; for a mean each weighs 1/n."""
    ranges = _ranges(layer, inputs, cell)
    cells = grid_of(*ranges)
    read = taps(inputs[0], "output", cells, 1 / len(cells) if mean else 1.0, tuple(map(len, ranges)))
    return added(read, formula="y = (1/n) Σ x" if mean else "y = Σ x")


def reduced_backward(mean: bool, layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """The one gradient of the line it is in; for a mean an n-th of it."""
    out = _reduced_cell(layer, inputs, cell)
    count = inputs[0].output.size // max(layer.output.size, 1)
    return added(gradient_taps(layer, one(out), 1 / count if mean else 1.0),
                 formula="∂L/∂x = ∂L/∂y / n" if mean else "∂L/∂x = ∂L/∂y")


def largest_terms(layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """The largest number along the axes that vanish."""
    if len(inputs) > 1:
        raise LookupError(f"{layer.name} compares two layers; torch.maximum is explained.")
    ranges = _ranges(layer, inputs, cell)
    return largest(taps(inputs[0], "output", grid_of(*ranges), 1.0, tuple(map(len, ranges))), "y = max x")


def largest_backward(layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """The gradient goes to the largest: along one `dim` to the first of equals, else shared by all of them."""
    if len(inputs) > 1:
        raise LookupError(f"{layer.name} compares two layers; torch.maximum is explained.")
    out = _reduced_cell(layer, inputs, cell)
    cells = grid_of(*_ranges(layer, inputs, out))
    values = taps(inputs[0], "output", cells).values
    me = int(np.flatnonzero((cells == np.array(cell, dtype=np.int64)).all(axis=1))[0])
    ties = values == values.max()
    if layer.kind == "max" and dim_of(layer.settings) is not None:
        share = float(me == int(np.argmax(values)))
    else:
        share = float(ties[me]) / int(ties.sum())
    return added(gradient_taps(layer, one(out), share), formula=english("∂L/∂x = ∂L/∂y·[x won]"))


def reduced_box(layer: Layer, inputs: Inputs, which: int, box: Box) -> Box:
    gone, kept = _gone(layer, inputs), list(box)
    found = []
    for axis, size in enumerate(inputs[0].shape):
        ends = kept.pop(0) if axis not in gone or _keeps(layer) else (0, 0)
        found.append((0, size - 1) if axis in gone else ends)
    return tuple(found)


def reduced_sentence(what: str, layer: Layer, inputs: Inputs) -> str:
    gone = [inputs[0].axes[axis] if axis < len(inputs[0].axes) else str(axis) for axis in _gone(layer, inputs)]
    count = inputs[0].output.size // max(layer.output.size, 1)
    words = tr("Each number is {what} of {numbers} of {source} over {axes}: {before} becomes {after}.") if gone else \
        tr("Each number is {what} of {numbers} of {source}: {before} becomes {after}.")
    return words.format(what=translated(what), numbers=_words.some(count, "number"), source=inputs[0].name,
                        axes=_words.listed([translated(axis) for axis in gone]),
                        before=_words.shape(inputs[0].shape), after=_words.shape(layer.shape))


def reduced_short(layer: Layer, inputs: Inputs) -> str:
    return f"{_words.by(inputs[0].shape) or '1'} → {_words.by(layer.shape) or '1'}"


def _gone(layer: Layer, inputs: Inputs) -> tuple[int, ...]:
    return axes_of(layer.settings, dim_of(layer.settings), inputs[0].output.ndim)


def _keeps(layer: Layer) -> bool:
    return bool(layer.settings.get("keepdim", False))


def _ranges(layer: Layer, inputs: Inputs, cell: Cell) -> list[Cells]:
    """For each axis of the input the indices that make one number of the output."""
    gone, indices = _gone(layer, inputs), list(cell)
    found = []
    for axis, size in enumerate(inputs[0].shape):
        index = indices.pop(0) if axis not in gone or _keeps(layer) else 0
        found.append(np.arange(size) if axis in gone else np.array([index]))
    return found


def _reduced_cell(layer: Layer, inputs: Inputs, cell: Cell) -> Cell:
    gone = _gone(layer, inputs)
    return tuple(0 if axis in gone else index for axis, index in enumerate(cell) if axis not in gone or _keeps(layer))


def _reduced_names(settings: Settings, inputs: tuple[Names, ...], shape: tuple[int, ...]) -> Names:
    names, dims = inputs[0], dim_of(settings)
    if dims is None or dims == ():
        return names if settings.get("keepdim") else ()
    gone = {int(dim) % len(names) for dim in (dims if isinstance(dims, tuple | list) else (dims,))}
    return names if settings.get("keepdim") else tuple(name for n, name in enumerate(names) if n not in gone)


def _operation_kind(operation: Operation) -> Kind:
    return Kind(operation.name, operation.title, operation.calls, longest_names, partial(two_terms, operation),
                partial(two_backward, operation), two_box, partial(two_sentence, operation),
                short=partial(two_short, operation), role=operation.role, back=operation.back)


def _reduction(name: str, title: str, what: str, calls: Mapping[str, str], terms: Any, backward: Any,
               role: str = "", back: str = "") -> Kind:
    return Kind(name, title, calls, _reduced_names, terms, backward, reduced_box, partial(reduced_sentence, what),
                short=reduced_short, role=role, back=back)


KINDS = (
    *map(_operation_kind, OPERATIONS),
    _reduction("mean", english("mean"), english("the mean"), {"mean": "input dim keepdim"},
               partial(reduced_terms, True),
               partial(reduced_backward, True), role="mean", back=english("shared out over all that were averaged")),
    _reduction("sum", english("sum"), english("the sum"), {"sum": "input dim keepdim"}, partial(reduced_terms, False),
               partial(reduced_backward, False)),
    _reduction("max", english("maximum"), english("the largest"), {"max": "input dim keepdim"}, largest_terms,
               largest_backward),
    _reduction("amax", english("maximum"), english("the largest"), {"amax": "input dim keepdim"}, largest_terms,
               largest_backward),
)
