"""What the models of marked strips share: strips whose first columns say how the rest is to be read, and the measure.

A strip carries two or three digits. Where a bright bar stands at its left end, 0, 1 and 5 are not digits but the
letters O, I and S, which look the same. The bar is so far away from the first digit that no window of a convolution
here sees both: whoever reads an O must have carried the bar along. Half of the strips have it, and at least one of the
three stands on every strip.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

sys.path.append(str(Path(__file__).parent))  # finds the shared files from anywhere
import crnn_strip
from _mnist import digits
from _recipe import descend, one_thread, seeded

GROUP = "marked strips"
DATA = "mnist/mnist.npz"
LABELS = (*"0123456789OIS", "blank")
BLANK = LABELS.index("blank")
LETTER = {0: 10, 1: 11, 5: 12}
"""What class a digit stands for behind the bar."""
WIDTH, BAR, FIRST = 128, 4, 34
"""Columns of a strip and of the bar, and the first one on which a digit may stand."""
INPUT = {**crnn_strip.INPUT, "samples": "marked"}
OBJECTIVE = {**crnn_strip.OBJECTIVE, "blank": BLANK}
SEED, BATCH, RATE, STEPS = 0, 16, 8e-3, 1700
RECIPE = (
    f"AdamW, {STEPS} steps of {BATCH} new strips of 2 or 3 training digits of MNIST, half of them marked, learning "
    f"rate rising to {RATE} and falling to 0 (one cycle), gradient clipped at 1, CTC loss, seed {SEED}, one thread."
)
prepare = crnn_strip.prepare


class Windows(nn.Module):
    """Strips (N, 1, 32, width) to what stands in each window of 27 columns (N, width / 4, 48).

    Without the batch norms the training sits for a thousand steps at answering nothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, kernel_size=5, stride=2, padding=2)
        self.norm1 = nn.BatchNorm2d(8)
        self.relu1 = nn.ReLU()
        self.pool1 = nn.MaxPool2d((2, 1))
        self.conv2 = nn.Conv2d(8, 16, kernel_size=3, padding=1)
        self.norm2 = nn.BatchNorm2d(16)
        self.relu2 = nn.ReLU()
        self.pool2 = nn.MaxPool2d(2)
        self.conv3 = nn.Conv2d(16, 24, kernel_size=3, padding=1)
        self.norm3 = nn.BatchNorm2d(24)
        self.relu3 = nn.ReLU()
        self.pool3 = nn.MaxPool2d((2, 1))
        self.conv4 = nn.Conv2d(24, 24, kernel_size=3, padding=1)
        self.norm4 = nn.BatchNorm2d(24)
        self.relu4 = nn.ReLU()
        for conv in (self.conv1, self.conv2, self.conv3, self.conv4):  # larger than torch draws them: a norm hides how
            nn.init.kaiming_normal_(conv.weight, nonlinearity="relu")  # large weights are, and large ones change slower

    def forward(self, strip: Tensor) -> Tensor:
        x = self.pool1(self.relu1(self.norm1(self.conv1(strip))))
        x = self.pool2(self.relu2(self.norm2(self.conv2(x))))
        x = self.pool3(self.relu3(self.norm3(self.conv3(x))))
        return self.relu4(self.norm4(self.conv4(x))).flatten(1, 2).transpose(1, 2)


def lay(images: np.ndarray, labels: np.ndarray, chance: np.random.Generator) -> tuple[list[int], list[int], list[int]]:
    """A random strip: which of the images, and the left column and top row of each; one of them is a 0, 1 or 5."""
    while True:
        chosen = chance.integers(len(images), size=chance.integers(2, 4)).tolist()
        if any(int(labels[i]) in LETTER for i in chosen):
            break
    widths = [crnn_strip.trim(images[i]).shape[1] for i in chosen]
    gaps = chance.integers(2, 9, size=len(chosen) - 1).tolist()
    start = int(chance.integers(FIRST, WIDTH - sum(widths) - sum(gaps) + 1))
    left = [start + sum(widths[:k]) + sum(gaps[:k]) for k in range(len(chosen))]
    return chosen, left, chance.integers(0, 5, size=len(chosen)).tolist()


def marked(strip: np.ndarray) -> np.ndarray:
    """The same strip (32, width) with the bar at its left end."""
    strip = strip.copy()
    strip[4:28, :BAR] = 255
    return strip


def spelled(labels: list[int], mark: bool) -> list[int]:
    """The classes that digits stand for."""
    return [LETTER.get(label, label) if mark else label for label in labels]


def strips(
    images: np.ndarray, labels: np.ndarray, count: int, chance: np.random.Generator
) -> tuple[np.ndarray, list[list[int]], np.ndarray]:
    """Random strips (count, 32, 128), the classes on each, and which are marked (count,)."""
    marks = chance.random(count) < 0.5
    pixels, wanted = [], []
    for mark in marks:
        chosen, left, top = lay(images, labels, chance)
        strip = crnn_strip.compose(images[chosen], left, top, WIDTH)
        pixels.append(marked(strip) if mark else strip)
        wanted.append(spelled(labels[chosen].tolist(), mark))
    return np.stack(pixels), wanted, marks


def fit(new: Callable[[], nn.Module], data_dir: str | Path, stop: int = STEPS) -> nn.Module:
    """Train a new model on strips that are laid for each step."""
    images, labels = digits(Path(data_dir) / DATA, "train")
    chance = np.random.default_rng(SEED)

    def losses() -> Iterator[Tensor]:
        while True:
            pixels, wanted, _ = strips(images, labels, BATCH, chance)
            log_probability = model(prepare(pixels)).log_softmax(2).transpose(0, 1)
            steps = torch.full((BATCH,), len(log_probability))
            lengths = torch.tensor([len(one) for one in wanted])
            classes = torch.tensor([digit for one in wanted for digit in one])
            yield nn.functional.ctc_loss(log_probability, classes, steps, lengths, blank=BLANK)

    with seeded(SEED):
        model = new().train()
        descend(model, losses(), rate=RATE, steps=STEPS, stop=stop, clip=1.0)
    return model.eval()


def measure(model: nn.Module, data_dir: str | Path) -> dict[str, float]:
    """Share of 1,000 random strips of test digits that are read wholly right; of the marked ones, and of the others;
    and of all if O, I and S were as good as 0, 1 and 5."""
    pixels, wanted, marks = strips(*digits(Path(data_dir) / DATA, "test"), 1000, np.random.default_rng(1))
    model.eval()
    with one_thread(), torch.inference_mode():
        read = [
            crnn_strip.spell(logits, BLANK)
            for i in range(0, 1000, 100)
            for logits in model(prepare(pixels[i : i + 100]))
        ]
    right = np.array([a == b for a, b in zip(read, wanted, strict=True)])
    digit = {letter: digit for digit, letter in LETTER.items()}
    seen = [[digit.get(one, one) for one in a] == [digit.get(one, one) for one in b]
            for a, b in zip(read, wanted, strict=True)]
    return {"strips wholly right": float(right.mean()), "of": 1000,
            "strips wholly right, marked": float(right[marks].mean()),
            "strips wholly right, not marked": float(right[~marks].mean()),
            "strips wholly right, letters taken for digits": float(np.mean(seen))}
