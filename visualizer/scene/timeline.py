"""Time as a number: a Trace becomes Beats, and any second of the animation is one Moment.

Forward beats follow the order of execution; backward beats return the same way. Every frame is a function of
(beat, phase), so a step back is the same frame and scrubbing costs nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from math import asin, ceil, floor, sin

from visualizer import kinds
from visualizer.language import tr
from visualizer.trace import Layer, Trace, remembered

FORWARD, BACKWARD = "forward", "backward"
READS = "reads"
"""The first act of a step: what is new is taken in."""
UPDATE = "update"
"""What is done in a beat of a training: all weights move."""
REST = Fraction(1, 4)
"""Seconds of rest after each beat when it plays by itself."""
SECONDS = {FORWARD: Fraction(3, 5), BACKWARD: Fraction(2, 5)}
QUICK = Fraction(3, 50)
"""Seconds of a step that is only passed by, from one to the next without a rest."""
SLOW_TERMS, SLOW_TERM, OTHER_TERMS = 3, Fraction(1, 2), Fraction(5, 2)
"""Where terms are added one after the other, the first three take half a second each, and all others together this
long: five terms and five thousand are over at about the same time."""
BEGUN = 1e-3
"""Where one act of a step ends the next has not begun yet: so much of it, and it is shown, with nothing done."""


@dataclass(frozen=True)
class Beat:
    """One thing that happens: a layer computes, or hands its gradient back."""

    layer: str
    direction: str = FORWARD
    step: int | None = None
    """For layers that hide time: which step, counted from 1."""
    acts: tuple[str, ...] = ()
    """What happens within a step, in order: `reads`, `forget`, `cell`, …; each takes an equal share of the beat."""
    quick: bool = False
    """Only passed by, one of many steps that do the same."""
    of: str = ""
    """In a reel: of which recording."""
    doing: str = ""
    """What is done with the answer that its layer holds, once that is computed: `decode`, `suppress`. Only a view that
    names such beats in its `after` has them; they go forward, and `layer` is a layer of the recording as ever."""
    number: int = 0
    """Which of several such beats, counted from 1; 0 where there is one."""
    words: str = ""
    """What such a beat does, in a few words, for `translated`."""

    @property
    def address(self) -> str:
        """`conv2.forward`, `lstm.backward[3]`, `head.suppress[2]`; in a reel `after:conv2.forward`."""
        step = f"[{self.step}]" if self.step is not None else f"[{self.number}]" if self.number else ""
        of = f"{self.of}:" if self.of else ""
        return f"{of}{self.layer}.{self.doing or self.direction}{step}"

    def stretch(self, act: str) -> tuple[float, float]:
        """From which phase to which one an act of the step happens; the whole beat for what is none of its acts."""
        if act not in self.acts:
            return 0.0, 1.0
        place = self.acts.index(act)
        return place / len(self.acts), (place + 1) / len(self.acts)


@dataclass(frozen=True)
class Moment:
    """A beat, and how far into it: phase 0 is its start, 1 its settled end."""

    beat: Beat
    phase: float = 1.0
    index: int = 0
    """Which beat of the timeline, counted from 0."""

    def __post_init__(self) -> None:
        """It is exactly what its address says, so that a film, the window and a file draw the same."""
        object.__setattr__(self, "phase", float(f"{self.phase:.12g}"))

    @property
    def address(self) -> str:
        return self.beat.address if self.phase == 1 else f"{self.beat.address}@{self.phase:.12g}"

    @property
    def backward(self) -> bool:
        return self.beat.direction == BACKWARD

    @property
    def act(self) -> str:
        """What happens just now within a step, or was done just now; empty where there are no acts."""
        acts = self.beat.acts
        return acts[max(0, ceil(self.phase * len(acts) - 1e-9) - 1)] if acts else ""

    @property
    def opens(self) -> str:
        """Which array of its layer is looked into: the output, or within a step the gate or state of that act."""
        if self.phase == 1 or self.act in ("", "hidden") or (self.backward and self.act == READS):
            return "output"
        return f"inner.{self.beat.acts[1] if self.act == READS else self.act}"


@dataclass(frozen=True)
class Stretch:
    """A part of a beat in which terms are added, one after the other."""

    start: float
    end: float
    """Phases of the beat."""
    terms: int

    def done(self, phase: float) -> int:
        """How many terms have been added at a phase."""
        return floor(self.at(phase))

    def at(self, phase: float) -> float:
        """The same, with how far the next one has come: 2.5 is half of the third."""
        at = min(1.0, max(0.0, (phase - self.start) / (self.end - self.start))) * self.terms
        return float(round(at)) if abs(at - round(at)) < 1e-9 * self.terms else at  # an address has 12 digits

    def phase(self, done: int) -> float:
        """The phase at which so many terms have been added."""
        if done <= 0:
            return self.start and self.start + BEGUN * (self.end - self.start)
        return self.end if done >= self.terms else self.start + done / self.terms * (self.end - self.start)


@dataclass(frozen=True)
class Added:
    """What the terms of a stretch come to, one after the other."""

    stretch: Stretch
    totals: tuple[float, ...]
    """The running sum after each of its terms."""


@dataclass(frozen=True)
class Pace:
    """How a beat plays: how long it takes, how long it then rests, and where in it terms are added one by one."""

    moving: Fraction
    """Seconds from its start to its end, as far as it moves smoothly."""
    rest: Fraction
    stretches: tuple[Stretch, ...] = ()
    """In the order of their phases."""
    first: tuple[tuple[Fraction, Fraction], ...] = ()
    """(phase, seconds) of what goes at a speed of its own at its start, one after the other: up to that phase it takes
    so many of its seconds. The rest goes evenly."""
    stops: tuple[float, ...] = ()
    """Phases at which something of it is done, beside the ends of slow terms, of stretches and of the beat."""
    passed: bool = False
    """Whether nothing new is seen in it: a step does not stop there."""

    @cached_property
    def states(self) -> tuple[float, ...]:
        """Phases at which one could stop and see something new done, the last being 1: where motion is reduced these
        are seen one after the other."""
        ends = {1.0, *self.stops}
        for stretch in self.stretches:
            ends |= {stretch.phase(done) for done in (*range(1, min(stretch.terms, SLOW_TERMS) + 1), stretch.terms)}
        return tuple(sorted(float(f"{end:.12g}") for end in ends))  # as exact as a moment

    @cached_property
    def _legs(self) -> tuple[_Leg, ...]:
        legs: list[_Leg] = []
        second, phase, moving = Fraction(0), Fraction(0), self.moving

        def leg(seconds: Fraction, to: Fraction) -> None:
            nonlocal second, phase
            if to > phase:
                legs.append(_Leg(second, seconds, phase, to))
                second, phase = second + seconds, to

        for to, seconds in self.first:
            leg(seconds, to)
            moving -= seconds
        moving /= 1 - phase
        for stretch in self.stretches:
            start, end = Fraction(stretch.start), Fraction(stretch.end)
            leg(moving * (start - phase), start)
            slow = min(stretch.terms, SLOW_TERMS)
            leg(slow * SLOW_TERM, start + (end - start) * slow / stretch.terms)
            if stretch.terms > slow:
                leg(OTHER_TERMS, end)
        leg(moving * (1 - phase), Fraction(1))
        return tuple(legs)

    @property
    def seconds(self) -> Fraction:
        """How long the beat takes, without its rest."""
        last = self._legs[-1]
        return last.second + last.seconds

    def phase(self, second: Fraction | float) -> float:
        """How far the beat has come so many seconds after its start."""
        if second >= self.seconds:
            return 1.0
        leg = next(leg for leg in reversed(self._legs) if second >= leg.second or leg.second == 0)
        share = max(second, 0) - leg.second
        return float(leg.start + (leg.end - leg.start) * Fraction(share) / leg.seconds)

    def second(self, phase: float) -> Fraction:
        """The second at which a phase is reached."""
        leg = next((leg for leg in self._legs if phase <= leg.end), self._legs[-1])
        share = (Fraction(phase) - leg.start) / (leg.end - leg.start)
        return leg.second + leg.seconds * min(Fraction(1), max(Fraction(0), share))

    def stretch(self, phase: float) -> Stretch | None:
        """The terms that are being added at a phase, or that were added last; None where the beat moves smoothly."""
        begun = [stretch for stretch in self.stretches if stretch.start < phase - 1e-9]  # an address has 12 digits
        return begun[-1] if begun else self.stretches[0] if self.stretches else None


@dataclass(frozen=True)
class _Leg:
    """A stretch of a pace along which the phase rises evenly."""

    second: Fraction
    seconds: Fraction
    start: Fraction
    end: Fraction
    """Phases."""


PASSED = Pace(QUICK, Fraction(0), passed=True)


def own_pace(beat: Beat) -> Pace:
    """The pace of a beat that moves smoothly."""
    return Pace(QUICK, Fraction(0)) if beat.quick else Pace(SECONDS[beat.direction], REST)


@dataclass(frozen=True)
class Timeline:
    """The beats of a trace in order, first all the way forward, then all the way back; and the pace of each."""

    beats: tuple[Beat, ...]
    pace_of: Callable[[Moment], Pace] = field(default=lambda moment: own_pace(moment.beat), repr=False, compare=False)
    """Asked for a settled moment, once for each beat; a view may take longer over a beat than another."""
    first_sight: str = ""
    """Address of what is shown before anybody has chosen a moment; the first beat where it is empty."""
    within: Timeline | None = field(default=None, repr=False, compare=False)
    """In a reel: the beats of one of its recordings, at one of which all of them are looked at."""

    @cached_property
    def _paces(self) -> dict[int, Pace]:
        return {}

    def pace(self, index: int) -> Pace:
        """How beat `index` plays."""
        if index not in self._paces:
            self._paces[index] = self.pace_of(self.settled(index))
        return self._paces[index]

    @cached_property
    def starts(self) -> tuple[Fraction, ...]:
        """Second at which each beat starts."""
        starts, now = [], Fraction(0)
        for index in range(len(self.beats)):
            starts.append(now)
            now += self._lasts(index)
        return tuple(starts)

    @property
    def seconds(self) -> Fraction:
        """Length of the whole animation at speed 1."""
        return self.starts[-1] + self._lasts(len(self.beats) - 1) if self.beats else Fraction(0)

    def _lasts(self, index: int) -> Fraction:
        pace = self.pace(index)
        return pace.seconds + pace.rest

    def at(self, seconds: Fraction | float) -> Moment:
        """The moment at a second of the animation; before the start and after the end it stands still."""
        index = max(0, bisect_right(self.starts, seconds) - 1)
        return Moment(self.beats[index], self.pace(index).phase(seconds - self.starts[index]), index)

    def after(self, moment: Moment, seconds: Fraction | float) -> Moment:
        """The moment so many seconds after another one: what `at` gives, without the paces of what came before."""
        index, left = moment.index, seconds + self.pace(moment.index).second(moment.phase)
        while index < len(self.beats) - 1 and left >= self._lasts(index):
            left -= self._lasts(index)
            index += 1
        return Moment(self.beats[index], self.pace(index).phase(left), index)

    def second_of(self, moment: Moment) -> Fraction:
        """The second at which a moment is reached: `at(second_of(m))` is m again."""
        return self.starts[moment.index] + self.pace(moment.index).second(moment.phase)

    @property
    def telling(self) -> Moment:
        """What is shown before anybody has chosen a moment."""
        return self.find(self.first_sight) if self.first_sight else self.settled(0)

    def extended(self, after: tuple[Beat, ...]) -> Timeline:
        """The same, with what is done with answers: each behind the last beat forward of its layer, in their order."""
        beats = list(self.beats)
        for beat in after:
            forward = [index for index, each in enumerate(beats) if each.direction == FORWARD]
            own = [index for index in forward if beats[index].layer == beat.layer]
            beats.insert((own or forward)[-1] + 1, beat)
        return replace(self, beats=tuple(beats)) if after else self

    def paced(self, pace_of: Callable[[Moment], Pace] | None, first_sight: str) -> Timeline:
        """The same beats at another pace, with another first sight."""
        return replace(self, first_sight=first_sight, pace_of=pace_of or self.pace_of)

    def settled(self, index: int) -> Moment:
        """Beat `index`, complete; indices beyond either end give the first or the last beat."""
        index = min(max(index, 0), len(self.beats) - 1)
        return Moment(self.beats[index], 1.0, index)

    def find(self, address: str) -> Moment:
        """The moment of an address such as `conv2.forward@0.5` or `lstm.forward[12].forget` (that part done).

        Raises LookupError with one sentence.
        """
        text, _, phase_text = address.partition("@")
        try:
            phase = float(phase_text) if phase_text else 1.0
        except ValueError:
            phase = -1.0
        if not 0 <= phase <= 1:
            raise LookupError(tr("{address!r} has no phase between 0 and 1 after the @; write for example {text}@0.5."
                                 ).format(address=address, text=text))
        index = self._by_address.get(text)
        if index is None:
            index, phase = self._find_act(text, phase)
        if index is None:
            raise LookupError(tr("There is no moment {address!r}; write {words}."
                                 ).format(address=address, words=self._how_to_write(text)))
        return Moment(self.beats[index], phase, index)

    def nearest(self, address: str) -> Moment | None:
        """The moment of an address; of a step that is not there the last one, of something done with an answer that is
        not done here the answer itself, of what is not there at all None."""
        try:
            return self.find(address)
        except LookupError:
            found = re.fullmatch(r"(.+)\[\d+\](.*)", address)
        steps = [beat.step or beat.number for beat in self.beats if (beat.step is not None or beat.number)
                 and found is not None and f"{beat.layer}.{beat.doing or beat.direction}" == found[1]]
        if found is not None and steps:
            return self.find(f"{found[1]}[{max(steps)}]{found[2]}")
        layer, _, doing = address.partition("@")[0].rpartition(".")
        return None if doing.startswith((FORWARD, BACKWARD)) else self.of(layer, FORWARD)

    def _find_act(self, text: str, phase: float) -> tuple[int | None, float]:
        """A bare layer means its forward beat, a layer without a step its first one, and an act its end."""
        beat, _, act = text.rpartition(".")
        index = self._by_address.get(beat)
        if index is not None and act in self.beats[index].acts:
            acts = self.beats[index].acts
            return index, (acts.index(act) + phase) / len(acts)
        for layer, direction in ((text, FORWARD), (beat, act)):
            found = self.of(layer, direction)
            if found is not None:
                return found.index, phase
        return None, phase

    def _how_to_write(self, text: str) -> str:
        names = dict.fromkeys(beat.layer for beat in self.beats)
        stepped = [beat for beat in self.beats if beat.step is not None and text.startswith(f"{beat.layer}.")]
        if stepped:
            last = max(beat.step or 0 for beat in stepped)
            said = tr("{layer}.forward[N] or {layer}.backward[N] with a step 1…{last}, and {acts} after it") \
                if stepped[0].acts else tr("{layer}.forward[N] or {layer}.backward[N] with a step 1…{last}")
            return said.format(layer=stepped[0].layer, last=last, acts=", ".join(stepped[0].acts))
        done = dict.fromkeys(beat.address.partition("[")[0] + "[N]" * bool(beat.number)
                             for beat in self.beats if beat.doing)
        return tr("{done}LAYER.forward or LAYER.backward, where LAYER is one of {known}").format(
            done="".join(f"{each}, " for each in done), known=", ".join(names))

    def of(self, layer: str, direction: str, step: int | None = None) -> Moment | None:
        """The settled beat of a layer in one direction, if there is one; its first one where it has a beat a step."""
        index = self._by_address.get(Beat(layer, direction, step).address)
        if index is None:
            index = self._first.get((layer, direction))
        return None if index is None else self.settled(index)

    @cached_property
    def _by_address(self) -> dict[str, int]:
        return {beat.address: index for index, beat in enumerate(self.beats)}


    @cached_property
    def _first(self) -> dict[tuple[str, str], int]:
        found: dict[tuple[str, str], int] = {}
        for index, beat in enumerate(self.beats):
            found.setdefault((beat.layer, beat.direction), index)
        return found


@remembered(16)
def timeline(trace: Trace) -> Timeline:
    """Every layer once forwards, then every layer through which gradient came, once backwards.

    Layers that hide time have a beat a step, in the order in which they were computed. Layers that run beside another
    one share its beats.
    """
    forward = [beat for layer in trace.layers for beat in _beats(layer, FORWARD)]
    backward = [beat for layer in reversed(trace.layers[:-1]) if _carries_back(trace, layer.name)
                for beat in _beats(layer, BACKWARD)]
    return Timeline(tuple(forward + backward))


def in_beat(layer: Layer, moment: Moment) -> bool:
    """Whether a moment is a layer's own: its beat, or that of the layer it runs beside."""
    return moment.beat.layer in (layer.name, layer.settings.get("beside"))


