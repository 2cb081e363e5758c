"""Glossary: what the words mean that a beginner does not know, one file a language: `assets/glossary/en.json`.

A term has the forms in which it is written, symbols among them, and one or two sentences. Whoever shows words asks here
what there is to be explained in them.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from textwrap import fill

from visualizer import registry
from visualizer.language import spoken, translated

ENGLISH = "en"
LINE = 72
"""Characters of a line: tooltips do not break theirs."""


@dataclass(frozen=True)
class Term:
    """One word that is explained."""

    word: str
    forms: tuple[str, ...]
    """How it is written in texts: `logit`, `logits`."""
    says: str
    """What it means."""


def terms() -> tuple[Term, ...]:
    """All that are explained, in the language that is spoken, or in English where it has no file."""
    return _terms(spoken() or ENGLISH) or _terms(ENGLISH)


def found(text: str) -> tuple[Term, ...]:
    """Those that occur in a text, each once, in the order in which they do; of `forget gate` that, and not `gate`."""
    return _found(text, spoken() if _terms(spoken() or ENGLISH) else "")


@lru_cache(4096)
def _found(text: str, language: str) -> tuple[Term, ...]:
    """Every widget asks for its name, again and again for the same one."""
    pattern, whose = _pattern(language)
    return tuple(dict.fromkeys(whose[match[0].lower()] for match in pattern.finditer(text)))


def explained(text: str, most: int = 2) -> str:
    """Lines for each of the first terms of a text: `logit: what the last layer says …`; empty where there are none."""
    return "\n".join(fill(f"{translated(term.word)}: {translated(term.says)}", LINE) for term in found(text)[:most])


@cache
def _terms(language: str) -> tuple[Term, ...]:
    paths = {path.stem: path for path in registry.files("assets", "glossary/*.json")}
    if language not in paths:
        return ()
    words = json.loads(paths[language].read_text(encoding="utf-8"))
    return tuple(Term(word, tuple(told["forms"]), told["says"]) for word, told in words.items())


@cache
def _pattern(language: str) -> tuple[re.Pattern[str], dict[str, Term]]:
    """What finds every form, the longest first, and whose each is."""
    whose = {form.lower(): term for term in _terms(language or ENGLISH) for form in term.forms}
    longest = sorted(whose, key=len, reverse=True)
    alternatives = "|".join(rf"(?<![\w-]){re.escape(form)}(?![\w-])" if form[-1].isalnum() and form[0].isalnum()
                            else re.escape(form) for form in longest)
    return re.compile(alternatives, re.IGNORECASE), whose
