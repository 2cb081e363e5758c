"""Costs: how fast networks answer here, run in turn so that none has the quiet of the machine to itself, and how often
they are right on the bundled inputs of their kind."""

from __future__ import annotations

import statistics
import time
from collections.abc import Generator, Sequence
from typing import Any

import torch
from torch import Tensor

from visualizer import inputs
from visualizer.costs import Measured
from visualizer.curve import Curve
from visualizer.edits import INPUT, of
from visualizer.record.catalog import Opened
from visualizer.record.curves import data_of, remembering
from visualizer.record.edits import opened_with
from visualizer.record.run import edited, given_of, prepared, reads_of
from visualizer.trace import Refused

RUNS, WARM = 101, 5
"""Timed runs of each network over one input, and those before them that are not."""
SECONDS = 2.0
"""Timing ends sooner where it has taken so long."""
MOST, BATCH = 400, 100
"""So many inputs are answered, so many of them at once where they are of one size."""

Work = Generator[tuple[float, str], None, tuple[Measured, ...]]


def measured(networks: Sequence[Opened], sample: str, edits: Sequence[str] = ()) -> Work:
    """What each network costs in time over one input, and how often it is right; yields how far it is.

    Times are the median of interleaved runs with a batch of one, without gradients. `edits` are done to every input.
    """
    given = [_fed(prepared(network, edited(given_of(network, sample), edits, network).raw)) for network in networks]
    taken: list[list[float]] = [[] for _ in networks]
    began = time.perf_counter()  # noqa: TID251 measures, animates nothing
    for run in range(WARM + RUNS):
        if run > 2 * WARM and time.perf_counter() - began > SECONDS:  # noqa: TID251 as above
            break
        if run % 10 == 0:
            yield 0.4 * run / (WARM + RUNS), "time"
        for network, tensors, times in zip(networks, given, taken, strict=True):
            with torch.no_grad():
                start = time.perf_counter()  # noqa: TID251 as above
                network.module(*tensors)
                lasted = time.perf_counter() - start  # noqa: TID251 as above
            if run >= WARM:
                times.append(lasted)
    threads = torch.get_num_threads()
    where = f"torch {torch.__version__.partition('+')[0]}, {threads} thread{'s' if threads > 1 else ''}"
    found = []
    for index, (network, times) in enumerate(zip(networks, taken, strict=True)):
        right, of = yield from right_answers(network, edits, 0.4 + 0.6 * index / len(networks), 0.6 / len(networks))
        found.append(Measured(1000 * statistics.median(times), len(times), where, right, of))
    return tuple(found)


def costs_of(networks: Sequence[tuple[str, Sequence[str]]], sample: str) -> Work:
    """The same of networks by name or path, each with what is done to it and to its inputs."""
    opened = [opened_with(name, edits) for name, edits in networks]
    done = networks[0][1] if networks else ()
    return (yield from measured(opened, sample, [words for words in done if of((words,), INPUT)]))


def curve_of(name: str, words: Sequence[str]) -> Curve | None:
    """Right answers of a network by the strength of what is done to its input; None where they cannot be counted."""
    opened = opened_with(name, words)
    try:
        work = remembering(opened, words, data_of(opened))
        while True:
            next(work)
    except StopIteration as end:
        found: Curve = end.value
        return found
    except Refused:
        return None


def finished(work: Work) -> tuple[Measured, ...]:
    """What it measures, once it is done."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            found: tuple[Measured, ...] = end.value
            return found


def right_answers(network: Opened, edits: Sequence[str] = (), since: float = 0.0,
                  part: float = 1.0) -> Generator[tuple[float, str], None, tuple[int, int]]:
    """How many of the bundled inputs with a label a network answers right, and among how many; none where it does not
    choose among labels."""
    reads = reads_of(network)
    words = inputs.samples(inputs.of(reads).name, reads).words[:MOST] if network.labels else ()
    right = of = 0
    held: list[tuple[tuple[Tensor, ...], int]] = []
    for number, word in enumerate(words):
        if number % 20 == 0:
            yield since + part * number / len(words), "answers"
        try:
            given = edited(given_of(network, word), edits, network)
            tensors = _fed(prepared(network, given.raw))
        except (Refused, LookupError):
            continue
        if given.sample.label is None:
            continue
        if held and ([each.shape for each in tensors] != [each.shape for each in held[0][0]] or len(held) == BATCH):
            right, of, held = right + _agreeing(network, held), of + len(held), []
        held.append((tensors, given.sample.label))
    return right + (_agreeing(network, held) if held else 0), of + len(held)


def _agreeing(network: Opened, held: Sequence[tuple[tuple[Tensor, ...], int]]) -> int:
    """How many of these inputs are answered with their label: the last of the answers at each step, where it gives one
    at each."""
    with torch.no_grad():
        columns = zip(*(tensors for tensors, _ in held), strict=True)
        out: Any = network.module(*map(torch.cat, columns))
    out = out if isinstance(out, Tensor) else out[0]
    chosen = out.reshape(len(held), -1, out.shape[-1])[:, -1].argmax(-1)
    return int((chosen == torch.tensor([label for _, label in held])).sum())


def _fed(x: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return x if isinstance(x, tuple) else (x,)
