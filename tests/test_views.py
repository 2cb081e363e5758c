"""Laws that every view keeps, whatever it shows; and the exact pictures of a toy network."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch import nn

from tests.test_kinds_recurrent import trace_of
from tests.toys import deep, leaping, toy, wide
from visualizer import draw, record
from visualizer.scene import colour, hops
from visualizer.scene.columns import arrange
from visualizer.scene.grids import axis, tick_words
from visualizer.scene.picture import (
    Focus,
    Image,
    Line,
    Look,
    Mark,
    Path,
    Picture,
    Rect,
    Scale,
    Text,
    _hit,
    box_of,
    plain,
)
from visualizer.scene.timeline import timeline
from visualizer.scene.type import width as text_width
from visualizer.trace import Trace
from visualizer.views import View, all_views, find
from visualizer.views import picture as picture_of
from visualizer.views.microscope._windows import TOTALS

OVERVIEW = Look(knobs=(("lens", "off"),))
"""The network without the lens."""
SIZES = {"window": Look((1104, 796)), "projector": Look((1920, 1080), "projector", 1.25), "small": Look((952, 656))}


@pytest.fixture(scope="module")
def digits() -> Trace:
    return record.record("digits_cnn", "digit-2148")


@pytest.fixture(scope="module")
def verses() -> Trace:
    return record.record("char_lstm", "text:wherefore art")


@pytest.fixture(scope="module")
def studied() -> Trace:
    """A short text with all that is measured about it."""
    again = record.pass_of("char_rnn", "text:to be or")
    return record.with_study(again, "bptt", "jacobian", "saturation", "connectivity")


@pytest.fixture(scope="module", params=["digits_cnn", "lenet_mnist", "mlp_mnist"])
def bundled(request: pytest.FixtureRequest) -> Trace:
    return record.record(request.param, "digit-2148")


@pytest.fixture(params=[view.name for view in all_views()])
def view(request: pytest.FixtureRequest) -> View:
    return find(request.param)


def fits(view: View, trace: Trace) -> None:
    if not view.suits(trace):
        pytest.skip(f"{view.name} has nothing to show of {trace.model}")


def pictures(view: View, trace: Trace, look: Look) -> list[tuple[str, Picture]]:
    """Every beat of a trace, settled and half-way, with nothing focused and with a channel focused."""
    fits(view, trace)
    times = timeline(trace)
    found = []
    for index in range(len(times.beats)):
        for phase in (Fraction(1), Fraction(1, 2)):
            moment = times.at(times.starts[index] + times.pace(index).seconds * phase)
            layer = trace[moment.beat.layer]
            foci = [None] + ([Focus(layer.name, (0,))] if layer.shape else [])
            found += [(f"{moment.address} {focus}", picture_of(view, trace, moment, focus, look)) for focus in foci]
    return found


def test_equal_arguments_give_equal_pictures(view: View) -> None:
    for (name, one), (_, same) in zip(pictures(view, toy(), Look()), pictures(view, toy(), Look()), strict=True):
        assert one == same, name
        assert one.dump() == same.dump(), name


def test_a_step_forward_and_back_gives_the_identical_picture(view: View, digits: Trace) -> None:
    fits(view, digits)
    times = timeline(digits)
    for index in range(len(times.beats) - 1):
        before = view.draw(digits, times.settled(index), None, Look())
        view.draw(digits, times.settled(index + 1), None, Look())
        assert view.draw(digits, times.settled(index), None, Look()) == before


def test_no_jump_cuts_between_beats(view: View, digits: Trace) -> None:
    """The end of a beat and the start of the next show the same marks, the caption aside."""
    if not view.continuous:
        pytest.skip("each beat of this view is a page of its own")
    fits(view, digits)
    times = timeline(digits)
    for look in (Look(), Look(knobs=(("unreached", "veiled"),))):
        for index in range(len(times.beats) - 1):
            end = picture_of(view, digits, times.settled(index), None, look)
            start = picture_of(view, digits, times.at(times.starts[index + 1]), None, look)
            assert seen(start) == seen(end), times.beats[index + 1].address


@pytest.mark.matrix(spine=("digits_cnn-network", "digits_cnn-walk-small"), sample=30)
@pytest.mark.parametrize("size", SIZES)
def test_nothing_lies_outside_the_frame_and_no_text_runs_into_another(view: View, size: str, bundled: Trace) -> None:
    """Both are judged on the same pictures: drawing them is what takes time. No coordinate is unknown, either."""
    look = SIZES[size]
    for name, picture in pictures(view, bundled, look):
        for mark in picture:
            for x, y in corners(mark):
                assert math.isfinite(x), f"{name}: {mark}"
                assert math.isfinite(y), f"{name}: {mark}"
                assert -1 <= x <= look.size[0] + 1, f"{name}: x = {x:.1f} of {mark}"
                assert -1 <= y <= look.size[1] + 1, f"{name}: y = {y:.1f} of {mark}"
        texts = [mark for mark in picture if isinstance(mark, Text) and mark.opacity == 1]
        assert not overlapping(texts), f"{name}: {overlapping(texts)[0]}"


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_what_a_short_kernel_hands_back_is_named_without_one_word_over_another(channels: int) -> None:
    """Grids of one row are lower than what is said of them."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv1d(channels, 3, 2), nn.Sigmoid(), nn.Flatten(), nn.Linear(27, 3)).eval()
    trace = record.capture(net, torch.randn(1, channels, 10), target=1)
    for size in ((740, 560), (1104, 796), (1600, 900)):
        for way in ("forward", "backward"):
            picture = draw(trace, "microscope", f"0.{way}", Focus("0", (1, 4)), size=size)
            texts = [mark for mark in picture if isinstance(mark, Text) and mark.opacity == 1]
            boxes = [box_of(mark) for mark in picture if isinstance(mark, Rect) and mark.group == TOTALS]
            assert not overlapping(texts), (size, way, overlapping(texts)[0])
            hops = [box_of(text) for text in texts if text.plain in ("How the gradient got here", "loss")]
            assert not any(x < left + wide and left < x + across and y < top + tall and top < y + high
                           for x, y, across, high in hops for left, top, wide, tall in boxes), (size, way)
            assert sum(text.plain == "How the gradient got here" for text in texts) <= 1
            assert {f"channel {channel}" for channel in range(channels)} <= {text.plain for text in texts}


