"""Losses: the label's bar is taken and −ln p falls out; differences square and average; ways to spell light and add up.

On the way back p − label grows from the bars, and each score gets its own; of squares it is the difference itself.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from visualizer import answers, kinds
from visualizer.answers import Bars
from visualizer.kinds import Inputs, binary, ctc, squares
from visualizer.kinds import loss as entropy
from visualizer.language import tr
from visualizer.motions import (
    CAMERA,
    SETTLE,
    Frame,
    Motion,
    Places,
    Setting,
    march,
    march_seconds,
    part_of,
    smooth,
    window,
)
from visualizer.motions._handed import bars_beside, handed_over
from visualizer.motions._marks import Box, box_of_cells, chip, frame, middle, rings, step_named, taps_of, windows
from visualizer.scene import numbers
from visualizer.scene.columns import PADDING, Column
from visualizer.scene.picture import Flight, Focus, Group, Mark, Rect, grouped
from visualizer.scene.type import width as text_width
from visualizer.trace import Array, Layer, Trace, remembered

TAKEN, FALLS = 0.7, 1.1
"""Seconds in which the label's bar is taken, and in which −ln p falls out of it."""
STANDS, GROWS = 0.9, 1.6
"""Seconds in which the answer still stands, and in which p − label grows."""
SWEEP = 1.8
"""Seconds in which the ways to spell light up, step by step."""
SEEN, PALE = 0.02, 0.35
"""A share of the ways that is seen; how strong what none of them goes through still is."""
COSTS: dict[str, Callable[[Layer, Inputs], tuple[Array, Array]]] = {
    "cross_entropy": partial(entropy.costs, True), "nll_loss": partial(entropy.costs, False),
    "mse_loss": squares.costs, "binary_cross_entropy": partial(binary.costs, False),
    "binary_cross_entropy_with_logits": partial(binary.costs, True)}


def suits(layer: Layer) -> bool:
    return kinds.role(layer) == "loss"


def forward(setting: Setting) -> Frame:
    """What each number costs, one after the other; of one class alone its bar."""
    layer = setting.layer
    if not setting.left:
        return window.forward(setting)
    if layer.output.ndim:
        return _each(setting)
    if layer.kind == "ctc_loss":
        return _spelled(setting)
    taken = _label(setting)
    if taken is not None:
        return _fallen(setting, *taken)
    found = cost_of(setting.trace, layer.name)
    return window.forward(setting) if found is None else _added(setting, *found)


def backward(setting: Setting) -> Frame:
    """From the loss to the answer, or on to the scores that it was made of."""
    given = setting.written
    if setting.left and setting.left[0].style == "bars" and setting.left[0].layer == given.name:
        return _grown(setting)
    why = tr("Each score gets its probability, minus 1 for the label") if kinds.picks_label(setting.layer) else \
        tr("Each score gets its probability, minus the share of the ways through it") \
        if setting.layer.kind == "ctc_loss" else tr("Each number gets how far it is off")
    counted = _places_of(setting.trace, setting.layer, given)
    if counted is None:
        return handed_over(setting, why)
    return handed_over(setting, why, counted, _order(setting.trace, setting.layer.name, given.name))


def seconds(trace: Trace, layer: Layer, back: str) -> float:
    if back and _places_of(trace, layer, trace[back]) is not None:
        return march_seconds(len(_order(trace, layer.name, back)))
    if back:
        scores = max((read.output.size for read in trace.inputs(layer) if read.output.ndim == 1), default=4)
        return max(march_seconds(scores), CAMERA + STANDS + GROWS + SETTLE)
    if layer.kind == "ctc_loss":
        return CAMERA + SWEEP + FALLS + SETTLE
    if layer.output.ndim:
        return march_seconds(layer.output.size, True)
    found = cost_of(trace, layer.name)
    if found is None:
        return window.seconds(trace, layer, back)
    return march_seconds(len(found[1])) if len(found[1]) > 1 else CAMERA + TAKEN + FALLS + SETTLE


@remembered(8)
def cost_of(trace: Trace, name: str) -> tuple[Array, Array] | None:
    """(cells of what a loss reads, what each adds to it): they add up to the loss; None where that is unexplained."""
    layer = trace[name]
    try:
        return COSTS[layer.kind](layer, trace.inputs(layer))
    except (LookupError, ValueError, TypeError):
        return None


