"""Colours, sizes and motion: how the picture is drawn, whatever it shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from visualizer.language import tr
from visualizer.scene import colour
from visualizer.scene import state as does
from visualizer.scene.state import State, changed
from visualizer.ui.canvas import Canvas
from visualizer.ui.commands import Command, Desk, Family, pure
from visualizer.ui.system import ALWAYS, NEVER


class Shows(Desk, Protocol):
    """What can be enlarged, and asked to heed a person rather than the system."""

    def canvas(self) -> Canvas:
        """The stage, or the audience's picture while it presents."""

    def rescale(self, by: int) -> None:
        """Everything a step larger or smaller from the next start on."""

    def choose(self, what: str, choice: str) -> None:
        """From now on `motion` or `contrast` is as somebody chose, `always`, `never` or as the `system` asks."""


def family() -> Family:
    return Family(tr("View"), 60, (
        Command("signs", tr("Sign on every cell"), ("S",), tr("A minus on every negative cell, however small"),
                pure(does.signs)),
        Command("scale-unit", tr("Colours per unit"), ("U",), tr("Each map has its own strongest colour"),
                pure(lambda state: does.scope(state, "unit"))),
        Command("scale-layer", tr("Colours per layer"), ("L",), tr("One strongest colour for each layer"),
                pure(lambda state: does.scope(state, "layer"))),
        Command("scale-network", tr("Colours per network"), ("N",), tr("One strongest colour for the whole network"),
                pure(lambda state: does.scope(state, "network"))),
        Command("zoom-in", tr("Zoom in"), ("Ctrl++", "Ctrl+="), tr("Enlarge the picture; drag to move it"),
                lambda desk: desk.canvas().zoom_on(1.25)),
        Command("zoom-out", tr("Zoom out"), ("Ctrl+-",), tr("Make the picture smaller again"),
                lambda desk: desk.canvas().zoom_on(0.8)),
        Command("zoom-whole", tr("Whole picture"), ("Ctrl+0",), tr("Fit the picture to the stage"),
                lambda desk: desk.canvas().reset_zoom()),
        *(Command(f"move-{name}", title, (f"Ctrl+Shift+{key}",),
                  tr("Move the enlarged picture, as a drag does"),
                  lambda desk, way=way: desk.canvas().move_on(*way)) for name, title, key, way in (
            ("left", tr("See more at the left"), "Left", (-1, 0)),
            ("right", tr("See more at the right"), "Right", (1, 0)),
            ("up", tr("See more above"), "Up", (0, -1)), ("down", tr("See more below"), "Down", (0, 1)))),
        Command("larger-text", tr("Larger text"), ("Ctrl+]",), tr("All words of the picture larger"),
                pure(lambda state: text_scale(state, 1.1))),
        Command("smaller-text", tr("Smaller text"), ("Ctrl+[",), tr("All words of the picture smaller"),
                pure(lambda state: text_scale(state, 1 / 1.1))),
        Command("larger", tr("Everything larger"), ("Ctrl+Shift+]",),
                tr("Words, pictures and buttons larger, up to twice as large; the app opens anew"),
                lambda desk: desk.rescale(1), starts=True),
        Command("smaller", tr("Everything smaller"), ("Ctrl+Shift+[",),
                tr("Words, pictures and buttons smaller again; the app opens anew"),
                lambda desk: desk.rescale(-1), starts=True),
        Command("theme", tr("Light or dark"), ("T",), tr("Change between the light and the dark theme"),
                pure(does.theme), icon="theme", is_on=is_dark, starts=True),
        Command("contrast", tr("High contrast"), ("Ctrl+Shift+T",),
                tr("Darker words and lines on light ground, lighter ones on dark; kept for the next time"),
                high_contrast, starts=True),
        Command("motion", tr("Less motion"), ("Shift+M",), tr("Cut to the end of each beat instead of moving"),
                less_motion, starts=True),
    ))


def text_scale(state: State, factor: float) -> State:
    """Larger or smaller words, between 0.8 and 2 times."""
    scale = round(min(2.0, max(0.8, state.look.text_scale * factor)), 2)
    return changed(state, look=replace(state.look, text_scale=scale))


def is_dark(desk: Desk) -> bool:
    return colour.strong(desk.store.state.look.theme, False) == "dark"


def less_motion(desk: Shows) -> None:
    """Less of it, or all of it, whatever the system asks."""
    desk.choose("motion", NEVER if desk.store.state.look.reduced_motion else ALWAYS)


def high_contrast(desk: Shows) -> None:
    """More of it, or the usual, whatever the system asks."""
    desk.choose("contrast", NEVER if colour.is_strong(desk.store.state.look.theme) else ALWAYS)
