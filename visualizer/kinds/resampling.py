"""Pictures, lines and volumes of another size: between the places that there are, or at any place; and what is laid
together from overlapping parts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from visualizer import said
from visualizer.kinds import Inputs, Kind, Terms
from visualizer.kinds._dims import batch_of, full_shape, tuple_of
from visualizer.kinds._sparse import (
    Entries,
    Linear,
    Matrix,
    axes_backward,
    axes_box,
    axes_terms,
    kind_of,
    short,
)
from visualizer.kinds._taps import Numbers, added, gradient_taps, grid_of
from visualizer.kinds.shape import columns_of
from visualizer.language import english, tr
from visualizer.trace import Cell, Layer

Settings = Mapping[str, Any]
Names = tuple[str, ...]


# --- another size: every axis on its own ------------------------------------------------------------------------------

def resized(layer: Layer, inputs: Inputs) -> tuple[Matrix, ...]:
    """For each axis behind the channels, how much of each place is in each new one."""
    count = layer.output.ndim - 1
    s, found = layer.settings, []
    factors = tuple_of(s.get("scale_factor"))
    for number in range(count):
        old, new = inputs[0].shape[1 + number], layer.shape[1 + number]
        factor = factors[number % len(factors)]
        step = old / new if factor is None or s.get("recompute_scale_factor") else 1 / factor
        found.append(_weights(str(s.get("mode", "nearest")), old, new, step, bool(s.get("align_corners")),
                              bool(s.get("antialias"))))
    return tuple(found)


def _weights(mode: str, old: int, new: int, step: float, corners: bool, smooth: bool) -> Matrix:
    """(new, old): as torch documents each mode; a place outside stands for the nearest inside."""
    matrix, at = np.zeros((new, old)), np.arange(new)
    if mode == "area":
        for i in at:
            low, high = i * old // new, -(-(i + 1) * old // new)
            matrix[i, low:high] = 1 / (high - low)
        return matrix
    if mode.startswith("nearest"):
        half = 0.5 if mode == "nearest-exact" else 0.0
        index = ((at.astype(np.float32) + np.float32(half)) * np.float32(step)).astype(np.int64)
        matrix[at, np.minimum(index, old - 1)] = 1.0
        return matrix
    if corners:
        step = (old - 1) / (new - 1) if new > 1 else 0.0
    cubic = mode == "bicubic"
    if smooth:
        return _smoothed(old, new, step, cubic)
    place = at * step if corners else (at + 0.5) * step - 0.5
    if not cubic:
        place = np.clip(place, 0, old - 1)
    first = np.floor(place).astype(np.int64)
    for tap in (-1, 0, 1, 2) if cubic else (0, 1):
        share = cubic_share(place - first - tap, -0.75) if cubic else 1 - np.abs(place - first - tap)
        np.add.at(matrix, (at, np.clip(first + tap, 0, old - 1)), share)
    return matrix


def cubic_share(distance: Any, a: float) -> Numbers:
    """How much a place counts at a distance (Keys 1981)."""
    d = np.abs(distance)
    near, far = ((a + 2) * d - (a + 3)) * d * d + 1, ((d - 5) * d + 8) * a * d - 4 * a
    return np.where(d <= 1, near, np.where(d < 2, far, 0.0))


def cubic_slope(distance: Any, a: float) -> Numbers:
    """How that changes with the distance."""
    d = np.abs(distance)
    near, far = (3 * (a + 2) * d - 2 * (a + 3)) * d, a * (3 * d * d - 10 * d + 8)
    found: Numbers = np.sign(distance) * np.where(d <= 1, near, np.where(d < 2, far, 0.0))
    return found


def _smoothed(old: int, new: int, step: float, cubic: bool) -> Matrix:
    """Smaller pictures without false patterns: the window grows with the step."""
    wide = max(step, 1.0)
    reach = (2.0 if cubic else 1.0) * wide
    matrix = np.zeros((new, old))
    for i in range(new):
        centre = step * (i + 0.5)
        low = max(int(centre - reach + 0.5), 0)
        places = np.arange(low, min(int(centre + reach + 0.5), old))
        distance = (places - centre + 0.5) / wide
        share = cubic_share(distance, -0.5) if cubic else np.maximum(1 - np.abs(distance), 0.0)
        matrix[i, places] = share / share.sum()
    return matrix


def resized_sentence(layer: Layer, inputs: Inputs) -> str:
    return tr("{source} is brought to another size, {before} → {after}: each number is a mean of its neighbours, the "
              "nearer the more ({mode}).").format(
        source=inputs[0].name, before=said.lengths(inputs[0], 1), after=said.lengths(layer, 1),
        mode=str(layer.settings.get("mode", "nearest")).replace("-", " "))


# --- a picture read at any place --------------------------------------------------------------------------------------

def _looks_at(layer: Layer, inputs: Inputs) -> tuple[list[tuple[Any, Numbers, Numbers]], tuple[int, ...]]:
    """For each axis of the picture, slowest first: (places, shares, slopes of the shares by the coordinate), each
    (point, tap). A place outside that counts as 0 has a share of 0."""
    s, sizes = layer.settings, inputs[0].shape[1:]
    grid = inputs[1].output.astype(np.float64).reshape(-1, len(sizes))
    mode, padding = _named(s, "mode", "interpolation_mode", MODES), _named(s, "padding_mode", "", PADDINGS)
    corners, found = bool(s.get("align_corners")), []
    for number, size in enumerate(sizes):
        given = grid[:, len(sizes) - 1 - number]  # the last coordinate is the slowest axis
        scale = (size - 1) / 2 if corners else size / 2
        at = (given + 1) / 2 * (size - 1) if corners else ((given + 1) * size - 1) / 2
        found.append(_taps_along(at, scale, size, mode, padding, corners))
    return found, layer.shape[1:]


def _taps_along(at: Numbers, scale: float, size: int, mode: str, padding: str,
                corners: bool) -> tuple[Any, Numbers, Numbers]:
    if mode == "bicubic":
        first = np.floor(at)
        taps_here = first[:, None] + np.arange(-1, 3)
        distance = at[:, None] - taps_here
        places, _ = _inside(taps_here, size, padding, corners)
        share, slope = cubic_share(distance, -0.75), cubic_slope(distance, -0.75) * scale
    else:
        at, turn = _inside(at, size, padding, corners)
        if mode == "nearest":
            places = np.rint(at)[:, None]
            share, slope = np.ones(places.shape), np.zeros(places.shape)
        else:
            first = np.floor(at)
            places = first[:, None] + np.arange(2)
            share = 1 - np.abs(at[:, None] - places)
            slope = np.array([-1.0, 1.0]) * (scale * turn)[:, None]
    there = (places >= 0) & (places <= size - 1)
    return np.clip(places, 0, size - 1).astype(np.int64), share * there, slope * there


def _inside(at: Any, size: int, padding: str, corners: bool) -> tuple[Numbers, Numbers]:
    """A place outside as one inside, and how that moves with it."""
    if padding == "zeros":
        return at, np.ones(at.shape)
    turn = np.ones(at.shape)
    if padding == "reflection":
        low, span = (0.0, float(size - 1)) if corners else (-0.5, float(size))
        if span == 0:
            return np.zeros(at.shape), np.zeros(at.shape)
        away = np.abs(at - low)
        flips = np.floor(away / span)
        rest = away - flips * span
        turn = np.where(at < low, -1.0, 1.0) * np.where(flips % 2 == 0, 1.0, -1.0)
        at = np.where(flips % 2 == 0, rest + low, span - rest + low)
    turn = turn * ((at > 0) & (at < size - 1))
    return np.clip(at, 0, size - 1), turn


MODES, PADDINGS = ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection")


def _named(s: Settings, name: str, other: str, names: tuple[str, ...]) -> str:
    """A mode by its name, or by the number that torch gives it inside."""
    found = s.get(name, s.get(other, names[0]))
    return names[found] if isinstance(found, int) else str(found)


def _combined(along: list[tuple[Any, Numbers, Numbers]], sizes: tuple[int, ...],
              by: int | None = None) -> tuple[Any, Numbers]:
    """(place in a map, share) of every point and tap; `by` takes the slope along one axis for its share."""
    points = len(along[0][0])
    places, shares = np.zeros((points, 1), dtype=np.int64), np.ones((points, 1))
    for number, (at, share, slope) in enumerate(along):
        places = (places[:, :, None] * sizes[number] + at[:, None]).reshape(points, -1)
        shares = (shares[:, :, None] * (slope if number == by else share)[:, None]).reshape(points, -1)
    return places, shares


def sampled(layer: Layer, inputs: Inputs) -> Entries:
    along, _ = _looks_at(layer, inputs)
    places, shares = _combined(along, inputs[0].shape[1:])
    rows = np.repeat(np.arange(len(places)), places.shape[1])
    return Entries(rows, places.ravel(), shares.ravel())


def sampled_by_grid(layer: Layer, inputs: Inputs, which: int, cell: Cell) -> Terms:
    """What is handed back to one coordinate: moving the point changes what is read there, in every channel."""
    along, _ = _looks_at(layer, inputs)
    sizes = inputs[0].shape[1:]
    places, shares = _combined(along, sizes, by=len(sizes) - 1 - cell[-1])
    place = cell[-1 - len(sizes):-1]  # a grid that was no sample has an axis of 1 in front
    point = int(np.ravel_multi_index(place, layer.shape[1:]))
    maps = inputs[0].output.astype(np.float64).reshape(len(inputs[0].output), -1)
    slopes = maps[:, places[point]] * shares[point]  # one for each pixel: where all are alike they cancel
    cells = np.repeat(grid_of(np.arange(len(maps)), *([i] for i in place)), slopes.shape[1], axis=0)
    return added(gradient_taps(layer, cells, slopes.ravel(), slopes.shape), formula="∂L/∂u = Σ ∂L/∂y·∂y/∂u")


def placed(layer: Layer, inputs: Inputs) -> Entries:
    """Each coordinate of a grid: θ times (x, y, 1)."""
    sizes, count = layer.shape[:-1], layer.shape[-1]
    corners = bool(layer.settings.get("align_corners"))
    lines = [np.linspace(-1, 1, size) * (1 if corners or size == 1 else (size - 1) / size) if size > 1
             else np.zeros(1) for size in sizes]
    points = np.stack([line.ravel() for line in np.meshgrid(*lines, indexing="ij")][::-1], axis=1)
    points = np.column_stack([points, np.ones(len(points))])
    rows = np.repeat(np.arange(len(points) * count), count + 1)
    columns = np.tile(np.arange(count * (count + 1)), len(points))
    return Entries(rows, columns, np.repeat(points, count, axis=0).ravel())


# --- parts laid together ----------------------------------------------------------------------------------------------

def folded(layer: Layer, inputs: Inputs) -> Entries:
    """Every column is a window; where windows overlap, they are added."""
    places = columns_of(layer.settings, layer.shape)
    kept = places >= 0
    return Entries(places[kept], np.flatnonzero(kept.ravel()), np.ones(int(kept.sum())))


def added_by_places(layer: Layer, inputs: Inputs) -> Entries:
    """The base, and onto it each number of the source, at the place along `dim` that its index says."""
    if layer.settings.get("reduce", "sum") != "sum":
        raise LookupError(tr("{layer} does not add, which is not explained.").format(layer=layer.name))
    base, index, source = (read.output.reshape(full_shape({"batch": batch_of(layer.settings, which)}, read))
                           for which, read in enumerate(inputs))
    dim = int(layer.settings["dim"]) % max(base.ndim, 1)
    slices = layer.kind == "index_add"
    goes = grid_of(*map(np.arange, source.shape if slices else index.shape))
    columns = base.size + np.ravel_multi_index(tuple(goes.T), source.shape)
    goes[:, dim] = index.reshape(-1)[goes[:, dim]] if slices else index[tuple(goes.T)]
    rows = np.ravel_multi_index(tuple(goes.T), base.shape)
    own = np.arange(base.size)
    if layer.settings.get("include_self") is False:
        own = np.setdiff1d(own, rows)
    return Entries(np.concatenate([own, rows]), np.concatenate([own, columns]),
                   np.concatenate([np.ones(len(own)), np.full(len(rows), float(layer.settings.get("alpha", 1.0)))]))


def _maps_again(s: Settings, given: tuple[Names, ...], shape: tuple[int, ...]) -> Names:
    return (*given[0][:-2], "channel", "row", "column")


def _as_given(s: Settings, given: tuple[Names, ...], shape: tuple[int, ...]) -> Names:
    return given[0]


def _coordinates(s: Settings, given: tuple[Names, ...], shape: tuple[int, ...]) -> Names:
    return ("batch", *("depth", "row", "column")[5 - len(shape):], "axis") if len(shape) in (4, 5) else ()


LINEAR = (
    Linear("grid_sample", english("reading at places"),
           {"grid_sample": "input grid mode padding_mode align_corners",
            **dict.fromkeys(("grid_sampler", "grid_sampler_2d", "grid_sampler_3d"),
                            "input grid interpolation_mode padding_mode align_corners")}, _as_given,
           english("From {source}: the first is read at the places that the second says, between its pixels: {before} "
                   "becomes {after}."), sampled, lambda layer, inputs: 1, sampled_by_grid),
    Linear("affine_grid", english("grid of places"), dict.fromkeys(("affine_grid", "affine_grid_generator"),
                                                                  "input size align_corners"), _coordinates,
           english("Each place of a grid is turned, stretched and moved by the {before} numbers of {source}: {after} "
                   "in all."), placed),
    Linear("fold", english("columns as windows"), dict.fromkeys(
        ("fold", "col2im"), "input output_size kernel_size dilation padding stride"), _maps_again,
           english("Every column of {source} becomes a window, and where windows overlap they are added: {before} "
                   "becomes {after}."), folded),
    Linear("scatter_add", english("adding by places"),
           {"scatter_add": "input dim index src", "scatter_reduce": "input dim index src reduce include_self"},
           _as_given, english("Into {source}: the second says where the numbers of the third are added, {after} in "
                              "all."), added_by_places, linear_in=(0, 2)),
    Linear("index_add", english("adding by places"), {"index_add": "input dim index source alpha"}, _as_given,
           english("Into {source}: the second says where slices of the third are added, {after} in all."),
           added_by_places, linear_in=(0, 2)),
)
_MODES = ("nearest-exact", "linear", "bilinear", "bicubic", "trilinear", "area")
KINDS = (
    *map(kind_of, LINEAR),
    Kind("interpolate", english("resampling"),
         {f"interpolate[{mode}]": "input size scale_factor mode align_corners recompute_scale_factor antialias"
          for mode in _MODES}, _as_given, partial(axes_terms, resized), partial(axes_backward, resized),
         partial(axes_box, resized), resized_sentence, short=short),
)
