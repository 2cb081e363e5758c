"""Moved: what a change of the input changes at every layer, and whether the maps move along with it."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visualizer import edits, kinds
from visualizer.kinds import moving, waiting
from visualizer.language import english, tr
from visualizer.said import lengths, said
from visualizer.scene import colour, numbers, parts
from visualizer.scene.boxes import Box, whole
from visualizer.scene.lanes import lanes
from visualizer.scene.parts import faded
from visualizer.scene.picture import (
    Focus,
    Group,
    Image,
    Look,
    Mark,
    Picture,
    Rect,
    Scale,
    Table,
    Text,
    grouped,
    of_layer,
    plain,
    unmarked,
)
from visualizer.scene.telling import answered
from visualizer.scene.timeline import Moment, ease, timeline
from visualizer.scene.type import elide, wrap
from visualizer.trace import Layer, Trace, remembered
from visualizer.views import PARTS, View

STUDY = "unedited"
Values = NDArray[np.float64]
TOP, ROOM_TOP, HEAD, GAP = 84.0, 104.0, 36.0, 10.0
LEFT, APART = 138.0, 22.0
TALLEST, NARROWEST = 96.0, 56.0
"""Largest side of a tile, and the least: further columns scroll."""
ERROR, MOST, HALF = 24.0, 1.5, 0.5
"""Height of a row of errors, where its bars end, and how much of a beat the layer before stands out."""


@dataclass(frozen=True)
class Change:
    """What was done to the input."""

    words: tuple[str, ...]
    right: int = 0
    down: int = 0
    shift: bool = False
    """Whether it was moved, and nothing else."""

    @property
    def title(self) -> str:
        """In a few words without numbers."""
        return ", ".join(edits.parse(word)[0].titled() for word in self.words)


@dataclass(frozen=True)
class Errors:
    """Of one layer; NaN where there is no such thing."""

    follows: float
    stays: float


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """A column a layer: before, after, and what is left of the difference."""
    told = _sentence(trace, moment)
    still, moving_marks = lanes(trace, moment, look)
    box = parts.body(look, TOP if look.mode.notes else ROOM_TOP)
    return Picture(look.size, (*parts.sentence(look, told), *still), (*_grid(trace, moment, focus, box, look),
                                                                      *moving_marks), look.theme,
                   caption=unmarked(told), table=_table(trace))


# --- what was measured ------------------------------------------------------------------------------------------------

@remembered(2)
def change(trace: Trace) -> Change | None:
    """What was done to the input; None where nothing was, or nothing is known of it."""
    held = trace.studies.get(STUDY, {})
    if "edits" not in held:
        return None
    words = tuple(bytes(held["edits"]).decode().split("\n"))
    edit, arguments = edits.parse(words[0])
    if len(words) == 1 and edit.name == "shift":
        return Change(words, int(arguments[0]), int(arguments[1]), True)
    return Change(words)


def before(trace: Trace, name: str) -> Values | None:
    """What a layer was before; None where that had another shape, or is not known."""
    held = trace.studies.get(STUDY, {}).get(name)
    return None if held is None or held.shape != trace[name].shape else np.asarray(held, np.float64)


def places_moved(trace: Trace, name: str) -> tuple[int, ...] | None:
    """By how many of its own places a layer should have moved; None where it has none, or they fall between."""
    done = change(trace)
    step = None if done is None or not done.shift else moving.stride(trace, name)  # which takes long in a deep network
    if done is None or step is None:
        return None
    by = (done.down, done.right) if len(step) == 2 else (done.right,)
    return tuple(far // one for far, one in zip(by, step, strict=True)) \
        if all(far % one == 0 for far, one in zip(by, step, strict=True)) else None


@remembered(64, each_layer=True)
def errors(trace: Trace, name: str) -> Errors:
    """How far a layer is from having moved along, and from having stayed."""
    old, by = before(trace, name), places_moved(trace, name)
    if old is None:
        return Errors(math.nan, math.nan)
    new = trace[name].output
    follows = math.nan if by is None else float(moving.moved_back(old, new, by))
    return Errors(follows, float(moving.left_in_place(old, new)))


# --- which layers -----------------------------------------------------------------------------------------------------

@remembered(2)
def shown(trace: Trace) -> tuple[str, ...]:
    """The input, every layer that computes, after its curve where it has one, and the answer."""
    first = trace.layers[0].name
    found = [first]
    answer = trace.answers[0].layer if trace.answers else ""
    for layer in trace:
        readers = [reader for reader in trace.readers(layer.name) if kinds.role(reader) != "loss"]
        bent = len(readers) == 1 and kinds.curve(readers[0]) is not None and not layer.inner
        scores = len(readers) == 1 and readers[0].name == answer
        if layer.name == answer or (waiting.computes(trace, layer) and not bent and not scores):
            found.append(layer.name)
    return tuple(dict.fromkeys(found))


def _current(trace: Trace, moment: Moment) -> int:
    """The last of the shown layers that the beats have come to, the one before until half of its beat is over."""
    order = trace.places
    seen = parts.crossing(moment, timeline(trace))[0] if moment.phase < HALF else moment
    here = order[seen.beat.layer]
    return max((place for place, name in enumerate(shown(trace)) if order[name] <= here), default=0)


def _window(count: int, current: int, room: int) -> list[int]:
    """Which columns are seen: the first and the last stay, those around the current one scroll between."""
    if count <= room:
        return list(range(count))
    inner = max(1, room - 2)
    start = min(max(1, current - inner + 1), count - 1 - inner)
    return [0, *range(start, start + inner), count - 1]


def channel(trace: Trace, name: str, focus: Focus | None) -> int:
    """Which map of a layer is seen in all rows: the one that was chosen, or the one that spread most before."""
    layer = trace[name]
    if focus is not None and focus.layer == name and focus.array == "output" and focus.cell:
        return focus.cell[0]
    old = before(trace, name)
    values = layer.output if old is None else old
    known = np.where(np.isfinite(values), values, 0.0).astype(np.float64)
    return int(np.argmax(known.reshape(len(values), -1).std(axis=1)))


# --- the grid ---------------------------------------------------------------------------------------------------------

def _grid(trace: Trace, moment: Moment, focus: Focus | None, box: Box, look: Look) -> list[Mark]:
    done = change(trace)
    names = shown(trace)
    left = box.left + LEFT
    errs = 2 * ERROR + 20 if look.mode.notes else 0.0
    after = tr("after") if done is None else tr("after “{edit}”").format(edit=done.title)
    follows = [tr("moved back, difference")] if done is None or done.shift else []
    rows = [tr("as it was"), after, *follows, tr("left in place, difference")]
    high = (box.height - HEAD - errs) / len(rows) - GAP
    count = max(3, min(len(names), int((box.right - left + APART) // (NARROWEST + APART))))
    side = max(16.0, min(TALLEST, high, (box.right - left - 34 + APART) / count - APART))
    pitch = min(2.2 * side if look.mode.notes else 4 * side, (box.right - left - side - 34) / max(1, count - 1))
    seen = _window(len(names), _current(trace, moment), count)
    marks = _rows(rows, box, left, side, done, look)
    for place, index in enumerate(seen):
        name = names[index]
        x = left + place * pitch
        strength = _strength(trace, moment, index)
        column = _column(trace, name, focus, x, box.top + HEAD, side, done, pitch - APART)
        hidden = [Rect(x, box.top + HEAD + row * (side + GAP), side, side, "hatch", group=of_layer(name))
                  for row in range(len(rows))]
        marks += _heading(trace, name, x, box.top, pitch - 6, index == _current(trace, moment))
        marks += faded(hidden, 1 - strength) + faded(column, strength)
        foot = box.top + HEAD + len(rows) * (side + GAP) + 6
        if errs and len(seen) < len(names) and not place:
            marks.append(Text(box.right, foot + 2 * ERROR + 14, plain(tr("further layers scroll with the beats")), 11,
                              400, "ink-2", "end", group=Group(tr("rows"))))
        if errs:
            marks += faded(_errors(trace, name, x, foot, min(side, pitch - 44), done), strength)
    return marks


def _strength(trace: Trace, moment: Moment, index: int) -> float:
    """How much of a column is there: what has not been computed is hatched."""
    if moment.backward:
        return 1.0
    mine, here = trace.places[shown(trace)[index]], trace.places[moment.beat.layer]
    if mine != here or moment.beat.step is not None:
        steps = trace[moment.beat.layer].output.shape[0] if moment.beat.step is not None else 1
        whole = moment.beat.step in (None, 1 if trace[moment.beat.layer].settings.get("reverse") else steps)
        return float(mine < here or (mine == here and whole and moment.phase == 1) or mine == 0)
    return 1.0 if moment.index == 0 else ease(moment.phase)


def _rows(rows: list[str], box: Box, left: float, side: float, done: Change | None, look: Look) -> list[Mark]:
    marks: list[Mark] = []
    for row, words in enumerate(rows):
        y = box.top + HEAD + row * (side + GAP) + side / 2
        lines = wrap(plain(words), 12, left - box.left - 14, 600)[:2]
        for number, line in enumerate(lines):
            marks.append(Text(left - 14, y + 4 + 15 * (number - (len(lines) - 1) / 2), line, 12, 600, "ink", "end"))
    foot = box.top + HEAD + len(rows) * (side + GAP) + 6
    names = [tr("equivariance error"), tr("invariance error")] if look.mode.notes else []
    for row, words in enumerate(names[int(done is not None and not done.shift):]):
        words = elide(words, 12, left - box.left - 14, 600)
        marks.append(Text(left - 14, foot + row * ERROR + 11, plain(words), 12, 600, "ink", "end"))
    return grouped(Group(tr("rows")), marks)


def _heading(trace: Trace, name: str, x: float, y: float, room: float, here: bool) -> list[Mark]:
    group = of_layer(name)
    return [Text(x, y + 12, plain(elide(name, 12, room, 600, True)), 12, 600, "accent-ink" if here else "ink",
                 mono=True, focus=Focus(name), group=group),
            Text(x, y + 27, plain(elide(lengths(trace[name]), 11, room, 400)), 11, 400, "ink-2", max_width=room,
                 group=group)]


@remembered(64)
def _column(trace: Trace, name: str, focus: Focus | None, x: float, y: float, side: float, done: Change | None,
            room: float) -> list[Mark]:
    """The tiles of one layer, one below the other."""
    layer, old = trace[name], before(trace, name)
    new = np.asarray(layer.output, np.float64)
    by = places_moved(trace, name)
    index = channel(trace, name, focus) if layer.output.ndim >= 3 else -1
    own = int(done is not None)  # the row that the recording is
    pairs: list[tuple[Values | None, str]] = [(old, ""), (new, "")] if own else [(new, ""), (None, "")]
    if done is None or done.shift:
        words = "" if done is None else tr("between pixels") if moving.stride(trace, name) else tr("no places")
        pairs.append((None if old is None or by is None else moving.back(old, new, by), words))
    pairs.append((None if old is None else new - old, ""))
    if layer.axes == ("class",) and len(new) <= 40:
        return _answers(trace, layer, [value for value, _ in pairs], x, y, side, room)
    plain_tiles = [None if value is None else _tile(layer, value, index) for value, _ in pairs]
    known = [tile[np.isfinite(tile)] for tile in plain_tiles if tile is not None]
    top = max((float(np.abs(each).max(initial=0.0)) for each in known), default=0.0) or 1.0
    marks: list[Mark] = []
    for row, ((_, words), tile) in enumerate(zip(pairs, plain_tiles, strict=True)):
        at = y + row * (side + GAP)
        if tile is None:
            marks += _none(x, at, side, words)
            continue
        pixels = layer.is_input and layer.has("row", "column") and row < 2
        marks += _image(layer, tile, x, at, side, pixels, top, index if row == own else None)
    return grouped(of_layer(name), marks)


def _tile(layer: Layer, values: Values, index: int) -> Values:
    """(row, column) of what is seen: one map; steps as columns; units in lines of a square, what is left over unknown.
    """
    if values.ndim >= 3:
        found: Values = values[index]
        return found.reshape(-1, found.shape[-1])
    if values.ndim == 2:
        return values.T if layer.axes[0] == "step" else values
    wide = math.ceil(math.sqrt(max(1, values.size)))
    padded = np.full(wide * math.ceil(values.size / wide), np.nan)
    padded[:values.size] = values.ravel()
    return padded.reshape(-1, wide)


def _image(layer: Layer, tile: Values, x: float, y: float, side: float, pixels: bool, top: float,
           index: int | None) -> list[Mark]:
    rows, columns = tile.shape
    square = side / max(rows, columns)
    cell = (square, square) if layer.output.ndim >= 3 or layer.output.ndim == 1 or layer.is_input else \
        (side / columns, side / rows)
    if cell[0] == cell[1] and whole(square) >= 1 and square - whole(square) < 0.15 * square:
        cell = (whole(square),) * 2
    focus = Focus(layer.name) if index is not None and index >= 0 and layer.output.ndim == 3 else None
    low, high = colour.reach(layer.output)
    scale = Scale("pixel", english("pixels"), layer.name, low, high) if pixels else \
        Scale("activation", english("values"), layer.name, -top, top, english("one scale for the column"))
    shades = colour.unit(tile, low, high) if pixels else colour.signed(tile, top)
    return [Rect(x, y, columns * cell[0], rows * cell[1], "", "", focus=Focus(layer.name)),
            Image(x, y, cell, shades[None], scale.palette, indices=(-1 if focus is None or index is None else index,),
                  focus=focus, hatched=None if np.isfinite(tile).all() else ~np.isfinite(tile)[None], scale=scale)]


def _none(x: float, y: float, side: float, words: str) -> list[Mark]:
    marks: list[Mark] = [Rect(x, y, side, side, "hatch")]
    lines = wrap(plain(words), 11, side - 10, 400)[:2] if words else []
    if lines:
        marks.append(Rect(x + 3, y + side / 2 - 9 * len(lines), side - 6, 18 * len(lines), "stage", radius=3))
    return marks + [Text(x + side / 2, y + side / 2 + 4 + 15 * (number - (len(lines) - 1) / 2), line, 11, 400, "ink-2",
                         "middle") for number, line in enumerate(lines)]


def _answers(trace: Trace, layer: Layer, rows: list[Values | None], x: float, y: float, side: float,
             room: float) -> list[Mark]:
    """A bar for each class, and which is the largest; the difference as bars to both sides."""
    marks: list[Mark] = []
    for row, values in enumerate(rows):
        at = y + row * (side + GAP)
        if values is None:
            marks += _none(x, at, side, "")
            continue
        high = side / len(values)
        best, top = int(np.argmax(values)), float(np.abs(values).max(initial=0.0)) or 1.0
        difference = row >= 2
        for index, value in enumerate(values.tolist()):
            long = (side / 2 if difference else side) * abs(value) / (1.0 if kinds.shares(layer) else top)
            start = x + side / 2 - (long if value < 0 else 0) if difference else x
            ink = ("positive-bar" if value >= 0 else "negative-bar") if difference else \
                "accent" if index == best else "ink-2"
            marks += [Rect(x, at + index * high, side, max(1.0, high - 2), "sunk"),
                      Rect(start, at + index * high, max(0.5, min(long, side)), max(1.0, high - 2), ink)]
        if not difference:
            label = trace.labels[best] if best < len(trace.labels) else str(best)
            level = at + min(side - 2, (best + 0.5) * high + 5)
            marks.append(Text(x + side + 6, level, plain(elide(label, 13, 28, 600)), 13, 600, "accent-ink"))
    return grouped(of_layer(layer.name), marks)


def _errors(trace: Trace, name: str, x: float, y: float, wide: float, done: Change | None) -> list[Mark]:
    found = errors(trace, name)
    rows = [(found.follows, "equivariance error"), (found.stays, "invariance error")]
    marks: list[Mark] = []
    for row, (value, quantity) in enumerate(rows[int(done is not None and not done.shift):]):
        at = y + row * ERROR
        if math.isnan(value):
            marks.append(Rect(x, at, wide, 12, "hatch"))
            continue
        words = said(numbers.number(value), quantity, name)
        marks += [Rect(x, at, wide, 12, "sunk"), Rect(x, at, max(0.5, wide * min(1.0, value / MOST)), 12, "ink-2"),
                  Text(x + wide + 6, at + 10.5, plain(words), 12, 600)]
    return grouped(of_layer(name), marks)


# --- words ------------------------------------------------------------------------------------------------------------

def _sentence(trace: Trace, moment: Moment) -> str:
    done = change(trace)
    if done is None:
        return tr("Nothing is done to the input yet: shift it under “What if”, and every layer is compared with what "
                  "it was.")
    name = shown(trace)[_current(trace, moment)]
    found = errors(trace, name)
    if math.isnan(found.stays):
        return tr("After “{edit}” {layer} has another shape than before, so that the two cannot be compared.").format(
            edit=done.title, layer=name)
    stays = said(_percent(found.stays), "invariance error", name)
    if not done.shift:
        return tr("After “{edit}” {layer} differs from what it was by {{{stays}}} of its size.").format(
            edit=done.title, layer=name, stays=stays)
    by = tr("{right} right, {down} down").format(right=said(numbers.count(done.right), "moved right"),
                                                down=said(numbers.count(done.down), "moved down")) \
        if trace.layers[0].has("row", "column") else said(numbers.count(done.right), "moved right")
    if math.isnan(found.follows):
        return tr("Moved by {by}: {layer} has no places that move along; it differs from what it was by {{{stays}}}."
                  ).format(by=by, layer=name, stays=stays)
    return tr("Moved by {by}: moved back, {layer} differs from what it was by {{{follows}}}, left in place by {stays}."
              ).format(by=by, layer=name, stays=stays,
                       follows=said(_percent(found.follows), "equivariance error", name))


def _percent(share: float) -> str:
    return numbers.percent(share, 0 if share >= 0.1 else 1)


@remembered(1)
def _table(trace: Trace) -> Table:
    """One row a layer."""
    rows = tuple((name, errors(trace, name).follows, errors(trace, name).stays) for name in shown(trace))
    return Table((tr("layer"), tr("equivariance error"), tr("invariance error")), rows)


VIEW = View(
    "moved", english("Moved"),
    english("What a change of the input changes at every layer, and whether the maps move along with it."),
    suits=lambda trace: "lab" not in trace.studies and bool(trace.layers[0].output.ndim), draw=draw, telling=answered,
    order=29, group=PARTS, studies=(STUDY,),
    tries=english("Shift the input under “What if” by 4 pixels: maps move along, units and answers do not."),
)
