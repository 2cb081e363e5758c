"""Time as a number: a Trace becomes Beats, and any second of the animation is one Moment.

Forward beats follow the order of execution; backward beats return the same way. Every frame is a function of
(beat, phase), so a step back is the same frame and scrubbing costs nothing.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property, lru_cache

from visualizer.trace import Trace

FORWARD, BACKWARD = "forward", "backward"
REST = Fraction(1, 4)
"""Seconds of rest after each beat when it plays by itself."""
SECONDS = {FORWARD: Fraction(3, 5), BACKWARD: Fraction(2, 5)}


@dataclass(frozen=True)
class Beat:
    """One thing that happens: a layer computes, or hands its gradient back."""

    layer: str
    direction: str = FORWARD
    step: int | None = None
    """For layers that hide time: which step, counted from 1."""
    part: str = ""
    """For an operation within a step: `forget`, `cell`, …"""

    @property
    def address(self) -> str:
        """`conv2.forward`, `lstm.backward[3].cell`."""
        step = "" if self.step is None else f"[{self.step}]"
        part = f".{self.part}" if self.part else ""
        return f"{self.layer}.{self.direction}{step}{part}"

    @property
    def seconds(self) -> Fraction:
        return SECONDS[self.direction]


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
            now += beat.seconds + REST
        object.__setattr__(self, "starts", tuple(starts))

    @property
    def seconds(self) -> Fraction:
        """Length of the whole animation at speed 1."""
        return self.starts[-1] + self.beats[-1].seconds + REST if self.beats else Fraction(0)

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
        """The moment of an address such as `conv2.forward@0.5`; raises LookupError with one sentence."""
        text, _, phase_text = address.partition("@")
        try:
            phase = float(phase_text) if phase_text else 1.0
        except ValueError:
            phase = -1.0
        if not 0 <= phase <= 1:
            raise LookupError(f"{address!r} has no phase between 0 and 1 after the @; write for example {text}@0.5.")
        index = self._by_address.get(text)
        if index is None and not re.search(r"\.(forward|backward)\b", text):
            index = self._by_address.get(f"{text}.{FORWARD}")
        if index is None:
            names = dict.fromkeys(beat.layer for beat in self.beats)
            raise LookupError(f"There is no moment {address!r}; write LAYER.forward or LAYER.backward, where LAYER is "
                              f"one of {', '.join(names)}.")
        return Moment(self.beats[index], phase, index)

    def of(self, layer: str, direction: str) -> Moment | None:
        """The settled beat of a layer in one direction, if there is one."""
        index = self._by_address.get(Beat(layer, direction).address)
        return None if index is None else self.settled(index)

    @cached_property
    def _by_address(self) -> dict[str, int]:
        return {beat.address: index for index, beat in enumerate(self.beats)}


@lru_cache(maxsize=16)
def timeline(trace: Trace) -> Timeline:
    """Every layer once forwards, then every layer through which gradient came, once backwards."""
    forward = [Beat(layer.name, FORWARD) for layer in trace.layers]
    backward = [Beat(layer.name, BACKWARD) for layer in reversed(trace.layers[:-1]) if _carries_back(trace, layer.name)]
    return Timeline(tuple(forward + backward))


def ease(phase: float) -> float:
    """Ease in and out: slow at both ends, 0 to 1."""
    return phase * phase * (3 - 2 * phase)


def part(phase: float, start: float, end: float) -> float:
    """How far a sub-movement from `start` to `end` of the beat has come: 0 before, 1 after."""
    return min(1.0, max(0.0, (phase - start) / (end - start)))


def _carries_back(trace: Trace, name: str) -> bool:
    return trace[name].gradient is not None or trace[name].kind == "softmax"
