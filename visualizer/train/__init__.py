"""Train: a training as plain numbers: its knobs, its updates, its checkpoints, and what went wrong when.

A Run is told by plain words alone: the network, the Course of its knobs, the data, the input to which its answer is
watched. The same words make the same numbers, to the last byte, so a run can be taken up at any checkpoint, and
branches where a knob is turned:

    course = course_of({"rate": "0.003"})             # from the first update on
    course = turned(course, 165, {"rate": "0.01"})    # the same up to update 165, and then with another rate
    run = run.grown(updates, checkpoints, named)      # what comes of it, piece by piece
    run.column("loss"), run.columns("gradient")       # (updates,), (updates, layers): curves and maps
    run.at(165), run.best                             # the last checkpoint up to there, the best held-out one

No torch here: the window reads runs. `record.training` makes them, `kept` writes and reads their files, `taken_apart`
tells one update term by term.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.lab import Knob, knobs_of
from visualizer.language import english, kept_by_language, numeral, tr
from visualizer.trace import Refused

Numbers = NDArray[np.floating[Any]]
OWN = "own"
"""The word for what the network does by itself, where a knob can put something else in its place."""
OWN_BIAS = -6.0
"""The forget bias that is none: the network keeps its own."""
MOMENTUM = 0.9
"""How much of the last step's velocity is kept, with momentum."""
BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8
"""Adam's: how much of both moments is kept, and what keeps the denominator from 0. PyTorch's own."""
DEAD, SATURATED, VANISHED, EXPLODED, NOT_A_NUMBER = ANOMALIES = ("dead", "saturated", "vanished", "exploded", "nan")
HALF = 0.5
"""A layer is called dead or saturated from this share of its units or values on."""
TINY = 1e-5
"""A gradient has vanished where it is smaller than this part of the largest one of the same update."""
HUGE = 100.0
"""A gradient has exploded where it is so many times that of the first update, longer than 1, and the loss is larger,
too: with small first weights a gradient grows by itself as soon as a network begins to learn."""


def _knob(title: str, default: str | float, about: str, *, words: tuple[str, ...] = (),
          span: tuple[float, float, float] = (0.0, 0.0, 0.0), off: str = "", note: str = "") -> Any:
    """A field of Knobs that knows its knob."""
    return field(default=default, metadata={"title": title, "experiment": "", "about": about, "words": words,
                                            "span": span, "off": off, "note": note})


@dataclass(frozen=True)
class Knobs:
    """How a network is trained, from one update to the next; numbers are floats, whole ones too."""

    optimiser: str = _knob(english("Optimiser"), "adam", english("What makes a step of a gradient."),
                           words=("sgd", "momentum", "adam"))
    rate: float = _knob(english("Learning rate"), 1e-3, english("How far a step goes for a gradient of 1."),
                        span=(1e-6, 1000.0, 0.0))
    batch: float = _knob(english("Batch"), 32, english("Rows of the data that one update reads."),
                         span=(1, 60_000, 1))
    init: str = _knob(english("Initial weights"), OWN, english("How all matrices and kernels are drawn at first."),
                      words=(OWN, "xavier", "he", "orthogonal", "zero"))
    activation: str = _knob(english("Activation"), OWN, english("What stands in the place of every ReLU or tanh."),
                            words=(OWN, "relu", "leaky_relu", "tanh", "sigmoid"))
    norm: str = _knob(english("Normalisation"), "none", english("Between the weights and the activation."),
                      words=("none", "batch", "layer"))
    clip: float = _knob(english("Clip the gradient at"), 0.0,
                        english("The gradient of all weights together is rescaled to at most this norm."),
                        span=(0.0, 100.0, 0.1), off="off")
    forget: float = _knob(english("Forget bias"), OWN_BIAS,
                          english("Sum of both biases of every forget gate at first; large keeps the cell state."),
                          span=(OWN_BIAS, 6.0, 0.1), off=OWN)
    seed: float = _knob(english("Seed"), 0, english("Another number draws the weights and the batches anew."),
                        span=(0, 9_999, 1))

    def words(self) -> dict[str, str]:
        """Every knob as a word: `knobs_from` gives an equal one back."""
        return {each.name: each.write(getattr(self, each.name)) for each in knobs()}


FIRST = ("init", "activation", "norm", "forget", "seed")
"""Knobs that act before the first update alone: turned later they begin a new run."""


@kept_by_language()
def knobs() -> tuple[Knob, ...]:
    """Every knob of a training, in the order in which they are shown, in the language spoken."""
    return knobs_of(Knobs)


