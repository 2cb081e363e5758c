"""The lanes under a view that has no columns: the beats, the gradient of each layer and its zeros, evenly spread; of a
large network the layers of the block of the moment, and the others block by block."""

from __future__ import annotations

from visualizer.scene import parts
from visualizer.scene.blocks import Folded, fold_at
from visualizer.scene.picture import Look, Mark
from visualizer.scene.timeline import Moment, ease, timeline
from visualizer.trace import Trace

COMES = 0.5
"""The share of a beat in which lanes go over into others where another block opens."""


def lanes(trace: Trace, moment: Moment, look: Look) -> tuple[list[Mark], list[Mark]]:
    """(still, moving)."""
    before = timeline(trace).settled(moment.index - 1) if moment.index else moment
    fold, left = fold_at(trace, moment, look), fold_at(trace, before, look)
    still, moving = _folded(trace, moment, look, fold)
    if fold is left or moment.phase >= COMES:
        return still, moving
    there = [mark for marks in _folded(trace, before, look, left) for mark in marks]
    return [], parts.crossed(there, [*still, *moving], ease(moment.phase / COMES))


def _folded(trace: Trace, moment: Moment, look: Look, fold: Folded | None) -> tuple[list[Mark], list[Mark]]:
    seen, at = (trace, moment) if fold is None else (fold.trace, fold.moment(moment))
    return parts.lanes(seen, timeline(seen), at, look, parts.even_places(seen, look))
