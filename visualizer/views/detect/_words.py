"""The sentence of a moment."""

from __future__ import annotations

import math

import numpy as np

from visualizer import answers
from visualizer.answers import label
from visualizer.language import counted_as, tr
from visualizer.said import axis, said
from visualizer.scene import numbers
from visualizer.scene.timeline import Moment
from visualizer.trace import Trace
from visualizer.views.detect._panels import place_words
from visualizer.views.detect._scene import sizes_of
from visualizer.views.detect._state import (
    DECODE,
    GATHERS,
    SUPPRESS,
    THRESHOLD,
    Aim,
    Detection,
    Now,
    returned,
    sent_back,
    verdict,
)
from visualizer.views.detect._strip import field


def sentence(trace: Trace, found: Detection, moment: Moment, seen: Now) -> str:
    """What happens at a moment, in one sentence, with the markup of `rich`."""
    layer, name = trace[moment.beat.layer], found.held.name
    if moment.backward:
        return _back(trace, found, moment)
    if moment.beat.doing == DECODE:
        return tr("Each of {{{count}}} {cells} proposes a box, however little it believes in it.").format(
            count=_proposed(found), cells=_cells(found))
    if moment.beat.doing == THRESHOLD:
        return _threshold(found)
    if moment.beat.doing == SUPPRESS and seen.beat and (seen.beat < found.beats or seen.share < 1):
        return _step(found, seen)
    if trace.places[layer.name] > trace.places[name]:
        told = answers.cost(trace, layer)[1]
        return told or _end(found)
    if moment.beat.doing:
        return _end(found)
    if layer.name == name:
        return tr("Each of {{{count}}} {cells} answers with {numbers} numbers: whether something lies there, the four "
                  "edges of its box, and what it is.").format(
            count=_proposed(found), cells=_cells(found),
            numbers=said(str(found.values.shape[0 if found.grid else 1]), *axis(found.held, 0 if found.grid else 1)))
    wide = field(trace, layer.name) if layer.has("row", "column") and layer.output.ndim == 3 else None
    if layer.is_input or wide is None:
        return tr("The picture goes once through the network, and every one of {{{count}}} {cells} answers.").format(
            count=_proposed(found), cells=_cells(found))
    return tr("`{layer}` computes {maps} maps at all places at once; one value of them sees {{{wide}}} pixels across."
              ).format(layer=layer.name, maps=said(numbers.count(layer.shape[0]), *axis(layer, 0)),
                       wide=said(str(wide), "receptive field", layer.name, (1,)))


def _cells(found: Detection) -> str:
    return tr("cells") if found.grid is not None else tr("rows")


def _proposed(found: Detection) -> str:
    return said(numbers.count(len(found.every)), "boxes proposed", found.held.name)


def _likely(found: Detection) -> str:
    return said(numbers.count(len(found.likely)), "boxes above a threshold", found.held.name, array=repr(found.least))


def _least(found: Detection) -> str:
    return said(numbers.number(found.least, 2), "factor", array=repr(found.least))


def _threshold(found: Detection) -> str:
    if not found.likely:
        best = max((each.score for each in found.every), default=math.nan)
        return tr("None of {count} boxes is surer than {least}: the surest has {{{best}}}.").format(
            count=_proposed(found), least=_least(found),
            best=said(numbers.number(best, 2), "score of the surest place", found.held.name))
    return tr("Of {count} boxes {{{likely}}} are surer than {least}; the others go.").format(
        count=_proposed(found), likely=_likely(found), least=_least(found))


def _step(found: Detection, seen: Now) -> str:
    name = found.held.name
    step = found.of_beat(seen.beat)[0]
    each = found.likely[step.kept]
    what = tr("a box") if each.label is None else tr("the {label}").format(
        label=said(label(found.answer, each.label), "label of a box", name, (each.label,)))
    words = tr("Step {number}: the surest box that waits is {what} with {{{score}}}; it is kept.").format(
        number=said(str(seen.beat), "step of suppression", name, (seen.beat - 1,), array=found.asked), what=what,
        score=said(numbers.number(each.score, 2), "score of a place", name, each.place))
    if seen.share < GATHERS:
        return words
    gone = len(step.dropped)
    most = said(numbers.number(found.most, 2), "factor", array=repr(found.most))
    if not gone:
        return tr("{words} No other overlaps it by more than {most}.").format(words=words, most=most)
    count = said(str(gone), "boxes dropped in a step", name, (seen.beat - 1,), array=found.asked)
    return counted_as(gone, tr("{words} {count} other overlaps it by more than {most} and goes."),
                      tr("{words} {count} others overlap it by more than {most} and go.")).format(
        words=words, count=count, most=most)


def _end(found: Detection) -> str:
    """What is left, and how good that is."""
    if not found.likely:
        return _threshold(found)
    name = found.held.name
    kept = said(numbers.count(len(found.rounds)), "boxes kept", name, array=found.asked)
    words = tr("{count} {cells} propose a box each, {likely} pass the threshold, suppression keeps {{{kept}}}").format(
        count=_proposed(found), cells=_cells(found), likely=_likely(found), kept=kept)
    good = verdict(found)
    if good is None:
        return f"{words}."
    missing, wrong = (said(str(count), quantity, name, array=found.asked) for count, quantity in (
        (good.missing, "right boxes missing"), (good.wrong, "boxes for nothing")))
    return tr("{words}: mean IoU {share} with the truth, {missing} missing, {wrong} false.").format(
        words=words, missing=missing, wrong=wrong,
        share=said(numbers.number(good.mean, 2), "mean overlap with the truth", name, array=found.asked))


def _back(trace: Trace, found: Detection, moment: Moment) -> str:
    name, aim = trace.layers[0].name, sent_back(trace)
    what = tr("the loss") if aim is None else _aimed(found, aim)
    if returned(trace, moment, name) < 1:
        return tr("On the way back: amber is how much each place of `{layer}` would change {what}.").format(
            layer=moment.beat.layer, what=what)
    if aim is None:
        return tr("The gradient is back at the pixels: amber is how much each one would change {what}.").format(
            what=what)
    share = said(numbers.percent(inside(trace, found, aim.place), 0), "share of the gradient in a box", found.held.name,
                 aim.place)
    return tr("The gradient of {what} is back at the pixels: {{{share}}} of it lies in that box.").format(
        what=what, share=share)


def _aimed(found: Detection, aim: Aim) -> str:
    """What was sent back, in words."""
    place = place_words(found, aim.place)
    if aim.label is not None:
        return tr("what {place} gives to the {label}").format(place=place, label=said(
            label(found.answer, aim.label), "label of a box", found.held.name, (aim.label,)))
    words = {"score": tr("the score of {place}"), "left": tr("the left edge of {place}"),
             "top": tr("the top edge of {place}"), "right": tr("the right edge of {place}"),
             "bottom": tr("the bottom edge of {place}"), "width": tr("the width of {place}"),
             "height": tr("the height of {place}")}
    return words.get(aim.what, tr("a number of {place}")).format(place=place)


def inside(trace: Trace, found: Detection, place: tuple[int, ...]) -> float:
    """Of the sizes of the gradient at all pixels the share of those whose middle lies in a box."""
    sizes = sizes_of(trace.layers[0])
    left, top, right, bottom = found.every[found.number(place)].box
    down, across = np.arange(sizes.shape[0]) + 0.5, np.arange(sizes.shape[1]) + 0.5
    part = sizes[(down >= top) & (down <= bottom)][:, (across >= left) & (across <= right)]
    return float(part.sum() / (sizes.sum() or 1.0))

