"""pad: so many steps behind its end, with nothing in them."""

import numpy as np

from visualizer.edits import INPUT, STEPS, Edit, Knob, Matter, Strength, of_knobs
from visualizer.language import english, tr
from visualizer.trace import Array

MOST = 10_000


def _said(steps: int) -> str:
    return tr("{steps} empty behind it").format(steps=steps)


def padded(matter: Matter, steps: int) -> Array:
    """So many rows, steps or symbols that are empty."""
    if matter.grain.empty is None:
        raise ValueError(tr("it has nothing that stands for empty"))
    shape = list(matter.array.shape)
    shape[matter.along] = steps * matter.grain.each
    return np.concatenate([matter.array, np.full(shape, matter.grain.empty, matter.array.dtype)], axis=matter.along)


EDIT = Edit("pad", english("Pad"), INPUT, "pad:STEPS", english("so many steps behind its end with nothing in them"),
            of_knobs(Knob("STEPS", None, 0, MOST)), _said, needs=STEPS, does=padded,
            strength=Strength(english("length"), "", tuple(map(float, range(0, 33, 4))), 8,
                              at=lambda arguments, strength: (round(strength),)), order=14)
