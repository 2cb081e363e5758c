"""Moving: what becomes of a layer when its input is moved. Whether its maps move along (equivariance), or stay as they
were (invariance); both as the norm of what is left of the difference, over the norm of the maps as they were."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.trace import Trace, remembered

Values = NDArray[np.float64]


def left_in_place(before: NDArray[Any], after: NDArray[Any], batch: bool = False) -> Values:
    """The invariance error, ‖after − before‖ / ‖before‖: 0 where nothing changed; of every sample of a `batch`."""
    return _relative(np.asarray(after, np.float64) - before, before, batch)


def moved_back(before: NDArray[Any], after: NDArray[Any], by: tuple[int, ...], batch: bool = False) -> Values:
    """The equivariance error over the last axes, moved by so many places: ‖after, moved back, − before‖ / ‖before‖,
    where both have values; NaN where none of them do."""
    kept, came = _overlap(before.shape, by)
    if before[kept].size == 0:
        return np.full(before.shape[:int(batch)], np.nan)
    old = np.asarray(before[kept], np.float64)
    return _relative(after[came] - old, old, batch)


def back(before: NDArray[Any], after: NDArray[Any], by: tuple[int, ...]) -> Values:
    """The same difference at its place; NaN where one of them has no value."""
    kept, came = _overlap(before.shape, by)
    found = np.full(before.shape, np.nan)
    found[kept] = np.asarray(after[came], np.float64) - before[kept]
    return found


def _overlap(shape: tuple[int, ...], by: tuple[int, ...]) -> tuple[Any, Any]:
    """Where along the last axes what was there is still inside, before and after."""
    sizes = shape[len(shape) - len(by):]
    kept = [slice(max(-step, 0), max(0, size - max(step, 0))) for step, size in zip(by, sizes, strict=True)]
    came = [slice(max(step, 0), max(0, size - max(-step, 0))) for step, size in zip(by, sizes, strict=True)]
    return (..., *kept), (..., *came)


def _relative(difference: Values, of: NDArray[Any], batch: bool) -> Values:
    axes = tuple(range(int(batch), difference.ndim))
    with np.errstate(all="ignore"):
        top, size = (np.sqrt(np.square(np.asarray(each, np.float64)).sum(axes)) for each in (difference, of))
        found: Values = np.asarray(top / size)
    return found


@remembered(64, each_layer=True)
def stride(trace: Trace, name: str) -> tuple[int, ...] | None:
    """How many places of the input lie between two of a layer, along each axis that both have; None where it has no
    places, or no stride that is a whole number."""
    layer, first = trace[name], trace.layers[0]
    axes = [axis for axis in ("row", "column") if layer.has(axis) and first.has(axis)] or \
        [axis for axis in ("step",) if layer.has(axis) and first.has(axis)]
    if not axes or layer.axes[len(layer.axes) - len(axes):] != tuple(axes):
        return None
    if name == first.name:
        return (1,) * len(axes)
    found = []
    for axis in axes:
        at = layer.axes.index(axis)
        if layer.shape[at] < 2:
            return None
        cells = [tuple(place if other == at else 0 for other in range(layer.output.ndim)) for place in (0, 1)]
        boxes = [kinds.receptive_field(trace, name, cell).get(first.name) for cell in cells]
        if boxes[0] is None or boxes[1] is None:
            return None
        low = [box[first.axes.index(axis)][0] for box in boxes if box is not None]
        found.append(low[1] - low[0])
    return tuple(found) if all(found) else None
