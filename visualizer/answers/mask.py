"""A mask: which pixels belong to what is looked for, by a number each.

A model says of it: `score` (`logit` where the numbers still go through a sigmoid), `threshold` (0.5), and of several
channels `channel`, which one is meant.
"""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from visualizer.answers import AnswerKind, Right, Scalar, Score, Values, Where, never, picked, picture_of, place_of
from visualizer.language import english, tr
from visualizer.said import said
from visualizer.scene import colour, numbers
from visualizer.scene.picture import Focus, Image, Look, Mark, Path, Points, Rect, Scale
from visualizer.trace import Answer, Refused, Trace

WISH = re.compile(r"pixel:(\d{1,9},\d{1,9})")


def chances(answer: Answer, values: Values) -> NDArray[np.float64]:
    """How likely each pixel (row, column) belongs to it."""
    one = (values if values.ndim == 2 else values[int(answer.settings.get("channel", 0))]).astype(np.float64)
    found: NDArray[np.float64] = 1 / (1 + np.exp(-one)) if answer.settings.get("score") == "logit" else one
    return found


def inside(trace: Trace, answer: Answer) -> NDArray[np.bool_]:
    """The pixels that are taken to belong to it."""
    least = float(answer.settings.get("threshold", 0.5))
    found: NDArray[np.bool_] = chances(answer, trace[answer.layer].output) > least
    return found


def sentence(trace: Trace, answer: Answer) -> str:
    """How many pixels, and how much they overlap the right ones."""
    found = inside(trace, answer)
    measured = score(trace, answer)
    words = tr("The network takes {{{count} of {all}}} pixels to belong to it; they overlap the right ones by "
               "{share}.") \
        if measured else tr("The network takes {{{count} of {all}}} pixels to belong to it.")
    return words.format(
                        count=said(numbers.count(int(found.sum())), "how many pixels belong to it", answer.layer),
                        all=said(numbers.count(found.size), "how many pixels", answer.layer),
                        share=said(numbers.percent(measured[0][1], 0), "overlap of the masks", answer.layer)
                        if measured else "")


def score(trace: Trace, answer: Answer) -> Score:
    """Overlap with the right mask: shared pixels over all that either has, and Dice's coefficient."""
    found = inside(trace, answer)
    if answer.truth is None or answer.truth.size != found.size:
        return ()
    truth = answer.truth.reshape(found.shape) > 0.5
    shared, either = int((found & truth).sum()), int((found | truth).sum())
    both = int(found.sum()) + int(truth.sum())
    return (tr("overlap (IoU)"), shared / either if either else 1.0), (tr("Dice"), 2 * shared / both if both else 1.0)


def draw(trace: Trace, answer: Answer, place: Where, look: Look) -> list[Mark]:
    """What was fed in, what does not belong to it veiled, the edge of the mask, and dashed that of the right one."""
    x, y, wide, high = place
    found = inside(trace, answer)
    rows, columns = found.shape
    cell = wide / columns, high / rows
    seen, marks = picture_of(trace), list[Mark]()
    if seen is not None:
        low, top = float(seen.min()), float(seen.max())
        marks.append(Image(x, y, (wide / seen.shape[1], high / seen.shape[0]), colour.unit(seen, low, top)[None],
                           "pixel", border="tile-border", focus=Focus(answer.layer), indices=(-1,),
                           scale=Scale("pixel", "pixels", trace.layers[0].name, low, top)))
    outside = tuple(_square(x + column * cell[0], y + row * cell[1], *cell) for row, column in np.argwhere(~found))
    if outside:
        marks.append(Path(outside, fill="stage", opacity=0.55))
    marks += [Path(edges, stroke="accent", width=2) for edges in (_edges(found, x, y, cell),) if edges]
    if answer.truth is not None and answer.truth.size == found.size:
        edges = _edges(answer.truth.reshape(found.shape) > 0.5, x, y, cell)
        marks += [Path(edges, stroke="ink", width=1.2, dashed=True)] if edges else []
    marks.append(Rect(x, y, wide, high, "", "tile-border", 1))
    return marks


def _square(x: float, y: float, wide: float, high: float) -> Points:
    a, b, c, d = (x, y), (x + wide, y), (x + wide, y + high), (x, y + high)
    return a, a, b, b, b, c, c, c, d, d, d, a, a


def _edges(mask: NDArray[np.bool_], x: float, y: float, cell: tuple[float, float]) -> tuple[Points, ...]:
    """The sides between pixels that belong to it and pixels that do not."""
    padded = np.pad(mask, 1)
    found: list[Points] = []
    for row, column in np.argwhere(padded[1:, 1:-1] != padded[:-1, 1:-1]).tolist():
        a, b = (x + column * cell[0], y + row * cell[1]), (x + (column + 1) * cell[0], y + row * cell[1])
        found.append((a, a, b, b))
    for row, column in np.argwhere(padded[1:-1, 1:] != padded[1:-1, :-1]).tolist():
        a, b = (x + column * cell[0], y + row * cell[1]), (x + column * cell[0], y + (row + 1) * cell[1])
        found.append((a, a, b, b))
    return tuple(found)


def proportion(trace: Trace, answer: Answer) -> float:
    """Its rows for its columns."""
    rows, columns = trace[answer.layer].shape[-2:]
    return rows / columns


def right(answer: Answer, values: Values, truth: Values) -> Right:
    """Each pixel should be as the right mask has it."""
    likely = chances(answer, values)
    if truth.size != likely.size:
        refused = tr("A mask of {size} pixels needs a right one of as many, and {other} numbers were given.")
        raise Refused(refused.format(size=numbers.shape(likely.shape), other=numbers.count(truth.size)))
    return Right(chances=(truth.reshape(likely.shape) > 0.5).astype(np.float64),
                 slice=None if values.ndim == 2 else (0, int(answer.settings.get("channel", 0))),
                 logits=answer.settings.get("score") == "logit")


def scalar(answer: Answer, values: Values, words: str) -> Scalar | None:
    """`sum` of all numbers of the mask, `pixel:3,4`, or `logit:7`."""
    channel = () if values.ndim == 2 else (int(answer.settings.get("channel", 0)),)
    if words == "sum" and (values.ndim == 2 or len(values) == 1):
        return Scalar(words)
    match = WISH.fullmatch(words)
    if match is None:
        return picked(answer, values, words)
    return Scalar(words, (((*channel, *place_of(match, values.shape[-2:], english("pixel"))), 1.0),))


def wishes(answer: Answer, values: Values) -> tuple[str, ...]:
    """All of the mask, or its surest pixel."""
    likely = chances(answer, values)
    surest = ",".join(str(int(index)) for index in np.unravel_index(int(np.argmax(likely)), likely.shape))
    return ("sum", f"pixel:{surest}") if values.ndim == 2 or len(values) == 1 else (f"pixel:{surest}",)


ANSWER = AnswerKind(english("mask"), english("which pixels belong to it"), never, sentence, draw, proportion, score,
                    scalar, wishes,
                    right=right, asks=("mask",))
