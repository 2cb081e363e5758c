"""Two apps on one folder of settings: each keeps what it is told to, whatever the other writes meanwhile."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from visualizer.ui import exporting, kept, recent

WRITES = """
import sys
from visualizer.ui import kept, recent
own = sys.argv[1]
for number in range(20):
    kept.change(own, lambda known: {"count": known.get("count", 0) + 1})
    kept.change("shared", lambda known: {**known, f"{own}{number}": number})
    if number % 5 == 4:
        recent.remember(f"/there/{own}{number}.trace")
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(kept.FOLDER, str(tmp_path))
    return tmp_path


def test_two_that_write_at_once_lose_nothing(place: Path) -> None:
    apps = [subprocess.Popen([sys.executable, "-c", WRITES, name], env={**os.environ, kept.FOLDER: str(place)},
                             stderr=subprocess.PIPE) for name in ("one", "other")]
    for app in apps:
        _, told = app.communicate(timeout=60)
        assert app.returncode == 0, told.decode()
        assert not told, told.decode()
    assert [kept.remembered(name)["count"] for name in ("one", "other")] == [20, 20]
    assert len(kept.remembered("shared")) == 40
    assert {path.stem for path in recent.files()} == {f"{own}{number}" for own in ("one", "other")
                                                      for number in (4, 9, 14, 19)}
    assert {path.name for path in place.iterdir()} <= {"settings.json", "settings.lock"}


def test_a_lock_that_somebody_left_behind_does_not_keep_one_from_keeping(place: Path) -> None:
    (place / "settings.lock").write_text("999999999\nvisualizer\nelsewhere\n", encoding="utf-8")
    kept.remember("look", {"theme": "dark"})
    assert kept.remembered("look") == {"theme": "dark"}


def test_a_panel_that_chooses_keeps_what_another_app_chose_meanwhile(place: Path, qtbot: QtBot) -> None:
    held = QWidget()
    qtbot.addWidget(held)
    panel = exporting.ExportPanel(held)
    kept.change("export", lambda known: {**known, "bars": False})
    panel.choose(format="svg")
    assert kept.remembered("export") == {"bars": False, "format": "svg"}


def test_settings_that_cannot_be_read_are_written_anew(place: Path) -> None:
    (place / "settings.json").write_text("{", encoding="utf-8")
    kept.change("look", lambda known: {**known, "theme": "dark"})
    assert kept.remembered("look") == {"theme": "dark"}
