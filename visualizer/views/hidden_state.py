"""The hidden state as a map, units × time, filling column by column; on the way back the gradient of every state."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from visualizer.language import english, tr
from visualizer.said import said, tick
from visualizer.scene import absence, colour, numbers, parts, steps
from visualizer.scene.boxes import Box, rows, split, whole
from visualizer.scene.cellnumbers import forward
from visualizer.scene.columns import lanes_height
from visualizer.scene.picture import (
    LEGEND,
    Focus,
    Group,
    Line,
    Look,
    Mark,
    Path,
    Picture,
    Points,
    Rect,
    Scale,
    Table,
    Text,
    grouped,
    literal,
    plain,
    unmarked,
)
from visualizer.scene.projector import begins
from visualizer.scene.reading import (
    Reading,
    directions,
    layers,
    quoted,
    reading,
    shown_layer,
    step_said,
    steps_said,
    top_of,
    unit_said,
    without_gradient,
)
from visualizer.scene.telling import read_to_the_end
from visualizer.scene.timeline import Moment
from visualizer.scene.turning import turns
from visualizer.trace import Trace, remembered
from visualizer.views import STEPS, View

TOP, BELOW, SATURATION = 116.0, 60.0, 34.0
"""Where the maps begin, what is left for the legend, and for the bars under each map."""
TALLEST, FEW = 16.0, 360.0
"""Height of a unit at most; and of all together, where they are few."""
FAR = 0.9
"""Units beyond this share of the scale are near its end."""
LARGE_CHANGE = 0.5
"""A unit's first large change: the first step at which it moves by more than this share of its whole range."""


@turns
def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """All units of one recurrent layer over all steps, on a scale that never changes from step to step.

    A layer that is read both ways has two maps, each with its own direction.
    """
    layer = shown_layer(trace, moment, None if focus is None else focus.layer)
    shown = reading(trace, layer.name)
    key = look.knob("state", "hidden") if look.knob("state", "hidden") in layer.inner else "hidden"
    by = look.knob("order", "as is")
    place = steps.span(shown, look)
    told = _sentence(trace, shown, key, moment)
    words = tr("{units} units × {steps} steps, {order}").format(units=_units_said(shown, key), steps=steps_said(shown),
                                                                order=_order_words(by))
    name = f"{layer.name}.{key}"
    if moment.backward:
        name = f"∂L/∂{layer.name}.{key}"
    still, marks = parts.title(look, name, words, False), parts.sentence(look, told)
    ways = [reading(trace, name) for name in directions(trace, layer.name)]
    _, maps = split(parts.body(look, begins(look, TOP)), "bottom", BELOW)
    now = steps.current(trace, shown, moment)
    for each, box in zip(ways, rows(maps, [None] * len(ways)), strict=True):
        kept, moving = _map(trace, each, key, by, moment, focus, place, box, look, now if len(ways) > 1 else -1)
        array = "output" if key == "hidden" else f"inner.{key}"
        own = Group(f"{each.layer.name}.{key}", Focus(each.layer.name, (), array))
        still, marks = still + grouped(own, kept), marks + grouped(own, moving)
    kept, moving = steps.lane(trace, shown, moment, look, place)
    still, marks = [*still, *_legend(shown, key, moment, look), *kept], marks + moving
    return Picture(look.size, tuple(still), tuple(marks), look.theme, caption=unmarked(told), table=_table(shown, key))


@remembered(32)
def ordered(shown: Reading, key: str, by: str) -> tuple[int, ...]:
    """Units from the top: as they are, by their part in the first principal component, or by first large change."""
    values = np.asarray(shown.layer.inner[key], np.float64)
    known = values[np.isfinite(values).all(axis=1)]
    if by == "principal" and len(known) > 1:
        _, _, axes = np.linalg.svd(known - known.mean(axis=0), full_matrices=False)
        loading = axes[0] * (1 if axes[0][np.argmax(np.abs(axes[0]))] > 0 else -1)
        return tuple(int(unit) for unit in np.argsort(-loading, kind="stable"))
    if by == "change" and len(values) > 1:
        span = np.ptp(values, axis=0)
        moved = np.abs(np.diff(values, axis=0)) > LARGE_CHANGE * np.where(span > 0, span, np.inf)
        first = np.where(moved.any(axis=0), moved.argmax(axis=0), len(values))
        return tuple(int(unit) for unit in np.argsort(first, kind="stable"))
    return tuple(range(values.shape[1]))


