"""From recurrent calls to Layers: one for each level and direction of a fused call, one for the steps of a cell.

Modules, functional calls and exported graphs all end in the same few torch calls, so all go this one way. Steps that a
model makes by itself, one call of a cell after another, stand as one Layer with time in it, like those of a fused call,
if every step starts from the one before and reads nothing that was made from an earlier one; otherwise each call is a
Layer of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from visualizer import reasons
from visualizer.record.calls import Event, Recording, swapped
from visualizer.record.through_time import Tensors
from visualizer.record.unroll import (
    CALLS,
    CELLS,
    FUSED,
    Call,
    Direction,
    arguments,
    call_of,
    gradient_error,
    gradients_of_weights,
    unroll,
    unroll_cells,
)
from visualizer.record.weights import seen_by_numpy
from visualizer.trace import Array, Arrays, Layer


@dataclass(eq=False)
class Group:
    """Calls that become Layers together: one fused call, or steps of a cell. Each call is its outputs, in order."""

    calls: list[list[Event]]

    @property
    def events(self) -> list[Event]:
        return [event for call in self.calls for event in call]

    @property
    def first(self) -> Event:
        return self.calls[0][0]


def layers(recording: Recording, events: Sequence[Event], names: dict[int, str],
           no_gradient: Callable[[Event], str]) -> tuple[list[Event], dict[int, tuple[Layer, ...]]]:
    """All events in the order in which their Layers stand; and by id of an Event the Layers that take its place.

    Calls that cannot be taken apart are not among these, and their Events have the reason. `names` learns which Layer
    stands for each output; `no_gradient` says why nothing flowed back to an Event.
    """
    if not any(event.call in CALLS for event in events):
        return list(events), {}
    joined = groups(events)
    events, carried = without_passages(events, joined)
    ordered = together(events, joined)
    found = take_apart(recording, joined, ordered, carried)
    bases = [rename(apart, names) for apart in found]
    made: dict[int, tuple[Layer, ...]] = {id(event): () for apart in found for event in apart.group.events}
    for apart, base in zip(found, bases, strict=True):
        made[id(apart.group.first)] = tuple(layers_of(apart, base, names, no_gradient))
    return ordered, made


# --- which calls belong together, and where they stand ----------------------------------------------------------------

def groups(events: Sequence[Event]) -> list[Group]:
    """Every recurrent call; steps of a cell that follow each other are one group.

    A step joins the one that it starts from if both have the same weights, and if what it reads was not itself made
    from an output of the group: then all that is read is there before the first step is made. A state that was only
    given another shape on the way is the same state.
    """
    found: list[Group] = []
    made_from: dict[int, int] = {}  # id of an Event -> the groups that it was made from, one bit each
    ends_with: dict[int, int] = {}  # id of an Event that is the last hidden state of a group -> its number
    outputs: dict[int, list[Event]] = {}
    for event in events:
        if event.call in CALLS:
            outputs.setdefault(event.number, []).append(event)
    for event in events:
        sources = 0
        for read in event.reads:
            sources |= made_from.get(id(read), 0)
        if event.number not in outputs:
            made_from[id(event)] = sources
        elif event.index == 0:
            number = _joins(event, outputs, found, made_from, ends_with)
            if number is None:
                number = len(found)
                found.append(Group([]))
            found[number].calls.append(outputs[event.number])
            ends_with[id(event)] = number
            for output in outputs[event.number]:
                made_from[id(output)] = sources | 1 << number
    return found


def _joins(event: Event, outputs: Mapping[int, list[Event]], found: Sequence[Group], made_from: Mapping[int, int],
           ends_with: Mapping[int, int]) -> int | None:
    """The number of the group that a step of a cell continues, if there is one."""
    if event.call not in CELLS or event.again is None or computed(event):
        return None
    read, given = _read_and_starts(event)
    states = tuple(None if state is None else _origin(state)[0] for state in given)
    number = None if states[0] is None else ends_with.get(id(states[0]))
    if number is None or read is None or made_from[id(read)] >> number & 1:
        return None
    last = found[number].calls[-1]
    return number if _alike(event) == _alike(last[0]) and list(states) == last else None


def _origin(event: Event) -> tuple[Event, list[Event]]:
    """Where the numbers of an event come from in their own order, and all that only gave them another shape, last
    first."""
    passed = []
    while event.kind is not None and event.kind.moves_only and len(event.reads) == 1 and event.call not in CALLS and \
            np.array_equal(event.output.ravel(), event.reads[0].output.ravel(), equal_nan=True):
        passed.append(event)
        (event,) = event.reads
    return event, passed


Carried = Mapping[int, tuple[Event, Event]]
"""id of a tensor -> the event that only gave a state another shape for the next step, and the state itself."""


def without_passages(events: Sequence[Event], joined: Sequence[Group]) -> tuple[list[Event], Carried]:
    """The events without those that only carry a state of a group to its next step; and where these come from.

    What an event that stays handed to one of them was handed back by the next step, inside the group; its gradient is
    what is left, and the next step reads the state itself.
    """
    readers = defaultdict[int, list[Event]](list)
    for event in events:
        for read in event.reads:
            readers[id(read)].append(event)
    carried: dict[int, tuple[Event, Event]] = {}
    gone: set[int] = set()
    for group in joined:
        own = {id(event) for event in group.events}
        for outputs in group.calls[1:]:
            for state in _read_and_starts(outputs[0])[1]:
                origin, passed = (state, []) if state is None else _origin(state)
                for event in passed:
                    if not all(id(reader) in own or id(reader) in gone for reader in readers[id(event)]):
                        break
                    gone.add(id(event))
                    carried[id(event.tensor)] = event, origin
                    (source,) = event.reads
                    if source is not origin and source.gradient is not None and event.gradient is not None:
                        source.gradient = source.gradient - event.gradient.reshape(source.gradient.shape)
            for event in outputs:
                event.reads = tuple(carried[id(read.tensor)][1] if id(read) in gone else read for read in event.reads)
    return [event for event in events if id(event) not in gone], carried


def together(events: Sequence[Event], joined: list[Group]) -> list[Event]:
    """The events in an order in which the calls of each group stand side by side, after all that any of them reads.

    Two cells that listen to each other's steps have no such order; their groups are broken up into single calls.
    """
    while True:
        ordered, stuck = _in_order(events, joined)
        if stuck is None:
            return ordered
        joined.remove(stuck)
        joined += [Group([call]) for call in stuck.calls]


def _in_order(events: Sequence[Event], joined: Sequence[Group]) -> tuple[list[Event], Group | None]:
    """What an event reads comes first; without recursion, because chains of events are long.

    The second is None, or the latest group of several calls on a way that leads back to itself.
    """
    owner = {id(event): group for group in joined for event in group.events}

    def beside(event: Event) -> list[Event]:
        return owner[id(event)].events if id(event) in owner else [event]

    ordered: list[Event] = []
    done: set[int] = set()
    on_the_way: dict[int, Event] = {}
    for start in events:
        waiting = [start]
        while waiting:
            here = beside(waiting[-1])
            key = id(here[0])
            if key in done:
                waiting.pop()
            elif key in on_the_way:  # and back: all that it reads is there
                ordered += here
                done.add(key)
                del on_the_way[key]
            else:
                on_the_way[key] = here[0]
                reads = {id(beside(read)[0]): read for event in here for read in event.reads}
                missing = {first: read for first, read in reads.items() if first not in done and first != key}
                if missing.keys() & on_the_way.keys():
                    several = [owner[first] for first in on_the_way if first in owner and len(owner[first].calls) > 1]
                    return [], several[-1]
                waiting += reversed(missing.values())
    return ordered, None


# --- groups are taken apart -------------------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class Apart:
    """A group taken apart, and where everything in it came from."""

    group: Group
    call: Call
    """The first of its calls, with torch's own tensors."""
    reads: tuple[Event, ...]
    """What a fused call reads, or every step of a cell."""
    starts: tuple[Event | None, ...]
    """The states that it starts from, where another call made them."""
    heard: frozenset[int]
    """ids of those of its Events that other calls read; not the next step of the same group."""
    carried: frozenset[int]
    """ids of those through which such a reader handed a gradient back."""
    learned: Mapping[str, tuple[Array, Array | None]]
    """`hidden` and `cell` where it starts from a parameter, with autograd's gradient if nothing else uses that."""
    directions: tuple[Direction, ...]
    weight_gradients: tuple[Arrays, ...]
    """Autograd's, by level and direction; of weights that several groups of steps share what their gates imply."""
    why: str = ""


