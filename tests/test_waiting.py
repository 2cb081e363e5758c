"""What can be computed at once, what must wait, and how long a pass takes."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from tests.recorded import recorded
from visualizer.kinds.waiting import waits
from visualizer.record import capture, study
from visualizer.scene.picture import Look, Rect
from visualizer.scene.timeline import timeline
from visualizer.views import find, waiting


@pytest.mark.parametrize(("model", "total", "layer", "size"), [("digits_cnn", 9, "conv2", 12 * 12 * 12),
                                                              ("rows_lstm", 29, "lstm", 64),
                                                              ("mlp_mnist", 5, "fc2", 64)])
def test_a_layer_is_one_column_and_a_recurrent_layer_one_a_step(model: str, total: int, layer: str, size: int) -> None:
    found = waiting.blocks(recorded(model))
    assert max(block.column for block in found) == total == waits(recorded(model))
    own = [block for block in found if block.layer == layer]
    assert [block.size for block in own] == [size] * (28 if layer == "lstm" else 1)


def test_both_directions_of_a_layer_are_made_side_by_side() -> None:
    torch.manual_seed(0)
    trace = capture(nn.LSTM(3, 4, bidirectional=True, batch_first=True), torch.randn(1, 5, 3), objective="sum")
    columns = [block.column for block in waiting.blocks(trace)]
    assert sorted(columns)[:10] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]


def test_all_that_can_be_computed_now_lights_up_and_nothing_that_waits() -> None:
    trace = recorded("rows_lstm")
    times = timeline(trace)
    for address, expected in (("input.forward", 0), ("lstm.forward[13]", 13), ("fc.forward", 29), ("fc.backward", 1),
                              ("lstm.backward[20]", 10)):
        moment = times.find(address)
        assert waiting.reached(trace, moment) == (expected, 0), address
        picture = find("waiting").draw(trace, moment, None, Look(size=(1104, 796)))
        lit = [mark for mark in picture if isinstance(mark, Rect) and mark.group is not None and mark.group.name in
               ("lstm", "fc") and mark.fill in ("accent", "accent-fill", "gradient-line", "gradient-mark")]
        assert len(lit) == expected, address
    half = waiting.reached(trace, times.find("lstm.forward[13]@0.5"))
    assert half[0] == 12
    assert 0 < half[1] < 1


def test_a_pass_is_timed_part_by_part_and_the_hooks_are_gone() -> None:
    torch.manual_seed(0)
    model, x = nn.Sequential(nn.Conv1d(8, 64, 9), nn.ReLU(), nn.Conv1d(64, 64, 9)).eval(), torch.randn(1, 8, 400)
    trace = study(capture(model, x, objective="sum"), model, x, "times", objective="sum")
    held = trace.studies["times"]
    assert held["plain"].shape == held["watched"].shape
    assert held["2:ms"] > held["1:ms"] > 0, "64 times 64 kernels take longer than a ReLU"
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())
    end = timeline(trace).find("2.forward")
    assert math.isclose(waiting.elapsed(trace, end), float(np.median(held["plain"])))
    assert waiting.elapsed(trace, timeline(trace).find("0.forward")) < waiting.elapsed(trace, end)
