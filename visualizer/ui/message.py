"""Message: one sentence over the stage that says what happened. Never a dialog."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from visualizer import paint
from visualizer.language import tr
from visualizer.ui import style
from visualizer.ui.buttons import Button


class Message(QWidget):
    """One sentence that says what happened, and a button to put it away. Never a dialog."""

    closed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.words = ""
        self.act: Callable[[], None] | None = None
        self.action = Button("", "", "link", self)
        self.action.clicked.connect(lambda: self.act() if self.act is not None else None)
        self.action.hide()
        self.close_button = Button("", "cross", "flat", self)
        self.close_button.clicked.connect(lambda: self.dismiss())
        style.name(self.close_button, tr("Close this message"))
        self.hide()

    def show_words(self, sentence: str, action: str = "", act: Callable[[], None] | None = None) -> None:
        """Another sentence, and what can be done about it: a word, and what it calls."""
        self.words, self.act = sentence, act
        self.action.setText(action)
        style.name(self.action, action, sentence)
        self.action.setVisible(bool(action))
        self.setAccessibleName(sentence)
        self.setToolTip(sentence)
        self._lay_action()
        self.show()
        self.update()

    def dismiss(self) -> bool:
        """Put it away; False if there was none."""
        was = self.isVisible()
        self.hide()
        self.closed.emit()
        return was

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.close_button.setGeometry(self.width() - 36, (self.height() - 28) // 2, 28, 28)
        self._lay_action()

    def _lay_action(self) -> None:
        """Right after the sentence."""
        wide = self.action.sizeHint().width()
        x = min(16 + round(style.text_width(self.words)) + 16, self.width() - 48 - wide)
        self.action.setGeometry(x, (self.height() - 28) // 2, wide, 28)

    def paintEvent(self, event: QPaintEvent) -> None:
        with paint.painting(self) as painter:
            style.fill(painter, QRectF(self.rect()), "sunk", 8)
            style.fill(painter, QRectF(0, 6, 3, self.height() - 12), "accent", 1.5)
            room = self.width() - 60 - (self.action.width() + 16 if self.act is not None else 0)
            style.write(painter, self.words, 16, self.height() / 2 + 4.7, width=room)
