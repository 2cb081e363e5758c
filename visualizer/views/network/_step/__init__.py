"""A step of a recurrent layer: its symbol drops in, and what becomes of it stands in columns in the order of the
equation; on the way back the same columns hold the gradients."""

from __future__ import annotations

from visualizer.scene import parts, steps
from visualizer.scene.cellnumbers import backward, forward, telling_unit, unit_chosen
from visualizer.scene.picture import Focus, Look, Mark, Picture, unmarked
from visualizer.scene.reading import layers, reading, spells
from visualizer.scene.sofar import so_far
from visualizer.scene.stepbeat import SLIDE, when
from visualizer.scene.timeline import Moment, timeline
from visualizer.trace import Trace, remembered
from visualizer.views.network._step import answers, back, columns, lanes, symbols, words
from visualizer.views.network._step.plan import plan
from visualizer.views.network._step.scene import Scene


def shown_at(trace: Trace, moment: Moment) -> bool:
    """Whether a beat is a step of a layer whose gates and states are known."""
    return moment.beat.step is not None and any(layer.name == moment.beat.layer for layer in layers(trace))


def answers_itself(trace: Trace) -> bool:
    """Whether the network answers at every step, and all of it is seen in the last layer of steps."""
    found = [so_far(trace, reading(trace, layer.name)) for layer in layers(trace)[-1:]]
    return len(found) == 1 and found[0] is not None and found[0].own and spells(trace) is None


def scene(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Scene:
    """What is drawn at a moment."""
    shown = reading(trace, moment.beat.layer)
    now = when(trace, shown, moment)
    chosen = unit_chosen(shown, focus)
    unit = telling_unit(trace, shown) if chosen is None else chosen
    done = steps.arrived(trace, shown, moment).done if moment.backward else steps.read(trace, shown, moment).done
    return Scene(trace, moment, shown, forward(trace, shown), backward(trace, shown) if moment.backward else None,
                 plan(trace, shown, look, now), look, now, unit, chosen is not None, so_far(trace, shown),
                 steps.answered(trace, shown, moment), done)


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """One step, as far as it has come."""
    sc = scene(trace, moment, focus, look)
    said = words.sentence(sc)
    if sc.when.coming < 0 and sc.when.step >= 0:
        still = _standing(trace, Moment(moment.beat, SLIDE, moment.index), focus, look)
        marks: list[Mark] = []
    else:
        still = _framed(trace, Moment(moment.beat, 0.0, moment.index), focus, look)
        marks = [*symbols.strip(sc), *lanes.standing(sc)]
    marks += parts.sentence(look, said) + symbols.token(sc)
    marks += back.draw(sc) if sc.back is not None else columns.draw(sc)
    marks += answers.draw(sc)
    marks += lanes.draw(sc, timeline(trace))
    return Picture(look.size, still, tuple(marks), look.theme, caption=unmarked(said), table=words.table(sc))


@remembered(4)
def _standing(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> tuple[Mark, ...]:
    """What stays the same while a step is computed."""
    sc = scene(trace, moment, focus, look)
    return (*symbols.strip(sc), *_framed(trace, moment, focus, look), *lanes.standing(sc))


@remembered(4)
def _framed(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> tuple[Mark, ...]:
    """The frame with its empty columns: that of the step before while its states go over into the next one."""
    sc = scene(trace, moment, focus, look)
    return (*columns.frame(sc), *(back.standing(sc) if sc.back is not None else columns.standing(sc)))
