"""pooled: how much a map changes when the picture moves by one pixel, behind a max pooling of a window."""

import torch

from visualizer.claims import Number
from visualizer.record.measures import Data, Measure, as_mean, edited, opened, output_of


def _run(data: Data, model: str, layer: str, window: str) -> Number:
    """Mean over digits of ‖pool(f(moved)) − pool(f(x))‖ / ‖pool(f(x))‖, the picture moved to the right."""
    made = opened(model)
    assert made.prepare is not None
    pictures = data.digits[0]
    moved = edited(made, pictures, "shift:1")
    maps = [output_of(made.module, layer, made.prepare(each)) for each in (pictures, moved)]
    side = maps[0].shape[-1] if window == "all" else int(window)
    one, other = (torch.nn.functional.max_pool2d(each, side).flatten(1).double() for each in maps)
    changes = torch.linalg.vector_norm(other - one, dim=1) / torch.linalg.vector_norm(one, dim=1)
    return as_mean(changes.numpy())


MEASURE = Measure("pooled", "pooled MODEL LAYER WINDOW|all", "relative change of a layer's maps behind max pooling, "
                  "the picture moved by one pixel", _run)
