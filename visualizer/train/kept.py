"""Kept: a Run as a file, with the weights of its checkpoints and all that it takes to go on.

A safetensors file, whose card is the run in plain words; the updates are one table in it. The window reads it without
torch, `record.training.folder` writes one beside the recordings of a run, and longer runs that come with the app lie in
`assets/train`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer import registry
from visualizer.language import tr
from visualizer.registry import MOST_HEADER
from visualizer.trace import OF_RUN, Refused, Trace
from visualizer.train import Run, Update, run_from

SUFFIX = ".run"
NAME = f"training{SUFFIX}"
"""What the file is called in the folder of a run."""
MOST_BYTES = 1 << 30
"""A larger file is not read."""
FORMAT = "visualizer-run-1"
TUPLES = ("gradient", "moved", "weights", "dead", "saturated", "spread", "answer", "watched")
SINGLE = ("step", "loss", "right")

Arrays = Mapping[str, NDArray[Any]]


def to_bytes(run: Run, state: Arrays | None = None, *, half: bool = False) -> bytes:
    """The file as bytes; `state` is what the optimiser has to remember, `half` rounds weights to float16.

    The same run gives the same bytes.
    """
    from safetensors.numpy import save

    kind = np.float16 if half else np.float32
    arrays: dict[str, NDArray[Any]] = {f"state/{name}": np.ascontiguousarray(array)
                                       for name, array in (state or {}).items()}
    for each in run.checkpoints:
        arrays |= {f"{each.step}/{name}": np.ascontiguousarray(array, kind) for name, array in each.weights.items()}
    arrays["updates"] = _table(run)
    widths = [len(getattr(run.updates[0], name)) for name in TUPLES] if run.updates else [0] * len(TUPLES)
    bare = replace(run, updates=(), checkpoints=tuple(replace(each, weights={}) for each in run.checkpoints))
    content = save(arrays, {"format": FORMAT, "run": json.dumps(bare.plain(), sort_keys=True),
                            "widths": json.dumps(widths)})
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.dumps(json.loads(content[8:end]), sort_keys=True).encode()  # the library writes it in random order
    header += b" " * (-len(header) % 8)
    return len(header).to_bytes(8, "little") + header + content[end:]


def read(path: Path) -> tuple[Run, Arrays]:
    """The run of a file, and what its optimiser remembers; Refused with one sentence where it is damaged, or none."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError("it is too large")
        return _of_bytes(path.read_bytes())
    except OSError as error:
        raise Refused(tr("There is no training in {name} that can be read ({why}); name the folder that visualizer "
                         "train wrote.").format(name=path.parent.name, why=error.strerror or error)) from error
    except Exception as error:  # whatever a damaged file makes of itself
        raise Refused(tr("{name} is damaged, so its training cannot go on; begin a new one in another folder.").format(
            name=path.name)) from error


def of_file(path: str) -> Run:
    """The run of a file, read once as long as nobody has written to it; Refused with one sentence."""
    try:
        about = Path(path).stat()
    except OSError:
        return read(Path(path))[0]
    return _of_file(path, about.st_mtime_ns, about.st_size)


@lru_cache(2)
def _of_file(path: str, changed: int, size: int) -> Run:
    return read(Path(path))[0]


def is_one(path: Path) -> bool:
    """Whether the header of a file says that it holds a run."""
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        return 2 <= size <= MOST_HEADER and FORMAT.encode() in file.read(size)


def _of_bytes(content: bytes) -> tuple[Run, Arrays]:
    from safetensors.numpy import load

    size = int.from_bytes(content[:8], "little")
    if not 2 <= size <= min(MOST_HEADER, len(content) - 8):
        raise ValueError("it is no safetensors file")
    card = json.loads(content[8:8 + size])["__metadata__"]
    arrays = load(content)
    run = run_from(json.loads(card["run"]))
    weights: dict[int, dict[str, NDArray[Any]]] = {}
    for word, array in arrays.items():
        step, _, name = word.partition("/")
        if step.isdecimal():
            weights.setdefault(int(step), {})[name] = array.astype(np.float32)
    checkpoints = tuple(replace(each, weights=weights.get(each.step, {})) for each in run.checkpoints)
    updates = _updates(arrays["updates"], json.loads(card["widths"]))
    state = {word.removeprefix("state/"): array for word, array in arrays.items() if word.startswith("state/")}
    return replace(run, updates=updates, checkpoints=checkpoints), state


def _table(run: Run) -> NDArray[np.float64]:
    """One row an update."""
    rows = [[*(getattr(each, name) for name in SINGLE), *(number for name in TUPLES for number in getattr(each, name))]
            for each in run.updates]
    return np.array(rows, np.float64) if rows else np.zeros((0, len(SINGLE)))


def _updates(table: NDArray[np.float64], widths: list[int]) -> tuple[Update, ...]:
    found = []
    for step, loss, right, *row in table.tolist():
        parts = []
        for width in widths:
            parts.append(tuple(row[:width]))
            row = row[width:]
        found.append(Update(int(step), loss, right, *parts))
    return tuple(found)


# --- longer runs that come with the app -----------------------------------------------------------------------------

@lru_cache(4)
def stored(model: str) -> Run | None:
    """The longer run of a bundled network, whose checkpoints come with the app; None where there is none.

    Its updates are thinned out, evenly on a log axis.
    """
    path = registry.folder("assets") / "train" / f"{model}{SUFFIX}"
    return read(path)[0] if path.is_file() else None


def thinned(run: Run, kept: frozenset[int]) -> Run:
    """The same with some of its updates alone."""
    return replace(run, updates=tuple(each for each in run.updates if each.step in kept))


def ships(model: str) -> bool:
    """Whether a longer run of a network comes with the app."""
    return model in _shipped()


def suits(trace: Trace) -> bool:
    """Whether there is a run to a recording: one of which its weights are, one that comes with the app, or one that can
    be made here."""
    return OF_RUN in trace.facts or can_be_trained(trace.model)


def steps_of(trace: Trace) -> tuple[int, ...]:
    """After how many updates there are checkpoints of the run of a recording, as far as that is known before it is
    measured."""
    said = trace.facts.get(OF_RUN, {})
    try:
        run = of_file(str(said["file"])) if said.get("file") else None if said.get("course") else stored(trace.model)
    except Refused:
        run = None
    return (0,) if run is None else tuple(each.step for each in run.checkpoints)


@lru_cache(1)
def _shipped() -> frozenset[str]:
    return frozenset(path.stem for path in registry.files("assets", f"train/*{SUFFIX}"))


@lru_cache(64)
def has_recipe(model: str) -> bool:
    """Whether a bundled network tells in its file how it can be trained in a short time."""
    if not registry.is_bundled(model):
        return False
    path = registry.folder("models") / f"{model}.py"
    return path.is_file() and any(line.startswith("live = ") for line in path.read_text(encoding="utf-8").splitlines())


def can_be_trained(model: str) -> bool:
    """Whether a longer run of a network comes with the app, or it can be trained here."""
    return ships(model) or has_recipe(model)
