"""The word sheet: what the words mean, those that are on the screen first."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget

from visualizer import glossary
from visualizer.glossary import Term
from visualizer.language import tr, translated
from visualizer.scene.type import plain_lines
from visualizer.ui import style
from visualizer.ui.sheet import TOP, Sheet

NARROWEST, GAP = 300, 32
LINE, WORD, BELOW, HEAD = 17, 20, 14, 34
"""Heights of a line, of the word over it, of the space under each, and of a heading."""


class WordSheet(Sheet):
    """Those that stand on the screen, then all others."""

    def __init__(self, seen: str, parent: QWidget) -> None:
        """`seen` is all that stands on the screen."""
        super().__init__(tr("What the words mean"), parent)
        here = glossary.found(seen)
        others = sorted((term for term in glossary.terms() if term not in here), key=lambda term: term.word.casefold())
        self.groups = [(title, found) for title, found in (
            (tr("On this screen"), sorted(here, key=lambda term: term.word.casefold())),
            (tr("All other words"), others)) if found]
        told = (f"{translated(term.word)}: {translated(term.says)}" for _, found in self.groups for term in found)
        self.setAccessibleDescription("; ".join(told))

    @property
    def across(self) -> int:
        """How many columns there are."""
        return max(1, min(4, (self.width() - 48 + GAP) // (NARROWEST + GAP)))

    @property
    def wide(self) -> float:
        """Of a column."""
        return (self.width() - 48 - GAP * (self.across - 1)) / self.across

    def _lines(self, term: Term) -> tuple[str, ...]:
        return plain_lines(translated(term.says), 13, self.wide, 400)

    def _rows(self, found: Sequence[Term]) -> list[tuple[list[Term], float]]:
        """Terms row by row, and how high each row is."""
        rows = [list(found[first:first + self.across]) for first in range(0, len(found), self.across)]
        return [(row, WORD + LINE * max(len(self._lines(term)) for term in row) + BELOW) for row in rows]

    def whole(self) -> float:
        """How high it would be with everything on it."""
        return TOP + sum(HEAD + sum(high for _, high in self._rows(found)) for _, found in self.groups)

    def draw(self, painter: QPainter, y: float) -> None:
        for title, found in self.groups:
            style.write(painter, title, 24, y + 14, "accent-ink", size=13, weight=600)
            y += HEAD
            for row, high in self._rows(found):
                for column, term in enumerate(row) if -high < y < self.height() else ():
                    x = 24 + column * (self.wide + GAP)
                    style.write(painter, translated(term.word), x, y + 12, size=14, weight=600)
                    for number, line in enumerate(self._lines(term)):
                        style.write(painter, line, x, y + 12 + WORD + LINE * number, "ink-2", size=13, weight=400)
                y += high
