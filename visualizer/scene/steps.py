"""The lane of steps under the views of recurrent layers: what was read when, and how much gradient came back there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from visualizer.scene import numbers
from visualizer.scene.columns import lanes_height
from visualizer.scene.picture import Focus, Line, Look, Mark, Rect, Run, Text, plain
from visualizer.scene.reading import Reading, here
from visualizer.scene.timeline import Moment, in_beat
from visualizer.trace import Trace

DECADES = 6
LEFT, RIGHT = 132.0, 60.0


@dataclass(frozen=True)
class Span:
    """Where steps stand from left to right: the same x in the picture and in its lane."""

    x: float
    pitch: float
    count: int

    def left(self, step: float) -> float:
        """Left edge of a step, from 0."""
        return self.x + step * self.pitch

    def middle(self, step: float) -> float:
        return self.x + (step + 0.5) * self.pitch


def span(shown: Reading, look: Look, left: float = LEFT, right: float = RIGHT) -> Span:
    """All steps side by side; whole pixels a step where there are at least two for each."""
    s = look.text_scale
    room = look.size[0] - (left + right) * s
    pitch = min(50 * s, room / shown.steps)
    return Span(left * s, float(int(pitch)) if pitch >= 2 else pitch, shown.steps)


def progress(trace: Trace, shown: Reading, step: int, moment: Moment) -> float:
    """How far a step (from 0) has been read, 0 … 1; on the way back all have been."""
    if moment.backward:
        return 1.0
    reached = here(trace, moment, shown)
    mine, now = (shown.steps - step, shown.steps - reached + 1) if shown.reverse else (step + 1, reached)
    if not in_beat(shown.layer, moment):
        return 1.0 if reached else 0.0
    return 1.0 if mine < now else moment.phase if mine == now else 0.0


def arrival(trace: Trace, shown: Reading, step: int, moment: Moment) -> float:
    """How far the gradient of a step (from 0) has arrived, 0 … 1."""
    if not moment.backward or shown.gradients is None:
        return 0.0
    reached = here(trace, moment, shown)
    order = [layer.name for layer in trace.layers]
    if not in_beat(shown.layer, moment):
        return 1.0 if order.index(moment.beat.layer) < order.index(shown.layer.name) else 0.0
    mine, now = (step + 1, reached) if shown.reverse else (shown.steps - step, shown.steps - reached + 1)
    return 1.0 if mine < now else moment.phase if mine == now else 0.0


def current(trace: Trace, shown: Reading, moment: Moment) -> int:
    """The step (from 0) a view is about; the first one before anything was read."""
    return min(shown.steps, max(1, here(trace, moment, shown))) - 1


def lane(trace: Trace, shown: Reading, moment: Moment, look: Look, place: Span) -> list[Mark]:
    """Words of the steps, clickable; the size of the gradient of each on a log axis with a floor."""
    top = look.size[1] - lanes_height(look)
    now = current(trace, shown, moment)
    marks: list[Mark] = [Line(((0, top), (look.size[0], top)), "hair"),
                         Rect(place.left(now), top + 3, max(2.0, place.pitch), look.size[1] - top - 6, "tint",
                              radius=min(6, place.pitch / 2))]
    marks += _words(shown, place, now, top, look)
    return marks + _gradient(shown, place, now, top, look)


def _words(shown: Reading, place: Span, now: int, top: float, look: Look) -> list[Mark]:
    s = look.text_scale
    marks: list[Mark] = [Text((LEFT - 16) * s, top + 22 * s, plain("reads"), 13 * s, 600, "ink", "end")]
    longest = max(len(word) for word in shown.words)
    every = 1 if place.pitch >= (9 if longest == 1 else 7 * longest) * s else 0
    for step, word in enumerate(shown.words):
        marks.append(Rect(place.left(step), top + 4, place.pitch, look.size[1] - top - 8,
                          focus=Focus(shown.layer.name, (step,))))
        if every or step == now:
            far = abs(step - now) * place.pitch > 7 * s * len(shown.words[now]) or step == now
            if far:
                marks.append(Text(place.middle(step), top + 22 * s, plain(word), 13 * s, 600 if step == now else 400,
                                  "accent-ink" if step == now else "ink-2", "middle", mono=longest == 1))
    if not every:
        for tick in (0, shown.steps - 1):
            if abs(tick - now) * place.pitch > 40 * s:
                marks.append(Text(place.middle(tick), top + 22 * s, plain(str(tick + 1)), 11 * s, 400, "ink-2",
                                  "middle"))
    return marks


def _gradient(shown: Reading, place: Span, now: int, top: float, look: Look) -> list[Mark]:
    s, norms = look.text_scale, shown.norms
    x = (LEFT - 16) * s
    marks: list[Mark] = [Text(x, top + 56 * s, (Run("‖∂L/∂"), Run("h", italic=True), Run("t", shift="sub"), Run("‖")),
                              13 * s, 600, "ink", "end"),
                         Text(x, top + 72 * s, plain("log scale"), 11 * s, 400, "ink-2", "end")]
    if norms is None or not norms.max() > 0:
        why = shown.layer.why or "nothing flowed back through time"
        marks.append(Text(place.x, top + 60 * s, plain(f"No gradient: {why}"), 12 * s, 400, "ink-2",
                          max_width=look.size[0] - place.x - 20 * s))
        return marks
    high, low = float(norms.max()), float(norms.max()) * 10.0 ** -DECADES
    chart = (top + 42 * s, look.size[1] - 10 * s)
    ys = [float(chart[1] - (np.log10(max(float(value), low)) - np.log10(low)) / DECADES * (chart[1] - chart[0]))
          for value in norms]
    points = tuple((place.middle(step), y) for step, y in enumerate(ys))
    if len(points) > 1:
        marks.append(Line(points, "gradient-line", 1.5 * s))
    size = 2.5 * s if place.pitch >= 8 else 0.0
    for step, (px, py) in enumerate(points):
        below = norms[step] < low
        here_size = 4 * s if step == now else size
        if here_size:
            marks.append(Rect(px - here_size, py - here_size, 2 * here_size, 2 * here_size,
                              "stage" if below else "gradient-mark", "gradient-mark", 1, radius=here_size))
    words = f"below {numbers.power(low, 0)}" if norms[now] < low else numbers.significant(float(norms[now]), 2)
    marks.append(Text(min(place.middle(now), look.size[0] - 30 * s), ys[now] - 8 * s, plain(words), 12 * s, 600,
                      "gradient-text", "middle"))
    right = place.x + place.count * place.pitch + 8 * s
    marks += [Text(right, chart[0] + 4 * s, plain(numbers.significant(high, 1)), 11 * s, 400, "ink-2"),
              Text(right, chart[1] + 2 * s, plain(numbers.power(low, 0)), 11 * s, 400, "ink-2")]
    return marks
