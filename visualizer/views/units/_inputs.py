"""The inputs at which a unit is largest, with the part of each that it depends on cut out."""

from __future__ import annotations

import numpy as np

from visualizer.kinds import units
from visualizer.kinds.units import EXCITES, UPDATES
from visualizer.language import tr
from visualizer.over import SEPARATOR
from visualizer.said import said
from visualizer.scene import colour
from visualizer.scene.boxes import Box
from visualizer.scene.picture import (
    BEAT,
    Focus,
    Group,
    Image,
    Line,
    Look,
    Mark,
    Rect,
    Scale,
    Table,
    Text,
    ToInput,
    grouped,
    plain,
)
from visualizer.scene.type import elide, width
from visualizer.views.units._seen import Seen, Values, numbers_of, picture

NEXT = "\1"
FEW = 6
"""So many are shown to an audience."""
SEEN = {"\n": "↵", " ": "·"}


def sentence(seen: Seen) -> str:
    best = np.asarray(seen.shipped[f"{seen.layer.name}:best"])
    place = int(np.asarray(seen.shipped[f"{seen.layer.name}:input"])[seen.unit, 0])
    return tr("Of {count} inputs {title} excites {unit} most: {{{value}}}.").format(
        count=seen.value(str(int(seen.shipped["count"])), "count"), title=seen.title(place), unit=seen.unit_words,
        value=seen.value(numbers_of(float(best[seen.unit, 0])), f"{seen.layer.name}:best", seen.unit, 0))


def waits(seen: Seen) -> str:
    return tr("The inputs that ship go through the network, to find those that excite a unit most.")


def has_no_meaning(seen: Seen) -> str:
    return tr("No inputs ship with this network, so none of them can excite a unit most.")


def table(seen: Seen) -> Table:
    best, places, cells = (np.asarray(seen.shipped[f"{seen.layer.name}:{key}"])[seen.unit]
                           for key in ("best", "input", "cell"))
    return Table((tr("input"), tr("value"), tr("place")), tuple(
        (seen.titles[place], float(value), ", ".join(map(str, cell.tolist())))
        for value, place, cell in zip(best, places, cells, strict=True)))


def marks(seen: Seen, look: Look, box: Box) -> list[Mark]:
    """Pictures in a grid, or rows of steps."""
    read = units.read(seen.trace)
    pictured = len(units.axes_read(read)) == 2
    return _pictures(seen, look, box) if pictured else _rows(seen, look, box)


def _of_rank(seen: Seen, key: str, rank: int) -> Values:
    return np.asarray(np.asarray(seen.shipped[f"{seen.layer.name}:{key}"])[seen.unit, rank])


def _numbers(seen: Seen, place: int) -> Values:
    """What one input is, as it is read, without what it was filled up with."""
    values = np.asarray(seen.shipped["reads"])[place]
    there = np.isfinite(values)
    spans = tuple(slice(0, int(there.any(tuple(o for o in range(values.ndim) if o != axis)).sum()))
                  for axis in range(values.ndim))
    return np.asarray(values[spans], np.float64)


