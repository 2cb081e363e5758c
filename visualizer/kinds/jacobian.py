"""How much of what it knew a step passes on to the next: Jacobians of recurrent layers in closed form, in float64.

J_t = ∂(state after step t) / ∂(state before it); the state is h of an RNN or GRU, and h and then c of an LSTM. Their
product says what of a state reaches a later step, and its transpose what of a gradient reaches an earlier one.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from visualizer.kinds import Inputs, gates
from visualizer.kinds._steps import Here, family, reverse, steps, units
from visualizer.kinds._taps import Numbers
from visualizer.language import tr
from visualizer.trace import Layer, remembered


def step_jacobian(layer: Layer, inputs: Inputs, step: int) -> Numbers:
    """J_t: (unit, unit), or (h and c, h and c) for an LSTM.

    Each sum that h₋ is in moves a state by what `gates.reach` says; beside that stands the straight way through the
    gate that keeps. IndexError outside the layer.
    """
    if not 0 <= step < steps(layer):
        raise IndexError(f"{layer.name} has no step {step}; it has 0…{steps(layer) - 1}.")
    one, s = family(layer), Here(layer, inputs, step)
    reached = gates.reach(one, s)
    sums = [(*reached[key], matrix) for key, matrix in zip(one.at_hidden, _recurrent(layer), strict=True)]
    by_state = {name: sum(factor[:, None] * matrix for state, factor, matrix in sums if state == name)
                for name in ("hidden", "cell")}
    gate, state = one.kept
    hidden: Numbers = np.asarray(by_state["hidden"])
    if state != "cell":
        return hidden + np.diag(s[gate]) if gate else hidden
    cell, slope = np.asarray(by_state["cell"]), gates.step_back(one, "cell", s)[1]
    hidden, by_cell = hidden + slope[:, None] * cell, np.diag(slope * s[gate])
    if "weight_hr" in layer.weights:
        projection = layer.weights["weight_hr"].astype(np.float64)
        hidden, by_cell = projection @ hidden, projection @ by_cell
    return np.block([[hidden, by_cell], [cell, np.diag(s[gate])]])


def read_jacobian(layer: Layer, inputs: Inputs, step: int) -> Numbers:
    """∂(state after step t) / ∂(what it reads at t): (unit, read), or (h and c, read) for an LSTM. IndexError outside
    the layer."""
    if not 0 <= step < steps(layer):
        raise IndexError(f"{layer.name} has no step {step}; it has 0…{steps(layer) - 1}.")
    one, s = family(layer), Here(layer, inputs, step)
    reached = gates.reach(one, s)
    weight = layer.weights["weight_ih"].astype(np.float64).reshape(len(one.rows), units(layer), -1)
    sums = [(*reached[key], matrix) for key, matrix in zip(one.at_read, weight, strict=True)]
    by_state = {name: sum((factor[:, None] * matrix for state, factor, matrix in sums if state == name),
                          np.zeros(weight.shape[1:])) for name in ("hidden", "cell")}
    hidden: Numbers = by_state["hidden"]
    if one.kept[1] != "cell":
        return hidden
    cell, slope = by_state["cell"], gates.step_back(one, "cell", s)[1]
    hidden = hidden + slope[:, None] * cell
    if "weight_hr" in layer.weights:
        hidden = layer.weights["weight_hr"].astype(np.float64) @ hidden
    return np.concatenate([hidden, cell])


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
    gate = family(layer).kept[0]
    if not gate:
        raise LookupError(tr("{layer} is an RNN: its state is made anew at every step.").format(layer=layer.name))
    found: Numbers = layer.inner[gate].astype(np.float64)
    return found


def _recurrent(layer: Layer) -> Numbers:
    """weight_hh, one matrix for each gate."""
    weight: Numbers = layer.weights["weight_hh"].astype(np.float64)
    return weight.reshape(len(family(layer).rows), units(layer), -1)


def _width(layer: Layer) -> int:
    hidden = int(layer.inner["hidden"].shape[1])
    return hidden + units(layer) if family(layer).kept[1] == "cell" else hidden


def recalls(layer: Layer, inputs: Inputs, until: int) -> Numbers:
    """(step,): ‖∂h_until / ∂(what step k reads)‖, the Frobenius norm, for every step k; 0 for those that come later."""
    order = list(reversed(range(steps(layer)))) if reverse(layer) else list(range(steps(layer)))
    found = np.zeros(steps(layer))
    onwards = np.eye(int(layer.inner["hidden"].shape[1]), _width(layer))
    for step in reversed(order[:order.index(until) + 1]):
        state, read = _both(layer, tuple(inputs), step)
        found[step] = np.sqrt(np.sum(np.square(onwards @ read)))
        onwards = onwards @ state
    return found


def recalled(layer: Layer, inputs: Inputs) -> Iterator[tuple[int, Numbers]]:
    """(step, what `recalls` tells of it) for every step, in the order in which they are read: all of them in one go."""
    order = list(reversed(range(steps(layer)))) if reverse(layer) else list(range(steps(layer)))
    units = int(layer.inner["hidden"].shape[1])
    carried = np.zeros((_width(layer), 0))
    for count, step in enumerate(order, 1):
        state, read = _both(layer, tuple(inputs), step)
        carried = np.concatenate([state @ carried, read], axis=1)
        row = np.zeros(len(order))
        row[order[:count]] = np.sqrt(np.square(carried[:units]).reshape(units, count, -1).sum((0, 2)))
        yield step, row


@remembered(64)
def _both(layer: Layer, inputs: Inputs, step: int) -> tuple[Numbers, Numbers]:
    return step_jacobian(layer, inputs, step), read_jacobian(layer, inputs, step)
