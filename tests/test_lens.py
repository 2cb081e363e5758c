"""The lens: a pair stands large, a larger window never has a smaller tile, nothing crosses on the way."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import pytest

from tests.networks import NETWORKS
from tests.recorded import recorded
from visualizer import record
from visualizer.scene.columns import Plan, passages
from visualizer.scene.labels import crossed
from visualizer.scene.lens import camera, lens, pair_of
from visualizer.scene.picture import SENTENCE, Look, Path, Text, box_of
from visualizer.scene.projector import look_for
from visualizer.scene.timeline import FORWARD, timeline
from visualizer.scene.type import bounds
from visualizer.trace import Trace
from visualizer.ui.panes import widest_pair
from visualizer.ui.shell import BOTTOM, COMPACT_BELOW, INSPECTOR, NARROW, NARROW_BELOW, TOP, WIDE
from visualizer.views import find
from visualizer.views import picture as draw
from visualizer.views.network._edges import arc_of
from visualizer.views.network._headers import names_of_context

WIDTHS, HEIGHTS = range(1024, 2561, 20), (768, 900, 1080, 1440)
MODELS = ("digits_cnn", "lenet_mnist", "crnn_strip", "mlp_mnist")


def plan(trace: Trace, address: str, look: Look) -> Plan:
    known = passages(trace)
    return lens(trace, look, known, pair_of(trace, timeline(trace).find(address).beat))


@cache
def beats(model: str) -> tuple[str, ...]:
    """Every forward beat; of a layer's steps the first."""
    return tuple(beat.address for beat in timeline(recorded(model)).beats
                 if beat.direction == FORWARD and beat.step in (None, 1))


def stage(width: int, height: int) -> Look:
    """The stage of a window of so many pixels."""
    left, right = NARROW if width < NARROW_BELOW else WIDE, 8 if width < COMPACT_BELOW else INSPECTOR
    wide, cap = width - left - right, widest_pair(width)
    return Look((wide, height - TOP - BOTTOM), widest=cap if cap < wide else 0)


@pytest.mark.matrix(spine=("digits_cnn",), sample=1, each=False)
@pytest.mark.parametrize("model", MODELS)
def test_a_larger_window_never_has_a_smaller_tile_in_the_pair(model: str) -> None:
    trace = recorded(model)
    for address in beats(model)[1:9:2]:
        for height in HEIGHTS:
            _never_smaller(trace, address, [stage(width, height) for width in WIDTHS])
        for width in (1024, 1280, 1366, 1920):
            _never_smaller(trace, address, [stage(width, height) for height in HEIGHTS])


def _never_smaller(trace: Trace, address: str, looks: list[Look]) -> None:
    before: dict[str, tuple[float, float]] = {}
    known = passages(trace)
    for look in looks:
        pair = pair_of(trace, timeline(trace).find(address).beat)
        found = lens(trace, look, known, pair)
        for name in pair.layers:
            tile, was = found.columns[name].tile, before.get(name, (0.0, 0.0))
            assert tile[0] >= was[0] - 1e-9, (address, name, look.size)
            assert tile[1] >= was[1] - 1e-9, (address, name, look.size)
            before[name] = tile


def test_the_pair_takes_at_least_half_of_the_stage() -> None:
    trace = recorded("digits_cnn")
    for address in ("conv1.forward", "relu1.forward", "pool1.forward", "conv2.forward", "relu2.forward"):
        look = Look((1104, 796))
        pair = pair_of(trace, timeline(trace).find(address).beat)
        found = plan(trace, address, look)
        columns = [found.columns[name] for name in pair.layers]
        left, right = min(column.x for column in columns), max(column.x + column.width for column in columns)
        right = max(right, *(column.x + column.pitch[0] * (column.sub_columns - 1) + column.tile[0]
                             for column in columns))
        assert right - left >= look.size[0] / 2, address


@pytest.mark.parametrize("model", MODELS)
def test_the_camera_only_scales_and_shifts(model: str) -> None:
    """Every layer keeps its grid of tiles, and what stands left of another at both ends does so on the way."""
    trace, look = recorded(model), Look((1104, 796))
    plans = [plan(trace, address, look) for address in beats(model)]
    for one, other in pairwise(plans):
        half = camera(one, other, 0.5)
        for name, column in half.columns.items():
            ends = one.columns[name], other.columns[name]
            assert ends[0].sub_columns == ends[1].sub_columns or "units" in (ends[0].style, ends[1].style), name
            assert min(end.x for end in ends) - 1e-6 <= column.x <= max(end.x for end in ends) + 1e-6
            assert min(end.tile[0] for end in ends) - 1e-6 <= column.tile[0] <= max(end.tile[0] for end in ends) + 1e-6


