"""A column for each word: the word, where it looked, the state after it, how widely it looked, what it chose among."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from visualizer.kinds.gaze import Gaze
from visualizer.language import tr
from visualizer.said import said
from visualizer.scene import colour, numbers, parts
from visualizer.scene.picture import (
    Focus,
    Group,
    Image,
    Line,
    Look,
    Mark,
    Rect,
    Scale,
    Stop,
    Text,
    grouped,
    plain,
)
from visualizer.scene.reading import entropy
from visualizer.scene.timeline import ease, timeline
from visualizer.scene.type import width
from visualizer.trace import Trace, remembered
from visualizer.views.caption._plan import TOLD, Plan
from visualizer.views.caption._so_far import SoFar, gradient, state

PALE = 1.8
"""The strongest colour stands for so many times the largest share, so that ink can be told from it."""
TOLD_SHARE = 0.04
"""A share of the attention from which on it is printed, and drawn as a line."""
INKED = 0.2
"""Of the range of a picture: what is darker is drawn over the heat."""


def columns(so: SoFar, plan: Plan, look: Look, word: int) -> tuple[list[Mark], list[Mark]]:
    """(still, moving): the names of the rows; the columns as far as they have come."""
    return _names(so, plan, look), [mark for each in plan.shown for mark in _column(so, plan, look, each, each == word)]


def _names(so: SoFar, plan: Plan, look: Look) -> list[Mark]:
    trace, seen, x = so.trace, so.seen, plan.x - 12
    scale = tr("{zero} to largest").format(zero=said("0", "zero"))
    named = [(plan.chip, tr("says"), ""), (plan.looks, tr("looks"), scale)]
    if plan.state.high:
        width = trace[seen.words[0].state].inner["hidden"].shape[-1]
        units = said(str(width), "length of axis", seen.words[0].state, (1,), array="inner.hidden")
        named.append((plan.state, tr("state"), numbers.units(width, units)))
    if plan.wide.high:
        named.append((plan.wide, tr("how widely"), tr("entropy")))
    marks: list[Mark] = []
    for row, name, below in named:
        y = row.top + row.high / 2 + (0 if below and look.mode.notes else 4)
        marks.append(Text(x, y, plain(name), 13, 600, "ink", "end"))
        if below and look.mode.notes:
            marks.append(Text(x, y + 15, plain(below), 11, 400, "ink-2", "end"))
    for number, symbol in enumerate(plan.symbols):
        y = plan.bars.top + (number + 0.5) * plan.line + 4
        name = said(seen.text(symbol), "symbol of the answer", seen.answer.layer, (symbol,))
        marks.append(Text(x, y, plain(name), 13 if plan.line >= 17 else 12, 400, "ink-2", "end", 84))
    if plan.others:
        y = plan.bars.top + (len(plan.symbols) + 0.5) * plan.line + 4
        marks.append(Text(x, y, plain(numbers.others(plan.others, said(
            str(plan.others), "how many other symbols", seen.answer.layer, (len(plan.symbols),)))), 12, 400, "ink-2",
            "end", 84))
    return marks


def _column(so: SoFar, plan: Plan, look: Look, word: int, chosen: bool) -> list[Mark]:
    made = so.seen.words[word]
    x, wide = plan.left(word), plan.width
    top, bottom = plan.chip.top, plan.bars.bottom
    marks: list[Mark] = []
    if chosen:
        marks.append(Rect(x - 3, top - 3, wide + 6, bottom - top + 6, "accent", radius=6, opacity=0.1))
    if so.known(made.looks) <= 0:
        marks.append(Rect(x, plan.looks.top, wide, plan.looks.high, "hatch"))
    else:
        marks += looked(so, look, word, x + (wide - _across(so, plan)) / 2, plan.looks.top, _across(so, plan))
    if plan.state.high:
        marks += _state(so, plan, look, word)
    if plan.wide.high:
        marks += _widely(so, plan, word, chosen)
    marks += _bars(so, plan, word, chosen) + _mixed(so, plan, word) + _chip(so, plan, word, chosen)
    return grouped(Group(tr("word {number}").format(number=word + 1), Focus(made.scores)), marks)


def _mixed(so: SoFar, plan: Plan, word: int) -> list[Mark]:
    """While a word is made: what is seen at the places comes together, each as thick as its share."""
    seen, made = so.seen, so.seen.words[word]
    share, after = so.come(made.mixes), made.state or made.scores
    if so.backward or share <= 0 or so.come(after) >= 1 or not plan.state.high:
        return []
    rows, columns = seen.grid
    wide, high = _across(so, plan) / columns, plan.looks.high / rows
    left = plan.left(word) + (plan.width - _across(so, plan)) / 2
    to = (plan.middle(word), plan.state.top)
    return [Line(((left + (place % columns + 0.5) * wide, plan.looks.top + (place // columns + 0.5) * high), to),
                 "accent", max(1.0, 8 * float(seen.shares[word, place])), opacity=0.7 * ease(share))
            for place in np.flatnonzero(seen.shares[word] >= TOLD_SHARE).tolist()]


def _across(so: SoFar, plan: Plan) -> float:
    rows, columns = so.seen.picture.shape[1:]
    return plan.looks.high * columns / max(rows, columns)


def _chip(so: SoFar, plan: Plan, word: int, chosen: bool) -> list[Mark]:
    """The word, once it is said: it drops from its bar."""
    seen = so.seen
    x, wide, row = plan.left(word), plan.width, plan.chip
    share, best = so.dropped(word), seen.best[word]
    to = timeline(so.trace).of(seen.words[word].scores, so.moment.beat.direction)
    holds = None if to is None else Stop(to.address)
    focus = Focus(seen.words[word].scores)
    if share <= 0:
        return [Rect(x, row.top, wide, row.high, "hatch", radius=6, focus=focus, holds=holds)]
    fill, ink = ("accent-fill", "on-accent") if chosen else ("sunk", "ink")
    marks: list[Mark] = [Rect(x, row.top, wide, row.high, fill, radius=6, focus=focus, holds=holds, opacity=share)]
    words = said(seen.text(best), "symbol of the answer", seen.answer.layer, (best,))
    size = next((size for size in (15, 13, 12) if width(words, size, 600) <= wide - 6), 11)
    home = row.top + row.high / 2 + 5
    if best in plan.symbols:
        from_y = plan.bars.top + (plan.symbols.index(best) + 0.5) * plan.line + 4
        home = from_y + (home - from_y) * share
    elsewhere = abs(home - (row.top + row.high / 2 + 5)) > row.high / 2
    if elsewhere:  # on its way over what stands between
        half = width(words, size, 600) / 2 + 4
        marks.append(Rect(x + wide / 2 - half, home - 14, 2 * half, 19, "stage", radius=4))
    marks.append(Text(x + wide / 2, home, plain(words), size, 600, "accent-ink" if elsewhere else ink, "middle",
                      wide - 2))
    return marks


def looked(so: SoFar, look: Look, word: int, x: float, y: float, across: float,
           printed: float = 1.0) -> list[Mark]:
    """The picture with what was looked at for a word, or on the way back with the gradient of that; `printed` is the
    share from which on it is written into its place."""
    trace, seen = so.trace, so.seen
    made = seen.words[word]
    layer = trace[made.looks]
    rows, columns = seen.grid
    cell = across / columns, across * seen.picture.shape[1] / seen.picture.shape[2] / rows
    strength = so.known(made.looks)
    if so.backward:
        values = gradient(layer)
        if values is None:
            return [Rect(x, y, columns * cell[0], rows * cell[1], "hatch")]
        shades, palette = parts.entries_of(trace, layer, look, True, _of_word(values, seen, word))
        scale = parts.gradient_scale(trace)
    else:
        top = PALE * float(seen.shares[word].max())
        shades, palette = colour.signed(seen.shares[word], top), "activation"
        scale = Scale("activation", tr("share of the attention"), layer.name, -top, top)
    front = layer.output.size == rows * columns
    marks: list[Mark] = [
        Image(x, y, cell, shades.reshape(1, rows, columns), palette, border="",
              focus=Focus(layer.name), opacity=ease(strength), scale=scale,
              folds=((1, rows, columns), layer.shape) if front else None),
        ink(so, x, y, across / seen.picture.shape[2]),
        Rect(x, y, columns * cell[0], rows * cell[1], stroke="rule", inside=True)]
    if printed < 1 and not so.backward:
        for place in np.flatnonzero(seen.shares[word] >= printed).tolist():
            row, column = divmod(place, columns)
            words = said(numbers.percent(float(seen.shares[word, place]), 0), "share of a place", layer.name, (place,),
                         word)
            middle, at = x + (column + 0.5) * cell[0], y + (row + 0.5) * cell[1]
            half = width(words, 11, 600) / 2 + 3
            if 2 * half <= cell[0] + 8:
                marks += [Rect(middle - half, at - 8, 2 * half, 16, "stage", radius=3, opacity=ease(strength)),
                          Text(middle, at + 4, plain(words), 11, 600, "ink", "middle", opacity=ease(strength))]
    return marks


def ink(so: SoFar, x: float, y: float, cell: float) -> Image:
    """What is drawn on the picture, without its ground; it leaves the clicks to what is under it."""
    shades, there = _inked(so.trace, so.seen)
    scale = Scale("pixel", tr("pixels"), so.seen.picture.name, *colour.reach(so.seen.picture.output))
    return Image(x, y, (cell, cell), shades[None], "pixel", border="", covered=~there[None], scale=scale)


@remembered(4)
def _inked(trace: Trace, seen: Gaze) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    grey = np.nan_to_num(np.asarray(seen.picture.output, np.float64)).mean(0)
    low, high = colour.reach(grey)
    shades = colour.unit(grey, low, high)
    there = (grey - low) / ((high - low) or 1) > INKED
    return np.where(there, shades, np.uint8(0)).astype(np.uint8), there


def _of_word(values: NDArray[np.float64], seen: Gaze, word: int) -> NDArray[np.float64]:
    """The row of a word, of numbers that are one for each place."""
    rows: NDArray[np.float64] = values.reshape(-1, seen.shares.shape[1])[word if seen.at_once else 0]
    return rows


def _state(so: SoFar, plan: Plan, look: Look, word: int) -> list[Mark]:
    name = so.seen.words[word].state
    x, wide, row = plan.left(word), plan.width, plan.state
    share, values = so.known(name), state(so.trace, name, word, so.backward)
    hatch = Rect(x, row.top, wide, row.high, "hatch")
    if share <= 0 or values is None:
        return [hatch]
    layer = so.trace[name]
    if so.backward:
        shades, palette = parts.entries_of(so.trace, layer, look, True, values)
        scale = parts.gradient_scale(so.trace)
    else:
        shades, palette, scale = colour.signed(values, 1.0), "activation", Scale(
            "activation", tr("state"), name, -1.0, 1.0)
    entries = np.ascontiguousarray(shades.reshape(1, -1, 1))
    many = len(layer.output) > 1 if layer.output.ndim == 2 else False
    return [*([hatch] if share < 1 else []),
            Image(x, row.top, (wide, row.high / len(values)), entries, palette, border="", rows_shown=ease(share),
                  transposed=layer.output.ndim == 2 and not many, scale=scale, indices=(-1,),
                  focus=Focus(name) if layer.output.ndim == 2 and not many else None)]


def _widely(so: SoFar, plan: Plan, word: int, chosen: bool) -> list[Mark]:
    """How many bits: 0 where one place is looked at alone, most where all are alike."""
    seen, row = so.seen, plan.wide
    x, wide, share = plan.left(word), plan.width, so.come(seen.words[word].looks)
    if share < 1:
        return [Rect(x, row.top, wide, row.high, "hatch")]
    bits, most = entropy(seen.shares[word]), float(np.log2(seen.shares.shape[1]))
    words = said(numbers.number(bits, 1), "bits over places", seen.words[word].looks, (), word)
    if wide >= TOLD:
        words = tr("{bits} bits").format(bits=words)
    y = row.bottom - 8
    return [Text(x + wide / 2, row.top + 13, plain(words), 12, 600 if chosen else 400,
                 "accent-ink" if chosen else "ink", "middle", wide),
            Rect(x + 4, y, wide - 8, 5, "sunk", radius=2),
            Rect(x + 4, y, max(1.0, (wide - 8) * bits / most), 5, "accent-fill" if chosen else "ink-2", radius=2)]


def _bars(so: SoFar, plan: Plan, word: int, chosen: bool) -> list[Mark]:
    seen, made = so.seen, so.seen.words[word]
    x, wide = plan.left(word), plan.width
    back = so.backward
    share = so.back(made.scores) if back else so.grown(word)
    if share <= 0:
        return [Rect(x, plan.bars.top, wide, plan.bars.high, "hatch")]
    values, top = seen.chances[word], 1.0
    if back:
        found = gradient(so.trace[made.scores])
        assert found is not None
        rows = found.reshape(-1, seen.chances.shape[1])
        values = rows[word] if len(rows) > 1 else rows[0]
        top = _largest(so.trace, seen)
    told = wide >= TOLD
    track = wide - 40 if told else wide
    best = seen.best[word]
    marks: list[Mark] = []
    for number in range(len(plan.symbols) + bool(plan.others)):
        rest = number == len(plan.symbols)
        symbol = -1 if rest else plan.symbols[number]
        value = float(values.sum() - values[list(plan.symbols)].sum()) if rest else float(values[symbol])
        y, high = plan.bars.top + number * plan.line, min(9.0, plan.line - 5)
        at = y + (plan.line - high) / 2
        strong = symbol == best and not rest
        focus = None if rest else _cell(so, word, symbol)
        marks.append(Rect(x, at, track, high, "sunk", radius=2, focus=focus))
        long = track * min(1.0, abs(value) / (top or 1.0)) * share
        if long >= 0.5:
            fill = ("gradient-mark" if value > 0 else "gradient-line") if back else \
                "accent-fill" if strong and chosen else "ink-2"
            marks.append(Rect(x, at, long, high, fill, radius=2, focus=focus))
        if not told or (not back and value < 0.01) or (back and abs(value) < 0.005 * top) or share < 1:
            continue
        words = _gradient_said(so, made.scores, word, symbol, value) if back and not rest else "" if back else \
            said(numbers.percent(value, 0), "chance of the others" if rest else "chance",
                 seen.answer.layer, tuple(plan.symbols) if rest else (symbol,), word)
        marks.append(Text(x + wide - 2, y + plan.line / 2 + 4, plain(words), 11, 600 if strong else 400,
                          "accent-ink" if strong and chosen else "ink-2", "end"))
    return marks


def _cell(so: SoFar, word: int, symbol: int) -> Focus:
    layer = so.trace[so.seen.words[word].scores]
    rows = layer.output.size // so.seen.chances.shape[1]
    front = (0,) * max(0, layer.output.ndim - 2) + ((word if rows > 1 else 0,) if layer.output.ndim > 1 else ())
    return Focus(layer.name, (*front, symbol))


def _gradient_said(so: SoFar, name: str, word: int, symbol: int, value: float) -> str:
    return said(numbers.signed(value, 2), "gradient of a symbol", name, (symbol,), word)


@remembered(4)
def _largest(trace: Trace, seen: Gaze) -> float:
    """The largest size of what came back to any score."""
    return max((float(np.abs(found).max()) for word in seen.words
                if (found := gradient(trace[word.scores])) is not None), default=0.0) or 1.0
