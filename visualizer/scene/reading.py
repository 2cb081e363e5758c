"""Reading: what a layer that hides time did, step by step, as the views of recurrent networks look at it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from visualizer.scene.timeline import Moment, in_beat
from visualizer.trace import Layer, Trace

Values = NDArray[np.float64]

GATES = {
    "lstm": (("forget", "forget gate"), ("input", "input gate"), ("output_gate", "output gate")),
    "gru": (("reset", "reset gate"), ("update", "keep gate")),
    "rnn": (),
}
"""The sigmoid gates of each cell, in the order in which they are drawn. PyTorch's update gate z keeps the old state."""
NAMES = {"lstm": "LSTM", "gru": "GRU", "rnn": "RNN"}
SATURATED = (0.05, 0.95)
"""A sigmoid outside these hardly passes gradient on (Glorot and Bengio 2010 draw the same line)."""


@dataclass(frozen=True, eq=False)
class Reading:
    """One recurrent layer over one sequence. Steps count from 1 for people; rows of arrays from 0."""

    layer: Layer
    cell: str
    """`lstm`, `gru` or `rnn`."""
    words: tuple[str, ...]
    """What each step reads, short enough for a column."""
    states: Values
    """(step, unit): h_t."""
    gates: tuple[tuple[str, str, Values], ...]
    """(key, title, (step, unit))."""
    gradients: Values | None
    """(step, unit): dL/dh_t, all of it; None when nothing flowed back or only the fused output's own is known."""
    reverse: bool
    padded: int = 0
    """Steps of padding after the last one that is read: the sequence was packed without them."""

    @property
    def name(self) -> str:
        return NAMES.get(self.cell, self.cell)

    @property
    def steps(self) -> int:
        return int(self.states.shape[0])

    @property
    def units(self) -> int:
        return int(self.states.shape[1])

    @property
    def total(self) -> int:
        """How long the sequence is with its padding."""
        return self.steps + self.padded

    @cached_property
    def norms(self) -> Values | None:
        """∥∂L/∂h_t∥ of every step."""
        if self.gradients is None:
            return None
        sizes: Values = np.linalg.norm(self.gradients, axis=1)
        return sizes

    @cached_property
    def entered(self) -> int:
        """The last step, counted in the order of reading, through which gradient came; from 0."""
        norms = self.norms
        steps = [] if norms is None else [int(step) for step in np.flatnonzero(norms)]
        return (min(steps) if self.reverse else max(steps)) if steps else (0 if self.reverse else self.steps - 1)

    @cached_property
    def saturation(self) -> Values:
        """Share of gate values beyond 0.05 … 0.95 at every step; of a plain RNN the share of |h| above 0.9."""
        far = np.abs(self.states) > 0.9
        if self.gates:
            stacked = np.concatenate([values for _, _, values in self.gates], axis=1)
            far = (stacked < SATURATED[0]) | (stacked > SATURATED[1])
        shares: Values = np.mean(far, axis=1)
        return shares


def layers(trace: Trace) -> tuple[Layer, ...]:
    """The layers that hide time, in the order in which they ran."""
    return tuple(layer for layer in trace.layers if layer.inner and layer.axes == ("step", "unit"))


@lru_cache(maxsize=32)
def reading(trace: Trace, name: str) -> Reading:
    """A layer that hides time, as a Reading."""
    layer = trace[name]
    cell = layer.kind.removesuffix("_cell")
    states = np.asarray(layer.inner["hidden"], np.float64)
    gates = tuple((key, title, np.asarray(layer.inner[key], np.float64)) for key, title in GATES.get(cell, ())
                  if key in layer.inner)
    gradients = layer.inner_gradients.get("hidden")
    return Reading(layer, cell, words_of(trace, len(states)), states, gates,
                   None if gradients is None else np.asarray(gradients, np.float64),
                   bool(layer.settings.get("reverse", False)), _padding(trace, layer, len(states)))


def directions(trace: Trace, name: str) -> tuple[str, ...]:
    """The layers that read the same steps, one forwards and one in reverse; the layer alone if there is no other."""
    both = next((layer for layer in trace.layers if layer.kind == "both_directions" and name in layer.reads), None)
    return (name,) if both is None else both.reads


def first_level(trace: Trace, layer: Layer) -> Layer:
    """The layer that is read by the lowest recurrent layer under this one."""
    read = trace.inputs(layer)[0]
    while read.inner or read.kind in ("both_directions", "dropout"):
        read = trace.inputs(read)[0]
    return read


