"""Digits CNN: a small convolutional network that reads one handwritten digit.

Two convolutions look for strokes, two poolings make the place of a stroke matter less, and two dense layers decide
which digit the strokes make. Every step has a name of its own, so that every step can be looked at:

    image     1 x 28 x 28
    conv1     6 x 28 x 28     six 5 x 5 kernels, two rings of zeros around the image
    relu1     6 x 28 x 28     what is negative becomes 0
    pool1     6 x 14 x 14     the largest of each 2 x 2
    conv2    12 x 12 x 12     twelve kernels, each 3 x 3 over all six maps
    relu2    12 x 12 x 12
    pool2    12 x  6 x  6
    fc1      48               every one of the 432 numbers before it, weighed and added
    relu3    48
    fc2      10               one logit for each digit; softmax makes probabilities of them

22,090 parameters. Measured: 98.67 % of the 10,000 test digits right. Test image 2148, a 4 that is easily taken for a 9,
is answered 4 (80.5 %) with visible doubt (9: 19.3 %).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

sys.path.append(str(Path(__file__).parent))  # finds _mnist.py from anywhere
import _live
from _mnist import accuracy, digits, fit, publish

TITLE = "Digits CNN"
INPUT = {"kind": "image", "shape": [1, 28, 28], "prepare": "grey 0..1, white stroke on black 0"}
LABELS = tuple("0123456789")
DATA = "mnist/mnist.npz"


class DigitsCNN(nn.Module):
    """Images (N, 1, 28, 28) to logits (N, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, kernel_size=5, padding=2)
        self.relu1 = nn.ReLU()
        self.pool1 = nn.MaxPool2d(2)
        self.conv2 = nn.Conv2d(6, 12, kernel_size=3)
        self.relu2 = nn.ReLU()
        self.pool2 = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(12 * 6 * 6, 48)
        self.relu3 = nn.ReLU()
        self.fc2 = nn.Linear(48, 10)

    def forward(self, image: Tensor) -> Tensor:
        x = self.pool1(self.relu1(self.conv1(image)))
        x = self.pool2(self.relu2(self.conv2(x)))
        x = torch.flatten(x, 1)
        return self.fc2(self.relu3(self.fc1(x)))


def build() -> nn.Module:
    """A new network with random weights."""
    return DigitsCNN()


def prepare(pixels: np.ndarray) -> Tensor:
    """Pixels (28, 28) or (N, 28, 28), 0 to 255, as input (N, 1, 28, 28), 0 to 1.

    The background stays exactly 0, and so looks to conv1 just like the padding around the image.
    """
    return torch.tensor(pixels, dtype=torch.float32).reshape(-1, 1, 28, 28) / 255


# The recipe: three epochs of the 60,000 training images, 937 batches each. Seed 0 was taken as it came; seeds 1 to 4
# gave 98.7 to 98.8 % and from 87 to 98 % for the 4 of image 2148. Two epochs at 2e-3 gave about 98.2 %.
SEED, BATCH, RATE, STEPS = 0, 64, 3e-3, 2811
RECIPE = (
    f"AdamW, {STEPS} steps of {BATCH} training images of MNIST, learning rate rising to {RATE} and falling to 0 "
    f"(one cycle), cross entropy, seed {SEED}, one thread."
)


# The live recipe: 95.4 % of 500 held-out digits, in 9 s of one core.
live = _live.Live(_live.digits, updates=1200, batch=32, rate=0.002, loss=0.3, right=0.93)


def train(data_dir: str | Path, stop: int = STEPS) -> nn.Module:
    """Follow the recipe, all of it or its first `stop` steps."""
    images, labels = digits(Path(data_dir) / DATA, "train")
    return fit(build, prepare, images, labels, seed=SEED, batch=BATCH, rate=RATE, steps=STEPS, stop=stop)


def evaluate(model: nn.Module, data_dir: str | Path) -> dict[str, float]:
    """Share of the 10,000 test digits that the model answers rightly."""
    images, labels = digits(Path(data_dir) / DATA, "test")
    return {"test accuracy": accuracy(model, prepare, images, labels), "of": len(labels)}


if __name__ == "__main__":
    publish(sys.modules[__name__], before=True)
