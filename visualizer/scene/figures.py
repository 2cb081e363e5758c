"""Figures: pictures for paper. What the colours stand for is written below them, letters are of a size that can be
read in print, and several pictures stand together as panels a, b, c.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from visualizer.language import tr, translated
from visualizer.scene import numbers
from visualizer.scene.picture import Image, Line, Mark, Path, Picture, Rect, Scale, Table, Text, plain
from visualizer.scene.spotlight import extent
from visualizer.scene.type import SHIFT_SIZE, wrap
from visualizer.scene.type import width as text_width

PRESETS = (89, 120, 183)
"""Millimetres: one column of a journal's page, one and a half, and two."""
SMALLEST, LARGEST = 5.0, 7.0
"""Points that letters may have in print; what journals ask for."""
HIGHEST = 247.0
"""Millimetres that a journal's page is high."""
POINT = 25.4 / 72
"""Millimetres in a point."""
GAP = 24.0
NARROWEST = 240
"""Pixels of a panel."""
NO_BREAK = "\u00a0"
BAR, WIDE = 168.0, 384.0
"""Width of a colour bar, and of one that lists what it stands for layer by layer."""

Draw = Callable[[tuple[int, int]], Picture]
"""A picture laid out in so many pixels of width and height."""


@dataclass(frozen=True)
class Figure:
    """A picture and how large it is on paper."""

    picture: Picture
    mm: tuple[float, float]
    panels: int = 1
    reason: str = ""
    """Why no layout with letters large enough holds, as a part of a sentence; empty where one does."""
    readable: float = 0.0
    """Millimetres of width at which one holds, as far as it was tried; 0 where it was not."""

    @property
    def points(self) -> float:
        """How large its smallest letters come out, in points; that of the smallest allowed ones where it has none."""
        sizes = [mark.size * _smallest_run(mark) for mark in self.picture if isinstance(mark, Text)]
        return min(sizes, default=SMALLEST * self._pixels) / self._pixels

    @property
    def complaint(self) -> str:
        """One sentence if letters come out too small to print, with the width to choose and why; empty if not."""
        if self.points > SMALLEST - 0.005:
            return ""
        wide = self.readable or math.ceil(self.mm[0] * SMALLEST / self.points)
        words = tr("The smallest letters come out at {points} pt, below the {least} pt that journals ask for; make the "
                   "figure {wide} mm wide, or give it fewer panels: where it is narrower, {reason}.") \
            if self.panels > 1 else \
            tr("The smallest letters come out at {points} pt, below the {least} pt that journals ask for; make the "
               "figure {wide} mm wide: where it is narrower, {reason}.")
        return words.format(points=numbers.number(self.points, 1), least=numbers.short(SMALLEST), wide=f"{wide:g}",
                            reason=self.reason or tr("its words find no room"))

    @property
    def _pixels(self) -> float:
        """Pixels of the picture for one point of the paper."""
        return self.picture.size[0] / (self.mm[0] / POINT)


def figure(draws: Sequence[Draw], mm: tuple[float, float | None], size: tuple[int, int], *, bars: bool = True,
           fixed: bool = False) -> Figure:
    """One picture, or several as panels, `mm` wide, so that its letters come out at 5 to 7 points where that is
    possible without crowding it; the height follows the shape of `size` if none is given.

    With `fixed` it is laid out in exactly `size`. Otherwise narrower layouts are tried, from one in which letters of 11
    pixels are 5 points over those in which they are larger, up to 7, to those up to `size`, and the first in which no
    words collide or leave the frame is taken. Where letters still come out too small the wider presets are tried, so
    that one can be offered.
    """
    usual = [draw(size) for draw in draws]
    best = _best(draws, usual, mm, size, bars, fixed)
    if best.points > SMALLEST - 0.005 or fixed:
        return best
    wider = (preset for preset in PRESETS if preset > mm[0])
    holds = (preset for preset in wider if _best(draws, usual, (preset, mm[1] and mm[1] * preset / mm[0]), size, bars,
                                                 fixed).points > SMALLEST - 0.005)
    return replace(best, readable=float(next(holds, 0)))


