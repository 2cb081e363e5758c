"""Writing: the field in which a text is typed, and what a model makes of what stands there."""

from __future__ import annotations

import math
from contextlib import suppress

from PySide6.QtCore import QEvent, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QWidget

from visualizer import inputs
from visualizer.card import Card
from visualizer.inputs import TYPED, can_read, symbols, unknown
from visualizer.language import counted_as, in_quotes, tr
from visualizer.scene import numbers
from visualizer.scene import state as does
from visualizer.scene.state import State, changed
from visualizer.scene.type import plain_lines
from visualizer.trace import Refused
from visualizer.ui import faults, style, words
from visualizer.ui.buttons import note_focus
from visualizer.ui.store import Store

MOST = inputs.MOST_SYMBOLS
"""Characters of the longest text that is read."""
WIDTH, FIELD_WIDTH, HIGH, LINE = 196, 184, 64, 18
"""The field holds three lines of text, what is longer scrolls; each line of what is said about it is a bit wider."""
MOST_NAMED = 4
"""So many unknown symbols are named."""
FIELD = """
QPlainTextEdit {{ background: {stage}; color: {ink}; border: 1px solid {rule}; border-radius: 8px; padding: 4px 6px;
                  selection-background-color: {tint}; selection-color: {accent}; }}
QPlainTextEdit:focus {{ border: 2px solid {line}; padding: 3px 5px; }}
"""


