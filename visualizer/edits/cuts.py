"""Cuts: what an edit of a network changes in it, in plain words; `record.cutting` has each done."""

from __future__ import annotations

from dataclasses import dataclass

ZERO, MEAN = "zero", "mean"
"""What stands in place of a state: nothing, or what it is on average over the inputs that ship. Any other word names an
input, whose state it is."""


@dataclass(frozen=True)
class Scaled:
    """What one channel or unit of a part gives is multiplied, and what every other one gives."""

    layer: str
    unit: int
    factor: float
    others: float = 1.0


@dataclass(frozen=True)
class Put:
    """A number in a weight, a bias or a kernel."""

    parameter: str
    """With the name of its part: `conv2.weight`, as the model or the recording calls it."""
    place: tuple[int, ...]
    """Of fewer axes than the parameter has: of all that lies there."""
    value: float


@dataclass(frozen=True)
class Unwired:
    """A connection that carries nothing: every weight from one channel or unit to another."""

    layer: str
    to: int
    source: int


@dataclass(frozen=True)
class Gate:
    """A gate that stands open or shut, whatever comes in."""

    layer: str
    gate: str
    unit: int | None
    """None for those of all units."""
    open: bool


@dataclass(frozen=True)
class Replaced:
    """Something else in place of what a part gives."""

    layer: str
    unit: int | None
    """None for all of it."""
    by: str


@dataclass(frozen=True)
class Restarted:
    """Something else in place of the state that a recurrent layer has after so many steps."""

    layer: str
    step: int
    by: str


BENDS = ("none", "leaky", "relu", "tanh", "sigmoid")
"""Curves that can stand in place of another."""


@dataclass(frozen=True)
class Added:
    """A number added to what one channel or unit of a part gives."""

    layer: str
    unit: int
    amount: float


@dataclass(frozen=True)
class Bent:
    """Another curve in place of that of a part."""

    layer: str
    curve: str


@dataclass(frozen=True)
class Swapped:
    """Two channels or units that change places, in what makes them and in what reads them."""

    layer: str
    one: int
    other: int


Cut = Scaled | Put | Unwired | Gate | Replaced | Restarted | Added | Bent | Swapped


def of_unit(words: str) -> tuple[str, int]:
    """`conv2:7` taken apart; ValueError if it cannot be."""
    layer, _, unit = words.rpartition(":")
    if not layer or not unit.isdecimal() or len(unit) > 9:
        raise ValueError(words)
    return layer, int(unit)


def number(word: str) -> float:
    """A number as people and programs write it, `-0.5`, `1e38`; ValueError for any other word, and what is none."""
    value = float(word)
    if value - value or len(word) > 40:  # infinite, or not a number
        raise ValueError(word)
    return value
