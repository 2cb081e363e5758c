"""Parts that several views share: the sentence, tiles of a layer, the legend, and the lanes that show the time.

Each gives marks; a view decides where they stand.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.language import english, tr
from visualizer.said import said, tick
from visualizer.scene import colour, hops, numbers, projector
from visualizer.scene.boxes import Box
from visualizer.scene.columns import LEGEND as LEGEND_HEIGHT
from visualizer.scene.columns import Column, lanes_height, maps_shown
from visualizer.scene.labels import Labels, fitting
from visualizer.scene.picture import (
    BEAT,
    LANE,
    LEGEND,
    SENTENCE,
    TITLE,
    Focus,
    Image,
    Line,
    Look,
    Mark,
    Path,
    Points,
    Rect,
    Run,
    Scale,
    Stop,
    Text,
    changed,
    grouped,
    plain,
    rich,
)
from visualizer.scene.timeline import Moment, Timeline, ease
from visualizer.scene.timeline import timeline as timeline_of
from visualizer.scene.type import width, wrap
from visualizer.scene.type import width as text_width
from visualizer.size import norm
from visualizer.trace import Layer, Trace, remembered

RING = 7.0
"""Radius of the cursor of a lane."""
FLOOR = 1e-3
"""Gradients are drawn on one log scale from their largest value down to this share of it."""


def sentence(look: Look, markup: str) -> list[Mark]:
    """The one plain sentence at the top; a second line where it is too long for one. For a room, with its number
    large."""
    if look.projector:
        return projector.headline(look, rich(markup))
    size = 17 if look.size[0] >= 1000 else 16
    lines = _lines(markup, size, look.size[0] - 48)
    first = 38 if len(lines) == 1 else 30
    return [Text(24, first + 22 * number, line, size, 500, group=SENTENCE)
            for number, line in enumerate(lines)]


@lru_cache(maxsize=256)
def _lines(markup: str, size: float, wide: float) -> tuple[tuple[Run, ...], ...]:
    return wrap(rich(markup), size, wide, 500)[:2]


def headline(look: Look, before: str, number: str, after: str, size: float = 26, large: float = 56,
             apart: tuple[float, float] = (14, 12)) -> list[Mark]:
    """A sentence around one large number; without one the words alone."""
    x, y = 24.0, 62.0
    marks: list[Mark] = []
    for text, tall, weight, ink, gap in ((before, size, 500, "ink", apart[0] if number else 7),
                                         (number, large, 600, "accent-ink", apart[1]), (after, size, 500, "ink", 0)):
        if text:
            marks.append(Text(x, y, plain(text), tall, weight, ink, display=True,
                              max_width=0 if number else look.size[0] - 24 - x))
            # as wide as it is on the screen: large display type stands closer
            x += width(text, tall / look.pixel, weight, display=True) * look.pixel + gap
    return grouped(SENTENCE, marks)


def told(look: Look, said: tuple[str, str, str], below: str, size: float, large: float) -> list[Mark]:
    """A headline and the line under it; for a room one sentence of both."""
    if not look.projector:
        return [*headline(look, *said, size, large, (10, 10)), *under(look, below)]
    before, number, after = said
    spoken = f"{before} {{{number}}} {after}" if number else f"{before} {after}"
    return sentence(look, f"{spoken.strip().replace(' .', '.')} {below}")


def under(look: Look, markup: str) -> list[Mark]:
    """The line under a headline, in `rich` markup: as many of its sentences as have room."""
    told = re.split(r"(?<=\.) |(?<=\.\*\*) ", markup)
    ways = [" ".join(told[:count]) for count in range(len(told), 0, -1)]
    words = fitting(ways, look.size[0] - 48, 15) or ways[-1]
    return [Text(24, 92, rich(words), 15, 400, "ink-2", max_width=look.size[0] - 48, group=SENTENCE)]


def title(look: Look, name: str, words: str, in_a_room: bool = True) -> list[Mark]:
    """The name of the layer a picture is about, and a few words under it; a room may do without."""
    if not look.mode.notes and not in_a_room:
        return []
    return [Text(24, 80, plain(name), 13, 600, "accent-ink", mono=True, group=TITLE),
            Text(24, 97, plain(words), 12, 400, "ink-2", group=TITLE)]


def body(look: Look, top: float, left: float = 24.0, right: float = 24.0) -> Box:
    """What lies between the sentence with its title and the lanes: the place of a view."""
    return Box(left, top, look.size[0] - right, look.size[1] - lanes_height(look))


# --- colours of a layer ---------------------------------------------------------------------------------------------

@remembered(8)
def largest_gradient(trace: Trace) -> float:
    """The largest size of any value's gradient, input to output: the top of the one scale for all; 1 if all are 0."""
    found = [hops.of_symbols(trace, layer) if layer.gradient is None else layer.gradient
             for layer in trace.layers if layer.output.ndim]
    sizes = [colour.largest(values) for values in found
             if values is not None]
    return max(sizes, default=0.0) or 1.0


@remembered(8)
def largest_value(trace: Trace) -> float:
    """The largest size of any value after the input: for colours on the scale of the network."""
    sizes = [_largest(layer.output) for layer in trace.layers if not layer.is_input and layer.output.ndim]
    return max(sizes, default=0.0) or 1.0


