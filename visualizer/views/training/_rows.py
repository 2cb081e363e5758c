"""The rows: each one quantity over the updates, all over the same axis; the values at the cursor at their right."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer import titles
from visualizer.kinds.gates import named
from visualizer.language import tr
from visualizer.said import said, tick
from visualizer.scene import colour, numbers
from visualizer.scene.boxes import Box, whole
from visualizer.scene.picture import (
    BEAT,
    Choice,
    Focus,
    Group,
    Image,
    Line,
    Look,
    Mark,
    Rect,
    Scale,
    Text,
    grouped,
    plain,
)
from visualizer.scene.reading import visible
from visualizer.scene.type import elide, width
from visualizer.train import DEAD, EXPLODED, NOT_A_NUMBER, SATURATED, VANISHED, Named, seen
from visualizer.views.training._run import (
    BINS,
    CORNER,
    GATES,
    Axis,
    Film,
    Numbers,
    Tiles,
    biases,
    binned,
    path,
    thinned,
    tiles,
)

SHARES = ("saturated", "gates")
"""Maps of shares, from 0 to 1."""
Marks = tuple[list[Mark], list[Mark]]
"""(still, moving)."""
DECADES = 1e5
"""Below the largest of a map by so much, and it has no colour."""
LEAST_STRIP, MOST_ANSWERS = 6.0, 110.0
WEIGHTS, FOR_A_ROOM = 1, 3
"""The rank of the weights of the first layer; only the loss is before them; and the last one that a room sees."""


@dataclass(frozen=True)
class Row:
    """One row: how important it is, 0 most, and how high it must and may be."""

    rank: int
    least: float
    most: float
    draw: Callable[[Box], Marks]


def rows(film: Film, axis: Axis, look: Look) -> list[Row]:
    """Every row that there is something for, from the top."""
    layers, held = film.run.layers, film.held
    found = [Row(0, 44, 84, partial(_loss, film, axis, look))]
    if film.classes:
        found.append(Row(3, 34, 70, partial(_right, film, axis, look)))
    shown = tiles(film.trace)
    if shown is not None:
        count = len(shown.names)
        each = 28.0 if shown.recurrent else 31.0 if max(shown.values.shape[-2:]) > CORNER else 18.0
        found.append(Row(WEIGHTS, each * count, max(100.0, (42.0 if shown.recurrent else 28.5) * count),
                         partial(_strip, film, shown, axis, look)))
    offsets = biases(film.trace)
    if offsets is not None:
        found.append(_maps_row(4, film, axis, look, _Map(
            tr("gate biases"), tr("mean of both, summed"), tuple(map(named, GATES[len(offsets[0])])),
            film.kept.astype(float), offsets, "weight", "mean bias")))
    gates = held.get("gates")
    if gates is not None and len(gates) == len(film.kept):
        names = bytes(held["gates_named"]).decode().split("\n")
        found.append(_maps_row(4, film, axis, look, _Map(
            tr("gates"), tr("mean of this input"), tuple(map(named, names)), film.kept.astype(float), gates, "pixel",
            "gates")))
    found += [_maps_row(2, film, axis, look, _Map(
        tr("gradient ‖∂L/∂W‖"), tr("of each layer, log"), layers, held["step"], held["gradient"], "gradient",
        "gradient")), _maps_row(5, film, axis, look, _Map(
            tr("step ‖ΔW‖"), tr("of each layer, log"), layers, held["step"], held["moved"], "pixel", "moved"))]
    if "alone" in held:  # nobody saw a single step
        del found[-1]
    found += _states(film, axis, look)
    if np.size(held["answer"]):
        found.append(_answers(film, axis, look) if film.run.labels else
                     Row(6, 34, 70, partial(_number, film, axis, look)))
    chosen = path(film, look.knob("weight", ""))
    if chosen is not None:
        found.append(Row(8, 32, 64, partial(_path, film, axis, look, *chosen)))
    return found if look.mode.charts else [row for row in found if row.rank <= FOR_A_ROOM]


def _states(film: Film, axis: Axis, look: Look) -> list[Row]:
    """What activations do: how much of them is flat, and how far their values are spread."""
    held, names = film.held, film.run.activations
    found = []
    if names and (not len(held["step"]) or np.isfinite(held["saturated"]).any()):
        found.append(_maps_row(7, film, axis, look, _Map(
            tr("flat values"), tr("ReLU zeros, tanh ends"), names, held["step"], held["saturated"], "pixel",
            "saturated")))
    if names and (not len(held["step"]) or np.isfinite(held["spread"]).any()):
        found.append(_maps_row(9, film, axis, look, _Map(
            tr("spread of values"), tr("of each activation, log"), names, held["step"], held["spread"], "pixel",
            "spread")))
    return found


# --- curves -----------------------------------------------------------------------------------------------------------

def _loss(film: Film, axis: Axis, look: Look, box: Box) -> Marks:
    """Of each batch, thin; over the held-out rows at each checkpoint."""
    held = film.held
    known = np.concatenate([held["held_loss"], held["loss"]])
    known = known[np.isfinite(known)]
    first = float(held["held_loss"][0])
    top = float(known.max()) if known.size else 1.0
    if np.isfinite(first) and top > 3 * first > 0:  # one that exploded would lay all else flat
        top = 3 * first
    still, marks = _title(axis, look, box, tr("loss"), tr("of this input") if "alone" in held else
                         tr("thin: each batch")), []
    still += _ticks(axis, look, box, 0.0, top or 1.0, lambda value: numbers.significant(value, 2))
    marks += _curves(film, axis, box, (0.0, top or 1.0), "loss", "held_loss")
    marks += _named(film, axis, box, (NOT_A_NUMBER,))
    marks += _here(film, axis, box, film.value("held_loss", film.place) / (top or 1.0),
                   film.number("held_loss", film.place))
    return still, marks + stops(film, axis, box, film.tips.__getitem__)


def _right(film: Film, axis: Axis, look: Look, box: Box) -> Marks:
    still = _title(axis, look, box, tr("right answers"), tr("of the held-out rows"))
    still += _ticks(axis, look, box, 0.0, 1.0, lambda value: numbers.percent(value, 0))
    marks = _curves(film, axis, box, (0.0, 1.0), "right", "held_right") + _here(
        film, axis, box, film.value("held_right", film.place), film.percent("held_right", film.place))
    return still, marks + stops(film, axis, box, film.tips.__getitem__)


def _number(film: Film, axis: Axis, look: Look, box: Box) -> Marks:
    """The answer of a network that answers with a number."""
    values = np.asarray(film.held["answer"], float)[:, 0]
    low, high = colour.reach(values)
    low, high = min(0.0, low), max(high, low + 1e-9)
    sample = elide(titles.of(film.trace.sample), 11, axis.left - 24)
    still = _title(axis, look, box, tr("answer"), sample)
    still += _ticks(axis, look, box, low, high, lambda value: numbers.significant(value, 2))
    points = thinned(axis.xs(film.held["answered"]), box.bottom - (values - low) / (high - low) * box.height)
    marks: list[Mark] = _unknown(film, axis, box)
    marks += [Line(tuple(points), "ink", 1.75)] if len(points) > 1 else []
    at = film.answered
    if at >= 0:
        marks += _here(film, axis, box, (float(values[at]) - low) / (high - low), film.number("answer", at, 0))
    return still, marks + stops(film, axis, box, film.tips.__getitem__)


def _path(film: Film, axis: Axis, look: Look, key: str, cell: tuple[int, ...], box: Box) -> Marks:
    """One weight at every checkpoint."""
    values = np.array([each[cell] for each in np.asarray(film.held[key], float)])
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    high = high if high > low else low + 1e-9
    word = key.removeprefix("weights/").rpartition(".")[0]
    still = _title(axis, look, box, tr("one weight"), f"{word} [{', '.join(map(_bare, cell))}]")
    still += _ticks(axis, look, box, low, high, lambda value: numbers.significant(value, 2))
    points = [(axis.x(int(step)), box.bottom - (value - low) / (high - low) * box.height)
              for step, value in zip(film.kept, values.tolist(), strict=True)]
    marks: list[Mark] = _unknown(film, axis, box)
    marks += [Line(tuple(points), "ink", 1.5)] if len(points) > 1 else []
    marks += [Rect(x - 2, y - 2, 4, 4, "ink", radius=2) for x, y in points]
    share = (float(values[film.place]) - low) / (high - low)
    marks += _here(film, axis, box, share, film.number(key, film.place, *cell))
    return still, marks + stops(film, axis, box, lambda place: tr("after {step} updates: {value}").format(
        step=said(numbers.count(int(film.kept[place])), "updates", step=int(film.kept[place])),
        value=film.number(key, place, *cell)))


def _bare(number: int) -> str:
    """A number of a place, which claims no more than itself."""
    return said(str(number), "factor", array=repr(float(number)))


def _curves(film: Film, axis: Axis, box: Box, ends: tuple[float, float], thin: str, thick: str) -> list[Mark]:
    """What each batch gave, and what the held-out rows gave at each checkpoint; behind them, dashed, what the run
    before gave and the one that is pinned; hatched where nothing is known yet."""
    low, high = ends

    def points(steps: NDArray[Any], values: NDArray[Any]) -> list[tuple[float, float]]:
        steps = np.asarray(steps, float)
        inside = steps <= axis.last
        shown = np.clip(np.asarray(values, float)[inside], low, high)
        return thinned(axis.xs(steps[inside]), box.bottom - (shown - low) / (high - low) * box.height)

    marks: list[Mark] = _unknown(film, axis, box)
    for name, ink in ((seen.BEHIND, "ink-2"), (seen.PINNED, "accent-ink")):
        if f"{name}/kept" in film.held:
            before = points(film.held[f"{name}/kept"], film.held[f"{name}/{thick}"])
            if len(before) > 1:
                marks.append(Line(tuple(before), ink, 1.25, dashed=True))
            if name == seen.PINNED and before:
                marks.append(Text(before[-1][0] + 4, before[-1][1] + 4, plain("A"), 11, 600, ink))
    batch, rows_held = points(film.held["step"], film.held[thin]), points(film.kept, film.held[thick])
    marks += [Line(tuple(batch), "ink-2", 0.75, opacity=0.6)] if len(batch) > 1 else []
    marks += [Line(tuple(rows_held), "ink", 2)] if len(rows_held) > 1 else []
    return marks + [Rect(x - 2, y - 2, 4, 4, "ink", radius=2) for x, y in rows_held]


def _unknown(film: Film, axis: Axis, box: Box) -> list[Mark]:
    """Hatched from the last update on."""
    x = axis.x(film.last)
    return [Rect(x, box.top, axis.right - x, box.height, "hatch")] if film.last < axis.last - 0.5 else []


def stops(film: Film, axis: Axis, box: Box, tip: Callable[[int], str]) -> list[Mark]:
    """Around each checkpoint of a row a place that goes there: a click, or a drag over them; `tip` tells of one."""
    xs = axis.xs(film.kept).tolist()
    edges = [axis.left - 6, *((one + other) / 2 for one, other in pairwise(xs)), max(xs[-1] + 6, axis.x(film.last))]
    name = film.trace.layers[0].name
    return [Rect(left, box.top, right - left, box.height, focus=Focus(name, (place,), BEAT), tip=tip(place),
                 holds=film.stops[place]) for place, (left, right) in enumerate(pairwise(edges)) if right > left]


def _here(film: Film, axis: Axis, box: Box, share: float, words: str) -> list[Mark]:
    """The dot on the cursor line, and its number beside it where the curve does not go."""
    if not np.isfinite(share):
        return []
    x, y = axis.x(film.now), box.bottom - min(1.0, max(0.0, share)) * box.height
    wide = width(words, 13, 600)
    right = x + 12 + wide < axis.right
    at = x + 8 if right else x - 8
    level = y - 7 if y - 18 > box.top - 6 else y + 17
    return [Rect(x - 4, y - 4, 8, 8, "accent", radius=4),
            Rect(at - 2 if right else at - wide - 2, level - 11, wide + 4, 14, "stage", radius=3, opacity=0.85),
            Text(at, level, plain(words), 13, 600, "accent-ink", "start" if right else "end")]


def _ticks(axis: Axis, look: Look, box: Box, low: float, high: float, words: Callable[[float], str]) -> list[Mark]:
    """Hairlines at both ends and, where there is room, in the middle; what they stand for at the right."""
    marks: list[Mark] = []
    values = (low, (low + high) / 2, high) if box.height >= 40 else (low, high)
    for value in values:
        y = box.bottom - (value - low) / (high - low) * box.height
        marks += [Line(((axis.left, y), (axis.right, y)), "hair"),
                  Text(axis.right + 8, y + 4, plain(tick(words(value), value, low, high)), 11, 400, "ink-2")]
    return marks


def _title(axis: Axis, look: Look, box: Box, title: str, note: str = "", lower: float = 12.0) -> list[Mark]:
    """The name of a row at its left, and below it what it is."""
    room = axis.left - 20
    marks: list[Mark] = [Text(axis.left - 12, box.top + lower, plain(elide(title, 12, room, 600)), 12, 600, "ink",
                              "end")]
    if note and look.mode.notes and box.height >= lower + 14:
        marks.append(Text(axis.left - 12, box.top + lower + 14, plain(elide(note, 11, room)), 11, 400, "ink-2", "end"))
    return marks


def _named(film: Film, axis: Axis, box: Box, what: Sequence[str]) -> list[Mark]:
    """Where something went wrong, in words, once it has begun."""
    marks: list[Mark] = []
    y = box.top + 10
    begun: dict[str, list[Named]] = {}
    for each in film.run.named:
        if each.what in what and film.has_begun(each):
            begun.setdefault(each.what, []).append(each)
    for kind, several in begun.items():
        where = ", ".join(each.where for each in several)
        words = {DEAD: tr("{where} dead"), SATURATED: tr("{where} saturated"), VANISHED: tr("{where} vanished"),
                 EXPLODED: tr("{where} exploded"), NOT_A_NUMBER: tr("no number")}[kind].format(where=where)
        x = axis.x(several[0].step)
        wide = width(words, 11, 600)
        here = axis.x(film.now)
        right = x + 8 + wide < axis.right and not x + 2 < here < x + wide + 9
        marks += [Line(((x, box.top), (x, box.bottom)), "alarm", 1.5) for x in {axis.x(each.step) for each in several}]
        if kind == NOT_A_NUMBER:
            marks.append(Rect(x, box.top, max(0.0, axis.right - x), box.height, "hatch"))
        if y < box.bottom + 2:
            marks += [Rect(x + 3 if right else x - wide - 9, y - 10, wide + 6, 14, "stage", radius=3, opacity=0.9),
                      Text(x + 6 if right else x - 6, y, plain(words), 11, 600, "ink", "start" if right else "end")]
        y += 14
    return marks


# --- weights ----------------------------------------------------------------------------------------------------------

def _strip(film: Film, shown: Tiles, axis: Axis, look: Look, box: Box) -> Marks:
    """The first layer's weights at each checkpoint, as many of them as there is room for, in one scale."""
    count, (high, wide) = len(shown.names), shown.values.shape[-2:]
    room = box.height / count - 3
    cell = whole(min(room, 44.0 if shown.recurrent else 34.0) / max(high, wide), look.pixel) or room / max(high, wide)
    tall, across = cell * high, cell * wide
    pitch = tall + 3
    focus = Focus(shown.layer)
    scale = Scale("weight", tr("weights"), shown.layer, -shown.top, shown.top, tr("one scale for all checkpoints"))
    if shown.recurrent:
        title = tr("recurrent weights")
        note = tr("{layer}: first {count} units").format(layer=shown.layer, count=_bare(high))
    else:
        words = tr("filters of {layer}") if np.ndim(film.held[shown.key]) > 3 else tr("weights of {layer}")
        title, note = words.format(layer=shown.layer), tr("one scale for all")
    still = _title(axis, look, box, title, note)
    if look.mode.notes and box.height >= 86 and look.bars:
        still += _legend(axis.left - 12 - 92, box.top + 40, 92, shown.top, shown.cut)
    marks: list[Mark] = stops(film, axis, box, film.tips.__getitem__)
    for place in _apart(axis, film, across + 4):
        x = min(max(axis.x(int(film.kept[place])) - across / 2, axis.left), axis.right - across + 14)
        step = said(numbers.count(int(film.kept[place])), "updates", step=int(film.kept[place]))
        name = tr("weights of {layer} after {step} updates").format(layer=shown.layer, step=step)
        marks += grouped(Group(name, focus), [Image(
            x, box.top, (cell, cell), colour.signed(shown.values[place], shown.top), "weight", 1, (0, pitch),
            indices=(-1,), focus=focus, scale=scale)])
        if place == film.place:
            marks.append(Rect(x - 3, box.top - 3, across + 6, pitch * count + 3, "", "accent", 2, radius=3))
            marks += _cells(film, shown, x, box.top, cell, pitch)
        else:
            marks.append(Rect(x, box.top, across, pitch * count, focus=Focus(
                film.trace.layers[0].name, (place,), BEAT), tip=name, holds=film.stops[place]))
    if pitch >= 11:
        marks += [Text(axis.right + 20, box.top + pitch * place + tall / 2 + 4, plain(
            named(name) if shown.recurrent else _bare(int(name))), 11, 400, "ink-2",
            max_width=look.size[0] - axis.right - 22) for place, name in enumerate(shown.names) if name]
    return still, marks


