"""Empty: what the stage says while nothing is open."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from visualizer.language import tr
from visualizer.ui import faults, style
from visualizer.ui.buttons import Button
from visualizer.ui.commands import keyed


class Empty(QWidget):
    """One sentence and two buttons."""

    def __init__(self, run: Callable[[str], None], parent: QWidget) -> None:
        super().__init__(parent)
        self.open_button = Button(tr("Open…"), "folder", "raised", self)
        self.open_button.clicked.connect(lambda: run("open"))
        self.draw_button = Button(tr("Draw a digit"), "pencil", "raised", self)
        self.draw_button.clicked.connect(lambda: run("draw"))
        style.name(self.open_button, tr("Open"), keyed(tr("Open a model, a recording or an image"), "open"))
        style.name(self.draw_button, tr("Draw a digit"), keyed(tr("Draw the input yourself"), "draw"))

    def resizeEvent(self, event: QResizeEvent) -> None:
        widths = [button.sizeHint().width() + 8 for button in (self.open_button, self.draw_button)]
        x, y = (self.width() - sum(widths) - 12) // 2, self.height() // 2 + 8
        self.open_button.setGeometry(x, y, widths[0], 32)
        self.draw_button.setGeometry(x + widths[0] + 12, y, widths[1], 32)

    def paintEvent(self, event: QPaintEvent) -> None:
        with faults.painting(self) as painter:
            style.fill(painter, QRectF(self.rect()), "stage", 10, "hair")
            style.write(painter, tr("Choose a model on the left, or open one of your own."), self.width() / 2,
                        self.height() / 2 - 20, size=17, weight=500, anchor="middle", width=self.width() - 48)
