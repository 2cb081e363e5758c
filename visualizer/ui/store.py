"""Store: holds the State and the Trace it is about, and says what changed.

Every widget reads `store.state` and sets itself where old and new differ; every button applies a pure function
State -> State. Setting what is already set changes nothing and says nothing, so an echo dies by itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from visualizer import comparison, door, inputs, sight
from visualizer.card import Card, of_trace
from visualizer.comparison import Reader
from visualizer.costs import Measured
from visualizer.curve import Curve
from visualizer.inputs import InputKind
from visualizer.kinds import Report
from visualizer.over import INPUTS, MEASURED, Inputs, parse
from visualizer.scene import colour
from visualizer.scene import state as does
from visualizer.scene.recipe import ModelRecipe, Recipe, is_in_training, is_of_run, is_of_update, opened_recipe, reeled
from visualizer.scene.reel import is_between
from visualizer.scene.state import Place, State, changed, inner_address, moment_of
from visualizer.scene.timeline import Moment, Timeline
from visualizer.sight import Recorded, Sight
from visualizer.trace import UNTRAINED, Arrays, Refused, Sample, Trace, forget

MOST_UNDO = 200
MOST_KEPT = 4
"""So many recordings are at hand beside those of the places: going back to one shows it at once."""


@dataclass(frozen=True, eq=False)
class Recording:
    """What a recipe made, with everything that is worked out of it; it goes with all of that."""

    trace: Trace
    report: Report | None = None
    """How the trace compares with its own Terms; None while that has not been checked."""


class Store(QObject):
    """The one place where the State lives. All signals are emitted in the thread of the window."""

    changed = Signal(object, object)
    """(old State, new State), never equal."""
    trace_changed = Signal(object)
    """The new Trace; `timeline`, `report` and the State already fit it."""
    report_changed = Signal(object)
    """The Report of the trace at hand, when it comes later than the trace itself."""
    study_grew = Signal(bool)
    """A study of the recording that is shown holds more than before, and nothing of it is another one; whether there
    are more beats."""
    card_changed = Signal()
    """What is known of the model at hand, when that comes later than its State."""
    beside_changed = Signal()
    """A recording of another place than the active one has come."""
    inputs_changed = Signal()
    """The list of inputs that are stepped through is known, or another one."""
    wants_trace = Signal(object)
    """The State that needs another recording: its recipe is another one now."""

    def __init__(self, state: State | None = None, trace: Trace | None = None, report: Report | None = None,
                 parent: QObject | None = None) -> None:
        """A `trace` given here is taken to be the recording of `state`."""
        super().__init__(parent)
        self._state = state or State()
        self._shown: Recipe | None = None
        self._recordings: dict[Recipe, Recording] = {}
        """By what made them, those that were seen last at the end."""
        self._holdings = 0
        self._curves: dict[Recipe, Curve] = {}
        """How often networks are right, by the strength of what is done to the input now."""
        """Counts up whenever a recording or a measurement comes or goes."""
        self._compared: tuple[tuple[Recipe, ...], int, tuple[Reader, ...]] = (), -1, ()
        """What was compared last: of which recipes, and at which holdings."""
        self._ahead: set[Recipe] = set()
        """What is recorded before anybody has asked for it."""
        self._measured: dict[Recipe, Measured] = {}
        """What was measured, of each network."""
        self._lists: dict[tuple[object, ...], Inputs] = {}
        """Inputs to step through, by what they are those of."""
        self._cards: dict[str, Card] = {}
        """Of models that are files, once somebody has opened them."""
        if trace is not None:
            self._learn(trace)
            self._keep(self._state.recipe, Recording(trace, report))
        self.guard: Callable[[State, State], State] = lambda old, new: new
        """(old State, new one) -> what of it may be: a step of a lesson leaves not all to whoever learns."""
        self._undo: deque[State] = deque(maxlen=MOST_UNDO)
        self._redo: deque[State] = deque(maxlen=MOST_UNDO)
        self._gesture = ""
        self._unsaid: deque[tuple[State, State]] = deque()
        self._speaking = False

    @property
    def state(self) -> State:
        return self._state

    @property
    def trace(self) -> Trace | None:
        """What was recorded last; None until the first recording. While `waiting`, it is not yet the State's own."""
        return None if self._shown is None else self._recordings[self._shown].trace

    @property
    def recordings(self) -> tuple[tuple[Recipe, Recording], ...]:
        """All that are at hand, with what made them."""
        return tuple(self._recordings.items())

    @property
    def shown(self) -> Recipe | None:
        """What made the recording that was recorded last."""
        return self._shown

    @property
    def timeline(self) -> Timeline:
        """The beats of what is recorded, at the pace of the State's view; none while there is no trace."""
        if readers := self.readers:
            return comparison.times([reader.trace for reader in readers], self._state.active)
        found = self.recorded
        return Timeline(()) if found is None else sight.times(found, self._state)

    @property
    def readers(self) -> tuple[Reader, ...]:
        """What is compared: a network of each place, once all have come; while others of the same are on their way
        those that were shown before. None where nothing is compared."""
        state = self._state
        if not state.compare or len(state.places) < 2:
            return ()
        asked_for = tuple(place.recipe for place in state.places)
        if (asked_for, self._holdings) != self._compared[:2]:
            self._compared = asked_for, self._holdings, self._read(state)
        return self._compared[2]

    def _read(self, state: State) -> tuple[Reader, ...]:
        """The readers of a State; those that were compared before where not all of its recordings are there."""
        found = [self.kept(place.recipe) for place in state.places]
        traces = [recording.trace for recording in found if recording is not None]
        befores = {index: held.trace for index, place in enumerate(state.places)
                   if (as_was := does.as_it_was(place.recipe)) != place.recipe
                   and (held := self.kept(as_was)) is not None}
        asked = sum(does.as_it_was(place.recipe) != place.recipe for place in state.places)
        if len(traces) < len(found) or len(befores) < asked:
            models = [recipe.name for recipe in self._compared[0]]
            return self._compared[2] if [place.recipe.name for place in state.places] == models else ()
        readers = comparison.readers_of(state, traces, befores, self.measured_of)
        return tuple(replace(reader, curve=self._curves.get(network_of(place.recipe)))
                     for reader, place in zip(readers, state.places, strict=True))

    def set_curves(self, found: Mapping[Recipe, Curve]) -> None:
        """Take in how often the networks of the places are right, by the strength of what is done now."""
        if found != self._curves:
            self._curves = dict(found)
            self._holdings += 1
            if self._state.compare:
                self.beside_changed.emit()

    def measured_of(self, recipe: Recipe) -> Measured | None:
        """What was measured of the network of a recipe: its input is not part of it."""
        return self._measured.get(network_of(recipe))

    def set_measured(self, found: Mapping[Recipe, Measured]) -> None:
        """Take in what was measured of networks."""
        self._holdings += 1
        self._measured |= {network_of(recipe): each for recipe, each in found.items()}
        self.beside_changed.emit()

    @property
    def moments(self) -> tuple[Moment, ...]:
        """Of each network that is compared, where it stands."""
        readers, state = self.readers, self._state
        if not readers:
            return ()
        return comparison.joined([reader.trace for reader in readers], state.active,
                                 comparison.moment_of(readers, state), state.compare)

    @property
    def recorded(self) -> Recorded | None:
        """What is seen from the active place: `trace`, or all recordings of its reel once they have come."""
        found = self.carried
        return None if found is None else sight.as_seen(found, self._state.place)

    @property
    def carried(self) -> Recorded | None:
        """The same with all recordings of a reel, whatever the view makes of them."""
        return self.trace if self.waiting else self._seen_from(self._state.place)

    @property
    def near(self) -> Trace | None:
        """The recording at which one stands: `trace`, or in a reel the nearest one."""
        found = self.recorded
        return None if found is None else sight.nearest(found, self._state)

    @property
    def between(self) -> bool:
        """Whether one stands between two recordings of a reel, where no numbers were computed."""
        moment = self.moment
        return moment is not None and is_between(moment)

    def _seen_from(self, place: Place) -> Recorded | None:
        own = self.kept(place.recipe)
        found = [self.kept(recipe) for recipe in reeled(place.recipe, place.reel)]
        traces = tuple(recording.trace for recording in found if recording is not None)
        if not traces or len(traces) < len(found):
            return None if own is None else own.trace
        try:
            sight.reel(traces, place)
        except Refused:
            return None if own is None else own.trace
        return traces

    def gather(self) -> None:
        """Lay beside the recordings of a folder what all of them, which have come, tell of a training."""
        recipes = reeled(self._state.recipe, self._state.reel)
        found = [self.kept(recipe) for recipe in recipes]
        known = tuple(recording for recording in found if recording is not None)
        if not recipes or is_of_run(self._state.reel) or len(known) < len(found) or self.waiting:
            return
        traces = sight.gathered(tuple(recording.trace for recording in known))
        if all(recording.trace is trace for recording, trace in zip(known, traces, strict=True)):
            return
        for recipe, recording, trace in zip(recipes, known, traces, strict=True):
            self._hold(recipe, replace(recording, trace=trace))
        self.trace_changed.emit(self._recordings[self._state.recipe].trace)

    def reel_refused(self) -> str:
        """Why the recordings of the active place, which have all come, make no reel; empty if they do."""
        found = [self.kept(recipe) for recipe in reeled(self._state.recipe, self._state.reel)]
        traces = tuple(recording.trace for recording in found if recording is not None)
        try:
            if traces and len(traces) == len(found):
                sight.reel(traces, self._state)
        except Refused as error:
            return str(error)
        return ""

    def wanted(self) -> tuple[State, ...]:
        """A State for each recording that the places show, those of their reels among them."""
        state = replace(self._state, compare="")
        found = (changed(replace(state, active=index), recipe=recipe, reel=())
                 for index, place in enumerate(self._state.places)
                 for recipe in (*(reeled(place.recipe, place.reel) or (place.recipe,)), *self._as_it_was(place)))
        return tuple({state.recipe: state for state in found}.values())

    def _as_it_was(self, place: Place) -> tuple[Recipe, ...]:
        """What a comparison shows beside a place: the same with nothing done to its input."""
        return (does.as_it_was(place.recipe),) if self._state.compare else ()

    # --- inputs ---

    @property
    def inputs(self) -> Inputs | None:
        """What is stepped through from the active place; None where that takes no other input, or is not known yet."""
        if not self.takes_inputs:
            return None
        known = self._lists.get(list_of(self._state))
        if known is None and self._state.over == INPUTS:
            known = self._lists[list_of(self._state)] = inputs.samples(self.card.kind, self.card.facts)
        return known

    @property
    def takes_inputs(self) -> bool:
        """Whether other inputs can be given to what the active place shows."""
        state = self._state
        return isinstance(state.recipe, ModelRecipe) and self.card.takes_others and bool(self.card.kind) \
            and door.can_run(state.model)

    def set_inputs(self, found: Inputs, asked: State) -> None:
        """Take in which inputs those are that a State asks to step through."""
        self._lists[list_of(asked)] = found
        self.inputs_changed.emit()

    def skip(self, word: str, why: str) -> None:
        """Leave out an input that cannot be had."""
        found = self.inputs
        if found is not None and word in found.places:
            self.set_inputs(found.without(word, why), self._state)

    def expect(self, recipes: Iterable[Recipe]) -> None:
        """Which recordings are kept before anybody has asked for them."""
        self._ahead = set(recipes)

    def hold_ahead(self, recipe: Recipe, recording: Recording) -> None:
        """Keep a recording that was made ahead, if it is still expected."""
        if recipe in self._ahead and recipe not in self._recordings:
            self._hold(recipe, recording)

    @property
    def report(self) -> Report | None:
        """How `trace` compares with its own Terms; None while that has not been checked."""
        return None if self._shown is None else self._recordings[self._shown].report

    def kept(self, recipe: Recipe) -> Recording | None:
        """The recording of a recipe, if it is at hand."""
        return self._recordings.get(recipe)

    @property
    def moment(self) -> Moment | None:
        """Where the State stands in the timeline; None while there is no trace."""
        if readers := self.readers:
            return comparison.moment_of(readers, self._state)
        return None if self._shown is None else moment_of(self._state, self.timeline)

    @property
    def sight(self) -> Sight | None:
        """What is looked at, in a reel in the nearest recording; None while there is no trace."""
        trace = self.near
        return None if trace is None else sight.sight(trace, self._state,
                                                      self.moment if self.readers and not self.waiting else None)

    def card_of(self, model: str) -> Card:
        """What is known of a model; nothing but its name while nobody has opened its file."""
        return door.card_of(model) or self._cards.get(model) or Card(model, Path(model).name)

    @property
    def samples(self) -> tuple[Sample, ...]:
        """The bundled inputs that the model reads: its own example is none of them."""
        bundled = inputs.places()
        return tuple(inputs.sample(name) for name in self.card.samples if name in bundled)

    @property
    def card(self) -> Card:
        """What is known of the model at hand, with the weights that it has now."""
        untrained = UNTRAINED in self._state.edits
        return (door.card_of(self._state.model, untrained) if untrained else None) or self.card_of(self._state.model)

    @property
    def kind(self) -> InputKind:
        """The kind of input that the model at hand reads; nothing is offered where it takes no other."""
        card = self.card
        kind = inputs.offered({"kind": card.kind})
        return kind if card.takes_others else replace(kind, choosers=())

    def know(self, card: Card) -> None:
        """Take in what a model file says of itself."""
        self._cards[card.model] = card
        if card.model == self._state.model:
            self.card_changed.emit()

    @property
    def waiting(self) -> bool:
        """Whether the State asks for another recording than the one at hand."""
        return self._shown != self._state.recipe

    @property
    def beside(self) -> tuple[Recorded, ...]:
        """What is seen from each place where there are several and all have come; else none."""
        found = [self._seen_from(place) for place in self._state.places]
        known = tuple(recorded for recorded in found if recorded is not None)
        return known if len(found) == len(known) > 1 and not self.waiting else ()

    def update(self, *, undoable: bool = True, gesture: str = "", **changes: Any) -> None:
        """Set fields of the State: `store.update(view="filters")`."""
        self.apply(lambda state: changed(state, **changes), undoable, gesture)

    def apply(self, function: Callable[[State], State], undoable: bool = True, gesture: str = "") -> None:
        """Replace the State by `function(state)`. Ticks of the player and hovers are not `undoable`.

        Changes of one `gesture`, a drag or the pen of a drawing, are one step of undo, up to `end_gesture`.
        """
        old = self._state
        new = self.guard(old, self._along_run(old, self._in_step(old, function(old))))
        if undoable and _as_chosen(old, new) != new:
            if not gesture or gesture != self._gesture:
                self._undo.append(old)
                self._redo.clear()
            self._gesture = gesture
        self._set(new)

    def _in_step(self, old: State, new: State) -> State:
        """Whoever stands in another network of a comparison stands there at the time that all of them have."""
        if not (old.compare and new.compare) or old.active == new.active or len(old.places) != len(new.places):
            return new
        moments = self.moments
        return changed(new, at=moments[new.active].address) if len(moments) > new.active else new

    def _along_run(self, old: State, new: State) -> State:
        """Whoever leaves the view of a training takes its updates along: every other view shows the network as it was
        at the cursor; and comes back to there."""
        if old.recipe != new.recipe or old.compare or new.compare or len(new.places) > 1:
            return new
        trace, there, here = self.trace, sight.shows_updates(old.view), sight.shows_updates(new.view)
        if there == here or trace is None or old.reel != new.reel:
            return new
        if here and any(map(is_of_update, old.edits)):
            opened = self.kept(opened_recipe(old.recipe))
            return sight.back_from_update(new, None if opened is None else opened.trace)
        if here:
            return sight.back_to_run(new, trace) if old.reel else new
        return new if self.waiting else sight.along_run(new, trace, sight.moment_of(trace, old))

    def end_gesture(self) -> None:
        """What is changed from now on is a step of undo by itself."""
        self._gesture = ""

    def set_trace(self, trace: Trace, report: Report | None = None, asked: State | None = None,
                  on_the_way: bool = False) -> bool:
        """Show a recording, keeping moment and focus where they still exist.

        `asked` is the State it was made for (the one `wants_trace` gave); if that is no longer the recording the
        State asks for, the trace is ignored and the answer is False; or, `on_the_way` there, it is shown until that
        comes. Without `asked` it is taken as it is.
        """
        if on_the_way and asked is not None and asked.recipe != self._state.recipe:
            self._keep(asked.recipe, Recording(trace, report))
            self.trace_changed.emit(trace)
            return True
        if asked is not None and asked.recipe != self._state.recipe:
            if asked.recipe in self._needed():
                self._hold(asked.recipe, Recording(trace, report))
                self.beside_changed.emit()
            return False
        self._learn(trace)
        self._keep(self._state.recipe, Recording(trace, report))
        old, self._state = self._state, _fitting(self._state, trace)
        self.trace_changed.emit(trace)
        self._say(old, self._state)
        return True

    def _learn(self, trace: Trace) -> None:
        """What a recording says of a model that nobody has opened."""
        model = self._state.model
        if model not in self._cards and not door.can_run(model) and door.card_of(model) is None:
            self._cards[model] = of_trace(trace, model)

    def set_report(self, report: Report, asked: State) -> bool:
        """Take in how the trace at hand compares with its Terms; False if the trace of `asked` is not at hand."""
        if self._shown != asked.recipe:
            return False
        self._keep(asked.recipe, replace(self._recordings[asked.recipe], report=report))
        self.report_changed.emit(report)
        return True

    def set_study(self, name: str, arrays: Arrays, asked: State, more: bool = False) -> bool:
        """Take in what a study measured of the recording of `asked`; False if that is not at hand any more. `more`: it
        has only grown."""
        found = self._recordings.get(asked.recipe)
        if found is None:
            return False
        trace = replace(found.trace, studies=with_newest(found.trace.studies, name, arrays))
        beats = self.timeline.beats if more else ()
        self._hold(asked.recipe, replace(found, trace=trace))
        if self._shown != asked.recipe:
            self.beside_changed.emit()
        elif more:
            self.study_grew.emit(self.timeline.beats != beats)
        else:
            self.trace_changed.emit(trace)
        return True

    def _needed(self) -> set[Recipe]:
        """What makes all that the places show."""
        return {recipe for place in self._state.places
                for recipe in (place.recipe, *reeled(place.recipe, place.reel), *self._as_it_was(place),
                               *((opened_recipe(place.recipe),) if is_in_training(place.recipe) else ()))}

    def _keep(self, recipe: Recipe, recording: Recording) -> None:
        """Have a recording at hand and shown; let those go that were not seen for longest, with all that hangs on
        them."""
        self._shown = recipe
        self._hold(recipe, recording)

    def _hold(self, recipe: Recipe, recording: Recording) -> None:
        before = self._recordings.pop(recipe, None)
        self._recordings[recipe] = recording
        self._holdings += 1
        needed = {self._shown, *self._needed(), *self._ahead}
        beside = [other for other in self._recordings if other not in needed]
        gone = [self._recordings.pop(other) for other in beside[:max(0, len(beside) - MOST_KEPT)]]
        for old in (*gone, *(() if before is None or before.trace is recording.trace else (before,))):
            forget(old.trace)

    def drop(self, model: str) -> None:
        """Let go of the recordings of a model, but for the one that is shown: it computes something else now."""
        for recipe in [recipe for recipe in self._recordings if isinstance(recipe, ModelRecipe)
                       and recipe.model == model and recipe != self._shown]:
            forget(self._recordings.pop(recipe).trace)
        self._lists = {key: found for key, found in self._lists.items() if key[0] != model}
        self._measured = {recipe: found for recipe, found in self._measured.items() if recipe.name != model}
        self._holdings += 1

    def undo(self) -> None:
        """Back to the State before the last undoable change."""
        self._return(self._undo, self._redo)

    def redo(self) -> None:
        """Forth again to the State that was undone."""
        self._return(self._redo, self._undo)

    @property
    def can_undo(self) -> bool:
        return bool(self._undo)

    @property
    def can_redo(self) -> bool:
        return bool(self._redo)

    def _return(self, source: deque[State], other: deque[State]) -> None:
        self.end_gesture()
        while source:
            past = replace(_as_chosen(source.pop(), self._state), playing=False, stepping=0)
            if (held := self.kept(past.recipe)) is not None:  # it may have been chosen while another one was shown
                past = _fitting(past, held.trace)
            if past != replace(self._state, playing=False, stepping=0):
                other.append(self._state)
                self._set(past)
                return

    def _set(self, new: State) -> None:
        old, self._state = self._state, new
        self._say(old, new)

    def _say(self, old: State, new: State) -> None:
        """Emit, one change after the other: a slot that changes the State is heard after the change it answers, so
        that no widget is left with the older of two."""
        if old != new:
            self._unsaid.append((old, new))
        if self._speaking:
            return
        self._speaking, wants = True, False
        while self._unsaid:
            before, after = self._unsaid.popleft()
            self.changed.emit(before, after)
            wants = wants or before.recipe != after.recipe
        self._speaking = False
        if wants and self.waiting:
            self.wants_trace.emit(self._state)


