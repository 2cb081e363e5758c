"""The bar of what is done to the input, and the curves under the stage: what each part changes, and what it shows."""

import json
from dataclasses import replace

import pytest
from PySide6.QtCore import QEvent, QObject, QPointF, Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest

from visualizer import comparison, load, registry
from visualizer.curve import Curve, Point
from visualizer.record import record
from visualizer.scene import state as does
from visualizer.scene.accuracy import plot
from visualizer.scene.recipe import ModelRecipe
from visualizer.scene.state import Place, State, changed
from visualizer.ui.counting import Counting, CurvePane
from visualizer.ui.panes import BAR, CURVES
from visualizer.ui.store import Recording, Store
from visualizer.ui.what_if import WhatIf
from visualizer.ui.window import Window

SIZES = ((1600, 900), (1366, 768), (1024, 768), (960, 640))


@pytest.fixture
def trace():
    return load(registry.folder("assets") / "traces" / "digits_cnn.trace")


@pytest.fixture
def bar(qapp, trace):
    made = WhatIf(Store(State(), trace))
    made.resize(1104, 48)
    return made


def given(bar):
    return does.given(bar.store.state)


def test_choosing_does_it_and_undo_takes_it_back(bar):
    assert given(bar) == ()
    assert bar.number() == ""
    bar.choose("shift")
    assert (given(bar), bar.number(), bar.strength) == (("shift:3",), "3 px", 3)
    bar.choose("rotate")
    assert (given(bar), bar.number()) == (("rotate:30",), "30°")
    bar.store.undo()
    assert given(bar) == ("shift:3",)
    assert bar.chosen == "shift"
    bar.choose("")
    assert given(bar) == ()
    bar.store.undo()
    assert given(bar) == ("shift:3",)
    bar.choose("noise", further=True)
    assert given(bar) == ("shift:3", "noise:0.3")
    bar.choose("blur")
    assert given(bar) == ("shift:3", "blur:1.5"), "the one that is shown gives way, the other stays"


def test_the_slider_keeps_direction_seed_and_place_down_to_nothing_and_up_again(bar):
    bar.choose("shift")
    bar.pad.turned.emit(-1, 1)
    assert given(bar) == ("shift:-3,3",)
    for word, wanted in (("5", ("shift:-5,5",)), ("0", ()), ("2", ("shift:-2,2",))):
        bar.turn("shift", word, False)
        assert given(bar) == wanted
        assert bar.chosen == "shift"
    bar.choose("noise")
    bar.roll()
    bar.roll()
    assert given(bar) == ("noise:0.3,2",)
    assert bar.die.text() == "seed 2"
    bar.by(-1)
    assert given(bar) == ("noise:0.25,2",)
    bar.choose("occlude")
    bar.pad.turned.emit(1, 0)
    bar.turn("occlude", "4", True)
    assert given(bar) == ("occlude:4,7",)
    bar.choose("rotate")
    bar.turn("rotate", "-45", True)
    assert (bar.strength, bar.number()) == (-45, "-45°")
    bar.set_strength(60)
    assert given(bar) == ("rotate:-60",), "a point of a curve is reached in the direction of now"


def test_a_drag_is_one_step_of_undo(bar):
    bar.choose("shift")
    bar.store.end_gesture()
    for word in "4567":
        bar.turn("shift", word, False)
    bar.store.undo()
    assert given(bar) == ("shift:3",)


def test_what_has_no_strength_is_typed_and_bad_words_are_one_sentence(bar):
    said = []
    bar.said.connect(said.append)
    bar.choose("swap")
    assert (given(bar), bar.field.text(), bar.slider) == (("swap:1,2",), "1,2", None)
    bar.field.setText("3, 9")
    bar.field.returnPressed.emit()
    assert given(bar) == ("swap:3,9",)
    bar.field.setText("x")
    bar.field.returnPressed.emit()
    assert given(bar) == ("swap:3,9",)
    assert said == ["The edit 'swap:x' cannot be read; write swap:FIRST,SECOND."]
    bar.choose("reverse")
    assert given(bar) == ("reverse",)
    assert bar.field.isHidden()
    bar.set_strength(0)
    assert given(bar) == ()
    bar.set_strength(1)
    assert given(bar) == ("reverse",)


