"""Strips of digits, 32 rows high and as long as they need to be."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.inputs import THUMBNAILS, Facts, Given, Grain, InputKind, Item, Row
from visualizer.inputs.image import SUFFIXES, thumbnail
from visualizer.language import english, tr
from visualizer.trace import Refused, Sample

MARK = "strip:"


def read(word: str, facts: Facts) -> Given:
    """An image file as a strip; raises Refused with one sentence."""
    from visualizer.inputs import _digits  # brings Pillow, which the first paint does without

    return Given(*_digits.open_strip(word))


def typed(words: str, facts: Facts) -> Given:
    """Digits, laid side by side from bundled ones."""
    from visualizer.inputs import _digits

    digits = _digits_of(words)
    return Given(Sample(f"{MARK}{words}", f"Strip of {' '.join(map(str, digits))}"), _digits.compose_strip(digits),
                 digits)


def row(found: Row, facts: Facts) -> Given:
    """The digits of a row, as if they were typed."""
    made = typed(" ".join(found.cells), facts)
    return Given(Sample(found.name, made.sample.title), made.raw, made.digits)


def drawn(pixels: NDArray[Any], name: str) -> Given:
    """A drawing, fitted to 32 rows; what is a strip already stays as it is."""
    from visualizer.inputs import _digits

    fits = pixels.ndim == 2 and len(pixels) == _digits.STRIP and pixels.shape[1] >= _digits.SIDE \
        and pixels.dtype == np.uint8
    return Given(Sample(name, english("Drawn by hand")), pixels if fits else _digits.fit_strip(pixels))


def bundled(item: Item) -> Given:
    """A tile of the sheet; its label is a list of digits, or of classes that are `spelled` otherwise."""
    digits = tuple(item.about.get("label", ()))
    spelled = item.about.get("spelled", " ".join(map(str, digits)))
    return Given(Sample(item.name, f"{item.in_words}: {spelled}"), item.tile, digits)


def _digits_of(words: str) -> tuple[int, ...]:
    if not re.fullmatch(r"[0-9 ,]*", words):
        raise Refused(tr("{words} is no row of digits; write for example {mark}4 0 7.").format(
            words=repr(words[:40]), mark=MARK))
    return tuple(int(digit) for digit in words if digit.isdecimal())


def grain(facts: Facts) -> Grain:
    """Grey values in rows and columns; so many columns are one frame, which is what is read at a time."""
    return Grain(("row", "column"), "column", english("frame"), english("frames"),
                 each=max(1, int(facts.get("columns_per_step", 1))), span=(0, 255))


INPUT = InputKind(
    "strip", english("strips of digits"), english("a strip of digits"), english("frame"), SUFFIXES, read=read,
    typed=typed, mark=MARK, drawn=drawn,
    row=row, bundled=bundled, thumbnail=thumbnail, choosers=(THUMBNAILS,), grain=grain,
    blank=english("black"))
