"""CRNN: reads a strip of handwritten digits, however many there are, without being told where one ends.

Convolutions look for strokes and turn the strip into a row of 40 narrow windows; a recurrent network reads the windows
from left to right, another from right to left; at each window the last layer names a digit or "blank". Reading is then
two rules (connectionist temporal classification, CTC): merge what repeats, drop the blanks.

    strip        1 x 32 x 160    any width will do: four columns make one step
    conv1        8 x 16 x  80    5 x 5 kernels, stride 2
    conv2       16 x 16 x  80
    pool2       16 x  8 x  40    the largest of each 2 x 2
    conv3       24 x  8 x  40
    pool3       24 x  4 x  40    the larger of each 2 x 1: height shrinks, width stays
    conv4       32 x  4 x  40
    pool4       32 x  2 x  40
    columns     40 x 64          the seam: each column of all maps is one step of the sequence
    lstm        40 x 96          48 numbers from the left, 48 from the right
    fc          40 x 11          ten digits and the blank

56,643 parameters: 11,800 in the convolutions, 43,776 in the LSTM, 1,067 in the last layer. Measured: 95.5 % of 1,000
random strips of test digits read wholly right.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

sys.path.append(str(Path(__file__).parent))  # finds the shared files from anywhere
from _mnist import digits, publish
from _recipe import descend, one_thread, seeded

TITLE = "CRNN"
BLANK = 10
INPUT = {
    "kind": "strip",
    "shape": [1, 32, None],
    "prepare": "grey 0..1, white strokes on black 0; 32 rows, any number of columns from 28 on",
    "columns_per_step": 4,
}
OBJECTIVE = {
    "kind": "ctc",
    "loss": "ctc",
    "output": ["step", "class"],
    "at": "every step",
    "blank": BLANK,
    "reduction": "sum",
    "words": "The loss is −log of the probability that the steps spell the right digits, summed over all the ways to "
    "lay digits, repeats and blanks along them.",
}
LABELS = (*"0123456789", "blank")
DATA = "mnist/mnist.npz"


class CRNN(nn.Module):
    """Strips (N, 1, 32, width) to logits (N, width / 4, 11); class 10 is the blank."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 8, kernel_size=5, stride=2, padding=2)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(8, 16, kernel_size=3, padding=1)
        self.relu2 = nn.ReLU()
        self.pool2 = nn.MaxPool2d(2)
        self.conv3 = nn.Conv2d(16, 24, kernel_size=3, padding=1)
        self.relu3 = nn.ReLU()
        self.pool3 = nn.MaxPool2d((2, 1))
        self.conv4 = nn.Conv2d(24, 32, kernel_size=3, padding=1)
        self.relu4 = nn.ReLU()
        self.pool4 = nn.MaxPool2d((2, 1))
        self.lstm = nn.LSTM(64, 48, batch_first=True, bidirectional=True)
        self.fc = nn.Linear(96, 11)

    def forward(self, strip: Tensor) -> Tensor:
        x = self.relu1(self.conv1(strip))
        x = self.pool2(self.relu2(self.conv2(x)))
        x = self.pool3(self.relu3(self.conv3(x)))
        x = self.pool4(self.relu4(self.conv4(x)))
        columns = x.flatten(1, 2).transpose(1, 2)
        hidden, _ = self.lstm(columns)
        return self.fc(hidden)


def build() -> nn.Module:
    """A new network with random weights."""
    return CRNN()


def prepare(pixels: np.ndarray) -> Tensor:
    """Pixels (32, width) or (N, 32, width), 0 to 255, as input (N, 1, 32, width), 0 to 1."""
    return torch.tensor(pixels, dtype=torch.float32).reshape(-1, 1, 32, pixels.shape[-1]) / 255


def spell(logits: Tensor, blank: int = BLANK) -> list[int]:
    """The digits that (steps, 11) logits spell: the best class of each step, repeats merged, blanks dropped."""
    best = logits.argmax(1).tolist()
    return [one for one, before in zip(best, [blank, *best], strict=False) if one not in (before, blank)]


