"""Channels: which of hundreds are shown where not all have room, and in which order. The one place where it is chosen.

Sorting changes no number: whatever is said of a channel is said by its own, and what is left out is counted.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.language import tr
from visualizer.scene import numbers
from visualizer.trace import Layer, Trace, remembered

AUTO, FIRST, MEAN, MAX, GRADIENT, CHANGE = "auto", "first", "mean", "max", "gradient", "change"
ORDERS = (AUTO, FIRST, MEAN, MAX, GRADIENT)
"""As they are numbered, and the strongest where not all have room; as they are numbered; by mean size, by the largest
value, by the mean size of the gradient. Where it is known what they were before something was done to the input, also
by the mean size of the CHANGE."""
UNEDITED = "unedited"
"""The study that knows that."""
ROW = 1 << 18
"""So many numbers are looked at together: a copy of all maps of a layer would not stay in the cache."""


def order_for(layer: Layer, by: str, room: int) -> str:
    """The order that is meant where so many channels have room."""
    return (FIRST if layer.shape[0] <= room else MEAN) if by == AUTO else by


@remembered(4)
def ranked(layer: Layer, by: str) -> tuple[int, ...]:
    """Channels of a layer, the strongest first: by `mean` size, `max`, `gradient`, or as they come (`first`)."""
    if by == FIRST:
        return tuple(range(layer.shape[0]))
    values = layer.gradient if by == GRADIENT and layer.gradient is not None else layer.output
    flat = values.reshape(len(values), -1)
    many = max(1, ROW // max(1, flat.shape[1]))
    score = np.concatenate([_sizes(flat[start:start + many], by) for start in range(0, len(flat), many)])
    return tuple(np.argsort(-score, kind="stable").tolist())


@remembered(4)
def by_change(trace: Trace, layer: Layer) -> tuple[int, ...]:
    """Channels of a layer, first the one that changed most, by the mean size of it, since something was done to the
    input; nothing where nothing was done, or nobody measured it."""
    before = trace.studies.get(UNEDITED, {}).get(layer.name)
    if before is None or before.shape != layer.shape or not layer.output.ndim:
        return ()
    rows = (layer.output.astype(np.float64) - before).reshape(layer.shape[0], -1)
    return tuple(np.argsort(-_sizes(rows, MEAN), kind="stable").tolist())


def _sizes(rows: NDArray[Any], by: str) -> NDArray[np.float64]:
    """(row,): the mean size, or the largest; where some are infinite or none, of the largest that there are, and 0."""
    sizes = np.abs(rows if rows.dtype.kind == "f" else rows.astype(np.float64))
    found: NDArray[np.float64] = np.asarray(sizes.max(axis=1) if by == MAX else sizes.mean(axis=1, dtype=np.float64),
                                            np.float64)
    if np.isfinite(found).all():
        return found
    known = np.abs(np.nan_to_num(rows.astype(np.float64)))
    return np.where(np.isfinite(found), found, known.max(axis=1) if by == MAX else known.mean(axis=1))


def share_said(shown: int, total: int, by: str) -> str:
    """`16 of 2,048 shown, the largest mean size first`."""
    words = {FIRST: tr("{count} of {total} shown"),
             MEAN: tr("{count} of {total} shown, the largest mean size first"),
             MAX: tr("{count} of {total} shown, the largest value first"),
             GRADIENT: tr("{count} of {total} shown, the largest gradient first"),
             CHANGE: tr("{count} of {total} shown, what changed most first")}[by]
    return words.format(count=numbers.count(shown), total=numbers.count(total))
