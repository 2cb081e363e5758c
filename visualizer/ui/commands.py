"""Commands: everything a person can do, in one table. Menus, shortcuts, tooltips and the key sheet are made from it.

What a command does is a pure function State -> State wherever it can be one (`scene/state.py`), else a method of the
window.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from visualizer import lab, registry, sight
from visualizer.kinds import recurrent
from visualizer.language import tr
from visualizer.scene import state as does
from visualizer.scene.picture import Focus
from visualizer.scene.state import State
from visualizer.scene.subject import array, is_inner, is_number, one_number, strongest, subject
from visualizer.scene.timeline import BEGUN, Moment, Stretch, Timeline
from visualizer.trace import Trace

if TYPE_CHECKING:
    from visualizer.ui.window import Window

UNROLLED = "unrolled"
"""The view of all steps of a recurrent layer, if there is one."""
Act = Callable[["Window"], None]

@dataclass(frozen=True)
class Command:
    """One thing that can be done."""

    name: str
    title: str
    keys: tuple[str, ...]
    """As Qt writes them; the first is shown in menus."""
    menu: str
    tip: str
    act: Act


def commands() -> tuple[Command, ...]:
    """Every command, in the order of the menus."""
    file, edit, go, look, view, about = (tr("File"), tr("Edit"), tr("Walk"), tr("Look"), tr("View"), tr("Help"))
    room = tr("Present")
    return (
        Command("open", tr("Open…"), ("Ctrl+O",), file,
                tr("Open an image, a model, a recording, or a picture saved by the app"), _call("choose_file")),
        Command("draw", tr("Draw a digit"), ("D",), file,
                tr("Draw the input yourself, with mouse, finger or keyboard"), _call("toggle_pad")),
        Command("before-training", tr("Before or after training"), ("Ctrl+B",), file,
                tr("The same model with the weights from before its training, or the trained ones again"),
                before_training),
        Command("laboratory", tr("Gradient laboratory"), ("G",), file,
                tr("Turn knobs and watch gradients vanish or explode"), _pure(does.enter_lab)),
        Command("save", tr("Save session…"), ("Ctrl+S",), file,
                tr("Save where you are, to open it again later"), _call("save_session")),
        Command("restore", tr("Restore the last session"), ("Ctrl+Shift+O",), file,
                tr("Open again where you were before the app ended without being closed"),
                lambda window: window.restore_wanted.emit()),
        Command("export", tr("Export picture…"), ("E", "Ctrl+E"), file,
                tr("Save what you see, or the figure you put together, as PNG, SVG or PDF"), _call("export_picture")),
        Command("add-panel", tr("Add to figure"), ("A",), file,
                tr("Put what you see into a figure of several panels, a, b, c, to export them as one"),
                _call("add_panel")),
        Command("drop-panel", tr("Take out of figure"), ("Shift+A",), file,
                tr("Take out of the figure what was put into it last"), _call("drop_panel")),
        Command("export-data", tr("Export data…"), ("Ctrl+Shift+D",), file,
                tr("Save numbers as CSV, JSON or NPZ: the table of the picture, its layer, or everything"),
                _call("export_data")),
        Command("film", tr("Export film…"), ("Ctrl+Shift+E",), file,
                tr("Save the animation as a video, a GIF or numbered pictures"), _call("export_film")),
        Command("quit", tr("Quit"), ("Ctrl+Q",), file, tr("Close the window"), _call("leave")),

        Command("undo", tr("Undo"), ("Ctrl+Z",), edit, tr("Back to what was chosen before"), _call("undo")),
        Command("redo", tr("Redo"), ("Ctrl+Shift+Z",), edit, tr("Forth again to what was undone"),
                _store("redo")),
        Command("copy", tr("Copy picture"), ("Ctrl+C",), edit, tr("Put the picture on the clipboard"),
                _call("copy_picture")),
        Command("copy-caption", tr("Copy caption"), ("Ctrl+Shift+C",), edit,
                tr("Put the sentence of the picture on the clipboard, and all it was made from"),
                _call("copy_caption")),
        Command("copy-data", tr("Copy data"), ("Ctrl+Alt+C",), edit,
                tr("Put the table of the picture on the clipboard, for a spreadsheet"), _call("copy_data")),

        Command("play", tr("Play or pause"), ("Space", "K"), go,
                tr("Let it run, or stop it where it is; K while presenting"), play),
        Command("next", tr("Next beat"), ("Right", "PgDown"), go, tr("One layer further"),
                _timed(lambda state, times: does.step(_still(state), times, 1))),
        Command("back", tr("Previous beat"), ("Left", "PgUp"), go, tr("One layer back"),
                _timed(lambda state, times: does.step(_still(state), times, -1))),
        Command("next-term", tr("Next term"), ("Shift+Right",), go, tr("One small step further within the beat"),
                _small_step(1)),
        Command("back-term", tr("Previous term"), ("Shift+Left",), go, tr("One small step back within the beat"),
                _small_step(-1)),
        Command("first", tr("First beat"), ("Home",), go, tr("To the beginning of the way forward"),
                _timed(lambda state, times: does.first(_still(state), times))),
        Command("last", tr("Last beat"), ("End",), go, tr("To the end of the way back"),
                _timed(lambda state, times: does.last(_still(state), times))),
        Command("reverse", tr("Turn round"), ("R",), go, tr("The same layer in the other direction"),
                _timed(does.reverse)),
        Command("slower", tr("Slower"), ("[",), go, tr("Half the speed"), _pure(lambda state: does.faster(state, -1))),
        Command("faster", tr("Faster"), ("]",), go, tr("Twice the speed"), _pure(lambda state: does.faster(state, 1))),

        Command("previous-channel", tr("Previous channel or unit"), ("Up",), look,
                tr("The channel, unit or class above"), _beside(-1)),
        Command("next-channel", tr("Next channel or unit"), ("Down",), look,
                tr("The channel, unit or class below"), _beside(1)),
        Command("pixel-left", tr("Pixel to the left"), ("Alt+Left",), look, tr("Move the marked pixel left"),
                _pixel(0, -1)),
        Command("pixel-right", tr("Pixel to the right"), ("Alt+Right",), look, tr("Move the marked pixel right"),
                _pixel(0, 1)),
        Command("pixel-up", tr("Pixel above"), ("Alt+Up",), look, tr("Move the marked pixel up"), _pixel(-1, 0)),
        Command("pixel-down", tr("Pixel below"), ("Alt+Down",), look, tr("Move the marked pixel down"), _pixel(1, 0)),
        Command("in", tr("One level in"), ("Return", "Enter"), look, tr("Network, layer, channel, one number"),
                _traced(into)),
        Command("out", tr("One level out"), ("Esc",), look, tr("Back towards the whole network"),
                _call("one_level_out")),
        Command("walk-back", tr("Back to the number before"), ("Backspace",), look,
                tr("To the number that was taken apart before; else one level out"), _call("walk_back")),

        Command("signs", tr("Sign on every cell"), ("S",), view, tr("A minus on every negative cell, however small"),
                _pure(does.signs)),
        Command("scale-unit", tr("Colours per unit"), ("U",), view,
                tr("Each map has its own strongest colour"), _pure(lambda state: does.scope(state, "unit"))),
        Command("scale-layer", tr("Colours per layer"), ("L",), view,
                tr("One strongest colour for each layer"), _pure(lambda state: does.scope(state, "layer"))),
        Command("scale-network", tr("Colours per network"), ("N",), view,
                tr("One strongest colour for the whole network"), _pure(lambda state: does.scope(state, "network"))),
        Command("next-view", tr("Next view"), ("Ctrl+PgDown",), view, tr("The next tab"), _tab(1)),
        Command("previous-view", tr("Previous view"), ("Ctrl+PgUp",), view, tr("The tab before"), _tab(-1)),
        Command("details", tr("Details"), ("I",), view, tr("Show or hide the inspector in a narrow window"),
                _call("toggle_details")),
        Command("zoom-in", tr("Zoom in"), ("Ctrl++", "Ctrl+="), view, tr("Enlarge the picture; drag to move it"),
                _zoom(1.25)),
        Command("zoom-out", tr("Zoom out"), ("Ctrl+-",), view, tr("Make the picture smaller again"),
                _zoom(0.8)),
        Command("zoom-whole", tr("Whole picture"), ("Ctrl+0",), view, tr("Fit the picture to the stage"),
                lambda window: window.canvas().reset_zoom()),
        Command("larger-text", tr("Larger text"), ("Ctrl+]",), view, tr("All words of the picture larger"),
                _pure(lambda state: text_scale(state, 1.1))),
        Command("smaller-text", tr("Smaller text"), ("Ctrl+[",), view, tr("All words of the picture smaller"),
                _pure(lambda state: text_scale(state, 1 / 1.1))),
        Command("theme", tr("Light or dark"), ("T",), view, tr("Change between the light and the dark theme"),
                _pure(does.theme)),
        Command("card", tr("Turn the card over"), ("C",), view,
                tr("On the way back: how the gradient arrives at a number, or what it hands on"), turn_card),
        Command("march", tr("Next way of stepping"), ("M",), view,
                tr("Within a number: term by term; or over its map: place by place, row by row"), turn("march")),
        Command("fold", tr("Fold or unfold"), ("Shift+F",), view,
                tr("All steps of a recurrent layer into one cell with its loop, or side by side again"), turn("fold")),
        Command("pin", tr("Compare A and B"), ("Ctrl+P",), view,
                tr("In the laboratory: keep these curves behind the next ones, or let them go"), pin),
        Command("sweep", tr("Sweep the knob"), ("Shift+K",), view,
                tr("In the laboratory: the knob that was turned last through its whole range; again to stop"),
                _call("sweep")),
        Command("motion", tr("Less motion"), ("Shift+M",), view, tr("Cut to the end of each beat instead of moving"),
                _pure(less_motion)),
        Command("pane", tr("Next pane"), ("F6",), view, tr("Move the keyboard to the next part of the window"),
                _call("next_pane")),
        Command("menu", tr("Menu bar"), ("F10",), view, tr("Show or hide the menu bar (Alt, too)"),
                _call("toggle_menu_bar")),

        Command("present", tr("Present"), ("F5",), room,
                tr("Full screen for a room, from the first beat; Esc leaves it, F5 then goes on"), _room("present")),
        Command("present-here", tr("Present from here"), ("Shift+F5",), room,
                tr("Full screen for a room, from this beat on"), _room("present_here")),
        Command("speaker", tr("Speaker view"), ("V",), room,
                tr("What the audience sees, the next beat, your notes and the clock; or the window under them"),
                _room("toggle_speaker")),
        Command("notes", tr("Write notes"), ("F2",), room, tr("Notes for this beat, kept in the session"),
                _room("write_notes")),
        Command("freeze", tr("Freeze"), ("F",), room,
                tr("Hold what the audience sees while you prepare or type in the window; or let it follow again"),
                _room("toggle_frozen")),
        Command("black", tr("Black screen"), ("B", "."), room, tr("Blank the screen black; any key brings it back"),
                lambda window: window.presenter.toggle_blank("#000000")),
        Command("white", tr("White screen"), ("W",), room, tr("Blank the screen white; any key brings it back"),
                lambda window: window.presenter.toggle_blank("#FFFFFF")),
        Command("spotlight", tr("Spotlight"), ("O",), room,
                tr("Dim all but one part; Tab goes to the next part, the mouse takes the light along"),
                _room("toggle_spotlight")),
        Command("alone", tr("Hide everything but this"), ("H",), room,
                tr("Only the part in the spotlight, or what the beat is about; again for all"),
                _room("toggle_alone")),
        Command("pen", tr("Pen"), ("P",), room, tr("Draw on the picture; the strokes belong to the beat"),
                _room("toggle_pen")),
        Command("pen-around", tr("Frame with the pen"), ("Shift+P",), room,
                tr("A frame around the part in the spotlight: the pen without a mouse"), _room("draw_around")),
        Command("pen-undo", tr("Take back a stroke"), ("Z",), room, tr("The last stroke on this beat"),
                _room("undo_stroke")),
        Command("pen-clear", tr("Clear strokes"), ("Shift+Z",), room, tr("All strokes on this beat"),
                _room("clear_strokes")),
        Command("pen-export", tr("Export with strokes"), ("Shift+E",), room,
                tr("Whether pictures exported while presenting have the strokes of the pen"), _room("toggle_inked")),
        Command("known", tr("Known state"), ("F8",), room,
                tr("The first beat with nothing chosen, drawn or hidden: always the same picture; Ctrl+Z undoes it"),
                _room("known_state")),

        Command("keys", tr("Keys"), ("F1",), about, tr("Every key and what it does"), _call("toggle_keys")),
    )


# --- what they do ---------------------------------------------------------------------------------------------------

def _call(method: str) -> Act:
    def act(window: Window) -> None:
        getattr(window, method)()
    return act


def _store(method: str) -> Act:
    def act(window: Window) -> None:
        getattr(window.store, method)()
    return act


def _room(method: str) -> Act:
    def act(window: Window) -> None:
        getattr(window.presenter, method)()
    return act


def _zoom(factor: float) -> Act:
    def act(window: Window) -> None:
        window.canvas().zoom_on(factor)
    return act


def _pure(function: Callable[[State], State]) -> Act:
    def act(window: Window) -> None:
        window.store.apply(function)
    return act


def _timed(function: Callable[[State, Timeline], State]) -> Act:
    def act(window: Window) -> None:
        if window.store.timeline.beats:
            window.store.apply(lambda state: function(state, window.store.timeline))
    return act


def _traced(function: Callable[[State, Trace, Moment, frozenset[str]], State]) -> Act:
    def act(window: Window) -> None:
        trace, moment = window.store.trace, window.store.moment
        if trace is not None and moment is not None:
            names = frozenset(view.name for view in window.views())
            window.store.apply(lambda state: function(state, trace, moment, names))
    return act


def _beside(by: int) -> Act:
    return _traced(lambda state, trace, moment, names: beside(state, trace, moment, by))


def _pixel(rows: int, columns: int) -> Act:
    """Where there are steps instead of rows and columns, up and down go from unit to unit."""
    def act(state: State, trace: Trace, moment: Moment, names: frozenset[str]) -> State:
        if trace[moment.beat.layer].axes[:1] == ("step",):
            return beside(state, trace, moment, rows) if rows else state
        return does.move_cell(with_pixel(state, trace, moment), trace, rows, columns)
    return _traced(act)


def _small_step(by: int) -> Act:
    """Within the beat: one term further where a view shows term after term, else a part of the way."""
    def act(window: Window) -> None:
        moment, times = window.store.moment, window.store.timeline
        if moment is None:
            return
        target = next_part(times, moment, by) if window.view().continuous else next_term(times, moment, by)
        window.store.apply(lambda state: does.go(_still(state), target))
    return act


def play(window: Window) -> None:
    """Start or pause; where terms are added and all are there, start that beat again."""
    moment, times = window.store.moment, window.store.timeline
    terms = None if moment is None else times.pace(moment.index).stretch(moment.phase)
    if moment is not None and terms is not None and terms.terms > 1 and moment.phase + 1e-9 >= terms.end \
            and not window.store.state.playing:
        start = replace(moment, phase=terms.phase(0))
        window.store.apply(lambda state: replace(does.go(state, start), playing=True))
    elif moment is not None:
        window.store.apply(lambda state: does.play(state, window.store.timeline))


def before_training(window: Window) -> None:
    """The weights from before training and back; where there are none the window says so."""
    model = window.store.state.model
    if model in registry.with_before():
        window.store.apply(does.before_training)
    else:
        window.say(tr("For {model} no weights from before training come with the app; choose another, for example "
                      "{other}.").format(model=model, other=registry.with_before()[0]))


def turn(name: str) -> Act:
    """The next word of a knob, if the view has that knob."""
    def act(window: Window) -> None:
        found = dict(window.view().knobs).get(name) if window.store.trace is not None else None
        if found:
            now = window.store.state.look.knob(name, found[0])
            word = found[(found.index(now) + 1) % len(found)] if now in found else found[0]
            window.store.apply(lambda state: turned(state, name, word))
    return act


def turn_card(window: Window) -> None:
    """The other side of the card of a gradient. Forwards the other side is the way back."""
    trace, moment, times = window.store.trace, window.store.moment, window.store.timeline
    if trace is None or moment is None or "card" not in dict(window.view().knobs):
        return
    if not moment.backward:
        window.store.apply(lambda state: does.reverse(state, times))
        return
    shown = window.store.state.look.knob("card", "auto")
    if shown == "auto":
        about = _about(window.store.state, trace, moment)
        layer, key = trace[about.layer], about.part.removeprefix("inner.")
        weighs = recurrent.weighs(layer, key) if is_inner(about) else "weight" in layer.weights
        shown = "hands" if weighs else "arrives"
    window.store.apply(lambda state: turned(state, "card", "arrives" if shown == "hands" else "hands"))


def pin(window: Window) -> None:
    """Keep the curves of the laboratory behind what comes next; nothing elsewhere."""
    if window.store.state.model == lab.NAME:
        window.store.apply(does.pin_lab)


def _tab(by: int) -> Act:
    def act(window: Window) -> None:
        names = [view.name for view in window.views()]
        here = names.index(window.view().name) if names else 0
        if names:
            window.store.update(view=names[(here + by) % len(names)])
    return act


def _still(state: State) -> State:
    return replace(state, playing=False)


def _about(state: State, trace: Trace, moment: Moment) -> Focus:
    """What the picture is about."""
    return sight.sight(trace, state, moment).subject


def _on_subject(state: State, trace: Trace, moment: Moment) -> State:
    """Whatever the picture is about becomes the focus."""
    return replace(state, focus=subject(trace, moment, state.focus))


def beside(state: State, trace: Trace, moment: Moment, by: int) -> State:
    """The channel, unit or class before or after; where there are steps, the unit at the same step."""
    about = _about(state, trace, moment)
    layer = trace[about.layer]
    inner = array(layer, about, moment.backward) if is_inner(about) else None
    if (inner is None and (layer.axes[:1] != ("step",) or layer.output.ndim != 2)) or not about.cell:
        return does.neighbour(replace(state, focus=about), trace, by)
    values = layer.output if inner is None else inner
    here = about.cell[1] if len(about.cell) == 2 else one_number(layer, about, moment.backward).cell[1] - by
    unit = min(max(here + by, 0), values.shape[1] - 1)
    return replace(state, focus=replace(about, cell=(about.cell[0], unit)))


def with_pixel(state: State, trace: Trace, moment: Moment) -> State:
    """The focus down to one cell: the marked one, if there is no other."""
    about = subject(trace, moment, state.focus)
    if about.part != "output":
        return state
    return replace(state, focus=replace(about, cell=strongest(trace[about.layer], moment.backward, about.cell)))


def into(state: State, trace: Trace, moment: Moment, views: frozenset[str]) -> State:
    """One level in: the layer, its strongest channel, its strongest pixel, and that one taken apart.

    From a channel it goes straight to its strongest pixel under the microscope, if there is that view.
    """
    if state.focus is None:
        return _on_subject(state, trace, moment)
    about = subject(trace, moment, state.focus)
    layer = trace[about.layer]
    if is_inner(about) and about.cell:
        state = replace(state, focus=one_number(layer, about, moment.backward))
        return replace(state, view=sight.microscope(views) or state.view)
    if about.part != "output" or not layer.shape:
        return state
    if not about.cell:
        return replace(state, focus=Focus(about.layer, strongest(layer, moment.backward)[:1]))
    state = with_pixel(state, trace, moment)
    return replace(state, view=sight.microscope(views) or state.view)


def to_level(state: State, trace: Trace, times: Timeline, focus: Focus | None, views: tuple[str, ...]) -> State:
    """The level of a crumb: what it names, seen in the first view if it is more than the one number under the
    microscope."""
    number = focus is not None and focus.layer in trace and is_number(trace, focus)
    if _in_microscope(state, views) and not number:
        state = replace(state, view=_around(state.focus, views))
    return does.select(replace(state, playing=False), trace, times, focus)


def turned(state: State, name: str, word: str) -> State:
    """A knob of a view at another of its words."""
    knobs = {**dict(state.look.knobs), name: word}
    return replace(state, look=replace(state.look, knobs=tuple(sorted(knobs.items()))))


def out(state: State, views: tuple[str, ...]) -> State:
    """One level out: from the number taken apart to its channel in the first view, then as `state.up`."""
    if _in_microscope(state, views):
        state = replace(state, view=_around(state.focus, views))
    return does.up(state)


def _in_microscope(state: State, views: tuple[str, ...]) -> bool:
    """Whether one number is looked at that can be seen among others, too."""
    return bool(views) and state.view == sight.microscope(views) and state.view != views[0]


def _around(focus: Focus | None, views: tuple[str, ...]) -> str:
    """The view that a number is seen in among others: gates and states among their steps, all else in the first."""
    inner = focus is not None and is_inner(focus)
    return UNROLLED if inner and UNROLLED in views else views[0]


PARTS = 4
"""Shift and an arrow go a quarter of a beat where one beat moves into the next."""


def next_part(times: Timeline, moment: Moment, by: int) -> Moment:
    """One small step within the beat; past its end, into the next one. The end of a beat is the start of the next."""
    part, index = round(moment.phase * PARTS) + by, moment.index
    if part > PARTS:
        index, part = index + 1, 1
    elif part < 1 and index > 0:
        index, part = index - 1, PARTS
    if not 0 <= index < len(times.beats) or part < 0:
        return moment
    return replace(times.settled(index), phase=part / PARTS)


def next_term(times: Timeline, moment: Moment, by: int) -> Moment:
    """One term more or less; beyond the first and the last one into the terms beside them, else into the beat beside.

    A beat without terms is one: it is there, or it is not.
    """
    found = times.pace(moment.index).stretches or (Stretch(0.0, 1.0, 1),)
    place = max((number for number, terms in enumerate(found) if terms.start < moment.phase - 1e-9), default=0)
    terms = found[place]
    reached = min(1.0, max(0.0, (moment.phase - terms.start) / (terms.end - terms.start))) * terms.terms
    least = BEGUN * terms.terms if terms.start else 0.0
    done = (math.floor(reached + 1e-9) if by > 0 else math.ceil(reached - least - 1e-9)) + by
    if 0 <= done <= terms.terms:
        return replace(moment, phase=terms.phase(done))
    if 0 <= place + by < len(found):
        return replace(moment, phase=found[place + by].phase(0) if by > 0 else found[place + by].end)
    index = moment.index + by
    if not 0 <= index < len(times.beats):
        return moment
    return replace(times.settled(index), phase=0.0 if by > 0 else 1.0)


def text_scale(state: State, factor: float) -> State:
    """Larger or smaller words, between 0.8 and 2 times."""
    scale = round(min(2.0, max(0.8, state.look.text_scale * factor)), 2)
    return replace(state, look=replace(state.look, text_scale=scale))


def less_motion(state: State) -> State:
    return replace(state, look=replace(state.look, reduced_motion=not state.look.reduced_motion))
