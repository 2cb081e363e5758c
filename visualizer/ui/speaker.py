"""Speaker: what whoever presents sees and the audience does not."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QRectF, Qt, SignalInstance
from PySide6.QtGui import QAccessible, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from visualizer import paint
from visualizer.language import tr
from visualizer.lesson import bare, progress
from visualizer.lesson import page as lessonpage
from visualizer.scene import spotlight
from visualizer.scene.picture import Picture
from visualizer.scene.timeline import Moment
from visualizer.ui import faults, style, words
from visualizer.ui.buttons import Button
from visualizer.ui.canvas import EMPTY, Canvas
from visualizer.ui.commands import find, key_for, keyed
from visualizer.ui.commands.presenting import BLACK, WHITE
from visualizer.ui.store import Store


class Talk(Protocol):
    """What is presented, as far as the speaker sees it."""

    store: Store
    changed: SignalInstance
    audience: Canvas | None
    speaker: QWidget | None
    picture: Picture
    """What the audience sees, without the pen."""
    on: bool
    frozen: bool
    blank: str
    pen: bool
    spotlight: bool
    alone: spotlight.Lit | None
    typed: str
    seconds: int

    def run(self, name: str) -> None:
        """Do the command of that name."""

    def leave(self) -> None:
        """End it."""

    def size(self) -> tuple[int, int]:
        """The screen that is drawn for."""

    def shown(self) -> Picture:
        """What the audience sees."""

    def picture_of(self, moment: Moment) -> Picture:
        """What it would see at another moment."""

    @property
    def page(self) -> lessonpage.Page | None:
        """What is shown of the lesson that is open."""

    @property
    def pace(self) -> tuple[int, int]:
        """Seconds spent in the step of a lesson, and about how many it has."""

    def coming(self) -> Picture | None:
        """The slide that comes next in a lesson."""

    def spoken_of(self) -> str:
        """The beat that notes belong to."""

    def part_name(self) -> str:
        """What the spotlight stands on."""

    def note(self) -> str:
        """What the speaker has written to the step of a lesson, or to the beat."""

    def write_note(self, words: str) -> None:
        """Keep other notes there."""

    def notes_can_be_filed(self) -> bool:
        """Whether there are notes to a lesson of one's own, into whose file they can go."""


