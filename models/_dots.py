"""What the recipes share that tell where a dot moves: the films, the network, training and the measures.

A film is eight frames of 16 × 16. On each stands a soft dot, between two frames it moves by 0.8 to 1.3 pixels, always
the same way, and noise lies over all. The middle of its way is drawn from the same square whichever way it goes: where
the dot stands tells next to nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

sys.path.append(str(Path(__file__).parent))  # finds the shared files from anywhere
from _recipe import descend, one_thread, seeded

GROUP = "order of frames"
DATA = "no file: the recipe draws its films itself"
DATA_LICENCE = "none needed: the films are drawn at random"
FRAMES, SIDE = 8, 16
INPUT = {
    "kind": "video",
    "shape": [1, None, SIDE, SIDE],
    "prepare": f"grey 0..1, a light dot on black 0; frames of {SIDE} x {SIDE}, at least two of them",
    "frames": FRAMES,
}
OBJECTIVE = {
    "kind": "class",
    "loss": "cross entropy",
    "output": ["class"],
    "at": "last step",
    "words": "After the last frame the model is asked which way the dot moved: the loss is −log of the probability "
    "that it gave to the right direction.",
}
ARROWS = ("→", "↗", "↑", "↖", "←", "↙", "↓", "↘")
"""Eight directions, each 45 degrees on from the one before, against the clock."""
DOT, NOISE, REACH = 0.8, 0.15, 2.5
"""Standard deviation of the dot in pixels, that of the noise, and how far the middle of its way lies from that of the
frame at most."""
MEASURED, MEASURED_SEED = 2000, 1


class DotVideo(nn.Module):
    """Films (N, 1, frames, 16, 16) to logits (N, directions)."""

    def __init__(self, directions: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(1, 8, kernel_size=(1, 3, 3), padding=(0, 1, 1))  # each frame is looked at for itself
        self.relu1 = nn.ReLU()
        self.pool1 = nn.MaxPool3d((1, 2, 2))
        self.conv2 = nn.Conv3d(8, 12, kernel_size=(1, 3, 3), padding=(0, 1, 1))
        self.relu2 = nn.ReLU()
        self.pool2 = nn.MaxPool3d((1, 2, 2))
        self.fc1 = nn.Linear(192, 16)
        self.relu3 = nn.ReLU()
        self.gru = nn.GRU(16, 24, batch_first=True)
        self.fc2 = nn.Linear(24, directions)

    def forward(self, film: Tensor) -> Tensor:
        x = self.pool1(self.relu1(self.conv1(film)))
        x = self.pool2(self.relu2(self.conv2(x)))
        seen = self.relu3(self.fc1(x.transpose(1, 2).flatten(2)))
        hidden, _ = self.gru(seen)
        return self.fc2(hidden[:, -1])


def prepare(pixels: np.ndarray) -> Tensor:
    """Pixels (frames, 16, 16) or (N, frames, 16, 16), 0 to 255, as input (N, 1, frames, 16, 16), 0 to 1."""
    return torch.tensor(pixels, dtype=torch.float32).reshape(-1, 1, *pixels.shape[-3:]) / 255


def films(count: int, directions: int, chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Films (count, 8, 16, 16) uint8, and the direction of each (count,): its place among `directions` equal turns."""
    wanted = chance.integers(directions, size=count)
    angle = wanted * (2 * np.pi / directions)
    step = chance.uniform(0.8, 1.3, count)[:, None] * np.stack([-np.sin(angle), np.cos(angle)], 1)  # rows grow down
    middle = (SIDE - 1) / 2 + chance.uniform(-REACH, REACH, (count, 2))
    time = np.arange(FRAMES) - (FRAMES - 1) / 2
    place = middle[:, None] + time[None, :, None] * step[:, None]  # (film, frame, row and column)
    rows, columns = (np.exp(-((np.arange(SIDE) - place[..., axis, None]) ** 2) / (2 * DOT**2)) for axis in (0, 1))
    grey = rows[..., :, None] * columns[..., None, :] + NOISE * chance.standard_normal((count, FRAMES, SIDE, SIDE))
    return np.rint(255 * np.clip(grey, 0, 1)).astype(np.uint8), wanted


def shuffled(pixels: np.ndarray, chance: np.random.Generator) -> np.ndarray:
    """The same films, the frames of each in an order of chance."""
    order = chance.permuted(np.tile(np.arange(pixels.shape[1]), (len(pixels), 1)), axis=1)
    return np.take_along_axis(pixels, order[:, :, None, None], 1)


def fit(
    new: Callable[[], nn.Module],
    directions: int,
    *,
    seed: int,
    batch: int,
    rate: float,
    steps: int,
    stop: int,
    in_order: bool = True,
) -> nn.Module:
    """Train a new model with AdamW on the cross entropy of films that are drawn for each step; with `in_order` false
    their frames are shuffled."""

    def losses() -> Iterator[Tensor]:
        while True:
            pixels, wanted = films(batch, directions, chance)
            pixels = pixels if in_order else shuffled(pixels, chance)
            yield nn.functional.cross_entropy(model(prepare(pixels)), torch.tensor(wanted))

    chance = np.random.default_rng(seed)
    with seeded(seed):
        model = new().train()
        descend(model, losses(), rate=rate, steps=steps, stop=stop, clip=1.0)
    return model.eval()


def measure(model: nn.Module, directions: int) -> dict[str, float]:
    """Shares of 2,000 films drawn for this measure: answered rightly; with their frames shuffled, and then at least
    along the right line; answered with the opposite direction when played backwards; and answered rightly when one
    frame, drawn at random, is all there is."""
    chance = np.random.default_rng(MEASURED_SEED)
    pixels, wanted = films(MEASURED, directions, chance)
    mixed = _answers(model, shuffled(pixels, chance))
    one = pixels[np.arange(MEASURED), chance.integers(FRAMES, size=MEASURED)]
    still = _answers(model, np.repeat(one[:, None], FRAMES, 1))
    opposite = (wanted + directions // 2) % directions
    return {
        "test accuracy": float((_answers(model, pixels) == wanted).mean()),
        "of": MEASURED,
        "frames shuffled": float((mixed == wanted).mean()),
        "frames shuffled, along the right line": float(((mixed == wanted) | (mixed == opposite)).mean()),
        "played backwards, the opposite answered": float((_answers(model, pixels[:, ::-1]) == opposite).mean()),
        "one frame repeated": float((still == wanted).mean()),
    }


def _answers(model: nn.Module, pixels: np.ndarray) -> np.ndarray:
    model.eval()
    with one_thread(), torch.inference_mode():
        parts = [model(prepare(pixels[i : i + 500].copy())).argmax(1) for i in range(0, len(pixels), 500)]
    return torch.cat(parts).numpy()
