"""Inputs: from one to the next, with everything else kept; one after the other or running."""

from __future__ import annotations

from typing import Protocol

from visualizer.language import numeral, tr
from visualizer.scene import state as does
from visualizer.ui.commands import Act, Command, Desk, Family


class Chooses(Desk, Protocol):
    """Where it is chosen which inputs are stepped through."""

    def choose_inputs(self) -> None:
        """Offer all, one class, the wrong ones, a folder, a file."""


def family() -> Family:
    return Family(tr("Inputs"), 45, (
        Command("next-input", tr("Next input"), ("Ctrl+Right",),
                tr("The next input through the same network, at the same place and moment"), _step(1)),
        Command("previous-input", tr("Previous input"), ("Ctrl+Left",),
                tr("The input before, through the same network, at the same place and moment"), _step(-1)),
        Command("play-inputs", tr("Run through the inputs"), ("Ctrl+Space",),
                tr("One input after the other, or stop; the speed is that of the beats"), _run(1)),
        Command("play-inputs-back", tr("Run back through the inputs"), ("Ctrl+Shift+Space",),
                tr("One input after the other backwards, or stop"), _run(-1)),
        Command("choose-inputs", tr("Which inputs"), ("Ctrl+I",),
                tr("All, one class, the wrong ones, the least sure, those that excite the chosen unit most, a folder, "
                   "a file"), lambda desk: desk.choose_inputs()),
    ))


def _step(by: int) -> Act:
    def act(desk: Desk) -> None:
        step(desk, by)
    return act


def step(desk: Desk, by: int) -> None:
    """So many inputs further, no further than to either end; the person is told why where there is none."""
    known, here = desk.store.inputs, desk.store.state.sample
    word = "" if known is None else known.beside(here, by)
    if known is None or not word:
        desk.say(why_no_inputs(desk.store.takes_inputs))
    elif word == here:
        desk.say(tr("This is the last input of {count}.").format(count=numeral(f"{len(known.words):,}")) if by > 0 else
                 tr("This is the first input of {count}.").format(count=numeral(f"{len(known.words):,}")))
    else:
        desk.store.apply(lambda state: does.still_at(state, word))


def _run(way: int) -> Act:
    def act(desk: Desk) -> None:
        if desk.store.inputs is None:
            desk.say(why_no_inputs(desk.store.takes_inputs))
        else:
            desk.store.apply(lambda state: does.run_through(state, way), undoable=False)
    return act


def why_no_inputs(takes: bool) -> str:
    """Why one cannot step through inputs here, or not yet where the model `takes` others."""
    if takes:
        return tr("The inputs are still being read; they can be stepped through in a moment.")
    return tr("There are no other inputs here: this is one recording, or the laboratory; open a network to step "
              "through inputs.")
