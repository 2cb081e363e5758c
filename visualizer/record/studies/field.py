"""What the score of single pixels hangs on: its gradient at every place of the input, pixel by pixel."""

from __future__ import annotations

import numpy as np
import torch

from visualizer import answers
from visualizer.kinds.pixels import classes, doubtful, entropy, ground_of, truth_of
from visualizer.record.studies import Pass, Study, Work
from visualizer.record.tracing import followed
from visualizer.trace import Answer, Array, Trace

MOST = 240
"""So many pixels at most: those that are given another class than the ground or should be, and the doubtful ones."""
DOUBT = 0.25
"""Bits from which on a pixel is doubtful."""


def asked(trace: Trace) -> Answer | None:
    """The answer of whose pixels it is known what each hangs on: a class for each pixel of one picture."""
    first = trace.layers[0]
    return next((answer for answer in trace.answers if (made := answers.of(answer)) is not None
                 and made.along == ("row", "column") and first.axes == ("channel", "row", "column")
                 and first.output.dtype.kind == "f" and trace[answer.layer].output.ndim == 3), None)


def pixels(answer: Answer, values: Array) -> Array:
    """(pixel, 2): row and column of those that are measured, evenly chosen where there are too many, and the most
    doubtful one."""
    given, right, ground = classes(values), truth_of(answer, values), ground_of(answer)
    wanted = entropy(values) > DOUBT
    if ground is not None:
        wanted |= (given != ground) | (right is not None and right != ground)
    found = np.argwhere(wanted)
    chosen = found[np.unique(np.linspace(0, len(found) - 1, MOST).astype(int))] if len(found) > MOST else found
    return np.unique(np.vstack([chosen, [doubtful(answer, values)]]), axis=0)


def run(again: Pass) -> Work:
    """`pixels` (pixel, 2), row and column of each; `gradient` (pixel, row, column) ‖∂ score / ∂ that place‖ over all
    channels of the input, of the class that the pixel is given."""
    yield 0.0, "again in float64"
    trace, answer = again.trace, asked(again.trace)
    assert answer is not None
    scores = trace[answer.returned or answer.layer]
    graph = followed(again.model, again.inputs, again.keywords, trace.seed, again.budget)
    of, into = graph[scores.name], graph[trace.layers[0].name]
    chosen, given = pixels(answer, trace[answer.layer].output), classes(trace[answer.layer].output)
    found = np.zeros((len(chosen), *trace.layers[0].shape[1:]), np.float32)
    for number, (row, column) in enumerate(chosen.tolist()):
        if number % 16 == 0:
            yield number / len(chosen), scores.name
        seed = torch.zeros(scores.shape, dtype=torch.float64)
        seed[int(given[row, column]), row, column] = 1.0
        (back,) = torch.autograd.grad([of.edge], [into.edge], [seed.reshape(of.shape)], retain_graph=True,
                                      allow_unused=True)
        if back is not None:
            found[number] = torch.linalg.vector_norm(back.reshape(trace.layers[0].shape), dim=0).numpy()
    return {"pixels": chosen.astype(np.int64), "gradient": found}


STUDY = Study("field", "what each pixel hangs on", lambda trace: asked(trace) is not None, run)
