"""Files: what is opened, and where one stands saved."""

from __future__ import annotations

from typing import Protocol

from visualizer import registry
from visualizer.language import tr
from visualizer.scene import state as does
from visualizer.ui.commands import Command, Desk, Family


class Files(Desk, Protocol):
    """What opens and closes."""

    def choose_file(self) -> None:
        """Ask for a file and open it."""

    def toggle_pad(self) -> None:
        """Show or put away the drawing pad."""

    def save_session(self) -> None:
        """Ask for a name and save where one stands."""

    def restore(self) -> None:
        """Open what a crash left behind."""

    def leave(self) -> None:
        """Close the window."""


def family() -> Family:
    return Family(tr("File"), 10, (
        Command("open", tr("Open…"), ("Ctrl+O",),
                tr("Open an image, a model, a recording, or a picture saved by the app"),
                lambda desk: desk.choose_file()),
        Command("draw", tr("Draw a digit"), ("D",), tr("Draw the input yourself, with mouse, finger or keyboard"),
                lambda desk: desk.toggle_pad()),
        Command("before-training", tr("Before or after training"), ("Ctrl+B",),
                tr("The same model with the weights from before its training, or the trained ones again"),
                before_training),
        Command("save", tr("Save session…"), ("Ctrl+S",), tr("Save where you are, to open it again later"),
                lambda desk: desk.save_session()),
        Command("restore", tr("Restore the last session"), ("Ctrl+Shift+O",),
                tr("Open again where you were before the app ended without being closed"), lambda desk: desk.restore()),
        Command("quit", tr("Quit"), ("Ctrl+Q",), tr("Close the window"), lambda desk: desk.leave()),
    ))


def before_training(desk: Desk) -> None:
    """The weights from before training and back; where there are none the person is told so."""
    model = desk.store.state.model
    if model in registry.with_before():
        desk.store.apply(does.before_training)
    else:
        desk.say(tr("For {model} no weights from before training come with the app; choose another, for example "
                    "{other}.").format(model=model, other=registry.with_before()[0]))
