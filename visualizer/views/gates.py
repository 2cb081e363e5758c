"""The gates over time: one map for each gate, units × steps, with how open it is and how often it is shut or open."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from visualizer.kinds.gates import symbol
from visualizer.language import english, tr
from visualizer.said import said, tick
from visualizer.scene import colour, gatesigns, numbers, parts, steps
from visualizer.scene.boxes import whole
from visualizer.scene.columns import lanes_height
from visualizer.scene.labels import row_name
from visualizer.scene.picture import (
    Focus,
    Group,
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
from visualizer.scene.reading import Reading, layers, reading, shown_layer, step_named, step_said
from visualizer.scene.telling import read_to_the_end
from visualizer.scene.timeline import Moment
from visualizer.scene.turning import turns
from visualizer.scene.type import width
from visualizer.size import norm
from visualizer.trace import Trace, remembered
from visualizer.views import STEPS, View

TOP = 114.0
SHUT, OPEN = 0.1, 0.9


@turns
def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """Every gate of one recurrent layer at every step, 0 shut to 1 open."""
    layer = shown_layer(trace, moment, None if focus is None else focus.layer)
    shown = reading(trace, layer.name)
    place = steps.span(shown, look, right=176.0)
    told = _sentence(trace, shown, moment)
    words = tr("{count} gates of {units} units").format(
        count=said(str(len(shown.gates)), "how many gates", layer.name), units=said(
            str(shown.width), "how many units", layer.name, array=f"inner.{shown.family.keys[0]}"))
    still = parts.title(look, layer.name, words, False)
    marks = parts.sentence(look, told)
    top = begins(look, TOP)
    room = look.size[1] - lanes_height(look) - top - 64
    each = room / max(1, len(shown.gates))
    names = gatesigns.titles({key: title for key, title, _ in shown.gates}, steps.LEFT - 16, 13, 600)
    for index, (key, title, values) in enumerate(shown.gates):
        kept, moving = _gate(trace, shown, key, names[key], values, top + index * each, each - 16, moment, place,
                             look)
        own = Group(title, Focus(layer.name, (), f"inner.{key}"))
        still, marks = still + grouped(own, kept), marks + grouped(own, moving)
    kept, moving = steps.lane(trace, shown, moment, look, place)
    still, marks = [*still, *_legend(shown, moment, look), *kept], marks + moving
    return Picture(look.size, tuple(still), tuple(marks), look.theme, caption=unmarked(told), table=_table(shown))


def _gate(trace: Trace, shown: Reading, key: str, title: str, values: NDArray[np.float64], y: float, high: float,
          moment: Moment, place: steps.Span, look: Look) -> tuple[list[Mark], list[Mark]]:
    """(still, moving): what the map is, and what is known of it so far."""
    now = steps.current(trace, shown, moment)
    cell = whole(high / shown.width, look.pixel) or high / shown.width
    tall = cell * shown.width
    back = _gradients(shown, key) if moment.backward else None
    left = steps.LEFT - 16
    name = title if back is None else f"∂L/∂{symbol(key)}"
    under = tr("{shut} shut, {open} open").format(shut=tick("0", 0, 0, 1), open=tick("1", 1, 0, 1)) \
        if back is None else tr("size, log")
    room = left - 28  # for its sign
    still: list[Mark] = [*row_name(left, y + 14, plain(name), room, 13),
                         *row_name(left, y + 30, plain(under), left - 4, 11, 400, "ink-2"),
                         *gatesigns.sign(key, left - min(room, width(name, 13, 600)) - 16, y + 9.5, 17),
                         steps.unread(place, y, tall)]
    focus = Focus(shown.layer.name, (), f"inner.{key}")
    marks: list[Mark] = [steps.touched(shown, place, y, tall, focus.array)]
    reach = steps.read(trace, shown, moment)
    if back is not None:  # steps that it has not reached stay hatched
        marks += steps.timed_map(back, steps.arrived(trace, shown, moment), place, y, cell, focus)
    else:
        marks += steps.timed_map(_entries(shown, key), reach, place, y, cell, focus)
    marks.append(Rect(place.left(now) - 1, y - 1, place.pitch + 2, tall + 2, "", "accent", 2))
    x = place.end + 16
    if back is not None:
        reached = steps.arrived(trace, shown, moment).of(now) == 1
        return still, marks + (_sizes(shown, key, now, x, y, tall) if reached else [])
    below, above = _bounds()
    of = (shown.layer.name, (), now, f"inner.{key}")
    facts = [(tr("mean"), said(numbers.number(float(values[now].mean())), "mean", *of)),
             (below, said(numbers.percent(float(np.mean(values[now] < SHUT)), 0), "share of gates that are shut", *of)),
             (above, said(numbers.percent(float(np.mean(values[now] > OPEN)), 0), "share of gates that are open", *of))]
    for index, (words, value) in enumerate(facts):
        if (index + 1) * 18 < tall:
            still.append(Text(x, y + 14 + 18 * index, plain(words), 12, 400, "ink-2",
                              max_width=134 - width(value, 13, 600)))
            marks.append(Text(x + 140, y + 14 + 18 * index, plain(value), 13, 600, "ink", "end"))
    if tall > 110:
        kept, moving = _mean_line(values, y + 72, min(tall - 76, 48), x, 140, now, reach.done)
        return still + kept, marks + moving
    return still, marks


def _bounds() -> tuple[str, str]:
    """What counts as shut and as open, in words."""
    return (tr("below {value}").format(value=said(numbers.short(SHUT), "bound", array="a gate is shut")),
            tr("above {value}").format(value=said(numbers.short(OPEN), "bound", array="a gate is open")))


def _sizes(shown: Reading, key: str, now: int, x: float, y: float, tall: float) -> list[Mark]:
    """What the gradient of a gate is at the step of the beat, in numbers."""
    row = np.abs(np.asarray(shown.layer.inner_gradients[key][now], np.float64))
    of = (shown.layer.name, (), now, f"inner_gradients.{key}")
    facts = [(tr("size of all"), said(numbers.significant(norm(row), 2), "norm", *of)),
             (tr("largest"), said(numbers.significant(float(row.max()), 2), "largest size", *of)),
             (tr("exactly {zero}").format(zero=said("0", "zero")),
              said(numbers.percent(float(np.mean(row == 0)), 0), "share exactly 0", *of))]
    marks: list[Mark] = []
    for index, (words, value) in enumerate(facts):
        if (index + 1) * 18 < tall:
            marks += [Text(x, y + 14 + 18 * index, plain(words), 12, 400, "ink-2",
                           max_width=134 - width(value, 13, 600)),
                      Text(x + 140, y + 14 + 18 * index, plain(value), 13, 600, "gradient-text", "end")]
    return marks


def _mean_line(values: NDArray[np.float64], y: float, high: float, x: float, wide: float,
               now: int, read: range) -> tuple[list[Mark], list[Mark]]:
    """(still, moving): the mean of the gate over the steps that were read, small, and where one stands on it."""
    means = values.mean(axis=1)
    step = wide / max(1, len(means) - 1)
    share = max(1, int(len(means) / wide))
    points = tuple((x + index * step, y + high * (1 - mean))
                   for index, mean in zip(range(0, len(means), share), means[::share].tolist(), strict=True)
                   if index in read)
    axis: list[Mark] = [Line(((x, y), (x + wide, y)), "hair"), Line(((x, y + high), (x + wide, y + high)), "hair")]
    marks: list[Mark] = [Line(points, "ink-2", 1.5)] if len(points) > 1 else []
    if now in read:
        px, py = x + now * step, y + high * (1 - float(means[now]))
        marks.append(Rect(px - 3, py - 3, 6, 6, "accent", radius=3))
    return axis, marks


def openness() -> Scale:
    """What the grey of a gate stands for."""
    return Scale("pixel", tr("gate"), tr("every gate"), 0.0, 1.0, tr("0 shut, 1 open"))


@remembered(32)
def _entries(shown: Reading, key: str) -> steps.Entries:
    values = next(values for name, _, values in shown.gates if name == key)
    return steps.Entries(np.ascontiguousarray(colour.unit(values).T), "pixel", 0, openness())


@remembered(32)
def _gradients(shown: Reading, key: str) -> steps.Entries | None:
    """The gradient of a gate, on one log scale for all its steps."""
    gradient = shown.layer.inner_gradients.get(key)
    if gradient is None:
        return None
    sizes = np.abs(np.asarray(gradient, np.float64))
    largest = colour.largest(sizes) or 1.0
    return steps.Entries(np.ascontiguousarray(colour.magnitude(sizes, largest * 1e-6, largest).T), "gradient", 0,
                         Scale("gradient", tr("size of the gradient"), f"{shown.layer.name}.{key}", largest * 1e-6,
                               largest,
                               tr("each gate by its own largest"), log=True))


def _legend(shown: Reading, moment: Moment, look: Look) -> list[Mark]:
    x, y = steps.LEFT, look.size[1] - lanes_height(look) - 40
    if not moment.backward:
        return parts.legend(x, y, 168, look, Scale("pixel", tr("probability"), tr("gate"), 0.0, 1.0),
                            tr("Gate, all steps"))
    tops = [colour.largest(shown.layer.inner_gradients[key]) for key, _, _ in shown.gates
            if key in shown.layer.inner_gradients]
    if not tops:
        return []
    top = max(tops) or 1.0
    scale = Scale("gradient", tr("size of the gradient"), tr("gate"), top * 1e-6, top, log=True, each=True)
    ends = (tr("largest × {decades}").format(decades=tick(numbers.power_of_ten(-6), 1e-6, 0, 1)), "",
            tr("up to {largest}").format(largest=said(numbers.significant(top, 2), "largest gradient of a gate",
                                                      shown.layer.name)))
    return parts.legend(x, y, 168, look, scale, tr("Size of ∂L/∂gate, each gate by its largest, log"), ends)


def _sentence(trace: Trace, shown: Reading, moment: Moment) -> str:
    step = steps.current(trace, shown, moment)
    means = ", ".join(tr("the {gate} is {{{share}}} open").format(gate=title, share=said(
        numbers.percent(float(values[step].mean()), 0), "mean", shown.layer.name, step=step, array=f"inner.{key}"))
        for key, title, values in shown.gates)
    if moment.backward:
        return tr("On the way back at step {step}: how much each gate value would change the loss; {means}.").format(
                   step=step_said(shown, step), means=means)
    return tr("At {step}, {means}.").format(step=step_named(shown, step), means=means)


@remembered(8)
def _table(shown: Reading) -> Table:
    """One row a step."""
    counted = tr("mean"), *_bounds()
    heads = [f"{title}: {words}" for _, title, _ in shown.gates for words in counted]
    rows: list[tuple[str | float | int, ...]] = []
    for step in range(shown.steps):
        facts = [fact for _, _, values in shown.gates for fact in (
            float(values[step].mean()), float(np.mean(values[step] < SHUT)), float(np.mean(values[step] > OPEN)))]
        rows.append((step + 1, shown.words[step], *facts))
    return Table((tr("step"), tr("reads"), *heads), tuple(rows))


VIEW = View(
    "gates", english("Gates"), english("Every gate of a recurrent layer at every step."),
    suits=lambda trace: any(reading(trace, layer.name).gates for layer in layers(trace)), draw=draw,
    telling=read_to_the_end, order=16,
    group=STEPS, tries=english("Look for steps at which a gate closes, and click there to see what closed it."),
)
