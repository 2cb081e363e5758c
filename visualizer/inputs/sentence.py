"""Sentences that are read word by word."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from visualizer.inputs import FIELD, WORDS, Given, InputKind, Item, _files, _words
from visualizer.language import english
from visualizer.trace import Sample

REVIEWS = ("rt-polarity.neg", "rt-polarity.pos")
"""By label."""


def bundled(item: Item) -> Given:
    """A sentence: its words are its title."""
    text = str(item.about["text"])
    return Given(Sample(item.name, _words.quoted(text), item.label), text,
                 truth=tuple(item.about.get("spoken", ())) or None)


def held_out(folder: Path) -> Sequence[Given]:
    """Every tenth line of the two files of film reviews, in the folder or in its `sentence_polarity`."""
    paths = [next((path for path in (folder / "sentence_polarity" / name, folder / name) if path.is_file()), None)
             for name in REVIEWS]
    read = [] if None in paths else [_files.words_in(path).split("\n") for path in paths if path is not None]
    return [Given(Sample(f"{name}-{number}", _words.quoted(line), label), line.strip())
            for label, (name, lines) in enumerate(zip(REVIEWS, read, strict=False))
            for number, line in enumerate(lines, 1) if number % 10 == 0 and line.strip()]


INPUT = InputKind(
    "sentence", english("sentences"), english("a text"), english("word"), _words.FILES, read=_words.read,
    typed=_words.typed, mark=_words.MARK,
    free=True, row=_words.row, bundled=bundled, steps=_words.steps, sign="Aa", choosers=(FIELD, WORDS), view="unrolled",
    held_out=held_out,
    grain=lambda facts: _words.grain(facts, english("word"), english("words")))
