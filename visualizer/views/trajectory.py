"""The path of the hidden state in the plane of its two principal components, fitted once and then frozen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visualizer.language import english, tr
from visualizer.said import said, tick
from visualizer.scene import numbers, parts, steps
from visualizer.scene.labels import Labels, fitting
from visualizer.scene.picture import (
    Focus,
    Group,
    Line,
    Look,
    Mark,
    Path,
    Picture,
    Rect,
    Table,
    Text,
    grouped,
    plain,
    unmarked,
)
from visualizer.scene.projector import begins
from visualizer.scene.reading import (
    Reading,
    layers,
    read_at,
    read_said,
    reading,
    shown_layer,
    step_named,
    step_said,
    steps_said,
)
from visualizer.scene.telling import read_to_the_end
from visualizer.scene.timeline import Moment, ease
from visualizer.size import norm
from visualizer.trace import Trace, remembered
from visualizer.views import STEPS, View

TOP = 116.0
LABELLED = 12
"""So many of the latest steps carry their word."""
MOST_DOTS = 200
"""So many steps are joined dots of their own, to be pointed at; earlier ones, and more to come, are specks."""


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """Where the state has been and where it is, as a path through the plane that shows most of its movement."""
    layer = shown_layer(trace, moment, None if focus is None else focus.layer)
    shown = reading(trace, layer.name)
    plane = fitted(shown)
    place = steps.span(shown, look)
    told = _sentence(trace, shown, plane, moment)
    words = tr("{units} numbers a state, seen in {two}: they hold {share} of its variance").format(
                units=said(str(shown.units), "how many units", layer.name), two=said("2", "two"),
                share=said(numbers.percent(float(plane.shares.sum()), 0), "variance in the plane", layer.name))
    marks = [*parts.sentence(look, told), *parts.title(look, layer.name, words, False)]
    marks += grouped(Group(tr("path of the state"), Focus(layer.name)), _path(trace, shown, plane, moment, look))
    still, moving = steps.lane(trace, shown, moment, look, place)
    return Picture(look.size, tuple(still), (*marks, *moving), look.theme, caption=unmarked(told),
                   table=_table(shown, plane))


@dataclass(frozen=True, eq=False)
class Plane:
    """Two directions through the states of this recording, and where each state falls on them."""

    points: NDArray[np.float64]
    """(step, 2)."""
    shares: NDArray[np.float64]
    """(2,): the share of the variance that each direction explains."""


@remembered(32)
def fitted(shown: Reading) -> Plane:
    """Principal components of all states of the recording; fitted once, so that the path never jumps.

    The sign of a component is fixed by its largest loading, so that the same recording gives the same picture.
    """
    known = np.asarray(np.isfinite(shown.states).all(axis=1))
    if not known.any():
        return Plane(np.full((len(known), 2), np.nan), np.zeros(2))
    states = shown.states - shown.states[known].mean(axis=0)
    if np.count_nonzero(known) < 2 or not np.any(states[known]):
        return Plane(np.where(known[:, None], 0.0, np.full((len(states), 2), np.nan)), np.zeros(2))
    _, sizes, axes = np.linalg.svd(states[known], full_matrices=False)
    axes, sizes = axes[:2], sizes
    axes = axes * np.sign(axes[np.arange(len(axes)), np.abs(axes).argmax(axis=1)])[:, None]
    points = np.zeros((len(states), 2))
    points[:, :len(axes)] = states @ axes.T
    shares = np.zeros(2)
    shares[:len(axes)] = sizes[:len(axes)] ** 2 / float((sizes ** 2).sum())
    return Plane(points, shares)


def _path(trace: Trace, shown: Reading, plane: Plane, moment: Moment, look: Look) -> list[Mark]:
    frame = parts.body(look, begins(look, TOP, 8), *look.mode.sides(steps.LEFT, 60)).inset(0, 0, 0, 56)
    (x, y), (wide, high) = (frame.left, frame.top), (frame.width, frame.height)
    placed = np.asarray(np.isfinite(plane.points).all(axis=1))  # a state with a NaN in it has no place
    some = plane.points[placed] if placed.any() else np.zeros((1, 2))
    low, high_end = some.min(axis=0), some.max(axis=0)
    span = np.maximum(high_end - low, 1e-9)
    unit = min((wide - 96) / span[0], (high - 96) / span[1])  # one scale on both: distances can be compared
    centre = (low + high_end) / 2
    middle = (frame.middle[0] - float(centre[0]) * unit, frame.middle[1] + float(centre[1]) * unit)

    def at(step: int) -> tuple[float, float]:
        return middle[0] + float(plane.points[step, 0]) * unit, middle[1] - float(plane.points[step, 1]) * unit

    marks: list[Mark] = [Rect(x, y, wide, high, "", "hair", 1, radius=8),
                         Line(((x, middle[1]), (x + wide, middle[1])), "hair"),
                         Line(((middle[0], y), (middle[0], y + high)), "hair")]
    for index, way in enumerate(("→", "↑")):
        share = said(numbers.percent(float(plane.shares[index]), 0), "variance in the plane", shown.layer.name,
                     (index,))
        marks.append(Text(x + 12, y + high + 18 + 16 * index,
                          plain(tr("{way} component {index}, {share} of the variance").format(
                                    way=way, index=_component(index), share=share)), 12, 400, "ink-2"))
    across, up = (tick(numbers.number(reach), reach, 0, math.inf) for reach in (wide / 2 / unit, high / 2 / unit))
    ways = [words.format(across=across, up=up) for words in (tr("the frame reaches ±{across} across, ±{up} up"),
                                                             tr("frame: ±{across}, ±{up}"))]
    marks.append(Text(x + wide, y + high + 18, plain(fitting(ways, wide - 240, 11) or ways[-1]), 11, 400, "ink-2",
                      "end", max_width=wide - 240))
    order = list(range(shown.steps))[::-1] if shown.reverse else list(range(shown.steps))
    reach = steps.read(trace, shown, moment)
    read = [step for step in order if reach.of(step) and placed[step]]
    return marks + _walked(trace, shown, read, at, moment, look)


def _walked(trace: Trace, shown: Reading, read: list[int], at: object, moment: Moment, look: Look) -> list[Mark]:
    """The steps read so far, joined; the last ones labelled, the newest on its way."""
    place = at  # (step) -> point
    assert callable(place)
    points = [place(step) for step in read]
    if not points:
        return []
    now = steps.current(trace, shown, moment)
    newest = steps.read(trace, shown, moment).of(read[-1])
    if len(points) > 1 and newest < 1:
        (ax, ay), (bx, by) = points[-2:]
        points[-1] = (ax + (bx - ax) * ease(newest), ay + (by - ay) * ease(newest))
    marks: list[Mark] = []
    older, few = max(0, len(points) - LABELLED), max(0, len(points) - MOST_DOTS)
    if older > 1:
        marks.append(Line(tuple(points[few:older + 1]), "accent", 1, opacity=0.25))
    if len(points) - older > 1:
        marks.append(Line(tuple(points[older:]), "accent", 2))
    ink = "gradient-mark" if moment.backward else "accent"
    if few:
        marks.append(_specks(points[:few], ink))
    for index, (step, (px, py)) in enumerate(zip(read, points, strict=True)):
        if index < few and step != now:
            continue
        chosen = step == now
        size = 9 if chosen else 4 if index >= older else 2
        marks.append(Rect(px - size, py - size, 2 * size, 2 * size, ink if chosen else "stage", ink, 1.5, radius=size,
                          focus=Focus(shown.layer.name, (step,))))
    return marks + _labels(shown, read, points, now, older)


def _labels(shown: Reading, read: list[int], points: list[tuple[float, float]], now: int, older: int) -> list[Mark]:
    """The words of the current step, of the start and of the latest steps: each beside its dot, where there is room."""
    marks: list[Mark] = []
    dots = [(px - reach, py - reach, px + reach, py + reach) for step, (px, py) in zip(read, points, strict=True)
            if (reach := 9 if step == now else 3) == 9 or step in read[older:]]
    labels = Labels((0, 0, math.inf, math.inf), taken=dots, lines=points[older:])
    order = sorted(range(len(read)), key=lambda index: (read[index] != now, index != 0, -index))
    for index in (index for index in order if index >= older or index == 0 or read[index] == now):
        (px, py), chosen, first = points[index], read[index] == now, index == 0
        word = read_said(shown, read[index])
        if chosen and shown.words[read[index]] != str(read[index] + 1):
            word = f"{word}  {step_said(shown, read[index])}"
        word = tr("start: {word}").format(word=word) if first and not chosen else word
        size, weight = (13, 600) if chosen else (12, 500)
        off = 14 if chosen else 8
        spots = ((px + off, py + 4, "start"), (px - off, py + 4, "end"), (px, py - off, "middle"),
                 (px, py + off + 10, "middle"), (px + off * 0.7, py - off * 0.7, "start"),
                 (px - off * 0.7, py - off * 0.7, "end"), (px + off * 0.7, py + off * 0.7 + size * 0.7, "start"),
                 (px - off * 0.7, py + off * 0.7 + size * 0.7, "end"))
        marks += labels.put(word, spots, size, weight, "accent-ink" if chosen else "ink")
    return marks


def _specks(points: list[tuple[float, float]], ink: str) -> Mark:
    """Many states, each a speck."""
    return Path(tuple(parts.polygon(((x - 1, y - 1), (x + 1, y - 1), (x + 1, y + 1), (x - 1, y + 1)))
                      for x, y in points), fill=ink, opacity=0.5)


def _sentence(trace: Trace, shown: Reading, plane: Plane, moment: Moment) -> str:
    step = steps.current(trace, shown, moment)
    before = step + 1 if shown.reverse else step - 1
    if moment.backward and shown.norms is not None:
        if step not in steps.arrived(trace, shown, moment).done:
            return tr("On the way back the gradient has not come to step {step} yet.").format(
                step=step_said(shown, step))
        return tr("Back at {step}, ∥∂L/∂h∥ is {{{size}}}; the path is the one that the state took forwards.").format(
            step=step_named(shown, step), size=said(numbers.significant(float(shown.norms[step]), 3), "norm",
                                                    shown.layer.name, step=step, array="inner_gradients.hidden"))
    if not 0 <= before < shown.steps:
        return tr("The path starts at {word}; the plane is fitted once on all {steps} steps.").format(
                   word=read_at(shown, step), steps=steps_said(shown))
    moved, seen = norm(shown.states[step] - shown.states[before]), norm(plane.points[step] - plane.points[before])
    of = shown.layer.name
    return tr("Reading {word} moves the state by {{{moved}}}, of which this plane shows {seen}.").format(
        word=read_at(shown, step), moved=said(numbers.number(moved), "how far the state moves", of, step=step),
        seen=said(numbers.number(seen), "how far the state moves in the plane", of, step=step))


def _component(index: int) -> str:
    """`1`: the number of a principal component."""
    return said(str(index + 1), "number of a component", cell=(index,))


@remembered(8)
def _table(shown: Reading, plane: Plane) -> Table:
    """One row a step."""
    rows = tuple((step + 1, shown.words[step], float(plane.points[step, 0]), float(plane.points[step, 1]))
                 for step in range(shown.steps))
    heads = (tr("component {index}").format(index=_component(index)) for index in range(2))
    return Table((tr("step"), tr("reads"), *heads), rows)


VIEW = View(
    "trajectory", english("Trajectory"),
    english("The path of the hidden state in the plane of two principal components."),
    suits=lambda trace: bool(layers(trace)), draw=draw, telling=read_to_the_end, order=26,
    group=STEPS, tries=english("Press the right arrow and follow the state: which steps move it far?"),
)
