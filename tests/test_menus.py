"""Menus: themes and languages are chosen in them; a theme or a language that is added can be chosen, too."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest
from PySide6.QtWidgets import QApplication
from shiboken6 import isValid

from tests.test_language import pseudo, table
from tests.test_window import opened
from visualizer import inputs, language, registry
from visualizer.cli import main
from visualizer.language import speaking, spoken
from visualizer.scene import colour
from visualizer.scene import state as does
from visualizer.scene.picture import Focus
from visualizer.scene.state import State, changed, from_json, to_json
from visualizer.trace import load
from visualizer.ui import running, style
from visualizer.ui.buttons import Button
from visualizer.ui.store import Store
from visualizer.ui.topbar import CrumbButton

__all__ = ["pseudo", "table"]


@pytest.fixture(scope="module")
def digits():
    return load(registry.folder("assets") / "traces" / "digits_cnn.trace")


@pytest.fixture
def window(qtbot, digits):
    return opened(qtbot, Store(changed(State(), at="conv2.forward", focus=Focus("conv2", (7,))), digits))


@pytest.fixture(autouse=True)
def kept_nowhere(tmp_path, monkeypatch):
    """What is chosen here is not remembered for other tests; and English is spoken again afterwards."""
    monkeypatch.setenv("VISUALIZER_STATE", str(tmp_path / "kept"))
    yield
    language.speak("")
    style.wear(QApplication.instance(), "light")


def offered(menu):
    """What a menu offers now, by its words, and which of them is ticked."""
    menu.aboutToShow.emit()
    return {action.text(): action for action in menu.actions()}, [it.text() for it in menu.actions() if it.isChecked()]


# --- themes ---------------------------------------------------------------------------------------------------------

@pytest.fixture
def sepia(tmp_path, monkeypatch):
    """A theme that somebody adds: one file in assets/themes, and nothing else."""
    path = tmp_path / "sepia.json"
    path.write_text(json.dumps({"title": "Sepia", "base": "dark", "tokens": {"stage": "#332211", "window": "#221100"}}))
    real = registry.files
    monkeypatch.setattr(registry, "files", lambda name, pattern: (
        *real(name, pattern), *([path] if pattern == "themes/*.json" else [])))
    yield "sepia"
    for kept in (colour.theme, colour.resolve, colour.ink_on):
        kept.cache_clear()


def test_a_theme_that_is_added_can_be_chosen(sepia, window):
    found, chosen = offered(window.menus.themes)
    assert chosen == ["Light"]
    found["Sepia"].trigger()
    assert window.store.state.look.theme == window.stage.picture.theme == "sepia"
    assert style.color("stage").name() == "#332211"
    assert style.color("ink") == style.color("ink", "dark"), "what it does not say is its base's"
    assert QApplication.palette().window().color().name() == "#221100"
    assert window.rail.scroller.styleSheet() == style.scroll_sheet(), "style sheets follow"
    assert window.stage.grab().toImage().pixelColor(300, 5).name() == "#332211"
    assert offered(window.menus.themes)[1] == ["Sepia"]
    window.run("theme")
    assert window.store.state.look.theme == "dark", "T goes between light and dark"
    window.store.undo()
    assert window.store.state.look.theme == "sepia"


def test_a_theme_that_is_added_is_listed_and_drawn_by_the_command_line(sepia, tmp_path, capsys):
    assert main(["list", "themes"]) == 0
    assert re.search(r"^sepia +Sepia$", capsys.readouterr().out, re.MULTILINE)
    assert main(["shot", "digits_cnn", "--theme", "sepia", "-o", str(tmp_path / "it.svg")]) == 0
    assert "#332211" in (tmp_path / "it.svg").read_text().lower()


def test_whether_a_theme_is_dark_is_seen_not_named(sepia, window):
    for name, dark in (("light", False), ("dark", True), ("sepia", True), ("projector", False)):
        style.wear(QApplication.instance(), name)
        assert style.is_dark() == dark, name


# --- languages ------------------------------------------------------------------------------------------------------

def words_of(window):
    """Everything that menus and buttons say: (whose, words)."""
    for name, action in window.menus.actions.items():
        yield name, action.text()
        yield name, action.toolTip()
    for pane in (window.top, window.transport, window.inspector.tabs):
        for button in pane.findChildren(Button):
            if isinstance(button, CrumbButton):
                continue  # names of layers are not translated
            for words in (button.text(), button.accessibleName(), button.toolTip()):
                yield type(button).__name__, words


def unspoken(words):
    """What of the words stands outside the brackets of the pseudo-language, but is a word."""
    while (inner := re.sub(r"⟦[^⟦⟧]*⟧", "", words)) != words:
        words = inner
    return re.findall(r"[A-Za-z]{2,}", re.sub(r"(Ctrl|Shift|Alt)\+\S+|\bF\d+|\w+[0-9]\w*|softmax", "", words))


def test_menus_and_buttons_say_nothing_that_is_not_translated(qtbot, digits, pseudo):
    """In a language in which every word stands between brackets, no word stands outside of them."""
    with speaking(pseudo):
        state = changed(State(), look=replace(State().look, language=pseudo))
        window = opened(qtbot, Store(state, replace(digits, title="2148")))
        found = {(whose, words) for whose, words in words_of(window) if unspoken(words)}
        assert len(list(words_of(window))) > 200
        assert found == set()


def test_a_language_is_chosen_in_the_menu_and_the_window_speaks_it(qtbot):
    app = running.App()
    app.window.resize(1600, 900)
    app.window.painted.disconnect(app.begin)  # no engine is needed to speak
    with qtbot.waitSignal(app.window.painted, timeout=5000):
        app.window.show()
    try:
        before = app.window
        app.recorder, app.autosave  # noqa: B018 as `begin` makes them
        before.say("Something.")
        found, chosen = offered(before.menus.languages)
        assert chosen == ["English"]
        found["Deutsch"].trigger()
        qtbot.waitUntil(lambda: not isValid(before))
        window = app.window
        qtbot.waitUntil(lambda: bool(window.menus.actions))
        assert window is not before
        assert spoken() == app.store.state.look.language == "de"
        assert [action.text() for action in window.menus.bar.actions()][:2] == ["Datei", "Bearbeiten"]
        assert window.transport.buttons["play"].accessibleName() == "Abspielen oder anhalten"
        assert window.top.present.text() == "Vorführen"
        assert window.message.words == "Something."
        app.store.update(view="filters")  # nothing of the window before hears it
        app.store.update(compare="step", undoable=False)
        app.store.update(compare="", undoable=False)
        app.store.apply(does.theme)
        assert running.window_language() == "de", "the next window speaks it, too"
        assert offered(window.menus.languages)[1] == ["Deutsch"]
        window.run("undo")
        window.run("undo")
        window.run("undo")
        assert app.window is not window
        assert spoken() == ""
    finally:
        app.close()
        app.window.deleteLater()


def test_the_window_speaks_the_system_s_language_until_one_is_chosen(monkeypatch, table):
    table("qq", {"@title": "Quequ"})
    assert running.window_language() == ""
    monkeypatch.setattr(style.QLocale, "uiLanguages", lambda self: ["qq-ZZ", "en"])
    assert running.window_language() == "qq"
    running.kept.remember("window", {"language": ""})
    assert running.window_language() == "", "English was chosen"
    running.kept.remember("window", {"language": "gone"})
    assert running.window_language() == "qq"


def test_a_language_in_a_saved_state_comes_back():
    state = changed(State(), look=replace(State().look, language="de"))
    assert from_json(to_json(state)).look.language == "de"


# --- what is sent back ----------------------------------------------------------------------------------------------

def test_what_an_answer_offers_can_be_sent_back_and_taken_back(window) -> None:
    listed, ticked = offered(window.menus.objectives)
    assert ticked == ["The loss"]
    assert {"logit:4", "logit:9"} <= set(listed)
    listed["logit:9"].trigger()
    assert window.store.state.objective == "logit:9"
    assert window.store.waiting
    window.store.undo()
    assert window.store.state.objective == "loss"
    window.ask_for_words = lambda title, said, words: "sum"
    offered(window.menus.objectives)[0]["Another …"].trigger()
    assert window.store.state.objective == "sum"
    window.store.undo()
    assert from_json(to_json(changed(window.store.state, objective="logit:9"))).objective == "logit:9"


@pytest.mark.parametrize(("typed", "target"), [("7", 7), ("0.5", 0.5), ("1,0,2", [1, 0, 2])])
def test_a_target_can_be_said_beside_what_is_sent_back(window, typed, target) -> None:
    asked = []
    window.ask_for_words = lambda title, said, words: asked.append(said) or typed
    offered(window.menus.objectives)[0]["Target …"].trigger()
    assert asked == ["A class from 0 to 9, by its number or its label."]
    assert window.store.state.label == typed
    assert window.store.waiting
    assert inputs.target_in(window.store.state.label) == target
    assert from_json(to_json(window.store.state)).label == typed
    offered(window.menus.objectives)[0]["The target of the input itself"].trigger()
    assert window.store.state.label == ""


def test_a_target_that_is_none_is_refused_in_one_sentence(window) -> None:
    told = []
    window.say = told.append
    window.ask_for_words = lambda title, said, words: "a cat"
    offered(window.menus.objectives)[0]["Target …"].trigger()
    assert len(told) == 1
    assert told[0].startswith("“a cat” is no target; write a class (4)")
    assert window.store.state.label == ""
