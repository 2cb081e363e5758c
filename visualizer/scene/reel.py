"""Reel: a timeline over recordings. The same moment in one of them after the other, and the way from each to the next.

Where a recording is reached its picture stands as it is. In between no numbers were computed, so none are shown:
colours, bars and curves go over evenly from one picture to the other, words that are the same in both stay, and a
strip below says between what.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from itertools import zip_longest
from pathlib import PurePath

import numpy as np

from visualizer.language import tr
from visualizer.scene import numbers
from visualizer.scene.picture import (
    SENTENCE,
    Focus,
    Image,
    Line,
    Mark,
    Path,
    Picture,
    Points,
    Rect,
    Run,
    Text,
    changed,
    plain,
)
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

NUMBER = re.compile(r"(?<![\w])[−+-]?\d[\d.,]*(?![\w])")
"""A number that stands by itself, as none does in `conv2`."""
LEFT_OUT = "…"
"""What stands in a sentence for a number of one end alone."""
ENTRY = re.compile(r"(.+):(\d+)")
"""A fill that is an entry of a palette."""


def between(one: Picture, other: Picture, share: float, said: str) -> Picture:
    """What lies between two pictures of one layout, 0 < share < 1 of the way; without any number that differs."""
    return Crossing(one, other).picture(share, said)


@dataclass(frozen=True, eq=False)
class Crossing:
    """Two pictures of one layout, and which mark of one becomes which of the other: found once for all that lies
    between them."""

    one: Picture
    other: Picture

    def __post_init__(self) -> None:
        if self.one.size != self.other.size:
            raise ValueError(f"pictures of {self.one.size} and {self.other.size} have nothing between them")

    def picture(self, share: float, said: str) -> Picture:
        """What lies at a share of the way, between 0 and 1: what both have goes over evenly, what one has alone fades
        until the half or comes after it, and the sentence changes there."""
        still, moving = (tuple(made for one, other in pairs if (made := _at(one, other, share)) is not None)
                         for pairs in (self._first if share < 0.5 else self._second))
        return replace(self.one if share < 0.5 else self.other, still=still, moving=moving, caption=said,
                       table=Picture((1, 1), ()).table)

    @cached_property
    def _first(self) -> tuple[_Pairs, _Pairs]:
        said = _shared(self.one, self.other)
        return (tuple(_pairs(said(self.one.still), self.other.still)),
                tuple(_pairs(said(self.one.moving), self.other.moving)))

    @cached_property
    def _second(self) -> tuple[_Pairs, _Pairs]:
        said = _shared(self.other, self.one)
        return (tuple((one, other) for other, one in _pairs(said(self.other.still), self.one.still)),
                tuple((one, other) for other, one in _pairs(said(self.other.moving), self.one.moving)))


_Pairs = tuple[tuple[Mark | None, Mark | None], ...]


def _pairs(near: Iterable[Mark], far: Iterable[Mark]) -> Iterator[tuple[Mark, Mark | None]]:
    """Each mark of the nearer picture, in its order, with that of the other one that it becomes, if there is one."""
    waiting: dict[tuple[type, Focus | None, str], list[Mark]] = defaultdict(list)
    for mark in far:
        waiting[_key(mark)].append(mark)
    for marks in waiting.values():
        marks.reverse()
    for mark in near:
        pairs = waiting.get(_key(mark))
        yield mark, pairs.pop() if pairs and not _is_said(mark) else None


def _key(mark: Mark) -> tuple[type, Focus | None, str]:
    """What makes two marks of two pictures the same thing; words are themselves, but for their numbers."""
    return type(mark), mark.focus, re.sub(r"[−+-]?[\d.,]+", "0", mark.plain) if isinstance(mark, Text) else ""


def _is_said(mark: Mark) -> bool:
    return isinstance(mark, Text) and mark.group == SENTENCE


def _shared(near: Picture, far: Picture) -> Callable[[tuple[Mark, ...]], Iterator[Mark]]:
    """Marks of the nearer picture, those of its sentence without the numbers that the other does not say, too."""
    words = [" ".join(mark.plain for mark in picture if isinstance(mark, Text) and _is_said(mark))
             for picture in (near, far)]
    mine, theirs = (NUMBER.findall(each) for each in words)
    alike = NUMBER.sub("0", words[0]) == NUMBER.sub("0", words[1])
    kept = iter([alike and number == other for number, other in zip_longest(mine, theirs)][:len(mine)])

    def without(run: Run) -> Run:
        return replace(run, text=NUMBER.sub(lambda found: found[0] if next(kept, False) else LEFT_OUT, run.text))

    def said(marks: tuple[Mark, ...]) -> Iterator[Mark]:
        for mark in marks:
            yield replace(mark, runs=tuple(map(without, mark.runs))) if isinstance(mark, Text) and _is_said(mark) \
                else mark

    return said


def _at(one: Mark | None, other: Mark | None, share: float) -> Mark | None:
    """What lies between two marks; a mark alone, as far as it has gone or come; nothing for two numbers."""
    if one is None or other is None:
        mark = one or other
        assert mark is not None
        if _is_said(mark):
            return mark
        return None if isinstance(mark, Text) and re.search(r"\d", mark.plain) else _fading(mark, share)
    return _pair(one, other, share)


def _fading(mark: Mark, share: float) -> Mark:
    return changed(mark, opacity=mark.opacity * abs(1 - 2 * share))


def _pair(one: Mark, other: Mark, share: float) -> Mark | None:
    """What lies between two marks; the nearer one, fading, where they are too different; nothing for two numbers."""
    near = one if share < 0.5 else other

    def mix(a: float, b: float) -> float:
        return a + (b - a) * share

    def points(these: Points, those: Points) -> Points:
        return tuple((mix(a, c), mix(b, d)) for (a, b), (c, d) in zip(these, those, strict=True))

    if isinstance(one, Text) and isinstance(other, Text):
        return None if one.plain != other.plain else \
            one if (one.x, one.y) == (other.x, other.y) else changed(near, x=mix(one.x, other.x), y=mix(one.y, other.y))
    if isinstance(one, Image) and isinstance(other, Image):
        if one.values.shape != other.values.shape or one.palette != other.palette:
            return _fading(near, share)
        values = np.rint(one.values + (other.values.astype(np.float32) - one.values) * np.float32(share))
        values = values.astype(np.uint8)
        values.flags.writeable = False
        return changed(near, values=values, x=mix(one.x, other.x), y=mix(one.y, other.y),
                       cell=points((one.cell,), (other.cell,))[0], pitch=points((one.pitch,), (other.pitch,))[0],
                       rows_shown=mix(one.rows_shown, other.rows_shown), opacity=mix(one.opacity, other.opacity))
    if isinstance(one, Rect) and isinstance(other, Rect):
        return one if one == other else changed(
            near, x=mix(one.x, other.x), y=mix(one.y, other.y), width=mix(one.width, other.width),
            height=mix(one.height, other.height), opacity=mix(one.opacity, other.opacity),
            fill=_fill(one.fill, other.fill, share))
    if isinstance(one, Line) and isinstance(other, Line) and len(one.points) == len(other.points):
        return one if one == other else changed(near, points=points(one.points, other.points),
                                                width=mix(one.width, other.width),
                                                opacity=mix(one.opacity, other.opacity))
    if isinstance(one, Path) and isinstance(other, Path) and [*map(len, one.curves)] == [*map(len, other.curves)]:
        return one if one == other else changed(
            near, curves=tuple(map(points, one.curves, other.curves)), opacity=mix(one.opacity, other.opacity))
    return _fading(near, share)


def _fill(one: str, other: str, share: float) -> str:
    """Between two entries of one palette the entry that lies there; else the nearer."""
    these, those = ENTRY.fullmatch(one), ENTRY.fullmatch(other)
    if these is None or those is None or these[1] != those[1]:
        return one if share < 0.5 else other
    return f"{these[1]}:{round(int(these[2]) + (int(those[2]) - int(these[2])) * share)}"
