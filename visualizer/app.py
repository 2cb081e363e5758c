"""The app: joins the store, the player, the engine and the window, and runs until the window closes.

The window opens at once on a recording that is shipped. Whatever can wait is imported after the first paint; torch is
loaded by a child process that starts then. Nothing here imports torch.
"""

from __future__ import annotations

import gc
import os
import sys
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from visualizer import paint, registry
from visualizer.scene.state import State
from visualizer.trace import Trace
from visualizer.ui import style
from visualizer.ui.player import Player
from visualizer.ui.shipped import shipped_trace
from visualizer.ui.store import Store
from visualizer.ui.window import Window
from visualizer.ui.words import tr

if TYPE_CHECKING:
    from subprocess import Popen

    from visualizer.engine.client import Engine
    from visualizer.ui.recorder import Recorder

DONE, NOT_DONE = 0, 4


def main(thing: str | State | None = None) -> int:
    """Open the window on a State, on whatever `thing` names, or on the default; return when it is closed.

    Returns 0, or 4 after one sentence on stderr if there is no display.
    """
    if not has_display():
        print("There is no display to open a window on; start this from a desktop session, or draw into a file with "
              "`visualizer shot`.", file=sys.stderr)
        return NOT_DONE
    gc.disable()  # until the window is seen: there is nothing to collect yet
    app = application()
    joined = App(thing)
    joined.window.fit(app.primaryScreen().availableSize())
    joined.window.show()
    status = app.exec()
    joined.close()
    return status


def show(thing: Any, x: Any = None, **options: Any) -> Popen[bytes]:
    """Open the app as a separate process on a Trace, or on a model and its input; returns that process.

    `show(trace)`, or `show(model, x, target=4)`: the model is recorded here, in the caller's process, and only its
    numbers are handed over, in a file in the system's temporary folder.
    """
    import subprocess
    import tempfile
    from pathlib import Path

    trace = thing if isinstance(thing, Trace) else registry.module("record").capture(thing, x, **options)
    path = Path(tempfile.mkdtemp(prefix="visualizer-")) / f"{trace.model or 'model'}.trace"
    trace.save(path)
    return subprocess.Popen([sys.executable, "-m", "visualizer", "open", str(path)])


def has_display() -> bool:
    """Whether a window can open here: Qt aborts the whole process where it cannot."""
    if os.environ.get("QT_QPA_PLATFORM") or sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def application() -> QApplication:
    """The Qt application with the bundled fonts, dressed the same on every system."""
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        QApplication.setApplicationName("Visualizer")
        app = QApplication(sys.argv[:1])
    app.setStyle("Fusion")
    paint.load_fonts()
    app.setFont(style.font(13, 500))
    return app


class App(QObject):
    """The parts, joined. The engine and what talks to it come when the window has been seen; `close` ends them."""

    def __init__(self, thing: str | State | None = None) -> None:
        super().__init__()
        state = thing if isinstance(thing, State) else State()
        if style.reduced_motion():
            state = replace(state, look=replace(state.look, reduced_motion=True))
        self.store = Store(state, shipped_trace(state))
        self.player = Player(self.store, parent=self)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        style.wear(app, state.look.theme)
        self.window = Window(self.store)
        self.player.steps = lambda: self.window.stage.picture.steps
        for canvas in (self.window.stage, self.window.inspector.page, self.window.rail.aside):
            canvas.glide = self.player.glide
        self.window.inspector.say(tr("Live computing starts…"))
        self.window.painted.connect(self.begin)
        self.thing = thing if isinstance(thing, str) else ""

    @cached_property
    def engine(self) -> Engine:
        """The child process, as the window sees it."""
        from visualizer.engine.client import Engine

        return Engine(self)

    @cached_property
    def recorder(self) -> Recorder:
        """What stands between the store and the engine."""
        from visualizer.ui.recorder import Recorder

        recorder = Recorder(self.store, self.engine, self)
        self.window.opened.connect(recorder.open)
        self.window.drawn.connect(recorder.draw)
        recorder.said.connect(self.window.say)
        recorder.status.connect(self.window.inspector.say)
        return recorder

    def begin(self) -> None:
        """After the first paint: load torch in the child process, and open what was named."""
        gc.enable()
        self.engine.start()
        self.window.rail.fill()
        if self.thing:
            self.recorder.open(self.thing)
        elif self.store.trace is None:
            self.recorder.record(self.store.state)
        else:
            self.recorder.verify()

    def close(self) -> None:
        """End the engine and close the window."""
        if "engine" in vars(self):
            self.engine.stop()
        self.window.close()
