"""Reading: what a layer that hides time did, step by step, as the views of recurrent networks look at it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds, titles
from visualizer.kinds import _steps as at
from visualizer.kinds import curves, gates
from visualizer.kinds.gates import Family, Quantity
from visualizer.kinds.shape import origins
from visualizer.language import in_quotes, listed, numeral, tr, translated
from visualizer.said import said
from visualizer.scene import absence, numbers
from visualizer.scene.cellnumbers import forward
from visualizer.scene.picture import literal
from visualizer.scene.timeline import Moment, in_beat
from visualizer.size import norms
from visualizer.trace import TOLD, Layer, Trace, remembered

Values = NDArray[np.float64]

MEASURED = re.compile(r"(?:[+-]?\d+(?:\.\d+)?(?:e[+-]\d+)?(?: |$))+s?")
"""What a step of numbers reads, or when it is heard."""


@dataclass(frozen=True, eq=False)
class Reading:
    """One recurrent layer over one sequence. Steps count from 1 for people; rows of arrays from 0."""

    layer: Layer
    family: Family
    """LSTM, GRU or RNN: its gates, its states, its equations."""
    words: tuple[str, ...]
    """What each step reads, short enough for a column."""
    states: Values
    """(step, unit): h_t."""
    gates: tuple[tuple[str, str, Values], ...]
    """(key, title, (step, unit))."""
    gradients: Values | None
    """(step, unit): dL/dh_t, all of it; None when nothing flowed back or only the fused output's own is known."""
    reverse: bool
    start: Values
    """(unit,): the state before the first step; zeros where none is given."""
    padded: int = 0
    """Steps of padding after the last one that is read: the sequence was packed without them."""
    worded: bool = False
    """Whether the sample has a word for each step; without one the words are the numbers of the steps."""

    @property
    def name(self) -> str:
        return self.family.title

    @property
    def steps(self) -> int:
        return int(self.states.shape[0])

    @property
    def units(self) -> int:
        return int(self.states.shape[1])

    @property
    def width(self) -> int:
        """How many units a gate has: as many as the state, unless the layer projects that."""
        return at.units(self.layer)

    @property
    def projected(self) -> bool:
        """Whether the state is made of other numbers than its gates and its memory: a unit of these is none of it."""
        return "unprojected" in self.layer.inner

    @property
    def squashed(self) -> bool:
        """Whether every number of its states lies between −1 and 1: what a tanh made, and no projection took on."""
        return not self.projected and bool(self.layer.settings.get("nonlinearity", "tanh") == "tanh")

    @property
    def total(self) -> int:
        """How long the sequence is with its padding."""
        return self.steps + self.padded

    @property
    def between(self) -> str:
        """The layers through which a state goes between two steps, in words; empty where it is handed on as it is."""
        return listed(list(self.layer.settings.get("between", ())))

    @cached_property
    def norms(self) -> Values | None:
        """∥∂L/∂h_t∥ of every step."""
        if self.gradients is None:
            return None
        sizes: Values = norms(self.gradients, 1)
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
        stacked = np.concatenate([values for _, _, values in self.gates], axis=1) if self.gates else self.states
        flat = curves.OF_SIGMOID if self.gates else curves.OF_TANH
        shares: Values = np.mean(flat.holds(stacked), axis=1)
        return shares


def layers(trace: Trace) -> tuple[Layer, ...]:
    """The layers that hide time, in the order in which they ran."""
    return tuple(layer for layer in trace.layers if layer.inner and layer.axes == ("step", "unit"))


@remembered(32)
def reading(trace: Trace, name: str) -> Reading:
    """A layer that hides time, as a Reading."""
    layer = trace[name]
    family = gates.family_of(layer)
    if family is None:
        raise LookupError(tr("{name} has no gates and no states.").format(name=name))
    states = np.asarray(layer.inner["hidden"], np.float64)
    opened = tuple((gate.key, translated(gate.name), np.asarray(layer.inner[gate.key], np.float64))
                   for gate in family.gates if gate.key in layer.inner)
    gradients = layer.inner_gradients.get("hidden")
    words = words_of(trace, len(states)) if _has_words(trace, len(states)) and _reads_them(trace, layer) else \
        tuple(map(visible, words_looked_up(trace, layer)))
    words = words or _told_words(trace, layer, len(states))
    worded = bool(words)
    return Reading(layer, family, words or _counted(len(states)), states, opened,
                   None if gradients is None else np.asarray(gradients, np.float64),
                   bool(layer.settings.get("reverse", False)),
                   np.asarray(at.Here(layer, trace.inputs(layer), at.first(layer))["hidden_before"], np.float64),
                   _padding(trace, layer, len(states)), worded)


