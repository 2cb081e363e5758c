"""ground: how many pixels of its pictures a network that cuts out is right about by finding nothing anywhere."""

import numpy as np

from visualizer.claims import Number
from visualizer.kinds.pixels import ground_of, truth_of
from visualizer.record.curves import data_of
from visualizer.record.measures import Data, Measure, answered, as_share, opened
from visualizer.record.run import record


def _run(data: Data, model: str) -> Number:
    """Over the pictures of which it is known what each pixel is."""
    found = []
    for each in data_of(opened(model)).given:
        answer, values = answered(record(model, each.sample.name, objective="none"), "segments")
        if (right := truth_of(answer, values)) is not None:
            found.append(right.ravel() == ground_of(answer))
    if not found:
        raise ValueError(f"of the pictures of {model} it is not known what their pixels are")
    return as_share(np.concatenate(found))


MEASURE = Measure("ground", "ground MODEL", "share of the pixels of a network's pictures that belong to nothing it "
                  "is to cut out", _run)
