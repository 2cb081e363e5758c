"""State: everything a person has chosen, as one frozen value; every button is a pure function State -> State.

Saved as versioned JSON in plain words. Unknown fields are ignored, missing ones take their defaults.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer import lab
from visualizer.scene.picture import Focus, Look, Points
from visualizer.scene.subject import is_inner, step_of
from visualizer.scene.timeline import BACKWARD, FORWARD, Moment, Timeline
from visualizer.trace import UNTRAINED, Refused, Trace

VERSION = 1
MOST_SIDE = 512
"""Points on a side of a drawing."""
SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True)
class State:
    """What is open, where in it one stands, and how it is looked at."""

    model: str = "digits_cnn"
    """Bundled name, or path of a file."""
    sample: str = "digit-2148"
    """Name of a bundled sample, or path of a file, or `drawn`."""
    drawing: str = ""
    """What was drawn, while the sample is `drawn`: see `packed`."""
    objective: str = "loss"
    """`loss` against the sample's label, or `logit:4`."""
    view: str = "network"
    at: str = ""
    """Address of the moment (`conv2.forward@0.5`); empty means the one at which the view has most to tell."""
    focus: Focus | None = None
    look: Look = field(default_factory=Look)
    interventions: tuple[str, ...] = ()
    """What is done to the model first: `untrained` takes its weights from before training."""
    lesson: str = ""
    step: int = 0
    speed: float = 1.0
    playing: bool = False
    notes: tuple[tuple[str, str], ...] = ()
    """What the speaker wrote: (beat, words)."""
    strokes: tuple[tuple[str, Points], ...] = ()
    """What was drawn with the pen: (beat, points in shares of the picture's width and height), the oldest first."""
    inked: bool = False
    """Whether pictures are exported with the strokes."""


def to_json(state: State, weights: str = "") -> str:
    """Plain words, with the version; `from_json` gives an equal State back.

    `weights` is the sha256 of the weights that the numbers came from, so that others can be told when it is opened.
    """
    plain: dict[str, Any] = {"version": VERSION} | ({"weights": weights} if weights else {})
    for item in fields(State):
        value = getattr(state, item.name)
        if isinstance(value, Focus | Look):
            value = {inner.name: getattr(value, inner.name) for inner in fields(value)}
        plain[item.name] = value
    return json.dumps(plain, indent=1, sort_keys=True)


def from_json(text: str) -> State:
    """Read a State, however old; raises Refused if it is none, or from a newer version."""
    try:
        plain = json.loads(text)
        if not isinstance(plain, dict) or not isinstance(plain.get("version"), int):
            raise Refused("This holds no saved state of Visualizer; open a picture or a session made by the app.")
        if plain["version"] > VERSION:
            raise Refused(f"This was saved by a newer Visualizer (state version {plain['version']}, this one reads "
                          f"{VERSION}); update the app to open it.")
        plain = {key: _tuples(value) for key, value in plain.items() if key in State.__dataclass_fields__}
        if plain.get("focus") is not None:
            plain["focus"] = Focus(**_known(plain["focus"], Focus))
        if "look" in plain:
            plain["look"] = Look(**_known(plain["look"], Look))
        _check_pairs(plain.get("notes", ()), str)
        _check_pairs(plain.get("strokes", ()), tuple)
        return _checked(State(**plain))
    except (RecursionError, ValueError, TypeError, AttributeError) as error:
        raise Refused(f"The saved state cannot be read ({error}); save it again from the app.") from error


