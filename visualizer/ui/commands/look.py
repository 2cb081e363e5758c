"""Look: from the whole network into one number and out again, and from one number to its neighbour."""

from __future__ import annotations

from typing import Protocol

from visualizer.language import tr
from visualizer.scene import state as does
from visualizer.scene.state import State
from visualizer.scene.timeline import Moment
from visualizer.trace import Trace
from visualizer.ui.commands import Act, Command, Desk, Family, traced
from visualizer.ui.levels import beside, into, with_pixel


class Looks(Desk, Protocol):
    """What leads out of what lies on top, and back to where one was."""

    def one_level_out(self) -> None:
        """Put away whatever lies on top, else go one level up."""

    def walk_back(self) -> None:
        """Back to the number that was taken apart before this one, else one level out."""


def family() -> Family:
    return Family(tr("Look"), 50, (
        Command("previous-channel", tr("Previous channel or unit"), ("Up",), tr("The channel, unit or class above"),
                _beside(-1)),
        Command("next-channel", tr("Next channel or unit"), ("Down",), tr("The channel, unit or class below"),
                _beside(1)),
        Command("pixel-left", tr("Pixel to the left"), ("Alt+Left",), tr("Move the marked pixel left"), _pixel(0, -1)),
        Command("pixel-right", tr("Pixel to the right"), ("Alt+Right",), tr("Move the marked pixel right"),
                _pixel(0, 1)),
        Command("pixel-up", tr("Pixel above"), ("Alt+Up",), tr("Move the marked pixel up"), _pixel(-1, 0)),
        Command("pixel-down", tr("Pixel below"), ("Alt+Down",), tr("Move the marked pixel down"), _pixel(1, 0)),
        Command("in", tr("One level in"), ("Return", "Enter"), tr("Network, layer, channel, one number"),
                traced(into)),
        Command("out", tr("One level out"), ("Esc",), tr("Back towards the whole network"),
                lambda desk: desk.one_level_out(), clicker=("Esc",), starts=True),
        Command("walk-back", tr("Back to the number before"), ("Backspace",),
                tr("To the number that was taken apart before; else one level out"), lambda desk: desk.walk_back(),
                presenting=()),
    ))


def _beside(by: int) -> Act:
    return traced(lambda state, trace, moment, names: beside(state, trace, moment, by))


def _pixel(rows: int, columns: int) -> Act:
    """Where there are steps instead of rows and columns, up and down go from unit to unit."""
    def act(state: State, trace: Trace, moment: Moment, names: frozenset[str]) -> State:
        if trace[moment.beat.layer].axes[:1] == ("step",):
            return beside(state, trace, moment, rows) if rows else state
        return does.move_cell(with_pixel(state, trace, moment), trace, rows, columns)
    return traced(act)
