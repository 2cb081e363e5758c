"""Chains: calls of a cell that start from one another and stand apart in a recording, seen as one layer with steps.

A decoder that reads what it answered before, or two cells that listen to each other, are computed call by call, with
other layers between. Views of steps draw such calls as they draw any recurrent layer: in a trace of their own, in which
one layer more holds all that the calls hold. What they draw leads back to the calls themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property, wraps
from typing import Any, TypeVar, cast

import numpy as np

from visualizer import kinds
from visualizer.kinds import _steps as at
from visualizer.kinds.gates import rest
from visualizer.scene.handwritten import Written, written
from visualizer.scene.picture import Flight, Focus, Group, Image, Look, Mark, Picture, Stops, Touch
from visualizer.scene.reading import layers
from visualizer.scene.timeline import FORWARD, Beat, Moment, timeline
from visualizer.trace import Array, Layer, Trace, remembered

Made = TypeVar("Made")
SUFFIX = ".steps"
"""What the layer of a chain is called behind the name of its first call."""


@dataclass(frozen=True, eq=False)
class Chain:
    """Calls of one cell, each of which starts from the one before."""

    calls: tuple[str, ...]
    trace: Trace
    """The recording with one layer more: all calls, step by step."""
    name: str
    """That layer."""
    held_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Where gates are written by hand: by gate and state the layers that hold it."""

    @cached_property
    def places(self) -> tuple[int, ...]:
        """Where the calls stand among all layers."""
        order = [layer.name for layer in self.trace.layers]
        return tuple(order.index(call) for call in self.calls)

    @cached_property
    def places_of(self) -> dict[str, tuple[int, str]]:
        """By each layer that holds a gate or a state of a step: that step, and which array of the chain it is."""
        held = {name: (step, f"inner.{key}") for key, names in self.held_by.items() for step, name in enumerate(names)}
        return held | {name: (step, "output") for step, name in enumerate(self.calls)}

    def moment(self, moment: Moment, focus: Focus | None) -> Moment:
        """The same moment in the trace with steps: within a call its step; elsewhere the call that is looked at, or
        the last one that has come."""
        beat, times = moment.beat, timeline(self.trace)

        def of_step(call: int, phase: float) -> Moment | None:
            found = times.of(self.name, beat.direction, call + 1)
            return None if found is None else replace(found, phase=phase)

        if beat.layer in self.calls:
            found = of_step(self.calls.index(beat.layer), moment.phase)
        elif focus is not None and focus.layer in self.places_of:
            found = of_step(self.places_of[focus.layer][0], 1.0)
        else:
            here = [layer.name for layer in self.trace.layers].index(beat.layer)
            come = [call for call, place in enumerate(self.places)
                    if (place <= here if beat.direction == FORWARD else place >= here)]
            found = of_step(come[-1] if beat.direction == FORWARD else come[0], 1.0) if come else None
        if found is not None:
            return found
        same = times.of(beat.layer, beat.direction, beat.step)
        return times.settled(0) if same is None else replace(same, phase=moment.phase)

    def focus(self, focus: Focus | None) -> Focus | None:
        """What is looked at, as a step of the chain where it is one of its calls."""
        if focus is None or focus.layer not in self.places_of:
            return focus
        step, array = self.places_of[focus.layer]
        return Focus(self.name, (step, *focus.cell[-1:]) if focus.cell else (),
                     focus.array if array == "output" else array)

    def drawn(self, picture: Picture) -> Picture:
        """A picture of the trace with steps, with all that leads to these leading to the calls."""
        groups: dict[int, Group] = {}
        return replace(picture, still=tuple(self._mark(mark, groups) for mark in picture.still),
                       moving=tuple(self._mark(mark, groups) for mark in picture.moving))

    def _mark(self, mark: Mark, groups: dict[int, Group]) -> Mark:
        changed: dict[str, Any] = {}
        if mark.focus is not None and mark.focus.layer == self.name:
            changed["focus"] = None if isinstance(mark, Image) and mark.indices != (-1,) else self._call(mark.focus)
        if isinstance(mark.holds, Stops):
            changed["holds"] = replace(mark.holds, addresses=tuple(map(self._address, mark.holds.addresses)))
        elif isinstance(mark.holds, Flight | Touch) and self.name in (mark.holds.source.layer, mark.holds.target.layer):
            changed["holds"] = replace(mark.holds, source=self._call(mark.holds.source),
                                       target=self._call(mark.holds.target))
        if mark.group is not None and mark.group.about is not None and mark.group.about.layer == self.name:
            known = groups.setdefault(id(mark.group), replace(mark.group, about=self._call(mark.group.about)))
            changed["group"] = known
        return replace(mark, **changed) if changed else mark

    def _call(self, focus: Focus) -> Focus:
        """The call that a step is, and the number of it that is meant."""
        if focus.layer != self.name:
            return focus
        step, *unit = focus.cell or (0,)
        part = self.held_by.get(focus.array.removeprefix("inner.") if focus.array != "output" else "hidden")
        if part is not None:
            return Focus(part[min(step, len(part) - 1)], tuple(unit))
        if self.held_by:
            return Focus(self.calls[min(step, len(self.calls) - 1)])
        inside = focus.array != "output" or self.trace[self.calls[0]].output.ndim == 2
        cell = ((0, *unit) if inside else tuple(unit)) if unit else ()
        return Focus(self.calls[min(step, len(self.calls) - 1)], cell, focus.array)

    def _address(self, address: str) -> str:
        """`d#2.forward` of `d.steps.forward[2]`."""
        layer, _, rest_of = address.rpartition(".")
        direction, _, step = rest_of.partition("[")
        if layer != self.name:
            return address
        call = self.trace[self.calls[int(step.rstrip("]")) - 1]]
        return Beat(call.name, direction, 1 if "step" in call.axes and call.inner else None).address


