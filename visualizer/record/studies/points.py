"""Where the points of the bundled samples lie, and what is made of those of a plane: the same whatever is fed in."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from visualizer import inputs, latent
from visualizer.record.catalog import Opened
from visualizer.record.latent import decoding, points_of, settings_of
from visualizer.record.run import given_of, prepared, reads_of
from visualizer.record.studies import Pass, Study, Work
from visualizer.record.studies.latent import plane, suits, ticks
from visualizer.trace import Array, Refused

MOST_SAMPLES = 400


def run(again: Pass) -> Work:
    """`ticks`, the values along each side of a plane; of points of two numbers `plane:0,1` (row, column, …picture), the
    first to the right and the second up; `places` (sample, axis) of the bundled samples with their `labels`, −1 for
    unknown, and their `words` as UTF-8 with a sign between them. What a model does not tell is left out."""
    answer = latent.answer_of(again.trace)
    layer = None if answer is None else latent.of(again.trace, answer)
    assert answer is not None
    assert layer is not None
    yield 0.0, "the plane"
    found = {"ticks": ticks(again.trace)}
    decode = decoding(again.model, answer.settings, layer.name, again.inputs)
    if decode is not None and len(layer.output) == 2:
        found["plane:0,1"] = plane(decode, torch.zeros(2), 0, 1, found["ticks"])
    yield 0.5, "points of the samples"
    return {**found, **_places(again.opened)}


def _places(opened: Opened | None) -> dict[str, Array]:
    """Where the bundled samples lie, of a model that also finds points for pictures."""
    whole = None if opened is None else opened.whole or opened
    if whole is None or whole.prepare is None or "latent" not in settings_of(whole):
        return {}
    return _found(_Key(whole))


class _Key:
    """An opened model, by which it is remembered what was found for it."""

    def __init__(self, opened: Opened) -> None:
        self.opened = opened

    def __hash__(self) -> int:
        return id(self.opened.module)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and other.opened.module is self.opened.module


@lru_cache(2)
def _found(key: _Key) -> dict[str, Array]:
    opened = key.opened
    said = reads_of(opened)
    xs: list[Tensor] = []
    words: list[str] = []
    labels: list[int] = []
    for word in inputs.samples(inputs.of(said).name, said).words[:MOST_SAMPLES]:
        try:
            given = given_of(opened, word)
            x: Any = prepared(opened, given.raw)
        except (Refused, LookupError):
            continue
        if xs and x.shape != xs[0].shape:
            continue
        xs.append(x)
        words.append(word)
        labels.append(-1 if given.sample.label is None else given.sample.label)
    places = points_of(opened, torch.cat(xs)) if xs else None
    if places is None:
        return {}
    return {"places": places, "labels": np.array(labels, np.int64),
            "words": np.frombuffer("\0".join(words).encode(), np.uint8)}


STUDY = Study("points", "where other points lie", suits, run)
