"""Functions of one number, and dropout: the maps slide over, then a front passes and each number becomes another.

What a ReLU stops drains to white, and what it keeps is counted. On the way back what has slope 0 closes, the rest
passes times its slope.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.kinds import pointwise
from visualizer.language import tr, translated
from visualizer.motions import CAMERA, SETTLE, Frame, Motion, Setting, part_of, smooth, window
from visualizer.motions._marks import OVER, Box, areas, around, between, edges, side_by_side, sliding, tile_of
from visualizer.scene import numbers, parts
from visualizer.scene.columns import Column
from visualizer.scene.picture import Group, Image, Line, Mark, Path, Rect, Text, grouped, plain
from visualizer.trace import Array, Layer, Trace, remembered

SLIDE, FRONT = 0.45, 1.1
"""Seconds in which the maps slide over, and in which the front passes."""
MOST_DRAINING = 200
"""Numbers that drain one by one, each on its own; more of them fade together."""
LARGE_ENOUGH = 26.0
"""A tile under which a number stands."""


def suits(layer: Layer) -> bool:
    return kinds.role(layer) in ("curve", "dropout") and bool(layer.reads) and layer.output.ndim > 0


def forward(setting: Setting) -> Frame:
    """Copies on their way; then what the front has passed is final, and the rest is still what slid over."""
    layer = setting.layer
    if not side_by_side(setting):
        return window.forward(setting)
    (left,), right = setting.left, setting.right
    source = setting.trace[left.layer]
    slid, at = smooth(part_of(setting.second, CAMERA, SLIDE)), _front(setting)
    lines = _lines(layer, right)
    covered = lines.of_cell >= at.whole
    own_scale = kinds.switches(layer) or kinds.role(layer) == "dropout"
    marks: list[Mark] = []
    if setting.second >= CAMERA and at.done < 1:
        onto = between(left, right, slid)
        copies = parts.tiles(setting.trace, onto, setting.look, False, covered=~covered, values=source.output) \
            if own_scale else parts.tiles(setting.trace, replace(onto, layer=left.layer), setting.look, False,
                                          covered=~covered)
        marks += [*sliding(setting, copies, slid), *(edges(onto) if slid < 1 else [])]
        if slid == 1:
            marks += _turning(setting, lines, at)
    if slid == 1:
        marks += [*_front_line(right, lines, at, "accent"), *_counts(setting, lines, at)]
    followed = right.box(setting.chosen)
    marks += around(followed) if followed is not None and right.style != "units" else []
    return Frame(covered, None, tuple(marks), _said(setting, at, slid), (at.whole, lines.count), _counted(at, lines))


def backward(setting: Setting) -> Frame:
    """The gradient slides back as it is; then gates close where the slope is 0, and what passes takes its slope."""
    layer, given = setting.layer, setting.written
    if not side_by_side(setting) or layer.gradient is None or given.gradient is None \
            or not setting.from_one:
        return window.backward(setting)
    (left,), right = setting.left, setting.right
    slid, at = smooth(part_of(setting.second, CAMERA, SLIDE)), _front(setting)
    lines = _lines(given, left)
    passed = lines.of_cell >= lines.count - at.whole
    marks: list[Mark] = []
    if setting.second >= CAMERA:
        onto = between(right, left, slid)
        if at.done < 1:
            copies = parts.tiles(setting.trace, onto, setting.look, True, covered=passed, values=layer.gradient)
            copies = sliding(setting, copies, slid)
            marks += parts.faded(copies, OVER) if setting.later else copies
            marks += edges(onto) if slid < 1 else []
        closed = passed & (slopes(setting.trace, layer.name, given.name) == 0)
        if closed.any() and not setting.later:  # what came before still stands there
            hatched = parts.as_tiles(closed, left, given)
            marks.append(Image(left.x, left.top, left.cell, np.zeros(hatched.shape, np.uint8), "gradient",
                               left.sub_columns, left.pitch, "", hatched=hatched, covered=~hatched, opacity=0.7))
    if slid == 1:
        marks += _front_line(left, lines, replace(at, reversed=True), "gradient-mark")
    return Frame(~passed, None, tuple(marks), _said_back(setting, passed, slid), (at.whole, lines.count),
                 _counted(at, lines))


def seconds(trace: Trace, layer: Layer, back: str) -> float:
    return CAMERA + SLIDE + FRONT + SETTLE


def hands(trace: Trace, layer: Layer, name: str) -> Array | None:
    """The gradient times the slope at every number."""
    known = layer.gradient is not None and layer.reads[0] == name
    return layer.gradient * slopes(trace, layer.name, name) if known else None


# --- the front -------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class _Lines:
    """The lines that a front passes one after the other: the columns of maps, the rows of units."""

    of_cell: NDArray[np.int64]
    """In the layer's shape: in which line a number stands."""
    count: int
    across: bool
    """Whether the front goes from left to right, else downwards."""