def _apart(axis: Axis, film: Film, across: float) -> list[int]:
    """The checkpoints whose pictures do not lie over each other; the one at the cursor is among them."""
    here = axis.x(film.now)
    chosen, end = [], -1e9
    for place, step in enumerate(film.kept.tolist()):
        x = axis.x(step)
        if place == film.place or (x >= end + across and abs(x - here) >= across):
            chosen.append(place)
            end = x
    return chosen


def _cells(film: Film, shown: Tiles, x: float, y: float, cell: float, pitch: float) -> list[Mark]:
    """Each weight at the cursor, to be chosen for its path."""
    shape = film.held[shown.key].shape[1:]
    if cell < 3 or shown.places.size > 400:
        return []
    found: list[Mark] = []
    for tile, row, column in np.ndindex(shown.places.shape):
        at = int(shown.places[tile, row, column])
        if at < 0:
            continue
        place = tuple(int(index) for index in np.unravel_index(at, shape))
        tip = tr("{value}; a click shows its path").format(value=film.number(shown.key, film.place, *place))
        found.append(Rect(x + column * cell, y + tile * pitch + row * cell, cell, cell, focus=Focus(shown.layer),
                          tip=tip, holds=Choice("weight", ",".join(map(str, place)))))
    return found


def _legend(x: float, y: float, wide: float, top: float, cut: bool) -> list[Mark]:
    """The colours of the weights; `cut` where some lie beyond them."""
    ramp, (less, more) = np.arange(1, 256, dtype=np.uint8)[None, None], ("≤ ", "≥ ") if cut else ("", "")
    return [Text(x, y, plain(tr("weight")), 11, 500, "ink-2"),
            Image(x, y + 6, (wide / 255, 7), ramp, "weight", border="tile-border"),
            Text(x, y + 26, plain(less + tick(numbers.number(-top), -top, -top, top)), 11, 400, "ink-2"),
            Text(x + wide, y + 26, plain(more + tick(numbers.number(top), top, -top, top)), 11, 400, "ink-2", "end")]


