"""What can be fed in: bundled samples, typed text, image files, drawings, tables of numbers. Numpy and Pillow only.

`given` finds out what a word means to a model: one of its samples, a file, or a text. Every digit ends as MNIST made
its own: white strokes on black, fitted into a box of 20 × 20 with its proportions kept, and moved until its centre of
mass is in the middle of 28 × 28. A strip of digits is 32 rows high and as long as it needs to be.
"""

from __future__ import annotations

import csv
import json
import math
import re
import warnings
from collections.abc import Sequence
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
"""(rows, columns), 28 × 28 for a digit: 0 background, 255 stroke."""
Numbers = NDArray[np.float64]
"""(step, feature)."""

SIDE, BOX = 28, 20
STRIP, LINE, MARGIN = 32, 23, 10
"""Rows of a strip; rows that a line of digits takes, since digits of 20 rows do not all stand equally high; columns
that are left free before and after it."""
COMPOSED = 160
"""Columns of a composed strip, or more where its digits need them."""
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP", "TIFF", "PPM")
"""Image formats that are read; all of them by Pillow itself, none through another program."""
IMAGES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm", ".pgm")
TABLES = (".csv", ".tsv")
MOST_BYTES = 64 << 20
MOST_PIXELS = 64_000_000
"""A file, or the picture in it, that is larger than this is refused before it is unpacked."""
MOST_SYMBOLS = 10_000
"""Characters of a text, rows of a table: one recording of more steps would take minutes and gigabytes."""
MOST_COLUMNS = 4_000
"""Columns of a strip."""
FAINT = 0.15
"""In a photo, what is less than this share of the darkest ink above the paper counts as paper."""
CONTRAST = 16
"""Fewer grey levels than this between paper and ink is no drawing."""

TYPED, DRAWN = "text:", "strip:"
"""How a word begins that is a text for certain, or the digits of a strip: `text:wonder`, `strip:4 0 7`."""
READS = {"image": "pictures of one digit", "strip": "strips of digits", "text": "text", "name": "names",
         "sentence": "sentences", "sequence": "tables of numbers"}
"""What the models of each kind read, in words."""
TEXTS = ("text", "name", "sentence")
"""Kinds that are typed."""


@dataclass(frozen=True, eq=False)
class Given:
    """One input, ready for the model's own `prepare`."""

    sample: Sample
    raw: Pixels | Numbers | str
    digits: tuple[int, ...] = ()
    """What is written on a strip, if that is known."""
    following: str = ""
    """The character that comes after a passage, if that is known."""


def given(word: str, kind: str, title: str = "This model", features: int | None = None) -> Given:
    """What `word` means to a model called `title` that reads `kind`: a sample, a file, or a text; "" is its first
    sample.

    `features` is how many numbers a step of a table has. Raises Refused if it is something else than the model reads,
    LookupError if it is nothing; one sentence each.
    """
    if kind not in READS:
        raise Refused(f"{title} reads {kind!r}, which cannot be chosen here; from Python, visualizer.capture(model, x) "
                      "takes any input.")
    if not word:
        if not all_samples(kind):
            raise Refused(f"{title} reads {READS[kind]}, and none comes with the app; name a file.")
        word = all_samples(kind)[0].name
    found = _places().get(word)
    if found is not None and found[0].kind == kind:
        return _bundled(*found)
    if kind in TEXTS:
        return _typed(word, kind, title)
    if kind == "sequence":
        if _suffix(word) not in TABLES:
            raise _another(word, kind, title)
        numbers = sequence(word, features)
        return Given(Sample(word, f"{Path(word).name}, {len(numbers):,} steps"), numbers)
    if word.startswith(TYPED) or found is not None or (kind == "image" and word.startswith(DRAWN)):
        raise _another(word, kind, title)
    if word.startswith(DRAWN):
        digits = _digits(word.removeprefix(DRAWN))
        return Given(Sample(word, f"Strip of {' '.join(map(str, digits))}"), compose_strip(digits), digits)
    if not _suffix(word):
        find(word)  # raises
    return Given(*(open_image(word) if kind == "image" else open_strip(word)))


def drawn(pixels: NDArray[Any], kind: str, title: str = "This model", name: str = "drawn") -> Given:
    """A drawing, white on black, of any size; of the right size and type it is taken as it is."""
    if kind not in ("image", "strip"):
        raise Refused(f"{title} reads {READS.get(kind, kind)}, and a drawing is a picture; type something instead.")
    image = np.asarray(pixels)
    if kind == "image":
        fits = image.shape == (SIDE, SIDE) and image.dtype == np.uint8
        return Given(Sample(name, "Drawn by hand"), image if fits else centre_digit(image))
    fits = image.ndim == 2 and len(image) == STRIP and image.shape[1] >= SIDE and image.dtype == np.uint8
    return Given(Sample(name, "Drawn by hand"), image if fits else fit_strip(image))


