"""Camera: what it sees becomes the input."""

from __future__ import annotations

from typing import Protocol

from visualizer.language import tr
from visualizer.ui.commands import Command, Desk, Family


class Sees(Desk, Protocol):
    """Where a camera may be."""

    def take_picture(self) -> None:
        """Show what the camera sees, and open what is taken of it."""


def family() -> Family:
    return Family(tr("Inputs"), 46, (
        Command("camera", tr("Take a picture…"), ("Shift+D",),
                tr("A picture from the camera becomes the input of a model that reads pictures"),
                lambda desk: desk.take_picture()),
    ))
