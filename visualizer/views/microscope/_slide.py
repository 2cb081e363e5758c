"""A slide of the microscope: one number and its terms; and the small things all slides are drawn with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import floor

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.kinds import Taps, Terms
from visualizer.language import english, translated
from visualizer.scene import colour, numbers, parts
from visualizer.scene.boxes import Box
from visualizer.scene.picture import (
    Flight,
    Focus,
    Group,
    Image,
    Line,
    Look,
    Mark,
    Path,
    Rect,
    Term,
    TermTiles,
    Text,
    Touch,
    changed,
    grouped,
    plain,
)
from visualizer.scene.timeline import SLOW_TERMS, ease
from visualizer.scene.type import width
from visualizer.trace import Cell, Layer, Trace
from visualizer.views.microscope._claims import counted

LISTED = 11
NAMES = 136.0
"""Width at the right for the names of the rows."""
NOTHING: tuple[Mark, ...] = ()
FLYING = Group(english("what is being added"))
RESULT = Group(english("result"), cells=True, shows="value")


@dataclass(frozen=True, eq=False)
class Slide:
    """One number and its terms."""

    layer: Layer
    cell: Cell
    value: float
    terms: tuple[tuple[str, Terms], ...]
    """(whose, terms): the layer's own forwards; one for each reader backwards."""
    sentence: str
    backward: bool = False
    refusal: str = ""
    hands_on: bool = False
    """Backwards: show what it hands to its weights and inputs, rather than how it arrived."""
    key: str = ""
    """Which gate or state of its layer the number belongs to: `forget`; empty for its output. Its cell is then (step,
    unit)."""
    made: bool = True
    """Whether all of its terms have been added: until then neither the number is shown nor what comes after it."""

    @property
    def output_cell(self) -> Cell:
        """The cell of the output at the same step and unit."""
        return self.cell[-self.layer.output.ndim:] if self.key else self.cell


@dataclass(frozen=True)
class Area:
    """The part of the picture a slide may use."""

    box: Box
    look: Look
    told: bool = False
    """Whether how the gradient got here stands beside it already."""

    @property
    def x(self) -> float:
        return self.box.left

    @property
    def y(self) -> float:
        return self.box.top

    @property
    def width(self) -> float:
        return self.box.width

    @property
    def height(self) -> float:
        return self.box.height

    @property
    def bottom(self) -> float:
        return self.box.bottom

    @property
    def right(self) -> float:
        return self.box.right


@dataclass(frozen=True, eq=False)
class Laid:
    """A slide laid out: what stands, and what its beat adds piece by piece to it."""

    still: tuple[Mark, ...]
    pieces: int = 0
    """How many pieces it fills in, one after the other."""
    after: Callable[[float], Sequence[Mark]] = lambda at: NOTHING
    """What is to be seen when so many pieces are there; of 2.5 two are, and the third is half on its way."""
    total: Callable[[int], float | None] = lambda done: None
    """What so many pieces come to; None where that is no one number."""

    def beside(self, marks: Sequence[Mark]) -> Laid:
        """The same with more that stands."""
        return replace(self, still=(*marks, *self.still))


def as_windows(taps: Taps) -> tuple[int, int, int] | None:
    """(channel, row, column) of taps that form windows; None where they do not."""
    grid = taps.grid
    if len(grid) == 3:
        channels, rows, columns = grid
    elif len(grid) == 2:
        channels, rows, columns = (grid[0], 1, grid[1]) if taps.cells.shape[1] == 2 else (1, *grid)
    elif len(grid) == 1 and taps.cells.shape[1] == 2 and grid[0] <= 16:
        channels, rows, columns = 1, 1, grid[0]
    else:
        return None
    if channels * rows * columns != len(taps.values) or rows * columns == 1 or rows * columns > 225:
        return None
    return channels, rows, columns


