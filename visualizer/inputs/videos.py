"""Films: grey frames of one size, one after the other, (frame, row, column)."""

from __future__ import annotations

from typing import Any

import numpy as np

from visualizer.inputs import THUMBNAILS, Facts, Given, InputKind, Item, Pixels
from visualizer.language import english
from visualizer.trace import Sample


def bundled(item: Item) -> Given:
    """A tile of the sheet, its frames, as wide as high, side by side."""
    assert item.tile is not None
    rows, columns = item.tile.shape
    frames = np.stack(np.split(item.tile, columns // rows, axis=1))
    frames.flags.writeable = False
    return Given(Sample(item.name, str(item.about.get("title", item.in_words)), item.label), frames)


def thumbnail(raw: Any) -> Pixels | None:
    """All frames in one: of each pixel the brightest."""
    return raw.max(0) if isinstance(raw, np.ndarray) and raw.ndim == 3 and raw.dtype == np.uint8 else None


def steps(facts: Facts, raw: Any, frames: int) -> tuple[str, ...]:
    """`frame 1`."""
    return tuple(f"frame {number}" for number in range(1, len(raw) + 1))


INPUT = InputKind("video", english("films"), english("a film"), english("frame"), bundled=bundled, steps=steps,
                  thumbnail=thumbnail, choosers=(THUMBNAILS,), across=4, order=2)
