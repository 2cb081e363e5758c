"""Benchmarks: every figure is a ratio to a floor measured in the same run, in turns, on the same machine.

    python -m tests.benchmarks [names] [--rounds 7] [--json file]

Milliseconds change with the machine and with what else it does; the ratio of two things done within the same second
changes little. Each file beside this one holds benchmarks: functions without a leading underscore that yield Rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

Measured = Callable[[], float | None]
"""Something to run once. Its processor time is taken, unless it hands back a number: that is then the figure itself."""


@dataclass(frozen=True)
class Row:
    """One thing measured against its floor."""

    what: str
    subject: Measured
    floor: Measured
    floor_is: str
    """What the floor does, in a few words."""
    demanded: float
    """The ratio that must be met."""
    at_least: bool = False
    """False: subject / floor must be at most `demanded`. True: floor / subject must be at least that."""
    repeat: int = 1
    """Calls of each in one round; the median of them counts for the round."""
    unit: str = "ms"


@dataclass(frozen=True)
class Skipped:
    """Something that cannot be measured here, and why."""

    what: str
    why: str


Benchmark = Callable[[], Iterator[Row | Skipped]]
