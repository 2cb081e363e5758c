"""erase: a share of the numbers is gone, or of the symbols of a text."""

import numpy as np

from visualizer.edits import DIE, INPUT, STEPS, Edit, Matter, of_knobs
from visualizer.edits._chosen import knobs, share
from visualizer.language import english, numeral, tr
from visualizer.trace import Array


def _said(part: float, seed: int) -> str:
    return tr("{share} % erased").format(share=numeral(f"{100 * part:g}"))


def erased(matter: Matter, part: float, seed: int) -> Array:
    """What is erased at a smaller share is erased at a larger one, too. Of symbols at least one is left."""
    array = matter.array
    order = matter.chance(seed).permutation(array.size)
    if "symbol" in matter.grain.axes:
        gone = order[:min(round(part * array.size), array.size - 1)]
        return np.delete(array, gone)
    found = array.copy()
    found.reshape(-1)[order[:round(part * array.size)]] = matter.grain.empty
    return found


EDIT = Edit("erase", english("Erase"), INPUT, "erase:SHARE,SEED",
            english("a share of its numbers is set to nothing, of its symbols left out"), of_knobs(*knobs()), _said,
            needs=STEPS, does=erased, strength=share((0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.75, 0.9), 0.3), beside=DIE,
            order=7)
