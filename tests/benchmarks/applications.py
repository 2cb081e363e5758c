"""Applications: pixels that take on a style against a plain loop, and a step in each of the views that tell of one."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import torch
from PIL import Image as Pictures

from tests.benchmarks import Row
from tests.benchmarks.grid import _Widget
from visualizer import record, registry, sight, views
from visualizer.paint import Stills
from visualizer.scene.picture import Look
from visualizer.scene.state import Place
from visualizer.trace import Trace

SIZE = (1920, 1080)
SEEN = {"class_map": "photos_cnn", "detect": "scene_detector", "segment": "scene_segments", "generate": "digits_vae",
        "restyle": "photos_cnn", "translate": "spelling_sounds", "attention": "numbers_german",
        "listen": "spoken_digits", "caption": "digits_caption", "forecast": "sunspots_lstm", "frames": "dot_video"}
"""View: a network that it tells of."""


def style() -> Iterator[Row]:
    """200 updates, with every picture, Gram matrix and gradient kept."""
    sys.path.append(str(registry.folder("models")))
    from _style import shades, updates  # type: ignore[import-not-found]

    again = record.pass_of("photos_cnn")
    with Pictures.open(registry.folder("assets") / "style" / "photographs.png") as sheet:
        wide = sheet.width // 4
        content, texture = (shades(np.asarray(sheet.crop((left, 0, left + wide, sheet.height)))) for left in (0, wide))

    def study() -> None:
        record.with_study(again, "style")

    def plain() -> None:
        torch.set_num_threads(1)
        for _ in updates(again.model, content, texture):
            pass

    yield Row("200 updates of 96 × 96 pixels, all kept", study, plain, "the plain loop", 2.0)


def steps() -> Iterator[Row]:
    """The slowest of twenty beats forward in each view, drawn anew and painted."""
    for name, model in SEEN.items():
        yield Row(f"a step in {name} ({model}), 1080p", _slowest(name, model), lambda: 16.0, "16 ms", 1.0)


@cache
def _trace(name: str, model: str) -> Trace:
    again, look = record.pass_of(model), Look()
    return record.with_study(again, *views.find(name).measured(look)) if views.find(name).studies else again.trace


def _slowest(name: str, model: str) -> Callable[[], float]:
    trace, view = _trace(name, model), views.find(name)
    times, look = sight.times(trace, Place(view=name)), replace(Look(), size=SIZE)
    forward = [index for index, beat in enumerate(times.beats) if beat.direction == "forward"]
    chosen = forward[::max(1, len(forward) // 20)][:20]
    shown = [views.picture(view, trace, times.settled(chosen[0]), None, look)]
    stills = Stills()
    widget = _Widget(SIZE, lambda painter: stills.paint(shown[-1], painter, moves=True))

    def walk() -> float:
        taken = []
        for index in chosen:
            start = time.thread_time()
            shown[:] = [views.picture(view, trace, times.settled(index), None, look)]
            widget.repaint()
            taken.append((time.thread_time() - start) * 1000)
        return max(taken)

    return walk
