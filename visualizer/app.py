"""The app: joins the store, the player, the engine and the window, and runs until the window closes.

The window opens at once on a recording that is shipped; torch is loaded by a child process that starts after the first
paint. Nothing here imports torch.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from visualizer import doctor, paint, registry
from visualizer.engine.client import Engine
from visualizer.scene.state import State
from visualizer.trace import Trace
from visualizer.ui import style
from visualizer.ui.player import Player
from visualizer.ui.recorder import Recorder, bundled_trace
from visualizer.ui.store import Store
from visualizer.ui.window import Window
from visualizer.ui.words import tr

DONE, NOT_DONE = 0, 4


def main(thing: str | State | None = None) -> int:
    """Open the window on a State, on whatever `thing` names, or on the default; return when it is closed.

    Returns 0, or 4 after one sentence on stderr if there is no display.
    """
    if not doctor.has_display():
        print("There is no display to open a window on; start this from a desktop session, or draw into a file with "
              "`visualizer shot`.", file=sys.stderr)
        return NOT_DONE
    app = application()
    joined = App(thing)
    joined.window.show()
    status = app.exec()
    joined.close()
    return status


def show(thing: Any, x: Any = None, **options: Any) -> subprocess.Popen[bytes]:
    """Open the app as a separate process on a Trace, or on a model and its input; returns that process.

    `show(trace)`, or `show(model, x, target=4)`: the model is recorded here, in the caller's process, and only its
    numbers are handed over.
    """
    trace = thing if isinstance(thing, Trace) else registry.module("record").capture(thing, x, **options)
    folder = Path(tempfile.mkdtemp(prefix="visualizer-"))
    path = trace.save(folder / f"{trace.model or 'model'}.trace")
    return subprocess.Popen([sys.executable, "-m", "visualizer", "open", str(path)])


def application() -> QApplication:
    """The Qt application with the bundled fonts, dressed the same on every system."""
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        QApplication.setApplicationName("Visualizer")
        app = QApplication(sys.argv[:1])
    app.setStyle("Fusion")
    paint.load_fonts()
    app.setFont(style.font(13, 500))
    style.wear(app, style.theme_name())
    return app


class App(QObject):
    """The parts, joined. `close` ends the engine."""

    def __init__(self, thing: str | State | None = None) -> None:
        super().__init__()
        state = thing if isinstance(thing, State) else State()
        self.store = Store(state, bundled_trace(state))
        self.player = Player(self.store, parent=self)
        self.engine = Engine(self)
        self.recorder = Recorder(self.store, self.engine, self)
        self.window = Window(self.store)
        self.window.opened.connect(self.recorder.open)
        self.window.drawn.connect(self.recorder.draw)
        self.recorder.said.connect(self.window.say)
        self.recorder.status.connect(self.window.inspector.say)
        self.window.inspector.say(tr("Live computing starts…"))
        self.window.painted.connect(self._begin)
        self._thing = thing if isinstance(thing, str) else ""

    def _begin(self) -> None:
        """After the first paint: load torch in the child process, and open what was named."""
        self.engine.start()
        if self._thing:
            self.recorder.open(self._thing)
        elif self.store.trace is None:
            self.recorder.record(self.store.state)
        else:
            self.recorder.verify()

    def close(self) -> None:
        """End the engine and let go of the window."""
        self.engine.stop()
        self.window.close()
        gc.collect()
