"""Lens: the layers that are read and the layer that is written stand large, the others recede to context.

Each beat has a plan of its own, and the camera goes from one to the next: it only scales and shifts, because every
layer keeps the same grid of tiles in all of them. Pure arithmetic on shapes, as in `columns`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from visualizer import kinds
from visualizer.language import tr
from visualizer.said import said, tick
from visualizer.scene.blocks import KIND, beside, card_height, is_folded
from visualizer.scene.boxes import whole
from visualizer.scene.columns import (
    ARC,
    BARS,
    LAST,
    LEAST_BARS,
    PADDING,
    Column,
    Plan,
    blank_column,
    kernel_width,
    lanes_height,
    long_names,
    sized,
    skips_of,
    symbols,
)
from visualizer.scene.picture import Look
from visualizer.scene.timeline import Beat
from visualizer.scene.type import width as text_width
from visualizer.trace import Layer, Trace, remembered

TOP, FOOT = 128.0, 52.0
"""Where tiles may begin, and the room under them for the colour bar."""
GAP, INTO, LINES = 9.0, 26.0, 96.0
"""Between two layers of the context; beside the pair; within the pair, where lines run from the one to the other."""
TABLE = 200.0
"""Within the pair, where the rows of a table stand between."""
WIDER = 60.0
"""So much wider at most is the gap of a pair between which only lines run, however much room there is."""
BETWEEN, COUNTED = 8.0, 22.0
"""Between two tiles of one layer that stands large; below one, where what happened in it is counted."""
STRIP, STRIP_TILE, ROOM_TOP, ROOM_LEGEND = 66.0, 31.0, 106.0, 44.0
"""For a room: the height kept for the strip of all layers, the side of its tiles, where the pair begins, and the room
under it for the colour bar."""
SMALL, LARGEST = 11.0, 112.0
"""Tiles of the context: the least there must be room for, and the largest."""
FLAT = 6
"""Maps that are so many times as wide as high are drawn as bands."""
WIDEST_SMALL = 2.2
"""How much wider than high a tile of the context may be."""
PAIR = 0.58
"""The pair takes at least so much of the width, and more where the context needs less than the rest."""
RIM = 14.0
"""So much wider is a gap in which the frame of an open block stands."""
PAIR_OF_MANY, LEAST_PAIR = 0.5, 0.3
"""The same where blocks are closed, and many layers stand around; and where else there would be no room for all layers
of the block that the pair stands in."""
BESIDE = 10.0
"""Between a map and what became of it, where each stands at the right of its own."""
MOST_PAIRS = 16
TALLEST_UNIT, LARGEST_CELL = 22.0, 72.0
"""Sides of a cell at most: of units, and of maps, which may have but one."""
AROUND, OPENED = 4, 22.0
"""Where blocks are closed: so many maps of a layer outside the pair, and the height kept for the names of open ones."""
WORD_GAP, WORDS_WIDE = 6.0, 300.0
"""Between a cell and the word that it stands for; how wide all words may stand at most."""
UNITS = ((22.0, 3.0), (20.0, 2.0), (14.0, 2.0), (10.0, 2.0), (8.0, 2.0), (6.0, 1.0), (4.0, 1.0), (3.0, 0.0), (2.0, 0.0),
         (1.0, 0.0))
"""Sides of the cells of units, and what is left between them."""
NOMINAL, NOMINAL_ROOM = (420.0, 520.0), (420.0, 150.0)
"""The room for which the grid of a layer is chosen: it must not change with the window."""


@dataclass(frozen=True)
class Pair:
    """What a beat is about: the layers that stand at its left, and the one at its right that is made of them."""

    left: tuple[str, ...]
    right: str

    @property
    def layers(self) -> tuple[str, ...]:
        return (*self.left, self.right)


def pair_of(trace: Trace, beat: Beat, reader: str = "") -> Pair:
    """The pair of a beat. On the way back the layer that gets its gradient is at the left, what read it right: of
    several readers this one, else the first."""
    layer = trace[beat.layer]
    if beat.direction == "forward":
        return Pair((*dict.fromkeys(layer.reads), *_shares_beside(trace, layer)), layer.name)
    readers = [reader for reader in trace.readers(layer.name) if reader.gradient is not None]
    right = trace[reader] if reader else readers[0] if readers else trace.layers[-1]
    return Pair((layer.name, *(name for name in _shares_beside(trace, right) if name != layer.name)), right.name)


def _shares_beside(trace: Trace, loss: Layer) -> tuple[str, ...]:
    """The answer that a loss of one class is measured by, where it does not read that itself: it reads the scores."""
    if not kinds.picks_label(loss) or loss.output.ndim:
        return ()
    return tuple(answer.layer for answer in trace.answers if trace[answer.layer].axes == ("class",)
                 and set(trace[answer.layer].reads) & set(loss.reads))


def lens(trace: Trace, look: Look, passages: frozenset[str], pair: Pair) -> Plan:
    """Where everything stands while a pair stands large, in a picture of this size."""
    return _lens(trace, look.size, look.widest, look.pixel, look.knob("ranking", "mean"), passages, pair,
                 lanes_height(look),
                 not look.mode.lanes)


def camera(start: Plan, end: Plan, share: float) -> Plan:
    """The plan between two, so far on the way from one to the other."""
    if share <= 0:
        return start
    if share >= 1:
        return end
    fading = swapped(start, end)
    columns = {name: column if name in fading else _moved(start.columns[name], column, share)
               for name, column in end.columns.items()}
    kernels = {name: x + columns[name].x - plan.columns[name].x for plan in (start, end)
               for name, x in plan.kernel_x.items()}
    return replace(end, columns=columns, kernel_x=kernels)


def swapped(start: Plan, end: Plan) -> frozenset[str]:
    """The layers that join a grid of pairs, or leave one: they fade out and in, because they would cross the others. So
    do those of which fewer maps are shown around the pair."""
    joining = end.large - start.large if end.paired else frozenset()
    leaving = start.large - end.large if start.paired else frozenset()
    fewer = frozenset(name for name, column in end.columns.items() if column.shown != start.columns[name].shown)
    return joining | leaving | fewer


# --- one plan -------------------------------------------------------------------------------------------------------

@remembered(64)
def _lens(trace: Trace, size: tuple[int, int], widest: int, pixel: float, ranking: str, passages: frozenset[str],
          pair: Pair, lanes: float, in_a_room: bool) -> Plan:
    skips, large = skips_of(trace, passages), set(pair.layers)
    if in_a_room:  # of what leaps over layers only what the pair itself does: the others stand in the strip
        skips = {skip: 0 for skip in skips if large.issuperset(skip)}
    top = (ROOM_TOP if in_a_room else TOP) + (12 + ARC * (1 + max(skips.values())) if skips else 0.0)
    folded = is_folded(trace)
    top += OPENED if folded and not in_a_room else 0.0
    bottom = size[1] - lanes - (STRIP + ROOM_LEGEND if in_a_room else FOOT)
    room = bottom - top
    nominal = NOMINAL_ROOM if in_a_room else NOMINAL
    every = [_gridded(trace, layer, room, pixel, ranking, layer.name in passages and layer.name not in large, nominal)
             for layer in trace.layers]
    if folded:
        every = [column if column.layer in large else _few(column) for column in every]
    paired = _interleaved(trace, every, pair)
    small = {column.layer: _context(trace, column, SMALL, room, pixel) for column in every}
    around = [] if in_a_room else [column.layer for column in every if column.layer not in large]
    gaps = _gaps(trace, every if around else [column for column in every if column.layer in large], large, paired)
    after = _after(every, large, bool(around))
    inside = sum(gap for gap, right in zip(gaps, after, strict=True) if right == pair.right or not around)
    outside = sum(small[name].width for name in around) + sum(gaps) - inside
    free = size[0] - 2 * PADDING - inside - _overhang(trace, every, large)
    pair_free = free - max(0, size[0] - widest) if widest else free
    taken = max((PAIR_OF_MANY if folded else PAIR) * pair_free, pair_free - outside) if around else pair_free
    block = beside(trace, pair.right) if folded else frozenset[str]()
    if around and block:
        own = [column for column in every if column.layer in block | large]
        needed = sum(small[name].width for name in block - large) + sum(_gaps(trace, own, large, paired)) - inside + GAP
        taken = min(taken, max(LEAST_PAIR * pair_free, free - needed))
    big = _pair(trace, {column.layer: column for column in every}, pair, taken, room, pixel, paired,
                BETWEEN if in_a_room else COUNTED)
    bound = _bounded(trace, big, pair)
    rest = free - (taken if bound is None else min(taken, bound))
    shown = [column.layer for column in every if column.layer in large] if in_a_room else \
        _within_reach(trace, [big.get(column.layer) or small[column.layer] for column in every], large, paired,
                      size[0] - 2 * PADDING - _overhang(trace, every, large),
                      block)
    gaps = _gaps(trace, [column for column in every if column.layer in shown], large, paired)
    context = _grown_context(trace, every, shown, large, rest - sum(gaps) + inside, room, pixel, small)
    columns = {column.layer: big.get(column.layer) or context.get(column.layer, column) for column in every}
    plan = replace(_placed(trace, columns, shown, gaps, size[0], top, room, pair, paired, bottom), skips=skips,
                   large=frozenset(large), paired=paired)
    if in_a_room:
        return replace(plan, strip=_strip(trace, every, size[0], bottom, pixel))
    seen = sum(plan.columns[column.layer].style != "hidden" for column in every)
    if seen == len(every):
        return plan
    shown_said = tick(str(seen), seen, 0, len(every))
    return replace(plan, left_out=tr("{shown} of {count} columns are shown").format(
        shown=shown_said, count=tick(str(len(every)), len(every), 0, len(every))) if folded else
        tr("{shown} of {count} layers are shown").format(
            shown=shown_said, count=said(str(len(every)), "how many layers")))


def _after(columns: Sequence[Column], large: set[str], all_of_them: bool) -> list[str]:
    """For each gap the layer after it."""
    return [column.layer for column in columns if all_of_them or column.layer in large][1:]


def _strip(trace: Trace, columns: Sequence[Column], wide: float, bottom: float, pixel: float) -> tuple[Column, ...]:
    """All layers small, one tile each, evenly along the bottom."""
    drawn = [column for column in columns if column.style not in ("passage", "number")]
    pitch = (wide - 2 * PADDING) / len(drawn)
    side = max(pixel, min(STRIP_TILE, pitch - 6))
    found = []
    for place, column in enumerate(drawn):
        layer = trace[column.layer]
        if column.style in ("maps", "picture"):
            one = replace(column, shown=column.shown[:1], sub_columns=1)
            one = sized(one, layer, side, side, pixel) if layer.output.ndim > 2 or column.style == "picture" else \
                _matrix(one, layer, (side, side), pixel)
        else:
            one = _units(replace(column, style="units"), side, max(2.0, side / 4), max(pixel, pitch - 12))
        y = bottom + ROOM_LEGEND + 8 + (side - one.height) / 2
        found.append(replace(one, x=float(round(PADDING + pitch * place)), top=float(round(y))))
    return tuple(found)


def _placed(trace: Trace, columns: Mapping[str, Column], shown: Sequence[str], gaps: Sequence[float], wide: float,
            top: float, room: float, pair: Pair, paired: bool, bottom: float) -> Plan:
    used = sum(columns[name].width for name in shown if not (paired and name == pair.right)) + sum(gaps)
    spare = max(0.0, wide - 2 * PADDING - used - _overhang(trace, list(columns.values()), set(pair.layers)))
    wider, rest = _shared(spare, _weights(shown, pair, paired), shown, pair, trace)
    x, kernel_x, placed = PADDING + rest / 2, dict[str, float](), dict[str, Column]()
    for index, name in enumerate(shown):
        column = columns[name]
        if index:
            gap = gaps[index - 1] + wider[index - 1]
            kernel = kernel_width(trace[name])
            if kernel and name == pair.right and not paired:
                kernel_x[name] = float(round(x + min(24.0, (gap - kernel) * 0.34)))
            x += gap
        if paired and name == pair.right:
            left = placed[pair.left[0]]
            x = left.x + left.width
            placed[name] = replace(column, x=left.x + left.tile[0] + BESIDE,
                                   top=left.top + (left.tile[1] - column.tile[1]) / 2, pitch=left.pitch)
            continue
        y = top + max(0.0, room - column.height) / 2
        placed[name] = replace(column, x=float(round(x)), top=float(round(y)))
        x += column.width
    hidden = {name: replace(column, style="hidden") for name, column in columns.items() if name not in placed}
    first = next(index for index, name in enumerate(columns) if name in placed)
    ordered = {name: placed.get(name) or _beyond(hidden[name], index < first, wide)
               for index, name in enumerate(columns)}
    return Plan(ordered, top, bottom, kernel_x)


def _beyond(column: Column, before: bool, wide: float) -> Column:
    """Where a layer waits for which there is no room: beyond the rim, on the left if it stands before what is shown."""
    return replace(column, x=-column.width - PADDING if before else wide + PADDING)


def _shared(spare: float, weights: Sequence[float], shown: Sequence[str], pair: Pair,
            trace: Trace) -> tuple[list[float], float]:
    """(how much wider each gap is, what no gap takes): what belongs together stays together, unless kernels and sums
    stand between."""
    most = [WIDER if name == pair.right and not kernel_width(trace[name]) else spare for name in shown[1:]]
    wider, left = [0.0] * len(weights), spare
    for _ in range(2):  # what the pair does not take goes to the others
        open_to = [index for index, weight in enumerate(weights) if weight and wider[index] < most[index]]
        total, share = sum(weights[index] for index in open_to), left
        for index in open_to:
            more = min(most[index] - wider[index], share * weights[index] / total)
            wider[index], left = wider[index] + more, left - more
    return wider, max(0.0, left)


def _weights(shown: Sequence[str], pair: Pair, paired: bool) -> list[float]:
    """How the gaps share what room is left over: those of the pair take most."""
    found = []
    for before, after in pairwise(shown):
        inside = paired and after == pair.right
        found.append(0.0 if inside else 3.0 if after == pair.right else 1.5 if before in pair.layers
                     or after in pair.layers else 1.0)
    return found


def _gaps(trace: Trace, columns: Sequence[Column], large: set[str], paired: bool) -> list[float]:
    gaps = []
    for before, after in pairwise(columns):
        if after.style == "number":
            gaps.append(0.0)
        elif after.layer in large and before.layer in large:
            gaps.append(0.0 if paired else _lines(trace[after.layer]))
        elif after.layer in large and kernel_width(trace[after.layer]):
            gaps.append(_lines(trace[after.layer]))
        elif before.layer in large or after.layer in large:
            gaps.append(INTO)
        else:
            gaps.append(GAP if before.style != "passage" and after.style != "passage" else 3.0)
            gaps[-1] += RIM if beside(trace, before.layer) != beside(trace, after.layer) else 0.0
    return gaps


def _lines(layer: Layer) -> float:
    if kinds.role(layer) == "table":
        return TABLE
    return kernel_width(layer) + LINES if kernel_width(layer) else LINES if "weight" in layer.weights else INTO + 14


def _overhang(trace: Trace, columns: Sequence[Column], large: set[str]) -> float:
    """How far what stands above the last column reaches over its right edge."""
    last = next((column for column in reversed(columns) if column.style not in ("number", "passage", "hidden")),
                columns[-1])
    return 0.0 if last.layer not in large or last.style == "bars" else max(0.0, LAST - last.width)


# --- grids ----------------------------------------------------------------------------------------------------------

def _gridded(trace: Trace, layer: Layer, room: float, pixel: float, ranking: str, passage: bool,
             nominal: tuple[float, float]) -> Column:
    """One layer with the grid that its tiles keep, not sized yet."""
    column = blank_column(trace, layer, room, pixel, ranking, passage)
    if column.style != "maps" or layer.output.ndim < 3:
        return column
    return replace(column, sub_columns=_across(len(column.shown), layer.shape[-2], layer.shape[-1], nominal))


def _few(column: Column) -> Column:
    """One of many layers: a few of its maps, one below the other."""
    return replace(column, shown=column.shown[:AROUND], sub_columns=1) if column.style == "maps" else column


def _across(count: int, rows: int, columns: int, nominal: tuple[float, float]) -> int:
    """How many tiles stand side by side, so that they are as large as they can be in a room of the nominal size."""
    def side(across: int) -> float:
        return min(nominal[0] / across / columns, nominal[1] / -(-count // across) / rows)

    return max(range(1, count + 1), key=lambda across: (round(side(across), 6), -across))


def _grid(column: Column, between: float) -> Column:
    """A column whose tiles have their size: so far apart, in its grid."""
    pitch = column.tile[0] + between, column.tile[1] + between
    return replace(column, pitch=pitch, width=pitch[0] * (column.sub_columns - 1) + column.tile[0])


# --- the pair -------------------------------------------------------------------------------------------------------

def _pair(trace: Trace, columns: Mapping[str, Column], pair: Pair, wide: float, room: float, pixel: float,
          paired: bool, below: float) -> dict[str, Column]:
    """The columns that stand large, each in its share of a width: the shares follow from the shapes alone, so that a
    larger window never has a smaller tile."""
    rooms = {name: room - card_height(trace[name]) for name in pair.layers}
    bounded = {name: _unbound(trace, columns[name], rooms[name]) for name in pair.layers}
    left = wide - sum(_reserved(trace, columns[name], rooms[name]) for name, column in bounded.items()
                      if column is not None)
    free = [columns[name] for name in pair.layers if bounded[name] is None]
    if paired:
        return _side_by_side(trace, columns, pair, left, room, pixel, below)
    total = sum(_breadth(trace, column) for column in free) or 1.0
    found = {name: column for name, column in bounded.items() if column is not None}
    for column in free:
        found[column.layer] = large(trace, column, left * _breadth(trace, column) / total, rooms[column.layer], pixel)
    return found


def _side_by_side(trace: Trace, columns: Mapping[str, Column], pair: Pair, wide: float, room: float,
                  pixel: float, below: float) -> dict[str, Column]:
    """A map and beside it what became of it, in one grid, with so much room below each."""
    one, other = columns[pair.left[0]], columns[pair.right]
    across, down = one.sub_columns, -(-len(one.shown) // one.sub_columns)
    side = (wide - (across - 1) * 2 * BESIDE) / across
    high = room / down - below
    shapes = [trace[column.layer].shape[-2:] for column in (one, other)]
    share = shapes[0][1] / (shapes[0][1] + shapes[1][1]) if shapes[0] == shapes[1] else 0.5
    first = sized(one, trace[one.layer], (side - BESIDE) * share, high, pixel)
    second = sized(other, trace[other.layer], min((side - BESIDE) * (1 - share), first.tile[0]),
                   min(high, first.tile[1]), pixel)
    pitch = first.tile[0] + BESIDE + second.tile[0] + 2 * BESIDE, max(first.tile[1], second.tile[1]) + below
    width = pitch[0] * across - 2 * BESIDE
    return {one.layer: replace(first, pitch=pitch, width=width), other.layer: replace(second, pitch=pitch, width=0.0,
                                                                                      sub_columns=one.sub_columns)}


def large(trace: Trace, column: Column, wide: float, room: float, pixel: float) -> Column:
    """A layer as large as it stands in so much room."""
    layer, across = trace[column.layer], column.sub_columns
    if column.style == "picture":
        return sized(column, layer, min(wide, room), room, pixel)
    down = -(-len(column.shown) // across)
    side = (wide - (across - 1) * BETWEEN) / across, (room - (down - 1) * BETWEEN) / down
    if layer.output.ndim == 2:
        return _matrix(column, layer, side, pixel)
    if layer.shape[-1] > FLAT * layer.shape[-2]:
        return _grid(_band(column, layer, side, pixel), BETWEEN if down * 14 < room else 3.0)
    rows, columns = layer.shape[-2:]
    return _grid(sized(column, layer, max(pixel, min(side[0], columns * LARGEST_CELL)),
                       max(pixel, min(side[1], rows * LARGEST_CELL)), pixel), BETWEEN)


def _matrix(column: Column, layer: Layer, side: tuple[float, float], pixel: float) -> Column:
    """Rows and columns of their own height and width: bands of a signal, or steps and units."""
    rows, across = layer.shape
    factor = max(1, -(-rows // max(1, int(side[1] / pixel))), -(-across // max(1, int(side[0] / pixel))))
    rows, across = -(-rows // factor), -(-across // factor)
    cell = (max(pixel, whole(min(28.0, side[0] / across), pixel)), max(pixel, whole(min(28.0, side[1] / rows), pixel)))
    tile = cell[0] * across, cell[1] * rows
    return replace(column, cell=cell, tile=tile, factor=factor, pitch=tile, width=tile[0])


def _band(column: Column, layer: Layer, side: tuple[float, float], pixel: float) -> Column:
    """A map of few rows: its cells may be higher than wide, so that it is thick enough to be seen."""
    rows, across = layer.shape[-2:]
    factor = max(1, -(-across // max(1, int(side[0] / pixel))))
    rows, across = -(-rows // factor), -(-across // factor)
    wide = max(pixel, whole(side[0] / across, pixel))
    high = max(pixel, whole(min(side[1] / rows, max(2 * wide, 6.0)), pixel))
    tile = wide * across, high * rows
    return replace(column, cell=(wide, high), tile=tile, factor=factor, pitch=tile, width=tile[0])


def _breadth(trace: Trace, column: Column) -> float:
    """How wide a layer is when each of its tiles has one height."""
    shape = trace[column.layer].shape
    if trace[column.layer].output.ndim == 2:
        return 2.0
    return column.sub_columns * max(0.5, min(4.0, shape[-1] / shape[-2]))


def _unbound(trace: Trace, column: Column, room: float) -> Column | None:
    """The column of a layer whose width does not grow with the window; None where it does."""
    if column.style == "units" and (words := symbols(trace, trace[column.layer])):
        numbered = max(text_width(str(int(number)), 11) for number in trace[column.layer].output) + 8
        return _with_words(column, words, max(20.0, float(round(numbered))), room)
    if column.style in ("units", "passage", "number"):
        return _units(column, room, TALLEST_UNIT) if column.style == "units" and column.total == len(column.shown) \
            and trace[column.layer].axes != ("class",) else column
    return replace(column, width=BARS + 60 + long_names(trace)) if column.style == "bars" else None


def _reserved(trace: Trace, column: Column, room: float) -> float:
    """The width that is kept for a layer which does not grow with the window: the widest it is at any height, so that
    its neighbour need not give way where a higher window draws it with larger cells."""
    heights = (room, *range(200, 1500, 100)) if column.style == "units" else (room,)
    found = [_unbound(trace, column, height) for height in heights]
    return max(one.width for one in found if one is not None)


def _bounded(trace: Trace, columns: Mapping[str, Column], pair: Pair) -> float | None:
    """The width of a pair that does not grow with the window."""
    if any(_unbound(trace, columns[name], 1.0) is None for name in pair.layers if columns[name].style != "bars"):
        return None
    return sum(columns[name].width for name in pair.layers)


def _with_words(column: Column, words: tuple[str, ...], side: float, room: float) -> Column:
    """Cells with room beside each for the word that it stands for, in lines as they are read."""
    wide = side + WORD_GAP + max(text_width(word, 12, 500) for word in words) + 10
    for high in (24.0, 20.0, 16.0):
        across = -(-len(words) // max(1, int(room // high)))
        if across * wide <= WORDS_WIDE:
            return replace(column, cell=(side, high - 3), tile=(side, high - 3), pitch=(wide, high), sub_columns=across,
                           width=across * wide - 10)
    return _units(column, room, TALLEST_UNIT)


def _units(column: Column, room: float, tallest: float, widest: float = 7 * TALLEST_UNIT) -> Column:
    count = len(column.shown)
    for side, between in UNITS:
        rows = max(1, int((room + between) // (side + between)))
        across = -(-count // rows)
        if side <= tallest and across * (side + between) <= widest:
            break
    return replace(column, cell=(side, side), tile=(side, side), pitch=(side + between, side + between),
                   sub_columns=across, width=across * (side + between) - between)


# --- the context ----------------------------------------------------------------------------------------------------

def _context(trace: Trace, column: Column, side: float, room: float, pixel: float) -> Column:
    """A layer outside the pair, its tiles about so large."""
    layer = trace[column.layer]
    room -= card_height(layer)
    if column.style in ("number", "passage"):
        return column
    if column.style == "bars":
        return replace(column, width=max(LEAST_BARS, min(BARS, 4 * side)) + long_names(trace))
    if column.style == "units":
        if layer.axes == ("class",):
            wide = min(column.cell[0], max(8.0, side))
            return replace(column, cell=(wide, column.cell[1]), tile=(wide, column.tile[1]), width=wide)
        return _units(column, min(room, 0.75 * room + side), max(4.0, min(8.0, side / 4)))
    if column.style == "picture":
        return sized(column, layer, max(28.0, 1.5 * side), max(28.0, 1.5 * side), pixel)
    down = -(-len(column.shown) // column.sub_columns)
    between = 3.0 if side < 28 else 5.0
    high = (room - (down - 1) * between) / down
    if layer.output.ndim == 2:
        return _matrix(column, layer, (max(14.0, side), min(0.6 * room, 6 * side)), pixel)
    wide = side * max(1.0, min(WIDEST_SMALL, layer.shape[-1] / layer.shape[-2]))
    return _grid(sized(column, layer, wide, min(high, side), pixel), between)


def _grown_context(trace: Trace, columns: Sequence[Column], shown: Sequence[str], large: set[str], room_wide: float,
                   room: float, pixel: float, small: Mapping[str, Column]) -> dict[str, Column]:
    """The context with the largest tiles that stand in so much width, one size for all."""
    around = [column for column in columns if column.layer in shown and column.layer not in large]
    found, side = {column.layer: small[column.layer] for column in around}, SMALL
    while side < LARGEST:
        side += 1
        tried = {column.layer: _context(trace, column, side, room, pixel) for column in around}
        if sum(column.width for column in tried.values()) > room_wide:
            break
        found = tried
    return found


def _within_reach(trace: Trace, columns: Sequence[Column], large: set[str], paired: bool, wide: float,
                  block: frozenset[str]) -> list[str]:
    """The layers that are seen: all where there is room, else those of the block of the pair, the input, the answer,
    and those nearest to the pair."""
    names = [column.layer for column in columns]
    places = [index for index, name in enumerate(names) if name in large]
    answered = {answer.layer for answer in trace.answers}
    fixed = {0, len(names) - 1, *(index for index, name in enumerate(names)
                                  if name in answered or trace[name].axes == ("class",))}
    far = sorted(range(len(names)), key=lambda index: (min(abs(index - at) for at in places), index in fixed))
    own = {*places, *(index for index, name in enumerate(names) if name in block)}
    used = sum(column.width for column in columns)
    while len(far) > len(places):
        if used <= wide:  # else there is no room, whatever the gaps are
            kept = [columns[index] for index in sorted(far)]
            if used + sum(_gaps(trace, kept, large, paired)) <= wide:
                break
        around = (index for index in reversed(far) if index not in own)
        first = next(around, None)
        if first is None:  # the block alone is too wide
            own, around = set(places), (index for index in reversed(far) if index not in places)
            first = next(around)
        gone = first if first not in fixed else next((index for index in around if index not in fixed), first)
        far.remove(gone)
        used -= columns[gone].width
    return [names[index] for index in sorted(far)]


def _interleaved(trace: Trace, columns: Sequence[Column], pair: Pair) -> bool:
    """Whether each map stands beside what became of it."""
    if len(pair.left) != 1:
        return False
    found = {column.layer: column for column in columns}
    one, other = found[pair.left[0]], found[pair.right]
    layer = trace[pair.right]
    if KIND in (layer.kind, trace[one.layer].kind) or beside(trace, one.layer) != beside(trace, other.layer):
        return False
    return (one.style == other.style == "maps" and one.shown == other.shown and one.sub_columns == other.sub_columns
            and len(one.shown) <= MOST_PAIRS and trace[one.layer].output.ndim == layer.output.ndim == 3
            and (kinds.role(layer) in ("curve", "largest", "mean", "norm", "dropout")
                 or (not kinds.role(layer) and "weight" not in layer.weights)))


def _moved(start: Column, end: Column, share: float) -> Column:
    """A column on its way: what it shows is drawn in the finer of its two ways, at the size between them."""
    def between(one: float, other: float) -> float:
        return one + (other - one) * share

    if "hidden" in (start.style, end.style) or start.style != end.style:
        return replace(end, x=between(start.x, end.x), top=between(start.top, end.top))
    finer = start if start.factor < end.factor else end
    tile = between(start.tile[0], end.tile[0]), between(start.tile[1], end.tile[1])
    counted = tuple(max(1, round(length / size)) for length, size in zip(finer.tile, finer.cell, strict=True))
    return replace(finer, x=between(start.x, end.x), top=between(start.top, end.top),
                   width=between(start.width, end.width), tile=tile,
                   cell=(tile[0] / counted[0], tile[1] / counted[1]),
                   pitch=(between(start.pitch[0], end.pitch[0]), between(start.pitch[1], end.pitch[1])))
