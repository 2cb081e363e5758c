"""Recall Conv1d, 15 steps: is asked for the first symbol of a sequence, and sees only the last fifteen.

Three convolutions along the sequence, each looking back over three steps, the second and the third with gaps. Together
they reach over 1 + 2 x (1 + 2 + 4) = 15 steps. Behind the first symbol come 20, so it has never been in sight: no
training can help. At a delay of 14 the same network is right always, at 15 never more than by luck:

    steps    21 x 8           one of eight symbols, as 1 in its own column
    conv1    32 x 21          three steps each
    conv2    32 x 21          three steps, every second one
    conv3    32 x 21          three steps, every fourth one
    fc        4               of the last step, one logit for each of the letters A to D

7,140 parameters: 800 + 2 x 3,104 + 132. Measured: 25.0 % of 1,000 sequences right, which is a guess.
"""

from __future__ import annotations

import sys
from pathlib import Path

from torch import Tensor, nn

sys.path.append(str(Path(__file__).parent))  # finds the shared files from anywhere
import _recall
from _recall import SEED, STEPS, staircase

TITLE = "Recall Conv1d, 15 steps"
GROUP = _recall.GROUP
INPUT = {**_recall.INPUT, "reads": "whole"}
OBJECTIVE = _recall.OBJECTIVE
LABELS = _recall.LABELS
DATA = _recall.DATA
RECIPE = _recall.RECIPE
prepare = _recall.prepare
RUNS = {**staircase(10), **staircase(14, 15, 20, seeds=1)}


class RecallConv15(nn.Module):
    """Sequences (N, steps, 8) to logits (N, 4)."""

    def __init__(self) -> None:
        super().__init__()
        self.pad1 = nn.ConstantPad1d((2, 0), 0.0)
        self.conv1 = nn.Conv1d(8, 32, kernel_size=3)
        self.relu1 = nn.ReLU()
        self.pad2 = nn.ConstantPad1d((4, 0), 0.0)
        self.conv2 = nn.Conv1d(32, 32, kernel_size=3, dilation=2)
        self.relu2 = nn.ReLU()
        self.pad3 = nn.ConstantPad1d((8, 0), 0.0)
        self.conv3 = nn.Conv1d(32, 32, kernel_size=3, dilation=4)
        self.relu3 = nn.ReLU()
        self.fc = nn.Linear(32, 4)

    def forward(self, sequence: Tensor) -> Tensor:
        x = sequence.transpose(1, 2)
        x = self.relu1(self.conv1(self.pad1(x)))
        x = self.relu2(self.conv2(self.pad2(x)))
        x = self.relu3(self.conv3(self.pad3(x)))
        return self.fc(x[:, :, -1])


def build() -> nn.Module:
    """A new network with random weights."""
    return RecallConv15()


def train(data_dir: str | Path = "", stop: int = STEPS) -> nn.Module:
    """Follow the recipe, all of it or its first `stop` steps; no data are read."""
    return _recall.fit(build, seed=SEED, stop=stop)[0]


def evaluate(model: nn.Module, data_dir: str | Path = "") -> dict[str, float]:
    """Share of 1,000 sequences, drawn for this measure, whose first letter is the answer; a guess has 0.25."""
    return _recall.measure(model)


if __name__ == "__main__":
    _recall.publish(sys.modules[__name__])
