"""Quantities of what is said of a picture word by word, and of what the study `control` measured of it: the part of
tests/quantities.py for captions. The arrays of the study are compared with torch in test_caption."""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.quantities import gradient, layer_of, quantity, steps, words
from visualizer.trace import Trace


def _chances(trace: Trace) -> np.ndarray:
    """(word, symbol)."""
    return np.asarray(trace[trace.answers[0].layer].output, np.float64)


def _row(values: np.ndarray, width: int, word: int) -> np.ndarray:
    rows = values.reshape(-1, width)
    return rows[word] if len(rows) > 1 else rows[0]


def _looks(trace: Trace, said: Any) -> np.ndarray:
    """The shares of a word over the places, as its layer holds them."""
    values = np.asarray(layer_of(trace, said.layer).output, np.float64)
    words = len(_chances(trace))
    return values.reshape(words, -1)[said.step] if values.size % words == 0 and values.ndim == 2 and len(
        values) == words else values.ravel()


@quantity("number of a word")
def number_of_a_word(trace: Trace, said: Any) -> float:
    assert 0 <= said.step < steps(trace, said.layer)
    return said.step + 1


words("symbol of the answer")(lambda trace, said: next(
    answer.labels[said.cell[0]] for answer in trace.answers if answer.layer == said.layer))
words("shape of a layer")(lambda trace, said: " × ".join(map(str, layer_of(trace, said.layer).shape)))
quantity("how many places")(lambda trace, said: int(np.prod(layer_of(trace, said.layer).shape[1:])))
quantity("how many other places")(
    lambda trace, said: int(np.prod(layer_of(trace, said.layer).shape[1:])) - said.cell[0])
quantity("how many other symbols")(lambda trace, said: _chances(trace).shape[1] - said.cell[0])
quantity("row of a place")(lambda trace, said: said.cell[1] + 1)
quantity("column of a place")(lambda trace, said: said.cell[2] + 1)
quantity("share of a place")(lambda trace, said: float(_looks(trace, said)[said.cell[0]]))
quantity("share of the other places")(lambda trace, said: float(1 - _looks(trace, said)[list(said.cell)].sum()))
quantity("chance of the others")(lambda trace, said: float(1 - _chances(trace)[said.step, list(said.cell)].sum()))
quantity("chance elsewhere")(lambda trace, said: float(trace.studies["control"]["chances"][said.cell[0], said.step]))
quantity("chance without a place")(
    lambda trace, said: float(trace.studies["control"]["without"][said.cell[0], said.step]))
quantity("log chance of the words")(lambda trace, said: float(np.log(_chances(trace).max(1)).sum()))
quantity("log chance of the words elsewhere")(
    lambda trace, said: float(np.log(trace.studies["control"]["chances"][said.cell[0]]).sum()))
quantity("points lost on another picture")(lambda trace, said: 100 * float(
    _chances(trace)[said.step].max() - trace.studies["control"]["chances"][said.cell[0], said.step]))
quantity("quality")(lambda trace, said: float(trace.facts["quality"][said.array]))
quantity("gradient of a symbol")(lambda trace, said: float(_row(
    gradient(trace, said._replace(cell=(), step=None)), _chances(trace).shape[1], said.step)[said.cell[0]]))


@quantity("bits over places")
def bits(trace: Trace, said: Any) -> float:
    some = _looks(trace, said)
    some = some[some > 0]
    return float(-(some * np.log2(some)).sum())
