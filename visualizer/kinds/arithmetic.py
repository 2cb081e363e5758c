"""Sums, products and quotients of layers or plain numbers; means and sums over whole axes."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from visualizer import said
from visualizer.kinds import Box, Inputs, Kind, Terms, _words
from visualizer.kinds._dims import axes_of, dim_of
from visualizer.kinds._elementwise import Operation, kind_of
from visualizer.kinds._taps import Cells, added, gradient_taps, grid_of, one, taps
from visualizer.language import english, listed, tr, translated
from visualizer.trace import Cell, Layer

Settings = Mapping[str, Any]
Names = tuple[str, ...]


# --- two numbers in the same place ----------------------------------------------------------------------------------

def _alpha(s: Settings) -> float:
    return float(s.get("alpha", 1.0))


def _quotient(a: Any, b: Any, s: Settings) -> Any:
    return np.float64(a) / np.float64(b)


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
    Operation("maximum", english("maximum of two"), {"maximum": _TWO, "max(input,dim)": _TWO, "fmax": _TWO},
              "or",
              english("The larger of {a} and {b} is kept in each place: {values} {spread}."), lambda a, b, s: max(a, b),
              _larger_slopes),
)


def adds(layer: Layer) -> bool:
    """Whether it is a sum of two layers, place by place."""
    return layer.kind == "add" and len(layer.reads) == 2


def subtracts(layer: Layer) -> bool:
    """Whether it is the difference of two layers, place by place."""
    return layer.kind == "sub" and len(layer.reads) == 2


# --- whole axes -----------------------------------------------------------------------------------------------------

def adds_along(layer: Layer) -> bool:
    """Whether it adds up whole axes of what it reads."""
    return layer.kind == "sum"


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
    return words.format(what=translated(what), source=inputs[0].name,
                        numbers=_words.some(count, "number", *said.of("numbers for each", layer)),
                        axes=listed([translated(axis) for axis in gone]),
                        before=_words.shape(inputs[0]), after=_words.shape(layer))


def reduced_short(layer: Layer, inputs: Inputs) -> str:
    return _words.becomes(inputs[0], layer)


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


def _reduction(name: str, title: str, what: str, calls: Mapping[str, str], terms: Any, backward: Any,
               role: str = "", back: str = "") -> Kind:
    return Kind(name, title, calls, _reduced_names, terms, backward, reduced_box, partial(reduced_sentence, what),
                short=reduced_short, role=role, back=back)


KINDS = (
    *map(kind_of, OPERATIONS),
    _reduction("mean", english("mean"), english("the mean"), {"mean": "input dim keepdim"},
               partial(reduced_terms, True),
               partial(reduced_backward, True), role="mean", back=english("shared out over all that were averaged")),
    _reduction("sum", english("sum"), english("the sum"), {"sum": "input dim keepdim"}, partial(reduced_terms, False),
               partial(reduced_backward, False)),
)