def test_what_is_offered_fits_the_input(bar):
    offered = set(bar._names())
    assert {"rotate", "erase", "shuffle_rows"} <= offered
    assert not {"substitute", "shuffle_words"} & offered
    bar.choose("rotate")
    bar.store.update(model="sentiment_gru", sample="", edits=())
    assert "rotate" not in bar._names()
    assert {"substitute", "shuffle_words", "reverse"} <= set(bar._names())
    assert "shuffle_rows" not in bar._names()
    bar.choose("substitute")
    assert given(bar) == ("substitute:1,the",)
    bar.store.update(model="surname_gru", sample="", edits=())
    titles = [button.text() for button in bar.choices.buttons]
    assert "Shuffle letters" in titles
    bar.store.apply(does.enter_lab)
    assert bar.grain is None


def test_all_places_are_changed_together_and_keep_what_is_done_to_their_networks(bar):
    bar.store.apply(does.another_place)
    bar.store.update(edits=("untrained",))
    bar.choose("blur")
    assert [place.recipe.edits for place in bar.store.state.places] == [("blur:1.5",), ("untrained", "blur:1.5")]
    bar.choose("")
    assert [place.recipe.edits for place in bar.store.state.places] == [(), ("untrained",)]


def test_the_pad_is_a_hand_s(qapp, bar):
    bar.choose("shift")
    bar.show()
    ways = []
    bar.pad.turned.connect(lambda *way: ways.append(way))
    side = bar.pad.width()
    for x, y in ((2, 2), (side / 2, side / 2), (side - 2, side / 2)):
        QTest.mouseClick(bar.pad, Qt.MouseButton.LeftButton, pos=QPointF(x, y).toPoint())
    assert ways == [(-1, -1), (1, 0)], "the middle is no direction"
    QTest.keyClick(bar.pad, Qt.Key.Key_Down)
    assert given(bar) == ("shift:3,3",)
    assert bar.pad.said() == "to the right and down"


@pytest.mark.parametrize("wide", [1304, 1104, 960, 870, 700])
def test_nothing_of_the_bar_lies_over_anything_else(bar, wide):
    bar.show()
    bar.resize(wide, 48)
    for name in bar._names():
        bar.choose(name)
        every = (bar.choices, bar.more, bar.slider, bar.pad, bar.die, bar.field, bar.curves, bar.reset,
                 bar.close_button)
        parts = [part for part in every if part is not None and not part.isHidden()]
        for place, one in enumerate(parts):
            assert bar.rect().contains(one.geometry()), (name, one)
            for other in parts[place + 1:]:
                assert not one.geometry().intersects(other.geometry()), (name, one, other)
        shown = [button.text() for button in bar.choices.row()] if not bar.choices.isHidden() else [bar.more.text()]
        assert "Nothing" in shown or not name or bar.chosen == name
    bar.hide()


# --- in the window --------------------------------------------------------------------------------------------------

def test_the_bar_comes_with_an_edit_or_a_key_and_leaves_the_stage_its_room(qapp, trace):
    window = Window(Store(State(), trace))
    window.resize(1600, 900)
    window.show()
    whole = window.stage.geometry()
    assert "bar" not in vars(window.panes), "nobody has asked for it"
    window.run("what-if")
    assert window.panes.bar.isVisible()
    assert window.stage.geometry() == whole.adjusted(0, BAR, 0, 0)
    window.panes.bar.choose("shift")
    assert window.panes.curves.isVisible()
    assert window.stage.geometry() == whole.adjusted(0, BAR, 0, -CURVES)
    window.run("right-answers")
    assert window.stage.geometry() == whole.adjusted(0, BAR, 0, 0)
    window.run("stronger")
    assert does.given(window.store.state) == ("shift:4",)
    window.run("what-if")
    assert not window.panes.bar.isVisible()
    assert window.stage.geometry() == whole
    window.panes.bar_open = None
    window.store.apply(does.unedited)
    assert not window.panes.barred
    window.store.apply(lambda state: does.edited(state, "noise:0.2"))
    assert window.panes.bar.isVisible()
    window.run("another-seed")
    assert does.given(window.store.state) == ("noise:0.2,1",)
    window.go_to_start()
    assert not window.panes.bar.isVisible()
    window.leave_start()
    window.store.apply(does.enter_lab)
    assert not window.panes.barred
    window.close()