def entries(trace: Trace, layer: Layer, look: Look, backward: bool) -> tuple[NDArray[np.uint8], str]:
    """Palette entries of a whole layer, and the palette: what flows, or its gradient."""
    if not backward:
        return entries_of(trace, layer, look, False, layer.output)
    symbols = hops.of_symbols(trace, layer)
    known = layer.gradient if symbols is None else symbols
    return entries_of(trace, layer, look, True, np.zeros(layer.shape) if known is None else known)


def entries_of(trace: Trace, layer: Layer, look: Look, backward: bool,
               values: NDArray[Any]) -> tuple[NDArray[np.uint8], str]:
    """The same of any numbers, on the scale of a layer."""
    if backward:
        top = largest_gradient(trace)
        return colour.magnitude(values, top * FLOOR, top), "gradient"
    if layer.is_input and layer.has("row", "column"):
        low, high = colour.reach(layer.output)
        return colour.unit(values, low, high), "pixel"
    if kinds.shares(layer):
        return colour.unit(values), "pixel"
    if look.scope == "unit" and layer.output.ndim > 1:
        pairs = (array.reshape(layer.shape[0], -1) for array in (values, layer.output))
        each = [colour.signed(row, _largest(own)) for row, own in zip(*pairs, strict=True)]
        return np.stack(each).reshape(layer.shape), "activation"
    return colour.signed(values, layer_scale(trace, layer, look)), "activation"


def entries_of_map(trace: Trace, layer: Layer, look: Look, backward: bool,
                   channel: int) -> tuple[NDArray[np.uint8], str]:
    """The same of one map of a layer of three axes, as it is coloured among all of them."""
    values = layer.gradient if backward else layer.output
    own = np.zeros(layer.shape[1:]) if values is None else values[channel]
    if look.scope == "unit" and not backward and not layer.is_input and not kinds.shares(layer):
        return colour.signed(own, _largest(layer.output[channel])), "activation"
    return entries_of(trace, layer, look, backward, own)


def scale_of(trace: Trace, layer: Layer, look: Look, backward: bool) -> Scale:
    """What the palette entries of `entries` stand for."""
    if backward:
        return gradient_scale(trace)
    if layer.is_input and layer.has("row", "column"):
        return Scale("pixel", english("pixels"), layer.name, *colour.reach(layer.output))
    if kinds.shares(layer):
        return Scale("pixel", english("probability"), layer.name, 0.0, 1.0)
    if look.scope == "unit" and layer.output.ndim > 1:
        top = _largest(layer.output)
        return Scale("activation", english("values"), layer.name, -top, top, english("each map by its own largest"),
                     each=True)
    return value_scale(trace, layer, look)


def value_scale(trace: Trace, layer: Layer, look: Look) -> Scale:
    """That of values around zero, whose largest is that of the layer or of the network."""
    top = layer_scale(trace, layer, look)
    if look.scope == "network":
        return Scale("activation", english("values"), "", -top, top, english("one scale for all layers"))
    return Scale("activation", english("values"), layer.name, -top, top, english("each layer by its own largest"))


VALUES_EACH = Scale("activation", english("values"), "", -1.0, 1.0, english("each by its own largest"), each=True)
"""Of values where not all share a scale."""


def weight_scale(of: str, top: float, gradient: bool, scope: str = "") -> Scale:
    """What the colours of weights stand for, or of the gradients of weights, if `top` is the largest size."""
    if gradient:
        return Scale("gradient", english("size of ∂L/∂w"), of, top * FLOOR, top, scope, log=True)
    return Scale("weight", english("weights"), of, -top, top, scope)


def layer_scale(trace: Trace, layer: Layer, look: Look) -> float:
    """The value that gets the strongest colour."""
    return largest_value(trace) if look.scope == "network" else _largest_of(layer) or 1.0


def coloured(layer: Layer) -> bool:
    """Whether any of its values is a number other than 0: else no colour stands for a largest one."""
    return _largest_of(layer) > 0


@remembered(1)
def _largest_of(layer: Layer) -> float:
    return _largest(layer.output)


def tiles(trace: Trace, column: Column, look: Look, backward: bool, rows_shown: float = 1.0,
          to_come: NDArray[np.bool_] | None = None, covered: NDArray[np.bool_] | None = None,
          values: NDArray[Any] | None = None) -> list[Mark]:
    """The tiles of one column as a single mark; gradients that do not exist are hatched, not drawn as zero, and so are
    values that are still `to_come`. Of what is `covered` nothing is drawn; `values` are others on the same scale: a
    gradient as far as it has been added up, what a layer is made of."""
    layer = trace[column.layer]
    stack, palette = _stack(trace, layer, column, look, backward) if values is None else \
        _tiled(column, layer, *entries_of(trace, layer, look, backward, values))
    there = None if covered is None else as_tiles(~covered, column, layer)
    if there is not None:  # nothing that is not there yet is in the picture, drawn or not
        stack = np.where(there if stack.ndim == there.ndim else there[..., None], stack, np.uint8(0))
    symbols = hops.of_symbols(trace, layer) if backward else None
    unknown = hatched(layer, backward) if symbols is None else None
    if to_come is not None:
        unknown = to_come if unknown is None else unknown | to_come
    whole = layer.output.ndim >= 3 or layer.output.ndim == 1
    folds = None if layer.output.ndim < 4 else (maps_of(layer.output).shape, layer.shape)
    return [Image(column.x, column.top, column.cell, stack, palette, column.sub_columns, column.pitch,
                  hatched=None if unknown is None else as_tiles(unknown, column, layer), focus=Focus(layer.name),
                  indices=maps_shown(layer, column) if whole else (-1,), rows_shown=rows_shown,
                  pooled=column.factor, covered=None if there is None else ~there, folds=folds,
                  blends=3 if _in_colour(column, layer) else 1,
                  scale=scale_of(trace, layer, look, backward))]


