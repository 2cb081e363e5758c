"""The beat of one step of a recurrent layer: what happens in it, and when.

First all that is still to be seen of the step before slides one step on; then, forwards, the token drops in, the gates
open, memory flows through the gate that keeps, the new is added, the state is shown and the answer moves. Backwards the
gradient arrives, goes through the output, the memory, the gates, the weights, and is passed on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from visualizer.scene.reading import Reading, here
from visualizer.scene.timeline import Moment, Pace, ease, in_beat, progress
from visualizer.trace import Trace

SLIDE = 0.19
"""The share of a beat in which one step goes over into the next; no act of a step ends just there."""
FORWARD = (("token", 15), ("gates", 25), ("keep", 20), ("add", 15), ("show", 15), ("answer", 10))
BACKWARD = (("arrive", 20), ("output", 15), ("memory", 20), ("gates", 15), ("weights", 15), ("pass", 15))
"""What happens in the rest of it, in order, in per cent of that rest."""
STEP, SLOW = Fraction(3, 5), Fraction(12, 5)
"""Seconds of all that happens in a step as it plays, and where its operations are watched one by one."""
SLIDES = Fraction(7, 20)
RESTS = Fraction(1, 20)


@dataclass(frozen=True)
class Stretches:
    """How far each thing that happens in a step has come, 0 … 1."""

    phase: float
    backward: bool

    def of(self, name: str) -> float:
        """`slide` first, then `token`, `gates`, …; even, not eased."""
        start, end = stretch(name, self.backward)
        return progress(self.phase, start, end)

    def eased(self, name: str) -> float:
        """The same, slow at both ends."""
        return ease(self.of(name))

    def out(self, name: str) -> float:
        """The same, fast first and slow at its end."""
        return 1 - (1 - self.of(name)) ** 2


def of(moment: Moment) -> Stretches:
    """What happens at a moment that is a step's own."""
    return Stretches(moment.phase, moment.backward)


def names(backward: bool) -> tuple[str, ...]:
    """What happens, in order, without the slide."""
    return tuple(name for name, _ in (BACKWARD if backward else FORWARD))


def stretch(name: str, backward: bool) -> tuple[float, float]:
    """From which phase of the beat to which one something happens."""
    if name == "slide":
        return 0.0, SLIDE
    gone = 0
    for other, share in BACKWARD if backward else FORWARD:
        if other == name:
            return SLIDE + (1 - SLIDE) * gone / 100, SLIDE + (1 - SLIDE) * (gone + share) / 100
        gone += share
    raise LookupError(f"nothing in a step is called {name!r}")


def pace(slow: bool, backward: bool) -> Pace:
    """How a step plays: the slide, then all that happens in it."""
    return Pace(SLIDES + (SLOW if slow else STEP), RESTS, first=((Fraction(19, 100), SLIDES),),
                stops=tuple(stretch(name, backward)[1] for name in ("slide", *names(backward))))


# --- which step is seen ---------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class When:
    """Which step is drawn, and how far it has come."""

    step: int
    """From 0; −1 where nothing has been read, or nothing has come back."""
    shares: Mapping[str, float]
    """Of all that happens in a step, 0 … 1."""
    slide: float = 0.0
    """While the step before makes room for the next one: how far it has."""
    coming: int = -1
    """Which step that will be; −1 where none is coming."""


def when(trace: Trace, shown: Reading, moment: Moment) -> When:
    """What a moment shows. Before a step begins the one before it is still there, and slides aside."""
    back = moment.backward
    done, nothing = dict.fromkeys(names(back), 1.0), dict.fromkeys(names(back), 0.0)
    if not in_beat(shown.layer, moment) or moment.beat.step is None:
        reached = here(trace, moment, shown)
        if back:
            order = [layer.name for layer in trace.layers]
            passed = order.index(moment.beat.layer) < order.index(shown.layer.name)
            return When(reached - 1, done if passed else nothing)
        return When(reached - 1, done if reached else nothing)
    step = moment.beat.step - 1
    stretches = of(moment)
    slide = ease(stretches.of("slide"))
    if slide >= 1:
        return When(step, {name: stretches.of(name) for name in names(back)})
    ahead = shown.reverse == back
    came = step - 1 if ahead else step + 1
    if not 0 <= came < shown.steps:
        return When(step if back else -1, nothing, slide, step)
    return When(came, done, slide, step)
