"""Means: a window, or a whole map, condenses to its mean, which flies to its place; back it spreads evenly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from visualizer import kinds
from visualizer.language import tr
from visualizer.motions import (
    CAMERA,
    SLOW,
    Frame,
    March,
    Motion,
    Places,
    Setting,
    gone_back,
    march,
    march_seconds,
    opacity_at,
    part_of,
    passing,
    places,
    smooth,
    stops,
    stops_seconds,
    window,
)
from visualizer.motions._marks import (
    Box,
    around,
    bands,
    box_of_cells,
    chip,
    middle,
    rings,
    seen_cells,
    taps_of,
    windows,
    windows_of_channels,
)
from visualizer.scene import numbers, parts
from visualizer.scene.picture import Flight, Focus, Group, Image, Mark, Rect, grouped
from visualizer.scene.timeline import ease
from visualizer.trace import Array, Cell, Layer, Trace, remembered

LIFTS, CONDENSED, LANDS = 0.15, 0.55, 0.92
"""Of a slow place: when the window begins to shrink, when it is one number, when that has landed."""
GOES = 0.5
"""Of a slow place: how long a gradient is on its way to its window, over which it then spreads."""
POINT = 14.0
"""Largest side of what a window has condensed to, in pixels, before it grows to its place."""
REDUCED = ("mean", "sum")
"""Kinds that may take any axes together, channels too."""
MOST_SHOWN = 16
"""Channels whose windows are seen to condense."""


def suits(layer: Layer) -> bool:
    return kinds.role(layer) == "mean" or layer.kind == "sum"


def forward(setting: Setting) -> Frame:
    """The window at the place being made, shrinking to its mean."""
    layer = setting.layer
    if len(setting.left) != 1 or setting.left[0].layer != layer.reads[0] or not layer.output.ndim:
        return window.forward(setting)
    found = places(layer)
    channel = min(setting.chosen, layer.shape[0] - 1)
    at = march(found.count, setting.second, window.strongest_place(layer, found, channel, layer.output))
    done = at.done + (at.slow and at.share >= LANDS)
    box = setting.right.box(channel)
    marks = around(box) if box is not None and setting.right.style == "maps" else []
    here = at.done if at.slow else at.done - 1
    if 0 <= here < found.count and (at.slow or at.done < found.count):
        faint = opacity_at(at, here, _across(setting, found))
        cells = _cells(setting, found, here, channel)
        rows = passing(at, here, found.shape[-1]) if len(found.shape) == 2 and layer.kind not in REDUCED else None
        if layer.kind not in REDUCED and rows is None:
            marks += windows_of_channels(setting.trace, setting.left[0], layer.name, cells, faint)
        for cell in cells:
            if layer.kind in REDUCED:
                marks += windows(setting.trace, setting.left, taps_of(setting.trace, layer.name, cell),
                                 Focus(layer.name, cell), opacity=faint)
            if at.slow:
                marks += _condensed(setting, cell, at.share, cell == found.cell(here, channel))
        marks += _band(setting, found, rows, channel) if rows is not None else rings(
            setting.right, layer, window.all_channels(found, here, setting.right, layer), opacity=faint)
    return Frame(found.covered(done), None, tuple(marks), _said(setting, found, at, done, channel),
                 (done, found.count), _counted(found, done))


def backward(setting: Setting) -> Frame:
    """Each gradient spreads over the window that it was the mean of, from the last place to the first."""
    layer, given = setting.layer, setting.written
    if layer.gradient is None or given.gradient is None or given.name != layer.reads[0] or not setting.left \
            or not setting.from_one or not layer.output.ndim:
        return window.backward(setting)
    found = places(layer)
    channel = min(setting.chosen_right, layer.shape[0] - 1)
    order = stops(layer, found, channel)
    at = march(len(order), setting.second)
    done = at.done + (at.slow and at.share >= LANDS)
    marks: list[Mark] = []
    number = at.done if at.slow else at.done - 1
    if 0 <= number < len(order) and (at.slow or at.done < len(order)):
        here = order[number]
        faint = opacity_at(at, number, _across(setting, found), order)
        cells = _cells(setting, found, here, channel)
        rows = passing(at, number, found.shape[-1], order) \
            if len(found.shape) == 2 and layer.kind not in REDUCED else None
        if layer.kind not in REDUCED and rows is None:
            marks += windows_of_channels(setting.trace, setting.left[0], layer.name, cells, faint)
        for cell in cells:
            if layer.kind in REDUCED:
                marks += windows(setting.trace, setting.left, taps_of(setting.trace, layer.name, cell),
                                 Focus(layer.name, cell), opacity=faint)
            if at.slow:
                marks += _spread(setting, cell, at.share, cell == found.cell(here, channel))
        marks += _band(setting, found, rows, channel) if rows is not None else rings(
            setting.right, layer, window.all_channels(found, here, setting.right, layer), backward=True, opacity=faint)
    gone = gone_back(found, order, done)
    values, reached = laid(setting.trace, layer.name, gone)
    return Frame(~reached, values, tuple(marks), _said_back(setting, found, at, gone, channel), (done, len(order)),
                 _counted(found, gone))


def seconds(trace: Trace, layer: Layer, back: str) -> float:
    return stops_seconds(layer) if back else march_seconds(places(layer).count, True)


def _across(setting: Setting, found: Places) -> int:
    return found.shape[-1] if len(found.axes) < setting.layer.output.ndim else max(1, setting.right.sub_columns)


def _cells(setting: Setting, found: Places, place: int, channel: int) -> list[Cell]:
    if len(found.axes) == setting.layer.output.ndim or found.axes == (0,):
        return [found.cell(place, channel)]
    return seen_cells(setting.right, lambda one: found.cell(place, one), channel, MOST_SHOWN)


def hands(trace: Trace, layer: Layer, name: str) -> Array | None:
    """Every place, handed back."""
    if layer.gradient is None or layer.reads[0] != name:
        return None
    return laid(trace, layer.name, places(layer).count)[0]


def _band(setting: Setting, found: Places, rows: tuple[int, int], channel: int) -> list[Mark]:
    cells = _cells(setting, found, 0, channel)
    return bands(setting.trace, setting.left, setting.right, setting.layer, rows, found, [cell[0] for cell in cells],
                 lambda cell: taps_of(setting.trace, setting.layer.name, cell))


# --- what was read, and what comes back ------------------------------------------------------------------------------

@remembered(4)
def laid(trace: Trace, name: str, done: int) -> tuple[Array, Array]:
    """The gradient of what a layer reads when its last places have handed back theirs, and what of it has got any."""
    layer = trace[name]
    assert layer.gradient is not None
    shape = trace.inputs(layer)[0].shape
    place, target, source, shares = readings(trace, name)
    first = int(np.searchsorted(place, places(layer).count - done))
    sent = shares[first:] * layer.gradient.ravel()[target[first:]]
    size = int(np.prod(shape))
    found = np.bincount(source[first:], sent, size).reshape(shape)
    return found, (np.bincount(source[first:], minlength=size) > 0).reshape(shape)


@remembered(8)
def readings(trace: Trace, name: str) -> tuple[Array, Array, Array, Array]:
    """Of every number that is averaged, in the order of the places: the place, the number made of it and itself (both
    counted through their layers), and its share. Pools read the same places in every channel."""
    layer, every = trace[name], places(trace[name])
    shape = trace.inputs(layer)[0].shape
    alike = 0 not in every.axes and layer.kind not in REDUCED
    channels = np.arange(layer.shape[0] if alike else 1)
    others = [axis for axis in range(layer.output.ndim) if axis not in every.axes]
    found: list[tuple[Array, Array, Array, Array]] = []
    for place in range(every.count):
        for other in np.ndindex(*(1 if alike else layer.shape[axis] for axis in others)):
            at = list(every.cell(place, 0))
            for axis, index in zip(others, other, strict=True):
                at[axis] = index
            cells, weights = read_by(trace, name, tuple(at))
            own = np.ravel_multi_index(cells, shape)
            source = (channels[:, None] * int(np.prod(shape[1:])) + own).ravel()
            target = channels * int(np.prod(layer.shape[1:])) + int(np.ravel_multi_index(tuple(at), layer.shape))
            found.append((np.full(source.size, place), np.repeat(target, own.size), source,
                          np.tile(weights, len(channels))))
    place_, target_, source_, shares = (np.concatenate(arrays) for arrays in zip(*found, strict=True))
    return place_, target_, source_, shares


@remembered(4096)
def read_by(trace: Trace, name: str, cell: Cell) -> tuple[tuple[Array, ...], Array]:
    """(indices, shares): what of its input one number of a layer is the mean of, without padding."""
    (taps,) = kinds.terms(trace, name, cell).taps
    inside = np.ones(len(taps.cells), bool) if taps.inside is None else taps.inside
    return tuple(taps.cells[inside].T), taps.weights[inside]


def _window(setting: Setting, cell: Cell) -> tuple[Box, tuple[Array, ...]] | None:
    left = setting.left[0]
    source = setting.trace[left.layer]
    cells, _ = read_by(setting.trace, setting.layer.name, cell)
    if not len(cells) or not len(cells[0]):
        return None
    low, high = (tuple(int(edge(axis)) for axis in cells) for edge in (np.min, np.max))
    if source.output.ndim > 2 and low[:-2] != high[:-2]:
        return None
    box = box_of_cells(left, source, low, high)
    return None if box is None else (box, cells)


# --- what moves ------------------------------------------------------------------------------------------------------

def _condensed(setting: Setting, cell: Cell, share: float, followed: bool) -> list[Mark]:
    """The numbers of a window drawn together until they are one, and that on its way to its place."""
    layer, left = setting.layer, setting.left[0]
    source = setting.trace[left.layer]
    found, end = _window(setting, cell), box_of_cells(setting.right, layer, cell, cell)
    if found is None or end is None or share < LIFTS or share > 0.98:
        return []
    box, cells = found
    drawn, gone = smooth(part_of(share, LIFTS, CONDENSED - LIFTS)), smooth(part_of(share, CONDENSED, LANDS - CONDENSED))
    x, y = middle(box)
    wide, high = min(end[2], POINT), min(end[3], POINT)
    small = (x - wide / 2, y - high / 2, wide, high)
    marks: list[Mark] = []
    value, here = float(layer.output[cell]), Focus(layer.name, cell)
    holds = Flight(here, here, value, gone)
    if drawn < 1 and source.output.ndim > 1:
        shades, palette = parts.entries(setting.trace, source, setting.look, False)
        rows, across = (int(axis.max() - axis.min()) + 1 for axis in (*cells[-2:],))
        if rows * across == len(cells[0]):
            over, top, wide, high = _between(box, small, drawn)
            marks.append(Image(over, top, (wide / across, high / rows), np.ascontiguousarray(
                shades[cells].reshape(1, rows, across)), palette, holds=holds))
    shades, palette = parts.entries(setting.trace, layer, setting.look, False)
    at = _between(_between(box, small, drawn), end, gone)
    marks.append(Rect(*at, f"{palette}:{int(shades[cell])}", "ink", 1.2, opacity=drawn, holds=holds))
    if followed and drawn >= 1:
        said = tr("sum {value}") if layer.kind == "sum" else tr("mean {value}")
        marks += chip(value, (at[0] + at[2] / 2, at[1] - 13), said=said.format(value=numbers.number(value)),
                      holds=holds)
    return grouped(Group("mean"), marks)


def _spread(setting: Setting, cell: Cell, share: float, followed: bool) -> list[Mark]:
    """A gradient on its way to the middle of its window, and spreading evenly over that."""
    layer = setting.layer
    assert layer.gradient is not None
    found, start = _window(setting, cell), box_of_cells(setting.right, layer, cell, cell)
    if found is None or start is None or share < LIFTS or share > 0.98:
        return []
    box, cells = found
    gone, wide = ease(part_of(share, LIFTS, GOES)), ease(part_of(share, LIFTS + GOES, LANDS - LIFTS - GOES))
    x, y = middle(box)
    at = _between(_between(start, (x - start[2] / 2, y - start[3] / 2, start[2], start[3]), gone), box, wide)
    value = float(layer.gradient[cell])
    each = value * float(read_by(setting.trace, layer.name, cell)[1][0])
    shades, palette = parts.entries_of(setting.trace, layer, setting.look, True,
                                       np.array([value + (each - value) * wide]))
    here = Focus(layer.name, cell)
    holds = Flight(here, here, value, gone, True)
    marks: list[Mark] = [Rect(*at, f"{palette}:{int(shades[0])}", "ink", 1.2, opacity=0.9, holds=holds)]
    if followed:
        said = numbers.signed(value, 4) if wide <= 0 or layer.kind == "sum" else tr("{value} ÷ {count}").format(
            value=numbers.signed(value, 4), count=numbers.count(len(cells[0])))
        marks += chip(value, (at[0] + at[2] / 2, at[1] - 13), "gradient-text", said, holds=replace(holds))
    return grouped(Group("errors"), marks)


def _between(one: Box, other: Box, share: float) -> Box:
    x, y, wide, high = (a + (b - a) * share for a, b in zip(one, other, strict=True))
    return x, y, wide, high


# --- words -----------------------------------------------------------------------------------------------------------

def _counted(found: Places, done: int) -> str:
    return tr("place {n} of {count}").format(n=numbers.count(done), count=numbers.count(found.count))


def _said(setting: Setting, found: Places, at: March, done: int, channel: int) -> str:
    layer = setting.layer
    if done <= 0:
        return tr("{source} is ready. {layer} has computed nothing yet.").format(
            source=setting.left[0].layer, layer=layer.name)
    if at.slow or setting.second < CAMERA + sum(SLOW):
        cell = found.cell(done - 1, channel)
        words = tr("{count} numbers are added up: {{{value}}}.") if layer.kind == "sum" else \
            tr("{count} numbers condense to their mean: {{{value}}}.")
        return words.format(
            count=numbers.count(len(read_by(setting.trace, layer.name, cell)[1])),
            value=numbers.number(float(layer.output[cell])))
    words = tr("Each number is a sum: {{{done} of {count}}} done.") if layer.kind == "sum" else \
        tr("Each place is the mean of its window: {{{done} of {count}}} places.")
    return words.format(
        done=numbers.count(done), count=numbers.count(found.count))


def _said_back(setting: Setting, found: Places, at: March, done: int, channel: int) -> str:
    layer, given = setting.layer, setting.written
    assert layer.gradient is not None
    if done <= 0:
        return tr("The gradient stands at {layer}; {source} has {{none}} yet.").format(
            layer=layer.name, source=given.name)
    if at.slow or setting.second < CAMERA + sum(SLOW):
        cell = found.cell(found.count - done, channel)
        words = tr("{{{value}}} goes whole to each of the {count} numbers that were added up.") \
            if layer.kind == "sum" else \
            tr("{{{value}}} spreads evenly: each of {count} numbers gets the same part of it.")
        return words.format(
            value=numbers.signed(float(layer.gradient[cell]), 4),
            count=numbers.count(len(read_by(setting.trace, layer.name, cell)[1])))
    return tr("Each gradient spreads evenly over its window: {{{done} of {count}}} places.").format(
        done=numbers.count(done), count=numbers.count(found.count))


MOTION = Motion("mean", suits, forward, backward, seconds, order=20, hands=hands)