def knob(name: str) -> Knob:
    """The knob of that name; raises LookupError with one sentence."""
    for found in knobs():
        if found.name == name:
            return found
    raise LookupError(tr("A training has no knob {name}; it has {known}.").format(
        name=repr(name), known=", ".join(it.name for it in knobs())))


def knobs_from(words: Mapping[str, str], before: Knobs | None = None) -> Knobs:
    """Some knobs turned, `{"rate": "0.01"}`, the others as `before`; LookupError for an unknown one, Refused for a bad
    word, one sentence each."""
    read: dict[str, Any] = {name: knob(name).read(word) for name, word in words.items()}
    return replace(before or Knobs(), **read)


# --- the course of a run --------------------------------------------------------------------------------------------

Course = tuple[tuple[int, Knobs], ...]
"""Which knobs hold from which number of updates on; the first from 0. Equal courses make equal numbers."""


def course_of(words: Mapping[str, str] | None = None, before: Knobs | None = None) -> Course:
    """One setting of the knobs from the first update on."""
    return ((0, knobs_from(words or {}, before)),)


def turned(course: Course, step: int, words: Mapping[str, str]) -> Course:
    """The same up to `step` updates and then with some knobs turned; a knob of `FIRST` begins anew at 0."""
    now = knobs_from(words, in_force(course, step))
    if step <= 0 or any(name in FIRST for name in words):
        return ((0, now),)
    return (*(stretch for stretch in course if stretch[0] < step), (step, now))


def in_force(course: Course, step: int) -> Knobs:
    """The knobs with which the update after `step` updates is made."""
    return [each for start, each in course if start <= step][-1]


def plain_course(course: Course) -> list[list[Any]]:
    """As it crosses between processes; `course_from` gives an equal one back."""
    return [[start, each.words()] for start, each in course]


def course_from(plain: Sequence[Sequence[Any]]) -> Course:
    """The course that `plain_course` wrote; raises Refused with one sentence for any other."""
    try:
        course = tuple((int(start), knobs_from(dict(words))) for start, words in plain)
    except (TypeError, ValueError, AttributeError) as error:
        raise Refused(tr("The course of this training cannot be read; begin a new one.")) from error
    starts = [start for start, _ in course]
    if not starts or starts[0] != 0 or starts != sorted(set(starts)):
        raise Refused(tr("The course of this training cannot be read; begin a new one."))
    return course


def words_of(course: Course) -> str:
    """A course in one word, `0,rate=0.01;165,rate=0.003`: of every stretch the knobs that stand elsewhere than by
    default. `course_said` gives an equal one back."""
    usual = Knobs().words()
    return ";".join(",".join((str(start), *(f"{name}={word}" for name, word in each.words().items()
                                            if word != usual[name]))) for start, each in course)


def course_said(words: str) -> Course:
    """The course that `words_of` wrote; raises Refused with one sentence for any other."""
    stretches = [stretch.split(",") for stretch in words.split(";")]
    try:
        return course_from([[int(start), dict(pair.split("=", 1) for pair in pairs)] for start, *pairs in stretches])
    except (ValueError, LookupError) as error:
        raise Refused(tr("The course of this training cannot be read; begin a new one.")) from error


# --- what comes of it -----------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Update:
    """One update: what was measured on its batch before it, and what it did; NaN where that is not measured."""

    step: int
    """How many updates there were with it, from 1."""
    loss: float
    """Mean over its batch, with the weights from before."""
    right: float
    """Share of its batch that was answered rightly; NaN for a network that answers with numbers."""
    gradient: tuple[float, ...]
    """‖∂L/∂W‖ of each layer, before it is clipped."""
    moved: tuple[float, ...]
    """‖ΔW‖ of each layer: how far the step went."""
    weights: tuple[float, ...]
    """‖W‖ of each layer, from before."""
    dead: tuple[float, ...] = ()
    """Share of the units of each activation that no row of the batch turned on; NaN where none can be off."""
    saturated: tuple[float, ...] = ()
    """Share of the values of each activation in the flat parts of its curve; of a ReLU those that are 0."""
    spread: tuple[float, ...] = ()
    """Standard deviation of the values of each activation."""
    answer: tuple[float, ...] = ()
    """What is answered to the chosen input afterwards: a probability for each class, or the number."""
    watched: tuple[float, ...] = ()
    """The chosen weights, afterwards."""

    @property
    def ratio(self) -> tuple[float, ...]:
        """How far the step went, as a part of the size of the weights; about 0.001 is usual."""
        return tuple(moved / size if size else math.nan for moved, size in zip(self.moved, self.weights, strict=True))


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """All weights after so many updates, with what was measured of them on the held-out rows."""

    step: int
    """0 is before the first update."""
    held_loss: float
    held_right: float
    """Share of the held-out rows that is answered rightly; NaN for a network that answers with numbers."""
    answer: tuple[float, ...] = ()
    """What is answered to the chosen input."""
    weights: Mapping[str, Numbers] = field(default_factory=dict)
    """By the names of torch; empty where they are kept elsewhere, in the recording of the same step."""


