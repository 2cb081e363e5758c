"""Language: the words that a person reads, in the person's language.

English stands in the code, as `tr("…")`; another language is one file, `assets/i18n/<code>.json`, from the English
words to its own, with its own name under `@title`. What a table does not have stays English. A picture is drawn in the
language of its Look, a window speaks one language at a time; stderr, JSON and data files are English because nothing
is spoken there. So it is with numbers: `numeral` writes for a person what code has written with points, and what goes
into a file is not passed through it. Nothing here needs Qt, and nothing of this project.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, lru_cache, wraps
from pathlib import Path
from types import MappingProxyType
from typing import ParamSpec, TypeVar
from unicodedata import bidirectional

ENGLISH = ""
TITLE = "@title"
"""Under this a table says what its language calls itself."""
_spoken: ContextVar[str] = ContextVar("spoken", default=ENGLISH)
_Given = ParamSpec("_Given")
_Made = TypeVar("_Made")


def tr(text: str) -> str:
    """The words in the language that is spoken; whoever collects them finds every literal `tr("…")`."""
    return _isolated(table(_spoken.get()).get(text, text))


def english(text: str) -> str:
    """Words that stand where nothing is spoken yet, as the title of a view does; collected as those of `tr` are, and
    shown through `translated`."""
    return text


def translated(text: str) -> str:
    """Words that stand elsewhere as `english("…")`, in the language that is spoken."""
    return _isolated(table(_spoken.get()).get(text, text))


def in_quotes(words: str) -> str:
    """Words between the quotation marks of the language that is spoken."""
    return tr("“{words}”").format(words=words)


def few(names: Sequence[str], most: int = 3) -> str:
    """The first of some names one by one, and how many there are beside: `a, b, c and 4 more`."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else tr("{names} and {n} more").format(names=shown, n=len(names) - most)


# --- which language is spoken ---------------------------------------------------------------------------------------

def spoken() -> str:
    """The code of the language that is spoken, such as `de`; empty for English."""
    return _spoken.get()


def speak(language: str) -> None:
    """From now on, as a window does that lives in one language."""
    _spoken.set(language)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """As long as the block lasts, as the drawing of one picture does."""
    before = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(before)


def kept_by_language(most: int | None = 32) -> Callable[[Callable[_Given, _Made]], Callable[_Given, _Made]]:
    """`lru_cache` for what has words in it and no Look among its arguments: one answer a language."""
    def keep(function: Callable[_Given, _Made]) -> Callable[_Given, _Made]:
        @lru_cache(maxsize=most)
        def made(language: str, *given: _Given.args, **named: _Given.kwargs) -> _Made:
            return function(*given, **named)

        @wraps(function)
        def kept(*given: _Given.args, **named: _Given.kwargs) -> _Made:
            return made(spoken(), *given, **named)  # type: ignore[arg-type]

        return kept
    return keep


# --- how a language writes numbers, counts and reads ------------------------------------------------------------------

@dataclass(frozen=True)
class Manner:
    """What a language does in its own way, beside its words."""

    point: str = "."
    """Between a whole and its parts."""
    comma: str = ","
    """Between thousands."""
    least: int = 4
    """So many digits has the smallest whole whose thousands are set apart."""
    singular: frozenset[int] = frozenset({1})
    """Of which counts there is one thing, and not several."""
    leftwards: bool = False
    """Whether it is written from right to left."""
    sounds: tuple[tuple[str, str], ...] = ()
    """What becomes of words that stand before certain others: (pattern, words)."""


_THIN = "\u202f"
_MANNERS: Mapping[str, Manner] = {
    "ar": Manner(leftwards=True), "fa": Manner(leftwards=True), "he": Manner(leftwards=True),
    "ur": Manner(leftwards=True),
    "de": Manner(",", "."), "it": Manner(",", "."), "fr": Manner(",", _THIN, singular=frozenset({0, 1})),
    "es": Manner(",", _THIN, 5, sounds=((r"\b([yY])(?= (?:[iIíÍ]|[hH][iIíÍ](?![aeo])))", "e"),)),
}
"""By code; a language that is not among them does as English does."""
_ENGLISH_MANNER = Manner()
_FILLED = re.compile(r"(\{\w+\})")
_WITH_COMMA = re.compile(r"(?<![\d.,])(\d*),(\d+)(?![\d.,])")
_NUMERAL = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d*\.?\d+")


