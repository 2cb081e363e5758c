"""Seen: a Run as the arrays of a study, so that a view, a table and a test read the same numbers of it.

`training` is the name of the study; it is measured where longer runs come with the app, and laid beside recordings that
a training wrote. While a training goes on its arrays grow piece by piece.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.train import NOT_A_NUMBER, Checkpoint, Named, Numbers, Run, Update, run_from

STUDY = "training"
SINGLE = ("step", "loss", "right")
SEVERAL = ("gradient", "moved", "weights", "dead", "saturated", "spread")
CURVES = ("step", "loss", "right", "kept", "held_loss", "held_right")
GATES = ("input", "forget", "output_gate", "reset", "update")
"""Gates of recurrent layers, from 0, shut, to 1, open."""
BEHIND, PINNED = "behind", "pinned"
"""Other runs that are seen as thin dashes: the one before, and the one that was pinned."""

Arrays = Mapping[str, NDArray[Any]]


def arrays(run: Run, steps: Numbers | None = None, answers: Numbers | None = None) -> Arrays:
    """`step`, `loss`, `right` (updates,); `gradient`, `moved`, `weights` (updates, layers), `dead`, `saturated`,
    `spread` (updates, activations); `kept`, `held_loss`, `held_right` (checkpoints,), `weights/NAME` (checkpoints, …).
    `answer` (moments, classes) and `answered`, the updates behind each; those of the run where none are given.
    `named` (things, 2): when it began, and how much. `goal`: how many updates it is to have. `run` is everything else
    in words.
    """
    if steps is None or answers is None:
        steps, answers = _answers(run.updates, run.checkpoints)
    found: dict[str, NDArray[Any]] = {name: run.column(name) for name in SINGLE}
    found |= {name: run.columns(name) for name in SEVERAL}
    found |= {**_held(run.checkpoints), "answered": steps, "answer": answers, "named": _named(run.named),
              "goal": np.array(run.step), "run": _words(run)}
    for name in run.checkpoints[0].weights if run.checkpoints else ():
        found[f"weights/{name}"] = np.stack([each.weights[name] for each in run.checkpoints])
    return _sealed(found)


def words_of(held: Arrays) -> Run:
    """What the arrays say of their run in words, without updates and checkpoints."""
    return run_from(json.loads(bytes(held["run"])))


def last_of(held: Arrays) -> int:
    """How many updates were made."""
    return max((int(each[-1]) for each in (held["step"], held["kept"]) if len(each)), default=0)


def grown(held: Arrays, updates: tuple[Update, ...], checkpoints: tuple[Checkpoint, ...],
          named: tuple[Named, ...]) -> Arrays:
    """The arrays with what came next; what they hold already is the same number and stays."""
    run, last = words_of(held), last_of(held)
    updates = tuple(each for each in updates if each.step > last)
    checkpoints = tuple(each for each in checkpoints if each.step not in held["kept"])
    named = tuple(each for each in named if (each.what, each.where) not in {(old.what, old.where) for old in run.named})
    more = replace(run, updates=updates, checkpoints=checkpoints)
    steps, answers = _answers(updates, tuple(each for each in checkpoints if each.step > last))
    found = dict(held)
    added: dict[str, NDArray[Any]] = {"answered": steps}
    if updates:
        added |= {name: more.column(name) for name in SINGLE} | {name: more.columns(name) for name in SEVERAL}
    if np.size(answers):
        added["answer"] = answers
    elif len(steps):
        del added["answered"]
    for name, array in added.items():
        found[name] = np.concatenate([held[name], array]) if np.size(held[name]) else array
    if checkpoints:
        whole = _held(checkpoints)
        order = np.argsort(np.concatenate([held["kept"], whole["kept"]]), kind="stable")
        for name in ("kept", "held_loss", "held_right"):
            found[name] = np.concatenate([held[name], whole[name]])[order]
        for name in checkpoints[0].weights:
            found[f"weights/{name}"] = np.concatenate(
                [held[f"weights/{name}"], np.stack([each.weights[name] for each in checkpoints])])[order]
    if named:
        run = replace(run, named=(*run.named, *named),
                      stopped=run.stopped or any(each.what == NOT_A_NUMBER for each in named))
        found |= {"named": _named(run.named), "run": _words(run)}
    found["goal"] = np.array(max(int(held["goal"]), last_of(found)))
    return _sealed(found)


def until(held: Arrays, step: int, run: Run | None = None) -> Arrays:
    """What of it a branch at `step` shares with it; `run` are the words of the branch."""
    words = words_of(held)
    named = tuple(each for each in words.named if each.step <= step)
    words = replace(run or words, named=named, stopped=False)
    found: dict[str, NDArray[Any]] = {name: held[name][held["step"] <= step] for name in (*SINGLE, *SEVERAL)}
    stays = held["kept"] <= step
    found |= {name: array[stays] for name, array in held.items()
              if name in ("kept", "held_loss", "held_right") or name.startswith("weights/")}
    found |= {name: held[name][held["answered"] <= step] for name in ("answered", "answer") if np.size(held["answer"])}
    found |= {name: held[name] for name in ("answered", "answer") if name not in found}
    return _sealed(found | {"named": _named(named), "run": _words(words), "goal": np.array(last_of(found))})


def beside(held: Arrays, name: str, other: Arrays | None, since: int = 0) -> Arrays:
    """The arrays with the curves of another run from `since` updates on, as `name/loss`; without them for None."""
    found = {key: array for key, array in held.items() if not key.startswith(f"{name}/")}
    if other is not None:
        for steps, several in (("step", CURVES[:3]), ("kept", CURVES[3:])):
            from_there = other[steps] >= since
            found |= {f"{name}/{key}": other[key][from_there] for key in several}
    return _sealed(found)


def _sealed(arrays: Arrays) -> Arrays:
    """The same, not to be written to: a recording then holds these very arrays, and what was worked out stays."""
    for array in arrays.values():
        array.setflags(write=False)
    return arrays


# --- pieces ---------------------------------------------------------------------------------------------------------

def _held(checkpoints: Iterable[Checkpoint]) -> dict[str, NDArray[Any]]:
    several = tuple(checkpoints)
    return {"kept": np.array([each.step for each in several], dtype=np.int64),
            "held_loss": np.array([each.held_loss for each in several], float),
            "held_right": np.array([each.held_right for each in several], float)}


def _answers(updates: Iterable[Update], checkpoints: Iterable[Checkpoint]) -> tuple[Numbers, Numbers]:
    """(moments,), (moments, classes): after each update, and at each checkpoint, as far as it is known."""
    known = {each.step: each.answer for each in checkpoints if each.answer}
    known |= {each.step: each.answer for each in updates if each.answer}
    steps = sorted(known)
    return np.array(steps, float), np.array([known[step] for step in steps], float).reshape(
        len(steps), len(known[steps[0]]) if steps else 0)


def _named(named: Iterable[Named]) -> NDArray[Any]:
    return np.array([[each.step, each.value] for each in named], float).reshape(-1, 2)


def _words(run: Run) -> NDArray[Any]:
    bare = replace(run, updates=(), checkpoints=())
    return np.frombuffer(json.dumps(bare.plain(), sort_keys=True).encode(), np.uint8)
