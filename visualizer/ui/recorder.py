"""Recorder: gets the recording that the State asks for, from a file or from the engine; and opens what people bring.

Whatever goes wrong ends as one sentence, and with the recording that was there before.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QObject, QTimer, Signal  # noqa: TID251 waits, shows nothing

from visualizer import door, inputs, latent, over, views
from visualizer.card import Card, from_plain
from visualizer.door import Found
from visualizer.engine.client import Engine
from visualizer.language import tr
from visualizer.over import Inputs
from visualizer.scene import numbers, session
from visualizer.scene import state as does
from visualizer.scene.recipe import LabRecipe, ModelRecipe, Recipe
from visualizer.scene.session import Session
from visualizer.scene.state import State, changed, packed, turned, unpacked
from visualizer.trace import Arrays, Refused, Trace, load
from visualizer.ui.shipped import shipped_trace
from visualizer.ui.store import Recording, Store, network_of

TYPES_ON = 100
"""Characters; while a longer text is typed, only what changed is read, and the gradients follow."""
SO_FAR, SORTED = " so far", "sorted"
"""What the name of a study has behind it while more of it comes, and the knob of the view that then sorts it."""
OF_EDIT = ("now",)
QUIET = 600
"""Milliseconds without another change after which the laboratory is checked."""
SWEEP = "sweep"
"""The knob of the view that shows what a sweep found."""
AHEAD = (1, 2, 3, -1)
"""Which inputs are recorded ahead, counted from where one stands in the way that one goes."""
IDLE = 5
"""Milliseconds after a recording has come, in which whoever waits for it is served first."""
MOST_CARRIED = 4
"""So many recordings that came along in sessions are kept at hand."""


class Recorder(QObject):
    """Stands between the store and the engine."""

    opened = Signal(str)
    """A file has been opened."""
    said = Signal(str)
    """One sentence about what went wrong."""
    status = Signal(str)
    """A few words about live computing."""
    slow = Signal(str, object)
    """One sentence about what takes long, and what ends it; an empty one once it has come on."""

    def __init__(self, store: Store, engine: Engine, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.store, self.engine = store, engine
        self._sessions: dict[Recipe, Session] = {}
        """What was opened, by the recording it asks for: its numbers, or which weights they came from."""
        self._asked: dict[int, State] = {}
        self._before = store.state
        """Where one was in the recording that is still shown while another one is asked for."""
        self._gone = False
        self._opening: tuple[int, Found] | None = None
        """What is to be opened as soon as it is known what a model reads, and the request for that."""
        self._asking: set[str] = set()
        """Model files of which it was asked what they read."""
        self._measured: dict[int, tuple[State, str]] = {}
        """Studies that are under way."""
        self._live = ""
        """What is said of live computing while nothing else is."""
        self._turned: State | None = None
        """To where the knobs of the laboratory were turned while it computes what they stood at before."""
        self._checked = -1, store.state
        """The check of the laboratory that was asked for last."""
        self._sweeping: int | None = None
        """The sweep of the laboratory that is under way."""
        self._listing: tuple[int, State] = -1, store.state
        """The list of inputs that was asked for last."""
        self._listed = store.state.over
        """What was stepped through before."""
        self._ahead: tuple[int, State] | None = None
        """What is recorded before anybody has asked for it."""
        self._way = 1
        """Which way one went through the inputs last."""
        self._slow = -1
        """What takes long and is said to."""
        self._in_vain: set[tuple[object, str]] = set()
        """Studies that were refused; they are not asked for again."""
        self.elsewhere: Callable[[str, State], bool] = lambda name, state: False
        """Whether somebody else has a study measured."""
        self.gate: Callable[[Found, bool], None] | None = None
        """Who looks at a model file before it is opened, and lets it be opened with `open_now`; None for nobody."""
        store.changed.connect(self._remember)
        store.changed.connect(lambda old, new: _asks_anew(old, new) and self._measure_anew(new))
        store.trace_changed.connect(lambda trace: self.measure())
        store.changed.connect(self._put_sweep_away)
        store.wants_trace.connect(self.record)
        store.changed.connect(lambda old, new: old.places != new.places and self.record_beside())
        store.trace_changed.connect(lambda trace: self.record_beside())
        store.changed.connect(self._follow_inputs)
        self._idle = QTimer(self)
        self._idle.setSingleShot(True)
        self._idle.setInterval(IDLE)
        self._idle.timeout.connect(self.look_ahead)
        store.trace_changed.connect(lambda trace: self._idle.start())
        store.inputs_changed.connect(self._idle.start)
        store.beside_changed.connect(self._idle.start)
        store.beside_changed.connect(self.record_beside)
        store.beside_changed.connect(self.measure)
        engine.ready.connect(self._ready)
        engine.answered.connect(self._answered)
        engine.refused.connect(self._turned_down)
        engine.failed.connect(self._turned_down)
        engine.died.connect(self._died)
        engine.progress.connect(self._went_on)
        engine.slow.connect(self._takes_long)

    # --- what the State asks for ---

    def record(self, state: State) -> None:
        """Get the recording of a State: from its own file, from the bundled recordings, or from the engine."""
        try:
            self._ask_what_it_reads(state)
            opened = self._sessions.get(state.recipe)
            if opened is not None and opened.trace is not None:
                self._show(opened.trace, None, state)
                if door.can_run(state.model):
                    self._ask(state)  # the engine's answer brings the verdict, or says that the weights are others now
                else:
                    self._check_later(state)
            elif door.is_recording(state.model):
                if state.edits:
                    raise Refused(tr("A recording holds numbers and no network, so nothing can be changed in it; open "
                                     "the model."))
                self._show(_saved_trace(Path(state.model), state), None, state)
                self._check_later(state)
            elif (kept := self.store.kept(state.recipe)) is not None and kept.trace is not self.store.trace:
                self._show(kept.trace, kept.report, state)
                if Path(state.model).is_file():
                    self.verify()  # it may hold others by now
                elif kept.report is None:
                    self._check_later(state)
            elif (found := shipped_trace(state)) is not None:
                self._show(found, None, state)
                self._ask(state)  # the engine's answer brings the verdict of its check
            elif self._is_typed_on(state):
                number = self.engine.request("extend", lane="record", model=state.model, sample=state.sample,
                                             edits=state.edits)
                self._asked = {number: state}
            elif self._ahead is not None and self._ahead[1].recipe == state.recipe:
                self._asked, self._ahead = {self._ahead[0]: state}, None
            else:
                self._ask(state)
        except Refused as error:
            if state.recipe == self.store.state.recipe:
                self._refuse(str(error))
            else:
                self._not_beside(state, str(error))

    def _not_beside(self, state: State, sentence: str) -> None:
        """Another recording than that of the active place cannot be had."""
        self._in_vain.add((state.recipe, ""))
        others = [self.store.card_of(place.recipe.name).title for place in self.store.state.places
                  if self.store.kept(place.recipe) is not None]
        self.said.emit(tr("{why} Who can: {names}.").format(why=sentence, names=", ".join(dict.fromkeys(others)))
                       if self.store.state.compare and others else sentence)
        if self.store.state.compare:
            index = next((index for index, place in enumerate(self.store.state.places)
                          if place.recipe == state.recipe), self.store.state.active)
            if index != self.store.state.active:
                self.store.apply(lambda state: does.without(state, index), undoable=False)
        self.record_beside()

    def _ask_what_it_reads(self, state: State) -> None:
        """The Card of a model file that came with a saved State, if nobody has asked for it yet."""
        model = state.model
        known = model in self._asking or bool(self.store.card_of(model).intakes)
        if not known and isinstance(state.recipe, ModelRecipe) and door.can_run(model):
            self._asking.add(model)
            self.engine.request("describe", lane=f"describe {model}", model=model)

    def record_beside(self) -> None:
        """Get the recordings of the other places, one after the other, once that of the active one has come."""
        state = self.store.state
        if self.store.waiting or self._asked:
            return
        for wanted in self.store.wanted():
            if self.store.kept(wanted.recipe) is None:
                if (wanted.recipe, "") not in self._in_vain:
                    self.record(wanted)
                    return
                if state.reel:
                    self.store.apply(does.without_reel, undoable=False)
                    return
        if why := self.store.reel_refused():
            self.store.apply(does.without_reel, undoable=False)
            self.said.emit(why)
        self.store.gather()

    def measure(self) -> None:
        """Ask for the studies that the view shows and the recording does not hold yet; a file holds what it holds."""
        state, trace = self.store.state, self.store.trace
        if trace is None or self.store.waiting or state.in_lab or door.is_recording(state.model):
            return
        if any(name in trace.studies for name in views.find(state.view).carries):
            self._sort(True)
        under_way = {(asked.recipe, name) for asked, name in self._measured.values()} | self._in_vain
        for wanted in (state, *(other for other in self.store.wanted() if state.reel and other.recipe != state.recipe)):
            recording = self.store.kept(wanted.recipe)
            for name in () if recording is None or door.is_recording(wanted.model) \
                    else views.find(state.view).measured(state.look, recording.trace, state.focus):
                if self.elsewhere(name, wanted):
                    continue
                if name not in recording.trace.studies and (wanted.recipe, name) not in under_way:
                    beside = "" if wanted.recipe == state.recipe else f" {wanted.recipe}"
                    lane = f"study {name.partition(':')[0]}{beside}"
                    others = self._others(name, wanted)
                    if (held := self._held_already(name, wanted, others)) is not None:
                        self.store.set_study(name, held, wanted)
                        return
                    number = self.engine.request("study", lane=lane, name=name, **self._wishes(wanted), **others)
                    self._measured[number] = wanted, name

    def _measure_anew(self, state: State) -> None:
        """Ask for what is looked at now; what was asked for in other words is given up, or where its view is left."""
        wanted = views.find(state.view).measured(state.look, self.store.trace, state.focus)
        for number, (_, name) in list(self._measured.items()):
            if name not in wanted and name != SWEEP and views.by_words(name):
                self.engine.cancel(number)
                del self._measured[number]
                self.status.emit(self._live)
        self.measure()

    def _others(self, name: str, wanted: State) -> dict[str, Any]:
        """The inputs beside which a study sees this one, for the one that does."""
        known = self.store.inputs if name == over.STUDY else None
        return {} if known is None else {"others": known.around(wanted.sample)}

    def _held_already(self, name: str, wanted: State, others: dict[str, Any]) -> Arrays | None:
        """What was measured with another input of the same page, or of the same network where it is that of any input,
        and is the same for this one."""
        if name in views.find(wanted.view).of_network:
            network = network_of(wanted.recipe)
            return next((recording.trace.studies[name] for recipe, recording in self.store.recordings
                         if name in recording.trace.studies and network_of(recipe) == network), None)
        for recipe, recording in self.store.recordings:
            held = recording.trace.studies.get(name) if others else None
            if held is not None and isinstance(recipe, ModelRecipe) and isinstance(wanted.recipe, ModelRecipe) \
                    and replace(recipe, inputs=wanted.recipe.inputs) == wanted.recipe \
                    and bytes(held["words"]).decode().split(over.SEPARATOR) == list(others["others"]):
                return held
        return None

    def _with_held(self, trace: Trace, wanted: State) -> Trace:
        """A recording with what was measured of its network already."""
        if wanted.in_lab:
            return trace
        last = self.store.trace
        if last is not None and (last.model, last.sample.name) == (trace.model, trace.sample.name):
            carried = {f"{name}{SO_FAR}": _without_edit(last.studies.get(name) or last.studies[f"{name}{SO_FAR}"])
                       for name in views.find(wanted.view).carries
                       if name not in trace.studies and {name, f"{name}{SO_FAR}"} & {*last.studies}}
            trace = replace(trace, studies={**trace.studies, **carried}) if carried else trace
        held = {name: arrays for name in views.find(wanted.view).of_network if name not in trace.studies
                and (arrays := self._held_already(name, wanted, {})) is not None}
        return replace(trace, studies={**trace.studies, **held}) if held else trace

    def _sort(self, done: bool) -> None:
        """What is counted piece by piece stands in its own order while it comes, and is sorted once, at the end."""
        if SORTED in dict(views.find(self.store.state.view).knobs):
            self.store.apply(lambda state: turned(state, SORTED, "1" if done else "0"), undoable=False)

    def verify(self) -> None:
        """Have what is shown recorded once more, now with its check: a shipped recording comes without a verdict."""
        if self.store.state.in_lab:
            self._check_lab(self.store.state)
        elif door.is_recording(self.store.state.model):
            self._check_later(self.store.state)
        else:
            self._ask(self.store.state)

    def draw(self, ink: NDArray[np.uint8]) -> None:
        """A drawing of any size becomes the input; the newest wins. A stroke is one step of undo."""
        try:
            inputs.drawn(ink, self.store.card.kind)
        except Refused as error:
            self.said.emit(str(error))
            return
        self.store.update(sample=inputs.DRAWN, drawing=packed(ink), gesture="stroke")

    def open(self, thing: str, chosen: bool = True) -> bool:
        """A bundled model by name, or a file: whatever the door recognises; whether that went well so far. What a model
        file reads is asked first. `chosen`: whether the model at hand is one that somebody wanted."""
        self._opening = None
        try:
            found = door.recognise(thing)
            if found.what == door.MODEL and self.gate is not None:
                self.gate(found, chosen)
                return True
            asks = door.asks(found, self.store.state)
            if asks and (found.what in (door.MODEL, door.RUN) or not self.store.card_of(asks).intakes):
                self._opening = self.engine.request("describe", lane="open", model=asks), found
            else:
                self._enter(found, chosen)
        except Exception as error:
            self._not_opened(error)
            return False
        return True

    def open_now(self, found: Found, chosen: bool = True) -> None:
        """Open a model file with what is said of it by now; its recordings from before are made anew."""
        self.store.drop(found.name)
        self._in_vain = {(recipe, study) for recipe, study in self._in_vain
                         if not (isinstance(recipe, ModelRecipe) and recipe.model == found.name)}
        self._opening = self.engine.request("describe", lane="open", model=found.name), found

    def _not_opened(self, error: Exception) -> None:
        """Say why a file cannot be opened; what nobody foresaw in it is a fault, and no reason to stop."""
        if isinstance(error, Refused | LookupError | OSError | ValueError | MemoryError):
            self.said.emit(_sentence(error))
        else:
            sys.excepthook(type(error), error, error.__traceback__)

    # --- how it is got ---

    def _enter(self, found: Found, chosen: bool = True) -> None:
        """Go to what was opened, now that all is known of it."""
        opened = door.open_(found, self.store.state, cards=self.store.card_of, chosen=chosen)
        if found.what == door.SAVED or opened.trace is not None:
            self._restore(opened)
        else:
            before = self.store.state.recipe
            self.store.apply(lambda state: opened.state)
            if found.what == door.MODEL and self.store.state.recipe == before:
                self._ask(self.store.state)  # it is open already, and other things are said of it now
        if found.what not in (door.BUNDLED, door.LABORATORY):
            self.opened.emit(found.name)
        if opened.said:
            self.said.emit(opened.said)

    def _restore(self, found: Session) -> None:
        """Go to where a session or a picture was saved."""
        key = found.state.recipe
        self._sessions.pop(key, None)
        self._sessions[key] = found
        while len(self._sessions) > MOST_CARRIED:
            del self._sessions[next(iter(self._sessions))]
        at_hand = self.store.trace
        look, here = found.state.look, self.store.state.look
        look = replace(look, size=here.size, language=here.language)
        self.store.apply(lambda state: changed(found.state, look=look, playing=False))
        if found.trace is not None and self.store.trace is at_hand:
            self.record(self.store.state)  # the same recording is asked for, but another one was shown
        elif self.store.trace is at_hand and at_hand is not None and not self.store.waiting:
            self._compare(at_hand)

    def _described(self, number: int, card: Card) -> None:
        """What a model file says of itself is there; whatever waited for it goes on."""
        self.store.know(card)
        if self._opening is not None and self._opening[0] == number:
            (_, found), self._opening = self._opening, None
            try:
                self._enter(found)
            except Exception as error:
                self._not_opened(error)

    def _compare(self, trace: Trace) -> None:
        """Say so once where a model's weights are others than those of the session that was opened."""
        key = self.store.state.recipe
        found = self._sessions.get(key)
        if found is not None and (why := session.other_weights(found, trace)):
            self.said.emit(why)
            del self._sessions[key]

    @property
    def sweeping(self) -> bool:
        """Whether a knob goes through its range just now."""
        return self._sweeping is not None

    def sweep(self, knob: str) -> None:
        """Have one knob of the laboratory go through its range; it stops when asked again, or when a knob is turned.
        What it found stands over the stage until it is asked again, a knob is turned, or the cursor moves."""
        trace, shown = self.store.trace, self.store.state.look.knob(SWEEP, "hidden") == "shown"
        if self._sweeping is None and trace is not None and "sweep" in trace.studies and not self.store.waiting:
            self.store.apply(lambda state: turned(state, SWEEP, "hidden" if shown else "shown"))
        elif self._sweeping is not None:
            number, self._sweeping = self._sweeping, None
            self.engine.cancel(number)
            self._measured.pop(number, None)
            self.status.emit(self._live)
        elif self.store.state.in_lab and not self.store.waiting:
            self._sweeping = self.engine.request("sweep_lab", words=_words(self.store.state), knob=knob)
            self._measured[self._sweeping] = self.store.state, "sweep"

    def _put_sweep_away(self, old: State, new: State) -> None:
        """Whoever plays or steps wants to see the curves again."""
        if old.at != new.at and new.look.knob(SWEEP, "hidden") == "shown":
            self.store.apply(lambda state: turned(state, SWEEP, "hidden"), undoable=False)

    def _ask(self, state: State) -> None:
        if state.in_lab:
            if self._sweeping is not None:
                self.sweep("")
            if any(asked.in_lab for asked in self._asked.values()):
                self._turned = state  # one after the other, so that a knob that is dragged shows where it passes
            else:
                self._asked, self._turned = {self.engine.request("lab", words=_words(state)): state}, None
            return
        if self._flows(state) and any(self._flows(asked) for asked in self._asked.values()):
            self._turned = state  # as a knob
            return
        self._turned = None
        quick: dict[str, Any] = {"check": False} if self._is_stepped() or self.store.state.compare \
            or self._flows(state) else {}
        if state.edits and (at_once := views.find(state.view).at_once):
            quick["studies"] = at_once
        number = self.engine.request("record", **self._wishes(state), **quick)
        self._asked = {number: state}

    def _is_edited(self, state: State) -> bool:
        """Whether only what is done to the input or the network is another than of what is shown: a slider may be on
        its way, so that the numbers come before their check."""
        shown, wanted = self.store.shown, state.recipe
        return isinstance(shown, ModelRecipe) and isinstance(wanted, ModelRecipe) and shown != wanted \
            and replace(shown, edits=wanted.edits) == wanted

    def _flows(self, state: State) -> bool:
        """Whether it may be on its way to another, as a point of a plane or a weight that is dragged: what it passes is
        shown."""
        return _is_point(state) or self._is_edited(state)

    def _is_passed(self, state: State) -> bool:
        """Whether the knobs of the laboratory, a point, or an edit have been moved on from there meanwhile."""
        now = self.store.state.recipe
        moves = state.in_lab or self._flows(state)
        return moves and self._turned is not None and self._turned.recipe == now != state.recipe

    def _go_on(self) -> None:
        """Ask for where the knobs or the point stand by now."""
        turned, self._turned = self._turned, None
        if turned is not None and self.store.waiting:
            self._ask(turned)

    # --- inputs to step through ---

    def _is_stepped(self) -> bool:
        """Whether what is asked for differs from what is shown by nothing but its input, which is one of the list."""
        before, now, known = self._before.recipe, self.store.state.recipe, self.store.inputs
        return isinstance(before, ModelRecipe) and isinstance(now, ModelRecipe) and known is not None \
            and before != now and replace(before, inputs=now.inputs) == now and self.store.state.sample in known.places

    def _follow_inputs(self, old: State, new: State) -> None:
        """Get the list that another choice asks for, and remember which way one goes through it."""
        if old.over != new.over or old.model != new.model or old.edits != new.edits:
            self.list_inputs()
        known = self.store.inputs
        if known is not None and old.sample != new.sample and {old.sample, new.sample} <= set(known.places):
            self._way = 1 if known.places[new.sample] > known.places[old.sample] else -1

    def list_inputs(self) -> None:
        """Ask which inputs are stepped through, where the store does not know them."""
        state = self.store.state
        if self.store.takes_inputs and self.store.inputs is None:
            self._listing = self.engine.request("over", model=state.model, words=state.over, edits=state.edits), state
        elif self.store.inputs is not None:
            self._listed = state.over
            self.store.inputs_changed.emit()

    def _inputs_listed(self, found: Inputs) -> None:
        """They are known: those that were skipped are named, and one stands at the first where one stood at none."""
        asked = self._listing[1]
        self._listing = -1, asked
        self.status.emit(self._live)
        self.store.set_inputs(found, asked)
        if self.store.inputs is found:
            self._listed = asked.over
            if said := over.about(found):
                self.said.emit(said)
            if self.store.state.sample not in found.places:
                self.store.apply(lambda state: does.to_input(state, found.words[0]))

    def look_ahead(self) -> None:
        """Record the inputs that come next, one after the other, while nothing else is asked for."""
        state, known = self.store.state, self.store.inputs
        here = None if known is None else known.places.get(state.sample)
        if known is None or here is None or not self._live or self.store.waiting or self._asked \
                or self._opening is not None:
            return
        moved = [does.to_input(state, known.words[place]) for by in AHEAD
                 if 0 <= (place := here + by * self._way) < len(known.words)]
        wanted = [does.to_place(other, index) for other in moved for index, place in enumerate(other.places)
                  if place.recipe != state.places[index].recipe]
        self.store.expect(other.recipe for other in wanted)
        if self._ahead is not None:
            return
        for other in wanted:
            if self.store.kept(other.recipe) is None and (other.recipe, "") not in self._in_vain:
                self._ahead = self.engine.request("record", lane="ahead", check=False, **self._wishes(other)), other
                return

    def _not_listed(self, sentence: str) -> None:
        """Say why there is no such list, and go on stepping through what was stepped through before."""
        asked, before = self._listing[1], self._listed
        self._listing = -1, asked
        self.status.emit(self._live)
        if self.store.state.over == asked.over:
            self.store.apply(lambda state: does.over_inputs(state, before), undoable=False)
        self.said.emit(sentence)

    def _recorded_ahead(self, answer: Any) -> None:
        assert self._ahead is not None
        (_, asked), self._ahead = self._ahead, None
        self.store.hold_ahead(asked.recipe, Recording(answer["trace"]))
        self.look_ahead()

    def _check_later(self, asked: State) -> None:
        """Have a recording that came without a check checked, once one stays at it: a check takes longer than a
        recording. One from a file is checked as it is; any other is made once more for it."""
        def check() -> None:
            if asked.recipe != self.store.state.recipe or self.store.report is not None or self.store.waiting:
                return
            if door.can_run(asked.model):
                self._checked = self.engine.request("check", **self._wishes(asked)), asked
            elif self.store.trace is not None:
                self._checked = self.engine.request("check_recording", trace=self.store.trace), asked

        QTimer.singleShot(QUIET, self, check)

    def _is_typed_on(self, state: State) -> bool:
        """Whether a long text of the model at hand is being typed on, by somebody who looks at the way forward."""
        trace, moment = self.store.trace, self.store.moment
        return trace is not None and trace.model == state.model and state.objective == "loss" \
            and state.sample.startswith(inputs.TYPED) \
            and len(state.sample) > TYPES_ON and moment is not None and not moment.backward

    def _wishes(self, state: State) -> dict[str, Any]:
        """The words in which the engine is asked for a recording, or for a study of it."""
        wishes: dict[str, Any] = {"model": state.model, "sample": state.sample, "objective": state.objective,
                                  "edits": state.edits}
        if state.sample == inputs.DRAWN:
            if not state.drawing:
                raise Refused(tr("The drawing was not kept; draw the digit again."))
            wishes["pixels"] = unpacked(state.drawing)
        if state.label:
            wishes["target"] = inputs.target_in(state.label)
        return wishes

    def _show(self, trace: Trace, report: Any, state: State) -> None:
        carried = self._sessions.get(state.recipe)
        if carried is not None and carried.trace is not None and trace is not carried.trace \
                and session.other_weights(carried, trace):
            self.said.emit(tr("The weights of {name} are not those this was saved with; what is shown is the recording "
                              "that was saved.").format(name=trace.title or trace.model))
            return
        if self.store.set_trace(self._with_held(trace, state), report, asked=state):
            self._gone = False
            self._compare(trace)

    def _remember(self, old: State, new: State) -> None:
        if old.recipe != new.recipe and not self._gone:
            self._before, self._gone = old, True

    def _refuse(self, sentence: str) -> None:
        """Say why, and go back to where one was in the recording that is still there."""
        if self.store.trace is not None and self._gone:
            before, look = self._before, self.store.state.look
            self.store.apply(lambda state: changed(before, look=look, playing=False), undoable=False)
            self._gone = False
        self.said.emit(sentence)

    def _check_lab(self, asked: State) -> None:
        """Have the laboratory's recording checked, if nobody has turned a knob meanwhile: a check takes longer than a
        recording, and would stand in the way of the next one."""
        if asked.recipe == self.store.state.recipe and self.store.report is None:
            self._checked = self.engine.request("check_lab", words=_words(asked)), asked

    # --- what the engine says ---

    def _answered(self, number: int, name: str, answer: Any) -> None:
        self._came_on(number)
        if number in self._measured:
            asked, study = self._measured.pop(number)
            if number == self._sweeping:
                self._sweeping = None
            if study == "sweep" or views.by_words(study):
                self.status.emit(self._live)
            if self.store.set_study(study, answer["arrays"], asked) and study == "sweep":
                self.store.apply(lambda state: turned(replace(state, playing=False), SWEEP, "shown"))
            elif study in views.find(self.store.state.view).carries:
                self._sort(True)
            return
        if number == self._checked[0]:
            self.store.set_report(answer["report"], self._checked[1])
            return
        if number == self._listing[0]:
            self._inputs_listed(over.from_plain(answer["inputs"]))
            return
        if self._ahead is not None and number == self._ahead[0]:
            self._recorded_ahead(answer)
            return
        if name == "describe":
            self._described(number, from_plain(answer["card"]))
            return
        state = self._asked.pop(number, None)
        if state is not None and isinstance(answer, dict):
            if name in ("lab", "record") and self._is_passed(state):
                self.store.set_trace(self._with_held(answer["trace"], state), None, state, on_the_way=True)
                self._go_on()
                return
            self._show(answer["trace"], answer.get("report"), state)
            if state.recipe != self.store.state.recipe:
                self.record_beside()  # which has waited for what nobody wants any more
            if name == "extend" and state.recipe == self.store.state.recipe:
                self._ask(state)  # nobody has typed on: now with its gradients
            if name == "record" and answer.get("report") is None:
                self._check_later(state)
            if name == "lab":
                QTimer.singleShot(QUIET, self, lambda: self._check_lab(state))

    def _turned_down(self, number: int, sentence: str) -> None:
        self._came_on(number)
        if number in self._measured:
            asked, study = self._measured.pop(number)
            self._in_vain.add((asked.recipe, study))
            self.said.emit(sentence)
        elif number == self._listing[0]:
            self._not_listed(sentence)
        elif self._ahead is not None and number == self._ahead[0]:
            self._in_vain.add((self._ahead[1].recipe, ""))
            self._ahead = None
            self.look_ahead()
        elif self._opening is not None and self._opening[0] == number:
            self._opening = None
            self.said.emit(sentence)
        elif (asked := self._asked.pop(number, None)) is not None:
            if self._is_passed(asked):
                self._go_on()
            elif asked.recipe == self.store.state.recipe:
                stepped = self._is_stepped()
                self._refuse(sentence)
                if stepped:
                    self.store.skip(asked.sample, sentence)
            else:
                self._not_beside(asked, sentence)

    def _went_on(self, number: int, share: float, words: str) -> None:
        if number == self._listing[0]:
            self.status.emit(tr("Reading the inputs: {share}").format(share=numbers.percent(share, 0)))
        if number == self._sweeping:
            said = tr("Sweeping {knob}: {share}")
            self.status.emit(said.format(knob=words, share=numbers.percent(share, 0)))
        elif number in self._measured and words.startswith("{"):
            asked, name = self._measured[number]
            arrays = {key: np.array(values, np.uint8 if key.endswith(":words") else None)
                      for key, values in json.loads(words).items()}
            if self.store.set_study(f"{name}{SO_FAR}", arrays, asked):
                self._sort(bool(arrays.get("ordered", False)))
        elif number in self._measured and views.by_words(self._measured[number][1]):
            self.status.emit(tr("Being measured: {share}").format(share=numbers.percent(share, 0)))

    def _takes_long(self, number: int, still: float, limit: float, place: str) -> None:
        """Say so, with the time, and offer to stop it."""
        said = tr("{place} takes long: {still} s; at {limit} s it is ended.").format(
            place=place or tr("This"), still=round(still), limit=round(limit))
        self._slow = number
        self.slow.emit(said, lambda: self.engine.interrupt(number))

    def _came_on(self, number: int) -> None:
        """What took long is over."""
        if number == self._slow:
            self._slow = -1
            self.slow.emit("", None)

    def _ready(self, versions: Any) -> None:
        torch = str(dict(versions).get("torch", "")).partition("+")[0]
        self._live = tr("Live: torch {version}").format(version=torch)
        self.status.emit(self._live)
        self._idle.start()

    def _died(self, sentence: str) -> None:
        self.status.emit(tr("Live computing stopped"))
        self.said.emit(sentence)


def _without_edit(arrays: Arrays) -> Arrays:
    """What was measured of a network, without what is that of its last edit."""
    return {name: array for name, array in arrays.items() if name not in OF_EDIT}


def _sentence(error: Exception) -> str:
    """What is said of it: a LookupError would put its words in quotes."""
    return str(error.args[0] if isinstance(error, LookupError) and error.args else error)


def _asks_anew(old: State, new: State) -> bool:
    """Whether the view asks for other studies than before."""
    by_focus = views.find(new.view).asks is not None and old.focus != new.focus
    return by_focus or (old.view, old.look.knobs) != (new.view, new.look.knobs)


def _is_point(state: State) -> bool:
    """Whether it asks for the picture of a point, which may be on its way through a plane."""
    return state.sample.startswith(latent.MARK)


def _words(state: State) -> dict[str, str]:
    """What the State asks of the laboratory, as the engine is told."""
    return state.recipe.words if isinstance(state.recipe, LabRecipe) else {}


def _saved_trace(path: Path, state: State) -> Trace:
    found = load(path)
    if state.sample and found.sample.name != state.sample:
        raise Refused(tr("{name} is a recording of one input; choose a model to try another.").format(name=path.name))
    return found
