"""Reel: a timeline over recordings. The same moment in one of them after the other, and the way from each to the next.

Where a recording is reached its picture stands as it is. In between no numbers were computed, so none are shown:
colours, bars and curves go over evenly from one picture to the other, words that are the same in both stay, and a
strip below says between what.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import PurePath

import numpy as np

from visualizer.language import tr
from visualizer.scene import numbers
from visualizer.scene.picture import Focus, Image, Line, Mark, Path, Picture, Rect, Text, plain
from visualizer.scene.recipe import AFTER, BEFORE
from visualizer.scene.timeline import Moment, Pace, Timeline, timeline
from visualizer.trace import Refused, Trace

FADE, HOLD = Fraction(2), Fraction(1)
"""Seconds from one recording to the next, and for which it then stands."""
STRIP = 44
"""Pixels below the picture, in which it is said where in the reel one is."""
EDGE = 24.0

Seen = Callable[[Trace, Moment, tuple[int, int]], Picture]
"""What is seen of a recording at one of its own moments, in so many pixels."""


@dataclass(frozen=True, eq=False)
class Reel:
    """Recordings of one network in an order, and the moment at which they are looked at."""

    recordings: tuple[Trace, ...]
    names: tuple[str, ...]
    """What each is called in an address: `after:conv2.forward`."""
    moment: Moment
    titles: tuple[str, ...] = ()
    """What each is called where a person reads it; its name where this is empty."""

    def __post_init__(self) -> None:
        """Refused with one sentence where they are no recordings of the same."""
        if len(self.recordings) < 2 or len(set(self.names)) != len(self.recordings):
            raise Refused(tr("A reel goes through two or more recordings, each with a name of its own."))
        shapes = [[(layer.name, layer.kind, layer.shape) for layer in trace] for trace in self.recordings]
        if any(found != shapes[0] for found in shapes):
            raise Refused(tr("A reel goes through recordings of one network over inputs of one shape; these have other "
                             "layers."))

    @cached_property
    def times(self) -> Timeline:
        """A beat for each recording: the way to it, and its end, at which it stands as it is."""
        beat = replace(self.moment.beat, acts=(), quick=False)
        return Timeline(tuple(replace(beat, of=name) for name in self.names), lambda moment: Pace(FADE, HOLD),
                        replace(beat, of=self.names[-1]).address, timeline(self.recordings[-1]))

    def nearest(self, moment: Moment) -> int:
        """Which recording is the nearest to a moment of the reel."""
        return max(moment.index - (moment.phase < 0.5), 0)

    def at(self, x: float, width: float) -> Moment:
        """The moment that lies at `x` on the strip below a picture so wide."""
        reached = min(1.0, max(0.0, (x - EDGE) / (width - 2 * EDGE))) * (len(self.names) - 1)
        index = min(max(math.ceil(reached - 1e-9), 0), len(self.names) - 1)
        return replace(self.times.settled(index), phase=1 - (index - reached) if index else 1.0)

    def title(self, index: int) -> str:
        return self.titles[index] if self.titles else self.names[index]

    def picture(self, seen: Seen, moment: Moment, size: tuple[int, int], scale: float = 1.0) -> Picture:
        """What is seen at a moment of the reel, with the strip below it, in so many pixels; `scale` is that of the
        strip."""
        inside = size[0], max(size[1] - round(STRIP * scale), 1)
        index = moment.index
        here = seen(self.recordings[index], self.moment, inside)
        if index and moment.phase < 1:
            before = seen(self.recordings[index - 1], self.moment, inside)
            here = between(before, here, moment.phase, self._said(index, moment.phase)) if moment.phase else before
        laid_out = round(size[0] / scale), round(size[1] / scale)
        strip = Picture(laid_out, tuple(self._strip(moment, laid_out))).scaled(scale, size)
        return replace(here, size=size, still=(*here.still, *strip.still))

    def _said(self, index: int, share: float) -> str:
        said = tr("Between {one} and {other}, {share} of the way: colours and lengths go over evenly, and numbers "
                  "stand only where they were computed, at both ends.")
        return said.format(one=self.title(index - 1), other=self.title(index), share=numbers.percent(share, 0))

    def _strip(self, moment: Moment, size: tuple[int, int]) -> list[Mark]:
        """A line with a dot for each recording, where one is on it, and what that is called."""
        wide, high = size
        level, last = high - STRIP + 14.0, len(self.names) - 1
        marks: list[Mark] = [Line(((0, high - STRIP), (wide, high - STRIP)), "hair"),
                             Line(((EDGE, level), (wide - EDGE, level)), "ink-2")]
        spots = [EDGE + (wide - 2 * EDGE) * index / last for index in range(last + 1)]
        reached = moment.index if moment.index == 0 else moment.index - 1 + moment.phase
        marks += [Rect(x - 3, level - 3, 6, 6, "ink-2", radius=3) for x in spots]
        marks.append(Rect(EDGE + (wide - 2 * EDGE) * reached / last - 5, level - 5, 10, 10, "accent", radius=5))
        marks.append(Text(EDGE, high - 10, plain(self.title(0)), 12, 600 if reached == 0 else 400, "ink-2",
                          max_width=wide * 0.28))
        marks.append(Text(wide - EDGE, high - 10, plain(self.title(last)), 12, 600 if reached == last else 400,
                          "ink-2", "end", max_width=wide * 0.28))
        if moment.index and moment.phase < 1:
            said = tr("in between: interpolated, {share}").format(share=numbers.percent(moment.phase, 0))
        else:
            said = "" if reached in (0, last) else self.title(moment.index)
        if said:
            marks.append(Text(wide / 2, high - 10, plain(said), 12, 400, "ink", "middle", max_width=wide * 0.38))
        return marks


def is_between(moment: Moment) -> bool:
    """Whether it lies between two recordings of a reel, where nothing was computed."""
    return bool(moment.beat.of) and moment.index > 0 and 0 < moment.phase < 1


def title_of(name: str) -> str:
    """What a recording of a reel is called where a person reads it."""
    return {BEFORE: tr("before training"), AFTER: tr("after training")}.get(name) or PurePath(name).stem


# --- between two pictures -------------------------------------------------------------------------------------------

def between(one: Picture, other: Picture, share: float, said: str) -> Picture:
    """What lies between two pictures of one layout, 0 < share < 1 of the way; without any number that differs."""
    if one.size != other.size:
        raise ValueError(f"pictures of {one.size} and {other.size} have nothing between them")
    return replace(one, still=_mixed(one.still, other.still, share), moving=_mixed(one.moving, other.moving, share),
                   caption=said, table=Picture((1, 1), ()).table)


def _mixed(one: tuple[Mark, ...], other: tuple[Mark, ...], share: float) -> tuple[Mark, ...]:
    """Marks of both by pairs, in the order of the nearer ones; what only these have stays, what only the others have
    does not come yet."""
    near, far = (one, other) if share < 0.5 else (other, one)
    waiting: dict[tuple[type, Focus | None, str], list[Mark]] = defaultdict(list)
    for mark in reversed(far):
        waiting[_key(mark)].append(mark)
    found: list[Mark] = []
    for mark in near:
        pairs = waiting[_key(mark)]
        partner = pairs.pop() if pairs else None
        between = _alone(mark) if partner is None else \
            _pair(mark, partner, share) if share < 0.5 else _pair(partner, mark, share)
        if between is not None:
            found.append(between)
    return tuple(found)


def _key(mark: Mark) -> tuple[type, Focus | None, str]:
    """What makes two marks of two pictures the same thing; words are themselves, but for their numbers."""
    return type(mark), mark.focus, re.sub(r"[−+-]?[\d.,]+", "0", mark.plain) if isinstance(mark, Text) else ""


def _alone(mark: Mark) -> Mark | None:
    return None if isinstance(mark, Text) and re.search(r"\d", mark.plain) else mark


def _pair(one: Mark, other: Mark, share: float) -> Mark | None:
    """What lies between two marks; one of them where they are too different; nothing for two numbers."""
    first = share < 0.5

    def mix(a: float, b: float) -> float:
        return a + (b - a) * share

    if isinstance(one, Text) and isinstance(other, Text):
        return None if one.plain != other.plain else replace(one, x=mix(one.x, other.x), y=mix(one.y, other.y))
    if isinstance(one, Image) and isinstance(other, Image):
        if one.values.shape != other.values.shape or one.palette != other.palette:
            return one if first else other
        values = np.rint(one.values + (other.values.astype(np.float64) - one.values) * share).astype(np.uint8)
        return replace(one if first else other, values=values, x=mix(one.x, other.x), y=mix(one.y, other.y))
    if isinstance(one, Rect) and isinstance(other, Rect):
        return replace(one if first else other, x=mix(one.x, other.x), y=mix(one.y, other.y),
                       width=mix(one.width, other.width), height=mix(one.height, other.height),
                       opacity=mix(one.opacity, other.opacity))
    if isinstance(one, Line) and isinstance(other, Line) and len(one.points) == len(other.points):
        points = tuple((mix(a, c), mix(b, d)) for (a, b), (c, d) in zip(one.points, other.points, strict=True))
        return replace(one if first else other, points=points, opacity=mix(one.opacity, other.opacity))
    if isinstance(one, Path) and isinstance(other, Path) and [*map(len, one.curves)] == [*map(len, other.curves)]:
        curves = tuple(tuple((mix(a, c), mix(b, d)) for (a, b), (c, d) in zip(this, that, strict=True))
                       for this, that in zip(one.curves, other.curves, strict=True))
        return replace(one if first else other, curves=curves, opacity=mix(one.opacity, other.opacity))
    return one if first else other
