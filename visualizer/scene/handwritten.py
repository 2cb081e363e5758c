"""Gates written by hand: a model that makes an LSTM, a GRU or an RNN of its own from products, sigmoids and tanhs.

What a step ends in is told by its form, h = o·tanh(f·c₋ + i·g) or h = (1 − z)·n + z·h₋ or h = tanh(a), however it is
written, and the sums before its curves by the weights that they come from: of linear layers, or of a product with any
matrix that is made of parameters alone. It counts only where W x + U h₋ + b, with the same weights at every step, gives
the recorded sums, and the equations the recorded states. The reset gate stands after the product.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.kinds import Curve, gates
from visualizer.kinds.arithmetic import adds, subtracts
from visualizer.kinds.choices import adds_a_product, blends
from visualizer.kinds.contraction import contracts
from visualizer.kinds.curves import RELU, SIGMOID, TANH
from visualizer.kinds.shape import origins
from visualizer.trace import Layer, Trace, remembered

Values = NDArray[Any]
CLOSE = 1e-4
"""How near recorded numbers what the equations give must come, relative to the largest."""


Sum = tuple[str, Values | None]
"""A layer, and which of its numbers in row-major order; None for all."""


@dataclass(frozen=True)
class Step:
    """One step by the names of its layers."""

    family: str
    held_by: Mapping[str, str]
    """`hidden`, `cell`, and each gate and candidate: the layer that holds it."""
    sums: Mapping[str, tuple[tuple[Sum, ...], ...]]
    """By gate what is added up before its curve; of a GRU's candidate what is read, and what r is multiplied with."""
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
    names: set[str] = set()
    if not any(kinds.curve(layer) in (TANH, RELU) and layer.name.endswith("#2") for layer in trace.layers):
        return  # nothing is squashed twice
    for steps in _sequences(trace):
        if taken.isdisjoint(step.held_by["hidden"] for step in steps):
            found = None
            for tried in (steps, steps[1:])[:1 + (len(steps) > 2)]:  # the first may be made without a state
                with suppress(LookupError):
                    found = _written(trace, tried)
                    break
            if found is None:
                continue
            taken |= {step.held_by["hidden"] for step in steps}
            if found.layer.name in names:
                found = replace(found, layer=replace(found.layer, name=found.held_by["hidden"][0]))
            names.add(found.layer.name)
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
    return tuple(step.before.values()) or tuple(_sources(trace, step.sums["preactivation"][0][0][0]))


def _sources(trace: Trace, name: str) -> Iterator[str]:
    """What is multiplied with matrices in a sum."""
    layer = trace[name]
    if _weighs(layer) or _contracts(layer):
        for source in trace.inputs(layer):
            if not _fixed(trace, source.name):
                yield from (_laid_out(trace, part).name for part in (
                    trace.inputs(source) if kinds.role(source) == "join" else (source,)))
        if _contracts(layer):
            for added in trace.inputs(layer)[:-2]:
                yield from _sources(trace, added.name)
    elif kinds.role(layer) == "sum" or (len(layer.reads) == 1 and origins(layer, trace.inputs(layer)) is not None):
        for read in layer.reads:
            yield from _sources(trace, read)


def _weighs(layer: Layer) -> bool:
    """Whether it multiplies what it reads with a matrix of its own."""
    return kinds.role(layer) == "weighted" and "weight" in layer.weights and layer.weights["weight"].ndim == 2


def _contracts(layer: Layer) -> bool:
    """Whether it is a sum of products of two layers, as a product of matrices is."""
    return contracts(layer) and not layer.weights


def _laid_out(trace: Trace, layer: Layer) -> Layer:
    """The layer that holds the same numbers in the same order."""
    while len(layer.reads) == 1 and (places := origins(layer, trace.inputs(layer))) is not None and \
            len(places) == trace.inputs(layer)[0].output.size and np.array_equal(places, np.arange(len(places))):
        (layer,) = trace.inputs(layer)
    return layer


def _curved(trace: Trace, layer: Layer, curve: Curve) -> Sum | None:
    """The sum that a curve makes a layer of; it may be cut out of what the curve made."""
    rows: Any = None
    while kinds.curve(layer) is None and len(layer.reads) == 1:
        places = origins(layer, trace.inputs(layer))
        if places is None:
            return None
        rows = places if rows is None else places[rows]
        (layer,) = trace.inputs(layer)
    return (layer.reads[0], rows) if kinds.curve(layer) is curve else None