def with_newest(studies: Mapping[str, Arrays], name: str, arrays: Arrays) -> dict[str, Arrays]:
    """All of them with one more; of those that were asked for in other words the last one stays beside it, to compare
    with: each may hold tens of megabytes."""
    base = name.partition(":")[0]
    older = [other for other in studies if other != name and other.partition(":")[0] == base]
    return {**{other: held for other, held in studies.items() if other not in older[:-1] and other != name},
            name: arrays}


def network_of(recipe: Recipe) -> Recipe:
    """A recipe without what goes into the network."""
    found = does.as_it_was(recipe)
    return replace(found, inputs=(), label="", objective="loss") if isinstance(found, ModelRecipe) else found


def list_of(state: State) -> tuple[object, ...]:
    """What a list of inputs is that of: which are asked for, of which model, with what done to it where that decides
    what it answers."""
    edits = state.edits if state.over != INPUTS and parse(state.over).pick in MEASURED else ()
    return state.model, state.over, edits


def _as_chosen(state: State, now: State) -> State:
    """A State as far as a person chose it: the window keeps its size, motion and contrast, whatever is undone."""
    theme = colour.strong(state.look.theme, colour.is_strong(now.look.theme))
    return changed(state, look=replace(state.look, size=now.look.size, theme=theme,
                                       reduced_motion=now.look.reduced_motion))


def _fitting(state: State, trace: Trace) -> State:
    """The same State without an address or a focus that this trace does not have."""
    state = changed(state, focus=sight.existing(trace, state.focus))
    if state.at:
        found = sight.times(trace, state).nearest(inner_address(state.at, state.reel))
        if found is None:
            state = changed(state, at="")
    return state
