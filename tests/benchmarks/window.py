"""The running window: the cost of a frame, the wait after a key, and what is left of both while the engine works."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from functools import cache

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.benchmarks import Row
from visualizer import app
from visualizer.scene.state import changed

FRAME, AT_ONCE = 16.0, 100.0
"""Milliseconds: one frame at 60 a second; what a person takes for at once (Miller 1968)."""
SECONDS = 3.0
"""How long the animation is watched at a time."""


def frame() -> Iterator[Row]:
    """Every frame of the animation at 1080p, 60 a second, from moment to paint, in milliseconds of the processor: what
    else the machine does costs nothing. The slowest one in twenty counts."""
    def worst() -> float:
        joined = _app()
        store, player = joined.store, joined.player
        times, taken = store.timeline, []
        for number in range(int(times.seconds * 60)):
            moment = times.at(Fraction(number, 60))
            start = time.thread_time()
            store.apply(lambda state, at=moment.address: _moved(state, at), undoable=False)
            QApplication.processEvents()  # paints whatever the change of State made stale
            taken.append((time.thread_time() - start) * 1000)
        assert not player.running
        return _p95(taken)

    yield Row("p95 of all frames, 1920 × 1080", worst, lambda: FRAME, "a frame of 16 ms", 1.0)


def key() -> Iterator[Row]:
    """From the step key to the new picture on screen, through the network and back, in processor milliseconds."""
    def median() -> float:
        window = _app().window
        painted = _Painted(window.stage)
        QTest.keyClick(window, Qt.Key.Key_Home)
        QApplication.processEvents()
        taken = []
        for pressed in [Qt.Key.Key_Right] * 12 + [Qt.Key.Key_Left] * 12:
            painted.times.clear()
            start = time.thread_time()
            QTest.keyClick(window, pressed)
            while not painted.times:
                QApplication.processEvents()
            taken.append((time.thread_time() - start) * 1000)
        painted.forget()
        return statistics.median(taken)

    yield Row("step key to new picture, 1920 × 1080", median, lambda: AT_ONCE, "what feels immediate, 100 ms", 0.5)


def key_while_it_moves() -> Iterator[Row]:
    """From the play key to the first frame that differs, and from a step key while it plays: in processor milliseconds,
    against two frames at 60 a second."""
    def slowest(keys: tuple[Qt.Key, ...]) -> float:
        joined = _app()
        window, store = joined.window, joined.store
        taken = []
        for _ in range(8):
            store.apply(lambda state: changed(state, at="conv1.forward", playing=False), undoable=False)
            QApplication.processEvents()
            for pressed in keys:
                painted, before, start = _Painted(window.stage), window.stage.picture, time.thread_time()
                QTest.keyClick(window, pressed)
                while not painted.times or window.stage.picture == before:
                    QApplication.processEvents()
                taken.append((time.thread_time() - start) * 1000)
                painted.forget()
        store.apply(lambda state: changed(state, playing=False), undoable=False)
        return _p95(taken)

    space, right, turn = Qt.Key.Key_Space, Qt.Key.Key_Right, Qt.Key.Key_R
    for what, keys in (("play key", (space,)), ("step key while it plays", (space, right)), ("turning round", (turn,))):
        yield Row(f"{what} to first changed frame, 1920 × 1080", lambda keys=keys: slowest(keys), lambda: 2 * FRAME,
                  "two frames of 16 ms", 1.0)


def closing() -> Iterator[Row]:
    """From the cross of the window to the end of its process, the engine's too: by the clock, so on a machine that does
    nothing else."""
    def closed() -> float:
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run([sys.executable, "-c", CLOSING], env={**os.environ, "VISUALIZER_STATE": folder},
                                  capture_output=True, text=True, check=True, timeout=120)
            return 1000 * (time.time() - float(done.stdout))

    yield Row("closing", closed, lambda: CLOSED, "0.3 s", 1.0)


CLOSED = 300.0
CLOSING = """
import time
from PySide6.QtCore import QTimer
from visualizer import app
whole = app._furnished
def furnished(thing, shell):
    joined = whole(thing, shell)
    def close():
        if joined.store.report is None:  # until the engine has come, and has answered
            QTimer.singleShot(50, close)
            return
        print(time.time(), flush=True)
        shell.close()
    QTimer.singleShot(50, close)
    return joined
app._furnished = furnished
import sys
from visualizer.__main__ import run
sys.argv[1:] = ["open", "digits_cnn"]
run()
"""


def while_the_engine_works() -> Iterator[Row]:
    """Time between frames of the playing animation while the engine records one input after another, against the same
    with the engine idle. The slowest one in twenty counts."""
    joined = _app()
    engine = joined.engine
    answers: list[object] = []
    engine.answered.connect(lambda *answer: answers.append(answer))
    engine.request("record", lane="benchmark", model="lenet_mnist", sample="digit-3")
    while not answers:  # until torch is loaded
        QApplication.processEvents()

    def busy() -> float:
        working = True
        answers.clear()

        def again(*_: object) -> None:
            if working:
                engine.request("record", lane="benchmark", model="lenet_mnist", sample="digit-3")

        engine.answered.connect(again)
        again()
        taken = _intervals(joined)
        working = False
        engine.answered.disconnect(again)
        assert len(answers) > 5, "the engine did not work"
        return taken

    yield Row("p95 between frames, engine recording", busy, lambda: _intervals(joined), "the same with the engine idle",
              1.5)


class _Painted(QObject):
    """Notes when a widget has been asked to paint."""

    def __init__(self, widget: QObject) -> None:
        super().__init__(widget)
        self.times: list[float] = []
        self.widget = widget
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and watched is self.widget:
            self.widget.removeEventFilter(self)
            QApplication.sendEvent(watched, event)  # painted here, so that what follows is after the paint
            self.widget.installEventFilter(self)
            self.times.append(time.perf_counter())
            return True
        return False

    def forget(self) -> None:
        self.widget.removeEventFilter(self)


def _intervals(joined: app.App) -> float:
    """p95 of the milliseconds between paints of the playing stage."""
    from dataclasses import replace

    painted = _Painted(joined.window.stage)
    joined.store.apply(lambda state: changed(state, at="conv1.forward@0", speed=0.5, playing=True), undoable=False)
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        QApplication.processEvents()
        time.sleep(0.0005)
    joined.store.apply(lambda state: replace(state, playing=False), undoable=False)
    painted.forget()
    gaps = [(later - sooner) * 1000 for sooner, later in zip(painted.times, painted.times[1:], strict=False)]
    assert len(gaps) > 20, f"only {len(gaps)} frames in {SECONDS} s"
    return _p95(gaps)


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]


def _moved(state: object, at: str) -> object:

    return changed(state, at=at)  # type: ignore[type-var]


@cache
def _app() -> app.App:
    """One running app of 1920 × 1080 on its default model, for all of this file."""
    app.application()
    joined = app.App()
    joined.window.resize(1920, 1080)
    joined.window.show()
    while joined.store.trace is None:
        QApplication.processEvents()
    QApplication.processEvents()
    return joined
