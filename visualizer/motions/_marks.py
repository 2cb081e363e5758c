"""What motions draw over tiles: windows on what is read, rings on what is written, chips of numbers on their way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import pairwise, product
from typing import TYPE_CHECKING

import numpy as np

from visualizer import kinds
from visualizer.kinds import Taps
from visualizer.language import in_quotes, tr
from visualizer.scene import numbers
from visualizer.scene.columns import Column, maps_shown
from visualizer.scene.picture import (
    Flight,
    Focus,
    Group,
    Image,
    Line,
    Mark,
    Path,
    Points,
    Rect,
    Text,
    Touch,
    grouped,
    plain,
)
from visualizer.scene.reading import own_words
from visualizer.scene.type import width
from visualizer.trace import Cell, Layer, Trace, remembered

if TYPE_CHECKING:
    from visualizer.motions import Places, Setting

Box = tuple[float, float, float, float]
"""Left, top, width, height."""
HALO = 2.0
FAINT = 0.7
"""How strong a band is: it may begin anywhere."""
OVER = 0.6
"""How strong what slides onto something that it is added to is."""


def box_of_cells(column: Column, layer: Layer, low: Cell, high: Cell) -> Box | None:
    """Where the cells from `low` to `high` (both included) of a layer stand; None where their tile is not shown."""
    ndim = layer.output.ndim
    if ndim == 0 or column.style in ("passage", "number", "hidden"):
        return None
    if column.style == "units" or ndim == 1:
        boxes = [box for index in range(low[0], high[0] + 1) if (box := column.box(index)) is not None]
        if not boxes:
            return None
        lefts, tops, wides, highs = zip(*boxes, strict=True)
        return min(lefts), min(tops), max(lefts) + wides[0] - min(lefts), max(tops) + highs[0] - min(tops)
    if ndim == 2:
        found, rows, across = column.box(column.shown[0]), (low[0], high[0]), (low[1], high[1])
    else:
        # a picture shows all its channels in one place
        found = column.box(column.shown[0]) if column.style == "picture" else tile_of(column, layer, low)
        rows, across = (low[-2], high[-2]), (low[-1], high[-1])
    if found is None:
        return None
    wide, tall = column.cell[0] / column.factor, column.cell[1] / column.factor
    return (found[0] + across[0] * wide, found[1] + rows[0] * tall,
            (across[1] - across[0] + 1) * wide, (rows[1] - rows[0] + 1) * tall)


def tile_of(column: Column, layer: Layer, cell: Cell) -> Box | None:
    """The tile of the map that a cell of a layer of maps lies in; None where it is not shown, as most slices of a
    volume are."""
    place, shown = int(np.ravel_multi_index(cell[:-2], layer.shape[:-2])), maps_shown(layer, column)
    return column.box(column.shown[shown.index(place)]) if place in shown else None


def _place_of(head: Cell, layer: Layer) -> int:
    """Which of all maps of a layer it is; -1 beside it, in the padding."""
    sizes = layer.shape[:-2]
    inside = all(0 <= at < size for at, size in zip(head, sizes, strict=True))
    return int(np.ravel_multi_index(head, sizes)) if inside else -1


def middle(box: Box) -> tuple[float, float]:
    return box[0] + box[2] / 2, box[1] + box[3] / 2


def windows(trace: Trace, columns: Iterable[Column], read: Iterable[Taps], target: Focus, *, backward: bool = False,
            opacity: float = 1.0) -> list[Mark]:
    """A frame on every tile around the cells that are being read of it to make the target, padding included."""
    found: list[Mark] = []
    drawn = {column.layer: column for column in columns}
    for taps in read:
        column = drawn.get(taps.source)
        if column is None or taps.array not in ("output", "gradient") or not len(taps.cells):
            continue
        layer = trace[taps.source]
        heads = taps.cells[:, :-2] if layer.output.ndim > 2 else np.zeros((len(taps.cells), 0), np.int64)
        drawn_at = [tuple(head) for head in np.unique(heads, axis=0).tolist()] if heads.shape[1] else [()]
        if column.style == "maps" and heads.shape[1]:  # of hundreds of maps a dozen stand there
            shown = set(maps_shown(layer, column))
            drawn_at = [head for head in drawn_at if _place_of(head, layer) in shown]
        for head in heads_on(column, [head for head in drawn_at if all(
                0 <= at < size for at, size in zip(head, layer.shape, strict=False))]):
            own = taps.cells[np.all(heads[:, :len(head)] == np.array(head, np.int64), axis=1)]
            low, high = (tuple(int(at) for at in edge) for edge in (own.min(axis=0), own.max(axis=0)))
            box = box_of_cells(column, layer, low, high)
            if box is not None:
                source = Focus(taps.source, head)
                found += frame(box, "accent", source, 2, Touch(source, target, backward), opacity)
    return grouped(Group("window"), found)


def heads_on(column: Column, heads: Sequence[Cell]) -> list[Cell]:
    """Which maps of a column an outline of its own lies on: each; on a picture in colour one, for all its channels."""
    return [()] if column.style == "picture" and len(heads) > 1 else list(heads)


def windows_of_channels(trace: Trace, column: Column, name: str, cells: Sequence[Cell], opacity: float) -> list[Mark]:
    """The same of a layer that reads the same places in every channel: a window for each of these numbers of it."""
    read = taps_of(trace, name, cells[0]) if cells else ()
    if len(read) != 1 or read[0].source != column.layer:
        return []
    low, high = (tuple(int(at) for at in edge) for edge in (read[0].cells.min(axis=0), read[0].cells.max(axis=0)))
    source = trace[column.layer]
    slices = list(product(*(range(max(0, first), min(size, last + 1)) for first, last, size in zip(
        low[1:-2], high[1:-2], source.shape[1:-2], strict=True))))
    marks: list[Mark] = []
    for cell in cells:
        for at in slices:
            box = box_of_cells(column, source, (cell[0], *at, *low[1 + len(at):]), (cell[0], *at, *high[1 + len(at):]))
            if box is not None:
                read_at, made = Focus(column.layer, (cell[0], *at)[:len(low) - 2]), Focus(name, cell)
                marks += frame(box, "accent", read_at, 2, Touch(read_at, made), opacity)
    return grouped(Group("window"), marks)


def seen_cells(column: Column, place_of: Callable[[int], Cell], chosen: int, most: int = 16) -> list[Cell]:
    """One place in every channel that is shown; where these are many, in the chosen one alone."""
    if len(column.shown) > most:
        return [place_of(chosen)]
    return [place_of(channel) for channel in column.shown if channel >= 0]


def frame(box: Box, ink: str, about: Focus | None = None, width: float = 1.5, holds: Touch | None = None,
          opacity: float = 1.0) -> list[Mark]:
    """An outline with a halo, so that it is seen on every colour."""
    x, y, wide, high = box
    return [Rect(x - HALO, y - HALO, wide + 2 * HALO, high + 2 * HALO, stroke="stage", stroke_width=HALO + 1, radius=2,
                 opacity=opacity, holds=holds),
            Rect(x - 1, y - 1, wide + 2, high + 2, stroke=ink, stroke_width=width, radius=1, focus=about,
                 opacity=opacity, holds=holds)]


def rings(column: Column, layer: Layer, cells: Iterable[Cell], ink: str = "accent", *, backward: bool = False,
          opacity: float = 1.0) -> list[Mark]:
    """A ring on every cell that is being written."""
    marks: list[Mark] = []
    for cell in cells:
        box = box_of_cells(column, layer, cell, cell)
        if box is not None:
            made = Focus(layer.name, cell)
            marks += frame(box, ink, made, holds=Touch(made, made, backward), opacity=opacity)
    return grouped(Group("written"), marks)


def bands(trace: Trace, columns: Iterable[Column], written: Column, layer: Layer, rows: tuple[int, int],
          found: Places, channels: Sequence[int], taps: Callable[[Cell], tuple[Taps, ...]],
          backward: bool = False) -> list[Mark]:
    """Where more than half a row passes in one frame: a band over the rows being done, and over all that they read."""
    across = found.shape[-1]
    marks: list[Mark] = []
    drawn = {column.layer: column for column in columns}
    for channel in channels:
        first, last = found.cell(rows[0] * across, channel), found.cell(rows[1] * across + across - 1, channel)
        made, box = Focus(layer.name, first), box_of_cells(written, layer, first, last)
        if box is not None:
            ink = "gradient-mark" if backward else "accent"
            marks += frame(box, ink, None, 2, Touch(made, made, backward, last), FAINT)
        for one, other in zip(taps(first), taps(last), strict=True):
            if one.source not in drawn or one.array not in ("output", "gradient"):
                continue
            source = trace[one.source]
            every = np.concatenate([one.cells, other.cells])
            heads = np.unique(every[:, :-2], axis=0) if source.output.ndim > 2 else every[:1, :0]
            low, high = every.min(axis=0)[-2:].tolist(), every.max(axis=0)[-2:].tolist()
            maps = [tuple(head) for head in heads.tolist()]
            for head in heads_on(drawn[one.source], maps):
                own = head or maps[0]
                box = box_of_cells(drawn[one.source], source, (*own, *low), (*own, *high))
                if box is not None:
                    touch = Touch(Focus(one.source, head), made, backward, last)
                    marks += frame(box, "accent", None, 2, touch, FAINT)
    return grouped(Group("band"), marks)


def sliding(setting: Setting, marks: Sequence[Mark], share: float) -> list[Mark]:
    """Maps that slide over as a whole: each mark carries the strongest of its numbers, from its place to that which it
    makes."""
    one, other = setting.trace[setting.left[0].layer], setting.layer
    source, target = (other, one) if setting.backward else (one, other)
    values = source.gradient if setting.backward else source.output
    assert values is not None
    cell = tuple(int(at) for at in np.unravel_index(int(np.abs(np.nan_to_num(values)).argmax()), source.shape))
    read = handed_back_to(setting, cell) if setting.backward else taps_of(setting.trace, target.name, cell)
    found = [float(taps.products[index]) for taps in read if taps.source == source.name
             for index in np.flatnonzero(np.all(taps.cells == cell, axis=1))]
    if not found or share >= 1:
        return list(marks)
    holds = Flight(Focus(source.name, cell), Focus(target.name, cell), sum(found), share, setting.backward)
    return [replace(mark, holds=holds) if isinstance(mark, Image) else mark for mark in marks]


def around(box: Box, ink: str = "accent") -> list[Mark]:
    """The outline of the tile that is followed."""
    x, y, wide, high = box
    return [Rect(x - 5, y - 5, wide + 10, high + 10, "", "stage", 3, inside=True, radius=5),
            Rect(x - 4, y - 4, wide + 8, high + 8, "", ink, 3, inside=True, radius=4)]


def chip(value: float, at: tuple[float, float], ink: str = "", said: str = "", opacity: float = 1.0,
         holds: Flight | None = None) -> list[Mark]:
    """A number on a white ground, its middle at a point: blue above zero, red below, an exact zero plain."""
    words = said or ("0" if value == 0 else numbers.signed(value, 2))
    color = ink or ("ink-2" if value == 0 else "positive-text" if value > 0 else "negative-text")
    wide = width(words, 12, 600) + 8
    x, y = at
    return [Rect(x - wide / 2, y - 9, wide, 18, "stage", "rule", 1, radius=4, opacity=opacity, holds=holds),
            Text(x, y + 4.5, plain(words), 12, 600, color, "middle", opacity=opacity)]


def along(points: Points, share: float) -> tuple[float, float]:
    """The point at a share of the length of a line of corners."""
    lengths = [np.hypot(x1 - x0, y1 - y0) for (x0, y0), (x1, y1) in pairwise(points)]
    left = share * sum(lengths)
    for (start, end), length in zip(pairwise(points), lengths, strict=True):
        if left <= length and length:
            part = left / length
            return start[0] + (end[0] - start[0]) * part, start[1] + (end[1] - start[1]) * part
        left -= length
    return points[-1]


def rounded(points: Sequence[tuple[float, float]], radius: float = 6.0) -> Points:
    """A line of right angles with round corners, as the curves of a Path."""
    path: list[tuple[float, float]] = [points[0]]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        ends = []
        for other in (before, after):
            length = float(np.hypot(other[0] - corner[0], other[1] - corner[1])) or 1.0
            reach = min(radius, length / 2)
            ends.append((corner[0] + (other[0] - corner[0]) * reach / length,
                         corner[1] + (other[1] - corner[1]) * reach / length))
        path += [path[-1], ends[0], ends[0], corner, corner, ends[1]]
    return (*path, path[-1], points[-1], points[-1])


def wire(points: Sequence[tuple[float, float]], ink: str, width: float = 1.5, opacity: float = 1.0) -> Mark:
    return Path((rounded(points),), stroke=ink, width=width, opacity=opacity)


def over_the_gap(column: Column, tile: int) -> list[tuple[float, float]]:
    """The way from a tile to the right rim of its column that runs in the gaps between tiles."""
    box = column.box(tile)
    assert box is not None
    place = column.shown.index(tile)
    x, y, wide, high = box
    rim = column.x + column.width
    if (place + 1) % column.sub_columns == 0 or place == len(column.shown) - 1:
        return [(x + wide + 1, y + high / 2), (rim + 4, y + high / 2)]
    above = y - max(2.0, (column.pitch[1] - high) / 2)
    out = x + wide + max(1.5, (column.pitch[0] - wide) / 2)
    return [(x + wide + 1, y + min(high / 2, 14)), (out, y + min(high / 2, 14)), (out, above), (rim + 4, above)]


def progress(x: float, wide: float, y: float, share: float, ink: str, words: str) -> list[Mark]:
    """A thin line under the layer that is written: the share that is done, and what is counted."""
    marks: list[Mark] = [Rect(x, y, wide, 3, "sunk", radius=1.5)]
    if share > 0:
        marks.append(Rect(x, y, max(3.0, wide * share), 3, ink, radius=1.5))
    marks.append(Text(x, y + 17, plain(words), 12, 400, "ink-2"))
    return grouped(Group("progress"), marks)


def straight(one: tuple[float, float], other: tuple[float, float], ink: str, width: float = 1.5,
             opacity: float = 1.0) -> Mark:
    return Line((one, other), ink, width, opacity=opacity)


def step_named(trace: Trace, step: Cell, shape: tuple[int, ...]) -> str:
    """A step as a person names it: its word or symbol, else its number; a pixel by its row and column."""
    words = own_words(trace)
    if len(step) == 1 and len(words) == shape[0]:
        return in_quotes(words[step[0]])
    if len(step) == 2:
        return tr("row {row}, column {column}").format(row=step[0], column=step[1])
    return ", ".join(map(str, step))


@remembered(64)
def taps_of(trace: Trace, name: str, cell: Cell) -> tuple[Taps, ...]:
    """What one number of a layer is read from; nothing where that is unexplained."""
    try:
        return kinds.terms(trace, name, cell).taps
    except (LookupError, IndexError):
        return ()


def handed_back_to(setting: Setting, cell: Cell) -> tuple[Taps, ...]:
    """The gradients from which that of one number comes, as far as the layer at the right hands it back; nothing where
    that is unexplained."""
    try:
        found = kinds.backward_terms(setting.trace, setting.written.name, cell)
    except (LookupError, IndexError):
        return ()
    return tuple(taps for reader, terms in found for taps in terms.taps
                 if setting.turn is None or reader in setting.turn.readers)


# --- what slides over as a whole --------------------------------------------------------------------------------------

def side_by_side(setting: Setting) -> bool:
    """Whether what is read and what is written stand in the same grid, so that the one can slide onto the other."""
    if len(setting.left) != 1:
        return False
    (left,), right = setting.left, setting.right
    return (left.style == right.style != "bars" and left.style not in ("passage", "number", "hidden")
            and (left.shown, left.sub_columns, left.factor) == (right.shown, right.sub_columns, right.factor)
            and setting.trace[left.layer].shape == setting.trace[right.layer].shape)


def between(one: Column, other: Column, share: float) -> Column:
    """A column on its way onto another, with the grid of both."""
    def on_its_way(a: float, b: float) -> float:
        return a + (b - a) * share

    def both(a: tuple[float, float], b: tuple[float, float]) -> tuple[float, float]:
        return on_its_way(a[0], b[0]), on_its_way(a[1], b[1])

    return replace(other, x=on_its_way(one.x, other.x), top=on_its_way(one.top, other.top),
                   cell=both(one.cell, other.cell), tile=both(one.tile, other.tile), pitch=both(one.pitch, other.pitch))


def areas(column: Column) -> list[Box]:
    """Each map, or all units together."""
    if column.style == "units":
        return [(column.x, column.top, column.width, column.height)]
    return [box for index in column.shown if (box := column.box(index)) is not None]


def edges(column: Column) -> list[Mark]:
    """The outline of what is on its way."""
    return [Rect(x, y, wide, high, stroke="ink-2", stroke_width=1.2) for x, y, wide, high in areas(column)]
