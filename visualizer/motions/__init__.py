"""Motions: how a beat moves. One file, one way of moving; each names it in `MOTION`, and which layers move so.

A motion is a pure function of where things stand and of the seconds since its beat began: it says which values are not
there yet, which marks run over the tiles, and what is said just then. So it steps, turns back, scrubs and exports.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from math import prod

import numpy as np
from numpy.typing import NDArray

from visualizer import registry
from visualizer.answers import Bars
from visualizer.scene.columns import Column, Plan
from visualizer.scene.picture import Focus, Look, Mark
from visualizer.scene.timeline import Moment
from visualizer.trace import Array, Cell, Layer, Trace

CAMERA = 0.40
"""Seconds in which the camera goes to the pair of a beat, before anything moves."""
SLOW = (0.55, 0.50, 0.35)
"""Seconds of the first places, slow enough to read."""
MARCH, POWER = 1.6, 1.7
"""Seconds of all other places together, whatever their number, and how they gather speed."""
STOP = 0.35
"""Seconds of the slow stop at the place of the strongest value."""
SETTLE, RESTS = 0.10, 0.10
"""Seconds in which the beat comes to rest, and for which it then stands."""


@dataclass(frozen=True)
class Setting:
    """Where a beat plays: its layers, where they stand, and how long ago it began."""

    trace: Trace
    moment: Moment
    layer: Layer
    """What computes: the layer of the beat; on the way back the one that hands its gradient back."""
    left: tuple[Column, ...]
    """The layers that it reads; on the way back the one that is given its gradient."""
    right: Column
    """Where the layer that computes stands."""
    plan: Plan
    subject: Focus
    """The channel, unit or number of the beat's layer that has been chosen."""
    focus: Focus | None
    """What a person has chosen."""
    look: Look
    second: float
    """Since the beat began."""

    @property
    def backward(self) -> bool:
        return self.moment.backward

    @property
    def written(self) -> Layer:
        """The layer whose values or gradients come into being."""
        return self.trace[self.moment.beat.layer]

    @property
    def chosen(self) -> int:
        """Which channel or unit of the beat's layer is followed."""
        return self.subject.cell[0] if self.subject.cell else 0

    @property
    def chosen_right(self) -> int:
        """Which channel of the layer that computes or hands back is followed."""
        return followed(self.layer, self.focus) if self.backward else self.chosen

    def column(self, name: str) -> Column | None:
        """The column of a layer that takes part, if it is drawn."""
        return next((column for column in (*self.left, self.right) if column.layer == name), None)


@dataclass(frozen=True)
class Frame:
    """What a motion shows at one time."""

    covered: NDArray[np.bool_] | None = None
    """Of the layer that is written, in its shape: what is not there yet; None where everything is."""
    values: Array | None = None
    """The gradient of that layer so far, where it is being added up; None where what is there is final."""
    marks: tuple[Mark, ...] = ()
    """What runs over the tiles."""
    sentence: str = ""
    """What is said; empty where the beat has said nothing yet."""
    done: tuple[int, int] = (0, 0)
    """How many places are done, of how many."""
    counted: str = ""
    """What stands beside the line of progress."""
    dimmed: Mapping[str, tuple[NDArray[np.bool_], float]] = field(default_factory=dict)
    """Layer -> which of its values are left behind, and how strong they still are."""
    bars: Bars | None = None
    """How far the bars of the answer have grown, where it is the answer that is written."""


@dataclass(frozen=True)
class Motion:
    """One way of moving."""

    name: str
    suits: Callable[[Layer], bool]
    """Whether a layer moves so, when it computes or hands back."""
    forward: Callable[[Setting], Frame]
    backward: Callable[[Setting], Frame]
    seconds: Callable[[Trace, Layer, bool], float]
    """(trace, the layer that computes, whether on the way back) -> how long its beat takes."""
    order: int = 50
    """The first that suits is taken, smallest first."""


@cache
def _all() -> tuple[Motion, ...]:
    return tuple(sorted((module.MOTION for module in registry.modules("motions")), key=lambda motion: motion.order))


def all_motions() -> tuple[Motion, ...]:
    """Every way of moving found in this folder, the most special first."""
    return _all()


def of(layer: Layer) -> Motion:
    """How a layer moves; what no file speaks for uncovers in reading order."""
    return next(motion for motion in _all() if motion.suits(layer))


def frame(setting: Setting) -> Frame:
    """What is seen of a beat at one time."""
    motion = of(setting.layer)
    return (motion.backward if setting.backward else motion.forward)(setting)


def followed(layer: Layer, focus: Focus | None) -> int:
    """Which channel of a layer that hands its gradient back is followed: the chosen one, else that with most of it."""
    if focus is not None and focus.layer == layer.name and focus.cell:
        return focus.cell[0]
    if layer.gradient is None or layer.output.ndim < 2:
        return 0
    sizes = np.abs(np.nan_to_num(layer.gradient)).reshape(len(layer.gradient), -1).sum(axis=1)
    return int(sizes.argmax())


