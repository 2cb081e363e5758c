"""blur: each number averaged with those around it, weighted by a Gaussian; along rows and columns, or along steps."""

import math
from functools import lru_cache

import numpy as np

from visualizer.edits import INPUT, NUMBERS, PLANE, Edit, Knob, Matter, Strength, of_knobs
from visualizer.edits._sampled import as_before
from visualizer.language import english, numeral, tr
from visualizer.trace import Array


def _said(sigma: float) -> str:
    return tr("blurred by {sigma}").format(sigma=numeral(f"{sigma:g}"))


def blurred(matter: Matter, sigma: float) -> Array:
    """The Gaussian is cut off at four times its width and adds up to 1; beyond the edge is what is empty."""
    found = matter.array.astype(np.float64) - matter.grain.empty
    for name in ("row", "column") if matter.grain.has(PLANE) else (matter.grain.along,):
        axis = matter.axis(name)
        found = np.moveaxis(np.tensordot(_weights(found.shape[axis], sigma), found, (1, axis)), 0, axis)
    return as_before(found + matter.grain.empty, matter.array)


@lru_cache(maxsize=16)
def _weights(length: int, sigma: float) -> Array:
    """(place, place that is read)."""
    reach = math.ceil(4 * sigma)
    away = np.arange(-reach, reach + 1)
    bell = np.exp(-0.5 * (away / sigma) ** 2)
    bell /= bell.sum()
    apart = np.arange(length)[None, :] - np.arange(length)[:, None]
    found: Array = np.where(np.abs(apart) <= reach, bell[np.clip(apart, -reach, reach) + reach], 0.0)
    return found


EDIT = Edit("blur", english("Blur"), INPUT, "blur:WIDTH",
            english("each number averaged with those around it, by a Gaussian so wide"),
            of_knobs(Knob("WIDTH", None, 0, 50, whole=False)), _said, needs=NUMBERS, does=blurred,
            strength=Strength(english("width"), "px", (0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4), 1.5, 0.25), order=5)
