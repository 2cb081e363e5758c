"""Seen: a Run as the arrays of a study, so that a view, a table and a test read the same numbers of it.

`training` is the name of the study; it is measured where longer runs come with the app, and laid beside recordings that
a training wrote.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.kinds.curves import OF_SIGMOID, OF_TANH
from visualizer.size import norm
from visualizer.trace import Layer, Trace
from visualizer.train import Checkpoint, Numbers, Run, Update, anomalies, run_from

STUDY = "training"
SINGLE = ("step", "loss", "right")
SEVERAL = ("gradient", "moved", "weights", "dead", "saturated", "spread")

Arrays = dict[str, NDArray[Any]]


def arrays(run: Run, steps: Numbers | None = None, answers: Numbers | None = None) -> Arrays:
    """`step`, `loss`, `right` (updates,); `gradient`, `moved`, `weights` (updates, layers), `dead`, `saturated`,
    `spread` (updates, activations); `kept`, `held_loss`, `held_right` (checkpoints,), `weights/NAME` (checkpoints, …).
    `answer` (moments, classes) and `answered`, the updates behind each; those of the run where none are given.
    `named` (things, 2): when it began, and how much. `run` is everything else in words.
    """
    if steps is None or answers is None:
        steps = np.array([*(each.step for each in run.checkpoints[:1]), *(each.step for each in run.updates)], float)
        rows = [*(each.answer for each in run.checkpoints[:1]), *(each.answer for each in run.updates)]
        answers = np.array(rows, float).reshape(len(rows), -1)
    bare = replace(run, updates=(), checkpoints=())
    found: Arrays = {name: run.column(name) for name in SINGLE}
    found |= {name: run.columns(name) for name in SEVERAL}
    found |= {"kept": np.array([each.step for each in run.checkpoints]),
              "held_loss": np.array([each.held_loss for each in run.checkpoints]),
              "held_right": np.array([each.held_right for each in run.checkpoints]),
              "answered": steps, "answer": answers,
              "named": np.array([[each.step, each.value] for each in run.named], float).reshape(-1, 2),
              "run": np.frombuffer(json.dumps(bare.plain(), sort_keys=True).encode(), np.uint8)}
    for name in run.checkpoints[0].weights if run.checkpoints else ():
        found[f"weights/{name}"] = np.stack([each.weights[name] for each in run.checkpoints])
    return found


def of_recordings(recordings: Sequence[Trace]) -> Arrays:
    """What recordings of one network at several updates tell of its training: the loss of the one input in place of
    that of held-out rows, and nothing of a single step. `alone` says so."""
    first = recordings[0]
    weighed = tuple(layer.name for layer in first if layer.learned)
    bent = tuple(layer.name for layer in first if layer.kind in FLAT)
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


FLAT = ("relu", "tanh", "sigmoid")
"""Activations of which is told how many of their values lie where their curve is flat."""


def _flat(layer: Layer) -> float:
    y = layer.output
    if layer.kind == "relu":
        return float((y == 0).mean())
    if layer.kind == "tanh":
        return float((np.abs(y) > OF_TANH.high).mean())
    return float(((y < OF_SIGMOID.low) | (y > OF_SIGMOID.high)).mean())


def _dead(layer: Layer) -> float:
    """The share of the channels that are 0 everywhere; of a vector nobody can tell from one input."""
    if layer.kind != "relu" or layer.output.ndim < 2 or layer.axes[:1] != ("channel",):
        return math.nan
    return float((layer.output.reshape(len(layer.output), -1) == 0).all(1).mean())


def _norm(arrays: Iterable[NDArray[Any]]) -> float:
    return math.hypot(*(norm(each) for each in arrays))


def _as_torch(key: str) -> str:
    return f"{key}_l0" if key.endswith(("_ih", "_hh")) else key


def words_of(held: Arrays) -> Run:
    """What the arrays say of their run in words, without updates and checkpoints."""
    return run_from(json.loads(bytes(held["run"])))
