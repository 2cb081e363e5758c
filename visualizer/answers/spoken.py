"""Spoken: a row of symbols that the network says one after the other, until it says the end.

A model says of it: `end`, which symbol that is, `begin`, the one that it is told before the first, and `joined`, what
stands between two symbols (a space). It may be told the right symbols on the way (`trace.TOLD`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from visualizer.answers import SAID, AnswerKind, Score, Values, Where, label, never, picked
from visualizer.answers.string import distance
from visualizer.language import english, tr
from visualizer.said import said
from visualizer.scene import numbers
from visualizer.scene.picture import Focus, Look, Mark, Rect, Text, plain
from visualizer.scene.type import width
from visualizer.trace import Answer, Trace


def upto(symbols: Sequence[int], answer: Mapping[str, Any]) -> tuple[int, ...]:
    """Symbols without the end and what comes after it."""
    end = int(answer.get("end", -1))
    return tuple(symbols[:symbols.index(end)] if end in symbols else symbols)


def spoken(trace: Trace, answer: Answer) -> tuple[int, ...]:
    """The likeliest symbol of each step, up to the end."""
    return upto(np.argmax(trace[answer.layer].output, axis=-1).tolist(), answer.settings)


def right(answer: Answer) -> tuple[int, ...] | None:
    """What should be said, without the end; None where nobody knows."""
    return None if answer.truth is None else upto([int(each) for each in answer.truth], answer.settings)


def written(answer: Answer, symbols: Sequence[int]) -> str:
    """Symbols in a row, as they are written."""
    return str(answer.settings.get("joined", " ")).join(label(answer, index) for index in symbols) or tr("nothing")


def short(trace: Trace, answer: Answer) -> str:
    """What is said."""
    return written(answer, spoken(trace, answer))


def sentence(trace: Trace, answer: Answer) -> str:
    """What is said, and what should be, where that is known."""
    wanted = right(answer)
    words = tr("In {steps} steps the network says {{{spoken}}}.") if wanted is None else \
        tr("In {steps} steps the network says {{{spoken}}}; that is right.") if wanted == spoken(trace, answer) else \
        tr("In {steps} steps the network says {{{spoken}}}; right would be {wanted}.")
    return words.format(steps=said(numbers.count(len(trace[answer.layer].output)), "how many steps", answer.layer),
                        spoken=said(short(trace, answer), "what is read", answer.layer),
                        wanted=said(written(answer, wanted or ()), "what is written", answer.layer))


ACROSS, HIGH = 4, 0.15
"""Symbols beside each other in the drawing, and how high each is for a width of 1."""


def proportion(trace: Trace, answer: Answer) -> float:
    """So many rows of symbols."""
    return HIGH * -(-len(trace[answer.layer].output) // ACROSS)


def draw(trace: Trace, answer: Answer, place: Where, look: Look) -> list[Mark]:
    """Symbol after symbol in rows, each with its chance; one that is wrong is framed, and what is right stands there.
    """
    x, y, wide, high = place
    chances, wanted = trace[answer.layer].output, right(answer)
    each, tall = wide / ACROSS, high / max(1, -(-len(chances) // ACROSS))
    end = int(answer.settings.get("end", -1))
    marks: list[Mark] = []
    for step, row in enumerate(chances):
        best = int(np.argmax(row))
        aim = best if wanted is None else wanted[step] if step < len(wanted) else end
        left, top = x + each * (step % ACROSS), y + tall * (step // ACROSS)
        marks.append(Rect(left + 1, top + 1, each - 4, tall - 4, "sunk", "" if aim == best else "ink", 1.5, True,
                          radius=4, dashed=True, focus=Focus(answer.layer, (step, best))))
        words = said(label(answer, best), "symbol of the answer", answer.layer, (best,))
        size = 13.0 if width(words, 13, 600) <= each - 8 else 11.0
        middle = left + each / 2 - 1
        marks.append(Text(middle, top + min(tall / 2, 17.0), plain(words), size, 600, "ink", "middle",
                          max_width=each - 6))
        below = said(numbers.percent(float(row[best]), 0), "chance", answer.layer, (best,), step) if aim == best else \
            said(label(answer, aim), "symbol of the answer", answer.layer, (aim,))
        if tall >= 34:
            weight, ink = (400, "ink-2") if aim == best else (600, "ink")
            marks.append(Text(middle, top + 31, plain(below), 11, weight, ink, "middle", max_width=each - 6))
    return marks


def score(trace: Trace, answer: Answer) -> Score:
    """Whether all of it is right, and how many symbols have to be put in, taken out or changed until it is."""
    wanted = right(answer)
    if wanted is None:
        return ()
    wrong = distance(spoken(trace, answer), wanted)
    return ((tr("wholly right"), float(wrong == 0)), (tr("symbols that are wrong"), float(wrong)),
            (tr("share of the symbols that are wrong"), wrong / max(1, len(wanted))))


def wishes(answer: Answer, values: Values) -> tuple[str, ...]:
    """The log probability of each symbol that is said."""
    return tuple(f"said:{step}" for step in range(len(values)))


def called(trace: Trace, answer: Answer, wish: str) -> str:
    """`log p of “und”, symbol 3`; counted from 1, as everywhere on the screen."""
    match = SAID.fullmatch(wish)
    step = -1 if match is None else int(match[1])
    if match is None or step >= len(trace[answer.layer].output):
        return ""
    index = int(match[2] or np.argmax(trace[answer.layer].output[step]))
    return tr("log p of “{symbol}”, symbol {number}").format(symbol=label(answer, index), number=step + 1)


def judge(values: Values, truth: Any, settings: Mapping[str, Any]) -> tuple[int, int]:
    """Whether all of it is right."""
    if truth is None or not len(truth):
        return 0, 0
    return int(upto(np.argmax(values, axis=-1).tolist(), settings) == upto(list(truth), settings)), 1


def target(given: Any, read: Callable[[Any], Values], wanted: Callable[[Any], Any] | None) -> Any:
    """The symbols that stand beside a sample, else those that its model knows to be right."""
    return given.truth if given.truth is not None or wanted is None else wanted(given.raw)


ANSWER = AnswerKind(english("spoken"), english("a row of symbols, said one after the other"), never, sentence, draw,
                    proportion, short=short, score=score, scalar=picked, wishes=wishes, called=called, loss="class",
                    asks=("spoken",), target=target, judge=judge, ends=True, view="translate", along=("step",))
