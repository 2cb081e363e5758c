"""How a forecast goes on by itself: from every step on the model reads what it foretold, so many steps ahead."""

from __future__ import annotations

import numpy as np
import torch

from visualizer.record.studies import Pass, Study, Work
from visualizer.trace import Trace

AHEAD = 33
"""Steps that are foretold from each step on."""
MOST = 20_000
"""Of a longer series nothing is foretold."""


def foretells(trace: Trace) -> bool:
    """Whether it answers, after every step of one series, with the next value of it."""
    given = trace.layers[0]
    return given.shape[1:] == (1,) and len(given.output) <= MOST and any(
        answer.settings.get("foretells") == 1 and trace[answer.layer].shape == given.shape for answer in trace.answers)


def run(again: Pass) -> Work:
    """`ahead` (step, how far ahead): what is foretold for the steps after each, told the true values up to it."""
    read = getattr(again.model, "read", None)
    if read is None:  # only a model that can go on from a state
        return {}
    yield 0.0, "each step by itself"
    series = again.inputs[0]
    with torch.no_grad():
        states, first, state = [], [], None
        for step in range(series.shape[1]):
            answer, state = read(series[:, step:step + 1], state)
            first.append(answer[:, 0])
            states.append(state)
        parts = states[0] if isinstance(states[0], tuple) else (states[0],)
        together = tuple(torch.cat([(each if isinstance(each, tuple) else (each,))[place] for each in states], 1)
                         for place in range(len(parts)))
        state = together if isinstance(states[0], tuple) else together[0]
        ahead = [torch.cat(first)]
        for number in range(1, AHEAD):
            yield number / AHEAD, "each step by itself"
            answer, state = read(ahead[-1][:, None], state)
            ahead.append(answer[:, 0])
    return {"ahead": np.asarray(torch.cat(ahead, 1).double().numpy())}


STUDY = Study("free", "how the forecast goes on by itself", foretells, run)
