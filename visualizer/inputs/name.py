"""Names that are read letter by letter."""

from __future__ import annotations

from visualizer.inputs import FIELD, WORDS, Given, InputKind, Item, _words
from visualizer.language import english
from visualizer.trace import Sample


def bundled(item: Item) -> Given:
    """A name with the language it comes from, or a word with its sounds."""
    text = str(item.about["text"])
    sounds = str(item.about.get("sounds", ""))
    return Given(Sample(item.name, f"{text} ({item.about.get('language') or sounds})", item.label), text,
                 truth=tuple(sounds.split()) or None)


INPUT = InputKind(
    "name", english("names"), english("a text"), english("letter"), _words.FILES, read=_words.read, typed=_words.typed,
    mark=_words.MARK,
    free=True, row=_words.row, bundled=bundled, steps=_words.steps, sign="Aa", choosers=(FIELD, WORDS), view="unrolled",
    grain=lambda facts: _words.grain(facts, english("letter"), english("letters")))
