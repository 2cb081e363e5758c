"""The lanes of a caption: a beat for each layer of maps and each word, what came back to each, and what each word owes
to the picture."""

from __future__ import annotations

import math

import numpy as np

from visualizer.kinds.gaze import Gaze
from visualizer.language import tr
from visualizer.said import said
from visualizer.scene import numbers, parts
from visualizer.scene.columns import lanes_height
from visualizer.scene.picture import LANE, Line, Look, Mark, Rect, Run, Stop, Text, grouped, plain
from visualizer.scene.timeline import ease, timeline
from visualizer.size import norm
from visualizer.trace import Trace, remembered
from visualizer.views.caption._control import chances_elsewhere
from visualizer.views.caption._plan import LEFT, Plan
from visualizer.views.caption._so_far import SoFar, chain_of_maps

DOT, DECADES = 4.5, 5
"""Radius of a beat, and how many powers of ten the gradient goes down at most."""


def lanes(so: SoFar, plan: Plan, look: Look, other: int | None) -> list[Mark]:
    """The line of beats, the gradient of each word's context, and how much of its chance each word loses."""
    high = lanes_height(look)
    top = look.size[1] - high
    y = top + 20 if look.mode.lanes else top + high / 2
    stands = _stands(so, plan)
    marks: list[Mark] = [Line(((0, top), (look.size[0], top)), "hair")]
    marks += _beats(so, stands, y, look.mode.lanes)
    if look.mode.lanes:
        marks += _gradients(so, plan, top + 38, top + (74 if high >= 112 else 84))
        if high >= 112:
            marks += _lost(so, plan, top + 96, other)
    return grouped(LANE, marks)


def _stands(so: SoFar, plan: Plan) -> list[tuple[str, str, float]]:
    """(what is done then, its name, x) of each beat that is drawn."""
    shown = chain_of_maps(so.trace, so.seen, 4)
    apart = (plan.x - 60 - LEFT) / max(1, len(shown))
    found = [(layer.name, layer.name, LEFT + 24 + apart * number) for number, layer in enumerate(shown)]
    return found + [(so.seen.words[word].scores, "", plan.middle(word)) for word in plan.shown]


def _beats(so: SoFar, stands: list[tuple[str, str, float]], y: float, named: bool) -> list[Mark]:
    times = timeline(so.trace)
    tint = "gradient-mark" if so.backward else "accent"
    xs = [x for _, _, x in stands]
    marks: list[Mark] = [Line(((xs[0], y), (xs[-1], y)), "rule", 2)]
    done = [so.known(name) >= 1 for name, _, _ in stands]
    here = _cursor(so, stands)
    begins = xs[-1] if so.backward else xs[0]
    marks.append(Line(((begins, y), (here, y)), tint, 2))
    for (name, label, x), is_done in zip(stands, done, strict=True):
        to = times.of(name, so.moment.beat.direction)
        fill, edge = (tint, tint) if is_done else ("stage", "rule")
        marks.append(Rect(x - DOT, y - DOT, 2 * DOT, 2 * DOT, fill, edge, 1.5, radius=DOT))
        if to is not None:
            marks.append(Rect(x - 12, y - 12, 24, 24, holds=Stop(to.address)))
        if label and named:
            marks.append(Text(x, y + 20, plain(label), 11, 400, "ink-2", "middle", mono=True))
    return [*marks, *parts.ring(here, y, tint)]


def _cursor(so: SoFar, stands: list[tuple[str, str, float]]) -> float:
    """Where the way has come to: between two beats as far as the layers between them are done."""
    places, here = so.trace.places, so.trace.places[so.moment.beat.layer]
    way = [(places[name], x) for name, _, x in stands]
    at = here - 1 + ease(so.moment.phase) if not so.backward else here + 1 - ease(so.moment.phase)
    return float(np.interp(at, [place for place, _ in way], [x for _, x in way]))


