"""Quantities of recurrent layers, step by step, worked out from the recording with numpy alone: the part of
tests/quantities.py about states, gates, what came back through them, and what the model says after a step.

Equations are PyTorch's; `inner` holds gates and states (step, unit) as recorded, everything else is made of these and
of the weights here, anew.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from tests.quantities import _named, array, layer_of, norm, quantity, words
from visualizer.trace import Layer, Trace

BOUNDS = {"a gate is shut": 0.1, "a gate is open": 0.9}
FAR = 0.9
ROWS = {"lstm": ("input", "forget", "candidate", "output_gate"), "gru": ("reset", "update", "new"),
        "rnn": ("preactivation",)}
"""What is made of the rows of the weights, block by block."""
GATES = {"lstm": 3, "gru": 2, "rnn": 0}
SEEN = {" ": "␣", "\n": "↵", "\t": "⇥"}
"""Letters that cannot be seen, and the signs that stand for them."""

quantity("one")(lambda trace, said: 1)
quantity("bound")(lambda trace, said: BOUNDS[said.array])
quantity("temperature")(lambda trace, said: float(said.array))
quantity("number of a component")(lambda trace, said: said.cell[0] + 1)
quantity("how many units")(lambda trace, said: _named(layer_of(trace, said.layer), said.array or "output").shape[-1])
quantity("how many gates")(lambda trace, said: GATES[_family(layer_of(trace, said.layer))])


# --- words ------------------------------------------------------------------------------------------------------------

@words("word read")
def word_read(trace: Trace, said: Any) -> str:
    """One word a step, or nothing is known of what is read."""
    read, layer = _words_read(trace, said.layer), layer_of(trace, said.layer)
    assert len(read) == _steps(layer), said
    return SEEN.get(read[said.step], read[said.step])


def _words_read(trace: Trace, name: str) -> list[str]:
    """Of the sample; of the calls of a decoder what each looked up; of one that is told symbols these."""
    layer = layer_of(trace, name)
    told = [each.layer for each in trace.fed if each.name == "told"]
    if told and layer.reads[0] in trace and trace[layer.reads[0]].reads[:1] == (told[0],):
        labels = trace.answers[0].labels
        return [labels[number] if number < len(labels) else "–" for number in trace[told[0]].output.ravel().tolist()]
    if name in trace or len(trace.sample.steps) == _steps(layer):
        return list(trace.sample.steps)
    return [_label_looked_up(trace, layer.reads[step]) for step in range(_steps(layer))]


def _label_looked_up(trace: Trace, name: str) -> str:
    """Of a decoder's step: what the one number that was looked up for it is called."""
    while trace[name].kind not in ("embedding", "one_hot"):
        name = trace[name].reads[0]
    return str(trace.labels[int(trace[trace[name].reads[0]].output.item())])


@words("text read")
def text_read(trace: Trace, said: Any) -> str:
    """Letters up to a step, the last 24 of them."""
    read = _words_read(trace, said.layer)
    assert len(read) == _steps(layer_of(trace, said.layer))
    assert not _reverse(layer_of(trace, said.layer))
    text = "".join(read[:said.step + 1]).replace("\n", "↵")
    return "…" + text[-24:] if len(text) > 24 else text


@words("why nothing came back")
def why(trace: Trace, said: Any) -> str:
    """What the recording says of the layer, without the dot at its end."""
    return layer_of(trace, said.layer).why.rstrip(".")


@words("label")
def label(trace: Trace, said: Any) -> str:
    return _label(trace, said.cell[-1])


@words("likeliest label")
def likeliest(trace: Trace, said: Any) -> str:
    return _label(trace, int(np.argmax(_chances(trace, said)[said.step])))


@words("likeliest label if stopped")
def likeliest_so_far(trace: Trace, said: Any) -> str:
    return _label(trace, int(np.argmax(_stopped(trace, said)[said.step])))


@words("symbols spelled")
def spelled(trace: Trace, said: Any) -> str:
    """From one frame to another: the likeliest of each, no two of the same side by side, no blanks (Graves 2006)."""
    first, last = said.cell
    path = [int(np.argmax(row)) for row in _chances(trace, said)[first:last + 1]]
    blank = next(int(answer.settings["blank"]) for answer in trace.answers if "blank" in answer.settings)
    return " ".join(_label(trace, now) for before, now in zip([-1, *path], path, strict=False)
                    if now not in (before, blank))


