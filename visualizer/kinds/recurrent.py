"""RNN, LSTM and GRU, whole sequences and single cells: every gate and state, and what flows back through time.

The equations stand in `gates.py`. h₋ and c₋ are the states of the step before, a is a sum before its σ or tanh.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from visualizer import said
from visualizer.kinds import Box, Cost, Flat, Inputs, Kind, Taps, Terms, _words, gates
from visualizer.kinds._steps import (
    Here,
    after,
    back,
    before,
    cell_of,
    changed,
    family,
    first,
    inner,
    last,
    met_by,
    place,
    product_of_states,
    read_at,
    reverse,
    row,
    sequences,
    start_input,
    start_place,
    state_before,
    state_taps,
    steps,
    sum_of_inputs,
    sum_of_states,
    units,
)
from visualizer.kinds._taps import Cells, added, copied, grid_of, one, ravel, taps, unravel, whole
from visualizer.kinds.gates import PREACTIVATION
from visualizer.language import english, listed, numeral, tr, translated
from visualizer.trace import Cell, Layer


def weighs(layer: Layer, key: str) -> bool:
    """Whether this is a sum of W x and U h₋, or a function of one: what has weights to hand its gradient to."""
    known = family(layer)
    return key.removesuffix(PREACTIVATION) in known.keys or key in known.at_hidden


# --- forwards: one number of the output, of a gate, of a state --------------------------------------------------------

def terms(layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """h_t of one unit, from its gates."""
    return inner_terms(layer, inputs, "hidden", *place(layer, cell))


def inner_terms(layer: Layer, inputs: Inputs, key: str, step: int, unit: int) -> Terms:
    """Where one number of `layer.inner[key]` came from: a gate from x and h₋, a state from gates and the state before.

    IndexError outside the layer, LookupError for what it has not.
    """
    if key not in layer.inner:
        raise LookupError(tr("{layer} has no {key!r}; it has {known}."
                             ).format(layer=layer.name, key=key, known=", ".join(layer.inner)))
    shape = layer.inner[key].shape
    if not (0 <= step < shape[0] and 0 <= unit < shape[1]):
        raise IndexError(f"{layer.name} has no {key} at step {step}, unit {unit}; it has steps 0…{shape[0] - 1} and "
                         f"units 0…{shape[1] - 1}.")
    if key == "hidden" and "weight_hr" in layer.weights:
        return _projected(layer, step, unit)
    made = _state if family(layer).quantities[key].made else _sum
    return made(layer, inputs, key, step, unit)


def _state(layer: Layer, inputs: Inputs, key: str, step: int, unit: int) -> Terms:
    """A state as the sum of its products."""
    known, s, here = family(layer), Here(layer, inputs, step, unit), cell_of(step, unit)
    read = []
    for times in known.quantities[key].made:
        of, before, _ = times.of.partition("_before")
        named: dict[str, Any] = {} if times.derived else {"weight": f"inner.{times.stands}", "weight_cells": here}
        factor = float(times.factor(s))
        read.append(state_taps(layer, inputs, of, step, np.array([unit]), factor, **named) if before else
                    taps(layer, f"inner.{of}", here, factor, **named))
    formula = known.quantities[key].formula
    if len(read) == 1:
        return Terms("product", tuple(read), float(read[0].products[0]), formula=formula,
                     met=(("c", float(s["cell"])), ("tanh c", float(s["opened"]))))
    gate = known.quantities[known.kept[0]]
    kept = float(s[gate.key])
    met = ((gate.symbol, kept), (f"1 − {gate.symbol}", 1 - kept)) if key == "hidden" else ()
    return added(*read, formula=formula, met=met)


def _projected(layer: Layer, step: int, unit: int) -> Terms:
    """h_t of an LSTM that projects what it makes."""
    weight = layer.weights["weight_hr"][unit]
    cells = cell_of(step, *range(len(weight)))
    return added(taps(layer, "inner.unprojected", cells, weight, weight="weight_hr",
                      weight_cells=grid_of([unit], np.arange(len(weight)))), formula="h = W·(o·tanh c)")


def _sum(layer: Layer, inputs: Inputs, key: str, step: int, unit: int) -> Terms:
    """One row of W x + U h₋ + b, or σ or tanh of it."""
    known = family(layer)
    part = known.quantities[key]
    number = row(layer, key if key in known.keys else "preactivation", unit)
    share = inner(layer, part.under, step, unit) if part.under else None
    read, bias = sum_of_inputs(layer, inputs, number, step), _bias(layer, number, "bias_ih", "bias_hh", share=share)
    if share is None:
        read = (*read, sum_of_states(layer, inputs, number, step))
    else:
        weight = layer.weights["weight_hh"][number].astype(np.float64)
        read = (*read, state_taps(layer, inputs, "hidden", step, np.arange(len(weight)), share * weight))
    if part.curve is None:
        return added(*read, **bias, formula=part.formula)
    met = () if share is None else (("U h₋ + b", float(product_of_states(layer, inputs, step)[unit])), ("r", share))
    total = added(*read, **bias).result
    return Terms("gate", read, float(part.curve.value(np.asarray(total))), formula=part.formula, **(bias | {
        "met": (*bias.get("met", ()), *met, ("a", total))}))


def _bias(layer: Layer, number: int, *names: str, share: float | None = None) -> dict[str, Any]:
    """One row of both biases, added up; nothing where the layer has none. Of the second only a share, if one is given,
    as in a GRU, where r stands before it."""
    found = tuple((name, float(layer.weights[name][number])) for name in names if name in layer.weights)
    if not found:
        return {}
    total = found[0][1] + found[1][1] * (1.0 if share is None else share)
    return {"bias": total, "bias_name": " + ".join(names) if share is None else f"{names[0]} + r·{names[1]}",
            "met": found}


# --- backwards: to what was read, and to the step before --------------------------------------------------------------

def backward_terms(layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """To what was read: every sum it was in. To a state it started from: what the first step hands back."""
    if which < sequences(layer):
        step, column = met_by(layer, inputs, which, cell)
        return added(*_sums_at(layer, family(layer).at_read, "weight_ih", column, step), formula="∂L/∂x = Σ ∂L/∂a·W")
    for state in ("hidden", "cell"):
        each = layer.settings.get(f"starts_{state}", ())
        if which in each or (layer.settings.get(f"initial_{state}") == "read" and which == start_input(layer, state)):
            width = len(layer.weights["weight_hh"][0]) if state == "hidden" else units(layer)
            unit = ravel(cell, inputs[which].shape) - start_place(layer, state, inputs[which])
            if not 0 <= unit < width:
                return added(formula=english("∂L/∂h = 0: another level or direction starts from it"))
            return _handed_back(layer, inputs, state, each.index(which) if which in each else first(layer), unit)
    raise LookupError(tr("{layer} has no input {which}.").format(layer=layer.name, which=which))


def own_terms(layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """What the next step hands back to h_t: the part of dL/dh_t that came through time, not from readers."""
    step, unit = place(layer, cell)
    following = None if changed(layer, "hidden") else after(layer, step)
    if following is None:
        return added(formula=english("∂L/∂h = 0 from later steps: there are none"))
    return _handed_back(layer, inputs, "hidden", following, unit)


def inner_backward_terms(layer: Layer, inputs: Inputs, key: str, step: int, unit: int) -> Terms:
    """Where one number of `layer.inner_gradients[key]` came from.

    LookupError for what it has not, and for what came from outside: that is told by the layers that read it.
    """
    array = layer.inner_gradients[key] if back(layer, key) else layer.output
    if not (0 <= step < array.shape[0] and 0 <= unit < array.shape[1]):
        raise IndexError(f"{layer.name} has no gradient {key} at step {step}, unit {unit}; it has steps "
                         f"0…{array.shape[0] - 1} and units 0…{array.shape[1] - 1}.")
    if key.endswith("_direct"):
        raise LookupError(tr("The {key} of {layer} came from outside; the layers that read it tell how."
                             ).format(key=key, layer=layer.name))
    if key.startswith("initial_"):
        state = key.removeprefix("initial_")
        return _handed_back(layer, inputs, state, step if changed(layer, state) else first(layer), unit)
    if key in ("hidden", "cell"):
        return _state_back(layer, inputs, key, step, unit)
    known, s = family(layer), Here(layer, inputs, step, unit)
    if key == "unprojected":
        return _unprojected_back(layer, step, unit)
    of, slope = gates.step_back(known, key, s)
    gate = key.removesuffix(PREACTIVATION)
    part = known.quantities[gate]
    if gate != key and part.curve is not None:
        return _product(layer, of, step, unit, float(slope), part.curve.backward())
    found = part.back
    assert found is not None
    of = _made(layer) if of == "hidden" else of
    if found.stands.endswith("_before"):
        state, at = found.stands.removesuffix("_before"), np.array([unit])
        source, stands, cells = state_before(layer, inputs, state, step, at)
        return _product(layer, of, step, unit, float(slope), part.backward,
                        weight=source.name if stands == "output" else stands, weight_cells=cells)
    weight = "" if found.derived or not found.stands else f"inner.{found.stands}"
    return _product(layer, of, step, unit, float(slope), part.backward, weight=weight)


def _unprojected_back(layer: Layer, step: int, unit: int) -> Terms:
    weight = layer.weights["weight_hr"][:, unit]
    outs = np.arange(len(weight))
    return added(taps(layer, back(layer, "hidden"), cell_of(step, *outs), weight, weight="weight_hr",
                      weight_cells=grid_of(outs, [unit])), formula=family(layer).quantities["unprojected"].backward)


def _state_back(layer: Layer, inputs: Inputs, state: str, step: int, unit: int) -> Terms:
    """dL/d a state: from outside, at the same step through h, and from the step after."""
    read: tuple[Taps, ...] = ()
    if f"{state}_direct" in layer.inner_gradients:
        read += (taps(layer, back(layer, f"{state}_direct"), cell_of(step, unit)),)
    if state == "cell":
        slope = gates.step_back(family(layer), "cell", Here(layer, inputs, step, unit))[1]
        read += (taps(layer, back(layer, _made(layer)), cell_of(step, unit), float(slope)),)
    following = after(layer, step)
    if following is not None:
        read += _handed_back(layer, inputs, state, following, unit).taps
    return added(*read, formula=family(layer).quantities[state].backward)


def _handed_back(layer: Layer, inputs: Inputs, state: str, step: int, unit: int) -> Terms:
    """What one step hands back to a state of the step before."""
    known = family(layer)
    read: tuple[Taps, ...] = ()
    formula = f"∂L/∂{known.quantities[state].symbol}₋ = "
    if state == "hidden":
        read, formula = _sums_at(layer, known.at_hidden, "weight_hh", unit, step), formula + "Σ ∂L/∂a·U"
    gate, of = known.kept
    if of == state:
        read += (taps(layer, back(layer, of), cell_of(step, unit), inner(layer, gate, step, unit),
                      weight=f"inner.{gate}", weight_cells=cell_of(step, unit)),)
        formula += (f"{' + ' if state == 'hidden' else ''}{known.quantities[gate].symbol}·"
                    f"∂L/∂{known.quantities[of].symbol}")
    return added(*read, formula=formula)


def _sums_at(layer: Layer, keys: tuple[str, ...], name: str, column: int, step: int) -> tuple[Taps, ...]:
    """dL/d every sum of a step times one column of a weight: one Taps for each gate."""
    width = units(layer)
    chosen = np.arange(width)
    found = []
    for block, key in enumerate(keys):
        rows = block * width + chosen
        found.append(taps(layer, back(layer, key), cell_of(step, *chosen), layer.weights[name][rows, column],
                          weight=name, weight_cells=grid_of(rows, [column])))
    return tuple(found)


def _product(layer: Layer, key: str, step: int, unit: int, slope: float, formula: str, weight: str = "",
             weight_cells: Cells | None = None) -> Terms:
    here = cell_of(step, unit) if weight.startswith("inner.") else None
    read = taps(layer, back(layer, key), cell_of(step, unit), slope, weight=weight,
                weight_cells=here if weight_cells is None else weight_cells)
    return Terms("product", (read,), float(read.products[0]), formula=formula, met=((english("slope"), slope),))


def _made(layer: Layer) -> str:
    """o·tanh c: the output itself unless that is projected."""
    return "unprojected" if "weight_hr" in layer.weights else "hidden"


# --- weights: the same ones at every step -----------------------------------------------------------------------------

def weight_terms(layer: Layer, inputs: Inputs, name: str, cell: Cell) -> Terms:
    """A sum over the steps: dL/d the sum that the weight is in, times what it met there."""
    if name.startswith("initial_"):
        return _handed_back(layer, inputs, name.removeprefix("initial_"), first(layer), cell[0])
    count, (number, *columns) = steps(layer), cell
    every = np.arange(count)
    if name == "weight_hr":
        met = taps(layer, "inner.unprojected", grid_of(every, columns))
        return added(taps(layer, back(layer, "hidden"), grid_of(every, [number]), met.values,
                          weight="inner.unprojected", weight_cells=met.cells), formula="∂L/∂W = Σ ∂L/∂h·y")
    keys = family(layer).at_read if name.endswith("_ih") else family(layer).at_hidden
    block, unit = divmod(number, units(layer))
    key = back(layer, keys[block])
    if name.startswith("bias"):
        return added(taps(layer, key, grid_of(every, [unit])), formula="∂L/∂b = Σ ∂L/∂a")
    read = []
    for source, array, at, cells in _met(layer, inputs, name, columns[0]):
        seen = taps(source, array, cells)
        read.append(taps(layer, key, grid_of(at, [unit]), seen.values,
                         weight=source.name if array == "output" else array, weight_cells=cells))
    return added(*read, formula="∂L/∂W = Σ ∂L/∂a·x" if name == "weight_ih" else "∂L/∂U = Σ ∂L/∂a·h₋")


def _met(layer: Layer, inputs: Inputs, name: str, column: int) -> Iterator[tuple[Layer, str, Cells, Cells]]:
    """What one column of weight_ih or weight_hh met: layer, array, at which steps, cells."""
    every = np.arange(steps(layer))
    if name == "weight_hh":
        start, met = first(layer), np.array([column])
        source, array, cells = state_before(layer, inputs, "hidden", start, met)
        yield source, array, np.array([start]), cells
        later = every[every != start]
        if len(later):
            yield layer, "inner.hidden", later, grid_of(later + before(layer, 0), met)
    elif layer.settings.get("one_by_one"):
        for step, source in zip(every, inputs, strict=False):
            yield source, "output", np.array([step]), unravel(column, source.shape)
    else:
        for source, cells in read_at(layer, inputs, 0):
            if 0 <= column < len(cells):
                yield source, "output", every, unravel(every * len(cells) + column, source.shape)
            column -= len(cells)


def source_box(layer: Layer, inputs: Inputs, which: int, box: Box) -> Box:
    """Every step up to this one, in the order of the layer; all of the states that it started from."""
    shape = inputs[which].shape
    low, high = box[0] if layer.output.ndim == 2 else (0, 0)
    if layer.settings.get("one_by_one"):
        return whole(shape) if which <= high else tuple((0, -1) for _ in shape)
    if which < sequences(layer) and len(shape) == 2 and shape[0] == steps(layer):
        return (low, shape[0] - 1) if reverse(layer) else (0, high), (0, shape[1] - 1)
    return whole(shape)


# --- what it costs, and what it does in words -------------------------------------------------------------------------

def step_cost(layer: Layer) -> Cost:
    """One step: every number of the matrices is met once. The parameters are the same ones at every step."""
    return Cost(layer.parameters, sum(weight.size for weight in layer.weights.values() if weight.ndim == 2))


def cost(layer: Layer, inputs: Inputs) -> Cost:
    """T steps of W_ih, W_hh and, if h_t is projected, W_hr; biases and the gates' own products are not counted."""
    return Cost(layer.parameters, steps(layer) * step_cost(layer).macs)


