"""A language that is written from right to left: the window is laid out from the right, pictures keep their
direction."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.recorded import recorded
from visualizer import language, paint
from visualizer.export import draw
from visualizer.language import reads_leftwards, speaking, tr
from visualizer.registry import folder
from visualizer.scene.picture import Image, Run, Text
from visualizer.scene.state import State, changed
from visualizer.trace import load
from visualizer.ui import style
from visualizer.ui.store import Store
from visualizer.ui.window import Window

LETTERS = str.maketrans("abcdefghijklmnopqrstuvwxyz", "אבצדעפגהיקכלמנוקרסטאווקיזש")
ISOLATED = re.compile("\u2068([^\u2068\u2069]*)\u2069")


class Hebrew(dict[str, str]):
    """A table in which every word is written with letters of another script."""

    def get(self, text, otherwise=None):
        pieces = re.split(r"(\{[^{}]*\}|\{\{|\}\}|`[^`]*`)", text)
        return "".join(piece if place % 2 else piece.lower().translate(LETTERS) for place, piece in enumerate(pieces))


@pytest.fixture
def hebrew(monkeypatch) -> Iterator[str]:
    """While a test runs, it is spoken."""
    real = language.table
    monkeypatch.setattr(language, "table", lambda code: Hebrew() if code == "he" else real(code))
    with speaking("he"):
        yield "he"


@pytest.fixture
def window(hebrew: str, qtbot) -> Iterator[Window]:
    app = QApplication.instance()
    style.turn(app)
    store = Store(changed(State(), at="conv2.forward", look=replace(State().look, language=hebrew)),
                  load(folder("assets") / "traces" / "digits_cnn.trace"))
    made = Window(store)
    qtbot.addWidget(made)
    made.resize(1366, 768)
    made.show()
    QTest.qWait(50)
    yield made
    app.setLayoutDirection(Qt.LayoutDirection.LeftToRight)


@pytest.mark.parametrize(("code", "leftwards"), [("ar", True), ("fa", True), ("he", True), ("ur", True), ("de", False),
                                                 ("", False), ("xx", False)])
def test_the_direction_follows_from_the_language(code, leftwards):
    with speaking(code):
        style.turn(app := QApplication.instance() or QApplication([]))
        assert (app.layoutDirection() == Qt.LayoutDirection.RightToLeft) == leftwards
    style.turn(app)
    assert app.layoutDirection() == Qt.LayoutDirection.LeftToRight


def test_the_window_is_laid_out_from_the_right(window):
    rail, stage, inspector = window.rail.geometry(), window.stage.geometry(), window.inspector.geometry()
    assert inspector.left() == 0 < stage.left() < rail.left()
    assert rail.right() == window.width() - 1
    assert window.top.mark.geometry().center().x() > window.top.tabs.geometry().center().x() \
        > window.top.export.geometry().center().x()


def test_keys_keep_the_direction_of_time(window):
    before = window.store.moment.index
    QTest.keyClick(window.stage, Qt.Key.Key_Right)
    QTest.qWait(400)
    assert window.store.moment.index > before
    QTest.keyClick(window.stage, Qt.Key.Key_Left)
    QTest.qWait(400)
    assert window.store.moment.index == before
    buttons = window.transport.buttons
    assert buttons["back"].x() < buttons["play"].x() < buttons["next"].x()


def test_a_picture_is_not_mirrored(hebrew):
    trace = recorded("digits_cnn")
    for view in ("network", "filters"):
        mine, english = (
            [(round(mark.x), round(mark.y), mark.cell) for mark in draw(trace, view, "conv2.forward", language=code)
             if isinstance(mark, Image) and len(mark.values) > 1] for code in (hebrew, ""))
        assert mine == english


def test_what_is_filled_in_keeps_its_own_direction(hebrew):
    said = tr("{layer} has read {count} numbers.").format(layer="conv2", count="−0.5")
    assert ISOLATED.findall(said) == ["conv2", "−0.5"]
    assert reads_leftwards(said), "its first letters are those of a name, which does not count"
    told = draw(recorded("digits_cnn"), "network", "conv2.forward", language=hebrew).caption
    assert ISOLATED.search(told)
    with speaking("de"):
        assert "\u2068" not in tr("{layer} has read {count} numbers.")


@pytest.mark.parametrize(("words", "leftwards"), [("אבג", True), ("−0.5", False), ("conv2 אבג", False),
                                                  ("\u2068conv2\u2069 אבג", True), ("12 אבג", True), ("", False)])
def test_words_begin_with_their_own_letters(words, leftwards):
    assert reads_leftwards(words) == leftwards


def test_pieces_of_a_text_stand_from_the_right():
    def laid(*words):
        return [piece.text for piece in paint.laid_out(Text(0, 0, tuple(map(Run, words))))]

    assert laid("אבג ", "5.77", " דה") == [" דה", "5.77", "אבג "]
    assert laid("one ", "5.77", " two") == ["one ", "5.77", " two"]
