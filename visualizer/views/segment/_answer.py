"""What comes out: scores and chances of each class, what pixels are taken for, the truth, the doubt, the overlaps."""

from __future__ import annotations

import math

import numpy as np

from visualizer.answers import segments
from visualizer.kinds import pixels
from visualizer.language import english, tr
from visualizer.said import said
from visualizer.scene import colour, numbers, parts
from visualizer.scene.boxes import whole
from visualizer.scene.labels import fitting
from visualizer.scene.picture import (
    Focus,
    Group,
    Image,
    Look,
    Mark,
    Rect,
    Scale,
    Text,
    grouped,
    of_layer,
    plain,
    rich,
)
from visualizer.scene.timeline import Moment, progress
from visualizer.scene.type import elide, width
from visualizer.views.segment._plan import HEAD, Layout
from visualizer.views.segment._seen import Pixel, Seen
from visualizer.views.segment._u import answered, pixel_mark

FILLED = 0.6
"""How much of the beat of the chances is over when all of them are there; then the mask is painted."""
LINE = 17.0


def filled(one: Seen, moment: Moment) -> float:
    """How much of the chances is there, 0 … 1."""
    return progress(answered(one, moment), 0.0, FILLED)


def painted(one: Seen, moment: Moment) -> float:
    """How much of the mask is there, 0 … 1."""
    return progress(answered(one, moment), FILLED, 1.0)


def scored(one: Seen, moment: Moment) -> float:
    """How much of the scores is there, 0 … 1."""
    here, own = one.trace.places[moment.beat.layer], one.trace.places[one.source]
    if not one.scores or moment.backward:
        return 1.0
    return 1.0 if own < here or (own == here and not one.shares) else 0.0 if own > here else moment.phase


def draw(one: Seen, moment: Moment, pixel: Pixel, place: Layout, look: Look) -> list[Mark]:
    """All of it."""
    return [*_maps(one, moment, pixel, place, look), *_mask(one, moment, pixel, place, look)]


# --- scores and chances -----------------------------------------------------------------------------------------------

def _maps(one: Seen, moment: Moment, pixel: Pixel, place: Layout, look: Look) -> list[Mark]:
    """A row a class: its scores, its chances, and how likely it is at the opened pixel."""
    y, side = place.upper.top, place.map
    made = one.shares or one.scores
    here = moment.beat.layer
    head = []
    if place.scores is not None:
        name = elide(one.scores, 12, side + 10, 600, True)
        head = [Text(place.scores, y + 10, plain(name), 12, 600, "accent-ink" if here == one.scores else "ink",
                     mono=True, focus=Focus(one.scores)),
                Text(place.scores, y + 25, plain(tr("scores")), 11, 400, "ink-2", max_width=side + 10)]
    title = tr("sigmoid") if one.alone else tr("softmax")
    head += [Text(place.chances, y + 10, plain(title), 12, 600, "accent-ink" if here == made and
                  answered(one, moment) > 0 else "ink", mono=True, focus=Focus(made)),
             Text(place.chances, y + 25, plain(tr("probabilities")), 11, 400, "ink-2",
                  max_width=side + LABELS)]
    marks = grouped(of_layer(made), head)
    rows, columns = one.size
    cell = whole(side / max(rows, columns), look.pixel) or side / max(rows, columns)
    factor = 1 if cell >= 0.99 else math.ceil(max(rows, columns) / side)
    for number, row in enumerate(place.rows):
        top = y + HEAD + number * (side + 8)
        if top + side > place.upper.bottom + 8:
            break
        marks += _row(one, moment, pixel, place, row, top, factor, look)
    left = len(one.chances) - len(place.rows)
    foot = y + HEAD + len(place.rows) * (side + 8) + 8
    if left > 0 and foot <= place.upper.bottom + 8 and answered(one, moment) >= FILLED:
        rest = float(1 - one.chances[list(place.rows), pixel[0], pixel[1]].sum())
        words = tr("{count} others: {share}").format(
            count=said(str(left), "classes without a row", *one.claim("", pixel)[1:3]),
            share=said(numbers.percent(max(0.0, rest), 1), "chance of the other classes", *one.claim("", pixel)[1:]))
        marks.append(Text(place.chances, foot, plain(words), 11, 400, "ink-2", max_width=side + LABELS))
    return marks


LABELS = 70.0
"""Width of what is said beside a map of chances."""


