"""System: what a person has asked the whole system for, not this app alone: less motion, more contrast, larger text.

Qt says some of it on some systems; the rest is read from where each system keeps it, by the programs that come with it:

    Linux    the desktop portal (`org.freedesktop.portal.Settings`), else `gsettings`, and KDE's file `kdeglobals`
    Windows  `SystemParametersInfoW`, and the registry for the size of text
    macOS    `defaults read`

Whoever does not answer within a moment has said nothing. It is asked in a thread once the window has been seen, again
when the app comes to the front, and when the portal says that a setting has changed.
"""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from threading import Thread
from typing import Any

from PySide6.QtCore import SLOT, QObject, Qt, Signal, Slot
from PySide6.QtGui import QFontDatabase, QGuiApplication, QStyleHints
from PySide6.QtWidgets import QApplication

from visualizer.scene import colour
from visualizer.scene.state import State, changed
from visualizer.ui import kept

PATIENCE = 2.0
"""Seconds that a program is given to answer."""
PORTAL = ("org.freedesktop.portal.Desktop", "/org/freedesktop/portal/desktop", "org.freedesktop.portal.Settings")
"""Service, object and interface of the desktop portal."""
SPACES = "org.freedesktop.appearance", "org.gnome.desktop.interface", "org.gnome.desktop.a11y.interface"
"""Where the portal and `gsettings` keep it."""
SAID = re.compile(r"""['"](contrast|reduced-motion|enable-animations|high-contrast|text-scaling-factor)['"]"""
                  r"""\W*(?:variant\s+)?(?:(?:uint32|int32|boolean|double)\s+)?([\w.]+)""")
"""A setting in an answer of the portal, as `gdbus` and as `dbus-send` print it."""


@dataclass(frozen=True)
class Wishes:
    """What is asked for; None where nobody has said."""

    less_motion: bool | None = None
    more_contrast: bool | None = None
    text: float | None = None
    """How much larger than usual words are to be: 1.5."""

    def over(self, others: Wishes) -> Wishes:
        """These; the others' where these say nothing."""
        return Wishes(*(getattr(others if getattr(self, field.name) is None else self, field.name)
                        for field in fields(self)))


NOTHING = Wishes()
SYSTEM, ALWAYS, NEVER = "system", "always", "never"
"""What a person chooses for this app: as the system asks, or one or the other whatever that asks."""


# --- what is done about it -----------------------------------------------------------------------------------------

def choice(what: str) -> str:
    """What was chosen last for `motion` or `contrast`."""
    chosen = kept.remembered("window").get(what)
    return chosen if chosen in (ALWAYS, NEVER) else SYSTEM


def choose(what: str, chosen: str) -> None:
    """Keep what a person has chosen for `motion` or `contrast`."""
    kept.change("window", lambda known: {**known, what: chosen})


def heeded(state: State, asked: Wishes, at_least: bool = False) -> State:
    """With as little motion and as much contrast as the person chose, or else as the system asks; `at_least`: or as a
    State asks that was opened."""
    def wanted(what: str, of_system: bool | None, is_so: bool) -> bool:
        return (is_so and at_least) or (bool(of_system) if choice(what) == SYSTEM else choice(what) == ALWAYS)

    look = state.look
    strong = wanted("contrast", asked.more_contrast, colour.is_strong(look.theme))
    return changed(state, look=replace(look, theme=colour.strong(look.theme, strong), reduced_motion=wanted(
        "motion", asked.less_motion, look.reduced_motion)))


def last_heard() -> Wishes:
    """What the system asked for the last time that it told: until it tells again, nothing is more likely."""
    found = kept.remembered(SYSTEM)
    less, more, text = (found.get(field.name) for field in fields(Wishes))
    return Wishes(less if isinstance(less, bool) else None, more if isinstance(more, bool) else None,
                  float(text) if isinstance(text, int | float) and 0.5 <= text <= 4 else None)


def keep(asked: Wishes) -> None:
    """Keep what the system asks for until the next start."""
    kept.remember(SYSTEM, asdict(asked))


