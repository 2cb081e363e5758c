"""The panel of a lesson beside the stage, and the question over it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QAccessible, QFocusEvent, QHelpEvent, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QFrame, QMenu, QScrollArea, QToolTip, QWidget

from visualizer import paint
from visualizer.language import tr
from visualizer.lesson import page as lessonpage
from visualizer.lesson.page import Page
from visualizer.lesson.progress import can_go, is_complete
from visualizer.scene import numbers
from visualizer.scene.outline import Branch, outline
from visualizer.scene.picture import Look
from visualizer.scene.type import plain_lines
from visualizer.ui import faults, icons, style
from visualizer.ui.buttons import Button, note_focus
from visualizer.ui.canvas import Canvas, words_at
from visualizer.ui.commands import find, keyed
from visualizer.ui.teaching import Teaching

WIDE, STRIP, FOOT = 320, 48, 104
"""Widths of the panel, and of what is left of it where it is folded; height of its buttons."""
QUESTION, LINE, ANSWER, GAP = 17, 24, 44, 8
"""Of the bar: type and leading of the question, height of an answer of one line, pixels between two."""
LEAST_ANSWER = 150
"""Pixels: narrower answers stand in rows of two."""


class LessonPanel(QWidget):
    """All that a learner reads, and the way through it."""

    heard_as = QAccessible.Role.Grouping

    folded_changed = Signal()

    def __init__(self, teaching: Teaching, run: Callable[[str], None], parent: QWidget) -> None:
        super().__init__(parent)
        self.teaching, self.run = teaching, run
        self.lies_over = False
        """Whether it lies over the stage, in a window that has no room for it beside that."""
        self.folded = False
        """Then: whether only a strip of it is seen."""
        self._at: tuple[object, ...] = ()
        self.words = Words(self)
        self.scroller = Scroller(self)
        self.scroller.setWidget(self.words)
        self.scroller.setFrameShape(QFrame.Shape.NoFrame)
        self.scroller.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        style.name(self.scroller, tr("The words of the lesson"))
        self.back = Button(tr("Back"), "", "raised", self)
        self.next = NextButton(self)
        self.plan = Button(tr("Steps"), "down", "flat", self)
        self.around = Button(tr("Look around"), "", "flat", self)
        self.close_button = Button("", "cross", "flat", self)
        self.fold = Button("", "previous", "flat", self)
        for button, name in ((self.back, "lesson-back"), (self.next, "lesson-next"),
                             (self.close_button, "lesson-leave"), (self.fold, "lesson-panel")):
            button.clicked.connect(lambda checked=False, name=name: run(name))
            style.name(button, find(name).title, keyed(find(name).tip, name))
        self.around.clicked.connect(lambda: run("lesson-return" if self._is_away() else "lesson-free"))
        self.plan.clicked.connect(self._menu)
        self.plan.pops = True
        style.name(self.plan, tr("Steps of the lesson"), tr("Go to one of them"))
        style.name(self, tr("Lesson"))
        teaching.changed.connect(self.show_page)
        self.dress()

    def dress(self) -> None:
        """What style sheets have to be told after the theme changed."""
        self.scroller.setStyleSheet(style.scroll_sheet())
        self.show_page()

    def show_page(self) -> None:
        """Set every part from the lesson."""
        page = self.teaching.page
        if page is None:
            return
        self.words.show_page(page)
        self.next.setText(lessonpage.next_words(page))
        style.name(self.next, self.next.text(), keyed(find("lesson-next").tip, "lesson-next"))
        self.next.done = is_complete(page.progress, page.lesson) or page.step.question is not None
        self.next.setEnabled(not self.teaching.locked)
        self.back.setEnabled(page.progress.step > 0 or page.progress.revealed)
        away = self._is_away()
        name = "lesson-return" if away else "lesson-free"
        self.around.setText(tr("Back to the step") if away else tr("Look around"))
        self.around.look = "raised" if away else "flat"
        style.name(self.around, find(name).title, keyed(find(name).tip, name))
        place = page.lesson.name, page.progress.step, page.progress.revealed
        if place != self._at:
            self._at, self.folded = place, False
            self.scroller.verticalScrollBar().setValue(0)
            if page.progress.revealed:
                self.scroller.ensureVisible(0, self.words.height())
                self.scroller.verticalScrollBar().setValue(self.words.height())
            self.folded_changed.emit()
        self._lay()

    def toggle(self) -> None:
        """Fold it to a strip, or unfold it, where it lies over the stage."""
        self.folded = self.lies_over and not self.folded
        self.folded_changed.emit()
        self._lay()

    def _is_away(self) -> bool:
        return self.teaching.free or self.teaching.astray

    def _menu(self) -> None:
        page = self.teaching.page
        if page is None:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)
        for index, step in enumerate(page.lesson.steps):
            action = menu.addAction(f"{index + 1}  {step.title}")
            action.setCheckable(True)
            action.setChecked(index == page.progress.step)
            action.setEnabled(can_go(page.progress, index))
            action.triggered.connect(partial(self.teaching.to, index))
        menu.addSeparator()
        menu.addAction(tr("From the beginning, with nothing predicted")).triggered.connect(
            lambda: self.teaching.again())
        menu.addSeparator()
        for name in ("lesson-print", "lesson-film", "lesson-quiz"):
            action = menu.addAction(find(name).title)
            action.setToolTip(keyed(find(name).tip, name))
            action.triggered.connect(lambda checked=False, name=name: self.run(name))
        menu.popup(self.plan.mapToGlobal(QPoint(0, -4 - menu.sizeHint().height())))

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.words.fit(WIDE - 12)
        self._lay()

    def _lay(self) -> None:
        whole = not (self.lies_over and self.folded)
        for widget in (self.scroller, self.plan, self.around, self.close_button):
            widget.setVisible(whole)
        self.fold.setVisible(self.lies_over)
        self.fold.icon_name = "previous" if whole else "next"
        high = self.height()
        if not whole:
            self.back.hide()
            self.next.hide()
            self.fold.setGeometry(8, 12, 32, 32)
            return
        self.back.show()
        self.next.show()
        self.close_button.setGeometry(WIDE - 40, 8, 32, 28)
        self.fold.setGeometry(WIDE - 76, 8, 32, 28)
        self.scroller.setGeometry(0, 0, WIDE - (0 if not self.lies_over else 2), max(0, high - FOOT))
        self.close_button.raise_()
        self.fold.raise_()
        back = max(72, self.back.sizeHint().width())
        self.back.setGeometry(16, high - FOOT + 10, back, 38)
        self.next.setGeometry(16 + back + 8, high - FOOT + 10, WIDE - 32 - back - 8, 38)
        self.plan.setGeometry(12, high - 46, self.plan.sizeHint().width(), 32)
        wide = self.around.sizeHint().width()
        self.around.setGeometry(WIDE - 16 - wide, high - 46, wide, 32)

    def paintEvent(self, event: QPaintEvent) -> None:
        with faults.painting(self) as painter:
            painter.fillRect(self.rect(), style.color("window"))
            if self.lies_over:
                painter.fillRect(QRectF(self.width() - 1, 0, 1, self.height()), style.color("rule"))


class Scroller(QScrollArea):
    """The frame in which the words scroll, by arrow keys as well."""

    heard_as = QAccessible.Role.Grouping

    def focusInEvent(self, event: QFocusEvent) -> None:
        note_focus(self, event)
        super().focusInEvent(event)


class Words(Canvas):
    """The words, as high as they are."""

    heard_as = QAccessible.Role.Document

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.page: Page | None = None
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.resize(WIDE - 12, 10)

    def show_page(self, page: Page) -> None:
        """Draw it anew."""
        self.page = page
        self.fit(self.width())

    def fit(self, wide: int) -> None:
        """The same at another width."""
        if self.page is not None:
            self.show_picture(lessonpage.panel(self.page, wide, Look(theme=style.theme_name())))
            self.resize(*self.picture.size)
            self.setAccessibleName(tr("Lesson"))

    def heard_parts(self) -> tuple[Branch, ...]:
        """Its paragraphs."""
        return outline(self.picture, texts=True)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            said = words_at(self.picture, event.pos().x(), event.pos().y())
            QToolTip.showText(event.globalPos(), said, self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        with faults.painting(self) as painter:
            paint.paint(self.picture, painter, transparent=True)


class NextButton(Button):
    """The way forward: filled, as soon as the step is complete."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("", "", "primary", parent, 14, 600)
        self.done = True

    def paintEvent(self, event: QPaintEvent) -> None:
        place = QRectF(self.rect())
        filled = self.done and self.isEnabled()
        with faults.painting(self) as painter:
            if filled:
                style.fill(painter, place, "accent" if self.underMouse() else "accent-fill", 8)
            else:
                style.fill(painter, place, "raised" if self.isEnabled() else "sunk", 8, "rule")
            token = "on-accent" if filled else "ink" if self.isEnabled() else "ink-2"
            left = max(10.0, (place.width() - style.text_width(self.text(), 14, 600)) / 2)
            style.write(painter, self.text(), left, place.center().y() + 5, token, size=14, weight=600,
                        width=place.width() - 20)


