"""Tones: the numbers that are looked at are heard, one at each beat while it steps or plays, or all of them as one
curve. What is heard is what is looked at: a running sum, a gradient on its way back, or a state."""

from __future__ import annotations

from fractions import Fraction

from PySide6.QtCore import QObject, Signal

from visualizer import sight, sonify
from visualizer.language import tr
from visualizer.scene.timeline import Moment, Timeline
from visualizer.sight import Sight
from visualizer.sonify import Audible, Melody
from visualizer.trace import Refused, Trace
from visualizer.ui.sounding import Sounding
from visualizer.ui.store import Store

AHEAD = 10
"""Seconds that are made at once while it plays."""
LATE = Fraction(1, 2)
"""Seconds: whoever is farther away than that was put there, and did not come by playing."""


class Tones(QObject):
    """The numbers of one window, through its loudspeaker."""

    said = Signal(str)

    def __init__(self, store: Store, sounding: Sounding, parent: QObject) -> None:
        super().__init__(parent)
        self.store, self.sounding = store, sounding
        self.on = False
        """Whether each beat is heard."""
        self._last: tuple[object, ...] = ()
        """What was heard last, as far as one knows it again."""
        self._here: Moment | None = None
        """Where one stood last while it played; None while it stands."""
        self._left = Fraction(0)
        """Seconds of the timeline that have been made and are still to be heard."""
        store.changed.connect(lambda old, new: self._follow())
        store.trace_changed.connect(self._follow)

    def play(self) -> None:
        """Hear all of what is looked at as one curve, and say what it is."""
        found = self._found()
        if found is None:
            self.said.emit(tr("There is nothing to be heard here: open one network on one input."))
            return
        try:
            made = sonify.whole(*found)
        except Refused as error:
            self.said.emit(str(error))
            return
        if not made.tones:
            self.said.emit(tr("Nothing is added up here, so nothing is heard: go to a number that is a sum."))
        elif self._hear(made):
            self.said.emit(made.caption)

    def toggle(self) -> None:
        """From now on each beat is heard, or no more."""
        self.on = not self.on and self.sounding.ready()
        self._last, self._here = (), None
        if not self.on:
            self.sounding.stop()
            self.said.emit(tr("Its numbers are no longer heard."))
            return
        self.sounding.on = False
        found = self._found()
        try:
            what = "" if found is None else found[0].words(found[1], found[2])
        except Refused:
            what = ""
        self.said.emit(tr("Each beat is heard: {what}; {zero} Hz is 0.").format(what=what, zero=round(sonify.ZERO))
                       if what else tr("Each beat is heard."))
        self._follow()

    def _found(self) -> tuple[Audible, Trace, Sight, Timeline] | None:
        """What is heard now; None where not one recording is looked at."""
        state, trace = self.store.state, self.store.trace
        if trace is None or self.store.moment is None or state.reel or len(state.places) > 1:
            return None
        seen = sight.sight(trace, state, self.store.moment)
        return sonify.fitting(trace, seen), trace, seen, self.store.timeline

    def _follow(self) -> None:
        """A tone where one stands; while it plays all that is to come, from here on."""
        found = self._found() if self.on else None
        if found is None:
            self._silence()
            return
        try:
            if self.store.state.playing:
                self._along(*found)
            else:
                self._silence()
                self._one(*found)
        except Refused:
            self._silence()

    def _one(self, audible: Audible, trace: Trace, seen: Sight, times: Timeline) -> None:
        here = (audible.name, trace.digest, seen.moment, seen.focus)
        if here != self._last:
            self._last = here
            made = sonify.at(audible, trace, seen, times)
            if made is not None and made.tones:
                self._hear(made)

    def _along(self, audible: Audible, trace: Trace, seen: Sight, times: Timeline) -> None:
        """On with what was made, or anew where somebody put it elsewhere, looks at something else, or it is over."""
        speed = Fraction(self.store.state.speed)
        here = (audible.name, trace.digest, seen.view.name, seen.focus, speed)
        passed = None if self._here is None or here != self._last else _between(times, self._here, seen.moment)
        self._last, self._here = here, seen.moment
        if passed is not None and 0 <= passed <= LATE * speed and passed < self._left:
            self._left -= passed
            return
        self._left = AHEAD * speed
        self._hear(sonify.melody(audible, trace, seen, times, self._left, speed))

    def _silence(self) -> None:
        if self._here is not None:
            self._here, self._last = None, ()
            self.sounding.stop()

    def _hear(self, made: Melody) -> bool:
        heard = self.sounding.hear(sonify.samples(made), sonify.RATE)
        self.on = self.on and heard
        return heard


def _between(times: Timeline, one: Moment, other: Moment) -> Fraction:
    """Seconds of the timeline from one moment to another; below 0 where that comes before."""
    if other.index < one.index:
        return Fraction(-1)
    passed = [times.pace(index) for index in range(one.index, other.index)]
    return sum((pace.seconds + pace.rest for pace in passed), Fraction(0)) + \
        times.pace(other.index).second(other.phase) - times.pace(one.index).second(one.phase)
