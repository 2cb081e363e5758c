"""Surgery: before, after and the difference side by side, and which unit matters most."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from visualizer import edits, kinds
from visualizer.edits.cuts import ZERO
from visualizer.language import english, tr
from visualizer.said import lengths, said
from visualizer.scene import colour, numbers, parts
from visualizer.scene.boxes import Box
from visualizer.scene.labels import fitting
from visualizer.scene.lanes import lanes
from visualizer.scene.parts import faded
from visualizer.scene.picture import (
    Choice,
    Focus,
    Group,
    Image,
    Line,
    Look,
    Mark,
    Picture,
    Rect,
    Scale,
    Text,
    Toggles,
    grouped,
    of_layer,
    plain,
    unmarked,
)
from visualizer.scene.reading import visible
from visualizer.scene.telling import answered
from visualizer.scene.timeline import Moment, ease
from visualizer.scene.type import elide, width
from visualizer.trace import Layer, Trace
from visualizer.views import ALL, WHOLE, View
from visualizer.views.surgery import _measured as measured
from visualizer.views.surgery import _page, _ranking, _sandbox, _words, offers
from visualizer.views.surgery._measured import RANKING, STUDY, Values
from visualizer.views.surgery._sandbox import STUDY as SANDBOX
from visualizer.views.surgery.offers import BY

TOP, ROOM_TOP, HEAD, GAP, APART, LABELS = 62.0, 104.0, 26.0, 4.0, 24.0, 104.0
CHIP = 26.0
LEAST_ROW, LARGE, MOST_ROW, LINED, ANSWER = 86.0, 180.0, 260.0, 62.0, 104.0
RANK, LOW_RANK, SAND, ROOMY = 176.0, 142.0, 248.0, 640.0
LISTED_BESIDE = 900
"""Pixels of width from which the rail lists what is done; in a smaller picture it says so itself."""
COLUMNS = ("before", "after", "difference")
INPUT = 84.0
"""The side of the input, whose pixels are painted."""
MOST_MAPS = 24
"""So many maps of a layer are seen, those that change most."""
MOST_CLASSES, MOST_UNITS, LEAST_LINE = 12, 128, 2.0
"""So many classes and units are to be clicked, and lines of units from so high on."""
HALF = 0.5
"""So much of a beat is over when the gradient is seen at its layer."""


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """Rows of layers in three columns, on one scale a row; below it the ranking."""
    told = _words.sentence(trace)
    still, moving = lanes(trace, moment, look)
    box = parts.body(look, TOP if look.mode.notes else ROOM_TOP)
    marks: list[Mark] = []
    top = box.top
    if look.size[0] < LISTED_BESIDE:
        marks += _chips(trace, look, box)
        top += CHIP + 6
    below = look.knob("below", "ranking")
    ranked = RANK if box.height > ROOMY else LOW_RANK
    rank = (SAND if below == "sandbox" else ranked) if look.mode.charts and box.height > 420 else 0.0
    marks += _columns(trace, moment, focus, Box(box.left, top, box.right, box.bottom - rank - 8), look)
    if rank:
        place = Box(box.left, box.bottom - rank, box.right, box.bottom - 6)
        marks += _sandbox.draw(trace, place, focus, look) if below == "sandbox" else \
            _ranking.draw(trace, place, look.knob("rank", "units"), look)
    return Picture(look.size, (*parts.sentence(look, told), *still), (*marks, *moving), look.theme,
                   caption=unmarked(told), table=_words.table(trace))


# --- the list of edits ------------------------------------------------------------------------------------------------

def _chips(trace: Trace, look: Look, box: Box) -> list[Mark]:
    """What is done, each with its switch; those that are switched off stay, dashed."""
    active = measured.words(trace)
    kept = tuple(word for word in look.knob("off", "").split("|") if word and word not in active and _readable(word))
    x, marks = box.left, list[Mark]()
    for word in (*active, *kept):
        on = word in active
        words = _words.named(word)
        wide = min(box.width, width(words, 12, 500) + 40)
        if x + wide > box.right:
            break
        marks += [Rect(x, box.top, wide, CHIP - 4, "tint" if on else "stage", "accent" if on else "edge",
                       radius=11, dashed=not on, focus=Focus(trace.layers[0].name), holds=Toggles(word),
                       tip=tr("switch this edit off") if on else tr("switch this edit on")),
                  Rect(x + 7, box.top + 6, 18, 10, "accent" if on else "sunk", "accent" if on else "ink-2", radius=5),
                  Rect(x + (16 if on else 8), box.top + 7, 8, 8, "stage", radius=4),
                  Text(x + 31, box.top + 15.5, plain(elide(words, 12, wide - 38, 500)), 12, 500,
                       "ink" if on else "ink-2")]
        x += wide + 8
    return grouped(Group(tr("edits")), marks)


def _readable(word: str) -> bool:
    try:
        return bool(edits.parse(word))
    except LookupError:
        return False


# --- three columns ----------------------------------------------------------------------------------------------------

def _columns(trace: Trace, moment: Moment, focus: Focus | None, box: Box, look: Look) -> list[Mark]:
    answer = measured.shares(trace)
    names = list(measured.rows(trace))
    low = ANSWER if answer else 0.0
    left = box.height - HEAD - low
    seen = _seen(look)
    wide = (box.width - LABELS - (len(seen) - 1) * APART) / len(seen)
    if _fitting(trace, names, left) < len(names) or (names and _highs(trace, names, left, wide)[0] < LARGE):
        # what only makes maps smaller goes first
        names = [name for name in names if kinds.role(trace[name]) != "largest"]
    first = next((place for place, name in enumerate(names) if measured.reaches(trace, name) > 0), 0)
    names = _spread(trace, names, first, left)
    highs = _highs(trace, names, left, wide)
    lefts = {column: box.left + LABELS + place * (wide + APART) for place, column in enumerate(seen)}
    difference = fitting((tr("Difference, after − before"), tr("Difference")), wide, 13, 600)
    heads = (tr("Before"), tr("After"), difference)
    marks: list[Mark] = _input(trace, box.left, box.top + 6) if names and highs[0] + HEAD >= INPUT + 48 else []
    for column in seen:
        marks.append(Text(lefts[column], box.top + 14, plain(elide(heads[column], 13, wide, 600)), 13, 600,
                          group=Group(heads[column])))
        marks.append(Rect(lefts[column] - 4, box.top, wide, 20, "", focus=Focus(trace.layers[0].name),
                          tip=tr("{column} alone and large, or all three; the first digit keys do the same").format(
                              column=heads[column]),
                          holds=Choice("column", COLUMNS[column] if len(seen) > 1 else "all"),
                          group=Group(heads[column])))
        if column != seen[0]:
            x = lefts[column] - APART / 2
            marks.append(Line(((x, box.top), (x, box.bottom)), "rule"))
    y, below_input = box.top + HEAD, len(marks) > 0 and marks[0].focus == Focus(trace.layers[0].name)
    for number, (name, high) in enumerate(zip(names, highs, strict=True)):
        label = y + high - 34 if below_input and not number else y + high / 2 - 6
        marks += _row(trace, moment, focus, name, y, high, label, box.left, lefts, wide, look)
        y += high
    if answer:
        marks += _answers(trace, *answer, _strength(trace, moment, answer[0]), y, min(ANSWER, box.bottom - y), box.left,
                          lefts, wide)
    return marks


def _spread(trace: Trace, names: list[str], first: int, room: float) -> list[str]:
    """As many rows as find room: all, else those from the first that is another one, evenly over the depth."""
    if _fitting(trace, names, room) == len(names):
        return names
    behind = names[first:]
    for count in range(len(behind), 1, -1):
        found = [behind[round(place * (len(behind) - 1) / (count - 1))] for place in range(count)]
        if _fitting(trace, found, room) == count:
            return found
    return behind[:1]


def _fitting(trace: Trace, names: list[str], room: float) -> int:
    """How many of these rows find room."""
    for count, name in enumerate(names):
        room -= LINED if trace[name].output.ndim < 2 else LEAST_ROW
        if room < 0:
            return count
    return len(names)


def _highs(trace: Trace, names: list[str], room: float, wide: float) -> list[float]:
    """How high each row is: lines of units need little, maps share the rest; what one leaves goes to those that grow by
    it, from the first on."""
    lined = [trace[name].output.ndim < 2 for name in names]
    left = room - LINED * sum(lined)
    maps = min(MOST_ROW, left / max(1, len(names) - sum(lined)))
    most = LINED if not all(lined) else INPUT + 48
    found = [min(most, room / len(names)) if line else maps for line in lined]
    filled = [high if line else max(LEAST_ROW, _filled(trace[name], wide, high))
              for name, high, line in zip(names, found, lined, strict=True)]
    spare = room - sum(filled)
    for place, name in enumerate(names):
        grown = filled[place] if lined[place] else _filled(trace[name], wide, min(MOST_ROW, filled[place] + spare))
        if grown > filled[place]:
            spare -= grown - filled[place]
            filled[place] = grown
    return [high + max(0.0, spare) / len(filled) for high in filled]


def _filled(layer: Layer, wide: float, high: float) -> float:
    """How much of a row's height its maps fill."""
    if layer.output.ndim < 3:
        return high
    count, (rows, columns) = min(MOST_MAPS, layer.output.shape[0]), _tile(layer)
    across, cell = _across(count, rows, columns, wide, high - 8)
    return float(math.ceil(count / across) * (rows * cell + GAP) + 8)


