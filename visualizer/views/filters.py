"""Filters: every weight of one layer as the pictures it looks for; on the way back the gradient of each weight."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.language import english, tr
from visualizer.said import lengths, of, said, size
from visualizer.scene import colour, numbers, parts
from visualizer.scene.boxes import descending
from visualizer.scene.channels import AUTO, FIRST, ORDERS, order_for, ranked, share_said
from visualizer.scene.columns import lanes_height
from visualizer.scene.lanes import lanes
from visualizer.scene.picture import (
    TITLE,
    Focus,
    Group,
    Image,
    Line,
    Look,
    Mark,
    Path,
    Picture,
    Points,
    Rect,
    Table,
    Text,
    grouped,
    plain,
    unmarked,
)
from visualizer.scene.timeline import Moment, timeline
from visualizer.size import norm
from visualizer.trace import Layer, Trace, remembered
from visualizer.views import DRAG, PARTS, View

TOP = 120.0


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """The kernels of the beat's layer; where it has none, those of the nearest layer before that has."""
    layer, times = _with_weights(trace, moment.beat.layer), timeline(trace)
    sentence = _sentence(trace, layer, moment)
    before, share = parts.crossing(moment, times)
    older = _with_weights(trace, before.beat.layer)
    if (older, before.backward) == (layer, moment.backward):
        share = 1.0
    body = parts.crossed(_sheet_marks(trace, older, before.backward, focus, look),
                         _sheet_marks(trace, layer, moment.backward, focus, look), share)
    lane_still, lane_moving = lanes(trace, moment, look)
    still = (*parts.sentence(look, sentence), *lane_still)
    settled = share == 1
    return Picture(look.size, (*still, *body) if settled else still,
                   tuple(lane_moving) if settled else (*body, *lane_moving), look.theme, caption=unmarked(sentence),
                   table=Table((), ()) if layer is None else _table(layer, moment.backward))


@dataclass(frozen=True, eq=False)
class Kernels:
    """Weights laid out for the eye."""

    values: NDArray[np.floating]
    """(row of the sheet, column of the sheet, row, column)."""
    across: str
    """What the columns of the sheet are."""
    down: str
    linear: bool = False


def _with_weights(trace: Trace, name: str) -> Layer | None:
    names = [layer.name for layer in trace.layers]
    for layer in reversed(trace.layers[:names.index(name) + 1]):
        if _sheet(trace, layer, False) is not None:
            return layer
    return next((layer for layer in trace.layers if _sheet(trace, layer, False) is not None), None)


def _sheet(trace: Trace, layer: Layer, backward: bool) -> Kernels | None:
    """Kernels (output, input, row, column); the rows of a dense layer as maps, where its input was flattened maps."""
    weight = (layer.weight_gradients if backward else layer.weights).get(_key(layer))
    if weight is None or weight.ndim < 2:
        return None
    across, down = english("input channel"), english("output channel")
    if _transposed(layer):
        across, down = down, across
    if weight.ndim == 3:
        return Kernels(weight[:, :, None, :], across, down)
    if weight.ndim == 4:
        return Kernels(weight, across, down)
    if weight.ndim == 5:  # a volume as its slices, side by side
        return Kernels(weight.reshape(len(weight), -1, *weight.shape[-2:]), english("slice of an input channel"),
                       english("output channel"))
    maps = _flattened_maps(trace, layer)
    if maps is not None and int(np.prod(maps)) == weight.shape[1]:
        shaped = weight.reshape(len(weight), *((1,) * (3 - len(maps))), *maps)
        return Kernels(shaped, english("input channel"), english("unit"), linear=True)
    return Kernels(weight[None, None], english("input unit"), english("unit"), linear=True)


def _key(layer: Layer) -> str:
    """What its kernels are called: those of weights that no layer reads are a value by themselves."""
    return "weight" if "weight" in layer.weights or "value" not in layer.weights else "value"


def _transposed(layer: Layer) -> bool:
    """Whether the rows of its weights belong to what it reads: each channel of that is spread over all others."""
    kind = kinds.of(layer)
    return kind is not None and kind.weight_axis == 1


def _flattened_maps(trace: Trace, layer: Layer) -> tuple[int, ...] | None:
    """Shape of the maps a dense layer reads through a flatten."""
    source = trace.inputs(layer)[0] if layer.reads else None
    while source is not None and source.reads:
        kind = kinds.of(source)
        if kind is None or not kind.moves_only:
            break
        source = trace.inputs(source)[0]
    return source.shape if source is not None and source.has("row", "column") and source.output.ndim in (2, 3) else None


