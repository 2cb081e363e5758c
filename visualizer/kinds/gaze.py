"""Gaze: at each word that a network says of a picture, how much it looks at each place of it.

An attention whose places are those of some maps, one row of it for each step of the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.kinds.attention import MAPS, Row, attentions, grid_of, maps_of, scored
from visualizer.trace import Answer, Layer, Trace, remembered

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Word:
    """The layers that make one word, in the order in which they run; empty where there is no such layer."""

    asks: str
    """The first layer of this word."""
    looks: str
    """The shares of the places."""
    mixes: str
    """What they weigh, added up: the context."""
    state: str
    """The recurrent layer, or call of a cell, that reads the context."""
    scores: str
    """The logits of this word."""
    ends: str
    """The last layer of this word."""


@dataclass(frozen=True, eq=False)
class Gaze:
    """All words of an answer and where the network looked for each."""

    answer: Answer
    picture: Layer
    maps: Layer
    """(channel, row, column): the last maps; each place of them is one that can be looked at."""
    shares: Values
    """(word, place)."""
    chances: Values
    """(word, symbol), made of the logits in float64."""
    words: tuple[Word, ...]

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of places."""
        return grid_of(self.maps)

    @cached_property
    def best(self) -> tuple[int, ...]:
        """The likeliest symbol of each word."""
        return tuple(int(index) for index in self.chances.argmax(1))

    @property
    def end(self) -> int:
        """The symbol that ends the answer; −1 where there is none."""
        return int(self.answer.settings.get("end", -1))

    @property
    def at_once(self) -> bool:
        """Whether all words are made by the same layers, a row each."""
        return len(self.words) > 1 and self.words[0] == self.words[-1]

    def row(self, word: int) -> tuple[int, ...]:
        """Where the row of a word begins in what is mixed: nowhere, where each word has a layer of its own."""
        return (word,) if self.at_once else ()

    def text(self, symbol: int) -> str:
        """A symbol in words."""
        return self.answer.labels[symbol] if symbol < len(self.answer.labels) else str(symbol)

    def place_of(self, layer: str, cell: tuple[int, ...]) -> int | None:
        """Which place a number stands for: a share of a word, or a number of the maps; None for any other."""
        rows, columns = self.grid
        if layer in {word.looks for word in self.words} and cell:
            return int(cell[-1]) % (rows * columns)
        if layer == self.maps.name and len(cell) == 3:
            return int(cell[1]) * columns + int(cell[2])
        return None


@remembered(8)
def gaze(trace: Trace) -> Gaze | None:
    """Where a network looked at each word that it says of a picture; None where it does nothing of the kind."""
    picture = next((layer for layer in trace if layer.is_input and layer.has(*MAPS) and layer.output.ndim == 3), None)
    answer = next((answer for answer in trace.answers if trace[answer.layer].output.ndim == 2
                   and kinds.shares(trace[answer.layer])), None)
    if picture is None or answer is None:
        return None
    looking = [(each, maps) for each in attentions(trace)
               if each.heads == 1 and (maps := maps_of(trace, each)) is not None]
    rows = [row for each, _ in looking for row in each.rows]
    if len({maps.name for _, maps in looking}) != 1 or len(rows) != len(trace[answer.layer].output):
        return None
    maps = looking[0][1]
    logits = trace[answer.returned] if answer.returned in trace else trace[answer.layer]
    raw = np.asarray(logits.output, np.float64).reshape(len(rows), -1)
    powers = np.exp(raw - raw.max(1, keepdims=True))
    chances = powers / powers.sum(1, keepdims=True) if not kinds.shares(logits) else raw
    scores = [name for name, _ in scored(trace, answer)]
    found = _at_once if rows[0].of == len(rows) > 1 else _words
    words = found(trace, rows, scores, maps, logits.name)
    return Gaze(answer, picture, maps, np.concatenate([each.weights[0] for each, _ in looking]), chances, words)


def _at_once(trace: Trace, rows: Sequence[Row], scores: Sequence[str], maps: Layer, ends: str) -> tuple[Word, ...]:
    """The words of a network that looks for all of them at once."""
    before = trace.layers[:trace.places[scores[0]]]
    state = next((layer.name for layer in reversed(before)
                  if "hidden" in layer.inner and len(layer.inner["hidden"]) == len(rows)), "")
    asks = trace.layers[trace.places[maps.name] + 1].name
    return (Word(asks, rows[0].layer, rows[0].context, state, scores[0], ends),) * len(rows)


def _words(trace: Trace, rows: Sequence[Row], scores: Sequence[str], maps: Layer, ends: str) -> tuple[Word, ...]:
    layers, at = trace.layers, trace.places
    upto = [*(at[row.layer] for row in rows[1:]), at[ends] + 1]
    words, begins = [], _after_maps(trace, rows[0], maps)
    for row, score, end in zip(rows, scores, upto, strict=True):
        behind = layers[at[row.layer]:min(at[score] + 1, end)]
        state = next((one.name for one in reversed(behind) if "hidden" in one.inner), "")
        last = at[score]
        while last + 1 < end and not _begins(trace, layers[last + 1]):
            last += 1
        words.append(Word(layers[begins].name, row.layer, row.context, state, score, layers[last].name))
        begins = last + 1
    return tuple(words)


def _begins(trace: Trace, layer: Layer) -> bool:
    """Whether the next word is begun: something is weighed anew, or a state is laid out, from which it is asked for."""
    return kinds.role(layer) == "weighted" or bool(layer.learned) or "state" in layer.settings or any(
        "hidden" in read.inner or kinds.role(read) == "state" for read in trace.inputs(layer))


def _after_maps(trace: Trace, first: Row, maps: Layer) -> int:
    """Where the first word begins: behind all that the words have in common."""
    at = trace.places
    shared = [at[name] for name in trace[first.context].reads if name != first.layer and at[name] < at[first.layer]]
    return max([at[maps.name], *shared]) + 1