class Speaker(QWidget):
    """What the speaker sees over the window, or on one screen over the picture: what the audience sees, what comes
    next, the notes, clock and place."""

    def __init__(self, presenter: Talk, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_NoMousePropagation)  # the pen does not draw through it
        self.presenter = presenter
        self.now, self.next = Preview(self), Preview(self)
        self.notes = QPlainTextEdit(self)
        self.notes.setTabChangesFocus(True)
        self.file = Button(tr("Into the file"), "", "flat", self)
        self.file.clicked.connect(lambda: presenter.run("lesson-notes"))
        style.name(self.file, find("lesson-notes").title, keyed(find("lesson-notes").tip, "lesson-notes"))
        self.buttons = [Button(title, "", "raised", self) for title in (
            tr("Back"), tr("Next"), tr("Freeze"), tr("Black"), tr("Spotlight"), tr("Pen"), tr("Window"))]
        names = ("back", "next", "freeze", "black", "spotlight", "pen", "speaker")
        for button, name in zip(self.buttons, names, strict=True):
            button.clicked.connect(lambda checked=False, name=name: presenter.run(self._meant(name)))
            style.name(button, find(name).title, keyed(find(name).tip, name))
        self.buttons.append(Button(tr("End"), "", "raised", self))
        self.buttons[-1].clicked.connect(presenter.leave)
        style.name(self.buttons[-1], tr("End presenting"), keyed(tr("The window as it was; nothing is lost"), "out"))
        self._coming: tuple[object, ...] = ()
        self._name_notes(presenter.page is not None)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        style.name(self, tr("Speaker view"))
        self.notes.textChanged.connect(self._written)
        presenter.changed.connect(self.refresh)
        self.dress()

    def _meant(self, name: str) -> str:
        """On and back go through the lesson where one is open."""
        found = {"back": "lesson-back", "next": "lesson-next"}
        return found.get(name, name) if self.presenter.page is not None else name

    def dress(self) -> None:
        """What style sheets have to be told after the theme changed."""
        self.notes.setFont(style.font(15, 400))
        self.notes.setStyleSheet(f"QPlainTextEdit {{ background: {style.color('raised').name()}; color: "
                                 f"{style.color('ink').name()}; border: 1px solid {style.color('rule').name()}; "
                                 "border-radius: 8px; padding: 8px; }")

    def refresh(self) -> None:
        """Another beat, or another way of showing it."""
        presenter = self.presenter
        trace, state, times, moment = (presenter.store.trace, presenter.store.state, presenter.store.timeline,
                                       presenter.store.moment)
        if trace is None or moment is None or presenter.speaker is not self:
            return
        audience = presenter.audience
        self.now.show_picture(audience.picture if audience is not None else presenter.shown())
        coming, page = min(moment.index + 1, len(times.beats) - 1), presenter.page
        wanted: tuple[object, ...] = (id(trace), coming, state.view, state.focus, state.look, presenter.size())
        if page is not None:
            self._coming = ()
            self.next.show_picture(presenter.coming() or EMPTY)
        elif wanted != self._coming:  # not in every frame of what plays
            self._coming = wanted
            self.next.show_picture(EMPTY if coming == moment.index else presenter.picture_of(
                times.settled(coming)))
        written = presenter.note()
        self._name_notes(page is not None)
        if self.notes.toPlainText() != written:
            self.notes.blockSignals(True)
            self.notes.setPlainText(written)
            self.notes.blockSignals(False)
        self.update()

    def _name_notes(self, taught: bool) -> None:
        """What the notes belong to: a step of a lesson, or a beat."""
        said = tr("Notes for this step") if taught else tr("Notes for this beat")
        self.notes.setPlaceholderText(tr("{notes}. Page keys go on presenting.").format(notes=keyed(said, "notes")))
        style.name(self.notes, said, keyed(
            tr("Kept with your place in the lesson; nobody but you sees them") if taught else
            tr("Kept in the session; nobody but you sees them"), "notes"))
        self.file.setVisible(self.presenter.notes_can_be_filed())

    def _written(self) -> None:
        self.presenter.write_note(self.notes.toPlainText())
        self.file.setVisible(self.presenter.notes_can_be_filed())

    def resizeEvent(self, event: QResizeEvent) -> None:
        wide, high = self.width(), self.height()
        left = round((wide - 72) * 0.6)
        self.now.setGeometry(24, 88, left, min(round(left * 9 / 16), high - 248))
        right = wide - 72 - left
        self.next.setGeometry(48 + left, 88, right, round(right * 9 / 16))
        top = 88 + self.next.height() + 40
        self.notes.setGeometry(48 + left, top, right, max(80, high - top - 80))
        self.file.setGeometry(wide - 24 - self.file.sizeHint().width(), top - 36, self.file.sizeHint().width(), 32)
        x = 24
        for button in self.buttons:
            size = button.sizeHint()
            button.setGeometry(x, high - 56, max(64, size.width()), 36)
            x += button.width() + 8

    def paintEvent(self, event: QPaintEvent) -> None:
        presenter, store = self.presenter, self.presenter.store
        with faults.painting(self) as painter:
            painter.fillRect(self.rect(), style.color("window"))
            moment, times = store.moment, store.timeline
            if moment is None:
                return
            page = presenter.page
            at = words.beat(moment.index + 1, len(times.beats)) if page is None else lessonpage.step_words(page)
            style.write(painter, at, 24, 48, size=20, weight=600)
            clock = clock_words(presenter.seconds)
            spent, given = presenter.pace
            if page is not None and given:
                late = spent > given
                said = tr("{spent} of {given} in this step").format(spent=clock_words(spent), given=clock_words(given))
                style.write(painter, said, self.width() - 24, 72, "negative-text" if late else "ink-2", size=13,
                            weight=600 if late else 500, anchor="end")
            style.write(painter, clock, self.width() - 24, 48, size=26, weight=600, anchor="end")
            style.write(painter, " · ".join(self._conditions()), 24, 74, "accent-ink", size=13, weight=600,
                        width=self.now.width())
            following = min(moment.index + 1, len(times.beats) - 1)
            coming = _what_comes(page) if page is not None else tr("This is the last beat") \
                if following == moment.index else tr("Next: {beat}").format(beat=times.beats[following].address)
            style.write(painter, coming, self.next.x(), 74, "ink-2", size=13, weight=600)
            kept = tr("Notes") if page is None else tr("Notes, kept with the lesson")
            style.write(painter, kept, self.notes.x(), self.notes.y() - 12, "ink-2", size=13, weight=600)
            self._sentence(painter, self.now.y() + self.now.height() + 32)

    def _conditions(self) -> list[str]:
        """What the speaker must not forget: held, blank, pen."""
        presenter = self.presenter
        page = presenter.page
        found = [presenter.store.moment.beat.address if presenter.store.moment is not None else ""]
        if page is not None:
            found = [page.step.title, *filter(None, [lessonpage.tally_words(page)])]
        for holds, said in ((not presenter.on, tr("not presenting: {key}").format(key=key_for("present"))),
                            (presenter.frozen, tr("audience frozen")),
                            (presenter.blank == BLACK, tr("black")), (presenter.blank == WHITE, tr("white")),
                            (presenter.pen, tr("pen")), (presenter.alone is not None, tr("one part alone"))):
            if holds:
                found.append(said)
        if presenter.spotlight:
            found.append(tr("spotlight on {part}").format(part=presenter.part_name()))
        if presenter.typed:
            found.append(tr("to beat {number}: Enter").format(number=presenter.typed))
        return found

    def _sentence(self, painter: QPainter, y: float) -> None:
        """What the picture says: the sentence to be spoken; in a lesson what its notes say of the step."""
        page = self.presenter.page
        said = self.presenter.picture.caption if page is None else bare(page.step.notes)
        painter.setPen(style.color("ink"))
        painter.setFont(style.font(17, 500))
        painter.drawText(QRectF(24, y - 18, self.now.width(), self.height() - y - 50),
                         Qt.TextFlag.TextWordWrap, said)


def _what_comes(page: lessonpage.Page) -> str:
    """What the next press does: `Next: reveal, 2 about 10 %`."""
    if page.asked:
        question = page.step.question
        assert question is not None
        return tr("Next: reveal ({number}, {answer})").format(
            number=question.right, answer=page.bare(question.answers[question.right - 1].words))
    following = progress.forward(page.progress, page.lesson)
    return tr("This is the last step") if following.ended else lessonpage.next_words(page)


class Preview(QWidget):
    """A picture for a room, small."""

    heard_as = QAccessible.Role.Graphic

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.picture = EMPTY
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def show_picture(self, picture: Picture) -> None:
        self.picture = picture
        self.setAccessibleName(picture.caption)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        with faults.painting(self) as painter:
            style.fill(painter, QRectF(self.rect()), "sunk", 8)
            if self.picture is EMPTY:
                return
            wide, high = self.picture.size
            scale = min(self.width() / wide, self.height() / high)
            painter.translate((self.width() - wide * scale) / 2, (self.height() - high * scale) / 2)
            painter.scale(scale, scale)
            paint.paint(self.picture, painter)


def clock_words(seconds: int) -> str:
    """`12:05`, `1:02:05`."""
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"
