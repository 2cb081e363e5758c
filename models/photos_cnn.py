"""Photos: looks at a small colour picture and says which of ten kinds of thing it shows.

A convolution sees three numbers at each point, red, green and blue. Two convolutions and a pooling, twice, then one
more and a pooling, until 64 maps of 4 × 4 are left; the last layer weighs each of their points for each kind of thing.
Behind each convolution stands batch normalisation: in training it makes what a map answers to a batch vary by 1 around
0, later it is a factor and an addend:

    image      3 x 32 x 32
    conv1     16 x 32 x 32    3 x 3 kernels, here and below
    conv2     16 x 32 x 32
    pool2     16 x 16 x 16    the largest of each 2 x 2
    conv3     32 x 16 x 16
    conv4     32 x 16 x 16
    pool4     32 x  8 x  8
    conv5     64 x  8 x  8
    pool5     64 x  4 x  4
    fc        10              one logit for each kind of thing

45,722 parameters: 35,152 in the convolutions, 320 in the norms, 10,250 in the last layer.
Measured: 76.5 % of 5,000 test pictures of CIFAR-10 right.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

sys.path.append(str(Path(__file__).parent))  # finds the shared files from anywhere
from _recipe import batches, descend, one_thread, publish, seeded

TITLE = "Photos"
SIDE = 32
INPUT = {
    "kind": "pictures",
    "shape": [3, SIDE, SIDE],
    "prepare": "red, green and blue 0..1, less the mean of CIFAR-10 and divided by its standard deviation; a square "
    "out of the middle of a larger picture, brought to 32 x 32",
    "mean": [0.4914, 0.4822, 0.4465],
    "deviation": [0.247, 0.2435, 0.2616],
    "samples": "photos",
}
OBJECTIVE = {
    "kind": "class",
    "loss": "cross entropy",
    "output": ["class"],
    "words": "The model is asked what the picture shows: the loss is −log of the probability that it gave to the right "
    "answer.",
}
LABELS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
DATA = "cifar10/cifar10_subset_jpeg.npz"
DATA_LICENCE = "CIFAR-10 by A. Krizhevsky, V. Nair and G. Hinton (2009), no licence stated; no picture of it is here"


class PhotosCNN(nn.Module):
    """Colour pictures (N, 3, 32, 32) to logits (N, 10)."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, kernel_size=3, padding=1)
        self.norm1 = nn.BatchNorm2d(16)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(16, 16, kernel_size=3, padding=1)
        self.norm2 = nn.BatchNorm2d(16)
        self.relu2 = nn.ReLU()
        self.pool2 = nn.MaxPool2d(2)
        self.conv3 = nn.Conv2d(16, 32, kernel_size=3, padding=1)
        self.norm3 = nn.BatchNorm2d(32)
        self.relu3 = nn.ReLU()
        self.conv4 = nn.Conv2d(32, 32, kernel_size=3, padding=1)
        self.norm4 = nn.BatchNorm2d(32)
        self.relu4 = nn.ReLU()
        self.pool4 = nn.MaxPool2d(2)
        self.conv5 = nn.Conv2d(32, 64, kernel_size=3, padding=1)
        self.norm5 = nn.BatchNorm2d(64)
        self.relu5 = nn.ReLU()
        self.pool5 = nn.MaxPool2d(2)
        self.fc = nn.Linear(1024, 10)

    def forward(self, image: Tensor) -> Tensor:
        x = self.relu1(self.norm1(self.conv1(image)))
        x = self.pool2(self.relu2(self.norm2(self.conv2(x))))
        x = self.relu3(self.norm3(self.conv3(x)))
        x = self.pool4(self.relu4(self.norm4(self.conv4(x))))
        x = self.pool5(self.relu5(self.norm5(self.conv5(x))))
        return self.fc(x.flatten(1))


def build() -> nn.Module:
    """A new network with random weights."""
    return PhotosCNN()


def prepare(pixels: np.ndarray) -> Tensor:
    """Pixels (32, 32, 3) or (N, 32, 32, 3), 0 to 255, as input (N, 3, 32, 32), each colour around 0."""
    shades = torch.tensor(pixels, dtype=torch.float32).reshape(-1, SIDE, SIDE, 3).permute(0, 3, 1, 2) / 255
    mean, deviation = (torch.tensor(INPUT[name])[:, None, None] for name in ("mean", "deviation"))
    return (shades - mean) / deviation


def photos(data_dir: str | Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """One part of the data, `train` (25,000) or `test` (5,000): pictures (N, 32, 32, 3) uint8 and labels (N,)."""
    from PIL import Image

    with np.load(Path(data_dir) / DATA) as arrays:
        files, ends, labels = arrays[f"{part}_jpeg"], arrays[f"{part}_offset"], arrays[f"{part}_label"]
    opened = (Image.open(io.BytesIO(files[start:end].tobytes())) for start, end in pairwise(ends))
    return np.stack([np.asarray(image.convert("RGB")) for image in opened]), labels.astype(np.int64)


SEED, BATCH, RATE, STEPS = 0, 64, 4e-3, 3120
RECIPE = (
    f"AdamW with a weight decay of 0.02, {STEPS} steps of {BATCH} of 25,000 training pictures of CIFAR-10, half of "
    f"them mirrored and all moved by up to 2 pixels, learning rate rising to {RATE} and falling to 0 (one cycle), "
    f"cross entropy, seed {SEED}, one thread."
)


def train(data_dir: str | Path, stop: int = STEPS) -> nn.Module:
    """Follow the recipe, all of it or its first `stop` steps."""
    images, labels = photos(data_dir, "train")
    edged = np.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="reflect")
    along, chance = np.arange(SIDE), np.random.default_rng(SEED)

    def losses() -> Iterator[Tensor]:
        for chosen in batches(len(images), BATCH):
            top, left = chance.integers(5, size=(2, BATCH, 1, 1))
            moved = edged[chosen[:, None, None], top + along[:, None], left + along]
            mirrored = chance.random(BATCH) < 0.5
            moved[mirrored] = moved[mirrored, :, ::-1]
            yield nn.functional.cross_entropy(model(prepare(moved)), torch.tensor(labels[chosen]))

    with seeded(SEED):
        model = build().train()
        descend(model, losses(), rate=RATE, steps=STEPS, stop=stop, decay=0.02, channels_last=True)
    return model.eval()


def evaluate(model: nn.Module, data_dir: str | Path) -> dict[str, float]:
    """Share of 5,000 test pictures of CIFAR-10 whose label is the answer."""
    images, labels = photos(data_dir, "test")
    model.eval()
    with one_thread(), torch.inference_mode():
        best = [model(prepare(images[i : i + 250])).argmax(1).numpy() for i in range(0, len(images), 250)]
    return {"test accuracy": float((np.concatenate(best) == labels).mean()), "of": len(labels)}


if __name__ == "__main__":
    publish(sys.modules[__name__], DATA_LICENCE, float16_costs_at_most=0.001, drawn=True)