Total = Callable[[Tensor], Tensor | None]
"""A weight -> autograd's gradient of it, if the calls in question are the only ones that use it."""


def take_apart(recording: Recording, joined: Sequence[Group], events: Sequence[Event], carried_on: Carried
               ) -> list[Apart]:
    """Every group that can be; the Events of the others learn the reason."""
    users, readers = defaultdict[int, set[int]](set), defaultdict[int, set[int]](set)
    for event in events:
        for weight, _ in event.weights.values():
            users[id(weight)].add(event.number)
        for read in event.reads:
            readers[id(read)].add(event.number)
    flowed = {event.number for event in events if event.gradient is not None}
    made = {number: source for group in joined for number, source in computed(group.first).items()}
    families = defaultdict[tuple[int, ...], list[Group]](list)
    for group in joined:
        families[_alike(group.first) if group.first.call in CELLS else (group.first.number,)].append(group)
    found: list[Apart] = []
    for family in families.values():
        numbers = {event.number for group in family for event in group.events}

        def total(weight: Tensor, numbers: set[int] = numbers) -> Tensor | None:
            if id(weight) in made:
                source = made[id(weight)]
                return source.gradient if readers[id(source)] <= numbers else None
            return recording.weight_gradients.get(id(weight)) if users[id(weight)] <= numbers else None

        others = {id(event): readers[id(event)] - {other.number for other in group.events}
                  for group in family for event in group.events}
        heard = frozenset(number for number, reading in others.items() if reading)
        carried = frozenset(number for number, reading in others.items() if reading & flowed)
        try:
            found += _cells(family, total, heard, carried, carried_on) \
                if family[0].first.call in CELLS else [_fused(family[0], total, heard, carried)]
        except LookupError as reason:
            for event in (event for group in family for event in group.events):
                event.why = str(reason.args[0])
            continue
        arrays = {id(array): array.nbytes for apart in found[-len(family):] for direction in apart.directions
                  for array in (*direction.inner.values(), *direction.inner_gradients.values())}
        recording._spend(sum(arrays.values()))
    return found


