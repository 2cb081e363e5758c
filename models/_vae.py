"""What the recipes share that make digits of a few numbers: the network, training and the measure.

A variational autoencoder (Kingma and Welling 2014, Auto-Encoding Variational Bayes): an encoder says of a picture in
which region of a small space it lies, a mean and a spread along each axis; a decoder makes a picture of a point of that
space. In training the point is drawn from the region, and regions are drawn towards the middle: so points between two
digits become digits, too.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

sys.path.append(str(Path(__file__).parent))  # finds the shared files from anywhere
from _mnist import PIXELS, digits, grey
from _recipe import batches, descend, one_thread, seeded

INPUT = PIXELS
OBJECTIVE = {
    "kind": "picture",
    "loss": "mean squared error",
    "output": ["channel", "row", "column"],
    "truth": "input",
    "words": "The model is asked for the picture that it was shown: the loss is the squared difference of a pixel, "
    "averaged over all of them. In training the distance of the region from the middle was added.",
}
DATA = "mnist/mnist.npz"


class DigitsVAE(nn.Module):
    """Images (N, 1, 28, 28) to images (N, 1, 28, 28), 0 to 1, by way of (N, latent) numbers.

    `chance` (N, latent), numbers drawn from a normal distribution, says where in its region the point lies; without it
    the point is the middle of the region. `decode` makes a picture of any point.
    """

    def __init__(self, latent: int, hidden: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 12, kernel_size=3, stride=2, padding=1)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(12, 24, kernel_size=3, stride=2, padding=1)
        self.relu2 = nn.ReLU()
        self.fc1 = nn.Linear(1176, hidden)
        self.relu3 = nn.ReLU()
        self.mean = nn.Linear(hidden, latent)
        self.spread = nn.Linear(hidden, latent)
        self.fc2 = nn.Linear(latent, hidden)
        self.relu4 = nn.ReLU()
        self.fc3 = nn.Linear(hidden, 1176)
        self.relu5 = nn.ReLU()
        self.up1 = nn.ConvTranspose2d(24, 12, kernel_size=4, stride=2, padding=1)
        self.relu6 = nn.ReLU()
        self.up2 = nn.ConvTranspose2d(12, 1, kernel_size=4, stride=2, padding=1)
        self.sigmoid = nn.Sigmoid()

    def forward(self, image: Tensor, chance: Tensor | None = None) -> Tensor:
        mean, spread = self.encode(image)
        return self.decode(mean if chance is None else mean + torch.exp(spread / 2) * chance)

    def encode(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Middle of the region of a picture and logarithm of its variance, (N, latent) each."""
        x = self.relu2(self.conv2(self.relu1(self.conv1(image))))
        x = self.relu3(self.fc1(x.flatten(1)))
        return self.mean(x), self.spread(x)

    def decode(self, point: Tensor) -> Tensor:
        """Pictures (N, 1, 28, 28) of points (N, latent)."""
        x = self.relu5(self.fc3(self.relu4(self.fc2(point))))
        x = self.relu6(self.up1(x.unflatten(1, (24, 7, 7))))
        return self.sigmoid(self.up2(x))


def prepare(pixels: np.ndarray) -> Tensor:
    """Pixels (28, 28) or (N, 28, 28), 0 to 255, as input (N, 1, 28, 28), 0 to 1."""
    return grey(pixels)


def far(mean: Tensor, spread: Tensor) -> Tensor:
    """How far regions (N, latent) are from the normal distribution around 0, in nats, added up over the axes:
    Kullback-Leibler divergence, Kingma and Welling 2014, appendix B."""
    return (mean**2 + spread.exp() - spread - 1).sum(1) / 2


def fit(
    new: Callable[[], DigitsVAE], data_dir: str | Path, *, seed: int, batch: int, rate: float, steps: int, stop: int
) -> nn.Module:
    """Train a new model with AdamW on the binary cross entropy of the pixels and on how far the regions are."""
    images, _ = digits(Path(data_dir) / DATA, "train")

    def losses() -> Iterator[Tensor]:
        for chosen in batches(len(images), batch):
            shown = prepare(images[chosen])
            mean, spread = model.encode(shown)
            made = model.decode(mean + torch.exp(spread / 2) * torch.randn_like(mean))
            off = nn.functional.binary_cross_entropy(made, shown, reduction="sum") / len(shown)
            yield off + far(mean, spread).mean()

    with seeded(seed):
        model = new().train()
        descend(model, losses(), rate=rate, steps=steps, stop=stop, clip=100.0, decay=0.0)
    return model.eval()


def measure(model: DigitsVAE, data_dir: str | Path) -> dict[str, float]:
    """Mean squared difference between the 10,000 test digits and what is made of the middles of their regions; that
    between them and the mean of the training digits; and how far the regions are from the middle, in nats."""
    file = Path(data_dir) / DATA
    shown, usual = prepare(digits(file, "test")[0]), prepare(digits(file, "train")[0]).mean(0)
    model.eval()
    squares, nats = [], []
    with one_thread(), torch.inference_mode():
        for part in shown.split(500):
            squares.append(((model(part) - part) ** 2).double().mean())
            nats.append(far(*model.encode(part)).double().mean())
    return {
        "mean squared error": float(torch.stack(squares).mean()),
        "of": len(shown),
        "mean squared error of the mean picture": float(((usual - shown) ** 2).double().mean()),
        "nats of the region": float(torch.stack(nats).mean()),
    }