# --- maps -------------------------------------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class _Map:
    """Several quantities over the updates, each a strip of colours."""

    title: str
    note: str
    names: tuple[str, ...]
    moments: Numbers
    values: Numbers
    """(moments, rows)."""
    palette: str
    key: str
    """Of the array in which a value can be looked up."""


def _maps_row(rank: int, film: Film, axis: Axis, look: Look, shown: _Map) -> Row:
    count = len(shown.names)
    least = max(30.0, (12.5 if count <= 6 else LEAST_STRIP) * count)
    return Row(rank, least, max(least, 34.0, 16.0 * count), partial(_map, film, axis, look, shown))


def _map(film: Film, axis: Axis, look: Look, shown: _Map, box: Box) -> Marks:
    count = len(shown.names)
    high = min(16.0, box.height / count)
    values = binned(axis, np.asarray(shown.moments, float), shown.values, film.last)
    title = shown.title if look.mode.notes or shown.key != "gradient" else tr("gradient, log")
    still = _title(axis, look, box, title, shown.note)
    scale, entries = _coloured(film, shown, values)
    focus = Focus(film.trace.layers[0].name)
    marks: list[Mark] = [*grouped(Group(shown.title, focus), [Image(
        axis.left, box.top, ((axis.right - axis.left) / BINS, high), entries[None], shown.palette, indices=(-1,),
        border="", scale=scale, hatched=~np.isfinite(values)[None])])]
    marks += [Line(((axis.left, box.top + high * row), (axis.right, box.top + high * row)), "stage", 1)
              for row in range(1, count) if high >= 8]
    if look.mode.notes and box.height >= 44 and scale is not None and scale.log and look.bars:
        still += [Text(axis.left - 12, box.top + 40, plain(tr("{low} to {high}").format(
            low=tick(numbers.significant(scale.low, 1), scale.low, scale.low, scale.high),
            high=("≥ " if math.isfinite(film.sound) else "") + tick(
                numbers.significant(scale.high, 2), scale.high, scale.low, scale.high))), 11, 400, "ink-2",
            "end")]
    at = int(np.searchsorted(shown.moments, film.now, side="right")) - 1
    end = -100.0
    for row, name in enumerate(shown.names):
        y = box.top + high * (row + 0.5) + 4
        if y < end + 11:
            continue
        end = y
        value = _value(film, shown, at, row) if at >= 0 else "–"
        marks.append(Text(look.size[0] - 12, y, plain(value), 11, 600, "accent-ink", "end"))
        room = look.size[0] - 18 - width(value, 11, 600) - axis.right - 6
        marks.append(Text(axis.right + 6, y, plain(elide(name, 11, room)), 11, 400, "ink-2"))
    marks += _read_off(film, axis, shown, box, high)
    words = {"gradient": (VANISHED, EXPLODED), "saturated": (DEAD, SATURATED)}.get(shown.key, ())
    return still, marks + _named(film, axis, box, words)