def sentence(layer: Layer, inputs: Inputs) -> str:
    """What it read, what it carries, and how long it keeps it."""
    count, width = steps(layer), layer.inner["hidden"].shape[1]
    sources = [source.name for source in inputs[:sequences(layer)]]
    if count == 1:
        carries = tr("Makes one step with {source} and hands on {numbers}")
    elif layer.settings.get("one_by_one"):
        carries = tr("Reads {steps} one by one, each from a layer of its own, and carries {numbers} from step to step")
    elif reverse(layer):
        carries = tr("Reads {steps} of {source} backwards and carries {numbers} from step to step")
    else:
        carries = tr("Reads {steps} of {source} in order and carries {numbers} from step to step")
    if layer.settings.get("between"):
        carries = tr("{carries}, through {layers}").format(
            carries=carries, layers=listed(list(layer.settings["between"])))
    carries = carries.format(source=listed(sources),
                             steps=_words.some(count, "step", *said.axis(layer, 0, "inner.hidden")),
                             numbers=_words.some(width, "number", *said.axis(layer, 1, "inner.hidden")))
    known = family(layer)
    gate, state = known.kept
    if not gate:
        return tr("{carries}; its states lie {spread}.").format(carries=carries,
                                                               spread=_words.spread(layer, "inner.hidden"))
    means = layer.inner[gate].mean(axis=1, dtype=np.float64)
    least = int(np.argmin(means))
    keeps = tr("{carries}; its {gate} keeps {share} of the {state} on average, least at step {step} ({least}).") \
        if count > 1 else tr("{carries}; its {gate} keeps {share} of the {state} on average.")
    return keeps.format(carries=carries, gate=translated(known.quantities[gate].name),
                        state=translated(known.quantities[state].name), 
                        share=said.said(_share(float(means.mean())), "mean", layer.name, array=f"inner.{gate}"),
                        step=said.said(str(least + 1), "step of the least mean", layer.name, array=f"inner.{gate}"),
                        least=said.said(_share(float(means[least])), "mean", layer.name, step=least,
                                        array=f"inner.{gate}"))