def _pictures(seen: Seen, look: Look, box: Box) -> list[Mark]:
    count = len(np.asarray(seen.shipped[f"{seen.layer.name}:input"])[seen.unit])
    if not look.mode.notes:  # fewer, and larger, for a room
        count = min(count, FEW)
    columns = min(count, 5 if look.mode.notes and box.width > 2.6 * box.height else 3)
    lines = -(-count // columns)
    wide, high = (box.width + 20) / columns, (box.height + 12) / lines
    read = units.read(seen.trace)
    ends = colour.reach(np.asarray(seen.shipped["reads"]))
    shown = max(1, -(-seen.now * count // UPDATES))
    found: list[Mark] = []
    for rank in range(count):
        x, y = box.left + rank % columns * wide, box.top + rank // columns * high
        found += _one(seen, look, rank, Box(x, y, x + wide - 20, y + high - 12), read.name, ends, rank == shown - 1)
    return found


def _one(seen: Seen, look: Look, rank: int, box: Box, name: str, ends: tuple[float, float], loud: bool) -> list[Mark]:
    place = int(_of_rank(seen, "input", rank))
    values = _numbers(seen, place)
    (top, left), (bottom, right) = (_of_rank(seen, key, rank).tolist() for key in ("low", "high"))
    rows, columns = values.shape[-2:]
    if units.spectral(units.read(seen.trace)):  # low notes below
        values, top, bottom = values[..., ::-1, :], max(0, rows - 1 - bottom), rows - 1 - top
    bottom, right = min(bottom, rows - 1), min(right, columns - 1)
    cut = values[..., top:bottom + 1, left:right + 1]
    whole = cut.shape == values.shape
    side = max(24.0, min(box.height - 40, box.width * (0.62 if whole else 0.46)))
    marks: list[Mark] = []
    x = box.left
    if not whole:
        made, wide, high = picture(cut, x, box.top + 4, side, side, ends, name, look)
        marks += [*made, Rect(x, box.top + 4, wide * cut.shape[-1], high * cut.shape[-2], "", "accent", 1.5)]
        x += side + 14
    small = min(side, box.right - x)
    made, wide, high = picture(values, x, box.top + 4, small, small, ends, name, look)
    marks += made
    if not whole:
        marks.append(Rect(x + left * wide, box.top + 4 + top * high, wide * cut.shape[-1], high * cut.shape[-2], "",
                          "accent", 1.5))
    cell = _of_rank(seen, "cell", rank)
    if whole and units.stepwise(seen.layer) and rows == units.places(seen.layer)[0]:
        marks.append(Rect(x - 1, box.top + 3 + int(cell[0]) * high, columns * wide + 2, high + 2, "", "accent", 1.5))
    y = box.top + 4 + side + 17
    value = seen.value(numbers_of(float(_of_rank(seen, "best", rank))), f"{seen.layer.name}:best", seen.unit, rank)
    marks += [Text(box.left, y, plain(value), 13, 600, "accent-ink" if loud else "ink"),
              Text(box.left + 56, y, plain(elide(seen.title(place), 12, box.width - 60, 400)), 12, 400, "ink-2",
                   max_width=box.width - 60),
              Rect(box.left - 6, box.top - 2, box.width + 8, y - box.top + 8, "", "accent" if loud else "", 1.5,
                   radius=5, focus=Focus(seen.trace.layers[0].name, (place,), BEAT), holds=ToInput(seen.words[place]),
                   tip=tr("go to this input"))]
    return grouped(Group(seen.titles[place]), marks)


def _rows(seen: Seen, look: Look, box: Box) -> list[Mark]:
    """A row an input: what is read at each step, on what the unit is then."""
    count = len(np.asarray(seen.shipped[f"{seen.layer.name}:input"])[seen.unit])
    high = min(66.0, (box.height - 20) / count)
    names = 190.0 if box.width > 800 else 120.0
    shown = max(1, -(-seen.now * count // UPDATES))
    found: list[Mark] = []
    for rank in range(count):
        place = int(_of_rank(seen, "input", rank))
        y = box.top + rank * high
        value = seen.value(numbers_of(float(_of_rank(seen, "best", rank))), f"{seen.layer.name}:best", seen.unit, rank)
        loud = rank == shown - 1
        row: list[Mark] = [
            Text(box.left, y + 15, plain(value), 13, 600, "accent-ink" if loud else "ink"),
            Text(box.left + 56, y + 15, plain(elide(seen.title(place).replace("\n", "↵"), 12, names - 66, 400)), 12,
                 400, "ink-2", max_width=names - 66),
            Rect(box.left - 6, y - 2, names, min(high - 6, 26), "", "accent" if loud else "", 1.5, radius=5,
                 focus=Focus(seen.trace.layers[0].name, (place,), BEAT), holds=ToInput(seen.words[place]),
                 tip=tr("go to this input"))]
        row += _steps(seen, look, rank, place, Box(box.left + names, y, box.right, y + high - 6))
        found += grouped(Group(seen.titles[place]), row)
    return found


def _steps(seen: Seen, look: Look, rank: int, place: int, box: Box) -> list[Mark]:
    """The steps around the one at which it is largest."""
    symbols = bytes(seen.shipped["symbols"]).decode().split(SEPARATOR)[place].split(NEXT)
    symbols = [SEEN.get(symbol, symbol) for symbol in symbols if symbol] if units.symbolic(seen.trace) else []
    along = seen.shipped.get(f"{seen.layer.name}:along")
    key = f"{seen.layer.name}:along"
    cell = _of_rank(seen, "cell", rank)
    at = int(cell[0]) if len(cell) else -1
    values = np.zeros(0) if along is None else np.asarray(along)[seen.unit, rank]
    values = values[np.isfinite(values)]
    top = colour.largest(np.asarray(along)[seen.unit]) if along is not None else 1.0
    scale = Scale("activation", tr("values"), seen.layer.name, -(top or 1.0), top or 1.0)
    low, high = (_of_rank(seen, name, rank) for name in ("low", "high"))
    count = len(symbols) or len(values) or _numbers(seen, place).shape[0]
    least = max([10.0, *(min(90.0, width(symbol, 12, 500) + 6) for symbol in symbols)]) if symbols else 3.0
    wide = max(least, min(60.0, box.width / max(1, count))) if symbols else box.width / max(1, count)
    room = max(1, int(box.width / wide))
    first = max(0, min((at if at >= 0 else 0) - room // 2, count - room))
    marks: list[Mark] = []
    for step in range(first, min(count, first + room)):
        x = box.left + (step - first) * wide
        value = float(values[step]) if step < len(values) else 0.0
        fill = f"activation:{min(255, int(colour.signed(np.array([value]), top or 1.0)[0]))}" if len(values) else "sunk"
        marks.append(Rect(x, box.top, wide - (1 if wide > 4 else 0), min(22.0, box.height), fill,
                          scale=scale if len(values) else None,
                          tip=seen.value(numbers_of(value), key, seen.unit, rank, step) if len(values) else ""))
        if symbols:
            words = said(symbols[step], "symbol of what excites", array=f"studies {EXCITES} symbols",
                         cell=(place, step))
            marks.append(Text(x + wide / 2, box.top + 15.5, plain(words), 12, 500,
                              colour.ink_on(fill, look.theme), "middle", max_width=wide))
    if len(low) == 1 and len(high) == 1 and at >= 0 and symbols:
        one, last = max(first, int(low[0])), min(first + room - 1, int(high[0]))
        marks.append(Line(((box.left + (one - first) * wide, box.top + 25), (box.left + (last - first + 1) * wide - 1,
                                                                            box.top + 25)), "accent", 1.5))
    if at >= 0:
        marks.append(Rect(box.left + (at - first) * wide - 1, box.top - 1, wide + 1, min(24.0, box.height + 2), "",
                          "accent", 2, radius=2))
    if not symbols and box.height > 40:
        read = _numbers(seen, place)
        steps_first = read if read.ndim == 2 and read.shape[0] == count else read.T if read.ndim == 2 else read[:, None]
        ends = colour.reach(np.asarray(seen.shipped["reads"]))
        tile = np.asarray(steps_first).T
        marks.append(Image(box.left, box.top + 26, (wide * count / tile.shape[1], (box.height - 28) / tile.shape[0]),
                           colour.unit(tile, *ends)[None], "pixel", indices=(-1,),
                           scale=Scale("pixel", tr("pixels"), units.read(seen.trace).name, *ends)))
    return marks
