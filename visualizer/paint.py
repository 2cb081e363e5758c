"""Paint: the only place where marks become pixels. Anything Qt can paint on will do: a window, an image, SVG, PDF."""

from __future__ import annotations

import os
import sys
from functools import cache

from PySide6.QtGui import QFont, QFontDatabase, QGuiApplication

from visualizer import registry
from visualizer.scene import type as letters


def ensure_app() -> QGuiApplication:
    """The running Qt application, or a new one that needs no screen; the bundled fonts are loaded."""
    app = QGuiApplication.instance()
    if app is None:
        has_screen = sys.platform in ("win32", "darwin") or "DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ
        if not has_screen:
            os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        app = QGuiApplication(sys.argv[:1])
    load_fonts()
    assert isinstance(app, QGuiApplication)
    return app


@cache
def load_fonts() -> tuple[str, ...]:
    """Give Qt the bundled fonts, once; returns their families."""
    families: dict[str, None] = {}
    for path in registry.files("assets", "fonts/*.[ot]tf"):
        number = QFontDatabase.addApplicationFont(str(path))
        families |= dict.fromkeys(QFontDatabase.applicationFontFamilies(number))
    return tuple(families)


@cache
def font(size: int, style: letters.Face) -> QFont:
    """A bundled face at `size` whole pixels: tabular figures, no hinting, and in code no ligatures."""
    family, weight, italic = style
    made = QFont()
    made.setFamilies(list(dict.fromkeys((family, letters.TEXT, letters.MONO, letters.LAST))))
    made.setPixelSize(size)
    made.setWeight(QFont.Weight(weight))
    made.setItalic(italic)
    made.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    features = {"liga": 0, "calt": 0} if family == letters.MONO else {"tnum": 1}
    for tag, value in features.items():
        made.setFeature(QFont.Tag(tag), value)
    return made
