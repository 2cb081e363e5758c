"""The key sheet: every command and its keys, made from the table of commands; and the screen that blanks."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRectF, Qt, Signal
from PySide6.QtGui import QAccessible, QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPaintEvent
from PySide6.QtWidgets import QWidget

from visualizer.language import tr
from visualizer.ui import faults, style
from visualizer.ui.buttons import Button, note_focus
from visualizer.ui.commands import Command, Context, key_for, keyed, keys_words
from visualizer.ui.cover import tab_within

ROW, HEAD = 24, 34
COLUMN, NARROWEST = 352, 320
GAP = 14
"""Pixels between the longest key of a column and what the keys do."""


class KeySheet(QWidget):
    """Lies over the whole window until a key or a click puts it away."""

    heard_as = QAccessible.Role.Dialog

    closed = Signal()
    words_wanted = Signal()
    """What the words mean, in its place."""

    def __init__(self, commands: Sequence[Command], parent: QWidget, context: Context = Context.WINDOW) -> None:
        super().__init__(parent)
        self.commands = tuple(command for command in commands if command.keys_in(context))
        self.context = context
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.words_button = Button(tr("What the words mean"), "", "raised", self)
        self.words_button.clicked.connect(self.words_wanted)
        style.name(self.words_button, tr("What the words mean"), keyed(tr("Every word of the app that is not plain"),
                                                                       "keys"))
        style.name(self, tr("Keys"))
        self.setAccessibleDescription("; ".join(f"{keys_words(command, context)}: {command.title}"
                                                for command in self.commands))

    def focusInEvent(self, event: QFocusEvent) -> None:
        note_focus(self, event)
        super().focusInEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def focusNextPrevChild(self, forwards: bool) -> bool:
        return tab_within(self, forwards)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_F1:
            self.words_wanted.emit()
        else:
            self.closed.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self.words_button.geometry().contains(event.position().toPoint()):
            self.words_wanted.emit()
        else:
            self.closed.emit()

    def resizeEvent(self, event: QEvent) -> None:  # type: ignore[override]
        wide = self.words_button.sizeHint().width()
        self.words_button.setGeometry(self.width() - 24 - wide, 33, wide, 32)

    def paintEvent(self, event: QPaintEvent) -> None:
        groups: dict[str, list[Command]] = {}
        for command in self.commands:
            groups.setdefault(command.menu, []).append(command)
        with faults.painting(self) as painter:
            painter.fillRect(self.rect(), style.color("window"))
            across = max(1, min(4, (self.width() - 48) // NARROWEST))
            columns = _columns(list(groups.items()), across)
            column_wide = min(COLUMN, (self.width() - 48) // across)
            wide = len(columns) * column_wide
            tallest = max(sum(HEAD + ROW * len(found) for _, found in column) for column in columns)
            tight = min(1.0, (self.height() - 80) / tallest)
            left, top = max(24.0, (self.width() - wide) / 2), 56.0
            used = style.write(painter, tr("Keys"), left, top, size=20, weight=600)
            style.write(painter, tr("any key closes this sheet; {key} again says what the words mean").format(
                key=key_for("keys")), left + used + 14, top, "ink-2", size=13, weight=400)
            for number, column in enumerate(columns):
                y = top + 8
                keys = max(style.text_width(keys_words(command, self.context), 12, 500, mono=True)
                           for _, found in column for command in found) + GAP
                for title, found in column:
                    y += HEAD * tight
                    x = left + number * column_wide
                    style.write(painter, title, x, y, "accent-ink", size=13, weight=600)
                    for command in found:
                        y += ROW * tight
                        style.write(painter, keys_words(command, self.context), x, y, size=12, weight=500, mono=True)
                        style.write(painter, command.title, x + keys, y, "ink-2", size=13, weight=400,
                                    width=column_wide - keys - 8)


def _columns(groups: list[tuple[str, list[Command]]], across: int) -> list[list[tuple[str, list[Command]]]]:
    """The groups in their order, spread over columns of about the same height."""
    total = sum(HEAD + ROW * len(found) for _, found in groups)
    columns: list[list[tuple[str, list[Command]]]] = [[]]
    high = 0.0
    for title, found in groups:
        mine = HEAD + ROW * len(found)
        if columns[-1] and high + mine / 2 > total / across and len(columns) < across:
            columns.append([])
            high = 0.0
        columns[-1].append((title, found))
        high += mine
    return columns


class Blank(QWidget):
    """One colour over everything, until any key or a click."""

    closed = Signal()

    def __init__(self, color: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.color = QColor(color)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        style.name(self, tr("Blank screen"))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def focusNextPrevChild(self, forwards: bool) -> bool:
        return tab_within(self, forwards)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self.closed.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.closed.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        with faults.painting(self) as painter:
            painter.fillRect(QRectF(self.rect()), self.color)
