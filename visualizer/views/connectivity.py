"""Connectivity: what an answer hangs on, by gradient and by leaving each step out, for one answer and for all."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visualizer.answers import chooses
from visualizer.kinds.ranks import rank_correlation
from visualizer.language import english, in_quotes, tr, translated
from visualizer.said import Claim, said, tick, unplaced
from visualizer.said import found as found_in
from visualizer.scene import colour, numbers, parts, steps
from visualizer.scene.boxes import split, whole
from visualizer.scene.picture import (
    Focus,
    Group,
    Image,
    Line,
    Look,
    Mark,
    Picture,
    Rect,
    Run,
    Scale,
    Table,
    Text,
    grouped,
    plain,
    unmarked,
)
from visualizer.scene.projector import begins
from visualizer.scene.reading import (
    Reading,
    foretells,
    label,
    layers,
    number_said,
    reading,
    shown_layer,
    step_said,
    steps_said,
    word_said,
)
from visualizer.scene.telling import read_to_the_end
from visualizer.scene.timeline import Moment
from visualizer.scene.type import width
from visualizer.trace import Trace, remembered
from visualizer.views import STEPS, View

Values = NDArray[np.float64]

STUDY = "connectivity"
TOP, LEFT, RIGHT = 68.0, 132.0, 40.0
DECADES = 4
"""Gradients are drawn on one log scale from the largest of all answers down by so many powers of ten."""
TILE, STRIP, LINE_GAP = 31.0, 16.0, 12.0
"""Heights of a tile with its word, of the strip of changes under it, and the gap to the next line of text."""
MOST_LINES = 4
FACTS, BETWEEN = 216.0, 36.0
"""Width of the column of facts, and the gap before it and between the two maps."""
FACTS_HIGH, LEAST_MAP = 190.0, 120.0
"""Height of the facts; and of narrower maps the names run into each other."""
LEAST_CHART = 84.0
NO_LESS = 0.12
"""Of the largest change: each side of zero has at least so much height."""
FACTS_LOW = 96.0
"""Height of the facts where they stand side by side under the maps."""
ROUNDING = 1e-12
"""A change of less than this share of the largest one has no sign that is worth a minus."""
NEUTRAL = (english("the mean of all symbols"), english("a blank picture"), english("the mean of all steps"))
"""What stands in for a step that is left out, in the order of the study's numbers."""


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """The text behind one answer, each step shaded by its pull on it; below, the same for all answers."""
    layer = shown_layer(trace, moment, None if focus is None else focus.layer)
    shown = reading(trace, layer.name)
    place = steps.span(shown, look)
    found = hanging(trace)
    if found is None or found.gradient.shape[1] != shown.steps:
        return _not_measured(trace, shown, moment, place, look)
    answer = found.answer_at(steps.current(trace, shown, moment))
    sentence = _sentence(trace, shown, found, answer)
    marks = list(parts.sentence(look, sentence))
    text, bottom = _text(shown, found, answer, look)
    here = Focus(layer.name, (steps.current(trace, shown, moment),))
    marks += grouped(Group(tr("what this answer hangs on"), here), text)
    marks += grouped(Group(tr("all answers"), Focus(layer.name)),
                     _all_answers(trace, shown, found, answer, bottom, look))
    still, moving = steps.lane(trace, shown, moment, look, place, at_once=True)
    return Picture(look.size, tuple(still), (*marks, *moving), look.theme, caption=unmarked(sentence),
                   table=_table(trace, shown, found, answer))


@dataclass(frozen=True, eq=False)
class Hanging:
    """What the study measured. Rows are answers, columns steps that were read."""

    gradient: Values
    """(answer, step): ‖∂ logit / ∂ x_t‖ of the class that is likeliest at that answer."""
    change: Values
    """(answer, step): that logit minus what it is without the step."""
    choice: NDArray[np.int64]
    neutral: str
    one_way: bool
    """Whether no answer knows of later steps."""

    def answer_at(self, step: int) -> int:
        """The answer that is given at a step; the only one where there is one for all steps."""
        return min(step, len(self.gradient) - 1) if len(self.gradient) > 1 else 0

    def known(self, answer: int) -> int:
        """How many steps the answer can know of."""
        steps_read = self.gradient.shape[1]
        return answer + 1 if self.one_way and len(self.gradient) == steps_read else steps_read

    @property
    def top(self) -> float:
        return colour.largest(self.gradient) or 1.0

    @property
    def most(self) -> float:
        return colour.largest(self.change) or 1.0

    def agreement(self, answer: int) -> float | None:
        """Rank correlation of gradient and size of the change over the steps known; None for fewer than three, or
        where all are alike."""
        known = self.known(answer)
        return rank_correlation(self.gradient[answer, :known], np.abs(self.change[answer, :known]))


