"""An input made for a unit, update by update; the unit then, and the same with random weights."""

from __future__ import annotations

import numpy as np

from visualizer.kinds.units import BACK, EXCITES, RATE, UPDATES
from visualizer.language import tr
from visualizer.said import constants, said, tick
from visualizer.scene import numbers
from visualizer.scene.boxes import Box
from visualizer.scene.picture import Group, Line, Look, Mark, Rect, Table, Text, grouped, plain
from visualizer.scene.type import wrap
from visualizer.views.units._seen import Seen, Values, numbers_of, picture

STRIP = (0, 4, 8, 16, 24, 32, 48, 64)
"""The updates of the film strip."""


def sentence(seen: Seen) -> str:
    now = seen.now
    words = {"count": seen.value(str(now), "values", now, quantity="index of an update"), "unit": seen.unit_words,
             "value": seen.value(numbers_of(float(_values(seen)[now])), "values", now),
             "control": seen.value(numbers_of(float(np.asarray(_arrays(seen)["control_values"])[now])),
                                   "control_values", now)}
    return tr("After {count} updates the input made for {unit} gives it {{{value}}}; with random weights as many give "
              "{control}.").format(**words)


def waits(seen: Seen) -> str:
    return tr("An input is made for {unit}: its slopes change it, update by update.").format(unit=seen.unit_words)


def has_no_meaning(seen: Seen) -> str:
    return tr("This network reads symbols: between two of them there is nothing to climb, so no input can be made for "
              "a unit.")


def table(seen: Seen) -> Table:
    return Table((tr("updates"), tr("value"), tr("random weights")), tuple(
        (number, float(one), float(other)) for number, (one, other) in enumerate(
            zip(_values(seen), np.asarray(_arrays(seen)["control_values"]), strict=True))))


def _arrays(seen: Seen) -> dict[str, Values]:
    assert seen.arrays is not None
    return {key: np.asarray(values) for key, values in seen.arrays.items()}


def _values(seen: Seen) -> Values:
    return _arrays(seen)["values"]


def marks(seen: Seen, look: Look, box: Box) -> list[Mark]:
    """The input as it is, that of random weights, the curve of the unit, and a strip of the updates."""
    arrays = _arrays(seen)
    name = seen.trace.layers[0].name
    ends = (float(arrays["range"][0]), float(arrays["range"][1]))
    shape = arrays["made"].shape[1:]
    long = len(shape) < 2 or shape[-1] > 3 * shape[-2] or shape[-2] > 3 * shape[-1]
    strip = 0.0 if long else min(120.0, box.height * 0.24)
    upper = Box(box.left, box.top, box.right, box.bottom - strip - (26 if strip else 0))
    found: list[Mark] = []
    if long:
        each = (upper.height - 100) * 0.3
        for row, (title, values) in enumerate(((tr("made for it"), arrays["made"][seen.now]),
                                               (tr("made with random weights"), arrays["control"]))):
            y = upper.top + row * (each + 28)
            found += [Text(upper.left, y + 13, plain(title), 13, 600), *_long(values, Box(
                upper.left, y + 20, upper.right, y + 20 + each), ends, name, look)]
        chart = Box(upper.left, upper.top + 2 * (each + 28), upper.right, upper.bottom)
    else:
        side = min(upper.height - 30, upper.width * 0.34)
        x = upper.left
        for title, values, size in ((tr("made for it"), arrays["made"][seen.now], side),
                                    (tr("made with random weights"), arrays["control"], side * 0.6)):
            made, wide, high = picture(_two(values), x, upper.top + 22, size, size, ends, name, look)
            found += grouped(Group(title), [
                Text(x, upper.top + 14, plain(title), 13, 600, max_width=size + 12), *made,
                Rect(x, upper.top + 22, wide * _two(values).shape[-1], high * _two(values).shape[-2], "",
                     "tile-border")])
            x += size + 22
        chart = Box(x + 20, upper.top, upper.right, upper.bottom)
    found += grouped(Group(tr("the unit over the updates")), _curve(seen, look, chart))
    return [*found, *_strip(seen, look, Box(box.left, upper.bottom + 8, box.right, box.bottom), ends, name)] \
        if strip else found


def _two(values: Values) -> Values:
    return np.atleast_2d(values)


