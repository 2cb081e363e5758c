"""Surgery: the picture and the ranking, against torch with the same cut made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from tests import quantities_of_surgery  # noqa: F401  (its quantities are known once it is there)
from tests.test_sentences import texts_of, true, unclaimed
from visualizer import registry
from visualizer.record import pass_of, ranking, with_study
from visualizer.record.catalog import open_model
from visualizer.record.curves import data_of
from visualizer.said import listening
from visualizer.scene import state as does
from visualizer.scene.picture import Image, Line, Look, Picture, Rect, Toggles
from visualizer.scene.state import State
from visualizer.scene.timeline import Moment, timeline
from visualizer.trace import Trace, forget
from visualizer.views import find
from visualizer.views.surgery import _measured as measured

CUT = "unit_off:conv1:1"


@pytest.fixture(scope="module")
def cut() -> Trace:
    return with_study(pass_of("digits_cnn", "digit-2148", edits=(CUT,)), "surgery")


@pytest.fixture(scope="module", autouse=True)
def _apart(tmp_path_factory: pytest.TempPathFactory) -> object:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(registry.STATE_FOLDER, str(tmp_path_factory.mktemp("state")))
        yield


def _at(trace: Trace, address: str = "") -> Moment:
    view, times = find("surgery"), timeline(trace)
    assert view.telling is not None
    return times.find(address or view.telling(trace, times))


def _drawn(trace: Trace, look: Look | None = None, address: str = "") -> Picture:
    return find("surgery").draw(trace, _at(trace, address), None, look or Look())


def test_before_and_after_are_what_torch_gives_with_and_without_a_hook(cut: Trace) -> None:
    net = open_model("digits_cnn").module
    x = torch.from_numpy(cut["input"].output.copy())[None]
    kept = torch.ones(6)
    kept[1] = 0
    for factor, found in ((torch.ones(6), measured.was), (kept, measured.now)):
        relu1 = F.relu(net.conv1(x) * factor[:, None, None])
        relu2 = F.relu(net.conv2(F.max_pool2d(relu1, 2)))
        relu3 = F.relu(net.fc1(F.max_pool2d(relu2, 2).flatten(1)))
        for name, wanted in (("relu1", relu1), ("relu2", relu2), ("relu3", relu3),
                             ("softmax", net.fc2(relu3).softmax(-1))):
            assert found(cut, name) == pytest.approx(wanted[0].detach().numpy(), rel=1e-4, abs=1e-6), name
    assert measured.reaches(cut, "relu1") == pytest.approx(0.268, abs=0.005)
    assert not measured.now(cut, "conv1")[1].any(), "past what the edit has put behind it"
    assert measured.was(cut, "conv1")[1].any()
    assert measured.rows(cut) == ("relu1", "pool1", "relu2", "pool2", "relu3")


@pytest.mark.parametrize(("model", "words"), [
    ("digits_cnn", ()), ("digits_cnn", (CUT,)), ("rows_lstm", ("gate_shut:lstm:forget",)),
    ("sentiment_gru", ("unit_off:gru:3",))])
def test_every_number_is_claimed_and_true(model: str, words: tuple[str, ...]) -> None:
    sample = "digit-2148" if model != "sentiment_gru" else ""
    trace = with_study(pass_of(model, sample, edits=words), "surgery")
    for address in ("", f"{trace.layers[1].name}.backward"):
        forget(trace)
        with listening(placing=True) as heard:
            picture = _drawn(trace, address=address)
        assert heard or not words
        assert [claim for claim in heard if not true(trace, claim)] == []
        assert unclaimed(trace, texts_of(picture, drawn=True), heard) == []


def test_what_is_cut_is_hatched_with_a_cross_and_a_click_gives_it_back(cut: Trace) -> None:
    picture = _drawn(cut)
    marks = (*picture.still, *picture.moving)
    toggles = {mark.holds for mark in marks if isinstance(mark, Rect) and isinstance(mark.holds, Toggles)}
    assert Toggles(CUT, "unit_only:conv1:1") in toggles
    assert Toggles("unit_off:conv2:11", "unit_only:conv2:11") in toggles
    crosses = [mark for mark in marks if isinstance(mark, Line) and mark.color == "negative-bar" and mark.width == 2]
    assert len(crosses) == 2
    assert not [mark for mark in (*_drawn(with_study(pass_of("digits_cnn", "digit-2148"), "surgery")).moving,)
                if isinstance(mark, Line) and mark.color == "negative-bar"]


def test_columns_of_a_row_have_one_scale(cut: Trace) -> None:
    scales = [mark.scale for mark in _drawn(cut).moving if isinstance(mark, Image) and mark.scale is not None
              and mark.scale.of == "relu1"]
    assert len(scales) == 3
    assert len({(scale.low, scale.high) for scale in scales}) == 1


def test_the_cut_travels_layer_by_layer(cut: Trace) -> None:
    def hatched(address: str) -> set[str]:
        picture = _drawn(cut, address=address)
        return {mark.group.about.layer for mark in picture.moving if isinstance(mark, Rect) and mark.fill == "hatch"
                and mark.group is not None and mark.group.about is not None and mark.width > 60}
    assert hatched("relu1.forward") == {"relu2", "relu3", "softmax"}
    assert hatched("pool2.forward") == {"relu3", "softmax"}
    assert hatched("relu3.forward") == {"softmax"}
    assert hatched("softmax.forward") == set()


def test_what_becomes_no_number_is_named_and_everything_is_still_drawn() -> None:
    trace = with_study(pass_of("digits_cnn", "digit-2148", edits=("weight:conv1.bias:2=1e38",)), "surgery")
    assert measured.unwell(trace) == "relu3" or not np.isfinite(trace[measured.unwell(trace)].output).all()
    picture = _drawn(trace)
    assert measured.unwell(trace) in picture.caption
    assert "Ctrl+Z" in picture.caption


@pytest.mark.parametrize("size", [(1104, 796), (700, 560), (1400, 900)])
@pytest.mark.parametrize("projector", [False, True])
def test_nothing_leaves_the_picture(cut: Trace, size: tuple[int, int], projector: bool) -> None:
    picture = _drawn(cut, Look(size=size, projector=projector))
    for mark in picture.moving:
        if isinstance(mark, Rect):
            assert mark.x >= 0
            assert mark.x + mark.width <= size[0] + 1
            assert mark.y + mark.height <= size[1] + 1


# --- the list of edits ------------------------------------------------------------------------------------------------

def test_what_is_switched_off_stays_in_the_list() -> None:
    state = does.switched(State(), CUT)
    assert state.edits == (CUT,)
    state = does.switched(state, CUT)
    assert state.edits == ()
    assert state.look.knob("off", "") == CUT
    trace = with_study(pass_of("digits_cnn", "digit-2148"), "surgery")
    picture = _drawn(trace, replace(state.look, size=(800, 700)))  # in a wider one the rail lists it
    assert [mark for mark in picture.moving if isinstance(mark, Rect) and mark.dashed and mark.holds == Toggles(CUT)]
    assert does.switched(state, CUT).look.knob("off", "") == ""


# --- which matters most -----------------------------------------------------------------------------------------------

def _right(without: tuple[int, ...]) -> int:
    """How many of the digits that ship are right while channels of conv1 give nothing, by torch alone."""
    opened = open_model("digits_cnn")
    given = data_of(opened).given
    assert opened.prepare is not None
    x = torch.cat([opened.prepare(each.raw) for each in given])
    kept = torch.ones(6)
    kept[list(without)] = 0
    hook = opened.module.conv1.register_forward_hook(lambda module, given, output: output * kept[:, None, None])
    with torch.no_grad():
        found = opened.module(x).argmax(1)
    hook.remove()
    return int((found == torch.tensor([each.sample.label for each in given])).sum())


def test_each_unit_is_left_out_in_turn_and_that_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "units", lambda opened, of: tuple(f"unit_off:conv1:{unit}" for unit in range(6)))
    opened = open_model("digits_cnn")
    work, steps = ranking.ranked(opened), 0
    next(work)
    work.close()  # what was counted before somebody went away is there the next time
    work = ranking.ranked(opened)
    while True:
        try:
            next(work)
            steps += 1
        except StopIteration as end:
            found = end.value
            break
    assert found.all == (_right(()), 400)
    assert found.alone == tuple(_right((unit,)) for unit in range(6))
    least = found.order[::-1]
    assert found.gone[1] == _right(least[:2])
    assert found.gone[-1] == _right(tuple(range(6)))
    taken: tuple[int, ...] = ()
    for place, left in zip(found.broken[::2], found.broken[1::2], strict=True):
        others = {unit: _right((*taken, unit)) for unit in range(6) if unit not in taken}
        assert left == others[place] == min(others.values())
        taken = (*taken, place)
    assert 2 * found.broken[-1] <= found.all[0] < 2 * found.broken[-3]
    again = ranking.ranked(opened)
    with pytest.raises(StopIteration) as kept:
        next(again)
    assert kept.value.value == found


def test_the_ranking_is_drawn_with_its_numbers(cut: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranking, "units", lambda opened, of: tuple(f"unit_off:conv1:{unit}" for unit in range(6)))
    trace = with_study(pass_of("digits_cnn", "digit-2148", edits=(CUT,)), "surgery", "matters")
    with listening(placing=True) as heard:
        picture = _drawn(trace)
    assert [claim for claim in heard if not true(trace, claim)] == []
    assert sum(claim.quantity == "points lost" for claim in heard) == 6
    assert any(row[0] == CUT for row in picture.table.rows)
    net = open_model("digits_cnn").module
    x = torch.from_numpy(cut["input"].output.copy())[None]
    hook = net.conv1.register_forward_hook(lambda module, given, output: output * torch.tensor(
        [1., 0, 1, 1, 1, 1])[:, None, None])
    assert int(trace.studies["matters"]["answers"][1]) == int(net(x).argmax()) == 9
    hook.remove()
