"""Pictures of any size, in colour or grey, brought to the size that a model reads; arrays, which are taken as they are.

The card says `shape` as the model takes it, `layout` where its channels stand last, `fit` how a picture of another
shape is brought to this one, `crop` and `resample` as the makers of the model did that.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from visualizer import inputs
from visualizer.inputs import CAMERA, THUMBNAILS, Facts, Given, Grain, InputKind, Item, Offer, Pixels, _offers, tensor
from visualizer.inputs._offers import LEAST_SIDE, MOST_SIDE
from visualizer.inputs._samples import places
from visualizer.inputs.image import SUFFIXES
from visualizer.language import english, tr
from visualizer.manifest import Input
from visualizer.trace import Refused, Sample

USUAL = 224
"""The longer side of a picture for a model that takes any size, and does not say which one it was made with."""
SMALL = 56
"""Pixels of a thumbnail's longer side."""


def given(word: str, title: str, facts: Facts) -> Given:
    """An image file, a bundled picture or digit, fitted; or an array of numbers as the model takes it. `shape:3,64,64;
    cat.png` says how large, for a model that takes several sizes. Raises Refused or LookupError with one sentence."""
    asked, rest = tensor.asked(word, facts)
    name = rest or str(facts.get("first", "")) or first()
    suffix, found = inputs.suffix_of(name), places().get(name)
    if name == tensor.EXAMPLE or suffix in tensor.INPUT.suffixes[:1]:
        made = tensor.given(word or name, title, facts)
        return _of_pixels(made, asked, facts) if made.raw.dtype == np.uint8 else made
    if suffix not in SUFFIXES and (found is None or found.kind not in ("image", INPUT.name)):
        raise Refused(tr("{model} reads {shape} numbers, and {another}; give it a picture, or numbers as --input "
                         "FILE.npy.").format(model=title, shape=tensor.said(asked), another=tensor.another(name)))
    if found is None:
        from visualizer.inputs import _digits

        told, label, whole = Path(name).name, None, _digits.colours(Path(name), True)
    else:
        own = inputs.sample(name)
        told, label, whole = own.title or name, own.label, inputs.raw(name)
    pixels = fitted(whole, asked, facts, told)
    return Given(Sample(word or name, english("{what}, {height} × {width}").format(
        what=told, height=pixels.shape[0], width=pixels.shape[1]), label), pixels)


def first() -> str:
    """The name of the first bundled picture."""
    return next(iter(inputs.all_samples(INPUT.name))).name


def fitted(whole: Pixels, sizes: Any, facts: Facts, told: str = "") -> Pixels:
    """A picture (row, column) or (row, column, colour) as one of the size that is read: (row, column) if that has one
    channel, else (row, column, red green blue). Cropped from its middle, squeezed, or with black on both sides."""
    from PIL import Image

    channels, rows, columns = _by_channel(sizes, facts)
    image = Image.fromarray(whole).convert("L" if channels == 1 else "RGB")
    rows, columns = _size(rows, columns, image.size, facts)
    if max(rows, columns) > MOST_SIDE:
        raise Refused(tr("{word} is larger than {most} × {most}; say a size, as --shape {channels},64,64.").format(
            word=told, most=MOST_SIDE, channels=channels))
    how = {"bicubic": Image.Resampling.BICUBIC, "nearest": Image.Resampling.NEAREST,
           "lanczos": Image.Resampling.LANCZOS}.get(str(facts.get("resample", "")), Image.Resampling.BILINEAR)
    fit = facts.get("fit", "crop")
    if fit == "squeeze" or image.size == (columns, rows):
        image = image.resize((columns, rows), how)
    else:
        ways = rows / image.height, columns / image.width
        share = float(facts.get("crop") or 1) if fit == "crop" else 1.0
        scale = min(ways) if fit == "pad" else max(ways) / share
        width, height = (max(1, round(side * scale)) for side in image.size)
        if max(width, height) > 4 * MOST_SIDE:
            raise Refused(tr("{word} is {times} times as long as wide; choose another, or let it be squeezed.").format(
                word=told, times=round(max(width, height) / min(width, height))))
        image = image.resize((width, height), how)
        left, top = round((width - columns) / 2), round((height - rows) / 2)
        image = image.crop((left, top, left + columns, top + rows))  # what lies outside is black
    made: Pixels = np.array(image)
    made.flags.writeable = False
    return made


