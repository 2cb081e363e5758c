"""Measures: the numbers by which claims are decided. One file, one measure; each is found by its `MEASURE`.

A measure is asked for in words, as a claim writes them: `right lenet_mnist shift:4,4`. Its first word names it, the
others are what it is given. It is taken on the inputs that come with the app, or on all test inputs where their folder
is there. Two with ` / ` between them are how many times the second the first is.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from visualizer import inputs, registry
from visualizer.claims import Claim, Judged, Number, find, judged
from visualizer.language import tr
from visualizer.record.catalog import Opened, open_model
from visualizer.record.edits import of_input
from visualizer.record.run import reads_of
from visualizer.trace import Answer, Array, Refused, Trace

DIGITS = "mnist/mnist.npz"
"""Where all test digits lie in a folder of data."""
Work = Generator[tuple[float, str], None, Mapping[str, Number]]
"""Yields (share done, words) before each number, so that it can be stopped there; returns the numbers by name."""


@dataclass(frozen=True)
class Data:
    """On which inputs a number is taken."""

    folder: Path | None = None
    """Of all test inputs; None for those that come with the app."""

    @property
    def digits(self) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Pictures of digits (N, 28, 28), 0 to 255, and which each is."""
        return _digits(self.folder)


@dataclass(frozen=True)
class Measure:
    """One thing that can be measured."""

    name: str
    form: str
    """How it is asked for: `right MODEL [EDIT …]`."""
    about: str
    """One sentence for lists."""
    run: Callable[..., Number]
    """(data, words …) -> the number; raises ValueError for words that it cannot read."""


@cache
def known() -> Mapping[str, Measure]:
    """Every measure by its name."""
    return {module.MEASURE.name: module.MEASURE for module in registry.modules("record.measures")}


def measure(words: str, data: Data) -> Number:
    """The number that the words ask for; Refused with one sentence if they ask for none."""
    if " / " in words:
        return _ratio(*(measure(part, data) for part in words.split(" / ", 1)))
    name, *given = words.split() or [""]
    if name not in known():
        raise Refused(tr("There is no measure {name!r}; there are {known}."
                         ).format(name=name, known=", ".join(known())))
    try:
        return known()[name].run(data, *given)
    except (TypeError, ValueError) as error:
        raise Refused(tr("{words!r} cannot be measured ({why}); write {form}."
                         ).format(words=words, why=error, form=known()[name].form)) from error


def usual(words: str) -> Number:
    """The same on the inputs that come with the app."""
    return measure(words, Data())


def _ratio(one: Number, other: Number) -> Number:
    """How many times the second the first is, its relative errors added as those of independent numbers."""
    if not other.value:
        raise Refused(tr("The second of two numbers is 0, and nothing is a share of that."))
    share = one.value / other.value
    spread = np.hypot(one.error / one.value if one.value else 0.0, other.error / other.value)
    return Number(share, float(abs(share) * spread), min(one.of, other.of))


def judge(name: str, folder: str | Path | None = None) -> Judged:
    """A claim of `visualizer list claims` with its numbers, measured now: on the inputs that come with the app, or on
    all test inputs of a folder. Raises LookupError for a name that there is not, Refused for a folder without them."""
    claim = find(name)
    work = numbers_of(claim, Data(None if folder is None else Path(folder)))
    while True:
        try:
            next(work)
        except StopIteration as end:
            return judged(claim, end.value)


def numbers_of(claim: Claim, data: Data) -> Work:
    """Every number of a claim, by its name."""
    found: dict[str, Number] = {}
    for place, wanted in enumerate(claim.numbers):
        yield place / len(claim.numbers), wanted.name
        found[wanted.name] = measure(wanted.words, data)
    return found


# --- what several measures need -------------------------------------------------------------------------------------

def opened(name: str) -> Opened:
    """A bundled model, or one with the weights from before its training where `:before` follows its name."""
    bare, _, before = name.partition(":")
    return open_model(bare, untrained=before == "before")


def edited(made: Opened, pictures: NDArray[np.uint8], *words: str) -> NDArray[np.uint8]:
    """Pictures (N, row, column) after what is done to each."""
    reads = reads_of(made)
    return np.stack([of_input(words, picture, inputs.of(reads), reads, made.title) for picture in pictures])


def as_share(right: NDArray[np.bool_]) -> Number:
    """A share of inputs, with its binomial standard error."""
    count = len(right)
    share = float(right.mean())
    return Number(share, float(np.sqrt(share * (1 - share) / count)), count)


def as_mean(values: NDArray[np.float64]) -> Number:
    """A mean over inputs, runs or pairs, with its standard error."""
    values = np.asarray(values, np.float64).ravel()
    error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
    return Number(float(values.mean()), error, len(values))


def output_of(model: nn.Module, layer: str, x: Tensor) -> Tensor:
    """What a module inside a model gives for a batch."""
    kept: list[Tensor] = []
    hook = model.get_submodule(layer).register_forward_hook(lambda module, given, out: kept.append(out))
    try:
        with torch.no_grad():
            model(x)
    finally:
        hook.remove()
    return kept[-1]


@cache
def _digits(folder: Path | None) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    if folder is None:
        found = [(inputs.raw(sample.name), sample.label) for sample in inputs.all_samples("image")]
        kept = [(raw, label) for raw, label in found if raw.shape == (28, 28) and label is not None]
        return np.stack([raw for raw, _ in kept]), np.array([label for _, label in kept])
    try:
        with np.load(folder / DIGITS, allow_pickle=False) as arrays:
            return arrays["x_test"], arrays["y_test"].astype(np.int64)
    except (OSError, KeyError, ValueError) as error:
        raise Refused(tr("{folder} has no {file} with the test digits; leave --data out for the inputs that come "
                         "with the app.").format(folder=folder, file=DIGITS)) from error


def answered(trace: Trace, kind: str) -> tuple[Answer, Array]:
    """What a network handed back of that kind, and its numbers; raises ValueError where it hands back none."""
    found = next((answer for answer in trace.answers if answer.kind == kind), None)
    if found is None:
        raise ValueError(f"{trace.title} does not answer with {kind}")
    return found, trace[found.layer].output
