"""Recordings die with all that was worked out of them, once others are looked at."""

import sys
from dataclasses import replace

import numpy as np
import pytest

from tests import toys
from visualizer.scene.state import State, changed
from visualizer.trace import Trace, forget, remembered
from visualizer.ui.store import MOST_KEPT, Recording, Store


def toy() -> Trace:
    """A recording of its own."""
    return replace(toys.toy())


@pytest.mark.skipif(sys.platform == "win32", reason="how much memory is taken is asked of the system otherwise there")
def test_two_hundred_recordings_leave_a_few_behind(qapp):
    from tests.benchmarks.memory import ALLOWED, RECORDINGS, after

    alive, grown = after(RECORDINGS)
    assert alive <= MOST_KEPT + 1
    assert grown < ALLOWED


def test_an_answer_is_worked_out_once_and_the_last_ones_are_kept():
    asked = []

    @remembered(2)
    def doubled(trace: Trace, number: int = 0) -> int:
        """Twice."""
        asked.append(number)
        return 2 * number

    one, other = toy(), toy()
    assert [doubled(one, 3), doubled(one, 3), doubled(one, number=3), doubled(other, 3)] == [6, 6, 6, 6]
    assert asked == [3, 3, 3]
    doubled(one, 4)
    doubled(one, number=3)  # the last one that was asked for, now
    doubled(one, 5)
    doubled(one, number=3)
    assert asked == [3, 3, 3, 4, 5], "that of 4 had to go"
    forget(one)
    doubled(one, number=3)
    assert asked[-1] == 3
    assert (doubled.__name__, doubled.__doc__) == ("doubled", "Twice.")


def test_what_is_asked_of_several_dies_with_the_first_and_nothing_is_remembered_of_none():
    asked = []
    count = remembered()(lambda traces: asked.append(len(traces)) or len(traces))
    pair = toy(), toy()
    assert [count(pair), count(pair), count(pair[:1]), count(()), count(())] == [2, 2, 1, 0, 0]
    assert asked == [2, 1, 0, 0]


def test_the_store_keeps_the_last_recordings_with_their_verdicts(qapp):
    store = Store(changed(State(), sample="0"), toy())
    made = {"0": store.trace}
    for name in map(str, range(1, MOST_KEPT + 3)):
        store.update(sample=name)
        store.set_trace(made.setdefault(name, toy()), report=(report := toy().check()))
    kept = {name for name in made if store.kept(changed(State(), sample=name).recipe) is not None}
    assert kept == {str(number) for number in range(2, MOST_KEPT + 3)}
    last = store.kept(store.state.recipe)
    assert isinstance(last, Recording)
    assert (last.trace, last.report) == (store.trace, report)
    store.set_study("one", {"numbers": np.ones(3)}, store.state)
    assert store.kept(store.state.recipe).trace is store.trace
    assert set(store.trace.studies) == {"one"}


def test_going_back_shows_a_recording_that_is_at_hand_at_once(qapp):
    from tests.test_opening import Quiet
    from visualizer.ui.recorder import Recorder

    store = Store(changed(State(), sample="digit-1"), toy(), toy().check())
    recorder = Recorder(store, Quiet())
    first = store.trace
    store.update(sample="digit-3")
    store.set_trace(toy(), toy().check())
    asked = len(recorder.engine.asked)
    store.undo()
    assert store.trace is first
    assert not store.waiting
    assert store.report is not None
    assert len(recorder.engine.asked) == asked, "a bundled network gives the same numbers again"
