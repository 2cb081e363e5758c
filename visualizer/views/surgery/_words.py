"""What a cut did, in a sentence, and as a table."""

from __future__ import annotations

import numpy as np

from visualizer import edits
from visualizer.language import tr
from visualizer.said import said
from visualizer.scene import numbers
from visualizer.scene.picture import Table
from visualizer.scene.reading import visible
from visualizer.trace import Trace, remembered
from visualizer.views.surgery import _measured as measured
from visualizer.views.surgery import offers
from visualizer.views.surgery._measured import Ranked

MOST_NAMED = 2
"""So many edits are named in the sentence; of more it says how many."""


def sentence(trace: Trace) -> str:
    """The answer before and after, or what became NaN."""
    done = _all_of(trace)
    if not done:
        return tr("Nothing is cut yet: click a map or a unit to switch it off, with Shift to keep only it.")
    if ill := measured.unwell(trace):
        return tr("With {edits} {layer} is no number any more (NaN or infinity): Ctrl+Z takes it back.").format(
            edits=done, layer=ill)
    spoken = _answers(trace, done)
    if spoken and (cost := _cost(trace)):
        return f"{spoken} {cost}"
    found = measured.loss(trace)
    if found is None:
        return spoken or tr("With {edits} the network is another one.").format(edits=done)
    before, after = (said(numbers.significant(value), quantity) for value, quantity in
                     zip(found, ("loss before the edits", "loss after the edits"), strict=True))
    if not spoken:
        return tr("With {edits} the loss goes from {before} to {{{after}}}.").format(edits=done, before=before,
                                                                                   after=after)
    return spoken + " " + tr("The loss goes from {before} to {after}.").format(before=before, after=after)


def _cost(trace: Trace) -> str:
    """How many right answers it costs, over all inputs that ship."""
    found = measured.counted(trace)
    if found is None:
        return ""
    before, now, of = found
    inputs = said(numbers.count(of), "answers counted")
    points = 100 * (before - now) / of
    if points < 0:
        return tr("Over {inputs} inputs it gains {points} points.").format(
            inputs=inputs, points=said(numbers.number(-points, 1), "points gained"))
    return tr("Over {inputs} inputs it costs {{{points}}} points.").format(
        inputs=inputs, points=said(numbers.number(points, 1), "points that the edits cost"))


def _answers(trace: Trace, done: str) -> str:
    found = measured.shares(trace)
    if found is None:
        return ""
    answer, at = found
    old, new, words = measured.was(trace, answer)[at], measured.now(trace, answer)[at], trace.answers[0].labels
    if len(words) != len(old):
        return ""
    first, second = int(np.argmax(old)), int(np.argmax(new))
    before, after = (said(numbers.percent(float(values[best]), 0), quantity, answer, (*at, best))
                     for values, best, quantity
                     in ((old, first, "answer before the edits"), (new, second, "answer after the edits")))
    labels = [said(visible(words[best]), "label", answer, (*at, best)) for best in (first, second)]
    told = tr("With {edits} the answer turns from {first} ({before}) to {{{second}}} ({after}).") if first != second \
        else tr("With {edits} the answer stays {first}: {before} before, {{{after}}} now.")
    return told.format(edits=done, first=labels[0], second=labels[1], before=before, after=after)


def _all_of(trace: Trace) -> str:
    """What is done, one after the other; of many pixels how many, of many edits as well."""
    words = measured.words(trace)
    pixels = [word for word in words if word.startswith("pixel:")]
    others = [word for word in words if word not in pixels] if len(pixels) > 1 else list(words)
    told = [named(word) for word in others]
    if len(pixels) > 1:
        told.append(tr("{count} pixels set").format(count=said(numbers.count(len(pixels)), "how many pixels are set")))
    if len(told) > MOST_NAMED:
        return tr("{count} edits").format(count=said(numbers.count(len(words)), "how many edits are done"))
    return ", ".join(told)


def done_to(trace: Trace, layer: str, unit: int) -> str:
    """What is done to a channel or unit, and where to it goes."""
    done = [word for word in measured.words(trace) if offers.target(word)[:1] in (("unit",), ("weight",), ("bias",))
            and _is_of(word, layer, unit)]
    if not done:
        return tr("Nothing is done to it: a click on its map switches it off.")
    told = "; ".join(named(word) for word in done)
    return told[:1].upper() + told[1:] + "."


def _is_of(word: str, layer: str, unit: int) -> bool:
    edit, arguments = edits.parse(word)
    if edit.name == "weight":
        return bool(arguments[0].rpartition(".")[0] == layer and arguments[1][:1] == (unit,))
    return tuple(arguments[:2]) == (layer, unit)


def named(word: str) -> str:
    """An edit in a few words."""
    return said(edits.said((word,)), "what is done", array=word)


def broken(trace: Trace, found: Ranked) -> str:
    """How many have to go until half of the right answers are gone."""
    count = len(found.broken)
    if not found.finished or found.by_loss:
        return ""
    if not count or 2 * int(found.left[-1]) > found.right:
        return tr("Even without all of them more than half of the right answers are left.") if count else ""
    return tr("Break it: without {count} of {total}, each time that which costs most, {left} of {right} right answers "
              "are left.").format(count=said(numbers.count(count), "how many break it"),
                                  total=said(numbers.count(len(found.words)), "how many are left out in turn"),
                                  left=said(numbers.count(int(found.left[-1])), "right answers when broken"),
                                  right=said(numbers.count(int(found.right)), "right answers of the whole"))


@remembered(1)
def table(trace: Trace) -> Table:
    """One row a layer: how far the cut reaches; then one for each that is left out."""
    reach = [(name, float(measured.reaches(trace, name)), "") for name in measured.rows(trace)]
    found = measured.ranked(trace, "units")
    lost = [] if found is None else [(found.words[place], found.lost(place), float(found.alone[place]))
                                     for place in found.order if place < len(found.alone)]
    return Table((tr("layer or unit"), tr("change, or points lost"), tr("right answers")), (*reach, *lost))
