"""Saliency: how much the loss hangs on what each step read, arriving with the gradient of that step."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.language import tr
from visualizer.said import said
from visualizer.scene import colour, hops, numbers, steps
from visualizer.scene.picture import Scale
from visualizer.scene.reading import Reading, first_level, layers, reading
from visualizer.scene.step_inputs import StepInputs
from visualizer.scene.timeline import READS, Moment, progress
from visualizer.scene.type import width
from visualizer.size import norms
from visualizer.trace import Trace, remembered

FLOOR = 1e-6
"""Sizes are drawn down to this share of the largest one."""
ROOM = 110.0
"""Pixels for the words beside the row, at a text scale of 1."""


@dataclass(frozen=True, eq=False)
class Saliency:
    """The gradient of the loss with respect to what is read."""

    values: NDArray[np.float64]
    """(step, 1): ∥∂L/∂x_t∥ of a word; (step, value) of rows and numbers, (row, column) of a picture: with its sign."""
    whole: bool
    """Whether a step has one size for all that it reads."""
    by_step: bool
    """Whether its rows are steps; those of a picture that windows are cut out of are not."""
    of: str
    """The layer whose gradient it is."""
    upright: bool
    """Whether its first axis is that of the steps, else its last."""
    at: str
    """The layer with whose beat all of it is known; empty where each step's is known when its gradient has come."""

    @cached_property
    def top(self) -> float:
        return colour.largest(self.values) or 1.0

    @cached_property
    def entries(self) -> NDArray[np.uint8]:
        """Palette entries of the sizes, on one log scale for all steps."""
        return colour.magnitude(self.values, self.top * FLOOR, self.top)

    @property
    def scale(self) -> Scale:
        """What the entries stand for."""
        return Scale("gradient", tr("size of the gradient"), tr("what is read"), self.top * FLOOR, self.top,
                     tr("one scale for every step"), log=True)

    @property
    def words(self) -> str:
        """What the colours show, and the largest of it."""
        of = "∥∂L/∂x∥" if self.whole else "|∂L/∂x|"
        two, one = (said(numbers.significant(self.top, digits), "largest gradient of what is read", self.of,
                         array="symbols" if self.whole else "") for digits in (2, 1))
        long, short = tr("{symbol} to {most}, log"), tr("to {most}, log")
        tried = (long.format(symbol=of, most=two), long.format(symbol="∂L/∂x", most=two),
                 long.format(symbol="∂L/∂x", most=one), short.format(most=one))
        return next((words for words in tried if width(words, 11, 400) <= ROOM), tried[-1])

    def said(self, step: int) -> str:
        """The size of the gradient of all that a step read, in words."""
        return said(numbers.significant(float(self.sizes[step]), 3), "norm of gradient of what a step reads", self.of,
                    step=step, array="rows" if self.upright else "columns")

    @property
    def sizes(self) -> NDArray[np.float64]:
        """(step,): the size of the gradient of all that a step read."""
        found: NDArray[np.float64] = norms(self.values, 1)
        return found


@remembered(32)
def saliency(trace: Trace, shown: Reading, source: StepInputs | None) -> Saliency | None:
    """What came back to the network's input, as the row of what is read shows it; None where nothing did."""
    first, level = trace.layers[0], first_level(trace, shown.layer)
    straight = all(reader.inner or kinds.role(reader) == "dropout" for reader in trace.readers(level.name))
    symbols = hops.of_symbols(trace, first)
    if symbols is not None:
        embedding = next(layer for layer in trace.readers(first.name) if kinds.role(layer) == "table")
        return Saliency(symbols[:, None], True, True, embedding.name, True,
                        "" if straight and level is embedding else embedding.name) \
            if len(symbols) == shown.total else None
    if first.gradient is None or not np.any(first.gradient):
        return None
    gradient = np.asarray(first.gradient, np.float64)
    if source is not None and source.kind != "numbers":
        gradient = gradient[0] if source.kind == "windows" or source.upright else gradient[0].T
    elif first.axes != ("step", "unit") or len(gradient) != shown.total:
        return None
    same = level.gradient is not None and np.array_equal(np.asarray(level.gradient, np.float64), gradient)
    if source is None:
        return Saliency(norms(gradient, 1)[:, None], True, True, first.name, True,
                        "" if straight and same else first.name)
    return Saliency(gradient, False, source.kind != "windows", first.name, source.upright,
                    "" if straight and same else first.name)


def come(trace: Trace, shown: Reading, found: Saliency | None, moment: Moment) -> tuple[float, ...]:
    """How much of each step's is seen, 0 … 1: none on the way forward."""
    seen = np.zeros(shown.total)
    if found is None or not moment.backward:
        return tuple(seen.tolist())
    if found.at:
        order = [layer.name for layer in trace.layers]
        here, there = order.index(moment.beat.layer), order.index(found.at)
        return (moment.phase if here == there else float(here < there),) * shown.total
    ways = [_of_layer(trace, reading(trace, name), moment, shown.total) for name in _lowest(trace, shown)]
    return tuple(np.min(ways, axis=0).tolist())


def _of_layer(trace: Trace, shown: Reading, moment: Moment, total: int) -> NDArray[np.float64]:
    """The same as far as one direction of the lowest layer has handed it on: the last part of its beat."""
    reach, seen = steps.arrived(trace, shown, moment), np.zeros(total)
    seen[reach.done.start:reach.done.stop] = 1.0
    if reach.now >= 0:
        seen[reach.now] = round(progress(reach.share, *moment.beat.stretch(READS)), 9)  # an address has 12 digits
    return seen


@remembered(32)
def _lowest(trace: Trace, shown: Reading) -> tuple[str, ...]:
    """The recurrent layers that read what is read first: no other one under them."""
    level = first_level(trace, shown.layer)
    found = []
    for layer in layers(trace):
        below = trace.inputs(layer)[0]
        while kinds.role(below) == "dropout":
            below = trace.inputs(below)[0]
        if below is level:
            found.append(layer.name)
    return tuple(found)
