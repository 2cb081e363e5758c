"""A translation: what is read, the states that read it from both sides, the ribbons by which each step takes from them,
and what is written, symbol by symbol; below it what a wider search would have kept."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from visualizer import kinds
from visualizer.answers import SAID, label
from visualizer.language import english, tr
from visualizer.said import said
from visualizer.scene import numbers, parts, ribbons
from visualizer.scene.picture import Focus, Look, Picture, Table, literal, unmarked
from visualizer.scene.telling import answered
from visualizer.scene.timeline import PASSED, REST, Moment, Pace, Timeline, own_pace
from visualizer.trace import Trace
from visualizer.views import WHOLE, View
from visualizer.views.translate._beam import KNOB, WIDTHS, beam, kept
from visualizer.views.translate._lanes import arrived, lanes
from visualizer.views.translate._page import opened, page
from visualizer.views.translate._plan import plan
from visualizer.views.translate._rows import highlight, rows
from visualizer.views.translate._speech import SoFar, at_symbols, encodes, is_shown, speech

ENCODES, STEP = Fraction(1, 4), Fraction(2, 5)
"""Seconds of one place of the encoder, and of what is seen of a step: ribbons, context, state, symbol."""


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """All rows as far as they have come at the moment."""
    found = speech(trace)
    assert found is not None
    so = SoFar(found, moment)
    step = opened(so, focus)
    where = plan(found, look, kept(look) if "beam" in trace.studies else 0)
    told = _sentence(so, step)
    moving = [*parts.sentence(look, told), *highlight(so, where, step), *rows(so, where, look, step),
              *beam(so, where, look), *lanes(so, where, look)]
    return Picture(look.size, (), tuple(moving), look.theme, caption=unmarked(told), table=_table(so))


def pace(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Pace:
    """Of the many layers of a step only those take time of which something is seen."""
    name = moment.beat.layer
    if not is_shown(trace, name):
        return PASSED
    if encodes(trace, name):
        return Pace(ENCODES, Fraction(0))
    return own_pace(moment.beat) if moment.backward else Pace(STEP, REST / 4)


# --- words ----------------------------------------------------------------------------------------------------------

def _sentence(so: SoFar, step: int) -> str:
    found = so.speech
    if so.backward:
        return _sent_back(so)
    if step < 0:
        return tr("First {count} symbols are read, forwards and backwards; nothing is said yet.").format(
            count=said(str(len(found.read)), "how many steps", found.ways[0].layer.name)) if len(found.ways) > 1 else \
            tr("First {count} symbols are read; nothing is said yet.").format(
                count=said(str(len(found.read)), "how many steps", found.ways[0].layer.name))
    number = said(str(step + 1), "number of a word", found.answer.layer, step=step)
    if so.said(step) < 1:
        if so.shares(step) <= 0:
            return tr("Step {step}: {reads}").format(step=number, reads=_hears(so, step))
        return tr("Step {step} looks: {look}.").format(step=number, look=_looks(so, step))
    best = found.best[step]
    word = literal(said(found.word(best), "symbol of the answer", found.answer.layer, (best,)))
    chance = said(numbers.percent(float(found.chances[step, best]), 0), "chance", found.answer.layer, (best,), step)
    told = tr("Step {step} writes {{{word}}} with {chance}").format(step=number, word=word, chance=chance)
    if found.attention is not None:
        told = tr("{words}: {look}").format(words=told, look=_looks(so, step))
    right = found.right
    if right is not None and (step >= len(right) or right[step] != best) and step < len(right):
        return tr("{words}; right would be {right}.").format(words=told, right=literal(said(
            found.word(right[step]), "symbol of the answer", found.answer.layer, (right[step],))))
    return f"{told}."


def _hears(so: SoFar, step: int) -> str:
    """What is read at a step before anything is looked at."""
    found = so.speech
    if not step:
        return tr("nothing has been said before.")
    right = found.told and found.right is not None and step <= len(found.right)
    index = found.right[step - 1] if right and found.right is not None else found.best[step - 1]
    words = tr("it is told that {word} came before, which is right.") if right else \
        tr("it reads {word}, which it said itself.")
    return words.format(word=literal(said(found.word(index), "symbol of the answer", found.answer.layer, (index,))))


def _looks(so: SoFar, step: int) -> str:
    """At which places, the strongest two of them."""
    attention, read = so.speech.attention, so.speech.read
    assert attention is not None
    shares = attention.weights[0, step]
    first, *others = [int(place) for place in np.argsort(-shares, kind="stable")[:2]]

    def named(place: int) -> tuple[str, str]:
        return literal(said(read[place], "word read", so.speech.ways[0].layer.name, step=place)), said(
            numbers.percent(float(shares[place]), 0), "value", attention.rows[step].layer,
            attention.cell(so.speech.trace, 0, step, place))

    word, share = named(first)
    if not others or shares[others[0]] < 4 * ribbons.FEWEST:
        return tr("{share} of its attention lies on “{word}”").format(word=word, share=share)
    other, less = named(others[0])
    return tr("its attention is split, “{word}” {share} and “{other}” {less}").format(
        word=word, share=share, other=other, less=less)


def _sent_back(so: SoFar) -> str:
    found = so.speech
    symbols = at_symbols(found)
    asked = _asked(so)
    if symbols is None or not symbols[1].max(initial=0) > 0:
        return tr("On the way back: nothing comes back to what was read.")
    layer, sizes = symbols
    place = int(sizes.argmax())
    if not arrived(so, layer):
        words = tr("On the way back from {asked}: each step hands its gradient to the places by the shares it took.") \
            if found.attention is not None else \
            tr("On the way back from {asked}: all of it goes through the last states, for nothing else was handed on.")
        return words.format(asked=asked)
    return tr("On the way back from {asked}: most of it comes to “{word}”, {{{size}}}.").format(
        asked=asked, word=literal(said(found.read[place], "word read", found.ways[0].layer.name, step=place)),
        size=said(numbers.significant(float(sizes[place]), 2), "norm of gradient of a symbol", layer.name, (place,)))


def _asked(so: SoFar) -> str:
    trace = so.speech.trace
    asked, wish = trace.objective, SAID.fullmatch(trace.objective.kind)
    if kinds.role(trace.layers[-1]) == "loss":
        return tr("the loss of all that is said")
    step = -1 if wish is None else int(wish[1])
    if wish is not None and asked.target is not None and step < so.speech.count:
        return tr("“{word}”, symbol {number}").format(
            word=literal(said(so.speech.word(asked.target), "symbol of the answer", so.speech.answer.layer,
                              (asked.target,))),
            number=said(str(step + 1), "number of a word", so.speech.answer.layer, step=step))
    return tr("what was chosen")


def _table(so: SoFar) -> Table:
    """One row a step: what is said, how sure, what is right, where it looked most."""
    found, attention = so.speech, so.speech.attention
    rows_ = []
    for step in range(found.count):
        right = found.right[step] if found.right is not None and step < len(found.right) else -1
        place = -1 if attention is None else int(attention.weights[0, step].argmax())
        rows_.append((step + 1, found.word(found.best[step]), float(found.chances[step].max()),
                      label(found.answer, right) if right >= 0 else "", found.read[place] if place >= 0 else "",
                      float(attention.weights[0, step].max()) if attention is not None else float("nan")))
    return Table((tr("step"), tr("writes"), tr("probability"), tr("wanted"), tr("looks at"), tr("share")), tuple(rows_))


def _telling(trace: Trace, times: Timeline) -> str:
    """All has been said."""
    return answered(trace, times)


VIEW = View(
    "translate", english("Translate"),
    english("What is read and what is said: states, attention, context, and each symbol with its probability."),
    suits=lambda trace: speech(trace) is not None, draw=draw, telling=_telling, pace=pace, page=page, order=5,
    group=WHOLE, knobs=((KNOB, WIDTHS),), studies=("beam",),
    tries=english("Let the network be told the right symbols (Shift+T), and see which of its errors go away."),
)