def _bundled(sheet: _Sheet, index: int) -> Given:
    sample = sheet.samples[index]
    return Given(sample, raw(sample.name), sheet.digits[index], sheet.following[index])


def _typed(word: str, kind: str, title: str) -> Given:
    """A text file, or the word itself."""
    found = _places().get(word)
    suffix = "" if word.startswith(TYPED) else _suffix(word)
    if (found is not None and found[0].kind not in TEXTS) or word.startswith(DRAWN) or suffix in IMAGES + TABLES:
        raise _another(word, kind, title)
    if suffix == ".txt":
        text = read_text(word)
        return Given(Sample(word, f"{Path(word).name}, {len(text):,} characters"), _short_enough(text))
    text = word.removeprefix(TYPED)
    return Given(Sample(f"{TYPED}{text}", _quoted(text)), _short_enough(text))


def _short_enough(text: str) -> str:
    if len(text) > MOST_SYMBOLS:
        raise Refused(f"The text has {len(text):,} characters, more than {MOST_SYMBOLS:,}; choose a shorter passage.")
    return text


def _another(word: str, kind: str, title: str) -> Refused:
    """Something that exists, or might, but that the model does not read."""
    found = _places().get(word)
    if found is not None:
        what = f"{word} is {_called(found[0])}"
    elif word.startswith(DRAWN):
        what = "that is a strip of digits"
    elif word.startswith(TYPED):
        what = "that is a text"
    elif _suffix(word) in IMAGES + TABLES:
        what = f"{Path(word).name} is a {'picture' if _suffix(word) in IMAGES else 'table of numbers'}"
    else:
        what = f"{word[:40]!r} is none"
    first = next((f", for example {sample.name}" for sample in all_samples(kind)), "")
    return Refused(f"{title} reads {READS[kind]}, and {what}; choose one that it reads{first}.")


def _called(sheet: _Sheet) -> str:
    return "a picture" if sheet.image is not None else "a table of numbers" if sheet.numbers else "a text"


def _suffix(word: str) -> str:
    """The ending of a file name in small letters; nothing if the word can be none."""
    if len(word) > 1000 or "\n" in word or "\0" in word:
        return ""
    suffix = Path(word).suffix.lower()
    return suffix if " " not in suffix else ""


# --- the bundled samples --------------------------------------------------------------------------------------------

def all_samples(kind: str | None = None) -> tuple[Sample, ...]:
    """Every bundled sample, or those of one kind: `image`, `strip`, `text`, `name`, `sentence`, `sequence`."""
    return tuple(sample for sheet in _sheets() if kind in (None, sheet.kind) for sample in sheet.samples)


def find(name: str) -> Sample:
    """The bundled sample of that name; raises LookupError with one sentence."""
    return _place(name)[0].samples[_place(name)[1]]


def raw(name: str) -> Pixels | Numbers | str:
    """What a bundled sample is: pixels (rows, columns) uint8, numbers (step, feature), or a text; raises LookupError
    with one sentence."""
    sheet, index = _place(name)
    if sheet.numbers:
        return sheet.numbers[index]
    return sheet.texts[index] if sheet.image is None else pixels(name)


def pixels(name: str) -> Pixels:
    """The picture of a bundled sample, (28, 28) uint8 for a digit; raises LookupError with one sentence."""
    sheet, index = _place(name)
    if sheet.image is None:
        raise LookupError(f"The sample {name!r} is {_called(sheet)} and has no pixels; choose a picture, for example "
                          f"{all_samples('image')[0].name}.")
    height, width = sheet.tile
    row, column = index // sheet.columns * height, index % sheet.columns * width
    return sheet.image[row:row + height, column:column + width]


@dataclass(frozen=True, eq=False)
class _Sheet:
    """A list of samples of one kind: of texts, of tables of numbers, or of the tiles of a picture, row by row."""

    kind: str
    samples: tuple[Sample, ...]
    texts: tuple[str, ...]
    following: tuple[str, ...]
    digits: tuple[tuple[int, ...], ...]
    numbers: tuple[Numbers, ...] = ()
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
    labels = (item.get("label") for item in found)
    return _Sheet(about["kind"], tuple(map(_sample, found)), tuple(item.get("text", "") for item in found),
                  tuple(item.get("next", "") for item in found),
                  tuple(tuple(label) if isinstance(label, list) else () for label in labels),
                  tuple(_table(item["numbers"]) for item in found if "numbers" in item), whole,
                  tuple(about.get("tile", (0, 0))), about.get("columns", 0))