def inner_sentence(layer: Layer, inputs: Inputs, key: str, step: int, unit: int) -> str:
    """One plain sentence about one number of `layer.inner`; steps are counted from 1, units from 0."""
    if key not in SAYS:
        raise LookupError(tr("There is no sentence about {key!r}; there are {known}."
                             ).format(key=key, known=", ".join(SAYS)))
    value = inner(layer, key, step, unit)
    claim = "value", layer.name, (unit,), step, f"inner.{key}"
    return translated(SAYS[key]).format(
        step=said.said(str(step + 1), "step", layer.name, step=step), value=_words.value(value, *claim),
        unit=said.said(str(unit), "index", layer.name, (0, unit), array="inner.hidden"),
        share=said.said(_share(value), *claim))


SAYS = {
    "input": english("At step {step} the input gate lets {share} of the candidate into unit {unit}'s memory."),
    "forget": english("At step {step} the forget gate keeps {share} of unit {unit}'s memory."),
    "candidate": english("At step {step} the candidate offers {value} to unit {unit}'s memory."),
    "output_gate": english("At step {step} the output gate shows {share} of unit {unit}'s memory."),
    "cell": english("At step {step} the memory of unit {unit} is {value}."),
    "unprojected": english("At step {step} unit {unit} shows {value} of its memory, before the projection."),
    "reset": english("At step {step} the reset gate lets the candidate of unit {unit} see {share} of what the old "
                     "state adds."),
    "update": english("At step {step} the update gate keeps {share} of unit {unit}'s old state."),
    "new": english("At step {step} the candidate offered to unit {unit} is {value}."),
    "preactivation": english("At step {step} the sum of unit {unit} is {value}."),
    "hidden": english("At step {step} the state of unit {unit} is {value}."),
}


