"""Writing a lesson by clicking: while it is recorded, each place one comes to becomes a step; its words are edited
beside the stage, it can be tried at once, and saving writes the Markdown file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QObject, QRectF, Qt, Signal
from PySide6.QtGui import QAccessible, QFocusEvent, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QLineEdit, QMenu, QPlainTextEdit, QWidget

from visualizer import lesson as lessons
from visualizer.language import languages, spoken, tr
from visualizer.lesson import Lesson, Shown, Step, shelf, writing
from visualizer.lesson.reading import parse
from visualizer.registry import NotWritten, write_whole
from visualizer.scene.state import State
from visualizer.ui import faults, style
from visualizer.ui.buttons import Button, note_focus
from visualizer.ui.commands import find, keyed
from visualizer.ui.store import Store
from visualizer.ui.teaching import TRIED

MOST = 60
"""Steps, as many as a lesson has."""


@dataclass(frozen=True)
class Draft:
    """A step while it is written."""

    shown: Shown
    title: str = ""
    body: str = ""
    """What stands below its fields, in Markdown."""
    revealed: Shown | None = None
    """What is seen with its reveal, where that is something else."""


class LessonWriting(QObject):
    """The steps so far; it follows the store while it records."""

    changed = Signal()
    said = Signal(str)

    def __init__(self, store: Store, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.store = store
        self.on = self.records = False
        self.title = ""
        self.language = spoken()
        """In which it is written; empty for English."""
        self.name = ""
        """Of the file to which it was saved last, without its language."""
        self.drafts: tuple[Draft, ...] = ()
        self.at = 0
        """The step whose words are edited."""
        store.changed.connect(self._follow)

    def take_over(self, before: LessonWriting) -> None:
        """What was written in the window that stood here before."""
        self.on, self.records, self.title, self.drafts, self.at, self.language, self.name = (
            before.on, before.records, before.title, before.drafts, before.at, before.language, before.name)
        before.on = before.records = False
        self.changed.emit()

    def begin(self) -> None:
        """Record from here on; what was written before stays."""
        self.on = self.records = True
        if not self.drafts:
            self._came(self.store.state, True)
        self.changed.emit()

    def pause(self) -> None:
        """Record no more, or again."""
        self.records = not self.records
        self.changed.emit()

    def leave(self) -> None:
        """Away with the sheet; what was written stays until the app is closed."""
        self.on = self.records = False
        self.changed.emit()

    def add(self) -> None:
        """A step of its own at this place, whatever the last one shows."""
        self._came(self.store.state, True)
        self.changed.emit()

    def remove(self) -> None:
        """Away with the step that is edited; one always stays."""
        if len(self.drafts) > 1:
            self.drafts = (*self.drafts[:self.at], *self.drafts[self.at + 1:])
            self.go(min(self.at, len(self.drafts) - 1))

    def go(self, index: int) -> None:
        """Edit another step, and see what it shows."""
        if 0 <= index < len(self.drafts):
            self.at = index
            shown, records = self.drafts[index].shown, self.records
            self.records = False
            self.store.apply(lambda state: _standing(state, shown), undoable=False)
            self.records = records
            self.changed.emit()

    def reveal_here(self) -> None:
        """The reveal of the step shows what is looked at now; at the place of the step itself, or where it shows that
        already, it shows nothing of its own. What was recorded on the way from a question without any words is no
        step of its own then."""
        if not self.drafts:
            return
        asking = next((index for index in range(len(self.drafts) - 1, -1, -1)
                       if self.drafts[index].title or self.drafts[index].body), self.at)
        if self.records and self.at == len(self.drafts) - 1 and writing.asks(self.drafts[asking].body):
            self.drafts, self.at = self.drafts[:asking + 1], asking
        draft = self.drafts[self.at]
        here = writing.step_of(self.store.state).shown
        body = draft.body if writing.asks(draft.body) else f"{draft.body.rstrip()}\n\n{question_words()}".lstrip()
        own = None if here in (draft.shown, draft.revealed) else here
        self.drafts = (*self.drafts[:self.at], replace(draft, revealed=own, body=body), *self.drafts[self.at + 1:])
        self.said.emit(tr("The reveal of step {number} shows what you see now.").format(number=self.at + 1) if own else
                       tr("The reveal of step {number} shows what the step shows.").format(number=self.at + 1))
        self.changed.emit()

    def write_in(self, language: str) -> None:
        """In another language, by its code; empty for English."""
        self.language = language
        self.changed.emit()

    def file(self) -> Path:
        """Where it is saved to, unless somebody says otherwise."""
        name = self.name or Path(writing.file_name(self.title)).stem
        return writing.path_in(self.language, self.folder, name)

    def write(self, title: str, body: str) -> None:
        """Other words for the step that is edited."""
        if self.drafts:
            self.drafts = (*self.drafts[:self.at], replace(self.drafts[self.at], title=title, body=body),
                           *self.drafts[self.at + 1:])

    def text(self, path: Path) -> tuple[str, tuple[str, ...]]:
        """The Markdown of the lesson, and what is wrong with it, each with its line."""
        steps = [(each.title, each.body, Step("", shown=each.shown, revealed=each.revealed or each.shown))
                 for each in self.drafts]
        text, problems = writing.checked(self.title or tr("My lesson"), steps, path, self.language)
        return text, tuple(map(str, problems))

    def lesson(self) -> Lesson | None:
        """The lesson as it stands, to try it; None where something is wrong with it, which is said."""
        text, problems = self.text(self.folder / f"{TRIED}.md")
        if problems:
            self.said.emit(problems[0] + ".")
            return None
        return parse(TRIED, text, self.folder / f"{TRIED}.md")[0]

    @property
    def folder(self) -> Path:
        """Where lessons of one's own are found."""
        return shelf.own_folder()

    def save(self, path: Path) -> bool:
        """Write the file, unless something is wrong with it; what is, or where it is, is said."""
        text, problems = self.text(path)
        if problems:
            self.said.emit(tr("The lesson is not saved: {problem}.").format(problem=problems[0]))
            return False
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, text.encode())
        except (NotWritten, OSError) as error:
            self.said.emit(tr("The lesson is not saved: {problem}.").format(problem=str(error).rstrip(".")))
            return False
        self.name = path.stem.partition(".")[0]
        self.said.emit(tr("Saved as {file}; it stands among the lessons.").format(file=path.name)
                       if path.parent == self.folder else tr("Saved as {file}.").format(file=path))
        return True

    def _follow(self, old: State, new: State) -> None:
        if self.records and not new.lesson and lessons.touched(old, new) and not new.playing:
            self._came(new, False)
            self.changed.emit()

    def _came(self, state: State, anew: bool) -> None:
        """What is looked at now, as a step: the last one moves along while nothing but the moment or the focus changes,
        and what was written to it stays."""
        steps = [Step("", shown=each.shown) for each in self.drafts]
        anew = anew or not self.drafts or writing.asks(self.drafts[-1].body)  # what is asked is asked at its place
        found = writing.with_place(steps if not anew else (), state)
        last = Draft(found[-1].shown)
        if not anew and len(found) == len(self.drafts):
            self.drafts = (*self.drafts[:-1], replace(self.drafts[-1], shown=last.shown))
        elif len(self.drafts) < MOST:
            self.drafts = (*self.drafts, last)
        self.at = len(self.drafts) - 1