def _checked(state: State) -> State:
    """The State, if each of its fields is of its own type; raises TypeError. A file can hold anything."""
    usual: tuple[tuple[Any, Any], ...] = ((state, State(focus=Focus(""))), (state.look, Look()),
                                          *(() if state.focus is None else ((state.focus, Focus("")),)))
    for noun, other in usual:
        for item in fields(noun):
            value, wanted = getattr(noun, item.name), type(getattr(other, item.name))
            right = isinstance(value, int | float if wanted is float else wanted) or (value is None and wanted is Focus)
            if not right or (isinstance(value, bool) and wanted is not bool):
                raise TypeError(f"{item.name} is {str(value)[:40]!r}")
    size = state.look.size
    if len(size) != 2 or not all(isinstance(side, int) and 0 < side <= 20_000 for side in size):
        raise TypeError(f"a size of {str(size)[:40]}")
    if state.focus is not None and not all(isinstance(index, int) for index in state.focus.cell):
        raise TypeError(f"a cell {str(state.focus.cell)[:40]}")
    if not all(isinstance(pair, tuple) and len(pair) == 2 and all(isinstance(word, str) for word in pair)
               for pair in state.look.knobs) or not all(isinstance(word, str) for word in state.interventions):
        raise TypeError("settings that are no words")
    if not (0.1 <= state.look.text_scale <= 10 and 0 < state.speed <= 100):
        raise TypeError("a scale or speed that makes no sense")
    return state


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
        raise Refused(f"The saved drawing cannot be read ({error}); draw it again.") from error


# --- what the buttons do --------------------------------------------------------------------------------------------

def moment_of(state: State, timeline: Timeline) -> Moment:
    """Where the state stands; an address of another trace falls back to the moment that tells most."""
    try:
        return timeline.find(state.at) if state.at else timeline.telling
    except LookupError:
        return timeline.telling


def go(state: State, moment: Moment) -> State:
    return replace(state, at=moment.address)


def step(state: State, timeline: Timeline, by: int) -> State:
    """Next or previous beat, settled. From inside a beat, one back settles the beat before it."""
    return go(state, timeline.settled(moment_of(state, timeline).index + by))


def first(state: State, timeline: Timeline) -> State:
    return go(state, timeline.settled(0))


def last(state: State, timeline: Timeline) -> State:
    return go(state, timeline.settled(len(timeline.beats) - 1))


def reverse(state: State, timeline: Timeline) -> State:
    """The same layer, and the same step of it, in the other direction, if anything flows that way."""
    moment = moment_of(state, timeline)
    other = timeline.of(moment.beat.layer, FORWARD if moment.backward else BACKWARD, moment.beat.step)
    return state if other is None else go(state, other)


def play(state: State, timeline: Timeline) -> State:
    """Start or pause; from the beginning where no moment has been chosen, and again at the very end."""
    moment = moment_of(state, timeline)
    if not state.playing and (not state.at or (moment.index == len(timeline.beats) - 1 and moment.phase == 1)):
        state = replace(state, at=f"{timeline.beats[0].address}@0")
    return replace(state, playing=not state.playing)


def select(state: State, trace: Trace, timeline: Timeline, focus: Focus | None) -> State:
    """Look at something; the cursor goes to its layer, keeping its direction where it can."""
    state = replace(state, focus=focus)
    if focus is None or focus.layer not in trace:
        return state
    moment = moment_of(state, timeline)
    step = step_of(trace, focus)
    if step is None and focus.layer == moment.beat.layer:
        step = moment.beat.step
    target = timeline.of(focus.layer, moment.beat.direction, step) or timeline.of(focus.layer, FORWARD, step)
    within = target is not None and target.beat == moment.beat and not (moment.phase < 1 and is_inner(focus))
    return state if target is None or within else go(state, target)


def up(state: State) -> State:
    """One level out: cell, channel, layer, network."""
    focus = state.focus
    if focus is None:
        return state
    if len(focus.cell) > 1:
        return replace(state, focus=replace(focus, cell=focus.cell[:1]))
    return replace(state, focus=Focus(focus.layer) if focus.cell else None)


def neighbour(state: State, trace: Trace, by: int) -> State:
    """The previous or next channel, unit or class of the focused layer."""
    focus = state.focus
    if focus is None or focus.layer not in trace or not trace[focus.layer].shape:
        return state
    count = trace[focus.layer].shape[0]
    here = focus.cell[0] if focus.cell else (-1 if by > 0 else count)
    return replace(state, focus=replace(focus, cell=(min(max(here + by, 0), count - 1), *focus.cell[1:])))


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
    return replace(state, focus=replace(focus, cell=(*focus.cell[:-2], row, column)))


