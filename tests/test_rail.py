"""The rail: a model opens on an input that it reads; what is typed is what is read."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt

from visualizer import samples
from visualizer.scene.state import State
from visualizer.ui.rail import Rail, choose_model, kind_of
from visualizer.ui.store import Store


@pytest.fixture
def rail(qtbot):
    found = Rail(Store(State()))
    qtbot.addWidget(found)
    found.resize(216, 684)
    found.fill()
    found.show()
    return found


def test_a_model_that_reads_pictures_keeps_the_picture(rail):
    rail.store.update(sample="digit-3")
    choose_model(rail.store, "lenet_mnist")
    assert (rail.store.state.model, rail.store.state.sample) == ("lenet_mnist", "digit-3")


@pytest.mark.parametrize("model", ["char_lstm", "surname_gru", "sentiment_gru", "crnn_strip"])
def test_a_model_that_reads_something_else_opens_on_its_own_first_sample(rail, model):
    choose_model(rail.store, model)
    first = samples.all_samples(kind_of(model))[0]
    assert rail.store.state.sample == first.name
    choose_model(rail.store, "digits_cnn")
    assert rail.store.state.sample == samples.all_samples("image")[0].name


def test_what_is_typed_is_what_is_read(rail, qtbot):
    choose_model(rail.store, "char_gru")
    rail.refresh()
    assert rail.typed.isVisible()
    qtbot.keyClicks(rail.typed, "thou art")
    assert rail.store.state.sample == "text:thou art"
    qtbot.keyClick(rail.typed, Qt.Key.Key_Backspace)
    assert rail.store.state.sample == "text:thou ar"


def test_texts_stand_below_each_other_and_pictures_in_rows_of_four(rail):
    assert rail.grid.place_of(1).top() == rail.grid.place_of(0).top()
    choose_model(rail.store, "char_gru")
    rail.refresh()
    assert not rail.draw_button.isEnabled()
    assert rail.grid.place_of(1).top() > rail.grid.place_of(0).top()
    assert rail.grid.number_at(rail.grid.place_of(2).center()) == 2