def _standing(state: State, shown: Shown) -> State:
    """Where a step stands, in the window as it is."""
    step = Step("", shown=shown, revealed=shown)
    found = lessons.state_of(Lesson("", "", (step,)), 0, state)
    return replace(found, lesson="", step=0)


def question_words() -> str:
    """The parts of a question, to be filled in."""
    said = tr("What do you expect?"), tr("the right answer"), tr("another answer"), tr("What was found, and why.")
    return f"### Question\n\n{said[0]}\n\n- [x] {said[1]}\n- [ ] {said[2]}\n\n### Reveal\n\n{said[3]}"


class Line(QLineEdit):
    """A title."""

    def focusInEvent(self, event: QFocusEvent) -> None:
        note_focus(self, event)
        super().focusInEvent(event)


class Paragraphs(QPlainTextEdit):
    """The words of a step."""

    def focusInEvent(self, event: QFocusEvent) -> None:
        note_focus(self, event)
        super().focusInEvent(event)


class WritingPanel(QWidget):
    """Beside the stage: the step that is edited, and what can be done with it."""

    heard_as = QAccessible.Role.Grouping

    def __init__(self, writer: LessonWriting, run: Callable[[str], None], parent: QWidget) -> None:
        super().__init__(parent)
        self.writer = writer
        self.lesson_title, self.title, self.body = Line(self), Line(self), Paragraphs(self)
        self.body.setTabChangesFocus(True)
        self.lesson_title.setPlaceholderText(tr("Title of the lesson"))
        self.title.setPlaceholderText(tr("Title of this step"))
        self.body.setPlaceholderText(tr("What is to be seen here? Plain Markdown."))
        style.name(self.lesson_title, tr("Title of the lesson"))
        style.name(self.title, tr("Title of this step"))
        style.name(self.body, tr("Words of this step"))
        self.steps = Button("", "down", "raised", self)
        self.steps.clicked.connect(self._menu)
        style.name(self.steps, tr("Steps of the lesson"), tr("Go to one of them"))
        self.language = Button("", "down", "raised", self)
        self.language.clicked.connect(self._languages)
        self.language.pops = True
        self.ask = Button(tr("Ask something"), "", "raised", self)
        self.ask.clicked.connect(self._ask)
        style.name(self.ask, tr("Ask something"), tr("A question with its answers and its reveal, to be filled in"))
        self.buttons = {name: Button(words, "", "raised", self) for name, words in (
            ("lesson-reveal", tr("Reveal here")), ("lesson-step", tr("New step")),
            ("lesson-drop", tr("Remove")), ("lesson-pause", tr("Pause")),
            ("lesson-try", tr("Try it")), ("lesson-save", tr("Save…")), ("lesson-record", tr("Close")))}
        for name, button in self.buttons.items():
            button.clicked.connect(lambda checked=False, name=name: run(name))
            style.name(button, find(name).title, keyed(find(name).tip, name))
        for field in (self.lesson_title, self.title):
            field.textEdited.connect(self._written)
        self.body.textChanged.connect(self._written)
        writer.changed.connect(self.show_state)
        style.name(self, tr("Record a lesson"))
        self.dress()

    def dress(self) -> None:
        """What style sheets have to be told after the theme changed."""
        sheet = f"background: {style.color('raised').name()}; color: {style.color('ink').name()}; " \
                f"border: 1px solid {style.color('rule').name()}; border-radius: 8px; padding: 6px;"
        for field in (self.lesson_title, self.title, self.body):
            field.setFont(style.font(14, 400))
            field.setStyleSheet(sheet)
        self.show_state()

    def show_state(self) -> None:
        """Set every part from what is written."""
        writer = self.writer
        if not writer.drafts:
            return
        draft = writer.drafts[writer.at]
        for field, words in ((self.lesson_title, writer.title), (self.title, draft.title)):
            if field.text() != words:
                field.setText(words)
        if self.body.toPlainText() != draft.body:
            self.body.blockSignals(True)
            self.body.setPlainText(draft.body)
            self.body.blockSignals(False)
        self.steps.setText(tr("step {number} of {count}").format(number=writer.at + 1, count=len(writer.drafts)))
        self.language.setText(languages()[writer.language])
        style.name(self.language, tr("Language of the lesson: {language}").format(language=self.language.text()),
                   tr("In which its words are written; a translation is saved beside the lesson itself"))
        self.buttons["lesson-reveal"].look = "chosen" if draft.revealed is not None else "raised"
        self.buttons["lesson-drop"].setEnabled(len(writer.drafts) > 1)
        self.buttons["lesson-pause"].setText(tr("Pause") if writer.records else tr("Go on recording"))
        self._lay()
        self.update()

    def _written(self) -> None:
        self.writer.title = self.lesson_title.text()
        self.writer.write(self.title.text(), self.body.toPlainText())

    def _ask(self) -> None:
        """The parts of a question, to be filled in."""
        before = self.body.toPlainText().rstrip()
        if not writing.asks(before):
            self.body.setPlainText(f"{before}\n\n{question_words()}".lstrip())
        self.body.setFocus(Qt.FocusReason.OtherFocusReason)

    def _languages(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for code, title in languages().items():
            action = menu.addAction(title)
            action.setCheckable(True)
            action.setChecked(code == self.writer.language)
            action.triggered.connect(
                lambda checked=False, code=code: self.writer.write_in(code))
        menu.popup(self.language.mapToGlobal(self.language.rect().bottomLeft()))

    def _menu(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for index, draft in enumerate(self.writer.drafts):
            said = draft.title or writing.titled(Step("", (draft.body.split("\n")[0],)), index + 1)
            action = menu.addAction(f"{index + 1}  {said}")
            action.setCheckable(True)
            action.setChecked(index == self.writer.at)
            action.triggered.connect(lambda checked=False, index=index: self.writer.go(index))
        menu.popup(self.steps.mapToGlobal(self.steps.rect().bottomLeft()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._lay()

    def _lay(self) -> None:
        wide, high = self.width() - 32, self.height()
        self.lesson_title.setGeometry(16, 44, wide, 36)
        self.steps.setGeometry(16, 92, self.steps.sizeHint().width(), 32)
        tongue = self.language.sizeHint().width()
        self.language.setGeometry(16 + wide - tongue, 92, tongue, 32)
        self.title.setGeometry(16, 134, wide, 36)
        reveal = self.buttons["lesson-reveal"]
        rows = [("lesson-step", "lesson-drop", "lesson-pause"), ("lesson-try", "lesson-save", "lesson-record")]
        self.body.setGeometry(16, 178, wide, max(60, high - 178 - 40 * len(rows) - 56))
        self.ask.setGeometry(16, high - 40 * len(rows) - 48, self.ask.sizeHint().width(), 32)
        reveal.setGeometry(22 + self.ask.width(), self.ask.y(), reveal.sizeHint().width(), 32)
        for row, names in enumerate(rows):
            x = 16
            for name in names:
                button = self.buttons[name]
                size = button.sizeHint().width()
                button.setGeometry(x, high - 40 * (len(rows) - row) - 4, size, 32)
                x += size + 6

    def paintEvent(self, event: QPaintEvent) -> None:
        with faults.painting(self) as painter:
            painter.fillRect(QRectF(self.rect()), style.color("window"))
            said = tr("Recording: what you do becomes steps") if self.writer.records else tr("Recording is paused")
            style.write(painter, said, 16, 28, "accent-ink", size=13, weight=600, width=self.width() - 32)
