"""Whole scenes: a view of a real network, painted; and one frame of it while it plays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from itertools import cycle

from PySide6.QtGui import QPainter

from tests.benchmarks import Row
from tests.benchmarks.grid import SCREENS, _blit, _Widget
from visualizer import paint, registry, trace, views
from visualizer.scene.picture import Look, Picture
from visualizer.scene.timeline import timeline
from visualizer.trace import Trace

MODEL = "digits_cnn"
LIMITS = {"1080p": 12.0, "4K": 5.0}


def painted() -> Iterator[Row]:
    """Every mark of a settled scene, forwards and backwards, against one blit of the same size."""
    for name, size in SCREENS.items():
        for view in views.all_views():
            if not view.suits(_trace()):
                continue
            for address, way in (("conv2.forward", "forwards"), ("conv2.backward", "backwards")):
                picture = _picture(view, address, size)
                yield Row(f"{view.name}, {way}, {name}", _painting(picture, size), _blit(size), "one full-size blit",
                          LIMITS[name], repeat=3)


def step() -> Iterator[Row]:
    """One frame in the middle of a beat with the still part kept, against painting only what moves."""
    for name, size in SCREENS.items():
        for address in ("conv2.forward", "conv2.backward"):
            phases = [_picture(views.find("network"), f"{address}@{phase / 10}", size) for phase in range(2, 9)]
            yield Row(f"network, {address}, {name}", _stepping(phases, size), _moving(phases, size),
                      "painting only its moving marks", 1.5, repeat=7)


def frames() -> Iterator[Row]:
    """Making the Picture of a moment: what a view computes for one frame, against the budget of 16 ms."""
    for view in views.all_views():
        if view.suits(_trace()):
            times = timeline(_trace())
            moments = cycle(times.at(Fraction(number, 60)) for number in range(0, int(times.seconds * 60), 7))
            look = Look(size=SCREENS["1080p"])
            yield Row(f"{view.name}, 1080p", lambda view=view, moments=moments, look=look:
                      _ignore(view.draw(_trace(), next(moments), None, look)), lambda: 16.0, "a frame of 16 ms", 1.0,
                      repeat=20)


def pixels() -> Iterator[Row]:
    """Four times the pixels cost at most four times as much, give or take a quarter."""
    small, large = SCREENS["1080p"], SCREENS["4K"]
    for view in views.all_views():
        if view.suits(_trace()):
            yield Row(f"{view.name}, 4K", _painting(_picture(view, "conv2.forward", large), large),
                      _painting(_picture(view, "conv2.forward", small), small), "the same at 1080p", 5.0, repeat=3)


@cache
def _trace() -> Trace:
    """The shipped recording of the default model: no torch in this process."""
    (path,) = registry.files("assets", f"traces/{MODEL}.trace")
    return trace.load(path)


def _picture(view: views.View, address: str, size: tuple[int, int]) -> Picture:
    return view.draw(_trace(), timeline(_trace()).find(address), None, Look(size=size))


def _painting(picture: Picture, size: tuple[int, int]) -> Callable[[], None]:
    return _Widget(size, lambda painter: paint.paint(picture, painter)).repaint


def _stepping(pictures: list[Picture], size: tuple[int, int]) -> Callable[[], None]:
    stills, order = paint.Stills(), cycle(pictures)
    return _Widget(size, lambda painter: stills.paint(next(order), painter)).repaint


def _moving(pictures: list[Picture], size: tuple[int, int]) -> Callable[[], None]:
    order = cycle(pictures)

    def draw(painter: QPainter) -> None:
        picture = next(order)
        paint.paint_marks(picture.moving, picture.theme, painter)

    return _Widget(size, draw).repaint


def _ignore(result: object) -> None:
    """Timed from outside: what was made is not a figure."""
