"""Help: every key and what it does."""

from __future__ import annotations

from typing import Protocol

from visualizer.language import tr
from visualizer.ui.commands import Command, Context, Desk, Family, commands
from visualizer.ui.cover import Cover
from visualizer.ui.keysheet import KeySheet


class Helps(Desk, Protocol):
    """Where the key sheet lies."""

    cover: Cover
    presenting: bool


def family() -> Family:
    return Family(tr("Help"), 90, (
        Command("keys", tr("Keys"), ("F1",), tr("Every key and what it does"), toggle_keys,
                starts=True),
    ))


def toggle_keys(desk: Helps) -> None:
    """Show or hide the key sheet: the keys of where one is."""
    context = Context.PRESENTING if desk.presenting else Context.WINDOW
    desk.cover.toggle(KeySheet, lambda below: KeySheet(commands(), below, context))
