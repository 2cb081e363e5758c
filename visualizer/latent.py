"""Latent numbers: the few from which a network makes a picture, where they stand in a recording, and walks among them.

A network that makes pictures of points (a decoder, alone or behind an encoder) is recognised by its structure: all that
it is given reaches the picture through one layer of few numbers. Numpy, no torch.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from visualizer.trace import Answer, Layer, Trace, remembered

Point = NDArray[np.float64]
Points = NDArray[np.float64]
MARK = "point:"
"""How the word for an input begins that is a point: `point:0.21,-0.35`."""
SEED = "seed="
"""Before the seed of a point that is drawn from the normal distribution around 0: `point:seed=7`."""
MOST = 64
"""More numbers are no point that anybody chooses."""
SMALLER = 4
"""A picture has so many times as many numbers at least."""
WALK = 41
"""Points of a walk."""


def answer_of(trace: Trace) -> Answer | None:
    """The picture that a recording makes of a point; None where it makes none."""
    return next((answer for answer in trace.answers if answer.layer in trace and of(trace, answer) is not None), None)


@remembered(8)
def of(trace: Trace, answer: Answer) -> Layer | None:
    """The layer that holds the point of which a picture is made: of all layers of one axis through which everything
    reaches the picture that of the fewest numbers, the last of those; None where there is none of so few."""
    made = trace[answer.layer]
    if made.axes[-2:] != ("row", "column") or (made.output.ndim > 2 and made.shape[:-2] not in ((1,), (3,))):
        return None
    behind = _behind(trace, made.name, "")
    few = [layer for layer in trace if layer.name in behind and layer.output.ndim == 1
           and 0 < layer.output.size <= MOST and SMALLER * layer.output.size <= made.output.size]
    given = {layer.name for layer in trace if layer.is_input} & behind
    through = [layer for layer in few if not given & _behind(trace, made.name, layer.name) - {layer.name}]
    least = min((layer.output.size for layer in through), default=0)
    return next((layer for layer in reversed(through) if layer.output.size == least), None)


def grown(trace: Trace, answer: Answer) -> tuple[Layer, ...]:
    """The layers that make the picture of the point, the point first, in the order of execution."""
    start = of(trace, answer)
    if start is None:
        return ()
    reached = {start.name}
    for layer in trace:
        if reached & {*layer.reads}:
            reached.add(layer.name)
    behind = _behind(trace, answer.layer, "")
    return tuple(layer for layer in trace if layer.name in reached & behind)


def _behind(trace: Trace, name: str, without: str) -> set[str]:
    """The layers from which one is made, itself among them, by ways that do not go through another."""
    found, left = set[str](), [name]
    while left:
        here = left.pop()
        if here not in found and here != without:
            found.add(here)
            left += trace[here].reads
    return found


def region(trace: Trace, answer: Answer) -> tuple[Layer, Layer] | None:
    """Middle of the region of the picture and logarithm of its variance, where the model says which layers these are
    (`latent`, `spread`) and they were computed."""
    names = [str(answer.settings.get(key, "")) for key in ("latent", "spread")]
    if not all(name in trace for name in names) or trace[names[0]].shape != trace[names[1]].shape:
        return None
    return trace[names[0]], trace[names[1]]


def nats(mean: NDArray[np.generic], spread: NDArray[np.generic]) -> NDArray[np.float64]:
    """How far the region is from the normal distribution around 0, along each axis: Kullback-Leibler divergence,
    (μ² + e^s − s − 1) / 2 nats with s = log σ²; Kingma and Welling 2014, appendix B."""
    middle, logarithm = np.asarray(mean, np.float64), np.asarray(spread, np.float64)
    return np.asarray((middle**2 + np.exp(logarithm) - logarithm - 1) / 2)


# --- words for points, and walks ------------------------------------------------------------------------------------

def words_of(point: Sequence[float] | Point) -> str:
    """`point:0.21,-0.35`, as a recipe names it: with four decimals."""
    return MARK + ",".join(f"{round(float(value), 4) + 0.0:g}" for value in point)


def drawn(count: int, seed: int) -> Point:
    """So many numbers of the normal distribution around 0, always the same ones of a seed."""
    return np.random.default_rng(seed).standard_normal(count)  # noqa: TID251 a person asks for it, with the seed


def line(start: Point, end: Point, count: int = WALK) -> Points:
    """Points (count, axis) evenly along the line between two."""
    return np.linspace(np.asarray(start, np.float64), np.asarray(end, np.float64), count)


def circle(middle: Point, radius: float, axes: tuple[int, int] = (0, 1), count: int = WALK) -> Points:
    """Points (count, axis) evenly around a middle in the plane of two axes, the first one again at the end."""
    turned = np.linspace(0.0, 2 * math.pi, count)
    found = np.repeat(np.asarray(middle, np.float64)[None], count, 0)
    found[:, axes[0]] += radius * np.cos(turned)
    found[:, axes[1]] += radius * np.sin(turned)
    return found
