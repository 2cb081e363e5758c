"""Player: the only clock. While the State plays, it sets the moment that the timeline has at this very second.

Frames are skipped by time and never queued: a late tick shows where the animation is now. No timer runs while nothing
plays and nothing glides.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from PySide6.QtCore import QElapsedTimer, QObject, Qt, QTimer

from visualizer.scene import state as does
from visualizer.scene.passage import pace
from visualizer.scene.state import changed
from visualizer.scene.timeline import Moment, Timeline
from visualizer.ui.store import Store

TICK = 16
"""Milliseconds between frames."""
SECOND = 1000
Glide = Callable[[float], None]
"""Told how far it has come, from 0 to 1; the last thing it hears is 1."""


class Player(QObject):
    """Follows `playing` and `speed` of the State; moves `at`, forward half first, then the backward half.

    It knows seconds alone: which moment a second shows is the timeline's, as it is for a film.
    """

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
        self._from: Moment | None = None
        self._second, self._since, self._speed = Fraction(0), Fraction(0), Fraction(1)
        self._shown = Fraction(0)
        """When the moment was shown that the State has."""
        self._at, self._counting = "", False
        self._next_input = Fraction(0)
        """When the next input is due, in milliseconds."""
        self._waits: dict[object, QTimer] = {}
        self._glides: dict[object, tuple[Glide, Fraction, Fraction]] = {}
        self._counter = QTimer(self)
        self._counter.setInterval(SECOND // 4)
        self._counter.timeout.connect(self.tell)
        self._heard: Callable[[int], None] | None = None
        self._counted, self._counted_from = -1, Fraction(0)
        store.changed.connect(self._follow)
        store.changed.connect(self._follow_inputs)
        store.trace_changed.connect(self._retrace)
        store.study_grew.connect(lambda beats: self._retrace() if beats else None)
        if store.state.playing:
            self._start()

    @property
    def running(self) -> bool:
        return self._timer.isActive()

    def glide(self, owner: object, seconds: float, function: Glide, travels: bool = True) -> None:
        """Tell `function` how far it has come, at each tick for so many seconds; the newest of an owner replaces the
        one before. With reduced motion it is told 1 at once, unless it only fades."""
        self._glides.pop(owner, None)
        if travels and self._store.state.look.reduced_motion:
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
            if self._store.timeline is not self._timeline:  # another recording, view or focus: other paces
                self._start(self._shown)
            self._play()
        if self._store.state.stepping:
            self._step()
        self._rest()

    # --- what plays ---

    def _play(self) -> None:
        """The timeline as it is. The end is the last beat, settled; there the State stops playing."""
        times = self._timeline
        if self._from is None:
            return
        moment = times.after(self._from, self._now())
        if moment.index == len(times.beats) - 1 and moment.phase == 1:
            self._show(moment, playing=False)
        else:
            self._show(moment, playing=True)

    def _now(self) -> Fraction:
        """Seconds of the animation since the moment at which it was set going, counted exactly from there, never added
        up tick by tick."""
        return self._second + (Fraction(self._clock()) - self._since) / 1000 * self._speed

    def _show(self, moment: Moment, playing: bool) -> None:
        self._at, self._shown = moment.address, Fraction(self._clock())
        self._store.apply(lambda state: changed(state, at=self._at, playing=playing), undoable=False)

    def _start(self, since: Fraction | None = None) -> None:
        """Count from the State's own moment, from now on or from when it was shown."""
        self._timeline, self._from = self._store.timeline, self._store.moment
        self._count_from(Fraction(0))
        self._shown = self._since = self._since if since is None else since
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
        """On from the same moment of another recording, or from the one that was kept."""
        same = self._timeline == self._store.timeline
        if self._store.state.playing:
            self._start(self._shown if same else None)

    # --- from input to input ---

    def _follow_inputs(self, old: does.State, new: does.State) -> None:
        if new.stepping and new.stepping != old.stepping:
            self._next_input = Fraction(self._clock())
            self._timer.start()

    def _step(self) -> None:
        """To the next input, when it is due and the one before has come; at the last one it stops."""
        state, known, now = self._store.state, self._store.inputs, Fraction(self._clock())
        if self._store.waiting or now < self._next_input:
            return
        word = "" if known is None else known.beside(state.sample, state.stepping)
        if word in ("", state.sample):
            self._store.apply(lambda state: does.run_through(state, 0), undoable=False)
            return
        self._next_input = now + sum(pace(state.sample)) * 1000 / Fraction(state.speed)
        self._store.apply(lambda state: does.to_input(state, word), undoable=False)

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
        state = self._store.state
        if not self._glides and not state.stepping and not (state.playing and self._timeline.beats):
            self._timer.stop()