def _of_pixels(made: Given, sizes: Any, facts: Facts) -> Given:
    """An array of bytes is a picture: colours last, without an axis for one channel."""
    raw = made.raw
    raw = raw.transpose(1, 2, 0) if facts.get("layout") != "channels last" else raw
    raw = np.ascontiguousarray(raw[..., 0] if raw.shape[-1] == 1 else raw[..., :3])
    raw.flags.writeable = False
    return Given(made.sample, raw)


def _by_channel(sizes: Any, facts: Facts) -> tuple[int, int | None, int | None]:
    """Channels, rows, columns."""
    one, two, three = sizes
    channels, rows, columns = (three, one, two) if facts.get("layout") == "channels last" else (one, two, three)
    return int(channels or 3), rows, columns


def _size(rows: int | None, columns: int | None, own: tuple[int, int], facts: Facts) -> tuple[int, int]:
    """Where a size is free: that of the picture, made smaller where it is large; or the one that fits, where not every
    size does."""
    width, height = own
    firm = facts.get("firm", ())
    if len(firm) == 3:
        _, its_rows, its_columns = _by_channel(firm, facts)
        rows, columns = rows or its_rows, columns or its_columns
    shrink = min(1.0, USUAL / max(own))
    return (rows or max(LEAST_SIDE, round(height * shrink)), columns or max(LEAST_SIDE, round(width * shrink)))


def bundled(item: Item) -> Given:
    """A picture beside the list, (row, column, colour)."""
    from visualizer.inputs import _digits

    return Given(Sample(item.name, item.in_words, item.label),
                 _digits.colours(item.folder / str(item.about["file"]), True))


def thumbnail(raw: Any) -> Pixels | None:
    """The picture, small; of numbers, from their smallest to their largest."""
    if not isinstance(raw, np.ndarray) or raw.dtype != np.uint8 or raw.ndim not in (2, 3):
        return tensor.thumbnail(raw)
    from PIL import Image

    image = Image.fromarray(raw)
    image.thumbnail((SMALL, SMALL))
    found: Pixels = np.array(image)
    return found


def grain(facts: Facts) -> Grain:
    """Values in rows and columns, 0 where it is black; of a coloured picture three at each."""
    channels = _by_channel(tuple(facts.get("shape", ())) if len(facts.get("shape", ())) == 3 else (3, None, None),
                           facts)[0]
    return Grain(("row", "column") if channels == 1 else ("row", "column", "colour"), "row", english("row"),
                 english("rows"), span=(0, 255))


def suits(offer: Offer, told: Input) -> bool:
    """Whether it is a picture: three axes, of which one has a channel for grey or three for colours."""
    return _offers.is_picture(offer.sizes, _offers.layout_of(offer, told) == "channels last") and \
        (offer.floats or offer.dtype == "uint8")


def facts_of(offer: Offer, said: Input) -> dict[str, Any]:
    """How large it is made, and how."""
    return {**tensor.of_numbers(offer, said), **_offers.facts_of_picture(offer, said)}


INPUT = InputKind(
    "photo", english("photographs"), english("a picture of any size"), english("row"),
    (*tensor.INPUT.suffixes[:1], *SUFFIXES), given=given, bundled=bundled, whole=True, thumbnail=thumbnail,
    choosers=(THUMBNAILS, CAMERA), across=4, source=lambda: tr("drawn for this app"), grain=grain, order=7,
    called="image", suits=suits, settled=_offers.of_picture, facts=facts_of, fed=_offers.fed_picture)