def test_no_layer_is_skipped_silently() -> None:
    trace = recorded("deep_residual")
    for address in beats("deep_residual")[::6]:
        found = plan(trace, address, Look((1104, 796)))
        hidden = [column for column in found.columns.values() if column.style == "hidden"]
        assert bool(hidden) == bool(found.left_out), address


OWN = ("attention_multihead", "conv_rgb", "conv_three_dimensions", "u_net")


@cache
def own(name: str) -> Trace:
    model, x, target = NETWORKS[name]()
    return record.capture(model, x, target, **NETWORKS[name].capture)


@pytest.mark.parametrize("model", OWN)
def test_in_networks_of_ones_own_a_larger_window_never_has_a_smaller_tile_in_the_pair(model: str) -> None:
    trace = own(model)
    found = [beat.address for beat in timeline(trace).beats][1:]
    for address in found[::max(1, len(found) // 6)]:
        for height in (701, 911):
            _never_smaller(trace, address, [stage(width, height) for width in (1024, 1279, 1280, 1366, 1600, 1920)])
        _never_smaller(trace, address, [stage(1366, height) for height in (701, 768, 803, 911, 1080)])


@pytest.mark.parametrize("size", [(1104, 796), (960, 632)])
def test_names_of_the_context_stand_off_the_arcs_and_name_one_layer_each(size: tuple[int, int]) -> None:
    trace, look = own("attention_multihead"), Look(size)
    full = {layer.name for layer in trace.layers}
    for beat in timeline(trace).beats[1::4]:
        pair = pair_of(trace, beat)
        found = lens(trace, look, passages(trace), pair)
        arcs = [arc for skip in found.skips for arc in arc_of(found, skip, look)]
        named = [mark for mark in names_of_context(trace, pair, look) if isinstance(mark, Text)]
        assert arcs
        assert len(named) >= 6
        for text in named:
            assert not any(crossed(bounds(text), arc) for arc in arcs), (beat.address, text.runs)
            said = text.runs[0].text
            assert text.focus is not None
            assert said == text.focus.layer or said not in full, (beat.address, text.runs)


def test_in_a_room_tiles_are_large_and_every_layer_is_in_the_strip() -> None:
    trace, look = recorded("digits_cnn"), look_for(Look(), (1920, 1080))
    found = plan(trace, "conv2.forward", look.laid_out)
    scale = look.text_scale
    assert min(found.columns[name].tile[0] * scale for name in ("pool1", "conv2")) >= 96
    drawn = [name for name, column in found.columns.items() if column.style not in ("passage", "number")
             and name not in passages(trace)]
    assert [column.layer for column in found.strip] == drawn[:len(found.strip)] or \
        {column.layer for column in found.strip} >= set(drawn)


@pytest.mark.parametrize("name", ["attention_multihead", "residual_net", "u_net"])
def test_in_a_room_no_arc_runs_through_a_word(name: str) -> None:
    model, x, target = NETWORKS[name]()
    trace = record.capture(model, x, target)
    look, times, crossed = look_for(Look(), (1920, 1080)), timeline(trace), 0
    for index in range(len(times.beats)):
        picture = draw(find("network"), trace, times.settled(index), None, look)
        words = [box_of(mark) for mark in picture if isinstance(mark, Text) and mark.opacity == 1]
        arcs = [curve[::3] for mark in picture if isinstance(mark, Path) and mark.stroke == "rule" and not mark.fill
                for curve in mark.curves]
        for (x0, y0), (x1, y1) in (ends for curve in arcs for ends in pairwise(curve)):
            crossed += 1
            if min(abs(x1 - x0), abs(y1 - y0)) < 1:
                assert not any(left < max(x0, x1) and min(x0, x1) < left + wide and top + 1 < max(y0, y1)
                               and min(y0, y1) < top + high - 1 for left, top, wide, high in words), times.beats[index]
    assert crossed


def test_in_a_room_the_title_of_an_answer_stands_under_the_sentence() -> None:
    model, x, target = NETWORKS["u_net"]()
    trace = record.capture(model, x, target)
    picture = draw(find("network"), trace, timeline(trace).find("relu#2.backward"), None,
                   look_for(Look(), (1920, 1080)))
    title = next(mark for mark in picture if isinstance(mark, Text) and mark.plain == "a picture")
    sentence = [mark for mark in picture if isinstance(mark, Text) and mark.group == SENTENCE]
    assert sentence
    assert box_of(title)[1] >= max(top + high for _, top, _, high in map(box_of, sentence))