def _long(values: Values, box: Box, ends: tuple[float, float], name: str, look: Look) -> list[Mark]:
    """Steps from left to right; a wave as a line."""
    flat = np.squeeze(values)
    if flat.ndim == 1:
        step = max(1, len(flat) // 800)
        some = flat[::step]
        span = (ends[1] - ends[0]) or 1.0
        points = tuple((box.left + box.width * at / max(1, len(some) - 1),
                        box.bottom - box.height * (float(value) - ends[0]) / span) for at, value in enumerate(some))
        return [Rect(box.left, box.top, box.width, box.height, "sunk", radius=3), Line(points, "ink", 1.25)]
    tile = flat if flat.shape[-1] >= flat.shape[-2] else flat.T
    return picture(tile, box.left, box.top, box.width, box.height, ends, name, look, stretched=True)[0]


def _curve(seen: Seen, look: Look, box: Box) -> list[Mark]:
    """The unit, by updates; that of random weights; and the largest over the inputs that ship, where it is known."""
    arrays = _arrays(seen)
    values, control = arrays["values"], arrays["control_values"]
    best = seen.shipped.get(f"{seen.layer.name}:best")
    level = None if best is None or len(seen.layer.shape) > 1 else float(np.asarray(best)[seen.unit, 0])
    everything = [*values, *control, *([level] if level is not None else [])]
    low, high = float(min(everything)), float(max(everything))
    span = (high - low) or 1.0
    told = [tr("{count} updates, each {rate} of the range along the slopes and {back} of the way back to the noise "
               "that it began with; the same seed always.").format(
        count=constants(str(UPDATES)), rate=said(numbers.percent(RATE, 0), "factor", array=repr(RATE)),
        back=said(numbers.percent(BACK, 0), "factor", array=repr(BACK)))]
    lines = [line for words in told for line in wrap(plain(words), 12, box.width, 400)] if look.mode.notes else []
    chart = Box(box.left + 44, box.top + 26, box.right - 12, box.bottom - 24 - 18 * len(lines) - 44)
    marks: list[Mark] = [Text(box.left, box.top + 14, plain(tr("the unit over the updates")), 13, 600,
                              max_width=box.width)]
    if chart.height < 30 or chart.width < 60:
        return marks
    for value in (low, (low + high) / 2, high):
        y = chart.bottom - (value - low) / span * chart.height
        marks += [Line(((chart.left, y), (chart.right, y)), "hair"),
                  Text(chart.left - 6, y + 4, plain(tick(numbers.significant(value, 2), value, low, high)), 11, 400,
                       "ink-2", "end")]

    def points(row: Values) -> tuple[tuple[float, float], ...]:
        return tuple((chart.left + at / UPDATES * chart.width,
                      chart.bottom - (float(value) - low) / span * chart.height) for at, value in enumerate(row))

    marks += [Line(points(control), "ink-2", 1.5, True), Line(points(values), "accent", 2.25)]
    if level is not None:
        y = chart.bottom - (level - low) / span * chart.height
        marks.append(Line(((chart.left, y), (chart.right, y)), "gradient-mark", 1.5))
    x = chart.left + seen.now / UPDATES * chart.width
    marks.append(Line(((x, chart.top), (x, chart.bottom)), "accent", 1.25))
    for count in (0, 16, 32, 48, 64):
        marks.append(Text(chart.left + count / UPDATES * chart.width, chart.bottom + 16, plain(constants(str(count))),
                          11, 400, "ink-2", "middle"))
    y = chart.bottom + 36
    keys = [(tr("trained"), "accent", False), (tr("random weights"), "ink-2", True)]
    if level is not None and best is not None:
        shipped = seen.value(numbers_of(level), f"{seen.layer.name}:best", seen.unit, 0, study=EXCITES)
        keys.append((tr("the best that ships: {value}").format(value=shipped), "gradient-mark", False))
    x = chart.left
    for words, ink, dashed in keys:
        marks += [Line(((x, y - 4), (x + 18, y - 4)), ink, 2, dashed),
                  Text(x + 24, y, plain(words), 12, 400, max_width=max(10.0, box.right - x - 24))]
        x += 24 + 8 * len(words) + 20
    for number, line in enumerate(lines):
        marks.append(Text(box.left, y + 22 + 18 * number, line, 12, 400, "ink-2"))
    return marks


def _strip(seen: Seen, look: Look, box: Box, ends: tuple[float, float], name: str) -> list[Mark]:
    """The input after some of the updates."""
    made = _arrays(seen)["made"]
    pitch = box.width / len(STRIP)
    side = min(pitch - 12, box.height - 18)
    marks: list[Mark] = []
    nearest = min(STRIP, key=lambda count: abs(count - seen.now))
    for number, count in enumerate(STRIP):
        x = box.left + number * pitch
        shown, wide, high = picture(_two(made[count]), x, box.top, side, side, ends, name, look)
        frame = Rect(x - 2, box.top - 2, wide * _two(made[count]).shape[-1] + 4,
                     high * _two(made[count]).shape[-2] + 4, "", "accent" if count == nearest else "", 2, radius=2)
        marks += [*shown, frame, Text(x, box.top + side + 14, plain(tr("update {count}").format(
            count=constants(str(count)))), 11, 600 if count == nearest else 400, "ink-2")]
    return grouped(Group(tr("updates")), marks)
