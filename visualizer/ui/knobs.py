"""Knobs: what the rail holds while the laboratory is open. Each is a pure change of State, heard at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, cast

from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAccessible, QFocusEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QMenu, QSlider, QWidget

from visualizer import lab
from visualizer.lab import Knob
from visualizer.language import tr
from visualizer.scene import numbers
from visualizer.scene import state as does
from visualizer.scene.state import State
from visualizer.scene.type import plain_lines, width
from visualizer.ui import faults, icons, style
from visualizer.ui.buttons import ARROWS, PRESS, Button, Segment, Segments, keeps, note_focus
from visualizer.ui.commands import keyed
from visualizer.ui.heard import Span
from visualizer.ui.store import Store

WIDTH, HIGH, LINE = 184, 24, 18
FINE = 0.1
"""Share of a drag that counts while Shift is held."""
SEGMENTS = 4
"""So many short words stand side by side; more, or longer ones, are a menu."""
Consequence = Callable[[], tuple[str, str]]
"""(what stands under the first knob, what follows from all of them)."""


class Ranged(Protocol):
    """What a slider moves along."""

    @property
    def name(self) -> str: ...

    @property
    def low(self) -> float: ...

    @property
    def high(self) -> float: ...

    @property
    def step(self) -> float: ...

    @property
    def default(self) -> Any: ...

    @property
    def write(self) -> Callable[[Any], str]: ...


class Turned(Protocol):
    """What hears a slider."""

    def turn(self, name: str, word: str, undoable: bool) -> None:
        """It stands at another word; while it is dragged that is no step of undo by itself."""


class Knobs(QWidget):
    """Every knob of the experiment, one below the other, and what follows from them."""

    compare_wanted = Signal()
    sweep_wanted = Signal()

    def __init__(self, store: Store, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.store = store
        self.rows: list[SliderRow | ChoiceRow] = []
        self.touched = ""
        """Name of the knob that was turned last: the one that is swept."""
        self.compare = Button("", "", "raised", self)
        self.compare.clicked.connect(self.compare_wanted)
        self.sweep = Button(tr("Sweep"), "", "raised", self)
        self.sweep.clicked.connect(self.sweep_wanted)
        style.name(self.sweep, tr("Sweep"), keyed(
            tr("Turn the knob that was turned last through its whole range"), "sweep"))
        self._experiment = ""
        store.changed.connect(self._changed)
        store.trace_changed.connect(self.refresh)
        self.refresh()

    @property
    def swept(self) -> str:
        """The knob that a sweep turns: the last one touched if it is a number, else the first that is."""
        sliders = [row.knob.name for row in self.rows if isinstance(row, SliderRow)]
        return self.touched if self.touched in sliders else sliders[0]

    def refresh(self) -> None:
        """Set every row from the State; other rows where there is another experiment."""
        if not self.store.state.in_lab:
            return
        wanted, against = does.lab_of(self.store.state)
        if wanted.experiment != self._experiment:
            self._experiment = wanted.experiment
            self._fill(wanted.experiment)
        for row in self.rows:
            row.show_value(getattr(wanted, row.knob.name), self._note(row.knob))
        self.compare.setText(tr("Unpin A") if against else tr("Pin as A"))
        style.name(self.compare, self.compare.text(),
                   keyed(tr("Let the pinned curves go") if against else
                         tr("Keep these curves as thin dashes behind the next ones"), "pin"))
        self.compare.setVisible(wanted.experiment != "cliff")
        self.sweep.setVisible(wanted.experiment != "cliff")
        self._place()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(WIDTH + 16, self._bottom() + LINE * len(self._follows()) + 24)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._place()

    def paintEvent(self, event: QPaintEvent) -> None:
        with faults.painting(self) as painter:
            for number, line in enumerate(self._follows()):
                style.write(painter, line, 8, self._bottom() + 22 + LINE * number, "ink-2", size=12, weight=400,
                            width=WIDTH)

    def turn(self, name: str, word: str, undoable: bool) -> None:
        """One knob at another word."""
        self.touched = name
        self.store.apply(lambda state: does.turn_lab(state, name, word), undoable)

    def _fill(self, experiment: str) -> None:
        for row in self.rows:
            row.hide()
            row.deleteLater()
        self.rows = [(ChoiceRow if knob.words else SliderRow)(knob, self) for knob in lab.knobs()
                     if knob.experiment in ("", experiment)]
        for row in self.rows:
            row.show()

    def _note(self, knob: Knob) -> str:
        """What stands under a knob: what it is in, or what was measured of it."""
        trace = self.store.trace
        if knob.name == "gain" and trace is not None and "rnn.singular" in trace.studies.get("lab", {}):
            said = tr("largest singular value {value}")
            return said.format(value=numbers.number(float(trace.studies["lab"]["rnn.singular"])))
        return knob.note

    def _follows(self) -> list[str]:
        """What follows from the knobs, in a few lines."""
        trace, moment = self.store.trace, self.store.moment
        if trace is None or moment is None or not self.store.state.in_lab:
            return []
        from visualizer.views import gradient_flow, landscape

        said = next((view.consequence(trace) for view in (gradient_flow, landscape) if view.VIEW.suits(trace)), ())
        return [line for sentence in said[:1] for line in plain_lines(sentence, 12, WIDTH, 400)]

    def _bottom(self) -> int:
        last = max((row.geometry().bottom() for row in self.rows), default=0)
        return last if self.compare.isHidden() else last + 44

    def _place(self) -> None:
        y = 0
        for row in self.rows:
            high = row.sizeHint().height()
            row.setGeometry(0, y, WIDTH + 16, high)
            y += high
        self.compare.setGeometry(8, y + 6, 96, 30)
        self.sweep.setGeometry(112, y + 6, WIDTH - 104, 30)

    def _changed(self, old: State, new: State) -> None:
        if old.recipe != new.recipe:
            self.refresh()


class SliderRow(QWidget):
    """Label left, value right, the track below, and a few words under it."""

    def __init__(self, knob: Knob, panel: QWidget, slider: Slider | None = None,
                 speak: Callable[[Knob, float], str] | None = None) -> None:
        """`slider`: along anything else than the range of the knob; `speak` says a value."""
        super().__init__(panel)
        self.knob, self.word, self.note = knob, "", knob.note
        self.slider = slider or Slider(knob, cast(Turned, panel), self)
        self.slider.setParent(self)
        self.speak = speak or spoken

    def sizeHint(self) -> QSize:
        return QSize(WIDTH + 16, 60 if self.note else 46)

    def show_value(self, value: float, note: str) -> None:
        """The value and its words."""
        self.word, self.note = self.speak(self.knob, value), note
        self.slider.show_value(value)
        style.name(self.slider, f"{self.knob.title}: {self.word}", f"{self.knob.about}\n" + tr(
            "Double click: {default}; Shift drags finely").format(
                default=self.speak(self.knob, cast(float, self.knob.default))))
        self.slider.setAccessibleDescription(note)
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.slider.setGeometry(0, 20, self.width(), HIGH)

    def paintEvent(self, event: QPaintEvent) -> None:
        with faults.painting(self) as painter:
            style.write(painter, self.knob.title, 8, 15, "ink", weight=500, width=130)
            style.write(painter, self.word, self.width() - 8, 15, "ink", weight=600, anchor="end")
            if self.note:
                style.write(painter, self.note, 8, 55, "ink-2", size=12, weight=400, width=WIDTH)


class Slider(QSlider):
    """A track of 2 px and a handle of 14; double click resets, Shift drags finely, arrows go step by step."""

    heard_as = QAccessible.Role.Slider

    def __init__(self, knob: Ranged, panel: Turned, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.knob, self.panel = knob, panel
        self.exact = 0.0
        """The value, which may lie between two steps of the slider."""
        self._grip: tuple[float, float] | None = None
        """While the handle is dragged: where the pointer was, and the share that the handle stood at."""
        self._shown = False
        self.setRange(0, round((knob.high - knob.low) / knob.step))
        self.setPageStep(max(1, self.maximum() // 10))
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.valueChanged.connect(self._slid)

    def heard_number(self) -> Span:
        """The value of its knob."""
        return Span(self.exact, self.knob.low, self.knob.high, self.knob.step)

    def heard_turn(self, value: float) -> None:
        """Another value, as far as there is such a one."""
        self.setValue(round((value - self.knob.low) / self.knob.step))

    def show_value(self, value: float) -> None:
        """Set it, without saying so."""
        self.exact, self._shown = value, True
        self.setValue(round((value - self.knob.low) / self.knob.step))
        self._shown = False
        self.update()

    def event(self, event: QEvent) -> bool:
        return keeps(event, (*ARROWS, Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)) \
            or super().event(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        note_focus(self, event)
        super().focusInEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        x = event.position().x()
        near = abs(x - self._x()) <= 9
        share = (x - 8) / max(1, self.width() - 16)
        self._grip = x, self._share() if near else min(1.0, max(0.0, share))
        if not near:
            self._go(self._grip[1], undoable=True)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._grip is None or not event.buttons():
            return
        x, share = self._grip
        fine = FINE if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 1.0
        share += fine * (event.position().x() - x) / max(1, self.width() - 16)
        self._grip = event.position().x(), share
        self._go(min(1.0, max(0.0, share)), undoable=False)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._grip = None

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._grip = None
        self.panel.turn(self.knob.name, self.knob.write(self.knob.default), True)

    def paintEvent(self, event: QPaintEvent) -> None:
        middle, x = self.height() / 2, self._x()
        with faults.painting(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.fillRect(QRectF(8, middle - 1, self.width() - 16, 2), style.color("rule"))
            painter.fillRect(QRectF(8, middle - 1, x - 8, 2), style.color("accent"))
            if self.knob.name == "gain":  # at 1 a linear network neither shrinks nor grows
                one = 8 + (self.width() - 16) * (1 - self.knob.low) / (self.knob.high - self.knob.low)
                painter.fillRect(QRectF(one - 0.75, middle - 5, 1.5, 10), style.color("ink-2"))
            painter.setBrush(style.color("raised"))
            painter.setPen(QPen(style.color("accent"), 2))
            painter.drawEllipse(QRectF(x - 6, middle - 6, 12, 12))

    def _share(self) -> float:
        return (self.exact - self.knob.low) / (self.knob.high - self.knob.low)

    def _x(self) -> float:
        return 8 + (self.width() - 16) * self._share()

    def _go(self, share: float, undoable: bool) -> None:
        tick = round(share * self.maximum())
        self.panel.turn(self.knob.name, self.knob.write(round(self.knob.low + tick * self.knob.step, 6)), undoable)

    def _slid(self, tick: int) -> None:
        """A key has moved it."""
        if not self._shown:
            self.panel.turn(self.knob.name, self.knob.write(round(self.knob.low + tick * self.knob.step, 6)), True)


class ChoiceRow(QWidget):
    """A knob of a few words: side by side where they are short, else a button with a menu."""

    def __init__(self, knob: Knob, panel: QWidget, named: bool | None = None) -> None:
        """`named`: whether its title stands there; by itself where the knob belongs to an experiment."""
        super().__init__(panel)
        self.knob, self.panel = knob, cast(Turned, panel)
        self.named = knob.experiment != "" if named is None else named
        turn = self.panel.turn
        self.segments: Segments | None = None
        self.button: Button | None = None
        wide = sum(width(word_of(word), 13, 600) + 8 for word in knob.words)
        if len(knob.words) <= SEGMENTS and wide <= WIDTH:
            self.segments = Segments([Segment(word_of(word)) for word in knob.words], self)
            for segment in self.segments.buttons:
                style.name(segment, f"{knob.title}: {segment.text()}", knob.about)
            self.segments.setAccessibleName(knob.title)
            self.segments.chosen.connect(lambda number: turn(knob.name, knob.words[number], True))
        else:
            self.button = Choice("", "", "raised", self)
            self.button.pops = True
            self.button.clicked.connect(self._menu)

    def sizeHint(self) -> QSize:
        return QSize(WIDTH + 16, (58 if self.named else 42) if self.segments is not None else 36)

    def show_value(self, value: str, note: str) -> None:
        """The word that is chosen."""
        if self.segments is not None:
            self.segments.choose(self.knob.words.index(value))
        if self.button is not None:
            self.button.setText(word_of(value))
            style.name(self.button, f"{self.knob.title}: {word_of(value)}", self.knob.about)
        self._place()
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._place()

    def _place(self) -> None:
        if self.segments is not None:
            self.segments.setGeometry(8, 20 if self.named else 0, WIDTH, 34)
        if self.button is not None:
            least = 92 if self.knob.experiment else 64
            wide = max(round(style.text_width(self.button.text(), weight=600)) + 40, least)
            self.button.setGeometry(self.width() - 8 - wide, 3, wide, 28)

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self.named:
            return
        with faults.painting(self) as painter:
            style.write(painter, self.knob.title, 8, 15 if self.segments is not None else 22, "ink", weight=500,
                        width=WIDTH if self.button is None else self.button.x() - 14)

    def _menu(self) -> None:
        assert self.button is not None
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for word in self.knob.words:
            action = menu.addAction(word_of(word))
            action.setCheckable(True)
            action.setChecked(word_of(word) == self.button.text())
            action.triggered.connect(lambda checked=False, word=word: self.panel.turn(self.knob.name, word, True))
        menu.popup(self.button.mapToGlobal(QPoint(0, self.button.height())))


class Choice(Button):
    """The chosen word and an arrow; up and down choose the word beside it."""

    def event(self, event: QEvent) -> bool:
        return keeps(event, (*ARROWS, *PRESS)) or super().event(event)

    def keyPressEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        row = self.parentWidget()
        by = {Qt.Key.Key_Up: -1, Qt.Key.Key_Left: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_Right: 1}.get(event.key())
        if by is None or not isinstance(row, ChoiceRow):
            super().keyPressEvent(event)
            return
        found = [word_of(word) for word in row.knob.words]
        number = min(max(found.index(self.text()) + by, 0), len(found) - 1)
        row.panel.turn(row.knob.name, row.knob.words[number], True)

    def paintEvent(self, event: QPaintEvent) -> None:
        place = QRectF(self.rect())
        with faults.painting(self) as painter:
            self.draw_ground(painter, place)
            style.write(painter, self.text(), 10, place.center().y() + 4.7, weight=600, width=place.width() - 32)
            icons.draw(painter, "down", QRectF(place.width() - 22, place.center().y() - 6, 12, 12),
                       style.color("ink-2"))


def spoken(knob: Knob, value: str | float) -> str:
    """A value as it stands beside its knob: `0.90`, `+2.0`, `60`, `off`."""
    if isinstance(value, str):
        return word_of(value)
    if knob.off and value == knob.low:
        return tr("off")
    if knob.whole:
        return numbers.count(int(value))
    digits = 2 if knob.step < 0.1 else 1
    return numbers.signed(value, digits) if knob.name == "bias" else f"{numbers.number(value, digits)}"


def word_of(word: str) -> str:
    """What a choice is called."""
    return {
        "time": tr("Time"), "depth": tr("Depth"), "cliff": tr("Cliff"),
        "relu": "ReLU", "gaussian": tr("Gaussian"), "orthogonal": tr("orthogonal"), "identity": tr("identity"),
        "positive": tr("positive"), "end": tr("at the end"), "every": tr("every step"), "default": "PyTorch",
        "xavier": "Xavier", "he": "He", "none": tr("none"), "batch": tr("batch"), "layer": tr("layer"),
        "on": tr("on"), "off": tr("off"), "mlp": "MLP", "cnn": "CNN", "own": tr("its own"), "sgd": "SGD",
        "momentum": tr("momentum"), "adam": "Adam", "leaky_relu": tr("leaky ReLU"), "zero": tr("zero"),
    }.get(word, word)
