"""What a sweep found: what every lane keeps a step or layer, over the whole range of one knob of the laboratory."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from visualizer import lab as knobs
from visualizer.lab import Knob
from visualizer.language import tr, translated
from visualizer.scene import numbers, parts
from visualizer.scene.labels import Labels
from visualizer.scene.picture import Group, Line, Look, Mark, Picture, Rect, Table, Text, grouped, plain, unmarked
from visualizer.trace import Trace
from visualizer.views.gradient_flow._lab_facts import Lane, Study, Values, study

MOST = 2.0
"""No axis reaches further: what keeps more than twice of itself a step stands on its edge."""
DOT = 3.0


@dataclass(frozen=True, eq=False)
class Swept:
    """One knob, the values it went through, and what each lane kept at each of them."""

    found: Study
    knob: Knob
    values: Values
    factors: Values
    """(value, lane); NaN where too little was left to fit a line."""

    @property
    def lanes(self) -> tuple[Lane, ...]:
        return self.found.lanes[:self.factors.shape[1]]

    @property
    def now(self) -> float:
        """Where the knob stands."""
        return float(getattr(self.found.lab, self.knob.name))


def swept(trace: Trace) -> Swept | None:
    """What was swept in a recording of the laboratory; None where nothing was."""
    found, sweep = study(trace), trace.studies.get("sweep")
    if found is None or not sweep:
        return None
    return Swept(found, knobs.knobs()[int(sweep["knob"])], np.asarray(sweep["values"], np.float64),
                 np.asarray(sweep["factors"], np.float64))


def draw(found: Swept, look: Look) -> Picture:
    """One curve a lane over the range of the knob, the line at 1 that parts shrinking from growing, and where the knob
    stands now."""
    said = sentence(found)
    left, right, top, bottom = 88.0, look.size[0] - 128.0, 132.0, look.size[1] - 84.0
    known = found.factors[np.isfinite(found.factors)]
    most = min(MOST, max(1.1, float(known.max()) * 1.05 if known.size else 1.1))

    def at(value: float, factor: float) -> tuple[float, float]:
        share = (value - found.knob.low) / (found.knob.high - found.knob.low)
        return left + (right - left) * share, bottom - (bottom - top) * min(max(factor, 0.0), most) / most

    name = translated(found.knob.title)
    title = tr("Kept a step, over all of: {knob}") if found.found.unit == "step" else \
        tr("Kept a layer, over all of: {knob}")
    axes: list[Mark] = [Text(left, top - 18, plain(title.format(knob=name)), 13, 600, "ink-2")]
    for tick in np.arange(0.0, most + 1e-9, 0.25 if bottom - top > 240 else 0.5).tolist():
        y = at(found.knob.low, tick)[1]
        axes += [Line(((left, y), (right, y)), "rule" if tick == 1 else "hair"),
                 Text(left - 10, y + 4, plain(f"× {numbers.short(tick)}"), 12,
                      600 if tick == 1 else 400, "ink-2", "end")]
    for value in ticks(found.knob, right - left):
        x = at(value, 0)[0]
        axes += [Line(((x, bottom), (x, bottom + 5)), "ink-2"),
                 Text(x, bottom + 20, plain(numbers.short(value)), 12, 400, "ink-2", "middle")]
    x = at(found.now, 0)[0]
    here = tr("now {value}").format(value=numbers.short(found.now))
    under = Labels((left - 40, 0, right + 40, look.size[1]))
    axes += [Line(((x, top - 6), (x, bottom)), "accent", 1.5),
             *under.put(here, [(x, bottom + 44, "middle"), (x, bottom + 44, "end")], 12, 600, "accent-ink"),
             *under.put(name, [((left + right) / 2, bottom + 44, "middle"), (right, bottom + 44, "end"),
                               (left, bottom + 44, "start")], 12, 400, "ink-2")]
    marks = [*parts.sentence(look, said), *grouped(Group(title.format(knob=name)), [*axes, *_curves(found, at, right)])]
    rows = tuple((float(value), *(float(factor) for factor in row))
                 for value, row in zip(found.values, found.factors, strict=True))
    return Picture(look.size, tuple(marks), (), look.theme, caption=unmarked(said),
                   table=Table((name, *(f"× {translated(lane.name)}" for lane in found.lanes)), rows))


def _curves(found: Swept, at: Callable[[float, float], tuple[float, float]], right: float) -> list[Mark]:
    """Every lane as a line with a dot at each value that was measured, and its name at its end."""
    marks: list[Mark] = []
    names = Labels((right + 6, 0, math.inf, math.inf))
    for lane, factors in zip(found.lanes, found.factors.T.tolist(), strict=True):
        known = [(value, factor) for value, factor in zip(found.values.tolist(), factors, strict=True)
                 if math.isfinite(factor)]
        points = tuple(at(*each) for each in known)
        if len(points) > 1:
            marks.append(Line(points, lane.token, 2.25, dashed=lane.style == "dash"))
        for (value, factor), (x, y) in zip(known, points, strict=True):
            tip = tr("{knob} {value}: {lane} keeps × {factor}").format(
                knob=translated(found.knob.title), value=numbers.short(value), lane=translated(lane.name),
                factor=numbers.significant(factor))
            ring = lane.style == "ring"
            marks.append(Rect(x - DOT, y - DOT, 2 * DOT, 2 * DOT, "stage" if ring else lane.token,
                              lane.token if ring else "", 1.5, radius=DOT, tip=tip))
        if points:
            spots = [(right + 10, points[-1][1] + 4 + off, "start") for off in (0, 16, -16, 32, -32)]
            marks += names.put(translated(lane.name), spots, 13, 600, lane.ink)
    return marks


def sentence(found: Swept) -> str:
    """What the lane does over the range that the knob moves most, and where it turns from shrinking to growing."""
    spread = [float(np.ptp(lane[np.isfinite(lane)])) if np.isfinite(lane).any() else -1.0 for lane in found.factors.T]
    moved = int(np.argmax(spread))
    factors = found.factors[:, moved]
    known = np.flatnonzero(np.isfinite(factors))
    name = translated(found.knob.title)
    if not known.size:
        return tr("Over the whole range of {knob} too little is left of the gradient to say what a step keeps.").format(
            knob=name)
    low, high = (numbers.significant(float(size), 2) for size in (factors[known].min(), factors[known].max()))
    lane = translated(found.lanes[moved].name)
    words = tr("Over the whole range of {knob}, {lane} keeps × {{{low}}} to × {{{high}}} of its gradient a step.") \
        if found.found.unit == "step" else \
        tr("Over the whole range of {knob}, {lane} keeps × {{{low}}} to × {{{high}}} of itself a layer.")
    said = words.format(knob=name, lane=lane, low=low, high=high)
    if (turn := crossing(found.values[known], factors[known])) is not None:
        before, after = (numbers.short(value) for value in turn)
        said += " " + tr("Between {before} and {after} shrinking turns into growing.").format(before=before,
                                                                                                after=after)
    return said


def crossing(values: Values, factors: Values) -> tuple[float, float] | None:
    """Between which two values the factor passes 1 upwards, if it does so once and stays there."""
    above = factors > 1
    turns = np.flatnonzero(above[1:] != above[:-1])
    if len(turns) != 1 or above[0]:
        return None
    return float(values[turns[0]]), float(values[turns[0] + 1])


def ticks(knob: Knob, room: float) -> list[float]:
    """Round numbers in the range of a knob, no closer than 56 pixels."""
    least = 56 * (knob.high - knob.low) / room
    steps = (base * 10.0 ** power for power in range(-3, 6) for base in (1, 2, 5))
    step = next(step for step in steps if step >= max(least, 1.0 if knob.whole else 0.0))
    first, last = math.ceil(knob.low / step - 1e-9), math.floor(knob.high / step + 1e-9)
    return [float(f"{number * step:.6g}") for number in range(first, last + 1)]