@pytest.mark.parametrize("size", SIZES)
def test_in_every_window_bar_and_curves_stand_beside_the_stage(qapp, trace, size):
    window = Window(Store(changed(State(), edits=("shift:3,3",)), trace))
    window.resize(*size)
    window.show()
    panes = window.panes
    assert panes.bar.isVisible()
    assert panes.curves_open is None
    for _ in range(2):
        window.run("right-answers")
        stage = window.stage.geometry()
        assert stage.height() > 150
        assert not stage.intersects(panes.bar.geometry())
        if panes.curves.isVisible():
            assert not stage.intersects(panes.curves.geometry())
            assert panes.curves.geometry().bottom() < panes.transport.y()
    window.close()


def test_a_drag_on_the_input_moves_it_by_its_own_pixels(qapp, trace):
    window = Window(Store(State(), trace))
    window.resize(1600, 900)
    window.show()
    stage, bar = window.stage, window.panes.bar
    image = next(mark for mark in stage.picture if getattr(mark, "focus", None) is not None
                 and mark.focus.layer == "input" and hasattr(mark, "cell"))
    cell = image.cell[0]
    start = QPointF(image.x + 10 * cell, image.y + 10 * cell)

    def drag(by, steps=3):
        stage.mousePressEvent(mouse(QEvent.Type.MouseButtonPress, start))
        for step in range(1, steps + 1):
            stage.mouseMoveEvent(mouse(QEvent.Type.MouseMove, start + by * step / steps))
        stage.mouseReleaseEvent(mouse(QEvent.Type.MouseButtonRelease, start + by))

    drag(QPointF(3 * cell, -2 * cell))
    assert does.given(window.store.state) == (), "as long as the bar is away a drag there does what it did"
    window.run("what-if")
    image = next(mark for mark in stage.picture if getattr(mark, "focus", None) is not None
                 and mark.focus.layer == "input" and hasattr(mark, "cell"))
    cell = image.cell[0]
    start = QPointF(image.x + 10 * cell, image.y + 10 * cell)
    drag(QPointF(3 * cell, -2 * cell))
    assert does.given(window.store.state) == ("shift:3,-2",)
    window.store.undo()
    assert does.given(window.store.state) == ()
    bar.drag("occlude:8", 4, 1)
    assert does.given(window.store.state) == ("occlude:8,4,1",)
    assert bar.dragged() == "occlude:8,4,1"
    bar.drag("", 0, 0)
    bar.choose("")
    bar.drag("shift:2,1", -2, -1)
    assert does.given(window.store.state) == ()
    window.close()


def mouse(kind, at):
    buttons = Qt.MouseButton.NoButton if kind == QEvent.Type.MouseButtonRelease else Qt.MouseButton.LeftButton
    return QMouseEvent(kind, at, at, Qt.MouseButton.LeftButton, buttons, Qt.KeyboardModifier.NoModifier)


# --- counting -------------------------------------------------------------------------------------------------------

class Engine(QObject):
    """Hears what is asked, and says what the test has it say."""

    answered, refused, failed = Signal(int, str, object), Signal(int, str), Signal(int, str)
    progress = Signal(int, float, str)

    def __init__(self):
        super().__init__()
        self.asked, self.cancelled = [], []

    def request(self, name, lane="", **arguments):
        self.asked.append((name, arguments))
        return len(self.asked)

    def cancel(self, number):
        self.cancelled.append(number)


def curve(points):
    return Curve("digits_cnn", "CNN", ("shift:8,8",), "shift", tuple(map(float, range(9))),
                 tuple(Point(float(at), 100 - 10 * at, 100, 0, 100 - 10 * at, 100, 100) for at in range(points)), 0.1,
                 100, "digits")


def test_so_many_curves_are_at_hand_and_those_that_were_counted_first_go(bar):
    counting = Counting(bar.store, bar)
    for at in (*range(70), 69, 10):
        counting._keep(("digits_cnn", (f"shift:{at}",), "shift"), curve(1))
    assert [words for _, (words,), _ in counting.known] == [f"shift:{at}"
                                                            for at in (*range(6, 10), *range(11, 70), 10)]
    assert len(counting.known) == 64


