"""The word sheet: what the words mean, those that are on the screen first."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRectF, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from visualizer import glossary
from visualizer.glossary import Term
from visualizer.language import tr, translated
from visualizer.scene.type import wrap
from visualizer.ui import faults, style

Key = Qt.Key
NARROWEST, GAP, TOP = 300, 32, 84
LINE, WORD, BELOW, HEAD = 17, 20, 14, 34
"""Heights of a line, of the word over it, of the space under each, and of a heading."""
SCROLLS = {Key.Key_Down: 60, Key.Key_Up: -60, Key.Key_PageDown: 500, Key.Key_PageUp: -500, Key.Key_Home: -1 << 20,
           Key.Key_End: 1 << 20}


class WordSheet(QWidget):
    """Lies over the whole window until a key or a click puts it away; arrows and the wheel scroll it."""

    closed = Signal()

    def __init__(self, seen: str, parent: QWidget) -> None:
        """`seen` is all that stands on the screen."""
        super().__init__(parent)
        here = glossary.found(seen)
        others = sorted((term for term in glossary.terms() if term not in here), key=lambda term: term.word.casefold())
        self.groups = [(title, found) for title, found in (
            (tr("On this screen"), sorted(here, key=lambda term: term.word.casefold())),
            (tr("All other words"), others)) if found]
        self.scrolled = 0.0
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        style.name(self, tr("What the words mean"))
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

    def scroll_by(self, pixels: float) -> None:
        """Up to the ends."""
        self.scrolled = min(max(0.0, self.scrolled + pixels), max(0.0, self._whole() - self.height() + 24))
        self.update()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Key(event.key())
        if key in SCROLLS:
            self.scroll_by(SCROLLS[key])
        else:
            self.closed.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.scroll_by(-event.angleDelta().y() / 2)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.closed.emit()

    def resizeEvent(self, event: QEvent) -> None:  # type: ignore[override]
        self.scroll_by(0)

    def _lines(self, term: Term) -> list[str]:
        return wrap(translated(term.says), 13, self.wide, 400)

    def _rows(self, found: Sequence[Term]) -> list[tuple[list[Term], float]]:
        """Terms row by row, and how high each row is."""
        rows = [list(found[first:first + self.across]) for first in range(0, len(found), self.across)]
        return [(row, WORD + LINE * max(len(self._lines(term)) for term in row) + BELOW) for row in rows]

    def _whole(self) -> float:
        """How high it would be with everything on it."""
        return TOP + sum(HEAD + sum(high for _, high in self._rows(found)) for _, found in self.groups)

    def paintEvent(self, event: QPaintEvent) -> None:
        with faults.painting(self) as painter:
            painter.fillRect(self.rect(), style.color("window"))
            y = TOP - self.scrolled
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
            painter.fillRect(QRectF(0, 0, self.width(), TOP - 24), style.color("window"))
            used = style.write(painter, tr("What the words mean"), 24, 40, size=20, weight=600)
            style.write(painter, tr("arrow keys scroll, any other key closes this sheet"), 24 + used + 14, 40, "ink-2",
                        size=13, weight=400)