@dataclass(frozen=True)
class _Front:
    """Where the front is."""

    whole: int
    """Lines that it has passed."""
    begun: float
    """How much of the next one."""
    done: float
    """0 … 1."""
    reversed: bool = False


def _lines(layer: Layer, column: Column) -> _Lines:
    shape = layer.shape
    if len(shape) > 1:
        return _Lines(np.broadcast_to(np.arange(shape[-1]), shape), shape[-1], True)
    places = np.zeros(shape, np.int64)
    places[list(column.shown)] = np.arange(len(column.shown)) // column.sub_columns
    return _Lines(places, int(places.max()) + 1, False)


def _front(setting: Setting) -> _Front:
    layer = setting.written
    column = setting.right if not setting.backward else setting.left[0]
    count = _lines(layer, column).count
    done = smooth(part_of(setting.second, CAMERA + SLIDE, FRONT))
    whole = min(count, int(done * count + 1e-9))
    return _Front(whole, done * count - whole, done)


def _front_line(column: Column, lines: _Lines, at: _Front, ink: str) -> list[Mark]:
    if not 0 < at.done < 1:
        return []
    share = 1 - at.done if at.reversed else at.done
    marks: list[Mark] = []
    for x, y, wide, high in areas(column):
        if lines.across:
            marks.append(Line(((x + wide * share, y - 3), (x + wide * share, y + high + 3)), ink, 2))
        else:
            marks.append(Line(((x - 3, y + high * share), (x + wide + 3, y + high * share)), ink, 2))
    return grouped(Group("front"), marks)


def _turning(setting: Setting, lines: _Lines, at: _Front) -> list[Mark]:
    """The line that the front stands in: what a ReLU stops drains from the middle, all else goes over into its new
    value."""
    layer, right = setting.layer, setting.right
    here = lines.of_cell == at.whole
    if not here.any() or at.begun <= 0:
        return []
    if not kinds.switches(layer) or right.factor > 1 or int(here.sum()) > MOST_DRAINING:
        return parts.faded(parts.tiles(setting.trace, right, setting.look, False, covered=~here), at.begun)
    stopped = here & (layer.output == 0)
    found = []
    for cell in np.argwhere(stopped):
        box = _cell_box(right, layer, tuple(map(int, cell)))
        if box is not None:
            x, y, wide, high = box
            drained = (x, y + high / 2 * (1 - at.begun), wide, high * at.begun)
            found.append(parts.polygon(_corners(drained)))
    return [Path(tuple(found), fill="activation:128", opacity=0.7)] if found else []


def _corners(box: Box) -> list[tuple[float, float]]:
    x, y, wide, high = box
    return [(x, y), (x + wide, y), (x + wide, y + high), (x, y + high)]


def _cell_box(column: Column, layer: Layer, cell: tuple[int, ...]) -> Box | None:
    if layer.output.ndim == 1:
        return column.box(cell[0])
    found = column.box(column.shown[0]) if layer.output.ndim == 2 else tile_of(column, layer, cell)
    return None if found is None else (found[0] + cell[-1] * column.cell[0], found[1] + cell[-2] * column.cell[1],
                                       *column.cell)


# --- what is counted -------------------------------------------------------------------------------------------------

@remembered(16)
def _kept(layer: Layer, across: bool) -> NDArray[np.int64]:
    """(channel, lines passed): how many numbers are not 0."""
    alive = (layer.output != 0).reshape(layer.shape[0], -1, layer.shape[-1]).sum(axis=1)
    return np.concatenate([np.zeros((len(alive), 1), np.int64), np.cumsum(alive, axis=1)], axis=1)


def _counts(setting: Setting, lines: _Lines, at: _Front) -> list[Mark]:
    """Under each map how many of its numbers are kept so far, and their share as a bar."""
    layer, right = setting.layer, setting.right
    if not (kinds.switches(layer) or kinds.role(layer) == "dropout") or layer.output.ndim != 3 \
            or right.tile[0] < LARGE_ENOUGH or right.pitch[1] - right.tile[1] < 18:
        return []
    kept, size = _kept(layer, True)[:, at.whole], layer.output[0].size
    marks: list[Mark] = []
    for channel in right.shown:
        box = right.box(channel)
        assert box is not None
        x, y, wide, high = box
        marks.append(Text(x, y + high + 14, plain(numbers.count(int(kept[channel]))), 11, 400, "ink-2"))
        track = min(30.0, wide - 26)
        if track >= 12:
            marks.append(Rect(x + 26, y + high + 8, track, 4, "sunk", radius=2))
            if kept[channel]:
                marks.append(Rect(x + 26, y + high + 8, track * int(kept[channel]) / size, 4, "ink-2", radius=2))
    return grouped(Group("kept"), marks)


