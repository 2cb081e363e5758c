"""Pooling: the largest or the mean of each window, channel by channel; and with windows fitted to a wanted size."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import product
from math import prod
from typing import Any

import numpy as np

from visualizer import said
from visualizer.kinds import Box, Inputs, Kind, Terms, _words
from visualizer.kinds._taps import Cells, added, gradient_taps, grid_of, largest, look, taps
from visualizer.kinds._window import Axis, each
from visualizer.language import english, tr, translated
from visualizer.trace import Array, Cell, Layer

MAX, MEAN = "y = max x", "y = (1/n) Σ x"
MAX_BACK, MEAN_BACK = english("∂L/∂x = Σ ∂L/∂y·[x won]"), "∂L/∂x = Σ ∂L/∂y·1/n"


# --- the largest of a window ----------------------------------------------------------------------------------------

def max_terms(layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """The largest of one window; padding is −∞, and the first of equals wins, row by row."""
    places = [axis.places(i) for axis, i in zip(_axes(layer, inputs), cell[1:], strict=True)]
    return _kept(layer, inputs, largest(taps(inputs[0], "output", grid_of([cell[0]], *places), 1.0,
                                            (1, *map(len, places)), outside=-np.inf), MAX))


def _kept(layer: Layer, inputs: Inputs, found: Terms) -> Terms:
    """The largest, or, for the second output of such a call, where in its map that was."""
    if layer.settings.get("part") != 1 or found.winner is None:
        return found
    place = np.ravel_multi_index(tuple(found.taps[0].cells[found.winner][1:]), inputs[0].shape[1:])
    return Terms("function", found.taps, float(place), formula=english("y = the place of the largest x"),
                 winner=found.winner)


def max_backward(layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """Every window that held this cell; only those that it won hand their gradient back."""
    axes = _axes(layer, inputs)
    windows = [axis.readers(i)[0] for axis, i in zip(axes, cell[1:], strict=True)]
    held = [[axis.places(int(i)) for i in found] for axis, found in zip(axes, windows, strict=True)]
    won = _won(inputs[0].output[cell[0]], held, cell[1:])
    read = gradient_taps(layer, grid_of([cell[0]], *windows), won, (1, *map(len, windows)))
    return added(read, formula=MAX_BACK)


def max_sentence(layer: Layer, inputs: Inputs) -> str:
    kernel, _, _ = _sizes(layer, _count(layer))
    words = tr("Each pixel keeps the largest of a {window}: {before} becomes {after} in each of {maps}.") \
        if _count(layer) > 1 else \
        tr("Each step keeps the largest of a {window}: {before} becomes {after} in each of {maps}.")
    return words.format(window=_words.window(_words.by(kernel, layer, "kernel_size")), **_from_to(layer, inputs))


# --- the mean of a window -------------------------------------------------------------------------------------------

def avg_terms(layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """The mean of one window; whether padding counts in its size is a setting."""
    windows = [_counted(axis, i) for axis, i in zip(_axes(layer, inputs), cell[1:], strict=True)]
    share = 1 / _divisor(layer, inputs, cell[1:])
    return added(taps(inputs[0], "output", grid_of([cell[0]], *windows), share, (1, *map(len, windows))), formula=MEAN)


def avg_backward(layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """Every window that held this cell hands back its gradient, divided by its size."""
    windows = [axis.readers(i)[0] for axis, i in zip(_axes(layer, inputs), cell[1:], strict=True)]
    cells = grid_of([cell[0]], *windows)
    shares = [1 / _divisor(layer, inputs, tuple(map(int, window))) for window in cells[:, 1:]]
    return added(gradient_taps(layer, cells, shares, (1, *map(len, windows))), formula=MEAN_BACK)


def avg_sentence(layer: Layer, inputs: Inputs) -> str:
    kernel, _, _ = _sizes(layer, _count(layer))
    words = tr("Each pixel is the mean of a {window}: {before} becomes {after} in each of {maps}.") \
        if _count(layer) > 1 else \
        tr("Each step is the mean of a {window}: {before} becomes {after} in each of {maps}.")
    return words.format(window=_words.window(_words.by(kernel, layer, "kernel_size")), **_from_to(layer, inputs))


def window_box(layer: Layer, inputs: Inputs, which: int, box: Box) -> Box:
    spans = (axis.span(*ends) for axis, ends in zip(_axes(layer, inputs), box[1:], strict=True))
    return (box[0], *spans)


def window_short(layer: Layer, inputs: Inputs) -> str:
    kernel, stride, _ = _sizes(layer, _count(layer))
    words = _words.by(kernel, layer, "kernel_size")
    if stride != kernel:
        words += tr(", stride {size}").format(size=_words.by(
            stride if len(set(stride)) > 1 else stride[:1], layer, "stride"))
    return words


# --- windows fitted to a wanted size: bin i of O over N places is [⌊i·N/O⌋, ⌈(i + 1)·N/O⌉), bins may overlap ---------

def adaptive_max_terms(layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """The largest of one bin."""
    bins = _bins(layer, inputs, cell[1:])
    return _kept(layer, inputs,
                 largest(taps(inputs[0], "output", grid_of([cell[0]], *bins), 1.0, (1, *map(len, bins))), MAX))


def adaptive_max_backward(layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """Every bin that held this cell; only those that it won hand their gradient back."""
    readers = _bins_of(layer, inputs, cell[1:])
    held = [[_bin(size, wanted, int(i)) for i in found] for size, wanted, found
            in zip(inputs[0].shape[1:], layer.shape[1:], readers, strict=True)]
    won = _won(inputs[0].output[cell[0]], held, cell[1:])
    cells = grid_of([cell[0]], *readers)
    return added(gradient_taps(layer, cells, won, (1, *map(len, readers))), formula=MAX_BACK)


def adaptive_avg_terms(layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """The mean of one bin."""
    bins = _bins(layer, inputs, cell[1:])
    share = 1 / prod(map(len, bins))
    return added(taps(inputs[0], "output", grid_of([cell[0]], *bins), share, (1, *map(len, bins))), formula=MEAN)


def adaptive_avg_backward(layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """Every bin that held this cell hands back its gradient, divided by its size."""
    readers = _bins_of(layer, inputs, cell[1:])
    cells = grid_of([cell[0]], *readers)
    shares = [1 / prod(map(len, _bins(layer, inputs, tuple(map(int, window))))) for window in cells[:, 1:]]
    return added(gradient_taps(layer, cells, shares, (1, *map(len, readers))), formula=MEAN_BACK)


def adaptive_box(layer: Layer, inputs: Inputs, which: int, box: Box) -> Box:
    spans = ((int(_bin(size, wanted, low)[0]), int(_bin(size, wanted, high)[-1])) for size, wanted, (low, high)
             in zip(inputs[0].shape[1:], layer.shape[1:], _within(box, layer)[1:], strict=True))
    return (box[0], *spans)


def adaptive_sentence(what: str, layer: Layer, inputs: Inputs) -> str:
    target = layer.shape[1:]
    maps = _words.some(len(layer.output), "map", *said.axis(layer, 0))
    if prod(target) == 1:
        return tr("Each of the {maps} of {source} becomes one number: {what} of its {count} values.").format(
            maps=maps, source=inputs[0].name, what=translated(what), count=said.lengths(inputs[0], 1))
    words = tr("Each pixel is {what} of its bin: {before} becomes {after} in each of {maps}, whatever size comes in.") \
        if _count(layer) > 1 else \
        tr("Each step is {what} of its bin: {before} becomes {after} in each of {maps}, whatever size comes in.")
    return words.format(what=translated(what), **_from_to(layer, inputs))


def adaptive_short(layer: Layer, inputs: Inputs) -> str:
    return tr("to {size}").format(size=said.lengths(layer, 1))


# --- all windows at once --------------------------------------------------------------------------------------------

def winners(layer: Layer, inputs: Inputs) -> tuple[Cells, ...]:
    """For each axis behind the channels, in the layer's shape: where in the input the largest of each window sits."""
    read = places_read(layer, inputs)
    grid = np.ix_(*(np.arange(size) for size in layer.shape[1:]))
    values = inputs[0].output
    for axis, places in enumerate(read):  # (channel, place, …, tap, …)
        inside = (places >= 0) & (places < inputs[0].shape[1 + axis])
        shape = [1] * (1 + axis), [1] * (values.ndim - 2 - axis)
        values = np.take(values, np.clip(places, 0, inputs[0].shape[1 + axis] - 1).ravel(), axis=1 + axis)
        values = np.where(inside.reshape(*shape[0], -1, *shape[1]), values, -np.inf)
    taps_of = [places.shape[1] for places in read]
    split = values.reshape(values.shape[0], *(n for places in read for n in places.shape))
    count = len(read)
    order = (0, *(1 + 2 * axis for axis in range(count)), *(2 + 2 * axis for axis in range(count)))
    won = split.transpose(order).reshape(*layer.shape, -1).argmax(axis=-1)
    taken = np.unravel_index(won, taps_of)
    return tuple(places[at, tap] for places, at, tap in zip(read, grid, taken, strict=True))


