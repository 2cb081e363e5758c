"""The window: the frame of the app, and what its commands do that is not a change of State."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QMimeData, QPoint, QRect, QRectF, QSize, Qt, QTimer, Signal  # noqa: TID251 waits
from PySide6.QtGui import (
    QAction,
    QActionGroup,
    QDragEnterEvent,
    QDropEvent,
    QKeyEvent,
    QKeySequence,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu, QMenuBar, QWidget

from visualizer import data, paint
from visualizer import views as all_views
from visualizer.language import tr
from visualizer.registry import NotWritten, write_whole
from visualizer.scene import figures, session
from visualizer.scene import state as does
from visualizer.scene.picture import Focus, Picture
from visualizer.scene.state import State, changed
from visualizer.trace import Refused
from visualizer.ui import style, words
from visualizer.ui.buttons import Button, FocusRing
from visualizer.ui.canvas import Canvas
from visualizer.ui.commands import Command, Context, commands, key_for, keyed
from visualizer.ui.commands.views import turned
from visualizer.ui.inspector import Inspector
from visualizer.ui.keysheet import Blank, KeySheet
from visualizer.ui.levels import out, to_level
from visualizer.ui.page import WALK, looked_at, subject
from visualizer.ui.rail import Rail
from visualizer.ui.shell import BOTTOM, COMPACT_BELOW, INSPECTOR, NARROW, NARROW_BELOW, SMALLEST, TOP, USUAL, WIDE
from visualizer.ui.stage import Stage, own_knobs, suiting
from visualizer.ui.store import Store
from visualizer.ui.topbar import TopBar
from visualizer.ui.transport import Transport
from visualizer.views import View

if TYPE_CHECKING:
    from visualizer.export import Panel
    from visualizer.ui.filming import FilmPanel
    from visualizer.ui.presenter import Presenter

PATIENCE = 200
"""Milliseconds of waiting that pass unseen; only then is the old picture veiled."""
MESSAGE = 40


class Window(QWidget):
    """Top bar, rail, stage, inspector, transport. It fills the shell; by itself it is a window, too."""

    opened = Signal(str)
    """A path that somebody chose or dropped."""
    drawn = Signal(object)
    sweep_wanted = Signal(str)
    """The knob of the laboratory that should go through its range."""
    restore_wanted = Signal()
    """What a crash left behind is to be opened."""
    painted = Signal()
    """Once, after the window was painted for the first time."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self.store = store
        self.setWindowTitle(tr("Visualizer"))
        self.setMinimumSize(SMALLEST)
        self.setAcceptDrops(True)
        self.commands = {command.name: command for command in commands()}
        self.frame = Frame(self)
        self.top = TopBar(self.run, self.frame)
        self.rail = Rail(store, self.frame)
        self.message = Message(self.frame)
        self.stage = Stage(store, self.frame)
        self.inspector = Inspector(store, self.frame)
        self.transport = Transport(store, self.run, self.frame)
        self.transport.steps = lambda: self.stage.picture.steps
        self.transport.stretch = lambda: self.stage.picture.stretch
        self.empty = Empty(self.run, self.frame)
        self.count: Callable[[Callable[[int], None] | None], None] = lambda heard: None
        """The player's clock in whole seconds."""
        self.film_panel: FilmPanel | None = None
        self.drawer_open = False
        self._overlay: QWidget | None = None
        self.panels: list[Panel] = []
        """What was put into the figure that is to be exported, in order."""
        self._trail: list[tuple[str, Focus | None]] = []
        """Numbers that were taken apart on the way to the one that is now: the way back."""
        self._path_shown: tuple[object, ...] = ()
        self._patience = QTimer(self, singleShot=True, interval=PATIENCE)
        self._patience.timeout.connect(self._still_waiting)
        self._alt_alone = False
        self._was_painted = False
        self.bar = QMenuBar(self)
        self.bar.hide()
        self._connect()
        self.show_state(store.state, store.state)
        self.show_trace()
        self.stage.setFocus(Qt.FocusReason.OtherFocusReason)

    # --- what the commands call ---

    def run(self, name: str) -> None:
        """Do the command of that name."""
        self.commands[name].act(self)

    def views(self) -> tuple[View, ...]:
        """The views that have something to show of what is open."""
        trace = self.store.trace
        return () if trace is None else tuple(view for view in all_views.all_views() if view.suits(trace))

    def view(self) -> View:
        """The view that is shown; raises LookupError while nothing is open."""
        if self.store.trace is None:
            raise LookupError("Nothing is open; open a model or a recording.")
        return suiting(self.store.state.view, self.store.trace)

    @property
    def picture(self) -> Picture:
        """What the stage shows."""
        return self.stage.picture

    def say(self, sentence: str, action: str = "", act: Callable[[], None] | None = None) -> None:
        """One sentence in the quiet bar over the stage, and what can be done about it; nothing takes it away again."""
        self.message.show_words(sentence, action, act)
        self._place()

    def choose_file(self) -> None:
        """Ask for a file and open it."""
        path, _ = QFileDialog.getOpenFileName(self, tr("Open"), "", tr(
            "Everything that opens (*.trace *.session *.png *.jpg *.jpeg *.bmp *.gif *.webp *.tif *.svg *.pdf *.apng "
            "*.mp4 *.webm *.txt *.csv *.pt2 *.onnx *.safetensors *.pt *.pth *.py);;All files (*)"))
        if path:
            self.opened.emit(path)

    def save_session(self) -> None:
        """Ask for a name and save the State there."""
        path, _ = QFileDialog.getSaveFileName(self, tr("Save session"), "untitled.session", tr("Session (*.session)"))
        if path:
            trace = None if self.store.waiting else self.store.trace
            self._write(path, lambda target: write_whole(target, session.to_bytes(self.store.state, trace)))

    def export_picture(self) -> None:
        """Show or put away the panel that exports the stage, or the panels that were collected."""
        from visualizer.ui.exporting import ExportPanel  # not before the window is seen

        if isinstance(self._overlay, ExportPanel):
            self._close_overlay()
        elif self.store.trace is not None:
            panel = ExportPanel(self, len(self.panels))
            panel.wanted.connect(lambda choices: self._export(choices.format))
            panel.emptied.connect(self.panels.clear)
            self._show_overlay(panel)

    def _export(self, suffix: str) -> None:
        """Ask for a name and save there."""
        formats = {"png": tr("PNG (*.png)"), "svg": tr("SVG (*.svg)"), "pdf": tr("PDF (*.pdf)")}
        path, _ = QFileDialog.getSaveFileName(self, tr("Export picture"), f"{self._file_name()}.{suffix}",
                                              formats[suffix])
        if path:
            self._close_overlay()
            path = path if Path(path).suffix.lower().lstrip(".") in formats else f"{path}.{suffix}"
            self._write(path, self.export_to)

    def export_to(self, path: Path) -> str:
        """Save what the stage shows, or the figure that was collected, as it was chosen last; the ending of the name
        chooses the format. Returns a sentence if its letters come out too small for paper."""
        from visualizer.ui import exporting

        return exporting.write(path, self.panels or [self._panel()], exporting.remembered())

    @cached_property
    def presenter(self) -> Presenter:
        """What is shown to a room; it comes when it is asked for."""
        from visualizer.ui.presenter import Presenter

        return Presenter(self)

    @property
    def presenting(self) -> bool:
        return "presenter" in vars(self) and self.presenter.on

    @property
    def under_audience(self) -> bool:
        """Whether the audience's picture covers this window, as it does where there is one screen."""
        return self.presenting and self.presenter.alone_on_screen()

    def shown_picture(self) -> Picture:
        """What leaves the app: the picture of the stage, or the audience's while it presents."""
        return self.presenter.exported() if self.presenting else self.stage.picture

    def canvas(self) -> Canvas:
        """What is enlarged: the picture of the stage, or the audience's while it presents."""
        audience = self.presenter.audience if self.presenting else None
        return self.stage if audience is None else audience

    def export_film(self) -> None:
        """Show or put away the panel in which a film is chosen and its progress is seen."""
        if self.film_panel is None:
            from visualizer.ui.filming import FilmPanel  # not before it is asked for

            self.film_panel = FilmPanel(self.store, self.pictured, self)
            self.film_panel.said.connect(self.say)
            self.film_panel.closed.connect(lambda: self.stage.setFocus(Qt.FocusReason.OtherFocusReason))
        if self.under_audience:
            self.presenter.leave()
        self.film_panel.toggle()
        self._place()

    def add_panel(self) -> None:
        """Put what the stage shows into the figure that is exported next."""
        if self.store.trace is None:
            return
        self.panels.append(self._panel())
        said = tr("This is panel {letter} of the figure now; export it with {export}, or take it out again with "
                  "{drop}.")
        self.say(said.format(letter=figures.letter(len(self.panels) - 1), export=key_for("export"),
                             drop=key_for("drop-panel")))

    def drop_panel(self) -> None:
        """Take out of the figure what was put into it last."""
        if self.panels:
            self.panels.pop()
        self.say(tr("The figure has {count} panels.").format(count=len(self.panels)) if self.panels
                 else tr("The figure has no panels; what is exported is what the stage shows."))

    def _panel(self) -> Panel:
        """What the stage shows, as it stands in a figure."""
        from visualizer.export import Panel

        assert self.store.trace is not None
        state = self.pictured()
        return Panel(self.store.trace, changed(state, look=replace(state.look, size=self.stage.picture.size)))

    def _file_name(self) -> str:
        name = f"{Path(self.store.state.model).stem}-{self.store.state.at or 'input'}"
        return "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in name)

    def export_data(self) -> None:
        """Ask for a name and save numbers: the table of the picture, its layer, or the whole recording."""
        trace, moment = self.store.trace, self.store.moment
        if trace is None or moment is None:
            return
        layer = looked_at(trace, moment, self.store.state).layer
        table, one, whole = (tr("Table of this picture"), tr("Every number of {layer}").format(layer=layer),
                             tr("Every number of every layer"))
        kinds = {f"{table} (*.csv)": (".csv", None), f"{table} (*.json)": (".json", None),
                 f"{one} (*.csv)": (".csv", layer), f"{one} (*.json)": (".json", layer),
                 f"{one} (*.npz)": (".npz", layer), f"{whole} (*.npz)": (".npz", None)}
        path, kind = QFileDialog.getSaveFileName(self, tr("Export data"), f"{self._file_name()}.csv", ";;".join(kinds))
        if path:
            suffix, of = kinds.get(kind, (".csv", None))
            given = Path(path).suffix.lower()
            suffix, path = (given, path) if given in (".csv", ".json", ".npz") else (suffix, path + suffix)
            self._write(path, lambda target: write_whole(target, data.to_bytes(suffix, trace, self.stage.picture, of)))

    def pictured(self) -> State:
        """The State as far as the picture depends on it: in the microscope with its number, and no other view's
        knobs; notes stay with the speaker."""
        trace, moment, state = self.store.trace, self.store.moment, self.store.state
        state = replace(state, notes=(), strokes=state.strokes if state.inked else ())
        if trace is None or moment is None:
            return state
        look = replace(state.look, knobs=tuple(sorted(own_knobs(self.view(), state.look))))
        focus = looked_at(trace, moment, state) if state.view == WALK else state.focus
        return changed(state, look=look, focus=focus, view=self.view().name)

    def unclear(self) -> bool:
        """Take back the clearing of the drawing pad, if that was done last."""
        return self.rail.unclear()

    def restore(self) -> None:
        """Ask for what a crash left behind."""
        self.restore_wanted.emit()

    def toggle_pad(self) -> None:
        """Show or put away the drawing pad."""
        if self.under_audience:
            self.presenter.leave()
        self.rail.toggle_pad()

    def sweep(self) -> None:
        """Have the knob that was turned last go through its range."""
        if self.store.state.in_lab:
            self.sweep_wanted.emit(self.rail.knobs.swept)

    def toggle_details(self) -> None:
        """In a narrow window: slide the inspector over the stage, or away."""
        if self.width() < COMPACT_BELOW:
            self.drawer_open = not self.drawer_open
            self._place()

    def toggle_menu_bar(self) -> None:
        """Show or hide the menu bar."""
        self.bar.setVisible(self.bar.isHidden())
        self._lay_out()

    def toggle_keys(self) -> None:
        """Show or hide the key sheet."""
        if isinstance(self._overlay, KeySheet):
            self._close_overlay()
        else:
            self._show_overlay(KeySheet(tuple(self.commands.values()), self,
                                        Context.PRESENTING if self.presenting else Context.WINDOW))

    def blank(self, color: str) -> None:
        """Cover everything with one colour."""
        self._show_overlay(Blank(color, self))

    def covered(self) -> bool:
        """Whether the key sheet or a blank screen lies over everything."""
        return self._overlay is not None

    def uncover(self) -> None:
        """Put away whatever lies over everything."""
        self._close_overlay()

    def one_level_out(self) -> None:
        """What Esc does: put away whatever lies on top, else stop presenting, else go one level up."""
        if self._overlay is not None:
            self._close_overlay()
        elif self.presenting:
            self.presenter.leave()
        elif "presenter" in vars(self) and self.presenter.hide_speaker():
            return
        elif self.rail.panel is not None:
            self.rail.close_panel()
        elif self.film_panel is not None and self.film_panel.isVisible():
            self.film_panel.toggle()
        elif self.message.isVisible():
            self.message.dismiss()
        elif self.drawer_open and self.width() < COMPACT_BELOW:
            self.toggle_details()
        elif not self.stage.leave_parts():
            names = tuple(view.name for view in self.views())
            self.store.apply(lambda state: out(state, names))

    def walk_back(self) -> None:
        """What Backspace does: back to the number that was taken apart before this one, else one level up."""
        if not self._trail or self.store.state.view != WALK:
            self.one_level_out()
            return
        at, focus = self._trail[-1]
        self.store.update(at=at, focus=focus)
        self._trail.pop()

    def next_pane(self) -> None:
        """The keyboard goes to the next of: stage, inspector, transport, rail, top bar."""
        panes = [self.stage, self.inspector, self.transport, self.rail, self.top]
        here = next((number for number, pane in enumerate(panes)
                     if pane is self.focusWidget() or pane.isAncestorOf(self.focusWidget() or self)), -1)
        for by in range(1, len(panes) + 1):
            target = _first_reachable(panes[(here + by) % len(panes)])
            if target is not None:
                target.setFocus(Qt.FocusReason.ShortcutFocusReason)
                return

    # --- what it shows ---

    def show_state(self, old: State, new: State) -> None:
        """Set whatever of the frame follows the State."""
        app = QApplication.instance()
        if isinstance(app, QApplication) and style.theme_name() != new.look.theme:
            style.wear(app, new.look.theme)
            self._dress()
        self._show_path()
        self._watch_waiting()

    def show_trace(self) -> None:
        """Set whatever of the frame follows the recording."""
        trace = self.store.trace
        self.empty.setVisible(trace is None)
        self.stage.setVisible(trace is not None)
        self._show_path()
        self._watch_waiting()
        self._place()

    def _show_path(self) -> None:
        trace, moment = self.store.trace, self.store.moment
        if trace is None or moment is None:
            self._path_shown = ()
            self.top.show_path(())
            self.top.show_views((), "")
            return
        state = self.store.state
        shown = (id(trace), moment.beat, moment.opens, state.focus, state.view)
        if shown == self._path_shown:
            return
        self._path_shown = shown
        self.top.show_path(words.path(trace, looked_at(trace, moment, state)))
        self.top.show_views(self.views(), self.view().name)
        self.setWindowTitle(f"{trace.title or trace.model} – {tr('Visualizer')}")

    def _watch_waiting(self) -> None:
        """Veil the old picture when another recording takes longer than a moment."""
        if not self.store.waiting:
            self._patience.stop()  # or the next recording would be veiled for the wait of this one
            self._veil(False)
        elif not self.stage.veiled and not self._patience.isActive():
            self._patience.start()

    def _still_waiting(self) -> None:
        self._veil(self.store.waiting and self.store.trace is not None)

    def _veil(self, veiled: bool) -> None:
        if self.stage.veiled != veiled:
            self.stage.veiled = veiled
            self.stage.refresh()
            self.stage.update()

    def _keep_trail(self, old: State, new: State) -> None:
        """Remember each number that was left for another one by a click in the microscope."""
        trace = self.store.trace
        if new.view != WALK or old.view != WALK or new.model != old.model or trace is None:
            self._trail.clear()
            return
        left = subject(trace, does.moment_of(old, self.store.timeline), old.focus, whole=True)
        elsewhere = new.focus is not None and new.focus != old.focus and (
            (left.layer, left.part) != (new.focus.layer, new.focus.part) or old.at != new.at)
        if elsewhere and new.focus is not None and (old.at, left) != (new.at, new.focus) \
                and (old.at, left) not in self._trail and (new.at, new.focus) not in self._trail:
            self._trail.append((old.at, left))

    def _select(self, focus: Focus | None) -> None:
        """A crumb was clicked: go to its level."""
        trace = self.store.trace
        if trace is None:
            return
        names = tuple(view.name for view in self.views())
        self.store.apply(lambda state: to_level(state, trace, self.store.timeline, focus, names))

    def _pick(self, focus: Focus | None) -> None:
        """A row of the inspector, or a cell beside the stage, was clicked."""
        if focus is None or self.store.trace is None:
            return
        if self.store.state.view == WALK:
            self.stage.pick(focus)
        else:
            self._select(focus)

    def _light(self, focus: Focus | None) -> None:
        """The same thing lights up wherever it is shown."""
        self.stage.light(focus)
        self.inspector.page.light(focus)
        self.rail.aside.light(focus)

    # --- geometry ---

    def _place(self) -> None:
        """The frame of 1600 x 900, and what gives way in narrower windows."""
        width, height = self.frame.width(), self.frame.height()
        narrow, compact = width < NARROW_BELOW, width < COMPACT_BELOW
        left = NARROW if narrow else WIDE
        middle = height - TOP - BOTTOM
        right = 8 if compact else INSPECTOR
        self.top.setGeometry(0, 0, width, TOP)
        self.top.set_width(narrow, compact)
        self.rail.setGeometry(0, TOP, left, middle)
        self.rail.set_narrow(narrow)
        self.transport.setGeometry(0, height - BOTTOM, width, BOTTOM)
        self.transport.set_compact(compact)
        stage = QRect(left, TOP, width - left - right, middle)
        said = self.message.isVisibleTo(self.frame)
        self.message.setGeometry(left, TOP, stage.width(), MESSAGE - 8)
        if said:
            stage.setTop(TOP + MESSAGE)
        self.stage.setGeometry(stage)
        self.empty.setGeometry(stage)
        drawer = compact and self.drawer_open
        self.inspector.drawer = drawer
        self.inspector.setVisible(not compact or drawer)
        self.inspector.setGeometry(width - INSPECTOR, TOP, INSPECTOR, middle)
        self.inspector.raise_()
        if self.film_panel is not None:
            self.film_panel.place(QRect(0, height - self.frame.height() + self.frame.y() + TOP, width, middle))
        self._lay_overlay()
        if "presenter" in vars(self) and self.presenter.speaker is not None:
            self.presenter.speaker.setGeometry(self.presenter.speaker.parentWidget().rect())

    def sizeHint(self) -> QSize:
        return USUAL

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        """The menu bar along the top while it is shown, the frame below it."""
        high = 0 if self.bar.isHidden() else self.bar.heightForWidth(self.width())
        self.bar.setGeometry(0, 0, self.width(), high)
        self.frame.setGeometry(0, high, self.width(), self.height() - high)
        self._place()

    # --- overlays, menus, events ---

    def _show_overlay(self, overlay: QWidget) -> None:
        self._close_overlay()
        self._overlay = overlay
        if self.under_audience:
            overlay.setParent(self.presenter.audience)
        overlay.closed.connect(self._close_overlay)  # type: ignore[attr-defined]
        self._lay_overlay()
        overlay.show()
        overlay.raise_()
        overlay.activateWindow()
        overlay.setFocus(Qt.FocusReason.OtherFocusReason)

    def _lay_overlay(self) -> None:
        """Over everything; one that knows its own size under the top bar, at the right of the stage; or over the
        audience's picture, where that is what one sees."""
        if self._overlay is None:
            return
        size, below = self._overlay.sizeHint(), self._overlay.parentWidget()
        if not size.isValid():
            self._overlay.setGeometry(below.rect())
            return
        corner = QPoint(below.width() - 16 - size.width(), 16)
        if below is self:
            corner = self.stage.mapTo(self, QPoint(self.stage.width() - 16 - size.width(), 16))
        self._overlay.setGeometry(max(8, corner.x()), corner.y(), size.width(), size.height())

    def _close_overlay(self) -> None:
        overlay, self._overlay = self._overlay, None
        if overlay is not None:
            below: QWidget = self.stage if overlay.parentWidget() is self else overlay.parentWidget()
            overlay.hide()
            overlay.deleteLater()
            below.setFocus(Qt.FocusReason.MouseFocusReason)

    def _dress(self) -> None:
        """What style sheets have to be told after the theme changed."""
        self.rail.dress()
        self.inspector.dress()
        if "presenter" in vars(self) and self.presenter.speaker is not None:
            self.presenter.speaker.dress()

    def _make_menus(self) -> None:
        """One action a command, in the menu bar and in the menu of the mark; its shortcut works in the whole window."""
        self.bar.setFont(style.font(13, 500))
        self.menu = QMenu(self)
        menus: dict[str, QMenu] = {}
        self.actions_by_name: dict[str, QAction] = {}
        for command in self.commands.values():
            if command.menu not in menus:
                menus[command.menu] = self.bar.addMenu(command.menu)
                menus[command.menu].setToolTipsVisible(True)
                self.menu.addMenu(menus[command.menu])
            action = self._action(command)
            menus[command.menu].addAction(action)
            self.addAction(action)
            self.actions_by_name[command.name] = action
        self.options = menus[self.commands["theme"].menu].addMenu(tr("Options of this view"))
        self.options.aboutToShow.connect(lambda: self._fill_options(self.options))

    def _fill_options(self, menu: QMenu) -> None:
        """The knobs of the view, each with its words to choose one from."""
        menu.clear()
        knobs = self.view().knobs if self.store.trace is not None else ()
        knobs = tuple((name, found) for name, found in knobs if len(found) > 1)
        for name, found in knobs:
            menu.addSection(words.knob(name))
            group = QActionGroup(menu)
            chosen = dict(own_knobs(self.view(), self.store.state.look)).get(name, found[0])
            for word in found:
                action = menu.addAction(words.knob_word(name, word))
                action.setCheckable(True)
                action.setChecked(word == chosen)
                group.addAction(action)
                action.triggered.connect(lambda checked=False, name=name, word=word: self.store.apply(
                    lambda state: turned(state, name, word)))
        if not knobs:
            menu.addAction(tr("This view has none")).setEnabled(False)

    def _pop_options(self, at: QPoint) -> None:
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._fill_options(menu)
        menu.popup(at)

    def _action(self, command: Command) -> QAction:
        action = QAction(command.title, self)
        action.setShortcuts([QKeySequence(key) for key in command.keys])
        action.setToolTip(command.tip)
        action.setStatusTip(command.tip)
        action.triggered.connect(lambda checked=False: command.act(self))
        return action

    def _begin(self) -> None:
        """What the first paint does without: menus, shortcuts, the ring of the keyboard."""
        self._make_menus()
        self.ring = FocusRing(self)
        self._order_tabs()
        self.painted.emit()

    def _connect(self) -> None:
        store = self.store
        store.changed.connect(self._keep_trail)
        store.changed.connect(self.show_state)
        store.trace_changed.connect(lambda trace: self.show_trace())
        self.top.view_chosen.connect(lambda name: store.update(view=name))
        self.top.crumb_chosen.connect(self._select)
        self.top.menu_wanted.connect(lambda at: self.menu.popup(at))
        self.top.options_wanted.connect(self._pop_options)
        self.rail.open_wanted.connect(self.choose_file)
        self.rail.drawn.connect(self.drawn)
        self.rail.knobs.compare_wanted.connect(lambda: self.run("pin"))
        self.rail.knobs.sweep_wanted.connect(lambda: self.run("sweep"))
        self.stage.deeper.connect(lambda: self.run("in"))
        self.stage.hovered.connect(self._light)
        self.inspector.hovered.connect(self._light)
        self.inspector.clicked.connect(self._pick)
        self.rail.aside.hovered.connect(self._light)
        self.rail.aside.hovered.connect(self.stage.point)
        self.rail.aside.clicked.connect(self._pick)
        self.message.closed.connect(self._place)

    def _order_tabs(self) -> None:
        order = [self.stage, *_reachable(self.inspector), *_reachable(self.transport), *_reachable(self.rail),
                 *_reachable(self.top)]
        for one, other in pairwise(order):
            QWidget.setTabOrder(one, other)

    def _write(self, path: str, save) -> None:  # type: ignore[no-untyped-def]
        """Save, or say in one sentence why not."""
        try:
            note = save(Path(path))
        except (Refused, LookupError, ValueError, OSError, MemoryError) as error:
            said = tr("{name} was not saved: {why}").format(name=Path(path).name, why=error)
            self.say(str(error) if isinstance(error, NotWritten) else said)
        else:
            said = tr("Saved as {name}.").format(name=Path(path).name)
            self.say(f"{said} {note}" if isinstance(note, str) and note else said)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        self._alt_alone = event.key() == Qt.Key.Key_Alt
        super().keyPressEvent(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Alt and self._alt_alone:
            self.toggle_menu_bar()
        self._alt_alone = False
        super().keyReleaseEvent(event)

    def event(self, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Shortcut, QEvent.Type.WindowDeactivate):
            self._alt_alone = False
        return super().event(event)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if dropped(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = dropped(event.mimeData())
        if path:
            event.acceptProposedAction()
            self.opened.emit(path)

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._was_painted:
            self._was_painted = True
            QTimer.singleShot(0, self, self._begin)

    def leave(self) -> None:
        """Close the window that this one stands in."""
        self.window().close()


class Frame(QWidget):
    """What the parts stand on."""

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        self.owner = window

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.owner._place()


class Message(QWidget):
    """One sentence that says what happened, and a button to put it away. Never a dialog."""

    closed = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.words = ""
        self.act: Callable[[], None] | None = None
        self.action = Button("", "", "link", self)
        self.action.clicked.connect(lambda: self.act() if self.act is not None else None)
        self.action.hide()
        self.close_button = Button("", "cross", "flat", self)
        self.close_button.clicked.connect(self.dismiss)
        style.name(self.close_button, tr("Close this message"))
        self.hide()

    def show_words(self, sentence: str, action: str = "", act: Callable[[], None] | None = None) -> None:
        """Another sentence, and what can be done about it: a word, and what it calls."""
        self.words, self.act = sentence, act
        self.action.setText(action)
        style.name(self.action, action, sentence)
        self.action.setVisible(bool(action))
        self.setAccessibleName(sentence)
        self.setToolTip(sentence)
        self._lay_action()
        self.show()
        self.update()

    def dismiss(self) -> None:
        """Put it away."""
        self.hide()
        self.closed.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self.close_button.setGeometry(self.width() - 36, (self.height() - 28) // 2, 28, 28)
        self._lay_action()

    def _lay_action(self) -> None:
        """Right after the sentence."""
        wide = self.action.sizeHint().width()
        x = min(16 + round(style.text_width(self.words)) + 16, self.width() - 48 - wide)
        self.action.setGeometry(x, (self.height() - 28) // 2, wide, 28)

    def paintEvent(self, event: QPaintEvent) -> None:
        with paint.painting(self) as painter:
            style.fill(painter, QRectF(self.rect()), "sunk", 8)
            style.fill(painter, QRectF(0, 6, 3, self.height() - 12), "accent", 1.5)
            room = self.width() - 60 - (self.action.width() + 16 if self.act is not None else 0)
            style.write(painter, self.words, 16, self.height() / 2 + 4.7, width=room)


class Empty(QWidget):
    """What the stage says while nothing is open: one sentence and two buttons."""

    def __init__(self, run, parent: QWidget) -> None:  # type: ignore[no-untyped-def]
        super().__init__(parent)
        self.open_button = Button(tr("Open…"), "folder", "raised", self)
        self.open_button.clicked.connect(lambda: run("open"))
        self.draw_button = Button(tr("Draw a digit"), "pencil", "raised", self)
        self.draw_button.clicked.connect(lambda: run("draw"))
        style.name(self.open_button, tr("Open"), keyed(tr("Open a model, a recording or an image"), "open"))
        style.name(self.draw_button, tr("Draw a digit"), keyed(tr("Draw the input yourself"), "draw"))

    def resizeEvent(self, event: QResizeEvent) -> None:
        widths = [button.sizeHint().width() + 8 for button in (self.open_button, self.draw_button)]
        x, y = (self.width() - sum(widths) - 12) // 2, self.height() // 2 + 8
        self.open_button.setGeometry(x, y, widths[0], 32)
        self.draw_button.setGeometry(x + widths[0] + 12, y, widths[1], 32)

    def paintEvent(self, event: QPaintEvent) -> None:
        with paint.painting(self) as painter:
            style.fill(painter, QRectF(self.rect()), "stage", 10, "hair")
            style.write(painter, tr("Choose a model on the left, or open one of your own."), self.width() / 2,
                        self.height() / 2 - 20, size=17, weight=500, anchor="middle", width=self.width() - 48)


def dropped(data: QMimeData) -> str:
    """The first local file that is being dropped; empty if there is none."""
    return next((url.toLocalFile() for url in data.urls() if url.isLocalFile()), "")


def _reachable(pane: QWidget) -> list[QWidget]:
    """Everything in a pane that Tab reaches, in the order it stands in, row by row."""
    def place(child: QWidget) -> tuple[int, int]:
        at = child.mapTo(pane, QPoint(0, 0))
        return (-1, -1) if child is pane else (at.y() // 8, at.x())

    return sorted((child for child in (pane, *pane.findChildren(QWidget))
                   if child.focusPolicy() & Qt.FocusPolicy.TabFocus), key=place)


def _first_reachable(pane: QWidget) -> QWidget | None:
    return next((child for child in _reachable(pane) if child.isVisible() and child.isEnabled()), None)
