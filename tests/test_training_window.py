"""A training in the window: what sets it going, a pause, a turned knob, what explodes and stops, how the film grows."""

from __future__ import annotations

import json
from collections import deque

import numpy as np
import pytest
from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from visualizer import app as the_app
from visualizer import record
from visualizer.engine.requests import REQUESTS
from visualizer.record import training as trains
from visualizer.scene.recipe import ModelRecipe
from visualizer.scene.state import Place, State
from visualizer.train import NOT_A_NUMBER, course_of, seen
from visualizer.ui import style
from visualizer.ui.buttons import Button
from visualizer.ui.store import Store
from visualizer.ui.training import Training
from visualizer.ui.trainpanel import TrackSlider, TrainPanel
from visualizer.ui.window import Window

MODEL, SAMPLE = "mlp_small", "digit-2148"


class Engine(QObject):
    """The requests themselves, one step of a generator whenever `go` is called."""

    ready, progress = Signal(object), Signal(int, float, str)
    answered, refused, failed = Signal(int, str, object), Signal(int, str), Signal(int, str)

    def __init__(self) -> None:
        super().__init__()
        self.asked: deque[tuple[int, str, object]] = deque()
        self.wanted: list[dict] = []
        self.count = 0

    def request(self, name: str, /, lane: str = "", **words: object) -> int:
        self.count += 1
        self.wanted.append({"name": name, **words})
        words = json.loads(json.dumps(words))  # as it crosses
        self.asked = deque(each for each in self.asked if each[1] != name)
        self.asked.append((self.count, name, REQUESTS[name](**words)))
        return self.count

    def cancel(self, number: int) -> None:
        self.asked = deque(each for each in self.asked if each[0] != number)

    def go(self, steps: int = 10_000) -> None:
        """So many steps, or until there is nothing more to do."""
        for _ in range(steps):
            if not self.asked:
                return
            number, name, work = self.asked[0]
            try:
                if isinstance(work, dict):
                    raise StopIteration(work)
                share, words = next(work)
            except StopIteration as end:
                self.asked.popleft()
                self.answered.emit(number, name, end.value)
            except Exception as error:
                self.asked.popleft()
                self.refused.emit(number, str(error))
            else:
                self.progress.emit(number, share, str(words))


@pytest.fixture(scope="module")
def begun():
    return record.with_study(record.pass_of(MODEL, SAMPLE), seen.STUDY)


@pytest.fixture
def training(qapp, begun, monkeypatch):
    monkeypatch.setattr("visualizer.engine.requests.TELL", 0.0)
    monkeypatch.setattr("visualizer.record.training.going._going", {})
    store = Store(State((Place(ModelRecipe(MODEL, (SAMPLE,)), view="training"),)), begun)
    made = Training(store, Engine())
    made.show()
    made.engine.go()
    return made


def losses(words, upto):
    """Of a run that was made elsewhere, in one go."""
    run, learner = trains.begin(MODEL, course_of(words, trains.taught(MODEL)[0]))
    for news in trains.advance(run, learner, upto):
        run = run.grown(*news)
    return run.column("loss").tolist()


def laid(training):
    return training.store.trace.studies[seen.STUDY]


def test_it_goes_on_from_the_cursor_pauses_at_once_and_goes_on_to_the_same_numbers(training):
    assert (training.film.last, training.step, training.taught[2]) == (0, 0, 2000)
    training.train()
    assert training.running
    training.engine.go(30)
    training.pause()
    assert not training.running
    training.engine.go()
    paused = training.film.last
    assert 5 < paused < 60
    assert int(laid(training)["kept"][-1]) == paused, "the weights where it stands"
    assert training.step == paused, "whoever stood where it was goes along"
    training.train(3)
    training.engine.go()
    assert training.film.last == training.step == paused + 3
    assert laid(training)["loss"].tolist() == losses({}, paused + 3)
    assert laid(training)["gradient"].shape == (paused + 3, 2)


def test_a_knob_acts_from_the_cursor_on_and_undo_brings_the_film_back(training):
    training.train(9)
    training.engine.go()
    before = training.film
    store = training.store
    store.update(at="input.update[4]")
    training.turn("rate", "0.05", False)
    training.turn("rate", "0.1", False)  # a drag: one branch
    assert (training.film.last, training.knobs.rate, training.film.branch.since) == (4, 0.1, 4)
    assert len(training.film.branch.course) == 2
    assert laid(training)["behind/step"].tolist() == [4, 5, 6, 7, 8, 9]
    training.train(3)
    training.engine.go()
    assert training.film.last == 7
    assert laid(training)["loss"].tolist()[:4] == before.arrays["loss"].tolist()[:4]
    assert laid(training)["loss"][5] != before.arrays["loss"][5]
    while training.film is not before:
        store.undo()
    assert laid(training)["loss"].tolist() == losses({}, 9)
    assert training.knobs.rate == 0.002


def test_another_seed_begins_anew_and_start_anew_goes_back_before_the_first_update(training):
    training.train(4)
    training.engine.go()
    training.turn("seed", "3", True)
    training.engine.go()
    assert (training.film.last, training.film.branch.since, training.knobs.seed) == (0, 0, 3)
    training.train(4)
    training.engine.go()
    seeded = laid(training)["loss"].tolist()
    assert seeded == losses({"seed": "3"}, 4)
    training.anew()
    assert (training.film.last, training.step) == (0, 0)
    assert laid(training)["behind/loss"].tolist() == seeded
    training.pin()
    training.train(4)
    training.engine.go()
    assert laid(training)["loss"].tolist() == seeded
    assert "pinned/loss" not in laid(training), "it is that film itself"


