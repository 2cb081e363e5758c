"""Numbers as symbols: a row of zeros with a single 1, the bucket that a number falls in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from visualizer import said
from visualizer.kinds import Box, Inputs, Kind, Terms, _words
from visualizer.kinds._taps import all_seen, one, taps
from visualizer.language import english, listed, tr
from visualizer.trace import Cell, Layer


def one_hot_terms(layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """1 where the place is the number, else 0."""
    read = taps(inputs[0], "output", one(cell[:-1]))
    return Terms("function", (read,), float(read.values[0] == cell[-1]), formula=english("y = 1 where i is x, else 0"))


def one_hot_sentence(layer: Layer, inputs: Inputs) -> str:
    words = tr("Each of the {numbers} of {source} becomes a row of {count}: zeros, and a single 1 at the place that it "
               "names.")
    return _words.fixed(words, layer).format(
        numbers=_words.some(inputs[0].output.size, "number", *said.size(inputs[0])), source=inputs[0].name,
        count=_words.some(layer.shape[-1], "number", *said.axis(layer, layer.output.ndim - 1)))


def bucket_terms(layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """How many borders lie below the number."""
    numbers, borders = (inputs[0], inputs[1]) if layer.kind == "bucketize" else (inputs[1], inputs[0])
    read = taps(numbers, "output", one(cell[len(cell) - numbers.output.ndim:]))
    edges = borders.output if borders.output.ndim == 1 else borders.output.reshape(-1, borders.shape[-1])[
        int(np.ravel_multi_index(cell[:-1], borders.shape[:-1]))]
    right = layer.settings.get("right") or layer.settings.get("side") == "right"
    below = edges <= read.values[0] if right else edges < read.values[0]
    return Terms("function", (read,), float(below.sum()), formula=english("y = how many borders are below x"))


def bucket_sentence(layer: Layer, inputs: Inputs) -> str:
    return tr("Each number says in which bucket a number of {source} falls: {after} in all.").format(
        source=listed([source.name for source in inputs]), after=_words.shape(layer))


def nothing_back(layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    raise LookupError(tr("{layer} makes whole numbers, and no gradient flows back through those."
                         ).format(layer=layer.name))


def _same_place(layer: Layer, inputs: Inputs, which: int, box: Box) -> Box:
    return box[:-1]


def _one_more(settings: Mapping[str, Any], inputs: tuple[tuple[str, ...], ...],
              shape: tuple[int, ...]) -> tuple[str, ...]:
    return (*inputs[0], "symbol")


def _as_given(settings: Mapping[str, Any], inputs: tuple[tuple[str, ...], ...],
              shape: tuple[int, ...]) -> tuple[str, ...]:
    return next((names for names in inputs if len(names) == len(shape)), ())


KINDS = (
    Kind("one_hot", english("one number as a row"), {"one_hot": "input num_classes"}, _one_more, one_hot_terms,
         nothing_back, _same_place, one_hot_sentence),
    Kind("bucketize", english("buckets"), {"bucketize": "input boundaries out_int32 right"}, _as_given, bucket_terms,
         nothing_back, all_seen, bucket_sentence),
    Kind("searchsorted", english("buckets"), {"searchsorted": "sorted_sequence input out_int32 right side"}, _as_given,
         bucket_terms, nothing_back, all_seen, bucket_sentence),
)