def _value(film: Film, shown: _Map, at: int, row: int) -> str:
    """One value of a map in words, claimed."""
    value = float(shown.values[at, row])
    if shown.key == "mean bias":
        return said(numbers.number(value), "mean gate bias", film.run.layers[0], (at, row, len(shown.names)))
    if not np.isfinite(value):
        return "–"
    return film.percent(shown.key, at, row, digits=0) if shown.key in SHARES else film.number(shown.key, at, row)


def _coloured(film: Film, shown: _Map, values: Numbers) -> tuple[Scale | None, colour.Entries]:
    """Its colours end at the largest value before something exploded."""
    sound = shown.values[shown.moments < film.sound]
    sound = sound if len(sound) else shown.values
    known = sound[np.isfinite(sound)]
    if shown.key in SHARES:
        return Scale(shown.palette, shown.title, "", 0.0, 1.0), colour.unit(values)
    top = float(np.abs(known).max()) if known.size else 1.0
    top = top or 1.0
    if shown.palette == "weight":
        return Scale(shown.palette, shown.title, "", -top, top), colour.signed(values, top)
    positive = known[known > 0]
    low = max(float(positive.min()), top / DECADES) if positive.size else top / 10
    low = min(low, top / 1.01)
    return Scale(shown.palette, shown.title, "", low, top, log=True), colour.magnitude(values, low, top)


