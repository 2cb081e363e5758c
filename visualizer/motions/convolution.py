"""Convolution: the kernel's window slides over all source maps, six sums and a bias make one number in every map.

On the way back each place lays its gradient, times the kernel, onto the sources, where it adds up; and the gradient of
the kernel fills as a sum over the places.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.kinds.conv import handed_back, weight_gradient
from visualizer.language import counted_as, tr
from visualizer.motions import (
    CAMERA,
    SLOW,
    Frame,
    March,
    Motion,
    Places,
    Setting,
    gone_back,
    march,
    march_seconds,
    opacity_at,
    out,
    part_of,
    passing,
    places,
    smooth,
    stops,
    stops_seconds,
    window,
)
from visualizer.motions._marks import (
    along,
    around,
    bands,
    box_of_cells,
    chip,
    heads_on,
    middle,
    over_the_gap,
    rings,
    taps_of,
    windows,
    wire,
)
from visualizer.scene import colour, numbers
from visualizer.scene.columns import Column, kernel_boxes, read_by
from visualizer.scene.picture import Flight, Focus, Group, Image, Mark, Path, Rect, Text, Touch, grouped, plain
from visualizer.size import norm
from visualizer.trace import Array, Cell, Layer, Trace, remembered

MOST_SUMS = 16
"""Kernels that stand between the maps."""
MOST_PRODUCTS = 3_000_000
"""Of a layer with more products the gradient is not added up anew for every frame: it uncovers number by number."""
WINDOW, PRODUCTS, SUMS = 0.22, 0.45, 0.80
"""Of a slow place: until here the windows lie down, the products show, the sums fly; then the number lands."""

NEAR = 60.0
"""Pixels: sums of kernels that stand no further above start where the bias would wait, which then waits above them."""


def suits(layer: Layer) -> bool:
    return layer.kind in ("conv2d", "conv1d") and "weight" in layer.weights and layer.axes[:1] == ("channel",)


def forward(setting: Setting) -> Frame:
    """The window at the place being computed, its sums on their way, and what stands already."""
    layer = setting.layer
    found = places(layer)
    channel = min(setting.chosen, layer.shape[0] - 1)
    at = march(found.count, setting.second, window.strongest_place(layer, found, channel, layer.output))
    lands = at.slow and at.share >= 0.97
    done = at.done + lands
    marks: list[Mark] = list(wiring(setting, channel))
    here = at.done if at.slow else at.done - 1
    if 0 <= here < found.count and (at.slow or at.done < found.count):
        cell = found.cell(here, channel)
        read = taps_of(setting.trace, layer.name, cell)
        faint, rows = opacity_at(at, here, found.shape[-1]), _passing(at, here, found)
        if rows is not None:
            others = [one for one in setting.right.shown if one not in (channel, -1)]
            marks += [*_band(setting, found, rows, [channel]), *_band(setting, found, rows, others, ())]
        else:
            marks += windows(setting.trace, setting.left, read, Focus(layer.name, cell), opacity=faint)
            marks += _trail(setting, found, here, channel) if not at.slow else []
            marks += rings(setting.right, layer, window.all_channels(found, here, setting.right, layer), opacity=faint)
        if at.slow:
            marks += _sums(setting, cell, at.share)
    return Frame(found.covered(done), None, tuple(marks), _said(setting, found, done, channel),
                 (done, found.count), _counted(found, done))


def backward(setting: Setting) -> Frame:
    """What the last places have laid onto the sources so far."""
    layer, source = setting.layer, setting.written
    if layer.gradient is None or source.gradient is None or not _adds_up(setting):
        return window.backward(setting)
    found = places(layer)
    channel = min(setting.chosen_right, layer.shape[0] - 1)
    order = stops(layer, found, channel)
    at = march(len(order), setting.second)
    share = out(part_of(at.share, 0.45, 0.50)) if at.slow else 0.0
    before = _laid(setting, found, order, at.done)
    values = before if not share else before + share * (_laid(setting, found, order, at.done + 1) - before)
    done = at.done + (at.slow and at.share >= 0.97)
    covered = None if done >= len(order) else _untouched(setting, found, order, at.done + (share > 0))
    marks: list[Mark] = list(wiring(setting, channel))
    here = at.done if at.slow else at.done - 1
    if 0 <= here < len(order) and (at.slow or at.done < len(order)):
        cell = found.cell(order[here], channel)
        read = taps_of(setting.trace, layer.name, cell)
        faint = opacity_at(at, here, found.shape[-1], order)
        rows = _passing(at, here, found, order)
        if rows is not None:
            marks += _band(setting, found, rows, [channel])
        else:
            marks += windows(setting.trace, setting.left, read, Focus(layer.name, cell), opacity=faint)
            marks += rings(setting.right, layer, [cell], backward=True, opacity=faint)
        if at.slow:
            marks += _stamps(setting, cell, at.share)
    marks += _weight_gradient(setting, found, order, at.done, channel)
    return Frame(covered, values, tuple(marks), _said_back(setting, found, order, done, channel),
                 (done, len(order)), tr("{n} of {count} places laid down").format(
                     n=numbers.count(gone_back(found, order, done)), count=numbers.count(found.count)))


def seconds(trace: Trace, layer: Layer, back: str) -> float:
    return stops_seconds(layer) if back else march_seconds(places(layer).count, True)


def hands(trace: Trace, layer: Layer, name: str) -> Array | None:
    """Every place, laid down."""
    if layer.gradient is None or layer.reads != (name,):
        return None
    return handed_back(layer, trace.inputs(layer), layer.gradient)


# --- what stands between the maps ------------------------------------------------------------------------------------

def wiring(setting: Setting, channel: int) -> list[Mark]:
    """From every source map through its kernel to the sum, and from there to the map that is followed."""
    ink = "gradient-mark" if setting.backward else "accent"
    right, (x, y) = setting.right, sum_place(setting)
    marks: list[Mark] = []
    read = read_by(setting.trace[right.layer], channel)
    for column in setting.left:
        boxes = kernel_boxes(setting.trace, setting.plan, right.layer, column)
        for tile, (left, top, wide, high) in boxes.items():
            if tile not in read:
                continue
            way = over_the_gap(column, tile if tile in column.shown else column.shown[0])
            bend = column.x + column.width + 8
            marks.append(wire([*way, (bend, way[-1][1]), (bend, top + high / 2), (left - 2, top + high / 2)], ink, 1.2))
            start = (left + wide + 2, top + high / 2)
            reach = (x - 9 - start[0]) * 0.5
            marks.append(Path(((start, (start[0] + reach, start[1]), (x - 9 - reach, y), (x - 9, y)),), stroke=ink,
                              width=1.2))
    target = right.box(channel) if channel in right.shown else None
    if target is not None:
        marks.append(wire(_to_the_tile(setting, channel), ink, 1.5))
        marks += around(target)
    marks += [Rect(x - 9, y - 9, 18, 18, "stage", ink, 1.5, radius=9),
              Text(x, y + 4.5, plain("g" if setting.backward else "Σ"), 13, 600, "ink", "middle")]
    return grouped(Group("sum"), marks)


def sum_place(setting: Setting) -> tuple[float, float]:
    """Where the sums meet: in the gap before the layer that is computed."""
    left = max(column.x + column.width for column in setting.left) if setting.left else setting.right.x - 60
    kernel = setting.plan.kernel_x.get(setting.right.layer)
    start = left + 20 if kernel is None else kernel + 30
    middle_of = setting.left[0] if setting.left else setting.right
    return start + (setting.right.x - start) * 0.62, middle_of.top + middle_of.height / 2


def _to_the_tile(setting: Setting, channel: int) -> list[tuple[float, float]]:
    (x, y), right = sum_place(setting), setting.right
    box = right.box(channel)
    assert box is not None
    rim = right.x - 12
    if right.shown.index(channel) % right.sub_columns == 0:
        return [(x + 9, y), (rim, y), (rim, box[1] + box[3] / 2), (box[0] - 5, box[1] + box[3] / 2)]
    above = box[1] - max(6.0, (right.pitch[1] - box[3]) / 2)
    across = box[0] + box[2] / 2
    return [(x + 9, y), (rim, y), (rim, above), (across, above), (across, box[1] - 4)]


@dataclass(frozen=True)
class _Sum:
    """What one source map adds to a number."""

    tile: int
    value: float
    products: NDArray[np.float64]
    """As the kernel lies: rows and columns."""


def _channel_sums(setting: Setting, cell: tuple[int, ...]) -> tuple[list[_Sum], float | None]:
    terms = kinds.terms(setting.trace, setting.layer.name, cell)
    (read,) = terms.taps
    products = read.products.reshape(read.grid)
    first = int(read.cells[0, 0])
    return [_Sum(first + index, float(own.sum()), np.atleast_2d(own)) for index, own in enumerate(products)], terms.bias


def _sums(setting: Setting, cell: tuple[int, ...], share: float) -> list[Mark]:
    """Products in the kernels, then their sums on the way to Σ, then the number on its way to its place."""
    sums, bias = _channel_sums(setting, cell)
    column = next(iter(setting.left))
    boxes = kernel_boxes(setting.trace, setting.plan, setting.right.layer, column)
    x, y = sum_place(setting)
    marks: list[Mark] = []
    shown = [one for one in sums if one.tile in boxes]
    top = colour.largest(np.concatenate([one.products for one in sums])) if sums else 1.0
    target = Focus(setting.layer.name, cell)
    for place, one in enumerate(shown):
        left, upper, wide, high = boxes[one.tile]
        if WINDOW <= share < SUMS:
            rows, across = one.products.shape
            marks.append(Image(left, upper, (wide / across, high / rows), colour.signed(one.products, top)[None],
                               "activation", opacity=part_of(share, WINDOW, 0.08)))
        late = 0.35 * place / max(1, len(shown)) * (SUMS - PRODUCTS)
        flown = out(part_of(share, PRODUCTS + late, (SUMS - PRODUCTS) * 0.65))
        if share >= WINDOW + 0.06 and flown < 1:
            start = (left + wide + 16, upper + high / 2)
            at = start[0] + (x - start[0]) * flown, start[1] + (y - start[1]) * flown
            marks += chip(one.value, at, holds=Flight(
                Focus(setting.layer.name, (cell[0], one.tile - sums[0].tile), "weight"), target, one.value,
                flown * _until_the_sum(setting, cell, start)))
    others = [one.value for one in sums if one.tile not in boxes]
    if others and PRODUCTS <= share < SUMS:
        marks += chip(sum(others), (x, y + 40), said=counted_as(
            len(others), tr("{count} other {sum}"), tr("{count} others {sum}")).format(
            count=len(others), sum=numbers.signed(sum(others), 2)))
    if bias is not None and share < SUMS:
        beside = [y - upper - high / 2 for _, upper, _, high in (boxes[one.tile] for one in shown)]
        above = 24 + max((up for up in beside if 0 < up < NEAR), default=0.0)
        marks += chip(bias, (x, y - above + 12 * part_of(share, PRODUCTS, SUMS - PRODUCTS)),
                      "weight-positive-text" if bias > 0 else "weight-negative-text",
                      tr("b {bias}").format(bias=numbers.signed(bias, 2)))
    box = box_of_cells(setting.right, setting.layer, cell, cell)
    if share >= SUMS and box is not None:
        value = float(setting.layer.output[cell])
        way = [*_to_the_tile(setting, cell[0]), middle(box)]
        at = along(tuple(way), smooth(part_of(share, SUMS, 0.97 - SUMS)))
        gone = part_of(share, SUMS, 0.97 - SUMS)
        marks += chip(value, at, opacity=0.7 if 0 < gone < 1 else 1.0, holds=Flight(target, target, value, gone))
    return grouped(Group("running sum"), marks)


def _until_the_sum(setting: Setting, cell: Cell, start: tuple[float, float]) -> float:
    """How much of the way from a kernel to a number lies before the sum."""
    box = box_of_cells(setting.right, setting.layer, cell, cell)
    x, y = sum_place(setting)
    if box is None:
        return 1.0
    before, after = (float(np.hypot(x - end[0], y - end[1])) for end in (start, middle(box)))
    return before / (before + after)


def _trail(setting: Setting, found: Places, here: int, channel: int) -> list[Mark]:
    """A thin outline around the last windows of the row on every source map."""
    first = max(here - 5, here - here % found.shape[-1])
    cells = [found.cell(place, channel) for place in (first, here)]
    marks: list[Mark] = []
    for column in setting.left:
        layer = setting.trace[column.layer]
        ends = [taps for cell in cells for taps in taps_of(setting.trace, setting.layer.name, cell)
                if taps.source == column.layer]
        if not ends or layer.output.ndim < 2:
            continue
        low = np.min([taps.cells.min(axis=0) for taps in ends], axis=0)
        high = np.max([taps.cells.max(axis=0) for taps in ends], axis=0)
        tiles = [(tile,) for tile in range(int(low[0]), int(high[0]) + 1)]
        for head in heads_on(column, tiles):
            own = head or tiles[0]
            box = box_of_cells(column, layer, (*own, *map(int, low[1:])), (*own, *map(int, high[1:])))
            if box is not None:
                marks.append(Rect(box[0], box[1], box[2], box[3], stroke="accent", stroke_width=0.8, opacity=0.6,
                                  holds=Touch(Focus(column.layer, head), Focus(setting.layer.name, cells[0]),
                                              until=cells[1])))
    return grouped(Group("trail"), marks)


def _passing(at: March, number: int, found: Places, order: Sequence[int] | None = None) -> tuple[int, int] | None:
    return passing(at, number, found.shape[-1], order) if len(found.shape) == 2 else None


def _band(setting: Setting, found: Places, rows: tuple[int, int], channels: Sequence[int],
          columns: Sequence[Column] | None = None) -> list[Mark]:
    return bands(setting.trace, setting.left if columns is None else columns, setting.right, setting.layer, rows, found,
                 channels, lambda cell: taps_of(setting.trace, setting.layer.name, cell))


# --- the way back ----------------------------------------------------------------------------------------------------

def _adds_up(setting: Setting) -> bool:
    """Whether the gradient of the source can be added up place by place: one reader, and not too many products."""
    return (setting.from_one and setting.layer.kind == "conv2d"
            and setting.layer.reads[:1] == (setting.written.name,)
            and setting.layer.output.size * setting.layer.weights["weight"][0].size <= MOST_PRODUCTS)


def _sent(layer: Layer, first: int) -> Array:
    """The gradient of the layer that hands back, of the places from the first that has been laid down."""
    gradient = layer.gradient
    assert gradient is not None
    sent = gradient.reshape(len(gradient), -1).copy()
    sent[:, :first] = 0
    return sent.reshape(gradient.shape)


def _laid(setting: Setting, found: Places, order: Sequence[int], done: int) -> Array:
    """The gradient of the source, as far as it has been laid down."""
    if done >= len(order):
        return setting.handed
    return _laid_from(setting.trace, setting.layer.name, found.count - gone_back(found, order, done))


@remembered(4)
def _laid_from(trace: Trace, name: str, first: int) -> Array:
    layer = trace[name]
    return handed_back(layer, trace.inputs(layer), _sent(layer, first))


def _untouched(setting: Setting, found: Places, order: Sequence[int], done: int) -> NDArray[np.bool_]:
    """Which places of the source no window has reached yet."""
    first = found.count - gone_back(found, order, done)
    covered = np.ones(setting.written.shape, bool)
    if first == found.count:
        return covered
    layer, inputs = setting.layer, setting.trace.inputs(setting.layer)
    kind = kinds.of(layer)
    assert kind is not None
    row = first // found.shape[-1]
    for start, end in ((first, (row + 1) * found.shape[-1] - 1), ((row + 1) * found.shape[-1], found.count - 1)):
        if start > end:
            continue
        cells = found.cell(start, 0), found.cell(end, 0)
        box = kind.source_box(layer, inputs, 0, ((0, layer.shape[0] - 1), *(
            (min(a, b), max(a, b)) for a, b in zip(cells[0][1:], cells[1][1:], strict=True))))
        covered[tuple(slice(max(0, low), high + 1) for low, high in box)] = False
    return covered


def _stamps(setting: Setting, cell: tuple[int, ...], share: float) -> list[Mark]:
    """The gradient of one place, times every kernel, on its way to the windows on the sources."""
    layer, column = setting.layer, setting.left[0]
    assert layer.gradient is not None
    value = float(layer.gradient[cell])
    box = box_of_cells(setting.right, layer, cell, cell)
    marks: list[Mark] = []
    if box is not None and share < 0.97:
        here = Focus(layer.name, cell)
        marks += chip(value, (middle(box)[0], box[1] - 13), "gradient-text", numbers.signed(value, 4),
                      opacity=0.5 + 0.5 * part_of(share, 0.0, 0.25), holds=Flight(here, here, value, 0.0, True))
    boxes = kernel_boxes(setting.trace, setting.plan, layer.name, column)
    if not 0.20 <= share < 0.95:
        return marks
    flown = smooth(part_of(share, 0.45, 0.50))
    weight = layer.weights["weight"][cell[0]]
    top = colour.largest(weight * value) or 1.0
    for taps in taps_of(setting.trace, layer.name, cell):
        source = setting.trace[column.layer]
        for tile in np.unique(taps.cells[:, 0]).tolist():
            own = taps.cells[taps.cells[:, 0] == tile]
            place = box_of_cells(column, source, tuple(map(int, own.min(axis=0))), tuple(map(int, own.max(axis=0))))
            if tile not in boxes or place is None:
                continue
            start = boxes[tile]
            left, upper, wide, high = (a + (b - a) * flown for a, b in zip(start, place, strict=True))
            stamp = weight[tile - int(taps.cells[0, 0])] * value
            rows, across = stamp.shape
            marks.append(Image(left, upper, (wide / across, high / rows),
                               colour.magnitude(stamp, top * 1e-3, top)[None], "gradient", opacity=0.85,
                               focus=None, holds=_laid_down(setting, cell, own, stamp,
                                                            tile - int(taps.cells[0, 0]), flown)))
    return grouped(Group("stamps"), marks)


def _laid_down(setting: Setting, cell: Cell, window_of: NDArray[np.int64], stamp: NDArray[np.float64], kernel: int,
               flown: float) -> Flight | None:
    """What a stamp carries: the strongest of its numbers that lands on the source, from its weight to its place."""
    inside = np.all((window_of >= 0) & (window_of < setting.written.shape), axis=1)
    sizes = np.where(inside, np.abs(np.nan_to_num(stamp)).ravel(), -1.0)
    index = int(sizes.argmax())
    if not inside[index]:
        return None
    weight = tuple(int(at) for at in np.unravel_index(index, stamp.shape))
    return Flight(Focus(setting.layer.name, (cell[0], kernel, *weight), "weight"),
                  Focus(setting.written.name, tuple(map(int, window_of[index]))), float(stamp.ravel()[index]), flown,
                  True)


def _weight_gradient(setting: Setting, found: Places, order: Sequence[int], done: int, channel: int) -> list[Mark]:
    """∂L/∂w of the chosen channel, so far, beside each kernel."""
    column, layer = setting.left[0], setting.layer
    if "weight" not in layer.weight_gradients:
        return []
    so_far = weight_so_far(setting, found, order, done, channel)
    top = colour.largest(weight_so_far(setting, found, order, len(order), channel)) or 1.0
    marks: list[Mark] = []
    read = read_by(layer, channel)
    for tile, (left, upper, wide, high) in kernel_boxes(setting.trace, setting.plan, layer.name, column).items():
        if tile in read:
            place = read.index(tile)
            rows, across = so_far[place].shape
            marks.append(Image(left + wide + 5, upper, (wide / across, high / rows),
                               colour.magnitude(so_far[place], top * 1e-3, top)[None], "gradient",
                               focus=Focus(layer.name, (channel, place), "weight"), indices=(-1,)))
    return grouped(Group(tr("kernels of {layer}").format(layer=layer.name)), marks)


def weight_so_far(setting: Setting, found: Places, order: Sequence[int], done: int, channel: int) -> Array:
    """∂L/∂w = Σ ∂L/∂y·x of one channel, over the places that have been laid down."""
    layer = setting.layer
    if done >= len(order) and kinds.adds_up(layer, "weight"):
        return np.asarray(layer.weight_gradients["weight"][channel])
    return _weights_from(setting.trace, layer.name, channel, found.count - gone_back(found, order, done))


@remembered(4)
def _weights_from(trace: Trace, name: str, channel: int, first: int) -> Array:
    layer = trace[name]
    return weight_gradient(layer, trace.inputs(layer), _sent(layer, first)[channel], channel)


# --- words -----------------------------------------------------------------------------------------------------------

def _counted(found: Places, done: int) -> str:
    if done >= found.count:
        return tr("{count} of {count} places").format(count=numbers.count(found.count))
    row, column = divmod(max(0, done - 1), found.shape[-1])
    if len(found.shape) != 2:
        return tr("place {n} of {count}").format(n=numbers.count(done), count=numbers.count(found.count))
    return tr("place {n} of {count}: row {row}, column {column}").format(
        n=numbers.count(done), count=numbers.count(found.count), row=row, column=column)


def _said(setting: Setting, found: Places, done: int, channel: int) -> str:
    layer = setting.layer
    sources = ", ".join(column.layer for column in setting.left)
    if done <= 0:
        return tr("{source} is ready. {layer} has computed nothing yet.").format(source=sources, layer=layer.name)
    products = layer.weights["weight"][channel].size
    own = layer.output[channel].reshape(-1)
    if setting.second < CAMERA + sum(SLOW):
        return (tr("{products} products and a bias make {{{value}}} in channel {channel}.") if "bias" in layer.weights
                else tr("{products} products make {{{value}}} in channel {channel}.")).format(
            products=numbers.count(products), value=numbers.number(float(own[done - 1])), channel=channel)
    return tr("The same {products} weights everywhere: {{{done} of {count}}} places done, largest so far "
              "{largest}.").format(products=numbers.count(products), done=numbers.count(done),
                                   count=numbers.count(found.count), largest=numbers.number(float(own[:done].max())))


def _said_back(setting: Setting, found: Places, order: Sequence[int], done: int, channel: int) -> str:
    layer = setting.layer
    assert layer.gradient is not None
    own = layer.gradient[channel].reshape(-1)
    if done <= 0:
        return tr("The gradient stands at {layer}: {{{alive} of {count}}} places of channel {channel} carry any. "
                  "{source} has none yet.").format(
            layer=layer.name, alive=numbers.count(int(np.count_nonzero(own))), count=numbers.count(found.count),
            channel=channel, source=setting.written.name)
    if setting.second < CAMERA + sum(SLOW):
        return tr("{{{value}}} goes back through the same {count} weights onto {source}; where windows overlap, it "
                  "adds up.").format(value=numbers.signed(float(own[order[done - 1]]), 4),
                                     count=numbers.count(layer.weights["weight"][channel].size),
                                     source=setting.written.name)
    size = norm(weight_so_far(setting, found, order, done, channel))
    return tr("Every place lays down its share: {{{done} of {count}}}; ∂L/∂w of channel {channel} has size {size} so "
              "far.").format(done=numbers.count(gone_back(found, order, done)), count=numbers.count(found.count),
                             channel=channel, size=numbers.significant(size, 2))


MOTION = Motion("convolution", suits, forward, backward, seconds, order=10, hands=hands)
