"""Which places of the last maps the score of a class comes from: each number of them times how the score changes with
it. Behind maps that are only averaged and weighed these products and the bias are the score; for an average over all
places that is the class activation map of Zhou et al. (2016), for maps laid out in a row HiResCAM (Draelos and Carin
2020). With the changes averaged over the places it is Grad-CAM (Selvaraju et al. 2017), which is the same for the
former, and not for the latter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.trace import Array, Layer, Trace, remembered

STUDY = "places"
MOST_CLASSES, MOST_NUMBERS = 16, 4_000_000
"""Of more classes those with the largest scores are measured; and of more numbers none."""
LINEAR = frozenset({"flatten", "reshape", "view", "squeeze", "unsqueeze", "mean", "avg_pool2d", "adaptive_avg_pool2d",
                    "dropout", "linear", "permute", "transpose", "identity"})
"""What may stand between the maps and the scores, if these are to be no more than weighed sums of them."""
LARGEST = frozenset({"max_pool2d", "adaptive_max_pool2d"})
"""As good as that: the largest number is handed on as it is, and twice all numbers are twice the largest."""
AVERAGES = ("avg_pool2d", "adaptive_avg_pool2d", *LARGEST)
Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ends:
    """How a network comes from maps to the scores of classes."""

    maps: Layer
    """The last ones: (channel, row, column)."""
    scores: Layer
    """(class,), before they are made probabilities."""
    linear: bool


@remembered(8)
def ends(trace: Trace) -> Ends | None:
    """The last maps and the scores, of a network that answers with one class; None for any other."""
    answer = next((each for each in trace.answers if each.chooses), None)
    if answer is None or answer.layer not in trace:
        return None
    scores = trace[answer.layer]
    if kinds.shares(scores) and scores.reads:
        scores = trace[scores.reads[0]]
    if scores.output.ndim != 1 or len(scores.output) < 2:
        return None
    behind, maps = [scores], scores
    while not maps.has("row", "column") and len(maps.reads) == 1:
        maps = trace[maps.reads[0]]
        behind.append(maps)
    while maps.kind in AVERAGES and len(maps.reads) == 1 and trace[maps.reads[0]].axes == maps.axes \
            and maps.output[0].size == 1:
        maps = trace[maps.reads[0]]
        behind.append(maps)
    if maps.axes != ("channel", "row", "column") or maps.is_input or maps.output[0].size < 2 \
            or maps.output.size * min(MOST_CLASSES, len(scores.output)) > MOST_NUMBERS:
        return None
    return Ends(maps, scores, all(layer.kind in LINEAR | LARGEST for layer in behind[:-1]))


def measured(scores: Array) -> NDArray[np.int64]:
    """The classes whose maps are measured, the largest scores where there are many."""
    order = np.argsort(-np.asarray(scores, np.float64), kind="stable")[:MOST_CLASSES]
    return np.sort(order)


def products(maps: Array, slopes: Array, averaged: bool = False) -> Values:
    """(channel, row, column): what each number of the maps gives to a score; with slopes averaged over the places."""
    by = np.asarray(slopes, np.float64)
    return np.asarray(maps, np.float64) * (by.mean((1, 2), keepdims=True) if averaged else by)
