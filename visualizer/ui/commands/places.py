"""Places: several recordings beside each other, at one time."""

from __future__ import annotations

from visualizer import registry
from visualizer.language import tr
from visualizer.scene import state as does
from visualizer.scene.state import MOST_PLACES
from visualizer.ui import words
from visualizer.ui.commands import Command, Desk, Family, pure


def family() -> Family:
    return Family(tr("Places"), 67, (
        Command("place-add", tr("Another place beside this one"), ("Ctrl+T",),
                tr("The same once more, to open another model or input in it; both run at one time"), add),
        Command("place-next", tr("Next place"), ("F7",), tr("Stand in the next of several places"),
                pure(lambda state: does.to_place(state, state.active + 1))),
        Command("place-close", tr("Close this place"), ("Ctrl+W",), tr("Away with the place one stands in"),
                pure(does.without_place)),
        Command("training-beside", tr("Before and after side by side"), ("Ctrl+Shift+B",),
                tr("The weights from before training beside the trained ones; again for one alone"), training_beside),
        Command("training-reel", tr("From before to after training"), ("Ctrl+R",),
                tr("The weights from before training go over into the trained ones, to play, to scrub and to film; "
                   "again to leave it"), training_reel),
    ))


def add(desk: Desk) -> None:
    """One more place, where there is room for it."""
    if len(desk.store.state.places) >= MOST_PLACES:
        desk.say(tr("{count} places stand beside each other, which is as many as can be told apart; close one first.")
                 .format(count=MOST_PLACES))
        return
    desk.store.apply(does.another_place)


def training_beside(desk: Desk) -> None:
    """Before training beside after it, where both sets of weights are there."""
    if len(desk.store.state.places) > 1 or _has_both(desk):
        desk.store.apply(does.training_beside)


def training_reel(desk: Desk) -> None:
    """From before training to after it, where both sets of weights are there; or left again."""
    state = desk.store.state
    if state.reel or (_has_both(desk) and desk.store.timeline.beats):
        desk.store.apply(lambda state: does.training_reel(state, desk.store.timeline))


def _has_both(desk: Desk) -> bool:
    """Whether the model comes with its weights from before training; where it does not, the person is told so."""
    if desk.store.state.model in registry.with_before():
        return True
    desk.say(words.nothing_before(desk.store.card))
    return False
