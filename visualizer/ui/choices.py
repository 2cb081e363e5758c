"""Choices: what a view offers in the rail in place of the choosers: a picture in which a click turns a knob, and in
which words can be typed."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QEvent, QPointF, QSize, Qt
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QLabel, QWidget

from visualizer import sight
from visualizer.scene import state as does
from visualizer.scene.picture import Choice, Entry, Picture, Rect, Spot
from visualizer.ui import style, words
from visualizer.ui.buttons import keeps
from visualizer.ui.canvas import Canvas
from visualizer.ui.store import Store
from visualizer.ui.what_if import Field

WIDE, LEAST = 208, 420


class Choices(Canvas):
    """The picture that a view has for the rail."""

    def __init__(self, store: Store, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.store = store
        self._drawn: tuple[object, ...] = ()
        self.entry: Written | None = None
        """The field over the picture's own, once there has been one."""
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

    def show_picture(self, picture: Picture) -> None:
        super().show_picture(picture)
        found = next((mark for mark in picture if isinstance(mark, Rect) and isinstance(mark.holds, Entry)), None)
        if found is not None and self.entry is None:
            self.entry = Written(self)
            self.setFocusProxy(self.entry)
        if self.entry is not None:
            self.entry.show_at(found)

    def apply(self, entry: Entry, word: str) -> str:
        """Turn a knob to words that were typed; one sentence instead, where they will not do."""
        trace, seen = self.store.trace, self.store.sight
        if trace is None or seen is None or not self.suits:
            return ""
        refused = "" if seen.view.refuses is None else seen.view.refuses(trace, entry.knob, word)
        if not refused:
            self.store.apply(lambda state: does.turned(state, entry.knob, word))
        return refused

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


class Written(Field):
    """A field over the one that a picture has, and below it what was wrong with the words; Enter applies them, Esc
    takes them back."""

    def __init__(self, choices: Choices) -> None:
        super().__init__(choices)
        self.choices, self.entry = choices, Entry("", "", "", "")
        self.refused = QLabel(choices)
        self.refused.setWordWrap(True)
        self.refused.hide()
        self.returnPressed.connect(self._apply)
        self.textEdited.connect(lambda words: self.refuse(""))

    def show_at(self, found: Rect | None) -> None:
        """Over this mark, with its words, unless others are being typed; away where there is none."""
        self.setVisible(found is not None)
        if found is None or not isinstance(found.holds, Entry):
            self.refuse("")
            return
        self.dress()
        self.setFont(style.font(13, 500, mono=True))
        self.setGeometry(round(found.x), round(found.y), round(found.width), round(found.height))
        style.name(self, found.holds.name, found.holds.tip)
        if found.holds != self.entry:
            self.entry = found.holds
            self.setText(self.entry.word)
            self.refuse("")

    def refuse(self, sentence: str) -> None:
        """Say below it what is wrong; nothing, where nothing is."""
        self.refused.setText(sentence)
        self.setAccessibleDescription(sentence or self.entry.tip)
        self.refused.setVisible(bool(sentence))
        if sentence:
            self.refused.setFont(style.font(12, 500))
            self.refused.setStyleSheet(f"color: {style.color('negative-text').name()}; "
                                       f"background: {style.color('window').name()};")
            place = self.geometry()
            self.refused.setGeometry(place.left(), place.bottom() + 5, place.width(),
                                     self.refused.heightForWidth(place.width()))
            self.refused.raise_()

    def _apply(self) -> None:
        self.refuse(self.choices.apply(self.entry, self.text().strip()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.setText(self.entry.word)
            self.refuse("")
            self.clearFocus()
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        return keeps(event, (Qt.Key.Key_Escape,)) or super().event(event)
