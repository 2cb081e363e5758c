"""The lane under the columns: the gradient of every step on a log axis, and the share of saturated gates."""

from __future__ import annotations

import numpy as np

from visualizer.scene import numbers
from visualizer.scene.columns import lanes_height
from visualizer.scene.picture import Line, Look, Mark, Rect, Run, Text, plain, rich
from visualizer.scene.reading import Reading
from visualizer.scene.type import width
from visualizer.views.unrolled._columns import DECADES
from visualizer.views.unrolled._plan import LEFT, Plan


def lane(plan: Plan, look: Look) -> list[Mark]:
    """‖∂L/∂h_t‖ under its step on a log axis with a floor, and the share of saturated gates."""
    s, top, shown = look.text_scale, plan.lane, plan.shown
    marks: list[Mark] = [Line(((0, top), (look.size[0], top)), "hair")]
    window = range(max(0, int(np.ceil(plan.start - 0.01))), min(shown.steps, int(plan.start + plan.count + 0.01)))
    middle = {step: plan.open_x(step) + plan.tile / 2 for step in window}
    norms = shown.norms
    x = (LEFT - 16) * s
    marks += [Text(x, top + 34 * s, (Run("‖∂L/∂"), Run("h", italic=True), Run("t", shift="sub"), Run("‖")), 13 * s,
                   600, "ink", "end"), Text(x, top + 50 * s, plain("log scale"), 11 * s, 400, "ink-2", "end")]
    if norms is None or not norms.max() > 0:
        why = shown.layer.why or "nothing flowed back through time"
        marks.append(Text(plan.x, top + 44 * s, plain(f"No gradient: {why}"), 12 * s, 400, "ink-2",
                          max_width=look.size[0] - plan.x - 20 * s))
        return marks + _saturation(plan, middle, look)
    high, low = float(norms.max()), float(norms.max()) * 10.0 ** -DECADES
    chart = (top + 20 * s, top + 68 * s)

    def at(value: float) -> float:
        share = (np.log10(max(value, low)) - np.log10(low)) / DECADES
        return float(chart[1] - share * (chart[1] - chart[0]))

    for power in range(0, DECADES + 1, 3):
        y = at(high * 10.0 ** -power)
        marks.append(Line(((plan.x - 6 * s, y), (plan.end, y)), "hair"))
    points = [(middle[step], at(float(norms[step]))) for step in window]
    if len(points) > 1:
        marks.append(Line(tuple(points), "gradient-line", 1.5 * s))
    written: list[float] = []
    for step, (px, py) in zip(window, points, strict=True):
        below = norms[step] < low
        size = 4 * s if step == plan.now else 2.5 * s
        marks.append(Rect(px - size, py - size, 2 * size, 2 * size, "stage" if below else "gradient-mark",
                          "gradient-mark", 1, radius=size))
        if step in (plan.now, window[0], window[-1]) and all(abs(px - other) > 52 * s for other in written):
            words = f"below {numbers.power(low, 0)}" if below else numbers.significant(float(norms[step]), 2)
            half = width(words, 12 * s, 600) / 2
            marks.append(Text(min(max(px, plan.x + half), look.size[0] - half - 4 * s), py - 8 * s, plain(words),
                              12 * s, 600, "gradient-text", "middle"))
            written.append(px)
    said = crossings(shown, window)
    if said and points[len(points) // 3][1] < chart[1] - 24 * s:
        marks.append(Text(plan.x, chart[1] + 6 * s, rich(said), 12 * s, 400))
    return marks + _saturation(plan, middle, look)


def crossings(shown: Reading, window: range) -> str:
    """What going back over a space does to the gradient, where it does much; empty where it does not."""
    norms = shown.norms
    if norms is None or shown.reverse:
        return ""
    falls = [float(norms[step + 1] / norms[step]) for step in reversed(window)
             if shown.words[step] == "␣" and step + 1 < shown.steps and norms[step] > 0]
    if not falls or min(falls) < 1.2:
        return ""
    said = [f"**{numbers.significant(fall, 2)}**" for fall in falls[:3]]
    return f"Going back over a space divides the gradient by {', then by '.join(said)}."


def _saturation(plan: Plan, middle: dict[int, float], look: Look) -> list[Mark]:
    s, y = look.text_scale, look.size[1] - 18 * look.text_scale
    shown, shares = plan.shown, plan.shown.saturation
    if lanes_height(look) < 112 * s:
        return []
    marks: list[Mark] = [Text((LEFT - 16) * s, y + 4 * s,
                              plain("saturated gates" if shown.gates else "saturated units"),
                              11 * s, 500, "ink-2", "end")]
    for step, x in middle.items():
        wide = plan.tile
        marks += [Rect(x - wide / 2, y - 2 * s, wide, 4 * s, "sunk", radius=2 * s),
                  Rect(x - wide / 2, y - 2 * s, wide * float(shares[step]), 4 * s, "ink-2", radius=2 * s)]
    share = numbers.percent(float(shares[plan.now]), 0)
    marks.append(Text(plan.end + 8 * s, y + 4 * s, plain(share), 12 * s, 600))
    return marks
