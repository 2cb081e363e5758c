"""What a change of the input changes at every layer."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn

from tests.recorded import recorded
from tests.test_sentences import true, unclaimed
from visualizer.kinds import moving
from visualizer.record import capture, pass_of, with_study
from visualizer.said import listening
from visualizer.scene.picture import Image, Look, Text
from visualizer.scene.timeline import timeline
from visualizer.trace import Trace, forget
from visualizer.views import find, moved

LAYERS = {"input": (0.0, 1.33), "relu1": (0.10, 1.23), "pool1": (0.08, 1.13), "relu2": (0.04, 1.24),
          "pool2": (0.03, 1.09)}
"""Equivariance and invariance error of this digit, moved by 4 pixels; over 400 they are .12 .10 .05 .04, and 1.24 1.18
1.26 1.13, which the claim on translation holds."""


def edited(model: str, *words: str) -> Trace:
    return with_study(pass_of(model, "digit-11", edits=words), "unedited")


@pytest.fixture(scope="module")
def shifted() -> Trace:
    return edited("lenet_mnist", "shift:4,4")


def test_maps_move_along_and_do_not_stay(shifted: Trace) -> None:
    for name, (follows, stays) in LAYERS.items():
        found = moved.errors(shifted, name)
        assert found.follows == pytest.approx(follows, abs=0.005), name
        assert found.stays == pytest.approx(stays, abs=0.005), name
    assert np.isnan(moved.errors(shifted, "relu3").follows)
    assert moved.errors(shifted, "relu3").stays > 0.5


def test_what_it_was_is_what_the_network_makes_of_the_input_alone(shifted: Trace) -> None:
    plain = recorded("lenet_mnist", "digit-11")
    for name in ("input", "conv1", "fc3"):
        assert np.array_equal(shifted.studies["unedited"][name], plain[name].output)


def test_a_circular_convolution_moves_along_exactly_and_a_turned_picture_does_not() -> None:
    torch.manual_seed(1)
    model = nn.Conv2d(1, 2, 3, padding=1, padding_mode="circular").eval()
    x = torch.zeros(1, 1, 8, 8)
    x[0, 0, 2:5, 2:5] = torch.rand(3, 3)
    maps = [next(layer.output for layer in capture(model, each, objective="sum") if layer.kind == "conv2d")
            for each in (x, x.roll((2, 1), (2, 3)))]
    before, after = maps
    assert float(moving.moved_back(before, after, (2, 1))) < 1e-6
    assert float(moving.moved_back(before, after, (1, 2))) > 0.1
    assert float(moving.left_in_place(before, after)) > 0.1


def test_the_errors_against_a_sum_by_hand() -> None:
    old, new = np.array([[3.0, 4.0, 0.0]]), np.array([[9.0, 3.0, 5.0]])
    assert float(moving.left_in_place(old, new)) == pytest.approx(np.sqrt(36 + 1 + 25) / 5)
    assert float(moving.moved_back(old, new, (1,))) == pytest.approx(1 / 5)
    assert np.isnan(moving.moved_back(old, new, (3,)))
    assert np.isnan(moving.back(old, new, (1,))).tolist() == [[False, False, True]]
    assert moving.left_in_place(np.ones((2, 3)), np.zeros((2, 3)), batch=True).tolist() == [1, 1]


def test_a_distance_that_falls_between_the_places_of_a_layer_is_not_compared() -> None:
    trace = edited("lenet_mnist", "shift:2,2")
    assert moved.places_moved(trace, "pool1") == (1, 1)
    assert moved.places_moved(trace, "pool2") is None
    picture = find("moved").draw(trace, timeline(trace).find("softmax.forward"), None, Look(size=(1104, 796)))
    assert sum(isinstance(mark, Text) and mark.plain == "between" for mark in picture) \
        + sum(isinstance(mark, Text) and mark.plain == "between pixels" for mark in picture) == 1


@pytest.mark.parametrize("words", ["shift:4,4", "shift:-3,2", "rotate:20"])
def test_every_number_in_its_pictures_is_worked_out_again(words: str) -> None:
    trace = edited("lenet_mnist", words)
    beats = timeline(trace)
    for address in ("input.forward", "pool2.forward", "relu3.forward", "relu1.backward"):
        forget(trace)
        with listening(placing=True) as heard:
            picture = find("moved").draw(trace, beats.find(address), None, Look(size=(1104, 796)))
        if words == "shift:4,4":
            wrong = [claim for claim in heard if not true(trace, claim)]
            assert not wrong, (address, wrong[:2])
        assert not unclaimed(trace, [picture.caption], heard), address


def test_columns_uncover_with_their_beats_and_nothing_jumps(shifted: Trace) -> None:
    times = timeline(shifted)
    view = find("moved")

    def tiles(moment) -> int:  # type: ignore[no-untyped-def]
        return sum(isinstance(mark, Image) and mark.opacity == 1 and mark.palette in ("activation", "pixel")
                   for mark in view.draw(shifted, moment, None, Look()))

    counted = [tiles(times.settled(index)) for index in range(len(times.beats))]
    assert counted[0] == 4
    assert counted == sorted(counted)
    half = times.at(times.starts[2] + times.pace(2).seconds * Fraction(1, 2))
    assert tiles(half) == counted[1]


def test_an_input_to_which_nothing_is_done_says_what_to_do() -> None:
    trace = recorded("lenet_mnist", "digit-11")
    picture = find("moved").draw(trace, timeline(trace).find("softmax.forward"), None, Look())
    assert "Nothing is done to the input yet" in picture.caption


def test_states_of_a_recurrent_layer_are_compared_step_by_step() -> None:
    trace = edited("rows_lstm", "shift:4,4")
    assert moved.errors(trace, "lstm").stays > 0.3
    assert moved.places_moved(trace, "lstm") is None
