"""Which unit or step matters most: each left out in turn, over the inputs that ship, and what this input gets then."""

from __future__ import annotations

import copy

import numpy as np
import torch

from visualizer import edits
from visualizer.record import ranking
from visualizer.record.catalog import Opened
from visualizer.record.curves import data_of
from visualizer.record.cutting import CANDIDATE, cut
from visualizer.record.run import answers_with
from visualizer.record.studies import Pass, Study, Work
from visualizer.trace import Array, Refused, Trace


def suits(trace: Trace) -> bool:
    """Whether it answers."""
    return bool(trace.answers)


def run(again: Pass) -> Work:
    """For `units` and `steps`: `NAME:words`, a line each, as bytes; `NAME:alone`, right answers without each;
    `NAME:gone` without the 1, 2, 3, … that matter least; `NAME:broken` and `NAME:left`, what is left out greedily and
    the right answers then. `all`: (right, of). `answers`: what this input is answered without each unit."""
    opened = None if again.opened is None else again.opened.uncut or again.opened
    made = None if opened is None else answers_with(opened)
    if opened is None or made is None or made.judge is None:
        return {}
    found: dict[str, Array] = {}
    recurrent = any(type(part).__name__ in CANDIDATE for part in opened.module.modules())
    for name in ("units", *((ranking.STEPS,) if recurrent else ())):
        try:
            counted = yield from ranking.ranked(opened, of=name if name == ranking.STEPS else "")
        except Refused:
            continue
        found |= {f"{name}:words": np.frombuffer("\n".join(counted.words).encode(), np.uint8),
                  f"{name}:alone": np.array(counted.alone), f"{name}:gone": np.array(counted.gone),
                  f"{name}:broken": np.array(counted.broken[::2]), f"{name}:left": np.array(counted.broken[1::2]),
                  "all": np.array(counted.all), "inputs": np.array(len(data_of(opened).given))}
        if name == "units" and again.trace.answer is not None:
            found["answers"] = np.array([_answer(again, opened, word) for word in counted.words])
    return found


@torch.inference_mode()
def _answer(again: Pass, opened: Opened, word: str) -> int:
    """The likeliest class of this input without one unit; −1 where it answers with none."""
    module = copy.deepcopy(opened.module)
    edit, arguments = edits.parse(word)
    assert edit.cuts is not None
    cut(module, edit.cuts(*arguments), opened)
    out = module(*again.inputs, **(again.keywords or {}))
    return int(out[0].argmax()) if isinstance(out, torch.Tensor) and out.ndim == 2 else -1


STUDY = Study("matters", "which unit matters most", suits, run)
