"""The sheet on which a model file is opened: what was found in it, the questions that it leaves, one button.

It shows a Page and says what was answered; it knows neither files nor the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAccessible, QFocusEvent, QKeyEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QMenu, QPlainTextEdit, QScrollArea, QWidget

from visualizer.language import tr
from visualizer.scene import modelpage
from visualizer.scene.modelpage import (
    ARCHITECTURE,
    CHOICES,
    DONE,
    FILE,
    LABEL,
    MENU,
    OPEN,
    ROWS_OF,
    STEPS,
    WRONG,
    Laid,
    Page,
    Question,
)
from visualizer.scene.picture import Focus, Look, rich
from visualizer.ui import faults, icons, style
from visualizer.ui.buttons import Button, Segment, Segments, note_focus
from visualizer.ui.canvas import Canvas
from visualizer.ui.commands import Command, Context, key_words
from visualizer.ui.cover import tab_round
from visualizer.ui.keysheet import KeySheet
from visualizer.ui.what_if import Field

Key = Qt.Key
TOP, STRIP, FOOT, STATUS = 48, 52, 92, 34
"""Heights of the head of the window, of the steps in a row, of the strip with the button, of the line below it."""
RAIL, FACTS, EDGE, GAP = 216, 280, 24, 24
RAIL_FROM, FACTS_FROM = 1400, 1200
"""Pixels: in narrower windows the steps stand in a row, and the facts come in the place of the list."""
SCROLLS = {Key.Key_PageDown: 240, Key.Key_PageUp: -240}


class ModelSheet(QWidget):
    """Lies over the whole window. Enter opens, Esc cancels."""

    heard_as = QAccessible.Role.Dialog

    closed = Signal()
    wanted = Signal()
    """Run it once and open it; or whatever stands on the button."""
    another = Signal()
    """Another file."""
    answered = Signal(str, object)
    """The name of a question, and the answer: a word, or several."""
    turned = Signal(str, object)
    """What is shown otherwise: a group that is folded, a row that is looked at, a step."""
    proposed_wanted = Signal()
    """What was proposed in the place of what was said."""
    labels_wanted = Signal(str)
    """Labels from elsewhere: `file`, or the name of a list."""

    def __init__(self, page: Page, look: Look, parent: QWidget, lists: Mapping[str, str] | None = None) -> None:
        """`lists`: the names of the lists of labels that can be taken, and what they are called."""
        super().__init__(parent)
        self.page, self.look, self.lists = page, look, lists or {}
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.stages = {step: StepButton(step, self) for step in STEPS}
        for step, button in self.stages.items():
            button.clicked.connect(lambda checked=False, step=step: self.to_step(step))
        self.gives = Canvas(self)
        self.open_other = Button(tr("Another file"), "folder", "raised", self)
        self.open_other.clicked.connect(self.another)
        self.head, self.foot, self.badge = Canvas(self), Canvas(self), Canvas(self)
        self.found, self.asked, self.facts = Column(self), Column(self), Column(self)
        self.columns = self.found, self.asked, self.facts
        for column in self.columns:
            column.canvas.clicked.connect(self._clicked)
        self.run = RunButton(self)
        self.run.clicked.connect(self.go)
        self.cancel = Button(tr("Cancel"), "", "raised", self)
        self.cancel.clicked.connect(self.closed)
        self.controls: dict[str, QWidget] = {}
        """What answers each question, by its name."""
        self._made: dict[str, tuple[object, ...]] = {}
        self.renaming: tuple[int, Field] | None = None
        """The label that gets another name, and the field in which it is typed."""
        self.editor: Editor | None = None
        self.add: Button | None = None
        self._label_buttons = self._make_label_buttons()
        self._dressed = ""
        style.name(self.open_other, tr("Another file"), tr("Open another file in its place"))
        style.name(self.cancel, tr("Cancel"), _keyed(tr("Back to what was looked at; nothing is kept"), "Esc"))
        style.name(self, tr("Open a model file"))
        self.show_page(page)

    def go(self) -> None:
        """What the one button does."""
        does = self.page.does
        if does == modelpage.MEND:
            wrong = [f"line:{number}" for number, line in enumerate(self.page.lines) if line[2]]
            missing = [each.name for each in self.page.questions if each.open and not each.answered and not each.chosen]
            self._focus(self.controls[(wrong or missing)[0]])
        else:
            {modelpage.ANOTHER: self.another, modelpage.PROPOSED: self.proposed_wanted}.get(does, self.wanted).emit()

    # --- what is shown ---

    def show_page(self, page: Page) -> None:
        """Another state of the same page, or another page."""
        before, self.page = self.page, page
        style.name(self, tr("Open {name}").format(name=page.name))
        self.setAccessibleDescription(page.problem or page.busy or "".join(
            run.text for run in rich(page.sentence)))
        if before.name != page.name:
            self._end_editing()
        for step, button in self.stages.items():
            button.show_state(*page.progress.get(step, ("", "")), page.step == step)
        self.run.setText(page.act)
        self.run.setEnabled(page.can)
        style.name(self.run, page.act, _keyed(page.act, "Enter"))
        self.lay()

    @property
    def railed(self) -> bool:
        return self.width() >= RAIL_FROM

    @property
    def fact_shown(self) -> bool:
        """Whether the facts stand in the place of the list."""
        return self.width() < FACTS_FROM and self.page.step in (FILE, OPEN)

    def lay(self) -> None:
        """Put everything where it belongs in a window of this size."""
        if style.theme_name() != self._dressed:
            self._dressed = style.theme_name()
            for column in self.columns:
                column.setStyleSheet(style.scroll_sheet())
            for field in self.findChildren(Field):
                field.dress()
        left = RAIL if self.railed else 8
        right = FACTS if self.width() >= FACTS_FROM else 8
        top = TOP + (0 if self.railed else STRIP)
        bottom = self.height() - STATUS
        self.stage = QRect(left, top, self.width() - left - right, bottom - top)
        self._lay_steps()
        inner = self.stage.adjusted(EDGE, 16, -EDGE, -FOOT)
        head = modelpage.head(self.page, self._look(inner.width(), 40))
        self._set(self.head, head, QRect(inner.x(), inner.y(), inner.width(), head.picture.size[1]))
        self._lay_columns(inner.adjusted(0, head.picture.size[1] + 12, 0, -6))
        self._lay_foot()
        self.update()

    def _look(self, wide: float, high: float = 10) -> Look:
        return replace(self.look, size=(max(40, int(wide)), max(10, int(high))), theme=style.theme_name())

    def _set(self, canvas: Canvas, laid: Laid, place: QRect) -> None:
        canvas.setGeometry(place)
        canvas.show_picture(laid.picture)

    def _lay_steps(self) -> None:
        if self.railed:
            for number, button in enumerate(self.stages.values()):
                button.setGeometry(8, TOP + 36 + 50 * number, RAIL - 16, 46)
            gives = modelpage.about_files(self._look(RAIL - 32))
            y = TOP + 36 + 50 * len(self.stages) + 24
            self.gives.setVisible(y + gives.picture.size[1] + 70 < self.height() - STATUS)
            self._set(self.gives, gives, QRect(16, y, *gives.picture.size))
            y = y + gives.picture.size[1] + 16 if not self.gives.isHidden() else y
            self.open_other.setGeometry(16, y, self.open_other.sizeHint().width(), 32)
            return
        self.gives.hide()
        wide = (self.width() - 16 - self.open_other.sizeHint().width() - 12) / len(self.stages)
        for number, button in enumerate(self.stages.values()):
            button.setGeometry(round(8 + wide * number), TOP, round(wide) - 4, 46)
        size = self.open_other.sizeHint()
        self.open_other.setGeometry(self.width() - 8 - size.width(), TOP + 7, size.width(), 32)

    def _lay_columns(self, inner: QRect) -> None:
        scroll = 12
        first = round((inner.width() - GAP) * 0.52)
        places = {self.found: QRect(inner.x(), inner.y(), first, inner.height()),
                  self.asked: QRect(inner.x() + first + GAP, inner.y(), inner.width() - first - GAP + 8,
                                    inner.height())}
        beside = self.width() >= FACTS_FROM
        self.facts.setVisible(beside or self.fact_shown)
        self.badge.setVisible(not self.facts.isHidden())
        self.found.setVisible(not self.fact_shown)
        places[self.facts] = places[self.found] if not beside else QRect(
            self.stage.right() + 17, TOP + (8 if self.railed else STRIP + 8), FACTS - 24,
            self.height() - STATUS - TOP - (8 if self.railed else STRIP + 8))
        self.rule = places[self.asked].x() - GAP // 2, inner.y(), inner.height()
        found = modelpage.found(self.page, self._look(places[self.found].width() - scroll))
        asked = modelpage.asked(self.page, self._look(places[self.asked].width() - scroll))
        facts = modelpage.facts(self.page, self._look(places[self.facts].width() - scroll,
                                                      places[self.facts].height()))
        for column, laid in ((self.found, found), (self.asked, asked), (self.facts, facts)):
            if column is self.facts:
                place = places[column]
                self._set(self.badge, modelpage.badge(self.page, self._look(place.width() - scroll)),
                          QRect(place.x(), place.bottom() - 60, place.width() - scroll, 56))
                places[column] = place.adjusted(0, 0, 0, -68)
            column.setGeometry(places[column])
            column.show_laid(laid)
        self._place_controls(found, asked)

    def _lay_foot(self) -> None:
        strip = QRect(self.stage.x() + EDGE, self.stage.bottom() + 3 - FOOT, self.stage.width() - 2 * EDGE, FOOT - 10)
        size = self.run.sizeHint()
        self.run.setGeometry(strip.x(), strip.y() + (strip.height() - size.height()) // 2, size.width(), size.height())
        other = self.cancel.sizeHint()
        self.cancel.setGeometry(strip.right() + 1 - other.width(), strip.y() + (strip.height() - 32) // 2,
                                other.width(), 32)
        room = QRect(self.run.geometry().right() + 24, strip.y(),
                     self.cancel.x() - self.run.geometry().right() - 48, strip.height())
        self._set(self.foot, modelpage.foot(self.page, self._look(room.width(), room.height()), 0), room)

    # --- the controls ---

    def _place_controls(self, found: Laid, asked: Laid) -> None:
        """Make those that are needed, keep those that are there, and put away the others."""
        wide = asked.picture.size[0]
        wanted: dict[str, tuple[Column, tuple[object, ...], Callable[[], QWidget]]] = {}
        for question in (modelpage.fitted(each, wide) for each in self.page.questions):
            if question.name in asked.places:
                key: tuple[object, ...] = question.form, question.choices if question.form == CHOICES else ()
                wanted[question.name] = self.asked, key, partial(self._control, question)
        for number in range(len(self.page.lines)):
            wanted[f"line:{number}"] = self.found, ("line",), partial(self._line_field, number)
        if "inputs" in asked.places:
            wanted["inputs"] = self.asked, self.page.inputs, self._tabs
        for name in [name for name in self.controls if name not in wanted or self._made[name] != wanted[name][1]]:
            gone = self.controls.pop(name)
            gone.hide()
            gone.deleteLater()
        for name, (column, key, make) in wanted.items():
            if name not in self.controls:
                self.controls[name], self._made[name] = make(), key
                self.controls[name].setParent(column.canvas)
                self.controls[name].show()
            place = (found if column is self.found else asked).places[name]
            self.controls[name].setGeometry(*(round(each) for each in place))
        self._show_answers()
        self._place_labels(asked)
        self._place_add(found)

    def _show_answers(self) -> None:
        for question in self.page.questions:
            control = self.controls.get(question.name)
            if isinstance(control, Segments):
                control.choose(next((number for number, (word, _) in enumerate(question.choices)
                                     if word == question.chosen), -1))
            elif isinstance(control, MenuButton):
                control.choices, control.chosen = question.choices, question.chosen
                control.setText(dict(question.choices).get(question.chosen, question.chosen))
                style.name(control, f"{question.title}: {control.text()}", question.tip)
            elif isinstance(control, Field) and not control.isModified() and control.text() != question.chosen:
                control.setText(question.chosen)
                control.setCursorPosition(0)
        for number, (words, gives, wrong) in enumerate(self.page.lines):
            field = self.controls[f"line:{number}"]
            assert isinstance(field, Field)
            if not field.isModified() and field.text() != words:
                field.setText(words)
                field.setCursorPosition(0)
            style.name(field, tr("line {number} of the wiring").format(number=number + 1), wrong or gives)
        if isinstance(tabs := self.controls.get("inputs"), Segments):
            tabs.choose(self.page.here)

    def _control(self, question: Question) -> QWidget:
        name = question.name
        if question.form == CHOICES:
            made = Segments([Choice(said) for _, said in question.choices])
            made.setAccessibleName(question.title)
            words = [word for word, _ in question.choices]
            made.chosen.connect(lambda number: self.answered.emit(name, words[number]))
            for button, (_, said) in zip(made.buttons, question.choices, strict=True):
                style.name(button, f"{question.title}: {said}", question.tip or question.title)
            return made
        if question.form == MENU:
            menu = MenuButton()
            menu.picked.connect(lambda word: self.answered.emit(name, word))
            return menu
        field = AnswerField()
        field.dress()
        style.name(field, question.title, question.tip or question.title)
        field.editingFinished.connect(lambda: self._typed(name, field))
        return field

    def _typed(self, name: str, field: Field) -> None:
        if field.isModified():
            field.setModified(False)
            self.answered.emit(name, field.text())

    def _tabs(self) -> QWidget:
        made = Segments([Choice(name) for name in self.page.inputs])
        made.setAccessibleName(tr("Which input"))
        for button, name in zip(made.buttons, self.page.inputs, strict=True):
            style.name(button, tr("input {name}").format(name=name), tr("What is asked of this input"))
        made.chosen.connect(lambda number: self.turned.emit("input", number))
        return made

    # --- the wiring ---

    def _line_field(self, number: int) -> QWidget:
        field = LineField(self.found.canvas)
        field.dress()
        field.setFont(style.font(12, 500, mono=True))
        field.editingFinished.connect(lambda: self._line_typed(number, field))
        field.more.connect(lambda: self._line_added(number + 1))
        return field

    def _line_typed(self, number: int, field: Field) -> None:
        if field.isModified():
            field.setModified(False)
            lines = [line for line, _, _ in self.page.lines]
            lines[number] = field.text().strip()
            self.answered.emit("wiring", tuple(line for line in lines if line))

    def _line_added(self, number: int) -> None:
        """An empty field in the place of a line that is to come."""
        lines = list(self.page.lines)
        lines.insert(number, ("", "", ""))
        for name in [name for name in self.controls if name.startswith("line:")]:
            field = self.controls[name]
            assert isinstance(field, Field)
            field.setModified(False)
        self.show_page(replace(self.page, lines=tuple(lines)))
        self.controls[f"line:{number}"].setFocus(Qt.FocusReason.TabFocusReason)

    def _place_add(self, found: Laid) -> None:
        place = found.places.get("add")
        if place is None:
            if self.add is not None:
                self.add.hide()
            return
        if self.add is None:
            self.add = Button(tr("Add a line"), "", "raised", self.found.canvas)
            self.add.clicked.connect(lambda: self._line_added(len(self.page.lines)))
            style.name(self.add, tr("Add a line"), tr("One more layer at the end of the wiring"))
        self.add.setGeometry(*(round(each) for each in place))
        self.add.show()

    # --- labels ---

    def _make_label_buttons(self) -> tuple[Button, ...]:
        made = []
        for words, tip, act in (
                (tr("Edit"), tr("All labels as lines of a text: type them or paste them"), self.edit_labels),
                (tr("Another list"), tr("Take the labels from a text file, or a list that is known"), self._pop_lists),
                (tr("Numbers only"), tr("No names: the outputs are called by their numbers"),
                 lambda: self.answered.emit("labels", ()))):
            button = Button(words, "", "raised", self.asked.canvas)
            button.clicked.connect(act)
            style.name(button, words, tip)
            made.append(button)
        return tuple(made)

    def _place_labels(self, asked: Laid) -> None:
        place = asked.places.get("labels")
        x = 0
        for button in self._label_buttons:
            button.setVisible(place is not None)
            if place is not None:
                wide = button.sizeHint().width()
                button.setGeometry(x, round(place[1]), wide, 32)
                x += wide + 8
        if self.renaming is not None:
            box = asked.places.get(f"label:{self.renaming[0]}")
            if box is None:
                self._end_renaming()
            else:
                self.renaming[1].setGeometry(*(round(each) for each in box))
        if self.editor is not None:
            self.editor.setGeometry(self.asked.geometry())

    def rename(self, index: int) -> None:
        """Type another name for a label, where it stands."""
        self._end_renaming()
        box = self.asked.laid.places.get(f"label:{index}")
        if box is None:
            return
        field = LabelField(self.asked.canvas)
        field.dress()
        field.setText(self.page.labels[index] if index < len(self.page.labels) else "")
        field.selectAll()
        style.name(field, tr("Name of output {number}").format(number=index),
                   tr("{enter} takes it and goes on to the next, {esc} leaves it").format(
                       enter=key_words("Enter"), esc=key_words("Esc")))
        field.taken.connect(lambda: self._renamed(index, field.text(), True))
        field.left.connect(lambda: self._renamed(index, field.text(), False))
        field.given_up.connect(self._give_up)
        self.renaming = index, field
        field.setGeometry(*(round(each) for each in box))
        field.show()
        field.raise_()
        field.setFocus(Qt.FocusReason.OtherFocusReason)

    def _renamed(self, index: int, words: str, onwards: bool) -> None:
        if self.renaming is None or self.renaming[0] != index:
            return
        self._end_renaming()
        labels = [self.page.labels[place] if place < len(self.page.labels) else ""
                  for place in range(max(self.page.outputs, len(self.page.labels)))]
        if index < len(labels) and labels[index] != words.strip():
            labels[index] = words.strip()
            self.answered.emit("labels", tuple(each or str(place) for place, each in enumerate(labels)))
        if onwards and index + 1 < min(len(labels), modelpage.MOST_CHIPS):
            self.rename(index + 1)
        elif onwards:
            self.setFocus()

    def _give_up(self) -> None:
        self._end_renaming()
        self.setFocus()

    def _end_renaming(self) -> None:
        if self.renaming is not None:
            (_, field), self.renaming = self.renaming, None
            field.hide()
            field.deleteLater()

    def edit_labels(self) -> None:
        """All of them as a text, over the questions."""
        self._end_editing()
        self.editor = Editor(self.page.labels or tuple(map(str, range(self.page.outputs))), self.page.outputs, self)
        self.editor.taken.connect(self._take_labels)
        self.editor.given_up.connect(self._end_editing)
        self.editor.setGeometry(self.asked.geometry())
        self.editor.show()
        self.editor.raise_()
        self.editor.text.setFocus(Qt.FocusReason.OtherFocusReason)

    def _take_labels(self, labels: tuple[str, ...]) -> None:
        self._end_editing()
        self.answered.emit("labels", labels)

    def _end_editing(self) -> None:
        self._end_renaming()
        if self.editor is not None:
            self.editor.hide()
            self.editor.deleteLater()
            self.editor = None
            self.setFocus()

    def _pop_lists(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction(tr("From a text file…")).triggered.connect(lambda: self.labels_wanted.emit("file"))
        for name, title in self.lists.items():
            menu.addAction(title).triggered.connect(lambda checked=False, name=name: self.labels_wanted.emit(name))
        button = self._label_buttons[1]
        menu.popup(button.mapToGlobal(QPoint(0, button.height())))

    # --- where one is ---

    def to_step(self, step: str) -> None:
        """Look at a step; its first question gets the keyboard."""
        self.turned.emit("step", step)
        names = [each.name for each in self.page.questions if each.step == step and each.name in self.controls]
        if step == ARCHITECTURE and self.page.lines:
            names.insert(0, "line:0")
        if step == OPEN:
            self.run.setFocus(Qt.FocusReason.TabFocusReason)
        elif names:
            self._focus(self.controls[names[0]])
        elif step == modelpage.LABELS and self._label_buttons[0].isVisible():
            self._focus(self._label_buttons[0])

    def _focus(self, control: QWidget) -> None:
        if isinstance(control, Segments):
            control = next((button for button in control.buttons if button.isChecked()), control.buttons[0])
        control.setFocus(Qt.FocusReason.TabFocusReason)
        self.reveal(control)

    def reveal(self, control: QWidget) -> None:
        """Scroll to it, where it lies in a column."""
        for column in self.columns:
            if column.canvas.isAncestorOf(control):
                column.ensureWidgetVisible(control, 8, 24)

    def stops(self) -> list[QWidget]:
        """Where Tab goes: the questions, the wiring, the labels, the buttons, the steps."""
        def along(column: Column) -> list[QWidget]:
            inside = [child for child in column.canvas.findChildren(QWidget) if _takes_tab(child)]
            return sorted(inside, key=lambda child: (at := child.mapTo(column.canvas, QPoint(0, 0))).y() * 10_000
                          + at.x())

        others = [self.run, self.cancel, *self.stages.values(), self.open_other]
        return [*along(self.found), *along(self.asked), *(each for each in others if _takes_tab(each))]

    def focusNextPrevChild(self, forwards: bool) -> bool:
        stops = self.editor.stops() if self.editor is not None else [self, *self.stops()]
        tab_round(stops, self.window().focusWidget(), forwards)
        now = self.window().focusWidget()
        if now is not None:
            self.reveal(now)
        return True

    # --- events ---

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Key(event.key())
        if key == Key.Key_Escape:
            self.closed.emit()
        elif key in (Key.Key_Return, Key.Key_Enter):
            if self.run.isEnabled():
                self.go()
        elif key == Key.Key_F1:
            self.show_keys()
        elif key == Key.Key_O and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.another.emit()
        elif key in SCROLLS:
            for column in (self.found, self.asked):
                column.verticalScrollBar().setValue(column.verticalScrollBar().value() + SCROLLS[key])

    def show_keys(self) -> None:
        """What each key does here."""
        sheet = KeySheet(keys(), self, Context.WINDOW)
        sheet.words_button.hide()
        sheet.closed.connect(sheet.deleteLater)
        sheet.closed.connect(self.setFocus)
        sheet.words_wanted.connect(sheet.closed)
        sheet.setGeometry(self.rect())
        sheet.show()
        sheet.raise_()
        sheet.setFocus()

    def focusInEvent(self, event: QFocusEvent) -> None:
        note_focus(self, event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.lay()

    def _clicked(self, focus: object) -> None:
        if self.renaming is not None:
            self._renamed(self.renaming[0], self.renaming[1].text(), False)
        if not isinstance(focus, Focus):
            self.setFocus()
        elif focus.array == ROWS_OF:
            self.turned.emit("row", focus.cell[0])
        elif focus.array == LABEL:
            self.rename(focus.cell[0])

    def paintEvent(self, event: QPaintEvent) -> None:
        with faults.painting(self) as painter:
            painter.fillRect(self.rect(), style.color("window"))
            self._draw_head(painter)
            style.fill(painter, QRectF(self.stage), "stage", 10, "hair")
            x, y, high = self.rule
            painter.fillRect(QRectF(x, y, 1, high), style.color("hair"))
            y = self.stage.bottom() + 1 - FOOT
            painter.fillRect(QRectF(self.stage.x() + 1, y, self.stage.width() - 2, 1), style.color("hair"))
            self._draw_status(painter)

    def _draw_head(self, painter: QPainter) -> None:
        """Where one is."""
        icons.draw_mark(painter, QRectF(17, 14, 20, 20), style.color("accent"), style.color("accent-fill"))
        x = 46.0 + style.write(painter, tr("Visualizer"), 46, 30, size=15, weight=600) + 30
        if self.railed:
            x = float(self.stage.x()) + 16
            style.write(painter, tr("Opening a file"), 16, TOP + 24, "ink-2", weight=600)
        for words, token, weight in ((tr("Open"), "ink-2", 500), (self.page.name, "ink-2", 500),
                                     (tr("input and labels"), "ink", 600)):
            if token == "ink-2" or x < self.width() - 160:
                x += style.write(painter, words, x, 29, token, weight=weight, width=max(40, self.width() - x - 40)) + 10
            if token == "ink-2":
                icons.draw(painter, "chevron", QRectF(x, 18, 12, 12), style.color("rule"))
                x += 22

    def _draw_status(self, painter: QPainter) -> None:
        y = self.height() - 12
        style.write(painter, tr("Not opened yet"), 16, y, "ink-2", size=12)
        number = STEPS.index(self.page.step) + 1 if self.page.step in STEPS else 0
        if number:
            title = step_title(self.page.step)
            style.write(painter, tr("{title}: step {number} of {count}").format(
                title=title, number=number, count=len(STEPS)), max(self.stage.x() + 16, 150), y, "ink-2", size=12)
        said = tr("{enter} opens · {esc} cancels · {tab} next question · {keys} keys").format(
            enter=key_words("Enter"), esc=key_words("Esc"), tab=key_words("Tab"), keys=key_words("F1"))
        style.write(painter, said, self.width() - 16, y, "ink-2", size=12, anchor="end", width=self.width() - 340)


def keys() -> tuple[Command, ...]:
    """What each key does on the sheet."""
    return tuple(Command(name, title, names, "", lambda desk: None, menu=tr("Open a model file"))
                 for name, title, names in (
        ("go", tr("Run it once and open"), ("Return",)), ("cancel", tr("Cancel, back to where one was"), ("Esc",)),
        ("next", tr("Next question"), ("Tab",)), ("previous", tr("Previous question"), ("Shift+Tab",)),
        ("choose", tr("Another choice of a row"), ("Left", "Right")), ("press", tr("Press a button"), ("Space",)),
        ("scroll", tr("Scroll"), ("PgDown", "PgUp")), ("another", tr("Another file"), ("Ctrl+O",))))


def _keyed(words: str, key: str) -> str:
    return f"{words} ({key_words(key)})"


def step_title(step: str) -> str:
    """What a step is called."""
    return {FILE: tr("File"), ARCHITECTURE: tr("Architecture"), modelpage.INPUT: tr("Input"),
            modelpage.LABELS: tr("Labels"), OPEN: tr("Open")}[step]


def _takes_tab(widget: QWidget) -> bool:
    return bool(widget.isVisible() and widget.isEnabled() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus)


class Column(QScrollArea):
    """A part of the page that scrolls by itself."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.canvas = Canvas()
        self.setWidget(self.canvas)
        self.laid = Laid(self.canvas.picture)

    def show_laid(self, laid: Laid) -> None:
        """Another state of it, at the same height."""
        self.laid = laid
        self.canvas.resize(*laid.picture.size)
        self.canvas.show_picture(laid.picture)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        event.ignore()  # the sheet scrolls


