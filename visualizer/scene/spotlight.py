"""Spotlight: the parts of a picture that a presenter's light can stand on, one of them alone, ink over it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from visualizer.scene.picture import LANE, SENTENCE, Focus, Group, Image, Line, Mark, Picture, Points, box_of
from visualizer.scene.projector import LINE, measure

# --- parts of a picture ---------------------------------------------------------------------------------------------

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


@dataclass(frozen=True)
class Lit:
    """What a spotlight can stand on: a group of marks, and where they stand."""

    group: Group
    place: Box

    @property
    def focus(self) -> Focus | None:
        """What it is of; None for what speaks of the whole picture."""
        return self.group.about


def parts(picture: Picture) -> tuple[Lit, ...]:
    """The parts of a picture in the order in which one reads: the sentence, then row by row; the line of the time is
    none."""
    found: dict[Group, Box] = {}
    for mark in picture:
        if mark.group is not None and mark.group != LANE and mark.opacity >= 0.5:
            for group, box in _places(mark, mark.group):
                found[group] = union(found[group], box) if group in found else box
    high = measure(picture.size)
    rest = [Lit(group, box) for group, box in found.items() if group != SENTENCE]
    rest.sort(key=lambda part: (round(part.place[1] / high * 24), part.place[0]))
    return (*([Lit(SENTENCE, found[SENTENCE])] if SENTENCE in found else []), *rest)


def _places(mark: Mark, group: Group) -> list[tuple[Group, Box]]:
    """Where a mark shows its group, or where its tiles show theirs."""
    if not isinstance(mark, Image) or not group.each or mark.indices == (-1,):
        return [(group, extent(mark))]
    wide, high = mark.tile_size
    tiles = []
    for tile in range(len(mark.values)):
        x, y = mark.tile_origin(tile)
        tiles.append((group.of(mark.index(tile)), (x, y, x + wide, y + high)))
    return tiles


def alone(picture: Picture, part: Lit) -> Picture:
    """The same picture with everything hidden but this part and the sentence."""
    still, moving = (tuple(kept for mark in marks if (kept := _kept(mark, part.group)) is not None)
                     for marks in (picture.still, picture.moving))
    return replace(picture, still=still, moving=moving)


def _kept(mark: Mark, group: Group) -> Mark | None:
    """What of a mark belongs to a group, or to the sentence: of an image whose tiles are parts, one tile."""
    if mark.group in (group, SENTENCE):
        return mark
    if isinstance(mark, Image) and mark.group is not None and mark.group.each and mark.indices != (-1,):
        for tile in range(len(mark.values)):
            if mark.group.of(mark.index(tile)) == group:
                return mark.only(tile)
    return None


def inked(picture: Picture, strokes: Iterable[Points]) -> Picture:
    """The same picture with strokes of the pen over it; their points are shares of its width and height."""
    wide, high = picture.size
    lines = tuple(Line(tuple((x * wide, y * high) for x, y in points), "pen", max(LINE, high / 150))
                  for points in strokes if len(points) > 1)
    return replace(picture, moving=(*picture.moving, *lines)) if lines else picture


def extent(mark: Mark) -> Box:
    """Left, top, right, bottom of what a mark covers."""
    left, top, wide, high = box_of(mark)
    return left, top, left + wide, top + high


def union(*boxes: Box) -> Box:
    left, top, right, bottom = zip(*boxes, strict=True)
    return min(left), min(top), max(right), max(bottom)
