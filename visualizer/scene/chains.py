"""Chains: calls of a cell that start from one another and stand apart in a recording, seen as one layer with steps.

A decoder that reads what it answered before, or two cells that listen to each other, are computed call by call, with
other layers between. Views of steps draw such calls as they draw any recurrent layer: in a trace of their own, in which
one layer more holds all that the calls hold. What they draw leads back to the calls themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
        inside = focus.array != "output"
        cell = ((0, *unit) if inside else tuple(unit)) if unit else ()
        return Focus(self.calls[min(step, len(self.calls) - 1)], cell, focus.array)

    def _address(self, address: str) -> str:
        """`d#2.forward` of `d.steps.forward[2]`."""
        layer, _, rest_of = address.rpartition(".")
        direction, _, step = rest_of.partition("[")
        return Beat(self.calls[int(step.rstrip("]")) - 1], direction).address if layer == self.name else address


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
    named = {layer.name for layer in layers(trace)}
    if not named:
        return found[-1]
    order = [layer.name for layer in trace.layers]
    own = moment.beat.layer in named or (focus is not None and focus.layer in named)
    return None if own or max(map(order.index, named)) > found[-1].places[0] else found[-1]


@remembered(8)
def chains(trace: Trace) -> tuple[Chain, ...]:
    """Every chain of two calls and more, in the order in which they begin."""
    after: dict[str, str] = {}
    for layer in trace.layers:
        before = _starts_from(trace, layer)
        if before is not None:
            after[before.name] = layer.name
    found = [_by_hand(trace, one) for one in written(trace)]
    for name in [layer.name for layer in trace.layers if layer.name in after and layer.name not in after.values()]:
        calls = [name]
        while calls[-1] in after:
            calls.append(after[calls[-1]])
        found.append(_chain(trace, [trace[call] for call in calls]))
    return tuple(sorted(found, key=lambda chain: chain.places[0]))


def _by_hand(trace: Trace, one: Written) -> Chain:
    name = one.layer.name + SUFFIX
    place = [layer.name for layer in trace.layers].index(one.held_by["hidden"][-1])
    whole = replace(trace, layers=(*trace.layers[:place], replace(one.layer, name=name), *trace.layers[place:]))
    return Chain(one.held_by["hidden"], whole, name, one.held_by)


def _starts_from(trace: Trace, layer: Layer) -> Layer | None:
    """The call of the same cell whose state a call starts from."""
    if not _over_steps(layer) or layer.settings.get("initial_hidden") != "read":
        return None
    source = trace.inputs(layer)[at.start_input(layer, "hidden")]
    while (kind := kinds.of(source)) is not None and kind.moves_only and len(source.reads) == 1 and \
            trace.inputs(source)[0].output.size == source.output.size:
        source = trace.inputs(source)[0]
    same = source.kind == layer.kind and source.weights.keys() >= layer.weights.keys() and all(
        np.array_equal(source.weights[name], array) for name, array in layer.weights.items())
    return source if same else None


def _over_steps(layer: Layer) -> str:
    """The kind that many calls of a cell are one layer of; empty for what is no cell."""
    kind = kinds.of(layer)
    return "" if kind is None else kind.over_steps


def _chain(trace: Trace, calls: Sequence[Layer]) -> Chain:
    first, last = calls[0], calls[-1]
    starts = first.reads[at.sequences(first):][:sum(first.settings.get(f"initial_{state}") == "read"
                                                    for state in ("hidden", "cell"))]
    flowed = any(call.inner_gradients for call in calls)
    layer = Layer(
        name=first.name + SUFFIX,
        kind=_over_steps(first),
        axes=("step", "unit"),
        settings={**first.settings, "one_by_one": True},
        reads=(*(call.reads[0] for call in calls), *starts),
        output=_stacked([call.output[None] for call in calls]),
        gradient=_gradient(calls, "hidden") if flowed else None,
        weights=first.weights,
        weight_gradients={name: np.sum([call.weight_gradients[name] for call in calls], axis=0)
                          for name in first.weights if all(name in call.weight_gradients for call in calls)},
        inner={key: _stacked([call.inner[key] for call in calls]) for key in first.inner},
        inner_gradients=_inside(calls) if flowed else {},
        why=" ".join(dict.fromkeys(call.why for call in calls if call.why)),
    )
    place = [one.name for one in trace.layers].index(last.name)
    return Chain(tuple(call.name for call in calls),
                 replace(trace, layers=(*trace.layers[:place], layer, *trace.layers[place:])), layer.name)


def _stacked(arrays: Sequence[Array]) -> Array:
    found: Array = np.concatenate(arrays)
    return found


def _gradient(calls: Sequence[Layer], key: str) -> Array:
    """(step, unit): the gradient of a gate or state of every call; zeros where nothing flowed back."""
    shape = next(call.inner_gradients[key].shape for call in calls if key in call.inner_gradients)
    return _stacked([call.inner_gradients.get(key, np.zeros(shape, call.output.dtype)) for call in calls])


def _inside(calls: Sequence[Layer]) -> dict[str, Array]:
    """All gradients step by step. What came to a state from outside its call came in part from the next one."""
    keys = dict.fromkeys(key for call in calls for key in call.inner_gradients)
    found = {key: _gradient(calls, key) for key in keys if not key.startswith("initial_")}
    for state in ("hidden", "cell"):
        own, start = f"{state}_direct", f"initial_{state}"
        if start not in keys:
            continue
        handed = _gradient(calls, start)
        if own in found:
            came = found[own]
            found[own] = np.stack([*map(rest, came[:-1], handed[1:]), came[-1]])
        found[start] = handed[:1]
    return found
