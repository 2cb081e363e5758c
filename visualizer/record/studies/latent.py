"""What a network that makes pictures of points makes of others: a plane of them, those beside its own, the points of
the bundled samples, and how each pixel changes with each number of the point."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from itertools import combinations
from typing import Any

import numpy as np
import torch
from torch import Tensor

from visualizer import inputs, latent
from visualizer.record.catalog import Opened
from visualizer.record.latent import decoding, points_of, settings_of
from visualizer.record.precision import in_precision
from visualizer.record.run import given_of, prepared, reads_of
from visualizer.record.studies import Pass, Study, Work
from visualizer.trace import Array, Refused, Trace

REACH = 3.0
"""A plane goes from −3 to 3: so far lie 997 of 1,000 numbers of the normal distribution."""
SIDE, FEW, SMALL = 13, 7, 4
"""Pictures along a side of the plane; where there are several planes, or the pictures are larger than 32 × 32; and
with more than eight numbers."""
LARGE = 32 * 32
BESIDE, STEP = 0.5, 0.1
"""How far the pictures beside lie, and the step whose change is predicted."""
MOST_SAMPLES = 400


def suits(trace: Trace) -> bool:
    """Whether it makes a picture of a point."""
    return latent.answer_of(trace) is not None


def run(again: Pass) -> Work:
    """`slopes` (axis, …picture) how much each pixel changes with each number of the point, ∂ pixel / ∂ z, in float64;
    `moved` the picture a step of 0.1 further along each axis, and `beside` (axis, 2, …picture) half a unit before and
    behind; `plane:0,1` (row, column, …picture) for two axes, the first to the right and the second up, the others as
    they are, at the values `ticks`; `places` (sample, axis) of the bundled samples with their `labels`, −1 for unknown,
    and their `words` as UTF-8 with a sign between them. What a model does not tell is left out."""
    answer = latent.answer_of(again.trace)
    assert answer is not None
    layer = latent.of(again.trace, answer)
    assert layer is not None
    settings = {**answer.settings}
    yield 0.0, "pictures beside"
    point = torch.from_numpy(np.array(layer.output, np.float64))
    found: dict[str, Array] = {}
    with in_precision(again.model, torch.float64) as model:
        decode = decoding(model, settings, layer.name, again.inputs)
        if decode is None:
            return {}
        found |= _beside(decode, point)
    yield 0.2, "planes"
    decode = decoding(again.model, settings, layer.name, again.inputs)
    assert decode is not None
    axes = [*combinations(range(len(point)), 2)] if len(point) <= 16 else [(0, 1)]
    side = SIDE if len(axes) == 1 else FEW if len(point) <= 8 else SMALL
    if again.trace[answer.layer].output[0].size > LARGE:
        side = min(side, FEW)
    ticks = np.linspace(-REACH, REACH, side)
    found["ticks"] = ticks
    for number, (across, up) in enumerate(axes):
        yield 0.2 + 0.5 * number / len(axes), "planes"
        found[f"plane:{across},{up}"] = _plane(decode, point, across, up, ticks)
    yield 0.7, "points of the samples"
    return {**found, **_places(again.opened)}


def _beside(decode: Callable[[Tensor], Tensor], point: Tensor) -> dict[str, Array]:
    """Pictures near the point, and slopes along each axis, each by two ways back in the place of one way forwards:
    vᵀJ is linear in v, and its own gradient along an axis is the column of J."""
    own = torch.eye(len(point), dtype=point.dtype)
    start = point[None].requires_grad_()
    made = decode(start)
    along = torch.zeros_like(made, requires_grad=True)
    back, = torch.autograd.grad(made, start, along, create_graph=True)
    slopes = [torch.autograd.grad(back, along, axis[None], retain_graph=True)[0][0] for axis in own]
    with torch.no_grad():
        moved = decode(point + STEP * own)
        beside = torch.stack([decode(point + way * BESIDE * own) for way in (-1, 1)], 1)
    return {"slopes": torch.stack(slopes).detach().numpy(), "moved": moved.numpy(),
            "beside": beside.float().numpy()}


def _plane(decode: Callable[[Tensor], Tensor], point: Tensor, across: int, up: int, ticks: Array) -> Array:
    points = point.float().repeat(len(ticks), len(ticks), 1)
    points[:, :, across] = torch.from_numpy(ticks).float()[None]
    points[:, :, up] = torch.from_numpy(ticks[::-1].copy()).float()[:, None]
    with torch.no_grad():
        made = decode(points.reshape(-1, len(point)))
    return np.asarray(made.reshape(len(ticks), len(ticks), *made.shape[1:]).numpy())


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


STUDY = Study("latent", "what is made of other points", suits, run)
