"""Memory: what is left of recordings that were drawn once through every view and then given up for the next one."""

from __future__ import annotations

import gc
import resource
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from tests.benchmarks import Row
from visualizer import views
from visualizer.record import capture
from visualizer.scene.picture import Look
from visualizer.scene.state import State, changed
from visualizer.trace import Trace
from visualizer.ui.store import Store

RECORDINGS = 200
ALLOWED = 24.0
"""MiB that may be there more at the end; 200 recordings of these nets and their pictures are ten times that."""


class Reader(nn.Module):
    """A recurrent layer over some steps, and an answer."""

    def __init__(self, kind: type[nn.RNNBase]) -> None:
        super().__init__()
        self.cell = kind(6, 8, batch_first=True)  # type: ignore[arg-type]
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = self.head(self.cell(x)[0][:, -1])
        return answer


def small(seed: int) -> Trace:
    """A recording of a small network: recurrent and convolutional by turns."""
    torch.manual_seed(seed)
    if seed % 2:
        return capture(Reader((nn.LSTM, nn.GRU, nn.RNN)[seed % 3]).eval(), torch.randn(1, 6, 6), 1)
    return capture(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(18, 4)).eval(),
                   torch.randn(1, 1, 8, 8), 1)


def seen(store: Store, seed: int) -> weakref.ref[Trace]:
    """The store goes on to another recording, which is drawn in every view that suits it."""
    store.update(model=f"net{seed}.pt", sample="", undoable=False)
    store.set_trace(small(seed))
    assert store.trace is not None
    times = store.timeline
    for view in views.all_views():
        if view.suits(store.trace) and set(view.studies) <= set(store.trace.studies):
            view.draw(store.trace, times.settled(len(times.beats) // 2), None, Look(size=(640, 480)))
    return weakref.ref(store.trace)


def after(number: int) -> tuple[int, float]:
    """How many of so many recordings are alive in the end, and how much more memory is taken, in MiB."""
    store = Store(changed(State(), model="net.pt"))
    for seed in range(12):
        seen(store, seed)
    gc.collect()
    start = _taken()
    found = [seen(store, seed) for seed in range(100, 100 + number)]
    gc.collect()
    return sum(one() is not None for one in found), _taken() - start


def _taken() -> float:
    """MiB of this process in memory; where that is not told, the most it ever took."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * resource.getpagesize() / (1 << 20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << (20 if sys.platform == "darwin" else 10))


def recordings() -> Iterator[Row]:
    """MiB that 200 recordings leave behind, each drawn once in every view."""
    yield Row(f"MiB after {RECORDINGS} recordings", lambda: max(after(RECORDINGS)[1], 0.0), lambda: ALLOWED,
              f"{ALLOWED:g} MiB", 1.0)
