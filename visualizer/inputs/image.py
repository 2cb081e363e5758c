"""Pictures of one digit, 28 × 28, white strokes on black."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from visualizer import titles
from visualizer.inputs import PAD, THUMBNAILS, Facts, Given, Grain, InputKind, Item, Offer, Pixels, Row, _offers
from visualizer.language import english, numeral, tr
from visualizer.manifest import Input
from visualizer.trace import Refused, Sample

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")


def read(word: str, facts: Facts) -> Given:
    """An image file of any size and colour depth as a digit; raises Refused with one sentence."""
    from visualizer.inputs import _digits  # brings Pillow, which the first paint does without

    return Given(*_digits.open_image(word))


def row(found: Row, facts: Facts) -> Given:
    """784 grey values, row by row, 0 … 255 or 0 … 1, with a label before them or in a column of its own."""
    from visualizer.inputs import _digits

    values = found.numbers(_digits.SIDE ** 2)
    if len(values) != _digits.SIDE ** 2:
        raise Refused(tr("{row} has {count} numbers, and a picture has {side} × {side}.").format(
            row=titles.told(found.title), count=numeral(f"{len(values):,}"), side=_digits.SIDE))
    grey = values * (255 if values.max() <= 1 else 1)
    if not 0 <= grey.min() <= grey.max() <= 255:
        raise Refused(tr("{row} has grey values that are not between 0 and 255.").format(row=titles.told(found.title)))
    pixels = np.rint(grey).astype(np.uint8).reshape(_digits.SIDE, _digits.SIDE)
    pixels.flags.writeable = False
    return Given(Sample(found.name, found.title, found.label(_digits.SIDE ** 2)), pixels)


def drawn(pixels: NDArray[Any], name: str) -> Given:
    """A drawing, fitted as MNIST fitted its digits; what is a digit already stays as it is."""
    from visualizer.inputs import _digits

    fits = pixels.shape == (_digits.SIDE, _digits.SIDE) and pixels.dtype == np.uint8
    return Given(Sample(name, english("Drawn by hand")), pixels if fits else _digits.centre_digit(pixels))


def bundled(item: Item) -> Given:
    """A tile of the sheet."""
    return Given(Sample(item.name, item.in_words, item.label), item.tile)


def thumbnail(raw: Any) -> Pixels | None:
    """The picture itself."""
    return raw if isinstance(raw, np.ndarray) and raw.ndim == 2 and raw.dtype == np.uint8 else None


def steps(facts: Facts, raw: Any, frames: int) -> tuple[str, ...]:
    """`row 3` of a picture that is read row by row, and the blank ones below it."""
    if facts.get("reads") == "rows":
        return (*(f"row {row}" for row in range(len(raw))), *("blank",) * int(facts.get("blank", 0)))
    return tuple(str(frame) for frame in range(1, frames + 1))


def held_out(folder: Path) -> Sequence[Given]:
    """The 10,000 test digits of MNIST; `mnist.npz` holds them, in the folder or in its `mnist`."""
    path = next((path for path in (folder / "mnist" / "mnist.npz", folder / "mnist.npz") if path.is_file()), None)
    if path is None:
        return ()
    try:
        with np.load(path, allow_pickle=False) as arrays:
            images, labels = arrays["x_test"], arrays["y_test"]
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise Refused(tr("{file} cannot be read ({why}); save it again.").format(file=path.name, why=error)) from error
    return [Given(Sample(f"mnist-test-{number}", f"Test digit {number}", int(label)), pixels)
            for number, (pixels, label) in enumerate(zip(images, labels, strict=True))]


def grain(facts: Facts) -> Grain:
    """Grey values in rows and columns, 0 where nothing is written; what is read at a time is a row."""
    return Grain(("row", "column"), "row", english("row"), english("rows"), span=(0, 255))


def suits(offer: Offer, told: Input) -> bool:
    """Whether it is as large as one; a row of 784 numbers where a person says so."""
    digit = offer.sizes == (1, 28, 28) and offer.batched and told.layout in ("", "channels first")
    flat = bool(told.kind) and None not in offer.sizes and prod(size or 1 for size in offer.sizes) == 28 * 28 and \
        len(offer.sizes) < 3
    return offer.floats and (digit or flat)


INPUT = InputKind(
    "image", english("pictures of one digit"), english("a picture"), english("row"), SUFFIXES, read=read, drawn=drawn,
    row=row, bundled=bundled,
    whole=True, steps=steps, thumbnail=thumbnail, choosers=(THUMBNAILS, PAD), across=4, sheet=(112, 112),
    source=lambda: tr("MNIST test set"), held_out=held_out, grain=grain, order=0, blank=english("black"),
    suits=suits, settled=lambda offer, told, preset: _offers.of_picture(offer, told, preset, ("fit", "colours")),
    facts=_offers.facts_of_picture, fed=_offers.fed_picture)
