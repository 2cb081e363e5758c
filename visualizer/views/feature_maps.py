"""Feature maps: every channel of one layer, as large as the picture allows, forwards and backwards."""

from __future__ import annotations

import numpy as np

from visualizer import kinds
from visualizer.language import english, tr, translated
from visualizer.said import lengths, said
from visualizer.scene import absence, numbers, parts
from visualizer.scene.boxes import descending, whole
from visualizer.scene.channels import AUTO, CHANGE, FIRST, ORDERS, UNEDITED, by_change, order_for, ranked, share_said
from visualizer.scene.columns import Column, lanes_height
from visualizer.scene.labels import fitting
from visualizer.scene.lanes import lanes
from visualizer.scene.picture import (
    TITLE,
    Focus,
    Group,
    Look,
    Mark,
    Picture,
    Rect,
    Table,
    Text,
    grouped,
    plain,
    unmarked,
)
from visualizer.scene.telling import weighed
from visualizer.scene.timeline import Moment, timeline
from visualizer.size import norm
from visualizer.trace import Cell, Layer, Trace, remembered
from visualizer.views import PARTS, View

TOP = 116.0
LABEL = 16.0
"""Height of the line under each tile."""
LARGEST_UNIT, SAYS_ITS_NUMBER = 64.0, 48.0
"""Side of the cell of a unit, at most; and from which on its number stands below it."""
LARGEST_CELL = 32.0
"""Width and height of one value of a sequence, at most."""


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """The layer of the beat, its channels in a grid; one layer fades into the next."""
    layer = trace[moment.beat.layer]
    times = timeline(trace)
    sentence = _sentence(trace, layer, moment)
    before, share = parts.crossing(moment, times)
    body = parts.crossed(_body(trace, before, focus, look), _body(trace, moment, focus, look), share)
    lane_still, lane_moving = lanes(trace, moment, look)
    still = (*parts.sentence(look, sentence), *lane_still)
    settled = share == 1
    return Picture(look.size, (*still, *body) if settled else still,
                   tuple(lane_moving) if settled else (*body, *lane_moving), look.theme, caption=unmarked(sentence),
                   table=_table(layer, moment.backward))


