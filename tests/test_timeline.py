"""Time as a number: beats, addresses, and the second of every moment."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from visualizer.scene.picture import Focus
from visualizer.scene.state import State, changed, select
from visualizer.scene.timeline import BACKWARD, FORWARD, Beat, timeline
from visualizer.trace import Layer, Trace


def chain(length: int, gradients: bool = True) -> Trace:
    """A trace of `length` layers in a row, four units each."""
    ones = np.ones(4, np.float32)
    layers = [Layer("input", "input", ("unit",), {}, (), ones, ones if gradients else None)]
    for index in range(1, length):
        layers.append(Layer(f"layer{index}", "relu", ("unit",), {}, (layers[-1].name,), ones,
                            ones if gradients else None))
    return Trace("chain", tuple(layers))


def test_every_layer_is_visited_once_each_way() -> None:
    trace = chain(7)
    beats = timeline(trace).beats
    forward = [beat.layer for beat in beats if beat.direction == FORWARD]
    backward = [beat.layer for beat in beats if beat.direction == BACKWARD]
    assert forward == [layer.name for layer in trace.layers]
    assert backward == forward[-2::-1]


def test_without_gradients_there_is_no_way_back() -> None:
    assert all(beat.direction == FORWARD for beat in timeline(chain(4, gradients=False)).beats)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.integers(1, 9), st.integers(0, 30), st.integers(0, 60))
def test_a_moment_is_found_again_by_its_second_and_by_its_address(length: int, beat: int, part: int) -> None:
    times = timeline(chain(length))
    moment = times.at(times.second_of(times.settled(beat % len(times.beats))) * Fraction(part, 60))
    assert times.at(times.second_of(moment)) == moment
    found = times.find(moment.address)
    assert found.beat == moment.beat
    assert found.phase == pytest.approx(moment.phase, abs=1e-4)


def test_time_never_runs_backwards() -> None:
    times = timeline(chain(5))
    reached = [times.at(Fraction(frame, 30)) for frame in range(int(times.seconds * 30) + 60)]
    order = [(moment.index, moment.phase) for moment in reached]
    assert order == sorted(order)
    assert order[0] == (0, 0.0)
    assert order[-1] == (len(times.beats) - 1, 1.0)


@pytest.mark.parametrize("address", ["conv9.forward", "layer1.sideways", "layer1.forward@2", "layer1.forward@x", ""])
def test_an_unknown_address_says_what_to_write(address: str) -> None:
    with pytest.raises(LookupError, match=r"layer1|@0\.5"):
        timeline(chain(3)).find(address)


def test_a_bare_layer_name_means_its_forward_beat() -> None:
    times = timeline(chain(3))
    assert times.find("layer1") == times.find("layer1.forward")


def reading(steps: int, reverse: bool = False) -> Trace:
    """A trace with one layer that hides time."""
    values = np.zeros((steps, 3), np.float32)
    layers = (Layer("input", "input", ("step", "unit"), {}, (), values, values),
              Layer("rnn", "rnn", ("step", "unit"), {"reverse": reverse}, ("input",), values, values,
                    inner={"preactivation": values, "hidden": values}),
              Layer("loss", "cross_entropy", (), {}, ("rnn",), np.float32(1), np.float32(1)))
    return Trace("reading", layers)


@pytest.mark.parametrize("reverse", [False, True])
def test_a_layer_that_hides_time_has_a_beat_a_step_and_returns_the_other_way(reverse: bool) -> None:
    beats = [beat for beat in timeline(reading(5, reverse)).beats if beat.layer == "rnn"]
    forward = [beat.step for beat in beats if beat.direction == FORWARD]
    assert forward == ([5, 4, 3, 2, 1] if reverse else [1, 2, 3, 4, 5])
    assert [beat.step for beat in beats if beat.direction == BACKWARD] == forward[::-1]


def test_steps_and_the_parts_of_a_step_have_addresses() -> None:
    times = timeline(reading(5))
    assert times.find("rnn.forward[3]").beat.step == 3
    assert times.find("rnn.forward[3].preactivation").phase == pytest.approx(2 / 3)
    assert times.find("rnn.forward[3].hidden") == times.find("rnn.forward[3]")
    assert times.find("rnn.forward").beat.step == 1
    assert times.find("rnn.forward[3]@0.1").act == "reads"
    with pytest.raises(LookupError, match="step 1…5, and reads, preactivation, hidden"):
        times.find("rnn.forward[9]")


def test_within_a_step_the_part_just_done_is_the_one_that_is_opened() -> None:
    times = timeline(reading(5))
    done = times.find("rnn.forward[3].preactivation")
    assert (done.act, done.opens) == ("preactivation", "inner.preactivation")
    assert times.find("rnn.forward[3]@0.1").opens == "inner.preactivation", "what is read goes into that sum"
    assert times.find("rnn.forward[3]").opens == times.find("rnn.backward[3]").opens == "output"
    assert times.find("rnn.backward[3].preactivation").opens == "inner.preactivation"
    assert times.find("rnn.backward[3].hidden").opens == "output"
    assert done.beat.stretch("preactivation") == pytest.approx((1 / 3, 2 / 3))
    assert done.beat.stretch("output") == (0, 1)


AFTER = (Beat("layer2", doing="decode"), *(Beat("layer2", doing="keep", number=number) for number in (1, 2)))


def test_what_is_done_with_an_answer_stands_behind_it_and_before_the_way_back() -> None:
    times = timeline(chain(4)).extended(AFTER)
    assert [beat.address for beat in times.beats[2:8]] == [
        "layer2.forward", "layer2.decode", "layer2.keep[1]", "layer2.keep[2]", "layer3.forward", "layer2.backward"]
    for index, beat in enumerate(times.beats):
        assert times.find(beat.address).index == index
        assert times.find(f"{beat.address}@0.5").phase == 0.5
    assert timeline(chain(4)).extended(()) == timeline(chain(4))
    with pytest.raises(LookupError, match=r"layer2\.decode, layer2\.keep\[N\], LAYER"):
        times.find("layer2.keep[3]")


def test_where_it_is_not_done_that_answer_stands_for_it() -> None:
    times = timeline(chain(4))
    assert times.nearest("layer2.keep[2]@0.5") == times.nearest("layer2.decode") == times.find("layer2.forward")
    assert times.extended(AFTER).nearest("layer2.keep[7]") == times.extended(AFTER).find("layer2.keep[2]")
    assert times.nearest("layer7.decode") is times.nearest("layer7.forward") is None


def test_who_looks_at_a_number_of_the_answer_stays_in_such_a_beat() -> None:
    trace = chain(4)
    times = timeline(trace).extended(AFTER)
    state = changed(State(), at="layer2.keep[1]")
    assert select(state, trace, times, Focus("layer2", (1,))).at == "layer2.keep[1]"
    assert select(state, trace, times, Focus("layer1", (1,))).at == "layer1.forward"
