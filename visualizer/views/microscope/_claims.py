"""What the numbers of terms claim to be: where a value was read, what it was multiplied by, and their product."""

from __future__ import annotations

import numpy as np

from visualizer.kinds import Taps
from visualizer.said import Claim, of, said
from visualizer.trace import Cell, Layer, Trace

PADDING: Claim = ("zero", "", (), None, "")


def of_value(taps: Taps, index: int) -> Claim:
    """Of the number that was read."""
    if taps.inside is not None and not taps.inside[index]:
        return PADDING
    return "value", taps.source, tuple(taps.cells[index].tolist()), None, taps.array


def of_weight(trace: Trace, taps: Taps, index: int, owner: str) -> Claim:
    """Of what it was multiplied by; a factor that stands nowhere in the recording, a slope or a share, claims no more
    than itself."""
    value = float(taps.weights[index])
    if taps.weight_cells is None or not taps.weight:
        return itself(value)
    cell = tuple(taps.weight_cells[index].tolist())
    own = next((layer for layer in trace if layer.name == owner), None)
    group, dot, _ = taps.weight.partition(".")
    if own is not None and taps.weight in own.weights:
        layer, array = owner, f"weights.{taps.weight}"
        stands = np.asarray(own.weights[taps.weight])
    elif own is not None and dot and group in ("inner", "weights"):
        layer, array = owner, taps.weight
        stands = np.asarray(getattr(own, group).get(taps.weight.partition(".")[2], ()))
    elif taps.weight in trace:
        layer, array, stands = taps.weight, "output", trace[taps.weight].output
    else:
        return itself(value)
    inside = len(cell) == stands.ndim and all(0 <= i < n for i, n in zip(cell, stands.shape, strict=True))
    if not inside or not np.isclose(float(stands[cell]), value, 1e-4, 1e-30):  # times r, or another part of it
        return itself(value)
    return "value", layer, cell, None, array


def itself(value: float) -> Claim:
    """Of a number that stands nowhere in the recording, and is only written down: a slope, a rest, a running sum."""
    return "factor", "", (), None, repr(float(value))


def counted(layer: Layer, cell: Cell, place: int) -> str:
    """One index of a cell: steps count from 1, all else from 0."""
    return said(str(cell[place] + 1), "step", layer.name, step=cell[place]) \
        if layer.axes[place:place + 1] == ("step",) else said(str(cell[place]), *of("index", layer, cell[:place + 1]))


def of_product(value: Claim, weight: Claim, unit: float = 1.0) -> Claim:
    """Of both multiplied, written in a unit."""
    _, layer, cell, _, array = value
    return "product in a unit", layer, cell, None, "|".join(
        (repr(float(unit)), value[0], array, weight[0], weight[1], ",".join(map(str, weight[2])), weight[4]))
