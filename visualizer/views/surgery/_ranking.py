"""Which unit or step matters most: a bar each, and the curve of right answers over how many are gone."""

from __future__ import annotations

import numpy as np

from visualizer import edits
from visualizer.edits.cuts import of_unit
from visualizer.language import tr
from visualizer.said import said
from visualizer.scene import numbers
from visualizer.scene.boxes import Box
from visualizer.scene.parts import not_yet
from visualizer.scene.picture import Choice, Focus, Group, Line, Look, Mark, Rect, Text, Toggles, grouped, plain
from visualizer.scene.type import elide
from visualizer.trace import Trace
from visualizer.views.surgery import _measured as measured
from visualizer.views.surgery import _sandbox, _words
from visualizer.views.surgery._measured import RANKING, Ranked

WIDE, APART = 44.0, 6.0
CURVE = 210.0
LEAST_TOLD = 80.0
"""Pixels: with less room for it, it is not told how is counted."""


def draw(trace: Trace, box: Box, name: str, look: Look) -> list[Mark]:
    """Bars from that which matters most on, as many as there is room for."""
    head = tr("Which step matters most") if name == "steps" else tr("Which unit matters most")
    found = measured.ranked(trace, name)
    marks: list[Mark] = [Line(((box.left, box.top), (box.right, box.top)), "rule"),
                         Text(box.left, box.top + 20, plain(head), 13, 600)]
    marks += _sandbox.tab(trace, box, "sandbox", tr("Sandbox layer"))
    if found is None:
        words = tr("each is left out in turn, in the background") if RANKING not in trace.studies else \
            tr("this input has no loss, and no answers are counted: nothing is left out in turn")
        lane = not_yet(box.left, box.top + 32, box.width, box.height - 40, words)
        return grouped(Group(tr("ranking")), [*marks, *lane])
    told = tr("its answers are not counted: by how much the loss of this input grows, when it alone is left out") \
        if found.by_loss else tr("points lost over {inputs} inputs that ship, when it alone is left out").format(
            inputs=said(numbers.count(found.of), "how many inputs are counted"))
    if len(edits.those(measured.words(trace), edits.MODEL)) > 1:
        told = tr("{told}, beside the other edits").format(told=told)
    other = "units" if name == "steps" else "steps"
    other_there = measured.ranked(trace, other) is not None
    if other_there:
        words = tr("Which unit matters most") if other == "units" else tr("Which step matters most")
        marks += [Rect(box.right - 340, box.top + 6, 190, 20, "", "rule", radius=10, focus=Focus(trace.layers[0].name),
                       tip=words, holds=Choice("rank", other)),
                  Text(box.right - 245, box.top + 20, plain(elide(words, 12, 178, 500)), 12, 500, "accent-ink",
                       "middle")]
    room = box.width - (CURVE + 30 if box.width > 700 else 0)
    taken = 190 + (350 if other_there else 160)
    if box.width - taken >= LEAST_TOLD:
        marks.append(Text(box.left + 190, box.top + 20, plain(elide(told, 12, box.width - taken, 400)), 12, 400,
                          "ink-2"))
    share = min(1.0, max(0.0, float(look.knob("sorted", "1"))))
    marks += _bars(trace, found, share, Box(box.left, box.top + 30, box.left + room, box.bottom - 20))
    if box.width > 700 and len(found.gone):
        marks += _curve(found, Box(box.right - CURVE, box.top + 44, box.right, box.bottom - 36))
    spoken = " ".join(each for each in (_words.broken(trace, found), _others(found, room)) if each)
    if spoken:
        marks.append(Text(box.left, box.bottom - 4, plain(elide(spoken, 12, box.width, 500)), 12, 500, "ink-2"))
    return grouped(Group(tr("ranking")), marks)


