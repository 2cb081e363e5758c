"""Gate signs, levels and valves: how a gate is told and how open it is, the same in every view.

A gate is told by a shape and its letter in neutral ink, never by a hue: blue and red are values, green and purple
weights, amber gradients. The shapes stand in the one table of gates, `kinds.gates`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from visualizer.kinds.gates import Quantity, quantity
from visualizer.language import translated
from visualizer.scene.parts import polygon
from visualizer.scene.picture import Focus, Mark, Path, Points, Rect, Run, Text
from visualizer.scene.type import width

SIGN = 20.0
"""Pixels across a sign beside words of 12 or 13."""
INK = "ink-2"
BOX, TALL = 36.0, 62.0
"""Width and height of a valve on a pipe of `BORE`."""
BORE = 44.0


def sign(key: str, x: float, y: float, size: float = SIGN, focus: Focus | None = None,
         opacity: float = 1.0) -> list[Mark]:
    """The sign of a gate around its middle; nothing for what has no sign: states, and the sum of an RNN."""
    known = quantity(key)
    if not known.sign:
        return []
    half = size / 2
    inner = size * 0.3  # what of every shape lies under its letter
    marks: list[Mark] = [Rect(x - half, y - half, size, size, INK, radius=half if known.sign == "circle" else 3,
                              opacity=opacity)]
    if known.sign in _CORNERS:
        marks = [Path((_outline(known, x, y, half),), fill=INK, opacity=opacity),
                 Rect(x - inner, y - inner, 2 * inner, 2 * inner, INK, opacity=opacity)]
    if focus is not None:
        marks.append(Rect(x - half, y - half, size, size, focus=focus))
    letter = max(11.0, size * 0.56)
    marks.append(Text(x, y + letter * 0.34, (Run(known.symbol, italic=True),), letter, 600, "stage", "middle",
                      opacity=opacity))
    return marks


def titles(names: Mapping[str, str], room: float, size: float, weight: int) -> dict[str, str]:
    """What gates that stand together are called beside their signs, with so much room for both: their names by key, or
    the one word of each where one of them is too long."""
    if all(width(name, size, weight) <= room - SIGN - 8 for name in names.values()):
        return dict(names)
    return {key: translated(quantity(key).tab) for key in names}


_CORNERS = {"diamond": ((0.0, -1.16), (1.16, 0.0), (0.0, 1.16), (-1.16, 0.0)),
            "hexagon": tuple((1.1 * math.cos(math.radians(60 * k)), 1.1 * math.sin(math.radians(60 * k)))
                             for k in range(6))}
"""In halves of the size: a diamond reaches further, so that it weighs as much as a square."""


def _outline(known: Quantity, x: float, y: float, half: float) -> Points:
    return polygon([(x + dx * half, y + dy * half) for dx, dy in _CORNERS[known.sign]])


# --- levels ---------------------------------------------------------------------------------------------------------

def level(x: float, y: float, wide: float, high: float, share: float, *, ink: str = INK, tick: float | None = None,
          upright: bool = False, focus: Focus | None = None, opacity: float = 1.0) -> list[Mark]:
    """How open a gate is, 0 … 1 along a bar, or upwards in it; the thin line is the other thing it is compared with,
    the mean of all units."""
    share = min(1.0, max(0.0, share))
    marks: list[Mark] = [Rect(x, y, wide, high, "sunk", radius=min(2.0, wide / 2, high / 2), focus=focus)]
    if upright:
        if share * high > 0.05:
            marks.append(Rect(x, y + high * (1 - share), wide, high * share, ink, opacity=opacity))
        if tick is not None:
            marks.append(Rect(x - 2, y + high * (1 - tick) - 0.75, wide + 4, 1.5, "ink", opacity=opacity))
    else:
        if share * wide > 0.05:
            marks.append(Rect(x, y, wide * share, high, ink, opacity=opacity))
        if tick is not None:
            marks.append(Rect(x + wide * tick - 0.75, y - 2, 1.5, high + 4, "ink", opacity=opacity))
    return marks


def balance(x: float, y: float, wide: float, high: float, value: float, most: float, *, tick: float | None = None,
            ink: str = "", focus: Focus | None = None, opacity: float = 1.0) -> list[Mark]:
    """A value as a bar from zero in the middle, −most at the left, +most at the right: blue above zero, red below."""
    middle, half = x + wide / 2, wide / 2
    reach = half * min(1.0, abs(value) / most) if most > 0 else 0.0
    marks: list[Mark] = [Rect(x, y, wide, high, "sunk", radius=min(2.0, high / 2), focus=focus)]
    if reach > 0.05:
        marks.append(Rect(middle - reach if value < 0 else middle, y, reach, high, ink or tone(value),
                          opacity=opacity))
    marks.append(Rect(middle - 0.5, y - 1, 1, high + 2, "rule"))
    if tick is not None and most > 0:
        at = middle + half * min(1.0, max(-1.0, tick / most))
        marks.append(Rect(at - 0.75, y - 2, 1.5, high + 4, "ink", opacity=opacity))
    return marks


def tone(value: float) -> str:
    """The token of a bar or a flow that is a value: blue above zero, red below."""
    return "negative-bar" if value < 0 else "positive-bar"


# --- valves ---------------------------------------------------------------------------------------------------------

def valve(x: float, y: float, share: float, *, bore: float = BORE, came: float = 0.0, ink: str = "",
          tick: float | None = None, focus: Focus | None = None, tip: str = "") -> list[Mark]:
    """A valve around its middle on a level pipe: dark plates that let `share` of what comes, `came` pixels thick,
    through; at its right a gauge from 0, shut, to 1, open, with the mean of all units as a thin line.

    Without anything that comes the plates stand as far apart as the bore times the share.
    """
    wide, high = BOX * bore / BORE, TALL * bore / BORE
    left, top = x - wide / 2, y - high / 2
    share = min(1.0, max(0.0, share))
    plates, inner = wide * 0.5, high - 6
    gap = min(inner, (came or bore) * share)
    marks: list[Mark] = [Rect(left, top, wide, high, "raised", "ink", 1.5, radius=4),
                         Rect(left + 3, y - inner / 2, plates - 3, (inner - gap) / 2, INK),
                         Rect(left + 3, y + gap / 2, plates - 3, (inner - gap) / 2, INK)]
    if ink and gap > 0:
        marks.append(Rect(left + 3, y - gap / 2, plates - 3, gap, ink))
    marks += level(left + plates + (wide - plates) * 0.3, top + 4, (wide - plates) * 0.4, high - 8, share, ink="ink",
                   tick=tick, upright=True)
    marks.append(Rect(left, top, wide, high, radius=4, focus=focus, tip=tip))
    return marks