def _fused(group: Group, total: Total, heard: frozenset[int], carried: frozenset[int]) -> Apart:
    """One call for whole sequences."""
    outputs, first = group.calls[0], group.first
    call, recorded, read, starts = _told(first)
    gradients = [output.gradient for output in outputs]
    autograd: list[Tensors] | None = None
    if any(gradient is not None for gradient in gradients):
        autograd = _totals(call, total) or gradients_of_weights(recorded, gradients, first.random)
    directions = unroll(recorded, [torch.tensor(output.output) for output in outputs], gradients,
                        weight_gradients=autograd, random=first.random)
    found = tuple({name: _array(one) for name, one in weights.items()} for weights in autograd or ())
    return Apart(group, call, (read,), starts, heard, carried, _learned(first, total), directions,
                 found or ({},) * len(directions))


def _cells(family: Sequence[Group], total: Total, heard: frozenset[int], carried: frozenset[int], carried_on: Carried
           ) -> list[Apart]:
    """All steps with the same weights: autograd tells the sum over all of them, and that is compared."""
    found = []
    for group in family:
        told = [_told(outputs[0], carried_on) for outputs in group.calls]
        direction = unroll_cells(
            [recorded for _, recorded, _, _ in told],
            [[torch.tensor(output.output) for output in outputs] for outputs in group.calls],
            [[output.gradient for output in outputs] for outputs in group.calls],
            [[id(output) in carried for output in outputs] for outputs in group.calls],
        )
        found.append(Apart(group, told[0][0], tuple(read for _, _, read, _ in told), told[0][3], heard, carried,
                           _learned(group.first, total), (direction,), (direction.weight_gradients,)))
    if all(apart.directions[0].gradient is None for apart in found):
        return found
    totals = [_totals(apart.call, total) for apart in found]
    if any(each is None for each in totals):
        return [replace(apart, why=reasons.NOT_COMPARED) for apart in found]
    autograd = [each[0] for each in totals if each is not None]
    own = [{name for name, weight in apart.call.weights[0].items() if id(weight) in computed(apart.group.first)}
           for apart in found]
    error = gradient_error([apart.directions[0] for apart in found],
                           {name: one for name, one in autograd[0].items() if name not in own[0]})
    errors = [max(error, gradient_error(apart.directions, {name: one for name, one in each.items() if name in names}))
              for apart, each, names in zip(found, autograd, own, strict=True)]
    found = [replace(apart, directions=(replace(apart.directions[0], gradient_error=each),))
             for apart, each in zip(found, errors, strict=True)]
    if len(found) == 1:
        return [replace(found[0], weight_gradients=({name: _array(one) for name, one in autograd[0].items()},))]
    return found