class QuestionBar(QWidget):
    """What is asked, over the stage, and the answers to it: each a button with its number."""

    heard_as = QAccessible.Role.Grouping

    def __init__(self, teaching: Teaching, parent: QWidget) -> None:
        super().__init__(parent)
        self.teaching = teaching
        self.buttons: list[AnswerButton] = []
        self.lines: tuple[str, ...] = ()
        self._for: tuple[object, ...] = ()
        style.name(self, tr("Question of the lesson"))
        teaching.changed.connect(self.show_page)
        self.show_page()

    @property
    def asked(self) -> bool:
        """Whether the step has a question."""
        page = self.teaching.page
        return page is not None and page.step.question is not None

    def show_page(self) -> None:
        """Set every part from the lesson."""
        page = self.teaching.page
        question = None if page is None else page.step.question
        if page is None or question is None:
            return
        if (page.lesson.name, page.progress.step) != self._for:
            self._for = page.lesson.name, page.progress.step
            for old in self.buttons:
                old.hide()
                old.deleteLater()
            self.buttons = [AnswerButton(number, self) for number in range(1, len(question.offered) + 1)]
            for button in self.buttons:
                button.clicked.connect(partial(self.teaching.answer, button.number))
                button.show()
        for button in self.buttons:
            button.show_page(page)
        self.setAccessibleDescription(page.bare(question.words))
        self.fit(self.width())
        self.update()

    def said(self) -> str:
        """The question; behind the reveal what was found."""
        page = self.teaching.page
        if page is None or page.step.question is None:
            return ""
        return page.bare(page.step.reveal[0] if page.progress.revealed and page.step.reveal
                         else page.step.question.words)

    def fit(self, wide: int) -> int:
        """Lay it out at a width; how high it is then."""
        if not self.asked or not self.buttons:
            return 0
        self.lines = plain_lines(self.said(), QUESTION, wide - 32, 600)[:3]
        top = 12 + LINE * len(self.lines) + 6
        inner, count = wide - 32, len(self.buttons)
        columns = next((some for some in (count, 3, 2) if some <= count and self._fit((inner + GAP) // some - GAP)),
                       2 if inner >= 2 * LEAST_ANSWER + GAP else 1)
        each = (inner - GAP * (columns - 1)) // columns
        y = top
        for first in range(0, count, columns):
            row = self.buttons[first:first + columns]
            high = ANSWER + 17 * (max(button.rows(each) for button in row) - 1)
            for place, button in enumerate(row):
                button.setGeometry(QRect(16 + place * (each + GAP), y, each, high))
            y += high + GAP
        return y + 4

    def _fit(self, wide: int) -> bool:
        """Whether every answer stands on two lines at most in so many pixels."""
        return wide >= LEAST_ANSWER and all(button.rows(wide) <= 2 for button in self.buttons)

    def paintEvent(self, event: QPaintEvent) -> None:
        with faults.painting(self) as painter:
            style.fill(painter, QRectF(0, 0, self.width(), self.height() - 4), "stage", 10, "hair")
            for number, line in enumerate(self.lines):
                style.write(painter, line, 16, 29 + LINE * number, size=QUESTION, weight=600, width=self.width() - 32)


class AnswerButton(Button):
    """One answer. Its votes stand at its right; behind the reveal the right one has a frame, a tint and a tick."""

    heard_as = QAccessible.Role.RadioButton

    def __init__(self, number: int, parent: QWidget) -> None:
        super().__init__("", "", "answer", parent)
        self.number = number
        self.page: Page | None = None

    def show_page(self, page: Page) -> None:
        """Set it from the lesson."""
        self.page = page
        question = page.step.question
        assert question is not None
        self.setText(page.bare(question.offered[self.number - 1].words))
        self.setEnabled(page.asked)
        self.setCheckable(True)
        self.setChecked(self.is_mine)
        said = tr("Answer {number}: {answer}").format(number=self.number, answer=self.text())
        style.name(self, ", ".join(part for part in (said, tr("the right one") if self.is_right else "",
                                                     tr("yours") if self.is_mine else "", self.votes()) if part),
                   tr("{answer} ({key})").format(answer=self.text(), key=self.number))
        self.update()

    @property
    def is_right(self) -> bool:
        """Whether it is the right one, and that is known."""
        question = None if self.page is None else self.page.step.question
        return self.page is not None and question is not None and self.page.progress.revealed \
            and question.right == self.number

    @property
    def is_mine(self) -> bool:
        """Whether it is what was predicted."""
        return self.page is not None and self.page.progress.answer(self.page.progress.step)[0] == self.number

    def votes(self) -> str:
        """`14 of 27`."""
        counts = () if self.page is None else self.page.progress.tally(self.page.progress.step)
        return tr("{count} of {all}").format(count=numbers.count(counts[self.number - 1]),
                                             all=numbers.count(sum(counts))) if sum(counts) else ""

    def _room(self, wide: float) -> float:
        votes = self.votes()
        return wide - 44 - (style.text_width(votes, 12, 500) + 10 if votes else 0) - (20 if self.is_right else 0)

    def rows(self, wide: float) -> int:
        """On how many lines its words stand."""
        return max(1, len(plain_lines(self.text(), 14, max(40.0, self._room(wide)), 600)))

    def paintEvent(self, event: QPaintEvent) -> None:
        place = QRectF(self.rect())
        with faults.painting(self) as painter:
            ground = "tint" if self.is_right or (self.is_mine and self.isEnabled()) else \
                "sunk" if self.underMouse() and self.isEnabled() else "raised"
            style.fill(painter, place, ground, 8, "rule")
            if self.is_right or self.is_mine:
                painter.setPen(QPen(style.color("accent"), 2 if self.is_right else 1.5))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(place.adjusted(1, 1, -1, -1), 7, 7)
            lines = plain_lines(self.text(), 14, max(40.0, self._room(place.width())), 600)
            first = place.center().y() + 5 - 8.5 * (len(lines) - 1)
            style.write(painter, f"{self.number}", 14, first, "accent-ink", size=15, weight=600)
            for number, line in enumerate(lines):
                style.write(painter, line, 36, first + 17 * number, size=14, weight=600 if self.is_right else 500,
                            width=self._room(place.width()))
            style.write(painter, self.votes(), place.width() - (30 if self.is_right else 12), first, "ink-2", size=12,
                        anchor="end")
            if self.is_right:
                icons.draw(painter, "tick", QRectF(place.width() - 24, first - 12, 16, 16), style.color("accent"), 2)
