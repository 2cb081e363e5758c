"""An input that is made for one unit: its numbers changed, update by update, so that the unit becomes larger; and the
same of random weights."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
import torch
from torch import Tensor, nn

from visualizer.kinds import units
from visualizer.kinds.units import ASCENT, BACK, RATE, UPDATES
from visualizer.language import tr
from visualizer.record.arguments import Arguments, arguments
from visualizer.record.studies import Pass, Study, Work
from visualizer.record.studies.explain import randomised
from visualizer.record.tracing import followed, recordable
from visualizer.trace import Array, Layer, Refused, Trace

SEED = 0
SPREAD = 0.1
"""Of the noise that it begins with, as a share of the range of what this network reads."""


def run(again: Pass) -> Work:
    """`made` (update, …) the numbers that are read, before the first update and after each; `values` (update,) the
    unit then: its mean over a map, its last of several steps. `control` (…) and `control_values` (update,): the same
    with random weights, at the end. `range` (2,): the least and the largest number, which it stays between."""
    layer, unit = asked(again.trace, again.words)
    read = again.trace.layers[0].output
    low, high = float(read.min()), float(read.max())
    begin = first(read.shape, low, high)
    made, values = yield from climb(again, again.model, layer, unit, begin, (low, high), 0.0)
    control, control_values = yield from climb(again, randomised(again.model), layer, unit, begin, (low, high), 0.5)
    return {"made": made.astype(np.float32), "values": values, "control": control[-1].astype(np.float32),
            "control_values": control_values, "range": np.array([low, high])}


def asked(trace: Trace, words: str) -> tuple[Layer, int]:
    """The unit that `conv2:7` names, or the one that is looked at where nothing does; raises Refused."""
    name, _, unit = words.rpartition(":")
    found = units.chosen(trace)
    if name:
        layer = next((each for each in units.layers(trace) if each.name == name), None)
        found = (layer, int(unit)) if layer is not None and unit.isdecimal() and int(unit) < \
            layer.shape[units.axis(layer) or 0] else None
    if found is None:
        raise Refused(tr("There is no unit {words}; write for example {layer}:0.").format(
            words=repr(words), layer=units.layers(trace)[0].name))
    return found


def first(shape: tuple[int, ...], low: float, high: float) -> Tensor:
    """What it begins with: noise around the middle between the least and the largest number; seeded."""
    drawn = torch.Generator().manual_seed(SEED)
    noise = torch.randn((1, *shape), generator=drawn, dtype=torch.float64)
    return ((low + high) / 2 + SPREAD * (high - low) * noise).clamp(low, high)


def climb(again: Pass, model: nn.Module, layer: Layer, unit: int, begin: Tensor, ends: tuple[float, float],
          done: float) -> Generator[tuple[float, str], None, tuple[Array, Array]]:
    """(update + 1, …) the numbers and (update + 1,) the unit. An update adds the slopes, scaled so that they have a
    mean square of one, times RATE and the range; goes back by the share BACK to where it began; and stays in the
    range."""
    given = arguments(recordable(model), again.inputs, again.keywords)
    low, high = ends
    x, made, values = begin.clone(), [begin[0].numpy().copy()], []
    for number in range(UPDATES + 1):
        yield done + 0.5 * number / UPDATES, tr("updates")
        value, slopes = _value(model, given, x, layer, unit, again.trace.layers[0].name)
        values.append(value)
        if number == UPDATES:
            break
        size = slopes.square().mean().sqrt()
        x = x + RATE * (high - low) * (slopes / size if size > 0 else slopes)
        x = (x + BACK * (begin - x)).clamp(low, high)
        made.append(x[0].numpy().copy())
    return np.stack(made), np.array(values)


def _value(model: nn.Module, given: Arguments, x: Tensor, layer: Layer, unit: int, read: str) -> tuple[float, Tensor]:
    """The unit, and its slope by each number that is read."""
    fed = given.turned(lambda name, tensor: x.to(tensor.dtype) if tensor.is_floating_point() else tensor)
    graph = followed(model, fed.positions, fed.keywords)
    of, into = graph[layer.name], graph[read]
    weight = torch.zeros(layer.shape, dtype=torch.float64)
    along = units.axis(layer)
    assert along is not None
    mine = weight.movedim(along, 0)[unit]
    if units.stepwise(layer):
        mine[-1] = 1.0
    else:
        mine.fill_(1.0 / mine.numel())
    seed = weight.reshape(of.shape)
    (slopes,) = torch.autograd.grad([of.edge], [into.edge], [seed])
    value = float((np.asarray(of.values, np.float64).reshape(of.shape) * seed.numpy()).sum())
    return value, slopes.reshape(x.shape)


def suits(trace: Trace) -> bool:
    """Whether it reads one input of numbers, not of symbols, and has units."""
    return "lab" not in trace.studies and len(trace.fed) == 1 and bool(units.layers(trace)) and \
        np.issubdtype(trace.layers[0].output.dtype, np.floating)


STUDY = Study(ASCENT, "an input made for a unit", suits, run)
