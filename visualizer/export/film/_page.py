"""What a page holds: the marks of every picture, each once, the numbers that they show, and what is said of both.

Unpacked it is a length (4 bytes, little endian), so many bytes of JSON, and then bytes: entries of palettes, masks of a
bit a cell, and numbers as the recording has them. Lengths of marks are kept to 1/100 pixel, numbers exactly.
"""

from __future__ import annotations

import base64
import json
import unicodedata
import zlib
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtGui import QPainterPath

from visualizer import paint, registry
from visualizer.export.film import Film, Told
from visualizer.language import manner, tr
from visualizer.scene import colour
from visualizer.scene import type as letters
from visualizer.scene.picture import (
    BEAT,
    Focus,
    Image,
    Line,
    Mark,
    Path,
    Picture,
    Points,
    Rect,
    Stop,
    Stops,
    Term,
    TermTiles,
    Text,
    cell_spot,
    spots,
)
from visualizer.scene.reading import symbol_words, symbols_in
from visualizer.scene.subject import array as array_of
from visualizer.scene.subject import there
from visualizer.scene.timeline import Moment
from visualizer.trace import Trace

MAP = "image"
"""The mark of a map, as the page reads it."""
FLAGS = ("rows_shown", "pooled", "opacity")
"""What of an image is a plain number of its own."""


@dataclass(frozen=True)
class Holds:
    """How much a page holds."""

    between: int
    """Frames within a beat beside its settled one."""
    terms: bool = True
    """What each cell of a term says of its product."""
    most: int = 0
    """Numbers of an array: of a larger one none is there to be pointed at; 0 for no limit."""


def packed(film: Film, holds: Holds, told: Told) -> tuple[bytes, int, str]:
    """The data of a page, deflated; how long they are unpacked, and the sentence of the first picture."""
    page, between = _Page(film, holds), holds.between
    stretch = _stretch(film)
    done = 0
    for start, moment in stretch:
        for _ in page.add_beat(start, moment, between):
            done += 1
            told(done, len(stretch) * (between + 1))
    whole = page.whole()
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15)
    return deflater.compress(whole) + deflater.flush(), len(whole), page.beats[0]["caption"]


def is_of_one(film: Film) -> bool:
    """Whether all of it is of one recording, so that a place in a picture says which number is meant."""
    return not film.readers and film.over is None and not film.reel and len(film.places) <= 1


def _stretch(film: Film) -> list[tuple[float, Moment]]:
    """Of each beat of a film the phase at which it begins and the moment at which it ends: those in the middle are
    there from their start to their settled end."""
    first, last = film.times.at(film.start), film.moment(film.count - 1)
    ends = [film.times.settled(index) for index in range(first.index, last.index)]
    return [(first.phase if moment.index == first.index and moment.phase > first.phase else 0.0, moment)
            for moment in (*ends, last)]


