"""How the score of each class changes with each number of the last maps, in float64."""

from __future__ import annotations

import numpy as np
import torch

from visualizer.kinds import places
from visualizer.record.studies import Pass, Study, Work
from visualizer.record.tracing import followed
from visualizer.trace import Trace


def run(again: Pass) -> Work:
    """`classes` (class,) which were measured; `slopes` (class, channel, row, column) ∂ score / ∂ number of the maps."""
    ends = places.ends(again.trace)
    assert ends is not None
    yield 0.0, "again in float64"
    graph = followed(again.model, again.inputs, again.keywords, again.trace.seed, again.budget)
    if ends.maps.name not in graph or ends.scores.name not in graph:
        return {}
    of, into = graph[ends.scores.name], graph[ends.maps.name]
    chosen = places.measured(ends.scores.output)
    slopes = np.zeros((len(chosen), *ends.maps.shape))
    for place, number in enumerate(chosen.tolist()):
        yield place / len(chosen), ends.maps.name
        seed = torch.zeros(ends.scores.shape, dtype=torch.float64)
        seed[number] = 1.0
        (found,) = torch.autograd.grad([of.edge], [into.edge], [seed.reshape(of.shape)], retain_graph=True,
                                       allow_unused=True)
        if found is not None:
            slopes[place] = found.reshape(ends.maps.shape).numpy()
    return {"classes": chosen, "slopes": slopes}


def suits(trace: Trace) -> bool:
    """Whether it answers with a class, from maps."""
    return places.ends(trace) is not None


STUDY = Study(places.STUDY, "where the scores come from", suits, run)
