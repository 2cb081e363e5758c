"""Edit: back and forth between what was chosen, and onto the clipboard."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtGui import QGuiApplication

from visualizer import data, paint
from visualizer.language import tr
from visualizer.scene.picture import Picture
from visualizer.ui.commands import Command, Desk, Family
from visualizer.ui.saving import for_programs, pinned


class Edits(Desk, Protocol):
    """What can be taken back, and what leaves the app."""

    def unclear(self) -> bool:
        """Take back the clearing of the drawing pad, if that was done last."""

    def shown_picture(self) -> Picture:
        """The picture of the stage, or the audience's while it presents."""


def family() -> Family:
    return Family(tr("Edit"), 20, (
        Command("undo", tr("Undo"), ("Ctrl+Z",), tr("Back to what was chosen before"), undo),
        Command("redo", tr("Redo"), ("Ctrl+Shift+Z",), tr("Forth again to what was undone"),
                lambda desk: desk.store.redo()),
        Command("copy", tr("Copy picture"), ("Ctrl+C",), tr("Put the picture on the clipboard"), copy_picture),
        Command("copy-caption", tr("Copy caption"), ("Ctrl+Shift+C",),
                tr("Put the sentence of the picture on the clipboard, and all it was made from"), copy_caption),
        Command("copy-data", tr("Copy data"), ("Ctrl+Alt+C",),
                tr("Put the table of the picture on the clipboard, for a spreadsheet"), copy_data),
    ))


def undo(desk: Edits) -> None:
    """Take back what was done last: the clearing of the drawing, or the last choice."""
    if not desk.unclear():
        desk.store.undo()


def copy_picture(desk: Edits) -> None:
    """The whole picture, at twice its size, on the clipboard."""
    if desk.store.trace is not None:
        QGuiApplication.clipboard().setImage(paint.render(desk.shown_picture(), 2))


def copy_caption(desk: Edits) -> None:
    """The sentence of the picture, and all it was made from, on the clipboard."""
    if desk.store.trace is not None:
        shown = desk.store.trace, pinned(desk.store), desk.picture
        QGuiApplication.clipboard().setText(data.caption_text((shown,)))


def copy_data(desk: Edits) -> None:
    """The table of the picture on the clipboard, as spreadsheets take it."""
    picture = for_programs(desk.store)
    if picture is not None:
        QGuiApplication.clipboard().setText(data.table_tabs(picture.table))
