"""What is seen of an answer that tells pixels apart: scores, chances, what each pixel is taken for, the one that is
opened; as it was recorded, or as it would have been without the skips."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from visualizer import answers, kinds
from visualizer.answers import label as label_of
from visualizer.kinds import pixels
from visualizer.kinds.curves import SIGMOID
from visualizer.kinds.skips import STUDY, skips
from visualizer.language import tr
from visualizer.said import Claim, said
from visualizer.scene.picture import Focus, Look
from visualizer.trace import Answer, Arrays, Cell, Layer, Trace, remembered

KNOB, WITH, WITHOUT = "skips", "with", "without"
PIXEL = re.compile(r"pixel:(?:\d+,)?(\d+),(\d+)")
MOST_CLASSES = 5
"""So many classes have a row, where there are more than one more; the others are told together."""
Values = NDArray[np.float64]
Pixel = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Seen:
    """One answer."""

    trace: Trace
    answer: Answer
    """What the model said; of a mask, that there is something else or it."""
    scores: str
    """The layer that the chances are made of; empty where the model hands back chances and no more is known."""
    shares: str
    """The layer of the chances; empty where they are made here, by a sigmoid."""
    channel: int | None = None
    """Of a mask: which channel of its layer it is; −1 where that has none."""
    cut: bool = False
    """Whether it is seen without its skips."""

    def values(self, name: str) -> NDArray[np.float32]:
        """What a layer made, or would have made."""
        found: NDArray[np.float32] = self._cut[name] if self.changed(name) else self.trace[name].output
        return found

    def changed(self, name: str) -> bool:
        """Whether a layer would have made something else without the skips, and that is what is seen."""
        return self.cut and name in self._cut

    def claim(self, quantity: str, cell: Cell = ()) -> Claim:
        """A claim about what the pixels are taken for."""
        name = self.source
        return quantity, name, cell, None, f"studies {STUDY} {name}" if self.changed(name) else ""

    @property
    def source(self) -> str:
        """The layer of which what is seen is made: scores, or where there are none chances."""
        return self.scores or self.shares

    @property
    def _cut(self) -> Arrays:
        return self.trace.studies.get(STUDY, {})

    @property
    def alone(self) -> bool:
        """Whether it is one chance for each pixel, by a sigmoid."""
        return self.channel is not None

    @property
    def least(self) -> float:
        """Of a mask: the probability above which a pixel belongs to it."""
        return float(self.answer.settings.get("threshold", 0.5))

    def _maps(self, name: str) -> Values:
        """(class, row, column): one for a mask."""
        found = np.asarray(self.values(name), np.float64)
        if self.channel is None:
            return found
        return found[None] if self.channel < 0 else found[self.channel][None]

    @cached_property
    def scored(self) -> Values | None:
        """(class, row, column), float64."""
        return self._maps(self.scores) if self.scores else None

    @cached_property
    def chances(self) -> Values:
        """(class, row, column), float64: made of the scores, as the model does it."""
        if self.scored is None:
            return self._maps(self.shares)
        return 1 / (1 + np.exp(-self.scored)) if self.alone else pixels.shares(self.scored)

    @cached_property
    def decided(self) -> Values:
        """(class, row, column): the largest is what a pixel is taken for."""
        if not self.alone:
            return self.chances
        return np.concatenate([np.full_like(self.chances, self.least), self.chances])

    @cached_property
    def given(self) -> pixels.Classes:
        """What each pixel is taken for (row, column)."""
        return pixels.classes(self.decided)

    @cached_property
    def entropy(self) -> Values:
        """Bits of doubt (row, column)."""
        p = np.concatenate([1 - self.chances, self.chances]) if self.alone else self.chances
        found: Values = -(p * np.log2(np.where(p > 0, p, 1.0))).sum(axis=0)
        return found

    @cached_property
    def overlaps(self) -> tuple[pixels.Overlap, ...]:
        return pixels.overlaps(self.answer, self.decided)

    @cached_property
    def mean(self) -> float | None:
        """Mean overlap of the classes that are there or found, without the ground."""
        return pixels.mean_overlap(self.answer, self.decided)

    @property
    def size(self) -> Pixel:
        return self.chances.shape[1], self.chances.shape[2]

    def cell(self, row: int, pixel: Pixel) -> Cell:
        """Where the number of a row of classes for a pixel stands in its layer."""
        head = (row,) if self.channel is None else () if self.channel < 0 else (self.channel,)
        return (*head, *pixel)

    def said(self, pixel: Pixel) -> str:
        """Row and column of a pixel."""
        cell = self.cell(0, pixel)
        return ", ".join(said(str(index), "index", self.answer.layer, cell[:len(cell) - 1 + axis])
                         for axis, index in enumerate(pixel))

    def label(self, index: int) -> str:
        return label_of(self.answer, index)

    def row_label(self, row: int) -> str:
        """The name of the class of a row."""
        return self.label(row + 1 if self.alone else row)

    @property
    def likely(self) -> Values:
        """How likely each pixel is what it is taken for (row, column)."""
        if self.alone:
            one: Values = np.maximum(self.chances[0], 1 - self.chances[0])
            return one
        found: Values = self.chances.max(axis=0)
        return found

    def rows(self, pixel: Pixel) -> tuple[int, ...]:
        """The classes that have a row: all, or the likeliest at that pixel, in the order of the classes."""
        count = len(self.chances)
        if count <= MOST_CLASSES + 1:
            return tuple(range(count))
        return tuple(sorted(np.argsort(-self.chances[:, pixel[0], pixel[1]], kind="stable")[:MOST_CLASSES].tolist()))


def seen(trace: Trace, look: Look) -> Seen | None:
    """The first answer that tells pixels apart; None where there is none."""
    cut = look.knob(KNOB, WITH) == WITHOUT and STUDY in trace.studies
    return _seen(trace, cut)


@remembered(2)
def _seen(trace: Trace, cut: bool) -> Seen | None:
    for answer in trace.answers:
        made, layer = answers.of(answer), trace[answer.layer]
        if made is None or layer.axes[-2:] != ("row", "column") or not layer.output.size:
            continue
        read = trace.inputs(layer)
        if made.along == ("row", "column") and layer.output.ndim == 3:
            scores = read[0].name if len(read) == 1 and kinds.shares(layer) else ""
            return Seen(trace, answer, scores, answer.layer, None, cut)
        if made is answers.asked("mask") and layer.output.ndim in (2, 3):
            channel = -1 if layer.output.ndim == 2 else int(answer.settings.get("channel", 0))
            logit = answer.settings.get("score") == "logit"
            ends = not logit and kinds.curve(layer) is SIGMOID and len(read) == 1 and read[0].shape == layer.shape
            truth = None if answer.truth is None else (answer.truth > 0.5).astype(np.int64)
            names = (tr("outside"), *(answer.labels[-1:] or (tr("inside"),)))
            told = Answer(answer.layer, answer.kind, names, {**answer.settings, "ground": 0}, answer.returned, truth)
            return Seen(trace, told, answer.layer if logit else read[0].name if ends else "",
                        "" if logit else answer.layer, channel, cut)
    return None


def skipping(trace: Trace) -> bool:
    """Whether it has skips that can be cut."""
    return bool(skips(trace))


def opened(one: Seen, focus: Focus | None) -> Pixel:
    """The pixel that was chosen, in whatever map; else the one that is sent back; else the most doubtful one that is
    taken for something."""
    rows, columns = one.size
    if focus is not None and focus.layer in one.trace and focus.array == "output":
        layer = one.trace[focus.layer]
        if layer.axes[-2:] == ("row", "column") and len(focus.cell) == layer.output.ndim:
            row, column = ((2 * at + 1) * size // (2 * own) for at, size, own in
                           zip(focus.cell[-2:], (rows, columns), layer.shape[-2:], strict=True))
            return min(row, rows - 1), min(column, columns - 1)
    match = PIXEL.fullmatch(one.trace.objective.kind)
    if match is not None and int(match[1]) < rows and int(match[2]) < columns:
        return int(match[1]), int(match[2])
    if one.cut:
        return opened(replace(one, cut=False), focus)
    if not one.alone:
        return pixels.doubtful(one.answer, one.chances)
    other = one.given > 0
    doubt = np.where(other, np.nan_to_num(one.entropy), -1.0) if other.any() else np.nan_to_num(one.entropy)
    at = np.unravel_index(int(doubt.argmax()), one.size)
    return int(at[0]), int(at[1])


def read_by(one: Seen) -> Layer | None:
    """The layer whose maps the scores weigh at one place each: what a 1 × 1 convolution reads; None where the scores
    are made in another way."""
    if not one.scores:
        return None
    layer = one.trace[one.scores]
    weight, read, made = layer.weights.get("weight"), one.trace.inputs(layer), kinds.of(layer)
    plain = weight is not None and weight.ndim == 4 and weight.shape[-2:] == (1, 1) and len(read) == 1 \
        and made is not None and made.role == "weighted" and made.weight_axis == 0 \
        and read[0].shape[-2:] == layer.shape[-2:] and weight.shape[1] == read[0].shape[0]
    return read[0] if plain else None


def products(one: Seen, row: int, pixel: Pixel) -> Values:
    """(channel,): what each map adds to the score of a class at a pixel."""
    source = read_by(one)
    assert source is not None
    weight = one.trace[one.scores].weights["weight"]
    index = row if one.channel is None else max(0, one.channel)
    found: Values = weight[index, :, 0, 0].astype(np.float64) * one.values(source.name)[:, pixel[0], pixel[1]]
    return found
