"""follows: the equivariance error of a layer: how far its maps are from the old ones, moved along with the picture."""

from torch import nn

from visualizer.claims import Number
from visualizer.kinds.moving import moved_back
from visualizer.record.measures import Data, Measure, as_mean, edited, opened, output_of


def _run(data: Data, model: str, layer: str, by: str) -> Number:
    """Mean over digits of what `kinds.moving` says of the maps, the picture moved right and down."""
    made = opened(model)
    assert made.prepare is not None
    pictures, step = data.digits[0], int(by)
    maps, moved = (output_of(made.module, layer, made.prepare(each)).numpy()
                   for each in (pictures, edited(made, pictures, f"shift:{step},{step}")))
    places = step / stride_of(made.module, layer)
    if places != int(places):
        raise ValueError(f"a step of {step} pixels falls between the places of {layer}")
    return as_mean(moved_back(maps, moved, (int(places),) * 2, batch=True))


def stride_of(model: nn.Module, layer: str) -> int:
    """Pixels between two places of a layer, in a network whose parts stand in the order in which they are run."""
    stride = 1
    for name, module in model.named_modules():
        if isinstance(module, (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d)):
            by = module.stride
            stride *= by[0] if isinstance(by, tuple) else by
        if name == layer:
            break
    return stride


MEASURE = Measure("follows", "follows MODEL LAYER PIXELS", "equivariance error: what is left of a layer's change after "
                  "its maps are moved along with the picture", _run)