COLOURS, LEAST = 9.0, 20.0
"""Between a picture in colour and its channels, and how small these may be, in pixels."""


def room_for_colours(trace: Trace, column: Column, look: Look) -> float:
    """Whether the three channels of a picture in colour are shown below it, 0 or 1."""
    return float(_colour_cell(column, trace[column.layer], look) * min(trace[column.layer].shape[-2:]) >= LEAST
                 if _in_colour(column, trace[column.layer]) else 0)


def _in_colour(column: Column, layer: Layer) -> bool:
    return column.style == "picture" and layer.is_input and layer.shape[0] == 3


def _colour_cell(column: Column, layer: Layer, look: Look) -> float:
    """How large a pixel of a channel is."""
    rows, columns = layer.shape[-2:]
    room = look.size[1] - lanes_height(look) - LEGEND_HEIGHT - (column.top + column.height + COLOURS) - 16
    return min((column.width - 2 * COLOURS) / 3 / columns, room / rows)


def colours(trace: Trace, column: Column, look: Look, backward: bool, covered: NDArray[np.bool_] | None = None,
            values: NDArray[Any] | None = None, strength: float = 1.0) -> list[Mark]:
    """Below a picture in colour its three channels, each alone, on the scale of the picture; backwards the gradient of
    each. Of what is `covered` an empty outline; `values` are others on the same scale."""
    layer = trace[column.layer]
    if strength <= 0 or not _in_colour(column, layer) or (backward and layer.gradient is None):
        return []
    shades, palette = entries(trace, layer, look, backward) if values is None else \
        entries_of(trace, layer, look, backward, values)
    there = np.ones(layer.shape, bool) if covered is None else ~covered
    rows, columns = layer.shape[-2:]
    top, cell = column.top + column.height + COLOURS, _colour_cell(column, layer, look)
    if cell <= 0:
        return []
    marks: list[Mark] = []
    for number, name in enumerate((tr("red"), tr("green"), tr("blue"))):
        x = column.x + number * (column.width + COLOURS) / 3
        if not there[number].all():
            marks.append(Rect(x, top, cell * columns, cell * rows, stroke="rule", inside=True))
        marks += [Image(x, top, (cell, cell), np.where(there[number], shades[number], np.uint8(0))[None], palette, 1,
                        (cell * columns, cell * rows), focus=Focus(layer.name), indices=(number,),
                        covered=None if covered is None else covered[number][None],
                        scale=scale_of(trace, layer, look, backward)),
                  Text(x + cell * columns / 2, top + cell * rows + 13, plain(name), 11, 400, "ink-2", "middle")]
    return marks if strength == 1 else faded(marks, strength)


def maps_of(array: NDArray[Any]) -> NDArray[Any]:
    """An array of maps, whatever stands in front of rows and columns: a volume as its slices, one after another."""
    return array if array.ndim < 4 else array.reshape(-1, *array.shape[-2:])


def map_name(layer: Layer, index: int) -> str:
    """What one of its maps is called: by its channel, or where there is more in front by all that, `1, 3`."""
    if layer.output.ndim < 4:
        return str(index)
    return ", ".join(str(int(at)) for at in np.unravel_index(index, layer.shape[:-2]))


BESIDE = 12.0
"""Least width beside a cell for the word that it stands for, and least height."""


def words_beside(column: Column) -> bool:
    """Whether there is room beside each cell for what it stands for."""
    return column.style == "units" and column.pitch[0] - column.tile[0] > BESIDE and column.pitch[1] >= BESIDE


@remembered(2)
def hatched(layer: Layer, backward: bool) -> NDArray[np.bool_] | None:
    """Which values of a layer have no colour: NaN, infinity, a gradient that is missing. None where all have one."""
    if backward and layer.gradient is None:
        return np.ones(layer.shape, bool)
    unknown = colour.unknown(layer.gradient if backward and layer.gradient is not None else layer.output)
    return unknown if unknown.any() else None


@remembered(512)
def _stack(trace: Trace, layer: Layer, column: Column, look: Look, backward: bool) -> tuple[NDArray[np.uint8], str]:
    if layer.is_input and layer.has("row", "column") and layer.shape[0] == 3 and not backward:
        low, high = colour.reach(layer.output)
        picture = np.moveaxis(colour.unit(layer.output, low, high), 0, -1)
        return (_averaged(picture, column.factor) if column.factor > 1 else picture)[None], "pixel"
    symbols = hops.of_symbols(trace, layer) if backward else None
    values = layer.output if not backward else symbols if symbols is not None else layer.gradient
    if values is None or layer.output.ndim != 3 or column.style != "maps" or len(column.shown) == len(values) \
            or (look.scope == "unit" and not backward):
        return _tiled(column, layer, *entries(trace, layer, look, backward))
    few, palette = entries_of(trace, layer, look, backward, values[list(column.shown)])  # of hundreds a dozen
    return (_pooled(few, column.factor) if column.factor > 1 else few), palette


