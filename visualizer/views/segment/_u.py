"""The U: what is read, the maps of each stage as far as they are computed, and the skips that leap over it."""

from __future__ import annotations

import math

import numpy as np

from visualizer import kinds
from visualizer.kinds.skips import skips, starts
from visualizer.language import tr
from visualizer.said import of, said
from visualizer.scene import colour, numbers, parts
from visualizer.scene.boxes import whole
from visualizer.scene.columns import Column
from visualizer.scene.labels import fitting
from visualizer.scene.picture import (
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
    of_layer,
    plain,
)
from visualizer.scene.timeline import Moment, progress
from visualizer.scene.type import elide, width
from visualizer.trace import Layer
from visualizer.views.segment._plan import GAP, HEAD, Layout
from visualizer.views.segment._seen import KNOB, WITH, WITHOUT, Pixel, Seen
from visualizer.views.segment._stages import Stage, arcs, now, shown

ARRIVES = 0.4
"""How much of the beat of a join is over when its arc has been drawn."""


def draw(one: Seen, found: tuple[Stage, ...], moment: Moment, pixel: Pixel, place: Layout, look: Look) -> list[Mark]:
    """All of it."""
    marks = picture(one, moment, pixel, place, look)
    for number, index in enumerate(place.columns):
        marks += _stage(one, found[index], moment, pixel, place.x(number), place, look)
    if len(place.columns) < len(found):
        marks.append(Text(place.x(len(place.columns)) - 12, place.upper.bottom - 2, plain(tr(
            "further stages scroll with the beats")), 11, 400, "ink-2", "end"))
    return [*_arcs(one, found, moment, place, look), *marks]


# --- what is read, and what the pixel hangs on ------------------------------------------------------------------------

def picture(one: Seen, moment: Moment, pixel: Pixel, place: Layout, look: Look) -> list[Mark]:
    """What is read, on it the pixel that is opened and what it can see."""
    if not place.picture:
        return []
    first = one.trace.layers[0]
    if first.axes[-2:] != ("row", "column"):
        return []
    x, y = place.box.left, place.upper.top
    rows, columns = first.shape[-2:]
    cell = whole(place.picture / max(rows, columns), look.pixel) or place.picture / max(rows, columns)
    high = cell * rows
    top = y + HEAD
    marks = _heading(first.name, first, x, y, place.picture + 16)
    colours = first.output.ndim == 3 and first.shape[0] == 3
    low, most = colour.reach(first.output)
    shades = colour.unit(first.output, low, most)
    stack = np.moveaxis(shades, 0, -1)[None] if colours else shades.reshape(-1, rows, columns)[:1]
    marks.append(Image(x, top, (cell, cell), np.ascontiguousarray(stack), "pixel", focus=Focus(first.name),
                       indices=(-1,) if first.output.ndim == 2 else (0,), blends=3 if colours else 1,
                       scale=parts.scale_of(one.trace, first, look, False)))
    box = field(one, pixel)
    if box is not None:
        (up, down), (left, right) = box
        marks.append(Rect(x + left * cell, top + up * cell, (right - left + 1) * cell, (down - up + 1) * cell, "",
                          "accent", 2, inside=True))
    marks += pixel_mark(x, top, cell, one, pixel, (rows, columns))
    if box is not None and look.mode.notes:
        (up, down), (left, right) = box
        words = tr("it sees {rows} × {columns}").format(
            rows=said(str(down - up + 1), "rows that a pixel sees", one.source, pixel),
            columns=said(str(right - left + 1), "columns that a pixel sees", one.source, pixel))
        marks.append(Text(x, top + high + 14, plain(words), 11, 500, "accent-ink", max_width=place.picture + 16))
    return grouped(of_layer(first.name), marks) + _gradient(one, moment, pixel, x, top + high + 40, cell, place, look)


def field(one: Seen, pixel: Pixel) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """(rows, columns) of the input that the scores of a pixel can depend on, by the arithmetic of windows."""
    first = one.trace.layers[0]
    found = kinds.receptive_field(one.trace, one.source, one.cell(0, pixel)).get(first.name)
    if found is None or first.axes[-2:] != ("row", "column"):
        return None
    up, left = ((max(0, low), min(size - 1, high)) for (low, high), size in
                zip(found[-2:], first.shape[-2:], strict=True))
    return up, left


def measured(one: Seen, pixel: Pixel) -> np.ndarray | None:
    """(row, column): how much the score of what a pixel is taken for hangs on each place of the input; None where
    nobody measured it."""
    held = one.trace.studies.get("field", {})
    if "pixels" not in held or one.cut:
        return None
    place = np.flatnonzero((held["pixels"] == pixel).all(axis=1))
    return None if not len(place) else held["gradient"][int(place[0])]


