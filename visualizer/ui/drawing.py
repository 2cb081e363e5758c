"""The drawing pad: a sheet for one digit, drawn with mouse, finger or keyboard."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAccessible, QFocusEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from visualizer import paint
from visualizer.language import tr
from visualizer.scene.recipe import DRAWN
from visualizer.scene.state import State, packed, unpacked
from visualizer.trace import Refused
from visualizer.ui import faults, style
from visualizer.ui.buttons import Button, keeps, note_focus

Key = Qt.Key
MOST_LABELS, ACROSS, SMALL, GAP = 10, 5, 28, 4
ASKS = 24 + 2 * (SMALL + GAP)
"""So many classes are offered, so many in a row, their height, and the height of all that."""
SIDE = 112
"""The ink is kept at 4 x 4 points for each pixel of a digit."""
PEN = 9.0
"""Width of the pen in these points: the strokes of MNIST are about a tenth as wide as its digits are high."""
STEP = 4.0
"""How far one press of an arrow key moves the pen."""
MOVES = {Key.Key_Left: (-STEP, 0.0), Key.Key_Right: (STEP, 0.0), Key.Key_Up: (0.0, -STEP), Key.Key_Down: (0.0, STEP)}


class Pad(QWidget):
    """The sheet, and what can be done with it."""

    drawn = Signal(object)
    """The ink, (112, 112) bytes, 0 paper and 255 ink: at every move of the pen and at the end of a stroke."""
    begun = Signal()
    """A stroke begins."""
    named = Signal(str)
    """Which class it is, as whoever draws says; empty if that is taken back, or the sheet has been cleared."""
    closed = Signal()

    def __init__(self, parent: QWidget | None = None, labels: Sequence[str] = ()) -> None:
        """`labels` are the classes that the network knows; as many as can be chosen among here."""
        super().__init__(parent)
        self.labels = [LabelButton(label, self) for label in labels[:MOST_LABELS]]
        for number, button in enumerate(self.labels):
            button.clicked.connect(lambda checked, number=number: self.named.emit(str(number) if checked else ""))
        self.sheet = Paper(self)
        self.sheet.drawn.connect(self.drawn)
        self.sheet.begun.connect(self.begun)
        self.clear = Button(tr("Clear"), "eraser", "raised", self)
        self.clear.clicked.connect(self.sheet.clear)
        self.clear.clicked.connect(lambda: self.named.emit(""))
        self.done = Button(tr("Samples"), "", "raised", self)
        self.done.clicked.connect(self.closed)
        style.name(self.clear, tr("Clear the sheet"), tr("Start again with an empty sheet (Delete)"))
        style.name(self.done, tr("Back to the samples"), tr("Close the sheet and show the samples again"))

    def follow(self, old: State, new: State) -> None:
        """Have the drawing of the State on the sheet, where it is another one than that: after undo and redo."""
        if new.drawing != old.drawing and new.drawing and new.drawing != packed(self.sheet.ink()):
            with suppress(Refused):
                self.sheet.lay(unpacked(new.drawing))
        elif new.drawing != old.drawing and not new.drawing:
            self.sheet.lay(np.zeros((1, 1), np.uint8))
        for number, button in enumerate(self.labels):
            button.setChecked(new.sample == DRAWN and new.label == str(number))

    def sizeHint(self) -> QSize:
        return QSize(184, 184 + 68 + self._asks_high())

    def _asks_high(self) -> int:
        return ASKS if self.labels else 0

    def resizeEvent(self, event: QEvent) -> None:  # type: ignore[override]
        side = self.width()
        self.sheet.setGeometry(0, 0, side, side)
        half = (side - 8) // 2
        top = side + 34 + self._asks_high()
        each = (side - GAP * (ACROSS - 1)) // ACROSS
        for number, button in enumerate(self.labels):
            row, column = divmod(number, ACROSS)
            button.setGeometry(column * (each + GAP), side + 54 + row * (SMALL + GAP), each, SMALL)
        self.clear.setGeometry(0, top, half, 32)
        self.done.setGeometry(half + 8, top, side - half - 8, 32)

    def paintEvent(self, event: QPaintEvent) -> None:
        with faults.painting(self) as painter:
            style.write(painter, tr("Or with arrow keys and Space"), 0, self.width() + 20, "ink-2", size=12,
                        weight=400, width=self.width())
            if self.labels:
                style.write(painter, tr("What is it?"), 0, self.width() + 46, weight=600, width=self.width())


class LabelButton(Button):
    """One class that a drawing may be said to be."""

    def __init__(self, label: str, parent: QWidget) -> None:
        super().__init__(label, "", "raised", parent)
        self.setCheckable(True)
        style.name(self, tr("It is {label}").format(label=label),
                   tr("Say what you drew: without that there is no loss, and nothing to send back"))

    def sizeHint(self) -> QSize:
        return QSize(SMALL, SMALL)

    def draw_ground(self, painter: QPainter, place: QRectF) -> None:
        if self.isChecked():
            style.fill(painter, place, "accent-fill", 6)
        else:
            super().draw_ground(painter, place)

    def ink(self) -> str:
        return "on-accent" if self.isChecked() else super().ink()


class Paper(QWidget):
    """Paper that remembers its ink."""

    heard_as = QAccessible.Role.Canvas

    drawn = Signal(object)
    begun = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.cleared: NDArray[np.uint8] | None = None
        """What was on the sheet before it was cleared, until something is drawn again."""
        self.image = QImage(SIDE, SIDE, QImage.Format.Format_Grayscale8)
        self.image.fill(0)
        self.pen = QPointF(SIDE / 2, SIDE / 4)
        self.pen_down = False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.CrossCursor)
        style.name(self, tr("Paper to draw a digit on"),
                   tr("Draw a digit: with the mouse, or arrow keys for the pen and Space to put it down"))

    def ink(self) -> NDArray[np.uint8]:
        """(112, 112): 0 paper, 255 ink; a copy."""
        rows = np.frombuffer(self.image.constBits(), np.uint8).reshape(SIDE, self.image.bytesPerLine())
        return rows[:, :SIDE].copy()

    def lay(self, ink: NDArray[np.uint8]) -> None:
        """Put other ink on the sheet, of any size, without saying so: that of a drawing that was undone."""
        rows = np.ascontiguousarray(ink)
        image = QImage(rows.data, rows.shape[1], rows.shape[0], rows.shape[1], QImage.Format.Format_Grayscale8)
        smooth = Qt.TransformationMode.SmoothTransformation
        self.image = image.scaled(SIDE, SIDE, Qt.AspectRatioMode.IgnoreAspectRatio, smooth).copy()
        self.cleared, self.pen_down = None, False
        self.update()

    def unclear(self) -> bool:
        """Put back what was cleared; False if nothing was, or something has been drawn since."""
        if self.cleared is None:
            return False
        self.lay(self.cleared)
        return True

    def clear(self) -> None:
        """An empty sheet."""
        ink = self.ink()
        self.cleared = ink if ink.any() else None
        self.image.fill(0)
        self.pen_down = False
        self.update()

    def stroke(self, start: QPointF, end: QPointF) -> None:
        """Ink between two points, in points of the sheet; says what is drawn now. A point begins a stroke."""
        self.cleared = None
        if start == end:
            self.begun.emit()
        with paint.painting(self.image) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(Qt.GlobalColor.white, PEN, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            if start == end:
                painter.drawPoint(start)
            else:
                painter.drawLine(start, end)
        self.pen = end
        self.update()
        self.drawn.emit(self.ink())

    def event(self, event: QEvent) -> bool:
        return keeps(event, (*MOVES, Key.Key_Space, Key.Key_Delete)) or super().event(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        note_focus(self, event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.pen_down = False
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Key(event.key())
        if key in MOVES:
            dx, dy = MOVES[key]
            end = QPointF(min(max(self.pen.x() + dx, 0), SIDE), min(max(self.pen.y() + dy, 0), SIDE))
            if self.pen_down:
                self.stroke(self.pen, end)
            self.pen = end
            self.update()
        elif key == Key.Key_Space and not event.isAutoRepeat():
            self.pen_down = not self.pen_down
            if self.pen_down:
                self.stroke(self.pen, self.pen)
            self.update()
        elif key == Key.Key_Delete:
            self.clear()
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            point = self._point(event)
            self.stroke(point, point)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.stroke(self.pen, self._point(event))

    def paintEvent(self, event: QPaintEvent) -> None:
        place = QRectF(self.rect())
        with faults.painting(self) as painter:
            style.fill(painter, place, "stage", 6, "rule")
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            ink = QImage(self.image.size(), QImage.Format.Format_ARGB32_Premultiplied)
            ink.fill(style.color("ink"))
            ink.setAlphaChannel(self.image)
            painter.drawImage(place.adjusted(1, 1, -1, -1), ink)
            if self.hasFocus():
                self._draw_pen(painter)

    def _draw_pen(self, painter: QPainter) -> None:
        """Where the pen of the keyboard is: a ring, filled when it is down."""
        scale = self.width() / SIDE
        at = self.pen * scale
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(style.color("accent"), 2))
        painter.setBrush(style.color("accent") if self.pen_down else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(at, PEN * scale / 2, PEN * scale / 2)

    def _point(self, event: QMouseEvent) -> QPointF:
        at = event.position() * (SIDE / self.width())
        return QPointF(min(max(at.x(), 0), SIDE), min(max(at.y(), 0), SIDE))