def source_tile(trace: Trace, taps: Taps, channel: int, grid: tuple[int, int, int], x: float, y: float,
                look: Look, room: float, target: Focus, backward: bool = False) -> tuple[list[Mark], Place | None]:
    """The map a window was cut from, with the window on it, and its name; and where on it a cell is."""
    own = taps.cells.reshape(*grid, -1)[channel]
    source = trace[taps.source]
    marks: list[Mark] = []
    place: Place | None = None
    index = int(own[0, 0, 0]) if own.shape[-1] == 3 else 0
    side = 42
    if source.has("row", "column") and own.shape[-1] >= 2:
        image, pixel, shape = _thumbnail(trace, source, taps.array == "gradient", index, x, y, side, look)
        marks.append(image)

        def place(cell: Sequence[int]) -> tuple[float, float, float] | None:
            row, column = cell[-2:]
            inside = 0 <= row < shape[0] and 0 <= column < shape[1]
            return (x + column * pixel, y + row * pixel, pixel) if inside else None

        low, high = own.reshape(-1, own.shape[-1]).min(axis=0)[-2:], own.reshape(-1, own.shape[-1]).max(axis=0)[-2:]
        top, left = max(0, int(low[0])), max(0, int(low[1]))
        bottom, right = min(shape[0] - 1, int(high[0])), min(shape[1] - 1, int(high[1]))
        if bottom >= top and right >= left:
            marks.append(Rect(x + left * pixel, y + top * pixel, (right - left + 1) * pixel, (bottom - top + 1) * pixel,
                              "", "accent", 2,
                              holds=Touch(image_focus(image), target, backward)))
    words = x + (side + 10 if marks else 0)
    room -= words - x
    group = Group(f"{taps.source} {index}", Focus(taps.source, (index,) if own.shape[-1] == 3 else ()))
    marks.append(Text(words, y + 16, plain(taps.source), 12, 400, "ink-2", mono=True, max_width=room))
    alike = [axis for axis in range(own.shape[-1]) if (own[..., axis] == own[0, 0, axis]).all()]
    cell = tuple(int(i) for i in own[0, 0])
    title = f"{translated(source.axes[0])} {counted(source, (index,), 0)}" if source.output.ndim == 3 else \
        f"{translated(source.axes[alike[0]])} {counted(source, cell, alike[0])}" \
        if source.output.ndim == 2 and len(alike) == 1 else " × ".join(translated(axis) for axis in source.axes)
    marks.append(Text(words, y + 33, plain(title), 13, 600, max_width=room))
    return grouped(group, marks), place


def image_focus(image: Image) -> Focus:
    """What the only tile of an image is of."""
    assert image.focus is not None
    return image.focus if image.index(0) == -1 else replace(image.focus, cell=(*image.focus.cell, image.index(0)))


Place = Callable[[Sequence[int]], tuple[float, float, float] | None]
"""Of a cell its left, its top and its side, where it is drawn."""


def _thumbnail(trace: Trace, source: Layer, backward: bool, index: int, x: float, y: float, side: float,
               look: Look) -> tuple[Image, float, tuple[int, int]]:
    shades, palette = shades_of(trace, source, backward, look)
    hatched = parts.hatched(source, backward)
    if shades.ndim == 3:
        shades, hatched = shades[index], None if hatched is None else hatched[index]
    pixel = side / max(shades.shape)
    rows, columns = shades.shape
    return Image(x, y, (pixel, pixel), shades[None].copy(), palette, focus=Focus(source.name, (index,)), indices=(-1,),
                 scale=parts.scale_of(trace, source, look, backward),
                 hatched=None if hatched is None else hatched[None]), pixel, (int(rows), int(columns))


def shades_of(trace: Trace, layer: Layer, gradient: bool, look: Look) -> tuple[NDArray[np.uint8], str]:
    return parts.entries(trace, layer, look, gradient)


# --- what moves -------------------------------------------------------------------------------------------------------

COME, KNOWN, LEAVE, LAND = 0.24, 0.3, 0.34, 0.8
"""Of the time of a term: what is read has been outlined, its product is known, it leaves, and it has landed."""
NEAR = 0.05
"""Of the width of a picture: an outline glides to what is nearer, and fades over to what is farther away."""


