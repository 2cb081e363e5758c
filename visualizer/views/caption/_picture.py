"""The picture, and on it where the network looks; below it what the places know: the strongest maps of each layer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.kinds.gaze import Gaze
from visualizer.language import tr
from visualizer.said import said
from visualizer.scene import numbers, parts
from visualizer.scene.boxes import Box, whole
from visualizer.scene.picture import Focus, Group, Image, Line, Look, Mark, Rect, Text, grouped, literal, plain, rich
from visualizer.scene.timeline import ease
from visualizer.trace import Layer, Trace, remembered
from visualizer.views.caption._columns import TOLD_SHARE, ink, looked
from visualizer.views.caption._plan import Plan
from visualizer.views.caption._so_far import SoFar, chain_of_maps

MOST_PLACES = 144
"""Of more places no share is printed."""
SHOWN, LEAST = 2, 14.0
"""So many maps of a layer, and the height that a row of them has at least."""


def picture(so: SoFar, plan: Plan, look: Look, word: int, place: int | None) -> list[Mark]:
    """The picture, large, with the attention of a word or what came back to it, and the field of a place."""
    seen, trace, box = so.seen, so.trace, plan.picture
    cell = box.width / seen.picture.shape[2]
    marks: list[Mark] = []
    if look.mode.notes:
        marks.append(Text(box.left, box.top - 8, rich(_title(so, word)), 13, 600, "ink", max_width=box.width + 30))
    if so.come(seen.picture.name) <= 0:
        return [*marks, Rect(box.left, box.top, box.width, box.height, "hatch")]
    if so.backward and so.back(seen.picture.name) > 0:
        marks += _pixels(so, look, box, cell)
    elif so.backward and so.back(seen.maps.name) > 0:
        marks += _places(so, look, box)
    elif word >= 0 and so.known(seen.words[word].looks) > 0:
        marks += looked(so, look, word, box.left, box.top, box.width,
                        TOLD_SHARE if seen.shares.shape[1] <= MOST_PLACES else 1.0)
    else:
        marks += [ink(so, box.left, box.top, cell),
                  Rect(box.left, box.top, box.width, box.height, stroke="rule", inside=True)]
    marks += _grid(so, box)
    if place is not None:
        marks += _field(trace, seen, box, cell, place)
    if look.mode.notes:
        marks.append(Text(box.left, box.bottom + 16, plain(_below(so, box.width >= 220)), 12, 400, "ink-2",
                          max_width=box.width + 30))
    return grouped(Group(tr("picture"), Focus(seen.picture.name)), marks)


def _title(so: SoFar, word: int) -> str:
    number = said(str(word + 1), "number of a word", so.seen.answer.layer, step=word) if word >= 0 else ""
    if so.backward:
        return tr("Gradient of each pixel") if so.back(so.seen.picture.name) > 0 else \
            tr("Gradient at each place") if so.back(so.seen.maps.name) > 0 else \
            tr("Gradient of the attention, word {number}").format(number=number)
    if word < 0:
        return tr("Picture")
    if so.come(so.seen.words[word].scores) < 1:
        return tr("Attention for word {number}").format(number=number)
    best = so.seen.best[word]
    return tr("Attention for “{word}”").format(
        word=literal(said(so.seen.text(best), "symbol of the answer", so.seen.answer.layer, (best,))))


def _below(so: SoFar, roomy: bool) -> str:
    rows, columns = so.seen.grid
    words = tr("{rows} × {columns} places") if so.backward or not roomy else \
        tr("{rows} × {columns} places; shares from {least} on are printed")
    return words.format(rows=said(str(rows), "length of axis", so.seen.maps.name, (1,)),
                        columns=said(str(columns), "length of axis", so.seen.maps.name, (2,)),
                        least=said(numbers.percent(TOLD_SHARE, 0), "factor", array=repr(TOLD_SHARE)))


def _pixels(so: SoFar, look: Look, box: Box, cell: float) -> list[Mark]:
    layer = so.seen.picture
    values = np.zeros(layer.shape[1:]) if layer.gradient is None else np.sqrt(
        np.square(layer.gradient.astype(np.float64)).sum(0))
    shades, palette = parts.entries_of(so.trace, layer, look, True, values)
    share = so.back(layer.name)
    return [*([Rect(box.left, box.top, box.width, box.height, "hatch")] if share < 1 else []),
            Image(box.left, box.top, (cell, cell), shades[None], palette, focus=Focus(layer.name),
                  indices=(0,) if layer.shape[0] == 1 else (-1,), rows_shown=ease(share),
                  scale=parts.gradient_scale(so.trace))]


def _places(so: SoFar, look: Look, box: Box) -> list[Mark]:
    layer, (rows, columns) = so.seen.maps, so.seen.grid
    assert layer.gradient is not None
    values = np.sqrt(np.square(layer.gradient.astype(np.float64)).sum(0))
    shades, palette = parts.entries_of(so.trace, layer, look, True, values)
    share = so.back(layer.name)
    return [Image(box.left, box.top, (box.width / columns, box.height / rows), shades[None], palette,
                  opacity=ease(share), border="", scale=parts.gradient_scale(so.trace)),
            ink(so, box.left, box.top, box.width / so.seen.picture.shape[2])]


def _grid(so: SoFar, box: Box) -> list[Mark]:
    rows, columns = so.seen.grid
    if max(rows, columns) > 16:
        return []
    lines = [((box.left + box.width * at / columns, box.top), (box.left + box.width * at / columns, box.bottom))
             for at in range(1, columns)]
    lines += [((box.left, box.top + box.height * at / rows), (box.right, box.top + box.height * at / rows))
              for at in range(1, rows)]
    return [Line(line, "rule", opacity=0.5) for line in lines]


def _field(trace: Trace, seen: Gaze, box: Box, cell: float, place: int) -> list[Mark]:
    """The place itself, and what it sees of the picture."""
    rows, columns = seen.grid
    row, column = divmod(place, columns)
    high, wide = box.height / rows, box.width / columns
    marks: list[Mark] = [Rect(box.left + column * wide, box.top + row * high, wide, high, stroke="accent",
                              stroke_width=2.5, inside=True)]
    found = field_of(trace, seen, place)
    if found is not None:
        (top, bottom), (left, right) = found
        marks.append(Rect(box.left + left * cell, box.top + top * cell, (right - left + 1) * cell,
                          (bottom - top + 1) * cell, stroke="accent", stroke_width=1.5, dashed=True))
    return marks


@remembered(32)
def field_of(trace: Trace, seen: Gaze, place: int) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """First and last row, first and last column of the picture that a place can see; None where nobody knows."""
    row, column = divmod(place, seen.grid[1])
    found = kinds.receptive_field(trace, seen.maps.name, (0, row, column)).get(seen.picture.name)
    if found is None or len(found) != 3:
        return None
    (top, bottom), (left, right) = ((int(low), int(high)) for low, high in found[1:])
    last_row, last_column = seen.picture.shape[1] - 1, seen.picture.shape[2] - 1
    return (max(0, top), min(bottom, last_row)), (max(0, left), min(right, last_column))


def maps(so: SoFar, plan: Plan, look: Look) -> list[Mark]:
    """The strongest maps of each layer, as far as they are there."""
    box = plan.maps
    if box.height <= 0:
        return []
    places = said(str(so.seen.shares.shape[1]), "how many places", so.seen.maps.name)
    marks: list[Mark] = [
        Text(box.left, box.top - 20, plain(tr("What the {places} places know").format(places=places)), 13, 600),
        Text(box.left, box.top - 5, plain(tr("the {count} strongest maps of each layer").format(
            count=said(str(SHOWN), "two"))), 12, 400, "ink-2", max_width=box.width + 30)]
    shown = chain_of_maps(so.trace, so.seen, max(1, int(box.height / 44)))
    each = box.height / len(shown)
    side = min(each - 6, (box.width - 92) / SHOWN - 8, 88)
    if side < LEAST:
        return []
    for number, layer in enumerate(shown):
        marks += _of_layer(so, look, layer, box.left, box.top + 6 + number * each, side)
    return marks


def _of_layer(so: SoFar, look: Look, layer: Layer, x: float, y: float, side: float) -> list[Mark]:
    back = so.backward
    share = so.known(layer.name)
    channels = largest_channels(layer, back)
    rows, columns = layer.shape[1:]
    cell = whole(side / max(rows, columns), look.pixel) or side / max(rows, columns)
    marks: list[Mark] = [Text(x, y + 12, plain(layer.name), 12, 600, "ink", mono=True, focus=Focus(layer.name),
                              max_width=84),
                         Text(x, y + 27, plain(said(numbers.shape(layer.shape), "shape of a layer", layer.name)), 11,
                              400, "ink-2", max_width=84)]
    if look.scope != "network" and not back and side > 40:
        top = parts.layer_scale(so.trace, layer, look)
        marks.append(Text(x, y + 41, plain("±" + said(numbers.number(top, 1), "largest size", layer.name)), 11, 400,
                          "ink-2", max_width=84))
    for number, channel in enumerate(channels):
        left = x + 92 + number * (side + 8)
        if share <= 0:
            marks.append(Rect(left, y, cell * columns, cell * rows, "hatch"))
            continue
        shades, palette = parts.entries_of_map(so.trace, layer, look, back, channel)
        if share < 1:
            marks.append(Rect(left, y, cell * columns, cell * rows, "hatch"))
        marks.append(Image(left, y, (cell, cell), shades[None], palette, focus=Focus(layer.name), indices=(channel,),
                           rows_shown=ease(share), scale=parts.scale_of(so.trace, layer, look, back)))
    return grouped(Group(layer.name, Focus(layer.name)), marks)


@remembered(16)
def largest_channels(layer: Layer, back: bool) -> tuple[int, ...]:
    """The channels whose numbers are largest on average, or whose gradients are."""
    values: NDArray[np.float64] = np.nan_to_num(np.asarray(
        layer.gradient if back and layer.gradient is not None else layer.output, np.float64))
    sizes = np.abs(values).mean(axis=(1, 2))
    return tuple(int(index) for index in np.argsort(-sizes, kind="stable")[:SHOWN])
