"""Recall RNN: is asked for the first symbol of a sequence, after 20 others that mean nothing.

What it saw at the first step has to pass 20 times through the same matrix and tanh. It learns that at 20 steps and not
at 40, where too little of the gradient comes back. What it learns at 20 holds for 20: asked after 10 symbols, which
should be easier, it is always wrong, for its state turns on and is read at the trained moment only:

    steps    21 x 8           one of eight symbols, as 1 in its own column
    rnn      21 x 32          hidden state after each step: tanh of the step and the old state, each weighed by a matrix
    last     32               the state after the last step
    fc        4               one logit for each of the letters A to D

1,476 parameters: 1,344 + 132. Measured: 100.0 % of 1,000 sequences right; a guess has 25 %.
"""

from __future__ import annotations

import sys
from pathlib import Path

from torch import Tensor, nn

sys.path.append(str(Path(__file__).parent))  # finds the shared files from anywhere
import _live
import _recall
from _recall import SEED, STEPS, staircase, windows

TITLE = "Recall RNN"
GROUP = _recall.GROUP
INPUT = _recall.INPUT
OBJECTIVE = _recall.OBJECTIVE
LABELS = _recall.LABELS
DATA = _recall.DATA
RECIPE = _recall.RECIPE
prepare = _recall.prepare
RUNS = {**staircase(10, 20, 40), **windows(5, 15)}


class RecallRNN(nn.Module):
    """Sequences (N, steps, 8) to logits (N, 4)."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.RNN(8, 32, batch_first=True)
        self.fc = nn.Linear(32, 4)

    def forward(self, sequence: Tensor) -> Tensor:
        hidden, _ = self.rnn(sequence)
        return self.fc(hidden[:, -1])


def build() -> nn.Module:
    """A new network with random weights."""
    return RecallRNN()


# The live recipe: 100 % of 500 held-out sequences, in 3 s of one core.
live = _live.Live(_live.recall, updates=600, batch=64, rate=0.003, clip=1.0, loss=0.1, right=0.98)


def train(data_dir: str | Path = "", stop: int = STEPS) -> nn.Module:
    """Follow the recipe, all of it or its first `stop` steps; no data are read."""
    return _recall.fit(build, seed=SEED, stop=stop)[0]


def evaluate(model: nn.Module, data_dir: str | Path = "") -> dict[str, float]:
    """Share of 1,000 sequences, drawn for this measure, whose first letter is the answer; a guess has 0.25."""
    return _recall.measure(model)


if __name__ == "__main__":
    _recall.publish(sys.modules[__name__])