def manner(language: str | None = None) -> Manner:
    """That of a language, or of the one that is spoken."""
    return _MANNERS.get(_spoken.get() if language is None else language, _ENGLISH_MANNER)


def numeral(words: str) -> str:
    """The numbers in words that code wrote, `1,234.5`, as the language that is spoken writes them: `1.234,5`."""
    own = manner()
    if own.point == ".":
        return words

    def write(found: re.Match[str]) -> str:
        whole, point, parts = found[0].partition(".")
        apart = own.comma if len(whole) - whole.count(",") >= own.least else ""
        return whole.replace(",", apart) + (own.point if point else "") + parts

    return _NUMERAL.sub(write, words)


def typed(words: str) -> str:
    """Numbers that a person typed, `0,5` where a comma stands before the parts, with the point that code reads; a point
    is one everywhere, and `0.5,0.25` are two numbers."""
    return words if manner().point == "." else _WITH_COMMA.sub(r"\1.\2", words)


def single(count: float) -> bool:
    """Whether a language says of so many things what it says of one: `1 layer`; in French of 0, too."""
    return count in manner().singular


def counted_as(count: float, one: str, several: str) -> str:
    """Of two texts that of so many things: `{count} layer`, `{count} layers`."""
    return one if single(count) else several


def sounding(words: str) -> str:
    """Words that were put together, as they sound beside each other: in Spanish `e imagen`, not `y imagen`."""
    for pattern, other in manner().sounds:
        words = re.sub(pattern, other, words)
    return words


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(words) < 2:
        return "".join(words)
    return sounding(tr("{several} and {last}").format(several=", ".join(words[:-1]), last=words[-1]))


def reads_leftwards(words: str) -> bool:
    """Whether words begin with a letter of a script that is written from right to left: signs, numbers and what is
    isolated, as a name, aside."""
    inside = 0
    for kind in map(bidirectional, words):
        inside += (kind in ("FSI", "LRI", "RLI")) - (kind == "PDI")
        if not inside and kind in ("L", "R", "AL"):
            return kind != "L"
    return False


def _isolated(words: str) -> str:
    """What is filled into words that are written leftwards keeps its own direction: a name, a number, a formula."""
    return _FILLED.sub("\u2068\\1\u2069", words) if manner().leftwards else words


# --- which languages there are --------------------------------------------------------------------------------------

def languages() -> dict[str, str]:
    """What can be spoken: the code of each language, and what it calls itself. English first."""
    return {ENGLISH: "English"} | {code: table(code).get(TITLE, code) for code in sorted(_files())}


def nearest(wanted: Sequence[str]) -> str:
    """The first of these languages (`de-AT`, `fr`, `en_US`), the dearest first, that can be spoken; else English."""
    for name in wanted:
        code = name.replace("_", "-").partition("-")[0].lower()
        if code == "en":
            return ENGLISH
        if code in _files():
            return code
    return ENGLISH


def chosen(name: str) -> str:
    """The language that a person names by its code, `en` being English; raises LookupError with one sentence."""
    code = ENGLISH if name == "en" else name
    if code not in languages():
        raise LookupError(f"There is no language {name!r}; choose one of "
                          f"{', '.join(code or 'en' for code in languages())}.")
    return code


def table(language: str) -> Mapping[str, str]:
    """From the English words to those of a language; empty for English and for one that is not there."""
    return _table(language) if language else _NONE


_NONE: Mapping[str, str] = MappingProxyType({})


@cache
def _table(language: str) -> Mapping[str, str]:
    path = _files().get(language)
    return _NONE if path is None else MappingProxyType(json.loads(path.read_text(encoding="utf-8")))


def _files() -> dict[str, Path]:
    """The table of each language, inside the installed package or beside it in a checkout."""
    package = Path(__file__).resolve().parent
    return {path.stem: path for beside in (package / "_data", package.parent)
            for path in (beside / "assets" / "i18n").glob("*.json") if not path.name.startswith("_")}