def _two(trace: Trace, layer: Layer, role: str) -> tuple[Layer, Layer] | None:
    """What a product or a sum of two is made of."""
    if kinds.role(layer) != role or len(layer.reads) != 2 or layer.settings.get("alpha", 1) != 1:
        return None
    one, other = trace.inputs(layer)
    return (one, other) if one.output.size == other.output.size == layer.output.size else None


def _either(both: Sequence[Any] | None) -> tuple[tuple[Any, Any], ...]:
    """Two of them, in either order."""
    return ((both[0], both[1]), (both[1], both[0])) if both else ()


def _with(trace: Trace, layer: Layer, curve: Curve) -> tuple[Layer, Layer] | None:
    """A product with what a curve made: that first, then the other factor."""
    both = _two(trace, layer, "product")
    return next(((one, other) for one, other in _either(both) if _curved(trace, one, curve) is not None), None)


def _products(trace: Trace, layer: Layer) -> tuple[tuple[Layer, Layer], ...]:
    """The factors of the two products that are added up."""
    if adds_a_product(layer) and layer.settings.get("value", 1) == 1:
        start, *factors = trace.inputs(layer)
        first = _two(trace, start, "product")
        return () if first is None else (first, (factors[0], factors[1]))
    both = _two(trace, layer, "sum")
    found = () if both is None else tuple(_two(trace, part, "product") for part in both)
    return tuple(pair for pair in found if pair is not None) if None not in found else ()


def _addends(trace: Trace, layer: Layer) -> list[Layer]:
    """All that is added up, of the size of the sum or of numbers that are the same at every step."""
    if kinds.role(layer) != "sum" or len(layer.reads) != 2 or layer.settings.get("alpha", 1) != 1:
        return [layer]
    return [part for read in trace.inputs(layer) for part in _addends(trace, read)]


def _lstm(trace: Trace, layer: Layer) -> Step | None:
    shown = _with(trace, layer, SIGMOID)
    opened = None if shown is None else _curved(trace, shown[1], TANH)
    if shown is None or opened is None or opened[1] is not None:
        return None
    cell = _laid_out(trace, trace[opened[0]])
    for kept, added in _either(_products(trace, cell)):
        for (forget, before), (enters, candidate) in product((kept, kept[::-1]), (added, added[::-1])):
            parts = {"input": (enters, SIGMOID), "forget": (forget, SIGMOID), "candidate": (candidate, TANH),
                     "output_gate": (shown[0], SIGMOID)}
            sums = {key: _curved(trace, part, curve) for key, (part, curve) in parts.items()}
            if None not in sums.values() and _curved(trace, before, SIGMOID) is None:
                return Step("lstm", {**{key: part.name for key, (part, _) in parts.items()}, "cell": cell.name,
                                     "hidden": layer.name},
                            {key: ((one,),) for key, one in sums.items() if one is not None},
                            {"cell": _laid_out(trace, before).name})
    return None


def _mixes(trace: Trace, layer: Layer) -> Iterator[tuple[Layer, Layer, Layer]]:
    """(w, a, b) of each way to read a layer as (1 − w)·a + w·b."""
    if blends(layer):
        start, end, share = trace.inputs(layer)
        yield share, start, end
    for one, other in _either(_products(trace, layer)):
        yield from ((share, start, end) for (rest, start), (share, end) in product((one, one[::-1]), (
            other, other[::-1])) if _rest_of(rest, share))
    both = trace.inputs(layer) if kinds.role(layer) == "sum" and len(layer.reads) == 2 else ()
    for start, moved in _either(both):
        for share, way in _either(_two(trace, moved, "product")):
            if subtracts(way) and way.reads[1] == start.name:
                yield share, start, trace[way.reads[0]]
    if subtracts(layer):
        start, moved = trace.inputs(layer)
        for share, way in _either(_two(trace, moved, "product")):
            if subtracts(way) and way.reads[0] == start.name:
                yield share, start, trace[way.reads[1]]


def _gru(trace: Trace, layer: Layer) -> Step | None:
    for share, start, end in _mixes(trace, layer):
        keeps, new, before = share, start, end
        if _curved(trace, keeps, SIGMOID) is None and len(keeps.reads) == 1 and _rest_of(keeps, trace[keeps.reads[0]]):
            keeps, new, before = trace[keeps.reads[0]], end, start
        update, candidate = _curved(trace, keeps, SIGMOID), _curved(trace, new, TANH)
        if update is None or candidate is None or candidate[1] is not None:
            continue
        addends = _addends(trace, trace[candidate[0]])
        for again in addends:
            reset = _with(trace, again, SIGMOID)
            summed = None if reset is None else _curved(trace, reset[0], SIGMOID)
            if reset is not None and summed is not None and len(addends) > 1:
                rest = tuple((part.name, None) for part in addends if part is not again)
                return Step("gru", {"reset": reset[0].name, "update": keeps.name, "new": new.name,
                                    "hidden": layer.name},
                            {"reset": ((summed,),), "update": ((update,),), "new": (rest, ((reset[1].name, None),))},
                            {"hidden": _laid_out(trace, before).name})
    return None