def _gradient(one: Seen, moment: Moment, pixel: Pixel, x: float, y: float, cell: float, place: Layout,
              look: Look) -> list[Mark]:
    """Below it in amber: forwards what the opened pixel hangs on, backwards what was sent back."""
    first = one.trace.layers[0]
    rows, columns = first.shape[-2:]
    wide, high = cell * columns, cell * rows
    if y + 18 + high > place.upper.bottom + 4 or (one.alone and not moment.backward):
        return []  # what one pixel of a mask hangs on is measured when it is sent back
    title = tr("gradient") if moment.backward else fitting((tr("what it hangs on"), tr("hangs on")), wide + 18, 12, 600)
    marks: list[Mark] = [Text(x, y + 8, plain(title), 12, 600, "ink", max_width=wide + 18)]
    top = y + 16
    if moment.backward:
        at = one.trace.places[moment.beat.layer]
        came = first.gradient is not None and (at == 0 and moment.phase == 1)
        found = np.sqrt(np.square(np.nan_to_num(first.gradient.astype(np.float64))).reshape(
            -1, rows, columns).sum(axis=0)) if came and first.gradient is not None else None
        claim = of("largest norm over the channels", first)
    else:
        found = measured(one, pixel) if answered(one, moment) == 1 else None
        claim = one.claim("largest of what a pixel hangs on", pixel)
    if found is None or not found.any():
        waits = moment.backward or answered(one, moment) < 1
        marks.append(Rect(x, top, wide, high, "hatch"))
        lines = [] if waits or one.cut else [tr("is being measured")] if "field" not in one.trace.studies else \
            [tr("not measured:"), tr("send it back")] if found is None else [tr("nothing")]
        for number, words in enumerate(lines):
            if width(words, 11) + 8 < wide:
                marks += [Rect(x + wide / 2 - width(words, 11) / 2 - 4, top + high / 2 - 20 + 17 * number,
                               width(words, 11) + 8, 17, "stage"),
                          Text(x + wide / 2, top + high / 2 - 8 + 17 * number, plain(words), 11, 400, "ink-2",
                               "middle")]
        return grouped(Group(tr("gradient")), marks)
    most = float(found.max())
    marks.append(Image(x, top, (cell, cell), colour.magnitude(found, most * parts.FLOOR, most)[None], "gradient",
                       focus=Focus(first.name), indices=(-1,) if first.output.ndim == 2 else (0,),
                       scale=Scale("gradient", tr("size of the gradient"), first.name, most * parts.FLOOR, most,
                                   log=True)))
    marks += pixel_mark(x, top, cell, one, pixel, (rows, columns))
    if look.mode.notes and top + high + 14 <= place.upper.bottom + 8:
        largest = said(numbers.significant(most, 2), *claim)
        marks.append(Text(x, top + high + 13, plain(tr("up to {most}").format(most=largest)), 11, 400, "ink-2"))
    return grouped(Group(tr("gradient")), marks)


def answered(one: Seen, moment: Moment) -> float:
    """How much of the chances is there, 0 … 1: within the beat of their layer, or of the scores where they are made
    here."""
    name = one.shares or one.scores
    if moment.backward:
        return 1.0
    here, own = one.trace.places[moment.beat.layer], one.trace.places[name]
    return 1.0 if own < here else 0.0 if own > here else moment.phase


