"""The transport: which way, which beat, play and step, how fast."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt
from PySide6.QtGui import (
    QAccessible,
    QAction,
    QFocusEvent,
    QHelpEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QMenu, QSlider, QToolTip, QWidget

from visualizer import glossary
from visualizer.comparison.path import share_of
from visualizer.comparison.words import in_step
from visualizer.language import numeral, reads_leftwards, tr
from visualizer.scene import numbers
from visualizer.scene import state as does
from visualizer.scene.reel import is_between, title_of
from visualizer.scene.state import SPEEDS, State
from visualizer.scene.timeline import BACKWARD, FORWARD, UPDATE, Moment, Stretch
from visualizer.ui import faults, icons, style, words
from visualizer.ui.buttons import ARROWS, Button, Segment, Segments, keeps, note_focus
from visualizer.ui.commands import find, key_for, keyed
from visualizer.ui.heard import Span
from visualizer.ui.input_track import HIGH, InputTrack
from visualizer.ui.shell import BOTTOM
from visualizer.ui.store import Store

STEPS_PER_DOUBLING = 10


class Transport(QWidget):
    """One row along the bottom of the window."""

    heard_as = QAccessible.Role.ToolBar

    def __init__(self, store: Store, run: Callable[[str], None], parent: QWidget | None = None) -> None:
        """`run` does the command of a name."""
        super().__init__(parent)
        self.store = store
        self.compact = False
        self._shown: tuple[object, ...] = ()
        self.directions = Segments((), self)
        self.directions.chosen.connect(self._turn)
        self.directions.setAccessibleName(tr("Direction"))
        self.buttons: dict[str, Button] = {}
        for name, icon in (("first", "first"), ("back", "previous"), ("play", "play"), ("next", "next"),
                           ("last", "last")):
            button: Button = PlayButton(store, self) if name == "play" else Button("", icon, "flat", self)
            button.clicked.connect(lambda checked=False, name=name: run(name))
            style.name(button, find(name).title, keyed(find(name).title, name))
            self.buttons[name] = button
        self.speed = SpeedSlider(store, self)
        self.setAccessibleName(tr("Time"))
        self.speed_button = Button("1×", "", "raised", self, weight=600)
        self.speed_button.pops = True
        self.speed_button.clicked.connect(self._choose_speed)
        style.name(self.speed_button, tr("Speed"), tr("How fast the animation runs"))
        self.inputs = InputTrack(store, run, self)
        self._fill_directions()
        store.changed.connect(self._changed)
        store.trace_changed.connect(self.show_state)
        store.study_grew.connect(lambda beats: self.show_state() if beats else None)
        self.show_state()

    def set_compact(self, compact: bool) -> None:
        """Arrows without words and a button instead of the slider, where there is little room."""
        if compact != self.compact:
            self.compact = compact
            self._fill_directions()
            self.show_state()
            self._place()

    def show_state(self) -> None:
        """Set every part from the State."""
        moment, state = self.store.moment, self.store.state
        shown = (id(self.store.trace), moment and moment.beat, self.counter(), state.speed, state.playing, self.compact,
                 style.theme_name())
        if shown == self._shown:
            return
        self._shown = shown
        self.directions.choose(1 if moment is not None and moment.backward else 0)
        times = self.store.timeline
        has_back = any(beat.direction == BACKWARD for beat in (times.within or times).beats)
        self.directions.buttons[1].setEnabled(has_back)
        for button in self.buttons.values():
            button.setEnabled(moment is not None)
        self.buttons["play"].update()
        self.speed_button.setText(speed_words(state.speed))
        self.setAccessibleDescription(self.heard_beat())
        self.update()

    def heard_beat(self) -> str:
        """What is written between the buttons: `conv2 adds up, Beat 5 of 23`."""
        trace, moment = self.store.trace, self.store.moment
        there = trace is not None and moment is not None and moment.beat.layer in trace  # one of them comes first
        said = "".join(words.beat_words(trace, moment, False)) if there else ""
        return ", ".join(part for part in (said, self.counter()) if part)

    def counter(self) -> str:
        """`Beat 5 of 23`, or `Term 17 of 56` where a beat goes in small steps."""
        moment, terms = self.store.moment, self._terms()
        if moment is None:
            return ""
        if readers := self.store.readers:
            share = share_of(readers[self.store.state.active].trace, moment)
            return tr("Share {share} of each way").format(share=numbers.percent(share, 0))
        if terms is not None:
            march = self.store.state.look.knob("march", "terms")
            return words.small_step(march, terms.done(moment.phase), terms.terms)
        if moment.beat.of:
            return words.beat(moment.index + 1, len(self.store.timeline.beats))
        trace = self.store.trace
        if trace is not None and moment.backward and self.store.state.in_lab:
            wanted, _ = does.lab_of(self.store.state)
            if moment.beat.step is not None and wanted.experiment == "time":
                total = int(wanted.steps)
                return words.back_count(total - moment.beat.step, total, "step")
        if trace is not None and self.store.sight is not None and self.store.sight.view.instead is not None:
            last = len(self.store.timeline.beats) - 1
            words_of = tr("Update {number} of {total}") if moment.beat.doing == UPDATE else \
                tr("Step {number} of {total}")
            return words_of.format(number=moment.index, total=last)
        if moment.beat.step is not None and trace is not None:
            layer = trace[moment.beat.layer]
            return words.step_count(moment.beat.step, layer.shape[layer.axes.index("step")])
        return words.beat(moment.index + 1, len(self.store.timeline.beats))

    def _terms(self) -> Stretch | None:
        """The terms that are being added; None where the beat moves smoothly."""
        moment = self.store.moment
        return None if moment is None else self.store.timeline.pace(moment.index).stretch(moment.phase)

    def sizeHint(self) -> QSize:
        return QSize(1024, BOTTOM + self.second_track())

    def second_track(self) -> int:
        """How high the track of the inputs is; 0 where there are none."""
        return HIGH if self.inputs.needed else 0

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._place()

    def explained(self) -> str:
        """All that stands here, of which a narrow window shows the beginning, and what its words mean."""
        trace, moment = self.store.trace, self.store.moment
        said = words.beat_words(trace, moment, False) if trace is not None and moment is not None else ()
        return "\n\n".join(filter(None, ("".join(said), glossary.explained(" ".join((*said, self.counter())), 3))))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), self.explained(), self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        trace, moment = self.store.trace, self.store.moment
        baseline = BOTTOM / 2 + 4.7
        with faults.painting(self) as painter:
            if not self.compact:
                style.write(painter, tr("Speed"), self.speed.x() - 12, baseline, "ink-2", weight=500, anchor="end")
                style.write(painter, speed_words(self.store.state.speed), self.width() - 16, baseline, weight=600,
                            anchor="end")
            if trace is None or moment is None:
                return
            left = self._name_left()
            room = self.buttons["first"].x() - left - 24
            terms = self._terms()
            count = terms.terms if terms is not None else 0
            name, rest = words.beat_words(trace, moment, self.compact, count)
            if readers := self.store.readers:
                name, rest = tr("In step:"), "  " + in_step(readers, self.store.moments)
                while rest and style.text_width(name, weight=600) + style.text_width(rest) > room and "," in rest:
                    rest = rest.rpartition(",")[0]
                style.write(painter, rest, left + style.write(painter, name, left, baseline, weight=600, width=room),
                            baseline, weight=500, width=max(1.0, room - 60))
                self._write_counter(painter, baseline)
                return
            if moment.beat.of:
                rest = f"  {reel_words(moment, self.store.state.reel)}"
            if style.text_width(name, weight=600) + style.text_width(rest) > room:
                name = words.beat_words(trace, moment, True, count)[0]
                rest = rest if moment.beat.of else words.beat_words(trace, moment, True, count)[1]
            if reads_leftwards(rest):  # then the name comes first from the right
                used = style.write(painter, rest, left, baseline, weight=500, width=max(1.0, room - 60))
                style.write(painter, name, left + used, baseline, weight=600, width=max(1.0, room - used))
            else:
                used = style.write(painter, name, left, baseline, weight=600, width=room)
                style.write(painter, rest, left + used, baseline, weight=500, width=max(1.0, room - used))
            self._write_counter(painter, baseline)

    def _write_counter(self, painter: QPainter, baseline: float) -> None:
        """The number of the beat stands out from its words."""
        right = self.speed_button.x() - 20.0 if self.compact else self.speed.x() - 84.0
        whole = self.counter()
        x = right - style.text_width(whole)
        pieces = list(enumerate(whole.split(" ")))
        first = next((place for place, piece in pieces if any(map(str.isdigit, piece))), 1)
        for place, piece in pieces[::-1 if reads_leftwards(whole) else 1]:
            weight = 600 if place == first else 500
            x += style.write(painter, piece, x, baseline, "ink" if weight == 600 else "ink-2", weight=weight) \
                + style.text_width(" ")

    def _name_left(self) -> int:
        return 116 if self.compact else 232

    def _fill_directions(self) -> None:
        forward = Segment("" if self.compact else tr("Forward"), "forward", True, "accent")
        backward = Segment("" if self.compact else tr("Backward"), "backward", False, "gradient-mark")
        style.name(forward, tr("Forward"), tr("Walk forwards: what each layer computes"))
        style.name(backward, tr("Backward"), keyed(tr("Walk backwards: how the gradient returns"), "reverse"))
        self.directions.set_segments((forward, backward))

    def _place(self) -> None:
        """Positions of the frame at 1600 px, the middle group at its share of the width."""
        self.inputs.setGeometry(0, BOTTOM - 4, self.width(), HIGH)
        self.inputs.setVisible(self.inputs.needed)
        middle = round(self.width() * (0.5 if self.compact else 0.475))
        wide = 78 if self.compact else min(max(184, self.directions.sizeHint().width()), self._name_left() - 24)
        self.directions.setGeometry(18 if self.compact else 16, 10, wide, 36)
        for name, offset in (("first", -100), ("back", -57), ("next", 57), ("last", 100)):
            self.buttons[name].setGeometry(middle + offset - 16, 12, 32, 32)
        self.buttons["play"].setGeometry(middle - 20, 8, 40, 40)
        self.speed.setVisible(not self.compact)
        self.speed_button.setVisible(self.compact)
        self.speed.setGeometry(self.width() - 186, 14, 136, 28)
        self.speed_button.setGeometry(self.width() - 16 - 48, 14, 48, 28)

    def _changed(self, old: State, new: State) -> None:
        self.show_state()

    def _turn(self, number: int) -> None:
        moment = self.store.moment
        direction = (FORWARD, BACKWARD)[number]
        if moment is not None and moment.beat.direction != direction:
            self.store.apply(lambda state: does.reverse(state, self.store.timeline))
        self.directions.choose(1 if self.store.moment is not None and self.store.moment.backward else 0)

    def _choose_speed(self) -> None:
        menu = QMenu(self)
        for speed in SPEEDS:
            action = QAction(speed_words(speed), menu, checkable=True)  # type: ignore[call-overload]
            action.setChecked(speed == self.store.state.speed)
            action.triggered.connect(lambda checked=False, speed=speed: self.store.update(speed=speed))
            menu.addAction(action)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        corner = self.speed_button.mapToGlobal(QPoint(0, 0))
        menu.popup(QPoint(corner.x(), corner.y() - menu.sizeHint().height()))


class PlayButton(Button):
    """The only filled circle; it points the way the animation goes."""

    def __init__(self, store: Store, parent: QWidget) -> None:
        super().__init__("", "play", "flat", parent)
        self.store = store

    def sizeHint(self) -> QSize:
        return QSize(40, 40)

    def paintEvent(self, event: QPaintEvent) -> None:
        moment = self.store.moment
        backward = moment is not None and moment.backward
        name = "pause" if self.store.state.playing else "play-back" if backward else "play"
        with faults.painting(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(style.color("accent" if self.isEnabled() else "rule"))
            painter.drawEllipse(QRectF(self.rect()))
            icons.draw(painter, name, QRectF(12, 12, 16, 16), style.color("on-accent"))


class SpeedSlider(QSlider):
    """0.25 to 8 times, evenly by doublings."""

    heard_as = QAccessible.Role.Slider

    def __init__(self, store: Store, parent: QWidget) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self.store = store
        self.setRange(0, 5 * STEPS_PER_DOUBLING)
        self.setPageStep(STEPS_PER_DOUBLING)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        tip = tr("How fast the animation runs ({slower} slower, {faster} faster); double click for 1×")
        style.name(self, tr("Speed"), tip.format(slower=key_for("slower"), faster=key_for("faster")))
        self._show(store.state)
        self.valueChanged.connect(self._slid)
        store.changed.connect(self._changed)

    def heard_number(self) -> Span:
        """How many times as fast."""
        return Span(self.store.state.speed, SPEEDS[0], SPEEDS[-1])

    def heard_value(self) -> str:
        """`1×`."""
        return speed_words(self.store.state.speed)

    def heard_turn(self, value: float) -> None:
        """Another speed."""
        self.setValue(slider_value(min(max(value, SPEEDS[0]), SPEEDS[-1])))

    def event(self, event: QEvent) -> bool:
        return keeps(event, ARROWS) or super().event(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        note_focus(self, event)
        super().focusInEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.store.end_gesture()
        self._slide_to(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons():
            self._slide_to(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.store.update(speed=1.0)

    def paintEvent(self, event: QPaintEvent) -> None:
        middle = self.height() / 2
        x = 8 + (self.width() - 16) * self.value() / self.maximum()
        with faults.painting(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for number in range(len(SPEEDS)):
                at = 8 + (self.width() - 16) * number / (len(SPEEDS) - 1)
                painter.fillRect(QRectF(at - 0.5, middle - 3, 1, 6), style.color("rule"))
            painter.fillRect(QRectF(8, middle - 1, self.width() - 16, 2), style.color("rule"))
            painter.fillRect(QRectF(8, middle - 1, x - 8, 2), style.color("accent"))
            painter.setBrush(style.color("raised"))
            painter.setPen(QPen(style.color("accent"), 2))
            painter.drawEllipse(QRectF(x - 6, middle - 6, 12, 12))

    def _slide_to(self, event: QMouseEvent) -> None:
        share = (event.position().x() - 8) / max(1, self.width() - 16)
        self.setValue(round(min(1.0, max(0.0, share)) * self.maximum()))

    def _slid(self, value: int) -> None:
        speed = round(SPEEDS[0] * 2 ** (value / STEPS_PER_DOUBLING), 2)
        if slider_value(self.store.state.speed) != value:
            self.store.apply(lambda state: replace(state, speed=speed), gesture="speed")

    def _changed(self, old: State, new: State) -> None:
        self._show(new)

    def _show(self, state: State) -> None:
        self.setValue(slider_value(state.speed))


def reel_words(moment: Moment, names: tuple[str, ...]) -> str:
    """At which recording of a reel one stands, or between which ones."""
    if is_between(moment):
        return tr("between {one} and {other}").format(one=title_of(names[moment.index - 1]),
                                                      other=title_of(names[moment.index]))
    return title_of(names[max(moment.index - (moment.phase == 0), 0)])


def slider_value(speed: float) -> int:
    """Where a speed stands on the slider."""
    return round(math.log2(speed / SPEEDS[0]) * STEPS_PER_DOUBLING)


def speed_words(speed: float) -> str:
    """`1×`, `0.25×`."""
    return numeral(f"{speed:.2f}".rstrip("0").rstrip(".")) + "×"
