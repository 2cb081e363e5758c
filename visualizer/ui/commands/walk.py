"""Walk: through the beats, one after the other or playing."""

from __future__ import annotations

from dataclasses import replace

from visualizer.language import tr
from visualizer.scene import blocks
from visualizer.scene import state as does
from visualizer.ui.commands import Act, Command, Desk, Family, pure, still, timed
from visualizer.ui.nudge import next_quarter, next_term


def family() -> Family:
    return Family(tr("Walk"), 40, (
        Command("play", tr("Play or pause"), ("Space", "K"),
                tr("Let it run, or stop it where it is"), play, presenting=("K",)),
        Command("next", tr("Next beat"), ("Right", "PgDown"), tr("One layer further"),
                timed(lambda state, times: does.step(still(state), times, 1)), clicker=("PgDown", "Right", "Space")),
        Command("back", tr("Previous beat"), ("Left", "PgUp"), tr("One layer back"),
                timed(lambda state, times: does.step(still(state), times, -1)), clicker=("PgUp", "Left", "Backspace")),
        Command("next-term", tr("Next term"), ("Shift+Right",), tr("One small step further within the beat"),
                small_step(1)),
        Command("back-term", tr("Previous term"), ("Shift+Left",), tr("One small step back within the beat"),
                small_step(-1)),
        Command("next-block", tr("Next block"), ("Shift+PgDown",),
                tr("To the end of the next block of layers, and on to the one after it"), block_step(1)),
        Command("back-block", tr("Previous block"), ("Shift+PgUp",), tr("To the end of the block of layers before"),
                block_step(-1)),
        Command("first", tr("First beat"), ("Home",), tr("To the beginning of the way forward"),
                timed(lambda state, times: does.first(still(state), times)), clicker=("Home",)),
        Command("last", tr("Last beat"), ("End",), tr("To the end of the way back"),
                timed(lambda state, times: does.last(still(state), times)), clicker=("End",)),
        Command("reverse", tr("Turn round"), ("R",), tr("The same layer in the other direction"),
                timed(does.reverse)),
        Command("slower", tr("Slower"), ("[",), tr("Half the speed"), pure(lambda state: does.faster(state, -1))),
        Command("faster", tr("Faster"), ("]",), tr("Twice the speed"), pure(lambda state: does.faster(state, 1))),
    ))


def small_step(by: int) -> Act:
    """Within the beat: one term further where a view shows term after term, else a part of the way."""
    def act(desk: Desk) -> None:
        moment, times = desk.store.moment, desk.store.timeline
        if moment is None:
            return
        target = next_quarter(times, moment, by) if desk.view().continuous else next_term(times, moment, by)
        desk.store.apply(lambda state: does.go(still(state), target))
    return act


def block_step(by: int) -> Act:
    """From the end of a block to that of the next one; layers that stand in none are one, too."""
    def act(desk: Desk) -> None:
        trace, moment, times = desk.store.trace, desk.store.moment, desk.store.timeline
        if trace is None or moment is None or times.within is not None:
            return
        ends = blocks.ends(trace)
        here = moment.index - (moment.phase < 1)
        ahead = [end for end in ends if end > here] if by > 0 else [end for end in reversed(ends) if end < moment.index]
        if ahead:
            desk.store.apply(lambda state: does.go(still(state), times.settled(ahead[0])))
    return act


def play(desk: Desk) -> None:
    """Start or pause; where terms are added and all are there, start that beat again."""
    moment, times = desk.store.moment, desk.store.timeline
    terms = None if moment is None else times.pace(moment.index).stretch(moment.phase)
    if moment is not None and terms is not None and terms.terms > 1 and moment.phase + 1e-9 >= terms.end \
            and not desk.store.state.playing:
        start = replace(moment, phase=terms.phase(0))
        desk.store.apply(lambda state: replace(does.go(state, start), playing=True))
    elif moment is not None:
        desk.store.apply(lambda state: does.play(state, times))
