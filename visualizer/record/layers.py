"""From Events to Layers: names, the batch axis taken off, gradients, and a reason wherever something is missing."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from visualizer import advance, reasons
from visualizer.record import axes, recurrent
from visualizer.record.calls import RECURRENT, Event, Recording, readable, swapped, tensors_in
from visualizer.record.weights import seen_by_numpy
from visualizer.trace import Array, Layer

Shares = dict[int, dict[str, Array | None]]
"""id of an Event -> for each of its weights the gradient through that Event; None if it could not be told apart."""


def build(recording: Recording, flowed: bool, dtype: str) -> tuple[tuple[Layer, ...], dict[int, str]]:
    """All Events as Layers, in the order of execution, without constants that nobody read; and by id of an Event the
    name of the Layer that holds what it made. A Layer says in which precision it was computed where that is not
    `dtype`."""
    events = recording.needed()
    axes.name(events)
    for event in events:
        if event.axes is None:
            event.axes = axes.of_input(event, None)  # nothing read it
    names = _names(events)
    events, recurring = recurrent.layers(recording, events, names, partial(_no_gradient, flowed=flowed))
    shares = _weight_gradients(recording, events, {event.number for event in events if id(event) in recurring})
    inside = {id(event): tuple(key for key, (tensor, _) in event.weights.items() if id(tensor) in recording.inside)
              for event in events if recording.inside}
    found = []
    for event in events:
        advance.at(names.get(id(event), ""))
        here = recurring[id(event)] if id(event) in recurring else (
            _layer(event, names, shares.get(id(event), {}), flowed),)
        said: dict[str, Any] = {"dtype": event.dtype} if event.dtype not in ("", dtype) else {}
        for layer in here:
            if inside.get(id(event)):
                said["settings"] = {**layer.settings, "differentiated_inside": inside[id(event)]}
            found.append(replace(layer, **said) if said else layer)
    return tuple(found), names


def name_classes(event: Event) -> None:
    """The answer is one number a class; so is what a closing softmax has read."""
    for found in (event, *event.reads) if event.kind_name in ("softmax", "log_softmax") else (event,):
        if [axis for axis in found.axes if axis != "batch"] and found.output.shape == event.output.shape:
            found.axes = tuple(axis if axis == "batch" else "class" for axis in found.axes)


def _layer(event: Event, names: dict[int, str], found: dict[str, Array | None], flowed: bool) -> Layer:
    """`found` are the gradients of its weights."""
    axes, output = event.axes, event.output
    gradient = None if event.gradient is None else _array_of(event.gradient)
    while "batch" in axes:
        batch = axes.index("batch")
        axes, output = axes[:batch] + axes[batch + 1:], output.squeeze(batch)
        gradient = None if gradient is None else gradient.squeeze(batch)
    return Layer(
        name=names[id(event)],
        kind=event.kind_name,
        axes=axes,
        settings=event.settings,
        reads=tuple([names[id(read)] for read in event.reads]),
        output=output,
        gradient=gradient,
        weights={key: array for key, (_, array) in event.weights.items()} if event.weights else {},
        weight_gradients={key: share for key, share in found.items() if share is not None} if found else {},
        why=_why(event, found, flowed),
    )


def _why(event: Event, found: dict[str, Array | None], flowed: bool) -> str:
    """Everything that is missing, one sentence each."""
    if event.kind is not None and event.gradient is not None and not event.weights:
        return event.why
    found_why = [event.why]
    if event.kind_name == "unexplained" and not event.why:
        found_why.append(reasons.UNKNOWN.format(name=event.settings.get("call", event.call)))
    if event.gradient is None and not (event.why and event.name == "softmax"):
        found_why.append(_no_gradient(event, flowed))
    if event.weights and flowed and not found:
        learnable = [tensor for tensor, _ in event.weights.values() if isinstance(tensor, torch.nn.Parameter)]
        if learnable and not any(tensor.requires_grad for tensor in learnable):
            found_why.append(reasons.FROZEN)
    if found and any(share is None for share in found.values()):
        found_why.append(reasons.SHARES)
    return " ".join([reason for reason in found_why if reason])


def _no_gradient(event: Event, flowed: bool) -> str:
    """Why nothing flowed back to it."""
    if not flowed:
        return reasons.NOTHING_WANTED
    if event.output.dtype.kind not in "fc":
        return reasons.WHOLE_NUMBERS
    if event.kind_name == "constant":
        return reasons.CONSTANT
    return reasons.NOT_REACHED if event.edge else reasons.NOT_FOLLOWED


# --- names ----------------------------------------------------------------------------------------------------------

def _names(events: list[Event]) -> dict[int, str]:
    """Module path for the one call of a module without parts, else path and call; then `#2`, `#3`, … for repeats."""
    whole = _calls_that_are_a_module(events)
    uses: dict[str, int] = {}
    of_call: dict[int, str] = {}
    names = {}
    for event in events:
        name = of_call.get(event.number)
        if name is None:
            path = event.place.path if event.place else ""
            call = readable(event.call)
            name = event.name or (path if event.number in whole else f"{path}.{call}" if path else call)
            use = uses[name] = uses.get(name, 0) + 1
            name = of_call[event.number] = name if use == 1 else f"{name}#{use}"
        names[id(event)] = f"{name}[{event.index}]" if event.index else name
    return names


def _calls_that_are_a_module(events: list[Event]) -> set[int]:
    """Numbers of the calls that are all a module without parts does: its only explained one, or its only one."""
    explained: dict[int, set[int]] = {}
    recurrent_ones: dict[int, set[int]] = {}
    every: dict[int, set[int]] = {}
    for event in events:
        if event.place and event.place.leaf and event.place.path and event.kind_name != "constant":
            every.setdefault(event.place.scope, set()).add(event.number)
            if event.kind is not None:
                explained.setdefault(event.place.scope, set()).add(event.number)
            if event.call in RECURRENT:
                recurrent_ones.setdefault(event.place.scope, set()).add(event.number)
    candidates = (recurrent_ones.get(scope) or explained.get(scope) or numbers for scope, numbers in every.items())
    return {number for numbers in candidates if len(numbers) == 1 for number in numbers}


# --- gradients of weights -------------------------------------------------------------------------------------------

def _weight_gradients(recording: Recording, events: list[Event], known: set[int]) -> Shares:
    """dObjective/d each weight, as far as it came through that Event.

    A weight that is used once has torch's own gradient. One that is used again (a module called twice, tied weights)
    is differentiated once more, call by call, from the recorded numbers; the shares add up to torch's gradient, or
    none is given. Weights that only the calls `known` use have theirs already.
    """
    uses: dict[int, list[tuple[Event, str]]] = {}
    for event in events:
        for key, (tensor, _) in event.weights.items():
            uses.setdefault(id(tensor), []).append((event, key))
    found: Shares = {}
    for tensor_id, places in uses.items():
        total = recording.weight_gradients.get(tensor_id)
        if total is None:
            total = _gradient_of_computed(tensor_id, places)
        if total is None or (known and all(event.number in known for event, _ in places)):
            continue
        if len(places) == 1:
            event, key = places[0]
            found.setdefault(id(event), {})[key] = _array_of(total)
            continue
        shares = [_share(event, key, events) for event, key in places]
        complete = all(share is not None for share in shares) and _adds_up([s for s in shares if s is not None], total)
        for (event, key), share in zip(places, shares, strict=True):
            found.setdefault(id(event), {})[key] = _array_of(share) if complete and share is not None else None
    return found


def _gradient_of_computed(tensor_id: int, places: list[tuple[Event, str]]) -> Tensor | None:
    """The whole gradient of a weight that is itself computed, where nothing else reads it."""
    for event, key in places:
        if key in event.settings.get("computed", ()):
            made = next(read for read in event.reads if id(read.tensor) == tensor_id)
            return made.gradient if made.readers == len(places) else None
    return None


def _share(event: Event, key: str, events: list[Event]) -> Tensor | None:
    """The gradient of one weight through one call: that call again, from the numbers that it read."""
    weight, _ = event.weights[key]
    if event.kind_name == "parameter":
        return event.gradient
    if event.again is None:
        return None
    outputs = [other for other in events if other.number == event.number and other.gradient is not None]
    if not outputs:
        return torch.zeros_like(weight)
    func, args, kwargs = event.again
    alone = weight.detach().requires_grad_()
    swaps = {id(read.tensor): read.as_tensor() for read in event.reads} | {id(weight): alone}
    with torch.enable_grad():
        made = tensors_in(func(*swapped(args, swaps), **swapped(kwargs, swaps)))
        ends = [made[output.index] for output in outputs]
        given = [_from_outside(number, ends, outputs) for number in range(len(ends))]
        found: tuple[Tensor | None, ...] = torch.autograd.grad(ends, alone, given, allow_unused=True)
    return found[0]


def _from_outside(number: int, ends: list[Tensor], outputs: list[Event]) -> Tensor:
    """The gradient of one output of a call without what came back to it through the others, inside the call.

    The hidden state of an LSTM cell is made from its cell state, and both are handed out.
    """
    gradient = outputs[number].gradient
    assert gradient is not None
    for other, end in enumerate(ends):
        if other != number and end.grad_fn is not None:
            (inside,) = torch.autograd.grad(end, ends[number], outputs[other].gradient, retain_graph=True,
                                            allow_unused=True)
            gradient = gradient if inside is None else gradient - inside
    return gradient


def _adds_up(shares: list[Tensor], total: Tensor) -> bool:
    """Whether the shares, added in the order in which torch comes back to them, make the whole."""
    made = shares[-1].clone()
    for share in reversed(shares[:-1]):
        made += share
    scale = max(float(total.abs().max()), 1e-30) if total.numel() else 1.0
    return bool(((made - total).abs() <= 1e-5 * scale).all())


def _array_of(tensor: Tensor) -> Array:
    """A gradient as numpy, read-only; nobody writes to it any more, so it needs no copy."""
    array = np.asarray(seen_by_numpy(tensor), order="C")
    array.setflags(write=False)
    return array
