"""Looking up a table: the row of each symbol lights and slides to its step.

Only the rows that are read are drawn, each named by its symbol. On the way back the gradient of each step slides into
the row of its symbol; where a symbol was read twice, both add up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from visualizer import kinds
from visualizer.language import tr
from visualizer.motions import CAMERA, SLOW, Frame, Motion, Places, Setting, alive_at, gone_back, window
from visualizer.motions._marks import Box, box_of_cells, frame, straight
from visualizer.motions._travel import landed, seconds_of, share_of
from visualizer.scene import colour, numbers, parts
from visualizer.scene.columns import symbols
from visualizer.scene.picture import Flight, Focus, Group, Image, Mark, Rect, Text, grouped, plain
from visualizer.scene.type import width
from visualizer.trace import Array, Layer, Trace, remembered

WIDEST, LEAST = 120.0, 30.0
"""Width of the rows of the table."""
TALLEST, NAMED = 20.0, 13.0
"""Height of a row at most, and from which on its symbol stands beside it."""


def suits(layer: Layer) -> bool:
    return kinds.role(layer) == "table" and layer.output.ndim == 2 and "weight" in layer.weights


def forward(setting: Setting) -> Frame:
    """Row after row goes from the table to its step."""
    layer, table = setting.layer, _table(setting)
    count = len(layer.output)
    done = landed(count, setting.second)
    covered = np.broadcast_to((np.arange(count) >= done)[:, None], layer.shape)
    counted = tr("step {n} of {count}").format(n=numbers.count(done), count=numbers.count(count))
    if table is None:
        return Frame(covered, None, (), window.said(setting, done, count), (done, count), counted)
    top = parts.layer_scale(setting.trace, layer, setting.look)
    marks = _drawn(setting, table, np.asarray(layer.weights["weight"])[list(table.rows)])
    if setting.second >= CAMERA:
        for step in range(done, count):
            share = share_of(step, count, setting.second)
            if share <= 0:
                continue
            start, end = table.box(int(table.tokens[step])), _step(setting, step)
            if end is None:
                continue
            values = layer.weights["weight"][int(table.tokens[step])]
            unit = int(np.argmax(np.abs(values)))
            marks.append(_row(start, end, share, colour.signed(values, top), "activation", Flight(
                Focus(layer.name, (int(table.tokens[step]),), "weight"), Focus(layer.name, (step, unit)),
                float(values[unit]), share)))
    marks += _lit(setting, table, done, count, "accent")
    return Frame(covered, None, tuple(grouped(Group("on the way"), marks)), _said(setting, table, done, count),
                 (done, count), counted)


def backward(setting: Setting) -> Frame:
    """The gradient of step after step, the last first, goes back into the row of its symbol."""
    layer, table = setting.layer, _table(setting)
    steps, order = len(layer.output), _order(layer)
    count = len(order)
    done = landed(count, setting.second)
    gone = gone_back(Places(layer, (0,)), order, done)
    there = (np.arange(steps) < steps - gone).reshape(-1, *(1,) * (setting.written.output.ndim - 1))
    covered = np.broadcast_to(there, setting.written.shape)
    counted = tr("step {n} of {count}").format(n=numbers.count(done), count=numbers.count(count))
    if table is None or layer.gradient is None:
        return Frame(covered, None, (), window.said(setting, done, count), (done, count), counted)
    top = parts.largest_gradient(setting.trace)
    marks = _drawn(setting, table, _sum_so_far(setting.trace, layer.name, gone)[list(table.rows)], top)
    if setting.second >= CAMERA:
        for parcel in range(done, count):
            step, share = order[parcel], share_of(parcel, count, setting.second)
            start, end = _step(setting, step), table.box(int(table.tokens[step]))
            if share <= 0 or start is None:
                continue
            values = layer.gradient[step]
            unit = int(np.argmax(np.abs(values)))
            marks.append(_row(start, end, share, colour.magnitude(values, top * parts.FLOOR, top), "gradient", Flight(
                Focus(layer.name, (step, unit)), Focus(layer.name, (int(table.tokens[step]), unit), "weight"),
                float(values[unit]), share, True)))
    marks += _lit(setting, table, done, count, "gradient-mark")
    return Frame(covered, None, tuple(grouped(Group("on the way"), marks)), _said_back(setting, table, done, count),
                 (done, count), counted)


def seconds(trace: Trace, layer: Layer, back: str) -> float:
    return seconds_of(len(_order(layer)) if back else len(layer.output))


def _order(layer: Layer) -> tuple[int, ...]:
    """The steps whose rows get anything, the last first: exact zeros cost no time."""
    return tuple(range(len(layer.output)))[::-1] if layer.gradient is None else alive_at(layer, Places(layer, (0,)))


# --- the table --------------------------------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class _Table:
    """The rows that are read, and where they stand."""

    tokens: Array
    """(step,): which row each step reads."""
    rows: tuple[int, ...]
    """Those that are read, in the order of the table."""
    names: tuple[str, ...]
    """What each stands for."""
    x: float
    y: float
    wide: float
    high: float
    pitch: float

    def box(self, row: int) -> Box:
        return self.x, self.y + self.rows.index(row) * self.pitch, self.wide, self.high


def _table(setting: Setting) -> _Table | None:
    """In the gap between the symbols and their steps; None where there is no room."""
    layer, left, right = setting.layer, setting.column(setting.layer.reads[0]), setting.right
    source = setting.trace[layer.reads[0]]
    if left is None or left.style == "hidden" or source.output.ndim != 1 or right.style != "maps":
        return None
    tokens = source.output.astype(np.int64)
    rows = tuple(int(row) for row in np.unique(tokens))
    words = symbols(setting.trace, source)
    names = tuple(words[int(np.flatnonzero(tokens == row)[0])] if words else str(row) for row in rows)
    room = setting.plan.bottom - setting.plan.top
    pitch = min(TALLEST + 6, room / len(rows))
    high = max(1.0, pitch - (4 if pitch > 10 else 1 if pitch > 3 else 0))
    label = max(width(name, 12, 500) for name in names) + 8 if high >= NAMED else 0.0
    gap = right.x - left.x - left.width
    wide = min(WIDEST, gap - label - 44)
    if wide < LEAST:
        return None
    x = left.x + left.width + label + (gap - label - wide) * 0.45
    y = setting.plan.top + (room - pitch * len(rows)) / 2
    return _Table(tokens, rows, names, float(round(x)), float(round(y)), wide, high, pitch)


def _drawn(setting: Setting, table: _Table, values: Array, gradient_top: float | None = None) -> list[Mark]:
    """The rows, each named."""
    layer = setting.layer
    if gradient_top is None:
        shades, palette = colour.signed(values, colour.largest(values) or 1.0), "weight"
    else:
        shades, palette = colour.magnitude(values, gradient_top * parts.FLOOR, gradient_top), "gradient"
    cell = table.wide / values.shape[1], table.high
    marks: list[Mark] = [Image(table.x, table.y, cell, shades[:, None, :], palette, 1, (table.wide, table.pitch),
                               border="rule")]
    for row, name in zip(table.rows, table.names, strict=True):
        x, y, wide, high = table.box(row)
        marks.append(Rect(x, y, wide, high, focus=Focus(layer.name, (row,), "weight"),
                          tip=tr("row {row} of the table, “{symbol}”").format(row=row, symbol=name)))
        if high >= NAMED:
            marks.append(Text(x - 8, y + high / 2 + 4.5, plain(name), 12, 500, "ink-2", "end"))
    return marks


def _step(setting: Setting, step: int) -> Box | None:
    layer = setting.layer
    return box_of_cells(setting.right, layer, (step, 0), (step, layer.shape[1] - 1))


def _row(start: Box, end: Box, share: float, shades: Array, palette: str, flight: Flight) -> Image:
    x, y, wide, high = (a + (b - a) * share for a, b in zip(start, end, strict=True))
    return Image(x, y, (wide / len(shades), high), shades[None, None, :], palette, border="rule", holds=flight)


def _lit(setting: Setting, table: _Table, done: int, count: int, ink: str) -> list[Mark]:
    """While steps are slow: a line from the symbol to its row, and a frame around that."""
    if setting.second < CAMERA or done >= min(count, len(SLOW)):
        return []
    step = _order(setting.layer)[done] if setting.backward else done
    left = setting.column(setting.layer.reads[0])
    box = table.box(int(table.tokens[step]))
    faint = 0.5 + min(0.5, share_of(done, count, setting.second) * 4)
    marks = frame(box, ink, None, 2, None, faint)
    symbol = None if left is None else left.box(step)
    if symbol is not None and left is not None and not setting.backward:
        label = width(table.names[table.rows.index(int(table.tokens[step]))], 12, 500) + 12 \
            if table.high >= NAMED else 4.0
        marks.append(straight((left.x + left.width + 2, symbol[1] + symbol[3] / 2),
                              (box[0] - label, box[1] + box[3] / 2), ink, 1.2, faint))
        marks += frame(symbol, ink, None, 1.5, None, faint)
    return marks


@remembered(4)
def _sum_so_far(trace: Trace, name: str, done: int) -> Array:
    """∂L/∂W over the steps that have come back, the last first."""
    layer = trace[name]
    assert layer.gradient is not None
    tokens = trace.inputs(layer)[0].output.astype(np.int64)
    found = np.zeros(layer.weights["weight"].shape)
    first = len(tokens) - done
    np.add.at(found, tokens[first:], layer.gradient[first:])
    return found


# --- words ------------------------------------------------------------------------------------------------------------

def _said(setting: Setting, table: _Table, done: int, count: int) -> str:
    layer = setting.layer
    known = {"layer": layer.name, "rows": numbers.count(len(layer.weights["weight"])), "done": numbers.count(done),
             "count": numbers.count(count)}
    if done <= 0:
        return tr("{layer} is a table of {rows} rows, one for each symbol; no row has been looked up yet.").format(
            **known)
    row = int(table.tokens[done - 1])
    return tr("“{symbol}” is row {row} of the table; its numbers stand at step {{{done} of {count}}}.").format(
        symbol=table.names[table.rows.index(row)], row=row, **known)


def _said_back(setting: Setting, table: _Table, done: int, count: int) -> str:
    layer = setting.layer
    if done <= 0:
        return tr("The gradient stands at {layer}; no row of the table has any yet.").format(layer=layer.name)
    order = _order(layer)[:done]
    row = int(table.tokens[order[-1]])
    times = int((table.tokens[list(order)] == row).sum())
    known = {"symbol": table.names[table.rows.index(row)], "done": numbers.count(done), "count": numbers.count(count)}
    if times > 1:
        return tr("Step by step the gradient slides back into its row, {{{done} of {count}}}: “{symbol}” has got "
                  "{times} shares, which add up.").format(times=numbers.count(times), **known)
    return tr("Step by step the gradient slides back into its row, {{{done} of {count}}}: now “{symbol}”.").format(
        **known)


MOTION = Motion("embedding", suits, forward, backward, seconds, order=20)
