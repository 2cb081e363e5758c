"""Where a number looks: its receptive field, layer by layer, on what was fed in."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from visualizer import kinds
from visualizer.scene import numbers, parts
from visualizer.scene.picture import Focus, Image, Mark, Rect, Text, plain
from visualizer.scene.timeline import Moment
from visualizer.trace import Cell, Trace
from visualizer.views.walk._card import Card, Frame, as_windows, largest, shades_of
from visualizer.views.walk._maps import one_map, way_back


def where_it_looks(trace: Trace, moment: Moment, card: Card, frame: Frame) -> list[Mark]:
    """The input inside its hatched padding, with the receptive fields of the layers on the way nested on it."""
    s = frame.look.text_scale
    first = trace.layers[0]
    title = "Where the gradient lands" if moment.backward else "Where it looks"
    marks: list[Mark] = [Text(frame.x, frame.y + 10 * s, plain(title), 12 * s, 600, "ink-2")]
    if not first.has("row", "column") or first.output.ndim != 3:
        return marks
    nested = fields(trace, card.layer.name, card.cell)
    rows, columns = first.shape[-2:]
    margin = max([0, *(-low for _, box in nested for low, _ in box[-2:]),
                  *(high - n + 1 for _, box in nested for (_, high), n in zip(box[-2:], (rows, columns), strict=True))])
    margin = min(margin, 8)
    pixel = max(1, int(frame.width // (columns + 2 * margin)))
    x, y = frame.x + margin * pixel, frame.y + 24 * s + margin * pixel
    if margin:
        marks.append(Rect(frame.x, frame.y + 24 * s, (columns + 2 * margin) * pixel, (rows + 2 * margin) * pixel,
                          "hatch"))
    shades, palette = shades_of(trace, first, moment.backward, frame.look)
    if len(shades) == 3 and not moment.backward:
        stack = np.moveaxis(shades, 0, -1)[None]
    else:
        stack = shades.max(axis=0, keepdims=True)
    marks.append(Image(x, y, (pixel, pixel), np.ascontiguousarray(stack), palette, focus=Focus(first.name),
                       indices=(0,)))
    row = frame.y + 24 * s + (rows + 2 * margin) * pixel + 24 * s
    widths = [1.5] * (len(nested) - 1) + [2.5] if nested else []
    for index, ((name, box), wide) in enumerate(zip(nested, widths, strict=True)):
        (top, bottom), (left, right) = ((max(-margin, low), min(n - 1 + margin, high))
                                        for (low, high), n in zip(box[-2:], (rows, columns), strict=True))
        dashed = index == 0 and len(nested) > 1
        marks.append(Rect(x + left * pixel, y + top * pixel, (right - left + 1) * pixel, (bottom - top + 1) * pixel, "",
                          "accent", wide, dashed=dashed))
        if row < frame.bottom - 120 * s:
            marks.append(Rect(frame.x, row - 11 * s, 14 * s, 14 * s, "", "accent", wide, dashed=dashed))
            size = f"{box[-2][1] - box[-2][0] + 1} × {box[-1][1] - box[-1][0] + 1}"
            marks.append(Text(frame.x + 24 * s, row, plain(name), 12 * s, 400, mono=True, max_width=70 * s))
            marks.append(Text(frame.x + 98 * s, row, plain(f"{size} pixels"), 12 * s, 400, "ink-2"))
            row += 22 * s
    if margin:
        marks.append(Rect(frame.x, row - 11 * s, 14 * s, 14 * s, "hatch", "hair"))
        marks.append(Text(frame.x + 24 * s, row, plain("padding, always 0"), 12 * s, 400, "ink-2"))
        row += 22 * s
    marks += _ranges(card, frame, row + 8 * s)
    row += 50 * s * len(_ranges(card, frame, row)) / 5 + 16 * s
    side = min(frame.width, frame.bottom - row - 44 * s, 168 * s)
    if card.layer.output.ndim == 3 and side >= 84 * s:
        drawn = one_map(trace, card.layer, np.array([card.cell]), moment.backward, frame, frame.x, row, side,
                        "the map it stands in")[0]
        marks += drawn
        row += side + 68 * s
    if moment.backward and card.layer.gradient is not None and frame.bottom - row > 100 * s:
        marks += way_back(trace, card.layer, card.cell, frame, frame.x, row, frame.width)
    return marks


def _ranges(card: Card, frame: Frame, y: float) -> list[Mark]:
    """What the colours of the cells mean: one legend for each row of grids."""
    if not card.terms or not card.terms[0][1].taps or as_windows(card.terms[0][1].taps[0]) is None:
        return []
    s, taps = frame.look.text_scale, card.terms[0][1].taps[0]
    rows = [("window", "activation-pale", taps.values), ("kernel", "weight-pale", taps.weights),
            ("products", "activation-pale", taps.products)]
    if taps.array == "gradient" or card.hands_on:
        rows = rows[1:2]
    marks: list[Mark] = []
    for title, palette, values in rows:
        if title == "kernel" and not taps.weight:
            continue
        top = largest(values)
        marks += parts.legend(frame.x, y + 6 * s, min(frame.width, 168 * s), frame.look, palette, title,
                              numbers.number(-top), "0", numbers.number(top))
        y += 50 * s
    return marks


@lru_cache(maxsize=64)
def fields(trace: Trace, name: str, cell: Cell) -> tuple[tuple[str, kinds.Box], ...]:
    """For the layers on the way to a cell, (layer, box of the input that one of its cells sees), smallest first.

    The cell of each earlier layer is the middle one of those that the cell sees.
    """
    first = trace.layers[0].name
    found: list[tuple[str, kinds.Box]] = []
    boxes = kinds.receptive_field(trace, name, cell)
    last: kinds.Box | None = None
    for layer in trace.layers[1:]:
        if layer.name not in boxes or (not layer.has("row", "column") and layer.name != name):
            continue
        middle = tuple(min(max((low + high) // 2, 0), n - 1)
                       for (low, high), n in zip(boxes[layer.name], layer.shape, strict=True))
        seen = kinds.receptive_field(trace, layer.name, cell if layer.name == name else middle).get(first)
        if seen is not None and seen != last:
            size = [high - low for low, high in seen[-2:]]
            if last is None or size != [high - low for low, high in last[-2:]]:
                found.append((layer.name, seen))
            last = seen
    return tuple(found[-5:])
