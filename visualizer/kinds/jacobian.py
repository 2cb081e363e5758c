"""How much of what it knew a step passes on to the next: Jacobians of recurrent layers in closed form, in float64.

J_t = ∂(state after step t) / ∂(state before it); the state is h of an RNN or GRU, and h and then c of an LSTM. Their
product says what of a state reaches a later step, and its transpose what of a gradient reaches an earlier one.
"""

from __future__ import annotations

import numpy as np

from visualizer.kinds import Inputs
from visualizer.kinds._steps import GATES, family, nonlinearity, product_of_states, reverse, state_taps, steps, units
from visualizer.kinds._taps import Numbers
from visualizer.trace import Layer


def step_jacobian(layer: Layer, inputs: Inputs, step: int) -> Numbers:
    """J_t: (unit, unit), or (h and c, h and c) for an LSTM.

    RNN: diag(φ′) W_hh. GRU and LSTM: the derivatives of their gates by the product rule. IndexError outside the layer.
    """
    if not 0 <= step < steps(layer):
        raise IndexError(f"{layer.name} has no step {step}; it has 0…{steps(layer) - 1}.")
    return {"rnn": _rnn, "gru": _gru, "lstm": _lstm}[family(layer)](layer, inputs, step)


def jacobian_product(layer: Layer, inputs: Inputs, since: int | None, until: int) -> Numbers:
    """∂(state after step `until`) / ∂(state after step `since`); since None: by the state before the first step.

    In the order of the layer: for one that goes backwards `since` is the later place. ValueError if `until` comes
    first; the identity if they are the same step.
    """
    order = list(reversed(range(steps(layer)))) if reverse(layer) else list(range(steps(layer)))
    start, end = -1 if since is None else order.index(since), order.index(until)
    if end < start:
        raise ValueError(f"step {until} comes before step {since} in {layer.name}")
    product = np.eye(_width(layer))
    for step in order[start + 1:end + 1]:
        product = step_jacobian(layer, inputs, step) @ product
    return product


def kept_straight(layer: Layer) -> Numbers:
    """(step, unit): the factor on the straight way from state to state, beside all detours through gates: the forget
    gate of an LSTM for its cell state, the update gate of a GRU. LookupError for an RNN, which has no such way."""
    gate = {"lstm": "forget", "gru": "update"}.get(family(layer))
    if gate is None:
        raise LookupError(f"{layer.name} is an RNN: its state is made anew at every step.")
    found: Numbers = layer.inner[gate].astype(np.float64)
    return found


def _rnn(layer: Layer, inputs: Inputs, step: int) -> Numbers:
    hidden = _inner(layer, "hidden", step)
    found: Numbers = nonlinearity(layer).slope(hidden)[:, None] * _recurrent(layer)[0]
    return found


def _gru(layer: Layer, inputs: Inputs, step: int) -> Numbers:
    r, z, n = (_inner(layer, key, step) for key in ("reset", "update", "new"))
    product, before = product_of_states(layer, inputs, step), _before(layer, inputs, "hidden", step)
    to_reset, to_update, to_new = _recurrent(layer)
    through_new = (1 - z) * (1 - n * n)
    found: Numbers = np.diag(z) + ((before - n) * z * (1 - z))[:, None] * to_update
    found += (through_new * product * r * (1 - r))[:, None] * to_reset + (through_new * r)[:, None] * to_new
    return found


def _lstm(layer: Layer, inputs: Inputs, step: int) -> Numbers:
    i, f, g, o, c = (_inner(layer, key, step) for key in (*GATES["lstm"], "cell"))
    before, open_cell = _before(layer, inputs, "cell", step), np.tanh(c)
    to_input, to_forget, to_candidate, to_output = _recurrent(layer)
    cell_by_hidden = ((before * f * (1 - f))[:, None] * to_forget + (g * i * (1 - i))[:, None] * to_input
                      + (i * (1 - g * g))[:, None] * to_candidate)
    slope = o * (1 - open_cell * open_cell)
    hidden_by_hidden = (open_cell * o * (1 - o))[:, None] * to_output + slope[:, None] * cell_by_hidden
    hidden_by_cell = np.diag(slope * f)
    if "weight_hr" in layer.weights:
        projection = layer.weights["weight_hr"].astype(np.float64)
        hidden_by_hidden, hidden_by_cell = projection @ hidden_by_hidden, projection @ hidden_by_cell
    return np.block([[hidden_by_hidden, hidden_by_cell], [cell_by_hidden, np.diag(f)]])


def _recurrent(layer: Layer) -> Numbers:
    """weight_hh, one matrix for each gate."""
    weight: Numbers = layer.weights["weight_hh"].astype(np.float64)
    return weight.reshape(len(GATES[family(layer)]), units(layer), -1)


def _inner(layer: Layer, key: str, step: int) -> Numbers:
    found: Numbers = layer.inner[key][step].astype(np.float64)
    return found


def _before(layer: Layer, inputs: Inputs, state: str, step: int) -> Numbers:
    return state_taps(layer, inputs, state, step, np.arange(units(layer))).values


def _width(layer: Layer) -> int:
    hidden = int(layer.inner["hidden"].shape[1])
    return hidden + units(layer) if family(layer) == "lstm" else hidden
