"""The rows of a translation: symbols that are read, the states that read them, ribbons, contexts, states, symbols."""

from __future__ import annotations

import numpy as np

from visualizer.language import counted_as, tr
from visualizer.said import said
from visualizer.scene import colour, numbers, ribbons
from visualizer.scene.boxes import Box, whole
from visualizer.scene.picture import (
    Focus,
    Group,
    Image,
    Line,
    Look,
    Mark,
    Rect,
    Scale,
    Text,
    grouped,
    plain,
)
from visualizer.scene.timeline import ease
from visualizer.scene.type import width
from visualizer.views.translate._plan import Plan, fitted
from visualizer.views.translate._speech import SoFar, Values

FULL = 30.0
"""Pixels: a ribbon of a share of 1."""


def rows(so: SoFar, plan: Plan, look: Look, step: int) -> list[Mark]:
    """All of them, as far as they have come; `step` is the one that is opened, −1 for none."""
    speech = so.speech
    marks = grouped(Group(tr("reads")), _reads(so, plan, look, step))
    for number, box in enumerate(plan.ways):
        marks += grouped(Group(speech.ways[number].layer.name, Focus(speech.ways[number].layer.name)),
                         _way(so, plan, box, number, look))
    marks += grouped(Group(tr("attention")), _ribbons(so, plan, look, step))
    if speech.attention is not None:
        marks += grouped(Group(tr("context")), _contexts(so, plan, look))
    marks += grouped(Group(tr("state")), _states(so, plan, look))
    return marks + grouped(Group(tr("writes")), _writes(so, plan, look, step))


def _named(plan: Plan, box: Box, title: str, below: str = "", look: Look | None = None) -> list[Mark]:
    middle = (box.top + box.bottom) / 2
    marks: list[Mark] = [Text(plan.x - 12, middle + (-1 if below else 4.5), plain(title), 13, 600, "ink", "end",
                              max_width=plan.x - 16)]
    if below and look is not None and look.mode.notes:
        marks.append(Text(plan.x - 12, middle + 14, plain(below), 11, 400, "ink-2", "end", max_width=plan.x - 16))
    return marks


def chip(plan: Plan, column: int, box: Box, word: str, claimed: str, mono: bool, fill: str, ink: str, stroke: str = "",
         focus: Focus | None = None, opacity: float = 1.0, dashed: bool = False) -> list[Mark]:
    """A symbol in its column; `dashed` where it is not the right one."""
    x = plan.edge(column)
    size = fitted(word, plan.wide - 4, mono)
    return [Rect(x, box.top, plan.wide, box.height, fill, stroke, 1.5, True, radius=min(6, plan.wide / 4),
                 dashed=dashed, focus=focus, opacity=opacity),
            Text(x + plan.wide / 2, (box.top + box.bottom) / 2 + size * 0.36, plain(claimed), size, 600, ink, "middle",
                 max_width=plan.wide, mono=mono, opacity=opacity)]


def _reads(so: SoFar, plan: Plan, look: Look, step: int) -> list[Mark]:
    speech = so.speech
    way, mono = speech.ways[0], max(map(len, speech.read)) == 1
    count = said(str(len(speech.read)), "how many steps", way.layer.name)
    marks = _named(plan, plan.symbols, tr("reads"), counted_as(
        len(speech.read), tr("{count} symbol"), tr("{count} symbols")).format(count=count), look)
    strong = _strongest(so, step)
    for place, word in enumerate(speech.read):
        lit = place == strong
        marks += chip(plan, place, plan.symbols, word, said(word, "word read", way.layer.name, step=place), mono,
                      ("gradient-mark" if so.backward else "accent-fill") if lit else "sunk",
                      "on-accent" if lit else "ink", focus=Focus(way.layer.name, (place,)))
    return marks


