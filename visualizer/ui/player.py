"""Player: the only clock. While the State plays, it sets the moment that the timeline has at this very second.

Frames are skipped by time and never queued: a late tick shows where the animation is now. No timer runs while nothing
plays and nothing glides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer

from visualizer.scene.state import changed
from visualizer.scene.timeline import Moment, Timeline
from visualizer.ui.store import Store

TICK = 16
"""Milliseconds between frames."""
SECOND = 1000
TERM = Fraction(1, 4)
"""Seconds for one small step, where a beat goes in steps."""
Glide = Callable[[float], None]
"""Told how far it has come, from 0 to 1; the last thing it hears is 1."""


class Player(QObject):
    """Follows `playing` and `speed` of the State; moves `at`, forward half first, then the backward half.

    Where a beat goes in small steps, one number after the other, that beat alone is played, a step at a time.
    """

    def __init__(self, store: Store, clock: Callable[[], float | Fraction] | None = None,
                 parent: QObject | None = None) -> None:
        """`clock` answers milliseconds since any fixed point in time; without one, Qt's monotonic clock is read."""
        super().__init__(parent)
        self.steps: Callable[[], int] = lambda: 0
        """In how many small steps the beat goes that is shown now; 0 where it moves smoothly."""
        self.stretch: Callable[[], tuple[float, float]] = lambda: (0.0, 1.0)
        """From which phase of the beat to which one they go."""
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
        self._at, self._in_steps, self._counting = "", 0, False
        self._waits: dict[object, QTimer] = {}
        self._glides: dict[object, tuple[Glide, Fraction, Fraction]] = {}
        self._counter = QTimer(self)
        self._counter.setInterval(SECOND // 4)
        self._counter.timeout.connect(self.tell)
        self._heard: Callable[[int], None] | None = None
        self._counted, self._counted_from = -1, Fraction(0)
        store.changed.connect(self._follow)
        store.trace_changed.connect(self._retrace)
        if store.state.playing:
            self._start()

    @property
    def running(self) -> bool:
        return self._timer.isActive()

    def glide(self, owner: object, seconds: float, function: Glide) -> None:
        """Tell `function` how far it has come, at each tick for so many seconds; the newest of an owner replaces the
        one before. With reduced motion it is told 1 at once."""
        self._glides.pop(owner, None)
        if self._store.state.look.reduced_motion:
            function(1.0)
            return
        self._glides[owner] = function, Fraction(self._clock()), Fraction(seconds) * 1000
        function(0.0)
        self._timer.start()

    def count(self, heard: Callable[[int], None] | None) -> None:
        """Tell somebody how many whole seconds have passed since now, each once; None ends it."""
        self._heard, self._counted, self._counted_from = heard, -1, Fraction(self._clock())
        if heard is None:
            self._counter.stop()
        else:
            self._counter.start()
            self.tell()

    def tell(self) -> None:
        """The seconds that have passed, if they are more than were told."""
        seconds = int((Fraction(self._clock()) - self._counted_from) / SECOND)
        if self._heard is not None and seconds != self._counted:
            self._counted = seconds
            self._heard(seconds)

    def later(self, owner: object, seconds: float, function: Callable[[], None]) -> None:
        """Call a function once, after so many seconds; nothing if one of that owner waits already."""
        if owner in self._waits:
            return
        timer = self._waits[owner] = QTimer(self)
        timer.setSingleShot(True)
        timer.timeout.connect(lambda: self._due(owner, function))
        timer.start(round(seconds * 1000))

    def never(self, owner: object) -> None:
        """Forget what waits of an owner."""
        timer = self._waits.pop(owner, None)
        if timer is not None:
            timer.stop()
            timer.deleteLater()

    def _due(self, owner: object, function: Callable[[], None]) -> None:
        self.never(owner)
        function()

    def tick(self) -> None:
        """Show where everything is now."""
        self._glide_on()
        if self._store.state.playing and self._timeline.beats:
            if self.steps() != self._in_steps:
                self._start()
            self._play_steps() if self._in_steps else self._play_beats()
        self._rest()

    # --- what plays ---

    def _play_beats(self) -> None:
        """The timeline as it is. The end is the last beat, settled; there the State stops playing."""
        times = self._timeline
        end = times.settled(len(times.beats) - 1)
        second = self._now()
        if second >= times.second_of(end):
            self._show(end, playing=False)
        else:
            moment = times.at(second)
            reduced = self._store.state.look.reduced_motion
            self._show(times.settled(moment.index) if reduced else moment, playing=True)

    def _play_steps(self) -> None:
        """One small step after the other, each all at once, up to the end of the beat."""
        moment = self._store.moment
        assert moment is not None
        done, (start, end) = min(self._in_steps, self._now() // TERM), self.stretch()
        share = done / self._in_steps
        there = replace(moment, phase=end if share == 1 else max(moment.phase, start + share * (end - start)))
        if there.address != self._at or done == self._in_steps:
            self._show(there, playing=done < self._in_steps)

    def _now(self) -> Fraction:
        """The second of the animation, counted exactly from where it was last set, never added up tick by tick."""
        return self._second + (Fraction(self._clock()) - self._since) / 1000 * self._speed

    def _show(self, moment: Moment, playing: bool) -> None:
        self._at = moment.address
        self._store.apply(lambda state: changed(state, at=self._at, playing=playing), undoable=False)

    def _start(self) -> None:
        """Count from the second of the State's own moment: in the timeline, or in the steps of its beat."""
        moment = self._store.moment
        self._in_steps = self.steps()
        if moment is None:
            second = Fraction(0)
        elif self._in_steps:
            start, end = self.stretch()
            share = min(1.0, max(0.0, (moment.phase - start) / (end - start)))
            second = int(share * self._in_steps + 1e-9) * TERM
        else:
            second = self._timeline.second_of(moment)
        self._count_from(second)
        self._at, self._counting = self._store.state.at, True
        self._timer.start()

    def _count_from(self, second: Fraction) -> None:
        self._second, self._since = second, Fraction(self._clock())
        self._speed = Fraction(self._store.state.speed)

    def _follow(self) -> None:
        state = self._store.state
        if not state.playing:
            self._counting = False
            self._rest()
        elif not self._counting or state.at != self._at:  # started, or put elsewhere by somebody else
            self._start()
        elif state.speed != self._speed:
            self._count_from(self._now())

    def _retrace(self) -> None:
        """The same second of a timeline with the same beats; else the second of the moment that was kept."""
        if self._timeline != self._store.timeline:
            self._timeline = self._store.timeline
            if self._store.state.playing:
                self._start()

    # --- what glides ---

    def _glide_on(self) -> None:
        now = Fraction(self._clock())
        for owner, (function, since, lasts) in tuple(self._glides.items()):
            share = min(1.0, float((now - since) / lasts)) if lasts else 1.0
            if share == 1:
                del self._glides[owner]
            function(share)

    def _rest(self) -> None:
        """Let the timer stand where nothing moves."""
        if not self._glides and not (self._store.state.playing and self._timeline.beats):
            self._timer.stop()
