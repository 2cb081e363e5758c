"""The claims of the article: a list, the chosen one with its numbers, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QAccessible, QFocusEvent, QGuiApplication, QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from visualizer import claims
from visualizer.claims import Claim, Number
from visualizer.language import tr
from visualizer.scene import claimpage
from visualizer.scene.claimpage import LIST, Page
from visualizer.scene.picture import Look
from visualizer.ui import style
from visualizer.ui.buttons import Button, note_focus
from visualizer.ui.canvas import Canvas
from visualizer.ui.commands import key_words
from visualizer.ui.cover import tab_within

if TYPE_CHECKING:
    from visualizer.engine.client import Engine

Key = Qt.Key
FOOT = 60
"""Height of the buttons below."""
STEPS = {Key.Key_Down: 1, Key.Key_Up: -1, Key.Key_Right: 1, Key.Key_Left: -1, Key.Key_PageDown: 1, Key.Key_PageUp: -1}
_left = [""]
"""The claim that was looked at last."""
_measured: dict[str, dict[str, Number]] = {}
"""What was measured since the app was started, by the name of the claim."""


class ClaimSheet(QWidget):
    """Lies over the whole window; Esc closes it."""

    heard_as = QAccessible.Role.Dialog

    closed = Signal()
    wanted = Signal(object)
    """A claim whose networks are to be looked at."""
    said = Signal(str)

    def __init__(self, look: Look, engine: Callable[[], Engine | None], parent: QWidget, name: str = "") -> None:
        """`engine` answers who measures, as soon as there is somebody; `name` is the claim that is shown first, that
        which was looked at last where none is named."""
        super().__init__(parent)
        known = claims.claims()
        chosen = next((index for index, claim in enumerate(known) if claim.name == (name or _left[0])), 0)
        self.page = Page(known, chosen, _measured)
        self.look, self._engine = look, engine
        self._heard: Engine | None = None
        self._asked: tuple[int, str, str] | None = None
        """The number that is being measured: the request, the claim, its name."""
        self.canvas = Canvas(self)
        self.canvas.clicked.connect(self._clicked)
        self.buttons = [self._button(*each) for each in self._acts()]
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        style.name(self, tr("Claims of the article"))

    def focusInEvent(self, event: QFocusEvent) -> None:
        note_focus(self, event)
        super().focusInEvent(event)

    @property
    def engine(self) -> Engine | None:
        """Who measures; heard from the first time on."""
        found = self._engine()
        if found is not None and found is not self._heard:
            self._heard = found
            found.answered.connect(self._answered)
            found.refused.connect(self._failed)
            found.failed.connect(self._failed)
        return found

    def _acts(self) -> tuple[tuple[str, str, str, Callable[[], None]], ...]:
        """What can be done: its words, what they mean, its key."""
        return ((tr("See it"), tr("Its networks beside each other"), "Return", self.go),
                (tr("Measure now"), tr("Take every number again, on this computer"), "M", self.measure),
                (tr("Ask the class first"), tr("Hide verdict and numbers until they are asked for"), "A", self.ask),
                (tr("Cite"), tr("The sentence with its numbers, on the clipboard"), "C", self.cite),
                (tr("Next claim"), tr("The one after it"), "Right", lambda: self.step(1)),
                (tr("Close"), tr("Back to what is looked at"), "Esc", self.closed.emit))

    def _button(self, words: str, tip: str, key: str, act: Callable[[], None]) -> Button:
        made = Button(words, look="raised", parent=self)
        style.name(made, words, f"{tip} ({key_words(key)})")
        made.clicked.connect(act)
        return made

    # --- what can be done ---

    def step(self, by: int) -> None:
        """To another claim."""
        self.choose((self.page.chosen + by) % len(self.page.known))

    def choose(self, index: int) -> None:
        """Look at a claim."""
        self.page = replace(self.page, chosen=index, asking=False)
        _left[0] = self.page.claim.name
        self.show_page()

    def ask(self) -> None:
        """Hide what was found, or show it again."""
        self.page = replace(self.page, asking=not self.page.asking)
        self.show_page()

    def go(self) -> None:
        """Close, and look at its networks."""
        if self.page.claim.models:
            _left[0] = self.page.claim.name
            self.closed.emit()
            self.wanted.emit(self.page.claim)

    def cite(self) -> None:
        """The article's words, the verdict, the numbers and the source, on the clipboard."""
        claim = self.page.claim
        QGuiApplication.clipboard().setText(f"{claimpage.caption(self.page)} {claim.source}".strip())
        self.said.emit(tr("The claim and its numbers are on the clipboard."))

    def measure(self) -> None:
        """Take every number of the chosen claim anew, one after the other."""
        if self.engine is None:
            self.said.emit(tr("Live computing has not started yet; measure again in a moment."))
            return
        _measured[self.page.claim.name] = {}
        self._next(self.page.claim)

    def _next(self, claim: Claim) -> None:
        """Ask for the first number that is not there yet."""
        missing = next((each for each in claim.numbers if each.name not in _measured.get(claim.name, {})), None)
        self._asked = None
        if missing is not None and self.engine is not None:
            self._asked = self.engine.request("measure", words=missing.words), claim.name, missing.name
        self.show_page()

    def _answered(self, number: int, name: str, answer: Mapping[str, float]) -> None:
        if self._asked is None or number != self._asked[0]:
            return
        _, claim, what = self._asked
        found = Number(float(answer["value"]), float(answer["error"]), int(answer["of"]))
        _measured.setdefault(claim, {})[what] = found
        self._next(claims.find(claim))

    def _failed(self, number: int, why: str) -> None:
        if self._asked is not None and number == self._asked[0]:
            self._asked = None
            self.said.emit(why)

    # --- how it is shown ---

    def show_page(self) -> None:
        """Draw it anew."""
        size = self.canvas.width(), self.canvas.height()
        self.canvas.show_picture(claimpage.draw(self.page, replace(self.look, size=size, theme=style.theme_name())))
        self.setAccessibleDescription(self.canvas.picture.caption)
        self.buttons[0].setEnabled(bool(self.page.claim.models))
        self.buttons[1].setEnabled(bool(self.page.claim.numbers))
        self.buttons[2].setText(tr("Show what was found") if self.page.asking else tr("Ask the class first"))
        self._lay()

    def _lay(self) -> None:
        x = self.width() - 16
        for button in reversed(self.buttons):
            size = button.sizeHint()
            x -= size.width()
            button.setGeometry(x, self.height() - FOOT + 14, size.width(), size.height())
            x -= 8

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.canvas.setGeometry(0, 0, self.width(), self.height() - FOOT)
        self.show_page()

    def paintEvent(self, event: QEvent) -> None:  # type: ignore[override]
        from visualizer.ui import faults

        with faults.painting(self) as painter:
            painter.fillRect(self.rect(), style.color("window"))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def focusNextPrevChild(self, forwards: bool) -> bool:
        return tab_within(self, forwards)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Key(event.key())
        acts = {Key.Key_Return: self.go, Key.Key_Enter: self.go, Key.Key_M: self.measure, Key.Key_A: self.ask,
                Key.Key_C: self.cite, Key.Key_Escape: self.closed.emit}
        if key in STEPS:
            self.step(STEPS[key])
        elif key == Key.Key_Home:
            self.choose(0)
        elif key == Key.Key_End:
            self.choose(len(self.page.known) - 1)
        elif key in acts:
            acts[key]()

    def _clicked(self, focus: object) -> None:
        found = [index for index, claim in enumerate(self.page.known)
                 if getattr(focus, "array", "") == LIST and claim.name == getattr(focus, "layer", "")]
        if found:
            self.choose(found[0])

