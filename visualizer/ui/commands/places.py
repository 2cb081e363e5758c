"""Places: several recordings beside each other, at one time."""

from __future__ import annotations

from visualizer import registry, sight
from visualizer.comparison.partners import partners
from visualizer.comparison.path import longest
from visualizer.language import tr
from visualizer.scene import state as does
from visualizer.scene.recipe import ModelRecipe, is_of_run, opened_recipe
from visualizer.scene.state import BEAT, MOST_PLACES, SHARE, STEP, SYNCS
from visualizer.ui import words
from visualizer.ui.commands import Act, Command, Desk, Family, key_for, pure
from visualizer.ui.commands.views import to_digit


def family() -> Family:
    return Family(tr("Places"), 67, (
        Command("compare", tr("Compare"), ("Shift+V",),
                tr("The open places as one picture, in step; with one place its natural partners come; again for its "
                   "view"), compare, is_on=lambda desk: bool(desk.store.state.compare)),
        Command("sync", tr("In step by"), ("J",),
                tr("While comparing: the same share of the way, the same beat, or the same step"), sync),
        *(Command(f"alone-{number}", tr("Network {number} alone").format(number=number), (str(number),),
                  tr("While comparing: one network large; again for all. Else what the digit means in the view"),
                  alone_or_digit(number), ())
          for number in range(1, does.MOST_COMPARED + 1)),
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


def alone_or_digit(number: int) -> Act:
    """While comparing one network alone, else what the digit means in the view."""
    def act(desk: Desk) -> None:
        if desk.store.state.compare:
            desk.store.apply(lambda state: does.alone_at(state, number))
        else:
            to_digit(number)(desk)
    return act


def compare(desk: Desk) -> None:
    """Several networks as one picture; or each in its view again."""
    store = desk.store
    if store.state.compare:
        store.apply(lambda state: does.apart(state, state.view))
        return
    if not all(isinstance(place.recipe, ModelRecipe) for place in store.state.places) or store.trace is None:
        desk.say(tr("Networks are compared that read an input; open one first."))
        return
    assert isinstance(store.state.recipe, ModelRecipe)
    if sight.shows_updates(store.state.view) and not store.state.reel:
        store.update(view="network")  # which takes the updates along
    of_run = store.kept(opened_recipe(store.state.recipe)) if is_of_run(store.state.reel) else None
    found = partners(store.state.recipe, store.card.kind) if of_run is None else \
        sight.ends_of_run(store.state, of_run.trace)
    if len(store.state.places) == 1 and not found:
        desk.say(tr("Nothing here reads the same; open another network beside it ({key}) and compare then.").format(
            key=key_for("place-add")))
        return
    store.apply(lambda state: does.compared(state, found))


def sync(desk: Desk) -> None:
    """The next thing that networks have in common; by beats one stands in the one with the most."""
    state, readers = desk.store.state, desk.store.readers
    if not readers:
        return
    word = SYNCS[(SYNCS.index(state.compare) + 1) % len(SYNCS)]
    desk.store.apply(lambda state: does.synced(state, word))
    if word == BEAT:
        desk.store.apply(lambda state: does.to_place(state, longest([reader.trace for reader in readers])))
    said = {SHARE: tr("In step by the share of their way."), BEAT: tr("In step beat by beat."),
            STEP: tr("In step by the steps that were read.")}
    desk.say(said[word])


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
