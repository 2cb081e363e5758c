"""Classes: one probability for each, all together 1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from visualizer.answers import AnswerKind, Axes, Score, Values, label, picked
from visualizer.language import english, tr
from visualizer.scene import numbers
from visualizer.trace import Answer, Trace


def suits(axes: Axes, shape: tuple[int, ...], operation: str, labels: int) -> bool:
    """A name for each number, or shares that add up to 1."""
    return len(shape) == 1 and (labels == shape[0] or operation in ("softmax", "log_softmax"))


def sentence(trace: Trace, answer: Answer) -> str:
    """The likeliest two, and whether the first is right."""
    chances = trace[answer.layer].output
    order = np.argsort(-chances, kind="stable")
    name = [label(answer, int(index)) for index in order]
    words = tr("One class") if len(order) < 2 else \
        tr("The network answers {first} with {{{share}}}, then {second} with {rest}").format(
            first=name[0], share=numbers.percent(float(chances[order[0]]), 1), second=name[1],
            rest=numbers.percent(float(chances[order[1]]), 1))
    if trace.sample.label is None:
        return words + "."
    judged = tr("{words}; the label is {truth}, so it is right.") if int(order[0]) == trace.sample.label else \
        tr("{words}; the label is {truth}, so it is wrong.")
    return judged.format(words=words, truth=label(answer, trace.sample.label))


def score(trace: Trace, answer: Answer) -> Score:
    """What the right class was given, and which place it has."""
    truth, chances = trace.sample.label, trace[answer.layer].output
    if truth is None or not 0 <= truth < len(chances):
        return ()
    place = 1 + int(np.count_nonzero(chances > chances[truth]))
    return (tr("probability of the right class"), float(chances[truth])), (tr("its place among all"), float(place))


def wishes(answer: Answer, values: Values) -> tuple[str, ...]:
    """The largest first."""
    flat = values.reshape(-1)
    return (f"logit:{int(np.argmax(flat))}", *(f"logit:{index}" for index in range(min(len(flat), 12)))) if flat.size \
        else ()


def target(given: Any, read: Callable[[Any], Values], wanted: Callable[[Any], float] | None) -> Any:
    """The label of the input."""
    return given.sample.label


ANSWER = AnswerKind(english("classes"), english("one of several classes"), suits, sentence, score=score, scalar=picked,
                    wishes=wishes,
                    loss="class", asks=("class",), target=target, chosen=True, order=1)
