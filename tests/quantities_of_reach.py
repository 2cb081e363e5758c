"""What captions say of how far a number sees: fields by the formula of Araujo and others (2019), walked back layer by
layer; widths and horizons from the arrays that were measured, which test_reach compares with autograd."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.quantities import quantity
from visualizer.trace import Layer, Trace

quantity("horizon")(lambda trace, said: 0.01)


def pair(value: Any) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else (value[0], value[-1])


def span(trace: Trace, name: str, cell: tuple[int, ...]) -> list[tuple[int, int]]:
    """First and last place along each axis of the input, as far as there is one."""
    layer = trace[name]
    spans = [(at, at) for at in cell]
    while not layer.is_input:
        read = trace[layer.reads[0]]
        if layer.kind in ("conv2d", "max_pool2d"):
            weight = layer.weights.get("weight")
            kernel = pair(layer.settings["kernel_size"]) if weight is None else weight.shape[-2:]
            stride, padding = (pair(layer.settings.get(key) or kernel if key == "stride" else
                                    layer.settings.get(key, 0)) for key in ("stride", "padding"))
            spans = [(low * s - p, high * s - p + k - 1)
                     for (low, high), k, s, p in zip(spans[-2:], kernel, stride, padding, strict=True)]
        elif layer.kind in ("flatten", "squeeze") and all(low == high for low, high in spans):
            spans = [(int(at), int(at)) for at in np.unravel_index(
                int(np.ravel_multi_index([low for low, _ in spans], layer.shape)), read.shape)]
        elif layer.kind == "embedding":
            return spans[:1]
        elif layer.shape != read.shape or layer.kind in ("linear", "softmax"):
            spans = [(0, size - 1) for size in read.shape]
        elif layer.kind not in ("relu", "dropout", "batch_norm"):
            raise LookupError(layer.kind)
        layer = read
    return clipped(spans, layer)


def clipped(spans: list[tuple[int, int]], layer: Layer) -> list[tuple[int, int]]:
    return [(max(0, low), min(size - 1, high)) for (low, high), size in zip(spans[-2:], layer.shape[-2:], strict=True)]


@quantity("size of its field")
def size(trace: Trace, said: Any) -> float:
    axis, *cell = said.cell
    low, high = span(trace, said.layer, tuple(cell))[axis]
    return high - low + 1


@quantity("receptive field")
def of_the_middle(trace: Trace, said: Any) -> float:
    low, high = span(trace, said.layer, tuple(length // 2 for length in trace[said.layer].shape))[said.cell[0]]
    return high - low + 1


def heat(trace: Trace, layer: str, cell: tuple[int, ...]) -> np.ndarray:
    """As it was measured, put back into the whole input and cut out again along the field."""
    held = trace.studies["reach"]
    place = list(held[f"{layer}/units"]).index(np.ravel_multi_index(cell, trace[layer].shape))
    spans = span(trace, layer, cell)
    window, corner = held[f"{layer}/heat"][place], held[f"{layer}/corners"][place]
    whole = np.zeros([high + 1 + length for (_, high), length in zip(spans, window.shape, strict=True)])
    whole[tuple(slice(at, at + length) for at, length in zip(corner, window.shape, strict=True))] = window
    return whole[tuple(slice(low, high + 1) for low, high in spans)]


def widths(trace: Trace, layer: str, cell: tuple[int, ...]) -> list[float]:
    """Four standard deviations along each axis, no more than the field."""
    values = heat(trace, layer, cell)
    found = []
    for axis, length in enumerate(values.shape):
        weights = values.sum(tuple(other for other in range(values.ndim) if other != axis)) / values.sum()
        places = np.arange(length)
        found.append(min(length, 4 * np.sqrt(weights @ places ** 2 - (weights @ places) ** 2)))
    return found


@quantity("width that it uses")
def width(trace: Trace, said: Any) -> float:
    axis, *cell = said.cell
    return widths(trace, said.layer, tuple(cell))[axis]


@quantity("share of its field")
def share(trace: Trace, said: Any) -> float:
    spans = span(trace, said.layer, said.cell)
    return float(np.mean([wide / (high - low + 1) for wide, (low, high) in
                          zip(widths(trace, said.layer, said.cell), spans, strict=True)]))


def recalled(trace: Trace, said: Any) -> np.ndarray:
    """Influence by steps back from the last one that was read."""
    row = trace.studies["reach"][f"{said.layer}/memory"][said.step]
    return row[said.step:] if trace[said.layer].settings.get("reverse") else row[:said.step + 1][::-1]


@quantity("share of the first")
def of_the_first(trace: Trace, said: Any) -> float:
    found = recalled(trace, said)
    return float(found[-1] / found[0])


@quantity("1 % horizon")
def horizon(trace: Trace, said: Any) -> float:
    found = recalled(trace, said)
    return float(np.flatnonzero(found >= 0.01 * found.max())[-1])


# --- what waits: networks whose layers stand in one line -------------------------------------------------------------

IDLE = ("input", "flatten", "squeeze", "getitem", "softmax", "cross_entropy", "dropout")
"""Kinds that make no new number, or none of the model's own."""


