"""Glimpse: the start screen as it was seen the last time, so that the first thing painted is a picture already.

It is painted with the frame, before numpy and the window are loaded; the true one takes its place as soon as it is
there. It is kept only of exactly this: the same size, screen, theme, language and version.

Brings nothing but Qt.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from threading import Thread

from PySide6.QtCore import QBuffer, QIODevice, QLocale
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget

import visualizer
from visualizer.registry import write_whole
from visualizer.ui import kept

NAME = "glimpse"
MOST_PIXELS = 1 << 24
"""A picture of more is not kept: reading it would take longer than it saves."""


def seen(window: QWidget, theme: str) -> QImage | None:
    """What the start screen looked like in a window like this one; None if that is not known."""
    with suppress(OSError, ValueError):
        if kept.remembered(NAME).get("of") == _of(window, theme):
            found = QImage(str(_path()))
            found.setDevicePixelRatio(window.devicePixelRatioF())
            return found if found.deviceIndependentSize().toSize() == window.size() else None
    return None


def keep(window: QWidget, theme: str) -> Thread:
    """Keep what it looks like now, in a thread: packing it takes as long as several frames."""
    image, of = window.grab().toImage(), _of(window, theme)

    def write() -> None:
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        if image.width() * image.height() <= MOST_PIXELS and image.save(buffer, "PNG"):  # type: ignore[call-overload]
            with suppress(OSError):
                write_whole(_path(), bytes(buffer.data().data()))
                kept.remember(NAME, {"of": of})

    packing = Thread(target=write)
    packing.start()
    return packing


def _path() -> Path:
    return kept.folder() / "start.png"


def _of(window: QWidget, theme: str) -> list[object]:
    """What a window must have in common with the one that was seen."""
    spoken = kept.remembered("window").get("language") or QLocale.system().name()
    return [window.width(), window.height(), window.devicePixelRatioF(), theme, spoken, visualizer.__version__]
