"""Time as a number: a Trace becomes Beats, and any second of the animation is one Moment.

Forward beats follow the order of execution; backward beats return the same way. Every frame is a function of
(beat, phase), so a step back is the same frame and scrubbing costs nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, lru_cache
from math import asin, ceil, sin

from visualizer.trace import Layer, Trace

FORWARD, BACKWARD = "forward", "backward"
REST = Fraction(1, 4)
"""Seconds of rest after each beat when it plays by itself."""
SECONDS = {FORWARD: Fraction(3, 5), BACKWARD: Fraction(2, 5)}
QUICK, QUICK_REST = Fraction(1, 20), Fraction(1, 100)
"""The same for steps that are only passed by: 60 ms from one to the next."""


@dataclass(frozen=True)
class Beat:
    """One thing that happens: a layer computes, or hands its gradient back."""

    layer: str
    direction: str = FORWARD
    step: int | None = None
    """For layers that hide time: which step, counted from 1."""
    parts: tuple[str, ...] = ()
    """What happens within a step, in order: `reads`, `forget`, `cell`, …; each takes an equal share of the beat."""

    quick: bool = False
    """Only passed by, one of many steps that do the same."""

    @property
    def address(self) -> str:
        """`conv2.forward`, `lstm.backward[3]`."""
        step = "" if self.step is None else f"[{self.step}]"
        return f"{self.layer}.{self.direction}{step}"

    @property
    def seconds(self) -> Fraction:
        return QUICK if self.quick else SECONDS[self.direction]

    @property
    def rest(self) -> Fraction:
        return QUICK_REST if self.quick else REST

    def stretch(self, part: str) -> tuple[float, float]:
        """From which phase to which one a part of the step happens; the whole beat for what is no part of it."""
        if part not in self.parts:
            return 0.0, 1.0
        place = self.parts.index(part)
        return place / len(self.parts), (place + 1) / len(self.parts)


@dataclass(frozen=True)
class Moment:
    """A beat, and how far into it: phase 0 is its start, 1 its settled end."""

    beat: Beat
    phase: float = 1.0
    index: int = 0
    """Which beat of the timeline, counted from 0."""

    @property
    def address(self) -> str:
        return self.beat.address if self.phase == 1 else f"{self.beat.address}@{self.phase:.12g}"

    @property
    def backward(self) -> bool:
        return self.beat.direction == BACKWARD

    @property
    def part(self) -> str:
        """What happens just now within a step, or was done just now; empty where there are no parts."""
        parts = self.beat.parts
        return parts[max(0, ceil(self.phase * len(parts) - 1e-9) - 1)] if parts else ""

    @property
    def opens(self) -> str:
        """Which array of its layer is looked into: the output, or within a step the gate or state of that part."""
        if self.phase == 1 or self.part in ("", "hidden") or (self.backward and self.part == "reads"):
            return "output"
        return f"inner.{self.beat.parts[1] if self.part == 'reads' else self.part}"


@dataclass(frozen=True)
class Timeline:
    """The beats of a trace in order, first all the way forward, then all the way back."""

    beats: tuple[Beat, ...]
    starts: tuple[Fraction, ...] = field(init=False, repr=False)
    """Second at which each beat starts."""

    def __post_init__(self) -> None:
        starts, now = [], Fraction(0)
        for beat in self.beats:
            starts.append(now)
            now += beat.seconds + beat.rest
        object.__setattr__(self, "starts", tuple(starts))

    @property
    def seconds(self) -> Fraction:
        """Length of the whole animation at speed 1."""
        return self.starts[-1] + self.beats[-1].seconds + self.beats[-1].rest if self.beats else Fraction(0)

    def at(self, seconds: Fraction | float) -> Moment:
        """The moment at a second of the animation; before the start and after the end it stands still."""
        index = max(0, bisect_right(self.starts, seconds) - 1)
        beat = self.beats[index]
        phase = (seconds - self.starts[index]) / beat.seconds
        return Moment(beat, float(min(1, max(0, phase))), index)

    def second_of(self, moment: Moment) -> Fraction:
        """The second at which a moment is reached: `at(second_of(m))` is m again."""
        return self.starts[moment.index] + moment.beat.seconds * Fraction(moment.phase)

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
            raise LookupError(f"{address!r} has no phase between 0 and 1 after the @; write for example {text}@0.5.")
        index = self._by_address.get(text)
        if index is None:
            index, phase = self._find_part(text, phase)
        if index is None:
            raise LookupError(f"There is no moment {address!r}; write {self._how_to_write(text)}.")
        return Moment(self.beats[index], phase, index)

    def _find_part(self, text: str, phase: float) -> tuple[int | None, float]:
        """A bare layer means its forward beat, a layer without a step its first one, and a part its end."""
        beat, _, part = text.rpartition(".")
        index = self._by_address.get(beat)
        if index is not None and part in self.beats[index].parts:
            parts = self.beats[index].parts
            return index, (parts.index(part) + phase) / len(parts)
        for layer, direction in ((text, FORWARD), (beat, part)):
            found = self.of(layer, direction)
            if found is not None:
                return found.index, phase
        return None, phase

    def _how_to_write(self, text: str) -> str:
        names = dict.fromkeys(beat.layer for beat in self.beats)
        stepped = [beat for beat in self.beats if beat.step is not None and text.startswith(f"{beat.layer}.")]
        if stepped:
            last = max(beat.step or 0 for beat in stepped)
            parts = f", and {', '.join(stepped[0].parts)} after it" if stepped[0].parts else ""
            return f"{stepped[0].layer}.forward[N] or {stepped[0].layer}.backward[N] with a step 1…{last}{parts}"
        return f"LAYER.forward or LAYER.backward, where LAYER is one of {', '.join(names)}"

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


@lru_cache(maxsize=16)
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
    parts = ("reads", *layer.inner)
    return [Beat(layer.name, direction, step, parts if direction == FORWARD else parts[::-1],
                 bool(layer.settings.get("quick", False))) for step in steps]


def ease(phase: float) -> float:
    """Ease in and out: slow at both ends, 0 to 1."""
    return phase * phase * (3 - 2 * phase)


def uneased(share: float) -> float:
    """The phase at which `ease` gives `share`: the inverse of 3p² − 2p³ on 0 … 1, in closed form."""
    return 0.5 - sin(asin(1 - 2 * min(1.0, max(0.0, share))) / 3)


def part(phase: float, start: float, end: float) -> float:
    """How far a sub-movement from `start` to `end` of the beat has come: 0 before, 1 after."""
    return min(1.0, max(0.0, (phase - start) / (end - start)))


def _carries_back(trace: Trace, name: str) -> bool:
    return trace[name].gradient is not None or trace[name].kind == "softmax"
