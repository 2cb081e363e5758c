"""Choices: what a view offers in the rail in place of the choosers: a picture in which a click turns a knob."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QWidget

from visualizer import sight
from visualizer.scene import state as does
from visualizer.scene.picture import Choice, Rect, Spot
from visualizer.ui import words
from visualizer.ui.canvas import Canvas
from visualizer.ui.store import Store

WIDE, LEAST = 208, 420


class Choices(Canvas):
    """The picture that a view has for the rail."""

    def __init__(self, store: Store, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.store = store
        self._drawn: tuple[object, ...] = ()
        store.changed.connect(lambda old, new: self.refresh())
        store.trace_changed.connect(lambda trace: self.refresh())

    @property
    def suits(self) -> bool:
        """Whether the view has such a picture."""
        seen, state = self.store.sight, self.store.state
        return self.store.trace is not None and seen is not None and seen.view.rail is not None \
            and seen.view.name == state.view and not state.in_lab and not state.compare

    def refresh(self) -> None:
        """Show the picture as it is now."""
        trace, seen = self.store.trace, self.store.sight
        if trace is None or seen is None or not self.suits or not self.isVisible():
            return
        seen = replace(seen, look=replace(seen.look, size=(self.width(), self.height()), text_scale=1.0))
        if self._drawn != (id(trace), seen):
            self._drawn = id(trace), seen
            self.show_picture(sight.rail(trace, seen))

    def sizeHint(self) -> QSize:
        return QSize(WIDE, LEAST)

    def resizeEvent(self, event: object) -> None:
        self.refresh()

    def showEvent(self, event: object) -> None:
        self.refresh()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._turn(event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = self._choice(event.position())
        self.setCursor(Qt.CursorShape.PointingHandCursor if at is not None else Qt.CursorShape.ArrowCursor)

    def describe(self, spot: Spot) -> str:
        trace, moment = self.store.trace, self.store.moment
        return "" if trace is None or moment is None else words.tip(trace, spot.focus, moment.backward)

    def _choice(self, point: QPointF) -> Choice | None:
        found = self.picture.mark_at(*self.to_picture(point))
        mark = None if found is None else found[0]
        return mark.holds if isinstance(mark, Rect) and isinstance(mark.holds, Choice) else None

    def _turn(self, point: QPointF) -> None:
        chosen = self._choice(point)
        if chosen is not None:
            knob, word = chosen.knob, chosen.word
            self.store.apply(lambda state: does.turned(state, knob, word), gesture=knob)
