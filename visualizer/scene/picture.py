"""Picture: what is seen, as frozen marks; and Focus and Look, which say what is looked at and how.

Views make Pictures, the painter paints them, tests read them as text. Lengths are pixels of the picture, y grows
downwards, text stands on its baseline. Colours are names of theme tokens (`ink`, `accent`) or an entry of a palette
(`activation:200`), so that light and dark are the same Picture.
"""

from __future__ import annotations

import hashlib
import math
import pathlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer import registry
from visualizer.language import english
from visualizer.scene.colour import UNKNOWN, Entries
from visualizer.scene.mode import DESK, ROOM, Mode
from visualizer.trace import Cell

Points = tuple[tuple[float, float], ...]
BEAT = "beat"
"""The `array` of a focus on the lanes: a click there goes to the beat, it selects nothing."""


GHOST = "ghost"
"""The knob that says where in a plane of points the pointer is: `0.5,-1.0`."""


@dataclass(frozen=True)
class Focus:
    """What is looked at: a layer, or a cell of it; a shorter cell means all that begins so (a whole channel)."""

    layer: str
    cell: Cell = ()
    array: str = "output"
    """Which of its arrays: `output`, or the name of a weight (`weight`, `bias`), or `inner.forget`."""


@dataclass(frozen=True)
class Look:
    """How it is looked at."""

    size: tuple[int, int] = (1104, 796)
    """Width and height in pixels at scale 1."""
    theme: str = "light"
    """`light`, `dark` or `projector`: a file in assets/themes."""
    text_scale: float = 1.0
    """How much larger all is drawn than it is laid out: a view lays out in `size` pixels of the layout."""
    scope: str = "layer"
    """Whose largest value colours are scaled by: `unit`, `layer` or `network`."""
    signs: bool = False
    """Sign glyphs on all cells, however small."""
    reduced_motion: bool = False
    projector: bool = False
    """For an audience, as `scene.projector` makes it: large type, the measured number larger still, and no more words
    than that leaves place for."""
    knobs: tuple[tuple[str, str], ...] = ()
    """Settings of one view, as plain words: `--set ranking=mean`."""
    bars: bool = True
    """Colour bars inside the picture; a figure puts them below it instead."""
    widest: int = 0
    """Pixels: what stands large under the lens is no larger than in a picture so wide, 0 for as wide as it is. Where a
    window is so narrow that a pane has gone, its stage is wider than in a larger window; tiles must not be."""
    language: str = ""
    """In which its words are: `de`, the name of a file in assets/i18n; empty is English."""

    def knob(self, name: str, default: str) -> str:
        return dict(self.knobs).get(name, default)

    @property
    def mode(self) -> Mode:
        """How much of it may be shown, and how tightly."""
        return ROOM if self.projector else DESK

    @property
    def laid_out(self) -> Look:
        """The same look with the size that a view lays out in."""
        width, height, widest = (max(1, round(length / self.text_scale)) for length in (*self.size, self.widest))
        return replace(self, size=(width, height), widest=widest if self.widest else 0)

    @property
    def pixel(self) -> float:
        """One pixel of the screen, in the lengths of the layout: cells of maps are whole pixels high and wide."""
        return 1 / self.text_scale


@dataclass(frozen=True)
class Scale:
    """What the colours of a palette stand for, somewhere in a picture."""

    palette: str
    quantity: str
    """`values`, `weights`, `size of the gradient`, `pixels`, `probability`: what is read off the colours."""
    of: str
    """Whose: `conv2`, `weight of conv2`."""
    low: float
    """The number at the palette's first entry: minus the largest size where it is signed, the floor on a log axis."""
    high: float
    scope: str = ""
    """What shares this scale, in words: `one scale for all layers`."""
    log: bool = False
    """Sizes on a logarithmic axis; smaller ones than `low`, zero too, have the first entry."""
    each: bool = False
    """Every tile is scaled by its own largest value; `high` is the largest of them all."""

    @property
    def zero(self) -> float | None:
        """Where zero is, 0 … 1 along the colours; None where it is not on the axis."""
        if self.log or not self.low <= 0 <= self.high or self.low == self.high:
            return None
        return -self.low / (self.high - self.low)


# --- what marks hold -----------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Group:
    """A part of a picture, as one would point at it: the sentence, a layer, the products of a card.

    Every mark of it carries the same Group: the spotlight, Tab, the screen reader and `alone` go by it.
    """

    name: str
    """What a screen reader says: `window`, `running sum`, `conv2`."""
    about: Focus | None = None
    """What all of it is of: a layer, a channel, a gate; None where it speaks of the whole picture."""
    cells: bool = False
    """Whether its marks with a focus are numbers to walk among, one by one."""
    shows: str = ""
    """Which number of their terms its cells show: `value`, `weight`, `product` or `total`; empty where its cells are no
    terms."""
    each: str = ""
    """What each tile of its images is, where each is a part of its own: `channel`."""

    def of(self, index: int) -> Group:
        """The part that one of its tiles is; steps count from 1."""
        about = None if self.about is None else replace(self.about, cell=(*self.about.cell, index))
        return Group(f"{self.each} {index + (self.each == 'step')}", about, self.cells, self.shows)


