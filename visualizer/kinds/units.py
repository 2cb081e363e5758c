"""Units: which numbers of a layer belong to one, and the patterns over steps or inputs that they are asked to follow.

A unit is a channel of a convolution, a number of a dense layer, or one of the state of a recurrent layer. A pattern is
a number for each step that is read, or one for each input where nothing is read step by step.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.kinds import reach
from visualizer.language import tr
from visualizer.trace import Array, Cell, Layer, Refused, Trace, remembered

EXCITES, ASCENT, FOLLOWS = "excites", "ascent", "follows"
"""The studies: which inputs excite a unit most, an input that is made for it, units that follow a pattern."""
BEST = 9
"""So many inputs are kept of each unit."""
MOST_UNITS = 512
"""Layers of more have none that are looked at one by one."""
UPDATES = 64
"""Of the input that is made."""
RATE, BACK = 0.05, 0.01
"""An update moves the numbers by this share of their range, on average; and by this share back to where they began."""
DRAWN = "drawn:"
"""Begins a pattern that was drawn: a digit for each step, `drawn:0001234`."""
CLASS = "label == "
"""Begins a pattern that asks whether an input is of a class."""
HEIGHTS = 5
"""So many heights a drawn curve has."""
OPENING, CLOSING = "([{", ")]}"
VOWELS = "aeiouyAEIOUY"
Values = NDArray[np.float64]
AXES = ("channel", "unit", "class", "feature")


def axis(layer: Layer) -> int | None:
    """Along which axis its units lie; None where it has none."""
    return next((layer.axes.index(name) for name in AXES if name in layer.axes), None)


@remembered(8)
def layers(trace: Trace) -> tuple[Layer, ...]:
    """Those whose units are looked at: convolutions, dense and recurrent layers; not those that make a spectrogram."""
    found = []
    for layer in trace.layers[trace.places[read(trace).name]:]:
        along = axis(layer)
        learned = (kinds.role(layer) == "weighted" or bool(layer.inner)) and layer.kind != "embedding"
        if learned and along is not None and 0 < layer.shape[along] <= MOST_UNITS \
                and np.issubdtype(layer.output.dtype, np.floating):
            found.append(layer)
    return tuple(found)


def chosen(trace: Trace, name: str = "", cell: Cell = ()) -> tuple[Layer, int] | None:
    """(layer, unit) that a cell lies in, or that it was made of by what has the same units; else the strongest unit of
    the last convolution, of a recurrent layer, or of the first dense one. None where there are no units."""
    known = layers(trace)
    if not known:
        return None
    layer = next((each for each in trace if each.name == name), None)
    if layer is not None and (along := axis(layer)) is not None and along < len(cell):
        unit, count = cell[along], layer.shape[along]
        while layer not in known and layer.reads and layer.reads[0] in trace:
            layer = trace[layer.reads[0]]
            if (here := axis(layer)) is None or layer.shape[here] != count:
                break
        if layer in known and unit < count:
            return layer, unit
    layer = layer if layer in known else next((each for each in reversed(known) if each.kind.startswith("conv")), None)
    layer = layer or next((each for each in known if each.inner), known[0])
    best = by_unit(layer).max(1)
    return layer, int(np.argmax(np.where(np.isfinite(best), best, -np.inf)))


def by_unit(layer: Layer) -> Array:
    """(unit, place): its numbers, unit by unit."""
    along = axis(layer)
    assert along is not None
    found: Array = np.moveaxis(layer.output, along, 0).reshape(layer.shape[along], -1)
    return found


def places(layer: Layer) -> tuple[int, ...]:
    """The shape of what one unit has: rows and columns, or steps; nothing for a single number."""
    along = axis(layer)
    return tuple(size for number, size in enumerate(layer.shape) if number != along)


def stepwise(layer: Layer) -> bool:
    """Whether each of its units has a number for each step."""
    return layer.has("step") and len(places(layer)) == 1


# --- patterns ---------------------------------------------------------------------------------------------------------

def steps_read(trace: Trace) -> int:
    """How many steps are read one after the other by a recurrent layer, or by what goes along steps; 0 for none."""
    return next((places(layer)[0] for layer in layers(trace) if stepwise(layer)), 0)


def names(trace: Trace) -> tuple[str, ...]:
    """What a pattern can be made of here, the usual first."""
    if not steps_read(trace):
        label = trace.sample.label
        classes = () if label is None else (f"{CLASS}{label}",)
        return (*classes, "ink", "row", "column") if _read(trace).ndim >= 2 else (*classes, "ink")
    if len(trace.sample.steps) == steps_read(trace) and symbolic(trace):
        letters = all(len(symbol) <= 1 for symbol in trace.sample.steps)
        return ("line", "position", "word", "open", "vowel", "upper") if letters else ("position", "length")
    return ("read", "position", "change")


def of_steps(trace: Trace, symbols: Sequence[str]) -> Mapping[str, Values]:
    """Each of these patterns over the steps of a recording."""
    count = steps_read(trace)
    found: dict[str, Values] = {"position": np.arange(count, dtype=np.float64)}
    if len(symbols) == count and symbolic(trace):
        return found | _of_symbols(symbols)
    layer = next(layer for layer in layers(trace) if stepwise(layer))
    read = _fed(trace, layer, count)
    return found | {"read": read, "change": np.diff(read, prepend=read[:1])}


def of_input(trace: Trace, label: int | None) -> Mapping[str, float]:
    """Each of these patterns of a recording without steps: one number each."""
    read = np.abs(_read(trace).astype(np.float64))
    dark = read - read.min()
    found = {"ink": float(dark.mean()), "label": np.nan if label is None else float(label)}
    if dark.ndim >= 2:
        total = dark.sum() or 1.0
        rows, columns = (dark.sum(tuple(other for other in range(dark.ndim) if other != at)) for at in (-2 % dark.ndim,
                                                                                                    dark.ndim - 1))
        found |= {"row": float(rows @ np.arange(len(rows)) / total),
                  "column": float(columns @ np.arange(len(columns)) / total)}
    return found


def _of_symbols(symbols: Sequence[str]) -> dict[str, Values]:
    """Of letters, or words: how far it is in the line and in the word, how many brackets are open, and what it is."""
    line = word = depth = 0
    rows = []
    for symbol in symbols:
        line, word = (0, 0) if symbol in ("\n", "↵") else (line + 1, 0 if not symbol.strip("·␣ ") else word + 1)
        depth = max(0, depth + sum(map(symbol.count, OPENING)) - sum(map(symbol.count, CLOSING)))
        rows.append((line, word, depth, bool(symbol) and symbol in VOWELS, symbol[:1].isupper(), len(symbol)))
    table = np.array(rows, np.float64).reshape(-1, 6)
    return dict(zip(("line", "word", "open", "vowel", "upper", "length"), table.T, strict=True))


def _read(trace: Trace) -> Array:
    return trace.layers[0].output


def _fed(trace: Trace, layer: Layer, count: int) -> Values:
    """The mean of what a layer reads at each step."""
    for name in (*layer.reads, trace.layers[0].name):
        values = trace[name].output
        along = next((at for at, size in enumerate(values.shape) if size == count), None)
        if along is not None and np.issubdtype(values.dtype, np.number):
            others = tuple(other for other in range(values.ndim) if other != along)
            return np.asarray(values.astype(np.float64).mean(others))
    return np.zeros(count)


def symbolic(trace: Trace) -> bool:
    """Whether symbols are read."""
    return trace.layers[0].output.dtype.kind in "iu"


def known(trace: Trace) -> Mapping[str, Values]:
    """Each word that a pattern can be made of here, over the steps of this input, or with its one number."""
    if steps_read(trace):
        return of_steps(trace, trace.sample.steps)
    return {name: np.array([value]) for name, value in of_input(trace, trace.sample.label).items()}


def refusal(trace: Trace, words: str) -> str:
    """One sentence on what is wrong with a pattern; nothing where it will do."""
    try:
        pattern(words, known(trace))
    except Refused as error:
        return str(error)
    return ""


_OPERATORS: Mapping[type, Callable[..., Values]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.Mod: np.mod,
    ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Lt: np.less, ast.LtE: np.less_equal, ast.Gt: np.greater,
    ast.GtE: np.greater_equal, ast.Eq: np.equal, ast.NotEq: np.not_equal, ast.Not: np.logical_not}
_FUNCTIONS: Mapping[str, Callable[..., Values]] = {
    "sin": np.sin, "cos": np.cos, "abs": np.abs, "sqrt": np.sqrt, "log": np.log, "exp": np.exp}
_LONGEST = 200


def pattern(words: str, known: Mapping[str, Values]) -> Values:
    """What an expression such as `position % 10`, `open > 0`, `sin(position / 4)` comes to, by the names that there
    are; or a curve that was drawn, stretched to as many steps. Raises Refused with one sentence."""
    if words.startswith(DRAWN):
        heights = words.removeprefix(DRAWN)
        count = len(next(iter(known.values())))
        if not heights.isdecimal() or len(heights) != count:
            raise Refused(tr("A drawn curve has one digit for each of the {count} steps.").format(count=count))
        return np.array([int(each) for each in heights], np.float64)
    try:
        if len(words) > _LONGEST:
            raise SyntaxError
        with np.errstate(all="ignore"):
            found = np.asarray(_worked_out(ast.parse(words, mode="eval").body, known), np.float64)
    except (SyntaxError, ValueError, KeyError, TypeError, ZeroDivisionError, RecursionError, OverflowError) as error:
        raise Refused(tr("A pattern is an expression of {names}, such as {example}, not {words}.").format(
            names=", ".join(known), example=f"{next(iter(known))} > 3", words=repr(words[:40]))) from error
    return found + np.zeros_like(next(iter(known.values())))


def _worked_out(node: ast.expr, known: Mapping[str, Values]) -> Values:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return np.float64(node.value)  # type: ignore[return-value]
    if isinstance(node, ast.Name):
        return known[node.id]
    if isinstance(node, ast.BinOp):
        return _OPERATORS[type(node.op)](_worked_out(node.left, known), _worked_out(node.right, known))
    if isinstance(node, ast.UnaryOp):
        return _OPERATORS[type(node.op)](_worked_out(node.operand, known))
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return _OPERATORS[type(node.ops[0])](_worked_out(node.left, known), _worked_out(node.comparators[0], known))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1 and not node.keywords:
        return _FUNCTIONS[node.func.id](_worked_out(node.args[0], known))
    raise SyntaxError


def correlation(values: Values, wanted: Values) -> Values:
    """(unit,): Pearson's of each row of values (unit, …) with what is wanted; NaN where one of them is the same
    throughout."""
    there = np.isfinite(wanted)
    values, wanted = values[:, there], wanted[there]
    if values.shape[1] < 3:
        return np.full(len(values), np.nan)
    values, wanted = values - values.mean(1, keepdims=True), wanted - wanted.mean()
    size = np.sqrt((values * values).sum(1) * (wanted * wanted).sum())
    still = (np.ptp(values, axis=1) == 0) | (np.ptp(wanted) == 0)
    return np.where(still, np.nan, values @ wanted / np.where(size > 0, size, 1.0))


# --- what is read -----------------------------------------------------------------------------------------------------

@remembered(8)
def read(trace: Trace) -> Layer:
    """What is cut out of an input: what is read in places or in steps; of a wave the spectrogram made of it."""
    found = reach.source(trace)
    if found is None and trace.layers[0].axes == ("unit",):  # the first convolution of a wave makes the spectrogram
        taken = [trace[layer.reads[0]] for layer in trace
                 if layer.kind in ("conv1d", "conv2d") and layer.reads and layer.reads[0] in trace]
        found = next((layer for layer in taken if layer.output.ndim >= 2 and min(layer.shape[-2:]) > 1), None)
    return trace.layers[0] if found is None else found


def axes_read(layer: Layer) -> tuple[int, ...]:
    """Which of its axes tell the places; none where it has none."""
    known = () if spectral(layer) else reach.places(layer)
    return known or (tuple(range(layer.output.ndim)[-2:]) if layer.output.ndim >= 2 else ())


def spectral(layer: Layer) -> bool:
    """Whether it is a spectrogram that was made of what was fed in: bands along one axis, steps along the other."""
    return not layer.is_input and layer.kind != "embedding" and layer.output.ndim >= 2


@remembered(8)
def stretches(trace: Trace) -> tuple[tuple[float, float], int] | None:
    """((middle of the stretch of the wave from which the first step of a spectrogram was made, that of the last),
    how many numbers the wave has), counted from 0; None where what is read is no spectrogram of a wave."""
    found, wave = read(trace), trace.layers[0]
    first = next((layer for layer in trace if layer.kind == "conv1d" and layer.has("step")), None)
    if not spectral(found) or wave.axes != ("unit",) or first is None or first.shape[-1] != found.shape[-1]:
        return None
    ends = [kinds.receptive_field(trace, first.name, (0, step)).get(wave.name) for step in (0, first.shape[-1] - 1)]
    if any(end is None or len(end) != 1 for end in ends):
        return None
    begin, end = (sum(each[0]) / 2 for each in ends if each is not None)
    return (begin, end), wave.output.size


@remembered(4096)
def field(trace: Trace, name: str, cell: Cell) -> tuple[tuple[int, int], ...] | None:
    """(first, last) along each axis of places of what is read on which a number depends, without padding; None where
    that is not known, as behind states that come one from the other."""
    source = read(trace)
    along = axes_read(source)
    if not along or _through_states(trace, name):
        return None
    box = kinds.receptive_field(trace, name, cell).get(source.name)
    return None if box is None else tuple((max(box[axis][0], 0), min(box[axis][1], source.shape[axis] - 1))
                                          for axis in along)


@remembered(256)
def _through_states(trace: Trace, name: str) -> bool:
    layer = trace[name]
    return bool(layer.inner) or any(_through_states(trace, each) for each in layer.reads if each in trace)
