"""How far the methods agree, and what is left of the answer when the places that count most are erased."""


from __future__ import annotations

import numpy as np

from visualizer.kinds import attribution
from visualizer.kinds.ranks import ranks
from visualizer.language import tr, translated
from visualizer.said import said, tick
from visualizer.scene import colour, numbers
from visualizer.scene.boxes import Box
from visualizer.scene.labels import fitting
from visualizer.scene.picture import (
    Choice,
    Focus,
    Line,
    Look,
    Mark,
    Rect,
    Text,
    plain,
)
from visualizer.scene.type import width, wrap
from visualizer.views.explain._seen import MARKED, NAMES, RANDOM, SHORT, Seen

SLOPES = ("gradient", "smooth")
"""Methods whose maps are slopes: the second is the first one's mean."""


def agreement(seen: Seen, look: Look, box: Box) -> list[Mark]:
    """Rank correlation of each two maps, inside the ink."""
    count = int(seen.ink.sum())
    title = tr("Agreement")
    about = tr("rank correlation, {count} places").format(count=seen.value(numbers.count(count), "ink",
                                                                          quantity="how many are true"))
    marks: list[Mark] = [Text(box.left, box.top + 13, plain(title), 13, 600),
                         Text(box.left + width(title, 13, 600) + 8, box.top + 13, plain(about), 12, 400, "ink-2",
                              max_width=box.width - width(title, 13, 600) - 8)]
    methods = seen.methods
    names = 104.0
    wide = (box.width - names) / len(methods)
    high = min(30.0, (box.height - 40) / len(methods))
    top = box.top + 40
    headed = all(width(translated(SHORT[method]), 11, 600) <= wide for method in methods)  # else the rows' names do
    for row, one in enumerate(methods):
        y = top + row * high
        ink = "accent-ink" if one == seen.method else "ink"
        weight = 600 if one == seen.method else 400
        marks += [Text(box.left + names - 8, y + high / 2 + 4, plain(translated(NAMES[one])), 12, weight, ink, "end",
                       max_width=names - 10)]
        marks += [Text(box.left + names + (row + 0.5) * wide, top - 7, plain(translated(SHORT[one])), 11, weight, ink,
                       "middle")] if headed else []
        for column, other in enumerate(methods):
            x = box.left + names + column * wide
            value = None if one == other else attribution.likeness(
                seen.arrays[f"maps/{one}"], seen.arrays[f"maps/{other}"], seen.ink)
            fill = "sunk" if value is None else f"activation:{int(colour.signed(value * 0.75, 1.0))}"
            tip = "" if value is None else tr("{one} and {other} agree by {value}").format(
                one=translated(NAMES[one]), other=translated(NAMES[other]), value=_agree(seen, value, row, column))
            paired = seen.pair in ((one, other), (other, one))
            holds = Choice("pair", "" if one == other or paired else f"{one},{other}")
            marks.append(Rect(x + 1, y + 1, wide - 2, high - 2, fill, "accent" if paired else "", 2, radius=2, tip=tip,
                              focus=Focus(seen.ends.read.name), holds=holds))
            digits = next((digits for digits in (2, 1) if value is not None and high >= 14
                           and width(numbers.number(value, digits), 11, 600) <= wide - 3), 0)
            if value is not None and digits:
                marks.append(Text(x + wide / 2, y + high / 2 + 4, plain(_agree(seen, value, row, column, digits)), 11,
                                  600, colour.ink_on(fill, look.theme), "middle"))
    return marks


def scatter(seen: Seen, look: Look, box: Box) -> list[Mark]:
    """A dot a place of the ink: its rank by one method to the right, by another up."""
    assert seen.pair is not None
    one, other = seen.pair
    names = [translated(NAMES[method]) for method in seen.pair]
    title = fitting((f"{names[0]} × {names[1]}", " × ".join(translated(SHORT[method]) for method in seen.pair)),
                    box.width - 24, 13) or ""
    marks: list[Mark] = [
        Text(box.left, box.top + 13, plain(title), 13, 600, max_width=box.width - 24),
        Rect(box.right - 20, box.top, 20, 18, "raised", "edge", radius=4, tip=tr("put these two maps away"),
             focus=Focus(seen.ends.read.name), holds=Choice("pair", "")),
        Text(box.right - 10, box.top + 13, plain("×"), 13, 600, "ink-2", "middle")]
    side = max(40.0, min(box.width - 20, box.height - 66))
    frame = Box(box.left + 18, box.top + 26, box.left + 18 + side, box.top + 26 + side)
    places = np.argwhere(seen.ink)
    across, up = (ranks(np.asarray(seen.arrays[f"maps/{method}"], np.float64)[seen.ink]) for method in seen.pair)
    count = max(1, len(places) - 1)
    dot = 4.0 if len(places) < 300 else 3.0
    marks.append(Rect(frame.left, frame.top, side, side, "sunk", radius=3))
    for place, x, y in zip(places.tolist(), across, up, strict=True):
        here = tuple(place) == seen.place
        size = dot + 4 if here else dot
        marks.append(Rect(frame.left + 4 + (x - 1) / count * (side - 8) - size / 2,
                          frame.bottom - 4 - (y - 1) / count * (side - 8) - size / 2, size, size,
                          "pen" if here else "accent", radius=size / 2, focus=_place_focus(seen, tuple(place))))
    value = attribution.likeness(seen.arrays[f"maps/{one}"], seen.arrays[f"maps/{other}"], seen.ink)
    told = tr("ranks among {count} places; agreement {value}").format(
        count=seen.value(numbers.count(len(places)), "ink", quantity="how many are true"),
        value="—" if value is None else _agree(seen, value, *map(seen.methods.index, seen.pair)))
    for number, line in enumerate(wrap(plain(told), 12, box.width, 400)[:2]):
        marks.append(Text(box.left, frame.bottom + 17 + 16 * number, line, 12, 400, "ink-2"))
    return marks


