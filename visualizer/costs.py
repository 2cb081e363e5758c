"""Costs: what was measured of a network by running it many times, rather than read off one recording."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Measured:
    """How fast a network answers here, and how often it is right."""

    milliseconds: float = math.nan
    """The median of `runs` runs over one input, interleaved with those of the networks that it is compared with."""
    runs: int = 0
    where: str = ""
    """By what, in a few words: `torch 2.9, 1 thread`."""
    right: int = 0
    of: int = 0
    """How many inputs with a known label were answered right, and among how many; 0 where none has one."""

    @property
    def accuracy(self) -> float:
        """The share of right answers."""
        return self.right / self.of if self.of else math.nan

    @property
    def error(self) -> float:
        """Its standard error, √(p(1 − p)/n): of so few inputs it could as well have been so much more or less."""
        return math.sqrt(self.accuracy * (1 - self.accuracy) / self.of) if self.of else math.nan

    def plain(self) -> dict[str, Any]:
        """As it goes from process to process."""
        return asdict(self)


def from_plain(found: Mapping[str, Any]) -> Measured:
    """What `plain` gave."""
    return Measured(**found)