def _tile(layer: Layer) -> tuple[int, int]:
    """Rows and columns of a map."""
    columns = layer.output.shape[-1]
    return layer.output.size // (layer.output.shape[0] * columns), columns


def _across(count: int, rows: int, columns: int, wide: float, high: float) -> tuple[int, float]:
    """(how many side by side, side of a cell) with which so many tiles are largest."""
    return max(((across, _cell(count, across, rows, columns, wide, high)) for across in range(1, count + 1)),
               key=lambda found: found[1])


def _seen(look: Look) -> tuple[int, ...]:
    """Which of the columns: all three, or one alone."""
    word = look.knob("column", "all")
    return (COLUMNS.index(word),) if word in COLUMNS else (0, 1, 2)


def _input(trace: Trace, x: float, y: float) -> list[Mark]:
    """What is fed in, whose pixels are painted with the mouse."""
    layer = trace.layers[0]
    if layer.axes[-2:] != ("row", "column") or layer.output.ndim not in (2, 3):
        return []
    values = np.asarray(layer.output, np.float64).reshape(-1, *layer.output.shape[-2:])
    side = max(values.shape[-2:])
    cell = max(1.0, float(INPUT // side)) if side <= INPUT else INPUT / side
    low, high = colour.reach(values)
    return grouped(of_layer(layer.name), [
        Image(x, y, (cell, cell), colour.unit(values.mean(axis=0)[None], low, high), "pixel", focus=Focus(layer.name),
              indices=(0,) if layer.output.ndim == 3 else (-1,),
              scale=Scale("pixel", "pixels", layer.name, low, high))])


def _strength(trace: Trace, moment: Moment, name: str) -> float:
    """How far the cut has come to a layer: the part of its beat that is over."""
    if moment.backward:
        return 1.0
    mine, here = trace.places[name], trace.places[moment.beat.layer]
    if mine != here or moment.beat.step is not None:
        return float(mine < here or (mine == here and moment.beat.step is not None and moment.phase == 1))
    return ease(moment.phase)


def _row(trace: Trace, moment: Moment, focus: Focus | None, name: str, y: float, high: float, at: float, left: float,
         lefts: dict[int, float], wide: float, look: Look) -> list[Mark]:
    layer, shown = trace[name], _shown(trace, moment, name)
    top = max(colour.largest(*shown), 1e-30)
    marks: list[Mark] = [Text(left + LABELS - 12, at, plain(name), 12, 600, "ink", "end", mono=True,
                              focus=Focus(name), max_width=LABELS - 12)]
    if look.mode.notes:
        marks += [Text(left + LABELS - 12, at + 15, plain(lengths(layer)), 11, 400, "ink-2", "end"),
                  Text(left + LABELS - 12, at + 29, plain(tr("up to {value}").format(value=said(
                      numbers.significant(top, 2), "largest of both, gradient" if _back(trace, moment, name) else
                      "largest of both", name))), 11, 400, "ink-2", "end")]
    grid = _grid(trace, layer, shown, wide, high - 8)
    strength = _strength(trace, moment, name)
    for column, x in lefts.items():
        values = shown[column]
        tiles = _tiles(trace, layer, values, grid, x, y + 2, _scale(layer, top, _back(trace, moment, name)),
                       column == 1, focus, look.knob("by", ZERO))
        if column and strength < 1:
            veil = [Rect(x, y + 2, grid.columns * grid.pitch[0] - GAP, grid.lines * grid.pitch[1] - GAP, "hatch")]
            marks += faded(veil, 1 - strength) + faded(tiles, strength)
        else:
            marks += tiles
    return grouped(of_layer(name), marks)


def _scale(layer: Layer, top: float, back: bool) -> Scale:
    """The same for all three of a row: of values around zero, or of sizes of gradients."""
    if back:
        return Scale("gradient", english("size of the gradient"), layer.name, top * parts.FLOOR, top,
                     english("one scale for the row"), log=True)
    return Scale("activation", english("values"), layer.name, -top, top, english("one scale for the row"))


def _back(trace: Trace, moment: Moment, name: str) -> bool:
    """Whether the gradient has come back to a layer, and is what is seen of it."""
    mine, here = trace.places[name], trace.places[moment.beat.layer]
    return moment.backward and (mine > here or (mine == here and moment.phase >= HALF)) \
        and measured.slopes(trace, name) is not None


def _shown(trace: Trace, moment: Moment, name: str) -> tuple[Values, Values, Values]:
    """(before, after, after − before): what a layer gives, and on the way back its gradient."""
    found = measured.slopes(trace, name) if _back(trace, moment, name) else None
    old, new = found if found is not None else (measured.was(trace, name), measured.now(trace, name))
    with np.errstate(invalid="ignore", over="ignore"):
        return old, new, new - old


@dataclass(frozen=True)
class Grid:
    """How the channels or units of a layer lie in a column."""

    maps: tuple[int, ...]
    """Which channels, where it has maps; empty for units in lines, or steps side by side."""
    columns: int
    lines: int
    cell: tuple[float, float]
    pitch: tuple[float, float]
    shape: tuple[int, int]
    """Rows and columns of one tile."""


def _grid(trace: Trace, layer: Layer, shown: tuple[Values, Values, Values], wide: float, high: float) -> Grid:
    if layer.output.ndim >= 3:
        count = layer.output.shape[0]
        size = np.nan_to_num(np.abs(shown[2])).reshape(count, -1).sum(axis=1)
        cut = measured.cut(trace, layer.name)
        order = sorted(range(count), key=lambda place: (place not in cut.off, -size[place]))[:MOST_MAPS]
        rows, columns = _tile(layer)
        across, cell = _across(len(order), rows, columns, wide, high)
        return Grid(tuple(sorted(order)), across, math.ceil(len(order) / across), (cell, cell),
                    (columns * cell + GAP, rows * cell + GAP), (rows, columns))
    if layer.output.ndim == 2:
        steps, units = layer.output.shape if layer.axes[0] == "step" else layer.output.shape[::-1]
        return Grid((), 1, 1, (wide / steps, high / units), (wide + GAP, high + GAP), (units, steps))
    count = layer.output.size
    across = next((each for each in range(min(count, 32), 7, -1) if count % each == 0), count)
    lines = count // across
    cell = min(wide / across, high / lines, 20.0)
    return Grid((), 1, 1, (cell, cell), (across * cell + GAP, lines * cell + GAP), (lines, across))


def _cell(count: int, across: int, rows: int, columns: int, wide: float, high: float) -> float:
    """The side of a cell if so many tiles lie side by side."""
    lines = math.ceil(count / across)
    side = min((wide / across - GAP) / columns, (high / lines - GAP) / rows)
    return float(math.floor(side)) if side >= 2 else max(0.2, side)


def _tiles(trace: Trace, layer: Layer, values: Values, grid: Grid, x: float, y: float, scale: Scale, after: bool,
           focus: Focus | None, by: str) -> list[Mark]:
    rows, columns = grid.shape
    if grid.maps:
        tiles = values.reshape(len(values), rows, columns)[list(grid.maps)]
    elif values.ndim == 2:
        tiles = (values.T if layer.axes[0] == "step" else values)[None]
    else:
        tiles = values.reshape(1, rows, columns)
    folds = ((rows, columns), (values.size,)) if values.ndim == 1 else None
    known = np.isfinite(tiles)
    marks: list[Mark] = [Image(
        x, y, grid.cell, colour.magnitude(tiles, scale.low, scale.high) if scale.log else
        colour.signed(tiles, scale.high), scale.palette, grid.columns, grid.pitch,
        hatched=None if known.all() else ~known, focus=Focus(layer.name) if after and not scale.log else None,
        indices=grid.maps or (-1,), folds=folds,
        transposed=values.ndim == 2 and layer.axes[0] == "step", scale=scale)]
    if grid.maps or values.ndim == 1 or (layer.axes[0] == "step" and grid.cell[1] >= LEAST_LINE):
        marks += _marked(trace, layer, grid, x, y, after, focus, by)
    return marks


def _marked(trace: Trace, layer: Layer, grid: Grid, x: float, y: float, after: bool, focus: Focus | None,
            by: str) -> list[Mark]:
    """What is off is hatched, with a cross; a click on any toggles it."""
    cut, of = measured.cut(trace, layer.name), measured.made_by(trace, layer.name)
    marks: list[Mark] = []
    lines, whole = layer.output.ndim == 2, len(cut.touched) == layer.output.shape[-1]
    if lines and whole:
        marks.append(Rect(x, y, grid.cell[0] * grid.shape[1], grid.cell[1] * grid.shape[0], "", "accent", 2))
    for number, unit in enumerate(grid.maps or range(layer.output.shape[-1])):
        across, cell = (grid.columns, grid.pitch) if grid.maps else (grid.shape[1], grid.cell)
        wide, high = (grid.pitch[0] - GAP, grid.pitch[1] - GAP) if grid.maps else grid.cell
        if lines:  # of a recurrent layer: a line a unit, over all steps
            across, wide = 1, grid.cell[0] * grid.shape[1]
        left, top = x + number % across * cell[0], y + number // across * cell[1]
        if unit in cut.off and after:
            marks += [Rect(left, top, wide, high, "stage"), Rect(left, top, wide, high, "hatch")]
            marks += [Line(points, "negative-bar", 2) for points in _cross(left, top, wide, high)]
        if (unit in cut.off or unit in cut.touched) and not (lines and whole):
            marks.append(Rect(left, top, wide, high, "", "accent", 2))
        chosen = focus is not None and focus.cell[int(lines):][:1] == (unit,) and focus.layer in (layer.name, of)
        if chosen:
            marks.append(Rect(left - 2, top - 2, wide + 4, high + 4, "", "ink", 1))
        if of and (grid.maps or layer.output.shape[-1] <= MOST_UNITS):
            word = offers.off(of, unit, by)
            marks.append(Rect(left, top, wide, high, "", focus=Focus(layer.name, (0, unit) if lines else (unit,)),
                              tip=_words.named(word), holds=Toggles(word, f"unit_only:{of}:{unit}")))
    return marks


def _cross(left: float, top: float, wide: float, high: float) -> tuple[tuple[tuple[float, float], ...], ...]:
    arm = min(wide, high) * 0.25
    x, y = left + wide / 2, top + high / 2
    return ((x - arm, y - arm), (x + arm, y + arm)), ((x - arm, y + arm), (x + arm, y - arm))


# --- the answer -------------------------------------------------------------------------------------------------------

def _answers(trace: Trace, name: str, at: tuple[int, ...], strength: float, y: float, high: float, left: float,
             lefts: dict[int, float], wide: float) -> list[Mark]:
    """A bar a class before and after, and the difference in points to both sides of zero."""
    old, new = measured.was(trace, name)[at], measured.now(trace, name)[at]
    order = np.argsort(-np.maximum(np.nan_to_num(old), np.nan_to_num(new)), kind="stable")[:MOST_CLASSES]
    classes = sorted(int(each) for each in order)
    pitch = wide / len(classes)
    tall, foot = high - 44, y + high - 20
    marks: list[Mark] = [Text(left + LABELS - 12, y + high / 2, plain(tr("answer")), 12, 600, "ink", "end")]
    for column, values in enumerate((old, new)):
        if column not in lefts:
            continue
        best = int(np.argmax(np.nan_to_num(values, nan=-np.inf)))
        drawn: list[Mark] = []
        told: list[Mark] = []  # over the bars beside it, where it is broader than its own
        for number, each in enumerate(classes):
            x, value = lefts[column] + number * pitch, float(values[each])
            here = each == best and np.isfinite(value)
            drawn.append(Rect(x + 2, foot - tall, pitch - 4, tall, "sunk"))
            if np.isfinite(value):
                long = tall * min(1.0, max(0.0, value))
                drawn.append(Rect(x + 2, foot - long, pitch - 4, max(0.5, long), "accent" if here else "ink-2"))
                if value >= 0.03 and (here or pitch >= 30):
                    told.append(Text(x + pitch / 2, foot - long - 4, plain(said(
                        numbers.percent(value, 0), "answer after the edits" if column else "answer before the edits",
                        name, (*at, each))), 11, 600, "accent-ink" if here else "ink", "middle"))
            else:
                drawn.append(Rect(x + 2, foot - tall, pitch - 4, tall, "hatch"))
            drawn += _label(trace, name, (*at, each), x, pitch, foot, here)
        drawn += told
        if column and strength < 1:
            marks += faded([Rect(lefts[column] + 2, foot - tall, wide - 4, tall, "hatch")], 1 - strength)
        marks += faded(drawn, strength) if column else drawn
    if 2 not in lefts:
        return grouped(of_layer(name), marks)
    difference = new - old
    middle = foot - tall / 2
    drawn = [Line(((lefts[2], middle), (lefts[2] + wide, middle)), "edge")]
    for number, each in enumerate(classes):
        x, value = lefts[2] + number * pitch, float(difference[each])
        if np.isfinite(value) and value:
            long = (tall / 2 - 12) * min(1.0, abs(value))
            drawn.append(Rect(x + 2, middle - long if value > 0 else middle, pitch - 4, max(0.5, long),
                              "positive-bar" if value > 0 else "negative-bar"))
            if abs(value) >= 0.03 and pitch >= 24:
                drawn.append(Text(x + pitch / 2, middle - long - 4 if value > 0 else middle + long + 12, plain(said(
                    numbers.signed(100 * value, 0), "points of an answer", name, (*at, each))), 11, 600,
                    anchor="middle"))
        drawn += _label(trace, name, (*at, each), x, pitch, foot, False)
    if strength < 1:
        marks += faded([Rect(lefts[2] + 2, foot - tall, wide - 4, tall, "hatch")], 1 - strength)
    return grouped(of_layer(name), [*marks, *faded(drawn, strength)])


def _label(trace: Trace, name: str, cell: tuple[int, ...], x: float, pitch: float, foot: float,
           strong: bool) -> list[Mark]:
    labels, number = trace.answers[0].labels, cell[-1]
    words = visible(labels[number]) if number < len(labels) else str(number)
    shown = elide(said(words, "label", name, cell), 11, pitch, 600)
    return [Text(x + pitch / 2, foot + 15, plain(shown), 11, 600 if strong else 400,
                 "accent-ink" if strong else "ink-2", "middle")]


def _digit(trace: Trace, number: int) -> tuple[str, str] | None:
    """1 before, 2 after, 3 the difference, alone and large."""
    return ("column", COLUMNS[number - 1]) if 1 <= number <= len(COLUMNS) else None


VIEW = View(
    "surgery", english("Surgery"),
    english("What changes when a channel, a unit, a gate or a weight is another one: before, after, difference."),
    suits=lambda trace: "lab" not in trace.studies and bool(trace.layers[0].output.ndim) and bool(trace.answers),
    draw=draw, telling=answered, order=45, group=WHOLE, studies=(STUDY, RANKING, SANDBOX), at_once=(STUDY,),
    carries=(RANKING,), words=_sandbox.words, worded=(SANDBOX,), digit=_digit, tunes=ALL, glides=("sorted",),
    page=lambda trace, moment, focus, look: _page.page(trace, focus, look),
    knobs=(("off", ()), ("rank", ("units", "steps")), ("below", ("ranking", "sandbox")), ("column", ("all", *COLUMNS)),
           (BY, ()), ("sorted", ("1", "0")),
           *((name, tuple(map(str, values))) for name, _, values in _sandbox.SETTINGS)),
    tries=english("Click a map: it is switched off, and the answer is there at once."),
)
