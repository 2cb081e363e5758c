"""Which unit or step matters most: each left out in turn, over the inputs that ship, and what this input gets then.
Where answers are not counted, the loss of this input without each. And how many are right with the edits, and whether
the weights are still what they were."""

from __future__ import annotations

import copy
import json
from collections.abc import Generator, Mapping

import numpy as np
import torch

from visualizer import edits, kinds
from visualizer.answers import told
from visualizer.record import ranking
from visualizer.record.catalog import Opened
from visualizer.record.curves import data_of
from visualizer.record.cutting import CANDIDATE, cut
from visualizer.record.edits import cut_as, unchanged
from visualizer.record.ranking import Ranking
from visualizer.record.run import answers_with
from visualizer.record.studies import Pass, Study, Work
from visualizer.record.tracing import capture
from visualizer.trace import Array, Arrays, Refused, Trace

NAME, ORDERED = "matters", "ordered"


def suits(trace: Trace) -> bool:
    """Whether it answers."""
    return bool(trace.answers)


def run(again: Pass) -> Work:
    """`bits`: how many weights are what they were before the first edit, of how many; `whole` and `now`: (right, of)
    before the edits and with them. For `units` and `steps`: `NAME:words`, a line each, as bytes; `NAME:alone`, right
    answers without each; `NAME:gone` without the 1, 2, 3, … that matter least; `NAME:broken` and `NAME:left`, what is
    left out greedily and the right answers then. `all`: (right, of) of what they were counted from: the network with
    all edits but the last. `answers`: what this input is answered without each unit. Where nothing is right or wrong
    `all` is (loss of this input, 0), and `NAME:alone` the loss without each.

    The words that it yields are what was measured so far, as JSON; `ordered` once each has been left out alone, so that
    they can be sorted."""
    opened = None if again.opened is None else again.opened.uncut or again.opened
    if opened is None:
        return {}
    found: dict[str, Array] = {"bits": np.array(unchanged(opened))}
    done = edits.those(again.edits, edits.MODEL)
    base = cut_as(opened, done[:-1]) if done[:-1] else opened
    made = answers_with(opened)
    try:
        counts = made is not None and made.judge is not None and bool(data_of(opened).given)
    except Refused:
        counts = False
    if counts:
        try:
            yield from _counted(again, opened, base, found)
            return found
        except Refused:  # it is not known of its inputs what they should be answered
            pass
    return (yield from _by_loss(again, base, found))


def _counted(again: Pass, opened: Opened, base: Opened, found: dict[str, Array]) -> Generator[tuple[float, str]]:
    data = data_of(opened)
    for name, wanted in (("whole", opened), ("now", again.opened or opened)):
        counting = ranking.right(wanted, (), data, ())
        while True:
            try:
                next(counting)
            except StopIteration as end:
                found[name] = np.array(end.value)
                break
            yield 0.0, ""
    yield 0.0, _written(found)
    recurrent = any(type(part).__name__ in CANDIDATE for part in opened.module.modules())
    for name in ("units", *((ranking.STEPS,) if recurrent else ())):
        work = ranking.ranked(base, of=name if name == ranking.STEPS else "")
        before = 0
        while True:
            try:
                share, so_far = next(work)
            except StopIteration as end:
                found |= _arrays(name, end.value)
                break
            except Refused:
                break
            news = len(so_far.alone) + len(so_far.gone) > before
            before = len(so_far.alone) + len(so_far.gone)
            ordered = {ORDERED: np.array(int(len(so_far.alone) == len(so_far.words)))}
            yield share, _written({**found, **_arrays(name, so_far), **ordered}) if news else ""
        if name == "units" and again.trace.answer is not None and f"{name}:words" in found:
            found["answers"] = yield from _answers(again, base, _lines(found[f"{name}:words"]))


def _arrays(name: str, counted: Ranking) -> dict[str, Array]:
    return {f"{name}:words": np.frombuffer("\n".join(counted.words).encode(), np.uint8),
            f"{name}:alone": np.array(counted.alone), f"{name}:gone": np.array(counted.gone),
            f"{name}:broken": np.array(counted.broken[::2]), f"{name}:left": np.array(counted.broken[1::2]),
            "all": np.array(counted.all)}


def _lines(words: Array) -> list[str]:
    return bytes(words).decode().split("\n")


def _written(arrays: Mapping[str, Array]) -> str:
    return json.dumps({name: array.tolist() for name, array in arrays.items()})


def _answers(again: Pass, opened: Opened, words: list[str]) -> Generator[tuple[float, str], None, Array]:
    """The likeliest class of this input without each unit; −1 where it answers with none."""
    found = []
    for number, word in enumerate(words):
        module = copy.deepcopy(opened.module)
        edit, arguments = edits.parse(word)
        assert edit.cuts is not None
        cut(module, edit.cuts(*arguments), opened)
        with torch.inference_mode():
            out = module(*again.inputs, **(again.keywords or {}))
        found.append(int(out[0].argmax()) if isinstance(out, torch.Tensor) and out.ndim == 2 else -1)
        yield number / len(words), ""
    return np.array(found)


# --- where nothing is right or wrong ----------------------------------------------------------------------------------

def _by_loss(again: Pass, opened: Opened, found: dict[str, Array]) -> Work:
    """The loss of this input without each unit; nothing where it has no loss."""
    words = ranking.units(opened)
    whole = _loss(again, opened)
    if whole is None or not words:
        return found
    alone: list[float] = []
    found |= {"all": np.array([whole, 0.0])}
    for number, word in enumerate(words):
        without = _loss(again, cut_as(opened, (word,)))
        alone.append(np.nan if without is None else without)
        if len(alone) == len(words) or number % 4 == 0:
            ordered = {ORDERED: np.array(int(len(alone) == len(words)))}
            yield number / len(words), _written({**found, **_of_loss(words, alone), **ordered})
        else:
            yield number / len(words), ""
    return {**found, **_of_loss(words, alone)}


def _of_loss(words: tuple[str, ...], alone: list[float]) -> Arrays:
    none = np.zeros(0, np.int64)
    return {"units:words": np.frombuffer("\n".join(words).encode(), np.uint8), "units:alone": np.array(alone),
            "units:gone": none, "units:broken": none, "units:left": none}


def _loss(again: Pass, opened: Opened) -> float | None:
    trace = capture(opened.module, again.inputs[0] if len(again.inputs) == 1 else tuple(again.inputs), again.target,
                    keywords=again.keywords, asks=again.asks, objective=again.objective, output=again.output,
                    answer=again.answer or told(again.trace), labels=opened.labels)
    layer = next((layer for layer in reversed(trace.layers) if layer.output.ndim == 0), None)
    lost = layer is not None and any(kinds.role(each) == "loss" for each in trace)
    return float(layer.output) if layer is not None and lost else None


STUDY = Study(NAME, "which unit matters most", suits, run)