def _tiled(column: Column, layer: Layer, values: NDArray[np.uint8], palette: str) -> tuple[NDArray[np.uint8], str]:
    if column.style == "picture" and layer.shape[0] == 3:  # one picture: the strongest of the three colours
        values = values.max(axis=0, keepdims=True)
    return as_tiles(values, column, layer), palette


def as_tiles(values: NDArray[Any], column: Column, layer: Layer) -> NDArray[Any]:
    """(tile, row, column) of what a column shows, large maps by their largest values."""
    if values.ndim == 1:
        return np.ascontiguousarray(values[list(column.shown)][:, None, None])
    if values.ndim == 2:
        values = values[None]
    values = maps_of(values)[list(maps_shown(layer, column))]
    if column.factor > 1:
        values = _pooled(values, column.factor)
    return np.ascontiguousarray(values)


def _pooled(values: NDArray[Any], factor: int) -> NDArray[Any]:
    """The entry farthest from zero of each factor × factor block."""
    count, rows, columns = values.shape
    grown = np.full((count, -(-rows // factor) * factor, -(-columns // factor) * factor), values.dtype.type(0))
    entries = values.dtype.kind == "u"
    if entries:
        grown[:] = colour.ZERO
    grown[:, :rows, :columns] = values
    if values.dtype == np.bool_:
        return np.asarray(grown.reshape(count, grown.shape[1] // factor, factor, -1, factor).any(axis=(2, 4)))
    blocks = grown.reshape(count, grown.shape[1] // factor, factor, -1, factor).swapaxes(2, 3)
    flat = blocks.reshape(*blocks.shape[:3], -1)
    strength = np.abs(flat.astype(np.int16) - (colour.ZERO if entries else 0))
    return np.take_along_axis(flat, strength.argmax(-1)[..., None], -1)[..., 0]


def _averaged(picture: colour.Entries, factor: int) -> colour.Entries:
    """(row, column, colour) with the mean of each factor × factor block; what is left over at the edges is repeated."""
    high, wide, colours = picture.shape
    whole = np.pad(picture, ((0, -high % factor), (0, -wide % factor), (0, 0)), mode="edge")
    blocks = whole.reshape(len(whole) // factor, factor, -1, factor, colours)
    mean = np.rint(blocks.mean(axis=(1, 3)))
    missing = (blocks == colour.UNKNOWN).any(axis=(1, 3))
    return np.ascontiguousarray(np.where(missing, colour.UNKNOWN, mean).astype(picture.dtype))


def glyphs(trace: Trace, column: Column, look: Look, backward: bool) -> list[Mark]:
    """A minus on every negative cell, so that sign is never hue alone: for cells of 5 px and more."""
    layer = trace[column.layer]
    values = layer.gradient if backward else layer.output
    if values is None or min(column.cell) < 5 or column.factor > 1 or column.style == "picture":
        return []
    stack = as_tiles(values, column, layer)
    wide, high = column.cell
    shades, palette = _stack(trace, layer, column, look, backward)

    def middle(tile: int, row: int, cell: int) -> tuple[float, float]:
        x, y = _tile_origin(column, tile)
        return x + (cell + 0.5) * wide, y + (row + 0.5) * high

    return minuses(stack, shades, palette, look, wide, middle)


def minuses(values: NDArray[Any], shades: NDArray[np.uint8], palette: str, look: Look, wide: float,
            middle: Callable[[int, int, int], tuple[float, float]]) -> list[Mark]:
    """A minus on every negative value (tile, row, column) of cells this wide; `middle` says where each cell is."""
    half = max(1.0, wide * 0.22) if wide < 20 else 3.0
    strokes: dict[str, list[Points]] = {}
    for at in np.argwhere(values < 0).tolist():
        x, y = middle(at[0], at[1], at[2])
        ink = colour.ink_on(f"{palette}:{shades[tuple(at)]}", look.theme)
        strokes.setdefault(ink, []).append(((x - half, y), (x - half, y), (x + half, y), (x + half, y)))
    return [Path(tuple(curves), stroke=ink, width=1.2) for ink, curves in strokes.items()]


def _tile_origin(column: Column, tile: int) -> tuple[float, float]:
    return (column.x + (tile % column.sub_columns) * column.pitch[0],
            column.top + (tile // column.sub_columns) * column.pitch[1])


# --- legend ---------------------------------------------------------------------------------------------------------

def legend(x: float, y: float, width: float, look: Look, scale: Scale, title: str,
           words: tuple[str, str, str] | None = None) -> list[Mark]:
    """The colours of a scale with its range; `y` is the baseline of the title. Nothing where the look wants none.

    `words` are what stands at its low end, at zero and at its high end, where that is not its plain numbers.
    """
    if not look.bars:
        return []
    palette, (low, zero, high) = scale.palette, words or ends(scale)
    ramp = np.arange(256, dtype=np.uint8)[None, None] if palette in ("gradient", "pixel") \
        else np.arange(1, 256, dtype=np.uint8)[None, None]
    below = y + 8 + 8 + 14
    marks: list[Mark] = [
        Text(x, y, plain(title), 12, 500, "ink-2"),
        Image(x, y + 8, (width / ramp.shape[-1], 8), ramp, palette, border="tile-border"),
        Text(x, below, plain(low), 11, 400, "ink-2"),
        Text(max(x + width, x + text_width(low, 11) + 10 + text_width(high, 11)), below, plain(high), 11, 400, "ink-2",
             "end"),  # words that are too long for both to stand below the colours go on beside them
    ]
    if zero:
        marks.append(Text(x + width / 2, below, plain(zero), 11, 400, "ink-2", "middle"))
    return grouped(LEGEND, marks)


def ends(scale: Scale) -> tuple[str, str, str]:
    """What is written at the low end of a scale, at zero, if it lies between, and at the high end."""
    if scale.each and scale.log:
        decades = numbers.power_of_ten(round(math.log10(scale.low / scale.high)))
        return tr("largest × {decades}").format(decades=tick(decades, scale.low / scale.high, 0, 1)), "", \
            tr("up to {largest}").format(largest=_end(scale, "high", numbers.significant(scale.high, 2)))
    if scale.each:
        return "−max", tick("0", 0, -1, 1), "+max"
    if scale.log:
        return _end(scale, "low", numbers.significant(scale.low, 1)), "", \
            _end(scale, "high", numbers.significant(scale.high, 2))
    if scale.quantity == "probability":
        return _end(scale, "low", "0"), "", _end(scale, "high", "1")
    zero = tick("0", 0, scale.low, scale.high) if scale.low < 0 and scale.palette != "pixel" else ""
    return _end(scale, "low", numbers.number(scale.low)), zero, _end(scale, "high", numbers.number(scale.high))


def _end(scale: Scale, end: str, words: str) -> str:
    """What the first or the last of its colours stands for, claimed."""
    return said(words, f"{end} end of a scale", scale.of, array=scale.quantity)


def gradient_scale(trace: Trace) -> Scale:
    """The one scale of all gradients of values."""
    top = largest_gradient(trace)
    return Scale("gradient", english("size of the gradient"), "", top * FLOOR, top, english("one scale for all layers"),
                     log=True)


# --- lanes ----------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Lane:
    """How tall the strip is and where its rows stand."""

    top: float
    beats: float
    """y of the beat line."""
    chart_top: float
    chart_bottom: float
    zeros: float | None
    """Baseline of the percentages; None where there is no room for them."""


def lane_rows(look: Look) -> Lane:
    height = lanes_height(look)
    top = look.size[1] - height
    if not look.mode.lanes:
        return Lane(top, top + projector.FOOT / 2, top, top, None)
    if height < 112:
        return Lane(top, top + 19, top + 40, top + 86, None)
    return Lane(top, top + 20, top + 40, top + 76, top + 96)


def lanes(trace: Trace, timeline: Timeline, moment: Moment, look: Look,
          places: Mapping[str, float]) -> tuple[list[Mark], list[Mark]]:
    """(still, moving) marks of the lanes: beats, size of the gradient on a log axis, share of exact zeros.

    `places` gives the x of every layer, the same as in the picture above.
    """
    row = lane_rows(look)
    order = [layer.name for layer in trace.layers if layer.name in places]
    stands = tuple(places.items())
    still = [*_still_lanes(trace, look, stands, *_there(timeline, moment, order)),
             *_stops_to_press(trace, stands, moment.beat.direction, row.top + 2, look.size[1] - 2)]
    if _turns(timeline, moment):
        moving = _beat_dots(trace, timeline, moment, look, places, order, row)
    else:  # of hundreds of beats only the way there moves
        still += _dots(trace, look, stands, _done(timeline, moment, order), moment.backward)
        moving = _way(timeline, moment, places, order, row)
    moving += (partial(_cursor, trace) if look.mode.lanes else _ring)(timeline, moment, look, places, order, row)
    return still, grouped(LANE, moving)


def beat_line(trace: Trace, timeline: Timeline, moment: Moment, look: Look, places: Mapping[str, float]) -> list[Mark]:
    """The line of beats alone, for a picture with lanes of its own."""
    row = lane_rows(look)
    order = [layer.name for layer in trace.layers if layer.name in places]
    marks: list[Mark] = [Line(((0, row.top), (look.size[0], row.top)), "hair"),
                         Line(((places[order[0]], row.beats), (places[order[-1]], row.beats)), "rule", 2),
                         Text(10, row.beats + 4, plain(tr("beats")), 11, 500, "ink-2"),
                         *_beat_dots(trace, timeline, moment, look, places, order, row),
             *_stops_to_press(trace, tuple(places.items()), moment.beat.direction, row.top + 2, row.beats + 12),
                         *_ring(timeline, moment, look, places, order, row)]
    return grouped(LANE, marks)


def _there(timeline: Timeline, moment: Moment, order: Sequence[str]) -> tuple[frozenset[str], frozenset[str]]:
    """The layers that are computed at a moment, and those to which their whole gradient has come."""
    here = order.index(moment.beat.layer)
    following = timeline.beats[moment.index + 1] if moment.index + 1 < len(timeline.beats) else None
    over = moment.phase == 1 and (following is None or (following.layer, following.direction) !=
                                  (moment.beat.layer, moment.beat.direction))
    if moment.backward:
        return frozenset(order), frozenset(order[here + (not over):])
    return frozenset(order[:here + over]), frozenset()


@remembered(64)
def _still_lanes(trace: Trace, look: Look, stands: tuple[tuple[str, float], ...], computed: frozenset[str],
                 reached: frozenset[str]) -> tuple[Mark, ...]:
    """What of the lanes is the same while a beat runs."""
    row, places = lane_rows(look), dict(stands)
    still: list[Mark] = [Line(((0, row.top), (look.size[0], row.top)), "hair")]
    order = [layer.name for layer in trace.layers if layer.name in places]
    left, right = places[order[0]], places[order[-1]]
    still.append(Line(((left, row.beats), (right, row.beats)), "rule", 2))
    if not look.mode.lanes:
        return tuple(grouped(LANE, still[1:]))
    still += [Text(10, row.beats + 4, plain(tr("beats")), 11, 500, "ink-2")]
    still += _gradient_chart(trace, look, places, order, row, reached)
    if row.zeros is not None:
        still += _zeros(trace, look, places, [name for name in order if name in computed], row)
    return tuple(grouped(LANE, still))


def polygon(corners: Sequence[tuple[float, float]]) -> Points:
    """The closed outline of some corners, as the curves of a Path."""
    points: list[tuple[float, float]] = [corners[0]]
    for corner in (*corners[1:], corners[0]):
        points += [points[-1], corner, corner]
    return tuple(points)


def faded(marks: Iterable[Mark], opacity: float) -> list[Mark]:
    """The same marks, fainter; none at all at 0."""
    if opacity < 1e-9:  # 0 but for rounding
        return []
    return list(marks) if opacity >= 1 else [changed(mark, opacity=mark.opacity * opacity) for mark in marks]


def crossed(before: Iterable[Mark], after: Iterable[Mark], share: float) -> list[Mark]:
    """One drawing as it goes over into another; words do so one after the other, so that none stand over others."""
    return [*_going(before, 1 - share), *_going(after, share)]


def _going(marks: Iterable[Mark], opacity: float) -> list[Mark]:
    return [mark for one in marks for mark in faded([one], 2 * opacity - 1 if isinstance(one, Text) else opacity)]


def crossing(moment: Moment, timeline: Timeline) -> tuple[Moment, float]:
    """The settled beat before this one, and how far the picture has gone over from it to this one, 0 … 1."""
    if moment.index == 0:
        return moment, 1.0
    return timeline.settled(moment.index - 1), ease(moment.phase)


def even_places(trace: Trace, look: Look, named: bool = False) -> dict[str, float]:
    """x of every layer on the lanes, evenly spread: for views without columns. `named`: rows have their names at the
    left, on a projector too."""
    left, right = (84.0, 70.0) if named else look.mode.sides(84, 70, 32)
    step = (look.size[0] - right - left) / max(1, len(trace.layers) - 1)
    return {layer.name: left + step * index for index, layer in enumerate(trace.layers)}


@remembered(8)
def _stops(trace: Trace, direction: str) -> dict[str, Stop]:
    """The first beat of every layer that has one in a direction."""
    found = {layer.name: timeline_of(trace).of(layer.name, direction) for layer in trace.layers}
    return {name: Stop(moment.address) for name, moment in found.items() if moment is not None}


def _turns(timeline: Timeline, moment: Moment) -> bool:
    """Whether it is the first beat on the way back, over which the line of beats changes its colour."""
    return moment.backward and not crossing(moment, timeline)[0].backward


def _beat_dots(trace: Trace, timeline: Timeline, moment: Moment, look: Look, places: Mapping[str, float],
               order: Sequence[str], row: Lane) -> list[Mark]:
    """Done beats filled, those to come open; on the way back the walked part is amber."""
    def walked(at: Moment) -> list[Mark]:
        return [*_way(timeline, at, places, order, row),
                *_dots(trace, look, tuple(places.items()), _done(timeline, at, order), at.backward)]

    if not _turns(timeline, moment):
        return walked(moment)
    before, share = crossing(moment, timeline)
    return [*faded(walked(before), 1 - share), *faded(walked(moment), share)]


@remembered(8)
def _stops_to_press(trace: Trace, stands: tuple[tuple[str, float], ...], direction: str, top: float,
                    bottom: float) -> tuple[Mark, ...]:
    """Where the lanes answer to a click: around the beat of each layer, down to the bottom of the picture or to
    another line."""
    stops, places = _stops(trace, direction), dict(stands)
    xs = sorted(places.values())
    apart = [math.inf, *(after - before for before, after in pairwise(xs)), math.inf]
    reaches = {x: min(12, apart[place] / 2, apart[place + 1] / 2) for place, x in enumerate(xs)}
    return tuple(grouped(LANE, [
        Rect(x - reaches[x], top, 2 * reaches[x], bottom - top, focus=Focus(name, array=BEAT), holds=stops.get(name))
        for name, x in places.items()]))


def _done(timeline: Timeline, moment: Moment, order: Sequence[str]) -> frozenset[str]:
    """The layers whose beats in this direction are over."""
    here = order.index(moment.beat.layer)
    arrived = int(_gone(timeline, moment) == 1 or moment.index == 0)
    return frozenset(order[here + 1 - arrived:] if moment.backward else order[:here + arrived])


def _way(timeline: Timeline, moment: Moment, places: Mapping[str, float], order: Sequence[str],
         row: Lane) -> list[Mark]:
    """The part of the line of beats that has been walked."""
    start, end = places[order[-1 if moment.backward else 0]], cursor_x(timeline, moment, places, order)
    ink = "gradient-mark" if moment.backward else "accent"
    return [Line(((start, row.beats), (end, row.beats)), ink, 2)] if abs(start - end) > 0.5 else []


@remembered(16)
def _dots(trace: Trace, look: Look, stands: tuple[tuple[str, float], ...], done: frozenset[str],
          backward: bool) -> tuple[Mark, ...]:
    """A dot for each beat, where there is room or other lanes stand below."""
    ink, radius, y = "gradient-mark" if backward else "accent", 4.5, lane_rows(look).beats
    xs = [x for _, x in stands]
    apart = (max(xs) - min(xs)) / max(1, len(xs) - 1)
    if apart <= 2.5 * radius and not look.mode.lanes:
        return ()
    return tuple(grouped(LANE, [
        Rect(x - radius, y - radius, 2 * radius, 2 * radius, ink if name in done else "stage",
             ink if name in done else "rule", 1.5, radius=radius) for name, x in stands]))


def _cursor(trace: Trace, timeline: Timeline, moment: Moment, look: Look, places: Mapping[str, float],
            order: Sequence[str], row: Lane) -> list[Mark]:
    x = cursor_x(timeline, moment, places, order)
    _, reached = _there(timeline, moment, order)
    foot = look.size[1] - 6.0
    lines = [(row.beats + RING, foot)] if reached & norms(trace).keys() else \
        [(row.beats + RING, row.chart_top), (row.chart_bottom, foot)]
    marks: list[Mark] = [Line(((x, top), (x, bottom)), "accent", 1, dashed=True) for top, bottom in lines]
    marks += _ring(timeline, moment, look, places, order, row)
    shown = moment.beat.layer if moment.beat.layer in reached else timeline.settled(moment.index - 1).beat.layer
    return marks + (_norm_label(trace, shown, look, places, row, reached) if shown in reached else [])


def _ring(timeline: Timeline, moment: Moment, look: Look, places: Mapping[str, float], order: Sequence[str],
          row: Lane) -> list[Mark]:
    """Where the cursor stands on the line of beats."""
    return ring(cursor_x(timeline, moment, places, order), row.beats, "accent")


def ring(x: float, y: float, ink: str) -> list[Mark]:
    """The cursor of a lane: a ring with a dot in it."""
    return [Rect(x - RING, y - RING, 2 * RING, 2 * RING, "stage", ink, 2, radius=RING),
            Rect(x - 3.5, y - 3.5, 7, 7, ink, radius=3.5)]


def cursor_x(timeline: Timeline, moment: Moment, places: Mapping[str, float], order: Sequence[str]) -> float:
    """Where the cursor is: it travels from the layer before during the beats of a layer, and stands when they are
    done."""
    here = order.index(moment.beat.layer)
    came_from = here + 1 if moment.backward else here - 1
    if not 0 <= came_from < len(order) or moment.index == 0:
        return places[order[here]]
    start = places[order[came_from]]
    return start + (places[order[here]] - start) * _gone(timeline, moment)


def _gone(timeline: Timeline, moment: Moment) -> float:
    """How much of all beats of its layer is over, 0 … 1: a layer of steps has one for each."""
    if moment.beat.step is None:
        return ease(moment.phase)
    beats = [index for index, beat in enumerate(timeline.beats)
             if (beat.layer, beat.direction) == (moment.beat.layer, moment.beat.direction)]
    return (moment.index - beats[0] + ease(moment.phase)) / len(beats)


@remembered(16)
def norms(trace: Trace) -> dict[str, float]:
    """∥∂L/∂a∥ of every layer through which gradient came."""
    return {layer.name: norm(layer.gradient)
            for layer in trace.layers if layer.gradient is not None and layer.output.ndim}


@remembered(4)
def _decades(trace: Trace) -> tuple[int, int]:
    """Whole powers of ten around all norms that can be drawn."""
    drawn = [value for value in norms(trace).values() if 0 < value < np.inf]
    if not drawn:
        return -1, 0
    low, high = int(np.floor(np.log10(min(drawn)))), int(np.ceil(np.log10(max(drawn))))
    return low, max(high, low + 1)


def _norm_y(value: float, trace: Trace, row: Lane) -> float:
    low, high = _decades(trace)
    share = (np.log10(value) - low) / (high - low) if value > 0 else 0.0
    return float(row.chart_bottom - min(1.0, max(0.0, share)) * (row.chart_bottom - row.chart_top))


def not_yet(x: float, y: float, wide: float, high: float, words: str) -> list[Mark]:
    """A lane that is still to come, or a part of one, and when it comes where there is room to say so."""
    room = width(words, 12) + 14
    middle = x + wide / 2
    if room > wide:
        return [Rect(x, y, wide, high, "hatch")]
    return [Rect(x, y, wide, high, "hatch"),
            Rect(middle - room / 2, y + high / 2 - 9, room, 18, "stage", "rule", 1, radius=4),
            Text(middle, y + high / 2 + 4.5, plain(words), 12, 400, "ink-2", "middle")]


def _gradient_chart(trace: Trace, look: Look, places: Mapping[str, float], order: Sequence[str],
                    row: Lane, reached: frozenset[str]) -> list[Mark]:
    found = norms(trace)
    named = [name for name in order if name in found and np.isfinite(found[name])]
    label_y = (row.chart_top + row.chart_bottom) / 2
    marks: list[Mark] = [Text(10, label_y - 2, plain(tr("gradient")), 11, 500, "ink-2"),
                         Text(10, label_y + 12, (Run("∥∂L/∂"), Run("a", italic=True), Run("∥ log")), 11,
                              400, "ink-2")]
    if not named:
        marks.append(Text(places[order[0]] + 40, label_y + 4, plain(tr("nothing flowed back")), 11, 400,
                          "ink-2"))
        return marks
    named = [name for name in named if name in reached]
    if not named:
        return marks + not_yet(places[order[0]] - 8, row.chart_top, look.size[0] - 44 - places[order[0]],
                               row.chart_bottom - row.chart_top, tr("comes on the way back"))
    low, high = _decades(trace)
    step = max(1, -(-(high - low) // 3))
    for power in range(high, low - 1, -step):
        y = row.chart_bottom - (power - low) / (high - low) * (row.chart_bottom - row.chart_top)
        marks.append(Line(((places[order[0]] - 8, y), (look.size[0] - 52, y)), "hair"))
        words = tick(numbers.power_of_ten(power), 10.0 ** power, 10.0 ** low, 10.0 ** high)
        marks.append(Text(look.size[0] - 10, y + 4, plain(words), 11, 400, "ink-2", "end"))
    points = tuple((places[name], _norm_y(found[name], trace, row)) for name in named)
    if len(points) > 1:
        marks.append(Line(points, "gradient-line", 1.5))
    for name, (x, y) in zip(named, points, strict=True):
        if name in (named[0], named[-1]):
            number = plain(said(numbers.significant(found[name], 2), "norm of gradient", name))
            crowded = x + 7 + width(number, 12, 600) > look.size[0] - 36  # the axis is written there
            foot = look.size[1] - 4 if row.zeros is None else row.zeros - 11
            below = min(y + 14, foot)  # above the dot stands that of the beat beside it
            marks.append(Text(x - 7 if crowded else x + 7, below, number, 12, 600, "gradient-text",
                              "end" if crowded else "start"))
        zero = found[name] == 0
        marks.append(Rect(x - 2.5, y - 2.5, 5, 5, "stage" if zero else "gradient-mark",
                          "gradient-mark" if zero else "", radius=2.5))
    return marks


def _norm_label(trace: Trace, name: str, look: Look, places: Mapping[str, float], row: Lane,
                reached: frozenset[str]) -> list[Mark]:
    found = {other: norm for other, norm in norms(trace).items() if other in reached}
    if name not in found or name in (next(iter(found)), next(reversed(found))):
        return []  # the first and the last are always written
    known = [other for other in places if other in found and np.isfinite(found[other])]
    dots = [(places[other], _norm_y(found[other], trace, row)) for other in known]
    if name not in known:
        return []
    x, y = dots[known.index(name)]
    near = [(px - 3, py - 3, px + 3, py + 3) for px, py in dots if abs(px - x) < 80]
    words = said(numbers.significant(found[name], 2), "norm of gradient", name)
    return list[Mark](Labels((80, 0, *look.size), 0, near, dots).put(
        words, [(x + 7, y - 5, "start"), (x - 7, y - 5, "end"), (x, y - 14, "middle")], 12, 600, "gradient-text"))


@remembered(1)
def _share_of_zeros(layer: Layer) -> float:
    """The share of its values that are exactly 0; of an input, and of one number, nothing is said."""
    if layer.is_input or not layer.output.ndim or not layer.output.size:
        return 0.0
    return (layer.output.size - int(np.count_nonzero(layer.output))) / layer.output.size


def _zeros(trace: Trace, look: Look, places: Mapping[str, float], order: Sequence[str], row: Lane) -> list[Mark]:
    assert row.zeros is not None
    marks: list[Mark] = []
    last = -1e9
    for name in order:
        layer = trace[name]
        share = _share_of_zeros(layer)
        if share == 0 or places[name] - last < 32:
            continue
        last = places[name]
        width = 34
        x, y = places[name] - width / 2, row.zeros + 6
        words = said(numbers.percent(share, 0), "share exactly 0", name)
        marks += [Text(places[name], row.zeros, plain(words), 11, 500, "ink", "middle"),
                  Rect(x, y, width, 3, "sunk", radius=1.5),
                  Rect(x, y, width * share, 3, "ink-2", radius=1.5)]
    return [Text(10, row.zeros, plain(tr("zeros")), 11, 500, "ink-2"), *marks] if marks else []


def _largest(values: NDArray[Any]) -> float:
    return colour.largest(values)
