"""What is read and what is said: the columns of a translation, found in a recording by what was computed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from visualizer import answers, kinds
from visualizer.answers import AnswerKind
from visualizer.kinds.attention import Attention, attentions, scored
from visualizer.scene import hops
from visualizer.scene.attending import beat_of
from visualizer.scene.reading import Reading, directions, layers, reading, visible
from visualizer.scene.timeline import BACKWARD, FORWARD, Moment, timeline
from visualizer.size import norms
from visualizer.trace import Answer, Layer, Trace, remembered

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Place:
    """One row of a layer: what is made for one step."""

    layer: str
    row: int
    of: int
    """How many rows it has."""


@dataclass(frozen=True, eq=False)
class Speech:
    """An input of symbols, the states that read it, and what is said to it step by step."""

    trace: Trace
    answer: Answer
    ways: tuple[Reading, ...]
    """The encoder's states, forwards and, if there are such, backwards."""
    attention: Attention | None
    """Of as many steps as are said."""
    scores: tuple[Place, ...]
    states: tuple[Place, ...]
    """Of the decoder, for each step."""
    chances: Values
    """(step, symbol)."""

    @property
    def kind(self) -> AnswerKind | None:
        return answers.of(self.answer)

    @property
    def count(self) -> int:
        """How many steps."""
        return len(self.chances)

    @property
    def read(self) -> tuple[str, ...]:
        """What is read."""
        return self.ways[0].words

    @cached_property
    def best(self) -> tuple[int, ...]:
        return tuple(int(index) for index in self.chances.argmax(1))

    @cached_property
    def right(self) -> tuple[int, ...] | None:
        """What should be said, with the end; None where nobody knows."""
        return None if self.answer.truth is None else tuple(int(each) for each in self.answer.truth)

    @property
    def told(self) -> bool:
        """Whether it was told the right symbols on its way."""
        return any(each.name == "told" for each in self.trace.fed)

    def word(self, index: int) -> str:
        return visible(answers.label(self.answer, index))

    def state(self, step: int) -> Values:
        place = self.states[step]
        made = np.asarray(self.trace[place.layer].output, np.float64)
        found: Values = made[place.row] if made.ndim == 2 else made.ravel()
        return found

    @cached_property
    def largest_state(self) -> float:
        return max((float(np.abs(self.state(step)).max(initial=0)) for step in range(self.count)), default=1.0) or 1.0

    @property
    def handed_on(self) -> bool:
        """Whether the decoder begins with what the encoder ended with."""
        first = self.trace[self.states[0].layer]
        return first.settings.get("initial_hidden") == "read"


@remembered(4)
def speech(trace: Trace) -> Speech | None:
    """What a recording reads and says; None where it reads no symbols one by one, or says none."""
    answer = next((each for each in trace.answers if (made := answers.of(each)) is not None and made.ends
                   and trace[each.layer].output.ndim == 2), None)
    if answer is None or not trace.sample.steps:
        return None
    scores = tuple(Place(name, row, len(trace[name].output)) for name, row in scored(trace, answer))
    states = tuple(_state(trace, place, len(scores)) for place in scores)
    if None in states:
        return None
    decoders = {place.layer for place in states if place is not None}
    order = [layer.name for layer in trace.layers]
    first = min(map(order.index, decoders))
    found = [layer for layer in layers(trace) if layer.name not in decoders and order.index(layer.name) < first]
    encoders = [layer.name for layer in found if reading(trace, layer.name).worded
                and reading(trace, layer.name).steps == len(trace.sample.steps)]
    if not encoders:
        return None
    ways = sorted((reading(trace, name) for name in directions(trace, encoders[-1])), key=lambda way: way.reverse)
    attention = next((each for each in attentions(trace) if each.count == len(scores)
                      and each.places == len(trace.sample.steps)), None)
    chances = np.asarray(trace[answer.layer].output, np.float64)
    return Speech(trace, answer, tuple(ways), attention, scores, tuple(place for place in states if place is not None),
                  chances)


def _state(trace: Trace, scores: Place, count: int) -> Place | None:
    """The recurrent layer nearest behind the scores of a step, and its row."""
    order = {layer.name: place for place, layer in enumerate(trace.layers)}
    ahead, seen = {scores.layer}, set[str]()
    while ahead:
        name = max(ahead, key=order.__getitem__)
        ahead.discard(name)
        seen.add(name)
        layer = trace[name]
        if layer.inner:
            rows = len(layer.output) if layer.output.ndim == 2 else 1
            return Place(name, min(scores.row, rows - 1), rows)
        ahead |= {read for read in layer.reads if read not in seen}
    return None


# --- what came back -------------------------------------------------------------------------------------------------

def at_states(found: Speech) -> tuple[Layer, Values] | None:
    """The layer of the encoder's states, and for each place ∥∂L/∂ its state∥ as far as it came through the attention;
    None where there is none, or something else reads these states, too."""
    if found.attention is None:
        return None
    layer = found.trace[found.attention.values]
    if layer.gradient is None or layer.gradient.ndim != 2 or len(layer.gradient) != len(found.read):
        return None
    return layer, np.asarray(norms(np.asarray(layer.gradient, np.float64), 1))