@remembered(32)
def _values(shown: Reading, key: str) -> NDArray[np.float64]:
    """(step, unit)."""
    return np.asarray(shown.layer.inner[key], np.float64)


@remembered(32)
def _entries(shown: Reading, key: str, by: str) -> steps.Entries:
    values = _values(shown, key)[:, list(ordered(shown, key, by))]
    top = top_of(shown, key)
    return steps.Entries(np.ascontiguousarray(colour.signed(values, top).T), "activation", colour.ZERO,
                         Scale("activation", tr("values"), f"{shown.layer.name}.{key}", -top, top,
                               tr("one scale for every step")))


@remembered(32)
def _gradients(shown: Reading, key: str, by: str) -> steps.Entries | None:
    """The gradient of every value, on one log scale for all steps."""
    gradient = shown.layer.inner_gradients.get(key)
    if gradient is None:
        return None
    sizes = np.abs(np.asarray(gradient, np.float64))[:, list(ordered(shown, key, by))]
    largest = colour.largest(sizes) or 1.0
    return steps.Entries(np.ascontiguousarray(colour.magnitude(sizes, largest * 1e-6, largest).T), "gradient", 0,
                         Scale("gradient", tr("size of the gradient"), f"{shown.layer.name}.{key}", largest * 1e-6,
                               largest,
                               tr("one scale for every step"), log=True))


def _map(trace: Trace, shown: Reading, key: str, by: str, moment: Moment, focus: Focus | None, place: steps.Span,
         box: Box, look: Look, other: int) -> tuple[list[Mark], list[Mark]]:
    """(still, moving) of one direction, at step `other` where there are two: its map, what of it is read, and the share
    of saturated units under it."""
    two = other >= 0
    now = other if two else steps.current(trace, shown, moment)
    y, room = box.top, box.height - SATURATION - (14 if two else 0)
    high = whole(min(max(TALLEST, FEW / shown.units), room / shown.units), look.pixel) or room / shown.units
    tall, name = high * shown.units, steps.LEFT - 16
    reach, arrived = steps.read(trace, shown, moment), steps.arrived(trace, shown, moment)
    part_of = Focus(shown.layer.name, (), "output" if key == "hidden" else f"inner.{key}")
    still: list[Mark] = [steps.unread(place, y, tall)]
    if two:
        way, arrow = (tr("reverse"), tr("right to left ←")) if shown.reverse else \
            (tr("forward"), tr("left to right →"))
        still += [Text(name, y + 14, plain(way), 13, 600, "ink", "end"),
                  Text(name, y + 30, plain(arrow), 11, 400, "ink-2", "end", steps.LEFT - 20)]
    marks: list[Mark] = [steps.touched(shown, place, y, tall, part_of.array)]
    back = _gradients(shown, key, by)
    if moment.backward and back is not None:  # steps that it has not reached stay hatched
        marks += steps.timed_map(back, arrived, place, y, high, part_of, ordered(shown, key, by))
    else:
        marks += steps.timed_map(_entries(shown, key, by), reach, place, y, high, part_of, ordered(shown, key, by))
        marks += _beyond(shown, key, by, reach, place, y, high)
        marks += _saturation(shown, key, reach, now, place, y + tall + 8, look)
    if len(reach.done) or reach.share > 0 or two:
        marks.append(Rect(place.left(now) - 1, y - 2, place.pitch + 2, tall + 4, "", "accent", 2))
    if focus is not None and focus.layer == shown.layer.name and len(focus.cell) == 2 and focus.cell[1] < shown.units:
        row = y + ordered(shown, key, by).index(focus.cell[1]) * high
        marks.append(Rect(place.x - 2, row - 2, place.pitch * shown.steps + 4, high + 4, "", "ink", 1.5))
        if not two or row > y + 44:
            marks.append(Text(name, row + high / 2 + 4, plain(tr("unit {unit}").format(unit=focus.cell[1])), 12, 600,
                              "ink", "end"))
    return still, marks


