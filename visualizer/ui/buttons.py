"""Buttons and segmented controls, drawn to the pixel; and the ring that shows where the keyboard is."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAccessible, QFocusEvent, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QApplication, QButtonGroup, QWidget
from shiboken6 import isValid

from visualizer.ui import faults, icons, style

Key, Role = Qt.Key, QAccessible.Role
PRESS = (Key.Key_Space, Key.Key_Return, Key.Key_Enter)
ARROWS = (Key.Key_Left, Key.Key_Right, Key.Key_Up, Key.Key_Down)

MARGINS = 4
"""What a row of segments is wider than its segments."""


def keeps(event: QEvent, keys: Sequence[Qt.Key]) -> bool:
    """Whether this asks for a key that the focused widget needs itself; answering True keeps the shortcut away."""
    if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in keys:
        plain = event.modifiers() & ~(Qt.KeyboardModifier.KeypadModifier | Qt.KeyboardModifier.ShiftModifier)
        if plain == Qt.KeyboardModifier.NoModifier:
            event.accept()
            return True
    return False


class Button(QAbstractButton):
    """Words, an icon, or both. Reached by Tab, never by a click, so that keys go on stepping after a click."""

    def __init__(self, words: str = "", icon: str = "", look: str = "flat", parent: QWidget | None = None,
                 size: int = 13, weight: int = 500) -> None:
        super().__init__(parent)
        self.icon_name, self.look, self.text_size, self.weight = icon, look, size, weight
        self.pops = False
        """Whether a press opens a menu."""
        self.setText(words)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    @property
    def heard_as(self) -> QAccessible.Role:
        """A button, one with a menu, or one that stays pressed."""
        return Role.ButtonMenu if self.pops else Role.CheckBox if self.isCheckable() else Role.Button

    def sizeHint(self) -> QSize:
        words = style.text_width(self.text(), self.text_size, self.weight) if self.text() else 0
        icon = 16 + (8 if words else 0) if self.icon_name else 0
        padding = 0 if self.look == "link" else 12 if not words else 20 if self.look == "raised" else 24
        return QSize(max(28, round(words + icon + padding + 0.5)), 28 if self.look == "link" else 32)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def event(self, event: QEvent) -> bool:
        return keeps(event, PRESS) or super().event(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        note_focus(self, event)
        super().focusInEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Key.Key_Return, Key.Key_Enter):
            self.click()
        else:
            super().keyPressEvent(event)

    def enterEvent(self, event: QEvent) -> None:  # type: ignore[override]
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        place = QRectF(self.rect())
        with faults.painting(self) as painter:
            self.draw_ground(painter, place)
            token = self.ink()
            words = style.text_width(self.text(), self.text_size, self.weight) if self.text() else 0.0
            icon = 16.0 if self.icon_name else 0.0
            gap = 8.0 if words and icon else 0.0
            left = 0.0 if self.look == "link" else (place.width() - words - icon - gap) / 2
            if self.icon_name:
                icons.draw(painter, self.icon_name, QRectF(left, place.center().y() - 8, 16, 16), style.color(token))
            if words:
                style.write(painter, self.text(), left + icon + gap, place.center().y() + self.text_size * 0.36, token,
                            size=self.text_size, weight=self.weight)

    def draw_ground(self, painter: QPainter, place: QRectF) -> None:
        """What lies behind the words."""
        lit = self.underMouse() or self.isDown()
        if self.look == "raised":
            style.fill(painter, place, "sunk" if lit else "raised", 8, "hair")
        elif self.look == "chosen":
            style.fill(painter, place, "tint", 8)
            style.fill(painter, QRectF(0, place.height() / 2 - 10, 3, 20), "accent", 1.5)
        elif self.look == "flat" and lit and self.isEnabled():
            style.fill(painter, place, "sunk", 8)

    def ink(self) -> str:
        """The token of the words."""
        if not self.isEnabled():
            return "rule"
        return "accent-ink" if self.look in ("link", "chosen") else "ink"


class Segment(Button):
    """One choice of a segmented control."""

    def __init__(self, words: str, icon: str = "", icon_after: bool = False, icon_token: str = "ink-2") -> None:
        super().__init__(words, icon, "segment")
        self.icon_after, self.icon_token = icon_after, icon_token
        self.setCheckable(True)

    @property
    def heard_as(self) -> QAccessible.Role:
        """One of a row, of which one is chosen."""
        row = self.parentWidget()
        return Role.ButtonMenu if self.pops else row.each_heard_as if isinstance(row, Segments) else Role.RadioButton

    def event(self, event: QEvent) -> bool:
        return keeps(event, ARROWS) or super().event(event)

    def sizeHint(self) -> QSize:
        words = style.text_width(self.text(), weight=600) if self.text() else 0.0
        icon = 16 + (5 if words else 0) if self.icon_name else 0
        return QSize(round(words + icon + 0.5) + (10 if words and icon else 32 if words else 16), 32)

    def paintEvent(self, event: QPaintEvent) -> None:
        place = QRectF(self.rect())
        with faults.painting(self) as painter:
            if self.is_chosen():
                style.fill(painter, place, "raised", 6, "" if style.is_dark() else "hair")
            words = style.text_width(self.text(), weight=self._weight()) if self.text() else 0.0
            icon = 16.0 if self.icon_name else 0.0
            gap = 5.0 if words and icon else 0.0
            words = min(words, max(0.0, place.width() - icon - gap - 8))
            left = (place.width() - words - icon - gap) / 2
            text_left, icon_left = (left, left + words + gap) if self.icon_after else (left + icon + gap, left)
            if words:
                style.write(painter, self.text(), text_left, place.center().y() + 4.7, self.ink(),
                            weight=self._weight(), width=words + 0.5)
            if self.icon_name:
                token = self.icon_token if self.is_chosen() else "ink-2"
                icons.draw(painter, self.icon_name, QRectF(icon_left, place.center().y() - 8, 16, 16),
                           style.color(token))

    def ink(self) -> str:
        if not self.isEnabled():
            return "rule"
        return "ink" if self.is_chosen() or self.underMouse() else "ink-2"

    def is_chosen(self) -> bool:
        """Whether it is the one that is chosen."""
        return self.isChecked()

    def _weight(self) -> int:
        return 600 if self.is_chosen() else 500


class Segments(QWidget):
    """A row of which one is chosen; arrow keys move along it while it has the keyboard."""

    heard_as, each_heard_as = Role.Grouping, Role.RadioButton
    chosen = Signal(int)

    def __init__(self, segments: Sequence[Segment], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.buttons: list[Segment] = []
        self.group = QButtonGroup(self)
        self.group.idClicked.connect(self.chosen)
        self.set_segments(segments)

    def set_segments(self, segments: Sequence[Segment]) -> None:
        """Replace what can be chosen."""
        for old in self.buttons:
            self.group.removeButton(old)
            old.hide()
            old.deleteLater()
        self.buttons = list(segments)
        for number, button in enumerate(self.buttons):
            button.setParent(self)
            self.group.addButton(button, number)
            button.show()
        self._place()
        self.updateGeometry()

    def choose(self, number: int) -> None:
        """Show one as chosen, without saying so."""
        if 0 <= number < len(self.buttons):
            self.buttons[number].setChecked(True)

    def show_only(self, shown: Collection[int]) -> None:
        """Show these of them, and share the row among them."""
        for number, button in enumerate(self.buttons):
            button.setVisible(number in shown)
        self._place()

    def row(self) -> list[Segment]:
        """Those that are shown, from left to right."""
        return [button for button in self.buttons if not button.isHidden()]

    def sizeHint(self) -> QSize:
        gaps = sum(self.after(place) for place in range(len(self.row())))
        return QSize(sum(button.sizeHint().width() for button in self.row()) + gaps + MARGINS, 36)

    def after(self, place: int) -> int:
        """Pixels left free behind one of the row."""
        return 0

    def resizeEvent(self, event: QEvent) -> None:  # type: ignore[override]
        self._place()

    def paintEvent(self, event: QPaintEvent) -> None:
        with faults.painting(self) as painter:
            style.fill(painter, QRectF(self.rect()), "sunk", 8)
            for place, button in enumerate(self.row()[:-1]):
                if self.after(place):
                    x = button.geometry().right() + 1 + self.after(place) / 2
                    painter.fillRect(QRectF(x - 0.5, 10, 1, self.height() - 20), style.color("rule"))

    def _place(self) -> None:
        """Each as wide as its words, the rest shared."""
        row = self.row()
        spare = self.width() - self.sizeHint().width()
        x = MARGINS / 2
        for place, button in enumerate(row):
            width = button.sizeHint().width() + spare / len(row)
            button.setGeometry(QRect(round(x), 2, round(x + width) - round(x), self.height() - 4))
            x += width + self.after(place)


class FocusRing(QWidget):
    """A ring of 2 px at 2 px distance around whatever the keyboard has reached; a click takes it away.

    Widgets say in their property `by_key` how they were reached (`note_focus`).
    """

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.target: QWidget | None = None
        self._moving: list[QWidget] = []
        """The target, and what it lies in: it moves with what is scrolled."""
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_NoSystemBackground)
        self.hide()
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._moved)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched in self._moving and event.type() in (QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Hide):
            self._follow()
        return False

    def _moved(self, old: QWidget | None, new: QWidget | None) -> None:
        for widget in self._moving:
            if isValid(widget):  # what had the keyboard may be gone with its panel
                widget.removeEventFilter(self)
        shown = new is not None and self.parentWidget().isAncestorOf(new) and new.property("by_key") is True
        self.target = new if shown else None
        self._moving = []
        widget = self.target
        while widget is not None and widget is not self.parentWidget():
            self._moving.append(widget)
            widget.installEventFilter(self)
            widget = widget.parentWidget()
        self._follow()

    def _follow(self) -> None:
        target = self.target
        if target is None or not isValid(target) or not target.isVisible():
            self.hide()
            return
        corner = target.mapTo(self.parentWidget(), QPoint(0, 0))
        around = QRect(corner, target.size()).adjusted(-4, -4, 4, 4)
        self.setGeometry(around.intersected(self.parentWidget().rect()))
        self.raise_()
        self.show()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        with faults.painting(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(style.color("accent"), 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 10, 10)


def note_focus(widget: QWidget, event: QFocusEvent) -> None:
    """Remember for the ring whether a key or a click brought the focus here."""
    reasons = Qt.FocusReason
    widget.setProperty("by_key", event.reason() in (reasons.TabFocusReason, reasons.BacktabFocusReason,
                                                    reasons.ShortcutFocusReason))
