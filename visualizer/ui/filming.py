"""Filming: the panel in which a film is chosen, and the child process that makes it.

The process is the command line itself, on a session and the recording that is on screen, so the window never waits. It
tells how far it is in lines of JSON.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from PySide6.QtCore import QCoreApplication, QObject, QPoint, QProcess, QRect, QRectF, Qt, Signal
from PySide6.QtGui import QAccessible, QFocusEvent, QPaintEvent
from PySide6.QtWidgets import QFileDialog, QWidget

from visualizer import comparison, over, sight, sonify
from visualizer.export import film as films
from visualizer.language import numeral, tr, translated
from visualizer.over import Inputs
from visualizer.registry import PART, sweep, write_whole
from visualizer.scene import numbers
from visualizer.scene.passage import Passage
from visualizer.scene.state import State, changed, moment_of, to_json
from visualizer.scene.timeline import Timeline
from visualizer.scene.type import elide
from visualizer.sight import Recorded
from visualizer.trace import Trace
from visualizer.ui import faults, style
from visualizer.ui.buttons import Button, Segment, Segments, note_focus
from visualizer.ui.commands import find, key_for, keyed
from visualizer.ui.commands.inputs import why_no_inputs
from visualizer.ui.input_track import title
from visualizer.ui.stage import each
from visualizer.ui.store import Store

WIDE, LABEL, EDGE, ROW = 496, 84, 16, 44
LAID_OUT = (1280, 720)
"""What a film of a fixed size is laid out in; larger ones are the same picture, sharper."""
RATES, SPEEDS = (15, 30, 60), (0.5, 1, 2, 4)


@dataclass(frozen=True)
class Wish:
    """What was chosen in the panel."""

    stretch: int = 0
    """0 whole, 1 forward, 2 backward, 3 from here."""
    form: str = "mp4"
    scale: float = 1.0
    """Of `LAID_OUT`; 0 for what the stage shows."""
    fps: int = 30
    speed: float = 1
    sound: str = ""
    """What is heard with it, one of `sonify.audibles`; empty for the sound that the network reads."""
    over: bool = False
    """Through the inputs that are stepped through, all of them looked at at the moment that is shown; else through the
    beats of one."""


class FilmPanel(QWidget):
    """A card over the window's corner: through beats or inputs, which stretch, which file, how large and
    how fast; then how far it is."""

    heard_as = QAccessible.Role.Dialog

    said = Signal(str)
    """One sentence: where the film is, or why there is none."""
    closed = Signal()

    def __init__(self, store: Store, pictured: Callable[[], State], choose_inputs: Callable[[QPoint], None],
                 parent: QWidget) -> None:
        """`pictured` answers the State that the film shows; `choose_inputs` offers at a point of the screen which
        inputs are stepped through."""
        super().__init__(parent)
        self.store, self.pictured = store, pictured
        self.forms = sorted(films.formats(), key=lambda form: (not form.even, not form.suffixes, form.name))
        self.job: Job | None = None
        self.done = (0, 1)
        """Frames that are done, and of how many."""
        self.hide()
        self.stretch = self._row(tr("What"), (tr("Whole"), tr("Forward"), tr("Backward"), tr("From here")), 0)
        self.through = self._row(tr("Through"), (tr("Beats"), tr("Inputs")), 0)
        self.through.chosen.connect(self._fit_stretch)
        self.chooser = Button("", "", "raised", self)
        self.chooser.clicked.connect(lambda: choose_inputs(self.chooser.mapToGlobal(QPoint(0, self.chooser.height()))))
        self.form = self._row(tr("As"), tuple(form_words(form) for form in self.forms), 0)
        self.size_row = self._row(tr("Size"), (tr("Stage"), "1280 × 720", "1920 × 1080", "3840 × 2160"), 2)
        self.rate = self._row(tr("Frames"), tuple(tr("{n} a second").format(n=rate) for rate in RATES), 1)
        self.speed = self._row(tr("Speed"), tuple(numeral(f"{speed:g}×") for speed in SPEEDS), 1)
        self.sound = self._row(tr("Sound"), (tr("Its own"), *(translated(each.title) for each in sonify.audibles())), 0)
        self.rows = ((tr("Through"), self.through), (tr("What"), self.stretch), (tr("As"), self.form),
                     (tr("Size"), self.size_row), (tr("Frames"), self.rate), (tr("Speed"), self.speed),
                     (tr("Sound"), self.sound))
        self.go = Button(tr("Export film…"), "export", "raised", self)
        self.go.clicked.connect(self._choose)
        self.stop = Button(tr("Cancel"), "", "raised", self)
        self.stop.clicked.connect(self.cancel)
        self.close_button = Button("", "cross", "flat", self)
        self.close_button.clicked.connect(self.toggle)
        style.name(self, tr("Export film"))
        style.name(self.go, tr("Export film"), tr("Choose where, and make the film"))
        style.name(self.stop, tr("Cancel"), tr("Stop making the film; nothing half done is left"))
        style.name(self.close_button, tr("Close"),
                   keyed(tr("Close this panel; a film that is being made goes on"), "out"))
        store.changed.connect(self.refresh)
        store.trace_changed.connect(self.refresh)
        store.inputs_changed.connect(self.refresh)

    def focusInEvent(self, event: QFocusEvent) -> None:
        note_focus(self, event)
        super().focusInEvent(event)

    def open_over(self) -> None:
        """Show it, for a film through the inputs where they can be had; put it away where it shows one already."""
        if self.isVisible() and (self.wish().over or why_not_over(self.store)):
            self.toggle()
            return
        if not self.isVisible():
            self.toggle()
        if self.job is None and not why_not_over(self.store):
            self.through.choose(1)
            self._fit_stretch()
            self.refresh()
            self.through.buttons[1].setFocus(Qt.FocusReason.ShortcutFocusReason)

    def toggle(self) -> None:
        """Show it, or put it away; a film that is being made goes on."""
        if self.isVisible():
            self.hide()
            self.closed.emit()
            if self.job is not None:
                self.said.emit(tr("The film is being made; {key} shows how far it is.").format(key=key_for("film")))
            return
        self.refresh()
        self.show()
        self.raise_()
        self.stretch.buttons[max(0, self.stretch.group.checkedId())].setFocus(Qt.FocusReason.ShortcutFocusReason)

    def place(self, within: QRect) -> None:
        """Stand in the upper right corner of an area of the window."""
        high = EDGE + 28 + ROW * len(self.rows) + 28 + 32 + EDGE
        self.setGeometry(within.right() - WIDE - 7, within.top() + 8, WIDE, high)
        self.close_button.setGeometry(WIDE - 28 - 10, 10, 28, 28)
        for number, (_, segments) in enumerate(self.rows):
            segments.setGeometry(EDGE + LABEL, EDGE + 32 + ROW * number, WIDE - LABEL - 2 * EDGE, 36)
        half = (WIDE - LABEL - 2 * EDGE) // 2
        self.through.resize(half - 4, 36)
        self.chooser.setGeometry(EDGE + LABEL + half + 4, EDGE + 34, half - 4, 32)
        wide = self.go.sizeHint().width()
        self.go.setGeometry(WIDE - EDGE - wide, high - EDGE - 32, wide, 32)
        wide = self.stop.sizeHint().width()
        self.stop.setGeometry(WIDE - EDGE - wide, high - EDGE - 32, wide, 32)

    def wish(self) -> Wish:
        """What is chosen."""
        chosen = [segments.group.checkedId() for _, segments in self.rows]
        return Wish(chosen[1], self.forms[chosen[2]].name, (0.0, 1.0, 1.5, 3.0)[chosen[3]], RATES[chosen[4]],
                    SPEEDS[chosen[5]], ("", *(each.name for each in sonify.audibles()))[chosen[6]],
                    over=chosen[0] == 1)

    def refresh(self, *changed: object) -> None:
        """Set what can be done, and what is said about it."""
        if self.isVisible() or self.job is None:
            self.go.setVisible(self.job is None)
            self.stop.setVisible(self.job is not None)
            for _, segments in self.rows:
                segments.setEnabled(self.job is None)
            self._refresh_inputs()
            words, good = self.words()
            self.go.setEnabled(good)
            self.setAccessibleDescription(words)
            self.update()

    def words(self) -> tuple[str, bool]:
        """One sentence about the film that is chosen or being made, and whether it can be made."""
        if self.job is not None:
            done, of = self.done
            return tr("{done} of {of} frames").format(done=numbers.count(done), of=numbers.count(of)), True
        found = recordings(self.store)
        if not found:
            return tr("There is nothing to film yet."), False
        form = films.find(f"film.{self.wish().form}" if self.wish().form != "folder" else "film")
        if self.wish().over and (why := why_not_over(self.store) or ("" if self.store.inputs else tr(
                "The inputs are still being read; they can be filmed in a moment."))):
            return why, False
        made = filmed(found, self.pictured(), self.wish(), self.store.inputs)
        why = form.missing() or films.refusal(made, form)
        return (why, False) if why else (tr("{seconds} s, {n} frames").format(
            seconds=numbers.number(float(made.seconds), 1), n=numbers.count(made.count)), True)

    def make_page(self, path: Path) -> None:
        """Make a page of the whole stretch, as large as the stage, whatever film is chosen here."""
        if self.job is not None:
            self.said.emit(tr("The film is being made; {key} shows how far it is.").format(key=key_for("film")))
            return
        self.start(path, Wish(form="html", scale=0.0))
        if not self.isVisible():
            self.toggle()

    def start(self, path: Path, wish: Wish | None = None) -> None:
        """Make the film that is chosen, or another one."""
        found, wish = recordings(self.store), wish or self.wish()
        self.done = (0, filmed(found, self.pictured(), wish, self.store.inputs).count)
        try:
            self.job = Job(found, self.pictured(), wish, path, self, self.store.inputs)
        except OSError as error:
            self.said.emit(tr("The film was not made: {why}").format(why=error))
            return
        self.job.progress.connect(self._progress)
        self.job.ended.connect(self._ended)
        self.refresh()

    def cancel(self) -> None:
        """Stop making the film."""
        if self.job is not None:
            self.job.cancel()

    def paintEvent(self, event: QPaintEvent) -> None:
        with faults.painting(self) as painter:
            style.fill(painter, QRectF(self.rect()), "raised", 10, "rule")
            style.write(painter, tr("Export film"), EDGE, EDGE + 14, size=16, weight=600)
            for number, (label, _) in enumerate(self.rows):
                style.write(painter, label, EDGE, EDGE + 32 + ROW * number + 22.7, "ink-2", width=LABEL - 8)
            bottom, room = self.height() - EDGE, WIDE - 2 * EDGE
            words, good = self.words()
            if self.job is not None:
                wide = room - self.stop.width() - 16
                style.write(painter, words, EDGE, bottom - 20, "ink-2", width=wide)
                style.fill(painter, QRectF(EDGE, bottom - 8, wide, 6), "sunk", 3)
                style.fill(painter, QRectF(EDGE, bottom - 8, max(6.0, wide * self.done[0] / max(1, self.done[1])), 6),
                           "accent", 3)
                return
            lines = _two_lines(words, room - self.go.width() - 16)
            for number, line in enumerate(lines):
                style.write(painter, line, EDGE, bottom - 11 - 17 * (len(lines) - 1 - number) + 8 * (len(lines) - 1),
                            "ink-2" if good else "negative-text", width=room - self.go.width() - 16)

    def _fit_stretch(self) -> None:
        """Inputs lie in one row: there is no way back through them."""
        through = self.wish().over
        if through and self.stretch.group.checkedId() in (1, 2):
            self.stretch.choose(0)
        self.stretch.show_only((0, 3) if through else range(4))
        self.refresh()

    def _refresh_inputs(self) -> None:
        """Whether inputs can be filmed, and which."""
        why, asked = why_not_over(self.store), over.parse(self.store.state.over)
        if why and self.wish().over:
            self.through.choose(0)
            self._fit_stretch()
        ready = self.job is None and not why
        self.through.buttons[1].setEnabled(ready)
        tip = tr("One input after the other at this moment, as the track of the inputs goes through them")
        self.through.buttons[1].setToolTip(why or keyed(tip, "film-inputs"))
        self.through.buttons[0].setToolTip(tr("One beat after the other of the input that is shown"))
        self.chooser.setVisible(not why)
        self.chooser.setEnabled(ready and self.wish().over)
        self.chooser.setText(f"{elide(title(asked), 13, self.chooser.width() - 48, 500)} ▾")
        style.name(self.chooser, tr("Which inputs: {which}").format(which=title(asked)),
                   keyed(find("choose-inputs").tip, "choose-inputs"))

    def _row(self, label: str, choices: tuple[str, ...], chosen: int) -> Segments:
        segments = Segments([Segment(words) for words in choices], self)
        segments.setAccessibleName(label)
        for button, words in zip(segments.buttons, choices, strict=True):
            style.name(button, f"{label}: {words}")
        segments.choose(chosen)
        segments.chosen.connect(lambda number: self.refresh())
        return segments

    def _choose(self) -> None:
        """Ask for a name, and begin."""
        form = self.forms[self.form.group.checkedId()]
        suffix = form.suffixes[0] if form.suffixes else ""
        name = self.store.state.model.replace("/", "-").removesuffix(".trace") + (suffix or "-film")
        kinds = f"{form.title} (*{suffix})" if suffix else ""
        path, _ = QFileDialog.getSaveFileName(self, tr("Export film"), name, kinds)
        if path:
            self.start(Path(path if path.lower().endswith(suffix) else path + suffix))

    def _progress(self, done: int, of: int) -> None:
        self.done = (done, of)
        self.refresh()

    def _ended(self, sentence: str) -> None:
        self.job = None
        self.refresh()
        self.said.emit(sentence)


class Job(QObject):
    """One film in the making, in a process of its own."""

    progress = Signal(int, int)
    """(frames done, of how many)."""
    ended = Signal(str)
    """One sentence: where the film is, or why there is none."""

    def __init__(self, found: tuple[Recorded, ...], state: State, wish: Wish, path: Path,
                 parent: QObject | None = None, known: Inputs | None = None) -> None:
        """Raises OSError if there is no room for the recordings."""
        super().__init__(parent)
        self.path, self.result, self.stopped = path, "", False
        self.folder = Path(_folder())
        try:
            write_whole(self.folder / "shown.session", to_json(state).encode())
            files = [write_whole(self.folder / f"{number}.trace", trace.to_bytes(compress=False))
                     for number, trace in enumerate(trace for recorded in found for trace in each(recorded))]
        except OSError:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        self.process = QProcess(self)
        self.process.readyReadStandardOutput.connect(self._read)
        self.process.finished.connect(self._finished)
        self.process.errorOccurred.connect(self._failed_to_start)
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self._leave)
        self.process.start(sys.executable, ["-m", "visualizer", "film", str(self.folder / "shown.session"),
                                            *(word for file in files for word in ("--numbers", str(file))),
                                            "--json", "-o", str(path), *arguments(found, state, wish, known)])

    def cancel(self) -> None:
        """Stop it: it tidies up after itself; where a process cannot be asked to, this does."""
        self.stopped = True
        if sys.platform == "win32":
            self.process.kill()
        else:
            self.process.terminate()

    def _leave(self) -> None:
        """The window closes: no half film stays."""
        self.process.finished.disconnect(self._finished)
        self.process.errorOccurred.disconnect(self._failed_to_start)
        self.cancel()
        if not self.process.waitForFinished(2000):
            self.process.kill()
            self.process.waitForFinished(1000)
        self._tidy()

    def _read(self) -> None:
        while self.process.canReadLine():
            with suppress(ValueError):
                told = json.loads(bytes(self.process.readLine().data()))
                if "done" in told:
                    self.progress.emit(told["done"], told["of"])
                elif "frames" not in told:
                    self.result = tr("Saved as {name}: {size} MB.").format(
                        name=self.path.name, size=numbers.number(told["bytes"] / 1e6, 1))
                else:
                    self.result = tr("Saved as {name}: {n} frames, {seconds} s, {size} MB.").format(
                        name=self.path.name, n=numbers.count(told["frames"]),
                        seconds=numbers.number(told["seconds"], 1), size=numbers.number(told["bytes"] / 1e6, 1))

    def _finished(self) -> None:
        self._read()
        self._tidy()
        why = bytes(self.process.readAllStandardError().data()).decode("utf-8", "replace").strip().splitlines()
        if self.stopped and not self.result:
            self.ended.emit(tr("The film was stopped; {name} was not written.").format(name=self.path.name))
        else:
            self.ended.emit(self.result or tr("The film was not made: {why}").format(
                why=why[-1] if why else tr("its process ended unexpectedly; try again.")))

    def _failed_to_start(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart:
            self._tidy()
            self.ended.emit(tr("The film was not made: no process could be started; try again."))

    def _tidy(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        with suppress(OSError):
            sweep(self.path.parent, PART)


def recordings(store: Store) -> tuple[Recorded, ...]:
    """What is seen from each place; nothing while anything of it is still to come. Of a comparison all that its process
    has to be given, see `comparison.carried`."""
    if store.state.compare:
        return comparison.carried(store.readers) if store.readers and not store.waiting else ()
    found = store.beside or (() if store.carried is None or store.waiting else (store.carried,))
    whole = len(found) == len(store.state.places)
    return found if whole and not (store.state.reel and isinstance(store.carried, Trace)) else ()


def why_not_over(store: Store) -> str:
    """Why no film can go through inputs, in one sentence; empty if one can."""
    if len(store.state.places) > 1 or store.state.reel:
        return tr("A film goes through the inputs of one network; close what stands beside it first.")
    return "" if store.takes_inputs else why_no_inputs(False)


def filmed(found: tuple[Recorded, ...], state: State, wish: Wish, known: Inputs | None = None) -> films.Film:
    """The film that a wish means; `known` are the inputs of one that goes through them."""
    return replace(_silent(found, state, wish, known), sound=wish.sound)


def _silent(found: tuple[Recorded, ...], state: State, wish: Wish, known: Inputs | None) -> films.Film:
    even = next(form.even for form in films.formats() if form.name == wish.form)
    size = LAID_OUT if wish.scale else tuple(length - length % 2 if even else length for length in state.look.size)
    state = changed(state, look=replace(state.look, size=size))
    recorded, paced = found[state.active], (Fraction(wish.fps), Fraction(wish.speed), wish.scale or 1.0)
    if wish.over and known is not None:
        first, trace = first_input(state, wish, known), sight.own(recorded)
        way = Passage(first, known.words[first - 1:], lambda index, size: sight.seen(trace, state, None, size),
                      lambda index: trace.shapes, lambda index: "", sight.moment_of(trace, state).beat)
        return replace(films.of_state(state, found, Fraction(0), Fraction(0), *paced), end=None, over=way)
    readers = comparison.received(state, map(sight.own, found)) if state.compare else ()
    times = comparison.times([reader.trace for reader in readers], state.active) if readers else \
        sight.times(recorded, state)
    start, end = films.between(times, *addresses(times, state, wish))
    return films.of_state(state, found, start, end, *paced, readers)


def first_input(state: State, wish: Wish, known: Inputs) -> int:
    """The number of the input with which a film begins, from 1."""
    return known.places.get(state.sample, 0) + 1 if wish.stretch == 3 else 1


def arguments(found: tuple[Recorded, ...], state: State, wish: Wish, known: Inputs | None = None) -> list[str]:
    """The same film in the words of the command line."""
    times = comparison.times([sight.own(each) for each in found[:len(state.places)]], state.active) \
        if state.compare else sight.times(found[state.active], state)
    through: list[str] = []
    if wish.over and known is not None:
        first, last = str(first_input(state, wish, known)), str(len(known.words))
        through = ["--over", state.over or over.INPUTS, "--at", moment_of(state, times).address]
    else:
        first, last = addresses(times, state, wish)
    said = ["--fps", str(wish.fps), "--speed", str(wish.speed), *(["--sound", wish.sound] if wish.sound else [])]
    if wish.scale:
        said += ["--size", f"{LAID_OUT[0]}x{LAID_OUT[1]}", "--scale", str(wish.scale)]
    return said + through + (["--from", first] if first else []) + (["--to", last] if last else [])


def addresses(times: Timeline, state: State, wish: Wish) -> tuple[str, str]:
    """From where to where; empty for the very beginning or end."""
    if times.within and wish.stretch in (1, 2):  # a reel goes one way alone
        return "", ""
    if wish.stretch == 1:
        return "", times.at(films.forward(times)[1]).address
    if wish.stretch == 2:
        return times.at(films.backward(times)[0]).address, ""
    return (moment_of(state, times).address, "") if wish.stretch == 3 else ("", "")


def form_words(form: films.FilmFormat) -> str:
    """`MP4`, `GIF`: as short as a segment is."""
    return form.name.upper() if form.suffixes and form.name not in ("webm", "webp") else \
        {"webm": "WebM", "webp": "WebP"}.get(form.name, tr("Pictures"))


def _two_lines(words: str, room: float) -> list[str]:
    """A sentence on at most two lines; what does not fit is elided when it is written."""
    if style.text_width(words) <= room:
        return [words]
    first: list[str] = []
    rest = words.split(" ")
    while rest and style.text_width(" ".join([*first, rest[0]])) <= room:
        first.append(rest.pop(0))
    return [" ".join(first), " ".join(rest)]


LEFT = re.compile(r"visualizer-film-([0-9]+)-.*")
"""What the folder is called in which a film waits to be made, and by which window."""


def _folder() -> str:
    """A new one; those of windows that were killed are gone."""
    sweep(Path(tempfile.gettempdir()), LEFT)
    return tempfile.mkdtemp(prefix=f"visualizer-film-{os.getpid()}-")
