"""Texts that are read character by character."""

from __future__ import annotations

from visualizer.inputs import FIELD, WORDS, InputKind, _words
from visualizer.language import english, tr

INPUT = InputKind(
    "text", english("text"), english("a text"), english("character"), _words.FILES, read=_words.read,
    typed=_words.typed, mark=_words.MARK,
    free=True, row=_words.row, bundled=_words.bundled, steps=_words.steps, sign="Aa",
    choosers=(FIELD, WORDS), view="unrolled",
    grain=lambda facts: _words.grain(facts, english("character"), english("characters")),
    suits=_words.suits, settled=_words.settled, facts=_words.facts, fed=_words.fed,
    foretells=lambda: tr("Next character"))
