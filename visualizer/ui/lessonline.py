"""The line of a lesson under the stage: its steps by their names, those that are done, where one is, those to come."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QAccessible, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from visualizer.language import tr
from visualizer.lesson import page as lessonpage
from visualizer.lesson.page import Page
from visualizer.lesson.progress import can_go
from visualizer.scene.type import elide, plain_lines
from visualizer.ui import faults, style
from visualizer.ui.buttons import Button
from visualizer.ui.teaching import Teaching

DOT, HEAD, LEADING, TYPE, LINES = 5.5, 26, 15, 12, 2
"""Radius of a dot, what stands over the names, leading and type of those, and on how many lines a name stands."""


class LessonLine(QWidget):
    """One dot and name a step; a click goes there, where that was shown or comes next."""

    heard_as = QAccessible.Role.Grouping

    def __init__(self, teaching: Teaching, parent: QWidget) -> None:
        super().__init__(parent)
        self.teaching = teaching
        self.buttons: list[StepButton] = []
        self._for: tuple[str, ...] = ()
        style.name(self, tr("Steps of the lesson"))
        teaching.changed.connect(self.show_page)
        self.show_page()

    def show_page(self) -> None:
        """Set every step from the lesson."""
        page = self.teaching.page
        if page is None:
            return
        titles = tuple(step.title for step in page.lesson.steps)
        if titles != self._for:
            self._for = titles
            for old in self.buttons:
                old.hide()
                old.deleteLater()
            self.buttons = [StepButton(index, title, self) for index, title in enumerate(titles)]
            for button in self.buttons:
                button.clicked.connect(partial(self.teaching.to, button.index))
                button.show()
            self.fit(self.width())
        for button in self.buttons:
            button.show_page(page)
        self.update()

    def fit(self, wide: int) -> int:
        """Share a width among the steps; how high the line is then."""
        if not self.buttons:
            return 0
        each = wide / len(self.buttons)
        high = HEAD + LEADING * max(len(button.lines(each)) for button in self.buttons) + 6
        for button in self.buttons:
            left = round(button.index * each)
            button.setGeometry(left, 0, round((button.index + 1) * each) - left, high)
        return high

    def paintEvent(self, event: QPaintEvent) -> None:
        page = self.teaching.page
        if page is None or not self.buttons:
            return
        with faults.painting(self) as painter:
            middles = [button.geometry().center().x() + 0.5 for button in self.buttons]
            for token, end in (("rule", len(middles) - 1), ("accent", page.progress.step)):
                painter.fillRect(QRectF(middles[0], HEAD / 2 - 0.75, middles[end] - middles[0], 1.5),
                                 style.color(token))


class StepButton(Button):
    """One step: a full dot where it was shown, with a ring where one is, an empty one where it is to come."""

    heard_as = QAccessible.Role.RadioButton

    def __init__(self, index: int, title: str, parent: QWidget) -> None:
        super().__init__(title, "", "step", parent, TYPE)
        self.index = index
        self.is_done = False
        self.setCheckable(True)

    def show_page(self, page: Page) -> None:
        """Set it from the lesson."""
        self.is_done = self.index <= page.progress.reached
        self.setChecked(self.index == page.progress.step)
        self.setEnabled(can_go(page.progress, self.index))
        said = lessonpage.step_tip(page, self.index)
        style.name(self, said, said)
        self.update()

    def nextCheckState(self) -> None:
        """A click goes to the step; that one is there, the lesson says."""

    def lines(self, wide: float) -> tuple[str, ...]:
        """Its name on as many lines as there are in that width, cut where it is longer."""
        room = wide - 10
        found = tuple(plain_lines(self.text(), TYPE, room, 600))
        if len(found) > LINES:
            found = (*found[:LINES - 1], " ".join(found[LINES - 1:]))
        return tuple(elide(line, TYPE, room, 600) for line in found)

    def paintEvent(self, event: QPaintEvent) -> None:
        middle, wide = self.width() / 2, self.width()
        with faults.painting(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            if self.underMouse() and self.isEnabled():
                style.fill(painter, QRectF(2, 0, wide - 4, self.height() - 2), "sunk", 8)
            radius = DOT
            place = QRectF(middle - radius, HEAD / 2 - radius, 2 * radius, 2 * radius)
            full = self.is_done or self.isChecked()
            style.fill(painter, place, "accent" if full else "window", radius)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            if not full:
                painter.setPen(QPen(style.color("border"), 1.5))
                painter.drawEllipse(place)
            if self.isChecked():
                painter.setPen(QPen(style.color("accent"), 1.5))
                painter.drawEllipse(place.adjusted(-3, -3, 3, 3))
            ink = "accent-ink" if self.isChecked() else "ink" if self.isEnabled() else "ink-2"
            for number, line in enumerate(self.lines(wide)):
                style.write(painter, line, middle, HEAD + 11 + LEADING * number, ink, size=TYPE,
                            weight=600 if self.isChecked() else 500, anchor="middle")
