"""Edits: what is done to the network or its input, and taken back; the numbers are recorded anew."""

from __future__ import annotations

from typing import Protocol

from visualizer import answers, edits
from visualizer.card import Card
from visualizer.language import tr
from visualizer.scene import state as does
from visualizer.scene.state import State
from visualizer.ui.commands import Act, Command, Desk, Family, key_for


class Bar(Protocol):
    """The bar over the stage."""

    def by(self, steps: int) -> bool:
        """So many steps stronger or weaker; False where nothing that has a strength has been chosen."""

    def roll(self) -> bool:
        """Another seed; False where nothing that has one has been chosen."""


class Panes(Protocol):
    """What has the bar."""

    bar: Bar
    barred: bool

    def toggle_bar(self) -> None:
        """Show it or put it away."""

    def toggle_curves(self) -> None:
        """Show right answers by strength, or put them away."""


class Barred(Desk, Protocol):
    """A desk with the bar."""

    panes: Panes


def family() -> Family:
    return Family(tr("What if"), 65, (
        Command("what-if", tr("What if …"), ("Shift+W",),
                tr("Show the bar on which is chosen what is done to the input, or put it away"),
                lambda desk: desk.panes.toggle_bar()),
        Command("right-answers", tr("Right answers by strength"), ("Shift+C",),
                tr("Count the right answers among many inputs at every strength of what is done, or put that away"),
                lambda desk: desk.panes.toggle_curves()),
        Command("stronger", tr("Stronger"), ("Ctrl+Alt+PgUp",), tr("What is done to the input, one step stronger"),
                _by(1)),
        Command("weaker", tr("Weaker"), ("Ctrl+Alt+PgDown",), tr("What is done to the input, one step weaker"),
                _by(-1)),
        Command("another-seed", tr("Another seed"), ("Ctrl+Alt+N",), tr("Other noise, another order"), _roll),
        Command("unit-off", tr("Switch the unit off"), ("X",),
                tr("The chosen channel or unit gives zeros, whatever comes in; again to switch it on"), unit_off),
        Command("told", tr("Told the right symbols"), ("Shift+T",),
                tr("Before each symbol that it says the network is told the right one, or again its own last one"),
                told),
        Command("shift-left", tr("Shift the input left"), ("Ctrl+Alt+Left",),
                tr("The input one pixel to the left, or one step earlier"), _shift(-1, 0)),
        Command("shift-right", tr("Shift the input right"), ("Ctrl+Alt+Right",),
                tr("The input one pixel to the right, or one step later"), _shift(1, 0)),
        Command("shift-up", tr("Shift the input up"), ("Ctrl+Alt+Up",), tr("The input one pixel up"), _shift(0, -1)),
        Command("shift-down", tr("Shift the input down"), ("Ctrl+Alt+Down",), tr("The input one pixel down"),
                _shift(0, 1)),
        Command("unedited", tr("As it was"), ("Shift+X",),
                tr("The network and its input without anything that was done to them"), unedited),
    ))


def unit_off(desk: Desk) -> None:
    """Switch the chosen unit off or on; where none is chosen, the person is told how to."""
    trace = desk.store.trace
    if trace is None or desk.store.state.in_lab:
        return
    if does.unit_of(desk.store.state.focus, trace) is None:
        desk.say(tr("Choose a channel or a unit first: click on it, and press the key again."))
        return
    _edit(desk, does.unit_off(desk.store.state, trace))


def told(desk: Desk) -> None:
    """The right symbols on the way, or again its own; where a network says none, the person is told so."""
    if can_be_told(desk.store.card):
        _edit(desk, does.told(desk.store.state))
    else:
        desk.say(tr("{network} says no row of symbols, so there is nothing that it could be told before each.").format(
            network=desk.store.card.title or desk.store.card.model))


def can_be_told(card: Card) -> bool:
    """Whether a network says symbol after symbol, so that it can be told the right ones on its way."""
    return any(each.name == card.answers and each.ends for each in answers.kinds())


def unedited(desk: Desk) -> None:
    """Take back everything that was done."""
    if desk.store.state.edits:
        _edit(desk, does.unedited(desk.store.state))


def _by(steps: int) -> Act:
    def act(desk: Barred) -> None:
        if not (desk.panes.barred and desk.panes.bar.by(steps)):
            desk.say(tr("Nothing that has a strength is being done to the input; choose it on the bar ({key}).").format(
                key=key_for("what-if")))
    return act


def _roll(desk: Barred) -> None:
    if not (desk.panes.barred and desk.panes.bar.roll()):
        desk.say(tr("Nothing that has a seed is being done to the input; choose it on the bar ({key}).").format(
            key=key_for("what-if")))


def _shift(right: int, down: int) -> Act:
    def act(desk: Desk) -> None:
        if not desk.store.state.in_lab:
            _edit(desk, does.shifted(desk.store.state, right, down))
    return act


def _edit(desk: Desk, state: State) -> None:
    """Have it done, and say what is done by now."""
    desk.store.apply(lambda now: state)
    done = edits.said(desk.store.state.edits)
    said = tr("Now: {edits}.").format(edits=done) if done else tr("The network and its input are as they were.")
    desk.say(said, tr("Undo"), desk.store.undo)
