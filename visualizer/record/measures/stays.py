"""stays: the invariance error of a layer: how much it changes when the picture moves."""

from visualizer.claims import Number
from visualizer.kinds.moving import left_in_place
from visualizer.record.measures import Data, Measure, as_mean, edited, opened, output_of


def _run(data: Data, model: str, layer: str, by: str) -> Number:
    """Mean over digits of what `kinds.moving` says of the maps, the picture moved right and down."""
    made = opened(model)
    assert made.prepare is not None
    pictures, step = data.digits[0], int(by)
    maps, moved = (output_of(made.module, layer, made.prepare(each)).numpy()
                   for each in (pictures, edited(made, pictures, f"shift:{step},{step}")))
    return as_mean(left_in_place(maps, moved, batch=True))


MEASURE = Measure("stays", "stays MODEL LAYER PIXELS", "invariance error: relative change of a layer when the picture "
                  "moves", _run)
