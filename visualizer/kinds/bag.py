"""Embedding bag: the rows of a table that belong to several tokens, added, averaged, or the largest of each unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from visualizer import said
from visualizer.kinds import Inputs, Kind, Terms, _words
from visualizer.kinds._taps import Cells, Numbers, added, all_seen, gradient_taps, largest, taps
from visualizer.language import english, tr
from visualizer.trace import Cell, Layer


def bag_terms(layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """One unit of every row in the bag."""
    rows, shares, _ = _bag(layer, inputs, cell)
    cells = np.column_stack([rows, np.full(len(rows), cell[-1])]).astype(np.int64)
    read = taps(layer, "weights.weight", cells, shares, weight_cells=cells)
    if not len(rows):
        return added(read, formula=english("y = Σ W[token]"))
    if _mode(layer) == "max":
        return largest(read, english("y = max W[token]"))
    return added(read, formula=english("y = Σ W[token] / n") if _mode(layer) == "mean" else english("y = Σ W[token]"))


def bag_backward(layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """To the share of a token: the gradient of its bag times its row; to the tokens nothing."""
    if which == 0 or which != len(inputs) - 1 or inputs[which].output.dtype.kind != "f":
        raise LookupError(tr("{layer} reads whole numbers, and no gradient flows back to those."
                             ).format(layer=layer.name))
    table = layer.weights["weight"].astype(np.float64)
    token = int(inputs[0].output.reshape(-1)[int(np.ravel_multi_index(cell, inputs[which].shape))])
    bag = next(place for place in _bags(layer) if _holds(layer, inputs, place, cell))
    units = np.arange(table.shape[1])
    cells = np.column_stack([np.tile(np.array(bag, dtype=np.int64), (len(units), 1)), units])
    return added(gradient_taps(layer, cells, table[token]), formula=english("∂L/∂s = Σ ∂L/∂y·W[token]"))


def bag_weight(layer: Layer, inputs: Inputs, name: str, cell: Cell) -> Terms:
    """The gradient of every bag that held this token, as often as it did."""
    row, unit = cell
    where, shares = [], []
    for bag in _bags(layer):
        rows, share, _ = _bag(layer, inputs, (*bag, unit))
        if _mode(layer) == "max" and len(rows):
            best = rows == rows[int(np.argmax(layer.weights["weight"][rows, unit]))]
            share = np.zeros(len(rows))
            share[int(np.flatnonzero(best)[0])] = 1.0
        found = float(share[rows == row].sum())
        if (rows == row).any():
            where.append((*bag, unit))
            shares.append(found)
    cells = np.array(where, dtype=np.int64).reshape(len(where), layer.output.ndim)
    return added(gradient_taps(layer, cells, np.array(shares)), formula=english("∂L/∂W[token] = Σ ∂L/∂y"))


def bag_sentence(layer: Layer, inputs: Inputs) -> str:
    rows, size = layer.weights["weight"].shape
    does = {"sum": tr("{tokens} are looked up in a table of {rows}, and their rows of {numbers} are added: values lie "
                      "{spread}."),
            "mean": tr("{tokens} are looked up in a table of {rows}, and their rows of {numbers} are averaged: values "
                       "lie {spread}."),
            "max": tr("{tokens} are looked up in a table of {rows}, and the largest of their {numbers} are kept: "
                      "values lie {spread}.")}[_mode(layer)]
    return does.format(tokens=_words.some(inputs[0].output.size, "token", *said.size(inputs[0])),
                       rows=_words.some(rows, "row", *said.axis(layer, 0, "weights.weight")),
                       numbers=_words.some(size, "number", *said.axis(layer, 1, "weights.weight")),
                       spread=_words.spread(layer))


def _mode(layer: Layer) -> str:
    mode = layer.settings.get("mode", "mean")
    return ("sum", "mean", "max")[mode] if isinstance(mode, int) else str(mode)


def _bags(layer: Layer) -> list[Cell]:
    return [tuple(map(int, place)) for place in np.ndindex(layer.shape[:-1])]


def _members(layer: Layer, inputs: Inputs, bag: Cell) -> Cells:
    """The flat places of the tokens in a bag: a row of the input, or from one offset to the next."""
    tokens, number = inputs[0].output, bag[0] if bag else 0
    offsets = next((source.output.reshape(-1) for source in inputs[1:] if source.output.dtype.kind in "iu"), None)
    if offsets is None:
        width = tokens.shape[-1]
        return np.arange(number * width, (number + 1) * width)
    end = int(offsets[number + 1]) if number + 1 < len(offsets) else tokens.size
    return np.arange(int(offsets[number]), end)


def _holds(layer: Layer, inputs: Inputs, bag: Cell, cell: Cell) -> bool:
    place = int(np.ravel_multi_index(cell, inputs[-1].shape))
    return bool((_members(layer, inputs, bag) == place).any())


def _bag(layer: Layer, inputs: Inputs, cell: Cell) -> tuple[Cells, Numbers, Cells]:
    """(rows, with what each counts, places of the tokens); the padding token is left out."""
    places = _members(layer, inputs, cell[:-1])
    rows = inputs[0].output.reshape(-1)[places].astype(np.int64)
    padding = layer.settings.get("padding_idx")
    kept = rows != (padding % len(layer.weights["weight"]) if isinstance(padding, int) and padding >= 0 else -1)
    shares = np.ones(len(rows))
    if len(inputs) > 1 and inputs[-1].output.dtype.kind == "f":
        shares = inputs[-1].output.reshape(-1)[places].astype(np.float64)
    rows, shares, places = rows[kept], shares[kept], places[kept]
    return rows, shares / max(len(rows), 1) if _mode(layer) == "mean" else shares, places


def _axes(settings: Mapping[str, Any], inputs: tuple[tuple[str, ...], ...], shape: tuple[int, ...]) -> tuple[str, ...]:
    first: tuple[str, ...] = ("batch",) if shape[:1] == (1,) and inputs[0][:1] == ("batch",) else ("bag",)
    return (*first, "unit")


KINDS = (
    Kind("embedding_bag", english("embedding bag"),
         {"embedding_bag": "input weight offsets max_norm norm_type scale_grad_by_freq mode sparse per_sample_weights "
                           "include_last_offset padding_idx"}, _axes, bag_terms, bag_backward, all_seen, bag_sentence,
         bag_weight),
)