def _told(event: Event, carried_on: Carried = MappingProxyType({})
          ) -> tuple[Call, Call, Event, tuple[Event | None, ...]]:
    """A call with torch's tensors, and with the numbers that these held then; what it reads, and starts from.

    LookupError if it cannot be taken apart.
    """
    if event.again is None:
        raise LookupError(reasons.COMPUTED)
    args, kwargs = event.again[1:3]
    swaps = {id(read.tensor): torch.tensor(read.output) for read in event.reads}
    for state in arguments(event.call, args, kwargs)["hx"]:
        if id(state) in carried_on:
            swaps[id(state)] = torch.tensor(carried_on[id(state)][0].output)
    call = call_of(event.call, args, kwargs)
    if call.sequences != 1:
        raise LookupError(reasons.SEVERAL.format(count=call.sequences))
    known = {*_alike(event), *(id(read.tensor) for read in event.reads)}
    if not all(id(weight) in known for weights in call.weights for weight in weights.values()):
        raise LookupError(reasons.COMPUTED)
    read, starts = _read_and_starts(event)
    if read is None:
        raise LookupError(reasons.NOTHING_READ)
    recorded = call_of(event.call, swapped(args, swaps), swapped(kwargs, swaps))
    return call, replace(recorded, precision=event.dtype or recorded.precision), read, starts


def _read_and_starts(event: Event) -> tuple[Event | None, tuple[Event | None, ...]]:
    """What a call reads, and the states that it starts from; None for what no recorded call made."""
    if event.again is None:
        return None, ()
    given = arguments(event.call, *event.again[1:3])
    by_tensor = {id(read.tensor): read for read in event.reads}
    read = given["data"] if "data" in given else given["input"]
    return by_tensor.get(id(read)), tuple(by_tensor.get(id(state)) for state in given["hx"])


def _alike(event: Event) -> tuple[int, ...]:
    """Calls with the same weights have the same."""
    return tuple(id(weight) for weight, _ in event.weights.values())


def computed(event: Event) -> dict[int, Event]:
    """id of a weight that another call made, normed or pruned -> that call."""
    if event.again is None:
        return {}
    by_tensor = {id(read.tensor): read for read in event.reads}
    weights = [weight for weights in call_of(event.call, *event.again[1:3]).weights for weight in weights.values()]
    return {id(weight): by_tensor[id(weight)] for weight in weights if id(weight) in by_tensor}


def _learned(event: Event, total: Total) -> dict[str, tuple[Array, Array | None]]:
    if event.again is None:
        return {}
    arrays = {id(weight): array for weight, array in event.weights.values()}
    found = {}
    for state, tensor in zip(("hidden", "cell"), arguments(event.call, *event.again[1:3])["hx"], strict=False):
        if id(tensor) in arrays:
            gradient = total(tensor)
            found[state] = arrays[id(tensor)], None if gradient is None else _array(gradient)
    return found


def _totals(call: Call, total: Total) -> list[Tensors] | None:
    """Autograd's gradients of all weights, if each of them is used for one thing only."""
    flat = [weight for weights in call.weights for weight in weights.values()]
    if len(set(map(id, flat))) < len(flat):
        return None
    found = [{name: one for name, weight in weights.items() if (one := total(weight)) is not None}
             for weights in call.weights]
    return found if all(map(len, found)) and sum(map(len, found)) == len(flat) else None