def _beyond(shown: Reading, key: str, by: str, reach: steps.Reach, place: steps.Span, y: float,
            high: float) -> list[Mark]:
    """A bar at the right edge of every value that lies beyond the scale, where there is room for one."""
    if place.pitch < 6 or high < 2:
        return []
    values = _values(shown, key)[reach.done.start:reach.done.stop, list(ordered(shown, key, by))]
    top = top_of(shown, key)
    strokes: dict[str, list[Points]] = {"positive-text": [], "negative-text": []}
    for step, row in np.argwhere(np.abs(values) > top).tolist():
        right, above = place.left(reach.done.start + step + 1) - 1, y + row * high
        ink = "positive-text" if values[step, row] > 0 else "negative-text"
        strokes[ink].append(parts.polygon(((right - 3, above), (right, above), (right, above + high - 0.5),
                                           (right - 3, above + high - 0.5))))
    return [Path(tuple(curves), fill="ink") for curves in strokes.values() if curves]


@remembered(32)
def _far(shown: Reading, key: str) -> NDArray[np.float64]:
    """Share of the units at each step that lie beyond nine tenths of the scale."""
    far: NDArray[np.float64] = np.mean(np.abs(_values(shown, key)) > FAR * top_of(shown, key), axis=1)
    return far


def _saturation(shown: Reading, key: str, reach: steps.Reach, now: int, place: steps.Span, y: float,
                look: Look) -> list[Mark]:
    """The share of units near the ends of the scale at each step, as bars that stand on a line."""
    far, share = _far(shown, key), place.share
    high, wide = SATURATION - 14, max(1.0, place.pitch * share - (2 if place.pitch >= 6 else 0))
    bars: list[Points] = []
    for step in range(reach.done.start, reach.done.stop, share):
        tall, left = high * float(far[step:step + share].max()), place.left(step)
        if tall > 0:
            bars.append(parts.polygon(((left, y + high - tall), (left + wide, y + high - tall), (left + wide, y + high),
                                       (left, y + high))))
    marks: list[Mark] = [
        Text(steps.LEFT - 16, y + high - 2,
             plain(tr("beyond ±{far}").format(far=said(numbers.number(FAR * top_of(shown, key)), "far from 0",
                                                           shown.layer.name, array=f"inner.{key}"))),
             11, 500, "ink-2", "end"),
        Line(((place.x, y + high), (place.left(shown.steps), y + high)), "rule")]
    if bars:
        marks.append(Path(tuple(bars), fill="ink-2"))
    if reach.of(now):
        words = said(numbers.percent(float(far[now]), 0), "share of units far from 0", shown.layer.name, step=now,
                     array=f"inner.{key}")
        marks.append(Text(place.end + 8, y + high, plain(words), 12, 600))
    return marks


def _legend(shown: Reading, key: str, moment: Moment, look: Look) -> list[Mark]:
    values, gradient = _values(shown, key), shown.layer.inner_gradients.get(key)
    x, y, top = steps.LEFT, look.size[1] - lanes_height(look) - 40, top_of(shown, key)
    if moment.backward and gradient is not None:
        largest = colour.largest(gradient) or 1.0
        scale = Scale("gradient", tr("size of the gradient"), key, largest * 1e-6, largest, log=True)
        of = (shown.layer.name, (), None, f"inner_gradients.{key}")
        ends = (said(numbers.significant(scale.low, 1), "millionth of the largest size", *of),
                "", said(numbers.significant(largest, 2), "largest size", *of))
        return parts.legend(x, y, 168, look, scale, tr("Size of ∂L/∂{key}, all steps").format(key=key), ends)
    beyond = int(np.count_nonzero(np.abs(values) > top))
    of = (shown.layer.name, (), None, f"inner.{key}")
    marks = parts.legend(x, y, 168, look, Scale("activation", tr("values"), key, -top, top),
                         tr("One scale for every step"), (said(numbers.number(-top), "least that has a colour", *of),
                                                          tick("0", 0, -top, top),
                                                          said(numbers.number(top), "most that has a colour", *of)))
    if key == "hidden" and top == 1:
        return marks
    words = tr("{share} of the values lie on the scale; {beyond} beyond it carry a bar at their right edge").format(
        share=said(numbers.percent(1 - beyond / values.size, 0), "share that has a colour", *of),
        beyond=said(numbers.count(beyond), "how many have no colour", *of))
    return [*marks, Text(x + 192, y + 15, plain(words), 11, 400, "ink-2", group=LEGEND,
                         max_width=look.size[0] - x - 200)]


