"""Camera: what it sees, over the window, until a picture is taken; that becomes the input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import QEvent, QRectF, Qt, Signal
from PySide6.QtGui import QAccessible, QFocusEvent, QImage, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from visualizer import registry
from visualizer.language import tr
from visualizer.ui import devices, faults, style
from visualizer.ui.buttons import Button, note_focus
from visualizer.ui.cover import tab_within

FOLDER = "camera"
"""In the app's own folder."""
EDGE, FOOT = 48, 96
Key = Qt.Key


class CameraSheet(QWidget):
    """What the camera sees, with the square in its middle that a model is given, and the button that takes it."""

    heard_as = QAccessible.Role.Dialog

    closed = Signal()
    taken = Signal(str)
    """The file of the picture."""
    said = Signal(str)

    def __init__(self, device: Any, parent: QWidget) -> None:
        super().__init__(parent)
        media = devices.multimedia()
        self.seen = QImage()
        """The last picture that came."""
        self.camera, self.session, self.sink = media.QCamera(device), media.QMediaCaptureSession(), media.QVideoSink()
        self.session.setCamera(self.camera)
        self.session.setVideoSink(self.sink)
        self.sink.videoFrameChanged.connect(self._came)
        self.camera.errorOccurred.connect(lambda error, why: self._failed(why))
        self.take_button = Button(tr("Take the picture"), "camera", "raised", self)
        self.take_button.setEnabled(False)
        self.take_button.clicked.connect(self.take)
        self.cancel_button = Button(tr("Cancel"), "", "raised", self)
        self.cancel_button.clicked.connect(self.closed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        style.name(self, tr("What the camera sees"))
        self.closed.connect(self.camera.stop)
        self.camera.start()

    def focusInEvent(self, event: QFocusEvent) -> None:
        note_focus(self, event)
        super().focusInEvent(event)

    def take(self) -> None:
        """Keep what is seen as a file, and be done."""
        if self.seen.isNull():
            return
        try:
            path = write(self.seen)
        except OSError as error:
            why = str(error.strerror or error).rstrip(".")
            self.said.emit(tr("The picture cannot be kept ({why}).").format(why=why))
            return
        self.closed.emit()
        self.taken.emit(str(path))

    def _came(self, frame: Any) -> None:
        image = frame.toImage()
        if not image.isNull():
            self.seen = image
            self.take_button.setEnabled(True)
            self.update()

    def _failed(self, why: str) -> None:
        self.closed.emit()
        self.said.emit(tr("The camera cannot be used ({why}): close other apps that use it and try again, or open a "
                          "picture file.").format(why=why.rstrip(".")))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def focusNextPrevChild(self, forwards: bool) -> bool:
        return tab_within(self, forwards)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Key.Key_Space, Key.Key_Return, Key.Key_Enter):
            self.take()
        elif event.key() == Key.Key_Escape:
            self.closed.emit()

    def resizeEvent(self, event: QEvent) -> None:  # type: ignore[override]
        y, middle = self.height() - FOOT // 2 - 16, self.width() // 2
        wide = self.take_button.sizeHint().width()
        self.take_button.setGeometry(middle - wide - 4, y, wide, 32)
        self.cancel_button.setGeometry(middle + 4, y, self.cancel_button.sizeHint().width(), 32)

    def paintEvent(self, event: QPaintEvent) -> None:
        room = QRectF(EDGE, EDGE, self.width() - 2 * EDGE, self.height() - EDGE - FOOT)
        with faults.painting(self) as painter:
            painter.fillRect(self.rect(), style.color("window"))
            if self.seen.isNull():
                style.write(painter, tr("The camera is being opened…"), room.center().x(), room.center().y(), "ink-2",
                            size=16, anchor="middle")
                return
            scale = min(room.width() / self.seen.width(), room.height() / self.seen.height())
            place = QRectF(0, 0, self.seen.width() * scale, self.seen.height() * scale)
            place.moveCenter(room.center())
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            painter.drawImage(place, self.seen)
            side = min(place.width(), place.height())
            square = QRectF(0, 0, side, side)
            square.moveCenter(place.center())
            painter.setPen(QPen(style.color("accent"), 2))
            painter.drawRect(square)


def write(image: QImage) -> Path:
    """A picture as a PNG file in the app's own folder, with the next number that is free; raises OSError."""
    path = registry.taken(FOLDER, "taken", ".png")
    with registry.whole(path) as beside:
        if not image.convertToFormat(QImage.Format.Format_RGB888).save(str(beside), "PNG"):  # type: ignore[call-overload]
            raise OSError(tr("{file} cannot be written").format(file=path))
    return path
