"""Which places of the input each number of a network depends on: the size of its gradient there, in float64; and how
much each state of a recurrent layer depends on every step that was read."""

from __future__ import annotations

import numpy as np
import torch

from visualizer import kinds
from visualizer.kinds import Box, jacobian, reach
from visualizer.record import origins
from visualizer.record.studies import Pass, Study, Work
from visualizer.record.studies.flow import in_float64
from visualizer.record.tracing import Followed, followed
from visualizer.trace import Array, Layer, Trace

MOST_PASSES, MOST_NUMBERS = 250, 400_000
"""Of a layer all numbers are looked at, if they need no more passes back, and no more is kept of them; else those of
the channel with the largest one, or that one alone."""
MOST_WORK = 2e10
"""Multiply-adds: longer or wider recurrent layers are left out."""
AT_ONCE = 32


def run(again: Pass) -> Work:
    """For each layer between the input and a recurrent layer, by its name: `NAME/units` (unit,) which numbers of it
    were differentiated, counted along its flattened output; `NAME/corners` (unit, axis) where in what is read the field
    of each begins, and `NAME/heat` (unit, row, column) or (unit, step) ‖∂ number / ∂ that place‖, over all channels.
    For each recurrent layer `NAME/memory` (step, step) ‖∂h / ∂ what an earlier step read‖."""
    yield 0.0, "again in float64"
    found = dict((yield from _fields(again)))
    trace = in_float64(again)
    for layer in origins.recurrent(trace):
        if not memorable(layer):
            continue
        rows = np.zeros((len(layer.output),) * 2)
        for count, (step, row) in enumerate(jacobian.recalled(layer, trace.inputs(layer))):
            yield 0.5 + 0.5 * count / len(rows), layer.name
            rows[step] = row
        found[f"{layer.name}/memory"] = rows
    return found


def memorable(layer: Layer) -> bool:
    """Whether what its states recall is a closed form, and no more work than one waits for."""
    if "between" in layer.settings or "weight_ih" not in layer.weights:
        return False
    steps, wide = layer.inner["hidden"].shape
    return bool(steps) and steps * steps / 2 * (2 * wide) ** 2 * layer.weights["weight_ih"].shape[1] <= MOST_WORK


def _fields(again: Pass) -> Work:
    trace = again.trace
    found: dict[str, Array] = {}
    read = reach.source(trace)
    wanted = [layer for layer in trace if _differentiable(trace, layer)]
    if read is None or not wanted:
        return found
    graph = followed(again.model, again.inputs, again.keywords, trace.seed, again.budget)
    for number, layer in enumerate(wanted):
        yield 0.5 * number / len(wanted), layer.name
        looked_at = _looked_at(trace, layer, read)
        if looked_at is None or layer.name not in graph or read.name not in graph:
            continue
        units, corners, window = looked_at
        heat = np.zeros((len(units), *window))
        passes = _together(layer, units, corners, window)
        for count, those in enumerate(passes):
            if count % AT_ONCE == 0:
                yield 0.5 * (number + count / len(passes)) / len(wanted), layer.name
            sizes = _sizes(graph, layer, read, units[those])
            for unit in those:
                heat[unit] = sizes[tuple(slice(low, low + size)
                                         for low, size in zip(corners[unit], window, strict=True))]
        found |= {f"{layer.name}/units": units, f"{layer.name}/corners": corners, f"{layer.name}/heat": heat}
    return found


def _differentiable(trace: Trace, layer: Layer) -> bool:
    """Whether it has numbers of its own that depend on the input otherwise than through a state."""
    return bool(layer.output.size and layer.output.ndim) and not layer.is_input and kinds.role(layer) != "loss" and \
        layer.name in reach.direct(trace)


def _looked_at(trace: Trace, layer: Layer, read: Layer) -> tuple[Array, Array, tuple[int, ...]] | None:
    """Which numbers of a layer are differentiated, where the field of each begins, and how large the fields are."""
    shape, sizes = layer.shape, tuple(read.shape[axis] for axis in reach.places(read))
    known = np.where(np.isfinite(layer.output), layer.output, -np.inf)
    strongest = int(np.argmax(known))
    first = int(np.unravel_index(strongest, shape)[0])
    of_its_channel = np.arange(layer.output.size).reshape(shape)[first].ravel()
    for units in (np.arange(layer.output.size), of_its_channel, np.array([strongest])):
        boxes = _boxes(trace, layer, units, read) if len(units) <= 20 * MOST_PASSES else []
        there = [box for box in boxes if box is not None]
        if not there or len(there) < len(boxes):
            continue
        window = tuple(max(high - low + 1 for low, high in spans) for spans in zip(*there, strict=True))
        corners = np.array([[min(low, size - wide) for (low, _), size, wide in zip(box, sizes, window, strict=True)]
                            for box in there])
        alone = len(units) == 1
        if alone or (len(units) * int(np.prod(window)) <= MOST_NUMBERS
                     and len(_together(layer, units, corners, window)) <= MOST_PASSES):
            return units, corners, window
    return None


def _boxes(trace: Trace, layer: Layer, units: Array, read: Layer) -> list[Box | None]:
    """The field of each, without padding; all channels see the same places."""
    each = int(np.prod(layer.shape[1:])) if layer.axes[0] == "channel" else layer.output.size
    known: dict[int, Box | None] = {}
    for place in np.unique(units % each).tolist():
        box = reach.field(trace, layer.name, tuple(int(at) for at in np.unravel_index(place, layer.shape)), read.name)
        known[place] = None if box is None else reach.inside(box, read)
    return [known[place] for place in (units % each).tolist()]


def _together(layer: Layer, units: Array, corners: Array, window: tuple[int, ...]) -> list[list[int]]:
    """Numbers of one channel whose fields have no place in common go back in one pass: those that begin whole windows
    apart. What stands at an edge may begin where its neighbour does, and goes alone."""
    found: dict[tuple[int, ...], list[int]] = {}
    begun: dict[tuple[int, ...], int] = {}
    each = int(np.prod(layer.shape[1:]))
    for place, (unit, corner) in enumerate(zip(units.tolist(), corners.tolist(), strict=True)):
        channel = unit // each
        turn = begun[channel, *corner] = begun.get((channel, *corner), -1) + 1
        begins = [at % wide for at, wide in zip(corner, window, strict=True)]
        found.setdefault((channel, turn, *begins), []).append(place)
    return list(found.values())


def _sizes(graph: dict[str, Followed], layer: Layer, read: Layer, units: Array) -> Array:
    """(row, column) or (step,): the norm of the gradient of some numbers at each place of what is read."""
    of, into = graph[layer.name], graph[read.name]
    seed = torch.zeros(layer.output.size, dtype=torch.float64)
    seed[torch.from_numpy(units)] = 1.0
    (found,) = torch.autograd.grad([of.edge], [into.edge], [seed.reshape(of.shape)], retain_graph=True,
                                   allow_unused=True)
    array = np.zeros(read.shape) if found is None else found.reshape(read.shape).numpy()
    others = tuple(axis for axis in range(read.output.ndim) if axis not in reach.places(read))
    sizes: Array = np.sqrt(np.square(array).sum(others))
    return sizes


def suits(trace: Trace) -> bool:
    """Whether it reads in places, or in steps."""
    return any(_differentiable(trace, layer) for layer in trace) or any(map(memorable, origins.recurrent(trace)))


STUDY = Study(reach.STUDY, "what each number depends on", suits, run)
