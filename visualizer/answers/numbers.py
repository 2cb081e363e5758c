"""A sequence of numbers: a forecast, coordinates, a row of measurements."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from visualizer.answers import AnswerKind, Axes, Scalar, Score, Values, picked, place_of
from visualizer.language import english, tr
from visualizer.said import said
from visualizer.scene.numbers import count, number
from visualizer.trace import Answer, Trace

WISH = re.compile(r"value:(\d{1,9}(?:,\d{1,9})*)")


def suits(axes: Axes, shape: tuple[int, ...], operation: str, labels: int) -> bool:
    """Several numbers that are no classes and no picture."""
    return len(shape) in (1, 2) and not labels and operation not in ("softmax", "log_softmax")


def sentence(trace: Trace, answer: Answer) -> str:
    """How many, from where to where, and how far off."""
    values = trace[answer.layer].output.astype(np.float64)
    found = score(trace, answer)
    words = tr("The network answers {{{count} numbers}}, from {low} to {high}; they are off by {apart} on average.") \
        if found else tr("The network answers {{{count} numbers}}, from {low} to {high}.")
    return words.format(count=said(count(values.size), "how many", answer.layer),
                        low=said(number(float(values.min()), 3), "smallest", answer.layer),
                        high=said(number(float(values.max()), 3), "largest", answer.layer),
                        apart=said(number(found[0][1], 3), "how far off on average", answer.layer) if found else "")


def score(trace: Trace, answer: Answer) -> Score:
    """How far off they are."""
    if answer.truth is None or answer.truth.size != trace[answer.layer].output.size:
        return ()
    apart = trace[answer.layer].output.reshape(-1).astype(np.float64) - answer.truth.reshape(-1)
    return (tr("off by, on average"), float(np.abs(apart).mean())), (tr("off by at most"), float(np.abs(apart).max()))


def scalar(answer: Answer, values: Values, words: str) -> Scalar | None:
    """`value:7`, `value:3,0` of several a step, `sum`, or `logit:7`."""
    if words == "sum":
        return Scalar(words)
    match = WISH.fullmatch(words)
    if match is None:
        return picked(answer, values, words)
    return Scalar(words, ((place_of(match, values.shape, english("value")), 1.0),))


def wishes(answer: Answer, values: Values) -> tuple[str, ...]:
    """The largest; of a forecast the last, of which nobody knows yet whether it is right."""
    if answer.settings.get("foretells") and values.size:
        return f"value:{','.join(str(size - 1) for size in values.shape)}", "sum"
    largest = np.unravel_index(int(np.argmax(values)), values.shape) if values.size else ()
    return (f"value:{','.join(str(int(index)) for index in largest)}", "sum") if values.size else ()


def tells_a_series(said: Mapping[str, Any], read: Mapping[str, Any]) -> bool:
    """Whether each number is the next one of the one series that is read."""
    return said.get("foretells") == 1 and tuple(read.get("shape") or ())[1:] == (1,)


ANSWER = AnswerKind(english("numbers"), english("a sequence of numbers"), suits, sentence, score=score, scalar=scalar,
                    wishes=wishes,
                    loss="squares", asks=("numbers",), view="forecast", opens=tells_a_series, order=8)
