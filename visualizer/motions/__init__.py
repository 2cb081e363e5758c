"""Motions: how a beat moves. One file, one way of moving; each names it in `MOTION`, and which layers move so.

A motion is a pure function of where things stand and of the seconds since its beat began: it says which values are not
there yet, which marks run over the tiles, and what is said just then. So it steps, turns back, scrubs and exports.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from math import prod

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds, registry
from visualizer.answers import Bars
from visualizer.language import tr
from visualizer.motions import _marks
from visualizer.scene.columns import Column, Plan
from visualizer.scene.hops import handers
from visualizer.scene.picture import Focus, Look, Mark
from visualizer.scene.timeline import BACKWARD, Beat, Moment
from visualizer.trace import Array, Cell, Layer, Trace, remembered

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
AT_ONCE, PLAYED = 0.7, 3
"""Seconds in which a layer hands back everything at once, as do all after so many that read the same."""
ASKED = 4096
"""Numbers of which the terms are asked for one by one."""


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
    """Since the beat began; of several turns since this one did."""
    turn: Turn | None = None
    """Which of several layers hands its gradient back just now; None where only one does."""

    @property
    def handed(self) -> Array:
        """What the layer at the right hands back to the one that is written: the whole gradient of that, or its part
        of it."""
        if self.turn is not None:
            return self.turn.handed
        assert self.written.gradient is not None
        return self.written.gradient

    @property
    def later(self) -> bool:
        """Whether something has been handed back before, to which this is added."""
        return self.turn is not None and self.turn.number > 0

    @property
    def from_one(self) -> bool:
        """Whether all that is handed back comes from the layer at the right."""
        return self.turn is None or self.turn.readers == (self.layer.name,)

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


@dataclass(frozen=True, eq=False)
class Turn:
    """One of several layers that have read the same: each hands its gradient back in turn, and they add up."""

    readers: tuple[str, ...]
    """Who hands back; several where nobody can tell their parts apart. The first stands at the right."""
    number: int
    """Counted from 0; what was computed last comes first."""
    count: int
    start: float
    """Second of the beat at which it begins, with the camera."""
    lasts: float
    handed: Array
    """What is handed back in this turn, in the shape of what was read."""
    earlier: Array
    """What has been handed back in the turns before."""
    before: tuple[str, ...]
    """By whom."""

    @property
    def at_once(self) -> bool:
        return self.number >= PLAYED


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
    seconds: Callable[[Trace, Layer, str], float]
    """(trace, the layer that computes, on the way back the name of the one that gets its gradient, else empty) -> how
    long its beat takes."""
    order: int = 50
    """The first that suits is taken, smallest first."""
    hands: Callable[[Trace, Layer, str], Array | None] = lambda trace, layer, name: None
    """(trace, the layer that hands back, the name of one that it reads) -> all that it hands back to that, in its
    shape; None where the terms of each number tell."""


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
    motion, turn = of(setting.layer), setting.turn
    if turn is None:
        return (motion.backward if setting.backward else motion.forward)(setting)
    shown = _at_once(setting) if turn.at_once else motion.backward(setting)
    return _added(shown, turn, not setting.look.mode.lanes)


def followed(layer: Layer, focus: Focus | None) -> int:
    """Which channel of a layer that hands its gradient back is followed: the chosen one, else that with most of it."""
    if focus is not None and focus.layer == layer.name and focus.cell:
        return focus.cell[0]
    if layer.gradient is None or layer.output.ndim < 2:
        return 0
    sizes = np.abs(np.nan_to_num(layer.gradient)).reshape(len(layer.gradient), -1).sum(axis=1)
    return int(sizes.argmax())


# --- several readers --------------------------------------------------------------------------------------------------

def seconds(trace: Trace, beat: Beat, right: str) -> float:
    """How long a beat takes in which the layer at the right computes, or hands back; all turns together."""
    found = turns(trace, beat.layer) if beat.direction == BACKWARD else ()
    if found:
        return found[-1].start + found[-1].lasts
    return of(trace[right]).seconds(trace, trace[right], beat.layer if beat.direction == BACKWARD else "")


def turn_at(trace: Trace, beat: Beat, second: float) -> Turn | None:
    """Whose turn it is on the way back; None where a layer has one reader alone."""
    found = turns(trace, beat.layer) if beat.direction == BACKWARD and beat.step is None else ()
    return next((turn for turn in reversed(found) if second >= turn.start), None)


@remembered(64)
def turns(trace: Trace, name: str) -> tuple[Turn, ...]:
    """The turns in which the readers of a layer hand their gradients back, the last of them first; none where there is
    only one."""
    gradient, readers = trace[name].gradient, handers(trace, name)[::-1]
    if gradient is None or len(readers) < 2:
        return ()
    parts = {reader.name: handed_back(trace, reader, name) for reader in readers}
    known = {reader: part for reader, part in parts.items() if part is not None}
    unknown = tuple(reader for reader, part in parts.items() if part is None)
    order = [(reader.name,) if reader.name in known else unknown for reader in readers
             if reader.name not in unknown[1:]]
    rest = gradient - sum(known.values(), np.zeros(gradient.shape))
    found: list[Turn] = []
    earlier, start = np.zeros(gradient.shape), 0.0
    for number, who in enumerate(order):
        reader, part = trace[who[0]], known.get(who[0], rest)
        lasts = CAMERA + AT_ONCE + SETTLE if number >= PLAYED else of(reader).seconds(trace, reader, name)
        found.append(Turn(who, number, len(order), start, lasts, part, earlier,
                          tuple(one for turn in found for one in turn.readers)))
        earlier, start = earlier + part, start + lasts
    return tuple(found) if len(found) > 1 else ()


def handed_back(trace: Trace, reader: Layer, name: str) -> Array | None:
    """All that one reader hands back to a layer, in float64; None where that is unexplained or too much to ask for."""
    try:
        whole = of(reader).hands(trace, reader, name)
        if whole is not None:
            return np.asarray(whole, np.float64).reshape(trace[name].shape)
        kind, inputs = kinds.of(reader), trace.inputs(reader)
        if kind is None or trace[name].output.size > ASKED:
            return None
        found = np.zeros(trace[name].shape)
        for index, read in enumerate(reader.reads):
            for cell in np.ndindex(*found.shape) if read == name else ():
                found[cell] += kinds.asked(kind.backward_terms, reader, inputs, index, cell).result
        return found
    except LookupError:
        return None


def _added(frame: Frame, turn: Turn, briefly: bool) -> Frame:
    """What is seen of one turn, added to what came in those before; `briefly` where there is room for few words."""
    done, count = frame.done
    whole = bool(count) and done >= count
    values = turn.handed if whole or frame.values is None else frame.values
    covered = None if whole else frame.covered
    if turn.number:
        values = turn.earlier + (values if covered is None else np.where(covered, 0.0, values))
        covered = None
    share = turn.number * max(1, count) + done, turn.count * max(1, count)
    return replace(frame, values=values, covered=covered, done=share,
                   sentence=_in_turn(frame.sentence, turn, done, briefly),
                   counted=tr("{n} of {count} hand back; {counted}").format(
                       n=turn.number + 1, count=turn.count, counted=frame.counted) if frame.counted else "")


def _in_turn(said: str, turn: Turn, done: int, briefly: bool) -> str:
    """The sentence of a turn, and that what comes back in several adds up."""
    before = ", ".join(turn.before)
    if not said or (briefly and done):
        return said
    if not turn.number:
        return tr("{said} {count} layers hand back; this is the first.").format(said=said, count=turn.count)
    if not done:
        return tr("Now {layer} hands back its part: it is added to what came from {before}.").format(
            layer=", ".join(turn.readers), before=before)
    return tr("{said} It is added to what came from {before}.").format(said=said, before=before)


def _at_once(setting: Setting) -> Frame:
    """One reader among many: its whole part grows where it belongs."""
    assert setting.turn is not None
    part = setting.turn.handed
    share = smooth(part_of(setting.second, CAMERA, AT_ONCE))
    cell = tuple(int(at) for at in np.unravel_index(int(np.abs(np.nan_to_num(part)).argmax()), part.shape))
    marks: list[Mark] = []
    if 0 < share < 1:
        read = _marks.handed_back_to(setting, cell)
        made = Focus(setting.written.name, cell)
        marks += _marks.windows(setting.trace, (setting.right,), read, made, backward=True, opacity=0.7)
        marks += _marks.rings(setting.left[0], setting.written, [cell], "gradient-mark", backward=True, opacity=0.7) \
            if setting.left else []
    return Frame(None, part * share, tuple(marks), tr("{layer} hands back its part as a whole.").format(
        layer=", ".join(setting.turn.readers)), (round(1000 * share), 1000), tr("all at once"))


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


def stops(layer: Layer, found: Places, channel: int) -> tuple[int, ...]:
    """The places that hand something back in a channel, the last first: exact zeros cost no time. Where the whole
    channel is 0 those of all channels; one place where everything is."""
    assert layer.gradient is not None
    own = np.flatnonzero(layer.gradient[channel]) if 0 not in found.axes else ()
    return tuple(reversed(list(map(int, own)))) or alive_at(layer, found)


def alive_at(layer: Layer, found: Places) -> tuple[int, ...]:
    """The places that hand something back in any channel, the last first; one place where everything is 0."""
    assert layer.gradient is not None
    others = tuple(axis for axis in range(layer.output.ndim) if axis not in found.axes)
    return tuple(np.flatnonzero(np.any(layer.gradient, axis=others))[::-1].tolist()) or (0,)


def stops_seconds(layer: Layer) -> float:
    """How long the places of a layer take to hand back theirs, in whichever channel."""
    found = places(layer)
    return march_seconds(found.count if layer.gradient is None else len(alive_at(layer, found)))


def gone_back(found: Places, order: Sequence[int], done: int) -> int:
    """How many places have handed back theirs when so many of these stops have: what has none goes with the next."""
    return found.count if done >= len(order) else found.count - order[done - 1] if done > 0 else 0


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


def passing(at: March, number: int, across: int, order: Sequence[int] | None = None) -> tuple[int, int] | None:
    """The first and the last row of places that pass in one frame, where that is more than half a row; else None."""
    if at.slow or number < 0:
        return None
    before = max(0, number - int(at.step))
    places = (before, number) if order is None else order[before:number + 1]
    if at.step <= across / 2 if order is None else abs(places[0] - places[-1]) <= across / 2:
        return None
    rows = [place // across for place in places]
    return min(rows), max(rows)


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