class System(QObject):
    """Who asks, and tells what was answered."""

    heard = Signal(object)
    """Wishes, each time they have been asked for."""

    def listen(self) -> None:
        """Ask now, and whenever the answer may have become another."""
        hints = QApplication.styleHints()  # what it hands out lives as long as this name for it
        for name in ("contrastPreferenceChanged", "motionPreferenceChanged"):
            if (changed := getattr(accessibility(hints), name, None)) is not None:
                changed.connect(self.ask)
        app = QGuiApplication.instance()
        if isinstance(app, QGuiApplication):
            app.applicationStateChanged.connect(self._comes_forward)
        if on_a_desktop():
            from PySide6.QtDBus import QDBusConnection

            QDBusConnection.sessionBus().connect("", PORTAL[1], PORTAL[2], "SettingChanged", self,
                                                 SLOT("ask()"))  # type: ignore[arg-type]
        self.ask()

    def _comes_forward(self, state: Qt.ApplicationState) -> None:
        if state == Qt.ApplicationState.ApplicationActive:
            self.ask()

    @Slot()
    def ask(self) -> None:
        """Ask in a thread; `heard` tells the answer."""
        of_qt = from_qt()
        Thread(target=lambda: self._tell(of_qt), daemon=True).start()

    def _tell(self, of_qt: Wishes) -> None:
        said = wishes()
        found = replace(said.over(of_qt), text=max(filter(None, (said.text, of_qt.text)), default=None))
        with suppress(RuntimeError):  # the app has ended meanwhile
            self.heard.emit(found)


def wishes() -> Wishes:
    """What this system says, whichever it is; it may take as long as programs take that do not answer."""
    with suppress(Exception):  # whatever is odd about a system, it is no reason for the app to stand still
        if sys.platform == "win32":
            return from_windows()
        if sys.platform == "darwin":
            return from_mac()
        if on_a_desktop():
            return from_portal().over(from_gsettings()).over(from_kde())
    return NOTHING


# --- Qt ----------------------------------------------------------------------------------------------------------

def accessibility(hints: QStyleHints) -> object:
    """Qt's own hints of that kind, which came with 6.10; None before."""
    found = getattr(hints, "accessibility", None)
    return found() if found is not None else None


POINTS = 13
"""The largest size of letters that a system has by itself: macOS; GNOME has 11, KDE 10, Windows 9."""


def from_qt() -> Wishes:
    """What Qt says at once: contrast since 6.10, motion since 6.12, the system's size of letters. That nothing is
    preferred is no answer: Qt says so of systems, too, that it cannot ask."""
    hints = QApplication.styleHints()
    contrast, motion = (getattr(accessibility(hints), name, None)
                        for name in ("contrastPreference", "motionPreference"))
    points = QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont).pointSizeF()
    return Wishes(less_motion=True if motion is not None and "Reduced" in str(motion()) else None,
                  more_contrast=True if contrast is not None and "High" in str(contrast()) else None,
                  text=points / POINTS if points > POINTS else None)


# --- Linux ---------------------------------------------------------------------------------------------------------

def on_a_desktop() -> bool:
    """Whether there is a session on this Linux that could be asked."""
    return sys.platform.startswith("linux") and any(
        os.environ.get(name) for name in ("DBUS_SESSION_BUS_ADDRESS", "XDG_CURRENT_DESKTOP"))


def from_portal() -> Wishes:
    """All settings that the desktop portal gives to every app, in whichever desktop it runs."""
    service, place, interface = PORTAL
    said = answer("gdbus", "call", "--session", "--dest", service, "--object-path", place, "--method",
                  f"{interface}.ReadAll", str(list(SPACES))) or \
        answer("dbus-send", "--session", "--print-reply", f"--dest={service}", place, f"{interface}.ReadAll",
               f"array:string:{','.join(SPACES)}")
    return _of_gnome(dict(SAID.findall(said)))