def faster(state: State, by: int) -> State:
    nearest = min(range(len(SPEEDS)), key=lambda index: abs(SPEEDS[index] - state.speed))
    return replace(state, speed=SPEEDS[min(max(nearest + by, 0), len(SPEEDS) - 1)])


def scope(state: State, name: str) -> State:
    """Scale colours by `unit`, `layer` or `network`."""
    return replace(state, look=replace(state.look, scope=name))


def signs(state: State) -> State:
    return replace(state, look=replace(state.look, signs=not state.look.signs))


def before_training(state: State) -> State:
    """The weights from before training, or the trained ones again."""
    others = tuple(done for done in state.interventions if done != UNTRAINED)
    return replace(state, interventions=others if UNTRAINED in state.interventions else (*others, UNTRAINED))


def theme(state: State) -> State:
    """Light to dark and back."""
    return replace(state, look=replace(state.look, theme="light" if state.look.theme == "dark" else "dark"))


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
    return replace(state, view=plain.view, at="", focus=None, look=look, speed=plain.speed, playing=False, strokes=())


def _check_pairs(pairs: Any, kind: type) -> None:
    """Raises TypeError unless these are (str, kind)."""
    for beat, value in pairs:
        if not isinstance(beat, str) or not isinstance(value, kind):
            raise TypeError("a note or a stroke is none")
        points: Any = value if kind is tuple else ()
        for x, y in points:
            if not isinstance(x, int | float) or not isinstance(y, int | float):
                raise TypeError("a stroke goes through points that are none")


# --- the laboratory -------------------------------------------------------------------------------------------------

def lab_of(state: State) -> tuple[lab.Lab, lab.Lab | None]:
    """What the State asks of the laboratory, and the setting pinned beside it; defaults where its words are bad."""
    try:
        return lab.of_look(state.look.knobs)
    except (Refused, LookupError):
        return lab.Lab(), None


def enter_lab(state: State, experiment: str = "") -> State:
    """Open the laboratory where its knobs were left, on one of its experiments."""
    if experiment:
        state = turn_lab(replace(state, model=lab.NAME), "experiment", experiment)
    wanted, _ = lab_of(state)
    return replace(state, model=lab.NAME, sample="", view=lab.view_of(wanted), at=lab.start_of(wanted), focus=None,
                   playing=False)


def turn_lab(state: State, name: str, word: str) -> State:
    """One knob of the laboratory at another word; the cursor stays as far from the loss as it was."""
    before, _ = lab_of(state)
    knobs = {**dict(state.look.knobs), name: word}
    if name != "experiment" and word == lab.knob(name).write(lab.knob(name).default):
        del knobs[name]
    if "experiment" not in knobs:
        knobs["experiment"] = before.experiment
    state = replace(state, look=replace(state.look, knobs=tuple(sorted(knobs.items()))))
    after, _ = lab_of(state)
    if before.experiment != after.experiment:
        return replace(state, view=lab.view_of(after), at=lab.start_of(after), focus=None, playing=False)
    if name == "steps" and (found := re.fullmatch(r"(\w+\.\w+)\[(\d+)\](.*)", state.at)):
        back = int(before.steps) - int(found[2])
        return replace(state, at=f"{found[1]}[{max(1, int(after.steps) - back)}]{found[3]}")
    return state


def pin_lab(state: State) -> State:
    """Keep the present curves behind whatever comes next; or let them go."""
    knobs = dict(state.look.knobs)
    if not knobs.pop(lab.AGAINST, ""):
        knobs[lab.AGAINST] = lab.pinned(lab_of(state)[0])
    return replace(state, look=replace(state.look, knobs=tuple(sorted(knobs.items()))))


def _known(plain: dict[str, Any], noun: type) -> dict[str, Any]:
    return {key: value for key,
            value in plain.items() if key in noun.__dataclass_fields__}  # type: ignore[attr-defined]


def _tuples(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_tuples(item) for item in value)
    if isinstance(value, dict):
        return {key: _tuples(item) for key, item in value.items()}
    return value
