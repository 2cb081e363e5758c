"""substitute: another word or symbol in the place of one."""

import numpy as np

from visualizer.edits import INPUT, SYMBOLS, Arguments, Edit, Grain, Knob, Matter
from visualizer.language import english, tr
from visualizer.trace import Array

MOST = 1_000_000
LONGEST = 100
PLACE = Knob("PLACE", None, 1, MOST)


def _read(words: str) -> Arguments:
    place, comma, symbol = words.partition(",")
    if not comma or not symbol or len(symbol) > LONGEST or not symbol.isprintable():
        raise ValueError(words)
    return PLACE.read(place), symbol


def substituted(matter: Matter, place: int, symbol: str) -> Array:
    """The symbol at that place, counted from 1, is another one."""
    if place > matter.pieces:
        raise ValueError(tr("it has {count} of them, counted from 1").format(count=matter.pieces))
    if matter.grain.letters and len(symbol) > 1:
        raise ValueError(tr("it is read letter by letter; give one"))
    found = matter.array.copy()
    found[place - 1] = symbol
    return np.asarray(found, object)


def _first(grain: Grain) -> Arguments:
    """A symbol that is known."""
    plain = (symbol for symbol in grain.known if symbol.strip() and symbol.isprintable() and symbol[0] != "<")
    return 1, next(plain, "?")


EDIT = Edit("substitute", english("Substitute"), INPUT, "substitute:PLACE,WORD",
            english("another word or symbol in the place of one, counted from 1"), _read,
            lambda place, symbol: tr("{place} is “{symbol}”").format(place=place, symbol=symbol), needs=SYMBOLS,
            does=substituted, first=_first, order=16)
