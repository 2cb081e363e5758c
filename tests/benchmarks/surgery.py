"""What surgery costs: from an edit to the answer, the loss and the picture, against plain passes of the network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count

import torch

from tests.benchmarks import Measured, Row
from visualizer.engine import requests
from visualizer.record.run import given_of, prepared
from visualizer.scene.picture import Look
from visualizer.scene.timeline import timeline
from visualizer.views import find

NETWORKS = ("digits_cnn", "rows_lstm", "mlp_mnist", "sentiment_gru", "digits_caption")
ANSWER, PICTURE = 30.0, 30.0
"""So many times a plain pass forwards and backwards."""


def to_the_answer() -> Iterator[Row]:
    """Another weight, and the network is recorded with its loss and answers, before and after."""
    for name in NETWORKS:
        record = _recorded(name)
        yield Row(f"{name}: from a weight to loss and answers", lambda record=record: record() and None, _plain(name),
                  "forwards and backwards", ANSWER, repeat=3)


def to_the_picture() -> Iterator[Row]:
    """And the whole picture of it is laid out."""
    for name in NETWORKS[:2]:
        yield Row(f"{name}: from a weight to the picture", _drawn(name), _plain(name), "forwards and backwards",
                  PICTURE, repeat=3)


def _recorded(name: str) -> Callable[[], object]:
    opened = requests._opened(*requests._source(name, ()))
    parameter, held = next(iter(opened.module.named_parameters()))
    place, numbers = ",".join("0" for _ in held.shape), count()

    def run() -> object:
        word = f"weight:{parameter}:{place}={next(numbers) / 1000:.3f}"
        return requests.record(check=False, studies=("surgery",), model=name, sample="", edits=(word,))["trace"]

    run()
    return run


def _drawn(name: str) -> Measured:
    record, view = _recorded(name), find("surgery")
    assert view.telling is not None

    def run() -> None:
        trace = record()
        times = timeline(trace)  # type: ignore[arg-type]
        view.draw(trace, times.find(view.telling(trace, times)), None, Look())  # type: ignore[arg-type, misc]

    return run


def _plain(name: str) -> Measured:
    opened = requests._opened(*requests._source(name, ()))
    x = prepared(opened, given_of(opened, "").raw)

    def run() -> None:
        with torch.enable_grad():
            out = opened.module(*(x if isinstance(x, tuple) else (x,)))
            first = out if isinstance(out, torch.Tensor) else next(each for each in out if isinstance(
                each, torch.Tensor))
            first.sum().backward()
        opened.module.zero_grad(set_to_none=True)

    return run
