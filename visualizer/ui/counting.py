"""Counting: has right answers counted by strength while somebody looks at the curves, and shows them."""

from __future__ import annotations

import json

from PySide6.QtCore import QObject, QRectF, QSize, Qt, QTimer, Signal  # noqa: TID251 waits until a drag has settled
from PySide6.QtGui import QAccessible, QHelpEvent, QMouseEvent, QPaintEvent
from PySide6.QtWidgets import QToolTip, QWidget

from visualizer import door, edits, paint
from visualizer.curve import Curve, from_plain
from visualizer.engine.client import Engine
from visualizer.language import tr
from visualizer.scene import numbers
from visualizer.scene.accuracy import Area, curves_marks, strength_at
from visualizer.scene.picture import Rect
from visualizer.scene.recipe import ModelRecipe, Recipe
from visualizer.scene.state import State
from visualizer.ui import faults, style
from visualizer.ui.buttons import Button
from visualizer.ui.store import Store, network_of
from visualizer.ui.what_if import WhatIf

HIGH = 200
SETTLED = 250
"""Milliseconds without another change after which is counted."""
MOST_KEPT = 64
"""So many curves are at hand: more than the places of a comparison have."""

Asked = tuple[str, tuple[str, ...], str]
"""A model, what is done to it and to its inputs, and which of that grows: what a curve is of."""


