"""Recordings: what those of one network at several updates, as `visualizer.watch` writes them, tell of its training."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.size import norm
from visualizer.trace import Layer, Trace
from visualizer.train import Checkpoint, Run, Update, anomalies
from visualizer.train.seen import Arrays, arrays


def of_recordings(recordings: Sequence[Trace]) -> Arrays:
    """What recordings of one network at several updates tell of its training: the loss of the one input in place of
    that of held-out rows, and nothing of a single step. `alone` says so."""
    first = recordings[0]
    weighed = tuple(layer.name for layer in first if layer.learned)
    bent = tuple(layer.name for layer in first if _is_flat_somewhere(layer))
    steps = steps_of(recordings)
    count = 0 if first.answer is None else first.answer.output.size
    labels = first.labels or tuple(str(number) for number in range(count))
    run = Run(first.model, sample=first.sample.name, layers=weighed, activations=bent, labels=labels)
    for step, each in zip(steps, recordings, strict=True):
        update = Update(step, each.objective.value, math.nan,
                        tuple(_norm(each[name].weight_gradients.values()) for name in weighed),
                        (math.nan,) * len(weighed), tuple(_norm(each[name].learned.values()) for name in weighed),
                        tuple(_dead(each[name]) for name in bent), tuple(_flat(each[name]) for name in bent),
                        tuple(float(each[name].output.std()) for name in bent))
        known = {(it.what, it.where) for it in run.named}
        known_of = replace(update, moved=(0.0,) * len(weighed))  # no step was seen, and none went wrong
        named = tuple(it for it in anomalies(known_of, run.updates[0] if run.updates else update, weighed, bent)
                      if (it.what, it.where) not in known)
        weights = {f"{name}.{_as_torch(key)}": array for name in weighed for key, array in each[name].learned.items()}
        checkpoint = Checkpoint(step, each.objective.value, math.nan, (), weights)
        run = run.grown((update,), (checkpoint,), named)
    answers = [each.answer for each in recordings]
    said = np.array([layer.output for layer in answers if layer is not None], float)
    known_answers = said if len(said) == len(recordings) else np.zeros((len(recordings), 0))
    return {**arrays(run, np.array(steps, float), known_answers), "alone": np.array([1])}


def steps_of(recordings: Sequence[Trace]) -> tuple[int, ...]:
    """After how many updates each was made, as they say; else just their order."""
    said = [each.facts.get("step") for each in recordings]
    steps = [step for step in said if isinstance(step, int) and step >= 0]
    rising = len(steps) == len(said) and all(one < other for one, other in pairwise(steps))
    return tuple(steps) if rising else tuple(range(len(said)))


def _flat(layer: Layer) -> float:
    """The share of its values that lie where its curve is flat."""
    y, flat = layer.output, kinds.flat(layer)[""]
    return float((y == 0).mean()) if flat.dies else float(((y < flat.low) | (y > flat.high)).mean())


def _is_flat_somewhere(layer: Layer) -> bool:
    return kinds.curve(layer) is not None and "" in kinds.flat(layer) and not layer.inner


def _dead(layer: Layer) -> float:
    """The share of the channels that are 0 everywhere; of a vector nobody can tell from one input."""
    if not kinds.switches(layer) or layer.output.ndim < 2 or layer.axes[:1] != ("channel",):
        return math.nan
    return float((layer.output.reshape(len(layer.output), -1) == 0).all(1).mean())


def _norm(arrays: Iterable[NDArray[Any]]) -> float:
    return math.hypot(*(norm(each) for each in arrays))


def _as_torch(key: str) -> str:
    return f"{key}_l0" if key.endswith(("_ih", "_hh")) else key