def _row(one: Seen, moment: Moment, pixel: Pixel, place: Layout, row: int, top: float, factor: int,
         look: Look) -> list[Mark]:
    side = place.map
    cell = side / math.ceil(max(one.size) / factor)
    wide, high = (cell * math.ceil(length / factor) for length in (one.size[1], one.size[0]))
    best = int(one.given[pixel]) == row + one.alone
    marks: list[Mark] = []
    if place.scores is not None:
        marks += _tile(one, moment, row, place.scores, top, cell, factor, look)
        marks += pixel_mark(place.scores, top, cell / factor, one, pixel, one.size)
    there, made = filled(one, moment), one.shares or one.scores
    if there < 1:
        marks.append(Rect(place.chances, top, wide, high, "hatch"))
    if there > 0:
        values = one.chances[row]
        marks.append(Image(place.chances, top, (cell, cell), colour.unit(_pooled(values, factor))[None], "pixel",
                           focus=Focus(made), indices=(row,) if one.channel is None else (max(0, one.channel),) if
                           one.channel >= 0 else (-1,), rows_shown=there, pooled=factor,
                           scale=Scale("pixel", english("probability"), made, 0.0, 1.0)))
    marks += pixel_mark(place.chances, top, cell / factor, one, pixel, one.size)
    if best and there == 1:
        marks.append(Rect(place.chances - 3, top - 3, wide + 6, high + 6, "", "accent", 2, radius=3))
    words = said(one.row_label(row), "name of a class", one.answer.layer, (row + one.alone,))
    x = place.chances + wide + 10
    room = place.mask - 8 - x
    marks.append(Text(x, top + high / 2 - 3, plain(elide(words, 12, room, 600)), 12, 600,
                      "accent-ink" if best and there == 1 else "ink"))
    if there == 1:
        share = said(numbers.percent(float(one.chances[row][pixel]), 1), *one.claim("chance of a class", (row, *pixel)))
        marks.append(Text(x, top + high / 2 + 12, plain(share), 12, 600 if best else 400,
                          "accent-ink" if best else "ink-2", max_width=room))
    return grouped(Group(tr("class {name}").format(name=one.row_label(row)), Focus(made)), marks)


def _tile(one: Seen, moment: Moment, row: int, x: float, y: float, cell: float, factor: int, look: Look) -> list[Mark]:
    """The scores of one class, or backwards what came back to them."""
    layer, there = one.trace[one.scores], scored(one, moment)
    values = None if one.scored is None else one.scored[row]
    assert values is not None
    rows, columns = (math.ceil(length / factor) for length in one.size)
    index = row if one.channel is None else max(0, one.channel)
    back, scale = moment.backward, parts.scale_of(one.trace, layer, look, moment.backward)
    if back:
        came = one.trace.places[moment.beat.layer] < one.trace.places[layer.name] or (
            moment.beat.layer == layer.name and moment.phase == 1)
        there = 1.0 if came and layer.gradient is not None else 0.0
        if layer.gradient is not None:
            values = (layer.gradient if layer.gradient.ndim == 2 else layer.gradient[index]).astype(np.float64)
    marks: list[Mark] = [] if there == 1 else [Rect(x, y, cell * columns, cell * rows, "hatch")]
    if there > 0:
        entries, palette = parts.entries_of(one.trace, layer, look, back, _pooled(values, factor))
        marks.append(Image(x, y, (cell, cell), entries[None], palette, focus=Focus(layer.name), pooled=factor,
                           indices=(index,) if layer.output.ndim == 3 else (-1,), rows_shown=there, scale=scale))
    return marks


def _pooled(values: np.ndarray, factor: int) -> np.ndarray:
    """(row, column): of each factor × factor block the number farthest from zero."""
    if factor == 1:
        return values
    rows, columns = (math.ceil(length / factor) for length in values.shape)
    grown = np.zeros((rows * factor, columns * factor))
    grown[:values.shape[0], :values.shape[1]] = values
    blocks = grown.reshape(rows, factor, columns, factor).swapaxes(1, 2).reshape(rows, columns, -1)
    return np.take_along_axis(blocks, np.abs(blocks).argmax(axis=-1)[..., None], -1)[..., 0]


# --- the mask ---------------------------------------------------------------------------------------------------------

def _mask(one: Seen, moment: Moment, pixel: Pixel, place: Layout, look: Look) -> list[Mark]:
    """What each pixel is taken for; beside it the truth and the doubt, below it the overlaps."""
    x, y, side = place.mask, place.upper.top, place.side
    rows, columns = one.size
    cell = side / max(rows, columns)
    wide, high = cell * columns, cell * rows
    top, there, best = y + HEAD, painted(one, moment), int(one.given[pixel])
    group = Group(tr("mask"), Focus(one.answer.layer))
    marks: list[Mark] = [Text(x, y + 10, plain(tr("mask")), 12, 600, "accent-ink" if 0 < there < 1 else "ink")]
    marks.append(Text(x, y + 25, plain(tr("the likeliest class")), 11, 400, "ink-2", max_width=side))
    if there < 1:
        marks.append(Rect(x, top, wide, high, "hatch"))
    if there > 0:
        index = -1 if one.channel == -1 else max(0, one.channel or 0) if one.alone else best
        marks += segments.mask(one.answer, one.decided, (x, top, wide, high), best, there, index=index)
    marks.append(Rect(x, top, wide, high, "", "tile-border", 1))
    marks += pixel_mark(x, top, cell, one, pixel, one.size)
    small, left = side / 2, x + side + 14
    right = pixels.truth_of(one.answer, one.decided)
    thumb = small / max(rows, columns)
    second = y + 10
    if right is not None:
        marks += [Text(left, y + 10, plain(tr("truth")), 12, 600),
                  *segments.right_mask(one.answer, one.decided, (left, y + 18, thumb * columns, thumb * rows), best),
                  Rect(left, y + 18, thumb * columns, thumb * rows, "", "tile-border", 1),
                  *pixel_mark(left, y + 18, thumb, one, pixel, one.size)]
        second = y + 18 + small + 18
    marks += _doubt(one, moment, pixel, left, second, thumb, look)
    return grouped(group, marks) + _overlaps(one, moment, x, top + high + 16, place, look)