class Choice(Segment):
    """One choice of an answer. Enter is left to the sheet: it opens."""

    def sizeHint(self) -> QSize:
        return QSize(round(style.text_width(self.text(), weight=600) + 0.5) + modelpage.PADDING, 32)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Key.Key_Return, Key.Key_Enter):
            event.ignore()
        else:
            super().keyPressEvent(event)


class MenuButton(Button):
    """One of many: the one that is chosen, and a menu of all."""

    picked = Signal(str)

    def __init__(self) -> None:
        super().__init__("", "down", "raised")
        self.pops = True
        self.choices: tuple[tuple[str, str], ...] = ()
        self.chosen = ""
        self.clicked.connect(self.pop)

    def pop(self) -> None:
        """Show all."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for word, said in self.choices:
            action = menu.addAction(said)
            action.setCheckable(True)
            action.setChecked(word == self.chosen)
            action.triggered.connect(lambda checked=False, word=word: self.picked.emit(word))
        menu.popup(self.mapToGlobal(QPoint(0, self.height())))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Key.Key_Return, Key.Key_Enter):
            event.ignore()
        elif event.key() in (Key.Key_Down, Key.Key_Up):
            self.pop()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        place = QRectF(self.rect()).adjusted(0, 2, 0, -2)
        with faults.painting(self) as painter:
            lit = self.underMouse() or self.isDown()
            style.fill(painter, place, "sunk" if lit else "raised", 8, "rule")
            style.write(painter, self.text(), 14, place.center().y() + 4.7, weight=600, width=place.width() - 44)
            icons.draw(painter, "down", QRectF(place.right() - 26, place.center().y() - 7, 14, 14),
                       style.color("ink-2"))


class StepButton(Button):
    """One of the five steps, and how far one has come with it."""

    def __init__(self, step: str, parent: QWidget) -> None:
        super().__init__(step_title(step), "", "flat", parent)
        self.step = step
        self.state, self.line, self.here = "", "", False

    def show_state(self, state: str, line: str, here: bool) -> None:
        """How far one has come, in a few words, and whether one is there."""
        self.state, self.line, self.here = state, line, here
        style.name(self, f"{self.text()}, {line}", tr("Go to this step"))
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        place = QRectF(self.rect())
        with faults.painting(self) as painter:
            if self.here:
                style.fill(painter, place, "tint", 8)
                style.fill(painter, QRectF(0, 14, 3, place.height() - 28), "accent", 1.5)
            else:
                self.draw_ground(painter, place)
            ring = QRectF(12, place.center().y() - 8, 16, 16)
            if self.state == DONE:
                style.fill(painter, ring, "accent", 8)
                icons.draw(painter, "tick", ring.adjusted(3, 3, -3, -3), style.color("stage"), 2)
            elif self.state == WRONG:
                style.fill(painter, ring, "negative-bar", 8)
                icons.draw(painter, "cross", ring.adjusted(4, 4, -4, -4), style.color("stage"), 2)
            else:
                style.fill(painter, ring, "stage", 8, "accent" if self.state == modelpage.ASKED else "rule")
                if self.state == modelpage.ASKED:
                    style.fill(painter, ring.adjusted(5, 5, -5, -5), "accent", 4)
            room = place.width() - 44
            style.write(painter, self.text(), 38, 19, weight=600 if self.here else 500, width=room)
            style.write(painter, self.line, 38, 36, "ink-2", size=12, weight=400, width=room)


class RunButton(Button):
    """The only filled one."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("", "play", "primary", parent, 15, 600)

    def sizeHint(self) -> QSize:
        return QSize(round(style.text_width(self.text(), 15, 600)) + 72, 56)

    def paintEvent(self, event: QPaintEvent) -> None:
        place = QRectF(self.rect())
        with faults.painting(self) as painter:
            on = self.isEnabled()
            style.fill(painter, place, "sunk" if not on else "accent" if self.underMouse() else "accent-fill", 8)
            token = "on-accent" if on else "ink-2"
            icons.draw(painter, "play", QRectF(22, 21, 14, 14), style.color(token))
            style.write(painter, self.text(), 46, 33, token, size=15, weight=600)


