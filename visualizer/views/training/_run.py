"""What the view reads: the arrays of a training, where on the time axis one is, and how that axis runs."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, wraps
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from visualizer.language import kept_by_language, tr
from visualizer.said import Claim, claimed, found, said
from visualizer.scene import numbers
from visualizer.scene.picture import Stop
from visualizer.trace import Arrays, Trace
from visualizer.train import EXPLODED, NOT_A_NUMBER, Named, Run, seen

Numbers = NDArray[np.floating[Any]]
BINS = 240
"""So many pieces of time a map is divided into, each the last update in it."""
CORNER = 12
"""Rows and columns of a recurrent matrix that are seen of each gate."""
MOST_TILES, MOST_PICTURES, LEAST_SIDE = 8, 4, 16
SHARE = 0.995
GATES = {4: ("input", "forget", "candidate", "output"), 3: ("reset", "update", "candidate"), 1: ("hidden",)}
"""What the blocks of a recurrent matrix are for, by how many there are, in torch's order."""


@dataclass(frozen=True, eq=False)
class Film:
    """A training as arrays, at one of its checkpoints."""

    trace: Trace
    held: Arrays
    run: Run
    """Its words alone."""
    place: int
    """Which checkpoint."""

    @property
    def kept(self) -> NDArray[np.int64]:
        return np.asarray(self.held["kept"])

    @property
    def now(self) -> int:
        """Updates behind the cursor."""
        return int(self.kept[self.place])

    @cached_property
    def last(self) -> int:
        """Updates that were made."""
        return max(int(self.kept[-1]), int(max(self.held["step"], default=0)))

    @cached_property
    def end(self) -> int:
        """Updates that it is to have: beyond the last one nothing is known, ever where a number was none."""
        beyond = self.last + self.last // 4 + 1 if self.run.stopped else 0
        return max(1, self.last, beyond, int(self.held.get("goal", 0)))

    def has_begun(self, named: Named) -> bool:
        """Whether something had gone wrong where the cursor stands; it stands before that which ended the training."""
        ended = named.what == NOT_A_NUMBER and self.place == len(self.kept) - 1
        return named.step <= self.now or ended

    @cached_property
    def sound(self) -> float:
        """Up to so many updates nothing has exploded: what comes then is so large that it says nothing of the rest."""
        wrong = [each.step for each in self.run.named if each.what in (EXPLODED, NOT_A_NUMBER)]
        return min(wrong, default=math.inf)

    @cached_property
    def best(self) -> int:
        """The checkpoint with the least loss over the held-out rows; the first where none is known."""
        losses = np.asarray(self.held["held_loss"], float)
        return int(np.nanargmin(np.where(np.isfinite(losses), losses, np.inf)))

    @property
    def update(self) -> int:
        """Row of the last update behind the cursor; −1 before the first."""
        return int(np.searchsorted(self.held["step"], self.now, side="right")) - 1

    @property
    def answered(self) -> int:
        """Row of the last answer behind the cursor."""
        return int(np.searchsorted(self.held["answered"], self.now, side="right")) - 1

    @cached_property
    def stops(self) -> tuple[Stop, ...]:
        """The moment of each checkpoint."""
        name = self.trace.layers[0].name
        return tuple(Stop(f"{name}.update[{step}]" if step else f"{name}.update", glides=False)
                     for step in self.kept.tolist())

    @cached_property
    def tips(self) -> tuple[str, ...]:
        """One line about each checkpoint."""
        words = tr("after {step} updates: held-out loss {loss}, {right} right") if self.classes else \
            tr("after {step} updates: loss of this input {loss}") if "alone" in self.held else \
            tr("after {step} updates: held-out loss {loss}")
        return tuple(words.format(
            step=said(numbers.count(step), "updates", step=step), loss=self.number("held_loss", place),
            right=self.percent("held_right", place) if self.classes else "")
            for place, step in enumerate(self.kept.tolist()))

    def value(self, key: str, *cell: int) -> float:
        return float(self.held[key][cell])

    def number(self, key: str, *cell: int, digits: int = 2) -> str:
        """A number in words, claimed."""
        return claimed(_significant(self.value(key, *cell), digits), (self.claim(key, *cell),))

    def percent(self, key: str, *cell: int, digits: int = 1) -> str:
        return claimed(_percent(self.value(key, *cell), digits), (self.claim(key, *cell),))

    def claim(self, key: str, *cell: int) -> Claim:
        return found("value", seen.STUDY, key, *cell)

    @cached_property
    def classes(self) -> bool:
        """Whether it answers with one of several classes, so that an answer is right or wrong."""
        return bool(self.run.labels) and bool(np.isfinite(self.held["held_right"]).any())


