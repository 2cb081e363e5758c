"""Spoken: a row of symbols that the network says one after the other, until it says the end.

A model says of it: `end`, which symbol that is, and `joined`, what stands between two symbols (a space).
"""

from __future__ import annotations

import numpy as np

from visualizer.answers import AnswerKind, label, never, picked
from visualizer.answers.tokens import aims, wishes
from visualizer.answers.tokens import score as score_of_steps
from visualizer.language import english, tr
from visualizer.said import said
from visualizer.scene import numbers
from visualizer.trace import Answer, Trace


def spoken(trace: Trace, answer: Answer) -> tuple[int, ...]:
    """The likeliest symbol of each step, up to the end."""
    best = np.argmax(trace[answer.layer].output, axis=-1).tolist()
    end = int(answer.settings.get("end", -1))
    return tuple(best[:best.index(end)] if end in best else best)


def short(trace: Trace, answer: Answer) -> str:
    """What is said."""
    return str(answer.settings.get("joined", " ")).join(label(answer, index) for index in spoken(trace, answer)) \
        or tr("nothing")


def sentence(trace: Trace, answer: Answer) -> str:
    """What is said, and what should be, as far as the loss knows it."""
    chances = trace[answer.layer].output
    wanted = tuple(aim for _, aim in aims(trace, len(chances)) if aim != answer.settings.get("end"))
    words = tr("In {steps} steps the network says {{{spoken}}}.") if not wanted else \
        tr("In {steps} steps the network says {{{spoken}}}; that is right.") if wanted == spoken(trace, answer) else \
        tr("In {steps} steps the network says {{{spoken}}}; right would be {wanted}.")
    between = str(answer.settings.get("joined", " "))
    return words.format(steps=said(numbers.count(len(chances)), "how many steps", answer.layer),
                        spoken=said(short(trace, answer), "what is read", answer.layer),
                        wanted=said(between.join(label(answer, index) for index in wanted), "what is written",
                                    answer.layer))


ANSWER = AnswerKind(english("spoken"), english("a row of symbols, said one after the other"), never, sentence,
                    short=short, score=score_of_steps, scalar=picked, wishes=wishes, loss="class", asks=("spoken",),
                    along=("step",))
