"""Max-pooling: the window marches, its winner lifts and flies to the small map, what lost fades.

The first of equals wins, as in torch; of a window of zeros nothing lifts. On the way back each gradient goes to the
winner of its window, the others get nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.kinds import pool
from visualizer.language import tr
from visualizer.motions import (
    CAMERA,
    SETTLE,
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
    out,
    part_of,
    passing,
    places,
    smooth,
    stops,
    stops_seconds,
    window,
)
from visualizer.motions._marks import (
    around,
    bands,
    box_of_cells,
    chip,
    middle,
    rings,
    seen_cells,
    taps_of,
    windows_of_channels,
)
from visualizer.scene import numbers, parts
from visualizer.scene.picture import Flight, Focus, Group, Mark, Rect, grouped
from visualizer.trace import Array, Cell, Layer, Trace, remembered

LIFTS, LANDS = 0.30, 0.90
"""Of a slow place: when the winner lifts and when it has landed."""
ARC = 24.0
"""How high it flies, in pixels."""
FAINT = 0.28
"""What is left of the ink of those that lost."""


def suits(layer: Layer) -> bool:
    return kinds.role(layer) == "largest" and layer.axes[:1] == ("channel",) and layer.output.ndim in (2, 3)


def forward(setting: Setting) -> Frame:
    """The window at the place being made, its winner on its way, and what has been left behind so far."""
    layer = setting.layer
    if len(setting.left) != 1 or setting.trace[setting.left[0].layer].name != layer.reads[0]:
        return window.forward(setting)
    found, contest = places(layer), contests(setting.trace, layer.name)
    channel = min(setting.chosen, layer.shape[0] - 1)
    at = march(found.count, setting.second, window.strongest_place(layer, found, channel, layer.output))
    done = at.done + (at.slow and at.share >= LANDS)
    marks = _followed(setting, channel)
    here = at.done if at.slow else at.done - 1
    if 0 <= here < found.count and (at.slow or at.done < found.count):
        faint, rows = opacity_at(at, here, found.shape[-1]), passing(at, here, found.shape[-1])
        if rows is not None and len(found.shape) == 2:
            marks += _band(setting, found, rows, channel)
        else:
            marks += windows_of_channels(setting.trace, setting.left[0], layer.name, seen_cells(
                setting.right, lambda one: found.cell(here, one), channel), faint)
            marks += rings(setting.right, layer, window.all_channels(found, here, setting.right, layer), opacity=faint)
        if at.slow:
            marks += _lifted(setting, contest, found.cell(here, channel), at.share)
    source = setting.left[0].layer
    strength = FAINT + (1 - FAINT) * part_of(setting.second, seconds(setting.trace, layer, "") - SETTLE, SETTLE)
    return Frame(found.covered(done), None, tuple(marks), _said(setting, contest, found, at, done, channel),
                 (done, found.count), tr("place {n} of {count} in every map").format(
                     n=numbers.count(done), count=numbers.count(found.count)),
                 {source: (contest.lost(done), strength)} if done else {})


def backward(setting: Setting) -> Frame:
    """Amber goes to the winners alone, from the last place to the first."""
    layer, given = setting.layer, setting.written
    if layer.gradient is None or given.gradient is None or given.name != layer.reads[0] \
            or not setting.from_one:
        return window.backward(setting)
    found, contest = places(layer), contests(setting.trace, layer.name)
    channel = min(setting.chosen_right, layer.shape[0] - 1)
    order = stops(layer, found, channel)
    at = march(len(order), setting.second)
    done = at.done + (at.slow and at.share >= LANDS)
    marks: list[Mark] = []
    number = at.done if at.slow else at.done - 1
    if 0 <= number < len(order) and (at.slow or at.done < len(order)):
        here = order[number]
        faint = opacity_at(at, number, found.shape[-1], order)
        rows = passing(at, number, found.shape[-1], order)
        if rows is not None and len(found.shape) == 2:
            marks += _band(setting, found, rows, channel)
        else:
            marks += windows_of_channels(setting.trace, setting.left[0], layer.name, seen_cells(
                setting.right, lambda one: found.cell(here, one), channel), faint)
            marks += rings(setting.right, layer, window.all_channels(found, here, setting.right, layer), backward=True,
                           opacity=faint)
        if at.slow:
            marks += _handed(setting, contest, found.cell(here, channel), at.share)
    gone = gone_back(found, order, done)
    values, covered = laid(setting.trace, layer.name, gone), contest.untouched(gone)
    return Frame(covered, values, tuple(marks), _said_back(setting, contest, found, at, gone, channel),
                 (done, len(order)), tr("{n} of {count} places handed back").format(
                     n=numbers.count(gone), count=numbers.count(found.count)))


def seconds(trace: Trace, layer: Layer, back: str) -> float:
    return stops_seconds(layer) if back else march_seconds(places(layer).count, True)


def hands(trace: Trace, layer: Layer, name: str) -> Array | None:
    """Every place, handed back."""
    if layer.gradient is None or layer.reads[0] != name:
        return None
    return laid(trace, layer.name, places(layer).count)


def _band(setting: Setting, found: Places, rows: tuple[int, int], channel: int) -> list[Mark]:
    cells = seen_cells(setting.right, lambda one: found.cell(0, one), channel)
    return bands(setting.trace, setting.left, setting.right, setting.layer, rows, found, [cell[0] for cell in cells],
                 lambda cell: taps_of(setting.trace, setting.layer.name, cell))


# --- who won ---------------------------------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class Contests:
    """All windows of a layer."""

    winner: NDArray[np.int64]
    """In the layer's shape: the cell of its input that won, counted through all of that."""
    won: NDArray[np.int64]
    """In the input's shape: the first place that a number wins; as many as there are places where it wins none."""
    first: NDArray[np.int64]
    """In the input's shape: the first place that reads a number."""
    last: NDArray[np.int64]
    """The last place that does; −1 where none does."""
    count: int
    """Places."""

    def lost(self, done: int) -> NDArray[np.bool_]:
        """What has been read by the first places and won none of them."""
        return (self.first < done) & (self.won >= done)

    def untouched(self, done: int) -> NDArray[np.bool_]:
        """What none of the last places has read."""
        return self.last < self.count - done


