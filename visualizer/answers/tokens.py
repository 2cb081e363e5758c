"""Tokens: at each step one probability for each symbol, or for each class."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from visualizer.answers import AnswerKind, Axes, Score, Values, label, picked
from visualizer.language import english, in_quotes, tr
from visualizer.said import said
from visualizer.scene import numbers
from visualizer.scene.reading import visible
from visualizer.trace import Answer, Trace

UNKNOWN = -100
"""The target of a step of which nothing is known: torch leaves it out of the loss."""


def suits(axes: Axes, shape: tuple[int, ...], operation: str, labels: int) -> bool:
    """A name for each number of every step."""
    shares = operation in ("softmax", "log_softmax") and axes[0] == "step"
    return len(shape) == 2 and axes[0] != "item" and (labels == shape[1] or shares)


def sentence(trace: Trace, answer: Answer) -> str:
    """The likeliest at the last step."""
    chances = trace[answer.layer].output
    best = int(np.argmax(chances[-1]))
    return tr("After the last of {steps} steps the likeliest answer is “{answer}” with {{{share}}}.").format(
        steps=said(numbers.count(len(chances)), "how many steps", answer.layer),
        answer=said(visible(label(answer, best)), "label", answer.layer, (best,)),
        share=said(numbers.percent(float(chances[-1, best]), 1), "largest", answer.layer, step=len(chances) - 1))


def short(trace: Trace, answer: Answer) -> str:
    """The likeliest at the last step."""
    return in_quotes(visible(label(answer, int(np.argmax(trace[answer.layer].output[-1])))))


def score(trace: Trace, answer: Answer) -> Score:
    """The share of steps whose likeliest answer is the one that was wanted."""
    chances = trace[answer.layer].output
    known = aims(trace, len(chances))
    if not known:
        return ()
    right = sum(int(np.argmax(chances[step])) == aim for step, aim in known)
    return (tr("share of steps that are right"), right / len(known)),


def judge(values: Values, truth: Any, settings: Mapping[str, Any]) -> tuple[int, int]:
    """How many steps are right, of those of which it is known what follows."""
    known = [(step, aim) for step, aim in enumerate(truth or ()) if aim != UNKNOWN]
    return sum(int(np.argmax(values[step])) == aim for step, aim in known), len(known)


def aims(trace: Trace, count: int) -> list[tuple[int, int]]:
    """Which of so many steps should have answered what, from the loss."""
    found = next((layer.settings["target"] for layer in reversed(trace.layers)
                  if layer.settings.get("ignore_index") == UNKNOWN and isinstance(layer.settings.get("target"), tuple)),
                 ())
    return [(step, int(aim)) for step, aim in enumerate(found[:count]) if aim != UNKNOWN]


def wishes(answer: Answer, values: Values) -> tuple[str, ...]:
    """The largest of the last step; then the second of it, and the largest of the step in the middle."""
    if values.ndim != 2 or not values.size:
        return ()
    last, middle = len(values) - 1, len(values) // 2
    order = np.argsort(-values[-1], kind="stable")
    return tuple(dict.fromkeys((*(f"logit:{int(index)}@{last}" for index in order[:2]),
                                f"logit:{int(np.argmax(values[middle]))}@{middle}")))


def target(given: Any, read: Callable[[Any], Values], wanted: Callable[[Any], float] | None) -> Any:
    """The symbols that follow, as far as they are known."""
    following = read(given.following)[0].tolist() if given.following else [UNKNOWN]
    aims = (*read(given.raw)[0, 1:].tolist(), *following)
    return None if set(aims) == {UNKNOWN} else aims


ANSWER = AnswerKind(english("tokens"), english("one of several symbols at each step"), suits, sentence, short=short,
                    score=score, scalar=picked,
                    wishes=wishes, loss="class", asks=("next symbol",), target=target, order=2, judge=judge, guess=True,
                    along=("step",))
