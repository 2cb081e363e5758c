"""The lane under the columns: the gradient of every step on a log axis, and the share of saturated gates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from visualizer.language import tr
from visualizer.said import said
from visualizer.scene import numbers, steps
from visualizer.scene.columns import lanes_height
from visualizer.scene.labels import by_a_dot
from visualizer.scene.parts import not_yet, polygon
from visualizer.scene.picture import Focus, Line, Look, Mark, Path, Points, Rect, Run, Stop, Stops, Text, plain, rich
from visualizer.scene.reading import Reading, without_gradient
from visualizer.scene.timeline import Moment
from visualizer.scene.type import width
from visualizer.views.unrolled._columns import DECADES
from visualizer.views.unrolled._plan import LEFT, Plan


def lane(plan: Plan, stops: Stops | None, moment: Moment, look: Look) -> tuple[list[Mark], list[Mark]]:
    """(still, moving): ∥∂L/∂h_t∥ under its step on a log axis with a floor, and the share of saturated gates.

    Where a window is cut out of the steps, its curve moves with it.
    """
    top, shown = plan.lane, plan.shown
    if look.projector:
        return [], steps.line_of_steps(plan.x, plan.count * plan.pitch, shown, plan.step, moment, look)
    window = range(max(0, int(np.ceil(plan.start - 0.01))), min(shown.steps, int(plan.start + plan.count + 0.01)))
    middle = {step: plan.open_x(step) + plan.tile / 2 for step in window}
    norms, x = shown.norms, LEFT - 16
    axis: list[Mark] = [
        Line(((0, top), (look.size[0], top)), "hair"),
        Text(x, top + 34, (Run("∥∂L/∂"), Run("h", italic=True), Run("t", shift="sub"), Run("∥")), 13, 600,
             "ink", "end"),
        Text(x, top + 50, plain(tr("log scale")), 11, 400, "ink-2", "end")]
    saturation, now = _saturation(plan, middle, look)
    if norms is None or not norms.max() > 0:
        why = without_gradient(shown) or tr("it is not a number")
        axis.append(Text(plan.x, top + 44, plain(tr("No gradient: {why}").format(why=why)), 12, 400, "ink-2",
                         max_width=look.size[0] - plan.x - 20))
        chart: list[Mark] = []
    else:
        axis += [Line(((plan.x - 6, y), (plan.end, y)), "hair")
                 for y in (_height(10.0 ** -power, top) for power in range(0, DECADES + 1, 3))]
        chart, numbered = _chart(plan, norms, window, middle, look)
        now = numbered + now
    if stops is not None and plan.fold == 0:  # nothing that is seen: the steps, to be pointed at
        chart += [Rect(middle[step] - plan.pitch / 2, top + 4, plan.pitch, look.size[1] - top - 8,
                       focus=Focus(shown.layer.name, (step,)), holds=Stop(stops.addresses[step])) for step in window]
    return axis, [*chart, *saturation, *now]


def _height(share: float, top: float) -> float:
    """y of a share of the largest gradient, on the log axis down to its floor."""
    decades = min(float(DECADES), -np.log10(share) if share > 0 else DECADES)
    return float(top + 20 + 48 * decades / DECADES)


def _chart(plan: Plan, norms: NDArray[np.float64], window: range, middle: dict[int, float],
           look: Look) -> tuple[list[Mark], list[Mark]]:
    """The curve with a dot for each step to which the gradient has come; and the numbers of the current step and, away
    from it, of both ends."""
    high, done = float(norms.max()), plan.track.arrived.done
    low = high * 10.0 ** -DECADES
    came = range(max(window.start, done.start), min(window.stop, done.stop))
    marks: list[Mark] = []
    for part in steps.missing(came, window):
        marks += not_yet(middle[part[0]] - plan.pitch / 2, plan.lane + 20,
                         middle[part[-1]] - middle[part[0]] + plan.pitch, 48, tr("comes on the way back"))
    if not len(came):
        return marks, []
    points = {step: (middle[step], _height(float(norms[step]) / high, plan.lane)) for step in came}
    if len(points) > 1:
        marks.append(Line(tuple(points.values()), "gradient-line", 1.5))
    marks += [_dot(*points[step], 2.5, norms[step] < low) for step in came]
    told = crossings(plan.shown, came)
    if told and points[came[len(came) // 3]][1] < plan.lane + 44:
        marks.append(Text(plan.x, plan.lane + 74, rich(told), 12, 400))
    now = min(max(plan.now, came[0]), came[-1])
    numbered: list[Mark] = [_dot(*points[now], 4, norms[now] < low)]
    written: list[tuple[str, float]] = []
    left, right = steps.clear(points[came[0]][0] - plan.pitch / 2, points[came[-1]][0] + plan.pitch / 2,
                              (plan.x, look.size[0] - 4))
    right = right if came[-1] < window[-1] else look.size[0] - 4
    for step in dict.fromkeys((now, came[0], came[-1])):
        px = points[step][0]
        words = tr("below {value}").format(value=steps.floor_said(plan.shown, low)) if norms[step] < low else said(
            numbers.significant(float(norms[step]), 2), "norm", plan.shown.layer.name, step=step,
            array="inner_gradients.hidden")
        if all(abs(px - other) > width(words, 12, 600) / 2 + 40 and words != same for same, other in written):
            numbered += by_a_dot(words, tuple(points.values()), list(points).index(step),
                                 (left, plan.lane, right, plan.lane + 84),
                                 [mark for mark in numbered if isinstance(mark, Text)])
            written.append((words, px))
    return marks, numbered


def _dot(x: float, y: float, size: float, below: bool) -> Mark:
    """A value of the gradient; open where it lies below the floor."""
    return Rect(x - size, y - size, 2 * size, 2 * size, "stage" if below else "gradient-mark", "gradient-mark", 1,
                radius=size)


def crossings(shown: Reading, window: range) -> str:
    """What going back over a space does to the gradient, where it does much; empty where it does not."""
    norms = shown.norms
    if norms is None or shown.reverse:
        return ""
    falls = [(float(norms[step + 1] / norms[step]), step) for step in reversed(window)
             if shown.words[step] == "␣" and step + 1 < shown.steps and norms[step] > 0]
    if not falls or min(falls)[0] < 1.2:
        return ""
    factors = [said(numbers.significant(fall, 2), "how a gradient falls over a step", shown.layer.name, step=step)
               for fall, step in falls[:3]]
    return tr("Going back over a space divides the gradient by {factors}.").format(
        factors=tr(", then by ").join(f"**{factor}**" for factor in factors))


def _saturation(plan: Plan, middle: dict[int, float], look: Look) -> tuple[list[Mark], list[Mark]]:
    """A bar for each step, and the number of the current one."""
    y = look.size[1] - 18
    shown, shares, wide = plan.shown, plan.shown.saturation, plan.tile
    if lanes_height(look) < 112:
        return [], []
    read = {step: x for step, x in middle.items() if step in plan.track.read.done}
    tracks = tuple(_bar(x - wide / 2, y - 2, wide, 4) for x in read.values())
    bars = tuple(_bar(x - wide / 2, y - 2, wide * float(shares[step]), 4) for step, x in read.items()
                 if shares[step] > 0)
    marks: list[Mark] = [Text(LEFT - 16, y + 4, plain(tr("saturated gates") if shown.gates else
                                                      tr("saturated units")), 11, 500, "ink-2", "end")]
    marks += [Rect(x - wide / 2, y - 2, wide, 4, "hatch") for step, x in middle.items() if step not in read]
    if tracks:
        marks.append(Path(tracks, fill="sunk"))
    if bars:
        marks.append(Path(bars, fill="ink-2"))
    share = said(numbers.percent(float(shares[plan.now]), 0), "share of saturated gates" if shown.gates else
                 "share of saturated units", shown.layer.name, step=plan.now)
    return marks, [Text(plan.end + 8, y + 4, plain(share), 12, 600)] if plan.now in plan.track.read.done else []


def _bar(x: float, y: float, wide: float, high: float) -> Points:
    return polygon(((x, y), (x + wide, y), (x + wide, y + high), (x, y + high)))
