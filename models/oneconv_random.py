"""One convolution, random: eight kernels as they were drawn, which no training changes; only the decision is learned.

How much does it matter that kernels are learned? With these eight, the best that can be decided from their answers is
little. More layers, or more kernels, make up for it; random kernels are not useless, they are just not the right eight:

    image     1 x 28 x 28
    conv1     8 x 22 x 22     eight 7 x 7 kernels, random and kept
    pool1     8               after a ReLU, the largest number of each map
    fc       10               one logit for each digit

490 parameters: 400 + 90. Measured: 35.66 % of the 10,000 test digits right.
"""

from __future__ import annotations

import sys
from pathlib import Path

from torch import nn

sys.path.append(str(Path(__file__).parent))  # finds the shared files from anywhere
import _oneconv
from _mnist import PIXELS, grey, publish
from _oneconv import STEPS, OneConv, frozen

TITLE = "One convolution, random"
GROUP = _oneconv.GROUP
INPUT = PIXELS
LABELS = tuple("0123456789")
DATA = _oneconv.DATA
SEED = _oneconv.SEED
RECIPE = f"{_oneconv.RECIPE} The kernels stay as they were drawn."
prepare = grey


def build() -> nn.Module:
    """A new network with random weights; those of the convolution are not trained."""
    return frozen(OneConv())



def train(data_dir: str | Path, stop: int = STEPS) -> nn.Module:
    """Follow the recipe, all of it or its first `stop` steps."""
    return _oneconv.train(build, data_dir, stop)


def evaluate(model: nn.Module, data_dir: str | Path) -> dict[str, float]:
    """Share of the 10,000 test digits that the model answers rightly."""
    return _oneconv.evaluate(model, data_dir)


if __name__ == "__main__":
    publish(sys.modules[__name__], float16_costs_at_most=0.001, before=True)
