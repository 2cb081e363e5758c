"""What several have read gets its gradient from each in turn: parts against torch, and the laws of motion."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from tests import motion
from tests.motion_toys import NETS, Through, captured, picture
from tests.test_motions import Drawing, frame_at, lasts
from visualizer import motions
from visualizer.scene.timeline import Beat, timeline
from visualizer.trace import Trace


class Dense(nn.Module):
    """Each layer reads all before it: five layers read the first."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(1, 2, 3, padding=1)
        self.more = nn.ModuleList([nn.Conv2d(2, 2, 3, padding=1) for _ in range(5)])
        self.fc = nn.Linear(2 * 36, 3)

    def forward(self, x: Tensor) -> Tensor:
        shared = torch.relu(self.first(x))
        found = sum((layer(shared) for layer in self.more[1:]), self.more[0](shared))
        answer: Tensor = self.fc(found.flatten(1))
        return answer


def _paths(self: Any, x: Tensor) -> Tensor:
    """A ReLU, a norm, a mean, a pool and a product read the same maps."""
    maps = self.conv(x)
    normed, pooled = self.norm(maps), functional.max_pool2d(maps, 3, 1, 1)
    return normed + pooled + functional.avg_pool2d(maps, 3, 1, 1) + torch.tanh(maps)


SEVERAL: dict[str, Callable[[], Trace]] = {
    **{name: NETS[name] for name in ("residual", "joined", "unet", "gated", "attends")},
    "paths": cache(lambda: captured(Through(_paths, conv=nn.Conv2d(1, 2, 3), norm=nn.GroupNorm(1, 2)),
                                    picture(1, 8, 8))),
    "five": cache(lambda: captured(Dense(), picture(1, 6, 6))),
}
SHARED = [(name, layer.name) for name, made in SEVERAL.items() for layer in made().layers
          if motions.turns(made(), layer.name)]


def test_there_is_something_that_several_read() -> None:
    assert {name for name, _ in SHARED} == set(SEVERAL)


@pytest.mark.parametrize(("name", "layer"), SHARED)
def test_the_parts_of_all_readers_add_up_to_the_gradient_of_torch(name: str, layer: str) -> None:
    trace = SEVERAL[name]()
    readers = [one for one in trace.readers(layer) if one.gradient is not None]
    parts = [motions.handed_back(trace, reader, layer) for reader in readers]
    assert all(part is not None for part in parts)  # none of them is told by what the others leave
    np.testing.assert_allclose(sum(part for part in parts if part is not None), trace[layer].gradient, rtol=1e-4,
                               atol=1e-6)
    assert {reader for turn in motions.turns(trace, layer) for reader in turn.readers} == {one.name for one in readers}


READ = {
    "relu": torch.relu, "tanh": torch.tanh, "max_pool2d": lambda x: functional.max_pool2d(x, 3, 1, 1),
    "avg_pool2d": lambda x: functional.avg_pool2d(x, 3, 1, 1),
    "group_norm": lambda x: functional.group_norm(x, 1, *(torch.tensor(SEVERAL["paths"]()["norm"].weights[key])
                                                         for key in ("weight", "bias"))),
}


@pytest.mark.parametrize("kind", list(READ))
def test_the_part_of_one_reader_is_what_torch_hands_back_through_it(kind: str) -> None:
    trace = SEVERAL["residual" if kind == "relu" else "paths"]()
    reader = next(layer for layer in trace.layers if layer.kind == kind)
    (source,) = trace.inputs(reader)
    leaf = torch.tensor(source.output[None], requires_grad=True)
    READ[kind](leaf).backward(torch.tensor(reader.gradient[None]))
    np.testing.assert_allclose(motions.handed_back(trace, reader, source.name), leaf.grad[0].numpy(), rtol=1e-4,
                               atol=1e-6)


@pytest.mark.parametrize(("name", "layer"), SHARED)
def test_what_has_come_is_the_sum_of_the_turns_that_are_over(name: str, layer: str) -> None:
    trace = SEVERAL[name]()
    turns = motions.turns(trace, layer)
    for turn in turns[1:]:
        frame = frame_at(trace, f"{layer}.backward", turn.start + 0.01)
        parts = [motions.handed_back(trace, trace[reader], layer) for reader in turn.before]
        assert frame.covered is None
        assert frame.values is not None
        np.testing.assert_allclose(frame.values, sum(part for part in parts if part is not None), atol=1e-6)
    assert lasts(trace, f"{layer}.backward") == pytest.approx(turns[-1].start + turns[-1].lasts, abs=1e-3)


@pytest.mark.matrix(spine=(("residual", "conv1"),), sample=2, each=False)
@pytest.mark.parametrize(("name", "layer"), SHARED)
def test_a_beat_of_several_turns_keeps_the_laws_of_motion(name: str, layer: str) -> None:
    found = motion.beat(SEVERAL[name](), "network", f"{layer}.backward")
    found = Drawing(found.trace, found.place, found.moments, found.pace)
    whole = float(found.pace.seconds)
    cameras = [(turn.start / whole - 0.002, (turn.start + motions.CAMERA) / whole + 0.005)
               for turn in motions.turns(found.trace, layer)]
    motion.nothing_early(found, (0.0, cameras[0][1] / 2))
    assert motion.causes_touch_effects(found, 7)
    motion.nothing_is_made_up(found, 3)
    motion.the_same_backwards(found, 60)
    motion.no_jumps(found, cameras)
    done = [frame_at(found.trace, f"{layer}.backward", second).done for second in np.linspace(0, whole, 30)]
    shares = [one / count for one, count in done]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0, 1)


def test_a_layer_with_one_reader_has_no_turns() -> None:
    trace = SEVERAL["residual"]()
    assert motions.turns(trace, "relu") == ()
    assert motions.turn_at(trace, Beat("relu", "backward"), 1.0) is None
    assert motions.turn_at(trace, timeline(trace).find("conv1.forward").beat, 1.0) is None


def test_of_many_readers_the_first_are_played_and_the_others_come_as_a_whole() -> None:
    turns = motions.turns(SEVERAL["five"](), "relu")
    assert [turn.at_once for turn in turns] == [False] * motions.PLAYED + [True] * (5 - motions.PLAYED)
    assert all(turn.lasts <= 1.5 for turn in turns[motions.PLAYED:])
