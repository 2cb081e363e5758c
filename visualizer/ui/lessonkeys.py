"""Keys of a lesson, whatever has the keyboard in the window: the page keys go through it, digits answer."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QEvent, QObject
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QWidget

from visualizer.ui.cover import Cover
from visualizer.ui.presenter import FIELDS, LESSON_KEYS, key_of
from visualizer.ui.teaching import Teaching


class Taught(Protocol):
    """The window in which a lesson is open, a QWidget."""

    cover: Cover
    starting: bool
    presenting: bool
    teaching: Teaching

    def run(self, name: str) -> None:
        """Do the command of that name."""


class LessonKeys(QObject):
    """A filter of the application, as long as a lesson is open."""

    def __init__(self, window: Taught) -> None:
        super().__init__(window)
        self.window = window
        self._listens = False

    def listen(self, on: bool) -> None:
        """Hear the keys from now on, or no more."""
        app = QApplication.instance()
        if on == self._listens or app is None:
            return
        self._listens = on
        if on:
            app.installEventFilter(self)
        else:
            app.removeEventFilter(self)

    def eventFilter(self, thing: QObject, event: QEvent) -> bool:
        if event.type() not in (QEvent.Type.KeyPress, QEvent.Type.ShortcutOverride) or not isinstance(thing, QWidget) \
                or not isinstance(event, QKeyEvent) or thing.window() is not self.window.window():
            return False
        window = self.window
        if window.starting or window.presenting or window.cover.shown is not None or isinstance(thing, FIELDS) \
                or QApplication.activeModalWidget() is not None or QApplication.activePopupWidget() is not None:
            return False
        key = key_of(event)
        digit = int(key) if key.isdigit() and len(key) == 1 else 0
        if key not in LESSON_KEYS and not (digit and window.teaching.asking):
            return False
        event.accept()
        if event.type() == QEvent.Type.KeyPress:
            if digit:
                window.teaching.answer(digit)
            else:
                window.run(LESSON_KEYS[key])
        return True
