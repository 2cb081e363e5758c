"""Reach: on which of the places that a network reads one of its numbers depends, and how strongly.

A convolution has a hard edge, its receptive field; a state of a recurrent layer has none, but fades. Both are told
along one axis, the distance in pixels or steps.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.kinds import Box
from visualizer.trace import Cell, Layer, Trace, remembered

STUDY = "reach"
HORIZON = 0.01
"""What has less than this share of the strongest influence lies beyond the horizon."""
WIDTH = 4.0
"""Standard deviations that count as the width of what is really used (Luo and others 2016)."""
Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Influence:
    """How strongly one number depends on what was read at each distance."""

    distances: Values
    """Pixels from the middle of the field, or steps back; rising."""
    sizes: Values
    """Norm of the derivative by all that lies so far away."""

    @property
    def shares(self) -> Values:
        """Of the strongest; zeros where there is none at all."""
        top = float(np.max(self.sizes, initial=0.0))
        return self.sizes / top if top > 0 else np.zeros_like(self.sizes)

    @property
    def horizon(self) -> float:
        """The farthest distance at which the influence is still a hundredth of the strongest; NaN where there is none.
        """
        near = self.shares >= HORIZON
        return float(self.distances[near][-1]) if near.any() else float("nan")


def source(trace: Trace) -> Layer | None:
    """What is read in places: the first input if its numbers lie in rows and columns or along steps; of symbols, what
    stands for each of them. None where it has no places."""
    first = trace.layers[0]
    if first.output.dtype.kind not in "iu" or first.has("row", "column"):
        return first if places(first) else None
    found = next((layer for layer in trace.readers(first.name) if layer.shape[:1] == first.shape[:1]), None)
    return found if found is not None and places(found) else None


def places(layer: Layer) -> tuple[int, ...]:
    """The axes along which it has places: rows and columns, or steps."""
    for axes in (("row", "column"), ("step",)):
        if layer.has(*axes):
            return tuple(layer.axes.index(axis) for axis in axes)
    return ()


@remembered(8)
def direct(trace: Trace) -> frozenset[str]:
    """The layers whose numbers depend on what is read at once, not through the states of a recurrent layer."""
    read = source(trace)
    found = set() if read is None else {read.name}
    through = {layer.name for layer in trace if layer.inner}
    for layer in trace:
        if layer.inner or through & set(layer.reads):
            through.add(layer.name)
        elif found & set(layer.reads):
            found.add(layer.name)
    return frozenset(found)


@remembered(4096)
def field(trace: Trace, name: str, cell: Cell, read: str) -> Box | None:
    """(first, last) along each axis of places of what is read that one number can see, padding included; None where
    that is not known, or nothing."""
    box = kinds.receptive_field(trace, name, cell).get(read)
    return None if box is None else tuple(box[axis] for axis in places(trace[read]))


def inside(box: Box, read: Layer) -> Box:
    """As much of a field as is no padding."""
    return tuple((max(low, 0), min(high, read.shape[axis] - 1))
                 for (low, high), axis in zip(box, places(read), strict=True))


def windowed(layer: Layer) -> bool:
    """Whether it goes over what it reads with a window, or takes a part of it."""
    return "stride" in layer.settings or "kernel_size" in layer.settings or layer.kind in ("getitem", "stft", "unfold")


def width(weights: Values) -> float:
    """Four standard deviations of where weights lie along one axis, in its places; NaN where all are 0."""
    total = float(weights.sum())
    if not total > 0:
        return float("nan")
    at = np.arange(len(weights))
    middle = float((weights * at).sum()) / total
    return float(WIDTH * np.sqrt((weights * (at - middle) ** 2).sum() / total))


def used(heat: Values) -> tuple[float, ...]:
    """The width along each axis of what a number really uses of its field, by the sizes of its gradient; never more
    than the field itself."""
    axes = range(heat.ndim)
    return tuple(min(float(heat.shape[axis]), width(heat.sum(tuple(other for other in axes if other != axis))))
                 for axis in axes)


def rings(heat: Values) -> Influence:
    """By distance from the middle of a field, along the axis in which a place is farther; of steps, back from the last.
    """
    along = [np.abs(np.arange(size) - (size - 1) / 2) for size in heat.shape] if heat.ndim > 1 else \
        [np.arange(heat.shape[0])[::-1].astype(np.float64)]
    far = np.maximum.reduce(np.meshgrid(*along, indexing="ij"))
    distances = np.unique(far)
    sizes = np.sqrt([float(np.square(heat[far == distance]).sum()) for distance in distances])
    return Influence(distances, np.asarray(sizes, np.float64))
