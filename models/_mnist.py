"""What the digit recipes share: reading MNIST, training on it and counting right answers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from torch import Tensor, nn

sys.path.append(str(Path(__file__).parent))  # finds _recipe.py from anywhere
import _recipe
from _recipe import batches, descend, one_thread, seeded

DATA_LICENCE = "MNIST by Yann LeCun and Corinna Cortes, derived from NIST data, CC BY-SA 3.0"
PIXELS = {"kind": "image", "shape": [1, 28, 28], "prepare": "grey 0..1, white stroke on black 0"}
ROWS = {**PIXELS, "reads": "rows"}
ROWS_OBJECTIVE = {
    "kind": "class",
    "loss": "cross entropy",
    "output": ["class"],
    "at": "last step",
    "words": "After the last row the model is asked which digit it was: the loss is −log of the probability that it "
    "gave to the right one.",
}
Prepare = Callable[[np.ndarray], Tensor]


def digits(file: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Read one part of MNIST, `train` (60,000) or `test` (10,000).

    Images (N, 28, 28) uint8, 0 background and 255 stroke; labels (N,) uint8.
    """
    with np.load(file) as arrays:
        return arrays[f"x_{part}"], arrays[f"y_{part}"]


def grey(pixels: np.ndarray) -> Tensor:
    """Pixels (28, 28) or (N, 28, 28), 0 to 255, as input (N, 1, 28, 28), 0 to 1; the background is exactly 0."""
    return torch.tensor(pixels, dtype=torch.float32).reshape(-1, 1, 28, 28) / 255


def fit(
    new: Callable[[], nn.Module],
    prepare: Prepare,
    images: np.ndarray,
    labels: np.ndarray,
    *,
    seed: int,
    batch: int,
    rate: float,
    steps: int,
    stop: int,
    clip: float | None = None,
) -> nn.Module:
    """Train a new model with AdamW on the cross entropy; `_recipe.descend` says how.

    The seed decides the first weights and the order of the images.
    """

    def losses() -> Iterator[Tensor]:
        for chosen in batches(len(images), batch):
            logits = model(prepare(images[chosen]))
            yield nn.functional.cross_entropy(logits, torch.tensor(labels[chosen], dtype=torch.long))

    with seeded(seed):
        model = new().train()
        descend(model, losses(), rate=rate, steps=steps, stop=stop, clip=clip)
    return model.eval()


def accuracy(model: nn.Module, prepare: Prepare, images: np.ndarray, labels: np.ndarray) -> float:
    """Share of images whose largest logit is the one of their label."""
    model.eval()
    with one_thread(), torch.inference_mode():
        answers = [model(prepare(images[i : i + 500])).argmax(1).numpy() for i in range(0, len(images), 500)]
    return float((np.concatenate(answers) == labels).mean())


def publish(
    recipe: ModuleType, float16_costs_at_most: float | None = None, before: bool = False, drawn: bool = False
) -> None:
    """Train, measure and write the weights, under the licence of MNIST; see `_recipe.publish`."""
    _recipe.publish(recipe, DATA_LICENCE, float16_costs_at_most, before, drawn)
