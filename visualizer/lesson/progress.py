"""Progress: how far somebody has come in a lesson, what was predicted before it was seen, how a class voted.

Plain data that is kept from one start to the next; nothing of it leaves the machine. A prediction counts up to its
reveal and stays as it was from then on, so that it can stand beside what was measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

from visualizer.lesson import ANSWERED, Lesson, Question

MOST_VOTES = 999
"""For one answer: no room holds more."""
MOST_NOTES = 4000
"""Letters to one step."""


@dataclass(frozen=True)
class Progress:
    """Where one stands in a lesson; steps count from 0, answers from 1."""

    lesson: str
    step: int = 0
    revealed: bool = False
    """Whether one stands behind the reveal of that step."""
    seen: tuple[int, ...] = ()
    """Steps whose reveal was seen: what was said to them before is final."""
    answers: tuple[tuple[int, int, str], ...] = ()
    """(step, answer, the time of day at which it was given)."""
    votes: tuple[tuple[int, tuple[int, ...]], ...] = ()
    """(step, how many of the class chose each answer)."""
    done: tuple[int, ...] = ()
    """Steps of which what is to be done was done."""
    ended: bool = False
    """Whether one has come to its end."""
    notes: tuple[tuple[int, str], ...] = ()
    """(step, what whoever speaks has written to it)."""

    def answer(self, step: int) -> tuple[int, str]:
        """What was predicted at a step, and when; (0, "") where nothing was."""
        return next(((number, at) for index, number, at in self.answers if index == step), (0, ""))

    def tally(self, step: int) -> tuple[int, ...]:
        """How many of the class chose each answer of a step; empty while nobody was counted."""
        return next((counts for index, counts in self.votes if index == step), ())

    def note(self, step: int) -> str:
        """What whoever speaks has written to a step."""
        return dict(self.notes).get(step, "")

    @property
    def reached(self) -> int:
        """The step furthest on that was shown, as far as that is known."""
        return max((self.step, *self.seen))

    @property
    def open(self) -> bool:
        """Whether what is asked here can still be answered."""
        return self.step not in self.seen


def question(progress: Progress, lesson: Lesson) -> Question | None:
    """What is asked where one stands."""
    return lesson.steps[progress.step].question


def is_asked(progress: Progress, lesson: Lesson) -> bool:
    """Whether a question is open: it waits for an answer, and its reveal has not been seen."""
    return question(progress, lesson) is not None and progress.open and not progress.revealed


def answered(progress: Progress, lesson: Lesson, number: int, at: str = "") -> Progress:
    """With that prediction in the place of an earlier one; as it was where nothing is open, or there is no such
    answer."""
    asked = question(progress, lesson)
    if asked is None or not is_asked(progress, lesson) or not 1 <= number <= len(asked.offered):
        return progress
    others = tuple(each for each in progress.answers if each[0] != progress.step)
    return replace(progress, answers=(*others, (progress.step, number, at)))


def voted(progress: Progress, lesson: Lesson, number: int, by: int = 1) -> Progress:
    """With so many more votes for an answer, never fewer than none."""
    asked = question(progress, lesson)
    if asked is None or not is_asked(progress, lesson) or not 1 <= number <= len(asked.offered):
        return progress
    counts = list(progress.tally(progress.step) or (0,) * len(asked.offered))
    counts[number - 1] = min(max(counts[number - 1] + by, 0), MOST_VOTES)
    others = tuple(each for each in progress.votes if each[0] != progress.step)
    return replace(progress, votes=(*others, (progress.step, tuple(counts))) if any(counts) else others)


def is_locked(progress: Progress, lesson: Lesson) -> bool:
    """Whether the reveal waits for an answer, of one's own or of the class."""
    return is_asked(progress, lesson) and not progress.answer(progress.step)[0] and not progress.tally(progress.step)


def forward(progress: Progress, lesson: Lesson) -> Progress:
    """To the reveal, or to the next step; behind the last one it is at its end."""
    if question(progress, lesson) is not None and not progress.revealed:
        return replace(progress, revealed=True, seen=_with(progress.seen, progress.step))
    if progress.step + 1 < len(lesson.steps):
        return replace(progress, step=progress.step + 1, revealed=False)
    return replace(progress, ended=True)


def backward(progress: Progress, lesson: Lesson) -> Progress:
    """The reveal is hidden again, or one goes to the step before, as one left it."""
    if progress.revealed:
        return replace(progress, revealed=False, ended=False)
    return to(progress, lesson, progress.step - 1, True)


