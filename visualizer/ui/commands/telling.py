"""Telling: what a model file does not say of itself."""

from __future__ import annotations

from typing import Protocol

from visualizer.language import tr
from visualizer.ui.commands import Command, Desk, Family


class Tells(Desk, Protocol):
    """Where that is asked."""

    def tell(self) -> None:
        """Have the sheet brought back on which one says it."""


def family() -> Family:
    return Family(tr("Edit"), 21, (
        Command("tell", tr("Edit what was told…"), ("Ctrl+M",),
                tr("What goes into your own model, its labels and its answer, once more; it is recorded anew"),
                lambda desk: desk.tell()),
    ))
