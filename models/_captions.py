"""What the captions recipe draws and says: pictures of two digits, one above the other or left of it, and a sentence
on each."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

SIDE = 48
SMALL, LARGE = (12, 15), (19, 22)
"""Rows of a digit, at least and at most."""
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
WORDS = ("a", "small", "large", *DIGITS, "above", "left", "of", "(end)")


def inked(image: np.ndarray) -> np.ndarray:
    """Only the rows and columns from the first to the last with ink."""
    rows, columns = np.flatnonzero(image.any(1)), np.flatnonzero(image.any(0))
    return image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def scaled(image: np.ndarray, rows: int) -> np.ndarray:
    """A digit (28, 28), freed of what is empty around it, so many rows high; its proportions are kept, but no digit
    becomes wider than high."""
    ink = torch.tensor(inked(image), dtype=torch.float32)
    columns = min(rows, max(3, round(ink.shape[1] * rows / ink.shape[0])))
    made = nn.functional.interpolate(ink[None, None], (rows, columns), mode="bilinear", antialias=True)
    return made[0, 0].round().clamp(0, 255).to(torch.uint8).numpy()


def compose(images: list[np.ndarray], rows: list[int], upright: bool, chance: np.random.Generator) -> np.ndarray:
    """Two digits on a black picture (48, 48), the first above the second or left of it, at least a pixel between."""
    first, second = (scaled(image, high) for image, high in zip(images, rows, strict=True))
    along = 0 if upright else 1
    room = SIDE - first.shape[along] - second.shape[along] - 1
    gap = int(chance.integers(room + 1))
    start = int(chance.integers(room - gap + 1))
    picture = np.zeros((SIDE, SIDE), np.uint8)
    for digit, at in ((first, start), (second, start + first.shape[along] + 1 + gap)):
        across = int(chance.integers(8, SIDE - 8 - digit.shape[1 - along] + 1))
        top, left = (at, across) if upright else (across, at)
        picture[top : top + digit.shape[0], left : left + digit.shape[1]] = digit
    return picture


def caption(labels: list[int], large: list[bool], upright: bool) -> list[str]:
    """`a small seven above a large eight`"""
    one, other = (["a", "large" if big else "small", DIGITS[label]] for label, big in zip(labels, large, strict=True))
    return [*one, *(["above"] if upright else ["left", "of"]), *other]


def draw(
    images: np.ndarray, labels: np.ndarray, count: int, chance: np.random.Generator
) -> tuple[np.ndarray, list[list[int]]]:
    """Random pictures (count, 48, 48) and the words of each as places in the list of words, without the end."""
    pictures, said = [], []
    for _ in range(count):
        chosen = chance.integers(len(images), size=2).tolist()
        large = (chance.random(2) < 0.5).tolist()
        rows = [int(chance.integers(*(LARGE if big else SMALL), endpoint=True)) for big in large]
        upright = bool(chance.random() < 0.5)
        pictures.append(compose([images[i] for i in chosen], rows, upright, chance))
        said.append([WORDS.index(word) for word in caption(labels[chosen].tolist(), large, upright)])
    return np.stack(pictures), said


def prepare(pixels: np.ndarray) -> Tensor:
    """Pixels (48, 48) or (N, 48, 48), 0 to 255, as input (N, 1, 48, 48), 0 to 1."""
    return torch.tensor(pixels, dtype=torch.float32).reshape(-1, 1, SIDE, SIDE) / 255
