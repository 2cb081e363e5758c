"""Tiny untrained networks whose answers are boxes, masks, a picture, numbers: exact in float32 on every machine."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from torch import nn

from visualizer import record
from visualizer.trace import Array, Sample, Trace

SIDE = 8


def scene() -> torch.Tensor:
    """A bright block of 3 × 4 pixels on a dark ground, and a fainter one of 2 × 2; (1, 1, 8, 8)."""
    image = torch.zeros(1, 1, SIDE, SIDE)
    image[0, 0, 1:4, 1:5] = 1.0
    image[0, 0, 6:8, 6:8] = 0.5
    return image


class Finder(nn.Module):
    """Boxes by hand: one cell for each 4 × 4 pixels; its score grows with the light in it, its edges are fixed."""

    def __init__(self) -> None:
        super().__init__()
        self.light = nn.AvgPool2d(4)
        self.heads = nn.Conv2d(1, 5, 1)
        with torch.no_grad():
            self.heads.weight.copy_(torch.tensor([16.0, 0.25, 0.5, 0, 0]).reshape(5, 1, 1, 1))
            self.heads.bias.copy_(torch.tensor([-4.0, 0.125, 0, 0.5, 0.5]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.heads(self.light(x))


class Marker(nn.Module):
    """A mask: how bright a pixel and its neighbours are, against a threshold."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3, padding=1)
        with torch.no_grad():
            self.conv.weight.copy_(torch.tensor([[0, 1.0, 0], [1, 2, 1], [0, 1, 0]]).reshape(1, 1, 3, 3))
            self.conv.bias.fill_(-3.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x)


class Sorter(nn.Module):
    """A class for each pixel, by a U with one skip: none, faint or bright; drawn weights, a score for each class."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(1, 2, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.middle = nn.Conv2d(2, 2, 3, padding=1)
        self.wider = nn.Upsample(scale_factor=2)
        self.head = nn.Conv2d(4, 3, 1)
        chance = torch.Generator().manual_seed(3)
        with torch.no_grad():
            for weight in self.parameters():
                weight.copy_(torch.randint(-4, 5, weight.shape, generator=chance) / 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        fine = self.down(x)
        return self.head(torch.cat([self.wider(self.middle(self.pool(fine))), fine], 1))


class Mender(nn.Module):
    """A picture: half the input, and a quarter of the pixel above."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 1, 3, padding=1)
        with torch.no_grad():
            self.conv.weight.copy_(torch.tensor([[0, 0.25, 0], [0, 0.5, 0], [0, 0, 0]]).reshape(1, 1, 3, 3))
            self.conv.bias.zero_()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(x)


BOXES = {"kind": "boxes", "stride": 4, "score": "logit", "labels": ()}
TRUTH = np.array([[1, 1, 5, 4], [6, 6, 8, 8]], np.float64)
"""The two blocks: left, top, right, bottom."""
SAMPLE = Sample("scene", "Two blocks")


def mask_truth() -> Array:
    """The pixels of the two blocks."""
    return (scene()[0, 0].numpy() > 0).astype(np.float64)


@cache
def boxes(objective: str = "loss") -> Trace:
    """Of four cells one is sure enough: the first, which sees 9 bright pixels of 16."""
    return record.capture(Finder().eval(), scene(), TRUTH, name="finder", title="Finder", sample=SAMPLE, answer=BOXES,
                          objective=objective)


@cache
def mask(objective: str = "loss") -> Trace:
    """Logits; a pixel belongs to it where they are above 0."""
    return record.capture(Marker().eval(), scene(), mask_truth(), name="marker", title="Marker", sample=SAMPLE,
                          answer={"kind": "mask", "score": "logit"}, objective=objective)


SEGMENTS = {"kind": "segments", "ground": 0, "labels": ("none", "faint", "bright")}


def segments_truth() -> Array:
    """The fainter block is of class 1, the bright one of class 2."""
    light = scene()[0, 0].numpy()
    return np.where(light == 1, 2, np.where(light > 0, 1, 0))


@cache
def segments(objective: str = "loss") -> Trace:
    """Scores of three classes; what each pixel should be is known."""
    return record.capture(Sorter().eval(), scene(), segments_truth(), name="sorter", title="Sorter", sample=SAMPLE,
                          answer=SEGMENTS, objective=objective)


@cache
def picture(objective: str = "loss") -> Trace:
    """As an autoencoder: what it should answer is what it was given."""
    return record.capture(Mender().eval(), scene(), scene()[0].numpy(), name="mender", title="Mender", sample=SAMPLE,
                          answer={"kind": "picture"}, objective=objective)
