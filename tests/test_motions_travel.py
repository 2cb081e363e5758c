"""Beats in which numbers travel: partial results against torch, and the laws of motion over small networks."""

from __future__ import annotations

import numpy as np
import pytest

from tests import motion
from tests.motion_toys import NETS
from tests.test_motions import Drawing, frame_at, lasts
from visualizer import motions
from visualizer.motions import moving
from visualizer.scene.timeline import timeline
from visualizer.trace import Trace
from visualizer.views import network

MINE = ("moving", "joining", "adding", "spreading", "embedding", "attention", "given")


def motion_of(trace: Trace, address: str) -> str:
    moment = timeline(trace).find(address)
    return motions.of(trace[network.pair_of(trace, moment.beat).right]).name


BEATS = [(name, beat.address) for name, made in NETS.items() for beat in timeline(made()).beats
         if motion_of(made(), beat.address) in MINE]


@pytest.mark.matrix(spine=(), sample=3, each=False)
@pytest.mark.parametrize(("name", "address"), BEATS)
def test_a_beat_keeps_the_laws_of_motion(name: str, address: str) -> None:
    found = motion.beat(NETS[name](), "network", address)
    found = Drawing(found.trace, found.place, found.moments, found.pace)
    begun = motions.CAMERA / float(found.pace.seconds)
    motion.nothing_early(found, (0.0, begun / 2, begun * 1.05))
    motion.causes_touch_effects(found, 7)
    motion.nothing_is_made_up(found, 3)
    motion.the_same_backwards(found, 40)
    motion.no_jumps(found, ((0.0, begun + 0.005),))


@pytest.mark.parametrize(("name", "address"), BEATS)
def test_what_is_done_never_falls_and_is_all_at_last(name: str, address: str) -> None:
    trace = NETS[name]()
    frames = [frame_at(trace, address, second) for second in np.linspace(0, lasts(trace, address), 12)]
    shares = [one.done[0] / one.done[1] for one in frames]
    there = [1.0 if one.covered is None else float(np.mean(~one.covered)) for one in frames]
    assert shares == sorted(shares)
    assert there == sorted(there)
    assert shares[-1] == 1
    assert shares[0] == 0


# --- what only moves ------------------------------------------------------------------------------------------------

MOVING = [(name, layer.name) for name, made in NETS.items() for layer in made().layers
          if motions.of(layer).name in ("moving", "joining")]


@pytest.mark.parametrize(("name", "layer"), MOVING)
def test_every_number_that_moves_lands_where_torch_put_it(name: str, layer: str) -> None:
    trace = NETS[name]()
    ways = moving.ways_of(trace, layer)
    assert ways is not None
    made = np.zeros(trace[layer].shape)
    for moves in ways.moves:
        made += moves.brought(ways.count, False)
    np.testing.assert_array_equal(made, trace[layer].output)
    for moves in ways.moves:
        back = moves.back().brought(ways.count, True)
        given = trace[moves.source.name].gradient
        if given is not None and len(trace.readers(moves.source.name)) == 1:
            np.testing.assert_allclose(back, given, rtol=1e-6, atol=1e-9)


def test_a_flattened_column_fills_row_by_row() -> None:
    trace = NETS["residual"]()
    wide, total = trace["relu#2"].shape[-1], trace["flatten"].shape[0]
    for second in (0.2, 1.2, 2.0, 2.6):
        frame = frame_at(trace, "flatten.forward", second)
        assert frame.covered is not None
        there = int((~frame.covered).sum())
        assert there == frame.done[0] * wide
        assert (frame.covered == (np.arange(total) >= there)).all()


def test_a_rim_grows_only_when_all_that_was_there_has_come() -> None:
    trace = NETS["cut"]()
    rim = np.ones(trace["pad"].shape, bool)
    rim[:, 1:6, 1:6] = False
    for second in np.linspace(0, lasts(trace, "pad.forward"), 20):
        covered = frame_at(trace, "pad.forward", second).covered
        assert covered is not None
        assert covered[rim].all() or not covered[~rim].any()


def test_what_is_cut_off_gets_no_gradient() -> None:
    trace = NETS["cut"]()
    frame = frame_at(trace, "chunk.backward", lasts(trace, "chunk.backward") - 0.4)
    assert frame.values is not None
    kept = np.zeros(trace["chunk"].shape, bool)
    kept[:, 1:5, 2:6] = True
    assert not frame.values[~kept].any()
