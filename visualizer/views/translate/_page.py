"""What the inspector says of a step: what else it could have been, all shares so far, and the truth."""

from __future__ import annotations

import math

import numpy as np

from visualizer.answers import label
from visualizer.language import english, tr, translated
from visualizer.said import said
from visualizer.scene import colour, numbers
from visualizer.scene.picture import Focus, Image, Line, Look, Mark, Picture, Rect, Text, plain
from visualizer.scene.reading import entropy
from visualizer.scene.timeline import Moment
from visualizer.scene.type import plain_lines
from visualizer.trace import Trace
from visualizer.views.translate._beam import best_of, kept
from visualizer.views.translate._speech import SoFar, Speech, speech

WIDE, LEFT, MOST, SIDE = 248, 4.0, 6, 150.0
QUALITIES = (english("wholly right"), english("words wholly right"), english("phoneme errors"),
             english("words right, told its own"), english("words right, told the right ones"),
             english("sounds right, told the right ones"))
"""What of the measures of a card is printed: on its own, and told the right symbols."""


def page(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture | None:
    """None before the first symbol, on the way back, and where one number was chosen."""
    found = speech(trace)
    if found is None or moment.backward or (focus is not None and focus.cell and focus.layer in trace
                                            and focus.layer != found.answer.layer):
        return None
    so = SoFar(found, moment)
    step = opened(so, focus)
    if step < 0 or so.said(step) < 1:
        return None
    marks, y = _candidates(found, step)
    if found.attention is not None:
        more, y = _matrix(so, step, y)
        marks += more
    more, y = _facts(so, step, look, y)
    marks += more
    more, y = _measured(trace, y)
    caption = tr("Step {step}: {word}").format(step=_number(found, step), word=_word(found, found.best[step]))
    return Picture((WIDE, math.ceil(y + 8)), tuple(marks + more), (), look.theme, "window", caption=caption)


def opened(so: SoFar, focus: Focus | None) -> int:
    """The step that is looked at: that of a symbol that was chosen, if it has been said, else the step of the moment.
    """
    if focus is not None and focus.cell and focus.layer == so.speech.answer.layer:
        step = focus.cell[0]
        if step < so.speech.count and so.said(step) > 0:
            return step
    if focus is not None and so.speech.attention is not None and focus.layer in so.speech.attention.layers:
        asked = so.speech.attention.step_at(focus.layer, focus.cell, so.speech.trace)
        if asked is not None and so.shares(asked) > 0:
            return asked
    return so.step


def _number(found: Speech, step: int) -> str:
    return said(str(step + 1), "number of a word", found.answer.layer, step=step)


def _word(found: Speech, index: int) -> str:
    return said(found.word(index), "symbol of the answer", found.answer.layer, (index,))


def _candidates(found: Speech, step: int) -> tuple[list[Mark], float]:
    row = found.chances[step]
    marks: list[Mark] = [
        Text(LEFT, 18, plain(tr("Step {step}: {word}").format(step=_number(found, step),
                                                              word=_word(found, found.best[step]))), 15, 600,
             max_width=WIDE - 8),
        Text(LEFT, 42, plain(tr("Next symbol")), 13, 600),
        Text(WIDE - 4, 42, plain(tr("entropy {bits} bits").format(bits=said(
            numbers.number(entropy(row), 2), "entropy of a step of the answer", found.answer.layer, step=step))), 11,
            400, "ink-2", "end")]
    y = 50.0
    for index in np.argsort(-row, kind="stable")[:MOST].tolist():
        share = float(row[index])
        marks += [Text(LEFT, y + 14, plain(_word(found, index)), 12, 600 if index == found.best[step] else 400,
                       max_width=82),
                  Rect(LEFT + 88, y + 5, 100, 10, "sunk", radius=3),
                  Rect(LEFT + 88, y + 5, max(1.0, 100 * share), 10,
                       "accent-fill" if index == found.best[step] else "ink-2", radius=3),
                  Text(WIDE - 4, y + 14, plain(said(numbers.percent(share, 1), "chance", found.answer.layer, (index,),
                                                    step)), 12, 600, "ink", "end")]
        y += 20
    return marks, y + 12


def _matrix(so: SoFar, step: int, y: float) -> tuple[list[Mark], float]:
    """All shares so far: a row a step, a column a place."""
    found, attention = so.speech, so.speech.attention
    assert attention is not None
    cell = min(SIDE / attention.places, SIDE / attention.count, 18.0)
    wide, high, x = cell * attention.places, cell * attention.count, LEFT + 84
    marks: list[Mark] = [Text(LEFT, y + 12, plain(tr("Attention, all steps")), 13, 600),
                         Rect(x, y + 22, wide, high, "hatch", "tile-border")]
    top = y + 22
    for each in range(attention.count):
        if so.shares(each) < 1:
            continue
        entries = colour.unit(attention.weights[0, each])
        marks.append(Image(x, top + each * cell, (cell, cell), np.ascontiguousarray(entries.reshape(1, 1, -1)), "pixel",
                           border=""))
        if cell >= 12 and so.said(each) >= 1:
            marks.append(Text(x - 6, top + (each + 0.5) * cell + 4, plain(_word(found, found.best[each])), 11,
                              600 if each == step else 400, "accent-ink" if each == step else "ink-2", "end",
                              max_width=80))
    marks.append(Rect(x - 1, top + step * cell - 1, wide + 2, cell + 2, "", "accent", 1.5))
    return marks, top + high + 14


def _facts(so: SoFar, step: int, look: Look, y: float) -> tuple[list[Mark], float]:
    found = so.speech
    rows: list[tuple[str, str]] = []
    if found.attention is not None:
        shares = found.attention.weights[0, step]
        layer = found.attention.rows[step].layer
        rows.append((tr("entropy of the attention"), tr("{bits} bits").format(bits=said(numbers.number(
            entropy(shares), 2), "entropy of shares", layer, (step, 0)))))
    marks: list[Mark] = []
    for title, words in rows:
        y += 18
        marks += [Text(LEFT, y, plain(title), 12, 400, "ink-2"), Text(WIDE - 4, y, plain(words), 12, 600, "ink", "end")]
    if found.right is not None:
        y += 24
        marks.append(Text(LEFT, y, plain(tr("Right would be")), 13, 600))
        end = int(found.answer.settings.get("end", -1))
        words = str(found.answer.settings.get("joined", " ")).join(
            label(found.answer, index) for index in found.right if index != end)
        for line in plain_lines(said(words, "what is written", found.answer.layer), 12, WIDE - 8, 400):
            y += 17
            marks.append(Text(LEFT, y, plain(line), 12, 400))
        done = [each for each in range(found.count) if so.said(each) >= 1]
        hits = sum(each < len(found.right) and found.right[each] == found.best[each] for each in done)
        y += 18
        marks.append(Text(LEFT, y, plain(tr("{right} of {count} right so far").format(
            right=said(str(hits), "symbols right so far", found.answer.layer, (len(done),)),
            count=said(str(len(done)), "symbols said so far", found.answer.layer, (len(done),)))), 12, 400, "ink-2"))
    wider = best_of(so, kept(look))
    if wider is not None and all(so.said(each) >= 1 for each in range(found.count)):
        y += 24
        marks.append(Text(LEFT, y, plain(tr("What the beam ends with")), 13, 600))
        end = int(found.answer.settings.get("end", -1))
        words = str(found.answer.settings.get("joined", " ")).join(
            _word(found, index) for index in wider[0] if index != end)
        for line in plain_lines(words, 12, WIDE - 8, 400):
            y += 17
            marks.append(Text(LEFT, y, plain(line), 12, 400))
    return marks, y + 12


def _measured(trace: Trace, y: float) -> tuple[list[Mark], float]:
    """How good it is on inputs that it never saw: told the right symbols, and on its own."""
    quality = trace.facts.get("quality", {})
    found = [(name, float(quality[name])) for name in QUALITIES if isinstance(quality.get(name), float)]
    if not found:
        return [], y
    marks: list[Mark] = [Line(((LEFT, y), (WIDE - 4, y)), "hair"),
                         Text(LEFT, y + 20, plain(tr("On what it never saw")), 13, 600)]
    y += 20
    for name, value in found:
        y += 18
        marks += [Text(LEFT, y, plain(translated(name)), 12, 400, "ink-2", max_width=WIDE - 62),
                  Text(WIDE - 4, y, plain(said(numbers.percent(value, 1), "quality", array=name)), 12, 600, "ink",
                       "end")]
    return marks, y + 12
