"""What only lays numbers out anew: rows peel off into the column, axes turn, a rim grows, one step slides out.

On the way back the gradient goes the same ways in the other direction; where a number went to several places it adds
up, and what was cut off gets exactly nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.kinds.shape import origins
from visualizer.language import tr
from visualizer.motions import Frame, Motion, Setting, window
from visualizer.motions._travel import (
    Cells,
    Ways,
    arriving,
    handed_along,
    in_parcels,
    landed,
    moved,
    returning,
    seconds_along,
)
from visualizer.scene import numbers
from visualizer.trace import Array, Layer, Trace, remembered

LAYS_OUT = ("select", "narrow", "slice", "getitem", "unbind", "chunk", "split", "tensor_split", "gather", "take",
            "pick", "masked_select", "diagonal", "flip", "flipud", "fliplr", "rot90", "roll", "repeat",
            "repeat_interleave", "repeat_by", "expand", "expand_as", "broadcast_to", "meshgrid", "reshape_as",
            "pixel_unshuffle", "channel_shuffle", "pad", "tril", "triu", "diag", "diag_embed", "copy", "real_part",
            "imaginary_part", "complex", "view_as_real", "assign", "scatter", "index_fill", "max_unpool",
            "sliding_windows", "unfold", "written", "masked_scatter", "put", "fill_diagonal")
WON = ("sort", "topk", "max", "min", "median", "kthvalue", "cummax", "cummin")
"""Kinds of which each number is one of a line, told by its place there; the gradient goes back to it alone."""
PARTS = {"real_part": 0, "imaginary_part": 1}
"""Which part of a complex number is taken; its parts are its last axis."""
MOST = 60_000
"""Numbers; larger layers uncover in reading order."""
ASKED = 4096
"""Numbers whose origin is asked for one by one."""
RINGS = 6
"""Rings of a rim at most that grow one by one."""


def suits(layer: Layer) -> bool:
    kind = kinds.of(layer)
    return kind is not None and layer.output.ndim > 0 and bool(layer.reads) and layer.output.size <= MOST \
        and (kind.moves_only or layer.kind in LAYS_OUT or (layer.kind in WON and layer.settings.get("part") != 1))


def forward(setting: Setting) -> Frame:
    """Parcels on their way from where they stood to where they will stand."""
    ways = ways_of(setting.trace, setting.layer.name)
    if ways is None:
        return window.forward(setting)
    done = landed(ways.count, setting.second)
    return arriving(setting, ways, _said(setting, ways, done), counted(done, ways.count), leaves=True)


def backward(setting: Setting) -> Frame:
    """The same ways back."""
    return returning(setting, ways_of(setting.trace, setting.layer.name), _said_back, counted)


def seconds(trace: Trace, layer: Layer, back: str) -> float:
    ways = ways_of(trace, layer.name)
    return seconds_along(trace, layer, ways, back)


def hands(trace: Trace, layer: Layer, name: str) -> Array | None:
    """All that goes the same ways back."""
    ways = ways_of(trace, layer.name)
    return None if ways is None or layer.gradient is None else handed_along(ways, name, trace)


# --- which number goes where -----------------------------------------------------------------------------------------

@remembered(64)
def ways_of(trace: Trace, name: str) -> Ways | None:
    """Where each number of a layer comes from; None where that is not known."""
    layer = trace[name]
    inputs = trace.inputs(layer)
    known = origins(layer, inputs)
    flat = known.astype(np.int64) if known is not None else \
        _part(layer, inputs) if layer.kind in PARTS else _asked(trace, layer)
    if flat is None or not (flat >= 0).any():
        return None
    targets = np.stack(np.unravel_index(np.arange(flat.size), layer.shape), axis=1)
    inside = flat >= 0
    parcels = np.zeros(flat.size, np.int64)
    parcels[inside], count = _parcels(layer, inputs, flat[inside], targets[inside])
    rings = _rings(inside.reshape(layer.shape))
    parcel_of = np.where(inside.reshape(layer.shape), parcels.reshape(layer.shape), count - 1 + rings)
    count += int(rings.max())
    moves, first = [], 0
    for source in inputs:
        own = inside & (flat >= first) & (flat < first + source.output.size)
        cells = np.stack(np.unravel_index(flat[own] - first, source.shape), axis=1) if source.shape else \
            np.zeros((int(own.sum()), 0), np.int64)
        if own.any() and source.shape:
            moves.append(moved(source, layer, cells, targets[own], parcels[own], count))
        first += source.output.size
    return Ways(tuple(moves), count, parcel_of) if moves else None


def _part(layer: Layer, inputs: tuple[Layer, ...]) -> Cells | None:
    """The places of one part of each complex number."""
    if inputs[0].shape != (*layer.shape, 2):
        return None
    return np.arange(inputs[0].output.size).reshape(*layer.shape, 2)[..., PARTS[layer.kind]].ravel()


def _asked(trace: Trace, layer: Layer) -> Cells | None:
    """The same as `origins`, from the terms of each number."""
    if layer.output.size > ASKED:
        return None
    inputs = trace.inputs(layer)
    starts = dict(zip([one.name for one in inputs], np.cumsum([0, *(one.output.size for one in inputs)]).tolist(),
                      strict=False))
    found = np.full(layer.output.size, -1)
    for index, cell in enumerate(np.ndindex(*layer.shape)):
        try:
            terms = kinds.terms(trace, layer.name, cell)
        except LookupError:
            return None
        won = terms.winner if layer.kind in WON and terms.winner is not None else 0
        if len(terms.taps) != 1 or (len(terms.taps[0].cells) != 1 and layer.kind not in WON):
            return None
        where, at, array = kinds.place(trace, terms.taps[0], won)
        if array != "output" or where not in starts:
            return None
        if all(0 <= one < size for one, size in zip(at, trace[where].shape, strict=True)):
            found[index] = starts[where] + int(np.ravel_multi_index(at, trace[where].shape))
    return found


def _parcels(layer: Layer, inputs: tuple[Layer, ...], flat: Cells, targets: Cells) -> tuple[Cells, int]:
    """What goes together: rows of what is read into a column; steps; whole maps, or the rows of all maps at once."""
    if layer.output.ndim == 1:
        wide = inputs[0].shape[-1] if inputs[0].output.ndim > 1 else max(1, layer.output.size // 16)
        return in_parcels([flat // wide])
    if layer.output.ndim == 2 or layer.axes[0] == "step":
        return in_parcels([targets[:, 0]])
    heads = targets[:, :-2]
    size = int(np.prod(layer.shape[-2:]))
    whole = all(source.shape[-2:] == layer.shape[-2:] and source.output.ndim > 2 for source in inputs)
    if whole and int(np.prod(layer.shape[:-2])) > 3 and np.array_equal(
            flat % size, np.ravel_multi_index(tuple(targets[:, -2:].T), layer.shape[-2:])):
        return in_parcels([heads])
    return in_parcels([targets[:, -2]])


def _rings(inside: np.ndarray) -> Cells:
    """For what comes from nowhere, how far it lies from what was there: 1, 2, … ; 0 for all others."""
    found = np.zeros(inside.shape, np.int64)
    reached = inside.copy()
    for ring in range(1, RINGS + 1):
        if reached.all():
            break
        grown = reached.copy()
        for axis in range(inside.ndim):
            for step in (1, -1):
                moved_on = np.roll(reached, step, axis)
                edge = [slice(None)] * inside.ndim
                edge[axis] = slice(0, 1) if step == 1 else slice(-1, None)
                moved_on[tuple(edge)] = False
                grown |= moved_on
        if ring == RINGS:
            grown[:] = True
        found[grown & ~reached] = ring
        reached = grown
    return found


# --- words -----------------------------------------------------------------------------------------------------------

def counted(done: int, count: int) -> str:
    return tr("part {n} of {count}").format(n=numbers.count(done), count=numbers.count(count))


def _said(setting: Setting, ways: Ways, done: int) -> str:
    layer = setting.layer
    source = ", ".join(dict.fromkeys(moves.source.name for moves in ways.moves))
    if done <= 0:
        return tr("{source} is ready. {layer} has computed nothing yet.").format(source=source, layer=layer.name)
    there = numbers.count(int((ways.parcel_of < done).sum()))
    known = {"there": there, "count": numbers.count(layer.output.size), "source": source, "layer": layer.name}
    manner = _manner(setting.trace, layer.name)
    if layer.kind in WON:
        return tr("By their size numbers of {source} go to their places in {layer}: {{{there} of {count}}}.").format(
            **known)
    if manner.filled:
        values = {float(one) for one in layer.output[_filled(ways, layer)].real}
        if layer.kind == "pad" and not manner.left:
            return tr("{source} moves in as it is, then a rim grows around it: {{{there} of {count}}} numbers.").format(
                **known)
        if len(values) == 1:
            return tr("Numbers of {source} are taken as they are, {value} stands everywhere else: {{{there} of "
                      "{count}}}.").format(value=numbers.number(values.pop()), **known)
    if manner.left and manner.repeated:
        return tr("A part of {source} is taken as it is, some of it more than once: {{{there} of {count}}} numbers; "
                  "the rest is left behind.").format(**known)
    if manner.left:
        return tr("A part of {source} is taken as it is: {{{there} of {count}}} numbers; the rest is left "
                  "behind.").format(**known)
    if manner.repeated:
        return tr("The numbers of {source} are laid out anew, some more than once: {{{there} of {count}}}; nothing is "
                  "computed.").format(**known)
    if manner.peels:
        return tr("Row by row {source} peels off into one column: {{{there} of {count}}} numbers; nothing is "
                  "computed.").format(**known)
    return tr("The numbers of {source} are laid out anew: {{{there} of {count}}}; nothing is computed.").format(**known)


@dataclass(frozen=True)
class _Manner:
    """What is true of all that moves into a layer."""

    filled: bool
    """Some of its numbers come from nowhere."""
    left: bool
    """Some numbers go nowhere."""
    repeated: bool
    """Some go to several places."""
    peels: bool
    """All stay in their order, in one column."""


@remembered(64)
def _manner(trace: Trace, name: str) -> _Manner:
    ways, layer = ways_of(trace, name), trace[name]
    assert ways is not None
    went = {moves.source.name: len(np.unique(moves.cells, axis=0)) for moves in ways.moves}
    there = sum(len(moves.cells) for moves in ways.moves)
    size = sum(trace[source].output.size for source in went)
    first = ways.moves[0]
    places = np.ravel_multi_index(tuple(first.cells.T), first.source.shape)
    peels = layer.output.ndim == 1 and first.source.output.ndim > 1 and bool((np.diff(places[np.argsort(
        first.targets[:, 0], kind="stable")]) > 0).all())
    return _Manner(there < layer.output.size, sum(went.values()) < size, there > sum(went.values()), peels)


def _filled(ways: Ways, layer: Layer) -> NDArray[np.bool_]:
    """Which numbers of a layer come from nowhere."""
    found = np.ones(layer.shape, bool)
    for moves in ways.moves:
        found[tuple(moves.targets.T)] = False
    return found


def _said_back(setting: Setting, done: int, count: int) -> str:
    if done <= 0 or not _manner(setting.trace, setting.layer.name).repeated:
        return said_back(setting, done, count)
    return tr("The gradient goes back to {source} the way the numbers came, and adds up where one went to several "
              "places: {{{done} of {count}}} parts.").format(
        source=setting.written.name, done=numbers.count(done), count=numbers.count(count))


def said_back(setting: Setting, done: int, count: int) -> str:
    """What is said of a gradient that goes back as it came."""
    layer, given = setting.layer.name, setting.written.name
    if done <= 0:
        return tr("The gradient stands at {layer}; {source} has none yet.").format(layer=layer, source=given)
    return tr("The gradient goes back to {source} the way the numbers came: {{{done} of {count}}} parts.").format(
        source=given, done=numbers.count(done), count=numbers.count(count))


MOTION = Motion("moving", suits, forward, backward, seconds, hands=hands, order=40)
