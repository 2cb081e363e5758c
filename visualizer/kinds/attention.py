"""Attention, wherever it is computed: shares of places, from a softmax, by which values of these places are added up.

It is found in what was recorded, whatever it was called in the model: a softmax whose numbers are multiplied with
values and added up along the axis over which they are shares, as a matrix product, an einsum, or a product and a sum.
Calls of one attention that weigh the same values, a row each, as in a decoder that goes on word by word, are one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.kinds._dims import batch_of
from visualizer.kinds.arithmetic import adds_along
from visualizer.kinds.contraction import multiplies, written
from visualizer.kinds.shape import origins
from visualizer.trace import Answer, Array, Cell, Layer, Trace, remembered

MOST = 1_000_000
"""Shares; of more no picture is made."""
MOST_HOPS = 64
"""So many layers are walked back at most from what is weighed to the maps that it was made of."""
MAPS = ("channel", "row", "column")
Values = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Row:
    """One step of an attention: which numbers of a softmax are its shares."""

    layer: str
    """The softmax."""
    index: int
    """Which of its rows it is, and of how many."""
    of: int
    context: str
    """What adds the values up."""


@dataclass(frozen=True, eq=False)
class Attention:
    """Step by step the shares of places."""

    name: str
    """That of the softmax, without the number of its call."""
    rows: tuple[Row, ...]
    weights: Values
    """(head, step, place)."""
    cells: Places
    """(head, step, place): flat places in the softmax of each row."""
    values: str
    """The layer in which the values that are weighed were computed."""
    weighed: str
    """What the product read them from."""
    gradients: Values | None
    """∂L/∂ the shares, (head, step, place); None where none came back."""
    contexts: tuple[Array | None, ...] = ()
    """For each step what was added up, (head, number), where that stands in rows; None where it does not."""

    @property
    def heads(self) -> int:
        return len(self.weights)

    @property
    def count(self) -> int:
        return len(self.rows)

    @property
    def places(self) -> int:
        return int(self.weights.shape[2])

    @cached_property
    def layers(self) -> frozenset[str]:
        """The softmaxes and what adds the values up."""
        return frozenset(name for row in self.rows for name in (row.layer, row.context))

    def cell(self, trace: Trace, head: int, step: int, place: int) -> Cell:
        """Where a share stands in its softmax."""
        shape = trace[self.rows[step].layer].shape
        return tuple(int(at) for at in np.unravel_index(int(self.cells[head, step, place]), shape))

    def step_at(self, layer: str, cell: Cell, trace: Trace) -> int | None:
        """Which step a cell of a softmax, or a row of what adds up, belongs to."""
        own = [number for number, row in enumerate(self.rows) if row.layer == layer]
        if own and cell and len(cell) == len(trace[layer].shape):
            flat = int(np.ravel_multi_index(cell, trace[layer].shape))
            found = [number for number in own if flat in self.cells[:, number]]
            return found[0] if found else None
        own = own or [number for number, row in enumerate(self.rows) if row.context == layer]
        return own[0] if len(own) == 1 else None


# --- finding it -----------------------------------------------------------------------------------------------------

@remembered(8)
def attentions(trace: Trace) -> tuple[Attention, ...]:
    """Every attention of a recording, in the order in which they are computed."""
    found: dict[tuple[str, str, int, int], list[Attention]] = {}
    for layer in trace.layers:
        for one in _of_product(trace, layer):
            key = (one.name, one.values, one.heads, one.places) if one.count == 1 else (one.rows[0].layer, "", 0, 0)
            found.setdefault(key, []).append(one)
    return tuple(_joined(calls) for calls in found.values())


def _joined(calls: list[Attention]) -> Attention:
    if len(calls) == 1:
        return calls[0]
    gradients = [one.gradients for one in calls if one.gradients is not None]
    return replace(calls[0], rows=tuple(row for one in calls for row in one.rows),
                   weights=np.concatenate([one.weights for one in calls], axis=1),
                   cells=np.concatenate([one.cells for one in calls], axis=1),
                   gradients=np.concatenate(gradients, axis=1) if len(gradients) == len(calls) else None,
                   contexts=tuple(each for one in calls for each in one.contexts))


def _of_product(trace: Trace, layer: Layer) -> Iterator[Attention]:
    for which, axis, other in _contracted(trace, layer):
        factor = _inputs_of(trace, layer)[which]
        if factor.output.size > MOST or factor.output.ndim == 0:
            continue
        way = _from_softmax(trace, factor)
        if way is None:
            continue
        softmax, places = way
        cells = np.moveaxis(places.reshape(factor.shape), axis, -1)
        if cells.shape[-1] < 2 or not _are_shares(softmax, cells):
            continue
        yield _attention(trace, layer, softmax, cells, _inputs_of(trace, layer)[other])


def _inputs_of(trace: Trace, layer: Layer) -> tuple[Layer, ...]:
    """The factors: those of the product that a sum reads."""
    return tuple(trace.inputs(trace[layer.reads[0]] if adds_along(layer) else layer))


def _contracted(trace: Trace, layer: Layer) -> Iterator[tuple[int, int, int]]:
    """(which factor, along which of its axes it is added up, which one it meets there)."""
    read = trace.inputs(layer)
    if multiplies(layer) and len(read) > 1:
        first, second = len(read) - 2, len(read) - 1
        if read[second].output.ndim:
            yield first, read[first].output.ndim - 1, second
            yield second, max(0, read[second].output.ndim - 2), first
    elif written(layer) and len(read) == 2:
        yield from _of_equation(str(layer.settings.get("equation", "")), read)
    elif adds_along(layer) and len(read) == 1 and kinds.role(read[0]) == "product" and len(read[0].reads) == 2:
        axis = _axis(layer, read[0].output.ndim)
        factors = trace.inputs(read[0])
        for which in (0, 1) if axis is not None else ():
            own = axis - read[0].output.ndim + factors[which].output.ndim if axis is not None else -1
            if own >= 0 and axis is not None and factors[which].shape[own] == read[0].shape[axis]:
                yield which, own, 1 - which


def _of_equation(equation: str, read: tuple[Layer, ...]) -> Iterator[tuple[int, int, int]]:
    """`bqk,bkd->bqd`: the one letter that both have and the result has not."""
    left, arrow, result = equation.replace(" ", "").partition("->")
    words = left.split(",")
    if not arrow or len(words) != 2 or "." in equation:
        return
    gone = [letter for letter in words[0] if letter in words[1] and letter not in result]
    if len(gone) != 1:
        return
    for which, word in enumerate(words):
        axis = word.index(gone[0]) - (len(word) - read[which].output.ndim)
        if 0 <= axis < read[which].output.ndim:
            yield which, axis, 1 - which


def _axis(layer: Layer, axes: int) -> int | None:
    """The one axis, without the batch, that a sum or a softmax goes along."""
    dim, batch = layer.settings.get("dim"), batch_of(layer.settings, 0)
    if isinstance(dim, tuple | list):
        dim = dim[0] if len(dim) == 1 else None
    if not isinstance(dim, int):
        return None
    full = axes + (batch is not None)
    dim %= full
    if batch is None:
        return dim
    return None if dim == batch else dim - (dim > batch)


def _from_softmax(trace: Trace, factor: Layer) -> tuple[Layer, Places] | None:
    """The softmax whose numbers a layer hands on as they are, and for each of its numbers the flat place there."""
    layer, places = factor, np.arange(factor.output.size, dtype=np.int64)
    while not kinds.shares(layer):
        if len(layer.reads) != 1 or layer.weights:
            return None
        (source,) = trace.inputs(layer)
        moved = origins(layer, (source,))
        if moved is not None:
            places = np.asarray(moved, np.int64)[places]
            if (places < 0).any():
                return None
        elif not _hands_on(layer, source):
            return None
        layer = source
    return layer, places


def _hands_on(layer: Layer, source: Layer) -> bool:
    """Whether a layer gives what it reads as it is, such as dropout that is off."""
    kind = kinds.of(layer)
    return kind is not None and kind.moves_only and layer.shape == source.shape and \
        np.array_equal(layer.output, source.output, equal_nan=True)


def _are_shares(softmax: Layer, cells: Places) -> bool:
    """Whether every row is all shares of one whole."""
    axis = _axis(softmax, softmax.output.ndim)
    if axis is None or cells.shape[-1] != softmax.shape[axis]:
        return False
    at = np.unravel_index(cells, softmax.shape)
    same = all((each == each[..., :1]).all() for number, each in enumerate(at) if number != axis)
    return same and bool((np.sort(at[axis], axis=-1) == np.arange(softmax.shape[axis])).all())


def _attention(trace: Trace, layer: Layer, softmax: Layer, cells: Places, values: Layer) -> Attention:
    lead = cells.shape[:-1]
    cells = cells.reshape(-1, lead[-1] if lead else 1, cells.shape[-1])
    taken = softmax.output.astype(np.float64).reshape(-1)
    back = None if softmax.gradient is None else softmax.gradient.astype(np.float64).reshape(-1)[cells]
    steps = cells.shape[1]
    rows = tuple(Row(softmax.name, step, steps, layer.name) for step in range(steps))
    return Attention(softmax.name.partition("#")[0], rows, taken[cells], cells, _computed(trace, values), values.name,
                     back, _contexts(layer, cells.shape[0], steps, len(lead) > 1))


def _contexts(layer: Layer, heads: int, steps: int, headed: bool) -> tuple[Array | None, ...]:
    """Of each step what was added up, where heads and steps are the first axes of it."""
    made = layer.output
    if made.ndim and made.size % (heads * steps) == 0:
        if headed and made.shape[:-1] and int(np.prod(made.shape[:-1])) == heads * steps:
            rows = made.reshape(heads, steps, -1)
            return tuple(rows[:, step] for step in range(steps))
        if heads == 1 and made.ndim == 2 and len(made) == steps:
            return tuple(made[step][None] for step in range(steps))
        if heads == steps == 1:
            return (made.reshape(1, -1),)
    return (None,) * steps


def _computed(trace: Trace, layer: Layer) -> str:
    """The layer that computed what another only lays out anew."""
    while len(layer.reads) == 1 and not layer.weights and _lays_out(trace, layer):
        layer = trace[layer.reads[0]]
    return layer.name


def _lays_out(trace: Trace, layer: Layer) -> bool:
    kind = kinds.of(layer)
    return origins(layer, trace.inputs(layer)) is not None or (
        kind is not None and kind.moves_only and kind.role not in ("directions", "state"))


# --- what it belongs to ---------------------------------------------------------------------------------------------

@remembered(16)
def maps_of(trace: Trace, attention: Attention) -> Layer | None:
    """The nearest maps whose places are weighed: what is weighed was made of them place by place; None where it was
    made of something else."""
    ahead, seen, places = [trace[attention.weighed]], set[str](), attention.places
    while ahead and len(seen) < MOST_HOPS:
        layer = ahead.pop(0)
        if layer.name in seen or layer.is_input:
            continue
        seen.add(layer.name)
        if layer.axes == MAPS and grid_of(layer)[0] * grid_of(layer)[1] == places and min(grid_of(layer)) > 1:
            return layer
        if places in layer.shape or any(one * other == places for one, other in pairwise(layer.shape)):
            ahead += trace.inputs(layer)
    return None


def grid_of(maps: Layer) -> tuple[int, int]:
    """Rows and columns of maps."""
    return int(maps.shape[1]), int(maps.shape[2])


@remembered(8)
def scored(trace: Trace, answer: Answer) -> tuple[tuple[str, int], ...]:
    """For each step of an answer the layer that computed its scores, and which row of it they are."""
    layer = trace[answer.layer]
    start = trace.inputs(layer)[0] if kinds.shares(layer) else layer
    found = []
    for step in range(len(start.output)):
        layer, place = start, step * start.shape[-1]
        while (moved := origins(layer, trace.inputs(layer))) is not None and moved[place] >= 0:
            place = int(moved[place])
            for source in trace.inputs(layer):
                if place < source.output.size:
                    break
                place -= source.output.size
            layer = source
        found.append((layer.name, place // layer.shape[-1]))
    return tuple(found)
