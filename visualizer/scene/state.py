"""State: everything a person has chosen, as one frozen value; every button is a pure function State -> State.

A State holds Places, of which one is active; a Place is a recipe, and where and how its recording is looked at. Saved
as versioned JSON in plain words. Unknown fields are ignored, missing ones take their defaults.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from visualizer import edits, kinds, lab, over
from visualizer.language import tr
from visualizer.scene import colour
from visualizer.scene.picture import Focus, Look, Points
from visualizer.scene.recipe import (
    AFTER,
    BEFORE,
    DRAWN,
    TRAINING,
    LabRecipe,
    ModelRecipe,
    Recipe,
    from_plain,
    is_of_run,
    lab_recipe,
    opened_recipe,
    own_edits,
    plain_of,
    reeled,
)
from visualizer.scene.subject import is_inner, step_of
from visualizer.scene.timeline import BACKWARD, FORWARD, UPDATE, Moment, Timeline
from visualizer.trace import TOLD, UNTRAINED, Refused, Trace

VERSION = 2
MOST_SIDE = 512
"""Points on a side of a drawing."""
MOST_PLACES = 8
"""So many places can be open beside each other."""
MOST_COMPARED = 4
"""So many places are seen as one comparison."""
SYNCS = (SHARE, BEAT, STEP) = ("share", "beat", "step")
"""What the places of a comparison have in common at one time: the share of their way, the number of their beat, or
their step."""
SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
R = TypeVar("R", ModelRecipe, LabRecipe)
STOOD = "now"
"""The knob that says where one stood before a key went to one of several moments to compare with."""
GATE = "gate"
"""The knob of views that open one gate or state of a step: which one."""
MOST_SWITCHED_OFF = 8
"""So many edits that were switched off stay in the list."""
OWN_LOOK = ("scope", "signs", "knobs")
"""What of a Look each place has for itself; size, theme and type are one for the whole window."""


FORMER = {"walk": "microscope"}
"""Views that were called otherwise: what was saved then, and what was written in scripts, still opens."""


WRITTEN = {"array": "part"}
"""Fields of a Focus that a file calls otherwise than the code does."""


def called_now(view: str) -> str:
    """The name of a view as it is now."""
    return FORMER.get(view, view)


@dataclass(frozen=True)
class Place:
    """What is looked at, where in it one stands, and how it is looked at."""

    recipe: Recipe = field(default_factory=ModelRecipe)
    view: str = "network"
    at: str = ""
    """Address of the moment (`conv2.forward@0.5`); empty means the one at which the view has most to tell."""
    focus: Focus | None = None
    look: Look = field(default_factory=Look)
    reel: tuple[str, ...] = ()
    """What the recordings of a reel are called, see `recipe.reeled`: all are looked at, on the way from one to the
    next, and the address says where on it one is, `after:conv2.forward@0.5`. None for the recipe's one recording."""
    over: str = ""
    """Which inputs are stepped through, as `visualizer.over` writes it: `inputs:wrong`; empty for all bundled ones."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "view", called_now(self.view))


@dataclass(frozen=True)
class State:
    """The places that are open, which of them one stands in, and what belongs to none of them alone."""

    places: tuple[Place, ...] = (Place(),)
    active: int = 0
    pad: str = ""
    """What was drawn last, which stays on the sheet while another input is shown: see `packed`."""
    left: tuple[Recipe, ...] = ()
    """A recipe of each other kind as it was left: leaving the laboratory loses neither its knobs nor the model."""
    lesson: str = ""
    step: int = 0
    speed: float = 1.0
    playing: bool = False
    stepping: int = 0
    """Which way it runs through inputs by itself: 1 to the next ones, −1 back, 0 not at all."""
    notes: tuple[tuple[str, str], ...] = ()
    """What the speaker wrote: (beat, words)."""
    strokes: tuple[tuple[str, Points], ...] = ()
    """What was drawn with the pen: (beat, points in shares of the picture's width and height), the oldest first."""
    inked: bool = False
    """Whether pictures are exported with the strokes."""
    compare: str = ""
    """What the places have in common at one time where they are seen as one comparison: `share` of their way, `beat` or
    `step`; empty where each is seen in its own view."""
    alone: int = 0
    """Which place of a comparison is seen alone, counted from 1; 0 for all."""
    brought: tuple[str, ...] = ()
    """Models that came because something was to be compared: one leaves them with it."""

    # what the active place says

    @property
    def place(self) -> Place:
        return self.places[self.active]

    @property
    def recipe(self) -> Recipe:
        return self.place.recipe

    @property
    def view(self) -> str:
        return self.place.view

    @property
    def at(self) -> str:
        return self.place.at

    @property
    def focus(self) -> Focus | None:
        return self.place.focus

    @property
    def look(self) -> Look:
        return self.place.look

    @property
    def reel(self) -> tuple[str, ...]:
        return self.place.reel

    @property
    def over(self) -> str:
        return self.place.over or over.INPUTS

    @property
    def in_lab(self) -> bool:
        """Whether the active place is the gradient laboratory."""
        return isinstance(self.recipe, LabRecipe)

    @property
    def model(self) -> str:
        """Name or path of the model; for a recipe without one what stands in its place."""
        return self.recipe.name

    @property
    def sample(self) -> str:
        """Name of a bundled sample, path of a file, typed text or `drawn`; empty where nothing was chosen."""
        return self.recipe.sample if isinstance(self.recipe, ModelRecipe) else ""

    @property
    def drawing(self) -> str:
        """What is or was drawn: see `packed`."""
        return (self.recipe.drawing if isinstance(self.recipe, ModelRecipe) else "") or self.pad

    @property
    def objective(self) -> str:
        return self.recipe.objective if isinstance(self.recipe, ModelRecipe) else "loss"

    @property
    def label(self) -> str:
        """Which class somebody has said the input to be; empty where nobody has."""
        return self.recipe.label if isinstance(self.recipe, ModelRecipe) else ""

    @property
    def edits(self) -> tuple[str, ...]:
        """What is done to the model or its input first."""
        return self.recipe.edits if isinstance(self.recipe, ModelRecipe) else ()


_OF_MODEL = ("model", "inputs", "objective", "edits", "sample", "drawing", "label")
_OF_PLACE = ("recipe", "view", "at", "focus", "look", "reel", "over")


def changed(state: State, **changes: Any) -> State:
    """The State with other fields: its own, those of the active place, or those of that place's model.

    `changed(state, view="filters", playing=False)`; `sample` and `drawing` say the input in one word. A look changes
    size, theme and type of every place, and the rest of this place alone. In the laboratory, which reads no input, an
    input is that of the model which was left. TypeError for a field that there is not.
    """
    if unknown := set(changes) - set(_OF_MODEL) - set(_OF_PLACE) - set(State.__dataclass_fields__):
        raise TypeError(f"a State has no field {sorted(unknown)[0]!r}")
    if state.compare and changes.get("view", state.view) != state.view:  # what was chosen is a view of one network
        state = apart(state, state.view)
    state = replace(state, **{name: value for name, value in changes.items() if name in State.__dataclass_fields__})
    if given := {name: changes[name] for name in _OF_MODEL if name in changes}:
        state = _of_model(state, given)
    recipe = changes.get("recipe", state.recipe)
    if type(recipe) is not type(state.recipe):
        state = replace(state, left=(*(kept for kept in state.left if type(kept) is not type(recipe)), state.recipe))
    place = replace(state.place, **{name: changes[name] for name in _OF_PLACE if name in changes})
    if place.reel and "reel" not in changes and recipe.name != state.recipe.name:  # a reel is that of one network
        place = replace(place, at=inner_address(place.at, place.reel), reel=())
    if place.over and "over" not in changes and recipe.name != state.recipe.name:  # and so is a choice of inputs
        place = replace(place, over="")
    places = (*state.places[:state.active], place, *state.places[state.active + 1:])
    if state.compare and place.recipe != state.recipe:
        places = tuple(replace(other, recipe=_given_alike(other.recipe, state.recipe, place.recipe))
                       for other in places)
    if "look" in changes and len(places) > 1:
        places = tuple(replace(other, look=_seen_alike(other.look, place.look)) for other in places)
    return replace(state, places=places)


def _given_alike(recipe: Recipe, before: Recipe, now: Recipe) -> Recipe:
    """A recipe of a comparison after another one was changed: where both read the same, they go on to; and so does what
    is done to the input."""
    if not all(isinstance(each, ModelRecipe) for each in (recipe, before, now)) or recipe == now:
        return recipe
    assert isinstance(recipe, ModelRecipe)
    assert isinstance(before, ModelRecipe)
    assert isinstance(now, ModelRecipe)
    if before.model != now.model:
        return recipe
    if recipe.inputs == before.inputs and now.inputs != before.inputs:
        recipe = replace(recipe, inputs=now.inputs, label=now.label)
    done, was, new = (tuple(words for words in each.edits if edits.of((words,), edits.INPUT))
                      for each in (recipe, before, now))
    if done == was and new != was:
        recipe = replace(recipe, edits=(*(words for words in recipe.edits if words not in done), *new))
    return recipe


def _of_model(state: State, given: Mapping[str, Any]) -> State:
    """Another model, input, objective or edits, from those of the place or those that were left."""
    found = as_left(state, ModelRecipe)
    drawing = given.get("drawing", found.drawing or state.pad)
    sample = given.get("sample", found.sample)
    changes = {name: given[name] for name in ("model", "inputs", "objective", "edits", "label") if name in given}
    if "sample" in given or ("drawing" in given and sample == DRAWN):
        word = f"{DRAWN}:{drawing}" if sample == DRAWN and drawing else sample
        changes["inputs"] = (word,) if word else ()
    if "label" not in given and sample != found.sample:
        changes["label"] = ""  # it was said of another input
    recipe, state = replace(found, **changes), replace(state, pad=drawing)
    if isinstance(state.recipe, ModelRecipe) or "model" in given:
        return changed(state, recipe=recipe)
    return replace(state, left=(*(kept for kept in state.left if not isinstance(kept, ModelRecipe)), recipe))


def as_left(state: State, kind: type[R]) -> R:
    """The recipe of that kind: the active place's own, or the one that was left, or its default."""
    return next((found for found in (state.recipe, *reversed(state.left)) if isinstance(found, kind)), kind())


def _seen_alike(look: Look, other: Look) -> Look:
    """A look with size, theme and type of another one."""
    return replace(other, **{name: getattr(look, name) for name in OWN_LOOK})


# --- written and read -----------------------------------------------------------------------------------------------

def to_json(state: State, weights: str = "") -> str:
    """Plain words, with the version; `from_json` gives an equal State back.

    `weights` is the sha256 of the weights that the numbers came from, so that others can be told when it is opened.
    """
    plain: dict[str, Any] = {"version": VERSION} | ({"weights": weights} if weights else {})
    for item in fields(State):
        plain[item.name] = getattr(state, item.name)
    plain["places"] = [{"recipe": plain_of(place.recipe), "view": place.view, "at": place.at,
                        "focus": None if place.focus is None else _plain(place.focus), "look": _plain(place.look),
                        **({"reel": place.reel} if place.reel else {}), **({"over": place.over} if place.over else {})}
                       for place in state.places]
    plain["left"] = [plain_of(recipe) for recipe in state.left]
    return json.dumps(plain, indent=1, sort_keys=True)


def _plain(noun: Focus | Look) -> dict[str, Any]:
    return {WRITTEN.get(item.name, item.name): getattr(noun, item.name) for item in fields(noun)}


def from_json(text: str) -> State:
    """Read a State, however old; raises Refused if it is none, or from a newer version."""
    try:
        plain = json.loads(text)
        if not isinstance(plain, dict) or not isinstance(plain.get("version"), int):
            raise Refused(tr("This holds no saved state of Visualizer; open a picture or a session made by the app."))
        if plain["version"] > VERSION:
            raise Refused(tr("This was saved by a newer Visualizer (state version {version}, this one reads {own}); "
                             "update the "
                             "app to open it.").format(version=plain["version"], own=VERSION))
        plain = {key: _tuples(value) for key, value in plain.items()}
        if plain["version"] < 2:
            plain = _from_first(plain)
        plain = {key: value for key, value in plain.items() if key in State.__dataclass_fields__}
        if "places" in plain:
            plain["places"] = tuple(_place(place) for place in plain["places"])
        if "left" in plain:
            plain["left"] = tuple(from_plain(recipe) for recipe in plain["left"])
        _check_pairs(plain.get("notes", ()), str)
        _check_pairs(plain.get("strokes", ()), tuple)
        return _checked(State(**plain))
    except (RecursionError, ValueError, TypeError, AttributeError) as error:
        raise Refused(tr("The saved state cannot be read ({why}); save it again from the app.").format(
            why=error)) from error


def _place(plain: Mapping[str, Any]) -> Place:
    found = {key: value for key, value in plain.items() if key in Place.__dataclass_fields__}
    if "recipe" in found:
        found["recipe"] = from_plain(found["recipe"])
    if found.get("focus") is not None:
        found["focus"] = Focus(**_known(_as_now(found["focus"]), Focus))
    if "look" in found:
        found["look"] = Look(**_known(_as_now(found["look"]), Look))
    return Place(**found)


def _from_first(plain: dict[str, Any]) -> dict[str, Any]:
    """What version 1 wrote, in the words of this one: it knew one place, called the laboratory a model, kept its knobs
    among those of the views, and had the drawing beside the input."""
    plain = dict(plain)
    usual = ModelRecipe()
    model, sample = plain.pop("model", usual.model), plain.pop("sample", usual.sample)
    drawing, objective = plain.pop("drawing", ""), plain.pop("objective", usual.objective)
    done = plain.pop("interventions", ())
    for name, word in (("model", model), ("sample", sample), ("drawing", drawing), ("objective", objective)):
        if not isinstance(word, str):
            raise TypeError(tr("{name} is {value!r}").format(name=name, value=str(word)[:40]))
    word = f"{DRAWN}:{drawing}" if sample == DRAWN and drawing else sample
    network = ModelRecipe(usual.model if model == lab.NAME else model, (word,) if word else (), objective, done)
    place: dict[str, Any] = {name: plain.pop(name) for name in ("view", "at", "focus", "look") if name in plain}
    look = place.get("look", {})
    words = _lab_words(look.get("knobs", ()), model == lab.NAME)
    left: tuple[Recipe, ...] = ()
    if model == lab.NAME:
        recipe: Recipe = lab_recipe(words)
        left = (network,) if done or objective != usual.objective else ()
    else:
        recipe = network
        left = (lab_recipe(words),) if words else ()
    if words:
        look = {**look, "knobs": tuple(pair for pair in look["knobs"] if pair not in words)}
        place["look"] = look
    return {**plain, "pad": drawing, "left": tuple(map(plain_of, left)),
            "places": ({**place, "recipe": plain_of(recipe)},)}


def _lab_words(knobs: Any, inside: bool) -> tuple[tuple[str, str], ...]:
    """The knobs of the laboratory among those of a look; one that a view too has, by its word, where it was left."""
    def meant(name: str, word: str) -> bool:
        if inside or name == lab.AGAINST:
            return True
        try:
            return bool(lab.knob(name).read(word) is not None)
        except Refused:
            return False

    return tuple((name, word) for name, word in knobs if name in lab.names() and meant(name, word))


def _checked(state: State) -> State:
    """The State, if each of its fields is of its own type; raises TypeError. A file can hold anything."""
    _check_types(state, State())
    if not 0 < len(state.places) <= MOST_PLACES or not 0 <= state.active < len(state.places):
        raise TypeError(tr("{count} places, of which {active} is active"
                           ).format(count=len(state.places), active=state.active))
    if state.compare not in ("", *SYNCS) or not 0 <= state.alone <= MOST_COMPARED \
            or not all(isinstance(name, str) for name in state.brought):
        raise TypeError(tr("a comparison by {name!r}").format(name=state.compare[:20]))
    if state.stepping not in (-1, 0, 1):
        raise TypeError(tr("a way through the inputs that is none"))
    if not 0 < state.speed <= 100:
        raise TypeError(tr("a speed that makes no sense"))
    for place in state.places:
        _check_types(place, Place(focus=Focus("")))
        if not all(isinstance(name, str) and name and not set(name) & set("/\\:@") for name in place.reel) \
                or len(set(place.reel)) != len(place.reel) or len(place.reel) == 1 \
                or not (set(place.reel) <= set(TRAINING) or not set(place.reel) & set(TRAINING)):
            raise TypeError(tr("a reel of {words}").format(words=str(place.reel)[:40]))
        if place.over:
            over.parse(place.over)
        _check_types(place.look, Look())
        size = place.look.size
        if len(size) != 2 or not all(isinstance(side, int) and 0 < side <= 20_000 for side in size):
            raise TypeError(tr("a size of {size}").format(size=str(size)[:40]))
        if place.focus is not None:
            _check_types(place.focus, Focus(""))
            if not all(isinstance(index, int) for index in place.focus.cell):
                raise TypeError(tr("a cell {cell}").format(cell=str(place.focus.cell)[:40]))
        if not all(isinstance(pair, tuple) and len(pair) == 2 and all(isinstance(word, str) for word in pair)
                   for pair in place.look.knobs):
            raise TypeError(tr("settings that are no words"))
        if not 0.1 <= place.look.text_scale <= 10:
            raise TypeError(tr("a scale that makes no sense"))
    return state


def _check_types(noun: Any, other: Any) -> None:
    """Raises TypeError unless each field of a noun is of the type it has in the other."""
    for item in fields(noun):
        value, wanted = getattr(noun, item.name), type(getattr(other, item.name))
        if isinstance(value, ModelRecipe | LabRecipe):
            continue
        right = isinstance(value, int | float if wanted is float else wanted) or (value is None and wanted is Focus)
        if not right or (isinstance(value, bool) and wanted is not bool):
            raise TypeError(tr("{name} is {value!r}").format(name=item.name, value=str(value)[:40]))


def weights_in(text: str) -> str:
    """The sha256 of the weights that a saved State was made with; empty if it does not say."""
    try:
        plain = json.loads(text)
        return str(plain.get("weights", "")) if isinstance(plain, dict) else ""
    except (ValueError, RecursionError):
        return ""


def packed(ink: NDArray[np.uint8]) -> str:
    """A drawing (row, column), 0 paper and 255 ink, as some hundred letters: `112x112:…`."""
    rows, columns = ink.shape
    words = base64.b85encode(zlib.compress(np.ascontiguousarray(ink, np.uint8).tobytes(), 9)).decode()
    return f"{rows}x{columns}:{words}"


def unpacked(drawing: str) -> NDArray[np.uint8]:
    """The drawing that `packed` wrote; raises Refused if it is none."""
    size, _, words = drawing.partition(":")
    try:
        rows, columns = (int(side) for side in size.split("x"))
        if not (0 < rows <= MOST_SIDE and 0 < columns <= MOST_SIDE):
            raise ValueError(f"{rows} × {columns}")
        data = zlib.decompressobj().decompress(base64.b85decode(words), rows * columns + 1)
        return np.frombuffer(data, np.uint8).reshape(rows, columns)
    except (ValueError, zlib.error) as error:
        raise Refused(tr("The saved drawing cannot be read ({why}); draw it again.").format(why=error)) from error


# --- what the buttons do --------------------------------------------------------------------------------------------

def moment_of(state: State, timeline: Timeline) -> Moment:
    """Where the state stands; an address of another trace falls back to the moment that tells most."""
    for address in dict.fromkeys((state.at, inner_address(state.at, state.reel))):
        found = timeline.nearest(address) if address else timeline.telling
        if found is not None:
            return found
    return timeline.telling


def inner_address(at: str, reel: tuple[str, ...]) -> str:
    """The address of the moment at which the recordings of a reel are looked at: `conv2.forward` of
    `after:conv2.forward@0.5`."""
    name, colon, rest = at.partition(":")
    return rest.partition("@")[0] if colon and name in reel else at


def go(state: State, moment: Moment) -> State:
    """To a moment. In a reel, one of a single recording is that of all: one stays as far between them as one was."""
    if not state.reel or moment.beat.of or moment.beat.doing == UPDATE:
        return changed(state, at=moment.address)
    name, colon, rest = state.at.partition(":")
    name, phase = (name, rest.partition("@")[2]) if colon and name in state.reel else (state.reel[-1], "")
    return changed(state, at=f"{name}:{moment.beat.address}" + (f"@{phase}" if phase else ""))


def to_pin(state: State, address: str, timeline: Timeline) -> State:
    """To a moment that is always the same one, such as the best; with no address back to where one stood before, or to
    the end."""
    stood = state.look.knob(STOOD, "")
    if address:
        return changed(turned(state, STOOD, stood or moment_of(state, timeline).address), at=address, playing=False)
    back = timeline.nearest(stood) if stood else timeline.settled(len(timeline.beats) - 1)
    return state if back is None else changed(turned(state, STOOD, ""), at=back.address, playing=False)


def step(state: State, timeline: Timeline, by: int) -> State:
    """Next or previous beat of which something is seen, settled. From inside a beat, one back settles the beat before
    it."""
    index = moment_of(state, timeline).index + by
    while 0 < index < len(timeline.beats) - 1 and timeline.pace(index).passed:
        index += 1 if by > 0 else -1
    return go(state, timeline.settled(index))


def first(state: State, timeline: Timeline) -> State:
    """The first beat; on the way back the one at which that begins, and from there the very first."""
    moment = moment_of(state, timeline)
    back = next((number for number, beat in enumerate(timeline.beats) if beat.direction == BACKWARD), 0)
    return go(state, timeline.settled(back if moment.backward and moment.index > back else 0))


def last(state: State, timeline: Timeline) -> State:
    return go(state, timeline.settled(len(timeline.beats) - 1))


def reverse(state: State, timeline: Timeline) -> State:
    """The same layer, and the same step of it, in the other direction, if anything flows that way."""
    timeline = timeline.within or timeline
    moment = moment_of(state, timeline)
    other = timeline.of(moment.beat.layer, FORWARD if moment.backward else BACKWARD, moment.beat.step)
    return state if other is None else go(state, other)


def play(state: State, timeline: Timeline) -> State:
    """Start or pause; from the beginning where no moment has been chosen, and again at the very end."""
    moment = moment_of(state, timeline)
    if not state.playing and (not state.at or (moment.index == len(timeline.beats) - 1 and moment.phase == 1)):
        state = changed(state, at=f"{timeline.beats[0].address}@0")
    return replace(state, playing=not state.playing, stepping=0)


def to_input(state: State, word: str) -> State:
    """To another input, everything else as it is; other places that stand at the same input of the same kind of network
    come along."""
    before = state.recipe
    moved = changed(state, sample=word)
    if not isinstance(before, ModelRecipe) or not isinstance(moved.recipe, ModelRecipe):
        return state
    given = moved.recipe.inputs
    places = tuple(replace(place, recipe=replace(place.recipe, inputs=given))
                   if isinstance(place.recipe, ModelRecipe) and place.recipe.model == before.model
                   and place.recipe.inputs == before.inputs else place for place in moved.places)
    return replace(moved, places=places)


def still_at(state: State, word: str) -> State:
    """The same, and it runs through the inputs no more."""
    return replace(to_input(state, word), stepping=0)


def over_inputs(state: State, words: str) -> State:
    """Step through others from now on, as `visualizer.over` writes it."""
    return changed(state, over="" if words == over.INPUTS else words)


def run_through(state: State, way: int) -> State:
    """Run through the inputs, that way, or stop; beats do not play meanwhile."""
    return replace(state, stepping=0 if state.stepping == way else way, playing=False)


def select(state: State, trace: Trace, timeline: Timeline, focus: Focus | None) -> State:
    """Look at something; the cursor goes to its layer, keeping its direction where it can. A gate or a state that was
    looked at once stays open when one looks at something else."""
    state = changed(state, focus=focus)
    if focus is not None and is_inner(focus):
        state = turned(state, GATE, focus.array.removeprefix("inner."))
    if focus is None or focus.layer not in trace:
        return state
    timeline = timeline.within or timeline
    moment = moment_of(state, timeline)
    if moment.beat.doing and focus.layer == moment.beat.layer:
        return state
    step = step_of(trace, focus)
    if step is None and focus.layer == moment.beat.layer:
        step = moment.beat.step
    target = timeline.of(focus.layer, moment.beat.direction, step) or timeline.of(focus.layer, FORWARD, step)
    within = target is not None and target.beat == moment.beat and not (moment.phase < 1 and is_inner(focus))
    return state if target is None or within else go(state, target)


def up(state: State) -> State:
    """One level out: cell, channel, layer, network; within a step: unit, gate or state, step, layer, network."""
    focus = state.focus
    if focus is None:
        return state
    if focus.array == "output" or is_inner(focus):
        if len(focus.cell) > 1:
            return changed(state, focus=replace(focus, cell=focus.cell[:1]))
        if focus.cell and is_inner(focus):
            return changed(state, focus=Focus(focus.layer, focus.cell))
        if not focus.cell:
            return changed(state, focus=None)
    return changed(state, focus=Focus(focus.layer))


def neighbour(state: State, trace: Trace, by: int) -> State:
    """The previous or next channel, unit or class of the focused layer."""
    focus = state.focus
    if focus is None or focus.layer not in trace or not trace[focus.layer].shape:
        return state
    count = trace[focus.layer].shape[0]
    here = focus.cell[0] if focus.cell else (-1 if by > 0 else count)
    return changed(state, focus=replace(focus, cell=(min(max(here + by, 0), count - 1), *focus.cell[1:])))


def move_cell(state: State, trace: Trace, rows: int, columns: int) -> State:
    """Move the marked cell of the focused map; nothing beyond its edge."""
    focus = state.focus
    if focus is None or focus.layer not in trace or not trace[focus.layer].has("row", "column"):
        return state
    shape = trace[focus.layer].shape
    if len(focus.cell) != len(shape):
        return state
    row = min(max(focus.cell[-2] + rows, 0), shape[-2] - 1)
    column = min(max(focus.cell[-1] + columns, 0), shape[-1] - 1)
    return changed(state, focus=replace(focus, cell=(*focus.cell[:-2], row, column)))


def faster(state: State, by: int) -> State:
    nearest = min(range(len(SPEEDS)), key=lambda index: abs(SPEEDS[index] - state.speed))
    return replace(state, speed=SPEEDS[min(max(nearest + by, 0), len(SPEEDS) - 1)])


def scope(state: State, name: str) -> State:
    """Scale colours by `unit`, `layer` or `network`."""
    return changed(state, look=replace(state.look, scope=name))


def signs(state: State) -> State:
    return changed(state, look=replace(state.look, signs=not state.look.signs))


def turned(state: State, name: str, word: str) -> State:
    """A knob of a view at another of its words."""
    knobs = {**dict(state.look.knobs), name: word}
    return changed(state, look=replace(state.look, knobs=tuple(sorted(knobs.items()))))


def before_training(state: State) -> State:
    """The weights from before training, or the trained ones again; in a reel of both, to its other end."""
    if is_of_run(state.reel):
        ends = state.reel[-1 if state.at.startswith(f"{state.reel[0]}:") else 0]
        return changed(state, at=f"{ends}:{inner_address(state.at, state.reel)}", playing=False)
    if state.reel == TRAINING:
        address = inner_address(state.at, state.reel)
        name = AFTER if state.at.startswith(f"{BEFORE}:") else BEFORE
        return changed(state, at=f"{name}:{address}" if address else "", playing=False)
    return toggled(state, UNTRAINED)


def told(state: State) -> State:
    """The right symbol before each that is said, or again what was said itself."""
    return toggled(state, TOLD)


def unit_off(state: State, trace: Trace) -> State:
    """The focused channel or unit gives zeros from now on, or again what it gives; nothing where none is focused."""
    found = unit_of(state.focus, trace)
    return state if found is None else toggled(state, f"unit_off:{found[0]}:{found[1]}")


def unit_of(focus: Focus | None, trace: Trace) -> tuple[str, int] | None:
    """Which unit of which layer a focus lies in; None where it lies in no single one."""
    if focus is None or not focus.cell or focus.layer not in trace or not (focus.array == "output" or is_inner(focus)):
        return None
    layer = trace[focus.layer]
    place = next((layer.axes.index(axis) for axis in ("channel", "unit", "class", "feature") if axis in layer.axes), 0)
    while kinds.role(layer) == "product" and layer.reads:  # what an edit has added behind it
        layer = trace[layer.reads[0]]
    return (layer.name, focus.cell[place]) if place < len(focus.cell) else None


def unit_words(focus: Focus | None, trace: Trace) -> str:
    """The unit, gate or state that a focus lies in, as `inputs:excite=` names it: `conv2:7`, `lstm:29/inner.forget`."""
    if focus is not None and focus.layer in trace and focus.array.startswith("inner.") and len(focus.cell) == 2:
        return f"{focus.layer}:{focus.cell[1]}/{focus.array}"
    found = unit_of(focus, trace)
    return "" if found is None else f"{found[0]}:{found[1]}"


def switched(state: State, words: str, instead: tuple[str, ...] = ()) -> State:
    """One edit done, in the place of others, or taken back; what is taken back stays in the list, switched off."""
    for other in instead:
        state = switched(state, other) if other in state.edits and other != words else state
    off = tuple(word for word in state.look.knob("off", "").split("|") if word and word != words)
    kept = "|".join((*off, words)[-MOST_SWITCHED_OFF:] if words in state.edits else off)
    return turned(toggled(state, words), "off", kept)


def toggled(state: State, words: str) -> State:
    """With one more edit, or without it."""
    others = tuple(done for done in state.edits if done != words)
    return changed(state, edits=others if words in state.edits else (*others, words))


def given(state: State) -> tuple[str, ...]:
    """What is done to the input of the active place."""
    return edits.those(state.edits, edits.INPUT)


def what_if(state: State, words: tuple[str, ...]) -> State:
    """That done to the input of every place, and nothing else to it; what is done to each network stays."""
    def done_to(place: Place) -> Place:
        if not isinstance(place.recipe, ModelRecipe):
            return place
        kept = edits.those(place.recipe.edits, edits.WEIGHTS, edits.MODEL, edits.TEACHER)
        return replace(place, recipe=replace(place.recipe, edits=(*kept, *words)))

    return replace(state, places=tuple(map(done_to, state.places)))


def edited(state: State, words: str, name: str = "") -> State:
    """One edit of the input in the place of another one, or of the one of the same name; behind the others where there
    is none. Empty words take it away."""
    name, before = name or words.partition(":")[0], given(state)
    if any(word.partition(":")[0] == name for word in before):
        after = [words if word.partition(":")[0] == name else word for word in before]
    else:
        after = [*before, words]
    return what_if(state, tuple(word for word in after if word))


def shifted(state: State, right: int, down: int) -> State:
    """The input moved further by so many pixels; `right` are steps where there are only those."""
    for edit, arguments in edits.of(given(state), edits.INPUT):
        if edit.name == "shift":
            right, down = right + arguments[0], down + arguments[1]
    return edited(state, edits.find("shift").write((right, down)) if right or down else "", "shift")


def unedited(state: State) -> State:
    """The network and its input as they are; of other places the input."""
    return changed(what_if(state, ()), edits=())


def fitting_edits(state: State, before: bool, alike: bool) -> tuple[str, ...]:
    """Those edits that another model takes over: what is done to the input, if it reads one `alike`, and its weights
    from before training if it has such; units are those of one network."""
    kept = (*((edits.WEIGHTS,) if before else ()), *((edits.INPUT,) if alike else ()))
    return tuple(words for words in state.edits if edits.parse(words)[0].applies_to in kept)


def theme(state: State) -> State:
    """Light to dark and back, each with as much contrast as before."""
    now = state.look.theme
    plain = "light" if colour.strong(now, False) == "dark" else "dark"
    return changed(state, look=replace(state.look, theme=colour.strong(plain, colour.is_strong(now))))


# --- places beside each other ---------------------------------------------------------------------------------------

def another_place(state: State) -> State:
    """The same once more beside it, to go on from there; nothing where there is no room for more."""
    if len(state.places) >= MOST_PLACES:
        return state
    if state.compare and len(state.places) >= MOST_COMPARED:
        return state
    places = (*state.places[:state.active + 1], state.place, *state.places[state.active + 1:])
    return replace(state, places=places, active=state.active + 1)


def without_place(state: State) -> State:
    """The active place closed, if it is not the only one."""
    if len(state.places) == 1:
        return state
    left = len(state.places) - 1
    return replace(state, places=state.places[:state.active] + state.places[state.active + 1:],
                   active=max(0, state.active - 1), alone=0, compare=state.compare if left > 1 else "")


def without(state: State, index: int) -> State:
    """A place closed that one does not stand in."""
    here = state.active - (index < state.active)
    return replace(without_place(replace(state, active=index)), active=here)


def to_place(state: State, index: int) -> State:
    """Stand in another place, at the same share of the way; beyond the last one comes the first again."""
    index %= len(state.places)
    return replace(state, active=index, alone=index + 1 if state.alone else 0)


def training_beside(state: State) -> State:
    """Before and after training beside each other; or the active place alone again."""
    if len(state.places) > 1:
        return replace(state, places=(state.place,), active=0)
    state = without_reel(state) if state.reel else state
    trained = changed(state, edits=tuple(done for done in state.edits if done != UNTRAINED))
    return replace(trained, places=(before_training(trained).place, trained.place), active=1)


# --- comparing ------------------------------------------------------------------------------------------------------

def compared(state: State, partners: Iterable[Recipe] = ()) -> State:
    """The places as one comparison: those that are open, or with one alone these partners beside it. As many as there
    is room for; nothing is compared of one alone. A training is compared as it is at the update where one stands."""
    state = at_update(state) if is_of_run(state.reel) else without_reel(state) if state.reel else state
    if len(state.places) == 1:
        here, found = state.place, [recipe for recipe in partners if recipe != state.recipe][:MOST_COMPARED - 1]
        own = replace(here, focus=None)
        places = (own, *(Place(recipe, here.view, "", None, here.look) for recipe in found))
        state = replace(state, places=places, active=0, brought=tuple(recipe.name for recipe in found))
    start = max(0, min(state.active, len(state.places) - MOST_COMPARED))
    places = tuple(replace(place, reel=()) for place in state.places[start:start + MOST_COMPARED])
    if len(places) < 2:
        return state
    return replace(state, places=places, active=state.active - start, compare=state.compare or SHARE, alone=0,
                   playing=False)


def apart(state: State, view: str) -> State:
    """Each place in its view again, the active one in this; alone where the others only came to be compared."""
    if not state.compare:
        return changed(state, view=view)
    if state.brought:
        state = replace(state, places=(state.place,), active=0)
    return changed(replace(state, compare="", alone=0, brought=(), playing=False), view=view)


def synced(state: State, word: str) -> State:
    """Another thing that the places of a comparison have in common."""
    return replace(state, compare=word) if state.compare else state


def alone_at(state: State, number: int) -> State:
    """One place of a comparison alone, counted from 1, or all of them again."""
    if not state.compare or number > len(state.places):
        return state
    return replace(state, alone=0 if state.alone == number else number, active=number - 1)


def as_it_was(recipe: Recipe) -> Recipe:
    """The same with nothing done to its input."""
    if not isinstance(recipe, ModelRecipe):
        return recipe
    return replace(recipe, edits=tuple(words for words in recipe.edits if not edits.of((words,), edits.INPUT)))


# --- reels ----------------------------------------------------------------------------------------------------------

def training_reel(state: State, timeline: Timeline) -> State:
    """The active place as a reel from before training to after it, at the moment at which it stands; or left again."""
    if state.reel:
        return without_reel(state)
    here = moment_of(state, timeline).beat.address
    name = BEFORE if UNTRAINED in state.edits else AFTER
    trained = tuple(done for done in state.edits if done != UNTRAINED)
    return changed(state, edits=trained, reel=TRAINING, at=f"{name}:{here}", playing=False)


def without_reel(state: State) -> State:
    """The one recording of the place's own recipe, at the moment that all were looked at; of the updates of a training
    the network that was opened."""
    if is_of_run(state.reel):
        state = off_run(state)
    return changed(state, reel=(), at=inner_address(state.at, state.reel), playing=False)


def along_run(state: State, names: tuple[str, ...], words: str, address: str) -> State:
    """The active place at the updates of a training: `words` is the edit for the one at which one stands, `address` the
    moment at which the network is looked at there."""
    step = words.partition(":")[2].partition(",")[0]
    others = own_edits(state.recipe) if isinstance(state.recipe, ModelRecipe) else ()
    return changed(state, edits=(words, *others), reel=names, at=f"{step}:{address}", playing=False)


def one_update(state: State, words: str, focus: Focus, at: str) -> State:
    """One update of a training, as the edit `words` says it, at one of the numbers of its weight."""
    others = own_edits(state.recipe) if isinstance(state.recipe, ModelRecipe) else ()
    return changed(state, edits=(words, *others), reel=(), focus=focus, at=at, playing=False)


def off_run(state: State) -> State:
    """The network that was opened, in the place of one after so many updates."""
    return changed(state, recipe=opened_recipe(state.recipe))


def at_update(state: State) -> State:
    """In a reel of the updates of a training: the network after the one that was reached last, alone."""
    found = reeled(state.recipe, (state.reel[reached_in(state)],))[0]
    return changed(state, recipe=found, reel=(), at=inner_address(state.at, state.reel), playing=False)


def reached_in(state: State) -> int:
    """The place of the recording of a reel that was reached last."""
    name, colon, rest = state.at.partition(":")
    if not colon or name not in state.reel:
        return len(state.reel) - 1
    on_its_way = bool(rest.partition("@")[2])
    return max(0, state.reel.index(name) - on_its_way)


# --- notes and pen --------------------------------------------------------------------------------------------------

def beat_of(state: State, moment: Moment) -> str:
    """The name under which notes and strokes of a beat are kept: another model or view is another picture."""
    return f"{state.model} {state.view} {moment.beat.address}"


def note_of(state: State, beat: str) -> str:
    return dict(state.notes).get(beat, "")


def with_note(state: State, beat: str, words: str) -> State:
    """Other words for a beat; none takes them away."""
    kept = tuple(note for note in state.notes if note[0] != beat)
    return replace(state, notes=(*kept, (beat, words)) if words else kept)


def strokes_of(state: State, beat: str) -> tuple[Points, ...]:
    return tuple(points for where, points in state.strokes if where == beat)


def with_stroke(state: State, beat: str, points: Points) -> State:
    return replace(state, strokes=(*state.strokes, (beat, points)))


def without_stroke(state: State, beat: str) -> State:
    """Without the last stroke of a beat."""
    last = max((place for place, (where, _) in enumerate(state.strokes) if where == beat), default=None)
    return state if last is None else replace(state, strokes=state.strokes[:last] + state.strokes[last + 1:])


def without_strokes(state: State, beat: str) -> State:
    return replace(state, strokes=tuple(stroke for stroke in state.strokes if stroke[0] != beat))


def known(state: State) -> State:
    """The same network and input as they are when they are opened: the first beat of the first view, nothing chosen,
    nothing drawn. Notes stay."""
    plain = State()
    look = replace(state.look, scope=plain.look.scope, signs=plain.look.signs, knobs=plain.look.knobs)
    return changed(state, view=plain.view, at="", focus=None, look=look, speed=plain.speed, playing=False, strokes=())


def _check_pairs(pairs: Any, kind: type) -> None:
    """Raises TypeError unless these are (str, kind)."""
    for beat, value in pairs:
        if not isinstance(beat, str) or not isinstance(value, kind):
            raise TypeError(tr("a note or a stroke is none"))
        points: Any = value if kind is tuple else ()
        for x, y in points:
            if not isinstance(x, int | float) or not isinstance(y, int | float):
                raise TypeError(tr("a stroke goes through points that are none"))


# --- the laboratory -------------------------------------------------------------------------------------------------

def lab_of(state: State) -> tuple[lab.Lab, lab.Lab | None]:
    """What the State asks of the laboratory, or asked when it was left, and the setting pinned beside it."""
    return as_left(state, LabRecipe).settings


def enter_lab(state: State, experiment: str = "") -> State:
    """Open the laboratory where its knobs were left, on one of its experiments."""
    state = changed(state, recipe=as_left(state, LabRecipe))
    if experiment:
        state = turn_lab(state, "experiment", experiment)
    wanted, _ = lab_of(state)
    return changed(state, view=lab.view_of(wanted), at=lab.start_of(wanted), focus=None, playing=False)


def turn_lab(state: State, name: str, word: str) -> State:
    """One knob of the laboratory at another word; the cursor stays as far from the loss as it was, or at the very end.
    """
    before, _ = lab_of(state)
    recipe = as_left(state, LabRecipe)
    knobs = {**dict(recipe.knobs), name: word}
    if name != "experiment" and word == lab.knob(name).write(lab.knob(name).default):
        del knobs[name]
    if "experiment" not in knobs:
        knobs["experiment"] = before.experiment
    state = changed(state, recipe=replace(recipe, knobs=tuple(sorted(knobs.items()))))
    after, _ = lab_of(state)
    if before.experiment != after.experiment:
        return changed(state, view=lab.view_of(after), at=lab.start_of(after), focus=None, playing=False)
    if name == "steps" and (found := re.fullmatch(r"(\w+\.\w+)\[(\d+)\](.*)", state.at)):
        back = int(before.steps) - int(found[2])
        step = 1 if found[2] == "1" else max(1, int(after.steps) - back)
        return changed(state, at=f"{found[1]}[{step}]{found[3]}")
    return state


def pin_lab(state: State) -> State:
    """Keep the present curves behind whatever comes next; or let them go."""
    recipe = as_left(state, LabRecipe)
    against = "" if recipe.against else lab.pinned(recipe.settings[0])
    return changed(state, recipe=replace(recipe, against=against))


def _as_now(noun: Mapping[str, Any]) -> dict[str, Any]:
    """A Look or a Focus in the words of today: what is for an audience was called `room` once; an array of a layer is
    written as the `part` it was called first, so that every version reads it."""
    now = {"room": "projector", WRITTEN["array"]: "array"}
    return {now.get(name, name): value for name, value in noun.items()}


def _known(plain: dict[str, Any], noun: type) -> dict[str, Any]:
    return {key: value for key,
            value in plain.items() if key in noun.__dataclass_fields__}  # type: ignore[attr-defined]


def _tuples(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_tuples(item) for item in value)
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return value
