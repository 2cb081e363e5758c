"""What the adding models share: the puzzle, training on it and the measure.

The puzzle is that of Hochreiter and Schmidhuber 1997 (Long Short-Term Memory, experiment 4), as it is posed since: a
sequence of random numbers, two of which are marked, one in each half. The answer is the sum of the two. Who cannot
remember can do no better than to say 1 each time, and is then wrong by 1/6 in the mean of squares: the variance of a
sum of two numbers between 0 and 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from _recipe import descend, one_thread, seeded
from torch import Tensor, nn

DATA = "no file: the recipe draws its sequences itself"
DATA_LICENCE = "none needed: the sequences are random numbers"
STEPS_OF_SEQUENCE = 60
INPUT = {
    "kind": "sequence",
    "shape": [None, 2],
    "prepare": "the numbers as they are: a value between 0 and 1 and a mark, 1 or 0, at every step",
    "columns": ["value", "mark"],
    "mark": 1,
}
OBJECTIVE = {
    "kind": "number",
    "loss": "mean squared error",
    "output": ["number"],
    "at": "last step",
    "words": "After the last step the model is asked for the sum of the two marked values: the loss is the square of "
    "how far its answer is off.",
}
GUESS = 1 / 6
"""Mean squared error of whoever says 1, the mean of all sums, each time."""
MEASURED, MEASURED_SEED = 10_000, 2


def puzzles(count: int, chance: np.random.Generator, steps: int = STEPS_OF_SEQUENCE) -> tuple[np.ndarray, np.ndarray]:
    """Sequences (count, steps, 2) of values and marks, and the sums of their two marked values (count, 1); float32.

    One mark stands anywhere in the first half, the other anywhere in the second.
    """
    values = chance.random((count, steps), dtype=np.float32)
    marks = np.zeros_like(values)
    rows = np.arange(count)
    marks[rows, chance.integers(0, steps // 2, count)] = 1
    marks[rows, chance.integers(steps // 2, steps, count)] = 1
    return np.stack([values, marks], axis=2), (values * marks).sum(1, keepdims=True)


def fit(
    new: Callable[[], nn.Module],
    prepare: Callable[[np.ndarray], Tensor],
    *,
    seed: int,
    batch: int,
    rate: float,
    steps: int,
    stop: int,
) -> nn.Module:
    """Train a new model with AdamW on the mean squared error; `_recipe.descend` says how.

    Each step sees sequences that no step saw before. The seed decides the first weights and the sequences.
    """

    def losses() -> Iterator[Tensor]:
        while True:
            sequences, sums = puzzles(batch, chance)
            yield nn.functional.mse_loss(model(prepare(sequences)), torch.tensor(sums))

    chance = np.random.default_rng(seed)
    with seeded(seed):
        model = new().train()
        descend(model, losses(), rate=rate, steps=steps, stop=stop, clip=1.0)
    return model.eval()


def measure(model: nn.Module, prepare: Callable[[np.ndarray], Tensor]) -> dict[str, float]:
    """Mean squared error on 10,000 sequences drawn for this measure alone, with a seed of their own."""
    sequences, sums = puzzles(MEASURED, np.random.default_rng(MEASURED_SEED))
    with one_thread(), torch.inference_mode():
        errors = (model(prepare(sequences)).double() - torch.tensor(sums)) ** 2
    return {"mean squared error": float(errors.mean()), "of": MEASURED}
