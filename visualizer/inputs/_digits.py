"""Pictures of digits and strips, from image files and drawings of any kind. Needs Pillow: imported when one is read.

Every digit ends as MNIST made its own: white strokes on black, fitted into a box of 20 × 20 with its proportions kept,
and moved until its centre of mass is in the middle of 28 × 28. A strip of digits is 32 rows high and as long as it
needs to be.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from visualizer import inputs
from visualizer.inputs._files import checked
from visualizer.language import numeral, tr
from visualizer.trace import Refused, Sample

Pixels = NDArray[np.uint8]
"""(row, column), 28 × 28 for a digit: 0 background, 255 stroke."""

SIDE, BOX = 28, 20
STRIP, LINE, MARGIN = 32, 23, 10
"""Rows of a strip; rows that a line of digits takes, since digits of 20 rows do not all stand equally high; columns
that are left free before and after it."""
COMPOSED = 160
"""Columns of a composed strip, or more where its digits need them."""
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
"""Image formats that are read; all of them by Pillow itself, none through another program."""
MOST_PIXELS = 64_000_000
"""A picture that is larger than this is refused before it is unpacked."""
MOST_UNPACKED = 256 << 20
"""Bytes that the pixels of a picture may take as they are read; then it is made smaller before anything else."""
ENOUGH = 4_000_000
"""Pixels of a picture that is looked at; of a larger one the means of squares of pixels."""
MOST_COLUMNS = 4_000
"""Columns of a strip."""
FAINT = 0.15
"""In a photo, what is less than this share of the darkest ink above the paper counts as paper."""
CONTRAST = 16
"""Fewer grey levels than this between paper and ink is no drawing."""


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
    ink = _cropped(grey)
    ink = _scaled(ink, BOX / max(ink.shape))
    placed = np.zeros((SIDE, SIDE), dtype=np.float32)
    top, left = (_start(ink.sum(1 - axis), ink.shape[axis]) for axis in (0, 1))
    placed[top:top + ink.shape[0], left:left + ink.shape[1]] = ink
    return _frozen(np.rint(np.clip(placed, 0, 255)))


def open_strip(path: str | Path) -> tuple[Sample, Pixels]:
    """An image file as a strip of digits, (32, columns) uint8, and a Sample whose title says what was done to it.

    A grey picture of 32 rows with white strokes on black is taken as it is. Anything else is treated as a digit is,
    except that the whole line becomes 23 rows high, however long that is. Raises Refused.
    """
    path = Path(path)
    grey = _grey(_read(path), path)
    if len(grey) == STRIP and SIDE <= grey.shape[1] <= MOST_COLUMNS and not _is_dark_on_light(grey) \
            and np.median(_border(grey)) == 0:
        return Sample(str(path), f"{path.name}, as it is"), _frozen(np.rint(grey))
    inverted = _is_dark_on_light(grey)
    strip = fit_strip(_without_paper(255 - grey if inverted else grey, path))
    done = "inverted and fitted" if inverted else "fitted"
    return Sample(str(path), f"{path.name}, {done} to {STRIP} × {strip.shape[1]}"), strip


def fit_strip(grey: NDArray[Any]) -> Pixels:
    """A line of digits of any size, anywhere in (rows, columns), 0 background, as a strip (32, columns) uint8.

    The line becomes 23 rows high and lies in the middle. Raises Refused if nothing is drawn, or if it would be too
    long.
    """
    ink = _cropped(grey)
    scale = LINE / len(ink)
    if ink.shape[1] * scale > MOST_COLUMNS - 2 * MARGIN:
        raise Refused(tr("What is written is {times} times as wide as high; give a shorter line.").format(
            times=f"{ink.shape[1] / len(ink):.0f}"))
    ink = _scaled(ink, scale)
    strip = np.zeros((STRIP, _whole_steps(max(ink.shape[1] + 2 * MARGIN, SIDE))), dtype=np.float32)
    top, left = (STRIP - len(ink)) // 2, (strip.shape[1] - ink.shape[1]) // 2
    strip[top:top + len(ink), left:left + ink.shape[1]] = ink
    return _frozen(np.rint(np.clip(strip, 0, 255)))


def compose_strip(digits: Sequence[int]) -> Pixels:
    """Bundled digits side by side on a strip, (32, columns) uint8: a digit that comes again is another sample of it.

    Each is cut to its inked columns, three columns apart; the line stands in the middle. Raises Refused if there is
    nothing to lay, or too much.
    """
    if not digits:
        raise Refused(tr("There is no digit to lay on the strip; write for example strip:4 0 7."))
    seen = [list(digits[:place]).count(digit) for place, digit in enumerate(digits)]
    cut = [_by_label(digit)[before % len(_by_label(digit))] for digit, before in zip(digits, seen, strict=True)]
    width = sum(image.shape[1] for image in cut) + 3 * (len(cut) - 1)
    columns = _whole_steps(max(COMPOSED, width + 2 * MARGIN))
    if columns > MOST_COLUMNS:
        raise Refused(tr("A strip of {count} digits would be {columns} columns long; write fewer.").format(
            count=len(cut), columns=numeral(f"{columns:,}")))
    strip = np.zeros((STRIP, columns), dtype=np.uint8)
    left = (columns - width) // 2
    for image in cut:
        strip[2:2 + SIDE, left:left + image.shape[1]] = image
        left += image.shape[1] + 3
    return _frozen(strip)


@cache
def _by_label(digit: int) -> tuple[Pixels, ...]:
    """The bundled pictures of a digit, each cut to its inked columns."""
    found = (inputs.raw(sample.name) for sample in inputs.all_samples("image") if sample.label == digit)
    inked = ((image, np.flatnonzero(image.any(axis=0))) for image in found)
    return tuple(image[:, columns[0]:columns[-1] + 1] for image, columns in inked)


def _whole_steps(columns: int) -> int:
    """So many columns that none is left over where four make one step."""
    return -(-columns // 4) * 4


def _cropped(grey: NDArray[Any]) -> NDArray[np.float32]:
    """Only the rows and columns from the first to the last with ink."""
    ink = np.asarray(grey, dtype=np.float32)
    if ink.ndim != 2:
        raise ValueError(f"a drawing has rows and columns, not the shape {ink.shape}")
    if ink.size == 0 or not ink.max() > 0:
        raise Refused(tr("The drawing is empty; draw a digit, then try again."))
    rows, columns = np.flatnonzero(ink.max(1) > 0), np.flatnonzero(ink.max(0) > 0)
    return ink[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1]


def _scaled(ink: NDArray[np.float32], scale: float) -> NDArray[np.float32]:
    """Area averages when it shrinks, straight lines between pixels when it grows."""
    height, width = ink.shape
    size = max(1, round(width * scale)), max(1, round(height * scale))
    if size == (width, height):
        return ink
    how = Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
    return np.asarray(Image.fromarray(ink).resize(size, how), dtype=np.float32)


def _start(mass: NDArray[np.float32], length: int) -> int:
    """First row (or column) of the fitted digit: in MNIST its centre of mass lies within pixel 14, counted from 0."""
    centre = float((mass * (np.arange(length) + 0.5)).sum() / mass.sum())
    return min(max(math.ceil(SIDE / 2 - centre), 0), SIDE - length)


# --- image files ----------------------------------------------------------------------------------------------------

def _read(path: Path, number: int = 0) -> Image.Image:
    """A picture of an image file, upright; every way in which it can be broken ends as Refused."""
    checked(path, tr("save the picture smaller"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(path, formats=FORMATS) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise Refused(tr("{file} unpacks to {width} × {height} pixels, which is too many; save the picture "
                                     "smaller.").format(file=path.name, width=image.width, height=image.height))
                twice = 2 if image.format in ("WEBP", "TIFF") else 1  # these are unpacked elsewhere first
                if image.width * image.height * _bytes_of(image) * twice > MOST_UNPACKED:
                    raise Refused(tr("{file} unpacks to more than {most} MB; save the picture smaller.").format(
                        file=path.name, most=MOST_UNPACKED >> 20))
                if number:
                    image.seek(number)
                image.draft("RGB", (2000, 2000))  # where the format can give a smaller picture by itself
                image.load()
                return ImageOps.exif_transpose(_smaller(image))
    except Image.DecompressionBombError:
        raise Refused(tr("{file} unpacks to far too many pixels; save the picture smaller.").format(
            file=path.name)) from None
    except UnidentifiedImageError:
        raise Refused(tr("{file} is no image that can be read; save it as PNG or JPEG.").format(
            file=path.name)) from None
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError) as error:
        raise Refused(tr("{file} is damaged ({why}); save the picture again.").format(
            file=path.name, why=str(error).rstrip("."))) from error


def colours(path: Path, coloured: bool) -> Pixels:
    """An image file as it is: (row, column, channel), red, green, blue on white; or grey, (row, column). Raises
    Refused."""
    image = _read(path)
    if image.width < 2 or image.height < 2:
        raise Refused(tr("{file} is only {width} × {height} pixels; choose a larger picture.").format(
            file=path.name, width=image.width, height=image.height))
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        grey = np.rint(_deep(np.asarray(image, dtype=np.float64), path))
        return _frozen(np.repeat(grey[..., None], 3, 2) if coloured else grey)
    if image.has_transparency_data:
        paper = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(paper, image.convert("RGBA"))
    return _frozen(np.asarray(image.convert("RGB" if coloured else "L"), dtype=np.float32))


def resized(pixels: Pixels, height: int, width: int) -> NDArray[np.float32]:
    """The same picture stretched to a size: means of what falls together, straight lines between pixels."""
    if pixels.shape[:2] == (height, width):
        return pixels.astype(np.float32)
    image = Image.fromarray(pixels)
    smaller = height * width < pixels.shape[0] * pixels.shape[1]
    how = Image.Resampling.BOX if smaller else Image.Resampling.BILINEAR
    return np.asarray(image.resize((width, height), how), dtype=np.float32)


def middle(pixels: Pixels, rows: int, columns: int) -> Pixels:
    """A picture cut to the proportions of so many rows and columns, in its middle, and brought to that size."""
    high, wide = pixels.shape[:2]
    seen_high, seen_wide = (high, round(high * columns / rows)) if high * columns <= wide * rows else \
        (round(wide * rows / columns), wide)
    top, left = (high - seen_high) // 2, (wide - seen_wide) // 2
    part = np.ascontiguousarray(pixels[top:top + seen_high, left:left + seen_wide])
    return _frozen(np.rint(resized(part, rows, columns)))


def frames_in(path: Path) -> int:
    """How many pictures an image file holds, one after the other; raises Refused."""
    _read(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(path, formats=FORMATS) as image:
            return int(getattr(image, "n_frames", 1))


def frame(path: Path, number: int) -> Pixels:
    """One of the pictures of an image file in grey, (row, column); raises Refused."""
    image = _read(path, number)
    if image.has_transparency_data:
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA"))
    return _frozen(np.asarray(image.convert("L"), dtype=np.float32))


def _bytes_of(image: Image.Image) -> int:
    """Bytes that a pixel takes in memory while it is made smaller: what is transparent is kept twice then."""
    return 1 if image.mode in ("1", "L") else 8 if image.has_transparency_data else 4


def _smaller(image: Image.Image) -> Image.Image:
    """A picture of no more than `ENOUGH` pixels: each is the mean of a square of those it had."""
    factor = math.ceil(math.sqrt(image.width * image.height / ENOUGH))
    if factor == 1:
        return image.copy()
    if image.mode in ("P", "PA", "LA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    elif image.mode == "1":
        image = image.convert("L")
    elif image.mode.startswith("I"):
        image = image.convert("F")  # these are whole numbers that a float holds exactly
    return image.reduce(factor)


def _grey(image: Image.Image, path: Path) -> NDArray[np.float32]:
    """(rows, columns), 0 black to 255 white; what is transparent becomes the opposite of what is drawn."""
    if image.width < 2 or image.height < 2:
        raise Refused(tr("{file} is only {width} × {height} pixels; choose a picture of a digit.").format(
            file=path.name, width=image.width, height=image.height))
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
        raise Refused(tr("{file} holds values that are no numbers; save the picture as 8-bit PNG.").format(
            file=path.name))
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
        raise Refused(tr("{file} shows no strokes on its background; choose a picture of one digit.").format(
            file=path.name))
    ink = np.clip(ink * (255 / strongest), 0, 255)
    return np.where(ink < 255 * FAINT, 0, ink).astype(np.float32)


def is_light(grey: Pixels) -> bool:
    """Whether what shows at the border is paper rather than a dark ground."""
    return float(np.median(_border(grey.astype(np.float32)))) > 127


def white_on_black(grey: Pixels) -> Pixels:
    """Strokes on light paper as white ones on black, of any size; of an empty page nothing is left."""
    bright = 255 - grey.astype(np.float32)
    ink = np.clip(bright - float(np.median(_border(bright))), 0, None)
    return _frozen(np.rint(ink * (255 / float(ink.max()))) if ink.max() >= CONTRAST else np.zeros_like(ink))


def _frozen(values: NDArray[Any]) -> Pixels:
    made: Pixels = values.astype(np.uint8)
    made.flags.writeable = False
    return made
