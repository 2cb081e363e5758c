"""Said: a number that a person reads, with what it claims to be, so that somebody else can work it out again.

A sentence, tip, heading or card does not put a bare number into its words, but `said(words, quantity, layer, …)`, which
hands the words back. Who listens learns what was claimed: `tests/test_sentences.py` works every quantity out from the
recording alone and compares; a number that nobody claimed anything of fails there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from visualizer.language import manner, numeral
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
_placing: list[list[Said]] = []
"""Those of the listeners that want to see in the words which claim stands where; the last one does."""
OPEN, CLOSE = "\u2061", "\u2062"
_DIGITS = "".join(map(chr, range(0xFE00, 0xFE10)))
"""Signs without ink or width: around words stand the first two, after the opening one the number of their claim."""
_SIGNS = re.compile(f"[{OPEN}{CLOSE}{_DIGITS}]")


def said(text: str, quantity: str, layer: str = "", cell: Cell = (), step: int | None = None, array: str = "") -> str:
    """The words, unchanged; while somebody listens for places, between signs that nobody sees."""
    if not _listeners:
        return text
    claim = Said(unplaced(text), quantity, layer, tuple(int(index) for index in cell),
                 None if step is None else int(step), array)
    for heard in _listeners:
        heard.append(claim)
    if not _placing:
        return text
    number = "".join(_DIGITS[int(digit, 16)] for digit in f"{len(_placing[-1]) - 1:x}")
    return f"{OPEN}{number}{text}{CLOSE}"


def claimed(words: str, claims: Sequence[Claim], place: int = 0) -> str:
    """The words with the claim at a place, if one was told."""
    return said(words, *claims[place]) if place < len(claims) else words


def constants(words: str) -> str:
    """Words whose numbers are none of a recording, and claim no more than themselves: those of an equation, a bound."""
    number = r"\d+(?:\.\d+)?" if manner().point == "." else r"\d+(?:[.,]\d+)?"
    return re.sub(number, lambda found: said(
        numeral(found[0]), "factor", array=repr(float(found[0].replace(",", ".")))), words)


def unplaced(text: str) -> str:
    """Words without the signs of claims."""
    return _SIGNS.sub("", text)


def places(text: str, heard: list[Said]) -> tuple[str, list[tuple[int, int, Said]]]:
    """Words without signs, and from where to where in them stands what was claimed of what; what was cut off reaches to
    the end."""
    bare, found, opened, at = "", [], [], 0
    while at < len(text):
        if text[at] == OPEN:
            end = at + 1
            while end < len(text) and text[end] in _DIGITS:
                end += 1
            opened.append((len(bare), int("".join(f"{_DIGITS.index(sign):x}" for sign in text[at + 1:end]), 16)))
            at = end
            continue
        if text[at] == CLOSE:
            start, number = opened.pop()
            found.append((start, len(bare), heard[number]))
        elif text[at] not in _DIGITS:
            bare += text[at]
        at += 1
    return bare, found + [(start, len(bare), heard[number]) for start, number in opened]


def of(quantity: str, layer: Layer, cell: Cell = (), array: str = "") -> Claim:
    """The claim of a quantity of a layer."""
    return quantity, layer.name, cell, None, array


def found(quantity: str, study: str, key: str, *cell: int) -> Claim:
    """The claim of a quantity of an array that a study measured."""
    return quantity, "", cell, None, f"studies {study} {key}"


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
    return " × ".join(said(numeral(f"{found.shape[at]:,}"), *axis(layer, at, array))
                      for at in range(found.ndim)[first:last])


def tick(words: str, value: float, low: float, high: float) -> str:
    """A number on an axis that goes from `low` to `high`."""
    return said(words, "tick", array=f"{float(value)!r} in {float(low)!r} … {float(high)!r}")


@contextmanager
def listening(placing: bool = False) -> Iterator[list[Said]]:
    """All that is said meanwhile; with `placing` the words carry where, for `places`."""
    heard: list[Said] = []
    into = (_listeners, _placing) if placing else (_listeners,)
    for listeners in into:
        listeners.append(heard)
    try:
        yield heard
    finally:
        for listeners in into:
            listeners[:] = [other for other in listeners if other is not heard]
