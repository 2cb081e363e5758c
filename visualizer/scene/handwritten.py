"""Gates written by hand: a model that makes an LSTM, a GRU or an RNN of its own from linear layers, sigmoids and tanhs.

What a step ends in is told by its form, h = o·tanh(f·c₋ + i·g) or h = (1 − z)·n + z·h₋ or h = tanh(a), and the sums
before its curves by the linear layers that they come from. It counts only where W x + U h₋ + b, with the same weights
at every step, gives the recorded sums, and the equations the recorded states. The reset gate stands after the product.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.kinds import Curve, gates
from visualizer.kinds.curves import RELU, SIGMOID, TANH
from visualizer.trace import Layer, Trace

Values = NDArray[Any]
CLOSE = 1e-4
"""How near recorded numbers what the equations give must come, relative to the largest."""


@dataclass(frozen=True)
class Step:
    """One step by the names of its layers."""

    family: str
    held_by: Mapping[str, str]
    """`hidden`, `cell`, and each gate and candidate: the layer that holds it."""
    sums: Mapping[str, tuple[str, ...]]
    """By gate the sum before its curve; of a GRU's candidate what is read, and what r is multiplied with."""
    before: Mapping[str, str]
    """`hidden` and `cell`: where the states before it stand, as far as its form tells."""
    nonlinearity: str = "tanh"


@dataclass(frozen=True, eq=False)
class Written:
    """A recurrence written by hand, as one layer over its steps."""

    layer: Layer
    held_by: Mapping[str, tuple[str, ...]]
    """By gate and state the layers that hold it, step by step."""


def written(trace: Trace) -> Iterator[Written]:
    """Every recurrence of two steps and more whose equations match."""
    taken: set[str] = set()
    if not any(_weighs(layer) and layer.name.endswith("#2") for layer in trace.layers):
        return  # nothing is weighed twice
    for steps in _sequences(trace):
        if taken.isdisjoint(step.held_by["hidden"] for step in steps):
            try:
                found = _written(trace, steps)
            except LookupError:
                continue
            taken |= {step.held_by["hidden"] for step in steps}
            yield found


# --- the form of a step -----------------------------------------------------------------------------------------------

def _sequences(trace: Trace) -> Iterator[list[Step]]:
    """Steps of one form that follow each other: those of an LSTM by its memory, the others by their state."""
    for form in (_lstm, _gru, _rnn):
        found = [step for layer in trace.layers if (step := form(trace, layer)) is not None]
        ends = {step.held_by.get("cell", step.held_by["hidden"]): step for step in found}
        after = {ends[before].held_by["hidden"]: step for step in found
                 for before in _before(trace, step) if before in ends and ends[before] is not step}
        later = {step.held_by["hidden"] for step in after.values()}
        for step in found:
            if step.held_by["hidden"] in after and step.held_by["hidden"] not in later:
                steps = [step]
                while steps[-1].held_by["hidden"] in after:
                    steps.append(after[steps[-1].held_by["hidden"]])
                yield steps


def _before(trace: Trace, step: Step) -> tuple[str, ...]:
    """The layers that may hold the state that a step starts from: told by its form, or what its sum is made of."""
    return tuple(step.before.values()) or tuple(_sources(trace, step.sums["preactivation"][0]))


def _sources(trace: Trace, name: str) -> Iterator[str]:
    """What linear layers read whose results are added up."""
    layer = trace[name]
    if _weighs(layer):
        (source,) = trace.inputs(layer)[:1]
        yield from source.reads if kinds.role(source) == "join" else (source.name,)
    elif kinds.role(layer) == "sum" or (len(layer.reads) == 1 and kinds.of(layer) is not None
                                       and kinds.curve(layer) is None and not layer.weights):
        for read in layer.reads:
            yield from _sources(trace, read)


def _weighs(layer: Layer) -> bool:
    """Whether it multiplies what it reads with a matrix."""
    return kinds.role(layer) == "weighted" and "weight" in layer.weights and layer.weights["weight"].ndim == 2


def _two(trace: Trace, layer: Layer, role: str) -> tuple[Layer, Layer] | None:
    """What a product or a sum of two is made of."""
    if kinds.role(layer) != role or len(layer.reads) != 2:
        return None
    one, other = trace.inputs(layer)
    return (one, other) if one.output.size == other.output.size == layer.output.size else None


def _with(trace: Trace, layer: Layer, curve: Curve) -> tuple[Layer, Layer] | None:
    """A product with what a curve made: that first, then the other factor."""
    both = _two(trace, layer, "product")
    if both is None:
        return None
    return next(((one, other) for one, other in (both, both[::-1]) if kinds.curve(one) is curve), None)


