"""Over inputs: what a study keeps of many inputs, against torch, and the view that shows them side by side."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from tests.test_stepping import Engine
from visualizer import inputs, sight
from visualizer.over import BESIDE, SEPARATOR, Inputs
from visualizer.record import pass_of, with_study
from visualizer.record.catalog import open_model
from visualizer.record.run import given_of, prepared
from visualizer.scene.picture import Focus, Image, Line, Look, Rect, Text, ToInput
from visualizer.scene.state import State, changed
from visualizer.ui.recorder import Recorder
from visualizer.ui.store import Store
from visualizer.ui.window import Window

DIGITS = inputs.samples("image").words[:6]


def measured(model, sample, others=()):
    return with_study(replace(pass_of(model, sample), others=tuple(others)), "over")


@pytest.fixture(scope="module")
def digits():
    return measured("digits_cnn", "digit-3", DIGITS)


@pytest.fixture(scope="module")
def names():
    return measured("surname_gru", "Denk", ("Denk", "Willems van Lier", "Denk 2 7"))


def written(trace, key):
    return bytes(trace.studies["over"][key]).decode().split(SEPARATOR)


def seen(trace, **changes):
    look = Look(size=(1104, 764), knobs=changes.pop("knobs", ()))
    return sight.seen(trace, changed(State(), model=trace.model, view="over", look=look, **changes))


def test_what_is_kept_of_each_input_is_what_torch_computes(digits):
    held, opened = digits.studies["over"], open_model("digits_cnn")
    assert written(digits, "words") == list(DIGITS)
    for place, word in enumerate(DIGITS):
        maps = []
        handle = opened.module.conv2.register_forward_hook(lambda module, given, out, maps=maps: maps.append(out))
        with torch.no_grad():
            answer = int(opened.module(prepared(opened, given_of(opened, word).raw)).argmax())
        handle.remove()
        assert np.array_equal(held["conv2:output"][place], maps[0][0].numpy())
        assert written(digits, "answers")[place] == str(answer)
        assert held["labels"][place] == inputs.sample(word).label


def test_shorter_texts_are_filled_up_and_what_does_not_fit_is_left_out(names):
    held = names.studies["over"]
    assert written(names, "words") == ["Denk", "Willems van Lier"]
    states = held["gru:inner.update"]
    assert states.shape == (2, 16, 64) or states.shape[:2] == (2, 16)
    assert np.isfinite(states[0, :4]).all()
    assert np.isnan(states[0, 4:]).all()
    assert np.isfinite(states[1]).all()


def test_without_others_it_is_seen_beside_the_bundled_ones():
    found = measured("adding_rnn", "sum-1")
    facts = open_model("adding_rnn").card["input"]
    assert written(found, "words") == list(inputs.candidates("", inputs.kind("sequence"), facts).words)


def test_maps_stand_below_the_inputs_that_made_them(digits):
    picture = seen(digits, at="conv2.forward", focus=Focus("conv2", (7,)))
    maps = [mark for mark in picture.still + picture.moving if isinstance(mark, Image) and len(mark.values) == 6]
    assert [mark.values.shape[1:] for mark in maps] == [(28, 28), (12, 12)]
    assert maps[0].x == maps[1].x
    assert maps[1].y > maps[0].y
    top = np.abs(digits.studies["over"]["conv2:output"][:, 7]).max()
    assert maps[1].scale.high == pytest.approx(top)
    assert "Channel 7 of conv2 over 6 inputs" in picture.caption
    held = digits.studies["over"]["conv2:output"][:, 7].reshape(6, -1).max(axis=1)
    assert [row[3] for row in picture.table.rows] == pytest.approx(held.tolist())
    ordered = seen(digits, at="conv2.forward", focus=Focus("conv2", (7,)), knobs=(("order", "largest"),))
    assert [row[3] for row in ordered.table.rows] == pytest.approx(sorted(held.tolist(), reverse=True))
    said = {mark.plain for mark in picture if isinstance(mark, Text)}
    assert "0 → 0" in said


@pytest.mark.parametrize(("focus", "name", "kind"), [
    (Focus("fc1", (3,)), "Unit 3 of fc1", Rect), (Focus("softmax", (4,)), "Class 4 of softmax", Rect)])
def test_a_unit_is_a_bar(digits, focus, name, kind):
    picture = seen(digits, at=f"{focus.layer}.forward", focus=focus)
    assert picture.caption.startswith(name)
    bars = [mark for mark in picture if isinstance(mark, kind) and mark.fill in ("positive-bar", "negative-bar")]
    values = digits.studies["over"][f"{focus.layer}:output"][:, focus.cell[0]]
    assert len(bars) == 6
    assert [bar.height for bar in bars] == pytest.approx((np.abs(values) * bars[0].height / abs(values[0])).tolist(),
                                                        rel=1e-3, abs=1e-3)


def test_a_gate_is_a_curve_over_the_steps_that_were_read(names):
    picture = seen(names, at="gru.forward[2]", focus=Focus("gru", (1, 5), "inner.update"))
    curves = [mark for mark in picture if isinstance(mark, Line) and mark.color == "positive-bar"]
    assert [len(curve.points) for curve in curves] == [4, 16]
    assert picture.caption.startswith("Update gate of unit 5 in gru")


def test_a_click_goes_to_that_input(digits, qtbot):
    window = Window(Store(changed(State(), sample="digit-3", at="conv2.forward", view="over"), digits))
    qtbot.addWidget(window)
    window.resize(1600, 900)
    with qtbot.waitExposed(window):
        window.show()
    places = {mark.holds.word: mark for mark in window.stage.picture
              if isinstance(mark, Rect) and isinstance(mark.holds, ToInput)}
    assert list(places) == list(DIGITS)
    assert [word for word, mark in places.items() if mark.stroke] == ["digit-3"]
    mark = places[DIGITS[4]]
    QTest.mouseClick(window.stage, Qt.MouseButton.LeftButton,
                     pos=QPoint(round(mark.x + mark.width / 2), round(mark.y + mark.height / 2)))
    assert window.store.state.sample == DIGITS[4]
    assert (window.store.state.view, window.store.state.at) == ("over", "conv2.forward")


def test_inputs_of_one_page_are_measured_once(digits, qapp):
    plain = replace(digits, studies={})
    store = Store(changed(State(), sample="digit-3", view="over"), plain)
    recorder = Recorder(store, Engine())
    store.set_inputs(Inputs(DIGITS, (None,) * 6), store.state)
    recorder.measure()
    assert recorder.engine.asked[-1][0] == "study"
    assert recorder.engine.asked[-1][2]["others"] == DIGITS
    recorder.engine.answered.emit(1, "study", {"study": "over", "arrays": dict(digits.studies["over"])})
    store.update(sample=DIGITS[2])
    asked = len(recorder.engine.asked)
    store.set_trace(replace(plain, title="another"), None)
    assert "over" in store.trace.studies
    assert len(recorder.engine.asked) == asked


def test_a_page_of_a_list_holds_one_input_and_those_around_it():
    known = Inputs(tuple(map(str, range(100))), (None,) * 100)
    assert known.around("3") == known.words[:BESIDE]
    assert known.around("41") == known.words[BESIDE:2 * BESIDE]
    assert known.around("99") == known.words[80:]
    assert known.around("elsewhere") == known.words[:BESIDE]


def test_on_the_way_back_it_says_that_values_are_shown(digits):
    forward, back = (seen(digits, at=f"conv2.{way}", focus=Focus("conv2", (7,))) for way in ("forward", "backward"))
    shown = [[mark.values.tolist() for mark in picture if isinstance(mark, Image) and len(mark.values) == 6]
             for picture in (forward, back)]
    assert shown[0] == shown[1], "what was computed"
    assert "on the way forward" in back.caption
    assert "on the way forward" not in forward.caption
    assert not [mark for mark in back if isinstance(mark, Image) and mark.palette == "gradient" and mark.y < 600]