class Counting(QObject):
    """Stands between the bar and the engine: one curve for each place."""

    changed = Signal()

    def __init__(self, store: Store, bar: WhatIf, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.store, self.bar = store, bar
        self.engine: Engine | None = None
        self.on = False
        self.known: dict[Asked, Curve] = {}
        self.why: dict[Asked, str] = {}
        self._numbers: dict[int, Asked] = {}
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(SETTLED)
        self._settle.timeout.connect(self._ask)
        store.changed.connect(self._follow)
        self.changed.connect(self.hand_over)

    def attach(self, engine: Engine) -> None:
        """From now on there is somebody who counts."""
        self.engine = engine
        engine.progress.connect(self._went_on)
        engine.answered.connect(self._answered)
        engine.refused.connect(self._refused)
        engine.failed.connect(self._refused)
        self._settle.start()

    def turn(self, on: bool) -> None:
        """Whether anybody looks at the curves; what nobody looks at is not counted on, and keeps what it has."""
        self.on = on
        if on:
            self._settle.start()
        else:
            self._cancel(())
        self.changed.emit()

    @property
    def wanted(self) -> tuple[Asked, ...]:
        """What each place asks for; nothing while nothing is done to the input, and nothing has been chosen."""
        found = (self._asked_of(place.recipe) for place in self.store.state.places)
        return tuple(dict.fromkeys(asked for asked in found if asked is not None))

    def _asked_of(self, recipe: Recipe) -> Asked | None:
        if not self.bar.chosen or not self.bar.words or not isinstance(recipe, ModelRecipe) \
                or not door.can_run(recipe.model):
            return None
        edit, own = edits.find(self.bar.chosen), list(recipe.edits)
        if all(word.partition(":")[0] != edit.name for word in own):
            own.append(self.bar.words)
        top = edit.strength.curve[-1] if edit.strength is not None else 1.0
        words = tuple(edits.at(word, top) if word.partition(":")[0] == edit.name else word for word in own)
        return recipe.model, words, edit.name

    def hand_over(self) -> None:
        """What is counted of each place goes to the store, where it is compared."""
        found = {network_of(place.recipe): self.known.get(asked) for place in self.store.state.places
                 if (asked := self._asked_of(place.recipe)) is not None}
        self.store.set_curves({recipe: curve for recipe, curve in found.items() if curve is not None})

    @property
    def curves(self) -> tuple[Curve, ...]:
        """As far as they have come."""
        return tuple(self.known[asked] for asked in self.wanted if asked in self.known)

    @property
    def sentence(self) -> str:
        """Why there is no curve, or not yet."""
        if not self.wanted:
            return tr("Choose what is done to the input, and right answers are counted at every strength of it.")
        refused = next((self.why[asked] for asked in self.wanted if asked in self.why), "")
        return refused or next((curve.why for curve in self.curves if curve.why), "") or \
            ("" if self.curves else tr("Counting right answers …"))

    def _follow(self, old: State, new: State) -> None:
        if self.on and old.places != new.places:
            self.changed.emit()
            self._settle.start()

    def _ask(self) -> None:
        if not self.on or self.engine is None:
            return
        wanted = self.wanted
        self._cancel(wanted)
        under_way = set(self._numbers.values())
        for model, words, grows in wanted:
            asked = model, words, grows
            known = self.known.get(asked)
            if asked not in under_way and asked not in self.why and (known is None or not known.complete):
                number = self.engine.request("curve", lane=f"curve {model} {words}", model=model, edits=list(words),
                                             grows=grows)
                self._numbers[number] = asked

    def _cancel(self, wanted: tuple[Asked, ...]) -> None:
        for number, asked in list(self._numbers.items()):
            if asked not in wanted:
                del self._numbers[number]
                if self.engine is not None:
                    self.engine.cancel(number)

    def _went_on(self, number: int, share: float, words: str) -> None:
        if number in self._numbers:
            self._keep(self._numbers[number], from_plain(json.loads(words)))

    def _answered(self, number: int, name: str, answer: object) -> None:
        asked = self._numbers.pop(number, None)
        if asked is not None and isinstance(answer, dict):
            self._keep(asked, from_plain(answer["curve"]))

    def _keep(self, asked: Asked, curve: Curve) -> None:
        """Have a curve at hand; where something is dragged there is one of every place it was let go at, and those that
        were counted first go."""
        self.known.pop(asked, None)
        self.known[asked] = curve
        while len(self.known) > MOST_KEPT:
            del self.known[next(iter(self.known))]
        self.changed.emit()

    def _refused(self, number: int, sentence: str) -> None:
        asked = self._numbers.pop(number, None)
        if asked is not None:
            self.why[asked] = sentence
            self.changed.emit()


class CurvePane(QWidget):
    """The chart under the stage: a click or a drag goes to a strength."""

    heard_as = QAccessible.Role.Grouping

    closed = Signal()

    def __init__(self, counting: Counting, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.counting, self.bar = counting, counting.bar
        self.whole = False
        self.only_whole = Button(tr("Only those that stay whole"), "", "link", self, size=12)
        self.only_whole.setCheckable(True)
        self.only_whole.clicked.connect(self._turn_whole)
        style.name(self.only_whole, tr("Only those that stay whole"),
                   tr("Only inputs that lose nothing over the edge of their frame at that strength"))
        self.close_button = Button("", "cross", "flat", self)
        self.close_button.clicked.connect(self.closed)
        style.name(self.close_button, tr("Put the curves away"))
        self.setMouseTracking(True)
        self.setAccessibleName(tr("Right answers by strength"))
        counting.changed.connect(self.show_state)
        self.bar.store.changed.connect(self._follow)
        self.show_state()

    def _follow(self, old: State, new: State) -> None:
        if self.isVisible() and (old.places, old.active) != (new.places, new.active):
            self.show_state()

    def show_state(self) -> None:
        """Set every part from what is counted."""
        cut = any(curve.whole_shares for curve in self.counting.curves)
        self.only_whole.setVisible(cut)
        self.only_whole.setText(tr("All inputs") if self.whole else tr("Only those that stay whole"))
        curves = self.counting.curves
        self.setAccessibleDescription("; ".join(
            f"{curve.title}: " + ", ".join(numbers.percent(point.share) for point in curve.points) for curve in curves))
        self._place()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(1104, HIGH)

    def resizeEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        self._place()

    def _place(self) -> None:
        self.close_button.setGeometry(self.width() - 40, 8, 28, 28)
        wide = self.only_whole.sizeHint().width()
        self.only_whole.setGeometry(self.width() - 48 - wide, 10, wide, 24)

    def area(self) -> Area:
        """Where the chart stands."""
        return 24.0, 14.0, self.width() - 48.0, self.height() - 24.0

    def paintEvent(self, event: QPaintEvent) -> None:
        with faults.painting(self) as painter:
            style.fill(painter, QRectF(0, 4, self.width(), self.height() - 4), "stage", 10, "hair")
            curves, said = self.counting.curves, self.counting.sentence
            if curves:
                paint.paint_marks(self._marks(), style.theme_name(), painter)
            if said:
                style.write(painter, said, 24, self.height() / 2 if not curves else self.height() - 8, "ink-2",
                            size=12, weight=400, width=self.width() - 48)

    def _marks(self) -> list:  # type: ignore[type-arg]
        look, cursor = self.bar.store.state.look, abs(self.bar.strength)
        x, y, wide, high = self.area()
        return curves_marks(self.counting.curves, (x, y, wide, high), look, cursor, self.bar.grain, self.whole)

    def _turn_whole(self) -> None:
        self.whole = not self.whole
        self.show_state()

    # --- pointing ---

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.bar.store.end_gesture()
        self._go(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._go(event)

    def _go(self, event: QMouseEvent) -> None:
        curves = self.counting.curves
        if curves:
            strength = strength_at(curves, self.area(), event.position().x(), self.whole)
            if strength != abs(self.bar.strength):
                self.bar.set_strength(strength)

    def event(self, event) -> bool:  # type: ignore[no-untyped-def]
        if isinstance(event, QHelpEvent) and self.counting.curves:
            x, y = event.pos().x(), event.pos().y()
            tips = [mark.tip for mark in self._marks() if isinstance(mark, Rect) and mark.tip
                    and mark.x <= x <= mark.x + mark.width and mark.y <= y <= mark.y + mark.height]
            QToolTip.showText(event.globalPos(), "\n".join(tips), self)
            return True
        return super().event(event)
