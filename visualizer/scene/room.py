"""Room: what a presenter does with a picture: the parts a spotlight can stand on, one of them alone, ink over it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from visualizer.scene.picture import BEAT, Focus, Image, Line, Mark, Picture, Points, Rect, Text
from visualizer.scene.projector import HEAD, LABEL, LINE, SMALLEST, measure
from visualizer.scene.type import bounds

# --- parts of a picture ---------------------------------------------------------------------------------------------

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""
FEW_LAYERS = 2
"""Up to so many layers in a picture, each of their channels, units or steps is a part; else each layer is one."""


@dataclass(frozen=True)
class Part:
    """What a spotlight can stand on: a layer or a cell of it, or, without a focus, the sentence."""

    focus: Focus | None
    place: Box


def parts(picture: Picture) -> tuple[Part, ...]:
    """The parts of a picture in the order in which one reads: the sentence, then row by row."""
    high = measure(picture.size)
    head = [bounds(mark) for mark in picture if isinstance(mark, Text) and mark.y < high * HEAD * LABEL / SMALLEST]
    found: dict[Focus, Box] = {}
    layers = {mark.focus.layer for mark in picture if mark.focus is not None and mark.focus.part != BEAT}
    for mark in picture:
        if mark.focus is None or mark.focus.part == BEAT or mark.opacity < 0.5:
            continue
        for focus, box in _places(mark, len(layers) <= FEW_LAYERS):
            found[focus] = union(found[focus], box) if focus in found else box
    rest = [Part(focus, box) for focus, box in found.items()]
    rest.sort(key=lambda part: (round(part.place[1] / high * 24), part.place[0]))
    return (*([Part(None, union(*head))] if head else []), *rest)


def _places(mark: Mark, each_cell: bool) -> list[tuple[Focus, Box]]:
    """Where a mark shows its layer, or each of its channels, units or steps."""
    focus = mark.focus
    assert focus is not None
    if not each_cell:
        return [(Focus(focus.layer), extent(mark))]
    if isinstance(mark, Image) and not focus.cell and mark.indices != (-1,) and len(mark.values) > 1:
        tiles = []
        for tile in range(len(mark.values)):
            x, y = mark.tile_origin(tile)
            index = mark.indices[tile] if tile < len(mark.indices) else tile
            tiles.append((Focus(focus.layer, (index,)), (x, y, x + mark.tile_size[0], y + mark.tile_size[1])))
        return tiles
    return [(Focus(focus.layer, focus.cell[:1]), extent(mark))]


def alone(picture: Picture, part: Part) -> Picture:
    """The same picture with everything hidden but this part and the sentence."""
    places = [part.place, *(found.place for found in parts(picture)[:1] if found.focus is None)]

    def stays(mark: Mark) -> bool:
        x0, y0, x1, y1 = extent(mark)
        if mark.focus is not None and mark.focus.part == BEAT:
            return True
        return any(x0 >= u0 - 12 and x1 <= u1 + 12 and y0 >= v0 - 12 and y1 <= v1 + 12 for u0, v0, u1, v1 in places)

    return replace(picture, still=tuple(filter(stays, picture.still)), moving=tuple(filter(stays, picture.moving)))


def inked(picture: Picture, strokes: Iterable[Points]) -> Picture:
    """The same picture with strokes of the pen over it; their points are shares of its width and height."""
    wide, high = picture.size
    lines = tuple(Line(tuple((x * wide, y * high) for x, y in points), "pen", max(LINE, high / 150))
                  for points in strokes if len(points) > 1)
    return replace(picture, moving=(*picture.moving, *lines)) if lines else picture


def extent(mark: Mark) -> Box:
    """Left, top, right, bottom of what a mark covers."""
    if isinstance(mark, Text):
        return bounds(mark)
    if isinstance(mark, Rect):
        return mark.x, mark.y, mark.x + mark.width, mark.y + mark.height
    if isinstance(mark, Image):
        last = len(mark.values) - 1
        right, bottom = mark.tile_origin(min(mark.columns - 1, last))[0], mark.tile_origin(last)[1]
        return mark.x, mark.y, right + mark.tile_size[0], bottom + mark.tile_size[1]
    points = mark.points if isinstance(mark, Line) else tuple(point for curve in mark.curves for point in curve)
    across, down = [x for x, _ in points], [y for _, y in points]
    return min(across), min(down), max(across), max(down)


def union(*boxes: Box) -> Box:
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)
