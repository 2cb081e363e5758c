"""Undo and redo everywhere: whatever a key, a control or the pen changes, Ctrl+Z brings back, Ctrl+Shift+Z repeats."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from visualizer import app as the_app
from visualizer import load, record, registry
from visualizer.scene.picture import Focus
from visualizer.scene.state import State, changed, packed, unpacked
from visualizer.ui.commands import commands
from visualizer.ui.recorder import Recorder
from visualizer.ui.store import Store
from visualizer.ui.window import Window

Key, CONTROL = Qt.Key, Qt.KeyboardModifier.ControlModifier
BEYOND = {"open", "open-folder", "save", "export", "export-data", "quit", "undo", "redo", "present", "restore", "black",
          "white", "keys", "choose-inputs", "motion", "contrast",
          "lesson-continue", "lesson-film", "lesson-print", "lesson-quiz", "lesson-notes", "page", "code"}
"""Commands that change nothing in the State: dialogs, the end, and what lies over everything; wishes of a person, who
takes them back by the same key: undoing what was done to a picture does not bring the movement back; and a lesson that
goes on, from which leaving it brings one back."""
START = changed(State(), at="conv2.backward@0.5", focus=Focus("conv2", (7, 3, 5)), view="microscope")


@pytest.fixture(scope="module")
def digits():
    return load(registry.folder("assets") / "traces" / "digits_cnn.trace")


def opened(qtbot, store):
    window = shown(qtbot, store)
    qtbot.addWidget(window)
    return window


def shown(qtbot, store):
    the_app.application()
    window = Window(store)
    window.resize(1600, 900)
    with qtbot.waitExposed(window):
        window.show()
    window.rail.fill()
    qtbot.waitUntil(lambda: bool(window.menus.actions))
    return window


@pytest.fixture
def window(qtbot, digits):
    return opened(qtbot, Store(START, digits))


def chosen(state: State) -> State:
    """What undo brings back: it never starts playing, and keeps the size of the window."""
    return changed(state, playing=False, stepping=0, look=replace(state.look, size=(1, 1)))


def there_and_back(window, before: State) -> None:
    """Undo until nothing is left leads to where one began; redo to where one was."""
    after = chosen(window.store.state)
    steps = 0
    while window.store.can_undo:
        QTest.keyClick(window, Key.Key_Z, CONTROL)
        steps += 1
        assert steps < 50
    assert chosen(window.store.state) == chosen(before)
    while window.store.can_redo:
        QTest.keyClick(window, Key.Key_Z, CONTROL | Qt.KeyboardModifier.ShiftModifier)
    assert chosen(window.store.state) == after


@pytest.fixture(scope="module")
def spare():
    """A window, or none, in which all that was done has been taken back: to make one takes longer than a command."""
    kept = []
    yield kept
    for window in kept:
        window.close()
        window.deleteLater()


@pytest.mark.matrix(spine=("microscope",), sample=12, each=False)
@pytest.mark.parametrize("name", [command.name for command in commands() if command.name not in BEYOND])
@pytest.mark.parametrize("view", ["microscope", "network"])
def test_every_command_can_be_taken_back(qtbot, digits, spare, name, view):
    window = spare.pop() if spare else shown(qtbot, Store(START, digits))
    window.store.update(view=view, playing=False, undoable=False)
    before = window.store.state
    window.run(name)
    changed = chosen(window.store.state) != chosen(before)
    assert changed == window.store.can_undo or name == "play"
    there_and_back(window, before)
    if changed and not window.starting:
        while window.store.can_undo:
            window.store.undo()
        window.store._redo.clear()
        window.store.update(view=START.view, undoable=False)
        assert chosen(window.store.state) == chosen(START)
        spare.append(window)
    else:  # it may have opened something that no State knows of
        window.close()
        window.deleteLater()


def test_most_commands_do_change_something(window):
    """Or the test above would prove nothing."""
    found = 0
    for command in commands():
        if command.name not in BEYOND:
            before = chosen(window.store.state)
            window.run(command.name)
            found += chosen(window.store.state) != before
    assert found >= 24


def test_options_of_a_view_can_be_taken_back(window):
    before = window.store.state
    window.menus.fill_options(window.menus.options)
    action = next(action for action in window.menus.options.actions()
                  if action.isCheckable() and not action.isChecked())
    action.trigger()
    assert window.store.state.look.knobs != before.look.knobs
    there_and_back(window, before)


def test_model_and_sample_can_be_taken_back(window):
    before = window.store.state
    window.rail.models.rows[1].click()
    window.rail.grid.choose(3)
    assert (window.store.state.model, window.store.state.sample) != (before.model, before.sample)
    there_and_back(window, before)


def test_one_drag_of_the_speed_is_one_step(window):
    before, slider = window.store.state, window.transport.speed
    for first, last in ((20, 60), (60, 30)):
        QTest.mousePress(slider, Qt.MouseButton.LeftButton, pos=QPoint(first, 10))
        for x in range(first, last, 5 if last > first else -5):
            QTest.mouseMove(slider, QPoint(x, 10))
        QTest.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=QPoint(last, 10))
    steps = 0
    while window.store.can_undo:
        window.run("undo")
        steps += 1
    assert steps == 2
    assert window.store.state.speed == before.speed


def test_a_scrub_and_a_drag_of_the_pixel_are_one_step_each(window):
    window.store.update(view="network", focus=Focus("conv2", (7, 3, 5)), at="conv2.forward", undoable=False)
    before, stage = window.store.state, window.stage
    window.store.end_gesture()
    for at in ("conv1.forward", "relu1.forward@0.5", "pool1.forward"):
        stage.store.apply(lambda state, at=at: changed(state, at=at), gesture="scrub")
    stage.store.end_gesture()
    for cell in ((7, 3, 6), (7, 4, 6)):
        stage._mark(Focus("conv2", cell))
    window.run("undo")
    assert window.store.state.focus == Focus("conv2", (7, 3, 5))
    window.run("undo")
    assert chosen(window.store.state) == chosen(before)


# --- the drawing itself ---------------------------------------------------------------------------------------------

class Deaf:
    """An engine that hears what is asked and never answers."""

    def __init__(self):
        self.asked = []

    def __getattr__(self, name):
        class Signal:
            def connect(self, slot):
                pass
        return Signal()

    def request(self, name, **wishes):
        self.asked.append(wishes)
        return len(self.asked)


@pytest.fixture
def drawing(window):
    """The pad, and what the engine was asked for."""
    window.store.update(view="network", undoable=False)
    engine = Deaf()
    recorder = Recorder(window.store, engine, window)
    window.drawn.connect(recorder.draw)
    window.run("draw")
    return window.rail.pad, engine


def stroke(pad, x):
    QTest.mousePress(pad.sheet, Qt.MouseButton.LeftButton, pos=QPoint(x, 40))
    for y in range(50, 130, 10):
        QTest.mouseMove(pad.sheet, QPoint(x, y))
    QTest.mouseRelease(pad.sheet, Qt.MouseButton.LeftButton, pos=QPoint(x, 120))


def test_each_stroke_is_taken_back_by_itself_and_the_ink_returns(window, drawing):
    pad, engine = drawing
    inks = [pad.sheet.ink()]
    for x in (60, 90, 120):
        stroke(pad, x)
        inks.append(pad.sheet.ink())
    assert len({ink.tobytes() for ink in inks}) == 4
    for ink in inks[2:0:-1]:
        window.run("undo")
        np.testing.assert_array_equal(pad.sheet.ink(), ink)
        np.testing.assert_array_equal(unpacked(window.store.state.drawing), ink)
        assert engine.asked[-1]["sample"] == "drawn"
    window.run("undo")
    assert window.store.state.sample == "digit-2148"
    assert not pad.sheet.ink().any()
    for ink in inks[1:]:
        window.run("redo")
        np.testing.assert_array_equal(pad.sheet.ink(), ink)
    assert not window.store.can_redo


def test_a_cleared_sheet_can_be_had_back(window, drawing):
    pad, _ = drawing
    stroke(pad, 80)
    ink, state = pad.sheet.ink(), window.store.state
    pad.clear.click()
    assert not pad.sheet.ink().any()
    window.run("undo")
    np.testing.assert_array_equal(pad.sheet.ink(), ink)
    assert window.store.state == state
    window.run("undo")
    assert window.store.state.sample == "digit-2148"


def test_a_sample_after_a_drawing_leads_back_to_the_drawing(window, drawing):
    pad, engine = drawing
    stroke(pad, 80)
    ink = pad.sheet.ink()
    window.store.update(sample="digit-3")
    window.run("undo")
    assert window.store.state.sample == "drawn"
    np.testing.assert_array_equal(unpacked(window.store.state.drawing), ink)
    np.testing.assert_array_equal(engine.asked[-1]["pixels"], ink)


def test_a_new_pad_shows_the_drawing_that_is_open(qtbot, digits):
    ink = np.zeros((112, 112), np.uint8)
    ink[20:100, 50:60] = 255
    window = opened(qtbot, Store(changed(State(), sample="drawn", drawing=packed(ink)), digits))
    window.run("draw")
    np.testing.assert_array_equal(window.rail.pad.sheet.ink(), ink)


# --- typed text -----------------------------------------------------------------------------------------------------

def test_a_typed_text_is_taken_back_to_the_text_before(qtbot):
    trace = record.record("char_lstm", "text:to be")
    window = opened(qtbot, Store(changed(State(), model="char_lstm", sample="text:to be", view="unrolled"), trace))
    field = window.rail.typed.field
    before = window.store.state
    field.setFocus()
    field.moveCursor(field.textCursor().MoveOperation.End)
    QTest.keyClicks(field, " or not")
    assert window.store.state.sample == "text:to be or not"
    window.stage.setFocus()
    window.run("undo")
    assert window.store.state.sample == before.sample
    assert field.toPlainText() == "to be"
    window.run("redo")
    assert field.toPlainText() == "to be or not"
