"""Said: a number that a person reads, with what it claims to be, so that somebody else can work it out again.

A sentence, tip, heading or card does not put a bare number into its words, but `said(words, quantity, layer, …)`, which
hands the words back. Who listens learns what was claimed: `tests/test_sentences.py` works every quantity out from the
recording alone and compares; a number that nobody claimed anything of fails there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from visualizer.trace import Cell, Layer


class Said(NamedTuple):
    """A number in words, and what it is the number of."""

    text: str
    """As it is read: `1.18 × 10⁻²²`, `36 %`, `five`; how it is rounded can be told from it."""
    quantity: str
    """What it claims to be, one of those that `tests/quantities.py` can work out: `norm of gradient`."""
    layer: str = ""
    cell: Cell = ()
    """Of which part of the layer: a cell, or its first indices, a channel; empty for all of it."""
    step: int | None = None
    """At which step, from 0 in the order in which the recording holds them."""
    array: str = ""
    """Of which array, where the quantity does not say: `inner.forget`, `weights.weight`, `inner_gradients.cell`."""


Claim = tuple[str, str, Cell, int | None, str]
"""What a number claims to be, without its words: the other fields of Said."""

_listeners: list[list[Said]] = []


def said(text: str, quantity: str, layer: str = "", cell: Cell = (), step: int | None = None, array: str = "") -> str:
    """The words, unchanged."""
    for heard in _listeners:
        heard.append(Said(text, quantity, layer, tuple(int(index) for index in cell),
                          None if step is None else int(step), array))
    return text


def of(quantity: str, layer: Layer, cell: Cell = (), array: str = "") -> Claim:
    """The claim of a quantity of a layer."""
    return quantity, layer.name, cell, None, array


def axis(layer: Layer, number: int, array: str = "") -> Claim:
    """The claim of the length of an axis of the output of a layer, or of another array of it."""
    return of("length of axis", layer, (number,), array)


def size(layer: Layer, array: str = "") -> Claim:
    """The claim of how many numbers there are."""
    return of("how many", layer, array=array)


def lengths(layer: Layer, first: int = 0, array: str = "", last: int | None = None) -> str:
    """`12 × 6 × 6`: the lengths of the axes of the output, or of another array, from the `first` on up to the `last`;
    nothing for a single number."""
    group, _, key = array.partition(".")
    found = layer.output if not group else getattr(layer, group)[key] if key else getattr(layer, group)
    return " × ".join(said(f"{found.shape[at]:,}", *axis(layer, at, array))
                      for at in range(found.ndim)[first:last])


@contextmanager
def listening() -> Iterator[list[Said]]:
    """All that is said meanwhile."""
    heard: list[Said] = []
    _listeners.append(heard)
    try:
        yield heard
    finally:
        _listeners.remove(heard)
