"""One convolution, edges: eight kernels chosen by hand, each for edges of one direction; only the decision is learned.

"The first layer finds edges" is true of many trained networks. But that a digit has an edge of some direction somewhere
is true of nearly all digits, and says little. Kernels by hand are not better than random ones here:

    image     1 x 28 x 28
    conv1     8 x 22 x 22     eight 7 x 7 kernels, one for each direction, 45 degrees apart
    pool1     8               after a ReLU, the largest number of each map
    fc       10               one logit for each digit

490 parameters: 400 + 90. Measured: 33.49 % of the 10,000 test digits right.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import nn

sys.path.append(str(Path(__file__).parent))  # finds the shared files from anywhere
import _oneconv
from _mnist import PIXELS, grey, publish
from _oneconv import STEPS, OneConv, frozen, sobel

TITLE = "One convolution, edges"
GROUP = _oneconv.GROUP
INPUT = PIXELS
LABELS = tuple("0123456789")
DATA = _oneconv.DATA
SEED = _oneconv.SEED
RECIPE = f"{_oneconv.RECIPE} The kernels are set by hand and stay as they are."
prepare = grey


def build() -> nn.Module:
    """A new network with kernels for edges, which are not trained, and a random decision."""
    model = OneConv()
    with torch.no_grad():
        model.conv1.weight.copy_(sobel())
        model.conv1.bias.zero_()
    return frozen(model)



def train(data_dir: str | Path, stop: int = STEPS) -> nn.Module:
    """Follow the recipe, all of it or its first `stop` steps."""
    return _oneconv.train(build, data_dir, stop)


def evaluate(model: nn.Module, data_dir: str | Path) -> dict[str, float]:
    """Share of the 10,000 test digits that the model answers rightly."""
    return _oneconv.evaluate(model, data_dir)


if __name__ == "__main__":
    publish(sys.modules[__name__], float16_costs_at_most=0.001, before=True)
