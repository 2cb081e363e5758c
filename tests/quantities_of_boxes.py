"""Quantities of boxes, worked out from the numbers of the answer and what its card says of them, with plain loops in
float64: the part of tests/quantities.py about what is proposed, kept and dropped."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tests.quantities import gradient, quantity, words
from visualizer.trace import Trace

EDGES = ("left", "top", "right", "bottom")
Box = dict[str, Any]


def boxes(trace: Trace, layer: str) -> list[Box]:
    """Every row, or every cell of the grid in reading order: place, score, edges in pixels, and shares of labels."""
    answer = next(each for each in trace.answers if each.layer == layer)
    told = dict(answer.settings)
    columns = told.get("columns", ["score", *EDGES])
    columns = columns.split() if isinstance(columns, str) else list(columns)
    values, stride = np.asarray(trace[layer].output, np.float64), float(told.get("stride", 1))
    places = [(row,) for row in range(len(values))] if values.ndim == 2 else \
        [(row, column) for row in range(values.shape[1]) for column in range(values.shape[2])]
    found = []
    for place in places:
        row = values[place[0]] if values.ndim == 2 else values[:, place[0], place[1]]
        numbers = [float(number) for number in row]
        edges = [numbers[columns.index(edge)] for edge in EDGES]
        away = [edge if values.ndim == 2 else stride * edge for edge in edges]
        if values.ndim == 3:
            x, y = (place[1] + 0.5) * stride, (place[0] + 0.5) * stride
            edges = [x - away[0], y - away[1], x + away[2], y + away[3]]
        raw = numbers[columns.index("score")]
        score = 1 / (1 + math.exp(-raw)) if told.get("score") == "logit" else raw
        scores = numbers[len(columns):]
        if told.get("score") == "logit" and scores:
            total = sum(math.exp(each - max(scores)) for each in scores)
            scores = [math.exp(each - max(scores)) / total for each in scores]
        found.append({"place": place, "score": score, "edges": edges, "away": [abs(each) for each in away],
                      "shares": scores})
    return found


def overlap(one: list[float], other: list[float]) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    shared = wide * high if wide > 0 and high > 0 else 0.0
    area = sum(max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1]) for box in (one, other))
    return shared / (area - shared) if area > shared else 0.0


def likely(trace: Trace, layer: str, least: float) -> list[Box]:
    found = [box for box in boxes(trace, layer) if box["score"] > least]
    for end in range(len(found), 1, -1):  # bubble sort: equal ones keep their order
        for at in range(end - 1):
            if found[at]["score"] < found[at + 1]["score"]:
                found[at], found[at + 1] = found[at + 1], found[at]
    return found


def suppression(trace: Trace, layer: str, least: float, most: float) -> list[tuple[Box, list[Box]]]:
    """(kept, dropped) of each step."""
    waiting, steps = likely(trace, layer, least), []
    while waiting:
        kept, rest = waiting[0], waiting[1:]
        steps.append((kept, [box for box in rest if overlap(kept["edges"], box["edges"]) > most]))
        waiting = [box for box in rest if overlap(kept["edges"], box["edges"]) <= most]
    return steps


def _asked(trace: Trace, said: Any) -> tuple[float, float]:
    if said.array:
        least, most = map(float, said.array.split())
        return least, most
    answer = next(each for each in trace.answers if each.layer == said.layer)
    return float(answer.settings.get("threshold", 0.5)), float(answer.settings.get("overlap", 0.5))


def _steps(trace: Trace, said: Any) -> list[tuple[Box, list[Box]]]:
    return suppression(trace, said.layer, *_asked(trace, said))


def _at(trace: Trace, said: Any, count: int) -> Box:
    """The box of a claim, whose first indices are its place."""
    place = said.cell[:count]
    return next(box for box in boxes(trace, said.layer) if box["place"] == place)


def _rank(trace: Trace, said: Any) -> int:
    return trace[said.layer].output.ndim - 1


quantity("boxes proposed")(lambda trace, said: len(boxes(trace, said.layer)))
quantity("boxes above a threshold")(lambda trace, said: len(likely(trace, said.layer, float(said.array))))
quantity("boxes kept")(lambda trace, said: len(_steps(trace, said)))
quantity("how many boxes")(lambda trace, said: len(_steps(trace, said)))
quantity("steps of suppression")(lambda trace, said: min(24, len(_steps(trace, said))))
quantity("score of a place")(lambda trace, said: _at(trace, said, _rank(trace, said))["score"])
quantity("score of the surest place")(lambda trace, said: max(box["score"] for box in boxes(trace, said.layer)))
quantity("score of the surest box")(lambda trace, said: _steps(trace, said)[0][0]["score"])
quantity("share of a label")(lambda trace, said: _at(trace, said, _rank(trace, said))["shares"][said.cell[-1]])
quantity("share of all other labels")(lambda trace, said: sum(sorted(
    _at(trace, said, _rank(trace, said))["shares"])[:-9]))
quantity("pixels to an edge")(lambda trace, said: _at(trace, said, _rank(trace, said))["away"][said.cell[-1]])
quantity("edge of a box")(lambda trace, said: _at(trace, said, _rank(trace, said))["edges"][said.cell[-1]])


@words("label of a box")
def label(trace: Trace, said: Any) -> str:
    """The name of a label of the answer; where it was cut, as much of it as stands there."""
    labels = next(each for each in trace.answers if each.layer == said.layer).labels
    name = labels[said.cell[0]] if said.cell[0] < len(labels) else str(said.cell[0])
    return said.text if said.text.endswith("…") and name.startswith(said.text[:-1]) else name


@quantity("side of the surest box")
def side(trace: Trace, said: Any) -> float:
    edges = _steps(trace, said)[0][0]["edges"]
    return edges[2 + said.cell[0]] - edges[said.cell[0]]


@quantity("overlap of two boxes")
def of_two(trace: Trace, said: Any) -> float:
    rank = _rank(trace, said)
    one, other = (_at(trace, said._replace(cell=part), rank) for part in (said.cell[:rank], said.cell[rank:]))
    return overlap(one["edges"], other["edges"])


def _truth(trace: Trace, said: Any) -> list[list[float]]:
    truth = next(each for each in trace.answers if each.layer == said.layer).truth
    return [[float(edge) for edge in row[:4]] for row in truth]


@quantity("overlap with the truth")
def with_truth(trace: Trace, said: Any) -> float:
    box = _at(trace, said, _rank(trace, said))
    return max(overlap(box["edges"], right) for right in _truth(trace, said))


def matches(trace: Trace, said: Any) -> tuple[list[float], int]:
    """The overlap of each right box with the one found for it, and how many are kept; each is found for one."""
    free = [kept["edges"] for kept, _ in _steps(trace, said)]
    count, shares = len(free), []
    for right in _truth(trace, said):
        best = max(free, key=lambda edges: overlap(edges, right), default=None)
        shares.append(0.0 if best is None else overlap(best, right))
        if shares[-1] > 0:
            free.remove(best)
    return shares, count


quantity("mean overlap with the truth")(lambda trace, said: float(np.mean(matches(trace, said)[0])))
quantity("overlap of the boxes")(lambda trace, said: float(np.mean(matches(trace, said)[0])))
quantity("right boxes missing")(lambda trace, said: sum(share < 0.5 for share in matches(trace, said)[0]))


@quantity("boxes for nothing")
def for_nothing(trace: Trace, said: Any) -> float:
    shares, count = matches(trace, said)
    return count - sum(share >= 0.5 for share in shares)


@quantity("step of suppression")
def step(trace: Trace, said: Any) -> float:
    assert 0 <= said.cell[0] < len(_steps(trace, said))
    return said.cell[0] + 1


@quantity("beat of suppression")
def beat(trace: Trace, said: Any) -> float:
    """The step that keeps or drops a box; the twenty-fourth beat does all that are left."""
    for number, (kept, dropped) in enumerate(_steps(trace, said), 1):
        if said.cell in [box["place"] for box in (kept, *dropped)]:
            return min(number, 24)
    raise AssertionError(said)


@quantity("boxes left")
def left(trace: Trace, said: Any) -> float:
    steps = _steps(trace, said)
    until = len(steps) if said.cell[0] == 24 else said.cell[0]
    return len(likely(trace, said.layer, _asked(trace, said)[0])) - sum(len(gone) for _, gone in steps[:until])


quantity("boxes dropped in a step")(lambda trace, said: len(_steps(trace, said)[said.cell[0]][1]))
quantity("boxes dropped in a beat")(lambda trace, said: -sum(
    len(gone) for _, gone in _steps(trace, said)[said.cell[0]:None if said.cell[0] == 23 else said.cell[0] + 1]))


@quantity("number of a likely box")
def number(trace: Trace, said: Any) -> float:
    assert 0 <= said.cell[0] < len(likely(trace, said.layer, float(said.array)))
    return said.cell[0] + 1


@quantity("share of the gradient in a box")
def in_a_box(trace: Trace, said: Any) -> float:
    """Of the sizes of the gradient at all pixels, over channels, those whose middle lies in the box."""
    given = gradient(trace, said._replace(layer=trace.layers[0].name, cell=(), array=""))
    left, top, right, bottom = _at(trace, said, _rank(trace, said))["edges"]
    inside = total = 0.0
    for row in range(given.shape[1]):
        for column in range(given.shape[2]):
            size = math.sqrt(sum(float(each) ** 2 for each in given[:, row, column]))
            total += size
            inside += size if top <= row + 0.5 <= bottom and left <= column + 0.5 <= right else 0.0
    return inside / total