# --- names and Layers -------------------------------------------------------------------------------------------------

def rename(apart: Apart, names: dict[int, str]) -> str:
    """Tell `names` which Layer stands for each output; the name of the group itself.

    `lstm`, `lstm.l1`, `lstm.l1.reverse`; `lstm.h_n` and `lstm.c_n` after the last step, `cell.h_3` after the third.
    """
    base = names[id(apart.group.first)]
    if apart.group.first.call in FUSED:
        if apart.call.directions == 1:
            names[id(apart.group.first)] = base + apart.directions[-1].suffix
        for output, state in zip(apart.group.calls[0][1:], "hc", strict=False):
            names[id(output)] = f"{base}.{state}_n"
    elif len(apart.group.calls) == 1:
        for output in apart.group.calls[0][1:]:
            names[id(output)] = f"{base}.c"
    else:
        for step, outputs in enumerate(apart.group.calls, start=1):
            for output, state in zip(outputs, "hc", strict=False):
                names[id(output)] = f"{base}.{state}_{step}"
    return base


def layers_of(apart: Apart, base: str, names: Mapping[int, str],
              no_gradient: Callable[[Event], str]) -> Iterator[Layer]:
    """The Layers of one group: its levels and directions, then the states that others read."""
    made = _Layers(apart, base, names, no_gradient)
    if apart.group.first.call in FUSED:
        return made.of_fused()
    return made.of_a_step() if len(apart.group.calls) == 1 else made.of_steps()