def _others(found: Ranked, room: float) -> str:
    """How much those cost that there is no room for."""
    rest = found.order[int(room // (WIDE + APART)):]
    if not rest or len(found.alone) < len(found.words) or not np.isfinite(found.alone).all():
        return ""
    most = max(rest, key=found.lost)
    value = found.lost(most)
    told = said(numbers.significant(value, 2), "loss that grows", cell=(most,), array="units") if found.by_loss else \
        said(numbers.number(value, 1), "points lost", cell=(most,),
             array="steps" if found.words[0].startswith("step_off") else "units")
    return tr("{count} others: at most {value}.").format(count=said(
        numbers.count(len(rest)), "how many others", cell=(len(found.words) - len(rest),),
        array="steps" if found.words[0].startswith("step_off") else "units"), value=told)


def _bars(trace: Trace, found: Ranked, share: float, box: Box) -> list[Mark]:
    """In their own order while they are counted; `share` of the way to where they stand when they are sorted."""
    most = min(len(found.words), int(box.width // (WIDE + APART)))
    order = found.order
    known = [place for place in order if place < len(found.alone) and np.isfinite(found.alone[place])]
    foot, high = box.bottom - 34, box.height - 34 - 16
    lost = {place: found.lost(place) for place in known}
    top = max(max(lost.values(), default=0.0), -min(lost.values(), default=0.0), 1e-9)
    shown = order[:most]
    lowest = min((lost[place] for place in shown if place in lost), default=0.0)
    floor = foot - high * max(0.0, -lowest) / (2 * top)
    marks: list[Mark] = [Line(((box.left, floor), (box.left + most * (WIDE + APART), floor)), "edge")]
    done = measured.words(trace)
    current = tuple(word for word in done if word in found.words)
    for rank, place in enumerate(order):
        at = share * rank + (1 - share) * place
        if at > most - 1 + (0 if share in (0, 1) else 1):
            continue
        x, word = box.left + at * (WIDE + APART), found.words[place]
        layer, unit = _of(word)
        of = "steps" if word.startswith("step_off") else "units"
        marks += [Text(x + WIDE / 2, foot + 14, plain(layer), 11, 400, "ink-2", "middle", mono=True,
                       max_width=WIDE + 4),
                  Text(x + WIDE / 2, foot + 28, plain(said(
                      unit, "index of what is left out", cell=(place,), array=of)), 12, 600, anchor="middle")]
        if place in lost:
            value = lost[place]
            tall = (floor - foot + high if value > 0 else (foot - floor) or 1.0) * abs(value) / top
            y = floor - tall if value >= 0 else floor
            told = numbers.significant(value, 2) if found.by_loss else numbers.number(value, 1)
            marks += [Rect(x, y, WIDE, max(1.0, tall), "accent" if word in done else
                           "negative-bar" if value < 0 else "ink-2"),
                      Text(x + WIDE / 2, min(y, floor) - 4, plain(said(
                          told, "loss that grows" if found.by_loss else "points lost", cell=(place,), array=of)), 11,
                          600, anchor="middle")]
        marks.append(Rect(x, box.top, WIDE, box.height, "", focus=_focus(trace, layer, unit), tip=_words.named(word),
                          holds=Toggles(word, instead=current)))
        if found.answers is not None and int(found.answers[place]) >= 0 and trace.answer is not None \
                and int(found.answers[place]) != int(measured.was(trace, trace.answer.name).argmax()):
            marks.append(Line(((x + 12, foot + 32), (x + WIDE - 12, foot + 32)), "negative-bar", 2))
    return marks


def _of(word: str) -> tuple[str, str]:
    name, _, rest = word.partition(":")
    if name == "step_off":
        return tr("step"), rest
    layer, unit = of_unit(rest)
    return layer, str(unit)


def _focus(trace: Trace, layer: str, unit: str) -> Focus:
    """The tile of the row in which that channel or unit is seen, so that it lights up with the bar."""
    row = next((name for name in measured.rows(trace) if measured.made_by(trace, name) == layer), "")
    if not row:
        return Focus(trace.layers[0].name)
    return Focus(row, (0, int(unit)) if trace[row].output.ndim == 2 else (int(unit),))


def _curve(found: Ranked, box: Box) -> list[Mark]:
    """Right answers over how many are gone: those that matter least first, and greedily."""
    count = max(1, len(found.words))

    def at(gone: int, right: int) -> tuple[float, float]:
        return box.left + box.width * gone / count, box.bottom - box.height * right / max(1, found.of)

    free = [at(0, int(found.right)), *(at(gone, int(right)) for gone, right in enumerate(found.gone, 1))]
    worst = [at(0, int(found.right)), *(at(gone, int(right)) for gone, right in enumerate(found.left, 1))]
    half = at(0, 0)[1] - box.height * found.right / 2 / max(1, found.of)
    words = tr("right answers over how many are gone")
    return [Text(box.left, box.top - 4, plain(elide(words, 11, box.width, 400)), 11, 400, "ink-2"),
            Line(((box.left, box.bottom), (box.right, box.bottom)), "edge"),
            Line(((box.left, half), (box.right, half)), "rule", dashed=True),
            Line(tuple(free), "ink-2", 2), Line(tuple(worst), "negative-bar", 2),
            Text(box.right, box.bottom + 13, plain(tr("grey: least first, red: most first")), 11, 400, "ink-2", "end")]
