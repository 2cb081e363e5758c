"""Every sentence about a cause: numbers that make it true, and numbers that make it false."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from tests.test_causes_recorded import TRUE_AND_FALSE
from visualizer.scene import absence, causes
from visualizer.scene.picture import unmarked

CASES: list[tuple[Callable[..., str], tuple[object, ...], str, tuple[object, ...]]] = [
    (causes.crossing, (9,), "After 9 steps less than 1 % is left.", (None,)),
    (causes.sigmoid_slope, (0.24,), "at most 1/4", (0.9,)),
    (causes.saturated, (0.62,), "62 % of the units are saturated", (0.04,)),
    (causes.dead, (0.5, "units", 128), "50 % of the units are off for any of 128 inputs", (0.01, "units", 128)),
    (causes.half_open, (0.5,), "at 50 % of the units", (1.0,)),
    (causes.grows_first, (0.9, 1.64, 1.73, 2), "singular value 1.64: over 2 steps a gradient can grow to 1.73 first",
     (0.9, 1.64, 0.99, 1)),
    (causes.bound_is_no_prediction, (0.64, 1.35), "a bound is not a prediction", (1.0, 1.35)),
    (causes.must_vanish, (0.9,), "must vanish", (1.1,)),
    (causes.large_radius_vanishes, (1.5, 0.87, 0.26), "26 % of the units are in their flat part", (1.5, 1.2, 0.26)),
    (causes.linear_power, (0.9, 0.9), "exactly 0.900", (0.9, 0.86)),
    (causes.gate_mean, ("Forget gate", 0.5), "Forget gate 0.50 on average", ("Forget gate", 0.95)),
    (causes.gate_open, ("Forget gate", 0.95), "nearly whole", ("Forget gate", 0.5)),
    (causes.detour, (0.64, 0.5), "more than its gate of 0.50", (0.5, 0.5)),
    (causes.explodes, (1.2,), "grows by 1.20 a step", (1.0,)),
    (causes.clipped, (1.3e9, 1.0), "by 7.7 × 10⁻¹⁰", (0.5, 1.0)),
    (causes.rounded_to_zero, (12,), "12 steps exactly 0", (0,)),
    (causes.overflowed, (17,), "from 17 steps back on", (None,)),
    (causes.flat_but_dead, (2.4, 1e-8), "looks healthy; but", (2.4, 0.5)),
    (causes.theory, ("1/√6", 0.405, 0.408), "Theory says 1/√6 = 0.408; measured 0.405", ("1/√6", 0.5, 0.408)),
    (causes.skips_carry, (True, 1.1), "The skip hands every gradient on whole", (False, 1.1)),
    (causes.norm_explodes, ("batch", 1.216), "grow by 1.22 a layer", ("layer", 1.216)),
]


@pytest.mark.parametrize(("cause", "true", "words", "false"), CASES, ids=[case[0].__name__ for case in CASES])
def test_a_cause_is_named_only_where_the_numbers_make_it_true(
        cause: Callable[..., str], true: tuple[object, ...], words: str, false: tuple[object, ...]) -> None:
    assert words in unmarked(cause(*true))
    assert unmarked(cause(*true)).endswith(".")
    assert cause(*false) == ""


def test_every_cause_is_tested() -> None:
    public = {name for name, found in vars(causes).items()
              if callable(found) and getattr(found, "__module__", "") == causes.__name__ and not name.startswith("_")}
    tested = {case[0].__name__ for case in (*CASES, *TRUE_AND_FALSE)}
    assert public - tested == {"all_true", "half_life"}


def test_a_half_life_is_a_number_of_steps_or_none() -> None:
    assert causes.half_life("The RNN", 4.61) == "The RNN forgets half every 4.6 steps."
    assert causes.half_life("The LSTM", math.inf, within=60) == "The LSTM does not decay in these 60 steps."
    assert causes.half_life("The gradient", -3.0, "layer", 20) == "The gradient does not decay in these 20 layers."


def test_only_what_is_true_is_collected_and_nothing_twice() -> None:
    assert causes.all_true(["", "One.", "", "Two.", "One."]) == ("One.", "Two.")


def test_why_there_is_no_gradient_stands_within_a_sentence_of_one_full_stop() -> None:
    assert absence.unreached("conv1", "It is a constant.") == "No gradient reaches conv1: It is a constant."
    assert absence.unreached("conv1", "") == \
        "No gradient reaches conv1: nothing that the loss depends on goes through it."
    assert absence.timeless("gru", "One. Two.") == "gru has no gradient through time: One. Two."
    assert absence.timeless("gru", "") == "gru has no gradient through time: nothing flowed back to it."
