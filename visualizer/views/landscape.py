"""Landscape: the cliff in the error surface of a recurrent network with one unit, and a ball that meets it.

x_t = w σ(x_{t−1}) + b, x_0 = 0.5, E = (σ(x_50) − 0.7)² (Pascanu, Mikolov and Bengio 2013, figure 6). The same start
is followed twice: with the whole gradient, and with its norm clipped.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visualizer import lab as knobs
from visualizer.lab import Lab
from visualizer.language import english, tr
from visualizer.scene import causes, numbers, parts
from visualizer.scene.boxes import Box, inside
from visualizer.scene.picture import (
    LEGEND,
    Focus,
    Group,
    Image,
    Line,
    Look,
    Mark,
    Path,
    Picture,
    Points,
    Rect,
    Run,
    Table,
    Text,
    grouped,
    plain,
    rich,
    unmarked,
)
from visualizer.scene.timeline import Moment, ease
from visualizer.scene.type import width, wrap
from visualizer.trace import Trace, remembered
from visualizer.views import GRADIENTS, View

Values = NDArray[np.float64]
LEVELS = 14
"""Steps of the colour map: their edges read as contours."""
SHADE = 0.62
"""Share of the palette that is used: the ways of the balls stay readable on the darkest step."""
STEEP = 1.0
"""Gradients above this are marked as the wall."""


@dataclass(frozen=True)
class Chart:
    """Where the map stands."""

    x: float
    y: float
    cell: tuple[float, float]
    low: tuple[float, float]
    """w and b of the first cell."""
    step: float
    cells: tuple[int, int]

    @property
    def right(self) -> float:
        return self.x + self.cell[0] * self.cells[0]

    @property
    def bottom(self) -> float:
        return self.y + self.cell[1] * self.cells[1]

    def at(self, w: float, b: float) -> tuple[float, float]:
        """A place; b grows upwards."""
        across, up = (w - self.low[0]) / self.step + 0.5, (b - self.low[1]) / self.step + 0.5
        return self.x + across * self.cell[0], self.bottom - up * self.cell[1]

    def holds(self, point: tuple[float, float]) -> bool:
        return self.x <= point[0] <= self.right and self.y <= point[1] <= self.bottom


@dataclass(frozen=True, eq=False)
class Ball:
    """One way down: (step, 6) of w, b, E, size of the gradient, and the step that is taken."""

    name: str
    token: str
    way: Values


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """The surface, both ways so far, and what the gradient does at this step."""
    found = trace.studies["lab"]
    wanted = knobs.from_knobs({key: str(word) for key, word in trace.facts["lab"].items()})
    balls = (Ball(tr("whole gradient"), "ink", np.asarray(found["plain"])),
             Ball(tr("clipped at {limit}").format(limit=numbers.significant(wanted.limit, 2)), "accent",
                  np.asarray(found["clipped"])))
    frame = _frame(found["surface"].shape, found["w"], found["b"], look)
    step = moment.beat.step or 0
    share = ease(moment.phase) if moment.beat.step is not None and step else 1.0
    said = _sentence(balls, step, wanted)
    surface = Group(tr("surface of the error"))
    still = [*parts.sentence(look, said), *grouped(surface, _map(frame, trace, look)),
             *grouped(surface, _wall(frame, found["steepest"], look)), *grouped(surface, _axes(frame, look)),
             *grouped(LEGEND, _legend(frame, trace, look))]
    moving = [mark for ball in balls for mark in grouped(Group(tr("way with {ball}").format(ball=ball.name)),
                                                         _way(frame, ball, step, share, look))]
    moving += grouped(Group(tr("this step")), _beside(frame, balls, step, wanted, look))
    return Picture(look.size, tuple(still), tuple(moving), look.theme, caption=unmarked(said), table=_table(balls))


def page(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture | None:
    """What the inspector says: the network, and what is to be seen."""
    found = trace.studies["lab"]
    step = moment.beat.step or 0
    marks: list[Mark] = [Text(24, 27, plain(tr("Step {step} of {count}").format(
                                                step=step, count=len(found["plain"]) - 1)), 16, 600)]
    said = (
        tr("One unit, 50 steps: _x_ = _w_ σ(_x_ before) + _b_, from 0.5."),
        tr("The error is (σ(_x_) − 0.7)² after the last step; grey is larger, in steps."),
        tr("On this grid the gradient is {slope} at its steepest. Between the points of the grid it is larger still: "
           "there the network changes from one resting state to another.").format(
            slope=numbers.significant(float(found["steepest"][0]), 3)),
        *consequence(trace),
    )
    y = 34.0
    for sentence in said:
        y += 10
        for line in wrap(rich(sentence), 13, 240, 400):
            y += 19.5
            marks.append(Text(24, y, line, 13, 400, "ink-2"))
    rows = tuple((tr("what"), unmarked(sentence)) for sentence in said)
    return Picture((280, round(y + 24)), tuple(marks), (), look.theme, "window",
                   caption=tr("Step {step}").format(step=step),
                   table=Table((tr("what"), tr("value")), rows))


def consequence(trace: Trace) -> tuple[str, ...]:
    """What follows from the knobs, with measured numbers."""
    found = trace.studies["lab"]
    plain_way, clipped = np.asarray(found["plain"]), np.asarray(found["clipped"])
    wanted = knobs.from_knobs({key: str(word) for key, word in trace.facts["lab"].items()})
    most = float(plain_way[:, 3].max())
    errors = [numbers.significant(float(way[-1, 2]), 2) for way in (plain_way, clipped)]
    ends = tr("After {count} steps the error is {error} with the whole gradient and {clipped} with clipping.").format(
        count=len(clipped) - 1, error=errors[0], clipped=errors[1])
    return causes.all_true((causes.clipped(most, wanted.limit), ends))


def _frame(shape: tuple[int, ...], w: Values, b: Values, look: Look) -> Chart:
    box = Box(0, 0, *look.size).inset(88, 92, 24 if _narrow(look) else 330, 66)
    up = box.height * (0.42 if _narrow(look) else 1)
    cell = (max(2.0, box.width / shape[0]), max(2.0, up / shape[1]))
    return Chart(box.left, box.top, cell, (float(w[0]), float(b[0])), float(w[1] - w[0]), (shape[0], shape[1]))


def _narrow(look: Look) -> bool:
    """Whether what is said of the balls stands below the surface, because there is no room beside it."""
    return look.size[0] < 640


# --- the surface ----------------------------------------------------------------------------------------------------

def _map(frame: Chart, trace: Trace, look: Look) -> list[Mark]:
    values, steep = _tiles(trace)
    return [Image(frame.x, frame.y, frame.cell, values, "pixel", indices=(-1,)),
            _amber(frame, steep)]


@remembered(4)
def _tiles(trace: Trace) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """The error in steps, b upwards; and where the gradient is steep."""
    found = trace.studies["lab"]
    error = np.asarray(found["surface"]).T[::-1]
    level = np.floor(error / float(error.max()) * (LEVELS - 1e-9)) / (LEVELS - 1)
    values = np.rint(255 * SHADE * level).astype(np.uint8)[None]
    return values, np.asarray(found["steepness"]).T[::-1] > STEEP


def _amber(frame: Chart, steep: NDArray[np.bool_]) -> Mark:
    """The wall: cells whose gradient is larger than 1, outlined in amber as one mark."""
    curves: list[Points] = []
    for row, column in np.argwhere(steep).tolist():
        x, y = frame.x + column * frame.cell[0], frame.y + row * frame.cell[1]
        corners = [(x + frame.cell[0], y), (x + frame.cell[0], y + frame.cell[1]), (x, y + frame.cell[1]), (x, y)]
        points = [(x, y)]
        for corner in corners:
            points += [points[-1], corner, corner]
        curves.append(tuple(points))
    return Path(tuple(curves), "", 1, "gradient-mark")


def _wall(frame: Chart, steepest: Values, look: Look) -> list[Mark]:
    """The steepest place of the grid, with its number."""
    x, y = frame.at(float(steepest[1]), float(steepest[2]))
    words = tr("steepest here: {slope} at w {weight}, b {bias}").format(
        slope=numbers.significant(float(steepest[0]), 3), weight=numbers.number(float(steepest[1])),
        bias=numbers.number(float(steepest[2])))
    wide = width(words, 12, 600)
    left = min(x + 26, frame.right - wide - 12)
    top = min(y + 70, frame.bottom - 12)
    return [Line(((x + 4, y + 6), (left + 20, top - 14)), "gradient-mark", 1.25),
            Rect(x - 6, y - 6, 12, 12, "", "gradient-text", 2, radius=6),
            Rect(left - 6, top - 13, wide + 12, 20, "stage", "hair", 1, radius=4),
            Text(left, top + 1, plain(words), 12, 600, "gradient-text")]


def _axes(frame: Chart, look: Look) -> list[Mark]:
    marks: list[Mark] = []
    roomy = frame.right - frame.x > 360  # beside the legend
    for w in (3.0, 4.0, 5.0, 6.0):
        x, _ = frame.at(w, 0)
        marks += [Line(((x, frame.bottom), (x, frame.bottom + 5)), "rule"),
                  Text(x, frame.bottom + 20, plain(numbers.number(w, 0)), 12, 400, "ink-2", "middle")]
    for b in (0.0, -1.0, -2.0, -3.0, -4.0):
        _, y = frame.at(3, b)
        marks += [Line(((frame.x - 5, y), (frame.x, y)), "rule"),
                  Text(frame.x - 10, y + 4, plain(numbers.number(b, 0)), 12, 400, "ink-2", "end")]
    marks += [Text((frame.x + frame.right) / 2, frame.bottom + 40,
                   (Run(tr("recurrent weight ")), Run("w", italic=True)), 13, 500, "ink-2", "middle"),
              Text(frame.x if roomy else frame.x - 10, frame.y - 10, (Run(tr("bias ")), Run("b", italic=True)), 13, 500,
                   "ink-2", "start" if roomy else "end")]
    return marks


def _legend(frame: Chart, trace: Trace, look: Look) -> list[Mark]:
    """What grey and amber mean, over the map at the right."""
    most = numbers.significant(float(np.max(trace.studies["lab"]["surface"])), 2)
    ramp = np.rint(255 * SHADE * np.arange(LEVELS) / (LEVELS - 1)).astype(np.uint8)[None, None]
    wide, y = 96, frame.y - 11
    x = frame.right - wide - width(most, 11) - 8
    amber = tr("gradient above 1")
    before = x - width(tr("error 0"), 11) - 24 - width(amber, 11)
    return [Rect(before - 16, y - 8, 10, 8, "gradient-mark"),
            Text(before, y, plain(amber), 11, 400, "ink-2"),
            Text(x - 8, y, plain(tr("error 0")), 11, 400, "ink-2", "end"),
            Image(x, y - 8, (wide / LEVELS, 8), ramp, "pixel"),
            Text(frame.right, y, plain(most), 11, 400, "ink-2", "end")]


# --- the balls ------------------------------------------------------------------------------------------------------

def _way(frame: Chart, ball: Ball, step: int, share: float, look: Look) -> list[Mark]:
    """The way so far, cut at the edge of the map; the ball, or an arrow where it has left."""
    points = [frame.at(float(w), float(b)) for w, b in ball.way[:step + 1, :2]]
    if step and share < 1:
        (x1, y1), (x2, y2) = points[-2:]
        points[-1] = (x1 + (x2 - x1) * share, y1 + (y2 - y1) * share)
    marks: list[Mark] = []
    for one, other in itertools.pairwise(points):
        cut = inside((frame.x, frame.y, frame.right, frame.bottom), one, other)
        if cut is not None:
            marks.append(Line(cut, ball.token, 2.25, dashed=ball.token == "ink"))
    marks += [Rect(x - 2.5, y - 2.5, 5, 5, "stage", ball.token, 1.25, radius=2.5)
              for x, y in points[:-1] if frame.holds((x, y))]
    x, y = points[-1]
    if frame.holds((x, y)):
        size = 8
        return [*marks, Rect(x - size, y - size, 2 * size, 2 * size, ball.token, "stage", 2, radius=size)]
    edge = min(max(x, frame.x), frame.right), min(max(y, frame.y), frame.bottom)
    return [*marks, Rect(edge[0] - 6, edge[1] - 6, 12, 12, "stage", ball.token, 2, dashed=True,
                         radius=6)]


def _beside(frame: Chart, balls: tuple[Ball, ...], step: int, wanted: Lab, look: Look) -> list[Mark]:
    """For each ball where it is, its error, its gradient and its step; and the errors of all steps below."""
    left, right, bottom = frame.right + 36, look.size[0] - 24, frame.bottom
    y = frame.y + 12
    if _narrow(look):
        left, y, bottom = frame.x, frame.bottom + 72, look.size[1] - 36
    marks: list[Mark] = []
    for ball in balls:
        w, b, error, size, dw, db = (float(value) for value in ball.way[step])
        marks += [Line(((left, y - 5), (left + 26, y - 5)), ball.token, 2.25,
                       dashed=ball.token == "ink"),
                  Text(left + 36, y, plain(ball.name), 14, 600,
                       "accent-ink" if ball.token == "accent" else "ink")]
        where = tr("error") if frame.holds(frame.at(w, b)) else tr("error, outside the map")
        for what, value in ((tr("place (w, b)"), f"{numbers.significant(w, 3)}, {numbers.significant(b, 3)}"),
                            (where, numbers.significant(error, 2)),
                            (tr("size of the gradient"), numbers.significant(size, 3)),
                            (tr("the next step goes"), numbers.significant(math.hypot(dw, db), 2))):
            y += 23
            marks += [Text(left, y, plain(what), 13, 400, "ink-2", max_width=right - left - 90),
                      Text(right, y, plain(value), 13, 600, "ink", "end")]
        y += 44
    marks += _errors(left, right, y, bottom, balls, step, look)
    return marks


def _errors(left: float, right: float, top: float, bottom: float, balls: tuple[Ball, ...], step: int,
            look: Look) -> list[Mark]:
    """The error of every step so far, on a log axis."""
    most, least = 0, -4
    marks: list[Mark] = [Text(left, top, plain(tr("error by step (log)")), 12, 500, "ink-2")]
    top += 16
    if bottom - top < 60:
        return []

    def y(value: float) -> float:
        power = min(max(math.log10(max(value, 1e-30)), least), most)
        return bottom - (power - least) / (most - least) * (bottom - top)

    for power in range(least, most + 1):
        marks += [Line(((left + 40, y(10.0 ** power)), (right, y(10.0 ** power))), "hair"),
                  Text(left + 32, y(10.0 ** power) + 4, plain(numbers.power_of_ten(power)), 11, 400,
                       "ink-2", "end")]
    count = len(balls[0].way)
    place = [left + 40 + (right - left - 40) * number / max(1, count - 1) for number in range(count)]
    for ball in balls:
        points = tuple((place[number], y(float(ball.way[number, 2]))) for number in range(count))
        if step:
            marks.append(Line(points[:step + 1], ball.token, 2, dashed=ball.token == "ink"))
        x, height = points[step]
        marks.append(Rect(x - 4, height - 4, 8, 8, ball.token, "stage", 1.5, radius=4))
    for number in (0, count - 1):
        if abs(place[number] - place[step]) > 24:
            marks.append(Text(place[number], bottom + 18, plain(str(number)), 11, 400, "ink-2", "middle"))
    marks.append(Text(place[step], bottom + 18, plain(str(step)), 11, 700, "accent-ink", "middle"))
    return marks


# --- words ----------------------------------------------------------------------------------------------------------

def _sentence(balls: tuple[Ball, ...], step: int, wanted: Lab) -> str:
    plain_ball, clipped = balls
    if step == 0:
        size = float(plain_ball.way[0, 3])
        return tr("Both balls start at w {weight}, b {shift}, where the gradient is {{{size}}}.").format(
                   weight=numbers.number(wanted.weight), shift=numbers.number(wanted.shift),
                   size=numbers.significant(size, 2))
    before, after = plain_ball.way[step - 1], plain_ball.way[step]
    size, moved = float(before[3]), float(np.hypot(*(after[:2] - before[:2])))
    mine = float(np.hypot(*(clipped.way[step, :2] - clipped.way[step - 1, :2])))
    if size == 0:
        return tr("Step {step}: the ball with the whole gradient lies where the gradient is {{0}} and stays there; "
                  "the clipped one moved by {mine}.").format(step=step, mine=numbers.significant(mine, 2))
    return tr("Step {step}: the whole gradient, {{{size}}}, moved its ball by {moved}; the clipped one moved by "
              "{mine}.").format(step=step, size=numbers.significant(size, 2), moved=numbers.significant(moved, 2),
               mine=numbers.significant(mine, 2))


def _table(balls: tuple[Ball, ...]) -> Table:
    """One row a step."""
    columns = ("step", *(f"{name}_{what}" for name in ("whole", "clipped") for what in ("w", "b", "error", "gradient")))
    rows = tuple((step, *(float(value) for ball in balls for value in ball.way[step, :4]))
                 for step in range(len(balls[0].way)))
    return Table(columns, rows)


VIEW = View(
    "landscape", english("Landscape"),
            english("The cliff in an error surface, and a ball that meets it with and without clipping."),
    suits=lambda trace: "surface" in trace.studies.get("lab", ()), draw=draw, order=15, page=page,
    group=GRADIENTS, tries=english("Play it, and turn clipping off and on: where does the ball land?"),
)
