"""Boxes around what was found: one a row (box, value), or one a cell of a grid (value, row, column).

A model says of them: `columns`, what the values are (`score left top right bottom` unless it says else; further ones
are scores of the `labels`), `score` (`logit` where it still goes through a sigmoid), `threshold` (0.5), `overlap` (0.5:
of two boxes that share more, the surer one stays); of a grid `stride`, how many pixels of the input a cell stands for.
In rows the edges are pixels of the input; in a grid they are how far they lie from the middle of the cell, in cells.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from visualizer import kinds
from visualizer.answers import AnswerKind, Cell, Right, Scalar, Score, Values, Where, label, never, picked, picture_of
from visualizer.language import counted_as, english, tr
from visualizer.said import said
from visualizer.scene import colour, numbers
from visualizer.scene.picture import Focus, Image, Line, Look, Mark, Rect, Scale, Text, plain
from visualizer.trace import Answer, Layer, Refused, Trace

EDGES = ("left", "top", "right", "bottom")
COLUMNS = ("score", *EDGES)
WISH = re.compile(r"box:(\d{1,6})\.(left|top|right|bottom|width|height|score|class)")
OFFERED = 4
"""Of so many boxes numbers are offered to be sent back."""
MOST = 100
"""So many boxes are kept at most, the surest ones."""
HALF = 0.5
"""A right box that is overlapped so much counts as found."""
Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Found:
    """One box: its edges in pixels of the input, how sure it is, what it holds, and where it stands in the answer."""

    box: Box
    score: float
    label: int | None
    place: tuple[int, ...]
    """The row, or (row, column) of the grid."""


@dataclass(frozen=True, eq=False)
class Round:
    """One round of suppression: of the boxes that wait the surest is kept, and what overlaps it too much is dropped."""

    kept: int
    """Number among the likely boxes."""
    dropped: tuple[int, ...]
    shares: Values
    """(box,): how much the kept box overlaps each likely one; NaN for those that wait no more."""


def found(answer: Answer, values: Values) -> tuple[Found, ...]:
    """The boxes that are taken to hold something, the surest first; of those that overlap too much only the surest."""
    waiting = likely(proposed(answer, values), threshold(answer))
    return tuple(waiting[step.kept] for step in suppressed(waiting, most_overlap(answer))[:MOST])


def threshold(answer: Answer) -> float:
    """A box needs a higher score than this."""
    return float(answer.settings.get("threshold", 0.5))


def most_overlap(answer: Answer) -> float:
    """Of two boxes that overlap by more than this the surer one stays."""
    return float(answer.settings.get("overlap", 0.5))


def likely(every: Sequence[Found], least: float) -> tuple[Found, ...]:
    """The boxes with a score above `least`, the surest first; of equal ones the one that stands first."""
    return tuple(sorted((each for each in every if each.score > least), key=lambda one: -one.score))


def suppressed(waiting: Sequence[Found], most: float) -> tuple[Round, ...]:
    """Greedy suppression of boxes that stand the surest first, whatever they hold: one round for each that is kept."""
    edges = np.array([each.box for each in waiting], np.float64).reshape(-1, 4)
    left, steps = np.ones(len(waiting), bool), list[Round]()
    while left.any():
        kept = int(left.argmax())
        left[kept] = False
        shares = np.where(left, _overlaps(edges, edges[kept]), np.nan)
        dropped = left & (shares > most)
        left &= ~dropped
        steps.append(Round(kept, tuple(np.flatnonzero(dropped).tolist()), shares))
    return tuple(steps)


def overlap(one: Box, other: Box) -> float:
    """Shared area over the area that either covers (IoU)."""
    return float(_overlaps(np.array([one], np.float64), np.array(other, np.float64))[0])


def _overlaps(many: Values, one: Values) -> Values:
    """(box,): the overlap of each of many boxes with one."""
    with np.errstate(invalid="ignore", over="ignore"):
        sides = np.minimum(many[:, 2:], one[2:]) - np.maximum(many[:, :2], one[:2])
        shared = np.maximum(sides, 0).prod(axis=1)
        areas = [np.maximum(box[..., 2:] - box[..., :2], 0).prod(axis=-1) for box in (many, one)]
        either = areas[0] + areas[1] - shared
        shares: Values = np.where(either > 0, shared / np.where(either > 0, either, 1), 0.0)
    return shares


def proposed(answer: Answer, values: Values) -> tuple[Found, ...]:
    """The box of every row, or of every cell of the grid, in the order in which they stand; Refused with one sentence
    where they are none."""
    if not fits(answer, values):
        words = tr("Boxes are rows, or maps, that begin with {columns}; the answer has the shape {shape}.")
        raise Refused(words.format(columns=", ".join(columns_of(answer)), shape=numbers.shape(values.shape)))
    rows = values.astype(np.float64) if values.ndim == 2 else values.astype(np.float64).reshape(len(values), -1).T
    columns, count = columns_of(answer), len(columns_of(answer))
    score = rows[:, columns.index("score")]
    with np.errstate(over="ignore"):
        score = 1 / (1 + np.exp(-score)) if answer.settings.get("score") == "logit" else score
    labels = rows[:, count:].argmax(axis=1) if rows.shape[1] > count else None
    boxes = []
    for index, row in enumerate(rows):
        place = (index,) if values.ndim == 2 else tuple(int(i) for i in np.unravel_index(index, values.shape[1:]))
        edges = [pixels_of(answer, values, edge) * float(row[columns.index(EDGES[edge])]) +
                 _start(answer, values, edge, place) for edge in range(4)]
        boxes.append(Found((edges[0], edges[1], edges[2], edges[3]), float(score[index]),
                           None if labels is None else int(labels[index]), place))
    return tuple(boxes)


def fits(answer: Answer, values: Values) -> bool:
    """Whether numbers can be boxes: rows or maps enough for what their card says that they are."""
    columns = columns_of(answer)
    return {"score", *EDGES} <= set(columns) and values.ndim in (2, 3) and values.size > 0 and \
        values.shape[1 if values.ndim == 2 else 0] >= len(columns)


def columns_of(answer: Answer) -> tuple[str, ...]:
    """What the first numbers of a box are."""
    return _columns_in(answer.settings)


def _columns_in(settings: Mapping[str, Any]) -> tuple[str, ...]:
    found = settings.get("columns", COLUMNS)
    return tuple(found.split()) if isinstance(found, str) else tuple(found)


def pixels_of(answer: Answer, values: Values, edge: int) -> float:
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
    counted = counted_as(len(boxes), tr("{count} box"), tr("{count} boxes"))
    words = tr("The network finds {{{boxes}}}, the surest with {share}: {wide} × {high} pixels") \
        if first.label is None else \
        tr("The network finds {{{boxes}}}, the surest with {share}: {what}, {wide} × {high} pixels")
    words = words.format(boxes=counted.format(
        count=said(numbers.count(len(boxes)), "how many boxes", answer.layer)), wide=wide, high=high,
        share=said(numbers.percent(first.score, 1), "score of the surest box", answer.layer),
        what="" if first.label is None else said(label(answer, first.label), "label of a box", answer.layer,
                                                 (first.label,)))
    measured = score(trace, answer)
    if not measured or answer.truth is None:
        return f"{words}."
    missing = len(answer.truth) - int(measured[1][1])
    return tr("{words}; the right ones are overlapped by {share}: {missing} missing, {wrong} false.").format(
        words=words, share=said(numbers.percent(measured[0][1], 0), "overlap of the boxes", answer.layer),
        missing=said(str(missing), "right boxes missing", answer.layer),
        wrong=said(str(measured[2][1]), "boxes for nothing", answer.layer))


def score(trace: Trace, answer: Answer) -> Score:
    """How much each right box overlaps the one found for it, none found counting as 0; how many are found, overlapped
    by a half; and how many boxes are found for none of them."""
    kept = found(answer, trace[answer.layer].output)
    told = matched(answer, kept)
    if told is None:
        return ()
    hit = [number for number, share in told if number is not None and share >= HALF]
    measured: Score = ((tr("overlap (IoU)"), sum(share for _, share in told) / max(1, len(told))),
                       (tr("right boxes found"), len(hit)), (tr("boxes too many"), len(kept) - len(hit)))
    truth = answer.truth
    if truth is None or truth.shape[1] < 5 or any(each.label is None for each in kept):
        return measured
    named = sum(number is not None and share >= HALF and kept[number].label == int(row[4])
                for row, (number, share) in zip(truth, told, strict=True))
    return *measured, (tr("named rightly"), named)


def matched(answer: Answer, kept: Sequence[Found]) -> tuple[tuple[int | None, float], ...] | None:
    """For each right box the number of the box that is found for it, each for one at most, and their overlap; None
    where the right ones are not known."""
    if answer.truth is None or answer.truth.ndim != 2 or answer.truth.shape[1] < 4:
        return None
    free, told = list(range(len(kept))), list[tuple[int | None, float]]()
    for truth in answer.truth.astype(np.float64):
        box = (float(truth[0]), float(truth[1]), float(truth[2]), float(truth[3]))
        best = max(free, key=lambda number: overlap(kept[number].box, box), default=None)
        share = 0.0 if best is None else overlap(kept[best].box, box)
        told.append((best if share > 0 else None, share))
        if best is not None and share > 0:
            free.remove(best)
    return tuple(told)


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
                (float(box[edge]) - _start(answer, values, edge, place)) / pixels_of(answer, values, edge)
    where = (1 if values.ndim == 2 else 0, columns_of(answer).index("score"))
    return Right(wanted, sure, where, answer.settings.get("score") == "logit", mean=False)


def _matched(answer: Answer, values: Values, truth: Values) -> list[tuple[Values, tuple[int, ...]]]:
    """Each right box with a place of its own: of those that are left the one whose box overlaps it most, or where none
    does the one whose middle is nearest."""
    free, found = list(proposed(answer, values)), []
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
    """`box:2.width` of the third surest box, also left, top, right, bottom, height, score, and class, what is given to
    the label it has; or `logit:7`."""
    match = WISH.fullmatch(words)
    if match is None:
        return picked(answer, values, words)
    boxes = found(answer, values)
    if int(match[1]) >= len(boxes):
        refused = tr("There is no box {number}; there are {count}, counted from 0.") if boxes else \
            tr("There is no box {number}; nothing was found.")
        raise Refused(refused.format(number=match[1], count=len(boxes)))
    place, what, held = boxes[int(match[1])].place, match[2], boxes[int(match[1])].label
    if what == "class" and held is None:
        raise Refused(tr("The boxes have no classes; name another number of one, such as box:0.score."))
    if what == "class" and held is not None:
        return Scalar(words, ((cell_of(answer, values, place, held), 1.0),))
    if what == "score":
        return Scalar(words, ((_cell(answer, values, place, "score"), 1.0),))
    edges = {"width": ((2, 1.0), (0, -1.0)), "height": ((3, 1.0), (1, -1.0))}.get(what)
    parts = ((EDGES.index(what), 1.0),) if edges is None else edges
    cells = tuple((_cell(answer, values, place, EDGES[edge]), sign * pixels_of(answer, values, edge))
                  for edge, sign in parts)
    return Scalar(words, cells, sum(sign * _start(answer, values, edge, place) for edge, sign in parts))


def _cell(answer: Answer, values: Values, place: tuple[int, ...], column: str) -> Cell:
    at = columns_of(answer).index(column)
    return (*place, at) if values.ndim == 2 else (at, *place)


def cell_of(answer: Answer, values: Values, place: tuple[int, ...], label: int | None) -> Cell:
    """Where the number that is given to a label of a box stands in the answer; without one that of its score."""
    at = columns_of(answer).index("score") if label is None else len(columns_of(answer)) + label
    return (*place, at) if values.ndim == 2 else (at, *place)


def wishes(answer: Answer, values: Values) -> tuple[str, ...]:
    """The score of the surest box, its width and its class, and the same of the next ones; the score of the surest
    place where no box is sure enough."""
    if boxes := found(answer, values)[:OFFERED]:
        kinds_of = ("score", "width", *(("class",) if boxes[0].label is not None else ()))
        return tuple(f"box:{number}.{what}" for number in range(len(boxes)) for what in kinds_of)
    at = max(proposed(answer, values), key=lambda each: each.score).place
    return (f"logit:{int(np.ravel_multi_index(_cell(answer, values, at, 'score'), values.shape))}",)


ANSWER = AnswerKind(english("boxes"), english("boxes around what was found"), never, sentence, draw, proportion, score,
                    scalar, wishes,
                    right=right, cost=cost, asks=("boxes",), view="detect",
                    before=lambda settings: len(_columns_in(settings)))
