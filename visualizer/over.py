"""Over: which inputs are stepped through, in plain words: all of a list, one class, the wrong ones, the least sure.

`inputs` are the bundled samples that a model reads, `inputs:FOLDER` the files of a folder, `inputs:FILE` the lines of a
text or of a table; `inputs:wrong`, `inputs:class=4` are some of them, `inputs:unsure:FOLDER` some of those.
`inputs:line=digit-3,digit-7` and `inputs:circle=1.5` are walks among points, for a network that makes pictures of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from visualizer.language import counted_as, numeral, tr
from visualizer.trace import Refused

INPUTS = "inputs"
ALL, WRONG, UNSURE, CLASS, EXCITE = "", "wrong", "unsure", "class", "excite"
"""All, those that are answered wrong, those with the least probability first, those of one class, those at which a unit
is largest first."""
WALKS = LINE, CIRCLE = "line", "circle"
"""Points of a walk, for a network that makes pictures of points: from the point of one input to that of another,
`line=digit-3,digit-7`, or around the middle, `circle=1.5` so far from it."""
MEASURED = (WRONG, UNSURE, EXCITE)
"""What cannot be told before the network has read each input."""
MOST = 10_000
"""So many inputs of a list are stepped through; the others are counted."""
BESIDE, MOST_NUMBERS = 40, 8_000_000
"""So many inputs are seen side by side, and so many numbers of them are kept."""
STUDY = "over"
"""The study that sees many inputs side by side."""
SEPARATOR = "\0"
"""Between the words of several inputs."""
NAMED = 3
"""So many of those that do not fit are named."""
UNIT = re.compile(r"(?P<layer>.+):(?P<unit>\d{1,9})(?:/inner\.(?P<inner>\w+))?")
"""`conv2:7`, `lstm:29/inner.forget`."""


@dataclass(frozen=True)
class Over:
    """What is stepped through."""

    source: str = ""
    """A folder or a file; empty for the bundled samples."""
    pick: str = ALL
    of: str = ""
    """Which class, or which unit: `4`, `conv2:7`."""

    @property
    def words(self) -> str:
        """As it is written; `parse` gives an equal one back."""
        pick = f"{self.pick}={self.of}" if self.of else self.pick
        return ":".join(part for part in (INPUTS, pick, self.source) if part)

    @property
    def unit(self) -> tuple[str, int, str]:
        """(layer, unit, name of the gate or state or nothing) of `excite`; Refused with one sentence if it names
        none."""
        found = UNIT.fullmatch(self.of)
        if found is None:
            raise Refused(tr("Which unit should be excited? Choose one, or write for example inputs:excite=conv2:7."))
        return found["layer"], int(found["unit"]), found["inner"] or ""


def parse(words: str) -> Over:
    """What the words mean; raises Refused with one sentence."""
    first, _, rest = words.partition(":")
    if first != INPUTS:
        raise Refused(tr("{words} cannot be stepped through; write inputs, inputs:wrong, inputs:unsure, "
                         "inputs:class=4, inputs:excite=conv2:7, or inputs: with a folder or a file.").format(
            words=repr(words[:40])))
    found = re.fullmatch(r"(wrong|unsure|class=[^:]+|line=[^:]+|circle(?:=[\d.]{1,6})?"
                         r"|excite(?:=.+?:\d+(?:/inner\.\w+)?)?)(?::(.*))?", rest, re.DOTALL)
    if found is None:
        return Over(rest)
    pick, _, of = found[1].partition("=")
    return Over(found[2] or "", pick, of)


# --- a list of inputs -----------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Inputs:
    """Inputs in the order in which they are stepped through."""

    words: tuple[str, ...]
    """Each as a recipe names it: a sample, a file, a line of a file."""
    labels: tuple[int | None, ...]
    """The class to which each belongs, where that is known."""
    skipped: tuple[tuple[str, str], ...] = ()
    """(what, why) of those that do not fit."""
    more: int = 0
    """How many come after those that are listed."""

    @cached_property
    def places(self) -> Mapping[str, int]:
        """The place of each."""
        return {word: place for place, word in reversed(list(enumerate(self.words)))}

    @property
    def labelled(self) -> bool:
        """Whether any of them has a label."""
        return any(label is not None for label in self.labels)

    def without(self, word: str, why: str) -> Inputs:
        """The same without one of them, which cannot be had."""
        kept = [place for place, other in enumerate(self.words) if other != word]
        return replace(self, words=tuple(self.words[place] for place in kept),
                       labels=tuple(self.labels[place] for place in kept), skipped=(*self.skipped, (word, why)))

    def around(self, word: str) -> tuple[str, ...]:
        """Those that are seen side by side with one of them: a page of the list."""
        start = self.places.get(word, 0) // BESIDE * BESIDE
        return self.words[start:start + BESIDE]

    def beside(self, word: str, by: int) -> str:
        """The one so many places further, no further than to either end; from one that is not listed the first. Empty
        where there is none."""
        if not self.words:
            return ""
        here = self.places.get(word)
        return self.words[0] if here is None else self.words[min(max(here + by, 0), len(self.words) - 1)]

    def plain(self) -> dict[str, Any]:
        """As it crosses between processes; `from_plain` gives an equal one back."""
        return {"words": list(self.words), "labels": list(self.labels), "more": self.more,
                "skipped": [list(pair) for pair in self.skipped]}


def from_plain(plain: Mapping[str, Any]) -> Inputs:
    """The list that `plain` wrote."""
    return Inputs(tuple(plain["words"]), tuple(plain["labels"]),
                  tuple((str(what), str(why)) for what, why in plain["skipped"]), int(plain["more"]))


def about(found: Inputs) -> str:
    """One sentence about those that were skipped or left out; empty where there are none."""
    said = []
    if found.skipped:
        named = ", ".join(name for name, _ in found.skipped[:NAMED])
        words = counted_as(len(found.skipped), tr("{count} input does not fit and is skipped, {named}: {why}"),
                           tr("{count} inputs do not fit and are skipped, {named}: {why}"))
        said.append(words.format(count=numeral(f"{len(found.skipped):,}"), why=found.skipped[0][1],
                                 named=named + (" …" if len(found.skipped) > NAMED else "")))
    if found.more:
        said.append(tr("The first {count} of {total} are stepped through.").format(
            count=numeral(f"{len(found.words):,}"),
            total=numeral(f"{len(found.words) + len(found.skipped) + found.more:,}")))
    return " ".join(said)


# --- some of them ---------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Met:
    """What the network made of one input."""

    answer: int = -1
    """The likeliest class; −1 where it answers with no classes."""
    share: float = math.nan
    """Its probability."""
    excited: float = math.nan
    """The largest value of the unit that is asked about."""


def why_not(pick: str, found: Inputs, labels: Sequence[str]) -> str:
    """Why nothing can be picked so from a list, for a network that tells these classes apart; empty if it can."""
    if pick in (WRONG, UNSURE) and not labels:
        return tr("The network does not answer with one of several classes, so none of its answers is wrong or unsure.")
    if pick in (WRONG, CLASS, UNSURE) and not found.labelled:
        return tr("None of these inputs has a label, so it is not known which answers are right.")
    return ""


def picked(over: Over, found: Inputs, met: Sequence[Met], labels: Sequence[str] = ()) -> Inputs:
    """Those of a list that are asked for, in their order; `met` says what came of each, where that has to be measured.

    Raises Refused with one sentence where nothing is left.
    """
    if not found.words:
        raise Refused(_nothing_fits(over, found))
    if why := why_not(over.pick, found, labels):
        raise Refused(why)
    places: Iterable[int] = range(len(found.words))
    if over.pick == CLASS:
        wanted = class_of(over.of, labels)
        places = [place for place in places if found.labels[place] == wanted]
    elif over.pick == WRONG:
        places = [place for place in places if found.labels[place] not in (None, met[place].answer)]
    elif over.pick == UNSURE:
        places = sorted(places, key=lambda place: met[place].share)
    elif over.pick == EXCITE:
        places = sorted(places, key=lambda place: -met[place].excited)
    kept = tuple(places)
    if not kept and over.pick == CLASS:
        raise Refused(tr("No input is labelled {label}; choose another class.").format(label=over.of))
    if not kept:
        count = sum(label is not None for label in found.labels)
        said = tr("All {count} inputs with a label are answered right; step through the least sure ones.")
        raise Refused(said.format(count=numeral(f"{count:,}")))
    return replace(found, words=tuple(found.words[place] for place in kept),
                   labels=tuple(found.labels[place] for place in kept))


def class_of(word: str, labels: Sequence[str]) -> int:
    """The number of a class that is named by its number or its name; −1 if there is none."""
    return labels.index(word) if word in labels else int(word) if word.isdecimal() and len(word) < 10 else -1


def _nothing_fits(over: Over, found: Inputs) -> str:
    name = over.source or INPUTS
    if not found.skipped:
        return tr("There is nothing in {name} to step through; choose another folder or file.").format(name=name)
    return tr("None of the {count} inputs in {name} fits: {first}; {why}").format(
        count=numeral(f"{len(found.skipped):,}"), name=name, first=found.skipped[0][0], why=found.skipped[0][1])