@remembered(32)
def contests(trace: Trace, name: str) -> Contests:
    """Who wins where, of all windows of a layer."""
    layer = trace[name]
    inputs = trace.inputs(layer)
    shape, count = inputs[0].shape, places(layer).count
    at = pool.winners(layer, inputs)
    channels = np.arange(layer.shape[0]).reshape(-1, *(1,) * len(at))
    winner = np.ravel_multi_index(np.broadcast_arrays(channels, *at), shape)
    place = np.broadcast_to(np.arange(count).reshape(layer.shape[1:]), layer.shape)
    won = np.full(int(np.prod(shape)), count)
    np.minimum.at(won, winner.ravel(), place.ravel())
    first, last = (np.full(shape[1:], value) for value in (count, -1))
    read = pool.places_read(layer, inputs)
    for index, here in enumerate(np.ndindex(*layer.shape[1:])):
        window_of = np.ix_(*(each[at][(each[at] >= 0) & (each[at] < size)]
                             for each, at, size in zip(read, here, shape[1:], strict=True)))
        first[window_of] = np.minimum(first[window_of], index)
        last[window_of] = np.maximum(last[window_of], index)
    return Contests(winner, won.reshape(shape), np.broadcast_to(first, shape), np.broadcast_to(last, shape), count)


@remembered(2)
def laid(trace: Trace, name: str, done: int) -> Array:
    """The gradient of what a layer reads, when its last places have handed back theirs."""
    layer, contest = trace[name], contests(trace, name)
    assert layer.gradient is not None
    gradient = layer.gradient.reshape(layer.shape[0], -1)[:, contest.count - done:]
    winner = contest.winner.reshape(layer.shape[0], -1)[:, contest.count - done:]
    found = np.zeros(trace.inputs(layer)[0].output.size)
    np.add.at(found, winner.ravel(), gradient.ravel())
    return found.reshape(trace.inputs(layer)[0].shape)


def _winner(setting: Setting, contest: Contests, cell: Cell) -> Cell:
    shape = setting.trace.inputs(setting.layer)[0].shape
    return tuple(int(i) for i in np.unravel_index(int(contest.winner[cell]), shape))


# --- what flies ------------------------------------------------------------------------------------------------------

def _followed(setting: Setting, channel: int) -> list[Mark]:
    box = setting.right.box(channel)
    return around(box) if box is not None and setting.right.style != "units" else []


def _lifted(setting: Setting, contest: Contests, cell: Cell, share: float) -> list[Mark]:
    """The winner of a window on its way, growing to the size of its place; of zeros nothing lifts."""
    layer, left = setting.layer, setting.left[0]
    source, won = setting.trace[left.layer], _winner(setting, contest, cell)
    start, end = box_of_cells(left, source, won, won), box_of_cells(setting.right, layer, cell, cell)
    value = float(layer.output[cell])
    if start is None or end is None or share < LIFTS or share > 0.98:
        return []
    target = Focus(layer.name, cell)
    if value == 0 and not _read(setting, cell).any():
        x, y = middle(end)
        return chip(0.0, (x, y - end[3] / 2 - 12), opacity=part_of(share, LIFTS, 0.2),
                    holds=Flight(target, target, 0.0, 1.0))
    shades, palette = parts.entries(setting.trace, layer, setting.look, False)
    return _flown(setting, start, end, out(part_of(share, LIFTS, LANDS - LIFTS)), f"{palette}:{int(shades[cell])}",
                  Flight(Focus(source.name, won), target, value, 0.0), numbers.number(value), "")