def _place_focus(seen: Seen, place: tuple[int, ...]) -> Focus:
    """The numbers that are read at a place."""
    read = seen.ends.read
    if len(place) == 2 and read.output.ndim == 3:
        return Focus(read.name, (0, *place)) if read.is_input else Focus(read.name)
    return Focus(read.name, place)


def _agree(seen: Seen, value: float, one: int, other: int, digits: int = 2) -> str:
    return said(numbers.number(value, digits), "agreement of maps", layer=seen.name, cell=(one, other))


def test(seen: Seen, look: Look, box: Box) -> list[Mark]:
    """The chance as places are erased, or put into the baseline, those first that count most."""
    kind = "inserted" if seen.inserts else "deleted"
    title = tr("Test of the maps")
    about = (tr("put the highest-ranked places in, read the answer again"), tr("put in, read again")) if seen.inserts \
        else (tr("erase the highest-ranked places, read the answer again"), tr("erase, read again"))
    start = box.left + width(title, 13, 600) + 8
    marks: list[Mark] = [Text(box.left, box.top + 13, plain(title), 13, 600),
                         Text(start, box.top + 13, plain(fitting(about, box.right - start, 12) or about[-1]), 12, 400,
                              "ink-2", max_width=box.right - start)]
    keys = 204.0 if box.width >= 480 else 142.0
    chart = Box(box.left + 40, box.top + 30, box.right - keys, box.bottom - 22)
    if chart.width < 60 or chart.height < 40:
        return marks
    rows = (*seen.shown, RANDOM)
    curves = {name: np.asarray(seen.arrays[f"{kind}/{name}"], np.float64) for name in rows}
    low = 0.0 if seen.ends.chooses else min(float(curve.min()) for curve in curves.values())
    high = 1.0 if seen.ends.chooses else max(float(curve.max()) for curve in curves.values())
    span = (high - low) or 1.0
    last = seen.counts[-1] or 1
    marked = min(MARKED, len(seen.counts) - 1)
    for value in (low, (low + high) / 2, high):
        y = chart.bottom - (value - low) / span * chart.height
        words = numbers.percent(value, 0) if seen.ends.chooses else numbers.number(value, 1)
        marks += [Line(((chart.left, y), (chart.right, y)), "hair"),
                  Text(chart.left - 6, y + 4, plain(tick(words, value, low, high)), 11, 400, "ink-2", "end")]
    for place, count in enumerate(seen.counts):
        x = chart.left + count / last * chart.width
        marks.append(Text(x, chart.bottom + 16, plain(seen.value(str(count), "counts", place)), 11,
                          700 if place == marked else 400, "accent-ink" if place == marked else "ink-2", "middle"))
        if place == marked:
            marks.append(Line(((x, chart.top), (x, chart.bottom)), "accent", 1.5))
    order = sorted(rows, key=lambda name: (name == RANDOM, name != seen.method))
    for row, name in enumerate(order):
        ink, wide, dashed = _pen(name, seen)
        points = tuple((chart.left + count / last * chart.width, chart.bottom - (value - low) / span * chart.height)
                       for count, value in zip(seen.counts, curves[name], strict=True))
        marks.append(Line(points, ink, wide, dashed))
        y = chart.top + 14 + row * min(24.0, (chart.height - 10) / len(order))
        x = box.right - keys + 14
        mean = tr("chance, mean of {count}").format(count=said(str(attribution.DRAWS), "factor", array=repr(
            float(attribution.DRAWS))))
        ways = (mean, tr("chance")) if name == RANDOM else (translated(NAMES[name]),)
        label = fitting(ways, keys - 90, 12) or ways[-1]
        marks += [Line(((x, y - 4), (x + 18, y - 4)), ink, wide, dashed),
                  Text(x + 24, y, plain(label), 12, 600 if name == seen.method else 400, max_width=keys - 90),
                  Text(box.right, y, plain(seen.chance(float(curves[name][marked]), f"{kind}/{name}", marked)), 12, 600,
                       "accent-ink" if name == seen.method else "ink", "end")]
    return marks


def _pen(name: str, seen: Seen) -> tuple[str, float, bool]:
    """Amber is a gradient's alone."""
    if name == RANDOM:
        return "rule", 1.75, False
    if name == seen.method:
        return "ink", 2.25, False
    if name in SLOPES:
        return "gradient-mark", 1.75, name != SLOPES[0]
    others = [each for each in seen.shown if each not in (*SLOPES, seen.method)]
    pens = (("ink-2", 1.75, False), ("ink-2", 1.5, True), ("ink", 0.75, False), ("ink", 1.5, True))
    return pens[others.index(name) % len(pens)]
