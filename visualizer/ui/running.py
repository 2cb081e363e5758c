"""The running app: the store, the player, the window and, once it has been seen, the engine; joined."""

from __future__ import annotations

import gc
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from visualizer.language import tr
from visualizer.scene.state import State, changed
from visualizer.ui import style
from visualizer.ui.player import Player
from visualizer.ui.shell import Shell
from visualizer.ui.shipped import shipped_trace
from visualizer.ui.store import Store
from visualizer.ui.window import Window

if TYPE_CHECKING:
    from visualizer.engine.client import Engine
    from visualizer.ui.autosave import Autosave
    from visualizer.ui.recorder import Recorder


class App(QObject):
    """The parts, joined. The engine and what talks to it come when the window has been seen; `close` ends them."""

    def __init__(self, thing: str | State | None = None, shell: Shell | None = None) -> None:
        """The window stands in the shell; without one it is a window of its own."""
        super().__init__()
        state = thing if isinstance(thing, State) else State()
        if style.reduced_motion():
            state = changed(state, look=replace(state.look, reduced_motion=True))
        self.store = Store(state, shipped_trace(state))
        self.player = Player(self.store, parent=self)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        style.wear(app, state.look.theme)
        self.window = Window(self.store)
        self.window.count = self.player.count
        for canvas in (self.window.stage, self.window.inspector.page, self.window.rail.aside):
            canvas.glide = self.player.glide
        self.window.inspector.say(tr("Live computing starts…"))
        self.window.painted.connect(self.begin)
        self.thing = thing if isinstance(thing, str) else ""
        if shell is not None:
            shell.hold(self.window)

    @cached_property
    def engine(self) -> Engine:
        """The child process, as the window sees it."""
        from visualizer.engine.client import Engine

        return Engine(self)

    @cached_property
    def recorder(self) -> Recorder:
        """What stands between the store and the engine."""
        from visualizer.ui.recent import remember
        from visualizer.ui.recorder import Recorder

        recorder = Recorder(self.store, self.engine, self)
        self.window.opened.connect(recorder.open)
        recorder.opened.connect(remember)
        self.window.drawn.connect(recorder.draw)
        self.window.sweep_wanted.connect(recorder.sweep)
        recorder.said.connect(self.window.say)
        recorder.status.connect(self.window.inspector.say)
        return recorder

    @cached_property
    def autosave(self) -> Autosave:
        """What writes down where one stands."""
        from visualizer.ui.autosave import Autosave

        autosave = Autosave(self.store, self.player, self)
        autosave.said.connect(self.window.say)
        return autosave

    def restore(self) -> None:
        """Open the newest session that a crash left behind, and throw it away once it is open."""
        from visualizer.ui.autosave import forget

        left = self.autosave.left_behind()
        if not left:
            self.window.say(tr("There is no session that was left behind; every window was closed as it should be."))
        elif self.recorder.open(str(left[0])):
            self.window.message.dismiss()
            forget(left[0])

    def begin(self) -> None:
        """After the first paint: load torch in the child process, and open what was named."""
        gc.enable()
        self.window.restore_wanted.connect(self.restore)
        if self.autosave.left_behind():
            self.window.say(tr("The last session ended without being closed; it can be opened again where it was."),
                            tr("Restore"), self.restore)
        self.engine.start()
        self.window.rail.fill()
        if self.thing:
            self.recorder.open(self.thing)
        elif self.store.trace is None or self.store.waiting:
            self.recorder.record(self.store.state)
        else:
            self.recorder.verify()

    def close(self) -> None:
        """End the engine and close the window."""
        if "autosave" in vars(self):
            self.autosave.close()
        if "engine" in vars(self):
            self.engine.stop()
        self.store.update(playing=False, undoable=False)
        self.window.window().close()
