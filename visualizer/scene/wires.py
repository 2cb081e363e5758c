"""Wires: pipes through which values flow, drawn as thick as they are large, as far as they have come.

A pipe runs along straight, level and upright stretches. What flows in it is a row of rectangles of its own thickness,
each of which may carry what it is: a focus, and the number that is on its way.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from visualizer.scene import colour
from visualizer.scene.parts import polygon
from visualizer.scene.picture import Flight, Focus, Look, Mark, Path, Points, Rect

ROUND = 0.55228
"""How far the handles of a quarter circle lie from its ends, in radii."""


@dataclass(frozen=True)
class Flow:
    """What flows: how thick, in which ink, what it is."""

    thick: float
    ink: str
    value: float = 0.0
    focus: Focus | None = None
    tip: str = ""
    flight: Flight | None = None
    signed: bool = True
    """Whether it carries a plus or a minus."""


def length(points: Points) -> float:
    """How long a way is."""
    return sum(math.hypot(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(points))


def part_of(points: Points, share: float) -> Points:
    """The first part of a way; its end lies between corners where the share does."""
    left = length(points) * min(1.0, max(0.0, share))
    found = [points[0]]
    for a, b in pairwise(points):
        step = math.hypot(b[0] - a[0], b[1] - a[1])
        if left <= 1e-9:
            break
        end = min(1.0, left / step) if step else 1.0
        found.append((a[0] + (b[0] - a[0]) * end, a[1] + (b[1] - a[1]) * end))
        left -= step
    return tuple(found)


def bore(points: Points, thick: float, ink: str = "sunk", radius: float = 26.0) -> list[Mark]:
    """An empty pipe: the room in which something may flow, with round bends."""
    return [Path((rounded(points, radius),), stroke=ink, width=thick)]


def rounded(points: Points, radius: float) -> Points:
    """The curves of a Path along straight stretches, with quarter circles at their corners."""
    curve: list[tuple[float, float]] = [points[0]]

    def straight(to: tuple[float, float]) -> None:
        curve.extend((curve[-1], to, to))

    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        reach = min(radius, math.dist(before, corner) / 2, math.dist(corner, after) / 2)
        (ax, ay), (bx, by) = _towards(corner, before, reach), _towards(corner, after, reach)
        straight((ax, ay))
        curve += [(ax + (corner[0] - ax) * ROUND, ay + (corner[1] - ay) * ROUND),
                  (bx + (corner[0] - bx) * ROUND, by + (corner[1] - by) * ROUND), (bx, by)]
    straight(points[-1])
    return tuple(curve)


def _towards(start: tuple[float, float], end: tuple[float, float], by: float) -> tuple[float, float]:
    far = math.dist(start, end) or 1.0
    return start[0] + (end[0] - start[0]) * by / far, start[1] + (end[1] - start[1]) * by / far


def flow(points: Points, what: Flow, look: Look, share: float = 1.0, signs: Sequence[float] = (),
         arrows: Sequence[float] = ()) -> list[Mark]:
    """What flows along a pipe, as far as it has come; a plus or a minus, and arrow heads, at shares of the way."""
    if share <= 0 or len(points) < 2:
        return []
    way, half = part_of(points, share), max(0.5, what.thick / 2)
    marks: list[Mark] = []
    for place, ((ax, ay), (bx, by)) in enumerate(pairwise(way)):
        first, last = place == 0, place == len(way) - 2
        level = ay == by
        start, end = (ax, bx) if level else (ay, by)
        ahead = 1 if end >= start else -1
        start -= 0 if first else ahead * half
        end += 0 if last else ahead * half
        low, high = min(start, end), max(start, end)
        box = (low, ay - half, high - low, 2 * half) if level else (ax - half, low, 2 * half, high - low)
        marks.append(Rect(*box, what.ink, focus=what.focus, tip=what.tip, holds=what.flight))
    whole = length(points)
    ink = colour.ink_on(what.ink, look.theme)
    for at in signs if what.signed and what.thick >= 6 else ():
        if at < share:
            x, y = part_of(points, at)[-1]
            marks += glyph(x, y, what.value, min(4.0, what.thick * 0.3), ink)
    for at in arrows if what.thick >= 10 else ():
        if at + 6 / whole < share:
            marks.append(chevron(part_of(points, at)[-1], _heading(points, at), min(5.0, what.thick * 0.3), ink))
    return marks


def _heading(points: Points, share: float) -> tuple[float, float]:
    a, b = part_of(points, share)[-1], part_of(points, min(1.0, share + 1e-3))[-1]
    far = math.dist(a, b) or 1.0
    return (b[0] - a[0]) / far, (b[1] - a[1]) / far


def glyph(x: float, y: float, value: float, half: float, ink: str) -> list[Mark]:
    """A plus or a minus; nothing for zero."""
    if value == 0:
        return []
    marks: list[Mark] = [Rect(x - half, y - 0.75, 2 * half, 1.5, ink)]
    return marks if value < 0 else [*marks, Rect(x - 0.75, y - half, 1.5, 2 * half, ink)]


def chevron(at: tuple[float, float], heading: tuple[float, float], half: float, ink: str) -> Mark:
    """A small open arrow head."""
    (x, y), (dx, dy) = at, heading
    tip, aside = (x + dx * half * 0.6, y + dy * half * 0.6), (-dy * half, dx * half)
    back = (x - dx * half * 0.4, y - dy * half * 0.4)
    a, b = (back[0] + aside[0], back[1] + aside[1]), (back[0] - aside[0], back[1] - aside[1])
    return Path(((a, a, tip, tip, tip, b, b),), stroke=ink, width=1.75)


def arrow(points: Points, ink: str = "ink-2", width: float = 1.5, share: float = 1.0, head: float = 6.0,
          focus: Focus | None = None) -> list[Mark]:
    """A thin wire with an arrow head at its end, as far as it has come; the head only when it has arrived."""
    if share <= 0 or len(points) < 2:
        return []
    way = part_of(points, share)
    curve: list[tuple[float, float]] = [way[0]]
    for point in way[1:]:
        curve += [curve[-1], point, point]
    marks: list[Mark] = [Path((tuple(curve),), stroke=ink, width=width, focus=focus)]
    if share >= 1 and head:
        (x, y), (dx, dy) = points[-1], _heading(points, 1 - 1e-3)
        side = (-dy * head * 0.55, dx * head * 0.55)
        marks.append(Path((polygon(((x, y), (x - dx * head + side[0], y - dy * head + side[1]),
                                    (x - dx * head - side[0], y - dy * head - side[1]))),), fill=ink))
    return marks