def _order_words(by: str) -> str:
    return {"principal": tr("sorted by their part in the first principal component"),
            "change": tr("sorted by the step of their first large change")}.get(by, tr("in PyTorch's order"))


def _sentence(trace: Trace, shown: Reading, key: str, moment: Moment) -> str:
    values, top = _values(shown, key), top_of(shown, key)
    step = steps.current(trace, shown, moment)
    name = {"hidden": tr("hidden state"), "cell": tr("cell state")}.get(key, key)
    if moment.backward:
        norms = shown.norms
        if norms is None or (why := without_gradient(shown)):
            return absence.unreached(shown.layer.name, literal(why))
        of, back = shown.layer.name, "inner_gradients.hidden"
        came = steps.arrived(trace, shown, moment).done
        if step not in came:
            return tr("On the way back the gradient has not come to step {step} yet.").format(
                step=step_said(shown, step))
        return tr("On the way back at step {step}: ∥∂L/∂h∥ is {{{size}}}, at most {largest} so far.").format(
            step=step_said(shown, step),
            size=said(numbers.significant(float(norms[step]), 3), "norm", of, step=step, array=back),
            largest=said(numbers.significant(float(norms[came.start:came.stop].max()), 3), "largest norm so far", of,
                         step=step, array=back))
    earlier = step + 1 if shown.reverse else step - 1
    past = values[earlier] if 0 <= earlier < shown.steps else forward(trace, shown).arrays[f"{key}_before"][step]
    moved = float(np.mean(np.abs(values[step] - past)))
    far = float(_far(shown, key)[step])
    of, array = shown.layer.name, f"inner.{key}"
    return tr("Step {step}{word}: the units of the {name} move by {{{moved}}} on average; {share} of them are beyond "
              "{far} in size.").format(
        step=step_said(shown, step), word=quoted(shown, step), name=name,
        moved=said(numbers.number(moved), "how far units move on average", of, step=step, array=array),
        share=said(numbers.percent(far, 0), "share of units far from 0", of, step=step, array=array),
        far=said(numbers.number(FAR * top), "far from 0", of, array=array))


def _units_said(shown: Reading, key: str) -> str:
    """How many units the map has rows for: the memory has more than the state where a layer projects that."""
    count = shown.layer.inner[key].shape[1]
    return said(str(count), "how many units", shown.layer.name, array=f"inner.{key}")


@remembered(8)
def _table(shown: Reading, key: str) -> Table:
    """One row a step, one column a unit."""
    values = _values(shown, key)
    rows: list[tuple[str | float | int, ...]] = [
        (step + 1, shown.words[step], *values[step].tolist()) for step in range(shown.steps)]
    return Table((tr("step"), tr("reads"), *(
        tr("unit {unit}").format(unit=unit_said(shown, unit, f"inner.{key}")) for unit in range(values.shape[1]))),
                 tuple(rows))


VIEW = View(
    "hidden_state", english("Hidden state"), english("The hidden state as a map of units over time."),
    suits=lambda trace: bool(layers(trace)), draw=draw, telling=read_to_the_end, order=15,
    knobs=(("order", ("as is", "principal", "change")), ("state", ("hidden", "cell"))),
    group=STEPS, tries=english("Look for a unit that switches at one step and stays, and click it."),
)
