"""Marked strips, CNN: reads the same strips as the CRNN beside it, without the recurrent network.

Of each window of 27 columns it says what stands there, and no window sees both a digit and the bar at the left end that
tells whether a 0 means an O. So a strip and the same one with a bar get the same answer, and one of the two is wrong.
Little else is missing: if O, I and S were as good as 0, 1 and 5, it would be right in 89.6 % of the strips, and the
CRNN in 93.5 %:

    strip        1 x 32 x 128    any width will do: four columns make one step
    conv1        8 x 16 x  64    5 x 5 kernels, stride 2; each convolution is normed
    pool1        8 x  8 x  64    the larger of each 2 x 1: height shrinks, width stays
    conv2       16 x  8 x  64
    pool2       16 x  4 x  32    the largest of each 2 x 2
    conv3       24 x  4 x  32
    pool3       24 x  2 x  32
    conv4       24 x  2 x  32
    columns     32 x 48          each column of all maps is one step of the sequence
    fc1         32 x 64          for each column by itself
    fc2         32 x 14          ten digits, three letters and the blank

14,254 parameters: 10,208 in the convolutions and their norms, 3,136 + 910 behind them. Measured: 38.5 % of 1,000 random
strips of test digits read wholly right: 54.0 % of the marked ones, 22.5 % of the others.
"""

from __future__ import annotations

import sys
from pathlib import Path

from torch import Tensor, nn

sys.path.append(str(Path(__file__).parent))  # finds the shared files from anywhere
import _marked
from _marked import STEPS, Windows
from _mnist import publish

TITLE = "Marked strips, CNN"
GROUP = _marked.GROUP
INPUT = _marked.INPUT
OBJECTIVE = _marked.OBJECTIVE
LABELS = _marked.LABELS
DATA = _marked.DATA
SEED, RECIPE = _marked.SEED, _marked.RECIPE
prepare = _marked.prepare


class MarkedCNN(nn.Module):
    """Strips (N, 1, 32, width) to logits (N, width / 4, 14); class 13 is the blank."""

    def __init__(self) -> None:
        super().__init__()
        self.windows = Windows()
        self.fc1 = nn.Linear(48, 64)
        self.relu5 = nn.ReLU()
        self.fc2 = nn.Linear(64, 14)

    def forward(self, strip: Tensor) -> Tensor:
        return self.fc2(self.relu5(self.fc1(self.windows(strip))))


def build() -> nn.Module:
    """A new network with random weights."""
    return MarkedCNN()


def train(data_dir: str | Path, stop: int = STEPS) -> nn.Module:
    """Follow the recipe, all of it or its first `stop` steps."""
    return _marked.fit(build, data_dir, stop)


def evaluate(model: nn.Module, data_dir: str | Path) -> dict[str, float]:
    """Share of 1,000 random strips of test digits that are read wholly right; `_marked.measure` says which."""
    return _marked.measure(model, data_dir)


if __name__ == "__main__":
    publish(sys.modules[__name__], float16_costs_at_most=0.001, drawn=True)
