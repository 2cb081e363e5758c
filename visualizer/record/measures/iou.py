"""iou: how far what a network cuts out of its pictures and what is right overlap."""

import numpy as np

from visualizer.claims import Number
from visualizer.kinds.pixels import ground_of, overlaps
from visualizer.record.curves import data_of
from visualizer.record.measures import Data, Measure, answered, opened
from visualizer.record.run import record


def _run(data: Data, model: str, *done: str) -> Number:
    """Shared over covered pixels of each class but the ground, counted over all of its pictures; the mean of these."""
    shared: dict[int, int] = {}
    either: dict[int, int] = {}
    given = data_of(opened(model)).given
    for each in given:
        answer, values = answered(record(model, each.sample.name, objective="none", edits=done), "segments")
        for found in overlaps(answer, values):
            if found.index != ground_of(answer):
                shared[found.index] = shared.get(found.index, 0) + found.shared
                either[found.index] = either.get(found.index, 0) + found.either
    return Number(float(np.mean([shared[index] / either[index] for index in either])), of=len(given))


MEASURE = Measure("iou", "iou MODEL [EDIT …]", "shared over covered pixels of each class, counted over all pictures of "
                  "a network, and the mean over the classes", _run)
