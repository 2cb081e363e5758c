"""The rail: which model, which input. Narrow windows get icons, and the same choosers as panels beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QPoint, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QFrame, QMenu, QScrollArea, QToolTip, QWidget

from visualizer import answers, door, inputs, lab, registry, sight
from visualizer.edits import said as edits_said
from visualizer.inputs import InputKind
from visualizer.language import tr
from visualizer.scene import numbers
from visualizer.scene import state as does
from visualizer.scene.outline import CELL, STRETCH, Branch, stretches
from visualizer.scene.picture import Focus, Spot
from visualizer.scene.state import State
from visualizer.trace import Sample, Trace
from visualizer.ui import faults, icons, style, words
from visualizer.ui.buttons import ARROWS, PRESS, Button, keeps, note_focus
from visualizer.ui.canvas import Canvas
from visualizer.ui.choices import Choices
from visualizer.ui.commands import keyed
from visualizer.ui.drawing import Pad, Paper
from visualizer.ui.editlist import EditList
from visualizer.ui.heard import Heard, Told, tell_reached, told_stretch
from visualizer.ui.knobs import Knobs, Slider
from visualizer.ui.store import Store
from visualizer.ui.thumbs import THUMB, draw_thumb, input_thumb, sample_words, thumb
from visualizer.ui.walking import same_numbers
from visualizer.ui.writing import LINE, TextField, TextInput

if TYPE_CHECKING:
    from visualizer.ui.training import Training
    from visualizer.ui.trainpanel import TrainPanel

ROW, ROW_PITCH, FOLD = 48, 52, 32
THUMB_PITCH = 47
TEXT_PITCH = 35
"""Of samples that are named in words, one below the other."""
ACROSS = 4
MOST_ROWS, AROUND = 5, 123
"""So many models are listed without scrolling, fewer where the sheet needs the room; and the height of all that stands
above it but them."""
OPERATES = "surgery"
"""The view beside which edits are listed."""
CARRIES_ASIDE = 1280
"""Pixels; a picture that is wider shows within itself what else stands beside the stage."""
Key = Qt.Key


class Rail(QWidget):
    """Model chooser, input chooser, Draw and Open."""

    heard_as = QAccessible.Role.Grouping

    open_wanted = Signal()
    drawn = Signal(object)
    """Ink of the drawing pad, (112, 112) bytes."""
    record_wanted = Signal()
    picture_wanted = Signal()

    def __init__(self, store: Store, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.store = store
        self.narrow = False
        self._filled_for: str | None = None
        """The model whose samples are offered."""
        self.models = ModelList(store, self)
        self.scroller = _scrolled(self.models, self)
        self.open_model = Button(tr("Open a model…"), "", "link", self)
        self.grid = SampleGrid(store)
        self.grid_scroller = _scrolled(self.grid, self)
        self.typed: TextInput | None = None
        self.pad: Pad | None = None
        self.draw_button = Button(tr("Draw"), "pencil", "raised", self)
        self.open_button = Button(tr("Open…"), "folder", "raised", self)
        self.model_button = Button("", "models", "chosen", self)
        self.input_button = ThumbButton(store, self)
        self.draw_icon = Button("", "pencil", "flat", self)
        self.record_button = Button(tr("Record"), "microphone", "raised", self)
        self.record_icon = Button("", "microphone", "flat", self)
        self.camera_button = Button(tr("Camera"), "camera", "raised", self)
        self.camera_icon = Button("", "camera", "flat", self)
        self.open_icon = Button("", "folder", "flat", self)
        self.aside = Aside(store, self)
        self.chosen = ModelRow(lab.NAME, store, self)
        self.chosen.clicked.connect(self._model_menu)
        self.knobs = Knobs(store)
        self.knob_scroller = _scrolled(self.knobs, self)
        self.trainer: TrainPanel | None = None
        """Its knobs stand in place of the choosers while a training is looked at."""
        self.train_scroller: QScrollArea | None = None
        self.edits = EditList(store)
        self.edit_scroller = _scrolled(self.edits, self)
        self.choices = Choices(store, self)
        self.edit_icon = Button("", "options", "flat", self)
        self.panel: QFrame | None = None
        self.model_button.pops = self.chosen.pops = True
        self.setAccessibleName(tr("Network and input"))
        self._name()
        self._connect()
        store.changed.connect(self._changed)
        store.trace_changed.connect(self.refresh)
        store.card_changed.connect(self._learnt)
        self._place()

    def train_with(self, training: Training, run: Callable[[str], None]) -> None:
        """From now on there is somebody who trains; `run` does the command of a name."""
        self.trainer = self._made_trainer(training, run)
        self.train_scroller = _scrolled(self.trainer, self)
        training.changed.connect(self._fit_trainer)
        self._place()

    def _made_trainer(self, training: Training, run: Callable[[str], None]) -> TrainPanel:
        from visualizer.ui.trainpanel import TrainPanel

        made = TrainPanel(training)
        made.wanted.connect(run)
        made.model_wanted.connect(self._model_menu)
        made.input_wanted.connect(lambda: self._show_panel(made.input, SampleGrid))
        self._run = run
        return made

    @property
    def trains(self) -> bool:
        """Whether the knobs of a training stand in place of the choosers."""
        return self.trainer is not None and self.trainer.training.on

    def _fit_trainer(self) -> None:
        """As high as it is now, and seen where it is looked at."""
        if self.trainer is not None and self.train_scroller is not None:
            if self.train_scroller.isHidden() == (self.trains and not self.narrow and not self.drawing):
                self._place()
            elif self.trains and self.trainer.size() != self.trainer.sizeHint():
                self.trainer.resize(self.trainer.sizeHint())

    def set_narrow(self, narrow: bool) -> None:
        """Icons only, or the whole choosers."""
        if narrow != self.narrow:
            self.narrow = narrow
            self.close_panel()
            self._place()

    def toggle_pad(self) -> None:
        """Show the drawing pad in place of the samples, or of what the view shows there, or put it away; nothing where
        no drawing is read."""
        if not self.draws:
            return
        if self.narrow or self.folded:
            self._show_panel(self.draw_icon, Pad) if self.panel is None else self.close_panel()
            return
        if self.pad is None:
            self.pad = self._made_pad(self)
            self.pad.hide()
            self.pad.closed.connect(self.toggle_pad)
        self.pad.setVisible(self.pad.isHidden())
        self._place()
        if self.drawing:
            self.pad.sheet.setFocus(Qt.FocusReason.OtherFocusReason)

    def _made_pad(self, parent: QWidget) -> Pad:
        """A pad with the drawing of the State on it."""
        card = self.store.card
        asks = any(kind.chosen for kind in answers.kinds() if kind.name == card.answers)
        pad = Pad(parent, card.labels if asks else ())
        pad.follow(State(), self.store.state)
        pad.drawn.connect(self.drawn)
        pad.begun.connect(self.store.end_gesture)
        pad.named.connect(lambda label: self.store.update(label=label) if self.store.state.sample == inputs.DRAWN
                          else None)
        self.store.changed.connect(pad.follow)
        return pad

    def unclear(self) -> bool:
        """Take back the clearing of the sheet, if that was done last."""
        pads = [pad for pad in self.window().findChildren(Pad) if pad.isVisible()]
        return any(pad.sheet.unclear() for pad in pads)

    @property
    def experimenting(self) -> bool:
        """Whether the knobs of the laboratory stand in place of the choosers."""
        return self.store.state.in_lab

    @property
    def operating(self) -> bool:
        """Whether the list of edits stands in place of the choosers, and those are icons above it."""
        return self.store.state.view == OPERATES and self.store.trace is not None and not self.experimenting

    @property
    def folded(self) -> bool:
        """Whether the choosers are icons above what the view has in the rail."""
        return self.operating or self.choices.suits

    @property
    def drawing(self) -> bool:
        """Whether the pad stands where the samples were."""
        return self.pad is not None and not self.pad.isHidden()

    def close_panel(self) -> bool:
        """Put away the panel beside the icons; False if there is none."""
        if self.panel is None:
            return False
        self.panel.close()
        self.panel = None
        return True

    def refresh(self) -> None:
        """Place everything anew, and what stands beside the stage in its stead."""
        if self._filled_for is not None and self._filled_for != self.store.state.model:
            self.fill()
        self._place()
        self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._place()

    def showEvent(self, event: QShowEvent) -> None:
        self._place()

    def paintEvent(self, event: QPaintEvent) -> None:
        trains = self.trains and not self.drawing
        if self.narrow or not self.aside.isHidden() or self.experimenting or self.folded or trains:
            return
        with faults.painting(self) as painter:
            style.write(painter, tr("Model"), 16, 28, "ink-2", weight=600)
            top = self._input_top()
            style.write(painter, tr("Input"), 16, top, "ink-2", weight=600)
            if not self.drawing:
                source = tr("type anything") if self.typing else self.grid.source()
                style.write(painter, source, 200, top, "ink-2", size=12, weight=400, anchor="end", width=130)
            if not self.drawing and not self.typing:
                self._write_sample(painter, self.grid_scroller.geometry().bottom() + 24)

    def _write_sample(self, painter: QPainter, baseline: float) -> None:
        """`Digit 2148, labelled 4`, the numbers standing out."""
        words, x = sample_words(self._sample()), 16.0
        if style.text_width(words, weight=600) > 184:  # cut as a whole, so that all of it is said where the mouse rests
            style.write(painter, words, x, baseline, "ink", weight=500, width=184)
            return
        for index, piece in enumerate(words.split(" ")):
            strong = any(letter.isdigit() for letter in piece)
            x += style.write(painter, ("" if index == 0 else " ") + piece, x, baseline, "ink",
                             weight=600 if strong else 500, width=max(1.0, 200 - x))

    def _sample(self) -> Sample:
        trace, name = self.store.trace, self.store.state.sample
        if trace is not None and trace.sample.name == name:
            return trace.sample
        return next((sample for sample in self.grid.samples if sample.name == name), Sample(name))

    @property
    def typing(self) -> bool:
        """Whether the model reads what one types."""
        return inputs.FIELD in self.store.kind.choosers

    @property
    def draws(self) -> bool:
        """Whether the model reads what one draws."""
        return inputs.PAD in self.store.kind.choosers

    @property
    def records(self) -> bool:
        """Whether the model hears what one says."""
        return inputs.MICROPHONE in self.store.kind.choosers

    @property
    def sees(self) -> bool:
        """Whether the model reads what a camera sees."""
        return inputs.CAMERA in self.store.kind.choosers

    def _models_high(self) -> int:
        """Height of the list of models: as many rows as may stand, and as leave room for the pad if one draws."""
        more = ROW // 2 if self.models.count > MOST_ROWS else 0
        rows = min(self.models.count, MOST_ROWS)
        if self.pad is not None and self.drawing:
            room = self.height() - self.pad.sizeHint().height() - AROUND - more
            rows = max(1, min(rows, (room + ROW_PITCH - ROW) // ROW_PITCH))
        return rows * ROW_PITCH - (ROW_PITCH - ROW) + more

    def _input_top(self) -> int:
        return self.open_model.geometry().bottom() + 33

    def _name(self) -> None:
        style.name(self.open_model, tr("Open a model"), keyed(tr("Open your own model or a recording"), "open"))
        style.name(self.draw_button, tr("Draw"), keyed(tr("Draw a digit yourself"), "draw"))
        style.name(self.draw_icon, tr("Draw"), keyed(tr("Draw a digit yourself"), "draw"))
        for button in (self.record_button, self.record_icon):
            tip = tr("Record with the microphone what the network is to hear")
            style.name(button, tr("Record"), keyed(tip, "record"))
        for button in (self.camera_button, self.camera_icon):
            style.name(button, tr("Take a picture"), keyed(tr("A picture from the camera becomes the input"), "camera"))
        style.name(self.open_button, tr("Open"), keyed(tr("Open an image, a model or a recording"), "open"))
        style.name(self.open_icon, tr("Open"), keyed(tr("Open an image, a model or a recording"), "open"))
        style.name(self.model_button, tr("Model"), tr("Choose another model"))
        style.name(self.input_button, tr("Input"), tr("Choose another input"))

    def _connect(self) -> None:
        for button in (self.open_model, self.open_button, self.open_icon):
            button.clicked.connect(self.open_wanted)
        for button in (self.draw_button, self.draw_icon):
            button.clicked.connect(self.toggle_pad)
        for button in (self.record_button, self.record_icon):
            button.clicked.connect(self.record_wanted)
        for button in (self.camera_button, self.camera_icon):
            button.clicked.connect(self.picture_wanted)
        self.model_button.clicked.connect(self._model_menu)
        self.input_button.clicked.connect(lambda: self._show_panel(self.input_button, SampleGrid))
        self.edit_icon.clicked.connect(lambda: self._show_panel(
            self.edit_icon, Choices if self.choices.suits else EditList))

    def _place(self) -> None:
        self.aside.setGeometry(4, 10, self.width() - 8, self.height() - 10)
        self.aside.refresh(self.narrow or self.drawing)
        wide = (self.scroller, self.open_model, self.grid_scroller, self.draw_button, self.open_button)
        here = not self.narrow and self.aside.isHidden()
        trains, operating = here and self.trains and not self.drawing, here and self.folded
        choosing, draws = here and not self.experimenting and not operating and not trains, self.draws
        if self.train_scroller is not None:
            self.train_scroller.setVisible(trains)
        self.edit_scroller.setVisible(here and self.operating)
        self.choices.setVisible(here and self.choices.suits)
        self.edit_icon.setVisible(self.narrow and self.folded)
        if self.choices.suits:
            style.name(self.edit_icon, tr("Choices"), tr("What this view lets you choose"))
        else:
            style.name(self.edit_icon, tr("Edits"), tr("What is done to the network, and what else can be done"))
        for widget in (self.chosen, self.knob_scroller):
            widget.setVisible(here and self.experimenting)
        for widget in wide:
            widget.setVisible(choosing)
        if self.typing and self.typed is None:
            self.typed = TextInput(self.store, self)
            self.typed.grown.connect(self._place)
        if self.typed is not None:
            if not (choosing and self.typing):
                self.typed.field.clearFocus()  # Qt would hand the keyboard to the next button, and Space would press it
            self.typed.setVisible(choosing and self.typing)
        for widget in (self.model_button, self.input_button, self.draw_icon, self.open_icon):
            widget.setVisible(self.narrow or operating)
        if self.narrow and self.experimenting:
            style.name(self.input_button, tr("Knobs"), tr("Turn the knobs of the laboratory"))
        elif self.narrow and self.trains:
            style.name(self.input_button, tr("Knobs"), tr("Turn the knobs of the training"))
        else:
            style.name(self.input_button, tr("Input"), tr("Choose another input"))
        self.draw_icon.setVisible((self.narrow or operating) and draws)
        self.record_icon.setVisible((self.narrow or operating) and self.records)
        self.record_button.setVisible(choosing and self.records)
        self.camera_icon.setVisible((self.narrow or operating) and self.sees)
        self.camera_button.setVisible(choosing and self.sees and not self.drawing)
        if self.pad is not None and (self.narrow or operating or not draws):
            self.pad.hide()
        if self.narrow:
            for widget, y, side in ((self.model_button, 12, 40), (self.input_button, 68, 40),
                                    (self.draw_icon, 120, 40), (self.record_icon, 120, 40),
                                    (self.camera_icon, 120, 40),
                                    (self.open_icon, 160 if draws or self.records or self.sees else 120, 40)):
                widget.setGeometry(8, y, side, side)
            self.edit_icon.setGeometry(8, 208, 40, 40)
            return
        if operating:
            for widget, x in ((self.model_button, 8), (self.input_button, 56), (self.draw_icon, 104),
                              (self.record_icon, 104), (self.camera_icon, 104), (self.open_icon, 152)):
                widget.setGeometry(x, 8, 40, 40)
            self.edit_scroller.setGeometry(8, 56, 206, self.height() - 60)
            self.choices.setGeometry(0, 56, self.width(), self.height() - 60)
            return
        if trains and self.trainer is not None and self.train_scroller is not None:
            self.train_scroller.setGeometry(8, 8, 208, self.height() - 12)
            self.trainer.resize(self.trainer.sizeHint())
            return
        if self.experimenting:
            self.chosen.setGeometry(8, 8, 200, ROW)
            self.knob_scroller.setGeometry(8, 8 + ROW_PITCH + 8, 208, self.height() - ROW_PITCH - 16)
            self.knobs.resize(self.knobs.sizeHint())
            return
        models_high = self._models_high()
        self.scroller.setGeometry(8, 40, 206, models_high)
        self.open_model.setGeometry(22, 40 + models_high + 8, self.open_model.sizeHint().width(), 28)
        top = self._input_top() + 15
        for widget in (self.grid_scroller, self.draw_button, self.open_button):
            widget.setVisible(not self.drawing and self.aside.isHidden())
        self.draw_button.setVisible(self.draw_button.isVisibleTo(self) and draws)
        if self.pad is not None and not self.aside.isHidden():
            self.pad.hide()
        if self.pad is not None and self.drawing:
            self.pad.setGeometry(16, top, 184, self.pad.sizeHint().height())
            return
        below = 38  # the name of the sample stands below the samples; a text stands in its field
        if self.typed is not None and self.typing:
            self.typed.setGeometry(16, top, self.typed.sizeHint().width(), self.typed.sizeHint().height())
            top, below = top + self.typed.height() + 10, 10
        pitch, tall = self.grid.pitch, self.height() >= 900
        room = self.height() - top - below - 40
        most = (12 if tall else 6) if in_words(self.store.kind) else (6 if tall else 3)
        shown = max(1, min(self.grid.rows or 3, most, room // pitch))
        high = shown * pitch - (THUMB_PITCH - THUMB)
        self.grid_scroller.setGeometry(16, top, 198, high)
        self.draw_button.setGeometry(16, top + high + below, 88, 32)
        self.record_button.setGeometry(16, top + high + below, 100, 32)
        self.camera_button.setGeometry(16, top + high + below, 100, 32)
        left = 112 if draws else 124 if self.records or self.sees else 16
        self.open_button.setGeometry(left, top + high + below, 200 - left, 32)
        self.update()

    def _changed(self, old: State, new: State) -> None:
        hidden = self.aside.isHidden()
        if old.view != new.view and self.pad is not None and self.drawing and self.aside.suits(self.narrow):
            self.pad.hide()  # what the view shows here is what it was opened for
        self.aside.refresh(self.narrow or self.drawing)
        if hidden != self.aside.isHidden() or old.view != new.view or old.compare != new.compare:
            self._place()
            self.update()
        if old.model != new.model:
            self._show_model()
        if old.in_lab != new.in_lab:
            self._place()
        if self.experimenting:
            self.knobs.resize(self.knobs.sizeHint())
        self._fit_trainer()
        if (old.sample, old.model, old.view) != (new.sample, new.model, new.view):
            self.update()

    def _show_model(self) -> None:
        """Scroll to the model that is open."""
        row = next((row for row in self.models.rows if row.isChecked()), None)
        if row is not None:
            self.scroller.ensureWidgetVisible(row, 0, ROW // 2)

    def dress(self) -> None:
        """What style sheets have to be told after the theme changed."""
        for area in (self.scroller, self.grid_scroller, self.knob_scroller, self.train_scroller):
            if area is not None:
                area.setStyleSheet(style.scroll_sheet())
        if self.typed is not None:
            self.typed.field.dress()

    def fill(self) -> None:
        """Offer the samples that the model reads. Reading them waits until the window has been seen."""
        self._filled_for = self.store.state.model
        self.grid.show_samples(self.store.samples)
        self._show_model()
        self.refresh()

    def _learnt(self) -> None:
        """What the model at hand reads has come to be known."""
        if self._filled_for is not None:
            self.fill()

    def _model_menu(self) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        folds: dict[str, QMenu] = {}
        for name in models():
            group = model_group(name)
            if group and group not in folds:
                folds[group] = menu.addMenu(group)
            action = folds.get(group, menu).addAction(f"{model_title(name)}   {model_size(name)}")
            action.setCheckable(True)
            action.setChecked(name == self.store.state.model)
            action.triggered.connect(lambda checked=False, name=name: choose_model(self.store, name))
        menu.addSeparator()
        menu.addAction(tr("Open a model…")).triggered.connect(self.open_wanted)
        menu.popup(self.model_button.mapToGlobal(QPoint(self.model_button.width() + 4, 0)))

    def _show_panel(self, beside: QWidget, what: type[QWidget]) -> None:
        """A small sheet beside the icons: the samples, or the drawing pad."""
        self.close_panel()
        around = self.parentWidget() or self  # not the frame: what lies over the panes is scrolled with them
        panel = Panel(around)
        panel.closed.connect(self._panel_closed)
        if what is Pad:
            pad = self._made_pad(panel)
            pad.closed.connect(panel.close)
            pad.done.setText(tr("Done"))
            pad.setGeometry(12, 12, 184, pad.sizeHint().height())
            panel.resize(208, pad.height() + 16)
        elif what is EditList:
            listed = self._joined(EditList(self.store))
            scroller = _scrolled(listed, panel)
            scroller.setGeometry(12, 12, 208, min(listed.sizeHint().height(), around.height() - 140))
            panel.resize(232, scroller.height() + 24)
        elif what is Choices:
            choices = Choices(self.store, panel)
            choices.setGeometry(4, 8, 208, min(560, around.height() - 140))
            panel.resize(216, choices.height() + 16)
        elif self.experimenting:
            knobs = Knobs(self.store)
            knobs.compare_wanted.connect(self.knobs.compare_wanted)
            knobs.sweep_wanted.connect(self.knobs.sweep_wanted)
            scroller = _scrolled(knobs, panel)
            knobs.resize(knobs.sizeHint())
            scroller.setGeometry(12, 12, 208, min(knobs.height(), self.height() - 120))
            panel.resize(232, scroller.height() + 24)
        elif self.trainer is not None and beside is self.input_button and self.trains:
            trainer = self._made_trainer(self.trainer.training, self._run)
            scroller = _scrolled(trainer, panel)
            trainer.resize(trainer.sizeHint())
            scroller.setGeometry(12, 12, 208, min(trainer.height(), self.height() - 90))
            panel.resize(232, scroller.height() + 24)
        else:
            top = 12
            if self.typing:
                typed = TextInput(self.store, panel)
                room = 2 * LINE  # for what is unknown
                typed.setGeometry(12, top, typed.sizeHint().width(), typed.sizeHint().height() + room)
                top += typed.height()
            grid = SampleGrid(self.store)
            grid.show_samples(self.store.samples)
            scroller = _scrolled(grid, panel)
            scroller.setGeometry(12, top, 198, 6 * grid.pitch)
            panel.resize(220, top + 6 * grid.pitch + 12)
        panel.move(beside.mapTo(around, QPoint(beside.width() + 12, 0)))
        panel.show()
        panel.raise_()
        inside = panel.findChildren(QWidget)
        reached = [child for kinds in (Paper | SampleGrid | TextField | Slider | Choices, Button) for child in inside
                   if isinstance(child, kinds)]
        reached[0].setFocus(Qt.FocusReason.OtherFocusReason)
        self.panel = panel

    def _joined(self, listed: EditList) -> EditList:
        """A list of edits that says what it wants as this rail does."""
        listed.said.connect(self.edits.said)
        listed.undo_wanted.connect(self.edits.undo_wanted)
        listed.redo_wanted.connect(self.edits.redo_wanted)
        return listed

    def _panel_closed(self) -> None:
        self.panel = None


class Aside(Canvas):
    """The small picture that a view shows beside the stage, in place of the choosers. Wide pictures carry their own."""

    def __init__(self, store: Store, parent: QWidget) -> None:
        super().__init__(parent)
        self.store = store
        self._drawn: tuple[object, ...] = ()
        self.hide()

    def suits(self, taken: bool) -> bool:
        """Whether the view has such a picture and there is room for it, unless its place is `taken`."""
        seen, state = self.store.sight, self.store.state
        wide = state.look.size[0] >= CARRIES_ASIDE * state.look.text_scale
        return not (self.store.trace is None or seen is None or taken or wide or not self.parentWidget().isVisible()
                    or seen.view.aside is None)

    def refresh(self, taken: bool) -> None:
        """Show the picture if it suits; else hide."""
        trace, seen = self.store.trace, self.store.sight
        if trace is None or seen is None or not self.suits(taken):
            self.hide()
            return
        seen = replace(seen, look=replace(seen.look, size=(self.width(), self.height())))
        if self._drawn != (id(trace), seen):
            self._drawn = id(trace), seen
            self.show_picture(sight.aside(trace, seen))
        self.show()

    def alike(self, focus: Focus) -> tuple[Focus, ...]:
        return (focus,) if self.store.trace is None else same_numbers(self.store.trace, focus)

    def describe(self, spot: Spot) -> str:
        trace, moment = self.store.trace, self.store.moment
        if trace is None or moment is None:
            return ""
        return words.waiting(trace, moment, spot.focus) or words.tip(trace, spot.focus, moment.backward)

    def number_of(self, spot: Spot) -> float | None:
        trace, moment = self.store.near, self.store.moment
        return None if trace is None or moment is None else words.number(trace, moment, spot)


class Panel(QFrame):
    """A sheet over the stage; Esc or its own button puts it away."""

    closed = Signal()

    def paintEvent(self, event: QPaintEvent) -> None:
        with faults.painting(self) as painter:
            painter.fillRect(self.rect(), style.color("window"))
            style.fill(painter, QRectF(self.rect()), "window", 0, "rule")

    def closeEvent(self, event: QEvent) -> None:  # type: ignore[override]
        self.closed.emit()
        self.deleteLater()


class ModelList(QWidget):
    """One row of 48 px a model: its title and how many parameters it has, read from its card. Models of a group are
    folded away below its title; the group of the model that is open is not."""

    heard_as = QAccessible.Role.List

    def __init__(self, store: Store, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(tr("Networks"))
        self.rows = [ModelRow(name, store, self) for name in models()]
        self.folds = {group: FoldRow(group, self) for group in dict.fromkeys(map(model_group, models())) if group}
        for fold in self.folds.values():
            fold.toggled.connect(lambda on: self._place())
        store.changed.connect(self._changed)
        self._changed(None, store.state)

    @property
    def count(self) -> int:
        return len(self.rows)

    def sizeHint(self) -> QSize:
        return QSize(200, max(ROW, self._high))

    def _changed(self, old: State | None, new: State) -> None:
        fold = self.folds.get(model_group(new.model)) if old is None or old.model != new.model else None
        if fold is not None:
            fold.setChecked(True)
        if old is None:
            self._place()

    def _place(self) -> None:
        top, before = 0, ""
        for row in self.rows:
            group = model_group(row.name)
            if group and group != before:
                self.folds[group].setGeometry(0, top, 200, FOLD)
                top += FOLD
            before = group
            row.setVisible(not group or self.folds[group].isChecked())
            if not row.isHidden():
                row.setGeometry(0, top, 200, ROW)
                top += ROW_PITCH
        self._high = top - (ROW_PITCH - ROW)
        self.resize(self.sizeHint())


class FoldRow(Button):
    """The title of a group of models, which opens and closes it."""

    heard_as = QAccessible.Role.Button

    def __init__(self, group: str, parent: QWidget) -> None:
        super().__init__(group, "", "flat", parent)
        self.setCheckable(True)
        style.name(self, tr("Networks: {what}").format(what=group))

    def heard_open(self) -> bool:
        """Whether its models are listed."""
        return self.isChecked()

    def sizeHint(self) -> QSize:
        return QSize(200, FOLD)

    def paintEvent(self, event: QPaintEvent) -> None:
        place = QRectF(self.rect())
        with faults.painting(self) as painter:
            if self.underMouse():
                style.fill(painter, place, "sunk", 8)
            style.write(painter, self.text()[:1].upper() + self.text()[1:], 14, 21, "ink-2", width=152)
            icons.draw(painter, "down" if self.isChecked() else "chevron", QRectF(176, 8, 16, 16), style.color("ink-2"))


class ModelRow(Button):
    """One model."""

    @property
    def heard_as(self) -> QAccessible.Role:
        return QAccessible.Role.ButtonMenu if self.pops else QAccessible.Role.ListItem

    def __init__(self, name: str, store: Store, parent: QWidget) -> None:
        super().__init__(model_title(name), "", "flat", parent)
        self.name, self.store = name, store
        style.name(self, tr("{title}, {size}").format(title=model_title(name), size=model_size(name)))
        self.setCheckable(True)
        self.clicked.connect(lambda: choose_model(store, name))
        store.changed.connect(self._changed)
        self._changed(store.state, store.state)

    def sizeHint(self) -> QSize:
        return QSize(200, ROW)

    def _changed(self, old: State, new: State) -> None:
        self.setChecked(new.model == self.name)
        if old.edits != new.edits:
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        place = QRectF(self.rect())
        with faults.painting(self) as painter:
            if self.isChecked():
                style.fill(painter, place, "tint", 8)
                style.fill(painter, QRectF(0, 14, 3, 20), "accent", 1.5)
            elif self.underMouse():
                style.fill(painter, place, "sunk", 8)
            style.write(painter, self.text(), 14, 20, weight=600 if self.isChecked() else 500, width=180)
            done = edits_said(self.store.state.edits) if self.isChecked() else ""
            style.write(painter, done or model_size(self.name), 14, 38, "ink-2", size=12, weight=400, width=180)


class SampleGrid(QWidget):
    """The bundled inputs as small pictures; one part for the keyboard, arrows move inside it."""

    heard_as = QAccessible.Role.List

    def __init__(self, store: Store, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.store = store
        self.samples: Sequence[Sample] = ()
        self.heard: Heard | None = None
        """Who speaks for its rows, once somebody has asked."""
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setMouseTracking(True)
        style.name(self, tr("Samples"))
        store.changed.connect(self._changed)

    @property
    def rows(self) -> int:
        return -(-len(self.samples) // self.across)

    @property
    def across(self) -> int:
        """Pictures stand four in a row; texts, tables and strips one below the other."""
        return min(self.store.kind.across, ACROSS)

    @property
    def pitch(self) -> int:
        """Pixels from one row to the next."""
        return TEXT_PITCH if in_words(self.store.kind) else THUMB_PITCH

    def show_samples(self, found: Sequence[Sample]) -> None:
        """Offer these."""
        self.samples = found
        self.resize(self.sizeHint())
        self._describe()
        self.update()

    def source(self) -> str:
        """Where the samples come from."""
        return self.store.kind.source() if self.samples else ""

    def sizeHint(self) -> QSize:
        return QSize(ACROSS * THUMB_PITCH, max(1, self.rows) * self.pitch)

    def index(self) -> int:
        """Which of them is the input now; -1 if none."""
        name = self.store.state.sample
        return next((number for number, sample in enumerate(self.samples) if sample.name == name), -1)

    def place_of(self, number: int) -> QRect:
        """Where a sample is drawn."""
        wide = THUMB if self.across > 1 else ACROSS * THUMB_PITCH - (THUMB_PITCH - THUMB)
        return QRect(number % self.across * THUMB_PITCH, number // self.across * self.pitch, wide,
                     self.pitch - (THUMB_PITCH - THUMB))

    def number_at(self, point: QPoint) -> int:
        """The sample under a point; -1 if none."""
        column, row = point.x() // THUMB_PITCH, point.y() // self.pitch
        number = row * self.across + (column if self.across > 1 else 0)
        return number if column < ACROSS and number < len(self.samples) else -1

    def choose(self, number: int) -> None:
        """Make it the input."""
        if 0 <= number < len(self.samples):
            self.store.update(sample=self.samples[number].name)

    # --- what a screen reader hears ---

    def heard_source(self) -> object:
        """The samples."""
        return self.samples

    def heard_parts(self) -> tuple[Branch, ...]:
        """One after the other; of many in stretches."""
        return stretches(tuple(Branch(CELL, self.place_of(number).getRect(), number, said=sample_words(sample),
                                      leads=number) for number, sample in enumerate(self.samples)))

    def heard_told(self, part: Branch) -> Told:
        """What it is called."""
        return told_stretch(self.heard_told, part) if part.what == STRETCH else Told(part.said)

    def heard_place(self, part: Branch) -> QRect:
        """Where it is drawn."""
        return QRectF(*part.place).toRect()

    def heard_chosen(self, part: Branch) -> bool:
        """Whether it is the input now."""
        return part.leads == self.index()

    def heard_reached(self) -> tuple[float, float] | None:
        """The input now."""
        return None if self.index() < 0 else QRectF(self.place_of(self.index())).center().toTuple()  # type: ignore

    def heard_press(self, part: Branch) -> None:
        """It becomes the input."""
        if isinstance(part.leads, int):
            self.choose(part.leads)

    def heard_reach(self, part: Branch) -> None:
        """The same, with the keyboard."""
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        self.heard_press(part)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            number = self.number_at(event.pos())
            QToolTip.showText(event.globalPos(), sample_words(self.samples[number]) if number >= 0 else "", self)
            return True
        return keeps(event, (*ARROWS, *PRESS, Key.Key_Home, Key.Key_End)) or super().event(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        note_focus(self, event)
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        moves = {Key.Key_Left: -1, Key.Key_Right: 1, Key.Key_Up: -self.across, Key.Key_Down: self.across}
        key = Key(event.key())
        if key in moves:
            target = max(self.index(), 0) + moves[key] if self.index() >= 0 else 0
            self.choose(min(max(target, 0), len(self.samples) - 1))
        elif key in (Key.Key_Home, Key.Key_End):
            self.choose(0 if key == Key.Key_Home else len(self.samples) - 1)
        elif key not in PRESS:
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.choose(self.number_at(event.position().toPoint()))

    def paintEvent(self, event: QPaintEvent) -> None:
        chosen = self.index()
        first = max(0, event.rect().top() // self.pitch) * self.across
        last = min(len(self.samples), (event.rect().bottom() // self.pitch + 1) * self.across)
        read, trace = in_words(self.store.kind), self.store.trace
        with faults.painting(self) as painter:
            if not self.samples and trace is not None and (seen := input_thumb(trace, style.theme_name())) is not None:
                wide = QRectF(0, 0, ACROSS * THUMB_PITCH - (THUMB_PITCH - THUMB), THUMB)
                draw_thumb(painter, seen, wide, True)  # none comes with the app: what a file held
            for number in range(first, last):
                place = QRectF(self.place_of(number))
                if not read:
                    draw_thumb(painter, thumb(self.samples[number].name, style.theme_name()), place, number == chosen)
                else:
                    draw_words(painter, self.samples[number], place, number == chosen)

    def _changed(self, old: State, new: State) -> None:
        if old.sample == new.sample:
            return
        self._describe()
        if self.hasFocus():
            tell_reached(self)
        number = self.index()
        scroller = self.parentWidget().parentWidget() if self.parentWidget() else None
        if number >= 0 and isinstance(scroller, QScrollArea):
            place = self.place_of(number)
            scroller.ensureVisible(place.center().x(), place.center().y(), 0, THUMB_PITCH // 2)
        self.update()

    def _describe(self) -> None:
        number = self.index()
        chosen = sample_words(self.samples[number]) if number >= 0 else tr("none of them")
        self.setAccessibleDescription(tr("{n} samples, chosen: {chosen}").format(n=len(self.samples), chosen=chosen))


class ThumbButton(Button):
    """The present input, as a button that offers the others."""

    def __init__(self, store: Store, parent: QWidget) -> None:
        super().__init__("", "", "flat", parent)
        self.store = store
        store.trace_changed.connect(self._show)

    def _show(self, trace: Trace) -> None:
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        trace = self.store.trace
        image = None if trace is None else input_thumb(trace, style.theme_name())
        with faults.painting(self) as painter:
            rail = self.parentWidget()
            if self.store.state.in_lab or (isinstance(rail, Rail) and rail.trains):
                self.draw_ground(painter, QRectF(self.rect()))
                icons.draw(painter, "options", QRectF(self.rect()).adjusted(12, 12, -12, -12), style.color("ink"))
                return
            draw_thumb(painter, image, QRectF(self.rect()).adjusted(1, 1, -1, -1), True)
            if sign := self.store.kind.sign:
                style.write(painter, sign, self.width() / 2, self.height() / 2 + 5.5, size=15, weight=600, mono=True,
                            anchor="middle")


# --- thumbnails and words -------------------------------------------------------------------------------------------

def draw_words(painter: QPainter, sample: Sample, place: QRectF, chosen: bool) -> None:
    """A text that can be read, by its title, framed if it is the input."""
    draw_thumb(painter, None, place, chosen)
    style.write(painter, sample_words(sample), place.x() + 10, place.center().y() + 4.7,
                "accent-ink" if chosen else "ink", weight=600 if chosen else 400, width=place.width() - 20)


def models() -> tuple[str, ...]:
    """What can be opened by name: the bundled networks, and the laboratory."""
    return (*registry.models(), lab.NAME)


def model_title(name: str) -> str:
    """What its card calls it."""
    known = door.card_of(name)
    return name if known is None else known.title


def model_group(name: str) -> str:
    """The experiments that it belongs to, as its card says; empty for a main one."""
    known = door.card_of(name)
    return "" if known is None else known.group


def model_size(name: str) -> str:
    """`22,090 parameters`."""
    if name == lab.NAME:
        return tr("what makes gradients vanish")
    known = door.card_of(name)
    return numbers.parameters(0 if known is None else known.parameters)


def choose_model(store: Store, name: str) -> None:
    """Open a model by name where one stands, with those edits that it takes over."""
    found, known = door.recognise(name), door.card_of(name)
    kept = () if known is None else does.fitting_edits(store.state, known.before, known.kind == store.card.kind)
    store.apply(lambda state: door.open_(found, state, cards=store.card_of, edits=kept).state)


def in_words(kind: InputKind) -> bool:
    """Whether samples of a kind are named in words."""
    return inputs.WORDS in kind.choosers


def _scrolled(widget: QWidget, parent: QWidget) -> QScrollArea:
    """A widget in a frame that scrolls when it must."""
    area = QScrollArea(parent)
    area.setWidget(widget)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setStyleSheet(style.scroll_sheet())
    return area


