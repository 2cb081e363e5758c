"""Films of a real network at 1080p: against real time, against drawing their frames, and against bare encoding."""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path

from tests.benchmarks import Row, Skipped
from visualizer import registry, trace
from visualizer.export import film as films
from visualizer.scene.picture import Look
from visualizer.scene.timeline import timeline

MODEL, SIZE = "digits_cnn", (1920, 1080)
HALF = 2.0
"""A film is made in at most half of the time that it plays."""
LIMITS = {"gif": 10.0, "mp4": 25.0, "webm": 25.0, "apng": 25.0, "webp": 25.0}
VIDEO = ("mp4", "webm")


def real_time() -> Iterator[Row | Skipped]:
    """How long the busier of two threads, one that draws and one that encodes, is busy, against how long it runs."""
    for name in VIDEO:
        form, film = _form(name), _film()
        if form.missing():
            yield Skipped(f"{name}, 1080p, 30 frames a second", form.missing())
            continue
        yield Row(f"{name}, 1080p, 30 frames a second", _busier(_making(name)),
                  lambda film=film: 1000 * float(film.seconds), "playing it", HALF, at_least=True)


def drawing() -> Iterator[Row | Skipped]:
    """Making a film, against drawing its frames and keeping none."""
    for name, limit in LIMITS.items():
        if missing := _form(name).missing():
            yield Skipped(f"{name}, 1080p", missing)
        else:
            yield Row(f"{name}, 1080p", _making(name), _drawing, "drawing the frames", limit)


def encoding() -> Iterator[Row | Skipped]:
    """Making a film, against encoding frames that are ready: what drawing them costs on top."""
    for name in ("gif", *VIDEO):
        if missing := _form(name).missing():
            yield Skipped(f"{name}, 1080p", missing)
        else:
            yield Row(f"{name}, 1080p", _making(name), _encoding(name), "bare encoding", 2.0)


@cache
def _film() -> films.Film:
    """Two beats: the shipped recording of the default model, no torch in this process."""
    (path,) = registry.files("assets", f"traces/{MODEL}.trace")
    recorded = trace.load(path)
    start, end = films.between(timeline(recorded), "pool1", "conv2")
    return films.Film(recorded, look=Look(size=SIZE), start=start, end=end, fps=Fraction(30))


def _form(name: str) -> films.FilmFormat:
    return next(form for form in films.formats() if form.name == name)


def _making(name: str) -> Callable[[], None]:
    def make() -> None:
        with tempfile.TemporaryDirectory() as folder:
            films.save(_film(), Path(folder) / f"a.{name}")

    return make


def _busier(work: Callable[[], None]) -> Callable[[], float]:
    """Processor time of the thread that draws or of the one that encodes: what a film takes where each has a core
    to itself."""
    def timed() -> float:
        everything, drawing = time.process_time(), time.thread_time()
        work()
        drawing = time.thread_time() - drawing
        return 1000 * max(drawing, time.process_time() - everything - drawing)

    return timed


def _drawing() -> None:
    for _ in films.frames(_film()):
        pass


def _encoding(name: str) -> Callable[[], None]:
    """The frames are drawn the first time; the benchmark runs everything once before it measures."""
    ready = cache(lambda: list(films.frames(_film())))
    module = registry.module(f"export.film.{name}")
    prepared = getattr(module, "converted", iter)
    return lambda: module.encode(io.BytesIO(), _film(), prepared(iter(ready())))
