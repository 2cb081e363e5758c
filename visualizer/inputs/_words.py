"""What texts, names and sentences share: how a text becomes an input, and what a model reads of it, step by step.

The card says which: `alphabet` or `words` are what is known, `unknown` the number of every other word, `lower`,
`replace` and `split` how a text is cut.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from visualizer.edits import Grain
from visualizer.inputs._files import MOST_SYMBOLS, words_in
from visualizer.inputs._offers import Offer, Settled
from visualizer.inputs._rows import Row
from visualizer.inputs._samples import Given, Item, sheets
from visualizer.language import numeral, tr
from visualizer.manifest import Input
from visualizer.trace import Refused, Sample

Facts = Mapping[str, Any]

MARK, FILES = "text:", (".txt",)


def read(word: str, facts: Facts) -> Given:
    """A text file as a Given; raises Refused with one sentence."""
    text = read_text(word)
    return Given(Sample(word, f"{Path(word).name}, {len(text):,} characters"), _short_enough(text))


def typed(text: str, facts: Facts) -> Given:
    """What somebody types."""
    return Given(Sample(f"{MARK}{text}", quoted(text)), _short_enough(text))


def row(found: Row, facts: Facts) -> Given:
    """The text of a row, with its label."""
    text = found.text()
    return Given(Sample(found.name, quoted(text), found.label()), _short_enough(text))


def bundled(item: Item) -> Given:
    """A passage: its name in words is its title."""
    return Given(Sample(item.name, item.in_words, item.label), str(item.about["text"]),
                 following=str(item.about.get("next", "")))


def steps(facts: Facts, raw: Any, frames: int) -> tuple[str, ...]:
    """The symbols themselves."""
    return symbols(facts, str(raw))


def grain(facts: Facts, one: str, many: str) -> Grain:
    """Symbols as the model reads them: characters, or the words that its card tells apart."""
    letters = "split" not in facts
    known = facts.get("words", facts.get("alphabet", ()))
    return Grain(("symbol",), "symbol", one, many, empty=" " if letters and (not known or " " in known) else None,
                 letters=letters, known=known, cut=lambda raw: np.array(symbols(facts, str(raw)), object),
                 join=("" if letters else " ").join)


def read_text(path: str | Path) -> str:
    """A text file in UTF-8, without the line end that editors put at its end; raises Refused with one sentence."""
    return words_in(Path(path)).removesuffix("\n")


def quoted(text: str) -> str:
    """“To be or not to be”, as much of it as fits a title."""
    shown = " ".join(text.split())
    return f"“{shown}”" if len(shown) <= 40 else f"“{shown[:39]}…”"


def _short_enough(text: str) -> str:
    if len(text) > MOST_SYMBOLS:
        raise Refused(tr("The text has {count} characters, more than {most}; choose a shorter passage.").format(
            count=numeral(f"{len(text):,}"), most=numeral(f"{MOST_SYMBOLS:,}")))
    return text


# --- a model of one's own --------------------------------------------------------------------------------------------

def suits(offer: Offer, told: Input) -> bool:
    """Whether it reads numbers of symbols, or a column for each, and somebody has said which."""
    columns = offer.floats and bool(offer.sizes) and offer.sizes[-1] == len(told.alphabet)
    return bool(told.alphabet) and bool(offer.sizes) and (offer.whole or columns) and \
        (bool(told.kind) or offer.whole or len(offer.sizes) == 2)


def settled(offer: Offer, told: Input, preset: Input) -> Settled:
    return Settled(told)


def facts(offer: Offer, said: Input) -> dict[str, Any]:
    """Its symbols, and what is typed first: as much of a bundled passage as is known, else the symbols themselves."""
    plain = all(len(symbol) == 1 for symbol in said.alphabet)
    if not plain:
        return {"words": [*said.alphabet], "split": r"\S+", "first": f"{MARK}{' '.join(said.alphabet[:12])}"}
    passages = [str(sheet.items[0]["text"]) for sheet in sheets() if sheet.kind == "text" and sheet.items]
    known = "".join(symbol for symbol in "".join(passages[:1]) if symbol in said.alphabet)[:60]
    shown = "".join(symbol for symbol in said.alphabet if symbol.isprintable())[:40]
    first = known if len(known) > 8 else shown
    wanted = offer.sizes[0] if offer.sizes else None
    first = first if wanted is None or not first else (first * (wanted // len(first) + 1))[:wanted]
    return {"alphabet": "".join(said.alphabet), "first": f"{MARK}{first}"}


def fed(raw: Any, offer: Offer, said: Input, told: Facts) -> Any:
    """The numbers of its symbols, or for a model that reads fractions a 1 in the column of each. ValueError where it
    does not know one, or reads more."""
    if not isinstance(raw, str):
        return np.asarray(raw)
    found, strange = symbols(told, raw), unknown(told, raw)
    if strange or not found:
        named = ", ".join(map(repr, strange[:5])) or tr("nothing")
        raise ValueError(tr("This model does not know {what}; write symbols of its {count}.").format(
            what=named, count=len(said.alphabet)))
    place = {symbol: number for number, symbol in enumerate(said.alphabet)}
    numbers = np.array([place[symbol] for symbol in found])
    wanted = offer.sizes[0]
    if wanted is not None and len(numbers) < wanted:
        raise ValueError(tr("This model reads {wanted} symbols at once, and these are {count}; write more.").format(
            wanted=wanted, count=len(numbers)))
    numbers = numbers if wanted is None else numbers[:wanted]
    return np.eye(len(said.alphabet))[numbers] if offer.floats else numbers


# --- what a model makes of a text -----------------------------------------------------------------------------------

def symbols(facts: Facts, text: str) -> tuple[str, ...]:
    """The characters or words that a model reads of a text, one a step, as its card says."""
    plain = text.lower() if facts.get("lower") else text
    for old, new in facts.get("replace", {}).items():
        plain = plain.replace(old, new)
    return tuple(re.findall(facts["split"], plain)) if "split" in facts else tuple(plain)


def unknown(facts: Facts, text: str) -> tuple[str, ...]:
    """The symbols of a text that a model does not know, each once, in the order in which they come."""
    known = _known(tuple(facts["words"])) if "words" in facts else frozenset(facts["alphabet"]) \
        if "alphabet" in facts else None
    if known is None:
        return ()
    return tuple(dict.fromkeys(symbol for symbol in symbols(facts, text) if symbol not in known))


def can_read(facts: Facts, text: str) -> bool:
    """Whether a model can run on it: at least one symbol, and none that it has no number for. Unknown words have one
    number together."""
    return len(text) <= MOST_SYMBOLS and bool(symbols(facts, text)) and ("unknown" in facts or not unknown(facts, text))


@lru_cache(maxsize=4)
def _known(listed: tuple[str, ...]) -> frozenset[str]:
    return frozenset(listed)