def _padding(trace: Trace, layer: Layer, steps: int) -> int:
    """How many steps of the sequence were left out when it was packed."""
    read = first_level(trace, layer)
    return len(trace.inputs(read)[0].output) - steps if read.kind == "pack_padded_sequence" else 0


def words_of(trace: Trace, steps: int) -> tuple[str, ...]:
    """What each step reads: the sample's own words if there is one for each step, else its number."""
    if len(trace.sample.steps) == steps:
        return tuple(visible(word) for word in trace.sample.steps)
    return tuple(str(step) for step in range(1, steps + 1))


def visible(word: str) -> str:
    """A character that can be seen: a space and a line end get a sign."""
    return {" ": "␣", "\n": "↵", "\t": "⇥"}.get(word, word)


def here(trace: Trace, moment: Moment, shown: Reading) -> int:
    """How many steps have been read at a moment, 0 … all; on the way back the step whose gradient is arriving."""
    order = [layer.name for layer in trace.layers]
    beat = moment.beat
    if in_beat(shown.layer, moment) and beat.step is not None:
        return beat.step
    before = order.index(beat.layer) < order.index(shown.layer.name)
    first, last = (shown.steps, 1) if shown.reverse else (1, shown.steps)
    if moment.backward:
        return first if before else last
    return 0 if before else last


def shown_layer(trace: Trace, moment: Moment, focused: str | None) -> Layer:
    """Which recurrent layer a view is about: the focused one if the beat is its own, else the beat's, else the last.

    Raises LookupError with one sentence where there is none.
    """
    found = {layer.name: layer for layer in layers(trace)}
    last = next(reversed(found.values()), None)
    wanted = found.get(focused or "")
    if wanted is not None and in_beat(wanted, moment):
        return wanted
    layer = found.get(moment.beat.layer) or wanted or last
    if layer is None:
        raise LookupError(f"{trace.title or trace.model} has no recurrent layer whose steps are known; choose another "
                          "view.")
    return layer


@lru_cache(maxsize=16)
def guesses(trace: Trace) -> Values | None:
    """(step, class): the probabilities the model gives at every step, recomputed from its logits in float64."""
    for layer in reversed(trace.layers):
        if layer.axes == ("step", "class"):
            values = np.asarray((trace.inputs(layer)[0] if layer.kind == "softmax" else layer).output, np.float64)
            shifted = np.exp(values - values.max(axis=1, keepdims=True))
            shares: Values = shifted / shifted.sum(axis=1, keepdims=True)
            return shares
    return None


@lru_cache(maxsize=16)
def foretells(trace: Trace) -> bool:
    """Whether the answer after a step is a guess at what comes next: the symbols read are those that are answered.

    Otherwise it is a verdict on what was read so far, or what a frame says.
    """
    known = set(trace.labels)
    return bool(trace.sample.steps) and all(step in known for step in trace.sample.steps) \
        and blank_of(trace) is None


@lru_cache(maxsize=16)
def blank_of(trace: Trace) -> int | None:
    """The class that means no symbol, for models trained with CTC."""
    said = next((answer.settings["blank"] for answer in trace.answers if "blank" in answer.settings), None)
    if said is not None:
        return int(said)
    loss = next((layer for layer in trace.layers if layer.kind == "ctc_loss"), None)
    return None if loss is None else int(loss.settings.get("blank", 0))


def entropy(probabilities: Values) -> float:
    """Bits of surprise to expect: −Σ p log₂ p; 0 log 0 counts nothing."""
    known = probabilities[probabilities > 0]
    return float(-(known * np.log2(known)).sum())


def label(trace: Trace, index: int) -> str:
    """The name of a class or symbol."""
    return visible(trace.labels[index]) if index < len(trace.labels) else str(index)


# --- one step, opened -----------------------------------------------------------------------------------------------

BLOCKS = {"lstm": ("input", "forget", "candidate", "output_gate"), "gru": ("reset", "update", "new"),
          "rnn": ("preactivation",)}
"""Which rows of the weights belong to which gate: PyTorch's order."""
TABS = {
    "lstm": (("forget", "Forget"), ("input", "Input"), ("candidate", "Candidate"), ("output_gate", "Output"),
             ("cell", "Cell"), ("hidden", "State")),
    "gru": (("reset", "Reset"), ("update", "Keep"), ("new", "Candidate"), ("hidden", "State")),
    "rnn": (("preactivation", "Sum"), ("hidden", "State")),
}


