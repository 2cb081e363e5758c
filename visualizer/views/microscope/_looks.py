"""Where a number looks: its receptive field, layer by layer, on what was fed in."""

from __future__ import annotations

import numpy as np

from visualizer import kinds
from visualizer.language import tr
from visualizer.scene import numbers, parts
from visualizer.scene.boxes import whole
from visualizer.scene.picture import Focus, Group, Image, Mark, Rect, Scale, Text, grouped, plain
from visualizer.scene.reading import words_of
from visualizer.scene.type import width
from visualizer.trace import Cell, Layer, Trace, remembered
from visualizer.views.microscope._maps import marked, one_map, way_back
from visualizer.views.microscope._slide import Area, Slide, as_windows, largest, shades_of

LEGEND = 50.0
"""Height of one legend."""


def where_it_looks(trace: Trace, slide: Slide, frame: Area) -> list[Mark]:
    """The input inside its hatched padding, with the receptive fields of the layers on the way nested on it.

    Below: what the colours mean, the map the number stands in, and on the way back how its gradient got there.
    """
    title = tr("Where the gradient lands") if slide.backward and slide.layer.is_input else tr("Where it looks")
    marks: list[Mark] = [Text(frame.x, frame.y + 10, plain(title), 12, 600, "ink-2")]
    row = frame.y + 24
    first = trace.layers[0]
    if first.has("row", "column") and first.output.ndim == 3 and first.shape[0] in (1, 3):
        drawn, row = _input(trace, slide, first, frame)
        marks += drawn
    elif "step" in first.axes[:1]:
        drawn, row = _steps_read(trace, slide, first, frame)
        marks += drawn
    drawn, row = _ranges(trace, slide, frame, row + 8)
    marks += drawn
    row += 16
    side = min(frame.width, frame.bottom - row - 44, 168)
    if slide.layer.output.ndim >= 3 and side >= 84 and not slide.layer.is_input:
        title = tr("The gradient of its map") if slide.backward else tr("The map it stands in")
        shown = marked(slide.layer, slide.cell, title, slide.backward and slide.layer.gradient is not None,
                       slide.made or slide.hands_on)
        marks += one_map(trace, shown, frame, frame.x, row, side, frame.width)[0]
        row += side + 68
    arrived = slide.made or slide.hands_on
    if slide.backward and arrived and slide.layer.gradient is not None and not slide.layer.inner:
        marks += way_back(trace, slide.layer, slide.cell, frame, frame.x, row, frame.width)
    return grouped(Group(tr("where it looks")), marks)


def _input(trace: Trace, slide: Slide, first: Layer, frame: Area) -> tuple[list[Mark], float]:
    """The input with the nested fields, their names and sizes; and where the next thing may begin."""
    nested = fields(trace, slide.layer.name, slide.output_cell)
    rows, columns = first.shape[-2:]
    margin = max([0, *(-low for _, box in nested for low, _ in box[-2:]),
                  *(high - n + 1 for _, box in nested for (_, high), n in zip(box[-2:], (rows, columns), strict=True))])
    margin = min(margin, 8)
    pixel = max(frame.look.pixel, whole(frame.width / (columns + 2 * margin), frame.look.pixel))
    top = frame.y + 24
    x, y = frame.x + margin * pixel, top + margin * pixel
    marks: list[Mark] = []
    if margin:
        marks.append(Rect(frame.x, top, (columns + 2 * margin) * pixel, (rows + 2 * margin) * pixel, "hatch"))
    lands = slide.backward and slide.layer.name == first.name and slide.made  # its own gradient comes last of all
    shades, palette = shades_of(trace, first, lands, frame.look)
    colours = len(shades) == 3 and not lands
    stack = np.moveaxis(shades, 0, -1)[None] if colours else shades.max(axis=0, keepdims=True)
    unknown = parts.hatched(first, lands)
    hatched = None if unknown is None else np.array(unknown.any(axis=0, keepdims=True))
    marks.append(Image(x, y, (pixel, pixel), np.ascontiguousarray(stack), palette, focus=Focus(first.name),
                       scale=parts.scale_of(trace, first, frame.look, lands),
                       indices=(0,), hatched=hatched))
    row = top + (rows + 2 * margin) * pixel + 24
    for index, (name, box) in enumerate(nested):
        wide, dashed = 2.5 if index == len(nested) - 1 else 1.5, index == 0 and len(nested) > 1
        (up, down), (left, right) = ((max(-margin, low), min(n - 1 + margin, high))
                                     for (low, high), n in zip(box[-2:], (rows, columns), strict=True))
        marks.append(Rect(x + left * pixel, y + up * pixel, (right - left + 1) * pixel, (down - up + 1) * pixel, "",
                          "accent", wide, dashed=dashed))
        if row < frame.bottom - 120:
            marks += [Rect(frame.x, row - 11, 14, 14, "", "accent", wide, dashed=dashed),
                      Text(frame.x + 24, row, plain(name), 12, 400, mono=True, max_width=70),
                      Text(frame.x + 98, row, plain(_size(box, (rows, columns))), 12, 400, "ink-2",
                           max_width=frame.width - 98)]
            row += 22
    if margin:
        marks += [Rect(frame.x, row - 11, 14, 14, "hatch", "hair"),
                  Text(frame.x + 24, row, plain(tr("padding, always 0")), 12, 400, "ink-2")]
        row += 22
    return grouped(Group(tr("where it looks"), Focus(first.name), cells=True), marks), row


