"""Beam search: of all that the kept beginnings of an answer can go on to, the likeliest are kept, step by step."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any

import numpy as np
import torch
from torch import Tensor

from visualizer.record.arguments import arguments
from visualizer.record.studies import Pass, Study, Work
from visualizer.trace import TOLD, Array, Arrays, Trace

WIDTHS = (1, 2, 3, 5, 10)
"""How many are kept; 1 is greedy."""
LONGEST = 40
"""Symbols, where the model does not say how many it says at most."""
Symbols = tuple[int, ...]
Score = Callable[[Sequence[Symbols]], Array]
"""Beginnings of one length -> the log probability of each symbol after each of them, (beginning, symbol)."""


@dataclass(frozen=True)
class Kept:
    """One beginning of an answer."""

    symbols: Symbols
    score: float
    """The sum of the log probabilities of its symbols; longer ones are not favoured."""
    before: int
    """Which of those that were kept a step earlier it goes on from."""


def suits(trace: Trace) -> bool:
    """Whether it answers symbol after symbol, and says with which it begins and ends."""
    return any({"begin", "end"} <= set(answer.settings) for answer in trace.answers)


def search(score: Score, end: int, width: int, longest: int) -> Iterator[tuple[Kept, ...]]:
    """What is kept after each step, the likeliest first, until all of it has ended; what has ended stays as it is."""
    kept = (Kept((), 0.0, 0),)
    while len(kept[0].symbols) < longest and not all(_ended(one, end) for one in kept):
        alive = [one for one in kept if not _ended(one, end)]
        rows = dict(zip(map(id, alive), score([one.symbols for one in alive]), strict=True))
        found = [Kept(one.symbols, one.score, place) if _ended(one, end) else
                 Kept((*one.symbols, symbol), one.score + float(more), place)
                 for place, one in enumerate(kept)
                 for symbol, more in ([(-1, 0.0)] if _ended(one, end) else enumerate(rows[id(one)].tolist()))]
        kept = tuple(sorted(found, key=lambda one: -one.score)[:width])
        yield kept
        if max(len(one.symbols) for one in kept) >= longest:
            return


def _ended(one: Kept, end: int) -> bool:
    return bool(one.symbols) and one.symbols[-1] == end


def run(again: Pass) -> Work:
    """By width `3/symbols` (step, kept, place), −1 behind the end; `3/scores` (step, kept) or NaN; `3/before`."""
    answer = next(answer for answer in again.trace.answers if {"begin", "end"} <= set(answer.settings))
    if TOLD not in signature(again.model.forward).parameters:
        return {}
    given = arguments(again.model, again.inputs)
    longest = int(getattr(again.model, "longest", LONGEST))
    begin, end = int(answer.settings["begin"]), int(answer.settings["end"])

    def score(beginnings: Sequence[Symbols]) -> Array:
        told = torch.tensor([[begin, *symbols] for symbols in beginnings])
        with torch.no_grad():
            logits = again.model(*(_for_all(each, len(told)) for each in given.positions), **{
                **{name: _for_all(each, len(told)) for name, each in given.keywords.items()}, TOLD: told})[:, -1]
        return np.asarray(logits.double().log_softmax(-1).numpy())

    found: dict[str, Array] = {}
    for number, width in enumerate(WIDTHS):
        kept = []
        for step in search(score, end, width, longest):
            yield number / len(WIDTHS), "step by step"
            kept.append(step)
        found.update(_arrays(width, kept))
    return found


def _for_all(given: Any, count: int) -> Any:
    """The one sample that was given, for so many beginnings."""
    return given.expand(count, *given.shape[1:]) if isinstance(given, Tensor) else given


def _arrays(width: int, steps_kept: Sequence[tuple[Kept, ...]]) -> Arrays:
    long = max(len(one.symbols) for kept in steps_kept for one in kept)
    symbols = np.full((len(steps_kept), width, long), -1, np.int64)
    scores, before = np.full((len(steps_kept), width), np.nan), np.zeros((len(steps_kept), width), np.int64)
    for step, kept in enumerate(steps_kept):
        for place, one in enumerate(kept):
            symbols[step, place, :len(one.symbols)] = one.symbols
            scores[step, place], before[step, place] = one.score, one.before
    return {f"{width}/symbols": symbols, f"{width}/scores": scores, f"{width}/before": before}


STUDY = Study("beam", "which answers a wider search finds", suits, run)
