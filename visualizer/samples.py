"""What can be fed in: the bundled digits, an image file, a drawing. Numpy and Pillow only.

Every digit ends as MNIST made its own: white strokes on black, fitted into a box of 20 × 20 with its proportions kept,
and moved until its centre of mass is in the middle of 28 × 28.
"""

from __future__ import annotations

import json
import math
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from visualizer import registry
from visualizer.trace import Refused, Sample

Pixels = NDArray[np.uint8]
"""(28, 28): 0 background, 255 stroke."""

SIDE, BOX = 28, 20
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
"""Image formats that are read; all of them by Pillow itself, none through another program."""
MOST_BYTES = 64 << 20
MOST_PIXELS = 64_000_000
"""A file, or the picture in it, that is larger than this is refused before it is unpacked."""
FAINT = 0.15
"""In a photo, what is less than this share of the darkest ink above the paper counts as paper."""
CONTRAST = 16
"""Fewer grey levels than this between paper and ink is no drawing."""


def all_samples(kind: str | None = None) -> tuple[Sample, ...]:
    """Every bundled sample, or those of one kind: `image`, `strip`, `text`, `name`, `sentence`."""
    return tuple(sample for sheet in _sheets() if kind in (None, sheet.kind) for sample in sheet.samples)


def find(name: str) -> Sample:
    """The bundled sample of that name; raises LookupError with one sentence."""
    return _place(name)[0].samples[_place(name)[1]]


def raw(name: str) -> Pixels | str:
    """What a bundled sample is: pixels (rows, columns) uint8, or a text; raises LookupError with one sentence."""
    sheet, index = _place(name)
    return sheet.texts[index] if sheet.image is None else pixels(name)


def pixels(name: str) -> Pixels:
    """The picture of a bundled sample, (28, 28) uint8 for a digit; raises LookupError with one sentence."""
    sheet, index = _place(name)
    if sheet.image is None:
        raise LookupError(f"The sample {name!r} is a text and has no pixels; choose a picture, for example "
                          f"{all_samples('image')[0].name}.")
    height, width = sheet.tile
    row, column = index // sheet.columns * height, index % sheet.columns * width
    return sheet.image[row:row + height, column:column + width]


def from_image(path: str | Path) -> Pixels:
    """An image file of any size and colour depth as a digit, (28, 28) uint8; raises Refused with one sentence."""
    return open_image(path)[1]


def open_image(path: str | Path) -> tuple[Sample, Pixels]:
    """An image file as a digit, and a Sample whose title says what was done to it.

    A grey picture of 28 × 28 with white strokes on black is taken as it is. Anything else is made grey, turned to
    white on black if its border is brighter than its middle, freed of its paper, and fitted. Raises Refused.
    """
    path = Path(path)
    grey = _grey(_read(path), path)
    if grey.shape == (SIDE, SIDE) and not _is_dark_on_light(grey) and np.median(_border(grey)) == 0:
        return Sample(str(path), f"{path.name}, as it is"), _frozen(np.rint(grey))
    inverted = _is_dark_on_light(grey)
    ink = _without_paper(255 - grey if inverted else grey, path)
    done = "inverted and fitted" if inverted else "fitted"
    return Sample(str(path), f"{path.name}, {done} to {SIDE} × {SIDE}"), centre_digit(ink)


def centre_digit(grey: NDArray[Any]) -> Pixels:
    """A digit of any size, anywhere in (rows, columns), 0 background, as MNIST would hold it: (28, 28) uint8.

    As LeCun and others describe the making of MNIST (yann.lecun.com/exdb/mnist): size-normalised into 20 × 20 with its
    proportions kept, then centred by its centre of mass. Raises Refused if nothing is drawn.
    """
    ink = np.asarray(grey, dtype=np.float32)
    if ink.ndim != 2:
        raise ValueError(f"a drawing has rows and columns, not the shape {ink.shape}")
    if ink.size == 0 or not ink.max() > 0:
        raise Refused("The drawing is empty; draw a digit, then try again.")
    rows, columns = np.flatnonzero(ink.max(1) > 0), np.flatnonzero(ink.max(0) > 0)
    ink = ink[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1]
    ink = _fitted(ink)
    placed = np.zeros((SIDE, SIDE), dtype=np.float32)
    top, left = (_start(ink.sum(1 - axis), ink.shape[axis]) for axis in (0, 1))
    placed[top:top + ink.shape[0], left:left + ink.shape[1]] = ink
    return _frozen(np.rint(np.clip(placed, 0, 255)))


def _fitted(ink: NDArray[np.float32]) -> NDArray[np.float32]:
    """The longer side becomes 20: area averages when it shrinks, straight lines between pixels when it grows."""
    height, width = ink.shape
    scale = BOX / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if size == (width, height):
        return ink
    how = Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(ink).resize(size, how), dtype=np.float32)


def _start(mass: NDArray[np.float32], length: int) -> int:
    """First row (or column) of the fitted digit: in MNIST its centre of mass lies within pixel 14, counted from 0."""
    centre = float((mass * (np.arange(length) + 0.5)).sum() / mass.sum())
    return min(max(math.ceil(SIDE / 2 - centre), 0), SIDE - length)


# --- the bundled sheets ---------------------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class _Sheet:
    """A list of samples of one kind: of texts, or of the tiles of a picture, row by row."""

    kind: str
    samples: tuple[Sample, ...]
    texts: tuple[str, ...]
    image: Pixels | None = None
    tile: tuple[int, int] = (0, 0)
    columns: int = 0


