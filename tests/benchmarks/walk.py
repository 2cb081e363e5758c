"""The microscope: opening a card, adding a term, dragging over a map; each from the choice to the painted pixels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from time import process_time

import numpy as np
from PySide6.QtGui import QImage, QPainter

from tests.benchmarks import Row
from tests.benchmarks.grid import SCREENS, _app, _blit
from tests.benchmarks.scene import _trace
from visualizer import paint, views
from visualizer.scene.picture import Focus, Look
from visualizer.scene.timeline import timeline

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


def _opened() -> Choices:
    """A pixel of another layer each time, forwards and backwards."""
    visited = product(("conv2", "conv1", "pool1", "relu2"), ("forward", "backward"))
    return [(f"{layer}.{way}", Focus(layer, (index % 6, 2 + index % 3, 3)))
            for index, (layer, way) in enumerate(visited)]


def _terms() -> Choices:
    return [(f"conv2.forward@{step / 56:.9g}", Focus("conv2", (7, 3, 5))) for step in range(1, 56)]


def _dragged() -> Choices:
    return [("conv1.forward", Focus("conv1", (2, row, column))) for row in range(28) for column in range(0, 28, 3)]


def _one(address: str, focus: Focus, image: QImage) -> None:
    picture = views.find("walk").draw(_trace(), timeline(_trace()).find(address), focus, Look(size=SIZE))
    with QPainter(image) as painter:
        paint.paint(picture, painter)


def _slowest(choices: Choices) -> Callable[[], float]:
    """p95 in processor time: the slowest but one of twenty, after each was done once."""
    image = QImage(*SIZE, QImage.Format.Format_RGB32)

    for choice in choices[:20]:  # fonts and palettes are made once
        _one(*choice, image)

    def run() -> float:
        taken = []
        for index in range(20):
            start = process_time()
            _one(*choices[index * 7 % len(choices)], image)
            taken.append(1000 * (process_time() - start))
        return float(np.percentile(taken, 95))

    return run


def _usual(choices: Choices) -> Callable[[], None]:
    image = QImage(*SIZE, QImage.Format.Format_RGB32)
    left = iter(choices * 50)
    return lambda: _one(*next(left), image)
