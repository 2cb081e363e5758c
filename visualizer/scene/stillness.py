"""Stillness: how a view moves where motion is reduced. Nothing travels; the states that it would come through fade into
each other, one after the other, in the same beats and with the same sentences.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import TypeVar

from visualizer.scene.parts import crossed
from visualizer.scene.picture import Focus, Look, Picture
from visualizer.scene.timeline import Moment, Pace, Timeline, ease, own_pace
from visualizer.trace import Trace, remembered

FADE = Fraction(3, 10)
"""Seconds of a fade; it ends when the state is reached that fades in, so nothing stands there before its time."""
Shown = TypeVar("Shown", Picture, Picture | None)
Draw = Callable[[Trace, Moment, Focus | None, Look], Shown]
Paces = Callable[[Trace, Moment, Focus | None, Look], Pace]


def still(draw: Draw[Shown], pace: Paces | None, times: Timeline, trace: Trace, moment: Moment, focus: Focus | None,
          look: Look) -> Shown:
    """What `draw` shows, its states fading into each other; `pace` tells where in a beat they are, `times` which beats
    there are."""
    own = own_pace(moment.beat) if pace is None else pace(trace, replace(moment, phase=1.0), focus, look)
    before, after, share = between(own, moment, times)
    state = partial(_state, trace, draw=draw, focus=focus, look=look)
    if before == after or share <= 0 or share >= 1:
        return state(moment=after if before == after or share >= 1 else before)
    one, other = state(moment=before), state(moment=after)
    if one is None or other is None or one is other:
        return other if share > 0.5 else one
    shown = other if share > 0.5 else one
    return replace(other, still=(), moving=tuple(crossed(one, other, ease(share))), caption=shown.caption,
                   table=shown.table)


def between(pace: Pace, moment: Moment, times: Timeline) -> tuple[Moment, Moment, float]:
    """The state that stands at a moment, the next one, and how far it has faded into that, 0 … 1. The first state of a
    beat is the settled end of the one before."""
    ends = pace.states
    number = next(number for number, end in enumerate(ends) if moment.phase <= end)
    after = replace(moment, phase=ends[number])
    if number:
        before, since = replace(moment, phase=ends[number - 1]), pace.second(ends[number - 1])
    elif moment.index:
        before, since = times.settled(moment.index - 1), Fraction(0)
    else:
        return after, after, 1.0
    until = pace.second(after.phase)
    lasts = min(FADE, until - since)
    return before, after, float(1 - (until - pace.second(moment.phase)) / lasts) if lasts else 1.0


@remembered(6)
def _state(trace: Trace, draw: Draw[Shown], moment: Moment, focus: Focus | None, look: Look) -> Shown:
    """A state, kept as long as it fades."""
    return draw(trace, moment, focus, look)
