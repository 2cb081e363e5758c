"""ranking: which unit or step matters most: each left out in turn, and how many right answers are left without it.

Then they are left out one after the other: those that matter least first, and greedily, each time the one that costs
most, until half of the right answers are gone. All is counted over the inputs that ship with the model, and kept on the
disk by the weights and the inputs.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Generator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor, nn

from visualizer import edits, inputs, registry
from visualizer.language import tr
from visualizer.record.catalog import Opened
from visualizer.record.curves import Data, counting_right, data_of
from visualizer.record.cutting import CANDIDATE, cut
from visualizer.record.edits import matter_of
from visualizer.record.run import reads_of
from visualizer.record.weights import hash_of, to_numpy
from visualizer.trace import Refused

T = TypeVar("T")
VERSION = 1
"""Of what is counted and how."""
MOST = 96
"""So many units are left out in turn, those of the first layers."""
KEPT = 100
STEPS = "steps"
"""What is left out are steps of the input instead of units."""


@dataclass(frozen=True)
class Ranking:
    """What was counted so far."""

    words: tuple[str, ...]
    """Each that is left out in turn, as an edit: `unit_off:conv1:1`."""
    all: tuple[int, int]
    """(right, of) with nothing left out."""
    alone: tuple[int, ...] = ()
    """How many are right without each, in the order of `words`, as far as it was counted."""
    gone: tuple[int, ...] = ()
    """How many are right without the 1, 2, 3, … that matter least."""
    broken: tuple[int, ...] = ()
    """Places in `words` of what was left out greedily, and how many were right then, in turn."""
    finished: bool = False

    @property
    def order(self) -> tuple[int, ...]:
        """Places in `words`, that which matters most first."""
        return tuple(sorted(range(len(self.alone)), key=lambda place: (self.alone[place], place)))


Growing = Generator[tuple[float, Ranking], None, Ranking]
"""Yields (share done, what was counted so far), so that it can be stopped there."""


def units(opened: Opened, layer: str = "") -> tuple[str, ...]:
    """What can be left out in turn: the units of a layer; else the channels of all convolutions, where there are none
    the units of recurrent layers, else those of dense layers but for the last."""
    parts = {path: part for path, part in opened.module.named_modules() if path and not [*part.children()]}
    if layer:
        chosen = [path for path in parts if path == layer]
    else:
        convolutions = [path for path, part in parts.items() if isinstance(part, nn.modules.conv._ConvNd)]
        recurrent = [path for path, part in parts.items() if type(part).__name__ in CANDIDATE]
        chosen = convolutions or recurrent or [path for path, part in parts.items() if isinstance(part, nn.Linear)][:-1]
    found = [f"unit_off:{path}:{unit}" for path in chosen for unit in range(_count(parts[path]))]
    return tuple(found[:MOST])


def _count(part: nn.Module) -> int:
    return int(getattr(part, "out_channels", 0) or getattr(part, "out_features", 0) or getattr(part, "hidden_size", 0))


def ranked(opened: Opened, words: Sequence[str] = (), of: str = "") -> Growing:
    """Count all of it: each left out in turn, and then one after the other.

    `words` are the edits of the inputs that are done in any case; `of` is a layer, or `steps`. Raises Refused where
    there is nothing to leave out, or answers are neither right nor wrong.
    """
    data = data_of(opened)
    steps = _steps(opened, data) if of == STEPS else 0
    rows = tuple(f"step_off:{step}" for step in range(1, 1 + steps)) if of == STEPS else units(opened, of)
    if not rows:
        raise Refused(tr("{model} has no units that could be left out in turn.").format(model=opened.title))
    path = _path(opened, data, (*words, *rows))
    found = _kept(path)
    if found is None:
        first = yield from _told(right(opened, words, data, ()), Ranking(rows, (0, 0)))
        found = Ranking(rows, first)
    while not found.finished:
        found = yield from _further(opened, words, data, found)
        _keep(path, found)
        yield _share(found), found
    return found


def right(opened: Opened, words: Sequence[str], data: Data,
          without: Sequence[str]) -> Generator[float, None, tuple[int, int]]:
    """How many answers are right without all of these, of how many; yields after each stretch of inputs."""
    module = copy.deepcopy(opened.module)
    for edit, arguments in edits.of(without, edits.MODEL):
        assert edit.cuts is not None
        cut(module, edit.cuts(*arguments), opened)
    done = (*words, *edits.those(without, edits.INPUT))
    point = yield from counting_right(replace(opened, module=module), done, data)
    return point.right, point.of


def _told(counting: Generator[float, None, T], so_far: Ranking) -> Generator[tuple[float, Ranking], None, T]:
    """While something is counted, what was counted before."""
    while True:
        try:
            next(counting)
        except StopIteration as end:
            found: T = end.value
            return found
        yield _share(so_far), so_far


def _share(found: Ranking) -> float:
    return (len(found.alone) + len(found.gone)) / (2 * len(found.words) + 1)


def _further(opened: Opened, words: Sequence[str], data: Data, so_far: Ranking) -> Growing:
    """One more number of it."""
    def without(places: Sequence[int]) -> Generator[tuple[float, Ranking], None, int]:
        found = yield from _told(right(opened, words, data, [rows[place] for place in places]), so_far)
        return found[0]

    rows, order = so_far.words, so_far.order
    if len(so_far.alone) < len(rows):
        count = yield from without([len(so_far.alone)])
        return replace(so_far, alone=(*so_far.alone, count))
    if rows[0].startswith("step_off"):
        return replace(so_far, finished=True)
    if len(so_far.gone) < len(rows):
        count = yield from without(order[::-1][:len(so_far.gone) + 1])
        return replace(so_far, gone=(*so_far.gone, count))
    taken = so_far.broken[::2]
    last = so_far.broken[-1] if so_far.broken else so_far.all[0]
    if 2 * last <= so_far.all[0] or len(taken) == len(rows):
        return replace(so_far, finished=True)
    if not taken:
        return replace(so_far, broken=(order[0], so_far.alone[order[0]]))
    counts = {}
    for place in order:
        if place not in taken:
            counts[place] = yield from without([*taken, place])
    worst = min(counts, key=lambda place: counts[place])
    return replace(so_far, broken=(*so_far.broken, worst, counts[worst]))


def _steps(opened: Opened, data: Data) -> int:
    """How many steps each of the inputs has."""
    facts = reads_of(opened)
    grain = inputs.of(facts).grain(facts)
    return 0 if grain is None else min((matter_of(each.raw, grain).pieces for each in data.given), default=0)


# --- kept on the disk -------------------------------------------------------------------------------------------------

def _path(opened: Opened, data: Data, words: Sequence[str]) -> Path:
    state = {name: to_numpy(tensor) for name, tensor in opened.module.state_dict().items()
             if isinstance(tensor, Tensor)}
    marks = (VERSION, hash_of(state), repr(opened.module), opened.title, *words, data.digest)
    return registry.state_folder() / "rankings" / f"{hashlib.sha256(repr(marks).encode()).hexdigest()[:32]}.json"


def _kept(path: Path) -> Ranking | None:
    with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        plain: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return Ranking(*(tuple(plain[name]) for name in ("words", "all", "alone", "gone", "broken")),
                       bool(plain["finished"]))
    return None


def _keep(path: Path, found: Ranking) -> None:
    with suppress(OSError, registry.NotWritten):
        path.parent.mkdir(parents=True, exist_ok=True)
        registry.write_whole(path, json.dumps(asdict(found)).encode())
        for old in sorted(path.parent.glob("*.json"), key=lambda each: each.stat().st_mtime)[:-KEPT]:
            old.unlink()