def _gradients(so: SoFar, plan: Plan, top: float, bottom: float) -> list[Mark]:
    seen, names = so.seen, plan.x - 12
    y = (top + bottom) / 2
    words = (Run("∥∂L/∂"), Run(tr("context"), italic=True), Run("∥"))
    marks: list[Mark] = [Text(names, y, words, 12, 600, "ink", "end"),
                         Text(names, y + 15, plain(tr("log scale")), 11, 400, "ink-2", "end")]
    sizes = sizes_of(so.trace, seen)
    top_size = max(sizes)
    if not top_size > 0:
        return [*marks, Text(plan.x, y + 4, plain(tr("nothing flowed back to the words")), 12, 400,
                             "ink-2")]
    low = top_size * 10.0 ** -DECADES
    points, ends = [], plan.left(plan.first + plan.count - 1) + plan.width
    for word in plan.shown:
        if so.back(seen.words[word].mixes) < 1:
            marks.append(Rect(plan.left(word), top, plan.width, bottom - top, "hatch"))
            continue
        share = math.log10(max(sizes[word], low) / low) / DECADES
        x, y = plan.middle(word), bottom - share * (bottom - top)
        if sizes[word] > 0:
            points.append((x, y))
        marks.append(Rect(x - 3, y - 3, 6, 6, "gradient-mark" if sizes[word] > 0 else "", "gradient-mark", radius=3))
    if len(points) > 1:
        marks.append(Line(tuple(points), "gradient-line", 1.5))
    if not so.backward:
        return [*marks[:2], *parts.not_yet(plan.x, top, ends - plan.x, bottom - top, tr("comes on the way back"))]
    chosen = so.word
    if chosen in plan.shown and sizes[chosen] > 0 and so.back(seen.words[chosen].mixes) >= 1:
        told = said(numbers.significant(sizes[chosen], 2), "norm of gradient", seen.words[chosen].mixes,
                    seen.row(chosen))
        y = points[0][1] - 8 if points[0][1] > top + 18 else points[0][1] + 16
        marks.append(Text(plan.middle(chosen) + 8, y, plain(told), 12, 600, "gradient-text"))
    return marks


@remembered(8)
def sizes_of(trace: Trace, seen: Gaze) -> tuple[float, ...]:
    """∥∂L/∂context∥ of each word; 0 where nothing came back."""
    found = []
    for number, word in enumerate(seen.words):
        given = trace[word.mixes].gradient
        rows = None if given is None else given.reshape(-1, given.shape[-1])
        found.append(0.0 if rows is None else norm(rows[number] if len(rows) == len(seen.words) > 1 else rows))
    return tuple(found)


def _lost(so: SoFar, plan: Plan, y: float, other: int | None) -> list[Mark]:
    """By how many points each word is likelier here than on the other picture."""
    elsewhere = chances_elsewhere(so.trace, other)
    if elsewhere is None or other is None:
        return []
    marks: list[Mark] = [Text(plan.x - 12, y + 4, plain(tr("points lost there")), 12, 600, "ink", "end")]
    for word in plan.shown:
        if so.dropped(word) < 1:
            marks.append(Rect(plan.left(word), y - 8, plan.width, 16, "hatch"))
            continue
        less = float(so.seen.chances[word, so.seen.best[word]] - elsewhere[word])
        words = said(f"{round(100 * less):+d}".replace("-", "−").replace("+0", "0"), "points lost on another picture",
                     so.seen.answer.layer, (other,), word)
        marks.append(Text(plan.middle(word), y + 1, plain(words), 12, 600 if abs(less) > 0.1 else 400, "ink", "middle"))
        marks.append(Rect(plan.left(word), y + 5, plan.width, 4, "sunk", radius=2))
        if less * plan.width > 0.5:
            marks.append(Rect(plan.left(word), y + 5, plan.width * min(1.0, less), 4, "ink-2", radius=2))
    return marks
