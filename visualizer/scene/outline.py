"""Outline: a picture as a tree of parts, for whoever hears it: its groups, the maps in them, the rows, the cells.

Pure. A part says where it stands and what it is the number of; what lies in it is worked out when it is asked for, so
that a picture of a hundred thousand cells costs nothing until somebody walks into it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

from visualizer.scene.picture import (
    LANE,
    Choice,
    Flight,
    Group,
    Image,
    Mark,
    Opens,
    Picture,
    Rect,
    Run,
    Spot,
    Stop,
    Text,
    ToInput,
    Touch,
    box_of,
    cell_spot,
    place_in,
)

Box = tuple[float, float, float, float]
"""Left, top, width, height."""
MOST = 100
"""So many parts lie directly in another one; more are handed out in stretches of as many."""
GROUP, MAP, STRETCH, CELL, WORDS = "group", "map", "stretch", "cell", "words"
"""What a part is: all that belongs together, all numbers of one map, some parts of many, one number, a text."""


def nothing() -> tuple[Branch, ...]:
    """What lies in a cell."""
    return ()


@dataclass(frozen=True, eq=False)
class Branch:
    """One part of a picture."""

    what: str
    place: Box
    key: Hashable = None
    """By which it is known again among the same parts of the next picture: what it is, not where or how large."""
    spot: Spot | None = None
    """What it is the number of, or all numbers of; None for a group and for a stretch."""
    group: Group | None = None
    said: str = ""
    """Its own words, where it has any."""
    leads: object = None
    """What a click on it does beyond looking there: what its mark holds."""
    unfold: Callable[[], tuple[Branch, ...]] = nothing

    @cached_property
    def branches(self) -> tuple[Branch, ...]:
        """What lies in it, in reading order."""
        return self.unfold()


def outline(picture: Picture, texts: bool = False) -> tuple[Branch, ...]:
    """The groups of a picture in the order in which they are drawn, which is the order of reading: first those that the
    keyboard walks in, the line of the time last. `texts`: with its words, too."""
    found: dict[Group | None, list[Mark]] = {}
    for mark in paragraphs(picture) if texts else picture:
        if not isinstance(getattr(mark, "holds", None), Flight | Touch) \
                and (mark.focus is not None or (texts and isinstance(mark, Text))):
            found.setdefault(mark.group, []).append(mark)
    groups = sorted(found, key=lambda group: (group == LANE, group is None or not group.shows))
    return tuple(part for group in groups for part in _grouped(group, found[group]))


def paragraphs(marks: Iterable[Mark]) -> list[Mark]:
    """The same, but lines of words that stand one below the other in one type are one text."""
    found: list[Mark] = []
    below = 0.0
    for mark in marks:
        last = found[-1] if found else None
        if isinstance(mark, Text) and isinstance(last, Text) and mark.focus is last.focus is None \
                and (mark.x, mark.size, mark.weight, mark.group) == (last.x, last.size, last.weight, last.group) \
                and 0 < mark.y - below < 1.7 * mark.size:
            found[-1] = replace(last, runs=(*last.runs, Run(" "), *mark.runs))
        else:
            found.append(mark)
        below = mark.y if isinstance(mark, Text) else 0.0
    return found


def at(parts: Sequence[Branch], x: float, y: float) -> tuple[int, ...]:
    """Where the smallest part under a point is found: its number among the parts, among the parts of that, and so on;
    empty where there is none."""
    for number, part in enumerate(parts):
        left, top, wide, high = part.place
        if left <= x < left + wide and top <= y < top + high:
            inside = at(part.branches, x, y)
            if inside or part.what in (CELL, WORDS) or not part.branches:
                return number, *inside
    return ()


def around(parts: Sequence[Branch]) -> Box:
    """The box around several."""
    boxes = [part.place for part in parts]
    left, top = (min(box[axis] for box in boxes) for axis in (0, 1))
    right, bottom = (max(box[axis] + box[axis + 2] for box in boxes) for axis in (0, 1))
    return left, top, right - left, bottom - top


# --- helpers --------------------------------------------------------------------------------------------------------

def _grouped(group: Group | None, marks: Sequence[Mark]) -> tuple[Branch, ...]:
    """A group as one part; what belongs to none stands by itself. What is drawn twice in one place is one part, and a
    frame around a cell is that cell."""
    images = [mark for mark in marks if isinstance(mark, Image)]
    found: list[Branch] = []
    drawn: dict[Hashable, list[Box]] = {}
    for mark in marks:
        if not isinstance(mark, Image) and mark.focus is not None and mark.focus.cell \
                and any(place_in(image, mark.focus, 0) for image in images):
            continue
        name, box = _name(mark), box_of(mark)
        boxes = drawn.setdefault(name, [])
        if box not in boxes:
            boxes.append(box)
            found += _of_image(mark, (name, len(boxes))) if isinstance(mark, Image) else \
                [_of_mark(mark, (name, len(boxes)))]
    if group is None or not found:
        return tuple(found)
    return (Branch(GROUP, around(found), (group.name, group.about), None, group,
                   unfold=partial(stretches, tuple(found))),)


def _name(mark: Mark) -> Hashable:
    """By which a mark is known again in the next picture: not by its numbers."""
    if isinstance(mark, Image):
        return "Image", mark.focus
    leads = mark.holds if isinstance(mark.holds, Choice | Opens | Stop | ToInput) else None
    return type(mark).__name__, mark.focus, leads, mark.plain if isinstance(mark, Text) and mark.focus is None else ""


def stretches(parts: tuple[Branch, ...]) -> tuple[Branch, ...]:
    """The same, or where there are many stretches of them."""
    if len(parts) <= MOST:
        return parts
    size = MOST
    while size * MOST < len(parts):
        size *= MOST
    return tuple(_stretch(parts[first:first + size]) for first in range(0, len(parts), size))


def _stretch(parts: tuple[Branch, ...]) -> Branch:
    return Branch(STRETCH, around(parts), (parts[0].key, parts[-1].key), unfold=partial(stretches, parts))


def _of_mark(mark: Mark, key: Hashable) -> Branch:
    if mark.focus is None:
        return Branch(WORDS, box_of(mark), key, None, mark.group, mark.plain if isinstance(mark, Text) else "")
    spot = cell_spot(mark)
    return Branch(CELL, spot.place, key, spot, mark.group, mark.tip if isinstance(mark, Rect) else "", mark.holds)


def _of_image(mark: Image, key: Hashable) -> list[Branch]:
    """Its tiles: each a map with its cells in it, or one cell."""
    rows, columns = mark.values.shape[1:3]
    if not all(mark.tile_size):
        return []  # a low stage may leave cells no height
    made = []
    for tile in range(len(mark.values)):
        index, box = mark.index(tile), (*mark.tile_origin(tile), *mark.tile_size)
        again = key, tile if index < 0 else index, index < 0
        if rows * columns == 1 or mark.pooled > 1:
            made.append(Branch(CELL, box, again, cell_spot(mark, tile), mark.group, leads=mark.holds))
        else:
            made.append(Branch(MAP, box, again, _whole(mark, tile), mark.group, unfold=partial(_cells, mark, tile)))
    return made


def _whole(mark: Image, tile: int) -> Spot:
    """What a tile is as a whole."""
    assert mark.focus is not None
    index = mark.index(tile)
    alone = index == -1 or mark.folds is not None or mark.blends > 1
    focus = mark.focus if alone else replace(mark.focus, cell=(*mark.focus.cell, index))
    return Spot(focus, (*mark.tile_origin(tile), *mark.tile_size), mark.group)


def _cells(mark: Image, tile: int) -> tuple[Branch, ...]:
    """The cells of a tile row by row; of many each row is a stretch."""
    rows, columns = mark.values.shape[1:3]
    if rows * columns <= MOST:
        return tuple(part for row in range(rows) for part in _row(mark, tile, row))
    lines = (_row(mark, tile, row) for row in range(rows))
    return stretches(tuple(line[0] if len(line) == 1 else _stretch(line) for line in lines))


def _row(mark: Image, tile: int, row: int) -> tuple[Branch, ...]:
    spots = (cell_spot(mark, tile, row, column) for column in range(mark.values.shape[2]))
    return tuple(Branch(CELL, spot.place, (row, column), spot, mark.group) for column, spot in enumerate(spots))
