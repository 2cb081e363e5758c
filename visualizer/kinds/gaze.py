"""Gaze: at each word that a network says of a picture, how much it looks at each place of it.

Found by what was computed, not by names: shares of a whole, one for each place of some maps, that weigh what was made
of these maps; one row of them for each step of the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.trace import Answer, Layer, Trace, remembered

Values = NDArray[np.float64]
MOST_HOPS = 64
"""So many layers are walked back at most from what is weighed to the maps that it was made of."""


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
        rows, columns = self.maps.shape[-2:]
        return int(rows), int(columns)

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
    picture = next((layer for layer in trace if layer.is_input and layer.has("channel", "row", "column")
                    and layer.output.ndim == 3), None)
    answer = next((answer for answer in trace.answers if trace[answer.layer].output.ndim == 2
                   and kinds.shares(trace[answer.layer])), None)
    if picture is None or answer is None:
        return None
    steps = len(trace[answer.layer].output)
    looking = [found for layer in trace if kinds.shares(layer) and layer.name != answer.layer
               if (found := _weighed(trace, layer)) is not None]
    if not looking or len({found[2].name for found in looking}) != 1:
        return None
    maps = looking[0][2]
    shares = np.concatenate([np.asarray(layer.output, np.float64).reshape(-1, maps.shape[1] * maps.shape[2])
                             for layer, _, _ in looking])
    if len(shares) != steps or len(looking) not in (1, steps):
        return None
    logits = trace[answer.returned] if answer.returned in trace else trace[answer.layer]
    raw = np.asarray(logits.output, np.float64).reshape(steps, -1)
    powers = np.exp(raw - raw.max(1, keepdims=True))
    chances = powers / powers.sum(1, keepdims=True) if not kinds.shares(logits) else raw
    words = _words(trace, logits, looking) if len(looking) == steps else _at_once(trace, logits, looking[0], steps)
    return Gaze(answer, picture, maps, shares, chances, words)


Look = tuple[Layer, Layer, Layer]
"""Shares of places, what they are mixed into, and the maps."""


def _weighed(trace: Trace, layer: Layer) -> Look | None:
    """Shares, with what they are mixed into and the maps whose places they weigh; None for those of other things."""
    ahead = list(trace.readers(layer.name))
    while ahead:
        reader = ahead.pop(0)
        made = kinds.of(reader)
        if made is not None and made.moves_only:
            ahead += trace.readers(reader.name)
            continue
        for other in trace.inputs(reader):
            for places in {layer.output.size, *layer.shape[-1:]} if other.name != layer.name else ():
                maps = _maps(trace, other, places)
                if maps is not None:
                    return layer, _summed(trace, reader, places), maps
    return None


def _at_once(trace: Trace, logits: Layer, look: Look, steps: int) -> tuple[Word, ...]:
    """The words of a network that looks for all of them at once."""
    names = [layer.name for layer in trace]
    state = next((layer.name for layer in reversed(trace.layers[:names.index(logits.name)])
                  if "hidden" in layer.inner and len(layer.inner["hidden"]) == steps), "")
    asks = names[names.index(look[2].name) + 1]
    return (Word(asks, look[0].name, look[1].name, state, _made(trace, logits.name), logits.name),) * steps


def _summed(trace: Trace, layer: Layer, places: int) -> Layer:
    """The context: the layer itself, or where it is the weighed places one by one what adds them up."""
    if layer.output.size % places == 0 and any(size == places for size in layer.shape):
        return next((reader for reader in trace.readers(layer.name) if reader.output.size * places ==
                     layer.output.size), layer)
    return layer


def _maps(trace: Trace, layer: Layer, places: int) -> Layer | None:
    """The nearest maps with so many places that a layer was made of, row by row."""
    seen, ahead = set[str](), [layer]
    while ahead and len(seen) < MOST_HOPS:
        one = ahead.pop(0)
        if one.name in seen or one.is_input:
            continue
        seen.add(one.name)
        if one.axes == ("channel", "row", "column") and one.shape[1] * one.shape[2] == places and min(
                one.shape[1:]) > 1:
            return one
        if places in one.shape or any(places == one.shape[at] * one.shape[at + 1] for at in range(
                len(one.shape) - 1)):
            ahead += trace.inputs(one)
    return None


def _words(trace: Trace, logits: Layer, looking: list[Look]) -> tuple[Word, ...]:
    names = [layer.name for layer in trace]
    at = {name: place for place, name in enumerate(names)}
    scores = list(logits.reads) if len(logits.reads) == len(looking) > 1 else [logits.name] * len(looking)
    scores = [_made(trace, name) for name in scores]
    ends = [*(at[layer.name] for layer, _, _ in looking[1:]), at[logits.name] + 1]
    words, begins = [], _after_maps(trace, looking[0], at)
    for (layer, mixes, _), score, end in zip(looking, scores, ends, strict=True):
        behind = [trace[name] for name in names[at[layer.name]:at[score] + 1]]
        state = next((one.name for one in reversed(behind) if "hidden" in one.inner), "")
        last = at[score]
        while last + 1 < end and kinds.role(trace[names[last + 1]]) != "weighted" and not trace[
                names[last + 1]].learned and "state" not in trace[names[last + 1]].settings and not _asks(
                trace, names[last + 1]):
            last += 1
        words.append(Word(names[begins], layer.name, mixes.name, state, score, names[last]))
        begins = last + 1
    return tuple(words)


def _asks(trace: Trace, name: str) -> bool:
    """Whether it lays a state out anew, from which the next word is asked for."""
    return any("hidden" in layer.inner or kinds.role(layer) == "state" for layer in trace.inputs(trace[name])) \
        and kinds.role(trace[name]) != "weighted"


def _made(trace: Trace, name: str) -> str:
    """The layer that computed numbers which others only lay out anew."""
    while (made := kinds.of(trace[name])) is not None and made.moves_only and len(trace[name].reads) == 1:
        name = trace[name].reads[0]
    return name


def _after_maps(trace: Trace, first: Look, at: dict[str, int]) -> int:
    """Where the first word begins: behind all that the words have in common."""
    layer, mixes, _ = first
    shared = [at[name] for name in mixes.reads if name != layer.name and at[name] < at[layer.name]]
    return max([at[first[2].name], *shared]) + 1
