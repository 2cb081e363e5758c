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
from visualizer.inputs._rows import Row
from visualizer.inputs._samples import Given, Item
from visualizer.language import tr
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
            count=f"{len(text):,}", most=f"{MOST_SYMBOLS:,}"))
    return text


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
