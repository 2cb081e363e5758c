"""The columns of a step on the way back: the same places, now with the gradients, from right to left; each hop prints
what it keeps, as measured."""

from __future__ import annotations

import math

import numpy as np

from visualizer.language import english, tr
from visualizer.said import said
from visualizer.scene import colour, numbers, parts
from visualizer.scene.picture import Flight, Focus, Group, Mark, Rect, Run, Scale, Text, grouped, plain
from visualizer.scene.type import width
from visualizer.trace import Cell
from visualizer.views.network._step.columns import head, outline, shaded, touch
from visualizer.views.network._step.scene import Scene
from visualizer.views.network._step.symbols import largest_back


def standing(sc: Scene) -> list[Mark]:
    """What stays while a step is gone through."""
    marks: list[Mark] = []
    for key in sc.plan.columns:
        count = len(sc.gradient(key))
        marks += grouped(_group(sc, key), [*head(sc, key, True), *outline(sc, key, count), *touch(sc, key, count)])
    return marks


def _group(sc: Scene, key: str) -> Group:
    symbol = sc.shown.family.quantities[key.removesuffix("_before")].symbol
    return Group(tr("gradient of {what}").format(what=symbol), Focus(sc.layer.name, (sc.step,)))


def draw(sc: Scene) -> list[Mark]:
    """All columns as far as the gradient has come."""
    marks: list[Mark] = []
    for key in sc.plan.columns:
        marks += grouped(_group(sc, key), _column(sc, key))
    marks += _slides(sc)
    marks += grouped(Group(tr("sizes")), parts.faded(_sizes(sc), sc.going if sc.when.step >= 0 else 0.0))
    return marks


def _column(sc: Scene, key: str) -> list[Mark]:
    marks: list[Mark] = []
    share = sc.returned(key)
    if share <= 0 or (sc.when.coming >= 0 and key.endswith("_before")):
        plan = sc.plan
        if share <= 0:
            marks.append(Rect(plan.columns[key], plan.top, plan.wide, plan.rows * plan.cell, "hatch"))
        return marks
    marks += parts.faded(_heat(sc, key, sc.plan.columns[key], share), sc.going)
    if sc.chosen and sc.owns(key):
        x, y, wide, high = sc.plan.cell_at(key, sc.unit)
        marks.append(Rect(x - 2, y - 2, wide + 4, high + 4, "", "ink", 1.5, radius=2, focus=sc.focus(key, sc.unit)))
    return marks


def _heat(sc: Scene, key: str, x: float, share: float, flight: Flight | None = None) -> list[Mark]:
    """The sizes of a column's gradient, uncovered from the top, on the one scale of the layer."""
    most = largest_back(sc)
    scale = Scale("gradient", english("size of the gradient"), sc.layer.name, most * parts.FLOOR, most, log=True)
    return shaded(sc, colour.magnitude(sc.gradient(key), most * parts.FLOOR, most), "gradient", key, x, share, scale,
                  flight, not key.endswith("_before"))


def _slides(sc: Scene) -> list[Mark]:
    """What goes on to the step before, on its way to where that step gets it."""
    if sc.when.step < 0 or sc.when.coming < 0:
        return []
    marks: list[Mark] = []
    for key in ("cell", "hidden"):
        if key not in sc.plan.columns:
            continue
        start, end = sc.plan.columns[f"{key}_before"], sc.plan.columns[key]
        if f"{key}_before" in sc.plan.columns:
            marks += _heat(sc, f"{key}_before", start + (end - start) * sc.when.slide, 1.0)
    return grouped(Group(tr("gradients on their way")), marks)


def _of(sc: Scene, key: str) -> tuple[str, Cell, int, str]:
    """Which column, and which unit of it, where one was chosen."""
    return sc.layer.name, (sc.unit,) if sc.chosen and sc.owns(key) else (), sc.step, key


def _sizes(sc: Scene) -> list[Mark]:
    """Under each column the size of its gradient, and under the states before what the hop kept of it."""
    plan = sc.plan
    marks: list[Mark] = []
    for key in plan.columns:
        if sc.returned(key) < 1:
            continue
        size = sc.size(key)
        what = "size of gradient of a column"
        ways = [said(way, what, *_of(sc, key)) for way in (
            (*(numbers.significant(size, digits) for digits in (3, 2, 1)), numbers.power(size, 0))
            if 0 < size < math.inf else (numbers.number(size),))]
        if 0 < size < math.inf:
            ways.append(said(numbers.power_of_ten(round(math.log10(size))), f"nearest power of ten of the {what}",
                             *_of(sc, key)))
        words = next((way for way in ways if width(way, 12, 600) <= plan.pitch - 4), "")
        marks.append(Text(plan.middle(key), plan.numbers, plain(words), 12, 600, "gradient-text", "middle"))
    if not sc.look.mode.notes:
        return marks
    told: list[Run] = []
    for state, name in (("cell", tr("memory")), ("hidden", tr("state"))):
        if state in plan.columns and sc.returned(f"{state}_before") >= 1:
            kept = sc.kept(state)
            if np.isfinite(kept):
                kept_said = said(numbers.number(kept), "share of the gradient of a state that goes on", *_of(sc, state))
                told += [Run("   " if told else ""), Run(f"{name} "), Run(f"× {kept_said}", weight=600)]
    if told:
        start = tr("one step back:") + " "
        marks.append(Text(plan.frame[0] + 12, plan.frame[1] + plan.frame[3] + 17, (Run(start), *told), 12, 400, "ink",
                          max_width=plan.frame[2]))
    return marks
