"""Style: changes the pixels of one picture until a network finds in it the texture of another.

What is called style (Gatys, Ecker and Bethge 2016, Image Style Transfer Using Convolutional Neural Networks) is how
often two maps of a layer are strong at the same place, whichever place that is: a Gram matrix, one number for each pair
of maps. Nothing is trained. The pixels are what is changed, against the gradient of how far the Gram matrices are from
those of the style, and of how far the maps of one layer are from those of the content. The network that looks is that
of `photos_cnn`, with its trained weights, or with the random ones from which it set out: texture needs no training.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

sys.path.append(str(Path(__file__).parent))  # finds the shared files from anywhere
from photos_cnn import INPUT

STYLE = ("relu1", "relu2", "relu3", "relu4")
"""Layers of which the Gram matrices are compared."""
CONTENT = "relu4"
"""The layer of which the maps are compared."""
RATE, UPDATES, KEPT = 0.04, 200, 0.2
"""How much one update may change a pixel, 0 to 1; how many there are; and how much content counts beside style."""


@dataclass(frozen=True)
class Update:
    """The picture after some updates."""

    pixels: Tensor
    """(1, 3, rows, columns), 0 to 1."""
    style: float
    """How far the Gram matrices are off, as a share of those that are wanted; the mean of the layers."""
    content: float
    """The same of the maps of one layer."""


def shades(pixels: np.ndarray) -> Tensor:
    """Pixels (rows, columns, 3), 0 to 255, as (1, 3, rows, columns), 0 to 1."""
    return torch.tensor(pixels, dtype=torch.float32).permute(2, 0, 1)[None] / 255


def maps(net: nn.Module, picture: Tensor) -> dict[str, Tensor]:
    """What the layers of STYLE and CONTENT make of a picture (1, 3, rows, columns), 0 to 1: maps (channels, places)."""
    mean, deviation = (torch.tensor(INPUT[name])[:, None, None] for name in ("mean", "deviation"))
    x, found = (picture - mean) / deviation, {}
    for name, part in net.named_children():
        x = part(x)
        if name in (*STYLE, CONTENT):
            found[name] = x[0].flatten(1)
        if len(found) == len({*STYLE, CONTENT}):
            break
    return found


def gram(found: Tensor) -> Tensor:
    """How strong each two of the maps (channels, places) are together, averaged over the places: (channels, channels).
    """
    return found @ found.T / found.shape[1]


def apart(found: Tensor, wanted: Tensor) -> Tensor:
    """How far two tensors are apart, as a share of the second: roots of sums of squares."""
    return torch.linalg.vector_norm(found - wanted) / torch.linalg.vector_norm(wanted)


def updates(
    net: nn.Module, content: Tensor, style: Tensor, count: int = UPDATES, kept: float = KEPT
) -> Iterator[Update]:
    """The picture at first, which is that of the content, and after each of `count` updates (Adam) of its pixels.

    `content` and `style` (1, 3, rows, columns), 0 to 1, may be of different sizes.
    """
    net.eval()
    with torch.no_grad():
        wanted = {name: gram(found) for name, found in maps(net, style).items()}
        shown = maps(net, content)[CONTENT]
    pixels = content.clone().requires_grad_()
    optimiser = torch.optim.Adam([pixels], lr=RATE)
    for number in range(count + 1):
        for group in optimiser.param_groups:
            group["lr"] = RATE * (1 - number / (count + 1))
        found = maps(net, pixels)
        off = torch.stack([apart(gram(found[name]), wanted[name]) for name in STYLE]).mean()
        moved = apart(found[CONTENT], shown)
        yield Update(pixels.detach().clone(), float(off.detach()), float(moved.detach()))
        if number < count:
            optimiser.zero_grad()
            (off + kept * moved).backward(inputs=[pixels])
            optimiser.step()
            with torch.no_grad():
                pixels.clamp_(0, 1)
