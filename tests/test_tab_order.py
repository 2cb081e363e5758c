"""Tab goes through the window as one reads it, Shift+Tab back; whatever it reaches has a name, a role and a ring."""

from __future__ import annotations

from itertools import pairwise

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QScrollArea, QWidget

from tests.test_asking import toy
from tests.test_compare_window import fed
from tests.test_window import opened
from visualizer import opening, registry
from visualizer.scene.picture import Focus
from visualizer.scene.state import State, changed
from visualizer.trace import load
from visualizer.ui import kept, teaching
from visualizer.ui.asking import lists
from visualizer.ui.buttons import Button, Segments
from visualizer.ui.modelsheet import ModelSheet
from visualizer.ui.store import Store

Key, Role = Qt.Key, QAccessible.Role
SIZES = {"wide": (1600, 900), "small": (1024, 768)}


@pytest.fixture(scope="module")
def digits():
    return load(registry.folder("assets") / "traces" / "digits_cnn.trace")


def start(window):
    window.go_to_start()
    return ["top", "start.rail", "start.scroller"]


def model(window):
    return ["top", "rail", "stage", "inspector", "transport"]


def message(window):
    window.say("The last session ended without being closed.", "Restore", lambda: None)
    return ["top", "rail", "stage", "message", "inspector", "transport"]


def drawing(window):
    window.rail.toggle_pad()
    return ["top", "rail", "stage", "inspector", "transport"]


def lesson(window):
    teaching._measured.clear()
    kept.remember(teaching.NAME, {})
    window.teaching.now = lambda: "10:42"
    window.open_lesson("pooling")
    window.teaching.forward()
    return ["top", "lesson", "rail", "question", "bar", "stage", "line", "inspector", "transport"]


def compare(window):
    window.run("compare")
    return ["top", "rail", "stage", "inspector", "transport"]


def what_if(window):
    window.panes.toggle_bar()
    return ["top", "rail", "bar", "stage", "inspector", "transport"]


def writing(window):
    window.run("lesson-record")
    return ["top", "writer", "rail", "stage", "inspector", "transport"]


def export(window):
    window.run("export")
    return []


def claims(window):
    window.run("claims")
    return []


def sheet(window):
    page = opening.page(opening.begun(toy()))
    window.cover.show(lambda below: ModelSheet(page, window.store.state.look, below, lists()))
    return []


STATES = {made.__name__: made for made in (
    start, model, message, drawing, lesson, compare, what_if, writing, export, claims, sheet)}


def stops(window, key):
    """What Tab reaches, one after the other, until it comes round."""
    found = []
    for _ in range(300):
        QTest.keyClick(window.focusWidget(), key)
        reached = window.focusWidget()
        assert marked(window, reached), said(reached)
        if found and reached is found[0]:
            return found
        found.append(reached)
    raise AssertionError("Tab does not come round")


def pane(window, name):
    found = window.panes
    for piece in name.split("."):
        found = getattr(found, piece)
    return found


def of(window, widget, panes):
    return next((name for name in panes if pane(window, name) is widget or pane(window, name).isAncestorOf(widget)),
                "none")


def frame(widget):
    """What scrolls with it: its place on the screen says nothing of the order."""
    while widget is not None and not (isinstance(widget.parentWidget(), QScrollArea)
                                      or (isinstance(widget.parentWidget(), QWidget)
                                      and isinstance(widget.parentWidget().parentWidget(), QScrollArea))):
        widget = widget.parentWidget()
    return widget


def said(widget):
    return widget.accessibleName() or type(widget).__name__


def marked(window, widget):
    """Whether a ring lies around what has the keyboard, as far as that is seen, or around a part of it."""
    corner = widget.mapTo(window, QPoint(0, 0))
    around = QRect(corner, widget.size()).adjusted(-4, -4, 4, 4).intersected(window.rect())
    return window.ring.isVisible() and window.ring.geometry() == around


PRESSED = (Role.Button, Role.ButtonMenu, Role.CheckBox, Role.RadioButton, Role.ListItem, Role.PageTab)


def say_what_they_are(window):
    """Every widget that one works with has a name, a role, its state and its number."""
    for widget in window.findChildren(QWidget):
        if not widget.isVisible():
            continue
        found = QAccessible.queryAccessibleInterface(widget)
        about = f"{type(widget).__name__} {found.text(QAccessible.Text.Name)}"
        if isinstance(widget, Button):
            assert found.text(QAccessible.Text.Name), about
            assert found.role() in PRESSED, about
            if widget.isEnabled():
                assert "Press" in found.actionInterface().actionNames(), about
            assert bool(found.state().checked) == widget.isChecked(), about
        elif widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            assert found.text(QAccessible.Text.Name), about
            assert found.role() != Role.Client, about
        if isinstance(widget, Segments) and widget.buttons:
            assert found.text(QAccessible.Text.Name), about
        if found.role() == Role.Slider:
            number = found.valueInterface()
            assert number.minimumValue() <= number.currentValue() <= number.maximumValue(), about


@pytest.mark.parametrize(("name", "size"), [*((name, "wide") for name in STATES), ("start", "small"),
                                            ("lesson", "small")])
def test_tab_follows_the_order_of_reading_and_what_it_reaches_says_what_it_is(qtbot, digits, name, size):
    store = fed(Store(changed(State(), at="conv2.forward", focus=Focus("conv2", (7,))), digits))
    window = opened(qtbot, store, SIZES[size])
    panes = STATES[name](window)
    QApplication.processEvents()
    say_what_they_are(window)
    forwards = stops(window, Key.Key_Tab)
    assert len(forwards) > 4
    for widget in forwards:
        assert widget.isVisible()
        assert widget.isEnabled()
        assert said(widget)
    backwards = stops(window, Key.Key_Backtab)
    turn = backwards.index(forwards[0])
    assert [said(widget) for widget in reversed(backwards[turn + 1:] + backwards[:turn + 1])] == \
        [said(widget) for widget in forwards]
    if not panes:
        return
    first = next(number for number, widget in enumerate(forwards) if of(window, widget, panes) == "top")
    while first and of(window, forwards[first - 1], panes) == "top":
        first -= 1
    order = forwards[first:] + forwards[:first]
    names = [of(window, widget, panes) for widget in order]
    visited = [name for number, name in enumerate(names) if number == 0 or names[number - 1] != name]
    assert visited == [name for name in panes if name in visited], "each pane once, in their order"
    assert {"top", panes[-1]} <= set(visited)
    for one, other in pairwise(order):
        if of(window, one, panes) != of(window, other, panes) or frame(one) is not frame(other):
            continue
        a, b = (widget.mapTo(window, QPoint(0, 0)) for widget in (one, other))
        below = b.y() + other.height() / 2 >= a.y() + one.height() / 2 - 14
        beside = abs(b.y() + other.height() / 2 - a.y() - one.height() / 2) < 14
        inside = one.isAncestorOf(other)
        assert inside or (below and (not beside or b.x() >= a.x())), (said(one), said(other))