@kept_by_language(8192)
def _significant(value: float, digits: int) -> str:
    """A picture has many numbers, and the next one has almost the same."""
    return numbers.significant(value, digits)


@kept_by_language(8192)
def _percent(value: float, digits: int) -> str:
    return numbers.percent(value, digits)


Made = TypeVar("Made")


def by_checkpoints(function: Callable[[Trace], Made]) -> Callable[[Trace], Made]:
    """Kept for a function that reads nothing of a recording but the checkpoints of its training and what that says in
    words: while updates come in between, the answer stays."""
    answers: deque[tuple[object, object, Made]] = deque(maxlen=2)

    @wraps(function)
    def kept(trace: Trace) -> Made:
        held = trace.studies[seen.STUDY]
        for checkpoints, words, made in answers:
            if checkpoints is held["kept"] and words is held["run"]:
                return made
        made = function(trace)
        answers.append((held["kept"], held["run"], made))
        return made

    return kept


@by_checkpoints
def words_of(trace: Trace) -> Run:
    """What a training says of itself."""
    return seen.words_of(dict(trace.studies[seen.STUDY]))


def film(trace: Trace, place: int) -> Film | None:
    """The training beside a recording, at a checkpoint; None where it is not there."""
    held = trace.studies.get(seen.STUDY)
    if not held or not len(held["kept"]):
        return None
    return Film(trace, held, words_of(trace), min(place, len(held["kept"]) - 1))


# --- the weights that are seen ----------------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class Tiles:
    """Small pictures of the first layer's weights at each checkpoint."""

    layer: str
    key: str
    """Of the array."""
    names: tuple[str, ...]
    values: Numbers
    """(checkpoint, tile, row, column)."""
    places: NDArray[np.int64]
    """(tile, row, column): which entry of the flat weight each is; −1 where it is a mean of several."""
    total: int
    """How many tiles there are in all."""
    recurrent: bool
    top: float
    """Where the colours end: the largest of all checkpoints before something exploded; of recurrent weights, of which a
    few are far larger than all others, what all but one in two hundred stay below."""

    @property
    def cut(self) -> bool:
        """Whether some lie beyond the colours."""
        return bool(np.abs(self.values).max() > self.top)


@by_checkpoints
def tiles(trace: Trace) -> Tiles | None:
    """A corner of each gate of the first recurrent matrix; the filters of the first layer; a corner of any other."""
    held, run = trace.studies[seen.STUDY], words_of(trace)
    for name in ("weight_hh_l0", "weight"):
        for layer in run.layers:
            key = f"weights/{layer}.{name}"
            if key in held and np.ndim(held[key]) >= 3:
                return _tiles(layer, key, np.asarray(held[key], float), sound_places(held, run))
    return None


def sound_places(held: Arrays, run: Run) -> slice:
    """The checkpoints before something exploded; the first in any case."""
    wrong = [each.step for each in run.named if each.what in (EXPLODED, NOT_A_NUMBER)]
    return slice(max(1, int(np.searchsorted(held["kept"], min(wrong)))) if wrong else None)


def _tiles(layer: str, key: str, values: Numbers, sound: slice) -> Tiles:
    flat = np.arange(values[0].size).reshape(values.shape[1:])
    recurrent = key.endswith("weight_hh_l0")
    if values.ndim >= 4:  # filters; of several input channels the mean
        total = values.shape[1]
        seen_of = values.reshape(*values.shape[:2], -1, *values.shape[-2:])[:, :MOST_TILES] if values.ndim > 4 else \
            values[:, :MOST_TILES, None]
        at = flat.reshape(total, -1, *values.shape[-2:])[:MOST_TILES]
        places = at[:, 0] if at.shape[1] == 1 else np.full(at.shape[0:1] + at.shape[2:], -1)
        made, names = seen_of.mean(2), tuple(str(number) for number in range(min(total, MOST_TILES)))
    elif (side := picture_side(values)) and not recurrent:  # of each unit a picture of what it reads
        total = values.shape[1]
        made = values[:, :MOST_PICTURES].reshape(len(values), -1, side, side)
        places, names = flat[:MOST_PICTURES].reshape(-1, side, side), tuple(map(str, range(made.shape[1])))
    else:
        gates = values.shape[1] // values.shape[2] if recurrent and values.shape[1] % values.shape[2] == 0 else 1
        names = GATES.get(gates, ()) if recurrent else ()
        gates, total = max(1, len(names)), max(1, len(names))
        blocks = values.reshape(len(values), gates, -1, values.shape[2])
        made = blocks[:, :, :CORNER, :CORNER]
        places = flat.reshape(gates, -1, values.shape[2])[:, :CORNER, :CORNER]
        names = names or ("",)
    return Tiles(layer, key, names, made, places, total, recurrent,
                 float(np.quantile(np.abs(made[sound]), SHARE if recurrent else 1.0)) or 1.0)


