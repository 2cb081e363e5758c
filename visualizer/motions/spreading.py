"""One source spreads over its window: transposed convolution, where what overlaps adds up; upsampling; pixel shuffle.

On the way back each source gathers what stands where it was spread.
"""

from __future__ import annotations

import numpy as np

from visualizer.kinds.conv import spread
from visualizer.kinds.shape import origins
from visualizer.language import tr
from visualizer.motions import Frame, Motion, Setting, window
from visualizer.motions._travel import (
    Ways,
    arriving,
    handed_along,
    in_parcels,
    landed,
    moved,
    returning,
    seconds_along,
)
from visualizer.scene import numbers
from visualizer.trace import Array, Layer, Trace, remembered

COPIES = ("upsample", "pixel_shuffle")
TRANSPOSED = ("conv_transpose1d", "conv_transpose2d")
MOST = 200_000
"""Terms; larger layers uncover in reading order."""


def suits(layer: Layer) -> bool:
    return layer.kind in (*COPIES, *TRANSPOSED) and layer.output.ndim > 1


def forward(setting: Setting) -> Frame:
    """Place after place of the source spreads over its window."""
    ways = ways_of(setting.trace, setting.layer.name)
    if ways is None:
        return window.forward(setting)
    done = landed(ways.count, setting.second)
    return arriving(setting, ways, _said(setting, done, ways.count), _counted(done, ways.count))


def backward(setting: Setting) -> Frame:
    """Every place gathers from its window."""
    return returning(setting, ways_of(setting.trace, setting.layer.name), _said_back, _counted)


def seconds(trace: Trace, layer: Layer, back: str) -> float:
    ways = ways_of(trace, layer.name)
    return seconds_along(trace, layer, ways, back)


def hands(trace: Trace, layer: Layer, name: str) -> Array | None:
    """All that goes the same ways back."""
    ways = ways_of(trace, layer.name)
    return None if ways is None or layer.gradient is None else handed_along(ways, name, trace)


@remembered(64)
def ways_of(trace: Trace, name: str) -> Ways | None:
    """Where each source is spread; None where that is too much or not explained."""
    layer = trace[name]
    inputs = trace.inputs(layer)
    if layer.kind in TRANSPOSED:
        weight = layer.weights.get("weight")
        if weight is None or inputs[0].output.ndim != weight.ndim - 1 or \
                inputs[0].output.size * weight[0].size > MOST:
            return None
        cells, targets, factors = spread(layer, inputs)
        parcels, count = in_parcels(list(cells[:, 1:].T))
        moves = moved(inputs[0], layer, cells, targets, parcels, count, factors)
        bias = layer.weights.get("bias")
        start = np.zeros(layer.shape) if bias is None else \
            np.broadcast_to(bias.reshape(-1, *(1,) * (layer.output.ndim - 1)), layer.shape).astype(np.float64)
        return Ways((moves,), count, moves.parcel_of, True, start)
    known = origins(layer, inputs)
    if known is None or layer.output.size > MOST or (known < 0).any():
        return None
    cells = np.stack(np.unravel_index(known.astype(np.int64), inputs[0].shape), axis=1)
    targets = np.stack(np.unravel_index(np.arange(layer.output.size), layer.shape), axis=1)
    parcels, count = in_parcels(list(cells[:, 1:].T))
    moves = moved(inputs[0], layer, cells, targets, parcels, count)
    return Ways((moves,), count, moves.parcel_of)


# --- words -----------------------------------------------------------------------------------------------------------

def _counted(done: int, count: int) -> str:
    return tr("place {n} of {count}").format(n=numbers.count(done), count=numbers.count(count))


def _said(setting: Setting, done: int, count: int) -> str:
    layer, source = setting.layer, setting.layer.reads[0]
    known = {"source": source, "layer": layer.name, "done": numbers.count(done), "count": numbers.count(count)}
    if done <= 0:
        return tr("{source} is ready. {layer} has computed nothing yet.").format(**known)
    if layer.kind in TRANSPOSED:
        return tr("Each number of {source}, times the kernel, spreads over a window; where they overlap, it adds up: "
                  "{{{done} of {count}}} places.").format(**known)
    if layer.kind == "upsample":
        return tr("Each number of {source} is repeated over a block: {{{done} of {count}}} places.").format(**known)
    return tr("Channels of {source} lie down side by side as finer pixels: {{{done} of {count}}} places.").format(
        **known)


def _said_back(setting: Setting, done: int, count: int) -> str:
    layer, source = setting.layer, setting.written.name
    known = {"source": source, "layer": layer.name, "done": numbers.count(done), "count": numbers.count(count)}
    if done <= 0:
        return tr("The gradient stands at {layer}; {source} has none yet.").format(**known)
    if layer.kind in TRANSPOSED:
        return tr("Each place of {source} gathers the gradients of its window, times the kernel: {{{done} of {count}}} "
                  "places.").format(**known)
    return tr("Each place of {source} gathers the gradients of all its copies: {{{done} of {count}}} places.").format(
        **known)


MOTION = Motion("spreading", suits, forward, backward, seconds, hands=hands, order=37)
