"""permute: the pixels of every picture change places, each time in the same way."""

import numpy as np

from visualizer.edits import DIE, INPUT, NUMBERS, PLANE, Edit, Matter, drawn, of_knobs
from visualizer.edits._chosen import knobs, mixed, share
from visualizer.language import english, numeral, tr
from visualizer.trace import Array


def _said(part: float, seed: int) -> str:
    return tr("pixels permuted") if part == 1 else tr("{share} % of the pixels permuted").format(
        share=numeral(f"{100 * part:g}"))


def permuted(matter: Matter, part: float, seed: int) -> Array:
    """One fixed permutation, which follows from the seed alone; of a table or a sound that of its steps."""
    chance = drawn(seed)
    if not matter.grain.has(PLANE):
        return np.take(matter.array, mixed(matter.array.shape[matter.along], part, chance), matter.along)
    pixels = matter.array.reshape(*matter.array.shape[:-2], -1)
    return pixels[..., mixed(pixels.shape[-1], part, chance)].reshape(matter.array.shape)


EDIT = Edit("permute", english("Permute"), INPUT, "permute:SHARE,SEED",
            english("pixels that change places, in every picture in the same way"), of_knobs(*knobs()), _said,
            needs=NUMBERS, does=permuted, strength=share(), beside=DIE, order=8)
