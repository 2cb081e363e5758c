"""Shares of many lines: at each step, or each pixel, the exponentials of a line rise, are summed, and become shares of
that sum. On the way back each score gets its part from all gradients of its line."""

from __future__ import annotations

import numpy as np

from visualizer import kinds
from visualizer.language import tr
from visualizer.motions import (
    Frame,
    March,
    Places,
    Setting,
    alive_at,
    gone_back,
    march,
    march_seconds,
    part_of,
    smooth,
    window,
)
from visualizer.motions._marks import (
    Box,
    box_of_cells,
    chip,
    handed_back_to,
    middle,
    rings,
    step_named,
    taps_of,
    windows,
)
from visualizer.scene import numbers, parts
from visualizer.scene.picture import Flight, Focus, Group, Mark, Rect, grouped
from visualizer.scene.timeline import ease
from visualizer.trace import Array, Cell, Layer, Trace, remembered

BAR = 36.0
"""Height of the largest bar."""
RISEN, SUMMED, LANDS = 0.40, 0.55, 0.95
"""Of a slow line: until here exponentials rise, stand as they are, are divided by their sum."""
LEAVES, ARRIVES = 0.15, 0.75
"""Of a slow line on the way back: when what it is made of leaves, and when it has come."""
FLYING = 6
"""So many of the terms of a score are seen to fly, the largest."""


def forward(setting: Setting) -> Frame:
    """Line after line: its bars rise, and shrink to shares."""
    layer, found = setting.layer, lines(setting.trace, setting.layer.name)
    if not setting.left or setting.left[0].layer != layer.reads[0]:
        return window.forward(setting)
    at = march(found.count, setting.second, _strongest(layer, found))
    done = at.done + (at.slow and at.share >= LANDS)
    here = min(max(at.done if at.slow else at.done - 1, 0), found.count - 1)
    powers, _ = _powers(setting.trace, layer.name, here)
    cell = _line(layer, found, here)[int(np.argmax(powers))]
    marks: list[Mark] = []
    if at.slow or 0 < at.done < found.count:
        faint = _faint(at)
        marks += windows(setting.trace, setting.left, taps_of(setting.trace, layer.name, cell), Focus(layer.name, cell),
                         opacity=faint)
        marks += rings(setting.right, layer, [cell], opacity=faint)
        if at.slow and not done > at.done:
            marks += _rising(setting, found, here, at.share)
    return Frame(found.covered(done), None, tuple(marks), _said(setting, found, at, done), (done, found.count),
                 _counted(setting.trace, found, done))


def backward(setting: Setting) -> Frame:
    """Line after line that has any gradient, the last first."""
    layer, given = setting.layer, setting.written
    if layer.gradient is None or given.gradient is None or not setting.from_one or not setting.left \
            or given.shape != layer.shape:
        return window.backward(setting)
    found = lines(setting.trace, layer.name)
    order = alive_at(layer, found)
    at = march(len(order), setting.second)
    done = at.done + (at.slow and at.share >= ARRIVES)
    here = at.done if at.slow else at.done - 1
    whole = handed(setting.trace, layer.name)
    marks: list[Mark] = []
    if 0 <= here < len(order) and (at.slow or at.done < len(order)):
        cell = _largest(layer, found, order[here], whole)
        faint = _faint(at)
        marks += windows(setting.trace, (setting.right,), handed_back_to(setting, cell), Focus(given.name, cell),
                         backward=True, opacity=faint)
        marks += rings(setting.left[0], given, [cell], "gradient-mark", backward=True, opacity=faint)
        if at.slow:
            marks += _shared_out(setting, cell, at.share)
    gone = gone_back(found, order, done)
    to_come = ~found.covered(found.count - gone)
    return Frame(to_come, np.where(to_come, 0.0, whole), tuple(marks), _said_back(setting, found, order, done),
                 (done, len(order)), _counted(setting.trace, found, gone))


def seconds(trace: Trace, layer: Layer, back: str) -> float:
    found = lines(trace, layer.name)
    if back:
        return march_seconds(found.count if layer.gradient is None else len(alive_at(layer, found)))
    return march_seconds(found.count, True)


