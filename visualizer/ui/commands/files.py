"""Files: what is opened, and where one stands saved."""

from __future__ import annotations

from typing import Protocol

from visualizer import door
from visualizer.language import tr
from visualizer.registry import write_whole
from visualizer.scene import session
from visualizer.scene import state as does
from visualizer.trace import UNTRAINED
from visualizer.ui import words
from visualizer.ui.commands import Command, Desk, Family
from visualizer.ui.saving import saved


class Files(Desk, Protocol):
    """What opens and closes."""

    def ask_for_folder(self, title: str) -> str:
        """A folder, as the person chooses it; empty for none."""

    def open_path(self, path: str) -> None:
        """Have a file opened, whatever it is."""

    def toggle_pad(self) -> None:
        """Show or put away the drawing pad."""

    def restore(self) -> None:
        """Have opened what a crash left behind."""

    def leave(self) -> None:
        """Close the window."""


def family() -> Family:
    return Family(tr("File"), 10, (
        Command("open", tr("Open…"), ("Ctrl+O",),
                tr("Open an image, a model, a recording, or a picture saved by the app"),
                choose_file, starts=True),
        Command("open-folder", tr("Open folder…"), ("Ctrl+Alt+O",),
                tr("Open a folder of recordings or model files: one after the other, as a training left them"),
                choose_folder, starts=True),
        Command("draw", tr("Draw a digit"), ("D",), tr("Draw the input yourself, with mouse, finger or keyboard"),
                lambda desk: desk.toggle_pad(), starts=True),
        Command("before-training", tr("Before or after training"), ("Ctrl+B",),
                tr("The same model with the weights from before its training, or the trained ones again"),
                before_training, icon="untrained", can=lambda desk: desk.store.card.before,
                is_on=lambda desk: UNTRAINED in desk.store.state.edits),
        Command("save", tr("Save session…"), ("Ctrl+S",), tr("Save where you are, to open it again later"),
                save_session),
        Command("restore", tr("Restore the last session"), ("Ctrl+Shift+O",),
                tr("Open again where you were before the app ended without being closed"), lambda desk: desk.restore(),
                starts=True),
        Command("quit", tr("Quit"), ("Ctrl+Q",), tr("Close the window"), lambda desk: desk.leave(),
                starts=True),
    ))


def choose_file(desk: Files) -> None:
    """Ask for a file and open it."""
    kinds = [f"{title} ({' '.join(f'*{suffix}' for suffix in suffixes)})" for title, suffixes in door.kinds()]
    path = desk.ask_for_file(tr("Open"), ";;".join((*kinds, tr("All files (*)"))))
    if path:
        desk.open_path(path)


def choose_folder(desk: Files) -> None:
    """Ask for a folder and open what is in it, one recording after the other."""
    path = desk.ask_for_folder(tr("Open folder"))
    if path:
        desk.open_path(path)


def save_session(desk: Desk) -> None:
    """Ask for a name and save where one stands."""
    path, _ = desk.ask_for_name(tr("Save session"), "untitled.session", tr("Session (*.session)"))
    if path:
        trace = None if desk.store.waiting else desk.store.trace
        desk.say(saved(path, lambda target: write_whole(target, session.to_bytes(desk.store.state, trace))))


def before_training(desk: Desk) -> None:
    """The weights from before training and back; where there are none the person is told so."""
    if desk.store.card.before:
        desk.store.apply(does.before_training)
    else:
        desk.say(words.nothing_before(desk.store.card))
