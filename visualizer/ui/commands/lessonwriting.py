"""Writing a lesson: by doing what it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from visualizer.language import tr
from visualizer.ui.commands import Command, Desk, Family

if TYPE_CHECKING:
    from visualizer.ui.lessonwriting import LessonWriting


class Writes(Desk, Protocol):
    """Where a lesson is written."""

    @property
    def writing(self) -> LessonWriting: ...

    def record_lesson(self) -> None:
        """Write one by clicking, or put that away."""

    def try_lesson(self) -> None:
        """Take the lesson that is written, at the step that is edited; or back to writing it."""

    def save_lesson(self) -> None:
        """Ask for a name and write its file."""


def family() -> Family:
    return Family(tr("Lessons"), 79, (
        Command("lesson-record", tr("Record a lesson"), ("Ctrl+Alt+L",),
                tr("What you do becomes steps, whose words you then write; again to put that away"),
                lambda desk: desk.record_lesson()),
        Command("lesson-step", tr("New step here"), ("Ctrl+Alt+S",),
                tr("While a lesson is recorded: a step of its own for what is looked at now"),
                lambda desk: desk.writing.add()),
        Command("lesson-reveal", tr("Reveal here"), ("Ctrl+Alt+V",),
                tr("While a lesson is recorded: what is looked at now is what the step's reveal shows; again: what the "
                   "step shows"),
                lambda desk: desk.writing.reveal_here()),
        Command("lesson-drop", tr("Remove this step"), ("Ctrl+Alt+Del",),
                tr("While a lesson is recorded: away with the step whose words are shown"),
                lambda desk: desk.writing.remove()),
        Command("lesson-pause", tr("Pause recording"), ("Ctrl+Alt+P",),
                tr("What you do becomes no step, until you go on"), lambda desk: desk.writing.pause()),
        Command("lesson-try", tr("Try the step"), ("Ctrl+Alt+T",),
                tr("Take the lesson that is written, at this step; again to go on writing"),
                lambda desk: desk.try_lesson()),
        Command("lesson-save", tr("Save the lesson…"), ("Ctrl+Alt+W",),
                tr("As a Markdown file that any editor opens; it then stands among the lessons"),
                lambda desk: desk.save_lesson()),
    ))
