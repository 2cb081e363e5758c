"""Operations that compute nothing: they lay numbers out anew, pick some of them, join or repeat them.

Each one is described by what it does to the places 0, 1, 2, … of its inputs: that tells for every cell of the output
where it came from, and for every cell of an input where it went.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from visualizer import said
from visualizer.kinds import NOTHING, Box, Inputs, Kind, Taps, Terms, _words
from visualizer.kinds._dims import batch_of, dim_of, full_shape, longest_names, tuple_of
from visualizer.kinds._taps import added, around, clipped, copied, gradient_taps, grid_of, one, ravel, taps, unravel
from visualizer.kinds._window import each
from visualizer.language import english, listed, tr, translated
from visualizer.trace import Cell, Layer, remembered

Settings = Mapping[str, Any]
Names = tuple[str, ...]
Places = NDArray[np.int32]
"""Flat places of the inputs, counted on from one input to the next; −1 where a constant stands."""


@dataclass(frozen=True)
class Move:
    """One operation, as what it does to an array of places that has a batch axis of 1."""

    name: str
    title: str
    calls: Mapping[str, str]
    axes: Callable[[Settings, tuple[Names, ...], tuple[int, ...]], Names]
    says: str
    """The sentence; `{source}`, `{before}`, `{after}` and `{count}` are filled in."""
    new: Callable[[Settings, list[Places]], Any] | None = None
    """None when the order of all numbers, row by row, stays as it was."""
    box: Callable[[Layer, Inputs, int, Box], Box] | None = None
    moves_only: bool = False
    looks: bool = False
    """Whether the numbers of its inputs say where things go: places, yes and no. They are then in the settings, under
    `values`, one array for each input."""
    role: str = ""
    back: str = ""

    def __hash__(self) -> int:
        return hash(self.name)


def move_terms(move: Move, layer: Layer, inputs: Inputs, cell: Cell) -> Terms:
    """The number that stood where this one came from."""
    return copied(_read(move, layer, inputs, cell), "y = x")


def _read(move: Move, layer: Layer, inputs: Inputs, cell: Cell) -> Taps:
    flat = ravel(cell, layer.shape)
    places = _places(move, layer, inputs)
    place = flat if places is None else int(places[flat])
    if place < 0:
        return taps(inputs[0], "output", one((-1,) * inputs[0].output.ndim), outside=_filled(layer.settings))
    which, first = 0, 0
    while place - first >= inputs[which].output.size:
        first += inputs[which].output.size
        which += 1
    return taps(inputs[which], "output", unravel(place - first, inputs[which].shape))


def move_backward(move: Move, layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """The gradient of every place to which this number went: one, none if it was left out, more if it was repeated."""
    place = ravel(cell, inputs[which].shape) + sum(source.output.size for source in inputs[:which])
    places = _places(move, layer, inputs)
    went = np.array([place]) if places is None else np.flatnonzero(places == place)
    read = gradient_taps(layer, unravel(went, layer.shape))
    return copied(read, "∂L/∂x = ∂L/∂y") if len(went) == 1 else added(read, formula="∂L/∂x = Σ ∂L/∂y")


def move_box(move: Move, layer: Layer, inputs: Inputs, which: int, box: Box) -> Box:
    """The smallest box around the places that the cells of this box came from."""
    if move.box is not None:
        return move.box(layer, inputs, which, box)
    cells = grid_of(*(np.arange(low, high + 1) for low, high in clipped(box, layer.shape)))
    flat = np.ravel_multi_index(tuple(cells.T), layer.shape) if layer.shape else np.zeros(1, dtype=np.int64)
    places = _places(move, layer, inputs)
    came = flat if places is None else places[flat]
    first = sum(source.output.size for source in inputs[:which])
    came = came[(came >= first) & (came < first + inputs[which].output.size)] - first
    return around(unravel(came, inputs[which].shape)) if len(came) else NOTHING


def move_sentence(move: Move, layer: Layer, inputs: Inputs) -> str:
    return _words.fixed(translated(move.says), layer).format(
        source=listed([source.name for source in inputs]), before=_words.shape(inputs[0]),
        after=_words.shape(layer), count=_words.count(layer.output.size, *said.size(layer)),
        names=" × ".join(map(translated, layer.axes)) or tr("nothing"))


def move_short(layer: Layer, inputs: Inputs) -> str:
    return _words.becomes(inputs[0], layer)


@remembered(2)
def origins(layer: Layer, inputs: Inputs) -> Places | None:
    """For each number of a layer of this file, in row-major order, its flat place in the inputs, counted on from one to
    the next; −1 where a constant stands. None for all other layers, and where it is not explained."""
    move = next((move for move in MOVES if move.name == layer.kind), None)
    if move is None:
        return None
    try:
        places = _places(move, layer, inputs)
    except LookupError:
        return None
    return np.arange(layer.output.size, dtype=np.int32) if places is None else places


def _places(move: Move, layer: Layer, inputs: Inputs) -> Places | None:
    """For each number of the output, in row-major order, where it came from; None where that is the same place.

    Raises LookupError if the settings do not lead to an output of this size.
    """
    if move.new is None:
        if layer.output.size != inputs[0].output.size:
            raise LookupError(tr("{layer} has not as many numbers as {source}, which is not explained."
                                 ).format(layer=layer.name, source=inputs[0].name))
        return None
    batches = [batch_of(layer.settings, which) if move.looks else _batch(layer, inputs, which)
               for which in range(len(inputs))]  # what is put into a part of something has fewer axes, and its batch
    shapes = tuple(full_shape({"batch": batch}, source) for batch, source in zip(batches, inputs, strict=True))
    settings = {**layer.settings, "output_shape": layer.shape}
    if move.looks:
        return _looked_up(layer, inputs, move, shapes)
    places = _made(move, shapes, tuple(sorted((key, _fixed(value)) for key, value in settings.items())))
    if places.size != layer.output.size:
        raise LookupError(tr("How {layer} picks its numbers is not explained by its settings."
                             ).format(layer=layer.name))
    return places


@remembered(2)
def _looked_up(layer: Layer, inputs: Inputs, move: Move, shapes: tuple[tuple[int, ...], ...]) -> Places:
    """The same where the numbers of the inputs say it."""
    settings = {**layer.settings, "output_shape": layer.shape,
                "values": [source.output.reshape(shape) for source, shape in zip(inputs, shapes, strict=True)]}
    places = _of_inputs(move, shapes, settings)
    if places.size != layer.output.size:
        raise LookupError(tr("How {layer} picks its numbers is not explained by its settings."
                             ).format(layer=layer.name))
    return places


@lru_cache(maxsize=16)
def _made(move: Move, shapes: tuple[tuple[int, ...], ...], settings: tuple[tuple[str, Any], ...]) -> Places:
    return _of_inputs(move, shapes, dict(settings))


def _of_inputs(move: Move, shapes: tuple[tuple[int, ...], ...], settings: Settings) -> Places:
    assert move.new is not None
    places, first = [], 0
    for shape in shapes:
        size = prod(shape)
        places.append(np.arange(first, first + size, dtype=np.int32).reshape(shape))
        first += size
    try:
        return np.ascontiguousarray(move.new(settings, places), dtype=np.int32).ravel()
    except (ValueError, IndexError, TypeError, KeyError) as error:
        raise LookupError(tr("How this {title} moves its numbers is not explained ({why})."
                             ).format(title=translated(move.title), why=error)) from error


def _batch(layer: Layer, inputs: Inputs, which: int) -> int | None:
    """Where the call saw a batch axis in an input; a parameter that is joined with samples brings one of its own."""
    if "batches" in layer.settings:
        return batch_of(layer.settings, which)
    batch: int | None = layer.settings.get("batch", 0)
    most = max(source.output.ndim for source in inputs)
    if all(source.output.ndim == most for source in inputs):
        return batch
    return None if inputs[which].output.ndim == most else batch or 0


def _fixed(value: Any) -> Any:
    """A setting that can be remembered by: lists as tuples."""
    return tuple(map(_fixed, value)) if isinstance(value, list | tuple) else value


def _filled(settings: Settings) -> float:
    value = settings.get("value")
    return float(value) if isinstance(value, int | float) else 0.0


# --- what they do to places -----------------------------------------------------------------------------------------

def _permuted(s: Settings, given: list[Places]) -> Any:
    return given[0].transpose(tuple_of(s["dims"]))


def _transposed(s: Settings, given: list[Places]) -> Any:
    return given[0].swapaxes(*_two_dims(s))


def _two_dims(s: Settings) -> tuple[int, int]:
    """transpose says dim0 and dim1, swapaxes axis0 and axis1."""
    return s.get("dim0", s.get("axis0", 0)), s.get("dim1", s.get("axis1", 1))


def _turned(s: Settings, given: list[Places]) -> Any:
    return given[0].swapaxes(-2, -1) if given[0].ndim > 1 else given[0]


def _reversed_axes(s: Settings, given: list[Places]) -> Any:
    return given[0].T


def _moved_axis(s: Settings, given: list[Places]) -> Any:
    return np.moveaxis(given[0], s["source"], s["destination"])


def _selected(s: Settings, given: list[Places]) -> Any:
    return np.take(given[0], s["index"], axis=s["dim"])


def _narrowed(s: Settings, given: list[Places]) -> Any:
    start = s["start"] % given[0].shape[s["dim"]]
    return np.take(given[0], np.arange(start, start + s["length"]), axis=s["dim"])


def _sliced(s: Settings, given: list[Places]) -> Any:
    places: list[Any] = [slice(None)] * given[0].ndim
    places[s.get("dim", 0)] = slice(s.get("start"), s.get("end"), s.get("step"))
    return given[0][tuple(places)]


def _indexed(s: Settings, given: list[Places]) -> Any:
    """`x[index]`; a list of places and several indices look the same here, so the size tells which was meant."""
    if len(given) > 1:
        raise ValueError("the places were computed by another layer")
    index = _index(s.get("index"))
    found = given[0][index]
    if found.size != prod(s["output_shape"]) and isinstance(index, tuple):
        found = given[0][list(index)]
    return found


def _index(plain: Any) -> Any:
    """Slices and the like, as they were written down."""
    if isinstance(plain, tuple) and plain[:1] == ("slice",):
        return slice(*plain[1:])
    if isinstance(plain, tuple):
        return tuple(_index(item) for item in plain)
    return Ellipsis if plain == "..." else plain


def _chunked(s: Settings, given: list[Places]) -> Any:
    """Chunks of ⌈n / chunks⌉; the last may be smaller."""
    size = given[0].shape[s.get("dim", 0)]
    return _cut(given[0], -(-size // s["chunks"]), s)


def _split(s: Settings, given: list[Places]) -> Any:
    return _cut(given[0], s["split_size"] if "split_size" in s else s["split_size_or_sections"], s)


def _cut(places: Places, sizes: Any, s: Settings) -> Any:
    dim, part = s.get("dim", 0), s.get("part", 0)
    total = places.shape[dim]
    edges = [sum(sizes[:number]) for number in range(len(sizes) + 1)] if isinstance(sizes, tuple) \
        else [*range(0, total, sizes), total]
    return np.take(places, np.arange(edges[part], edges[part + 1]), axis=dim)


def _unbound(s: Settings, given: list[Places]) -> Any:
    return np.take(given[0], s.get("part", 0), axis=s.get("dim", 0))


def _joined(s: Settings, given: list[Places]) -> Any:
    return np.concatenate(given, axis=dim_of(s) or 0)


def _stacked(s: Settings, given: list[Places]) -> Any:
    return np.stack(given, axis=dim_of(s) or 0)


def _flipped(s: Settings, given: list[Places]) -> Any:
    return np.flip(given[0], tuple_of(s["dims"]))


def _rolled(s: Settings, given: list[Places]) -> Any:
    return np.roll(given[0], s["shifts"], s.get("dims"))


def _repeated(s: Settings, given: list[Places]) -> Any:
    return np.tile(given[0], tuple_of(s["repeats"]))


def _expanded(s: Settings, given: list[Places]) -> Any:
    sizes = tuple_of(s["size"])
    kept = (*(1,) * (len(sizes) - given[0].ndim), *given[0].shape)
    return np.broadcast_to(given[0], [old if new == -1 else new for new, old in zip(sizes, kept, strict=True)])


def _padded(s: Settings, given: list[Places]) -> Any:
    mode = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}[
        s.get("mode", "constant")]
    sizes = _pads(s, given[0].ndim)
    cropped = given[0][tuple(slice(max(0, -before), size - max(0, -after)) for size, (before, after)
                             in zip(given[0].shape, sizes, strict=True))]
    widths = [(max(0, before), max(0, after)) for before, after in sizes]
    if mode == "constant":
        return np.pad(cropped, widths, constant_values=-1)
    return np.pad(cropped, widths, mode=mode)  # type: ignore[call-overload]


def _pads(s: Settings, count: int) -> list[tuple[int, int]]:
    """(before, after) for each axis; torch writes them from the last axis to the first."""
    pad = tuple_of(s["pad"])
    pairs = [(pad[i], pad[i + 1]) for i in range(0, len(pad), 2)][::-1]
    return [(0, 0)] * (count - len(pairs)) + pairs


def _nearest(s: Settings, given: list[Places]) -> Any:
    """Place i of the output is place ⌊i / scale⌋ of the input, along every axis behind the channels."""
    if s.get("mode", "nearest") != "nearest":
        raise ValueError(f"mode {s['mode']}")
    sizes = s["output_shape"][-(given[0].ndim - 2):]
    factors = tuple_of(s.get("scale_factor"))
    found: Any = given[0]
    for number, size in enumerate(sizes):
        axis, old = number + 2, given[0].shape[number + 2]
        factor = factors[number % len(factors)]
        step = old / size if factor is None or s.get("recompute_scale_factor") else 1 / factor
        index = np.minimum((np.arange(size, dtype=np.float32) * np.float32(step)).astype(np.int64), old - 1)
        found = np.take(found, index, axis=axis)
    return found


def _shuffled(s: Settings, given: list[Places]) -> Any:
    """(C·r², H, W) to (C, H·r, W·r), as in Shi et al. 2016."""
    r = s["upscale_factor"]
    *lead, channels, rows, columns = given[0].shape
    parts = given[0].reshape(-1, channels // r ** 2, r, r, rows, columns)
    return parts.transpose(0, 1, 4, 2, 5, 3).reshape(*lead, channels // r ** 2, rows * r, columns * r)


def _unshuffled(s: Settings, given: list[Places]) -> Any:
    """(C, H·r, W·r) to (C·r², H, W)."""
    r = s["downscale_factor"]
    *lead, channels, rows, columns = given[0].shape
    parts = given[0].reshape(-1, channels, rows // r, r, columns // r, r)
    return parts.transpose(0, 1, 3, 5, 2, 4).reshape(*lead, channels * r ** 2, rows // r, columns // r)


def _mixed_channels(s: Settings, given: list[Places]) -> Any:
    lead, channels, *rest = given[0].shape
    groups = s["groups"]
    return given[0].reshape(lead, groups, channels // groups, *rest).swapaxes(1, 2).reshape(given[0].shape)


def _repeated_each(s: Settings, given: list[Places]) -> Any:
    repeats = s["values"][1] if len(given) > 1 else s["repeats"]
    return np.repeat(given[0], repeats, axis=s.get("dim"))


def _like_other(s: Settings, given: list[Places]) -> Any:
    return np.broadcast_to(given[0], given[1].shape)


def _quarter_turns(s: Settings, given: list[Places]) -> Any:
    return np.rot90(given[0], s.get("k", 1), s.get("dims", (0, 1)))


def _below(s: Settings, given: list[Places]) -> Any:
    rows, columns = given[0].shape[-2:]
    kept = np.tri(rows, columns, s.get("diagonal", 0), dtype=bool)
    return np.where(kept, given[0], -1)


def _above(s: Settings, given: list[Places]) -> Any:
    rows, columns = given[0].shape[-2:]
    kept = ~np.tri(rows, columns, s.get("diagonal", 0) - 1, dtype=bool)
    return np.where(kept, given[0], -1)


def _diagonal(s: Settings, given: list[Places]) -> Any:
    return np.diagonal(given[0], s.get("offset", 0), s.get("dim1", 0), s.get("dim2", 1))


def _diag(s: Settings, given: list[Places]) -> Any:
    """Of a matrix its diagonal, of a vector a matrix that has it there."""
    if given[0].ndim > 1:
        return np.diagonal(given[0], s.get("diagonal", 0))
    return _on_diagonal({"offset": s.get("diagonal", 0)}, given)


def _on_diagonal(s: Settings, given: list[Places]) -> Any:
    offset = s.get("offset", 0)
    size = given[0].shape[-1] + abs(offset)
    found = np.full((*given[0].shape[:-1], size, size), -1)
    at = np.arange(given[0].shape[-1])
    found[..., at + max(-offset, 0), at + max(offset, 0)] = given[0]
    return np.moveaxis(found, (-2, -1), (s.get("dim1", -2), s.get("dim2", -1)))


def _windows(s: Settings, given: list[Places]) -> Any:
    """One axis in windows, which lie along a new last one."""
    axis = s["dimension"] % given[0].ndim
    seen = np.lib.stride_tricks.sliding_window_view(given[0], s["size"], axis)
    return np.take(seen, np.arange(0, seen.shape[axis], s["step"]), axis=axis)


def columns_of(s: Settings, shape: tuple[int, ...]) -> Any:
    """Every window of maps (channel, row, column) of which `shape` are the places, as a column: (channel · row of the
    window · column of the window, window); −1 for padding."""
    kernel, stride, padding, dilation = (
        each(s.get(name, standard), 2) for name, standard in
        (("kernel_size", 1), ("stride", 1), ("padding", 0), ("dilation", 1)))
    places = np.arange(int(np.prod(shape))).reshape(shape)
    padded = np.pad(places, ((0, 0), *((p, p) for p in padding)), constant_values=-1)
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]
    seen = np.lib.stride_tricks.sliding_window_view(padded, spans, (1, 2))
    seen = seen[:, ::stride[0], ::stride[1], ::dilation[0], ::dilation[1]]
    return seen.transpose(0, 3, 4, 1, 2).reshape(shape[0] * int(np.prod(kernel)), -1)


def _as_columns(s: Settings, given: list[Places]) -> Any:
    shape = given[0].shape[-3:]
    found = columns_of(s, shape)
    return found.reshape(*given[0].shape[:-3], *found.shape)


def _gathered(s: Settings, given: list[Places]) -> Any:
    index = s["values"][1].astype(np.int64)
    dim = s["dim"] % given[0].ndim
    kept = tuple(slice(None) if axis == dim else slice(size) for axis, size in enumerate(index.shape))
    return np.take_along_axis(given[0][kept], index, dim)


def _taken(s: Settings, given: list[Places]) -> Any:
    return given[0].ravel()[s["values"][1].astype(np.int64)]


def _under_mask(s: Settings, given: list[Places]) -> Any:
    places, mask = np.broadcast_arrays(given[0], s["values"][1])
    return places[mask]


def _by_places(s: Settings, given: list[Places]) -> Any:
    """`x[index]`, with places or a mask that other layers computed."""
    return given[0][_index_with(s, given[1:], s["values"][1:])]


def _index_with(s: Settings, given: list[Places], values: Any) -> Any:
    """The index as it was written, with the numbers of what was read in their places."""
    written = s.get("index")
    arrays = [value.astype(bool if value.dtype == bool else np.int64) for value in values]
    if written is None:
        return arrays[0] if len(arrays) == 1 else tuple(arrays)
    items = [arrays[item[1]] if isinstance(item, tuple) and item[:1] == ("read",) else _index(item)
             for item in written]
    return tuple(items)


def _assigned(s: Settings, given: list[Places]) -> Any:
    """Some places are overwritten, with a plain number or with what another layer made."""
    plain = isinstance(s.get("value"), int | float | bool)
    index, last = given[1:] if plain else given[1:-1], None if plain else given[-1]
    values = s["values"][1:1 + len(index)]
    found = given[0].copy()
    at = _index_with(s, index, values) if index else _index(s.get("index"))
    if last is None:
        found[at] = -1
    else:
        found[at] = last.reshape(last.shape[last.ndim - min(last.ndim, np.ndim(found[at])):]) if np.ndim(found[at]) \
            else last.reshape(())
    return found


def _scattered(s: Settings, given: list[Places]) -> Any:
    """Each number of the source goes to the place along `dim` that its index says."""
    index, dim, found = s["values"][1].astype(np.int64), s["dim"] % given[0].ndim, given[0].copy()
    source = given[2][tuple(map(slice, index.shape))] if len(given) > 2 else -1
    np.put_along_axis(found, index, source, dim)
    return found


def _index_set(s: Settings, given: list[Places]) -> Any:
    """Whole slices along `dim` are overwritten."""
    found, dim = given[0].copy(), s["dim"] % given[0].ndim
    at = (*(slice(None),) * dim, np.atleast_1d(s["values"][1]).astype(np.int64))
    found[at] = given[2] if len(given) > 2 else -1
    return found


def _unpooled(s: Settings, given: list[Places]) -> Any:
    """Every number goes back to the place of its map where it was found."""
    index = s["values"][1].astype(np.int64)
    count = s["maps"] if "maps" in s else index.ndim - 2
    size = s["output_shape"][-count:]
    found = np.full((int(np.prod(index.shape[:-count])), int(np.prod(size))), -1)
    np.put_along_axis(found, index.reshape(len(found), -1), given[0].reshape(len(found), -1), 1)
    return found.reshape(*index.shape[:-count], *size)


def _part_of(s: Settings) -> Any:
    """The flat places of a tensor at which a view of it lies, told by the steps of both through memory."""
    memory = np.full(s["sizes"], s["start"])
    for axis, (size, stride) in enumerate(zip(s["sizes"], s["strides"], strict=True)):
        memory = memory + (np.arange(size) * stride).reshape(-1, *[1] * (len(s["sizes"]) - axis - 1))
    found = np.zeros_like(memory)
    steps = np.cumprod([1, *s["whole"][:0:-1]])[::-1]
    order = sorted(range(len(s["whole"])), key=lambda axis: -s["laid"][axis])
    for axis in order:
        if s["whole"][axis] > 1:
            found = found + memory // s["laid"][axis] * steps[axis]
            memory = memory % s["laid"][axis]
    return found


def _put_into_part(s: Settings, given: list[Places]) -> Any:
    found = given[0].ravel().copy()
    found[_part_of(s).ravel()] = given[1].ravel()
    return found.reshape(given[0].shape)


def _part_seen(s: Settings, given: list[Places]) -> Any:
    return given[0].ravel()[_part_of(s)]


def _filled_by_mask(s: Settings, given: list[Places]) -> Any:
    """The numbers of the last, one after another, where the mask holds."""
    mask = np.broadcast_to(s["values"][1] != 0, given[0].shape)
    found = given[0].copy()
    found[mask] = given[2].ravel()[:int(mask.sum())]
    return found


def _put(s: Settings, given: list[Places]) -> Any:
    if s.get("accumulate"):
        raise ValueError("numbers are added in their places")
    found = given[0].copy()
    found.flat[s["values"][1].astype(np.int64).ravel()] = given[2].ravel()
    return found


def _filled_diagonal(s: Settings, given: list[Places]) -> Any:
    found = given[0].copy()
    np.fill_diagonal(found, -1, bool(s.get("wrap")))
    return found


def _overwritten(s: Settings, given: list[Places]) -> Any:
    return np.broadcast_to(given[1] if len(given) > 1 else -1, given[0].shape)


def _crossing(s: Settings, given: list[Places]) -> Any:
    """One of several coordinates, laid out over the grid of all of them."""
    found = np.meshgrid(*(places.ravel() for places in given), indexing=s.get("indexing", "ij"))
    return found[s.get("part", 0)]


def _beside(s: Settings, given: list[Places]) -> Any:
    return np.concatenate(given, axis=1 if given[0].ndim > 1 else 0)


def _above_one_another(s: Settings, given: list[Places]) -> Any:
    return np.concatenate([np.atleast_2d(places) for places in given], axis=0)


def _behind_one_another(s: Settings, given: list[Places]) -> Any:
    return np.concatenate([np.atleast_3d(places) for places in given], axis=2)


def _mirrored_rows(s: Settings, given: list[Places]) -> Any:
    return np.flip(given[0], 0)


def _mirrored_columns(s: Settings, given: list[Places]) -> Any:
    return np.flip(given[0], 1)


def _parts(s: Settings, given: list[Places]) -> Any:
    """Pieces as equal as they can be, the first ones larger; or cut at places that are named."""
    where = s["indices_or_sections"]
    return np.array_split(given[0], where if isinstance(where, int) else list(where), s.get("dim", 0))[
        s.get("part", 0)]


# --- boxes that may reach past the edge -----------------------------------------------------------------------------

def _joined_box(layer: Layer, inputs: Inputs, which: int, box: Box) -> Box:
    """The part of the box that came from this input."""
    batches = [_batch(layer, inputs, number) for number in range(len(inputs))]
    shapes = [full_shape({"batch": batch}, source) for source, batch in zip(inputs, batches, strict=True)]
    seen = list(box)
    if len(box) < len(shapes[0]):
        seen.insert(next((batch for batch in batches if batch is not None), 0), (0, 0))
    axis = (dim_of(layer.settings) or 0) % len(seen)
    first = sum(shape[axis] for shape in shapes[:which])
    low, high = max(seen[axis][0] - first, 0), min(seen[axis][1] - first, shapes[which][axis] - 1)
    if low > high:
        return NOTHING
    seen[axis] = low, high
    own = batches[which]
    return tuple(seen if own is None else (*seen[:own], *seen[own + 1:]))


def _padded_box(layer: Layer, inputs: Inputs, which: int, box: Box) -> Box:
    """Shifted by the padding in front; where other places stand in for the padding, every place."""
    pads = _pads(layer.settings, len(box) + 1)[1:] if layer.settings.get("batch", 0) is not None else \
        _pads(layer.settings, len(box))
    shifted = tuple((low - before, high - before) for (low, high), (before, _) in zip(box, pads, strict=True))
    if layer.settings.get("mode", "constant") == "constant":
        return shifted
    return tuple(ends if 0 <= ends[0] and ends[1] < size else (0, size - 1)
                 for ends, size in zip(shifted, inputs[0].shape, strict=True))


# --- what the axes are called afterwards ----------------------------------------------------------------------------

MAPS = ("channel", "row", "column")


def _same_names(s: Settings, given: tuple[Names, ...], shape: tuple[int, ...]) -> Names:
    return given[0] if len(given[0]) == len(shape) else _new_names(s, given, shape)


def _flat_names(s: Settings, given: tuple[Names, ...], shape: tuple[int, ...]) -> Names:
    """What is flattened together becomes units; rows and columns alone become places."""
    names = given[0]
    start, end = (s.get(key, standard) % max(len(names), 1) for key, standard in (("start_dim", 0), ("end_dim", -1)))
    merged = tuple(name for name in names[start:end + 1] if name != "batch")
    name = merged[0] if len(merged) == 1 else "place" if merged == ("row", "column") else "unit"
    return (*names[:start], name, *names[end + 1:])


def _new_names(s: Settings, given: tuple[Names, ...], shape: tuple[int, ...]) -> Names:
    """Names for a new shape, told from how many axes there are and whether there were steps."""
    batch: Names = ("batch",) if shape and shape[0] == 1 and given[0][:1] == ("batch",) else ()
    count = len(shape) - len(batch)
    before = tuple(name for name in given[0] if name != "batch")
    steps = "step" in before
    known = {0: (), 1: ("unit",), 2: ("channel", "place") if before == MAPS else ("step", "unit"),
             3: ("step", "head", "unit") if steps else MAPS}
    if count == len(before):
        return (*batch, *before)
    return (*batch, *known.get(count, tuple(f"axis{number}" for number in range(count))))


def _squeezed_names(s: Settings, given: tuple[Names, ...], shape: tuple[int, ...]) -> Names:
    names, dims = given[0], dim_of(s)
    lost = len(names) - len(shape)
    if lost == 0:
        return names
    if dims is not None and len(tuple_of(dims)) == lost:
        gone = {dim % len(names) for dim in tuple_of(dims)}
        return tuple(name for number, name in enumerate(names) if number not in gone)
    return tuple(name for name in names if name != "batch")[:len(shape)]


def _unsqueezed_names(s: Settings, given: tuple[Names, ...], shape: tuple[int, ...]) -> Names:
    dim = dim_of(s) % len(shape)
    return (*given[0][:dim], "single", *given[0][dim:])


def _permuted_names(s: Settings, given: tuple[Names, ...], shape: tuple[int, ...]) -> Names:
    return tuple(given[0][dim] for dim in tuple_of(s["dims"]))


def _transposed_names(s: Settings, given: tuple[Names, ...], shape: tuple[int, ...]) -> Names:
    return _swapped(given[0], *_two_dims(s))


def _turned_names(s: Settings, given: tuple[Names, ...], shape: tuple[int, ...]) -> Names:
    return _swapped(given[0], -2, -1) if len(given[0]) > 1 else given[0]


def _reversed_names(s: Settings, given: tuple[Names, ...], shape: tuple[int, ...]) -> Names:
    return given[0][::-1]


def _moved_names(s: Settings, given: tuple[Names, ...], shape: tuple[int, ...]) -> Names:
    """Axes of the sizes 1, 2, 3, … tell by their size where each of them went."""
    moved = np.moveaxis(np.broadcast_to(0, range(1, len(shape) + 1)), s["source"], s["destination"])
    return tuple(given[0][size - 1] for size in moved.shape)


def _swapped(names: Names, one_dim: int, other: int) -> Names:
    found = list(names)
    found[one_dim], found[other] = found[other], found[one_dim]
    return tuple(found)


def _selected_names(s: Settings, given: tuple[Names, ...], shape: tuple[int, ...]) -> Names:
    dim = s.get("dim", 0) % len(given[0])
    return (*given[0][:dim], *given[0][dim + 1:])


def _indexed_names(s: Settings, given: tuple[Names, ...], shape: tuple[int, ...]) -> Names:
    index = _index(s.get("index"))
    items = list(index) if isinstance(index, tuple) else [index]
    used = sum(item is not None and item is not Ellipsis for item in items)
    left = len(given[0]) - used
    at = items.index(Ellipsis) if Ellipsis in items else len(items)
    items = [*items[:at], *[slice(None)] * left, *items[at + 1:]]
    names, found = list(given[0]), []
    for item in items:
        if item is None:
            found.append("single")
            continue
        name = names.pop(0)
        if not isinstance(item, int):
            found.append(name)
    return tuple(found) if len(found) == len(shape) else _same_names(s, given, shape)


def _stacked_names(s: Settings, given: tuple[Names, ...], shape: tuple[int, ...]) -> Names:
    dim = (dim_of(s) or 0) % len(shape)
    return (*given[0][:dim], "part", *given[0][dim:])


def _columns_names(s: Settings, given: tuple[Names, ...], shape: tuple[int, ...]) -> Names:
    return (*given[0][:-3], "unit", "place")


_DIM, _DIMS, _DIM01 = "input dim", "input dims", "input dim0 dim1"
MOVES = (
    Move("flatten", english("flatten"), {"flatten": "input start_dim end_dim", "ravel": "input"}, _flat_names,
         english("Flatten lays the {before} numbers of {source} in a row of {count}, in their order; nothing is "
                 "computed."),
         moves_only=True),
    Move("reshape", english("reshape"),
         {"reshape": "input shape", "view": "input shape", "unflatten": "input dim sizes"},
         _new_names, english("The numbers of {source} are laid out anew, {before} → {after}; nothing is computed."),
         moves_only=True),
    Move("squeeze", english("squeeze"), {"squeeze": _DIM}, _squeezed_names,
         english("Axes of size 1 are dropped from {source}, {before} → {after}; nothing is computed."),
         moves_only=True),
    Move("unsqueeze", english("unsqueeze"), {"unsqueeze": _DIM}, _unsqueezed_names,
         english("An axis of size 1 is added to {source}, {before} → {after}; nothing is computed."), moves_only=True),
    Move("permute", english("permute"), {"permute": _DIMS}, _permuted_names,
         english("The axes of {source} change their order to {names}; nothing is computed."), _permuted,
         moves_only=True),
    Move("transpose", english("transpose"),
         {"transpose": _DIM01, "swapaxes": "input axis0 axis1", "swapdims": _DIM01}, _transposed_names,
         english("Two axes of {source} change places, now {names}; nothing is computed."), _transposed,
         moves_only=True),
    Move("turn", english("transpose"), dict.fromkeys(("t", "mT", "mH", "H"), "input"), _turned_names,
         english("Rows and columns of {source} change places; nothing is computed."), _turned, moves_only=True),
    Move("reverse_axes", english("transpose"), {"T": "input"}, _reversed_names,
         english("The axes of {source} change their order to {names}; nothing is computed."), _reversed_axes,
         moves_only=True),
    Move("movedim", english("permute"), dict.fromkeys(("movedim", "moveaxis"), "input source destination"),
         _moved_names,
         english("The axes of {source} change their order to {names}; nothing is computed."), _moved_axis,
         moves_only=True),
    Move("select", english("select"), {"select": "input dim index"}, _selected_names,
         english("{count} numbers of {source} are picked, {before} → {after}."), _selected),
    Move("narrow", english("narrow"), {"narrow": "input dim start length"}, _same_names,
         english("A stretch of {source} is picked, {before} → {after}."), _narrowed),
    Move("slice", english("slice"), {"slice": "input dim start end step"}, _same_names,
         english("A stretch of {source} is picked, {before} → {after}."), _sliced),
    Move("getitem", english("indexing"), {"__getitem__": "input index"}, _indexed_names,
         english("{count} numbers of {source} are picked, {before} → {after}."), _indexed),
    Move("chunk", english("chunk"), {"chunk": "input chunks dim"}, _same_names,
         english("{source} is cut in pieces, and this is one of them: {before} → {after}."), _chunked),
    Move("split", english("split"), {"split": "input split_size dim", "split_with_sizes": "input split_size dim"},
         _same_names,
         english("{source} is cut in pieces, and this is one of them: {before} → {after}."), _split),
    Move("unbind", english("unbind"), {"unbind": _DIM}, _selected_names,
         english("{source} is taken apart along one axis, and this is one part: {before} → {after}."), _unbound),
    Move("cat", english("concatenation"), dict.fromkeys(("cat", "concat", "concatenate"), "tensors dim"), longest_names,
         english("The numbers of {source} stand one after another: {after} in all; nothing is computed."), _joined,
         _joined_box, role="join", back=english("each part back to where it came from")),
    Move("stack", english("stack"), {"stack": "tensors dim"}, _stacked_names,
         english("{source} are stacked along a new axis: {after} in all; nothing is computed."), _stacked,
         role="join", back=english("each part back to where it came from")),
    Move("flip", english("flip"), {"flip": _DIMS}, _same_names,
         english("The order of {source} is reversed; nothing is computed."),
         _flipped),
    Move("roll", english("roll"), {"roll": "input shifts dims"}, _same_names,
         english("{source} is shifted, and what falls off one end comes back at the other."), _rolled),
    Move("repeat", english("repeat"), {"repeat": "input repeats", "tile": "input repeats"}, _same_names,
         english("{source} is repeated, {before} → {after}."), _repeated),
    Move("expand", english("expand"), {"expand": "input size"}, _same_names,
         english("{source} is repeated along axes of size 1, {before} → {after}."), _expanded),
    Move("pad", english("padding"), {"pad": "input pad mode value"}, _same_names,
         english("A border is put around {source}, {before} → {after}."), _padded, _padded_box),
    Move("upsample", english("upsampling"),
         {"interpolate": "input size scale_factor mode align_corners recompute_scale_factor antialias",
          **dict.fromkeys(("upsample_nearest1d", "upsample_nearest2d"), "input size scale_factor")}, _same_names,
         english("Every number of {source} is repeated over a block, {before} → {after}."), _nearest),
    Move("expand_as", english("expand"), {"expand_as": "input other"}, longest_names,
         english("{source}: the first is repeated until it is as large as the other, {before} → {after}."),
         _like_other),
    Move("reshape_as", english("reshape"), {"view_as": "input other", "reshape_as": "input other"}, _new_names,
         english("The numbers of {source} are laid out anew, {before} → {after}; nothing is computed."),
         lambda s, given: given[0].reshape(given[1].shape)),
    Move("broadcast_to", english("expand"), {"broadcast_to": "input size"}, _same_names,
         english("{source} is repeated along axes of size 1, {before} → {after}."), _expanded),
    Move("repeat_interleave", english("repeat"), {"repeat_interleave": "input repeats dim"}, _same_names,
         english("Each slice of {source} is repeated, {before} → {after}."), _repeated_each),
    Move("repeat_by", english("repeat"), {"repeat_interleave(input,repeats)": "input repeats dim"}, _same_names,
         english("Each slice of {source} is repeated as often as is said for it, {before} → {after}."),
         _repeated_each, looks=True),
    Move("pixel_unshuffle", english("pixel unshuffle"), {"pixel_unshuffle": "input downscale_factor"}, _same_names,
         english("Pixels of {source} are laid out as coarser channels, {before} → {after}; nothing is computed."),
         _unshuffled),
    Move("channel_shuffle", english("channel shuffle"),
         dict.fromkeys(("channel_shuffle", "native_channel_shuffle"), "input groups"), _same_names,
         english("The channels of {source} are mixed across their groups; nothing is computed."), _mixed_channels),
    Move("rot90", english("quarter turn"), {"rot90": "input k dims"}, _same_names,
         english("{source} is turned by quarters, {before} → {after}; nothing is computed."), _quarter_turns),
    Move("tril", english("lower triangle"), {"tril": "input diagonal"}, _same_names,
         english("Of {source} what lies above a diagonal is replaced with 0."), _below),
    Move("triu", english("upper triangle"), {"triu": "input diagonal"}, _same_names,
         english("Of {source} what lies below a diagonal is replaced with 0."), _above),
    Move("diagonal", english("diagonal"), {"diagonal": "input offset dim1 dim2"}, _new_names,
         english("The diagonal of {source} is picked, {before} → {after}."), _diagonal),
    Move("diag", english("diagonal"), {"diag": "input diagonal"}, _new_names,
         english("The diagonal of {source} is picked or made, {before} → {after}."), _diag),
    Move("diag_embed", english("diagonal"), {"diag_embed": "input offset dim1 dim2"}, _new_names,
         english("The numbers of {source} stand on a diagonal among zeros, {before} → {after}."), _on_diagonal),
    Move("sliding_windows", english("windows"), {"torch.unfold": "input dimension size step", "Tensor.unfold":
                                         "input dimension size step"}, _new_names,
         english("{source} is cut in windows, which may overlap: {before} → {after}."), _windows),
    Move("unfold", english("windows as columns"),
         dict.fromkeys(("unfold", "im2col"), "input kernel_size dilation padding stride"), _columns_names,
         english("Every window of {source} becomes a column: {before} → {after}."), _as_columns),
    Move("gather", english("picking by places"), {"gather": "input dim index", "take_along_dim": "input index dim"},
         _same_names, english("From {source}: the second says which numbers of the first are picked, {before} → "
                              "{after}."), _gathered, looks=True),
    Move("take", english("picking by places"), {"take": "input index"}, _new_names,
         english("From {source}: the second says which numbers of the first are picked, {before} → {after}."), _taken,
         looks=True),
    Move("masked_select", english("picking by a mask"), {"masked_select": "input mask"}, _new_names,
         english("From {source}: the second says which numbers of the first are picked, {before} → {after}."),
         _under_mask, looks=True),
    Move("pick", english("indexing"), {f"getitem({names})": "input index" for names in
                                       ("input,index", "input,index,index", "input,index,index,index")}, _new_names,
         english("From {source}: the first is indexed by what the others say, {before} → {after}."), _by_places,
         looks=True),
    Move("assign", english("overwriting"), {"__setitem__": "input index value"}, _same_names,
         english("Some places of {source} are overwritten: {count} numbers as before."), _assigned, looks=True),
    Move("scatter", english("spreading by places"), {"scatter": "input dim index value"}, _same_names,
         english("Into {source}: the second says where numbers are put, {count} in all."), _scattered, looks=True),
    Move("index_fill", english("overwriting"), {"index_fill": "input dim index value",
                                                "index_copy": "input dim index source"}, _same_names,
         english("Some slices of {source} are overwritten: {count} numbers as before."), _index_set, looks=True),
    Move("written", english("writing through a view"), {"written": "input part"}, _same_names,
         english("{source}: the second is a view of a part of the first, and was written to: {count} numbers, those of "
                 "the part anew."), _put_into_part),
    Move("seen_again", english("view after a write"), {"seen_again": "input"}, _new_names,
         english("What a part of {source} holds, after it was written to: {before} → {after}; nothing is computed."),
         _part_seen, moves_only=True),
    Move("masked_scatter", english("overwriting"), {"masked_scatter": "input mask source"}, _same_names,
         english("{source}: where the second holds, the first is overwritten with the third, {count} numbers as "
                 "before."), _filled_by_mask, looks=True),
    Move("put", english("spreading by places"), {"put": "input index source accumulate"}, _same_names,
         english("Into {source}: the second says where numbers are put, {count} in all."), _put, looks=True),
    Move("fill_diagonal", english("overwriting"), {"fill_diagonal": "input value wrap"}, _same_names,
         english("The diagonal of {source} is overwritten: {count} numbers as before."), _filled_diagonal),
    Move("max_unpool", english("max unpooling"),
         {f"max_unpool{count}d": "input indices kernel_size stride padding output_size" for count in (1, 2, 3)},
         _same_names, english("Each number of {source} goes back to where the largest of its window was, among zeros: "
                              "{before} → {after}."), _unpooled, looks=True),
    Move("copy", english("overwriting"), {"copy": "input source"}, _same_names,
         english("{source}: the numbers of the first are replaced with those of the other."), _overwritten),
    Move("fill", english("overwriting"), {"fill": "input value", "zero": "input"}, _same_names,
         english("Every number of {source} is replaced with one and the same."), _overwritten),
    Move("meshgrid", english("grid of coordinates"), {"meshgrid": "tensors indexing"}, _new_names,
         english("One coordinate of {source}, at each place of their grid: {after} in all."), _crossing),
    Move("hstack", english("concatenation"), {"hstack": "tensors", "column_stack": "tensors"}, longest_names,
         english("The numbers of {source} stand side by side: {after} in all; nothing is computed."), _beside,
         role="join", back=english("each part back to where it came from")),
    Move("vstack", english("concatenation"), {"vstack": "tensors", "row_stack": "tensors"}, longest_names,
         english("The numbers of {source} stand one below another: {after} in all; nothing is computed."),
         _above_one_another, role="join", back=english("each part back to where it came from")),
    Move("dstack", english("concatenation"), {"dstack": "tensors"}, longest_names,
         english("The numbers of {source} stand one behind another: {after} in all; nothing is computed."),
         _behind_one_another, role="join", back=english("each part back to where it came from")),
    Move("flipud", english("flip"), {"flipud": "input"}, _same_names,
         english("The order of {source} is reversed; nothing is computed."), _mirrored_rows),
    Move("fliplr", english("flip"), {"fliplr": "input"}, _same_names,
         english("The order of {source} is reversed; nothing is computed."), _mirrored_columns),
    Move("tensor_split", english("split"), {"tensor_split": "input indices_or_sections dim"}, _same_names,
         english("{source} is cut in pieces, and this is one of them: {before} → {after}."), _parts),
    Move("pixel_shuffle", english("pixel shuffle"), {"pixel_shuffle": "input upscale_factor"}, _same_names,
         english("Channels of {source} are laid out as finer pixels, {before} → {after}; nothing is computed."),
         _shuffled),
)


def _kind(move: Move) -> Kind:
    return Kind(move.name, move.title, move.calls, move.axes, partial(move_terms, move), partial(move_backward, move),
                partial(move_box, move), partial(move_sentence, move), moves_only=move.moves_only, short=move_short,
                role=move.role, back=move.back)


KINDS = tuple(map(_kind, MOVES))
