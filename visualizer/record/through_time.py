"""One sequence through one recurrent cell: its gates and states, then the gradient back through time, in closed form.

The states that every step read are known, so all gates are computed at once; only the cell state of an LSTM and the
gradient go from step to step. What is done to all steps at once is done by torch, with the functions that the module
itself uses; what goes from step to step by numpy, whose calls on short vectors cost a third of torch's.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from visualizer.trace import Array

Tensors = dict[str, Tensor]
LSTM_GATES = ("input", "forget", "candidate", "output_gate")
"""In the order of torch's rows."""


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
    return STATES[one.name](one)


def flow(one: Sequence, inner: Tensors) -> Flow:
    """dL/d everything in `inner`."""
    return FLOWS[one.name](one, inner)


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


# --- LSTM -----------------------------------------------------------------------------------------------------------

def _lstm_states(one: Sequence) -> tuple[Tensors, Tensor]:
    """i, f, o = σ(W x + b + U h₋ + b), g = tanh(·); c = f·c₋ + i·g; h = o·tanh c, or W_hr of that."""
    i, f, g, o = (_sum(one, "ih", one.read) + _sum(one, "hh", one.before)).chunk(4, dim=1)
    i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
    cell = i * g
    before = one.initial[1].numpy()
    for kept, state in zip(f.numpy(), cell.numpy(), strict=True):
        state += kept * before
        before = state
    inner, made = {"input": i, "forget": f, "candidate": g, "output_gate": o, "cell": cell}, o * cell.tanh()
    if "weight_hr" in one.weights:
        inner["unprojected"] = made
        made = made @ one.weights["weight_hr"].T
    return {**inner, "hidden": one.hidden}, made


def _lstm_flow(one: Sequence, inner: Tensors) -> Flow:
    i, f, g, o = (inner[name] for name in LSTM_GATES)
    cell_before, open_cell = _shifted(one.initial[1], inner["cell"]), inner["cell"].tanh()
    to_cell = o * (1 - open_cell * open_cell)
    slopes = torch.stack([g * i * (1 - i), cell_before * f * (1 - f), i * (1 - g * g), open_cell * o * (1 - o)], 1)
    found = _lstm_through_time(one, to_cell, slopes, f)
    cell = found["cell"]
    made = found["hidden"]
    if "weight_hr" in one.weights:
        made = found["unprojected"] = made @ one.weights["weight_hr"]
    sums = slopes * torch.stack([cell, cell, cell, made], 1)
    found |= {"input": cell * g, "forget": cell * cell_before, "candidate": cell * i, "output_gate": made * open_cell}
    found |= {f"{name}_preactivation": sums[:, k].contiguous() for k, name in enumerate(LSTM_GATES)}
    flat = sums.reshape(len(sums), -1)
    return Flow(found, flat, flat)


def _lstm_through_time(one: Sequence, to_cell: Tensor, slopes: Tensor, forget: Tensor) -> Tensors:
    """dL/dh_t and dL/dc_t, last step first.

    `to_cell` (step, unit) leads from o·tanh c to c, `slopes` (step, gate, unit) to every sum.
    """
    came, came_cell, *whole = _came(one, to_cell)
    recurrent = one.weights["weight_hh"].numpy()
    projection = one.weights["weight_hr"].numpy() if "weight_hr" in one.weights else None
    hidden, cell, sums = np.empty_like(came), np.empty_like(came_cell), np.empty_like(slopes[0].numpy())
    from_hidden, from_cell = np.zeros_like(came[0]), np.zeros_like(came_cell[0])
    steps = zip(came, came_cell, *whole, hidden, cell, to_cell.numpy(), slopes.numpy(), forget.numpy(), strict=True)
    for outside, outside_cell, whole_hidden, whole_cell, state, memory, opened, slope, kept in reversed(list(steps)):
        if whole_hidden:
            outside -= from_hidden
        np.add(outside, from_hidden, state)
        made = state if projection is None else state @ projection
        np.multiply(made, opened, memory)
        memory += from_cell
        if whole_cell:
            outside_cell -= memory
        memory += outside_cell
        np.multiply(slope[:3], memory, sums[:3])
        np.multiply(slope[3], made, sums[3])
        from_hidden = sums.reshape(-1) @ recurrent
        from_cell = memory * kept
    found = _tensors(hidden=hidden, cell=cell, hidden_direct=came, initial_hidden=from_hidden[None],
                     initial_cell=from_cell[None])
    return found if one.came is None or one.came.cell is None else found | _tensors(cell_direct=came_cell)


# --- GRU ------------------------------------------------------------------------------------------------------------

