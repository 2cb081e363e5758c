"""The window, driven by keys and mouse as a person would, and the running app with its engine."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, QRect, Qt, QUrl
from PySide6.QtGui import QDropEvent, QGuiApplication, QImage, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QApplication,
    QFileDialog,
    QLineEdit,
    QMenu,
    QScrollBar,
    QStyle,
    QStyleOptionSlider,
    QWidget,
)
from pytestqt.qtbot import QtBot

from tests.test_kinds_recurrent import trace_of
from visualizer import app as the_app
from visualizer import inputs, registry, sight, views
from visualizer.inputs import _digits
from visualizer.kinds import Report
from visualizer.record import pass_of
from visualizer.scene import colour
from visualizer.scene.picture import Focus, Look, Rect, Text
from visualizer.scene.state import State, changed, to_json
from visualizer.scene.type import width
from visualizer.trace import load
from visualizer.ui import style
from visualizer.ui.buttons import Button
from visualizer.ui.canvas import places
from visualizer.ui.commands.exporting import export_to
from visualizer.ui.inspector import badge_words
from visualizer.ui.rail import choose_model
from visualizer.ui.saving import pictured, pinned
from visualizer.ui.shell import Shell
from visualizer.ui.store import Store
from visualizer.ui.topbar import fitting
from visualizer.ui.window import Window
from visualizer.ui.words import path

Key, LEFT = Qt.Key, Qt.MouseButton.LeftButton
ROOT = Path(__file__).resolve().parent.parent
WIDE, SMALL = (1600, 900), (1024, 768)


@pytest.fixture(scope="module")
def digits():
    return load(registry.folder("assets") / "traces" / "digits_cnn.trace")


def opened(qtbot, store, size=WIDE):
    """A window of that size, shown and settled."""
    style.wear(the_app.application(), store.state.look.theme)
    window = Window(store)
    qtbot.addWidget(window)
    window.resize(*size)
    with qtbot.waitSignal(window.painted, timeout=5000), qtbot.waitExposed(window):
        window.show()
    window.rail.fill()
    window.activateWindow()
    return window


@pytest.fixture
def window(qtbot, digits):
    return opened(qtbot, Store(changed(State(), at="conv2.forward", focus=Focus("conv2", (7,))), digits))


@pytest.fixture(autouse=True)
def no_dialogs(monkeypatch):
    """A dialog would wait for ever: nobody is there to answer it."""
    def refuse(*args):
        raise AssertionError("a dialog was opened")

    for name in ("getOpenFileName", "getSaveFileName", "getExistingDirectory"):
        monkeypatch.setattr(QFileDialog, name, refuse)


def press(window, key, modifiers=Qt.KeyboardModifier.NoModifier):
    """A key, to whatever has the keyboard."""
    QTest.keyClick(window.focusWidget() or window, key, modifiers)


def spot(window, focus):
    """Where the stage shows a thing."""
    return places(window.stage.picture, focus)[0].center().toPoint()


# --- keys -----------------------------------------------------------------------------------------------------------

def test_a_step_and_a_step_back_is_the_same_picture(window):
    before, pixels = window.stage.picture.dump(), window.stage.grab().toImage()
    press(window, Key.Key_Right)
    assert window.store.state.at == "relu2.forward"
    assert window.stage.picture.dump() != before
    press(window, Key.Key_Left)
    assert window.stage.picture.dump() == before
    assert window.stage.grab().toImage() == pixels


@pytest.mark.parametrize(("key", "at"), [
    (Key.Key_PageDown, "relu2.forward"), (Key.Key_PageUp, "pool1.forward"), (Key.Key_Home, "input.forward"),
    (Key.Key_R, "conv2.backward"),
])
def test_a_key_walks(window, key, at):
    press(window, key)
    assert window.store.state.at == at


def test_ctrl_b_asks_for_the_weights_from_before_training_and_back(window):
    wanted = []
    window.store.wants_trace.connect(wanted.append)
    choose_model(window.store, "rows_rnn")
    for done in (("untrained",), ()):
        press(window, Key.Key_B, Qt.KeyboardModifier.ControlModifier)
        assert window.store.state.edits == done
        assert wanted[-1] == window.store.state
    press(window, Key.Key_B, Qt.KeyboardModifier.ControlModifier)
    window.store.undo()
    assert window.store.state.edits == ()


def test_where_there_is_nothing_from_before_training_the_window_says_so(window, without_before):
    without_before("lenet_mnist")
    choose_model(window.store, "lenet_mnist")
    before = window.store.state
    press(window, Key.Key_B, Qt.KeyboardModifier.ControlModifier)
    assert window.store.state.recipe == before.recipe
    assert "For LeNet-5 no weights from before training are there" in window.message.words


def test_end_goes_all_the_way_back_to_the_input(window):
    press(window, Key.Key_End)
    assert window.store.moment.backward
    assert window.store.moment.index == len(window.store.timeline.beats) - 1


@pytest.mark.parametrize("name", ["stage", "play", "export", "grid", "table"])
def test_the_clicker_and_the_letters_work_whatever_has_the_keyboard(window, name):
    if name == "table":
        window.inspector.tabs.buttons[1].click()
    target = {"stage": window.stage, "play": window.transport.buttons["play"], "export": window.top.export,
              "grid": window.rail.grid, "table": window.inspector.table}[name]
    target.setFocus(Qt.FocusReason.TabFocusReason)
    assert window.focusWidget() is target
    press(window, Key.Key_PageDown)
    assert window.store.state.at == "relu2.forward"
    press(window, Key.Key_R)
    assert window.store.state.at == "relu2.backward"


def test_letters_are_typed_while_a_text_field_has_the_keyboard(window):
    field = QLineEdit(window)
    field.setGeometry(300, 300, 100, 30)
    field.show()
    field.setFocus()
    QTest.keyClicks(field, "rst")
    assert field.text() == "rst"
    assert window.store.state.at == "conv2.forward"
    assert not window.store.state.look.signs
    field.deleteLater()


def test_up_and_down_change_the_channel_and_alt_the_pixel(window, digits):
    press(window, Key.Key_Down)
    assert window.store.state.focus == Focus("conv2", (8,))
    press(window, Key.Key_Up)
    press(window, Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    row, column = np.unravel_index(digits["conv2"].output[7].argmax(), (12, 12))
    assert window.store.state.focus == Focus("conv2", (7, row, min(column + 1, 11)))


def test_escape_goes_one_level_out_at_a_time(window):
    press(window, Key.Key_Escape)
    assert window.store.state.focus == Focus("conv2")
    press(window, Key.Key_Backspace)
    assert window.store.state.focus is None


def test_space_plays_and_pauses_and_presses_the_button_that_has_the_keyboard(window):
    press(window, Key.Key_Space)
    assert window.store.state.playing
    press(window, Key.Key_Space)
    assert not window.store.state.playing
    button = window.transport.buttons["next"]
    button.setFocus(Qt.FocusReason.TabFocusReason)
    QTest.keyClick(button, Key.Key_Space)
    assert window.store.state.at == "relu2.forward"
    assert not window.store.state.playing


def test_undo_returns_to_what_was_chosen_before(window):
    press(window, Key.Key_S)
    assert window.store.state.look.signs
    press(window, Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert not window.store.state.look.signs
    press(window, Key.Key_Z, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    assert window.store.state.look.signs


def test_f6_reaches_every_pane_and_tab_every_part(window):
    panes = []
    for _ in range(5):
        press(window, Key.Key_F6)
        panes.append(next(name for name in ("stage", "inspector", "transport", "rail", "top")
                          if getattr(window, name) is window.focusWidget()
                          or getattr(window, name).isAncestorOf(window.focusWidget())))
    assert sorted(panes) == ["inspector", "rail", "stage", "top", "transport"]
    seen = set()
    for _ in range(80):
        QTest.keyClick(window.focusWidget(), Key.Key_Tab)
        seen.add(window.focusWidget())
    assert {window.stage, window.top.export, window.rail.grid, window.transport.speed, window.inspector.badge} <= seen


def test_the_ring_shows_where_the_keyboard_is_and_not_after_a_click(window):
    assert not window.ring.isVisible()
    QTest.keyClick(window.focusWidget(), Key.Key_Tab)
    assert window.ring.isVisible()
    target = window.focusWidget()
    corner = target.mapTo(window, QPoint(0, 0))
    assert window.ring.geometry() == QRect(corner, target.size()).adjusted(-4, -4, 4, 4).intersected(window.rect())
    QTest.mouseClick(window.stage, LEFT, pos=spot(window, Focus("conv2", (7,))))
    assert not window.ring.isVisible()


def test_f1_shows_the_keys_and_any_key_puts_them_away(window):
    before = window.store.state
    press(window, Key.Key_F1)
    assert "Play or pause" in window.focusWidget().accessibleDescription()
    press(window, Key.Key_R)
    assert window.store.state == before, "the key only closes the sheet"
    press(window, Key.Key_R)
    assert window.store.state.at == "conv2.backward"


@pytest.mark.parametrize(("key", "color"), [(Key.Key_B, "#000000"), (Key.Key_Period, "#000000"),
                                            (Key.Key_W, "#ffffff")])
def test_the_screen_goes_blank_and_comes_back(window, key, color):
    press(window, key)
    QApplication.processEvents()
    assert window.grab().toImage().pixelColor(700, 400).name() == color
    press(window, Key.Key_Right)
    assert window.store.state.at == "conv2.forward"
    QApplication.processEvents()
    assert window.grab().toImage().pixelColor(230, 400).name() == "#ffffff"
    assert window.grab().toImage().pixelColor(30, 700).name() == "#f5f6f8"


def test_presenting_is_full_screen_in_projector_colours_and_escape_only_leaves_it(window):
    press(window, Key.Key_F5)
    audience = window.presenter.audience
    assert audience.isFullScreen()
    assert audience.picture.theme == "projector"
    press(audience, Key.Key_Escape)
    assert not window.presenting
    assert not audience.isVisible()
    assert window.store.state.look.theme == "light"
    assert window.store.state.focus == Focus("conv2", (7,))


def test_the_menu_bar_lists_every_command_with_its_key(window):
    listed = {action.text(): action for menu in window.menus.bar.actions() for action in menu.menu().actions()}
    for command in window.commands.values():
        assert [key.toString() for key in listed[command.title].shortcuts()], command.name
        assert listed[command.title].toolTip() == command.tip
    assert window.menus.bar.isHidden()
    press(window, Key.Key_F10)
    assert not window.menus.bar.isHidden()


# --- mouse ----------------------------------------------------------------------------------------------------------

def test_a_click_on_the_stage_is_followed_by_path_inspector_and_transport(window):
    QTest.mouseClick(window.stage, LEFT, pos=spot(window, Focus("relu1", (2,))))
    assert [words for words, _ in window.top.crumbs.path] == ["Digits CNN", "relu1", "channel 2"]
    assert window.inspector.page.picture.caption == "relu1 channel 2"
    assert window.transport.counter() == f"Beat 3 of {len(window.store.timeline.beats)}"


def test_a_crumb_goes_up(window):
    window.top.crumbs.buttons[1].click()
    assert window.store.state.focus == Focus("conv2")
    window.top.crumbs.buttons[0].click()
    assert window.store.state.focus is None


def test_the_direction_turns_round_at_the_same_place(window):
    window.transport.directions.buttons[1].click()
    assert window.store.state.at == "conv2.backward"
    window.transport.directions.buttons[0].click()
    assert window.store.state.at == "conv2.forward"


def test_the_speed_follows_the_slider_and_the_slider_the_speed(window):
    slider = window.transport.speed
    slider.setValue(slider.maximum())
    assert window.store.state.speed == 8
    slider.setValue(0)
    assert window.store.state.speed == 0.25
    press(window, Key.Key_BracketRight)
    assert window.store.state.speed == 0.5
    assert slider.value() == 10


def test_every_view_that_suits_has_a_tab_that_shows_it(window):
    names = [view.name for view in window.views()]
    assert len(names) >= 2
    tabs = [view.name for view in window.top.views]
    assert [name for name in tabs if name != "compare"] == names
    for name in names:
        window.top.tabs.buttons[tabs.index(name)].click()
        assert window.store.state.view == name
        assert window.stage.picture.caption


def test_a_digit_can_be_drawn_in_the_microscope_whose_small_picture_makes_room(window):
    """As in every other view: a key that does nothing to be seen is a broken key."""
    press(window, Key.Key_Return)
    assert window.rail.aside.isVisible()
    press(window, Key.Key_D)
    assert window.rail.pad.isVisible()
    assert window.rail.pad.sheet.hasFocus()
    assert not window.rail.aside.isVisible()
    window.rail.toggle_pad()
    assert not window.rail.pad.isVisible()
    assert window.rail.aside.isVisible()
    window.rail.toggle_pad()
    window.store.update(view="network")
    assert window.rail.pad.isVisible()
    window.store.update(view="microscope")
    assert window.rail.aside.isVisible(), "a view that is opened shows its own"
    assert not window.rail.pad.isVisible()


@pytest.mark.parametrize("size", [(1366, 768), (1600, 900), (1366, 700)])
def test_the_whole_drawing_pad_stands_in_the_rail(qtbot, digits, size):
    window = opened(qtbot, Store(State(), digits), size)
    window.toggle_pad()
    rail = window.rail
    assert rail.pad.isVisible()
    assert rail.rect().contains(rail.pad.geometry())
    assert rail.pad.geometry().top() > rail.open_model.geometry().bottom() > rail.scroller.geometry().bottom()
    assert rail.scroller.height() >= 48


@pytest.mark.parametrize("size", [(1366, 768), (1600, 900)])
def test_no_word_of_the_small_picture_is_cut(qtbot, digits, size):
    window = opened(qtbot, Store(changed(State(), view="microscope", at="conv2.forward",
                                         focus=Focus("conv2", (7, 3, 5))), digits), size)
    texts = [mark for mark in window.rail.aside.picture if isinstance(mark, Text)]
    assert any(mark.plain == "The map it stands in" for mark in texts)
    for mark in texts:
        assert not mark.max_width or width(mark.plain, mark.size, mark.weight) <= mark.max_width, mark.plain
        assert mark.max_width <= window.rail.aside.width()


def test_the_microscope_looks_from_the_rail_and_backspace_walks_back(window):
    press(window, Key.Key_Return)
    assert window.store.state.view == "microscope"
    assert window.rail.aside.isVisible()
    assert not window.rail.draw_button.isVisible()
    assert window.rail.aside.picture.still
    start = (window.store.state.at, window.store.state.focus)
    cell = next(mark for mark in window.stage.picture if isinstance(mark, Rect) and mark.focus is not None
                and mark.focus.layer == "pool1" and len(mark.focus.cell) == 3)
    source = cell.focus
    QTest.mouseClick(window.stage, LEFT, pos=QPoint(round(cell.x + cell.width / 2), round(cell.y + cell.height / 2)))
    assert window.store.state.focus == source
    assert window.store.state.at == "pool1.forward"
    press(window, Key.Key_Backspace)
    assert (window.store.state.at, window.store.state.focus) == start
    press(window, Key.Key_Backspace)
    assert (window.store.state.view, window.store.state.focus) == ("network", Focus("conv2", (7,)))
    assert not window.rail.aside.isVisible()


def test_backspace_walks_back_through_all_numbers_and_escape_goes_up_at_once(window):
    press(window, Key.Key_Return)
    start = (window.store.state.at, window.store.state.focus)
    seen = [start]
    for layer in ("pool1", "relu1", "conv1"):
        term = next(spot for part in window.stage.parts() for spot in part.spots if spot.focus.layer == layer)
        left, top, wide, high = term.place
        QTest.mouseClick(window.stage, LEFT, pos=QPoint(round(left + wide / 2), round(top + high / 2)))
        assert (window.store.state.at, window.store.state.focus) == (f"{layer}.forward", term.focus)
        seen.append((window.store.state.at, window.store.state.focus))
    press(window, Key.Key_Backspace)
    press(window, Key.Key_Backspace)
    assert (window.store.state.at, window.store.state.focus) == seen[1]
    press(window, Key.Key_Escape)
    assert (window.store.state.view, window.store.state.focus) == ("network", Focus("pool1", seen[1][1].cell[:1]))
    press(window, Key.Key_Return)
    press(window, Key.Key_Backspace)
    assert window.store.state.view == "network", "what was walked before is forgotten"


def test_the_way_back_begins_at_the_number_that_was_shown_even_if_none_was_chosen(window):
    window.store.update(focus=None, view="microscope")
    shown = [words for words, _ in window.top.crumbs.path]
    assert shown[-1].startswith("pixel")
    row = next(mark.focus for mark in window.inspector.page.picture if mark.focus is not None
               and mark.focus.layer == "pool1")
    window.inspector.page.clicked.emit(row)
    press(window, Key.Key_Backspace)
    assert [words for words, _ in window.top.crumbs.path] == shown


def test_crumbs_lead_out_of_the_microscope(window):
    press(window, Key.Key_Return)
    assert [words for words, _ in window.top.crumbs.path][1:3] == ["conv2", "channel 7"]
    window.top.crumbs.buttons[2].click()
    assert (window.store.state.view, window.store.state.focus) == ("network", Focus("conv2", (7,)))


def test_shift_and_an_arrow_add_one_term_in_the_microscope_and_the_transport_counts(window):
    press(window, Key.Key_Return)
    assert window.transport.counter() == "Term 56 of 56", "54 products, the bias, the result"
    pictures = [window.stage.picture.dump()]
    for number in range(1, 5):
        press(window, Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
        assert window.store.state.at.startswith("conv2.forward@")
        assert window.transport.counter() == f"Term {56 - number} of 56"
        pictures.append(window.stage.picture.dump())
    assert len(set(pictures)) == 5
    for picture in reversed(pictures[:-1]):
        press(window, Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
        assert window.stage.picture.dump() == picture


def test_space_plays_the_terms_of_one_number_from_the_first(window):
    press(window, Key.Key_Return)
    press(window, Key.Key_Space)
    assert window.store.state.playing
    assert window.transport.counter() == "Term 0 of 56"
    press(window, Key.Key_Space)
    assert not window.store.state.playing


def test_the_card_turns_over_and_the_march_goes_on_by_key_and_by_menu(window):
    window.store.update(focus=Focus("conv2", (7, 9, 8)), view="microscope")
    press(window, Key.Key_C)
    assert window.store.state.at == "conv2.backward", "forwards, the other side is the way back"
    hands = window.stage.picture.caption
    press(window, Key.Key_C)
    assert window.store.state.look.knob("card", "") == "arrives"
    assert window.stage.picture.caption != hands
    press(window, Key.Key_C)
    assert window.stage.picture.caption == hands
    for word, counter in (("positions", "Position 144 of 144"), ("rows", "Row 12 of 12"), ("terms", "Term 4 of 4")):
        press(window, Key.Key_M)
        assert window.store.state.look.knob("march", "") == word
        assert window.transport.counter() == counter
    window.menus.options.aboutToShow.emit()
    chosen = [action.text() for action in window.menus.options.actions() if action.isChecked()]
    assert chosen == ["What it hands on", "Term by term"]
    next(action for action in window.menus.options.actions() if action.text() == "Row by row over the map").trigger()
    assert window.store.state.look.knob("march", "") == "rows"
    window.store.update(view="network")
    press(window, Key.Key_C)
    assert window.store.state.look.knob("card", "") == "hands", "no such knob here"


@pytest.mark.qt_log_ignore("This plugin does not support")
def test_the_options_button_offers_the_knobs_of_the_view(window):
    window.top.options.click()
    menu = next(menu for menu in window.findChildren(QMenu) if menu.isVisible())
    assert [action.text() for action in menu.actions() if action.isCheckable()]
    next(action for action in menu.actions() if action.text() == "Largest value first").trigger()
    menu.close()
    assert window.store.state.look.knob("ranking", "") == "max"
    window.store.update(view="filters")
    assert window.top.options.isEnabled() == bool(window.view().knobs)


def test_a_hovered_thing_lights_up_on_the_stage_and_in_the_inspector(window):
    press(window, Key.Key_Return)
    rows = [mark.focus for mark in window.inspector.page.picture if mark.focus is not None
            and mark.focus.layer == "pool1"]
    assert rows, "the terms of a pixel of conv2 come from pool1"
    window.inspector.page.hovered.emit(rows[0])
    assert window.stage.lit == window.inspector.page.lit == rows[0]
    assert len(places(window.stage.picture, rows[0])) == 5, "window, kernel, product, running sum, and its map"
    assert len(places(window.inspector.page.picture, rows[0])) == 1


def test_the_map_beside_the_stage_chooses_the_place_while_the_pointer_is_on_it(window):
    press(window, Key.Key_Return)
    start = window.store.state
    window.rail.aside.hovered.emit(Focus("conv2", (7, 2, 2)))
    assert window.store.state.focus == Focus("conv2", (7, 2, 2))
    assert window.stage.heard_value().endswith("pixel (2, 2)")
    window.rail.aside.hovered.emit(None)
    assert window.store.state == start
    window.rail.aside.hovered.emit(Focus("conv2", (7, 2, 2)))
    window.rail.aside.clicked.emit(Focus("conv2", (7, 2, 2)))
    window.rail.aside.hovered.emit(None)
    assert window.store.state.focus == Focus("conv2", (7, 2, 2))


def test_a_picture_carries_the_number_it_shows_and_only_its_own_knobs(window):
    knobs = (("march", "rows"), ("ranking", "max"))
    window.store.apply(lambda state: changed(state, look=replace(state.look, knobs=knobs)))
    window.store.update(at="relu2.forward", focus=Focus("conv2", (7, 3, 5)), view="microscope")
    carried = pinned(window.store)
    assert carried.focus == Focus("relu2", (7, 3, 5))
    assert carried.look.knobs == (("march", "rows"),)
    assert sight.seen(window.store.trace, carried) == window.stage.picture
    assert pictured(window.store).focus == Focus("conv2", (7, 3, 5)), "a film goes on to other layers"


def test_escape_leaves_the_part_first(window):
    press(window, Key.Key_Return)
    press(window, Key.Key_Tab)
    assert window.stage.part == 0
    at = window.store.state.at
    press(window, Key.Key_Right)
    assert (window.store.state.at, window.stage.spot) == (at, 1), "arrows belong to the part"
    press(window, Key.Key_PageDown)
    assert window.store.state.at == "relu2.forward", "the clicker steps everywhere"
    press(window, Key.Key_Escape)
    assert (window.stage.part, window.store.state.view) == (-1, "microscope")
    press(window, Key.Key_Escape)
    assert window.store.state.view == "network"


def test_the_values_can_be_copied_with_every_digit(window, digits):
    window.inspector.tabs.buttons[1].click()
    table = window.inspector.table
    table.selectAll()
    table.setFocus()
    QTest.keyClick(table, Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = QGuiApplication.clipboard().text().split("\n")
    copied = np.array([[float(word) for word in line.split("\t")] for line in lines])
    np.testing.assert_array_equal(copied, digits["conv2"].output[7])


def test_plots_come_when_they_are_wanted(window):
    window.inspector.tabs.buttons[2].click()
    charts = window.inspector.charts
    assert "conv2 channel 7" in charts.histogram.accessibleName()
    heights = charts.histogram.bars.opts["height"]
    assert heights.sum() == 144
    window.store.update(focus=Focus("fc1"), at="fc1.forward")
    assert charts.histogram.bars.opts["height"].sum() == 48


@pytest.mark.parametrize("tab", [1, 2])
@pytest.mark.parametrize("at", ["conv2.forward", "conv2.backward"])
def test_no_tab_shows_numbers_before_they_are_there(window, tab, at):
    inspector = window.inspector
    inspector.tabs.buttons[tab].click()
    parts = (inspector.scroller, inspector.table, inspector.charts)
    window.store.update(focus=Focus("conv2", (7,)), at=f"{at}@0.9")
    assert [part is not None and part.isVisible() for part in parts] == [True, False, False]
    assert not inspector.page.picture.table.rows
    window.store.update(at=at)
    assert [part is not None and part.isVisible() for part in parts] == [tab == place for place in range(3)]


def test_ctrl_c_copies_the_picture(window):
    press(window, Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    image = QGuiApplication.clipboard().image()
    width, height = window.stage.picture.size
    assert (image.width(), image.height()) == (2 * width, 2 * height)


# --- themes and sizes -----------------------------------------------------------------------------------------------

def test_t_turns_the_whole_window_dark(window):
    press(window, Key.Key_T)
    QApplication.processEvents()
    image = window.grab().toImage()
    dark = colour.theme("dark").tokens
    assert image.pixelColor(100, 700).name().upper() == dark["window"]
    assert image.pixelColor(250, 100).name().upper() == dark["stage"]
    assert window.stage.picture.theme == window.inspector.page.picture.theme == "dark"
    press(window, Key.Key_T)
    QApplication.processEvents()
    assert window.grab().toImage().pixelColor(100, 700).name().upper() == colour.theme("light").tokens["window"]


def test_the_frame_at_1600_by_900_is_the_one_that_was_drawn(window):
    def place(widget):
        return QRect(widget.mapTo(window, QPoint(0, 0)), widget.size()).getRect()

    assert place(window.top) == (0, 0, 1600, 48)
    assert place(window.rail) == (0, 48, 216, 764)
    assert place(window.stage) == (216, 48, 1104, 764)
    assert place(window.inspector) == (1320, 48, 280, 764)
    assert place(window.transport) == (0, 812, 1600, 88), "a row for the beats, and one for the inputs"
    play = QRect(*place(window.transport.buttons["play"]))
    assert play.center().x() in (759, 760)
    assert QRect(*place(window.inspector.badge)).height() == 56
    assert place(window.transport.directions)[0] == 16


@pytest.mark.parametrize(("size", "rail", "inspector", "menu"), [
    ((1920, 1080), 216, True, False), ((1600, 900), 216, True, False), ((1281, 800), 216, True, False),
    ((1280, 720), 56, True, False), ((1100, 768), 56, False, True), ((1024, 768), 56, False, True),
])
def test_narrow_windows_give_up_words_before_pictures(qtbot, digits, size, rail, inspector, menu):
    window = opened(qtbot, Store(changed(State(), at="conv2.forward"), digits), size)
    assert (window.panes.width(), window.panes.height()) == size
    assert window.rail.width() == rail
    assert window.inspector.isVisible() == inspector
    assert window.top.view_button.isVisible() == menu
    assert window.top.tabs.isVisible() != menu
    assert window.transport.speed.isVisible() != menu
    assert bool(window.transport.directions.buttons[0].text()) != menu
    assert window.stage.geometry().right() <= size[0] - (280 if inspector else 8)


@pytest.fixture(scope="module")
def letters():
    """A recording of a recurrent network: it has more views than any window has room for."""
    return pass_of("char_lstm", "wherefore art thou").trace


@pytest.mark.parametrize(("size", "least"), [(WIDE, 4), ((1366, 768), 3), ((1280, 720), 3)])
def test_tabs_never_move_and_the_last_says_which_of_the_others_is_shown(qtbot, letters, size, least):
    window = opened(qtbot, Store(changed(State(), model="char_lstm", sample="text:wherefore art thou"), letters), size)
    top, found = window.top, window.top.views
    names = [view.name for view in found]
    assert names[:5] == ["network", "microscope", "waiting", "compare", "surgery"]
    assert len(names) > 10
    assert len(top.tabs.shown) >= least
    assert top.tabs.shown == tuple(range(len(top.tabs.shown)))
    stood = places_of_tabs(top)
    for number, name in enumerate(names):
        if name == "compare":  # several networks, no view of this one
            continue
        forget = Focus("lstm", (16, 29), "inner.forget")
        for at, focus in (("lstm.forward[3]", None), ("lstm.backward[17].forget", forget), ("fc.forward", Focus("fc"))):
            window.store.update(view=name, at=at, focus=focus)
            assert places_of_tabs(top) == stood, "neither a view nor a step moves them"
            assert top.tabs.more.chosen == (number in top.tabs.behind())
            assert top.tabs.more.text() == (found[number].title if top.tabs.more.chosen else "More")
            assert top.tabs.buttons[number].isChecked()
    row = top.tabs.row()
    assert row[-1] is top.tabs.more
    assert all(button.width() >= button.sizeHint().width() for button in row)
    assert all(one.geometry().right() < other.geometry().left() for one, other in pairwise(row))
    assert top.tabs.rect().contains(top.tabs.more.geometry())
    assert top.crumbs.geometry().right() < top.tabs.geometry().left()
    assert top.tabs.geometry().right() < min(tool.x() for tool in top.tools.values())


def places_of_tabs(top):
    return [top.tabs.geometry(), *(button.geometry() for button in top.tabs.row()), top.options.geometry()]


def test_the_tabs_of_another_network_begin_at_the_same_place(qtbot, letters, digits):
    window = opened(qtbot, Store(changed(State(), model="char_lstm", sample="text:wherefore art thou"), letters))
    stood = window.top.tabs.buttons[0].mapTo(window, QPoint(0, 0))
    other = opened(qtbot, Store(State(), digits))
    assert other.top.tabs.buttons[0].mapTo(other, QPoint(0, 0)) == stood


def test_groups_of_views_stand_together_and_each_says_what_it_shows_and_what_to_try():
    groups = [group for group, _ in groupby(view.group for view in views.all_views())]
    assert len(groups) == len(set(groups)) > 3
    for view in views.all_views():
        assert view.sentence.endswith(".")
        assert re.fullmatch(r"[A-Z].{20,90}[.?]", view.tries), view.name


def test_every_command_with_a_picture_has_a_button_that_does_it_and_shows_that_it_is_on(window):
    assert {"laboratory", "before-training", "fold", "theme", "film"} <= set(window.top.tools)
    for name, tool in window.top.tools.items():
        assert tool.toolTip(), name
        assert tool.isEnabled() == (name != "fold"), "a CNN has nothing to fold"
    window.top.tools["theme"].click()
    assert window.store.state.look.theme == "dark"
    assert window.top.tools["theme"].is_on
    window.top.tools["laboratory"].click()
    assert window.store.state.in_lab
    assert window.top.tools["laboratory"].is_on
    assert not window.top.tools["before-training"].isEnabled()


@pytest.mark.parametrize(("size", "all_of_them"), [(WIDE, False), ((1280, 720), False), (SMALL, True)])
def test_the_last_tab_opens_the_views_that_have_none(qtbot, letters, monkeypatch, size, all_of_them):
    window = opened(qtbot, Store(changed(State(), view="network", model="char_lstm"), letters), size)
    button = window.top.view_button if all_of_them else window.top.tabs.more
    assert button.accessibleName()
    assert button.toolTip()
    assert button.focusPolicy() & Qt.FocusPolicy.TabFocus
    button.setFocus(Qt.FocusReason.TabFocusReason)
    monkeypatch.setattr(QMenu, "popup", lambda menu, at: None)
    QTest.keyClick(button, Key.Key_Return)
    menu, = window.top.findChildren(QMenu)
    tabs = window.top.views
    views_ = tabs if all_of_them else [tabs[number] for number in window.top.tabs.behind()]
    actions = [action for action in menu.actions() if not action.isSeparator()]
    assert [action.text() for action in actions] == [view.title for view in views_]
    assert [action.toolTip() for action in actions] == [f"{view.sentence} {view.tries}" for view in views_]
    assert [action.statusTip() for action in actions] == [f"{view.sentence} {view.tries}" for view in views_]
    assert [action.text() for action in menu.actions() if action.isSeparator()] == list(
        dict.fromkeys(view.group for view in views_))
    menu.actions()[-1].trigger()
    assert window.store.state.view == views_[-1].name
    assert button.text() == views_[-1].title


@pytest.mark.parametrize("size", [WIDE, (1280, 720), SMALL])
def test_ctrl_page_goes_through_every_view_shown_or_not(qtbot, letters, size):
    window = opened(qtbot, Store(changed(State(), view="network", model="char_lstm"), letters), size)
    names = [view.name for view in window.views()]
    for name in [*names[1:], names[0]]:
        press(window, Key.Key_PageDown, Qt.KeyboardModifier.ControlModifier)
        assert window.store.state.view == name
    press(window, Key.Key_PageUp, Qt.KeyboardModifier.ControlModifier)
    assert window.store.state.view == names[-1]


@pytest.mark.parametrize(("room", "shown"), [(100, (0, 1, 2, 3)), (99, (0, 1, 2)), (59, (0, 1)), (49, (0,)), (29, ())])
def test_the_tabs_that_fit(room, shown):
    assert fitting((20, 20, 10, 50), 10, room) == shown


def test_a_view_that_fails_says_so_on_the_stage(window, monkeypatch):
    def fail(*given):
        raise ValueError("add#3 is not in list")

    told = []
    monkeypatch.setattr(sys, "excepthook", lambda *error: told.append(error[1]))
    network = views.find("network")
    monkeypatch.setattr("visualizer.sight.suiting", lambda name, trace: replace(network, draw=fail))
    window.store.update(at="conv1.forward")
    assert window.stage.picture.caption == ("Network cannot draw this recording; choose another view, or another "
                                            "input.")
    assert [str(error) for error in told] == ["add#3 is not in list"]
    monkeypatch.undo()
    window.store.update(at="conv2.forward")
    assert "conv2" in window.stage.picture.caption


def test_the_drawer_slides_over_the_stage_and_back(qtbot, digits):
    window = opened(qtbot, Store(changed(State(), at="conv2.forward"), digits), SMALL)
    stage = window.stage.geometry()
    press(window, Key.Key_I)
    assert window.inspector.isVisible()
    assert window.stage.geometry() == stage
    assert window.inspector.geometry().right() == 1023
    press(window, Key.Key_Escape)
    assert not window.inspector.isVisible()
    assert window.top.details.isVisible()


def test_in_a_narrow_window_samples_and_pad_are_panels_that_escape_closes(qtbot, digits):
    window = opened(qtbot, Store(changed(State(), at="conv2.forward"), digits), SMALL)
    window.rail.input_button.click()
    assert window.rail.panel.isVisible()
    press(window, Key.Key_Right)
    assert window.store.state.sample == inputs.all_samples("image")[1].name
    press(window, Key.Key_Escape)
    assert window.rail.panel is None
    press(window, Key.Key_D)
    heard = []
    window.drawn.connect(heard.append)
    press(window, Key.Key_Space)
    press(window, Key.Key_Down)
    assert len(heard) == 2, "the keyboard draws at once"
    press(window, Key.Key_Escape)
    assert window.rail.panel is None


@pytest.mark.parametrize("size", [WIDE, SMALL, (1280, 720), (1920, 1080)])
@pytest.mark.parametrize("busy", [False, True])
def test_no_button_is_clipped_too_small_or_under_another(qtbot, digits, size, busy):
    window = opened(qtbot, Store(changed(State(), at="conv2.backward", focus=Focus("conv2", (7, 3, 5))), digits), size)
    if busy:
        window.say("Something happened, and this sentence says what to do about it.")
        window.rail.toggle_pad()
        QApplication.processEvents()
    shown = [button for button in window.findChildren(Button) if button.isVisible()]
    assert len(shown) > 15
    for button in shown:
        hint = button.sizeHint()
        assert button.width() >= hint.width(), (button.accessibleName(), button.width(), hint.width())
        assert button.width() >= 28, button.accessibleName()
        assert button.height() >= 28, button.accessibleName()
        assert button.parentWidget().rect().contains(button.geometry()), button.accessibleName()
    for pane in (window.top, window.transport, window.rail):
        parts = [child for child in pane.children() if isinstance(child, QWidget) and child.isVisible()]
        for number, one in enumerate(parts):
            for other in parts[number + 1:]:
                assert not one.geometry().intersects(other.geometry()), (one.accessibleName(), other.accessibleName())


@pytest.mark.parametrize("size", [WIDE, SMALL])
def test_everything_the_keyboard_reaches_has_a_name(qtbot, digits, size):
    window = opened(qtbot, Store(changed(State(), at="conv2.forward"), digits), size)
    window.panes.toggle_details()
    window.inspector.tabs.buttons[1].click()
    window.rail.toggle_pad()
    reachable = [widget for widget in window.findChildren(QWidget)
                 if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible()]
    assert len(reachable) > 15
    nameless = [widget for widget in reachable if not widget.accessibleName()]
    assert nameless == []


@pytest.mark.parametrize("size", [WIDE, (1366, 768), SMALL])
def test_a_message_floats_over_the_stage_and_changes_nothing_of_the_picture(window, size):
    window.resize(*size)
    place, picture, state = window.stage.geometry(), window.stage.picture, window.store.state
    for sentence in ("There is no file x.trace; check the name.", "A sentence of many words, and then more. " * 5):
        window.say(sentence)
        assert window.message.isVisible()
        assert window.message.accessibleName() == sentence
        assert window.stage.geometry() == place
        assert window.stage.picture is picture
        assert window.store.state == state
        assert place.contains(window.message.geometry())
        assert " ".join(window.message.lines) == sentence.strip(), "no word of it is elided"
        assert window.childAt(window.message.mapTo(window, QPoint(4, 4))) is window.message, "nothing covers it"
    assert len(window.message.lines) > 1
    press(window, Key.Key_Escape)
    assert not window.message.isVisible()
    assert window.stage.geometry() == place
    assert window.store.state.focus == Focus("conv2", (7,))


def test_a_double_click_opens_the_pixel_under_the_mouse(window):
    window.store.update(view="feature_maps", focus=None)
    tile = places(window.stage.picture, Focus("conv2", (3,)))[0]
    rows, columns = window.store.trace["conv2"].shape[1:]
    for row, column in ((1, 2), (9, 4)):
        window.store.update(view="feature_maps", focus=None)
        at = QPointF(tile.x() + (column + 0.5) * tile.width() / columns, tile.y() + (row + 0.5) * tile.height() / rows)
        QTest.mouseClick(window.stage, LEFT, pos=at.toPoint())
        second = QMouseEvent(QMouseEvent.Type.MouseButtonDblClick, at, at, LEFT, LEFT, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(window.stage, second)
        assert window.store.state.focus == Focus("conv2", (3, row, column))
        assert window.view().name == "microscope"


def test_a_film_stands_under_export(window, monkeypatch):
    shown = []
    monkeypatch.setattr(QMenu, "popup", lambda menu, at: shown.extend(menu.actions()))
    window.top.export.click()
    titles = [action.text() for action in shown]
    assert titles[:6] == ["Export picture…", "Export film…", "Export film through inputs…", "Export page…",
                          "Export code…", "Export data…"]
    shown[1].trigger()
    assert window.film_panel.isVisible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_scroll_bar_is_thin_and_has_no_arrows(qtbot, digits, theme):
    state = changed(State(), view="microscope", at="conv2.forward", focus=Focus("conv2", (7, 3, 5)),
                    look=Look(theme=theme))
    window = opened(qtbot, Store(state, digits), (1280, 720))
    window.inspector.tabs.buttons[1].click()
    bars = [bar for bar in window.findChildren(QScrollBar) if bar.orientation() == Qt.Orientation.Vertical]
    assert len(bars) >= 3
    for bar in bars:
        bar.setRange(0, 100)
        bar.resize(bar.sizeHint().width(), 200)
        assert bar.width() == 10, bar.parent()
        option = QStyleOptionSlider()
        bar.initStyleOption(option)
        for arrow in (QStyle.SubControl.SC_ScrollBarAddLine, QStyle.SubControl.SC_ScrollBarSubLine):
            assert bar.style().subControlRect(QStyle.ComplexControl.CC_ScrollBar, option, arrow, bar).isEmpty()


# --- the badge ------------------------------------------------------------------------------------------------------

def test_the_badge_tells_what_is_known_about_the_numbers(digits):
    assert badge_words(digits, None)[0] == "Not checked yet"
    assert badge_words(digits, Report({"conv1": 1.8e-6, "fc1": 1e-9})) == (
        "Verified in float64", "all layers, max error 1.8 × 10⁻⁶")
    assert badge_words(digits, Report({"conv1": 1e-7}, unverified={"x": "unknown"}))[1].startswith("1 of 2 layers")
    title, detail = badge_words(digits, Report({"conv1": 0.02}))
    assert (title, detail) == ("Not verified", "differs by 2.0 × 10⁻²")
    assert badge_words(digits, Report({"conv1": float("nan")}))[0] == "Not verified"


@pytest.mark.parametrize(("report", "token"), [(Report({"conv1": 1e-7}), "tint"), (Report({"conv1": 0.1}), "alarm"),
                                               (None, "window")])
def test_the_badge_has_the_colour_of_its_verdict(qtbot, digits, report, token):
    window = opened(qtbot, Store(changed(State(), at="conv2.forward"), digits, report))
    image = window.inspector.badge.grab().toImage()
    assert image.pixelColor(200, 6).name().upper() == colour.theme("light").tokens[token]


# --- empty ----------------------------------------------------------------------------------------------------------

def test_an_empty_window_says_what_to_do_and_nothing_breaks(qtbot):
    window = opened(qtbot, Store(State()))
    assert window.panes.empty.isVisible()
    window.setFocus()
    for key in (Key.Key_Right, Key.Key_Space, Key.Key_R, Key.Key_Up, Key.Key_Return, Key.Key_Escape, Key.Key_U,
                Key.Key_I):
        press(window, key)
    assert not window.grab().isNull()
    assert badge_words(None, None)[0] == "Not checked yet"


def test_show_hands_a_recording_to_a_new_process(digits, monkeypatch, tmp_path):
    started = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(the_app, "_has_screen", lambda: True)
    monkeypatch.setattr(subprocess, "Popen", lambda command, **how: started.append(command))
    the_app.show(digits)
    command, = started
    assert command[:4] == [sys.executable, "-m", "visualizer", "open"]
    assert load(command[4]).digest == digits.digest


# --- gates and states under the microscope --------------------------------------------------------------------------

@pytest.fixture
def gated(qtbot):
    """An LSTM of five units over six steps, its forget gate at step 3 chosen in the view of all steps."""
    state = changed(State(), view="unrolled", at="rnn.forward[3]", focus=Focus("rnn", (2,), "inner.forget"))
    return opened(qtbot, Store(state, trace_of("lstm")))


def crumbs(window):
    return [words for words, _ in path(window.store.trace, window.store.sight.subject)[1:]]


def test_enter_on_a_gate_opens_its_card_and_the_arrows_walk_through_units_and_steps(gated):
    press(gated, Key.Key_Return)
    state = gated.store.state
    strongest = int(gated.store.trace["rnn"].inner["forget"][2].argmax())
    assert (state.view, state.focus) == ("microscope", Focus("rnn", (2, strongest), "inner.forget"))
    assert "forget gate" in gated.stage.picture.caption
    assert crumbs(gated) == ["rnn", "step 3", "forget gate", f"unit {strongest}"]
    press(gated, Key.Key_Up if strongest else Key.Key_Down)
    assert gated.store.state.focus.cell[1] == (strongest - 1 if strongest else 1)
    press(gated, Key.Key_Right)
    assert crumbs(gated)[1:3] == ["step 4", "forget gate"]
    assert "at step 4" in gated.stage.picture.caption
    press(gated, Key.Key_Escape)
    assert (gated.store.state.view, gated.store.state.focus) == ("unrolled", Focus("rnn", (3,), "inner.forget"))


def test_enter_within_a_step_opens_what_happens_just_then(gated):
    gated.store.update(at="rnn.backward[3].cell", focus=Focus("rnn", (2, 1)))
    press(gated, Key.Key_Return)
    assert crumbs(gated) == ["rnn", "step 3", "memory", "unit 1"]
    assert "∂L/∂c, memory, of unit 1 at step 3" in gated.stage.picture.caption


def test_terms_of_a_gate_are_added_one_by_one(gated):
    press(gated, Key.Key_Return)
    count = gated.store.timeline.pace(gated.store.moment.index).stretches[0].terms
    assert gated.transport.counter() == f"Term {count} of {count}"
    for left in range(count - 1, -1, -1):
        press(gated, Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
        assert gated.transport.counter() == f"Term {left} of {count}"
    press(gated, Key.Key_Left, Qt.KeyboardModifier.ShiftModifier)
    assert gated.store.state.at == "rnn.forward[2]"
    press(gated, Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert gated.transport.counter() == f"Term 0 of {count}"
    press(gated, Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert gated.transport.counter() == f"Term 1 of {count}"
    assert "step 3" in gated.stage.picture.caption


def test_the_walk_goes_upstream_through_gates_and_steps_and_back(gated):
    press(gated, Key.Key_Return)
    gated.stage.pick(Focus("rnn", (1, 4)))
    assert (gated.store.state.at, crumbs(gated)) == ("rnn.forward[2]", ["rnn", "step 2", "unit 4"])
    gated.stage.pick(Focus("rnn", (1, 4), "inner.cell"))
    assert crumbs(gated) == ["rnn", "step 2", "memory", "unit 4"]
    gated.stage.pick(Focus("rnn", (1, 4), "inner.input"))
    gated.stage.pick(Focus("input", (1, 2)))
    assert gated.store.state.at == "input.forward"
    press(gated, Key.Key_Backspace)
    assert crumbs(gated) == ["rnn", "step 2", "input gate", "unit 4"]
    press(gated, Key.Key_Backspace)
    press(gated, Key.Key_Backspace)
    assert crumbs(gated) == ["rnn", "step 2", "unit 4"]
    press(gated, Key.Key_Backspace)
    assert crumbs(gated)[1:3] == ["step 3", "forget gate"]


def test_a_gate_is_turned_over_at_the_same_step(gated):
    press(gated, Key.Key_Return)
    press(gated, Key.Key_C)
    assert gated.store.state.at == "rnn.backward[3]"
    assert "hands" in gated.stage.picture.caption
    press(gated, Key.Key_C)
    assert "arrived" in gated.stage.picture.caption
    unit = gated.store.state.focus.cell[1]
    said = {str(row[0]): row[1] for row in gated.inspector.page.picture.table.rows}
    assert said["∂L/∂forget gate"] == pytest.approx(float(gated.store.trace["rnn"].inner_gradients["forget"][2, unit]))


def test_a_step_is_walked_through_part_by_part_where_no_gate_was_chosen(gated):
    gated.store.update(view="microscope", focus=Focus("rnn", (2, 1)), at="rnn.forward[3]@0")
    seen = []
    for _ in range(200):
        if crumbs(gated)[2:-1] not in seen:
            seen.append(crumbs(gated)[2:-1])
        press(gated, Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
        if gated.store.moment.beat.step != 3:
            break
    assert seen == [["input gate"], ["forget gate"], ["candidate"], ["output gate"], ["memory"], []]
    assert gated.store.state.at == "rnn.forward[4]@0"


# --- the running app ------------------------------------------------------------------------------------------------

@contextmanager
def an_app():
    """An app with a real engine, as a person finds it: seen, and with what it opens checked."""
    the_app.application()
    joined = the_app.App()
    joined.window.resize(*WIDE)
    joined.window.show()
    QtBot(None).waitUntil(lambda: joined.store.report is not None, timeout=60_000)
    yield joined
    joined.close()
    joined.window.deleteLater()
    joined.deleteLater()


@pytest.fixture(scope="module")
def begun(qapp):
    """One for all that follows."""
    with an_app() as joined:
        yield joined


@pytest.fixture
def running(qtbot, begun):
    """The same at its first picture, whatever a test did before: keys go to its stage, and no sheet lies over it."""
    begun.window.rail.close_panel()
    begun.window.window().activateWindow()
    begun.window.stage.setFocus()
    yield begun
    begun.window.message.dismiss()
    begun.store.apply(lambda state: changed(State(), look=Look(size=state.look.size)))
    until(qtbot, lambda: not begun.store.waiting)


def until(qtbot, what):
    qtbot.waitUntil(what, timeout=60_000)


def test_the_shipped_recording_is_checked_as_soon_as_the_engine_is_ready(qtbot, running):
    assert running.store.trace.sample.name == "digit-2148"
    until(qtbot, lambda: running.store.report is not None)
    assert badge_words(running.store.trace, running.store.report)[0] == "Verified in float64"
    assert running.window.inspector.status.startswith("Live")


def test_a_knob_of_the_laboratory_shows_where_it_passes_while_it_is_dragged(qtbot, running):
    window, store, shown = running.window, running.store, []
    until(qtbot, lambda: store.report is not None)
    window.run("laboratory")
    until(qtbot, lambda: not store.waiting)
    slider = next(row.slider for row in window.rail.knobs.rows if row.knob.name == "gain")
    start = QPoint(round(slider._x()), slider.height() // 2)
    seen = lambda trace: shown.append((dict(trace.facts["lab"]).get("gain"), window.stage.picture.caption))  # noqa: E731
    store.trace_changed.connect(seen)
    QTest.mousePress(slider, LEFT, pos=start)
    for step in range(600):
        QTest.mouseMove(slider, start + QPoint(step % 40, 0))
        qtbot.wait(15)
        if len({caption for _, caption in shown}) >= 4:
            break
    assert len({gain for gain, _ in shown}) >= 4, "curves of several settings were seen under way"
    until(qtbot, lambda: not store.waiting)
    assert shown[-1][0] == dict(store.state.recipe.words)["gain"], "and in the end those of where it stands"
    QTest.mouseRelease(slider, LEFT, pos=start)
    store.trace_changed.disconnect(seen)
    until(qtbot, lambda: store.report is not None)


def test_the_answer_of_a_sweep_fills_the_stage_until_somebody_goes_on(qtbot, running):
    window, store = running.window, running.store
    window.run("laboratory")
    until(qtbot, lambda: not store.waiting)
    curves = window.stage.picture.caption
    window.run("sweep")
    until(qtbot, lambda: "sweep" in store.trace.studies)
    assert "Over the whole range of Spectral radius ρ" in window.stage.picture.caption
    window.run("sweep")
    assert window.stage.picture.caption == curves, "asked again it is put away"
    window.run("sweep")
    assert window.stage.picture.caption != curves
    window.run("back")
    assert "Over the whole range" not in window.stage.picture.caption, "a step goes on with the curves"
    window.run("sweep")
    slider = next(row.slider for row in window.rail.knobs.rows if row.knob.name == "steps")
    press_on = slider.value() + 3
    slider.setValue(press_on)
    until(qtbot, lambda: not store.waiting)
    assert "Over the whole range" not in window.stage.picture.caption, "so does a knob"


def test_a_session_that_a_crash_left_behind_is_offered_and_never_forced(qtbot, running):
    from visualizer.scene import session
    from visualizer.ui import kept

    folder = kept.folder() / "sessions"
    folder.mkdir(exist_ok=True)
    left = folder / "crashed.session"
    left.write_bytes(session.state_bytes(changed(State(), at="pool2.backward", view="filters"), None))
    before = running.store.state
    running.window.restore_wanted.disconnect(running.restore)
    running.begin()
    message = running.window.message
    assert message.action.isVisible()
    assert running.store.state == before
    assert left.exists()
    message.dismiss()
    running.begin()
    assert not message.isVisible(), "it is said once"
    damaged = folder / "damaged.session"
    damaged.write_bytes(b"{")
    running.begin()
    assert message.isVisible(), "this one is another"
    message.action.click()
    assert (running.store.state.at, running.store.state.view) == ("pool2.backward", "filters")
    assert not left.exists()
    assert not damaged.exists()
    assert (folder / "aside" / "damaged.session").read_bytes() == b"{", "what cannot be opened is kept, out of the way"
    assert message.isVisible(), "it is told, too"
    assert "damaged.session" in message.words
    message.dismiss()
    running.window.run("restore")
    assert "no session" in message.words
    message.dismiss()
    running.store.undo()
    assert running.store.state.at == before.at


def test_another_sample_is_recorded_and_shown(qtbot, running):
    running.store.update(at="conv2.forward", focus=Focus("conv2", (7,)))
    before = running.window.stage.picture.dump()
    running.window.rail.grid.choose(5)
    until(qtbot, lambda: not running.store.waiting)
    wanted = inputs.all_samples("image")[5]
    trace = running.store.trace
    assert trace.sample.name == wanted.name
    np.testing.assert_allclose(trace["input"].output[0], inputs.raw(wanted.name) / 255, atol=1e-6)
    assert running.store.state.focus == Focus("conv2", (7,))
    assert running.window.stage.picture.dump() != before


def test_another_model_is_opened_by_a_click(qtbot, running):
    row = next(row for row in running.window.rail.models.rows if row.name == "lenet_mnist")
    row.click()
    until(qtbot, lambda: not running.store.waiting)
    assert running.store.trace.model == "lenet_mnist"
    press(running.window, Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    until(qtbot, lambda: not running.store.waiting)
    assert running.store.trace.model == "digits_cnn"


def test_a_stroke_on_the_pad_becomes_the_input(qtbot, running):
    rail = running.window.rail
    rail.toggle_pad()
    sheet = rail.pad.sheet
    with qtbot.waitSignal(running.store.trace_changed, timeout=60_000):
        QTest.mousePress(sheet, LEFT, pos=QPoint(92, 30))
        for y in range(40, 160, 10):
            QTest.mouseMove(sheet, QPoint(92, y))
        QTest.mouseRelease(sheet, LEFT, pos=QPoint(92, 150))
    until(qtbot, lambda: np.array_equal(np.rint(running.store.trace["input"].output[0] * 255),
                                        _digits.centre_digit(sheet.ink())))
    assert running.store.trace.sample.name == "drawn"
    assert int(running.store.trace["softmax"].output.argmax()) == 1, "an upright stroke is a 1"
    rail.toggle_pad()


def test_an_image_that_is_dropped_becomes_the_input(qtbot, running, tmp_path):
    path = tmp_path / "seven.png"
    image = QImage(100, 140, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.white)
    for x in range(20, 80):
        for y in range(20, 34):
            image.setPixelColor(x, y, Qt.GlobalColor.black)
    for y in range(34, 120):
        for x in range(13):
            image.setPixelColor(80 - (y - 20) // 3 - x, y, Qt.GlobalColor.black)
    image.save(str(path))
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    event = QDropEvent(QPointF(500, 500), Qt.DropAction.CopyAction, data, LEFT, Qt.KeyboardModifier.NoModifier)
    running.window.dropEvent(event)
    until(qtbot, lambda: not running.store.waiting and running.store.trace.sample.name == str(path))
    assert int(running.store.trace["softmax"].output.argmax()) == 7


def test_a_text_is_read_as_one_types_and_the_caret_is_followed(qtbot, running):
    choose_model(running.store, "char_gru")
    until(qtbot, lambda: not running.store.waiting)
    field = running.window.rail.typed.field
    assert field.isVisible()
    assert running.store.state.view == "unrolled"
    field.setFocus()
    field.selectAll()
    qtbot.keyClicks(field, "art")
    until(qtbot, lambda: not running.store.waiting and running.store.trace.sample.steps == ("a", "r", "t"))
    assert running.store.state.sample == "text:art"
    assert running.store.state.at == "gru.forward[3]"
    assert running.window.transport.counter() == "Step 3 of 3"
    field.moveCursor(field.textCursor().MoveOperation.Start)
    qtbot.keyClicks(field, "c")
    until(qtbot, lambda: not running.store.waiting and running.store.trace.sample.steps == tuple("cart"))
    assert running.store.state.at == "gru.forward[1]"
    picture = running.window.stage.picture.dump()
    qtbot.keyClicks(field, "#")
    assert not running.store.waiting
    assert running.window.stage.picture.dump() == picture, "what it cannot read leaves what was there"
    assert not running.window.message.isVisible(), running.window.message.words
    assert any("“#”" in said for said, _ in running.window.rail.typed.notes())


def test_a_text_file_is_read_by_a_model_of_texts_and_refused_by_one_of_pictures(qtbot, running, tmp_path):
    path = tmp_path / "verse.txt"
    path.write_text("Full fathom five", "utf-8")
    choose_model(running.store, "char_gru")
    until(qtbot, lambda: not running.store.waiting)
    running.recorder.open(str(path))
    until(qtbot, lambda: not running.store.waiting)
    assert "".join(running.store.trace.sample.steps) == "Full fathom five"
    assert running.window.rail.typed.field.toPlainText() == "Full fathom five"
    choose_model(running.store, "digits_cnn")
    until(qtbot, lambda: not running.store.waiting)
    running.recorder.open(str(path))
    assert running.window.message.isVisible()
    assert "verse.txt is a text" in running.window.message.words
    running.window.message.dismiss()


@pytest.mark.parametrize(("name", "content", "words"), [
    ("absent.trace", None, "no file"), ("broken.trace", b"not a zip", "not a trace"),
    ("broken.png", b"not an image", "no image"), ("strange.xyz", b"?", "no kind that opens"),
    ("broken.session", b"{", "saved state"), ("future.session", b'{"version": 99}', "newer"),
    ("broken.pt", b"not a model", ""),
])
def test_a_file_that_cannot_be_opened_is_a_sentence_and_the_work_stays(qtbot, running, tmp_path, name, content, words):
    running.store.update(sample="digit-2148", model="digits_cnn")
    until(qtbot, lambda: not running.store.waiting)
    running.window.message.dismiss()
    picture = running.window.stage.picture.dump()
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    running.recorder.open(str(path))
    until(qtbot, running.window.message.isVisible)
    sentence = running.window.message.words
    assert words in sentence
    assert "\n" not in sentence
    assert "Traceback" not in sentence
    running.window.message.dismiss()
    assert not running.store.waiting
    assert running.window.stage.picture.dump() == picture


def test_an_exported_picture_opens_again_in_the_place_it_was_taken(qtbot, running, tmp_path):
    store = running.store
    store.update(sample="digit-2148", at="relu2.backward", focus=Focus("relu2", (3,)))
    until(qtbot, lambda: not store.waiting)
    picture = running.window.stage.picture.dump()
    for suffix in ("png", "svg", "pdf"):
        export_to(running.window, tmp_path / f"it.{suffix}")
    store.update(at="input.forward", focus=None, view="filters")
    for suffix in ("png", "svg", "pdf"):
        running.recorder.open(str(tmp_path / f"it.{suffix}"))
        assert (store.state.at, store.state.focus, store.state.view) == ("relu2.backward", Focus("relu2", (3,)),
                                                                         "network")
        assert running.window.stage.picture.dump() == picture
        store.update(at="input.forward", focus=None, view="filters")


def test_a_recording_and_a_session_open_again(qtbot, running, tmp_path, digits):
    path = tmp_path / "kept.trace"
    digits.save(path)
    running.recorder.open(str(path))
    assert running.store.state.model == str(path)
    assert not running.store.waiting
    state = changed(running.store.state, at="fc1.backward", model="digits_cnn")
    session = tmp_path / "kept.session"
    session.write_text(to_json(state), "utf-8")
    running.recorder.open(str(session))
    until(qtbot, lambda: not running.store.waiting)
    assert running.store.state.at == "fc1.backward"
    assert running.store.trace.model == "digits_cnn"


@pytest.mark.skipif(sys.platform == "win32", reason="signals end a process otherwise there")
def test_an_engine_that_is_killed_is_one_sentence_and_comes_back(qtbot, running):
    running.window.message.dismiss()
    picture = running.window.stage.picture.dump()
    with qtbot.waitSignal(running.engine.died, timeout=60_000):
        os.kill(running.engine.pid, signal.SIGKILL)
    until(qtbot, running.window.message.isVisible)
    assert running.window.message.words.count("\n") == 0
    running.window.message.dismiss()
    assert running.window.stage.picture.dump() == picture
    running.store.update(sample="digit-3")
    until(qtbot, lambda: not running.store.waiting)
    assert running.store.trace.sample.name == "digit-3"


def test_nothing_is_left_running_when_the_window_closes(qtbot):
    with an_app() as running:
        pid = running.engine.pid
        running.store.update(playing=True)
        assert running.player.running
        running.close()
        assert not running.player.running
        assert running.engine.pid is None
        assert not running.window.isVisible()
        qtbot.waitUntil(lambda: not alive(pid), timeout=10_000)


def alive(pid):
    """Whether there is a process of that number."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


