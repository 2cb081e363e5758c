"""Presenting: the picture for a room full screen, what is done to it from afar, and the speaker's own view.

The window itself stays where it is and as it is: the audience has a window of its own, so that a projector that is
pulled out takes nothing with it. What is shown is a function of the State and of a few things that are kept here:
frozen, blank, spotlight, pen, one part alone. While it presents, a filter of the application hears the keys of a
clicker whatever has the keyboard.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence, QScreen
from PySide6.QtWidgets import QAbstractSpinBox, QApplication, QLineEdit, QPlainTextEdit, QTextEdit, QWidget

from visualizer import sight
from visualizer.language import tr
from visualizer.lesson import page as lessonpage
from visualizer.lesson import progress
from visualizer.scene import projector, spotlight
from visualizer.scene import state as does
from visualizer.scene.passage import MOVE, crossed
from visualizer.scene.picture import SENTENCE, Focus, Look, Picture, Points
from visualizer.scene.reel import Crossing
from visualizer.scene.state import State
from visualizer.scene.timeline import Moment
from visualizer.trace import Trace
from visualizer.ui import words
from visualizer.ui.audience import Audience
from visualizer.ui.canvas import EMPTY, Canvas
from visualizer.ui.commands import Context, commands, is_typed, key_for
from visualizer.ui.commands.presenting import BLACK
from visualizer.ui.cover import Cover
from visualizer.ui.keysheet import Blank
from visualizer.ui.speaker import Speaker
from visualizer.ui.stage import Origin, compared, drawn, is_another_input, joined
from visualizer.ui.store import Store
from visualizer.ui.teaching import Teaching

USUAL = (1920, 1080)
"""The screen that the speaker's view draws for while nothing is presented."""
LESSON_KEYS = {"PgDown": "lesson-next", "PgUp": "lesson-back"}
"""What the page keys do while a lesson is open: those of every clicker."""
VOTES = {"+": 1, "Shift++": 1, "-": -1}
FIELDS = (QLineEdit, QAbstractSpinBox, QPlainTextEdit, QTextEdit)


def _dressed(look: Look) -> Look:
    return projector.look_for(look, look.size)


class Home(Protocol):
    """The window that it is shown from, a QWidget."""

    store: Store
    cover: Cover
    stage: Canvas
    starting: bool
    """Whether the start screen is shown."""
    taught: bool
    """Whether a lesson is open."""
    teaching: Teaching
    count: Callable[[Callable[[int], None] | None], None]
    """The player's clock in whole seconds."""

    def teach_a_room(self) -> None:
        """From the start screen: a lesson, before a room."""

    def run(self, name: str) -> None:
        """Do the command of that name."""

    def say(self, sentence: str) -> None:
        """One sentence to the speaker."""

    def unsay(self) -> None:
        """Nothing to say any more."""


