"""Audience: the window on the projector."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import (
    QCloseEvent,
    QColor,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QScreen,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from visualizer.language import tr
from visualizer.scene import colour, projector, spotlight
from visualizer.scene.picture import SENTENCE, Focus, Points
from visualizer.ui import faults, style
from visualizer.ui.canvas import Canvas
from visualizer.ui.commands import key_for

THEME = "projector"
RADIUS, SPOT = 32 / 1080, 0.16
"""Corners of the spotlight, and the reach of the one that follows the pointer, as shares of the height."""


class Show(Protocol):
    """What is presented, as far as the audience sees it."""

    audience: QWidget | None
    speaker: QWidget | None
    offered: QScreen | None
    blank: str
    typed: str
    pen: bool
    spotlight: bool
    pointer: tuple[float, float] | None
    """Where the mouse holds the spotlight, in shares of the picture; None: it stands on a part."""

    def part(self) -> spotlight.Lit | None:
        """The part that the spotlight stands on."""

    def draw(self, points: Points) -> None:
        """A stroke of the pen."""

    def pick(self, focus: Focus | None) -> None:
        """A click, on an answer or a step of a lesson or on anything else."""

    def refresh(self) -> None:
        """Make the picture anew."""

    def leave(self) -> None:
        """End it."""


class Audience(Canvas):
    """The window on the projector: the picture, and over it the spotlight, the number that is typed, or one colour."""

    def __init__(self, presenter: Show) -> None:
        super().__init__()
        self.presenter = presenter
        self.shown_on: QScreen | None = None
        self._stroke: list[tuple[float, float]] = []
        self._grip: QPointF | None = None
        self.setWindowTitle(tr("Visualizer, for the audience"))
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        style.name(self, tr("The picture for the audience"))

    @property
    def theme(self) -> str:
        """Whose colours lie over the picture: of high contrast where the window is."""
        return colour.strong(THEME, colour.is_strong(style.theme_name()))

    def go_to(self, screen: QScreen) -> None:
        """Full screen on a screen."""
        self.shown_on = screen
        self.setScreen(screen)
        self.setGeometry(screen.geometry())
        self.winId()
        if self.windowHandle() is not None:
            self.windowHandle().setScreen(screen)
        self.showFullScreen()
        self.activateWindow()
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.reset_zoom()
        speaker = self.presenter.speaker
        if speaker is not None and speaker.parentWidget() is self:
            speaker.setGeometry(self.rect())
        self.presenter.refresh()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.presenter.audience is self:
            self.presenter.leave()

    def focusNextPrevChild(self, forwards: bool) -> bool:
        return self.presenter.speaker is None or super().focusNextPrevChild(forwards)

    def event(self, event: QEvent) -> bool:
        """No tooltips before an audience."""
        return event.type() == QEvent.Type.ToolTip or super().event(event)

    # --- the mouse ---

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.presenter.pen:
            self._stroke = [self._share(event.position())]
        elif event.button() == Qt.MouseButton.LeftButton:
            self._grip = event.position()
            self.presenter.pick(self.focus_at(event.position()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._stroke:
            self._stroke.append(self._share(event.position()))
            self.update()
        elif self._grip is not None and self.zoom > 1:
            self.corner += event.position() - self._grip
            self._grip = event.position()
            self.keep_inside()
        elif self.presenter.spotlight:
            self.presenter.pointer = self._share(event.position())
            self.update()
        self.setCursor(Qt.CursorShape.CrossCursor if self.presenter.pen else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        stroke, self._stroke, self._grip = tuple(self._stroke), [], None
        if len(stroke) > 1:
            self.presenter.draw(stroke)

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.zoom_by(1.25 ** (event.angleDelta().y() / 120), event.position())

    def zoom_on(self, factor: float) -> None:
        """Enlarge around what the spotlight stands on, or the middle."""
        place = self._spot() if self.presenter.spotlight else None
        self.zoom_by(factor, place.center() if place is not None else None)

    def _share(self, point: QPointF) -> tuple[float, float]:
        x, y = self.to_picture(point)
        return x / max(1, self.picture.size[0]), y / max(1, self.picture.size[1])

    # --- painting ---

    def paintEvent(self, event: QPaintEvent) -> None:
        with faults.painting(self) as painter:
            if self.presenter.blank:
                painter.fillRect(self.rect(), QColor(self.presenter.blank))
                return
            painter.fillRect(self.rect(), style.color("stage", self.theme))
            self.draw(painter)
            if self.presenter.spotlight:
                self._dim(painter)
            if self._stroke:
                self._draw_stroke(painter)
            offered = "" if self.presenter.offered is None else \
                tr("{key}: over to the second screen").format(key=key_for("present"))
            self._say(painter, self.presenter.typed or offered)

    def _dim(self, painter: QPainter) -> None:
        """All but what the spotlight stands on."""
        outside, hole = QPainterPath(), QPainterPath()
        outside.addRect(QRectF(self.rect()))
        place = self._spot()
        if self.presenter.pointer is not None:
            hole.addEllipse(place)
        else:
            hole.addRoundedRect(place, RADIUS * self.height(), RADIUS * self.height())
        head = spotlight.parts(self.picture)[:1]
        if head and head[0].group == SENTENCE:  # the number and its sentence stay lit
            light = QPainterPath()
            light.addRoundedRect(self._around(head[0].place), RADIUS * self.height(), RADIUS * self.height())
            hole = hole.united(light)
        veil = style.color("dim", self.theme)
        veil.setAlphaF(0.86)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillPath(outside.subtracted(hole), veil)

    def _spot(self) -> QRectF:
        """Where the spotlight stands, in pixels of the widget."""
        wide, high = self.picture.size
        part = self.presenter.part()
        if self.presenter.pointer is not None:
            x, y, reach = self.presenter.pointer[0] * wide, self.presenter.pointer[1] * high, SPOT * high
            box = (x - reach, y - reach, x + reach, y + reach)
        elif part is not None:
            return self._around(part.place)
        else:
            box = (0.0, 0.0, float(wide), float(high))
        return self._widget(box)

    def _around(self, box: spotlight.Box) -> QRectF:
        """A place of the picture with a little room around it, in pixels of the widget."""
        grow = self.picture.size[1] / 80
        return self._widget((box[0] - grow, box[1] - grow, box[2] + grow, box[3] + grow))

    def _widget(self, box: spotlight.Box) -> QRectF:
        corner = self.corner + QPointF(box[0], box[1]) * self.zoom
        return QRectF(corner.x(), corner.y(), (box[2] - box[0]) * self.zoom, (box[3] - box[1]) * self.zoom)

    def _draw_stroke(self, painter: QPainter) -> None:
        wide, high = self.picture.size
        points = [self.corner + QPointF(x * wide, y * high) * self.zoom for x, y in self._stroke]
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        thick = max(projector.LINE, high / 150) * self.zoom
        painter.setPen(QPen(style.color("pen", self.theme), thick, Qt.PenStyle.SolidLine,
                            Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
        painter.drawPolyline(points)

    def _say(self, painter: QPainter, words: str) -> None:
        """A few words in the corner: the number that is being typed, or the screen that is offered."""
        if words:
            size = round(self.height() * projector.LABEL)
            wide = style.text_width(words, size, 600) + 2 * size
            place = QRectF(self.width() - wide - size, self.height() - 3.2 * size, wide, 2.2 * size)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(style.color("tint", self.theme))
            painter.drawRoundedRect(place, size / 2, size / 2)
            painter.setPen(style.color("accent-ink", self.theme))
            painter.setFont(style.font(size, 600))
            painter.drawText(place, Qt.AlignmentFlag.AlignCenter, words)
