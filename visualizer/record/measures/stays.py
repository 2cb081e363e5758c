"""stays: the invariance error of a layer: how much it changes when the picture moves."""

import torch

from visualizer.claims import Number
from visualizer.record.measures import Data, Measure, as_mean, edited, opened, output_of


def _run(data: Data, model: str, layer: str, by: str) -> Number:
    """Mean over digits of ‖f(moved) − f(x)‖ / ‖f(x)‖, the picture moved right and down."""
    made = opened(model)
    assert made.prepare is not None
    pictures, step = data.digits[0], int(by)
    maps, moved = (output_of(made.module, layer, made.prepare(each)).double().flatten(1)
                   for each in (pictures, edited(made, pictures, f"shift:{step},{step}")))
    return as_mean((torch.linalg.vector_norm(moved - maps, dim=1) / torch.linalg.vector_norm(maps, dim=1)).numpy())


MEASURE = Measure("stays", "stays MODEL LAYER PIXELS", "invariance error: relative change of a layer when the picture "
                  "moves", _run)
