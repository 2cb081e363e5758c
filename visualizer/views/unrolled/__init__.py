"""The unrolled cell: one column a step, what it reads, its state and gates, and the gradient on its way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from visualizer.language import english, tr
from visualizer.scene import numbers, parts, stepbeat, steps
from visualizer.scene.picture import LANE, Focus, Group, Image, Look, Mark, Picture, Table, grouped, unmarked
from visualizer.scene.reading import Reading, blank_of, entropy, foretells, label, layers, reading, shown_layer
from visualizer.scene.sofar import so_far
from visualizer.scene.telling import read_to_the_end
from visualizer.scene.timeline import Moment, Pace, in_beat, own_pace
from visualizer.scene.turning import turns
from visualizer.size import norm
from visualizer.trace import Trace, remembered
from visualizer.views import STEPS, View
from visualizer.views.unrolled._around import answered, band, lengths, loop, names, openings, unit_row, whole_picture
from visualizer.views.unrolled._beat import beat
from visualizer.views.unrolled._columns import columns
from visualizer.views.unrolled._lane import lane
from visualizer.views.unrolled._opened import opened_cell
from visualizer.views.unrolled._plan import Plan, plan
from visualizer.views.unrolled._saliency import Saliency
from visualizer.views.unrolled._strip import strip


@turns
def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """The recurrent layer of the beat, unrolled over its steps; both directions of one that reads both ways.

    `fold` folds all steps into one cell with its loop: 0 side by side, 1 folded, between them on the way.
    """
    layer = shown_layer(trace, moment, None if focus is None else focus.layer)
    laid = plan(trace, layer.name, moment, look)
    said = _sentence(trace, laid, moment)
    rows, own = Group(tr("names of the rows")), Group(layer.name, Focus(layer.name))
    still = grouped(rows, names(trace, laid, moment, look))
    marks = [*parts.sentence(look, said), *band(laid, look)]
    if laid.strip is not None:
        every = Group(tr("all steps"), Focus(layer.name))
        kept, moving = strip(laid, look)
        still, marks = still + grouped(every, kept), marks + grouped(every, moving)
    marks += by_step(layer.name, columns(trace, laid, look)) + grouped(
        rows, [*openings(laid, look), *answered(trace, laid, look)])
    marks += grouped(own, beat(trace, laid, moment, look))
    marks += grouped(own, [*whole_picture(laid, look), *lengths(laid, look), *loop(laid, look),
                           *unit_row(laid, focus, look)])
    if laid.opened:
        cell = opened_cell(trace, laid, moment, focus, look)
        if moment.backward and 0 < laid.share < 1:
            cell = parts.crossed(opened_cell(trace, replace(laid, share=0.0), moment, focus, look), cell, laid.share)
        marks += grouped(Group(tr("opened cell"), Focus(layer.name)), cell)
    kept, moving = lane(laid, steps.stops(trace, laid.shown, moment.beat.direction), moment, look)
    still, marks = still + grouped(LANE, kept), marks + grouped(LANE, moving)
    if 0 < laid.fold < 1:
        still, marks = [], still + marks
    return Picture(look.size, tuple(still), tuple(marks), look.theme, caption=unmarked(said),
                   table=_table(trace, reading(trace, laid.shown.layer.name), laid.saliency))


def by_step(layer: str, marks: Sequence[Mark]) -> list[Mark]:
    """What is drawn in columns, as parts of its steps: each tile of an image, and each mark that leads to a step."""
    whole = Group(layer, Focus(layer), each="step")
    for mark in marks:
        if not isinstance(mark, Image) and mark.focus is not None and mark.focus.cell:
            grouped(_step(whole, mark.focus.cell[0]), (mark,))
    return grouped(whole, marks)


@lru_cache(maxsize=4096)
def _step(whole: Group, step: int) -> Group:
    return whole.of(step)


# --- words and table ------------------------------------------------------------------------------------------------

def _sentence(trace: Trace, laid: Plan, moment: Moment) -> str:
    shown, reached = laid.shown, laid.now + 1 if laid.step > 0 else 0
    if moment.backward:
        early = in_beat(shown.layer, moment) and moment.beat.step is not None and laid.beat.of("arrive") < 1
        return _sentence_back(laid, moment, laid.came if early else reached)
    if reached < 1:
        start = norm(shown.start)
        return tr("The {layer} has read nothing yet: its state is all zeros, {units} of them.").format(
                   layer=shown.name, units=shown.units) if start == 0 else \
            tr("The {layer} has read nothing yet: it starts from a state of size {{{size}}}.").format(
                layer=shown.name, size=numbers.significant(start, 3))
    answers = laid.answers
    read = "".join(trace.sample.steps[:reached]) if len(trace.sample.steps) == shown.steps and \
        all(len(word) == 1 for word in trace.sample.steps) else ""
    if laid.expects and not all(track.read.of(reached - 1) for track in laid.tracks):
        waits = tr("The reverse {layer} has read step {{{step}}} of {count}; what the model says there is known when "
                   "the other one has come, too.") if shown.reverse else \
            tr("The forward {layer} has read step {{{step}}} of {count}; what the model says there is known when the "
               "other one has come, too.")
        return waits.format(layer=shown.name, step=reached, count=shown.steps)
    if in_beat(shown.layer, moment) and stepbeat.of(moment).of("answer") < 1 and laid.share > 0:
        return tr("Step {step} of {count}{word}: what is read and the last state go through the same weights.").format(
            step=reached, count=shown.steps, word=_quoted(shown, reached))
    if answers is not None and not answers.shares:
        return tr("Stopped after step {step} of {count}{word}, the model would say {{{value}}}.").format(
            step=reached, count=shown.steps, word=_quoted(shown, reached),
            value=numbers.number(float(answers.values[reached - 1][0])))
    if answers is not None:
        best = int(np.argmax(answers.values[reached - 1]))
        share = numbers.percent(float(answers.values[reached - 1][best]), 0)
        tail = read[-24:].replace("\n", "↵").replace("{", "(").replace("}", ")")
        tail = "…" + tail if len(read) > 24 else tail
        what = tr("blank") if best == blank_of(trace) else f"“{label(trace, best)}”"
        if not answers.own:
            said = tr("Stopped after step {step} of {count}{word}, the model would say {what} with {{{share}}}.") \
                if reached < shown.steps else \
                tr("After step {step} of {count}{word}, the model says {what} with {{{share}}}.")
        elif foretells(trace):
            said = tr("Having read “{text}”, the {layer} expects {what} with {{{share}}}.") if read else \
                tr("After step {step} of {count}{word}, the {layer} expects {what} with {{{share}}}.")
        else:
            said = tr("Having read “{text}”, the model says {what} with {{{share}}}.") if read else \
                tr("After step {step} of {count}{word}, the model says {what} with {{{share}}}.")
        return said.format(text=tail, step=reached, count=shown.steps, word=_quoted(shown, reached), layer=shown.name,
                           what=what, share=share)
    earlier = reached if shown.reverse else reached - 2  # the step that was read just before it
    past = shown.states[earlier] if 0 <= earlier < shown.steps else shown.start
    change = norm(shown.states[reached - 1] - past)
    words = tr("Step {step} of {count} reads “{word}”: the state moves by {{{change}}}, to a size of {size}.") \
        if _quoted(shown, reached) else \
        tr("Step {step} of {count}: the state moves by {{{change}}}, to a size of {size}.")
    return words.format(step=reached, count=shown.steps, word=shown.words[reached - 1],
                        change=numbers.significant(change, 3),
                        size=numbers.significant(norm(shown.states[reached - 1]), 3))


def _quoted(shown: Reading, reached: int) -> str:
    """What a step reads, where it is more than the number of the step."""
    word = shown.words[reached - 1]
    return "" if word == str(reached) else f", “{word}”"


def _sentence_back(laid: Plan, moment: Moment, reached: int) -> str:
    shown = laid.shown
    norms, back = shown.norms, laid.saliency
    if norms is None or not norms.max() > 0:
        return tr("No gradient reaches {layer}: {why}.").format(
            layer=shown.layer.name, why=shown.layer.why or tr("nothing flowed back through it"))
    if back is not None and back.by_step and min(laid.pulls[:shown.steps]) == 1 and not in_beat(shown.layer, moment):
        most = int(np.argmax(back.sizes[:shown.steps]))
        return tr("The loss hangs most on what step {step} reads{word}: ∥∂L/∂x∥ is {{{size}}} there.").format(
            step=most + 1, word=_quoted(shown, most + 1),
            size=numbers.significant(float(back.sizes[most]), 3))
    last = float(norms[shown.entered])
    gone = (reached - 1 - shown.entered) * (1 if shown.reverse else -1)
    value = float(norms[reached - 1])
    if gone < 0:
        return tr("Step {step} gets no gradient: what is differentiated was known before it.").format(step=reached)
    if gone == 0:
        return tr("The gradient enters at step {step} with ∥∂L/∂h∥ = {{{size}}}.").format(
            step=reached, size=numbers.significant(value, 3))
    share = value / last
    if share > 1.005:
        said, of = (tr("{count} steps back ∥∂L/∂h∥ is {{{size}}}: {factor} times what it was where it entered.")
                    if gone > 1 else
                    tr("{count} step back ∥∂L/∂h∥ is {{{size}}}: {factor} times what it was where it entered.")), ""
    else:
        said = tr("{count} steps back ∥∂L/∂h∥ is {{{size}}}: {share} of what it was where it entered.") \
            if gone > 1 else \
            tr("{count} step back ∥∂L/∂h∥ is {{{size}}}: {share} of what it was where it entered.")
        of = numbers.percent(share, 1) if share >= 0.001 else numbers.power(share)
    return said.format(count=gone, size=numbers.significant(value, 3), factor=numbers.significant(share, 2), share=of)


@remembered(8)
def _table(trace: Trace, shown: Reading, back: Saliency | None) -> Table:
    """One row a step."""
    by_step = back is not None and back.by_step
    answers = so_far(trace, shown)
    probabilities = answers.values if answers is not None and answers.shares else None
    norms = shown.norms
    rows: list[tuple[str | float | int, ...]] = []
    for step in range(shown.steps):
        row: list[str | float | int] = [step + 1, shown.words[step]]
        if probabilities is not None and len(probabilities) == shown.steps:
            best = int(np.argmax(probabilities[step]))
            row += [label(trace, best), float(probabilities[step][best]), entropy(probabilities[step])]
        row += [norm(shown.states[step])]
        row += [float(values[step].mean()) for _, _, values in shown.gates]
        row.append("" if norms is None else float(norms[step]))
        if back is not None and by_step:
            row.append(float(back.sizes[step]))
        rows.append(tuple(row))
    heads = [tr("step"), tr("reads")]
    if probabilities is not None and len(probabilities) == shown.steps:
        heads += [tr("expects"), tr("probability"), tr("entropy in bits")]
    heads += [tr("size of the state"), *(title for _, title, _ in shown.gates), tr("gradient norm")]
    return Table((*heads, *([tr("gradient norm of what is read")] if by_step else [])), tuple(rows))


def pace(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Pace:
    """A step takes as long as it takes to be seen."""
    if moment.beat.step is None or moment.beat.quick:
        return own_pace(moment.beat)
    return stepbeat.pace(False, moment.backward)


VIEW = View(
    "unrolled", english("Unrolled"),
            english("A recurrent layer unrolled over its steps: what it reads, its state and its gates."),
    suits=lambda trace: bool(layers(trace)), draw=draw, telling=read_to_the_end, order=12, pace=pace, glides=("fold",),
    knobs=(("order", ("last", "here", "as is")), ("fold", ("0", "1")), ("gate", ())),
    group=STEPS, tries=english("Type another text at the left, and press the right arrow to read it step by step."),
)
