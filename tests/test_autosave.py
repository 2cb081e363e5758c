"""What a crash leaves behind is offered again; a clean end leaves nothing; windows leave each other alone."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from visualizer import load, registry
from visualizer.scene import session
from visualizer.scene.picture import Focus
from visualizer.scene.state import State, changed
from visualizer.ui import autosave, kept
from visualizer.ui.autosave import Autosave
from visualizer.ui.player import Player
from visualizer.ui.store import Store


@pytest.fixture(autouse=True)
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv(kept.FOLDER, str(tmp_path / "state"))
    return tmp_path / "state" / "sessions"


@pytest.fixture(scope="module")
def digits():
    return load(registry.folder("assets") / "traces" / "digits_cnn.trace")


@pytest.fixture
def opened(qtbot, digits, monkeypatch):
    """Makes a store with what writes it down, one for each window; the pause is short."""
    monkeypatch.setattr(autosave, "PAUSE", 0.01)
    made = []

    def make() -> Autosave:
        store = Store(changed(State(), at="conv2.forward"), digits)
        made.append(Autosave(store, Player(store)))
        return made[-1]

    yield make
    for one in made:
        one.close()


def files(folder: Path) -> list[str]:
    return sorted(path.suffix for path in folder.iterdir()) if folder.exists() else []


def test_nothing_is_written_before_anything_changes(opened, folder, qtbot):
    opened()
    qtbot.wait(30)
    assert files(folder) == []


def test_where_one_stands_is_written_down_soon_after_it_changes(opened, folder, qtbot, digits):
    kept_here = opened()
    kept_here.store.update(at="relu2.backward", focus=Focus("relu2", (3,)))
    assert files(folder) == []  # not at once: it would be on the way of the frame
    qtbot.waitUntil(lambda: files(folder) == [".lock", ".session"])
    found = session.read(kept_here.path)
    assert found.state == kept_here.store.state
    assert found.weights == digits.hashes["weights"]
    kept_here.store.update(at="conv1.forward")
    qtbot.waitUntil(lambda: session.read(kept_here.path).state.at == "conv1.forward")


def test_nothing_is_written_while_something_plays(opened, folder, qtbot):
    one = opened()
    one.store.update(playing=True)
    qtbot.wait(60)
    assert files(folder) == []
    one.store.update(playing=False)
    qtbot.waitUntil(lambda: files(folder) != [])
    assert not session.read(one.path).state.playing


def test_a_clean_end_leaves_nothing(opened, folder, qtbot):
    one = opened()
    one.store.update(view="filters")
    qtbot.waitUntil(lambda: files(folder) != [])
    one.close()
    assert files(folder) == []
    one.store.update(view="network")
    qtbot.wait(30)
    assert files(folder) == []


def test_windows_leave_each_other_alone(opened, folder, qtbot):
    one, other = opened(), opened()
    one.store.update(view="filters")
    other.store.update(view="microscope")
    qtbot.waitUntil(lambda: len(files(folder)) == 4)
    assert one.left_behind() == other.left_behind() == ()  # both still run
    one.close()
    assert session.read(other.path).state.view == "microscope"


CRASH = """
import sys
from PySide6.QtCore import QCoreApplication
from visualizer.scene.state import State, changed
from visualizer.ui.autosave import Autosave
from visualizer.ui.player import Player
from visualizer.ui.store import Store
app = QCoreApplication([])
store = Store(changed(State(), at="pool2.backward", view="filters"))
kept = Autosave(store, Player(store))
store.update(view="microscope")
kept.write()
print("written", flush=True)
sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals end a process otherwise there")
def test_after_a_crash_the_session_is_found_and_only_then(opened, folder):
    with subprocess.Popen([sys.executable, "-c", CRASH], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as crashed:
        assert crashed.stdout.readline().strip() == b"written"
        one = opened()
        assert one.left_behind() == ()
        os.kill(crashed.pid, signal.SIGKILL)
        crashed.wait(timeout=20)
    left, = one.left_behind()
    assert session.read(left).state == changed(State(), at="pool2.backward", view="microscope")
    assert one.left_behind() == (left,)  # looking does not take it away
    autosave.forget(left)
    assert one.left_behind() == ()
    assert files(folder) == []


def test_the_oldest_of_too_many_are_thrown_away(opened, folder):
    folder.mkdir(parents=True)
    for number in range(autosave.MOST_LEFT + 3):
        path = folder / f"{number}.session"
        path.write_bytes(session.state_bytes(State(), None))
        os.utime(path, (1_000_000 + number, 1_000_000 + number))
    left = opened().left_behind()
    assert [path.stem for path in left] == [str(number) for number in range(autosave.MOST_LEFT + 2, 2, -1)]
    assert len(list(folder.glob("*.session"))) == autosave.MOST_LEFT


def test_a_full_disk_is_one_sentence_and_said_once(opened, folder, monkeypatch):
    one = opened()
    said = []
    one.said.connect(said.append)

    def full(self, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    one.write()
    one.write()
    assert len(said) == 1
    assert "Ctrl+S" in said[0]


# --- what is remembered ---------------------------------------------------------------------------------------------

def test_settings_are_remembered_and_damaged_ones_forgotten(folder):
    assert kept.remembered("export") == {}
    kept.remember("export", {"format": "pdf"})
    kept.remember("other", {"a": 1})
    assert kept.remembered("export") == {"format": "pdf"}
    (kept.folder() / "settings.json").write_text("{")
    assert kept.remembered("export") == {}
    (kept.folder() / "settings.json").write_text("[1]")
    assert kept.remembered("export") == {}
