"""A gate that was chosen stays open, in the picture and on the keyboard, until another one is."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from tests.recorded import recorded
from visualizer import app, export, paint
from visualizer.export import parse_focus
from visualizer.scene import state as does
from visualizer.scene.picture import Focus, Look, Rect, Text
from visualizer.scene.state import State, changed, from_json, to_json
from visualizer.scene.timeline import timeline
from visualizer.ui import style
from visualizer.ui.stage import Stage
from visualizer.ui.store import Store
from visualizer.views import find

Key, Modifier = Qt.Key, Qt.KeyboardModifier
CELLS = [("char_lstm", "lstm", "input", "Input gate"), ("char_gru", "gru", "update", "Update gate")]


@pytest.fixture(params=CELLS, ids=lambda case: case[1])
def chosen(request, qtbot):
    """(stage, layer, title): a short reading unrolled, with the tab of a gate clicked."""
    model, layer, gate, title = request.param
    paint.load_fonts()
    style.wear(app.application(), "light")
    trace = recorded(model, "to be or not")
    where = changed(State(), model=model, sample="text:to be or not", view="unrolled", at=f"{layer}.forward[6]")
    stage = Stage(Store(where, trace))
    qtbot.addWidget(stage)
    stage.resize(1400, 1100)
    with qtbot.waitExposed(stage):
        stage.show()
    stage.refresh()
    click(stage, lambda mark: mark.focus.array == f"inner.{gate}" and len(mark.focus.cell) == 2)
    assert opened(stage) == [title]
    return stage, layer, title


def click(stage, wanted):
    mark = next(mark for mark in stage.picture if isinstance(mark, Rect) and mark.focus is not None and wanted(mark))
    QTest.mouseClick(stage, Qt.MouseButton.LeftButton, pos=QPoint(int(mark.x + mark.width / 2),
                                                                  int(mark.y + mark.height / 2)))
    stage.refresh()


def opened(stage):
    return [mark.plain.partition(" at step")[0] for mark in stage.picture if isinstance(mark, Text)
            and " at step" in mark.plain and mark.size == 13]


def test_a_click_on_something_else_another_step_view_and_direction_keep_the_gate(chosen):
    stage, layer, title = chosen
    store = stage.store
    for act in (lambda: store.apply(lambda state: does.select(state, store.trace, store.timeline, Focus(layer, (2,)))),
                lambda: store.apply(lambda state: does.step(state, store.timeline, 1)),
                lambda: store.apply(lambda state: does.reverse(state, store.timeline)),
                lambda: store.update(view="network"), lambda: store.update(view="unrolled"),
                lambda: store.apply(does.up), lambda: store.apply(does.up)):
        act()
        stage.refresh()
        assert store.state.view == "network" or opened(stage) == [title], store.state.at
    store.set_trace(recorded(store.state.model, "not to be"))
    stage.refresh()
    assert opened(stage) == [title], "another input"
    assert dict(from_json(to_json(store.state)).look.knobs)["gate"], "a session knows it"


def test_undo_takes_the_choice_back(chosen):
    stage, _, title = chosen
    stage.store.undo()
    stage.refresh()
    assert opened(stage) not in ([], [title])


def test_a_gate_can_be_named_in_a_script():
    trace = recorded("char_lstm", "to be or not")
    at = timeline(trace).find("lstm.forward[6]")
    for view, words in (("unrolled", "Output gate at step 6"), ("cell", "")):
        export.check(trace, view, "light", {"gate": "output_gate"})
        picture, plain = (find(view).draw(trace, at, parse_focus(trace, ""), Look((1024, 1100), knobs=knobs))
                          for knobs in ((("gate", "output_gate"),), ()))
        assert picture.dump() != plain.dump() or view == "cell"
        assert any(words in mark.plain for mark in picture if isinstance(mark, Text))
