"""Train panel: what the rail holds while a training is looked at: its knobs, the input to watch, and what sets it
going."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QRectF, QSize, Signal
from PySide6.QtGui import QImage, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from visualizer import door
from visualizer.lab import Knob
from visualizer.language import numeral, tr
from visualizer.scene import numbers
from visualizer.scene.type import plain_lines
from visualizer.train import OWN, knobs
from visualizer.train.about import about
from visualizer.ui import faults, icons, style
from visualizer.ui.buttons import Button
from visualizer.ui.commands import keyed
from visualizer.ui.heard import Span
from visualizer.ui.knobs import WIDTH, ChoiceRow, Slider, SliderRow, Turned, spoken
from visualizer.ui.thumbs import THUMB, draw_thumb, input_thumb, sample_words
from visualizer.ui.training import Training

ALWAYS = ("rate", "batch", "optimiser", "init", "clip", "seed")
"""Knobs that act on every network."""
ORDER = ("rate", "batch", "optimiser", "init", "activation", "norm", "clip", "forget", "seed")
TRACKS = {
    "rate": (*(float(f"{part}e{power}") for power in range(-5, 1) for part in (1, 1.5, 2, 3, 4, 5, 6, 8)), 10.0),
    "batch": (1.0, 2.0, 4.0, 8.0, 16.0, 24.0, 32.0, 50.0, 64.0, 100.0, 128.0, 256.0, 512.0),
    "clip": (0.0, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0),
    "forget": tuple(half / 2 for half in range(-12, 13)),
    "seed": tuple(float(number) for number in range(20)),
}
"""The values at which a slider stops; any other can stand between two of them."""
LINE = 16


@dataclass(frozen=True)
class Track:
    """A knob as its slider goes along it: from one value of a list to the next."""

    knob: Knob
    values: tuple[float, ...]
    step: float = 1.0
    low: float = 0.0

    @property
    def name(self) -> str:
        return self.knob.name

    @property
    def high(self) -> float:
        return len(self.values) - 1.0

    @property
    def default(self) -> float:
        return self.place(float(self.knob.default))

    def place(self, value: float) -> float:
        """Where a value lies among them."""
        after = bisect_right(self.values, value)
        if after == 0 or after == len(self.values):
            return 0.0 if after == 0 else self.high
        low, high = self.values[after - 1:after + 1]
        return after - 1 + (value - low) / (high - low)

    def value(self, place: float) -> float:
        """What lies at a place."""
        before = min(int(place), len(self.values) - 2)
        low, high = self.values[before:before + 2]
        return low + (place - before) * (high - low)

    @property
    def write(self) -> Callable[[Any], str]:
        return lambda place: self.knob.write(self.value(float(place)))


class TrackSlider(Slider):
    """A slider that stops at the values of a list."""

    def __init__(self, track: Track, panel: Turned, parent: QWidget) -> None:
        super().__init__(track, panel, parent)
        self.track = track

    def show_value(self, value: float) -> None:
        super().show_value(self.track.place(value))

    def heard_number(self) -> Span:
        """The value of its knob."""
        return Span(self.track.value(self.exact), self.track.values[0], self.track.values[-1])

    def heard_turn(self, value: float) -> None:
        """The nearest value of the list."""
        self.setValue(round(self.track.place(value)))


class TrainButton(Button):
    """The only filled one: on, or a pause."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("", "play", "primary", parent, 13, 600)

    def paintEvent(self, event: QPaintEvent) -> None:
        place = QRectF(self.rect())
        with faults.painting(self) as painter:
            on = self.isEnabled()
            style.fill(painter, place, "sunk" if not on else "accent" if self.underMouse() else "accent-fill", 8)
            token = "on-accent" if on else "ink-2"
            wide = min(style.text_width(self.text(), 13, 600), place.width() - 44)
            left = (place.width() - wide - 22) / 2
            icons.draw(painter, self.icon_name, QRectF(left, place.center().y() - 7, 14, 14), style.color(token))
            style.write(painter, self.text(), left + 22, place.center().y() + 4.7, token, weight=600, width=wide + 1)


