"""How long a plain pass forwards takes on this machine, and how much of it each part of the model."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from visualizer.record.arguments import arguments
from visualizer.record.studies import Pass, Study, Work
from visualizer.record.tracing import recordable
from visualizer.trace import Array

RUNS, WARM = 61, 5
"""Runs of either kind, one after the other in turn, and those before them that are not counted."""
SECONDS = 3.0
"""It ends sooner where it has taken so long."""


def run(again: Pass) -> Work:
    """`plain` (run,) and `watched` (run,) milliseconds of a pass without and with a clock at each part; by the path
    of a part that has none `PATH:ms`, the median, all of its calls together; `threads`: of torch."""
    model = recordable(again.model)
    given = arguments(model, again.inputs, again.keywords)
    plain: list[float] = []
    watched: list[float] = []
    pieces: dict[str, list[float]] = {}
    began = time.perf_counter()  # noqa: TID251 measures, animates nothing
    for turn in range(WARM + RUNS):
        if turn > 2 * WARM and time.perf_counter() - began > SECONDS:  # noqa: TID251 as above
            break
        yield turn / (WARM + RUNS), "time"
        alone = _took(lambda: model(*given.positions, **given.keywords))
        with _Clocks(model) as clocks:
            together = _took(lambda: model(*given.positions, **given.keywords))
        if turn >= WARM:
            plain.append(alone)
            watched.append(together)
            for path, lasted in clocks.lasted.items():
                pieces.setdefault(path, []).append(lasted)
    found: dict[str, Array] = {"plain": np.array(plain), "watched": np.array(watched),
                               "threads": np.array(torch.get_num_threads())}
    return found | {f"{path}:ms": np.array(np.median(each)) for path, each in pieces.items()}


def _took(call: Callable[[], Any]) -> float:
    """Milliseconds."""
    with torch.no_grad():
        start = time.perf_counter()  # noqa: TID251 as above
        call()
        return 1000 * (time.perf_counter() - start)  # noqa: TID251 as above


class _Clocks:
    """Hooks that start a clock before each part that has none, and stop it behind; gone when it is left."""

    def __init__(self, model: nn.Module) -> None:
        self.pieces = [(path, part) for path, part in model.named_modules() if path and not [*part.children()]]
        self.lasted: dict[str, float] = {}
        self._started: dict[str, float] = {}
        self._hooks: list[Any] = []

    def __enter__(self) -> _Clocks:
        for path, part in self.pieces:
            self._hooks.append(part.register_forward_pre_hook(self._start(path)))
            self._hooks.append(part.register_forward_hook(self._stop(path)))
        return self

    def __exit__(self, *error: object) -> None:
        for hook in self._hooks:
            hook.remove()

    def _start(self, path: str) -> Callable[..., None]:
        def started(part: nn.Module, given: Any) -> None:
            self._started[path] = time.perf_counter()  # noqa: TID251 as above

        return started

    def _stop(self, path: str) -> Callable[..., None]:
        def stopped(part: nn.Module, given: Any, made: Any) -> None:
            lasted = 1000 * (time.perf_counter() - self._started[path])  # noqa: TID251 as above
            self.lasted[path] = self.lasted.get(path, 0.0) + lasted

        return stopped


STUDY = Study("times", "how long a pass takes here", lambda trace: True, run)