def _strongest(so: SoFar, step: int) -> int:
    """The place that is looked at most; −1 where nothing is looked at."""
    attention = so.speech.attention
    if attention is None or step < 0 or so.shares(step) <= 0:
        return -1
    return int(np.argmax(attention.weights[0, step]))


def _column(plan: Plan, column: int, box: Box, values: Values, top: float, come: float, focus: Focus, look: Look,
            scale: Scale | None = None) -> list[Mark]:
    """A state as a column of cells; as far as it has not come it is hatched."""
    x, units = plan.edge(column), len(values)
    high = whole(box.height / units, look.pixel) or box.height / units
    tall = high * units
    marks: list[Mark] = []
    if come < 1:
        marks.append(Rect(x, box.top, plan.wide, tall, "hatch"))
    if come > 0:
        entries = colour.signed(values, top).reshape(1, -1, 1)
        marks.append(Image(x, box.top, (plan.wide, high), np.ascontiguousarray(entries), "activation", border="",
                           rows_shown=ease(min(1.0, come)), focus=None, scale=scale))
        marks.append(Rect(x, box.top, plan.wide, tall, "stage", opacity=0.0, focus=focus))
    return marks


def _way(so: SoFar, plan: Plan, box: Box, number: int, look: Look) -> list[Mark]:
    way = so.speech.ways[number]
    title = tr("forwards") if not way.reverse else tr("backwards")
    marks = _named(plan, box, title if len(so.speech.ways) > 1 else tr("states"), numbers.units(
        way.units, said(str(way.units), "how many units", way.layer.name, array="inner.hidden")), look)
    top = 1.0 if way.squashed else colour.largest(way.states) or 1.0
    scale = Scale("activation", tr("state"), way.layer.name, -top, top)
    for place in range(way.steps):
        marks += _column(plan, place, box, way.states[place], top, so.way(way, place),
                         Focus(way.layer.name, (place,)), look, scale)
    gap = plan.pitch - plan.wide
    if gap >= 5:
        y = (box.top + box.bottom) / 2
        for place in range(way.steps - 1):
            x = plan.edge(place) + plan.wide
            reached = so.way(way, place if way.reverse else place + 1) > 0
            if reached:
                marks += _arrow(x + 1, x + gap - 1, y, way.reverse)
    return marks


def _arrow(left: float, right: float, y: float, back: bool) -> list[Mark]:
    tip, tail = (left, right) if back else (right, left)
    wing = 3.0 if back else -3.0
    return [Line(((tail, y), (tip, y)), "ink-2", 1.25),
            Line(((tip + wing, y - 3), (tip, y), (tip + wing, y + 3)), "ink-2", 1.25)]


def _ribbons(so: SoFar, plan: Plan, look: Look, step: int) -> list[Mark]:
    """Those of the step that is opened, in full; those before it pale."""
    speech, box, attention = so.speech, plan.ribbons, so.speech.attention
    if attention is None:
        return _handed_on(so, plan, look)
    marks = _named(plan, box, tr("attention"), tr("width = share"), look)
    full = min(FULL, plan.wide * 0.62)
    xs = [plan.middle(place) for place in range(attention.places)]
    order = [each for each in range(speech.count) if each != step] + ([step] if step >= 0 else [])
    for each in order:
        shares = attention.weights[0, each].tolist()
        back = so.shares_back(each)
        come = ease(so.shares(each)) if not so.backward else 1.0
        if come <= 0:
            continue
        foci = [Focus(attention.rows[each].layer, attention.cell(so.speech.trace, 0, each, place))
                for place in range(attention.places)]
        lit = each == step
        marks += ribbons.ribbons(shares, xs, plan.middle(each), box.top, box.bottom, full, come,
                                 "accent" if lit and not so.backward else "rule", foci, 0.9 if lit else 0.55)
        if so.backward and back > 0:
            marks += ribbons.ribbons(shares, xs, plan.middle(each), box.top, box.bottom, full, ease(back),
                                     "gradient-mark", foci, 0.9 if lit else 0.35, back=True)
    if step >= 0 and so.shares(step) >= 1:
        marks += _share_words(so, plan, look, step, xs)
    return marks


