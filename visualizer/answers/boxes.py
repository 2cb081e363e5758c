"""Boxes around what was found: one a row (box, value), or one a cell of a grid (value, row, column).

A model says of them: `columns`, what the values are (`score left top right bottom` unless it says else; further ones
are scores of the `labels`), `score` (`logit` where it still goes through a sigmoid), `threshold` (0.5), `overlap` (0.5:
of two boxes that share more, the surer one stays); of a grid `stride`, how many pixels of the input a cell stands for.
In rows the edges are pixels of the input; in a grid they are how far they lie from the middle of the cell, in cells.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from visualizer import kinds
from visualizer.answers import AnswerKind, Cell, Right, Scalar, Score, Values, Where, label, never, picked, picture_of
from visualizer.language import english, tr
from visualizer.said import said
from visualizer.scene import colour, numbers
from visualizer.scene.picture import Focus, Image, Line, Look, Mark, Rect, Scale, Text, plain
from visualizer.trace import Answer, Layer, Refused, Trace

EDGES = ("left", "top", "right", "bottom")
COLUMNS = ("score", *EDGES)
WISH = re.compile(r"box:(\d{1,6})\.(left|top|right|bottom|width|height|score)")
MOST = 100
"""So many boxes are kept at most, the surest ones."""
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Found:
    """One box: its edges in pixels of the input, how sure it is, what it holds, and where it stands in the answer."""

    box: Box
    score: float
    label: int | None
    place: tuple[int, ...]
    """The row, or (row, column) of the grid."""


def found(answer: Answer, values: Values) -> tuple[Found, ...]:
    """The boxes that are taken to hold something, the surest first; of those that overlap too much only the surest."""
    likely = [each for each in _all(answer, values) if each.score > float(answer.settings.get("threshold", 0.5))]
    kept: list[Found] = []
    for each in sorted(likely, key=lambda one: -one.score):
        if all(overlap(each.box, other.box) <= float(answer.settings.get("overlap", 0.5)) for other in kept):
            kept.append(each)
    return tuple(kept[:MOST])


def overlap(one: Box, other: Box) -> float:
    """Shared area over the area that either covers (IoU)."""
    wide = float(min(one[2], other[2]) - max(one[0], other[0]))
    high = float(min(one[3], other[3]) - max(one[1], other[1]))
    shared = max(0.0, wide) * max(0.0, high)
    areas = [max(0.0, float(box[2] - box[0])) * max(0.0, float(box[3] - box[1])) for box in (one, other)]
    either = sum(areas) - shared
    return shared / either if either > 0 else 0.0


def _all(answer: Answer, values: Values) -> list[Found]:
    rows = values.astype(np.float64) if values.ndim == 2 else values.astype(np.float64).reshape(len(values), -1).T
    columns, count = _columns(answer), len(_columns(answer))
    score = rows[:, columns.index("score")]
    score = 1 / (1 + np.exp(-score)) if answer.settings.get("score") == "logit" else score
    labels = rows[:, count:].argmax(axis=1) if rows.shape[1] > count else None
    boxes = []
    for index, row in enumerate(rows):
        place = (index,) if values.ndim == 2 else tuple(int(i) for i in np.unravel_index(index, values.shape[1:]))
        edges = [_factor(answer, values, edge) * row[columns.index(EDGES[edge])] + _start(answer, values, edge, place)
                 for edge in range(4)]
        boxes.append(Found((edges[0], edges[1], edges[2], edges[3]), float(score[index]),
                           None if labels is None else int(labels[index]), place))
    return boxes


def _columns(answer: Answer) -> tuple[str, ...]:
    found = answer.settings.get("columns", COLUMNS)
    return tuple(found.split()) if isinstance(found, str) else tuple(found)


def _factor(answer: Answer, values: Values, edge: int) -> float:
    """Pixels an edge moves when its number grows by 1."""
    if values.ndim == 2:
        return 1.0
    return float(answer.settings.get("stride", 1)) * (-1 if edge < 2 else 1)


def _start(answer: Answer, values: Values, edge: int, place: tuple[int, ...]) -> float:
    """Where an edge lies when its number is 0: in a grid in the middle of the cell."""
    return 0.0 if values.ndim == 2 else (place[1 - edge % 2] + 0.5) * float(answer.settings.get("stride", 1))


def sentence(trace: Trace, answer: Answer) -> str:
    """How many, the surest, and how well it fits."""
    boxes = found(answer, trace[answer.layer].output)
    if not boxes:
        return tr("The network finds {{nothing}}: no box is sure enough.").format()
    first = boxes[0]
    wide, high = (said(numbers.number(first.box[2 + axis] - first.box[axis], 3), "side of the surest box", answer.layer,
                       (axis,)) for axis in (0, 1))
    counted = tr("{count} boxes") if len(boxes) > 1 else tr("{count} box")
    words = tr("The network finds {{{boxes}}}, the surest with {share}: {wide} × {high} pixels") \
        if first.label is None else \
        tr("The network finds {{{boxes}}}, the surest with {share}: {what}, {wide} × {high} pixels")
    words = words.format(boxes=counted.format(
        count=said(numbers.count(len(boxes)), "how many boxes", answer.layer)), wide=wide, high=high,
        share=said(numbers.percent(first.score, 1), "score of the surest box", answer.layer),
        what="" if first.label is None else said(label(answer, first.label), "label", answer.layer, (first.label,)))
    measured = score(trace, answer)
    return tr("{words}; the right ones are overlapped by {share}.").format(
        words=words, share=said(numbers.percent(measured[0][1], 0), "overlap of the boxes", answer.layer)) \
        if measured else f"{words}."


def score(trace: Trace, answer: Answer) -> Score:
    """How much each right box overlaps the one found for it, none found counting as 0; and how many are found."""
    if answer.truth is None or answer.truth.ndim != 2 or answer.truth.shape[1] < 4:
        return ()
    free = list(found(answer, trace[answer.layer].output))
    shares = []
    for truth in answer.truth.astype(np.float64):
        box = (float(truth[0]), float(truth[1]), float(truth[2]), float(truth[3]))
        best = max(free, key=lambda each: overlap(each.box, box), default=None)
        share = 0.0 if best is None else overlap(best.box, box)
        shares.append(share)
        if best is not None and share > 0:
            free.remove(best)
    return ((tr("overlap (IoU)"), sum(shares) / max(1, len(shares))),
            (tr("right boxes found"), sum(share >= 0.5 for share in shares)),
            (tr("boxes too many"), len(free)))


def right(answer: Answer, values: Values, truth: Values) -> Right:
    """The edges of each right box at the place whose box is nearest to it, a sure score there and none elsewhere.

    Squares of the edges, in the units of the answer, and binary cross entropy of the scores, both added up: Redmon and
    Farhadi 2018, YOLOv3, section 2.1.
    """
    if truth.ndim != 2 or truth.shape[1] < 4:
        raise Refused(tr("Right boxes are rows of left, top, right and bottom; numbers of the shape {shape} were given."
                         ).format(shape=numbers.shape(truth.shape)))
    wanted, sure = values.astype(np.float64), np.zeros(values.shape[:1] if values.ndim == 2 else values.shape[1:])
    for box, place in _matched(answer, values, truth.astype(np.float64)):
        sure[place] = 1
        for edge, name in enumerate(EDGES):
            wanted[_cell(answer, values, place, name)] = \
                (float(box[edge]) - _start(answer, values, edge, place)) / _factor(answer, values, edge)
    where = (1 if values.ndim == 2 else 0, _columns(answer).index("score"))
    return Right(wanted, sure, where, answer.settings.get("score") == "logit", mean=False)


def _matched(answer: Answer, values: Values, truth: Values) -> list[tuple[Values, tuple[int, ...]]]:
    """Each right box with a place of its own: of those that are left the one whose box overlaps it most, or where none
    does the one whose middle is nearest."""
    free, found = _all(answer, values), []
    for box in truth[:len(free)]:
        own = (float(box[0]), float(box[1]), float(box[2]), float(box[3]))
        best = max(free, key=lambda each: (overlap(each.box, own), -_apart(each.box, own)))
        free.remove(best)
        found.append((box, best.place))
    return found


def _apart(one: Box, other: Box) -> float:
    """How far apart two middles lie."""
    return float(np.hypot(one[0] + one[2] - other[0] - other[2], one[1] + one[3] - other[1] - other[3])) / 2


def cost(trace: Trace, answer: Answer, loss: Layer) -> tuple[str, str]:
    """How much of it the edges cost, and how much the scores."""
    parts = trace.inputs(loss)
    if len(parts) != 2 or not all(kinds.role(part) == "loss" and answer.layer in _read(trace, part) for part in parts):
        return "", ""
    edges, scores, both = (said(numbers.number(float(layer.output), 3), "value", layer.name)
                           for layer in (*parts, loss))
    return (tr("loss = {edges} + {scores} = **{both}**").format(edges=edges, scores=scores, both=both),
            tr("The loss adds the squares of how far the edges of the right boxes are off, {edges}, and −ln of the "
               "chances given to what is right, {scores}: {{{both}}}.").format(edges=edges, scores=scores, both=both))


def _read(trace: Trace, layer: Layer) -> set[str]:
    """What a layer reads, and what that reads."""
    return {*layer.reads, *(name for each in trace.inputs(layer) for name in each.reads)}


def draw(trace: Trace, answer: Answer, place: Where, look: Look) -> list[Mark]:
    """What was fed in, the boxes over it with how sure they are, and dashed the right ones."""
    x, y, wide, high = place
    seen, marks = picture_of(trace), list[Mark]()
    rows, columns = (1, 1) if seen is None else seen.shape
    if seen is not None:
        low, top = float(seen.min()), float(seen.max())
        marks.append(Image(x, y, (wide / columns, high / rows), colour.unit(seen, low, top)[None], "pixel",
                           border="tile-border", focus=Focus(trace.layers[0].name), indices=(0,),
                           scale=Scale("pixel", "pixels", trace.layers[0].name, low, top)))
    for truth in () if answer.truth is None else answer.truth.astype(np.float64):
        left, upper, broad, tall = _inside(truth, place, rows, columns)
        corners = ((left, upper), (left + broad, upper), (left + broad, upper + tall), (left, upper + tall))
        marks.append(Line((*corners, corners[0]), "ink", 1.5, dashed=True))
    values = trace[answer.layer].output
    for number, each in reversed(list(enumerate(found(answer, values)))):
        left, upper, broad, tall = _inside(each.box, place, rows, columns)
        ink = "accent" if number == 0 else "ink-2"
        where = Focus(answer.layer, _cell(answer, values, each.place, "score"))
        marks += [Rect(left - 1.5, upper - 1.5, broad + 3, tall + 3, "", "stage", 4),
                  Rect(left, upper, broad, tall, "", ink, 2, focus=where)]
        if number < 4:
            name = "" if each.label is None else f"{label(answer, each.label)} "
            words = f"{name}{numbers.percent(each.score, 0)}"
            marks.append(Text(x, y + high + 16 + 16 * number,
                              plain(tr("box {number}: {words}").format(number=number, words=words)), 12,
                              600 if number == 0 else 400, "accent-ink" if number == 0 else "ink-2", max_width=wide))
    return marks


def _inside(box: Values | Box, place: Where, rows: int, columns: int) -> Where:
    """The box in the drawing, cut off at its edges."""
    x, y, wide, high = place
    left, right = (x + min(max(float(edge), 0.0), columns) * wide / columns for edge in (box[0], box[2]))
    top, bottom = (y + min(max(float(edge), 0.0), rows) * high / rows for edge in (box[1], box[3]))
    return left, top, max(0.0, right - left), max(0.0, bottom - top)


def proportion(trace: Trace, answer: Answer) -> float:
    """That of what was fed in."""
    seen = picture_of(trace)
    return 1.0 if seen is None else seen.shape[0] / seen.shape[1]


def scalar(answer: Answer, values: Values, words: str) -> Scalar | None:
    """`box:2.width` of the third surest box, also left, top, right, bottom, height and score; or `logit:7`."""
    match = WISH.fullmatch(words)
    if match is None:
        return picked(answer, values, words)
    boxes = found(answer, values)
    if int(match[1]) >= len(boxes):
        refused = tr("There is no box {number}; there are {count}, counted from 0.") if boxes else \
            tr("There is no box {number}; nothing was found.")
        raise Refused(refused.format(number=match[1], count=len(boxes)))
    place, what = boxes[int(match[1])].place, match[2]
    if what == "score":
        return Scalar(words, ((_cell(answer, values, place, "score"), 1.0),))
    edges = {"width": ((2, 1.0), (0, -1.0)), "height": ((3, 1.0), (1, -1.0))}.get(what)
    parts = ((EDGES.index(what), 1.0),) if edges is None else edges
    cells = tuple((_cell(answer, values, place, EDGES[edge]), sign * _factor(answer, values, edge))
                  for edge, sign in parts)
    return Scalar(words, cells, sum(sign * _start(answer, values, edge, place) for edge, sign in parts))


def _cell(answer: Answer, values: Values, place: tuple[int, ...], column: str) -> Cell:
    at = _columns(answer).index(column)
    return (*place, at) if values.ndim == 2 else (at, *place)


def wishes(answer: Answer, values: Values) -> tuple[str, ...]:
    """The score of the surest box; that of the surest place where no box is sure enough."""
    if found(answer, values):
        return "box:0.score", "box:0.width"
    at = max(_all(answer, values), key=lambda each: each.score).place
    return (f"logit:{int(np.ravel_multi_index(_cell(answer, values, at, 'score'), values.shape))}",)


ANSWER = AnswerKind(english("boxes"), english("boxes around what was found"), never, sentence, draw, proportion, score,
                    scalar, wishes,
                    right=right, cost=cost, asks=("boxes",))
