"""A caption: where the network looks before each word, the state that makes it, and what it chooses among; beside it
what the words are worth on another picture."""

from __future__ import annotations

import math
from fractions import Fraction

from visualizer import answers
from visualizer.kinds.gaze import Gaze, gaze
from visualizer.language import english, tr
from visualizer.said import said
from visualizer.scene import numbers, parts
from visualizer.scene.picture import Focus, Line, Look, Picture, Table, literal, unmarked
from visualizer.scene.reading import entropy
from visualizer.scene.telling import answered
from visualizer.scene.timeline import PASSED, REST, Moment, Pace, Timeline, own_pace
from visualizer.trace import Trace, remembered
from visualizer.views import WHOLE, View
from visualizer.views.caption._columns import columns
from visualizer.views.caption._control import STUDY, chances_elsewhere, chosen, control, without
from visualizer.views.caption._lanes import lanes, sizes_of
from visualizer.views.caption._page import page
from visualizer.views.caption._picture import maps, picture
from visualizer.views.caption._plan import plan
from visualizer.views.caption._so_far import SoFar, chain_of_maps

OTHERS = 11


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """The picture and its words, as far as they have come at the moment."""
    seen = gaze(trace)
    assert seen is not None
    so = SoFar(trace, seen, moment)
    place = None if focus is None else seen.place_of(focus.layer, focus.cell)
    word, other = so.chosen(focus), chosen(trace, look.knob("control", "1"))
    where = plan(trace, seen, look, max(0, word))
    told = _sentence(so, word, place, other)
    names, marks = columns(so, where, look, word)
    middle = (where.picture.right + 14 + where.x - 88) / 2
    still = [*names, *([Line(((middle, where.chip.top), (middle, where.bars.bottom)), "hair")]
                       if look.mode.notes else [])]
    moving = [*parts.sentence(look, told), *picture(so, where, look, word, place), *maps(so, where, look), *marks,
              *lanes(so, where, look, other)]
    return Picture(look.size, tuple(still), tuple(moving), look.theme, caption=unmarked(told),
                   table=_table(trace, seen, other))


# --- words ------------------------------------------------------------------------------------------------------------

def _sentence(so: SoFar, word: int, place: int | None, other: int | None) -> str:
    seen = so.seen
    if so.backward:
        return _sent_back(so, word)
    if word < 0:
        return tr("First the picture becomes {places} places of {numbers} numbers each; then the network says, word by "
                  "word, what is on it.").format(
            places=said(str(seen.shares.shape[1]), "how many places", seen.maps.name),
            numbers=said(str(seen.maps.shape[0]), "length of axis", seen.maps.name, (0,)))
    made = seen.words[word]
    number = said(str(word + 1), "number of a word", seen.answer.layer, step=word)
    if so.come(made.looks) < 1:
        return tr("For word {number} the state of the network is compared with each of the {places} places.").format(
            number=number, places=said(str(seen.shares.shape[1]), "how many places", seen.maps.name))
    if so.dropped(word) < 1:
        return tr("For word {number} the network looks most at {place}: {{{share}}} of its attention.").format(
            number=number, place=_place(seen, int(seen.shares[word].argmax())), share=_share(seen, word))
    if place is not None and (lost := without(so.trace)) is not None:
        return tr("Word {number} is {word}, {chance}; with nothing seen at {place} it gets {{{without}}}.").format(
            number=number, word=_name(seen, word), chance=_chance(seen, word), place=_place(seen, place),
            without=said(numbers.percent(float(lost[place, word]), 1), "chance without a place", seen.answer.layer,
                         (place,), word))
    if so.trace.places[so.moment.beat.layer] > so.trace.places[seen.words[-1].ends] and word == len(seen.words) - 1:
        return answers.sentence(so.trace, seen.answer)
    words = tr("Word {number} is {{{word}}}, {chance}: the network looks most at {place}, {share}.").format(
        number=number, word=_name(seen, word), chance=_chance(seen, word), place=_place(
            seen, int(seen.shares[word].argmax())), share=_share(seen, word))
    elsewhere = chances_elsewhere(so.trace, other)
    if elsewhere is None or other is None:
        return words
    return tr("{words} On another picture the same word gets {elsewhere}.").format(words=words, elsewhere=said(
        numbers.percent(float(elsewhere[word]), 1), "chance elsewhere", seen.answer.layer, (other,), word))


