"""Where everything of a caption stands, in the lengths of the layout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from visualizer.kinds.gaze import Gaze
from visualizer.scene import projector
from visualizer.scene.boxes import Box, whole
from visualizer.scene.columns import lanes_height
from visualizer.scene.picture import Look
from visualizer.trace import Trace, remembered

TOP, LEFT, GAP, NAMES, BETWEEN = 64.0, 24.0, 10.0, 88.0, 8.0
WIDEST = 88.0
"""A column of a word with the gap beside it, at most."""
ROW = (14.0, 26.0)
"""The height of a bar with its name, at least and at most."""
TOLD = 62.0
"""A column that is as wide has room for numbers beside its bars."""


@dataclass(frozen=True)
class Row:
    top: float
    high: float

    @property
    def bottom(self) -> float:
        return self.top + self.high


@dataclass(frozen=True, eq=False)
class Plan:
    """The picture and its maps at the left, and a column for each word."""

    picture: Box
    maps: Box
    """No wider than nothing where there is no room for them."""
    x: float
    """Left edge of the first column."""
    pitch: float
    first: int
    """The first of the words that are seen, where there are too many."""
    count: int
    chip: Row
    looks: Row
    state: Row
    wide: Row
    """How widely was looked; no higher than nothing where there is no room."""
    bars: Row
    symbols: tuple[int, ...]
    """Those that have bars of their own, in the order of their list."""
    others: int
    """How many others share the last bar."""
    line: float
    """Height of a bar."""

    @property
    def width(self) -> float:
        """Of a column."""
        return self.pitch - BETWEEN * min(1.0, self.pitch / 60)

    def left(self, word: int) -> float:
        return self.x + (word - self.first) * self.pitch

    def middle(self, word: int) -> float:
        return self.left(word) + self.width / 2

    @property
    def shown(self) -> range:
        return range(self.first, self.first + self.count)


def plan(trace: Trace, seen: Gaze, look: Look, word: int) -> Plan:
    """The layout around a word."""
    wide, high = look.size
    top, bottom = projector.begins(look, TOP if wide >= 1000 else TOP + 6), high - lanes_height(look) - 8
    room = bottom - top
    side = min(0.22 * wide, 0.44 * room if look.mode.notes else 0.7 * room, 300)
    rows, columns = seen.picture.shape[1:]
    cell = whole(side / max(rows, columns), look.pixel) or side / max(rows, columns)
    head = 16 if look.mode.notes else 0
    picture = Box(LEFT, top + head, LEFT + cell * columns, top + head + cell * rows)
    maps = Box(LEFT, picture.bottom + (58 if look.mode.notes else 400), picture.right, bottom)
    x = LEFT + cell * columns + 28 + NAMES
    count = len(seen.words)
    fits = max(1, int((wide - x - 6) / 42))
    shown = min(count, fits)
    first = min(max(0, word - shown + 2), count - shown)
    pitch = min(WIDEST * (1 if look.mode.notes else 1.5), (wide - x - 6) / shown)
    across = pitch - BETWEEN * min(1.0, pitch / 60)
    tall = room > 470
    chip = Row(top, 32 if tall else 26)
    looks = Row(chip.bottom + GAP, whole(min(across, 0.2 * room) / max(rows, columns), look.pixel / 4) *
                max(rows, columns) or across)
    units = _units(trace, seen)
    deep = min(96.0 if tall else 64.0, 0.18 * room)
    each = whole(deep / units, look.pixel) if units and units * look.pixel <= deep else deep / max(1, units)
    state = Row(looks.bottom + GAP, each * units)
    widely = Row(state.bottom + GAP, (34 if tall else 28) if look.mode.notes else 0)
    begins = widely.bottom + GAP + 4 if widely.high else state.bottom + GAP
    symbols, others, line = _symbols(seen, bottom - begins)
    return Plan(picture, maps if maps.height > 60 else Box(LEFT, bottom, LEFT, bottom), x, pitch, first, shown, chip,
                looks, state, widely, Row(begins, line * (len(symbols) + bool(others))), symbols, others, line)


@remembered(8)
def _units(trace: Trace, seen: Gaze) -> int:
    name = seen.words[0].state
    return int(trace[name].inner["hidden"].shape[-1]) if name else 0


def _symbols(seen: Gaze, room: float) -> tuple[tuple[int, ...], int, float]:
    """The symbols that have a bar, how many share the last one, and how high a bar is."""
    count, fit = seen.chances.shape[1], max(2, int(room / ROW[0]))
    if count <= fit:
        return tuple(range(count)), 0, min(ROW[1], room / count)
    most = seen.chances.max(0)
    order = [int(index) for index in np.argsort(-most, kind="stable")]
    kept = sorted(index for index in order[:fit - 1])
    return tuple(kept), count - len(kept), min(ROW[1], room / (len(kept) + 1))
