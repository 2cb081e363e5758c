"""Where everything of a translation stands: columns that letters and steps share, and rows from top to bottom."""

from __future__ import annotations

from dataclasses import dataclass

from visualizer.scene.boxes import Box
from visualizer.scene.columns import lanes_height
from visualizer.scene.picture import Look
from visualizer.scene.projector import begins
from visualizer.scene.type import width
from visualizer.views.translate._speech import Speech

LEFT, RIGHT, PITCH, GAP = 128.0, 84.0, 120.0, 8.0
CHIP, SHARE, ROW, HEAD = 30.0, 18.0, 26.0, 22.0
"""Heights: of a symbol, of its probability, of a row of the beam, of its heading."""
ENOUGH = 300.0
"""Pixels that the rows above it need before the beam is drawn."""
MOST_ROWS = 5


@dataclass(frozen=True)
class Plan:
    """Columns side by side, and the rows of a picture."""

    x: float
    pitch: float
    count: int
    symbols: Box
    ways: tuple[Box, ...]
    ribbons: Box
    context: Box
    state: Box
    writes: Box
    beam: Box
    """Of no height where there is no room for it."""
    rows: int
    """Of the beam."""

    def left(self, column: float) -> float:
        return self.x + column * self.pitch

    def middle(self, column: float) -> float:
        return self.x + (column + 0.5) * self.pitch

    @property
    def wide(self) -> float:
        """A column without the gap between two."""
        return self.pitch - (14 if self.pitch >= 60 else 6 if self.pitch >= 30 else 2)

    def edge(self, column: int) -> float:
        """The left edge of what stands in a column."""
        return self.middle(column) - self.wide / 2

    @property
    def end(self) -> float:
        return self.left(self.count)


def plan(speech: Speech, look: Look, beam: int) -> Plan:
    """All symbols and steps side by side; the beam where there is room for at least one of its rows."""
    left, right = (LEFT, RIGHT) if look.mode.notes else (LEFT - 20, 24.0)
    count = max(len(speech.read), speech.count)
    pitch = min(PITCH, (look.size[0] - left - right) / count)
    top, bottom = begins(look, 64.0), look.size[1] - lanes_height(look) - 10
    rows = min(beam, MOST_ROWS)
    below = HEAD + rows * ROW + 16 if rows else 0.0
    if bottom - below - top < ENOUGH:
        rows, below = 0, 0.0
    share = SHARE if pitch >= 40 else 4.0
    room = bottom - below - top - 2 * CHIP - share - 6 * GAP
    weighed = speech.attention is not None
    parts = len(speech.ways) + (2 if weighed else 1)
    ribbons = room * (0.26 if weighed else 0.16)
    each = (room - ribbons) / parts

    y = top
    symbols, y = _row(left, pitch * count, y, CHIP)
    ways = []
    for _ in speech.ways:
        box, y = _row(left, pitch * count, y, each)
        ways.append(box)
    between, y = _row(left, pitch * count, y - GAP + 2, ribbons + GAP - 4)
    context, y = _row(left, pitch * count, y - GAP + 2, each) if weighed else (Box(left, y, left, y), y)
    state, y = _row(left, pitch * count, y, each)
    writes, y = _row(left, pitch * count, y, CHIP)
    return Plan(left, pitch, count, symbols, tuple(ways), between, context, state, writes,
                Box(left, bottom - below + 12, left + pitch * count, bottom if rows else bottom - below + 12), rows)


def _row(left: float, wide: float, y: float, high: float) -> tuple[Box, float]:
    return Box(left, y, left + wide, y + high), y + high + GAP


def fitted(word: str, wide: float, mono: bool = False) -> float:
    """The size of type in which a word has room; 11 is the smallest."""
    return next((size for size in (15.0, 14.0, 13.0, 12.0) if width(word, size, 600, mono=mono) <= wide), 11.0)