# --- the keyboard comes back ----------------------------------------------------------------------------------------

def test_the_stage_has_the_keyboard_when_a_frame_has_been_given_its_window(qtbot, digits):
    """The first Enter goes one level in; it does not open the menu under the mark."""
    shell, window = Shell(), Window(Store(changed(State(), at="conv2.forward"), digits))
    qtbot.addWidget(shell)
    shell.resize(1600, 900)
    shell.show()
    with qtbot.waitSignal(window.painted, timeout=5000):
        shell.hold(window)
    assert window.focusWidget() is window.stage
    press(window, Key.Key_Return)
    assert window.store.state.focus == Focus("conv2")


@pytest.mark.parametrize("size", [WIDE, SMALL])
def test_what_is_put_away_gives_the_keyboard_back_to_the_stage(qtbot, digits, size):
    window = opened(qtbot, Store(changed(State(), at="conv2.forward"), digits), size)
    window.say("Something happened.", "Undo", lambda: None)
    window.message.close_button.setFocus(Qt.FocusReason.TabFocusReason)
    press(window, Key.Key_Return)
    assert not window.message.isVisible()
    assert window.focusWidget() is window.stage
    if size == SMALL:
        for opens in (window.rail.input_button, window.rail.draw_icon):
            opens.click()
            assert window.focusWidget() is not window.stage
            press(window, Key.Key_Escape)
            assert window.rail.panel is None
            assert window.focusWidget() is window.stage
        press(window, Key.Key_I)
        window.inspector.tabs.buttons[0].setFocus(Qt.FocusReason.TabFocusReason)
        press(window, Key.Key_I)
        assert window.focusWidget() is window.stage
    for name in ("keys", "words", "export"):
        window.run(name)
        press(window, Key.Key_Escape)
        assert window.focusWidget() is window.stage, name