def _share_words(so: SoFar, plan: Plan, look: Look, step: int, xs: list[float]) -> list[Mark]:
    """The shares of the step that is opened, where there is room beside their ribbons; and what has no ribbon."""
    attention = so.speech.attention
    assert attention is not None
    shares = attention.weights[0, step]
    layer = attention.rows[step].layer
    taken: list[tuple[float, float]] = []
    marks: list[Mark] = []
    for place in np.argsort(-shares)[:3].tolist():
        if shares[place] < ribbons.FEWEST:
            continue
        words = said(numbers.percent(float(shares[place]), 0), "value", layer,
                     attention.cell(so.speech.trace, 0, step, place))
        wide = width(words, 12, 600) + 8
        x = xs[place] + min(FULL, plan.wide * 0.62) * float(shares[place]) / 2 + 4
        x = x if x + wide < look.size[0] - 4 else xs[place] - wide - 16
        if any(x < end and x + wide > start for start, end in taken):
            continue
        taken.append((x, x + wide))
        marks += [Rect(x - 2, plan.ribbons.top + 3, wide - 3, 17, "stage", radius=3, opacity=0.85),
                  Text(x, plan.ribbons.top + 16, plain(words), 12, 600,
                       "gradient-text" if so.backward else "accent-ink")]
    few, rest = ribbons.unseen(shares.tolist())
    if few and look.mode.notes and look.size[0] - plan.end >= 60:
        known = {"count": said(str(few), "places without a ribbon", layer, (step, 0)),
                 "share": said(numbers.percent(rest, 0), "what they have together", layer, (step, 0))}
        middle = (plan.ribbons.top + plan.ribbons.bottom) / 2
        others = numbers.others(few, known["count"])
        marks += [Text(plan.end + 6, middle - 2, plain(others), 11, 400, "ink-2"),
                  Text(plan.end + 6, middle + 12, plain(tr("together {share}").format(**known)), 11, 400, "ink-2")]
    return marks


def _handed_on(so: SoFar, plan: Plan, look: Look) -> list[Mark]:
    """Without attention: what the encoder ended with is all that the decoder is given."""
    speech, box = so.speech, plan.ribbons
    marks = _named(plan, box, tr("handed on"), tr("the last states"), look)
    if not speech.handed_on:
        return marks
    ink = "gradient-mark" if so.backward else "accent"
    target = plan.middle(0)
    for number, way in enumerate(speech.ways):
        last = 0 if way.reverse else way.steps - 1
        come = so.way(way, last) if not so.backward else 1.0
        if come >= 1:
            x = plan.middle(last) if len(speech.ways) == 1 or last else plan.middle(last) - 6
            marks += ribbons.ribbons([1.0], [x], target + 9 * (number - 0.5), box.top, box.bottom, 7.0, 1.0, ink)
    return marks


def _contexts(so: SoFar, plan: Plan, look: Look) -> list[Mark]:
    speech, attention = so.speech, so.speech.attention
    assert attention is not None
    first = next((context for context in attention.contexts if context is not None), None)
    below = "" if first is None else tr("{count} numbers").format(count=said(
        str(first.shape[-1]), "numbers added up", attention.rows[0].context))
    marks = _named(plan, plan.context, tr("context"), below, look)
    found = [context for context in attention.contexts if context is not None]
    top = colour.largest(*found) or 1.0
    for step in range(speech.count):
        context = attention.contexts[step]
        if context is None:
            continue
        row = attention.rows[step]
        scale = Scale("activation", "values", row.context, -top, top)
        focus = Focus(row.context, (row.index,)) if so.speech.trace[row.context].output.ndim == 2 else \
            Focus(row.context)
        values: Values = np.asarray(context, np.float64).ravel()
        marks += _column(plan, step, plan.context, values, top, so.context(step), focus, look, scale)
    return marks


