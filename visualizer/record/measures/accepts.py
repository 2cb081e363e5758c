"""accepts: whether a network takes pictures of another size at all."""

import numpy as np
import torch

from visualizer.claims import Number
from visualizer.record.measures import Data, Measure, opened


def _run(data: Data, model: str, side: str) -> Number:
    """1 if a digit in the middle of a black picture of so many pixels a side can be run, else 0."""
    made = opened(model)
    picture = data.digits[0][0]
    rim = (int(side) - picture.shape[0]) // 2
    wide = torch.from_numpy(np.pad(picture, rim)[None, None]).float() / 255
    try:
        with torch.no_grad():
            made.module(wide)
    except RuntimeError:
        return Number(0.0)
    return Number(1.0)


MEASURE = Measure("accepts", "accepts MODEL SIDE", "1 if a network takes pictures of so many pixels a side, 0 if it "
                  "refuses", _run)
