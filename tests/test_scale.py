"""Words twice as large: everything in the window by a scale that Qt is told at the start, or the picture's alone.

Where not all of it fits, what is left over is scrolled to, and the keyboard scrolls along: nothing is cut off.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from tests import test_layout
from visualizer import registry
from visualizer.scene.picture import Focus, Look, Picture
from visualizer.scene.state import State, changed
from visualizer.trace import load
from visualizer.ui import kept, scale, style, system
from visualizer.ui.canvas import Canvas
from visualizer.ui.running import App
from visualizer.ui.shell import LEAST, SMALLEST, Shell
from visualizer.ui.stage import LEAST as LEAST_LAYOUT
from visualizer.ui.store import Store
from visualizer.ui.window import Window
from visualizer.views import all_views, find
from visualizer.views import picture as picture_of

ROOT = Path(__file__).resolve().parent.parent
SCREENS = {"1366x768 at 200 %": (683, 384), "1600x900 at 200 %": (800, 450), "1024x768 at 150 %": (683, 512),
           "1024x768 at 200 %": (512, 384)}
"""What a screen has of pixels of the layout."""


@pytest.fixture(autouse=True)
def kept_nowhere(tmp_path, monkeypatch):
    monkeypatch.setenv("VISUALIZER_STATE", str(tmp_path / "kept"))
    monkeypatch.delenv(scale.VARIABLE, raising=False)


@pytest.fixture(scope="module")
def digits():
    return load(registry.folder("assets") / "traces" / "digits_cnn.trace")


@pytest.fixture
def shell(qtbot, digits):
    """A window in the smallest of the screens."""
    frame = Shell()
    qtbot.addWidget(frame)
    frame.resize(*SCREENS["1024x768 at 200 %"])
    frame.show()
    frame.hold(Window(Store(changed(State(), at="conv2.forward", focus=Focus("conv2", (7,))), digits)))
    qtbot.waitUntil(lambda: bool(frame.held.menus.actions))
    return frame


# --- everything ----------------------------------------------------------------------------------------------------

def test_the_scale_is_what_was_chosen_or_else_what_the_system_asks(monkeypatch):
    assert (scale.choice(), scale.wanted(), scale.now()) == ("system", 1.0, 1.0)
    system.keep(system.Wishes(text=1.45))
    assert scale.wanted() == 1.5, "the nearest that there is"
    scale.choose(2.0)
    assert (scale.choice(), scale.wanted()) == (2.0, 2.0)
    scale.apply()
    assert (os.environ[scale.VARIABLE], scale.now()) == ("2", 2.0)
    monkeypatch.setenv(scale.VARIABLE, "1.3")
    scale.apply()
    assert scale.now() == 1.3, "who sets it by hand is heeded"
    kept.remember("window", {"scale": "huge"})
    assert scale.choice() == "system"


def test_qt_draws_at_the_scale_that_was_chosen(tmp_path):
    """The whole start of the app, in a process of its own: so many pixels of the screen for one of the layout."""
    scale.choose(1.75)
    said = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, timeout=60, check=True,
                          cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert said.stdout.split() == ["1.75"]


START = """
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QWidget
from visualizer import app

def show(self, event, paint=app.registry.module("ui.shell").Shell.paintEvent):
    print(self.devicePixelRatioF(), flush=True)
    QTimer.singleShot(0, QApplication.exit)

