"""Recall Conv1d, 63 steps: is asked for the first symbol of a sequence, and has the last 63 before it at once.

Five convolutions along the sequence, each looking back over three steps with gaps of 1, 2, 4, 8 and 16. Together they
reach over 1 + 2 x (1 + 2 + 4 + 8 + 16) = 63 steps: at a delay of 62 it is right always, at 63 it guesses. Nothing has
to be kept from step to step, so it learns sooner than any network with a state. What it learned is where to look: asked
after 10 symbols instead of 20, it looks at the wrong step:

    steps    21 x 8           one of eight symbols, as 1 in its own column
    conv1    32 x 21          three steps each
    conv2    32 x 21          three steps, every second one
    conv3    32 x 21          three steps, every fourth one
    conv4    32 x 21          three steps, every eighth one
    conv5    32 x 21          three steps, every sixteenth one
    fc        4               of the last step, one logit for each of the letters A to D

13,348 parameters: 800 + 4 x 3,104 + 132. Measured: 100.0 % of 1,000 sequences right; a guess has 25 %.
"""

from __future__ import annotations

import sys
from pathlib import Path

from torch import Tensor, nn

sys.path.append(str(Path(__file__).parent))  # finds the shared files from anywhere
import _recall
from _recall import SEED, STEPS, staircase

TITLE = "Recall Conv1d, 63 steps"
GROUP = _recall.GROUP
INPUT = {**_recall.INPUT, "reads": "whole"}
OBJECTIVE = _recall.OBJECTIVE
LABELS = _recall.LABELS
DATA = _recall.DATA
RECIPE = _recall.RECIPE
prepare = _recall.prepare
RUNS = {**staircase(20), **staircase(62, 63, seeds=1)}


class RecallConv63(nn.Module):
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
        self.pad4 = nn.ConstantPad1d((16, 0), 0.0)
        self.conv4 = nn.Conv1d(32, 32, kernel_size=3, dilation=8)
        self.relu4 = nn.ReLU()
        self.pad5 = nn.ConstantPad1d((32, 0), 0.0)
        self.conv5 = nn.Conv1d(32, 32, kernel_size=3, dilation=16)
        self.relu5 = nn.ReLU()
        self.fc = nn.Linear(32, 4)

    def forward(self, sequence: Tensor) -> Tensor:
        x = sequence.transpose(1, 2)
        x = self.relu1(self.conv1(self.pad1(x)))
        x = self.relu2(self.conv2(self.pad2(x)))
        x = self.relu3(self.conv3(self.pad3(x)))
        x = self.relu4(self.conv4(self.pad4(x)))
        x = self.relu5(self.conv5(self.pad5(x)))
        return self.fc(x[:, :, -1])


def build() -> nn.Module:
    """A new network with random weights."""
    return RecallConv63()


def train(data_dir: str | Path = "", stop: int = STEPS) -> nn.Module:
    """Follow the recipe, all of it or its first `stop` steps; no data are read."""
    return _recall.fit(build, seed=SEED, stop=stop)[0]


def evaluate(model: nn.Module, data_dir: str | Path = "") -> dict[str, float]:
    """Share of 1,000 sequences, drawn for this measure, whose first letter is the answer; a guess has 0.25."""
    return _recall.measure(model)


if __name__ == "__main__":
    _recall.publish(sys.modules[__name__])
