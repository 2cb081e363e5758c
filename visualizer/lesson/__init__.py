"""Lessons: what is taught step by step, predicted before it is seen. One Markdown file, one lesson.

A step shows places, asks, and reveals what was measured; a teacher writes it in any editor. Here are the nouns, and
what a step makes of a State. `reading` makes them from text, `shelf` finds those that there are, `trial` runs all that
they show and measures all that they tell. Neither Qt nor torch is loaded.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from visualizer import claims, edits
from visualizer.claims import Claim, Expected, Number
from visualizer.language import english, tr, translated
from visualizer.scene import numbers
from visualizer.scene.picture import Look, unmarked
from visualizer.scene.recipe import LabRecipe, ModelRecipe, Recipe
from visualizer.scene.state import OWN_LOOK, Place, State

FORMAT = 1
"""What a file says under `format`; a larger one was written for a newer app."""
LESSON, TOUR, QUIZ = "lesson", "tour", "quiz"
TITLES = {LESSON: english("Lesson"), TOUR: english("Tour"), QUIZ: english("Quiz")}
MOST_ANSWERS = 5
"""They are chosen by the keys 1 to 5, and that one is not sure by the key behind the last."""
NOT_SURE = english("not sure")
TOUCH = ("time", "focus", "view", "input", "what-if", "edit", "knobs", "model")
"""What of a place a step can leave to whoever learns; a knob can also be named alone."""
ALL, NOTHING = "all", "nothing"
ANSWERED, CHANGED = "answer", "*"
"""What completes a step: an answer; and of a condition `input=*` any other than the one that is shown."""


# --- the nouns ------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Answer:
    """One of the answers to a question."""

    words: str
    right: bool = False
    said: str = ""
    """What is said of it: the misconception behind a wrong one."""


@dataclass(frozen=True)
class Question:
    """What is predicted before it is seen."""

    words: str
    answers: tuple[Answer, ...]

    @property
    def right(self) -> int:
        """The number of the right answer, from 1 as they are chosen."""
        return next(number for number, answer in enumerate(self.answers, 1) if answer.right)

    @property
    def offered(self) -> tuple[Answer, ...]:
        """What can be chosen: the answers, and behind them that one is not sure, which is neither right nor wrong."""
        return (*self.answers, Answer(translated(NOT_SURE)))


@dataclass(frozen=True)
class Quantity:
    """A number that a step tells: it is measured, and lies where it is expected."""

    name: str
    """As `{name}` stands for it in the words."""
    words: str
    """The measure and what it is given: `right lenet_mnist shift:4,4`."""
    expected: Expected
    """With its tolerance as the error."""
    line: int = field(default=0, compare=False)

    def met_by(self, number: Number) -> bool:
        """Whether it lies within the tolerance; without one, whether it rounds to what is expected."""
        like = self.expected
        if like.most:
            return number.value <= like.value
        unit = 10.0 ** -like.places / (100 if like.share else 1)
        return abs(number.value - like.value) <= (like.error or unit / 2) * (1 + 1e-9)

    def said(self, number: Number | None = None) -> str:
        """How it is written in a sentence; as expected while nothing is measured."""
        if self.expected.most:
            return tr("at most {number}").format(number=numbers.power(self.expected.value)) if number is None else \
                numbers.power(number.value)
        value = self.expected.value if number is None else number.value
        if self.expected.error >= 100 and math.isfinite(value):  # of 355,915,301 ± 20,000,000 the end says nothing
            value = round(value, 1 - math.floor(math.log10(self.expected.error)))
        return claims.number_of(Number(value), self.expected)


@dataclass(frozen=True)
class Shown:
    """What is seen: places as a State has them; none for words alone."""

    places: tuple[Place, ...] = ()
    compare: str = ""
    """What they have in common at one time where they are seen as one comparison, see `state.SYNCS`."""


@dataclass(frozen=True)
class Step:
    """One thing that is looked at, asked, or done."""

    title: str
    text: tuple[str, ...] = ()
    """Paragraphs; of their markup `picture.rich` reads what it knows, and `{name}` is a number."""
    shown: Shown = Shown()
    revealed: Shown = Shown()
    """What is seen with the reveal: the same, where it names nothing else."""
    touch: tuple[str, ...] = ("time", "focus")
    """What may be changed; all else is hidden."""
    done: tuple[tuple[str, str], ...] = ()
    """Conditions that complete it; none where one just goes on, `(("answer", ""),)` for an answer."""
    question: Question | None = None
    reveal: tuple[str, ...] = ()
    """Paragraphs: first what happened, then why."""
    quantities: tuple[Quantity, ...] = ()
    decides: tuple[str, ...] = ()
    """Conditions on the quantities, as claims write them, without which the right answer would not be right."""
    notes: str = ""
    """For whoever speaks."""
    claim: str = ""
    """The claim whose words and correction stand beside it."""
    borrowed: tuple[str, int] = ("", 0)
    """(lesson, number of a step from 1) whose question it asks, until `shelf` has put that in its place."""
    seconds: int = 0
    """How long it takes, about; 0 where nobody says."""
    line: int = field(default=0, compare=False)
    lines: Mapping[str, int] = field(default_factory=dict, compare=False, hash=False)
    """The line on which each of its fields stands."""

    @property
    def asks(self) -> bool:
        """Whether it waits for an answer."""
        return self.question is not None

    def at(self, name: str) -> int:
        """The line of a field, or of the step itself where that stands in an earlier one."""
        return self.lines.get(name, self.line)


@dataclass(frozen=True)
class Lesson:
    """Steps in their order, and what they are about."""

    name: str
    """That of its file, without its language."""
    title: str
    steps: tuple[Step, ...]
    genre: str = LESSON
    language: str = ""
    """As `language.spoken` has it; empty for English."""
    number: int = 0
    """Its place in the course; 0 for what stands beside it."""
    seconds: int = 0
    """How long it takes, about."""
    goal: str = ""
    """What one can say or do afterwards, one sentence."""
    chapter: str = ""
    """Of the article."""
    text: tuple[str, ...] = ()
    """What comes before the first step."""
    path: Path = field(default=Path(), compare=False)

    @property
    def questions(self) -> tuple[tuple[int, Question], ...]:
        """(number of the step from 1, its question)."""
        return tuple((number, step.question) for number, step in enumerate(self.steps, 1) if step.question)

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """All that it measures."""
        return tuple(each for step in self.steps for each in step.quantities)

    @property
    def places(self) -> tuple[Place, ...]:
        """All that it shows, each once."""
        return tuple(dict.fromkeys(place for step in self.steps for shown in (step.shown, step.revealed)
                                   for place in shown.places))

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """What makes the recordings of all of it, each once."""
        return tuple(dict.fromkeys(place.recipe for place in self.places))

    @property
    def pace(self) -> tuple[int, ...]:
        """How many seconds each step takes, about: those that do not say share evenly what the others leave."""
        silent = sum(not step.seconds for step in self.steps)
        left = max(0, self.seconds - sum(step.seconds for step in self.steps))
        return tuple(step.seconds or round(left / silent) for step in self.steps)

    def claims(self) -> tuple[Claim, ...]:
        """The claims of the article that it speaks of."""
        return tuple(claims.find(name) for name in dict.fromkeys(step.claim for step in self.steps if step.claim))

    def known(self, until: int) -> tuple[Quantity, ...]:
        """The quantities that step `until`, from 0, can name: its own and those of the steps before it."""
        return tuple(each for step in self.steps[:until + 1] for each in step.quantities)


# --- words ----------------------------------------------------------------------------------------------------------

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


def filled(text: str, quantities: Iterable[Quantity], found: Mapping[str, Number]) -> str:
    """Words with their numbers, as `picture.rich` reads them: each in the accent; those that are not measured yet as
    they are expected. What was `found` is by the words of the measures."""
    by_name = {each.name: each for each in quantities}

    def number(placeholder: re.Match[str]) -> str:
        each = by_name[placeholder[1]]
        return f"{{{each.said(found.get(each.words))}}}"

    return PLACEHOLDER.sub(number, text)


def bare(text: str, quantities: Iterable[Quantity] = (), found: Mapping[str, Number] | None = None) -> str:
    """The same without any markup: for captions, screen readers and the files of a quiz."""
    return unmarked(filled(text, quantities, found or {}))


def broken(lesson: Lesson, index: int, found: Mapping[str, Number]) -> tuple[str, ...]:
    """What the right answer of a step stands on and does not hold of what was measured, as far as it was."""
    by_name = {each.name: found[each.words] for each in lesson.known(index) if each.words in found}
    return tuple(each for each in lesson.steps[index].decides
                 if claims.named(each) <= {*by_name} and not claims.holds(each, by_name))


def measured_sentence(quantity: Quantity, number: Number) -> str:
    """What was measured beside what is expected, as one sentence."""
    return tr("{name}: {found} measured, {expected} expected.").format(
        name=quantity.name, found=quantity.said(number), expected=claims.expected_of(quantity.expected))


# --- what a step makes of a State -----------------------------------------------------------------------------------

def state_of(lesson: Lesson, index: int, now: State, revealed: bool = False) -> State:
    """Where one stands in a step, counted from 0, in the size, theme and type of `now`; before the reveal or after."""
    step = lesson.steps[index]
    shown = step.revealed if revealed else step.shown
    here = replace(now, lesson=lesson.name, step=index, playing=False, stepping=0)
    if not shown.places:
        return here
    return replace(here, places=tuple(replace(place, look=looked(now.look, place.look)) for place in shown.places),
                   active=0, compare=shown.compare, alone=0, brought=(), strokes=())


def looked(now: Look, own: Look) -> Look:
    """The look of a place in the size, theme and type of the one that is there."""
    return replace(now, **{name: getattr(own, name) for name in OWN_LOOK})


def touched(before: State, after: State) -> frozenset[str]:
    """What a change of the State changed of what is shown: words of `TOUCH`, and each knob by its name."""
    if len(before.places) != len(after.places) or before.active != after.active or before.compare != after.compare:
        return frozenset(("model",))
    found: set[str] = set()
    for one, other in zip(before.places, after.places, strict=True):
        found |= _touched(one, other)
    return frozenset(found)


def _touched(one: Place, other: Place) -> set[str]:
    if type(one.recipe) is not type(other.recipe) or one.recipe.name != other.recipe.name:
        return {"model"}
    found = {word for word, name in (("view", "view"), ("time", "at"), ("focus", "focus"), ("model", "reel"),
                                     ("input", "over")) if getattr(one, name) != getattr(other, name)}
    if isinstance(one.recipe, ModelRecipe) and isinstance(other.recipe, ModelRecipe):
        kept = ("inputs", "objective", "label")
        inputs, networks = ([edits.those(recipe.edits, *applies_to) for recipe in (one.recipe, other.recipe)]
                            for applies_to in ((edits.INPUT,), (edits.WEIGHTS, edits.MODEL)))
        changed = {"input": any(getattr(one.recipe, name) != getattr(other.recipe, name) for name in kept),
                   "what-if": inputs[0] != inputs[1], "edit": networks[0] != networks[1]}
        found |= {word for word, differs in changed.items() if differs}
    knobs = [dict(place.look.knobs) | (place.recipe.words if isinstance(place.recipe, LabRecipe) else {})
             for place in (one, other)]
    return found | {name for name in {*knobs[0], *knobs[1]} if knobs[0].get(name) != knobs[1].get(name)}


def allowed(step: Step, before: State, after: State) -> bool:
    """Whether a step leaves such a change to whoever learns."""
    if ALL in step.touch:
        return True
    free = {*step.touch} - {NOTHING}
    return all(word in free or ("knobs" in free and word not in TOUCH) for word in touched(before, after))


def completed(step: Step, start: State, now: State, answered: int = 0) -> bool:
    """Whether it is done: where one stands `now`, having begun at `start`, with an answer from 1 or none."""
    return all(bool(answered) if name == ANSWERED else _holds(name, word, start, now) for name, word in step.done)


def _holds(name: str, word: str, start: State, now: State) -> bool:
    if word == CHANGED:
        return name in touched(start, now)
    at = now.place
    if name == "focus":
        return re.match(re.escape(word) + r"(?![\w.#])", written(at)) is not None
    if name in ("what-if", "edit"):
        return isinstance(at.recipe, ModelRecipe) and any(each.startswith(word) for each in at.recipe.edits)
    if name == "input":
        return now.sample == word
    knobs = dict(at.look.knobs) | (at.recipe.words if isinstance(at.recipe, LabRecipe) else {})
    found = {"view": at.view, "at": at.at.partition("@")[0], "model": at.recipe.name} | knobs
    return found.get(name) == word


def written(place: Place) -> str:
    """A focus as it is written in a lesson: `conv2:7,3,5`, `lstm:3/inner.forget`."""
    focus = place.focus
    if focus is None:
        return ""
    cell = f":{','.join(map(str, focus.cell))}" if focus.cell else ""
    return f"{focus.layer}{cell}" + ("" if focus.array == "output" else f"/{focus.array}")
