"""What of WCAG 2.2, level AA, can be computed. Which criterion is met how:

    1.1.1, 1.3.1   every picture is a table, too: test_tables
    1.3.2          the order of Tab is that of rows, from left to right: test_window
    1.4.1          the sign of a number is never its hue alone: test_page, test_views
    1.4.3          words in pictures: test_layout; words of the window: here
    1.4.4, 1.4.10  twice as large, nothing lost: test_scale
    1.4.11         controls, icons and the ring of the keyboard: here
    1.4.13         a tooltip goes by itself and never covers what it tells of: Qt
    2.1.1, 2.5.7   what a drag does a key does: here; every command has a key: test_commands
    2.1.2          Tab and Esc lead out of everything: here, test_scale, test_tables
    2.2.1, 2.2.2   nothing has to be done in time, and Space stops whatever moves: test_player
    2.3.1          nothing flashes: here
    2.3.3          less motion, as the system asks or as one chose: test_system, test_stillness
    2.4.3, 2.4.7   the keyboard is where it is seen: test_window
    2.4.11         what has the keyboard is not covered: here
    2.5.8          targets of 24 pixels: here
    3.3.1          what is wrong is said in one sentence: test_messages
    4.1.2          names: here and test_window; what has no name is no part of the tree
"""

import re
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QApplication, QLineEdit, QScrollBar, QWidget

from visualizer import paint, registry
from visualizer.scene import colour
from visualizer.scene.picture import Focus, Line, Look, Picture
from visualizer.scene.state import SPEEDS, State, changed
from visualizer.scene.timeline import timeline
from visualizer.trace import load
from visualizer.ui import stage
from visualizer.ui.commands import find as command
from visualizer.ui.store import Store
from visualizer.ui.window import Window
from visualizer.views import find
from visualizer.views import picture as picture_of

THEMES = ("light", "dark", "contrast-light", "contrast-dark")
TEXT, LARGE = 4.5, 3.0
"""Least contrast of words, and of what is no word: controls, icons, the ring of the keyboard."""
TARGET = 24
"""Pixels: nothing that is clicked is smaller."""


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


# --- 1.4.3, 1.4.11: contrast -----------------------------------------------------------------------------------------

@pytest.mark.parametrize("theme", THEMES)
def test_words_controls_and_the_ring_of_the_keyboard_stand_out(theme):
    def ratio(token, ground):
        return colour.contrast(colour.resolve(theme, token), colour.resolve(theme, ground))

    for ground in ("window", "stage", "raised", "sunk"):
        for words in ("ink", "ink-2", "accent-ink"):
            assert ratio(words, ground) >= TEXT, (words, ground)
        for drawn in ("ink", "ink-2", "accent", "border", "gradient-mark", "pen"):
            assert ratio(drawn, ground) >= LARGE, (drawn, ground)
    assert ratio("ink", "tint") >= TEXT
    assert ratio("accent-ink", "tint") >= TEXT
    assert ratio("on-accent", "accent-fill") >= TEXT


@pytest.mark.parametrize("theme", THEMES)
def test_whatever_the_colour_of_a_cell_a_number_on_it_can_be_read(theme):
    for name in ("activation", "weight", "gradient", "pixel"):
        for entry in range(256):
            cell = f"{name}:{entry}"
            ink = colour.resolve(theme, colour.ink_on(cell, theme))
            assert colour.contrast(ink, colour.resolve(theme, cell)) >= TEXT, cell


@pytest.mark.parametrize("strong", [False, True])
def test_high_contrast_draws_no_line_faint_that_shows_something(strong):
    theme = colour.strong("light", strong)
    faint = Picture((40, 40), (Line(((0, 20), (40, 20)), "gradient-mark", 6, opacity=0.4),), theme=theme)
    pixel = paint.render(faint).pixelColor(20, 20)
    found = colour.contrast((pixel.red(), pixel.green(), pixel.blue(), 255), colour.resolve(theme, "stage"))
    assert (found >= TEXT) == strong


