"""Waiting: when each number of a network can be there at the earliest, however many could be made at once.

A layer is one operation, a recurrent layer one a step; a recurrent layer above another follows one step behind. What
only lays numbers out anew, picks some, turns the last ones into shares, or asks whether to go on takes no operation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.trace import Layer, Trace, remembered

Steps = NDArray[np.int_]
"""(step,): how many operations it takes until each step is ready; one number for what has no steps."""


@remembered(1)
def _computing(trace: Trace) -> frozenset[str]:
    answered = frozenset(answer.layer for answer in trace.answers)
    return frozenset(layer.name for layer in trace.layers if not (
        layer.is_input or not layer.reads or _moves_only(layer) or not layer.output.ndim or not layer.output.size
        or kinds.role(layer) in ("loss", "dropout") or (layer.name in answered and kinds.shares(layer))
        or _copies(trace, layer))) - _asked_only(trace, answered)


def _asked_only(trace: Trace, answered: frozenset[str]) -> frozenset[str]:
    """Truths and whole numbers of which nothing was made: a loop only asked by them whether to go on."""
    kept = answered | {answer.returned for answer in trace.answers} | {trace.layers[-1].name}
    found = set[str]()
    for layer in reversed(trace.layers):
        if layer.output.dtype.kind in "biu" and layer.name not in kept and all(
                reader.name in found for reader in trace.readers(layer.name)):
            found.add(layer.name)
    return frozenset(found)


def _moves_only(layer: Layer) -> bool:
    kind = kinds.of(layer)
    return kind is not None and kind.moves_only


def computes(trace: Trace, layer: Layer) -> bool:
    """Whether a layer makes numbers that were not there before it."""
    return layer.name in _computing(trace)


def _copies(trace: Trace, layer: Layer) -> bool:
    """Whether each of its numbers is one that it read."""
    try:
        return kinds.terms(trace, layer.name, (0,) * layer.output.ndim).op == "copy"
    except (LookupError, IndexError):
        return False


def waits(trace: Trace) -> int:
    """How many operations must wait for each other: the longest chain."""
    return max((int(found.max()) for found in ready(trace).values()), default=0)


@remembered(1)
def ready(trace: Trace) -> Mapping[str, Steps]:
    """After how many operations, one after the other, each step of every layer is there."""
    found: dict[str, Steps] = {}
    for layer in trace.layers:
        inputs = trace.inputs(layer)
        before = [_arriving(layer, inputs, which, found[read.name]) for which, read in enumerate(inputs)]
        start: Steps = np.max(before, axis=0) if before else np.zeros(_steps(layer), int)
        if not computes(trace, layer):
            found[layer.name] = start
        elif layer.inner:
            found[layer.name] = _one_after_the_other(start, bool(layer.settings.get("reverse", False)))
        else:
            found[layer.name] = start + 1
    return found


def _steps(layer: Layer) -> int:
    """How many steps of it can be ready at different times."""
    return max(1, layer.shape[0]) if layer.axes[:1] == ("step",) else 1


def _arriving(layer: Layer, inputs: Sequence[Layer], which: int, ready: Steps) -> Steps:
    """When each step of a layer has what it reads of one of its inputs: as much of that as it sees."""
    steps = _steps(layer)
    if steps == 1 or len(ready) == 1:
        return np.full(steps, ready.max())
    if layer.inner:
        return ready if len(ready) == steps else np.full(steps, ready.max())
    found = np.full(steps, ready.max())
    for step in range(steps):
        try:
            box = kinds.seen(layer, tuple(inputs), which, ((step, step), *((0, size - 1) for size in layer.shape[1:])))
        except (LookupError, IndexError):
            return found
        seen = ready[max(0, box[0][0]):max(0, box[0][1] + 1)]
        found[step] = seen.max() if len(seen) else 0
    return found


def _one_after_the_other(start: Steps, reverse: bool) -> Steps:
    ordered = start[::-1] if reverse else start
    found, now = np.zeros(len(ordered), int), 0
    for step, at in enumerate(ordered):
        now = max(now, int(at)) + 1
        found[step] = now
    return found[::-1] if reverse else found