class _Page:
    """What has been put on the page so far; the same thing is put there once."""

    def __init__(self, film: Film, holds: Holds) -> None:
        self.film, self.holds, self.alone = film, holds, is_of_one(film)
        self.themes = _themes(film.look.theme)
        self.beats: list[dict[str, Any]] = []
        self.binary = bytearray()
        self._places: dict[bytes, tuple[int, int]] = {}
        self._known: dict[Hashable, int] = {}
        self._kept: dict[Hashable, tuple[Mark, int]] = {}
        self._lists: dict[tuple[int, ...], int] = {}
        self._arrays: dict[tuple[str, str], int] = {}
        self._foci: dict[Focus, int] = {}
        self._rows: dict[Hashable, int] = {}
        self._curves: dict[Hashable, int] = {}
        self._said: dict[Hashable, tuple[str, ...]] = {}
        self._there: dict[tuple[str, ...], int] = {}
        self._moments: list[Moment] = []
        self._glyphs: dict[letters.Face, dict[str, list[Any]]] = {}
        self._addresses = {moment.beat.address: place for place, (_, moment) in enumerate(_stretch(film))}
        self.size, self.background = film.look.size, "stage"

    # --- beats ---

    def add_beat(self, start: float, moment: Moment, between: int) -> Iterator[None]:
        """One beat: some frames on its way, and how it ends; stops after each."""
        way, frames = moment.phase - start, list[list[Any]]()
        for number in range(between + 1):
            here = moment if number == between else replace(moment, phase=start + way * (number + 1) / (between + 1))
            frame, settled = self._frame(here, moment.backward)
            frames.append(frame)
            yield
        pace = self.film.times.pace(moment.index)
        self._moments.append(moment)
        self.beats.append({
            "at": moment.address, "back": moment.backward, "frames": frames, "caption": settled.caption,
            "seconds": float(pace.seconds), "rest": float(pace.rest),
            "columns": settled.table.columns, "rows": self._steps([self._row(row) for row in settled.table.rows]),
        })

    def _frame(self, moment: Moment, backward: bool) -> tuple[list[Any], Picture]:
        """[phase, still, moving]; in dark colours others behind them, where what is written on a colour differs. With
        the picture in one of the two."""
        found = []
        for theme in self.themes:
            picture = replace(self.film, look=replace(self.film.look, theme=theme)).drawn(moment)
            self.size, self.background = picture.size, picture.background
            found.append((self._list(picture.still, backward), self._list(picture.moving, backward)))
        light, dark = found
        return [moment.phase, *light, *(dark if dark != light else ())], picture

    def _list(self, marks: tuple[Mark, ...], backward: bool) -> int:
        return self._steps([self._mark(mark, backward) for mark in marks if mark.opacity > 0])

    def _steps(self, numbers: list[int]) -> int:
        """A list of marks, of curves, or of rows of a table, each as the step from the number of the one before."""
        steps = tuple(number - before for before, number in zip([0, *numbers], numbers, strict=False))
        return self._lists.setdefault(steps, len(self._lists))

    def _row(self, row: tuple[str | float | int, ...]) -> int:
        """A row of a table: the next beat has most of them again."""
        return self._rows.setdefault(tuple(map(_cell, row)), len(self._rows))

    # --- marks ---

    def _mark(self, mark: Mark, backward: bool) -> int:
        same = id(mark) if isinstance(mark, Image) else (mark, mark.holds, backward)  # most come again and again
        kept = self._kept.get(same)
        if kept is not None:
            return kept[1]
        number = self._known.setdefault(_MARKS[type(mark)](self, mark, self._about(mark, backward)), len(self._known))
        if len(self._kept) > 20_000:
            self._kept.clear()
        self._kept[same] = mark, number  # as long as it is kept no other mark has its id
        return number

    def _text(self, mark: Text, about: Hashable) -> Hashable:
        pieces = []
        for piece in paint.laid_out(mark):
            apart = list(piece.text) if all(map(_stands_alone, piece.text)) else [piece.text]
            known = self._glyphs.setdefault(piece.style, {})
            for letter in apart:
                if letter not in known:
                    known[letter] = _glyph(letter, piece.style)
            size = piece.size * piece.scale
            wide = paint.advance(piece.text, piece.size, piece.style) * piece.scale
            face = list(self._glyphs).index(piece.style)
            words: Hashable = piece.text if len(apart) == len(piece.text) else tuple(apart)
            pieces.append((_short(piece.x), _short(piece.y), face, _short(size), piece.color, words, _short(wide)))
        return "text", _short(mark.x), _short(mark.y), tuple(pieces), _short(mark.opacity), about

    def _rect(self, mark: Rect, about: Hashable) -> Hashable:
        return ("rect", *map(_short, (mark.x, mark.y, mark.width, mark.height)), mark.fill, mark.stroke,
                _short(mark.stroke_width), int(mark.inside), _short(mark.radius), int(mark.dashed),
                _short(mark.opacity), about)

    def _line(self, mark: Line, about: Hashable) -> Hashable:
        return ("line", _flat(mark.points), mark.color,
                _short(mark.width), int(mark.dashed), _short(mark.opacity), about)

    def _path(self, mark: Path, about: Hashable) -> Hashable:
        curves = [self._curves.setdefault(_curve(each), len(self._curves)) for each in mark.curves]
        return ("path", self._steps(curves), mark.stroke, _short(mark.width), mark.fill, int(mark.dashed),
                _short(mark.opacity), about)

    def _image(self, mark: Image, about: Hashable) -> Hashable:
        masks = tuple((name, self._put(np.packbits(mask).tobytes())) for name in ("hatched", "covered")
                      if (mask := getattr(mark, name)) is not None and mask.any())
        folds = () if mark.folds is None else (("folds", mark.folds),)
        return (MAP, _Fields((
            ("x", _short(mark.x)), ("y", _short(mark.y)), ("cell", tuple(map(_short, mark.cell))),
            ("values", self._put(np.ascontiguousarray(mark.values).tobytes())), ("shape", mark.values.shape),
            ("palette", mark.palette), ("columns", mark.columns), ("pitch", tuple(map(_short, mark.pitch))),
            ("border", mark.border), ("indices", mark.indices), ("rows", mark.rows),
            ("transposed", int(mark.transposed)), *((name, _short(getattr(mark, name))) for name in FLAGS),
            *masks, *folds)), about)

    def _about(self, mark: Mark, backward: bool) -> Hashable:
        """What is said of a mark, and where a click on it goes; 0 where that is nothing."""
        found: list[tuple[str, Hashable]] = []
        if isinstance(mark, Rect) and mark.tip:
            found.append(("tip", mark.tip))
        elif mark.focus is not None and self.alone and mark.focus.layer in self.film.trace:
            if words := self._own_words(mark, backward):
                found.append(("tip", words))
            elif self.holds.terms and isinstance(mark, Image) and isinstance(mark.holds, TermTiles):
                found.append(("tips", self._products(mark, backward)))
            if mark.focus.array != BEAT:
                found.append(("focus", self._focus(mark.focus)))
        if isinstance(mark.holds, Stop):
            found.append(("goes", self._addresses.get(mark.holds.address, -1)))
        elif isinstance(mark.holds, Stops):
            found.append(("goes", tuple(self._addresses.get(address, -1) for address in mark.holds.addresses)))
        if found and isinstance(mark, Text):
            left, top, right, bottom = letters.bounds(mark)
            found.append(("box", tuple(map(_short, (left, top, right - left, bottom - top)))))
        return _Fields(tuple(found)) if found else 0

    def _own_words(self, mark: Mark, backward: bool) -> str:
        """Of a term that is multiplied its product, of a beat on the lanes what it is; empty where the number itself is
        said."""
        assert mark.focus is not None
        if mark.focus.array == BEAT:
            return str(_words().beat_tip(self.film.trace, mark.focus.layer, backward))
        if isinstance(mark.holds, Term) and mark.holds.weight != 1:
            walking = registry.module("ui.walking")
            return str(walking.spot_tip(self.film.trace, cell_spot(mark), backward))
        return ""

    def _products(self, mark: Image, backward: bool) -> tuple[str, ...]:
        """What is said of each cell of an image whose cells are terms; the next frame has most of them again."""
        it = mark.holds
        assert isinstance(it, TermTiles)
        arrays = it.cells, it.values, it.weights, it.inside, it.targets, it.lost
        same = (mark.focus, mark.values.shape, mark.indices, mark.rows, mark.transposed, mark.folds, backward,
                it.target, it.place, it.backward, *(None if each is None else each.tobytes() for each in arrays))
        if same not in self._said:
            spot_tip = registry.module("ui.walking").spot_tip
            self._said[same] = tuple(spot_tip(self.film.trace, spot, backward) for spot in spots(mark))
        return self._said[same]

    # --- numbers ---

    def _focus(self, focus: Focus) -> int:
        key = (focus.layer, focus.array)
        if array_of(self.film.trace[focus.layer], focus, False) is not None:
            self._arrays.setdefault(key, len(self._arrays))
        return self._foci.setdefault(focus, len(self._foci))

    def _array(self, layer: str, name: str) -> dict[str, Any]:
        """An array of the recording: where its numbers stand, there and back, and what its cells are called."""
        trace, focus, said = self.film.trace, Focus(layer, (), name), _words()
        pair = [array_of(trace[layer], focus, backward) for backward in (False, True)]
        values = next(each for each in pair if each is not None)
        wide = any(each is not None and each.dtype != np.float32 for each in pair)
        step = _step_axis(trace, layer, name)
        kept = not 0 < self.holds.most < values.size
        found = {"layer": layer, "name": name, "shape": values.shape, "wide": wide, "step": step,
                 "quantity": [said.quantity(focus, backward) for backward in (False, True)],
                 "places": [None if each is None else self._floats(each, wide) if kept else (0, 0) for each in pair]}
        if name == "output":
            found["levels"] = _levels(trace[layer].axes, values.shape)
            if symbols_in(trace, layer):
                found["symbols"] = [symbol_words(trace, layer, index) for index in range(values.size)]
        elif name.startswith("inner."):
            names = [[said.one(axis, index) for index in range(length)]
                     for axis, length in zip(("step", "unit"), values.shape, strict=False)]
            found["levels"] = [{"names": names[0]} if names else {"always": ""}, {"always": said.array_name(name)},
                               *({"names": each} for each in names[1:])]
        else:
            found["weight"] = name.rpartition(".")[2]
        return found

    def _known_at(self, moment: Moment) -> int:
        """Which numbers are there at a moment: of each array, of each of its steps and then of all together, 1 or 0."""
        found = []
        for layer, name in self._arrays:
            step = _step_axis(self.film.trace, layer, name)
            steps = range(self._shape(layer, name)[step]) if step >= 0 else ()
            cells = [*((0,) * step + (at,) for at in steps), ()]
            found.append("".join(str(int(there(self.film.trace, moment, Focus(layer, cell, name)))) for cell in cells))
        return self._there.setdefault(tuple(found), len(self._there))

    def _shape(self, layer: str, name: str) -> tuple[int, ...]:
        values = array_of(self.film.trace[layer], Focus(layer, (), name), False)
        assert values is not None
        return tuple(values.shape)

    def _floats(self, values: NDArray[Any], wide: bool) -> tuple[int, int]:
        """(first byte, how many numbers)."""
        start, _ = self._put(np.ascontiguousarray(values, "<f8" if wide else "<f4").tobytes(), 8)
        return start, values.size

    def _put(self, data: bytes, align: int = 1) -> tuple[int, int]:
        """(first byte, length) of some bytes, which are there once."""
        if data not in self._places:
            self.binary += bytes(-len(self.binary) % align)
            self._places[data] = len(self.binary), len(data)
            self.binary += data
        start, length = self._places[data]
        if start % align:
            del self._places[data]
            return self._put(data, align)
        return start, length

    # --- all of it ---

    def whole(self) -> bytes:
        """The data, not yet deflated."""
        arrays = [self._array(*key) for key in self._arrays]
        for beat, moment in zip(self.beats, self._moments, strict=True):
            beat["known"] = self._known_at(moment)
        own = manner()
        plain = {
            "size": self.size, "background": self.background, "beats": self.beats, "first": self._first(),
            "marks": list(self._known), "curves": list(self._curves), "rows": list(self._rows),
            "lists": list(self._lists), "arrays": arrays,
            "foci": [[self._arrays.get((focus.layer, focus.array), -1), focus.cell] for focus in self._foci],
            "known": list(self._there), "faces": list(self._glyphs), "glyphs": list(self._glyphs.values()),
            "themes": [_theme(name) for name in self.themes], "legend": self._legend(),
            "words": {"play": tr("Play"), "pause": tr("Pause"), "beat": tr("Beat {number} of {total}"),
                      "range": tr("{name} from {low} to {high}"), "waiting": tr("not computed yet"),
                      "waiting_back": tr("its gradient has not come yet"),
                      "no_gradient": tr("no gradient came back here"),
                      "comma": own.comma, "point": own.point, "least": own.least},
        }
        text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"), default=_plain, allow_nan=False).encode()
        text += b" " * (-len(text) % 4)
        return len(text).to_bytes(4, "little") + text + bytes(self.binary)

    def _legend(self) -> list[tuple[str, str, str, str]]:
        """(palette, what it colours, what its ends say) of those that maps are coloured with."""
        there = {dict(written[1].pairs)["palette"] for written in self._known
                 if isinstance(written, tuple) and written[0] == MAP}
        known = (("activation", tr("Values"), "−max", "+max"), ("weight", tr("Weights"), "−max", "+max"),
                 ("gradient", tr("Gradient"), "0", "max"))
        return [entry for entry in known if entry[0] in there]

    def _first(self) -> int:
        """The beat that is shown first: the one at which the film's place stands, or the first of the stretch."""
        address = self.film.at or self.film.times.telling.address
        return self._addresses.get(address.partition("@")[0], 0)


