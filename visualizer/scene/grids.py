"""Grids and charts that print numbers: cells with their values, a running sum, a curve with a point on it.

What the microscope and the opened cells of recurrent layers are drawn with.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from visualizer.scene import colour, numbers
from visualizer.scene.picture import Focus, Line, Look, Mark, Rect, Text, plain
from visualizer.scene.type import width

GAP = 2.0
"""Between number cells."""


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

    def fills(self, values: NDArray[np.float64]) -> NDArray[np.uint8]:
        """Palette entries of the cells."""
        if self.palette == "gradient":
            return colour.magnitude(values, self.largest * 1e-3 or 1e-300, self.largest or 1.0)
        return colour.signed(values, self.largest)

    def words(self, value: float) -> str:
        scaled = value / self.unit
        return numbers.signed(scaled, self.digits) if self.plus else numbers.number(scaled, self.digits)


def unit_of(largest: float) -> tuple[float, str]:
    """A unit in which the largest value has two digits before the point, and its name: 0.147 is 14.7 hundredths."""
    if not np.isfinite(largest) or largest == 0 or 1 <= largest < 1000:
        return 1.0, ""
    unit = 10.0 ** (int(np.floor(np.log10(largest))) - 1)
    return unit, unit_name(unit)


def unit_name(unit: float) -> str:
    """`hundredths`, `× 10⁻⁵`; nothing for 1."""
    power = round(np.log10(unit))
    named = {0: "", -2: "hundredths", -3: "thousandths", -6: "millionths"}
    return named.get(power, f"× {numbers.power_of_ten(power)}")


def tick_words(value: float) -> str:
    """A round number on an axis: `0.05`, `−2`, `4 × 10⁻⁶`."""
    if value != 0 and not 1e-3 <= abs(value) < 1e5:
        return numbers.power(value, 0)
    return f"{value:g}".replace("-", numbers.MINUS)


def number_grid(x: float, y: float, cell: tuple[float, float], values: NDArray[np.float64], ink: Ink, look: Look, *,
                inside: NDArray[np.bool_] | None = None, known: NDArray[np.bool_] | None = None,
                foci: Callable[[int, int], Focus | None] | None = None, size: float = 13,
                outlined: Sequence[tuple[int, int]] = ()) -> list[Mark]:
    """Values (row, column) as cells that print them; padding hatched with its 0, what is not known yet hatched bare.

    A digit is dropped where cells are narrow. Where even that is too wide they keep their colour alone: the number is
    in the table and on hover.
    """
    marks: list[Mark] = []
    wide, high = cell[0] - GAP, cell[1] - GAP
    finite = np.isfinite(values)
    fills = ink.fills(values)
    ink, letters = _fitting(values, ink, look, wide, high, size)
    radius = min(3, high / 4)
    for (row, column), value in np.ndenumerate(values):
        left, top = x + column * cell[0], y + row * cell[1]
        padded = inside is not None and not inside[row, column]
        hidden = known is not None and not known[row, column]
        plain_cell = not (hidden or padded) and finite[row, column]
        marks.append(Rect(left, top, wide, high, f"{ink.palette}-pale:{fills[row, column]}" if plain_cell else "hatch",
                          "tile-border", 1, inside=True, radius=radius,
                          focus=foci(row, column) if foci is not None else None))
        if letters and not hidden:
            marks.append(Text(left + wide / 2, top + high / 2 + letters * 0.36, plain(ink.words(value)), letters, 500,
                              "ink", "middle"))
        elif not hidden and not finite[row, column]:
            marks.append(Text(left + wide / 2, top + high / 2 + 4, plain("!"), 11 * look.text_scale, 600, "ink",
                              "middle"))
    for row, column in outlined:
        marks.append(Rect(x + column * cell[0] - 2, y + row * cell[1] - 2, wide + 4, high + 4, "", "accent", 2,
                          radius=4))
    return marks


def _fitting(values: NDArray[np.float64], ink: Ink, look: Look, wide: float, high: float,
             size: float) -> tuple[Ink, float]:
    """How many digits, and the size of the letters, 11 px or more; size 0 where no number fits."""
    floor = 11 * look.text_scale
    for digits in range(ink.digits, -1 if ink.digits == 0 else 0, -1):
        cut = replace(ink, digits=digits)
        longest = max((_ems(cut.words(value)) for value in values.ravel().tolist()), default=1.0)
        letters = min(size * look.text_scale, 0.68 * high, (wide - 2) / longest)
        if letters >= floor:
            return cut, letters
    return ink, 0.0


@lru_cache(maxsize=4096)
def _ems(words: str) -> float:
    return width(words, 1, 500)


def waterfall(x: float, y: float, wide: float, height: float, steps: Sequence[float], colors: Sequence[str],
              places: Sequence[float], bar: float, look: Look, *, known: int | None = None, start: float = 0.0,
              foci: Sequence[Focus | None] | None = None, outlined: int | None = None) -> tuple[list[Mark],
                                                                                                list[float]]:
    """A running sum: each step a bar from where the sum stood to where it stands; the first `known` ones drawn.

    Returns the marks, and the y of the sum after each step for what is written beside it.
    """
    totals = [start]
    for step in steps:
        totals.append(totals[-1] + step)
    low, high, ticks = axis(min(totals), max(totals))

    def at(value: float) -> float:
        return y + height - (value - low) / (high - low) * height

    marks: list[Mark] = []
    s = look.text_scale
    for tick in ticks:
        marks.append(Line(((x, at(tick)), (x + wide, at(tick))), "rule" if tick == 0 else "hair"))
        marks.append(Text(x - 8 * s, at(tick) + 4 * s, plain(tick_words(tick)), 11 * s, 400, "ink-2",
                          "end"))
    drawn = len(steps) if known is None else min(known, len(steps))
    links: list[tuple[float, float]] = []
    for index in range(drawn):
        top, bottom = sorted((at(totals[index]), at(totals[index + 1])))
        left = places[index] - bar / 2
        links.append((places[index], at(totals[index + 1])))
        marks.append(Rect(left, top, bar, max(1.0, bottom - top), colors[index],
                          focus=foci[index] if foci is not None else None))
        if index:
            before = places[index - 1] + bar / 2
            if left > before + 0.5:
                marks.append(Line(((before, at(totals[index])), (left, at(totals[index]))), "rule"))
    if outlined is not None and outlined < drawn:
        top, bottom = sorted((at(totals[outlined]), at(totals[outlined + 1])))
        marks.append(Rect(places[outlined] - bar / 2 - 3, top - 3, bar + 6, bottom - top + 6, "", "accent", 2,
                          radius=3))
    return marks, [at(total) for total in totals[1:]]


def axis(low: float, high: float) -> tuple[float, float, list[float]]:
    """Round limits around a range that holds zero, and three to six ticks."""
    low, high = min(0.0, low), max(0.0, high)
    if low == high:
        high = 1.0
    raw = (high - low) / 4
    power = 10.0 ** np.floor(np.log10(raw))
    step = float(next(factor for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * 0.999) * power)
    first, last = int(np.floor(low / step + 1e-9)), int(np.ceil(high / step - 1e-9))
    return first * step, last * step, [index * step for index in range(first, last + 1)]


def curve(x: float, y: float, wide: float, height: float, xs: NDArray[np.float64], ys: NDArray[np.float64],
          point: tuple[float, float], slope: float | None, look: Look, *, backward: bool = False) -> list[Mark]:
    """A function on axes, the point on it, and its tangent where a slope is given."""
    low, high, ticks = axis(float(ys.min()), float(ys.max()))
    left, right, x_ticks = axis(float(xs.min()), float(xs.max()))
    s = look.text_scale

    def place(a: float, b: float) -> tuple[float, float]:
        return x + (a - left) / (right - left) * wide, y + height - (b - low) / (high - low) * height

    marks: list[Mark] = []
    for tick in ticks:
        marks.append(Line((place(left, tick), place(right, tick)), "rule" if tick == 0 else "hair"))
        marks.append(Text(x - 8 * s, place(left, tick)[1] + 4 * s, plain(tick_words(tick)), 11 * s, 400,
                          "ink-2", "end"))
    for tick in x_ticks:
        marks.append(Line((place(tick, low), place(tick, high)), "rule" if tick == 0 else "hair"))
        marks.append(Text(place(tick, low)[0], y + height + 16 * s, plain(tick_words(tick)), 11 * s, 400,
                          "ink-2", "middle"))
    marks.append(Line(tuple(place(float(a), float(b)) for a, b in zip(xs, ys, strict=True)), "positive-bar", 2 * s))
    if slope is not None:
        reach = (right - left) * 0.14
        ends = tuple(place(point[0] + d, point[1] + slope * d) for d in (-reach, reach))
        marks.append(Line(ends, "gradient-mark" if backward else "accent", 2 * s, dashed=True))
    px, py = place(*point)
    marks.append(Line(((px, y + height), (px, py)), "accent", 1, dashed=True))
    marks.append(Line(((x, py), (px, py)), "accent", 1, dashed=True))
    marks.append(Rect(px - 6 * s, py - 6 * s, 12 * s, 12 * s, "gradient-mark" if backward else "accent", "stage", 2,
                      radius=6 * s))
    return marks