@remembered(4)
def _sheet_marks(trace: Trace, layer: Layer | None, backward: bool, focus: Focus | None, look: Look) -> list[Mark]:
    if layer is None:
        return []
    sheet = _sheet(trace, layer, backward)
    words = (tr("{shape} ∂L/∂w") if backward else tr("{shape} weights")).format(
        shape=lengths(layer, array=f"weights.{_key(layer)}"))
    marks = parts.title(look, layer.name, words)
    if sheet is None:
        return [*marks, Text(24, 140, plain(tr("No gradient reached these weights.")), 14, 500, "ink", group=TITLE)]
    largest = colour.largest(sheet.values) or 1.0
    if backward:
        shades, palette = colour.magnitude(sheet.values, largest * parts.FLOOR, largest), "gradient"
    else:
        shades, palette = colour.signed(sheet.values, largest), "weight"
    grid = _fitted(sheet, look)
    maps = layer.output if layer.output.ndim == 3 and not sheet.linear and not _transposed(layer) else None
    shape, count = layer.weights[_key(layer)].shape, len(shades)
    folds = None if shape == sheet.values.shape else (sheet.values.shape, shape)
    sorts = maps is not None and folds is None and count == len(maps)
    by = order_for(layer, look.knob("ranking", AUTO), grid.shown) if sorts else FIRST
    order = ranked(layer, by)[:grid.shown] if sorts else tuple(range(grid.shown))
    if by != FIRST:
        shades, sheet = shades[list(order)], replace(sheet, values=sheet.values[list(order)])
    for index, place in enumerate(order):
        x, y = grid.origin(index)
        own = Group(tr("kernels of {layer} {place}").format(layer=layer.name, place=place),
                    Focus(layer.name, (place,), "weight"))
        marks.append(Image(x, y, (grid.cell, grid.cell), shades[index, :, :grid.rows].copy(), palette,
                           shades.shape[1], grid.pitch, group=own,
                           focus=Focus(layer.name, (place,), "weight"), folds=folds,
                           scale=parts.weight_scale(layer.name, largest, backward, tr("one scale for the layer"))))
        if grid.labelled:
            number = said(str(place), "index", layer.name, (place,), array=f"weights.{_key(layer)}")
            marks.append(Text(x - 8, y + grid.tile_height / 2 + 4, plain(number), 11, 400, "ink-2", "end", group=own))
        if maps is not None and grid.labelled:
            marks += grouped(own, _answer(trace, layer, place, x + shades.shape[1] * grid.pitch[0], y,
                                          grid.tile_height, backward, look))
        if focus is not None and focus.layer == layer.name and focus.cell[:1] == (place,) \
                and count == shape[0]:
            wide = grid.pitch[0] * (shades.shape[1] - 1) + grid.cell * shades.shape[3]
            marks.append(Rect(x - 4, y - 4, wide + 8, grid.tile_height + 8, "", "accent", 2, radius=4, group=own))
    if grid.cell >= 6:
        marks += _signs(sheet, grid, shades, palette, look)
    y = look.size[1] - lanes_height(look) - 38
    title = (tr("Size of ∂L/∂w in {layer}, log") if backward else
             tr("Weights, one scale for all of {layer}")).format(layer=layer.name)
    marks += parts.legend(24, y, 168, look, parts.weight_scale(layer.name, largest, backward), title)
    left_out = ""
    if grid.shown < count:
        words = tr("{shown} of {count} output channels shown") if sheet.down == "output channel" else \
            tr("{shown} of {count} input channels shown") if sheet.down == "input channel" else \
            tr("{shown} of {count} units shown")
        left_out = words.format(shown=numbers.count(grid.shown), count=numbers.count(count))
        left_out = share_said(grid.shown, count, by) if by != FIRST else left_out
    elif grid.rows < shades.shape[2]:
        left_out = tr("{shown} of {count} rows shown").format(shown=numbers.count(grid.rows),
                                                              count=numbers.count(shades.shape[2]))
    if left_out:
        marks.append(Text(look.size[0] - 24, y, plain(left_out), 12, 500, "ink-2", "end", group=TITLE))
    return marks


def _answer(trace: Trace, layer: Layer, channel: int, x: float, y: float, height: float, backward: bool,
            look: Look) -> list[Mark]:
    """What an output channel answered with these kernels: its map, as tall as they are."""
    shades, palette = parts.entries_of_map(trace, layer, look, backward, channel)
    side = height / max(layer.shape[-2:])
    top = y + (height - side * layer.shape[-2]) / 2
    arrow = y + height / 2
    return [Line(((x, arrow), (x + 14, arrow)), "rule", 1.5),
            Image(x + 20, top, (side, side), shades[None], palette, focus=Focus(layer.name, (channel,)),
                  indices=(-1,), scale=parts.scale_of(trace, layer, look, backward))]