def pixel_mark(x: float, y: float, cell: float, one: Seen, pixel: Pixel, shape: tuple[int, int]) -> list[Mark]:
    """An outline around the place of the opened pixel in a map of some shape."""
    row, column = (at * own // size for at, own, size in zip(pixel, shape, one.size, strict=True))
    side = max(cell, 5.0)
    left, top = x + (column + 0.5) * cell - side / 2, y + (row + 0.5) * cell - side / 2
    return [Rect(left - 2, top - 2, side + 4, side + 4, "", "stage", 1), Rect(left - 1, top - 1, side + 2, side + 2, "",
                                                                             "accent", 1.5)]


# --- stages -----------------------------------------------------------------------------------------------------------

def _heading(name: str, layer: Layer, x: float, y: float, room: float, ink: str = "ink") -> list[Mark]:
    """A name, and how many maps of which size."""
    *head, rows, columns = (said(numbers.count(size), "length of axis", layer.name, (axis,))
                            for axis, size in enumerate(layer.shape))
    ways = ("×".join((*head, f"{rows}²")) if layer.shape[-1] == layer.shape[-2] else "",
            "×".join((*head, rows, columns)), *head)
    under = next((words for words in ways if words and width(words, 11) <= room), "")
    return [Text(x, y + 10, plain(elide(name, 12, room, 600, True)), 12, 600, ink, mono=True, focus=Focus(layer.name)),
            Text(x, y + 25, plain(under), 11, 400, "ink-2")]


def _stage(one: Seen, stage: Stage, moment: Moment, pixel: Pixel, x: float, place: Layout, look: Look) -> list[Mark]:
    """The maps of the layer that is there, over them those of the one that is coming, from the top of each."""
    trace = one.trace
    done, coming = now(trace, stage, moment)
    own = trace[coming or done or stage.last]
    marks = _heading(own.name if coming else stage.title, own, x, place.upper.top, place.pitch - 4,
                     ("gradient-text" if moment.backward else "accent-ink") if coming else "ink")
    y, count = place.y(stage.level), min(place.maps, len(own.output))
    fits = int((place.upper.bottom - 14 - y + GAP) // (place.tile + GAP))
    count = max(1, min(count, fits))
    if not done:
        for index in range(min(count, len(own.output))):
            marks.append(Rect(x, y + index * (place.tile + GAP), place.tile, place.tile, "hatch"))
    for name, part in ((done, 1.0), (coming, moment.phase)):
        if name and part > 0:
            marks += _maps(one, stage, trace[name], moment, x, y, count, part, place, look)
    if moment.backward is False and (done or coming):
        rows, columns = own.shape[-2:]
        for index in range(count):
            marks += pixel_mark(x, y + index * (place.tile + GAP), place.tile / max(rows, columns), one, pixel,
                                (rows, columns))
    foot = y + count * (place.tile + GAP) + 7
    if count < len(own.output) and look.mode.notes and foot <= place.upper.bottom + 4:
        marks.append(Text(x, foot, plain(tr("{shown} of {count}").format(
            shown=said(str(count), "maps that are shown", own.name, (count,)),
            count=said(numbers.count(len(own.output)), "length of axis", own.name, (0,)))), 11, 400, "ink-2",
            max_width=place.pitch))
    return grouped(of_layer(own.name), marks)


def _maps(one: Seen, stage: Stage, layer: Layer, moment: Moment, x: float, y: float, count: int, part: float,
          place: Layout, look: Look) -> list[Mark]:
    """Some maps of a layer, one below the other, uncovered as far as they are there."""
    chosen = shown(one, stage, layer.name, count)
    rows, columns = layer.shape[-2:]
    factor = max(1, math.ceil(max(rows, columns) / place.tile))
    side = place.tile / math.ceil(max(rows, columns) / factor)
    high, wide = math.ceil(rows / factor) * side, math.ceil(columns / factor) * side
    column = Column(layer.name, "maps", x, y, wide, (side, side), (wide, high), (wide, place.tile + GAP), 1, chosen,
                    len(layer.output), factor)
    values = one.values(layer.name) if one.changed(layer.name) and not moment.backward else None
    begins = starts(one.trace, layer)
    if not begins or moment.backward or part == 1:
        return parts.tiles(one.trace, column, look, moment.backward, part, values=values)
    leapt = {skip.source for skip in skips(one.trace) if skip.join == layer.name}
    marks: list[Mark] = []
    joined = progress(part, ARRIVES, 1.0)
    for number, index in enumerate(chosen):
        which = max(place for place, start in enumerate(begins[:-1]) if start <= index)
        there = joined if layer.reads[which] in leapt else 1.0
        only = Column(layer.name, "maps", x, y + number * (place.tile + GAP), wide, (side, side), (wide, high),
                      (wide, place.tile + GAP), 1, (index,), len(layer.output), factor)
        marks += [Rect(x, only.top, wide, high, "hatch")] if there < 1 else []
        marks += parts.tiles(one.trace, only, look, False, there, values=values) if there > 0 else []
    return marks


# --- skips ------------------------------------------------------------------------------------------------------------

def _arcs(one: Seen, found: tuple[Stage, ...], moment: Moment, place: Layout, look: Look) -> list[Mark]:
    """From above one stage to above another; drawn strong from the beat of the join on, dashed where they are cut. A
    click cuts them, or mends them."""
    marks: list[Mark] = []
    there = {index: number for number, index in enumerate(place.columns)}
    for start, end, join, count in arcs(one.trace, found):
        if start not in there or end not in there:
            continue
        left, right = place.x(there[start]) + place.tile / 2, place.x(there[end]) + place.tile / 2
        foot = place.y(found[start].level) - 3
        y = foot - 10
        here, own = one.trace.places[moment.beat.layer], one.trace.places[join]
        drawn = float(own < here) if own != here else progress(moment.phase, 0.0, ARRIVES)
        back = moment.backward
        drawn = float(own >= here) if back else drawn
        marks.append(Line(((left, foot), (left, y), (right, y), (right, foot)), "rule", 1.5, dashed=one.cut))
        ink = "gradient-mark" if back else "accent" if own == here and moment.phase < 1 else "ink-2"
        if drawn > 0 and not one.cut:
            until = left + (right - left) * drawn
            end_of = ((right, foot),) if drawn == 1 else ()
            marks.append(Line(((left, foot), (left, y), (until, y), *end_of), ink, 1.75))
        words = tr("skip: {count} maps").format(count=said(str(count), "maps of a skip", join, (count,)))
        words = tr("cut: zeros") if one.cut else words
        if width(words, 11) < right - left - 16:
            marks.append(Text((left + right) / 2, y - 4, plain(words), 11, 400, "ink-2", "middle"))
        marks.append(Rect(left, y - 14, right - left, 20, focus=Focus(join), holds=Choice(
            KNOB, WITH if one.cut else WITHOUT), tip=tr("put the skips back") if one.cut else tr("cut the skips")))
    return grouped(Group(tr("skips")), marks)