def to(progress: Progress, lesson: Lesson, step: int, revealed: bool = False) -> Progress:
    """To a step, up to the ends; behind its reveal only where that was seen."""
    step = min(max(step, 0), len(lesson.steps) - 1)
    if step == progress.step and step == 0 and revealed:
        return progress
    return replace(progress, step=step, revealed=revealed and step in progress.seen, ended=False)


def can_go(progress: Progress, step: int) -> bool:
    """Whether one can go to a step: to all that were shown, and to the next one."""
    return 0 <= step <= progress.reached + 1


def noted(progress: Progress, words: str) -> Progress:
    """With those notes at the step where one stands."""
    others = tuple(each for each in progress.notes if each[0] != progress.step)
    return replace(progress, notes=(*others, (progress.step, words[:MOST_NOTES])) if words.strip() else others)


def did(progress: Progress) -> Progress:
    """What is to be done here was done."""
    return replace(progress, done=_with(progress.done, progress.step))


def is_complete(progress: Progress, lesson: Lesson) -> bool:
    """Whether what the step waits for has come: its answer and its reveal, or what is to be done."""
    step = lesson.steps[progress.step]
    if not step.done:
        return True
    acts = any(name != ANSWERED for name, _ in step.done)
    return (not acts or progress.step in progress.done) and (step.question is None or progress.step in progress.seen)


def retried(progress: Progress) -> Progress:
    """From the beginning, with nothing predicted; the votes of a class go, too, and the speaker's notes stay."""
    return Progress(progress.lesson, notes=progress.notes)


# --- kept -----------------------------------------------------------------------------------------------------------

def to_plain(progress: Progress) -> dict[str, Any]:
    """Plain words, as `of_plain` reads them."""
    return {"step": progress.step, "revealed": progress.revealed, "seen": list(progress.seen),
            "answers": [list(each) for each in progress.answers],
            "votes": [[step, list(counts)] for step, counts in progress.votes], "done": list(progress.done),
            "ended": progress.ended, "notes": [list(each) for each in progress.notes]}


def of_plain(lesson: Lesson, plain: object) -> Progress:
    """What was kept of a lesson as far as it fits it: a lesson that was changed meanwhile has other steps."""
    found = Progress(lesson.name)
    if not isinstance(plain, Mapping):
        return found
    count = len(lesson.steps)

    def numbers(name: str) -> tuple[int, ...]:
        given = plain.get(name)
        return tuple(dict.fromkeys(each for each in given[:count] if _is_index(each, count))) \
            if isinstance(given, list) else ()

    def asked(index: object) -> int:
        it = lesson.steps[index].question if _is_index(index, count) else None
        return 0 if it is None else len(it.offered)

    rows, votes = plain.get("answers"), plain.get("votes")
    answers = tuple((row[0], row[1], row[2][:5]) for row in (rows if isinstance(rows, list) else ())
                    if isinstance(row, list) and len(row) == 3 and isinstance(row[2], str)
                    and _is_index(row[1], asked(row[0]) + 1) and row[1])
    tallies = tuple((row[0], (*row[1], 0)[:asked(row[0])]) for row in (votes if isinstance(votes, list) else ())
                    if isinstance(row, list) and len(row) == 2 and isinstance(row[1], list)
                    and 0 <= asked(row[0]) - len(row[1]) <= 1 <= len(row[1])  # one less: from before “not sure”
                    and all(_is_index(each, MOST_VOTES + 1) for each in row[1]))
    written = plain.get("notes")
    notes = tuple((row[0], row[1][:MOST_NOTES]) for row in (written if isinstance(written, list) else ())
                  if isinstance(row, list) and len(row) == 2 and _is_index(row[0], count) and isinstance(row[1], str))
    step = plain.get("step")
    found = replace(found, step=step if _is_index(step, count) else 0, seen=numbers("seen"), done=numbers("done"),
                    answers=answers, votes=tallies, notes=notes, ended=plain.get("ended") is True)
    return replace(found, revealed=plain.get("revealed") is True and found.step in found.seen)


def _with(steps: tuple[int, ...], step: int) -> tuple[int, ...]:
    return tuple(sorted({*steps, step}))


def _is_index(value: object, count: int) -> TypeGuard[int]:
    return type(value) is int and 0 <= value < count
