"""What a person asks the system for is read where each system keeps it, heeded, and outdone by what is chosen here.

The answers are those that the programs of each system print; the portal is one on a private bus, where there is one.
"""

import os
import shutil
import signal
import subprocess
import sys
from ctypes import POINTER, c_int, c_uint, cast
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from visualizer import registry
from visualizer.scene.picture import Look
from visualizer.scene.state import State, changed
from visualizer.trace import load
from visualizer.ui import kept, style, system
from visualizer.ui.running import App
from visualizer.ui.store import Store
from visualizer.ui.system import Wishes
from visualizer.ui.window import Window

ROOT = Path(__file__).resolve().parent.parent
GDBUS = ("({'org.freedesktop.appearance': {'accent-color': <(0.2, 0.5, 0.9)>, 'color-scheme': <uint32 1>, "
         "'contrast': <uint32 1>}, 'org.gnome.desktop.interface': {'cursor-size': <24>, 'enable-animations': <false>, "
         "'gtk-theme': <'Adwaita'>, 'text-scaling-factor': <1.25>}},)")
DBUS_SEND = """method return time=1700000000.1 sender=:1.23 -> destination=:1.99 serial=7 reply_serial=2
   array [
      dict entry(
         string "org.freedesktop.appearance"
         array [
            dict entry(
               string "contrast"
               variant                   uint32 0
            )
            dict entry(
               string "reduced-motion"
               variant                   uint32 1
            )
         ]
      )
      dict entry(
         string "org.gnome.desktop.interface"
         array [
            dict entry(
               string "text-scaling-factor"
               variant                   double 2
            )
         ]
      )
   ]
"""


@pytest.fixture(autouse=True)
def kept_nowhere(tmp_path, monkeypatch):
    monkeypatch.setenv("VISUALIZER_STATE", str(tmp_path / "kept"))
    yield
    style.wear(QApplication.instance(), "light")


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """programs(name, script): the only programs there are."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def put(name: str, script: str) -> None:
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)

    return put


def printing(text: str) -> str:
    return f"while read -r line; do echo \"$line\"; done <<'END'\n{text}\nEND"


# --- where each system keeps it --------------------------------------------------------------------------------------

def test_the_portal_is_asked_by_whichever_program_there_is(programs):
    assert system.from_portal() == system.NOTHING
    programs("dbus-send", printing(DBUS_SEND))
    assert system.from_portal() == Wishes(less_motion=True, more_contrast=False, text=2.0)
    programs("gdbus", printing(GDBUS))
    assert system.from_portal() == Wishes(less_motion=True, more_contrast=True, text=1.25)
    programs("gdbus", "echo 'Error: org.freedesktop.DBus.Error.ServiceUnknown' >&2; exit 1")
    assert system.from_portal().text == 2.0, "where one fails the other is asked"


def test_gnome_is_asked_where_no_portal_runs(programs):
    programs("gsettings", 'case "$3" in enable-animations) echo true;; high-contrast) echo true;; *) echo 1.5;; esac')
    assert system.from_gsettings() == Wishes(less_motion=False, more_contrast=True, text=1.5)
    programs("gsettings", "echo 'No such schema' >&2; exit 1")
    assert system.from_gsettings() == system.NOTHING


@pytest.mark.parametrize(("written", "asked"), [
    ("[KDE]\nAnimationDurationFactor=0\n[General]\nColorScheme=BreezeHighContrast\nfont=Noto Sans,15,-1,5,50\n",
     Wishes(True, True, 1.5)),
    ("[KDE]\nAnimationDurationFactor=0.7\n[General]\nColorScheme=BreezeLight\n", Wishes(False, False, None)),
    ("[Colors:Window]\nname[de]=%x\n", system.NOTHING), ("no settings at all\n", system.NOTHING),
    ("[KDE]\nAnimationDurationFactor=often\n", system.NOTHING), (None, system.NOTHING),
])
def test_kde_keeps_it_in_a_file(written, asked, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    if written is not None:
        (tmp_path / "kdeglobals").write_text(written, encoding="utf-8")
    assert system.from_kde() == asked


@pytest.mark.parametrize(("moves", "strong"), [(0, 1), (1, 0), (0, 0), (1, 127)])
def test_windows_is_asked_by_its_own_call(programs, moves, strong):
    class User32:
        def SystemParametersInfoW(self, what, size, into, flags):
            if what == 0x1042:
                cast(into, POINTER(c_int))[0] = moves
            else:
                found = cast(into, POINTER(c_uint))
                assert (what, size) == (0x0042, found[0])
                assert size in (12, 16), "as many bytes as HIGHCONTRASTW has"
                found[1] = strong
            return 1

    programs("reg", printing(r"HKEY_CURRENT_USER\Software\Microsoft\Accessibility" + "\n    TextScaleFactor    "
                             "REG_DWORD    0x96"))
    assert system.from_windows(User32()) == Wishes(not moves, bool(strong & 1), 1.5)


def test_windows_that_does_not_answer_has_said_nothing(programs):
    class User32:
        def SystemParametersInfoW(self, *_):
            return 0

    assert system.from_windows(User32()) == system.NOTHING


def test_macos_is_asked_for_defaults(programs):
    programs("defaults", 'case "$3" in reduceMotion) echo 1;; increaseContrast) echo 0;; *) exit 1;; esac')
    assert system.from_mac() == Wishes(True, False, None)
    programs("defaults", 'case "$3" in DarkenSystemColors) echo 1;; *) exit 1;; esac')
    assert system.from_mac() == Wishes(None, True, None)


def test_a_program_that_hangs_is_not_waited_for(programs, monkeypatch):
    monkeypatch.setattr(system, "PATIENCE", 0.1)
    programs("gdbus", "while :; do :; done")
    assert system.answer("gdbus") == ""


def test_what_one_does_not_say_another_may():
    assert Wishes(None, False).over(Wishes(True, True, 1.5)) == Wishes(True, False, 1.5)


@pytest.mark.skipif(not (shutil.which("dbus-daemon") and shutil.which("gdbus")), reason="no D-Bus is installed here")
def test_a_change_of_the_portal_is_heard_while_the_app_runs(tmp_path):
    """A portal of this test's own on a private bus, asked as the true one is."""
    told = subprocess.run(["dbus-daemon", "--session", "--fork", "--print-address=1", "--print-pid=1"], check=True,
                          capture_output=True, text=True).stdout.split()
    try:
        ran = subprocess.run([sys.executable, "-c", PORTAL], capture_output=True, text=True, timeout=60, cwd=ROOT,
                             env={**os.environ, "DBUS_SESSION_BUS_ADDRESS": told[0], "PYTHONPATH": str(ROOT)})
    finally:
        os.kill(int(told[1]), signal.SIGTERM)
    assert ran.stdout.splitlines() == [
        "Wishes(less_motion=True, more_contrast=False, text=1.5)",
        "Wishes(less_motion=True, more_contrast=True, text=1.5)"], ran.stderr


