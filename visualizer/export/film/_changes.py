"""What changes from frame to frame: all that GIF, APNG and WebP keep of a film after its first frame."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from visualizer.export.film import Pixels


@dataclass(frozen=True, eq=False)
class Change:
    """A rectangle that is drawn over the frame before, and for how many frames it then stands."""

    left: int
    top: int
    pixels: Pixels
    """0, which is clear, where nothing changes: long stretches of it, which pack well."""
    frames: int


def changes(frames: Iterator[Pixels], grid: int = 1) -> Iterator[Change]:
    """The first frame whole, then of each one only the rectangle in which it differs; frames that are alike are one.

    `grid`: the left and the top edge are multiples of it.
    """
    shown = next(frames)
    change = Change(0, 0, shown, 1)
    for frame in frames:
        found = None if frame is shown else _change(shown, frame, grid)
        if found is None:
            change = replace(change, frames=change.frames + 1)
        else:
            yield change
            shown, change = frame, found
    yield change


def _change(one: Pixels, other: Pixels, grid: int) -> Change | None:
    """What turns one frame into the other; None if they are the same."""
    differs = one != other
    rows = np.flatnonzero(differs.any(axis=1))
    if not rows.size:
        return None
    top, bottom = int(rows[0]) // grid * grid, int(rows[-1]) + 1
    columns = np.flatnonzero(differs[top:bottom].any(axis=0))
    left, right = int(columns[0]) // grid * grid, int(columns[-1]) + 1
    return Change(left, top, other[top:bottom, left:right] * differs[top:bottom, left:right], 1)


def rgba(pixels: Pixels) -> NDArray[np.uint8]:
    """(rows, columns, 4): red, green, blue, opacity, as bytes."""
    turned = (pixels << 8 | pixels >> 24).astype(">u4")
    return turned.view(np.uint8).reshape(*pixels.shape, 4)