class Presenter(QObject):
    """What is presented, and how."""

    changed = Signal()
    """Anything that the audience or the speaker sees."""

    def __init__(self, window: Home) -> None:
        super().__init__(window)
        self.window, self.store = window, window.store
        self.screens: Callable[[], Sequence[QScreen]] = QGuiApplication.screens
        self.audience: Audience | None = None
        self.speaker: Speaker | None = None
        self.offered: QScreen | None = None
        self.lost = False
        """Whether the audience's screen has gone while it was presented, and nobody has presented since."""
        self.blank = ""
        self.frozen = self.spotlight = self.pen = False
        self.alone: spotlight.Lit | None = None
        self.at = 0
        """Which part the spotlight stands on."""
        self.pointer: tuple[float, float] | None = None
        """Where the mouse holds the spotlight, in shares of the picture; None: it stands on a part."""
        self.typed = ""
        self.seconds = 0
        self._heard: Teaching | None = None
        self._step: tuple[str, int] = ("", 0)
        self._step_began = 0
        """The step of a lesson that is shown, and the second at which it came."""
        self.picture, self.beat = EMPTY, ""
        """What the audience sees, without the pen, and the beat that it shows."""
        self._needed: tuple[object, lessonpage.Extent] = None, ()
        """Of which step in which look, and how much room the way to it needs."""
        self._origin: Origin | None = None
        """What that is the picture of."""
        self._crossing: Crossing | None = None
        """While one goes from one input to the next: both pictures."""
        self._share = 0.0
        """How far one has come."""
        self._presented: tuple[object, ...] = ()
        self._clicker = {_same(key): command.name for command in commands() for key in command.clicker}
        """The command of each key of a clicker, whatever has the keyboard."""
        self._always = {key for key in self._clicker if not is_typed(key)}
        """Those of them that are a clicker's even where somebody writes."""
        self._pressed = {_same(key): command.name for command in commands()
                         for key in command.keys_in(Context.PRESENTING)}
        """The command of each key over the audience's picture."""
        self.store.changed.connect(self.refresh)
        self.store.trace_changed.connect(self.refresh)
        app = QGuiApplication.instance()
        assert isinstance(app, QGuiApplication)
        app.screenAdded.connect(self.screen_added)
        app.screenRemoved.connect(self.screen_removed)

    @property
    def on(self) -> bool:
        return self.audience is not None

    def alone_on_screen(self) -> bool:
        """Whether the audience's picture is on the screen of the window, so that it covers it."""
        return self.audience is not None and self.audience.shown_on is self.window.screen()

    # --- starting and leaving ---

    def present(self) -> None:
        """Full screen from the first beat; what was presented before goes on where it was left. While it presents:
        over to the screen that was offered."""
        if self.on:
            self._move_over()
            return
        if self.window.starting:
            self.window.teach_a_room()
            return
        if self._presented != self.store.state.recipe and not self.window.taught:
            beginning = self.store.timeline.settled(0)
            self.store.apply(lambda state: does.go(replace(state, playing=False), beginning))
            self.seconds = 0
        self.present_here()

    def present_here(self) -> None:
        """Full screen from this beat on: on another screen than the window's, if there is one."""
        if self.on:
            self._move_over()
            return
        if self.store.trace is None:
            return
        home = self.window.screen()
        others = [screen for screen in self.screens() if screen is not home]
        self.lost = False
        self._presented = self.store.state.recipe
        self.blank, self.frozen, self.typed, self.alone = "", False, "", None
        self.audience = Audience(self)
        self.audience.go_to(others[0] if others else home)
        app = QApplication.instance()
        assert app is not None
        app.installEventFilter(self)
        self.ask_the_class(True)
        if others:
            self.show_speaker()
        self._clock()
        self.refresh()

    def leave(self) -> None:
        """What Esc does: the window as it was. Everything that was chosen, drawn and written stays."""
        self.window.cover.close()
        self.hide_speaker()
        audience, self.audience, self.offered = self.audience, None, None
        self.ask_the_class(False)
        self.window.count(None)
        app = QApplication.instance()
        if audience is not None and app is not None:
            app.removeEventFilter(self)
            audience.hide()
            audience.deleteLater()
        self.frozen, self.blank, self.typed = False, "", ""
        self.window.window().activateWindow()
        self.window.stage.setFocus(Qt.FocusReason.OtherFocusReason)
        self.changed.emit()

    def run(self, name: str) -> None:
        """Do the command of that name."""
        self.window.run(name)

    def coming(self) -> Picture | None:
        """The slide that comes next in a lesson, without what it looks at: that may not be recorded yet."""
        page = self.page
        if page is None:
            return None
        following = progress.forward(page.progress, page.lesson)
        if following.ended:
            return EMPTY
        look = projector.look_for(self.store.state.look, self.size())
        return lessonpage.slide(replace(page, progress=following), look, lambda room: None)

    # --- a lesson ---

    @property
    def page(self) -> lessonpage.Page | None:
        """What is shown of the lesson that is open; None while none is, or while one looks around in it."""
        teaching = self.window.teaching if self.window.taught else None
        return None if teaching is None or teaching.free else teaching.page

    @property
    def pace(self) -> tuple[int, int]:
        """Seconds spent in the step, and about how many it has; 0 where nobody says."""
        page = self.page
        if page is None:
            return 0, 0
        return self.seconds - self._step_began, page.lesson.pace[page.progress.step]

    def ask_the_class(self, on: bool) -> None:
        """While one presents, an answer is a vote; what changes in a lesson changes the slide."""
        if not self.window.taught:
            return
        teaching = self.window.teaching
        teaching.voting = on
        if teaching is not self._heard:
            self._heard = teaching
            teaching.changed.connect(self._taught)
            teaching.ended.connect(self._end_of_lesson)
        if on:
            self._taught()

    def pick(self, focus: Focus | None) -> None:
        """A click on the slide: an answer is chosen, a step is gone to; under black or white the picture comes back."""
        if self.blank:
            self.toggle_blank(self.blank)
        elif focus is not None and self.page is not None and not self.frozen:
            if focus.array == lessonpage.ANSWER:
                self.window.teaching.answer(int(focus.layer))
            elif focus.array == lessonpage.STEP:
                self.window.teaching.to(int(focus.layer) - 1)

    def note(self) -> str:
        """What the speaker has written to the step of a lesson, or to the beat."""
        page = self.page
        return does.note_of(self.store.state, self.spoken_of()) if page is None else \
            page.progress.note(page.progress.step)

    def write_note(self, words: str) -> None:
        """Other notes: with a lesson they are kept as its progress is, else in the session."""
        if self.page is not None:
            self.window.teaching.note(words)
        elif words != self.note():
            beat = self.spoken_of()
            self.store.apply(lambda state: does.with_note(state, beat, words), undoable=False)

    def notes_can_be_filed(self) -> bool:
        """Whether there are notes to a lesson of one's own, into whose file they can go."""
        return self.page is not None and self.window.teaching.is_ones_own and \
            any(self.window.teaching.progress.notes)

    def _taught(self) -> None:
        page = self.page
        if page is not None and (page.lesson.name, page.progress.step) != self._step:
            self._step, self._step_began = (page.lesson.name, page.progress.step), self.seconds
        if self.window.taught:
            self.window.teaching.voting = self.on
        self.refresh()

    def _end_of_lesson(self) -> None:
        """Black, as behind the last slide of a talk; what was looked at below it is for the speaker."""
        if self.on and self.blank != BLACK:
            self.toggle_blank(BLACK)

    def _clock(self) -> None:
        before = self.seconds

        def heard(seconds: int) -> None:
            self.seconds = before + seconds
            if self.speaker is not None:
                self.speaker.update()

        self.window.count(heard)

    # --- screens ---

    def screen_added(self, screen: QScreen) -> None:
        """The audience's screen is back: the picture is, too, at the step or beat that was gone to meanwhile. Any other
        one, while the picture covers the only one: offer it."""
        if self.lost and not self.on:
            self.present_here()
            self.window.say(tr("The projector is back, and shows what you see here; {key} ends it.").format(
                key=key_for("out")))
        elif self.audience is not None and self.audience.screen() is self.window.screen():
            self.offered = screen
            self.audience.update()
            self.window.say(tr("There is a second screen now: {key} moves the picture there.")
                            .format(key=key_for("present")))

    def screen_removed(self, screen: QScreen) -> None:
        """The projector is gone: the picture with it, nothing else. The window comes to a screen that is left."""
        left = [other for other in self.screens() if other is not screen]
        if self.offered is screen:
            self.offered = None
        if self.audience is not None and self.audience.shown_on is screen:
            self.leave()
            self.lost = True
            self.window.say(tr("The projector is gone, nothing else: page keys go on in the window, and the picture "
                               "comes back with it. {key} presents on this screen.").format(key=key_for("present")))
        top = self.window.window()
        if left and top.screen() is screen:
            top.setScreen(left[0])
            top.move(left[0].availableGeometry().topLeft())

    def _move_over(self) -> None:
        screen, self.offered = self.offered, None
        if screen is not None and self.audience is not None:
            self.hide_speaker()
            self.audience.showNormal()
            self.audience.go_to(screen)
            self.window.unsay()
            self.show_speaker()
            self.refresh()

    # --- what the audience sees ---

    def picture_of(self, moment: Moment) -> Picture:
        """What a room sees at a moment of the recording at hand, standing still."""
        assert self.store.trace is not None
        return self._for_room(moment)

    def _for_room(self, moment: Moment) -> Picture:
        """The slide of a lesson; else what the stage shows, at that moment, in the type of an audience."""
        page, size = self.page, self.size()
        if page is None:
            return self._of_stage(moment, size)
        look = projector.look_for(self.store.state.look, size)
        return lessonpage.slide(page, look, partial(self._in_slide, moment), self._extent)

    def _in_slide(self, moment: Moment, laid: Look) -> Picture:
        """What the stage shows, in the size and type that a slide has for it."""
        return self._of_stage(moment, laid.size, lambda look: replace(
            look, widest=0, theme=laid.theme, text_scale=laid.text_scale, projector=True))

    def _extent(self, laid: Look) -> lessonpage.Extent:
        """What all of the way to a step needs in a slide, so that nothing jumps where it comes to stand."""
        teaching, page = self.window.teaching, self.page
        if page is None or teaching.came is None or teaching.astray:
            return ()
        asked = page.lesson.name, page.progress.step, page.progress.revealed, laid
        if self._needed[0] != asked:
            self._needed = asked, lessonpage.extent(self._in_slide(moment, laid) for moment in teaching.came.parts())
        return self._needed[1]

    def _of_stage(self, moment: Moment, size: tuple[int, int], dressed: Callable[[Look], Look] = _dressed) -> Picture:
        """What the stage shows, in so many pixels, in the type that `dressed` gives a look."""
        store, state = self.store, self.store.state
        if readers := store.readers:
            return compared(readers, state, dressed(replace(state.look, size=size)), moment)
        whole = store.beside or ((store.recorded,) if isinstance(store.recorded, tuple) else ())
        if whole:
            return joined(whole, state, size, moment, dressed)
        assert store.trace is not None
        return for_room(store.trace, moment, state, size, dressed)

    def size(self) -> tuple[int, int]:
        """The screen that is drawn for."""
        return USUAL if self.audience is None else (self.audience.width(), self.audience.height())

    def refresh(self, *changed: object) -> None:
        """Make the picture anew, unless it is frozen."""
        trace, moment = self.store.trace, self.store.moment
        if not self.on and self.speaker is None:
            return
        if not self.frozen and trace is not None and moment is not None:
            before, was = self.picture, self._origin
            self.picture, self.beat = self._for_room(moment), self.spoken_of()
            self._origin = trace.shapes, self.store.shown, self.store.state.view
            self._cross(before, was)
        self._show()
        self.changed.emit()

    def _cross(self, before: Picture, was: Origin | None) -> None:
        """From one input to the next, as on the stage: every value goes over."""
        if self._crossing is not None and was == self._origin:
            self._crossing = Crossing(self._crossing.one, self.picture, self._crossing.alike)
            return
        self._crossing, glide = None, self.window.stage.glide
        if was is not None and glide is not None and self.audience is not None and before.size == self.picture.size \
                and is_another_input(was, self._origin):
            assert self._origin is not None
            self._crossing = Crossing(before, self.picture, was[0] == self._origin[0])
            speed = self.store.state.speed if self.store.state.stepping else 1.0
            glide((self, "input"), float(MOVE) / speed, self._go_over, False)

    def _go_over(self, share: float) -> None:
        if self._crossing is not None:
            self._crossing, self._share = self._crossing if share < 1 else None, share
            self._show()

    def exported(self) -> Picture:
        """What is exported while it presents: with the strokes if that was chosen."""
        return self.shown() if self.store.state.inked else self._bare()

    def _bare(self) -> Picture:
        return self.picture if self.alone is None else spotlight.alone(self.picture, self.alone)

    def shown(self) -> Picture:
        """The picture with what is drawn on it, and with all but one part hidden where that was asked for."""
        return spotlight.inked(self._bare(), does.strokes_of(self.store.state, self.beat))

    def _show(self) -> None:
        if self.audience is not None:
            self.audience.set_moving(self.store.state.playing and not self.frozen)
            whole = self._crossing is None or self.alone is not None
            self.audience.show_picture(self.shown() if whole else crossed(self._crossing, self._share))

    def spoken_of(self) -> str:
        """The beat at which the State stands, as notes are kept by it; the audience may still see another one."""
        moment, page = self.store.moment, self.page
        if page is not None:
            return f"{page.lesson.name} {page.progress.step + 1}{'!' if page.progress.revealed else ''}"
        return "" if moment is None else does.beat_of(self.store.state, moment)

    def toggle_frozen(self) -> None:
        """Hold the picture that the audience sees, while one goes on in the window; or let it follow again."""
        if self._presenting():
            self.frozen = not self.frozen
            self.refresh()

    def toggle_blank(self, color: str) -> None:
        """One colour over everything, or the picture again."""
        if self.on:
            self.blank = "" if self.blank == color else color
            self._tell()
        else:
            self.window.cover.show(lambda below: Blank(color, below))

    def toggle_alone(self) -> None:
        """Hide everything but the part that the spotlight stands on, or that the beat is about; or show all again."""
        if self._presenting():
            self.alone = None if self.alone is not None else self.part()
            self._show()
            self._tell()

    def known_state(self) -> None:
        """The first beat as it is when it is opened, with nothing on it: always the same picture."""
        if self._presenting():
            self.frozen = self.spotlight = self.pen = False
            self.blank, self.alone, self.typed = "", None, ""
            assert self.audience is not None
            self.audience.reset_zoom()
            self.store.apply(does.known)
            self.refresh()

    def _presenting(self) -> bool:
        if not self.on:
            self.window.say(tr("This is for presenting; {key} begins.").format(key=key_for("present")))
        return self.on

    def _tell(self) -> None:
        if self.audience is not None:
            self.audience.update()
        self.changed.emit()

    # --- spotlight ---

    def toggle_spotlight(self) -> None:
        """Dim all but one part: Tab goes to the next one, the mouse takes the light along."""
        if self._presenting():
            self.spotlight, self.pointer = not self.spotlight, None
            self.at = self._subject()
            self._tell()

    def next_part(self, by: int) -> None:
        """The spotlight goes to the next part in reading order."""
        count = len(spotlight.parts(self.picture))
        self.pointer = None
        self.at = (self.at + by) % count if count else 0
        self._tell()

    def part(self) -> spotlight.Lit | None:
        """The part that the spotlight stands on, or the one that the beat is about."""
        found = spotlight.parts(self.picture)
        return found[min(self.at, len(found) - 1) if self.spotlight else self._subject()] if found else None

    def _subject(self) -> int:
        """The part of the layer and step that the beat is about."""
        found, moment = spotlight.parts(self.picture), self.store.moment
        if moment is None or not found:
            return 0
        step = moment.beat.step
        mine = [number for number, part in enumerate(found) if part.focus is not None
                and part.focus.layer == moment.beat.layer and part.focus.array not in self._weights(moment.beat.layer)]
        return next((number for number in mine if step is None or found[number].focus.cell[:1] == (step - 1,)),
                    mine[0] if mine else 0)

    def _weights(self, layer: str) -> frozenset[str]:
        """The names of the weights of a layer: what stands beside it, but is not what the beat is about."""
        trace = self.store.trace
        return frozenset(trace[layer].weights) if trace is not None and layer in trace else frozenset()

    def part_name(self) -> str:
        """What the spotlight stands on, in words."""
        part, trace = self.part(), self.store.trace
        if part is None or trace is None:
            return ""
        if part.focus is None or part.group.cells or part.focus.layer not in trace:
            return tr("the sentence") if part.group == SENTENCE else words.group(part.group)
        return words.place(trace, part.focus)

    # --- pen ---

    def toggle_pen(self) -> None:
        """The mouse draws on the picture of this beat, or points again."""
        if self._presenting():
            self.pen = not self.pen
            self._tell()

    def draw(self, points: Points) -> None:
        """A stroke on this beat; its points are shares of the picture."""
        beat = self.beat
        self.store.apply(lambda state: does.with_stroke(state, beat, points))

    def draw_around(self) -> None:
        """A frame of the pen around the part that the spotlight stands on, for those who use no mouse."""
        part = self.part() if self._presenting() else None
        if part is not None:
            wide, high = self.picture.size
            grow = high / 160
            x0, y0, x1, y1 = part.place
            left, top, right, bottom = (x0 - grow) / wide, (y0 - grow) / high, (x1 + grow) / wide, (y1 + grow) / high
            self.draw(((left, top), (right, top), (right, bottom), (left, bottom), (left, top)))

    def undo_stroke(self) -> None:
        """Take the last stroke of this beat away."""
        beat = self.beat
        self.store.apply(lambda state: does.without_stroke(state, beat))

    def clear_strokes(self) -> None:
        """Take all strokes of this beat away."""
        beat = self.beat
        self.store.apply(lambda state: does.without_strokes(state, beat))

    def toggle_inked(self) -> None:
        """Whether exports have the strokes."""
        self.store.apply(lambda state: replace(state, inked=not state.inked))
        self.window.say(tr("Pictures are exported with the strokes of the pen.") if self.store.state.inked
                        else tr("Pictures are exported without the strokes of the pen."))

    # --- the speaker ---

    def show_speaker(self) -> None:
        """The speaker's view over the window; over the audience's picture where that covers the window."""
        if self.speaker is None:
            below: QWidget = self.window if self.audience is None or not self.alone_on_screen() else self.audience
            self.speaker = Speaker(self, below)
            self.speaker.setGeometry(below.rect())
            self.speaker.show()
            self.speaker.raise_()
            self.refresh()

    def hide_speaker(self) -> bool:
        """The window again; False if it was not covered."""
        speaker, self.speaker = self.speaker, None
        if speaker is None:
            return False
        below = self.window.stage if speaker.parentWidget() is self.window else speaker.parentWidget()
        speaker.hide()
        speaker.deleteLater()
        below.setFocus(Qt.FocusReason.OtherFocusReason)
        return True

    def lay(self) -> None:
        """The speaker's view covers what it lies on, whatever size that has."""
        if self.speaker is not None:
            self.speaker.setGeometry(self.speaker.parentWidget().rect())

    def dress(self) -> None:
        """What style sheets have to be told after the theme changed."""
        if self.speaker is not None:
            self.speaker.dress()

    def toggle_speaker(self) -> None:
        """The speaker's view, or the window under it; on one screen, the audience's picture."""
        if not self.hide_speaker():
            self.show_speaker()

    def write_notes(self) -> None:
        """The keyboard goes to the notes of this beat."""
        self.show_speaker()
        assert self.speaker is not None
        self.speaker.notes.setFocus(Qt.FocusReason.ShortcutFocusReason)

    # --- keys from afar ---

    def eventFilter(self, thing: QObject, event: QEvent) -> bool:
        """The clicker's keys, whatever has the keyboard; over the audience's picture every key of the app."""
        if event.type() not in (QEvent.Type.KeyPress, QEvent.Type.ShortcutOverride) or not isinstance(thing, QWidget) \
                or not isinstance(event, QKeyEvent) or not self.on:
            return False
        if QApplication.activeModalWidget() is not None or QApplication.activePopupWidget() is not None \
                or self.window.cover.shown is not None:
            return False
        act = self._meant(thing, event)
        if act is None:
            return False
        event.accept()
        if event.type() == QEvent.Type.KeyPress:
            act()
        return True

    def _meant(self, thing: QWidget, event: QKeyEvent) -> Callable[[], object] | None:
        """What a key does while it presents; None where it belongs to whatever has the keyboard."""
        key = key_of(event)
        if isinstance(thing, FIELDS) and (self.frozen or self._own(thing)) and key not in self._always:
            return None
        clicked = self._clicker.get(key, "")
        if self.blank and clicked not in ("", "black", "white", "out"):
            return lambda: self.toggle_blank(self.blank)
        if (page := self.page) is not None and (found := self._of_lesson(key, page)) is not None:
            return found
        if key.isdigit() and len(key) == 1:
            return lambda: self._type(self.typed + key)
        if key in ("Return", "Enter") and self.typed:
            return self._jump
        if key in ("Tab", "Shift+Tab") and (self.spotlight or (self._over(thing) and self.speaker is None)):
            return (lambda: self.next_part(1 if key == "Tab" else -1)) if self.spotlight else (lambda: None)
        if clicked == "out":
            return self.leave
        name = clicked or (self._pressed.get(key, "") if self._over(thing) else "")
        return (lambda: self._run(name)) if name else None

    def _of_lesson(self, key: str, page: lessonpage.Page) -> Callable[[], object] | None:
        """What a key does in a lesson: the page keys go through it; while a question is open a digit is a vote, and
        plus and minus are one more or less for the answer that was voted for last."""
        teaching = self.window.teaching
        if key in LESSON_KEYS:
            return lambda: self._run(LESSON_KEYS[key])
        if page.asked and key in VOTES:
            return lambda: teaching.vote(VOTES[key])
        if page.asked and key.isdigit() and len(key) == 1:
            return lambda: teaching.answer(int(key))
        return None

    def _run(self, name: str) -> None:
        self._type("")
        if self.speaker is not None and self._own(QApplication.focusWidget()):
            self.speaker.setFocus(Qt.FocusReason.OtherFocusReason)
        self.window.run(name)

    def _own(self, thing: QWidget | None) -> bool:
        return self.speaker is not None and thing is self.speaker.notes

    def _over(self, thing: QWidget) -> bool:
        return self.audience is not None and (thing is self.audience or self.audience.isAncestorOf(thing))

    def _type(self, digits: str) -> None:
        if self.typed != digits:
            self.typed = digits[-4:]
            self._tell()

    def _jump(self) -> None:
        """To the beat whose number was typed; beyond the last one, to the last."""
        number, times = int(self.typed), self.store.timeline
        self._type("")
        if times.beats:
            there = times.settled(min(max(number, 1), len(times.beats)) - 1)
            self.store.apply(lambda state: does.go(replace(state, playing=False), there))


def for_room(trace: Trace, moment: Moment, state: State, size: tuple[int, int],
             dressed: Callable[[Look], Look] = _dressed) -> Picture:
    """The picture of the State as an audience sees it on a screen of this size; without the pen."""
    seen = sight.sight(trace, state, moment)
    return drawn(trace, replace(seen, look=dressed(replace(seen.look, size=size))))


def _same(key: str) -> str:
    """A key as `key_of` writes it."""
    return QKeySequence(key).toString()


def key_of(event: QKeyEvent) -> str:
    """The key as it stands in the table of commands: `PgDown`, `Shift+F5`, `.`."""
    modifiers = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    key = Qt.Key(event.key()) if event.key() != Qt.Key.Key_Backtab else Qt.Key.Key_Tab
    if event.key() in (Qt.Key.Key_Shift, Qt.Key.Key_Control, Qt.Key.Key_Alt, Qt.Key.Key_Meta):
        return ""
    return QKeySequence(int(modifiers.value) | int(key)).toString()
