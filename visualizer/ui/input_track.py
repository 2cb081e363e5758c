"""The track of the inputs: which one of how many is looked at, how it is labelled and what is answered; and the way to
the others."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QAccessible, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from visualizer import over, sight
from visualizer.language import numeral, tr
from visualizer.over import Over
from visualizer.scene import state as does
from visualizer.scene.state import State
from visualizer.scene.type import elide
from visualizer.ui import faults, style
from visualizer.ui.buttons import Button
from visualizer.ui.commands import find, keyed
from visualizer.ui.store import Store

HIGH = 32
"""Pixels."""
NOTCH = 120
"""Eighths of a degree that a wheel turns from one input to the next."""
WIDEST = 260
"""Most pixels of what says which inputs they are."""
WORDS = 112
"""Where the words begin, after the buttons."""


class InputTrack(QWidget):
    """One row below that of the beats, where other inputs can be given to what is open."""

    heard_as = QAccessible.Role.Grouping

    def __init__(self, store: Store, run: Callable[[str], None], parent: QWidget | None = None) -> None:
        """`run` does the command of a name."""
        super().__init__(parent)
        self.store, self.run = store, run
        self._turned = 0
        self._shown: tuple[object, ...] = ()
        self.buttons: dict[str, Button] = {}
        for name, icon in (("previous-input", "previous"), ("play-inputs", "play"), ("next-input", "next")):
            button = Button("", icon, "flat", self)
            button.clicked.connect(lambda checked=False, name=name: run(name))
            style.name(button, find(name).title, keyed(find(name).title, name))
            self.buttons[name] = button
        self.chooser = Button("", "", "raised", self)
        self.chooser.pops = True
        self.chooser.clicked.connect(lambda: run("choose-inputs"))
        style.name(self.chooser, find("choose-inputs").title, keyed(find("choose-inputs").tip, "choose-inputs"))
        self.setToolTip(tr("Inputs: the wheel, a click or a drag goes to another one"))
        store.changed.connect(self._follow)
        for signal in (store.trace_changed, store.inputs_changed, store.card_changed):
            signal.connect(self.show_state)
        self.left = True
        """Whether the step of a lesson leaves the input to whoever learns."""
        self.show_state()

    @property
    def needed(self) -> bool:
        """Whether there are other inputs to go to, and one can."""
        return self.left and self.store.trace is not None and self.store.takes_inputs

    def said(self) -> str:
        """`input 12 of 400, labelled 4, answered 9`, of the recording that is shown."""
        known, trace, state = self.store.inputs, self.store.trace, self.store.state
        if trace is None:
            return ""
        if known is None:
            return tr("reading the inputs …")
        place = known.places.get(state.sample, -1) + 1
        if self.store.waiting:
            return tr("input {number} of {count} …").format(
                number=numeral(f"{place:,}"), count=numeral(f"{len(known.words):,}"))
        return sight.input_words(trace, place, len(known.words))

    def show_state(self) -> None:
        """Set every part from the State."""
        if not self.needed:
            return
        state, known = self.store.state, self.store.inputs
        shown = self.said(), state.over, state.sample, state.stepping, style.theme_name()
        if shown == self._shown:
            return
        self._shown = shown
        place = -1 if known is None else known.places.get(state.sample, -1)
        last = -1 if known is None else len(known.words) - 1
        self.buttons["previous-input"].setEnabled(place > 0)
        self.buttons["next-input"].setEnabled(known is not None and place < last)
        self.buttons["play-inputs"].icon_name = "pause" if state.stepping else "play"
        self.buttons["play-inputs"].update()
        self.chooser.setText(f"{elide(title(over.parse(state.over)), 13, WIDEST - 48, 500)} ▾")
        self.setAccessibleName(self.said())
        self._place()
        self.update()

    def _follow(self, old: State, new: State) -> None:
        if (old.over, old.recipe, old.stepping, old.look.theme) != (new.over, new.recipe, new.stepping, new.look.theme):
            self.show_state()

    # --- geometry ---

    def sizeHint(self) -> QSize:
        return QSize(1024, HIGH)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._place()

    def _place(self) -> None:
        for number, button in enumerate(self.buttons.values()):
            button.setGeometry(12 + 32 * number, 0, 28, 28)
        wide = self.chooser.sizeHint().width()
        self.chooser.setGeometry(self.width() - 16 - wide, 0, wide, 28)

    def _line(self) -> tuple[float, float]:
        """Where the line of the inputs begins and ends."""
        return max(WORDS + 300.0, self.width() * 0.36), self.chooser.x() - 24.0

    def corner(self) -> QPoint:
        """Where on the screen a menu stands."""
        return self.chooser.mapToGlobal(QPoint(0, 0))

    # --- painting ---

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self.needed:
            return
        with faults.painting(self) as painter:
            start, end = self._line()
            style.write(painter, self.said(), WORDS, 19, weight=500, width=start - WORDS - 20)
            self._draw_line(painter, start, end)

    def _draw_line(self, painter: QPainter, start: float, end: float) -> None:
        known = self.store.inputs
        place = None if known is None else known.places.get(self.store.state.sample)
        painter.fillRect(QRectF(start, 13, end - start, 2), style.color("rule"))
        if known is None or place is None:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        count = len(known.words)
        if count > 1 and (end - start) / (count - 1) >= 8:
            for number in range(count):
                at = start + (end - start) * number / (count - 1)
                painter.fillRect(QRectF(at - 0.5, 11, 1, 6), style.color("rule"))
        at = start + (end - start) * place / max(1, count - 1)
        painter.fillRect(QRectF(start, 13, at - start, 2), style.color("accent"))
        painter.setBrush(style.color("raised"))
        painter.setPen(QPen(style.color("accent"), 2))
        painter.drawEllipse(QRectF(at - 6, 8, 12, 12))

    # --- pointing ---

    def wheelEvent(self, event: QWheelEvent) -> None:
        """A notch is one input; towards oneself comes the next."""
        self._turned += event.angleDelta().y() or -event.angleDelta().x()
        notches = int(self._turned / NOTCH)
        if notches:
            self._turned -= notches * NOTCH
            self._go_by(-notches)
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.store.end_gesture()
        self._go_to(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go_to(event)

    def _go_to(self, event: QMouseEvent) -> None:
        known, (start, end) = self.store.inputs, self._line()
        x = event.position().x()
        if known is None or not known.words or not start - 8 <= x <= end + 8:
            return
        share = min(1.0, max(0.0, (x - start) / max(1.0, end - start)))
        self._to(known.words[round(share * (len(known.words) - 1))])

    def _go_by(self, by: int) -> None:
        known = self.store.inputs
        if known is not None and known.words:
            self._to(known.beside(self.store.state.sample, by))

    def _to(self, word: str) -> None:
        if word != self.store.state.sample:
            self.store.apply(lambda state: does.still_at(state, word), gesture="inputs")


def title(asked: Over) -> str:
    """What is stepped through, in a few words."""
    pick = {over.ALL: tr("All inputs"), over.WRONG: tr("Answered wrong"), over.UNSURE: tr("Least sure first"),
            over.CLASS: tr("Class {label}").format(label=asked.of),
            over.EXCITE: tr("Exciting {unit}").format(unit=asked.of), over.LINE: tr("A line"),
            over.CIRCLE: tr("A circle")}[asked.pick]
    return f"{pick}, {Path(asked.source).name}" if asked.source else pick
