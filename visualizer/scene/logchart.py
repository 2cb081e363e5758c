"""Charts on a logarithmic axis: sizes that span many powers of ten, with a floor that is marked and never a silent
zero.

A size below the floor stands on it as a ring, an exact zero as a ring under it, one that is beyond the range of the
numbers as a ring over the chart; one that is not known is hatched.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from visualizer.language import tr
from visualizer.said import Claim, claimed, tick
from visualizer.scene import causes, numbers, parts
from visualizer.scene.picture import (
    TITLE,
    Focus,
    Line,
    Look,
    Mark,
    Picture,
    Rect,
    Table,
    Text,
    changed,
    plain,
    rich,
    unmarked,
)
from visualizer.scene.type import width

MOST_DECADES = 30
"""No axis reaches further below 1, or below its largest value if that is smaller: there lies the floor."""


@dataclass(frozen=True)
class Axis:
    """From the lowest to the highest power of ten, which need not be whole."""

    low: float
    high: float
    top: float
    bottom: float

    def y(self, value: float) -> float:
        """Where a size stands; what is below the floor stands on it, what is beyond the range at the top."""
        if value == math.inf:
            return self.top
        share = (math.log10(value) - self.low) / (self.high - self.low) if value > 0 else 0.0
        return self.bottom - min(1.0, max(0.0, share)) * (self.bottom - self.top)

    @property
    def floor(self) -> float:
        return float(10.0 ** self.low * (1 - 1e-9))


def axis(sizes: ArrayLike, top: float, bottom: float) -> Axis:
    """The axis of some sizes: from the largest down to the smallest, or to the floor."""
    values = np.asarray(sizes, np.float64)
    drawn = values[np.isfinite(values) & (values > 0)]
    if not len(drawn):
        return Axis(-1.0, 0.0, top, bottom)
    high, low = math.log10(drawn.max()), math.log10(drawn.min())
    if high - low < 2:  # bounds of 1, 2 or 5 times a power of ten
        high, low = -_lower(-high, (1, 0.5, 0.2)), _lower(low, (1, 2, 5))
    else:
        high, low = float(math.ceil(high - 1e-9)), float(math.floor(low + 1e-9))
        low = max(low, min(high, 0.0) - MOST_DECADES)
    return Axis(low, max(high, low + math.log10(2)), top, bottom)


def _lower(power: float, ticks: Sequence[float]) -> float:
    """The largest of these numbers times a power of ten that is not above 10 to the given power, as a power."""
    whole = math.floor(power)
    options = [base + math.log10(tick) for base in (whole - 1, whole, whole + 1) for tick in ticks]
    return max(option for option in options if option <= power + 1e-9)


def grid(scale: Axis, left: float, right: float, look: Look, labels: float | None = None) -> list[Mark]:
    """Hairlines at powers of ten, or finer over less than two, as many as fit; their numbers right of `labels`
    (default: left of the chart)."""
    fitting = max(1, int((scale.bottom - scale.top) / 22))
    if scale.high - scale.low < 2:
        powers = [whole + math.log10(step) for whole in range(math.floor(scale.low), math.ceil(scale.high) + 1)
                  for step in (1, 2, 5)]
        ticks = [power for power in powers if scale.low - 1e-9 <= power <= scale.high + 1e-9]
        if len(ticks) > fitting + 1:
            ticks = [power for power in ticks if power == int(power)] or ticks[:1]
    else:
        whole = range(math.ceil(scale.low), math.floor(scale.high) + 1)
        ticks = [float(power) for power in list(whole)[::-1][::max(1, math.ceil((len(whole) - 1) / fitting))]]
    marks: list[Mark] = []
    for power in ticks:
        y = scale.y(10.0 ** power)
        marks.append(Line(((left, y), (right, y)), "hair"))
        x, anchor = (left - 8, "end") if labels is None else (labels, "start")
        number = numbers.power_of_ten(int(power)) if power == int(power) else numbers.significant(10.0 ** power, 1)
        ends = 10.0 ** scale.low * (1 - 1e-9), 10.0 ** scale.high * (1 + 1e-9)
        marks.append(Text(x, y + 4, plain(tick(number, 10.0 ** power, *ends)), 11, 400, "ink-2", anchor))
    return marks


@dataclass(frozen=True)
class Curve:
    """How one row of sizes is drawn."""

    line: str = "gradient-line"
    dot: str = "gradient-mark"
    width: float = 1.5
    dashed: bool = False
    size: float = 3.0
    """Radius of its dots; 0 draws none but the rings of what has no place on the axis."""


def curve(xs: Sequence[float], sizes: ArrayLike, scale: Axis, how: Curve, look: Look,
          foci: Sequence[Focus | None] = (), joined: bool = True, claims: Sequence[Claim] = ()) -> list[Mark]:
    """Sizes as dots, joined where neighbours are known; `claims` tell what each of them claims to be."""
    values = np.asarray(sizes, np.float64)
    marks: list[Mark] = []
    for stretch in _known(values) if joined else ():
        points = tuple((xs[at], scale.y(float(values[at]))) for at in stretch)
        if len(points) > 1:
            marks.append(Line(points, how.line, how.width, how.dashed))
    for at, (x, value) in enumerate(zip(xs, values.tolist(), strict=True)):
        focus = foci[at] if foci else None
        if math.isnan(value):
            continue
        open_ring = not scale.floor <= value < math.inf
        radius = max(how.size, 3.0) if open_ring else how.size
        if not radius:
            continue
        y = scale.y(value)
        marks.append(Rect(x - radius, y - radius, 2 * radius, 2 * radius, "stage" if open_ring else how.dot,
                          how.dot if open_ring else "", 1.2, radius=radius, focus=focus,
                          tip=words(value, scale, *claims[at:at + 1])))
    return marks


def words(value: float, scale: Axis | None = None, *claims: Claim) -> str:
    """A size in words; below the floor, and beyond the range, in words too."""
    if math.isnan(value):
        return tr("not a number")
    if math.isinf(value):
        return tr("beyond range")
    if value == 0:
        return tr("exactly {zero}").format(zero=claimed("0", claims))
    if scale is not None and value < scale.floor:
        least = 10.0 ** round(scale.low)
        return tr("below {least}").format(least=tick(numbers.power_of_ten(round(scale.low)), least, value, least))
    return claimed(numbers.significant(value, 2), claims)


def times(factor: float, *claims: Claim) -> str:
    """What a hop keeps: `× 0.70`, `× 1` if it is exactly the same."""
    number = "1" if abs(factor - 1) < 1e-9 else numbers.significant(factor, 2)
    return f"× {claimed(number, claims)}"


def _known(values: NDArray[np.float64]) -> list[list[int]]:
    """Stretches of neighbours that are known."""
    found: list[list[int]] = [[]]
    for at, value in enumerate(values.tolist()):
        if math.isnan(value):
            found.append([])
        else:
            found[-1].append(at)
    return [stretch for stretch in found if stretch]


def key(entries: Sequence[tuple[str, bool, str]], y: float, x: float, look: Look, apart: float = 16) -> list[Mark]:
    """What the lines are: (colour, dashed, words), the more important ones first; what has no room is left out."""
    marks: list[Mark] = []
    for ink, dashed, text in entries:
        wide = width(text, 12, 500)
        if x + 26 + wide > look.size[0] - 20:
            break
        marks += [Line(((x, y - 4), (x + 20, y - 4)), ink, 2, dashed),
                  Text(x + 26, y, plain(text), 12, 500, "ink-2")]
        x += 26 + wide + apart
    return marks


def because(sentences: Iterable[str], x: float, y: float, room: float, look: Look, lines: int = 2) -> list[Mark]:
    """As many sentences, the first ones first, as fit on so many lines; empty texts are left out."""
    told = [""]
    for sentence in causes.all_true(sentences):
        longer = f"{told[-1]} {sentence}".strip()
        if width(rich(longer), 13) <= room:
            told[-1] = longer
        elif len(told) < lines and width(rich(sentence), 13) <= room:
            told.append(sentence)
    return [Text(x, y + 20 * at, rich(text), 13, 400, "ink-2") for at, text in enumerate(told) if text]


def unmeasured(look: Look, title: str, what: str, why: str = "") -> Picture:
    """The picture of a view whose study is not there yet."""
    sentence = why or tr("{what} takes further passes in float64.").format(what=what)
    rest = tr("The app makes them by itself, from Python visualizer.study(trace, model, x, …) does; a recording that "
              "was opened from a file shows it only if it was measured before it was saved.")
    marks = [*parts.sentence(look, sentence), Text(24, 84, plain(title), 13, 600, "accent-ink", group=TITLE),
             Rect(24, 108, look.size[0] - 48, 160, "hatch")]
    if not why:
        marks.append(Text(24, 294, plain(rest), 13, 400, "ink-2", max_width=look.size[0] - 48, group=TITLE))
    return Picture(look.size, tuple(marks), (), look.theme, caption=unmarked(sentence),
                   table=Table((tr("what"), tr("state")), ((title, why or tr("not measured yet")),)))


def veiled(marks: Sequence[Mark], share: float) -> list[Mark]:
    """The same marks, as far veiled: 0 not at all, 1 down to a third."""
    return [changed(mark, opacity=mark.opacity * (1 - 0.65 * share)) for mark in marks] if share > 0 else list(marks)