def _rest_of(layer: Layer, gate: Layer) -> bool:
    """Whether it is what is missing of a gate to 1."""
    return layer.reads == (gate.name,) and np.allclose(layer.output, 1 - gate.output, rtol=0, atol=CLOSE)


def _rnn(trace: Trace, layer: Layer) -> Step | None:
    curve = kinds.curve(layer)
    if curve not in (TANH, RELU) or layer.output.ndim == 0:
        return None
    total = layer.reads[0]
    return Step("rnn", {"preactivation": total, "hidden": layer.name}, {"preactivation": (((total, None),),)}, {},
                curve.name)


# --- the sums before the curves ---------------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class Piece:
    """A matrix and what it is multiplied with: numbers of a layer that stand side by side."""

    matrix: Values
    source: str
    start: int


Pieces = tuple[list[Piece], Values]
"""What is added up: products, and numbers that are the same at every step."""


@remembered(1)
def _fixed_layers(trace: Trace) -> frozenset[str]:
    """Layers that are made of parameters and constants alone."""
    found: set[str] = set()
    for layer in trace.layers:
        if layer.kind in ("parameter", "constant") or (layer.reads and not layer.weights and found.issuperset(
                layer.reads)):
            found.add(layer.name)
    return frozenset(found)


def _fixed(trace: Trace, name: str) -> bool:
    return name in _fixed_layers(trace)


def _affine(trace: Trace, name: str, rows: Values | None, known: set[str]) -> Pieces:
    """A sum as products of weights with layers; LookupError where it is none. `known` are the parameters that were
    found to be weights, and more are added."""
    layer = trace[name]
    rows = np.arange(layer.output.size) if rows is None else rows
    if _weighs(layer):
        weight = np.asarray(layer.weights["weight"], np.float64)
        places, units = np.divmod(rows, len(weight))
        if len(set(places.tolist())) != 1:
            raise LookupError(f"{name} is the sum of several places.")
        bias = np.asarray(layer.weights["bias"], np.float64)[units] if "bias" in layer.weights else np.zeros(len(rows))
        return _pieces(trace, trace.inputs(layer)[0], int(places[0]) * weight.shape[1], weight[units]), bias
    if _contracts(layer):
        return _contracted(trace, layer, rows, known)
    if kinds.role(layer) == "sum" and len(layer.reads) == 2 and layer.settings.get("alpha", 1) == 1 \
            and adds(layer):
        found: list[Piece] = []
        total = np.zeros(len(rows))
        for part in trace.inputs(layer):
            if part.output.size == layer.output.size:
                more, added = _affine(trace, part.name, rows, known)
            elif _fixed(trace, part.name):
                more, added = [], np.broadcast_to(part.output, layer.shape).ravel()[rows].astype(np.float64)
            else:
                raise LookupError(f"{name} is no sum of two layers of one size.")
            found, total = found + more, total + added
        return found, total
    moved = origins(layer, trace.inputs(layer))
    if moved is not None and len(layer.reads) == 1 and (moved[rows] >= 0).all():
        return _affine(trace, layer.reads[0], moved[rows], known)
    if _fixed(trace, name):
        return [], np.asarray(layer.output, np.float64).ravel()[rows]
    raise LookupError(f"{name} is no sum of products with weights.")


def _pieces(trace: Trace, source: Layer, start: int, matrix: Values) -> list[Piece]:
    """A product with numbers of a layer; with each part of its own where they were put side by side."""
    if kinds.role(source) == "join" and matrix.shape[1] == source.output.size:
        places, ends = origins(source, trace.inputs(source)), np.cumsum([0, *(
            part.output.size for part in trace.inputs(source))])
        if places is None or not np.array_equal(places, np.arange(ends[-1])):
            raise LookupError(f"{source.name} does not put its parts side by side.")
        return [Piece(matrix[:, first:last], _laid_out(trace, part).name, 0)
                for part, first, last in zip(trace.inputs(source), ends, ends[1:], strict=False)]
    return [Piece(matrix, _laid_out(trace, source).name, start)]