@dataclass(frozen=True)
class Named:
    """Something that went wrong, when it began."""

    step: int
    what: str
    """One of `ANOMALIES`."""
    where: str
    """Layer or activation; empty for the loss."""
    value: float
    """The share that is dead or saturated, the part that is left of a gradient, or how many times it has grown."""


@dataclass(frozen=True, eq=False)
class Run:
    """A training, as far as it has come."""

    model: str
    course: Course = ((0, Knobs()),)
    sample: str = ""
    """The input to which the answer is watched; empty for the network's first sample."""
    data: str = ""
    """The folder of the full data; empty for what ships with the app."""
    about: str = ""
    """Which data, and how many rows to learn from and held out."""
    layers: tuple[str, ...] = ()
    """Layers with weights, in their order: the columns of `gradient`, `moved` and `weights`."""
    activations: tuple[str, ...] = ()
    """The columns of `dead`, `saturated` and `spread`."""
    labels: tuple[str, ...] = ()
    """The columns of `answer`."""
    watched: tuple[str, ...] = ()
    """The chosen weights, `conv1.weight:0,0,2,2`."""
    updates: tuple[Update, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()
    named: tuple[Named, ...] = ()
    stopped: bool = False
    """Whether it can go no further: a number was none."""

    @property
    def step(self) -> int:
        """Updates that were made."""
        return max((self.updates[-1].step if self.updates else 0,
                    self.checkpoints[-1].step if self.checkpoints else 0))

    def grown(self, updates: Iterable[Update] = (), checkpoints: Iterable[Checkpoint] = (),
              named: Iterable[Named] = ()) -> Run:
        """The same with what came next."""
        more = tuple(named)
        return replace(self, updates=(*self.updates, *updates), checkpoints=(*self.checkpoints, *checkpoints),
                       named=(*self.named, *more),
                       stopped=self.stopped or any(each.what == NOT_A_NUMBER for each in more))

    def until(self, step: int, course: Course | None = None) -> Run:
        """What of it a branch at `step` shares with it, with the course of the branch."""
        return replace(self, course=self.course if course is None else course, stopped=False,
                       updates=tuple(each for each in self.updates if each.step <= step),
                       checkpoints=tuple(each for each in self.checkpoints if each.step <= step),
                       named=tuple(each for each in self.named if each.step <= step))

    def column(self, name: str) -> Numbers:
        """One number of every update (updates,): `step`, `loss`, `right`."""
        return np.array([getattr(each, name) for each in self.updates], dtype=float)

    def columns(self, name: str) -> Numbers:
        """Several numbers of every update (updates, layers or activations): `gradient`, `ratio`, `dead`."""
        wide = len(self.activations if name in ("dead", "saturated", "spread") else self.layers)
        return np.array([getattr(each, name) for each in self.updates], dtype=float).reshape(len(self.updates), wide)

    def at(self, step: int) -> Checkpoint | None:
        """The last checkpoint with at most so many updates."""
        return next((each for each in reversed(self.checkpoints) if each.step <= step), None)

    @cached_property
    def best(self) -> Checkpoint | None:
        """The checkpoint with the least loss over the held-out rows, of those where it is a number."""
        known = [each for each in self.checkpoints if math.isfinite(each.held_loss)]
        return min(known, key=lambda each: each.held_loss, default=None)

    def plain(self) -> dict[str, Any]:
        """As it crosses between processes; `run_from` gives an equal one back."""
        return {"model": self.model, "course": plain_course(self.course), "sample": self.sample, "data": self.data,
                "about": self.about, "layers": list(self.layers), "activations": list(self.activations),
                "labels": list(self.labels), "watched": list(self.watched), "stopped": self.stopped,
                **plain_news(self.updates, self.checkpoints, self.named)}


def run_from(plain: Mapping[str, Any]) -> Run:
    """The run that `plain` wrote."""
    words = {name: tuple(plain[name]) for name in ("layers", "activations", "labels", "watched")}
    updates, checkpoints, named = news_from(plain)
    return Run(str(plain["model"]), course_from(plain["course"]), str(plain["sample"]), str(plain["data"]),
               str(plain["about"]), **words, updates=updates, checkpoints=checkpoints, named=named,
               stopped=bool(plain["stopped"]))


def plain_news(updates: Iterable[Update], checkpoints: Iterable[Checkpoint],
               named: Iterable[Named]) -> dict[str, Any]:
    """What came next, as it crosses between processes; `news_from` gives it back."""
    return {"updates": [[getattr(each, item.name) for item in fields(Update)] for each in updates],
            "checkpoints": [[each.step, each.held_loss, each.held_right, list(each.answer),
                             {name: _packed(array) for name, array in each.weights.items()}] for each in checkpoints],
            "named": [[each.step, each.what, each.where, each.value] for each in named]}


def news_from(plain: Mapping[str, Any]) -> tuple[tuple[Update, ...], tuple[Checkpoint, ...], tuple[Named, ...]]:
    """The updates, checkpoints and names that `plain_news` wrote."""
    rows: list[list[Any]] = [[tuple(part) if isinstance(part, list | tuple) else part for part in row]
                             for row in plain["updates"]]
    updates = tuple(Update(*row) for row in rows)
    checkpoints = tuple(Checkpoint(step, loss, right, tuple(answer),
                                   {name: _unpacked(word) for name, word in weights.items()})
                        for step, loss, right, answer, weights in plain["checkpoints"])
    return updates, checkpoints, tuple(Named(*row) for row in plain["named"])


def _packed(array: Numbers) -> list[Any]:
    little = np.ascontiguousarray(array, dtype="<f4")
    return [list(array.shape), base64.b64encode(little.tobytes()).decode("ascii")]


def _unpacked(plain: Sequence[Any]) -> Numbers:
    shape, word = plain
    return np.frombuffer(base64.b64decode(word), "<f4").reshape(tuple(shape))


# --- in words -------------------------------------------------------------------------------------------------------

def anomalies(update: Update, first: Update, layers: Sequence[str], activations: Sequence[str]) -> list[Named]:
    """What is wrong with an update: each thing as it is named, whether or not it was wrong before."""
    step, found = update.step, []
    if not math.isfinite(update.loss) or not all(map(math.isfinite, update.moved)):
        return [Named(step, NOT_A_NUMBER, "", update.loss)]
    for name, dead, saturated in zip(activations, update.dead, update.saturated, strict=True):
        if dead >= HALF:
            found.append(Named(step, DEAD, name, dead))
        elif math.isnan(dead) and saturated >= HALF:
            found.append(Named(step, SATURATED, name, saturated))
    largest = max(update.gradient, default=0.0)
    for name, now, at_first in zip(layers, update.gradient, first.gradient, strict=True):
        if now < TINY * largest or largest == 0:
            found.append(Named(step, VANISHED, name, now / largest if largest else 0.0))
        elif now > HUGE * at_first and now > 1 and at_first > 0 and update.loss > first.loss:
            found.append(Named(step, EXPLODED, name, now / at_first))
    return found


MANY = 1e6
"""From here on a number of times is told as a power of ten."""


def sentence(named: Named) -> str:
    """One sentence about something that went wrong."""
    share, step = numeral(f"{100 * named.value:.0f}"), numeral(f"{named.step:,}")
    words = {
        DEAD: tr("From update {step} on {share} % of the units of {where} are dead: no row of the batch turns them "
                 "on."),
        SATURATED: tr("From update {step} on {share} % of the values of {where} are saturated: next to no gradient "
                      "passes."),
        VANISHED: tr("From update {step} on the gradient of {where} has vanished: it is {part} of the largest one."),
        EXPLODED: tr("From update {step} on the gradient of {where} has exploded: it is {times} times that of the "
                     "first update."),
        NOT_A_NUMBER: tr("At update {step} the loss or a weight is no number any more; the training stops there. Go "
                         "back to the checkpoint before and take a smaller learning rate."),
    }[named.what]
    return words.format(step=step, share=share, where=named.where, part=numeral(f"{named.value:.1e}"),
                        times=numeral(f"{named.value:,.0f}" if named.value < MANY else f"{named.value:.1e}"))


# --- when weights are kept ------------------------------------------------------------------------------------------

PER_TENFOLD = 8
"""Checkpoints from one number of updates to ten times as many."""


def is_kept(step: int) -> bool:
    """Whether the weights after so many updates become a checkpoint: 0, 1, 2, 3, 4, 6, 8, 10, 13, … evenly on a log
    axis."""
    if step <= 0:
        return step == 0
    nearest = round(PER_TENFOLD * math.log10(step))
    return any(step == round(10 ** (place / PER_TENFOLD)) for place in (nearest - 1, nearest, nearest + 1))
