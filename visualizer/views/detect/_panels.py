"""Beside the scene: the numbers of one cell, each with what becomes of it, and the list that suppression works through.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from visualizer.answers import label
from visualizer.answers.boxes import EDGES, Found, columns_of, pixels_of
from visualizer.language import numeral, tr
from visualizer.said import said
from visualizer.scene import colour, numbers
from visualizer.scene.boxes import Box
from visualizer.scene.picture import Choice, Focus, Group, Line, Look, Mark, Rect, Scale, Text, grouped, plain
from visualizer.scene.timeline import Moment, ease
from visualizer.scene.type import elide, plain_lines, width
from visualizer.trace import Trace
from visualizer.views.detect._state import (
    DECODE,
    DROPPED,
    DROPS_NOW,
    GATHERS,
    KEEPS,
    KEPT,
    LEVELS,
    OVERLAP,
    SCORE,
    WAITS,
    Detection,
    Now,
    come,
    returned,
    told,
)

MOST_CLASSES = 10
"""Labels of which each has a row; of more the largest nine, and all others as one."""
TALLEST, LEAST = 30.0, 13.0
"""Height of a row."""
SLIDER = 42.0


# --- the opened cell --------------------------------------------------------------------------------------------------

def place_words(found: Detection, place: tuple[int, ...]) -> str:
    """`cell (1, 6)`, or `box 12`."""
    name = found.held.name
    if found.grid is None:
        return tr("box {number}").format(number=said(str(place[0]), "index", name, place))
    row = said(str(place[0]), "index", name, (0, place[0]))
    return tr("cell ({row}, {column})").format(row=row, column=said(str(place[1]), "index", name, (0, *place)))


def cell(trace: Trace, found: Detection, moment: Moment, seen: Now, place: Box, opened: tuple[int, ...],
         look: Look) -> list[Mark]:
    """Its raw numbers, what each becomes, and as bars how much; on the way back the gradient of each."""
    held, name = found.held, found.held.name
    each = found.every[found.number(opened)]
    raw = _numbers(found, opened)
    there = come(trace, moment, name)
    title = place_words(found, opened) if there > 0 else tr("one cell") if found.grid is not None else tr("one box")
    marks: list[Mark] = [Text(place.left, place.top + 10, plain(title[:1].upper() + title[1:]), 13, 600, "ink",
                              max_width=place.width)]
    rows = _rows(found, raw)
    below = 22.0 if place.height > 260 and look.mode.notes else 0.0
    top = place.top + 34
    tall = min(TALLEST, (place.bottom - below - top) / (len(rows) + 0.8))
    if tall < LEAST:
        rows = rows[:max(1, int((place.bottom - below - top) / LEAST - 0.8))]
        tall = LEAST
    x = _columns(place)
    gradient = held.gradient if moment.backward and returned(trace, moment, name) >= 1 else None
    heads = [(tr("raw"), x["raw"], "end"), (tr("gradient") if moment.backward else tr("becomes"), x["bar"], "start")]
    marks += [Text(at, place.top + 28, plain(words), 12, 400, "ink-2", anchor) for words, at, anchor in heads]
    bars = 1.0 if seen.decoded >= 1 else seen.decoded
    most = float(np.nanmax(np.abs(raw))) or 1.0 if np.isfinite(raw).any() else 1.0
    largest = 0.0 if gradient is None else colour.largest(_numbers(found, opened, gradient))
    y, gap = top, tall * 0.4
    for place_in, (words, index) in enumerate(rows):
        if place_in in (1, 1 + len(EDGES)):
            marks.append(Line(((place.left, y + gap / 2), (place.right, y + gap / 2)), "hair"))
            y += gap
        base = y + tall / 2 + 4
        known = there >= 1 or there * (len(rows) + 1) > place_in + 1
        marks += _row(found, each, raw, words, index, base, tall, x, known, bars, moment.backward, gradient, most,
                      largest, look)
        y += tall
    if below and seen.decoded >= 1 and y + 16 <= place.bottom:
        marks.append(Text(place.left, y + 15, plain(_formula(found, opened)), 12, 400, "ink-2",
                          max_width=place.width))
    return grouped(Group(tr("numbers of one cell"), Focus(name)), marks)


def _columns(place: Box) -> dict[str, float]:
    swatch = place.left + min(54.0, 0.24 * place.width)
    raw = swatch + 18 + 46
    bar = raw + 10
    value = min(place.right, bar + (56.0 if place.width >= 270 else max(30.0, 0.2 * place.width)) + 42)
    return {"name": place.left, "swatch": swatch, "raw": raw, "bar": bar, "end": value - 38, "value": value,
            "decoded": value + 10, "right": place.right}


def _numbers(found: Detection, place: tuple[int, ...],
             values: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """All numbers of one cell."""
    of = found.values if values is None else values
    return np.asarray(of[:, place[0], place[1]] if found.grid is not None else of[place[0]], np.float64)


def _rows(found: Detection, raw: NDArray[np.float64]) -> list[tuple[str, int]]:
    """(what it is called, which number): the score, the edges, the labels; −1 for all labels that are left."""
    columns = columns_of(found.answer)
    order = [columns.index("score"), *(columns.index(edge) for edge in EDGES)]
    names = {"score": tr("object"), "left": tr("left"), "top": tr("top"), "right": tr("right"), "bottom": tr("bottom")}
    rows = [(names[columns[index]], index) for index in order]
    count = len(raw) - len(columns)
    shown = range(count)
    if count > MOST_CLASSES:
        best = np.argsort(-np.nan_to_num(raw[len(columns):], nan=-np.inf), kind="stable")[:MOST_CLASSES - 1]
        shown = best.tolist()
    rows += [(label(found.answer, index), len(columns) + index) for index in shown]
    return rows + ([(tr("others"), -1)] if count > MOST_CLASSES else [])


def _row(found: Detection, each: Found, raw: NDArray[np.float64], words: str, index: int, base: float, tall: float,
         x: dict[str, float], known: bool, bars: float, back: bool, gradient: NDArray[np.float64] | None, most: float,
         largest: float, look: Look) -> list[Mark]:
    name, columns = found.held.name, columns_of(found.answer)
    first = index >= len(columns) or index == -1
    mine = first and each.label is not None and index == len(columns) + each.label
    strong = index == columns.index("score") or (mine and bars > 0)
    words = elide(words, 12, x["swatch"] - x["name"] - 3, 600)
    if index >= len(columns):
        words = said(words, "label of a box", name, (index - len(columns),))
    marks: list[Mark] = [Text(x["name"], base, plain(words), 12, 600 if strong else 400, "ink")]
    if index == -1:
        rest = _shares(found, raw)
        shown = {at for _, at in _rows(found, raw)}
        share = sum(value for place, value in enumerate(rest) if len(columns) + place not in shown)
        if known and bars >= 1 and not back:
            marks += _bar(x, base, share, said(numbers.brief(share, 2), "share of all other labels", name, each.place),
                          False)
        return marks
    cell = found.cell(each.place, index - len(columns)) if first else _edge_cell(found, each.place, index)
    high = min(16.0, tall - 3)
    focus = Focus(name, cell)
    if not known:
        return [*marks, Rect(x["swatch"], base - 4 - high / 2, x["raw"] - x["swatch"], high, "hatch")]
    value = float(raw[index])
    scale = Scale("activation", tr("values"), name, -most, most)
    shade = int(colour.signed(np.array(value), most)) if math.isfinite(value) else colour.UNKNOWN
    marks.append(Rect(x["swatch"], base - 4 - high / 2, 16, high, f"activation:{shade}", "tile-border", 1, inside=True,
                      focus=focus, scale=scale))
    if value < 0:
        ink = colour.ink_on(f"activation:{shade}", look.theme)
        marks.append(Line(((x["swatch"] + 5, base - 4), (x["swatch"] + 11, base - 4)), ink, 1.2))
    marks.append(Text(x["raw"], base, plain(said(numbers.brief(value, 2), "value", name, cell)), 12, 400,
                      "positive-text" if value > 0 else "negative-text" if value < 0 else "ink", "end", focus=focus))
    if back:
        if gradient is not None:
            amount = float(gradient[cell])
            share = abs(amount) / largest if largest > 0 else 0.0
            wide = (x["end"] - x["bar"]) * min(1.0, share)
            marks += [Rect(x["bar"], base - 7, x["end"] - x["bar"], 6, "sunk"),
                      *([Rect(x["bar"], base - 7, wide, 6, "gradient-mark")] if wide >= 0.5 else []),
                      Text(min(x["value"] + 16, x["right"]), base,
                           plain(said(numbers.significant(amount, 2), "gradient", name, cell)), 12, 400,
                           "gradient-text", "end")]
        return marks
    if bars <= 0:
        return marks
    if index == columns.index("score"):
        marks += _bar(x, base, each.score, said(numbers.brief(each.score, 2), "score of a place", name, each.place),
                      strong, bars)
        sure = each.score > found.least
        return marks + _decoded(x, base, tr("a box") if sure else tr("no box"), sure)
    if first:
        share = float(_shares(found, raw)[index - len(columns)])
        marks += _bar(x, base, share, said(numbers.brief(share, 2), "share of a label", name,
                                           (*each.place, index - len(columns))), mine, bars)
        return marks
    edge = EDGES.index(columns[index])
    away = abs(pixels_of(found.answer, found.values, edge) * value)
    span = held_span(found)
    marks += _bar(x, base, min(1.0, away / span[edge % 2]), said(numbers.brief(away, 1), "pixels to an edge", name,
                                                                 (*each.place, edge)), False, bars)
    at = said(numbers.brief(each.box[edge], 1), "edge of a box", name, (*each.place, edge))
    return marks + _decoded(x, base, (tr("y {at} px") if edge % 2 else tr("x {at} px")).format(at=at), False)


def held_span(found: Detection) -> tuple[float, float]:
    """How wide and how high all cells together are, in pixels; of rows the farthest edges."""
    if found.grid is not None:
        stride = float(found.answer.settings.get("stride", 1))
        return found.grid[1] * stride, found.grid[0] * stride
    edges = np.array([each.box for each in found.every])
    return tuple(max(1.0, float(np.nanmax(np.abs(edges[:, axis::2])))) for axis in (0, 1))  # type: ignore[return-value]


def _edge_cell(found: Detection, place: tuple[int, ...], index: int) -> tuple[int, ...]:
    return (*place, index) if found.grid is None else (index, *place)


def _shares(found: Detection, raw: NDArray[np.float64]) -> NDArray[np.float64]:
    """What is given to the labels as shares of a whole: softmax, unless they are chances already."""
    scores = raw[len(columns_of(found.answer)):]
    if found.answer.settings.get("score") != "logit":
        return scores
    with np.errstate(invalid="ignore", over="ignore"):
        made = np.exp(scores - scores.max())
        shares: NDArray[np.float64] = made / made.sum()
    return shares


def _bar(x: dict[str, float], base: float, share: float, words: str, strong: bool, grown: float = 1.0) -> list[Mark]:
    long = x["end"] - x["bar"]
    wide = long * min(1.0, max(0.0, share if math.isfinite(share) else 0.0)) * grown
    marks: list[Mark] = [Rect(x["bar"], base - 7, long, 6, "sunk")]
    marks += [Rect(x["bar"], base - 7, wide, 6, "accent" if strong else "ink-2")] if wide >= 0.5 else []
    if grown >= 1:
        marks.append(Text(x["value"], base, plain(words), 12, 600 if strong else 400, "ink", "end"))
    return marks


def _decoded(x: dict[str, float], base: float, words: str, strong: bool) -> list[Mark]:
    if width(words, 12, 600) > x["right"] - x["decoded"]:
        return []
    return [Text(x["decoded"], base, plain(words), 12, 600 if strong else 400, "accent-ink" if strong else "ink-2")]


def _formula(found: Detection, opened: tuple[int, ...]) -> str:
    """How an edge is made of its number, with those of the opened cell."""
    if found.grid is None:
        return tr("edges in pixels, as they are")
    each, name = found.every[found.number(opened)], found.held.name
    stride = float(found.answer.settings.get("stride", 1))
    index = columns_of(found.answer).index("left")
    raw = float(_numbers(found, opened)[index])
    of = said(numbers.number(raw, 2), "value", name, _edge_cell(found, opened, index))
    of = f"({of})" if raw < 0 else of
    column = said(str(opened[1]), "index", name, (0, *opened))
    step = said(numbers.short(stride), "factor", array=repr(stride))
    half = said(numbers.short(0.5), "factor", array="0.5")
    made = said(numbers.number(each.box[0], 1), "edge of a box", name, (*opened, 0))
    return tr("left: ({column} + {half} − {raw}) × {stride} = {made}").format(column=column, half=half, raw=of,
                                                                             stride=step, made=made)


# --- the list ---------------------------------------------------------------------------------------------------------

def listed(trace: Trace, found: Detection, moment: Moment, seen: Now, place: Box, opened: tuple[int, ...] | None,
           look: Look) -> list[Mark]:
    """Every box above the threshold, the surest first, and what becomes of it; below it both thresholds."""
    name = found.held.name
    marks: list[Mark] = [Text(place.left, place.top + 10, plain(tr("Non-max suppression")), 13, 600, "ink",
                              max_width=place.width)]
    sliders = look.mode.notes and place.height >= 230
    bottom = place.bottom - (2 * SLIDER + 4 if sliders else 0)
    if sliders:
        marks += _slider(found, SCORE, tr("score at least"), found.least, place, bottom + 18)
        marks += _slider(found, OVERLAP, tr("overlap at most"), found.most, place, bottom + 18 + SLIDER)
    marks = grouped(Group(tr("suppression"), Focus(name)), marks)
    top = place.top + 34
    if seen.decoded < 1 or (seen.passed <= 0 and moment.beat.doing == DECODE):
        return [*marks, Rect(place.left, top - 12, place.width, max(0.0, bottom - top + 4), "hatch")]
    if not found.likely:
        best = max((each.score for each in found.every), default=math.nan)
        words = tr("No box is sure enough: the surest has {score}.").format(
            score=said(numbers.number(best, 2), "score of the surest place", name))
        lines = plain_lines(words, 12, place.width)
        marks += [Text(place.left, top + 4 + 17 * at, plain(line), 12, 400, "ink") for at, line in enumerate(lines)]
        start = top + 4 + 17 * len(lines)
        return [*marks, Rect(place.left, start, place.width, max(0.0, bottom - start), "hatch")]
    tall = min(24.0, max(LEAST + 2, (bottom - top) / max(1, min(16, len(found.likely)))))
    room = max(1, int((bottom - top) / tall))
    state = told(found, seen)
    current = next((index for index, (what, _) in enumerate(state) if what == KEEPS), None)
    if current is None and opened is not None:
        current = next((index for index, each in enumerate(found.likely) if each.place == opened), None)
    first = 0
    if len(found.likely) > room:
        room = max(1, int((bottom - top - 16) / tall))
        first = min(max(0, (current or 0) - room // 2), len(found.likely) - room)
        last = first + room
        words = tr("{first}–{last} of {count}").format(
            first=said(str(first + 1), "number of a likely box", name, (first,), array=repr(found.least)),
            last=said(str(last), "number of a likely box", name, (last - 1,), array=repr(found.least)),
            count=said(numbers.count(len(found.likely)), "boxes above a threshold", name, array=repr(found.least)))
        marks.append(Text(place.right, place.top + 10, plain(words), 12, 400, "ink-2", "end"))
    names = [tr("box") if each.label is None else label(found.answer, each.label) for each in found.likely]
    x = _places(place, min(0.3 * place.width, max(width(each, 12, 600) for each in names)))
    heads = [(tr("score"), x["score"], "end"), (tr("IoU"), x["share"], "end"), (tr("step"), x["state"], "start")]
    marks += [Text(at, place.top + 28, plain(words), 12, 400, "ink-2", anchor) for words, at, anchor in heads
              if at < place.right]
    shares = _with_kept(found, seen)
    for line, index in enumerate(range(first, min(len(found.likely), first + room))):
        marks += _line(found, index, state[index], shares, seen, x, top + line * tall, tall, place, opened)
    return marks


def _places(place: Box, named: float) -> dict[str, float]:
    """Where the columns stand; `named`: how wide what a box holds is."""
    start = place.left + named + 14
    bar = min(56.0, max(0.0, place.right - start - 150))
    score = start + bar + 34
    return {"named": named, "bar": start, "long": bar, "score": score, "share": score + 38, "state": score + 48}


def _with_kept(found: Detection, seen: Now) -> NDArray[np.float64]:
    """How much the box that is kept now overlaps each; NaN where that is not asked."""
    shares = np.full(len(found.likely), np.nan)
    if seen.current and seen.share >= GATHERS:
        return found.of_beat(seen.beat)[0].shares
    return shares


def _line(found: Detection, index: int, what: tuple[str, int], shares: NDArray[np.float64], seen: Now,
          x: dict[str, float], y: float, tall: float, place: Box, opened: tuple[int, ...] | None) -> list[Mark]:
    each, name, (state, number) = found.likely[index], found.held.name, what
    base, focus = y + tall / 2 + 4, Focus(found.held.name, found.cell(found.likely[index].place))
    current, gone = state == KEEPS, state in (DROPPED, DROPS_NOW)
    marks: list[Mark] = [Rect(place.left - 4, y + 1, place.width + 8, tall - 2, "tint" if current else "",
                              "accent" if each.place == opened and not current else "", 1, radius=4, focus=focus)]
    ink = "accent-ink" if current else "ink-2" if gone else "ink"
    held = tr("box") if each.label is None else said(elide(label(found.answer, each.label), 12, x["named"], 600),
                                                     "label of a box", name, (each.label,))
    marks.append(Text(place.left, base, plain(held), 12, 600 if current else 400, ink))
    if gone:
        end = place.left + width(held, 12) + 3
        marks.append(Line(((place.left - 3, base - 4), (end, base - 4)), ink, 1.2))
    if x["long"] >= 12:
        share = min(1.0, max(0.0, each.score))
        marks.append(Rect(x["bar"], base - 7, x["long"], 6, "sunk"))
        marks += [Rect(x["bar"], base - 7, x["long"] * share * ease(seen.passed), 6,
                       "accent" if current else "ink-2")] if share > 0.01 and seen.passed > 0 else []
    if seen.passed < 1:
        return marks
    marks.append(Text(x["score"], base, plain(said(numbers.brief(each.score, 2), "score of a place", name, each.place)),
                      12, 600 if current else 400, ink, "end"))
    if np.isfinite(shares[index]):
        kept = found.likely[found.of_beat(seen.beat)[0].kept]
        marks.append(Text(x["share"], base, plain(said(numbers.brief(float(shares[index]), 2), "overlap of two boxes",
                                                       name, (*kept.place, *each.place))), 12,
                          600 if shares[index] > found.most else 400, ink, "end"))
    step = said(str(number), "beat of suppression", name, each.place, array=found.asked) if number else ""
    words = {KEEPS: tr("{step} keeps"), KEPT: tr("{step} kept"), DROPS_NOW: tr("{step} drops"),
             DROPPED: tr("{step} dropped"), WAITS: tr("waits")}[state].format(step=step)
    room = place.right + 6 - x["state"]
    if room >= 20:
        marks.append(Text(x["state"], base, plain(words if width(words, 12, 600) <= room else step or "…"), 12,
                          600 if current else 400, ink))
    return marks


def _slider(found: Detection, knob: str, title: str, value: float, place: Box, y: float) -> list[Mark]:
    """A threshold as a line with a handle; each place on it is a choice."""
    name, middle = found.held.name, y + 12
    left, right = place.left + 7, place.right - 7
    at = left + (right - left) * min(1.0, max(0.0, value))
    marks: list[Mark] = [
        Text(place.left, y, plain(title), 12, 500, "ink", max_width=place.width - 44),
        Text(place.right, y, plain(said(numbers.number(value, 2), "factor", array=repr(value))), 12, 600, "ink", "end"),
        Rect(left, middle - 1, right - left, 2, "rule"), Rect(left, middle - 1, max(0.0, at - left), 2, "accent"),
        Rect(at - 6, middle - 6, 12, 12, "raised", "accent", 2, radius=6)]
    step = (right - left) / (len(LEVELS) + 1)
    for index, word in enumerate(LEVELS, 1):
        tip = f"{title} {said(numeral(word), 'factor', array=repr(float(word)))}"
        marks.append(Rect(left + index * step - step / 2, middle - 9, step, 18, focus=Focus(name), tip=tip,
                          holds=Choice(knob, word)))
    return grouped(Group(title, Focus(name)), marks)

