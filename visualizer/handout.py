"""Handout: a lesson on paper. What is shown stands there as drawn, questions have boxes to tick and no answers; these
follow on pages of their own where they are wished. A page is a Picture, so it is tested without a printer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import visualizer
from visualizer import claims, comparison, export, registry, sight
from visualizer.claims import Number
from visualizer.language import speaking, tr, translated
from visualizer.lesson import TITLES, Lesson, Quantity, Shown, Step, bare, filled, state_of
from visualizer.lesson.page import lines as _lines
from visualizer.scene.figures import moved
from visualizer.scene.picture import Line, Look, Mark, Picture, Rect, Text, literal, plain, rich
from visualizer.scene.recipe import Recipe, reeled
from visualizer.scene.state import Place, State, as_it_was, changed, to_place
from visualizer.scene.type import width
from visualizer.trace import Trace

Record = Callable[[Recipe, str], Trace]
"""(recipe, name of a view) -> the recording, with what the view shows beyond it."""
PAPERS = {"a4": (210.0, 297.0), "letter": (215.9, 279.4)}
"""Millimetres."""
LAID_OUT = {"a4": (1104, 470), "letter": (1104, 420)}
"""Pixels in which a picture is laid out: two questions with theirs fit on a page, and the smallest letters come out at
5 points."""
PIXELS = 96 / 25.4
"""Of a page, for each millimetre."""
MARGIN, FOOT = 16 * PIXELS, 7 * PIXELS
SIZE, LEADING = 13.0, 18.5
"""Of the words."""
GAP = 16.0
NONE: Mapping[str, Number] = MappingProxyType({})


@dataclass(frozen=True)
class _Block:
    """What stays together on one page."""

    marks: tuple[Mark, ...]
    high: float


def save(lessons: Sequence[Lesson], path: Path, record: Record, *, paper: str = "a4", answers: bool = False,
         numbers: Mapping[str, Number] = NONE) -> int:
    """Write a handout of some lessons as one PDF, and say how many pages it has; raises what recording raises, and
    NotWritten."""
    found = [page for lesson in lessons for page in pages(lesson, record, paper, answers, numbers)]
    registry.write_whole(path, registry.module("export.pdf").pages(found, PAPERS[paper]))
    return len(found)


def pages(lesson: Lesson, record: Record, paper: str = "a4", answers: bool = False,
          numbers: Mapping[str, Number] = NONE) -> tuple[Picture, ...]:
    """The pages of one lesson; its answers, where they are wished, begin on a page of their own."""
    with speaking(lesson.language):
        wide, high = (length * PIXELS for length in PAPERS[paper])
        room = wide - 2 * MARGIN
        made = list(_filled([_head(lesson, room), *_steps(lesson, record, room, LAID_OUT[paper], numbers)], high))
        if answers:
            made += _filled([_answers_head(lesson, room), *_answers(lesson, room, numbers)], high)
        return tuple(_page(lesson, marks, (round(wide), round(high)), number, len(made))
                     for number, marks in enumerate(made, 1))


# --- pages ----------------------------------------------------------------------------------------------------------

def _filled(blocks: Sequence[_Block], high: float) -> Iterator[list[Mark]]:
    """Blocks below each other, as many as a page has room for."""
    page, y = list[Mark](), MARGIN
    for block in blocks:
        if page and y + block.high > high - MARGIN - FOOT:
            yield page
            page, y = [], MARGIN
        page += [moved(mark, MARGIN, y) for mark in block.marks]
        y += block.high + GAP
    yield page


def _page(lesson: Lesson, marks: Sequence[Mark], size: tuple[int, int], number: int, count: int) -> Picture:
    y = size[1] - MARGIN + FOOT / 2
    foot = tr("{title}  ·  Visualizer {version}").format(title=lesson.title, version=visualizer.__version__)
    place = tr("page {number} of {count}").format(number=number, count=count)
    marks = [*marks, Line(((MARGIN, y - 18), (size[0] - MARGIN, y - 18)), "hair"),
             Text(MARGIN, y, plain(foot), 10, 400, "ink-2"),
             Text(size[0] - MARGIN, y, plain(place), 10, 400, "ink-2", "end")]
    said = tr("{title}, page {number} of {count}").format(title=lesson.title, number=number, count=count)
    return Picture(size, tuple(marks), (), "light", caption=said)


def _head(lesson: Lesson, room: float) -> _Block:
    kind = translated(TITLES[lesson.genre])
    over = tr("{kind} {number}").format(kind=kind, number=lesson.number) if lesson.number else kind
    over += f"  ·  {lesson.chapter}" if lesson.chapter else ""
    marks: list[Mark] = [Text(0, 12, plain(over), 12, 600, "accent-ink")]
    y = _lines(marks, literal(lesson.title), 42, room, 27, 32, 600)
    if lesson.goal:
        y = _lines(marks, literal(lesson.goal), y + 4, room, SIZE, LEADING, 500, "ink-2")
    y += 18
    for x, words in ((0.0, tr("Name")), (room * 0.62, tr("Date"))):
        marks.append(Text(x, y, plain(words), 11, 400, "ink-2"))
        end = room * 0.58 if not x else room
        marks.append(Line(((x + 44, y + 2), (end, y + 2)), "rule"))
    y += 22
    for words in lesson.text:
        y = _lines(marks, bare(words), y, room, SIZE, LEADING)
    return _Block(tuple(marks), y)


# --- steps ----------------------------------------------------------------------------------------------------------

def _steps(lesson: Lesson, record: Record, room: float, size: tuple[int, int],
           numbers: Mapping[str, Number]) -> Iterator[_Block]:
    before = Shown()
    for index, step in enumerate(lesson.steps):
        known = lesson.known(index)
        new = bool(step.shown.places) and step.shown != before
        picture = drawn(lesson, index, record, size).scaled(room / size[0]) if new else None
        before = step.shown
        yield _step(step, index, picture, known, numbers, room)


def _step(step: Step, index: int, picture: Picture | None, known: Sequence[Quantity], numbers: Mapping[str, Number],
          room: float) -> _Block:
    marks: list[Mark] = []
    y = _lines(marks, f"{index + 1}  {literal(step.title)}", 15, room, 16, 24, 600)
    for words in step.text:
        y = _lines(marks, filled(words, known, numbers), y, room, SIZE, LEADING)
    if picture is not None:
        y -= 8
        marks += [moved(mark, 0, y) for mark in picture]
        marks.append(Rect(0, y, room, picture.size[1], stroke="hair", inside=True))
        y += picture.size[1] + 22
    if step.question is not None:
        y = _lines(marks, filled(step.question.words, known, numbers), y + 2, room, SIZE, LEADING, 600)
        y += 2
        y = _boxes(marks, [filled(answer.words, known, numbers) for answer in step.question.offered], y, room) + 12
        marks.append(Text(0, y, plain(tr("Because")), 11, 400, "ink-2"))
        marks.append(Line(((58, y + 2), (room, y + 2)), "rule"))
        y += 14
    return _Block(tuple(marks), y)


def _boxes(marks: list[Mark], answers: Sequence[str], y: float, room: float) -> float:
    """Answers with a box to tick, in two columns where they are short; where what is below them begins."""
    half = room / 2
    columns = 2 if all(width(tuple(rich(words)), SIZE) < half - 48 for words in answers) else 1
    rows = -(-len(answers) // columns)
    end = y
    for column in range(columns):
        at = y
        for number, words in list(enumerate(answers, 1))[column * rows:(column + 1) * rows]:
            x = column * half
            marks.append(Rect(x + 1, at - 11, 12, 12, stroke="ink", radius=2))
            marks.append(Text(x + 22, at, plain(f"{number}"), SIZE, 600))
            at = _lines(marks, words, at, room, SIZE, LEADING, x=x + 38) + 3
        end = max(end, at)
    return end


def drawn(lesson: Lesson, index: int, record: Record, size: tuple[int, int], revealed: bool = False,
          look: Look | None = None, at: str = "") -> Picture:
    """What a step shows, in the language of the lesson; `look` has the theme and the type, where not of paper, `at` the
    moment, where that is another one than the step's own."""
    state = shown_state(lesson, index, revealed, look)
    return _panel(changed(state, at=at) if at else state, record).draw(size)