@cache
def of_layer(name: str) -> Group:
    """What is drawn of a whole layer."""
    return Group(name, Focus(name))


SENTENCE, TITLE, WHY, LEGEND, LANE = (Group(name) for name in (
    english("sentence"), english("title"), english("why"), english("legend"), english("lane")))
"""What many pictures have: what they say, what they are about, the reasons, what their colours mean, and the line of
the time."""


@dataclass(frozen=True)
class Term:
    """One of the numbers that made another one: where it was read, what it was multiplied by."""

    target: Focus
    """The number that it is a term of; of `backward` terms the gradient of that number."""
    source: Focus | None
    """Where the value was read; None for padding, for a bias and for what a zero state starts from."""
    value: float
    weight: float = 1.0
    total: float = 0.0
    """Where it is shown as part of a running sum: the sum with it."""
    backward: bool = False

    @property
    def product(self) -> float:
        return self.value * self.weight


@dataclass(frozen=True, eq=False)
class TermTiles:
    """Many terms as arrays: those that the cells of an Image are, in the order of its cells."""

    target: Focus
    place: Focus
    """Where their values were read: layer and array; the cell is the row of `cells`."""
    cells: NDArray[np.int64]
    """(n, axes)."""
    values: NDArray[np.float64]
    weights: NDArray[np.float64]
    inside: NDArray[np.bool_] | None = None
    """Which of them were read at all: the others are padding."""
    backward: bool = False
    targets: NDArray[np.int64] | None = None
    """(n, axes): the cell of each one's own target, where each is a term of another number of the same array."""
    lost: NDArray[np.bool_] | None = None
    """Which of them are terms of nothing: what would be handed to padding."""

    def at(self, index: int) -> Term | None:
        """One of them; None if it is a term of nothing."""
        if self.lost is not None and self.lost[index]:
            return None
        read = self.inside is None or bool(self.inside[index])
        source = Focus(self.place.layer, tuple(self.cells[index].tolist()), self.place.array) if read else None
        target = self.target if self.targets is None else \
            Focus(self.target.layer, tuple(self.targets[index].tolist()), self.target.array)
        return Term(target, source, float(self.values[index]), float(self.weights[index]), backward=self.backward)


@dataclass(frozen=True)
class Flight:
    """What a mark on its way carries: the number that goes from where it is to what it makes.

    No mark travels without one. It starts on its source, which is drawn already, and lands on its target.
    """

    source: Focus
    """Where the number is: one cell, or with a shorter cell all that begins so (the sum over a whole channel)."""
    target: Focus
    """The number that it is a term of; the same as the source where it is the finished number that moves."""
    value: float
    """What the source adds to the target: of several terms their sum."""
    share: float
    """How much of its way lies behind it: 0 on the source, 1 landed."""
    backward: bool = False
    """Whether both ends are gradients of those numbers."""


@dataclass(frozen=True)
class Touch:
    """What an outline lies round just now: what is read (a window on one map), or, source and target being the same,
    the number that is made of it."""

    source: Focus
    """Where is read: a layer and the beginning of its cells (a channel), or one cell."""
    target: Focus
    """The number that is being made."""
    backward: bool = False
    """Whether it is the gradient of that number that is being made."""
    until: Cell = ()
    """Of a band: the last of the numbers that are being made; all those of the rows and columns between belong to
    it."""


@dataclass(frozen=True)
class Choice:
    """A choice in the picture itself: a click turns a knob of the view to a word."""

    knob: str
    word: str


@dataclass(frozen=True)
class Entry:
    """A field in the rail: what is typed there, with Enter, turns a knob of the view."""

    knob: str
    word: str
    """What stands there now."""
    name: str
    tip: str


@dataclass(frozen=True)
class Opens:
    """What shows more of it: a click goes to a view, if the recording has it."""

    view: str


@dataclass(frozen=True)
class Toggles:
    """What stands for an edit: a click does it or takes it back."""

    edit: str
    """As it stands in a recipe."""
    only: str = ""
    """The one that a click with Shift does instead."""
    instead: tuple[str, ...] = ()
    """Those in whose place it comes."""