def test_a_text_over_a_text_is_found() -> None:
    apart = [Text(10, 20, plain("one"), 12), Text(10, 40, plain("two"), 12), Text(80, 20, plain("three"), 12)]
    assert overlapping(apart) == []
    assert overlapping([]) == []
    for x, y in ((12, 14), (12, 26), (90, 20), (70, 22)):
        assert len(overlapping([*apart, Text(x, y, plain("over"), 12)])) == 1, (x, y)


def test_text_is_never_smaller_than_the_floor(view: View, digits: Trace) -> None:
    """11 px on a desk; 1/50 of the height on a projector, where the window scales the text to 1080 / 540."""
    for name, picture in pictures(view, digits, Look()):
        small = [mark for mark in picture if isinstance(mark, Text) and mark.size < 9]
        assert not small, f"{name}: {small[:1]}"
    projector = Look((1920, 1080), "projector", 2.0)
    for name, picture in pictures(view, digits, projector):
        small = [mark for mark in picture if isinstance(mark, Text) and mark.size < 18]
        assert not small, f"{name}: {small[:1]}"


def test_every_picture_says_one_sentence_and_has_a_table(view: View, digits: Trace) -> None:
    for name, picture in pictures(view, digits, Look()):
        assert picture.caption.endswith("."), name
        assert "{" not in picture.caption, name
        assert picture.table.rows, name
        assert all(len(row) == len(picture.table.columns) for row in picture.table.rows), name


@pytest.mark.parametrize("name", [view.name for view in all_views()])
def test_it_works_for_512_channels(name: str) -> None:
    trace = wide()
    fits(find(name), trace)
    for address in ("conv.forward", "conv.backward", "relu.forward@0.5", "fc.forward", "fc.backward"):
        picture = find(name).draw(trace, timeline(trace).find(address), None, Look())
        assert picture.caption
        assert sum(1 for mark in picture) < 3000


