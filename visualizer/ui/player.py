"""Player: the only clock. While the State plays, it sets the moment that the timeline has at this very second.

Frames are skipped by time and never queued: a late tick shows where the animation is now. No timer runs while nothing
plays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer

from visualizer.scene.timeline import Moment, Timeline
from visualizer.ui.store import Store

TICK = 16
"""Milliseconds between frames."""


class Player(QObject):
    """Follows `playing` and `speed` of the State; moves `at`, forward half first, then the backward half."""

    def __init__(self, store: Store, clock: Callable[[], float | Fraction] | None = None,
                 parent: QObject | None = None) -> None:
        """`clock` answers milliseconds since any fixed point in time; without one, Qt's monotonic clock is read."""
        super().__init__(parent)
        self._store = store
        self._elapsed = QElapsedTimer()
        self._elapsed.start()
        self._clock = clock or self._elapsed.elapsed
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(TICK)
        self._timer.timeout.connect(self.tick)
        self._timeline: Timeline = store.timeline
        self._second, self._since, self._speed = Fraction(0), Fraction(0), Fraction(1)
        self._at = ""
        store.changed.connect(self._follow)
        store.trace_changed.connect(self._retrace)
        if store.state.playing:
            self._start()

    @property
    def running(self) -> bool:
        return self._timer.isActive()

    def tick(self) -> None:
        """Show where the animation is now. The end is the last beat, settled; there the State stops playing."""
        times, state = self._timeline, self._store.state
        if not (state.playing and times.beats):
            return
        end = times.settled(len(times.beats) - 1)
        second = self._now()
        if second >= times.second_of(end):
            self._show(end, playing=False)
        else:
            moment = times.at(second)
            self._show(times.settled(moment.index) if state.look.reduced_motion else moment, playing=True)

    def _now(self) -> Fraction:
        """The second of the animation, counted exactly from where it was last set, never added up tick by tick."""
        return self._second + (Fraction(self._clock()) - self._since) / 1000 * self._speed

    def _show(self, moment: Moment, playing: bool) -> None:
        self._at = moment.address
        self._store.apply(lambda state: replace(state, at=self._at, playing=playing), undoable=False)

    def _start(self) -> None:
        """Count from the second of the State's own moment."""
        moment = self._store.moment
        self._count_from(Fraction(0) if moment is None else self._timeline.second_of(moment))
        self._at = self._store.state.at
        self._timer.start()

    def _count_from(self, second: Fraction) -> None:
        self._second, self._since = second, Fraction(self._clock())
        self._speed = Fraction(self._store.state.speed)

    def _follow(self) -> None:
        state = self._store.state
        if not state.playing:
            self._timer.stop()
        elif not self.running or state.at != self._at:  # started, or put elsewhere by somebody else
            self._start()
        elif state.speed != self._speed:
            self._count_from(self._now())

    def _retrace(self) -> None:
        """The same second of a timeline with the same beats; else the second of the moment that was kept."""
        if self._timeline != self._store.timeline:
            self._timeline = self._store.timeline
            if self._store.state.playing:
                self._start()
