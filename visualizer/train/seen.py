"""Seen: a Run as the arrays of a study, so that a view, a table and a test read the same numbers of it.

`training` is the name of the study; it is measured where longer runs come with the app, and laid beside recordings that
a training wrote.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.train import Numbers, Run, run_from

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


def words_of(held: Arrays) -> Run:
    """What the arrays say of their run in words, without updates and checkpoints."""
    return run_from(json.loads(bytes(held["run"])))