def test_back_to_the_beginning_on_the_way_back_stays_on_the_way_back_first(window):
    window.store.update(at="conv1.backward")
    window.run("first")
    assert window.store.state.at == "softmax.backward"
    window.run("first")
    assert window.store.state.at == "input.forward"


def test_tab_goes_from_the_bar_to_the_stage_below_it_and_on_row_by_row_from_left_to_right(window):
    window.run("what-if")
    window.rail.open_button.setFocus()
    seen = []
    for _ in range(24):
        QTest.keyClick(window.focusWidget(), Key.Key_Tab)
        seen.append(window.focusWidget())
    bar = [one for one in seen if window.panes.bar.isAncestorOf(one)]
    assert bar
    assert seen[:len(bar) + 1] == [*bar, window.stage]
    assert all(one.accessibleName() or one.text() for one in bar)
    play = window.transport.buttons["play"]
    level = play.mapTo(window, play.rect().center()).y()
    middles = [one.mapTo(window, one.rect().center()) for one in seen if window.transport.isAncestorOf(one)]
    row = [middle.x() for middle in middles if abs(middle.y() - level) < 14]
    assert len(row) > 4
    assert row == sorted(row)


def test_what_was_said_of_a_file_is_gone_when_the_next_is_opened(window):
    window.say("This is no file.")
    window.open_path("another.txt")
    assert not window.message.isVisible()


def test_the_keyboard_comes_back_to_the_start_screen_from_under_a_sheet(window):
    window.go_to_start()
    had = window.focusWidget()
    window.run("keys")
    assert window.cover.shown is window.focusWidget()
    window.cover.close()
    assert window.focusWidget() is had


@pytest.mark.parametrize("command", ["stronger", "weaker", "another-seed"])
def test_a_key_that_turns_what_is_not_there_says_so(window, command):
    window.run(command)
    assert "Shift+W" in window.message.words
