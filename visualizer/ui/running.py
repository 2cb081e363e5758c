"""The running app: the store, the player, the window and, once it has been seen, the engine; joined."""

from __future__ import annotations

import gc
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from visualizer import memory
from visualizer.language import languages, speak, tr
from visualizer.scene import numbers
from visualizer.scene.state import State, changed
from visualizer.ui import kept, scale, style, system
from visualizer.ui.player import Player
from visualizer.ui.shell import Shell
from visualizer.ui.shipped import shipped_trace
from visualizer.ui.store import Store
from visualizer.ui.window import Window

if TYPE_CHECKING:
    from visualizer.engine.client import Engine
    from visualizer.ui.asking import Asking
    from visualizer.ui.autosave import Autosave
    from visualizer.ui.recorder import Recorder
    from visualizer.ui.training import Training


SETTLED = 4.0
"""Seconds after which nothing more comes on the start screen by itself."""


class App(QObject):
    """The parts, joined. The engine and what talks to it come when the window has been seen; `close` ends them."""

    def __init__(self, thing: str | State | None = None, shell: Shell | None = None, start: bool = False) -> None:
        """The window stands in the shell; without one it is a window of its own. `start`: on its start screen."""
        super().__init__()
        memory.keep_large_apart()
        state = thing if isinstance(thing, State) else State()
        self.asked = system.from_qt().over(system.last_heard())
        state = system.heeded(state, self.asked, at_least=True)
        state = changed(state, look=replace(state.look, language=window_language()))
        self.store = Store(state, shipped_trace(state))
        self.player = Player(self.store, parent=self)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        style.wear(app, state.look.theme)
        self.shell = shell
        self.window = self._furnished()
        if start:
            self.window.go_to_start()
        self.window.painted.connect(self.begin)
        self.store.changed.connect(self._hear)
        self.thing = thing if isinstance(thing, str) else ""
        self.again: tuple[str, ...] | None = None
        """With what it is opened once more when it has been closed, in another scale; None where it is not."""
        if shell is not None:
            shell.hold(self.window)

    def _furnished(self) -> Window:
        """A window that speaks the language of the State."""
        speak(self.store.state.look.language)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        style.turn(app)
        window = Window(self.store)
        window.count, window.clock, window.asked = self.player.count, self.player, self.asked
        for canvas in (window.stage, window.inspector.page, window.rail.aside):
            canvas.glide = self.player.glide
        window.inspector.say(tr("Live computing starts…"))
        return window

    def _join(self, window: Window) -> None:
        """What the window asks for goes to whoever does it, and what they say goes to the window."""
        window.opened.connect(lambda path: self.recorder.open(path, chosen=not window.starting))
        window.drawn.connect(self.recorder.draw)
        window.scale_chosen.connect(self.offer_scale)
        window.sweep_wanted.connect(self.recorder.sweep)
        window.restore_wanted.connect(self.restore)
        window.telling_wanted.connect(self.asking.edit)
        self.asking.over.connect(window.hide_opening)
        self.asking.said.connect(window.say)
        self.asking.reading.connect(lambda words: window.say_slow(words, self.asking.cancel if words else None))
        window.train_with(self.training)
        self.recorder.said.connect(window.say)
        self.recorder.slow.connect(window.say_slow)
        self.recorder.status.connect(window.inspector.say)
        self.autosave.said.connect(window.say)

    def say(self, sentence: str) -> None:
        """One sentence in the window that is open."""
        self.window.say(sentence)

    def _hear(self, old: State, new: State) -> None:
        """Another language was chosen: it is spoken from now on, and the next time. What was opened is shown with no
        more motion and no less contrast than asked for."""
        if old.look != new.look:
            self.store.apply(lambda state: system.heeded(state, self.asked, at_least=True), undoable=False)
        if old.look.language != new.look.language:
            kept.change("window", lambda known: {**known, "language": new.look.language})
            self._speak_anew()

    def _speak_anew(self) -> None:
        """Another window in the place of this one, in the language of the State; a film that is being made is awaited,
        because its panel goes with the window."""
        before = self.window
        if before.filming is not None:
            before.filming.ended.connect(self._speak_anew)
            return
        if before.presenting:
            before.presenter.leave()
        status = before.inspector.status
        self.window = window = self._furnished()
        self._join(window)
        window.take_over(before)
        window.record_with(self.engine)
        window.inspector.say(status)
        if self.shell is not None:
            self.shell.hold(window)
        else:
            window.setGeometry(before.geometry())
            window.show()
        before.hide()
        before.deleteLater()
        window.rail.fill()
        self.asking.show_again()

    @cached_property
    def engine(self) -> Engine:
        """The child process, as the window sees it."""
        from visualizer.engine.client import Engine

        return Engine(self)

    @cached_property
    def recorder(self) -> Recorder:
        """What stands between the store and the engine."""
        from visualizer.ui.measuring import Measuring
        from visualizer.ui.recent import remember
        from visualizer.ui.recorder import Recorder

        recorder = Recorder(self.store, self.engine, self)
        self.measuring = Measuring(self.store, self.engine, self)
        recorder.elsewhere = self.training.tells
        recorder.opened.connect(remember)
        recorder.opened.connect(lambda path: self.window.leave_start())
        return recorder

    @cached_property
    def training(self) -> Training:
        """What has a network trained while one looks on."""
        from visualizer.ui.training import Training

        training = Training(self.store, self.engine, self)
        training.said.connect(lambda sentence, undo: self.window.say(
            sentence, tr("Undo") if undo else "", self.store.undo if undo else None))
        return training

    @cached_property
    def asking(self) -> Asking:
        """What stands between a model file and the sheet on which a person says the rest of it."""
        from visualizer.ui.asking import Asking

        asking = Asking(self.recorder, self)
        asking.shown.connect(lambda page: self.window.show_opening(page, asking))
        return asking

    @cached_property
    def autosave(self) -> Autosave:
        """What writes down where one stands."""
        from visualizer.ui.autosave import Autosave

        return Autosave(self.store, self.player, self)

    def restore(self) -> None:
        """Open the newest session that a crash left behind, and throw it away once it is open; one that cannot be
        opened is kept aside, and does not stand in the way of those before it."""
        from visualizer.ui.autosave import forget, put_aside

        left = self.autosave.left_behind()
        if not left:
            self.window.say(tr("There is no session that was left behind; every window was closed as it should be."))
        aside: list[str] = []
        for path in left:
            if self.recorder.open(str(path)):
                forget(path)
                self.window.message.dismiss()
                break
            aside.append(str(put_aside(path)))
        if aside:
            said = tr("A session that was left behind cannot be opened; it is kept as {file}.") if len(aside) < 2 else \
                tr("{count} sessions that were left behind cannot be opened; the newest of them is kept as {file}.")
            self.window.say(said.format(count=len(aside), file=aside[0]))

    def begin(self) -> None:
        """After the first paint: load torch in the child process, and open what was named."""
        gc.enable()
        self.give_back()
        self._join(self.window)
        if self.autosave.news():
            self.window.say(tr("The last session ended without being closed; it can be opened again where it was."),
                            tr("Restore"), self.restore)
        if self.shell is not None and self.shell.starts:
            self.player.later(self.shell, SETTLED, self.keep_glimpse)
        self.system = system.System(self)
        self.system.heard.connect(self._heed)
        self.system.listen()
        self.engine.start()
        self.window.record_with(self.engine)
        self.window.rail.fill()
        shown = self.store.trace
        if self.thing:
            self.recorder.open(self.thing)
            if shown is not None and self.store.trace is shown and not self.store.waiting:
                self.recorder.verify()  # what was named is what is shown already
        elif self.store.trace is None or self.store.waiting:
            self.recorder.record(self.store.state)
        else:
            self.recorder.verify()

    def _heed(self, asked: system.Wishes) -> None:
        """The system asks for something else than before: that is done now, and from the next start on."""
        if asked != self.asked:
            larger = asked.text != self.asked.text
            self.asked = asked
            system.keep(asked)
            self.window.heed(asked)
            if larger:
                self.offer_scale()

    def offer_scale(self) -> None:
        """Say that everything will be drawn in another scale at the next start, and offer that start."""
        if scale.wanted() != scale.now():
            self.window.say(tr("From the next start on everything is drawn at {percent} of its usual size.").format(
                percent=numbers.percent(scale.wanted(), 0)), tr("Open anew"), self.open_anew)

    def open_anew(self) -> None:
        """Close the app, and open it where it stands."""
        self.again = ("--last",) if self.window.was_looked_at else ()
        self.window.window().close()

    def give_back(self) -> None:
        """What recordings that have gone took goes back to the system, now and then."""
        memory.give_back()
        self.player.later(self, memory.EVERY, self.give_back)

    def keep_glimpse(self) -> None:
        """What the start screen looks like is painted first the next time; unless something lies over it."""
        from visualizer.ui import glimpse

        shell, theme = self.shell, self.store.state.look.theme
        if shell is not None and self.window.starting and not self.window.message.isVisible() and theme == shell.theme \
                and self.window.cover.shown is None:
            glimpse.keep(shell, theme)

    def close(self) -> None:
        """End the engine and close the window."""
        if "autosave" in vars(self):
            if self.window.was_looked_at:
                self.autosave.keep_last()
            self.autosave.close()
        if "engine" in vars(self):
            self.engine.stop()
        self.player.never(self)
        self.store.update(playing=False, undoable=False)
        self.window.window().close()


def window_language() -> str:
    """What the window speaks: the language that was chosen in it last; where none was, the system's."""
    chosen = kept.remembered("window").get("language")
    return chosen if isinstance(chosen, str) and chosen in languages() else style.system_language()
