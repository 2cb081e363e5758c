"""The size of an array: true where its squares are too small or too large for the precision it is held in."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn

import visualizer
from visualizer import registry
from visualizer.scene import numbers
from visualizer.size import norm, norms, spectral


def exactly(values: list[float]) -> float:
    """By whole numbers, without rounding in between."""
    squares = sum(Fraction(value) ** 2 for value in values)
    scale = 10 ** 120
    return math.isqrt(int(squares * scale ** 2)) / scale


@pytest.mark.parametrize("scale", [1.0, 1e-18, 1e-26, 3e-38])
def test_a_norm_is_right_where_squares_underflow(scale: float) -> None:
    values = (np.array([3.0, -4.0, 1.5], np.float32) * np.float32(scale)).astype(np.float32)
    assert norm(values) == pytest.approx(exactly(values.astype(float).tolist()), rel=1e-14, abs=0)


def test_a_norm_is_right_where_squares_overflow() -> None:
    values = np.array([3e38, 2e38], np.float32)
    assert norm(values) == pytest.approx(math.hypot(*map(float, values)), rel=1e-14)


def test_what_is_no_number_is_told_and_nothing_has_the_size_0() -> None:
    assert math.isnan(norm([1.0, np.nan, np.inf]))
    assert norm([1.0, -np.inf]) == np.inf
    assert norm([]) == 0
    assert norm(2.5) == 2.5
    assert norms(np.zeros((3, 0))).tolist() == [0, 0, 0]


def test_norms_go_along_an_axis_and_the_spectral_norm_is_the_largest_stretch() -> None:
    values = np.array([[3.0, 4.0], [0.0, 1e-30]])
    assert norms(values).tolist() == [5.0, 1e-30]
    assert norms(values, 0).tolist() == pytest.approx([3.0, 4.0])
    assert spectral(np.diag([2.0, -7.0])) == pytest.approx(7.0)


def test_every_caption_and_table_tells_the_size_of_a_vanishing_gradient() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(*[part for _ in range(30) for part in (nn.Linear(16, 16), nn.Sigmoid())], nn.Linear(16, 3))
    trace = visualizer.capture(model.eval(), torch.randn(1, 16), target=1)
    size = float(np.linalg.norm(np.asarray(trace["0"].gradient, np.float64)))
    assert 0 < size < 1e-22
    told = 0
    for view in registry.module("views").all_views():
        if not view.suits(trace) or view.studies:
            continue
        caption = visualizer.draw(trace, view=view.name, at="0.backward").caption
        assert "is 0 " not in caption + " ", view.name
        told += numbers.significant(size, 3) in caption
    assert told >= 1