class TrainPanel(QWidget):
    """Every knob that acts on the network, one below the other, and below them what sets it going."""

    model_wanted = Signal()
    """Another network."""
    input_wanted = Signal()
    """Another input to watch."""
    wanted = Signal(str)
    """The command of that name."""

    def __init__(self, training: Training, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.training, self.store = training, training.store
        self.rows: list[SliderRow | ChoiceRow] = []
        self._filled: tuple[str, ...] = ()
        self._shown: tuple[object, ...] = ()
        self.model = Button("", "", "link", self, size=12)
        self.model.pops = True
        self.input = Button("", "", "link", self, size=12)
        self.train = TrainButton(self)
        self.one, self.anew, self.pin = (Button("", "", "raised", self) for _ in range(3))
        self.model.clicked.connect(self.model_wanted)
        self.input.clicked.connect(self.input_wanted)
        for button, name in ((self.train, "train"), (self.one, "one-update"), (self.anew, "train-anew"),
                             (self.pin, "pin")):
            button.clicked.connect(lambda checked=False, name=name: self.wanted.emit(name))
        style.name(self, tr("Training"))
        training.changed.connect(self.refresh)
        training.advanced.connect(self.update)
        self.refresh()

    def turn(self, name: str, word: str, undoable: bool) -> None:
        """One knob at another word."""
        self.training.turn(name, word, undoable)

    def refresh(self) -> None:
        """Set every part from the State and the film that is looked at."""
        training = self.training
        if not training.on:
            return
        offers = tuple(name for name in ORDER if name in (training.taught[1] or ALWAYS))
        if (self.store.state.model, *offers) != self._filled:
            self._fill(offers)
        now, film, trace = training.knobs, training.film, self.store.trace
        shown = (self._filled, now, training.running, training.pinned, film is None, film and film.run.about,
                 trace and trace.sample.name, style.theme_name())
        if shown == self._shown:
            self.update()
            return
        self._shown = shown
        for row in self.rows:
            row.show_value(getattr(now, row.knob.name), row.knob.note)
        self._say()
        self._place()
        self.update()

    def _say(self) -> None:
        """The words on the buttons."""
        training, film = self.training, self.training.film
        card = door.card_of(self.store.state.model)
        self.model.setText(self.store.state.model if card is None else card.title)
        style.name(self.model, self.model.text(), tr("Choose another network"))
        self.train.icon_name = "pause" if training.running else "play"
        self.train.setText(tr("Pause") if training.running else tr("Train from here"))
        style.name(self.train, self.train.text(), keyed(
            tr("Stop here; what was made stays") if training.running else
            tr("Go on from the cursor; what lay behind it stays as thin dashes"), "train"))
        self.one.setText(tr("One update"))
        style.name(self.one, self.one.text(), keyed(tr("Make one update, and stop"), "one-update"))
        self.anew.setText(tr("Start anew"))
        style.name(self.anew, self.anew.text(), keyed(tr("Back before the first update, with these knobs"),
                                                      "train-anew"))
        self.pin.setText(tr("Unpin A") if training.pinned else tr("Pin as A"))
        style.name(self.pin, self.pin.text(), keyed(
            tr("Let the pinned curves go") if training.pinned else
            tr("Keep these curves as thin dashes behind the next ones"), "pin"))
        trace = self.store.trace
        self.input.setText(tr("Choose…"))
        watched = "" if trace is None else sample_words(trace.sample)
        style.name(self.input, tr("Input to watch: {what}").format(what=watched),
                   tr("Choose the input to which the answer is watched"))
        for button in (self.train, self.one, self.anew, self.pin):
            button.setEnabled(film is not None)

    def sizeHint(self) -> QSize:
        return QSize(WIDTH + 16, self._buttons_top() + self._buttons_high() + 8 + LINE * len(self._lines()) + 16)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._place()

    def paintEvent(self, event: QPaintEvent) -> None:
        trace, top = self.store.trace, self._input_top()
        with faults.painting(self) as painter:
            style.write(painter, tr("Train"), 8, 22, "ink-2", weight=600, width=70)
            style.write(painter, tr("Input to watch"), 8, top + 16, "ink", weight=500, width=WIDTH)
            image, left = self._thumb(), 8
            if image is not None:
                draw_thumb(painter, image, QRectF(8, top + 24, THUMB, THUMB), False)
                left += THUMB + 8
            said = "" if trace is None else sample_words(trace.sample)
            for number, line in enumerate(plain_lines(said, 12, WIDTH - left, 400)[:2]):
                style.write(painter, line, left, top + 35 + 14 * number, "ink-2", size=12, weight=400,
                            width=WIDTH - left)
            y = self._buttons_top() + self._buttons_high() + 16
            for words, token in self._lines():
                style.write(painter, words, 8, y, token, size=12, weight=400, width=WIDTH)
                y += LINE

    def _lines(self) -> list[tuple[str, str]]:
        """Where it is, what a knob does, and what it learns from."""
        film = self.training.film
        found = [(line, "ink") for line in plain_lines(self.training.status, 12, WIDTH, 400)]
        hint = tr("A changed knob acts from the cursor on; the old film stays behind it as thin dashes. Initial "
                  "weights, activation, normalisation, forget bias and seed begin anew.")
        found += [("", "ink"), *((line, "ink-2") for line in plain_lines(hint, 12, WIDTH, 400))]
        if film is not None and film.run.about:
            said = tr("Learns from {about}.").format(about=about(film.run.about))
            found += [("", "ink"), *((line, "ink-2") for line in plain_lines(said, 12, WIDTH, 400))]
        return found

    def _fill(self, offers: tuple[str, ...]) -> None:
        for row in self.rows:
            row.hide()
            row.deleteLater()
        self._filled, taught = (self.store.state.model, *offers), self.training.taught[0]
        known = {each.name: each for each in knobs()}
        self.rows = []
        for name in offers:
            knob = replace(known[name], default=getattr(taught, name))
            if knob.words:
                self.rows.append(ChoiceRow(knob, self, named=True))
                continue
            own = float(knob.default)
            track = Track(knob, tuple(sorted({*TRACKS[name], own})))
            self.rows.append(SliderRow(knob, self, TrackSlider(track, self, self), value_words))
        for row in self.rows:
            row.show()

    def _input_top(self) -> int:
        return max((row.geometry().bottom() for row in self.rows), default=36) + 4

    def _buttons_top(self) -> int:
        return self._input_top() + 24 + THUMB + 14

    def _place(self) -> None:
        wide = self.model.sizeHint().width()
        self.model.setGeometry(max(76, WIDTH + 8 - wide), 3, min(wide, WIDTH - 68), 28)
        y = 36
        for row in self.rows:
            high = row.sizeHint().height()
            row.setGeometry(0, y, WIDTH + 16, high)
            y += high
        left = 8 if self._thumb() is None else THUMB + 16
        self.input.setGeometry(left, self._input_top() + 50, min(self.input.sizeHint().width(), WIDTH - left + 8), 22)
        y, half = self._buttons_top(), (WIDTH - 8) // 2
        self.train.setGeometry(8, y, WIDTH, 36)
        wide = self._stacked()
        for place, button in enumerate((self.one, self.anew, self.pin)):
            row, column = (place, 0) if wide else divmod(place, 2)
            button.setGeometry(8 + column * (half + 8), y + 42 + 38 * row, WIDTH if wide else half, 32)

    def _stacked(self) -> bool:
        """Whether the words of the buttons are too long for two in a row."""
        half = (WIDTH - 8) // 2
        return any(style.text_width(button.text()) + 10 > half for button in (self.one, self.anew, self.pin))

    def _buttons_high(self) -> int:
        return 42 + 38 * (3 if self._stacked() else 2)

    def _thumb(self) -> QImage | None:
        """The input that is watched, where it is a picture that can be seen so small."""
        trace = self.store.trace
        image = None if trace is None else input_thumb(trace, style.theme_name())
        return image if image is not None and image.width() <= 2 * image.height() else None


def value_words(knob: Knob, value: float) -> str:
    """A value as it stands beside its knob: `0.001`, `32`, `off`."""
    if knob.off and value == knob.low:
        return tr("off") if knob.off != OWN else tr("its own")
    if knob.name == "forget":
        return numbers.signed(value, 1)
    if knob.whole:
        return spoken(knob, value)
    return numeral(f"{value:,.4g}") if value >= 1e-4 or value == 0 else numbers.significant(value, 2)
