"""What the first layers of a convolutional network make of another picture, and what is called its style: how strong
each two maps of a layer are at the same place, averaged over the places (a Gram matrix; Gatys, Ecker and Bethge 2016).

Numpy alone: what a run found in torch is taken apart with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.kinds import curve
from visualizer.kinds._window import each
from visualizer.trace import Array, Layer, Trace, remembered

STUDY = "style"
SIDE, UPDATES = 96, 200
"""Of the pictures; and how often the pixels are changed."""
MOST_LAYERS = 4
"""So many layers are compared, the first ones."""
PICTURES = ("chelsea", "coffee", "astronaut", "rocket")
"""The photographs that come with the app, in the order in which they lie side by side."""
OWN = "input"
"""The picture that is open."""
Pixels = NDArray[np.float32]


@dataclass(frozen=True)
class Wish:
    """What a run is asked for."""

    content: str = PICTURES[0]
    style: str = PICTURES[1]
    keep: float = 0.2
    """How much the maps of the content count,"""
    weight: float = 1.0
    """the Gram matrices,"""
    smooth: float = 0.0
    """and that neighbouring pixels are alike."""

    @property
    def words(self) -> str:
        """As a study is asked for it; nothing for the usual one."""
        return "" if self == Wish() else f"{self.content},{self.style},{self.keep:g},{self.weight:g},{self.smooth:g}"


def wish(words: str) -> Wish:
    """What the words ask for; raises ValueError."""
    if not words:
        return Wish()
    content, style, *numbers = words.split(",")
    keep, weight, smooth = map(float, numbers)
    return Wish(content, style, keep, weight, smooth)


@remembered(8)
def trunk(trace: Trace) -> tuple[Layer, ...]:
    """The layers that a picture in colour goes through one after the other, as far as any size would do: up to the
    last of those that are compared; none where there are none."""
    layers = trace.layers
    if not layers[0].is_input or layers[0].axes != ("channel", "row", "column") or layers[0].shape[0] != 3:
        return ()
    found: list[Layer] = []
    for before, layer in pairwise(layers):
        if layer.reads != (before.name,) or layer.kind not in OPERATIONS or layer.settings.get("training"):
            break
        found.append(layer)
    last = next((number for number in reversed(range(len(found))) if found[number].kind == "relu"), -1)
    relus = [number for number, layer in enumerate(found[:last + 1]) if layer.kind == "relu"][:MOST_LAYERS]
    return tuple(found[:relus[-1] + 1]) if relus and any(layer.kind == "conv2d" for layer in found) else ()


def compared(trace: Trace) -> tuple[Layer, ...]:
    """Those of the trunk of which the Gram matrices are compared; the maps of the last are those of the content."""
    return tuple(layer for layer in trunk(trace) if curve(layer) is not None)


def maps(trace: Trace, values: Pixels, last: str = "") -> dict[str, Pixels]:
    """What each of the compared layers, up to the `last`, makes of a picture as the network reads it, (3, row, column):
    maps (channel, row, column)."""
    found, wanted = {}, {layer.name for layer in compared(trace)}
    for layer in trunk(trace):
        values = OPERATIONS[layer.kind](layer, values)
        if layer.name in wanted:
            found[layer.name] = values
        if layer.name == last:
            break
    return found


def gram(found: Array) -> Array:
    """(channel, channel): the mean over the places of the product of each two maps."""
    flat = np.asarray(found, np.float64).reshape(len(found), -1)
    return flat @ flat.T / flat.shape[1]


def apart(found: Array, wanted: Array) -> float:
    """How far two arrays are apart, as a share of the second: roots of sums of squares."""
    size = float(np.sqrt(np.square(np.asarray(wanted, np.float64)).sum()))
    return float(np.sqrt(np.square(np.asarray(found, np.float64) - wanted).sum())) / size if size else 0.0


# --- the operations, over a whole picture -----------------------------------------------------------------------------

def _conv(layer: Layer, values: Pixels) -> Pixels:
    weight, said = layer.weights["weight"], layer.settings
    groups, count = int(said.get("groups", 1)), len(weight)
    kernels = weight.reshape(groups, count // groups, *weight.shape[1:])
    out: Pixels = np.zeros((), np.float32)
    for (row, column), seen in _seen(values, weight.shape[2:], each(said.get("stride", 1), 2),
                                     each(said.get("padding", 0), 2), each(said.get("dilation", 1), 2), 0.0):
        flat = seen.reshape(groups, len(seen) // groups, -1)
        out = out + (np.ascontiguousarray(kernels[..., row, column]) @ flat).reshape(count, *seen.shape[1:])
    return out + layer.weights["bias"][:, None, None] if "bias" in layer.weights else out


def _norm(layer: Layer, values: Pixels) -> Pixels:
    weights, one = layer.weights, np.ones(len(values), np.float32)
    spread: Array = np.sqrt(weights["running_var"] + np.float32(layer.settings.get("eps", 1e-5)))
    factor: Array = weights.get("weight", one) / spread
    shift: Array = weights.get("bias", 0 * one) - weights["running_mean"] * factor
    made: Pixels = values * factor[:, None, None] + shift[:, None, None]
    return made


def _relu(layer: Layer, values: Pixels) -> Pixels:
    return np.maximum(values, np.float32(0))


def _max_pool(layer: Layer, values: Pixels) -> Pixels:
    kernel = each(layer.settings["kernel_size"], 2)
    stride = each(layer.settings.get("stride") or kernel, 2)
    return reduce(np.maximum, (seen for _, seen in _seen(
        values, kernel, stride, each(layer.settings.get("padding", 0), 2), each(layer.settings.get("dilation", 1), 2),
        -np.inf)))


def _seen(values: Pixels, kernel: tuple[int, ...], stride: tuple[int, ...], padding: tuple[int, ...],
          dilation: tuple[int, ...], beyond: float) -> Iterator[tuple[tuple[int, int], Pixels]]:
    """For each place of the kernel, row and column, what lies under it wherever the kernel stands: (channel, row,
    column). One place after the other needs no copy of every window."""
    edged = np.pad(values, ((0, 0), *((by, by) for by in padding)), constant_values=beyond)
    high, wide = ((size - (along - 1) * by - 1) // step + 1 for size, along, by, step
                  in zip(edged.shape[1:], kernel, dilation, stride, strict=True))
    for row, column in np.ndindex(*kernel):
        top, left = row * dilation[0], column * dilation[1]
        yield (row, column), edged[:, top:top + (high - 1) * stride[0] + 1:stride[0],
                                   left:left + (wide - 1) * stride[1] + 1:stride[1]]


OPERATIONS: dict[str, Any] = {"conv2d": _conv, "batch_norm": _norm, "relu": _relu, "max_pool2d": _max_pool}
"""By the names of the kinds; what is none of them ends the trunk."""
