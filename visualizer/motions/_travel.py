"""Numbers that travel: parcels leave where they are and land where they go, the first ones slowly, then in a stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from visualizer.motions import CAMERA, MARCH, POWER, SETTLE, SLOW, Frame, Setting, window
from visualizer.motions._marks import Box, around, chip, frame, middle
from visualizer.scene import colour, numbers, parts
from visualizer.scene.columns import Column, maps_shown
from visualizer.scene.picture import Flight, Focus, Group, Image, Look, Mark, Rect, Touch, grouped
from visualizer.scene.timeline import ease
from visualizer.trace import Array, Cell, Layer, Trace, remembered

FLIGHT = 0.35
"""Seconds that a parcel of the stream is on its way."""
MOST = 200
"""Marks that are on their way at one time, about: of more numbers every second or third is seen to fly."""
MOST_PARCELS = 64
SEEN = 0.02
"""Of what is multiplied by shares, smaller parts of the largest are not seen to fly."""
HEAD = 8.0
"""A number stands no higher than this above the tiles."""
LEFT = 0.38
"""How strong what has left still is where it was."""

Cells = NDArray[np.int64]
Boxes = NDArray[np.float64]
"""(n, 4): left, top, width, height; NaN for what is not shown."""


@dataclass(frozen=True, eq=False)
class Moves:
    """Which numbers go from one layer to another, and in which parcels."""

    source: Layer
    target: Layer
    cells: Cells
    """(n, axes of the source), in the order of the parcels."""
    targets: Cells
    """(n, axes of the target)."""
    parcels: Cells
    """(n,): in which parcel each goes, rising."""
    count: int
    """Parcels in all."""
    weights: NDArray[np.float64] | float = 1.0
    """What each is multiplied by on its way."""
    met: bool = False
    """Whether they are what is multiplied by, the other factor being what is read."""

    def back(self) -> Moves:
        """The same ways in the other direction, the last parcel first."""
        order = np.argsort(self.count - 1 - self.parcels, kind="stable")
        return Moves(self.target, self.source, self.targets[order], self.cells[order],
                     (self.count - 1 - self.parcels)[order], self.count,
                     self.weights[order] if isinstance(self.weights, np.ndarray) else self.weights)

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """What stays together on its way: of each parcel what goes from one map to one map."""
        if not len(self.cells):
            return ()
        keys = np.column_stack([self.parcels, self.cells[:, :-2], self.targets[:, :-2]])
        edges = np.flatnonzero(np.any(keys[1:] != keys[:-1], axis=1)) + 1
        starts, ends = [0, *edges.tolist()], [*edges.tolist(), len(keys)]
        return tuple(Piece(start, end, int(self.parcels[start]), self._rigid(start, end))
                     for start, end in zip(starts, ends, strict=True))

    def _rigid(self, start: int, end: int) -> tuple[int, int] | None:
        """Rows and columns of a piece that lies in both layers in the same way."""
        if self.cells.shape[1] < 2 or self.targets.shape[1] < 2 or end - start == 1:
            return None
        one, other = self.cells[start:end, -2:], self.targets[start:end, -2:]
        rows, columns = (one.max(axis=0) - one.min(axis=0) + 1).tolist()
        same = np.array_equal(one - one[0], other - other[0]) and rows * columns == end - start
        return (rows, columns) if same and np.array_equal(one[0], one.min(axis=0)) else None

    @cached_property
    def parcel_of(self) -> NDArray[np.int64]:
        """In the target's shape: the first parcel that brings a number something; the last for what gets nothing."""
        found = np.full(self.target.shape, self.count - 1)
        np.minimum.at(found, tuple(self.targets.T), self.parcels)
        return found

    @cached_property
    def flat(self) -> NDArray[np.int64]:
        return np.ravel_multi_index(tuple(self.targets.T), self.target.shape) if self.target.shape else \
            np.zeros(len(self.targets), np.int64)

    def values(self, backward: bool) -> Array:
        """(n,): the numbers as they stand before they go."""
        values = self.source.gradient if backward else self.source.output
        assert values is not None
        return np.asarray(values[tuple(self.cells.T)])

    @cached_property
    def forth(self) -> NDArray[np.float64]:
        """(n,): what each adds where it lands, when numbers go."""
        return np.asarray(self.values(False).astype(np.float64) * self.weights)

    @cached_property
    def gradients(self) -> NDArray[np.float64]:
        """(n,): the same of gradients."""
        return np.asarray(self.values(True).astype(np.float64) * self.weights)

    def products(self, backward: bool) -> NDArray[np.float64]:
        return self.gradients if backward else self.forth

    def brought(self, landed: int, backward: bool) -> Array:
        """In the target's shape: the sum of what so many parcels have brought."""
        end = int(np.searchsorted(self.parcels, landed))
        found = np.bincount(self.flat[:end], self.products(backward)[:end], self.target.output.size)
        return found.reshape(self.target.shape).astype(self.target.output.dtype)