@remembered(32)
def lines(trace: Trace, name: str) -> Places:
    """The places of which each has a line of its own: all axes but that along which shares add up."""
    layer = trace[name]
    read = taps_of(trace, name, (0,) * layer.output.ndim)
    along = [axis for axis in range(layer.output.ndim) if len(read) == 1 and np.ptp(read[0].cells[:, axis])]
    axis = along[0] if len(along) == 1 else layer.output.ndim - 1
    return Places(layer, tuple(one for one in range(layer.output.ndim) if one != axis))


@remembered(4)
def handed(trace: Trace, name: str) -> Array:
    """What shares hand back to their scores, in float64: ∂L/∂zᵢ = pᵢ·(gᵢ − Σ g·p); of their logarithms gᵢ − pᵢ·Σ g."""
    layer = trace[name]
    assert layer.gradient is not None
    gradient, found = layer.gradient.astype(np.float64), lines(trace, name)
    axis = next(one for one in range(layer.output.ndim) if one not in found.axes)
    if not kinds.shares(layer):
        p = np.exp(layer.output.astype(np.float64))
        back: Array = gradient - p * gradient.sum(axis=axis, keepdims=True)
        return back
    p = layer.output.astype(np.float64)
    back = p * (gradient - (gradient * p).sum(axis=axis, keepdims=True))
    return back


# --- one line --------------------------------------------------------------------------------------------------------

def _line(layer: Layer, found: Places, place: int) -> list[Cell]:
    axis = next(one for one in range(layer.output.ndim) if one not in found.axes)
    return [found.cell(place, index) for index in range(layer.shape[axis])]


def _largest(layer: Layer, found: Places, place: int, values: Array) -> Cell:
    return max(_line(layer, found, place), key=lambda cell: abs(np.nan_to_num(values[cell])))


def _strongest(layer: Layer, found: Places) -> int:
    """The place with the largest share."""
    axis = next(one for one in range(layer.output.ndim) if one not in found.axes)
    return int(np.nan_to_num(layer.output).max(axis=axis).argmax())


def _faint(at: March) -> float:
    return 0.5 + 0.5 * part_of(at.share, 0.0, 0.25) if at.slow else 0.6


@remembered(64)
def _powers(trace: Trace, name: str, place: int) -> tuple[tuple[float, ...], float]:
    """e^(z − largest) of every score of a line, and their sum, in float64."""
    layer = trace[name]
    z = np.array([trace.inputs(layer)[0].output[cell] for cell in _line(layer, lines(trace, name), place)], np.float64)
    with np.errstate(all="ignore"):
        powers = np.exp(z - np.max(z))
    return tuple(powers.tolist()), float(powers.sum())


def _rising(setting: Setting, found: Places, place: int, share: float) -> list[Mark]:
    """The bars of a line over its places."""
    powers, total = _powers(setting.trace, setting.layer.name, place)
    rise, divided = smooth(part_of(share, 0.0, RISEN)), smooth(part_of(share, SUMMED, LANDS - SUMMED))
    marks: list[Mark] = []
    cells = _line(setting.layer, found, place)
    for cell, power in zip(cells, powers, strict=True):
        box = box_of_cells(setting.right, setting.layer, cell, cell)
        height = rise * power * (1 + (1 / total - 1) * divided)
        if box is not None and np.isfinite(height):
            marks.append(Rect(*_bar(box, height), "positive-text", "stage", 0.5))
    best = box_of_cells(setting.right, setting.layer, *[cells[int(np.argmax(powers))]] * 2)
    if best is not None and share >= RISEN:
        marks += chip(total, (middle(best)[0], best[1] + best[3] - BAR - 14), "ink", tr("Σ = {sum}").format(
            sum=numbers.number(total)), 0.7)
    return grouped(Group("scores"), marks)


def _bar(box: Box, height: float) -> Box:
    tall = max(1.0, height * BAR)
    return box[0] + box[2] * 0.2, box[1] + box[3] - tall, max(1.0, box[2] * 0.6), tall


