"""The start screen is painted at once where it was seen before, and only where it would look the same."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QWidget

import visualizer
from visualizer.ui import glimpse, kept
from visualizer.ui.shell import Shell


class Drawn(QWidget):
    """Something that is easily known again."""

    def paintEvent(self, event):
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor("white"))
        painter.fillRect(40, 30, 20, 10, QColor("#107060"))
        painter.end()


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv(kept.FOLDER, str(tmp_path))
    return tmp_path


@pytest.fixture
def window(qtbot):
    made = Drawn()
    qtbot.addWidget(made)
    made.resize(640, 400)
    made.show()
    return made


def test_what_was_seen_is_seen_again(window):
    assert glimpse.seen(window, "light") is None
    glimpse.keep(window, "light").join()
    found = glimpse.seen(window, "light")
    assert found.convertToFormat(found.Format.Format_RGB32) == window.grab().toImage().convertToFormat(
        found.Format.Format_RGB32)


def test_another_size_theme_language_or_version_is_not_it(window, monkeypatch):
    glimpse.keep(window, "light").join()
    assert glimpse.seen(window, "dark") is None
    window.resize(641, 400)
    assert glimpse.seen(window, "light") is None
    window.resize(640, 400)
    assert glimpse.seen(window, "light") is not None
    monkeypatch.setattr(visualizer, "__version__", "0")
    assert glimpse.seen(window, "light") is None
    monkeypatch.undo()


def test_another_language_is_not_it(window):
    glimpse.keep(window, "light").join()
    kept.remember("window", {"language": "xx"})
    assert glimpse.seen(window, "light") is None


@pytest.mark.parametrize("damage", [b"", b"no picture", None])
def test_a_damaged_or_missing_file_is_no_glimpse(window, folder, damage):
    glimpse.keep(window, "light").join()
    (folder / "start.png").unlink() if damage is None else (folder / "start.png").write_bytes(damage)
    assert glimpse.seen(window, "light") is None


def test_the_frame_shows_it_first_and_only_where_the_start_screen_comes(qtbot, window):
    window.resize(QSize(1100, 700))
    glimpse.keep(window, "light").join()
    for starts in (True, False):
        frame = Shell("light", starts)
        qtbot.addWidget(frame)
        frame.resize(1100, 700)
        with qtbot.waitSignal(frame.painted, timeout=5000):
            frame.show()
        assert (frame.grab().toImage().pixelColor(50, 35) == QColor("#107060")) == starts