def stepped(draws: Callable[[Trace, Moment, Focus | None, Look], Made]) -> \
        Callable[[Trace, Moment, Focus | None, Look], Made]:
    """A view of steps that draws calls of a cell that stand apart, too, as the steps that they are."""
    @wraps(draws)
    def drawn(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Made:
        chain = seen(trace, moment, focus)
        if chain is None:
            return draws(trace, moment, focus, look)
        found = draws(chain.trace, chain.moment(moment, focus), chain.focus(focus), look)
        return cast(Made, chain.drawn(found)) if isinstance(found, Picture) else found

    return drawn


def stepwise(suits: Callable[[Trace], bool]) -> Callable[[Trace], bool]:
    """Whether there is something to show of a recording, or of one of its chains."""
    return lambda trace: suits(trace) or any(suits(chain.trace) for chain in chains(trace))


def seen(trace: Trace, moment: Moment, focus: Focus | None) -> Chain | None:
    """The chain that a view of steps is about, if it is one: that of what is looked at, that of the beat, or the last
    recurrent one of all, as with any layer that has steps."""
    found = chains(trace)
    if not found:
        return None
    for name in (moment.beat.layer, None if focus is None else focus.layer):
        chain = next((chain for chain in found if name in chain.places_of), None)
        if chain is not None:
            return chain
    named = {layer.name for layer in layers(trace)} - {call for chain in found for call in chain.calls}
    if not named:
        return found[-1]
    order = [layer.name for layer in trace.layers]
    own = moment.beat.layer in named or (focus is not None and focus.layer in named)
    return None if own or max(map(order.index, named)) > found[-1].places[0] else found[-1]


@remembered(8)
def chains(trace: Trace) -> tuple[Chain, ...]:
    """Every chain of two calls and more, in the order in which they begin."""
    links = {link.call: link for layer in trace.layers if (link := _link(trace, layer)) is not None}
    after = {link.before: link.call for link in links.values()}
    found = [_by_hand(trace, one) for one in written(trace)]
    for name in [layer.name for layer in trace.layers if layer.name in after and layer.name not in links]:
        calls = [name]
        while calls[-1] in after:
            calls.append(after[calls[-1]])
        with suppress(LookupError):  # something between them is not explained: they stay single calls
            found.append(_chain(trace, [trace[call] for call in calls], [links[call] for call in calls[1:]]))
    return tuple(sorted(found, key=lambda chain: chain.places[0]))


def _by_hand(trace: Trace, one: Written) -> Chain:
    name = one.layer.name + SUFFIX
    place = _order(trace)[one.held_by["hidden"][-1]] + 1
    whole = replace(trace, layers=(*trace.layers[:place], replace(one.layer, name=name), *trace.layers[place:]))
    return Chain(one.held_by["hidden"], whole, name, one.held_by)


# --- which call starts from which -----------------------------------------------------------------------------------

@dataclass(frozen=True)
class Link:
    """A call that starts from the states of another."""

    before: str
    call: str
    ways: Mapping[str, tuple[str, ...]]
    """By state the layers through which it came, in the order in which they ran."""
    changed: frozenset[str]
    """Which states are not what the other call made, but what these layers made of it."""


def _link(trace: Trace, layer: Layer) -> Link | None:
    """The latest call of the same cell that what a call starts from is made of."""
    if not _over_steps(layer):
        return None
    order = _order(trace)
    ways = {state: _ways(trace, layer, trace.inputs(layer)[at.start_input(layer, state)])
            for state in ("hidden", "cell") if layer.settings.get(f"initial_{state}") == "read"}
    before = max((call for calls, _ in ways.values() for call in calls), key=order.__getitem__, default=None)
    if before is None:
        return None
    found = {state: _towards(trace, calls, seen) for state, (calls, seen) in ways.items()}
    return Link(before, layer.name, found, frozenset(
        state for state in found if not _only_moved(trace, layer, state, before)))


def _towards(trace: Trace, calls: set[str], seen: set[str]) -> tuple[str, ...]:
    """Those of some layers that are made of what calls made, in the order in which they ran."""
    made = set(calls)
    for name in sorted(seen, key=_order(trace).__getitem__):
        if not made.isdisjoint(trace[name].reads):
            made.add(name)
    return tuple(sorted(made - calls, key=_order(trace).__getitem__))


def _ways(trace: Trace, call: Layer, source: Layer) -> tuple[set[str], set[str]]:
    """Calls of the same cell that a layer is made of, the nearest on each way, and the layers on all ways."""
    calls, seen, ahead = set(), set[str](), [source]
    while ahead:
        layer = ahead.pop()
        if _same_cell(layer, call):
            calls.add(layer.name)
        elif layer.name not in seen:
            seen.add(layer.name)
            ahead += _made_of(trace, layer, call)
    return calls, seen


def _made_of(trace: Trace, layer: Layer, call: Layer) -> Sequence[Layer]:
    """What a layer reads; of the states of several levels the one that a call starts from."""
    inputs, place = trace.inputs(layer), int(call.settings.get("place", 0))
    return inputs[place:place + 1] if kinds.role(layer) == "state" and len(inputs) > 1 else inputs


def _only_moved(trace: Trace, call: Layer, state: str, before: str) -> bool:
    """Whether a call starts from the state itself, however it was laid out on the way."""
    source = trace.inputs(call)[at.start_input(call, state)]
    while source.name != before:
        kind, inputs = kinds.of(source), _made_of(trace, source, call)
        if kind is None or not kind.moves_only or len(inputs) != 1 or \
                (inputs[0].output.size != source.output.size and kind.role != "state"):
            return False
        (source,) = inputs
    return True


def _same_cell(one: Layer, other: Layer) -> bool:
    return one.kind == other.kind and bool(_over_steps(one)) and one.weights.keys() >= other.weights.keys() and all(
        np.array_equal(one.weights[name], array) for name, array in other.weights.items())


def _over_steps(layer: Layer) -> str:
    """The kind that many calls of a cell, or of a layer that was handed one step, are one layer of; else empty."""
    kind = kinds.of(layer)
    if kind is None or kind.over_steps:
        return "" if kind is None else kind.over_steps
    alone = kind.role == "recurrent" and bool(layer.inner) and at.steps(layer) == 1 and not at.reverse(layer)
    return layer.kind if alone and not layer.settings.get("one_by_one") and at.sequences(layer) == 1 else ""


@remembered(1)
def _order(trace: Trace) -> dict[str, int]:
    return {layer.name: place for place, layer in enumerate(trace.layers)}


# --- all calls as one layer -----------------------------------------------------------------------------------------

def _chain(trace: Trace, calls: Sequence[Layer], links: Sequence[Link]) -> Chain:
    first, last = calls[0], calls[-1]
    changed = frozenset[str]().union(*(link.changed for link in links))
    flowed = any(call.inner_gradients for call in calls)
    reads, settings = [call.reads[0] for call in calls], {**first.settings, "one_by_one": True}
    for state in ("hidden", "cell"):
        starts = [call.reads[at.start_input(call, state)] if call.settings.get(f"initial_{state}") == "read" else ""
                  for call in (calls if state in changed else calls[:1])]
        if state in changed:
            settings.pop(f"initial_{state}", None)
            settings[f"starts_{state}"] = tuple(len(reads) + sum(map(bool, starts[:step])) if name else -1
                                                for step, name in enumerate(starts))
        reads += filter(None, starts)
    if changed:
        settings["between"] = tuple(dict.fromkeys(name.partition("#")[0] for link in links for state in changed
                                                  for name in link.ways.get(state, ()) if not _moved(trace[name])))
    layer = Layer(
        name=first.name + SUFFIX,
        kind=_over_steps(first),
        axes=("step", "unit"),
        settings=settings,
        reads=tuple(reads),
        output=_stacked([call.inner["hidden"] for call in calls]),
        gradient=_gradient(calls, "hidden") if flowed else None,
        weights=first.weights,
        weight_gradients={name: np.sum([call.weight_gradients[name] for call in calls], axis=0)
                          for name in first.weights if all(name in call.weight_gradients for call in calls)},
        inner={key: _stacked([call.inner[key] for call in calls]) for key in first.inner},
        inner_gradients=_inside(trace, calls, links, changed) if flowed else {},
        why=" ".join(dict.fromkeys(call.why for call in calls if call.why)),
    )
    place = _order(trace)[last.name] + 1
    return Chain(tuple(call.name for call in calls),
                 replace(trace, layers=(*trace.layers[:place], layer, *trace.layers[place:])), layer.name)


def _moved(layer: Layer) -> bool:
    kind = kinds.of(layer)
    return kind is not None and kind.moves_only


def _stacked(arrays: Sequence[Array]) -> Array:
    found: Array = np.concatenate(arrays)
    return found


def _gradient(calls: Sequence[Layer], key: str) -> Array:
    """(step, unit): the gradient of a gate or state of every call; zeros where nothing flowed back."""
    shape = next(call.inner_gradients[key].shape for call in calls if key in call.inner_gradients)
    return _stacked([call.inner_gradients.get(key, np.zeros(shape, call.output.dtype)) for call in calls])


def _inside(trace: Trace, calls: Sequence[Layer], links: Sequence[Link], changed: frozenset[str]
            ) -> dict[str, Array]:
    """All gradients step by step. What came to a state from outside its call came in part from the next one: the state
    itself was handed on, or what other layers made of it."""
    keys = dict.fromkeys(key for call in calls for key in call.inner_gradients)
    found = {key: _gradient(calls, key) for key in keys if not key.startswith("initial_")}
    passed = _through(trace, calls, links) if changed else {}
    for state in ("hidden", "cell"):
        own, start = f"{state}_direct", f"initial_{state}"
        if start not in keys:
            continue
        handed = _gradient(calls, start)
        if own in found:
            came = found[own]
            later = passed[state][:-1] if changed else handed[1:]
            found[own] = np.stack([*map(rest, came[:-1], later), came[-1]])
        found[start] = handed if state in changed else handed[:1]
    return found


def _through(trace: Trace, calls: Sequence[Layer], links: Sequence[Link]) -> dict[str, Array]:
    """(step, unit) by state: what later calls hand back to it, through all that stands between them."""
    came: dict[str, Array] = {}
    names = {name for link in links for way in link.ways.values() for name in way}
    ends = {call.name: step for step, call in enumerate(calls)}
    found = {state: np.zeros((len(calls), calls[0].inner[state].shape[1])) for state in ("hidden", "cell")
             if state in calls[0].inner}
    for call, link in zip(calls[1:], links, strict=True):
        for state in link.ways:
            source, handed = trace.inputs(call)[at.start_input(call, state)], call.inner_gradients.get(
                f"initial_{state}")
            if handed is not None:
                first = at.start_place(call, state, source)
                came.setdefault(source.name, np.zeros(source.output.size))[first:first + handed.size] += handed.ravel()
    for name in sorted(names, key=_order(trace).__getitem__, reverse=True):
        layer, inputs = trace[name], trace.inputs(trace[name])
        if name not in came:
            continue
        made = next((read for read in layer.reads if read in ends), "")
        if kinds.role(layer) == "state" and made:
            states = found[layer.settings["state"]]
            first = layer.reads.index(made) * states.shape[1]
            states[ends[made]] += came[name][first:first + states.shape[1]]
            continue
        given = replace(layer, gradient=came[name].reshape(layer.shape))
        for which, read in enumerate(inputs):
            if read.name in names or read.name in ends:
                came.setdefault(read.name, np.zeros(read.output.size))[:] += [
                    kinds.handed_back(given, inputs, which, cell).result for cell in np.ndindex(read.shape)]
    for name, step in ends.items():
        found["hidden"][step] += came.get(name, 0.0)
    return {state: array.astype(calls[0].inner[state].dtype) for state, array in found.items()}