def _best(draws: Sequence[Draw], usual: Sequence[Picture], mm: tuple[float, float | None], size: tuple[int, int],
          bars: bool, fixed: bool) -> Figure:
    """The layout whose letters come out largest, beside the `usual` pictures of `size`."""
    count = len(draws)
    found: list[Figure] = []
    reason = ""
    for columns in range(1, count + 1):
        grid = columns, -(-count // columns)
        for wide, shape in ((size[0], size),) if fixed else _shapes(mm, size, columns, count > 1):
            pictures, stands = _holding(draws, None if fixed else usual, wide, shape, mm, grid, bars)
            reason = reason or stands
            one = _on_paper(_joined(pictures, columns), mm, count) if pictures else None
            if one is not None and (one.mm[1] <= HIGHEST or count == 1):
                found.append(one)
                break
            reason = reason or tr("its panels are higher than a page")
    if not found:  # nothing holds: the usual layout, however crowded or high it is
        columns = _columns(count)
        pictures, _ = _holding(draws, None, size[0], size, mm, (columns, -(-count // columns)), bars)
        found.append(_on_paper(_joined(pictures, columns), mm, count))
    return replace(max(found, key=lambda one: round(one.points, 1)), reason=reason)


def _joined(pictures: Sequence[Picture], columns: int) -> Picture:
    return panels(pictures, columns) if len(pictures) > 1 else pictures[0]


def _holding(draws: Sequence[Draw], usual: Sequence[Picture] | None, wide: int, shape: tuple[int, int],
             mm: tuple[float, float | None], grid: tuple[int, int], bars: bool) -> tuple[list[Picture], str]:
    """Every picture in such a layout; none at all, and why, if one does not hold there, compared with its `usual`."""
    made: list[Picture] = []
    for number, draw in enumerate(draws):
        picture = _shaped(draw, wide, shape, mm, grid, bars)
        if usual is not None and (why := crowding(picture) or _left_out(picture, usual[number])):
            return [], why
        made.append(picture)
    return made, ""


def _shapes(mm: tuple[float, float | None], usual: tuple[int, int], columns: int,
            several: bool) -> Iterator[tuple[int, tuple[int, int]]]:
    """Pixels that a panel may be wide, and its shape: with letters of 11 pixels at 5 points, at up to 7, then in steps
    of a tenth up to the usual width; where the height is free also up to half as high again, and flatter so that
    several fit a page."""
    inner = (mm[0] / POINT * 11 / SMALLEST - GAP * (columns - 1)) / columns
    first = max(NARROWEST, int(inner))
    widths = [first, *(round(first / share) for share in (1.1, 1.2, 1.3, LARGEST / SMALLEST)
                       if first / share >= NARROWEST)]
    while widths[-1] < usual[0]:
        widths.append(min(usual[0], round(max(widths[-1], first) * 1.1)))
    for wide in widths:
        for taller in (1.0, *((0.85, 0.7) if several else ()), 1.25, 1.5) if mm[1] is None else (1.0,):
            yield wide, (usual[0], round(usual[1] * taller))


def _shaped(draw: Draw, wide: int, size: tuple[int, int], mm: tuple[float, float | None], grid: tuple[int, int],
            bars: bool) -> Picture:
    """A panel with its bars, in the shape of the paper if that is given, else the picture alone in that of `size`."""
    if mm[1] is None:
        picture = draw((wide, round(wide * size[1] / size[0])))
        return with_bars(picture) if bars else picture
    columns, rows = grid
    whole = (wide * columns + GAP * (columns - 1)) * mm[1] / mm[0]
    high = (whole - GAP * (rows - 1)) / rows
    picture = draw((wide, round(high)))
    if not bars:
        return picture
    added = with_bars(picture).size[1] - picture.size[1]
    return with_bars(draw((wide, max(round(high / 2), round(high - added)))))


def _on_paper(picture: Picture, mm: tuple[float, float | None], count: int) -> Figure:
    """Letters held between 5 and 7 points; those that are too small for that without crowding stay as they are."""
    high = mm[1] or mm[0] * picture.size[1] / picture.size[0]
    pixels = max(picture.size[0] / (mm[0] / POINT), picture.size[1] / (high / POINT))

    def held(mark: Mark) -> Mark:
        if not isinstance(mark, Text):
            return mark
        size = min(mark.size, LARGEST * pixels)
        if mark.size >= (SMALLEST - 0.005) * pixels:  # an index, too, is to be read
            size = min(max(size, SMALLEST * pixels / _smallest_run(mark)), LARGEST * pixels)
        return mark if size == mark.size else replace(mark, size=size)

    picture = replace(picture, still=tuple(map(held, picture.still)), moving=tuple(map(held, picture.moving)))
    return Figure(picture, (mm[0], high), count)


def _smallest_run(mark: Text) -> float:
    return SHIFT_SIZE if any(run.shift for run in mark.runs) else 1.0


# --- colour bars ----------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Bar:
    """One colour bar, with everything that is written at it."""

    palette: str
    title: str
    ends: tuple[str, str]
    zero: float | None
    """Where zero is marked, 0 … 1 along the bar."""
    listed: str = ""
    """Who has which range, where not all share one."""


def with_bars(picture: Picture) -> Picture:
    """The picture with a strip below it that says what its colours stand for: label, range and zero.

    A picture whose colours stand for nothing stays as it is.
    """
    found = bars(picture.scales)
    if not found:
        return picture
    margin, gap = 24, 28
    room = picture.size[0] - 2 * margin
    marks: list[Mark] = []
    x, y, tallest = float(margin), picture.size[1] + 8.0, 0.0
    for bar in found:
        wide = min(room, max(WIDE if bar.listed else BAR, text_width(bar.title, 12, 500) + 2))
        if x > margin and x + wide > margin + room:
            x, y, tallest = float(margin), y + tallest + 12, 0.0
        drawn, high = _bar_marks(bar, x, y, wide)
        marks += drawn
        x, tallest = x + wide + gap, max(tallest, high)
    high = round(y + tallest + 12)
    rule = Line(((0, picture.size[1]), (picture.size[0], picture.size[1])), "hair")
    return replace(picture, size=(picture.size[0], high), still=(*picture.still, rule, *marks))


def bars(scales: Iterable[Scale]) -> tuple[Bar, ...]:
    """One bar for each palette and quantity; scales of different ranges share one and are listed below it."""
    groups: dict[tuple[str, str, bool], list[Scale]] = {}
    for scale in scales:
        if scale.high > scale.low:
            groups.setdefault((scale.palette, scale.quantity, scale.log), []).append(scale)
    return tuple(_bar(found) for found in groups.values())


def _bar(found: list[Scale]) -> Bar:
    first = found[0]
    ranges = {(scale.low, scale.high) for scale in found}
    words = translated(first.quantity)
    words = words[0].upper() + words[1:]
    names = ", ".join(dict.fromkeys(scale.of for scale in found if scale.of))
    log = tr(", log") if first.log else ""
    if len(ranges) == 1 and not first.each:
        if names and len(names) <= 40 and not first.quantity.endswith("w"):
            words = tr("{quantity} of {names}").format(quantity=words, names=names)
        elif names:
            words = f"{words}, {names}"
        elif first.scope and len(found) == 1:
            words = f"{words}, {translated(first.scope)}"
        return Bar(first.palette, words + log, _ends(first), first.zero)
    scope = translated(first.scope) or tr("each by its own largest")
    signed = "±" if first.low < 0 and not first.log else ""
    listed = ", ".join(dict.fromkeys(f"{scale.of}{NO_BREAK}{signed}{_number(scale.high)}" for scale in found))
    share = numbers.significant(first.low / first.high, 1) if first.high else "0"
    largest, least = tr("max"), tr("min")
    ends = (f"≤ {share} {largest}", largest) if first.log else (f"−{largest}", f"+{largest}") if signed else \
        (least, largest)
    if not first.log and not signed:
        listed = ", ".join(tr("{name} {low} to {high}").format(
            name=scale.of, low=_number(scale.low), high=_number(scale.high)) for scale in found)
    return Bar(first.palette, f"{words}, {scope}{log}", ends, 0.5 if signed else None, listed)


def _ends(scale: Scale) -> tuple[str, str]:
    if scale.log:
        return f"≤ {numbers.significant(scale.low, 1)}", numbers.significant(scale.high, 2)
    return _number(scale.low), _number(scale.high)


def _number(value: float) -> str:
    if value == round(value) and abs(value) < 1000:
        return numbers.number(value, 0)
    return numbers.number(value) if abs(value) >= 0.1 else numbers.significant(value, 2)


def _bar_marks(bar: Bar, x: float, y: float, wide: float) -> tuple[list[Mark], float]:
    """The marks of one bar, and how high they are."""
    sequential = bar.palette.partition("-")[0] in ("gradient", "pixel")
    ramp = np.arange(0 if sequential else 1, 256, dtype=np.uint8)[None, None]
    across, top, below = min(wide, BAR), y + 20, y + 44
    marks: list[Mark] = [
        Text(x, y + 12, plain(bar.title), 12, 500, "ink-2", max_width=wide),
        Image(x, top, (across / ramp.shape[-1], 10), ramp, bar.palette),
        Text(x, below, plain(bar.ends[0]), 11, 400, "ink-2"),
        Text(x + across, below, plain(bar.ends[1]), 11, 400, "ink-2", "end"),
    ]
    if bar.zero is not None:
        at = x + bar.zero * across
        marks.append(Line(((at, top - 2), (at, top + 12)), "ink", 1))
        left, right = (text_width(words, 11) + 8 for words in bar.ends)
        if left < bar.zero * across < across - right:
            marks.append(Text(at, below, plain("0"), 11, 400, "ink-2", "middle"))
    lines = wrap(plain(bar.listed), 11, wide) if bar.listed else ()
    marks += [Text(x, below + 16 + 15 * number, line, 11, 400, "ink-2") for number, line in enumerate(lines)]
    return marks, 48 + 15 * len(lines)


# --- panels ---------------------------------------------------------------------------------------------------------

def panels(pictures: Sequence[Picture], columns: int = 0, titles: Sequence[str] = (), scale: float = 1.0) -> Picture:
    """Several pictures as one, in rows, each with its letter and its title if there are any; as wide as it is high,
    about, if no `columns` are given. `scale` is that of letters and titles.

    Its sentence names each panel's by its letter; its table is that of the first.
    """
    columns = columns or _columns(len(pictures))
    wide = max(picture.size[0] for picture in pictures)
    head = round(LETTER * scale)
    still: list[Mark] = []
    moving: list[Mark] = []
    y, row = 0.0, 0.0
    for index, picture in enumerate(pictures):
        if index and index % columns == 0:
            y, row = y + row + GAP, 0.0
        x = (index % columns) * (wide + GAP)
        dx, dy = x, y + head
        still += [moved(mark, dx, dy) for mark in picture.still]
        moving += [moved(mark, dx, dy) for mark in picture.moving]
        still.append(Text(x + 8 * scale, y + head - 4 * scale, plain(letter(index)), 17 * scale, 700))
        if titles:
            still.append(Text(x + 32 * scale, y + head - 4 * scale, plain(titles[index]), 13 * scale, 500, "ink-2",
                              max_width=wide - 40 * scale))
        row = max(row, picture.size[1] + head)
    across = min(columns, len(pictures))
    said = " ".join(f"{letter(index)}, {picture.caption}" for index, picture in enumerate(pictures))
    return Picture((round(across * wide + GAP * (across - 1)), round(y + row)), tuple(still), tuple(moving),
                   pictures[0].theme, pictures[0].background, said, pictures[0].table if pictures else Table((), ()))


def _columns(count: int) -> int:
    """As many as make about as many rows."""
    return math.ceil(count / max(1, round(math.sqrt(count))))


LETTER = 24.0
"""Room above a panel for its letter."""


def letter(index: int) -> str:
    """a, b, … z, aa, ab, …"""
    return (letter(index // 26 - 1) if index >= 26 else "") + chr(ord("a") + index % 26)


def moved(mark: Mark, dx: float, dy: float) -> Mark:
    """The same mark at another place."""
    if isinstance(mark, Line):
        return replace(mark, points=tuple((x + dx, y + dy) for x, y in mark.points))
    if isinstance(mark, Path):
        return replace(mark, curves=tuple(tuple((x + dx, y + dy) for x, y in curve) for curve in mark.curves))
    return replace(mark, x=mark.x + dx, y=mark.y + dy)


# --- whether a layout holds -----------------------------------------------------------------------------------------

MOST_LEFT_OUT = 0.3
"""A layout that has room for fewer words than this share less of the usual one leaves out too much."""


MOST_QUOTED = 40
"""Characters of words that are named in a sentence."""


def crowded(picture: Picture) -> bool:
    """Whether words collide, are cut off or covered, or anything leaves the frame: it needs a larger layout."""
    return bool(crowding(picture))


def crowding(picture: Picture) -> str:
    """What stands in the way of this layout, as a part of a sentence; empty where it holds."""
    marks = tuple(picture)
    texts = [(place, mark) for place, mark in enumerate(marks) if isinstance(mark, Text) and mark.plain.strip()]
    cut = next((mark for _, mark in texts if mark.max_width and _wide(mark) > mark.max_width + 1), None)
    if cut:
        return tr("“{words}” is cut off").format(words=_brief(cut))
    solid = [(place, mark) for place, mark in enumerate(marks) if isinstance(mark, Image | Rect) and mark.opacity == 1]
    words = _boxes(_box(mark) for _, mark in texts)
    areas = _boxes(extent(mark) for _, mark in solid)
    limit = np.array([picture.size[0] + 1, picture.size[1] + 1])
    outside, beyond = (np.flatnonzero((boxes[:, :2] < -1).any(1) | (boxes[:, 2:] > limit).any(1))
                       for boxes in (words, areas))
    if len(outside):
        return tr("“{words}” leaves the frame").format(words=_brief(texts[int(outside[0])][1]))
    if len(beyond):
        return tr("a part of it leaves the frame")
    if (areas[:, 2:] < areas[:, :2]).any():
        return tr("a part of it has no room at all")
    for one, other in np.argwhere(_shared(words, words, 1) & ~np.eye(len(words), dtype=bool)):
        return tr("“{words}” and “{others}” lie on each other").format(words=_brief(texts[one][1]),
                                                                       others=_brief(texts[other][1]))
    covers = [bool(isinstance(mark, Image) or mark.fill) for _, mark in solid]
    later = np.array([place for place, _ in solid])[None, :] > np.array([place for place, _ in texts])[:, None]
    for one, _ in np.argwhere(_shared(words, areas, 2) & later & np.array(covers)) if texts and solid else ():
        return tr("“{words}” is covered").format(words=_brief(texts[one][1]))
    kernels = np.array([isinstance(mark, Image) and mark.palette == "weight" for _, mark in solid], bool)
    maps = np.array([isinstance(mark, Image) and mark.palette != "weight" for _, mark in solid], bool)
    return tr("a kernel lies on a map") if _shared(areas[kernels], areas[maps], 1).any() else ""


def _brief(mark: Text) -> str:
    return mark.plain if len(mark.plain) <= MOST_QUOTED else f"{mark.plain[:MOST_QUOTED]}…"


def _left_out(picture: Picture, usual: Picture) -> str:
    """Whether a layout has dropped much of what the usual one says, as a part of a sentence."""
    said, full = (sum(isinstance(mark, Text) for mark in one) for one in (picture, usual))
    return tr("{count} of its {whole} texts find no room").format(count=full - said, whole=full) \
        if said < (1 - MOST_LEFT_OUT) * full else ""


def _boxes(found: Iterable[tuple[float, float, float, float]]) -> NDArray[np.float64]:
    """(mark, 4): left, top, right, bottom."""
    return np.array(list(found), np.float64).reshape(-1, 4)


def _shared(one: NDArray[np.float64], other: NDArray[np.float64], by: float) -> NDArray[np.bool_]:
    """(one, other): which boxes overlap by more than so many pixels both ways."""
    across = np.minimum(one[:, None, 2], other[None, :, 2]) - np.maximum(one[:, None, 0], other[None, :, 0])
    down = np.minimum(one[:, None, 3], other[None, :, 3]) - np.maximum(one[:, None, 1], other[None, :, 1])
    overlap: NDArray[np.bool_] = (across > by) & (down > by)
    return overlap


def _wide(mark: Text) -> float:
    return text_width(mark.runs, mark.size, mark.weight, mark.mono, mark.display)


def _box(mark: Text) -> tuple[float, float, float, float]:
    """As it is drawn: letters reach from 0.74 above the baseline to it."""
    wide = min(_wide(mark), mark.max_width or np.inf)
    left = mark.x - {"start": 0.0, "middle": wide / 2, "end": wide}[mark.anchor]
    return left, mark.y - mark.size * 0.74, left + wide, mark.y
