"""About: which data a training learns from, as its recipe tells it, in the language that is spoken."""

from __future__ import annotations

import re
from collections.abc import Callable

from visualizer.language import english, numeral, translated

TOLD = (english("{rows} training digits of MNIST, {held} others held out"),
        english("{rows} characters of Shakespeare, {held} others held out"),
        english("sequences of {rows} numbers, drawn for each update, {held} others held out"),
        english("sequences of {rows} symbols, drawn for each update, {held} others held out"))
NUMBER = r"(\d[\d,]*)"


def about(words: str, tell: Callable[[str], str] = numeral) -> str:
    """The same words, and each of their numbers as `tell` has it; those of another recipe as they are."""
    for template in TOLD:
        pattern = re.escape(template).replace(r"\{rows\}", NUMBER).replace(r"\{held\}", NUMBER)
        if found := re.fullmatch(pattern, words):
            return translated(template).format(rows=tell(found[1]), held=tell(found[2]))
    return words
