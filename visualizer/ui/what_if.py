"""What if: the bar over the head of the stage, on which one chooses what is done to the input and how strongly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAccessible, QFocusEvent, QMouseEvent, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QLineEdit, QMenu, QWidget

from visualizer import door, edits
from visualizer.edits import DIE, PAD, PATCH, Arguments, Edit, Grain
from visualizer.language import tr, translated, typed
from visualizer.scene import state as does
from visualizer.scene.accuracy import direction
from visualizer.scene.state import State
from visualizer.ui import faults, style
from visualizer.ui.buttons import ARROWS, Button, Segment, Segments, keeps, note_focus
from visualizer.ui.commands import keyed
from visualizer.ui.knobs import Slider
from visualizer.ui.store import Store

HIGH = 48
"""Pixels."""
MENU_BELOW = 960
"""In a narrower bar the edits are a menu."""
GAP, SLIDER, NUMBER, SIDE = 12, 130, 84, 33
FAR = 7
"""Pixels from the middle at which a patch lies in one of the eight directions."""
GESTURE = "what if"
FIELD = """
QLineEdit {{ background: {raised}; color: {ink}; border: 1px solid {border}; border-radius: 8px; padding: 0 8px; }}
QLineEdit:focus {{ border: 2px solid {accent}; padding: 0 7px; }}
"""


@dataclass(frozen=True)
class Track:
    """What the slider of an edit moves along."""

    name: str
    low: float
    high: float
    step: float
    default: float
    write: Callable[[float], str] = "{:g}".format


class WhatIf(QWidget):
    """One row: what is done, how strongly, in which direction or by which seed; and back to nothing."""

    heard_as = QAccessible.Role.ToolBar

    said = Signal(str)
    """One sentence about what cannot be done."""
    closed = Signal()
    used = Signal()
    """Somebody has chosen something on it, so that it stays."""
    curves_wanted = Signal()
    """Show right answers by strength, or put them away."""

    def __init__(self, store: Store, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.store = store
        self.chosen = ""
        """The name of the edit whose strength is shown, at strength 0 too."""
        self.held: dict[str, str] = {}
        """How each was done last, by its name: its direction, its seed, its place."""
        self._at_nothing = ""
        """The edit that was turned down to nothing, and is still the one that is shown."""
        self._filled: tuple[object, ...] = ()
        self.choices = Segments((), self)
        self.choices.chosen.connect(self._choose_segment)
        self.choices.setAccessibleName(tr("What is done to the input"))
        self.more = Button("", "down", "raised", self)
        self.more.clicked.connect(self._menu)
        self.slider: Slider | None = None
        self.pad = Directions(self)
        self.pad.turned.connect(self._turn_to)
        self.die = Button("", "die", "raised", self)
        self.die.clicked.connect(lambda: self.roll())
        self.field = Field(self)
        self.field.returnPressed.connect(self._typed)
        style.name(self.field, tr("Which"), tr("Which, as numbers or words with a comma between them; Enter does it"))
        self.curves = Button(tr("Right answers"), "", "flat", self)
        self.curves.clicked.connect(self.curves_wanted)
        self.reset = Button(tr("Reset"), "", "raised", self)
        self.reset.clicked.connect(self._reset)
        self.close_button = Button("", "cross", "flat", self)
        self.close_button.clicked.connect(self.closed)
        self._name_them()
        store.changed.connect(self._follow)
        store.card_changed.connect(self.show_state)
        self.show_state()

    def _name_them(self) -> None:
        style.name(self.curves, tr("Right answers"), keyed(
            tr("Count the right answers among many inputs, at every strength"), "right-answers"))
        style.name(self.reset, tr("Reset"), tr("The input as it was, in every place"))
        style.name(self.close_button, tr("Put the bar away"), keyed(tr("Put the bar away"), "what-if"))
        style.name(self.die, tr("Another seed"), keyed(tr("Another seed: other noise, another order"), "another-seed"))

    # --- what it is about ---

    @property
    def grain(self) -> Grain | None:
        """What the input of the active place is made of; None where it cannot be edited."""
        return grain_of(self.store)

    @property
    def words(self) -> str:
        """The edit that is shown, as it is done; at strength 0 as it would be done."""
        done = {word.partition(":")[0]: word for word in does.given(self.store.state)}
        return done.get(self.chosen, self.held.get(self.chosen, ""))

    @property
    def strength(self) -> float:
        """How strongly it is done now, with its sign."""
        if not self.chosen or self.chosen not in {word.partition(":")[0] for word in does.given(self.store.state)}:
            return 0.0
        edit, arguments = edits.parse(self.words)
        if edit.strength is None:
            return 1.0
        size = edit.strength.of(arguments)
        return -size if edit.strength.signed and arguments[0] < 0 else size

    # --- what it does ---

    def choose(self, name: str, further: bool = False) -> None:
        """Do that in the place of what is done now, or `further` to it; nothing for an empty name."""
        grain = self.grain
        if grain is None:
            return
        self.used.emit()
        if not name:
            self._reset()
            return
        before = "" if further else self.chosen
        words = self.held.get(name) or edits.find(name).begins(grain)
        self.chosen = name
        self.store.end_gesture()
        self._do(words, before or name)

    def turn(self, name: str, word: str, undoable: bool) -> None:
        """The slider stands at another strength."""
        if undoable:
            self.store.end_gesture()
        edit, arguments = edits.parse(self.words)
        assert edit.strength is not None
        value = float(word)
        if edit.strength.signed and value:
            arguments = (1.0 if value > 0 else -1.0, *arguments[1:])
        self.used.emit()
        self.held[self.chosen] = self.words
        self._do(edit.write(edit.strength.at(arguments, abs(value))) if value else "", self.chosen)

    def by(self, steps: int) -> bool:
        """So many steps of the slider stronger or weaker; False where nothing that has a strength has been chosen."""
        edit = edits.find(self.chosen) if self.chosen else None
        if edit is None or edit.strength is None:
            return False
        track = track_of(edit)
        value = min(max(self.strength + steps * track.step, track.low), track.high)
        self.turn(edit.name, track.write(round(value, 6)), True)
        return True

    def set_strength(self, strength: float) -> None:
        """The strength of a point of a curve, in the direction of now."""
        edit = edits.find(self.chosen) if self.chosen else None
        if edit is None:
            return
        if edit.strength is None:
            self._do(self.words if strength else "", self.chosen)
            return
        below = edit.strength.signed and edits.parse(self.words)[1][0] < 0
        self.turn(edit.name, track_of(edit).write(-strength if below else strength), False)

    def roll(self) -> bool:
        """Another seed; False where nothing that has one has been chosen."""
        edit, arguments = edits.parse(self.words) if self.chosen else (None, ())
        if edit is None or edit.beside != DIE:
            return False
        self.store.end_gesture()
        self._keep(edit.write((*arguments[:-1], (arguments[-1] + 1) % edits.MOST_SEED)))
        return True

    def drag(self, start: str, right: int, down: int) -> None:
        """The input was dragged so far since it was done as `start` says: the patch moves that covers it, else the
        input itself."""
        name = start.partition(":")[0] or "shift"
        edit, arguments = edits.parse(start) if start else (edits.find("shift"), (0, 0))
        self.chosen = name
        if edit.beside == PATCH:
            arguments = (arguments[0], arguments[1] + right, arguments[2] + down)
        else:
            arguments = (arguments[0] + right, arguments[1] + down)
        words = edit.write(arguments) if any(arguments) else ""
        if words:
            self.held[name] = words
        self._do(words, name)

    def dragged(self) -> str:
        """The edit that a drag on the input goes on from: the patch, or how far it is shifted; empty for not yet."""
        done = {word.partition(":")[0]: word for word in does.given(self.store.state)}
        moved = done.get(self.chosen, "") if self.chosen and edits.find(self.chosen).beside == PATCH else ""
        return moved or done.get("shift", "")

    def _do(self, words: str, name: str) -> None:
        self._at_nothing = "" if words else name
        if words:
            self.held[words.partition(":")[0]] = words
        self.store.apply(lambda state: does.edited(state, words, name), gesture=GESTURE)
        self.show_state()

    def _keep(self, words: str) -> None:
        """The same otherwise; at strength 0 only remembered."""
        self.held[self.chosen] = words
        if self.chosen in {word.partition(":")[0] for word in does.given(self.store.state)}:
            self._do(words, self.chosen)
        self.show_state()

    def _reset(self) -> None:
        self.used.emit()
        self.chosen = ""
        self.store.end_gesture()
        self.store.apply(lambda state: does.what_if(state, ()))
        self.show_state()

    def _turn_to(self, across: int, along: int) -> None:
        edit, arguments = edits.parse(self.words)
        if edit.beside == PATCH:
            self._keep(edit.write((arguments[0], FAR * across, FAR * along)))
        elif edit.strength is not None and (across or along):
            self._keep(edit.write(edit.strength.at((across, along), edit.strength.of(arguments) or 1)))

    def _typed(self) -> None:
        words = self.field.text().strip()
        for said in dict.fromkeys((words, typed(words))):  # 2,3 are two numbers to an edit that takes two
            try:
                edit, arguments = edits.parse(f"{self.chosen}:{said}")
            except LookupError as error:
                refused = str(error.args[0])
            else:
                self._keep(edit.write(arguments))
                return
        self.said.emit(refused)

    def _choose_segment(self, number: int) -> None:
        from PySide6.QtWidgets import QApplication

        further = bool(QApplication.keyboardModifiers() & Qt.KeyboardModifier.ShiftModifier)
        self.choose(self._names()[number], further)

    def _names(self) -> list[str]:
        return ["", *(edit.name for edit in edits.fitting(self.grain))]

    def _menu(self) -> None:
        menu, grain = QMenu(self), self.grain
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for name in self._names():
            edit = edits.find(name) if name else None
            action = menu.addAction(tr("Nothing") if edit is None else edit.titled(grain))
            action.setToolTip("" if edit is None else translated(edit.about))
            action.setCheckable(True)
            action.setChecked(name == self.chosen)
            action.triggered.connect(lambda checked=False, name=name: self.choose(name))
        menu.setToolTipsVisible(True)
        menu.popup(self.more.mapToGlobal(QPoint(0, self.more.height())))

    # --- what it shows ---

    def _follow(self, old: State, new: State) -> None:
        before, now = (([place.recipe for place in state.places], state.active, state.look.theme)
                       for state in (old, new))
        if before != now:  # else only time has passed, and a frame is short
            self.show_state()

    def show_state(self) -> None:
        """Set every part from the State."""
        done = does.given(self.store.state)
        names = [word.partition(":")[0] for word in done]
        if self.chosen not in names and not (self.chosen and self.chosen == self._at_nothing):
            self.chosen = names[-1] if names else ""
        for word in done:
            self.held[word.partition(":")[0]] = word
        grain = self.grain
        if self.chosen and (grain is None or edits.find(self.chosen) not in edits.fitting(grain)) and not names:
            self.chosen = ""
        self._fill(grain)
        edit = edits.find(self.chosen) if self.chosen else None
        self._show_strength(edit, grain)
        self.reset.setEnabled(bool(done))
        self._place()
        self.update()

    def _fill(self, grain: Grain | None) -> None:
        fits = edits.fitting(grain)
        shown = tuple(edit.titled(grain) for edit in fits), style.theme_name()
        if shown != self._filled:
            self._filled = shown
            self.field.dress()
            segments = [Segment(tr("Nothing")), *(Segment(edit.titled(grain)) for edit in fits)]
            self.choices.set_segments(segments)
            for segment, edit in zip(segments[1:], fits, strict=True):
                style.name(segment, segment.text(), tr("{about}; with Shift to what is done already").format(
                    about=translated(edit.about)[:1].upper() + translated(edit.about)[1:]))
        self.choices.choose(self._names().index(self.chosen) if self.chosen in self._names() else 0)

    def _show_strength(self, edit: Edit | None, grain: Grain | None) -> None:
        strength = None if edit is None else edit.strength
        if self.slider is not None and (strength is None or edit is None or self.slider.knob.name != edit.name):
            self.slider.hide()
            self.slider.deleteLater()
            self.slider = None
        if edit is not None and strength is not None and self.slider is None:
            self.slider = StrengthSlider(track_of(edit), self, self)
            self.slider.show()
        if self.slider is not None and edit is not None and strength is not None:
            self.slider.show_value(self.strength)
            style.name(self.slider, f"{translated(strength.title)}: {strength.said(self.strength, grain)}",
                       tr("How strongly it is done; double click: {default}").format(
                           default=strength.said(strength.default, grain)))
        beside = "" if edit is None else edit.beside
        plane = grain is not None and grain.has(edits.PLANE)
        self.pad.setVisible(beside in (PAD, PATCH) and plane)
        self.die.setVisible(beside == DIE)
        arguments: Arguments = edits.parse(self.words)[1] if self.words else ()
        if beside in (PAD, PATCH) and arguments:
            self.pad.show_direction(*(arguments if beside == PAD else arguments[1:]), middle=beside == PATCH)
        if beside == DIE and arguments:
            self.die.setText(tr("seed {seed}").format(seed=arguments[-1]))
        typed = edit is not None and strength is None and bool(arguments)
        self.field.setVisible(typed)
        if typed and not self.field.hasFocus() and edit is not None:
            self.field.setText(edit.write(arguments).partition(":")[2])

    def number(self) -> str:
        """The strength in words: `4 px`."""
        edit = edits.find(self.chosen) if self.chosen else None
        return "" if edit is None or edit.strength is None else edit.strength.said(self.strength, self.grain)

    # --- geometry ---

    def sizeHint(self) -> QSize:
        return QSize(1104, HIGH)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._place()

    def _place(self) -> None:
        y = (HIGH - 36) // 2 - 2
        right = self.width() - 8
        for button in (self.close_button, self.reset, self.curves):
            wide = button.sizeHint().width()
            right -= wide
            button.setGeometry(right, y + 2, wide, 32)
            right -= 4
        left = 16 + self._label() + GAP
        self._place_strength(left + self._place_choices(left, right) + GAP, right)

    def _place_choices(self, left: int, right: int) -> int:
        """As many segments as have room beside the strength, the chosen one among them; or the menu alone. Returns how
        wide that is."""
        y = (HIGH - 36) // 2 - 2
        room = right - left - (GAP + self._title() + SLIDER + NUMBER + 110)
        hidden = self.width() < MENU_BELOW
        buttons, shown = self.choices.buttons, list[int]()
        chosen = self._names().index(self.chosen) if self.chosen in self._names() else 0
        spent = 4 + (0 if hidden else buttons[chosen].sizeHint().width() if buttons else 0)
        for number, button in enumerate(() if hidden else buttons):
            wide = 0 if number == chosen else button.sizeHint().width()
            if spent + wide + SIDE <= room:
                shown.append(number)
                spent += wide
            elif number == chosen:
                shown.append(number)
        self.choices.setVisible(bool(shown))
        self.choices.show_only(shown)
        all_there = len(shown) == len(buttons)
        self.more.setVisible(not all_there)
        name = edits.find(self.chosen).titled(self.grain) if self.chosen else tr("Nothing")
        self.more.setText(name if hidden else "")
        style.name(self.more, tr("What is done to the input"), tr("All that can be done to this input"))
        taken = 0
        if shown:
            taken = self.choices.sizeHint().width()
            self.choices.setGeometry(left, y, taken, 36)
        if not all_there:
            wide = self.more.sizeHint().width()
            self.more.setGeometry(left + taken + (4 if taken else 0), y + 2, wide, 32)
            taken += wide + 4
        return taken

    def _place_strength(self, left: int, right: int) -> None:
        y = (HIGH - 36) // 2 - 2
        self._from = left
        x = left
        if self.slider is not None:
            x += self._title() + 4
            room = right - x - NUMBER - (110 if not self.die.isHidden() else SIDE + 12)
            wide = max(60, min(SLIDER + 60, room))
            self.slider.setGeometry(x, y + 6, wide, 24)
            x += wide + NUMBER
        self.pad.setGeometry(x, y + 2, SIDE, SIDE)
        self.die.setGeometry(x, y + 2, min(self.die.sizeHint().width(), max(40, right - x)), 32)
        self.field.setGeometry(x, y + 3, max(60, min(150, right - x)), 30)

    def _label(self) -> int:
        return round(style.text_width(tr("What if"), weight=600))

    def _title(self) -> int:
        edit = edits.find(self.chosen) if self.chosen else None
        return 0 if edit is None or edit.strength is None or self.width() < MENU_BELOW else \
            round(style.text_width(translated(edit.strength.title))) + 8

    def paintEvent(self, event: QPaintEvent) -> None:
        with faults.painting(self) as painter:
            middle = HIGH / 2 - 2
            style.fill(painter, QRectF(0, 0, self.width(), HIGH - 4), "raised", 10, "hair")
            style.write(painter, tr("What if"), 16, middle + 4.7, weight=600)
            if self.slider is not None:
                title = edits.find(self.chosen).strength
                if title is not None and self._title():
                    style.write(painter, translated(title.title), self._from, middle + 4.7, "ink-2")
                style.write(painter, self.number(), self.slider.geometry().right() + 8, middle + 4.7, "accent-ink",
                            weight=600, width=NUMBER - 12)
            if not self.pad.isHidden():
                self._write_direction(self.pad.geometry().right() + 10, middle + 4.7)

    def _write_direction(self, x: float, y: float) -> None:
        """Which way it goes, where there is room to say it."""
        said, room = self.pad.said(), self.curves.x() - x - 8
        self.pad.setToolTip(said)
        if style.text_width(said) <= room:
            with faults.painting(self) as painter:
                style.write(painter, said, x, y, "ink")


class Directions(QWidget):
    """Nine small squares, of which one is chosen: the eight directions, and for what has a place its middle."""

    turned = Signal(int, int)
    """(to the right, downwards), each −1, 0 or 1."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.way = 1, 0
        self.middle = False
        self.exact = 1, 0
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        style.name(self, tr("Direction"), tr("Which way; the arrow keys, too"))

    def show_direction(self, right: int, down: int, middle: bool) -> None:
        """Set it, without saying so."""
        far = max(abs(right), abs(down))
        self.exact, self.middle = (right, down), middle
        self.way = (0, 0) if not far else (_sign(right, far), _sign(down, far))
        style.name(self, tr("Direction: {direction}").format(direction=self.said()),
                   tr("Which way; the arrow keys, too"))
        self.update()

    def said(self) -> str:
        """`to the right and down`."""
        if self.middle and self.exact == (0, 0):
            return tr("in the middle")
        return direction(*self.exact)

    def event(self, event) -> bool:  # type: ignore[no-untyped-def]
        return keeps(event, ARROWS) or super().event(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        note_focus(self, event)
        super().focusInEvent(event)

    def keyPressEvent(self, event) -> None:  # type: ignore[no-untyped-def]
        by = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1),
              Qt.Key.Key_Down: (0, 1)}.get(Qt.Key(event.key()))
        if by is None:
            super().keyPressEvent(event)
            return
        across, along = (min(1, max(-1, here + step)) for here, step in zip(self.way, by, strict=True))
        if (across, along) == (0, 0) and not self.middle:
            across, along = by
        self.turned.emit(across, along)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self.width() / 3
        across, along = (int(min(2, max(0, at // cell))) - 1 for at in (event.position().x(), event.position().y()))
        if (across, along) != (0, 0) or self.middle:
            self.turned.emit(across, along)

    def paintEvent(self, event: QPaintEvent) -> None:
        with faults.painting(self) as painter:
            cell = self.width() / 3
            for row in range(3):
                for column in range(3):
                    if (row, column) == (1, 1) and not self.middle:
                        continue
                    place = QRectF(column * cell + 1, row * cell + 1, cell - 2, cell - 2)
                    chosen = self.way == (column - 1, row - 1)
                    style.fill(painter, place, "accent" if chosen else "raised", 2, "" if chosen else "border")


class StrengthSlider(Slider):
    """A press on it begins a step of undo."""

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if isinstance(self.panel, WhatIf):
            self.panel.store.end_gesture()
        super().mousePressEvent(event)


class Field(QLineEdit):
    """Numbers or words behind the name of an edit."""

    def dress(self) -> None:
        """In the colours of the theme."""
        colours = {name: style.color(name).name() for name in ("raised", "ink", "border", "accent")}
        self.setStyleSheet(FIELD.format(**colours))

    def event(self, event: QEvent) -> bool:
        return keeps(event, (Qt.Key.Key_Return, Qt.Key.Key_Enter)) or super().event(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        note_focus(self, event)
        super().focusInEvent(event)


def grain_of(store: Store) -> Grain | None:
    """What the input of the active place is made of; None where it cannot be edited."""
    state = store.state
    if state.in_lab or not door.can_run(state.model):
        return None
    return store.kind.grain(store.card.facts)


def track_of(edit: Edit) -> Track:
    """What its slider moves along."""
    assert edit.strength is not None
    most = edit.strength.curve[-1]
    return Track(edit.name, -most if edit.strength.signed else 0.0, most, edit.strength.step, edit.strength.default)


def _sign(part: int, far: int) -> int:
    """Which of the eight directions is nearest."""
    return 0 if abs(part) * 2.4 < far else 1 if part > 0 else -1


