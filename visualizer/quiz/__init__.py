"""Quiz: the questions of lessons as files for a learning platform. One file of this folder, one format; each is found
by its `FORMAT`. Nothing of a student is in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from visualizer import registry
from visualizer.claims import Number
from visualizer.language import tr
from visualizer.lesson import Answer, Lesson, bare
from visualizer.trace import Refused

NONE: Mapping[str, Number] = MappingProxyType({})


@dataclass(frozen=True)
class Item:
    """One question that stands by itself, all of its words without markup."""

    lesson: str
    number: int
    """Of its step, from 1."""
    title: str
    text: str
    """What is said before it is asked."""
    question: str
    answers: tuple[Answer, ...]
    reveal: str
    """What was found, and why."""
    language: str
    """`en`, `de`, …"""

    @property
    def name(self) -> str:
        """By which it is told from all others: `pooling-3`."""
        return f"{self.lesson}-{self.number}"

    @property
    def right(self) -> int:
        """The number of the right answer, from 1."""
        return next(number for number, answer in enumerate(self.answers, 1) if answer.right)


@dataclass(frozen=True)
class Format:
    """One kind of file that questions can be written as."""

    name: str
    suffixes: tuple[str, ...]
    title: str
    to_bytes: Callable[[Sequence[Item], str], bytes]
    """(items, what they are together) -> the whole file; the same items give the same bytes."""


def items(lesson: Lesson, numbers: Mapping[str, Number] = NONE) -> tuple[Item, ...]:
    """The questions of a lesson, with what was measured; where nothing was, with what is expected."""
    found = []
    for index, step in enumerate(lesson.steps):
        if step.question is None:
            continue
        known = lesson.known(index)

        def said(words: Iterable[str], known: tuple[object, ...] = known) -> str:
            return "\n".join(bare(each, known, numbers) for each in words)  # type: ignore[arg-type]

        answers = tuple(Answer(said([each.words]), each.right, said([each.said])) for each in step.question.answers)
        found.append(Item(lesson.name, index + 1, step.title, said(step.text), said([step.question.words]), answers,
                          said(step.reveal), lesson.language or "en"))
    return tuple(found)


def formats() -> tuple[Format, ...]:
    """Every format found in this folder."""
    return tuple(module.FORMAT for module in registry.modules("quiz"))


def find(path: Path) -> Format:
    """The format that the ending of a file names; raises LookupError with one sentence."""
    for found in formats():
        if path.suffix.lower() in found.suffixes:
            return found
    known = ", ".join(suffix for found in formats() for suffix in found.suffixes)
    raise LookupError(tr("Questions cannot be written as {name}; give the file one of the endings {known}.").format(
        name=repr(path.suffix or path.name), known=known))


def save(lessons: Sequence[Lesson], path: Path, numbers: Mapping[str, Number] = NONE) -> int:
    """Write the questions of some lessons, and say how many they are; raises Refused where nothing is asked, NotWritten
    where nothing can be written."""
    form = find(path)
    found = [item for lesson in lessons for item in items(lesson, numbers)]
    if not found:
        raise Refused(tr("Nothing is asked in {name}; choose another lesson.").format(
            name=", ".join(lesson.name for lesson in lessons)))
    title = lessons[0].title if len(lessons) == 1 else "Visualizer"
    registry.write_whole(path, form.to_bytes(found, title))
    return len(found)
