"""What it costs to train here, against a plain loop of PyTorch on the same rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch

from tests.benchmarks import Row
from visualizer.record import training
from visualizer.record.catalog import source_of
from visualizer.train import course_of

EVERY = 60
MODELS = ("digits_cnn", "mlp_small", "rows_lstm", "recall_rnn")


def updates() -> Iterator[Row]:
    """Sixty updates: at least 0.85 as fast as the plain loop where nothing is watched, 0.6 where everything is."""
    torch.set_num_threads(1)
    for model in MODELS:
        yield Row(f"{model}, nothing watched", _trained(model, False), _plain(model), "the plain loop", 0.85, True)
        yield Row(f"{model}, everything watched", _trained(model, True), _plain(model), "the plain loop", 0.6, True)


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
