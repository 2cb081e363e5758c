"""Small networks with small whole numbers as weights: exact in float32 on every machine, so their pictures are too."""

from __future__ import annotations

from functools import cache

import torch
from torch import nn

from visualizer import record
from visualizer.trace import Sample, Trace


@cache
def toy() -> Trace:
    """conv 1→2, ReLU, pool, flatten, linear to 3 classes, over a picture of 6 × 6."""
    model = nn.Sequential()
    model.add_module("conv", nn.Conv2d(1, 2, 3, padding=1))
    model.add_module("relu", nn.ReLU())
    model.add_module("pool", nn.MaxPool2d(2))
    model.add_module("flatten", nn.Flatten())
    model.add_module("fc", nn.Linear(18, 3))
    whole_numbers(model)
    image = torch.tensor([[0, 0, 1, 1, 0, 0], [0, 1, 2, 2, 1, 0], [0, 0, 0, 2, 1, 0], [0, 0, 1, 2, 0, 0],
                          [0, 1, 2, 0, 0, 0], [1, 2, 2, 2, 1, 0]], dtype=torch.float32).reshape(1, 1, 6, 6)
    return record.capture(model, image, target=2, name="toy", title="Toy", labels=("a", "b", "c"),
                          sample=Sample("two", "A two of 6 × 6", 2))


@cache
def wide(channels: int = 512) -> Trace:
    """A convolution with many channels."""
    model = nn.Sequential()
    model.add_module("conv", nn.Conv2d(3, channels, 3, padding=1))
    model.add_module("relu", nn.ReLU())
    model.add_module("gap", nn.AdaptiveAvgPool2d(1))
    model.add_module("flatten", nn.Flatten())
    model.add_module("fc", nn.Linear(channels, 4))
    whole_numbers(model)
    image = (torch.arange(3 * 12 * 12, dtype=torch.float32) % 7).reshape(1, 3, 12, 12)
    return record.capture(model, image, target=1, name="wide", title="Wide", labels=("a", "b", "c", "d"))


@cache
def deep(blocks: int = 12) -> Trace:
    """Convolutions and ReLUs in a long row, more than stand side by side."""
    model = nn.Sequential()
    for index in range(blocks):
        model.add_module(f"conv{index}", nn.Conv2d(3 if index == 0 else 4, 4, 3, padding=1))
        model.add_module(f"relu{index}", nn.ReLU())
    model.add_module("flatten", nn.Flatten())
    model.add_module("fc", nn.Linear(4 * 36, 3))
    whole_numbers(model)
    image = (torch.arange(3 * 36, dtype=torch.float32) % 3).reshape(1, 3, 6, 6)
    return record.capture(model, image, target=0, name="deep", title="Deep", labels=("a", "b", "c"))


def whole_numbers(model: nn.Module) -> None:
    """Weights −1, 0, 1, 2 in a fixed order, scaled by a power of two so that nothing overflows or rounds."""
    with torch.no_grad():
        for offset, weight in enumerate(model.parameters()):
            count = torch.arange(weight.numel()) * 7 + offset * 3
            weight.copy_((((count % 11) % 4) - 1).reshape(weight.shape).float() * 0.25)


class _Leap(nn.Module):
    """One convolution after the other, and around each pair of them a leap that is added."""

    def __init__(self, blocks: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(1, 3, 3, padding=1)
        self.first = nn.ModuleList(nn.Conv2d(3, 3, 3, padding=1) for _ in range(blocks))
        self.second = nn.ModuleList(nn.Conv2d(3, 3, 3, padding=1) for _ in range(blocks))
        self.fc = nn.Linear(3 * 36, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.stem(x)
        for first, second in zip(self.first, self.second, strict=True):
            x = second(torch.relu(first(x))) + x
        return self.fc(x.flatten(1))


@cache
def leaping(blocks: int = 1) -> Trace:
    """Residual blocks: each sum reads the block before it, over three other layers."""
    model = _Leap(blocks)
    whole_numbers(model)
    image = (torch.arange(36, dtype=torch.float32) % 3).reshape(1, 1, 6, 6)
    return record.capture(model, image, target=0, name="leaping", title="Leaping", labels=("a", "b", "c"))
