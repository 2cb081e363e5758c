"""What a network that makes pictures of points makes of those beside its own, and how each pixel changes with each
number of the point; of points of more than two numbers also planes through it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import numpy as np
import torch
from torch import Tensor

from visualizer import latent
from visualizer.record.latent import decoding
from visualizer.record.precision import in_precision
from visualizer.record.studies import Pass, Study, Work
from visualizer.trace import Array, Trace

REACH = 3.0
"""A plane goes from −3 to 3: so far lie 997 of 1,000 numbers of the normal distribution."""
SIDE, SEVERAL, LARGE, MANY = 13, 9, 7, 4
"""Pictures along a side of the plane; where there are several planes; where the pictures are larger than 32 × 32; where
there are more than eight numbers."""
LARGE_PICTURE = 32 * 32
MOST_AXES = 16
"""Of points of more numbers there is a plane of the first two alone."""
BESIDE, STEP = 0.5, 0.1
"""How far the pictures beside lie, and the step whose change is predicted."""


def suits(trace: Trace) -> bool:
    """Whether it makes a picture of a point."""
    return latent.answer_of(trace) is not None


def run(again: Pass) -> Work:
    """`slopes` (axis, …picture) how much each pixel changes with each number of the point, ∂ pixel / ∂ z, in float64;
    `moved` the picture a step of 0.1 further along each axis, and `beside` (axis, 2, …picture) half a unit before and
    behind; of more than two axes `plane:0,1` (row, column, …picture) for each two. Nothing where the model does not
    tell how it makes pictures."""
    answer = latent.answer_of(again.trace)
    layer = None if answer is None else latent.of(again.trace, answer)
    assert answer is not None
    assert layer is not None
    yield 0.0, "pictures beside"
    point = torch.from_numpy(np.array(layer.output, np.float64))
    with in_precision(again.model, torch.float64) as model:
        decode = decoding(model, answer.settings, layer.name, again.inputs)
        if decode is None:
            return {}
        found = _beside(decode, point)
    if len(point) < 3:
        return found
    decode = decoding(again.model, answer.settings, layer.name, again.inputs)
    assert decode is not None
    axes = [*combinations(range(len(point)), 2)] if len(point) <= MOST_AXES else [(0, 1)]
    for number, (across, up) in enumerate(axes):
        yield 0.2 + 0.8 * number / len(axes), "planes"
        found[f"plane:{across},{up}"] = plane(decode, point, across, up, ticks(again.trace))
    return found


def ticks(trace: Trace) -> Array:
    """The values along each side of a plane."""
    answer = latent.answer_of(trace)
    layer = None if answer is None else latent.of(trace, answer)
    assert answer is not None
    assert layer is not None
    count = len(layer.output)
    side = SIDE if count < 3 else SEVERAL if count <= 8 else MANY
    rows, columns = trace[answer.layer].shape[-2:]
    return np.linspace(-REACH, REACH, min(side, LARGE) if rows * columns > LARGE_PICTURE else side)


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


def plane(decode: Callable[[Tensor], Tensor], point: Tensor, across: int, up: int, ticks: Array) -> Array:
    """(row, column, …picture): what is made of the points of a plane, one axis to the right, the other up."""
    points = point.float().repeat(len(ticks), len(ticks), 1)
    points[:, :, across] = torch.from_numpy(ticks).float()[None]
    points[:, :, up] = torch.from_numpy(ticks[::-1].copy()).float()[:, None]
    with torch.no_grad():
        made = decode(points.reshape(-1, len(point)))
    return np.asarray(made.reshape(len(ticks), len(ticks), *made.shape[1:]).numpy())


STUDY = Study("latent", "what is made of points beside", suits, run)
