"""gaps: which share of the digits is read rightly when pixels are missing, for networks that are told which."""

import sys

import torch

from visualizer.claims import Number
from visualizer.edits import drawn
from visualizer.record.measures import Data, Measure, as_share, opened

SEED = 0


def _run(data: Data, model: str, share: str) -> Number:
    """Each pixel is missing with that chance, as in the recipe: a masked array of numpy says which."""
    made = opened(model)
    assert made.prepare is not None
    pictures, labels = data.digits
    holed = sys.modules["_missing"].erase(pictures, float(share), drawn(SEED))
    with torch.no_grad():
        return as_share(made.module(made.prepare(holed)).argmax(1).numpy() == labels)


MEASURE = Measure("gaps", "gaps MODEL SHARE", "share of the digits that are read rightly when so many pixels are "
                  "missing, which the network is told", _run)
