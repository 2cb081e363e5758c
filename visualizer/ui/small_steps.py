"""Small steps: where one more or one less of them leads within a beat, and over its ends."""

from __future__ import annotations

import math
from dataclasses import replace

from visualizer.scene.timeline import Moment, Timeline

PARTS = 4
"""Shift and an arrow go a quarter of a beat where one beat moves into the next."""


def next_part(times: Timeline, moment: Moment, by: int) -> Moment:
    """One small step within the beat; past its end, into the next one. The end of a beat is the start of the next."""
    part, index = round(moment.phase * PARTS) + by, moment.index
    if part > PARTS:
        index, part = index + 1, 1
    elif part < 1 and index > 0:
        index, part = index - 1, PARTS
    if not 0 <= index < len(times.beats) or part < 0:
        return moment
    return replace(times.settled(index), phase=part / PARTS)


BEGUN = 1e-3
"""Where one part of a step ends the next has not begun yet: so much of it, and it is shown, with nothing done."""


def begun(stretch: tuple[float, float]) -> float:
    """The phase at which nothing of a stretch is done."""
    start, end = stretch
    return start and start + BEGUN * (end - start)


def next_step(times: Timeline, moment: Moment, by: int, steps: int, stretch: tuple[float, float] = (0.0, 1.0),
              others: bool = True) -> Moment:
    """One more or one less of the small steps that a beat goes in, or the stretch of it that is shown.

    Beyond its ends, into the stretch beside it if those are shown too, else into the beat beside it.
    """
    start, end = stretch
    reached = min(1.0, max(0.0, (moment.phase - start) / (end - start))) * steps
    least = BEGUN * steps if start else 0.0
    step = (math.floor(reached + 1e-9) if by > 0 else math.ceil(reached - least - 1e-9)) + by
    if 0 < step <= steps:
        return replace(moment, phase=end if step == steps else start + step / steps * (end - start))
    if step == 0:
        return replace(moment, phase=begun(stretch))
    if others and (0 < start if by < 0 else moment.phase - 1e-9 <= end < 1):
        return replace(moment, phase=start if by < 0 else begun((end, 2 * end - start)))
    index = moment.index + by
    if not 0 <= index < len(times.beats):
        return moment
    return replace(times.settled(index), phase=0.0 if by > 0 else 1.0)