@remembered(16)
def hanging(trace: Trace) -> Hanging | None:
    """The study of a recording; None where it was not made, or does not suit."""
    found = trace.studies.get(STUDY)
    if not found:
        return None
    gradient, change = np.asarray(found["gradient"], np.float64), np.asarray(found["change"], np.float64)
    one_way = len(gradient) == gradient.shape[1] and not np.triu(gradient, 1).any()
    return Hanging(gradient, change, np.asarray(found["choice"]), translated(NEUTRAL[int(found["neutral"])]), one_way)


# --- the text behind one answer -------------------------------------------------------------------------------------

def _text(shown: Reading, found: Hanging, answer: int, look: Look) -> tuple[list[Mark], float]:
    """(marks, their bottom): the steps in lines, as many as fit up to the one of the answer."""
    words = [_short(shown, step) for step in range(shown.steps)]
    pitch, a_line = _pitch(shown, found, look)
    numbered = pitch >= 44
    high = TILE + STRIP + LINE_GAP + (14 if numbered else 0)
    lines = -(-len(words) // a_line)
    last = (answer if len(found.gradient) > 1 else int(np.argmax(np.abs(found.gradient[answer])))) // a_line
    most = max(1, min(MOST_LINES, int((look.size[1] * 0.36 - _top(look)) // high)))
    first = max(0, min(last - most + 1, lines - most)) if lines > most else 0
    marks: list[Mark] = []
    for row in range(first, min(lines, first + most)):
        own = range(row * a_line, min(len(words), (row + 1) * a_line))
        y = _top(look) + (row - first) * high
        marks += _line(shown, found, answer, words, own, y, pitch, numbered, look)
    bottom = _top(look) + (min(lines, first + most) - first) * high
    if lines > most:
        ends = first * a_line, min(len(words), (first + most) * a_line) - 1
        upper, lower = (step_said(shown, step) for step in ends)
        under = 0 if most > 1 else 12  # what stands beside one line alone names its strip
        here = tr("steps {upper}–{lower} of {count}").format(upper=upper, lower=lower, count=steps_said(shown))
        marks.append(Text(LEFT - 16, bottom - LINE_GAP + under, plain(here), 11, 400, "ink-2", "end"))
        bottom += under
    return [*_labels(found, numbered, look), *marks], bottom


def _top(look: Look) -> float:
    """Where the text begins: under the sentence, which a room has larger."""
    return begins(look, TOP)


def _pitch(shown: Reading, found: Hanging, look: Look) -> tuple[float, int]:
    """How far tiles stand apart, so that the longest word has room; and how many are in a line."""
    longest = max(len(unplaced(_short(shown, step))) for step in range(shown.steps))
    room = look.size[0] - (LEFT + RIGHT + (FACTS + BETWEEN if len(found.gradient) == 1 and look.mode.charts else 0))
    least = max(13.0, 7.4 * longest + 7)
    pitch = float(int(max(least, min(50, room / shown.steps))))
    return pitch, max(1, int(room // pitch))


def _labels(found: Hanging, numbered: bool, look: Look) -> list[Mark]:
    x, y = LEFT - 16, _top(look)
    below = y + TILE + (14 if numbered else 0) + 12.5
    return [Text(x, y + 11, plain(tr("gradient")), 13, 600, "ink", "end"),
            Text(x, y + 25, (Run("∥∂logit/∂"), Run("x", italic=True), Run("t", shift="sub"), Run("∥")), 11, 400,
                 "ink-2", "end"),
            Text(x, below, plain(tr("left out")), 13, 600, "ink", "end")]


def _line(shown: Reading, found: Hanging, answer: int, words: list[str], own: range, y: float, pitch: float,
          numbered: bool, look: Look) -> list[Mark]:
    """One line of tiles with their words, and under it the strip of what leaving each of them out changes."""
    x, known = LEFT, found.known(answer)
    wide = pitch - (4 if pitch > 24 else 1)
    shades = colour.magnitude(found.gradient[answer], found.top * 10.0 ** -DECADES, found.top)
    changes = colour.signed(found.change[answer], found.most)
    strip = y + TILE + (14 if numbered else 0)
    digits = 1 if found.most >= 1 else 2
    marks: list[Mark] = []
    for place, step in enumerate(own):
        left = x + place * pitch
        focus = Focus(shown.layer.name, (step,))
        read = tr(", “{word}”").format(word=word_said(shown, step)) if shown.worded else ""
        if step >= known:
            marks.append(Rect(left, y, wide, TILE, "hatch", "tile-border", 1, inside=True, focus=focus,
                              tip=tr("Step {step}{read}: the answer comes before it is read.").format(
                                      step=step_said(shown, step), read=read)))
            marks.append(Text(left + wide / 2, y + 20, plain(words[step]), _size(words[step], wide), 400,
                              "ink-2", "middle", mono=len(unplaced(words[step])) == 1))
            continue
        pull = found.change[answer, step]
        fill = f"gradient:{int(shades[step])}"
        tip = tr("Step {step}{read}: the gradient's size is {size}; without it the logit changes by "
                 "{change}.").format(step=step_said(shown, step), read=read,
                                     size=_size_said(found, answer, step, 3),
                                     change=said(numbers.signed(float(-pull), 3), *_of("minus the value", "change",
                                                                                       answer, step)))
        marks.append(Rect(left, y, wide, TILE, fill, "tile-border", 1, inside=True, focus=focus, tip=tip,
                          scale=_scale(found, "gradient")))
        marks.append(Text(left + wide / 2, y + 20, plain(words[step]), _size(words[step], wide), 600,
                          colour.ink_on(fill, look.theme), "middle", mono=len(unplaced(words[step])) == 1))
        marks.append(Rect(left, strip, wide, STRIP, f"activation:{int(changes[step])}", "tile-border", 1,
                          inside=True, focus=focus, tip=tip, scale=_scale(found, "activation")))
        if numbered:
            marks.append(Text(left + wide / 2, y + TILE + 11, plain(_size_said(found, answer, step, 2)), 11,
                              500, "gradient-text", "middle", max_width=pitch))
            marks.append(Text(left + wide / 2, strip + 12, plain(_pull_said(found, answer, step, digits)), 11,
                              600,
                              colour.ink_on(f"activation:{int(changes[step])}", look.theme), "middle", max_width=pitch))
        elif pull < -ROUNDING * found.most and wide >= 5:
            ink = colour.ink_on(f"activation:{int(changes[step])}", look.theme)
            marks.append(Line(((left + wide / 2 - 2, strip + STRIP / 2),
                               (left + wide / 2 + 2, strip + STRIP / 2)), ink, 1.2))
    if len(found.gradient) > 1 and answer in own:
        left = x + (answer - own.start) * pitch
        marks.append(Rect(left - 2, y - 2, wide + 4, strip + STRIP - y + 4, "", "accent", 2, radius=4))
    return marks


def _size(word: str, wide: float) -> float:
    letters = len(unplaced(word))
    return min(15, max(11, wide / max(1, letters) * 1.35)) if letters > 1 else min(15, wide * 1.2)


def _short(shown: Reading, step: int) -> str:
    """What a step reads; the number alone of `row 12`."""
    word = shown.words[step]
    numbered = " " in word and word.rpartition(" ")[2].isdecimal()
    return number_said(shown, step) if numbered or not shown.worded else word_said(shown, step)


def _of(quantity: str, key: str, *cell: int) -> Claim:
    """The claim of a number that the study measured."""
    return found_in(quantity, STUDY, key, *cell)


def _size_said(found: Hanging, answer: int, step: int, digits: int) -> str:
    """The size of the gradient of an answer at a step."""
    return said(numbers.significant(float(found.gradient[answer, step]), digits),
                *_of("value", "gradient", answer, step))


def _pull_said(found: Hanging, answer: int, step: int, digits: int) -> str:
    """The logit minus what it is without a step."""
    return said(numbers.signed(float(found.change[answer, step]), digits), *_of("value", "change", answer, step))


# --- all answers ----------------------------------------------------------------------------------------------------

def _all_answers(trace: Trace, shown: Reading, found: Hanging, answer: int, top: float, look: Look) -> list[Mark]:
    """Below the text: maps of answers × steps, or bars where there is one answer; and what both say together."""
    box = parts.body(look, top + 26, LEFT, RIGHT).inset(0, 0, 0, 16)
    y, bottom, left = box.top, box.bottom, box.left
    facts, chart = split(box, "right", FACTS, BETWEEN) if look.mode.charts else (box, box)
    below = len(found.gradient) > 1 and look.mode.charts and chart.width < 2 * LEAST_MAP + BETWEEN
    wide = box.width if below else chart.width  # beside small maps there is no room for the names of the facts
    marks: list[Mark] = [Line(((24, top + 2), (look.size[0] - 24, top + 2)), "hair")]
    if len(found.gradient) > 1:
        side = min(bottom - y - 30, (wide - BETWEEN) / 2)
        if below:
            side = min(side, bottom - y - 58 - FACTS_HIGH)
        wider = min((box.width - BETWEEN) / 2, bottom - y - 30 - FACTS_LOW)
        in_a_row = look.mode.charts and wider > side and bottom - (y + side + 58) < LEAST_CHART
        if in_a_row:
            side = wider
        marks += _maps(found, Focus(shown.layer.name), answer, left, y, side, look)
        used = 2 * (side + BETWEEN)
        if not look.mode.charts:
            return marks + (_agreement(found, answer, left + used, y, wide - used, look) if wide > used + 100
                            else [])
        if in_a_row:
            return marks + _facts_in_a_row(found, answer, left, y + side + 52, box.width, look)
        if below:
            return marks + _facts(found, answer, left, y + side + 58, FACTS, look)
        if found.one_way:
            marks += _by_lag(found, left, y + side + 58, wide - 40, bottom, look)
    else:
        marks += _bars(shown, found, left, y, wide, bottom - y, look)
        if not look.mode.charts:
            return marks
    return marks + _facts(found, answer, facts.left, facts.top, facts.width, look)


def _maps(found: Hanging, focus: Focus, answer: int, x: float, y: float, side: float, look: Look) -> list[Mark]:
    answers, read = found.gradient.shape
    cell = side / max(answers, read)
    cell = whole(cell, look.pixel) if cell >= 2 * look.pixel else cell
    hidden = np.triu(np.ones((answers, read), bool), 1) if found.one_way else None
    marks: list[Mark] = []
    shades = (colour.magnitude(found.gradient, found.top * 10.0 ** -DECADES, found.top),
              colour.signed(found.change, found.most))
    for index, (entries, palette, title) in enumerate(zip(
            shades, ("gradient", "activation"), (tr("by gradient"), tr("by leaving it out")), strict=True)):
        left = x + index * (side + BETWEEN)
        reach = tr(" ≤ {most}, log").format(most=_top_said(found)) if index == 0 else f", ±{_most(found)}"
        marks.append(Text(left, y + 2, plain(title if look.mode.charts else title + reach), 12, 600, "ink"))
        origin = y + 12
        marks.append(Image(left, origin, (cell, cell), entries[None], palette, border="tile-border",
                           hatched=None if hidden is None or cell < 3 else hidden[None], indices=(-1,),
                           scale=_scale(found, palette)))
        for row in range(answers):
            marks.append(Rect(left, origin + row * cell, read * cell, cell, focus=Focus(focus.layer, (row,)),
                              tip=tr("The answer after step {step}.").format(step=_answer_said(row))))
        marks.append(Rect(left - 2, origin + answer * cell - 2, read * cell + 4, cell + 4, "", "accent", 2))
        below = origin + answers * cell + 15
        marks.append(Text(left, below, plain(tr("steps read →")), 11, 400, "ink-2"))
    marks.append(Text(x - 10, y + 12 + answer * cell + cell / 2 + 4,
                      plain(tr("answer {n}").format(n=_answer_said(answer))),
                      12, 600, "accent-ink", "end"))
    if answer * cell > 40:
        marks.append(Text(x - 10, y + 24, plain(tr("answers ↓")), 11, 400, "ink-2", "end"))
    return marks


def _bars(shown: Reading, found: Hanging, x: float, y: float, wide: float, high: float, look: Look) -> list[Mark]:
    """The one answer over all steps: sizes of the gradient upwards, changes on both sides of zero below."""
    count = found.gradient.shape[1]
    pitch, a_line = _pitch(shown, found, look)
    pitch = pitch if count <= a_line else wide / count  # under their tiles, where these are in one line
    wide = pitch * count
    upper, gap = high * 0.42, 34
    base, lower = y + 12 + upper, high - upper - gap - 12
    most, least = max(0.0, float(found.change[0].max())), max(0.0, -float(found.change[0].min()))
    above, below = (max(part, NO_LESS * found.most) for part in (most, least))
    scale = lower / (above + below)
    zero = base + gap + scale * above
    ends = ((most, zero - scale * above + 8, "largest"), (-least, zero + scale * below, "smallest"))
    marks: list[Mark] = [Text(x, y + 2, plain(tr("by gradient")), 12, 600, "ink"),
                         Text(x, base + gap - 14, plain(tr("by leaving it out")), 12, 600, "ink"),
                         Line(((x, base), (x + wide, base)), "rule"), Line(((x, zero), (x + wide, zero)), "rule"),
                         Text(x - 8, y + 20, plain(_top_said(found)), 11, 400, "ink-2", "end"),
                         Text(x - 8, zero + 4, plain(tick("0", 0, -least, most)), 11, 400, "ink-2", "end"),
                         *(Text(x - 8, at, plain(said(numbers.signed(part, 1), *_of(what, "change"))), 11, 400,
                                "ink-2", "end") for part, at, what in ends if scale * abs(part) > 24)]
    for step in range(count):
        left, bar = x + step * pitch + 1, max(1.0, pitch - 3)
        size, pull = float(found.gradient[0, step]), float(found.change[0, step])
        focus = Focus(shown.layer.name, (step,))
        tall = upper * 0.94 * size / found.top
        marks.append(Rect(left, base - tall, bar, tall, "gradient-mark", focus=focus,
                          tip=tr("Step {step}: {size}").format(step=step_said(shown, step),
                                                                size=_size_said(found, 0, step, 3))))
        reach = scale * 0.94 * pull
        marks.append(Rect(left, zero - max(0.0, reach), bar, abs(reach),
                          "positive-bar" if pull > 0 else "negative-bar", focus=focus,
                          tip=tr("Step {step}: {size}").format(step=step_said(shown, step),
                                                               size=_pull_said(found, 0, step, 3))))
    return marks


def _facts(found: Hanging, answer: int, x: float, y: float, wide: float, look: Look) -> list[Mark]:
    """Whether gradient and cause agree, and the ranges of the colours."""
    marks = _agreement(found, answer, x, y, wide, look)
    marks += parts.legend(x, y + 76, wide, look, _scale(found, "gradient"), tr("Gradient, all answers, log"))
    marks += parts.legend(x, y + 134, wide, look, _scale(found, "activation"), tr("Logit minus logit without it"))
    marks.append(Text(x, y + 182, plain(tr("stands in: {neutral}").format(neutral=found.neutral)), 11, 400, "ink-2",
                      max_width=wide))
    return marks


def _facts_in_a_row(found: Hanging, answer: int, x: float, y: float, wide: float, look: Look) -> list[Mark]:
    """The same side by side."""
    each = (wide - 2 * BETWEEN) / 3
    marks = _agreement(found, answer, x, y, each, look)
    marks += parts.legend(x + each + BETWEEN, y, each, look, _scale(found, "gradient"),
                          tr("Gradient, all answers, log"))
    marks += parts.legend(x + 2 * (each + BETWEEN), y, each, look, _scale(found, "activation"),
                          tr("Logit minus logit without it"))
    marks.append(Text(x + 2 * (each + BETWEEN), y + 48, plain(tr("stands in: {neutral}").format(
        neutral=found.neutral)), 11, 400, "ink-2", max_width=each))
    return marks


def _most(found: Hanging) -> str:
    """The largest change, in words."""
    return said(numbers.number(found.most, 1 if found.most >= 1 else 2), *_of("largest size", "change"))


def _top_said(found: Hanging) -> str:
    """The largest gradient, in words."""
    return said(numbers.significant(found.top, 2), *_of("largest size", "gradient"))


def _answer_said(answer: int) -> str:
    """The number of an answer, which is that of the step after which it is given."""
    return said(str(answer + 1), *_of("number of an answer", "gradient", answer))


def _scale(found: Hanging, palette: str) -> Scale:
    """What the colours of both maps, and of the text above them, stand for."""
    if palette == "gradient":
        return Scale("gradient", tr("size of the gradient"), tr("what is read"), found.top * 10.0 ** -DECADES,
                     found.top,
                     tr("one scale for all answers"), log=True)
    return Scale("activation", tr("change of the logit"), tr("leaving a step out"), -found.most, found.most,
                 tr("one scale for all answers"))


def _agreement(found: Hanging, answer: int, x: float, y: float, wide: float, look: Look) -> list[Mark]:
    """The rank correlation of both; for a room with its words below it."""
    agreement = found.agreement(answer)
    marks: list[Mark] = [Text(x, y + 2, plain(tr("Do both agree?")), 12, 600, "ink")]
    if agreement is None:
        marks.append(Text(x, y + 24, plain(tr("too few steps to rank")), 12, 400, "ink-2", max_width=wide))
    else:
        value = said(numbers.number(agreement, 2), *_of("rank correlation", "gradient", answer))
        left, top = (x + width(value, 26, 600) + 12, y + 23) if look.mode.charts else (x, y + 54)
        over = said(str(found.known(answer)), *_of("steps known to an answer", "gradient", answer))
        marks += [Text(x, y + 36, plain(value), 26, 600, "ink", display=True),
                  Text(left, top, plain(tr("rank correlation")), 11, 400, "ink-2"),
                  Text(left, top + 14, plain(tr("over {count} steps").format(count=over)), 11, 400,
                       "ink-2")]
    return marks


def _by_lag(found: Hanging, x: float, y: float, wide: float, bottom: float, look: Look) -> list[Mark]:
    """The mean over all answers by how far back a step lies: one answer alone may be an exception."""
    lags = [float(np.mean(np.diagonal(found.gradient, -lag))) for lag in range(len(found.gradient))]
    if bottom - y < LEAST_CHART or len(lags) < 2 or not max(lags) > 0:
        return []
    top = int(np.ceil(np.log10(max(lags))))
    low = max(top - DECADES, int(np.floor(np.log10(max(min(lags), 1e-300)))))
    chart = (y + 12, bottom - 16)

    def height(value: float) -> float:
        share = (np.log10(max(value, 10.0 ** low)) - low) / (top - low)
        return float(chart[1] - share * (chart[1] - chart[0]))

    marks: list[Mark] = [Text(x, y, plain(tr("Mean of all answers, by steps back")), 12, 600,
                              "ink", max_width=wide)]
    for power in range(low, top + 1, max(1, (top - low) // 2)):
        marks += [Line(((x, height(10.0 ** power)), (x + wide, height(10.0 ** power))), "hair"),
                  Text(x + wide + 8, height(10.0 ** power) + 4, plain(tick(numbers.power_of_ten(power), 10.0 ** power,
                                                                             10.0 ** low, 10.0 ** top)), 11,
                       400, "ink-2")]
    marks.append(Line(tuple((x + wide * (1 - lag / (len(lags) - 1)), height(value)) for lag, value in enumerate(lags)),
                      "gradient-mark", 1.5))
    marks += [Text(x, chart[1] + 14, plain(tr("{count} steps back").format(
        count=said(str(len(lags) - 1), *_of("last index of axis", "gradient", 0)))), 11, 400, "ink-2"),
              Text(x + wide, chart[1] + 14, plain(tick("0", 0, 0, len(lags) - 1)), 11, 400, "ink-2", "end")]
    return marks


# --- words ----------------------------------------------------------------------------------------------------------

def _sentence(trace: Trace, shown: Reading, found: Hanging, answer: int) -> str:
    known = found.known(answer)
    by_gradient = int(np.argmax(found.gradient[answer, :known]))
    by_change = int(np.argmax(np.abs(found.change[answer, :known])))
    what = _quoted(_choice_said(trace, found, answer))
    if foretells(trace):
        what = tr("{what}, expected after step {step},").format(what=what, step=_answer_said(answer))
    elif len(found.gradient) > 1:
        what = tr("{what}, the answer after step {step},").format(what=what, step=_answer_said(answer))
    if not found.gradient[answer, :known].any():
        return tr("{what} does not depend on any step.").format(what=what)
    pull = float(found.change[answer, by_change])
    if by_change == by_gradient:
        words = tr("{what} is pulled hardest by {read}; leaving that out, too, lowers its logit most, by {{{size}}}.") \
            if pull > 0 else \
            tr("{what} is pulled hardest by {read}; leaving that out, too, raises its logit most, by {{{size}}}.")
    else:
        lowers = tr("{what} is pulled hardest by {read}, but leaving out {other} lowers its logit most, by {{{size}}}.")
        raises = tr("{what} is pulled hardest by {read}, but leaving out {other} raises its logit most, by {{{size}}}.")
        words = lowers if pull > 0 else raises
    return words.format(what=what, read=_named(shown, by_gradient), other=_named(shown, by_change),
                        size=said(numbers.number(abs(pull), 2), *_of("largest size", "change", answer, by_change)))


def _named(shown: Reading, step: int) -> str:
    if not shown.worded:
        return tr("step {step}").format(step=step_said(shown, step))
    if shown.words[step].startswith("row "):
        return tr("{row} of the picture").format(row=word_said(shown, step))
    return tr("{word} at step {step}").format(word=_quoted(word_said(shown, step)), step=step_said(shown, step))


def _choice_said(trace: Trace, found: Hanging, answer: int) -> str:
    """The class that is likeliest at an answer."""
    return said(label(trace, int(found.choice[answer])), *_of("label chosen", "choice", answer))


def _quoted(word: str) -> str:
    """In quotes, with nothing in it read as markup."""
    return in_quotes("".join(f"\\{letter}" if letter in "\\`{}_*" else letter for letter in word))


def _table(trace: Trace, shown: Reading, found: Hanging, answer: int) -> Table:
    """One row a step, for the answer shown."""
    known = found.known(answer)
    rows = tuple((step + 1, shown.words[step], float(found.gradient[answer, step]), float(found.change[answer, step]))
                 for step in range(known))
    what = tr("∂ logit of {answer}").format(answer=_choice_said(trace, found, answer))
    return Table((tr("step"), tr("reads"), f"∥{what} / ∂ x∥",
                  tr("logit minus logit without it ({neutral} instead)").format(neutral=found.neutral)), rows)


def _not_measured(trace: Trace, shown: Reading, moment: Moment, place: steps.Span, look: Look) -> Picture:
    """Until the study is there: what it will be, and nothing else."""
    known = trace.studies.get(STUDY)
    never = tr("This cannot be measured for this network or for an input of this length.")
    not_yet = tr("Not measured yet: this takes a backward pass for every answer, and a forward pass without every "
                 "step.")
    sentence = never if known is not None else not_yet
    room = parts.body(look, _top(look), LEFT, RIGHT).inset(0, 0, 0, 20)
    marks = [*parts.sentence(look, sentence),
             Rect(room.left, room.top, room.width, room.height, "hatch", "tile-border", 1, inside=True)]
    still, moving = steps.lane(trace, shown, moment, look, place)
    return Picture(look.size, tuple(still), (*marks, *moving), look.theme, caption=sentence)


VIEW = View(
    "connectivity", english("Connectivity"),
            english("What an answer hangs on: by gradient, and by leaving each step out."),
    suits=lambda trace: bool(layers(trace)) and chooses(trace), draw=draw,
    telling=read_to_the_end, order=17, studies=(STUDY,),
    group=STEPS, tries=english("Go to another step and see which of the steps before it the answer hangs on."),
)
