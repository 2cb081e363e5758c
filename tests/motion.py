"""The laws of motion, as functions that any beat of any view can be held to.

    played = beat(trace, "network", "conv2.forward", Focus("conv2", (7,)))
    causes_touch_effects(played)

Each raises AssertionError where its law is broken; those that look at marks give back how many they have seen, so that
a test can ask for some.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np

from visualizer import kinds, sight
from visualizer.kinds import Terms
from visualizer.scene.picture import (
    SENTENCE,
    Flight,
    Focus,
    Image,
    Line,
    Look,
    Mark,
    Picture,
    Rect,
    Text,
    Touch,
    box_of,
)
from visualizer.scene.state import State, changed
from visualizer.scene.timeline import OTHER_TERMS, SLOW_TERM, SLOW_TERMS, Moment, Pace
from visualizer.trace import Layer, Trace

Box = tuple[float, float, float, float]
"""Left, top, width, height."""
FARTHEST = 0.08
"""Of the width of a picture: no mark goes farther from one frame to the next."""
FADED = 0.7
"""What is fainter than this is fading in or out: it may do so anywhere."""
HALO = 6.0
"""Pixels by which an outline may stand off from what it lies round."""


@dataclass(frozen=True)
class Played:
    """A beat at speed 1: where one stands, and its moments, 60 a second."""

    trace: Trace
    place: State
    moments: tuple[Moment, ...]
    pace: Pace

    def draw(self, moment: Moment, trace: Trace | None = None) -> Picture:
        return sight.seen(trace or self.trace, self.place, moment)

    def pictures(self, every: int = 1) -> Iterator[Picture]:
        """One in so many; the first and the last always."""
        for number, moment in enumerate(self.moments):
            if number % every == 0 or number == len(self.moments) - 1:
                yield self.draw(moment)


def beat(trace: Trace, view: str, at: str, focus: Focus | None = None, look: Look | None = None,
         fps: int = 60) -> Played:
    """A beat of a view as it plays, through the door that the window, films and shots go through."""
    place = changed(State(), view=view, focus=focus, look=look or Look())
    times = sight.times(trace, place)
    index = times.find(at).index
    pace = times.pace(index)
    phases = dict.fromkeys([*(pace.phase(Fraction(frame, fps)) for frame in range(int(pace.seconds * fps) + 1)), 1.0])
    return Played(trace, place, tuple(Moment(times.beats[index], phase, index) for phase in phases), pace)


# --- 1. nothing before its time -------------------------------------------------------------------------------------

def nothing_early(played: Played, at: Iterable[float] = (0.0,),
                  written: Callable[[float], np.ndarray | bool] = lambda phase: False) -> None:
    """A picture is the same whatever the numbers are that have not been computed yet: those of layers that come after
    the beat's, and of its own layer where `written` (a mask of its cells, or all or none) does not say that they are
    there."""
    for phase in at:
        moment = replace(played.moments[0], phase=phase)
        other = another_future(played.trace, moment, written(phase))
        here, there = (_seen(played.draw(moment, trace)) for trace in (None, other))
        early = [pair for pair in zip(here, there, strict=False) if pair[0] != pair[1]]
        assert not early, (moment.address, early[:3])
        assert len(here) == len(there), moment.address


def another_future(trace: Trace, moment: Moment, written: np.ndarray | bool = False) -> Trace:
    """The recording with other numbers wherever a moment has not come yet; the largest of each layer stay, so that the
    scales do."""
    order = [layer.name for layer in trace.layers]
    now = order.index(moment.beat.layer)

    def later(layer: Layer) -> Layer:
        place = order.index(layer.name)
        own: np.ndarray | bool = written if place == now else False
        changes: dict[str, Any] = {}
        if not moment.backward and place >= now:
            changes["output"] = other_numbers(layer.output, own)
        if layer.gradient is not None and (not moment.backward or place <= now):
            changes["gradient"] = other_numbers(layer.gradient, own if moment.backward else False)
        if not moment.backward or place <= now:
            changes["weight_gradients"] = {name: other_numbers(array, False)
                                           for name, array in layer.weight_gradients.items()}
        return replace(layer, **changes) if changes else layer

    return replace(trace, layers=tuple(map(later, trace.layers)))


def other_numbers(values: np.ndarray, kept: np.ndarray | bool) -> np.ndarray:
    """Other numbers with the same largest and smallest, except where some are kept."""
    flat = np.array(values, copy=True).ravel()
    free = np.flatnonzero(~np.broadcast_to(kept, values.shape).ravel())
    moved = np.roll(flat[free], 1) * np.where(np.arange(len(free)) % 2, 0.5, 0.75).astype(flat.dtype)
    if len(free):
        ends = np.argmax(flat[free]), np.argmin(flat[free])
        rolled = [(index + 1) % len(free) for index in ends]
        moved[rolled] = flat[free][list(ends)]
    flat[free] = moved
    return flat.reshape(values.shape)


def _seen(picture: Picture) -> list[str]:
    """What a person sees of a picture: its marks and its sentence, not its table."""
    return replace(picture, table=type(picture.table)((), ())).dump().splitlines()


# --- 2. causes touch effects ----------------------------------------------------------------------------------------

def causes_touch_effects(played: Played, every: int = 5) -> int:
    """Every outline round what is read lies exactly on the numbers that the one being made is made of."""
    found = 0
    for picture in played.pictures(every):
        for mark in picture:
            touch = getattr(mark, "holds", None)
            if isinstance(touch, Touch):
                found += 1
                places = list(touched(played.trace, picture, touch))
                assert places, (touch, "lies on nothing that is drawn")
                assert any(_around(box_of(mark), least, most) for least, most in places), (touch, box_of(mark), places)
    return found


def touched(trace: Trace, picture: Picture, touch: Touch) -> Iterator[tuple[Box, Box]]:
    """The box of what an outline must lie round, wherever the picture draws it: without its padding and with it."""
    made = list(_made(touch))
    cells = [one.cell for one in made] if touch.source == touch.target else \
        list({cell for one in made for where, cell, _ in read(trace, one, touch.backward)
              if _begins(where, cell, touch.source)})
    for mark in picture:
        if not isinstance(mark, Image) or mark.focus is None or _place(mark.focus) != _place(touch.source):
            if mark.focus is not None and not isinstance(mark, Text) and mark.focus in \
                    [replace(touch.source, cell=cell) for cell in cells] and mark.holds != touch:
                yield box_of(mark), box_of(mark)
            continue
        boxes = [(box, inside) for cell in cells if (found := cell_box(mark, cell)) for box, inside in (found,)]
        inner = [box for box, inside in boxes if inside]
        if inner:
            yield _hull(inner), _hull([box for box, _ in boxes])


def _made(touch: Touch) -> Iterator[Focus]:
    """The number that is being made; of a band all from the first to the last."""
    if not touch.until:
        yield touch.target
        return
    for away in np.ndindex(*(high - low + 1 for low, high in zip(touch.target.cell, touch.until, strict=True))):
        yield replace(touch.target, cell=tuple(low + at for low, at in zip(touch.target.cell, away, strict=True)))


def read(trace: Trace, target: Focus, backward: bool) -> Iterator[tuple[tuple[str, str], tuple[int, ...], float]]:
    """Where each term of a number was read (layer and array, cell), and its product; padding has a cell outside."""
    for _, terms in terms_of(trace, target, backward):
        for taps in terms.taps:
            for index, product in enumerate(taps.products.tolist()):
                layer, cell, array = kinds.place(trace, taps, index)
                yield (layer, "output" if array == "gradient" else array), cell, product
                if taps.weight.startswith("inner.") and taps.weight_cells is not None:  # a gate or state as a factor
                    key, met = taps.weight.removeprefix("inner."), tuple(taps.weight_cells[index].tolist())
                    hidden = key == "hidden"
                    yield (target.layer, "output" if hidden else taps.weight), met, product


def terms_of(trace: Trace, target: Focus, backward: bool) -> tuple[tuple[str, Terms], ...]:
    """The terms of a number, of its gradient, or of a number of a gate or a state."""
    name, cell = target.layer, target.cell
    if target.array.startswith("inner.") or (trace[name].inner and not backward):
        key = target.array.removeprefix("inner.") if target.array != "output" else "hidden"
        ask = kinds.inner_backward_terms if backward else kinds.inner_terms
        step, unit = (0, *cell)[-2:]
        return ((name, ask(trace, name, key, step, unit)),)
    if backward and target.array in trace[name].weights:
        return ((name, kinds.weight_terms(trace, name, target.array, cell)),)
    return kinds.backward_terms(trace, name, cell) if backward else ((name, kinds.terms(trace, name, cell)),)


def cell_box(image: Image, cell: tuple[int, ...]) -> tuple[Box, bool] | None:
    """Where an image draws a cell of its layer, and whether it has it at all: beside its edge stands what is padding.
    None where the cell is of another tile, or does not say where in the tile."""
    assert image.focus is not None
    head, rest = image.focus.cell, cell[len(image.focus.cell):]
    if cell[:len(head)] != head:
        return None
    if image.folds is not None:  # a map is a slice of a volume: all that stands in front of rows and columns names it
        lead = image.folds[1][:-2]
        if len(rest) < len(lead) or any(not 0 <= at < size for at, size in zip(rest, lead, strict=False)):
            return None
        rest = (int(np.ravel_multi_index(rest[:len(lead)], lead)), *rest[len(lead):])
    rows, columns = image.values.shape[1:3]
    if image.rows:
        return None
    tile = 0
    if image.index(0) != -1:
        known = [image.index(number) + more for number in range(len(image.values)) for more in range(image.blends)]
        if not rest or rest[0] not in known:
            return None
        tile, rest = known.index(rest[0]) // image.blends, rest[1:]
    left, top = image.tile_origin(tile)
    if not rest:
        return (left, top, *image.tile_size), True
    if len(rest) != 2:
        return None
    row, column = rest[::-1] if image.transposed else rest
    wide, high = image.cell
    return (left + column * wide, top + row * high, wide, high), 0 <= row < rows and 0 <= column < columns


def _begins(where: tuple[str, str], cell: tuple[int, ...], source: Focus) -> bool:
    return where == _place(source) and cell[:len(source.cell)] == source.cell


def _place(focus: Focus) -> tuple[str, str]:
    return focus.layer, "output" if focus.array == "gradient" else focus.array


def _hull(boxes: Iterable[Box]) -> Box:
    lefts, tops, rights, bottoms = zip(*((x, y, x + wide, y + high) for x, y, wide, high in boxes), strict=True)
    return min(lefts), min(tops), max(rights) - min(lefts), max(bottoms) - min(tops)


def _around(box: Box, least: Box, most: Box) -> bool:
    """Whether it holds the one and does not stand out of the other by more than its halo."""
    def ends(box: Box) -> np.ndarray:
        return np.array([box[0], box[1], -box[0] - box[2], -box[1] - box[3]])

    return bool((ends(box) <= ends(least) + 1).all() and (ends(box) >= ends(most) - HALO).all())


# --- 3. conservation ------------------------------------------------------------------------------------------------

def nothing_is_made_up(played: Played, every: int = 2) -> int:
    """What flies carries a number of the recording, comes from where it stands and lands on what it makes."""
    flown = 0
    for picture in played.pictures(every):
        for mark in picture:
            flight = getattr(mark, "holds", None)
            if isinstance(flight, Flight):
                flown += 1
                worth = carried(played.trace, flight)
                assert np.isclose(flight.value, worth, rtol=1e-5, atol=1e-7), (flight, worth)
                assert 0 <= flight.share <= 1, flight
                _on_its_way(played.trace, picture, mark, flight)
    return flown


def carried(trace: Trace, flight: Flight) -> float:
    """What flies, asked of the terms: all that the target reads at the source, a bias, or the number itself."""
    source, target = flight.source, flight.target
    if source == target:
        layer = trace[target.layer]
        if target.array.startswith("inner."):
            arrays = layer.inner_gradients if flight.backward else layer.inner
            return float(arrays[target.array.removeprefix("inner.")][target.cell])
        values = layer.gradient if flight.backward else layer.output
        assert values is not None
        return float(values[target.cell])
    layer = trace[source.layer]
    if source.array.startswith("bias") and source.array in layer.weights:
        return float(layer.weights[source.array][source.cell])
    if source.array in layer.weights and _place(source) != _place(target):  # all that goes over these weights
        over = [float(product) for who, terms in terms_of(trace, target, flight.backward) for taps in terms.taps
                if who == source.layer and taps.weight == source.array and taps.weight_cells is not None
                for cell, product in zip(taps.weight_cells.tolist(), taps.products.tolist(), strict=True)
                if tuple(cell[:len(source.cell)]) == source.cell]
        if over:
            return sum(over)
    found = [product for where, cell, product in read(trace, target, flight.backward) if _begins(where, cell, source)]
    found = found or [float(product) for _, terms in terms_of(trace, target, flight.backward) for taps in terms.taps
                      if taps.weight == source.layer and taps.weight_cells is not None  # the other factor of a product
                      for cell, product in zip(taps.weight_cells.tolist(), taps.products.tolist(), strict=True)
                      if tuple(cell[:len(source.cell)]) == source.cell]
    assert found, (flight, "its target reads nothing there")
    return sum(found)


def _on_its_way(trace: Trace, picture: Picture, mark: Mark, flight: Flight) -> None:
    """It is as near to each end as the share of its way says, whichever way it takes."""
    ends = [standing(picture, focus, mark) or standing(picture, moved_from(trace, focus), mark)
            for focus in (flight.source, flight.target)]
    assert ends[0], (flight, "comes from what is not there")
    assert ends[1], (flight, "goes to where nothing stands")
    here = box_of(mark)
    if flight.source == flight.target:
        return
    longest = max(_apart(one, other) for one in ends[0] for other in ends[1])
    for boxes, behind in zip(ends, (flight.share, 1 - flight.share), strict=True):
        nearest = min(_apart(here, box) for box in boxes)
        assert nearest <= 1.6 * longest * behind + 2 * HALO, (flight, here, nearest, longest)


def standing(picture: Picture, focus: Focus, mark: Mark | None = None) -> list[Box]:
    """Where a picture draws a number, or all that begins with a shorter cell."""
    found: list[Box] = []
    for other in picture:
        if other is mark or other.focus is None or isinstance(getattr(other, "holds", None), Flight):
            continue
        if isinstance(other, Image) and _place(other.focus) == _place(focus):
            box = cell_box(other, focus.cell)
            found += [box[0]] if box is not None and box[1] else []
        elif _place(other.focus) == _place(focus) and (other.focus.cell or not focus.cell) and \
                all(one == two for one, two in zip(other.focus.cell, focus.cell, strict=False)):  # it, a part, its row
            found.append(box_of(other))
    return found


def moved_from(trace: Trace, focus: Focus) -> Focus:
    """The number that layers have only laid out anew: a picture may draw it where it was made."""
    while (kind := kinds.of(trace[focus.layer])) is not None and kind.moves_only and focus.array == "output":
        focus = Focus(*kinds.place(trace, kinds.terms(trace, focus.layer, focus.cell).taps[0], 0))
    return focus


def _apart(one: Box, other: Box) -> float:
    across = max(one[0] - other[0] - other[2], other[0] - one[0] - one[2], 0)
    down = max(one[1] - other[1] - other[3], other[1] - one[1] - one[3], 0)
    return float(np.hypot(across, down))


# --- 4. monotone ----------------------------------------------------------------------------------------------------

def never_goes_back(played: Played, done: Callable[[Picture], float], every: int = 3) -> None:
    """The share that is done never falls, and is nothing at first and everything at last."""
    shares = [done(picture) for picture in played.pictures(every)]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)


def the_same_backwards(played: Played, every: int = 7) -> None:
    """Reversed play shows the same frames: a picture does not depend on those that were drawn before it."""
    there = [picture.dump() for picture in played.pictures(every)]
    chosen = [moment for number, moment in enumerate(played.moments)
              if number % every == 0 or number == len(played.moments) - 1]
    back = [played.draw(moment).dump() for moment in reversed(chosen)]
    assert back[::-1] == there


# --- 5. no jump cuts ------------------------------------------------------------------------------------------------

def no_jumps(played: Played, camera: Collection[tuple[float, float]] = (), moving: bool = False) -> None:
    """From frame to frame no mark goes farther than 8 % of the width, unless it fades; phases at which a camera moves
    everything are left out. `moving` looks only at the marks that are drawn anew in each frame."""
    before: tuple[Places, Places] | None = None
    for earlier, moment in pairwise((played.moments[0], *played.moments)):
        picture = played.draw(moment)
        if moment.act != earlier.act:
            before = None  # another act of a step is another page
        if any(low <= moment.phase <= high for low, high in camera):
            before = None
            continue
        marks = list(picture.moving if moving else picture)
        now = _places(marks, identity), _places(marks, looks)
        for index in (0, 1) if before is not None else ():
            assert before is not None
            for key, places in now[index].items():
                old = before[index].get(key, np.empty((0, 3)))
                if len(old):
                    _follows(key, old, places, picture.size[0], f"{earlier.address} → {moment.address}")
        before = now


Places = dict[Any, np.ndarray]
"""Of all marks that are the same thing: where each stands (x, y) and its opacity."""


def _places(marks: Iterable[Mark], same: Callable[[Mark], Any]) -> Places:
    found = defaultdict(list)
    for mark in marks:
        if (key := same(mark)) is not None:
            x, y, wide, high = box_of(mark)
            middle = mark.points[0] if isinstance(mark, Line) else (x + wide / 2, y + high / 2)  # a line may grow
            found[key].append((*middle, mark.opacity))
    return {key: np.array(places) for key, places in found.items()}


def identity(mark: Mark) -> Any:
    """What flies is the same by its ends, an outline by the map it lies on; None for all others."""
    holds = None if isinstance(mark, Text) else mark.holds
    if isinstance(holds, Flight):
        return Flight, holds.source, holds.target, holds.backward
    if isinstance(holds, Touch):
        return Touch, holds.source.layer, holds.source.cell[:1], holds.source == holds.target, mark.group
    return None


def looks(mark: Mark) -> Any:
    """All others, and outlines on their way from one thing to the next, by what they look like; a sentence by its
    words."""
    if not isinstance(mark, Text) and isinstance(mark.holds, Flight):
        return None
    own = (mark.plain,) if isinstance(mark, Text) and mark.group == SENTENCE else \
        (mark.size, mark.color, mark.weight) if isinstance(mark, Text) else \
        (mark.palette, mark.values.shape) if isinstance(mark, Image) else \
        (mark.fill, mark.stroke) if isinstance(mark, Rect) else \
        (getattr(mark, "color", getattr(mark, "fill", "")), mark.width)
    return type(mark), mark.group, *own


def _follows(key: Any, old: np.ndarray, new: np.ndarray, wide: int, where: str) -> None:
    """Each of the new places is near one of the old ones, except as many as there are more of them, and what fades."""
    apart = np.hypot(new[:, None, 0] - old[None, :, 0], new[:, None, 1] - old[None, :, 1]).min(axis=1)
    far = (apart > FARTHEST * wide) & (new[:, 2] > FADED)
    assert far.sum() <= max(0, len(new) - len(old)), (where, key, new[far][:3], apart[far][:3])


# --- 6. pace --------------------------------------------------------------------------------------------------------

def slow_then_fast(pace: Pace) -> None:
    """The first three terms take half a second each, all others together as long whether they are two or ten
    thousand."""
    for stretch in pace.stretches:
        slow = min(SLOW_TERMS, stretch.terms)
        seconds = [pace.second(stretch.start + done / stretch.terms * (stretch.end - stretch.start))
                   for done in range(slow + 1)]
        assert all(abs(float(after - before - SLOW_TERM)) < 1e-6 for before, after in pairwise(seconds))
        rest = float(pace.second(stretch.end) - seconds[-1])
        assert stretch.terms <= SLOW_TERMS or abs(rest - float(OTHER_TERMS)) < 1e-6
