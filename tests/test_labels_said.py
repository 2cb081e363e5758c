"""A drawing has no label: what the network answers is not called one, and whoever drew can say what it is."""

from __future__ import annotations

from unittest.mock import MagicMock

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from tests.test_layout import moments
from tests.test_window import opened
from visualizer import kinds, record, registry, views
from visualizer.scene.picture import Look, Text
from visualizer.scene.recipe import ModelRecipe, from_plain, plain_of
from visualizer.scene.state import State, changed, from_json, to_json
from visualizer.scene.timeline import timeline
from visualizer.trace import load
from visualizer.ui.recorder import Recorder
from visualizer.ui.store import Store
from visualizer.views import picture


@pytest.fixture(scope="module")
def ink():
    """A one: a stroke from top to bottom."""
    drawn = np.zeros((112, 112), np.uint8)
    drawn[16:96, 52:62] = 255
    return drawn


@pytest.fixture(scope="module")
def guessed(ink):
    return record.record("digits_cnn", "drawn", pixels=ink)


@pytest.mark.parametrize("view", ["network", "microscope", "feature_maps"])
def test_no_picture_calls_a_guess_a_label(guessed, view):
    assert guessed.sample.label is None
    assert kinds.label_of(guessed) is None
    for moment in moments(timeline(guessed)):
        shown = picture(views.find(view), guessed, moment, None, Look((1104, 796)))
        said = [run.text for mark in shown if isinstance(mark, Text) for run in mark.runs]
        assert not [words for words in said if "label" in words], moment.address


def test_the_sentence_asks_for_it(guessed):
    shown = picture(views.find("network"), guessed, timeline(guessed).find("softmax.forward"), None, Look((1104, 796)))
    assert shown.caption.endswith("say what you drew, and there is a loss.")


def test_what_is_said_is_the_label_and_makes_the_loss(ink, guessed):
    said = record.record("digits_cnn", "drawn", pixels=ink, target=1)
    assert (said.sample.label, said.objective.target, kinds.label_of(said)) == (1, 1, 1)
    assert said.objective.value == pytest.approx(-np.log(guessed["softmax"].output[1]), abs=1e-6)
    known = record.record("digits_cnn", "digit-2148", target=7)
    assert known.sample.label == 4, "what a sample says of itself stays"


def test_a_label_belongs_to_its_drawing():
    state = changed(State(), sample="drawn", drawing="1x1:x", label="7")
    assert state.label == "7"
    assert changed(state, drawing="1x1:y").label == "7"
    assert changed(state, sample="digit-2148").label == ""
    assert from_json(to_json(state)) == state
    assert from_plain(plain_of(state.recipe)) == state.recipe
    for bad in (7, ["7"], "1" * 5000):
        with pytest.raises((TypeError, ValueError)):
            from_plain({**plain_of(ModelRecipe()), "inputs": (), "edits": (), "label": bad})


def test_it_is_said_with_a_click_and_taken_back(qtbot):
    window = opened(qtbot, Store(State(), load(registry.folder("assets") / "traces" / "digits_cnn.trace")))

    engine, asked = MagicMock(), []
    engine.request = lambda name, lane="", **wishes: asked.append(wishes) or len(asked)
    recorder = Recorder(window.store, engine)
    window.drawn.connect(recorder.draw)
    window.toggle_pad()
    pad = window.rail.pad
    assert [button.text() for button in pad.labels] == list("0123456789")
    assert not any(button.isChecked() for button in pad.labels)
    QTest.mouseClick(pad.sheet, Qt.MouseButton.LeftButton, pos=QPoint(90, 60))
    assert "target" not in asked[-1]
    pad.labels[3].click()
    assert window.store.state.label == "3"
    assert pad.labels[3].isChecked()
    assert asked[-1]["target"] == 3
    pad.labels[3].click()
    assert window.store.state.label == ""
    pad.labels[5].click()
    pad.clear.click()
    assert window.store.state.label == "", "another digit comes"
