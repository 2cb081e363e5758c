"""Detector: finds the one to four digits of a scene, draws a box around each and says which it is.

The picture becomes a grid of 8 × 8 cells. Each cell answers for the digit whose middle lies in it: whether there is
one, how far its four edges are from the middle of the cell, and which digit it is. Boxes that overlap too much are then
thinned out, the surest one stays:

    image      1 x 64 x 64
    conv1     12 x 32 x 32    3 x 3 kernels, here and below; stride 2
    conv2     24 x 16 x 16    stride 2
    conv3     32 x 16 x 16
    conv4     48 x  8 x  8    stride 2
    conv5     64 x  8 x  8
    conv6     64 x  8 x  8
    head      15 x  8 x  8    of each cell: score, left, top, right, bottom, and ten digits

89,411 parameters: 87,948 in the convolutions, 488 in the norms, 975 in the head.
Measured on 600 scenes of test digits: a mean average precision of 96.4 % at an overlap of one half; in 92.2 % of the
scenes every digit is found, named, and overlapped by a half, and nothing else is found.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

sys.path.append(str(Path(__file__).parent))  # finds the shared files from anywhere
from _captions import scaled
from _mnist import digits, publish
from _recipe import descend, one_thread, seeded

TITLE = "Detector"
SIDE, CELLS, STRIDE = 64, 8, 8
INPUT = {
    "kind": "pictures",
    "shape": [1, SIDE, SIDE],
    "prepare": "grey 0..1, one to four white digits on black 0, 14 to 28 pixels high",
    "samples": "scenes",
}
OBJECTIVE = {
    "kind": "boxes",
    "loss": "squares of the edges and binary cross entropy of the scores",
    "output": ["value", "row", "column"],
    "words": "The loss adds up, over the cells that answer for a digit, the squares of how far its edges are off, in "
    "cells, and over all cells −log of the probability given to what is true: a digit here, or none. In training the "
    "cross entropy of the digits was added.",
}
ANSWER = {
    "kind": "boxes",
    "columns": ["score", "left", "top", "right", "bottom"],
    "score": "logit",
    "threshold": 0.5,
    "overlap": 0.5,
    "stride": STRIDE,
    "labels": list("0123456789"),
}
LABELS = tuple("0123456789")
DATA = "mnist/mnist.npz"
SMALLEST, LARGEST = 14, 28
"""Rows of a digit."""
Boxes = list[tuple[int, int, int, int, int]]
"""left, top, right, bottom, digit; right and bottom are the first column and row behind it."""


class SceneDetector(nn.Module):
    """Scenes (N, 1, 64, 64) to what each cell answers (N, 15, 8, 8)."""

    def __init__(self) -> None:
        super().__init__()
        channels = 1
        for number, (made, stride) in enumerate(((12, 2), (24, 2), (32, 1), (48, 2), (64, 1), (64, 1)), 1):
            conv = nn.Conv2d(channels, made, kernel_size=3, stride=stride, padding=1, bias=False)
            self.add_module(f"conv{number}", conv)
            self.add_module(f"norm{number}", nn.BatchNorm2d(made))
            self.add_module(f"relu{number}", nn.ReLU())
            channels = made
        self.head = nn.Conv2d(64, 15, kernel_size=1)

    def forward(self, image: Tensor) -> Tensor:
        for part in self.children():
            image = part(image)
        return image


def build() -> nn.Module:
    """A new network with random weights."""
    return SceneDetector()


def prepare(pixels: np.ndarray) -> Tensor:
    """Pixels (64, 64) or (N, 64, 64), 0 to 255, as input (N, 1, 64, 64), 0 to 1."""
    return torch.tensor(pixels, dtype=torch.float32).reshape(-1, 1, SIDE, SIDE) / 255


def scene(images: np.ndarray, labels: np.ndarray, chance: np.random.Generator) -> tuple[np.ndarray, Boxes]:
    """A random scene (64, 64) and the boxes of its digits, of which no two touch."""
    picture, boxes = np.zeros((SIDE, SIDE), np.uint8), Boxes()
    wanted = int(chance.integers(1, 5))
    for _ in range(20 * wanted):
        one = int(chance.integers(len(images)))
        digit = scaled(images[one], int(chance.integers(SMALLEST, LARGEST, endpoint=True)))
        rows, columns = digit.shape
        top, left = (int(chance.integers(SIDE - size + 1)) for size in digit.shape)
        if all(left > box[2] or top > box[3] or left + columns < box[0] or top + rows < box[1] for box in boxes):
            picture[top : top + rows, left : left + columns] = digit
            boxes.append((left, top, left + columns, top + rows, int(labels[one])))
        if len(boxes) == wanted:
            break
    return picture, boxes


def scenes(
    images: np.ndarray, labels: np.ndarray, count: int, chance: np.random.Generator
) -> tuple[np.ndarray, list[Boxes]]:
    """Random scenes (count, 64, 64) and their boxes."""
    drawn = [scene(images, labels, chance) for _ in range(count)]
    return np.stack([picture for picture, _ in drawn]), [boxes for _, boxes in drawn]


def answered(boxes: list[Boxes]) -> tuple[Tensor, Tensor, Tensor]:
    """Which cells answer for a digit (N, 8, 8), and of these their four edges (digits, 4), in cells from the middle of
    the cell, and their digits (digits,), in the order in which the cells lie."""
    there, edges = torch.zeros(len(boxes), CELLS, CELLS), torch.zeros(len(boxes), CELLS, CELLS, 4)
    digit = torch.zeros(len(boxes), CELLS, CELLS, dtype=torch.long)
    for number, own in enumerate(boxes):
        for left, top, right, bottom, label in own:
            row, column = (top + bottom) // 2 // STRIDE, (left + right) // 2 // STRIDE
            x, y = (column + 0.5) * STRIDE, (row + 0.5) * STRIDE
            there[number, row, column], digit[number, row, column] = 1, label
            edges[number, row, column] = torch.tensor([x - left, y - top, right - x, bottom - y]) / STRIDE
    return there, edges[there > 0], digit[there > 0]


SEED, BATCH, RATE, STEPS = 0, 32, 5e-3, 2600
RECIPE = (
    f"AdamW, {STEPS} steps of {BATCH} new scenes of one to four training digits of MNIST, learning rate rising to "
    f"{RATE} and falling to 0 (one cycle), binary cross entropy of the scores, twice the squares of the edges and "
    f"cross entropy of the digits, added up over a scene, seed {SEED}, one thread."
)


def train(data_dir: str | Path, stop: int = STEPS) -> nn.Module:
    """Follow the recipe, all of it or its first `stop` steps."""
    images, labels = digits(Path(data_dir) / DATA, "train")
    chance = np.random.default_rng(SEED)

    def losses() -> Iterator[Tensor]:
        while True:
            pictures, boxes = scenes(images, labels, BATCH, chance)
            there, edges, digit = answered(boxes)
            found = model(prepare(pictures)).permute(0, 2, 3, 1)
            own = found[there > 0]
            scores = nn.functional.binary_cross_entropy_with_logits(found[..., 0], there, reduction="sum")
            off = nn.functional.mse_loss(own[:, 1:5], edges, reduction="sum")
            named = nn.functional.cross_entropy(own[:, 5:], digit, reduction="sum")
            yield (scores + 2 * off + named) / BATCH

    with seeded(SEED):
        model = build().train()
        descend(model, losses(), rate=RATE, steps=STEPS, stop=stop, clip=10.0, channels_last=True)
    return model.eval()


def found(values: np.ndarray, least: float = 0.5) -> list[tuple[float, tuple[float, ...], int]]:
    """Of what the cells answer (15, 8, 8): score, box and digit of each box with a score above `least`, the surest
    first; of those that overlap by more than a half only the surest."""
    kept: list[tuple[float, tuple[float, ...], int]] = []
    scores = 1 / (1 + np.exp(-values[0].astype(np.float64)))
    for place in np.argsort(-scores, axis=None, kind="stable"):
        row, column = divmod(int(place), CELLS)
        if scores[row, column] <= least:
            break
        x, y = (column + 0.5) * STRIDE, (row + 0.5) * STRIDE
        left, top, right, bottom = (values[1:5, row, column] * STRIDE).tolist()
        box = (x - left, y - top, x + right, y + bottom)
        if all(overlap(box, other) <= 0.5 for _, other, _ in kept):
            kept.append((float(scores[row, column]), box, int(values[5:, row, column].argmax())))
    return kept


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    """Shared area over the area that either covers (IoU)."""
    wide, high = (max(0.0, min(one[2 + axis], other[2 + axis]) - max(one[axis], other[axis])) for axis in (0, 1))
    areas = sum(max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1]) for box in (one, other))
    return wide * high / (areas - wide * high) if areas > wide * high else 0.0


def evaluate(model: nn.Module, data_dir: str | Path) -> dict[str, float]:
    """Of 600 scenes of test digits: mean average precision at an overlap of one half, over the ten digits; and the
    share of scenes in which all digits, and no more, are found, named and overlapped by a half."""
    pictures, boxes = scenes(*digits(Path(data_dir) / DATA, "test"), 600, np.random.default_rng(1))
    model.eval()
    with one_thread(), torch.inference_mode():
        values = np.concatenate([model(prepare(part)).numpy() for part in np.array_split(pictures, 12)])
    likely = [found(each, least=0.01) for each in values]
    sure = [[each for each in one if each[0] > 0.5] for one in likely]
    whole = [len(one) == len(own) and all(hits(one, own, digit) for digit in range(10))
             for one, own in zip(sure, boxes, strict=True)]
    return {
        "mAP at half overlap": float(np.mean([precision(likely, boxes, digit) for digit in range(10)])),
        "scenes wholly right": float(np.mean(whole)),
        "of": 600,
    }


def hits(one: list[tuple[float, tuple[float, ...], int]], own: Boxes, digit: int) -> bool:
    """Whether the boxes of this digit are found, each by another."""
    right = [box for box in own if box[4] == digit]
    named = [box for _, box, label in one if label == digit]
    return len(right) == len(named) and all(any(overlap(box[:4], other) >= 0.5 for other in named) for box in right)


def precision(found_: list[list[tuple[float, tuple[float, ...], int]]], boxes: list[Boxes], digit: int) -> float:
    """Average precision of one digit: the area below precision over recall, where precision is the best at this recall
    or a higher one (Everingham and others 2010, as computed since 2010)."""
    free = [[box[:4] for box in own if box[4] == digit] for own in boxes]
    there = sum(map(len, free))
    ranked = sorted(((score, number, box) for number, one in enumerate(found_) for score, box, label in one
                     if label == digit), key=lambda each: -each[0])
    right = []
    for _, number, box in ranked:
        best = max(free[number], key=lambda other: overlap(box, other), default=None)
        right.append(best is not None and overlap(box, best) >= 0.5)
        if right[-1]:
            free[number].remove(best)
    counted = np.cumsum(right)
    precise = np.maximum.accumulate((counted / np.arange(1, len(right) + 1))[::-1])[::-1]
    return float(np.sum(precise[np.array(right, bool)]) / there)


if __name__ == "__main__":
    publish(sys.modules[__name__], float16_costs_at_most=0.001, drawn=True)
