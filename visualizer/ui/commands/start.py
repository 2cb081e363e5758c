"""Start: the screen before anything is looked at, and the search for whatever there is."""

from __future__ import annotations

from typing import Protocol

from visualizer.language import tr
from visualizer.ui.commands import Command, Desk, Family


class Starts(Desk, Protocol):
    """What has a start screen."""

    starting: bool

    def go_to_start(self) -> None:
        """Show it."""

    def search(self) -> None:
        """Type into its field."""


def family() -> Family:
    return Family(tr("View"), 63, (
        Command("start", tr("Start screen"), ("Alt+Home",),
                tr("Questions and networks to open; what you look at stays as it is"), lambda desk: desk.go_to_start(),
                icon="home", is_on=lambda desk: desk.starting, starts=True),
        Command("search", tr("Search"), ("Ctrl+K",), tr("Find a network, an input, a view or a question by its words"),
                lambda desk: desk.search(), icon="search", starts=True),
    ))
