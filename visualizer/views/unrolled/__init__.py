"""The unrolled cell: one column a step, what it reads, its state and gates, and the gradient on its way back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

import numpy as np

from visualizer.language import english, in_quotes, tr
from visualizer.said import said
from visualizer.scene import absence, numbers, parts, stepbeat, steps
from visualizer.scene.picture import LANE, Focus, Group, Image, Look, Mark, Picture, Table, grouped, literal, unmarked
from visualizer.scene.reading import (
    Reading,
    answering,
    blank_of,
    entropy,
    foretells,
    label,
    layers,
    quoted,
    reading,
    shown_layer,
    step_said,
    steps_said,
    visible,
    without_gradient,
    word_said,
)
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
    told = _sentence(trace, laid, moment)
    rows, own = Group(tr("names of the rows")), Group(layer.name, Focus(layer.name))
    still = grouped(rows, names(trace, laid, moment, look))
    marks = [*parts.sentence(look, told), *band(laid, look)]
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
    return Picture(look.size, tuple(still), tuple(marks), look.theme, caption=unmarked(told),
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

TAIL = 24
"""So many characters of a text that was read are said at most, the last ones."""


def _sentence(trace: Trace, laid: Plan, moment: Moment) -> str:
    shown, reached = laid.shown, laid.now + 1 if laid.step > 0 else 0
    of, step = shown.layer.name, reached - 1
    if moment.backward:
        early = in_beat(shown.layer, moment) and moment.beat.step is not None and laid.beat.of("arrive") < 1
        return _sentence_back(laid, moment, laid.came if early else reached)
    if reached < 1:
        start = norm(shown.start)
        return tr("The {layer} has read nothing yet: its state is all zeros, {units} of them.").format(
            layer=shown.name, units=said(str(shown.units), "how many units", of)) if start == 0 else \
            tr("The {layer} has read nothing yet: it starts from a state of size {{{size}}}.").format(
                layer=shown.name, size=said(numbers.significant(start, 3), "norm of the state at the start", of))
    if laid.expects and not all(track.read.of(step) for track in laid.tracks):
        waits = tr("The reverse {layer} has read step {{{step}}} of {count}; what the model says there is known when "
                   "the other one has come, too.") if shown.reverse else \
            tr("The forward {layer} has read step {{{step}}} of {count}; what the model says there is known when the "
               "other one has come, too.")
        return waits.format(layer=shown.name, step=step_said(shown, step), count=steps_said(shown))
    if in_beat(shown.layer, moment) and stepbeat.of(moment).of("answer") < 1 and laid.share > 0:
        return tr("Step {step} of {count}{word}: what is read and the last state go through the same weights.").format(
            step=step_said(shown, step), count=steps_said(shown), word=quoted(shown, step))
    if laid.answers is not None:
        return _sentence_answered(trace, laid, step)
    before = step + 1 if shown.reverse else step - 1  # the step that was read just before it
    past = shown.states[before] if 0 <= before < shown.steps else shown.start
    words = tr("Step {step} of {count} reads “{word}”: the state moves by {{{change}}}, to a size of {size}.") \
        if shown.worded else tr("Step {step} of {count}: the state moves by {{{change}}}, to a size of {size}.")
    return words.format(
        step=step_said(shown, step), count=steps_said(shown),
        word=literal(word_said(shown, step)) if shown.worded else "",
        change=said(numbers.significant(norm(shown.states[step] - past), 3), "how far the state moves", of, step=step),
        size=said(numbers.significant(norm(shown.states[step]), 3), "norm", of, step=step, array="inner.hidden"))


def _sentence_answered(trace: Trace, laid: Plan, step: int) -> str:
    """What the model says after a step, or would if it stopped there."""
    shown, answers, stopped = laid.shown, laid.answers, " if stopped"
    assert answers is not None
    told: dict[str, str] = {"layer": shown.name, "step": step_said(shown, step), "count": steps_said(shown),
                            "word": quoted(shown, step)}
    if not answers.shares:
        return tr("Stopped after step {step} of {count}{word}, the model would say {{{value}}}.").format(
            **told, value=said(numbers.number(float(answers.values[step][0])), "answer" + stopped, shown.layer.name,
                               (0,), step))
    own = answering(trace) if answers.own else None
    of, stopped = (shown.layer.name, stopped) if own is None else (own.name, "")
    best = int(np.argmax(answers.values[step]))
    told["share"] = said(numbers.percent(float(answers.values[step][best]), 0), "chance" + stopped, of, (best,), step)
    told["what"] = tr("blank") if best == blank_of(trace) else \
        in_quotes(literal(said(label(trace, best), "likeliest label" + stopped, of, step=step)))
    told["text"] = literal(_text_read(trace, laid, step))
    if not answers.own:
        words = tr("Stopped after step {step} of {count}{word}, the model would say {what} with {{{share}}}.") \
            if step + 1 < shown.steps else \
            tr("After step {step} of {count}{word}, the model says {what} with {{{share}}}.")
    elif foretells(trace):
        words = tr("Having read “{text}”, the {layer} expects {what} with {{{share}}}.") if told["text"] else \
            tr("After step {step} of {count}{word}, the {layer} expects {what} with {{{share}}}.")
    else:
        words = tr("Having read “{text}”, the model says {what} with {{{share}}}.") if told["text"] else \
            tr("After step {step} of {count}{word}, the model says {what} with {{{share}}}.")
    return words.format(**told)


def _text_read(trace: Trace, laid: Plan, step: int) -> str:
    """The end of what was read up to a step, of a text that is read letter by letter and from its beginning alone."""
    shown, letters = laid.shown, trace.sample.steps
    if tuple(map(visible, letters)) != laid.shown.words:  # a decoder reads its own answers
        letters = laid.shown.words
    if not shown.worded or shown.reverse or len(laid.tracks) > 1 or any(len(word) != 1 for word in letters):
        return ""
    letters = letters[:step + 1]
    tail = "".join(letters[-TAIL:]).replace("\n", "↵")
    return said(f"…{tail}" if len(letters) > TAIL else tail, "text read", shown.layer.name, step=step)


def _sentence_back(laid: Plan, moment: Moment, reached: int) -> str:
    shown, step = laid.shown, reached - 1
    norms, back, of = shown.norms, laid.saliency, shown.layer.name
    if norms is None or (why := without_gradient(shown)):
        return absence.unreached(of, literal(why))
    if back is not None and back.by_step and min(laid.pulls[:shown.steps]) == 1 and not in_beat(shown.layer, moment):
        most = int(np.argmax(back.sizes[:shown.steps]))
        return tr("The loss hangs most on what step {step} reads{word}: ∥∂L/∂x∥ is {{{size}}} there.").format(
            step=said(str(most + 1), "step whose reading has the largest gradient", back.of,
                      array="rows" if back.upright else "columns"), word=quoted(shown, most), size=back.said(most))
    gone = (step - shown.entered) * (1 if shown.reverse else -1)
    if gone < 0:
        return tr("Step {step} gets no gradient: what is differentiated was known before it.").format(
            step=step_said(shown, step))
    size = said(numbers.significant(float(norms[step]), 3), "norm", of, step=step, array="inner_gradients.hidden")
    if gone == 0:
        return tr("The gradient enters at step {step} with ∥∂L/∂h∥ = {{{size}}}.").format(
            step=step_said(shown, step), size=size)
    share = float(norms[step]) / float(norms[shown.entered])
    if share > 1.005:
        words = tr("{count} steps back ∥∂L/∂h∥ is {{{size}}}: {factor} times what it was where it entered.") \
            if gone > 1 else \
            tr("{count} step back ∥∂L/∂h∥ is {{{size}}}: {factor} times what it was where it entered.")
        left = numbers.significant(share, 2)
    else:
        words = tr("{count} steps back ∥∂L/∂h∥ is {{{size}}}: {share} of what it was where it entered.") \
            if gone > 1 else \
            tr("{count} step back ∥∂L/∂h∥ is {{{size}}}: {share} of what it was where it entered.")
        left = numbers.percent(share, 1) if share >= 0.001 else numbers.power(share)
    left = said(left, "share of the gradient that entered", of, step=step)
    return words.format(count=said(str(gone), "how many steps back", of, step=step), size=size, factor=left,
                        share=left)


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
