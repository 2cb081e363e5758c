"""The drawing pad: mouse and keyboard leave the same kind of ink, and it becomes a digit."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from visualizer.inputs import _digits
from visualizer.ui.drawing import PEN, SIDE, STEP, Pad, Paper

Key = Qt.Key


@pytest.fixture
def sheet(qtbot):
    made = Paper()
    qtbot.addWidget(made)
    made.resize(SIDE * 2, SIDE * 2)
    with qtbot.waitExposed(made):
        made.show()
    return made


def drag(widget, *points):
    """Press at the first point, move through the others, let go."""
    first, *rest = (QPoint(x, y) for x, y in points)
    QTest.mousePress(widget, Qt.MouseButton.LeftButton, pos=first)
    for point in rest:
        QTest.mouseMove(widget, point)
    QTest.mouseRelease(widget, Qt.MouseButton.LeftButton, pos=rest[-1] if rest else first)


def test_a_new_sheet_is_empty(sheet):
    assert sheet.ink().shape == (SIDE, SIDE)
    assert not sheet.ink().any()


def test_a_stroke_lies_where_the_mouse_went_and_is_as_wide_as_the_pen(sheet):
    drag(sheet, (100, 40), (100, 180))
    ink = sheet.ink()
    rows, columns = np.nonzero(ink > 127)
    assert columns.mean() == pytest.approx(100 / 2, abs=1)
    assert columns.max() - columns.min() + 1 == pytest.approx(PEN, abs=1)
    assert rows.min() == pytest.approx(40 / 2 - PEN / 2, abs=1.5)
    assert rows.max() == pytest.approx(180 / 2 + PEN / 2, abs=1.5)


def test_every_move_says_what_is_drawn_so_far(sheet):
    heard = []
    sheet.drawn.connect(heard.append)
    drag(sheet, (40, 40), (80, 40), (120, 40))
    assert len(heard) == 3
    amounts = [int(ink.astype(int).sum()) for ink in heard]
    assert 0 < amounts[0] < amounts[1] < amounts[2]
    np.testing.assert_array_equal(heard[-1], sheet.ink())


def test_the_ink_that_was_handed_out_does_not_change_with_the_sheet(sheet):
    drag(sheet, (40, 40), (80, 40))
    before = sheet.ink()
    kept = before.copy()
    drag(sheet, (40, 140), (180, 140))
    np.testing.assert_array_equal(before, kept)


def test_the_keyboard_draws_only_while_the_pen_is_down(sheet):
    sheet.setFocus()
    for _ in range(3):
        QTest.keyClick(sheet, Key.Key_Right)
    assert not sheet.ink().any()
    QTest.keyClick(sheet, Key.Key_Space)
    for _ in range(10):
        QTest.keyClick(sheet, Key.Key_Down)
    QTest.keyClick(sheet, Key.Key_Space)
    drawn = sheet.ink()
    for _ in range(5):
        QTest.keyClick(sheet, Key.Key_Left)
    np.testing.assert_array_equal(sheet.ink(), drawn)
    rows, columns = np.nonzero(drawn > 127)
    assert rows.max() - rows.min() == pytest.approx(10 * STEP + PEN, abs=2)
    assert columns.mean() == pytest.approx(SIDE / 2 + 3 * STEP, abs=1)


def test_the_pen_stays_on_the_sheet(sheet):
    sheet.setFocus()
    for _ in range(100):
        QTest.keyClick(sheet, Key.Key_Left)
    assert sheet.pen.x() == 0


def test_delete_clears(sheet):
    drag(sheet, (40, 40), (80, 40))
    sheet.setFocus()
    QTest.keyClick(sheet, Key.Key_Delete)
    assert not sheet.ink().any()


def test_a_drawing_becomes_a_digit_as_mnist_has_them(qtbot):
    pad = Pad()
    qtbot.addWidget(pad)
    pad.resize(pad.sizeHint())
    with qtbot.waitExposed(pad):
        pad.show()
    heard = []
    pad.drawn.connect(heard.append)
    drag(pad.sheet, (60, 30), (60, 150))
    digit = _digits.centre_digit(heard[-1])
    assert digit.shape == (28, 28)
    rows = np.flatnonzero(digit.max(axis=1) > 127)
    assert 18 <= rows[-1] - rows[0] + 1 <= 20, "the longer side is fitted into 20 pixels"
    pad.clear.click()
    assert not pad.sheet.ink().any()


def test_the_pad_says_what_it_is(sheet):
    assert sheet.accessibleName()
    assert "arrow" in sheet.accessibleDescription()