def compose(images: Sequence[np.ndarray], left: Sequence[int], top: Sequence[int], width: int = 160) -> np.ndarray:
    """Digits (28, 28), each cut to its inked columns, laid on a black strip (32, width) from column `left`, row `top`
    on.

    Where two overlap the brighter pixel is seen.
    """
    strip = np.zeros((32, width), np.uint8)
    for image, x, y in zip(images, left, top, strict=True):
        ink = trim(image)
        place = strip[y : y + 28, x : x + ink.shape[1]]
        np.maximum(place, ink, out=place)
    return strip


def trim(image: np.ndarray) -> np.ndarray:
    """Only the columns from the first to the last with ink."""
    inked = np.flatnonzero(image.any(0))
    return image[:, inked[0] : inked[-1] + 1]


def lay(images: np.ndarray, chance: np.random.Generator) -> tuple[list[int], list[int], list[int]]:
    """A random strip of 3 to 6 digits: which of the images, and the left column and top row of each.

    From one digit to the next it is 6 columns at most, and at the closest they overlap by one.
    """
    chosen = chance.integers(len(images), size=chance.integers(3, 7)).tolist()
    widths = [trim(images[i]).shape[1] for i in chosen]
    gaps = chance.integers(-1, 7, size=len(chosen) - 1).tolist()
    room = 160 - sum(widths) - sum(gaps)
    start = int(chance.integers(0, room + 1))
    left = [start + sum(widths[:k]) + sum(gaps[:k]) for k in range(len(chosen))]
    top = chance.integers(0, 5, size=len(chosen)).tolist()
    return chosen, left, top


def strips(
    images: np.ndarray, labels: np.ndarray, count: int, chance: np.random.Generator
) -> tuple[np.ndarray, list[list[int]]]:
    """Random strips (count, 32, 160) and the digits on each."""
    laid = [lay(images, chance) for _ in range(count)]
    pixels = np.stack([compose(images[chosen], left, top) for chosen, left, top in laid])
    return pixels, [labels[chosen].tolist() for chosen, _, _ in laid]


SEED, BATCH, RATE, STEPS = 0, 32, 3e-3, 7000
RECIPE = (
    f"AdamW, {STEPS} steps of {BATCH} new strips of 3 to 6 training digits of MNIST, learning rate rising to {RATE} "
    f"and falling to 0 (one cycle), gradient clipped at 1, CTC loss, seed {SEED}, one thread."
)


def train(data_dir: str | Path, stop: int = STEPS) -> nn.Module:
    """Follow the recipe, all of it or its first `stop` steps."""
    images, labels = digits(Path(data_dir) / DATA, "train")
    chance = np.random.default_rng(SEED)

    def losses() -> Iterator[Tensor]:
        while True:
            pixels, wanted = strips(images, labels, BATCH, chance)
            log_probability = model(prepare(pixels)).log_softmax(2).transpose(0, 1)
            steps = torch.full((BATCH,), len(log_probability))
            lengths = torch.tensor([len(one) for one in wanted])
            spelled = torch.tensor([digit for one in wanted for digit in one])
            yield nn.functional.ctc_loss(log_probability, spelled, steps, lengths, blank=BLANK)

    with seeded(SEED):
        model = build().train()
        descend(model, losses(), rate=RATE, steps=STEPS, stop=stop, clip=1.0)
    return model.eval()


def evaluate(model: nn.Module, data_dir: str | Path) -> dict[str, float]:
    """Share of 1,000 random strips of test digits that are read wholly right."""
    pixels, wanted = strips(*digits(Path(data_dir) / DATA, "test"), 1000, np.random.default_rng(1))
    model.eval()
    with one_thread(), torch.inference_mode():
        read = [spell(logits) for i in range(0, 1000, 100) for logits in model(prepare(pixels[i : i + 100]))]
    return {"strips wholly right": sum(a == b for a, b in zip(read, wanted, strict=True)) / 1000, "of": 1000}


if __name__ == "__main__":
    publish(sys.modules[__name__], float16_costs_at_most=0.001, drawn=True)
