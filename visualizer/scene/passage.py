"""Passage: a timeline over inputs. One network at one moment, and input after input through it.

Where an input is reached its picture stands as it is. On the way to the next one every value goes over, eased and all
together: nothing was computed there, so no number is printed, and the strip below says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

from visualizer import latent
from visualizer.language import tr
from visualizer.scene.picture import Mark, Picture, Text, plain
from visualizer.scene.reel import EDGE, STRIP, Crossing, reached_at, track, with_strip
from visualizer.scene.timeline import Beat, Moment, Pace, Timeline, ease

MOVE, STAND = Fraction(2, 5), Fraction(3, 5)
"""Seconds from one input to the next, and for which it then stands."""
ON_A_WALK = Fraction(1, 10)
"""Seconds for which a point of a walk stands: the next one is so near that nothing has to go over."""


def pace(word: str) -> tuple[Fraction, Fraction]:
    """Seconds to an input from the one before, and for which it then stands."""
    return (Fraction(0), ON_A_WALK) if word.startswith(latent.MARK) else (MOVE, STAND)


@dataclass(frozen=True, eq=False)
class Passage:
    """Inputs of one network in an order, at one moment."""

    first: int
    """The number of the first one in its list, from 1."""
    words: tuple[str, ...]
    """Each as a recipe names it."""
    seen: Callable[[int, tuple[int, int]], Picture]
    """What is seen of one of them, from 0, in so many pixels."""
    shape: Callable[[int], object]
    """The shapes of all that was recorded of one: equal ones go over into each other, others fade."""
    said: Callable[[int], str]
    """Which one it is, how it is labelled and what is answered."""
    beat: Beat
    """The one at which they are looked at."""

    @cached_property
    def times(self) -> Timeline:
        """A beat for each input: the way to it, and its end, at which it stands as it is."""
        beat = replace(self.beat, acts=(), quick=False)
        return Timeline(tuple(replace(beat, of=str(self.first + index)) for index in range(self.count)),
                        lambda moment: Pace(pace(self.words[moment.index])[0] if moment.index else Fraction(0),
                                               pace(self.words[moment.index])[1]))

    @property
    def count(self) -> int:
        return len(self.words)

    def nearest(self, moment: Moment) -> int:
        """Which input is the nearest to a moment of it, from 0."""
        return max(moment.index - (moment.phase < 0.5), 0)

    def word_at(self, moment: Moment) -> str:
        """The input that is the nearest to a moment of it."""
        return self.words[self.nearest(moment)]

    def picture(self, moment: Moment, size: tuple[int, int], scale: float = 1.0) -> Picture:
        """What is seen at a moment of it, with the strip below, in so many pixels; `scale` is that of the strip."""
        inside = size[0], max(size[1] - round(STRIP * scale), 1)
        here = self._inside(moment, inside)
        return with_strip(here, self._strip, moment, size, scale)

    def _inside(self, moment: Moment, size: tuple[int, int]) -> Picture:
        index = moment.index
        if index == 0 or moment.phase == 1:
            return self._standing(index, size)
        if moment.phase == 0:
            return self._standing(index - 1, size)
        return crossed(self._crossing(index, size), moment.phase)

    def _standing(self, index: int, size: tuple[int, int]) -> Picture:
        if (index, size) not in self._kept:
            while len(self._kept) > 1:  # two are in the air at a time, of inputs that may be many
                del self._kept[next(iter(self._kept))]
            self._kept[index, size] = self.seen(index, size)
        return self._kept[index, size]

    def _crossing(self, index: int, size: tuple[int, int]) -> Crossing:
        if (index, size) not in self._crossings:
            self._crossings.clear()
            before, here = self._standing(index - 1, size), self._standing(index, size)
            self._crossings[index, size] = Crossing(before, here, self.shape(index - 1) == self.shape(index))
        return self._crossings[index, size]

    @cached_property
    def _kept(self) -> dict[tuple[int, tuple[int, int]], Picture]:
        return {}

    @cached_property
    def _crossings(self) -> dict[tuple[int, tuple[int, int]], Crossing]:
        return {}

    def _strip(self, moment: Moment, size: tuple[int, int]) -> list[Mark]:
        """A line over all inputs, where on it one is, and which one that is."""
        standing = moment.index == 0 or moment.phase in (0, 1)
        words = self.said(moment.index - (moment.phase == 0 and moment.index > 0)) if standing else \
            tr("on the way to the next input: values in between")
        return [*track(size, reached_at(moment), self.count),
                Text(EDGE, size[1] - 10, plain(words), 12, 500, "ink" if standing else "ink-2",
                     max_width=size[0] - 2 * EDGE)]


def crossed(crossing: Crossing, phase: float) -> Picture:
    """What is seen between two inputs, so far on the way: the same in the window, in a film and in a file."""
    return crossing.picture(ease(phase), tr("On the way from one input to the next: every value goes over evenly from "
                                            "the old one to the new one, and numbers stand only at both ends."))
