"""A forecast: the series with what was foretold of it, the error, the state and the gates that make it, year by year;
and from any step on the forecast that goes on by itself, each value read back in."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from visualizer.language import english, tr, translated
from visualizer.said import said, tick
from visualizer.scene import colour, numbers, parts, steps
from visualizer.scene.boxes import Box, whole
from visualizer.scene.columns import lanes_height
from visualizer.scene.picture import (
    Focus,
    Group,
    Line,
    Look,
    Mark,
    Path,
    Picture,
    Points,
    Rect,
    Run,
    Scale,
    Table,
    Text,
    grouped,
    plain,
    unmarked,
)
from visualizer.scene.projector import begins
from visualizer.scene.reading import Reading, layers, read_said, reading, shown_layer, step_said
from visualizer.scene.telling import read_to_the_end
from visualizer.scene.timeline import Moment, Timeline
from visualizer.scene.type import plain_lines, width
from visualizer.trace import Trace, remembered
from visualizer.views import STEPS, View

TOP, LEGEND, GAP = 84.0, 20.0, 14.0
SHARES = (0.42, 0.13, 0.2)
"""Of the height: the chart, the error, the states; the gates and the memory share the rest."""
FREE, TOLD = "free", "told"
TIME = re.compile(r"([0-9]{4})(?:-([0-9]{2}))?")
"""A year, or a year and a month."""
Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Series:
    """A series and what was foretold of it, in its own unit."""

    measured: Values
    """(step,)"""
    foretold: Values
    """(step,): what was foretold after each step for the next one."""
    ahead: Values | None
    """(step, how far ahead): what was foretold after each step for those that follow, told no more; None where nobody
    measured it."""
    layer: str
    """The layer that answers."""
    unit: str

    @property
    def low(self) -> float:
        return float(min(np.nanmin(self.measured), np.nanmin(self.foretold)))

    @property
    def high(self) -> float:
        return float(max(np.nanmax(self.measured), np.nanmax(self.foretold)))

    @property
    def digits(self) -> int:
        """Decimals with which its values are said: a thousandth of its span or so."""
        span = self.high - self.low
        return max(0, 3 - math.floor(math.log10(span))) if span > 0 and math.isfinite(span) else 2

    def words(self, value: float) -> str:
        """A value as it is read."""
        return numbers.number(value, self.digits)


@dataclass(frozen=True)
class Chart:
    """Where a value stands."""

    top: float
    high: float
    least: float
    most: float

    def y(self, value: float) -> float:
        """What lies beyond the chart stands on its edge."""
        share = (value - self.least) / ((self.most - self.least) or 1.0)
        return self.top + self.high * (1 - min(1.0, max(0.0, share)))


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """The series up to the step of the moment, and how it goes on."""
    layer = shown_layer(trace, moment, None if focus is None else focus.layer)
    shown, series = reading(trace, layer.name), series_of(trace)
    assert series is not None
    place = _span(shown, look)
    now = len(series.measured) - 1 if moment.backward else steps.current(trace, shown, moment)
    free = look.knob("future", FREE) == FREE and series.ahead is not None
    told = _sent_back(trace, shown) if moment.backward else _sentence(shown, series, now, free)
    box = Box(place.x, begins(look, TOP), place.end, look.size[1] - lanes_height(look) - 10)
    still, marks = [], parts.sentence(look, told)
    if look.mode.notes:
        still += _legend(place, box.top, free)
    top, room = box.top + LEGEND, box.height - LEGEND
    heights = [room * share for share in SHARES]
    draws: tuple[Callable[[float, float], tuple[list[Mark], list[Mark]]], ...] = (
        lambda y, high: _chart(series, shown, place, y, high, now, free, look),
        lambda y, high: _gradient(trace, shown, moment, place, y, high) if moment.backward else
        _errors(series, place, y, high, now, free))
    for drawn, high in zip(draws, heights, strict=False):
        kept, moving = drawn(top, high - GAP)
        still, marks, top = still + kept, marks + moving, top + high
    unit = focus.cell[-1] if focus is not None and focus.layer == layer.name and focus.cell else _busiest(shown)
    unit = min(int(unit), shown.width - 1)
    kept, moving = _states(trace, shown, moment, place, top, heights[2] - GAP, unit, look)
    still, marks, top = still + kept, marks + moving, top + heights[2]
    kept, moving = _of_unit(shown, place, top, box.bottom - top, unit, now)
    still, marks = still + kept, marks + moving
    x = place.middle(now)
    marks.append(Line(((x, box.top + LEGEND), (x, box.bottom)), "accent", 1.5))
    if now + 1 < len(series.measured):
        still_ahead = Rect(x, box.top + LEGEND, place.end - x, box.height - LEGEND, "wedge", opacity=0.55)
        marks.insert(0, still_ahead)
        if free and place.end - x > 110:
            marks.append(Text(x + 8, box.top + LEGEND + 12, plain(tr("it reads itself")), 12, 600, "accent-ink"))
    kept, moving = steps.lane(trace, shown, moment, look, place)
    return Picture(look.size, tuple(still + kept), tuple(marks + moving), look.theme, caption=unmarked(told),
                   table=_table(shown, series))


def _span(shown: Reading, look: Look) -> steps.Span:
    """All steps side by side over the whole width: a line needs no whole pixels."""
    found = steps.span(shown, look)
    return replace(found, pitch=min(steps.PITCH, (look.size[0] - steps.LEFT - steps.RIGHT) / shown.total))


# --- what is drawn ----------------------------------------------------------------------------------------------------

@remembered(8)
def series_of(trace: Trace) -> Series | None:
    """What a recording foretells; None where it foretells nothing."""
    for answer in trace.answers:
        given, found = trace.layers[0], trace[answer.layer]
        if answer.settings.get("foretells") == 1 and found.shape == given.shape and given.shape[1:] == (1,) \
                and len(given.output) > 1:
            ahead = trace.studies.get("free", {}).get("ahead")
            return Series(np.asarray(given.output[:, 0], np.float64), np.asarray(found.output[:, 0], np.float64),
                          None if ahead is None else np.asarray(ahead, np.float64), answer.layer,
                          str(answer.settings.get("unit", "")))
    return None


def _busiest(shown: Reading) -> int:
    """The unit that varies most."""
    return int(np.nanargmax(np.nan_to_num(shown.states).std(axis=0)))


def _legend(place: steps.Span, y: float, free: bool) -> list[Mark]:
    marks: list[Mark] = []
    x = place.x
    drawn = [(tr("measured"), "ink", 1.75, False), (tr("foretold a step ahead"), "accent", 1.25, True)]
    if free:
        drawn += [(tr("goes on by itself"), "accent", 2.25, False), (tr("measured, not told"), "ink-2", 1.0, True)]
    for words, color, wide, dashed in drawn:
        marks += [Line(((x, y + 6), (x + 24, y + 6)), color, wide, dashed=dashed),
                  Text(x + 30, y + 10.5, plain(words), 12, 400, "ink-2")]
        x += 46 + width(words, 12, 400)
    return marks


def _chart(series: Series, shown: Reading, place: steps.Span, y: float, high: float, now: int, free: bool,
           look: Look) -> tuple[list[Mark], list[Mark]]:
    """(still, moving): the axis; what was measured and foretold up to now, and how it goes on."""
    low, top = series.low, series.high
    chart = Chart(y + 6, high - 14, low, top)
    still: list[Mark] = [Text(steps.LEFT - 16, y + 14, plain(series.unit or tr("value")), 13, 600, "ink", "end")]
    for index, words in _times(shown, place):
        still.append(Text(place.middle(index), y + high + 7, plain(words), 11, 400, "ink-2", "middle"))
    for value in _ticks(low, top):
        level = chart.y(value)
        still += [Line(((place.x, level), (place.end, level)), "hair"),
                  Text(place.end + 8, level + 4, plain(tick(_round(value), value, low, top)), 11, 400, "ink-2")]
    marks: list[Mark] = _line(place, chart, series.measured[:now + 1], 0, "ink", 1.75)
    marks += _line(place, chart, series.foretold[:now + 1], 1, "accent", 1.25, dashed=True)
    if free and series.ahead is not None:
        count = min(series.ahead.shape[1], len(series.measured) - 1 - now)
        marks += _line(place, chart, series.measured[now:], now, "ink-2", 1.0, dashed=True)
        run = np.concatenate([series.measured[now:now + 1], series.ahead[now, :count]])
        marks += _line(place, chart, run, now, "accent", 2.25)
        marks += [_dot(place.middle(now + 1 + each), chart.y(float(series.ahead[now, each])))
                  for each in range(count) if place.pitch >= 8 or each % 5 == 0]
    elif now + 1 < len(series.measured):
        marks += _line(place, chart, series.measured[now:], now, "ink", 1.0, dashed=True)
    return grouped(Group(tr("series"), Focus(series.layer)), still), marks


def _dot(x: float, y: float, size: float = 3.0) -> Mark:
    """A value that was read back in."""
    return Rect(x - size, y - size, 2 * size, 2 * size, "stage", "accent", 1.5, radius=size)


def _line(place: steps.Span, chart: Chart, values: Values, first: int, color: str, wide: float,
          dashed: bool = False) -> list[Mark]:
    points: Points = tuple((place.middle(first + index), chart.y(float(value))) for index, value in enumerate(values)
                           if math.isfinite(value) and first + index < place.count)
    return [Line(points, color, wide, dashed=dashed)] if len(points) > 1 else []


def _errors(series: Series, place: steps.Span, y: float, high: float, now: int,
            free: bool) -> tuple[list[Mark], list[Mark]]:
    """(still, moving): by how much each step was foretold too high or too low; after now what goes on by itself."""
    apart = series.foretold[:-1] - series.measured[1:]
    most = float(np.nanmax(np.abs(apart))) or 1.0
    middle = y + high / 2
    still: list[Mark] = [Text(steps.LEFT - 16, middle + 4, plain(tr("error")), 13, 600, "ink", "end"),
                         Text(steps.LEFT - 16, middle + 19, plain(tr("up to {most}").format(
                             most=said(series.words(most), "largest error of a forecast", series.layer))), 11, 400,
                             "ink-2", "end"),
                         Line(((place.x, middle), (place.end, middle)), "rule"),
                         Text(place.end + 8, y + 8, plain(tr("too high")), 11, 400, "ink-2"),
                         Text(place.end + 8, y + high, plain(tr("too low")), 11, 400, "ink-2")]
    ahead: Values = np.zeros(0)
    if free and series.ahead is not None:
        count = min(series.ahead.shape[1], len(series.measured) - 1 - now)
        ahead = series.ahead[now, :count] - series.measured[now + 1:now + 1 + count]
    whole_way = np.concatenate([apart[:now], ahead if free else apart[now:] * np.nan])
    found: dict[str, list[Points]] = {"positive-bar": [], "negative-bar": []}
    for index, value in enumerate(whole_way.tolist()):
        tall = max(-1.0, min(1.0, value / most)) * high / 2 if math.isfinite(value) else 0.0
        if abs(tall) >= 0.25:
            left, right = place.left(index + 1), place.left(index + 2) - min(1.0, place.pitch / 4)
            found["positive-bar" if tall > 0 else "negative-bar"].append(
                parts.polygon(((left, middle), (right, middle), (right, middle - tall), (left, middle - tall))))
    return still, [Path(tuple(curves), fill=color) for color, curves in found.items() if curves]


def _gradient(trace: Trace, shown: Reading, moment: Moment, place: steps.Span, y: float,
              high: float) -> tuple[list[Mark], list[Mark]]:
    """(still, moving): what was sent back, by the value of each step, as far as it has come."""
    given, middle = trace.layers[0], y + high / 2
    still: list[Mark] = [Text(steps.LEFT - 16, middle + 4, (Run("∂L/∂"), Run("x", italic=True)), 13, 600, "ink", "end"),
                         Line(((place.x, middle), (place.end, middle)), "rule")]
    if given.gradient is None:
        return still, [Rect(place.x, y, place.end - place.x, high, "hatch")]
    back = np.nan_to_num(np.asarray(given.gradient[:, 0], np.float64))
    most = float(np.abs(back).max())
    came = steps.arrived(trace, shown, moment).done
    still.append(Text(steps.LEFT - 16, middle + 19, plain(tr("up to {most}").format(
        most=said(numbers.significant(most, 2), "largest size of gradient", given.name))), 11, 400, "ink-2", "end"))
    curves = []
    for index in came:
        tall = back[index] / (most or 1.0) * high / 2
        if abs(tall) >= 0.25:
            left, right = place.left(index), place.left(index + 1) - min(1.0, place.pitch / 4)
            curves.append(parts.polygon(((left, middle), (right, middle), (right, middle - tall),
                                         (left, middle - tall))))
    marks: list[Mark] = [Rect(place.left(part.start), y, len(part) * place.pitch, high, "hatch")
                         for part in steps.missing(came, range(shown.steps))]
    return still, marks + ([Path(tuple(curves), fill="gradient-mark")] if curves else [])


def _states(trace: Trace, shown: Reading, moment: Moment, place: steps.Span, y: float, high: float, unit: int,
            look: Look) -> tuple[list[Mark], list[Mark]]:
    """(still, moving): the states of all units as a map, the one looked at outlined."""
    cell = whole(high / shown.units, look.pixel) or high / shown.units
    tall = cell * shown.units
    entries = _entries(shown)
    still: list[Mark] = [Text(steps.LEFT - 16, y + 14, plain(tr("hidden state")), 13, 600, "ink", "end"),
                         Text(steps.LEFT - 16, y + 29, plain(numbers.units(shown.units, said(
                             str(shown.units), "how many units", shown.layer.name, array="inner.hidden"))), 11, 400,
                             "ink-2", "end"),
                         steps.unread(place, y, tall)]
    focus = Focus(shown.layer.name, (), "output")
    marks: list[Mark] = [steps.touched(shown, place, y, tall)]
    marks += steps.timed_map(entries, steps.read(trace, shown, moment), place, y, cell, focus)
    if unit < shown.units:
        marks += [Rect(place.x - 2, y + unit * cell - 1, place.end - place.x + 4, cell + 2, "", "ink", 1.5),
                  Text(place.end + 4, y + unit * cell + cell / 2 + 4, plain(tr("unit {unit}").format(
                      unit=said(str(unit), "number of a unit", shown.layer.name, (unit,)))), 11, 600, "ink")]
    return still, marks


def _of_unit(shown: Reading, place: steps.Span, y: float, high: float, unit: int,
             now: int) -> tuple[list[Mark], list[Mark]]:
    """(still, moving): the gates of one unit and its memory, over the steps."""
    cell = shown.layer.inner.get("cell")
    lines = len(shown.gates) + (2 if cell is not None else 0)
    if not lines or high < 14:
        return [], []
    each = high / lines
    still: list[Mark] = []
    marks: list[Mark] = []
    for key, title, values in shown.gates:
        row = values[:now + 1, unit]
        chart = Chart(y, each - 5, 0.0, 1.0)
        still += [Text(steps.LEFT - 16, y + each / 2 + 2, plain(title), 12, 600, "ink", "end"),
                  Rect(place.x, y, place.end - place.x, each - 5, "sunk")]
        marks += _area(place, chart, row)
        marks.append(Text(place.end + 8, y + each / 2 + 2, plain(said(
            numbers.number(float(values[now, unit]), 2), "value", shown.layer.name, (now, unit), array=f"inner.{key}")),
            12, 600, "ink"))
        y += each
    if cell is not None:
        values = np.asarray(cell, np.float64)[:, unit]
        most = float(np.nanmax(np.abs(values))) or 1.0
        chart = Chart(y, 2 * each - 5, -most, most)
        still += [Text(steps.LEFT - 16, y + each + 1, plain(tr("memory c")), 12, 600, "ink", "end"),
                  Line(((place.x, chart.y(0)), (place.end, chart.y(0))), "hair")]
        marks += _line(place, chart, values[:now + 1], 0, "ink", 1.5)
        marks += [_dot(place.middle(now), chart.y(float(values[now]))),
                  Text(place.end + 8, y + each + 1, plain(said(numbers.number(float(values[now]), 2), "value",
                                                               shown.layer.name, (now, unit), array="inner.cell")), 12,
                       600, "ink")]
    return still, marks


def _area(place: steps.Span, chart: Chart, values: Values) -> list[Mark]:
    """How open a gate was, as a filled line."""
    if not len(values):
        return []
    upper = [(place.left(index + end), chart.y(float(value))) for index, value in enumerate(values) for end in (0, 1)]
    base = chart.top + chart.high
    return [Path((parts.polygon(((place.x, base), *upper, (place.left(len(values)), base))),), fill="tile-border")]


@remembered(16)
def _entries(shown: Reading) -> steps.Entries:
    """The states as palette entries, −1 … 1."""
    top = 1.0 if shown.squashed else colour.largest(shown.states) or 1.0
    return steps.Entries(np.ascontiguousarray(colour.signed(shown.states, top).T), "activation", 128,
                         Scale("activation", tr("state"), shown.layer.name, -top, top))


# --- words ------------------------------------------------------------------------------------------------------------

def _sent_back(trace: Trace, shown: Reading) -> str:
    last = shown.steps - 1
    if trace.objective.kind != f"value:{last},0":
        return tr("On the way back: how much each value that was read would change what is asked about; above the line "
                  "more would raise it, below the line lower it.")
    return tr("On the way back: how much each value that was read would change the forecast made at {time}; above the "
              "line more would raise it, below the line lower it.").format(time=_time(shown, last))


def _sentence(shown: Reading, series: Series, now: int, free: bool) -> str:
    of, last = series.layer, len(series.measured) - 1
    foretold = said(series.words(float(series.foretold[now])), "forecast", of, step=now)
    if now == last:
        return tr("Told everything to {time}, the network expects {{{foretold}}} next.").format(
            time=_time(shown, now), foretold=foretold)
    measured = said(series.words(float(series.measured[now + 1])), "measured", of, step=now + 1)
    words = tr("Told everything to {time}, the network expects {{{foretold}}} for {next}; measured was {measured}")
    whole_words = words.format(time=_time(shown, now), next=_time(shown, now + 1), foretold=foretold, measured=measured)
    if not free or series.ahead is None or now + 2 > last:
        return f"{whole_words}."
    count = min(series.ahead.shape[1], last - now)
    apart = series.ahead[now, :count] - series.measured[now + 1:now + 1 + count]
    return tr("{words}. Left alone, it is off by {off} on average over the next {count}.").format(
        words=whole_words, count=said(str(count), "steps foretold", of, step=now),
        off=said(series.words(float(np.abs(apart).mean())), "mean error left alone", of, step=now))


def _time(shown: Reading, step: int) -> str:
    if not shown.worded:
        return tr("step {step}").format(step=step_said(shown, step))
    return read_said(shown, step)


def _round(value: float) -> str:
    """`150`, `−0.5`: without zeros at its end."""
    return numbers.short(value)


def _ticks(low: float, high: float) -> tuple[float, ...]:
    """Round numbers between the ends of the axis, about five."""
    span = (high - low) or 1.0
    power = 10.0 ** math.floor(math.log10(span / 4))
    by = next(factor * power for factor in (1, 2, 5, 10) if span / (factor * power) <= 5)
    return tuple(by * index for index in range(math.ceil(low / by - 1e-9), math.floor(high / by + 1e-9) + 1))


@remembered(16)
def _times(shown: Reading, place: steps.Span) -> tuple[tuple[int, str], ...]:
    """Steps with the round years that they read, as many as have room; none where they read no times."""
    found = [TIME.fullmatch(word) for word in shown.words]
    if not shown.worded or not all(found):
        return ()
    years = [(index, int(match[1])) for index, match in enumerate(found) if match and match[2] in (None, "01")]
    most = place.count * place.pitch / 64
    by = next((by for by in (1, 2, 5, 10, 20, 50, 100) if sum(year % by == 0 for _, year in years) <= most), 200)
    return tuple((index, str(year)) for index, year in years if year % by == 0)


QUALITIES = (english("RMSE one step ahead"), english("RMSE of the last value"),
             english("RMSE of a round foretold from its own values"),
             english("RMSE of a round, the last value repeated"))
"""What of the measures of a card is printed: told the truth, and reading itself, each beside a plain guess."""
WIDE = 248


def page(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture | None:
    """How far off it is when it is told the truth, and when it reads itself; None where one number was chosen."""
    quality = trace.facts.get("quality", {})
    found = [(name, float(quality[name])) for name in QUALITIES if isinstance(quality.get(name), float)]
    if not found or moment.backward or (focus is not None and focus.cell):
        return None
    marks: list[Mark] = [Text(4, 18, plain(tr("On what it never saw")), 15, 600)]
    y = 22.0
    for name, value in found:
        for line in plain_lines(translated(name), 12, WIDE - 70):
            y += 17
            marks.append(Text(4, y, plain(line), 12, 400, "ink-2"))
        marks.append(Text(WIDE - 4, y, plain(said(numbers.number(value, 2), "quality", array=name)), 12, 600, "ink",
                          "end"))
        y += 6
    return Picture((WIDE, math.ceil(y + 12)), tuple(marks), (), look.theme, "window",
                   caption=tr("On what it never saw"))


@remembered(8)
def _table(shown: Reading, series: Series) -> Table:
    """One row a step."""
    rows = [(step + 1, shown.words[step], float(series.measured[step]),
             float(series.foretold[step - 1]) if step else math.nan,
             float(series.foretold[step - 1] - series.measured[step]) if step else math.nan)
            for step in range(len(series.measured))]
    return Table((tr("step"), tr("reads"), tr("measured"), tr("foretold"), tr("error")), tuple(rows))


def _telling(trace: Trace, times: Timeline) -> str:
    """Some way before the end, so that one sees how it goes on."""
    series = series_of(trace)
    layer = layers(trace)[-1]
    ahead = 0 if series is None else min(30, len(series.measured) // 4)
    found = None if series is None else times.of(layer.name, "forward", len(series.measured) - ahead)
    return found.address if found is not None else read_to_the_end(trace, times)


VIEW = View(
    "forecast", english("Forecast"), english("A series, what was foretold of it, and how it goes on by itself."),
    suits=lambda trace: series_of(trace) is not None and bool(layers(trace)), draw=draw, telling=_telling, page=page,
    order=10, group=STEPS, knobs=(("future", (FREE, TOLD)),), studies=("free",),
    tries=english("Go back in time, and see from where on it goes wrong when nobody tells it the truth."),
)
