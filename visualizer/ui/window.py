"""The window: the panes and whatever lies over them, joined; it is the desk that the commands act on."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QMimeData, QSize, Qt, QTimer, Signal  # noqa: TID251 waits for the end of a paint
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeyEvent, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QInputDialog, QLineEdit, QPlainTextEdit, QWidget
from shiboken6 import isValid

from visualizer import sight, start
from visualizer.inputs.image import SUFFIXES
from visualizer.language import tr
from visualizer.scene import state as does
from visualizer.scene.picture import Picture, Text
from visualizer.scene.recipe import is_of_update
from visualizer.scene.state import State
from visualizer.ui import scale, style, system
from visualizer.ui.buttons import Button, FocusRing
from visualizer.ui.canvas import Canvas
from visualizer.ui.commands import commands, key_for
from visualizer.ui.commands.inputs import why_no_inputs
from visualizer.ui.cover import Cover
from visualizer.ui.heard import speak
from visualizer.ui.levels import at_top, block_closed, out
from visualizer.ui.menus import Menus
from visualizer.ui.panes import Panes
from visualizer.ui.patience import Patience
from visualizer.ui.saving import pictured
from visualizer.ui.shell import SMALLEST, USUAL
from visualizer.ui.store import Store
from visualizer.ui.trail import Trail
from visualizer.views import View

if TYPE_CHECKING:
    from visualizer.engine.client import Engine
    from visualizer.export import Panel
    from visualizer.scene.modelpage import Page
    from visualizer.start import StartCard
    from visualizer.ui.asking import Asking
    from visualizer.ui.filming import FilmPanel, Job
    from visualizer.ui.first import Clock, FirstMinute, Tries
    from visualizer.ui.lessonkeys import LessonKeys
    from visualizer.ui.lessonwriting import LessonWriting
    from visualizer.ui.presenter import Presenter
    from visualizer.ui.sounding import Sounding
    from visualizer.ui.teaching import Teaching
    from visualizer.ui.tones import Tones
    from visualizer.ui.training import Training


class Window(QWidget):
    """It fills the shell; by itself it is a window, too."""

    opened = Signal(str)
    """A path that somebody chose or dropped."""
    drawn = Signal(object)
    sweep_wanted = Signal(str)
    """The knob of the laboratory that should go through its range."""
    scale_chosen = Signal()
    """How large everything is to be drawn was chosen."""
    restore_wanted = Signal()
    """What a crash left behind is to be opened."""
    telling_wanted = Signal()
    """What was said of the model file at hand is to be edited."""
    painted = Signal()
    """Once, after the window was painted for the first time."""

    def __init__(self, store: Store) -> None:
        speak()  # before anything is there that somebody could ask about
        super().__init__()
        self.store = store
        self.setWindowTitle(tr("Visualizer"))
        self.setMinimumSize(SMALLEST)
        self.setAcceptDrops(True)
        self.commands = {command.name: command for command in commands()}
        self.panes = Panes(store, self.run, self)
        self.top, self.rail, self.message = self.panes.top, self.panes.rail, self.panes.message
        self.stage, self.inspector, self.transport = self.panes.stage, self.panes.inspector, self.panes.transport
        self.cover = Cover(self, self.stage, self._seen)
        self.menus = Menus(store, self.commands.values(), self.run, self.open_path, self)
        self.trail = Trail(store, self)
        self.stage.opened_in = lambda: self.trail.opened_in
        self.patience = Patience(store, self.stage, self)
        self.panels: list[Panel] = []
        """What was put into the figure that is to be exported, in order."""
        self.training: Training | None = None
        """What has a network trained, once the engine is there."""
        self.count: Callable[[Callable[[int], None] | None], None] = lambda heard: None
        """The player's clock in whole seconds."""
        self.engine: Engine | None = None
        """Who records what the cards of the start screen show, once it runs."""
        self.clock: Clock | None = None
        """The player, for what happens after a while."""
        self.asked = system.NOTHING
        """What the person has asked the whole system for."""
        self._alt_alone = False
        self._was_painted = False
        self._said_of_lesson = ""
        self.was_looked_at = False
        """Whether anything but the start screen has been seen."""
        self.panes.placed.connect(self._lay_over)
        self.rail.drawn.connect(self.drawn)
        self.rail.record_wanted.connect(lambda: self.sounding.record())
        self.rail.picture_wanted.connect(self.take_picture)
        self.top.menu_wanted.connect(self.menus.pop)
        self.top.options_wanted.connect(self.menus.pop_options)
        self.top.export_wanted.connect(self.menus.pop_exports)
        store.changed.connect(self.show_state)
        store.trace_changed.connect(self.show_trace)
        self.show_state(store.state, store.state)
        self.show_trace()
        self.patience.watch()
        self.take_keyboard()

    # --- what the commands use ---

    def run(self, name: str) -> None:
        """Do the command of that name."""
        if not self.starting or self.commands[name].starts:
            self.commands[name].act(self)

    def views(self) -> tuple[View, ...]:
        """The views that have something to show of what is open."""
        trace = self.store.trace
        return () if trace is None else sight.suited(trace)

    def view(self) -> View:
        """The view that is shown; raises LookupError while nothing is open."""
        if self.store.trace is None:
            raise LookupError(tr("Nothing is open; open a model or a recording."))
        return sight.suiting(self.store.state.view, self.store.trace)

    @property
    def picture(self) -> Picture:
        """What the stage shows; on the way from one input to the next the one that is reached."""
        return self.stage.standing

    def pictures_seen(self) -> list[tuple[str, Picture]]:
        """Every picture on the screen, with what it is called."""
        beside = () if self.presenting or not self.inspector.isVisible() else (
            (tr("Details"), self.inspector.page.picture),)
        return [(tr("Picture"), self.shown_picture()), *beside]

    def words_seen(self) -> str:
        """All words that stand on the screen."""
        pictures = (self.shown_picture(), self.inspector.page.picture) if not self.starting else ()
        said = ["".join(run.text for run in mark.runs) for picture in pictures for mark in picture
                if isinstance(mark, Text)]
        buttons = [button.text() for button in self.findChildren(Button) if button.isVisible()]
        cards = [button.card.line for button in self.panes.start.page.cards] if self.starting else []
        return " ¦ ".join((*said, *buttons, *cards))

    def shown_picture(self) -> Picture:
        """What leaves the app: the picture of the stage, or the audience's while it presents."""
        return self.presenter.exported() if self.presenting else self.picture

    def canvas(self) -> Canvas:
        """What is enlarged: the picture of the stage, or the audience's while it presents."""
        audience = self.presenter.audience if self.presenting else None
        return self.stage if audience is None else audience

    def choose(self, what: str, choice: str) -> None:
        """From now on `motion` or `contrast` is as somebody chose, `always`, `never` or as the `system` asks."""
        system.choose(what, choice)
        self.heed(self.asked)

    def rescale(self, by: int = 0, chosen: str | float = scale.SYSTEM) -> None:
        """Everything a step larger or smaller, or as was chosen, from the next start on."""
        if by:
            at = scale.SCALES.index(scale.wanted()) + by
            chosen = scale.SCALES[min(max(at, 0), len(scale.SCALES) - 1)]
        scale.choose(chosen)
        self.scale_chosen.emit()

    def heed(self, asked: system.Wishes) -> None:
        """Do what the system asks for, where nobody chose anything else."""
        self.asked = asked
        self.store.apply(lambda state: system.heeded(state, asked), undoable=False)

    def say(self, sentence: str, action: str = "", act: Callable[[], None] | None = None) -> None:
        """One sentence over the foot of the stage, and what can be done about it."""
        self.panes.say(sentence, action, act)

    def say_slow(self, sentence: str, stop: Callable[[], None] | None) -> None:
        """One sentence about what takes long, with a button that ends it; an empty one puts that away."""
        if sentence:
            self.say(sentence, tr("Stop"), stop)
        elif self.message.action.text() == tr("Stop"):
            self.message.dismiss()

    def unsay(self) -> None:
        """Nothing to say any more."""
        self.message.dismiss()

    def ask_for_file(self, title: str, kinds: str) -> str:
        """A file to read, as the person chooses it; empty for none."""
        return QFileDialog.getOpenFileName(self, title, "", kinds)[0]

    def ask_for_folder(self, title: str) -> str:
        """A folder, as the person chooses it; empty for none."""
        return QFileDialog.getExistingDirectory(self, title)

    def ask_for_words(self, title: str, said: str, words: str) -> str:
        """A line that a person types, `words` to begin with; empty for none."""
        typed, wanted = QInputDialog.getText(self, title, said, text=words)
        return typed.strip() if wanted else ""

    def ask_for_name(self, title: str, name: str, kinds: str) -> tuple[str, str]:
        """A file to write, and which of the kinds; empty for none."""
        return QFileDialog.getSaveFileName(self, title, name, kinds)

    def choose_inputs(self) -> None:
        """Offer which inputs are stepped through, over the track on which they lie."""
        if self.store.takes_inputs:
            self.menus.pop_inputs(self.transport.inputs.corner())
        else:
            self.say(why_no_inputs(self.store.takes_inputs))

    def open_path(self, path: str) -> None:
        """Have a file opened, whatever it is; what was said of the one before is said no more."""
        self.unsay()
        self.go_astray()
        self.opened.emit(path)

    def restore(self) -> None:
        """Have opened what a crash left behind."""
        self.restore_wanted.emit()

    def tell(self) -> None:
        """Have the sheet brought back on which one says what the model file at hand does not say of itself."""
        self.telling_wanted.emit()

    def show_opening(self, page: Page, asking: Asking) -> None:
        """The sheet of a model file, over whatever is seen; it comes when it is first shown."""
        from visualizer.ui.asking import lists
        from visualizer.ui.modelsheet import ModelSheet

        if isinstance(self.cover.shown, ModelSheet):
            self.cover.shown.show_page(page)
            return
        started = self.starting

        def made(below: QWidget) -> ModelSheet:
            sheet = ModelSheet(page, self.store.state.look, below, lists())
            sheet.answered.connect(asking.answer)
            sheet.turned.connect(asking.turn)
            sheet.wanted.connect(asking.go)
            sheet.proposed_wanted.connect(asking.take_proposed)
            sheet.another.connect(lambda: self.commands["open"].act(self))
            sheet.labels_wanted.connect(lambda word: self._take_labels(asking, word))
            sheet.closed.connect(asking.cancel)
            sheet.closed.connect(lambda: self.go_to_start() if started else None)
            return sheet

        self.come_forward()
        self.unsay()
        self.cover.show(made)

    def hide_opening(self) -> None:
        """Away with it."""
        from visualizer.ui.modelsheet import ModelSheet

        if isinstance(self.cover.shown, ModelSheet):
            self.cover.close()

    def _take_labels(self, asking: Asking, word: str) -> None:
        if word != "file":
            asking.take_labels(word)
        elif path := self.ask_for_file(tr("A file with one label a line"), tr("All files (*)")):
            asking.take_labels(path)

    def sweep(self) -> None:
        """Have the knob that was turned last go through its range."""
        if self.store.state.in_lab:
            self.sweep_wanted.emit(self.rail.knobs.swept)

    def toggle_pad(self) -> None:
        """Show or put away the drawing pad."""
        self.come_forward()
        self.leave_start()
        self.rail.toggle_pad()

    def unclear(self) -> bool:
        """Take back the clearing of the drawing pad, if that was done last."""
        return self.rail.unclear()

    def toggle_menu_bar(self) -> None:
        """Show or hide the menu bar."""
        self.menus.bar.setVisible(self.menus.bar.isHidden())
        self._lay_out()

    # --- the start screen ---

    @property
    def starting(self) -> bool:
        """Whether the start screen is shown."""
        return self.panes.starting

    def go_to_start(self) -> None:
        """Show the start screen; what is looked at stays as it is."""
        if self.starting:
            self.panes.start.search("")
            self.top.field.clear()
            self.panes.start.take_keyboard()
            return
        self.come_forward()
        self._unsay_of_lesson()
        self.store.update(playing=False, undoable=False)
        trace = self.store.trace
        self._show_start(True, "" if trace is None or not self.was_looked_at else trace.title or trace.model)
        self.panes.start.take_keyboard()

    def leave_start(self) -> None:
        """To what is looked at."""
        self.was_looked_at = True
        if self.starting:
            self._show_start(False)
            self.take_keyboard()

    def record_with(self, engine: Engine) -> None:
        """From now on there is somebody who records."""
        self.engine = engine
        if "teaching" in vars(self):
            self.teaching.ask()
        if "start" in vars(self.panes):
            self.panes.start.gallery.attach(engine)
        self.panes.attach(engine)

    def train_with(self, training: Training) -> None:
        """From now on there is somebody who trains."""
        self.training = training
        self.rail.train_with(training, self.run)

    def search(self) -> None:
        """Type into the field of the start screen."""
        self.go_to_start()
        self.top.field.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def open_card(self, card: StartCard) -> None:
        """Go where a card leads."""
        if card.lesson:
            self.open_lesson(card.lesson)
            return
        self.leave_start()
        self.go_astray()
        if card.does:
            self.run(card.does)
        elif card.state is not None:
            wanted = card.state
            self.store.apply(lambda state: start.entered(state, wanted))
            self.trail.opened_in = ""

    # --- lessons ---

    @cached_property
    def teaching(self) -> Teaching:
        """The lesson that is taken; it comes when it is asked for."""
        from visualizer.ui.teaching import Teaching

        made = Teaching(self.store, lambda: self.engine, self)
        made.glide = lambda: self.stage.glide
        made.said.connect(self._say_of_lesson)
        made.unsaid.connect(self._unsay_of_lesson)
        made.changed.connect(self._taught)
        self.panes.teach(made)
        return made

    @property
    def taught(self) -> bool:
        """Whether a lesson is open."""
        return "teaching" in vars(self) and self.teaching.on

    def show_lessons(self) -> None:
        """The list of lessons, on the start screen."""
        self.go_to_start()
        self.panes.start.page.show_kind(start.LESSONS)

    def open_lesson(self, name: str) -> None:
        """Take a lesson, where it was left."""
        self.unsay()
        self.come_forward()
        if self.teaching.open(name):
            self.trail.opened_in = ""
            self.leave_start()
            if self.presenting:
                self.presenter.ask_the_class(True)
            self.take_keyboard()

    def go_on_with_lesson(self) -> None:
        """The lesson that was open last, where it was left; the list where there is none."""
        from visualizer.ui.teaching import begun

        if self.taught:
            self.leave_start()
            self.teaching.come_back()
        elif (last := begun()) is not None:
            self.open_lesson(last[0].name)
        else:
            self.show_lessons()

    def teach_a_room(self) -> None:
        """By the one key of a clicker: the lesson that was open last where it was left, else the first of the course,
        before a room as soon as there is something to see."""
        from visualizer.lesson import LESSON, shelf
        from visualizer.ui.teaching import begun

        last = begun()
        course = [each for each in shelf.shelf().lessons if each.genre == LESSON and each.number]
        if last is None and not course:
            self.show_lessons()
            return
        self.open_lesson(course[0].name if last is None else last[0].name)
        if self.store.trace is not None:
            self.presenter.present_here()
        else:
            self.store.trace_changed.connect(self.presenter.present_here, Qt.ConnectionType.SingleShotConnection)

    def fold_lesson(self) -> None:
        """The words of a lesson over the stage, or folded to a strip."""
        if self.taught and self.panes.lesson is not None:
            self.panes.lesson.toggle()

    @cached_property
    def writing(self) -> LessonWriting:
        """The lesson that is written by clicking; it comes when it is asked for."""
        from visualizer.ui.lessonwriting import LessonWriting

        made = LessonWriting(self.store, self)
        made.said.connect(self.say)
        self.panes.write(made)
        return made

    def record_lesson(self) -> None:
        """Write a lesson by clicking, or put that away; what is written stays."""
        if self.writing.on:
            self.writing.leave()
        elif self.store.trace is not None:
            if self.taught:
                self.teaching.leave()
            self.writing.begin()

    def try_lesson(self) -> None:
        """Take the lesson that is written, at the step that is edited; or back to writing it."""
        from visualizer.lesson.progress import Progress
        from visualizer.ui.teaching import TRIED

        if self.taught and self.teaching.lesson is not None and self.teaching.lesson.name == TRIED:
            self.teaching.leave()
            self.writing.go(self.writing.at)
        elif self.writing.drafts and (found := self.writing.lesson()) is not None:
            self.teaching.begin(found, Progress(TRIED, self.writing.at))
            self.say(tr("This is the step as others take it."), tr("Go on writing"), self.try_lesson)

    def lesson_as(self, what: str) -> None:
        """Save the lesson that is open, as `film`, in `print`, or `export` its questions, in a process of its own; one
        sentence says when it is."""
        from visualizer.ui.lessonfile import LessonFile

        lesson = self.teaching.lesson if self.taught else None
        if lesson is None or not lesson.path.is_file():
            self.say(tr("Open a lesson first: {key} shows all.").format(key=key_for("lessons")))
            return
        suffix, kinds = _lesson_files(what)
        path, _ = self.ask_for_name(tr("Save the lesson"), f"{lesson.name}{suffix}", kinds)
        if path:
            made = LessonFile(what, lesson.path, Path(path if Path(path).suffix else path + suffix), self)
            made.ended.connect(self.say)
            self.say(tr("The lesson is being saved as {file}…").format(file=made.path.name), tr("Stop"), made.stop)

    def save_lesson(self) -> None:
        """Ask for a name and write the file of the lesson that is written."""
        if not self.writing.drafts:
            self.say(tr("No lesson is recorded yet; {key} begins.").format(key=key_for("lesson-record")))
            return
        path, _ = self.ask_for_name(tr("Save the lesson"), str(self.writing.file()), tr("Lesson (*.md)"))
        if path:
            self.writing.save(Path(path if path.endswith(".md") else f"{path}.md"))

    def go_astray(self) -> None:
        """Something else is opened: a lesson leaves it to that, and one key brings back."""
        if self.taught:
            self.teaching.let_go()

    def _say_of_lesson(self, sentence: str) -> None:
        self.say(sentence)
        self._said_of_lesson = sentence

    def _unsay_of_lesson(self) -> None:
        if self._said_of_lesson and self.message.words == self._said_of_lesson:
            self.message.dismiss()

    def _taught(self) -> None:
        self.lesson_keys.listen(self.taught)

    @cached_property
    def lesson_keys(self) -> LessonKeys:
        """What hears the keys of a lesson."""
        from visualizer.ui.lessonkeys import LessonKeys

        return LessonKeys(self)

    @cached_property
    def first(self) -> FirstMinute:
        """What *Play* on the start screen does; it comes when it is asked for."""
        from visualizer.ui.first import FirstMinute

        made = FirstMinute(self.store, self)
        made.clock = self.clock
        made.ended.connect(self._offer)
        return made

    @cached_property
    def tries(self) -> Tries:
        """What is offered when it has stopped."""
        from visualizer.ui.first import Tries

        made = Tries(self.first.hero.tries, self.panes)
        made.chosen.connect(self._try)
        made.place(self.stage.geometry())
        return made

    def play_first(self) -> None:
        """Open the first network and play it for a while."""
        self.leave_start()
        self.first.begin()

    def _offer(self, reached: bool) -> None:
        self.message.dismiss()
        self.tries.come(reached)

    def _try(self, card: StartCard) -> None:
        self.tries.put_away()
        self.open_card(card)
        self.take_keyboard()

    def _put_tries_away(self) -> bool:
        return "tries" in vars(self) and self.tries.put_away()

    def _show_start(self, starting: bool, back: str = "") -> None:
        fresh = "start" not in vars(self.panes) and starting
        self.panes.show_start(starting, back)
        if fresh:
            self.panes.start.chosen.connect(self.open_card)
            self.panes.start.back_wanted.connect(self.leave_start)
            self.panes.start.file_chosen.connect(self.open_path)
            self.panes.start.played.connect(self.play_first)
            self.panes.start.glide = self.stage.glide
            if self.engine is not None:
                self.panes.start.gallery.attach(self.engine)
        for name, action in self.menus.actions.items():
            action.setEnabled(not starting or self.commands[name].starts)
        self.top.show_tools(self)
        if starting:
            self.setWindowTitle(tr("Visualizer"))

    def one_level_out(self) -> None:
        """Put away whatever lies on top, else stop presenting, else go one level up."""
        if self.starting:
            if not (self.cover.close() or self.message.dismiss()):
                self.go_to_start()
            return
        on_top = (self.cover.close, self._leave_room, self.rail.close_panel, self._close_films,
                  self.message.dismiss, self._put_tries_away,
                  self.panes.close_details, self.stage.leave_parts, self._let_pin_go, self._leave_reel)
        if any(put_away() for put_away in on_top):
            return
        trace, seen, names = self.store.near, self.store.sight, tuple(view.name for view in self.views())
        closed = None if trace is None or seen is None else block_closed(self.store.state, trace, seen.moment)
        if closed is not None and at_top(self.store.state, names):
            after = closed
            self.store.apply(lambda state: after)
        elif trace is None or seen is None or at_top(self.store.state, names):
            self.go_to_start()
        else:
            self.store.apply(lambda state: out(state, trace, seen, names, self.trail.opened_in))

    def walk_back(self) -> None:
        """Back to the number that was taken apart before this one, else one level out."""
        if not self.trail.back():
            self.one_level_out()

    def leave(self) -> None:
        """Close the window that this one stands in."""
        self.window().close()

    # --- the room, the film ---

    @cached_property
    def presenter(self) -> Presenter:
        """What is shown to a room; it comes when it is asked for."""
        from visualizer.ui.presenter import Presenter

        return Presenter(self)

    @property
    def presenting(self) -> bool:
        return "presenter" in vars(self) and self.presenter.on

    def come_forward(self) -> None:
        """Leave the audience's picture where it covers this window, as it does where there is one screen."""
        if self.presenting and self.presenter.alone_on_screen():
            self.presenter.leave()

    @cached_property
    def film_panel(self) -> FilmPanel:
        """In which a film is chosen and its progress is seen; it comes when it is asked for."""
        from visualizer.ui.filming import FilmPanel

        panel = FilmPanel(self.store, lambda: pictured(self.store),
                          lambda at: self.menus.pop_inputs(at, below=True), self)
        panel.said.connect(self.say)
        panel.closed.connect(self.take_keyboard)
        panel.place(self.panes.middle())
        return panel

    @cached_property
    def sounding(self) -> Sounding:
        """Loudspeaker and microphone; they come when they are asked for."""
        from visualizer.ui.sounding import Sounding

        made = Sounding(self.store, self)
        made.said.connect(self.say)
        made.recorded.connect(self.open_path)
        return made

    @cached_property
    def tones(self) -> Tones:
        """The numbers that are looked at, as tones; they come when they are asked for."""
        from visualizer.ui.tones import Tones

        made = Tones(self.store, self.sounding, self)
        made.said.connect(self.say)
        return made

    def take_picture(self) -> None:
        """Show what the camera sees, until a picture is taken; that is opened."""
        from visualizer.ui import devices

        if SUFFIXES[0] not in self.store.kind.suffixes:
            self.say(tr("There is nothing to take a picture for: open a model that reads pictures."))
            return
        devices.reach(devices.CAMERA, self, self._show_camera, self.say)

    def _show_camera(self, device: object) -> None:
        from visualizer.ui.camera import CameraSheet

        def made(below: QWidget) -> CameraSheet:
            sheet = CameraSheet(device, below)
            sheet.said.connect(self.say)
            sheet.taken.connect(self.open_path)
            return sheet

        self.come_forward()
        self.unsay()
        self.cover.show(made)

    @property
    def filming(self) -> Job | None:
        """The film that is being made."""
        return self.film_panel.job if "film_panel" in vars(self) else None

    def take_over(self, before: Window) -> None:
        """What was collected and shown in the window that stood here before."""
        self.panels = before.panels
        if "writing" in vars(before):
            self.writing.take_over(before.writing)
        self.panes.bar_open, self.panes.curves_open = before.panes.bar_open, before.panes.curves_open
        self.menus.bar.setHidden(before.menus.bar.isHidden())
        self.panes.drawer_open = before.panes.drawer_open
        if before.starting:
            self.go_to_start()
        if before.message.isVisible():
            self.say(before.message.words, before.message.action.text(), before.message.act)

    def take_keyboard(self) -> None:
        """The stage has it from now on, or *Play* on the start screen."""
        if self.starting:
            self.panes.start.take_keyboard()
        else:
            self.stage.setFocus(Qt.FocusReason.OtherFocusReason)

    def _keep_keyboard(self, old: QWidget | None, new: QWidget | None) -> None:
        """What had the keyboard has been put away: Qt hands it to whatever comes next, the stage should have it."""
        if old is None or new is None or not isValid(old) or not self.isAncestorOf(new) or new is self.stage:
            return
        if self.isAncestorOf(old) and not old.isVisible() and not self.presenting and not isinstance(
                new, QLineEdit | QPlainTextEdit):
            self.take_keyboard()

    def _seen(self) -> QWidget:
        """What one sees here: this window, or the audience's picture that covers it."""
        audience = self.presenter.audience if self.presenting and self.presenter.alone_on_screen() else None
        return self if audience is None else audience

    def _leave_room(self) -> bool:
        if self.presenting:
            self.presenter.leave()
            return True
        return "presenter" in vars(self) and self.presenter.hide_speaker()

    def _let_pin_go(self) -> bool:
        """Away with the curves that the laboratory keeps behind those of now."""
        pinned = self.store.state.in_lab and does.lab_of(self.store.state)[1] is not None
        if pinned:
            self.store.apply(does.pin_lab)
        return pinned

    def _leave_reel(self) -> bool:
        state = self.store.state
        if any(map(is_of_update, state.edits)) and state.view == "one_update":
            self.store.update(view=sight.TRAINING)
            return True
        if state.reel:
            self.store.apply(does.without_reel)
        return bool(state.reel)

    def _close_films(self) -> bool:
        shown = "film_panel" in vars(self) and self.film_panel.isVisible()
        if shown:
            self.film_panel.toggle()
        return shown

    # --- what it shows ---

    def show_state(self, old: State, new: State) -> None:
        """Set whatever of the window follows the State."""
        if self.starting and (old.recipe, old.view) != (new.recipe, new.view):
            self.leave_start()
        app = QApplication.instance()
        if isinstance(app, QApplication) and style.theme_name() != new.look.theme:
            style.wear(app, new.look.theme)
            self.panes.dress()
            if "presenter" in vars(self):
                self.presenter.dress()
        self.panes.show_path()
        if (old.places, old.active) != (new.places, new.active) or old == new:
            self.top.show_tools(self)

    def show_trace(self) -> None:
        """Set whatever of the window follows the recording."""
        trace = self.store.trace
        self.panes.show_trace()
        self.top.show_tools(self)
        if trace is not None and not self.starting:
            self.setWindowTitle(f"{trace.title or trace.model} – {tr('Visualizer')}")

    def sizeHint(self) -> QSize:
        return USUAL

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        """The menu bar along the top while it is shown, the panes below it."""
        bar = self.menus.bar
        high = 0 if bar.isHidden() else bar.heightForWidth(self.width())
        bar.setGeometry(0, 0, self.width(), high)
        self.panes.setGeometry(0, high, self.width(), self.height() - high)
        self.panes.place()

    def _lay_over(self) -> None:
        """What stands over the panes moves with them."""
        if "film_panel" in vars(self):
            self.film_panel.place(self.panes.middle())
        if "tries" in vars(self):
            self.tries.place(self.stage.geometry())
        self.cover.lay()
        if "presenter" in vars(self):
            self.presenter.lay()

    # --- events ---

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
            self.open_path(path)

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._was_painted:
            self._was_painted = True
            QTimer.singleShot(0, self, self._begin)

    def _begin(self) -> None:
        """What the first paint does without: menus, shortcuts, the ring of the keyboard."""
        self.menus.fill()
        if self.starting:
            self._show_start(True)
        self.ring = FocusRing(self)
        if isinstance(app := QApplication.instance(), QApplication):
            app.focusChanged.connect(self._keep_keyboard)
        if self.store.state.lesson:
            self.teaching.follow_state()
        self.take_keyboard()  # as the frame came, Qt gave it to the first button there is: the menu under the mark
        self.painted.emit()


def dropped(data: QMimeData) -> str:
    """The first local file that is being dropped; empty if there is none."""
    return next((url.toLocalFile() for url in data.urls() if url.isLocalFile()), "")


def _lesson_files(what: str) -> tuple[str, str]:
    """(ending that is added where none is given, kinds that are offered) of a lesson's film, print or export."""
    if what == "print":
        return ".pdf", tr("PDF (*.pdf)")
    if what == "export":
        from visualizer import quiz

        return ".gift", ";;".join(f"{each.title} ({' '.join(f'*{ending}' for ending in each.suffixes)})"
                                  for each in quiz.formats())
    from visualizer.export import film

    endings = [suffix for form in film.formats() for suffix in form.suffixes]
    return ".mp4", tr("Films ({endings})").format(endings=" ".join(f"*{each}" for each in endings))