def ready(trace: Trace, name: str, step: int | None) -> int:
    """How many operations come before a layer, or before a step of it, and itself."""
    count = 0
    for layer in trace:
        steps = len(layer.output) if layer.inner else int(layer.kind not in IDLE)
        if layer.name == name:
            return count + (steps if step is None else step + 1)
        count += steps
    raise KeyError(name)


@quantity("steps that wait")
def waits(trace: Trace, said: Any) -> float:
    return ready(trace, trace.layers[-1].name, None)


@quantity("steps that waited")
def waited(trace: Trace, said: Any) -> float:
    """So far, at the end of a beat; on the way back counted from the end."""
    before = ready(trace, said.layer, said.step)
    if said.array == "forward":
        return before
    idle = trace[said.layer].kind in IDLE
    return waits(trace, said) - before + (not idle)


@quantity("multiply-adds")
def multiply_adds(trace: Trace, said: Any) -> float:
    """Of a layer: its kernels at each place, its matrix, or all its matrices at each step; else none."""
    layer = trace[said.layer]
    if layer.kind == "conv2d":
        return layer.output.size * layer.weights["weight"][0].size
    if layer.inner:
        return len(layer.output) * (layer.weights["weight_ih"].size + layer.weights["weight_hh"].size)
    return layer.weights["weight"].size if layer.kind == "linear" else 0


quantity("milliseconds of a pass")(lambda trace, said: float(np.median(trace.studies["times"]["plain"])))
quantity("milliseconds with clocks")(lambda trace, said: float(np.median(trace.studies["times"]["watched"])))
quantity("milliseconds of a part")(lambda trace, said: float(trace.studies["times"][f"{said.layer}:ms"]))
quantity("timed runs")(lambda trace, said: len(trace.studies["times"]["plain"]))
quantity("threads")(lambda trace, said: int(trace.studies["times"]["threads"]))
quantity("layers that compute")(lambda trace, said: sum(layer.kind not in IDLE for layer in trace))


@quantity("layers shown")
def shown(trace: Trace, said: Any) -> float:
    """As many as are named in the claim, which must be fewer than there are."""
    assert int(said.array) < sum(layer.kind not in IDLE for layer in trace), said
    return int(said.array)


# --- what moved: a shift of a picture, through layers that halve their maps or keep them ------------------------------

def shift(trace: Trace) -> tuple[int, int]:
    """Right and down."""
    name, _, numbers = bytes(trace.studies["unedited"]["edits"]).decode().partition(":")
    assert name == "shift"
    right, _, down = numbers.partition(",")
    return int(right), int(down or 0)


quantity("moved right")(lambda trace, said: shift(trace)[0])
quantity("moved down")(lambda trace, said: shift(trace)[1])


@quantity("invariance error")
def stays(trace: Trace, said: Any) -> float:
    old, new = (np.asarray(array, np.float64).ravel() for array in
                (trace.studies["unedited"][said.layer], trace[said.layer].output))
    return float(np.linalg.norm(new - old) / np.linalg.norm(old))


@quantity("equivariance error")
def follows(trace: Trace, said: Any) -> float:
    old, new = (np.asarray(array, np.float64) for array in
                (trace.studies["unedited"][said.layer], trace[said.layer].output))
    here = [layer.name for layer in trace].index(said.layer)
    halved = 2 ** sum(layer.kind == "max_pool2d" for layer in trace.layers[:here + 1])
    right, down = (far // halved for far in shift(trace))
    assert right >= 0
    assert down >= 0
    moved = np.full_like(old, np.nan)
    moved[..., down:, right:] = old[..., :old.shape[-2] - down, :old.shape[-1] - right]
    known = np.isfinite(moved)
    return float(np.linalg.norm((new - moved)[known]) / np.linalg.norm(moved[known]))
