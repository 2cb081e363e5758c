"""Edits: what is done to a network or to its input before it is recorded. One file, one edit; found by its `EDIT`.

An edit is a few words in a recipe, `unit_off:conv2:7`, so that it is saved, undone and asked for like everything else.
A file says what it does to an array or to a unit; `record.edits` has it done, to whatever module that is. What an
edit of an input needs to know of it, each kind of input says of itself, as its `Grain`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Any

import numpy as np

from visualizer import registry
from visualizer.edits.cuts import Cut
from visualizer.language import counted_as, numeral, tr, translated
from visualizer.trace import Array

WEIGHTS, MODEL, TEACHER, INPUT = "weights", "model", "teacher", "input"
"""What an edit applies to: which weights a network starts with, how it computes, what it is told on the way, what it is
given."""
PLANE, NUMBERS, STEPS, LETTERS, SYMBOLS, WORDS = "plane", "numbers", "steps", "letters", "symbols", "words"
"""What an edit needs of an input: rows and columns; numbers; anything in an order; numbers or letters in an order;
symbols; words."""
PAD, DIE, PATCH = "pad", "die", "patch"
"""What a hand finds beside the strength: directions, a die with the seed, where a patch lies."""
SHARE = "share"
"""The unit of a strength from 0 to 1."""
MOST_SEED = 1 << 31
MOST_VALUES = 4_000_000
"""Numbers or symbols that an input may have after it was edited."""
NUMBER = re.compile(r"[+-]?(\d{1,9}(\.\d{0,9})?|\.\d{1,9})", re.ASCII)

Arguments = tuple[Any, ...]
Chance = np.random.Generator  # noqa: TID251 of an input that a person asks for, from the seed that is shown


def drawn(*seeds: int) -> Chance:
    """Random numbers that are the same each time."""
    return np.random.default_rng(seeds)  # noqa: TID251 as above


# --- what an input is made of ---------------------------------------------------------------------------------------

def _itself(raw: Any) -> Any:
    return raw


@dataclass(frozen=True, eq=False)
class Grain:
    """What inputs of a kind are made of, as far as an edit takes hold of it."""

    axes: tuple[str, ...]
    """Of the array that `cut` makes, such as `row`, `column`, or `step`, `number`; `symbol` where it is made of those.
    """
    along: str
    """The axis along which it is read."""
    one: str
    """What is read at a time: `row`, `word`."""
    many: str
    each: int = 1
    """So many places along that axis are read at a time."""
    span: tuple[float, float] | None = None
    """The smallest and the largest number there can be; None where there is no such thing."""
    empty: Any = 0
    """What stands where nothing is; None where nothing can stand."""
    letters: bool = False
    """Whether its symbols are the characters of a text, set apart into words by blanks."""
    known: Sequence[str] = ()
    """Symbols that can be put in."""
    cut: Callable[[Any], Array] = np.asarray
    """An input -> its array."""
    join: Callable[[Array], Any] = _itself
    """The array -> an input."""

    def has(self, needed: str) -> bool:
        """Whether an edit finds what it needs."""
        symbols = "symbol" in self.axes
        return {PLANE: {"row", "column"} <= set(self.axes), NUMBERS: not symbols, STEPS: True, SYMBOLS: symbols,
                LETTERS: not symbols or self.letters, WORDS: symbols}[needed]


@dataclass(frozen=True, eq=False)
class Matter:
    """One input in the hands of an edit."""

    array: Array
    grain: Grain
    salt: int = 0
    """Follows from the input as it was before any edit, so that each has random numbers of its own, always the same."""

    def axis(self, name: str) -> int:
        """The number of an axis."""
        return self.grain.axes.index(name)

    @property
    def along(self) -> int:
        """The axis along which it is read."""
        return self.axis(self.grain.along)

    @property
    def pieces(self) -> int:
        """How many are read, one at a time; what is left over at the end counts as one."""
        return -(-int(self.array.shape[self.along]) // self.grain.each)

    def chance(self, seed: int) -> Chance:
        """Random numbers of this input alone."""
        return drawn(seed, self.salt)

    def ordered(self, order: Iterable[int]) -> Array:
        """Its pieces in another order; some may be left out, or come several times."""
        each, length = self.grain.each, self.array.shape[self.along]
        places = [place for piece in order for place in range(piece * each, min((piece + 1) * each, length))]
        return np.take(self.array, places, self.along)


# --- what an edit is ------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Knob:
    """One number behind the name of an edit."""

    name: str
    """`RIGHT`, as its form calls it."""
    default: float | None
    """None where it has to be said."""
    low: float
    high: float
    whole: bool = True

    def read(self, word: str) -> float:
        """The number that is written; raises ValueError for any other word."""
        value = float(word) if NUMBER.fullmatch(word.strip()) else math.nan
        if not self.low <= value <= self.high or (self.whole and value != int(value)):
            raise ValueError(word)
        return int(value) if self.whole else value


def seed() -> Knob:
    """The seed of what is random in an edit."""
    return Knob("SEED", 0, 0, MOST_SEED - 1)


def _first(arguments: Arguments) -> float:
    return abs(float(arguments[0]))


def _same_sign(arguments: Arguments, strength: float) -> Arguments:
    return (math.copysign(strength, arguments[0]) if strength else 0, *arguments[1:])


@dataclass(frozen=True)
class Strength:
    """How strongly something is done, as one number; 0 is as it was."""

    title: str
    """`distance`."""
    unit: str
    """`px`, `°`, `%`, `×`; `share` of what is written as 0 … 1; empty for what `Grain.many` counts, as `px` are where
    there are none."""
    curve: tuple[float, ...]
    """At which of them right answers are counted, from 0 on; a slider ends where they do."""
    default: float
    step: float = 1.0
    signed: bool = False
    """Whether a slider goes as far below 0."""
    of: Callable[[Arguments], float] = _first
    at: Callable[[Arguments, float], Arguments] = _same_sign
    """(arguments, strength) -> the same, that strong: its direction, its seed, its place are kept."""

    def said(self, value: float, grain: Grain | None = None) -> str:
        """`4 px`, `30 %`, `15°`, `3 rows`."""
        if self.unit == "°":
            return numeral(f"{value:g}°")
        if self.unit == SHARE:
            return numeral(f"{round(100 * value, 1):g} %")
        counted = not self.unit or (self.unit == "px" and grain is not None and not grain.has(PLANE))
        unit = self.unit if not counted else "" if grain is None else \
            translated(counted_as(value, grain.one, grain.many))
        return numeral(f"{value:g} {unit}").rstrip()


@dataclass(frozen=True)
class Edit:
    """One thing that can be done."""

    name: str
    title: str
    """Of an input: `Shuffle {many}` where what is read at a time has its own word."""
    applies_to: str
    """`weights`, `model`, `teacher` or `input`."""
    form: str
    """How it is written: `unit_off:LAYER:UNIT`."""
    about: str
    """One sentence for lists and tooltips."""
    read: Callable[[str], Arguments]
    """What stands behind its name, taken apart; ValueError if it cannot be."""
    said: Callable[..., str]
    """Its arguments -> a few words behind the name of what was edited: `unit 7 of conv2 off`."""
    cuts: Callable[..., Cut] | None = None
    """Of a model: its arguments -> what is changed in it."""
    draws: Callable[..., int] | None = None
    """Of a model: its arguments -> the seed by which it draws the point of which it makes its picture."""
    needs: str = ""
    """Of an input, as all that follows: what of it there has to be."""
    does: Callable[..., Array] | None = None
    """(Matter, *arguments) -> the array that is given instead; ValueError with a few words if it has no such thing."""
    strength: Strength | None = None
    """None for what is done or not."""
    beside: str = ""
    """What a hand finds beside the strength."""
    first: Callable[[Grain], Arguments] = lambda grain: ()
    """The arguments with which it begins, for what has no strength."""
    leaves: Callable[..., Array | None] | None = None
    """(shape, Grain, *arguments) -> the places whose numbers are carried over the frame, True; None for none of them.
    Of an edit that moves what is in a frame."""
    order: int = 50
    """Where it stands among the others."""

    def titled(self, grain: Grain | None = None) -> str:
        """Its title in the words of an input."""
        many = tr("steps") if grain is None else translated(grain.many)
        return translated(self.title).format(many=many)

    def begins(self, grain: Grain) -> str:
        """As it is done first when somebody chooses it."""
        if self.strength is None:
            return self.write(self.first(grain))
        return self.write(self.read(f"{self.strength.default:g}"))

    def lacks(self, grain: Grain) -> str:
        """Why it makes no sense for such an input, in a few words; empty if it does."""
        if grain.has(self.needs):
            return ""
        return {PLANE: tr("it has no rows and columns"), NUMBERS: tr("it is made of symbols, not of numbers"),
                LETTERS: tr("it is read word by word, so that its words are shuffled"),
                SYMBOLS: tr("it is made of numbers, not of symbols"), WORDS: tr("it has no words")}[self.needs]

    def write(self, arguments: Arguments) -> str:
        """As it stands in a recipe; `parse` gives equal arguments back."""
        words = [f"{value:.9g}" if isinstance(value, float) else str(value) for value in arguments]
        while len(words) > 1 and not isinstance(arguments[len(words) - 1], str) and words[-1] == "0":
            words.pop()
        return f"{self.name}:{','.join(words)}" if words else self.name


def of_knobs(*knobs: Knob) -> Callable[[str], Arguments]:
    """How an edit is read that is a few numbers with commas between them; those that are not said have their default.
    """
    def read(words: str) -> Arguments:
        said = [*words.split(","), *[None] * len(knobs)] if words else [None] * len(knobs)
        if any(word is not None for word in said[len(knobs):]):
            raise ValueError(words)
        found: list[float] = []
        for knob, word in zip(knobs, said, strict=False):
            if word is None and knob.default is None:
                raise ValueError(words)
            found.append(knob.default or 0 if word is None else knob.read(word))
        return tuple(found)

    return read


# --- all of them ----------------------------------------------------------------------------------------------------

@cache
def all_edits() -> tuple[Edit, ...]:
    """Every edit found in this folder, by name."""
    found = (getattr(module, "EDIT", None) for module in registry.modules("edits"))
    return tuple(sorted((edit for edit in found if isinstance(edit, Edit)), key=lambda edit: edit.name))


def fitting(grain: Grain | None) -> tuple[Edit, ...]:
    """The edits that make sense for such an input, in the order in which they are offered."""
    found = [edit for edit in all_edits() if edit.applies_to == INPUT and grain is not None and not edit.lacks(grain)]
    return tuple(sorted(found, key=lambda edit: edit.order))


def find(name: str) -> Edit:
    """The edit of that name; raises LookupError with one sentence."""
    for edit in all_edits():
        if edit.name == name:
            return edit
    raise LookupError(tr("There is no edit {name!r}; choose one of {known}."
                         ).format(name=name[:40], known=", ".join(edit.form for edit in all_edits())))


@lru_cache(maxsize=128)
def parse(words: str) -> tuple[Edit, Arguments]:
    """The edit that these words ask for, and with what; raises LookupError with one sentence."""
    name, _, rest = words.partition(":")
    edit = find(name)
    try:
        return edit, edit.read(rest)
    except ValueError:
        raise LookupError(tr("The edit {name!r} cannot be read; write {form}."
                             ).format(name=words[:40], form=edit.form)) from None


def what_if(words: str) -> str:
    """An edit of an input as a command line says it, `shift=3,0`, as a recipe writes it; raises LookupError with one
    sentence."""
    name, equals, rest = words.partition("=")
    edit, arguments = parse(f"{name}:{rest}" if equals else name)
    if edit.applies_to != INPUT:
        raise LookupError(tr("The edit {name!r} is done to a network, not to its input; write --edit {form}."
                             ).format(name=name, form=edit.form))
    return edit.write(arguments)


def of(words: Iterable[str], *applies_to: str) -> tuple[tuple[Edit, Arguments], ...]:
    """Those of the edits that apply to such a thing, in their order; raises LookupError with one sentence."""
    return tuple(found for found in map(parse, words) if found[0].applies_to in applies_to)


def those(words: Iterable[str], *applies_to: str) -> tuple[str, ...]:
    """The words of those edits that apply to such a thing; what cannot be read applies to nothing."""
    names = {edit.name for edit in all_edits() if edit.applies_to in applies_to}
    return tuple(word for word in words if word.partition(":")[0] in names)


def said(words: Iterable[str], *applies_to: str) -> str:
    """What was done, in a few words: `before training, unit 7 of conv2 off`; empty for nothing."""
    return ", ".join(edit.said(*arguments) for edit, arguments in
                     of(words, *(applies_to or (WEIGHTS, MODEL, TEACHER, INPUT))))


def at(words: str, strength: float) -> str:
    """The same edit at another strength."""
    edit, arguments = parse(words)
    return words if edit.strength is None else edit.write(edit.strength.at(arguments, strength))


def done(matter: Matter, words: Iterable[str]) -> Matter:
    """An input with the edits of inputs done to it; raises ValueError with a few words."""
    for edit, arguments in of(words, INPUT):
        assert edit.does is not None
        if why := edit.lacks(matter.grain):
            raise ValueError(why)
        if edit.strength is not None and not edit.strength.of(arguments):
            continue
        matter = replace(matter, array=edit.does(matter, *arguments))
        if matter.array.size > MOST_VALUES:
            raise ValueError(tr("it would be too long"))
    return matter
