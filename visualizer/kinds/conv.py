"""Convolution and transposed convolution along one, two or three axes.

What is called convolution is cross-correlation, as in torch: y[o, i] = b[o] + Σ w[o, c, u] · x[c, i·s − p + d·u].
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from math import prod
from typing import Any

import numpy as np

from visualizer import said
from visualizer.kinds import Box, Cost, Inputs, Kind, Taps, Terms, _words
from visualizer.kinds._taps import Cells, added, gradient_taps, grid_of, taps
from visualizer.kinds._window import Axis, each
from visualizer.language import english, tr
from visualizer.trace import Array, Cell, Layer

PLACES = {1: ("step",), 2: ("row", "column"), 3: ("depth", "row", "column")}
SUM = "y = Σ w·x + b"
SUM_BACK = "∂L/∂x = Σ ∂L/∂y·w"
SUM_WEIGHT = "∂L/∂w = Σ ∂L/∂y·x"
SUM_BIAS = "∂L/∂b = Σ ∂L/∂y"


# --- convolution ----------------------------------------------------------------------------------------------------

def conv_terms(layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """One window of every input channel of the group, times the kernel, plus the bias."""
    weight = layer.weights["weight"]
    out, place = cell[0], cell[1:]
    first = out // (len(weight) // _groups(layer)) * weight.shape[1]
    channels = np.arange(first, first + weight.shape[1])
    windows = [axis.places(i) for axis, i in zip(_axes(layer, inputs), place, strict=True)]
    read = taps(inputs[0], "output", grid_of(channels, *windows), weight[out].ravel(), weight.shape[1:],
                weight="weight", weight_cells=grid_of([out], *map(np.arange, weight.shape[1:])))
    return added(read, **_bias(layer, out), formula=SUM)


def conv_backward(layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """Every output whose window held this cell, times the weight with which it did."""
    weight = layer.weights["weight"]
    channel, place = cell[0], cell[1:]
    outs, kernel_channel = _outs_that_see(channel, weight.shape, _groups(layer))
    readers = [axis.readers(i) for axis, i in zip(_axes(layer, inputs), place, strict=True)]
    windows = [windows for windows, _ in readers]
    weight_cells = grid_of(outs, [kernel_channel], *(tap for _, tap in readers))
    read = gradient_taps(layer, grid_of(outs, *windows), weight[tuple(weight_cells.T)],
                         (len(outs), *map(len, windows)), weight="weight", weight_cells=weight_cells)
    return added(read, formula=SUM_BACK)


def handed_back(layer: Layer, inputs: Inputs, gradient: Array) -> Array:
    """What a convolution hands back to its input (channel, …) of a gradient of its output, both whole arrays."""
    weight = layer.weights["weight"]
    own, inner = len(weight) // _groups(layer), weight.shape[1]
    found = np.zeros(inputs[0].shape)
    for tap, met, kept in _met(layer, inputs):
        for group in range(_groups(layer)):
            rows = np.arange(group * own, (group + 1) * own)
            share = np.tensordot(_at_tap(weight[rows], tap).T, gradient[np.ix_(rows, *kept)], 1)
            found[np.ix_(np.arange(group * inner, (group + 1) * inner), *met)] += share
    return found


def weight_gradient(layer: Layer, inputs: Inputs, gradient: Array, channel: int) -> Array:
    """∂L/∂w of one output channel, (input channel of its group, …), of a gradient of that channel (rows, columns)."""
    weight = layer.weights["weight"]
    inner, first = weight.shape[1], channel // (len(weight) // _groups(layer)) * weight.shape[1]
    found: Array = np.zeros(weight.shape[1:])
    for tap, met, kept in _met(layer, inputs):
        read = inputs[0].output[np.ix_(np.arange(first, first + inner), *met)].astype(np.float64)
        sent = gradient[np.ix_(*kept)].astype(np.float64)
        _at_tap(found[None], tap)[0] = (read * sent).reshape(inner, -1).sum(axis=1)
    return found


def _at_tap(kernels: Array, tap: tuple[int, ...]) -> Array:
    """(output channel, input channel): one weight of every kernel."""
    for index in tap:
        kernels = kernels[:, :, index]
    return kernels


def _met(layer: Layer, inputs: Inputs) -> Iterator[tuple[tuple[int, ...], list[Cells], list[Cells]]]:
    """For each weight of a kernel the places of the input that it met, and the places of the output where it did."""
    axes = _axes(layer, inputs)
    for tap in np.ndindex(*layer.weights["weight"].shape[2:]):
        at = [np.arange(axis.windows) * axis.stride - axis.before + axis.dilation * u
              for axis, u in zip(axes, tap, strict=True)]
        kept = [np.flatnonzero((0 <= place) & (place < size))
                for place, size in zip(at, inputs[0].shape[1:], strict=True)]
        yield tap, [place[keep] for place, keep in zip(at, kept, strict=True)], kept


def conv_weight(layer: Layer, inputs: Inputs, name: str, cell: Cell) -> Terms:
    """Every place where the weight was used: the gradient there, times the input that it met."""
    places = layer.shape[1:]
    cells = grid_of([cell[0]], *map(np.arange, places))
    if name == "bias":
        return added(gradient_taps(layer, cells, 1.0, (1, *places)), formula=SUM_BIAS)
    out, kernel_channel, tap = cell[0], cell[1], cell[2:]
    weight = layer.weights["weight"]
    channel = out // (len(weight) // _groups(layer)) * weight.shape[1] + kernel_channel
    met = [np.arange(axis.windows) * axis.stride - axis.before + axis.dilation * u
           for axis, u in zip(_axes(layer, inputs), tap, strict=True)]
    return added(_times_input(layer, inputs[0], cells, grid_of([channel], *met), (1, *places)), formula=SUM_WEIGHT)


def conv_box(layer: Layer, inputs: Inputs, which: int, box: Box) -> Box:
    weight = layer.weights["weight"]
    group = len(weight) // _groups(layer)
    channels = box[0][0] // group * weight.shape[1], (box[0][1] // group + 1) * weight.shape[1] - 1
    spans = (axis.span(*ends) for axis, ends in zip(_axes(layer, inputs), box[1:], strict=True))
    return (channels, *spans)


def conv_cost(layer: Layer, inputs: Inputs) -> Cost:
    """One multiply-accumulate for each weight that an output meets: H_o · W_o · C_o · C_i/groups · k_h · k_w."""
    return Cost(layer.parameters, layer.output.size * prod(layer.weights["weight"].shape[1:]))


def conv_sentence(layer: Layer, inputs: Inputs) -> str:
    weight, source = layer.weights["weight"], inputs[0].name
    maps, seen = len(weight), weight.shape[1]
    whole = len(inputs[0].output) == seen
    biased = "bias" in layer.weights
    maps_do = tr("Each of the {maps}").format(maps=_words.some(maps, "map", *said.axis(layer, 0, "weights.weight"))) \
        if maps > 1 else tr("The one map")
    if seen == 1:
        seen_maps = source if whole else tr("one map of {source}").format(source=source)
        does = tr("{each} slides one {window} over {source}, adding a bias: {products}.") if biased else \
            tr("{each} slides one {window} over {source}: {products}.")
    else:
        seen_maps = source if whole else tr("its group in {source}").format(source=source)
        does = tr("{each} adds {count} {windows}, one from each map of {source}, plus a bias: {products}.") if biased \
            else tr("{each} adds {count} {windows}, one from each map of {source}: {products}.")
    products = tr("{products} a pixel") if weight.ndim > 3 else tr("{products} a step")
    kernel = said.lengths(layer, 2, "weights.weight")
    return does.format(each=maps_do, window=_words.window(kernel), windows=_words.window(kernel, True),
                       count=_words.few(seen, *said.axis(layer, 1, "weights.weight")), source=seen_maps,
                       products=products.format(products=_words.some(
                           prod(weight.shape[1:]), "product", *said.of("how many", layer, (0,), "weights.weight"))))


def conv_short(layer: Layer, inputs: Inputs) -> str:
    count = layer.weights["weight"].ndim - 2
    words = f"{said.lengths(layer, 2, 'weights.weight')}, " \
        f"{_words.count(len(inputs[0].output), *said.axis(inputs[0], 0))} → " \
        f"{_words.some(len(layer.output), 'channel', *said.axis(layer, 0))}"
    for name, words_of in (("stride", tr(", stride {size}")), ("dilation", tr(", dilation {size}"))):
        words += _words.dropping(each(layer.settings.get(name, 1), count), 1, words_of, layer, name)
    groups = _groups(layer)
    if groups > 1:
        words += tr(", depthwise") if groups == len(inputs[0].output) else \
            f", {_words.some(groups, 'group', *said.of('setting', layer, array='groups'))}"
    return words


# --- transposed convolution: the same window, with input and output exchanged ---------------------------------------

def transposed_terms(layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """Every input that was spread over this place, times the weight with which it was, plus the bias."""
    weight = layer.weights["weight"]
    out, place = cell[0], cell[1:]
    channels, kernel_channel = _channels_spread_to(out, weight.shape, _groups(layer))
    readers = [axis.readers(i) for axis, i in zip(_transposed_axes(layer, inputs), place, strict=True)]
    sources = [places for places, _ in readers]
    weight_cells = grid_of(channels, [kernel_channel], *(tap for _, tap in readers))
    read = taps(inputs[0], "output", grid_of(channels, *sources), weight[tuple(weight_cells.T)],
                (len(channels), *map(len, sources)), weight="weight", weight_cells=weight_cells)
    return added(read, **_bias(layer, out), formula=SUM)


def transposed_backward(layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """The window of outputs over which this cell was spread, times the kernel; cropped places count nothing."""
    weight = layer.weights["weight"]
    channel, place = cell[0], cell[1:]
    outs = weight.shape[1]
    first = channel // (len(weight) // _groups(layer)) * outs
    windows = [axis.places(i) for axis, i in zip(_transposed_axes(layer, inputs), place, strict=True)]
    cells = grid_of(np.arange(first, first + outs), *windows)
    read = gradient_taps(layer, cells, weight[channel].ravel(), weight.shape[1:], weight="weight",
                         weight_cells=grid_of([channel], *map(np.arange, weight.shape[1:])))
    return added(read, formula=SUM_BACK)


def transposed_weight(layer: Layer, inputs: Inputs, name: str, cell: Cell) -> Terms:
    """Every input place from which the weight spread: the gradient where it landed, times the input."""
    if name == "bias":
        cells = grid_of([cell[0]], *map(np.arange, layer.shape[1:]))
        return added(gradient_taps(layer, cells, 1.0, (1, *layer.shape[1:])), formula=SUM_BIAS)
    channel, kernel_channel, tap = cell[0], cell[1], cell[2:]
    weight = layer.weights["weight"]
    out = channel // (len(weight) // _groups(layer)) * weight.shape[1] + kernel_channel
    axes = _transposed_axes(layer, inputs)
    landed = [np.arange(axis.windows) * axis.stride - axis.before + axis.dilation * u
              for axis, u in zip(axes, tap, strict=True)]
    places = inputs[0].shape[1:]
    met = grid_of([channel], *map(np.arange, places))
    return added(_times_input(layer, inputs[0], grid_of([out], *landed), met, (1, *places)), formula=SUM_WEIGHT)


def transposed_box(layer: Layer, inputs: Inputs, which: int, box: Box) -> Box:
    weight = layer.weights["weight"]
    group = len(weight) // _groups(layer)
    channels = box[0][0] // weight.shape[1] * group, (box[0][1] // weight.shape[1] + 1) * group - 1
    spans = (axis.readers_span(*ends) for axis, ends in zip(_transposed_axes(layer, inputs), box[1:], strict=True))
    return (channels, *spans)


def transposed_cost(layer: Layer, inputs: Inputs) -> Cost:
    """One multiply-accumulate for each weight over which an input is spread."""
    return Cost(layer.parameters, inputs[0].output.size * prod(layer.weights["weight"].shape[1:]))


def transposed_sentence(layer: Layer, inputs: Inputs) -> str:
    weight = layer.weights["weight"]
    does = tr("Each pixel of {source} is spread over a {window}, and what overlaps is added: {before} becomes {after}, "
              "in {maps}.") if weight.ndim > 3 else \
        tr("Each step of {source} is spread over a {window}, and what overlaps is added: {before} becomes {after}, in "
           "{maps}.")
    return does.format(source=inputs[0].name,
                       window=_words.window(said.lengths(layer, 2, "weights.weight")),
                       before=said.lengths(inputs[0], 1), after=said.lengths(layer, 1),
                       maps=_words.some(len(layer.output), "map", *said.axis(layer, 0)))


def spread(layer: Layer, inputs: Inputs) -> tuple[Cells, Cells, Array]:
    """All terms of a transposed convolution: (n, axes) of the input, where each lands, and its weight."""
    weight = layer.weights["weight"]
    axes, places = _transposed_axes(layer, inputs), inputs[0].shape[1:]
    outs, own = weight.shape[1], len(weight) // _groups(layer)
    sources, targets, factors = [], [], []
    grid = grid_of(*map(np.arange, places))
    for tap in np.ndindex(*weight.shape[2:]):
        landed = np.stack([at * axis.stride - axis.before + axis.dilation * u
                           for at, axis, u in zip(grid.T, axes, tap, strict=True)], axis=1)
        kept = np.all((landed >= 0) & (landed < layer.shape[1:]), axis=1)
        for channel, out in np.ndindex(len(weight), outs):
            count = int(kept.sum())
            first = channel // own * outs + out
            sources.append(np.column_stack([np.full(count, channel), grid[kept]]))
            targets.append(np.column_stack([np.full(count, first), landed[kept]]))
            factors.append(np.full(count, weight[(channel, out, *tap)], np.float64))
    return np.concatenate(sources), np.concatenate(targets), np.concatenate(factors)


# --- what both share ------------------------------------------------------------------------------------------------

def _axes(layer: Layer, inputs: Inputs) -> list[Axis]:
    """The places of the input, read by a window for each place of the output."""
    kernel = layer.weights["weight"].shape[2:]
    count = len(kernel)
    stride, dilation = (each(layer.settings.get(name, 1), count) for name in ("stride", "dilation"))
    padding = layer.settings.get("padding", 0)
    if padding == "valid":
        padding = 0
    before = tuple(d * (k - 1) // 2 for d, k in zip(dilation, kernel, strict=True)) if padding == "same" \
        else each(padding, count)
    return [Axis(*sizes) for sizes in
            zip(inputs[0].shape[1:], layer.shape[1:], kernel, stride, before, dilation, strict=True)]


def _transposed_axes(layer: Layer, inputs: Inputs) -> list[Axis]:
    """The places of the output, over which a window for each place of the input is spread."""
    kernel = layer.weights["weight"].shape[2:]
    stride, padding, dilation = (each(layer.settings.get(name, standard), len(kernel))
                                 for name, standard in (("stride", 1), ("padding", 0), ("dilation", 1)))
    return [Axis(*sizes) for sizes in
            zip(layer.shape[1:], inputs[0].shape[1:], kernel, stride, padding, dilation, strict=True)]


def _outs_that_see(channel: int, weight_shape: tuple[int, ...], groups: int) -> tuple[Cells, int]:
    """The outputs of the group of an input channel, and which slice of their kernels is meant for it."""
    outs = weight_shape[0] // groups
    first = channel // weight_shape[1] * outs
    return np.arange(first, first + outs), channel % weight_shape[1]


def _channels_spread_to(out: int, weight_shape: tuple[int, ...], groups: int) -> tuple[Cells, int]:
    """The input channels of the group of an output channel, and which slice of their kernels leads to it."""
    channels = weight_shape[0] // groups
    first = out // weight_shape[1] * channels
    return np.arange(first, first + channels), out % weight_shape[1]


def _times_input(layer: Layer, source: Layer, cells: Cells, met: Cells, grid: tuple[int, ...]) -> Taps:
    """The gradient in `cells`, each times the input that the weight met there; padding counts nothing."""
    seen = taps(source, "output", met)
    read = gradient_taps(layer, cells, seen.values, grid, weight=source.name, weight_cells=met)
    if seen.inside is None:
        return read
    inside = seen.inside if read.inside is None else seen.inside & read.inside
    return Taps(read.source, read.cells, read.values, read.weights, read.array, read.weight, met, inside, grid)


def _bias(layer: Layer, out: int) -> dict[str, Any]:
    bias = layer.weights.get("bias")
    return {} if bias is None else {"bias": float(bias[out]), "bias_name": "bias"}


def _groups(layer: Layer) -> int:
    return int(layer.settings.get("groups", 1))


def _named(count: int, settings: Mapping[str, Any], inputs: tuple[tuple[str, ...], ...],
           shape: tuple[int, ...]) -> tuple[str, ...]:
    return ("batch",) * (len(shape) - count - 1) + ("channel", *PLACES[count])


KINDS = tuple(
    kind
    for count in PLACES
    for kind in (
        Kind(
            name=f"conv{count}d",
            title=english("convolution"),
            back=english("convolution, turned around"),
            calls={f"conv{count}d": "input weight bias stride padding dilation groups"},
            axes=partial(_named, count),
            role="weighted",
            wants=("channel", *PLACES[count]),
            terms=conv_terms,
            backward_terms=conv_backward,
            weight_terms=conv_weight,
            source_box=conv_box,
            sentence=conv_sentence,
            short=conv_short,
            cost=conv_cost,
        ),
        Kind(
            name=f"conv_transpose{count}d",
            title=english("transposed convolution"),
            back=english("transposed convolution, turned around"),
            weight_axis=1,
            calls={f"conv_transpose{count}d": "input weight bias stride padding output_padding groups dilation"},
            axes=partial(_named, count),
            role="weighted",
            wants=("channel", *PLACES[count]),
            terms=transposed_terms,
            backward_terms=transposed_backward,
            weight_terms=transposed_weight,
            source_box=transposed_box,
            sentence=transposed_sentence,
            short=conv_short,
            cost=transposed_cost,
        ),
    )
)