# --- 2.5.8, 2.4.11, 4.1.2, 2.1.2: what is clicked and what has the keyboard ------------------------------------------

PLACES = ("", "what-if", "film", "export", "table", "claims", "start", "details")
"""What lies over or beside the stage, by the command that brings it."""


def brought(window: Window, name: str) -> None:
    if name == "details":
        window.resize(1024, 768)
    if name:
        window.run(name)
    QApplication.processEvents()


def reached(window: Window) -> list[QWidget]:
    """Everything that Tab reaches from where the keyboard is, until it comes round."""
    found: list[QWidget] = []
    for _ in range(300):
        QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Tab)
        now = QApplication.focusWidget()
        if now in found and now is not window.stage and len(found) > 1 and now is found[0]:
            return found
        if now not in found:
            found.append(now)
    return found


@pytest.mark.parametrize("name", PLACES)
def test_what_is_clicked_is_large_enough_and_has_a_name(window, name):
    brought(window, name)
    clicked = [widget for widget in window.findChildren(QWidget) if widget.isVisible() and isinstance(
        widget, QAbstractButton | QAbstractSlider | QLineEdit) and not isinstance(widget, QScrollBar)
               and widget.objectName() != "qt_tableview_cornerbutton"]  # turned off
    assert clicked
    for widget in clicked:
        assert widget.accessibleName() or getattr(widget, "text", str)(), widget
        assert min(widget.width(), widget.height()) >= TARGET, (widget.accessibleName(), widget.size())


