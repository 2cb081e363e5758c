"""The state: plain, saved and read again, and what the buttons make of it."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tests.test_timeline import chain
from visualizer.scene import state as states
from visualizer.scene.picture import Focus, Look
from visualizer.scene.state import State, changed, from_json, moment_of, to_json
from visualizer.scene.timeline import timeline
from visualizer.trace import Layer, Refused, Trace

FULL = changed(State(), model="m.pt", sample="s.png", view="filters", at="layer1.forward@0.5",
               focus=Focus("layer1", (3, 1)),
               look=Look(size=(800, 600), theme="dark", scope="unit", knobs=(("ranking", "max"),)),
               edits=("layer1:0=0",), speed=2.0, playing=True)


@pytest.mark.parametrize("state", [State(), FULL])
def test_a_state_is_read_back_as_it_was(state: State) -> None:
    assert from_json(to_json(state)) == state


def test_unknown_fields_are_ignored_and_missing_ones_take_their_defaults() -> None:
    assert from_json('{"version": 1, "model": "x", "hair": "red", "look": {"theme": "dark", "shoes": 2}}') == \
        changed(State(), model="x", look=Look(theme="dark"))


@pytest.mark.parametrize("text", ["", "[]", "{}", "not json", '{"version": "1"}', '{"version": 1, "focus": 7}'])
def test_what_is_no_state_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(Refused):
        from_json(text)


def test_a_newer_state_is_refused_and_says_so() -> None:
    with pytest.raises(Refused, match="newer"):
        from_json(json.dumps({"version": states.VERSION + 1}))


def test_a_step_back_undoes_a_step_forward() -> None:
    times = timeline(chain(5))
    start = states.step(State(), times, 3)
    assert states.step(states.step(start, times, 1), times, -1) == start


def test_steps_stop_at_both_ends() -> None:
    times = timeline(chain(3))
    assert moment_of(states.step(State(), times, -5), times).index == 0
    assert moment_of(states.last(State(), times), times) == moment_of(states.step(State(), times, 99), times)


def test_reverse_keeps_the_place_and_turns_the_direction() -> None:
    times = timeline(chain(5))
    here = states.go(State(), times.find("layer2.forward"))
    back = states.reverse(here, times)
    assert back.at == "layer2.backward"
    assert states.reverse(back, times) == here


def test_play_at_the_very_end_starts_again() -> None:
    times = timeline(chain(3))
    played = states.play(states.last(State(), times), times)
    assert played.playing
    assert moment_of(played, times).index == 0
    assert moment_of(played, times).phase == 0


def test_up_leads_from_the_pixel_to_the_network() -> None:
    state = changed(State(), focus=Focus("layer1", (7, 3, 5)))
    seen = []
    while state.focus is not None:
        seen.append(state.focus.cell)
        state = states.up(state)
    assert seen == [(7, 3, 5), (7,), ()]
    assert states.up(state) == state


def test_the_marked_cell_and_the_channel_stay_inside_the_layer() -> None:
    image = Layer("input", "input", ("channel", "row", "column"), {}, (), np.zeros((2, 3, 4), np.float32))
    trace = Trace("t", (image,))
    state = changed(State(), focus=Focus("input", (0, 2, 3)))
    assert states.move_cell(state, trace, 1, 1) == state
    assert states.move_cell(state, trace, -9, -9).focus == Focus("input", (0, 0, 0))
    assert states.neighbour(state, trace, 9).focus == Focus("input", (1, 2, 3))


def test_looking_at_a_layer_moves_the_cursor_there_in_the_same_direction() -> None:
    trace = chain(5)
    times = timeline(trace)
    back = states.go(State(), times.find("layer3.backward"))
    assert states.select(back, trace, times, Focus("layer1")).at == "layer1.backward"


def test_before_training_is_taken_and_given_back_beside_other_edits() -> None:
    other = changed(State(), edits=("layer1:0=0",))
    before = states.before_training(other)
    assert before.edits == ("layer1:0=0", "untrained")
    assert states.before_training(before) == other
    assert states.before_training(states.before_training(State())) == State()


def test_speeds_go_up_and_down_within_their_range() -> None:
    assert states.faster(changed(State(), speed=1.0), 1).speed == 2.0
    assert states.faster(changed(State(), speed=8.0), 1).speed == 8.0
    assert changed(states.theme(states.theme(State())), model="x") == changed(State(), model="x")


def test_reverse_stays_at_the_same_step_of_a_layer_that_has_steps() -> None:
    values = np.zeros((4, 2))
    layers = (Layer("input", "input", ("step", "feature"), {}, (), values),
              Layer("rnn", "rnn", ("step", "unit"), {}, ("input",), values, values, inner={"hidden": values}),
              Layer("last", "relu", ("step", "unit"), {}, ("rnn",), values, values))
    times = timeline(Trace("toy", layers))
    back = states.reverse(changed(State(), at="rnn.forward[3]"), times)
    assert back.at == "rnn.backward[3]"
    assert states.reverse(back, times).at == "rnn.forward[3]"