@remembered(32)
def top_of(shown: Reading, key: str) -> float:
    """The size that has the strongest colour: 1 for tanh states; for what is unbounded (the LSTM's cell) the 99th
    percentile of its size."""
    if key == "hidden" and shown.squashed:
        return 1.0
    sizes = np.abs(np.asarray(shown.layer.inner[key], np.float64))
    known = sizes[np.isfinite(sizes)]
    return (float(np.percentile(known, 99)) if known.size else 0.0) or 1.0


def without_gradient(shown: Reading) -> str:
    """Why nothing came back to the states; empty where something did, and be it no number."""
    if shown.norms is not None and np.any(shown.norms):
        return ""
    why = said(absence.clause(shown.layer.why), "why nothing came back", shown.layer.name)
    return why or tr("nothing flowed back through it")


def directions(trace: Trace, name: str) -> tuple[str, ...]:
    """The layers that read the same steps, one forwards and one in reverse; the layer alone if there is no other."""
    both = next((layer for layer in trace.layers if kinds.role(layer) == "directions" and name in layer.reads), None)
    return (name,) if both is None else both.reads


def first_level(trace: Trace, layer: Layer) -> Layer:
    """The layer that is read by the lowest recurrent layer under this one."""
    read = trace.inputs(layer)[0]
    while read.inner or kinds.role(read) in ("directions", "dropout", "state"):
        read = trace.inputs(read)[0]
    return read


def _padding(trace: Trace, layer: Layer, steps: int) -> int:
    """How many steps of the sequence were left out when it was packed."""
    read = first_level(trace, layer)
    return len(trace.inputs(read)[0].output) - steps if kinds.role(read) == "packed" else 0


def words_of(trace: Trace, steps: int) -> tuple[str, ...]:
    """What each step reads: the sample's own words if there is one for each step, else its number."""
    return own_words(trace) if _has_words(trace, steps) else _counted(steps)


@remembered(1)
def own_words(trace: Trace) -> tuple[str, ...]:
    """The sample's own words of its steps; those that are numbers, `0.43`, `0.97 s`, as the language writes them."""
    return tuple(numeral(word) if MEASURED.fullmatch(word) else visible(titles.step(word))
                 for word in trace.sample.steps)


def _has_words(trace: Trace, steps: int) -> bool:
    return len(trace.sample.steps) == steps


def _reads_them(trace: Trace, layer: Layer) -> bool:
    """Whether what a layer reads comes from the input that the words of the sample are about: the first that has a
    step for each. A decoder that is as long as its encoder reads other words."""
    about = _worded_input(trace)
    if about is None:  # a picture, whose rows or windows are the steps
        return True
    seen, ahead = set(), [first_level(trace, layer).name]
    while ahead:
        if (name := ahead.pop()) not in seen:
            seen.add(name)
            ahead += trace[name].reads
    return about in seen


def _worded_input(trace: Trace) -> str | None:
    """The input that the words of the sample are about: the first that has a step for each."""
    count = len(trace.sample.steps)
    return next((each.name for each in trace.layers if each.is_input and each.shape[:1] == (count,)), None)


def words_looked_up(trace: Trace, layer: Layer) -> tuple[str, ...]:
    """What each step reads where it is a layer of its own, as in a decoder that reads what it answered: the word of the
    one number that was looked up for it. Nothing where one of them is not known."""
    if not layer.settings.get("one_by_one"):
        return ()
    words = [_word(trace, source) for source in trace.inputs(layer)[:at.sequences(layer)]]
    return () if "" in words else tuple(words)


