"""Recall GRU: is asked for the first symbol of a sequence, after 20 others that mean nothing.

Its update gate can keep a number as it is. Trained at 20 symbols it therefore answers at 10 and at 80 as well, unlike
the Recall RNN. Trained at 40 it learns nothing in as many steps: the gate stands half open at the start, and what comes
back through 40 of them is too little:

    steps    21 x 8           one of eight symbols, as 1 in its own column
    gru      21 x 32          hidden state after each step; two gates inside
    last     32               the state after the last step
    fc        4               one logit for each of the letters A to D

4,164 parameters: 4,032 + 132. Measured: 100.0 % of 1,000 sequences right; a guess has 25 %.
"""

from __future__ import annotations

import sys
from pathlib import Path

from torch import Tensor, nn

sys.path.append(str(Path(__file__).parent))  # finds the shared files from anywhere
import _live
import _recall
from _recall import SEED, STEPS, staircase

TITLE = "Recall GRU"
GROUP = _recall.GROUP
INPUT = _recall.INPUT
OBJECTIVE = _recall.OBJECTIVE
LABELS = _recall.LABELS
DATA = _recall.DATA
RECIPE = _recall.RECIPE
prepare = _recall.prepare
RUNS = {**staircase(10, seeds=1), **staircase(20, 40)}


class RecallGRU(nn.Module):
    """Sequences (N, steps, 8) to logits (N, 4)."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRU(8, 32, batch_first=True)
        self.fc = nn.Linear(32, 4)

    def forward(self, sequence: Tensor) -> Tensor:
        hidden, _ = self.gru(sequence)
        return self.fc(hidden[:, -1])


def build() -> nn.Module:
    """A new network with random weights."""
    return RecallGRU()


# The live recipe: 100 % of 500 held-out sequences, in 5 s of one core.
live = _live.Live(_live.recall, updates=700, batch=64, rate=0.003, clip=1.0, loss=0.1, right=0.98)


def train(data_dir: str | Path = "", stop: int = STEPS) -> nn.Module:
    """Follow the recipe, all of it or its first `stop` steps; no data are read."""
    return _recall.fit(build, seed=SEED, stop=stop)[0]


def evaluate(model: nn.Module, data_dir: str | Path = "") -> dict[str, float]:
    """Share of 1,000 sequences, drawn for this measure, whose first letter is the answer; a guess has 0.25."""
    return _recall.measure(model)


if __name__ == "__main__":
    _recall.publish(sys.modules[__name__])
