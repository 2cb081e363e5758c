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

from visualizer.language import counted_as, tr
from visualizer.scene import numbers
from visualizer.scene.picture import (
    SENTENCE,
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
from visualizer.scene.recipe import AFTER, BEFORE, is_of_run
from visualizer.scene.timeline import Moment, Pace, Timeline, timeline
from visualizer.trace import Refused, Trace

FADE, HOLD = Fraction(2), Fraction(1)
"""Seconds from one recording to the next, and for which it then stands."""
CUT = Fraction(2, 5)
"""Seconds for which each checkpoint of a training stands: of these nothing is shown but what was stored."""
STRIP = 44
"""Pixels below the picture, in which it is said where in the reel one is."""
EDGE, APART = 24.0, 8.0

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
        pace = Pace(CUT, Fraction(0)) if self.cuts else Pace(FADE, HOLD)
        return Timeline(tuple(replace(beat, of=name) for name in self.names), lambda moment: pace,
                        replace(beat, of=self.names[-1]).address, timeline(self.recordings[-1]))

    @property
    def cuts(self) -> bool:
        """Whether one recording gives way to the next at once: between checkpoints of a training nothing is drawn."""
        return is_of_run(self.names)

    def nearest(self, moment: Moment) -> int:
        """Which recording is the nearest to a moment of the reel, or the last that was reached where it cuts."""
        return max(moment.index - (moment.phase < (1 if self.cuts else 0.5)), 0)

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
        if self.cuts:
            here = seen(self.recordings[self.nearest(moment)], self.moment, inside)
            return with_strip(here, self._strip, moment, size, scale)
        index = moment.index
        here = seen(self.recordings[index], self.moment, inside)
        if index and moment.phase < 1:
            before = seen(self.recordings[index - 1], self.moment, inside)
            here = between(before, here, moment.phase, self._said(index, moment.phase)) if moment.phase else before
        return with_strip(here, self._strip, moment, size, scale)

    def _said(self, index: int, share: float) -> str:
        said = tr("Between {one} and {other}, {share} of the way: colours and lengths go over evenly, and numbers "
                  "stand only where they were computed, at both ends.")
        return said.format(one=self.title(index - 1), other=self.title(index), share=numbers.percent(share, 0))

    def _strip(self, moment: Moment, size: tuple[int, int]) -> list[Mark]:
        """A line with a dot for each recording, where one is on it, and what that is called."""
        (wide, high), last = size, len(self.names) - 1
        reached = reached_at(moment)
        marks = track(size, reached, len(self.names))
        marks.append(Text(EDGE, high - 10, plain(self.title(0)), 12, 600 if reached == 0 else 400, "ink-2",
                          max_width=wide * 0.28))
        marks.append(Text(wide - EDGE, high - 10, plain(self.title(last)), 12, 600 if reached == last else 400,
                          "ink-2", "end", max_width=wide * 0.28))
        if self.cuts:
            said = "" if self.nearest(moment) in (0, last) else self.title(self.nearest(moment))
        elif moment.index and moment.phase < 1:
            said = tr("in between: interpolated, {share}").format(share=numbers.percent(moment.phase, 0))
        else:
            said = "" if reached in (0, last) else self.title(moment.index)
        if said:
            marks.append(Text(wide / 2, high - 10, plain(said), 12, 400, "ink", "middle", max_width=wide * 0.38))
        return marks


def with_strip(here: Picture, strip: Callable[[Moment, tuple[int, int]], list[Mark]], moment: Moment,
               size: tuple[int, int], scale: float) -> Picture:
    """A picture with a strip below it, drawn `scale` times as large as it is laid out."""
    laid_out = round(size[0] / scale), round(size[1] / scale)
    below = Picture(laid_out, tuple(strip(moment, laid_out))).scaled(scale, size)
    return replace(here, size=size, still=(*here.still, *below.still))


def reached_at(moment: Moment) -> float:
    """How many recordings lie behind a moment of a reel."""
    return moment.index if moment.index == 0 else moment.index - 1 + moment.phase


def track(size: tuple[int, int], reached: float, count: int) -> list[Mark]:
    """The line of a strip, with a dot for each recording where there is room for them, and where on it one is."""
    wide, high = size
    level, last = high - STRIP + 14.0, max(1, count - 1)
    room = wide - 2 * EDGE
    marks: list[Mark] = [Line(((0, high - STRIP), (wide, high - STRIP)), "hair"),
                         Line(((EDGE, level), (wide - EDGE, level)), "ink-2")]
    if room / last >= APART:
        marks += [Rect(EDGE + room * index / last - 3, level - 3, 6, 6, "ink-2", radius=3) for index in range(count)]
    return [*marks, Rect(EDGE + room * reached / last - 5, level - 5, 10, 10, "accent", radius=5)]


def is_between(moment: Moment) -> bool:
    """Whether it lies between two recordings of a reel, where nothing was computed."""
    return bool(moment.beat.of) and moment.index > 0 and 0 < moment.phase < 1 and not moment.beat.of.isdecimal()


def title_of(name: str) -> str:
    """What a recording of a reel is called where a person reads it."""
    if name.isdecimal():
        count = numbers.count(int(name))
        return counted_as(int(name), tr("after {count} update"), tr("after {count} updates")).format(count=count)
    return {BEFORE: tr("before training"), AFTER: tr("after training")}.get(name) or PurePath(name).stem


# --- between two pictures -------------------------------------------------------------------------------------------

NUMBER = re.compile(r"(?<!\w)[−+-]?\d+(?:[.,]\d+)*(?!\w)")
"""A number that stands by itself, as none does in `conv2`."""
MEASURED = re.compile(r"[−+-]?\d[\d,]*(?:\.\d+(?: ?%)?| ?%)(?: × 10\S+)?")
"""What is a measured number and nothing else: `0.48`, `12 %`."""
OVERLAP = 0.7
"""The share of the way in which a picture of another layout goes, or comes."""
DOT = 12.0
"""Pixels: what is no larger is a point of a curve, which goes up and down with it."""
NEAR = 8.0
"""Pixels within which words still stand at the same place."""
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
    alike: bool = True
    """Whether both are of recordings of one shape, so that everything stands at the same place; else nothing goes over
    into another thing: what both have stays, and all else fades."""

    def __post_init__(self) -> None:
        if self.one.size != self.other.size:
            raise ValueError(f"pictures of {self.one.size} and {self.other.size} have nothing between them")

    def picture(self, share: float, said: str) -> Picture:
        """What lies at a share of the way, between 0 and 1: what both have goes over evenly, what one has alone fades
        until the half or comes after it, and the sentence changes there."""
        if not self.alike:
            return self._cross_faded(share, said)
        still, moving = (tuple(made for one, other in pairs
                               if (made := self._at(one, other, share)) is not None)
                         for pairs in (self._first if share < 0.5 else self._second))
        return replace(self.one if share < 0.5 else self.other, still=still, moving=moving, caption=said,
                       table=Picture((1, 1), ()).table)

    def _cross_faded(self, share: float, said: str) -> Picture:
        """Of two layouts: one goes while the other comes, for a while both are seen; what is the same in both stays."""
        near, marks = (self.one, self.other)[share >= 0.5], []
        for pairs, opacity, own in ((self._first, 1 - share / OVERLAP, share < 0.5),
                                    (self._second, 1 - (1 - share) / OVERLAP, share >= 0.5)):
            for one, other in (pair for part in pairs for pair in part):
                mark = one or other
                assert mark is not None
                if _is_said(mark) or one is other:
                    shown = own and not (isinstance(mark, Text) and MEASURED.fullmatch(mark.plain.strip()))
                    marks += [mark] if shown else []
                elif opacity > 0 and not (isinstance(mark, Text) and re.search(r"\d", mark.plain)):
                    marks.append(changed(mark, opacity=mark.opacity * opacity))
        return replace(near, still=(), moving=tuple(marks), caption=said, table=Picture((1, 1), ()).table)

    @cached_property
    def _tracks(self) -> frozenset[tuple[float, float, float]]:
        """Left, top and height of what is long enough to be the track of a bar."""
        return frozenset((mark.x, mark.y, mark.height) for picture in (self.one, self.other) for mark in picture
                         if isinstance(mark, Rect) and mark.focus is not None)

    @cached_property
    def _first(self) -> tuple[_Pairs, _Pairs]:
        said = _shared(self.one, self.other)
        return (tuple(self._pairs(said(self.one.still), self.other.still)),
                tuple(self._pairs(said(self.one.moving), self.other.moving)))

    @cached_property
    def _second(self) -> tuple[_Pairs, _Pairs]:
        said = _shared(self.other, self.one)
        return (tuple((one, other) for other, one in self._pairs(said(self.other.still), self.one.still)),
                tuple((one, other) for other, one in self._pairs(said(self.other.moving), self.one.moving)))

    def _pairs(self, near: Iterable[Mark], far: Iterable[Mark]) -> Iterator[tuple[Mark | None, Mark | None]]:
        """Each mark of the nearer picture, in its order, with that of the other one that it becomes, if there is one;
        then what of the other one is there from the beginning to the end."""
        near = list(near)
        key = _key if self.alike else _place
        waiting: dict[tuple[object, ...], dict[int, Mark]] = defaultdict(dict)
        corners: dict[tuple[object, ...], list[Mark]] = defaultdict(list)
        for mark in far:
            waiting[key(mark)][id(mark)] = mark
            for corner in _corners(mark):
                corners[key(mark), corner].append(mark)
        anchored: dict[int, Mark] = {}
        for mark in near:  # a bar first of all with that which stands at the same end
            left = waiting.get(key(mark), {})
            at_end = (other for corner in _corners(mark) for other in corners[key(mark), corner] if id(other) in left)
            if (found := next(at_end, None)) is not None:
                anchored[id(mark)] = left.pop(id(found))
        for mark in near:
            others = waiting.get(key(mark))
            partner = anchored.get(id(mark)) or (others.pop(next(iter(others))) if others and not _is_said(mark)
                                                 else None)
            if partner == mark:
                yield mark, mark  # the very same, so that nobody compares them again in each frame
            else:
                yield mark, partner if self.alike else None
        for others in waiting.values() if self.alike else ():
            yield from ((None, mark) for mark in others.values() if self._is_bar(mark))

    def _at(self, one: Mark | None, other: Mark | None, share: float) -> Mark | None:
        """What lies between two marks; a mark alone, as far as it has gone or come; nothing for two numbers."""
        if one is other and not isinstance(one, Text):
            return one
        mark = one or other
        assert mark is not None
        if one is not None and other is not None:
            return _pair(one, other, share)
        if _is_said(mark):
            return mark
        if self._is_bar(mark):
            assert isinstance(mark, Rect)
            return changed(mark, width=mark.width * (share if one is None else 1 - share))
        return None if isinstance(mark, Text) and re.search(r"\d", mark.plain) else _fading(mark, share)

    def _is_bar(self, mark: Mark) -> bool:
        """Whether it shows a value by its length, on a track: it goes down to nothing, it does not fade."""
        return isinstance(mark, Rect) and mark.focus is None and (mark.x, mark.y, mark.height) in self._tracks


_Pairs = tuple[tuple[Mark | None, Mark | None], ...]


def _key(mark: Mark) -> tuple[object, ...]:
    """What makes two marks of two pictures the same thing; words are themselves where they stand, but for their
    numbers."""
    if isinstance(mark, Text):
        return Text, mark.focus, re.sub(r"[−+-]?[\d.,]+", "0", mark.plain), round(mark.x / NEAR), round(mark.y / NEAR)
    return type(mark), mark.focus


def _place(mark: Mark) -> tuple[object, ...]:
    """Where a mark stands."""
    if isinstance(mark, Text):
        return Text, mark.x, mark.y, mark.plain
    return type(mark), mark.focus, mark.points if isinstance(mark, Line) else mark.curves if isinstance(mark, Path) \
        else (mark.x, mark.y)


def _corners(mark: Mark) -> Iterator[tuple[int, int]]:
    """Where a bar may be fixed while its other end moves."""
    if isinstance(mark, Rect):
        for x in (mark.x, mark.x + mark.width):
            for y in (mark.y, mark.y + mark.height):
                yield round(x), round(y)


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


def _fading(mark: Mark, share: float) -> Mark:
    return changed(mark, opacity=mark.opacity * abs(1 - 2 * share))


def _pair(one: Mark, other: Mark, share: float) -> Mark | None:
    """What lies between two marks; the nearer one, fading, where they are too different; nothing for two numbers."""
    near = one if share < 0.5 else other

    def mix(a: float, b: float) -> float:
        return a + (b - a) * share

    def points(these: Points, those: Points) -> Points:
        if these == those:
            return these
        return tuple((mix(a, c), mix(b, d)) for (a, b), (c, d) in zip(these, those, strict=True))

    if isinstance(one, Text) and isinstance(other, Text):
        if one.plain != other.plain or MEASURED.fullmatch(one.plain.strip()):
            return None
        return near if one is other else changed(near, x=mix(one.x, other.x), y=mix(one.y, other.y))
    if isinstance(one, Image) and isinstance(other, Image):
        if one.values.shape != other.values.shape or one.palette != other.palette:
            return _fading(near, share)
        values = np.rint(one.values + (other.values.astype(np.float32) - one.values) * np.float32(share))
        values = values.astype(np.uint8)
        values.flags.writeable = False
        return changed(near, values=values, x=mix(one.x, other.x), y=mix(one.y, other.y),
                       cell=points((one.cell,), (other.cell,))[0], pitch=points((one.pitch,), (other.pitch,))[0],
                       rows_shown=mix(one.rows_shown, other.rows_shown), opacity=mix(one.opacity, other.opacity))
    if _travels(one, other):
        return _fading(near, share)
    if isinstance(one, Rect) and isinstance(other, Rect):
        return changed(
            near, x=mix(one.x, other.x), y=mix(one.y, other.y), width=mix(one.width, other.width),
            height=mix(one.height, other.height), opacity=mix(one.opacity, other.opacity),
            fill=_fill(one.fill, other.fill, share))
    if isinstance(one, Line) and isinstance(other, Line) and len(one.points) == len(other.points):
        return changed(near, points=points(one.points, other.points), width=mix(one.width, other.width),
                       opacity=mix(one.opacity, other.opacity))
    if isinstance(one, Path) and isinstance(other, Path) and [*map(len, one.curves)] == [*map(len, other.curves)]:
        return changed(
            near, curves=tuple(map(points, one.curves, other.curves)), opacity=mix(one.opacity, other.opacity))
    return _fading(near, share)


def _travels(one: Mark, other: Mark) -> bool:
    """Whether it points at another thing now: a frame around another place, a curve to another end."""
    if isinstance(one, Rect) and isinstance(other, Rect):
        apart = abs(one.x - other.x), abs(one.y - other.y)
        if not one.fill and not other.fill:
            return max(apart) > NEAR
        touches = apart[0] <= max(one.width, other.width) and apart[1] <= max(one.height, other.height)
        return not touches and not (apart[0] <= 1 and max(one.width, one.height) <= DOT)
    if isinstance(one, Path) and isinstance(other, Path) and not one.fill and not other.fill:
        ends = ((curve[at], end[at]) for curve, end in zip(one.curves, other.curves, strict=False) for at in (0, -1))
        return any(abs(a - c) > NEAR or abs(b - d) > NEAR for (a, b), (c, d) in ends)
    return False


def _fill(one: str, other: str, share: float) -> str:
    """Between two entries of one palette the entry that lies there; else the nearer."""
    these, those = ENTRY.fullmatch(one), ENTRY.fullmatch(other)
    if these is None or those is None or these[1] != those[1]:
        return one if share < 0.5 else other
    return f"{these[1]}:{round(int(these[2]) + (int(those[2]) - int(these[2])) * share)}"
