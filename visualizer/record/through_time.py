"""One sequence through one recurrent cell: its gates and states, then the gradient back through time, in closed form.

The equations stand in `kinds/gates.py`. The states that every step read are known, so all gates are computed at once;
only the cell state of an LSTM and the gradient go from step to step. Sums and curves of all steps at once are torch's,
by the functions that the module itself uses; what goes from step to step is numpy's, whose calls on short vectors cost
a third of torch's.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from visualizer.kinds import Curve, gates
from visualizer.trace import Array

Tensors = dict[str, Tensor]


@dataclass(frozen=True, eq=False)
class Sequence:
    """What one direction reads and makes over one sequence, in the order in which it goes through it."""

    name: str
    """`lstm`, `gru`, `rnn_tanh` or `rnn_relu`."""
    weights: Tensors
    read: Tensor
    """(step, feature)."""
    hidden: Tensor
    """(step, unit): h_t as torch made it."""
    initial: tuple[Tensor, ...]
    """(unit,) each: hidden state, and cell state of an LSTM, before the first step."""
    came: Came | None = None
    """None if nothing flowed back."""

    @property
    def family(self) -> gates.Family:
        """Its equations."""
        name, _, nonlinearity = self.name.partition("_")
        return gates.family(name, nonlinearity or "tanh")

    @property
    def before(self) -> Tensor:
        """(step, unit): h_{t−1}."""
        return _shifted(self.initial[0], self.hidden)


@dataclass(frozen=True, eq=False)
class Came:
    """What flowed back to the states, as far as torch tells it: mostly the part from outside the sequence.

    Where a model steps a cell by itself, autograd finds dL/dh_t and dL/dc_t themselves; steps for which it did are
    marked, and the part from outside is what the next step does not account for.
    """

    hidden: Tensor
    """(step, unit): to h_t."""
    cell: Tensor | None = None
    """(step, unit): to c_t; None where nothing did."""
    whole_hidden: tuple[bool, ...] = ()
    whole_cell: tuple[bool, ...] = ()
    """For each step whether that is all of it; nowhere if empty."""


@dataclass(frozen=True, eq=False)
class Flow:
    """What flowed back through one sequence."""

    inner: Tensors
    """(step, unit) each: dL/d the gates and states; `initial_hidden` and `initial_cell` are (1, unit)."""
    at_read: Tensor
    """(step, rows of weight_ih): dL/d each sum, where what was read is added to it."""
    at_hidden: Tensor
    """(step, rows of weight_hh): the same where the hidden state is added; in a GRU r stands between the two."""


def states(one: Sequence) -> tuple[Tensors, Tensor]:
    """Gates and states, (step, unit) each, and h_t made from them: the same as torch's, if this is what torch did."""
    known = one.family
    again = _sum(one, "hh", one.before) if known.name == "lstm" else _sum_one_by_one(one, one.before)
    inner: Tensors = gates.gates(known, _sum(one, "ih", one.read), again, _by_torch)
    if known.kept[1] == "cell":
        arrays = {key: tensor.numpy() for key, tensor in inner.items()}
        inner["cell"] = torch.from_numpy(gates.memories(known, arrays, one.initial[1].numpy()))
    beside = {"hidden_before": one.before} | ({"opened": inner["cell"].tanh()} if "cell" in inner else {})
    made: Tensor = gates.made(known, "hidden", inner | beside, _by_torch)
    if "weight_hr" in one.weights:
        inner["unprojected"] = made
        made = made @ one.weights["weight_hr"].T
    return {**inner, "hidden": one.hidden}, made


def flow(one: Sequence, inner: Tensors) -> Flow:
    """dL/d everything in `inner`."""
    projection = one.weights["weight_hr"].numpy() if "weight_hr" in one.weights else None
    arrays = gates.flow(one.family, _numbers(one, inner), one.weights["weight_hh"].numpy(), _came(one), projection)
    found = {key: torch.from_numpy(array) for key, array in arrays.items()}
    at_read = torch.cat([found[key] for key in one.family.at_read], 1)
    at_hidden = at_read if one.family.at_read == one.family.at_hidden else \
        torch.cat([found[key] for key in one.family.at_hidden], 1)
    return Flow(found, at_read, at_hidden)