def _lstm(trace: Trace, layer: Layer) -> Step | None:
    shown = _with(trace, layer, SIGMOID)
    if shown is None or kinds.curve(shown[1]) is not TANH:
        return None
    cell = trace.inputs(shown[1])[0]
    both = _two(trace, cell, "sum")
    if both is None:
        return None
    for kept, added in (both, both[::-1]):
        forget, enters = _with(trace, kept, SIGMOID), _with(trace, added, SIGMOID)
        if forget is not None and enters is not None and kinds.curve(enters[1]) is TANH:
            parts = {"input": enters[0], "forget": forget[0], "candidate": enters[1], "output_gate": shown[0],
                     "cell": cell, "hidden": layer}
            return Step("lstm", {key: part.name for key, part in parts.items()},
                        {key: (parts[key].reads[0],) for key in ("input", "forget", "candidate", "output_gate")},
                        {"cell": forget[1].name})
    return None


def _gru(trace: Trace, layer: Layer) -> Step | None:
    both = _two(trace, layer, "sum")
    if both is None:
        return None
    for kept, new in (both, both[::-1]):
        keeps, takes = _with(trace, kept, SIGMOID), _with(trace, new, TANH)
        if keeps is None or takes is None or not _rest_of(takes[1], keeps[0]):
            continue
        total = _two(trace, trace.inputs(takes[0])[0], "sum")
        for read, again in () if total is None else (total, total[::-1]):
            reset = _with(trace, again, SIGMOID)
            if reset is not None and kinds.role(read) != "product":
                return Step("gru", {"reset": reset[0].name, "update": keeps[0].name, "new": takes[0].name,
                                    "hidden": layer.name},
                            {"reset": (reset[0].reads[0],), "update": (keeps[0].reads[0],),
                             "new": (read.name, reset[1].name)}, {"hidden": keeps[1].name})
    return None


def _rest_of(layer: Layer, gate: Layer) -> bool:
    """Whether it is what is missing of a gate to 1."""
    return layer.reads == (gate.name,) and np.allclose(layer.output, 1 - gate.output, rtol=0, atol=CLOSE)


def _rnn(trace: Trace, layer: Layer) -> Step | None:
    curve = kinds.curve(layer)
    if curve not in (TANH, RELU) or layer.output.ndim == 0:
        return None
    total = layer.reads[0]
    return Step("rnn", {"preactivation": total, "hidden": layer.name}, {"preactivation": (total,)}, {}, curve.name)


# --- the sums before the curves ---------------------------------------------------------------------------------------

Pieces = tuple[list[tuple[Values, str]], Values]
"""Matrices, each with the layer that it is multiplied with, and what is added."""


def _affine(trace: Trace, name: str, rows: slice = slice(None)) -> Pieces:
    """A sum as products of weights with layers; LookupError where it is none."""
    layer = trace[name]
    if _weighs(layer) and layer.output.size == len(layer.weights["weight"]):
        weight = np.asarray(layer.weights["weight"], np.float64)[rows]
        bias = np.asarray(layer.weights["bias"], np.float64)[rows] if "bias" in layer.weights else np.zeros(len(weight))
        (source,) = trace.inputs(layer)[:1]
        if kinds.role(source) != "join":
            return [(weight, source.name)], bias
        ends = np.cumsum([part.output.size for part in trace.inputs(source)])
        return list(zip(np.split(weight, ends[:-1], axis=1), source.reads, strict=True)), bias
    both = _two(trace, layer, "sum")
    if both is not None:
        (one, first), (other, second) = (_affine(trace, part.name, rows) for part in both)
        return one + other, first + second
    if layer.kind in ("parameter", "constant"):
        return [], np.asarray(layer.output, np.float64).reshape(-1)[rows]
    if len(layer.reads) == 1 and kinds.of(layer) is not None and layer.output.size:
        terms = [kinds.terms(trace, name, cell)
                 for cell in (tuple(0 for _ in layer.shape), tuple(size - 1 for size in layer.shape))]
        if all(one.op == "copy" and len(one.taps) == 1 and one.taps[0].array == "output" for one in terms):
            shape = trace.inputs(layer)[0].shape
            start, last = (int(np.ravel_multi_index(tuple(one.taps[0].cells[0]), shape)) for one in terms)
            inside = range(start, last + 1)[rows]
            if last - start + 1 == layer.output.size:
                return _affine(trace, layer.reads[0], slice(inside.start, inside.stop))
    raise LookupError(f"{name} is no sum of products with weights.")


# --- the whole --------------------------------------------------------------------------------------------------------

