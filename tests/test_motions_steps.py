"""Layers over the steps of a sequence or the pixels of a picture: partial results against torch, and the laws."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from tests import motion
from tests.motion_toys import NETS
from tests.test_motions import Drawing, frame_at, lasts
from visualizer import motions
from visualizer.motions import _lines, dense, loss
from visualizer.scene.timeline import timeline
from visualizer.trace import Trace

OURS = [("tags", "hidden.forward"), ("tags", "tanh.backward"), ("tags", "log_softmax.forward"),
        ("tags", "classes.backward"), ("tags", "transpose.backward"), ("tags", "nll_loss.forward"),
        ("squares", "softmax.forward"), ("squares", "conv.backward"), ("squares", "softmax.backward"),
        ("pixels", "conv.backward"), ("pixels", "cross_entropy.forward"), ("attends", "softmax.forward"),
        ("attends", "div.backward"), ("attends", "queries.forward"), ("each", "conv.backward"),
        ("each", "cross_entropy.forward")]


@pytest.mark.matrix(spine=("tags-hidden.forward",), sample=3, each=False)
@pytest.mark.parametrize(("name", "address"), OURS)
def test_a_beat_of_many_lines_keeps_the_laws_of_motion(name: str, address: str) -> None:
    found = motion.beat(NETS[name](), "network", address)
    found = Drawing(found.trace, found.place, found.moments, found.pace)
    begun = motions.CAMERA / float(found.pace.seconds)
    if name != "tags" or "forward" in address:  # the one scale of gradients has the sizes of its table's rows in it
        motion.nothing_early(found, (0.0, begun / 2, begun * 1.05))
    motion.causes_touch_effects(found, 7)
    motion.nothing_is_made_up(found, 3)
    motion.the_same_backwards(found, 40)
    motion.no_jumps(found, ((0.0, begun + 0.005),))


@pytest.mark.parametrize(("name", "address"), OURS)
def test_what_is_done_never_falls_and_is_all_at_last(name: str, address: str) -> None:
    trace = NETS[name]()
    frames = [frame_at(trace, address, second) for second in np.linspace(0, lasts(trace, address), 12)]
    shares = [one.done[0] / one.done[1] for one in frames]
    there = [1.0 if one.covered is None else float(np.mean(~one.covered)) for one in frames]
    assert shares == sorted(shares)
    assert there == sorted(there)
    assert (shares[0], shares[-1]) == (0, 1)


def vjp(function: object, source: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    leaf = torch.tensor(source, dtype=torch.float64, requires_grad=True)
    assert callable(function)
    function(leaf).backward(torch.tensor(gradient, dtype=torch.float64))
    assert leaf.grad is not None
    return leaf.grad.numpy()


@pytest.mark.parametrize("name", ["hidden", "classes"])
def test_steps_send_their_errors_back_as_torch_adds_them_up(name: str) -> None:
    trace = NETS["tags"]()
    layer, (source,) = trace[name], trace.inputs(trace[name])
    assert layer.gradient is not None
    weight = torch.tensor(layer.weights["weight"], dtype=torch.float64, requires_grad=True)
    order = dense.errors(trace, name)
    assert order == tuple(step for step in (6, 5, 4, 3, 2, 1, 0) if step != 3)  # nothing was wanted at step 3
    for done in (0, 1, 3, len(order)):
        sent = np.zeros(layer.shape)
        sent[list(order[:done])] = layer.gradient[list(order[:done])]
        weight.grad = None
        back = vjp(lambda x: functional.linear(x, weight), source.output, sent)
        np.testing.assert_allclose(dense.laid(trace, name, done), back, atol=1e-9)
        if done:
            np.testing.assert_allclose(dense.weights_so_far(trace, name, done), weight.grad.numpy(), atol=1e-6)


def softmax_of(trace: Trace, name: str) -> tuple[np.ndarray, np.ndarray]:
    layer = trace[name]
    axis = next(one for one in range(layer.output.ndim) if one not in _lines.lines(trace, name).axes)
    function = functional.log_softmax if layer.kind == "log_softmax" else functional.softmax
    return _lines.handed(trace, name), vjp(lambda z: function(z, axis), trace.inputs(layer)[0].output, layer.gradient)


@pytest.mark.parametrize(("name", "layer", "places"), [("tags", "log_softmax", 7), ("squares", "softmax", 16),
                                                       ("attends", "softmax", 7)])
def test_scores_get_what_torch_hands_them_line_by_line(name: str, layer: str, places: int) -> None:
    trace = NETS[name]()
    assert _lines.lines(trace, layer).count == places
    mine, theirs = softmax_of(trace, layer)
    np.testing.assert_allclose(mine, theirs, atol=1e-7)


def test_a_step_without_a_wanted_class_takes_no_time_on_the_way_back() -> None:
    trace = NETS["tags"]()
    assert loss._order(trace, "nll_loss", "transpose") == (6, 5, 4, 2, 1, 0)
    frame = frame_at(trace, "transpose.backward", 2.0)
    assert frame.done[1] == 6
    assert frame.covered is not None
    assert frame.covered.any(axis=0).tolist() == [step < 7 - frame.done[0] - (frame.done[0] > 3) for step in range(7)]


def test_all_units_of_a_step_are_there_at_once() -> None:
    trace = NETS["tags"]()
    for second in (1.0, 1.5, 2.5):
        frame = frame_at(trace, "hidden.forward", second)
        assert frame.covered is not None
        assert (frame.covered == (np.arange(7) >= frame.done[0])[:, None]).all()


MANY = ("linear", "softmax", "log_softmax", "cross_entropy", "nll_loss", "mse_loss")


@pytest.mark.parametrize("name", ["tags", "squares", "pixels", "each"])
def test_no_beat_over_many_lines_is_left_to_the_window(name: str) -> None:
    trace = NETS[name]()
    for beat in timeline(trace).beats:
        moves = trace[beat.layer] if beat.direction == "forward" else trace.readers(beat.layer)[0]
        if moves.kind in MANY:
            said = frame_at(trace, beat.address, 1.0).sentence
            assert said
            assert "place by place" not in said
            assert "comes to" not in said
