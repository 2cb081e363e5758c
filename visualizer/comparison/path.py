"""Path: how far several networks have come, each on its own way from the input to the answer and back.

What only lays numbers out anew, picks some, or turns the last ones into shares is no stop on the way: networks are
compared by what they compute. A share of 0.5 of a way with eleven layers lies within the sixth.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from visualizer.kinds.waiting import computes
from visualizer.scene.state import BEAT, SHARE, STEP
from visualizer.scene.timeline import FORWARD, Beat, Moment, Pace, Timeline, timeline
from visualizer.trace import Trace, remembered

A_BEAT, SHORTEST, LONGEST = Fraction(1, 3), Fraction(8), Fraction(16)
"""Seconds of a beat of the longest way, and of a whole way at least and at most."""
EXACT = 1e-9
Steps = NDArray[np.int_]
"""(step,): how many operations it takes until each step is ready; one number for what has no steps."""


@dataclass(frozen=True, eq=False)
class Way:
    """The way of one network in one direction: the beats that compute something, in their order."""

    stops: tuple[int, ...]
    """Indices of the beats of its timeline."""
    beats: tuple[Beat, ...]
    ends: int
    """Index of the last beat in this direction."""

    def __len__(self) -> int:
        return len(self.stops)

    def done(self, moment: Moment) -> float:
        """How many beats of it are over, the one under way as far as it has come."""
        before = bisect_left(self.stops, moment.index)
        return before + moment.phase if moment.index in self.stops[before:before + 1] else float(before)


@remembered(2)
def way(trace: Trace, direction: str) -> Way:
    """The way of a network; of no length where nothing went that way."""
    times = timeline(trace)
    indices = [index for index, beat in enumerate(times.beats) if beat.direction == direction]
    found = [index for index in indices if computes(trace, trace[times.beats[index].layer])]
    found = found or indices
    return Way(tuple(found), tuple(times.beats[index] for index in found), max(indices, default=0))


def share_of(trace: Trace, moment: Moment) -> float:
    """How much of its way, in the direction of the moment, lies behind it: 0 … 1."""
    known = way(trace, moment.beat.direction)
    return min(1.0, known.done(moment) / len(known)) if len(known) else 1.0


def at_share(trace: Trace, direction: str, share: float) -> Moment:
    """The moment at a share of the way; at a whole number of beats the last of these, settled."""
    return at_beat(trace, direction, share * len(way(trace, direction)))


def at_beat(trace: Trace, direction: str, done: float) -> Moment:
    """The moment at which so many beats of the way are over."""
    known, times = way(trace, direction), timeline(trace)
    if not len(known):
        return times.settled(len(times.beats) - 1)
    whole = min(len(known), int(done + EXACT))
    phase = done - whole
    if whole == len(known):
        return times.settled(known.stops[-1])
    if phase > EXACT:
        return Moment(times.beats[known.stops[whole]], phase, known.stops[whole])
    if whole:
        return times.settled(known.stops[whole - 1])
    return Moment(times.beats[known.stops[0]], 0.0, known.stops[0])


def finished(trace: Trace, moment: Moment) -> bool:
    """Whether the network has answered."""
    return moment.beat.direction != FORWARD or share_of(trace, moment) >= 1 - EXACT


# --- in step ---------------------------------------------------------------------------------------------------------

def joined(traces: Sequence[Trace], active: int, moment: Moment, sync: str = SHARE) -> tuple[Moment, ...]:
    """A moment of each network: that of the active one, and of the others what they have in common with it."""
    direction = moment.beat.direction
    own = way(traces[active], direction)
    return tuple(moment if index == active else _beside(trace, own, moment, sync, share_of(traces[active], moment))
                 for index, trace in enumerate(traces))


def _beside(trace: Trace, lead: Way, moment: Moment, sync: str, share: float) -> Moment:
    direction = moment.beat.direction
    if sync == BEAT:
        return at_beat(trace, direction, min(lead.done(moment), float(len(way(trace, direction)))))
    step = moment.beat.step
    if sync == STEP and step is not None:
        known = way(trace, direction)
        steps = [place for place, beat in enumerate(known.beats) if beat.step is not None]
        same = next((place for place in steps if known.beats[place].step == step), None)
        if same is not None:
            return at_beat(trace, direction, same + moment.phase)
        if steps:
            return at_beat(trace, direction, float(max(steps) + 1))
    return at_share(trace, direction, share)


def longest(traces: Sequence[Trace]) -> int:
    """Which network has the most beats: by beats the others go as far as it does."""
    return int(np.argmax([len(way(trace, FORWARD)) for trace in traces]))


def times(traces: Sequence[Trace], active: int) -> Timeline:
    """The beats of the active network at an even pace, all ways taking equally long: so that a second is the same share
    for whoever is active, and nobody waits for what only lays numbers out anew."""
    most = max(len(way(trace, FORWARD)) for trace in traces)
    return _even(traces[active], min(LONGEST, max(SHORTEST, most * A_BEAT)))


@remembered(8)
def _even(trace: Trace, seconds: Fraction) -> Timeline:
    counted = {name: way(trace, name) for name in dict.fromkeys(beat.direction for beat in timeline(trace).beats)}

    def pace(moment: Moment) -> Pace:
        known = counted[moment.beat.direction]
        on_the_way = moment.index in known.stops
        return Pace(seconds / len(known) if on_the_way else Fraction(0), Fraction(0))

    known = counted[FORWARD]
    return timeline(trace).paced(pace, known.beats[-1].address)
