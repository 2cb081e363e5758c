"""Walking in the microscope: the cells of its picture and what stands beside them, and which numbers are the same.

Pure. A mark with a focus is a cell; marks with the same focus show the same quantity, once in each part: the window,
the kernel, the products, the running sum.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import hypot, inf

import numpy as np

from visualizer import kinds
from visualizer.language import tr
from visualizer.scene import numbers
from visualizer.scene.picture import BEAT, Focus, Image, Picture, Rect, Text
from visualizer.scene.subject import is_number, step_of
from visualizer.trace import Trace
from visualizer.ui import words

SMALLEST = 4.0
"""Pixels; where the cells of a map are smaller, the keyboard does not walk in it."""
BARS = ("positive-bar", "negative-bar", "gradient-mark")
Box = tuple[float, float, float, float]
"""Left, top, width, height."""


@dataclass(frozen=True)
class Spot:
    """One cell that a picture shows."""

    focus: Focus
    place: Box


@dataclass(frozen=True)
class Part:
    """Cells that belong together: the arrow keys walk among them, Tab goes to the next part."""

    name: str
    spots: tuple[Spot, ...]

    @property
    def place(self) -> Box:
        left, top = (min(spot.place[axis] for spot in self.spots) for axis in (0, 1))
        right, bottom = (max(spot.place[axis] + spot.place[axis + 2] for spot in self.spots) for axis in (0, 1))
        return left, top, right - left, bottom - top


def parts(picture: Picture, about: Focus) -> tuple[Part, ...]:
    """The parts of a picture of the number `about` in the order in which they were drawn, whole maps last.

    The first mark of each focus belongs to the first part, its second one to the second, and so on; a map is a part of
    its own, unless it only says where a window was cut.
    """
    groups: dict[tuple[object, ...], list[Spot]] = {}
    bars: set[tuple[object, ...]] = set()
    seen: Counter[Focus] = Counter()
    for number, mark in enumerate(picture):
        if mark.focus is None or mark.focus.part == BEAT:
            continue
        if isinstance(mark, Rect) and mark.focus.cell:
            key: tuple[object, ...] = (mark.focus.part, mark.focus.layer, seen[mark.focus])
            seen[mark.focus] += 1
            groups.setdefault(key, []).append(Spot(mark.focus, (mark.x, mark.y, mark.width, mark.height)))
            bars |= {key} if mark.fill in BARS else set()
        elif isinstance(mark, Image) and min(mark.cell) >= SMALLEST and (not mark.focus.cell or len(mark.indices) > 1):
            groups[("map" if len(mark.values) == 1 else "tiles", number)] = list(_cells(mark))
    found = sorted(groups.items(), key=lambda item: item[0][0] == "map")
    return tuple(Part(tr("result") if [spot.focus for spot in spots] == [about] else _name(picture, spots, key in bars),
                      tuple(spots)) for key, spots in found if spots)


def beside(part: Part, here: int, right: int, down: int) -> int:
    """The cell that an arrow goes to from cell `here`: the nearest one in that direction; `here` if there is none."""
    x, y = _middle(part.spots[here].place)
    best, shortest = here, inf
    for number, spot in enumerate(part.spots):
        dx, dy = _middle(spot.place)[0] - x, _middle(spot.place)[1] - y
        ahead, aside = (dx * right, dy) if right else (dy * down, dx)
        if ahead > 0.5 and hypot(ahead, 3 * aside) < shortest:
            best, shortest = number, hypot(ahead, 3 * aside)
    return best


def is_place(trace: Trace, about: Focus, hit: Focus | None) -> bool:
    """Whether `hit` is another place in the array of the number that is looked at, at the same step if it has steps:
    pointing at it looks there."""
    if hit is None or hit.layer != about.layer or hit.part != about.part or not is_number(trace, hit):
        return False
    return step_of(trace, hit) == step_of(trace, about)


@lru_cache(maxsize=64)
def same_numbers(trace: Trace, focus: Focus) -> tuple[Focus, ...]:
    """The focus, and the cells of neighbouring layers that are the same number in another shape: through a flatten."""
    found = [focus]
    if focus.layer not in trace or focus.part != "output" or len(focus.cell) != trace[focus.layer].output.ndim:
        return (focus,)
    here = focus
    while (up := _moved_from(trace, here)) is not None:
        found.append(up)
        here = up
    here = focus
    while (down := _moved_to(trace, here)) is not None:
        found.append(down)
        here = down
    return tuple(found)


def term_tip(trace: Trace, picture: Picture, focus: Focus, about: Focus, backward: bool) -> str:
    """Two lines for a term of the number `about`: where it was read, and the product; as any cell's tip where it is
    no term."""
    lines = words.tip(trace, focus, backward).split("\n")
    product = product_words(trace, picture, focus, about.layer if backward else "")
    if not product:
        return "\n".join(lines)
    return f"{lines[0]}\n{words.quantity(focus, backward)} {product}"


def product_words(trace: Trace, picture: Picture, focus: Focus, without: str = "") -> str:
    """`2.96 × 0.52 = +1.55`, from the row of the picture's own table; empty where nothing is multiplied.

    Rows of the layer `without` do not count: on the way back its own terms are what it read, and no gradients.
    """
    alike = {(one.layer if one.part == "output" else f"{one.layer}/{one.part}", f"({', '.join(map(str, one.cell))})")
             for one in same_numbers(trace, focus)}
    row = next((row for row in picture.table.rows if len(row) == 6 and (row[1], row[2]) in alike
                and row[0] != without), None)
    if row is None:
        return ""
    value, weight, product = (float(number) for number in row[3:])
    if weight == 1:
        return ""
    plus = "+" if product > 0 else ""
    return f"{numbers.significant(value)} × {numbers.significant(weight)} = {plus}{numbers.significant(product)}"


def spoken(trace: Trace, picture: Picture, part: Part, number: int, about: Focus, backward: bool) -> str:
    """`kernel, 3 of 54: pool1 channel 0, pixel (4, 5), 2.96 × 0.52 = +1.55`, for a screen reader."""
    said = term_tip(trace, picture, part.spots[number].focus, about, backward).replace("\n", ", ")
    return tr("{part}, {n} of {all}: {said}").format(part=part.name, n=number + 1, all=len(part.spots), said=said)


# --- helpers --------------------------------------------------------------------------------------------------------

def _cells(mark: Image) -> Iterator[Spot]:
    """Every cell of every tile, as `Picture.hit` would find it."""
    assert mark.focus is not None
    tiles, rows, columns = mark.values.shape[:3]
    wide, high = mark.cell
    for tile in range(tiles):
        index = mark.indices[tile] if tile < len(mark.indices) else tile
        head = () if index == -1 else (index,)
        x, y = mark.tile_origin(tile)
        for row, column in np.ndindex(rows, columns):
            inner = () if (rows, columns) == (1, 1) else (column, row) if mark.transposed else (row, column)
            yield Spot(Focus(mark.focus.layer, (*mark.focus.cell, *head, *inner), mark.focus.part),
                       (x + column * wide, y + row * high, wide, high))


def _name(picture: Picture, spots: Sequence[Spot], are_bars: bool) -> str:
    """The words that stand right of the cells, or above them."""
    left, top, wide, high = Part("", tuple(spots)).place
    texts = [mark for mark in picture if isinstance(mark, Text) and mark.anchor == "start"]
    right_of = [(text.x, text.plain) for text in texts
                if text.weight >= 600 and text.x >= left + wide and top <= text.y <= top + high]
    above = [(-text.y, text.plain) for text in texts if left - 60 <= text.x <= left + 8 and top - 28 <= text.y <= top]
    if are_bars:
        headings = [(text.y, text.plain) for text in texts if text.weight >= 600 and abs(text.x - left) <= 80
                    and text.y <= top + high and not any(letter.isdigit() for letter in text.plain)]
        return max(headings)[1] if headings else tr("running sum")
    return next((name for _, name in (*sorted(above)[:1], *sorted(right_of)[:1])), tr("terms"))


def _moved_from(trace: Trace, focus: Focus) -> Focus | None:
    """Where the number of a layer that only moves numbers was before."""
    layer = trace[focus.layer]
    kind = kinds.of(layer)
    if kind is None or not kind.moves_only:
        return None
    try:
        taps = kinds.terms(trace, focus.layer, focus.cell).taps
    except (LookupError, IndexError):
        return None
    if len(taps) != 1 or len(taps[0].cells) != 1 or (taps[0].inside is not None and not taps[0].inside[0]):
        return None
    return Focus(taps[0].source, tuple(int(index) for index in taps[0].cells[0]))


def _moved_to(trace: Trace, focus: Focus) -> Focus | None:
    """Where the number goes, if all that reads it only moves numbers."""
    readers = trace.readers(focus.layer)
    kind = kinds.of(readers[0]) if len(readers) == 1 else None
    if kind is None or not kind.moves_only:
        return None
    reader = readers[0]
    try:
        terms = kinds.asked(kind.backward_terms, reader, trace.inputs(reader), reader.reads.index(focus.layer),
                            focus.cell)
    except LookupError:
        return None
    cells = [cell for taps in terms.taps for cell in taps.cells]
    return Focus(reader.name, tuple(int(index) for index in cells[0])) if len(cells) == 1 else None


def _middle(place: Box) -> tuple[float, float]:
    return place[0] + place[2] / 2, place[1] + place[3] / 2
