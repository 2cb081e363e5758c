"""The shell: what is seen first. The window with its frame, painted before anything else is imported; then it holds
the whole window.

Brings nothing but Qt and the tokens of the theme.
"""

from __future__ import annotations

import json

from PySide6.QtCore import QPoint, QRectF, QSize, Qt, QTimer, Signal  # noqa: TID251 waits for the end of a paint
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QWidget

from visualizer import registry
from visualizer.ui import icons

USUAL, SMALLEST = QSize(1600, 900), QSize(1024, 720)
TOP, BOTTOM, WIDE, NARROW, INSPECTOR = 48, 56, 216, 56, 280
"""Heights of the top bar and of the transport, widths of the rail and of the inspector."""
NARROW_BELOW, COMPACT_BELOW = 1281, 1101
"""Narrower than this: the rail is icons; the inspector is a drawer and the tabs are a menu."""
MARK = QPoint(18, 14)
RADIUS = 10.0


class Shell(QWidget):
    """The top-level window. It shows an empty stage that is loading until it is given the window to hold."""

    painted = Signal()
    """Once, when the frame has been seen."""

    def __init__(self, theme: str = "light") -> None:
        super().__init__()
        self.colors = {name: QColor(value) for name, value in tokens(theme).items()}
        self.held: QWidget | None = None
        self._was_painted = False
        self.setWindowTitle("Visualizer")
        self.setMinimumSize(SMALLEST)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def fit(self, room: QSize) -> None:
        """The usual size, or as much of it as the screen has room for."""
        self.resize(USUAL.boundedTo(room))

    def hold(self, window: QWidget) -> None:
        """Show the window in the frame."""
        self.held = window
        window.setParent(self)
        window.setGeometry(self.rect())
        window.windowTitleChanged.connect(self.setWindowTitle)
        self.setWindowTitle(window.windowTitle())
        window.show()

    def resizeEvent(self, event: QResizeEvent) -> None:
        if self.held is not None:
            self.held.setGeometry(self.rect())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        if self.held is None:
            self._draw(painter)
        else:
            painter.fillRect(self.rect(), self.palette().window())
        painter.end()
        if not self._was_painted:
            self._was_painted = True
            QTimer.singleShot(0, self, self.painted.emit)

    def _draw(self, painter: QPainter) -> None:
        """The ground, the mark, the card of the stage and the line that says: loading."""
        painter.fillRect(self.rect(), self.colors["window"])
        icons.draw_mark(painter, QRectF(MARK.x(), MARK.y(), 20, 20), self.colors["accent"], self.colors["accent-fill"])
        left = WIDE if self.width() >= NARROW_BELOW else NARROW
        right = INSPECTOR if self.width() >= COMPACT_BELOW else 8
        stage = QRectF(left, TOP, self.width() - left - right, self.height() - TOP - BOTTOM)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self.colors["hair"], 1))
        painter.setBrush(self.colors["stage"])
        painter.drawRoundedRect(stage.adjusted(0.5, 0.5, -0.5, -0.5), RADIUS - 0.5, RADIUS - 0.5)
        painter.fillRect(QRectF(stage.x() + RADIUS, TOP, stage.width() - 2 * RADIUS, 2), self.colors["accent"])


def tokens(theme: str) -> dict[str, str]:
    """The colours of a theme by name, straight from its file; those of the light one if there is no such theme."""
    paths = {path.stem: path for path in registry.files("assets", "themes/*.json")}
    found = json.loads(paths.get(theme, paths["light"]).read_text(encoding="utf-8"))
    base = tokens(found["base"]) if "base" in found else {}
    return base | {name: value for name, value in found["tokens"].items() if len(value) == len("#123456")}
