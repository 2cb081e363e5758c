"""Help: every key and what it does, every word and what it means, every number and how it was checked."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtWidgets import QWidget

from visualizer.language import tr
from visualizer.ui.checksheet import CheckSheet
from visualizer.ui.commands import Command, Context, Desk, Family, commands
from visualizer.ui.cover import Cover
from visualizer.ui.keysheet import KeySheet
from visualizer.ui.wordsheet import WordSheet


class Helps(Desk, Protocol):
    """Where the key sheet lies."""

    cover: Cover
    presenting: bool

    def words_seen(self) -> str:
        """All words that stand on the screen."""


def family() -> Family:
    return Family(tr("Help"), 90, (
        Command("keys", tr("Keys and words"), ("F1",),
                tr("Every key and what it does; again, every word and what it means"), toggle_keys, starts=True),
        Command("words", tr("What the words mean"), ("Shift+F1",),
                tr("Explains the words on this screen, and all others"), toggle_words, starts=True),
        Command("checked", tr("What was checked"), ("F9",),
                tr("Every array that was recomputed, with what, and how far off it is"), toggle_checked),
    ))


def toggle_keys(desk: Helps) -> None:
    """Show or hide the key sheet: the keys of where one is."""
    context = Context.PRESENTING if desk.presenting else Context.WINDOW

    def made(below: QWidget) -> KeySheet:
        sheet = KeySheet(commands(), below, context)
        sheet.words_wanted.connect(lambda: toggle_words(desk))
        return sheet

    desk.cover.toggle(KeySheet, made)


def toggle_words(desk: Helps) -> None:
    """Show or hide what the words mean."""
    seen = desk.words_seen()
    desk.cover.toggle(WordSheet, lambda below: WordSheet(seen, below))


def toggle_checked(desk: Helps) -> None:
    """Show or hide what was compared with what."""
    trace, report = desk.store.trace, desk.store.report
    if trace is None or report is None:
        desk.say(tr("The recording has not been compared with a second computation yet."))
        return
    desk.cover.toggle(CheckSheet, lambda below: CheckSheet(trace, report, below))
