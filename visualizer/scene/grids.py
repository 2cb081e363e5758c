"""Grids and charts that print numbers: cells with their values, a running sum, a curve with a point on it.

What the microscope is drawn with.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from visualizer.language import english, kept_by_language, tr
from visualizer.said import Claim, claimed, tick
from visualizer.scene import colour, numbers
from visualizer.scene.labels import Labels
from visualizer.scene.picture import Focus, Group, Line, Look, Mark, Rect, Run, Scale, Term, Text, grouped, plain
from visualizer.scene.type import width

CURVE, LOOKED_AT = Group(english("curve")), Group(english("what is looked at"))
GAP = 2.0
"""Between number cells."""
SMALLEST = 11.0
"""Numbers in smaller letters than this are not printed: their cell keeps its colour alone."""
LEAST_INTERVALS, MOST_INTERVALS = 3, 6
"""Of an axis."""


@dataclass(frozen=True)
class Ink:
    """How the numbers of a grid are coloured and written."""

    palette: str
    """`activation`, `weight` or `gradient`; the pale part of it is used, so that the number can be read."""
    largest: float
    plus: bool = False
    """Write a plus before what is added."""
    digits: int = 2
    unit: float = 1.0
    """Values are written in this unit: 0.01 prints hundredths."""

    of: str = ""
    """What the numbers are, in words: `window`, `products`."""
    alone: bool = False
    """Each number stands by itself: its tint tells no more than its sign."""

    @property
    def scale(self) -> Scale | None:
        """What the colours stand for."""
        if self.alone:
            return None
        if self.palette == "gradient":
            return Scale("gradient-pale", english("size of the gradient"), self.of, self.largest * 1e-3, self.largest,
                         log=True)
        quantity = english("weights") if self.palette == "weight" else english("values")
        return Scale(f"{self.palette}-pale", quantity, self.of, -self.largest, self.largest)

    def fills(self, values: NDArray[np.float64]) -> NDArray[np.uint8]:
        """Palette entries of the cells."""
        if self.palette == "gradient":
            top = colour.largest(self.largest)
            return colour.magnitude(values, top * 1e-3 or 1e-300, top or 1.0)
        return colour.signed(values, self.largest)

    def words(self, value: float) -> str:
        return _said(value / self.unit, self.digits, self.plus)[0][0].text

    @property
    def range(self) -> str:
        """What its strongest colour stands for: `±2.93`; a gradient's colour tells the size alone."""
        top = tick(numbers.significant(self.largest, 2), self.largest, 0, self.largest)
        return tr("size up to {top}").format(top=top) if self.palette == "gradient" else tr("colour "
                                                                                            "±{top}").format(top=top)


def unit_of(largest: float) -> tuple[float, str]:
    """A unit in which the largest value has two digits before the point, and its name: 0.147 is 14.7 hundredths."""
    if not np.isfinite(largest) or largest == 0 or 1 <= largest < 1000:
        return 1.0, ""
    unit = 10.0 ** (int(np.floor(np.log10(largest))) - 1)
    return unit, unit_name(unit)


def unit_name(unit: float) -> str:
    """`hundredths`, `× 10⁻⁵`; nothing for 1."""
    power = round(np.log10(unit))
    named = {0: "", -2: tr("hundredths"), -3: tr("thousandths"), -6: tr("millionths")}
    return named.get(power, f"× {tick(numbers.power_of_ten(power), 10.0 ** power, 0, 10.0 ** power)}")


def tick_words(value: float) -> str:
    """A round number on an axis, with the digits that it has: `0.05`, `−2`, `4 × 10⁻⁶`, `2.5 × 10⁻⁶`."""
    if value != 0 and not 1e-3 <= abs(value) < 1e5:
        digits = next((count for count in (0, 1) if np.isclose(float(f"{value:.{count}e}"), value, 1e-6, 0.0)), 2)
        return numbers.power(value, digits)
    return numbers.short(value)


# --- cells that print their number ----------------------------------------------------------------------------------

