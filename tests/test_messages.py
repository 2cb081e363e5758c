"""What the window tells a person names things by their titles, never by the names of files of the source."""

from __future__ import annotations

import re

import pytest
from PySide6.QtWidgets import QMenu

from tests.test_window import opened
from visualizer import card, record, registry, views
from visualizer.kinds import all_kinds
from visualizer.scene.recipe import LabRecipe
from visualizer.scene.state import State, changed
from visualizer.ui import words
from visualizer.ui.stage import joined
from visualizer.ui.store import Store

NAMES = {*registry.models(), *(view.name for view in views.all_views()), *(kind.name for kind in all_kinds())}
ASKS = ("ask_for_file", "ask_for_folder")


def inner_names(said: str) -> set[str]:
    """Names of the source in a sentence: those with an underscore, or that are no title and no plain word."""
    return {word for word in re.findall(r"[\w.]*\w", said) if "_" in word and (word in NAMES or word.endswith(".py"))}


def test_the_check_can_fail():
    assert inner_names("For digits_cnn nothing is there.") == {"digits_cnn"}
    assert inner_names("The view feature_maps cannot be drawn.") == {"feature_maps"}
    assert inner_names("Digits CNN answers 4.") == set()


@pytest.mark.parametrize("state", [
    changed(State(), model="wait_lstm_bias3"), changed(State(), recipe=LabRecipe()),
], ids=["rows", "lab"])
def test_no_command_says_a_name_of_the_source(qtbot, monkeypatch, state):
    from visualizer.lab import Lab
    from visualizer.record.lab import record_lab

    trace = record_lab(Lab()) if state.in_lab else record.pass_of(state.model, state.sample).trace
    window, heard = opened(qtbot, Store(state, trace)), []
    monkeypatch.setattr(window, "say", lambda sentence, *more: heard.append(sentence))
    monkeypatch.setattr(QMenu, "popup", lambda menu, at: None)
    monkeypatch.setattr(registry, "with_before", lambda: ("rows_gru",))
    for ask in ASKS:
        monkeypatch.setattr(window, ask, lambda *given: "")
    monkeypatch.setattr(window, "ask_for_name", lambda *given: ("", ""))
    for name in window.commands:
        if name != "quit" and window.commands[name].menu != "Present":
            window.run(name)
            window.store.apply(lambda now: state, undoable=False)
            window.leave_start()
    assert heard
    assert [said for said in heard if inner_names(said)] == []


def test_a_network_without_weights_from_before_is_named_by_its_title():
    said = words.nothing_before(card.bundled("lenet_mnist"))
    assert said.startswith("For LeNet-5 no weights")
    assert inner_names(said) == set()


def test_a_view_that_fails_beside_another_is_named_by_its_title(monkeypatch):
    trace = record.pass_of("digits_cnn", "").trace
    state = changed(State(), view="feature_maps")

    def fail(*given):
        raise ValueError

    monkeypatch.setattr("visualizer.sight.seen", fail)
    monkeypatch.setattr("sys.excepthook", lambda *error: None)
    assert joined((trace,), state, (800, 600)).caption.startswith("Feature maps cannot draw")
