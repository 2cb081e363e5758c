"""Message: one sentence over the stage that says what happened. Never a dialog."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QAccessible, QPaintEvent
from PySide6.QtWidgets import QWidget

from visualizer.language import tr
from visualizer.scene.picture import Run
from visualizer.scene.type import Runs, wrap
from visualizer.ui import faults, style
from visualizer.ui.buttons import Button
from visualizer.ui.heard import announce

WIDEST, MARGIN, LEFT = 720, 12, 16
"""Pixels: how wide it is at most, how far from the edges of the stage, and where its words begin."""
LINE, PADDING, CLOSE = 18, 22, 44


class Message(QWidget):
    """One sentence that floats over the foot of the stage, and a button to put it away: the picture below keeps its
    size."""

    heard_as = QAccessible.Role.AlertMessage

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.words = ""
        self.lines: tuple[str, ...] = ()
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
        self.show()
        self.update()
        announce(self, sentence)

    def dismiss(self) -> bool:
        """Put it away; False if there was none."""
        was = self.isVisible()
        self.hide()
        return was

    def place(self, stage: QRect) -> None:
        """Over the foot of the stage, in its middle, as wide as its words: on several lines where one has no room."""
        wide_action = self.action.sizeHint().width() + LEFT if self.act is not None else 0
        around = LEFT + wide_action + CLOSE
        room = min(stage.width() - 2 * MARGIN, WIDEST) - around
        set_in_lines: tuple[Runs, ...] = wrap((Run(self.words),), 13, max(room, 1), 500)
        self.lines = tuple("".join(run.text for run in line) for line in set_in_lines)
        wide = round(max(map(style.text_width, self.lines), default=0) + 0.5) + around
        high = PADDING + LINE * len(self.lines)
        self.setGeometry(stage.center().x() - wide // 2, stage.bottom() + 1 - MARGIN - high, wide, high)
        self.close_button.setGeometry(wide - 36, (high - 28) // 2, 28, 28)
        self.action.setGeometry(wide - CLOSE - wide_action + LEFT, (high - 28) // 2, max(0, wide_action - LEFT), 28)
        self.raise_()

    def paintEvent(self, event: QPaintEvent) -> None:
        with faults.painting(self) as painter:
            style.fill(painter, QRectF(self.rect()), "raised", 8, "rule")
            style.fill(painter, QRectF(0, 8, 3, self.height() - 16), "accent", 1.5)
            for number, line in enumerate(self.lines):
                style.write(painter, line, LEFT, PADDING / 2 + LINE * number + 13.5, width=self.width() - LEFT - CLOSE)