@dataclass(frozen=True)
class Stop:
    """A place on a lane: the moment that it stands for."""

    address: str
    """`conv2.forward`, `lstm.forward[12]`."""
    glides: bool = True
    """Whether the cursor comes to it from the stop before, eased; else it jumps from stop to stop."""


@dataclass(frozen=True)
class ToInput:
    """A place that stands for another input: a click there goes to it."""

    word: str
    """As a recipe names it."""


@dataclass(frozen=True)
class ToPoint:
    """A stretch of a plane in which every place stands for a point of which a picture is made: a click goes to it, and
    a drag through those on its way."""

    point: tuple[float, ...]
    """All its numbers; two of them follow from the place."""
    axes: tuple[int, int]
    """Which ones: to the right, and up."""
    low: float
    high: float
    """What stands at the left and at the bottom, and at the other ends."""

    def at(self, across: float, down: float) -> tuple[float, ...]:
        """The point at these shares of its width and height, no further than to its edges."""
        found = list(self.point)
        for axis, share in zip(self.axes, (across, 1 - down), strict=True):
            found[axis] = self.low + (self.high - self.low) * min(1.0, max(0.0, share))
        return tuple(found)


@dataclass(frozen=True)
class Stops:
    """Places on a lane, one a tile of an Image, from left to right."""

    addresses: tuple[str, ...]
    glides: bool = False


@dataclass(frozen=True)
class Run:
    """A stretch of text in one style."""

    text: str
    weight: int = 0
    """400 to 700; 0 takes the weight of the Text."""
    color: str = ""
    """Token; empty takes the colour of the Text."""
    mono: bool = False
    italic: bool = False
    shift: str = ""
    """`sub` or `super` for a real index or power."""


@dataclass(frozen=True)
class Text:
    """Words, placed by an anchor on their baseline; elided with … if wider than `max_width`."""

    x: float
    y: float
    """The baseline."""
    runs: tuple[Run, ...]
    size: float = 12
    weight: int = 400
    color: str = "ink"
    anchor: str = "start"
    """`start`, `middle` or `end`: which point of the text stands at x."""
    max_width: float = 0
    """0: no limit."""
    mono: bool = False
    display: bool = False
    """Set in the display cut, for sizes of 26 and more."""
    focus: Focus | None = None
    opacity: float = 1.0
    group: Group | None = field(default=None, compare=False)
    holds = None
    """Words are no term, they stand beside one."""

    @property
    def plain(self) -> str:
        return "".join(run.text for run in self.runs)


@dataclass(frozen=True)
class Rect:
    x: float
    y: float
    width: float
    height: float
    fill: str = ""
    """Token, palette entry, or `hatch`; empty leaves it open."""
    stroke: str = ""
    stroke_width: float = 1
    """Strokes lie inside the rectangle's edge when `inside`, else centred on it."""
    inside: bool = False
    radius: float = 0
    dashed: bool = False
    focus: Focus | None = None
    tip: str = ""
    """What the tooltip says; empty takes the focus's own description."""
    opacity: float = 1.0
    scale: Scale | None = None
    """What its colour stands for, if it is an entry of a palette."""
    group: Group | None = field(default=None, compare=False)
    """Which part of the picture it belongs to."""
    holds: Term | Flight | Touch | Stop | ToInput | ToPoint | Choice | Entry | Opens | Toggles | None = field(
        default=None, compare=False)
    """Which term of a number it is, what it carries on its way or lies round, which moment of a lane, or which choice;
    none of them is seen."""


@dataclass(frozen=True)
class Line:
    """Straight stretches through two or more points."""

    points: Points
    color: str = "ink"
    width: float = 1
    dashed: bool = False
    focus: Focus | None = None
    opacity: float = 1.0
    group: Group | None = field(default=None, compare=False)
    holds: Term | Flight | Touch | Stop | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Path:
    """Any number of outlines at once. Each is a start point and then curves of three points (two handles, one end);
    two handles on the line make it straight."""

    curves: tuple[Points, ...]
    stroke: str = ""
    width: float = 1
    fill: str = ""
    dashed: bool = False
    focus: Focus | None = None
    opacity: float = 1.0
    group: Group | None = field(default=None, compare=False)
    holds: Term | Flight | Touch | Stop | None = field(default=None, compare=False)