@cache
def _sheets() -> tuple[_Sheet, ...]:
    return tuple(_sheet(path) for path in registry.files("assets", "samples/*.json"))


def _sheet(path: Path) -> _Sheet:
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        whole = _pixels_of(path.with_suffix(".png")) if "tile" in about else None
    except (OSError, ValueError) as error:
        raise Refused(f"The bundled samples {path.name} cannot be read ({error}); install Visualizer again.") from error
    found = about["samples"]
    return _Sheet(about["kind"], tuple(map(_sample, found)), tuple(item.get("text", "") for item in found), whole,
                  tuple(about.get("tile", (0, 0))), about.get("columns", 0))


def _sample(item: dict[str, Any]) -> Sample:
    """Its title is its name in words; a strip, whose label is a list, has its digits there."""
    name, label = item["name"], item.get("label")
    title = name if name == item.get("text") else name.replace("-", " ").capitalize()
    if isinstance(label, list):
        return Sample(name, f"{title}: {' '.join(map(str, label))}")
    return Sample(name, title, label)


def _pixels_of(path: Path) -> Pixels:
    with Image.open(path, formats=("PNG",)) as image:
        whole = np.array(image.convert("L"))
    whole.flags.writeable = False
    return whole


@cache
def _places() -> dict[str, tuple[_Sheet, int]]:
    return {sample.name: (sheet, index) for sheet in _sheets() for index, sample in enumerate(sheet.samples)}


def _place(name: str) -> tuple[_Sheet, int]:
    try:
        return _places()[name]
    except KeyError:
        raise LookupError(f"There is no sample {name!r}; `visualizer list samples` names them, for example "
                          f"{next(iter(_places()))}.") from None


# --- image files ----------------------------------------------------------------------------------------------------

def _read(path: Path) -> Image.Image:
    """The first picture of an image file, upright; every way in which it can be broken ends as Refused."""
    if not path.is_file():
        raise Refused(f"There is no file {path}; check the name.")
    if path.stat().st_size > MOST_BYTES:
        raise Refused(f"{path.name} is larger than {MOST_BYTES >> 20} MB; save the picture smaller.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=FORMATS) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise Refused(f"{path.name} unpacks to {image.width} × {image.height} pixels, which is too many; "
                                  "save the picture smaller.")
                image.load()
                return ImageOps.exif_transpose(image)
    except Image.DecompressionBombError:
        raise Refused(f"{path.name} unpacks to far too many pixels; save the picture smaller.") from None
    except UnidentifiedImageError:
        raise Refused(f"{path.name} is no image that can be read; save it as PNG or JPEG.") from None
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError) as error:
        raise Refused(f"{path.name} is damaged ({str(error).rstrip('.')}); save the picture again.") from error


def _grey(image: Image.Image, path: Path) -> NDArray[np.float32]:
    """(rows, columns), 0 black to 255 white; what is transparent becomes the opposite of what is drawn."""
    if image.width < 2 or image.height < 2:
        raise Refused(f"{path.name} is only {image.width} × {image.height} pixels; choose a picture of a digit.")
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _deep(np.asarray(image, dtype=np.float64), path)
    if image.has_transparency_data:
        layers = np.asarray(image.convert("RGBA"), dtype=np.float32)
        colour = np.asarray(image.convert("RGBA").convert("RGB").convert("L"), dtype=np.float32)
        opaque = layers[..., 3] / 255
        drawn = float((colour * opaque).sum() / opaque.sum()) if opaque.any() else 0.0
        return (colour * opaque + (0 if drawn > 127 else 255) * (1 - opaque)).astype(np.float32)
    return np.asarray(image.convert("L"), dtype=np.float32)


def _deep(values: NDArray[np.float64], path: Path) -> NDArray[np.float32]:
    """Sixteen bits a pixel as 0 to 255; other depths from their own smallest to their own largest value."""
    if not np.isfinite(values).all():
        raise Refused(f"{path.name} holds values that are no numbers; save the picture as 8-bit PNG.")
    low, high = (0.0, 65535.0) if values.min() >= 0 and 255 < values.max() <= 65535 else (values.min(), values.max())
    return ((values - low) * (255 / max(high - low, 1e-12))).astype(np.float32)


def _border(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    width = max(1, min(grey.shape) // 20)
    inner = np.zeros(grey.shape, dtype=bool)
    inner[width:-width, width:-width] = True
    return grey[~inner]


def _is_dark_on_light(grey: NDArray[np.float32]) -> bool:
    """Paper shows at the border: if that is brighter than the whole, the ink is darker than the paper."""
    return float(_border(grey).mean()) > float(grey.mean())


def _without_paper(bright: NDArray[np.float32], path: Path) -> NDArray[np.float32]:
    """The paper (the median of the border) becomes 0, the strongest ink 255, faint marks on the paper vanish."""
    ink = np.clip(bright - float(np.median(_border(bright))), 0, None)
    strongest = float(np.percentile(ink, 99.9))
    if strongest < CONTRAST:
        strongest = float(ink.max())
    if strongest < CONTRAST:
        raise Refused(f"{path.name} shows no strokes on its background; choose a picture of one digit.")
    ink = np.clip(ink * (255 / strongest), 0, 255)
    return np.where(ink < 255 * FAINT, 0, ink).astype(np.float32)


def _frozen(values: NDArray[Any]) -> Pixels:
    made: Pixels = values.astype(np.uint8)
    made.flags.writeable = False
    return made
