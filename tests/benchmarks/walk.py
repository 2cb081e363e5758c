"""The microscope: opening a card, adding a term, dragging over a map; each from the choice to the painted pixels."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import cache
from itertools import cycle, product
from time import process_time

import numpy as np
import torch
from PySide6.QtGui import QImage, QPainter
from torch import nn

from tests.benchmarks import Row
from tests.benchmarks.grid import SCREENS, _app, _blit
from tests.benchmarks.scene import _trace
from visualizer import paint, record, views
from visualizer.scene.picture import Focus, Look
from visualizer.scene.timeline import timeline
from visualizer.trace import Trace

SIZE = SCREENS["1080p"]
FRAME = 16.0
"""Milliseconds."""
Choices = list[tuple[str, Focus]]
"""Address of a moment, and what is looked at."""


def cards() -> Iterator[Row]:
    """Slowest of twenty of each against a frame of 16 ms, and the usual one against one full-size blit."""
    _app()
    for what, choices in (("opening a card", _opened()), ("one term more", _terms()),
                          ("dragging over 28 × 28", _dragged())):
        yield Row(f"{what}, slowest of twenty, 1080p", _slowest(choices), lambda: FRAME, "a frame of 16 ms", 1.0)
        yield Row(f"{what}, 1080p", _usual(choices), _blit(SIZE), "one full-size blit", 40.0, repeat=5)


def gates() -> Iterator[Row]:
    """The card of a gate of 128 + 128 terms, forwards and turned over: its slowest of twenty against one blit."""
    _app()
    for what, way in (("the card of a gate", "forward"), ("a gate turned over", "backward")):
        opened = [(f"rnn.{way}[{2 + index % 30}]", Focus("rnn", (1 + index % 30, index * 5 % 128), f"inner.{gate}"))
                  for index, gate in enumerate(("forget", "input", "candidate", "output_gate") * 5)]
        yield Row(f"{what} of 128 + 128 terms, slowest of twenty, 1080p", _slowest(opened, _lstm()), lambda: FRAME,
                  "a frame of 16 ms", 1.0)
        yield Row(f"{what} of 128 + 128 terms, 1080p", _usual(opened, _lstm()), _blit(SIZE), "one full-size blit", 40.0,
                  repeat=5)
    filling = [(f"rnn.forward[12]@{(2 + step / 16) / 5:.9g}", Focus("rnn", (11, 29), "inner.forget"))
               for step in range(1, 17)]
    yield Row("one term more of a gate, 1080p", _usual(filling, _lstm()), _blit(SIZE), "one full-size blit", 40.0,
              repeat=5)


@cache
def _lstm() -> Trace:
    """An LSTM of 128 units that reads 128 numbers a step, for 32 steps."""
    torch.manual_seed(1)
    model = nn.Sequential(OrderedDict(rnn=nn.LSTM(128, 128, batch_first=True), take=_Outputs(), fc=nn.Linear(128, 10)))
    return record.capture(model, torch.randn(1, 32, 128), target=1)


class _Outputs(nn.Module):
    """The last of all outputs of a recurrent module."""

    def forward(self, read: tuple[torch.Tensor, object]) -> torch.Tensor:
        return read[0][:, -1]


def _opened() -> Choices:
    """A pixel of another layer each time, forwards and backwards."""
    visited = product(("conv2", "conv1", "pool1", "relu2"), ("forward", "backward"))
    return [(f"{layer}.{way}", Focus(layer, (index % 6, 2 + index % 3, 3)))
            for index, (layer, way) in enumerate(visited)]


def _terms() -> Choices:
    return [(f"conv2.forward@{step / 56:.9g}", Focus("conv2", (7, 3, 5))) for step in range(1, 56)]


def _dragged() -> Choices:
    return [("conv1.forward", Focus("conv1", (2, row, column))) for row in range(28) for column in range(0, 28, 3)]


def _one(trace: Trace, address: str, focus: Focus, image: QImage) -> None:
    picture = views.find("microscope").draw(trace, timeline(trace).find(address), focus, Look(size=SIZE))
    with QPainter(image) as painter:
        paint.paint(picture, painter)


def _slowest(choices: Choices, of: Trace | None = None) -> Callable[[], float]:
    """p95 in processor time: the slowest but one of twenty, after each was done once."""
    image, trace = QImage(*SIZE, QImage.Format.Format_RGB32), of or _trace()

    for choice in choices[:20]:  # fonts and palettes are made once
        _one(trace, *choice, image)

    def run() -> float:
        taken = []
        for index in range(20):
            start = process_time()
            _one(trace, *choices[index * 7 % len(choices)], image)
            taken.append(1000 * (process_time() - start))
        return float(np.percentile(taken, 95))

    return run


def _usual(choices: Choices, of: Trace | None = None) -> Callable[[], None]:
    image, trace = QImage(*SIZE, QImage.Format.Format_RGB32), of or _trace()
    left = cycle(choices)
    return lambda: _one(trace, *next(left), image)
