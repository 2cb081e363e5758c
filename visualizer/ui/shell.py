"""The shell: what is seen first. The window with its frame, painted before anything else is imported; then it holds
the whole window. It fits the screen it opens on, its title bar included, and stands the next time where it was left.

Brings nothing but Qt and the tokens of the theme.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from PySide6.QtCore import (
    QEvent,
    QMargins,
    QObject,
    QPoint,
    QRect,
    QRectF,
    QSize,
    Qt,
    QTimer,  # noqa: TID251 waits for the end of a paint, and for the frame that the system draws
    Signal,
)
from PySide6.QtGui import (
    QAccessible,
    QAccessibleInterface,
    QCloseEvent,
    QColor,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QAccessibleWidget, QApplication, QScrollArea, QWidget

from visualizer import registry
from visualizer.ui import glimpse, icons, kept

USUAL, SMALLEST = QSize(1600, 900), QSize(960, 640)
FRAME = QMargins(8, 40, 8, 8)
"""What a system draws around a window, until it is known: thicker than most."""
FRAMED = 300
"""Milliseconds after the first paint until which the system has said how thick its frame is."""
TOP, BOTTOM, WIDE, NARROW, INSPECTOR = 48, 56, 216, 56, 280
"""Heights of the top bar and of the transport, widths of the rail and of the inspector."""
NARROW_BELOW, COMPACT_BELOW = 1281, 1101
"""Narrower than this: the rail is icons; the inspector is a drawer and the tabs are a menu."""
MARK = QPoint(18, 14)
RADIUS = 10.0
LEAST = QSize(480, 320)
"""The shell can be smaller than what it holds: that is scrolled then, as where everything is drawn twice as large."""
ROOM = 16
"""Pixels left around what is scrolled to."""
PLACE = "place"
"""Under this name it is kept where the window stood."""


class Shell(QWidget):
    """The top-level window. It shows an empty stage that is loading until it is given the window to hold."""

    painted = Signal()
    """Once, when the frame has been seen."""

    def __init__(self, theme: str = "light", starts: bool = False) -> None:
        """`starts`: on its start screen."""
        super().__init__()
        self.theme, self.starts = theme, starts
        self.colors = {name: QColor(value) for name, value in tokens(theme).items()}
        self.held: QWidget | None = None
        self.roll = QScrollArea(self)
        """What holds it; it scrolls where there is too little room for all."""
        self.roll.setWidgetResizable(True)
        self.roll.setFrameShape(QScrollArea.Shape.NoFrame)
        self.roll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.roll.hide()
        if isinstance(app := QApplication.instance(), QApplication):
            app.focusChanged.connect(self.follow)
        self._was_painted = False
        self._settles = False
        """It was put somewhere before the frame was known that the system draws around it."""
        QAccessible.installFactory(spoken)
        self.setWindowTitle("Visualizer")
        self.setMinimumSize(LEAST)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    def stand(self, screens: Sequence[QRect]) -> None:
        """Where it was left; the first time in the middle of the first screen, in the usual size or as much of it as
        there is room for."""
        left, self._settles = kept.remembered(PLACE), True
        self.setGeometry(placed(rectangle(left.get("at")), screens, margins(left.get("frame")) or FRAME))
        if left.get("maximized") is True:
            self.setWindowState(Qt.WindowState.WindowMaximized)

    def settle(self) -> None:
        """Once the frame is known that the system has drawn around it, it is moved and made smaller by what of it does
        not fit the screen."""
        handle = self.windowHandle()
        if self._settles and handle is not None and not self.windowState():
            self.setGeometry(placed(self.geometry(), [self.screen().availableGeometry()], handle.frameMargins()))

    def closeEvent(self, event: QCloseEvent) -> None:
        """Keep where it stood, and how thick its frame was."""
        handle, state = self.windowHandle(), self.windowState()
        at = self.normalGeometry() if state else self.geometry()
        frame = FRAME if handle is None or state else handle.frameMargins()
        if self._settles and self.isVisible() and at.isValid():
            kept.remember(PLACE, {"at": list(at.getRect()), "maximized": bool(state & Qt.WindowState.WindowMaximized),
                                  "frame": [frame.left(), frame.top(), frame.right(), frame.bottom()]})
        super().closeEvent(event)

    def hold(self, window: QWidget) -> None:
        """Show the window in the frame, in the place of the one before."""
        self.roll.takeWidget()
        self.held = window
        self.roll.setWidget(window)
        self.roll.setGeometry(self.rect())
        self.roll.show()
        self.dress()
        window.windowTitleChanged.connect(self.setWindowTitle)
        self.setWindowTitle(window.windowTitle())
        window.show()

    def follow(self, gone: QWidget | None, now: QWidget | None) -> None:
        """What has the keyboard is seen: where not all of the window is, that is scrolled to it."""
        if self.held is None or now is None or not self.held.isAncestorOf(now):
            return
        seen, place = QRect(-self.held.pos(), self.roll.viewport().size()), QRect(
            now.mapTo(self.held, QPoint(0, 0)), now.size())
        larger = place.width() > seen.width() or place.height() > seen.height()
        if not (seen.intersects(place) if larger else seen.contains(place)):
            self.roll.ensureWidgetVisible(now, ROOM, ROOM)

    def dress(self) -> None:
        """Bars of the colours of the theme, for what does not fit."""
        if self.held is not None:
            from visualizer.ui import style

            for bar in (self.roll.verticalScrollBar(), self.roll.horizontalScrollBar()):
                bar.setStyleSheet(style.scroll_sheet())

    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.PaletteChange:
            self.dress()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.roll.setGeometry(self.rect())

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
            for wait in (0, FRAMED):
                QTimer.singleShot(wait, self, self.settle)

    def _draw(self, painter: QPainter) -> None:
        """The start screen as it was seen the last time; else the ground, the mark, the card of the stage and the line
        that says: loading."""
        glimpsed = glimpse.seen(self, self.theme) if self.starts else None
        if glimpsed is not None:
            painter.drawImage(0, 0, glimpsed)
            return
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


def spoken(kind: str, thing: QObject) -> QAccessibleInterface | None:
    """What speaks for the top-level window: to Qt every widget is a part of one."""
    return QAccessibleWidget(thing, QAccessible.Role.Window, "") if isinstance(thing, Shell) else None


def tokens(theme: str) -> dict[str, str]:
    """The colours of a theme by name, straight from its file; those of the light one if there is no such theme."""
    paths = {path.stem: path for path in registry.files("assets", "themes/*.json")}
    found = json.loads(paths.get(theme, paths["light"]).read_text(encoding="utf-8"))
    base = tokens(found["base"]) if "base" in found else {}
    return base | {name: value for name, value in found.get("tokens", {}).items() if len(value) == len("#123456")}


# --- where a window stands -------------------------------------------------------------------------------------------

def placed(wanted: QRect | None, screens: Sequence[QRect], frame: QMargins) -> QRect:
    """Where a window stands without its frame, so that the whole of it lies on one screen.

    `wanted` is where it was; the screen is the one that shows most of it. None, or a place that no screen shows any
    more: the usual size in the middle of the first screen. `screens` are what they leave for windows.
    """
    seen = [screen.intersected(wanted) for screen in screens] if wanted is not None else []
    areas = [part.width() * part.height() if part.isValid() else 0 for part in seen]
    shown = wanted is not None and max(areas, default=0) > 0
    screen = screens[areas.index(max(areas))] if shown else screens[0]
    room = screen.marginsRemoved(frame)
    size = (wanted.size().expandedTo(SMALLEST) if shown and wanted is not None else USUAL).boundedTo(room.size())
    at = QRect(QPoint(0, 0), size)
    at.moveCenter(room.center())
    if shown and wanted is not None:
        at.moveTo(min(max(wanted.x(), room.x()), room.x() + room.width() - size.width()),
                  min(max(wanted.y(), room.y()), room.y() + room.height() - size.height()))
    return at


def rectangle(kept_as: object) -> QRect | None:
    """Four whole numbers as they were kept; None if it is anything else."""
    return QRect(*kept_as) if _four(kept_as) else None  # type: ignore[misc]


def margins(kept_as: object) -> QMargins | None:
    """The same for a frame: no side of it thinner than nothing, or thicker than any is."""
    sides = kept_as if _four(kept_as) else ()
    return QMargins(*sides) if sides and all(0 <= side <= 100 for side in sides) else None  # type: ignore[attr-defined,misc]


def _four(kept_as: object) -> bool:
    return isinstance(kept_as, list) and len(kept_as) == 4 \
        and all(type(number) is int and abs(number) < 1 << 20 for number in kept_as)
