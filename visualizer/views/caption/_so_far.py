"""So far: of a caption at a moment, what has been computed, and how far that which is being computed has come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.kinds.gaze import Gaze
from visualizer.scene.picture import Focus
from visualizer.scene.timeline import Moment, ease, progress
from visualizer.trace import Layer, Trace

Values = NDArray[np.float64]
GROWN, DROPS = 0.6, 0.55
"""Phases of the beat of a word's scores: until when its bars grow, from when on the word drops."""


@dataclass(frozen=True, eq=False)
class SoFar:
    """A caption at a moment."""

    trace: Trace
    seen: Gaze
    moment: Moment

    @property
    def backward(self) -> bool:
        return self.moment.backward

    def come(self, name: str) -> float:
        """How much of a layer is there, 0 … 1; on the way back all."""
        at, here = self.trace.places[name], self.trace.places[self.moment.beat.layer]
        if self.backward or at < here:
            return 1.0
        return self.moment.phase if at == here else 0.0

    def back(self, name: str) -> float:
        """How much of the gradient of a layer has come, 0 … 1; 0 where none ever does."""
        at, here = self.trace.places[name], self.trace.places[self.moment.beat.layer]
        if not self.backward or gradient(self.trace[name]) is None or at < here:
            return 0.0
        return 1.0 if at > here else self.moment.phase

    def known(self, name: str) -> float:
        """How much is there of what is shown of a layer: of its numbers, or on the way back of its gradient."""
        return self.back(name) if self.backward else self.come(name)

    @property
    def word(self) -> int:
        """The word that the moment is about; −1 before the first."""
        here = self.trace.places[self.moment.beat.layer]
        begun = [number for number, word in enumerate(self.seen.words) if self.trace.places[word.asks] <= here]
        if not begun:
            return -1
        return begun[-1]

    def grown(self, word: int) -> float:
        """How far the bars of a word have grown."""
        return ease(progress(self.come(self.seen.words[word].scores), 0, GROWN))

    def dropped(self, word: int) -> float:
        """How far a word has dropped into the sentence."""
        return ease(progress(self.come(self.seen.words[word].scores), DROPS, 1))

    def chosen(self, focus: Focus | None) -> int:
        """The word that is looked at: that of a number which was chosen, where it is known, else that of the moment."""
        if focus is not None:
            for number, word in enumerate(self.seen.words):
                mine = focus.layer in (word.looks, word.mixes, word.state, word.scores) if not self.seen.at_once else \
                    focus.layer == word.looks and focus.cell[-2:-1] == (number,)
                if mine and self.known(word.looks) > 0:
                    return number
        return self.word


def gradient(layer: Layer) -> Values | None:
    """What came back to a layer; to shares what was handed to their scores is not theirs."""
    found = layer.inner_gradients.get("hidden", layer.gradient) if layer.inner else layer.gradient
    return None if found is None else np.asarray(found, np.float64)


def state(trace: Trace, name: str, word: int, back: bool) -> Values | None:
    """(unit,): the state after a word, or the gradient that came to it."""
    found = trace[name].inner_gradients.get("hidden") if back else trace[name].inner["hidden"]
    if found is None:
        return None
    rows: Values = np.asarray(found, np.float64).reshape(-1, found.shape[-1])
    chosen: Values = rows[word if len(rows) > 1 and word < len(rows) else -1]
    return chosen


def chain_of_maps(trace: Trace, seen: Gaze, most: int) -> tuple[Layer, ...]:
    """The layers of maps that learn, in order, the last of them as it is looked at; so many at most."""
    upto = trace.places[seen.maps.name]
    found = [layer for layer in trace.layers[:upto + 1] if layer.axes == ("channel", "row", "column") and layer.learned
             and kinds.role(layer) == "weighted"]
    return (*found[:-1], seen.maps)[-most:] if found else (seen.maps,)
