"""Language: the words that a person reads, in the person's language.

English stands in the code, as `tr("…")`; another language is one file, `assets/i18n/<code>.json`, from the English
words to its own, with its own name under `@title`. What a table does not have stays English. A picture is drawn in the
language of its Look, a window speaks one language at a time; stderr, JSON and data files are English because nothing
is spoken there. Nothing here needs Qt, and nothing of this project.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, lru_cache, wraps
from pathlib import Path
from types import MappingProxyType
from typing import ParamSpec, TypeVar

ENGLISH = ""
TITLE = "@title"
"""Under this a table says what its language calls itself."""
_spoken: ContextVar[str] = ContextVar("spoken", default=ENGLISH)
_Given = ParamSpec("_Given")
_Made = TypeVar("_Made")


def tr(text: str) -> str:
    """The words in the language that is spoken; whoever collects them finds every literal `tr("…")`."""
    return table(_spoken.get()).get(text, text)


def english(text: str) -> str:
    """Words that stand where nothing is spoken yet, as the title of a view does; collected as those of `tr` are, and
    shown through `translated`."""
    return text


def translated(text: str) -> str:
    """Words that stand elsewhere as `english("…")`, in the language that is spoken."""
    return table(_spoken.get()).get(text, text)


def in_quotes(words: str) -> str:
    """Words between the quotation marks of the language that is spoken."""
    return tr("“{words}”").format(words=words)


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
