"""What it costs to watch a training, against the same loop that nobody watches."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

import visualizer
from tests.benchmarks import Row
from tests.benchmarks.capture import ResNet20, _lenet, _mlp

EVERY = 100


def training() -> Iterator[Row]:
    """A hundred steps with one recording written among them: every number of it, weights and gradients too."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield _of("MLP 784-128-64-10, 64 digits a step", _mlp, torch.rand(64, 1, 28, 28))
    yield _of("LeNet-5, 32 digits a step", _lenet, torch.rand(32, 1, 28, 28))
    yield _of("LSTM of 64 units over 32 steps, 16 rows a step", Rows, torch.rand(16, 32, 28))
    yield _of("ResNet-20 with batch norms, 2 pictures a step", ResNet20, torch.rand(2, 3, 32, 32))


def _of(what: str, made: Callable[[], nn.Module], x: Tensor) -> Row:
    target = torch.arange(len(x)) % 10

    def trained() -> Callable[[], None]:
        torch.manual_seed(0)
        model = made()
        optimizer = torch.optim.SGD(model.parameters(), 0.001, momentum=0.9)

        def steps() -> None:
            for _ in range(EVERY):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(x), target).backward()
                optimizer.step()

        steps.model = model
        return steps

    watched, alone = trained(), trained()
    folder = Path(tempfile.mkdtemp(prefix="visualizer-"))
    visualizer.watch(watched.model, x[:1], target=0, every=EVERY, folder=folder)
    return Row(what, watched, alone, "the plain loop", 1.05)


class Rows(nn.Module):
    """An LSTM that answers behind its last step."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm = nn.LSTM(28, 64, batch_first=True)
        self.head = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.lstm(x)[0][:, -1])
