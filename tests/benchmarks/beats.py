"""Motion: every kind of beat of the bundled networks, frame by frame, from the moment to the painted pixels."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from PySide6.QtGui import QPainter

from tests.benchmarks import Row
from tests.benchmarks.grid import SCREENS, _Widget
from visualizer import record, registry, sight, views
from visualizer.lab import Lab
from visualizer.paint import Stills
from visualizer.record.lab import record_lab
from visualizer.scene.picture import Look, Picture
from visualizer.scene.state import Place
from visualizer.scene.timeline import Moment, Timeline
from visualizer.trace import Trace

LIMITS = {"1080p": 12.0, "4K": 5.0}
FRAMES = 24
"""So many frames of each beat are looked at, evenly from its beginning to its end."""
SEEN_IN = ("network", "unrolled", "diagram", "microscope", "gradient_flow")
"""The views that move, as far as there are any of that name."""


@dataclass(frozen=True)
class Beat:
    """One beat of one network, seen in one view."""

    model: str
    view: str
    index: int
    kind: str
    """What computes there, and in which direction: the same kind is measured once in each view."""


def frames() -> Iterator[Row]:
    """The slowest of twenty frames, picture and paint, of every kind of beat, against one blit of the same size."""
    for name, size in SCREENS.items():
        blit = _blitting(size)
        for beat in beats():
            yield Row(f"{beat.kind} in {beat.view} ({beat.model}), {name}", _walking(beat, size), blit,
                      "one full-size blit", LIMITS[name])


@cache
def beats() -> tuple[Beat, ...]:
    """The first beat of its kind, in each view that moves."""
    found: dict[tuple[str, str], Beat] = {}
    for model in (*sorted(path.stem for path in registry.folder("models").glob("[!_]*.py")), "lab"):
        trace = _trace(model)
        for view in views.all_views():
            if view.name not in SEEN_IN or not view.suits(trace) or (view.name == "gradient_flow") != (model == "lab"):
                continue
            times = _times(model, view.name)
            for index, beat in enumerate(times.beats):
                kind = f"{'laboratory' if model == 'lab' else trace[beat.layer].kind} {beat.direction}"
                found.setdefault((view.name, kind), Beat(model, view.name, index, kind))
    return tuple(found.values())


@cache
def _trace(model: str) -> Trace:
    return record_lab(Lab()) if model == "lab" else record.pass_of(model, "", objective="loss").trace


@cache
def _times(model: str, view: str) -> Timeline:
    return sight.times(_trace(model), Place(view=view))


def _walking(beat: Beat, size: tuple[int, int]) -> Callable[[], float]:
    """p95 in milliseconds of the processor of the frames of a beat, one after the other as they play."""
    trace, times, view = _trace(beat.model), _times(beat.model, beat.view), views.find(beat.view)
    moments = [Moment(times.beats[beat.index], float(phase), beat.index) for phase in np.linspace(0, 1, FRAMES)]
    stills, look = Stills(), Look(size=size)
    shown: list[Picture] = [views.picture(view, trace, moments[0], None, look)]
    widget = _Widget(size, lambda painter: stills.paint(shown[-1], painter, moves=True))

    def walk() -> float:
        taken = []
        for moment in moments:
            start = time.thread_time()
            shown[:] = [views.picture(view, trace, moment, None, look)]
            widget.repaint()
            taken.append((time.thread_time() - start) * 1000)
        return statistics.quantiles(taken, n=20)[-1]

    return walk


def _blitting(size: tuple[int, int]) -> Callable[[], float]:
    """The median in milliseconds of drawing one ready image of that size."""
    from PySide6.QtGui import QImage

    ready = QImage(*size, QImage.Format.Format_RGB32)
    ready.fill(0x336699)

    def draw(painter: QPainter) -> None:
        painter.drawImage(0, 0, ready)

    widget = _Widget(size, draw)

    def measured() -> float:
        taken = []
        for _ in range(9):
            start = time.thread_time()
            widget.repaint()
            taken.append((time.thread_time() - start) * 1000)
        return statistics.median(taken)

    return measured