@dataclass(frozen=True, eq=False)
class _Layers:
    apart: Apart
    base: str
    names: Mapping[int, str]
    no_gradient: Callable[[Event], str]

    def of_fused(self) -> Iterator[Layer]:
        call, (output, *states) = self.apart.call, self.apart.group.calls[0]
        below = [self.names[id(event)] for event in self.apart.reads]
        here: list[str] = []
        for place, direction in enumerate(self.apart.directions):
            name = self.base + direction.suffix
            yield self.time_layer(output, name, FUSED[output.call], direction, below, {"sequences": len(below)})
            if direction.dropped is not None:
                yield Layer(f"{name}.dropout", "dropout", ("step", "unit"),
                            {"p": call.dropout, "training": True, "inplace": False}, (name,), direction.dropped,
                            direction.dropped_gradient, why=self.reason(direction.dropped_gradient, output))
            here.append(name if direction.dropped is None else f"{name}.dropout")
            if len(here) == call.directions and place + 1 < len(self.apart.directions):
                below, here = here, []
        if call.directions == 2:
            gradient = None if output.gradient is None else _array(output.gradient)
            yield Layer(self.base, "both_directions", _axes(output), {}, tuple(here), _rows(output.output),
                        None if gradient is None else _rows(gradient), why=self.reason(gradient, output))
        reads = tuple(self.base + direction.suffix for direction in self.apart.directions)
        for event, state in zip(states, ("hidden", "cell"), strict=False):
            if id(event) in self.apart.heard:
                gradient = None if event.gradient is None else _rows(_array(event.gradient))
                yield Layer(self.names[id(event)], "state", ("level", "unit"), {"state": state}, reads,
                            _rows(event.output), gradient, why=self.reason(gradient, event))

    def of_steps(self) -> Iterator[Layer]:
        (direction,), last = self.apart.directions, self.apart.group.calls[-1][0]
        reads = [self.names[id(event)] for event in self.apart.reads]
        yield self.time_layer(last, self.base, FUSED[last.call.removesuffix("_cell")], direction, reads,
                              {"one_by_one": True})
        for step, outputs in enumerate(self.apart.group.calls):
            for event, state in zip(outputs, ("hidden", "cell"), strict=False):
                if id(event) in self.apart.heard:
                    direct = direction.inner_gradients.get(f"{state}_direct")
                    gradient = None if direct is None or id(event) not in self.apart.carried else direct[step]
                    settings: dict[str, Any] = {"state": state, "step": step}
                    if gradient is not None:
                        settings["rest_of"] = float(np.abs(direction.inner_gradients[state][step]).max())
                    yield Layer(self.names[id(event)], "state", ("unit",), settings, (self.base,),
                                direction.inner[state][step], gradient, why=self.reason(gradient, event))

    def of_a_step(self) -> Iterator[Layer]:
        (direction,), (event, *cell) = self.apart.directions, self.apart.group.calls[0]
        below = [self.names[id(read)] for read in self.apart.reads]
        yield self.time_layer(event, self.base, CELLS[event.call], direction, below, {"sequences": 1})
        for memory in cell:
            if id(memory) in self.apart.heard:
                gradient = None if memory.gradient is None else _rows(_array(memory.gradient))[0]
                yield Layer(self.names[id(memory)], "cell_state", ("unit",), {"state": "cell", "step": 0},
                            (self.base,), _rows(memory.output)[0], gradient, why=self.reason(gradient, memory))

    def time_layer(self, event: Event, name: str, kind: str, direction: Direction, below: Sequence[str],
                   settings: Mapping[str, Any]) -> Layer:
        """A level and direction, or the steps of a cell, with everything inside."""
        place = direction.level * self.apart.call.directions + direction.reverse
        made = computed(event)
        arrays = {id(weight): array for weight, array in self.apart.group.first.weights.values()}
        arrays |= {number: source.output for number, source in made.items()}
        weights = {key: arrays[id(weight)] for key, weight in self.apart.call.weights[place].items()}
        gradients = {key: self.apart.weight_gradients[place][key]
                     for key, weight in self.apart.call.weights[place].items()
                     if weight.requires_grad and key in self.apart.weight_gradients[place]}
        settings = {**settings, "level": direction.level, "reverse": direction.reverse, "place": place,
                    "module_error": direction.module_error, "gradient_error": direction.gradient_error}
        if direction.module_rounding:
            settings["module_rounding"] = direction.module_rounding
        if self.apart.call.name.startswith("rnn"):
            settings["nonlinearity"] = self.apart.call.name.removeprefix("rnn_")
        reads = list(below)
        for state, start in zip(("hidden", "cell"), self.apart.starts, strict=False):
            if start is not None:
                settings[f"initial_{state}"] = "read"
                reads.append(self.names[id(start)])
            elif state in self.apart.learned:
                settings[f"initial_{state}"] = "learned"
                array, gradient = self.apart.learned[state]
                weights[f"initial_{state}"] = array.reshape(-1, array.shape[-1])[place]
                if gradient is not None:
                    gradients[f"initial_{state}"] = gradient.reshape(-1, array.shape[-1])[place]
        others = {key: made[id(weight)] for key, weight in self.apart.call.weights[place].items() if id(weight) in made}
        if others:  # behind all that it reads otherwise
            settings |= {"computed": tuple(others), "fixed": tuple(others)}
            reads += [self.names[id(source)] for source in others.values()]
        output, gradient = direction.output, direction.gradient
        if kind in CELLS.values():
            output, gradient = output[0], None if gradient is None else gradient[0]
        frozen = gradient is not None and not any(weight.requires_grad
                                                  for weight in self.apart.call.weights[place].values())
        said = (direction.unverified, self.apart.why, self.reason(gradient, event), reasons.FROZEN if frozen else "")
        return Layer(
            name=name,
            kind=kind,
            axes=_axes(event) if name == self.names[id(event)] else ("step", "unit")[-output.ndim:],
            settings=settings,
            reads=tuple(reads),
            output=output,
            gradient=gradient,
            weights=weights,
            weight_gradients=gradients,
            inner=direction.inner,
            inner_gradients=direction.inner_gradients,
            why=" ".join(reason for reason in said if reason),
        )

    def reason(self, gradient: Array | None, event: Event) -> str:
        """Why there is no gradient; nothing if there is one."""
        return "" if gradient is not None else self.no_gradient(event)


def _axes(event: Event) -> tuple[str, ...]:
    return tuple(axis for axis in event.axes or () if axis != "batch")


def _rows(array: Array) -> Array:
    """(step or level, unit): the batch of one taken off."""
    return array.reshape(-1, array.shape[-1])


def _array(tensor: Tensor) -> Array:
    """As numpy, read-only; nobody writes to it any more, so it needs no copy."""
    array = np.asarray(seen_by_numpy(tensor), order="C")
    array.flags.writeable = False
    return array
