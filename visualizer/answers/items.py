"""Items: for each node of a graph, or each point of a set, one probability a class."""

from __future__ import annotations

import numpy as np

from visualizer.answers import AnswerKind, Axes, Score, label, picked
from visualizer.answers.tokens import aims, wishes
from visualizer.language import english, tr
from visualizer.said import said
from visualizer.scene import numbers
from visualizer.trace import Answer, Trace


def suits(axes: Axes, shape: tuple[int, ...], operation: str, labels: int) -> bool:
    """A name for each number of every item, or shares that add up to 1."""
    return len(shape) == 2 and axes[0] == "item" and (labels == shape[1] or operation in ("softmax", "log_softmax"))


def sentence(trace: Trace, answer: Answer) -> str:
    """The item whose answer is the surest."""
    chances = trace[answer.layer].output
    place, best = (int(index) for index in np.unravel_index(int(np.argmax(chances)), chances.shape))
    return tr("Of {items} items number {item} has the surest answer, “{answer}” with {{{share}}}.").format(
        items=said(numbers.count(len(chances)), "how many", answer.layer),
        item=said(str(place), "index", answer.layer, (place, best)),
        answer=said(label(answer, best), "label", answer.layer, (best,)),
        share=said(numbers.percent(float(chances[place, best]), 1), "value", answer.layer, (place, best)))


def score(trace: Trace, answer: Answer) -> Score:
    """The share of items whose likeliest answer is the one that was wanted."""
    chances = trace[answer.layer].output
    known = aims(trace, len(chances))
    return ((tr("share of items that are right"),
             sum(int(np.argmax(chances[item])) == aim for item, aim in known) / len(known)),) if known else ()


ANSWER = AnswerKind(english("items"), english("a class for each item of a set"), suits, sentence, score=score,
                    scalar=picked, wishes=wishes, loss="class", asks=("class of each item",), order=2)