@dataclass(frozen=True, eq=False)
class Row:
    """One line of an opened cell: what it is, and its value for every unit."""

    words: str
    """With the markup of `picture.rich`."""
    values: Values
    result: bool = False


def opened(trace: Trace, shown: Reading, key: str, step: int) -> tuple[Row, ...]:
    """How one quantity of a step came about, line by line, for all units; recomputed in float64 from the weights.

    `step` counts from 0. Equations and order of gates are PyTorch's (two biases; r after the product).
    """
    inner = {name: np.asarray(values[step], np.float64) for name, values in shown.layer.inner.items()}
    before = step + 1 if shown.reverse else step - 1
    known = 0 <= before < shown.steps
    past = {name: np.asarray(values[before], np.float64) if known else np.zeros(values.shape[1])
            for name, values in shown.layer.inner.items()}
    if key == "cell":
        return (Row("_f_ ⊙ _c_ before", inner["forget"] * past["cell"]),
                Row("+ _i_ ⊙ _g_", inner["input"] * inner["candidate"]), Row("= _c_", inner["cell"], True))
    if key == "hidden" and shown.cell == "lstm":
        return (Row("_o_", inner["output_gate"]), Row("× tanh(_c_)", np.tanh(inner["cell"])),
                Row("= _h_", inner["hidden"], True))
    if key == "hidden" and shown.cell == "gru":
        keep = inner["update"]
        return (Row("(1 − _z_) ⊙ _n_", (1 - keep) * inner["new"]), Row("+ _z_ ⊙ _h_ before", keep * past["hidden"]),
                Row("= _h_", inner["hidden"], True))
    if key == "hidden":
        return Row("_a_", inner["preactivation"]), Row(f"{_function(shown)} = _h_", inner["hidden"], True)
    return _gate_rows(trace, shown, key, step, inner, past["hidden"])


def _function(shown: Reading) -> str:
    """What an RNN makes of its sum."""
    return {"relu": "max(0, _a_)", "sigmoid": "σ(_a_)", "linear": "_a_"}.get(
        shown.layer.settings.get("nonlinearity", "tanh"), "tanh(_a_)")


def _gate_rows(trace: Trace, shown: Reading, key: str, step: int, inner: dict[str, Values],
               state: Values) -> tuple[Row, ...]:
    weights = {name: np.asarray(values, np.float64) for name, values in shown.layer.weights.items()}
    units = len(weights["weight_hh"]) // len(BLOCKS[shown.cell])
    block = BLOCKS[shown.cell].index(key)
    rows = slice(block * units, (block + 1) * units)
    read = np.asarray(trace.inputs(shown.layer)[0].output[step], np.float64)
    from_input, from_state = weights["weight_ih"][rows] @ read, weights["weight_hh"][rows] @ state
    zero = np.zeros(units)
    bias_in = weights["bias_ih"][rows] if "bias_ih" in weights else zero
    bias_state = weights["bias_hh"][rows] if "bias_hh" in weights else zero
    if shown.cell == "gru" and key == "new":
        recalled = inner["reset"] * (from_state + bias_state)
        return (Row("_W x_ + _b_", from_input + bias_in), Row("+ _r_ ⊙ (_U h_ + _b_)", recalled),
                Row("= _a_", from_input + bias_in + recalled), Row("tanh(_a_) = _n_", inner[key], True))
    total = from_input + from_state + bias_in + bias_state
    last = {"forget": "σ(_a_) = _f_", "input": "σ(_a_) = _i_", "output_gate": "σ(_a_) = _o_", "reset": "σ(_a_) = _r_",
            "update": "σ(_a_) = _z_", "candidate": "tanh(_a_) = _g_", "preactivation": "= _a_"}[key]
    lines = [Row("_W x_", from_input), Row("+ _U h_", from_state), Row("+ _b_", bias_in + bias_state)]
    if key != "preactivation":
        lines.append(Row("= _a_", total))
    return (*lines, Row(last, inner[key], True))


def conclusion(key: str, value: float) -> str:
    """What one number of an opened cell means, in words."""
    share = f"{100 * value:.0f} %"
    return {"forget": f"so it keeps {share} of its memory", "update": f"so it keeps {share} of its state",
            "input": f"so it takes in {share} of the candidate", "output_gate": f"so it shows {share} of its memory",
            "reset": f"so it reads {share} of its past"}.get(key, "")
