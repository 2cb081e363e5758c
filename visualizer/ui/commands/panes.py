"""Panes: what the window itself is made of."""

from __future__ import annotations

from typing import Protocol

from visualizer.language import tr
from visualizer.ui.commands import Command, Desk, Family


class Panes(Protocol):
    """The panes of the window."""

    def toggle_details(self) -> None:
        """In a narrow window: slide the inspector over the stage, or away."""

    def next_pane(self) -> None:
        """The keyboard goes to the next pane."""


class Paned(Desk, Protocol):
    """What can be shown, hidden and gone to."""

    panes: Panes

    def toggle_menu_bar(self) -> None:
        """Show or hide the menu bar."""


def family() -> Family:
    return Family(tr("View"), 62, (
        Command("details", tr("Details"), ("I",), tr("Show or hide the inspector in a narrow window"),
                lambda desk: desk.panes.toggle_details()),
        Command("pane", tr("Next pane"), ("F6",), tr("Move the keyboard to the next part of the window"),
                lambda desk: desk.panes.next_pane(), starts=True),
        Command("menu", tr("Menu bar"), ("F10",), tr("Show or hide the menu bar (Alt, too)"),
                lambda desk: desk.toggle_menu_bar(), starts=True),
    ))
