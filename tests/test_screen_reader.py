"""The window through the accessibility bus, as a screen reader has it: the tree, cells, actions, events, a lesson."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from visualizer import registry
from visualizer.trace import load

ROOT = Path(__file__).resolve().parent.parent
PYTHON = "/usr/bin/python3"
"""The system's: pyatspi comes with it, no package index has it."""
PLUGIN = "import ctypes, pathlib, PySide6.QtGui as gui; ctypes.CDLL(str(next(pathlib.Path(gui.__file__).parent" \
         ".glob('Qt/plugins/platforms/libqxcb.so'))))"
"""Loads what Qt needs for an X server, or says which library is not there."""


def missing() -> str:
    """What is not here of what it takes; empty where all is."""
    if sys.platform != "linux":
        return "AT-SPI, which only Linux has"
    for program in ("Xvfb", "dbus-run-session", PYTHON):
        if shutil.which(program) is None:
            return program
    if not any(Path(place, "at-spi-bus-launcher").exists() for place in ("/usr/libexec", "/usr/lib/at-spi2-core")):
        return "at-spi2-core"
    if subprocess.run([PYTHON, "-c", "import pyatspi"], capture_output=True, check=False).returncode:
        return "python3-pyatspi"
    loaded = subprocess.run([sys.executable, "-c", PLUGIN], capture_output=True, text=True, check=False)
    return loaded.stderr.strip().splitlines()[-1] if loaded.returncode else ""


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What a screen reader has found in the window."""
    if lacks := missing():
        pytest.skip(f"a screen reader's tree is not tried: {lacks} is missing here")
    place = tmp_path_factory.mktemp("reader")
    read, write = os.pipe()
    screen = subprocess.Popen(["Xvfb", "-displayfd", str(write), "-screen", "0", "1600x900x24", "-nolisten", "tcp"],
                              pass_fds=[write], stderr=subprocess.DEVNULL)
    os.close(write)
    try:
        with os.fdopen(read) as told:
            display = told.readline().strip()
        if not display:
            pytest.skip("a screen reader's tree is not tried: Xvfb does not start here")
        (place / "run").mkdir(mode=0o700)
        env = {name: value for name, value in os.environ.items()
               if name not in ("WAYLAND_DISPLAY", "AT_SPI_BUS_ADDRESS", "DBUS_SESSION_BUS_ADDRESS")}
        env |= {"DISPLAY": f":{display}", "QT_QPA_PLATFORM": "xcb", "QT_ACCESSIBILITY": "1",
                "QT_LINUX_ACCESSIBILITY_ALWAYS_ON": "1", "VISUALIZER_STATE": str(place), "PYTHONPATH": str(ROOT),
                "XDG_RUNTIME_DIR": str(place / "run"), "LANGUAGE": "en", "LC_ALL": "C.UTF-8"}
        said = subprocess.run(["dbus-run-session", "--", PYTHON, str(ROOT / "tests" / "screen_reader.py"),
                               sys.executable, "-m", "visualizer", "digits_cnn"], capture_output=True, text=True,
                              env=env, timeout=240, check=False)
    finally:
        screen.terminate()
        screen.wait()
    assert said.returncode == 0, said.stderr
    assert "Traceback" not in said.stderr, said.stderr
    assert "Something went wrong" not in said.stderr, said.stderr
    return json.loads(said.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def digits():
    return load(registry.folder("assets") / "traces" / "digits_cnn.trace")


def test_all_of_it_was_done_and_the_window_closed(found):
    assert "fault" not in found, found
    assert found["ended"] == 0


def test_the_window_is_one_and_its_panes_are_named(found):
    role, name = found["window"]
    assert role == "frame"
    assert name.startswith("Digits CNN")
    assert found["panes"] == [["Top bar", True], ["Network and input", True], ["Time", True], ["Details", True]]


def test_the_picture_says_its_sentence_and_its_groups_in_reading_order(found):
    name, caption, _ = found["stage"]
    assert name == "Stage: Network"
    assert caption.startswith("The network answers 4")
    order = ["input", "conv1", "relu1", "pool1", "conv2", "relu2", "pool2", "fc1", "relu3", "fc2", "softmax", "lane"]
    assert found["groups"] == order


def test_a_cell_has_name_number_and_place(found, digits):
    cell = found["cell"]
    assert (cell["role"], cell["name"]) == ("table cell", "conv2 channel 7, pixel (3, 5)")
    assert cell["value"] == pytest.approx(float(digits["conv2"].output[7, 3, 5]), rel=1e-6)
    assert cell["more"].startswith("value ")
    assert cell["at"] == 5
    assert cell["parents"][1:] == ["conv2 channel 7", "conv2"]
    assert cell["under"] == cell["name"], "what lies at its place on the screen is the cell itself"
    (x, y, wide, high), (left, top, width, height) = cell["box"], found["stage"][2]
    assert left <= x < x + wide <= left + width
    assert top <= y < y + high <= top + height


def test_a_press_chooses_a_channel_and_a_painted_list_has_rows(found):
    assert found["chosen"] == "pool1 channel 2"
    stretch, role, name = found["samples"]
    assert role == "list item"
    assert stretch.startswith("Digit ")
    assert name.startswith("Digit ")


def test_steps_tell_which_number_has_changed(found, digits):
    assert found["waiting"] == "its gradient has not come yet"
    steps, gradient = found["changed"]
    assert steps < 3
    assert gradient == pytest.approx(float(digits["fc2"].gradient[3]), rel=1e-5)


def test_the_cell_that_is_walked_to_is_told(found):
    assert found["walked"].startswith("conv2 channel "), "without a window manager no window is active, so no more"


def test_a_lesson_is_followed_by_the_tree_alone(found):
    assert "A map says how strongly something was found, and where." in found["first step"]
    assert found["question"] == "What does it make of them?"
    assert found["answer"].startswith("Answer 2: the largest of them")
    assert "The largest. It has 0 weights: there is nothing to learn in it." in found["revealed"]
    assert "The largest." not in found["first step"]
    assert found["next step"]
