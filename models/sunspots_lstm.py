"""Sunspots: reads how many spots the sun had, year after year, and foretells the next year.

The sun grows spotted and clear again in about eleven years, never twice in the same way. Told the true number each
time, the network foretells one year; told its own forecasts, it goes on by itself, and what it gets wrong it builds on:

    years     steps               sunspots of each year, 1700 to 2008
    scaled    steps               around 0
    lstm      steps x 24          hidden state after each year; cell state and four gates inside
    fc        steps               the next year, back in sunspots

2,617 parameters: 2,592 + 25. Measured on the 77 years from 1932 on, which it never saw: a root of the mean
squared error of 19.57 sunspots one year ahead (31.9 if the last year is repeated), and of 60.0 over eleven years that
it foretells from its own values (70.7 if the last one is repeated).
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from torch import nn

sys.path.append(str(Path(__file__).parent))  # finds the shared files from anywhere
import _series
from _recipe import publish
from _series import Forecast, column, fit, known, measure, prepare  # noqa: F401

TITLE = "Sunspots"
INPUT = {
    "kind": "sequence",
    "shape": [None, 1],
    "prepare": "sunspots of one year after the other, as they are; at least one year",
    "columns": ["sunspots"],
    "samples": "sunspots",
}
OBJECTIVE = {
    "kind": "numbers",
    "loss": "mean squared error",
    "output": ["step", "number"],
    "at": "every step",
    "words": "After each year the model is asked for the next one: the loss is the square of how far it is off, "
    "averaged over all years.",
}
ANSWER = {"kind": "numbers", "foretells": 1, "unit": "sunspots"}
LABELS = ()
DATA = "timeseries/sunspots_yearly.csv"
FIRST, ROUND = 1700, 11


def build() -> nn.Module:
    """A new network with random weights."""
    return Forecast(middle=45.0, spread=40.0)


def series(data_dir: str | Path) -> np.ndarray:
    """Sunspots of each year from 1700 on."""
    return column(Path(data_dir) / DATA, "SUNACTIVITY")


SEED, BATCH, LENGTH, RATE, STEPS = 0, 16, 64, 1e-2, 600
RECIPE = (
    f"AdamW, {STEPS} steps of {BATCH} stretches of {LENGTH} years, learning rate rising to {RATE} and falling to 0 "
    f"(one cycle), gradient clipped at 1, mean squared error, seed {SEED}, one thread; the last quarter of the years "
    "held out."
)


def train(data_dir: str | Path, stop: int = STEPS) -> nn.Module:
    """Follow the recipe, all of it or its first `stop` steps."""
    return fit(build, known(series(data_dir)), seed=SEED, batch=BATCH, length=LENGTH, rate=RATE, steps=STEPS, stop=stop)


def evaluate(model: nn.Module, data_dir: str | Path) -> dict[str, float]:
    """How far forecasts of the held-out years are off, in sunspots."""
    return measure(model, series(data_dir), ROUND)


if __name__ == "__main__":
    publish(sys.modules[__name__], _series.DATA_LICENCE, float16_costs_at_most=0.05, before=True)