def number_grid(x: float, y: float, cell: tuple[float, float], values: NDArray[np.float64], ink: Ink, look: Look, *,
                inside: NDArray[np.bool_] | None = None, known: NDArray[np.bool_] | None = None,
                foci: Callable[[int, int], Focus | None] | None = None, size: float = 13,
                group: Group | None = None, terms: Sequence[Sequence[Term | None]] | None = None,
                claims: Callable[[int, int], Claim | None] | None = None) -> list[Mark]:
    """Values (row, column) as cells that print them; padding hatched with its 0, what is not known yet hatched bare.

    A digit is dropped where cells are narrow. Where even that is too wide they keep their colour alone: the number is
    in the table and on hover.
    """
    marks: list[Mark] = []
    x, y = float(round(x)), float(round(y))  # between pixels, cells would look unequal
    wide, high = cell[0] - GAP, cell[1] - GAP
    finite, fills = np.isfinite(values).tolist(), ink.fills(values).tolist()
    said, letters = _fitting(values, ink, look, wide, high, size)
    radius, shades, middle, scale = min(3, high / 4), _shades(ink.palette), wide / 2, ink.scale
    for row, places in enumerate(said):
        top = y + row * cell[1]
        baseline = top + high / 2 + letters * 0.36
        for column, words in enumerate(places):
            left = x + column * cell[0]
            padded = inside is not None and not inside[row, column]
            hidden = known is not None and not known[row, column]
            fill = "hatch" if hidden or padded or not finite[row][column] else shades[fills[row][column]]
            marks.append(Rect(left, top, wide, high, fill, "tile-border", 1, True, radius, False,
                              foci(row, column) if foci is not None else None,
                              scale=None if fill == "hatch" else scale, group=group,
                              holds=None if terms is None else terms[row][column]))
            if letters and not hidden:
                claim = None if claims is None else claims(row, column)
                if claim is not None:
                    words = plain(claimed("".join(run.text for run in words), [claim]))
                marks.append(Text(left + middle, baseline, words, letters, 500, "ink", "middle", group=group))
            elif not hidden and not finite[row][column]:
                marks.append(Text(left + middle, top + high / 2 + 4, plain("!"), SMALLEST, 600, "ink",
                                  "middle"))
    return marks


def outline(x: float, y: float, cell: tuple[float, float], row: int, column: int, wide: float = 2.0,
            term: Term | None = None, across: int = 1) -> Rect:
    """A frame around one cell of a number grid, or around so many beside each other: what is looked at."""
    x, y = float(round(x)), float(round(y))
    return Rect(x + column * cell[0] - 2, y + row * cell[1] - 2, cell[0] * across - GAP + 4, cell[1] - GAP + 4, "",
                "accent", wide, radius=4, group=LOOKED_AT, holds=term)


def _fitting(values: NDArray[np.float64], ink: Ink, look: Look, wide: float, high: float,
             size: float) -> tuple[list[list[tuple[Run, ...]]], float]:
    """Every number in words, as many digits as fit, and the size of the letters; size 0 where no number fits."""
    least = SMALLEST
    rows = (values / ink.unit if ink.unit != 1 else values).tolist()
    said: list[list[tuple[Run, ...]]] = []
    for digits in range(ink.digits, -1 if ink.digits == 0 else 0, -1):
        found = [[_said(value, digits, ink.plus) for value in row] for row in rows]
        said = [[words for words, _ in row] for row in found]
        longest = max((ems for row in found for _, ems in row), default=1.0)
        letters = min(size, 0.8 * high, (wide - 2) / longest)
        if letters >= least:
            return said, letters
    return said, 0.0


@kept_by_language(1 << 16)
def _said(value: float, digits: int, plus: bool) -> tuple[tuple[Run, ...], float]:
    """A number in words, and how wide they are in ems. Windows that overlap say the same numbers again and again."""
    words = numbers.brief(value, digits, plus)
    return plain(words), width(words, 1, 500)


@cache
def _shades(palette: str) -> tuple[str, ...]:
    return tuple(f"{palette}-pale:{entry}" for entry in range(256))


# --- charts ---------------------------------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class Fall:
    """A running sum, laid out."""

    axis: list[Mark]
    bars: list[list[Mark]]
    """Of each step its bar, from where the sum stood to where it stands, and the line that leads to it."""
    ends: list[float]
    """y of the sum after each step."""
    zero: float
    """y of the sum before the first."""

    def outlined(self, index: int) -> Rect:
        """A frame around the bar of one step."""
        bar = self.bars[index][0]
        assert isinstance(bar, Rect)
        return Rect(bar.x - 3, bar.y - 3, bar.width + 6, bar.height + 6, "", "accent", 2, radius=3, group=bar.group,
                    holds=bar.holds)


def waterfall(x: float, y: float, wide: float, height: float, added: Sequence[float], colors: Sequence[str],
              places: Sequence[float], bar: float, look: Look, *, unit: float = 1.0,
              terms: Sequence[Term | None] = (), group: Group | None = None) -> Fall:
    """A running sum from zero: each number a bar from where the sum stood to where it stands."""
    totals = [0.0]
    for number in added:
        totals.append(totals[-1] + number)
    lines, at = scale(x, y, wide, height, min(totals), max(totals), look, unit)
    heights = [at(total) for total in totals]
    bars: list[list[Mark]] = []
    for index, place in enumerate(places):
        one, other = heights[index], heights[index + 1]
        left, term = place - bar / 2, terms[index] if index < len(terms) else None
        bars.append([Rect(left, min(one, other), bar, max(1.0, abs(one - other)), colors[index],
                          focus=None if term is None else term.source, group=group, holds=term)])
        if index and left > places[index - 1] + bar / 2 + 0.5:
            bars[-1].append(Line(((places[index - 1] + bar / 2, one), (left, one)), "rule", group=group))
    return Fall(lines, bars, heights[1:], heights[0])