def _told_words(trace: Trace, layer: Layer, steps: int) -> tuple[str, ...]:
    """What a decoder was told before each step, where that was given to it: the labels of these symbols, and nothing
    for the one to begin with."""
    table = first_level(trace, layer)
    source = trace.inputs(table)[0] if kinds.role(table) == "table" and table.reads else None
    told = {each.layer for each in trace.fed if each.name == TOLD}
    answer = next((each for each in trace.answers if "begin" in each.settings), None)
    if source is None or source.name not in told or source.output.size != steps or answer is None:
        return ()
    return tuple(visible(answer.labels[number]) if number < len(answer.labels) else "–"
                 for number in source.output.ravel().tolist())


def _word(trace: Trace, source: Layer) -> str:
    """The word that a layer was looked up by: that of the sample, where it was given, else the label of its number."""
    tables, ahead, seen = [], [source], set[str]()
    while ahead:
        layer = ahead.pop()
        if kinds.role(layer) == "table" or (layer.axes[-1:] == ("symbol",) and layer.output.dtype.kind in "iu"):
            tables.append(layer)
        elif layer.name not in seen and (not layer.weights if not layer.inner else at.steps(layer) == 1):
            seen.add(layer.name)
            ahead += trace.inputs(layer)[:1] if layer.inner else trace.inputs(layer)  # a level reads what one below did
    if len(tables) != 1 or trace.inputs(tables[0])[0].output.size != 1:
        return ""
    (table,) = tables
    token, place = trace.inputs(table)[0], 0
    number, symbols = int(token.output.ravel()[0]), len(table.weights["weight"]) if table.weights else table.shape[-1]
    while len(token.reads) == 1 and (found := origins(token, trace.inputs(token))) is not None:
        (token,), place = trace.inputs(token), int(found[place])
    if token.name == _worded_input(trace) and token.output.ndim == 1:
        return trace.sample.steps[place]
    return next((answer.labels[number] for answer in trace.answers if len(answer.labels) == symbols), "")


def _counted(steps: int) -> tuple[str, ...]:
    return tuple(str(step) for step in range(1, steps + 1))


def step_said(shown: Reading, step: int) -> str:
    """`7`: the number of a step."""
    return said(str(step + 1), "step", shown.layer.name, step=step)


def steps_said(shown: Reading) -> str:
    """`28`: how many steps there are."""
    return said(str(shown.steps), "how many steps", shown.layer.name)


def word_said(shown: Reading, step: int) -> str:
    """What a step reads."""
    return said(shown.words[step], "word read", shown.layer.name, step=step)


def number_said(shown: Reading, step: int) -> str:
    """`12` of `row 12`; where a step reads no word with a number, its own."""
    before, _, number = shown.words[step].rpartition(" ")
    return said(number, "number in the word read", shown.layer.name, step=step) \
        if number.isdecimal() and (before or shown.worded) else step_said(shown, step)


def read_said(shown: Reading, step: int) -> str:
    """What a step reads, or its number where that is not known."""
    return word_said(shown, step) if shown.worded else step_said(shown, step)


def unit_said(shown: Reading, unit: int, array: str = "inner.hidden") -> str:
    """`45`: the number of a unit."""
    return said(str(unit), "index", shown.layer.name, (0, unit), array=array)


def step_named(shown: Reading, step: int) -> str:
    """`step 7, “ć”`, as words with markup have it: its number, and what it reads where that is known."""
    number = step_said(shown, step)
    return tr("step {step}, “{word}”").format(step=number, word=literal(word_said(shown, step))) if shown.worded else \
        tr("step {step}").format(step=number)


def quoted(shown: Reading, step: int) -> str:
    """`, “ć”`, as words with markup have it: what a step reads, where that is known."""
    return f", {in_quotes(literal(word_said(shown, step)))}" if shown.worded else ""


