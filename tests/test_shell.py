"""The shell: the frame that is seen before anything else is loaded, and then holds the window."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QMargins, QRect, QSize, Qt
from PySide6.QtWidgets import QWidget

from visualizer import app
from visualizer.doctor import X11_LIBRARIES
from visualizer.scene import colour
from visualizer.ui import kept, shell
from visualizer.ui.shell import SMALLEST, USUAL, Shell, margins, placed, rectangle, tokens

ROOT = Path(__file__).resolve().parent.parent


def shown(qtbot, size=(1600, 900), theme="light"):
    made = Shell(theme)
    qtbot.addWidget(made)
    made.resize(*size)
    with qtbot.waitSignal(made.painted, timeout=5000):
        made.show()
    return made


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_frame_has_the_colours_of_the_theme_and_a_line_that_says_loading(qtbot, theme):
    image = shown(qtbot, theme=theme).grab().toImage()
    wanted = colour.theme(theme).tokens
    for (x, y), token in (((100, 500), "window"), ((1400, 500), "window"), ((700, 400), "stage"), ((700, 48), "accent"),
                          ((700, 52), "stage")):
        assert image.pixelColor(x, y).name().upper() == wanted[token], token


@pytest.mark.parametrize(("size", "left", "right"), [((1600, 900), 216, 1320), ((1280, 720), 56, 1000),
                                                     ((1024, 768), 56, 1016)])
def test_the_stage_stands_where_it_will_stand(qtbot, size, left, right):
    image = shown(qtbot, size).grab().toImage()
    stage = colour.theme("light").tokens["stage"]
    inside = [x for x in range(size[0]) if image.pixelColor(x, 300).name().upper() == stage]
    assert (min(inside), max(inside)) == (left + 1, right - 2)


def test_the_colours_are_those_of_the_theme_and_unknown_themes_are_light():
    for name in colour.names():
        wanted = colour.theme(name).tokens
        assert {token: wanted[token] for token in tokens(name)} == tokens(name)
        assert {"window", "stage", "hair", "accent", "accent-fill"} <= set(tokens(name))
    assert tokens("no such theme") == tokens("light")


def test_what_it_holds_fills_it_and_names_it(qtbot):
    frame, inside = shown(qtbot), QWidget()
    inside.setWindowTitle("Digits CNN – Visualizer")
    frame.hold(inside)
    assert inside.isVisible()
    assert inside.size() == frame.size()
    frame.resize(1200, 800)
    assert inside.size() == QSize(1200, 800)
    assert frame.windowTitle() == "Digits CNN – Visualizer"
    inside.setWindowTitle("LeNet-5 – Visualizer")
    assert frame.windowTitle() == "LeNet-5 – Visualizer"
    assert inside.window() is frame
    assert not inside.testAttribute(Qt.WidgetAttribute.WA_WState_Hidden)


# --- where it stands ------------------------------------------------------------------------------------------------

FRAMES = [QMargins(0, 0, 0, 0), QMargins(1, 28, 1, 1), QMargins(8, 40, 8, 8)]
SCREENS = {"laptop": [QRect(0, 0, 1366, 728)], "large": [QRect(0, 0, 2560, 1400)], "small": [QRect(0, 30, 1024, 738)],
           "two": [QRect(0, 0, 1366, 728), QRect(1366, -200, 1920, 1040)], "left": [QRect(-1920, 0, 1920, 1080)]}


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("screens", SCREENS.values(), ids=list(SCREENS))
def test_the_first_window_fits_the_screen_frame_included(screens, frame):
    at = placed(None, screens, frame)
    assert screens[0].contains(at.marginsAdded(frame))
    room = screens[0].marginsRemoved(frame).size()
    assert at.size() == USUAL.boundedTo(room), "as large as there is room for, and no larger than usual"


@pytest.mark.parametrize("frame", FRAMES)
@pytest.mark.parametrize("screens", SCREENS.values(), ids=list(SCREENS))
def test_a_window_comes_back_where_it_was_on_a_screen_that_is_there(screens, frame):
    drawn = Random(3)
    for _ in range(200):
        wanted = QRect(drawn.randint(-3000, 4000), drawn.randint(-1500, 2500), drawn.randint(1, 3000),
                       drawn.randint(1, 2000))
        at = placed(wanted, screens, frame)
        whole = at.marginsAdded(frame)
        assert any(screen.contains(whole) for screen in screens), (wanted, at)
        if any(screen.contains(wanted.marginsAdded(frame)) for screen in screens) \
                and wanted.size() == wanted.size().expandedTo(SMALLEST):
            assert at == wanted, "what is whole stays"
        if not any(screen.intersects(wanted) for screen in screens):
            assert at == placed(None, screens, frame), "its screen is gone"
        assert placed(at, screens, frame) == at, "and so it stays the next time"


def test_size_and_place_are_kept_from_one_start_to_the_next(qtbot, monkeypatch, tmp_path):
    monkeypatch.setenv(kept.FOLDER, str(tmp_path))
    screens = [QRect(0, 0, 2560, 1440)]

    def started():
        made = Shell()
        qtbot.addWidget(made)
        made.stand(screens)
        with qtbot.waitSignal(made.painted, timeout=5000):
            made.show()
        return made

    monkeypatch.setattr(Shell, "settle", lambda made: None)  # the screen of the tests is a small one
    one = started()
    one.setGeometry(QRect(300, 200, 1200, 700))
    one.close()
    assert started().geometry() == QRect(300, 200, 1200, 700)
    screens[0] = QRect(0, 0, 1366, 728)
    assert screens[0].contains(started().geometry()), "another screen than the one it stood on"


@pytest.mark.parametrize("nonsense", [None, [], [1, 2, 3], ["a", 0, 0, 0], [1e9, 0, 0, 0], [1 << 40, 0, 9, 9], {"x": 1},
                                      [True, True, True, True]])
def test_a_place_that_was_not_kept_well_is_forgotten(nonsense):
    assert rectangle(nonsense) is None
    assert margins(nonsense) is None
    assert margins([0, 1000, 0, 0]) is margins([-1, 0, 0, 0]) is None
    assert margins([0, 0, 0, 0]) == QMargins(0, 0, 0, 0), "no frame is one, too"


def test_a_frame_that_is_thicker_than_was_thought_makes_the_window_smaller(qtbot, monkeypatch):
    made = Shell()
    qtbot.addWidget(made)
    room = made.screen().availableGeometry()
    monkeypatch.setattr(shell, "SMALLEST", QSize(200, 100))
    made.setMinimumSize(QSize(200, 100))
    made.stand([room])
    with qtbot.waitSignal(made.painted, timeout=5000):
        made.show()
    made.setGeometry(room)
    monkeypatch.setattr(made, "windowHandle", lambda: SimpleNamespace(frameMargins=lambda: QMargins(4, 50, 4, 4)))
    made.settle()
    assert made.geometry() == room.marginsRemoved(QMargins(4, 50, 4, 4))


@pytest.mark.skipif(sys.platform == "win32", reason="signals end a process otherwise there")
@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_program_that_is_asked_to_end_closes_its_window_and_leaves_nothing_behind(asked, tmp_path):
    code = ("from visualizer import app\n"
            "whole = app._furnished\n"
            "def furnished(thing, shell):\n"
            "    joined = whole(thing, shell)\n"
            "    def write():\n"
            "        joined.store.update(view='filters'); joined.autosave.write(); print('ready', flush=True)\n"
            "    joined.window.painted.connect(write)\n"
            "    return joined\n"
            "app._furnished = furnished\n"
            "from visualizer.__main__ import run; run()")
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, text=True, stdout=subprocess.PIPE,
                          env=os.environ | {"QT_QPA_PLATFORM": "offscreen", kept.FOLDER: str(tmp_path)}) as started:
        assert started.stdout.readline() == "ready\n"
        assert list((tmp_path / "sessions").iterdir())
        started.send_signal(asked)
        assert started.wait(timeout=60) == 0
    assert not list((tmp_path / "sessions").iterdir())
    assert "at" in json.loads((tmp_path / "settings.json").read_text())["place"]


def test_the_frame_is_seen_before_numpy_torch_or_any_part_of_the_window_is_loaded():
    code = ("import sys; from PySide6.QtWidgets import QApplication; from visualizer import app, cli\n"
            "whole = app._furnished\n"
            "def furnished(thing, shell):\n"
            "    heavy = ('torch', 'pyqtgraph', 'numpy', 'PIL', 'visualizer.trace', 'visualizer.ui.window')\n"
            "    print([name for name in heavy if name in sys.modules])\n"
            "    joined = whole(thing, shell)\n"
            "    joined.window.painted.disconnect()\n"
            "    joined.window.painted.connect(lambda: (print('torch' in sys.modules, 'pyqtgraph' in sys.modules,\n"
            "        joined.store.trace.model, joined.window.panes.start.page.about()),\n"
            "        QApplication.quit()))\n"
            "    return joined\n"
            "app._furnished = furnished\n"
            "print(cli.main([]))")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
                          capture_output=True, text=True, timeout=60, check=True)
    frame, picture, status = done.stdout.splitlines()
    assert frame == "[]"
    assert picture.startswith("False False digits_cnn ")
    assert "From 784 pixels to one answer" in picture, "the first card says what is recorded"
    assert status == "0"


def test_a_window_that_cannot_be_made_ends_the_program_instead_of_staying_empty():
    code = ("from visualizer import app\n"
            "def broken(thing, shell): raise OSError('no')\n"
            "app._furnished = broken\n"
            "raise SystemExit(app.main())")
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=os.environ | {"QT_QPA_PLATFORM": "offscreen"},
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 4


# --- where no window can open ---------------------------------------------------------------------------------------

@pytest.fixture
def desk(monkeypatch):
    """An environment of these variables alone, on Linux."""
    def set_to(**variables):
        for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    monkeypatch.setattr(sys, "platform", "linux")
    return set_to


def test_without_a_display_it_says_so_in_one_sentence_and_leaves_with_4():
    bare = {name: value for name, value in os.environ.items()
            if name not in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")}
    done = subprocess.run([sys.executable, "-c", "from visualizer import app; raise SystemExit(app.main())"], cwd=ROOT,
                          env=bare, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == (4 if sys.platform == "linux" else done.returncode)
    assert done.stderr.count("\n") == 1
    assert "no display" in done.stderr


def test_a_missing_library_of_x11_is_named_with_its_package(desk, monkeypatch):
    def broken(path):
        raise OSError("libxcb-cursor.so.0: cannot open shared object file: No such file or directory")

    monkeypatch.setattr("ctypes.CDLL", broken)
    for variables in ({"DISPLAY": ":0"}, {"QT_QPA_PLATFORM": "xcb"}):
        desk(**variables)
        why = app.why_no_window()
        assert "libxcb-cursor.so.0" in why
        assert "apt-get install libxcb-cursor0" in why
        assert why.endswith(".")
    for variables in ({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, {"QT_QPA_PLATFORM": "offscreen"}):
        desk(**variables)
        assert app.why_no_window() == "", "it is not X11 that Qt will use"


def test_where_all_libraries_are_found_nothing_stands_in_the_way(desk, monkeypatch):
    monkeypatch.setattr("ctypes.CDLL", lambda path: None)
    monkeypatch.setattr(app, "answers", lambda: True)
    desk(DISPLAY=":0")
    assert app.why_no_window() == ""


@pytest.mark.skipif(sys.platform != "linux" or bool(app.missing_library()), reason="X11 is not installed")
def test_a_display_that_does_not_answer_is_named(desk):
    desk(DISPLAY=":4711")
    assert app.why_no_window().startswith("The display :4711 does not answer; ")


def test_an_error_that_names_no_library_is_left_to_qt(desk, monkeypatch):
    def broken(path):
        raise OSError(f"{path}: invalid ELF header")

    monkeypatch.setattr("ctypes.CDLL", broken)
    assert app.missing_library() == ""


def test_packages_are_named_as_debian_names_them():
    libraries = ("libxkbcommon-x11.so.0", "libxcb-cursor.so.0", "libxcb-icccm.so.4", "libxcb-keysyms.so.1",
                 "libxcb-shape.so.0")
    assert [app.debian_package(library) for library in libraries] == X11_LIBRARIES.split()
    assert app.debian_package("libGL.so.1") == "libgl1"


def test_the_frame_stands_on_the_same_measures_as_the_window():
    assert (shell.WIDE, shell.TOP, shell.BOTTOM, shell.INSPECTOR) == (216, 48, 56, 280), "mockups, section 3"
