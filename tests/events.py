"""A person who does anything at all: keys, clicks, drags, zooms, commands, models, files, inputs, drawn at random from
a seed, in the window with its engine. As a program it goes on for so many minutes and writes down the memory.

`python -m tests.events --minutes 30 --seed 1` prints one line a minute and what was raised.
"""

from __future__ import annotations

import argparse
import gc
import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget

from visualizer import inputs, views
from visualizer.scene import colour
from visualizer.scene import state as does
from visualizer.scene.state import changed
from visualizer.trace import Trace
from visualizer.ui.running import App

FIXTURES = Path(__file__).parent / "fixtures" / "version-1"
MODELS = ("digits_cnn", "mlp_mnist", "rows_lstm", "char_gru", "adding_rnn", "surname_gru", "lab")
KEYS = (Qt.Key.Key_Space, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home,
        Qt.Key.Key_End, Qt.Key.Key_Escape, Qt.Key.Key_Return, Qt.Key.Key_Tab, Qt.Key.Key_B, Qt.Key.Key_F,
        Qt.Key.Key_Period, Qt.Key.Key_Comma, Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_Plus, Qt.Key.Key_Minus,
        Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Backspace, Qt.Key.Key_Slash)
LEFT_OUT = ("quit", "save", "open", "open-folder", "export", "film", "film-inputs", "export-data", "page", "pen-export",
            "present", "present-here", "speaker", "restore", "copy", "copy-caption", "copy-data", "add-panel", "menu",
            "training-beside", "training-reel", "sweep")
"""Commands that ask for a file, leave the window, or take the clipboard of whoever sits here."""
CANCELLED = {"getOpenFileName": ("", ""), "getSaveFileName": ("", ""), "getExistingDirectory": ""}
"""What the dialogs of the system say at once: they would wait for somebody who chooses a file."""
NO_BUTTON, LEFT = Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton


class Person:
    """Does one thing after the other."""

    def __init__(self, app: App, seed: int, models: tuple[str, ...] = MODELS, hurry: bool = False) -> None:
        """In a hurry a person looks up half as often, and has few sizes of a window."""
        self.app, self.draw, self.models = app, random.Random(seed), models
        self.each, self.grain = (20, 160) if hurry else (10, 1)
        self.commands = [name for name in app.window.commands if name not in LEFT_OUT]
        self.files = sorted(path for path in FIXTURES.iterdir() if path.suffix in (".trace", ".session", ".png"))
        ways: tuple[tuple[int, Callable[[], None]], ...] = (
            (30, self.click), (20, self.press), (16, self.command), (10, self.hover), (6, self.drag), (6, self.wheel),
            (6, self.view), (3, self.sample), (2, self.model), (2, self.undo), (2, self.knob), (1, self.theme),
            (1, self.file), (1, self.size))
        self.ways, self.weights = [way for _, way in ways], [weight for weight, _ in ways]
        self.last, self.count = "", 0

    def do(self) -> None:
        """One thing; they come faster than the window paints, and it paints at the end of every tenth, or so."""
        way = self.draw.choices(self.ways, self.weights)[0]
        self.last = way.__name__
        way()
        self.count += 1
        if self.count % self.each == 0:
            QApplication.processEvents()

    def place(self) -> tuple[QWidget, QPointF]:
        """A point of the stage, or of whatever lies elsewhere."""
        window = self.app.window
        widget = window.stage if self.draw.random() < 0.75 and window.stage.isVisible() else window
        point = QPoint(self.draw.randrange(max(1, widget.width())), self.draw.randrange(max(1, widget.height())))
        inner = widget.childAt(point)
        return (widget, QPointF(point)) if inner is None else (inner, QPointF(inner.mapFrom(widget, point)))

    def mouse(self, kind: QEvent.Type, widget: QWidget, at: QPointF, button: Qt.MouseButton, held: bool) -> None:
        QApplication.sendEvent(widget, QMouseEvent(kind, at, QPointF(widget.mapToGlobal(at)), button,
                                                   LEFT if held else NO_BUTTON, Qt.KeyboardModifier.NoModifier))

    def click(self) -> None:
        """Beside a menu that is open it only closes that."""
        if (popup := QApplication.activePopupWidget()) is not None:
            popup.close()
            return
        widget, at = self.place()
        self.mouse(QEvent.Type.MouseMove, widget, at, NO_BUTTON, False)
        self.mouse(QEvent.Type.MouseButtonPress, widget, at, LEFT, True)
        self.mouse(QEvent.Type.MouseButtonRelease, widget, at, LEFT, False)
        if self.draw.random() < 0.2:
            self.mouse(QEvent.Type.MouseButtonDblClick, widget, at, LEFT, True)

    def drag(self) -> None:
        widget, at = self.place()
        self.mouse(QEvent.Type.MouseButtonPress, widget, at, LEFT, True)
        for _ in range(4):
            at += QPointF(self.draw.randint(-80, 80), self.draw.randint(-80, 80))
            self.mouse(QEvent.Type.MouseMove, widget, at, NO_BUTTON, True)
        self.mouse(QEvent.Type.MouseButtonRelease, widget, at, LEFT, False)

    def hover(self) -> None:
        widget, at = self.place()
        self.mouse(QEvent.Type.MouseMove, widget, at, NO_BUTTON, False)

    def wheel(self) -> None:
        widget, at = self.place()
        held = Qt.KeyboardModifier.ControlModifier if self.draw.random() < 0.6 else Qt.KeyboardModifier.NoModifier
        turn = QPoint(0, self.draw.choice((-120, 120, 240)))
        QApplication.sendEvent(widget, QWheelEvent(at, QPointF(widget.mapToGlobal(at)), QPoint(), turn, NO_BUTTON, held,
                                                   Qt.ScrollPhase.NoScrollPhase, False))

    def press(self) -> None:
        held = self.draw.choice((Qt.KeyboardModifier.NoModifier,) * 4 + (Qt.KeyboardModifier.ShiftModifier,))
        QTest.keyClick(QApplication.focusWidget() or self.app.window, self.draw.choice(KEYS), held)

    def command(self) -> None:
        self.app.window.run(self.draw.choice(self.commands))

    def view(self) -> None:
        name = self.draw.choice([view.name for view in views.all_views()])
        if any(view.name == name for view in self.app.window.views()):
            self.app.store.update(view=name)

    def model(self) -> None:
        self.app.recorder.open(self.draw.choice(self.models))

    def sample(self) -> None:
        known = self.app.store.inputs
        if known is not None and known.words:
            word = self.draw.choice(known.words)
            self.app.store.apply(lambda state: does.to_input(state, word))

    def knob(self) -> None:
        trace = self.app.store.trace
        if trace is not None and self.app.window.view().knobs:
            name, words = self.draw.choice(self.app.window.view().knobs)
            if words:
                word = self.draw.choice(words)
                self.app.store.apply(lambda state: does.turned(state, name, word))

    def theme(self) -> None:
        look = self.app.store.state.look
        theme = self.draw.choice(colour.names())
        self.app.store.apply(lambda state: changed(state, look=type(look)(**{**vars(state.look), "theme": theme})))

    def undo(self) -> None:
        for _ in range(self.draw.randint(1, 4)):
            self.draw.choice((self.app.store.undo, self.app.store.redo))()

    def file(self) -> None:
        self.app.recorder.open(str(self.draw.choice(self.files)))

    def size(self) -> None:
        self.app.window.window().resize(self.draw.randrange(960, 1281, self.grain),
                                        self.draw.randrange(640, 801, self.grain))