def _handed(setting: Setting, contest: Contests, cell: Cell, share: float) -> list[Mark]:
    """The gradient of a place on its way to the winner of its window."""
    layer, left = setting.layer, setting.left[0]
    assert layer.gradient is not None
    source, won = setting.trace[left.layer], _winner(setting, contest, cell)
    start, end = box_of_cells(setting.right, layer, cell, cell), box_of_cells(left, source, won, won)
    value = float(layer.gradient[cell])
    if start is None or end is None or share < LIFTS or share > 0.98:
        return []
    shades, palette = parts.entries(setting.trace, layer, setting.look, True)
    return _flown(setting, start, end, smooth(part_of(share, LIFTS, LANDS - LIFTS)), f"{palette}:{int(shades[cell])}",
                  Flight(Focus(layer.name, cell), Focus(source.name, won), value, 0.0, True),
                  numbers.signed(value, 4), "gradient-text")


def _flown(setting: Setting, start: tuple[float, ...], end: tuple[float, ...], gone: float, fill: str, flight: Flight,
           words: str, ink: str) -> list[Mark]:
    """A cell on an arc from one place to another, with its number above it."""
    x, y, wide, high = (a + (b - a) * gone for a, b in zip(start, end, strict=True))
    y -= ARC * 4 * gone * (1 - gone)
    holds = replace(flight, share=gone)
    marks: list[Mark] = [Rect(x - 1, y - 1, wide + 2, high + 2, fill, "ink", 1.5, holds=holds)]
    said = chip(flight.value, (x + wide / 2, y - 13), ink, words, holds=holds)
    return grouped(Group("winner"), marks + said)


def _read(setting: Setting, cell: Cell) -> NDArray[np.float64]:
    """The numbers of a window, without its padding."""
    found = [taps.values if taps.inside is None else taps.values[taps.inside]
             for taps in taps_of(setting.trace, setting.layer.name, cell)]
    return np.concatenate(found) if found else np.zeros(0)


# --- words -----------------------------------------------------------------------------------------------------------

def _said(setting: Setting, contest: Contests, found: Places, at: March, done: int, channel: int) -> str:
    layer = setting.layer
    if done <= 0:
        return tr("{source} is ready. {layer} has computed nothing yet.").format(
            source=setting.left[0].layer, layer=layer.name)
    cell = found.cell(done - 1, channel)
    read, value = _read(setting, cell), float(layer.output[cell])
    if at.slow or setting.second < CAMERA + sum(SLOW):
        equal = int((read == value).sum())
        known = {"count": numbers.count(len(read)), "value": numbers.number(value), "channel": channel}
        if not read.any():
            return tr("All {count} are 0 in channel {channel}: nothing lifts, {{0}} is written.").format(**known)
        if equal == len(read) > 1:
            return tr("All {count} are {value}: the first of them, {{{value}}}, lifts and lands.").format(**known)
        if equal > 1:
            return tr("{equal} of {count} are largest: the first of them, {{{value}}}, lifts and lands.").format(
                equal=equal, **known)
        return tr("The largest of {count} lifts and lands: {{{value}}} goes on, {others} stay behind.").format(
            others=numbers.count(len(read) - 1), **known)
    lost = int(contest.lost(done).sum())
    return tr("The window marches: {{{done} of {count}}} places, {lost} values left behind so far.").format(
        done=numbers.count(done), count=numbers.count(found.count), lost=numbers.count(lost))


def _said_back(setting: Setting, contest: Contests, found: Places, at: March, done: int, channel: int) -> str:
    layer, given = setting.layer, setting.written
    assert layer.gradient is not None
    if done <= 0:
        return tr("The gradient stands at {layer}; {source} has {{none}} yet.").format(
            layer=layer.name, source=given.name)
    if at.slow or setting.second < CAMERA + sum(SLOW):
        cell = found.cell(found.count - done, channel)
        return tr("{{{value}}} goes to the winner of its window; the other {others} get nothing.").format(
            value=numbers.signed(float(layer.gradient[cell]), 4), others=numbers.count(len(_read(setting, cell)) - 1))
    alive = int(np.count_nonzero(laid(setting.trace, layer.name, done)))
    return tr("Only winners get any: {{{alive} of {count}}} values of {source} carry gradient so far.").format(
        alive=numbers.count(alive), count=numbers.count(given.output.size), source=given.name)


MOTION = Motion("max pooling", suits, forward, backward, seconds, order=20, hands=hands)
