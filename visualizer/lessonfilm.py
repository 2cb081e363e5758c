"""A lesson as a film: its slides one after the other, each as long as the lesson says, with its sentences as captions
beside the file (WebVTT). What a step shows is played on the way there, then it stands to be read; a reveal plays what
was measured. Every slide is the one that a room sees, and every number on it was measured."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property, partial
from math import ceil
from pathlib import Path

from visualizer import handout, registry, sight
from visualizer.claims import Number
from visualizer.export.film import Film, Told, save
from visualizer.language import speaking
from visualizer.lesson import Lesson, page, way
from visualizer.lesson.page import Page
from visualizer.lesson.progress import Progress, forward
from visualizer.lesson.way import Way
from visualizer.scene import projector
from visualizer.scene.picture import Look, Picture
from visualizer.scene.state import Place, State, moment_of
from visualizer.scene.timeline import Beat, Moment
from visualizer.trace import Trace

LEAST = 4
"""Seconds: no slide stands shorter."""
FPS = Fraction(12)
"""Frames a second: enough for what moves, and most of the time nothing does."""
KEY_SECONDS = 10
"""A slide stands: a whole picture every other second would be most of the file."""
READ, GLANCE = Fraction(15), Fraction(3, 2)
"""Characters that are read in a second, as subtitles for grown-ups have them, and seconds that no sentence is shorter.
"""


@dataclass(frozen=True, eq=False)
class Slide:
    """What is seen for a while."""

    page: Page
    planned: int
    """Seconds that the lesson has for it."""
    way: Way | None = None
    """What is played first; None where nothing moves."""

    @property
    def moves(self) -> Fraction:
        """Seconds."""
        return Fraction(0) if self.way is None else min(self.way.seconds, Fraction(self.planned, 2))

    @cached_property
    def said(self) -> tuple[str, ...]:
        """What it says, sentence by sentence."""
        with speaking(self.page.lesson.language):
            return sentences(self.page)

    @cached_property
    def seconds(self) -> Fraction:
        """As long as the lesson has for it, longer where its sentences cannot be read so fast."""
        return max(Fraction(self.planned), self.moves + sum(map(reading_time, self.said)))


def reading_time(sentence: str) -> Fraction:
    """Seconds in which a sentence is read."""
    return max(GLANCE, len(sentence) / READ)


def slides(lesson: Lesson, found: Mapping[str, Number], record: handout.Record, look: Look) -> tuple[Slide, ...]:
    """Every step, what is asked before what was found; a step with a question shares its time between both."""
    made: list[Slide] = []
    at, before = Progress(lesson.name), None
    while not at.ended:
        asks = lesson.steps[at.step].question is not None
        seconds = max(lesson.pace[at.step] // (2 if asks else 1), LEAST)
        here = handout.shown_state(lesson, at.step, at.revealed, look)
        made.append(Slide(Page(lesson, at, found), seconds, _way(here, before, record, at.revealed)))
        before = here if lesson.steps[at.step].shown.places else before
        at = forward(at, lesson)
    return tuple(made)


def _way(here: State, before: State | None, record: handout.Record, revealed: bool) -> Way | None:
    """From where one stood before, if that is earlier in the same recording, else the beat that is looked at; nothing
    where the same moment is still looked at, and another part of it or a question about it."""
    if here.compare or here.reel or len(here.places) > 1:
        return None
    trace = record(here.recipe, here.view)
    times = sight.times(trace, here)
    moment = moment_of(here, times)
    if before is None or before.recipe != here.recipe or before.compare or before.reel:
        return way.to(times, moment)
    former = sight.moment_of(trace, before)
    if not revealed and before.view == here.view and former.address == moment.address:
        return None
    return way.to(times, moment, times.nearest(former.address)
                  if sight.suiting(here.view, trace).continuous else None)


@dataclass(frozen=True, eq=False)
class LessonFilm(Film):
    """A film whose frames are slides."""

    slides: tuple[Slide, ...] = ()
    record: handout.Record | None = None

    @cached_property
    def count(self) -> int:
        return self._begins[-1]

    @property
    def key_seconds(self) -> int:
        return KEY_SECONDS

    @cached_property
    def _begins(self) -> tuple[int, ...]:
        """The frame with which each slide begins, and at last how many there are."""
        found = [0]
        for each in self.slides:
            found.append(found[-1] + max(1, ceil(each.seconds * self.fps / self.speed)))
        return tuple(found)

    @cached_property
    def starts(self) -> tuple[Fraction, ...]:
        """The second of the film at which each slide comes, and at last its end."""
        return tuple(frames / self.fps for frames in self._begins)

    def moment(self, frame: int) -> Moment:
        """Which slide, and how far its way has come: 1 where it stands."""
        index = min(bisect_right(self._begins, frame), len(self.slides)) - 1
        moves = round(self.slides[index].moves * self.fps / self.speed)
        passed = frame - self._begins[index]
        return Moment(Beat(f"slide {index + 1}"), passed / moves if passed < moves else 1.0, index)

    def picture(self, frame: int) -> Picture:
        here = self.moment(frame)
        each = self.slides[here.index]
        with speaking(each.page.lesson.language):
            return page.slide(each.page, projector.look_for(self.look, self.look.size),
                              partial(self._shown, each, None if each.way is None else each.way.at(here.phase)),
                              partial(self._extent, here.index))

    def _shown(self, each: Slide, moment: Moment | None, laid: Look) -> Picture:
        """What is looked at in a slide, at a moment of its way."""
        assert self.record is not None
        it, at = each.page.lesson, each.page.progress
        return handout.drawn(it, at.step, self.record, laid.size, at.revealed, replace(laid, language=it.language),
                             "" if moment is None or each.way is None or moment == each.way.here else moment.address)

    def _extent(self, index: int, laid: Look) -> page.Extent:
        """What all of its way needs."""
        each = self.slides[index]
        if each.way is None:
            return ()
        if (index, laid) not in self._extents:
            self._extents[index, laid] = page.extent(self._shown(each, moment, laid) for moment in each.way.parts())
        return self._extents[index, laid]

    @cached_property
    def _extents(self) -> dict[tuple[int, Look], page.Extent]:
        return {}


def film(lesson: Lesson, record: handout.Record, found: Mapping[str, Number], size: tuple[int, int] = (1920, 1080),
         speed: Fraction = Fraction(1)) -> LessonFilm:
    """The film of a lesson in so many pixels; raises what recording raises."""
    with speaking(lesson.language):
        state = State(places=(lesson.places[0] if lesson.places else Place(),))
        trace: Trace = record(state.recipe, "")
        made = slides(lesson, found, record, projector.look_for(Look(size), size))
        return LessonFilm(trace, look=Look(size), fps=FPS, speed=speed, reel=("lesson",), slides=made, record=record)


def write(made: LessonFilm, path: Path, told: Told = lambda done, of: None) -> tuple[Path, Path]:
    """Write the film and its captions beside it; where both are."""
    save(made, path, told)
    beside = path.with_suffix(".vtt")
    registry.write_whole(beside, captions(made).encode())
    return path, beside


# --- captions -------------------------------------------------------------------------------------------------------

def captions(made: LessonFilm) -> str:
    """The sentences of each slide as WebVTT."""
    cues = [f"{_clock(start)} --> {_clock(end)}\n{_escaped(said)}" for start, end, said in cued(made)]
    return "WEBVTT\n\n" + "\n\n".join(cues) + "\n"


def cued(made: LessonFilm) -> Iterator[tuple[Fraction, Fraction, str]]:
    """(from which second, to which, sentence): each as long as it takes to be read; the first one as long again as
    something moves, and what is left of the time is shared by their length."""
    for index, each in enumerate(made.slides):
        begin, end = made.starts[index], made.starts[index + 1]
        times = [reading_time(sentence) for sentence in each.said]
        needed = each.moves + sum(times)
        spare = max(Fraction(0), each.seconds - needed) / sum(times)
        lasts = [time * (1 + spare) + (each.moves if not number else 0) for number, time in enumerate(times)]
        done, whole = Fraction(0), sum(lasts)
        for sentence, time in zip(each.said, lasts, strict=True):
            start = begin + (end - begin) * done / whole
            done += time
            yield start, begin + (end - begin) * done / whole, sentence


def sentences(shown: Page) -> tuple[str, ...]:
    """What a slide says, sentence by sentence: what is told and asked, or what was found."""
    step = shown.step
    if shown.progress.revealed:
        told = [*map(shown.bare, step.reveal)]
    else:
        told = [*map(shown.bare, shown.lesson.text if not shown.progress.step else ()), *map(shown.bare, step.text)]
        if step.question is not None:
            told += [shown.bare(step.question.words),
                     *(f"{number}: {shown.bare(answer.words)}"
                       for number, answer in enumerate(step.question.answers, 1))]
    found = [part for words in told for part in re.split(r"(?<=[.?!]) +(?=[A-ZÀ-Þ“„«¿¡])", words) if part]
    return tuple(found) or (step.title,)


def _clock(seconds: Fraction) -> str:
    """`00:01:05.500`."""
    thousandths = round(seconds * 1000)
    whole, rest = divmod(thousandths, 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}.{rest:03}"


def _escaped(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
