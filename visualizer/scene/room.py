"""Room: a picture as an audience sees it. Type, lines and markers follow from the height of the screen alone.

The sizes are shares of the window's height, so that they hold on any projector and with any scaling of the system:
what the last row can read is a matter of the height of the picture. `look_for` makes the Look that a view lays out
with, `legible` is the last word on what a view has drawn: words too small are enlarged, and those that then run into
more important ones are left out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from visualizer.scene.picture import (
    LANE,
    SENTENCE,
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
    Run,
    Text,
)
from visualizer.scene.type import Runs, bounds, width, wrap

BODY, LABEL, NUMBER = 1 / 30, 1 / 36, 1 / 12
"""Sizes of the sentence, of labels, and of the one measured number, as shares of the height."""
LINE, MARKER = 3.0, 10.0
"""Pixels: no line is thinner, no dot smaller."""
SMALLEST = 11.0
"""The smallest size of type that views use at a text scale of 1: it becomes a label."""
HEAD, FOOT = 66.0, 30.0
"""Heights of the headline and of the line of beats, at a text scale of 1."""
MARGIN, GAP, LEADING = 24.0, 20.0, 1.3
LINES = 3
BESIDE = 0.36
"""The large number takes at most this share of the width."""


def look_for(look: Look, size: tuple[int, int]) -> Look:
    """The same look for a room, on a screen of this size in pixels."""
    return replace(look, size=size, theme="projector", text_scale=measure(size) * LABEL / SMALLEST, room=True)


def measure(size: tuple[int, int]) -> float:
    """The height that all sizes are shares of; on a screen that is narrower than 4 : 3, as if it were no higher."""
    return min(size[1], size[0] * 0.75)


def headline(look: Look, runs: Runs) -> list[Mark]:
    """The measured number large, the sentence beside it; without a number, or where there is no place for it, the
    sentence alone."""
    wide, high = look.size[0], measure(look.size)
    size, large = high * BODY, high * NUMBER
    measured = next((run.text for run in runs if run.color), "")
    for number in dict.fromkeys((measured, first_word(measured), "")):
        taken = width(number, large, 600, display=True) if number else 0.0
        left = MARGIN + (taken + GAP if number else 0.0)
        lines = wrap(runs, size, wide - MARGIN - left, 500)
        if taken <= BESIDE * wide and (len(lines) <= LINES or not number):
            break
    lines, pitch = lines[:LINES], size * LEADING
    middle = HEAD * 0.5
    marks: list[Mark] = []
    if number:
        marks.append(Text(MARGIN, middle + large * 0.363, (Run(number),), large, 600, "accent-ink", display=True,
                          group=SENTENCE))
    first = middle - (len(lines) - 1) * pitch / 2 + size * 0.363
    return marks + [Text(left, first + pitch * place, line, size, 500, group=SENTENCE)
                    for place, line in enumerate(lines)]


def first_word(words: str) -> str:
    """`188` of `188 of 784`; a percent sign stays with its number."""
    first, _, rest = words.partition(" ")
    return f"{first} %" if rest.startswith("%") else first


def legible(picture: Picture) -> Picture:
    """The same picture with nothing in it that a room cannot read: no words, lines or dots below the sizes above."""
    kept = _apart(picture)
    still = tuple(shown for mark in picture.still if (shown := _enlarged(mark, picture, kept)) is not None)
    moving = tuple(shown for mark in picture.moving if (shown := _enlarged(mark, picture, kept)) is not None)
    return replace(picture, still=still, moving=moving)


def _enlarged(mark: Mark, picture: Picture, kept: dict[int, Text]) -> Mark | None:
    least = thinnest(measure(picture.size))
    if isinstance(mark, Text):
        return kept.get(id(mark))
    if isinstance(mark, Line):
        return replace(mark, width=max(mark.width, least))
    if isinstance(mark, Path):
        return replace(mark, width=max(mark.width, least)) if mark.stroke else mark
    if isinstance(mark, Rect) and mark.radius and mark.width == mark.height == 2 * mark.radius:
        grown = max(0.0, MARKER - mark.width) / 2
        return replace(mark, x=mark.x - grown, y=mark.y - grown, width=mark.width + 2 * grown,
                       height=mark.height + 2 * grown, radius=mark.radius + grown,
                       stroke_width=max(mark.stroke_width, least))
    return replace(mark, stroke_width=max(mark.stroke_width, least)) if isinstance(mark, Rect) and mark.stroke else mark


def thinnest(height: float) -> float:
    """Pixels of the thinnest line on a screen of this height."""
    return max(LINE, LINE * height / 1080)


def _apart(picture: Picture) -> dict[int, Text]:
    """Which texts stay, by the identity of their marks: the more important first, each clear of all before it."""
    least, (wide, high) = measure(picture.size) * LABEL, picture.size
    texts = [mark for mark in picture if isinstance(mark, Text)]
    taken: list[tuple[float, float, float, float]] = []
    kept: dict[int, Text] = {}
    for mark in sorted(texts, key=_rank):
        grown = replace(mark, size=max(mark.size, least), max_width=0)
        x0, y0, x1, y1 = bounds(grown)
        box = x0 - least * 0.15, y0, x1 + least * 0.15, y1
        inside = x0 >= 0 and y0 >= 0 and x1 <= wide and y1 <= high
        alone = not any(x0 < u1 and u0 < x1 and y0 < v1 and v0 < y1 for u0, v0, u1, v1 in taken)
        same = id(mark) in kept
        if inside and alone and not same:
            kept[id(mark)] = grown
            if mark.opacity > 0.5:
                taken.append(box)
    return kept


def _rank(mark: Text) -> tuple[bool, float, int]:
    """The headline, then what is in the accent, then by size and weight."""
    return not mark.color.startswith("accent"), -mark.size, -mark.weight


# --- parts of a picture ---------------------------------------------------------------------------------------------

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


@dataclass(frozen=True)
class Part:
    """What a spotlight can stand on: a group of marks, and where they stand."""

    group: Group
    place: Box

    @property
    def focus(self) -> Focus | None:
        """What it is of; None for what speaks of the whole picture."""
        return self.group.about


def parts(picture: Picture) -> tuple[Part, ...]:
    """The parts of a picture in the order in which one reads: the sentence, then row by row; the line of the time is
    none."""
    found: dict[Group, Box] = {}
    for mark in picture:
        if mark.group is not None and mark.group != LANE and mark.opacity >= 0.5:
            for group, box in _places(mark, mark.group):
                found[group] = union(found[group], box) if group in found else box
    high = measure(picture.size)
    rest = [Part(group, box) for group, box in found.items() if group != SENTENCE]
    rest.sort(key=lambda part: (round(part.place[1] / high * 24), part.place[0]))
    return (*([Part(SENTENCE, found[SENTENCE])] if SENTENCE in found else []), *rest)


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


def alone(picture: Picture, part: Part) -> Picture:
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