def _shared_out(setting: Setting, cell: Cell, share: float) -> list[Mark]:
    """The largest of the terms of one score's gradient on their way to it."""
    gone = ease(part_of(share, LEAVES, ARRIVES - LEAVES))
    end = box_of_cells(setting.left[0], setting.written, cell, cell)
    marks: list[Mark] = []
    if end is None or not 0 < gone < 1:
        return marks
    terms = [(float(product), tuple(map(int, source))) for taps in handed_back_to(setting, cell)
             for source, product in zip(taps.cells.tolist(), taps.products.tolist(), strict=True)]
    for number, (product, source) in enumerate(sorted(terms, key=lambda one: -abs(one[0]))[:FLYING]):
        start = box_of_cells(setting.right, setting.layer, source, source)
        if start is None or not product:
            continue
        x, y, wide, high = (a + (b - a) * gone for a, b in zip(start, end, strict=True))
        shades, palette = parts.entries_of(setting.trace, setting.written, setting.look, True, np.array([product]))
        holds = Flight(Focus(setting.layer.name, source), Focus(setting.written.name, cell), product, gone, True)
        marks.append(Rect(x, y, wide, high, f"{palette}:{int(shades[0])}", "ink", 1.2, holds=holds))
        if not number:
            marks += chip(product, (x + wide / 2, y - 13), "gradient-text", numbers.signed(product, 4), 0.7, holds)
    return grouped(Group("errors"), marks)


# --- words -----------------------------------------------------------------------------------------------------------

def _counted(trace: Trace, found: Places, done: int) -> str:
    words = tr("step {n} of {count}") if len(found.axes) == 1 else tr("place {n} of {count}")
    return words.format(n=numbers.count(done), count=numbers.count(found.count))


def _named(setting: Setting, found: Places, place: int) -> str:
    return step_named(setting.trace, tuple(map(int, np.unravel_index(place, found.shape))), found.shape)


def _said(setting: Setting, found: Places, at: March, done: int) -> str:
    layer = setting.layer
    if done <= 0 and at.share < RISEN:
        return tr("{source} is ready. {layer} has computed nothing yet.").format(source=layer.reads[0],
                                                                                layer=layer.name)
    here = at.done if at.slow and done == at.done else max(0, done - 1)
    known = {"place": _named(setting, found, here), "done": numbers.count(done), "count": numbers.count(found.count)}
    if at.slow and done == at.done:
        total = _powers(setting.trace, layer.name, here)[1]
        return tr("At place {place} every score is put into e^(z − largest); together they are {{{sum}}}.").format(
            sum=numbers.number(total), **known)
    cell = max(_line(layer, found, here), key=lambda one: float(np.nan_to_num(layer.output[one], nan=-np.inf)))
    axis = next(one for one in range(layer.output.ndim) if one not in found.axes)
    known["most"] = step_named(setting.trace, (cell[axis],), (layer.shape[axis],)) \
        if layer.axes[axis] == "step" else str(cell[axis])
    if not kinds.shares(layer):
        return tr("The scores of place {place} become logarithms of shares, the largest is {{{share}}}, that of "
                  "{most}; {done} of {count} done.").format(share=numbers.number(float(layer.output[cell])), **known)
    return tr("The scores of place {place} become shares of 1, most for {most}: {{{share}}}; {done} of {count} done."
              ).format(share=numbers.percent(float(layer.output[cell]), 0), **known)


def _said_back(setting: Setting, found: Places, order: tuple[int, ...], done: int) -> str:
    layer, given = setting.layer.name, setting.written.name
    if done <= 0:
        return tr("The gradient stands at {layer}; {source} has none yet.").format(layer=layer, source=given)
    return tr("Raising one score raises its share and lowers all others of its place: {source} has its part at "
              "{{{done} of {count}}} places, now {place}.").format(
        source=given, done=numbers.count(done), count=numbers.count(len(order)),
        place=_named(setting, found, order[done - 1]))
