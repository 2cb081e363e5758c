"""A gradient that arrives number by number, or place by place: from the answer, or from what stands at the right."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from visualizer.language import tr
from visualizer.motions import CAMERA, Frame, Places, Setting, gone_back, march, part_of, window
from visualizer.motions._marks import Box, box_of_cells, chip, middle, rings, step_named
from visualizer.scene import numbers, parts
from visualizer.scene.columns import PADDING, Column
from visualizer.scene.picture import Flight, Focus, Group, Mark, Rect, grouped
from visualizer.trace import Cell, Layer

MOST_RINGS = 16
"""Numbers of a place that have a ring each; of more the largest alone."""


def handed_over(setting: Setting, why: str, counted: Places | None = None, order: Sequence[int] = ()) -> Frame:
    """Each number flies to its place from where it stands at the right, with its size and sign. Of a sequence or a
    picture all that belongs to one place comes together: `counted` are its places, and in which `order` they come."""
    given = setting.written
    if given.gradient is not None and counted is not None and setting.left and setting.left[0].layer == given.name:
        return _place_by_place(setting, why, counted, order)
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
            value, made = float(setting.handed[unit]), Focus(given.name, (unit,))
            holds = Flight(_source(setting, made), made, value, gone, True)
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
            why=why, value=numbers.signed(float(setting.handed[unit]), 4), unit=_named(setting, unit),
            done=numbers.count(done), count=numbers.count(len(order)))
    return Frame(covered, None, tuple(marks), said if setting.second >= CAMERA else "", (done, len(order)),
                 tr("{n} of {count} numbers").format(n=numbers.count(done), count=numbers.count(len(order))))


def _place_by_place(setting: Setting, why: str, counted: Places, order: Sequence[int]) -> Frame:
    """What a loss of many numbers hands back, the last place first: its largest number flies there, all others of that
    place come with it."""
    given, left = setting.written, setting.left[0]
    at = march(len(order), setting.second)
    done = at.done + (at.slow and at.share >= 0.9)
    here = at.done if at.slow else at.done - 1
    marks: list[Mark] = []
    if 0 <= here < len(order) and (at.slow or at.done < len(order)):
        cells = _line(given, counted, order[here])
        cell = max(cells, key=lambda one: abs(np.nan_to_num(setting.handed[one])))
        faint = 0.5 + 0.5 * part_of(at.share, 0.0, 0.25) if at.slow else 0.6
        marks += rings(left, given, cells if len(cells) <= MOST_RINGS else [cell], "gradient-mark", backward=True,
                       opacity=faint)
        if at.slow:
            marks += _flown(setting, cell, at.share)
    gone = gone_back(counted, order, done)
    covered = ~counted.covered(counted.count - gone)
    words = tr("step {n} of {count}") if len(counted.axes) == 1 else tr("place {n} of {count}")
    if not done:
        said = tr("The gradient stands at {layer}; {source} has {{none}} yet.").format(
            layer=setting.layer.name, source=given.name)
    else:
        place = tuple(map(int, np.unravel_index(order[done - 1], counted.shape)))
        line = _line(given, counted, order[done - 1])
        said = tr("{why}: {{{value}}} ({place}), {done} of {count} done.").format(
            why=why, value=numbers.signed(max((float(setting.handed[one]) for one in line), key=abs), 4),
            place=step_named(setting.trace, place, counted.shape), done=numbers.count(done),
            count=numbers.count(len(order)))
    return Frame(covered, None if setting.turn is None else setting.handed, tuple(marks),
                 said if setting.second >= CAMERA else "", (done, len(order)),
                 words.format(n=numbers.count(done), count=numbers.count(len(order))))


def _line(layer: Layer, counted: Places, place: int) -> list[Cell]:
    """All numbers of a place."""
    others = [axis for axis in range(layer.output.ndim) if axis not in counted.axes]
    return [counted.cell(place, index) for index in range(layer.shape[others[0]] if others else 1)]


def _flown(setting: Setting, cell: Cell, share: float) -> list[Mark]:
    """One number on its way from the loss to its place."""
    given = setting.written
    end = box_of_cells(setting.left[0], given, cell, cell)
    if end is None or not 0.15 <= share < 0.98:
        return []
    start = _own_place(setting, cell)
    gone = part_of(share, 0.15, 0.75)
    x, y, wide, high = (a + (b - a) * gone for a, b in zip(start, end, strict=True))
    shades, palette = parts.entries(setting.trace, given, setting.look, True)
    value, made = float(setting.handed[cell]), Focus(given.name, cell)
    holds = Flight(_source(setting, made), made, value, gone, True)
    return grouped(Group("errors"), [
        Rect(x, y, wide, high, f"{palette}:{int(shades[cell])}", "ink", 1.5, holds=holds),
        *chip(value, (middle((x, y, wide, high))[0], y - 13), "gradient-text", numbers.signed(value, 4),
              opacity=0.5 + 0.5 * part_of(share, 0.1, 0.25), holds=holds)])


def _own_place(setting: Setting, cell: Cell) -> Box:
    """Where it starts: in its own number of the loss where that has one for each place, else at the loss."""
    layer, right = setting.layer, setting.right
    own = cell[-layer.output.ndim:] if layer.output.ndim else ()
    box = box_of_cells(right, layer, own, own) if own and all(
        at < size for at, size in zip(own, layer.shape, strict=True)) else None
    if box is not None:
        return box
    x = min(right.x + right.width / 2, setting.look.size[0] - PADDING - 12.0)
    return x, setting.plan.bottom + 30.0, 12.0, 12.0


def _source(setting: Setting, made: Focus) -> Focus:
    """What flies is the whole gradient of a number, or its part that one of several readers hands back."""
    return made if setting.turn is None else Focus(setting.layer.name)


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