def read_at(shown: Reading, step: int) -> str:
    """What a step reads, or which one it is, where it reads no word."""
    return in_quotes(literal(word_said(shown, step))) if shown.worded else step_named(shown, step)


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

    Raises LookupError with one sentence where there is none, and where the focused one is the only call of a cell:
    another layer is not what was asked for. Calls that follow each other are a `scene.chains.Chain`.
    """
    found = {layer.name: layer for layer in layers(trace)}
    last = next(reversed(found.values()), None)
    wanted = found.get(focused or "")
    if wanted is not None and in_beat(wanted, moment):
        return wanted
    if focused == moment.beat.layer and wanted is None and gates.family_of(trace[focused]) is not None:
        raise LookupError(tr("{layer} is a single call of a cell, and this view goes over steps; the microscope takes "
                             "its gates apart.").format(layer=focused))
    layer = found.get(moment.beat.layer) or wanted or last
    if layer is None:
        raise LookupError(tr("{model} has no recurrent layer whose steps are known; choose another view.").format(
            model=trace.title or trace.model))
    return layer


def answering(trace: Trace) -> Layer | None:
    """The layer that tells classes apart at every step: the steps of a loop were stacked as parts."""
    return next((trace[answer.layer] for answer in trace.answers
                 if trace[answer.layer].axes in (("step", "class"), ("part", "class"))), None)


@remembered(16)
def guesses(trace: Trace) -> Values | None:
    """(step, class): the probabilities the model gives at every step, recomputed from its logits in float64."""
    layer = answering(trace)
    if layer is None:
        return None
    values = np.asarray((trace.inputs(layer)[0] if kinds.shares(layer) else layer).output, np.float64)
    shifted = np.exp(values - values.max(axis=1, keepdims=True))
    shares: Values = shifted / shifted.sum(axis=1, keepdims=True)
    return shares


@remembered(16)
def foretells(trace: Trace) -> bool:
    """Whether the answer after a step is a guess at what comes next: the symbols read are those that are answered.

    Otherwise it is a verdict on what was read so far, or what a frame says.
    """
    known = set(trace.labels)
    return bool(trace.sample.steps) and all(step in known for step in trace.sample.steps) \
        and blank_of(trace) is None


@remembered(32)
def symbols_in(trace: Trace, name: str) -> bool:
    """Whether the numbers of an input are those of symbols: rows of a table that is looked up, of which nothing can be
    added up or averaged."""
    layer = trace[name]
    return layer.is_input and any(kinds.role(reader) == "table" for reader in trace.readers(name))


def symbol_words(trace: Trace, name: str, index: int) -> str:
    """`“w”, number 61`: one symbol of an input."""
    layer, steps = trace[name], trace.sample.steps
    cell = tuple(map(int, np.unravel_index(index, layer.shape)))
    number = tr("number {number}").format(number=said(str(int(layer.output[cell])), "value", name, cell))
    if len(steps) != layer.output.size:
        return number
    return f"{in_quotes(said(visible(steps[index]), 'word of the sample', step=index))}, {number}"


def spells(trace: Trace) -> Layer | None:
    """The loss of a model that spells symbols with blanks between them, if it is one."""
    return next((layer for layer in trace.layers if kinds.label(layer) == "symbols"), None)


@remembered(16)
def blank_of(trace: Trace) -> int | None:
    """The class that means no symbol, for models trained with CTC."""
    said = next((answer.settings["blank"] for answer in trace.answers if "blank" in answer.settings), None)
    if said is not None:
        return int(said)
    loss = spells(trace)
    return None if loss is None else int(loss.settings.get("blank", 0))


def entropy(probabilities: Values) -> float:
    """Bits of surprise to expect: −Σ p log₂ p; 0 log 0 counts nothing."""
    known = probabilities[probabilities > 0]
    return float(-(known * np.log2(known)).sum())


def label(trace: Trace, index: int) -> str:
    """The name of a class or symbol."""
    return visible(trace.labels[index]) if index < len(trace.labels) else str(index)


def label_said(trace: Trace, layer: str, index: int) -> str:
    """The name of a class or symbol that a layer answers."""
    return said(label(trace, index), "label", layer, (index,))


# --- one step, opened -----------------------------------------------------------------------------------------------

def tabs(shown: Reading) -> tuple[tuple[str, str], ...]:
    """(key, name in one word) of everything that can be opened, gates first."""
    return tuple((key, translated(shown.family.quantities[key].tab)) for key in shown.family.shown)


def bounded(shown: Reading, key: str) -> bool:
    """Whether its values lie between −1 and 1: gates, candidates, states that a tanh made; no sum, no memory and
    no projected state."""
    quantity = shown.family.quantities[key]
    if key == "hidden" and shown.projected:
        return False
    if quantity.curve is None:
        return key not in ("cell", "preactivation")
    return quantity.curve.flat is not None and quantity.curve.flat.range[1] <= 1


@dataclass(frozen=True, eq=False)
class Row:
    """One line of an opened cell: what it is, and its value for every unit."""

    words: str
    """With the markup of `picture.rich`."""
    values: Values
    result: bool = False
    gate: bool = False
    """Whether they lie between 0, shut, and 1, open: such numbers are grey, blue and red are values."""
    key: str = ""
    """Which numbers of the cell they are, as `cellnumbers` calls them: `forget.read`."""

    def said(self, shown: Reading, step: int, unit: int, words: str) -> str:
        """The number of a unit in words, claimed."""
        return said(words, "in the cell", shown.layer.name, (unit,), step, self.key)


def opened(trace: Trace, shown: Reading, key: str, step: int) -> tuple[Row, ...]:
    """How one quantity of a step came about, line by line, for all units; recomputed in float64 from the weights.

    `step` counts from 0. Equations and order of gates are PyTorch's (two biases; r after the product). Of an LSTM that
    projects its state the last line has fewer numbers than those before it.
    """
    s, quantity = forward(trace, shown).arrays, shown.family.quantities[key]
    result = Row(f"{_function(quantity, '_a_')} = _{quantity.symbol}_" if quantity.curve else f"= _{quantity.symbol}_",
                 s[key][step], True, quantity.gate, key)
    if quantity.curve is not None and key not in shown.family.keys:  # the state of an RNN
        return Row("_a_", s["preactivation"][step], key="preactivation"), result
    if not quantity.made:
        return (*_gate_rows(shown, quantity, s, step), result)
    if key == "hidden" and "opened" in s:
        shows = (Row("_o_", s["output_gate"][step], gate=True, key="output_gate"),
                 Row("× tanh(_c_)", s["opened"][step], key="opened"))
        if "unprojected" not in s:
            return (*shows, result)
        return (*shows, Row("= _y_", s["unprojected"][step], key="unprojected"), replace(result, words="_W y_ = _h_"))
    words = {"cell": (tr("_f_ ⊙ _c_ before"), "+ _i_ ⊙ _g_"), "hidden": ("(1 − _z_) ⊙ _n_", tr("+ _z_ ⊙ _h_ before"))}
    parts = {"cell": ("kept", "added"), "hidden": ("added", "kept")}
    return (*(Row(said, s[part][step], key=part) for said, part in zip(words[key], parts[key], strict=True)), result)


def _function(quantity: Quantity, of: str) -> str:
    """`σ(a)`, `tanh(a)`, of what makes a gate or a state."""
    return of if quantity.curve is None else quantity.curve.words.format(of)


def _gate_rows(shown: Reading, quantity: Quantity, s: Mapping[str, Values], step: int) -> tuple[Row, ...]:
    """W x, U h and b of one gate, and their sum where a curve makes something else of it."""
    read, state, bias = (s[f"{quantity.key}.{name}"][step] for name in ("read", "state", "bias"))
    if quantity.under:
        gate = shown.family.quantities[quantity.under]
        lines = [Row("_W x_ + _b_", read + bias, key=f"{quantity.key}.fed"),
                 Row(f"+ _{gate.symbol}_ ⊙ (_U h_ + _b_)", state, key=f"{quantity.key}.state")]
    else:
        lines = [Row(words, values, key=f"{quantity.key}.{name}") for words, values, name in (
            ("_W x_", read, "read"), ("+ _U h_", state, "state"), ("+ _b_", bias, "bias"))]
    total = f"{quantity.key}.sum"
    return tuple(lines) if quantity.curve is None else (*lines, Row("= _a_", s[total][step], key=total))


def conclusion(shown: Reading, key: str, value: float, step: int, unit: int) -> str:
    """What one number of an opened cell means, in words."""
    means = shown.family.quantities[key].means
    share = said(numbers.percent(value, 0), "in the cell", shown.layer.name, (unit,), step, key)
    return tr("so {what}").format(what=translated(means).format(share)) if means else ""
