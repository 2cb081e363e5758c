"""Turning: the first beat of the way back, in which a picture of values goes over into one of their gradients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps

from visualizer.scene.parts import crossed, crossing
from visualizer.scene.picture import Focus, Look, Picture
from visualizer.scene.timeline import Moment, timeline
from visualizer.trace import Trace

Draw = Callable[[Trace, Moment, Focus | None, Look], Picture]


def turns(draw: Draw) -> Draw:
    """A view that shows something else on the way back: it crosses over to that while the first gradient comes."""
    @wraps(draw)
    def drawn(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
        before, share = crossing(moment, timeline(trace))
        if share >= 1 or before.backward or not moment.backward:
            return draw(trace, moment, focus, look)
        old = draw(trace, before, focus, look)
        if share <= 0:
            return old
        new = draw(trace, moment, focus, look)
        said = new if share > 0.5 else old
        return replace(new, still=(), moving=tuple(crossed(old, new, share)), caption=said.caption, table=said.table)

    return drawn
