"""The way to what a step shows: the beats that are played before one stands there and reads."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from visualizer.scene.timeline import Moment, Timeline

MOST = Fraction(12)
"""Seconds: a longer way goes faster."""


SEEN = 4
"""In so many parts it is asked how much room it needs."""


@dataclass(frozen=True)
class Way:
    """A stretch of the timeline that is played."""

    times: Timeline
    start: Fraction
    """The second of the timeline at which it begins."""
    here: Moment
    """Where it leads."""

    @property
    def end(self) -> Fraction:
        return self.times.second_of(self.here)

    @property
    def seconds(self) -> Fraction:
        """How long it is played: as in the window, or faster where that would take too long."""
        return min(self.end - self.start, MOST)

    def at(self, share: float | Fraction) -> Moment:
        """The moment at a share of it; at 1 where it leads."""
        return self.here if share >= 1 else self.times.at(self.start + (self.end - self.start) * Fraction(share))

    def parts(self) -> tuple[Moment, ...]:
        """Moments from its beginning to its end, by which it is seen how much room it needs."""
        return tuple(self.at(Fraction(part, SEEN)) for part in range(SEEN + 1))


def to(times: Timeline, here: Moment, before: Moment | None = None) -> Way:
    """From the moment `before`, where that is earlier on the same timeline, else from the beginning of the beat."""
    start = times.starts[here.index]
    if before is not None and (before.index, before.phase) < (here.index, here.phase):
        start = times.second_of(before)
    return Way(times, start, here)
