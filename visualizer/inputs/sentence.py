"""Sentences that are read word by word."""

from __future__ import annotations

from visualizer.inputs import FIELD, WORDS, Given, InputKind, Item, _words
from visualizer.language import english
from visualizer.trace import Sample


def bundled(item: Item) -> Given:
    """A sentence: its words are its title."""
    text = str(item.about["text"])
    return Given(Sample(item.name, _words.quoted(text), item.label), text)


INPUT = InputKind(
    "sentence", english("sentences"), english("a text"), english("word"), _words.FILES, read=_words.read,
    typed=_words.typed, mark=_words.MARK,
    free=True, row=_words.row, bundled=bundled, steps=_words.steps, sign="Aa", choosers=(FIELD, WORDS), view="unrolled",
    grain=lambda facts: _words.grain(facts, english("word"), english("words")))