def from_gsettings() -> Wishes:
    """The same from GNOME's own settings, where no portal runs."""
    asked = {"enable-animations": SPACES[1], "text-scaling-factor": SPACES[1], "high-contrast": SPACES[2]}
    return _of_gnome({name: said for name, space in asked.items() if (said := answer("gsettings", "get", space, name))})


def _of_gnome(said: dict[str, str]) -> Wishes:
    """Settings by their names, each as it is printed. Under X11 Qt itself draws everything by the factor for text."""
    less = [said[name] == wanted for name, wanted in (("reduced-motion", "1"), ("enable-animations", "false"))
            if name in said]
    more = [said[name] == wanted for name, wanted in (("contrast", "1"), ("high-contrast", "true")) if name in said]
    return Wishes(any(less) if less else None, any(more) if more else None,
                  None if QGuiApplication.platformName() == "xcb" else _number(said.get("text-scaling-factor")))


def from_kde() -> Wishes:
    """KDE's file of settings: animations of no length, a scheme of colours of high contrast, the size of letters."""
    plain = configparser.ConfigParser(interpolation=None, strict=False)
    folder = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    with suppress(OSError, configparser.Error, UnicodeDecodeError):
        plain.read(Path(folder) / "kdeglobals", "utf-8")
    factor = _number(plain.get("KDE", "AnimationDurationFactor", fallback=None))
    scheme = plain.get("General", "ColorScheme", fallback=None)
    points = _number(plain.get("General", "font", fallback=",").split(",")[1])
    return Wishes(None if factor is None else factor == 0, None if scheme is None else "contrast" in scheme.lower(),
                  None if not points else points / 10)


# --- Windows, macOS ------------------------------------------------------------------------------------------------

CLIENT_AREA_ANIMATION, HIGH_CONTRAST = 0x1042, 0x0042
"""What `SystemParametersInfoW` is asked for: SPI_GETCLIENTAREAANIMATION, SPI_GETHIGHCONTRAST."""


def from_windows(user32: Any = None) -> Wishes:
    """Settings of Windows; `user32` stands for its library in tests."""
    import ctypes

    class HighContrast(ctypes.Structure):
        _fields_ = (("size", ctypes.c_uint), ("flags", ctypes.c_uint), ("scheme", ctypes.c_wchar_p))

    user32 = ctypes.windll.user32 if user32 is None else user32  # type: ignore[attr-defined]
    moves, strong = ctypes.c_int(1), HighContrast(ctypes.sizeof(HighContrast), 0, None)
    told = user32.SystemParametersInfoW(CLIENT_AREA_ANIMATION, 0, ctypes.byref(moves), 0)
    found = user32.SystemParametersInfoW(HIGH_CONTRAST, strong.size, ctypes.byref(strong), 0)
    percent = answer("reg", "query", r"HKCU\Software\Microsoft\Accessibility", "/v", "TextScaleFactor").split()
    text = int(percent[-1], 16) / 100 if percent and percent[-1].startswith("0x") else None
    return Wishes(not moves.value if told else None, bool(strong.flags & 1) if found else None, text)


def from_mac() -> Wishes:
    """Settings of macOS: those of the person, else those that every app is given. No size of text holds for all apps
    there."""
    def switch(*names: tuple[str, str]) -> bool | None:
        said = [found for space, name in names if (found := answer("defaults", "read", space, name))]
        return any(found == "1" for found in said) if said else None

    return Wishes(switch(("com.apple.universalaccess", "reduceMotion"),
                         ("com.apple.Accessibility", "ReduceMotionEnabled")),
                  switch(("com.apple.universalaccess", "increaseContrast"),
                         ("com.apple.Accessibility", "DarkenSystemColors")))


# --- programs ------------------------------------------------------------------------------------------------------

def answer(*command: str) -> str:
    """What a program prints; nothing if there is none of that name, if it fails, or if it takes too long."""
    with suppress(OSError, subprocess.SubprocessError, UnicodeDecodeError):
        ran = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=True, stdin=subprocess.DEVNULL)
        return ran.stdout.decode().strip()
    return ""


def _number(said: str | None) -> float | None:
    with suppress(ValueError):
        return float(said) if said else None
    return None
