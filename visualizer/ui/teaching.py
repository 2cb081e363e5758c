"""Teaching: the lesson that is open in the window. It says where in it one stands, keeps what was predicted, holds a
step to what it leaves to whoever learns, has its numbers measured, and brings back whoever went astray."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTime, Signal

from visualizer import lesson as lessons
from visualizer import registry
from visualizer.claims import Number
from visualizer.language import tr
from visualizer.lesson import ALL, LESSON, Lesson, shelf, way, writing
from visualizer.lesson import page as lessonpage
from visualizer.lesson import progress as does
from visualizer.lesson.page import Page
from visualizer.lesson.progress import Progress
from visualizer.lesson.way import Way
from visualizer.registry import NotWritten, write_whole
from visualizer.scene.state import State, changed, moment_of
from visualizer.trace import Refused
from visualizer.ui import kept
from visualizer.ui.commands import key_for
from visualizer.ui.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from visualizer.engine.client import Engine

NAME, LAST = "lessons", "last"
"""Under this name progress is kept, and under that one which lesson was open last."""
TRIED = "being-written"
"""The name of a lesson that is tried while it is written: nothing of it is kept."""
MOST_KEPT = 60
"""So many lessons."""
_measured: dict[str, Number] = {}
"""What was measured since the app was started, by the words of the measures."""


class Teaching(QObject):
    """One lesson at a time, or none."""

    changed = Signal()
    """Anything that its pages show."""
    said = Signal(str)
    ended = Signal()
    """One has gone on behind the last step."""
    unsaid = Signal()
    """What was said is over: one has gone on."""

    def __init__(self, store: Store, engine: Callable[[], Engine | None], parent: QObject | None = None) -> None:
        """`engine` answers who measures, as soon as there is somebody."""
        super().__init__(parent)
        self.store, self._engine = store, engine
        self.lesson: Lesson | None = None
        self.progress = Progress("")
        self.free = False
        """Whether one looks around, whatever the step leaves."""
        self.voting = False
        """Whether a class is asked: an answer is one vote more."""
        self.last = 0
        """The answer that was voted for last."""
        self.armed = False
        """Whether the next press reveals although nobody was counted."""
        self.now: Callable[[], str] = lambda: QTime.currentTime().toString("HH:mm")
        self.glide: Callable[[], Callable[..., None] | None] = lambda: None
        """Who moves what goes somewhere, as soon as there is somebody: `Player.glide`."""
        self._way: Way | None = None
        """What is being played, from one step to the next."""
        self.came: Way | None = None
        """By what one came to where one is."""
        self._gone = ""
        """The address to which that has come."""
        self._own = False
        """Whether it is the lesson that changes the State."""
        self._heard: Engine | None = None
        self._waiting: deque[str] = deque()
        self._asked: tuple[int, str] | None = None
        store.guard = self._guarded
        store.changed.connect(self._follow)

    @property
    def on(self) -> bool:
        """Whether a lesson is open."""
        return self.lesson is not None

    @property
    def page(self) -> Page | None:
        """What is shown of it; None while none is open."""
        if self.lesson is None:
            return None
        course = sum(each.genre == LESSON and bool(each.number) for each in shelf.shelf().lessons)
        return Page(self.lesson, self.progress, _measured, course, self.astray, self.armed and self.voting)

    @property
    def asking(self) -> bool:
        """Whether a question is open."""
        return self.lesson is not None and does.is_asked(self.progress, self.lesson)

    @property
    def locked(self) -> bool:
        """Whether the reveal waits for an answer."""
        return self.lesson is not None and does.is_locked(self.progress, self.lesson)

    @property
    def astray(self) -> bool:
        """Whether something else is looked at than the step shows."""
        return self.lesson is not None and self._way is None and bool(lessons.touched(self.home, self.store.state))

    @property
    def home(self) -> State:
        """Where the step begins, in the window as it is."""
        assert self.lesson is not None
        return lessons.state_of(self.lesson, self.progress.step, self.store.state, self.progress.revealed)

    def leaves(self, what: str) -> bool:
        """Whether that can be changed now; anything while no lesson is open."""
        if self.lesson is None or self.free:
            return True
        touch = self.lesson.steps[self.progress.step].touch
        return ALL in touch or what in touch

    # --- what a person does ---

    def open(self, name: str, anew: bool = False) -> bool:
        """Open a lesson of the shelf where it was left; False, with one sentence said, where there is none."""
        try:
            found = shelf.find(name)
        except (LookupError, Refused) as error:
            self.said.emit(str(error.args[0] if isinstance(error, LookupError) and error.args else error))
            return False
        self.begin(found, does.retried(remembered(found)) if anew else remembered(found))
        return True

    def begin(self, lesson: Lesson, progress: Progress) -> None:
        """Stand in a lesson."""
        self.lesson = lesson
        self.progress = does.retried(progress) if progress.ended else progress
        self._measure()
        self._enter()

    def forward(self) -> None:
        """To the reveal, or to the next step; behind the last one the lesson is closed."""
        if self.lesson is None:
            return
        if self.locked and not (self.voting and self.armed):
            self.armed = True
            self.said.emit(tr("Has everyone chosen? Once more reveals it.") if self.voting else
                           tr("Predict first: choose one of the answers with the keys 1 to {count}.").format(
                               count=len(self._question.offered)))
            self.changed.emit()
            return
        moved = does.forward(self.progress, self.lesson)
        if moved.ended:
            self._finish(moved)
        else:
            self._to(moved)

    def backward(self) -> None:
        """The reveal is hidden again, or one goes to the step before."""
        if self.lesson is not None:
            self._to(does.backward(self.progress, self.lesson))

    def to(self, step: int) -> None:
        """To a step, counted from 0."""
        if self.lesson is not None:
            self._to(does.to(self.progress, self.lesson, step, step in self.progress.seen))

    def answer(self, number: int) -> None:
        """One's own answer; one vote more where a class is asked."""
        if self.lesson is None or not self.asking or not 1 <= number <= len(self._question.offered):
            return
        self.last = number
        if self.voting:
            self.vote(1)
            return
        self._take(does.answered(self.progress, self.lesson, number, self.now()))

    def vote(self, by: int) -> None:
        """So many votes more for the answer that was chosen last."""
        if self.lesson is not None and self.asking:
            self._take(does.voted(self.progress, self.lesson, self.last or 1, by))

    def forget_votes(self) -> None:
        """Count the class anew."""
        if self.lesson is not None and self.asking:
            self._take(replace(self.progress, votes=tuple(each for each in self.progress.votes
                                                          if each[0] != self.progress.step)))

    def note(self, words: str) -> None:
        """What whoever speaks writes to the step."""
        noted = does.noted(self.progress, words)
        if self.lesson is not None and noted != self.progress:
            self.progress = noted
            self._keep()

    @property
    def is_ones_own(self) -> bool:
        """Whether the file of the lesson that is open can be written to: it came not with the app."""
        return self.lesson is not None and self.lesson.path.is_file() and \
            not self.lesson.path.resolve().is_relative_to(registry.folder("assets").resolve())

    def file_notes(self) -> None:
        """Write all notes to the lesson into its file; what it says is said."""
        if self.lesson is None:
            return
        if not self.is_ones_own:
            self.said.emit(tr("This lesson came with the app: your notes are kept with your place in it."))
            return
        path, name = self.lesson.path, self.lesson.path.name
        try:
            given = path.read_text(encoding="utf-8-sig")
            text = writing.noted(given, dict(self.progress.notes))
            problems = shelf.rewritten(path, text)
            if problems:
                self.said.emit(tr("The notes are not in the file: {problem}.").format(problem=problems[0]))
                return
            write_whole(path, text.encode())
            found, _ = shelf.of_file(path)
        except (NotWritten, Refused, OSError, ValueError) as error:
            self.said.emit(tr("The notes are not in the file: {problem}.").format(problem=str(error).rstrip(".")))
            return
        self.lesson, self.progress = found or self.lesson, replace(self.progress, notes=())
        self._keep()
        self.said.emit(tr("Your notes stand in {file} now.").format(file=name))
        self.changed.emit()

    def again(self) -> None:
        """From the first step, with nothing predicted."""
        if self.lesson is not None:
            self._to(does.retried(self.progress))

    def look_around(self) -> None:
        """Whatever the step leaves, everything can be changed; or only that again, from the place of the step."""
        if self.lesson is not None:
            if self.free:
                self.come_back()
            else:
                self.let_go()

    def let_go(self) -> None:
        """One goes where one likes; one key brings back."""
        if self.lesson is not None and not self.free:
            self.free = True
            self.said.emit(tr("Look around: everything can be changed. {key} comes back to the step.").format(
                key=key_for("lesson-return")))
            self.changed.emit()

    def come_back(self) -> None:
        """To the place of the step, whatever was looked at meanwhile."""
        if self.lesson is not None:
            self._enter()

    def leave(self) -> None:
        """Close the lesson; its place is kept, and what is looked at stays."""
        if self.lesson is not None:
            self._keep()
            self.lesson, self.free, self._way = None, False, None
            self._waiting.clear()
            with self._changing():
                self.store.apply(lambda state: replace(state, lesson="", step=0), undoable=False)
            self.changed.emit()

    # --- how it goes on ---

    @property
    def _question(self) -> lessons.Question:
        assert self.lesson is not None
        found = does.question(self.progress, self.lesson)
        assert found is not None
        return found

    def _finish(self, progress: Progress) -> None:
        assert self.lesson is not None
        done, self.progress = self.lesson, progress
        following = [each for each in shelf.shelf().lessons if each.genre == LESSON and each.number > done.number]
        self.leave()
        self.ended.emit()
        said = tr("That was “{title}”.").format(title=done.title)
        if done.genre == LESSON and done.number and following:
            said += " " + tr("The next one is “{title}”; {key} shows all.").format(title=following[0].title,
                                                                                 key=key_for("lessons"))
        self.said.emit(said)

    def _to(self, progress: Progress) -> None:
        if progress != self.progress:
            self.progress = progress
            self._enter()

    def _take(self, progress: Progress) -> None:
        """Another progress at the same place."""
        if progress != self.progress:
            self.progress, self.armed = progress, False
            self._keep()
            self.unsaid.emit()
            self.changed.emit()

    def _enter(self) -> None:
        """Show what the step shows; what is only another time is played."""
        self.free, self.armed, self.last = False, False, 0
        home, glide = self.home, self.glide()
        self._way = self.came = None if glide is None else self._way_to(home)
        found, self._gone = self._way, self.store.state.at
        with self._changing():
            self.store.apply(lambda state: home if found is None else changed(home, at=self._gone), undoable=False)
        if found is not None and glide is not None:
            speed = self.store.state.speed
            glide((self, "way"), float(found.seconds) / speed, partial(self._go, found, home.at))
        self._keep()
        self.unsaid.emit()
        self.changed.emit()

    def _way_to(self, home: State) -> Way | None:
        """From where one stands to where a step begins; None where more than the time is another, or it lies behind."""
        here, times = self.store.moment, self.store.timeline
        if here is None or self.store.waiting or home.compare or home.reel or len(home.places) > 1 or \
                lessons.touched(home, self.store.state) != {"time"}:
            return None
        end = moment_of(home, times)
        return way.to(times, end, here) if (here.index, here.phase) < (end.index, end.phase) else None

    def _go(self, found: Way, to: str, share: float) -> None:
        """On along the way, unless somebody has gone elsewhere; at its end one stands where the step begins."""
        if found is not self._way:
            return
        if self.store.state.at == self._gone:
            self._gone = to if share >= 1 else found.at(share).address
            with self._changing():
                self.store.apply(lambda state: changed(state, at=self._gone), undoable=False)
        if share >= 1 or self.store.state.at != self._gone:
            self._way = None
            self.changed.emit()

    @contextmanager
    def _changing(self) -> Iterator[None]:
        self._own = True
        try:
            yield
        finally:
            self._own = False

    def _guarded(self, old: State, new: State) -> State:
        """What a step does not leave to whoever learns stays as it is, and is said."""
        if self._own or self.free or self.lesson is None or old.lesson != new.lesson:
            return new
        step = self.lesson.steps[self.progress.step]
        if lessons.allowed(step, old, new):
            return new
        kept_as = sorted(word for word in lessons.touched(old, new) if word not in step.touch)
        self.said.emit(tr("This step leaves {what} as it is; {key} looks around freely.").format(
            what=lessonpage.touch_words(kept_as), key=key_for("lesson-free")))
        return old

    def _follow(self, old: State, new: State) -> None:
        """The State went elsewhere by itself: a session was opened, something was undone."""
        if self._own:
            return
        if new.lesson != (self.lesson.name if self.lesson is not None else ""):
            self._found(new)
        elif self.lesson is not None:
            step = self.lesson.steps[self.progress.step]
            if new.step != self.progress.step and new.step < len(self.lesson.steps):
                self.came = None
                self.progress = does.to(self.progress, self.lesson, new.step, new.step in self.progress.seen)
                self._keep()
            elif lessonpage.to_do(step) and self.progress.step not in self.progress.done and lessons.completed(
                    step, self.home, new, self.progress.answer(self.progress.step)[0] or 1):
                self._take(does.did(self.progress))
            if lessons.touched(old, new):
                self.changed.emit()

    def _found(self, state: State) -> None:
        """The lesson that a State names, as far as it is there; what is looked at stays."""
        self.lesson, self.free, self.came = None, False, None
        found = next((each for each in shelf.shelf().lessons if each.name == state.lesson), None)
        if found is not None:
            self.lesson, self.progress = found, remembered(found)
            self.progress = does.to(self.progress, found, state.step, self.progress.revealed
                                    and self.progress.step == state.step)
            self._measure()
        self.changed.emit()

    def follow_state(self) -> None:
        """The lesson in which the State stands from the beginning."""
        if self.store.state.lesson and self.lesson is None:
            self._found(self.store.state)

    def _keep(self) -> None:
        if self.lesson is None or self.lesson.name == TRIED:
            return
        name, plain = self.lesson.name, does.to_plain(self.progress)

        def with_this(known: dict[str, Any]) -> dict[str, Any]:
            before = known.get("progress")
            others = {key: value for key, value in (before.items() if isinstance(before, dict) else ()) if key != name}
            left = list(others.items())[-(MOST_KEPT - 1):]
            return {LAST: name, "progress": {**dict(left), name: plain}}

        kept.change(NAME, with_this)

    # --- numbers ---

    def _measure(self) -> None:
        """Have every number of the lesson measured, one after the other."""
        if self.lesson is None:
            return
        self._waiting = deque(dict.fromkeys(each.words for each in self.lesson.quantities
                                            if each.words not in _measured))
        self.ask()

    def ask(self) -> None:
        """For the next number, as soon as there is somebody who measures."""
        engine = self._engine()
        if engine is None or self._asked is not None or not self._waiting:
            return
        if engine is not self._heard:
            self._heard = engine
            engine.answered.connect(self._answered)
            engine.refused.connect(self._failed)
            engine.failed.connect(self._failed)
        words = self._waiting.popleft()
        self._asked = engine.request("measure", words=words), words

    def _answered(self, number: int, name: str, answer: Mapping[str, float]) -> None:
        if self._asked is not None and number == self._asked[0]:
            _measured[self._asked[1]] = Number(float(answer["value"]), float(answer["error"]), int(answer["of"]))
            self._asked = None
            self.changed.emit()
            self.ask()

    def _failed(self, number: int, why: str) -> None:
        """What cannot be measured here stays as it is expected, and is not said to be measured."""
        if self._asked is not None and number == self._asked[0]:
            self._asked = None
            self.ask()


def remembered(lesson: Lesson) -> Progress:
    """How far one came in a lesson."""
    found = kept.remembered(NAME).get("progress")
    return does.of_plain(lesson, found.get(lesson.name) if isinstance(found, dict) else None)


def how_far(name: str) -> tuple[Lesson, Progress] | None:
    """A lesson of the shelf and how far one came in it; None where it was never begun."""
    found = next((each for each in shelf.shelf().lessons if each.name == name), None)
    progress = None if found is None else remembered(found)
    return None if found is None or progress is None or progress == does.retried(progress) else (found, progress)


def begun() -> tuple[Lesson, Progress] | None:
    """The lesson that was open last and is not at its end, and how far one came in it; None where there is none."""
    name = kept.remembered(NAME).get(LAST)
    found = next((each for each in shelf.shelf().lessons if each.name == name), None) if name else None
    if found is None:
        return None
    progress = remembered(found)
    return None if progress.ended else (found, progress)
