"""Class map: where in the picture the score of a class comes from, place by place of the last maps, over the picture;
and what each map gives to it at one place."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visualizer import answers
from visualizer.kinds import places
from visualizer.kinds.places import STUDY, Ends
from visualizer.language import english, tr
from visualizer.said import said
from visualizer.scene import colour, numbers, parts
from visualizer.scene.boxes import Box
from visualizer.scene.columns import lanes_height
from visualizer.scene.labels import fitting
from visualizer.scene.lanes import lanes
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
    Table,
    Text,
    grouped,
    plain,
    unmarked,
)
from visualizer.scene.projector import begins
from visualizer.scene.subject import there
from visualizer.scene.timeline import FORWARD, Moment, Timeline, timeline
from visualizer.trace import Layer, Trace
from visualizer.views import PARTS, View

TOP, LEFT, GAP, HEAD = 74.0, 24.0, 28.0, 22.0
HALF = 0.5
VEIL = 0.62
"""How strongly the map covers the picture."""
PRINTED = 34.0
"""Pixels: in a place so wide its number is printed."""
ALL, GRAD = "places", "averaged"
Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Shown:
    """What is looked at: a class, and a place."""

    trace: Trace
    ends: Ends
    number: int
    """Of the class."""
    row: int
    """Which of those that were measured."""
    products: Values
    """(channel, row, column)."""
    averaged: bool
    place: tuple[int, int]

    @property
    def map(self) -> Values:
        """(row, column): what each place gives."""
        return np.asarray(self.products.sum(0))

    @property
    def score(self) -> float:
        return float(self.ends.scores.output[self.number])

    @property
    def name(self) -> str:
        return class_name(self.trace, self.number)

    def claim(self, words: str, quantity: str, *cell: int) -> str:
        return said(words, quantity, self.ends.maps.name, cell, self.row, GRAD if self.averaged else "")


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """The map of a class over the picture, as soon as the network has answered; on the way back the gradient there."""
    ends = places.ends(trace)
    assert ends is not None
    before, _ = parts.crossing(moment, timeline(trace))
    at = before if moment.phase < HALF and before.backward != moment.backward else moment
    shown = _shown(trace, ends, look)
    seen = shown if at.backward or there(trace, at, Focus(ends.scores.name)) else None
    summed = shown if at.beat.layer == ends.scores.name and not at.backward else seen
    told = _sentence(trace, ends, seen, at)
    box = Box(LEFT, begins(look, TOP), look.size[0] - LEFT, look.size[1] - lanes_height(look) - 12)
    marks = parts.sentence(look, told)
    classes = 208.0 if look.size[0] >= 900 else 168.0
    high = box.height * (0.56 if look.mode.notes else 0.62)
    side = min(high - HEAD, (box.width - classes - 2 * GAP) / 2)
    marks += grouped(Group(tr("class map"), Focus(ends.maps.name)),
                     _pictures(trace, ends, summed, at, look, box.left, box.top, side))
    left = box.left + 2 * (side + GAP)
    marks += grouped(Group(tr("score of each class"), Focus(ends.scores.name)),
                     _classes(trace, ends, seen, look, left, box.top, box.right - left, side + HEAD))
    marks += grouped(Group(tr("product"), Focus(ends.maps.name)),
                     _opened(seen, look, Box(box.left, box.top + side + HEAD + 24, box.right, box.bottom)))
    still, moving = lanes(trace, moment, look)
    return Picture(look.size, tuple(still), (*marks, *moving), look.theme, caption=unmarked(told),
                   table=_table(trace, ends))


def class_name(trace: Trace, number: int) -> str:
    """What a class is called."""
    return answers.label(next(each for each in trace.answers if each.chooses), number)


def _shown(trace: Trace, ends: Ends, look: Look) -> Shown | None:
    held = trace.studies.get(STUDY)
    if not held:
        return None
    known = np.asarray(held["classes"]).tolist()
    word = look.knob("class", "")
    number = int(word) if word.isdecimal() and int(word) in known else int(np.argmax(ends.scores.output))
    row, averaged = known.index(number), look.knob("map", ALL) == GRAD
    found = places.products(ends.maps.output, np.asarray(held["slopes"])[row], averaged)
    one, _, other = look.knob("place", "").partition(",")
    high, wide = found.shape[1:]
    inside = one.isdecimal() and other.isdecimal() and int(one) < high and int(other) < wide
    place = (int(one), int(other)) if inside else divmod(int(np.argmax(np.nan_to_num(found.sum(0)))), wide)
    return Shown(trace, ends, number, row, found, averaged, place)


# --- the picture and the map ------------------------------------------------------------------------------------------

def _pictures(trace: Trace, ends: Ends, seen: Shown | None, moment: Moment, look: Look, x: float, y: float,
              side: float) -> list[Mark]:
    """The picture under the map, and the map alone with its numbers."""
    first, top = trace.layers[0], y + HEAD
    tall, across = first.shape[-2:]
    cell = side / max(tall, across)
    wide, high = across * cell, tall * cell
    marks: list[Mark] = [Text(x, y + 13, plain(fitting((tr("picture and map"), tr("both")), side, 13, 600)), 13, 600,
                              max_width=side),
                         _picture(trace, first, look, x, top, cell)]
    rows, columns = ends.maps.shape[1:]
    size, right = (wide / columns, high / rows), x + side + GAP
    values, palette, scale = _values(trace, ends, seen, moment)
    reached = rows * columns if moment.backward or there(trace, moment, Focus(ends.scores.name)) else \
        int(moment.phase * rows * columns)
    if not reached:
        values = None
    title = tr("gradient at {layer}") if moment.backward else tr("what each place gives")
    marks.append(Text(right, y + 13, plain(title.format(layer=ends.maps.name)), 13, 600, "accent-ink", max_width=side))
    if values is None:
        marks += [Rect(x, top, wide, high, "hatch"), Rect(right, top, wide, high, "hatch")]
        return marks
    entries = colour.magnitude(values, scale.low, scale.high) if scale.log else colour.signed(values, scale.high)
    to_come = np.arange(rows * columns).reshape(rows, columns) >= reached  # the sum goes from place to place
    entries[to_come] = 0
    for left, opacity in ((x, VEIL), (right, 1.0)):
        marks.append(Image(left, top, size, entries[None], palette, indices=(-1,), opacity=opacity, scale=scale,
                           hatched=to_come[None] if to_come.any() else None))
    drawn: list[Mark] = []
    for row in range(rows):
        for column in range(columns):
            for left in (x, right):
                words = tr("row {row}, column {column} of {layer}").format(row=row, column=column,
                                                                           layer=ends.maps.name)
                drawn.append(Rect(left + column * size[0], top + row * size[1], *size, focus=Focus(ends.maps.name),
                                  tip=words, holds=Choice("place", f"{row},{column}")))
            value = float(values[row, column])
            if min(size) >= PRINTED and seen is not None and not moment.backward and not to_come[row, column]:
                words = seen.claim(numbers.signed(value), "place of a class map", row, column)
                drawn.append(Text(right + (column + 0.5) * size[0], top + (row + 0.5) * size[1] + 4.5, plain(words), 12,
                                  600, colour.ink_on(f"{palette}:{int(entries[row, column])}", look.theme), "middle"))
    marks += grouped(Group(tr("class map"), Focus(ends.maps.name)), drawn)
    if seen is not None and not to_come.any():
        row, column = seen.place
        marks += [Rect(left + column * size[0] - 1, top + row * size[1] - 1, size[0] + 2, size[1] + 2, "", "accent", 2)
                  for left in (x, right)]
    return marks


def _picture(trace: Trace, first: Layer, look: Look, x: float, y: float, cell: float) -> Mark:
    entries, palette = parts.entries(trace, first, look, False)
    if first.shape[0] == 3:
        return Image(x, y, (cell, cell), np.moveaxis(entries, 0, -1)[None], indices=(0,), blends=3,
                     focus=Focus(first.name))
    return Image(x, y, (cell, cell), entries[:1], palette, focus=Focus(first.name),
                 scale=parts.scale_of(trace, first, look, False))


def _values(trace: Trace, ends: Ends, seen: Shown | None, moment: Moment) -> tuple[Values | None, str, Scale]:
    """What is shown of each place, (row, column), its palette and scale."""
    name = ends.maps.name
    if moment.backward:
        top = parts.largest_gradient(trace)
        scale = Scale("gradient", tr("size of the gradient"), name, top * parts.FLOOR, top, log=True)
        if ends.maps.gradient is None or not there(trace, moment, Focus(name)):
            return None, "gradient", scale
        return np.sqrt(np.square(ends.maps.gradient.astype(np.float64)).sum(0)), "gradient", scale
    top = colour.largest(seen.map) or 1.0 if seen is not None else 1.0
    return None if seen is None else seen.map, "activation", Scale("activation", tr("share of the score"), name, -top,
                                                                   top)


# --- the classes ------------------------------------------------------------------------------------------------------

def _classes(trace: Trace, ends: Ends, seen: Shown | None, look: Look, x: float, y: float, wide: float,
             high: float) -> list[Mark]:
    """The scores of those classes that were measured; a click shows the map of one."""
    marks: list[Mark] = [Text(x, y + 13, plain(tr("score of each class")), 13, 600, max_width=wide)]
    if seen is None:
        return [*marks, Rect(x, y + HEAD, wide, high - HEAD, "hatch")]
    known = np.asarray(trace.studies[STUDY]["classes"]).tolist()
    each = min(34.0, (high - HEAD) / len(known))
    top = colour.largest(ends.scores.output) or 1.0
    middle = x + wide * 0.62
    for place, number in enumerate(known):
        at, chosen = y + HEAD + place * each, number == seen.number
        value = float(ends.scores.output[number])
        name = class_name(trace, number)
        tall = min(10.0, each * 0.5)
        long = value / top * wide * 0.14
        marks += [Rect(x - 6, at, wide + 6, each - 2, "tint" if chosen else "", radius=4,
                       focus=Focus(ends.scores.name, (number,)), tip=tr("where the score of {name} comes from").format(
                           name=name), holds=Choice("class", str(number))),
                  Text(x, at + each / 2 + 4, plain(name), 12, 600 if chosen else 400,
                       "accent-ink" if chosen else "ink", max_width=wide * 0.42),
                  Line(((middle, at + 3), (middle, at + each - 5)), "rule"),
                  Rect(min(middle, middle + long), at + each / 2 - tall / 2 - 1, abs(long), tall,
                       "positive-bar" if value > 0 else "negative-bar"),
                  Text(x + wide - 4, at + each / 2 + 4, plain(said(numbers.signed(value), "value", ends.scores.name,
                                                               (number,))), 12, 600, "ink", "end")]
    return marks


# --- one place --------------------------------------------------------------------------------------------------------

def _opened(seen: Shown | None, look: Look, box: Box) -> list[Mark]:
    """What the maps give at one place: number times slope, the largest first, and all others together."""
    if box.height < 60:
        return []
    if seen is None:
        return [Rect(box.left, box.top, box.width, box.height, "hatch")]
    row, column = seen.place
    here, maps = seen.products[:, row, column], seen.ends.maps
    held = np.asarray(seen.trace.studies[STUDY]["slopes"])[seen.row]
    slopes = held.mean((1, 2)) if seen.averaged else held[:, row, column]
    title = tr("Row {row}, column {column}: {count} maps, each times its slope, are {sum}").format(
        row=row, column=column, count=said(str(len(here)), "length of axis", maps.name, (0,)),
        sum=seen.claim(numbers.signed(float(here.sum())), "place of a class map", row, column))
    marks: list[Mark] = [Text(box.left, box.top + 13, plain(title), 13, 600, max_width=box.width)]
    columns = 2 if box.width >= 640 else 1
    lines = max(1, int((box.height - 26) // 19))
    count = min(len(here), columns * lines - 1)
    order = np.argsort(-np.abs(here), kind="stable")
    wide, top = (box.width - GAP * (columns - 1)) / columns, colour.largest(here) or 1.0
    for place in range(count + 1):
        at, line = divmod(place, lines)
        x, y = box.left + at * (wide + GAP), box.top + 38 + line * 19
        rest = place == count
        if rest and count == len(here):
            break
        number = int(order[place]) if not rest else -1
        value = float(here[order[count:]].sum()) if rest else float(here[number])
        cell = (number, row, column)
        bar = x + wide * 0.68
        long = max(-1.0, min(1.0, value / top)) * wide * 0.11
        if rest:
            marks.append(Text(x, y, plain(numbers.others(len(here) - count, said(
                str(len(here) - count), "others of a class map", maps.name, (count,)))), 12, 400, "ink-2"))
        else:
            marks += [Rect(x - 4, y - 13, wide + 4, 18, focus=Focus(maps.name, cell), radius=3),
                      Text(x, y, plain(tr("map {number}").format(number=number)), 12, 400),
                      Text(x + wide * 0.34, y, plain(said(numbers.number(float(maps.output[cell])), "value", maps.name,
                                                          cell)), 12, 400, "ink", "end"),
                      Text(x + wide * 0.38, y, plain("×"), 12, 400, "ink-2", "middle"),
                      Text(x + wide * 0.52, y, plain(seen.claim(numbers.signed(float(slopes[number])),
                                                                "slope of a class map", *cell)), 12, 400, "ink", "end")]
        marks += [Rect(min(bar, bar + long), y - 9, abs(long), 9, "positive-bar" if value > 0 else "negative-bar"),
                  Line(((bar, y - 11), (bar, y + 2)), "rule"),
                  Text(x + wide - 4, y, plain(seen.claim(
                      numbers.signed(value), "others of a class map at a place" if rest else "number of a class map",
                      *((count, row, column) if rest else cell))), 12, 600, "ink", "end")]
    return marks


# --- words ------------------------------------------------------------------------------------------------------------

def _sentence(trace: Trace, ends: Ends, seen: Shown | None, moment: Moment) -> str:
    if moment.backward:
        return tr("On the way back: how much each place of {layer} would change what is asked about.").format(
            layer=ends.maps.name)
    if seen is None:
        return tr("Where a score comes from is seen in {layer} as soon as the network has answered.").format(
            layer=ends.maps.name) if STUDY in trace.studies else \
            tr("Where the scores come from is being measured.")
    total, rest = float(seen.map.sum()), seen.score - float(seen.map.sum())
    words = {"count": said(str(seen.map.size), "places of maps", ends.maps.name), "layer": ends.maps.name,
             "name": seen.name, "sum": seen.claim(numbers.signed(total), "sum of a class map"),
             "score": said(numbers.signed(seen.score), "value", ends.scores.name, (seen.number,)),
             "rest": seen.claim(numbers.signed(rest), "rest of a class map", seen.number)}
    same = math.isclose(rest, _own_rest(seen), rel_tol=1e-4, abs_tol=1e-4)
    if ends.linear and same:
        return tr("The {count} places of {layer} give {sum} to {name}; with the bias of {rest} that is its score, "
                  "{{{score}}}.").format(**words)
    if seen.averaged and ends.linear:
        return tr("Grad-CAM averages the slopes over the places: these give {sum} to {name}, whose score is "
                  "{{{score}}}; each place has weights of its own, so that is not exact.").format(**words)
    return tr("The {count} places of {layer} give {sum} to {name}, whose score is {{{score}}}: behind them is more "
              "than a sum, so the map says what a small change would do.").format(**words)


def _own_rest(seen: Shown) -> float:
    """What is left of the score without averaging: the bias, where it is made of weighed sums."""
    slopes = np.asarray(seen.trace.studies[STUDY]["slopes"])[seen.row]
    return seen.score - float(places.products(seen.ends.maps.output, slopes).sum())


def _table(trace: Trace, ends: Ends) -> Table:
    """One row a class: its score, and of what it is made."""
    held = trace.studies.get(STUDY)
    if not held:
        return Table((tr("class"), tr("score")), tuple((class_name(trace, number), float(score))
                                                       for number, score in enumerate(ends.scores.output)))
    rows = []
    for number, slopes in zip(np.asarray(held["classes"]).tolist(), np.asarray(held["slopes"]), strict=True):
        total, score = float(places.products(ends.maps.output, slopes).sum()), float(ends.scores.output[number])
        rows.append((class_name(trace, number), score, total, score - total,
                     float(places.products(ends.maps.output, slopes, True).sum())))
    return Table((tr("class"), tr("score"), tr("sum of the places"), tr("rest"), tr("Grad-CAM")), tuple(rows))


def _telling(trace: Trace, times: Timeline) -> str:
    """Where the network has answered."""
    ends = places.ends(trace)
    moment = None if ends is None else times.of(ends.scores.name, FORWARD)
    return "" if moment is None else moment.address


VIEW = View(
    "class_map", english("Class map"), english("Where in the picture the score of a class comes from."),
    suits=lambda trace: "lab" not in trace.studies and places.ends(trace) is not None, draw=draw, telling=_telling,
    order=44, group=PARTS, studies=(STUDY,), knobs=(("class", ()), ("map", (ALL, GRAD)), ("place", ())),
    tries=english("Choose the class that came second: where does its score come from?"),
)
