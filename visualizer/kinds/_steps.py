"""Layers that go from step to step: what a step reads, which state it starts from, and what the next one hands back.

Arrays of such a layer are (step, unit); step t is what was read at place t, also where the layer goes backwards. A cell
has one step, and its output no axis for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from visualizer.kinds import Inputs, Taps, gates
from visualizer.kinds._taps import Cells, Numbers, array_of, grid_of, taps, unravel
from visualizer.kinds.gates import Family
from visualizer.language import tr
from visualizer.trace import Cell, Layer


def family(layer: Layer) -> Family:
    """Its equations. LookupError if it hides no time."""
    found = gates.family_of(layer)
    if found is None:
        raise LookupError(tr("{name} has no gates and no states.").format(name=layer.name))
    return found


def place(layer: Layer, cell: Cell) -> tuple[int, int]:
    """(step, unit) of a cell of the output."""
    step, unit = (0, *cell)[-2:]
    return step, unit


def steps(layer: Layer) -> int:
    return len(layer.inner["hidden"])


def reverse(layer: Layer) -> bool:
    return bool(layer.settings.get("reverse", False))


def before(layer: Layer, step: int) -> int:
    """The step that comes before in the order of the layer; may lie outside."""
    return step + 1 if reverse(layer) else step - 1


def changed(layer: Layer, state: str) -> bool:
    """Whether a step starts from what other layers made of the state before it."""
    return f"starts_{state}" in layer.settings


def after(layer: Layer, step: int) -> int | None:
    """The step that comes next, if there is one."""
    found = step - 1 if reverse(layer) else step + 1
    return found if 0 <= found < steps(layer) else None


def first(layer: Layer) -> int:
    return steps(layer) - 1 if reverse(layer) else 0


def last(layer: Layer) -> int:
    return 0 if reverse(layer) else steps(layer) - 1


def units(layer: Layer) -> int:
    """Width of a gate, and of the cell state; that of h_t too unless it is projected."""
    return len(layer.weights["weight_hh"]) // len(family(layer).rows)


def row(layer: Layer, gate: str, unit: int) -> int:
    """The row of weight_ih, weight_hh and the biases that belongs to one unit of a gate."""
    return family(layer).block(gate) * units(layer) + unit


# --- what a step reads ----------------------------------------------------------------------------------------------

def sequences(layer: Layer) -> int:
    """How many of the inputs make up what is read; the others are states to start from."""
    return steps(layer) if layer.settings.get("one_by_one") else int(layer.settings.get("sequences", 1))


def read_at(layer: Layer, inputs: Inputs, step: int) -> list[tuple[Layer, Cells]]:
    """What stands side by side in x at one step: layers, and their cells in the order of the columns of weight_ih.

    A layer may still have an axis of size 1 where torch had the batch, so its cells are counted in row-major order.
    """
    if layer.settings.get("one_by_one"):
        source = inputs[step]
        return [(source, unravel(np.arange(source.output.size), source.shape))]
    found = []
    for source in inputs[:sequences(layer)]:
        width = source.output.size // steps(layer)
        found.append((source, unravel(step * width + np.arange(width), source.shape)))
    if sum(len(cells) for _, cells in found) != layer.weights["weight_ih"].shape[1]:
        raise LookupError(tr("{layer} does not read one sequence of {count} numbers a step, so its steps cannot be "
                             "told apart.").format(layer=layer.name, count=layer.weights["weight_ih"].shape[1]))
    return found


def met_by(layer: Layer, inputs: Inputs, which: int, cell: Cell) -> tuple[int, int]:
    """The step at which a cell of an input is read, and the column of weight_ih that it meets."""
    source = inputs[which]
    flat = int(np.ravel_multi_index(cell, source.shape)) if source.shape else 0
    if layer.settings.get("one_by_one"):
        return which, flat
    step, column = divmod(flat, source.output.size // steps(layer))
    return step, column + sum(other.output.size // steps(layer) for other in inputs[:which])


def sum_of_inputs(layer: Layer, inputs: Inputs, number: int, step: int) -> tuple[Taps, ...]:
    """x_t times one row of weight_ih: one Taps for each layer that x_t is read from."""
    weight, start, found = layer.weights["weight_ih"][number], 0, []
    for source, cells in read_at(layer, inputs, step):
        columns = np.arange(start, start + len(cells))
        found.append(taps(source, "output", cells, weight[columns], weight="weight_ih",
                          weight_cells=grid_of([number], columns)))
        start += len(cells)
    return tuple(found)


# --- the state before a step -----------------------------------------------------------------------------------------

def state_before(layer: Layer, inputs: Inputs, state: str, step: int, chosen: Cells) -> tuple[Layer, str, Cells]:
    """Where units of the state `hidden` or `cell` before a step stand: a layer, which of its arrays, cells.

    Before the first step that is what the state starts from: another layer, a weight that was learned, or zero, told by
    cells outside the layer. Where something is done to the state between the steps, each starts from a layer.
    """
    each = layer.settings.get(f"starts_{state}")
    if each is not None and each[step] >= 0:
        source = inputs[each[step]]
        return source, "output", unravel(start_place(layer, state, source) + chosen, source.shape)
    if each is not None:
        return layer, f"inner.{state}", grid_of([-1], chosen)
    earlier = before(layer, step)
    start = layer.settings.get(f"initial_{state}", "zero")
    if 0 <= earlier < steps(layer) or start == "zero":
        return layer, f"inner.{state}", grid_of([earlier], chosen)
    if start == "learned":
        return layer, f"weights.initial_{state}", grid_of(chosen)
    source = inputs[start_input(layer, state)]
    return source, "output", unravel(start_place(layer, state, source) + chosen, source.shape)


def start_input(layer: Layer, state: str) -> int:
    """Which input a state starts from: after the sequences come the hidden state and the cell state, if they are
    read."""
    hidden_too = state == "cell" and layer.settings.get("initial_hidden") == "read"
    return sequences(layer) + hidden_too


def start_place(layer: Layer, state: str, source: Layer) -> int:
    """Where in `source`, counted in row-major order, the units of this level and direction begin."""
    width = units(layer) if state == "cell" else layer.output.shape[-1]
    return int(layer.settings.get("place", 0)) * width


def state_taps(layer: Layer, inputs: Inputs, state: str, step: int, chosen: Cells, factors: object = 1.0, *,
               weight: str = "", weight_cells: Cells | None = None) -> Taps:
    """Units of the state before a step, each times its factor."""
    source, array, cells = state_before(layer, inputs, state, step, chosen)
    return taps(source, array, cells, factors, weight=weight, weight_cells=weight_cells)


def sum_of_states(layer: Layer, inputs: Inputs, number: int, step: int) -> Taps:
    """h_{t−1} times one row of weight_hh."""
    weight = layer.weights["weight_hh"][number]
    chosen = np.arange(len(weight))
    return state_taps(layer, inputs, "hidden", step, chosen, weight, weight="weight_hh",
                      weight_cells=grid_of([number], chosen))


def product_of_states(layer: Layer, inputs: Inputs, step: int) -> Numbers:
    """(unit,): U h₋ + b of a GRU's new state, with which r is multiplied."""
    block = units(layer) * family(layer).block("new")
    weight = layer.weights["weight_hh"][block:].astype(np.float64)
    found: Numbers = weight @ state_taps(layer, inputs, "hidden", step, np.arange(weight.shape[1])).values
    return found + layer.weights["bias_hh"][block:] if "bias_hh" in layer.weights else found


