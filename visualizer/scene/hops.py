"""Hops: what became of a gradient on its way back through one layer, and why, from that layer's own numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from visualizer.scene import causes
from visualizer.trace import Layer, Trace

MOVES = ("flatten", "reshape", "view", "squeeze", "unsqueeze", "transpose", "permute", "dropout")


def handers(trace: Trace, name: str) -> tuple[Layer, ...]:
    """The layers that read `name` and handed gradient back to it; what they handed is added up."""
    return tuple(reader for reader in trace.readers(name) if reader.gradient is not None)


def added(trace: Trace, name: str) -> str:
    """That the gradients of several readers are added, if they are."""
    found = handers(trace, name)
    return causes.added_ways(len(found), any(reader.kind == "add" for reader in found))


def reason(trace: Trace, layer: Layer, reader: Layer, kept: float, stretch: float = float("nan")) -> str:
    """Why the gradient of `reader` became `kept` times as long on its way to `layer`; empty where no rule says why.

    `stretch` is the largest singular value of the reader's weights, where that is known.
    """
    values, kind = np.asarray(reader.output, np.float64), reader.kind
    if kind == "relu":
        return causes.half_open(float(np.mean(values > 0)))
    if kind == "sigmoid":
        return causes.sigmoid_slope(float(np.mean(values * (1 - values))))
    if kind == "tanh":
        return causes.flat_tanh(float(np.mean(1 - values * values)))
    if "max_pool" in kind:
        return "" if layer.gradient is None else causes.winners(int(np.count_nonzero(layer.gradient)),
                                                                layer.gradient.size)
    if "avg_pool" in kind or kind == "mean":
        return causes.averaged(layer.output.size // max(1, reader.output.size))
    if kind.endswith("_norm"):
        return causes.normalised(kept)
    if kind in ("cat", "stack"):
        return causes.joined(len(reader.reads))
    if kind == "mul" and len(reader.reads) == 2:
        other = trace.inputs(reader)[1 - reader.reads.index(layer.name)].output
        return causes.gated(float(np.mean(np.abs(np.asarray(other, np.float64)))))
    if kind == "linear":
        return causes.stretch(kept, stretch)
    return causes.moved_only(round(kept, 6)) if kind in MOVES else ""


def of_symbols(trace: Trace, layer: Layer) -> NDArray[np.float64] | None:
    """(step,): for whole numbers that an embedding reads, and that have no gradient themselves, ∥∂L/∂e_t∥ of what each
    was turned into. None for anything else."""
    if layer.kind != "input" or layer.gradient is not None or layer.output.ndim != 1:
        return None
    for reader in trace.readers(layer.name):
        if reader.kind == "embedding" and reader.gradient is not None and reader.gradient.ndim == 2:
            sizes: NDArray[np.float64] = np.linalg.norm(np.asarray(reader.gradient, np.float64), axis=1)
            return sizes
    return None