def flat(layer: Layer) -> dict[str, Flat]:
    """Its gates and candidates, or of an RNN its state; nothing of a single step."""
    if "step" not in layer.axes or not layer.inner:
        return {}
    parts = family(layer).quantities.values()
    return {part.key: part.curve.flat for part in parts if part.curve is not None and part.curve.flat is not None
            and part.key in layer.inner}


def short(layer: Layer, inputs: Inputs) -> str:
    """`28 steps, 32 → 128`."""
    ins, outs = layer.weights["weight_ih"].shape[1], layer.inner["hidden"].shape[1]
    direction = tr(", backwards") if reverse(layer) else ""
    return f"{_words.some(steps(layer), 'step', *said.axis(layer, 0, 'inner.hidden'))}, " \
        f"{_words.count(ins, *said.axis(layer, 1, 'weights.weight_ih'))} → " \
        f"{_words.count(outs, *said.axis(layer, 1, 'inner.hidden'))}{direction}"


def _share(value: float) -> str:
    """`30 %`, `99.7 %`, `0.04 %`: never 0 % of something, nor 100 % of less than everything."""
    percent = 100 * value
    if not 0 < percent < 100:
        return f"{_words.plain(percent)} %"
    digits = 0 if 1 <= percent <= 99 else 1
    while digits < 12 and float(f"{percent:.{digits}f}") in (0.0, 100.0):
        digits += 1
    return numeral(f"{percent:.{digits}f} %")


