"""Walking in the microscope: the groups of its picture and their cells, and which numbers are the same.

Pure. A group of cells is a part: the window, the kernel, the products, the running sum. A cell knows which term it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, inf

from visualizer import kinds
from visualizer.language import tr
from visualizer.scene import numbers
from visualizer.scene.picture import Focus, Group, Image, Picture, Spot, Term, spots
from visualizer.scene.subject import is_number, step_of
from visualizer.trace import Trace, remembered
from visualizer.ui import words

SMALLEST = 4.0
"""Pixels; where the cells of a map are smaller, the keyboard does not walk in it."""
Box = tuple[float, float, float, float]
"""Left, top, width, height."""


@dataclass(frozen=True)
class Walked:
    """Cells that belong together: the arrow keys walk among them, Tab goes to the next part."""

    group: Group
    spots: tuple[Spot, ...]

    @property
    def name(self) -> str:
        return words.group(self.group)

    @property
    def place(self) -> Box:
        left, top = (min(spot.place[axis] for spot in self.spots) for axis in (0, 1))
        right, bottom = (max(spot.place[axis] + spot.place[axis + 2] for spot in self.spots) for axis in (0, 1))
        return left, top, right - left, bottom - top


def parts(picture: Picture) -> tuple[Walked, ...]:
    """The parts of a picture in the order in which they were drawn: those whose cells are terms, then whole maps."""
    found: dict[Group, list[Spot]] = {}
    for mark in picture:
        if mark.group is not None and mark.group.cells and not (isinstance(mark, Image) and min(mark.cell) < SMALLEST):
            found.setdefault(mark.group, []).extend(spots(mark))
    walked = [Walked(group, tuple(cells)) for group, cells in found.items() if cells]
    return tuple(sorted(walked, key=lambda part: not part.group.shows))


def beside(part: Walked, here: int, right: int, down: int) -> int:
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
    if hit is None or hit.layer != about.layer or hit.array != about.array or not is_number(trace, hit):
        return False
    return step_of(trace, hit) == step_of(trace, about)


@remembered(64)
def same_numbers(trace: Trace, focus: Focus) -> tuple[Focus, ...]:
    """The focus, and the cells of neighbouring layers that are the same number in another shape: through a flatten."""
    found = [focus]
    if focus.layer not in trace or focus.array != "output" or len(focus.cell) != trace[focus.layer].output.ndim:
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


def spot_tip(trace: Trace, spot: Spot, backward: bool) -> str:
    """Two lines for a cell: where its number was read, and as a term the product; else its number."""
    plain = words.tip(trace, spot.focus, backward)
    product = "" if spot.term is None else term_words(spot.term)
    if spot.term is None or not product:
        return plain
    target = spot.term.target
    name = words.quantity(spot.term.source or spot.focus, spot.term.backward)
    share = tr(", a share of its gradient") if target == spot.focus else \
        tr(", a share of ∂L/∂{weight}").format(weight=words.weight_place(target)) \
        if target.array in trace[target.layer].weights else ""
    return "\n".join((plain.split("\n")[0], f"{name} {product}{share}"))


def term_words(term: Term) -> str:
    """`2.96 × 0.52 = +1.55`; empty where nothing is multiplied."""
    if term.weight == 1:
        return ""
    plus = "+" if term.product > 0 else ""
    return f"{numbers.significant(term.value)} × {numbers.significant(term.weight)} = " \
           f"{plus}{numbers.significant(term.product)}"


def spoken(trace: Trace, part: Walked, number: int, backward: bool) -> str:
    """`kernel, 3 of 54: pool1 channel 0, pixel (4, 5), 2.96 × 0.52 = +1.55`, for a screen reader."""
    said = spot_tip(trace, part.spots[number], backward).replace("\n", ", ")
    return tr("{part}, {n} of {all}: {said}").format(part=part.name, n=number + 1, all=len(part.spots), said=said)


# --- helpers --------------------------------------------------------------------------------------------------------

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
        terms = kinds.handed_back(reader, trace.inputs(reader), reader.reads.index(focus.layer), focus.cell)
    except LookupError:
        return None
    cells = [cell for taps in terms.taps for cell in taps.cells]
    return Focus(reader.name, tuple(int(index) for index in cells[0])) if len(cells) == 1 else None


def _middle(place: Box) -> tuple[float, float]:
    return place[0] + place[2] / 2, place[1] + place[3] / 2