@dataclass(frozen=True, eq=False)
class Image:
    """Tiles of cells, one whole block of pixels a value, nearest neighbour: every map of a layer is one mark.

    Tile k stands at column `k % columns`, row `k // columns`, `pitch` apart. Its focus is that of the mark, with the
    tile's index, the row and the column appended (`first` is the index of the first tile).
    """

    x: float
    y: float
    cell: tuple[float, float]
    """Width and height of one value."""
    values: Entries
    """(tile, row, column): entries of the palette; or (tile, row, column, 3): RGB as it is. A byte each, once it is
    made: what was UNKNOWN is hatched then."""
    palette: str = "activation"
    columns: int = 1
    pitch: tuple[float, float] = (0, 0)
    border: str = "tile-border"
    """1 px inside each tile's edge; empty for none."""
    hatched: NDArray[np.bool_] | None = None
    """(tile, row, column): cells without a value (NaN, infinite, padding), drawn hatched."""
    focus: Focus | None = None
    indices: tuple[int, ...] = ()
    """Index of each tile in its layer, if it is not 0, 1, 2, …; (-1,) when tiles carry no index (a single map)."""
    rows: tuple[int, ...] = ()
    """Which unit each row is, where units stand in an order of their own; its focus is then that of a step and a unit:
    the tile's index, or the column where the tile has none, and the unit. Where they are `transposed` as well, rows
    come first in the layer, too: the tile's index, the row and the column, as of low notes at the bottom."""
    transposed: bool = False
    """Rows and columns of the tiles are swapped against the layer's axes."""
    rows_shown: float = 1.0
    """How much of each tile is uncovered, from the top: 0 … 1."""
    pooled: int = 1
    """Each cell stands for pooled × pooled values, the strongest of them; it is then none of them for a click."""
    folds: tuple[tuple[int, ...], tuple[int, ...]] | None = None
    """The shape in which the tiles show all numbers of an array, and the array's own, where that is another one: its
    cells then stand in the same order."""
    blends: int = 1
    """So many maps of an array each tile shows in one place, from its index on: the channels of a picture in colour."""
    covered: NDArray[np.bool_] | None = None
    """(tile, row, column): cells that are not there yet; nothing is drawn of them, but they answer to a click."""
    opacity: float = 1.0
    scale: Scale | None = None
    """What its colours stand for; None where they stand for nothing, such as the ramp of a colour bar."""
    group: Group | None = field(default=None, compare=False)
    holds: TermTiles | Flight | Stops | None = field(default=None, compare=False)
    """The terms that its cells are, what it carries on its way, or the moments that its tiles are."""

    def __post_init__(self) -> None:
        if self.values.ndim not in (3, 4):
            raise ValueError(f"tiles need (tile, row, column[, 3]), got {self.values.shape}")
        if self.values.dtype != np.uint8:
            self._hatch_unknown()
        self.values.flags.writeable = False

    def _hatch_unknown(self) -> None:
        """Entries that stand for no number become hatched cells."""
        missing = self.values == UNKNOWN
        cells = missing.any(axis=-1) if missing.ndim == 4 else missing
        object.__setattr__(self, "values", np.where(missing, 0, self.values).astype(np.uint8))
        object.__setattr__(self, "hatched", cells if self.hatched is None else cells | self.hatched)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Image) and _dump(self) == _dump(other)

    def __hash__(self) -> int:
        return hash(_dump(self))

    @property
    def tile_size(self) -> tuple[float, float]:
        return self.values.shape[2] * self.cell[0], self.values.shape[1] * self.cell[1]

    @property
    def stride(self) -> tuple[float, float]:
        """Distance from tile to tile; `pitch`, or the tile's own size where that is 0."""
        width, height = self.tile_size
        return self.pitch[0] or width, self.pitch[1] or height

    def index(self, tile: int) -> int:
        """Which tile of its layer one of its tiles is; −1 where tiles carry no index."""
        return self.indices[tile] if tile < len(self.indices) else tile

    def folded(self, cell: Cell) -> Cell:
        """Where a cell of its array stands among its tiles."""
        return cell if self.folds is None else _refolded(cell, self.folds[1], self.folds[0])

    def only(self, tile: int) -> Image:
        """One of its tiles alone, where it stands."""
        x, y = self.tile_origin(tile)
        hatched, covered = (None if mask is None else mask[tile:tile + 1] for mask in (self.hatched, self.covered))
        return replace(self, x=x, y=y, values=self.values[tile:tile + 1], columns=1, hatched=hatched, covered=covered,
                       indices=(self.index(tile),), holds=None)

    def tile_origin(self, tile: int) -> tuple[float, float]:
        dx, dy = self.stride
        return self.x + dx * (tile % self.columns), self.y + dy * (tile // self.columns)


Mark = Image | Rect | Line | Path | Text


@dataclass(frozen=True)
class Table:
    """The same numbers as rows and columns: for screen readers, for copying and for CSV."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str | float | int, ...], ...]


@dataclass(frozen=True)
class Picture:
    """What a view shows. `still` stays while a beat runs and is cached as an image; `moving` is drawn each frame."""

    size: tuple[int, int]
    still: tuple[Mark, ...]
    moving: tuple[Mark, ...] = ()
    theme: str = "light"
    background: str = "stage"
    caption: str = ""
    """One plain sentence with the real numbers in it."""
    table: Table = field(default_factory=lambda: Table((), ()))

    def __iter__(self) -> Iterator[Mark]:
        yield from self.still
        yield from self.moving

    @property
    def scales(self) -> tuple[Scale, ...]:
        """What its colours stand for, each scale once, from left to right."""
        marks = [mark for mark in self if isinstance(mark, Image | Rect) and mark.scale is not None]
        return tuple(dict.fromkeys(mark.scale for mark in sorted(marks, key=lambda mark: mark.x) if mark.scale))

    def hit(self, x: float, y: float) -> Focus | None:
        """What lies under a point: the topmost mark there that carries a focus."""
        mark = self.mark_at(x, y)
        return None if mark is None else mark[1]

    def near(self, x: float, y: float) -> Focus | None:
        """What lies under a point, or in a narrow gap beside tiles that of the nearest one: for the hand, which is not
        as sure as the eye."""
        found = self.hit(x, y)
        if found is not None:
            return found
        tiled = [nearest(mark, x, y) for mark in self
                 if isinstance(mark, Image) and mark.focus is not None and all(mark.tile_size)]
        best = min(tiled, key=lambda at: max(abs(at[0] - x), abs(at[1] - y)), default=(x, y))
        return self.hit(*best) if max(abs(best[0] - x), abs(best[1] - y)) <= GAP else None

    def mark_at(self, x: float, y: float) -> tuple[Mark, Focus] | None:
        """The topmost mark with a focus under a point, and the focus it has there."""
        for mark in reversed((*self.still, *self.moving)):
            if mark.focus is None:
                continue
            found = _hit(mark, x, y)
            if found is not None:
                return mark, found
        return None

    def spot_at(self, x: float, y: float) -> Spot | None:
        """The topmost cell with a focus under a point, with what it holds."""
        found = self.mark_at(x, y)
        if found is None:
            return None
        mark = found[0]
        return cell_spot(mark, *((_cell_at(mark, x, y) or (0, 0, 0)) if isinstance(mark, Image) else ()))

    def group_at(self, x: float, y: float) -> Group | None:
        """Which part lies under a point: that of the topmost mark there that belongs to one."""
        for mark in reversed((*self.still, *self.moving)):
            if mark.group is not None and isinstance(mark, Image | Rect | Text):
                left, top, wide, high = box_of(mark)
                if left <= x < left + wide and top <= y < top + high:
                    return mark.group
        return None

    def dump(self) -> str:
        """The picture as text, one mark a line: what golden tests compare."""
        lines = [f"picture {self.size[0]}x{self.size[1]} on {self.background}", f"caption {self.caption}"]
        for name, marks in (("still", self.still), ("moving", self.moving)):
            lines.append(f"-- {name}: {len(marks)} marks")
            lines.extend(_dump(mark) for mark in marks)
        if self.table.columns:
            lines.append("-- table: " + " | ".join(self.table.columns))
            lines.extend("   " + " | ".join(_cell(value) for value in row) for row in self.table.rows)
        return "\n".join(lines) + "\n"

    @property
    def groups(self) -> tuple[Group, ...]:
        """Its parts, each once, in the order in which they are drawn."""
        return tuple(dict.fromkeys(mark.group for mark in self if mark.group is not None))

    def themed(self, theme: str) -> Picture:
        return replace(self, theme=theme)

    def scaled(self, factor: float, size: tuple[int, int] | None = None) -> Picture:
        """The same picture, everything in it `factor` times as large, on a sheet of `size`."""
        if factor == 1:
            return self if size in (None, self.size) else replace(self, size=size or self.size)
        width, height = (round(length * factor) for length in self.size)
        return replace(self, size=size or (width, height), still=_kept_scaled(self.still, factor),
                       moving=_scaled(self.moving, factor))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """How a notebook shows it, with its sentence and its table."""
        return registry.module("notebook").of_picture(self, include, exclude)  # type: ignore[no-any-return]

    def save(self, path: str | pathlib.Path, **options: Any) -> pathlib.Path:
        """Write it as PNG, SVG or PDF, whichever the ending says; `options` are those of `export.save`.

        `export` stands above this file, so it is looked up by name rather than imported.
        """
        return registry.module("export").save(self, path, **options)  # type: ignore[no-any-return]


# --- groups and cells ------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Spot:
    """One cell of a picture: what it is the number of, where it stands, and which term it is."""

    focus: Focus
    place: tuple[float, float, float, float]
    """Left, top, width, height."""
    group: Group | None = None
    term: Term | None = None


def grouped(group: Group, marks: Iterable[Mark]) -> list[Mark]:
    """Marks that were just made, as parts of a group; those that belong to one already stay in theirs.

    The group is written into them, as if they had been made with it: copies of all marks of a frame would cost a tenth
    of the frame.
    """
    found = list(marks)
    for mark in found:
        if mark.group is None:
            mark.__dict__["group"] = group
    return found


def changed(mark: Mark, **changes: Any) -> Mark:
    """As `dataclasses.replace`, a tenth as dear: for marks of every frame. Nothing is checked again."""
    copy = object.__new__(type(mark))
    copy.__dict__.update(mark.__dict__, **changes)
    return copy


def spots(mark: Mark) -> Iterator[Spot]:
    """The cells of a mark, each as `Picture.hit` finds it; none where it has no focus."""
    if mark.focus is None:
        return
    if not isinstance(mark, Image):
        yield cell_spot(mark)
        return
    for tile, row, column in np.ndindex(*mark.values.shape[:3]):
        yield cell_spot(mark, tile, row, column)


def cell_spot(mark: Mark, tile: int = 0, row: int = 0, column: int = 0) -> Spot:
    """One cell of a mark that has a focus; of an image the one in that row and column of a tile."""
    assert mark.focus is not None
    if not isinstance(mark, Image):
        return Spot(mark.focus, box_of(mark), mark.group, mark.holds if isinstance(mark.holds, Term) else None)
    (left, top), (wide, high) = mark.tile_origin(tile), mark.cell
    return Spot(_focus_of(mark, tile, row, column), (left + column * wide, top + row * high, wide, high), mark.group,
                _term_of(mark, tile, row, column))


def place_in(mark: Image, focus: Focus, smallest: float) -> tuple[float, float, float, float] | None:
    """The tile that a focus lies in, or the cell of it if cells are no smaller than that; None where it is shown by
    none."""
    assert mark.focus is not None
    head, cell = len(mark.focus.cell), mark.folded(focus.cell)
    if (focus.layer, focus.array) != (mark.focus.layer, mark.focus.array) or cell[:head] != mark.focus.cell:
        return None
    rest = cell[head:]
    if mark.indices == (-1,):
        tile = 0
    elif not rest:
        return None
    else:
        tile = mark.indices.index(rest[0]) if rest[0] in mark.indices else -1 if mark.indices else rest[0]
    if not 0 <= tile < len(mark.values):
        return None
    inner = rest if mark.indices == (-1,) else rest[1:]
    x, y = mark.tile_origin(tile)
    if mark.rows and mark.transposed and len(inner) == 2:
        inner = inner[::-1]
    if mark.rows and inner and inner[-1] in mark.rows:
        column = inner[0] if len(inner) == 2 else 0
        return x + column * mark.cell[0], y + mark.rows.index(inner[-1]) * mark.cell[1], *mark.cell
    if len(inner) == 2 and min(mark.cell) >= smallest:
        row, column = reversed(inner) if mark.transposed else inner
        rows, columns = mark.values.shape[1:3]
        if 0 <= row < rows and 0 <= column < columns:  # else of the layer of that name in another network
            return x + column * mark.cell[0], y + row * mark.cell[1], *mark.cell
    return x, y, *mark.tile_size


def _term_of(mark: Image, tile: int, row: int, column: int) -> Term | None:
    if not isinstance(mark.holds, TermTiles):
        return None
    rows, columns = mark.values.shape[1:3]
    return mark.holds.at((tile * rows + row) * columns + column)


def box_of(mark: Mark) -> tuple[float, float, float, float]:
    """Left, top, width and height of what a mark covers."""
    if isinstance(mark, Image):
        last = len(mark.values) - 1
        right, bottom = mark.tile_origin(min(mark.columns - 1, last))[0], mark.tile_origin(last)[1]
        return mark.x, mark.y, right + mark.tile_size[0] - mark.x, bottom + mark.tile_size[1] - mark.y
    if isinstance(mark, Rect):
        return mark.x, mark.y, mark.width, mark.height
    if isinstance(mark, Text):
        left, top, right, bottom = registry.module("scene.type").bounds(mark)  # it stands above this file
        return left, top, right - left, bottom - top
    points = mark.points if isinstance(mark, Line) else tuple(point for curve in mark.curves for point in curve)
    across, down = [x for x, _ in points], [y for _, y in points]
    return min(across), min(down), max(across) - min(across), max(down) - min(down)


@lru_cache(maxsize=4096)
def rich(text: str, **styles: str) -> tuple[Run, ...]:
    """Runs from light markup: `**strong**`, `` `mono` ``, `{accent words}` in the accent, `_italic_` between spaces.

    A backslash takes the next character as it is.
    """
    runs: list[Run] = []
    style = {"weight": 0, "color": "", "mono": False, "italic": False}
    buffer = ""
    accent = styles.get("accent", "accent-ink")

    def flush() -> None:
        nonlocal buffer
        if buffer:
            runs.append(Run(buffer, **style))  # type: ignore[arg-type]
            buffer = ""

    index = 0
    while index < len(text):
        if text[index] == "\\" and index + 1 < len(text):
            buffer += text[index + 1]
            index += 2
        elif text.startswith("**", index):
            flush()
            style["weight"] = 0 if style["weight"] else 600
            index += 2
        elif text[index] == "`":
            flush()
            style["mono"] = not style["mono"]
            index += 1
        elif text[index] in "{}":
            flush()
            style["color"], style["weight"] = (accent, 600) if text[index] == "{" else ("", 0)
            index += 1
        elif text[index] == "_" and _at_word_edge(text, index):
            flush()
            style["italic"] = not style["italic"]
            index += 1
        else:
            buffer += text[index]
            index += 1
    flush()
    return tuple(runs)


def literal(text: str) -> str:
    """Words that stand in `rich` as they are, with every sign that would be markup."""
    return "".join(f"\\{letter}" if letter in "\\*`{}_" else letter for letter in text)


def unmarked(text: str) -> str:
    """The same words without the markup of `rich`: for captions and screen readers."""
    return "".join(run.text for run in rich(text))


def plain(text: str) -> tuple[Run, ...]:
    """One run, nothing in it read as markup."""
    return (Run(text),)


def _at_word_edge(text: str, index: int) -> bool:
    before = text[index - 1] if index else " "
    after = text[index + 1] if index + 1 < len(text) else " "
    return not (after.isalnum() and (before.isalnum() or before == "."))  # `block._v` is a name


# --- scaling --------------------------------------------------------------------------------------------------------

LENGTHS: dict[type[Mark], tuple[str, ...]] = {
    Text: ("x", "y", "size", "max_width"), Rect: ("x", "y", "width", "height", "radius"), Line: ("points",),
    Path: ("curves",), Image: ("x", "y", "cell", "pitch"),
}
"""What of a mark is a length, or is made of lengths."""


STROKES = {Rect: "stroke_width", Line: "width", Path: "width"}
"""How thick a mark is drawn: what is whole stays whole, so that it stays sharp."""


def _scaled(marks: tuple[Mark, ...], factor: float) -> tuple[Mark, ...]:
    def grown(value: Any) -> Any:
        return tuple(map(grown, value)) if isinstance(value, tuple) else value * factor

    found = []
    for mark in marks:
        parts = {name: grown(getattr(mark, name)) for name in LENGTHS[type(mark)]}
        if stroke := STROKES.get(type(mark), ""):
            width = getattr(mark, stroke)
            parts[stroke] = width * factor if width % 1 else max(1, round(width * factor))
        found.append(changed(mark, **parts))
    return tuple(found)


_kept: list[tuple[tuple[Mark, ...], float, tuple[Mark, ...]]] = []
"""Still parts that were scaled last: marks, factor, and what came out."""


def _kept_scaled(marks: tuple[Mark, ...], factor: float) -> tuple[Mark, ...]:
    """The same for what stands still: as long as a view gives the very same marks, the very same come back."""
    for known, by, made in _kept:
        if known is marks and by == factor:
            return made
    made = _scaled(marks, factor)
    _kept.insert(0, (marks, factor, made))
    del _kept[4:]
    return made


# --- hits -----------------------------------------------------------------------------------------------------------

REACH = 4.0
"""A click this near a line, or above or below words, is on them."""
GAP, INSIDE = 6.0, 1e-3
"""So near a tile a click in a gap beside it is on it; and as far in as the edge of a tile is still its own."""


def _hit(mark: Mark, x: float, y: float) -> Focus | None:
    if isinstance(mark, Image):
        return _hit_image(mark, x, y) if all(mark.tile_size) else None  # a low stage may leave cells no height
    if isinstance(mark, Rect):
        inside = mark.x <= x < mark.x + mark.width and mark.y <= y < mark.y + mark.height
        return mark.focus if inside else None
    if isinstance(mark, Line):
        near = any(_distance(x, y, a, b) <= max(REACH, mark.width / 2)
                   for a, b in zip(mark.points, mark.points[1:], strict=False))
        return mark.focus if near else None
    if isinstance(mark, Text):
        left, top, wide, high = box_of(mark)
        return mark.focus if left <= x < left + wide and top - REACH <= y < top + high + REACH else None
    return None


def nearest(mark: Image, x: float, y: float) -> tuple[float, float]:
    """The point of its tiles that is nearest to a point."""
    (dx, dy), (wide, high), count = mark.stride, mark.tile_size, len(mark.values)
    across = min(mark.columns, count)
    column = min(max(math.floor((x - mark.x + (dx - wide) / 2) / dx), 0), across - 1)
    row = min(max(math.floor((y - mark.y + (dy - high) / 2) / dy), 0), (count - 1) // mark.columns)
    left, top = mark.tile_origin(min(row * mark.columns + column, count - 1))
    return min(max(x, left), left + wide - INSIDE), min(max(y, top), top + high - INSIDE)


def _hit_image(mark: Image, x: float, y: float) -> Focus | None:
    cell = _cell_at(mark, x, y)
    return None if cell is None else _focus_of(mark, *cell)


def _cell_at(mark: Image, x: float, y: float) -> tuple[int, int, int] | None:
    """(tile, row, column) under a point."""
    dx, dy = mark.stride
    width, height = mark.tile_size
    tile_column, tile_row = int((x - mark.x) // dx), int((y - mark.y) // dy)
    tile = tile_row * mark.columns + tile_column
    if not (0 <= tile_column < mark.columns and 0 <= tile_row and tile < len(mark.values)):
        return None
    left, top = x - mark.x - tile_column * dx, y - mark.y - tile_row * dy
    if left >= width or top >= height:
        return None
    return tile, int(top // mark.cell[1]), int(left // mark.cell[0])


def _focus_of(mark: Image, tile: int, row: int, column: int) -> Focus:
    """What one cell of an image is the number of."""
    assert mark.focus is not None
    index = mark.index(tile)
    if mark.rows and mark.transposed:
        head = () if index == -1 else (index,)
        return replace(mark.focus, cell=(*mark.focus.cell, *head, mark.rows[row], column))
    if mark.rows:
        return replace(mark.focus, cell=(*mark.focus.cell, column if index == -1 else index, mark.rows[row]))
    if mark.transposed:
        row, column = column, row
    rows, columns = mark.values.shape[1:3]
    single = (rows, columns) == (1, 1) or mark.pooled > 1
    head = () if index == -1 else (index,)
    cell = (*mark.focus.cell, *head, *(() if single and mark.folds is None else (row, column)))
    return replace(mark.focus, cell=cell if mark.folds is None else _refolded(cell, *mark.folds))


def _refolded(cell: Cell, shape: tuple[int, ...], other: tuple[int, ...]) -> Cell:
    """The cell at the same place in an array of another shape; as much of it as there is where it names no number."""
    if len(cell) != len(shape) or not all(0 <= at < size for at, size in zip(cell, shape, strict=True)):
        return cell[:1]  # of the layer of that name in another network, perhaps
    return tuple(int(index) for index in np.unravel_index(np.ravel_multi_index(cell, shape), other))


def _distance(x: float, y: float, a: tuple[float, float], b: tuple[float, float]) -> float:
    (ax, ay), (bx, by) = a, b
    length = (bx - ax) ** 2 + (by - ay) ** 2
    along = 0.0 if length == 0 else min(1.0, max(0.0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length))
    return float(np.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay)))


# --- text dump ------------------------------------------------------------------------------------------------------

def _dump(mark: Mark) -> str:
    parts = [type(mark).__name__.lower()]
    for name, standard in mark.__dataclass_fields__.items():
        value = getattr(mark, name)
        if name in ("scale", "group", "holds", "folds", "blends"):
            continue  # they are not seen
        if isinstance(value, np.ndarray):
            digest = hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()[:12]
            parts.append(f"{name}={'x'.join(map(str, value.shape))}#{digest}")
        elif name == "runs":
            parts.append(repr(mark.plain if isinstance(mark, Text) else value))
            marked = [_dump_run(run) for run in value if run != Run(run.text)]
            parts.extend(marked)
        elif name in ("points", "curves"):
            outlines = value if name == "curves" else (value,)
            parts.append("; ".join(" ".join(f"{_number(x)},{_number(y)}" for x, y in outline) for outline in outlines))
        elif name == "focus":
            if value is not None:
                parts.append(f"focus={value.layer}:{','.join(map(str, value.cell))}"
                             + (f"/{value.array}" if value.array != "output" else ""))
        elif value != standard.default:
            parts.append(f"{name}={_cell(value)}")
    return " ".join(parts)


def _dump_run(run: Run) -> str:
    words = [str(run.weight)] * bool(run.weight) + [run.color] * bool(run.color)
    words += ["mono"] * run.mono + ["italic"] * run.italic + [run.shift] * bool(run.shift)
    return f"<{run.text}: {' '.join(words)}>"


def _cell(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(_cell(item) for item in value)
    return _number(value) if isinstance(value, float) else str(value)


def _number(value: float) -> str:
    return f"{value:.6g}"
