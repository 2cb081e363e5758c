"""The knobs of the laboratory in the rail: each is one change of State, by mouse and by key, with words for all."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from visualizer import lab
from visualizer.record.lab import record_lab
from visualizer.scene import state as does
from visualizer.scene.state import State
from visualizer.ui.knobs import ChoiceRow, SliderRow, spoken
from visualizer.ui.rail import Rail, choose_model
from visualizer.ui.store import Store


@pytest.fixture
def rail(qtbot):
    found = Rail(Store(State()))
    qtbot.addWidget(found)
    found.resize(216, 796)
    found.show()
    choose_model(found.store, lab.NAME)
    return found


def row(rail, name):
    return next(row for row in rail.knobs.rows if row.knob.name == name)


def wanted(rail):
    return does.lab_of(rail.store.state)[0]


def test_the_knobs_stand_in_place_of_the_choosers_and_leave_again(rail):
    assert rail.knob_scroller.isVisible()
    assert not rail.scroller.isVisible()
    assert [row.knob.name for row in rail.knobs.rows] == [
        knob.name for knob in lab.knobs() if knob.experiment in ("", "time")]
    choose_model(rail.store, "digits_cnn")
    assert not rail.knob_scroller.isVisible()
    assert rail.scroller.isVisible()
    assert rail.store.state.sample


def test_a_drag_turns_a_knob_and_is_one_change_to_undo(rail):
    slider = row(rail, "gain").slider
    start = QPoint(round(slider._x()), slider.height() // 2)
    QTest.mousePress(slider, Qt.MouseButton.LeftButton, pos=start)
    QTest.mouseMove(slider, start + QPoint(40, 0))
    QTest.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=start + QPoint(40, 0))
    assert wanted(rail).gain > 1.2
    QTest.mouseDClick(slider, Qt.MouseButton.LeftButton, pos=start)
    assert wanted(rail).gain == 0.9


def test_shift_drags_finely(rail):
    from PySide6.QtCore import QEvent, QPointF
    from PySide6.QtGui import QMouseEvent

    slider = row(rail, "gain").slider
    start = QPointF(slider._x(), 12)
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    slider.mousePressEvent(QMouseEvent(QEvent.Type.MouseButtonPress, start, start, left, left, none))
    far = start + QPointF(40, 0)
    slider.mouseMoveEvent(QMouseEvent(QEvent.Type.MouseMove, far, far, left, left, Qt.KeyboardModifier.ShiftModifier))
    assert 0.92 < wanted(rail).gain < 0.98


def test_arrow_keys_go_step_by_step(rail, qtbot):
    slider = row(rail, "steps").slider
    slider.setFocus()
    qtbot.keyClick(slider, Qt.Key.Key_Right)
    assert wanted(rail).steps == 61
    qtbot.keyClick(slider, Qt.Key.Key_Home)
    assert wanted(rail).steps == 10


def test_every_knob_says_its_name_value_and_what_it_does(rail):
    for found in rail.knobs.rows:
        if isinstance(found, SliderRow):
            assert found.slider.accessibleName() == f"{found.knob.title}: {found.word}"
            assert found.knob.about in found.slider.toolTip()
        elif isinstance(found, ChoiceRow) and found.button is not None:
            assert found.button.accessibleName().startswith(found.knob.title)
    assert spoken(lab.knob("clip"), 0.0) == "off"
    assert spoken(lab.knob("bias"), 2.0) == "+2.0"


def test_choices_are_clicked_or_walked_by_arrows(rail, qtbot):
    row(rail, "cell").segments.buttons[1].click()
    assert wanted(rail).cell == "relu"
    button = row(rail, "matrix").button
    button.setFocus()
    qtbot.keyClick(button, Qt.Key.Key_Down)
    assert wanted(rail).matrix == "orthogonal"


def test_another_experiment_has_other_knobs(rail):
    row(rail, "experiment").segments.buttons[1].click()
    assert {row.knob.name for row in rail.knobs.rows} == {
        knob.name for knob in lab.knobs() if knob.experiment in ("", "depth")}
    assert rail.store.state.at == "layer1.backward"


def test_what_was_measured_stands_under_the_knobs(rail):
    rail.store.set_trace(record_lab(wanted(rail)))
    assert row(rail, "gain").note == "largest singular value 1.62"
    assert any("saturated" in line for line in rail.knobs._follows())


def test_while_the_first_recording_is_under_way_nothing_is_said(rail):
    """The recording of another model is still there: an error here, inside of Qt, would end the app."""
    from visualizer.record import record

    rail.store.set_trace(record("digits_cnn", "digit-2148"))
    assert rail.knobs._follows() == []
    assert rail.knobs.sizeHint().height() > 100


def test_the_sweep_takes_the_last_number_that_was_turned(rail):
    assert rail.knobs.swept == "gain"
    rail.knobs.turn("input", "0.5", True)
    assert rail.knobs.swept == "input"
    rail.knobs.turn("cell", "relu", True)
    assert rail.knobs.swept == "gain"
