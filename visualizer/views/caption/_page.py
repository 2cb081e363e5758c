"""What the inspector says of a word: its chance, the places it looked at most, and the control."""

from __future__ import annotations

import math

import numpy as np

from visualizer.kinds.gaze import Gaze, gaze
from visualizer.language import in_quotes, tr
from visualizer.said import said
from visualizer.scene import colour, numbers
from visualizer.scene.picture import Focus, Image, Line, Look, Mark, Picture, Rect, Text, plain
from visualizer.scene.timeline import Moment
from visualizer.scene.type import plain_lines
from visualizer.trace import Trace
from visualizer.views.caption._control import Control, chosen, control, said_there
from visualizer.views.caption._so_far import SoFar

WIDE, LEFT, RIGHT, MOST, SIDE = 280, 24.0, 264.0, 5, 96.0


def page(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture | None:
    """None on the way back, before the first word is said, and where one number was chosen."""
    seen = gaze(trace)
    if seen is None or moment.backward or (focus is not None and focus.cell and focus.layer in trace):
        return None
    so = SoFar(trace, seen, moment)
    word = so.chosen(focus)
    if word < 0 or so.dropped(word) < 1:
        return None
    marks, y = _word(seen, word)
    more, y = _places(seen, word, y)
    marks += more
    found, other = control(trace), chosen(trace, look.knob("control", "1"))
    if found is not None and other is not None:
        more, y = _control(trace, seen, found, word, other, y)
        marks += more
    more, y = _measured(trace, y)
    marks += more
    caption = tr("Word {number} of {count}: {word}").format(
        number=said(str(word + 1), "number of a word", seen.answer.layer, step=word),
        count=said(str(len(seen.words)), "how many steps", seen.answer.layer),
        word=said(seen.text(seen.best[word]), "symbol of the answer", seen.answer.layer, (seen.best[word],)))
    return Picture((WIDE, math.ceil(y + 8)), tuple(marks), (), look.theme, "window", caption=caption)


def _word(seen: Gaze, word: int) -> tuple[list[Mark], float]:
    best = seen.best[word]
    order = [int(index) for index in np.argsort(-seen.chances[word], kind="stable")]
    next_one = order[1] if len(order) > 1 else best
    marks: list[Mark] = [
        Text(LEFT, 26, plain(tr("Word {number}: {word}").format(
            number=said(str(word + 1), "number of a word", seen.answer.layer, step=word),
            word=said(seen.text(best), "symbol of the answer", seen.answer.layer, (best,)))), 15, 600,
             max_width=RIGHT - LEFT)]
    y = 46.0
    words = tr("The state asks, each place answers, and the softmax shares out the attention.")
    for line in plain_lines(words, 12, RIGHT - LEFT, 400):
        marks.append(Text(LEFT, y, plain(line), 12, 400, "ink-2"))
        y += 16
    y += 24
    marks += [Text(LEFT, y, plain(_chance(seen, word, best, 0)), 30, 600, "ink", display=True),
              Text(LEFT + 100, y - 4, plain(tr("next: {word}, {chance}").format(
                  word=said(seen.text(next_one), "symbol of the answer", seen.answer.layer, (next_one,)),
                  chance=_chance(seen, word, next_one, 1))), 12, 400, "ink-2", max_width=RIGHT - LEFT - 100)]
    return marks, y + 14


def _chance(seen: Gaze, word: int, symbol: int, digits: int) -> str:
    return said(numbers.percent(float(seen.chances[word, symbol]), digits), "chance", seen.answer.layer,
                (symbol,), word)


def _places(seen: Gaze, word: int, y: float) -> tuple[list[Mark], float]:
    shares, columns = seen.shares[word], seen.grid[1]
    y += 18
    marks: list[Mark] = [Text(LEFT, y, plain(tr("Strongest places")), 13, 600),
                         Text(RIGHT, y, plain(tr("row, column")), 11, 400, "ink-2", "end")]
    order = [int(index) for index in np.argsort(-shares, kind="stable")[:MOST]]
    for number, place in enumerate(order):
        y += 20
        row, column = divmod(place, columns)
        marks += [
            Text(LEFT, y, plain("({}, {})".format(
                said(str(row + 1), "row of a place", seen.maps.name, (0, row)),
                said(str(column + 1), "column of a place", seen.maps.name, (0, row, column)))), 12, 400),
            Rect(LEFT + 48, y - 8, 124, 8, "sunk", radius=2),
            Rect(LEFT + 48, y - 8, max(1.0, 124 * float(shares[place])), 8, "accent-fill" if not number else "ink-2",
                 radius=2),
            Text(RIGHT, y, plain(said(numbers.percent(float(shares[place]), 1), "share of a place",
                                         seen.words[word].looks, (place,), word)), 12, 600, "ink", "end")]
    y += 20
    rest = float(1 - shares[order].sum())
    marks += [Text(LEFT, y, plain(tr("{count} other places").format(count=said(
        str(len(shares) - len(order)), "how many other places", seen.maps.name, (len(order),)))), 12, 400, "ink-2"),
        Text(RIGHT, y, plain(said(numbers.percent(rest, 1), "share of the other places", seen.words[word].looks,
                                     tuple(order), word)), 12, 400, "ink-2", "end")]
    return marks, y + 10


def _control(trace: Trace, seen: Gaze, found: Control, word: int, other: int, y: float) -> tuple[list[Mark], float]:
    marks: list[Mark] = [Line(((LEFT, y), (RIGHT, y)), "hair")]
    y += 22
    marks.append(Text(LEFT, y, plain(tr("Control: another picture, same words")), 13, 600, max_width=RIGHT - LEFT))
    y += 10
    name = seen.text(seen.best[word])
    label = ("symbol of the answer", seen.answer.layer, (seen.best[word],))
    pair = ((np.asarray(seen.picture.output, np.float64).mean(0), _chance(seen, word, seen.best[word], 0), "accent"),
            (found.pictures[other], said(numbers.percent(float(found.chances[other, word]), 1), "chance elsewhere",
                                         seen.answer.layer, (other,), word), "ink-2"))
    for number, (pixels, chance, edge) in enumerate(pair):
        x = LEFT + number * (SIDE + 32)
        cell = SIDE / max(pixels.shape)
        marks += [Image(x, y, (cell, cell), colour.unit(pixels, *colour.reach(pixels))[None], "pixel"),
                  Rect(x, y, cell * pixels.shape[1], cell * pixels.shape[0], stroke=edge, stroke_width=2, inside=True,
                       dashed=bool(number)),
                  Text(x, y + SIDE + 15, plain(f"{in_quotes(said(name, *label))} {chance}"), 12, 600,
                       "accent-ink" if not number else "ink", max_width=SIDE + 30)]
    y += SIDE + 36
    here = float(np.log(seen.chances.max(1)).sum())
    there = float(np.log(np.maximum(found.chances[other], 1e-300)).sum())
    for title, value, quantity, cell_of in (
            (tr("log p of all words"), here, "log chance of the words", ()),
            (tr("on the other picture"), there, "log chance of the words elsewhere", (other,))):
        marks += [Text(LEFT, y, plain(title), 12, 400, "ink-2"),
                  Text(RIGHT, y, plain(said(numbers.number(value, 2), quantity, seen.answer.layer, cell_of)), 12,
                       600, "ink", "end")]
        y += 18
    marks.append(Text(LEFT, y, plain(tr("Of the other picture it says by itself")), 12, 400, "ink-2"))
    for line in plain_lines(in_quotes(said_there(seen, found, other)), 12, RIGHT - LEFT, 600):
        y += 17
        marks.append(Text(LEFT, y, plain(line), 12, 600))
    return marks, y + 14


def _measured(trace: Trace, y: float) -> tuple[list[Mark], float]:
    """How good it is on pictures that it never saw."""
    quality = trace.facts.get("quality", {})
    value = quality.get("captions wholly right") if hasattr(quality, "get") else None
    if not isinstance(value, float):
        return [], y
    marks: list[Mark] = [Line(((LEFT, y), (RIGHT, y)), "hair"),
                         Text(LEFT, y + 20, plain(tr("captions wholly right")), 12, 400, "ink-2"),
                         Text(RIGHT, y + 20, plain(said(numbers.percent(value, 1), "quality", array=(
                             "captions wholly right"))), 12, 600, "ink", "end")]
    return marks, y + 30
