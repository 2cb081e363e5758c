"""The laboratory: from a turned knob to the new picture, what measuring costs, and frames while a knob is swept."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Iterator

import torch
from PySide6.QtCore import QEventLoop
from PySide6.QtWidgets import QApplication
from torch import nn

from tests.benchmarks import Row
from tests.benchmarks.window import AT_ONCE, _app, _intervals, _Painted
from visualizer.lab import FEATURES, SEEDS, UNITS, Lab
from visualizer.record import gradients
from visualizer.scene import state as does

STEPS = 100
WAITING = QEventLoop.ProcessEventsFlag.WaitForMoreEvents
"""As the window's own loop does: asking again and again would take the processor from the thread that reads."""
_values = itertools.cycle(number / 1000 for number in range(200, 1999, 7))
"""No setting twice within one run: what was measured before is kept."""


def knob() -> Iterator[Row]:
    """From a turned knob to the new picture on screen, the engine warm: 100 steps of 64 units, three cells, 5 seeds."""
    def turned(name: str) -> float:
        joined = _laboratory()
        store, painted, taken = joined.store, _Painted(joined.window.stage), []
        for value in itertools.islice(_values, 15):
            came: list[float] = []
            store.trace_changed.connect(lambda trace, came=came: came.append(time.perf_counter()))
            start = time.perf_counter()
            store.apply(lambda state, value=value: does.turn_lab(state, name, f"{value:.3f}"))
            while not (came and painted.times and painted.times[-1] > came[0]):
                QApplication.processEvents(WAITING)
            taken.append((painted.times[-1] - start) * 1000)
        painted.forget()
        return statistics.median(taken)

    for name, moves in (("input", "all cells"), ("gain", "the RNN")):
        yield Row(f"knob that moves {moves} to picture, 1920 × 1080", lambda name=name: turned(name),  # type: ignore[misc]
                  lambda: AT_ONCE, "what feels immediate, 100 ms", 1.0)


def measuring() -> Iterator[Row]:
    """All curves of three cells and five seeds, against running the same cells forwards and back by torch."""
    read = torch.randn(SEEDS, STEPS, FEATURES, dtype=torch.float64)
    cells = [kind(FEATURES, UNITS, batch_first=True, dtype=torch.float64) for kind in (nn.RNN, nn.GRU, nn.LSTM)]

    def plain() -> None:
        for seed in range(SEEDS):  # every seed has weights of its own, so they do not share a batch
            for cell in cells:
                cell.zero_grad()
                cell(read[seed:seed + 1])[0][:, -1].sum().backward()

    def measured() -> None:
        gradients.measure(Lab(steps=STEPS, input=next(_values)))

    yield Row("measuring 3 cells, 5 seeds, 100 × 64", measured, plain, "a plain forward and backward pass of them", 1.5,
              repeat=3)


def while_a_knob_is_swept() -> Iterator[Row]:
    """Time between frames of the playing animation while a sweep streams its progress. The slowest one in twenty
    counts."""
    joined = _laboratory()

    def busy() -> float:
        told: list[float] = []
        joined.engine.progress.connect(lambda number, share, words: told.append(share))
        joined.recorder.sweep("gain")
        taken = _intervals(joined)
        if joined.recorder.sweeping:
            joined.recorder.sweep("gain")
        assert told, "nothing was swept"
        return taken

    yield Row("p95 between frames, knob swept", busy, lambda: _intervals(joined), "the same with the engine idle", 1.5)


def _laboratory():  # type: ignore[no-untyped-def]
    """The running app in the laboratory at 100 steps, its recording there."""
    joined = _app()
    store = joined.store
    if not store.state.in_lab:
        store.apply(lambda state: does.turn_lab(does.enter_lab(state), "steps", str(STEPS)))
    while store.waiting:
        QApplication.processEvents()
    return joined
