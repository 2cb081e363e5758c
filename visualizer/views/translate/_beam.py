"""The beam: which beginnings of an answer a search keeps after each step, and where they part from the best."""

from __future__ import annotations

import math

import numpy as np

from visualizer.language import tr
from visualizer.said import said
from visualizer.scene import numbers
from visualizer.scene.boxes import Box
from visualizer.scene.picture import Choice, Group, Line, Look, Mark, Rect, Text, grouped, plain
from visualizer.scene.type import width
from visualizer.trace import Arrays
from visualizer.views.translate._plan import HEAD, ROW, Plan
from visualizer.views.translate._rows import chip
from visualizer.views.translate._speech import SoFar

KNOB, WIDTHS = "beam", ("3", "1", "2", "5", "10")
"""How many beginnings are kept, the default first; 1 is greedy."""


def kept(look: Look) -> int:
    """How many are kept."""
    word = look.knob(KNOB, WIDTHS[0])
    return int(word) if word in WIDTHS else int(WIDTHS[0])


def beam(so: SoFar, plan: Plan, look: Look) -> list[Mark]:
    """The beginnings that are kept after the symbols that have been said."""
    if not plan.rows:
        return []
    measured = so.speech.trace.studies.get("beam", {})
    count, box = kept(look), plan.beam
    marks: list[Mark] = [Line(((0, box.top - 8), (look.size[0], box.top - 8)), "hair")]
    done = sum(so.said(step) >= 1 for step in range(so.speech.count))
    marks += _heading(so, plan, look, count, min(done, _steps(measured, count)))
    if f"{count}/scores" not in measured:
        return grouped(Group(tr("beam")), marks)
    after = min(done, _steps(measured, count))
    if done == so.speech.count:
        after = _steps(measured, count)  # a wider search may go on a little longer
    for row in range(plan.rows):
        marks += _row(so, plan, measured, count, after, row)
    return grouped(Group(tr("beam")), marks)


def _steps(measured: Arrays, count: int) -> int:
    return len(measured[f"{count}/scores"]) if f"{count}/scores" in measured else 0


def _heading(so: SoFar, plan: Plan, look: Look, count: int, after: int) -> list[Mark]:
    y = plan.beam.top + 14
    words = tr("Greedy: the likeliest alone is kept") if count == 1 else tr("Beam: {count} beginnings are kept").format(
        count=said(str(count), "words of a knob", array=KNOB))
    marks: list[Mark] = [Text(plan.x, y, plain(words), 13, 600)]
    x = plan.end + 60
    for word in sorted(WIDTHS, key=int, reverse=True):
        wide = 30.0
        x -= wide + 4
        chosen = int(word) == count
        marks += [Rect(x, y - 14, wide, 20, "tint" if chosen else "sunk", "accent" if chosen else "", 1, radius=5,
                       holds=Choice(KNOB, word)),
                  Text(x + wide / 2, y, plain(said(word, "words of a knob", array=KNOB)), 12, 600,
                       "accent-ink" if chosen else "ink-2", "middle")]
    left = plan.x + width(words, 13, 600) + 16
    notes = [tr("framed: not as the best; log p at the right"), tr("framed: not as the best")]
    note = next((each for each in notes if left + width(each, 12) <= x - 10), "")
    if note and look.mode.notes and count > 1:
        marks.append(Text(left, y, plain(note), 12, 400, "ink-2"))
    return marks


def _row(so: SoFar, plan: Plan, measured: Arrays, count: int, after: int, row: int) -> list[Mark]:
    speech, top = so.speech, plan.beam.top + HEAD + row * ROW
    box = Box(plan.x, top, plan.end, top + ROW - 4)
    names = (tr("best"), tr("second"), tr("third"), tr("fourth"), tr("fifth"))
    marks: list[Mark] = [Text(plan.x - 12, top + 15.5, plain(names[row]), 12, 600 if not row else 400, "ink", "end")]
    if not after:
        return [*marks, Rect(plan.edge(0), box.top, plan.wide, box.height, "hatch", radius=4)]
    score = float(measured[f"{count}/scores"][after - 1, row])
    if not math.isfinite(score):
        return marks
    symbols = [int(each) for each in measured[f"{count}/symbols"][after - 1, row] if each >= 0]
    best = [int(each) for each in measured[f"{count}/symbols"][after - 1, 0] if each >= 0]
    parted = symbols[:len(best)] != best[:len(symbols)]
    for column, symbol in enumerate(symbols[:plan.count]):
        other = row > 0 and parted and (column >= len(best) or best[column] != symbol)
        word = speech.word(symbol)
        marks += chip(plan, column, box, word, said(word, "symbol of the answer", speech.answer.layer, (symbol,)),
                      False, "stage" if other else "sunk", "ink", "ink" if other else "")
    end = plan.left(min(len(symbols), plan.count))
    if plan.end - end >= 70:
        chance = said(numbers.number(math.exp(score), 3), "chance of a beginning", array=f"studies beam {count}/scores",
                      cell=(after - 1, row))
        marks.append(Text((end + plan.end) / 2, top + 15.5, plain(f"p = {chance}"), 12, 400, "ink-2", "middle"))
    marks.append(Text(plan.end + 58, top + 15.5, plain(said(numbers.number(score, 2), "value", array=(
        f"studies beam {count}/scores"), cell=(after - 1, row))), 12, 600, "ink", "end"))
    return marks


def best_of(so: SoFar, count: int) -> tuple[tuple[int, ...], float] | None:
    """What the search ends with, and the log probability of it; None where it was not made."""
    measured = so.speech.trace.studies.get("beam", {})
    if f"{count}/scores" not in measured:
        return None
    symbols = np.asarray(measured[f"{count}/symbols"][-1, 0])
    return tuple(int(each) for each in symbols if each >= 0), float(measured[f"{count}/scores"][-1, 0])
