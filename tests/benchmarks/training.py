"""What it costs to train here, against a plain loop of PyTorch on the same rows; and what it costs the window."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

import torch
from PySide6.QtWidgets import QApplication

from tests.benchmarks import Row
from visualizer import app
from visualizer.record import training
from visualizer.record.catalog import source_of
from visualizer.scene.state import changed
from visualizer.train import course_of

EVERY = 60
SECONDS = 3.0
"""How long the cursor is dragged at a time."""
MODELS = ("digits_cnn", "mlp_small", "rows_lstm", "recall_rnn")


def updates() -> Iterator[Row]:
    """Sixty updates: at least 0.85 as fast as the plain loop where nothing is watched, 0.6 where everything is."""
    torch.set_num_threads(1)
    for model in MODELS:
        yield Row(f"{model}, nothing watched", _trained(model, False), _plain(model), "the plain loop", 0.85, True)
        yield Row(f"{model}, everything watched", _trained(model, True), _plain(model), "the plain loop", 0.6, True)


def frames() -> Iterator[Row]:
    """Every frame while the cursor is dragged over the film, and what comes in between, in milliseconds of the
    processor: while the engine trains, against the same with the engine idle. The slowest one in twenty counts."""
    app.application()
    joined = app.App()
    joined.window.resize(1600, 900)
    joined.window.show()
    _wait(lambda: joined.store.trace is not None and not joined.store.waiting)
    joined.store.update(view="training")
    _wait(lambda: joined.training.film is not None and bool(joined.training.taught[1]))
    training = joined.training
    training.anew()

    def busy() -> float:
        training.train()
        before = training.film.last
        _wait(lambda: training.film.last > max(before, 200))
        found, made = _dragged(joined), training.film.last - before
        training.pause()
        _wait(lambda: training.under_way is None)
        assert made > 10, "the engine did not train"
        return found

    yield Row("p95 of frames, engine training", busy, lambda: _dragged(joined), "the same with the engine idle", 1.5)


def _dragged(joined: app.App) -> float:
    """p95 of the milliseconds of the processor from one place of the cursor to the next, painted."""
    taken, store = [], joined.store
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end:
        beats = store.timeline.beats
        start = time.thread_time()
        at = beats[len(taken) % max(1, len(beats) - 2)].address
        store.apply(lambda state, at=at: changed(state, at=at), undoable=False)  # type: ignore[misc]
        QApplication.processEvents()
        taken.append((time.thread_time() - start) * 1000)
    return statistics.quantiles(taken, n=20)[-1]


def _wait(until: Callable[[], bool]) -> None:
    """Until it is so; benchmarks fail after a minute."""
    end = time.perf_counter() + 60
    while not until():
        QApplication.processEvents()
        time.sleep(0.002)
        assert time.perf_counter() < end, "it never came"


def _plain(model: str) -> Callable[[], None]:
    source = source_of(model)
    live, task, net = source.live, source.live.task(source.prepare, None), source.build()
    optimiser = torch.optim.Adam(net.parameters(), live.rate)
    step = 1000

    def loop() -> None:
        nonlocal step
        for _ in range(EVERY):
            x, wanted = task.batch(0, step, live.batch)
            loss = task.loss(net(x), wanted)
            optimiser.zero_grad()
            loss.backward()
            if live.clip:
                torch.nn.utils.clip_grad_norm_(net.parameters(), live.clip)
            optimiser.step()
            loss.item()
            step += 1

    return loop


def _trained(model: str, watched: bool) -> Callable[[], None]:
    """The same from update 1,000 on, where the next checkpoints lie far apart, as for most of a training."""
    run, learner = training.begin(model, course_of({}, training.taught(model)[0]))
    learner.step = 1000

    def loop() -> None:
        for _ in training.advance(run, learner, learner.step + EVERY, watched):
            pass

    return loop