def _steps_read(trace: Trace, slide: Slide, first: Layer, frame: Area) -> tuple[list[Mark], float]:
    """What was read, step after step; those that the number can see tinted, its own step framed."""
    words = words_of(trace, first.shape[0])
    seen = kinds.receptive_field(trace, slide.layer.name, slide.output_cell).get(first.name)
    low, high = seen[0] if seen else (0, -1)
    own = slide.output_cell[0] if slide.layer.axes[:1] == ("step",) else -1
    x, y, high_ = frame.x, frame.y + 24, 24
    marks: list[Mark] = []
    for step, word in enumerate(words):
        wide = min(frame.width, max(18, width(word, 12, 600) + 8))
        if x + wide > frame.right:
            x, y = frame.x, y + high_ + 2
        if y + high_ > frame.bottom - 60:
            break
        inside = low <= step <= high
        cell = (step,) if first.output.ndim == 1 else ()
        marks += [Rect(x, y, wide - 2, high_ - 2, "tint" if inside else "sunk", "accent" if step == own else "",
                       2, inside=True, radius=3, focus=Focus(first.name, cell) if cell else None),
                  Text(x + wide / 2 - 1, y + 16, plain(word), 12, 600 if step == own else 400,
                       "ink" if inside else "ink-2", "middle", max_width=wide - 6)]
        x += wide
    count = max(0, min(high, len(words) - 1) - max(low, 0) + 1)
    said = (tr("reaches {shown} of {count} steps") if slide.backward else
            tr("it can see {shown} of {count} steps")).format(shown=count, count=len(words))
    marks.append(Text(frame.x, y + high_ + 20, plain(said), 12, 400, "ink-2", max_width=frame.width))
    return grouped(Group(tr("where it looks"), Focus(first.name), cells=True), marks), y + high_ + 36


def _size(box: kinds.Box, shape: tuple[int, int]) -> str:
    """`5 × 5 pixels`; what reaches past every edge sees everything."""
    if all(low <= 0 and high >= n - 1 for (low, high), n in zip(box[-2:], shape, strict=True)):
        return tr("all pixels")
    return tr("{high} × {wide} pixels").format(high=box[-2][1] - box[-2][0] + 1, wide=box[-1][1] - box[-1][0] + 1)


def _ranges(trace: Trace, slide: Slide, frame: Area, y: float) -> tuple[list[Mark], float]:
    """What the colours of the cells mean: one legend for each row of grids; and for the maps of a gradient."""
    wide = min(frame.width, 168)
    marks: list[Mark] = []
    for title, palette, top in _scales(slide):
        if palette.startswith("gradient"):
            low, zero = numbers.significant(top * 1e-3, 1), ""
        else:
            low, zero = numbers.number(-top) if top >= 0.1 else numbers.significant(-top, 2), "0"
        high = numbers.number(top) if top >= 0.1 and zero else numbers.significant(top, 2)
        marks += parts.legend(frame.x, y + 6, wide, frame.look, Scale(palette, "", "", -top, top), title,
                              (low, zero, high))
        y += LEGEND
    if slide.backward:
        marks += parts.legend(frame.x, y + 6, wide, frame.look, parts.gradient_scale(trace),
                              tr("Maps: gradient, all layers"))
        y += LEGEND
    return marks, y


def _scales(slide: Slide) -> list[tuple[str, str, float]]:
    """(title, palette, largest value) of the grids of a slide."""
    if not slide.terms or not slide.terms[0][1].taps or slide.layer.inner \
            or as_windows(slide.terms[0][1].taps[0]) is None:
        return []
    taps = slide.terms[0][1].taps[0]
    kernel = [(tr("Kernel"), "weight-pale", largest(taps.weights))] if taps.weight else []
    if slide.hands_on:
        return [(tr("Window"), "activation-pale", largest(taps.values)), *kernel]
    if taps.array == "gradient":
        return kernel
    if not taps.weight:
        return [(tr("Window"), "activation-pale", largest(taps.values))]
    return [(tr("Window"), "activation-pale", largest(taps.values)), *kernel,
            (tr("Products"), "activation-pale", largest(taps.products))]


@remembered(64)
def fields(trace: Trace, name: str, cell: Cell) -> tuple[tuple[str, kinds.Box], ...]:
    """For the layers on the way to a cell, (layer, box of the input that one of its cells sees), smallest first.

    The cell of each earlier layer is the middle one of those that the cell sees.
    """
    first = trace.layers[0].name
    boxes = kinds.receptive_field(trace, name, cell)
    ways: list[tuple[str, kinds.Box]] = []
    found: list[tuple[str, kinds.Box]] = []
    for layer in reversed(trace.layers[1:]):  # of a deep network only the last ones are asked for
        if layer.name not in boxes or (not layer.has("row", "column") and layer.name != name):
            continue
        middle = tuple(min(max((low + high) // 2, 0), n - 1)
                       for (low, high), n in zip(boxes[layer.name], layer.shape, strict=True))
        seen = kinds.receptive_field(trace, layer.name, cell if layer.name == name else middle).get(first)
        if seen is None:
            continue
        if ways and _sides(ways[-1][1]) != _sides(seen):
            found.append(ways[-1])
            if len(found) == MOST_FIELDS:
                break
        ways.append((layer.name, seen))
    else:
        found += ways[-1:]
    return tuple(reversed(found))


MOST_FIELDS = 5


def _sides(box: kinds.Box) -> list[int]:
    return [high - low for low, high in box[-2:]]
