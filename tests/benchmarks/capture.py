"""What it costs to keep every number of a forward and backward pass, against the same pass that keeps none."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor, nn

import visualizer
from tests.benchmarks import Measured, Row
from visualizer.record import layers
from visualizer.record.calls import Recording
from visualizer.trace import Layer


def networks() -> Iterator[Row]:
    """Capture against a plain forward and backward pass of the same model and input.

    First all that must be done while torch runs: every value, gradient and edge is kept, the model left as found. Then
    the whole way to a Trace. Then the same with weights that have changed since, so that they are copied anew.
    """
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield from _of("MLP 784-128-64-10", _mlp(), torch.rand(1, 1, 28, 28), repeat=15)
    yield from _of("LeNet-5, 28 × 28", _lenet(), torch.rand(1, 1, 28, 28), repeat=15)
    yield from _of("ResNet-20 with in-place ReLUs, 32 × 32", ResNet20(), torch.rand(1, 3, 32, 32), repeat=5)


def _of(what: str, model: nn.Module, x: Tensor, repeat: int) -> tuple[Row, ...]:
    model.eval()
    target = torch.tensor([3])
    weight = next(model.parameters())

    def plain() -> None:
        model.zero_grad(set_to_none=True)
        inputs = x.clone().requires_grad_()  # the trace holds the gradient of the input, so the floor computes it too
        nn.functional.cross_entropy(model(inputs), target).backward()

    def kept() -> None:
        build, layers.build = layers.build, _nothing
        try:
            visualizer.capture(model, x, target=3)
        finally:
            layers.build = build

    def captured() -> None:
        trace = visualizer.capture(model, x, target=3)
        assert trace.has_backward

    def changed() -> None:
        weight.data.view(-1)[0] += 0.001
        captured()

    floor = "a plain forward and backward pass"
    return (Row(f"{what}: everything kept", kept, plain, floor, 2.0, repeat=repeat),
            Row(f"{what}: a finished Trace", captured, plain, floor, 2.0, repeat=repeat),
            Row(f"{what}: a Trace of changed weights", changed, plain, floor, 2.0, repeat=repeat))


def _nothing(recording: Recording, flowed: bool) -> tuple[tuple[Layer, ...], dict[int, str]]:
    """In the place of `layers.build`: what was kept is not laid out. It must be there all the same."""
    assert all(event.output is not None for event in recording.events)
    assert any(event.gradient is not None for event in recording.events)
    return (), {}


def _mlp() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10))


def _lenet() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))


class Block(nn.Module):
    """Two 3 × 3 convolutions and a way around them; its ReLUs write into what they read."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(after)
        self.relu = nn.ReLU(inplace=True)
        self.around = nn.Identity() if stride == 1 else nn.Conv2d(before, after, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm2(self.conv2(self.relu(self.norm1(self.conv1(x)))))
        y += self.around(x)
        return self.relu(y)


class ResNet20(nn.Module):
    """He et al. 2015, section 4.2: three stages of three blocks, 16, 32 and 64 channels."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(inplace=True))
        widths = [(16, 16, 1)] * 3 + [(16, 32, 2)] + [(32, 32, 1)] * 2 + [(32, 64, 2)] + [(64, 64, 1)] * 2
        self.blocks = nn.Sequential(*(Block(*width) for width in widths))
        self.head = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.blocks(self.stem(x)).mean(dim=(2, 3)))


def values_kept() -> Iterator[Row]:
    """Eight times the channels keep eight times the values and cost at most eight times as much, give or take a
    quarter; a fixed cost makes it less."""
    torch.set_num_threads(1)
    image = torch.rand(1, 1, 32, 32)

    def of(channels: int) -> Measured:
        torch.manual_seed(0)
        model = nn.Sequential(nn.Conv2d(1, channels, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                              nn.Linear(channels * 256, 2)).eval()

        def capture() -> None:
            visualizer.capture(model, image, target=0)

        return capture

    yield Row("512 channels of 32 × 32", of(512), of(64), "64 channels", 10.0, repeat=3)