def _places_of(trace: Trace, layer: Layer, given: Layer) -> Places | None:
    """The places of what a loss of many numbers reads first: each step or pixel, with all classes of it, or each
    number; None where it is one line."""
    if given.output.ndim < 2 or given.name != layer.reads[0]:
        return None
    axes = tuple(range(given.output.ndim))
    if layer.kind == "ctc_loss":
        return Places(given, (0,))
    if not kinds.picks_label(layer):
        return Places(given, axes)
    try:
        along = entropy.class_axis(layer, trace.inputs(layer))
    except LookupError:
        return None
    return Places(given, tuple(axis for axis in axes if axis != along))


@remembered(16)
def _order(trace: Trace, name: str, given: str) -> tuple[int, ...]:
    """The places that count in a loss, the last first; all of them where that is not known."""
    layer, found = trace[name], cost_of(trace, name)
    counted = _places_of(trace, layer, trace[given])
    assert counted is not None
    if found is None or layer.output.ndim or not kinds.picks_label(layer):
        return tuple(range(counted.count - 1, -1, -1))
    return tuple(sorted({counted.place(tuple(map(int, cell))) for cell in found[0]}, reverse=True))


# --- one class --------------------------------------------------------------------------------------------------------

def _label(setting: Setting) -> tuple[Column, int] | None:
    """The bars of the answer, and which of them is the label's; None where the loss does not look at one class."""
    bars, target = bars_beside(setting), kinds.label_of(setting.trace)
    if bars is None or target is None or not kinds.picks_label(setting.layer) or bars.box(target) is None:
        return None
    return bars, target


def _fallen(setting: Setting, bars: Column, label: int) -> Frame:
    """The label's bar, taken; and −ln of it on its way to where the loss stands."""
    trace, layer = setting.trace, setting.layer
    answer = answers.at(trace, bars.layer)
    share = float(trace[bars.layer].output[label])
    name = trace.labels[label] if label < len(trace.labels) else str(label)
    box = bars.box(label)
    assert box is not None
    falls = smooth(part_of(setting.second, CAMERA + TAKEN, FALLS - 0.2))
    done = int(falls >= 1)
    x, y = bars.x, box[1] + box[3] / 2
    goal_x, goal_y = _place(setting)
    marks: list[Mark] = []
    if setting.second >= CAMERA and not done:
        upper = max(10.0, min(12.0, bars.pitch[1] / 2 - 1))
        high = upper + (25.0 if bars.pitch[1] >= 34 else upper)  # the word below the bar included
        ringed: Box = (x - 2, y - upper, bars.width + 4, high)
        marks += frame(ringed, "accent", Focus(bars.layer, (label,)), 2)
        said = numbers.number(share, 3) if falls <= 0 else tr("−ln {share}").format(share=numbers.number(share, 3)) \
            if falls < 0.75 else numbers.number(float(layer.output), 3)
        start = x + bars.width - 24, y - upper - 12
        at = start[0] + (goal_x - start[0]) * falls, start[1] + (goal_y - start[1]) * falls
        here = Focus(layer.name)
        wide = text_width("loss = −ln 0.000 = 0.000", 12)
        marks.append(Rect(goal_x - wide / 2, goal_y - 9, wide, 18, "hatch", "rule", 1, radius=4, focus=here))
        marks += chip(float(layer.output), at, "ink", said, holds=Flight(here, here, float(layer.output), falls))
    if setting.second < CAMERA + TAKEN:
        words = tr("Only the bar of the label {label} counts: {{{share}}}.")
    else:
        words = tr("The loss is −ln of that: the smaller the share of {label}, the larger the loss.")
    return Frame(None, None, tuple(marks), words.format(label=name, share=numbers.percent(share, 1)), (done, 1),
                 "" if answer is None else tr("label {label}").format(label=name))


def _place(setting: Setting) -> tuple[float, float]:
    """The middle of where the loss is written."""
    wide = text_width("loss = −ln 0.000 = 0.000", 12)
    x = min(setting.right.x + setting.right.width, setting.look.size[0] - PADDING)
    return x - wide / 2, setting.plan.bottom + 36