def weight_gradients(one: Sequence, inner: Tensors, back: Flow) -> Tensors:
    """dL/d each weight: at every step the gradient of the sum that it is in, times what it met there."""
    found = {"weight_ih": back.at_read.T @ one.read, "weight_hh": back.at_hidden.T @ one.before}
    if "bias_ih" in one.weights:
        found["bias_ih"] = back.at_read.sum(0)
    if "bias_hh" in one.weights:
        found["bias_hh"] = back.at_hidden.sum(0)
    if "weight_hr" in one.weights:
        found["weight_hr"] = back.inner["hidden"].T @ inner["unprojected"]
    return found


# --- forwards, and back ---------------------------------------------------------------------------------------------

def _by_torch(curve: Curve, sums: Tensor) -> Tensor:
    """With the functions that the module itself uses."""
    squashed: Tensor = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu}[curve.name](sums)
    return squashed


def _numbers(one: Sequence, inner: Tensors) -> dict[str, Array]:
    """Everything that the equations name, for all steps, as numpy's arrays of the same memory."""
    found = {key: tensor.numpy() for key, tensor in inner.items()} | {"hidden_before": one.before.numpy()}
    if "cell" in inner:
        cell = inner["cell"]
        found |= {"cell_before": _shifted(one.initial[1], cell).numpy(), "opened": cell.tanh().numpy()}
    return found


def _came(one: Sequence) -> gates.Came:
    """Copies of what came: the equations write to them."""
    assert one.came is not None
    cell = None if one.came.cell is None else one.came.cell.clone().numpy()
    return gates.Came(one.came.hidden.clone().numpy(), cell, one.came.whole_hidden, one.came.whole_cell)


# --- what they share ------------------------------------------------------------------------------------------------

def _shifted(initial: Tensor, states: Tensor) -> Tensor:
    """The state before every step."""
    return torch.cat([initial[None], states[:-1]])


def _sum(one: Sequence, which: str, met: Tensor) -> Tensor:
    """(step, rows of the weight): W·met + b."""
    return functional.linear(met, one.weights[f"weight_{which}"], one.weights.get(f"bias_{which}"))


def _sum_one_by_one(one: Sequence, before: Tensor) -> Tensor:
    """(step, rows of weight_hh): U·h₋ + b, each step by itself as torch does it in an RNN or GRU: the same bits."""
    weight, bias = one.weights["weight_hh"], one.weights.get("bias_hh")
    return torch.cat([functional.linear(state, weight, bias) for state in before.split(1)])


def rounding(one: Sequence) -> float:
    """How far an output may be off because of the rounding of sums alone: the sizes of all that is added up for the
    largest gate, times the distance between neighbouring numbers at 1."""
    sizes = sum(part.abs() @ one.weights[f"weight_{which}"].abs().T + one.weights.get(f"bias_{which}", zero).abs()
                for which, part, zero in (("ih", one.read, torch.zeros(())), ("hh", one.before, torch.zeros(()))))
    return float(sizes.max()) * torch.finfo(one.hidden.dtype).eps


def gradient_rounding(one: Sequence, inner: Tensors, found: Tensors) -> float:
    """How far a gradient of a weight may be off because of the last digits of gates and states alone, relative to the
    largest in it: what it becomes when each is moved by one, all in one direction, so that nothing evens out. Where a
    gate is nearly 1 its slope g (1 − g) hangs on them."""
    eps = torch.finfo(one.hidden.dtype).eps
    shaken = {key: tensor * (1 + eps) for key, tensor in inner.items()}
    moved = weight_gradients(one, shaken, flow(one, shaken))
    sizes = [float((moved[name] - tensor).abs().max() / tensor.abs().max().clamp_min(1e-300))
             for name, tensor in found.items()]
    return max(sizes, default=0.0)


def _tensors(**arrays: Array) -> Tensors:
    return {name: torch.from_numpy(array) for name, array in arrays.items()}
