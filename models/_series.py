"""What the recipes share that foretell a series of measurements: the network, training and the measures."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

sys.path.append(str(Path(__file__).parent))  # finds the shared files from anywhere
from _recipe import descend, one_thread, seeded

DATA_LICENCE = "NOAA, public domain; from the Python package statsmodels 0.15.0"
KNOWN = 0.75
"""Share of a series, from its beginning, that is there to learn from; the rest is foretold."""


class Forecast(nn.Module):
    """Series (N, steps, 1) to the value after each of its steps (N, steps, 1), in the unit of the series.

    With `ahead` it goes on for so many steps more, each time reading what it foretold itself: (N, steps + ahead, 1).
    """

    def __init__(self, middle: float, spread: float) -> None:
        super().__init__()
        self.middle, self.spread = middle, spread
        self.lstm = nn.LSTM(1, 24, batch_first=True)
        self.fc = nn.Linear(24, 1)

    def forward(self, series: Tensor, ahead: int = 0) -> Tensor:
        foretold, state = self.read(series)
        steps = [foretold]
        for _ in range(ahead):
            following, state = self.read(steps[-1][:, -1:], state)
            steps.append(following)
        return torch.cat(steps, 1) if ahead else foretold

    def read(self, series: Tensor, state: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Read on from a state, and give the state back; what is read goes in, and comes out, around 0."""
        scaled = (series - self.middle) / self.spread
        hidden, state = self.lstm(scaled, state)
        return self.fc(hidden) * self.spread + self.middle, state


def column(file: Path, name: str) -> np.ndarray:
    """One column of a table of numbers, float64."""
    with file.open(newline="", encoding="utf-8") as rows:
        return np.array([float(row[name]) for row in csv.DictReader(rows)])


def prepare(numbers: np.ndarray) -> Tensor:
    """A series (steps, 1) or (N, steps, 1), in its own unit, as input (N, steps, 1)."""
    return torch.tensor(np.asarray(numbers), dtype=torch.float32).reshape(-1, np.shape(numbers)[-2], 1)


def known(series: np.ndarray) -> np.ndarray:
    """The part that is there to learn from."""
    return series[: round(KNOWN * len(series))]


def fit(
    new: Callable[[], nn.Module],
    series: np.ndarray,
    *,
    seed: int,
    batch: int,
    length: int,
    rate: float,
    steps: int,
    stop: int,
    decay: float = 0.01,
) -> nn.Module:
    """Train a new model with AdamW to foretell the value after each step of stretches of the series, drawn at random;
    squares are counted in units of the spread."""

    def losses() -> Iterator[Tensor]:
        while True:
            starts = chance.integers(len(series) - length, size=batch)
            stretch = torch.stack([whole[start : start + length + 1] for start in starts])
            apart = (model(stretch[:, :-1]) - stretch[:, 1:]) / model.spread
            yield (apart**2).mean()

    chance, whole = np.random.default_rng(seed), prepare(series[:, None])[0]
    with seeded(seed):
        model = new().train()
        descend(model, losses(), rate=rate, steps=steps, stop=stop, clip=1.0, decay=decay)
    return model.eval()


def measure(model: nn.Module, series: np.ndarray, round_: int) -> dict[str, float]:
    """Root of the mean squared error over the part that was held out: of the value after each step; if the last value
    is repeated; if that of one round (`round_` steps) before is; and of a whole round that the model foretells from
    its own values, from each step of the part on."""
    first = len(known(series))
    model.eval()
    with one_thread(), torch.inference_mode():
        whole = model(prepare(series[:, None]))[0, :, 0].double().numpy()
        starts = range(first, len(series) - round_ + 1)
        free = [model(prepare(series[:start, None]), round_ - 1)[0, -round_:, 0].double().numpy() for start in starts]
    asked = series[first:]
    wanted = np.stack([series[start : start + round_] for start in starts])
    return {
        "RMSE one step ahead": _root(whole[first - 1 : -1] - asked),
        "of": len(asked),
        "RMSE of the last value": _root(series[first - 1 : -1] - asked),
        "RMSE of the value one round before": _root(series[first - round_ : -round_] - asked),
        "RMSE of a round foretold from its own values": _root(np.stack(free) - wanted),
        "RMSE of a round, the last value repeated": _root(np.stack([series[start - 1 : start] for start in starts])
                                                          - wanted),
    }


def _root(apart: np.ndarray) -> float:
    return float(np.sqrt(np.mean(apart**2)))