PORTAL = """
from PySide6.QtDBus import QDBusConnection, QDBusMessage, QDBusVariant, QDBusVirtualObject
from PySide6.QtWidgets import QApplication
from visualizer.ui import system

class Portal(QDBusVirtualObject):
    contrast = 0

    def introspect(self, path):
        return ""

    def handleMessage(self, message, bus):
        assert message.member() == "ReadAll", message.member()
        gnome = {"enable-animations": False, "text-scaling-factor": 1.5}
        bus.send(message.createReply([{"org.freedesktop.appearance": {"contrast": self.contrast},
                                       "org.gnome.desktop.interface": gnome}]))
        return True

app, bus, portal = QApplication([]), QDBusConnection.sessionBus(), Portal()
assert bus.registerVirtualObject(system.PORTAL[1], portal) and bus.registerService(system.PORTAL[0])
asks = system.System()

def heard(asked):
    print(asked, flush=True)
    if portal.contrast:
        app.quit()
    portal.contrast = 1
    signal = QDBusMessage.createSignal(system.PORTAL[1], system.PORTAL[2], "SettingChanged")
    signal.setArguments(["org.freedesktop.appearance", "contrast", QDBusVariant(1)])
    bus.send(signal)

asks.heard.connect(heard)
asks.listen()
app.exec()
"""


# --- what is done about it -------------------------------------------------------------------------------------------

@pytest.fixture
def window(qtbot):
    store = Store(changed(State(), at="conv2.forward"), load(registry.folder("assets") / "traces" / "digits_cnn.trace"))
    found = Window(store)
    qtbot.addWidget(found)
    found.resize(1024, 768)
    found.show()
    qtbot.waitUntil(lambda: bool(found.menus.actions))
    return found


def looks(window: Window) -> tuple[str, bool]:
    return window.store.state.look.theme, window.store.state.look.reduced_motion


def test_the_window_does_what_the_system_asks(window):
    window.heed(Wishes(less_motion=True, more_contrast=True))
    assert looks(window) == ("contrast-light", True)
    assert style.color("ink").name() == "#000000"
    assert not window.store.can_undo, "nobody who takes something back wants that back"
    window.run("theme")
    assert looks(window) == ("contrast-dark", True)
    window.heed(Wishes(less_motion=False, more_contrast=False))
    assert looks(window) == ("dark", False)
    window.store.undo()
    assert looks(window) == ("light", False)


def test_what_a_person_chooses_wins_and_is_remembered(window):
    window.heed(Wishes(less_motion=True, more_contrast=False))
    window.run("contrast")
    window.run("motion")
    assert looks(window) == ("contrast-light", False)
    window.heed(Wishes(less_motion=True, more_contrast=False, text=2.0))
    assert looks(window) == ("contrast-light", False)
    assert (system.choice("contrast"), system.choice("motion")) == ("always", "never")
    window.store.undo()
    assert looks(window) == ("contrast-light", False)
    for menu, chosen, then in ((window.menus.contrast, "Always high", ("light", False)),
                               (window.menus.motion, "Always all of it", ("light", True))):
        menu.aboutToShow.emit()
        assert [action.text() for action in menu.actions() if action.isChecked()] == [chosen]
        menu.actions()[0].trigger()
        assert menu.actions()[0].text() == "As the system asks"
        assert looks(window) == then
        assert system.choice("contrast") == "system"


def test_the_next_start_begins_as_the_system_asked_last(qtbot):
    system.keep(Wishes(True, True, 1.5))
    assert system.last_heard() == Wishes(True, True, 1.5)
    app = App(changed(State(), look=Look(theme="dark")))
    assert looks(app.window) == ("contrast-dark", True)
    app.window.store.apply(lambda state: changed(state, look=Look(theme="light")))
    assert looks(app.window) == ("contrast-light", True), "what a session says that is opened takes nothing away"
    app._heed(Wishes(False, False, None))
    assert looks(app.window) == ("light", False)
    assert system.last_heard() == Wishes(False, False, None)
    app.close()


@pytest.mark.parametrize("broken", [{"less_motion": "yes", "more_contrast": 1, "text": "large"}, {"text": 1000}, {}])
def test_what_was_kept_badly_was_never_said(broken):
    kept.remember("system", broken)
    kept.remember("window", {"motion": "sometimes", "contrast": 7})
    assert system.last_heard() == system.NOTHING
    assert (system.choice("contrast"), system.choice("motion")) == ("system", "system")
