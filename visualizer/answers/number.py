"""A number: one value, as a regression answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from visualizer import kinds
from visualizer.answers import AnswerKind, Axes, Scalar, Score, Values, picked
from visualizer.language import english, tr
from visualizer.said import said
from visualizer.scene import numbers
from visualizer.trace import Answer, Trace


def suits(axes: Axes, shape: tuple[int, ...], operation: str, labels: int) -> bool:
    """One number that is no class."""
    return shape in ((), (1,)) and not labels


def sentence(trace: Trace, answer: Answer) -> str:
    """What is answered, and what should be."""
    value, truth = _value(trace, answer), _truth(trace, answer)
    if truth is None:
        return tr("The network answers {{{value}}}.").format(value=_said(trace, answer))
    return tr("The network answers {{{value}}}; wanted is {truth}, so it is off by {apart}.").format(
        value=_said(trace, answer), truth=said(numbers.number(truth, 3), "number wanted", answer.layer),
        apart=said(numbers.number(abs(value - truth), 3), "how far off", answer.layer))


def _said(trace: Trace, answer: Answer) -> str:
    return said(numbers.number(_value(trace, answer), 3), "value", answer.layer, (0,) * trace[answer.layer].output.ndim)


def short(trace: Trace, answer: Answer) -> str:
    """The number."""
    return numbers.number(_value(trace, answer))


def score(trace: Trace, answer: Answer) -> Score:
    """How far off it is."""
    truth = _truth(trace, answer)
    return () if truth is None else ((tr("off by"), abs(_value(trace, answer) - truth)),)


def _value(trace: Trace, answer: Answer) -> float:
    return float(trace[answer.layer].output.reshape(-1)[0])


def _truth(trace: Trace, answer: Answer) -> float | None:
    if answer.truth is not None:
        return float(answer.truth.reshape(-1)[0])
    loss = next((layer for layer in trace.readers(answer.layer) if kinds.label(layer) == "numbers"), None)
    wanted = None if loss is None else loss.settings.get("target")
    return float(wanted) if isinstance(wanted, int | float) else None


def scalar(answer: Answer, values: Values, words: str) -> Scalar | None:
    """`value`, or `logit:0`."""
    return Scalar(words, (((0,) * values.ndim, 1.0),)) if words == "value" else picked(answer, values, words)


def wishes(answer: Answer, values: Values) -> tuple[str, ...]:
    """The number itself."""
    return ("value",)


def target(given: Any, read: Callable[[Any], Values], wanted: Callable[[Any], float] | None) -> Any:
    """What the model's own file says should be answered."""
    return given.truth if wanted is None else wanted(given.raw)


ANSWER = AnswerKind(english("number"), english("one number"), suits, sentence, short=short, score=score, scalar=scalar,
                    wishes=wishes,
                    loss="squares", asks=("number",), target=target, order=3)