def test_a_rate_that_explodes_is_said_and_where_a_number_is_none_it_stops(training):
    heard = []
    training.said.connect(lambda words, undo: heard.append((words, undo)))
    training.turn("optimiser", "momentum", True)
    training.turn("activation", "leaky_relu", True)
    training.engine.go()
    training.turn("rate", "1000", True)
    training.train()
    training.engine.go()
    assert training.film.run.stopped
    assert not training.running
    assert any("exploded" in words and undo for words, undo in heard)
    assert sum("no number" in words and undo for words, undo in heard) == 1
    assert [each.what for each in training.film.run.named][-1] == NOT_A_NUMBER
    last, asked = training.film.last, len(training.engine.wanted)
    assert training.step == last - 1
    training.train()
    assert len(training.engine.wanted) == asked, "from there it comes to the same"
    assert "smaller learning rate" in heard[-1][0]
    training.turn("rate", "0.001", True)
    assert not training.film.run.stopped


def test_what_the_engine_tells_twice_is_the_same_once_and_another_input_is_answered_anew(training, begun):
    training.train(6)
    training.engine.go()
    known = training.film
    training._request(known.branch, 9, 2)  # as after the engine was started again
    training.engine.go()
    assert laid(training)["step"].tolist() == list(range(1, 10))
    other = record.record(MODEL, "digit-3")
    training.store.update(sample="digit-3")
    training.store.set_trace(other, None, training.store.state)
    training.engine.go()
    held = laid(training)
    assert held["loss"].tolist() == losses({}, 9)
    assert held["answered"].tolist() == held["kept"].tolist()
    run, learner = trains.begin(MODEL, sample="digit-3")
    for news in trains.advance(run, learner, 9):
        run = run.grown(*news)
    np.testing.assert_allclose(held["answer"][-1], run.updates[-1].answer, rtol=1e-5)


def test_the_engine_that_fails_leaves_the_film_as_far_as_it_is(training):
    heard = []
    training.said.connect(lambda words, undo: heard.append(words))
    training.train()
    training.engine.go(20)
    last = training.film.last
    number = training.under_way.number
    training.engine.cancel(number)
    training.engine.failed.emit(number, "The engine stopped twice while it did this.")
    assert heard == ["The engine stopped twice while it did this."]
    assert not training.running
    assert training.film.last == last > 0
    training.train(2)
    training.engine.go()
    assert laid(training)["loss"].tolist() == losses({}, training.film.last)


def test_the_knobs_stand_in_the_rail_and_the_mouse_and_the_keys_work_it(training, qtbot):
    style.wear(the_app.application(), "light")
    window = Window(training.store)
    qtbot.addWidget(window)
    window.resize(1600, 900)
    window.train_with(training)
    with qtbot.waitSignal(window.painted, timeout=5000), qtbot.waitExposed(window):
        window.show()
    window.activateWindow()
    window.take_keyboard()

    def press(key, held=Qt.KeyboardModifier.NoModifier):
        QTest.keyClick(window.focusWidget() or window, key, held)

    panel = window.rail.trainer
    assert isinstance(panel, TrainPanel)
    assert panel.isVisible()
    assert not window.rail.grid_scroller.isVisible()
    names = [row.knob.name for row in panel.rows]
    assert names == ["rate", "batch", "optimiser", "init", "activation", "norm", "clip", "seed"]
    for child in panel.findChildren(QWidget):
        if isinstance(child, Button | TrackSlider) and child.isVisible():
            assert child.accessibleName(), child
            assert child.toolTip(), child.accessibleName()
    slider = panel.rows[0].slider
    assert slider.heard_number().value == pytest.approx(0.002)
    QTest.mouseClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(slider.width() - 8, 10))
    assert training.knobs.rate == 10
    assert panel.rows[0].word == "10"
    training.store.undo()
    QTest.mouseClick(panel.train, Qt.MouseButton.LeftButton)
    training.engine.go(40)
    assert panel.train.text() == "Pause"
    QTest.mouseClick(panel.train, Qt.MouseButton.LeftButton)
    training.engine.go()
    last = training.film.last
    for key, step in ((Qt.Key.Key_1, 0), (Qt.Key.Key_2, last), (Qt.Key.Key_3, last)):
        press(key)
        assert training.step == step
    press(Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier)
    assert training.store.state.look.knob("axis", "log") == "linear"
    press(Qt.Key.Key_U, Qt.KeyboardModifier.ControlModifier)
    training.engine.go()
    assert training.film.last == last + 1
    stage, places = window.stage, []
    for x in (200, 500, 800):  # a drag anywhere over the rows
        point = QPoint(x, 330)
        QTest.mousePress(stage, Qt.MouseButton.LeftButton, pos=QPoint(700, 330))
        QTest.mouseMove(stage, point)
        QTest.mouseRelease(stage, Qt.MouseButton.LeftButton, pos=point)
        places.append(training.step)
    assert places == sorted(places)
    assert places[0] < places[2]
