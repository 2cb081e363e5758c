"""Asking: stands between a model file that is to be opened and the sheet on which a person says what it does not say.

Where nothing is to be asked the file opens at once. Whatever goes wrong ends as one sentence on the sheet, which stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from visualizer import beside, consent, door, manifest, opening, survey
from visualizer.door import Found
from visualizer.language import tr, translated
from visualizer.opening import Opening
from visualizer.registry import NotWritten
from visualizer.scene.state import State
from visualizer.trace import Refused, Trace
from visualizer.ui.recorder import Recorder


class Asking(QObject):
    """One file at a time: the newest."""

    shown = Signal(object)
    """The Page that the sheet shows."""
    over = Signal()
    """There is nothing to show any more."""
    reading = Signal(str)
    """One sentence while a file is looked at of which there is no sheet yet; an empty one behind that."""
    said = Signal(str)
    """One sentence, where there is no sheet to say it."""

    def __init__(self, recorder: Recorder, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.recorder, self.engine, self.store = recorder, recorder.engine, recorder.store
        self.found: Found | None = None
        """What is to be opened."""
        self.opening: Opening | None = None
        """Where the sheet stands, while there is one."""
        self._chosen = True
        self._number = -1
        """The survey that was asked for last."""
        self._before: State | None = None
        """Where one was when the file was run; None while it is not running."""
        self._slow = -1
        """What takes long, while the sheet waits for it."""
        self._kept = ""
        """Where the answers were kept, where that is not beside the file."""
        self.engine.answered.connect(self._answered)
        self.engine.refused.connect(self._refused)
        self.engine.failed.connect(self._failed)
        self.engine.slow.connect(self._takes_long)
        self.store.trace_changed.connect(self._recorded)
        recorder.said.connect(self._heard)
        recorder.gate = self.begin

    # --- what a person does ---

    def begin(self, found: Found, chosen: bool = True, again: bool = False) -> None:
        """Look at a file before it is opened; `again`, to edit what was said of the one that is open."""
        self.found, self._chosen, self._before = found, chosen, None
        self.opening = None
        self._again = again
        self._ask(None)
        self.reading.emit(tr("{file} is being read…").format(file=Path(found.name).name))

    def edit(self) -> None:
        """What was said of the model at hand is to be changed."""
        model = self.store.state.model
        if is_told(model):
            self.begin(Found(door.MODEL, model), again=True)
        else:
            self.said.emit(tr("Of what is shown nothing can be told: it says all of itself; open a model file of your "
                              "own."))

    def answer(self, name: str, word: Any) -> None:
        """Another answer; what comes of it is shown as soon as it is known."""
        if self.opening is None or self._before is not None:
            return
        try:
            self.opening = opening.answered(self.opening, name, word)
        except Refused as error:
            self._show(replace(self.opening, problem=str(error)))
            return
        self._show(self.opening)
        self._ask(self.opening.said)

    def turn(self, what: str, word: Any) -> None:
        """Something of the page is shown otherwise."""
        if self.opening is not None:
            self._show(opening.turned(self.opening, what, word))

    def take_labels(self, path: str) -> None:
        """Labels from a text file, or a list that is known by its name."""
        try:
            self.answer("labels", beside.named(path) if path in opening.LISTS else beside.labels_in(path))
        except Refused as error:
            if self.opening is not None:
                self._show(replace(self.opening, problem=str(error)))

    def go(self) -> None:
        """Run it once and open it; or run the program, of which nothing is known before."""
        at = self.opening
        if at is None or self.found is None or self._before is not None or at.busy:
            return
        if at.survey.runs and not at.survey.agreed:
            self._agree(at)
            return
        try:
            kept = manifest.keep(at.survey.file, at.said)
        except (NotWritten, OSError, ValueError) as error:
            self._show(replace(at, problem=tr("What you said cannot be kept ({why}).").format(
                why=str(error).rstrip("."))))
            return
        self._kept = "" if kept == manifest.beside(at.survey.file) else str(kept)
        self._before = self.store.state
        self._show(replace(at, busy=tr("Running it once…")))
        self.recorder.open_now(self.found, self._chosen)

    def take_proposed(self) -> None:
        """What was said on the sheet is taken back."""
        if self.opening is not None:
            self._show(opening.proposed(self.opening))
            self._ask(self.opening.said)

    def cancel(self) -> None:
        """Away with the sheet; what was looked at is looked at. What takes long is ended."""
        if self._slow >= 0:
            self.engine.interrupt(self._slow)
        elif self._number >= 0:
            self.engine.cancel(self._number)
        if self._before is not None:
            self._back()
        self._end()

    # --- how it goes on ---

    def _agree(self, at: Opening) -> None:
        """The person has agreed to run the program: remember that for exactly this file, and look at it again."""
        agree(at.survey)
        self._show(replace(at, busy=tr("Running {name}…").format(name=Path(at.survey.file).name), problem=""))
        self._ask(at.said)

    def _ask(self, told: manifest.Manifest | None) -> None:
        assert self.found is not None
        self._number = self.engine.request("survey", model=self.found.name,
                                           told=None if told is None else told.plain())

    def _answered(self, number: int, name: str, answer: Mapping[str, Any]) -> None:
        if number != self._number or self.found is None:
            return
        found, self._slow = survey.from_plain(answer["survey"]), -1
        self.reading.emit("")
        if self.opening is not None:
            self._show(opening.surveyed(self.opening, found))
        elif opening.is_clear(found) and not self._again:
            wanted, self.found = self.found, None
            self.recorder.open_now(wanted, self._chosen)
        else:
            self._show(opening.begun(found, self._again))

    def _refused(self, number: int, why: str) -> None:
        """The file cannot be opened so: one sentence."""
        if number == self._number and self.opening is not None:
            self._show(replace(self.opening, refused=why, problem="", busy=""))
        else:
            self._failed(number, why)

    def _failed(self, number: int, why: str) -> None:
        """The file cannot be looked at, or the engine has ended: one sentence."""
        if number != self._number:
            return
        self._slow = -1
        if self.opening is None:
            self.reading.emit("")
            self.found = None
            self.said.emit(why)
        else:
            self._show(replace(self.opening, problem=why, busy=""))

    def _takes_long(self, number: int, still: float, limit: float, place: str) -> None:
        """Say so on the sheet, which lies over where it is said else; Cancel ends it."""
        if self.opening is None or (number != self._number and self._before is None):
            return
        self._slow = number
        self._show(replace(self.opening, busy=tr("{place} takes long: {still} s; at {limit} s it is ended.").format(
            place=place or tr("This"), still=round(still), limit=round(limit))))

    def _recorded(self, trace: Trace) -> None:
        """Something was recorded: the file, if that was awaited."""
        if self._before is not None and self.found is not None and self.store.state.model == self.found.name \
                and not self.store.waiting:
            self._before = None
            self._end()
            if self._kept:
                self.said.emit(tr("Nothing can be written beside the file, so what you said is kept as {file}.").format(
                    file=self._kept))

    def _heard(self, sentence: str) -> None:
        """The recorder has said why it cannot be opened, while that was awaited."""
        if self._before is not None and self.opening is not None:
            self._back()
            self._show(replace(self.opening, busy="", problem=sentence))

    def _back(self) -> None:
        """To where one was before the file was run."""
        before, self._before = self._before, None
        if before is not None and self.store.state.recipe != before.recipe:
            look = self.store.state.look
            self.store.apply(lambda state: replace(before, playing=False, places=tuple(
                replace(place, look=replace(place.look, size=look.size)) for place in before.places)), undoable=False)

    def _end(self) -> None:
        self.reading.emit("")
        self.found, self.opening, self._number, self._slow = None, None, -1, -1
        self.over.emit()

    def _show(self, at: Opening) -> None:
        self.opening = at
        self.shown.emit(opening.page(at))

    def show_again(self) -> None:
        """The same page, in another window or another language."""
        if self.opening is not None:
            self._show(self.opening)


def is_told(model: str) -> bool:
    """Whether a model is a file of which something can be said."""
    return door.can_run(model) and Path(model).is_file()


def lists() -> dict[str, str]:
    """The lists of labels that need no typing, by name."""
    return {name: translated(title) for name, title in opening.LISTS.items()}


def agree(found: survey.Survey) -> None:
    """Remember that a person has agreed to run exactly this file."""
    told = found.told.source
    consent.give(Path(found.file).with_name(told) if told else found.file)
