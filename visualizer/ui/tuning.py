"""Tuning: numbers of the network that are set by hand in the picture itself. A weight is dragged upwards or downwards,
typed after a double click, and set to zero by a click; a pixel of the input is painted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from PySide6.QtCore import QEvent, QObject, QPointF, QRect, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QApplication

from visualizer.edits import PLANE
from visualizer.language import tr
from visualizer.scene import state as does
from visualizer.scene.picture import Focus
from visualizer.scene.state import State
from visualizer.trace import Trace
from visualizer.ui.canvas import Canvas
from visualizer.ui.store import Store
from visualizer.ui.what_if import Field, grain_of
from visualizer.views import DRAG
from visualizer.views.surgery import offers
from visualizer.views.surgery.offers import Number

LONG, FINE = 100.0, 0.1
"""A drag so long, in pixels, changes a weight by the largest of its kind; with Shift by a tenth of that."""
GESTURE = "tune"
Press = QEvent.Type.MouseButtonPress


@dataclass(frozen=True)
class Grip:
    """What is held while the mouse is down."""

    number: Number | None
    """None while pixels are painted."""
    at: QPointF
    value: float
    focus: Focus
    moved: bool = False


class Tuning(QObject):
    """Hears the mouse of a canvas before the canvas does, and keeps what lands on a number that can be set."""

    def __init__(self, canvas: Canvas, store: Store, say: Callable[[str], None]) -> None:
        super().__init__(canvas)
        self.canvas, self.store, self.say = canvas, store, say
        self.grip: Grip | None = None
        self.pressed: Number | None = None
        """What a click landed on, as it was before it."""
        self.field: Field | None = None
        canvas.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if not isinstance(event, QMouseEvent) or (kind == Press and event.button() != Qt.MouseButton.LeftButton):
            return False
        if kind == Press:
            return self._take(event)
        if kind == QEvent.Type.MouseButtonDblClick:
            return self._type(event.position())
        if self.grip is None:
            return False
        held = not self._only_drags
        if kind == QEvent.Type.MouseMove:
            self._drag(event)
            return held or self.grip.moved
        if kind == QEvent.Type.MouseButtonRelease:
            held = held or self.grip.moved
            self._let_go()
        return held

    # --- what lies there ---

    def _at(self, point: QPointF) -> tuple[Trace, Focus] | None:
        """The number under a point, where the view lets it be set."""
        trace, seen, state = self.store.trace, self.store.sight, self.store.state
        if trace is None or seen is None or not seen.view.tunes or state.in_lab or self.store.readers:
            return None
        if seen.view.tunes == DRAG and seen.moment.backward:
            return None  # what is seen then are gradients
        spot = self.canvas.picture.spot_at(*self.canvas.to_picture(point))
        return None if spot is None or spot.focus.layer not in trace else (trace, spot.focus)

    def _is_pixel(self, trace: Trace, focus: Focus) -> bool:
        layer, grain = trace[focus.layer], grain_of(self.store)
        return layer.is_input and focus.array == "output" and grain is not None and grain.has(PLANE) \
            and layer.axes[-2:] == ("row", "column") and len(focus.cell) == layer.output.ndim

    def _take(self, event: QMouseEvent) -> bool:
        found = self._at(event.position())
        if found is None:
            return False
        trace, focus = found
        number = offers.number_of(trace, focus)
        if number is None and (not self._is_pixel(trace, focus) or self._only_drags):
            return False
        self._close()
        self.store.end_gesture()
        self.canvas.setFocus(Qt.FocusReason.MouseFocusReason)
        if number is not None:
            self.grip = Grip(number, event.position(), number.value, focus)
            self.pressed = number
        else:
            self.grip = Grip(None, event.position(), self._ink(trace, focus), focus)
            self._paint(focus)
        return not self._only_drags  # where a click means something else, the canvas has the press, too

    @property
    def _only_drags(self) -> bool:
        """Whether only a drag sets a number in this view."""
        seen = self.store.sight
        return seen is None or seen.view.tunes == DRAG

    def _ink(self, trace: Trace, focus: Focus) -> float:
        """The other end of what a pixel can be: bright where it is dark."""
        values = trace[focus.layer].output
        low, high = (float(values.min()), float(values.max()))
        ends = grain_of(self.store)
        dark, bright = (0.0, 1.0) if ends is None or ends.span is None else ends.span
        return bright if float(values[focus.cell]) <= (low + high) / 2 else dark

    # --- while it is held ---

    def _drag(self, event: QMouseEvent) -> None:
        grip = self.grip
        assert grip is not None
        if grip.number is None:
            found = self._at(event.position())
            if found is not None and self._is_pixel(*found) and found[1] != grip.focus:
                self.grip = replace(grip, focus=found[1])
                self._paint(found[1])
            return
        up = grip.at.y() - event.position().y()
        if not grip.moved and abs(up) < QApplication.startDragDistance() / 2:
            return
        fine = FINE if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1.0
        value = grip.value + fine * up / LONG * grip.number.span
        self.grip = replace(grip, at=event.position(), value=value, moved=True)
        self._set(grip.number.at(value))

    def _let_go(self) -> None:
        grip, self.grip = self.grip, None
        assert grip is not None
        if grip.number is not None and not grip.moved and not self._only_drags:
            word = next((each for each in self.store.state.edits if each.startswith(grip.number.start)),
                        grip.number.at(0.0))
            self._apply(lambda state: does.switched(state, word))  # a click: to zero, or back to what it was
        self.store.end_gesture()

    def _paint(self, focus: Focus) -> None:
        assert self.grip is not None
        row, column = focus.cell[-2:]
        self._set(f"pixel:{int(row)},{int(column)},{self.grip.value:g}")

    def _set(self, word: str) -> None:
        self._apply(lambda state: offers.done(state, word), GESTURE)

    def _apply(self, change: Callable[[State], State], gesture: str = "") -> None:
        """Have it done, and seen as a whole."""
        trace = self.store.trace
        self.store.apply(lambda state: offers.seen(change(state), trace), gesture=gesture)

    # --- typed ---

    def _type(self, point: QPointF) -> bool:
        """A field over the number; Enter sets it, Esc leaves it."""
        found = self._at(point)
        number = None if found is None or self._only_drags else offers.number_of(*found)
        if number is None:
            return False
        if self.pressed is not None and self.pressed.start == number.start:
            number = self.pressed
        self.store.undo()  # of the two clicks the first has set it to zero
        self.open_field(number, QRect(round(point.x()) - 10, round(point.y()) - 16, 96, 30))
        return True

    def open_field(self, number: Number, place: QRect) -> None:
        """Let a number be typed there."""
        self._close()
        self.grip = None
        field = Field(self.canvas)
        field.dress()
        field.setText(f"{number.value:.4g}")
        field.selectAll()
        field.setAccessibleName(tr("The number"))
        place.moveRight(min(place.right(), self.canvas.width() - 4))
        field.setGeometry(place)
        field.returnPressed.connect(lambda: self._typed(number))
        field.installEventFilter(_Escape(field, self._close))
        field.show()
        field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field = field

    def _typed(self, number: Number) -> None:
        assert self.field is not None
        word = number.start + self.field.text().strip().replace("−", "-").replace(",", ".")
        try:
            self.store.end_gesture()
            self._apply(lambda state: offers.done(state, word))
        except LookupError:
            self.say(tr("“{words}” is no number; write one such as 0.5.").format(words=self.field.text().strip()))
            return
        self._close()

    def _close(self) -> None:
        if self.field is not None:
            self.field.hide()
            self.field.deleteLater()
            self.field = None


class _Escape(QObject):
    """Esc in the field puts it away."""

    def __init__(self, field: Field, away: Callable[[], None]) -> None:
        super().__init__(field)
        self.away = away

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape:
            if event.type() == QEvent.Type.KeyPress:
                self.away()
            event.accept()
            return True
        return False
