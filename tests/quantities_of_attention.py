"""What is claimed of attention: shares of places, counted from a softmax and its further calls alone."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from tests import quantities_of_words  # noqa: F401  (what is said word by word)
from tests.quantities import quantity, words
from visualizer.trace import Trace

FEWEST = 0.02


def shares(trace: Trace, layer: str) -> np.ndarray:
    """(head, step, place): of one softmax, or of its calls, a step each, one after the other; places are its axis."""
    found = trace[layer]
    axis = int(found.settings["dim"])
    axis = axis - 1 if axis > 0 else axis  # torch counts the batch
    one = np.moveaxis(np.asarray(found.output, np.float64), axis, -1)
    if one.size > one.shape[-1]:
        one = one.reshape(-1, one.shape[-2], one.shape[-1])
        return one
    base = re.escape(layer.partition("#")[0])
    calls = [each for each in trace.layers if re.fullmatch(rf"{base}(#\d+)?", each.name)]
    return np.stack([np.asarray(each.output, np.float64).ravel() for each in calls])[None]


@quantity("steps of an attention")
def _steps(trace: Trace, said: Any) -> float:
    return shares(trace, said.layer).shape[1]


@quantity("steps of an attention so far")
def _so_far(trace: Trace, said: Any) -> float:
    (step,) = said.cell
    assert step < shares(trace, said.layer).shape[1]
    return step + 1


@quantity("places of an attention")
def _places(trace: Trace, said: Any) -> float:
    return shares(trace, said.layer).shape[2]


@quantity("heads of an attention")
def _heads(trace: Trace, said: Any) -> float:
    return shares(trace, said.layer).shape[0]


@quantity("number of a head")
def _head(trace: Trace, said: Any) -> float:
    assert 1 <= int(said.text) <= shares(trace, said.layer).shape[0]
    return int(said.text)


@quantity("places without a ribbon")
def _without(trace: Trace, said: Any) -> float:
    step, head = said.cell
    return int((shares(trace, said.layer)[head, step] < FEWEST).sum())


@quantity("what they have together")
def _together(trace: Trace, said: Any) -> float:
    step, head = said.cell
    row = shares(trace, said.layer)[head, step]
    return float(row[row < FEWEST].sum())


@quantity("numbers added up")
def _added(trace: Trace, said: Any) -> float:
    return trace[said.layer].shape[-1]


@quantity("attentions not named")
def _unnamed(trace: Trace, said: Any) -> float:
    assert int(said.text) < len(trace.layers)
    return int(said.text)


@words("place of an attention")
def _place(trace: Trace, said: Any) -> str:
    (place,) = said.cell
    count = shares(trace, said.layer).shape[2]
    if len(trace.sample.steps) == count:
        return trace.sample.steps[place]
    sides = [each.shape[-2:] for each in trace.layers if each.axes[-2:] == ("row", "column")
             and each.shape[-2] * each.shape[-1] == count]
    return f"{place // sides[0][1] + 1}, {place % sides[0][1] + 1}" if sides else str(place + 1)


@words("step of an attention")
def _step(trace: Trace, said: Any) -> str:
    (step,) = said.cell
    found = shares(trace, said.layer)
    answer = trace.answers[0] if trace.answers else None
    if answer is not None and answer.labels and trace[answer.layer].shape == (found.shape[1], len(answer.labels)) and (
            answer.kind == "spoken" or found.shape[1] != found.shape[2]):
        return answer.labels[int(trace[answer.layer].output[step].argmax())]
    return trace.sample.steps[step]


@quantity("entropy of shares")
def _entropy(trace: Trace, said: Any) -> float:
    step, head = said.cell
    row = shares(trace, said.layer)[head, step]
    return float(-(row[row > 0] * np.log2(row[row > 0])).sum())


# --- what is said, and what a search keeps --------------------------------------------------------------------------

@quantity("norm of gradient of a symbol")
def _of_symbol(trace: Trace, said: Any) -> float:
    """Of what it was turned into, where it is a number of a table; else of a row of the layer itself."""
    (place,) = said.cell
    layer = trace[said.layer]
    if layer.gradient is None:
        layer = next(each for each in trace.layers if said.layer in each.reads and each.gradient is not None)
    return float(np.sqrt((np.asarray(layer.gradient[place], np.float64) ** 2).sum()))


@quantity("words of a knob")
def _knob(trace: Trace, said: Any) -> float:
    assert f"{said.text}/scores" in trace.studies["beam"]
    return int(said.text)


@quantity("chance of a beginning")
def _beginning(trace: Trace, said: Any) -> float:
    _, study, key = said.array.split(" ")
    return float(np.exp(trace.studies[study][key][said.cell]))


def _said(trace: Trace, said: Any) -> tuple[list[int], list[int]]:
    answer = trace.answers[0]
    return trace[said.layer].output.argmax(-1).tolist()[:said.cell[0]], list(answer.truth)


@quantity("symbols said so far")
def _so_many(trace: Trace, said: Any) -> float:
    return len(_said(trace, said)[0])


@quantity("symbols right so far")
def _right(trace: Trace, said: Any) -> float:
    return sum(one == other for one, other in zip(*_said(trace, said), strict=False))


@quantity("entropy of a step of the answer")
def _entropy_of_answer(trace: Trace, said: Any) -> float:
    row = np.asarray(trace[said.layer].output[said.step], np.float64)
    return float(-(row[row > 0] * np.log2(row[row > 0])).sum())
