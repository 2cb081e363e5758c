"""The list of recent files: the newest first, none twice, kept between starts; what is gone cannot be chosen."""

from __future__ import annotations

import json

import pytest
from PySide6.QtGui import QAction

from visualizer import door
from visualizer.scene.state import State
from visualizer.ui import kept, recent
from visualizer.ui.commands.files import choose_file
from visualizer.ui.store import Store
from visualizer.ui.window import Window


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(kept.FOLDER, str(tmp_path / "state"))
    return tmp_path


def test_the_newest_stands_first_and_none_twice(folder):
    for name in ("a.pt", "b.trace", "a.pt"):
        recent.remember(folder / name)
    assert recent.files() == (folder / "a.pt", folder / "b.trace")
    for number in range(20):
        recent.remember(folder / f"{number}.pt")
    assert len(recent.files()) == recent.MOST
    assert recent.files()[0] == folder / "19.pt"
    recent.forget()
    assert recent.files() == ()


@pytest.mark.parametrize("held", [{}, {"recent": 3}, {"recent": {"files": "x"}}, {"recent": {"files": [3, None, "a"]}}])
def test_whatever_was_kept_is_no_error(held, folder):
    (kept.folder() / "settings.json").write_text(json.dumps(held), "utf-8")
    assert [path.name for path in recent.files()] in ([], ["a"])
    recent.remember(folder / "b.pt")
    assert recent.files()[0] == folder / "b.pt"


def test_a_name_as_it_was_given_is_kept_whole(folder, monkeypatch):
    monkeypatch.chdir(folder)
    recent.remember("a.pt")
    assert recent.files() == (folder / "a.pt",)


@pytest.fixture
def window(qtbot):
    window = Window(Store(State()))
    qtbot.addWidget(window)
    window.menus.fill()
    return window


def actions(window) -> list[QAction]:
    window.menus.recent.aboutToShow.emit()
    return [action for action in window.menus.recent.actions() if not action.isSeparator()]


def test_the_menu_offers_them_and_greys_what_is_gone(window, folder):
    assert [action.isEnabled() for action in actions(window)] == [False]
    (folder / "here & there.trace").write_bytes(b"x")
    recent.remember(folder / "gone.pt")
    recent.remember(folder / "here & there.trace")
    here, gone, forget = actions(window)
    assert (here.text(), here.isEnabled(), here.toolTip()) == \
        ("here && there.trace", True, str(folder / "here & there.trace"))
    assert (gone.text(), gone.isEnabled()) == ("gone.pt", False)
    opened = []
    window.opened.connect(opened.append)
    here.trigger()
    assert opened == [str(folder / "here & there.trace")]
    forget.trigger()
    assert recent.files() == ()


def test_it_stands_below_open(window):
    menu = window.menus.recent.menuAction().associatedObjects()[0]
    texts = [action.text() for action in menu.actions()]
    assert texts[:2] == ["Open…", "Open recent"]


def test_the_dialog_offers_whatever_the_door_opens(window, monkeypatch, folder):
    asked = []
    monkeypatch.setattr(window, "ask_for_file", lambda title, kinds: asked.append(kinds) or "")
    choose_file(window)
    everything, *groups, last = asked[0].split(";;")
    assert all(f"*{suffix}" in everything for suffix in door.endings())
    assert [group.partition(" (")[0] for group in groups] == [title for title, _ in door.kinds()[1:]]
    assert last == "All files (*)"


def test_a_file_that_opened_is_remembered_and_one_that_did_not_is_not(folder, qtbot):
    from tests.test_one_door import Engine
    from tests.toys import toy
    from visualizer.ui.recorder import Recorder

    recorder, heard = Recorder(Store(State()), Engine()), []
    recorder.opened.connect(heard.append)
    toy().save(folder / "a.trace")
    assert recorder.open(str(folder / "a.trace"))
    assert recorder.open("lenet_mnist")
    assert not recorder.open(str(folder / "gone.trace"))
    assert heard == [str(folder / "a.trace")]
