"""field: which share of its receptive field an untrained stack of convolutions really uses."""

import numpy as np
import torch

from visualizer.claims import Number
from visualizer.record.measures import Data, Measure

KERNEL, WIDE = 3, 4.0
"""Side of each kernel; the width in standard deviations that counts as used (Luo et al. 2016)."""


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
    weights = gradient.flatten().numpy() / float(gradient.sum())
    places = np.arange(size) - (size - 1) / 2
    return Number(float(WIDE * np.sqrt((weights * places**2).sum()) / size))


MEASURE = Measure("field", "field DEPTH", "share of the receptive field that a stack of 3 × 3 convolutions of equal "
                  "weights uses: four standard deviations of the gradient", _run)