def _roots(trace: Trace, name: str) -> set[str]:
    """The parameters and constants that a layer is made of."""
    layer = trace[name]
    return {name} if not layer.reads else {root for read in layer.reads for root in _roots(trace, read)}


def _contracted(trace: Trace, layer: Layer, rows: Values, known: set[str]) -> Pieces:
    """A product with a matrix that is made of parameters, as its terms have it, and what it is added to."""
    *start, one, other = trace.inputs(layer)
    fixed = [part for part in (one, other) if _fixed(trace, part.name)]
    if len(fixed) == 2:  # the state before the first step may be fixed too: the weight is the one of later steps
        fixed = [part for part in fixed if not known.isdisjoint(_roots(trace, part.name))]
        if not fixed:
            return [], np.asarray(layer.output, np.float64).ravel()[rows]
    if len(fixed) != 1:
        raise LookupError(f"{layer.name} is no product with weights.")
    weight, read = fixed[0], other if fixed[0] is one else one
    known |= _roots(trace, weight.name)
    first, matrix = _matrix_of(trace, layer, weight, read, weight is one, rows)
    found, bias = _pieces(trace, read, first, matrix), np.zeros(len(rows))
    if not start:
        return found, bias
    if layer.settings.get("beta", 1) != 1:
        raise LookupError(f"{layer.name} scales what it adds to.")
    if _fixed(trace, start[0].name):
        return found, np.broadcast_to(start[0].output.ravel(), layer.output.size)[rows].astype(np.float64)
    if start[0].output.size != layer.output.size:
        raise LookupError(f"{layer.name} adds to what has another size.")
    more, bias = _affine(trace, start[0].name, rows, known)
    return more + found, bias


def _matrix_of(trace: Trace, layer: Layer, weight: Layer, read: Layer, leads: bool, rows: Values
               ) -> tuple[int, Values]:
    """The rows of a matrix, and from which number of what is read on they are met; as it is where a product of
    matrices is one with a single row, else as the terms of each number have it."""
    alpha, whole = float(layer.settings.get("alpha", 1.0)), np.squeeze(np.asarray(weight.output, np.float64))
    if "equation" not in layer.settings and whole.ndim == 2:
        whole = whole if leads else whole.T
        if whole.shape == (layer.output.size, read.output.size):
            return 0, alpha * whole[rows]
    made = [kinds.terms(trace, layer.name, tuple(map(int, np.unravel_index(int(row), layer.shape)))).taps[-1]
            for row in rows]
    cells = [taps.cells if taps.source == read.name else taps.weight_cells for taps in made]
    numbers = [taps.weights if taps.source == read.name else taps.values * alpha for taps in made]
    columns = np.array([np.ravel_multi_index(tuple(np.asarray(found).T), read.shape) for found in cells])
    first, last = int(columns.min()), int(columns.max())
    matrix = np.zeros((len(rows), last - first + 1))
    np.put_along_axis(matrix, columns - first, np.array(numbers), axis=1)
    return first, matrix


# --- the whole --------------------------------------------------------------------------------------------------------

def _written(trace: Trace, steps: Sequence[Step]) -> Written:
    """LookupError where what was recorded is not what the equations give."""
    first, weighing = steps[0], set[str]()
    known = gates.family(first.family, first.nonlinearity)
    sums: list[dict[str, list[Pieces]]] = [
        {key: [_added(trace, group, weighing) for group in groups] for key, groups in step.sums.items()}
        for step in reversed(steps)][::-1]
    weights, reads, starts = _weights(trace, steps, sums, known.keys)
    inner = {key: np.stack([_held(trace, step, key) for step in steps])
             for key in (*known.keys, *(state for state in ("cell", "hidden") if state in first.held_by))}
    if "cell" in first.before:
        starts.append(first.before["cell"])
    width = weights["weight_ih"].shape[1]
    settings: dict[str, Any] = {"level": 0, "reverse": False, "place": 0, **_sequence(trace, reads, width)}
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
    _must_agree(known, s, weights, np.stack([trace[name].output.reshape(-1)[start:start + width]
                                             for name, start in reads]))
    if "update" in inner:
        s["hidden_new"] = (before["hidden_before"] @ weights["weight_hh"].T + weights["bias_hh"])[
            :, 2 * inner["new"].shape[1]:].astype(inner["new"].dtype)
    gradients = _gradients(trace, steps, known, s, weights["weight_hh"])
    layer = Layer(
        name=_named(trace, steps), kind=first.family, axes=("step", "unit"), settings=settings,
        reads=(*(name for name, _ in (reads if settings["one_by_one"] else reads[:1])), *names),
        output=inner["hidden"], gradient=gradients.get("hidden"),
        weights={key: array.astype(inner["hidden"].dtype) for key, array in weights.items()}, inner=inner,
        inner_gradients=gradients, why="" if gradients else trace[steps[-1].held_by["hidden"]].why)
    return Written(layer, {key: tuple(step.held_by[key] for step in steps) for key in first.held_by})


