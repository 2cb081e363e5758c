"""From input to input in the window: the wait after the key, and the cost of a frame on the way."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from functools import cache

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.benchmarks import Row
from visualizer import app, registry
from visualizer.scene.state import State, changed, to_input
from visualizer.ui.store import Recording, Store
from visualizer.ui.window import Window

FRAME, STEP = 16.0, 50.0
"""Milliseconds: one frame at 60 a second, and within which a step has to show."""
FRAMES = 24
"""Of a way of 0.4 s at 60 a second."""
SEEN = (("digits_cnn", "network", ("digit-2148", "digit-3", "digit-4", "digit-18")),
        ("rows_lstm", "unrolled", ("digit-2148", "digit-3", "digit-4", "digit-18")),
        ("char_lstm", "unrolled", ("sea-change", "five-fathom", "ding-dong", "dark-backward")))
"""Networks, how they are seen, and inputs of which each but the first has been recorded ahead."""


def step() -> Iterator[Row]:
    """From the key to the first changed frame at 1080p, the next input being recorded ahead, in processor milliseconds:
    the median of steps there and back, of recordings that nothing was drawn of before."""
    for model, view, names in SEEN:
        def median(model: str = model, view: str = view, names: tuple[str, ...] = names) -> float:
            window, _ = _opened(model, view, names)
            taken = []
            for _ in names[1:]:
                start = time.thread_time()
                QTest.keyClick(window, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
                QApplication.processEvents()  # paints the first frame of the way
                taken.append((time.thread_time() - start) * 1000)
            assert window.store.state.sample == names[-1]
            assert not window.store.waiting
            window.close()
            return statistics.median(taken)

        yield Row(f"{model}, {view}", median, lambda: STEP, "50 ms", 1.0)


def way() -> Iterator[Row]:
    """Every frame on the way to the next input at 1080p, 60 a second, picture and paint, in processor milliseconds. The
    slowest one in twenty counts."""
    for model, view, names in SEEN:
        def worst(model: str = model, view: str = view, names: tuple[str, ...] = names) -> float:
            window, ways = _opened(model, view, names)
            taken = []
            for _ in names[1:]:
                QTest.keyClick(window, Qt.Key.Key_Right, Qt.KeyboardModifier.ControlModifier)
                QApplication.processEvents()
                for number in range(1, FRAMES):
                    start = time.thread_time()
                    ways[-1](number / FRAMES)
                    QApplication.processEvents()
                    taken.append((time.thread_time() - start) * 1000)
                ways[-1](1.0)
            window.close()
            return statistics.quantiles(taken, n=20)[-1]

        yield Row(f"p95 of all frames, {model}, {view}", worst, lambda: FRAME, "a frame of 16 ms", 1.0)


def _opened(model: str, view: str, names: tuple[str, ...]) -> tuple[Window, list[Callable[[float], None]]]:
    """A window on the first input, all others recorded ahead; and the ways that it went, to be told how far."""
    first = changed(State(), model=model, sample=names[0], view=view)
    store = Store(first, _recorded(model, names[0]))
    recipes = [to_input(first, name).recipe for name in names[1:]]
    store.expect(recipes)
    for recipe, name in zip(recipes, names[1:], strict=True):
        store.hold_ahead(recipe, Recording(_recorded(model, name)))
    store.wants_trace.connect(lambda state: store.set_trace(store.kept(state.recipe).trace, None, state))
    app.application()
    window = Window(store)
    ways: list[Callable[[float], None]] = []

    def glide(owner: object, seconds: float, told: Callable[[float], None]) -> None:
        ways.append(told)
        told(1 / FRAMES)

    window.stage.glide = glide
    window.resize(1920, 1080)
    window.show()
    QApplication.processEvents()
    QApplication.processEvents()
    return window, ways


@cache
def _bytes(model: str, name: str) -> bytes:
    return registry.module("record").record(model, name).to_bytes(False)


def _recorded(model: str, name: str) -> object:
    """A recording of which nothing has been worked out yet, as it comes from the engine."""
    return registry.module("trace").from_bytes(_bytes(model, name))
