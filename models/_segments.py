"""What the recipes share that say of each pixel to which digit it belongs: the scenes, training and the measure."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

sys.path.append(str(Path(__file__).parent))  # finds the shared files from anywhere
from _mnist import digits
from _recipe import descend, one_thread, seeded

GROUP = "receptive field"
DATA = "mnist/mnist.npz"
SIDE, INK, NOISE = 64, 20, 0.1
"""Of a scene and of a digit, in pixels, and the standard deviation of the noise."""
ROWS_APART, COLUMNS_APART = 19, 16
"""Two digits are so many rows apart, or so many columns."""
EDGE = 0.3
"""Share of its brightest pixel from which on a pixel belongs to a digit."""
INPUT = {
    "kind": "pictures",
    "shape": [1, SIDE, SIDE],
    "prepare": "grey 0..1: one to four white digits among shreds of others, and noise",
    "samples": "clutter",
}
OBJECTIVE = {
    "kind": "class of each pixel",
    "loss": "cross entropy",
    "output": ["class", "row", "column"],
    "reduction": "mean",
    "words": "Of each pixel the model is asked to which digit it belongs, if to any: the loss is −log of the "
    "probability that it gave to the right answer, averaged over all pixels.",
}
LABELS = ("none", *"0123456789")
ANSWER = {"kind": "segments", "ground": 0}
"""The class 0 means none of the others: it is not counted in the mean IoU."""
MEASURED = 300


class Flat(nn.Module):
    """Scenes (N, 1, 64, 64) to logits of each pixel (N, 11, 64, 64): one pooling, and in the middle three convolutions
    with these dilations."""

    def __init__(self, dilations: tuple[int, int, int]) -> None:
        super().__init__()
        self.conv0 = nn.Conv2d(1, 16, kernel_size=3, padding=1, bias=False)
        self.norm0 = nn.BatchNorm2d(16)
        self.relu0 = nn.ReLU()
        self.pool = nn.MaxPool2d(2)
        channels, inner = 16, []
        for apart in dilations:
            inner += [nn.Conv2d(channels, 24, kernel_size=3, padding=apart, dilation=apart, bias=False),
                      nn.BatchNorm2d(24), nn.ReLU()]
            channels = 24
        self.down1 = nn.Sequential(*inner)
        self.wider = nn.Upsample(scale_factor=2)
        self.conv1 = nn.Conv2d(24 + 16, 16, kernel_size=1, bias=False)
        self.norm1 = nn.BatchNorm2d(16)
        self.relu1 = nn.ReLU()
        self.head = nn.Conv2d(16, 11, kernel_size=1)

    def forward(self, image: Tensor) -> Tensor:
        fine = self.relu0(self.norm0(self.conv0(image)))
        wide = self.wider(self.down1(self.pool(fine)))
        return self.head(self.relu1(self.norm1(self.conv1(torch.cat([wide, fine], 1)))))


def prepare(pixels: np.ndarray) -> Tensor:
    """Pixels (64, 64) or (N, 64, 64), 0 to 255, as input (N, 1, 64, 64), 0 to 1."""
    return torch.tensor(pixels, dtype=torch.float32).reshape(-1, 1, SIDE, SIDE) / 255


def lay(count: int, chance: np.random.Generator) -> list[tuple[int, int]]:
    """Top row and left column of so many digits, or of fewer where no room is left."""
    places: list[tuple[int, int]] = []
    for _ in range(20 * count):
        row, column = chance.integers(SIDE - INK + 1, size=2).tolist()
        if all(abs(row - y) >= ROWS_APART or abs(column - x) >= COLUMNS_APART for y, x in places):
            places.append((row, column))
        if len(places) == count:
            break
    return places


def scene(images: np.ndarray, labels: np.ndarray, chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A random scene (64, 64) uint8, and of each pixel its class: a digit + 1, or 0 for none.

    Four to eight shreds, 8 x 8 pixels out of digits, lie below one to four digits, all of them more or less bright.
    """
    grey, classes = np.zeros((SIDE, SIDE), np.float32), np.zeros((SIDE, SIDE), np.uint8)
    for _ in range(chance.integers(4, 9)):
        row, column = chance.integers(8, 13, size=2)
        shred = images[chance.integers(len(images)), row : row + 8, column : column + 8] / 255
        row, column = chance.integers(SIDE - 8 + 1, size=2)
        part = grey[row : row + 8, column : column + 8]
        np.maximum(part, shred * chance.uniform(0.5, 1), out=part)
    for row, column in lay(int(chance.integers(1, 5)), chance):
        one = int(chance.integers(len(images)))
        digit = images[one, 4:24, 4:24] / 255
        part = grey[row : row + INK, column : column + INK]
        np.maximum(part, digit * chance.uniform(0.7, 1), out=part)
        classes[row : row + INK, column : column + INK][digit > EDGE * digit.max()] = labels[one] + 1
    noisy = np.clip(grey + NOISE * chance.standard_normal(grey.shape, np.float32), 0, 1)
    return np.rint(255 * noisy).astype(np.uint8), classes


def scenes(
    images: np.ndarray, labels: np.ndarray, count: int, chance: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Random scenes and their classes, (count, 64, 64) uint8 each."""
    drawn = [scene(images, labels, chance) for _ in range(count)]
    return np.stack([grey for grey, _ in drawn]), np.stack([classes for _, classes in drawn])


def fit(
    new: Callable[[], nn.Module], data_dir: str | Path, *, seed: int, batch: int, rate: float, steps: int, stop: int
) -> nn.Module:
    """Train a new model with AdamW on the cross entropy of all pixels of scenes that are drawn for each step."""
    images, labels = digits(Path(data_dir) / DATA, "train")

    def losses() -> Iterator[Tensor]:
        while True:
            pixels, classes = scenes(images, labels, batch, chance)
            yield nn.functional.cross_entropy(model(prepare(pixels)), torch.tensor(classes, dtype=torch.long))

    chance = np.random.default_rng(seed)
    with seeded(seed):
        model = new().train()
        descend(model, losses(), rate=rate, steps=steps, stop=stop, decay=1e-3, channels_last=True)
    return model.eval()


def measure(model: nn.Module, data_dir: str | Path) -> dict[str, float]:
    """Of 300 scenes of test digits: shared over covered pixels of each digit, counted over all scenes, and its mean
    over the ten digits (mean IoU); and the share of pixels that are right."""
    pixels, classes = scenes(*digits(Path(data_dir) / DATA, "test"), MEASURED, np.random.default_rng(1))
    model.eval()
    with one_thread(), torch.inference_mode():
        best = torch.cat([model(prepare(part)).argmax(1) for part in np.array_split(pixels, 10)]).numpy()
    pairs = np.zeros((11, 11), np.int64)
    np.add.at(pairs, (classes, best), 1)
    shared, either = np.diag(pairs), pairs.sum(0) + pairs.sum(1) - np.diag(pairs)
    return {
        "mean IoU": float(np.mean(shared[1:] / either[1:])),
        "of": MEASURED,
        "pixels right": float(shared.sum() / pairs.sum()),
    }
