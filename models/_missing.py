"""What the models share that were trained with missing pixels: erasing them, training, and the measure.

Which pixels are missing is what a masked array of numpy says; a plain array lacks none. A missing pixel is 0, as black
as the background, so a network that is not told otherwise cannot see a hole.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

sys.path.append(str(Path(__file__).parent))  # finds the shared files from anywhere
from _mnist import Prepare, accuracy, batches, descend, digits, seeded

GROUP = "missing pixels"
DATA = "mnist/mnist.npz"
SHARES = (0, 30, 50, 70, 90)
MOST = 0.9
SEED, BATCH, RATE, STEPS = 0, 128, 4e-3, 3744
RECIPE = (
    f"AdamW, {STEPS} steps of {BATCH} training images of MNIST, of each of which a random share of pixels between 0 "
    f"and {MOST:.0%} was erased, learning rate rising to {RATE} and falling to 0 (one cycle), cross entropy, seed "
    f"{SEED}, one thread."
)


def erase(images: np.ndarray, share: float | np.ndarray, chance: np.random.Generator) -> np.ma.MaskedArray:
    """Images (N, 28, 28) of which each pixel is missing with the chance `share`, one number or one for each image."""
    missing = chance.random(images.shape, dtype=np.float32) < np.reshape(share, (-1, 1, 1))
    return np.ma.masked_array(images, missing, fill_value=0)


def seen(pixels: np.ndarray) -> Tensor:
    """Pixels (28, 28) or (N, 28, 28), 0 to 255, as (N, 1, 28, 28), 0 to 1; a missing one is 0."""
    return torch.tensor(np.ma.filled(pixels, 0), dtype=torch.float32).reshape(-1, 1, 28, 28) / 255


def there(pixels: np.ndarray) -> Tensor:
    """Where pixels are, as 1, and where they are missing, as 0: (N, 1, 28, 28)."""
    return torch.tensor(~np.ma.getmaskarray(pixels), dtype=torch.float32).reshape(-1, 1, 28, 28)


def fit(new: Callable[[], nn.Module], prepare: Prepare, data_dir: str | Path, stop: int = STEPS) -> nn.Module:
    """Train a new model on digits with missing pixels."""
    images, labels = digits(Path(data_dir) / DATA, "train")
    chance = np.random.default_rng(SEED)

    def losses() -> Iterator[Tensor]:
        for chosen in batches(len(images), BATCH):
            holed = erase(images[chosen], chance.uniform(0, MOST, len(chosen)), chance)
            yield nn.functional.cross_entropy(model(prepare(holed)), torch.tensor(labels[chosen], dtype=torch.long))

    with seeded(SEED):
        model = new().train()
        descend(model, losses(), rate=RATE, steps=STEPS, stop=stop)
    return model.eval()


def measure(model: nn.Module, prepare: Prepare, data_dir: str | Path) -> dict[str, float]:
    """Share of the 10,000 test digits answered rightly, whole and with 30 to 90 of 100 pixels missing."""
    images, labels = digits(Path(data_dir) / DATA, "test")
    found = {
        share: accuracy(model, prepare, erase(images, share / 100, np.random.default_rng(share)), labels)
        for share in SHARES
    }
    return {"test accuracy": found[0], "of": len(labels),
            **{f"test accuracy, {share} % missing": found[share] for share in SHARES[1:]}}