def _held(trace: Trace, step: Step, key: str) -> Values:
    """(unit,): a gate or state as it was recorded."""
    found: Values = trace[step.held_by[key]].output.reshape(-1)
    return found


def _added(trace: Trace, group: Sequence[Sum], known: set[str]) -> Pieces:
    """All that is added up, with one matrix for each layer that is multiplied."""
    found: dict[tuple[str, int], Piece] = {}
    wide = max(trace[name].output.size if rows is None else len(rows) for name, rows in group)
    total = np.zeros(wide)
    for name, rows in group:
        layer = trace[name]
        if rows is None and layer.output.size != wide:
            if not _fixed(trace, name):
                raise LookupError(f"{name} has another size than what it is added to.")
            total = total + np.broadcast_to(layer.output.ravel(), wide)
            continue
        pieces, bias = _affine(trace, name, rows, known)
        total = total + bias
        for piece in pieces:
            same = found.get((piece.source, piece.start))
            if same is not None and same.matrix.shape != piece.matrix.shape:
                raise LookupError(f"{piece.source} is multiplied with matrices of two shapes.")
            found[piece.source, piece.start] = piece if same is None else replace(
                piece, matrix=same.matrix + piece.matrix)
    return list(found.values()), total


def _sequence(trace: Trace, reads: Sequence[tuple[str, int]], width: int) -> dict[str, Any]:
    """Whether each step reads a layer of its own, or all of them one, step after step."""
    if all(start == 0 and trace[name].output.size == width for name, start in reads):
        return {"one_by_one": True}
    if len({name for name, _ in reads}) == 1 and [start for _, start in reads] == [
            step * width for step in range(len(reads))] and trace[reads[0][0]].output.size == width * len(reads):
        return {"one_by_one": False, "sequences": 1}
    raise LookupError("Its steps read parts of layers in no order that is known.")


def _named(trace: Trace, steps: Sequence[Step]) -> str:
    """What the recurrence is called: as the module that weighs its state, or as what makes that."""
    for layer in trace.readers(steps[0].held_by["hidden"]):
        found = layer if _weighs(layer) else next(
            (reader for reader in trace.readers(layer.name) if _weighs(reader)), None) \
            if kinds.role(layer) == "join" else None
        if found is not None:
            return found.name.partition("#")[0]
    return steps[0].held_by["hidden"].partition("#")[0]


def _weights(trace: Trace, steps: Sequence[Step], sums: Sequence[Mapping[str, list[Pieces]]], keys: Sequence[str]
             ) -> tuple[dict[str, Values], list[tuple[str, int]], list[str]]:
    """Weights as torch has them; what every step reads, and from which place on; and the state before the first."""
    read, state, bias, bias_state, starts = [], [], [], [], set()
    sources: list[set[tuple[str, int]]] = [set() for _ in steps]
    for key in keys:
        per_step = [[piece for pieces, _ in step[key] for piece in pieces] for step in sums]
        if len({len(pieces) for pieces in per_step}) > 1:
            raise LookupError("Its steps are not made in the same way.")
        of_state = [place for place, piece in enumerate(per_step[1]) if piece.source == steps[0].held_by["hidden"]]
        if len(of_state) != 1 or len(per_step[0]) != 2:
            raise LookupError("Its sums are not those of one layer that is read and of the state.")
        (at,) = of_state
        for step, pieces in enumerate(per_step):
            if step and pieces[at].source != steps[step - 1].held_by["hidden"]:
                raise LookupError("A step starts from another state than the one before.")
            sources[step].add((pieces[1 - at].source, pieces[1 - at].start))
        starts.add(per_step[0][at].source)
        read.append(per_step[0][1 - at].matrix)
        state.append(per_step[0][at].matrix)
        added = [one for _, one in sums[0][key]]
        bias.append(added[0])
        bias_state.append(added[1] if len(added) > 1 else np.zeros(len(added[0])))
    if any(len(found) != 1 for found in sources) or len(starts) != 1:
        raise LookupError("Its gates do not read the same.")
    if len({matrix.shape for matrix in read}) != 1 or len({matrix.shape for matrix in state}) != 1:
        raise LookupError("Its gates are of different sizes.")
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