def _gru_states(one: Sequence) -> tuple[Tensors, Tensor]:
    """r, z = σ(·); n = tanh(W x + b + r·(U h₋ + b)); h = (h₋ − n)·z + n: r after the product, and z keeps."""
    before = one.before
    read, again = _sum(one, "ih", one.read).chunk(3, dim=1), _sum_one_by_one(one, before).chunk(3, dim=1)
    r, z = (read[0] + again[0]).sigmoid(), (read[1] + again[1]).sigmoid()
    n = (read[2] + r * again[2]).tanh()
    inner = {"reset": r, "update": z, "hidden_new": again[2], "new": n, "hidden": one.hidden}
    return inner, (before - n) * z + n


def _gru_flow(one: Sequence, inner: Tensors) -> Flow:
    r, z, n, product = (inner[name] for name in ("reset", "update", "new", "hidden_new"))
    before, to_new = one.before, (1 - z) * (1 - n * n)
    slopes = torch.stack([to_new * product * r * (1 - r), (before - n) * z * (1 - z), to_new * r], 1)
    found = _through_time(one, slopes, z)
    hidden = found["hidden"]
    sum_of_new = hidden * to_new
    found |= {"reset": sum_of_new * product, "update": hidden * (before - n), "new": hidden * (1 - z),
              "hidden_new": sum_of_new * r, "new_preactivation": sum_of_new}
    for name, gate in (("reset", r), ("update", z)):
        found[f"{name}_preactivation"] = found[name] * gate * (1 - gate)
    shared = [found["reset_preactivation"], found["update_preactivation"]]
    return Flow(found, torch.cat([*shared, sum_of_new], 1), torch.cat([*shared, found["hidden_new"]], 1))


# --- RNN ------------------------------------------------------------------------------------------------------------

def _rnn_states(one: Sequence) -> tuple[Tensors, Tensor]:
    """a = W x + b + U h₋ + b; h = tanh a, or max(0, a)."""
    sums = _sum(one, "ih", one.read) + _sum_one_by_one(one, one.before)
    return {"preactivation": sums, "hidden": one.hidden}, sums.tanh() if one.name == "rnn_tanh" else sums.relu()


def _rnn_flow(one: Sequence, inner: Tensors) -> Flow:
    slopes = 1 - one.hidden * one.hidden if one.name == "rnn_tanh" else (one.hidden > 0).to(one.hidden.dtype)
    found = _through_time(one, slopes[:, None], None)
    sums = found["preactivation"] = found["hidden"] * slopes
    return Flow(found, sums, sums)


# --- what they share ------------------------------------------------------------------------------------------------

def _through_time(one: Sequence, slopes: Tensor, kept: Tensor | None) -> Tensors:
    """dL/dh_t of a GRU or RNN, last step first.

    `slopes` (step, gate, unit) lead from h_t to every sum that h_{t−1} is in, `kept` (step, unit) straight to h_{t−1}.
    """
    came, _, whole, _ = _came(one, one.hidden)
    recurrent = one.weights["weight_hh"].numpy()
    hidden, sums = np.empty_like(came), np.empty_like(slopes[0].numpy())
    from_hidden = np.zeros_like(came[0])
    straight = itertools.repeat(None, len(came)) if kept is None else kept.numpy()
    steps = zip(came, whole, hidden, slopes.numpy(), straight, strict=True)
    for outside, whole_hidden, state, slope, keep in reversed(list(steps)):
        if whole_hidden:
            outside -= from_hidden
        np.add(outside, from_hidden, state)
        np.multiply(slope, state, sums)
        from_hidden = sums.reshape(-1) @ recurrent
        if keep is not None:
            from_hidden += keep * state
    return _tensors(hidden=hidden, hidden_direct=came, initial_hidden=from_hidden[None])


def _came(one: Sequence, like: Tensor) -> tuple[Array, Array, tuple[bool, ...], tuple[bool, ...]]:
    """Copies of what came to h_t and to c_t (zeros, shaped `like`, where nothing did), and the steps marked whole."""
    assert one.came is not None
    nowhere = (False,) * len(one.hidden)
    cell = torch.zeros_like(like) if one.came.cell is None else one.came.cell.clone()
    return (one.came.hidden.clone().numpy(), cell.numpy(), one.came.whole_hidden or nowhere,
            one.came.whole_cell or nowhere)


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


def _tensors(**arrays: Array) -> Tensors:
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


States = Callable[[Sequence], tuple[Tensors, Tensor]]
STATES: dict[str, States] = {"lstm": _lstm_states, "gru": _gru_states, "rnn_tanh": _rnn_states, "rnn_relu": _rnn_states}
FLOWS: dict[str, Callable[[Sequence, Tensors], Flow]] = {
    "lstm": _lstm_flow, "gru": _gru_flow, "rnn_tanh": _rnn_flow, "rnn_relu": _rnn_flow}
