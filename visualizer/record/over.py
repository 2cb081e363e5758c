"""over: the inputs that a model is stepped through, those picked of them that can be told only by running it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from visualizer import inputs, latent
from visualizer.language import tr
from visualizer.over import CIRCLE, EXCITE, MEASURED, WALKS, Inputs, Met, Over, picked, why_not
from visualizer.record.catalog import Opened
from visualizer.record.latent import decoder_of, points_of
from visualizer.record.run import edited, given_of, prepared, reads_of, record
from visualizer.trace import Refused, Trace

RADIUS = 1.5
"""Of a circle of which nobody says how far from the middle it is."""
Listing = Generator[tuple[float, str], None, Inputs]
"""Yields (share done, words) before each input, so that it can be stopped there; returns the list."""


def listed(over: Over, opened: Opened, edits: Sequence[str] = ()) -> Listing:
    """The inputs of a model that the words ask for, in the order in which they are stepped through.

    Those that do not fit are skipped and named in it. Raises Refused with one sentence where nothing is left,
    LookupError for a unit that there is not.
    """
    if over.pick in WALKS:
        yield 0.0, "points"
        return walked(over, opened)
    said = reads_of(opened)
    found = inputs.candidates(over.source, inputs.of(said), said)
    measures = over.pick in MEASURED
    how = _how(over, opened, found, edits) if measures and found.words else None
    words: list[str] = []
    labels: list[int | None] = []
    met: list[Met] = []
    skipped = list(found.skipped)
    for number, word in enumerate(found.words):
        yield number / len(found.words), f"{number + 1} / {len(found.words)}"
        try:
            given = edited(given_of(opened, word), edits, opened)
            x = prepared(opened, given.raw)
            met.append(Met() if how is None else how.met(word, x))
        except (Refused, LookupError) as error:
            skipped.append((Path(word).name, str(error.args[0] if error.args else error)))
            continue
        words.append(word)
        labels.append(given.sample.label)
    whole = replace(found, words=tuple(words), labels=tuple(labels), skipped=tuple(skipped))
    return picked(over, whole, met, opened.labels)


def walked(over: Over, opened: Opened) -> Inputs:
    """The points of a walk, each as a recipe names it; Refused where a model makes no pictures of points."""
    size = int(decoder_of(opened).card["input"]["shape"][0])
    if over.pick == CIRCLE:
        if size < 2:
            raise Refused(tr("{model} makes its pictures of one number, in which there is no circle."
                             ).format(model=opened.title))
        points = latent.circle(np.zeros(size), float(over.of or RADIUS))
    else:
        ends = [word.strip() for word in over.of.split(",")]
        if len(ends) != 2:
            raise Refused(tr("A line has two ends; write for example inputs:line=digit-3,digit-7."))
        found = [points_of(opened, prepared(opened, given_of(opened, word).raw)) for word in ends]
        if found[0] is None or found[1] is None:
            raise Refused(tr("{model} does not tell which layer holds the points of its pictures; name it in its "
                             "manifest, as the latent of its answer.").format(model=opened.title))
        points = latent.line(found[0][0], found[1][0])
    words = tuple(dict.fromkeys(map(latent.words_of, points)))
    return Inputs(words, (None,) * len(words))


class _Run:
    """How it is found out what the network makes of an input."""

    def __init__(self, over: Over, opened: Opened, first: Trace, edits: Sequence[str]) -> None:
        self.over, self.opened, self.edits = over, opened, tuple(edits)
        said = first.answers[0] if first.answers else None
        self.shares = said is not None and not said.returned
        """Whether the model hands back probabilities itself, not the logits they are made of."""

    def met(self, word: str, x: Tensor | tuple[Tensor, ...]) -> Met:
        """What came of one input: of `excite` the largest value of the unit, else the likeliest class, by one plain
        pass."""
        if self.over.pick == EXCITE:
            return Met(excited=excitement(record(self.opened, word, objective="none", edits=self.edits), self.over))
        with torch.no_grad():
            out = self.opened.module(*(x if isinstance(x, tuple) else (x,)))[0].double()
        shares = out if self.shares else out.softmax(-1)
        return Met(int(shares.argmax()), float(shares.max()))


def _how(over: Over, opened: Opened, found: Inputs, edits: Sequence[str]) -> _Run | None:
    """None where nothing can be measured, of which `picked` then says why."""
    if over.pick != EXCITE and not opened.labels:
        raise Refused(why_not(over.pick, found, ()))
    for word in found.words:
        try:
            first = record(opened, word, objective="none", edits=edits)
        except (Refused, LookupError):
            continue
        if over.pick == EXCITE:
            excitement(first, over)
        elif first.answer is None:
            raise Refused(why_not(over.pick, found, ()))
        return _Run(over, opened, first, edits)
    return None


def excitement(trace: Trace, over: Over) -> float:
    """The largest value of a unit over its places and steps; raises LookupError with one sentence."""
    name, unit, inner = over.unit
    if name not in trace:
        raise LookupError(tr("There is no layer {name!r}; choose one of {known}."
                             ).format(name=name, known=", ".join(layer.name for layer in trace)))
    layer = trace[name]
    values, axes = (layer.inner.get(inner), ("step", "unit")) if inner else (layer.output, layer.axes)
    axis = next((axes.index(each) for each in ("channel", "unit", "class", "feature") if each in axes), 0)
    if values is None or not values.ndim or unit >= values.shape[axis]:
        count = 0 if values is None or not values.ndim else values.shape[axis]
        raise LookupError(tr("There is no unit {unit} in {name}; it has {count}.").format(
            unit=unit, name=f"{name}, {inner}" if inner else name, count=count))
    return float(np.max(np.take(values, unit, axis)))