app.registry.module("ui.shell").Shell.paintEvent = show
app.main()
"""


def test_another_scale_is_offered_as_a_new_start_at_the_same_place(qtbot):
    app = App()
    said = []
    app.window.say = lambda *words: said.append(words)
    app.window.scale_chosen.connect(app.offer_scale)
    app.window.rescale(1)
    (sentence, action, act), = said
    assert sentence == "From the next start on everything is drawn at 125 % of its usual size."
    assert action == "Open anew"
    for _ in range(9):
        app.window.rescale(1)
    assert scale.wanted() == 2.0
    app._heed(system.Wishes(text=1.5))
    assert len(said) == 11, "the system asks in vain where something was chosen, and that is said no second time"
    act()
    assert app.again == (), "on the start screen it was, and there it begins"
    app.close()


@pytest.mark.parametrize("screen", SCREENS)
def test_everything_that_does_not_fit_is_scrolled_to_and_keeps_its_place(shell, screen):
    shell.resize(*SCREENS[screen])
    window = shell.held
    assert SCREENS[screen] >= (LEAST.width(), LEAST.height())
    assert window.size() == SMALLEST.expandedTo(shell.roll.viewport().size()), "laid out as in the smallest window"
    seen = shell.roll.viewport().size()
    assert shell.roll.horizontalScrollBar().maximum() == window.width() - seen.width()
    assert shell.roll.verticalScrollBar().maximum() == window.height() - seen.height()


def test_words_that_are_cut_short_for_want_of_room_are_told_whole(shell, monkeypatch):
    """The smallest window cuts none at these places; where it would, the tooltip has all of them."""
    cut: dict[QWidget, set[str]] = {}
    write = style.write

    def noting(painter, text, x, baseline, token="ink", **how):
        size, weight = how.get("size", 13), how.get("weight", 500)
        if how.get("width") and style.text_width(text, size, weight, how.get("mono", False)) > how["width"] + 1:
            cut.setdefault(painter.device(), set()).add(text)
        return write(painter, text, x, baseline, token, **how)

    monkeypatch.setattr(style, "write", noting)
    for at in ("conv2.forward", "softmax.forward", "conv1.backward"):
        shell.held.store.update(at=at)
        shell.grab()
    assert not cut, "nothing is, at these places"
    shell.held.transport.resize(500, shell.held.transport.height())
    shell.held.transport.grab()
    (widget, texts), = cut.items()
    assert widget is shell.held.transport
    assert all(text.strip() in widget.explained() for text in texts)


def test_what_has_the_keyboard_is_seen(shell):
    window, reached = shell.held, []
    window.stage.setFocus(Qt.FocusReason.TabFocusReason)
    for _ in range(60):
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        now = QApplication.focusWidget()
        seen = QRect(-window.pos(), shell.roll.viewport().size())
        place = QRect(now.mapTo(window, QPoint(0, 0)), now.size())
        large = place.width() > seen.width() or place.height() > seen.height()
        assert seen.intersects(place) if large else seen.contains(place), now.accessibleName()
        reached.append(now)
        if now is window.stage:
            break
    assert reached[-1] is window.stage, "and Tab comes round"
    assert {window.top.export, window.transport.buttons["play"], window.top.mark} <= set(reached)


# --- the picture alone ---------------------------------------------------------------------------------------------

def test_a_picture_that_is_larger_than_its_place_can_be_moved_to_its_edges(qtbot):
    canvas = Canvas()
    qtbot.addWidget(canvas)
    canvas.resize(300, 200)
    canvas.show_picture(Picture((500, 260), ()))
    assert canvas.roams
    canvas.bring_into_view(QRectF(480, 240, 10, 10))
    assert canvas.corner.x() == -(480 + 10 + 10 - 300)
    assert canvas.corner.y() == -(240 + 10 + 10 - 200)
    canvas.bring_into_view(QRectF(0, 0, 10, 10))
    assert (canvas.corner.x(), canvas.corner.y()) == (0, 0), "and no further"
    canvas.show_picture(Picture((300, 200), ()))
    assert not canvas.roams


def test_words_twice_as_large_are_laid_out_with_as_much_room_as_they_need(shell):
    window = shell.held
    shell.resize(1366, 768)
    before = window.stage.picture.size
    assert before == (window.stage.width(), window.stage.height())
    for _ in range(9):
        window.run("larger-text")
    assert window.store.state.look.text_scale == 2
    assert window.stage.picture.size == window.store.state.look.size == tuple(2 * length for length in LEAST_LAYOUT)
    assert window.stage.roams
    for _ in range(9):
        window.run("smaller-text")
    assert window.stage.picture.size[0] == before[0]


@pytest.mark.matrix(spine=("digits_cnn-network", "char_lstm-unrolled"), sample=24, each=False)
@pytest.mark.parametrize("view", [view.name for view in all_views()])
@pytest.mark.parametrize("model", test_layout.MODELS)
def test_no_words_run_into_others_where_all_are_twice_as_large(model, view):
    trace = test_layout.recording(model)
    if not find(view).suits(trace):
        pytest.skip("nothing to show")
    look = Look(tuple(2 * length for length in LEAST_LAYOUT), text_scale=2.0)
    looked_at = list(test_layout.moments(test_layout.timeline(trace)))
    for moment in (looked_at[1], looked_at[-2]):
        picture = picture_of(find(view), test_layout.recording(model, find(view)), moment, None, look)
        assert not (found := list(test_layout.faults(picture, 2.0))), f"{moment.address}: {found[:4]}"
