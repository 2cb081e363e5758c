"""The list of edits: what the rail holds beside surgery. What is done, each with its switch; what can be done, or for
which networks it is; what stands in place of a channel, and how loud it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAccessible, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QMenu, QWidget

from visualizer import edits, titles
from visualizer.edits.cuts import MEAN, ZERO
from visualizer.language import numeral, tr
from visualizer.scene import state as does
from visualizer.scene.state import State
from visualizer.scene.type import plain_lines
from visualizer.trace import Trace
from visualizer.ui import faults, style
from visualizer.ui.buttons import Button, Segment, Segments
from visualizer.ui.commands import keyed
from visualizer.ui.knobs import Slider
from visualizer.ui.store import Store
from visualizer.ui.what_if import Field, Track
from visualizer.views.surgery import offers
from visualizer.views.surgery.offers import BY, Offer

WIDE, ROW, OFFER, TIGHT, GAP = 200, 44, 40, 28, 4
LOW = 700
"""Pixels; in a lower rail the kinds stand two side by side, and their words are in the tooltips."""
VOLUME = Track("volume", 0.0, 2.0, 0.05, 1.0)
GESTURE = "volume"
GROUPED = 3
"""So many pixels have a row each; more are one row."""


@dataclass(frozen=True)
class Listed:
    """One row of the list: an edit, or all pixels that were set."""

    words: tuple[str, ...]
    on: bool


class EditList(QWidget):
    """What is done to the network and its input, and what else can be done."""

    heard_as = QAccessible.Role.Grouping

    said = Signal(str)
    """One sentence about what cannot be done."""
    undo_wanted = Signal()
    redo_wanted = Signal()

    def __init__(self, store: Store, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.store = store
        self.rows: list[EditRow] = []
        self.kinds: list[OfferButton] = []
        self._filled: tuple[object, ...] = ()
        self.tight = False
        self.undo = Button(tr("Undo"), "", "raised", self)
        self.undo.clicked.connect(self.undo_wanted)
        style.name(self.undo, tr("Undo"), keyed(tr("Back to what was chosen before"), "undo"))
        self.redo = Button(tr("Redo"), "", "raised", self)
        self.redo.clicked.connect(self.redo_wanted)
        style.name(self.redo, tr("Redo"), keyed(tr("Forth again to what was undone"), "redo"))
        self.field = Field(self)
        self.field.returnPressed.connect(self._typed)
        style.name(self.field, tr("The edit in words"),
                   tr("Change its layer, its place or its number; Enter does it"))
        self.field.hide()
        self.by = Segments([Segment("0"), Segment(tr("its mean")), Segment(tr("another's"))], self)
        self.by.chosen.connect(self._choose_by)
        self.by.setAccessibleName(tr("What stands in place of a channel"))
        for segment, tip in zip(self.by.buttons, (
                tr("A channel that is off gives zeros"),
                tr("A channel that is off gives what it gives on average over the inputs that ship"),
                tr("A channel that is off gives what it gives to another input, which you choose: patching")),
                strict=True):
            style.name(segment, segment.text(), tip)
        self.volume = Slider(VOLUME, self, self)
        self.setAccessibleName(tr("Edits"))
        store.changed.connect(self._changed)
        store.trace_changed.connect(self.refresh)
        self.refresh()

    # --- what it shows ---

    def _changed(self, old: State, new: State) -> None:
        if (old.edits, old.focus, old.look.knobs, old.view) != (new.edits, new.focus, new.look.knobs, new.view):
            self.refresh()

    @property
    def offered(self) -> tuple[Offer, ...]:
        """What can be done to what is chosen."""
        trace = self.store.trace
        return () if trace is None or self.store.state.in_lab else offers.offers(trace, self.store.state.focus)

    def listed(self) -> tuple[Listed, ...]:
        """What is done, and behind it what is switched off."""
        state = self.store.state
        done = edits.those(state.edits, edits.MODEL, edits.INPUT)
        kept = [word for word in state.look.knob("off", "").split("|") if word and word not in done and _readable(word)]
        found: list[Listed] = []
        for words, on in ((done, True), (kept, False)):
            pixels = tuple(word for word in words if word.startswith("pixel:"))
            if len(pixels) > GROUPED:
                found.append(Listed(pixels, on))
            found += [Listed((word,), on) for word in words if word not in pixels or len(pixels) <= GROUPED]
        return tuple(found)

    def refresh(self, trace: Trace | None = None) -> None:
        """Every row anew from the State."""
        if self.store.trace is None or self.store.state.in_lab:
            return
        listed, offered = self.listed(), self.offered
        layer, unit = offers.chosen(self.store.trace, self.store.state.focus)
        shown = listed, offered, layer, unit, style.theme_name(), self.store.state.look.knob(BY, ZERO)
        if shown != self._filled:
            self._filled = shown
            self._fill(listed, offered)
            self._show_by()
        value = offers.volume(self.store.state, layer, unit)
        self.volume.show_value(value)
        said = tr("Volume of unit {unit} of {layer}: {share}").format(unit=unit, layer=layer, share=_percent(value))
        style.name(self.volume, said, tr("From 0 to 200 %; double click: 100 %; arrows go step by step"))
        self._place()
        self.update()

    def _fill(self, listed: tuple[Listed, ...], offered: tuple[Offer, ...]) -> None:
        """Rows and kinds stay where they only say something else: a number that is dragged changes them at each step.
        """
        if len(listed) != len(self.rows):
            for old in self.rows:
                old.hide()
                old.deleteLater()
            self.rows = [EditRow(self) for _ in listed]
            for row in self.rows:
                row.clicked.connect(lambda checked=False, row=row: self.switch(row.listed))
                row.show()
        for row, each in zip(self.rows, listed, strict=True):
            row.show_listed(each)
        if [button.offer.name for button in self.kinds] != [each.name for each in offered]:
            self.kinds = [OfferButton(each, self) for each in offered]
            for button in self.kinds:
                button.clicked.connect(lambda checked=False, button=button: self.offer(button.offer))
                button.show()
        for button, offer in zip(self.kinds, offered, strict=True):
            button.show_offer(offer)
        self.field.dress()

    def _show_by(self) -> None:
        word = self.store.state.look.knob(BY, ZERO)
        self.by.choose({ZERO: 0, MEAN: 1}.get(word, 2))
        self.by.buttons[2].setText(tr("another's") if word in (ZERO, MEAN) else _short(word))

    # --- what it does ---

    def switch(self, listed: Listed) -> None:
        """An edit done, or switched off and kept in the list."""
        self.store.end_gesture()
        for word in listed.words:
            self._apply(lambda state, word=word: does.switched(state, word), "switch")
        self.store.end_gesture()

    def remove(self, listed: Listed) -> None:
        """An edit gone from the list."""
        self.store.end_gesture()
        for word in listed.words:
            self._apply(lambda state, word=word: offers.without(state, word), "remove")
        self.store.end_gesture()

    def offer(self, offer: Offer) -> None:
        """Open the field with the edit as it would be done."""
        if offer.lacks:
            self.said.emit(f"{offer.title}: {offer.lacks}.")
            return
        if offer.name == "unit_off":
            layer, unit = offers.chosen(self.store.trace, self.store.state.focus)  # type: ignore[arg-type]
            word = offers.off(layer, unit, self.store.state.look.knob(BY, ZERO))
            self._apply(lambda state: does.switched(state, word))
            return
        self.field.setText(offer.words)
        self.field.show()
        self._place()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        start = max(offer.words.rfind("="), offer.words.rfind(":")) + 1
        self.field.setSelection(start, len(offer.words) - start)

    def turn(self, name: str, word: str, undoable: bool) -> None:
        """The volume of the channel that is chosen."""
        if self.store.trace is None:
            return
        if undoable:
            self.store.end_gesture()
        layer, unit = offers.chosen(self.store.trace, self.store.state.focus)
        self._apply(lambda state: offers.at_volume(state, layer, unit, float(word)), GESTURE)

    def _typed(self) -> None:
        word = self.field.text().strip()
        try:
            self.store.end_gesture()
            self._apply(lambda state: offers.done(state, word))
        except LookupError as error:
            self.said.emit(str(error.args[0]))
            return
        self._put_away()

    def _apply(self, change: Callable[[State], State], gesture: str = "") -> None:
        """Have it done, and seen as a whole."""
        trace = self.store.trace
        self.store.apply(lambda state: offers.seen(change(state), trace), gesture=gesture)

    def _put_away(self) -> None:
        self.field.hide()
        self._place()
        if self.kinds:
            self.kinds[0].setFocus(Qt.FocusReason.OtherFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and not self.field.isHidden():
            self._put_away()
        else:
            super().keyPressEvent(event)

    def _choose_by(self, number: int) -> None:
        if number < 2:
            word = (ZERO, MEAN)[number]
            self._apply(lambda state: offers.by(state, word))
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for sample in self.store.samples[:40]:
            menu.addAction(titles.of(sample)).triggered.connect(
                lambda checked=False, name=sample.name: self._apply(lambda state: offers.by(state, name)))
        menu.aboutToHide.connect(self._show_by)
        menu.popup(self.by.mapToGlobal(QPoint(0, self.by.height())))

    # --- where it stands ---

    def sizeHint(self) -> QSize:
        return QSize(WIDE, self._place())

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._place()

    def _place(self) -> int:
        """Everything one below the other; how high that is."""
        y = 34
        for row in self.rows:
            row.setGeometry(0, y, WIDE, ROW)
            y += ROW + GAP
        self.undo.setGeometry(8, y + 4, 88, 30)
        self.redo.setGeometry(104, y + 4, 88, 30)
        self._kinds_at = y + 64
        y += 74
        parent = self.parentWidget()
        self.tight = parent is not None and parent.height() < LOW
        across, high = (2, TIGHT) if self.tight else (1, OFFER)
        for number, button in enumerate(self.kinds):
            button.setGeometry(number % across * (WIDE // across), y + number // across * (high + GAP),
                               WIDE // across - GAP, high)
        y += -(-len(self.kinds) // across) * (high + GAP)
        if not self.field.isHidden():
            self.field.setGeometry(0, y + 4, WIDE - GAP, 32)
            y += 42
        self._by_at = y + 26
        self.by.setGeometry(4, y + 36, WIDE - 12, 34)
        self._volume_at = y + 100
        self.volume.setGeometry(0, y + 106, WIDE - 4, 24)
        self._below_at = y + 150
        y = self._below_at + 18 * len(self._told()) + 8
        if self.height() != y:
            self.resize(WIDE, y)
        return y

    def _told(self) -> list[str]:
        return plain_lines(tr("The file is never changed: edits live in this window until you export them."), 12,
                           WIDE - 16, 400)

    def paintEvent(self, event: QPaintEvent) -> None:
        listed = self.listed()
        on = sum(len(each.words) for each in listed if each.on)
        everything = sum(len(each.words) for each in listed)
        layer, unit = ("", 0) if self.store.trace is None else offers.chosen(self.store.trace, self.store.state.focus)
        value = offers.volume(self.store.state, layer, unit)
        with faults.painting(self) as painter:
            style.write(painter, tr("Edits"), 8, 20, "ink-2", weight=600)
            style.write(painter, tr("{on} of {all} in force").format(on=on, all=everything), WIDE - 8, 20, "ink-2",
                        size=12, weight=400, anchor="end", width=130)
            style.write(painter, tr("Add an edit"), 8, self._kinds_at, "ink-2", weight=600)
            style.write(painter, tr("Replace a channel by"), 8, self._by_at, "ink-2", weight=600, width=WIDE - 16)
            style.write(painter, tr("Volume of {layer} {unit}").format(layer=layer, unit=unit), 8, self._volume_at,
                        "ink-2", weight=600, width=134)
            style.write(painter, _percent(value), WIDE - 8, self._volume_at, "accent-ink", weight=600, anchor="end")
            for number, line in enumerate(self._told()):
                style.write(painter, line, 8, self._below_at + 18 * number, "ink-2", size=12, weight=400,
                            width=WIDE - 12)


class EditRow(Button):
    """One edit with its switch; Delete takes it out of the list."""

    def __init__(self, panel: EditList) -> None:
        super().__init__("", "", "flat", panel)
        self.listed, self.panel = Listed((), False), panel
        self.setCheckable(True)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(lambda point: panel.remove(self.listed))

    def show_listed(self, listed: Listed) -> None:
        """What it stands for, in words, and whether it is done."""
        self.setChecked(listed.on)
        if listed == self.listed:
            return
        self.listed = listed
        told = edits.said(listed.words) if len(listed.words) <= GROUPED else \
            tr("{count} pixels set").format(count=len(listed.words))
        first = told.partition(" ")[0]
        self.setText(told[:1].upper() + told[1:] if first.isalpha() else told)
        style.name(self, self.text(), (tr("switch this edit off") if listed.on else tr("switch this edit on"))
                   + "\n" + tr("Delete, or a click with the other button, takes it out of the list"))
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.panel.remove(self.listed)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        on = self.listed.on
        with faults.painting(self) as painter:
            if on:
                style.fill(painter, QRectF(self.rect()), "tint", 8)
                style.fill(painter, QRectF(0, 13, 3, 18), "accent", 1.5)
            elif self.underMouse():
                style.fill(painter, QRectF(self.rect()), "sunk", 8)
            lines = plain_lines(self.text(), 12, 142, 600 if on else 500)
            for number, line in enumerate(lines[:2]):
                style.write(painter, line, 10, (19 if len(lines) > 1 else 26) + 16 * number, "ink" if on else "ink-2",
                            size=12, weight=600 if on and not number else 500, width=144)
            _draw_switch(painter, QRectF(WIDE - 38, 14, 30, 16), on)


class OfferButton(Button):
    """A kind of edit; greyed where there is none of it, and its tooltip says for which networks it is."""

    def __init__(self, offer: Offer, panel: EditList) -> None:
        super().__init__(offer.title, "", "raised", panel)
        self.offer = offer
        style.name(self, offer.title, f"{offer.title}: {offer.lacks or offer.about}")

    def show_offer(self, offer: Offer) -> None:
        """The same kind, for another layer or network."""
        if offer.lacks != self.offer.lacks:
            style.name(self, offer.title, f"{offer.title}: {offer.lacks or offer.about}")
            self.update()
        self.offer = offer

    def ink(self) -> str:
        return "ink-2" if self.offer.lacks else "ink"

    def paintEvent(self, event: QPaintEvent) -> None:
        greyed = bool(self.offer.lacks)
        with faults.painting(self) as painter:
            if not greyed:
                self.draw_ground(painter, QRectF(self.rect()))
            else:
                style.fill(painter, QRectF(self.rect()), "", 8, "hair")
            painter.setOpacity(0.6 if greyed else 1.0)
            tight = self.height() < OFFER
            style.write(painter, self.offer.title, 8, 18 if tight else 17, self.ink(), size=12, weight=600,
                        width=self.width() - 12)
            if not tight:
                style.write(painter, self.offer.lacks or self.offer.about, 8, 33, "ink-2", size=12, weight=400,
                            width=self.width() - 12)


def _draw_switch(painter: QPainter, place: QRectF, on: bool) -> None:
    style.fill(painter, place, "accent" if on else "rule", place.height() / 2)
    side = place.height() - 4
    left = place.right() - 2 - side if on else place.left() + 2
    style.fill(painter, QRectF(left, place.top() + 2, side, side), "stage", side / 2)


def _readable(word: str) -> bool:
    try:
        return bool(edits.parse(word))
    except LookupError:
        return False


def _percent(value: float) -> str:
    return numeral(f"{round(100 * value):d} %")


def _short(words: str) -> str:
    return words if len(words) <= 12 else words[:11] + "…"
