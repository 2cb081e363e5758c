"""What pictures say they hold: groups, terms and moments of lanes, over every view and many models."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import pytest

from tests import recorded as recordings
from visualizer import kinds
from visualizer.scene import spotlight
from visualizer.scene.grids import LOOKED_AT
from visualizer.scene.picture import (
    BEAT,
    LANE,
    SENTENCE,
    Focus,
    Group,
    Image,
    Look,
    Mark,
    Picture,
    Rect,
    Stop,
    Stops,
    Term,
    TermTiles,
    Text,
    grouped,
)
from visualizer.scene.timeline import Moment, timeline
from visualizer.trace import Trace
from visualizer.ui import walking
from visualizer.ui.stage import moment_at
from visualizer.views import View, all_views, find

MODELS = ("digits_cnn", "mlp_mnist", "rows_lstm", "rows_gru", "char_rnn", "crnn_strip", "deep_residual", "adding_rnn")
STUDIES = {"digits_cnn": ("flow", "saturation"), "rows_lstm": ("flow", "bptt", "jacobian", "connectivity")}
SPINE = ("digits_cnn", "rows_lstm")
SIZE = (1500, 900)


def recorded(name: str) -> Trace:
    return recordings.recorded(name, studies=STUDIES.get(name, ()))


def moments(trace: Trace) -> list[Moment]:
    """First, middle and last beat, one half done, and the way back."""
    times = timeline(trace)
    backward = [index for index, beat in enumerate(times.beats) if beat.direction == "backward"]
    middle = len(times.beats) // 4
    chosen = [times.settled(index) for index in sorted({0, middle, (backward or [0])[0], (backward or [0])[-1] // 2 +
                                                        len(times.beats) // 4, len(times.beats) - 1})]
    return [*chosen, times.find(f"{times.beats[middle].address}@0.5")]


def pictures(trace: Trace) -> Iterator[tuple[View, Moment, Picture]]:
    for view in all_views():
        if view.suits(trace):
            for moment in moments(trace):
                yield view, moment, view.draw(trace, moment, None, Look(size=SIZE))


# --- groups -----------------------------------------------------------------------------------------------------------

@pytest.mark.matrix(spine=SPINE, sample=1, each=False)
@pytest.mark.parametrize("name", MODELS)
def test_every_word_and_every_mark_that_leads_somewhere_belongs_to_a_group(name: str) -> None:
    for view, moment, picture in pictures(recorded(name)):
        assert SENTENCE in picture.groups, (view.name, moment.address)
        for mark in picture:
            if mark.focus is not None or (isinstance(mark, Text) and mark.opacity > 0):
                assert mark.group is not None, (view.name, moment.address, mark)


@pytest.mark.matrix(spine=SPINE, sample=1, each=False)
@pytest.mark.parametrize("name", MODELS)
def test_one_part_alone_is_its_own_marks_and_the_sentence(name: str) -> None:
    for view, _, picture in pictures(recorded(name)):
        found = spotlight.parts(picture)
        assert found[0].group == SENTENCE, view.name
        assert len({part.group for part in found}) == len(found)
        assert all(part.group != LANE for part in found)
        sentence = [mark for mark in picture if mark.group == SENTENCE]
        for part in found:
            kept = list(spotlight.alone(picture, part))
            own = [mark for mark in picture if mark.group == part.group]
            tiles = [mark for mark in kept if mark.group not in (part.group, SENTENCE)]
            assert [mark for mark in kept if mark.group == SENTENCE] == sentence, view.name
            assert [mark for mark in kept if mark.group == part.group] == own, (view.name, part.group)
            assert own or tiles, (view.name, part.group)
            for tile in tiles:
                assert isinstance(tile, Image), (view.name, part.group)
                if tile.opacity < 0.5:
                    continue  # nothing that is seen
                assert len(tile.values) == 1
                assert tile.group is not None
                assert tile.group.of(tile.index(0)) == part.group
                x0, y0, x1, y1 = spotlight.extent(tile)
                assert part.place[0] <= x0 + 1e-6, (view.name, part.group)
                assert part.place[1] <= y0 + 1e-6
                assert x1 <= part.place[2] + 1e-6
                assert y1 <= part.place[3] + 1e-6


def test_a_tile_alone_is_where_it_was_and_says_the_same_focus() -> None:
    values = np.arange(24, dtype=np.uint8).reshape(6, 2, 2)
    tiles = Image(10, 20, (4, 4), values, columns=3, pitch=(10, 12), focus=Focus("conv"), indices=(5, 3, 1, 0, 2, 4),
                  group=Group("conv", Focus("conv"), each="channel"))
    alone = tiles.only(4)
    assert (alone.x, alone.y) == tiles.tile_origin(4) == (20, 32)
    assert alone.values.tolist() == values[4:5].tolist()
    whole, one = Picture((100, 100), (tiles,)), Picture((100, 100), (alone,))
    for at in ((21, 33), (27, 39)):
        assert one.hit(*at) == whole.hit(*at)
    assert one.hit(11, 21) is None


def test_a_group_is_kept_by_marks_that_have_one_and_is_not_seen() -> None:
    one, other = Group("one"), Group("other")
    marks: list[Mark] = [Rect(0, 0, 1, 1), Rect(0, 0, 1, 1, group=other)]
    found = grouped(one, marks)
    assert [mark.group for mark in found] == [one, other]
    assert found[0] == found[1] == Rect(0, 0, 1, 1), "marks that look the same are the same"
    assert Picture((1, 1), tuple(found)).dump() == Picture((1, 1), (Rect(0, 0, 1, 1),) * 2).dump()


def test_groups_and_terms_survive_another_text_scale() -> None:
    trace = recorded("digits_cnn")
    moment = timeline(trace).find("conv2.forward")
    plain = find("microscope").draw(trace, moment, Focus("conv2", (7, 3, 5)), Look(size=SIZE))
    large = plain.scaled(2.0)
    assert [(mark.group, mark.holds) for mark in large] == [(mark.group, mark.holds) for mark in plain]


# --- terms ------------------------------------------------------------------------------------------------------------

def cards(trace: Trace) -> Iterator[tuple[str, Moment, Picture]]:
    """A card of every layer and direction, and of every gate and state at one step, on each of its sides."""
    times, seen = timeline(trace), set()
    for beat in times.beats:
        once = (beat.layer, beat.direction, bool(beat.step))
        if once in seen and beat.step != 3:
            continue
        seen.add(once)
        inside = [f"{beat.address}.{act}" for act in beat.acts if act != "reads"] if beat.step == 3 else []
        for address in (beat.address, *inside):
            for side in ("arrives", "hands") if beat.direction == "backward" else ("auto",):
                moment = times.find(address)
                yield f"{address} {side}", moment, find("microscope").draw(
                    trace, moment, None, Look(size=SIZE, knobs=(("card", side),)))


@lru_cache(maxsize=20_000)
def recomputed(trace: Trace, target: Focus, backward: bool) -> tuple[tuple[Focus | None, float], ...]:
    """(where it was read, product) of every term of a number; last the number itself, read nowhere else."""
    layer = trace[target.layer]
    if target.array in layer.weights:
        found = [kinds.weight_terms(trace, target.layer, target.array, target.cell)]
    elif target.array.startswith("inner."):
        terms = kinds.inner_backward_terms if backward else kinds.inner_terms
        step, unit = target.cell
        found = [terms(trace, target.layer, target.array.removeprefix("inner."), step, unit)]
    elif backward:
        found = [terms for _, terms in kinds.backward_terms(trace, target.layer, target.cell)]
    else:
        found = [kinds.terms(trace, target.layer, target.cell)]
    read: list[tuple[Focus | None, float]] = []
    for terms in found:
        for taps in terms.taps:
            for index, product in enumerate(taps.products.tolist()):
                inside = taps.inside is None or bool(taps.inside[index])
                read.append((Focus(*kinds.place(trace, taps, index)) if inside else None, product))
        read.append((target, terms.result))
    return (*read, (target, sum(terms.result for terms in found)))


@pytest.mark.matrix(spine=SPINE, sample=1, each=False)
@pytest.mark.parametrize("name", MODELS)
def test_every_mark_that_is_a_term_has_the_numbers_of_its_kind(name: str) -> None:
    """Through the weights, values and gradients as recorded: nothing is taken from the picture but the term."""
    trace, checked, shown = recorded(name), 0, set()
    for card, _, picture in cards(trace):
        for mark in picture:
            if not isinstance(mark.holds, Term | TermTiles):
                continue
            assert mark.group is not None, card
            assert mark.group == LOOKED_AT or mark.group.shows in ("value", "weight", "product", "total"), card
            terms = [mark.holds] if isinstance(mark.holds, Term) else \
                [mark.holds.at(index) for index in {0, len(mark.holds.values) // 2, len(mark.holds.values) - 1}]
            for term in terms:
                if term is None:
                    continue
                known = [product for source, product in recomputed(trace, term.target, term.backward)
                         if source == term.source]
                assert any(np.isclose(term.product, product, rtol=1e-6, atol=1e-12) for product in known), (card, term)
                checked, shown = checked + 1, shown | {mark.group.shows}
    assert checked > 50
    assert {"value", "weight", "product"} <= shown


@pytest.mark.matrix(spine=SPINE, sample=1, each=False)
@pytest.mark.parametrize("name", MODELS)
def test_every_part_of_a_card_is_walked_through_cells_that_are_there(name: str) -> None:
    trace = recorded(name)
    for card, moment, picture in cards(trace):
        found = walking.parts(picture)
        walked = {part.group for part in found}
        for mark in picture:
            small = isinstance(mark, Image) and min(mark.cell) < walking.SMALLEST
            if mark.group is not None and mark.group.cells and mark.focus is not None and not small:
                assert mark.group in walked, (card, mark.group)
        assert len({part.name for part in found}) == len(found), (card, [part.name for part in found])
        for part in found:
            for spot in (part.spots[0], part.spots[len(part.spots) // 2], part.spots[-1]):
                assert there(trace, spot.focus), (card, part.name, spot.focus)
                assert walking.spot_tip(trace, spot, moment.backward), (card, part.name)
                left, top, wide, high = spot.place
                assert wide > 0, (card, part.name)
                assert high > 0, (card, part.name)
                if min(wide, high) >= 2:
                    hit = picture.spot_at(left + wide / 2, top + high / 2)
                    assert hit is not None, (card, part.name)
                    assert hit.focus == spot.focus, (card, part.name)


def there(trace: Trace, focus: Focus) -> bool:
    """Whether a focus is one number of the trace."""
    layer = trace[focus.layer]
    key = focus.array.removeprefix("inner.")
    array = layer.output if focus.array == "output" else layer.weights[focus.array] \
        if focus.array in layer.weights else layer.inner[key] if key in layer.inner else layer.inner_gradients[key]
    return array[focus.cell].ndim == 0


def test_a_forward_cell_that_is_a_term_shows_the_value_that_the_trace_holds() -> None:
    trace = recorded("digits_cnn")
    picture = find("microscope").draw(trace, timeline(trace).find("conv2.forward"), Focus("conv2", (7, 3, 5)),
                                Look(size=SIZE))
    named = {part.name: part for part in walking.parts(picture)}
    for spot in named["window"].spots:
        assert spot.term is not None
        assert spot.term.source == spot.focus
        assert spot.term.value == trace["pool1"].output[spot.focus.cell]
    last, bias = named["running sum"].spots[-1].term, float(trace["conv2"].weights["bias"][7])
    assert last is not None
    assert last.total + bias == pytest.approx(float(trace["conv2"].output[7, 3, 5]), rel=1e-5)
    result = named["result"].spots[0].term
    assert result is not None
    assert result.value == pytest.approx(float(trace["conv2"].output[7, 3, 5]), rel=1e-5)


# --- lanes ------------------------------------------------------------------------------------------------------------

@pytest.mark.matrix(spine=SPINE, sample=1, each=False)
@pytest.mark.parametrize("name", MODELS)
def test_every_place_of_a_lane_leads_to_its_moment(name: str) -> None:
    trace = recorded(name)
    times = timeline(trace)
    for view, moment, picture in pictures(trace):
        places = lane_places(picture)
        if LANE in picture.groups:
            assert places, (view.name, moment.address)
        for x, y, address in places:
            target = times.find(address)
            assert target.backward == moment.backward, (view.name, address)
            found = moment_at(picture, times, moment, x, y)
            assert found is not None, (view.name, address)
            assert found == target, (view.name, moment.address, address)


def lane_places(picture: Picture) -> list[tuple[float, float, str]]:
    """(x and y of the middle, address) of every place."""
    found = [(mark.x + mark.width / 2, mark.y + mark.height / 2, mark.holds.address) for mark in picture
             if isinstance(mark, Rect) and isinstance(mark.holds, Stop)]
    for mark in picture:
        if isinstance(mark, Image) and isinstance(mark.holds, Stops):
            found += [(mark.tile_origin(tile)[0] + mark.tile_size[0] / 2,
                       mark.tile_origin(tile)[1] + mark.tile_size[1] / 2, address)
                      for tile, address in enumerate(mark.holds.addresses)]
    return found


def test_a_beat_without_a_way_back_is_no_place_on_the_way_back() -> None:
    trace = recorded("digits_cnn")
    times = timeline(trace)
    last = times.settled(len(times.beats) - 1)
    picture = find("network").draw(trace, last, None, Look(size=SIZE))
    marked = {mark.focus.layer for mark in picture if mark.focus is not None and mark.focus.array == BEAT
              and mark.holds is not None}
    assert marked == {beat.layer for beat in times.beats if beat.direction == "backward"}


# --- what moves -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("at", "focus"), [
    ("conv2.forward", Focus("conv2", (7, 3, 5))), ("pool1.forward", Focus("pool1", (4, 5, 5))),
    ("pool1.backward", Focus("pool1", (4, 10, 9))),
])
def test_what_is_framed_as_being_read_is_the_term_that_is_written(at: str, focus: Focus) -> None:
    """The frames of one small step lie on cells of one term: where it was read, and what it makes."""
    trace = recorded("digits_cnn")
    times = timeline(trace)
    framed = 0
    for share in np.linspace(0.02, 0.98, 25).tolist():
        picture = find("microscope").draw(trace, times.find(f"{at}@{share}"), focus, Look(size=SIZE))
        frames = [mark for mark in picture.moving if isinstance(mark, Rect) and mark.group == LOOKED_AT and mark.holds]
        sources = {mark.holds.source for mark in frames if isinstance(mark.holds, Term)}
        assert len(sources) <= 1, (at, share)
        for mark in frames:
            assert isinstance(mark.holds, Term)
            spot = picture.spot_at(mark.x + mark.width / 2, mark.y + mark.height / 2)
            if mark.holds.source is not None and min(mark.width, mark.height) >= 8:
                assert spot is not None, (at, share)
                assert spot.focus == mark.holds.source, (at, share)
            framed += 1
    assert framed >= 10
