"""Compare in the window: the tab, its partners, in step, scrubbed and played together; its files are the stage."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QMouseEvent

from tests.test_comparison import trace_of
from tests.test_window import opened, press
from visualizer import comparison, registry, start
from visualizer.comparison.partners import partners
from visualizer.comparison.path import share_of
from visualizer.costs import Measured
from visualizer.scene import state as does
from visualizer.scene.recipe import ModelRecipe
from visualizer.scene.state import State, changed, from_json, to_json
from visualizer.trace import Refused, load
from visualizer.ui import filming
from visualizer.ui.recorder import Recorder
from visualizer.ui.saving import panel, pictured
from visualizer.ui.store import Store

Key, LEFT = Qt.Key, Qt.MouseButton.LeftButton


def fed(store):
    """The store with somebody who records at once."""
    def record(*changed):
        for wanted in store.wanted():
            if store.kept(wanted.recipe) is None:
                store.set_trace(trace_of(wanted.model, wanted.sample, wanted.edits), None, asked=wanted)

    store.wants_trace.connect(lambda state: store.set_trace(
        trace_of(state.model, state.sample, state.edits), None, asked=state))
    store.changed.connect(record)
    return store


@pytest.fixture
def window(qtbot):
    digits = load(registry.folder("assets") / "traces" / "digits_cnn.trace")
    made = opened(qtbot, fed(Store(changed(State(), at="pool1.forward"), digits)))
    made.run("compare")
    return made


def shares(store):
    return [share_of(reader.trace, moment) for reader, moment in zip(store.readers, store.moments, strict=True)]


def test_the_tab_brings_the_natural_partners_and_another_tab_takes_them_away(window):
    models = [place.recipe.model for place in window.store.state.places]
    assert models == ["digits_cnn", "rows_lstm", "mlp_mnist"]
    assert window.top.chosen == "compare"
    assert "Rows LSTM" in window.stage.picture.caption
    tabs = [view.name for view in window.top.views]
    assert tabs.index("compare") < 4, "it is seen, not behind the last tab"
    window.top.view_chosen.emit("filters")
    assert (window.store.state.compare, window.store.state.view, len(window.store.state.places)) == ("", "filters", 1)
    assert "filters" == window.top.chosen


def test_places_that_were_open_stay_open(qtbot):
    digits = load(registry.folder("assets") / "traces" / "digits_cnn.trace")
    store = fed(Store(changed(State(), at="pool1.forward"), digits))
    store.apply(does.another_place)
    store.update(model="rows_rnn")
    store.apply(lambda state: does.compared(state, partners(state.recipe, "image")))
    assert [place.recipe.model for place in store.state.places] == ["digits_cnn", "rows_rnn"]
    store.apply(lambda state: does.apart(state, "network"))
    assert len(store.state.places) == 2


def test_all_walk_at_one_share_and_whoever_one_stands_in_stays_in_step(window):
    store = window.store
    press(window, Key.Key_Right)
    lead = shares(store)
    assert lead == pytest.approx([lead[0]] * 3)
    before = window.stage.picture.moving[0]
    press(window, Key.Key_3)
    assert (store.state.active, store.state.alone) == (2, 3)
    assert shares(store) == pytest.approx(lead, abs=1e-6), "nobody jumps when one stands in another network"
    press(window, Key.Key_3)
    assert store.state.alone == 0
    assert window.stage.picture.moving[0] == before


def test_a_drag_on_any_line_scrubs_all(window, qtbot):
    store, stage = window.store, window.stage
    placed = comparison.layout(store.readers, replace(store.state.look, size=stage.picture.size))
    x = int(placed.lanes.left + 0.4 * placed.lanes.width)
    for line in range(3):
        y = int(placed.lanes.top + 20 + (line + 0.5) * placed.lane)
        qtbot.mouseClick(stage, LEFT, pos=QPoint(x + 20 * line, y))
        wanted = (x + 20 * line - placed.lanes.left) / placed.lanes.width
        assert shares(store) == pytest.approx([wanted] * 3, abs=0.01)
        assert store.state.active == 0


def test_a_click_stands_in_a_network_and_a_double_click_opens_it(window, qtbot):
    store, stage = window.store, window.stage
    placed = comparison.layout(store.readers, replace(store.state.look, size=stage.picture.size))
    inside = QPoint(int(placed.places[1].picture.left + 60), int(placed.places[1].picture.top + 5))
    qtbot.mouseClick(stage, LEFT, pos=inside)
    assert store.state.active == 1
    qtbot.mouseDClick(stage, LEFT, pos=inside)
    assert (store.state.compare, store.state.model, store.state.view) == ("", "rows_lstm", "network")
    store.undo()
    assert (store.state.compare, len(store.readers)) == ("share", 3)


def test_a_pixel_under_the_pointer_is_marked_in_all(window):
    store, stage = window.store, window.stage
    placed = comparison.layout(store.readers, replace(store.state.look, size=stage.picture.size))
    at = QPointF(placed.input.left + 0.5 * placed.input.width, placed.input.top + 0.25 * placed.input.height)
    none = Qt.MouseButton.NoButton
    stage.mouseMoveEvent(QMouseEvent(QEvent.Type.MouseMove, at, at, none, none, Qt.KeyboardModifier.NoModifier))
    row, column = stage._pixel.cell
    assert (6 <= row <= 8, 13 <= column <= 15) == (True, True)
    assert sum(getattr(mark, "dashed", False) for mark in stage.picture.moving) >= 2, "the row of the LSTM among them"


def test_what_is_done_to_the_input_is_done_to_that_of_all(window):
    store = window.store
    store.apply(lambda state: does.shifted(state, 3, 0))
    assert {place.recipe.edits for place in store.state.places} == {("shift:3",)}
    assert all(reader.before is not None for reader in store.readers)
    store.apply(lambda state: does.to_input(state, "digit-11"))
    assert {place.recipe.inputs for place in store.state.places} == {("digit-11",)}
    assert {reader.trace.sample.name for reader in store.readers} == {"digit-11"}
    store.apply(does.unedited)
    assert all(reader.before is None for reader in store.readers)


def test_playing_moves_all_of_them_evenly(window):
    store = window.store
    times = store.timeline
    for second in (0, 1.3, 7):
        moment = times.at(second)
        store.update(at=moment.address, playing=True)
        assert shares(store) == pytest.approx([shares(store)[0]] * 3, abs=1e-6)
    assert "Share" in window.transport.counter()


def test_by_beats_one_stands_in_the_longest_way(window):
    press(window, Key.Key_J)
    assert (window.store.state.compare, window.store.state.model) == ("beat", "rows_lstm")
    press(window, Key.Key_J)
    press(window, Key.Key_J)
    assert window.store.state.compare == "share"


def test_its_film_and_its_files_are_what_the_stage_shows(window, tmp_path):
    store, stage = window.store, window.stage
    store.apply(lambda state: does.shifted(state, 2, 1))
    store.set_measured({place.recipe: Measured(0.5, 9, "torch", 390, 400) for place in store.state.places})
    shown = stage.picture
    assert panel(store, shown.size).draw(shown.size).dump() == shown.dump()
    found = filming.recordings(store)
    assert len(found) == 6, "all places, and what each made of the input as it was"
    film = filming.filmed(found, pictured(store), filming.Wish())
    film = replace(film, look=replace(film.look, size=shown.size))
    for frame in (0, film.count // 3, film.count - 1):
        store.update(at=film.address(frame))
        assert film.picture(frame).dump() == stage.picture.dump()


def test_a_comparison_is_saved_and_opened_as_it_was(window):
    state = window.store.state
    assert from_json(to_json(state)) == state
    for wrong in ('"compare": "shore"', '"alone": 9'):
        name = wrong.partition(":")[0]
        text = to_json(state)
        start = text.index(name)
        end = text.index(",", start)
        with pytest.raises(Refused):
            from_json(text[:start] + wrong + text[end:])


@pytest.mark.parametrize(("model", "kind", "count"), [
    ("digits_cnn", "image", 2), ("rows_rnn", "image", 2), ("mine.pt2", "image", 3), ("char_gru", "text", 2),
    ("crnn_strip", "strip", 1)])
def test_whoever_is_alone_finds_partners_that_read_the_same(model, kind, count):
    found = partners(ModelRecipe(model, ("x",)), kind)
    assert len(found) >= count
    assert all(recipe.inputs == ("x",) for recipe in found)
    assert model not in {recipe.model for recipe in found} or found[0].edits == ("untrained",)


def test_what_cannot_read_the_input_goes_and_the_others_are_named(window):
    class Engine(QObject):
        ready, answered, refused, failed, died, progress, slow = (
            Signal(object), Signal(int, str, object), Signal(int, str), Signal(int, str), Signal(str),
            Signal(int, float, str), Signal(int, float, float, str))

        def request(self, name, **arguments):
            return 7

    store, said = window.store, []
    recorder = Recorder(store, Engine(), window)
    recorder.said.connect(said.append)
    other = replace(store.state, active=1)
    recorder._not_beside(other, "Rows LSTM reads something else.")
    assert [place.recipe.model for place in store.state.places] == ["digits_cnn", "mlp_mnist"]
    assert said[0].startswith("Rows LSTM reads something else. Who can: ")
    assert "MLP" in said[0]


def test_the_card_of_the_start_screen_leads_to_a_comparison(window):
    card = next(card for card in start.questions() if card.name == "brains")
    window.open_card(card)
    assert (window.store.state.compare, len(window.store.readers)) == ("share", 3)
    assert "pool2" in window.stage.picture.caption


def test_where_nothing_can_be_compared_a_sentence_says_so_and_the_tab_stays(window, monkeypatch):
    window.store.apply(lambda state: does.apart(state, "network"))
    monkeypatch.setattr("visualizer.ui.commands.places.partners", lambda recipe, kind: ())
    window.top.view_chosen.emit("compare")
    assert "Nothing here reads the same" in window.message.words
    assert (window.store.state.compare, window.top.chosen) == ("", "network")
    checked = [view.name for view, button in zip(window.top.views, window.top.tabs.buttons, strict=True)
               if button.isChecked()]
    assert checked == ["network"]
