"""Operations on the numbers in one place of several arrays: sums, comparisons, choices, costs of single answers.

An array that has fewer or shorter axes is used again along the others. Each operation says its value and its slopes;
from these come its terms, both ways.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from visualizer import said
from visualizer.kinds import Box, Inputs, Kind, Taps, Terms, _words
from visualizer.kinds._broadcast import box_read, read_by, readers_of
from visualizer.kinds._dims import batch_of, longest_names
from visualizer.kinds._taps import (
    Cells,
    Numbers,
    added,
    copied,
    gradient_taps,
    grid_of,
    look,
    one,
    taps,
    weighed,
    whole,
)
from visualizer.language import english, tr, translated
from visualizer.trace import Cell, Layer

Settings = Mapping[str, Any]
Names = tuple[str, ...]


@dataclass(frozen=True)
class Operation:
    """y = f(a, b, …), place by place."""

    name: str
    title: str
    calls: Mapping[str, str]
    sign: str
    """What stands between two: `+`; empty where nothing does."""
    says: str
    """The sentence; `{a}`, `{b}`, `{c}` are what is put together, `{values}` how many come out, `{spread}` how they
    lie, `{loss}` the one number that comes out of a loss."""
    value: Callable[..., Any]
    """(numbers …, settings) -> y."""
    slopes: Callable[..., tuple[Any, ...]]
    """(arrays …, settings) -> ∂y/∂ each."""
    names: Names = ("input", "other")
    """Its operands: each the number of a layer that is read, a weight, or a plain setting."""
    standard: Mapping[str, float] = field(default_factory=dict)
    """What an operand is that is not given."""
    formula: str = ""
    adds: bool = False
    """Whether it is a sum, with the slopes as weights."""
    chosen: Callable[..., Any] | None = None
    """(numbers …, settings) -> which operand passes as it is, if one does."""
    reduced: bool = False
    """Whether it is a loss: all places are added or averaged."""
    role: str = ""
    label: str = ""
    back: str = ""


@dataclass(frozen=True)
class Operand:
    """Where one operand is: an input by its number, a weight by its name, or a plain number."""

    which: int | None = None
    weight: str = ""
    plain: float = 0.0
    imaginary: float = 0.0
    """The rest of a plain number that is complex."""

    def array(self, layer: Layer, inputs: Inputs) -> Any:
        """Its numbers, if it is no plain one."""
        return None if self.which is None and not self.weight else \
            inputs[self.which].output if self.which is not None else layer.weights[self.weight]


def terms(operation: Operation, layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """The numbers in one place, and what they make; for a loss those of every place."""
    operands = operands_of(operation, layer, inputs)
    cells, share = _places(operation, layer, inputs, operands, cell)
    read = [_read(layer, inputs, operand, cells) for operand in operands]
    numbers = [_numbers(layer, inputs, operand, cells) for operand in operands]
    formula = operation.formula or f"y = a {operation.sign} b"
    if operation.reduced:
        with np.errstate(all="ignore"):
            costs = np.broadcast_to(operation.value(*numbers, layer.settings), len(cells)).astype(np.float64)
        met: tuple[tuple[str, float], ...] = (
            (english("numbers that count"), float(len(cells))), (english("largest"), float(costs.max())))
        met = met if len(cells) > 1 else ()
        return Terms("function", tuple(one_read for one_read in read if one_read is not None),
                     float(costs.sum()) * share, formula=translated(formula), met=met)
    values = [float(number[0]) for number in numbers]
    if operation.chosen is not None:
        index = int(operation.chosen(*values, layer.settings))
        chosen = read[index]
        met = tuple((name, value) for name, value, operand in zip(operation.names, values, operands, strict=True)
                    if operand.which is None and not operand.weight)
        if chosen is not None:
            found = copied(chosen, formula)
            return Terms("copy", found.taps, found.result, formula=found.formula)
        return Terms("function", tuple(one_read for one_read in read if one_read is not None), values[index],
                     formula=formula, met=met)
    weights: tuple[Any, ...] = (1.0,) * len(values)
    plain = [value for value, operand in zip(values, operands, strict=True) if operand.array(layer, inputs) is None]
    if operation.adds:
        weights = operation.slopes(*values, layer.settings)
    elif operation.name == "mul":  # a plain number is the weight of the other one
        weights = (plain[0],) * len(values) if plain else weights
    factors = tuple(weighed(tap, weight) for tap, weight in zip(read, weights, strict=True) if tap is not None)
    if operation.adds:
        bias = next((value * weight for value, weight, operand in zip(values, weights, operands, strict=True)
                     if operand.array(layer, inputs) is None), None)
        return added(*factors, bias=bias, formula=formula)
    op = "product" if operation.name == "mul" else "function"
    with np.errstate(all="ignore"):
        result = float(operation.value(*values, layer.settings))
    return Terms(op, factors, result, formula=translated(formula),
                 met=tuple((english("number"), value) for value in plain))


def backward(operation: Operation, layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """The gradient of every place where the number was used, times the slope of what it made there."""
    operands = operands_of(operation, layer, inputs)
    place = [operand.which for operand in operands].index(which)
    shape = _shape(operation, layer, inputs, operands)
    cells, grid = readers_of(cell, inputs[which].shape, shape, batch_of(layer.settings, which))
    numbers = [_numbers(layer, inputs, operand, cells) for operand in operands]
    with np.errstate(all="ignore"):
        slopes = np.broadcast_to(operation.slopes(*numbers, layer.settings)[place], len(cells))
    slopes = slopes * _share(operation, layer, shape)
    name = "abcdef"[place]
    formula = f"∂L/∂{name} = Σ ∂L/∂y·∂y/∂{name}"
    if operation.reduced and layer.output.ndim == 0:
        return added(gradient_taps(layer, np.zeros((len(cells), 0), dtype=np.int64), slopes, grid), formula=formula)
    return added(gradient_taps(layer, cells, slopes, grid), formula=formula)


def box(operation: Operation, layer: Layer, inputs: Inputs, which: int, seen: Box) -> Box:
    if operation.reduced and layer.output.ndim == 0:
        return whole(inputs[which].shape)
    return box_read(seen, inputs[which].shape, batch_of(layer.settings, which))


def sentence(operation: Operation, layer: Layer, inputs: Inputs) -> str:
    loss = _words.one(layer) if layer.output.size == 1 else _words.spread(layer)
    return _words.fixed(translated(operation.says), layer).format(
        **dict(zip("abcdef", _named(operation, layer, inputs), strict=False)),
        values=_words.some(layer.output.size, "value", *said.size(layer)), spread=_words.spread(layer), loss=loss,
        true=_words.count(int(np.count_nonzero(layer.output)), *said.of("how many not 0", layer)))


def short(operation: Operation, layer: Layer, inputs: Inputs) -> str:
    if not operation.sign:
        return ""
    return f" {operation.sign} ".join(_named(operation, layer, inputs))


def _named(operation: Operation, layer: Layer, inputs: Inputs) -> list[str]:
    """What is put together: layers, weights, plain numbers."""
    return [_number_named(layer, name, operand) if operand.array(layer, inputs) is None
            else operand.weight if operand.which is None else inputs[operand.which].name
            for name, operand in zip(operation.names, operands_of(operation, layer, inputs), strict=False)]


def _number_named(layer: Layer, name: str, operand: Operand) -> str:
    """`2`, `2 + 0.5 i`."""
    real = _words.value(operand.plain, *said.of("plain operand", layer, array=name))
    if not operand.imaginary:
        return real
    imaginary = _words.value(operand.imaginary, *said.of("imaginary part of a plain operand", layer, array=name))
    return f"{real} + {imaginary} i"


@dataclass(frozen=True, eq=False)
class Read:
    """What an operation reads of one of its inputs, for all numbers of its output in row-major order."""

    which: int
    """Which of its inputs."""
    cells: Cells
    """(n, axes of that input)."""
    weights: Any
    """As in the terms: what each is multiplied by in a sum."""
    slopes: Any
    """∂y/∂ of each."""


def all_read(operation: Operation, layer: Layer, inputs: Inputs) -> tuple[Read, ...]:
    """All that an operation reads, one for each operand that is a layer."""
    cells = grid_of(*(np.arange(size) for size in layer.shape))
    operands = operands_of(operation, layer, inputs)
    numbers = [_numbers(layer, inputs, operand, cells) for operand in operands]
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = operation.slopes(*numbers, layer.settings)
    plain = next((operand.plain for operand in operands if operand.array(layer, inputs) is None), 1.0)
    weights: tuple[Any, ...] = slopes if operation.adds else \
        tuple(float(plain) if operation.name == "mul" else 1.0 for _ in operands)
    places = [None if operand.which is None else
              read_by(cells, inputs[operand.which].shape, batch_of(layer.settings, operand.which))
              for operand in operands]
    return tuple(Read(operand.which, place, weight, slope)
                 for operand, place, weight, slope in zip(operands, places, weights, slopes, strict=True)
                 if operand.which is not None and place is not None)


def operands_of(operation: Operation, layer: Layer, inputs: Inputs) -> list[Operand]:
    """Each operand: what was read, in their order unless the call has another, a weight, or a plain number."""
    if layer.settings.get("rounding_mode"):
        raise LookupError(tr("{layer} rounds its quotients, which is not explained.").format(layer=layer.name))
    found: list[Operand] = []
    read = 0
    plain, read_as = layer.settings, layer.settings.get("read_as", ())
    absent = len(operation.names) - len(inputs) - sum(
        name in layer.weights or plain.get(name) is not None for name in operation.names)
    for name in operation.names:
        if name in layer.weights:
            found.append(Operand(weight=name))
        elif plain.get(name) is not None:
            number = _plain(layer, name)
            found.append(Operand(plain=number.real, imaginary=number.imag))
        elif name in operation.standard and absent > 0:
            absent -= 1
            found.append(Operand(plain=operation.standard[name]))
        elif read < len(inputs):
            found.append(Operand(read_as.index(name) if name in read_as else read))
            read += 1
        else:
            raise LookupError(tr("{layer} does not say what it puts together.").format(layer=layer.name))
    return found


def _plain(layer: Layer, name: str) -> complex:
    """A setting that is a number; a complex one is kept in words."""
    setting = layer.settings[name]
    try:
        return complex(setting.strip("()") if isinstance(setting, str) else setting)
    except (TypeError, ValueError):
        raise LookupError(tr("{layer} has a {name} that is not one number, which is not explained."
                             ).format(layer=layer.name, name=name)) from None


def _numbers(layer: Layer, inputs: Inputs, operand: Operand, cells: Cells) -> Numbers:
    array = operand.array(layer, inputs)
    if array is None:
        return np.full(len(cells), operand.plain)
    batch = 0 if operand.which is None else batch_of(layer.settings, operand.which)
    return look(array, read_by(cells, array.shape, batch))[0]


def _read(layer: Layer, inputs: Inputs, operand: Operand, cells: Cells) -> Taps | None:
    if operand.which is None:
        return None
    source = inputs[operand.which]
    found = read_by(cells, source.shape, batch_of(layer.settings, operand.which))
    return taps(source, "output", found)


def _shape(operation: Operation, layer: Layer, inputs: Inputs, operands: list[Operand]) -> tuple[int, ...]:
    """Of all places: that of the output; of a loss that of its operands, broadcast."""
    if not operation.reduced or layer.output.ndim:
        return layer.shape
    return np.broadcast_shapes(*(inputs[operand.which].shape for operand in operands if operand.which is not None))


def _places(operation: Operation, layer: Layer, inputs: Inputs, operands: list[Operand],
            cell: Cell) -> tuple[Cells, float]:
    """The places that make one number, and with what each of them counts."""
    shape = _shape(operation, layer, inputs, operands)
    if not operation.reduced or layer.output.ndim:
        return one(cell), 1.0
    return grid_of(*(np.arange(size) for size in shape)), _share(operation, layer, shape)


def _share(operation: Operation, layer: Layer, shape: tuple[int, ...]) -> float:
    """With what each place of a loss counts: one in as many as there are for the mean, else whole."""
    reduction = layer.settings.get("reduction", "mean")
    if reduction == "batchmean":  # of one sample, unless the first axis is no batch
        return 1.0 if layer.settings.get("batch", 0) == 0 else 1.0 / shape[0]
    mean = operation.reduced and reduction in ("mean", 1) and not layer.output.ndim
    return 1.0 / max(int(np.prod(shape)), 1) if mean else 1.0


def _loss_names(settings: Settings, inputs: tuple[Names, ...], shape: tuple[int, ...]) -> Names:
    return longest_names(settings, inputs, shape) if shape else ()


def kind_of(operation: Operation) -> Kind:
    return Kind(operation.name, operation.title, operation.calls, _loss_names if operation.reduced else longest_names,
                partial(terms, operation), partial(backward, operation), partial(box, operation),
                partial(sentence, operation), short=partial(short, operation), role=operation.role,
                label=operation.label, back=operation.back)