def _doubt(one: Seen, moment: Moment, pixel: Pixel, x: float, y: float, cell: float, look: Look) -> list[Mark]:
    """The entropy of the chances of each pixel."""
    rows, columns = one.size
    most = float(np.log2(max(2, len(one.chances))))
    there = filled(one, moment)
    bits = "" if there < 1 else said(numbers.number(float(one.entropy[pixel]), 2), *one.claim("entropy in bits", pixel))
    ways = (tr("entropy: {bits} bits").format(bits=bits), tr("{bits} bits").format(bits=bits))
    marks: list[Mark] = [Text(x, y, rich(fitting(
        ways if bits else (tr("entropy"),), look.size[0] - 4 - x, 12, 600)), 12, 600, "ink")]
    if there < 1:
        marks.append(Rect(x, y + 8, cell * columns, cell * rows, "hatch"))
    if there > 0:
        marks.append(Image(x, y + 8, (cell, cell), colour.unit(one.entropy, 0, most)[None], "pixel",
                           focus=Focus(one.answer.layer), rows_shown=there,
                           indices=(-1,) if one.channel == -1 else (int(one.given[pixel]) if not one.alone else
                                                                    max(0, one.channel or 0),),
                           scale=Scale("pixel", tr("entropy in bits"), one.source, 0.0, most)))
    marks += pixel_mark(x, y + 8, cell, one, pixel, one.size)
    return marks


def _overlaps(one: Seen, moment: Moment, x: float, y: float, place: Layout, look: Look) -> list[Mark]:
    """The overlap of each class that is there or found as a bar, their mean, and the rule by which it is taken."""
    found = one.overlaps
    right = place.box.right
    if not found or y + LINE > place.upper.bottom:
        return []
    marks: list[Mark] = [Text(x, y + 8, plain(tr("overlap (IoU)")), 12, 600)]
    if painted(one, moment) < 1:
        return grouped(Group(tr("overlap")), [*marks, Rect(x, y + 16, right - x, min(
            LINE * len(found), place.upper.bottom - y - 16), "hatch")])
    ground = pixels.ground_of(one.answer)
    if one.mean is not None:
        marks.append(Text(right, y + 8, plain(tr("mean {mean}").format(
            mean=said(numbers.number(one.mean, 2), *one.claim("mean IoU")))), 12, 600, "accent-ink", "end"))
    notes = 2 * 14 if look.mode.notes else 0
    fits = max(1, int((place.upper.bottom + 6 - notes - y - 14) // LINE))
    shown = sorted(found, key=lambda each: each.index == ground)[:fits]
    names = min(56.0, max(width(one.label(each.index), 12, 500) for each in shown)) + 10
    for number, each in enumerate(shown):
        top = y + 16 + number * LINE
        label = said(one.label(each.index), "name of a class", one.answer.layer, (each.index,))
        ink = "ink-2" if each.index == ground else "ink"
        track = right - x - names - 38
        marks += [Text(x, top + 11, plain(elide(label, 12, names - 4, 500)), 12, 500, ink),
                  Rect(x + names, top + 3, track, 9, "sunk", radius=2)]
        if each.share * track >= 0.5:
            marks.append(Rect(x + names, top + 3, track * each.share, 9, "accent-fill" if each.index != ground else
                              "tile-border", radius=2))
        marks.append(Text(right, top + 11, plain(said(numbers.number(each.share, 2), *one.claim(
            "IoU of a class", (each.index,)))), 12, 600, ink, "end"))
    if look.mode.notes:
        y += 16 + LINE * len(shown) + 9
        ways = [tr("mean of those there or found")]
        if ground is not None:
            name = said(one.label(ground), "name of a class", one.answer.layer, (ground,))
            ways = [tr("mean of those there or found, without {ground}").format(ground=name),
                    tr("mean: there or found, no {ground}").format(ground=name)]
        rule = [fitting(ways, right - x, 11)]
        known = one.trace.facts.get("quality", {})
        if isinstance(known, dict) and "mean IoU" in known and "of" in known and not one.cut:
            rule.append(tr("{mean} over {count} other pictures").format(
                mean=said(numbers.number(float(known["mean IoU"]), 2), "quality", array="mean IoU"),
                count=said(numbers.count(int(known["of"])), "quality", array="of")))
        for number, words in enumerate(rule):
            if y + 14 * number <= place.upper.bottom + 10:
                marks.append(Text(x, y + 14 * number, rich(words), 11, 400, "ink-2", max_width=right - x))
    return grouped(Group(tr("overlap")), marks)
