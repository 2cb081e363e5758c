"""The laboratory: from a turned knob to the new picture, what measuring costs, and frames while a knob is swept."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Iterator

import torch
from PySide6.QtWidgets import QApplication
from torch import nn

from tests.benchmarks import Row
from tests.benchmarks.window import AT_ONCE, _app, _intervals, _Painted
from visualizer.lab import FEATURES, SEEDS, UNITS, Lab
from visualizer.record import gradients
from visualizer.scene import state as does

STEPS = 100
_gains = itertools.cycle(number / 100 for number in range(50, 150))
"""No setting twice within one run: what was measured before is kept."""


def knob() -> Iterator[Row]:
    """From a turned knob to the new picture on screen, the engine warm: 100 steps of 64 units, three cells, 5 seeds."""
    def turned() -> float:
        joined = _laboratory()
        store, painted, taken = joined.store, _Painted(joined.window.stage), []
        for gain in itertools.islice(_gains, 15):
            shown = store.trace
            start = time.perf_counter()
            store.apply(lambda state, gain=gain: does.turn_lab(state, "gain", f"{gain:.2f}"))
            while store.trace is shown:
                QApplication.processEvents()
            painted.times.clear()
            while not painted.times:
                QApplication.processEvents()
            taken.append((painted.times[-1] - start) * 1000)
        painted.forget()
        return statistics.median(taken)

    yield Row("knob to picture, 1920 × 1080", turned, lambda: AT_ONCE, "what feels immediate, 100 ms", 1.0)


def measuring() -> Iterator[Row]:
    """All curves of three cells and five seeds, against running the same cells forwards and back by torch alone."""
    read = torch.randn(SEEDS, STEPS, FEATURES, dtype=torch.float64)
    cells = [kind(FEATURES, UNITS, batch_first=True, dtype=torch.float64) for kind in (nn.RNN, nn.GRU, nn.LSTM)]

    def plain() -> None:
        for seed in range(SEEDS):  # every seed has weights of its own, so they do not share a batch
            for cell in cells:
                cell.zero_grad()
                cell(read[seed:seed + 1])[0][:, -1].sum().backward()

    def measured() -> None:
        gradients.measure(Lab(steps=STEPS, gain=next(_gains)))

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
    if store.state.model != "lab":
        store.apply(lambda state: does.turn_lab(does.enter_lab(state), "steps", str(STEPS)))
    while store.waiting:
        QApplication.processEvents()
    return joined