def _body(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> list[Mark]:
    return list(_body_of(trace, moment.beat.layer, moment.backward, focus, look))


@remembered(4)
def _body_of(trace: Trace, name: str, backward: bool, focus: Focus | None, look: Look) -> list[Mark]:
    """All of it hangs on the layer and the direction: it is the same while a beat runs."""
    layer = trace[name]
    column = _grid(trace, layer, look)
    if column is not None:
        return _grid_marks(trace, layer, column, backward, focus, look)
    words = tr("{layer} is one number: {output}").format(
        layer=layer.name, output=said(numbers.number(float(layer.output), 4), "value", layer.name))
    return [Text(24, TOP, plain(words), 14, 500, group=Group(layer.name, Focus(layer.name)))]


def _grid(trace: Trace, layer: Layer, look: Look) -> Column | None:
    """The grid with the largest whole number of pixels a value that still fits; None for a single number."""
    if layer.output.ndim == 0:
        return None
    box = parts.body(look, TOP).inset(0, 0, 0, 56)
    left, top, room = box.left, box.top, (box.width, box.height)
    if layer.output.ndim == 2:
        return _rows(layer, left, top, room, look)
    maps = layer.output.ndim >= 2
    count = int(np.prod(layer.shape[:-2])) if layer.output.ndim > 3 else layer.shape[0]
    rows, wide = layer.shape[-2:] if maps else (1, 1)
    most = LARGEST_UNIT if not maps else min(room) / max(rows, wide)
    for pixel in descending(most, look.pixel):
        label = LABEL if pixel * rows >= (24 if maps else SAYS_ITS_NUMBER) else 0
        gap = 10 if pixel * wide >= 24 else 3 if pixel * wide >= 8 else 2
        pitch = (wide * pixel + gap, rows * pixel + label + gap)
        across = max(1, int((room[0] + gap) // pitch[0]))
        down = -(-count // across)
        if down * pitch[1] - gap <= room[1]:
            break
    tile = (wide * pixel, rows * pixel)
    visible = max(1, int((room[1] + gap) // pitch[1])) * across
    by = order_for(layer, look.knob("ranking", AUTO), visible) if layer.output.ndim == 3 else FIRST
    if by == CHANGE and not by_change(trace, layer):
        by = order_for(layer, AUTO, visible)
    shown = (by_change(trace, layer) if by == CHANGE else ranked(layer, by)) if layer.output.ndim == 3 else \
        tuple(range(count))
    columns = min(across, count)
    if maps and columns == across > 1:  # spread over the width
        pitch = (whole(min(pitch[0] * 1.3, (room[0] - wide * pixel) / (columns - 1)), look.pixel), pitch[1])
    return Column(layer.name, "maps" if maps else "units", left, top, columns * pitch[0] - gap,
                  (pixel, pixel), tile, pitch, columns, shown[:visible], len(shown),
                  ranking=by)


def _rows(layer: Layer, left: float, top: float, room: tuple[float, float], look: Look) -> Column:
    """A row a step, a column a unit: cells as wide and as high as there is room."""
    (steps, units) = layer.shape
    factor = max(1, -(-units // int(room[0] / look.pixel)), -(-steps // int((room[1] - LABEL) / look.pixel)))
    steps, units = -(-steps // factor), -(-units // factor)
    cell = (max(look.pixel, whole(min(LARGEST_CELL, room[0] / units), look.pixel)),
            max(look.pixel, whole(min(LARGEST_CELL, (room[1] - LABEL) / steps), look.pixel)))
    tile = (cell[0] * units, cell[1] * steps)
    return Column(layer.name, "maps", left, top, tile[0], cell, tile, (tile[0], tile[1] + LABEL), 1, (0,), 1,
                  factor)


def _grid_marks(trace: Trace, layer: Layer, column: Column, backward: bool, focus: Focus | None,
                look: Look) -> list[Mark]:
    shape = lengths(layer)
    if layer.output.ndim == 2:
        words = tr("{shape}: a row for each {row}, a column for each {column}; the largest of each "
                   "{factor} × {factor}") if column.factor > 1 else \
            tr("{shape}: a row for each {row}, a column for each {column}")
        shape = words.format(shape=shape, row=translated(layer.axes[0]), column=translated(layer.axes[1]),
                             factor=column.factor)
    tiles = Group(layer.name, Focus(layer.name), each=layer.axes[0])
    marks = [*parts.title(look, layer.name, shape),
             *grouped(tiles, parts.tiles(trace, column, look, backward))]
    if look.signs or (column.style == "units" and min(column.cell) >= 12):
        marks += parts.glyphs(trace, column, look, backward)
    if column.pitch[1] - column.tile[1] >= LABEL:
        for index in column.shown:
            box = column.box(index)
            assert box is not None
            own = layer.output if layer.output.ndim == 2 else parts.maps_of(layer.output)[index]
            if layer.output.ndim == 1:
                words = _number(layer, index, backward, column.pitch[0] - 10)
            elif backward:
                value = "–" if layer.gradient is None else said(numbers.significant(norm(
                    parts.maps_of(layer.gradient)[index] if layer.output.ndim > 2 else layer.gradient), 2),
                    "norm of gradient", layer.name, _cell_of(layer, index))
                words = tr("norm {value}").format(value=value)
            else:
                words = tr("max {value}").format(value=said(numbers.number(float(np.max(own))), "largest", layer.name,
                                                           _cell_of(layer, index)))
            words = words if layer.output.ndim < 3 else f"{_map_said(layer, index)}   {words}"
            marks.append(Text(box[0], box[1] + box[3] + 13, plain(words), 11, 400, "ink-2",
                              max_width=max(column.pitch[0] - 4, 96 if layer.output.ndim == 2 else 0),
                              group=tiles if layer.output.ndim == 2 else tiles.of(index)))
    if focus is not None and focus.layer == layer.name and focus.cell:
        index = focus.cell[0]
        if layer.output.ndim > 3:
            leading = (*focus.cell[:layer.output.ndim - 2], *(0,) * layer.output.ndim)[:layer.output.ndim - 2]
            index = int(np.ravel_multi_index(leading, layer.shape[:-2]))
        box = column.box(index)
        if box is not None:
            x, y, wide, high = box
            marks.append(Rect(x - 4, y - 4, wide + 8, high + 8, "", "accent", 3, inside=True, radius=4,
                              group=tiles.of(index)))
            if len(focus.cell) == layer.output.ndim >= 2:
                row, place = focus.cell[-2:]
                marks.append(Rect(x + place * column.cell[0] - 1, y + row * column.cell[1] - 1, column.cell[0] + 2,
                                  column.cell[1] + 2, "", "ink", 1.5))
    y = look.size[1] - lanes_height(look) - 38
    marks += _legend(trace, layer, backward, look, 24, y)
    left_out = column.total - len(column.shown)
    if left_out > 0:
        words = share_said(len(column.shown), column.total, column.ranking or FIRST)
        marks.append(Text(look.size[0] - 24, y, plain(words), 12, 500, "ink-2", "end", group=TITLE))
    return marks


def _number(layer: Layer, index: int, backward: bool, room: float) -> str:
    """Which unit it is, and its value or gradient, as briefly as it must be said."""
    found = layer.gradient if backward else layer.output
    if found is None:
        return f"{said(str(index), 'index', layer.name, (index,))}   –"
    value = float(found[index])
    written = (numbers.percent(value), numbers.percent(value, 0)) if kinds.shares(layer) and not backward else \
        (numbers.significant(value, 2), numbers.significant(value, 1), numbers.power(value, 0))
    ways = [said(way, "gradient" if backward else "value", layer.name, (index,)) for way in written]
    number = said(str(index), "index", layer.name, (index,))
    return fitting((*(f"{number}{gap}{way}" for way in ways for gap in ("   ", " ")), number), room, 11)


def _cell_of(layer: Layer, index: int) -> Cell:
    """The first indices of a map; empty where the layer is one."""
    return () if layer.output.ndim == 2 else tuple(int(at) for at in np.unravel_index(index, layer.shape[:-2]))


def _map_said(layer: Layer, index: int) -> str:
    cell = _cell_of(layer, index)
    return ", ".join(said(str(at), "index", layer.name, cell[:axis + 1]) for axis, at in enumerate(cell))


def _legend(trace: Trace, layer: Layer, backward: bool, look: Look, x: float, y: float) -> list[Mark]:
    wide = 168
    if backward:
        return parts.legend(x, y, wide, look, parts.gradient_scale(trace),
                            tr("Size of the gradient, one scale for all layers"))
    if layer.is_input and layer.has("row", "column"):
        return parts.legend(x, y, wide, look, parts.scale_of(trace, layer, look, False), tr("Pixel"))
    if kinds.shares(layer):
        return parts.legend(x, y, wide, look, parts.scale_of(trace, layer, look, False), tr("Probability"))
    if look.scope == "unit":
        return parts.legend(x, y, wide, look, parts.VALUES_EACH, tr("Values, each map by its own largest"))
    words = tr("Values, one scale for all layers") if look.scope == "network" else \
        tr("Values, one scale for all of {layer}").format(layer=layer.name)
    return parts.legend(x, y, wide, look, parts.value_scale(trace, layer, look), words)


def _sentence(trace: Trace, layer: Layer, moment: Moment) -> str:
    if not moment.backward:
        return kinds.sentence(trace, layer.name)
    if layer.gradient is None:
        return absence.unreached(layer.name, layer.why)
    alive = int(np.count_nonzero(layer.gradient))
    return tr("{{{alive} of {count}}} values of {layer} carry gradient; its size ∥∂L/∂{layer}∥ is {size}.").format(
        alive=said(numbers.count(alive), "how many gradients not 0", layer.name), layer=layer.name,
        count=said(numbers.count(layer.output.size), "how many", layer.name),
        size=said(numbers.significant(norm(layer.gradient), 3), "norm of gradient", layer.name))


@remembered(2)
def _table(layer: Layer, backward: bool) -> Table:
    """One row a channel or unit."""
    values = layer.gradient if backward and layer.gradient is not None else layer.output
    if values.ndim < 2:
        return Table((tr("unit"), tr("value")), tuple((i, float(v)) for i, v in enumerate(np.atleast_1d(values))))
    flat = values.reshape(values.shape[0], -1).astype(np.float64)
    rows = tuple((index, float(own.min()), float(own.mean()), float(own.max()), float(np.mean(own == 0)),
                  norm(own)) for index, own in enumerate(flat))
    return Table((translated(layer.axes[0]), "min", tr("mean"), "max", tr("share of zeros"), tr("norm")), rows)


VIEW = View(
    "feature_maps", english("Feature maps"), english("Every channel of one layer, as large as the window allows."),
    suits=lambda trace: True, draw=draw, telling=weighed, order=20,
    knobs=(("ranking", (*ORDERS, CHANGE)),), studies=(UNEDITED,),
    group=PARTS, tries=english("Press the up and down arrows to go through the maps, and Enter to open one."),
)