def _grown(setting: Setting) -> Frame:
    """The bars of the answer become what the loss hands its scores: p − label."""
    trace, given = setting.trace, setting.written
    answer = answers.at(trace, given.name)
    values = None if answer is None else answers.handed_back(trace, answer)
    if values is None:
        return Frame()
    label = kinds.label_of(trace)
    grows = smooth(part_of(setting.second, CAMERA + STANDS, GROWS))
    marks: list[Mark] = []
    box = None if label is None else setting.left[0].box(label)
    one = part_of(setting.second, CAMERA, 0.2) * (1 - part_of(grows, 0.0, 0.3))
    if box is not None and one > 0 and kinds.picks_label(setting.layer):
        bars = setting.left[0]
        said = tr("− 1")
        marks += chip(-1.0, (bars.x + bars.width - 20, box[1] + box[3] / 2 - 20), said=said,
                      opacity=one)
    words = tuple(numbers.signed(float(value), 3) if grows >= 1 else "" for value in values)
    bars_now = Bars(trace[given.name].output.astype(np.float64), tuple(
        numbers.percent(float(value), 1) for value in trace[given.name].output)) if grows <= 0 else \
        Bars(values.astype(np.float64) * grows, words, True)
    return Frame(None, None, tuple(marks), tr("The way back starts at the answer: each probability, less 1 for the "
                                              "label.") if grows <= 0 else tr("What is left is p − label."),
                 (int(grows >= 1), 1), "", bars=bars_now if setting.second >= CAMERA else None)


# --- several numbers -------------------------------------------------------------------------------------------------

def _added(setting: Setting, cells: Array, costs: Array) -> Frame:
    """What each number, step or place adds to the loss, one after the other."""
    layer, left = setting.layer, setting.left[0]
    source = setting.trace[left.layer]
    at = march(len(costs), setting.second)
    done = at.done + (at.slow and at.share >= 0.8)
    marks: list[Mark] = []
    here = at.done if at.slow else at.done - 1
    if 0 <= here < len(costs) and at.done < len(costs) and source.shape == setting.trace.inputs(layer)[0].shape:
        cell = tuple(int(i) for i in cells[here])
        faint = 0.5 + 0.5 * part_of(at.share, 0, 0.25) if at.slow else 0.6
        for column in setting.left:
            if setting.trace[column.layer].shape == source.shape:  # what was answered, and what was wanted
                marks += rings(column, setting.trace[column.layer], [cell], opacity=faint)
        box = box_of_cells(left, source, cell, cell)
        if at.slow and box is not None:
            marks += chip(float(costs[here]), (middle(box)[0], box[1] - 13), "ink",
                          numbers.signed(float(costs[here]), 3), 0.7)
    so_far = float(costs[:done].sum())
    if 0 < done < len(costs):
        x, y = _place(setting)
        marks += chip(so_far, (x, y), "ink", tr("so far {sum}").format(sum=numbers.number(so_far, 3)))
    squared = kinds.label(layer) == "numbers" and layer.kind == "mse_loss"
    if not done:
        said = tr("{source} is ready. The loss has computed nothing yet.").format(source=source.name)
    else:
        said = (tr("Each difference is squared and counts with its share: {done} of {count}, {{{sum}}} so far.")
                if squared else tr("Each −ln p counts with its share: {done} of {count}, {{{sum}}} so far.")).format(
            done=numbers.count(done), count=numbers.count(len(costs)), sum=numbers.number(so_far, 3))
    return Frame(None, None, tuple(marks), said, (done, len(costs)), tr("{n} of {count} terms").format(
        n=numbers.count(done), count=numbers.count(len(costs))))


