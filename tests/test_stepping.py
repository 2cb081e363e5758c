"""Stepping through inputs in the window: what is kept, what is recorded ahead, what is said where it does not go on."""

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QMenu

from tests.test_opening import Quiet
from visualizer import inputs, load, over, registry
from visualizer.over import Inputs
from visualizer.record.run import record
from visualizer.scene import state as does
from visualizer.scene.passage import MOVE, STAND, crossed
from visualizer.scene.picture import Focus
from visualizer.scene.reel import Crossing
from visualizer.scene.state import State, changed, from_json, packed, to_json
from visualizer.trace import Refused
from visualizer.ui.player import Player
from visualizer.ui.recorder import Recorder
from visualizer.ui.store import Store
from visualizer.ui.window import Window

NAMES = inputs.samples("image").words
HERE = changed(State(), at="conv2.backward@0.5", focus=Focus("conv2", (7, 3, 5)), view="microscope")


class Engine(Quiet):
    """One that knows the name of each request, and answers it with what torch makes of it."""

    def request(self, name, /, lane="", **wishes):
        self.asked.append((name, lane, wishes))
        return len(self.asked)

    def work(self, number=0):
        """Answer one of the requests, the last one if it is not said which."""
        number = number or len(self.asked)
        name, _, wishes = self.asked[number - 1]
        trace = record(wishes["model"], wishes["sample"])
        self.answered.emit(number, name, {"trace": trace, "report": None})

    def names(self):
        return [(name, lane, wishes.get("sample")) for name, lane, wishes in self.asked]


@pytest.fixture(scope="module")
def digits():
    return load(registry.folder("assets") / "traces" / "digits_cnn.trace")


@pytest.fixture
def desk(qtbot, digits):
    """A window with a recorder and an engine that is awake: (window, recorder, what was said)."""
    window = Window(Store(HERE, digits, digits.check()))
    qtbot.addWidget(window)
    recorder = Recorder(window.store, Engine(), window)
    said = []
    recorder.said.connect(said.append)
    window.say = lambda sentence, *more: said.append(sentence)
    recorder.engine.ready.emit({"torch": "2"})
    recorder._idle.setInterval(1_000_000)  # what is recorded ahead comes when a test asks for it
    recorder._idle.stop()
    return window, recorder, said


def test_a_step_keeps_all_but_the_input(desk):
    window, recorder, _ = desk
    window.run("next-input")
    assert window.store.state == changed(HERE, sample=NAMES[1])
    assert recorder.engine.names()[-1] == ("record", "", NAMES[1])
    recorder.engine.work()
    assert window.store.trace.sample.name == NAMES[1]
    assert (window.store.state.at, window.store.state.focus) == (HERE.at, HERE.focus)
    window.run("previous-input")
    assert window.store.state == HERE
    assert window.store.trace.sample.name == NAMES[0], "it is at hand still"
    window.store.undo()
    assert window.store.state.sample == NAMES[1]


def test_the_list_ends_and_says_so(desk):
    window, _, said = desk
    window.run("previous-input")
    assert window.store.state == HERE
    assert said == ["This is the first input of 400."]
    window.store.update(sample=NAMES[-1])
    window.run("next-input")
    assert window.store.state.sample == NAMES[-1]
    assert said[-1] == "This is the last input of 400."
    assert not window.transport.inputs.buttons["next-input"].isEnabled()


def test_from_an_input_of_ones_own_the_first_comes_next(desk):
    window, _, _ = desk
    window.store.update(sample="drawn", drawing=packed(np.eye(28, dtype=np.uint8) * 255))
    window.run("next-input")
    assert window.store.state.sample == NAMES[0]


def test_what_comes_next_is_recorded_ahead_and_a_step_then_waits_for_nothing(desk):
    window, recorder, _ = desk
    recorder.look_ahead()
    for place in (1, 2, 3):
        assert recorder.engine.names()[-1] == ("record", "ahead", NAMES[place])
        recorder.engine.work()
    asked = len(recorder.engine.asked)
    window.run("next-input")
    assert not window.store.waiting
    assert window.store.trace.sample.name == NAMES[1]
    assert len(recorder.engine.asked) == asked
    recorder.look_ahead()
    assert recorder.engine.names()[-1] == ("record", "ahead", NAMES[4])


def test_a_step_takes_over_what_is_being_recorded_ahead(desk):
    window, recorder, _ = desk
    recorder.look_ahead()
    window.run("next-input")
    assert len(recorder.engine.asked) == 1, "it is on its way already"
    recorder.engine.work()
    assert window.store.trace.sample.name == NAMES[1]


def test_of_a_key_that_is_held_while_the_engine_is_behind_the_newest_wins(desk):
    window, recorder, _ = desk
    for _ in range(7):
        window.run("next-input")
    assert window.store.state.sample == NAMES[7]
    recorder.engine.work(number=3)
    assert window.store.trace.sample.name == NAMES[0], "nobody waits for that one any more"
    recorder.engine.work()
    assert (window.store.trace.sample.name, window.store.waiting) == (NAMES[7], False)


