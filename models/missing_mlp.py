"""MLP, trained with missing pixels: has seen digits full of holes, and reads those better than one that has not.

The network is the small MLP, the training has as many steps, but from every training image a share of the pixels was
erased, between none and nine in ten. A missing pixel is 0, like the background; which it is, the network cannot tell.
With seven in ten pixels missing it still reads 87.7 % of the digits; the small MLP, trained on whole digits, reads 73.2
%. Whole digits it reads a little worse:

    image     1 x 28 x 28, flattened to 784; a missing pixel is 0
    fc1      28               every pixel, weighed and added
    fc2      10               one logit for each digit

22,270 parameters: 21,980 + 290. Measured: 95.56 % of the 10,000 test digits right, whole.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from torch import Tensor, nn

sys.path.append(str(Path(__file__).parent))  # finds the shared files from anywhere
import _missing
import mlp_small
from _missing import STEPS
from _mnist import PIXELS, publish

TITLE = "MLP, trained with missing pixels"
GROUP = _missing.GROUP
INPUT = PIXELS
LABELS = mlp_small.LABELS
DATA = _missing.DATA
SEED, RECIPE = _missing.SEED, _missing.RECIPE


def build() -> nn.Module:
    """A new network with random weights: that of the small MLP."""
    return mlp_small.build()


def prepare(pixels: np.ndarray) -> Tensor:
    """Pixels (28, 28) or (N, 28, 28), 0 to 255, as input (N, 1, 28, 28), 0 to 1; a missing one is 0."""
    return _missing.seen(pixels)


def train(data_dir: str | Path, stop: int = STEPS) -> nn.Module:
    """Follow the recipe, all of it or its first `stop` steps."""
    return _missing.fit(build, prepare, data_dir, stop)


def evaluate(model: nn.Module, data_dir: str | Path) -> dict[str, float]:
    """Share of the 10,000 test digits that the model answers rightly, whole and with missing pixels."""
    return _missing.measure(model, prepare, data_dir)


if __name__ == "__main__":
    publish(sys.modules[__name__], float16_costs_at_most=0.001, drawn=True)