@pytest.mark.parametrize("name", PLACES)
def test_tab_comes_round_and_what_has_the_keyboard_is_not_covered(window, name):
    brought(window, name)
    found = reached(window)
    assert 1 <= len(found) < 300
    for widget in found:
        assert widget.isVisible(), widget
        assert widget.accessibleName() or getattr(widget, "text", str)(), widget
    last = QApplication.focusWidget()
    seen = window.childAt(last.mapTo(window, QPoint(last.width() // 2, last.height() // 2)))
    assert seen is not None
    assert last.isAncestorOf(seen) or seen is last or seen.isAncestorOf(last), (last, seen)


@pytest.mark.parametrize("name", ["film", "export", "table", "claims", "keys", "words"])
def test_esc_leads_out_and_gives_the_keyboard_back(window, name):
    brought(window, name)
    assert QApplication.focusWidget() is not window.stage
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_Escape)
    assert QApplication.focusWidget() is window.stage


# --- 2.5.7: what a drag does a key does ------------------------------------------------------------------------------

DRAGS = {"pan": ("move-left", "move-right", "move-up", "move-down"), "scrub": ("next", "back"),
         "reel": ("next", "back"), "strength": ("stronger", "weaker"), "input": ("next-input", "previous-input"),
         "shift": ("shift-left", "shift-right", "shift-up", "shift-down"),
         "mark": ("pixel-left", "pixel-right", "pixel-up", "pixel-down"), "choice": (), "plane": ()}
"""Each drag on the stage, and the commands that do it step by step; one click turns a choice and goes to a point."""


def test_every_drag_on_the_stage_has_keys_or_a_click_that_do_the_same():
    said = Path(stage.__file__).read_text(encoding="utf-8")
    body = said[said.index("def _drag_of"):said.index("def _takes_hold")]
    drags = set(re.findall(r'_dragging = "(\w+)"', said)) | set(re.findall(r'return "(\w+)"', body)) \
        | set(re.findall(r'_dragging = "\w+" if .* else "(\w+)"', said))
    assert drags - {"nothing"} == DRAGS.keys()
    for names in DRAGS.values():
        assert all(command(name).keys for name in names)


def test_an_enlarged_picture_is_moved_by_keys(window):
    for _ in range(4):
        window.run("zoom-in")
    before = window.stage.corner.x()
    window.run("move-right")
    assert window.stage.corner.x() == before - window.stage.width() / 4
    window.run("move-left")
    assert window.stage.corner.x() == before
    for _ in range(20):
        window.run("move-down")
    assert window.stage.corner.y() == window.stage.height() * (1 - window.stage.zoom), "as far as its edge"


# --- 2.3.1: nothing flashes ------------------------------------------------------------------------------------------

RATE, SECONDS, FIELD, PART = 20, 2, (64, 85), 0.25
"""Frames a second; how long; ten degrees of the view field, 256 x 341 pixels of a screen, in every fourth of them; and
the share of it that may flash."""


@pytest.mark.parametrize(("view", "at"), [("network", "fc2.backward@0"), ("microscope", "conv1.forward@0")])
def test_nothing_flashes_at_the_highest_speed(digits, view, at):
    """A general flash: luminance goes by a tenth up and down again, where the darker of both is below 0.8; more than
    three of them in a second are too many, on more than a quarter of any ten degrees, at once. Here they count even
    where they are not at once."""
    times, look, frames = timeline(digits), Look((1104, 796)), []
    start = times.find(at)
    for number in range(RATE * SECONDS):
        moment = times.after(start, Fraction(number, RATE) * Fraction(SPEEDS[-1]))
        drawn = paint.render(picture_of(find(view), digits, moment, Focus("conv1", (0, 14, 14)), look), 1.0)
        frames.append(luminance(drawn))
    assert np.ptp(np.stack(frames), axis=0).max() > 0.1, "it moves"
    second = [flashes(np.stack(frames[first:first + RATE])) for first in range(0, RATE * SECONDS, RATE // 2)]
    assert max(in_a_field(many > 3) for many in second) < PART


def in_a_field(flashing: np.ndarray) -> float:
    """The largest share of any ten degrees of the view field in which it flashes."""
    summed = np.pad(flashing.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    high, wide = FIELD
    found = summed[high:, wide:] - summed[:-high, wide:] - summed[high:, :-wide] + summed[:-high, :-wide]
    return float(found.max()) / (high * wide)


def test_a_flash_is_counted():
    spot = np.zeros((199, 276), bool)
    spot[90:122, 100:185] = True
    assert in_a_field(spot) == 0.5
    blinking = np.tile(np.array([0.0, 1.0])[:, None, None], (5, 2, 2))
    assert (flashes(blinking) >= 4).all()
    assert (flashes(np.linspace(0, 1, 10)[:, None, None]) == 0).all(), "what only grows lighter does not flash"
    assert (flashes(np.tile(np.array([0.85, 1.0])[:, None, None], (5, 1, 1))) == 0).all(), "two that are light"


def luminance(image: QImage) -> np.ndarray:
    """(row, column): relative luminance, of every fourth pixel."""
    image = image.convertToFormat(QImage.Format.Format_RGBX8888)
    pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)[::4, ::4, :3] / 255
    linear = np.where(pixels <= 0.04045, pixels / 12.92, ((pixels + 0.055) / 1.055) ** 2.4)
    return linear @ np.array([0.2126, 0.7152, 0.0722])


def flashes(frames: np.ndarray) -> np.ndarray:
    """(row, column): pairs of opposing changes by a tenth or more among these frames."""
    low = high = frames[0]
    way, turns = np.zeros(frames[0].shape), np.zeros(frames[0].shape, int)
    for now in frames[1:]:
        low, high = np.minimum(low, now), np.maximum(high, now)
        up, down = (now - low >= 0.1) & (low < 0.8), (high - now >= 0.1) & (now < 0.8)
        turned = (up & (way <= 0)) | (down & (way >= 0))
        turns += turned
        way = np.where(up & (way <= 0), 1, np.where(down & (way >= 0), -1, way))
        low, high = np.where(turned, now, low), np.where(turned, now, high)
    return turns // 2
