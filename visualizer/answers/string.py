"""A string: symbols spelled along the steps, repeats merged and blanks left out (Graves and others 2006, CTC)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from visualizer import kinds
from visualizer.answers import AnswerKind, Scalar, Score, Values, label, never, picked
from visualizer.answers.tokens import wishes as of_steps
from visualizer.language import english, tr
from visualizer.said import said
from visualizer.scene import numbers
from visualizer.trace import Answer, Refused, Trace


def spelled(trace: Trace, answer: Answer) -> tuple[int, ...]:
    """The greedy reading: the likeliest of each step, repeats merged, blanks left out."""
    blank = int(answer.settings.get("blank", 0))
    return collapsed(np.argmax(trace[answer.layer].output, axis=-1).tolist(), blank)


def collapsed(path: Sequence[int], blank: int) -> tuple[int, ...]:
    """Repeats merged, then blanks left out."""
    return tuple(index for index, _ in groupby(path) if index != blank)


def written(trace: Trace) -> tuple[int, ...]:
    """What should be spelled, from the loss; nothing where that is not known."""
    loss = next((layer for layer in trace.layers if kinds.label(layer) == "symbols"), None)
    return () if loss is None else tuple(int(index) for index in loss.settings.get("target", ()))


def sentence(trace: Trace, answer: Answer) -> str:
    """What is read, and what is written there."""
    read, wanted = spelled(trace, answer), written(trace)
    words = tr("Along {steps} steps the network reads {{{read}}}.") if not wanted else \
        tr("Along {steps} steps the network reads {{{read}}}; that is right.") if read == wanted else \
        tr("Along {steps} steps the network reads {{{read}}}; written is {written}.")
    return words.format(steps=said(numbers.count(len(trace[answer.layer].output)), "how many steps", answer.layer),
                        read=said(" ".join(label(answer, index) for index in read), "what is read", answer.layer)
                        or tr("nothing"),
                        written=said(" ".join(label(answer, index) for index in wanted), "what is written",
                                     answer.layer))


def short(trace: Trace, answer: Answer) -> str:
    """What is read."""
    return " ".join(label(answer, index) for index in spelled(trace, answer)) or tr("nothing")


def score(trace: Trace, answer: Answer) -> Score:
    """How many symbols have to be put in, taken out or changed until it is right, and their share."""
    wanted = written(trace)
    if not wanted:
        return ()
    wrong = distance(spelled(trace, answer), wanted)
    return ((tr("symbols that are wrong"), float(wrong)),
            (tr("share of the symbols that are wrong"), wrong / len(wanted)))


def judge(values: Values, truth: Any, settings: Mapping[str, Any]) -> tuple[int, int]:
    """Whether all of it is right."""
    read = collapsed(np.argmax(values, axis=-1).tolist(), int(settings.get("blank", 0)))
    return int(bool(truth) and read == tuple(truth or ())), int(bool(truth))


SYMBOL = re.compile(r"symbol:(\d{1,6})")


def runs(values: Values, blank: int) -> list[tuple[int, range]]:
    """Each symbol that is read, and the steps that say it."""
    path, found, start = np.argmax(values, axis=-1).tolist(), list[tuple[int, range]](), 0
    for index, same in groupby(path):
        count = len(list(same))
        if index != blank:
            found.append((index, range(start, start + count)))
        start += count
    return found


def scalar(answer: Answer, values: Values, words: str) -> Scalar | None:
    """`symbol:1`: the scores of the second symbol that is read, over the steps that say it, added up; else as of any
    other answer. Raises Refused for a symbol that is not there."""
    match = SYMBOL.fullmatch(words)
    if match is None:
        return picked(answer, values, words)
    spoken = runs(values, int(answer.settings.get("blank", 0)))
    if int(match[1]) >= len(spoken):
        raise Refused(tr("There is no symbol {number}; {count} are read, counted from 0.").format(
            number=match[1], count=len(spoken)))
    symbol, steps = spoken[int(match[1])]
    return Scalar(words, tuple(((step, symbol), 1.0) for step in steps))


def wishes(answer: Answer, values: Values) -> tuple[str, ...]:
    """Each symbol that is read, or where none is the largest of the last step."""
    if values.ndim != 2 or not values.size:
        return ()
    read = runs(values, int(answer.settings.get("blank", 0)))
    return tuple(f"symbol:{number}" for number in range(len(read))) or of_steps(answer, values)


def distance(one: Sequence[int], other: Sequence[int]) -> int:
    """Levenshtein's edit distance."""
    row = list(range(len(other) + 1))
    for count, symbol in enumerate(one, 1):
        before, row[0] = row[0], count
        for place, another in enumerate(other, 1):
            before, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, before + (symbol != another))
    return row[-1]


def target(given: Any, read: Callable[[Any], Values], wanted: Callable[[Any], float] | None) -> Any:
    """What is written on the strip."""
    return given.digits or None


ANSWER = AnswerKind(english("string"), english("a string spelled along the steps"), never, sentence, short=short,
                    score=score, scalar=scalar,
                    wishes=wishes, loss="ctc", asks=("ctc",), target=target, judge=judge,
                    along=("step",))
