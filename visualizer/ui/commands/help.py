"""Help: every key and what it does, every word and what it means, every number and how it was checked."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtWidgets import QWidget

from visualizer.language import tr
from visualizer.scene.picture import Picture
from visualizer.ui.checksheet import CheckSheet
from visualizer.ui.commands import Command, Context, Desk, Family, commands
from visualizer.ui.cover import Cover
from visualizer.ui.keysheet import KeySheet
from visualizer.ui.tablesheet import TableSheet
from visualizer.ui.wordsheet import WordSheet


class Helps(Desk, Protocol):
    """Where the key sheet lies."""

    cover: Cover
    presenting: bool

    def pictures_seen(self) -> list[tuple[str, Picture]]:
        """Every picture on the screen, with what it is called."""

    def words_seen(self) -> str:
        """All words that stand on the screen."""


def family() -> Family:
    return Family(tr("Help"), 90, (
        Command("keys", tr("Keys and words"), ("F1",),
                tr("Every key and what it does; again, every word and what it means"), toggle_keys, starts=True),
        Command("words", tr("What the words mean"), ("Shift+F1",),
                tr("Explains the words on this screen, and all others"), toggle_words, starts=True),
        Command("table", tr("Picture as a table"), ("Ctrl+D",),
                tr("The numbers of what is seen in rows and columns, to be walked through with the arrow keys"),
                toggle_table),
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


def toggle_table(desk: Helps) -> None:
    """Show or hide the numbers of every picture that is seen."""
    seen = [(name, picture) for name, picture in desk.pictures_seen() if picture.table.rows]
    if seen:
        desk.cover.toggle(TableSheet, lambda below: TableSheet(seen, below))
    else:
        desk.say(tr("There are no numbers here yet; open a model or a recording."))


def toggle_checked(desk: Helps) -> None:
    """Show or hide what was compared with what."""
    trace, report = desk.store.trace, desk.store.report
    if trace is None or report is None:
        desk.say(tr("The recording has not been compared with a second computation yet."))
        return
    desk.cover.toggle(CheckSheet, lambda below: CheckSheet(trace, report, below))