_MARKS = {Text: _Page._text, Rect: _Page._rect, Line: _Page._line, Path: _Page._path, Image: _Page._image}


@dataclass(frozen=True)
class _Fields:
    """What becomes an object in JSON, and can be known again."""

    pairs: tuple[tuple[str, Hashable], ...]


def _plain(value: object) -> object:
    if isinstance(value, _Fields):
        return dict(value.pairs)
    raise TypeError(f"{type(value)} is not written")


def _words() -> Any:
    """What things are called in the window; it stands above this file."""
    return registry.module("ui.words")


@lru_cache(maxsize=1 << 14)
def _flat(points: Points) -> tuple[float, ...]:
    """The same curve stands in one frame after the other."""
    return tuple(_short(length) for point in points for length in point)


@lru_cache(maxsize=1 << 14)
def _curve(points: Points) -> tuple[float, ...]:
    """Where all of its stretches are straight 1 and its corners in 1/100 pixel, each as the step from the one before;
    else 0 and all of its points."""
    straight = all(points[at] == points[at + 1] and points[at + 2] == points[at + 3]
                   for at in range(0, len(points) - 3, 3))
    if not straight:
        return 0, *_flat(points)
    corners = [(round(100 * x), round(100 * y)) for x, y in points[::3]]
    steps = [(x - left, y - top) for (left, top), (x, y) in zip([(0, 0), *corners], corners, strict=False)]
    return 1, *(length for step in steps for length in step)