def at_symbols(found: Speech) -> tuple[Layer, Values] | None:
    """The input, and for each symbol ∥∂L/∂ what it was turned into∥, by all paths."""
    for layer in found.trace.layers:
        if layer.is_input and layer.shape == (len(found.read),):
            sizes = hops.of_symbols(found.trace, layer)
            if sizes is not None:
                return layer, sizes
    return None


# --- when it is there -----------------------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class SoFar:
    """How far everything has come at a moment."""

    speech: Speech
    moment: Moment

    @property
    def backward(self) -> bool:
        return self.moment.backward

    def known(self, place: Place, direction: str = "") -> float:
        """How much of a row of a layer is there, 0 … 1; on the way back of its gradient."""
        direction = direction or (BACKWARD if self.backward else FORWARD)
        if direction == FORWARD and self.backward:
            return 1.0
        if direction == BACKWARD and not self.backward:
            return 0.0
        index, alone = _index(self.speech.trace, place.layer, place.row, direction)
        if index is None:
            return 0.0
        if index != self.moment.index:
            return float(index < self.moment.index)
        row = place.row if direction == FORWARD else place.of - 1 - place.row
        return self.moment.phase if alone else min(1.0, max(0.0, self.moment.phase * place.of - row))

    def layer(self, name: str, direction: str = "") -> float:
        """The same of a whole layer."""
        return self.known(Place(name, 0, 1), direction)

    def way(self, way: Reading, step: int) -> float:
        """How much of the state of one place."""
        return self.known(Place(way.layer.name, step, way.steps), FORWARD)

    def shares(self, step: int) -> float:
        attention = self.speech.attention
        if attention is None:
            return 0.0
        row = attention.rows[step]
        return self.known(Place(beat_of(self.speech.trace, row.layer), row.index, row.of), FORWARD)

    def shares_back(self, step: int) -> float:
        attention = self.speech.attention
        if attention is None:
            return 0.0
        row = attention.rows[step]
        return self.known(Place(beat_of(self.speech.trace, row.context), row.index, row.of), BACKWARD)

    def context(self, step: int) -> float:
        attention = self.speech.attention
        if attention is None:
            return 0.0
        row = attention.rows[step]
        return self.known(Place(beat_of(self.speech.trace, row.context), row.index, row.of), FORWARD)

    def state(self, step: int) -> float:
        return self.known(self.speech.states[step], FORWARD)

    def said(self, step: int) -> float:
        return self.known(self.speech.scores[step], FORWARD)

    @cached_property
    def step(self) -> int:
        """The step of the moment, from 0; −1 while nothing has been begun."""
        every = range(self.speech.count)
        at_once = self.speech.count > 1 and self.speech.scores[0].of == self.speech.count
        if self.backward:
            back = [{step for step in every if self.known(places[step], BACKWARD) > 0}
                    for places in (self.speech.states, self.speech.scores)]
            back.insert(1, {step for step in every if self.shares_back(step) > 0})
            came = next((each for each in back if each), set()) if at_once else back[-1]
            return min(came, default=self.speech.count - 1)
        said, looked, read = ({step for step in every if come(step) > 0}
                              for come in (self.said, self.shares, self.state))
        return max((said or looked or read) if at_once else looked | read, default=-1)


@remembered(512)
def _index(trace: Trace, name: str, row: int, direction: str) -> tuple[int | None, bool]:
    """At which beat a row of a layer comes, and whether it is alone in it."""
    times, layer = timeline(trace), trace[name]
    beside = layer.settings.get("beside")
    name = beside if isinstance(beside, str) else name
    own = times.of(name, direction, row + 1)
    if own is not None and own.beat.step == row + 1:
        return own.index, True
    plain = times.of(name, direction)
    if plain is None and direction == FORWARD:
        order = [each.name for each in trace.layers]
        plain = next((found for each in order[order.index(name):] if (found := times.of(each, FORWARD)) is not None),
                     None)
    return (None if plain is None else plain.index), plain is not None and plain.beat.step is not None


def encodes(trace: Trace, name: str) -> bool:
    """Whether a layer is one of the encoder's states."""
    found = speech(trace)
    return found is not None and any(name in (way.layer.name, way.layer.settings.get("beside")) for way in found.ways)


def is_shown(trace: Trace, name: str) -> bool:
    """Whether something new is drawn at the beat of a layer."""
    return name in _shown(trace)


@remembered(4)
def _shown(trace: Trace) -> frozenset[str]:
    found = speech(trace)
    if found is None:
        return frozenset()
    names = {place.layer for place in (*found.scores, *found.states)} | {way.layer.name for way in found.ways}
    if found.attention is not None:
        names |= {beat_of(trace, name) for row in found.attention.rows for name in (row.layer, row.context)}
        names.add(found.attention.values)
    kept = {name for name in names if not kinds.shares(trace[name]) or found.attention is not None}
    return frozenset(kept | {trace.layers[0].name, found.answer.layer, trace.layers[-1].name})
