"""Maps beside a slide: the ones a number was read from, the one it stands in; and the way back to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.language import counted_as, tr, translated
from visualizer.said import claimed, constants, of, said, tick
from visualizer.scene import numbers, parts
from visualizer.scene.boxes import whole
from visualizer.scene.picture import (
    Focus,
    Group,
    Image,
    Mark,
    Rect,
    Text,
    Touch,
    box_of,
    changed,
    grouped,
    plain,
    rich,
    unmarked,
)
from visualizer.trace import Cell, Layer, Trace, remembered
from visualizer.views.microscope._claims import itself
from visualizer.views.microscope._slide import Area, arrow, shades_of, spot

LARGEST_MAP = 480.0
SMALLEST_MAP = 40.0
TITLE = 34.0
"""Height of the two lines above a map."""
GAP = 56.0
"""Between two maps, for the sign or the arrow that joins them."""


@dataclass(frozen=True, eq=False)
class Shown:
    """A map to be shown, and the cells to be marked on it."""

    layer: Layer
    cells: NDArray[np.int64]
    """(n, axes of the layer)."""
    title: str
    gradient: bool = False
    made: bool = True
    """Whether its numbers are there: until then it is empty."""
    target: Focus | None = None
    """The number that is made of the marked cells, where they are read."""
    to_gradient: bool = False
    """Whether it is the gradient of that number."""


def marked(layer: Layer, cell: Cell, title: str, gradient: bool = False, made: bool = True) -> Shown:
    """A map with one cell marked."""
    return Shown(layer, np.array([cell], dtype=np.int64).reshape(1, -1), title, gradient, made)


def map_row(trace: Trace, maps: Sequence[Shown], signs: Sequence[str], frame: Area, x: float, y: float, room: float,
            tall: float) -> list[Mark]:
    """Maps side by side, each as large as fits, joined by signs: `→`, `←`, `+`, `=`. Nothing where there is no room."""
    side = min((room - GAP * len(signs)) / len(maps), tall - TITLE, LARGEST_MAP)
    if side < SMALLEST_MAP:
        return []
    marks: list[Mark] = []
    left = x
    if all(max(shown.layer.shape[-2:], default=1) <= 2 for shown in maps if shown.layer.output.ndim >= 2):
        side = min(side, 160)
    rims: list[tuple[float, float]] = []
    """Of each map where the next sign begins, and how high it is."""
    for shown in maps:
        drawn, wide = one_map(trace, shown, frame, left, y, side)
        marks += drawn
        left += max(wide, 60)
        rims.append((left + 12, max((box_of(mark)[3] for mark in drawn if isinstance(mark, Image)), default=side)))
        left += GAP
    for sign, shown, (rim, high), (_, other) in zip(signs, maps, rims, rims[1:], strict=False):
        marks += _sign(sign, rim, y + TITLE + min(high, other) / 2, shown.gradient)  # where both maps are
    return marks


def map_column(trace: Trace, maps: Sequence[Shown], frame: Area, x: float, y: float, room: float,
               tall: float) -> list[Mark]:
    """Maps below each other, where there is more height than width; nothing where there is too little of either."""
    side = min(room, (tall - 20 * (len(maps) - 1)) / len(maps) - TITLE, LARGEST_MAP)
    if side < SMALLEST_MAP:
        return []
    return [mark for index, shown in enumerate(maps)
            for mark in one_map(trace, shown, frame, x, y + index * (side + TITLE + 20), side)[0]]


def maps_in(trace: Trace, maps: Sequence[Shown], frame: Area, x: float, y: float, room: float,
            tall: float) -> list[Mark]:
    """Maps side by side with an arrow, or below each other, whichever makes them larger."""
    row = min((room - GAP * (len(maps) - 1)) / len(maps), tall - TITLE)
    if row >= min(room, (tall - 20 * (len(maps) - 1)) / len(maps) - TITLE):
        return map_row(trace, maps, "→" * (len(maps) - 1), frame, x, y, room, tall)
    return map_column(trace, maps, frame, x, y, room, tall)


def _sign(words: str, x: float, y: float, backward: bool) -> list[Mark]:
    wide = GAP - 24
    if not words:
        return []
    if words in ("→", "←"):
        ends = (x, x + wide) if words == "→" else (x + wide, x)
        return arrow(ends[0], y, ends[1], "gradient-mark" if backward else "ink-2")
    return [Text(x + wide / 2, y + 8, plain(words), 24, 500, "ink-2", "middle")]


def one_map(trace: Trace, shown: Shown, frame: Area, x: float, y: float, side: float,
            room: float = 90) -> tuple[list[Mark], float]:
    """One map of a layer as large as fits, or its units as a grid, with some cells framed; and how wide it became. Its
    words may take `room`, where nothing stands at its right."""
    layer, backward = shown.layer, shown.gradient
    shades, palette = shades_of(trace, layer, backward, frame.look)
    unknown = parts.hatched(layer, backward)
    top, leading = y + TITLE, tuple[int, ...]()
    side = min(side, 40) if layer.output.size == 1 else side  # one number says no more when it is large
    if shades.ndim < 2:
        image, spots = _units(shades, palette, unknown, layer, x, top, side, frame.look.pixel)
        image = replace(image, scale=parts.scale_of(trace, layer, frame.look, backward))
        cells = np.array([divmod(int(cell[0]) if len(cell) else 0, image.columns) for cell in shown.cells])
        channel = None
    else:
        folds = None if shades.ndim < 4 else (parts.maps_of(layer.output).shape, layer.shape)
        leading = tuple(min(max(int(i), 0), size - 1)  # what is read of a padding lies outside
                        for i, size in zip(shown.cells[0, :shades.ndim - 2], layer.shape, strict=False))
        channel = None if not leading else int(np.ravel_multi_index(leading, layer.shape[:-2]))
        shades = parts.maps_of(shades)
        unknown = None if unknown is None else parts.maps_of(unknown)
        tile = shades if channel is None else shades[channel]
        pixel = whole(side / max(tile.shape), frame.look.pixel) or side / max(tile.shape)
        hatched = unknown if unknown is None or channel is None else unknown[channel]
        image = Image(x, top, (pixel, pixel), np.ascontiguousarray(tile[None]), palette, focus=Focus(layer.name),
                      hatched=None if hatched is None else np.ascontiguousarray(hatched[None]),
                      indices=(-1,) if channel is None else (channel,), folds=folds,
                      scale=parts.scale_of(trace, layer, frame.look, backward))
        here = (shown.cells[:, :len(leading)] == shown.cells[0, :len(leading)]).all(axis=1)  # in this slice of a volume
        cells = shown.cells[here, -2:] if len(leading) > 1 else shown.cells[:, -2:]
        spots = int(tile.shape[0]), int(tile.shape[1])
    pixel = image.cell[0]
    if not shown.made:
        image = emptied(image)
    words = f"`{layer.name}`" + ("" if channel is None else tr(" channel {channel}").format(
        channel=said(str(channel), *of("index", layer, (int(channel),))))
                                     if len(leading) == 1 else _place(layer, leading))
    marks: list[Mark] = [Text(x, y + 10, plain(shown.title), 12, 400, "ink-2", max_width=max(side, room)),
                         Text(x, y + 27, rich(words), 13, 600, max_width=max(side, room if room > 90 else 60)), image]
    inside = cells[(cells >= 0).all(axis=1) & (cells < np.array(spots)).all(axis=1)]
    if len(inside):
        (r0, c0), (r1, c1) = inside.min(axis=0).tolist(), inside.max(axis=0).tolist()
        frames = spot(x + c0 * pixel, top + r0 * pixel, (c1 - c0 + 1) * pixel, (r1 - r0 + 1) * pixel)
        if shown.target is not None:
            read = Focus(layer.name, leading)
            frames[-1] = changed(frames[-1], holds=Touch(read, shown.target, shown.to_gradient))
        marks += frames
    group = Group(f"{shown.title}: {unmarked(words)}", Focus(layer.name, leading), True)
    return grouped(group, marks), pixel * spots[1]


def _place(layer: Layer, leading: Cell) -> str:
    """` channel 1, depth 3`: which of its maps."""
    return " " + ", ".join(
        f"{translated(axis)} {said(str(index), *of('index', layer, leading[:place + 1]))}"
        for place, (axis, index) in enumerate(zip(layer.axes, leading, strict=False)))


def emptied(image: Image) -> Image:
    """The same with no number in it."""
    zero = None if image.scale is None else image.scale.zero
    return replace(image, values=np.full_like(image.values, round(255 * (zero or 0.0))), hatched=None, border="rule")


def _units(shades: NDArray[np.uint8], palette: str, unknown: NDArray[np.bool_] | None, layer: Layer, x: float, y: float,
           side: float, screen: float) -> tuple[Image, tuple[int, int]]:
    """Units in rows, as square as they go, each a tile of its own."""
    shades = np.atleast_1d(shades)
    across = min(len(shades), max(8, int(np.ceil(np.sqrt(len(shades))))))
    down = -(-len(shades) // across)
    pixel = whole(side / max(across, down), screen) or side / max(across, down)
    image = Image(x, y, (pixel, pixel), shades[:, None, None].copy(), palette, across, (pixel, pixel),
                  border="tile-border" if pixel >= 6 else "", focus=Focus(layer.name) if layer.shape else None,
                  hatched=None if unknown is None else np.atleast_1d(unknown)[:, None, None].copy())
    return image, (down, across)


# --- the way back ---------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Hop:
    """One layer on the way from the loss to a cell."""

    layer: str
    words: str
    """What it does to the gradient."""
    value: float | None
    """The gradient of the one number that is followed; None where there is no single one."""
    norm: float | None
    """∥∂L/∂a∥ of the whole layer."""
    cell: Cell | None = None
    """Of the one number that is followed."""


def way_back(trace: Trace, layer: Layer, cell: Cell, frame: Area, x: float, y: float, room: float) -> list[Mark]:
    """How the gradient got here: from the loss to this cell, hop by hop, with the factor at each hop."""
    hops = hops_of(trace, layer.name, cell)[::-1]
    most = int((frame.bottom - y - 38) // 40)
    if most < 2 or room < 130 or frame.told:
        return []
    left_out = len(hops) - most
    hops = hops[-most:]
    marks: list[Mark] = [Text(x, y, plain(tr("How the gradient got here")), 12, 600, "ink-2", max_width=room)]
    row = y + 26
    if left_out > 0:
        words = counted_as(left_out, tr("{count} layer before these not shown"),
                           tr("{count} layers before these not shown")).format(
            count=tick(str(left_out), left_out, 0, left_out))
        marks.append(Text(x, y + 17, plain(words), 12, 400, "ink-2", max_width=room))
        row += 18
    for index, hop in enumerate(hops):
        here = index == len(hops) - 1
        marks.append(Rect(x, row - 10, 11, 11, "accent" if here else "gradient-mark", radius=5.5))
        if not here:
            marks.append(Rect(x + 4.75, row + 3, 1.5, 24, "gradient-line"))
        marks.append(Text(x + 24, row, plain(hop.layer), 13, 600, mono=True, max_width=room - 100,
                          focus=Focus(hop.layer)))
        marks.append(Text(x + 24, row + 16, plain(hop.words), 12, 400, "ink-2", max_width=room - 24))
        if hop.value is not None:
            marks.append(Text(x + room, row, plain(said(
                numbers.gradient(hop.value), "gradient", hop.layer, hop.cell or ())), 13, 600, "gradient-text", "end"))
        elif hop.norm is not None:
            marks.append(Text(x + room, row, plain(tr("norm {value}").format(
                value=said(numbers.significant(hop.norm, 2), "norm of gradient", hop.layer))),
                              12,
                              400, "ink-2",
                              "end"))
        row += 40
    return grouped(Group(tr("how the gradient got here")), marks)


@remembered(256)
def hops_of(trace: Trace, name: str, start: Cell) -> tuple[Hop, ...]:
    """From a cell on to the loss, the first reader of each layer.

    The cell is followed as long as one number hands back to one number; after a sum there is no single one to follow.
    """
    layer, cell = trace[name], start if trace[name].gradient is not None else None
    found = [_hop(trace, layer, tr("arrives here"), cell)]
    while readers := [other for other in trace.readers(layer.name) if other.gradient is not None]:
        reader = readers[0]
        words, cell = _handed(trace, layer.name, reader, cell, len(readers))
        found.append(_hop(trace, reader, words, cell))
        layer = reader
    return tuple(found)


def _hop(trace: Trace, layer: Layer, words: str, cell: Cell | None) -> Hop:
    gradient = layer.gradient
    value = None if cell is None or gradient is None else float(gradient[cell])
    return Hop(layer.name, words, value, parts.norms(trace).get(layer.name), cell)


def _handed(trace: Trace, name: str, reader: Layer, cell: Cell | None, readers: int) -> tuple[str, Cell | None]:
    """What a reader does on the way back, and which of its cells the number came from, if it was one."""
    more = tr(", the first of {count} readers").format(
        count=said(str(readers), "how many hand back", name)) if readers > 1 else ""
    kind = kinds.of(reader)
    if kind is None:
        return tr("unexplained"), None
    if kinds.picks_label(reader):
        return translated(kind.back), None
    if cell is None:
        return _in_general(kind) + more, None
    try:
        terms = kinds.handed_back(reader, trace.inputs(reader), reader.reads.index(name), cell)
    except LookupError:
        return translated(kind.title) + more, None
    taps = [(taps, index) for taps in terms.taps for index in range(len(taps.values))]
    if not taps:
        lost = kinds.role(reader) == "largest"
        return tr("stops it: not the winner of any window") if lost else tr("reads other places of it"), None
    if len(taps) != 1:
        return tr("sum over {count} terms{more}").format(
            count=tick(numbers.count(len(taps)), len(taps), 0, len(taps)), more=more), None
    found, index = taps[0]
    there = tuple(int(i) for i in found.cells[index])
    followed = found.source == reader.name and found.array == "gradient"  # not that of a gate or state inside
    return factor_words(reader, float(found.weights[index])) + more, there if followed else None


def factor_words(reader: Layer, weight: float) -> str:
    """What one layer does to a gradient that goes through it as one number."""
    factor = claimed(numbers.significant(weight, 3).removesuffix(".00"), [itself(weight)])
    if kinds.role(reader) == "curve":
        return tr("slope {factor}: passes × {factor}").format(factor=factor) if weight else \
            tr("slope {zero}: stops it").format(zero=claimed("0", [itself(0.0)]))
    if kinds.role(reader) == "largest":
        return tr("it won its window: passes × {factor}").format(factor=factor)
    return tr("passes × {factor}").format(factor=factor) if weight != 1 else tr("passes it on as it is")


def _in_general(kind: kinds.Kind) -> str:
    """What a layer does on the way back to all of its numbers."""
    if kind.moves_only:
        return tr("lays it out as before, changes nothing")
    return constants(translated(kind.back or kind.title))
