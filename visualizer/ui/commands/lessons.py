"""Lessons: predict, then see; step by step, by keys alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from visualizer.language import tr
from visualizer.ui.commands import Command, Desk, Family

if TYPE_CHECKING:
    from visualizer.ui.teaching import Teaching


class Teaches(Desk, Protocol):
    """Where lessons are taken."""

    @property
    def teaching(self) -> Teaching: ...

    def show_lessons(self) -> None:
        """The list of lessons."""

    def go_on_with_lesson(self) -> None:
        """Where the last lesson was left."""

    def lesson_as(self, what: str) -> None:
        """Save the lesson that is open as a film, on paper, or its questions."""

    def fold_lesson(self) -> None:
        """The words of a lesson, where they lie over the stage."""


def family() -> Family:
    return Family(tr("Lessons"), 78, (
        Command("lessons", tr("Lessons"), ("F4",),
                tr("All lessons: predict, then see; each is opened where you left it"),
                lambda desk: desk.show_lessons(), starts=True),
        Command("lesson-continue", tr("Continue the lesson"), ("Shift+F4",),
                tr("The lesson that was open last, where you left it"), lambda desk: desk.go_on_with_lesson(),
                starts=True),
        Command("lesson-next", tr("Reveal, or next step"), ("Alt+PgDown",),
                tr("Further in the lesson; while one is open a page key does it, too"),
                lambda desk: desk.teaching.forward()),
        Command("lesson-back", tr("Previous step"), ("Alt+PgUp",),
                tr("Hide the reveal again, or to the step before; while a lesson is open a page key does it, too"),
                lambda desk: desk.teaching.backward()),
        Command("lesson-return", tr("Back to the step"), ("F11",),
                tr("What the step of the lesson shows, whatever you look at now"),
                lambda desk: desk.teaching.come_back()),
        Command("lesson-free", tr("Look around"), ("Shift+F11",),
                tr("Everything can be changed, also what the step leaves alone; again to come back"),
                lambda desk: desk.teaching.look_around()),
        Command("lesson-panel", tr("Words of the lesson"), ("Shift+I",),
                tr("In a narrow window: show the words over the stage, or fold them away"),
                lambda desk: desk.fold_lesson()),
        Command("lesson-votes", tr("Count the class anew"), ("Ctrl+Del",),
                tr("Away with the votes for the question that is open"), lambda desk: desk.teaching.forget_votes()),
        Command("lesson-notes", tr("Notes into the lesson's file"), ("Ctrl+Alt+Y",),
                tr("Of a lesson of your own: what you wrote to its steps, for whoever speaks next"),
                lambda desk: desk.teaching.file_notes()),
        Command("lesson-film", tr("Film of the lesson…"), ("Ctrl+Alt+F",),
                tr("Its slides one after the other, with its sentences as captions beside the file"),
                lambda desk: desk.lesson_as("film")),
        Command("lesson-print", tr("Print the lesson…"), ("Ctrl+Alt+H",),
                tr("As a handout: its pictures and questions without answers, as PDF"),
                lambda desk: desk.lesson_as("print")),
        Command("lesson-quiz", tr("Questions of the lesson…"), ("Ctrl+Alt+Q",),
                tr("For a learning platform: GIFT, QTI 2.1 or a table (CSV)"), lambda desk: desk.lesson_as("export")),
        Command("lesson-leave", tr("Leave the lesson"), ("Ctrl+F4",),
                tr("Close it; your place and your predictions are kept on this computer"),
                lambda desk: desk.teaching.leave()),
    ))