@lru_cache(maxsize=1 << 16)
def _short(length: float) -> float | int:
    """A length to 1/100 pixel; whole ones as such."""
    length = round(float(length), 2)
    return int(length) if length == int(length) else length


def _cell(value: str | float | int) -> Hashable:
    """A cell of a table: numbers are those of float32, in as few digits as say which; others stand in brackets, and
    what JSON cannot say as its words."""
    if isinstance(value, bool | np.bool_):
        return str(bool(value))
    if isinstance(value, float | np.floating):
        value, short = float(value), float(np.float32(value))
        if not np.isfinite(value):
            return _Fields((("value", str(value)),))
        return float(str(np.float32(value))) if value == short else (value,)
    return int(value) if isinstance(value, np.integer) else value


def _levels(axes: tuple[str, ...], shape: tuple[int, ...]) -> list[dict[str, Any]]:
    """What the indices of an output are called, one after the other; a row and a column are one pixel."""
    found: list[dict[str, Any]] = []
    index = 0
    while index < len(shape):
        axis = axes[index] if index < len(axes) else ""
        if axis == "row" and index + 1 < len(shape):
            found.append({"both": tr("pixel ({row}, {column})"), "names": [_words().one(axis, at)
                                                                       for at in range(shape[index])]})
            index += 2
            continue
        only = axis == "channel" and shape[index] == 1
        found.append({"names": [] if only else [_words().one(axis, at) for at in range(shape[index])]})
        index += 1
    return found


