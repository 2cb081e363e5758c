"""outputs: how many numbers a side a convolution gives, of a picture of so many."""

import torch

from visualizer.claims import Number
from visualizer.record.measures import Data, Measure


def _run(data: Data, side: str, kernel: str, stride: str = "1", padding: str = "0", dilation: str = "1") -> Number:
    """Asked of torch, without any number being computed."""
    conv = torch.nn.Conv2d(1, 1, int(kernel), int(stride), int(padding), int(dilation), device="meta")
    return Number(float(conv(torch.empty(1, 1, int(side), int(side), device="meta")).shape[-1]))


MEASURE = Measure("outputs", "outputs SIDE KERNEL [STRIDE [PADDING [DILATION]]]", "how many numbers a side a "
                  "convolution gives", _run)
