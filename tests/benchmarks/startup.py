"""How long a person waits for the first picture, against a Qt window that shows one image."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.benchmarks import Row

FIRST_PAINT = """
import json, os, sys, time
from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication, QMainWindow

class Watch(QObject):
    # Reports when the first window has been painted: the paint event of a window, and what was queued behind it, done.
    seen = False
    def eventFilter(self, thing, event):
        if event.type() == QEvent.Type.Paint and not self.seen and getattr(thing, "isWindow", bool)():
            self.seen = True
            QTimer.singleShot(0, self.report)
        return False
    def report(self):
        now = time.process_time() * 1000
        heavy = [name for name in ("torch", "pyqtgraph") if name in sys.modules]
        with open(os.environ["REPORT"], "w") as file:
            json.dump({"painted": now, "modules": heavy}, file)
        QApplication.closeAllWindows()
        QApplication.quit()

watch = Watch()
run = QApplication.exec
def watched(*arguments):
    QApplication.instance().installEventFilter(watch)
    return run()
QApplication.exec = QApplication.exec_ = staticmethod(watched)
"""

BARE = """
app = QApplication([])
window = QMainWindow()
window.resize(1600, 900)
window.menuBar().addMenu("File")
window.statusBar().showMessage("ready")
window.show()
QApplication.exec()
"""

IMAGE = """
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QLabel
app = QApplication([])
window = QLabel()
window.setPixmap(QPixmap(os.environ["IMAGE"]))
window.show()
QApplication.exec()
"""

APP = """
from visualizer.cli import main
sys.exit(main([]))
"""

LATER = """
QApplication.closeAllWindows, leave = (lambda: None), QApplication.quit
QApplication.quit = lambda: None
from visualizer import app
whole = app._furnished
def furnished(thing, shell):
    joined = whole(thing, shell)
    joined.window.painted.connect({what})
    return joined
app._furnished = furnished
"""
KEEPING = LATER.replace("{what}", "lambda: (joined.keep_glimpse(), leave())") + APP
WHOLE = LATER.replace("{what}", "lambda: (watch.report(), leave())") + APP


def first_picture() -> Iterator[Row]:
    """From starting the interpreter to the first painted picture of the start screen, in processor time: as it was the
    last time at once, and as it is now; against a bare window that shows one image of that size."""
    state = _seen_before()
    image = state / "start.png"

    def bare() -> float:
        return _first_paint(IMAGE, {"IMAGE": str(image)})[0]

    yield Row("the start screen, seen before", lambda: _first_paint(APP, {"VISUALIZER_STATE": str(state)})[0], bare,
              "a bare PySide6 window that shows one image", 1.5)
    yield Row("the start screen as it is now", lambda: _first_paint(WHOLE, {"VISUALIZER_STATE": str(state)})[0], bare,
              "a bare PySide6 window that shows one image", 6.0)


@cache
def _seen_before() -> Path:
    """What is kept from one start to the next, after one in which the start screen was seen."""
    folder = tempfile.mkdtemp(prefix="visualizer-state-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    _first_paint(KEEPING, {"VISUALIZER_STATE": folder})
    if not (Path(folder) / "start.png").exists():
        raise RuntimeError("the start screen was not kept")
    return Path(folder)


def first_window() -> Iterator[Row]:
    """From starting the interpreter to the first painted window, in processes of their own, bytecode and files ready,
    in processor time."""
    imported: set[str] = set()

    def app() -> float:
        taken, modules = _first_paint(APP)
        imported.update(modules)
        return taken

    def bare() -> float:
        return _first_paint(BARE)[0]

    yield Row("the app's first painted window", app, bare, "a bare PySide6 window", 2.0)
    heavy = imported & {"torch", "pyqtgraph"}
    yield Row("torch and pyqtgraph imported before the first paint", lambda: float(len(heavy)), lambda: 1.0,
              "one such import", 0.0, unit="imports")


@cache
def _bytecode() -> str:
    """Compiled modules of both, kept from the first run on, as an installation keeps them."""
    folder = tempfile.mkdtemp(prefix="visualizer-bytecode-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _first_paint(code: str, more: dict[str, str] | None = None) -> tuple[float, list[str]]:
    """Milliseconds from the start until the window is painted, and which heavy modules were imported by then."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        environment = {**os.environ, "REPORT": str(report), "XDG_DATA_HOME": folder, "XDG_CONFIG_HOME": folder,
                       "PYTHONPYCACHEPREFIX": _bytecode(), "PYTHONDONTWRITEBYTECODE": "", **(more or {})}
        environment.pop("OMP_NUM_THREADS", None)  # as a person starts it
        done = subprocess.run([sys.executable, "-c", FIRST_PAINT + code], env=environment, capture_output=True,
                              text=True, check=False, timeout=120)
        if not report.exists():
            raise RuntimeError(f"no window was painted:\n{done.stdout}{done.stderr}")
        found = json.loads(report.read_text())
        return found["painted"], found["modules"]
