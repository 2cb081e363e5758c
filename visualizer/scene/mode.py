"""Mode: how much a picture says, and how tightly it is set: for one person at a desk, or for the last row of a room.

A view asks what may be shown (`look.mode.notes`) or how large it may be, never for whom: a third mode is one more of
these.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mode:
    """What of a picture is shown, and its sizes at a text scale of 1."""

    notes: bool
    """Small words that explain what is drawn: units, ranges, what a number means, how it came about."""
    charts: bool
    """Further charts beside the main one: running sums, totals, entropies, facts."""
    workings: bool
    """The lines that lead to a result which nobody opened."""
    lanes: bool
    """Lanes with names, values and sizes under the picture; else one line of beats."""
    cell: float
    """The largest cell of a unit."""
    words: float
    """Room for the words behind a bar."""
    strip: float
    """Height of the tiles of a long sum, where several such strips stand below each other."""

    def sides(self, left: float, right: float, least: float = 24) -> tuple[float, float]:
        """Room at both sides of a chart or a lane: the usual, or as little as there must be where nothing is written
        there."""
        return (left, right) if self.notes else (least, least)


DESK = Mode(notes=True, charts=True, workings=True, lanes=True, cell=24, words=196, strip=72)
ROOM = Mode(notes=False, charts=False, workings=False, lanes=False, cell=80, words=120, strip=34)
