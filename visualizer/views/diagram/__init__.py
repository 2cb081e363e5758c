"""The cell, drawn: wires, gates as valves, the straight memory line, and what flows in them at one step; on the way
back the same drawing with its arrows turned."""

from __future__ import annotations

from visualizer.language import english
from visualizer.scene import parts, stepbeat, steps
from visualizer.scene.cellnumbers import Pick, Values, backward, forward, nice, telling_unit, unit_chosen
from visualizer.scene.picture import Focus, Look, Picture, unmarked
from visualizer.scene.reading import Reading, layers, reading, shown_layer
from visualizer.scene.sofar import so_far
from visualizer.scene.stepbeat import when
from visualizer.scene.steps import answered
from visualizer.scene.subject import is_inner
from visualizer.scene.telling import read_to_the_end
from visualizer.scene.timeline import Moment, Pace, own_pace
from visualizer.scene.turning import turns
from visualizer.trace import Trace
from visualizer.views import STEPS, View
from visualizer.views.diagram import _back, _forward, _page, _strip, _words
from visualizer.views.diagram._parts import choices
from visualizer.views.diagram._plan import plan
from visualizer.views.diagram._scene import Scene, seen_steps

TOKEN, GATES, KEEP, ANSWER = english("token"), english("gates"), english("keep"), english("answer")
SUBBEATS = {"lstm": (TOKEN, GATES, KEEP, english("add"), english("show"), ANSWER),
            "gru": (TOKEN, GATES, english("reset"), KEEP, english("mix"), ANSWER),
            "rnn": (TOKEN, english("sum"), english("rise"), english("tanh"), english("state"), ANSWER)}
BACK = (english("arrive"), english("output"), english("memory"), GATES, english("weights"), english("pass on"))
"""What happens in a step, as it is called below the drawing."""


@turns
def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """One step of a recurrent layer as a machine: the layer of the beat, or the one looked at."""
    sc = scene(trace, moment, focus, look)
    answers, known = steps_answers(trace, sc.shown), answered(trace, sc.shown, moment)
    said = _words.sentence(sc)
    still, marks = choices(sc, sc.shown.layer.name), parts.sentence(look, said)
    marks += _back.draw(sc) if moment.backward else _forward.draw(sc, answers, known)
    marks += _strip.beats(sc, BACK if moment.backward else SUBBEATS[sc.plan.family], moment.backward)
    done = steps.arrived(trace, sc.shown, moment).done if moment.backward else seen_steps(trace, sc.shown, moment)
    kept, moving = _strip.draw(sc, answers, done, known)
    still, marks = still + kept, marks + moving
    if not look.mode.lanes:
        now = max(0, sc.when.step) + 1
        marks += steps.line_of_steps(132, look.size[0] - 200, sc.shown, now, moment, look)
    return Picture(look.size, tuple(still), tuple(marks), look.theme, caption=unmarked(said), table=_words.table(sc))


def scene(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Scene:
    """What is drawn."""
    layer = shown_layer(trace, moment, None if focus is None else focus.layer)
    shown = reading(trace, layer.name)
    now = when(trace, shown, moment)
    numbers_of = forward(trace, shown)
    back = backward(trace, shown) if moment.backward else None
    chosen = unit_chosen(shown, focus)
    word = look.knob("show", "told")
    unit = telling_unit(trace, shown) if chosen is None else chosen
    pick = Pick(unit, word == "mean" or (word == "told" and moment.backward and chosen is None))
    line = ("cell", "cell_before", "kept", "added", "candidate") if "cell" in shown.layer.inner else \
        ("hidden", "kept", "added", "new")
    full = {"line": nice(numbers_of.largest(line, pick)),
            "sums": nice(numbers_of.largest(("hidden_new", "new.state", "new.fed", "preactivation"), pick))}
    if back is not None:
        full = {"line": nice(back.largest(pick))}
    answered = steps_answers(trace, shown) is not None
    laid = plan(shown, look, max(0, now.step), answered, moment.backward)
    return Scene(trace, shown, numbers_of, back, laid, look, now, pick, full)


def steps_answers(trace: Trace, shown: Reading) -> Values | None:
    """(step, class): what the network answers after each step of this layer."""
    found = so_far(trace, shown)
    return None if found is None or not found.shares else found.values


def pace(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Pace:
    """A step takes as long as it takes to be seen; slower where its operations are watched one by one."""
    if moment.beat.step is None or moment.beat.quick:
        return own_pace(moment.beat)
    return stepbeat.pace(look.knob("operations", "quick") == "slow", moment.backward)


def page(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture | None:
    """The equations with their numbers; a gate or a state that was chosen has the inspector for itself."""
    if focus is not None and (is_inner(focus) or focus.layer not in {layer.name for layer in layers(trace)}):
        return None
    return _page.page(scene(trace, moment, focus, look), look)


VIEW = View(
    "diagram", english("Cell"), english("The cell of a recurrent layer as a machine: wires, valves, and what flows."),
    suits=lambda trace: bool(layers(trace)), draw=draw, telling=read_to_the_end, order=13, pace=pace, page=page,
    group=STEPS, tries=english("Press Space and watch a step, then double click a valve to see its gate's sums."),
    knobs=(("show", ("told", "mean", "unit")), ("operations", ("quick", "slow"))),
)
