"""Curve: right answers among many inputs, by how strongly something is done to each of them.

A curve may still be growing: its points come one after the other, from 0 on, and what is there stays.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any

from visualizer.language import numeral, tr, translated

BUNDLED, HELD_OUT = "bundled", "held-out"
"""Inputs that come with the app, and those that a folder of data keeps from training."""
Spot = tuple[float, float, float]
"""Strength, share of right answers, and its standard error."""


@dataclass(frozen=True)
class Point:
    """What was counted at one strength."""

    strength: float
    right: int
    """How many answers were right."""
    of: int
    """Of how many: inputs, or steps of them where each step has an answer."""
    cut: int = 0
    """How many inputs lost something over the edge of their frame."""
    whole_right: int = 0
    """How many answers were right to inputs that lost nothing so."""
    whole_of: int = 0
    inputs: int = 0
    """How many inputs were read."""

    @property
    def share(self) -> float:
        """Of right answers; NaN where nothing was answered."""
        return self.right / self.of if self.of else math.nan

    @property
    def error(self) -> float:
        """Standard error of that share: √(p (1 − p) / n) of independent answers."""
        return standard_error(self.right, self.of)

    @property
    def whole(self) -> tuple[float, float]:
        """The share among inputs that lost nothing, and its standard error."""
        share = self.whole_right / self.whole_of if self.whole_of else math.nan
        return share, standard_error(self.whole_right, self.whole_of)

    @property
    def lost(self) -> float:
        """The share of inputs that lost something."""
        return self.cut / self.inputs if self.inputs else 0.0


@dataclass(frozen=True)
class Curve:
    """How one network answers, by strength."""

    model: str
    title: str
    """What the network is called."""
    edits: tuple[str, ...]
    """What is done to the network and to each input; the one that grows at its largest strength: `shift:8,8`."""
    grows: str
    """The name of the edit that grows: `shift`."""
    strengths: tuple[float, ...]
    points: tuple[Point, ...] = ()
    """Those that were counted, in the order of their strengths."""
    chance: float = 0.0
    """The share that a guess has."""
    inputs: int = 0
    """How many inputs are given."""
    kind: str = ""
    """What these are: `pictures of one digit`."""
    origin: str = ""
    """Where they come from: `bundled`, `held-out`; empty for a list of the person's own."""
    why: str = ""
    """One sentence, where it cannot be counted or not at every strength."""

    @property
    def data(self) -> str:
        """Which inputs they are, in words: `400 bundled pictures of one digit`."""
        said = {BUNDLED: tr("{count} bundled {kind}"), HELD_OUT: tr("{count} held-out {kind}")}.get(
            self.origin, tr("{count} {kind}"))
        return said.format(count=numeral(f"{self.inputs:,}"), kind=translated(self.kind))

    @property
    def complete(self) -> bool:
        """Whether every strength was counted, or why that cannot be is known."""
        return bool(self.why) or len(self.points) == len(self.strengths)

    @property
    def shares(self) -> tuple[Spot, ...]:
        """Of all inputs."""
        return tuple((point.strength, point.share, point.error) for point in self.points)

    @property
    def whole_shares(self) -> tuple[Spot, ...]:
        """Of the inputs that lose nothing; none where every input does keep all, or where none is left."""
        if not any(point.cut for point in self.points):
            return ()
        return tuple((point.strength, *point.whole) for point in self.points if point.whole_of)

    def at(self, strength: float) -> Point | None:
        """What was counted at a strength; None where that was not, or not yet."""
        return next((point for point in self.points if math.isclose(point.strength, strength, abs_tol=1e-9)), None)

    def with_point(self, point: Point) -> Curve:
        """The same with one point more."""
        others = (each for each in self.points if each.strength != point.strength)
        return replace(self, points=tuple(sorted((*others, point), key=lambda each: each.strength)))

    def plain(self) -> dict[str, Any]:
        """Plain values; `from_plain` gives an equal one back."""
        return asdict(self)


def from_plain(plain: Mapping[str, Any]) -> Curve:
    """The curve that `plain` wrote; raises KeyError, TypeError or ValueError if it is none."""
    points = tuple(Point(float(each["strength"]), *(int(each[name]) for name in
                                                    ("right", "of", "cut", "whole_right", "whole_of", "inputs")))
                   for each in plain["points"])
    if any(not 0 <= point.right <= point.of or not 0 <= point.whole_right <= point.whole_of for point in points):
        raise ValueError("more answers are right than were given")
    return Curve(str(plain["model"]), str(plain["title"]), tuple(map(str, plain["edits"])), str(plain["grows"]),
                 tuple(map(float, plain["strengths"])), points, float(plain["chance"]), int(plain["inputs"]),
                 str(plain["kind"]), str(plain["origin"]), str(plain["why"]))


def between(spots: Sequence[Spot], strength: float) -> tuple[float, float]:
    """The share at any strength and its standard error; between two points on the straight line from one to the next,
    without an error; NaN beyond them."""
    for at, share, error in spots:
        if math.isclose(at, strength, abs_tol=1e-9):
            return share, error
    for (start, before, _), (end, after, _) in pairwise(spots):
        if start < strength < end:
            return before + (after - before) * (strength - start) / (end - start), math.nan
    return math.nan, math.nan


COLUMNS = ("model", "strength", "right", "of", "share", "standard_error", "inputs", "cut", "whole_right", "whole_of")


def rows(curve: Curve) -> list[tuple[str | float, ...]]:
    """A table of the points, as `COLUMNS` says."""
    return [(curve.model, point.strength, point.right, point.of, point.share, point.error, point.inputs, point.cut,
             point.whole_right, point.whole_of) for point in curve.points]


def standard_error(right: int, of: int) -> float:
    """Of a share that was counted: √(p (1 − p) / n); NaN of nothing."""
    return math.sqrt(right / of * (1 - right / of) / of) if of else math.nan
