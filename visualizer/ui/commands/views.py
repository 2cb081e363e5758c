"""Views: from one to the next, and the knobs of the one that is shown."""

from __future__ import annotations

from visualizer import sight
from visualizer.kinds import recurrent
from visualizer.language import tr
from visualizer.scene import blocks
from visualizer.scene import state as does
from visualizer.scene.state import turned
from visualizer.scene.subject import is_inner
from visualizer.ui.commands import Act, Command, Desk, Family
from visualizer.ui.levels import block_toggled, closed_block, has_blocks
from visualizer.views import AT


def family() -> Family:
    return Family(tr("View"), 61, (
        Command("next-view", tr("Next view"), ("Ctrl+PgDown",), tr("The next tab"), _tab(1)),
        Command("previous-view", tr("Previous view"), ("Ctrl+PgUp",), tr("The tab before"), _tab(-1)),
        Command("card", tr("Turn the card over"), ("C",),
                tr("On the way back: how the gradient arrives at a number, or what it hands on"), turn_card),
        Command("march", tr("Next way of stepping"), ("M",),
                tr("Within a number: term by term; or over its map: place by place, row by row"), turn("march")),
        Command("lens", tr("Lens"), ("Shift+L",),
                tr("What a beat reads and writes stands large and the rest recedes; or all layers as they are"),
                turn("lens"), icon="lens",
                can=lambda desk: desk.store.trace is not None and "lens" in dict(desk.view().knobs),
                is_on=lambda desk: desk.store.state.look.knob("lens", "on") == "on"),
        Command("fold", tr("Fold or unfold"), ("Shift+F",),
                tr("All steps of a recurrent layer into one cell with its loop, or side by side again"), turn("fold"),
                icon="fold", can=lambda desk: desk.store.trace is not None and "fold" in dict(desk.view().knobs),
                is_on=lambda desk: desk.store.state.look.knob("fold", "0") != "0"),
        Command("blocks", tr("Blocks"), ("Shift+B",),
                tr("The layers of a large network by their modules: the block of the moment open, all closed, or all "
                   "open"), turn_blocks),
        Command("block", tr("Open or close the block"), ("Y",),
                tr("The block of the moment as one column, or its layers; {in} opens and {out} closes it, too"),
                toggle_block),
        Command("one-or-all", tr("One unit or all"), ("Q",),
                tr("In the drawing of a cell: the numbers of the chosen unit, or the mean of all"), turn("show")),
        Command("slow-steps", tr("Operations one by one"), ("Shift+Q",),
                tr("In the drawing of a cell: a step plays slowly enough to see each of its operations"),
                turn("operations")),
        *(Command(f"digit-{number}", tr("Digit {number}").format(number=number), (str(number),),
                  tr("What the digit means in the view: a class in Explain"), to_digit(number), presenting=())
          for number in range(10) if number not in range(1, does.MOST_COMPARED + 1)),
    ))


def to_digit(number: int) -> Act:
    """What a digit key means in the view that is shown, if it means anything there."""
    def act(desk: Desk) -> None:
        trace = desk.store.trace
        view = desk.view() if trace is not None else None
        found = None if trace is None or view is None or view.digit is None else view.digit(trace, number)
        if found is not None and found[0] == AT:
            desk.store.apply(lambda state: does.to_pin(state, found[1], desk.store.timeline))
        elif found is not None and view is not None:
            knob, word = found
            words = dict(view.knobs).get(knob, ())
            if words and desk.store.state.look.knob(knob, words[0]) == word:
                word = words[0]  # the same digit again
            desk.store.apply(lambda state: turned(state, knob, word))
    return act


def turn(name: str) -> Act:
    """The next word of a knob, if the view has that knob."""
    def act(desk: Desk) -> None:
        found = dict(desk.view().knobs).get(name) if desk.store.trace is not None else None
        if found:
            now = desk.store.state.look.knob(name, found[0])
            word = found[(found.index(now) + 1) % len(found)] if now in found else found[0]
            desk.store.apply(lambda state: turned(state, name, word))
    return act


def turn_blocks(desk: Desk) -> None:
    """The next way of having blocks open, without those that were opened and closed by hand; the person is told which.
    """
    trace = desk.store.trace
    if trace is None or not has_blocks(desk.store.state, trace):
        desk.say(tr("This view shows no blocks of layers here."))
        return
    way = blocks.WAYS[(blocks.WAYS.index(blocks.chosen_in(desk.store.state.look).way) + 1) % len(blocks.WAYS)]
    desk.store.apply(lambda state: turned(state, blocks.KNOB, way))
    desk.say({blocks.FOLLOW: tr("The block of the moment is open, the others are closed."),
              blocks.CLOSED: tr("All blocks are closed; Enter, a double click or the arrow under one opens it."),
              blocks.OPEN: tr("All blocks are open.")}[way])


def toggle_block(desk: Desk) -> None:
    """Open the closed block of the moment, or close the innermost open one round it."""
    trace, moment, state = desk.store.trace, desk.store.moment, desk.store.state
    if trace is None or moment is None or not has_blocks(state, trace):
        return
    name = closed_block(state, trace, moment, moment.beat.layer) or blocks.open_around(trace, state.look, moment)
    if name:
        desk.store.apply(lambda state: block_toggled(state, trace, moment, name))


def turn_card(desk: Desk) -> None:
    """The other side of the card of a gradient. Forwards the other side is the way back."""
    trace, moment, times = desk.store.trace, desk.store.moment, desk.store.timeline
    if trace is not None and "contrast" in dict(desk.view().knobs):
        turn("contrast")(desk)
    if trace is None or moment is None or "card" not in dict(desk.view().knobs):
        return
    if not moment.backward:
        desk.store.apply(lambda state: does.reverse(state, times))
        return
    shown = desk.store.state.look.knob("card", "auto")
    if shown == "auto":
        about = sight.sight(trace, desk.store.state, moment).subject
        layer, key = trace[about.layer], about.array.removeprefix("inner.")
        weighs = recurrent.weighs(layer, key) if is_inner(about) else "weight" in layer.weights
        shown = "hands" if weighs else "arrives"
    desk.store.apply(lambda state: turned(state, "card", "arrives" if shown == "hands" else "hands"))


def _tab(by: int) -> Act:
    def act(desk: Desk) -> None:
        names = [view.name for view in desk.views()]
        here = names.index(desk.view().name) if names else 0
        if names:
            desk.store.update(view=names[(here + by) % len(names)])
    return act