def _sample(item: dict[str, Any]) -> Sample:
    """Its title is its name in words; of a name also where it comes from, of a sentence its words, of a strip, whose
    label is a list, what is written on it, of a sequence the values that are marked."""
    name, label, text = item["name"], item.get("label"), item.get("text", "")
    if isinstance(label, list):
        return Sample(name, f"{_in_words(name)}: {' '.join(map(str, label))}")
    if "marked" in item:
        return Sample(name, f"{_in_words(name)}: {' + '.join(f'{value:.2f}' for value in item['marked'])}")
    if "language" in item:
        return Sample(name, f"{text} ({item['language']})", label)
    return Sample(name, _quoted(text) if text and label is not None else _in_words(name), label)


def _table(rows: list[list[float]]) -> Numbers:
    table = np.array(rows, dtype=np.float64)
    table.flags.writeable = False
    return table


def _in_words(name: str) -> str:
    return name.replace("-", " ").capitalize()


def _quoted(text: str) -> str:
    """“To be or not to be”, as much of it as fits a title."""
    shown = " ".join(text.split())
    return f"“{shown}”" if len(shown) <= 40 else f"“{shown[:39]}…”"


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


# --- digits and strips, from pictures of any kind -------------------------------------------------------------------

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
        raise Refused(f"What is written is {ink.shape[1] / len(ink):.0f} times as wide as high; give a shorter line.")
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
        raise Refused(f"There is no digit to lay on the strip; write for example {DRAWN}4 0 7.")
    seen = [list(digits[:place]).count(digit) for place, digit in enumerate(digits)]
    cut = [_by_label(digit)[before % len(_by_label(digit))] for digit, before in zip(digits, seen, strict=True)]
    width = sum(image.shape[1] for image in cut) + 3 * (len(cut) - 1)
    columns = _whole_steps(max(COMPOSED, width + 2 * MARGIN))
    if columns > MOST_COLUMNS:
        raise Refused(f"A strip of {len(cut)} digits would be {columns:,} columns long; write fewer.")
    strip = np.zeros((STRIP, columns), dtype=np.uint8)
    left = (columns - width) // 2
    for image in cut:
        strip[2:2 + SIDE, left:left + image.shape[1]] = image
        left += image.shape[1] + 3
    return _frozen(strip)


def _digits(words: str) -> tuple[int, ...]:
    if not re.fullmatch(r"[0-9 ,]*", words):
        raise Refused(f"{words[:40]!r} is no row of digits; write for example {DRAWN}4 0 7.")
    return tuple(int(digit) for digit in words if digit.isdecimal())


@cache
def _by_label(digit: int) -> tuple[Pixels, ...]:
    """The bundled pictures of a digit, each cut to its inked columns."""
    found = (pixels(sample.name) for sample in all_samples("image") if sample.label == digit)
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
        raise Refused("The drawing is empty; draw a digit, then try again.")
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


# --- texts and tables -----------------------------------------------------------------------------------------------

def read_text(path: str | Path) -> str:
    """A text file in UTF-8, without the line end that editors put at its end; raises Refused with one sentence."""
    return _whole_file(Path(path)).removesuffix("\n")


def sequence(path: str | Path, features: int | None = None) -> Numbers:
    """A table of numbers, (step, feature): one row a step, columns set apart by commas, semicolons or tabs.

    A first row without any number is a heading. Raises Refused with one sentence, which names the row and the column.
    """
    path = Path(path)
    lines = [line for line in _whole_file(path).split("\n") if line.strip()]
    mark = next((mark for mark in ";\t" if lines and mark in lines[0]), ",")
    rows = list(csv.reader(lines, delimiter=mark, skipinitialspace=True))
    if rows and not any(map(_is_number, rows[0])):
        del rows[0]
    if not rows:
        raise Refused(f"{path.name} holds no numbers; give one row of numbers a step.")
    if len(rows) > MOST_SYMBOLS:
        raise Refused(f"{path.name} has {len(rows):,} rows, more than {MOST_SYMBOLS:,}; choose a shorter stretch.")
    wanted = features or len(rows[0])
    for step, row in enumerate(rows, 1):
        if len(row) != wanted:
            whose = "the model reads" if features else "the first has"
            raise Refused(f"{path.name} has {len(row)} number{'s' * (len(row) != 1)} in row {step}, where {whose} "
                          f"{wanted}; give every step {wanted}.")
        for column, cell in enumerate(row, 1):
            if not _is_number(cell) or not math.isfinite(float(cell)):
                raise Refused(f"{path.name} has {cell.strip()[:20] or 'nothing'!r} in row {step}, column {column}, "
                              "which is no finite number; mend it or leave the row out.")
    return np.array([[float(cell) for cell in row] for row in rows])


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _whole_file(path: Path) -> str:
    if not path.is_file():
        raise Refused(f"There is no file {path}; check the name.")
    if path.stat().st_size > MOST_BYTES:
        raise Refused(f"{path.name} is larger than {MOST_BYTES >> 20} MB; choose a shorter text.")
    try:
        return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise Refused(f"{path.name} is no text in UTF-8; save it again as UTF-8.") from None
