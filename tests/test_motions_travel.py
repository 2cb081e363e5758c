"""Beats in which numbers travel: partial results against torch, and the laws of motion over small networks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from tests import motion
from tests.motion_toys import NETS, STEPS, TOKENS, Through, captured, picture
from tests.networks import NETWORKS
from tests.test_motions import UNCOVERED, Drawing, frame_at, lasts
from visualizer import kinds, motions, record, views
from visualizer.motions import adding, attention, embedding, moving, spreading
from visualizer.scene.columns import passages
from visualizer.scene.lens import lens, pair_of
from visualizer.scene.picture import Focus, Image, Look, Text
from visualizer.scene.timeline import timeline
from visualizer.trace import Layer, Trace
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
    given = motion_of(found.trace, address) == "given"
    motion.nothing_early(found, (0.0,) if given else (0.0, begun / 2, begun * 1.05))
    motion.causes_touch_effects(found, 7)
    motion.nothing_is_made_up(found, 3)
    motion.the_same_backwards(found, 40)
    motion.no_jumps(found, ((0.0, begun + 0.005),))


@pytest.mark.parametrize(("name", "address"), [
    ("attention_multihead", "attention.getitem.forward"), ("conv_rgb", "0.forward"), ("conv_rgb", "input.backward")])
def test_what_is_not_drawn_does_not_fly_from_where_something_else_stands(name: str, address: str) -> None:
    """Of more than three axes one slice is drawn; a picture in colour is drawn for its three channels."""
    model, inputs, target = NETWORKS[name]()
    trace = record.capture(model, inputs, target, **NETWORKS[name].capture)
    found = motion.beat(trace, "network", address)
    found = Drawing(found.trace, found.place, found.moments, found.pace)
    assert motion.causes_touch_effects(found, 9)
    assert motion.nothing_is_made_up(found, 7)


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
    for moves in ways.moves if trace[layer].gradient is not None else ():
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


PICKED, SHUFFLED = (torch.tensor(places).expand(1, 2, 4, 4) for places in ([2, 0, 0, 3], [2, 0, 1, 3]))
PARTS = {"real_part": 0, "imaginary_part": 1}
MANNERS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "tril": torch.tril, "triu": lambda x: torch.triu(x, 1), "diag_embed": torch.diag_embed,
    "pad": lambda x: functional.pad(x, (1, 1, 1, 1)), "pad#halves": lambda x: functional.pad(x, (1, 2), value=0.5),
    "pad#cut": lambda x: functional.pad(x, (2, -1)),
    "pad#mirrored": lambda x: functional.pad(x, (1, 1, 1, 1), "reflect"),
    "gather": lambda x: x.gather(3, PICKED), "gather#each": lambda x: x.gather(3, SHUFFLED),
    "flip": lambda x: x.flip(3), "roll": lambda x: x.roll(1, 2), "repeat": lambda x: x.repeat(1, 2, 1, 1),
    "select": lambda x: x.select(1, 1), "flatten": lambda x: x.flatten(1),
    "real_part": lambda x: torch.view_as_complex(x.unflatten(3, (2, 2))).real,
    "imaginary_part": lambda x: torch.view_as_complex(x.unflatten(3, (2, 2))).imag,
}


@pytest.mark.parametrize("name", list(MANNERS))
def test_what_is_said_of_numbers_that_move_is_true_of_them(name: str) -> None:
    call, kind = MANNERS[name], name.partition("#")[0]
    trace = captured(Through(lambda _, x: call(x.tanh())), picture(2, 4, 4))
    layer = next(layer for layer in trace.layers if layer.kind == kind)
    before = trace.inputs(layer)[0]
    numbered = torch.arange(1.0, before.output.size + 1).reshape(1, *before.shape)
    made = (numbered[..., PARTS[kind]] if kind in PARTS else call(numbered)).flatten()
    moved = made[torch.isin(made, numbered.flatten())]
    filled, left = len(moved) < len(made), len(moved.unique()) < numbered.numel()
    repeated = len(moved.unique()) < len(moved)
    said = frame_at(trace, f"{layer.name}.forward", lasts(trace, f"{layer.name}.forward") - 0.01).sentence
    assert ("everywhere else" in said or "a rim grows" in said) == filled
    assert f"{made.numel()} of {made.numel()}" in said
    if filled:
        others = made[~torch.isin(made, numbered.flatten())]
        assert "a rim grows" in said or f"{float(others[0]):g}" in said.replace(f"{made.numel()}", "")
        assert "a rim grows" not in said or not left
    else:
        assert ("left behind" in said) == left
        assert ("more than once" in said) == repeated
    assert "peels off" not in said or (layer.output.ndim == 1 and bool((made.diff() == 1).all()))
    back = f"{before.name}.backward"
    assert ("adds up where one went" in frame_at(trace, back, lasts(trace, back) - 0.01).sentence) == repeated


# --- what is put together --------------------------------------------------------------------------------------------

PUT_TOGETHER = [(name, layer.name) for name, made in NETS.items() for layer in made().layers
                if motions.of(layer).name == "adding"]


@pytest.mark.parametrize(("name", "layer"), PUT_TOGETHER)
def test_what_is_put_together_hands_back_as_torch_does(name: str, layer: str) -> None:
    trace = NETS[name]()
    ways = adding._ways_back(trace, layer)
    assert ways is not None
    for moves in ways.moves:
        given = trace[moves.source.name].gradient
        if given is not None and len(trace.readers(moves.source.name)) == 1:
            np.testing.assert_allclose(moves.back().brought(ways.count, True), given, rtol=1e-5, atol=1e-8)


def test_a_sum_fills_row_by_row_in_all_channels() -> None:
    trace = NETS["residual"]()
    rows = trace["add"].shape[1]
    for second in (0.3, 1.2, 2.0, 2.6):
        frame = frame_at(trace, "add.forward", second)
        assert frame.covered is not None
        assert (frame.covered == (np.arange(rows) >= frame.done[0])[None, :, None]).all()


def test_half_of_a_product_has_gone_back_times_the_other_factor() -> None:
    trace = NETS["gated"]()
    frame = frame_at(trace, "getitem.backward", 1.0)
    mul, maps = trace["mul"], trace["conv1"].output.astype(np.float64)
    assert frame.values is not None
    assert 0 < frame.done[0] < frame.done[1]
    last = mul.shape[1] - frame.done[0]
    expected = (mul.gradient * maps)[:, last:].sum(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(frame.values, expected, rtol=1e-5)


# --- what spreads -----------------------------------------------------------------------------------------------------

def test_part_of_a_transposed_convolution_is_that_of_torch_over_the_places_that_have_landed() -> None:
    trace = NETS["transposed"]()
    layer, source = trace["up"], trace["input"].output
    for second in (1.0, 2.0, 2.9):
        frame = frame_at(trace, "up.forward", second)
        done = frame.done[0]
        assert 0 < done < frame.done[1]
        landed = source.reshape(len(source), -1).copy()
        landed[:, done:] = 0
        expected = functional.conv_transpose2d(torch.tensor(landed.reshape(1, *source.shape)),
                                               torch.tensor(layer.weights["weight"]),
                                               torch.tensor(layer.weights["bias"]), stride=2)[0].numpy()
        assert frame.covered is not None
        assert frame.values is not None
        np.testing.assert_allclose(frame.values[~frame.covered], expected[~frame.covered], rtol=1e-4, atol=1e-5)


def test_what_a_transposed_convolution_gathers_is_the_gradient_of_torch() -> None:
    trace = NETS["transposed"]()
    ways = spreading.ways_of(trace, "up")
    assert ways is not None
    np.testing.assert_allclose(ways.moves[0].back().brought(ways.count, True), trace["input"].gradient, rtol=1e-4,
                               atol=1e-7)


@pytest.mark.parametrize(("name", "layer"), [("unet", "interpolate"), ("shuffled", "pixel_shuffle")])
def test_what_spreads_without_weights_lands_where_torch_put_it(name: str, layer: str) -> None:
    trace = NETS[name]()
    ways = spreading.ways_of(trace, layer)
    assert ways is not None
    np.testing.assert_array_equal(ways.moves[0].brought(ways.count, False), trace[layer].output)


# --- what is given ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["reads", "residual"])
def test_what_is_given_is_there_in_less_than_a_second(name: str) -> None:
    trace = NETS[name]()
    assert lasts(trace, "input.forward") <= 1
    frame = frame_at(trace, "input.forward", 0.7)
    assert frame.covered is None or not frame.covered.any()


@pytest.mark.parametrize("size", [(1104, 796), (740, 560)])
def test_words_stand_as_words_each_beside_its_own_number(size: tuple[int, int]) -> None:
    trace = NETS["reads"]()
    picture = views.picture(views.find("network"), trace, timeline(trace).find("words.forward"), None, Look(size=size))
    texts = {(round(mark.y), mark.plain): mark for mark in picture if isinstance(mark, Text)}
    numbers = [(y, int(words)) for y, words in texts if words.isdecimal() and texts[y, words].size == 11
               and texts[y, words].x < 60]
    words = [(y, mark.plain) for (y, _), mark in texts.items() if mark.focus is not None
             and mark.focus.layer == "input" and len(mark.focus.cell) == 1]
    assert [word for _, word in sorted(words)] == list(STEPS)
    assert [number for _, number in sorted(numbers)] == TOKENS[0].tolist()


# --- tables and attention ---------------------------------------------------------------------------------------------

def test_what_has_come_back_to_the_table_is_the_sum_over_the_steps_that_have() -> None:
    trace = NETS["attends"]()
    words, tokens = trace["words"], TOKENS[0].tolist()
    for done in (2, 5, 7):
        found = embedding._sum_so_far(trace, "words", done)
        expected = np.zeros(words.weights["weight"].shape)
        for step in range(len(tokens) - done, len(tokens)):
            expected[tokens[step]] += words.gradient[step]
        np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_allclose(embedding._sum_so_far(trace, "words", 7), words.weight_gradients["weight"], rtol=1e-5,
                               atol=1e-8)


def test_a_product_that_is_added_to_something_is_that_of_torch_forwards_and_back() -> None:
    trace = NETS["added"]()
    ways, layer = attention.ways_of(trace, "addmm"), trace["addmm"]
    assert ways is not None
    left, _, start = ways.moves
    np.testing.assert_allclose(left.brought(ways.count, False) + start.brought(ways.count, False), layer.output,
                               rtol=1e-4, atol=1e-5)
    leaves = [torch.tensor(one.output, requires_grad=True) for one in trace.inputs(layer)]
    torch.addmm(*leaves, beta=2.0, alpha=0.5).backward(torch.tensor(layer.gradient))
    for leaf, name in zip(leaves, layer.reads, strict=True):
        assert leaf.grad is not None
        handed = motions.handed_back(trace, layer, name)
        assert handed is not None
        np.testing.assert_allclose(handed, leaf.grad.numpy(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["matmul", "matmul#2"])
def test_the_products_of_attention_are_those_of_torch_forwards_and_back(name: str) -> None:
    trace = NETS["attends"]()
    ways = attention.ways_of(trace, name)
    assert ways is not None
    for moves in ways.moves:
        np.testing.assert_allclose(moves.brought(ways.count, False), trace[name].output, rtol=1e-4, atol=1e-6)
        given = trace[moves.source.name]
        if len(trace.readers(given.name)) == 1:
            np.testing.assert_allclose(moves.back().brought(ways.count, True), given.gradient, rtol=1e-4, atol=1e-7)


# --- every kind -------------------------------------------------------------------------------------------------------

WITHOUT = {
    "recurrent": "its beats are steps, and have a motion of their own in the views that draw the cell",
    "picked": "one number of the answer, nothing to be moved",
}
"""Roles of kinds that need no motion of their own, and why."""
FOLDS = {"sum": "one window over all that is added", "max": "one window over all that is compared",
         "amax": "one window over all that is compared"}
"""Kinds of which the window that uncovers in reading order shows all there is."""
LATER = {"mean", "norm", "shares", "loss", "weighted", "largest"}
"""Roles that come with their own files."""


def test_every_kind_moves_in_a_way_of_its_own() -> None:
    """A kind falls back to the window only where a list says why."""
    left_over = []
    for kind in kinds.all_kinds():
        if kind.role in WITHOUT or kind.role in LATER or kind.name in FOLDS or kind.name in UNCOVERED:
            continue
        layer = Layer("one", kind.name, ("channel", "row", "column"), {}, ("other", "third"), np.zeros((2, 3, 3)))
        units = Layer("one", kind.name, ("step", "unit"), {}, ("other", "third"), np.zeros((2, 3)),
                      weights={"weight": np.zeros((4, 3))})
        if all(motions.of(one).name == "window" for one in (layer, units)):
            left_over.append(kind.name)
    assert left_over == []


@pytest.mark.parametrize("size", [(1104, 796), (740, 560), (1440, 900)])
def test_a_signal_stands_as_bands_that_can_be_told_apart(size: tuple[int, int]) -> None:
    trace = NETS["signal"]()
    plan = lens(trace, Look(size=size), passages(trace), pair_of(trace, timeline(trace).find("conv.forward").beat))
    for name in ("input", "conv"):
        assert plan.columns[name].cell[1] / plan.columns[name].factor >= 6
        assert plan.columns[name].x + plan.columns[name].width <= size[0]


@pytest.mark.parametrize("size", [(1104, 796), (740, 560), (1440, 900)])
def test_a_large_picture_in_colours_fits_and_comes_in_as_a_whole(size: tuple[int, int]) -> None:
    model = Through(lambda self, x: torch.relu(self.conv(x)).mean((2, 3)), conv=nn.Conv2d(3, 4, 7, 8))
    trace = captured(model, torch.linspace(0, 1, 3 * 224 * 224).reshape(1, 3, 224, 224))
    for address in ("input.forward@0.5", "conv.forward"):
        picture = views.picture(views.find("network"), trace, timeline(trace).find(address), None, Look(size=size))
        drawn = [mark for mark in picture if isinstance(mark, Image) and mark.focus == Focus("input")]
        assert drawn
        for mark in drawn:
            assert mark.x + mark.tile_size[0] <= size[0]
            assert 128 <= mark.y + mark.tile_size[1] <= size[1] - 96
    assert "3 × 224 × 224" in views.picture(views.find("network"), trace, timeline(trace).find("input.forward"), None,
                                            Look(size=size)).caption
