"""Films: grey frames of one size, one after the other, (frame, row, column).

An animated picture, a film, a sheet of frames side by side, or a folder of pictures is brought to what the model reads:
as many frames as it was made with, evenly spaced, the middle of each. What was done stands in the title.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from visualizer.inputs import THUMBNAILS, Facts, Given, Grain, InputKind, Item, Offer, Pixels
from visualizer.inputs._files import checked, numbers_in
from visualizer.inputs.image import SUFFIXES as PICTURES
from visualizer.language import english, numeral, tr
from visualizer.manifest import Input
from visualizer.trace import Array, Refused, Sample

FILMS = (".mp4", ".webm", ".mov", ".mkv", ".avi")
SUFFIXES = (".npy", ".gif", ".webp", ".png", ".apng", ".tif", ".tiff", *FILMS)
USUAL = 8
"""Frames of a film for a model that does not say how many it was made with."""
USUAL_SIDE = 16
"""Rows and columns of a frame where nobody says them."""
MOST = 2_000
"""Frames of a file that are gone through."""
LIGHT = 127
"""A film whose middle shade is lighter stands on a light ground, and is turned around."""


def read(word: str, facts: Facts) -> Given:
    """A file of frames, or a folder of pictures; raises Refused with one sentence."""
    path = Path(word)
    if path.is_dir():
        return _of_folder(word, path, facts)
    if path.suffix.lower() == ".npy":
        return _of_array(word, path, facts)
    if path.suffix.lower() in FILMS:
        return _fitted(word, path.name, facts, *_of_film(path, _wanted(facts)))
    from visualizer.inputs import _digits  # brings Pillow, which the first paint does without

    count = _digits.frames_in(path)
    if count > 1:
        return _chosen(word, path.name, facts, count, lambda number: _digits.frame(path, number))
    sheet = _digits.frame(path, 0)
    frames = cut(sheet)
    if len(frames) < 2:
        raise Refused(tr("{file} is a single picture; give an animated one, a folder of pictures, or a sheet of square "
                         "frames side by side.").format(file=path.name))
    return _chosen(word, path.name, facts, len(frames), lambda number: frames[number])


def cut(sheet: Pixels) -> list[Pixels]:
    """Square frames that stand side by side, or below one another; one where there are none."""
    rows, columns = sheet.shape
    axis, side = (1, rows) if columns >= rows else (0, columns)
    count = sheet.shape[axis] // side
    return list(np.split(sheet, count, axis)) if sheet.shape[axis] == count * side else [sheet]


def _of_array(word: str, path: Path, facts: Facts) -> Given:
    found = numbers_in(path)
    if found.ndim != 3 or min(found.shape) < 2 or not (0 <= found.min() <= found.max() <= 255):
        rows, columns = _size(facts)
        raise Refused(tr("{file} is no film for this model; give an array of frames of {rows} × {columns}, grey values "
                         "from 0 to 255.").format(file=path.name, rows=rows, columns=columns))
    frames = np.rint(found).astype(np.uint8)
    if frames.shape[1:] == _size(facts):
        frames.flags.writeable = False
        return Given(Sample(word, english("{file}, {count} frames").format(file=path.name, count=len(frames))), frames)
    return _chosen(word, path.name, facts, len(frames), lambda number: frames[number])


def _of_folder(word: str, path: Path, facts: Facts) -> Given:
    from visualizer.inputs import _digits

    files = sorted(file for file in path.iterdir() if file.suffix.lower() in PICTURES and file.is_file())
    if len(files) < 2:
        raise Refused(tr("In the folder {folder} there are no two pictures; a film needs at least two frames.").format(
            folder=path.name))
    return _chosen(word, path.name, facts, len(files), lambda number: _digits.frame(files[number], 0))


def _of_film(path: Path, wanted: int) -> tuple[list[Pixels], int]:
    """So many frames of a film, evenly spaced, and how many it has."""
    checked(path, tr("choose a shorter film"))
    try:
        av = import_module("av")
    except ImportError:
        raise Refused(tr("{file} is a film, and reading one takes the extra video: {how}; or save it as GIF.").format(
            file=path.name, how="pip install 'av>=18'")) from None
    try:
        with av.open(str(path)) as film:
            if not film.streams.video:
                raise Refused(tr("{file} holds no pictures; give a film that has some.").format(file=path.name))
            count = sum(1 for _ in islice(film.decode(video=0), MOST + 1))
        if count > MOST:
            raise Refused(_too_long(path.name))
        numbers = spread(count, wanted)
        with av.open(str(path)) as film:  # once more, for all frames of a large film are gigabytes
            return [each.to_ndarray(format="gray") for number, each in enumerate(film.decode(video=0))
                    if number in numbers], count
    except (av.error.FFmpegError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise Refused(tr("{file} is no film that can be read ({why}); save it as GIF.").format(
            file=path.name, why=why.rstrip("."))) from error


def _too_long(name: str) -> str:
    return tr("{file} has more than {most} frames; cut it.").format(file=name, most=numeral(f"{MOST:,}"))


def spread(count: int, wanted: int) -> list[int]:
    """The numbers of so many frames of `count`, evenly spaced, the first and the last among them; all where there are
    no more."""
    return [int(each) for each in np.rint(np.linspace(0, count - 1, min(count, wanted)))]


def _chosen(word: str, name: str, facts: Facts, count: int, frame: Callable[[int], Array]) -> Given:
    if count > MOST:
        raise Refused(_too_long(name))
    return _fitted(word, name, facts, [frame(number) for number in spread(count, _wanted(facts))], count)


def _fitted(word: str, name: str, facts: Facts, frames: Sequence[Array], count: int) -> Given:
    """The frames as the model reads them, and what was done to them in words."""
    from visualizer.inputs import _digits

    if len(frames) < 2:
        raise Refused(tr("{file} has one frame; a film needs at least two.").format(file=name))
    rows, columns = _size(facts)
    made = np.stack([_digits.middle(np.asarray(frame, np.uint8), rows, columns) for frame in frames])
    done = [english("{some} of its {count} frames, evenly spaced").format(some=len(made), count=count)
            if count > len(made) else english("{count} frames").format(count=count)]
    if any(frame.shape != (rows, columns) for frame in frames):
        done.append(english("the middle of each, {rows} × {columns}").format(rows=rows, columns=columns))
    if np.median(made) > LIGHT:
        made = 255 - made
        done.append(english("light and dark exchanged"))
    made.flags.writeable = False
    return Given(Sample(word, f"{name}, {', '.join(done)}"), made)


def _size(facts: Facts) -> tuple[int, int]:
    rows, columns = (tuple(facts.get("shape", ())) or (USUAL_SIDE, USUAL_SIDE))[-2:]
    return int(rows), int(columns)


def _wanted(facts: Facts) -> int:
    return int(facts.get("frames", USUAL))


def bundled(item: Item) -> Given:
    """A tile of the sheet, its frames, as wide as high, side by side."""
    assert item.tile is not None
    frames = np.stack(cut(item.tile))
    frames.flags.writeable = False
    return Given(Sample(item.name, str(item.about.get("title", item.in_words)), item.label), frames)


def thumbnail(raw: Any) -> Pixels | None:
    """All frames in one: of each pixel the brightest. Of a film as it is given, or as it was recorded."""
    if not isinstance(raw, np.ndarray) or raw.ndim not in (3, 4):
        return None
    if raw.ndim == 3:
        return raw.max(0) if raw.dtype == np.uint8 else None
    brightest = np.nan_to_num(raw.max(1).mean(0))
    low, high = float(brightest.min()), float(brightest.max())
    stretched: Pixels = np.rint(255 * (brightest - low) / ((high - low) or 1.0)).astype(np.uint8)
    return stretched


def steps(facts: Facts, raw: Any, frames: int) -> tuple[str, ...]:
    """`frame 1`."""
    return tuple(english("frame {number}").format(number=number) for number in range(1, len(raw) + 1))


def grain(facts: Facts) -> Grain:
    """Shades in rows and columns, frame after frame."""
    return Grain(("frame", "row", "column"), "frame", english("film frame"), english("film frames"), span=(0, 255))


# --- models of one's own ----------------------------------------------------------------------------------------------

def _axis(offer: Offer) -> int | None:
    """Along which of four axes the frames stand: the channels, grey or of three colours, are the other of the first
    two."""
    if len(offer.sizes) != 4:
        return None
    return next((1 - channels for channels in (0, 1) if offer.sizes[channels] in (1, 3)), None)


def suits(offer: Offer, told: Input) -> bool:
    """Only where somebody says so: four axes may be a volume just as well."""
    return told.kind == INPUT.name and offer.floats and _axis(offer) is not None


def facts_of(offer: Offer, said: Input) -> dict[str, Any]:
    """How large its frames are, and how many it reads."""
    axis, usual = _axis(offer), offer.usual or (None,) * len(offer.sizes)
    if axis is None:
        return {}
    rows, columns = (size or by or USUAL_SIDE for size, by in zip(offer.sizes[2:], usual[2:], strict=True))
    return {"shape": [1, None, rows, columns], "frames": offer.sizes[axis] or usual[axis] or USUAL,
            "all": offer.sizes[axis] is not None}


def fed(raw: Any, offer: Offer, said: Input, facts: Facts) -> Array:
    """A film as the model takes it, 0 … 1: where it reads a fixed number of frames, the last is held or the rest cut;
    each channel of colours is the same grey."""
    film, axis = np.asarray(raw), _axis(offer)
    if film.ndim != 3 or axis is None:
        return film
    if (wanted := offer.sizes[axis]) is not None:
        film = film[np.minimum(np.arange(wanted), len(film) - 1)]
    whole = np.stack([film / np.float32(255)] * int(offer.sizes[1 - axis] or 1), 1 - axis)
    return whole.astype(np.float32)


def notes(facts: Facts, raw: Any, title: str) -> tuple[str, ...]:
    """Of a film that is shorter or longer than what the model reads."""
    wanted = facts.get("frames")
    if not facts.get("all") or not isinstance(wanted, int) or not isinstance(raw, np.ndarray) or len(raw) == wanted:
        return ()
    words = (english("The film has {count} frames and {title} reads {wanted}: the last of them is held.")
             if len(raw) < wanted else
             english("The film has {count} frames and {title} reads {wanted}: those behind are cut off."))
    return (words.format(count=len(raw), title=title, wanted=wanted),)


INPUT = InputKind(
    "video", english("films"), english("a film"), english("film frame"), SUFFIXES, read=read, bundled=bundled,
    folders=True, steps=steps, thumbnail=thumbnail, choosers=(THUMBNAILS,), across=4, grain=grain, view="frames",
    notes=notes, suits=suits, facts=facts_of, fed=fed, order=2)