# --- places and their time ------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Places:
    """The places at which a layer is computed, one after the other, all its channels at once."""

    layer: Layer
    axes: tuple[int, ...]
    """Which axes of the layer count them: rows and columns, steps, or units."""

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.layer.shape[axis] for axis in self.axes)

    @property
    def count(self) -> int:
        return prod(self.shape)

    def cell(self, place: int, channel: int) -> Cell:
        """The cell of one place in one channel."""
        at = [channel] * self.layer.output.ndim
        for axis, index in zip(self.axes, np.unravel_index(place, self.shape), strict=True):
            at[axis] = int(index)
        return tuple(at)

    def place(self, cell: Cell) -> int:
        """The place in which a cell lies."""
        return int(np.ravel_multi_index(tuple(cell[axis] for axis in self.axes), self.shape))

    def covered(self, done: int) -> NDArray[np.bool_]:
        """In the layer's shape: what is not there yet when so many places are done."""
        to_come = (np.arange(self.count) >= done).reshape(self.shape)
        others = tuple(axis for axis in range(self.layer.output.ndim) if axis not in self.axes)
        return np.broadcast_to(np.expand_dims(to_come, others), self.layer.shape)


def places(layer: Layer) -> Places:
    """Rows and columns of maps, the steps of a sequence, else every number."""
    if layer.axes[:1] == ("channel",) and layer.output.ndim > 1:
        return Places(layer, tuple(range(1, layer.output.ndim)))
    if layer.axes[:1] == ("step",) and layer.output.ndim > 1:
        return Places(layer, (0,))
    return Places(layer, tuple(range(layer.output.ndim)))


@dataclass(frozen=True)
class March:
    """How far the places have come at one time."""

    done: int
    """Places that are done."""
    slow: bool = False
    """Whether the place that comes next is slow enough to be read."""
    share: float = 0.0
    """How far that place has come, 0 … 1."""
    step: float = 0.0
    """How many places pass in a sixtieth of a second."""


def march(count: int, second: float, strongest: int | None = None) -> March:
    """The places that are done so many seconds after the beginning: the first are slow, the others gather speed and
    take one time whatever their number, with a slow stop at the strongest."""
    left = second - CAMERA
    for place, lasts in enumerate(SLOW[:count]):
        if left < lasts:
            return March(place, left >= 0, max(0.0, left) / lasts)
        left -= lasts
    first = min(count, len(SLOW))
    if count == first:
        return March(count)
    least = 0
    if strongest is not None and first <= strongest:
        reached = MARCH * ((strongest - first) / (count - first)) ** (1 / POWER)
        if reached <= left < reached + STOP:
            return March(strongest, True, (left - reached) / STOP)
        if left >= reached:
            left, least = left - STOP, strongest + 1
    gone = min(1.0, left / MARCH)
    return March(max(least, min(count, first + int((count - first) * gone ** POWER + 1e-9))),
                 step=(count - first) * POWER * gone ** (POWER - 1) / MARCH / 60)


def opacity_at(at: March, number: int, across: int, order: Sequence[int] | None = None) -> float:
    """How strong the marks of a place are. They fade where the next one is not beside it: at both ends of a row of so
    many, and where an `order` of places leaps over some."""
    def leaps(index: int) -> bool:
        count = len(order) if order is not None else index + 1
        if not 0 < index < count:
            return False
        here, before = (order[index], order[index - 1]) if order is not None else (index, index - 1)
        return here // across != before // across or abs(here - before) > 2

    if at.slow:
        late = leaps(number) or at.done >= len(SLOW)
        return 0.5 + 0.5 * min(1.0, at.share / 0.25) if late else 1.0
    near = int(at.step) + 1
    return 0.5 if any(leaps(number + away) for away in range(-near, near + 2)) else 1.0


def march_seconds(count: int, stop: bool = False) -> float:
    """How long a march takes, from the camera to the rest."""
    first = min(count, len(SLOW))
    return CAMERA + sum(SLOW[:first]) + (MARCH + STOP * stop if count > first else 0.0) + SETTLE


def part_of(second: float, start: float, lasts: float) -> float:
    """How far what begins at a second and lasts so long has come, 0 … 1."""
    return min(1.0, max(0.0, (second - start) / lasts))


def smooth(share: float) -> float:
    """Slow at both ends, cubic."""
    return 4 * share ** 3 if share < 0.5 else 1 - (2 - 2 * share) ** 3 / 2


def out(share: float) -> float:
    """Fast at first, slow at the end."""
    return 1 - (1 - share) ** 3