class TextInput(QWidget):
    """The field, and below it what the model makes of the text; whatever it can read becomes the input at once."""

    grown = Signal()
    """It needs another height now."""

    def __init__(self, store: Store, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.store = store
        self.field = TextField(self)
        self.field.typed.connect(self._read)
        self._going_on = False
        """Whether the State comes from typing: what is typed next then changes the same text, which is one change."""
        self._reached: int | None = None
        """The step that reads what was typed last, until its recording is there."""
        self._high = 0
        store.changed.connect(self._changed)
        store.trace_changed.connect(self._go_to_caret)
        store.card_changed.connect(self._describe)
        self.refresh()

    def refresh(self) -> None:
        """Show the text that is the input."""
        self.field.show_text(text_of(self.store.state.sample))
        self._describe()

    def notes(self) -> list[tuple[str, str]]:
        """(words, token) of each line below the field."""
        text = self.field.toPlainText()
        card = self.store.card
        stranger = "ink-2" if can_read(card.facts, text) else "negative-text"
        said = ((count_words(card, text), "ink-2"), (quality_words(card), "ink-2"),
                (unreadable_words(card, text), stranger))
        return [(line, token) for sentence, token in said for line in _wrapped(sentence)]

    def sizeHint(self) -> QSize:
        return QSize(WIDTH, HIGH + 8 + LINE * len(self.notes()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.field.setGeometry(0, 0, FIELD_WIDTH, HIGH)

    def paintEvent(self, event: QPaintEvent) -> None:
        with faults.painting(self) as painter:
            for number, (said, token) in enumerate(self.notes()):
                style.write(painter, said, 0, HIGH + 8 + LINE * (number + 0.7), token, size=12, weight=400,
                            width=self.width())

    def _read(self, text: str) -> None:
        """Somebody has typed. The newest text wins; one that the model cannot read leaves the recording as it is."""
        card = self.store.card
        if can_read(card.facts, text):
            self._reached = step_of(card, text, self.field.caret())
            self.store.apply(lambda state: changed(state, sample=f"{TYPED}{text}", playing=False),
                             undoable=not self._going_on)
            self._going_on = True
        self._describe()

    def _describe(self) -> None:
        self.field.setAccessibleDescription(". ".join(said for said, _ in self.notes()))
        if self._high != self.sizeHint().height():
            self._high = self.sizeHint().height()
            self.grown.emit()
        self.update()

    def _changed(self, old: State, new: State) -> None:
        if old.edits != new.edits:
            self._describe()
        if (old.sample, old.model) != (new.sample, new.model) \
                and new.sample != f"{TYPED}{self.field.toPlainText()}":
            self._going_on, self._reached = False, None
            self.refresh()

    def _go_to_caret(self) -> None:
        """The recording of what was typed is there: go to the step that reads it, in the layer that is looked at."""
        moment, times, step = self.store.moment, self.store.timeline, self._reached
        if step is None or moment is None or self.store.waiting:
            return
        self._reached = None
        layer = next((beat.layer for beat in (moment.beat, *times.beats) if beat.step is not None), None)
        there = None if layer is None else times.of(layer, moment.beat.direction, step)
        if there is not None:
            self.store.apply(lambda state: does.go(state, there), undoable=False)


class TextField(QPlainTextEdit):
    """A few lines of text. Says what was typed by a person, not what was put there."""

    typed = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._told = False
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setFont(style.font(13, 500, mono=True))
        self.setPlaceholderText(tr("Type anything"))
        style.name(self, tr("Text to read"), tr("What you type is read as you type it"))
        self.textChanged.connect(lambda: self._told or self.typed.emit(self.toPlainText()))
        self.dress()

    def show_text(self, text: str) -> None:
        """Another text, chosen elsewhere; nothing happens to the one that stands there already."""
        if text != self.toPlainText():
            self._told = True
            self.setPlainText(text)
            self._told = False

    def caret(self) -> int:
        """How many characters stand before the caret."""
        before = self.toPlainText().encode("utf-16-le", "surrogatepass")[:2 * self.textCursor().position()]
        return len(before.decode("utf-16-le", "ignore"))

    def dress(self) -> None:
        """The colours of the theme."""
        tokens = {"stage": "stage", "ink": "ink", "rule": "border", "tint": "tint", "accent": "accent-ink",
                  "line": "accent"}
        self.setStyleSheet(FIELD.format(**{name: style.color(token).name() for name, token in tokens.items()})
                           + style.scroll_sheet())

    def sizeHint(self) -> QSize:
        return QSize(FIELD_WIDTH, HIGH)

    def event(self, event: QEvent) -> bool:
        """Esc leaves the field before it leaves anything else."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) \
                and event.key() == Qt.Key.Key_Escape:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.clearFocus()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        note_focus(self, event)
        super().focusInEvent(event)


def text_of(sample: str) -> str:
    """The words of a sample that is a text; nothing for anything else."""
    if sample.startswith(TYPED):
        return sample.removeprefix(TYPED)
    with suppress(LookupError):
        found = inputs.raw(sample)
        return found if isinstance(found, str) else ""
    with suppress(Refused, OSError, ValueError):
        return inputs.text_in(sample)
    return ""


def _wrapped(said: str) -> list[str]:
    return [*plain_lines(said, 12, WIDTH)] if said else []


# --- what a model makes of a text -----------------------------------------------------------------------------------

def count_words(card: Card, text: str) -> str:
    """`18 characters, 66 in the alphabet`, or `5 words, 6,743 known`."""
    facts, count = card.facts, len(symbols(card.facts, text))
    if "words" in facts:
        known = len(facts["words"]) - ("unknown" in facts)
        said = counted_as(count, tr("{n} word, {known} known"), tr("{n} words, {known} known"))
        return said.format(n=numbers.count(count), known=numbers.count(known))
    said = counted_as(count, tr("{n} character"), tr("{n} characters")).format(n=numbers.count(count))
    if "alphabet" not in facts:
        return said
    return tr("{said}, {known} in the alphabet").format(said=said, known=numbers.count(len(facts["alphabet"])))


def unreadable_words(card: Card, text: str) -> str:
    """One sentence on what keeps the text from being read, and what to do; or on what is read without being known."""
    if len(text) > MOST:
        return tr("{n} characters are more than {most}: shorten the text.").format(
            n=numbers.count(len(text)), most=numbers.count(MOST))
    if not symbols(card.facts, text):
        return tr("There is nothing to read yet: type something.")
    return unknown_words(card, text)


def unknown_words(card: Card, text: str) -> str:
    """One sentence that names what the model does not know, and what follows from it; empty if it knows all."""
    found = unknown(card.facts, text)
    if not found:
        return ""
    named = " ".join(in_quotes(words.symbol(symbol)) for symbol in found[:MOST_NAMED])
    more = tr(" and {n} more").format(n=numbers.count(len(found) - MOST_NAMED)) if len(found) > MOST_NAMED else ""
    if "unknown" in card.facts:
        return tr("It does not know {named}{more}, and reads all such words alike.").format(named=named, more=more)
    return tr("It does not know {named}{more}: write the text without.").format(named=named, more=more)


def quality_words(card: Card) -> str:
    """How well the model was measured to do, in a few words; empty if its card does not say."""
    quality = card.quality
    if "nats per character" in quality:
        bits = float(quality["nats per character"]) / math.log(2)
        return tr("held-out {bits} bits a character").format(bits=numbers.number(bits))
    share = next((value for name, value in quality.items() if "accuracy" in name), None)
    if share is None:
        return ""
    of = tr(" of {n}").format(n=numbers.count(int(quality["of"]))) if "of" in quality else ""
    return tr("right for {share}{of} held out").format(share=numbers.percent(float(share)), of=of)


def step_of(card: Card, text: str, caret: int) -> int:
    """The step, counted from 1, that reads what stands before the caret; at least 1."""
    return max(1, min(len(symbols(card.facts, text[:caret])), len(symbols(card.facts, text))))
