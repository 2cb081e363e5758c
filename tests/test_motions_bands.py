"""Bands where more than half a row passes in one frame, and what slides or is laid down as a whole."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch
from torch import nn

from tests import motion
from tests.motion import Played
from tests.motion_toys import NETS, Through, captured, picture
from tests.recorded import recorded
from tests.test_motions import Drawing
from tests.test_motions_turns import SEVERAL
from visualizer import motions
from visualizer.motions import March
from visualizer.scene.picture import Flight, Image, Text, Touch
from visualizer.trace import Trace


@cache
def large() -> Trace:
    model = Through(lambda self, x: self.least(self.most(torch.relu(self.conv(x)))), conv=nn.Conv2d(1, 2, 3, padding=1),
                    most=nn.MaxPool2d(3, 1, 1), least=nn.AvgPool2d(3, 1, 1))
    return captured(model, picture(1, 40, 36))


def played(trace: Trace, address: str) -> Played:
    found = motion.beat(trace, "network", address)
    return Drawing(found.trace, found.place, found.moments, found.pace)


BANDED = ("conv.forward", "input.backward", "most.forward", "relu.backward", "least.forward", "most.backward")


@pytest.mark.matrix(spine=("conv.forward",), sample=2, each=False)
@pytest.mark.parametrize("address", BANDED)
def test_where_rows_pass_in_a_frame_bands_lie_on_what_they_read(address: str) -> None:
    found = played(large(), address)
    late = Drawing(found.trace, found.place, found.moments[len(found.moments) * 4 // 5:], found.pace)
    assert motion.causes_touch_effects(late, 5)
    marks = [mark for shown in late.pictures(5) for mark in shown if not isinstance(mark, Text)]
    bands = [mark for mark in marks if isinstance(mark.holds, Touch) and mark.holds.until
             and mark.group is not None and mark.group.name == "band"]
    assert bands
    motion.no_jumps(late)


def test_rows_pass_only_where_more_than_half_a_row_is_done_in_a_frame() -> None:
    assert motions.passing(March(100, step=20.0), 99, 36) == (2, 2)
    assert motions.passing(March(100, step=80.0), 99, 36) == (0, 2)
    assert motions.passing(March(100, step=17.0), 99, 36) is None
    assert motions.passing(March(100, True, 0.5), 99, 36) is None
    assert motions.passing(March(3, step=3.0), 3, 36, (200, 100, 90, 10)) == (0, 5)
    assert motions.passing(March(3, step=3.0), 3, 36, (13, 12, 11, 10)) is None


SLIDES = [("residual", "relu.forward"), ("residual", "conv2.backward"), ("paths", "norm.forward"),
          ("residual", "conv1.backward")]


@pytest.mark.matrix(spine=("residual-relu.forward",), sample=1, each=False)
@pytest.mark.parametrize(("name", "address"), SLIDES, ids=lambda one: one)
def test_maps_that_slide_as_a_whole_carry_a_number(name: str, address: str) -> None:
    found = played({**NETS, **SEVERAL}[name](), address)
    assert motion.nothing_is_made_up(found, 2)
    slid = {mark.holds for shown in found.pictures(2) for mark in shown
            if isinstance(mark, Image) and isinstance(mark.holds, Flight)}
    assert len({flight.share for flight in slid}) > 3
    assert all(flight.source != flight.target for flight in slid)


@pytest.mark.matrix(spine=("residual-relu.backward",), sample=2, each=False)
@pytest.mark.parametrize(("name", "address"), [("residual", "relu.backward"), ("joined", "input.backward"),
                                               ("digits_cnn", "pool1.backward")])
def test_stamps_carry_the_weight_times_the_gradient_of_one_place(name: str, address: str) -> None:
    trace = recorded(name) if name == "digits_cnn" else NETS[name]()
    found = played(trace, address)
    assert motion.nothing_is_made_up(found, 3)
    layer = None
    for shown in found.pictures(3):
        for mark in shown:
            flight = mark.holds if isinstance(mark, Image) else None
            if isinstance(flight, Flight) and flight.source.array == "weight":
                layer = trace[flight.source.layer]
                weight = layer.weights["weight"][flight.source.cell]
                assert layer.gradient is not None
                assert np.isclose(layer.gradient[flight.source.cell[0]] * weight, flight.value, rtol=1e-5).any()
    assert layer is not None