def _step_axis(trace: Trace, layer: str, name: str) -> int:
    """Which axis of an array the steps are; −1 where it has none."""
    it = trace[layer]
    if name.startswith("inner."):
        return 0 if "step" in it.axes and not name.startswith("inner.initial_") else -1
    return it.axes.index("step") if name == "output" and "step" in it.axes and it.inner else -1


def _themes(name: str) -> tuple[str, str]:
    """The light and the dark theme of a page: that which was chosen, and its opposite."""
    plain = name.removeprefix(colour.STRONG)
    return (colour.strong("light" if plain == "dark" else plain, colour.is_strong(name)),
            colour.strong("dark", colour.is_strong(name)))


def _theme(name: str) -> dict[str, Any]:
    theme = colour.theme(name)
    palettes = {key: base64.b64encode(table.tobytes()).decode() for key, table in theme.palettes.items()}
    return {"tokens": {token: colour.resolve(name, token) for token in theme.tokens}, "palettes": palettes,
            "hatch": [theme.hatch_width, theme.hatch_pitch], "strong": colour.is_strong(name)}


def _stands_alone(letter: str) -> bool:
    """Whether a letter looks the same whatever stands beside it."""
    return unicodedata.bidirectional(letter) not in ("R", "AL") and unicodedata.category(letter)[0] not in "MC" \
        and not 0x0900 <= ord(letter) < 0x0F00  # the scripts of India and the south east of Asia


def _glyph(letter: str, style: letters.Face) -> list[Any]:
    """[how far it reaches, its outline] in 1/1000 of the size."""
    reach, path = paint.outline(letter, style)
    return [round(reach, 1), " ".join(_outline(path))]


def _outline(path: QPainterPath) -> Iterable[str]:
    kinds, at = QPainterPath.ElementType, 0
    while at < path.elementCount():
        element = path.elementAt(at)
        points, sign = 1, "L"
        if element.type == kinds.MoveToElement:
            sign = "M"
        elif element.type == kinds.CurveToElement:
            points, sign = 3, "C"
        there = [path.elementAt(at + each) for each in range(points)]
        yield sign + " ".join(f"{round(point.x)} {round(point.y)}" for point in there)
        at += points