def picture_side(values: Numbers) -> int:
    """The side of the square picture that the units of a dense layer read; 0 where they read none. `values` are
    (checkpoint, unit, input)."""
    side = math.isqrt(values.shape[2])
    return side if side >= LEAST_SIDE and side * side == values.shape[2] else 0


@by_checkpoints
def biases(trace: Trace) -> Numbers | None:
    """(checkpoint, gate): the mean over the units of the sum of both biases; None without gates."""
    shown = tiles(trace)
    if shown is None or not shown.recurrent or len(shown.names) < 2:
        return None
    held = trace.studies[seen.STUDY]
    both = [held.get(f"weights/{shown.layer}.bias_{side}_l0") for side in ("ih", "hh")]
    if any(each is None for each in both):
        return None
    whole = np.asarray(both[0], float) + np.asarray(both[1], float)
    return np.asarray(whole.reshape(len(whole), len(shown.names), -1).mean(-1))


def path(film: Film, word: str) -> tuple[str, tuple[int, ...]] | None:
    """(array, place in it) of the weight whose path is seen: the chosen one, else of those that are seen the one that
    came furthest."""
    shown = tiles(film.trace)
    if shown is None:
        return None
    shape = film.held[shown.key].shape[1:]
    if word and all(part.isdecimal() for part in word.split(",")):
        cell = tuple(int(part) for part in word.split(","))
        if len(cell) == len(shape) and all(at < size for at, size in zip(cell, shape, strict=True)):
            return shown.key, cell
    moved = np.abs(np.asarray(film.held[shown.key][-1], float) - film.held[shown.key][0])
    known = shown.places[shown.places >= 0]
    flat = moved.reshape(-1)
    at = int(known[flat[known].argmax()]) if known.size else int(flat.argmax())
    return shown.key, tuple(int(index) for index in np.unravel_index(at, shape))


# --- the time axis ----------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Axis:
    """Updates from left to right, evenly or on a log axis: log(1 + update)."""

    left: float
    right: float
    last: int
    log: bool = True

    def x(self, step: float) -> float:
        return float(self.xs(np.array(step, float)))

    def xs(self, steps: NDArray[Any]) -> Numbers:
        """The same of many."""
        share = np.log1p(steps) / np.log1p(self.last) if self.log else np.asarray(steps, float) / self.last
        return np.asarray(self.left + (self.right - self.left) * np.minimum(1.0, share))

    def middles(self) -> Numbers:
        """The updates in the middle of each of `BINS` equal pieces (BINS,)."""
        share = (np.arange(BINS) + 0.5) / BINS
        return np.asarray(np.expm1(share * np.log1p(self.last)) if self.log else share * self.last)

    def ticks(self) -> tuple[int, ...]:
        """Updates that are written."""
        if not self.log:
            each = 10 ** int(np.log10(self.last))
            each = each if self.last >= 4 * each else max(1, each // 2) if self.last >= 2 * each else max(1, each // 5)
            return tuple(range(0, self.last + 1, each))
        decades = range(int(np.log10(self.last)) + 1)
        return 0, *(part * 10 ** decade for decade in decades for part in (1, 3) if part * 10 ** decade <= self.last)


def binned(axis: Axis, steps: Numbers, values: Numbers, last: float = np.inf) -> Numbers:
    """(rows, BINS) of (moments, rows): in each piece the last moment that has come, NaN before the first and beyond
    `last`; the first piece is that of the first moment."""
    if not len(steps):
        return np.full((np.shape(values)[1], BINS), np.nan)
    middles = axis.middles()
    at = np.searchsorted(steps, middles + 1e-9, side="right") - 1
    beyond = np.concatenate([[-1.0], middles[:-1]]) >= last
    return np.where((at < 0) | beyond, np.nan, np.asarray(values, float)[np.maximum(at, 0)].T)


def thinned(xs: NDArray[Any], ys: NDArray[Any]) -> list[tuple[float, float]]:
    """The points of a curve; of those that fall on one pixel the highest and the lowest."""
    known = np.isfinite(ys)
    xs, ys = np.asarray(xs, float)[known], np.asarray(ys, float)[known]
    columns, starts = np.unique(np.floor(xs), return_index=True)
    if len(xs) <= 2 * len(columns):
        return list(zip(xs.tolist(), ys.tolist(), strict=True))
    ends = np.minimum.reduceat(ys, starts), np.maximum.reduceat(ys, starts)
    return [(x, float(end[column])) for column, x in enumerate(xs[starts].tolist()) for end in ends]