def scale(x: float, y: float, wide: float, height: float, low: float, high: float, look: Look,
          unit: float = 1.0) -> tuple[list[Mark], Callable[[float], float]]:
    """An upright axis with its grid, and where on it a value stands; ticks are written in `unit`."""
    low, high, ticks = axis(low, high)

    def at(value: float) -> float:
        return y + height - (value - low) / (high - low) * height

    marks: list[Mark] = []
    for value in ticks:
        marks.append(Line(((x, at(value)), (x + wide, at(value))), "rule" if value == 0 else "hair"))
        words = tick(tick_words(value / unit), value / unit, ticks[0] / unit, ticks[-1] / unit)
        marks.append(Text(x - 8, at(value) + 4, plain(words), 11, 400, "ink-2", "end"))
    return marks, at


def axis(low: float, high: float) -> tuple[float, float, list[float]]:
    """Round limits around a range that holds zero, and its ticks: the closest limits with three to six intervals."""
    low, high = min(0.0, low), max(0.0, high)
    if low == high:
        high = 1.0
    power = 10.0 ** np.floor(np.log10((high - low) / MOST_INTERVALS))
    found = []
    for factor in (1, 2, 2.5, 5, 10, 20, 25):
        step = float(factor * power)
        first, last = int(np.floor(low / step + 1e-9)), int(np.ceil(high / step - 1e-9))
        if last - first <= MOST_INTERVALS:
            found.append((last - first < LEAST_INTERVALS, round((last - first) * step / power, 6), step, first, last))
    _, _, step, first, last = min(found)
    return first * step, last * step, [index * step for index in range(first, last + 1)]


def curve(x: float, y: float, wide: float, height: float, xs: NDArray[np.float64], ys: NDArray[np.float64],
          point: tuple[float, float] | None, slope: float | None, look: Look, *, backward: bool = False,
          names: tuple[str, str] = ("", "")) -> list[Mark]:
    """A function on axes, the point on it if it is known, and its tangent where a slope is given; NaN where it is not
    defined."""
    if point is not None and not np.isfinite(point).all():
        point, slope = None, None  # it lies nowhere on the axes; its number is said beside them
    low, high, ticks = axis(*colour.reach([*ys.ravel(), 0.0, 0.0 if point is None else point[1]]))
    left, right, x_ticks = axis(*colour.reach(xs))

    def place(a: float, b: float) -> tuple[float, float]:
        return x + (a - left) / (right - left) * wide, y + height - (b - low) / (high - low) * height

    marks: list[Mark] = []
    for value in ticks:
        marks.append(Line((place(left, value), place(right, value)), "rule" if value == 0 else "hair"))
        words = tick(tick_words(value), value, ticks[0], ticks[-1])
        marks.append(Text(x - 8, place(left, value)[1] + 4, plain(words), 11, 400, "ink-2", "end"))
    numbered = Labels((-math.inf, 0, math.inf, math.inf))
    for value in x_ticks:
        marks.append(Line((place(value, low), place(value, high)), "rule" if value == 0 else "hair"))
        words = tick(tick_words(value), value, x_ticks[0], x_ticks[-1])
        marks += numbered.put(words, [(place(value, low)[0], y + height + 16, "middle")], 11, 400, "ink-2")
    marks += [Text(x, y - 10, plain(names[1]), 12, 400, "ink-2", max_width=wide),
              Text(x + wide, y + height + 34, plain(names[0]), 12, 400, "ink-2", "end", max_width=wide)]
    for piece in np.split(np.arange(len(ys)), np.flatnonzero(~np.isfinite(ys))):
        spots = [place(float(xs[i]), float(ys[i])) for i in piece if np.isfinite(ys[i])]
        if len(spots) > 1:
            marks.append(Line(tuple(spots), "positive-bar", 2))
    if point is None:
        return grouped(CURVE, marks)
    px, py = place(*point)
    marks.append(Line(((px, y + height), (px, py)), "accent", 1, dashed=True))
    marks.append(Line(((x, py), (px, py)), "accent", 1, dashed=True))
    if slope is not None:
        down, up = _reach(point, slope, (left, right), (low, high), (right - left) * 0.16)
        ends = tuple(place(point[0] + d, point[1] + slope * d) for d in (down, up))
        marks.append(Line(ends, "gradient-mark" if backward else "accent", 2.5, dashed=True))
    marks.append(Rect(px - 6, py - 6, 12, 12, "gradient-mark" if backward else "accent", "stage", 2,
                      radius=6))
    return grouped(CURVE, marks)


def _reach(point: tuple[float, float], slope: float, across: tuple[float, float], up: tuple[float, float],
           most: float) -> tuple[float, float]:
    """How far a tangent may go to the left and to the right of its point without leaving the axes."""
    ends = []
    for sign in (-1, 1):
        reach = min(most, abs((across[1] if sign > 0 else across[0]) - point[0]))
        rise = sign * slope
        if rise:
            reach = min(reach, ((up[1] if rise > 0 else up[0]) - point[1]) / rise)
        ends.append(sign * max(0.0, reach))
    return ends[0], ends[1]


def in_unit(value: float, ink: Ink) -> str:
    """A value in the unit of a grid, without the plus of what is added."""
    return replace(ink, plus=False).words(value)
