"""The ways through a cell: where each value flows along, forwards from its first point to its last."""

from __future__ import annotations

from collections.abc import Mapping

from visualizer.scene import gatesigns
from visualizer.scene.picture import Points
from visualizer.views.diagram._plan import Plan

CHIP = 23.0
"""Half the width of what stands for a tanh."""


def half_valve(plan: Plan) -> float:
    return gatesigns.BOX * plan.bore / gatesigns.BORE / 2


def plus(plan: Plan) -> float:
    """Radius of a sum."""
    return 14 * min(1.0, max(0.7, plan.tall))


def chip(plan: Plan) -> float:
    return CHIP * min(1.0, max(0.72, plan.wide))


def ways(plan: Plan) -> Mapping[str, Points]:
    """Every way of a family by name."""
    return {"lstm": _lstm, "gru": _gru, "rnn": _rnn}[plan.family](plan)


def bores(plan: Plan) -> tuple[Points, ...]:
    """The pipes that they lie in."""
    left, right, y, second = _ends(plan)
    if plan.family == "lstm":
        return (((left, y), (right, y)),
                ((plan.x("candidate"), plan.boxes), (plan.x("candidate"), second), (plan.x("plus"), second),
                 (plan.x("plus"), y)),
                ((plan.x("branch"), y), (plan.x("branch"), second), (right, second)))
    if plan.family == "gru":
        return (((left, y), (right, y)),
                ((plan.x("again"), second), (plan.x("plus"), second), (plan.x("plus"), y)),
                ((plan.x("new"), plan.boxes), (plan.x("new"), second)))
    return (((plan.x("preactivation"), plan.boxes), (plan.x("preactivation"), y), (right, y)),)


def _ends(plan: Plan) -> tuple[float, float, float, float]:
    left, wide = plan.station(False)
    return left + wide, plan.station(True)[0], plan.memory, plan.second


def _lstm(plan: Plan) -> Mapping[str, Points]:
    left, right, y, second = _ends(plan)
    valve, add, around = half_valve(plan), plus(plan), chip(plan)
    f, g, i, o = (plan.x(name) for name in ("forget", "candidate", "input", "output_gate"))
    sum_at, branch, tanh = plan.x("plus"), plan.x("branch"), plan.x("tanh")
    return {
        "before": ((left, y), (f - valve, y)), "kept": ((f + valve, y), (sum_at - add, y)),
        "after": ((sum_at + add, y), (right, y)),
        "candidate": ((g, plan.boxes), (g, second), (i - valve, second)),
        "added": ((i + valve, second), (sum_at, second), (sum_at, y + add)),
        "down": ((branch, y), (branch, second), (tanh - around, second)),
        "opened": ((tanh + around, second), (o - valve, second)), "shown": ((o + valve, second), (right, second)),
    }


def _gru(plan: Plan) -> Mapping[str, Points]:
    left, right, y, second = _ends(plan)
    valve, add, around = half_valve(plan), plus(plan), chip(plan)
    z, again, r, n, mix = (plan.x(name) for name in ("update", "again", "reset", "new", "mix"))
    sum_at = plan.x("plus")
    return {
        "before": ((left, y), (z - valve, y)), "kept": ((z + valve, y), (sum_at - add, y)),
        "after": ((sum_at + add, y), (right, y)),
        "again": ((again + around + 4, second), (r - valve, second)),
        "reset": ((r + valve, second), (n - around, second)),
        "read": ((n, plan.boxes), (n, second + add)),
        "new": ((n + around, second), (mix - valve, second)),
        "added": ((mix + valve, second), (sum_at, second), (sum_at, y + add)),
    }


def _rnn(plan: Plan) -> Mapping[str, Points]:
    _, right, y, _ = _ends(plan)
    a, tanh, around = plan.x("preactivation"), plan.x("tanh"), chip(plan)
    return {"sum": ((a, plan.boxes), (a, y), (tanh - around, y)), "after": ((tanh + around, y), (right, y))}
