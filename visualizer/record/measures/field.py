"""field: which share of its receptive field an untrained stack of convolutions really uses."""

import torch

from visualizer.claims import Number
from visualizer.kinds.reach import width
from visualizer.record.measures import Data, Measure

KERNEL = 3
"""Side of each kernel."""


def _run(data: Data, depth: str) -> Number:
    """Width of the gradient of the middle unit in a stack of 3 × 3 convolutions of equal weights, against the field.

    Along one axis, for the field of a square stack is the product of two of them.
    """
    layers = int(depth)
    size = 1 + layers * (KERNEL - 1)
    x = torch.zeros(1, 1, size, dtype=torch.float64, requires_grad=True)
    kernel = torch.full((1, 1, KERNEL), 1 / KERNEL, dtype=torch.float64)
    out = x
    for _ in range(layers):
        out = torch.nn.functional.conv1d(out, kernel)
    (gradient,) = torch.autograd.grad(out.sum(), x)
    return Number(width(gradient.flatten().numpy()) / size)


MEASURE = Measure("field", "field DEPTH", "share of the receptive field that a stack of 3 × 3 convolutions of equal "
                  "weights uses: four standard deviations of the gradient", _run)