@dataclass(frozen=True)
class _Grid:
    """Groups of tiles, one group an output: how large, how many beside each other, how many fit."""

    x: float
    y: float
    cell: float
    pitch: tuple[float, float]
    """From tile to tile inside a group."""
    group: tuple[float, float]
    """From group to group."""
    across: int
    shown: int
    rows: int
    """How many rows of each tile there is a place for."""
    tile_height: float
    labelled: bool

    def origin(self, group: int) -> tuple[float, float]:
        return self.x + (group % self.across) * self.group[0], self.y + (group // self.across) * self.group[1]


def _fitted(sheet: Kernels, look: Look) -> _Grid:
    """With the numbers of the outputs, unless weights would be twice as large without."""
    named, bare = _packed(sheet, look, 14), _packed(sheet, look, math.inf)
    return bare if bare.cell >= 2 * named.cell else named


def _packed(sheet: Kernels, look: Look, least: float) -> _Grid:
    """The largest whole number of pixels a weight at which every output has its place, or as many as fit at 1; what is
    at least so high has its number beside it."""
    outputs, tiles, rows, columns = sheet.values.shape
    box = parts.body(look, TOP).inset(0, 0, 0, 56)
    room = (box.width, box.height)
    for cell in descending(28, look.pixel):
        gap = max(1.0, min(10.0, cell * 0.6)) if tiles > 1 else 0.0
        pitch, height = columns * cell + gap, rows * cell
        labelled = height >= least
        kernels = tiles * pitch
        wide = kernels + (32 if labelled else 3) + (height + 44 if labelled and not sheet.linear else 0)
        tall = height + (12 if labelled else 3)
        across, down = int((room[0] + 4) // wide), int((room[1] + 4) // tall)
        if across * down >= outputs:
            break
    across, down = max(1, across), max(1, down)
    rows = min(rows, int(room[1] / cell))
    height = rows * cell
    used = min(across, outputs)
    spread = min(wide * 1.3, room[0] / used)
    return _Grid(56 if labelled else 24, TOP, cell, (pitch, height + gap), (max(wide, spread), tall),
                 used, min(outputs, across * down), rows, height, labelled)


def _signs(sheet: Kernels, grid: _Grid, shades: NDArray[np.uint8], palette: str, look: Look) -> list[Mark]:
    """A minus on every negative weight: sign is never hue alone."""
    half = max(1.5, grid.cell * 0.18)
    strokes: dict[str, list[Points]] = {}
    for at in zip(*np.nonzero(sheet.values[:grid.shown] < 0), strict=True):
        group, tile, row, column = (int(i) for i in at)
        x, y = grid.origin(group)
        x, y = x + tile * grid.pitch[0] + (column + 0.5) * grid.cell, y + (row + 0.5) * grid.cell
        ink = colour.ink_on(f"{palette}:{shades[at]}", look.theme)
        strokes.setdefault(ink, []).append(((x - half, y), (x - half, y), (x + half, y), (x + half, y)))
    return [Path(tuple(curves), stroke=ink, width=1.2) for ink, curves in strokes.items()]


def _sentence(trace: Trace, layer: Layer | None, moment: Moment) -> str:
    if layer is None:
        return tr("This network has no weights to show.")
    weights = layer.weights[_key(layer)]
    array = f"weights.{_key(layer)}"
    if not moment.backward:
        negative = float(np.mean(weights < 0))
        return tr("{layer} has {{{size} weights}} from {smallest} to {largest}; {share} are negative.").format(
            layer=layer.name, size=said(numbers.count(weights.size), *size(layer, array)),
            smallest=said(numbers.number(float(weights.min())), *of("smallest", layer, array=array)),
            largest=said(numbers.number(float(weights.max())), *of("largest", layer, array=array)),
            share=said(numbers.percent(negative, 0), *of("share below 0", layer, array=array)))
    gradient = layer.weight_gradients.get(_key(layer))
    if gradient is None:
        return tr("No gradient reached the weights of {layer}.").format(layer=layer.name)
    at = np.unravel_index(int(np.argmax(np.abs(gradient))), gradient.shape)
    where = ", ".join(said(str(int(i)), *of("place of the largest gradient", layer, (axis,), "weights.weight"))
                      for axis, i in enumerate(at))
    return tr("∥∂L/∂w∥ of {layer} is {{{size}}}; the largest, {gradient}, belongs to weight ({where}).").format(
        layer=layer.name, where=where,
        size=said(numbers.significant(norm(gradient), 3), *of("norm of gradient", layer, array="weights.weight")),
        gradient=said(numbers.signed(float(gradient[at]), 4),
                      *of("gradient", layer, tuple(map(int, at)), "weights.weight")))


@remembered(2)
def _table(layer: Layer, backward: bool) -> Table:
    """One row an output channel or unit."""
    weight = (layer.weight_gradients if backward else layer.weights).get(_key(layer))
    if weight is None:
        return Table((), ())
    flat = weight.reshape(len(weight), -1).astype(np.float64)
    head = tr("input channel") if _transposed(layer) else tr("output")
    return Table((head, "min", tr("mean"), "max", tr("norm")),
                 tuple((index, float(own.min()), float(own.mean()), float(own.max()), norm(own))
                       for index, own in enumerate(flat)))


VIEW = View(
    "filters", english("Filters"), english("The weights of one layer, as the pictures it looks for."),
    suits=lambda trace: any(weight.ndim >= 2 for layer in trace.layers for weight in layer.weights.values()),
    draw=draw, order=30, knobs=(("ranking", ORDERS),), tunes=DRAG,
    group=PARTS, tries=english("Go to another layer, and see what its filters were before training."),
)
