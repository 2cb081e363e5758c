"""Segments: a class for each pixel, by a number for each class (class, row, column): a score, or a share.

A model says of it `ground`, the class that means none of the others; it is not counted in the mean overlap.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer.answers import AnswerKind, Cell, Scalar, Score, Values, Where, label, never, picked, place_of
from visualizer.kinds.pixels import (
    UNKNOWN,
    Classes,
    classes,
    doubtful,
    ground_of,
    mean_overlap,
    right_pixels,
    truth_of,
)
from visualizer.language import english, tr
from visualizer.said import said
from visualizer.scene import colour, numbers
from visualizer.scene.labels import Labels
from visualizer.scene.picture import Focus, Image, Look, Mark, Path, Points, Rect, Scale
from visualizer.scene.type import width
from visualizer.trace import Answer, Refused, Trace

MASK, PIXEL = re.compile(r"mask:(\d{1,9})"), re.compile(r"pixel:(\d{1,9},\d{1,9}(?:,\d{1,9})?)")
LEAST_NAMED = 12
"""A patch of so many pixels has the name of its class beside it."""
PALE, STRONG = 90, 255
"""Entries of the palette of pixels between which the classes lie."""
Patch = tuple[int, tuple[int, int, int, int]]
"""(class, (top, left, bottom, right))."""


# --- said, scored, drawn ----------------------------------------------------------------------------------------------

def sentence(trace: Trace, answer: Answer) -> str:
    """How many pixels are right and the mean overlap; without the truth what most pixels are."""
    values, of = trace[answer.layer].output, answer.layer
    mean, (right, known) = mean_overlap(answer, values), right_pixels(answer, values)
    counted = tr("{{{right} of {count}}} pixels are right").format(
        right=said(numbers.count(right), "right pixels", of), count=said(numbers.count(known), "known pixels", of))
    if known and mean is not None:
        return tr("{counted}; the mean overlap (IoU) of the classes that are there or found is {mean}.").format(
            counted=counted, mean=said(numbers.number(mean, 2), "mean IoU", of))
    if known:
        return tr("{counted}: there is nothing but {ground}, and nothing else is found.").format(
            counted=counted, ground=_said_label(answer, ground_of(answer) or 0))
    sizes = np.bincount(classes(values).ravel(), minlength=len(values))
    most = int(sizes.argmax())
    others = int(sizes.sum() - sizes[most])
    if not others:
        return tr("All {{{count}}} pixels are taken for {label}.").format(
            count=said(numbers.count(int(sizes.sum())), "how many given a class", of, (most,)),
            label=_said_label(answer, most))
    return tr("Most pixels are taken for {label}, {{{others}}} for {kinds} other classes.").format(
        label=_said_label(answer, most),
        others=said(numbers.count(others), "how many given another class", of, (most,)),
        kinds=said(str(int((sizes > 0).sum()) - 1), "how many other classes", of, (most,)))


def _said_label(answer: Answer, index: int) -> str:
    return said(label(answer, index), "name of a class", answer.layer, (index,))


def score(trace: Trace, answer: Answer) -> Score:
    """Mean overlap, and how many pixels are right."""
    values = trace[answer.layer].output
    mean, (right, known) = mean_overlap(answer, values), right_pixels(answer, values)
    if not known:
        return ()
    return (*(() if mean is None else ((tr("mean IoU"), mean),)), (tr("pixels right"), right / known))


def draw(trace: Trace, answer: Answer, place: Where, look: Look) -> list[Mark]:
    """The mask."""
    return mask(answer, trace[answer.layer].output, place)


def mask(answer: Answer, values: Values, place: Where, current: int | None = None, rows_shown: float = 1.0,
         index: int = 0) -> list[Mark]:
    """Each pixel in the shade of its class, with its name beside each patch, the `current` one in the accent; of wrong
    pixels only the rim. `rows_shown` of 1: how much of it is there, from the top; `index`: of which class of the answer
    its pixels are for a click, −1 where that has none."""
    x, y, wide, high = place
    given, right = classes(values), truth_of(answer, values)
    rows, columns = given.shape
    cell = wide / columns, high / rows
    until = int(np.floor(rows * rows_shown))
    there = np.arange(rows)[:, None] < until
    marks: list[Mark] = [Image(x, y, cell, shades(answer, len(values), given)[None], "pixel", indices=(index,),
                               focus=Focus(answer.layer), rows_shown=rows_shown,
                               scale=Scale("pixel", english("class"), answer.layer, 0.0, len(values) - 1.0))]
    if current is not None and current != ground_of(answer):
        marks += _filled((given == current) & there, x, y, cell, "accent-fill")
    wrong = np.zeros_like(there) if right is None else (right != given) & (right != UNKNOWN) & there
    missed = wrong & (given == ground_of(answer))
    marks += _filled(missed, x, y, cell, "ink-2")
    marks += _filled(wrong, x, y, cell, "stage", 0.22)
    if rows_shown == 1:
        marks += _names(answer, given, place, cell, current)
    return marks


def right_mask(answer: Answer, values: Values, place: Where, current: int | None = None) -> list[Mark]:
    """The truth, in the same shades; hatched where it is not known."""
    x, y, wide, high = place
    right = truth_of(answer, values)
    if right is None:
        return [Rect(x, y, wide, high, "hatch")]
    cell = wide / right.shape[1], high / right.shape[0]
    unknown = right == UNKNOWN
    marks: list[Mark] = [Image(x, y, cell, shades(answer, len(values), np.where(unknown, 0, right))[None], "pixel",
                               indices=(-1,), hatched=unknown[None] if unknown.any() else None,
                               scale=Scale("pixel", english("class"), answer.layer, 0.0, len(values) - 1.0))]
    return marks + ([] if current is None or current == ground_of(answer) else
                    _filled(right == current, x, y, cell, "accent-fill"))


def shades(answer: Answer, count: int, given: Classes) -> colour.Entries:
    """Entries of the palette of pixels: the ground as paper, the others ever darker."""
    ground = ground_of(answer)
    others = [index for index in range(count) if index != ground]
    table = np.zeros(count, np.uint8)
    table[others] = np.rint(np.linspace(PALE, STRONG, len(others)))
    found: colour.Entries = table[given]
    return found


def _filled(where: NDArray[np.bool_], x: float, y: float, cell: tuple[float, float], fill: str,
            inset: float = 0.0) -> list[Mark]:
    """The pixels, those of a row that touch each other as one; each for itself, and smaller, with an `inset`."""
    wide, high = cell
    found: list[Points] = []
    for row in np.flatnonzero(where.any(axis=1)).tolist():
        line = np.flatnonzero(where[row])
        runs = np.split(line, np.flatnonzero(np.diff(line) > 1) + 1) if not inset else line[:, None]
        for run in runs:
            left, right = x + (run[0] + inset) * wide, x + (run[-1] + 1 - inset) * wide
            top, bottom = y + (row + inset) * high, y + (row + 1 - inset) * high
            a, b, c, d = (left, top), (right, top), (right, bottom), (left, bottom)
            found.append((a, a, b, b, b, c, c, c, d, d, d, a, a))
    return [Path(tuple(found), fill=fill)] if found else []


def _names(answer: Answer, given: Classes, place: Where, cell: tuple[float, float], current: int | None) -> list[Mark]:
    """The name of its class beside each patch, on the ground, where there is room."""
    x, y, wide, high = place
    labels = Labels((x, y, x + wide, y + high), 1)
    size = max(11.0, min(14.0, 3.5 * cell[1]))
    marks: list[Mark] = []
    for index, (top, left, bottom, right) in patches(given, ground_of(answer)):
        words, ahead = _said_label(answer, index), width(label(answer, index), size, 600)
        up, down = y + top * cell[1], y + (bottom + 1) * cell[1]
        ways = [(x + (right + 1) * cell[0] + 3, up + size, "start"), (x + left * cell[0] - 3, up + size, "end"),
                (x + (left + right + 1) / 2 * cell[0], down + size, "middle"),
                (x + (left + right + 1) / 2 * cell[0], up - 3, "middle")]
        free = [(left, base, anchor) for left, base, anchor in ways if not _covers(
            given, ground_of(answer), left - {"start": 0.0, "middle": ahead / 2, "end": ahead}[anchor] - x,
            base - 0.8 * size - y, ahead, 0.85 * size, cell)]
        marks += labels.put(words, free, size, 600, "accent-ink" if index == current else "ink")
    return marks


def _covers(given: Classes, ground: int | None, left: float, top: float, wide: float, high: float,
            cell: tuple[float, float]) -> bool:
    """Whether a place covers any pixel that is not the ground."""
    rows = slice(max(0, int(top // cell[1])), max(0, int((top + high) // cell[1]) + 1))
    columns = slice(max(0, int(left // cell[0])), max(0, int((left + wide) // cell[0]) + 1))
    return bool((given[rows, columns] != ground).any())


def patches(given: Classes, ground: int | None) -> tuple[Patch, ...]:
    """Each patch of one class but the ground, the largest first; pixels that touch at a corner belong together."""
    return _patches(np.ascontiguousarray(given, np.int64).tobytes(), given.shape, ground)


@lru_cache(maxsize=16)
def _patches(held: bytes, shape: tuple[int, int], ground: int | None) -> tuple[Patch, ...]:
    given = np.frombuffer(held, np.int64).reshape(shape)
    rows, columns = shape
    seen = given == ground if ground is not None else np.zeros(given.shape, bool)
    seen = seen.copy()
    found: list[tuple[int, Patch]] = []
    for start in zip(*np.nonzero(~seen), strict=True):
        if seen[start]:
            continue
        index, waiting, own = int(given[start]), [start], []
        seen[start] = True
        while waiting:
            row, column = waiting.pop()
            own.append((row, column))
            for near in ((row + down, column + right) for down in (-1, 0, 1) for right in (-1, 0, 1)):
                if 0 <= near[0] < rows and 0 <= near[1] < columns and not seen[near] and given[near] == index:
                    seen[near] = True
                    waiting.append(near)
        if len(own) >= LEAST_NAMED:
            cells = np.array(own)
            (top, left), (bottom, right) = cells.min(axis=0).tolist(), cells.max(axis=0).tolist()
            found.append((len(own), (index, (top, left, bottom, right))))
    return tuple(patch for _, patch in sorted(found, reverse=True))


def proportion(trace: Trace, answer: Answer) -> float:
    """Its rows for its columns."""
    rows, columns = trace[answer.layer].shape[-2:]
    return rows / columns


# --- what can be sent back --------------------------------------------------------------------------------------------

def scalar(answer: Answer, values: Values, words: str) -> Scalar | None:
    """`mask:4`, the numbers of class 4 at all pixels that are given that class, added up; `pixel:20,12`, the number of
    the class that this pixel is given, `pixel:4,20,12` that of class 4; or `logit:7`."""
    given = classes(values)
    if (match := MASK.fullmatch(words)) is not None:
        index = int(match[1])
        if index >= len(values):
            raise Refused(tr("There is no class {index}; there are {count}, counted from 0.").format(
                index=index, count=len(values)))
        if not (given == index).any():
            raise Refused(tr("No pixel is given the class {label}; choose one that is found.").format(
                label=label(answer, index)))
        factors = np.zeros(values.shape)
        factors[index] = given == index
        return Scalar(words, factors=factors)
    if (match := PIXEL.fullmatch(words)) is None:
        return picked(answer, values, words)
    three = match[1].count(",") == 2
    cell = place_of(match, values.shape if three else values.shape[1:], english("pixel"))
    return Scalar(words, ((cell if three else (int(given[cell]), *cell), 1.0),))


def wishes(answer: Answer, values: Values) -> tuple[str, ...]:
    """The mask of each class that is found, the largest first, and the most doubtful pixel."""
    sizes = np.bincount(classes(values).ravel(), minlength=len(values))
    order = sorted((index for index in range(len(values)) if sizes[index] and index != ground_of(answer)),
                   key=lambda index: -sizes[index])
    row, column = doubtful(answer, values)
    return (*(f"mask:{index}" for index in order), f"pixel:{row},{column}")


def called(trace: Trace, answer: Answer, wish: str) -> str:
    """The mask of a class by its name, and which pixel."""
    if (match := MASK.fullmatch(wish)) is not None:
        return tr("the mask of {label}").format(label=label(answer, int(match[1])))
    match = PIXEL.fullmatch(wish)
    return "" if match is None else tr("the score of pixel {pixel}").format(pixel=match[1].replace(",", ", "))


def pointed(answer: Answer, cell: Cell) -> str:
    """The score of the pixel, of the class that it is given."""
    return f"pixel:{cell[-2]},{cell[-1]}"


def judge(values: Values, truth: Any, settings: Mapping[str, Any]) -> tuple[int, int]:
    """How many pixels are right."""
    return right_pixels(Answer("", "segments", truth=None if truth is None else np.asarray(truth)), values)


ANSWER = AnswerKind(english("segments"), english("a class for each pixel"), never, sentence, draw, proportion, score,
                    scalar, wishes, called, pointed, loss="pixels", asks=("class of each pixel",), judge=judge,
                    along=("row", "column"))