def _sent_back(so: SoFar, word: int) -> str:
    seen = so.seen
    if so.back(seen.picture.name) > 0:
        return tr("On the way back: the stronger the colour of a pixel, the more a change of it would change what is "
                  "asked about.")
    if so.trace.places[so.moment.beat.layer] < so.trace.places[seen.words[0].asks]:
        return tr("On the way back: what all words hand back to the places adds up, and goes on through the maps.")
    size = sizes_of(so.trace, seen)[word] if 0 <= word < len(seen.words) else 0.0
    number = said(str(word + 1), "number of a word", seen.answer.layer, step=word)
    if so.back(seen.words[word].mixes) < 1:
        return tr("On the way back at word {number}: from its scores to the state, and from there to what was seen."
                  ).format(number=number)
    of = seen.words[word].mixes
    words = tr("On the way back at word {number}: ∥∂L/∂_context_∥ is {{{size}}}; the attention shares it out to the "
               "places.")
    return words.format(number=number, size=said(numbers.significant(size, 3), "norm of gradient", of, seen.row(word)))


def _name(seen: Gaze, word: int) -> str:
    return literal(said(seen.text(seen.best[word]), "symbol of the answer", seen.answer.layer, (seen.best[word],)))


def _chance(seen: Gaze, word: int) -> str:
    best = seen.best[word]
    return said(numbers.percent(float(seen.chances[word, best]), 0), "chance", seen.answer.layer, (best,),
                word)


def _share(seen: Gaze, word: int) -> str:
    place = int(seen.shares[word].argmax())
    return said(numbers.percent(float(seen.shares[word, place]), 0), "share of a place", seen.words[word].looks,
                (place,), word)


def _place(seen: Gaze, place: int) -> str:
    """`row 5, column 4`, counted from 1."""
    row, column = divmod(place, seen.grid[1])
    return tr("row {row}, column {column}").format(
        row=said(str(row + 1), "row of a place", seen.maps.name, (0, row)),
        column=said(str(column + 1), "column of a place", seen.maps.name, (0, row, column)))


@remembered(4)
def _table(trace: Trace, seen: Gaze, other: int | None) -> Table:
    """One row a word."""
    elsewhere = chances_elsewhere(trace, other)
    found = control(trace)
    rows = []
    for word, best in enumerate(seen.best):
        row, column = divmod(int(seen.shares[word].argmax()), seen.grid[1])
        rows.append((word + 1, seen.text(best), float(seen.chances[word, best]), row + 1, column + 1,
                     float(seen.shares[word].max()), entropy(seen.shares[word]),
                     math.nan if elsewhere is None or found is None else float(elsewhere[word])))
    return Table((tr("word"), tr("says"), tr("probability"), tr("row"), tr("column"), tr("share"), tr("entropy"),
                  tr("on another picture")), tuple(rows))


# --- time -------------------------------------------------------------------------------------------------------------

SLOW = Fraction(4, 5)


def pace(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Pace:
    """Of the many layers of a word only those take time of which something is seen."""
    seen = gaze(trace)
    name = moment.beat.layer
    if seen is None:
        return own_pace(moment.beat)
    if name in _scores(trace, seen) and not moment.backward:
        return Pace(SLOW, REST, stops=(0.6,))
    return own_pace(moment.beat) if name in _shown(trace, seen) else PASSED


@remembered(4)
def _scores(trace: Trace, seen: Gaze) -> frozenset[str]:
    return frozenset(word.scores for word in seen.words)


@remembered(4)
def _shown(trace: Trace, seen: Gaze) -> frozenset[str]:
    """The layers at whose beats something new is drawn."""
    found = {seen.picture.name, seen.maps.name, seen.answer.layer, trace.layers[-1].name,
             *(layer.name for layer in chain_of_maps(trace, seen, 99))}
    for word in seen.words:
        found |= {word.looks, word.mixes, word.state, word.scores}
    return frozenset(found)


def _telling(trace: Trace, times: Timeline) -> str:
    """The last word but the end has been said."""
    seen = gaze(trace)
    word = None if seen is None else seen.words[max(0, len(seen.words) - 2)]
    found = None if word is None else times.of(word.scores, "forward")
    return found.address if found is not None else answered(trace, times)


VIEW = View(
    "caption", english("Caption"), english("Where a network looks at each word that it says of a picture."),
    suits=lambda trace: gaze(trace) is not None, draw=draw, telling=_telling, pace=pace, page=page, order=5,
    group=WHOLE, knobs=(("control", tuple(map(str, range(1, OTHERS + 1)))),), studies=(STUDY,),
    tries=english("Click a place of the picture, and see what the word is worth when nothing is seen there."),
)
