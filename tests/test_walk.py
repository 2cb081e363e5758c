"""The microscope: what it prints is what made the number, forwards and backwards."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from tests.test_kinds import EXAMPLES, Example, recorded
from tests.toys import toy, wide
from visualizer import export, kinds, record
from visualizer.scene.picture import Focus, Image, Line, Look, Picture, Rect, Text, box_of
from visualizer.scene.timeline import timeline
from visualizer.trace import Trace
from visualizer.views import find
from visualizer.views import picture as picture_of
from visualizer.views.microscope._looks import fields


@pytest.fixture(scope="module")
def digits() -> Trace:
    return record.record("digits_cnn", "digit-2148")


def card(trace: Trace, at: str, focus: Focus | None = None, look: Look | None = None) -> Picture:
    return picture_of(find("microscope"), trace, timeline(trace).find(at), focus, look or Look())


def words(picture: Picture) -> list[str]:
    return [mark.plain for mark in picture if isinstance(mark, Text)]


def test_the_terms_of_a_pixel_add_up_to_it(digits: Trace) -> None:
    cell = (7, 3, 5)
    table = card(digits, "conv2.forward", Focus("conv2", cell)).table
    products = [float(row[5]) for row in table.rows[:-1]]
    assert len(products) == 54 + 1
    assert sum(products) == pytest.approx(float(digits["conv2"].output[cell]), abs=1e-5)
    assert float(table.rows[-1][5]) == pytest.approx(sum(products), abs=1e-12)


def test_the_sentence_says_the_number_that_torch_computed(digits: Trace) -> None:
    for layer, cell in (("conv1", (2, 9, 14)), ("conv2", (7, 3, 5)), ("fc1", (11,)), ("pool2", (4, 2, 2))):
        picture = card(digits, f"{layer}.forward", Focus(layer, cell))
        said = [float(number.replace("−", "-")) for number in re.findall(r"−?\d+\.\d+", picture.caption)]
        assert min(abs(number - float(digits[layer].output[cell])) for number in said) <= 0.0051, picture.caption


def test_the_sentence_about_relu_is_true(digits: Trace) -> None:
    values = digits["conv2"].output
    above, below = np.argwhere(values > 0.01)[0], np.argwhere(values < -0.01)[0]
    assert "above zero" in card(digits, "conv2.forward", Focus("conv2", tuple(map(int, above)))).caption
    assert "not above zero" in card(digits, "conv2.forward", Focus("conv2", tuple(map(int, below)))).caption


def test_what_arrives_adds_up_to_the_gradient_of_autograd(digits: Trace) -> None:
    look = Look(knobs=(("card", "arrives"),))
    for layer in ("input", "conv1", "relu1", "pool1", "conv2", "relu2", "pool2", "flatten", "fc1", "relu3", "fc2"):
        gradient = digits[layer].gradient
        assert gradient is not None
        cell = tuple(int(i) for i in np.unravel_index(int(np.argmax(np.abs(gradient))), gradient.shape))
        rows = card(digits, f"{layer}.backward", Focus(layer, cell), look).table.rows
        arrived = sum(float(row[5]) for row in rows if row[1] == "result")
        assert arrived == pytest.approx(float(gradient[cell]), rel=1e-5, abs=1e-7), layer


def test_one_more_term_stands_on_the_card_at_every_step(digits: Trace) -> None:
    """54 products, the bias and the result: 56 steps, each adding to what is printed, never taking away."""
    printed = []
    for step in range(57):
        picture = card(digits, f"conv2.forward@{step / 56:.12g}", Focus("conv2", (7, 3, 5)))
        printed.append(sum(1 for mark in picture if isinstance(mark, Rect) and mark.fill == "hatch"))
    assert printed[0] - printed[54] == 54
    assert all(before - after in (0, 1) for before, after in pairwise(printed))


def test_a_click_on_a_term_leads_to_the_number_it_read(digits: Trace) -> None:
    picture = card(digits, "conv2.forward", Focus("conv2", (7, 3, 5)))
    reached = {mark.focus.cell for mark in picture if isinstance(mark, Rect) and mark.focus is not None
               and mark.focus.layer == "pool1" and len(mark.focus.cell) == 3}
    taps = kinds.terms(digits, "conv2", (7, 3, 5)).taps[0]
    assert reached == {tuple(int(i) for i in cell) for cell in taps.cells}


def test_padding_is_hatched_and_leads_nowhere(digits: Trace) -> None:
    picture = card(digits, "conv1.forward", Focus("conv1", (0, 0, 0)))
    hatched = [mark for mark in picture if isinstance(mark, Rect) and mark.fill == "hatch" and mark.width < 60]
    assert len([mark for mark in hatched if mark.focus is None]) == 16  # 25 places, 9 of them inside the image


def test_the_receptive_field_is_nested_on_the_input(digits: Trace) -> None:
    sizes = {name: box[-1][1] - box[-1][0] + 1 for name, box in fields(digits, "conv2", (7, 3, 5))}
    assert sizes == {"conv1": 5, "pool1": 6, "conv2": 10}


def test_the_window_marches_over_every_position() -> None:
    trace = toy()
    look = Look(knobs=(("march", "positions"),))
    seen = {card(trace, f"conv.forward@{(index + 0.5) / 36:.9g}", Focus("conv", (1, 2, 2)), look).caption
            for index in range(36)}
    values = {float(value) for value in trace["conv"].output[1].ravel()}
    assert len(seen) >= len(values)


def test_many_channels_are_six_columns_at_most_and_the_rest_is_one_sum() -> None:
    trace = wide(64)
    picture = card(trace, "fc.forward", Focus("fc", (1,)))
    assert any("smaller terms" in text for text in words(picture))
    total = sum(float(row[5]) for row in picture.table.rows[:-1])
    assert total == pytest.approx(float(trace["fc"].output[1]), rel=1e-5)


@pytest.mark.parametrize("cell", [(99, 0, 0), (0, -1, 0), (0, 0, 12)])
def test_a_focus_outside_the_layer_says_what_is_inside(digits: Trace, cell: tuple[int, ...]) -> None:
    with pytest.raises(IndexError, match="0…11, 0…11, 0…11"):
        export.draw(digits, "microscope", "conv2.forward", Focus("conv2", cell))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_number_that_is_not_finite_is_named_and_hatched(value: float) -> None:
    trace = toy()
    broken = trace["relu"].output.copy()
    broken[0, 2, 2] = value
    sick = replace(trace, layers=tuple(replace(layer, output=broken) if layer.name == "relu" else layer
                                       for layer in trace.layers))
    picture = card(sick, "relu.forward", Focus("relu", (0, 2, 2)))
    assert "not a finite number" in picture.caption
    pooled = card(sick, "pool.forward", Focus("pool", (0, 1, 1)))
    assert any(isinstance(mark, Rect) and mark.fill == "hatch" for mark in pooled)


def test_the_way_back_names_every_hop(digits: Trace) -> None:
    gradient = digits["conv2"].gradient
    assert gradient is not None
    cell = tuple(int(i) for i in np.unravel_index(int(np.argmax(np.abs(gradient))), gradient.shape))
    picture = card(digits, "conv2.backward", Focus("conv2", cell), Look((1600, 1400)))
    said = " ".join(words(picture))
    assert "won its window" in said
    assert "slope 1" in said
    assert "probability − label" in said


@pytest.mark.parametrize("example", EXAMPLES, ids=str)
def test_every_kind_of_operation_has_its_card(example: Example) -> None:
    """Forwards and backwards, both sides, half-way too: each says one sentence, and its table holds the result."""
    trace = recorded(example, torch.float32)
    for beat in timeline(trace).beats:
        for address in (beat.address, f"{beat.address}@0.5"):
            for side in ("auto", "arrives"):
                picture = card(trace, address, None, Look(knobs=(("card", side),)))
                assert picture.caption.endswith(".")
                assert picture.table.rows


class Met(nn.Module):
    """Two inputs that are multiplied before they are weighed."""

    def __init__(self) -> None:
        super().__init__()
        self.read, self.met = nn.Linear(5, 4), nn.Bilinear(4, 4, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        read = self.read(x)
        return self.met(read, read.tanh())


@pytest.mark.parametrize("small", [nn.Linear(5, 3), nn.Linear(1, 3), nn.Sequential(nn.Conv2d(3, 3, 1), nn.Flatten())])
def test_what_few_weights_are_handed_is_torchs_gradient(small: nn.Module) -> None:
    read = torch.randn(1, 3, 1, 1) if isinstance(small, nn.Sequential) else torch.randn(1, small.in_features)
    trace = record.capture(small, read, target=1)
    layer = trace.layers[1]
    cell = (2,) + (0,) * (layer.output.ndim - 1)
    picture = card(trace, f"{layer.name}.backward", Focus(layer.name, cell))
    small.zero_grad()
    nn.functional.cross_entropy(small(read), torch.tensor([1])).backward()
    weight, bias = (part.grad for part in small.parameters())
    rows = {what: [row[5] for row in picture.table.rows if row[1] == f"{layer.name}/{what}"]
            for what in ("weight", "bias")}
    assert rows["weight"] == pytest.approx(weight[2].flatten().tolist(), abs=1e-6)
    assert rows["bias"] == pytest.approx([float(bias[2])], abs=1e-6)
    said = words(picture)
    assert "share of ∂L/∂w" in said
    assert not any(re.match(r"1 (terms|inputs|weights)", text) for text in said)


def test_where_inputs_are_multiplied_no_weight_is_said_to_get_one_of_them() -> None:
    trace = record.capture(Met(), torch.randn(1, 5), target=1)
    assert "share of ∂L/∂w" not in words(card(trace, "met.backward", Focus("met", (0,))))


class Nth(nn.Module):
    """Of twelve numbers one that stands behind the first eight."""

    def __init__(self) -> None:
        super().__init__()
        self.out = nn.Linear(1, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.out(x.kthvalue(11, -1, keepdim=True)[0])


def test_of_many_numbers_that_are_not_added_the_one_that_was_picked_is_shown() -> None:
    trace = record.capture(Nth(), torch.arange(12.0)[None] / 7, target=1)
    said = words(card(trace, "kthvalue.forward", Focus("kthvalue", (0,))))
    assert "unit 10" in said
    assert "unit 7" not in said
    assert not any("running sum" in text or "value × weight" in text for text in said)


def test_the_arrow_between_two_maps_touches_both_however_low_they_are() -> None:
    torch.manual_seed(0)
    trace = record.capture(nn.Linear(5, 3), torch.randn(1, 5), target=1)
    name = trace.layers[1].name
    picture = card(trace, f"{name}.forward", Focus(name, (0,)))
    maps = [box_of(mark) for mark in picture if isinstance(mark, Image) and mark.palette == "activation"]
    assert len(maps) == 2
    (left, *_), (right, *_) = maps
    arrows = [mark.points for mark in picture if isinstance(mark, Line) and mark.color == "ink-2"
              and all(left < x < right for x, _ in mark.points)]
    assert arrows
    for _, top, _, high in maps:
        assert all(top < y < top + high for points in arrows for _, y in points)
