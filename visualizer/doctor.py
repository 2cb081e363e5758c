"""What is installed, what would fail with it, and the one thing that mends it."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path

from visualizer import registry

OK, NOTE, FAILS = "ok", "note", "fails"
TORCH = ((2, 10), (2, 14))
"""From, and below: the versions of torch that the recorder is tested with. As in pyproject.toml."""
QT_LIBRARIES = "libgl1 libegl1 libxkbcommon0 libfontconfig1 libdbus-1-3 libglib2.0-0"
X11_LIBRARIES = "libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0"
"""What Debian and Ubuntu call what the wheels of Qt do not bring: to paint at all, and to open windows under X11."""

AGAIN = "Set up a new .venv, as the README says."


@dataclass(frozen=True)
class Finding:
    """One thing looked at."""

    about: str
    state: str
    """`ok`; `note`: works, with less; `fails`: something does not work."""
    found: str
    mend: str = ""
    """What to do about it; empty when nothing needs doing."""


def examine() -> Iterator[Finding]:
    """Everything worth knowing before asking for help, one finding after another."""
    for look in (_python, _display, _qt, _torch, *_PACKAGES, _video, _fonts, _models, _traces, _writable):
        try:
            yield look()
        except Exception as error:  # a broken installation can break in any way; the other findings still count
            about = getattr(look, "__name__", "check").strip("_")
            yield Finding(about, FAILS, f"{type(error).__name__}: {error}", AGAIN)


def _python() -> Finding:
    return Finding("Python", OK, f"{platform.python_version()} on {platform.system()} {platform.release()}, "
                   f"{platform.machine()}")


def _qt() -> Finding:
    version = metadata.version("PySide6-Essentials")
    if numbers(version) >= (6, 12) and sys.version_info < (3, 12):
        return Finding("PySide6", FAILS, f"{version}, which aborts on Python {platform.python_version()} within "
                       "seconds of painting", "Run: pip install 'PySide6-Essentials>=6.8,<6.12'")
    if not (6, 8) <= numbers(version) < (6, 12):
        return Finding("PySide6", NOTE, f"{version}, which was not tested",
                       "If anything looks wrong, run: pip install 'PySide6-Essentials>=6.8,<6.12'")
    try:
        import_module("PySide6.QtWidgets")
    except ImportError as error:
        return Finding("PySide6", FAILS, f"{version}, but a system library is missing: {error}",
                       f"On Debian and Ubuntu run: apt-get install {QT_LIBRARIES}")
    return Finding("PySide6", OK, version)


def _torch() -> Finding:
    try:
        version = metadata.version("torch")
    except metadata.PackageNotFoundError:
        return Finding("torch", FAILS, "missing: saved traces open, models cannot be run",
                       "Run: pip install 'torch>=2.10,<2.14'")
    if not TORCH[0] <= numbers(version) < TORCH[1]:
        return Finding("torch", NOTE, f"{version}, which was not tested",
                       "If recording fails, run: pip install 'torch>=2.10,<2.14'")
    import_module("visualizer.record.run")  # the only place where torch is imported; a broken build breaks here
    return Finding("torch", OK, version)


def _package(name: str, module: str, needed_for: str) -> Callable[[], Finding]:
    def look() -> Finding:
        try:
            version = metadata.version(name)
            import_module(module)
        except (ImportError, metadata.PackageNotFoundError) as error:
            return Finding(name, FAILS, f"{error}: needed for {needed_for}", f"Run: pip install {name}")
        return Finding(name, OK, version)

    look.__name__ = name
    return look


_PACKAGES = (
    _package("numpy", "numpy", "everything"),
    _package("safetensors", "safetensors.numpy", "traces and weights"),
    _package("Pillow", "PIL.Image", "images as inputs"),
    _package("pyqtgraph", "pyqtgraph", "plots that zoom"),
    _package("platformdirs", "platformdirs", "saving the session"),
)


def _video() -> Finding:
    """Optional: films as GIF, APNG, WebP and pictures need only Pillow."""
    try:
        version = metadata.version("av")
        import_module("av")
    except (ImportError, metadata.PackageNotFoundError):
        return Finding("PyAV", NOTE, "none: films cannot be MP4 or WebM", "Run: pip install 'av>=18'")
    return Finding("PyAV", OK, version)


def _fonts() -> Finding:
    if sys.platform not in ("win32", "darwin"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # a display that does not work must not end this
    paint = registry.module("paint")
    paint.ensure_app()
    files, families = registry.files("assets", "fonts/*.[ot]tf"), paint.load_fonts()
    if not families:
        return Finding("fonts", FAILS, f"none of the {len(files)} bundled files could be loaded: text would be blank",
                       AGAIN)
    return Finding("fonts", OK, ", ".join(families))


def _display() -> Finding:
    """Tried out in a process of its own: where Qt finds no display it aborts."""
    if not has_display():
        return Finding("display", NOTE, "none: no window can open; record, shot, data and list work",
                       "To see the window, start it from a desktop session, or with ssh -X.")
    named = next((f"{name}={os.environ[name]}" for name in ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY", "DISPLAY")
                  if os.environ.get(name)), platform.system())
    tried = subprocess.run([sys.executable, "-c", "from PySide6.QtGui import QGuiApplication as A; A([])"],
                           capture_output=True, text=True, errors="replace", check=False, timeout=60)
    if tried.returncode:
        last = (tried.stderr.strip().splitlines() or ["no reason given"])[-1]
        return Finding("display", FAILS, f"{named}, but Qt cannot open a window on it: {last}",
                       f"On Debian and Ubuntu run: apt-get install {X11_LIBRARIES}")
    return Finding("display", OK, named)


def _models() -> Finding:
    written = [path.stem for path in registry.files("models", "*.py")]
    bare = sorted(set(written) - set(registry.models()))
    if bare or not written:
        return Finding("models", FAILS, f"without weights: {', '.join(bare)}" if bare else "none found",
                       AGAIN)
    return Finding("models", OK, ", ".join(registry.models()))


def _traces() -> Finding:
    from visualizer import trace

    found = registry.files("assets", "traces/*.trace")
    for path in found:
        trace.load(path)
    if not found:
        return Finding("traces", NOTE, "none shipped: the app cannot open on one before torch is ready",
                       "Run: visualizer record digits_cnn -o digits_cnn.trace")
    return Finding("traces", OK, ", ".join(path.stem for path in found))


def _writable() -> Finding:
    import platformdirs

    folder = Path(platformdirs.user_state_dir("visualizer", appauthor=False))
    nearest = next(path for path in (folder, *folder.parents) if path.exists())
    if not os.access(nearest, os.W_OK):
        return Finding("session", NOTE, f"{nearest} cannot be written: the session is not kept",
                       f"Allow writing there: chmod u+w {nearest}")
    return Finding("session", OK, str(folder))


def has_display() -> bool:
    """Whether a window could open here: Qt aborts the whole process where there is none."""
    if os.environ.get("QT_QPA_PLATFORM") or sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def numbers(version: str) -> tuple[int, ...]:
    """`2.13.0+cpu` -> (2, 13, 0)."""
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0])[:3])
