"""Where everything stands: the U at the left, scores and chances, the mask at the right, the opened pixel below."""

from __future__ import annotations

from dataclasses import dataclass

from visualizer.scene.boxes import Box, whole
from visualizer.scene.parts import body
from visualizer.scene.picture import Look
from visualizer.scene.projector import begins
from visualizer.trace import Trace
from visualizer.views.segment._seen import Seen
from visualizer.views.segment._stages import Stage

TOP, HEAD, ARC, DROP, GAP = 84.0, 36.0, 20.0, 24.0, 6.0
"""Where it begins; heights of the headings, of the arcs, and of a step down to the next size; between tiles."""
TILES = (72.0, 64.0, 56.0, 48.0, 44.0, 40.0, 32.0, 24.0)
LARGE, SMALL, ENOUGH, BESIDE = 144.0, 80.0, 40.0, 22.0
"""Sides of the picture that is read: where tiles of at least that size are left, and where not; room beside it."""
ROW = 23.0
"""Height of a row of the opened pixel."""
MOST_MAPS, LEAST_MAPS = 6, 2
LABEL = 60.0
"""Width of the names beside the chances."""
UPPER, OPENED = 300.0, 470.0
"""The least height of what stands above the opened pixel, and of all, if that is to be seen."""
MASK = 0.2
"""Share of the width that the mask takes."""
SCORES = 900.0
"""The least width in which scores have maps of their own."""


@dataclass(frozen=True)
class Layout:
    """Places in a picture."""

    box: Box
    """All of it."""
    upper: Box
    opened: Box | None
    """Of the table of the opened pixel; None where there is no room."""
    picture: float
    """Side of the picture that is read."""
    tile: float
    pitch: float
    """From stage to stage."""
    columns: tuple[int, ...]
    """The stages that are seen."""
    maps: int
    """How many maps of each stage at most."""
    scores: float | None
    """x of the maps of scores; None where there is no room for them."""
    chances: float
    """x of the maps of chances."""
    map: float
    """Side of one of them."""
    rows: tuple[int, ...]
    """The classes that have a row."""
    mask: float
    """x of the mask."""
    side: float
    """Side of the mask."""

    def x(self, place: int) -> float:
        """Where a stage stands, by its place among those that are seen."""
        return self.box.left + self.picture + (BESIDE if self.picture else 0) + place * self.pitch

    def y(self, level: int) -> float:
        """Where the maps of a level begin."""
        return self.upper.top + HEAD + ARC + level * self.drop

    @property
    def drop(self) -> float:
        return min(DROP, self.tile / 2)


def layout(trace: Trace, one: Seen, found: tuple[Stage, ...], current: int, rows: tuple[int, ...],
           look: Look) -> Layout:
    """The largest tiles with which at least two maps of each stage are seen; of too many stages those around the
    current one."""
    box = body(look, begins(look, TOP)).inset(0, 0, 0, 8)
    table = box.height >= OPENED and look.mode.notes
    low = 32 + (len(rows) + 1) * ROW
    cut = max(box.top + UPPER, box.bottom - low)
    upper = Box(box.left, box.top, box.right, cut - 10 if table else box.bottom)
    room = upper.height - HEAD
    high, wide = one.size
    longest = max(high, wide)
    notes = len(rows) * 17 + 44 if look.mode.notes else 20
    cell = whole(min(MASK * box.width, max(64.0, room - notes)) / longest, look.pixel) or \
        min(MASK * box.width, room) / longest
    side = cell * longest
    right = side * 1.5 + 14
    maps = max(20.0, min(52.0, (room - 16) / max(1, len(rows)) - 8))
    scored = bool(one.scores) and look.size[0] >= SCORES
    middle = (2 if scored else 1) * (maps + 12) + LABEL
    left = box.width - right - middle - 34
    levels = max((stage.level for stage in found), default=0)
    count = max(1, len(found))
    tallest = room / 2 - 44 if look.size[0] >= 560 else 0.0
    first = trace.layers[0]
    pixels = max(first.shape[-2:])
    large, small = (min(tallest, whole(size / pixels, look.pixel) * pixels or size) for size in (LARGE, SMALL))
    tile, picture = next(((tile, picture) for least, picture in ((ENOUGH, large), (TILES[-1], small)) for tile in TILES
                          if tile >= least and picture + BESIDE + count * (tile + GAP) <= left
                          and (room - ARC - levels * min(DROP, tile / 2) - 14) // (tile + GAP) >= LEAST_MAPS),
                         (TILES[-1], small))
    down = int((room - ARC - levels * min(DROP, tile / 2) - 14) // (tile + GAP))
    seen = min(count, max(1, int((left - picture - BESIDE) // (tile + GAP))))
    pitch = min(tile * 1.5, (left - picture - BESIDE) / seen)
    start = min(max(0, current - seen // 2), count - seen)
    mask = box.right - right
    chances = mask - 22 - LABEL - maps
    return Layout(box, upper, Box(box.left, cut, box.right, box.bottom) if table else None, picture, tile, pitch,
                  tuple(range(start, start + seen)) if found else (), max(1, min(MOST_MAPS, down)),
                  chances - maps - 12 if scored else None, chances, maps, rows, mask, side)
