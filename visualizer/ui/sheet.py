"""A sheet: a page that lies over the whole window and scrolls, until a key or a click puts it away."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, Qt, Signal
from PySide6.QtGui import QAccessible, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from visualizer.language import tr
from visualizer.ui import faults, style
from visualizer.ui.buttons import note_focus
from visualizer.ui.cover import tab_within

Key = Qt.Key
TOP = 84
"""Height of the title."""
SCROLLS = {Key.Key_Down: 60, Key.Key_Up: -60, Key.Key_PageDown: 500, Key.Key_PageUp: -500, Key.Key_Home: -1 << 20,
           Key.Key_End: 1 << 20}


class Sheet(QWidget):
    """Arrows and the wheel scroll it; any other key closes it."""

    heard_as = QAccessible.Role.Dialog

    closed = Signal()

    def __init__(self, title: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.title = title
        self.scrolled = 0.0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        style.name(self, title)

    def focusInEvent(self, event: QFocusEvent) -> None:
        note_focus(self, event)
        super().focusInEvent(event)

    def whole(self) -> float:
        """How high it would be with everything on it."""
        raise NotImplementedError

    def draw(self, painter: QPainter, y: float) -> None:
        """Everything below the title, which begins at a height."""
        raise NotImplementedError

    def scroll_by(self, pixels: float) -> None:
        """Up to the ends."""
        self.scrolled = min(max(0.0, self.scrolled + pixels), max(0.0, self.whole() - self.height() + 24))
        self.update()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def focusNextPrevChild(self, forwards: bool) -> bool:
        return tab_within(self, forwards)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Key(event.key())
        if key in SCROLLS:
            self.scroll_by(SCROLLS[key])
        else:
            self.closed.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.scroll_by(-event.angleDelta().y() / 2)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.closed.emit()

    def resizeEvent(self, event: QEvent) -> None:  # type: ignore[override]
        self.scroll_by(0)

    def paintEvent(self, event: QPaintEvent) -> None:
        with faults.painting(self) as painter:
            painter.fillRect(self.rect(), style.color("window"))
            self.draw(painter, TOP - self.scrolled)
            painter.fillRect(QRectF(0, 0, self.width(), TOP - 24), style.color("window"))
            used = style.write(painter, self.title, 24, 40, size=20, weight=600)
            style.write(painter, tr("arrow keys scroll, any other key closes this sheet"), 24 + used + 14, 40, "ink-2",
                        size=13, weight=400)