@dataclass(frozen=True)
class Piece:
    """Numbers that stay together."""

    start: int
    end: int
    parcel: int
    shape: tuple[int, int] | None
    """Rows and columns where it lies in the same way at both ends."""


# --- their time -----------------------------------------------------------------------------------------------------

def landing(parcel: int, count: int) -> float:
    """The second at which a parcel lands: the first ones one by one, the others in one time whatever their number."""
    first = min(count, len(SLOW))
    if parcel < first:
        return CAMERA + sum(SLOW[:parcel + 1])
    gone: float = ((parcel + 1 - first) / (count - first)) ** (1 / POWER)
    return CAMERA + sum(SLOW) + MARCH * gone


def landed(count: int, second: float) -> int:
    """How many parcels have landed."""
    left = second - CAMERA
    for parcel, lasts in enumerate(SLOW[:count]):
        left -= lasts
        if left < -1e-9:
            return parcel
    first = min(count, len(SLOW))
    return count if count == first else min(count, first + int(
        (count - first) * min(1.0, max(0.0, left) / MARCH) ** POWER + 1e-9))


def seconds_of(count: int) -> float:
    """How long so many parcels take, from the camera to the rest."""
    return landing(count - 1, count) + SETTLE if count else CAMERA + SETTLE


def share_of(parcel: int, count: int, second: float) -> float:
    """How much of its way a parcel has behind it."""
    lasts = SLOW[parcel] if parcel < len(SLOW) else FLIGHT
    return ease(min(1.0, max(0.0, (second - landing(parcel, count)) / lasts + 1)))


# --- where they stand -----------------------------------------------------------------------------------------------

def boxes(column: Column, layer: Layer, cells: Cells) -> Boxes:
    """Where cells of a layer stand."""
    found = np.full((len(cells), 4), np.nan)
    if column.style in ("passage", "number", "hidden", "bars") or not layer.shape or not len(cells):
        return found
    single = column.style == "units" or layer.output.ndim == 1
    tile = cells[:, 0] if single else np.zeros(len(cells), np.int64) if layer.output.ndim == 2 else \
        np.ravel_multi_index(tuple(cells[:, :-2].T), layer.shape[:-2])
    shown = column.shown if single else maps_shown(layer, column)
    where = np.full(max(int(tile.max()), *shown) + 1, -1)
    where[list(shown)] = np.arange(len(shown))
    if column.style == "picture" or (layer.output.ndim == 2 and not single):
        where[:] = 0  # a picture shows all its channels in one place
    place = where[tile]
    down, across = np.divmod(place, column.sub_columns)
    wide, tall = (column.tile if single else (column.cell[0] / column.factor, column.cell[1] / column.factor))
    found[:, 0] = column.x + across * column.pitch[0] + (0 if single else cells[:, -1] * wide)
    found[:, 1] = column.top + down * column.pitch[1] + (0 if single else cells[:, -2] * tall)
    found[:, 2:] = wide, tall
    found[place < 0] = np.nan
    return found


@remembered(8)
def _ends(trace: Trace, moves: Moves, one: Column, other: Column) -> tuple[Boxes, Boxes]:
    return boxes(one, moves.source, moves.cells), boxes(other, moves.target, moves.targets)


@remembered(32)
def _shades(trace: Trace, moves: Moves, look: Look, backward: bool) -> tuple[NDArray[np.uint8], str]:
    """(n,): palette entries of what flies: as it stands where it comes from; where it is multiplied on its way, on the
    scale of where it goes."""
    if isinstance(moves.weights, np.ndarray) and backward:
        top = parts.largest_gradient(trace)
        return colour.magnitude(moves.gradients, top * parts.FLOOR, top), "gradient"
    if isinstance(moves.weights, np.ndarray):
        return colour.signed(moves.forth, parts.layer_scale(trace, moves.target, look)), "activation"
    shades, palette = parts.entries(trace, moves.source, look, backward)
    return shades[tuple(moves.cells.T)], palette


# --- what is seen of them --------------------------------------------------------------------------------------------