def test_curves_are_asked_for_once_a_direction_stream_in_and_are_cancelled(bar):
    engine, counting = Engine(), Counting(bar.store, bar)
    counting.attach(engine)
    heard = []
    counting.changed.connect(lambda: heard.append(len(counting.curves)))
    counting.turn(True)
    counting._ask()
    assert engine.asked == []
    bar.choose("shift")
    bar.pad.turned.emit(1, 1)
    counting._ask()
    assert engine.asked[-1] == ("curve", {"model": "digits_cnn", "edits": ["shift:8,8"], "grows": "shift"})
    engine.progress.emit(1, 0.2, json.dumps(curve(2).plain()))
    assert counting.curves == (curve(2),)
    bar.turn("shift", "5", False)
    counting._ask()
    assert len(engine.asked) == 1, "another strength is another point of the same curve"
    bar.turn("shift", "0", False)
    counting._ask()
    assert len(engine.asked) == 1
    bar.turn("shift", "4", False)
    bar.pad.turned.emit(1, 0)
    counting._ask()
    assert engine.cancelled == [1]
    assert engine.asked[-1][1]["edits"] == ["shift:8"]
    engine.answered.emit(1, "curve", {"curve": curve(9).plain()})
    assert counting.curves == (), "what was cancelled is not heard"
    bar.pad.turned.emit(1, 1)
    counting._ask()
    assert counting.curves == (curve(2),), "what it had is kept"
    engine.answered.emit(3, "curve", {"curve": curve(9).plain()})
    assert counting.curves == (curve(9),)
    counting._ask()
    assert len(engine.asked) == 3
    bar.choose("rotate")
    counting._ask()
    engine.refused.emit(4, "It cannot.")
    assert counting.sentence == "It cannot."
    counting._ask()
    assert len(engine.asked) == 4
    bar.store.apply(does.another_place)
    bar.store.update(edits=("untrained", *given(bar)))
    counting._ask()
    assert engine.asked[-1][1]["edits"] == ["untrained", "rotate:90"]
    counting.turn(False)
    assert engine.cancelled[-1] == 5
    assert heard


def test_a_click_on_the_curve_is_that_strength(bar):
    counting = Counting(bar.store, bar)
    bar.choose("shift")
    bar.pad.turned.emit(1, 1)
    pane = CurvePane(counting)
    pane.resize(1104, 204)
    counting.known[counting.wanted[0]] = replace(curve(9))
    pane.show_state()
    assert pane.only_whole.isHidden()
    left, _, right, _ = plot(counting.curves, pane.area())
    for strength in (6, 0, 2):
        at = QPointF(left + (right - left) * strength / 8 + 3, 100)
        pane.mousePressEvent(mouse(QEvent.Type.MouseButtonPress, at))
        assert bar.strength == strength
        assert given(bar) == ((f"shift:{strength},{strength}",) if strength else ())
    assert "80.0 %" in pane.accessibleDescription()
    assert not pane.grab().isNull()


def test_in_a_comparison_the_curves_stand_in_the_picture_and_a_click_there_is_a_strength(qapp, trace):
    places = tuple(Place(ModelRecipe("digits_cnn", ("digit-2148",), edits=("shift:3,3", *own))) for own in
                   ((), ("untrained",)))
    window = Window(Store(State(places, compare="share")))
    window.resize(1600, 900)
    window.show()
    store = window.store
    for place in places:
        for recipe in (place.recipe, does.as_it_was(place.recipe)):
            made = record("digits_cnn", "digit-2148", edits=recipe.edits)
            store._hold(recipe, Recording(made))
    store.set_trace(store.kept(places[0].recipe).trace, None, store.state)
    assert [reader.curve for reader in store.readers] == [None, None]
    assert not window.panes.curves.isVisible() if "curves" in vars(window.panes) else True
    counting = window.panes.counting
    assert counting.on
    for asked in counting.wanted:
        counting.known[asked] = curve(9)
    counting.changed.emit()
    assert [reader.curve for reader in store.readers] == [curve(9), curve(9)]
    box = comparison.layout(store.readers, replace(store.state.look, size=window.stage.picture.size), 0).curves
    left, top, right, bottom = plot([curve(9)] * 2, (box.left, box.top + 8, box.width, box.height - 8))
    at = QPointF(left + (right - left) * 5 / 8, (top + bottom) / 2)
    window.stage.mousePressEvent(mouse(QEvent.Type.MouseButtonPress, at))
    assert [place.recipe.edits for place in store.state.places] == [("shift:5,5",), ("untrained", "shift:5,5")]
    carried = comparison.carried(store._compared[2])
    assert [reader.curve for reader in comparison.received(replace(store.state, places=places), carried)] == \
        [curve(9), curve(9)]
    window.close()