def places_read(layer: Layer, inputs: Inputs) -> tuple[Cells, ...]:
    """For each axis behind the channels: (place, tap), where a window reads; −1 where it has no more taps."""
    if layer.kind.startswith("adaptive"):
        bins = [[_bin(size, wanted, i) for i in range(wanted)]
                for size, wanted in zip(inputs[0].shape[1:], layer.shape[1:], strict=True)]
    else:
        bins = [[axis.places(i) for i in range(wanted)]
                for axis, wanted in zip(_axes(layer, inputs), layer.shape[1:], strict=True)]
    return tuple(np.array([np.pad(one, (0, max(map(len, each)) - len(one)), constant_values=-1) for one in each])
                 for each in bins)


# --- what they share ------------------------------------------------------------------------------------------------

def _axes(layer: Layer, inputs: Inputs) -> list[Axis]:
    count = _count(layer)
    kernel, stride, padding = _sizes(layer, count)
    dilation = each(layer.settings.get("dilation", 1), count)
    return [Axis(*sizes) for sizes in
            zip(inputs[0].shape[1:], layer.shape[1:], kernel, stride, padding, dilation, strict=True)]


def _sizes(layer: Layer, count: int) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Kernel, stride and padding; without a stride, windows lie side by side."""
    kernel = each(layer.settings["kernel_size"], count)
    stride = layer.settings.get("stride")
    return kernel, kernel if stride is None or stride == () else each(stride, count), \
        each(layer.settings.get("padding", 0), count)


def _count(layer: Layer) -> int:
    return layer.output.ndim - 1


def _won(values: Array, windows: list[list[Cells]], place: Cell) -> list[bool]:
    """For each combination of windows, one for each axis, whether this place holds its first largest number."""
    found = []
    for window in product(*windows):
        cells = grid_of(*window)
        numbers, _ = look(values, cells, -np.inf)
        found.append(tuple(cells[int(np.argmax(numbers))]) == tuple(place))
    return found


def _counted(axis: Axis, window: int) -> Cells:
    """The places of a window that count in its mean: not those that ceil_mode let hang out behind the padding."""
    places = axis.places(window)
    return places[places < axis.size + axis.before]


def _divisor(layer: Layer, inputs: Inputs, place: Cell) -> int:
    """By what the sum of a window is divided."""
    if layer.settings.get("divisor_override"):
        return int(layer.settings["divisor_override"])
    windows = [(axis, _counted(axis, i)) for axis, i in zip(_axes(layer, inputs), place, strict=True)]
    if layer.settings.get("count_include_pad", True):
        return prod(len(places) for _, places in windows)
    return prod(int(((places >= 0) & (places < axis.size)).sum()) for axis, places in windows)


def _bin(size: int, wanted: int, index: int) -> Cells:
    """The places of one bin: 5 places in 3 bins are [0, 2), [1, 4), [3, 5)."""
    return np.arange(index * size // wanted, -(-(index + 1) * size // wanted))


def _bins(layer: Layer, inputs: Inputs, place: Cell) -> list[Cells]:
    return [_bin(*sizes) for sizes in zip(inputs[0].shape[1:], layer.shape[1:], place, strict=True)]


def _bins_of(layer: Layer, inputs: Inputs, place: Cell) -> list[Cells]:
    """The bins that hold a place, for each axis."""
    found = []
    for size, wanted, i in zip(inputs[0].shape[1:], layer.shape[1:], place, strict=True):
        bins = np.arange(wanted)
        found.append(bins[(bins * size // wanted <= i) & (i < -(-(bins + 1) * size // wanted))])
    return found


def _within(box: Box, layer: Layer) -> Box:
    return tuple((max(low, 0), min(high, size - 1)) for (low, high), size in zip(box, layer.shape, strict=True))


def _from_to(layer: Layer, inputs: Inputs) -> dict[str, str]:
    """What a sentence says of the sizes of maps and of how many there are."""
    return {"before": said.lengths(inputs[0], 1), "after": said.lengths(layer, 1),
            "maps": _words.some(len(layer.output), "map", *said.axis(layer, 0))}


def _named(count: int, settings: Mapping[str, Any], inputs: tuple[tuple[str, ...], ...],
           shape: tuple[int, ...]) -> tuple[str, ...]:
    if inputs and len(inputs[0]) == len(shape):
        return inputs[0]
    return ("batch",) * (len(shape) - count - 1) + _wants(count)


def _wants(count: int) -> tuple[str, ...]:
    return ("channel", *{1: ("step",), 2: ("row", "column"), 3: ("depth", "row", "column")}[count])


LARGEST: Mapping[str, Any] = {"role": "largest", "tells_places": True, "back": english("to the winner of each window")}
MEANS: Mapping[str, Any] = {"role": "mean", "back": english("shared out over each window")}
MAX_CALL = "input kernel_size stride padding dilation ceil_mode return_indices"
AVG_CALL = "input kernel_size stride padding ceil_mode count_include_pad divisor_override"
KINDS = tuple(
    kind
    for count in (1, 2, 3)
    for kind in (
        Kind(f"max_pool{count}d", english("max pooling"),
             {f"max_pool{count}d": MAX_CALL, f"max_pool{count}d_with_indices": MAX_CALL}, partial(_named, count),
             max_terms, max_backward, window_box, max_sentence, short=window_short, **LARGEST, wants=_wants(count)),
        Kind(f"avg_pool{count}d", english("average pooling"), {f"avg_pool{count}d": AVG_CALL}, partial(_named, count),
             avg_terms, avg_backward, window_box, avg_sentence, short=window_short, **MEANS, wants=_wants(count)),
        Kind(f"adaptive_max_pool{count}d", english("adaptive max pooling"),
             {f"adaptive_max_pool{count}d{tail}": "input output_size return_indices" for tail in ("", "_with_indices")},
             partial(_named, count), adaptive_max_terms, adaptive_max_backward, adaptive_box,
             partial(adaptive_sentence, english("the largest")), short=adaptive_short, **LARGEST, wants=_wants(count)),
        Kind(f"adaptive_avg_pool{count}d", english("adaptive average pooling"),
             {f"adaptive_avg_pool{count}d": "input output_size"}, partial(_named, count), adaptive_avg_terms,
             adaptive_avg_backward, adaptive_box, partial(adaptive_sentence, english("the mean")), short=adaptive_short,
             **MEANS, wants=_wants(count)),
    )
)
