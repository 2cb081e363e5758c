"""What edits share that concern a share of the parts of an input."""

from __future__ import annotations

import numpy as np

from visualizer.edits import SHARE, Arguments, Chance, Knob, Strength, seed
from visualizer.language import english
from visualizer.trace import Array

EIGHTHS = tuple(eighth / 8 for eighth in range(9))


def knobs(most: float = 1.0) -> tuple[Knob, Knob]:
    """A share, and the seed of which parts it is."""
    return Knob("SHARE", None, 0, most, whole=False), seed()


def share(curve: tuple[float, ...] = EIGHTHS, default: float = 1.0) -> Strength:
    """How large a share it is."""
    return Strength(english("share"), SHARE, curve, default, 0.05, at=_at)


def _at(arguments: Arguments, strength: float) -> Arguments:
    return (strength, *arguments[1:])


def mixed(count: int, part: float, chance: Chance) -> Array:
    """Numbers 0 … count − 1 of which such a part, drawn by chance, have changed places with each other; a larger part
    holds all of a smaller one."""
    order = np.arange(count)
    drawn = np.sort(chance.permutation(count)[:round(part * count)])
    order[drawn] = drawn[chance.permutation(len(drawn))]
    return order