def _written(trace: Trace, steps: Sequence[Step]) -> Written:
    """LookupError where what was recorded is not what the equations give."""
    first = steps[0]
    known = gates.family(first.family, first.nonlinearity)
    sums = [{key: [_affine(trace, name) for name in names] for key, names in step.sums.items()} for step in steps]
    weights, reads, starts = _weights(steps, sums, known.keys)
    inner = {key: np.stack([trace[step.held_by[key]].output.reshape(-1) for step in steps])
             for key in (*known.keys, *(state for state in ("cell", "hidden") if state in first.held_by))}
    if "cell" in first.before:
        starts.append(first.before["cell"])
    settings: dict[str, Any] = {"one_by_one": True, "level": 0, "reverse": False, "place": 0}
    if first.family == "rnn":
        settings["nonlinearity"] = first.nonlinearity
    names, before = [], {}
    for state, name in zip(("hidden", "cell"), starts, strict=False):
        start = trace[name].output.reshape(-1)
        if trace[name].kind != "constant" or start.any():
            settings[f"initial_{state}"] = "read"
            names.append(name)
        before[f"{state}_before"] = np.concatenate([start[None], inner[state][:-1]])
    s = inner | before | ({"opened": np.tanh(inner["cell"])} if "cell" in inner else {})
    _must_agree(known, s, weights, np.stack([trace[name].output.reshape(-1) for name in reads]))
    if "update" in inner:
        s["hidden_new"] = (before["hidden_before"] @ weights["weight_hh"].T + weights["bias_hh"])[
            :, 2 * inner["new"].shape[1]:].astype(inner["new"].dtype)
    gradients = _gradients(trace, steps, known, s, weights["weight_hh"])
    linear = next(layer for layer in trace.readers(first.held_by["hidden"])
                  if _weighs(layer) or kinds.role(layer) == "join")
    named = linear if _weighs(linear) else next(
        (layer for layer in trace.readers(linear.name) if _weighs(layer)), linear)
    layer = Layer(
        name=named.name.partition("#")[0], kind=first.family, axes=("step", "unit"), settings=settings,
        reads=(*reads, *names), output=inner["hidden"], gradient=gradients.get("hidden"),
        weights={key: array.astype(inner["hidden"].dtype) for key, array in weights.items()}, inner=inner,
        inner_gradients=gradients, why="" if gradients else trace[steps[-1].held_by["hidden"]].why)
    return Written(layer, {key: tuple(step.held_by[key] for step in steps) for key in first.held_by})


def _weights(steps: Sequence[Step], sums: Sequence[Mapping[str, list[Pieces]]], keys: Sequence[str]
             ) -> tuple[dict[str, Values], list[str], list[str]]:
    """Weights as torch has them; what every step reads; and the state before the first."""
    read, state, bias, bias_state, sources, starts = [], [], [], [], [set[str]() for _ in steps], set()
    for key in keys:
        per_step = [[piece for pieces, _ in step[key] for piece in pieces] for step in sums]
        if len({len(pieces) for pieces in per_step}) > 1:
            raise LookupError("Its steps are not made in the same way.")
        of_state = [place for place, (_, source) in enumerate(per_step[1]) if source == steps[0].held_by["hidden"]]
        if len(of_state) != 1 or len(per_step[0]) != 2:
            raise LookupError("Its sums are not those of one layer that is read and of the state.")
        (at,) = of_state
        for step, pieces in enumerate(per_step):
            if step and pieces[at][1] != steps[step - 1].held_by["hidden"]:
                raise LookupError("A step starts from another state than the one before.")
            sources[step].add(pieces[1 - at][1])
        starts.add(per_step[0][at][1])
        read.append(per_step[0][1 - at][0])
        state.append(per_step[0][at][0])
        added = [one for _, one in sums[0][key]]
        bias.append(added[0])
        bias_state.append(added[1] if len(added) > 1 else np.zeros(len(added[0])))
    if any(len(found) != 1 for found in sources) or len(starts) != 1:
        raise LookupError("Its gates do not read the same.")
    return {"weight_ih": np.concatenate(read), "weight_hh": np.concatenate(state), "bias_ih": np.concatenate(bias),
            "bias_hh": np.concatenate(bias_state)}, [next(iter(found)) for found in sources], [*starts]


def _must_agree(known: gates.Family, s: Mapping[str, Values], weights: Mapping[str, Values], read: Values) -> None:
    """LookupError where the equations do not give what was recorded."""
    sums = (read.astype(np.float64) @ weights["weight_ih"].T + weights["bias_ih"],
            s["hidden_before"].astype(np.float64) @ weights["weight_hh"].T + weights["bias_hh"])
    made = gates.gates(known, *sums) | {"hidden_before": s["hidden_before"], "cell_before": s.get("cell_before")}
    for state in known.states:
        if state.key in ("cell", "hidden"):
            made[state.key] = gates.made(known, state.key, made)
            if state.key == "cell":
                made["opened"] = np.tanh(made["cell"])
    for key in (*known.keys, *(key for key in ("cell", "hidden") if key in s)):
        largest = max(1.0, float(np.abs(s[key]).max()))
        if not np.abs(made[key] - s[key]).max() <= CLOSE * largest:
            raise LookupError(f"The recorded {key} is not what the equations give.")


def _gradients(trace: Trace, steps: Sequence[Step], known: gates.Family, s: Mapping[str, Values], recurrent: Values
               ) -> dict[str, Values]:
    """dL/d every gate, state and sum: from all that came to the states, which autograd told."""
    def came(key: str) -> Values:
        found = [trace[step.held_by[key]].gradient for step in steps]
        return np.stack([np.zeros(s[key].shape[1], s[key].dtype) if one is None else one.reshape(-1) for one in found])

    if all(trace[step.held_by["hidden"]].gradient is None for step in steps):
        return {}
    whole = (True,) * len(steps)
    cell = came("cell") if "cell" in s else None
    found: dict[str, Values] = gates.flow(known, s, recurrent.astype(s["hidden"].dtype),
                                          gates.Came(came("hidden"), cell, whole, whole if cell is not None else ()))
    return found
