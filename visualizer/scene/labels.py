"""Labels: words that name something in a picture, each in a free place near it, none over another.

Words that have no room are said more briefly, the first way to say them that fits; they are left out last.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from visualizer.scene.boxes import inside
from visualizer.scene.picture import Rect, Text, plain, rich
from visualizer.scene.type import Runs, bounds, width

Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""
Spot = tuple[float, float, str]
"""x, baseline, and which point of the words stands there: `start`, `middle`, `end`."""
SMALLEST = 11.0
"""Pixels: letters of a picture are no smaller."""
LEAST = 4
"""Words of which fewer characters than these would be left are not cut but left out."""


@dataclass
class Labels:
    """The words of one part of a picture, in the order of their importance."""

    frame: Box
    """They stand inside it."""
    apart: float = 2.0
    """Pixels that are left free around each."""
    taken: list[Box] = field(default_factory=list)
    lines: Sequence[tuple[float, float]] = ()
    """The corners of a line that words keep off, as long as there is another free place for them."""

    def put(self, ways: str | Sequence[str], spots: Iterable[Spot], size: float = 12, weight: int = 400,
            color: str = "ink", **style: Any) -> list[Text]:
        """The words at the first spot that is free, the first way to say them before the next; nothing if none is."""
        tried = tuple(spots)
        for words in (ways,) if isinstance(ways, str) else ways:
            texts = [Text(x, y, plain(words), size, weight, color, anchor, **style) for x, y, anchor in tried]
            if self.lines:
                texts.sort(key=lambda text: crossed(bounds(text), self.lines))
            for text in texts:
                if self.take(bounds(text)):
                    return [text]
        return []

    def take(self, box: Box) -> bool:
        """Take a place for something, if it is inside the frame and free."""
        left, top, right, bottom = box[0] - self.apart, box[1], box[2] + self.apart, box[3]
        inside = left >= self.frame[0] and top >= self.frame[1] and right <= self.frame[2] and bottom <= self.frame[3]
        if not inside or any(overlap((left, top, right, bottom), other) for other in self.taken):
            return False
        self.taken.append((left, top, right, bottom))
        return True


def overlap(one: Box, other: Box) -> bool:
    """Whether two boxes have more than an edge in common."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def crossed(box: Box, corners: Sequence[tuple[float, float]]) -> bool:
    """Whether a line through these corners runs through a box."""
    return any(inside(box, *ends) is not None for ends in pairwise(corners))


def by_a_dot(words: str, dots: Sequence[tuple[float, float]], at: int, frame: Box, said: Sequence[Text] = ()) \
        -> list[Text]:
    """The number of one dot of a curve: above it, else below, else where only the curve is in its way; nothing where
    numbers that are said already leave no room."""
    x, y = dots[at]
    half = width(words, 12, 600) / 2 + 0.5
    x = max(min(x, frame[2] - half), frame[0] + half)
    near = [(px - 3, py - 3, px + 3, py + 3) for px, py in dots if abs(px - x) < half + 8]
    labels = Labels(frame, 0, [*near, *map(bounds, said)], dots)
    return labels.put(words, [(x, y + off, "middle") for off in (-8, 18, -14, 24, -20, 30, 42, 54)], 12, 600,
                      "gradient-text")


def fitting(ways: Sequence[str], room: float, size: float, weight: int = 400, mono: bool = False) -> str:
    """The first way to say it, in markup, that is no wider than this; empty where none is."""
    return next((words for words in ways if width(rich(words), size, weight, mono) <= room), "")


def row_name(x: float, y: float, runs: Runs, room: float, size: float = 12, weight: int = 600, color: str = "ink"
             ) -> list[Text | Rect]:
    """What a row is, ending at its left: in smaller letters where there is less room than it takes, and where that is
    not enough, cut, with all of it as a tip."""
    for smaller in (size, *(less for less in (size - 1, size - 2) if less >= SMALLEST)):
        if width(runs, smaller, weight) <= room:
            return [Text(x, y, runs, smaller, weight, color, "end")]
    return [Text(x, y, runs, min(size, SMALLEST), weight, color, "end", room),
            Rect(x - room, y - size, room, size + 4, tip="".join(run.text for run in runs))]


def cut(runs: Runs, room: float, size: float, weight: int = 400, mono: bool = False) -> bool:
    """Whether words can be set into so much room: whole, or cut with at least a few of their characters left."""
    words = "".join(run.text for run in runs)
    return width(runs, size, weight, mono) <= room or width(words[:LEAST] + "…", size, weight, mono) <= room