# --- the state after a step, and two directions side by side ----------------------------------------------------------

def state_terms(layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """h_n, c_n: the state of each level and direction after the last step that it went through."""
    level, unit = (0, *cell)[-2:]
    return copied(_state_of(layer, inputs, level, unit), english("h_n = h after the last step"))


def state_backward(layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """To the output at that step the same number; a cell state hands nothing to the output."""
    step, unit = place(inputs[which], cell)
    if layer.settings["state"] != "hidden" or step != _state_step(layer, inputs, which):
        return added(formula=english("∂L/∂h = 0: this is not what it reads"))
    return copied(taps(layer, "gradient", one((which, unit) if layer.output.ndim == 2 else (unit,))), "∂L/∂h = ∂L/∂h_n")


def state_own(layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """What comes back to the memory of an LSTM cell through h of the same step: torch counts it in."""
    source, unit = inputs[0], cell[-1]
    slope = gates.step_back(family(source), "cell", Here(source, (), 0, unit))[1]
    return added(taps(source, back(source, "hidden"), cell_of(0, unit), float(slope)),
                 formula="∂L/∂c = ∂L/∂h·o·(1 − tanh² c)")


def state_box(layer: Layer, inputs: Inputs, which: int, box: Box) -> Box:
    low, high = box[0] if layer.output.ndim == 2 else (0, 0)
    if not low <= which <= high:
        return tuple((0, -1) for _ in inputs[which].shape)
    step = _state_step(layer, inputs, which)
    source, wanted = inputs[which], box[-1]
    if layer.settings["state"] == "cell" and "weight_hr" in source.weights:
        wanted = (0, source.shape[-1] - 1)
    return ((step, step), wanted)[-source.output.ndim:]


def state_sentence(layer: Layer, inputs: Inputs) -> str:
    hidden = layer.settings["state"] == "hidden"
    if len(inputs) > 1:
        ends = tr("This is the state that each of {layers} ends with, one a row.") if hidden else \
            tr("This is the memory that each of {layers} ends with, one a row.")
        return ends.format(layers=_words.some(
            len(inputs), "layer", *said.of("how many are read", layer)))
    after_step = tr("This is the state of {source} after step {step}.") if hidden else \
        tr("This is the memory of {source} after step {step}.")
    return after_step.format(source=inputs[0].name, 
                             step=said.said(str(_state_step(layer, inputs, 0) + 1), "step of the state", layer.name))


def _state_of(layer: Layer, inputs: Inputs, level: int, unit: int) -> Taps:
    source, step = inputs[level], _state_step(layer, inputs, level)
    if layer.settings["state"] == "cell":
        return taps(source, "inner.cell", cell_of(step, unit))
    return taps(source, "output", one((step, unit)[-source.output.ndim:]))


def _state_step(layer: Layer, inputs: Inputs, level: int) -> int:
    """Which step: the one named in the settings, or the last that the layer went through."""
    return int(layer.settings["step"]) if "step" in layer.settings else last(inputs[level])


def sides_terms(layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """Forward first, then reverse, at the same step."""
    which, unit = divmod(cell[1], inputs[0].shape[1])
    return copied(taps(inputs[which], "output", one((cell[0], unit))), english("y = [h forward, h reverse]"))


def sides_backward(layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    return copied(taps(layer, "gradient", one((cell[0], which * inputs[0].shape[1] + cell[1]))), "∂L/∂h = ∂L/∂y")


def sides_box(layer: Layer, inputs: Inputs, which: int, box: Box) -> Box:
    width, (low, high) = inputs[0].shape[1], box[1]
    return box[0], (max(low - which * width, 0), min(high - which * width, width - 1))


def sides_sentence(layer: Layer, inputs: Inputs) -> str:
    width = inputs[0].shape[1]
    return tr("At each of {steps}, {numbers} that know what came before stand beside {count} that know what comes "
              "after.").format(steps=_words.some(len(layer.output), "step", *said.axis(layer, 0)),
                       numbers=_words.some(width, "number", *said.axis(inputs[0], 1)),
                       count=_words.count(width, *said.axis(inputs[0], 1)))


def _axes(settings: Mapping[str, Any], inputs: tuple[tuple[str, ...], ...], shape: tuple[int, ...]) -> tuple[str, ...]:
    return ("step", "unit")[-len(shape):]


CELLS = {"lstm": english("LSTM cell"), "gru": english("GRU cell"), "rnn": english("RNN cell")}
"""What makes one step alone is called so."""
KINDS = (
    *(Kind(name=name + suffix, title=CELLS[name] if suffix else known.title, calls={}, axes=_axes, terms=terms,
           backward_terms=backward_terms, source_box=source_box, sentence=sentence, weight_terms=weight_terms,
           cost=cost, short=short, flat=flat, role="recurrent", inner_terms=inner_terms,
           inner_backward_terms=inner_backward_terms,
           over_steps=name if suffix else "", own_terms=None if suffix else own_terms)
      for name, known in gates.FAMILIES.items() for suffix in ("", "_cell")),
    Kind("state", english("state after a step"), {}, _axes, state_terms, state_backward, state_box, state_sentence,
         moves_only=True, role="state"),
    Kind("cell_state", english("memory of an LSTM cell"), {}, _axes, state_terms, state_backward, state_box,
         state_sentence, moves_only=True, own_terms=state_own, role="state"),
    Kind("both_directions", english("two directions side by side"), {}, _axes, sides_terms, sides_backward, sides_box,
         sides_sentence, moves_only=True, role="directions"),
)
