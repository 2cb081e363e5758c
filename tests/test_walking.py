"""Walking in the microscope: its parts, the way of the arrows, the same number in another shape, words of a term."""

from __future__ import annotations

import numpy as np
import pytest

from visualizer import registry
from visualizer.scene.picture import Focus, Look, Spot
from visualizer.scene.subject import NUMBER, subject
from visualizer.scene.timeline import timeline
from visualizer.trace import load
from visualizer.ui import walking
from visualizer.views import find


@pytest.fixture(scope="module")
def digits():
    return load(registry.folder("assets") / "traces" / "digits_cnn.trace")


def card(trace, at, focus, size=(1104, 796)):
    return find("microscope").draw(trace, timeline(trace).find(at), focus, Look(size=size))


def spot_of(picture, focus, name):
    part = next(part for part in walking.parts(picture) if part.name == name)
    return next(spot for spot in part.spots if spot.focus == focus)


def number(words):
    return float(words.replace("−", "-").replace("+", "").replace(",", ""))


def test_each_term_of_a_convolution_stands_once_in_every_part(digits):
    found = walking.parts(card(digits, "conv2.forward", Focus("conv2", (7, 3, 5))))
    assert [part.name for part in found if len(part.spots) == 1] == ["result"]
    terms = [part for part in found if part.name in ("window", "kernel", "products", "running sum")]
    assert [part.name for part in terms] == ["window", "kernel", "products", "running sum"]
    window = {Focus("pool1", (channel, row, column)) for channel in range(6) for row in (3, 4, 5)
              for column in (5, 6, 7)}
    for part in terms:
        assert len(part.spots) == 54
        assert {spot.focus for spot in part.spots} == window


@pytest.mark.parametrize(("at", "focus"), [
    ("conv2.forward", Focus("conv2", (7, 3, 5))), ("fc1.forward", Focus("fc1", (7,))),
    ("pool1.forward", Focus("pool1", (4, 5, 5))), ("conv2.backward", Focus("conv2", (7, 9, 8))),
])
def test_every_cell_of_a_part_is_what_a_click_in_its_middle_hits(digits, at, focus):
    picture = card(digits, at, focus, (1700, 1000))
    found = walking.parts(picture)
    assert found
    for part in found:
        for spot in part.spots:
            left, top, wide, high = spot.place
            if min(wide, high) >= 2:
                assert picture.hit(left + wide / 2, top + high / 2) == spot.focus, part.name


def test_arrows_walk_from_column_to_column_and_stop_at_the_edges(digits):
    about = Focus("conv2", (7, 3, 5))
    kernel = walking.parts(card(digits, "conv2.forward", about))[1]
    here, seen = 0, []
    for _ in range(18):
        seen.append(kernel.spots[here].focus.cell)
        here = walking.beside(kernel, here, 1, 0)
    assert seen == [(channel, 3, column) for channel in range(6) for column in (5, 6, 7)]
    assert walking.beside(kernel, here, 1, 0) == here
    down = walking.beside(kernel, here, 0, 1)
    assert kernel.spots[down].focus.cell == (5, 4, 7)
    assert walking.beside(kernel, down, 0, -1) == here


def test_a_number_is_the_same_through_a_flatten(digits):
    for cell in ((0, 0, 0), (3, 2, 5), (11, 5, 5)):
        same = walking.same_numbers(digits, Focus("pool2", cell))
        assert [one.layer for one in same] == ["pool2", "flatten"]
        assert digits["flatten"].output[same[1].cell] == digits["pool2"].output[cell]
        assert same[1].cell == (int(np.ravel_multi_index(cell, (12, 6, 6))),)
        assert walking.same_numbers(digits, same[1]) == same[::-1]


def test_a_channel_a_weight_and_what_is_computed_are_only_themselves(digits):
    for focus in (Focus("pool2", (3,)), Focus("conv2", (7, 0, 1, 1), "weight"), Focus("conv1", (0, 4, 4))):
        assert walking.same_numbers(digits, focus) == (focus,)


