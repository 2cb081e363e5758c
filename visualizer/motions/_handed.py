"""A gradient that arrives number by number: from the answer, or from what stands at the right."""

from __future__ import annotations

import numpy as np

from visualizer.language import tr
from visualizer.motions import CAMERA, Frame, Setting, march, part_of, window
from visualizer.motions._marks import Box, box_of_cells, chip, middle, rings
from visualizer.scene import numbers, parts
from visualizer.scene.columns import Column
from visualizer.scene.picture import Flight, Focus, Group, Mark, Rect, grouped


def handed_over(setting: Setting, why: str) -> Frame:
    """Each number flies to its place from where it stands at the right, with its size and sign."""
    given = setting.written
    if given.gradient is None or given.output.ndim != 1 or not setting.left or setting.left[0].layer != given.name \
            or setting.left[0].style != "units":
        return window.backward(setting)
    left = setting.left[0]
    order = [unit for unit in left.shown if unit >= 0]
    at = march(len(order), setting.second)
    done = at.done + (at.slow and at.share >= 0.9)
    covered = np.ones(given.shape, bool)
    covered[order[:done]] = False
    if done >= len(order):
        covered[:] = False
    marks: list[Mark] = []
    here = at.done if at.slow else at.done - 1
    if 0 <= here < len(order) and (at.slow or at.done < len(order)):
        unit = order[here]
        marks += rings(left, given, [(unit,)], backward=True)
        start, end = _origin(setting, unit), box_of_cells(left, given, (unit,), (unit,))
        if at.slow and end is not None:
            gone = part_of(at.share, 0.15, 0.75)
            x, y, wide, high = (a + (b - a) * gone for a, b in zip(start, end, strict=True))
            shades, palette = parts.entries(setting.trace, given, setting.look, True)
            value = float(given.gradient[unit])
            holds = Flight(Focus(given.name, (unit,)), Focus(given.name, (unit,)), value, gone, True)
            marks += grouped(Group("errors"), [
                Rect(x, y, wide, high, f"{palette}:{int(shades[unit])}", "ink", 1.5, holds=holds),
                *chip(value, (middle((x, y, wide, high))[0], y - 13), "gradient-text", numbers.signed(value, 4),
                      opacity=0.5 + 0.5 * part_of(at.share, 0.1, 0.25), holds=holds)])
    if not done:
        said = tr("The gradient stands at {layer}; {source} has {{none}} yet.").format(
            layer=setting.layer.name, source=given.name)
    else:
        unit = order[done - 1]
        said = tr("{why}: {{{value}}} for {unit}, {done} of {count} done.").format(
            why=why, value=numbers.signed(float(given.gradient[unit]), 4), unit=_named(setting, unit),
            done=numbers.count(done), count=numbers.count(len(order)))
    return Frame(covered, None, tuple(marks), said if setting.second >= CAMERA else "", (done, len(order)),
                 tr("{n} of {count} numbers").format(n=numbers.count(done), count=numbers.count(len(order))))


def _origin(setting: Setting, unit: int) -> Box:
    """Where a number stands before it comes: in the bar of its class, else at the left rim of what hands it over."""
    bars = bars_beside(setting)
    box = None if bars is None else bars.box(unit)
    if box is None:
        box = setting.right.box(unit) if setting.right.style == "units" else None
    if box is not None:
        return box[0], box[1] + box[3] / 2 - 6, 12.0, 12.0
    right = setting.right
    return right.x, right.top + right.height / 2, 12.0, 12.0


def bars_beside(setting: Setting) -> Column | None:
    """The column of bars of the answer, if there is one."""
    return next((column for column in setting.plan.columns.values() if column.style == "bars"), None)


def _named(setting: Setting, unit: int) -> str:
    labels = setting.trace.labels
    return labels[unit] if unit < len(labels) and setting.written.axes == ("class",) else str(unit)
