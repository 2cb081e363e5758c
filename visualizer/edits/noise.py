"""noise: random numbers added, drawn from a Gaussian; how wide it is, as a share of all that the numbers can span."""

import numpy as np

from visualizer.edits import DIE, INPUT, NUMBERS, SHARE, Edit, Knob, Matter, Strength, of_knobs, seed
from visualizer.edits._sampled import as_before
from visualizer.language import english, numeral, tr
from visualizer.trace import Array


def _said(share: float, seed: int) -> str:
    return tr("with {share} % noise").format(share=numeral(f"{100 * share:g}"))


def noisy(matter: Matter, share: float, seed: int) -> Array:
    """More of it is the same noise made larger. What cannot be smaller or larger stays within."""
    array, span = matter.array, matter.grain.span
    low, high = span or (float(array.min()), float(array.max()))
    found = array + share * ((high - low) or 1.0) * matter.chance(seed).standard_normal(array.shape)
    return as_before(found if span is None else np.clip(found, low, high), array)


EDIT = Edit("noise", english("Noise"), INPUT, "noise:SHARE,SEED",
            english("random numbers added, as wide as a share of what the numbers span"),
            of_knobs(Knob("SHARE", None, 0, 10, whole=False), seed()), _said, needs=NUMBERS, does=noisy,
            strength=Strength(english("width"), SHARE, (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8), 0.3, 0.05),
            beside=DIE, order=4)
