"""What the recall models share: the question what the first symbol was, training on it, and the measure.

A sequence begins with one of four letters. Behind it come `delay` distracting symbols, drawn from four others, and then
the question which letter it was. Only the first step tells anything, so the answer is right if what was seen there is
still there `delay` steps later; who forgot guesses one of four.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from torch import Tensor, nn

sys.path.append(str(Path(__file__).parent))  # finds the shared files from anywhere
import _recipe
from _recipe import one_thread, seeded

DATA = "no file: the recipe draws its sequences itself"
DATA_LICENCE = "none needed: the sequences are random symbols"
GROUP = "recall"
ASKED, DISTRACTING = "ABCD", "wxyz"
SYMBOLS = ASKED + DISTRACTING
LABELS = tuple(ASKED)
DELAY = 20
INPUT = {
    "kind": "sequence",
    "shape": [None, len(SYMBOLS)],
    "prepare": f"at every step one of the symbols {SYMBOLS}, as 1 in its own column and 0 in the others",
    "columns": list(SYMBOLS),
    "symbols": SYMBOLS,
    "samples": "recall",
}
OBJECTIVE = {
    "kind": "class",
    "loss": "cross entropy",
    "output": ["class"],
    "at": "last step",
    "words": "After the last step the model is asked which letter came first: the loss is −log of the probability that "
    "it gave to the right one.",
}
SEED, BATCH, RATE, STEPS = 0, 64, 3e-3, 600
SOLVED, AFTER = 0.05, 20
RECIPE = (
    f"Adam, rate {RATE}, at most {STEPS} steps of {BATCH} sequences drawn for that step, {DELAY} symbols behind the "
    f"first; {AFTER} steps after a loss below {SOLVED} it stops. Gradient clipped at 1, cross entropy, seed {SEED}, "
    "one thread."
)
MEASURED, MEASURED_SEED = 1000, 2


def puzzles(count: int, delay: int, chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Sequences (count, delay + 1, 8) of symbols, each as a 1 in its column, and the place of their first (count,)."""
    first = chance.integers(0, len(ASKED), count)
    behind = chance.integers(len(ASKED), len(SYMBOLS), (count, delay))
    return np.eye(len(SYMBOLS), dtype=np.float32)[np.column_stack([first, behind])], first


def prepare(numbers: np.ndarray) -> Tensor:
    """Symbols as rows of eight numbers, (steps, 8) or (N, steps, 8), as input (N, steps, 8)."""
    if np.shape(numbers)[-1] != len(SYMBOLS):
        raise ValueError(f"each step must have {len(SYMBOLS)} numbers, one for each of {SYMBOLS}")
    return torch.tensor(np.asarray(numbers), dtype=torch.float32).reshape(-1, *np.shape(numbers)[-2:])


def spelled(symbols: str) -> np.ndarray:
    """Symbols, `Awxyz`, as rows of eight numbers (steps, 8); raises ValueError for any other symbol."""
    return np.eye(len(SYMBOLS), dtype=np.float32)[[SYMBOLS.index(symbol) for symbol in symbols]]


def fit(
    new: Callable[[], nn.Module], *, delay: int = DELAY, seed: int = SEED, stop: int = STEPS, window: int | None = None
) -> tuple[nn.Module, int]:
    """A new model, trained at one delay; and after how many steps it was solved, `STEPS` if it never was.

    The seed decides the first weights and the sequences. With `window` the gradient comes back through that many last
    steps only (truncated backpropagation through time): the state goes on, what led to it is not asked.
    """
    chance = np.random.default_rng(seed)
    solved = STEPS
    with seeded(seed):
        model = new().train()
        optimiser = torch.optim.Adam(model.parameters(), lr=RATE)
        for step in range(stop):
            if step >= solved + AFTER:
                break
            sequences, first = puzzles(BATCH, delay, chance)
            logits = model(prepare(sequences)) if window is None else truncated(model, prepare(sequences), window)
            loss = nn.functional.cross_entropy(logits, torch.tensor(first))
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            if loss.item() < SOLVED:
                solved = min(solved, step + 1)
    return model.eval(), solved


def truncated(model: nn.Module, sequences: Tensor, window: int) -> Tensor:
    """The same logits (N, 4), whose gradient comes back through the last `window` steps of a recurrent network only."""
    layer = next(part for part in model.children() if isinstance(part, nn.RNNBase))
    state = None
    if sequences.shape[1] > window:
        with torch.no_grad():
            _, state = layer(sequences[:, :-window])
    hidden, _ = layer(sequences[:, -window:], state)
    return model.fc(hidden[:, -1])


def accuracy(model: nn.Module, delay: int) -> float:
    """Share of 1,000 sequences, drawn for this measure alone, whose first symbol is the answer; 0.25 is a guess."""
    sequences, first = puzzles(MEASURED, delay, np.random.default_rng(MEASURED_SEED))
    with one_thread(), torch.inference_mode():
        return float((model(prepare(sequences)).argmax(1).numpy() == first).mean())


def measure(model: nn.Module) -> dict[str, float]:
    """How it answers at the delay at which it was trained."""
    return {"test accuracy": accuracy(model, DELAY), "of": MEASURED}


def runs(
    new: Callable[[], nn.Module], settings: dict[str, dict[str, int]]
) -> Iterator[tuple[str, nn.Module, dict[str, float]]]:
    """Each setting trained anew: its key, the model with weights of float16, and what it came to."""
    for key, setting in settings.items():
        model, solved = fit(new, **setting)
        model.load_state_dict({name: weight.half() for name, weight in model.state_dict().items()})
        found = accuracy(model, setting.get("delay", DELAY))
        yield key, model, {"test accuracy": found, "of": MEASURED, "updates": solved, **setting}


def staircase(*delays: int, seeds: int = 3) -> dict[str, dict[str, int]]:
    """The settings of some delays, each with seeds from 0 on: `T20.seed1`."""
    return {f"T{delay}.seed{seed}": {"delay": delay, "seed": seed} for delay in delays for seed in range(seeds)}


def windows(*windows: int, seeds: int = 3) -> dict[str, dict[str, int]]:
    """The settings of some windows of truncated training at the delay of 20, with seeds from 0 on: `window5.seed1`."""
    return {
        f"window{window}.seed{seed}": {"delay": DELAY, "seed": seed, "window": window}
        for window in windows
        for seed in range(seeds)
    }


def publish(recipe: ModuleType, before: bool = False) -> None:
    """Train, measure and write the weights, those from before training, and all runs.

    One sequence in a thousand is the least that a figure can move. With `before` the first weights are written, for
    those that are more than drawn numbers; see `_recipe.publish`.
    """
    _recipe.publish(recipe, DATA_LICENCE, float16_costs_at_most=0.0011, before=before, drawn=not before)
    if "--before" not in sys.argv:
        _recipe.write_runs(recipe, runs(recipe.build, recipe.RUNS), DATA_LICENCE)
