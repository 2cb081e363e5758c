"""Digits CNN, shuffled pixels: the Digits CNN on digits whose pixels were put into one fixed random order.

What lies side by side no longer belongs together, and a kernel of 5 x 5 sees twenty-five pixels from anywhere. What it
still can do it owes to the dense layers, which weigh every place. The network and its training are those of the Digits
CNN:

    image     1 x 28 x 28, shuffled
    conv1     6 x 28 x 28     six 5 x 5 kernels, two rings of zeros around the image
    pool1     6 x 14 x 14     after a ReLU, the largest of each 2 x 2
    conv2    12 x 12 x 12     twelve kernels, each 3 x 3 over all six maps
    pool2    12 x  6 x  6
    fc1      48
    fc2      10               one logit for each digit

22,090 parameters: 156 + 660 + 20,784 + 490. Measured: 94.20 % of the 10,000 test digits right.
"""

from __future__ import annotations

import sys
from pathlib import Path

from torch import nn

sys.path.append(str(Path(__file__).parent))  # finds the shared files from anywhere
import _permuted
import digits_cnn
from _mnist import accuracy, digits, fit, publish
from digits_cnn import BATCH, RATE, SEED, STEPS

TITLE = "Digits CNN, shuffled pixels"
GROUP = _permuted.GROUP
INPUT = _permuted.INPUT
LABELS = digits_cnn.LABELS
DATA = digits_cnn.DATA
RECIPE = f"{digits_cnn.RECIPE} The pixels of all images were put into one fixed order first."
prepare = _permuted.prepare


def build() -> nn.Module:
    """A new network with random weights."""
    return digits_cnn.build()


def train(data_dir: str | Path, stop: int = STEPS) -> nn.Module:
    """Follow the recipe, all of it or its first `stop` steps."""
    images, labels = digits(Path(data_dir) / DATA, "train")
    return fit(build, prepare, images, labels, seed=SEED, batch=BATCH, rate=RATE, steps=STEPS, stop=stop)


def evaluate(model: nn.Module, data_dir: str | Path) -> dict[str, float]:
    """Share of the 10,000 test digits that the model answers rightly."""
    images, labels = digits(Path(data_dir) / DATA, "test")
    return {"test accuracy": accuracy(model, prepare, images, labels), "of": len(labels)}


if __name__ == "__main__":
    publish(sys.modules[__name__], float16_costs_at_most=0.001, drawn=True)
