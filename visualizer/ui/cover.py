"""Cover: whatever lies over everything, such as the key sheet, a blank screen or the export panel. One at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid


def tab_within(sheet: QWidget, forwards: bool) -> bool:
    """Tab goes round what lies on a sheet and back to the sheet itself, never to what is covered; False where nothing
    lies on it."""
    stops = [sheet, *(child for child in sheet.findChildren(QWidget) if child.isVisible() and child.isEnabled()
                      and child.focusPolicy() & Qt.FocusPolicy.TabFocus)]
    if len(stops) == 1:
        return False
    tab_round(stops, sheet.window().focusWidget(), forwards)
    return True


def tab_round(stops: Sequence[QWidget], now: QWidget | None, forwards: bool) -> None:
    """The keyboard goes to the next of these, from the first on where it is at none of them."""
    at = stops.index(now) if now in stops else 0
    reasons = Qt.FocusReason
    stops[(at + (1 if forwards else -1)) % len(stops)].setFocus(reasons.TabFocusReason if forwards
                                                               else reasons.BacktabFocusReason)


class Cover:
    """What lies over a window; or over the audience's picture, where that is what one sees."""

    def __init__(self, window: QWidget, stage: QWidget, seen: Callable[[], QWidget]) -> None:
        """`seen` answers what one sees: the window, or what covers it."""
        self.window, self.stage, self.seen = window, stage, seen
        self.shown: QWidget | None = None
        self._had: QWidget | None = None
        """What had the keyboard before, where that is not the stage: on the start screen."""

    def show(self, made: Callable[[QWidget], QWidget]) -> None:
        """Make it, over what one sees, in place of what lay there."""
        self.close()
        self._had = self.window.focusWidget()
        self.shown = overlay = made(self.seen())
        overlay.closed.connect(self.close)  # type: ignore[attr-defined]
        self.lay()
        overlay.show()
        overlay.raise_()
        overlay.activateWindow()
        overlay.setFocus(Qt.FocusReason.OtherFocusReason)

    def toggle(self, kind: type[QWidget], made: Callable[[QWidget], QWidget]) -> None:
        """Make it, or put it away if one of that kind lies there."""
        if isinstance(self.shown, kind):
            self.close()
        else:
            self.show(made)

    def close(self) -> bool:
        """Put it away, and give the keyboard back; False if nothing lay there."""
        overlay, self.shown = self.shown, None
        if overlay is None:
            return False
        below: QWidget = self.stage if overlay.parentWidget() is self.window else overlay.parentWidget()
        overlay.hide()
        overlay.deleteLater()
        if not below.isVisible() and self._had is not None and isValid(self._had):
            below = self._had
        below.setFocus(Qt.FocusReason.MouseFocusReason)
        return True

    def lay(self) -> None:
        """Over everything; one that knows its own size under the top bar, at the right of the stage."""
        if self.shown is None:
            return
        size, below = self.shown.sizeHint(), self.shown.parentWidget()
        if not size.isValid():
            self.shown.setGeometry(below.rect())
            return
        corner = QPoint(below.width() - 16 - size.width(), 16)
        if below is self.window:
            corner = self.stage.mapTo(self.window, QPoint(self.stage.width() - 16 - size.width(), 16))
        self.shown.setGeometry(max(8, corner.x()), corner.y(), size.width(), size.height())