def shown_state(lesson: Lesson, index: int, revealed: bool = False, look: Look | None = None) -> State:
    """Where one stands in a step, in the language of the lesson."""
    state = state_of(lesson, index, State() if look is None else State((Place(look=look),)), revealed)
    return replace(state, places=tuple(replace(place, look=replace(place.look, language=lesson.language))
                                       for place in state.places))


def _panel(state: State, record: Record) -> export.Panel:
    """The recordings of all that a State shows, as the stage would draw them."""
    apart = [replace(to_place(state, index), compare="") for index in range(len(state.places))]
    found = [_recorded(other, record) for other in apart]
    if state.compare:
        own = [sight.own(each) for each in found]
        befores = [record(as_it_was(other.recipe), "") for other in apart if as_it_was(other.recipe) != other.recipe]
        return export.Panel(own[state.active], state, readers=comparison.received(state, [*own, *befores]))
    return export.Panel(found[state.active], state, tuple(found) if len(found) > 1 else ())


def _recorded(state: State, record: Record) -> sight.Recorded:
    if not state.reel:
        return record(state.recipe, state.view)
    return tuple(record(recipe, state.view) for recipe in reeled(state.recipe, state.reel))


# --- answers --------------------------------------------------------------------------------------------------------

def _answers_head(lesson: Lesson, room: float) -> _Block:
    marks: list[Mark] = [Text(0, 12, plain(tr("Answers")), 12, 600, "accent-ink")]
    y = _lines(marks, literal(lesson.title), 42, room, 27, 32, 600)
    return _Block(tuple(marks), y - 10)


def _answers(lesson: Lesson, room: float, numbers: Mapping[str, Number]) -> Iterator[_Block]:
    """Of each step that asks or tells a number: the right answer, why it is so, and what is measured."""
    for index, step in enumerate(lesson.steps):
        if step.question is None and not step.quantities and not step.reveal:
            continue
        known = lesson.known(index)
        marks: list[Mark] = []
        y = _lines(marks, f"{index + 1}  {literal(step.title)}", 14, room, 14, 20, 600)
        if step.question is not None:
            right = step.question.answers[step.question.right - 1]
            y = _lines(marks, tr("Answer {number}: {answer}").format(
                number=step.question.right, answer=filled(right.words, known, numbers)), y, room, SIZE, LEADING, 600)
        for words in step.reveal:
            y = _lines(marks, filled(words, known, numbers), y, room, SIZE, LEADING)
        for answer in step.question.answers if step.question is not None else ():
            if answer.said and not answer.right:
                said = tr("Who chose “{answer}”: {misconception}").format(
                    answer=filled(answer.words, known, numbers), misconception=filled(answer.said, known, numbers))
                y = _lines(marks, said, y, room, 11, 16, 400, "ink-2", 12)
        for each in step.quantities:
            told = f"{literal(each.name)}: {claims.expected_of(each.expected)}  (`{each.words}`)"
            y = _lines(marks, told, y, room, 10, 14, 400, "ink-2", 12)
        yield _Block(tuple(marks), y - 6)
