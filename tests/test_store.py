"""The store: what it says when the State changes, undo, and how a recording is taken in."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.test_timeline import chain
from visualizer.kinds import Report
from visualizer.scene import state as states
from visualizer.scene.picture import Focus, Look
from visualizer.scene.state import State, changed
from visualizer.trace import Layer, Trace
from visualizer.ui.store import MOST_UNDO, Store


@pytest.fixture
def store(qapp) -> Store:
    return Store(State(), chain(4))


@pytest.fixture
def heard(store: Store) -> list[tuple[State, State]]:
    changes: list[tuple[State, State]] = []
    store.changed.connect(lambda old, new: changes.append((old, new)))
    return changes


@pytest.fixture
def wanted(store: Store) -> list[State]:
    states: list[State] = []
    store.wants_trace.connect(states.append)
    return states


def test_a_change_is_said_once_with_the_state_before_and_after(store, heard) -> None:
    store.update(view="filters")
    assert heard == [(State(), changed(State(), view="filters"))]
    assert store.state == changed(State(), view="filters")


def test_setting_what_is_already_set_says_nothing(store, heard) -> None:
    store.update(view="filters")
    store.update(view="filters")
    store.apply(lambda state: replace(state))
    assert len(heard) == 1


def test_two_widgets_that_echo_each_other_fall_silent(store, heard) -> None:
    store.changed.connect(lambda old, new: store.update(speed=new.speed))
    store.changed.connect(lambda old, new: store.update(view=new.view))
    store.update(view="filters", speed=2.0)
    assert len(heard) == 1


def test_a_slot_that_changes_the_state_is_heard_after_the_change_it_answers(store) -> None:
    """Otherwise a widget connected later would end on the older of the two states."""
    store.changed.connect(lambda old, new: store.update(step=1) if new.lesson and not new.step else None)
    last: list[State] = []
    store.changed.connect(lambda old, new: last.append(new))
    store.update(lesson="gradients")
    assert last == [State(lesson="gradients"), changed(State(), lesson="gradients", step=1)]
    assert last[-1] == store.state


def test_undo_and_redo_walk_the_same_states(store) -> None:
    visited = [store.state]
    for change in ({"view": "filters"}, {"focus": Focus("layer1")}, {"at": "layer2.forward"}):
        store.update(**change)
        visited.append(store.state)
    for expected in reversed(visited[:-1]):
        store.undo()
        assert store.state == expected
    assert not store.can_undo
    store.undo()
    assert store.state == visited[0]
    for expected in visited[1:]:
        store.redo()
        assert store.state == expected
    assert not store.can_redo


def test_a_new_change_ends_what_could_be_redone(store) -> None:
    store.update(view="filters")
    store.undo()
    store.update(view="feature_maps")
    assert not store.can_redo
    store.redo()
    assert store.state.view == "feature_maps"


def test_ticks_and_hovers_are_not_undone_one_by_one(store) -> None:
    store.update(view="filters")
    for tick in range(50):
        store.update(at=f"layer1.forward@{tick / 50:.4g}", undoable=False)
    store.undo()
    assert store.state == State()


def test_undo_stops_the_playing_and_keeps_the_size_of_the_window(store) -> None:
    store.update(playing=True)
    store.update(speed=2.0)
    store.apply(lambda state: changed(state, look=replace(state.look, size=(640, 480), theme="dark")))
    store.undo()
    assert store.state == changed(State(), speed=2.0, look=Look(size=(640, 480)))
    store.undo()
    assert store.state == changed(State(), look=Look(size=(640, 480)))


def test_a_resized_window_is_no_step_of_undo(store) -> None:
    store.update(look=Look(size=(640, 480)))
    assert store.state.look.size == (640, 480)
    assert not store.can_undo


def test_undo_reaches_back_a_bounded_number_of_steps(store) -> None:
    for step in range(MOST_UNDO + 50):
        store.update(step=step + 1)
    for _ in range(MOST_UNDO):
        assert store.can_undo
        store.undo()
    assert not store.can_undo
    assert store.state.step == 50


@pytest.mark.parametrize("change", [{"model": "lenet_mnist"}, {"sample": "digit-7"}, {"objective": "logit:4"},
                                    {"edits": ("layer1:0=0",)}])
def test_a_recording_is_wanted_when_other_numbers_are(store, wanted, change) -> None:
    store.update(**change)
    assert wanted == [changed(State(), **change)]
    assert store.waiting


@pytest.mark.parametrize("change", [{"view": "filters"}, {"at": "layer1.forward"}, {"focus": Focus("layer1")},
                                    {"look": Look(theme="dark")}, {"speed": 2.0}, {"playing": True}, {"step": 3}])
def test_no_recording_is_wanted_when_only_the_looking_changes(store, wanted, change) -> None:
    store.update(**change)
    assert wanted == []
    assert not store.waiting


def test_a_recording_is_wanted_even_when_a_slot_changes_something_else_meanwhile(store, wanted) -> None:
    store.changed.connect(lambda old, new: store.update(playing=False, speed=1.0, step=5))
    store.update(model="lenet_mnist")
    assert wanted == [changed(State(), model="lenet_mnist", step=5)]


def test_no_recording_is_wanted_on_the_way_back_to_the_one_at_hand(store, wanted) -> None:
    store.update(sample="digit-7")
    store.undo()
    assert wanted == [changed(State(), sample="digit-7")]
    assert not store.waiting


def test_a_recording_is_taken_in_with_its_timeline_and_its_report(store) -> None:
    told: list[Trace] = []
    store.trace_changed.connect(told.append)
    store.update(model="other")
    trace, report = chain(6), Report({"layer1": 1e-8})
    assert store.set_trace(trace, report, asked=store.state)
    assert told == [trace]
    assert store.trace is trace
    assert store.report is report
    assert len(store.timeline.beats) == 11
    assert not store.waiting


def test_a_recording_nobody_asks_for_any_more_is_ignored(store) -> None:
    store.update(sample="digit-7")
    asked = store.state
    store.update(sample="digit-8")
    before = store.trace
    assert not store.set_trace(chain(9), asked=asked)
    assert store.trace is before
    assert store.waiting


def test_a_recording_is_still_wanted_when_only_the_looking_changed_since_it_was_asked_for(store) -> None:
    store.update(sample="digit-7")
    asked = store.state
    store.update(view="filters", playing=True)
    assert store.set_trace(chain(4), asked=asked)


def test_a_report_may_come_after_its_recording_but_not_after_another_one(store) -> None:
    told: list[Report] = []
    store.report_changed.connect(told.append)
    asked, report = store.state, Report({"layer1": 1e-8})
    assert store.set_report(report, asked)
    assert store.report is report
    store.update(sample="digit-7")
    store.set_trace(chain(4))
    assert store.report is None
    assert not store.set_report(report, asked)
    assert store.report is None
    assert told == [report]


def test_moment_and_focus_are_kept_where_they_still_exist(store, heard) -> None:
    store.update(at="layer2.backward@0.5", focus=Focus("layer3", (2,)))
    heard.clear()
    store.set_trace(chain(5))
    assert store.state.at == "layer2.backward@0.5"
    assert store.state.focus == Focus("layer3", (2,))
    assert heard == []


def test_moment_and_focus_that_are_gone_are_let_go_and_undo_is_none_the_longer(store, heard) -> None:
    store.update(at="layer3.forward", focus=Focus("layer3", (2,)))
    heard.clear()
    store.set_trace(chain(3))
    assert store.state == State()
    assert store.moment == store.timeline.telling
    assert len(heard) == 1
    store.undo()
    assert not store.can_undo


@pytest.mark.parametrize(("focus", "kept"), [
    (Focus("layer1", (1,)), Focus("layer1", (1,))),
    (Focus("layer1", (2,)), Focus("layer1")),
    (Focus("layer1", (1, 0)), Focus("layer1")),
    (Focus("layer1", (1,), "bias"), Focus("layer1", (1,), "bias")),
    (Focus("layer1", (1, 2), "weight"), Focus("layer1", (1, 2), "weight")),
    (Focus("layer1", (1, 3), "weight"), Focus("layer1", (), "weight")),
    (Focus("layer1", (0,), "inner.forget"), Focus("layer1")),
])
def test_a_cell_that_the_new_layer_lacks_is_let_go_but_not_its_layer(store, focus, kept) -> None:
    weights = {"weight": np.zeros((2, 3)), "bias": np.zeros(2)}
    layers = (Layer("input", "input", ("unit",), {}, (), np.zeros(3)),
              Layer("layer1", "linear", ("unit",), {}, ("input",), np.zeros(2), weights=weights))
    store.update(focus=focus)
    store.set_trace(Trace("small", layers))
    assert store.state.focus == kept


def test_slots_told_of_a_new_trace_already_see_the_state_that_fits_it(store) -> None:
    store.update(at="layer3.forward")
    seen: list[tuple[str, int]] = []
    store.trace_changed.connect(lambda trace: seen.append((store.state.at, len(store.timeline.beats))))
    store.set_trace(chain(3))
    assert seen == [("", 5)]


def test_before_the_first_recording_there_is_no_moment_and_no_beat(qapp) -> None:
    empty = Store()
    assert (empty.trace, empty.moment, empty.timeline.beats, empty.waiting) == (None, None, (), True)
    assert empty.set_trace(chain(2))
    assert empty.moment == empty.timeline.telling == empty.timeline.settled(1), "all of the way forward"


def test_the_buttons_are_pure_functions_that_the_store_applies(store) -> None:
    telling = store.timeline.telling
    store.apply(lambda state: states.step(state, store.timeline, -2))
    assert store.moment == store.timeline.settled(telling.index - 2)
    store.undo()
    assert store.moment == telling


def test_a_gesture_is_one_step_of_undo(store) -> None:
    before = store.state
    for tick in range(5):
        store.update(speed=1 + tick / 10, gesture="speed")
    store.end_gesture()
    between = store.state
    for tick in range(5):
        store.update(speed=2 + tick / 10, gesture="speed")
    store.update(view="filters", gesture="other")
    for expected in (2.4, between.speed, before.speed):
        store.undo()
        assert store.state.speed == expected
    assert not store.can_undo
    store.redo()
    assert store.state == between
    store.update(speed=8.0, gesture="speed")
    assert not store.can_redo
    store.undo()
    assert store.state == between


def test_ticks_between_do_not_end_a_gesture(store) -> None:
    before = store.state
    store.update(speed=2.0, gesture="speed")
    store.update(at="layer1.forward@0.5", undoable=False)
    store.update(speed=3.0, gesture="speed")
    store.undo()
    assert store.state.speed == before.speed


def test_a_drawing_is_part_of_what_is_recorded_only_while_it_is_the_input() -> None:
    drawn = changed(State(), sample="drawn", drawing="1x1:a")
    assert drawn.recipe != changed(drawn, drawing="1x1:b").recipe
    assert changed(State(), drawing="1x1:a").recipe == changed(State(), drawing="1x1:b").recipe
