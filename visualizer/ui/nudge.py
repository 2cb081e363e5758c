"""Small steps: where one more or one less of them leads within a beat, and over its ends."""

from __future__ import annotations

import math
from dataclasses import replace

from visualizer.scene.timeline import BEGUN, Moment, Stretch, Timeline

QUARTERS = 4
"""Shift and an arrow go a quarter of a beat where one beat moves into the next."""


def next_quarter(times: Timeline, moment: Moment, by: int) -> Moment:
    """One small step within the beat; past its end, into the next one. The end of a beat is the start of the next."""
    quarter, index = round(moment.phase * QUARTERS) + by, moment.index
    if quarter > QUARTERS:
        index, quarter = index + 1, 1
    elif quarter < 1 and index > 0:
        index, quarter = index - 1, QUARTERS
    if not 0 <= index < len(times.beats) or quarter < 0:
        return moment
    return replace(times.settled(index), phase=quarter / QUARTERS)


def next_term(times: Timeline, moment: Moment, by: int) -> Moment:
    """One term more or less; beyond the first and the last one into the terms beside them, else into the beat beside.

    A beat without terms is one: it is there, or it is not.
    """
    found = times.pace(moment.index).stretches or (Stretch(0.0, 1.0, 1),)
    place = max((number for number, terms in enumerate(found) if terms.start < moment.phase - 1e-9), default=0)
    terms = found[place]
    reached = min(1.0, max(0.0, (moment.phase - terms.start) / (terms.end - terms.start))) * terms.terms
    least = BEGUN * terms.terms if terms.start else 0.0
    done = (math.floor(reached + 1e-9) if by > 0 else math.ceil(reached - least - 1e-9)) + by
    if 0 <= done <= terms.terms:
        return replace(moment, phase=terms.phase(done))
    if 0 <= place + by < len(found):
        return replace(moment, phase=found[place + by].phase(0) if by > 0 else found[place + by].end)
    index = moment.index + by
    if not 0 <= index < len(times.beats):
        return moment
    return replace(times.settled(index), phase=0.0 if by > 0 else 1.0)