def halves(at: float) -> tuple[int, float]:
    """How many pieces are there, and how far the next one has come; 0 where none is under way."""
    done = floor(at + 1e-9)
    return done, at - done if at - done > 1e-9 else 0.0


def slow(done: int) -> bool:
    """Whether the next term is one of the first, which go so slowly that it can be seen flying."""
    return done < SLOW_TERMS


def followed(frames: Sequence[Rect | None], at: float, look: Look) -> list[Mark]:
    """The outline round the term under way, or round the one that came last: it comes from the one before."""
    done, share = halves(at)
    new = frames[done] if share and done < len(frames) else None
    old = frames[done - 1] if 0 < done <= len(frames) else None
    if new is None:
        return [] if old is None or share else [old]
    go = min(1.0, share / (COME if slow(done) else 1.0))
    if go == 1:
        return [new]
    if old is None or max(abs(new.x - old.x), abs(new.y - old.y)) > NEAR * look.size[0]:
        going = [] if old is None else [changed(old, holds=None)]
        return [*parts.faded(going, 1 - go), *parts.faded([new], go)]
    go = ease(go)
    between = {name: getattr(old, name) + (getattr(new, name) - getattr(old, name)) * go
               for name in ("x", "y", "width", "height")}
    return [changed(new, **between, holds=None)]


def hopped(frames: Sequence[Rect], at: float, look: Look) -> list[Mark]:
    """The outline round what came last; it goes out before the next one comes far away from it."""
    done, share = halves(at)
    if not 0 < done <= len(frames):
        return []
    here = frames[done - 1]
    if share > 2 / 3 and done < len(frames):
        there = frames[done]
        if max(abs(there.x - here.x), abs(there.y + there.height / 2 - here.y - here.height / 2)) > NEAR * look.size[0]:
            return []
    return [here]


def flown(term: Term | None, start: tuple[float, float], end: tuple[float, float], words: str, ink: str, at: float,
          always: bool = False, leave: float = LEAVE, until: float = 1.0) -> list[Mark]:
    """The product of the term under way, as a chip on its way from where it was made to the running sum; only of the
    first ones unless `always`, and not of a zero. It is there `until` that share of its time."""
    done, share = halves(at)
    if term is None or term.source is None or not term.product or not leave <= share < until \
            or not (slow(done) or always):
        return []
    go = ease(min(1.0, (share - leave) / (LAND - leave)))
    wide = width(words, 12, 600) + 12
    x, y = (a + (b - a) * go for a, b in zip(start, end, strict=True))
    return [Rect(x - wide / 2, y - 9, wide, 18, "stage", "rule", 1, radius=4, group=FLYING,
                 holds=Flight(term.source, term.target, term.product, go, term.backward)),
            Text(x, y + 4.5, plain(words), 12, 600, ink, "middle", group=FLYING)]


# --- what the marks of a slide hold -----------------------------------------------------------------------------------

def about(slide: Slide) -> Focus:
    """The number that a slide is of."""
    if not slide.key:
        return Focus(slide.layer.name, slide.cell)
    if slide.key == "hidden":
        return Focus(slide.layer.name, slide.output_cell)
    return Focus(slide.layer.name, slide.cell, f"inner.{slide.key}")


def held(trace: Trace, slide: Slide, taps: Taps) -> TermTiles:
    """The terms of a slide that were read from one array."""
    layer, cell, array = kinds.place(trace, taps, 0)
    return TermTiles(about(slide), Focus(layer, (), array), taps.cells[:, taps.cells.shape[1] - len(cell):],
                     taps.values, taps.weights, taps.inside, slide.backward)


