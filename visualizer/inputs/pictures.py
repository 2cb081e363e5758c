"""Pictures of any size that a card names, grey or in colours: rows and columns, `shape` channel first.

A larger picture is cut to the square, or whatever proportions the model reads, in its middle and brought to its size;
what a bundled one should be answered stands beside it: `boxes` with what is in each, or a class for each pixel in a
tile of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from visualizer.inputs import CAMERA, THUMBNAILS, Facts, Given, Grain, InputKind, Item, Pixels
from visualizer.inputs.image import SUFFIXES
from visualizer.language import english
from visualizer.trace import Sample


def read(word: str, facts: Facts) -> Given:
    """An image file, cut to the proportions of the model and brought to its size; raises Refused with one sentence."""
    from visualizer.inputs import _digits  # brings Pillow, which the first paint does without

    path = Path(word)
    channels, rows, columns = _shape(facts)
    whole = _digits.colours(path, channels == 3)
    high, wide = whole.shape[:2]
    made = _digits.middle(whole, rows, columns)
    said = english("{file}, as it is") if (high, wide) == (rows, columns) else \
        english("{file}, its middle, {rows} × {columns}")
    if channels == 1 and _digits.is_light(made) and _on_black(facts):
        made, said = _digits.white_on_black(made), english("{file}, {rows} × {columns}, turned to white on black")
    return Given(Sample(word, said.format(file=path.name, rows=rows, columns=columns)), made)


def _on_black(facts: Facts) -> bool:
    """Whether the pictures that a model was shown are strokes on a black ground, as far as bundled ones tell."""
    from visualizer.inputs import _digits, all_samples, raw

    samples = all_samples("pictures", facts) if facts.get("samples") else ()
    shown = raw(samples[0].name) if samples else None
    return isinstance(shown, np.ndarray) and shown.ndim == 2 and not _digits.is_light(shown) and \
        float(np.median(shown)) == 0


def bundled(item: Item) -> Given:
    """A tile of the sheet; behind it, where the list says so, stands what should be answered for each pixel."""
    tile = item.tile
    truth: Any = tuple(str(item.about.get("caption", "")).split()) or None
    if item.about.get("boxes"):
        truth = np.array(item.about["boxes"], np.float64)
    if tile is not None and item.about.get("classes"):
        tile, beside = np.split(tile, 2, axis=1)
        truth = beside // int(item.about["classes"])
    return Given(Sample(item.name, str(item.about.get("title", item.in_words)), item.label), tile, truth=truth)


def thumbnail(raw: Any) -> Pixels | None:
    """The picture as it is."""
    return raw if isinstance(raw, np.ndarray) and raw.dtype == np.uint8 and raw.ndim in (2, 3) else None


def grain(facts: Facts) -> Grain:
    """Shades in rows and columns."""
    return Grain(("row", "column"), "row", english("row"), english("rows"), span=(0, 255))


def _shape(facts: Facts) -> tuple[int, int, int]:
    channels, rows, columns = facts.get("shape", (1, 28, 28))
    return int(channels), int(rows), int(columns)


INPUT = InputKind(
    "pictures", english("pictures"), english("a picture"), english("row"), SUFFIXES, read=read,
    bundled=bundled, whole=True, thumbnail=thumbnail, choosers=(THUMBNAILS, CAMERA), across=4, grain=grain,
    order=2)
