"""What one number of a layer without states sees: its field on the input, and the size of its gradient inside that."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.kinds import Box as Field
from visualizer.kinds import reach
from visualizer.kinds.reach import Influence
from visualizer.language import english, numeral, tr
from visualizer.said import said
from visualizer.scene import colour, numbers, parts
from visualizer.scene.boxes import Box, whole
from visualizer.scene.labels import fitting
from visualizer.scene.picture import Focus, Group, Image, Look, Mark, Rect, Scale, Text, grouped, of_layer, plain
from visualizer.scene.reading import own_words
from visualizer.scene.subject import NUMBER, strongest, subject
from visualizer.scene.timeline import Moment
from visualizer.scene.type import elide, width
from visualizer.trace import Cell, Layer, Trace, remembered

SMALL, BETWEEN = 56.0, 14.0
"""Side of a picture in the list of layers, and the room between such."""
LEAST_LIST = 150.0
OUTER, INNER = 2.5, 1.5
"""Strokes of the field that is looked at, and of those that it grew from."""
FLOOR = 1e-3


@dataclass(frozen=True)
class Unit:
    """One number, and what it sees of what is read."""

    layer: str
    cell: Cell
    box: Field
    """(first, last) along each axis of places, without padding."""


def at(trace: Trace, moment: Moment, focus: Focus | None) -> Unit | None:
    """The number that a beat is about: the one that was chosen, or the strongest; None where nothing has been computed
    from what is read."""
    layer = trace[moment.beat.layer]
    if kinds.role(layer) == "loss" or not layer.output.ndim:
        before = [name for name in layer.reads if name in reach.direct(trace) and trace[name].output.ndim]
        return strongest_of(trace, before[0]) if before else None
    if focus is not None and focus.layer == layer.name and focus.array == "output" and \
            len(focus.cell) == layer.output.ndim:
        return unit(trace, layer.name, focus.cell)
    if focus is not None and focus.layer == layer.name and focus.array == "output":
        head = tuple(focus.cell[:layer.output.ndim])
        return unit(trace, layer.name, strongest(layer, False, head))
    chosen = subject(trace, moment, focus, NUMBER).cell if focus is not None and focus.layer in trace else ()
    return unit(trace, layer.name, chosen) if len(chosen) == layer.output.ndim else strongest_of(trace, layer.name)


def unit(trace: Trace, layer: str, cell: Cell) -> Unit | None:
    read = reach.source(trace)
    if read is None or layer == read.name or layer not in reach.direct(trace):
        return None
    box = reach.field(trace, layer, cell, read.name)
    return None if box is None else Unit(layer, cell, reach.inside(box, read))


@remembered(256)
def strongest_of(trace: Trace, layer: str) -> Unit | None:
    """Of a layer the number with the largest value."""
    return unit(trace, layer, strongest(trace[layer], False))


# --- what was measured ------------------------------------------------------------------------------------------------

@remembered(64)
def heat(trace: Trace, one: Unit) -> tuple[NDArray[np.float64], tuple[int, ...]] | None:
    """‖∂ number / ∂ place‖ in its field, and where in the input that begins; None where it was not measured."""
    held = trace.studies.get(reach.STUDY, {})
    if f"{one.layer}/units" not in held:
        return None
    units = held[f"{one.layer}/units"]
    flat = int(np.ravel_multi_index(one.cell, trace[one.layer].shape))
    place = int(np.searchsorted(units, flat))
    if place >= len(units) or units[place] != flat:
        return None
    corner, values = held[f"{one.layer}/corners"][place], held[f"{one.layer}/heat"][place]
    shown = tuple(slice(low - begin, high + 1 - begin) for (low, high), begin in
                  zip(one.box, corner.tolist(), strict=True))
    return np.asarray(values[shown], np.float64), tuple(low for low, _ in one.box)


def measured(trace: Trace) -> bool:
    return reach.STUDY in trace.studies


def influence(trace: Trace, one: Unit) -> Influence | None:
    found = heat(trace, one)
    return None if found is None else reach.rings(found[0])


def used(trace: Trace, one: Unit) -> tuple[float, ...] | None:
    """Four standard deviations along each axis; None where it was not measured or depends on nothing."""
    found = heat(trace, one)
    sizes = None if found is None else reach.used(found[0])
    return None if sizes is None or any(map(math.isnan, sizes)) else sizes


def share(trace: Trace, one: Unit) -> float:
    """How much of its field a number uses, along an axis on average."""
    sizes = used(trace, one)
    if sizes is None:
        return math.nan
    return float(np.mean([size / (high - low + 1) for size, (low, high) in zip(sizes, one.box, strict=True)]))


def edge(trace: Trace, one: Unit) -> float:
    """The distance at which its field ends."""
    longest = max(high - low + 1 for low, high in one.box)
    return (longest - 1) / 2 if len(one.box) > 1 else float(longest - 1)


def along(trace: Trace) -> str:
    read = reach.source(trace)
    return tr("pixels from its middle") if read is None or len(reach.places(read)) > 1 else \
        tr("steps back")


# --- the pictures -----------------------------------------------------------------------------------------------------

def draw(trace: Trace, moment: Moment, one: Unit | None, box: Box, look: Look) -> list[Mark]:
    """The input with the fields of one number and of what it grew from, its gradient, and all layers small."""
    read = reach.source(trace)
    if read is None:
        return []
    if len(reach.places(read)) == 1:
        return _along_steps(trace, moment, one, read, box, look)
    rows, columns = (read.shape[axis] for axis in reach.places(read))
    head = 20.0
    cell = whole(min((box.height - head) / rows, (box.width - 24) / 2 / columns), look.pixel) or \
        min((box.height - head) / rows, (box.width - 24) / 2 / columns)
    if look.mode.notes and columns * cell * 2 + 24 > box.width - LEAST_LIST and box.width - LEAST_LIST > 2 * 120:
        wide = (box.width - LEAST_LIST - 48) / 2 / columns
        cell = whole(wide, look.pixel) or wide
    first = Box(box.left, box.top + head, box.left + columns * cell, box.top + head + rows * cell)
    second = Box(first.right + 24, first.top, first.right + 24 + first.width, first.bottom)
    marks = grouped(of_layer(read.name), [
        _over(first, (tr("What it can see"), tr("seen"))),
        _picture(trace, first.left, first.top, cell, look),
        *_fields(trace, one, first, cell)])
    marks += grouped(Group(tr("gradient")), [
        _over(second, (tr("What it depends on"), tr("gradient"))),
        *_heat(trace, one, second, cell, (rows, columns))])
    rest = Box(second.right + 28, box.top, box.right, box.bottom)
    if rest.width >= 130 and rest.height >= 90:
        marks += _list(trace, moment, one, rest, read)
    return marks


def _over(box: Box, ways: tuple[str, str]) -> Text:
    """The longer title where there is room for it."""
    words = fitting(ways, box.width, 12, 600) or ways[-1]
    return Text(box.left, box.top - 12, plain(words), 12, 600, max_width=box.width)


@remembered(4)
def _picture(trace: Trace, x: float, y: float, cell: float, look: Look) -> Image:
    """The input, the very same mark in all beats."""
    read = reach.source(trace)
    assert read is not None
    values = read.output if read.output.ndim == 2 else read.output.reshape(-1, *read.shape[-2:]).mean(0)
    shades, palette = parts.entries_of(trace, read, look, False, values)
    focus = Focus(read.name, (0,) if read.has("channel") and read.shape[0] == 1 else ())
    return Image(x, y, (cell, cell), shades[None], palette, indices=(-1,), focus=focus,
                 scale=parts.scale_of(trace, read, look, False))


def grown_from(trace: Trace, one: Unit) -> list[Unit]:
    """The fields of the middle numbers that it was made of, layer by layer from the input on."""
    read = reach.source(trace)
    assert read is not None
    boxes = kinds.receptive_field(trace, one.layer, one.cell)
    found: list[Unit] = []
    for layer in trace:
        if layer.name not in boxes or layer.name not in reach.direct(trace) or layer.name in (read.name, one.layer) \
                or (kind := kinds.of(layer)) is None or kind.moves_only:
            continue
        cell = tuple(min(max((low + high) // 2, 0), size - 1) for (low, high), size in
                     zip(boxes[layer.name], layer.shape, strict=True))
        inner = unit(trace, layer.name, cell)
        if inner is not None and (not found or inner.box != found[-1].box) and inner.box != one.box:
            found.append(inner)
    return found


def _fields(trace: Trace, one: Unit | None, place: Box, cell: float) -> list[Mark]:
    if one is None:
        return []
    marks: list[Mark] = [_outline(each.box, place, cell, "ink", INNER, True) for each in grown_from(trace, one)]
    return [*marks, _outline(one.box, place, cell, "accent", OUTER, False)]


def _outline(box: Field, place: Box, cell: float, ink: str, stroke: float, dashed: bool) -> Rect:
    (top, bottom), (left, right) = box
    return Rect(place.left + left * cell, place.top + top * cell, (right - left + 1) * cell, (bottom - top + 1) * cell,
                "", ink, stroke, dashed=dashed, inside=True)


def _heat(trace: Trace, one: Unit | None, place: Box, cell: float, size: tuple[int, int]) -> list[Mark]:
    """The gradient on a log scale of its own; hatched outside the field, where there can be none."""
    frame = Rect(place.left, place.top, place.width, place.height, "hatch")
    if one is None:
        return [frame]
    found = heat(trace, one)
    outline = _outline(one.box, place, cell, "accent", OUTER, False)
    if found is None:
        words = tr("is being measured") if not measured(trace) else tr("not measured for this one")
        room = width(words, 12) + 12
        return [frame, Rect(place.middle[0] - room / 2, place.middle[1] - 10, room, 20, "stage", "rule", 1, radius=4),
                Text(place.middle[0], place.middle[1] + 4.5, plain(words), 12, 400, "ink-2", "middle"), outline]
    values, corner = found
    top = float(values.max(initial=0.0)) or 1.0
    marks: list[Mark] = [frame, Image(
        place.left + corner[1] * cell, place.top + corner[0] * cell, (cell, cell),
        colour.magnitude(values, top * FLOOR, top)[None], "gradient", indices=(-1,), border="",
        scale=Scale("gradient", english("size of the gradient"), one.layer, top * FLOOR, top,
                    english("one scale for this number"), log=True)), outline]
    widths = reach.used(values)
    if values.any() and not any(map(math.isnan, widths)):
        middles = _middles(values)
        spans = [(begin + middle + 0.5 - wide / 2, wide) for begin, middle, wide in
                 zip(corner, middles, widths, strict=True)]
        (y, high), (x, wide) = spans
        x, y = max(0.0, min(x, size[1] - wide)), max(0.0, min(y, size[0] - high))
        marks.append(Rect(place.left + x * cell, place.top + y * cell, wide * cell, high * cell, "", "ink", INNER,
                          dashed=True))
    return marks


def _middles(values: NDArray[np.float64]) -> list[float]:
    total = float(values.sum())
    grids = np.meshgrid(*(np.arange(size) for size in values.shape), indexing="ij")
    return [float((values * grid).sum()) / total for grid in grids]


@remembered(2)
def sizes(trace: Trace) -> tuple[tuple[str, Field], ...]:
    """(layer, the field of its middle number) where it is another than that of the layer before."""
    read = reach.source(trace)
    found: list[tuple[str, Field]] = []
    for layer in trace:
        if read is None or layer.name == read.name or layer.name not in reach.direct(trace) or not layer.output.ndim \
                or kinds.role(layer) == "loss" or (kind := kinds.of(layer)) is None or kind.moves_only:
            continue
        middle = unit(trace, layer.name, tuple(size // 2 for size in layer.shape))
        if middle is not None and (not found or _lengths(found[-1][1]) != _lengths(middle.box)):
            found.append((layer.name, middle.box))
    return tuple(found)


def _lengths(box: Field) -> tuple[int, ...]:
    return tuple(high - low + 1 for low, high in box)


def _list(trace: Trace, moment: Moment, one: Unit | None, box: Box, read: Layer) -> list[Mark]:
    """A small picture of the input for each layer whose field has grown, as far as the beats have come."""
    rows, columns = (read.shape[axis] for axis in reach.places(read))
    order = [layer.name for layer in trace]
    known = sizes(trace)
    marks: list[Mark] = [Text(box.left, box.top + 8, plain(tr("One number sees")), 12, 600, max_width=box.width)]
    scale = SMALL / max(rows, columns)
    across = max(1, int(box.width // 130))
    pitch = SMALL + BETWEEN
    down = max(1, int((box.height - 20 + BETWEEN) // pitch))
    now = "" if one is None else one.layer
    current = max((place for place, (name, _) in enumerate(known) if order.index(name) <= order.index(now or order[0])),
                  default=-1)
    start = max(0, min(current - across * down + 2, len(known) - across * down))
    for count, (name, field) in enumerate(known[start:start + across * down]):
        x, y = box.left + (count // down) * (box.width / across), box.top + 20 + (count % down) * pitch
        here = start + count == current
        done = moment.backward or order.index(name) <= order.index(moment.beat.layer)
        marks.append(Rect(x, y, columns * scale, rows * scale, "sunk" if done else "hatch"))
        room = box.width / across - columns * scale - 10
        marks.append(Text(x + columns * scale + 8, y + 22, plain(elide(name, 12, room, 500, True)), 12,
                          600 if here else 400, "accent-ink" if here else "ink", mono=True, max_width=room,
                          focus=Focus(name)))
        if not done:
            continue
        (top, bottom), (left, right) = field
        marks.append(Rect(x + left * scale, y + top * scale, max(2.0, (right - left + 1) * scale),
                          max(2.0, (bottom - top + 1) * scale), "accent" if here else "rule"))
        words = " × ".join(said(str(high - low + 1), "receptive field", name, (axis,))
                           for axis, (low, high) in enumerate(field))
        marks.append(Text(x + columns * scale + 8, y + 39, plain(words), 12, 400, "ink-2", max_width=room))
    return grouped(Group(tr("layers")), marks)


def _along_steps(trace: Trace, moment: Moment, one: Unit | None, read: Layer, box: Box, look: Look) -> list[Mark]:
    """Of what is read in steps: a line for each layer with its field, the words above."""
    steps = read.shape[reach.places(read)[0]]
    known = [(name, field[0]) for name, field in sizes(trace)]
    left, right = box.left + 92, box.right - 16
    pitch = (right - left) / steps
    order = [layer.name for layer in trace]
    words = own_words(trace) if len(trace.sample.steps) == steps else tuple(map(str, range(1, steps + 1)))
    marks: list[Mark] = []
    top = box.top + 8
    room = max((width(word, 12) for word in words), default=0) + 6
    every = max(1, math.ceil(room / pitch))
    marks += [Text(left + (step + 0.5) * pitch, top, plain(word), 12, 400, "ink", "middle",
                   focus=Focus(read.name, (step,)))
              for step, word in enumerate(words) if step % every == 0]
    fields = known if one is None else [(name, field) for name, field in known if name != one.layer]
    fields += [(one.layer, one.box[0])] if one is not None else []
    fields.sort(key=lambda each: order.index(each[0]))
    high = min(30.0, (box.height - 60) / max(1, len(fields)))
    for number, (name, (low, last)) in enumerate(fields):
        y = top + 14 + number * high
        here = one is not None and name == one.layer
        done = moment.backward or order.index(name) <= order.index(moment.beat.layer)
        marks.append(Rect(left, y, right - left, max(2.0, high - 8), "sunk" if done else "hatch"))
        if high >= 13:
            marks.append(Text(left - 8, y + high / 2, plain(elide(name, 12, 84, 500, True)), 12, 600 if here else 400,
                              "accent-ink" if here else "ink", "end", mono=True, focus=Focus(name)))
        if done:
            marks.append(Rect(left + low * pitch, y, max(1.0, (last - low + 1) * pitch), max(2.0, high - 8),
                              "accent" if here else "rule"))
    found = None if one is None else heat(trace, one)
    y = top + 14 + len(fields) * high
    if one is not None and found is not None and y + 24 < box.bottom:
        values = found[0]
        most = float(values.max(initial=0.0)) or 1.0
        marks.append(Text(left - 8, y + 15, plain(tr("gradient")), 12, 400, "ink-2", "end"))
        marks.append(Rect(left, y, right - left, 22, "hatch"))
        shades = colour.magnitude(values, most * FLOOR, most)[None, None]
        marks.append(Image(left + found[1][0] * pitch, y, (pitch, 22), shades, "gradient", indices=(-1,), border="",
                           scale=Scale("gradient", english("size of the gradient"), one.layer, most * FLOOR, most,
                                       english("one scale for this number"), log=True)))
    return grouped(Group(tr("layers")), marks)


# --- what it says -----------------------------------------------------------------------------------------------------

def sentence(trace: Trace, one: Unit | None, backward: bool) -> str:
    read = reach.source(trace)
    if one is None or read is None:
        return tr("This is what is read; every number that is made of it sees a part of it.")
    field = " × ".join(said(str(high - low + 1), "size of its field", one.layer, (axis, *one.cell))
                       for axis, (low, high) in enumerate(one.box))
    of = " × ".join(said(str(read.shape[axis]), "length of axis", read.name, (axis,)) for axis in reach.places(read))
    plane = len(one.box) > 1
    plane, found = len(one.box) > 1, heat(trace, one)
    sizes = used(trace, one)
    if found is not None and sizes is None:
        return tr("A number of {layer} can see {{{field}}} of {of} places and depends on none: it is off.").format(
            layer=one.layer, field=field, of=of)
    if backward:
        told = tr("What comes back to a number of {layer} goes on to {{{field}}} of {of} pixels") if plane else \
            tr("What comes back to a number of {layer} goes on to {{{field}}} of {of} steps")
    else:
        told = tr("A number of {layer} can see {{{field}}} of {of} pixels") if plane else \
            tr("A number of {layer} can see {{{field}}} of {of} steps")
    told = told.format(layer=one.layer, field=field, of=of)
    if sizes is None:
        return f"{told}."
    return tr("{told}; four standard deviations of its gradient are {width}, {share} of that.").format(
        told=told, width=" × ".join(said(numeral(f"{size:.1f}"), "width that it uses", one.layer, (axis, *one.cell))
                                    for axis, size in enumerate(sizes)),
        share=said(numbers.percent(share(trace, one), 0), "share of its field", one.layer, one.cell))
