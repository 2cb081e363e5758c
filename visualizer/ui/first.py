"""The first minute: what *Play* on the start screen does. A network is played gently, stops after 20 seconds or at its
answer, and three things to try are offered. Whoever does anything meanwhile goes on alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Protocol

from PySide6.QtCore import QEvent, QObject, QRect, QRectF, QSize, Signal
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QWidget

from visualizer import start
from visualizer.language import tr, translated
from visualizer.scene import state as does
from visualizer.scene.state import SPEEDS, State
from visualizer.scene.timeline import Timeline
from visualizer.scene.type import plain_lines
from visualizer.start import StartCard
from visualizer.trace import Trace
from visualizer.ui import faults, style
from visualizer.ui.buttons import Button
from visualizer.ui.commands import key_for
from visualizer.ui.store import Store

SECONDS = 20
"""So long it is played at most."""
WIDEST, HIGH, MARGIN, EACH = 760, 122, 12, 66


class Clock(Protocol):
    """The player, as far as it is needed here."""

    def later(self, owner: object, seconds: float, function: Callable[[], None]) -> None:
        """Call a function once, after so many seconds."""

    def never(self, owner: object) -> None:
        """Forget what waits of an owner."""


class FirstMinute(QObject):
    """Plays it, and stops it."""

    ended = Signal(bool)
    """It has stopped by itself; whether the answer was reached."""

    def __init__(self, store: Store, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.store = store
        self.clock: Clock | None = None
        self.hero = start.hero()
        self.playing = False
        self._speed = 1.0
        self._place: tuple[object, ...] = ()
        store.changed.connect(self._follow)
        store.trace_changed.connect(self._set_off)
        self._waits = False

    def begin(self) -> None:
        """Open the network, and play it as soon as it is there."""
        self.cancel()
        self.store.apply(lambda state: start.entered(state, self.hero.state))
        self._waits = True
        self._set_off()

    def cancel(self) -> None:
        """Somebody does something else."""
        self._waits = False
        if self.playing:
            self.playing = False
            if self.clock is not None:
                self.clock.never(self)

    def _set_off(self, trace: Trace | None = None) -> None:
        times = self.store.timeline
        if not self._waits or self.store.waiting or not times.beats:
            return
        self._waits, self.playing = False, True
        self._speed = self.store.state.speed
        self._place = _place_of(self.store.state)
        speed = gentle(times)
        self.store.apply(lambda state: replace(does.go(state, times.find(f"{times.beats[0].address}@0")), playing=True,
                                               speed=speed))
        if self.clock is not None:
            self.clock.later(self, SECONDS, self._stop)

    def _follow(self, old: State, new: State) -> None:
        if not self.playing:
            return
        moment = self.store.moment
        if _place_of(new) != self._place or (old.speed != new.speed and old.playing):
            self.cancel()
        elif moment is not None and new.playing and moment.index > self._answered():
            self._stop()
        elif not new.playing and old.playing:
            self.cancel()

    def _answered(self) -> int:
        """The beat at which the answer is there."""
        return self.store.timeline.telling.index

    def _stop(self) -> None:
        times, moment = self.store.timeline, self.store.moment
        self.cancel()
        last = self._answered()
        reached = moment is None or moment.index >= last
        self.store.apply(lambda state: replace(does.go(state, times.settled(last)) if reached else state,
                                               playing=False, speed=self._speed))
        self.ended.emit(reached)


def gentle(times: Timeline) -> float:
    """The slowest speed at which the way to the answer is over in time; the usual one where none is slow enough."""
    forward = float(times.second_of(times.telling))
    return next((speed for speed in SPEEDS if speed <= 1 and forward / speed <= SECONDS), 1.0)


def _place_of(state: State) -> tuple[object, ...]:
    return state.recipe, state.view, state.focus, state.active, len(state.places)


class Tries(QWidget):
    """Three things to try, over the foot of the stage, until one is chosen or it is put away."""

    chosen = Signal(object)

    def __init__(self, cards: tuple[StartCard, ...], parent: QWidget) -> None:
        super().__init__(parent)
        self.said = ""
        self.cards = [TryButton(card, self) for card in cards]
        for button in self.cards:
            button.clicked.connect(partial(self.chosen.emit, button.card))
        self.close_button = Button("", "cross", "flat", self)
        self.close_button.clicked.connect(self.put_away)
        style.name(self.close_button, tr("Close"))
        self.hide()

    def come(self, reached: bool) -> None:
        """Show them."""
        self.said = tr("That is the whole way to the answer. Three things to try:") if reached else \
            tr("Those were the first {n} seconds; {play} goes on. Three things to try:").format(
                n=SECONDS, play=key_for("play"))
        style.name(self, self.said)
        self.show()
        self.raise_()

    def put_away(self) -> bool:
        """Hide them; False if they were not shown."""
        was = self.isVisible()
        self.hide()
        return was

    def place(self, stage: QRect) -> None:
        """Over the foot of the stage, in its middle."""
        wide = min(WIDEST, stage.width() - 2 * MARGIN)
        self.setGeometry(stage.center().x() - wide // 2, stage.bottom() + 1 - MARGIN - HIGH, wide, HIGH)
        each = (wide - 32 - 12 * (len(self.cards) - 1)) // max(1, len(self.cards))
        for number, button in enumerate(self.cards):
            button.setGeometry(16 + number * (each + 12), HIGH - EACH - 12, each, EACH)
        self.close_button.setGeometry(wide - 36, 6, 28, 28)

    def paintEvent(self, event: QPaintEvent) -> None:
        with faults.painting(self) as painter:
            style.fill(painter, QRectF(self.rect()), "raised", 10, "rule")
            style.write(painter, self.said, 16, 27, weight=600, width=self.width() - 60)


class TryButton(Button):
    """One of them: its title, one line."""

    def __init__(self, card: StartCard, parent: QWidget) -> None:
        super().__init__(translated(card.title), "", "raised", parent)
        self.card = card
        style.name(self, f"{translated(card.title)}, {translated(card.line)}")

    def sizeHint(self) -> QSize:
        return QSize(120, EACH)

    def enterEvent(self, event: QEvent) -> None:
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        place = QRectF(self.rect())
        with faults.painting(self) as painter:
            style.fill(painter, place, "tint" if self.underMouse() else "sunk", 8)
            style.write(painter, self.text(), 12, 22, "accent-ink", weight=600, width=place.width() - 24)
            for number, line in enumerate(plain_lines(translated(self.card.line), 12, place.width() - 24)[:2]):
                style.write(painter, line, 12, 40 + 15 * number, "ink-2", size=12, weight=400)

