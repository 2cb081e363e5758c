"""Segment: a class for each pixel: down the U and up again, scores and chances, the mask; one pixel opened."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from visualizer import answers, kinds
from visualizer.answers import segments
from visualizer.kinds import pixels
from visualizer.kinds.skips import STUDY, skips
from visualizer.language import english, tr
from visualizer.said import said
from visualizer.scene import numbers, parts
from visualizer.scene.lanes import lanes
from visualizer.scene.picture import Focus, Look, Picture, Table, unmarked
from visualizer.scene.telling import answered as told_at
from visualizer.scene.timeline import REST, Moment, Pace
from visualizer.trace import Trace
from visualizer.views import WHOLE, View
from visualizer.views.segment import _answer, _pixel, _u
from visualizer.views.segment._plan import layout
from visualizer.views.segment._seen import KNOB, WITH, WITHOUT, Pixel, Seen, opened, seen
from visualizer.views.segment._stages import sees, stage_of, stages

SECONDS, JOINING, ANSWERING = Fraction(3, 5), Fraction(6, 5), Fraction(2)
"""How long the beat of a layer takes, of a join with its arc, and of the chances with the mask."""


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """The U as far as it is computed, the chances and the mask, and one pixel with all that made it."""
    one = seen(trace, look)
    assert one is not None
    found = stages(trace, one.source)
    pixel = opened(one, focus)
    current = stage_of(found, moment.beat.layer)
    if current is None:
        before = trace.places[moment.beat.layer] < (trace.places[found[0].layers[0]] if found else 0)
        current = 0 if before else len(found) - 1
    place = layout(trace, one, found, current, one.rows(pixel), look)
    words = _back(one, moment) if moment.backward else _sentence(one, moment, pixel)
    still, moving = lanes(trace, moment, look)
    marks = [*_u.draw(one, found, moment, pixel, place, look), *_answer.draw(one, moment, pixel, place, look),
             *_pixel.draw(one, moment, pixel, place, look)]
    return Picture(look.size, (*parts.sentence(look, words), *still), (*marks, *moving), look.theme,
                   caption=unmarked(words), table=_table(one))


def pace(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Pace:
    """A join and the answer take longer than the other layers."""
    one, layer = seen(trace, look), trace[moment.beat.layer]
    answers_now = one is not None and layer.name == (one.shares or one.scores)
    lasts = SECONDS if moment.backward else ANSWERING if answers_now else \
        JOINING if any(skip.join == layer.name for skip in skips(trace)) else SECONDS
    stops = (_answer.FILLED,) if answers_now and not moment.backward else ()
    return Pace(lasts, REST, stops=stops)


# --- words ------------------------------------------------------------------------------------------------------------

def _sentence(one: Seen, moment: Moment, pixel: Pixel) -> str:
    """What the beat makes; with the answer what the opened pixel is taken for and how good all of it is."""
    trace, layer = one.trace, one.trace[moment.beat.layer]
    there = _u.answered(one, moment)
    if there == 1:
        return _answered(one, pixel)
    if there > 0 or layer.name == one.scores:
        return _choosing(one, there)
    joined = next((skip for skip in skips(trace) if skip.join == layer.name), None)
    if joined is not None:
        first, last = joined.channels
        others = len(layer.output) - (last - first)
        words = tr("{source} leaps over: as it has not been made smaller since, its {{{maps}}} maps still have sharp "
                   "edges; they are laid beside {others} that have seen more.")
        if one.cut:
            words = tr("The skip is cut: zeros stand where {maps} maps of {source} were, beside {others} that have "
                       "seen more.")
        return words.format(source=joined.source, maps=said(str(last - first), "maps of a skip", layer.name,
                                                            (last - first,)),
                            others=said(str(others), "maps beside a skip", layer.name, (last - first,)))
    if layer.is_input or layer.output.ndim != 3:
        return tr("A picture is read; for each of its pixels it is asked what it belongs to.")
    maps = tr("{layer} has {maps} maps of {rows} × {columns}; one of its numbers sees {{{high} × {wide}}} pixels.")
    high, wide = sees(trace, layer.name, trace.layers[0].name)
    return maps.format(layer=layer.name, high=said(str(high), "rows that a number sees", layer.name),
                       wide=said(str(wide), "columns that a number sees", layer.name),
                       **{name: said(numbers.count(size), "length of axis", layer.name, (axis,))
                          for axis, (name, size) in enumerate(zip(("maps", "rows", "columns"), layer.shape,
                                                                  strict=True))})


def _choosing(one: Seen, there: float) -> str:
    """While scores and chances are made, and then the mask."""
    if one.alone:
        return tr("At each pixel one number goes through a sigmoid, and is a probability; above {least} the pixel "
                  "belongs to it.").format(
            least=said(numbers.number(one.least, 2), "threshold of a mask", one.answer.layer))
    count = said(str(len(one.chances)), "length of axis", one.source, (0,))
    if there <= 0:
        return tr("Each pixel gets {{{count}}} scores, one for each class.").format(count=count)
    if there < _answer.FILLED:
        return tr("At each pixel the {{{count}}} scores become probabilities that add up to one.").format(count=count)
    return tr("The likeliest of {{{count}}} classes paints each pixel of the mask.").format(count=count)


def _answered(one: Seen, pixel: Pixel) -> str:
    """What the opened pixel is taken for, and how good the mask is."""
    best = int(one.given[pixel])
    words = tr("Pixel ({at}) is taken for {label} with {{{share}}}").format(
        at=one.said(pixel), label=said(one.label(best), "name of a class", one.answer.layer, (best,)),
        share=said(numbers.percent(float(one.likely[pixel]), 0), *one.claim("chance of what is taken", pixel)))
    right, known = pixels.right_pixels(one.answer, one.decided)
    if one.cut:
        return _without(one, words)
    if known and one.mean is not None:
        return tr("{words}; {right} of {count} pixels are right, and the mean overlap (IoU) is {mean}.").format(
            words=words, right=said(numbers.count(right), *one.claim("right pixels")),
            count=said(numbers.count(known), *one.claim("known pixels")),
            mean=said(numbers.number(one.mean, 2), *one.claim("mean IoU")))
    if known:
        return tr("{words}; {right} of {count} pixels are right: there is nothing to be found, and nothing is.").format(
            words=words, right=said(numbers.count(right), *one.claim("right pixels")),
            count=said(numbers.count(known), *one.claim("known pixels")))
    ground = pixels.ground_of(one.answer)
    if (one.given == best).all():
        return tr("{words}; no pixel is taken for anything else.").format(words=words)
    if ground is None:
        return f"{words}."
    return tr("{words}; {count} pixels are taken for something else than {ground}.").format(
        words=words, count=said(numbers.count(int((one.given != ground).sum())),
                                *one.claim("pixels that are not the ground")),
        ground=said(one.label(ground), "name of a class", one.answer.layer, (ground,)))


def _without(one: Seen, words: str) -> str:
    """How much worse it is without the skips, and that this says little of a network that never had any."""
    whole = replace(one, cut=False)
    if whole.mean is None:
        return tr("{words}, its skips cut; it was trained with them, so it is no fair rival.").format(words=words)
    return tr("{words}. With its skips cut the mean overlap falls from {before} to {after}; it was trained with them, "
              "so this is no fair rival.").format(
        words=words, before=said(numbers.number(whole.mean, 2), *whole.claim("mean IoU")),
        after=said(numbers.number(one.mean or 0.0, 2), *one.claim("mean IoU")))


def _back(one: Seen, moment: Moment) -> str:
    """What is sent back."""
    trace, kind = one.trace, one.trace.objective.kind
    aimed = segments.MASK.fullmatch(kind)
    if aimed is not None:
        index = int(aimed[1])
        return tr("On the way back: how much each value would change the scores for {label} of the {{{count}}} pixels "
                  "that are taken for it, added up.").format(
            label=said(one.label(index), "name of a class", one.answer.layer, (index,)),
            count=said(numbers.count(int((replace(one, cut=False).given == index
                                          ).sum())), "pixels of a class", one.source, (index,)))
    where = segments.PIXEL.fullmatch(kind)
    if where is not None:
        cell = [int(word) for word in where[1].split(",")]
        pixel = (cell[-2], cell[-1])
        whole = replace(one, cut=False)
        index = cell[0] if len(cell) == 3 and not one.alone else int(whole.given[pixel])
        return tr("On the way back: how much each value would change the score for {label} of the pixel "
                  "({at}).").format(label=said(one.label(index), "name of a class", one.answer.layer, (index,)),
                                    at=one.said(pixel))
    loss = trace.layers[-1]
    if loss.output.ndim == 0 and kinds.role(loss) == "loss":
        return tr("On the way back: how much each value would change the loss of all pixels, {{{loss}}}.").format(
            loss=said(numbers.significant(float(loss.output), 3), "value", loss.name))
    return tr("On the way back: how much each value would change what is asked about.")


def _table(one: Seen) -> Table:
    """One row a class: pixels that are given it, that belong to it, shared ones, overlap, mean chance."""
    right = pixels.truth_of(one.answer, one.decided)
    overlaps = {each.index: each for each in one.overlaps}
    rows = []
    for index in range(len(one.decided)):
        each = overlaps.get(index)
        chance = one.chances[0] if one.alone else one.chances[index]
        rows.append((one.label(index), int((one.given == index).sum()),
                     "" if right is None else int((right == index).sum()), "" if each is None else each.shared,
                     "" if each is None else each.share,
                     float(1 - np.mean(chance)) if one.alone and not index else float(np.mean(chance))))
    return Table((tr("class"), tr("pixels given it"), tr("pixels of it"), tr("shared"), tr("overlap (IoU)"),
                  tr("mean probability")), tuple(rows))


def _suits(trace: Trace) -> bool:
    return trace.layers[0].axes[-2:] == ("row", "column") and seen(trace, Look()) is not None and \
        any(answers.of(answer) is not None for answer in trace.answers)


VIEW = View(
    "segment", english("Segment"),
    english("What each pixel is taken for: down the U and up again, probabilities, mask, and one pixel opened."),
    suits=_suits, draw=draw, telling=told_at, pace=pace, order=11, group=WHOLE,
    knobs=((KNOB, (WITH, WITHOUT)),), studies=(STUDY, "field"),
    tries=english("Click a pixel where two classes meet and see which maps decide; then cut the skips."),
)
