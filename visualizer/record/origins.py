"""A recorded recurrent layer as a sequence again, so that single parts of its gradient can flow back alone.

Going back through time is linear in what enters: the gradient of a step is the sum of what entered at each later step
and came back from there. Each part is computed by the same equations as the whole.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from visualizer.kinds import _steps
from visualizer.record.through_time import Came, Flow, Sequence, Tensors, flow, states, weight_gradients
from visualizer.trace import Array, Layer, Trace


@dataclass(frozen=True, eq=False)
class Again:
    """One recurrent layer of a recording, in the order in which it read."""

    sequence: Sequence
    inner: Tensors
    entered: tuple[int, ...]
    """Steps, in the order of reading, where gradient came in from outside: from a loss, or from a layer above."""

    @property
    def steps(self) -> int:
        return len(self.sequence.hidden)


def recurrent(trace: Trace) -> tuple[Layer, ...]:
    """The layers with steps through which gradient came."""
    return tuple(layer for layer in trace if layer.axes == ("step",
                                                            "unit") and "hidden_direct" in layer.inner_gradients)


def again(trace: Trace, layer: Layer) -> Again:
    """The layer as a sequence, with what came to it from outside. LookupError if what it reads is not one sequence."""
    inputs, count = trace.inputs(layer), _steps.steps(layer)
    reads = [np.concatenate([source.output.reshape(-1)[np.ravel_multi_index(tuple(cells.T), source.shape)]
                             for source, cells in _steps.read_at(layer, inputs, step)]) for step in range(count)]
    before = [_steps.state_taps(layer, inputs, state, _steps.first(layer), np.arange(width)).values
              for state, width in (("hidden", layer.inner["hidden"].shape[1]), ("cell", _steps.units(layer)))
              if state in layer.inner]
    came = layer.inner_gradients
    cell = came.get("cell_direct")
    family = _steps.family(layer).name
    sequence = Sequence(
        name=f"rnn_{layer.settings.get('nonlinearity', 'tanh')}" if family == "rnn" else family,
        weights={name: _tensor(array) for name, array in layer.weights.items()},
        read=_in_order(layer, np.stack(reads)),
        hidden=_in_order(layer, layer.inner["hidden"]),
        initial=tuple(_tensor(values) for values in before),
        came=Came(_in_order(layer, came["hidden_direct"]), None if cell is None else _in_order(layer, cell)),
    )
    assert sequence.came is not None
    outside = sequence.came.hidden.abs().sum(1) + (0 if cell is None else _in_order(layer, cell).abs().sum(1))
    return Again(sequence, states(sequence)[0], tuple(int(step) for step in np.flatnonzero(outside.numpy())))


def whole(one: Again) -> Flow:
    """Everything that flows back."""
    return flow(one.sequence, one.inner)


def entering_at(one: Again, origin: int) -> Flow:
    """What flows back of that which entered at one step alone; (step, unit) up to that step, in the order of
    reading."""
    came = one.sequence.came
    assert came is not None
    end = origin + 1

    def alone(tensor: Tensor | None) -> Tensor | None:
        if tensor is None:
            return None
        kept = torch.zeros_like(tensor[:end])
        kept[origin] = tensor[origin]
        return kept

    hidden = alone(came.hidden)
    assert hidden is not None
    part = replace(one.sequence, read=one.sequence.read[:end], hidden=one.sequence.hidden[:end],
                   came=Came(hidden, alone(came.cell)))
    return flow(part, {name: tensor[:end] for name, tensor in one.inner.items()})


def gradients(one: Again, back: Flow) -> Tensors:
    """dL/d each weight, as these steps imply it."""
    return weight_gradients(one.sequence, one.inner, back)


def in_order(layer: Layer, array: Array) -> Array:
    """Rows in the order in which the layer reads; and back, for it is its own opposite."""
    return array[::-1] if _steps.reverse(layer) else array


def _in_order(layer: Layer, array: Array) -> Tensor:
    return _tensor(in_order(layer, array))


def _tensor(array: Array) -> Tensor:
    return torch.from_numpy(np.array(array, np.float64, order="C"))