def consistent(app: App) -> None:
    """What always holds: one recording is shown, what is chosen exists in it, and no more are alive than are kept."""
    store = app.store
    trace = store.trace
    assert trace is not None
    if not store.waiting:
        for address in filter(None, (store.state.focus,)):
            assert address.layer in trace, address
        assert store.sight is not None
    assert len(store.recordings) <= 40


def alive() -> int:
    """How many recordings there are in memory."""
    gc.collect()
    return sum(type(thing) is Trace for thing in gc.get_objects())


def megabytes() -> float:
    """What this process holds in memory."""
    words = Path("/proc/self/statm").read_text().split()
    return int(words[1]) * os.sysconf("SC_PAGE_SIZE") / 2 ** 20


def soak(minutes: float, seed: int, warm: float = 0.2, said: Callable[[str], None] = print,
         most: int = 1 << 40, models: tuple[str, ...] = MODELS, hurry: bool = False) -> tuple[float, float]:
    """Go on for so many minutes, or until `most` things are done: the memory when warm, and that of the last fifth.
    Raises what the window raised."""
    raised: list[BaseException] = []
    asked = {name: getattr(QFileDialog, name) for name in CANCELLED}
    for name, nothing in CANCELLED.items():
        setattr(QFileDialog, name, staticmethod(lambda *given, nothing=nothing: nothing))
    before, sys.excepthook = sys.excepthook, lambda kind, error, trace: raised.append(error)
    app = App()
    app.window.resize(1024, 700)
    app.window.show()
    person, begun, count, known = Person(app, seed, models, hurry), time.monotonic(), 0, []
    next_line = 0.0
    try:
        while (now := time.monotonic() - begun) < 60 * minutes and count < most:
            person.do()
            count += 1
            if raised:
                raise AssertionError(f"{person.last}, after {count}") from raised[0]
            if count % 50 == 0:
                consistent(app)
                QTest.qWait(20)  # the engine is heard
                known.append((now, megabytes()))
            if now >= next_line:
                next_line += 60.0
                said(f"{now / 60:5.1f} min {count:7} events {megabytes():7.1f} MB {alive():3} recordings")
    finally:
        while (popup := QApplication.activePopupWidget()) is not None:
            popup.close()
        app.close()
        sys.excepthook = before
        for name, function in asked.items():
            setattr(QFileDialog, name, staticmethod(function))
    warm_at, late = 60 * minutes * warm, 60 * minutes * 0.8
    early = [size for at, size in known if warm_at <= at <= warm_at + 60 * minutes * 0.1]
    last = [size for at, size in known if at >= late]
    return sum(early) / max(1, len(early)), sum(last) / max(1, len(last))


def main() -> None:
    given = argparse.ArgumentParser()
    given.add_argument("--minutes", type=float, default=30)
    given.add_argument("--seed", type=int, default=1)
    asked = given.parse_args()
    from visualizer import app as the_app

    the_app.application()
    assert inputs
    warm, last = soak(asked.minutes, asked.seed, said=lambda line: print(line, flush=True))
    print(f"warm {warm:.1f} MB, at the end {last:.1f} MB: {100 * (last / max(1, warm) - 1):+.1f} %")


if __name__ == "__main__":
    main()
