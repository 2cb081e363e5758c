"""The path of the hidden state in the plane of its two principal components, fitted once and then frozen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from visualizer.scene import numbers, parts, steps
from visualizer.scene.columns import lanes_height
from visualizer.scene.picture import Focus, Line, Look, Mark, Picture, Rect, Table, Text, plain, unmarked
from visualizer.scene.reading import Reading, layers, reading, shown_layer
from visualizer.scene.timeline import Moment, ease
from visualizer.trace import Trace
from visualizer.views import View

TOP = 116.0
LABELLED = 12
"""So many of the latest steps carry their word."""


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """Where the state has been and where it is, as a path through the plane that shows most of its movement."""
    layer = shown_layer(trace, moment, None if focus is None else focus.layer)
    shown = reading(trace, layer.name)
    plane = fitted(shown)
    place = steps.span(shown, look)
    said = _sentence(trace, shown, plane, moment)
    words = (f"{shown.units} numbers a state, seen in 2: they hold {numbers.percent(float(plane.shares.sum()), 0)} of "
             "its variance")
    marks = [*parts.sentence(look, said), *parts.title(look, layer.name, words)]
    marks += _path(trace, shown, plane, moment, look)
    marks += steps.lane(trace, shown, moment, look, place)
    return Picture(look.size, (), tuple(marks), look.theme, caption=unmarked(said), table=_table(shown, plane))


@dataclass(frozen=True, eq=False)
class Plane:
    """Two directions through the states of this recording, and where each state falls on them."""

    points: NDArray[np.float64]
    """(step, 2)."""
    shares: NDArray[np.float64]
    """(2,): the share of the variance that each direction explains."""


@lru_cache(maxsize=32)
def fitted(shown: Reading) -> Plane:
    """Principal components of all states of the recording; fitted once, so that the path never jumps.

    The sign of a component is fixed by its largest loading, so that the same recording gives the same picture.
    """
    states = shown.states - shown.states.mean(axis=0)
    if len(states) < 2 or not np.any(states):
        return Plane(np.zeros((len(states), 2)), np.zeros(2))
    _, sizes, axes = np.linalg.svd(states, full_matrices=False)
    axes, sizes = axes[:2], sizes
    axes = axes * np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])[:, None]
    points = np.zeros((len(states), 2))
    points[:, :len(axes)] = states @ axes.T
    shares = np.zeros(2)
    shares[:len(axes)] = sizes[:len(axes)] ** 2 / float((sizes ** 2).sum())
    return Plane(points, shares)


def _path(trace: Trace, shown: Reading, plane: Plane, moment: Moment, look: Look) -> list[Mark]:
    s = look.text_scale
    x, y = steps.LEFT * s, TOP * s
    wide, high = look.size[0] - x - 60 * s, look.size[1] - lanes_height(look) - y - 56 * s
    reach = float(np.abs(plane.points).max()) * 1.12 or 1.0
    unit = min(wide, high) / 2 / reach  # one scale on both axes: distances can be compared
    middle = (x + wide / 2, y + high / 2)

    def at(step: int) -> tuple[float, float]:
        return middle[0] + float(plane.points[step, 0]) * unit, middle[1] - float(plane.points[step, 1]) * unit

    marks: list[Mark] = [Rect(x, y, wide, high, "", "hair", 1, radius=8),
                         Line(((x, middle[1]), (x + wide, middle[1])), "hair"),
                         Line(((middle[0], y), (middle[0], y + high)), "hair")]
    for index, (px, py, anchor) in enumerate(((x + wide - 8 * s, middle[1] - 8 * s, "end"),
                                              (middle[0] + 8 * s, y + 18 * s, "start"))):
        share = numbers.percent(float(plane.shares[index]), 0)
        marks.append(Text(px, py, plain(f"component {index + 1}, {share} of the variance"), 12 * s, 400, "ink-2",
                          anchor))
    across, up = numbers.number(wide / 2 / unit), numbers.number(high / 2 / unit)
    marks.append(Text(x, y + high + 18 * s, plain(f"the frame reaches ±{across} across and ±{up} up, in units of the "
                                                  "state"), 11 * s, 400, "ink-2", max_width=wide))
    order = list(range(shown.steps))[::-1] if shown.reverse else list(range(shown.steps))
    read = [step for step in order if steps.progress(trace, shown, step, moment) > 0]
    for step in (step for step in order if step not in read):
        px, py = at(step)
        marks.append(Rect(px - 2 * s, py - 2 * s, 4 * s, 4 * s, "", "rule", 1, radius=2 * s))
    return marks + _walked(trace, shown, read, at, moment, look)


def _walked(trace: Trace, shown: Reading, read: list[int], at: object, moment: Moment, look: Look) -> list[Mark]:
    """The steps read so far, joined; the last ones labelled, the newest on its way."""
    s = look.text_scale
    place = at  # (step) -> point
    assert callable(place)
    points = [place(step) for step in read]
    if not points:
        return []
    now = steps.current(trace, shown, moment)
    newest = steps.progress(trace, shown, read[-1], moment)
    if len(points) > 1 and newest < 1:
        (ax, ay), (bx, by) = points[-2:]
        points[-1] = (ax + (bx - ax) * ease(newest), ay + (by - ay) * ease(newest))
    marks: list[Mark] = []
    older = max(0, len(points) - LABELLED)
    if older > 1:
        marks.append(Line(tuple(points[:older + 1]), "accent", 1, opacity=0.25))
    if len(points) - older > 1:
        marks.append(Line(tuple(points[older:]), "accent", 2 * s))
    ink = "gradient-mark" if moment.backward else "accent"
    for index, (step, (px, py)) in enumerate(zip(read, points, strict=True)):
        chosen = step == now
        size = 9 * s if chosen else 4 * s if index >= older else 2 * s
        marks.append(Rect(px - size, py - size, 2 * size, 2 * size, ink if chosen else "stage", ink, 1.5, radius=size,
                          focus=Focus(shown.layer.name, (step,))))
        if chosen:
            marks.append(Text(px, py - 14 * s, plain(f"{shown.words[step]}  {step + 1}"), 13 * s, 600, "accent-ink",
                              "middle"))
        elif index >= older and abs(px - points[read.index(now)][0]) + abs(py - points[read.index(now)][1]) > 44 * s:
            marks.append(Text(px + 8 * s, py + 4 * s, plain(shown.words[step]), 12 * s, 500, "ink", mono=True))
    if read[0] != now:
        px, py = points[0]
        marks.append(Text(px, py + 18 * s, plain("start"), 11 * s, 500, "ink-2", "middle"))
    return marks


def _sentence(trace: Trace, shown: Reading, plane: Plane, moment: Moment) -> str:
    step = steps.current(trace, shown, moment)
    before = step + 1 if shown.reverse else step - 1
    if not 0 <= before < shown.steps:
        return f"The path starts at “{shown.words[step]}”; the plane is fitted once on all {shown.steps} steps."
    moved = float(np.linalg.norm(shown.states[step] - shown.states[before]))
    seen = float(np.linalg.norm(plane.points[step] - plane.points[before]))
    return (f"Reading “{shown.words[step]}” moves the state by {{{numbers.number(moved)}}}, of which this plane shows "
            f"{numbers.number(seen)}.")


def _table(shown: Reading, plane: Plane) -> Table:
    """One row a step."""
    rows = tuple((step + 1, shown.words[step], float(plane.points[step, 0]), float(plane.points[step, 1]))
                 for step in range(shown.steps))
    return Table(("step", "reads", "component 1", "component 2"), rows)


VIEW = View(
    "trajectory", "Path", "The path of the hidden state in the plane of two principal components.",
    suits=lambda trace: bool(layers(trace)), draw=draw, order=16,
)
