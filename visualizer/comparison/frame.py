"""Frame: where the parts of a comparison stand, in the lengths of the layout: the same for every moment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from visualizer.comparison.reader import Reader, alike
from visualizer.scene import projector
from visualizer.scene.boxes import Box, whole
from visualizer.scene.picture import Look
from visualizer.scene.type import width

PAD, GAP = 24.0, 28.0
TOP, HEAD = 62.0, 30.0
"""Where the parts under the sentence begin, and the height of their headings."""
SIDE, SHARE = 264.0, 0.17
"""The input is no larger, and takes at most this share of the width."""
BESIDE = 300.0
"""A column so wide has the answers beside what is computed, a narrower one below it."""
UNDER = 64.0
"""Room under what is computed: its name, its scale, and what is said of it."""
LANE, LOW_LANE, ROOM_LANE = 36.0, 29.0, 17.0
ROW, LOW_ROW = 38.0, 31.0
LEAST = 236.0
"""So high the networks must stand, or the table gives way."""
CURVES = 0.36
"""The share of the width that curves by strength take beside the table."""


@dataclass(frozen=True)
class Place:
    """Where one network stands."""

    box: Box
    picture: Box
    """What it computes."""
    answers: Box
    index: int
    """Which network it is; −1 for the difference of two."""


@dataclass(frozen=True)
class Frame:
    """Where everything stands."""

    input: Box
    places: tuple[Place, ...]
    lanes: Box
    """The lines of all ways: from their start to their end, the names left of it."""
    lane: float
    """Height of one of them."""
    table: Box | None
    curves: Box | None
    """Where right answers by strength stand."""

    def of(self, index: int) -> Place | None:
        """Where a network stands, if it is shown."""
        return next((place for place in self.places if place.index == index), None)


def frame(readers: Sequence[Reader], look: Look, alone: int = 0, curves: bool = False) -> Frame:
    """The layout for so many networks, or for one of them `alone` (from 1); `curves`: whether there is something to be
    turned up and down, so that there are curves."""
    wide, high = look.size
    room = not look.mode.notes
    tall = high >= 700
    count = len(readers)
    lane = ROOM_LANE if room else LANE if tall else LOW_LANE
    lanes = lane * count + (8 if room else 26)
    row = ROW if tall else LOW_ROW
    low = 0.0 if room else row * count + 58
    top = projector.begins(look, TOP, 2)
    if high - top - lanes - low < LEAST:
        low = 0.0
    bottom = high - lanes - low
    names = PAD + max(width(reader.name, 13, 600) for reader in readers) + 20
    names = min(names, 0.2 * wide)
    below = Box(PAD, bottom + lanes, wide - PAD, high - 12) if low else None
    chart = None
    if below is not None and curves:
        chart = replace(below, right=below.left + CURVES * below.width)
        below = replace(below, left=chart.right + 44)
    body = Box(PAD, top, wide - PAD, bottom - 6)
    side = min(SIDE, SHARE * wide, body.height - HEAD - (14 if room else UNDER))
    given = Box(body.left, body.top + HEAD, body.left + side, body.top + HEAD + side)
    return Frame(given, _places(readers, replace(body, left=given.right + GAP + 12), alone, room),
                 Box(names, bottom, wide - PAD - 8, bottom + lanes), lane, below, chart)


def _places(readers: Sequence[Reader], body: Box, alone: int, room: bool) -> tuple[Place, ...]:
    shown = [alone - 1] if 0 < alone <= len(readers) else [*range(len(readers)), *((-1,) if alike(readers) else ())]
    wide = (body.width - GAP * (len(shown) - 1)) / len(shown)
    found = []
    for number, index in enumerate(shown):
        left = whole(body.left + number * (wide + GAP))
        box = Box(left, body.top, left + wide, body.bottom)
        found.append(Place(box, *_within(box, room, index), index))
    return tuple(found)


def _within(box: Box, room: bool, index: int) -> tuple[Box, Box]:
    """Where what is computed stands in a column, and where the answers do."""
    top, bottom = box.top + HEAD, box.bottom
    if room:
        return Box(box.left, top, box.right, bottom - 40), Box(box.left, bottom - 34, box.right, bottom)
    if box.width >= BESIDE or index < 0:
        middle = box.right if index < 0 else box.left + min(0.52 * box.width, max(0.46 * box.width, 300.0))
        return Box(box.left, top, middle - (0 if index < 0 else 20), bottom - UNDER), \
            Box(middle, top, box.right, bottom - UNDER)
    split = top + 0.46 * (bottom - top - UNDER)
    return Box(box.left, top, box.right, split), Box(box.left, split + UNDER, box.right, bottom - 24)
