"""What has no motion of its own: the result uncovers in reading order, and a window lies on what each number reads.

Forward the window frames the terms of the chosen number on what the layer reads; on the way back it frames the
gradients from which that of the chosen number comes. Where an operation is unexplained, only the sources are outlined.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from visualizer.language import tr
from visualizer.motions import (
    Frame,
    March,
    Motion,
    Places,
    Setting,
    march,
    march_seconds,
    part_of,
    places,
)
from visualizer.motions._marks import around, box_of_cells, chip, handed_back_to, middle, rings, taps_of, windows
from visualizer.scene import numbers
from visualizer.scene.columns import Column
from visualizer.scene.picture import Flight, Focus, Mark
from visualizer.trace import Array, Cell, Layer, Trace


def forward(setting: Setting) -> Frame:
    """Places in reading order, all channels at once."""
    layer = setting.written
    found = places(layer)
    at = march(found.count, setting.second, strongest_place(layer, found, setting.chosen, layer.output))
    return _frame(setting, found, at, layer.output, setting.right, setting.left,
                  lambda cell: taps_of(setting.trace, layer.name, cell))


def backward(setting: Setting) -> Frame:
    """Every number of the layer that is given its gradient, in reading order: what is handed back to it adds up."""
    layer = setting.written
    if layer.gradient is None:
        return Frame()
    found = places(layer)
    chosen = min(setting.chosen, layer.shape[0] - 1) if layer.shape else 0
    at = march(found.count, setting.second, strongest_place(layer, found, chosen, np.abs(setting.handed)))
    return _frame(setting, found, at, setting.handed, setting.left[0], (setting.right,),
                  lambda cell: handed_back_to(setting, cell), chosen)


def seconds(trace: Trace, layer: Layer, back: str) -> float:
    written = [places(read).count for read in trace.inputs(layer)] if back else [places(layer).count]
    return march_seconds(max(written, default=1), True)


def strongest_place(layer: Layer, found: Places, chosen: int, values: Array) -> int | None:
    """The place of the largest value of a channel; None where every number is a place of its own."""
    if len(found.axes) == layer.output.ndim or chosen >= layer.shape[0]:
        return None
    own = np.where(np.isfinite(values[chosen]), values[chosen], -np.inf)
    if found.axes == (0,) or not own.size:
        return None
    return int(np.argmax(own))


def _frame(setting: Setting, found: Places, at: March, values: Array, written: Column, read: Iterable[Column],
           taps: object, chosen: int | None = None) -> Frame:
    assert callable(taps)
    chosen = setting.chosen if chosen is None else chosen
    ink = "gradient-mark" if setting.backward else "accent"
    layer = setting.written
    here = at.done if at.slow else at.done - 1
    marks: list[Mark] = []
    if 0 <= here < found.count and at.done < found.count:
        cell = found.cell(here, min(chosen, layer.shape[0] - 1) if layer.shape else 0)
        seen, made = taps(cell), Focus(layer.name, cell)
        faint = 0.5 + 0.5 * part_of(at.share, 0.0, 0.25) if at.slow else 0.6  # what is read may lie anywhere
        marks += windows(setting.trace, read, seen, made, backward=setting.backward, opacity=faint)
        if not seen:
            for column in read:
                marks += around((column.x, column.top, column.width, column.height))
        marks += rings(written, layer, all_channels(found, here, written, layer), ink, backward=setting.backward,
                       opacity=faint)
        landed = not at.slow or at.share >= 0.75
        box = box_of_cells(written, layer, cell, cell)
        if box is not None and at.slow and landed:
            x, y = middle(box)
            source = made if setting.turn is None else Focus(setting.layer.name)
            marks += chip(float(values[cell]), (x, y - box[3] / 2 - 14),
                          holds=Flight(source, made, float(values[cell]), 1.0, setting.backward))
    done = at.done + (1 if at.slow and at.share >= 0.75 else 0)
    return Frame(found.covered(done), None, tuple(marks), said(setting, done, found.count),
                 (done, found.count), tr("place {n} of {count}").format(n=numbers.count(max(done, 0)),
                                                                       count=numbers.count(found.count)))


def all_channels(found: Places, place: int, column: Column, layer: Layer) -> list[Cell]:
    """One place in every channel that is shown."""
    if len(found.axes) == layer.output.ndim or found.axes == (0,):
        return [found.cell(place, 0)]
    return [found.cell(place, channel) for channel in column.shown if channel >= 0]


def said(setting: Setting, done: int, count: int) -> str:
    """How far a layer has come whose places are all that is known of it."""
    name = setting.written.name
    if done <= 0:
        return tr("{layer} has computed nothing yet.").format(layer=name) if not setting.backward else \
            tr("No gradient has reached {layer} yet.").format(layer=name)
    if setting.backward:
        return tr("The gradient comes to {layer}: {{{done} of {count}}} places.").format(
            layer=name, done=numbers.count(done), count=numbers.count(count))
    return tr("{layer} is computed place by place: {{{done} of {count}}}.").format(
        layer=name, done=numbers.count(done), count=numbers.count(count))


MOTION = Motion("window", lambda layer: True, forward, backward, seconds, order=100)
