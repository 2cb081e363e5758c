"""Every picture as a table: each view, the inspector's page and the comparison, by one key."""

import math
import re

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QKeySequence
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests import test_layout
from visualizer import data, registry
from visualizer.scene.picture import Focus, Look, Table, Text
from visualizer.scene.state import State, changed
from visualizer.scene.timeline import timeline
from visualizer.trace import load
from visualizer.ui.commands import find as command
from visualizer.ui.page import page
from visualizer.ui.store import Store
from visualizer.ui.tablesheet import Rows, TableSheet
from visualizer.ui.window import Window
from visualizer.views import all_views, find
from visualizer.views import picture as picture_of


@pytest.fixture(scope="module")
def digits():
    return load(registry.folder("assets") / "traces" / "digits_cnn.trace")


@pytest.fixture
def window(qtbot, digits, monkeypatch, tmp_path):
    monkeypatch.setenv("VISUALIZER_STATE", str(tmp_path))
    found = Window(Store(changed(State(), at="conv2.forward", focus=Focus("conv2", (7,))), digits))
    qtbot.addWidget(found)
    found.resize(1600, 900)
    found.show()
    qtbot.waitUntil(lambda: bool(found.menus.actions))
    return found


def press(key: str) -> None:
    combination = QKeySequence(key)[0]
    QTest.keyClick(QApplication.focusWidget(), combination.key(), combination.keyboardModifiers())


# --- that there is one -----------------------------------------------------------------------------------------------

@pytest.mark.matrix(spine=("digits_cnn", "crnn_strip-connectivity"), sample=30, each=False)
@pytest.mark.parametrize("view", [view.name for view in all_views()])
@pytest.mark.parametrize("model", test_layout.MODELS)
def test_every_view_has_a_table_that_can_be_shown(model, view):
    plain = test_layout.recording(model)
    if not find(view).suits(plain):
        pytest.skip("nothing to show")
    trace = test_layout.recording(model, find(view))
    for moment in list(test_layout.moments(test_layout.timeline(plain)))[1:4:2]:
        picture = picture_of(find(view), trace, moment, None, Look())
        assert picture.table.rows, moment.address
        told(picture.table)


def told(table: Table) -> None:
    """Every cell is words or a number, and is shown as such."""
    rows = Rows(table)
    assert (rows.rowCount(), rows.columnCount()) == (len(table.rows), len(table.columns))
    for number, row in enumerate(table.rows):
        assert len(row) == len(table.columns)
        for column, cell in enumerate(row):
            assert isinstance(cell, str | int | float | np.integer | np.floating), (cell, type(cell))
            assert rows.data(rows.index(number, column)) or cell == "", (number, column)


POWERS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def read(said: object) -> list[float]:
    """The numbers in a cell, or in words."""
    if not isinstance(said, str):
        return [float(said)]
    plain = re.sub(r" × 10([⁻⁰¹²³⁴-⁹]+)", lambda found: "e" + found[1].translate(POWERS), said)
    plain = plain.replace("−", "-").replace(",", "")
    return [float(found) for found in re.findall(r"-?\d+(?:\.\d+)?(?:e-?\d+)?", plain)]


def says(said: str, number: float) -> bool:
    """Whether words say a number, as far as they are rounded: to one digit before a power of ten, else to two after
    the point or to three in all."""
    found = read(said)[0]
    power = 0.51 * 10.0 ** math.floor(math.log10(abs(found))) if " × " in said else 0.0051
    return math.isclose(found, number, rel_tol=0.006, abs_tol=power)


@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("model", ["digits_cnn", "rows_lstm"])
def test_the_inspectors_page_says_no_number_that_its_table_has_not(model, direction):
    trace = test_layout.recording(model)
    pages = 0
    for layer in trace.layers:
        for focus in (Focus(layer.name), Focus(layer.name, tuple(length // 2 for length in layer.shape))):
            moment = next((moment for moment in map(timeline(trace).settled, range(len(timeline(trace).beats)))
                           if moment.beat.layer == layer.name and moment.beat.direction == direction), None)
            if moment is None:
                continue
            made, pages = page(trace, moment, focus, Look()), pages + 1
            told(made.table)
            written = " ".join(str(cell) for row in made.table.rows for cell in row)
            known = [number for row in made.table.rows for cell in row for number in read(cell)]
            beside = [mark.plain for mark in made
                      if isinstance(mark, Text) and mark.anchor == "end" and read(mark.plain)]
            missing = [said for said in beside if said not in written and not any(says(said, one) for one in known)]
            assert not missing, (layer.name, focus.cell)
    assert pages > 4


# --- that it is reached ----------------------------------------------------------------------------------------------

def test_its_key_shows_what_is_seen_and_esc_goes_back(window):
    press(command("table").keys[0])
    sheet = window.cover.shown
    assert isinstance(sheet, TableSheet)
    assert QApplication.focusWidget() is sheet.table
    assert [button.text() for button in sheet.which.buttons] == ["Picture", "Details"]
    assert sheet.rows.table == window.picture.table
    assert sheet.table.accessibleDescription() == window.picture.caption
    QTest.keyClick(sheet.table, Qt.Key.Key_Down)
    assert sheet.table.currentIndex().row() == 1, "arrows walk through its cells"
    QTest.mouseClick(sheet.which.buttons[1], Qt.MouseButton.LeftButton)
    assert sheet.rows.table == window.inspector.page.picture.table
    reached = set()
    for _ in range(6):
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        reached.add(QApplication.focusWidget())
    assert {sheet.table, sheet.done} <= reached, "and Tab goes round"
    assert all(sheet.isAncestorOf(one) or one is sheet for one in reached)
    press("Esc")
    assert window.cover.shown is None
    assert QApplication.focusWidget() is window.stage
    press(command("table").keys[0])
    press(command("table").keys[0])
    assert window.cover.shown is None, "its key puts it away, too"


def test_what_is_copied_is_what_the_file_says(window):
    window.run("table")
    sheet = window.cover.shown
    press("Ctrl+C")
    assert QGuiApplication.clipboard().text().splitlines() == data.table_tabs(window.picture.table).splitlines()[1:]
    QTest.mouseClick(sheet.done, Qt.MouseButton.LeftButton)
    assert window.cover.shown is None


def test_a_comparison_and_the_picture_for_an_audience_are_shown_as_tables(window):
    window.run("compare")
    window.run("table")
    sheet = window.cover.shown
    assert sheet.rows.table.rows == window.picture.table.rows
    assert len(window.picture.table.rows) >= len(window.store.state.places) > 1
    press("Esc")


def test_where_nothing_is_open_that_is_said(qtbot):
    empty = Window(Store(State()))
    qtbot.addWidget(empty)
    empty.show()
    empty.run("table")
    assert empty.cover.shown is None
    assert "no numbers" in empty.message.accessibleName()
