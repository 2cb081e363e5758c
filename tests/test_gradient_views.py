"""Views of the gradient: the laws of all views on networks of every kind, and that what they say is what was
measured."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from fractions import Fraction
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from tests.gradient_toys import Bursting, Cut, Steps, given, residual, tower, with_studies
from tests.test_views import box, corners, seen
from visualizer import record
from visualizer.scene.picture import Focus, Image, Line, Look, Picture, Rect, Text
from visualizer.scene.timeline import timeline
from visualizer.trace import Trace
from visualizer.views import find
from visualizer.views import picture as picture_of

VIEWS = ("gradient_flow", "bptt", "saturation", "jacobian")
LOOKS = {"window": Look((1104, 796)), "dark": Look((1104, 796), "dark"), "small": Look((952, 656)),
         "projector": Look((1920, 1080), "projector", 1.25)}
NETWORKS = ("tower", "residual", "rnn", "gru", "lstm", "both", "digits", "cut", "bursting")


@cache
def network(name: str) -> Trace:
    """A recording with everything that these views show, but the batch where a network has no inputs of its own."""
    torch.manual_seed(0)
    if name == "digits":
        again = record.pass_of("digits_cnn", "digit-2148")
        return with_studies(again, "flow", "bptt", "jacobian")
    again = {
        "tower": lambda: tower(nn.Tanh, 20)[1], "residual": residual,
        "rnn": lambda: Steps.example("RNN", 14)[1], "gru": lambda: Steps.example("GRU", 40)[1],
        "lstm": lambda: Steps.example("LSTM", 9)[1],
        "both": lambda: given(Steps("LSTM", both=True).eval(), torch.randn(1, 7, 3), target=[0, 1, 2, 0, 1, 2, 1]),
        "cut": lambda: given(Cut().eval(), torch.randn(1, 4), target=0),
        "bursting": lambda: given(Bursting().eval(), torch.ones(1, 2), target=0),
    }[name]()
    return with_studies(again, "flow", "bptt", "jacobian")


@cache
def batched() -> Trace:
    return with_studies(record.pass_of("mlp_mnist", "digit-2148"), "saturation")


def drawn(view: str, trace: Trace, look: Look) -> list[tuple[str, Picture]]:
    times, found = timeline(trace), []
    for index in range(0, len(times.beats), max(1, len(times.beats) // 24)):
        for phase in (Fraction(1), Fraction(2, 5)):
            moment = times.at(times.starts[index] + times.pace(index).seconds * phase)
            found.append((f"{view} {moment.address}", picture_of(find(view), trace, moment, None, look)))
    return found


def cases() -> list[tuple[str, str]]:
    return [(view, name) for name in NETWORKS for view in VIEWS[:2] + VIEWS[3:]
            if view == "gradient_flow" or name in ("rnn", "gru", "lstm", "both")]


@pytest.mark.matrix(sample=18)
@pytest.mark.parametrize(("view", "name"), [*cases(), ("saturation", "batch")])
@pytest.mark.parametrize("size", LOOKS)
def test_nothing_leaves_the_frame_and_no_words_run_into_each_other(view: str, name: str, size: str) -> None:
    trace, look = batched() if name == "batch" else network(name), LOOKS[size]
    for where, picture in drawn(view, trace, look):
        assert picture.caption.endswith("."), where
        assert "{" not in picture.caption, where
        assert picture.table.rows, where
        for mark in picture:
            for x, y in corners(mark):
                assert math.isfinite(x), f"{where}: {mark}"
                assert math.isfinite(y), f"{where}: {mark}"
                assert -1 <= x <= look.size[0] + 1, f"{where}: {mark}"
                assert -1 <= y <= look.size[1] + 1, f"{where}: {mark}"
        boxes = [(mark, box(mark)) for mark in picture if isinstance(mark, Text) and mark.opacity == 1]
        for index, (mark, (x0, y0, x1, y1)) in enumerate(boxes):
            for other, (u0, v0, u1, v1) in boxes[index + 1:]:
                apart = x1 <= u0 + 1 or u1 <= x0 + 1 or y1 <= v0 + 1 or v1 <= y0 + 1
                assert apart, f"{where}: {mark.plain!r} and {other.plain!r}"


@pytest.mark.parametrize("name", ["tower", "residual", "digits"])
def test_the_flow_through_depth_moves_without_jumping(name: str) -> None:
    trace, times = network(name), timeline(network(name))
    for index in range(len(times.beats) - 1):
        end = find("gradient_flow").draw(trace, times.settled(index), None, Look())
        start = find("gradient_flow").draw(trace, times.at(times.starts[index + 1]), None, Look())
        moved = {re.sub(r"opacity=\S+", "", line) for line in (seen(end) - seen(start)) + (seen(start) - seen(end))
                 if line.startswith(("image", "path"))}
        assert not moved, times.beats[index + 1].address


@pytest.mark.parametrize(("view", "name"), cases())
def test_equal_arguments_give_equal_pictures(view: str, name: str) -> None:
    trace = network(name)
    moment = timeline(trace).settled(len(timeline(trace).beats) // 2)
    assert find(view).draw(trace, moment, None, Look()).dump() == find(view).draw(trace, moment, None, Look()).dump()


@pytest.mark.parametrize("view", VIEWS)
def test_until_it_is_measured_the_view_says_so(view: str) -> None:
    trace = replace(network("rnn"), studies={})
    picture = find(view).draw(trace, timeline(trace).settled(3), None, Look())
    assert picture.table.rows
    if view == "gradient_flow":
        # the sizes of the recording itself, which say in what they are
        assert not any("float64" in str(mark) for mark in picture)
        assert any("float32" in str(mark) for mark in picture)
    else:
        assert "takes further passes" in picture.caption
        assert any("visualizer.study" in str(mark) for mark in picture)


# --- what they say ----------------------------------------------------------------------------------------------------

def test_the_headline_is_the_half_life_of_the_measured_curve() -> None:
    """A rotation times 0.8 keeps 0.8 a step exactly: ln ½ / ln 0.8 = 3.1 steps."""
    torch.manual_seed(1)
    model = Steps("RNN").eval()
    with torch.no_grad():
        for key, weight in model.rnn.named_parameters():
            weight.zero_() if "weight_hh" not in key else nn.init.orthogonal_(weight).mul_(0.8)
    trace = with_studies(given(model, torch.zeros(1, 40, 3), target=[0] * 40), "flow")
    picture = find("gradient_flow").draw(trace, timeline(trace).settled(0), None, Look())
    assert picture.caption.startswith("The gradient halves every 3.1 steps. After 21 steps less than 1 % is left.")
    assert any("R² 1.00" in mark.plain for mark in picture if isinstance(mark, Text))
    kept = [row[3] for row in picture.table.rows[:-1]]
    assert kept == pytest.approx([0.8] * len(kept), rel=1e-6)


def test_without_decay_the_headline_says_so() -> None:
    torch.manual_seed(1)
    model = Steps("RNN").eval()
    with torch.no_grad():
        for key, weight in model.rnn.named_parameters():
            weight.zero_() if "weight_hh" not in key else nn.init.orthogonal_(weight)
    trace = with_studies(given(model, torch.zeros(1, 40, 3), target=[0] * 40), "flow")
    picture = find("gradient_flow").draw(trace, timeline(trace).settled(0), None, Look())
    assert picture.caption.startswith("The gradient does not decay in these 39 steps.")


def test_half_lives_before_and_after_training_stand_side_by_side() -> None:
    """The curve of other weights takes the place of the untrained ones."""
    trace = network("rnn")
    other = with_studies(Steps.example("RNN", 14, seed=11)[1], "flow")
    both = replace(trace, studies={**trace.studies, "before": other.studies["flow"]})
    picture = find("gradient_flow").draw(both, timeline(both).settled(0), None, Look())
    assert "Before training it" in picture.caption
    assert any(isinstance(mark, Line) and mark.dashed and mark.color == "ink-2" for mark in picture)
    assert picture.table.columns[-1].startswith("before training")


def test_all_losses_together_are_shown_in_their_own_size() -> None:
    trace = network("lstm")
    look = Look(knobs=(("loss", "all"),))
    picture = find("gradient_flow").draw(trace, timeline(trace).settled(0), None, look)
    assert picture.caption.startswith("All losses together")
    assert [row[2] for row in picture.table.rows] == pytest.approx(trace.studies["flow"]["rnn/hidden"].tolist())


def test_a_recurrent_network_can_also_be_seen_in_depth() -> None:
    trace = network("lstm")
    picture = find("gradient_flow").draw(trace, timeline(trace).settled(0), None, Look(knobs=(("along", "depth"),)))
    assert picture.table.columns[0] == "layer"


def test_depth_says_what_each_hop_keeps_and_the_product_of_hops_is_the_whole() -> None:
    trace = network("tower")
    picture = find("gradient_flow").draw(trace, timeline(trace).settled(0), None, Look())
    sizes = {str(row[0]): math.nan if row[1] == "–" else float(row[1]) for row in picture.table.rows}
    kept = {str(row[0]): math.nan if row[4] == "–" else float(row[4]) for row in picture.table.rows}
    names = [layer.name for layer in trace if layer.name.startswith(("fc", "act"))]
    for name, after in pairwise(names):
        assert kept[name] == pytest.approx(sizes[name] / sizes[after], rel=1e-12)
    assert math.prod(kept[name] for name in names[:-1]) == pytest.approx(sizes[names[0]] / sizes[names[-1]], rel=1e-9)
    assert "halves every" in picture.caption  # tanh with torch's own weights loses 0.57 a layer


def test_where_a_skip_is_read_twice_the_ways_are_counted() -> None:
    trace = network("residual")
    relu = next(layer.name for layer in trace if layer.kind == "relu")
    moment = timeline(trace).find(f"{relu}.backward")
    picture = find("gradient_flow").draw(trace, moment, None, Look())
    assert "2 layers read it, so their gradients are added" in picture.caption
    assert any(isinstance(mark, Text) and mark.plain == "Σ 2" for mark in picture)


def test_a_detached_part_is_named_and_hatched_not_drawn_as_zero() -> None:
    trace = network("cut")
    picture = find("gradient_flow").draw(trace, timeline(trace).settled(0), None, Look())
    assert any("No gradient at" in mark.plain and "two" in mark.plain for mark in picture if isinstance(mark, Text))
    assert any(isinstance(mark, Rect) and mark.fill == "hatch" and mark.focus == Focus("two") for mark in picture)
    assert next(row[1] for row in picture.table.rows if row[0] == "two") == "–"


def test_a_gradient_beyond_the_range_is_said_to_be_and_where() -> None:
    trace = network("bursting")
    assert np.isinf(trace.studies["flow"]["gradient"]).any()
    picture = find("gradient_flow").draw(trace, timeline(trace).settled(0), None, Look())
    beyond = [layer.name for layer, value in zip(trace, trace.studies["flow"]["gradient"], strict=True)
              if np.isinf(value)]
    assert "beyond range" in picture.caption
    assert beyond[-1] in picture.caption


def test_the_sum_of_the_step_gradients_is_checked_on_screen() -> None:
    trace = network("lstm")
    words = [mark.plain for mark in find("bptt").draw(trace, timeline(trace).settled(0), None, Look())
             if isinstance(mark, Text)]
    assert any(word.startswith("Σ G = ∂L/∂W_hh of autograd") for word in words)
    wrong = {**trace.studies["bptt"], "rnn/error": np.array(1e-3)}
    sick = replace(trace, studies={**trace.studies, "bptt": wrong})
    words = [mark.plain for mark in find("bptt").draw(sick, timeline(sick).settled(0), None, Look())
             if isinstance(mark, Text)]
    assert any(word.startswith("Σ G differs from") for word in words)


def test_a_window_says_what_it_cuts() -> None:
    trace = network("gru")
    look = Look(knobs=(("window", "5"),))
    picture = find("bptt").draw(trace, timeline(trace).settled(0), None, look)
    size, error = trace.studies["bptt"]["rnn/kept"][2]
    assert f"{100 * size:.0f} % of its size" in picture.caption
    assert f"{100 * error:.0f} % off" in picture.caption
    cut = [mark for mark in picture if isinstance(mark, Image) and mark.hatched is not None]
    assert len(cut) == 1


def test_the_size_of_the_batch_is_always_there() -> None:
    for where, picture in drawn("saturation", batched(), Look()):
        assert "100 inputs" in picture.caption, where
        assert all(row[-1] == 100 for row in picture.table.rows), where


def test_in_depth_the_untrained_network_stands_behind() -> None:
    """Other weights of the same tower take the place of the untrained ones."""
    trace = network("tower")
    other = with_studies(tower(nn.Tanh, 20, seed=9)[1], "flow")
    both = replace(trace, studies={**trace.studies, "before": other.studies["flow"]})
    pictures = [find("gradient_flow").draw(one, timeline(one).settled(0), None, Look()) for one in (trace, both)]
    words = [[mark.plain for mark in picture if isinstance(mark, Text)] for picture in pictures]
    assert ["untrained" in said for said in words] == [False, True]
    dashed = [sum(isinstance(mark, Line) and mark.dashed and mark.color == "ink-2" for mark in one) for one in pictures]
    assert dashed[1] == dashed[0] + 3  # the gradient, the spread, and the key