def _each(setting: Setting) -> Frame:
    """A loss that is kept for each step or pixel: what each costs comes from its own scores."""
    layer, found = setting.layer, Places(setting.layer, tuple(range(setting.layer.output.ndim)))
    at = march(found.count, setting.second, int(np.nan_to_num(layer.output).argmax()))
    done = at.done + (at.slow and at.share >= 0.9)
    here = at.done if at.slow else at.done - 1
    marks: list[Mark] = []
    if 0 <= here < found.count and (at.slow or at.done < found.count):
        cell = found.cell(here, 0)
        faint = 0.5 + 0.5 * part_of(at.share, 0, 0.25) if at.slow else 0.6
        read, made = taps_of(setting.trace, layer.name, cell), Focus(layer.name, cell)
        marks += windows(setting.trace, setting.left, read, made, opacity=faint)
        marks += rings(setting.right, layer, [cell], opacity=faint)
        gone = smooth(part_of(at.share, 0.2, 0.7))
        start, end = _from(setting, read), box_of_cells(setting.right, layer, cell, cell)
        if at.slow and start is not None and end is not None and 0 < gone < 1:
            (x, y), (to, down) = middle(start), middle(end)
            marks += chip(float(layer.output[cell]), (x + (to - x) * gone, y + (down - y) * gone), "ink",
                          numbers.number(float(layer.output[cell]), 3), 0.7,
                          Flight(made, made, float(layer.output[cell]), gone))
    counted = tr("place {n} of {count}").format(n=numbers.count(done), count=numbers.count(found.count))
    if not done:
        said = tr("{source} is ready. The loss has computed nothing yet.").format(source=layer.reads[0])
    else:
        cell = found.cell(done - 1, 0)
        said = tr("Each place has a loss of its own: {{{value}}} ({place}), {done} of {count} done.").format(
            value=numbers.number(float(layer.output[cell]), 3), place=step_named(setting.trace, cell, layer.shape),
            done=numbers.count(done), count=numbers.count(found.count))
    return Frame(found.covered(done), None, tuple(marks), said, (done, found.count), counted)


def _from(setting: Setting, read: tuple[kinds.Taps, ...]) -> Box | None:
    """Where the number stands from which most of a loss comes."""
    for taps in read[:1]:
        column = setting.column(taps.source)
        if column is not None and len(taps.cells):
            cell = tuple(map(int, taps.cells[int(np.abs(np.nan_to_num(taps.products)).argmax())]))
            return box_of_cells(column, setting.trace[taps.source], cell, cell)
    return None


# --- ways to spell ---------------------------------------------------------------------------------------------------

def _spelled(setting: Setting) -> Frame:
    """The symbols that ways go through light up step by step, each as strongly as the share of the ways is."""
    layer, left = setting.layer, setting.left[0]
    source = setting.trace[left.layer]
    shares, probability, ways = ctc.ways_of(layer, setting.trace.inputs(layer)[0])
    steps = len(shares)
    swept = part_of(setting.second, CAMERA, SWEEP)
    reached = int(swept * steps + 1e-9)
    falls = smooth(part_of(setting.second, CAMERA + SWEEP, FALLS - 0.2))
    marks: list[Mark] = []
    if source.shape == shares.shape and setting.second >= CAMERA:
        for step, symbol in np.argwhere(shares[:reached] > SEEN).tolist():
            box = box_of_cells(left, source, (step, symbol), (step, symbol))
            if box is not None:
                marks.append(Rect(box[0] - 1, box[1] - 1, box[2] + 2, box[3] + 2, "", "accent", 1.5,
                                  opacity=0.25 + 0.75 * float(shares[step, symbol])))
    done = int(falls >= 1)
    if swept >= 1 and not done:
        start = left.x + left.width / 2, left.top - 14
        goal = _place(setting)
        at = start[0] + (goal[0] - start[0]) * falls, start[1] + (goal[1] - start[1]) * falls
        said = tr("Σ = {share}") if falls <= 0.1 else tr("−ln {share}")
        marks += chip(float(layer.output), at, "ink", said.format(share=numbers.significant(probability, 3)),
                      0.7 if falls > 0 else 1.0)
    pale = (shares <= SEEN) & (np.arange(steps)[:, None] < reached)
    known = {"ways": numbers.significant(ways, 3), "share": numbers.significant(probability, 3),
             "step": numbers.count(reached), "count": numbers.count(steps)}
    words = tr("{source} is ready. The loss has computed nothing yet.").format(source=source.name) if not reached else \
        tr("{ways} ways spell what was wanted; those through each symbol light up: {{{step} of {count}}} steps.") \
        if swept < 1 else tr("All ways together have the probability {{{share}}}; the loss is −ln of it.")
    return Frame(None, None, tuple(grouped(Group("ways"), marks)), words.format(**known) if reached else words,
                 (reached * 9 // 10 if not done else steps, steps),
                 tr("step {n} of {count}").format(n=numbers.count(reached), count=numbers.count(steps)),
                 {source.name: (pale, PALE)} if pale.shape == source.shape and reached else {})


MOTION = Motion("loss", suits, forward, backward, seconds, order=20)
