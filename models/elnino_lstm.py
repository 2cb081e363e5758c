"""El Niño: reads how warm the sea off Peru was, month after month, and foretells the next month.

The year goes up and down, and in some years the water stays warm: El Niño. Who repeats the last month forgets the
season, who repeats the month a year ago forgets El Niño; the network keeps both in its state:

    months    steps               degrees Celsius of each month, 1950 to 2010
    scaled    steps               around 0
    lstm      steps x 24          hidden state after each month; cell state and four gates inside
    fc        steps               the next month, back in degrees

2,617 parameters: 2,592 + 25. Measured on the 183 months from October 1995 on, which it never saw: a root
of the mean squared error of 0.51 degrees one month ahead (1.16 if the last month is repeated, 1.74 if that of a year
ago is), and of 1.17 over twelve months that it foretells from its own values (3.06 if the last one is repeated).
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
from torch import nn

sys.path.append(str(Path(__file__).parent))  # finds the shared files from anywhere
import _series
from _recipe import publish
from _series import Forecast, fit, known, measure, prepare  # noqa: F401

TITLE = "El Niño"
INPUT = {
    "kind": "sequence",
    "shape": [None, 1],
    "prepare": "sea surface temperature of one month after the other, degrees Celsius; at least one month",
    "columns": ["°C"],
    "samples": "elnino",
}
OBJECTIVE = {
    "kind": "numbers",
    "loss": "mean squared error",
    "output": ["step", "number"],
    "at": "every step",
    "words": "After each month the model is asked for the next one: the loss is the square of how far it is off, "
    "averaged over all months.",
}
ANSWER = {"kind": "numbers", "foretells": 1, "unit": "°C"}
LABELS = ()
DATA = "timeseries/elnino_sst_monthly.csv"
FIRST, ROUND = 1950, 12


def build() -> nn.Module:
    """A new network with random weights."""
    return Forecast(middle=23.0, spread=2.3)


def series(data_dir: str | Path) -> np.ndarray:
    """Degrees Celsius of each month from January 1950 on."""
    with (Path(data_dir) / DATA).open(newline="", encoding="utf-8") as rows:
        return np.array([[float(cell) for cell in row[1:]] for row in list(csv.reader(rows))[1:]]).reshape(-1)


SEED, BATCH, LENGTH, RATE, STEPS = 0, 16, 64, 1e-2, 600
RECIPE = (
    f"AdamW, {STEPS} steps of {BATCH} stretches of {LENGTH} months, learning rate rising to {RATE} and falling to 0 "
    f"(one cycle), gradient clipped at 1, mean squared error, seed {SEED}, one thread; the last quarter of the months "
    "held out."
)


def train(data_dir: str | Path, stop: int = STEPS) -> nn.Module:
    """Follow the recipe, all of it or its first `stop` steps."""
    return fit(build, known(series(data_dir)), seed=SEED, batch=BATCH, length=LENGTH, rate=RATE, steps=STEPS, stop=stop)


def evaluate(model: nn.Module, data_dir: str | Path) -> dict[str, float]:
    """How far forecasts of the held-out months are off, in degrees."""
    return measure(model, series(data_dir), ROUND)


if __name__ == "__main__":
    publish(sys.modules[__name__], _series.DATA_LICENCE, float16_costs_at_most=0.002, before=True)