def _label(trace: Trace, index: int) -> str:
    found = trace.labels[index] if index < len(trace.labels) else str(index)
    return SEEN.get(found, found)


# --- states -----------------------------------------------------------------------------------------------------------

@quantity("norm of the state at the start")
def start(trace: Trace, said: Any) -> float:
    layer = layer_of(trace, said.layer)
    return norm(_before(trace, layer, "hidden", _steps(layer) - 1 if _reverse(layer) else 0))


@quantity("how far the state moves")
def moves(trace: Trace, said: Any) -> float:
    return norm(_move(trace, said, "hidden"))


@quantity("how far units move on average")
def moves_on_average(trace: Trace, said: Any) -> float:
    return float(np.abs(_move(trace, said, said.array.removeprefix("inner."))).mean())


@quantity("largest norm so far")
def largest_norm(trace: Trace, said: Any) -> float:
    """Of the steps to which the gradient has come: it goes the other way round than the layer reads."""
    rows = array(trace, said._replace(step=None))
    came = rows[:said.step + 1] if _reverse(layer_of(trace, said.layer)) else rows[said.step:]
    return float(np.max([norm(row) for row in came]))


@quantity("far from 0")
def far(trace: Trace, said: Any) -> float:
    """Nine tenths of what the colours reach to: ±1 of a state that a tanh made, else what 99 of 100 are within."""
    layer = layer_of(trace, said.layer)
    tanh = said.array == "inner.hidden" and layer.settings.get("nonlinearity", "tanh") == "tanh" and \
        "unprojected" not in layer.inner
    return FAR * (1.0 if tanh else float(np.percentile(np.abs(array(trace, said)), 99)) or 1.0)


@quantity("share of units far from 0")
def share_far(trace: Trace, said: Any) -> float:
    return float((np.abs(array(trace, said)) > far(trace, said._replace(step=None))).mean())


@quantity("variance in the plane")
def variance(trace: Trace, said: Any) -> float:
    """Of the two directions in which the states differ most, or of one of them."""
    sizes, _, _ = _axes(trace, said)
    shares = sizes / sizes.sum() if sizes.sum() > 0 else np.zeros(2)
    return float(shares[said.cell[0]] if said.cell else shares[:2].sum())


@quantity("how far the state moves in the plane")
def moves_in_plane(trace: Trace, said: Any) -> float:
    _, axes, centred = _axes(trace, said)
    layer = layer_of(trace, said.layer)
    other = said.step + 1 if _reverse(layer) else said.step - 1
    return norm((centred[said.step] - centred[other]) @ axes)


