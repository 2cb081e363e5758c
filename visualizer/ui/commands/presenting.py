"""Presenting: what is done for a room, from the keyboard or from afar."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from visualizer.language import tr
from visualizer.ui.commands import Act, Command, Desk, Family

BLACK, WHITE = "#000000", "#FFFFFF"


class Room(Protocol):
    """What is shown to a room, and how."""

    def present(self) -> None: ...
    def present_here(self) -> None: ...
    def toggle_speaker(self) -> None: ...
    def write_notes(self) -> None: ...
    def toggle_frozen(self) -> None: ...
    def toggle_blank(self, color: str) -> None: ...
    def toggle_spotlight(self) -> None: ...
    def toggle_alone(self) -> None: ...
    def toggle_pen(self) -> None: ...
    def draw_around(self) -> None: ...
    def undo_stroke(self) -> None: ...
    def clear_strokes(self) -> None: ...
    def toggle_inked(self) -> None: ...
    def known_state(self) -> None: ...


class Presents(Desk, Protocol):
    """Whoever can present."""

    @property
    def presenter(self) -> Room: ...


def family() -> Family:
    return Family(tr("Present"), 80, (
        Command("present", tr("Present"), ("F5",),
                tr("Full screen for a room, from the first beat; {out} leaves it, {present} then goes on"),
                _room(Room.present), clicker=("F5",), starts=True),
        Command("present-here", tr("Present from here"), ("Shift+F5",),
                tr("Full screen for a room, from this beat on"), _room(Room.present_here), clicker=("Shift+F5",)),
        Command("speaker", tr("Speaker view"), ("V",),
                tr("What the audience sees, the next beat, your notes and the clock; or the window under them"),
                _room(Room.toggle_speaker)),
        Command("notes", tr("Write notes"), ("F2",), tr("Notes for this beat, kept in the session"),
                _room(Room.write_notes)),
        Command("freeze", tr("Freeze"), ("F",),
                tr("Hold what the audience sees while you prepare or type in the window; or let it follow again"),
                _room(Room.toggle_frozen)),
        Command("black", tr("Black screen"), ("B", "."), tr("Blank the screen black; any key brings it back"),
                lambda desk: desk.presenter.toggle_blank(BLACK), clicker=("B", ".")),
        Command("white", tr("White screen"), ("W",), tr("Blank the screen white; any key brings it back"),
                lambda desk: desk.presenter.toggle_blank(WHITE), clicker=("W",)),
        Command("spotlight", tr("Spotlight"), ("O",),
                tr("Dim all but one part; Tab goes to the next part, the mouse takes the light along"),
                _room(Room.toggle_spotlight)),
        Command("alone", tr("Hide everything but this"), ("H",),
                tr("Only the part in the spotlight, or what the beat is about; again for all"),
                _room(Room.toggle_alone)),
        Command("pen", tr("Pen"), ("P",), tr("Draw on the picture; the strokes belong to the beat"),
                _room(Room.toggle_pen)),
        Command("pen-around", tr("Frame with the pen"), ("Shift+P",),
                tr("A frame around the part in the spotlight: the pen without a mouse"), _room(Room.draw_around)),
        Command("pen-undo", tr("Take back a stroke"), ("Z",), tr("The last stroke on this beat"),
                _room(Room.undo_stroke)),
        Command("pen-clear", tr("Clear strokes"), ("Shift+Z",), tr("All strokes on this beat"),
                _room(Room.clear_strokes)),
        Command("pen-export", tr("Export with strokes"), ("Shift+E",),
                tr("Whether pictures exported while presenting have the strokes of the pen"),
                _room(Room.toggle_inked)),
        Command("known", tr("Known state"), ("F8",),
                tr("The first beat with nothing chosen, drawn or hidden: always the same picture; {undo} undoes it"),
                _room(Room.known_state)),
    ))


def _room(does: Callable[[Room], None]) -> Act:
    def act(desk: Presents) -> None:
        getattr(desk.presenter, does.__name__)()
    return act
