"""Arrays of numbers of a shape that a model names: files of numbers, the model's own example, and where the shape is
that of a picture, image files and bundled digits brought to its size."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from visualizer import inputs
from visualizer.inputs import OF_NUMBERS, Facts, Given, InputKind, Offer, Pixels, Settled
from visualizer.inputs._exported import example
from visualizer.inputs._files import numbers_in
from visualizer.inputs._samples import places
from visualizer.inputs.image import SUFFIXES
from visualizer.language import english, tr, translated
from visualizer.manifest import Input
from visualizer.trace import Array, Refused, Sample

EXAMPLE, WAVE = "example", "wave"
MARK = "shape:"
SHAPED = re.compile(rf"{MARK}([0-9]+(?:,[0-9]+)*)(?:;\s*|$)")
CHANNELS = (1, 3, 4)
STEPS = 16
"""Numbers along an axis that may have any, and of which the file says nothing."""
MOST_WAVE = 1 << 24
NUMPY = {"bfloat16": "float32", "half": "float16", "float": "float32", "double": "float64", "long": "int64",
         "chalf": "complex64", "complex32": "complex64"}
"""What numpy calls numbers of torch, where it calls them otherwise."""
LEAST_SIDE, MOST_SIDE = 8, 4096
"""Of a picture, where nothing else says how large it has to be."""


def given(word: str, title: str, facts: Facts) -> Given:
    """A file of numbers or an image, a bundled digit, or `example`: what the file of the model brings along.
    `shape:3,64,64; cat.png` says how large, for a model that takes several sizes. Raises Refused or LookupError with
    one sentence."""
    sizes, rest = asked(word, facts)
    name = rest or (EXAMPLE if facts.get("example") else _first_digit(sizes) or WAVE)
    suffix = inputs.suffix_of(name)
    if name == WAVE:
        array, told = _wave(sizes, facts), english("a wave made up for a first look: its file brings no numbers along")
        if isinstance(facts.get("fill"), int):
            array, told = np.full_like(array, facts["fill"]), english("{number}, which its name asks for").format(
                number=facts["fill"])
    elif name == EXAMPLE:
        array, told = _own(facts, title), english("the example in the file of the model")
        array = array[:sizes[0]] if sizes and not facts.get("batch") else array
    elif suffix in OF_NUMBERS:
        array, told = numbers_in(Path(name)), Path(name).name
    else:
        array, told = _picture(name, suffix, sizes, title)
    array = _fitting(array, sizes, title, facts)
    return Given(Sample(word or name, told), array)


def typed(words: str, facts: Facts) -> Given:
    """`3,64,64; cat.png`."""
    return given(f"{MARK}{words}", tr("This model"), facts)


def asked(word: str, facts: Facts) -> tuple[list[int | None], str]:
    """The shape, without the axis of the samples, and the word behind it."""
    sizes = [size if isinstance(size, int) else None for size in facts.get("shape", ())]
    match = SHAPED.match(word)
    if match is None:
        return sizes, word.strip()
    wanted = [int(size) for size in match[1].split(",")]
    wanted = wanted[1:] if len(wanted) == len(sizes) + 1 and wanted[0] == 1 else wanted
    if len(wanted) != len(sizes) or any(own not in (None, size) for own, size in zip(sizes, wanted, strict=True)):
        raise Refused(tr("This model reads {shape} numbers, and {asked} were asked for; write a shape that fits."
                         ).format(shape=said(sizes), asked=said(wanted)))
    return [*wanted], word[match.end():].strip()


def said(sizes: Any) -> str:
    return " × ".join(tr("any") if size is None else str(size) for size in sizes) or "1"


def _own(facts: Facts, title: str) -> Array:
    kept = facts.get("example")
    found = example(*kept) if isinstance(kept, list | tuple) and len(kept) == 5 else None
    if found is None:
        raise Refused(tr("The file of {model} brings no example along; give numbers as --input FILE.npy.").format(
            model=title))
    return found[:1] if facts.get("batch") else found


def _wave(sizes: Any, facts: Facts) -> Array:
    """sin(i) of the numbers counted through, i = 1, 2, …: of no meaning, and always the same. Of whole numbers only 0
    and 1, which stand for something in every vocabulary."""
    usual = [size if isinstance(size, int) else None for size in facts.get("usual", ())]
    usual = usual if len(usual) == len(sizes) else [None] * len(sizes)
    shape = [own or other or STEPS for own, other in zip(sizes, usual, strict=True)]
    if np.prod(shape, dtype=float) > MOST_WAVE:
        raise Refused(tr("{shape} numbers are too many to be made up; give them as --input FILE.npy.").format(
            shape=said(shape)))
    wave = np.sin(np.arange(1, int(np.prod(shape)) + 1, dtype=np.float64)).reshape(shape)
    whole = np.dtype(NUMPY.get(str(facts.get("numbers")), str(facts.get("numbers", "float32"))))
    return wave.astype(whole) if whole.kind in "fc" else (wave > 0).astype(whole)


def _is_picture(sizes: Any) -> bool:
    return len(sizes) == 3 and sizes[0] in CHANNELS and all(
        size is None or LEAST_SIDE <= size <= MOST_SIDE for size in sizes[1:])


def _first_digit(sizes: Any) -> str:
    return next(iter(inputs.all_samples("image"))).name if _is_picture(sizes) else ""


def _picture(name: str, suffix: str, sizes: Any, title: str) -> tuple[Array, str]:
    """An image file or a bundled digit, brought to the size, its values 0 … 1."""
    from visualizer.inputs import _digits

    found = places().get(name)
    if not _is_picture(sizes) or (suffix not in SUFFIXES and (found is None or found.kind != "image")):
        raise Refused(tr("{model} reads {shape} numbers, and {another}; give them as --input FILE.npy.").format(
            model=title, shape=said(sizes), another=another(name)))
    if found is not None:
        told, whole = inputs.sample(name).title, inputs.raw(name)
    else:
        told, whole = Path(name).name, _digits.colours(Path(name), sizes[0] != 1)
    height, width = (own if size is None else size for size, own in zip(sizes[1:], whole.shape, strict=False))
    if max(height, width) > MOST_SIDE:
        raise Refused(tr("{word} is larger than {most} × {most}; say a size, as --shape {channels},64,64.").format(
            word=told, most=MOST_SIDE, channels=sizes[0]))
    scaled = _digits.resized(whole, int(height), int(width)) / np.float32(255)
    maps = scaled[None] if scaled.ndim == 2 else scaled.transpose(2, 0, 1)
    maps = np.repeat(maps, sizes[0], 0)[:sizes[0]] if len(maps) == 1 else maps
    if sizes[0] == 4:
        maps = np.concatenate([maps[:3], np.ones_like(maps[:1])])
    return maps.astype(np.float32), english("{what}, {height} × {width}, values 0 … 1").format(
        what=told, height=int(height), width=int(width))


def another(word: str) -> str:
    """What a word is that is no array."""
    marked = next((each for each in inputs.kinds() if each.mark not in ("", MARK) and word.startswith(each.mark)), None)
    return tr("{word} is none").format(word=repr(Path(word).name[:40])) if marked is None else \
        tr("that is {one}").format(one=translated(marked.one))


def _fitting(array: Array, sizes: Any, title: str, facts: Facts) -> Array:
    """Without the axis of the samples; Refused if it is of another shape."""
    if facts.get("batch") and array.ndim == len(sizes) + 1 and len(array) == 1:
        array = array[0]
    if array.ndim != len(sizes) or any(own not in (None, size) for own, size in zip(sizes, array.shape, strict=True)):
        raise Refused(tr("{model} reads {shape} numbers, and these are {given}; give an array of that shape.").format(
            model=title, shape=said(sizes), given=said(array.shape)))
    return array


def thumbnail(raw: Any) -> Pixels | None:
    """A picture in grey, from its smallest value to its largest."""
    if not isinstance(raw, np.ndarray) or raw.ndim != 3 or raw.dtype.kind != "f" or len(raw) not in CHANNELS:
        return None
    grey = raw.mean(0)
    low, high = float(np.nanmin(grey)), float(np.nanmax(grey))
    if not np.isfinite(high - low):
        return None
    found: Pixels = np.rint((grey - low) * (255 / max(high - low, 1e-12))).astype(np.uint8)
    return found


def settled(offer: Offer, told: Input, preset: Input) -> Settled:
    """Whole numbers may stand for symbols."""
    symbols = offer.dtype in ("int64", "int32") and bool(offer.sizes) and offer.alone
    return Settled(told, ("alphabet",) if symbols and not told.kind else ())


def of_numbers(offer: Offer, said: Input) -> dict[str, Any]:
    """What an array of it is made of, for who makes one up."""
    return {"usual": [*offer.usual], "numbers": offer.dtype, "batch": offer.batched}


INPUT = InputKind(
    "tensor", english("arrays of numbers"), english("an array of numbers"), english("step"),
    (*OF_NUMBERS[:1], *SUFFIXES), given=given, typed=typed, mark=MARK, whole=True, thumbnail=thumbnail, sign="[]",
    order=8,
    suits=lambda offer, told: True, settled=settled, facts=of_numbers)