def weight_shares(trace: Trace, slide: Slide, taps: Taps, gradient: float, own: Focus | None = None,
                  owner: str = "") -> TermTiles | None:
    """What a number hands to each weight it met: its own gradient, or that of the sum before it, times the value that
    was read; None where it met none."""
    if taps.weight_cells is None or taps.weight not in trace[owner or slide.layer.name].weights:
        return None
    return _handed(own or about(slide), gradient, taps.values,
                   Focus(owner or slide.layer.name, (), taps.weight), taps.weight_cells, taps.inside)


def input_shares(trace: Trace, slide: Slide, taps: Taps, gradient: float, own: Focus | None = None) -> TermTiles:
    """What a number hands to each number it read: its own gradient, or that of the sum before it, times the weight."""
    read = held(trace, slide, taps)
    handed = _handed(own or about(slide), gradient, taps.weights, read.place, read.cells)
    return handed if taps.inside is None else replace(handed, lost=~taps.inside)


def _handed(own: Focus, gradient: float, factors: NDArray[np.float64], target: Focus,
            targets: NDArray[np.int64], inside: NDArray[np.bool_] | None = None) -> TermTiles:
    count = len(factors)
    cells = np.broadcast_to(np.array(own.cell, dtype=np.int64), (count, len(own.cell)))
    return TermTiles(target, replace(own, cell=()), cells, np.full(count, gradient), factors, inside, True, targets)


def window_terms(tiles: TermTiles, channel: int, grid: tuple[int, int, int]) -> list[list[Term | None]]:
    """(row, column): the terms of one channel of windows."""
    first, wide = channel * grid[1] * grid[2], grid[2]
    return [[tiles.at(first + row * wide + column) for column in range(wide)] for row in range(grid[1])]


def read_at(terms: Sequence[Sequence[Term | None]]) -> Callable[[int, int], Focus | None]:
    """What a cell of a window answers when it is clicked: where its number was read from; padding nothing."""
    found = [[None if term is None else term.source for term in row] for row in terms]
    return lambda row, column: found[row][column]


def result_of(slide: Slide, value: float) -> Term:
    """The number itself, as the sum of its terms."""
    own = about(slide)
    return Term(own, own, value, backward=slide.backward)


def focus_of(trace: Trace, taps: Taps, index: int) -> Focus | None:
    """The number that a term was read from; padding, and what a zero state starts from, lead nowhere."""
    if taps.inside is not None and not taps.inside[index]:
        return None
    return Focus(*kinds.place(trace, taps, index))


def arrow(x: float, y: float, end: float, color: str) -> list[Mark]:
    """A level arrow from x to `end`, in either direction."""
    head = 5 if end > x else -5
    return [Line(((x, y), (end - head, y)), color, 1.5),
            Path((parts.polygon(((end, y), (end - 1.6 * head, y - 4.5), (end - 1.6 * head, y + 4.5))),),
                 fill=color)]


def spot(x: float, y: float, width: float, height: float, thick: float = 2.5) -> list[Mark]:
    """A frame around what is looked at on a map, with a halo, so that it shows on any colour."""
    grown = thick + 0.75
    return [Rect(x - grown, y - grown, width + 2 * grown, height + 2 * grown, "", "stage", 1.5),
            Rect(x - thick / 2, y - thick / 2, width + thick, height + thick, "", "accent", thick)]


def largest(values: NDArray[np.float64]) -> float:
    known = np.abs(values[np.isfinite(values)])
    return float(known.max()) if known.size else 0.0


def said(value: float, backward: bool, digits: int = 4) -> str:
    """A value to four digits; a gradient with its sign."""
    words = numbers.significant(value, digits)
    return f"+{words}" if backward and value > 0 else words


def value_ink(value: float, backward: bool) -> str:
    """The colour of a number that is added."""
    return "gradient-text" if backward else "positive-text" if value >= 0 else "negative-text"


def fills(values: NDArray[np.float64], palette: str) -> NDArray[np.uint8]:
    """Palette entries on the values' own scale: a gradient by the logarithm of its size."""
    top = largest(values)
    return colour.magnitude(values, max(top * 1e-3, 1e-300), top or 1.0) if palette == "gradient" \
        else colour.signed(values, top)