def _read_off(film: Film, axis: Axis, shown: _Map, box: Box, high: float) -> list[Mark]:
    """Around each checkpoint what a strip says there."""
    found: list[Mark] = []
    ats = (np.searchsorted(shown.moments, film.kept, side="right") - 1).tolist()

    words = tr("{title} {name}, update {step}: {value}")
    steps = [said(numbers.count(step), "updates", step=step) for step in film.kept.tolist()]

    def tip(row: int, place: int) -> str:
        return "" if ats[place] < 0 else words.format(
            title=shown.title, name=shown.names[row], value=_value(film, shown, ats[place], row), step=steps[place])

    for row in range(len(shown.names)):
        found += stops(film, axis, Box(box.left, box.top + high * row, box.right, box.top + high * (row + 1)),
                       partial(tip, row))
    return found


def _answers(film: Film, axis: Axis, look: Look) -> Row:
    """The probability of each class for the chosen input."""
    count = len(film.run.labels)
    return Row(4, max(44.0, min(5.0 * count, MOST_ANSWERS)), min(12.0 * count, 1.5 * MOST_ANSWERS),
               partial(_answer, film, axis, look))


def _answer(film: Film, axis: Axis, look: Look, box: Box) -> Marks:
    labels, held = film.run.labels, film.held
    count, high = len(labels), box.height / len(labels)
    values = binned(axis, np.asarray(held["answered"], float), held["answer"], film.last)
    name = elide(titles.of(film.trace.sample), 11, axis.left - 24)
    still = _title(axis, look, box, tr("answer"), name)
    if look.mode.notes and box.height >= 44:
        still.append(Text(axis.left - 12, box.top + 40, plain(tr("probability of each class")), 11, 400, "ink-2",
                          "end", max_width=axis.left - 16))
    focus = Focus(film.trace.layers[0].name)
    marks: list[Mark] = [*grouped(Group(tr("answer"), focus), [Image(
        axis.left, box.top, ((axis.right - axis.left) / BINS, high), colour.unit(values)[None], "pixel", indices=(-1,),
        border="", scale=Scale("pixel", tr("probability"), "", 0.0, 1.0), hatched=~np.isfinite(values)[None])]),
        Rect(axis.left, box.top, axis.right - axis.left, box.height, "", "hair")]
    marks += stops(film, axis, box, partial(_answer_told, film))
    at = film.answered
    if at < 0 or not np.isfinite(held["answer"][at]).all():
        return still, marks
    chances = np.asarray(held["answer"][at], float)
    end = -100.0
    likely = sorted(np.argsort(-chances, kind="stable")[:2].tolist())
    for place in likely if count > 1 else [0]:
        y = max(box.top + high * (place + 0.5) + 4, end + 13)
        end = y
        label = said(visible(labels[place]), "label", cell=(place,))
        marks += [Text(axis.right + 8, y, plain(elide(label, 11, 34, 600)), 11, 600, "ink"),
                  Text(look.size[0] - 12, y, plain(film.percent("answer", at, place, digits=0)), 11, 600, "accent-ink",
                       "end")]
    return still, marks


def _answer_told(film: Film, place: int) -> str:
    """The likeliest answer at a checkpoint."""
    at = int(np.searchsorted(film.held["answered"], film.kept[place], side="right")) - 1
    if at < 0 or not np.isfinite(film.held["answer"][at]).all():
        return ""
    likely = int(np.argmax(film.held["answer"][at]))
    step = int(film.kept[place])
    return tr("after {step} updates: {label} with {percent}").format(
        step=said(numbers.count(step), "updates", step=step),
        label=said(visible(film.run.labels[likely]), "label", cell=(likely,)),
        percent=film.percent("answer", at, likely))