def test_the_words_of_a_term_are_its_factors_and_their_product(digits):
    about = Focus("conv2", (7, 3, 5))
    picture = card(digits, "conv2.forward", about)
    place, product = walking.spot_tip(digits, spot_of(picture, Focus("pool1", (4, 5, 5)), "kernel"), False).split("\n")
    assert place == "pool1 channel 4, pixel (5, 5)"
    value, weight, result = (number(word) for word in product.removeprefix("value ").replace(" = ", " × ").split(" × "))
    assert value == pytest.approx(float(digits["pool1"].output[4, 5, 5]), rel=0.005)
    assert weight == pytest.approx(float(digits["conv2"].weights["weight"][7, 4, 2, 0]), rel=0.005)
    assert result == pytest.approx(float(digits["pool1"].output[4, 5, 5]) * float(
        digits["conv2"].weights["weight"][7, 4, 2, 0]), rel=0.005)
    assert "×" not in walking.spot_tip(digits, Spot(Focus("pool1", (4, 0, 0)), (0, 0, 1, 1)), False), "no term of it"


def test_on_the_way_back_only_gradients_are_called_gradients(digits):
    about, read = Focus("conv2", (7, 9, 8)), Focus("pool1", (4, 10, 9))
    hands = card(digits, "conv2.backward", about)
    term, weight = Focus("conv2", (7, 9, 8)), float(digits["conv2"].weights["weight"][7, 4, 1, 1])
    gradient, value = float(digits["conv2"].gradient[term.cell]), float(digits["pool1"].output[read.cell])
    for part, start, product, end in (("window", "gradient ", value * gradient, ", a share of ∂L/∂weight (7, 4, 1, 1)"),
                                      ("kernel", "gradient ", gradient * weight, ", a share of its gradient")):
        place, said = walking.spot_tip(digits, spot_of(hands, read, part), True).split("\n")
        assert place == "pool1 channel 4, pixel (10, 9)"
        assert said.startswith(start)
        assert said.endswith(end)
        assert number(said.removesuffix(end).split(" = ")[1]) == pytest.approx(product, rel=0.005)
    arrived = card(digits, "pool1.backward", read)
    said = walking.spot_tip(digits, spot_of(arrived, term, "kernel"), True).split("\n")[1]
    assert said.startswith("gradient ")
    assert number(said.split(" = ")[1]) == pytest.approx(gradient * weight, rel=0.005)


def test_what_a_flatten_moved_has_the_words_of_its_term(digits):
    picture = card(digits, "fc1.forward", Focus("fc1", (7,)))
    said = walking.spot_tip(digits, spot_of(picture, Focus("pool2", (1, 2, 3)), "what it weighs"), False)
    value, weight = float(digits["pool2"].output[1, 2, 3]), float(digits["fc1"].weights["weight"][7, 36 + 12 + 3])
    assert number(said.split(" = ")[1]) == pytest.approx(value * weight, rel=0.005)


def test_a_place_is_a_whole_cell_of_the_layer_that_is_looked_at(digits):
    about = Focus("conv2", (7, 3, 5))
    assert walking.is_place(digits, about, Focus("conv2", (7, 0, 0)))
    for other in (None, Focus("conv2", (7,)), Focus("pool1", (7, 0, 0)), Focus("conv2", (7, 0, 0, 0), "weight")):
        assert not walking.is_place(digits, about, other)


def test_one_number_is_looked_at_the_same_cell_where_shapes_agree_else_the_strongest_of_its_channel(digits):
    times = timeline(digits)
    focus = Focus("conv2", (7, 3, 5))
    assert subject(digits, times.find("conv2.forward"), focus, NUMBER) == focus
    assert subject(digits, times.find("relu2.forward"), focus, NUMBER) == Focus("relu2", (7, 3, 5))
    pooled = subject(digits, times.find("pool2.forward"), focus, NUMBER)
    assert pooled.cell[0] == 7
    assert digits["pool2"].output[pooled.cell] == digits["pool2"].output[7].max()
    loss = subject(digits, times.settled(len(digits.layers) - 1), None, NUMBER)
    assert len(loss.cell) == digits.layers[-1].output.ndim
