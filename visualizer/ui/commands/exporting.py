"""Exporting: pictures, figures, films and numbers into files."""

from __future__ import annotations

from typing import Protocol

from visualizer.language import tr
from visualizer.ui.commands import Command, Desk, Family


class Exports(Desk, Protocol):
    """What leaves the app as a file."""

    def export_picture(self) -> None:
        """Show or put away the panel that exports."""

    def add_panel(self) -> None:
        """Put what the stage shows into the figure that is exported next."""

    def drop_panel(self) -> None:
        """Take out of the figure what was put into it last."""

    def export_data(self) -> None:
        """Ask for a name and save numbers."""

    def export_film(self) -> None:
        """Show or put away the panel in which a film is chosen."""


def family() -> Family:
    return Family(tr("Export"), 30, (
        Command("export", tr("Export picture…"), ("E", "Ctrl+E"),
                tr("Save what you see, or the figure you put together, as PNG, SVG or PDF"),
                lambda desk: desk.export_picture()),
        Command("add-panel", tr("Add to figure"), ("A",),
                tr("Put what you see into a figure of several panels, a, b, c, to export them as one"),
                lambda desk: desk.add_panel()),
        Command("drop-panel", tr("Take out of figure"), ("Shift+A",),
                tr("Take out of the figure what was put into it last"), lambda desk: desk.drop_panel()),
        Command("export-data", tr("Export data…"), ("Ctrl+Shift+D",),
                tr("Save numbers as CSV, JSON or NPZ: the table of the picture, its layer, or everything"),
                lambda desk: desk.export_data()),
        Command("film", tr("Export film…"), ("Ctrl+Shift+E",),
                tr("Save the animation as a video, a GIF or numbered pictures"), lambda desk: desk.export_film()),
    ))
