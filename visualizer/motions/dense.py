"""Dense layers: the largest products flow along their lines into a unit, whose bar rises and falls as they land.

Thickness is size, colour is sign; what the others add is one chip, so that the sum closes, and then the bias. On the
way back the error of each unit flows along the same lines, and ∂L/∂w fills row by row: each is an error times an input.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.language import counted_as, tr
from visualizer.motions import (
    CAMERA,
    SLOW,
    Frame,
    March,
    Motion,
    Places,
    Setting,
    alive_at,
    gone_back,
    march,
    march_seconds,
    opacity_at,
    part_of,
    smooth,
    window,
)
from visualizer.motions._marks import Box, box_of_cells, chip, middle, rings, step_named, taps_of, windows
from visualizer.scene import colour, numbers
from visualizer.scene.columns import Column
from visualizer.scene.picture import Flight, Focus, Group, Image, Line, Mark, Rect, Text, grouped, plain
from visualizer.scene.type import width as text_width
from visualizer.size import norm
from visualizer.trace import Array, Cell, Layer, Trace, remembered

FLOWING, SAID = 12, 3
"""Products that have a line of their own, and those of them that are printed."""
THICKEST = 6.0
"""Pixels of the line of the largest product."""
STARTS, FLIES, SUMMED, LANDS = 0.04, 0.40, 0.80, 0.97
"""Of a slow place: when the first product leaves, how long each is on its way, when all have landed, when the sum
stands in its unit."""
BAR, TALL = 0.62, 12.0
"""Of the gap before the units the bar takes so much; its height."""


def suits(layer: Layer) -> bool:
    return kinds.role(layer) == "weighted" and layer.kind == "linear" and "weight" in layer.weights


def forward(setting: Setting) -> Frame:
    """Unit by unit, slow at first; over a sequence step by step, all units at once, of which one is followed."""
    layer = setting.layer
    left = _source(setting)
    if left is None:
        return window.forward(setting)
    found = _places(layer)
    at = march(found.count, setting.second, _stop(setting, found))
    done = at.done + (at.slow and at.share >= LANDS)
    marks: list[Mark] = []
    here = at.done if at.slow else at.done - 1
    cell = _followed(layer, found, min(max(here, 0), found.count - 1), _made(setting.trace, layer.name))
    sums = _sums(setting.trace, layer.name, cell)
    if 0 <= here < found.count and (at.slow or at.done < found.count):
        faint = _faint(at) if layer.output.ndim > 1 else opacity_at(at, here, _across(setting))
        if layer.output.ndim > 1:
            marks += windows(setting.trace, setting.left, taps_of(setting.trace, layer.name, cell),
                             Focus(layer.name, cell), opacity=faint)
        marks += _lines(setting, left, sums, cell, faint, "")
        marks += rings(setting.right, layer, [cell], opacity=faint)
        marks += _running(setting, left, sums, cell, at.share if at.slow else 1.0, faint, at.slow)
    return Frame(found.covered(done), None, tuple(marks), _said(setting, sums, at, cell, done), (done, found.count),
                 _counted(setting, done, found.count, sums.largest))


def backward(setting: Setting) -> Frame:
    """Errors of the units, or steps, that have any, from the last to the first, on their way to what was read."""
    layer, given = setting.layer, setting.written
    left = _source(setting)
    if left is None or left.layer != given.name or layer.gradient is None or given.gradient is None \
            or not setting.from_one:
        return window.backward(setting)
    found, order = _places(layer), errors(setting.trace, layer.name)
    count = len(order)
    at = march(count, setting.second)
    share = smooth(part_of(at.share, 0.35, 0.55)) if at.slow else 0.0
    done = at.done + (at.slow and at.share >= LANDS)
    before = laid(setting.trace, layer.name, at.done)
    values = before + share * (laid(setting.trace, layer.name, at.done + 1) - before) if share else before
    marks: list[Mark] = []
    here = at.done if at.slow else at.done - 1
    cell = _followed(layer, found, order[min(max(here, 0), count - 1)], layer.gradient)
    sums = _errors_sent(setting.trace, layer.name, cell)
    faint = _faint(at) if layer.output.ndim > 1 else opacity_at(at, here, _across(setting), order)
    if 0 <= here < count and (at.slow or at.done < count):
        marks += _lines(setting, left, sums, cell, faint, "gradient-mark")
    marks += _outer(setting, left, order, done)
    if 0 <= here < count and (at.slow or at.done < count):
        marks += rings(setting.right, layer, [cell], backward=True, opacity=faint)
        if at.slow:
            marks += _sent(setting, left, sums, cell, at.share)
    reached = at.done + (share > 0)
    covered = np.ones(given.shape, bool) if not reached else None
    if layer.output.ndim > 1:
        gone = gone_back(found, order, reached)
        covered = ~Places(given, found.axes).covered(found.count - gone)
    return Frame(covered, values.reshape(given.shape), tuple(marks), _said_back(setting, order, at, cell, done),
                 (done, count), (tr("{n} of {count} errors sent back") if layer.output.ndim == 1
                                 else tr("{n} of {count} steps sent back")).format(
                     n=numbers.count(done), count=numbers.count(count)))


def seconds(trace: Trace, layer: Layer, back: str) -> float:
    if back and layer.gradient is None:
        return window.seconds(trace, layer, back)
    return march_seconds(len(errors(trace, layer.name)) if back else _places(layer).count, not back)


def hands(trace: Trace, layer: Layer, name: str) -> Array | None:
    """Every error times the weights."""
    return None if layer.gradient is None or layer.reads[0] != name else laid(
        trace, layer.name, len(errors(trace, layer.name)))


# --- what is read ----------------------------------------------------------------------------------------------------

def _source(setting: Setting) -> Column | None:
    """The column of what the layer reads; None where it does not stand there."""
    layer = setting.layer
    if len(setting.left) != 1 or setting.left[0].layer != layer.reads[0]:
        return None
    (left,) = setting.left
    if layer.output.ndim > 1:
        alike = setting.trace[left.layer].shape[:-1] == layer.shape[:-1]
        return left if alike and left.style == setting.right.style == "maps" else None
    return left if left.style in ("maps", "picture", "units") else None


def _places(layer: Layer) -> Places:
    """Units one by one; of a sequence its steps."""
    return Places(layer, tuple(range(max(1, layer.output.ndim - 1))))


def _stop(setting: Setting, found: Places) -> int | None:
    """The slow stop: at the unit that has been chosen, or at the step with the largest number."""
    layer = setting.layer
    if layer.output.ndim == 1:
        return min(setting.chosen, layer.output.size - 1)
    return int(np.nan_to_num(layer.output).reshape(found.count, -1).max(axis=1).argmax())


def _followed(layer: Layer, found: Places, place: int, values: Array) -> Cell:
    """The unit of a place, of several at one step the one with the largest number."""
    lead = tuple(map(int, np.unravel_index(place, found.shape)))
    if layer.output.ndim == 1:
        return lead
    return (*lead, int(np.abs(np.nan_to_num(values[lead])).argmax()))


@remembered(8)
def _made(trace: Trace, name: str) -> Array:
    """What the layer makes, in float64 from what it reads: which unit is followed hangs on nothing that is to come."""
    layer = trace[name]
    read = trace.inputs(layer)[0].output.astype(np.float64)
    if layer.output.ndim == 1:
        return np.zeros(layer.shape)
    found: Array = read @ layer.weights["weight"].astype(np.float64).T + layer.weights.get("bias", 0.0)
    return found


def _across(setting: Setting) -> int:
    return setting.right.sub_columns if setting.right.sub_columns > 1 else setting.layer.output.size


def _faint(at: March) -> float:
    """How strong the marks of a step are: which unit is followed may differ from step to step, so that they fade."""
    return 0.5 + 0.5 * part_of(at.share, 0.0, 0.25) if at.slow else 0.6


def _strong(setting: Setting) -> float:
    """How strong numbers on their way are: over a sequence they begin and land anywhere in a row."""
    return 0.7 if setting.layer.output.ndim > 1 else 1.0


def _cell(setting: Setting, left: Column, unit: Cell, index: int) -> Cell:
    """Of what a unit reads the number that meets its weight of that index."""
    if len(unit) > 1:
        return (*unit[:-1], index)
    return tuple(int(i) for i in np.unravel_index(index, setting.trace[left.layer].shape))


def _box(setting: Setting, left: Column, unit: Cell, index: int) -> Box | None:
    cell = _cell(setting, left, unit, index)
    return box_of_cells(left, setting.trace[left.layer], cell, cell)


def _unit(setting: Setting, unit: Cell) -> Box | None:
    return box_of_cells(setting.right, setting.layer, unit, unit)


# --- the products of a unit ------------------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class Sums:
    """The products of one unit: the largest one by one, what the others add up to, and the bias."""

    indices: tuple[int, ...]
    """Of what is read: those of the largest products, the largest first."""
    products: tuple[float, ...]
    others: float
    others_count: int
    bias: float | None
    total: float

    @property
    def largest(self) -> float:
        return abs(self.products[0]) if self.products else 0.0

    @property
    def added(self) -> tuple[float, ...]:
        """Everything that lands, in order."""
        return (*self.products, *((self.others,) if self.others_count else ()),
                *((self.bias,) if self.bias is not None else ()))

    @property
    def running(self) -> NDArray[np.float64]:
        """The sum before the first landed, after it, after the next, …"""
        return np.concatenate([[0.0], np.cumsum(self.added)])


@remembered(256)
def _sums(trace: Trace, name: str, unit: Cell) -> Sums:
    """The products of one unit of a dense layer, in float64."""
    layer = trace[name]
    products = layer.weights["weight"][unit[-1]].astype(np.float64) * trace[layer.reads[0]].output[unit[:-1]].ravel()
    bias = layer.weights.get("bias")
    return _split(products, None if bias is None else float(bias[unit[-1]]))


@remembered(256)
def _errors_sent(trace: Trace, name: str, unit: Cell) -> Sums:
    """What the error of one unit sends to each number that was read."""
    layer = trace[name]
    assert layer.gradient is not None
    return _split(layer.weights["weight"][unit[-1]].astype(np.float64) * float(layer.gradient[unit]), None)


def _split(products: NDArray[np.float64], bias: float | None) -> Sums:
    sizes = np.abs(np.nan_to_num(products))
    order = np.argsort(-sizes, kind="stable")[:FLOWING]
    order = order[sizes[order] > 0]
    rest = np.delete(products, order)
    return Sums(tuple(map(int, order)), tuple(map(float, products[order])), float(rest.sum()), len(rest), bias,
                float(products.sum()) + (bias or 0.0))


# --- what flows ------------------------------------------------------------------------------------------------------

def _bar(setting: Setting, unit: Cell) -> Box:
    """Where the bar of a unit lies: in the gap before the units, at its height."""
    right = setting.right
    box = _unit(setting, unit)
    y = box[1] + box[3] / 2 if box is not None else right.top + right.height / 2
    gap = right.x - max(column.x + column.width for column in setting.left)
    wide = min(150.0, max(36.0, gap * BAR))
    return right.x - 14 - wide, y - TALL / 2, wide, TALL


def _goal(setting: Setting, unit: Cell) -> tuple[float, float]:
    x, y, wide, high = _bar(setting, unit)
    return x + wide / 2, y + high / 2


def _lines(setting: Setting, left: Column, sums: Sums, unit: Cell, faint: float, ink: str) -> list[Mark]:
    """From each of the numbers with the largest products to the unit."""
    end = _goal(setting, unit) if not setting.backward else (setting.right.x - 4, _unit_rim(setting, unit)[1])
    marks: list[Mark] = []
    for index, product in zip(sums.indices, sums.products, strict=True):
        box = _box(setting, left, unit, index)
        if box is not None:
            x, y = middle(box)
            wide = max(1.0, THICKEST * abs(product) / (sums.largest or 1.0))
            color = ink or ("positive-bar" if product > 0 else "negative-bar")
            marks.append(Line(((x + box[2] / 2, y), end), color, round(wide, 2), opacity=0.45 * min(1.0, faint * 1.2)))
    return grouped(Group("products"), marks)


def _unit_rim(setting: Setting, unit: Cell) -> tuple[float, float]:
    box = _unit(setting, unit)
    right = setting.right
    return (box[0] - 2, box[1] + box[3] / 2) if box is not None else (right.x, right.top + right.height / 2)


def _running(setting: Setting, left: Column, sums: Sums, unit: Cell, share: float, faint: float,
             slow: bool) -> list[Mark]:
    """The bar of a unit: products on their way to it, the sum so far, the others, the bias, then the sum on its way
    to its place."""
    landed, flying = landings(len(sums.added), share)
    running = sums.running
    now = float(running[landed])
    if landed < len(sums.added):  # the next one pushes it as it arrives
        now += float(running[landed + 1] - running[landed]) * max(0.0, (flying - 0.85) / 0.15)
    x, y, wide, high = _bar(setting, unit)
    top = colour.largest(np.nan_to_num(running)) or 1.0
    zero, reach = x + wide / 2, wide / 2 * min(1.0, abs(now) / top)
    marks: list[Mark] = [
        Rect(x - 3, y - 3, wide + 6, high + 6, "stage", "rule", 1, radius=3, opacity=faint),
        Rect(zero - (reach if now < 0 else 0), y, max(reach, 0.5), high, "positive-bar" if now >= 0 else "negative-bar",
             opacity=faint, focus=Focus(setting.layer.name, unit))]
    marks.append(Line(((zero, y - 4), (zero, y + high + 4)), "ink", 1, opacity=faint))
    if not slow:
        return grouped(Group("running sum"), marks)
    ends = numbers.number(top)
    if text_width("−" + ends, 11) * 2 + 8 < wide + 12:
        marks += [Text(x - 3, y + high + 16, plain("−" + ends), 11, 400, "ink-2"),
                  Text(x + wide + 3, y + high + 16, plain(ends), 11, 400, "ink-2", "end")]
    target = Focus(setting.layer.name, unit)
    marks += _products_on_their_way(setting, left, sums, unit, share)
    others, bias = len(sums.products), len(sums.products) + bool(sums.others_count)
    below = y + high + 36
    if sums.others_count and landed <= others:
        marks += chip(sums.others, (zero, below), said=counted_as(
            sums.others_count, tr("{count} other {sum}"), tr("{count} others {sum}")).format(
            count=numbers.count(sums.others_count), sum=numbers.signed(sums.others, 2)), opacity=part_of(share, 0, 0.1))
    if sums.bias is not None and landed <= bias:
        marks += chip(sums.bias, (zero, below + 21 if sums.others_count and landed <= others else below),
                      "weight-positive-text" if sums.bias > 0 else "weight-negative-text",
                      tr("b {bias}").format(bias=numbers.signed(sums.bias, 2)), part_of(share, 0, 0.1))
    if share < SUMMED:
        marks += chip(now, (zero, y - 15), opacity=0.7)
    else:
        box = _unit(setting, unit)
        if box is not None:
            gone = smooth(part_of(share, SUMMED, LANDS - SUMMED))
            end = middle(box)
            value = float(setting.layer.output[unit])
            marks += chip(value, (zero + (end[0] - zero) * gone, y - 15 + (end[1] - 15 - y + 15 - high / 2) * gone),
                          opacity=_strong(setting),
                          holds=Flight(target, target, value, gone))
    return grouped(Group("running sum"), marks)


def leaves(place: int, count: int) -> float:
    """When one of so many leaves, as a share of a slow place."""
    return STARTS + (SUMMED - STARTS - FLIES) * place / max(1, count - 1)


def landings(count: int, share: float) -> tuple[int, float]:
    """How many of so many have landed at a share of a slow place, and how far the next one has come."""
    landed = sum(leaves(place, count) + FLIES <= share + 1e-9 for place in range(count))
    return landed, part_of(share, leaves(landed, count), FLIES)


def _products_on_their_way(setting: Setting, left: Column, sums: Sums, unit: Cell, share: float) -> list[Mark]:
    """Dots as thick as their lines; the largest have their number beside them."""
    goal, box = _goal(setting, unit), _unit(setting, unit)
    marks: list[Mark] = []
    for place, (index, product) in enumerate(zip(sums.indices, sums.products, strict=True)):
        start = _box(setting, left, unit, index)
        gone = part_of(share, leaves(place, len(sums.added)), FLIES)
        if start is None or not 0 < gone < 1:
            continue
        x, y = middle(start)
        before = float(np.hypot(goal[0] - x, goal[1] - y))
        after = 0.0 if box is None else float(np.hypot(middle(box)[0] - goal[0], middle(box)[1] - goal[1]))
        holds = Flight(Focus(left.layer, _cell(setting, left, unit, index)), Focus(setting.layer.name, unit), product,
                       gone * before / ((before + after) or 1.0))
        at = x + (goal[0] - x) * gone, y + (goal[1] - y) * gone
        marks += _dot(at, product, sums.largest, "positive-bar" if product > 0 else "negative-bar", holds)
        if place < SAID:
            appears = 0.5 + 0.5 * part_of(gone, 0, 0.15)  # that of the unit before stood elsewhere
            marks += chip(product, (at[0], at[1] - 15), opacity=min(_strong(setting), appears), holds=holds)
    return marks


def _dot(at: tuple[float, float], product: float, largest: float, ink: str, holds: Flight) -> list[Mark]:
    side = 4 + THICKEST * abs(product) / (largest or 1.0)
    return [Rect(at[0] - side / 2, at[1] - side / 2, side, side, ink, "stage", 1, radius=side / 2, holds=holds)]


def _sent(setting: Setting, left: Column, sums: Sums, unit: Cell, share: float) -> list[Mark]:
    """The error of a unit, in parts as large as its weights, on its way to what was read."""
    layer = setting.layer
    assert layer.gradient is not None
    value, start = float(layer.gradient[unit]), _unit_rim(setting, unit)
    here = Focus(layer.name, unit)
    marks: list[Mark] = []
    if share < LANDS:
        marks += chip(value, (start[0] - 36, start[1] - 16), "gradient-text", numbers.signed(value, 4),
                      part_of(share, 0, 0.1), Flight(here, here, value, 0.0, True))
    gone = part_of(share, 0.2, 0.65)
    for index, product in zip(sums.indices, sums.products, strict=True):
        end = _box(setting, left, unit, index)
        if end is None or not 0 < gone < 1:
            continue
        x, y = middle(end)
        holds = Flight(here, Focus(left.layer, _cell(setting, left, unit, index)), product, gone, True)
        at = start[0] + (x - start[0]) * gone, start[1] + (y - start[1]) * gone
        marks += _dot(at, product, sums.largest, "gradient-mark", holds)
        if product == sums.products[0]:
            marks += chip(product, (at[0], at[1] + 17), "gradient-text", numbers.signed(product, 4), holds=holds)
    return grouped(Group("errors"), marks)


# --- gradients -------------------------------------------------------------------------------------------------------

@remembered(16)
def errors(trace: Trace, name: str) -> tuple[int, ...]:
    """The units, or steps, that have an error, the last first: exact zeros cost no time."""
    return alive_at(trace[name], _places(trace[name]))


@remembered(4)
def laid(trace: Trace, name: str, done: int) -> Array:
    """What the first of the errors have sent to what was read, added up."""
    layer, order = trace[name], list(errors(trace, name)[:done])
    assert layer.gradient is not None
    weight = layer.weights["weight"].astype(np.float64)
    if layer.output.ndim == 1:
        found: Array = layer.gradient[order].astype(np.float64) @ weight[order]
        return found
    steps = np.zeros((_places(layer).count, weight.shape[1]))
    steps[order] = _lines_of(layer.gradient)[order] @ weight
    return steps.reshape(*layer.shape[:-1], -1)


def _lines_of(values: Array) -> Array:
    """(step, unit): a sequence, however many axes count its steps."""
    return values.reshape(-1, values.shape[-1]).astype(np.float64)


@remembered(4)
def weights_so_far(trace: Trace, name: str, done: int) -> Array:
    """∂L/∂w = Σ ∂L/∂y·x over the first of the steps that have come back."""
    layer, order = trace[name], list(errors(trace, name)[:done])
    assert layer.gradient is not None
    found: Array = _lines_of(layer.gradient)[order].T @ _lines_of(trace[layer.reads[0]].output)[order]
    return found


@remembered(16)
def _outer_product(trace: Trace, name: str, most: int, done: int | None) -> tuple[Array, int]:
    """∂L/∂w in at most so many columns: the largest of so many by so many; the whole, or that of so many steps."""
    layer = trace[name]
    if done is not None:
        whole = weights_so_far(trace, name, done)
    elif kinds.adds_up(layer, "weight") or layer.gradient is None:
        whole = layer.weight_gradients["weight"]
    else:
        whole = _lines_of(layer.gradient).T @ _lines_of(trace[layer.reads[0]].output)
    whole = np.abs(np.nan_to_num(whole))
    factor = max(1, -(-whole.shape[1] // most))
    rows, columns = (-(-size // factor) * factor for size in whole.shape)
    padded = np.zeros((rows, columns))
    padded[:whole.shape[0], :whole.shape[1]] = whole
    return padded.reshape(rows // factor, factor, columns // factor, factor).max(axis=(1, 3)), factor


def _outer(setting: Setting, left: Column, order: tuple[int, ...], done: int) -> list[Mark]:
    """∂L/∂w, row by row: the error of a unit times each number that it read; of a sequence the sum of that over its
    steps, so far."""
    layer, sequence = setting.layer, setting.layer.output.ndim > 1
    if "weight" not in layer.weight_gradients:
        return []
    x, _, wide, _ = _bar(setting, (0,) * layer.output.ndim)
    pixel = setting.look.pixel
    sizes, factor = _outer_product(setting.trace, layer.name, max(1, int(wide / pixel)), None)
    rows, columns = sizes.shape
    room = 0.3 * (setting.plan.bottom - setting.plan.top)
    cell = max(pixel, min(6.0, float(int(wide / columns)))), max(pixel, min(6.0, float(int(room / rows))))
    if rows * cell[1] > 0.6 * (setting.plan.bottom - setting.plan.top):
        return []
    to_come: NDArray[np.bool_] = np.full(rows, not (sequence and done))
    to_come[[unit // factor for unit in order[:done]] if not sequence else []] = False
    covered = np.broadcast_to(to_come[:, None], sizes.shape)[None]
    top = colour.largest(sizes) or 1.0
    if sequence:
        sizes, _ = _outer_product(setting.trace, layer.name, max(1, int(wide / pixel)), done)
    y = setting.plan.bottom - rows * cell[1]
    entries = np.where(covered, np.uint8(0), colour.magnitude(sizes, top * 1e-3, top)[None])
    high, across = rows * cell[1], columns * cell[0]
    words = tr("∂L/∂w so far, up to {top}").format(top=numbers.significant(float(sizes.max()), 2)) \
        if sequence and done < len(order) else tr("∂L/∂w, up to {top}").format(top=numbers.significant(top, 2))
    if text_width(words, 11) > wide + 6:
        words = "∂L/∂w"
    return grouped(Group(tr("∂L/∂w of {layer}").format(layer=layer.name), Focus(layer.name, (), "weight")), [
        Rect(x - 3, y - 18, max(across, text_width(words, 11)) + 6, high + 21, "stage", radius=3),
        Text(x, y - 5, plain(words), 11, 400, "ink-2"),
        Rect(x - 1, y - 1, across + 2, high + 2, "", "rule", 1),
        Image(x, y, cell, entries, "gradient", border="", focus=Focus(layer.name, (), "weight"), indices=(-1,),
              pooled=factor, covered=np.ascontiguousarray(covered))])


# --- words -----------------------------------------------------------------------------------------------------------

def _counted(setting: Setting, done: int, count: int, largest: float) -> str:
    """How many units are done; and what the thickest line stands for, where there is room to say it."""
    one = tr("unit {n} of {count}") if setting.layer.output.ndim == 1 else tr("step {n} of {count}")
    words = one.format(n=numbers.count(done), count=numbers.count(count))
    longer = tr("{counted}; thickest line {size}").format(counted=words, size=numbers.significant(largest, 2))
    return longer if text_width(longer, 12) < setting.look.size[0] - setting.right.x - 24 else words


def _said(setting: Setting, sums: Sums, at: March, cell: Cell, done: int) -> str:
    layer, here = setting.layer, cell[-1]
    inputs = numbers.count(layer.weights["weight"].shape[1])
    if layer.output.ndim > 1 and (done or at.share >= STARTS + FLIES):
        return _said_of_steps(setting, sums, at, cell, done)
    if at.slow and at.share < LANDS:
        landed, _ = landings(len(sums.added), at.share)
        if landed == 0 and done == 0:
            return tr("{source} is ready. {layer} has computed nothing yet.").format(
                source=setting.left[0].layer, layer=layer.name)
        return tr("Unit {unit} of {layer}: the largest products land one by one, {{{sum}}} so far.").format(
            unit=here, layer=layer.name, sum=numbers.number(float(sums.running[landed])))
    if done and setting.second < CAMERA + sum(SLOW):
        return (tr("{inputs} products and a bias make {{{value}}} in unit {unit}.") if sums.bias is not None
                else tr("{inputs} products make {{{value}}} in unit {unit}.")).format(
            inputs=inputs, value=numbers.number(float(layer.output[done - 1])), unit=done - 1)
    if not done:
        return tr("{source} is ready. {layer} has computed nothing yet.").format(
            source=setting.left[0].layer, layer=layer.name)
    return tr("Every unit weighs all {inputs} numbers: {{{done} of {count}}} units done, largest so far "
              "{largest}.").format(inputs=inputs, done=numbers.count(done), count=numbers.count(layer.output.size),
                                   largest=numbers.number(float(layer.output[:done].max())))


def _said_of_steps(setting: Setting, sums: Sums, at: March, cell: Cell, done: int) -> str:
    layer, places = setting.layer, _places(setting.layer)
    known = {"layer": layer.name, "unit": cell[-1], "inputs": numbers.count(layer.weights["weight"].shape[1]),
             "step": step_named(setting.trace, cell[:-1], places.shape), "done": numbers.count(done),
             "count": numbers.count(places.count)}
    if at.slow and at.share < LANDS:
        landed, _ = landings(len(sums.added), at.share)
        return tr("At step {step} unit {unit} of {layer}: the largest products land one by one, {{{sum}}} so "
                  "far.").format(sum=numbers.number(float(sums.running[landed])), **known)
    if setting.second < CAMERA + sum(SLOW):
        return tr("At step {step} {inputs} products make {{{value}}} in unit {unit}; all units at once.").format(
            value=numbers.number(float(layer.output[cell])), **known)
    return tr("The same weights at every step: {{{done} of {count}}} steps of {layer} done.").format(**known)


def _said_back_of_steps(setting: Setting, order: tuple[int, ...], at: March, cell: Cell, done: int) -> str:
    layer, source = setting.layer, setting.written.name
    assert layer.gradient is not None
    known = {"layer": layer.name, "source": source, "unit": cell[-1], "done": numbers.count(done),
             "step": step_named(setting.trace, cell[:-1], _places(layer).shape), "count": numbers.count(len(order)),
             "all": numbers.count(_places(layer).count), "value": numbers.signed(float(layer.gradient[cell]), 4)}
    if done == 0 and at.share < 0.2:
        return tr("The gradient stands at {layer}: {{{count} of {all}}} steps carry any. {source} has none "
                  "yet.").format(**known)
    if at.slow or setting.second < CAMERA + sum(SLOW):
        return tr("At step {step} the errors go back along the same weights onto {source}: the largest, {{{value}}}, "
                  "is that of unit {unit}.").format(**known)
    return tr("Step by step the errors go back along the same weights: {{{done} of {count}}}; ∂L/∂w adds up over the "
              "steps.").format(**known)


def _said_back(setting: Setting, order: tuple[int, ...], at: March, cell: Cell, done: int) -> str:
    layer, source = setting.layer, setting.written.name
    assert layer.gradient is not None
    if layer.output.ndim > 1:
        return _said_back_of_steps(setting, order, at, cell, done)
    if done == 0 and at.share < 0.2:
        return tr("The gradient stands at {layer}: {{{alive} of {count}}} units carry any. {source} has none "
                  "yet.").format(layer=layer.name, alive=numbers.count(int(np.count_nonzero(layer.gradient))),
                                 count=numbers.count(layer.output.size), source=source)
    if at.slow or setting.second < CAMERA + sum(SLOW):
        unit = cell[-1]
        return tr("{{{value}}} of unit {unit} goes back along its {inputs} weights onto {source}, where it adds "
                  "up.").format(value=numbers.signed(float(layer.gradient[unit]), 4), unit=unit, source=source,
                                inputs=numbers.count(layer.weights["weight"].shape[1]))
    size = norm(laid(setting.trace, layer.name, done))
    return tr("Every unit sends its error back: {{{done} of {count}}}; ∂L/∂{source} has size {size} so far.").format(
        done=numbers.count(done), count=numbers.count(len(order)), source=source, size=numbers.significant(size, 2))


MOTION = Motion("dense", suits, forward, backward, seconds, order=20, hands=hands)