def _states(so: SoFar, plan: Plan, look: Look) -> list[Mark]:
    speech = so.speech
    first = speech.states[0]
    units = len(speech.state(0))
    marks = _named(plan, plan.state, tr("state"), numbers.units(units, said(
        str(units), "numbers added up", first.layer)), look)
    top = speech.largest_state if speech.largest_state > 1 else 1.0
    gap, y = plan.pitch - plan.wide, (plan.state.top + plan.state.bottom) / 2
    for step in range(speech.count):
        place = speech.states[step]
        scale = Scale("activation", tr("state"), place.layer, -top, top)
        marks += _column(plan, step, plan.state, speech.state(step), top, so.state(step),
                         Focus(place.layer, (place.row,)), look, scale)
        if step and gap >= 5 and so.state(step) > 0:
            marks += _arrow(plan.edge(step) - gap + 1, plan.edge(step) - 1, y, False)
        if so.backward and so.known(place) > 0:
            marks.append(Rect(plan.edge(step) - 2, plan.state.top - 2, plan.wide + 4, plan.state.height + 4, "",
                              "gradient-mark", 1.5, radius=3))
    return marks


def _writes(so: SoFar, plan: Plan, look: Look, step: int) -> list[Mark]:
    speech, box = so.speech, plan.writes
    below = tr("told the right ones") if speech.told else tr("then reads its own")
    marks = _named(plan, box, tr("writes"), below, look)
    mono = False
    for each in range(speech.count):
        come = so.said(each)
        x = plan.edge(each)
        if come < 1:
            marks.append(Rect(x, box.top, plan.wide, box.height, "hatch", radius=min(6, plan.wide / 4)))
            if come <= 0:
                continue
        best, lit = speech.best[each], each == step
        wrong = speech.right is not None and (each >= len(speech.right) or speech.right[each] != best)
        back = so.backward and so.known(speech.scores[each]) > 0
        word = speech.word(best)
        fill = ("gradient-mark" if so.backward else "accent-fill") if lit else "sunk"
        marks += chip(plan, each, box, word, said(word, "symbol of the answer", speech.answer.layer, (best,)), mono,
                      fill, "on-accent" if lit else "ink", "ink" if wrong else "gradient-mark" if back else "",
                      Focus(speech.answer.layer, (each, best)), ease(come), wrong)
        if come >= 1:
            marks += _chance(so, plan, each, best)
    return marks


def _chance(so: SoFar, plan: Plan, step: int, best: int) -> list[Mark]:
    """How sure it was of its symbol, and whether that was right."""
    speech, y, x = so.speech, plan.writes.bottom + 8, plan.edge(step)
    chance = float(speech.chances[step, best])
    words = said(numbers.percent(chance, 0), "chance", speech.answer.layer, (best,), step)
    room = plan.wide - width(words, 11, 500) - 6
    if room >= 14:
        return [Rect(x, y, room, 5, "sunk", radius=2.5), Rect(x, y, room * chance, 5, "ink", radius=2.5),
                Text(x + plan.wide, y + 6, plain(words), 11, 500, "ink-2", "end")]
    if plan.wide >= 32:
        return [Text(x + plan.wide / 2, y + 6, plain(words), 11, 500, "ink-2", "middle")]
    return [Rect(x, y - 5, plan.wide, 3, "sunk"), Rect(x, y - 5, plan.wide * chance, 3, "ink")]


def highlight(so: SoFar, plan: Plan, step: int) -> list[Mark]:
    """A tint behind the column of the step that is opened."""
    if step < 0:
        return []
    top = plan.context.top if so.speech.attention is not None else plan.state.top
    return [Rect(plan.edge(step) - 5, top - 5, plan.wide + 10, plan.writes.bottom + 18 - top + 5, "tint", radius=8)]


