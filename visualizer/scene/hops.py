"""Hops: what became of a gradient on its way back through one layer, and why, from that layer's own numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.said import found, of, size
from visualizer.scene import causes
from visualizer.size import norms
from visualizer.trace import Layer, Trace, remembered


def handers(trace: Trace, name: str) -> tuple[Layer, ...]:
    """The layers that read `name` and handed gradient back to it; what they handed is added up."""
    return tuple(reader for reader in trace.readers(name) if reader.gradient is not None)


def added(trace: Trace, name: str) -> str:
    """That the gradients of several readers are added, if they are."""
    found = handers(trace, name)
    return causes.added_ways(len(found), any(kinds.role(reader) == "sum" for reader in found),
                             of("how many hand back", trace[name]))


def reason(trace: Trace, layer: Layer, reader: Layer, kept: float, stretch: float = float("nan")) -> str:
    """Why the gradient of `reader` became `kept` times as long on its way to `layer`; empty where no rule says why.

    `stretch` is the largest singular value of the reader's weights, where that is known.
    """
    kind = kinds.of(reader)
    if kind is None:
        return ""
    if kind.curve is not None:
        slope = _mean_slope(reader)
        steep = kind.curve.steepest
        return (causes.half_open if kinds.switches(reader) else causes.sigmoid_slope if steep < 1 else
                causes.flat_tanh)(slope, of("mean slope", reader), of("steepest slope", reader))
    if kind.role == "largest":
        return "" if layer.gradient is None else causes.winners(
            int(np.count_nonzero(layer.gradient)), layer.gradient.size, of("how many gradients not 0", layer),
            size(layer))
    if kind.role == "mean":
        return causes.averaged(layer.output.size // max(1, reader.output.size), of("numbers for each", reader))
    if kind.role == "norm":
        return causes.normalised(kept, of("how many times as long as what is handed to it", layer))
    if kind.role == "join":
        return causes.joined(len(reader.reads), of("how many are read", reader))
    if kind.role == "product" and len(reader.reads) == 2:
        other = trace.inputs(reader)[1 - reader.reads.index(layer.name)]
        return causes.gated(float(np.mean(np.abs(np.asarray(other.output, np.float64)))), of("mean size", other))
    if kind.role == "weighted":
        at = trace.places[reader.name]
        return causes.stretch(kept, stretch, of("how many times as long as what is handed to it", layer),
                              found("value", "flow", "stretch", at))
    return causes.moved_only(round(kept, 6)) if kind.moves_only or kind.role == "dropout" else ""


@remembered(1)
def _mean_slope(layer: Layer) -> float:
    """Of a layer that is a curve, over all that it made."""
    kind = kinds.of(layer)
    assert kind is not None
    assert kind.curve is not None
    return float(np.mean(kind.curve.slope(np.asarray(layer.output, np.float64))))


def of_symbols(trace: Trace, layer: Layer) -> NDArray[np.float64] | None:
    """(step,): for whole numbers that an embedding reads, and that have no gradient themselves, ∥∂L/∂e_t∥ of what each
    was turned into. None for anything else."""
    if not layer.is_input or layer.gradient is not None or layer.output.ndim != 1:
        return None
    for reader in trace.readers(layer.name):
        if kinds.role(reader) == "table" and reader.gradient is not None and reader.gradient.ndim == 2:
            sizes: NDArray[np.float64] = norms(np.asarray(reader.gradient, np.float64), 1)
            return sizes
    return None
