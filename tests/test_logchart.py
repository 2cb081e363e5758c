"""Logarithmic charts: where sizes stand, and that what has no place is marked instead of drawn as zero."""

from __future__ import annotations

import math

import numpy as np
import pytest

from visualizer.scene import logchart
from visualizer.scene.logchart import Axis, Curve
from visualizer.scene.picture import Line, Look, Rect, Text


def test_equal_factors_are_equal_lengths() -> None:
    scale = logchart.axis([1e-4, 1], 0, 100)
    assert (scale.low, scale.high) == (-4, 0)
    assert [scale.y(10.0 ** power) for power in (0, -1, -4)] == pytest.approx([0, 25, 100])


def test_within_two_decades_the_ends_are_one_two_or_five() -> None:
    scale = logchart.axis([0.3, 4.1], 0, 100)
    assert (10 ** scale.low, 10 ** scale.high) == (pytest.approx(0.2), pytest.approx(5))


def test_the_floor_lies_thirty_decades_down_and_nothing_large_is_cut() -> None:
    assert logchart.axis([1e-80, 1], 0, 1).low == -30
    assert logchart.axis([1, 1e300], 0, 1).high == 300
    assert logchart.axis([1, 1e300], 0, 1).low == 0


def test_what_has_no_place_is_a_ring_and_what_is_unknown_is_left_out() -> None:
    marks = logchart.curve([0, 1, 2, 3, 4], [1, 0, math.inf, math.nan, 1e-60], Axis(-30, 0, 0, 100), Curve(), Look())
    dots = [mark for mark in marks if isinstance(mark, Rect)]
    assert [dot.tip for dot in dots] == ["1.0", "exactly 0", "beyond range", "below 10⁻³⁰"]
    assert [dot.fill for dot in dots] == ["gradient-mark", "stage", "stage", "stage"]
    lines = [mark for mark in marks if isinstance(mark, Line)]
    assert [len(line.points) for line in lines] == [3]  # the unknown one breaks the line


def test_an_axis_of_nothing_is_still_an_axis() -> None:
    scale = logchart.axis([0.0, math.nan, math.inf], 0, 10)
    assert math.isfinite(scale.y(1.0))
    assert logchart.grid(scale, 0, 10, Look())


@pytest.mark.parametrize("span", [(0.2, 0.9), (1e-3, 1), (1e-25, 1), (1, 1e290)])
def test_numbers_of_the_grid_stand_apart_and_on_the_axis(span: tuple[float, float]) -> None:
    scale = logchart.axis(span, 0, 120)
    words = [mark for mark in logchart.grid(scale, 50, 400, Look()) if isinstance(mark, Text)]
    heights = sorted(mark.y for mark in words)
    assert len(words) >= 2
    assert float(np.diff(heights).min()) >= 14
    assert all(-1 <= height - 4 <= 121 for height in heights)


def test_an_exact_one_is_written_as_one() -> None:
    assert [logchart.times(value) for value in (1.0, 0.7, 1.004)] == ["× 1", "× 0.70", "× 1.0"]