# --- one number -----------------------------------------------------------------------------------------------------

def inner(layer: Layer, key: str, step: int, unit: int) -> float:
    """A gate or state, as recorded."""
    return float(layer.inner[key][step, unit])


@dataclass(frozen=True, eq=False)
class Here:
    """The numbers of one step in float64, as the equations name them: of one unit, or of several."""

    layer: Layer
    inputs: Inputs
    step: int
    chosen: Any = ...
    """A unit, or which of them."""

    def __getitem__(self, key: str) -> Any:
        if key.endswith("_before"):
            state = key.removesuffix("_before")
            width = self.layer.inner[state].shape[1]
            before = state_taps(self.layer, self.inputs, state, self.step, np.arange(width)).values
            return before[self.chosen]
        if key == "opened":
            return np.tanh(self["cell"])
        if key == "hidden_new":
            return product_of_states(self.layer, self.inputs, self.step)[self.chosen]
        return self.layer.inner[key][self.step].astype(np.float64)[self.chosen]


def back(layer: Layer, key: str) -> str:
    """The array of dL/d a gate or state; LookupError if nothing flowed back."""
    if key not in layer.inner_gradients:
        array_of(layer, "gradient")  # says why there is none
        raise LookupError(tr("{layer} has no gradient {key!r}; it has {known}."
                             ).format(layer=layer.name, key=key, known=", ".join(layer.inner_gradients)))
    return f"inner_gradients.{key}"


def cell_of(step: int, *chosen: int) -> Cells:
    """One step, and one or more units, as cells."""
    return grid_of([step], list(chosen))
