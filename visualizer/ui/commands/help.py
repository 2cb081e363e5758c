"""Help: every key and what it does."""

from __future__ import annotations

from typing import Protocol

from visualizer.language import tr
from visualizer.ui.commands import Command, Desk, Family


class Helps(Desk, Protocol):
    """What can be explained."""

    def toggle_keys(self) -> None:
        """Show or hide the key sheet."""


def family() -> Family:
    return Family(tr("Help"), 90, (
        Command("keys", tr("Keys"), ("F1",), tr("Every key and what it does"), lambda desk: desk.toggle_keys()),
    ))