def test_an_input_that_vanished_is_said_skipped_and_nothing_is_lost(desk):
    window, recorder, said = desk
    window.run("next-input")
    recorder.engine.refused.emit(len(recorder.engine.asked), "There is no file x; check the name.")
    assert said == ["There is no file x; check the name."]
    assert window.store.state == HERE
    assert len(window.store.inputs.words) == 399
    window.run("next-input")
    assert window.store.state.sample == NAMES[2]


def test_other_inputs_are_asked_for_and_their_first_one_comes(desk):
    window, recorder, said = desk
    window.store.apply(lambda state: does.over_inputs(state, "inputs:wrong"))
    assert recorder.engine.asked[-1] == ("over", "", {"model": "digits_cnn", "words": "inputs:wrong", "edits": ()})
    assert window.store.inputs is None
    assert window.transport.inputs.said() == "reading the inputs …"
    found = Inputs(NAMES[3:5], (3, 9), (("a.txt", "The network reads pictures."),))
    recorder.engine.answered.emit(len(recorder.engine.asked), "over", {"inputs": found.plain()})
    assert window.store.inputs == found
    assert said == ["1 input does not fit and is skipped, a.txt: The network reads pictures."]
    assert window.store.state.sample == NAMES[3]
    assert from_json(to_json(window.store.state)) == window.store.state
    window.store.update(model="lenet_mnist")
    assert window.store.state.over == over.INPUTS, "another network answers others wrong"


def test_a_list_that_cannot_be_had_is_one_sentence_and_the_old_one_stays(desk):
    window, recorder, said = desk
    window.store.apply(lambda state: does.over_inputs(state, "inputs:/nowhere"))
    recorder.engine.refused.emit(len(recorder.engine.asked), "There is no folder or file /nowhere; check the name.")
    assert window.store.state == HERE
    assert said == ["There is no folder or file /nowhere; check the name."]
    assert len(window.store.inputs.words) == 400


def test_places_beside_each_other_step_together():
    beside = does.training_beside(changed(State(), model="rows_rnn", sample="digit-7"))
    moved = does.to_input(beside, "digit-11")
    assert [place.recipe.sample for place in moved.places] == ["digit-11", "digit-11"]
    other = replace(beside, places=(changed(beside, sample="digit-3").places[1], beside.places[1]))
    assert [place.recipe.sample for place in does.to_input(other, "digit-11").places] == ["digit-3", "digit-11"]


@pytest.mark.parametrize("words", ["outputs", "inputs;", 3])
def test_a_saved_choice_of_inputs_that_is_none_is_refused(words):
    import json

    plain = json.loads(to_json(State()))
    plain["places"][0]["over"] = words
    with pytest.raises(Refused):
        from_json(json.dumps(plain))


def test_what_was_saved_before_there_were_lists_opens():
    import json

    plain = json.loads(to_json(changed(HERE, over="inputs:wrong")))
    assert from_json(json.dumps(plain)).over == "inputs:wrong"
    del plain["places"][0]["over"], plain["stepping"]
    assert from_json(json.dumps(plain)) == HERE


# --- running ---------------------------------------------------------------------------------------------------------

def test_it_runs_through_the_inputs_at_the_speed_of_the_beats_and_stops_at_the_end(qapp, digits):
    store, now = Store(HERE, digits), [Fraction(0)]
    store.set_inputs(Inputs(NAMES[:3], (None,) * 3), store.state)
    player = Player(store, clock=lambda: now[0])
    for name in NAMES[1:3]:
        recipe = changed(HERE, sample=name).recipe
        store.expect([*store._ahead, recipe])
        store.hold_ahead(recipe, store.kept(HERE.recipe))
    store.wants_trace.connect(lambda state: store.set_trace(digits, None, state))
    store.apply(lambda state: does.run_through(replace(state, speed=2.0), 1))
    seen = []
    for tick in range(14):
        now[0] = Fraction(tick * 100)
        player.tick()
        seen.append(store.state.sample)
    each = int((MOVE + STAND) / 2 * 10)
    assert seen == [NAMES[1]] * each + [NAMES[2]] * (14 - each)
    assert (store.state.stepping, player.running) == (0, False)
    store.apply(lambda state: does.run_through(state, -1))
    player.tick()
    assert store.state.sample == NAMES[1]


def test_it_waits_for_an_input_that_is_not_recorded_yet(qapp, digits):
    store, now = Store(HERE, digits), [Fraction(0)]
    player = Player(store, clock=lambda: now[0])
    store.apply(lambda state: does.run_through(state, 1))
    for tick in range(5):
        now[0] = Fraction(tick * 2000)
        player.tick()
    assert (store.state.sample, store.waiting) == (NAMES[1], True)


