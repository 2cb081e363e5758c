"""Columns: how a network stands side by side, one column a layer, one row a channel.

Pure arithmetic on shapes: nothing is drawn here. Layers that only lay numbers out anew (flatten) get no tiles but a
narrow passage; the number the objective gives stands at the far right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from visualizer import kinds
from visualizer.language import tr
from visualizer.said import said, tick
from visualizer.scene.boxes import whole
from visualizer.scene.channels import ranked
from visualizer.scene.picture import Look
from visualizer.scene.projector import FOOT
from visualizer.scene.reading import words_of
from visualizer.scene.type import width
from visualizer.trace import Layer, Trace, remembered

PADDING = 24.0
LABELS = 84.0
"""The first beat stands at least this far in, so that the names of the lanes have room before it."""
ROW_GAP = 6.0
"""Least space between two maps of a column."""
MOST_IN_ONE = 16
"""Channels that stand in one sub-column; up to 64 stand in two or four, above that the strongest twelve are shown."""
MOST_MAPS = 64
MOST_KERNELS = 16
"""So many kernels stand between two layers at most."""
BETWEEN = 6.0
"""Pixels between kernels that stand one below the other."""
RANKED = 12
MOST_BARS = 20
BARS, LONGEST_NAME = 138.0, 96.0
"""Width of the bars of the classes with names of one letter, and of the longest name there is room for."""
LEAST_BARS = 92.0
"""Width at which such bars are still seen, with names of one letter."""
NAME = 12.0
"""Room that the bars leave for a name without growing wider."""
TALLEST_TILE = 168.0
WIDEST_SEQUENCE, WIDEST_FEW = 168.0, 96.0
"""Layers over steps, at most; for a room, where as few columns as possible should have to scroll."""
TALLEST_STEP, WIDEST_UNIT = 24.0, 12.0
"""Cells of a layer that runs over the steps of a sequence: each step has the same row in all of them."""
LEGEND = 54.0
"""Height of the colour bar, which stands in the lower left corner: sequences leave so much above and below."""
LEGEND_WIDE = 124.0
LAST = 72.0
"""The last column has so much room for what stands above it."""
MOST_SIDE_BY_SIDE = 14
ARC, MOST_LEVELS = 8.0, 3
"""Pixels between the levels on which arcs run above the columns, and how many levels there are."""
SCROLLED = 16.0
"""Height under the columns that is kept for the words on what has scrolled past."""
DEEP_TILE = 64.0
"""Tiles of a network that is too deep to stand side by side."""
LOWEST_BAR = 13.0
"""Height that a bar needs beside a name that can be read."""
LOSS_LINE, LOW = 20.0, 240.0
"""Height under the bars of the classes that is kept for the loss; in so little room it stands elsewhere."""


@dataclass(frozen=True)
class Column:
    """Where one layer stands."""

    layer: str
    style: str
    """`picture` one image · `maps` · `units` cells · `bars` classes · `passage` nothing drawn · `number` the loss."""
    x: float
    top: float
    width: float
    cell: tuple[float, float] = (1.0, 1.0)
    """Width and height of one value."""
    tile: tuple[float, float] = (0.0, 0.0)
    pitch: tuple[float, float] = (0.0, 0.0)
    sub_columns: int = 1
    shown: tuple[int, ...] = ()
    """Which channels, units or classes, in the order they stand in."""
    total: int = 0
    factor: int = 1
    """Each drawn cell stands for factor × factor values, the largest shown."""
    ranking: str = ""
    """By what the shown ones were chosen, when not all are shown."""

    @property
    def middle(self) -> float:
        return self.x + self.width / 2

    @property
    def height(self) -> float:
        rows = -(-max(1, len(self.shown)) // self.sub_columns)
        return (rows - 1) * self.pitch[1] + self.tile[1]

    def box(self, channel: int) -> tuple[float, float, float, float] | None:
        """x, y, width, height of a channel's tile; None if it is not shown."""
        if channel not in self.shown:
            return None
        place = self.shown.index(channel)
        x = self.x + (place % self.sub_columns) * self.pitch[0]
        return x, self.top + (place // self.sub_columns) * self.pitch[1], *self.tile


@dataclass(frozen=True)
class Plan:
    """Where everything stands."""

    columns: Mapping[str, Column]
    top: float
    bottom: float
    kernel_x: Mapping[str, float]
    """For a layer with kernels: where their column stands, before the layer's own."""
    skips: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Reads that leap over other columns, (source, reader) -> which of the levels above the columns its arc runs on."""
    deep: bool = False
    """Too many columns to stand side by side: `scrolled` cuts out those around a layer."""
    fixed: tuple[str, ...] = ()
    """Columns that stay while the others scroll: the input, and at the right the answer."""
    left_out: str = ""
    """What a cut plan does not show, in words."""
    large: frozenset[str] = frozenset()
    """Under the lens: the layers that stand large."""
    paired: bool = False
    """Whether those stand in one grid, each map beside what became of it."""
    strip: tuple[Column, ...] = ()
    """For a room: all layers small, one tile each, along the bottom."""


def maps_shown(layer: Layer, column: Column) -> tuple[int, ...]:
    """Which of all maps of a layer, whatever stands in front of rows and columns, its tiles are: of volumes whose
    channels a column counts the slice in the middle of each."""
    deep = int(np.prod(layer.shape[1:-2])) if layer.output.ndim > 3 and column.total == layer.shape[0] else 1
    return tuple(channel * deep + deep // 2 for channel in column.shown)


@remembered(16)
def passages(trace: Trace) -> frozenset[str]:
    """The layers that compute nothing and only lay numbers out anew."""
    return frozenset(layer.name for layer in trace.layers if (kind := kinds.of(layer)) is not None and kind.moves_only)


@remembered(2)
def symbols(trace: Trace, layer: Layer) -> tuple[str, ...]:
    """What the numbers of an input stand for, one a step: words or letters that a table is looked up by. Empty for all
    other layers."""
    looked_up = layer.is_input and layer.output.ndim == 1 and any(
        kinds.role(reader) == "table" for reader in trace.readers(layer.name))
    return words_of(trace, len(layer.output)) if looked_up and len(trace.sample.steps) == len(layer.output) else ()


def arrange(trace: Trace, look: Look, passages: frozenset[str] = frozenset()) -> Plan:
    """The columns of a trace for a picture of this size, the same for every moment of it.

    `passages` names the layers that compute nothing and only lay numbers out anew.
    """
    skips = skips_of(trace, passages)
    top, bottom = 130.0, look.size[1] - lanes_height(look) - 14
    if skips:
        top += 12 + ARC * (1 + max(skips.values()))
    return _arrange(trace, look.size[0], top, bottom, look.pixel, look.knob("ranking", "mean"), passages,
                    not look.mode.lanes)


def short_name(name: str) -> str:
    """The last part of a module path: `relu#2` of `block.relu#2`; the last two where that is only a number."""
    *before, last = name.split(".")
    return f"{before[-1]}.{last}" if before and last.isdecimal() else last


@remembered(32)
def skips_of(trace: Trace, passages: frozenset[str]) -> Mapping[tuple[str, str], int]:
    """Reads that leap over columns between, each with the lowest level on which no other arc is in its way."""
    order = {layer.name: index for index, layer in enumerate(trace.layers)}
    drawn = [layer.name for layer in trace.layers if layer.name not in passages and layer.output.ndim]
    place = {name: index for index, name in enumerate(drawn)}
    found: dict[tuple[str, str], int] = {}
    for target in drawn:
        for source in sorted(_read(trace, target, passages) & place.keys(), key=lambda name: -order[name]):
            between = place[target] - place[source] - 1
            if between > 0 and trace[target].axes != ("class",):
                crossed = {level for (a, b), level in found.items()
                           if order[a] < order[target] and order[source] < order[b]}
                found[source, target] = next(level for level in range(MOST_LEVELS) if level not in crossed
                                             or level == MOST_LEVELS - 1)
    return found


def _read(trace: Trace, name: str, passages: frozenset[str]) -> set[str]:
    """What a layer reads, seen through passages."""
    found: set[str] = set()
    reads = [*trace[name].reads]
    while reads:
        read = reads.pop()
        if read in passages:
            reads += trace[read].reads
        else:
            found.add(read)
    return found


def lanes_height(look: Look) -> float:
    """Height of the strip of lanes at the bottom of a picture; for a room, of the line of beats alone."""
    if not look.mode.lanes:
        return FOOT
    return 112 if look.size[1] >= 700 else 96


def scrolled(plan: Plan, came_from: str, layer: str, share: float, look: Look) -> Plan:
    """The columns of a deep network around a layer, on the way to it from another one; the fixed ones stay.

    What lies outside gets the style `hidden`.
    """
    if not plan.deep:
        return plan
    middle = [column for column in plan.columns.values() if column.layer not in plan.fixed]
    left = max(column.x + column.width for column in plan.columns.values() if column.x < middle[0].x) + 24
    right = min((column.x - 24 for column in plan.columns.values() if column.layer in plan.fixed and column.x > left),
                default=left + max(column.width for column in middle))  # no room beside the fixed ones: one at a time
    ends = middle[0].x - left, max(middle[0].x - left, middle[-1].x + middle[-1].width - right)

    def offset(name: str) -> float:
        column = plan.columns[name]
        if name in plan.fixed:
            return ends[0] if column.x <= left else ends[1]
        return min(max(column.middle - (left + right) / 2, ends[0]), ends[1])

    moved = round(offset(came_from) + (offset(layer) - offset(came_from)) * share)
    columns = {}
    for name, column in plan.columns.items():
        if name in plan.fixed:
            columns[name] = column
            continue
        seen = column.x - moved >= left - 1 and column.x + column.width - moved <= right + 1
        columns[name] = replace(column, x=column.x - moved, style=column.style if seen else "hidden")
    shown = [index for index, column in enumerate(columns.values(), 1)
             if column.style != "hidden" and column.layer not in plan.fixed]
    hidden = any(column.style == "hidden" for column in columns.values())
    words = tr("layers {first} to {last} of {all}").format(
        first=tick(str(shown[0]), shown[0], 1, len(columns)), last=tick(str(shown[-1]), shown[-1], 1, len(columns)),
        all=said(str(len(columns)), "how many layers")) \
        if shown and hidden else ""
    kernels = {name: x - moved for name, x in plan.kernel_x.items() if columns[name].style != "hidden"
               and x - moved > left}
    return replace(plan, columns=columns, kernel_x=kernels, left_out=words)


@remembered(32)
def _arrange(trace: Trace, wide: float, top: float, bottom: float, pixel: float, ranking: str,
             passages: frozenset[str], few: bool) -> Plan:
    room = bottom - top - (SCROLLED if few else 0)
    columns = [blank_column(trace, layer, room, pixel, ranking, layer.name in passages) for layer in trace.layers]
    widest = WIDEST_FEW if few else WIDEST_SEQUENCE
    columns = _one_size_a_group(trace, columns, room, pixel, widest)
    gaps = _past_the_legend(columns, [_gap(trace, before, after) for before, after in pairwise(columns)], room)
    begins = _start(columns[0])
    available = wide - PADDING - begins - _overhang(columns)
    deep = len(columns) > MOST_SIDE_BY_SIDE and _least(columns, gaps) > 1.3 * available
    if deep or (few and _least(columns, gaps) > available):
        return _deep(trace, columns, gaps, wide, top, bottom - top - SCROLLED, pixel, skips_of(trace, passages))
    whole, columns = columns, _fit(columns, gaps, available, room, pixel, trace)
    if any(now.factor > then.factor for now, then in zip(columns, whole, strict=True)):
        return _deep(trace, whole, gaps, wide, top, bottom - top - SCROLLED, pixel, skips_of(trace, passages))
    gaps = _past_the_legend(columns, [_gap(trace, before, after) for before, after in pairwise(columns)], room)
    start = _start(columns[0])
    available -= start - begins  # a first column that was shrunk stands farther in
    gaps = _tightened(columns, gaps, available - sum(column.width for column in columns))
    spare = max(0.0, available - sum(column.width for column in columns) - sum(least for least, _ in gaps))
    weight = sum(share for _, share in gaps) or 1.0
    x, placed, kernel_x = start, {}, {}
    for index, column in enumerate(columns):
        if index:
            least, share = gaps[index - 1]
            gap = least + spare * share / weight
            if kernel_width(trace[column.layer]):
                kernel_x[column.layer] = round(x + (gap - kernel_width(trace[column.layer])) * 0.34)
            x += gap
        middle_top = top + max(0.0, room - column.height) / 2
        placed[column.layer] = replace(column, x=float(round(x)), top=float(round(middle_top)))
        x += column.width
    return Plan(placed, top, bottom, kernel_x, skips_of(trace, passages))


def _past_the_legend(columns: list[Column], gaps: list[tuple[float, float]], room: float) -> list[tuple[float, float]]:
    """The gaps, the first one so wide that the colour bar stands beside a second column that reaches down to it."""
    if len(columns) < 2 or columns[0].style != "units" or columns[1].height <= room - 2 * LEGEND:
        return gaps
    (least, share), *rest = gaps
    return [(max(least, LEGEND_WIDE - columns[0].width), share), *rest]


def _tightened(columns: list[Column], gaps: list[tuple[float, float]], room: float) -> list[tuple[float, float]]:
    """The gaps between columns in so much room: as they are; else closer, as far as the names of layers that are drawn
    have their place above the columns; else closer still, and names are cut short."""
    wanted = [least for least, _ in gaps]
    if sum(wanted) <= room or not wanted:
        return gaps
    named = [min(least, 6.0 if before.style == "passage" else max(6.0, _named(before) - before.width))
             for least, (before, _) in zip(wanted, pairwise(columns), strict=True)]
    if sum(named) <= room:
        share = (room - sum(named)) / (sum(wanted) - sum(named))
        return [(low + (least - low) * share, part) for low, (least, part) in zip(named, gaps, strict=True)]
    return [(least * room / sum(wanted), part) for least, part in gaps]


def _named(column: Column) -> float:
    """How much room the name of a column takes, with the space after it."""
    return width(short_name(column.layer), 13, 600, mono=True) + 8


def _overhang(columns: list[Column]) -> float:
    """How far what stands above the last column reaches over its right edge."""
    last = next((column for column in reversed(columns) if column.style not in ("number", "passage")), columns[-1])
    return max(0.0, LAST - last.width)


def _least(columns: list[Column], gaps: list[tuple[float, float]]) -> float:
    return sum(column.width for column in columns) + sum(least for least, _ in gaps)


def _deep(trace: Trace, columns: list[Column], gaps: list[tuple[float, float]], wide: float, top: float, room: float,
          pixel: float, skips: Mapping[tuple[str, str], int]) -> Plan:
    """All columns in one long row, each with the room it wants; the answer stands at the right edge of the picture."""
    tile = DEEP_TILE
    columns = [column for group in _groups(columns)
               for column in (_group_sized(trace, group, room, pixel, tile) if group[0].style == "maps" else group)]
    answer = next((index for index, column in enumerate(columns)
                   if index and trace[column.layer].axes[-1:] == ("class",)), len(columns) - 1)
    placed: dict[str, Column] = {}
    kernel_x: dict[str, float] = {}
    x = _start(columns[0])
    right = wide - PADDING - _least(columns[answer:], gaps[answer:]) - _overhang(columns)
    for index, column in enumerate(columns):
        if index:
            gap = gaps[index - 1][0] + 8
            kernel = kernel_width(trace[column.layer])
            if kernel and index < answer:
                kernel_x[column.layer] = round(x + (gap - kernel) * 0.34)
            x = right if index == answer else x + gap - (8 if index > answer else 0)
        height = top + max(0.0, room - column.height) / 2
        placed[column.layer] = replace(column, x=float(round(x)), top=float(round(height)))
        x += column.width
    fixed = (columns[0].layer, *(column.layer for column in columns[answer:]))
    return Plan(placed, top, top + room, kernel_x, skips, True, fixed)


def blank_column(trace: Trace, layer: Layer, room: float, pixel: float, ranking: str, passage: bool) -> Column:
    """The column of one layer, not placed yet."""
    blank = Column(layer.name, "passage", 0, 0, 0, total=layer.shape[0] if layer.shape else 1)
    if layer.output.ndim == 0:
        return replace(blank, style="number", width=8)
    if passage:
        return blank
    if layer.is_input and layer.has("row", "column") and layer.shape[0] in (1, 3):
        return sized(replace(blank, style="picture", shown=(0,)), layer, 160, min(112, room - 2 * LEGEND), pixel)
    if layer.output.ndim >= 2:
        return _maps(blank, layer, ranking)
    if layer.axes == ("class",) and any(answer.layer == layer.name for answer in trace.answers):
        wide = BARS + long_names(trace)
        return _classes(replace(blank, style="bars", width=wide), layer, room, trace)
    if layer.axes == ("class",) and layer.shape[0] <= MOST_BARS:
        return _classes(replace(blank, style="units", width=24), layer, room, trace)
    if layer.axes == ("step",) and layer.shape[0] <= room - 2 * LEGEND:
        pitch = _step_height(layer.shape[0], room, pixel)
        cell = (20.0, pitch - (2 if pitch > 8 else 1 if pitch > 2 else 0))
        return replace(blank, style="units", width=cell[0], cell=cell, tile=cell, pitch=(cell[0], pitch),
                       shown=tuple(range(layer.shape[0])))
    return _units(blank, layer.shape[0], room - 2 * LEGEND if layer.is_input else room)


def long_names(trace: Trace) -> float:
    """How much wider than usual the names of the classes are."""
    longest = max((width(label, 14, 600) for label in trace.labels), default=0.0)
    return max(0.0, min(LONGEST_NAME, longest) - NAME)


def _classes(column: Column, layer: Layer, room: float, trace: Trace) -> Column:
    count = layer.shape[0]
    shown = tuple(range(count))
    ranking = ""
    below = 2 * LOSS_LINE if room > LOW else 0.0
    fitting = max(1, int((room - below) / LOWEST_BAR))
    if count > min(MOST_BARS, fitting):
        order = np.argsort(-layer.output, kind="stable")[:min(RANKED, fitting)]
        shown, ranking = tuple(int(index) for index in order), "largest"
    pitch = whole(min(48, (room - below) / len(shown)))
    side = min(24, pitch - 4)
    return replace(column, cell=(side, side), tile=(side, side), pitch=(side, pitch), shown=shown, ranking=ranking)


def _units(column: Column, count: int, room: float) -> Column:
    for cell, gap in (((20.0, 9.0), 2), ((8.0, 8.0), 2), ((4.0, 4.0), 1), ((2.0, 2.0), 0)):
        wide, high = cell[0], cell[1]
        rows = max(1, int(room // (high + gap)))
        across = -(-count // rows)
        if across * (wide + gap) <= 7 * 22 or cell == (2.0, 2.0):
            break
    shown = tuple(range(count))
    return replace(column, style="units", width=across * (wide + gap) - gap, cell=(wide, high), tile=(wide, high),
                   pitch=(wide + gap, high + gap), sub_columns=across, shown=shown)


def _maps(column: Column, layer: Layer, ranking: str) -> Column:
    """Channels of rows and columns; a (step, unit) layer is one map."""
    count = layer.shape[0] if layer.output.ndim >= 3 else 1
    shown, by = tuple(range(count)), ""
    if count > MOST_MAPS:
        shown, by = ranked(layer, ranking)[:RANKED], ranking
    across = 1 if len(shown) <= MOST_IN_ONE else 2 if len(shown) <= 2 * MOST_IN_ONE else 4
    return replace(column, style="maps", shown=shown, total=count, sub_columns=across, ranking=by)


def sized(column: Column, layer: Layer, wide: float, high: float, pixel: float) -> Column:
    """Whole pixels a value, as many as fit into a tile; maps larger than the tile are drawn by their largest values."""
    rows, across = layer.shape[-2:]
    factor = max(1, -(-rows // max(1, int(high / pixel))), -(-across // max(1, int(wide / pixel))))
    rows, across = -(-rows // factor), -(-across // factor)
    side = max(pixel, whole(min(high / rows, wide / across), pixel))
    size = (across * side, rows * side)
    return replace(column, cell=(side, side), tile=size, factor=factor, width=size[0], pitch=size)


def _sequence(column: Column, layer: Layer, room: float, pixel: float, widest: float) -> Column:
    """(step, unit): a step is as high as in every other layer over these steps, a unit as wide as there is room."""
    steps, units = layer.shape
    factor = max(1, -(-steps // max(1, int((room - 2 * LEGEND) / pixel))), -(-units // int(WIDEST_SEQUENCE / pixel)))
    steps, units = -(-steps // factor), -(-units // factor)
    cell = (max(pixel, whole(min(WIDEST_UNIT, widest / units), pixel)), _step_height(steps, room, pixel))
    size = (cell[0] * units, cell[1] * steps)
    return replace(column, cell=cell, tile=size, factor=factor, width=size[0], pitch=size)


def _step_height(steps: int, room: float, pixel: float) -> float:
    return max(pixel, whole(min(TALLEST_STEP, (room - 2 * LEGEND) / steps), pixel))


def _one_size_a_group(trace: Trace, columns: list[Column], room: float, pixel: float,
                      widest: float) -> list[Column]:
    """Neighbouring layers of as many channels share their rows and the size of their tiles."""
    found: list[Column] = []
    for group in _groups(columns):
        tallest = widest if _runs(trace, group[0]) else TALLEST_TILE
        found.extend(_group_sized(trace, group, room, pixel, tallest))
    return found


def _group_sized(trace: Trace, group: list[Column], room: float, pixel: float, tallest: float) -> list[Column]:
    if group[0].style != "maps":
        return group
    if all(_runs(trace, column) for column in group):
        return [_sequence(column, trace[column.layer], room, pixel, tallest) for column in group]
    rows = -(-len(group[0].shown) // group[0].sub_columns)
    pitch = room / rows
    high = min(tallest, pitch - (ROW_GAP if pitch > 24 else 2)) if rows > 1 else min(tallest, pitch)
    wide = tallest
    down, across = (max(trace[column.layer].shape[axis] for column in group) for axis in (-2, -1))
    if side := whole(min(high / down, wide / across), pixel):
        wide, high = side * across, side * down
    pitch = whole(min(pitch, high * 1.35 + ROW_GAP), pixel)
    found = []
    for column in group:
        own = sized(column, trace[column.layer], wide, high, pixel)
        step = own.tile[0] + (4 if column.sub_columns > 1 else 0)
        width = step * (column.sub_columns - 1) + own.tile[0]
        found.append(replace(own, pitch=(step, pitch), width=width))
    return found


def _runs(trace: Trace, column: Column) -> bool:
    """Whether a column is the steps of a sequence, one below the other."""
    layer = trace[column.layer]
    return column.style == "maps" and layer.output.ndim == 2 and layer.axes[0] == "step"


def _groups(columns: list[Column]) -> list[list[Column]]:
    groups: list[list[Column]] = []
    for column in columns:
        last = groups[-1][-1] if groups else None
        together = (last is not None and last.style == column.style == "maps"
                    and (last.total, last.sub_columns, len(last.shown)) ==
                    (column.total, column.sub_columns, len(column.shown)))
        if together:
            groups[-1].append(column)
        else:
            groups.append([column])
    return groups


def _gap(trace: Trace, before: Column, after: Column) -> tuple[float, float]:
    """Least width between two columns, and its share of what is left over; a column's name has room above both."""
    if after.style == "number":
        return 0.0, 0.0
    least, share = _apart(trace[after.layer], before, after)
    return max(least, _named(before) - before.width), share


def _apart(layer: Layer, before: Column, after: Column) -> tuple[float, float]:
    if after.style == "passage":
        return 6.0, 0.3
    if before.style == "passage":
        return 30.0, 0.6
    if kernel_width(layer) and after.style == "maps":
        return kernel_width(layer) + (54 if before.total > 1 else 30), 2.2 if before.total > 1 else 1.0
    if after.style == "bars":
        return 16.0, 0.3
    dense = kinds.role(layer) == "weighted" and "weight" in layer.weights and layer.weights["weight"].ndim == 2
    return (30.0, 0.8) if dense else (14.0, 0.5)


def kernel_width(layer: Layer) -> float:
    """Width of the tile of one kernel on its way to a layer; 0 if it has none."""
    weight = layer.weights.get("weight")
    if weight is None or weight.ndim != 4:
        return 0.0
    return float(weight.shape[-1] * kernel_cell(weight.shape[-1]))


def kernel_boxes(trace: Trace, plan: Plan, name: str, source: Column) -> dict[int, tuple[float, float, float, float]]:
    """Where the kernel that is laid on each map of a source stands: left, top, width, height; in the order of the
    maps. Beside its map where those are one below the other, else spread over the height of all; one below the other
    beside a picture in colour, which is one for each of its three channels."""
    weight = trace[name].weights.get("weight")
    if weight is None or weight.ndim != 4 or name not in plan.kernel_x or source.style not in ("maps", "picture"):
        return {}
    in_colour = source.style == "picture" and trace[source.layer].shape[0] == 3
    shown = tuple(range(3)) if in_colour else source.shown[:MOST_KERNELS]
    room = (plan.bottom - plan.top) / len(shown) - 2
    side = max(1, min(kernel_cell(weight.shape[-1]), int(room / weight.shape[-2])))
    wide, high = side * weight.shape[-1], side * weight.shape[-2]
    span = min(max(source.height - high, (len(shown) - 1) * (high + BETWEEN)), plan.bottom - plan.top - high)
    start = max(plan.top, source.top + (source.height - span - high) / 2)
    found: dict[int, tuple[float, float, float, float]] = {}
    for place, tile in enumerate(shown):
        box = source.box(source.shown[0] if in_colour else tile)
        assert box is not None
        beside = box[1] + box[3] / 2 - high / 2
        y = beside + (place - 1) * (high + BETWEEN) if in_colour else beside if source.sub_columns == 1 else \
            start + span * (place + 0.5) / len(shown) if len(shown) == 1 else start + span * place / (len(shown) - 1)
        found[tile] = (plan.kernel_x[name], float(round(y)), wide, high)
    return found


def read_by(layer: Layer, channel: int) -> range:
    """Which channels of what it reads one channel of a layer with kernels reads: all, or those of its group."""
    weight = layer.weights["weight"]
    group = channel // max(1, len(weight) // int(layer.settings.get("groups", 1)))
    return range(group * weight.shape[1], (group + 1) * weight.shape[1])


def kernel_cell(columns: int) -> int:
    """Pixels a weight of a kernel tile."""
    return int(max(2, min(9, 27 // columns)))


def _fit(columns: list[Column], gaps: list[tuple[float, float]], available: float, room: float, pixel: float,
         trace: Trace) -> list[Column]:
    """Shrink until everything stands side by side: first wide cells, then the largest tiles, a pixel a value at a time.

    The picture that was fed in keeps at least half its size: everybody looks there first.
    """
    while _least(columns, gaps) > available:
        widest = max((column.cell[0] for column in columns if column.style == "units" and len(column.shown) > 12),
                     default=0.0)
        if widest > 8:
            columns = [_narrower(column, widest - 2) if column.style == "units" and len(column.shown) > 12 else column
                       for column in columns]
            continue
        groups = _groups(columns)
        wide = [group for group in groups if max(column.cell[0] for column in group) > pixel
                and (group[0].style == "maps" or (group[0].style == "picture" and group[0].tile[0] > 56))]
        whole = [group for group in wide if min(column.cell[0] for column in group) > pixel]
        if not wide:
            break
        target = max(whole or wide, key=lambda group: group[0].tile[0])  # values of their own as long as possible
        columns = [column for group in groups
                   for column in (_shrunk(trace, group, room, pixel) if group is target else group)]
    return columns


def _start(first: Column) -> float:
    """Where the first column begins, at a text scale of 1."""
    return max(PADDING, LABELS - first.width / 2)


def _narrower(column: Column, wide: float) -> Column:
    wide = min(wide, column.cell[0])
    pitch = wide + column.pitch[0] - column.cell[0]
    width = pitch * (column.sub_columns - 1) + wide
    return replace(column, cell=(wide, column.cell[1]), tile=(wide, column.tile[1]), pitch=(pitch, column.pitch[1]),
                   width=width)


def _shrunk(trace: Trace, group: list[Column], room: float, pixel: float) -> list[Column]:
    if group[0].style == "picture":
        wide, high = group[0].tile
        return [sized(group[0], trace[group[0].layer], wide - pixel, high, pixel)]
    largest = max(column.tile[0] for column in group if column.cell[0] > pixel)
    return _group_sized(trace, group, room, pixel, largest - pixel)
