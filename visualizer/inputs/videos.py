"""Films: grey frames of one size, one after the other, (frame, row, column)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from visualizer.inputs import THUMBNAILS, Facts, Given, InputKind, Item, Pixels
from visualizer.inputs._files import numbers_in
from visualizer.language import english, tr
from visualizer.trace import Refused, Sample

SUFFIXES = (".npy",)


def read(word: str, facts: Facts) -> Given:
    """An array of grey values (frame, row, column), 0 to 255; raises Refused with one sentence."""
    path = Path(word)
    found = numbers_in(path)
    rows, columns = tuple(facts.get("shape", ()))[-2:] or found.shape[-2:]
    if found.ndim != 3 or found.shape[1:] != (rows, columns) or not (0 <= found.min() <= found.max() <= 255):
        raise Refused(tr("{file} is no film for this model; give an array of frames of {rows} × {columns}, grey values "
                         "from 0 to 255.").format(file=path.name, rows=rows, columns=columns))
    frames = np.rint(found).astype(np.uint8)
    frames.flags.writeable = False
    return Given(Sample(word, tr("{file}, {count} frames").format(file=path.name, count=len(frames))), frames)


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


INPUT = InputKind("video", english("films"), english("a film"), english("frame"), SUFFIXES, read=read, bundled=bundled,
                  steps=steps, thumbnail=thumbnail, choosers=(THUMBNAILS,), across=4, order=2)
