"""The start screen: cards are files, nothing on it is made up, nothing moves by itself, every way leads somewhere."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import groupby, pairwise

import numpy as np
import pytest
from PySide6.QtCore import QObject, QPointF, QSize, Qt, Signal
from PySide6.QtGui import QEnterEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from tests.sources import MAIN
from tests.test_window import opened
from visualizer import app as the_app
from visualizer import card as cards_of
from visualizer import door, inputs, record, registry, sight, start, views
from visualizer.engine.requests import REQUESTS
from visualizer.scene import colour
from visualizer.scene.overture import overture
from visualizer.scene.picture import TITLE, Focus, Image, Look, Rect
from visualizer.scene.recipe import ModelRecipe
from visualizer.scene.state import State, changed
from visualizer.scene.timeline import timeline
from visualizer.trace import load
from visualizer.ui import first, kept, recent, running, style
from visualizer.ui.buttons import Button
from visualizer.ui.commands import find
from visualizer.ui.gallery import ASIDE, BEATS, way, whole
from visualizer.ui.player import Player
from visualizer.ui.start import CARD, GUTTER, HEADING, arranged
from visualizer.ui.store import Store

Key, LEFT = Qt.Key, Qt.MouseButton.LeftButton
CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture(scope="module")
def digits():
    return load(registry.folder("assets") / "traces" / "digits_cnn.trace")


@pytest.fixture
def window(qtbot, digits):
    made = opened(qtbot, Store(State(), digits))
    made.go_to_start()
    return made


def cards(window):
    return window.panes.start.page.cards


# --- the files ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("card", start.questions(), ids=lambda card: card.name)
def test_a_question_leads_to_a_place_that_can_be_had_or_does_a_command(card):
    assert card.group
    assert card.title.endswith("?")
    assert card.line
    assert bool(card.state) != bool(card.does)
    if card.does:
        assert find(card.does).starts
    else:
        assert start.can_open(card.state)
        for place in card.state.places:
            assert views.find(place.view).name == place.view
            if isinstance(place.recipe, ModelRecipe):
                known = start.card.bundled(place.recipe.name)
                inputs.given(place.recipe.sample, known.kind, known.title, known.facts)


@pytest.mark.parametrize("card", [card for card in start.questions() if card.state is not None],
                         ids=lambda card: card.name)
def test_the_place_of_a_question_is_there_in_its_recording(card):
    """Its view shows it, its address and its focus exist: nothing falls back to something else."""
    for place in card.state.places:
        if not isinstance(place.recipe, ModelRecipe):
            continue
        trace = record.pass_of(place.recipe.name, place.recipe.sample, edits=place.recipe.edits).trace
        assert views.find(place.view).suits(trace)
        if place.at:
            assert timeline(trace).find(place.at).address == place.at
        if place.focus is not None:
            assert trace[place.focus.layer].output[place.focus.cell].ndim == 0


def test_the_first_card_has_three_things_to_try_and_shows_layers_that_are_there(digits):
    hero = start.hero()
    assert len(hero.tries) == 3
    assert all(name in digits for name in hero.columns)
    assert hero.state.recipe == State().recipe, "its recording is shipped"


@pytest.mark.parametrize("words", [
    {"place": {"places": [{"recipe": {"kind": "model", "model": "no_such", "inputs": []}, "view": "network"}]}},
    {"place": {"places": [{"recipe": {"kind": "model", "model": "digits_cnn", "inputs": []}, "view": "no_such"}]}},
    {"does": "open", "needs": ["models/no_such"]}, {"does": "open", "needs": ["views/no_such"]},
    {"does": "open", "needs": ["export/no_such"]}, {"does": "open", "needs": ["before/no_such"]},
])
def test_a_card_whose_need_is_not_there_is_not_shown_and_a_file_more_is_a_card_more(tmp_path, monkeypatch, words):
    before = start.questions()
    made = {"group": "Later", "title": "What comes later?", "line": "one file", "order": 99}
    (tmp_path / "start").mkdir()
    real = registry.files
    monkeypatch.setattr(registry, "files", lambda name, pattern: (
        *real(name, pattern), *(tmp_path.glob(pattern) if name == "assets" else ())))
    (tmp_path / "start" / "later.json").write_text(json.dumps(made | words), encoding="utf-8")
    assert start.questions() == before
    (tmp_path / "start" / "later.json").write_text(json.dumps(
        made | {"does": "open", "needs": ["models/digits_cnn", "views/network", "export/png"]}), encoding="utf-8")
    assert [card.title for card in start.questions()] == [*(card.title for card in before), "What comes later?"]


def test_every_number_is_counted_and_no_group_is_empty():
    counted = dict(start.counts())
    assert counted[start.NETWORKS] == len(registry.models()) == len(start.networks())
    read = {sample for name in registry.models() for sample in cards_of.bundled(name).samples}
    bundled = {sample.name for kind in inputs.kinds() for sample in inputs.all_samples(kind.name)}
    assert counted[start.INPUTS] == len(bundled & read)
    assert len(bundled - read) == 3, "two photographs and a sound, which only models of one's own read"
    assert counted[start.VIEWS] == len(views.all_views())
    assert all(card.group and card.title for card in start.everything())


def test_networks_for_experiments_are_aside_and_come_last():
    aside = [card.aside for card in start.networks()]
    assert aside == sorted(aside)
    assert [card.state.model for card in start.networks() if not card.aside] == list(MAIN)
    assert {card.group for card in start.networks() if card.aside}.isdisjoint(
        card.group for card in start.networks() if not card.aside)


# --- the search -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("words", "first_title"), [
    ("crnn", "CRNN"), ("filter see", "What does a filter see?"), ("FILTER", "Filters"), ("lenet", "LeNet-5"),
    ("digit 2148", "Digit 2148"), ("gradient flow", "Gradient flow"), ("laboratory nothing such", None), ("   ", None),
])
def test_a_search_finds_what_has_all_its_words_titles_first(words, first_title):
    found = start.searched(words, start.everything())
    assert (found[0].title if found else None) == first_title


def test_ctrl_k_searches_from_anywhere_and_escape_leads_back(window):
    window.leave_start()
    QTest.keyClick(window.focusWidget(), Key.Key_K, CTRL)
    assert window.starting
    assert window.focusWidget() is window.top.field
    QTest.keyClicks(window.top.field, "lenet")
    assert [card.card.title for card in cards(window)] == ["LeNet-5"]
    assert not window.panes.start.page.play.isVisible()
    assert window.panes.start.page.sentence()[0][0] == "“lenet”: 1 found."
    QTest.keyClick(window.top.field, Key.Key_Escape)
    assert window.panes.start.page.play.isVisible()
    assert window.top.field.text() == ""
    QTest.keyClicks(window.top.field, "lstm")
    groups = [card.card.group for card in cards(window)]
    assert len([group for group, _ in groupby(groups)]) == len(set(groups)), "each stands under one heading"
    assert all(style.text_width(group, weight=600) <= CARD.width() for group in groups)
    window.top.field.clear()
    QTest.keyClicks(window.top.field, "qqqq")
    assert "Nothing is called “qqqq”" in window.panes.start.page.sentence()[0][0]


def test_enter_in_the_field_opens_the_first_that_was_found(window):
    window.search()
    QTest.keyClicks(window.top.field, "lenet")
    QTest.keyClick(window.top.field, Key.Key_Return)
    assert not window.starting
    assert window.store.state.model == "lenet_mnist"


def test_more_than_fit_are_said_to_be_more(window):
    window.panes.start.page.show_kind(start.INPUTS)
    shown = len(cards(window))
    assert window.panes.start.page.sentence()[0][0] == \
        f"Inputs: {len(start.all_inputs())} found; the first {shown} of them. Type more to narrow it down."


# --- the screen -----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("wide", range(230, 2600, 173))
def test_cards_stand_in_rows_under_their_groups_and_none_on_another(wide):
    groups = [card.group for card in (*start.questions(), *start.networks())]
    placed = arranged(groups, wide, 100)
    assert [group for group, *_ in placed.headings] == list(dict.fromkeys(groups))
    for number, one in enumerate(placed.cards):
        assert one.width() >= CARD.width()
        assert one.left() >= 0
        assert one.right() <= wide
        assert one.top() >= 100 + HEADING
        assert not any(one.adjusted(-GUTTER // 2, 0, GUTTER // 2, 0).intersects(other)
                       for other in placed.cards[number + 1:])
    for _, x, y, _ in placed.headings:
        assert not any(card.contains(x + 4, y + 16) for card in placed.cards)


@pytest.mark.parametrize("size", [(1600, 900), (1366, 768), (1024, 768)])
def test_all_words_of_a_card_have_room(qtbot, digits, size):
    window = opened(qtbot, Store(State(), digits), size)
    window.go_to_start()
    for button in cards(window):
        assert button.width() >= CARD.width()
    assert window.panes.start.scroller.horizontalScrollBar().maximum() == 0


def test_nothing_of_a_picture_is_seen_and_no_key_of_it_works(window):
    assert not any(pane.isVisible() for pane in (window.stage, window.rail, window.inspector, window.transport))
    before = window.store.state
    for key in (Key.Key_Space, Key.Key_R, Key.Key_X, Key.Key_PageDown, Key.Key_E):
        QTest.keyClick(window.focusWidget(), key)
        if not window.starting:  # Space presses what has the keyboard
            assert key is Key.Key_Space
            window.first.cancel()
            window.store.apply(lambda state: before, undoable=False)
            window.go_to_start()
    assert replace(window.store.state, playing=False) == before
    assert not window.top.present.isEnabled()
    window.leave_start()
    assert window.stage.isVisible()
    assert window.focusWidget() is window.stage
    assert window.top.present.isEnabled()
    QTest.keyClick(window.stage, Key.Key_R)
    assert window.store.moment.backward


def test_a_card_is_opened_by_mouse_and_by_keys_and_size_and_theme_stay(window):
    window.run("theme")
    look = window.store.state.look
    number = next(at for at, button in enumerate(cards(window)) if button.card.name == "pixel")
    button = cards(window)[number]
    QTest.mouseClick(button, LEFT)
    state = window.store.state
    assert not window.starting
    assert (state.view, state.at, state.focus) == ("microscope", "conv2.forward", Focus("conv2", (7, 3, 5)))
    assert (state.look.theme, state.look.size[0] > 0) == (look.theme, True)
    window.run("undo")
    assert window.store.state.view == "network", "opening a card is one step of undo"
    window.go_to_start()
    QTest.keyClick(window.focusWidget(), Key.Key_Down)
    assert window.focusWidget() in cards(window)
    here = window.focusWidget()
    QTest.keyClick(here, Key.Key_Right)
    assert window.focusWidget() is cards(window)[cards(window).index(here) + 1]
    QTest.keyClick(window.focusWidget(), Key.Key_Left)
    assert window.focusWidget() is here
    QTest.keyClick(here, Key.Key_Return)
    assert not window.starting
    assert window.store.state.place.recipe == here.card.state.place.recipe


def test_a_card_of_several_places_opens_all_of_them_and_the_next_one_alone(window):
    both = next(button.card for button in cards(window) if button.card.name == "learned")
    window.open_card(both)
    assert len(window.store.state.places) == 2
    window.go_to_start()
    window.open_card(next(button.card for button in cards(window) if button.card.name == "next"))
    assert [place.recipe.name for place in window.store.state.places] == ["char_lstm"]


def test_what_was_left_can_be_gone_back_to_and_is_not_offered_before_it_was_seen(window):
    assert not any("Digits CNN" in row.text() for row in window.panes.start.rail.rows)
    window.leave_start()
    window.store.update(at="conv2.forward", focus=Focus("conv2", (7,)))
    before = window.store.state
    window.go_to_start()
    row, = (row for row in window.panes.start.rail.rows if row.text() == "Digits CNN")
    row.click()
    assert not window.starting
    assert window.store.state == before


def test_escape_leads_from_a_number_to_the_start_screen_one_level_at_a_time(window):
    """Whatever view was looked at before the card was opened."""
    window.open_card(next(button.card for button in cards(window) if button.card.name == "filter"))
    window.go_to_start()
    window.open_card(next(button.card for button in cards(window) if button.card.name == "pixel"))
    seen = []
    for _ in range(6):
        seen.append("start" if window.starting else [name for name, _ in window.top.crumbs.path])
        QTest.keyClick(window.focusWidget(), Key.Key_Escape)
    assert window.store.state.view == "network"
    whole = ["Digits CNN", "conv2", "channel 7", "pixel (3, 5)"]
    assert seen == [whole, whole[:3], whole[:2], whole[:1], "start", "start"]


def test_escape_leads_out_of_the_laboratory(window, digits):
    window.run("laboratory")
    assert window.store.state.in_lab
    assert not window.starting
    QTest.keyClick(window.focusWidget(), Key.Key_Escape)
    assert window.starting


# --- the first minute -----------------------------------------------------------------------------------------------

class Clock(QObject):
    """Waits until it is told that the time has come."""

    def __init__(self):
        super().__init__()
        self.waits = {}

    def later(self, owner, seconds, function):
        self.waits[owner] = seconds, function

    def never(self, owner):
        self.waits.pop(owner, None)


def test_nothing_moves_until_play_and_play_stops_by_itself_with_three_things_to_try(window):
    window.clock = clock = Clock()
    assert not window.store.state.playing
    assert window.focusWidget() is window.panes.start.page.play
    QTest.keyClick(window.focusWidget(), Key.Key_Return)
    state = window.store.state
    assert not window.starting
    assert state.playing
    assert window.store.moment.index == 0
    assert state.speed <= 1
    (seconds, stop), = clock.waits.values()
    assert seconds == 20
    window.store.update(at="conv2.forward@0.5", undoable=False)  # the player has come so far
    stop()
    assert not window.store.state.playing
    assert window.store.state.at == "conv2.forward@0.5"
    assert window.store.state.speed == 1.0
    assert window.tries.isVisible()
    assert "first 20 seconds" in window.tries.said
    assert len(window.tries.cards) == 3
    assert window.stage.geometry().contains(window.tries.geometry())
    QTest.keyClick(window.focusWidget(), Key.Key_Escape)
    assert not window.tries.isVisible()
    assert not window.starting, "Esc put away what lay on top, and nothing else"


def test_it_stops_at_the_answer_if_that_comes_before(window):
    window.clock = Clock()
    window.play_first()
    window.store.update(at="loss.forward@0", undoable=False)
    assert not window.store.state.playing
    assert window.store.state.at == "softmax.forward"
    assert "answers 4" in window.stage.picture.caption
    assert "whole way to the answer" in window.tries.said
    assert not window.clock.waits
    button = window.tries.cards[0]
    QTest.mouseClick(button, LEFT)
    assert window.store.state.view == "microscope"
    assert not window.tries.isVisible()


@pytest.mark.parametrize("does", [
    lambda window: window.run("play"), lambda window: window.store.update(focus=Focus("conv1")),
    lambda window: window.run("faster"), lambda window: window.store.update(view="filters"),
    lambda window: window.go_to_start(),
])
def test_whoever_does_anything_meanwhile_goes_on_alone(window, does):
    window.clock = Clock()
    window.play_first()
    does(window)
    assert not window.clock.waits
    assert not window.first.playing
    assert "tries" not in vars(window) or not window.tries.isVisible()


def test_it_is_played_so_gently_that_the_answer_comes_in_time(digits):
    times = timeline(digits)
    forward = float(times.second_of(times.find("softmax.forward")))
    speed = first.gentle(times)
    assert speed == 1 or forward / speed <= first.SECONDS < 2 * forward / speed or speed == 0.25


# --- pictures -------------------------------------------------------------------------------------------------------

class Recorder(QObject):
    """Answers as the engine does, when it is told to."""

    answered, failed = Signal(int, str, object), Signal(int, str)

    def __init__(self):
        super().__init__()
        self.asked = []

    def request(self, name, /, lane="", **arguments):
        self.asked.append((name, arguments))
        return len(self.asked)

    def answer(self):
        name, arguments = self.asked[-1]
        self.answered.emit(len(self.asked), name, REQUESTS[name](**arguments))


def test_pictures_are_drawn_from_real_recordings_one_after_the_other_and_kept(window, tmp_path, monkeypatch):
    monkeypatch.setenv(kept.FOLDER, str(tmp_path))
    gallery, engine = window.panes.start.gallery, Recorder()
    gallery.forget_wishes()
    wanted = next(button.card for button in cards(window) if button.card.name == "next")
    size = QSize(200, 132)
    assert gallery.picture(wanted, size) is None
    gallery.attach(engine)
    (name, arguments), = engine.asked
    assert (name, arguments["model"], arguments["sample"]) == ("record", "char_lstm", "text:wherefore art thou")
    engine.answer()
    image = gallery.picture(wanted, size)
    assert image is not None
    assert image.width() <= 2 * size.width()
    assert list((tmp_path / "pictures").glob("*.png"))
    gallery._pictures.clear()
    assert gallery.picture(wanted, size) is not None, "kept from one start to the next"
    assert len(engine.asked) == 1


def test_what_is_refused_is_left_and_the_next_is_asked_for(window, tmp_path, monkeypatch):
    monkeypatch.setenv(kept.FOLDER, str(tmp_path))
    gallery, engine = window.panes.start.gallery, Recorder()
    gallery.forget_wishes()
    named = {button.card.name: button.card for button in cards(window)}
    one, other = named["next"], named["strip"]
    for card in (one, other):
        gallery.picture(card, QSize(200, 132))
    gallery.attach(engine)
    engine.failed.emit(1, "no")
    assert [arguments["model"] for _, arguments in engine.asked] == ["char_lstm", "crnn_strip"]
    assert gallery.picture(one, QSize(200, 132)) is None
    assert len(engine.asked) == 2


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("wide", [1000, 700, 480])
def test_the_strip_of_the_first_card_shows_the_recorded_values(digits, theme, wide):
    look = Look((wide, 202), theme)
    picture = overture(digits, start.hero().columns, look)
    tiles = [mark for mark in picture if isinstance(mark, Image)]
    shown = {len(mark.values) for mark in tiles}
    assert {1, 12, 48} <= shown, "input, the last maps, the units"
    for mark in tiles:
        assert mark.x >= 0
        assert mark.x + mark.stride[0] * (min(mark.columns, len(mark.values)) - 1) + mark.tile_size[0] <= wide
        assert mark.y + mark.tile_size[1] <= 202
    maps = next(mark for mark in tiles if len(mark.values) == 12)
    largest = digits["relu2"].output.max()
    assert np.array_equal(maps.values, colour.signed(digits["relu2"].output, largest))
    best = int(digits["softmax"].output.argmax())
    assert picture.caption.startswith(f"{digits.labels[best]}: {digits['softmax'].output[best] * 100:.1f}")


# --- the running app ------------------------------------------------------------------------------------------------

def test_the_app_starts_on_its_start_screen_and_a_thing_goes_to_its_picture(qtbot):
    apps = [running.App(start=True), running.App("rows_lstm")]
    try:
        for app in apps:
            app.window.painted.disconnect(app.begin)
            app.window.resize(1366, 768)
            with qtbot.waitSignal(app.window.painted, timeout=5000):
                app.window.show()
        assert [app.window.starting for app in apps] == [True, False]
        assert not apps[0].store.state.playing
        assert apps[0].window.top.crumbs.path[0][0] == "Start"
        assert not apps[0].window.menus.actions["play"].isEnabled()
        assert apps[0].window.menus.actions["open"].isEnabled()
    finally:
        for app in apps:
            app.close()


def test_what_comes_late_does_not_push_the_start_screen_away(window, digits):
    """A recording that arrives may have no such place any more; what a person opens leads away."""
    window.store.apply(lambda state: changed(state, focus=Focus("no such layer")), undoable=False)
    window.store.set_trace(digits)
    assert window.store.state.focus is None
    assert window.starting
    window.store.update(sample="digit-3")
    assert not window.starting


def test_files_that_were_opened_before_are_offered(window, tmp_path, monkeypatch):
    path = tmp_path / "mine.trace"
    path.write_bytes(b"x")
    monkeypatch.setattr(recent, "files", lambda: (path, tmp_path / "gone.trace"))
    heard = []
    window.opened.connect(heard.append)
    window.panes.start.refresh("")
    row, = (row for row in window.panes.start.rail.rows if row.text().endswith(".trace"))
    row.click()
    assert heard == [str(path)]


def test_where_one_was_opens_again_when_it_is_asked_for(qtbot, tmp_path, monkeypatch):
    monkeypatch.setenv(kept.FOLDER, str(tmp_path))
    assert the_app._last() is None, "the first time there is nothing"
    app = running.App(start=True)
    app.window.painted.disconnect(app.begin)
    with qtbot.waitSignal(app.window.painted, timeout=5000):
        app.window.show()
    app.autosave  # noqa: B018 as `begin` makes it
    app.close()
    assert the_app._last() is None, "nothing was looked at"
    app = running.App()
    app.window.painted.disconnect(app.begin)
    with qtbot.waitSignal(app.window.painted, timeout=5000):
        app.window.show()
    app.autosave  # noqa: B018
    app.window.leave_start()
    app.store.update(view="filters", at="conv2.forward")
    app.close()
    last = the_app._last()
    assert last is not None
    found = door.open_(door.recognise(last)).state
    assert (found.model, found.view, found.at) == ("digits_cnn", "filters", "conv2.forward")
    recent.remember(last)
    assert recent.files() == (), "what the app keeps for itself is no file that somebody opened"


@pytest.mark.parametrize("size", [(1600, 900), (1366, 768), (1024, 768)])
def test_everything_on_the_start_screen_has_a_name_and_room(qtbot, digits, size):
    window = opened(qtbot, Store(State(), digits), size)
    window.go_to_start()
    reachable = [widget for widget in window.findChildren(QWidget)
                 if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible()]
    assert len(reachable) > 20
    assert [widget for widget in reachable if not widget.accessibleName()] == []
    for button in (widget for widget in reachable if isinstance(widget, Button)):
        assert button.width() >= 28, button.accessibleName()
        assert button.height() >= 28, button.accessibleName()
    top = [child for child in window.top.children() if isinstance(child, QWidget) and child.isVisible()]
    for number, one in enumerate(top):
        for other in top[number + 1:]:
            assert not one.geometry().intersects(other.geometry()), (one.accessibleName(), other.accessibleName())


def glided(window):
    """A clock of one's own in the place of the player's: what it was told to glide last."""
    asked = []
    window.panes.start.glide = lambda owner, seconds, function: (asked.append((seconds, function)), function(0.0))
    return asked


def under_the_pointer(button):
    button.setAttribute(Qt.WidgetAttribute.WA_UnderMouse)
    QApplication.sendEvent(button, QEnterEvent(QPointF(9, 9), QPointF(9, 9), QPointF(9, 9)))


def under_the_keyboard(button):
    button.setFocus(Qt.FocusReason.TabFocusReason)


@pytest.mark.parametrize(("comes", "name"), [(under_the_pointer, "filter"), (under_the_keyboard, "pixel")])
def test_a_card_that_is_pointed_at_steps_once_through_the_beats_that_lead_to_it(window, qtbot, comes, name):
    page, gallery, asked = window.panes.start.page, window.panes.start.gallery, glided(window)
    button = next(each for each in cards(window) if each.card.name == name)
    qtbot.waitUntil(lambda: button.image is not None)
    assert button.beat is None
    assert not asked, "nothing moves by itself"
    assert not any(key[3] for key in gallery._pictures), "and no beat is drawn before somebody points"
    comes(button)
    qtbot.waitUntil(lambda: button.beat is not None)
    seconds, step = asked[-1]
    assert seconds == pytest.approx(BEATS * 0.6)
    shown = []
    for number in range(BEATS):
        step((number + 0.5) / BEATS)
        shown.append(button.beat)
    assert len({image.cacheKey() for image in shown}) == BEATS
    assert {image.size().toTuple() for image in shown} == {button.image.size().toTuple()}, "it does not jump"
    assert any(one != other for one, other in pairwise(shown))
    step(1.0)
    assert button.beat is None, "once, then as it was"
    step(0.0)
    page.stand(button)
    assert button.beat is None


def test_beats_are_kept_from_one_start_to_the_next(window, qtbot, tmp_path, monkeypatch):
    monkeypatch.setenv(kept.FOLDER, str(tmp_path))
    gallery, glided_now = window.panes.start.gallery, glided(window)
    button = next(each for each in cards(window) if each.card.name == "pixel")
    qtbot.waitUntil(lambda: button.image is not None)
    window.panes.start.page.step_through(button)
    qtbot.waitUntil(lambda: button.beat is not None)
    assert glided_now
    gallery._pictures.clear()
    monkeypatch.setattr(gallery, "_draw", None)
    assert len(gallery.beats(button.card, button.place())) == BEATS


def test_with_reduced_motion_a_card_stands_still_and_no_beat_is_made(window, qtbot):
    """The player of the app tells a glide 1 at once."""
    store = window.store
    store.update(look=replace(store.state.look, reduced_motion=True))
    player = Player(store)
    window.panes.start.glide = player.glide
    button = next(each for each in cards(window) if each.card.name == "pixel")
    qtbot.waitUntil(lambda: button.image is not None)
    window.panes.start.page.step_through(button)
    assert button.beat is None
    assert not player.running
    assert not any(key[3] for key in (*window.panes.start.gallery._wanted, *window.panes.start.gallery._pictures))


def test_the_beats_of_a_card_end_at_what_it_shows_or_run_through_the_whole_pass():
    named = {card.name: card for card in start.questions()}
    for name in ("pixel", "filter", "next"):
        place = named[name].state.place
        trace = record.pass_of(place.recipe.model, place.recipe.sample).trace
        moments = way(named[name].state, {place.recipe: trace})
        times = sight.times(trace, place)
        assert len(moments) == BEATS
        seconds = [times.second_of(moment) for moment in moments]
        assert seconds == sorted(seconds)
        if name == "filter":
            assert (moments[0].index, moments[-1].index) == (0, sum(
                beat.direction == "forward" for beat in times.beats) - 1)
        else:
            assert moments[-1] == sight.moment_of(trace, place)


def test_pictures_of_sizes_that_the_window_no_longer_has_go(qapp, monkeypatch, tmp_path):
    """Those seen last stay; a window that is drawn larger and smaller for an hour keeps no more than it shows."""
    from PySide6.QtGui import QImage

    from visualizer.ui import gallery as the_gallery

    monkeypatch.setenv("VISUALIZER_STATE", str(tmp_path))
    pictures = the_gallery.Gallery()
    one = QImage(100, 50, QImage.Format.Format_RGB32)
    monkeypatch.setattr(the_gallery, "MOST_BYTES", 10 * one.sizeInBytes())
    card = next(card for card in start.everything() if card.state is not None)
    keys = [(card.name, style.theme_name(), (100 + wide, 50), 0) for wide in range(30)]
    for wide, key in enumerate(keys):
        pictures._keep(key, one)
        assert pictures.picture(card, QSize(100, 50)) is not None, "it is seen all the time"
        assert len(pictures._pictures) == min(wide + 1, 10)
    assert set(pictures._pictures) == {keys[0], *keys[-9:]}
    assert not pictures._wanted


def test_a_card_of_two_places_shows_no_mark_of_which_one_is_active():
    """Its heading is too small to be read; the bar beside that would be a speck alone, and move the picture."""
    state = next(card.state for card in start.questions() if card.name == "learned")
    traces = {recipe: record.pass_of(recipe.model, recipe.sample, edits=recipe.edits).trace
              for recipe in start.recipes(state)}
    bars = [mark for mark in whole(state, traces) if isinstance(mark, Rect) and mark.fill == "accent"
            and mark.group == TITLE]
    assert len(bars) == 1
    assert TITLE in ASIDE
