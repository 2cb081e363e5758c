"""Lanes: the way of each network as a line of its beats, all equally long, with one cursor."""

from __future__ import annotations

from collections.abc import Sequence

from visualizer.comparison import words
from visualizer.comparison.frame import PAD, Frame
from visualizer.comparison.path import way
from visualizer.comparison.reader import Now, Reader
from visualizer.scene.labels import Labels
from visualizer.scene.parts import ring
from visualizer.scene.picture import BEAT, LANE, Focus, Line, Look, Mark, Path, Points, Rect, Text, grouped, plain
from visualizer.scene.type import bounds

DOT, SMALL_DOT = 4.0, 3.0
OVER, HIGH = 9.0, 11.0
"""The names of the beats stand so high over their line, and are so high themselves."""


def y_of(frame: Frame, index: int, look: Look) -> float:
    """Where the line of a network runs."""
    over = 16.0 if look.mode.notes else 6.0
    return frame.lanes.top + over + (index + 0.5) * frame.lane


def x_of(frame: Frame, share: float, backward: bool) -> float:
    """Where a share of the way stands: forwards from the left, backwards from the right."""
    return frame.lanes.right - share * frame.lanes.width if backward else frame.lanes.left + share * frame.lanes.width


def share_at(frame: Frame, x: float, backward: bool) -> float:
    """The share of the way that stands at x."""
    share = (x - frame.lanes.left) / frame.lanes.width
    return min(1.0, max(0.0, 1 - share if backward else share))


def radius_of(count: int) -> float:
    """How large the dots of so many beats are."""
    return DOT if count <= 40 else SMALL_DOT


def fits(frame: Frame, count: int) -> bool:
    """Whether so many beats have a dot each."""
    return bool(count) and frame.lanes.width / count >= 2 * radius_of(count) + 1


def _dot(x: float, y: float, radius: float) -> Points:
    """A disc, of four curves: all that were walked are one mark."""
    r, k = radius, 0.5523 * radius
    return ((x + r, y), (x + r, y + k), (x + k, y + r), (x, y + r), (x - k, y + r), (x - r, y + k), (x - r, y),
            (x - r, y - k), (x - k, y - r), (x, y - r), (x + k, y - r), (x + r, y - k), (x + r, y))


def still(readers: Sequence[Reader], frame: Frame, look: Look, direction: str, backward: bool) -> list[Mark]:
    """The lines with the names of their beats."""
    marks: list[Mark] = [Line(((0, frame.lanes.top), (look.size[0], frame.lanes.top)), "hair")]
    for index, reader in enumerate(readers):
        y = y_of(frame, index, look)
        marks.append(Text(PAD, y + 4.5, plain(reader.name), 13, 600, max_width=frame.lanes.left - PAD - 12))
        marks.append(Line(((frame.lanes.left, y), (frame.lanes.right, y)), "rule", 2))
        count = len(way(reader.trace, direction))
        radius = radius_of(count)
        if fits(frame, count):
            marks += [Rect(x - radius, y - radius, 2 * radius, 2 * radius, "stage", "rule", 1.5, radius=radius)
                      for x in (x_of(frame, (place + 1) / count, backward) for place in range(count))]
        if look.mode.notes:
            marks += _names(reader, frame, y, direction, backward)
    marks.append(Rect(frame.lanes.left - 12, frame.lanes.top + 2, frame.lanes.width + 24, frame.lanes.height - 4,
                      focus=Focus(readers[0].trace.layers[0].name, array=BEAT)))
    return grouped(LANE, marks)


def _names(reader: Reader, frame: Frame, y: float, direction: str, backward: bool) -> list[Mark]:
    """As many names as have room, the last and the first before those between."""
    stops = words.stops(reader.trace, direction)
    count = len(stops)
    labels = Labels((frame.lanes.left - 40, frame.lanes.top, frame.lanes.right + 24, frame.lanes.bottom + 4), 5)
    every = next(by for by in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 10_000) if count / by <= 14)
    order = [count - 1, 0, *(place for place in range(count) if place % every == 0 or not stops[place][1])]
    found: list[Mark] = []
    named: set[int] = set()
    for place in order:
        name, mono = stops[place]
        if place in named or (every > 1 and place % every and place != count - 1 and not mono and
                              stops[place - 1][1] == mono):
            continue
        text = Text(x_of(frame, (place + 1) / count, backward), y - OVER, plain(name), 11 if not mono else 12, 400,
                    "ink-2", "middle", mono=mono)
        if labels.take(bounds(text)):
            named.add(place)
            found.append(text)
    return found


def _clear(frame: Frame, count: int, look: Look) -> list[tuple[float, float]]:
    """Where the cursor is drawn, from above to below: everywhere but where the names of the beats stand."""
    ends = [frame.lanes.top + 6]
    if look.mode.notes:
        for index in range(count):
            y = y_of(frame, index, look) - OVER
            ends += [y - HIGH, y + 3]
    ends.append(frame.lanes.bottom - 4)
    return [(top, bottom) for top, bottom in zip(ends[::2], ends[1::2], strict=True) if bottom - top >= 4]


def moving(readers: Sequence[Reader], seen: Sequence[Now], frame: Frame, look: Look, active: int) -> list[Mark]:
    """How far each has come, and the one cursor."""
    backward = seen[active].moment.backward
    ink = "gradient-mark" if backward else "accent"
    here = x_of(frame, seen[active].share, backward)
    marks: list[Mark] = [Line(((here, top), (here, bottom)), "accent", 1, dashed=True)
                         for top, bottom in _clear(frame, len(readers), look)]
    for index, now in enumerate(seen):
        y, direction = y_of(frame, index, look), now.moment.beat.direction
        count = len(way(readers[index].trace, direction))
        start, end = x_of(frame, 0.0, backward), x_of(frame, now.share, backward)
        marks.append(Line(((start, y), (end, y)), ink, 2))
        walked = int(now.done + 1e-9)
        if walked and fits(frame, count):
            dots = tuple(_dot(x_of(frame, (place + 1) / count, backward), y, radius_of(count) + 0.75)
                         for place in range(walked))
            marks.append(Path(dots, fill=ink))
        marks += ring(end, y, ink)
    return grouped(LANE, marks)