def _counted(at: _Front, lines: _Lines) -> str:
    words = tr("front at column {n} of {count}") if lines.across else tr("front at row {n} of {count}")
    return words.format(n=numbers.count(at.whole), count=numbers.count(lines.count))


# --- slopes ----------------------------------------------------------------------------------------------------------

@cache
def _functions() -> dict[str, pointwise.Function]:
    return {function.name: function for function in pointwise.FUNCTIONS}


@remembered(64)
def slopes(trace: Trace, name: str, source: str) -> Array:
    """dy/dx at every number that a layer read, in float64."""
    layer = trace[name]
    x = trace[source].output.astype(np.float64)
    function = _functions().get(layer.kind)
    if function is not None:
        if kinds.switches(layer):
            return (x > 0).astype(np.float64)
        with np.errstate(all="ignore"):
            found: Array = np.vectorize(lambda one: function.slope(float(one), layer.settings), [np.float64])(x)
        return found
    if kinds.role(layer) == "dropout":
        with np.errstate(all="ignore"):
            return np.where(x != 0, layer.output / np.where(x != 0, x, 1), 1.0)
    weight = layer.weights["weight"].astype(np.float64).ravel()
    below = weight.reshape(-1, *(1,) * (x.ndim - 1)) if weight.size > 1 else weight[0]
    return np.where(x > 0, 1.0, below)


# --- words -----------------------------------------------------------------------------------------------------------

def _said(setting: Setting, at: _Front, slid: float) -> str:
    layer, source = setting.layer, setting.trace[setting.left[0].layer]
    if slid < 1 or at.whole == 0:
        return tr("{source} slides over as it is; {layer} has changed {{nothing}} yet.").format(
            source=source.name, layer=layer.name)
    lines = _lines(layer, setting.right)
    passed = lines.of_cell < at.whole
    own, count = layer.output[passed], int(passed.sum())
    kept = int(np.count_nonzero(own))
    known = {"kept": numbers.count(kept), "count": numbers.count(count), "layer": layer.name}
    if kinds.switches(layer):
        return tr("A front passes: what is below zero drains to white. Kept so far: {{{kept} of {count}}} "
                  "values.").format(**known)
    if kinds.role(layer) == "dropout":
        return tr("A front passes: {layer} has let {{{kept} of {count}}} values through so far.").format(**known)
    kind = kinds.of(layer)
    title = layer.kind if kind is None else translated(kind.title)
    flat = kinds.flat(layer).get("")
    if flat is not None:
        return tr("{title} bends each number: of {count} so far {{{flat}}} are {rule}.").format(
            title=title, flat=numbers.count(int(flat.holds(own).sum())), rule=translated(flat.rule), **known)
    cell = _chosen_cell(setting, passed)
    return tr("{title} bends each number: {count} done so far, {before} became {{{after}}}.").format(
        title=title, before=numbers.number(float(source.output[cell])),
        after=numbers.number(float(layer.output[cell])), **known)


def _chosen_cell(setting: Setting, passed: NDArray[np.bool_]) -> tuple[int, ...]:
    """The strongest number of the chosen channel that the front has passed."""
    layer = setting.layer
    own = np.where(passed, np.abs(np.nan_to_num(layer.output)), -1.0)
    if layer.output.ndim > 1:
        chosen = np.full(layer.shape[0], True)
        chosen[min(setting.chosen, layer.shape[0] - 1)] = False
        own = np.where(chosen.reshape(-1, *(1,) * (layer.output.ndim - 1)), -1.0, own)
    return tuple(int(i) for i in np.unravel_index(int(own.argmax()), layer.shape))


def _said_back(setting: Setting, passed: NDArray[np.bool_], slid: float) -> str:
    layer, given = setting.layer, setting.written
    assert layer.gradient is not None
    if slid < 1 or not passed.any():
        return tr("The gradient of {layer} comes back as it is; {source} has {{none}} yet.").format(
            layer=layer.name, source=given.name)
    found = slopes(setting.trace, layer.name, given.name)[passed]
    closed, count = int((found == 0).sum()), numbers.count(found.size)
    if closed:
        return tr("Where the slope is 0 the gate closes: {{{closed} of {count}}} so far; the rest passes times its "
                  "slope.").format(closed=numbers.count(closed), count=count)
    return tr("Each gradient passes times its slope: of {count} so far the mean slope is {{{mean}}}.").format(
        count=count, mean=numbers.number(float(np.nanmean(found))))


MOTION = Motion("curve", suits, forward, backward, seconds, order=20, hands=hands)