class AnswerField(Field):
    """An answer that is typed. Enter takes it; where nothing was typed it is left to the sheet."""

    def keyPressEvent(self, event: QKeyEvent) -> None:
        changed = self.isModified()
        super().keyPressEvent(event)
        if event.key() in (Key.Key_Return, Key.Key_Enter):
            event.setAccepted(changed)


class LineField(Field):
    """A line of a wiring; Enter takes it, and where nothing was typed it makes another one after it."""

    more = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        changed = self.isModified()
        super().keyPressEvent(event)
        if event.key() in (Key.Key_Return, Key.Key_Enter):
            if not changed:
                self.more.emit()
            event.accept()


class LabelField(Field):
    """A label that gets another name."""

    taken = Signal()
    left = Signal()
    given_up = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Key.Key_Return, Key.Key_Enter):
            self.taken.emit()
        elif event.key() == Key.Key_Escape:
            self.given_up.emit()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        if event.reason() is not Qt.FocusReason.PopupFocusReason:
            self.left.emit()


class Editor(QWidget):
    """All labels as lines of a text."""

    taken = Signal(object)
    given_up = Signal()

    def __init__(self, labels: tuple[str, ...], outputs: int, parent: QWidget) -> None:
        super().__init__(parent)
        self.outputs = outputs
        self.text = QPlainTextEdit(self)
        self.text.setPlainText("\n".join(labels))
        self.text.setTabChangesFocus(True)
        self.text.setFont(style.font(13, 500))
        self.text.setFrameShape(QFrame.Shape.NoFrame)
        self.text.setStyleSheet(style.scroll_sheet() + f"QPlainTextEdit {{ background: {style.color('sunk').name()}; "
                                f"color: {style.color('ink').name()}; border-radius: 8px; padding: 6px; }}")
        self.text.textChanged.connect(self.update)
        self.take = Button(tr("Take these"), "tick", "raised", self)
        self.leave = Button(tr("Leave as they were"), "", "flat", self)
        self.take.clicked.connect(lambda: self.taken.emit(self.labels()))
        self.leave.clicked.connect(self.given_up)
        style.name(self.text, tr("Labels, one a line"), tr("The first line names output 0"))
        style.name(self.take, tr("Take these"), tr("These are the labels from now on"))
        style.name(self.leave, tr("Leave as they were"), _keyed(tr("Put this text away"), "Esc"))

    def labels(self) -> tuple[str, ...]:
        """Those that stand there."""
        return tuple(line.strip() for line in self.text.toPlainText().splitlines() if line.strip())

    def stops(self) -> list[QWidget]:
        """Where Tab goes while it is open."""
        return [self.text, self.take, self.leave]

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.text.setGeometry(0, 56, self.width() - 12, max(60, self.height() - 104))
        self.take.setGeometry(0, self.height() - 40, self.take.sizeHint().width() + 8, 32)
        self.leave.setGeometry(self.take.geometry().right() + 9, self.height() - 40, self.leave.sizeHint().width(), 32)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Key.Key_Escape:
            self.given_up.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        with faults.painting(self) as painter:
            painter.fillRect(self.rect(), style.color("stage"))
            style.write(painter, tr("Labels, one a line"), 0, 16, size=14, weight=600)
            count = len(self.labels())
            wrong = self.outputs and count != self.outputs
            style.write(painter, tr("{count} lines for {outputs} outputs").format(count=count, outputs=self.outputs),
                        0, 40, "negative-text" if wrong else "ink-2", size=12, width=self.width())

