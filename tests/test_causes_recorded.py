"""Sentences about recorded passes: each with numbers that make it true, and numbers that make it false."""

from __future__ import annotations

import math

import pytest

from visualizer.decay import below, decay
from visualizer.scene import causes

TRUE_AND_FALSE = [
    (causes.winners, (36, 144), (144, 144), "36 winners of 144"),
    (causes.averaged, (64,), (1,), "evenly among 64"),
    (causes.flat_tanh, (0.41,), (0.95,), "0.41 on average"),
    (causes.stretch, (0.5, 1.1), (1.2, 1.1), "1.1 times at most"),
    (causes.stretch, (0.5, 1.1), (0.5, math.nan), "0.50 times as long"),
    (causes.added_ways, (2,), (1,), "2 layers read it"),
    (causes.added_ways, (2, True), (1, True), "the skip hands one of them on whole"),
    (causes.moved_only, (1,), (0.98,), "passes whole"),
    (causes.normalised, (0.25,), (1.0,), "0.25 times"),
    (causes.joined, (2,), (1,), "one of 2 parts"),
    (causes.gated, (0.4,), (0.0,), "0.40 on average"),
    (causes.dead_layer, (1e-8,), (0.3,), "1.0 × 10⁻⁸"),
    (causes.uneven, (0.65,), (0.99,), "R² 0.65"),
    (causes.before_and_after, (1.2, 19.0, 20), (4.0, 4.0, 20), "before training 1.2 steps, after 19 steps"),
    (causes.before_and_after, (1.2, math.inf, 20), (4.0, 4.1, 20), "after no decay in 20 steps"),
    (causes.from_late_losses, (0.96, 5), (0.2, 5), "96 %"),
    (causes.truncation, (0.6, 0.76, 10), (1.0, 1e-16, 10), "60 % of its size and is 76 % off"),
]


@pytest.mark.parametrize(("rule", "true", "false", "words"), TRUE_AND_FALSE)
def test_a_sentence_stands_only_where_its_numbers_make_it_true(rule: object, true: tuple[float, ...],
                                                             false: tuple[float, ...], words: str) -> None:
    assert callable(rule)
    assert words in rule(*true)
    assert rule(*true).endswith(".")
    assert rule(*false) == ""


# --- decay ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("factor", "half_life"), [(0.5, 1.0), (0.9, 6.5788), (0.86, 4.5958)])
def test_a_power_has_its_own_half_life_and_is_straight(factor: float, half_life: float) -> None:
    line = decay([factor ** lag for lag in range(40)])
    assert line is not None
    assert line.factor == pytest.approx(factor, rel=1e-9)
    assert line.half_life == pytest.approx(half_life, rel=1e-4)
    assert line.fit == pytest.approx(1)
    assert (line.since, line.until) == (5, 39)
    assert line.decays


@pytest.mark.parametrize("factor", [1.0, 1.2, 0.999])
def test_what_does_not_halve_within_the_window_does_not_decay(factor: float) -> None:
    line = decay([factor ** lag for lag in range(40)])
    assert line is not None
    assert not line.decays


def test_zeros_infinities_and_too_few_numbers_are_no_line() -> None:
    assert decay([1.0, 0.5]) is None
    assert decay([0.0] * 20) is None
    line = decay([0.5 ** lag if lag % 3 else math.inf for lag in range(30)])
    assert line is not None
    assert line.factor == pytest.approx(0.5)


def test_a_curve_that_bends_is_fitted_worse() -> None:
    line = decay([math.exp(-0.02 * lag * lag) for lag in range(30)])
    bumpy = decay([0.8 ** lag * (3 if lag % 4 < 2 else 1 / 3) for lag in range(30)])
    assert line is not None
    assert bumpy is not None
    assert bumpy.fit < line.fit < 0.99


def test_one_percent_is_passed_for_good_only_where_nothing_comes_back() -> None:
    assert below([1, 0.1, 0.009, 0.5, 0.008, 0.001]) == 4
    assert below([1, 0.5, 0.2]) is None
    assert below([1.0, 0.001]) == 1
