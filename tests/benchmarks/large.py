"""Large networks: a ResNet-50 at 224 × 224, recorded, handed to the window, and looked at."""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import torch
from PySide6.QtGui import QPainter
from torch.nn import functional as F

from tests import large
from tests.benchmarks import Row
from tests.benchmarks.grid import _Widget
from visualizer import views
from visualizer.engine import shared
from visualizer.engine.protocol import ANSWERED, Message, pack, unpack
from visualizer.paint import Stills
from visualizer.record import capture
from visualizer.scene.picture import Look, Picture
from visualizer.scene.timeline import Moment, timeline
from visualizer.trace import Trace, apart, together

SIZE = (1600, 900)
FIRST, KEY, FRAME = 1000.0, 100.0, 33.0
"""Milliseconds: until the first picture is there; what feels immediate; a frame at 30 a second."""


def recorded() -> Iterator[Row]:
    """All of it recorded, forwards and backwards, against a plain pass of both."""
    torch.set_num_threads(1)
    model, x, target = large.resnet50()

    def plain() -> None:
        F.cross_entropy(model(x.clone().requires_grad_()), torch.tensor([target])).backward()
        model.zero_grad(set_to_none=True)

    yield Row("recording ResNet-50", lambda: _ignore(capture(model, x, target)), plain, "a plain pass", 2.5)


def crossing() -> Iterator[Row]:
    """From the engine to the window in a shared file, against one copy of all its numbers."""
    trace = _trace()
    arrays = list(apart(trace)[1].values())
    with tempfile.TemporaryDirectory(dir=shared.IN_MEMORY if shared.IN_MEMORY.is_dir() else None) as folder:
        shared.write_into(Path(folder))
        try:
            def over() -> None:
                _, words, *pieces = pack(Message(ANSWERED, 1, value=trace))
                assert unpack(words, b"".join(pieces), Path(folder)).value.layers

            yield Row("handing over ResNet-50", over, lambda: _ignore([array.copy() for array in arrays]),
                      "one copy of its numbers", 3.0)
        finally:
            shared.write_into(None)


def looked_at() -> Iterator[Row]:
    """The first picture of a recording that nobody has looked at, the next beat, and the slowest of twenty frames with
    its paint: processor milliseconds."""
    for name in ("network", "feature_maps", "microscope"):
        yield Row(f"first picture, {name}", _first(name), lambda: FIRST, "1 s", 1.0)
        yield Row(f"the next beat, {name}", _beats(name), lambda: KEY, "what feels immediate, 100 ms", 1.0)
        yield Row(f"the slowest of twenty frames, {name}", _frames(name), lambda: FRAME, "a frame of 33 ms", 1.0)


@cache
def _trace() -> Trace:
    torch.set_num_threads(1)
    model, x, target = large.resnet50()
    return capture(model, x, target, name="resnet50")


def _anew() -> Trace:
    """The same numbers, of which nothing has been worked out."""
    header, arrays = apart(_trace())
    return together(json.loads(json.dumps(header)), arrays)


def _first(name: str) -> Callable[[], float]:
    def measured() -> float:
        trace, view = _anew(), views.find(name)
        start = time.thread_time()
        view.draw(trace, timeline(trace).settled(0), None, Look(size=SIZE))
        return (time.thread_time() - start) * 1000

    return measured


def _beats(name: str) -> Callable[[], float]:
    """The median of beats that nobody has looked at before, spread over both directions."""
    def measured() -> float:
        trace, view = _anew(), views.find(name)
        times, taken = timeline(trace), []
        view.draw(trace, times.settled(0), None, Look(size=SIZE))
        for index in np.linspace(1, len(times.beats) - 1, 15).astype(int).tolist():
            start = time.thread_time()
            view.draw(trace, times.settled(index), None, Look(size=SIZE))
            taken.append((time.thread_time() - start) * 1000)
        return statistics.median(taken)

    return measured


def _frames(name: str) -> Callable[[], float]:
    trace, view, stills = _trace(), views.find(name), Stills()
    beats = timeline(trace).beats
    shown: list[Picture] = [view.draw(trace, timeline(trace).settled(0), None, Look(size=SIZE))]

    def draw(painter: QPainter) -> None:
        stills.paint(shown[-1], painter, moves=True)

    widget = _Widget(SIZE, draw)

    def measured() -> float:
        taken = []
        for index in (len(beats) // 4, len(beats) * 2 // 5, len(beats) * 3 // 4):
            for phase in np.linspace(0, 1, 24).tolist():
                start = time.thread_time()
                shown[:] = [views.picture(view, trace, Moment(beats[index], phase, index), None, Look(size=SIZE))]
                widget.repaint()
                taken.append((time.thread_time() - start) * 1000)
        return statistics.quantiles(taken, n=20)[-1]

    return measured


def _ignore(result: object) -> None:
    """Timed from outside: what was made is not a figure."""
