"""One convolution, learned: eight kernels that the training found, and of each only its largest answer.

Nobody told them what to look for. They began as the same random numbers as those of the network with random kernels
beside this one, and in 1,400 steps became something that eight numbers suffice to tell most digits by:

    image     1 x 28 x 28
    conv1     8 x 22 x 22     eight 7 x 7 kernels, learned
    pool1     8               after a ReLU, the largest number of each map
    fc       10               one logit for each digit

490 parameters: 400 + 90. Measured: 86.67 % of the 10,000 test digits right.
"""

from __future__ import annotations

import sys
from pathlib import Path

from torch import nn

sys.path.append(str(Path(__file__).parent))  # finds the shared files from anywhere
import _oneconv
from _mnist import PIXELS, grey, publish
from _oneconv import STEPS, OneConv

TITLE = "One convolution, learned"
GROUP = _oneconv.GROUP
INPUT = PIXELS
LABELS = tuple("0123456789")
DATA = _oneconv.DATA
SEED = _oneconv.SEED
RECIPE = _oneconv.RECIPE
prepare = grey


def build() -> nn.Module:
    """A new network with random weights."""
    return OneConv()



def train(data_dir: str | Path, stop: int = STEPS) -> nn.Module:
    """Follow the recipe, all of it or its first `stop` steps."""
    return _oneconv.train(build, data_dir, stop)


def evaluate(model: nn.Module, data_dir: str | Path) -> dict[str, float]:
    """Share of the 10,000 test digits that the model answers rightly."""
    return _oneconv.evaluate(model, data_dir)


if __name__ == "__main__":
    publish(sys.modules[__name__], float16_costs_at_most=0.001, before=True)
