"""A lesson as a film: its slides one after the other, each as long as the lesson says, with its sentences as captions
beside the file (WebVTT). Every slide is the one that a room sees, and every number on it was measured."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from pathlib import Path

from visualizer import handout, registry
from visualizer.claims import Number
from visualizer.export.film import Film, Told, save
from visualizer.language import speaking
from visualizer.lesson import Lesson, page
from visualizer.lesson.page import Page
from visualizer.lesson.progress import Progress, forward
from visualizer.scene import projector
from visualizer.scene.picture import Look, Picture
from visualizer.scene.state import Place, State
from visualizer.scene.timeline import Beat, Moment
from visualizer.trace import Trace

LEAST = 4
"""Seconds: no slide stands shorter."""
FPS = Fraction(2)
"""Frames a second: a slide stands still."""


@dataclass(frozen=True)
class Slide:
    """What is seen for a while."""

    page: Page
    seconds: int


def slides(lesson: Lesson, found: Mapping[str, Number]) -> tuple[Slide, ...]:
    """Every step, what is asked before what was found; a step with a question shares its time between both."""
    made: list[Slide] = []
    at = Progress(lesson.name)
    while not at.ended:
        asks = lesson.steps[at.step].question is not None
        seconds = lesson.pace[at.step] // (2 if asks else 1)
        made.append(Slide(Page(lesson, at, found), max(seconds, LEAST)))
        at = forward(at, lesson)
    return tuple(made)


@dataclass(frozen=True, eq=False)
class LessonFilm(Film):
    """A film whose frames are slides."""

    slides: tuple[Slide, ...] = ()
    record: handout.Record | None = None

    @cached_property
    def count(self) -> int:
        return sum(self._frames)

    @cached_property
    def _frames(self) -> tuple[int, ...]:
        return tuple(max(1, round(each.seconds * self.fps / self.speed)) for each in self.slides)

    @cached_property
    def starts(self) -> tuple[Fraction, ...]:
        """The second of the film at which each slide comes, and at last its end."""
        found = [0]
        for frames in self._frames:
            found.append(found[-1] + frames)
        return tuple(frames / self.fps for frames in found)

    def moment(self, frame: int) -> Moment:
        index = max(place for place, start in enumerate(self.starts[:-1]) if start * self.fps <= frame)
        return Moment(Beat(f"slide {index + 1}"), 1.0, index)

    def picture(self, frame: int) -> Picture:
        shown, record = self.slides[self.moment(frame).index].page, self.record
        assert record is not None

        def inner(size: tuple[int, int]) -> Picture:
            look = replace(projector.look_for(self.look, size), language=shown.lesson.language)
            return handout.drawn(shown.lesson, shown.progress.step, record, size, shown.progress.revealed, look)

        with speaking(shown.lesson.language):
            return page.slide(shown, projector.look_for(self.look, self.look.size), inner)


def film(lesson: Lesson, record: handout.Record, found: Mapping[str, Number], size: tuple[int, int] = (1920, 1080),
         speed: Fraction = Fraction(1)) -> LessonFilm:
    """The film of a lesson in so many pixels; raises what recording raises."""
    with speaking(lesson.language):
        state = State(places=(lesson.places[0] if lesson.places else Place(),))
        trace: Trace = record(state.recipe, "")
        return LessonFilm(trace, look=Look(size), fps=FPS, speed=speed, reel=("lesson",), slides=slides(lesson, found),
                          record=record)


def write(made: LessonFilm, path: Path, told: Told = lambda done, of: None) -> tuple[Path, Path]:
    """Write the film and its captions beside it; where both are."""
    save(made, path, told)
    beside = path.with_suffix(".vtt")
    registry.write_whole(beside, captions(made).encode())
    return path, beside


# --- captions -------------------------------------------------------------------------------------------------------

def captions(made: LessonFilm) -> str:
    """The sentences of each slide as WebVTT: those of one share its time by their length."""
    cues = [f"{_clock(start)} --> {_clock(end)}\n{_escaped(said)}" for start, end, said in cued(made)]
    return "WEBVTT\n\n" + "\n\n".join(cues) + "\n"


def cued(made: LessonFilm) -> Iterator[tuple[Fraction, Fraction, str]]:
    """(from which second, to which, sentence)."""
    for index, each in enumerate(made.slides):
        start, end = made.starts[index], made.starts[index + 1]
        with speaking(each.page.lesson.language):
            said = sentences(each.page)
        whole = sum(map(len, said))
        done = 0
        for sentence in said:
            begin = start + (end - start) * Fraction(done, whole)
            done += len(sentence)
            yield begin, start + (end - start) * Fraction(done, whole), sentence


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
                       for number, answer in enumerate(step.question.offered, 1))]
    found = [part for words in told for part in re.split(r"(?<=[.?!]) +(?=[A-ZÄÖÜ“„])", words) if part]
    return tuple(found) or (step.title,)


def _clock(seconds: Fraction) -> str:
    """`00:01:05.500`."""
    thousandths = round(seconds * 1000)
    whole, rest = divmod(thousandths, 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}.{rest:03}"


def _escaped(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