def flying(setting: Setting, moves: Moves, one: Column, other: Column, only: int | None = None) -> list[Mark]:
    """Everything that is on its way just now from one column to the other; or `only` that of one channel."""
    done = landed(moves.count, setting.second)
    if setting.second < CAMERA or done >= moves.count:
        return []
    starts, ends = _ends(setting.trace, moves, one, other)
    shades, palette = _shades(setting.trace, moves, setting.look, setting.backward)
    every = _every(moves, only is not None)
    marks: list[Mark] = []
    for number, piece in _under_way(moves, setting.second, done):
        share = share_of(piece.parcel, moves.count, setting.second)
        if share <= 0 or share >= 1:
            continue
        rows = slice(piece.start, piece.end)
        heads = moves.cells if setting.backward else moves.targets
        if only is not None and heads[piece.start, 0] != only:
            continue
        if piece.shape is not None:
            seen = not np.isnan(starts[piece.start, 0]) and not np.isnan(ends[piece.start, 0])
            if seen and (number % every == 0 or piece.parcel < len(SLOW)):
                marks.append(_image(setting, moves, rows, piece.shape, starts, ends, shades, palette, share, other))
            continue
        chosen = np.arange(piece.start, piece.end)[:: every if piece.parcel >= len(SLOW) else max(1, every // 3)]
        products = moves.products(setting.backward)
        least = SEEN * colour.largest(products[chosen]) if moves.met else 0.0
        for index in chosen.tolist():
            if np.isnan(starts[index, 0]) or np.isnan(ends[index, 0]) or (
                    setting.backward and not products[index]) or abs(products[index]) < least:
                continue
            x, y, wide, high = (starts[index] + (ends[index] - starts[index]) * share).tolist()
            marks.append(Rect(x, y, wide, high, f"{palette}:{shades[index]}", "rule", 0.8,
                              holds=_flight(setting, moves, index, share)))
    return grouped(Group("on the way"), marks)


def _every(moves: Moves, one_channel: bool) -> int:
    """One in so many is seen to fly."""
    return _seen_of(moves.target, moves, one_channel)


@remembered(64)
def _seen_of(target: Layer, moves: Moves, one_channel: bool) -> int:
    marks = sum(1 if piece.shape is not None else piece.end - piece.start for piece in moves.pieces)
    if one_channel:
        marks //= max(1, len(target.output))
    at_once = min(1.0, FLIGHT * POWER / MARCH + 1 / max(1, moves.count))
    return max(1, -(-int(marks * at_once) // MOST))


def _under_way(moves: Moves, second: float, done: int) -> Iterable[tuple[int, Piece]]:
    pieces = moves.pieces
    first = np.searchsorted([piece.parcel for piece in pieces], done) if len(pieces) > 64 else 0
    for number in range(int(first), len(pieces)):
        piece = pieces[number]
        if piece.parcel < done:
            continue
        lasts = SLOW[piece.parcel] if piece.parcel < len(SLOW) else FLIGHT
        if landing(piece.parcel, moves.count) - lasts > second:
            return
        yield number, piece


def _image(setting: Setting, moves: Moves, rows: slice, shape: tuple[int, int], starts: Boxes, ends: Boxes,
           shades: NDArray[np.uint8], palette: str, share: float, other: Column) -> Image:
    first, step = rows.start, max(1, other.factor)
    block = shades[rows].reshape(shape)[::step, ::step]
    strongest = first + int(np.argmax(np.abs(np.nan_to_num(moves.products(setting.backward)[rows]))))
    start, end = starts[first], ends[first]
    x, y, wide, high = (start + (end - start) * share).tolist()
    return Image(x, y, (wide * shape[1] / block.shape[1], high * shape[0] / block.shape[0]), block[None], palette,
                 border="rule", holds=_flight(setting, moves, strongest, share))


def _flight(setting: Setting, moves: Moves, index: int, share: float) -> Flight:
    return Flight(Focus(moves.source.name, _cell(moves.cells[index])),
                  Focus(moves.target.name, _cell(moves.targets[index])),
                  float(moves.products(setting.backward)[index]), share, setting.backward)


def _box(row: Boxes) -> Box:
    x, y, wide, high = row.tolist()
    return x, y, wide, high


def _cell(row: Cells) -> Cell:
    return tuple(int(at) for at in row)


def _largest(moves: Moves, parcel: int, chosen: int | None, backward: bool,
             seen: NDArray[np.bool_] | None = None) -> int | None:
    """Of a parcel the number that is printed: the largest of the chosen channel, else of all; of those `seen`."""
    low, high = np.searchsorted(moves.parcels, (parcel, parcel + 1)).tolist()
    if low == high:
        return None
    sizes = np.abs(np.nan_to_num(moves.products(backward)[low:high]))
    heads = (moves.cells if backward else moves.targets)[low:high]
    own = heads[:, 0] == chosen if heads.shape[1] > 2 and chosen is not None else np.ones(len(heads), bool)
    ranks = np.where(own, sizes + 1e-30, 0.0)
    return int(low) + int(np.argmax(ranks if seen is None else np.where(seen[low:high], ranks, -1.0)))


def _beside(moves: Moves, like: Moves, index: int | None) -> int | None:
    """Which number goes to the same place as one of other moves."""
    if index is None:
        return None
    found = np.flatnonzero(np.all(moves.targets == like.targets[index], axis=1))
    return int(found[0]) if len(found) else None


def printed(setting: Setting, moves: Moves, one: Column, other: Column, lift: float = 0.0,
            like: Moves | None = None) -> list[Mark]:
    """While parcels are slow: an outline on one number that is read, a ring where it goes, and the number as it
    flies; that which goes to the same place as one of other moves."""
    done = landed(moves.count, setting.second)
    if setting.second < CAMERA or done >= min(moves.count, len(SLOW)):
        return []
    chosen = setting.chosen if setting.focus is not None else None
    starts, ends = _ends(setting.trace, moves, one, other)
    seen = ~np.isnan(starts[:, 0]) & ~np.isnan(ends[:, 0])
    index = _largest(moves, done, chosen, setting.backward, seen) if like is None else \
        _beside(moves, like, _largest(like, done, chosen, setting.backward))
    if index is None:
        return []
    if np.isnan(starts[index, 0]) or np.isnan(ends[index, 0]):
        return []
    share = share_of(done, moves.count, setting.second)
    ink = "gradient-mark" if setting.backward else "accent"
    flight = _flight(setting, moves, index, share)
    made = flight.target
    here = starts[index] + (ends[index] - starts[index]) * share
    appears = min(1.0, share / 0.12)
    touch = None if moves.met and not setting.backward else Touch(flight.source, made, setting.backward)
    faint = 0.5 + appears / 2
    marks = [*grouped(Group("window"), frame(_box(starts[index]), "accent", None, 2, touch, faint)),
             *grouped(Group("written"), frame(_box(ends[index]), ink, made, 1.5,
                                              Touch(made, made, setting.backward), faint))]
    x, y = middle(_box(here))
    above = float(here[3]) / 2 + 13 + lift * 4 * share * (1 - share)
    if min(float(starts[index][1]), float(ends[index][1])) - 22 - lift < setting.plan.top - HEAD:
        above = -above  # there it would stand over names
    ink, words = ("gradient-text", numbers.signed(flight.value, 4)) if setting.backward else ("", "")
    return [*marks, *grouped(Group("running sum"), chip(flight.value, (x, y - above), ink, words,
                                                        0.6 if appears < 1 else 1.0, flight))]


def in_parcels(keys: Sequence[Cells], most: int = MOST_PARCELS) -> tuple[Cells, int]:
    """Which parcel each number goes in, if those go together that agree in all keys, slowest first; and how many
    parcels there are. Neighbours go together where there would be too many."""
    stacked = np.column_stack(list(keys))
    _, parcels = np.unique(stacked, axis=0, return_inverse=True)
    parcels = parcels.reshape(-1)
    count = int(parcels.max()) + 1 if len(parcels) else 0
    if count > most:
        # the first three stay as they are, so that they can be read
        first = len(SLOW)
        parcels = np.where(parcels < first, parcels, first + (parcels - first) * (most - first) // (count - first))
        count = most
    return parcels.astype(np.int64), count


def moved(source: Layer, target: Layer, cells: Cells, targets: Cells, parcels: Cells, count: int,
          weights: NDArray[np.float64] | float = 1.0, *, met: bool = False) -> Moves:
    """Moves in the order of their parcels, and in each map after map."""
    order = np.lexsort((*targets[:, ::-1].T, parcels))
    return Moves(source, target, cells[order], targets[order], parcels[order], count,
                 weights[order] if isinstance(weights, np.ndarray) else weights, met=met)


# --- a whole layer ---------------------------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class Ways:
    """All that goes into a layer, from each of the layers that it reads."""

    moves: tuple[Moves, ...]
    count: int
    """Parcels; those of all sources are counted together."""
    parcel_of: NDArray[np.int64]
    """In the layer's shape: with which parcel a number is there."""
    adds: bool = False
    """Whether what comes in later is added to what is there already; `start` is what is there before."""
    start: Array | None = None


@remembered(64)
def way_back(trace: Trace, ways: Ways, name: str) -> Ways:
    """The ways that lead back to one layer, the last parcel first. What carries nothing but exact zeros, or nothing for
    this layer, goes with the next that carries more, and takes no time of its own."""
    moves = tuple(moves.back() for moves in ways.moves if moves.source.name == name)
    alive = np.zeros(ways.count, bool)
    for one in moves:
        alive[one.parcels[one.values(True) != 0]] = True
    if not alive.any():
        alive[-1:] = True
    count = int(alive.sum())
    new = np.minimum(np.concatenate([[0], np.cumsum(alive)[:-1]]), count - 1)
    return Ways(tuple(replace(one, parcels=new[one.parcels], count=count) for one in moves), count, ways.parcel_of,
                ways.adds)


def handed_along(ways: Ways, name: str, trace: Trace) -> Array | None:
    """All that goes back along these ways to one layer."""
    back = way_back(trace, ways, name)
    own = [moves.brought(back.count, True) for moves in back.moves]
    return sum(own[1:], own[0]) if own else None


def seconds_along(trace: Trace, layer: Layer, ways: Ways | None, back: str) -> float:
    """How long all that goes into a layer takes, or what it hands back."""
    if ways is None:
        return window.seconds(trace, layer, back)
    return seconds_of(way_back(trace, ways, back).count if back and layer.gradient is not None else ways.count)


def arriving(setting: Setting, ways: Ways, said: str, counted: str, *, lift: bool = False,
             leaves: bool = False) -> Frame:
    """A layer that is being filled: what has landed is there, the rest is on its way or waits."""
    done = landed(ways.count, setting.second)
    marks: list[Mark] = []
    if setting.focus is not None and setting.focus.layer == setting.layer.name and setting.layer.output.ndim > 2:
        followed_tile = setting.right.box(setting.chosen)
        marks += around(followed_tile) if followed_tile is not None else []
    for number, moves in enumerate(ways.moves):
        column = setting.column(moves.source.name)
        if column is not None:
            marks += flying(setting, moves, column, setting.right, _only(setting, ways))
            marks += printed(setting, moves, column, setting.right, 22.0 * number if lift else 0.0,
                             ways.moves[0] if lift and number else None)
    so_far = None
    if ways.adds and done < ways.count:
        so_far = sum((moves.brought(done, False) for moves in ways.moves),
                     np.zeros(setting.layer.shape) if ways.start is None else ways.start)
    return Frame(ways.parcel_of >= done, so_far, tuple(marks), said, (done, ways.count), counted,
                 _left_behind(setting, ways) if leaves else {})


def _left_behind(setting: Setting, ways: Ways) -> dict[str, tuple[NDArray[np.bool_], float]]:
    """What has set out is paler where it was, until the beat comes to rest."""
    begun = sum(share_of(parcel, ways.count, setting.second) > 0 for parcel in range(ways.count))
    rested = min(1.0, max(0.0, 1 - (seconds_of(ways.count) - setting.second) / SETTLE))
    if not begun or rested >= 1:
        return {}
    strength = LEFT + (1 - LEFT) * ease(rested)
    return {moves.source.name: (left_at < begun, strength) for moves in ways.moves
            for left_at in (_left_at(setting.trace, moves),)}


@remembered(64)
def _left_at(trace: Trace, moves: Moves) -> NDArray[np.int64]:
    """In the source's shape: with which parcel a number leaves; never for what stays."""
    found = np.full(moves.source.shape, moves.count)
    np.minimum.at(found, tuple(moves.cells.T), moves.parcels)
    return found


def returning(setting: Setting, ways: Ways | None, said: Callable[[Setting, int, int], str],
              counted: Callable[[int, int], str]) -> Frame:
    """A layer whose gradient comes back from what read it, the same ways in the other direction; it adds up. What is
    `said` and `counted` is asked for with the parcels that have landed, and how many there are."""
    if ways is None or setting.written.gradient is None or setting.layer.gradient is None or not setting.left:
        return window.backward(setting)
    back = way_back(setting.trace, ways, setting.written.name)
    own = back.moves
    if not own:
        return window.backward(setting)
    done, count, left = landed(back.count, setting.second), back.count, setting.left[0]
    marks: list[Mark] = []
    for number, moves in enumerate(own):
        marks += [*flying(setting, moves, setting.right, left, _only(setting, ways)),
                  *printed(setting, moves, setting.right, left, 22.0 * number)]
    brought = sum((moves.brought(done, True) for moves in own[1:]), own[0].brought(done, True))
    return Frame(own[0].parcel_of >= done, brought, tuple(marks), said(setting, done, count), (done, count),
                 counted(done, count))


def _only(setting: Setting, ways: Ways) -> int | None:
    """Where each number is a sum over many, only those of one channel are seen to fly."""
    return setting.chosen_right if ways.adds and setting.layer.output.ndim > 2 else None
