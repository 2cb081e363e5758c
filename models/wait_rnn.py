"""Waiting RNN: sees a digit row by row, then 40 blank rows, and by then cannot learn what it saw.

The network is that of the Rows RNN, which reads 28 rows and answers at once. Here 40 rows of nothing follow, so
whatever was learned about the digit has to come back through 40 steps in which nothing happens, and shrinks at each:

    image     1 x 68 x 28     28 rows of the digit, 40 blank
    rows     68 x 28          the same numbers, as 68 steps of 28
    rnn      68 x 64          hidden state after each row: tanh of the row and the old state, each weighed by a matrix
    last     64               the state after the last blank row
    fc       10               one logit for each digit

6,666 parameters: 6,016 + 650. Measured: 11.35 % of the 10,000 test digits right, which is a guess.
"""

from __future__ import annotations

import sys
from pathlib import Path

from torch import Tensor, nn

sys.path.append(str(Path(__file__).parent))  # finds the shared files from anywhere
import _wait
from _mnist import accuracy, digits, fit, publish
from _wait import BATCH, RATE, SEED, STEPS, prepare

TITLE = "Waiting RNN"
INPUT = _wait.INPUT
OBJECTIVE = _wait.OBJECTIVE
LABELS = tuple("0123456789")
DATA = "mnist/mnist.npz"
RECIPE = _wait.RECIPE


class WaitRNN(nn.Module):
    """Images and the blank rows below them (N, 1, 68, 28) to logits (N, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.RNN(28, 64, batch_first=True)
        self.fc = nn.Linear(64, 10)

    def forward(self, image: Tensor) -> Tensor:
        rows = image.squeeze(1)
        hidden, _ = self.rnn(rows)
        return self.fc(hidden[:, -1])


def build() -> nn.Module:
    """A new network with random weights."""
    return WaitRNN()


def train(data_dir: str | Path, stop: int = STEPS) -> nn.Module:
    """Follow the recipe, all of it or its first `stop` steps."""
    images, labels = digits(Path(data_dir) / DATA, "train")
    return fit(build, prepare, images, labels, seed=SEED, batch=BATCH, rate=RATE, steps=STEPS, stop=stop, clip=1.0)


def evaluate(model: nn.Module, data_dir: str | Path) -> dict[str, float]:
    """Share of the 10,000 test digits that the model answers rightly."""
    images, labels = digits(Path(data_dir) / DATA, "test")
    return {"test accuracy": accuracy(model, prepare, images, labels), "of": len(labels)}


if __name__ == "__main__":
    publish(sys.modules[__name__], float16_costs_at_most=0.001, before=True)