def test_a_deep_network_scrolls_under_its_input_and_answer() -> None:
    """Every layer is shown when its beat comes; nothing leaves the frame, and what is left out is said."""
    times, look = timeline(deep()), replace(OVERVIEW, size=(952, 656), knobs=(*OVERVIEW.knobs, ("blocks", "open")))
    for index in range(len(times.beats)):
        for moment in (times.settled(index), times.at(times.starts[index] + Fraction(1, 5))):
            picture = find("network").draw(deep(), moment, None, look)
            layers = {mark.focus.layer for mark in picture if isinstance(mark, Image) and mark.focus is not None}
            assert {"input", "fc"} <= layers, "its tiles stand there, covered or not"
            if moment.phase == 1 and deep()[moment.beat.layer].output.ndim == 3:
                assert moment.beat.layer in layers
            assert any(" of 29; the others scroll" in mark.plain for mark in picture if isinstance(mark, Text))
            for mark in picture:
                assert all(-1 <= x <= 953 for x, _ in corners(mark)), mark


def test_what_is_left_out_is_said() -> None:
    picture = find("network").draw(wide(), timeline(wide()).find("conv.forward"), None, Look())
    assert any("12 of 512" in mark.plain for mark in picture if isinstance(mark, Text))


def test_a_value_that_is_not_a_number_is_hatched_not_zero(view: View) -> None:
    trace = toy()
    broken = trace["relu"].output.copy()
    broken[0, 0, 0], broken[1, 2, 2] = np.nan, np.inf
    layers = tuple(replace(layer, output=broken) if layer.name == "relu" else layer for layer in trace.layers)
    sick = replace(trace, layers=layers)
    fits(view, sick)
    picture = view.draw(sick, timeline(sick).find("relu.forward"), None, Look())
    if view.name in ("network", "feature_maps"):
        hatched = [mark for mark in picture if isinstance(mark, Image) and mark.hatched is not None]
        assert sum(int(mark.hatched.sum()) for mark in hatched if mark.hatched is not None) == 2


@pytest.mark.parametrize("at", ["conv.forward", "conv.backward", "fc.forward", "softmax.forward",
                                "flatten.forward@0.5"])
def test_the_exact_picture_of_a_toy(view: View, at: str, golden_text: object) -> None:
    fits(view, toy())
    picture = view.draw(toy(), timeline(toy()).find(at), None, Look((800, 600)))
    golden_text(f"{view.name}-{at.replace('@', '-')}", picture.dump())  # type: ignore[operator]


def test_a_channel_keeps_its_row_through_convolution_relu_and_pool(digits: Trace) -> None:
    columns = arrange(digits, Look()).columns
    for names in (("conv1", "relu1", "pool1"), ("conv2", "relu2", "pool2")):
        for channel in columns[names[0]].shown:
            middles = {y + high / 2 for name in names for _, y, _, high in [columns[name].box(channel) or (0, 0, 0, 0)]}
            assert max(middles) - min(middles) <= 2


def test_a_step_of_a_sequence_has_the_same_row_in_every_layer(verses: Trace) -> None:
    for look in SIZES.values():
        columns = arrange(verses, look).columns
        rows = {(column.top, column.cell[1] if column.style == "maps" else column.pitch[1])
                for name in ("input", "embedding", "lstm", "fc", "softmax") for column in [columns[name]]}
        assert len({high for _, high in rows}) == 1
        assert max(top for top, _ in rows) - min(top for top, _ in rows) <= 2


def test_every_value_of_a_tile_is_a_whole_number_of_pixels(digits: Trace) -> None:
    for look in SIZES.values():
        for column in arrange(digits, look).columns.values():
            if column.style == "maps":
                pixels = column.cell[0] / look.pixel
                assert pixels == pytest.approx(round(pixels))
                assert column.factor == 1