def test_running_and_playing_take_turns():
    assert does.run_through(replace(HERE, playing=True), 1) == replace(HERE, stepping=1)
    assert does.run_through(replace(HERE, stepping=1), 1) == HERE
    assert does.still_at(replace(HERE, stepping=1), NAMES[5]).stepping == 0


# --- what is seen ----------------------------------------------------------------------------------------------------

def test_the_stage_shows_what_a_film_shows_between_two_inputs(qtbot, digits):
    window = Window(Store(changed(State(), at="conv2.forward"), digits))
    qtbot.addWidget(window)
    window.resize(1280, 800)
    with qtbot.waitExposed(window):
        window.show()
    told = {}
    window.stage.glide = lambda owner, seconds, function, travels=True: told.update({owner[-1]: (seconds, function)})
    before = window.stage.picture
    store = window.store
    store.wants_trace.connect(lambda state: store.set_trace(record(state.model, state.sample), None, state))
    window.run("next-input")
    seconds, show = told["input"]
    assert seconds == float(MOVE)
    after = window.picture
    assert after != before, "what is exported is the input that is reached"
    for share in (0.2, 0.7):
        show(share)
        assert window.stage.picture == crossed(Crossing(before, after), share)
    assert window.stage.describe(None) == ""
    window.run("next-input")
    assert window.stage.standing != after
    told["input"][1](1.0)
    assert window.stage.picture is window.stage.standing
    told.clear()
    store.update(view="filters")
    assert "input" not in told


def test_the_track_says_which_input_it_is_and_the_wheel_goes_on(desk):
    window, _, _ = desk
    track = window.transport.inputs
    assert track.said() == "input 1 of 400, labelled 4, answered 4"
    window.resize(1600, 900)
    track.resize(1600, 32)

    def turned(by):
        track.wheelEvent(QWheelEvent(QPointF(5, 5), QPointF(5, 5), QPoint(), QPoint(0, by), Qt.MouseButton.NoButton,
                                     Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False))

    turned(-60)
    assert window.store.state.sample == NAMES[0], "half a notch"
    turned(-60)
    assert window.store.state.sample == NAMES[1]
    assert track.said() == "input 2 of 400 …"
    turned(-240)
    assert window.store.state.sample == NAMES[3]
    turned(1200)
    assert window.store.state.sample == NAMES[0]
    start, end = track._line()
    QTest.mousePress(track, Qt.MouseButton.LeftButton, pos=QPoint(round((start + end) / 2), 14))
    assert window.store.state.sample == NAMES[200]


def offered(window):
    menu = QMenu()
    window.menus.fill_inputs(menu)
    return {action.text(): action for action in menu.actions()}, menu


def test_what_cannot_be_picked_is_grey_and_says_why(desk, tmp_path):
    window, recorder, _ = desk
    found, menu = offered(window)
    assert all(found[name].isEnabled() for name in ("All", "Answered wrong", "Least sure first"))
    assert found["Those that excite conv2:7 most"].isEnabled()
    assert found["All"].isChecked()
    found["Answered wrong"].trigger()
    assert window.store.state.over == "inputs:wrong"
    window.store.apply(lambda state: does.over_inputs(state, f"inputs:{tmp_path}"))
    window.store.set_inputs(Inputs(("a.png",), (None,)), window.store.state)
    found, menu = offered(window)
    for name in ("Answered wrong", "Least sure first"):
        assert not found[name].isEnabled()
        assert found[name].toolTip() == "None of these inputs has a label, so it is not known which answers are right."
    found["The bundled inputs again"].trigger()
    assert window.store.state.over == over.INPUTS
    assert recorder is not None
    assert menu is not None


def test_a_recording_has_no_track(qtbot, digits, tmp_path):
    path = tmp_path / "one.trace"
    digits.save(path)
    window = Window(Store(changed(State(), model=str(path), sample="digit-2148"), digits))
    qtbot.addWidget(window)
    said = []
    window.say = lambda sentence, *more: said.append(sentence)
    assert not window.transport.inputs.needed
    assert window.transport.sizeHint().height() == 56
    window.run("next-input")
    window.run("play-inputs")
    window.run("choose-inputs")
    assert [sentence[:31] for sentence in said] == ["There are no other inputs here:"] * 3


def test_the_audience_sees_the_way_to_the_next_input(qtbot, digits):
    window = Window(Store(changed(State(), at="conv2.forward"), digits))
    qtbot.addWidget(window)
    told = []
    window.stage.glide = lambda owner, seconds, function, travels=True: told.append(function)
    store = window.store
    store.wants_trace.connect(lambda state: store.set_trace(record(state.model, state.sample), None, state))
    window.presenter.present_here()
    before = window.presenter.picture
    window.run("next-input")
    after = window.presenter.picture
    told[-1](0.3)
    assert window.presenter.audience.picture == crossed(Crossing(before, after), 0.3)
    told[-1](1.0)
    assert window.presenter.audience.picture == window.presenter.shown()
    window.presenter.leave()