def _axes(trace: Trace, said: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Eigenvalues of the covariance of the states from the largest on (at least two), the first two eigenvectors as
    columns, and the states around their mean."""
    states = np.asarray(layer_of(trace, said.layer).inner["hidden"], np.float64)
    known = np.isfinite(states).all(axis=1)
    states = states - states[known].mean(axis=0)
    values, vectors = np.linalg.eigh(states[known].T @ states[known])
    sizes = np.maximum(values[::-1], 0.0)
    return np.append(sizes, np.zeros(2)), vectors[:, ::-1][:, :2], states


def _move(trace: Trace, said: Any, state: str) -> np.ndarray:
    layer = layer_of(trace, said.layer)
    states = np.asarray(layer.inner[state], np.float64)
    earlier = said.step + 1 if _reverse(layer) else said.step - 1
    return states[said.step] - (states[earlier] if 0 <= earlier < len(states) else
                                _before(trace, layer, state, said.step))


def _before(trace: Trace, layer: Layer, state: str, step: int) -> np.ndarray:
    """The state that a step starts from: that of the step read just before, or what the layer starts with."""
    known = np.asarray(layer.inner[state], np.float64)
    if begins := layer.settings.get("begins"):  # other layers stand between the steps
        read = begins[state][step]
        first = int(layer.settings.get("place", 0)) * known.shape[1]
        return np.asarray(trace[read].output, np.float64).ravel()[first:first + known.shape[1]] if read else \
            np.zeros(known.shape[1])
    earlier = step + 1 if _reverse(layer) else step - 1
    if 0 <= earlier < len(known):
        return known[earlier]
    given = {name: layer.settings.get(f"initial_{name}", "zero") for name in ("hidden", "cell")}
    if given[state] == "zero":
        return np.zeros(known.shape[1])
    if given[state] == "learned":
        return np.asarray(layer.weights[f"initial_{state}"], np.float64).ravel()
    source = layer.reads[_sequences(layer) + (state == "cell" and given["hidden"] == "read")]
    first = int(layer.settings.get("place", 0)) * known.shape[1]
    return np.asarray(trace[source].output, np.float64).ravel()[first:first + known.shape[1]]


# --- what stands in the cell ------------------------------------------------------------------------------------------

@quantity("in the cell")
def in_the_cell(trace: Trace, said: Any) -> float:
    """One number of a step, named by `array`; of the unit in `cell`, or the mean of all."""
    row = _numbers(trace, layer_of(trace, said.layer), said.step)[said.array.removeprefix("size of ")]
    value = row[said.cell[0]] if said.cell else row.mean()
    return float(abs(value) if said.array.startswith("size of ") else value)


def _numbers(trace: Trace, layer: Layer, step: int) -> dict[str, np.ndarray]:
    """(unit,) each."""
    kind = _family(layer)
    s = {key: np.asarray(values, np.float64)[step] for key, values in layer.inner.items()}
    s |= {f"{state}_before": _before(trace, layer, state, step) for state in ("hidden", "cell") if state in s}
    weights = {name: np.asarray(values, np.float64) for name, values in layer.weights.items()}
    none = np.zeros(len(weights["weight_hh"]))
    read = weights["weight_ih"] @ _read(trace, layer, step)
    again = weights["weight_hh"] @ s["hidden_before"]
    biases = weights.get("bias_ih", none), weights.get("bias_hh", none)
    for block, key in enumerate(ROWS[kind]):
        here = slice(block * len(none) // len(ROWS[kind]), (block + 1) * len(none) // len(ROWS[kind]))
        state, bias = again[here], biases[0][here] + biases[1][here]
        if key == "new":
            s["hidden_new"], bias = again[here] + biases[1][here], biases[0][here]
            state = s["reset"] * s["hidden_new"]
            s["new.fed"] = read[here] + bias
        s |= {f"{key}.read": read[here], f"{key}.state": state, f"{key}.bias": bias,
              f"{key}.sum": read[here] + state + bias}
    if kind == "lstm":
        s["opened"] = np.tanh(s["cell"])
        s |= {"kept": s["forget"] * s["cell_before"], "added": s["input"] * s["candidate"],
              "shown": s["output_gate"] * s["opened"]}
    if kind == "gru":
        s["open to the new"] = 1 - s["update"]
        s |= {"kept": s["update"] * s["hidden_before"], "added": s["open to the new"] * s["new"]}
    return s


def _read(trace: Trace, layer: Layer, step: int) -> np.ndarray:
    """x of a step."""
    if layer.settings.get("one_by_one"):
        return np.asarray(trace[layer.reads[step]].output, np.float64).ravel()
    return np.concatenate([np.asarray(trace[name].output, np.float64).reshape(_steps(layer), -1)[step]
                           for name in layer.reads[:_sequences(layer)]])


def _sequences(layer: Layer) -> int:
    return _steps(layer) if layer.settings.get("one_by_one") else int(layer.settings.get("sequences", 1))


# --- what came back through it ----------------------------------------------------------------------------------------

@quantity("size of gradient in the cell")
def size_in_the_cell(trace: Trace, said: Any) -> float:
    """Of one unit its size, of all of them ∥·∥; or which share of one is left in another."""
    came = _came(trace, layer_of(trace, said.layer), said.step, said.cell)
    line = "cell" if "cell" in came else "hidden"
    whole = [name for name, row in came.items()  # a projected state has no number that is a unit's own
             if name.startswith(("way", "through", "handed")) or len(row) < len(came[line])]
    chosen = {name: norm(row[[*said.cell]] if said.cell and name not in whole else row) for name, row in came.items()}
    if said.array == "share that the line keeps":
        return chosen["kept"] / chosen[line] if chosen[line] else float("nan")
    if said.array == "share that is left":
        return chosen["handed on"] / chosen["hidden"] if chosen["hidden"] else 0.0
    return chosen[said.array]


def _came(trace: Trace, layer: Layer, step: int, unit: tuple[int, ...]) -> dict[str, np.ndarray]:
    """(unit,) each; ways to the step before are those of one unit alone where one is chosen."""
    kind, s = _family(layer), _numbers(trace, layer, step)
    g = {key: np.asarray(values, np.float64)[step] for key, values in layer.inner_gradients.items()
         if len(values) == _steps(layer)}
    found = {"hidden": g["hidden"], "own": g.get("hidden_direct", np.zeros_like(g["hidden"]))}
    found["later"] = found["hidden"] - found["own"]
    recurrent = np.asarray(layer.weights["weight_hh"], np.float64).reshape(len(ROWS[kind]), -1, g["hidden"].shape[0])
    ways = []
    for block, key in enumerate(ROWS[kind]):
        at_sum = g["hidden_new" if key == "new" else key if kind == "rnn" else f"{key}_preactivation"]
        mask = np.isin(np.arange(len(at_sum)), unit) if unit else np.ones(len(at_sum))
        ways.append((at_sum * mask) @ recurrent[block])
        found |= {f"way through {key}": ways[-1], f"{key}.leaves": at_sum,
                  f"{key}.arrives": g["hidden" if kind == "rnn" else key]}
    found["through the gates"] = found["handed on"] = np.sum(ways, axis=0)
    if kind == "lstm":
        found["cell"], found["kept"] = g["cell"], s["forget"] * g["cell"]
        found["opens"] = g.get("unprojected", g["hidden"]) * s["output_gate"]
        found["to_cell"] = found["opens"] / np.cosh(s["cell"]) ** 2
        found["cell_later"] = g["cell"] - found["to_cell"]
    if kind == "gru":
        found |= {"kept": s["update"] * g["hidden"], "mixed": s["open to the new"] * g["hidden"],
                  "sum": g["new_preactivation"]}
        kept = found["kept"] * (np.isin(np.arange(len(found["kept"])), unit) if unit else 1.0)
        found["handed on"] = found["through the gates"] + kept
    return found


@quantity("how many steps back")
def steps_back(trace: Trace, said: Any) -> float:
    return abs(said.step - _entered(layer_of(trace, said.layer)))


@quantity("share of the gradient that entered")
def share_of_entered(trace: Trace, said: Any) -> float:
    rows = np.asarray(layer_of(trace, said.layer).inner_gradients["hidden"], np.float64)
    return norm(rows[said.step]) / norm(rows[_entered(layer_of(trace, said.layer))])


def _entered(layer: Layer) -> int:
    """The step, last in the order of reading, at which there is any gradient."""
    some = np.flatnonzero(np.any(np.asarray(layer.inner_gradients["hidden"]) != 0, axis=1))
    return int(some[0] if _reverse(layer) else some[-1])


@quantity("norm of gradient of what a step reads")
def norm_of_read(trace: Trace, said: Any) -> float:
    return norm(_lines(trace, said)[said.step])


@quantity("step whose reading has the largest gradient")
def largest_read(trace: Trace, said: Any) -> float:
    return int(np.argmax([norm(line) for line in _lines(trace, said)])) + 1


def _lines(trace: Trace, said: Any) -> np.ndarray:
    """(step, number): the gradient by step, where steps are rows or columns of a picture of one channel, or rows."""
    found = np.asarray(layer_of(trace, said.layer).gradient, np.float64)
    found = found[0] if found.ndim == 3 else found
    return found if said.array == "rows" else found.T


# --- what the model says after a step ---------------------------------------------------------------------------------

@quantity("chance")
def chance(trace: Trace, said: Any) -> float:
    return float(_chances(trace, said)[said.step, said.cell[0]])


@quantity("bits of surprise")
def surprise(trace: Trace, said: Any) -> float:
    some = _chances(trace, said)[said.step]
    return float(np.log2(1 / some[some > 0]) @ some[some > 0])


@quantity("bits of surprise at most")
def most_surprise(trace: Trace, said: Any) -> float:
    return float(np.log2(layer_of(trace, said.layer).shape[-1]))


@quantity("chance if stopped")
def chance_so_far(trace: Trace, said: Any) -> float:
    return float(_stopped(trace, said)[said.step, said.cell[0]])


@quantity("answer if stopped")
def answer_so_far(trace: Trace, said: Any) -> float:
    return float(_stopped(trace, said)[said.step, said.cell[0]])


def _chances(trace: Trace, said: Any) -> np.ndarray:
    """(step, class): as the layer answers, or what a softmax makes of it; `array` may be a temperature."""
    values = np.asarray(layer_of(trace, said.layer).output, np.float64)
    shares = (values >= 0).all() and np.allclose(values.sum(axis=1), 1, atol=1e-3)
    scores = np.log(np.maximum(values, 1e-300)) if shares else values
    return _softmax(scores / float(said.array or 1))


def _stopped(trace: Trace, said: Any) -> np.ndarray:
    """(step, answer): what the layers after a recurrent one make of the state of each step."""
    layer, values = layer_of(trace, said.layer), np.asarray(layer_of(trace, said.layer).inner["hidden"], np.float64)
    answers = {answer.layer for answer in trace.answers}
    while layer.name not in answers:
        layer = next(each for each in trace if layer.name in each.reads and each.output.ndim and each.kind != "loss")
        if "weight" in layer.weights:
            values = values @ np.asarray(layer.weights["weight"], np.float64).T + layer.weights.get("bias", 0.0)
        elif layer.kind in CURVES:
            values = CURVES[layer.kind](values)
    return values


def _softmax(values: np.ndarray) -> np.ndarray:
    powers = np.exp(values - values.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


CURVES = {"softmax": _softmax, "relu": lambda x: np.maximum(x, 0), "tanh": np.tanh,
          "sigmoid": lambda x: 1 / (1 + np.exp(-x))}
"""What layers without weights make of what they read; all others hand it on."""


# --- the layer --------------------------------------------------------------------------------------------------------

def _family(layer: Layer) -> str:
    return layer.kind.removesuffix("_cell")


def _steps(layer: Layer) -> int:
    return len(layer.inner["hidden"])


def _reverse(layer: Layer) -> bool:
    return bool(layer.settings.get("reverse", False))


# --- what stands on axes and beside them ------------------------------------------------------------------------------

@quantity("number in the word read")
def number_read(trace: Trace, said: Any) -> float:
    """Of `row 12`."""
    return float(trace.sample.steps[said.step].split()[-1])


@quantity("how many steps with padding")
def steps_with_padding(trace: Trace, said: Any) -> float:
    return max(len(other.output) for name in (said.layer, *trace[said.layer].reads)
               if (other := layer_of(trace, name)).axes[:1] == ("step",))


quantity("largest norm of gradient of a step")(lambda trace, said: _norms_back(trace, said).max())
quantity("floor of the norms of steps")(lambda trace, said: _norms_back(trace, said).max() * 10.0 ** -float(said.array))


def _norms_back(trace: Trace, said: Any) -> np.ndarray:
    """(step,)"""
    rows = np.asarray(layer_of(trace, said.layer).inner_gradients["hidden"], np.float64)
    return np.array([norm(row) for row in rows])


@quantity("step before")
def step_before(trace: Trace, said: Any) -> float:
    """In the order of reading, from 1; 0 and the one after the last are what the layer starts from."""
    layer = layer_of(trace, said.layer)
    return said.step + 2 if _reverse(layer) else said.step


quantity("step with padding")(lambda trace, said: said.step + 1)
quantity("how many numbers a step reads")(lambda trace, said: _read(trace, layer_of(trace, said.layer), 0).size)


@quantity("largest size of what is read")
def largest_of_read(trace: Trace, said: Any) -> float:
    layer = layer_of(trace, said.layer)
    return max(float(np.abs(_read(trace, layer, step)).max()) for step in range(_steps(layer)))


@quantity("largest gradient of what is read")
def largest_gradient_of_read(trace: Trace, said: Any) -> float:
    """Of one number, or of the row that a symbol was turned into."""
    back = np.asarray(layer_of(trace, said.layer).gradient, np.float64)
    return max(map(norm, back)) if said.array == "symbols" else float(np.abs(back).max())


@quantity("how many weights of all")
def weights_of_all(trace: Trace, said: Any) -> float:
    """Those that every step uses; not a state that the layer starts from."""
    return sum(array.size for name, array in layer_of(trace, said.layer).weights.items() if "initial" not in name)


@quantity("norm of gradient of symbols")
def norm_of_symbols(trace: Trace, said: Any) -> float:
    table, = (reader for reader in trace.readers(said.layer) if reader.kind == "embedding")
    return norm(np.asarray(table.gradient, np.float64))


# --- gates and states as columns --------------------------------------------------------------------------------------

quantity("share of gates that are shut")(lambda trace, said: float((array(trace, said) < 0.1).mean()))
quantity("share of gates that are open")(lambda trace, said: float((array(trace, said) > 0.9).mean()))
quantity("zero")(lambda trace, said: 0)
quantity("two")(lambda trace, said: 2)
quantity("millionth of the largest size")(lambda trace, said: float(np.abs(array(trace, said)).max()) * 1e-6)
quantity("most that has a colour")(lambda trace, said: far(trace, said) / FAR)
quantity("least that has a colour")(lambda trace, said: -far(trace, said) / FAR)
quantity("how many have no colour")(
    lambda trace, said: int((np.abs(array(trace, said)) > far(trace, said) / FAR).sum()))
quantity("share that has a colour")(
    lambda trace, said: float((np.abs(array(trace, said)) <= far(trace, said) / FAR).mean()))


@quantity("largest gradient of a gate")
def largest_of_gates(trace: Trace, said: Any) -> float:
    layer = layer_of(trace, said.layer)
    gates = {"lstm": ("forget", "input", "output_gate"), "gru": ("reset", "update")}[_family(layer)]
    return max(float(np.abs(layer.inner_gradients[key]).max()) for key in gates)


@quantity("share of saturated gates")
def saturated_gates(trace: Trace, said: Any) -> float:
    layer = layer_of(trace, said.layer)
    gates = {"lstm": ("forget", "input", "output_gate"), "gru": ("reset", "update")}[_family(layer)]
    row = np.concatenate([layer.inner[key][said.step] for key in gates])
    return float(((row < 0.05) | (row > 0.95)).mean())


@quantity("share of saturated units")
def saturated_units(trace: Trace, said: Any) -> float:
    return float((np.abs(layer_of(trace, said.layer).inner["hidden"][said.step]) > 0.9).mean())


@quantity("largest of its lines")
def largest_of_lines(trace: Trace, said: Any) -> float:
    """Of all units and all lines of what `array` is made of; 1 where all lie in a gate's range."""
    layer, key = layer_of(trace, said.layer), said.array
    row = _numbers(trace, layer, said.step)
    if key in ("cell", "hidden") and _family(layer) != "rnn":
        names = ["kept", "added", key] if key == "cell" or _family(layer) == "gru" else [
            "output_gate", "opened", *(("unprojected",) if "unprojected" in row else ()), key]
    elif _family(layer) == "rnn":
        names = ["preactivation", key] if key == "hidden" else [f"{key}.read", f"{key}.state", f"{key}.bias", key]
    else:
        names = [f"{key}.{'fed' if key == 'new' else 'read'}", f"{key}.state",
                 *(() if key == "new" else (f"{key}.bias",)), f"{key}.sum", key]
    gates = ("forget", "input", "output_gate", "reset", "update")
    if key in (*gates, "candidate", "new") or (key == "hidden" and _most(layer, "hidden") == 1.0):
        names.remove(key)  # what a curve made has a scale of its own
    return max(float(np.abs(row[name]).max()) for name in names)


@quantity("most that a state may be")
def most_of_a_state(trace: Trace, said: Any) -> float:
    """A tanh ends at 1; else the largest there is."""
    return _most(layer_of(trace, said.layer), "hidden")


@quantity("most that a column may be")
def most_of_a_column(trace: Trace, said: Any) -> float:
    return 1.0 if said.array in ("candidate", "new") else _most(layer_of(trace, said.layer), said.array)


def _most(layer: Layer, state: str) -> float:
    """What a state comes from counts too, so that it must not be larger."""
    tanh = layer.settings.get("nonlinearity", "tanh") == "tanh" and "unprojected" not in layer.inner
    return 1.0 if state == "hidden" and tanh else float(np.abs(layer.inner[state]).max())


@quantity("size of gradient of a column")
def size_of_column(trace: Trace, said: Any) -> float:
    """Of one unit, or the norm of all; `cell_before` and `hidden_before` hold what goes to the step before."""
    layer = layer_of(trace, said.layer)
    came = _came(trace, layer, said.step, ())
    row = {"cell_before": came.get("kept"), "hidden_before": came["handed on"]}.get(said.array)
    if row is None:
        row = np.asarray(layer.inner_gradients[said.array], np.float64)[said.step]
    return norm(row[[*said.cell]] if said.cell else row)


@quantity("share of the gradient of a state that goes on")
def goes_on(trace: Trace, said: Any) -> float:
    came = _came(trace, layer_of(trace, said.layer), said.step, ())
    row, over = came[said.array], came["kept" if said.array == "cell" else "handed on"]
    return norm(over[[*said.cell]] if said.cell else over) / norm(row[[*said.cell]] if said.cell else row)


@quantity("share of the gradient of a state that is handed to the next")
def handed_to_next(trace: Trace, said: Any) -> float:
    """What a step got from the one that read it, beside what it got from outside."""
    layer = layer_of(trace, said.layer)
    rows = np.asarray(layer.inner_gradients["hidden"], np.float64)
    own = np.asarray(layer.inner_gradients.get("hidden_direct", 0 * rows), np.float64)
    after = said.step - 1 if _reverse(layer) else said.step + 1
    return norm(rows[said.step] - own[said.step]) / norm(rows[after])


@quantity("how a gradient falls over a step")
def falls(trace: Trace, said: Any) -> float:
    rows = _norms_back(trace, said)
    return rows[said.step + 1] / rows[said.step]


# --- answers of a step ------------------------------------------------------------------------------------------------

quantity("how many answers")(lambda trace, said: _chances(trace, said).shape[1])
quantity("how many answers if stopped")(lambda trace, said: _stopped(trace, said).shape[1])
quantity("how many other answers")(lambda trace, said: _chances(trace, said).shape[1] - said.cell[0])
quantity("how many other answers if stopped")(lambda trace, said: _stopped(trace, said).shape[1] - said.cell[0])
quantity("chance of all others")(lambda trace, said: _others(_chances(trace, said), said))
quantity("chance of all others if stopped")(lambda trace, said: _others(_stopped(trace, said), said))
quantity("answer")(lambda trace, said: layer_of(trace, said.layer).output[said.step, said.cell[0]])
words("label if stopped")(lambda trace, said: _label(trace, said.cell[-1]))


def _others(chances: np.ndarray, said: Any) -> float:
    """Without the so many likeliest ones."""
    return float(np.sort(chances[said.step])[:chances.shape[1] - said.cell[0]].sum())


@quantity("bits of surprise at what came")
def surprise_at(trace: Trace, said: Any) -> float:
    """At the symbol that the next step read."""
    return float(-np.log2(_chances(trace, said)[said.step, trace.labels.index(trace.sample.steps[said.step + 1])]))


@quantity("column")
def column(trace: Trace, said: Any) -> float:
    return said.step + 1


quantity("first column seen")(lambda trace, said: _seen(trace, said)[0] + 1)
quantity("last column seen")(lambda trace, said: _seen(trace, said)[1] + 1)


def _seen(trace: Trace, said: Any) -> tuple[int, int]:
    """Which columns of the picture a column of maps hangs on, kernel by kernel back to it."""
    layer, first, last = layer_of(trace, said.layer), said.step, said.step
    while layer.reads:
        if layer.kind == "conv2d" or "pool" in layer.kind:
            def of(name: str, otherwise: int, layer: Layer = layer) -> int:
                found = layer.settings.get(name, otherwise)
                return int(found[-1]) if isinstance(found, tuple | list) else int(found)
            kernel = layer.weights["weight"].shape[-1] if layer.kind == "conv2d" else of("kernel_size", 1)
            stride = of("stride", kernel if "pool" in layer.kind else 1)
            first = first * stride - of("padding", 0)
            last = last * stride - of("padding", 0) + (kernel - 1) * of("dilation", 1)
        layer = trace[layer.reads[0]]
    return max(0, first), min(layer.shape[-1] - 1, last)


quantity("nearest power of ten of the norm")(lambda trace, said: 10.0 ** round(np.log10(norm(array(trace, said)))))
quantity("nearest power of ten of the size of gradient of a column")(
    lambda trace, said: 10.0 ** round(np.log10(size_of_column(trace, said))))


quantity("seed")(lambda trace, said: float(said.array))


@quantity("where a seed falls")
def seed_falls(trace: Trace, said: Any) -> float:
    """The first 48 bits of SHA-256 of seed and step, as a share."""
    return int.from_bytes(hashlib.sha256(f"{said.array}:{said.step}".encode()).digest()[:6], "big") / 2 ** 48


@quantity("rank of an answer")
def rank(trace: Trace, said: Any) -> float:
    row = _chances(trace, said)[said.step]
    return 1 + int((row > row[said.cell[0]]).sum())


quantity("how many answers could come true")(lambda trace, said: len(_chances(trace, said)) - 1)


@quantity("how many answers came true")
def came_true(trace: Trace, said: Any) -> float:
    best = _chances(trace, said).argmax(axis=1)[:-1]
    return sum(trace.labels[index] == word for index, word in zip(best, trace.sample.steps[1:], strict=True))