def seen(picture: Picture) -> Counter[str]:
    """The marks of a picture, the sentence aside, in any order."""
    one = Picture(picture.size, tuple(picture), theme=picture.theme)
    lines = one.dump().splitlines()[3:]
    sentence = {repr(mark.plain) for mark in picture if isinstance(mark, Text) and mark.size >= 16 and mark.x < 40}
    return Counter(line for line in lines if not any(words in line for words in sentence) and "moving" not in line)


def corners(mark: Mark) -> list[tuple[float, float]]:
    if isinstance(mark, Rect):
        return [(mark.x, mark.y), (mark.x + mark.width, mark.y + mark.height)]
    if isinstance(mark, Line):
        return list(mark.points)
    if isinstance(mark, Path):
        return [point for curve in mark.curves for point in curve]
    if isinstance(mark, Image):
        x, y = mark.tile_origin(len(mark.values) - 1)
        return [(mark.x, mark.y), (x + mark.tile_size[0], y + mark.tile_size[1])]
    x0, y0, x1, y1 = box(mark)
    return [(x0, y0 + mark.size * 0.2), (x1, y1)]


def box(mark: Text) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of a text as it is drawn: letters reach from 0.74 above the baseline to it."""
    wide = text_width(mark.runs, mark.size, mark.weight, mark.mono, mark.display)
    if mark.max_width:
        wide = min(wide, mark.max_width)
    left = mark.x - {"start": 0.0, "middle": wide / 2, "end": wide}[mark.anchor]
    return left, mark.y - mark.size * 0.74, left + wide, mark.y


def overlapping(texts: Sequence[Text]) -> list[tuple[str, str]]:
    """Every two texts of which one is drawn over the other, a pixel aside."""
    x0, y0, x1, y1 = np.array([box(mark) for mark in texts]).reshape(-1, 4).T
    apart = (x1[:, None] <= x0 + 1) | (y1[:, None] <= y0 + 1)
    return [(texts[one].plain, texts[other].plain) for one, other in np.argwhere(np.triu(~(apart | apart.T), 1))]


def arcs(picture: Picture, top: float) -> list[tuple[float, float, bool]]:
    """(from, to, lit) of every line that runs along above the columns."""
    found = []
    for mark in picture:
        for curve in mark.curves if isinstance(mark, Path) else ():
            level = [(x, y) for x, y in curve if y < top]
            if len(level) > 1 and max(x for x, _ in level) - min(x for x, _ in level) > 20:
                found.append((curve[0][0], max(x for x, _ in level), mark.stroke == "accent"))
    return found


def test_what_is_read_from_further_back_comes_along_an_arc_above_the_columns() -> None:
    trace = leaping()
    network = find("network")
    plan = arrange(trace, Look(), frozenset({"flatten"}))
    (skip,) = plan.skips
    assert skip == ("stem", trace["add"].name)
    x0, x1 = (plan.columns[name].middle for name in skip)
    at = timeline(trace)
    for address, lit in (("first.0.forward", False), ("add.forward", True)):
        found = arcs(network.draw(trace, at.find(address), None, OVERVIEW), plan.top)
        assert (x0, x1, lit) in found
    assert not arcs(network.draw(toy(), timeline(toy()).settled(1), None, OVERVIEW), arrange(toy(), Look()).top)


def test_the_arcs_of_a_deep_network_end_at_the_rim_of_what_is_seen() -> None:
    trace = leaping(8)
    network, times = find("network"), timeline(trace)
    assert arrange(trace, Look()).deep
    for index in range(len(times.beats)):
        picture = network.draw(trace, times.settled(index), None, OVERVIEW)
        assert all(0 <= start <= end <= Look().size[0] for start, end, _ in arcs(picture, 160))


# --- what the colours stand for -------------------------------------------------------------------------------------

def test_every_colour_of_a_palette_says_what_it_stands_for(view: View, digits: Trace, verses: Trace,
                                                           studied: Trace) -> None:
    """Tinted cells that print their one number aside: their colour tells no more than its sign."""
    looks = (Look(), Look((1600, 900), scope="network"), Look((952, 656), scope="unit"))
    for trace in (digits, verses, studied):
        for look in looks if view.suits(trace) else ():
            for name, picture in some(view, trace, replace(look, bars=False)):
                bare = [mark for mark in picture if isinstance(mark, Image) and mark.scale is None
                        and mark.opacity and not (mark.hatched is not None and (mark.values == colour.ZERO).all())]
                assert not bare, f"{name}: {bare[0].focus}"
                cells = [mark for mark in picture if isinstance(mark, Rect) and ":" in mark.fill]
                spoken = {(mark.x, mark.y) for mark in cells if mark.scale is None and mark.height >= 24}
                assert all(mark.scale is not None or (mark.x, mark.y) in spoken for mark in cells), name
                for mark in picture:
                    if isinstance(mark, Image | Rect) and mark.scale is not None:
                        palette = mark.palette if isinstance(mark, Image) else mark.fill.partition(":")[0]
                        assert mark.scale.palette == palette, f"{name}: {mark.scale}"
                for scale in picture.scales:
                    assert scale.low < scale.high or scale.high == 0, f"{name}: {scale}"
                    assert scale.zero is None or palette_entry(scale, 0.0) in (0, 128), scale


def test_a_colour_read_back_through_its_scale_is_the_number_of_its_cell(view: View, digits: Trace,
                                                                        verses: Trace, studied: Trace) -> None:
    read = 0
    for trace in (digits, verses, studied):
        for name, picture in some(view, trace, Look()) if view.suits(trace) else ():
            for mark in picture:
                if not isinstance(mark, Image) or mark.scale is None or mark.scale.each or mark.focus is None \
                        or mark.values.ndim != 3 or mark.opacity < 1 or mark.rows_shown < 1 or mark.covered is not None:
                    continue
                found = _hit(mark, mark.x + 0.5, mark.y + 0.5)
                values = array_of(trace, found, mark.scale.palette) if found is not None else None
                if values is not None and len(found.cell) == values.ndim and math.isfinite(values[found.cell]) \
                        and mark.scale.of in ("", found.layer) and view.name not in SORTED:
                    wanted = palette_entry(mark.scale, float(values[found.cell]))
                    assert abs(int(mark.values[0, 0, 0]) - wanted) <= 1, f"{name}: {found} {mark.scale}"
                    read += 1
    assert read > 20 or view.name not in ("network", "feature_maps", "filters", "microscope")


def test_the_colour_bar_of_maps_is_that_of_what_is_shown() -> None:
    trace = record.record("adding_lstm")
    for name, picture in some(find("feature_maps"), trace, Look()):
        images = [mark for mark in picture if isinstance(mark, Image)]
        bars = {mark.palette for mark in images if mark.scale is None}
        assert bars <= {mark.palette for mark in images if mark.scale is not None}, name


def test_the_colours_of_the_step_gradients_read_back_are_what_was_measured(studied: Trace) -> None:
    measured, times = studied.studies["bptt"], timeline(studied)
    picture = find("bptt").draw(studied, times.find("rnn.forward[3]"), None, Look())
    images = [mark for mark in picture if isinstance(mark, Image) and mark.scale is not None and mark.focus is not None]
    (matrix,) = [mark for mark in images if mark.focus and mark.focus.array == "from"]
    tiles = [mark for mark in images if mark.scale and mark.scale.quantity == "size of G"]
    corner, split = measured["rnn/corner"], measured["rnn/from"]
    assert len(tiles) == len(corner)
    for tile in tiles:
        assert tile.focus is not None
        assert tile.scale is not None
        wanted = colour.magnitude(corner[tile.focus.cell[0]], tile.scale.low, tile.scale.high)
        assert np.array_equal(tile.values[0], wanted)
    assert matrix.scale is not None
    assert matrix.scale.high == split.max()
    assert np.array_equal(matrix.values[0], colour.magnitude(split[split.any(axis=1)], matrix.scale.low,
                                                             matrix.scale.high))


SORTED = ("trajectory", "unrolled", "hidden_state", "cell", "gates", "step_outputs")
"""Where a cell stands for several numbers, or its place in the picture is not its index."""


def some(view: View, trace: Trace, look: Look) -> list[tuple[str, Picture]]:
    """A dozen settled beats of a trace, from its first to its last."""
    times = timeline(trace)
    places = sorted({round(place * (len(times.beats) - 1) / 11) for place in range(12)})
    return [(times.beats[place].address, picture_of(view, trace, times.settled(place), None, look)) for place in places]


def palette_entry(scale: Scale, value: float) -> int:
    if scale.log:
        return int(colour.magnitude(value, scale.low, scale.high))
    if scale.palette.startswith("pixel"):
        return int(colour.unit(value, scale.low, scale.high))
    return int(colour.signed(value, scale.high))


def array_of(trace: Trace, focus: Focus, palette: str) -> np.ndarray | None:
    """What a focus names, forwards or its gradient."""
    layer, array = trace[focus.layer], focus.array.removeprefix("inner.")
    gradient = palette.startswith("gradient")
    if focus.array == "output":
        if gradient and hops.of_symbols(trace, layer) is not None:
            return hops.of_symbols(trace, layer)
        return layer.gradient if gradient else layer.output
    weights, inner = (layer.weight_gradients, layer.inner_gradients) if gradient else (layer.weights, layer.inner)
    return weights.get(array) if array in layer.weights else inner.get(array)


def test_the_network_of_every_recurrent_toy_is_drawn_whatever_it_reads() -> None:
    """One of them adds numbers that are no columns: nothing leaps from there."""
    trace = trace_of("lstm")
    picture = find("network").draw(trace, timeline(trace).settled(len(timeline(trace).beats) - 1), None, Look())
    assert picture.caption


CALLED_OTHERWISE = {"diagram": "cell", "cell": "equations", "over": "over_inputs"}
"""`cell` stands in sessions, scripts and pictures for the equations of a cell; what is drawn of it came later."""


def test_a_view_is_called_in_code_as_on_its_tab_and_by_its_former_name_too() -> None:
    for view in all_views():
        name = CALLED_OTHERWISE.get(view.name, view.name)
        assert name == view.title.lower().replace(" ", "_"), "one word means one thing"
    assert find("walk") is find("microscope")


def test_a_large_picture_in_colours_stays_in_its_column_and_is_the_mean_of_its_blocks() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(3, 64, 7, 2, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(64, 64, 3, 1, 1), nn.ReLU(),
                        nn.Conv2d(64, 64, 3, 1, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 9))
    trace = record.capture(net.eval(), torch.rand(1, 3, 222, 223), 5)
    shown = picture_of(find("network"), trace, timeline(trace).find("0.forward"), None, Look(size=(1400, 900)))
    (image,) = [mark for mark in shown if isinstance(mark, Image) and mark.focus == Focus("input")]
    maps = next(mark for mark in shown if isinstance(mark, Image) and mark.focus == Focus("0"))
    assert image.x + image.tile_size[0] <= maps.x
    assert image.y + image.tile_size[1] <= 900
    factor = round(223 / image.values.shape[2])
    assert factor > 1
    assert image.values.shape[:3] == (1, -(-222 // factor), -(-223 // factor))
    picture = np.asarray(trace["input"].output)
    scaled = (picture - picture.min()) / (picture.max() - picture.min()) * 255
    block = scaled[:, factor:2 * factor, :factor].mean(axis=(1, 2))
    np.testing.assert_allclose(image.values[0, 1, 0], block, atol=1.5)
    assert f"mean of {factor} × {factor}" in {mark.plain for mark in shown if isinstance(mark, Text)}


@pytest.mark.parametrize("size", [(1104, 796), (952, 656), (870, 664)])
@pytest.mark.parametrize("at", ["fc1.forward", "fc1.backward"])
def test_large_cells_of_units_say_their_numbers_whole(at: str, size: tuple[int, int], digits: Trace) -> None:
    picture = picture_of(find("feature_maps"), digits, timeline(digits).find(at), None, Look(size))
    found = digits["fc1"].gradient if at.endswith("backward") else digits["fc1"].output
    said = [mark for mark in picture if isinstance(mark, Text) and mark.size == 11 and mark.max_width]
    assert len(said) == found.size
    for mark in said:
        assert text_width(mark.runs, 11, 400) <= mark.max_width
        index, number = mark.plain.split(maxsplit=1)
        value = float(number.replace("−", "-")) if "×" not in number else float(found[int(index)])
        assert value == pytest.approx(float(found[int(index)]), rel=0.5 if abs(value) < 0.01 else 0.06)


@pytest.mark.parametrize(("low", "high"), [(0, 1.9e-4), (-2.4e-8, 0), (-1, 7), (0, 2.5e6), (-3e-5, 8e-5)])
def test_the_ticks_of_an_axis_say_what_they_are(low: float, high: float) -> None:
    ticks = axis(low, high)[2]
    said = [tick_words(tick) for tick in ticks]
    assert len(set(said)) == len(ticks)
    powers = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−", "-0123456789-")
    for words, tick in zip(said, ticks, strict=True):
        assert float(words.translate(powers).replace(" × 10", "e")) == pytest.approx(tick, rel=1e-6, abs=1e-15)


def test_a_picture_in_colour_stands_with_its_three_channels_and_the_kernels_of_each():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(784, 3)).eval()
    trace = record.capture(model, torch.randn(1, 3, 16, 16), target=1)
    for at, palette in (("0.forward", "pixel"), ("input.backward", "gradient")):
        picture = draw(trace, "network", at)
        small = [mark for mark in picture if isinstance(mark, Image) and mark.focus == Focus("input")
                 and len(mark.indices) == 1 and mark.palette == palette and mark.values.ndim == 3]
        assert [mark.indices for mark in small][-3:] == [(0,), (1,), (2,)]
        assert len({mark.values.tobytes() for mark in small[-3:]}) == 3
        kernels = [mark.focus for mark in picture if isinstance(mark, Image) and mark.palette == "weight"]
        assert {focus.cell[1] for focus in kernels} == {0, 1, 2}
    # while the gradient comes, no channel shows a number that has not come, nor a kernel that of another
    for phase in (0.3, 0.5, 0.8):
        coming = draw(trace, "network", f"input.backward@{phase}")
        *_, red, green, blue = [mark for mark in coming if isinstance(mark, Image) and mark.focus == Focus("input")
                                and mark.palette == "gradient"]
        whole = next(mark for mark in coming if isinstance(mark, Image) and mark.focus == Focus("input"))
        assert all(mark.covered.any() and not mark.values[mark.covered].any() for mark in (red, green, blue))
        assert np.array_equal(np.max([mark.values for mark in (red, green, blue)], axis=0), whole.values)
        sums = {mark.focus.cell[1]: mark.y for mark in coming if isinstance(mark, Image) and mark.focus is not None
                and mark.focus.array == "weight" and mark.palette == "gradient"}
        assert sums == {mark.focus.cell[1]: mark.y for mark in coming if isinstance(mark, Image)
                        and mark.focus is not None and mark.focus.array == "weight" and mark.palette == "weight"}
        assert len(sums) == 3
    assert "3 × 16 × 16 = 768 numbers went in." in draw(trace, "network").caption
    assert "brighter" not in draw(trace, "network", "input.forward").caption


def test_the_channels_of_a_picture_in_colour_come_with_it_and_never_suddenly():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(784, 3)).eval()
    trace = record.capture(model, torch.randn(1, 3, 16, 16), target=1)
    times, look = timeline(trace), Look(size=(1104, 796))
    for beat, overview in (("input.forward", True), ("0.forward", False), ("input.backward", False)):
        lensed, strengths = replace(look, knobs=(("lens", "off"),)) if overview else look, []
        for phase in np.linspace(0, 1, 301):
            moment = replace(times.find(beat), phase=float(phase))
            seen = picture_of(find("network"), trace, moment, None, lensed)
            strengths.append(max((mark.opacity * (mark.covered is None or not mark.covered.all()) for mark in seen
                                  if isinstance(mark, Image) and mark.focus == Focus("input")
                                  and mark.indices == (1,)), default=0.0))
        if beat != "input.backward":  # there they fill number by number
            assert np.abs(np.diff(strengths)).max() < 0.5
        assert strengths[-1] == 1


def test_a_volume_is_drawn_as_its_slices() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv3d(1, 2, 2), nn.ReLU(), nn.Flatten(), nn.Linear(16, 2)).eval()
    trace = record.capture(net, torch.randn(1, 1, 3, 3, 3), target=1)
    shown, sheet = draw(trace, "feature_maps", "1.forward"), draw(trace, "filters", "0.forward")
    maps = [mark for mark in (*shown.still, *shown.moving) if isinstance(mark, Image)]
    (slices,) = [mark for mark in maps if len(mark.values) == 4]
    assert slices.folds == ((4, 2, 2), (2, 2, 2, 2))
    x, y = slices.x + slices.cell[0] * 0.5, slices.y + slices.cell[1] * 1.5
    assert shown.hit(x + slices.pitch[0], y) == Focus("1", (0, 1, 1, 0))  # the second slice of the first channel
    kernels = [mark for mark in (*sheet.still, *sheet.moving) if isinstance(mark, Image)]
    assert kernels[0].values.shape == (2, 2, 2)  # the two slices of one kernel
    for focus in (Focus("0", (1, 0, 1, 1)), Focus("1", (1, 0, 1, 1)), Focus("2", (5,))):
        assert draw(trace, "microscope", f"{focus.layer}.forward", focus).caption


@pytest.mark.parametrize("pool", [nn.MaxPool3d(2), nn.AvgPool3d(2), nn.AdaptiveMaxPool3d((2, 1, 2)),
                                  nn.AdaptiveAvgPool3d((2, 2, 1))], ids=lambda pool: type(pool).__name__)
@pytest.mark.parametrize("backward", [False, True])
def test_the_microscope_shows_the_slice_of_a_volume_that_a_cell_stands_in(pool: nn.Module, backward: bool) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv3d(1, 2, 1), nn.ReLU(), pool, nn.Flatten(), nn.LazyLinear(2)).eval()
    x = torch.randn(1, 1, 4, 4, 4)
    net(x)
    trace = record.capture(net, x, target=1)
    for name in ("1", "2") if backward else ("2",):
        layer, way = trace[name], "backward" if backward else "forward"
        picture = draw(trace, "microscope", f"{name}.{way}", Focus(name, (1, 1, 0, 0)), size=(1600, 900))
        maps = [mark for mark in picture if isinstance(mark, Image) and mark.focus == Focus(name) and mark.folds]
        assert maps, name
        sizes = np.abs(layer.gradient[1, 1]) if backward else layer.output[1, 1]
        for shown in maps:
            assert shown.indices == (layer.shape[1] + 1,), "the second slice of the second channel"
            assert (np.diff(shown.values[0].ravel()[np.argsort(sizes.ravel())].astype(int)) >= 0).all()


def test_of_a_volume_each_channel_stands_as_its_middle_slice_and_says_so():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv3d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(96, 3)).eval()
    trace = record.capture(model, torch.randn(1, 1, 5, 6, 6), target=1)
    picture = draw(trace, "network", "0.forward")
    maps = next(mark for mark in picture if isinstance(mark, Image) and mark.focus == Focus("0")
                and mark.palette == "activation" and len(mark.values) == 2)
    shades = colour.signed(trace["0"].output, float(np.abs(trace["0"].output).max()))
    assert np.array_equal(maps.values, shades[:, 1])  # of three slices
    x, y = maps.x + maps.pitch[0] * (maps.columns - 1) + 1, maps.y + maps.pitch[1] * (1 if maps.columns == 1 else 0) + 1
    assert picture.hit(x, y) == Focus("0", (1, 1, 0, 0))
    assert "slice 1 of 3 of each" in picture.dump()
