"""What the live recipes share: a training of at most half a minute, to be looked on at, and the rows that it reads.

The rows that come with the app lie in `assets/train`; a folder of the full data takes their place. The last of them
are held out: no update ever reads them. Which rows an update reads follows from the seed and its number alone, so that
a training can be taken up at any update.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import _adding
import _recall
import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

SHIPPED = Path(__file__).parent.parent / "assets" / "train"
MOST_HELD, HELD_CHARACTERS = 2000, 20_000
"""Digits and characters that are held out, at most; one row in eight of fewer digits."""
LENGTH = 64
"""Characters of a row."""
DRAWN, HELD_SEED = 500, (0, 0, 0, 1)
"""Sequences that are held out where sequences are drawn, and the seed that draws them: longer than that of any update,
and not of zeros behind, which count for nothing."""

Prepare = Callable[..., Tensor]
Rows = tuple[Tensor, Tensor]
"""What is read (rows, …), and what should be answered."""


@dataclass(frozen=True, eq=False)
class Task:
    """What is learned from: rows for every update, others that are held out, and what counts as right."""

    about: str
    """Which data, and how many rows of them."""
    count: int
    """Rows to learn from; 0 where each update draws its own."""
    batch: Callable[[int, int, int], Rows]
    """(seed, number of the update from 0, rows) -> the rows that it reads."""
    held: Rows
    loss: Callable[[Tensor, Tensor], Tensor]
    """(answers, wanted) -> the mean loss, one number."""
    right: Callable[[Tensor, Tensor], Tensor] | None
    """(answers, wanted) -> the share that is right; None where the answer is a number."""


@dataclass(frozen=True)
class Live:
    """A short training of one network, and how good it is then."""

    task: Callable[[Prepare, Path | None], Task]
    updates: int
    batch: int
    rate: float
    clip: float = 0.0
    """A longer gradient is shortened to it; 0 for never."""
    loss: float = 0.0
    """Loss over the held-out rows that it reaches, or less."""
    right: float = 0.0
    """Share of the held-out rows that it answers rightly, or more; 0 where the answer is a number."""
    optimiser: str = "adam"
    seed: int = 0


# --- digits ---------------------------------------------------------------------------------------------------------

def digits(prepare: Prepare, data_dir: Path | None = None) -> Task:
    """Training digits of MNIST: the 4,000 that come with the app, or all 60,000; the last are held out."""
    images, labels = shipped_digits() if data_dir is None else _all_digits(data_dir)
    held = min(len(images) // 8, MOST_HELD)
    count = len(images) - held
    wanted = torch.tensor(labels, dtype=torch.long)

    def batch(seed: int, step: int, size: int) -> Rows:
        epoch, place = divmod(step, count // size)
        chosen = _order(seed, epoch, count)[place * size : (place + 1) * size]
        return prepare(images[chosen]), wanted[chosen]

    about = f"{count:,} training digits of MNIST, {held:,} others held out"
    return Task(about, count, batch, (prepare(images[count:]), wanted[count:]), nn.functional.cross_entropy, _share)


def shipped_digits() -> tuple[np.ndarray, np.ndarray]:
    """The images (4,000, 28, 28) of mnist_train.png, and their labels (4,000,)."""
    about = json.loads((SHIPPED / "mnist_train.json").read_text(encoding="utf-8"))
    with Image.open(SHIPPED / "mnist_train.png") as whole:
        tiles = np.asarray(whole).reshape(-1, 28, about["columns"], 28).swapaxes(1, 2)
    return tiles.reshape(-1, 28, 28), np.array(list(map(int, about["labels"])))


def _all_digits(data_dir: Path) -> tuple[np.ndarray, np.ndarray]:
    with np.load(data_dir / "mnist" / "mnist.npz") as arrays:
        return arrays["x_train"], arrays["y_train"]


@lru_cache(4)
def _order(seed: int, epoch: int, count: int) -> np.ndarray:
    """Every epoch deals all rows in a new random order."""
    return np.random.default_rng([seed, epoch]).permutation(count)


# --- characters -----------------------------------------------------------------------------------------------------

def characters(prepare: Prepare, data_dir: Path | None = None) -> Task:
    """Rows of 64 characters from plays by Shakespeare, each with the characters that follow; the end is held out.

    Every row is read from an empty state. The last tenth of all text, of which the samples are, is never looked at.
    """
    if data_dir is None:
        text = (SHIPPED / "shakespeare_train.txt").read_text(encoding="utf-8")
    else:
        text = (data_dir / "tinyshakespeare" / "input.txt").read_text(encoding="utf-8")
        text = text[: len(text) - round(len(text) * 0.1)]
    ids = prepare(text)[0]
    count = len(ids) - HELD_CHARACTERS
    end = ids[count:]
    rows = end[: (len(end) - 1) // LENGTH * LENGTH].reshape(-1, LENGTH)
    following = end[1 : rows.numel() + 1].reshape(-1, LENGTH)

    def batch(seed: int, step: int, size: int) -> Rows:
        starts = np.random.default_rng([seed, step]).integers(0, count - LENGTH, size)
        places = torch.tensor(starts)[:, None] + torch.arange(LENGTH)
        return ids[places], ids[places + 1]

    about = f"{count:,} characters of Shakespeare, {HELD_CHARACTERS:,} others held out"
    return Task(about, count - LENGTH, batch, (rows, following), _next, _next_right)


def _next(answers: Tensor, wanted: Tensor) -> Tensor:
    return nn.functional.cross_entropy(answers.flatten(0, 1), wanted.flatten())


def _next_right(answers: Tensor, wanted: Tensor) -> Tensor:
    return (answers.argmax(-1) == wanted).float().mean()


# --- what is drawn --------------------------------------------------------------------------------------------------

def adding(prepare: Prepare, data_dir: Path | None = None) -> Task:
    """Sequences of 60 numbers, two of them marked, drawn for each update; 500 others are held out."""
    def rows(chance: np.random.Generator, size: int) -> Rows:
        sequences, sums = _adding.puzzles(size, chance)
        return prepare(sequences), torch.tensor(sums)

    return _drawn("sequences of 60 numbers", rows, nn.functional.mse_loss, None)


def recall(prepare: Prepare, data_dir: Path | None = None) -> Task:
    """Sequences of 21 symbols of which the first is asked for, drawn for each update; 500 others are held out."""
    def rows(chance: np.random.Generator, size: int) -> Rows:
        sequences, first = _recall.puzzles(size, _recall.DELAY, chance)
        return prepare(sequences), torch.tensor(first)

    return _drawn(f"sequences of {_recall.DELAY + 1} symbols", rows, nn.functional.cross_entropy, _share)


def _drawn(what: str, rows: Callable[[np.random.Generator, int], Rows], loss: Callable[[Tensor, Tensor], Tensor],
           right: Callable[[Tensor, Tensor], Tensor] | None) -> Task:
    def batch(seed: int, step: int, size: int) -> Rows:
        return rows(np.random.default_rng([seed, step]), size)

    about = f"{what}, drawn for each update, {DRAWN} others held out"
    return Task(about, 0, batch, rows(np.random.default_rng(HELD_SEED), DRAWN), loss, right)


def _share(answers: Tensor, wanted: Tensor) -> Tensor:
    return (answers.argmax(1) == wanted).float().mean()
