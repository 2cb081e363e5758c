"""probe: what a linear read-out can tell from the states of a recurrent network, trained for it or not."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from visualizer import inputs
from visualizer.claims import Number
from visualizer.record.measures import Data, Measure, as_share, opened

VOWELS = "aeiouAEIOU"
RIDGE, LEAST = 1e-2, 8


def _run(data: Data, model: str, back: str, what: str = "states") -> Number:
    """Whether the character so many steps back was a vowel, told from the state h_t by a read-out that least squares,
    with a little ridge, fit to every other text, over the others. `base`: what one always says who knows nothing."""
    if what not in ("states", "base"):
        raise ValueError(f"{what} is neither states nor base")
    made, lag = opened(model), int(back)
    assert made.prepare is not None
    cell = next(part for part in made.module.modules() if isinstance(part, (nn.RNN, nn.LSTM, nn.GRU)))
    kept: list[torch.Tensor] = []
    hook = cell.register_forward_hook(lambda part, given, out: kept.append(out[0][0]))
    states, vowels, halves = [], [], []
    try:
        for number, sample in enumerate(inputs.all_samples("text")):
            text = str(inputs.raw(sample.name))
            with torch.no_grad():
                made.module(made.prepare(text))
            states.append(kept[-1][LEAST:].double().numpy())
            vowels.append(np.array([text[at - lag] in VOWELS for at in range(LEAST, len(text))]))
            halves.append(np.full(len(text) - LEAST, number % 2 == 0))
    finally:
        hook.remove()
    x, y, fitted = np.concatenate(states), np.concatenate(vowels), np.concatenate(halves)
    if what == "base":
        return as_share(y[~fitted] == (y[fitted].mean() > 0.5))
    x = np.concatenate([x, np.ones((len(x), 1))], 1)
    known = x[fitted]
    weights = np.linalg.solve(known.T @ known + RIDGE * np.eye(x.shape[1]), known.T @ (2.0 * y[fitted] - 1))
    return as_share((x[~fitted] @ weights > 0) == y[~fitted])


MEASURE = Measure("probe", "probe MODEL STEPS [states|base]", "how often a read-out of the states tells whether the "
                  "character so many steps back was a vowel", _run)
