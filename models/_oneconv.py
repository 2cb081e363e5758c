"""What the models of one convolution share: eight kernels, of each only the largest answer, and a decision from those.

They differ in where the kernels come from: drawn by luck and kept, set by a person, or learned.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

sys.path.append(str(Path(__file__).parent))  # finds the shared files from anywhere
from _mnist import accuracy, digits, fit, grey

GROUP = "first layer"
DATA = "mnist/mnist.npz"
KERNELS, SIDE = 8, 7
SEED, BATCH, RATE, STEPS = 0, 64, 3e-2, 1400
RECIPE = (
    f"AdamW, {STEPS} steps of {BATCH} training images of MNIST, learning rate rising to {RATE} and falling to 0 "
    f"(one cycle), cross entropy, seed {SEED}, one thread."
)


class OneConv(nn.Module):
    """Images (N, 1, 28, 28) to logits (N, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, KERNELS, kernel_size=SIDE)
        self.relu1 = nn.ReLU()
        self.pool1 = nn.AdaptiveMaxPool2d(1)
        self.fc = nn.Linear(KERNELS, 10)

    def forward(self, image: Tensor) -> Tensor:
        x = self.pool1(self.relu1(self.conv1(image)))
        return self.fc(x.flatten(1))


def frozen(model: OneConv) -> OneConv:
    """The same network, whose kernels no training changes."""
    for weight in model.conv1.parameters():
        weight.requires_grad_(False)
    return model


def sobel() -> Tensor:
    """Eight kernels (8, 1, 7, 7) that answer to an edge, each to that of another direction, 45 degrees apart.

    Each is the slope of a bell of width 1.2 along its direction, as the 3 x 3 kernels of Sobel are in the small; the
    sizes of its numbers add up to 1.
    """
    row, column = torch.meshgrid(torch.arange(SIDE) - SIDE // 2, torch.arange(SIDE) - SIDE // 2, indexing="ij")
    bell = torch.exp(-(row**2 + column**2) / (2 * 1.2**2))
    turns = torch.arange(KERNELS) * (2 * torch.pi / KERNELS)
    slopes = torch.stack([bell * (column * turn.cos() + row * turn.sin()) for turn in turns])
    return (slopes / slopes.abs().sum((1, 2), keepdim=True))[:, None]


def train(build: Callable[[], nn.Module], data_dir: str | Path, stop: int = STEPS) -> nn.Module:
    """Follow the recipe, all of it or its first `stop` steps."""
    images, labels = digits(Path(data_dir) / DATA, "train")
    return fit(build, grey, images, labels, seed=SEED, batch=BATCH, rate=RATE, steps=STEPS, stop=stop)


def evaluate(model: nn.Module, data_dir: str | Path) -> dict[str, float]:
    """Share of the 10,000 test digits that the model answers rightly."""
    images, labels = digits(Path(data_dir) / DATA, "test")
    return {"test accuracy": accuracy(model, grey, images, labels), "of": len(labels)}
