"""right: which share of the digits a network reads rightly, as they are or after something was done to them."""

import numpy as np
import torch

from visualizer.claims import Number
from visualizer.record.measures import Data, Measure, as_share, edited, opened

AT_ONCE = 500


def _run(data: Data, model: str, *done: str) -> Number:
    """The likeliest class against the label."""
    made = opened(model)
    assert made.prepare is not None
    pictures, labels = data.digits
    right = []
    with torch.no_grad():
        for start in range(0, len(pictures), AT_ONCE):
            given = edited(made, pictures[start:start + AT_ONCE], *done)
            right.append(made.module(made.prepare(given)).argmax(1).numpy() == labels[start:start + AT_ONCE])
    return as_share(np.concatenate(right))


MEASURE = Measure("right", "right MODEL [EDIT …]", "share of the digits that are read rightly, after the edits", _run)