def _beats(layer: Layer, direction: str) -> list[Beat]:
    if "beside" in layer.settings:
        return []
    if not layer.inner or "step" not in layer.axes:
        return [Beat(layer.name, direction)]
    steps = list(range(1, layer.shape[layer.axes.index("step")] + 1))
    if layer.settings.get("reverse", False) != (direction == BACKWARD):
        steps.reverse()
    acts = (READS, *layer.inner)
    return [Beat(layer.name, direction, step, acts if direction == FORWARD else acts[::-1],
                 bool(layer.settings.get("quick", False))) for step in steps]


def ease(phase: float) -> float:
    """Ease in and out: slow at both ends, 0 to 1."""
    return phase * phase * (3 - 2 * phase)


def uneased(share: float) -> float:
    """The phase at which `ease` gives `share`: the inverse of 3p² − 2p³ on 0 … 1, in closed form."""
    return 0.5 - sin(asin(1 - 2 * min(1.0, max(0.0, share))) / 3)


def progress(phase: float, start: float, end: float) -> float:
    """How far a sub-movement from `start` to `end` of the beat has come: 0 before, 1 after."""
    return min(1.0, max(0.0, (phase - start) / (end - start)))


def _carries_back(trace: Trace, name: str) -> bool:
    """Whether gradient came to a layer; to the symbols that a table is looked up by it comes as far as their rows."""
    layer = trace[name]
    return layer.gradient is not None or kinds.shares(layer) or (layer.is_input and layer.output.ndim == 1 and any(
        kinds.role(reader) == "table" and reader.gradient is not None for reader in trace.readers(name)))
