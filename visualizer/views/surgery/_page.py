"""The page beside surgery: the chosen channel or unit with its weights, which are set by hand, what it gave before,
right answers before and after, and how far the cut reaches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from visualizer.kinds.gates import TABS, Family, family_of
from visualizer.language import tr, translated
from visualizer.said import lengths, said
from visualizer.scene import colour, numbers, parts
from visualizer.scene.picture import Focus, Image, Line, Look, Mark, Picture, Rect, Scale, Table, Text, plain
from visualizer.scene.type import elide, wrap
from visualizer.trace import Layer, Trace
from visualizer.views.surgery import _measured as measured
from visualizer.views.surgery import _words, offers

WIDE, LEFT, RIGHT = 280, 24.0, 264.0
KERNEL, MAP, MOST_TILES, MOST_ROW = 112.0, 84.0, 24, 864
MOST = 10.0
"""What goes further is told as so many times what was there before."""
SIGNED = 6.0
"""Pixels of a cell from which a negative weight carries a minus."""
MOST_SIGNED = 400
"""Of more weights the hue alone tells the sign here; the tooltip says each number."""
Values = NDArray[np.float64]


def page(trace: Trace, focus: Focus | None, look: Look) -> Picture | None:
    """Of the channel or unit that is looked at; None where no layer has weights."""
    layer, unit = offers.chosen(trace, focus)
    if layer not in trace:
        return None
    one = tr("channel") if "channel" in trace[layer].axes else tr("unit")
    title = f"{layer} {one} {said(numbers.count(unit), 'index', layer, (unit,))}"
    marks: list[Mark] = [Text(LEFT, 27, plain(elide(title, 16, RIGHT - LEFT, 600)), 16, 600)]
    y = 32.0
    for line in wrap(_words.done_to(trace, layer, unit), 12, RIGHT - LEFT, 400)[:3]:
        y += 16
        marks.append(Text(LEFT, y, plain(line), 12, 400, "ink-2"))
    y = _weights(trace, layer, unit, marks, y + 14, look)
    y = _right(trace, marks, y + 16)
    y = _reach(trace, marks, y + 12)
    y = _bits(trace, marks, y + 16)
    return Picture((WIDE, round(y + 16)), tuple(marks), (), look.theme, "window", caption=title, table=_table(trace))


# --- weights ----------------------------------------------------------------------------------------------------------

def _weights(trace: Trace, layer: str, unit: int, marks: list[Mark], y: float, look: Look) -> float:
    """All that makes this channel or unit, each number to be dragged; beside it its map before."""
    found = trace[layer]
    if (family := family_of(found)) is not None:
        y = _gates(found, family, unit, marks, y, look)
    elif "weight" in found.weights and unit < found.weights["weight"].shape[0]:
        y = _kernel(trace, found, unit, marks, y, look)
    if "bias" in found.weights and unit < found.weights["bias"].size:
        value = float(found.weights["bias"][unit])
        told = said(numbers.number(value), "value", layer, (unit,), array="weights.bias")
        marks += [Text(LEFT, y + 18, plain(tr("its bias")), 12, 400, "ink-2"),
                  *_number(told, Focus(layer, (unit,), "weights.bias"), LEFT + 70, y + 2, 76)]
        y += 32
    for line in wrap(tr("drag a number up or down; click: zero, or as it was; double click: type it"), 11,
                     RIGHT - LEFT, 400):
        y += 15
        marks.append(Text(LEFT, y, plain(line), 11, 400, "ink-2"))
    return y + 6


def _number(told: str, focus: Focus, x: float, y: float, wide: float) -> list[Mark]:
    """A number that can be set by hand."""
    return [Rect(x, y, wide, 24, "raised", "border", radius=6),
            Text(x + wide / 2, y + 16, plain(told), 12, 600, anchor="middle", mono=True),
            Rect(x, y, wide, 24, "", focus=focus,
                 tip=tr("drag it up or down; double click: type it; click: zero or as it was"))]


def _kernel(trace: Trace, layer: Layer, unit: int, marks: list[Mark], y: float, look: Look) -> float:
    held = layer.weights["weight"]
    values = np.asarray(held[unit], np.float64)
    top = _largest(held)
    scale = Scale("weight", tr("weights"), layer.name, -top, top)
    shape = lengths(layer, 1, "weights.weight")
    before = measured.was(trace, layer.name)
    seen = before.ndim == 3 and before.shape[0] == held.shape[0]
    wide = KERNEL if seen and values.ndim == 3 and values.shape[0] == 1 else RIGHT - LEFT
    below = _cells(layer, "weight", (unit,), values, marks, LEFT, y, wide, top, scale, look)
    marks.append(Text(LEFT, below + 15, plain(tr("its weights, {shape}").format(shape=shape)), 11, 400, "ink-2"))
    if seen:
        x, at = (LEFT + KERNEL + 16, y) if wide == KERNEL else (LEFT, below + 24)
        picture = np.nan_to_num(np.asarray(before[unit], np.float64))
        cell = MAP / max(picture.shape)
        largest = max(colour.largest(before), 1e-30)
        marks += [Image(x, at, (cell, cell), colour.signed(picture[None], largest), "activation", indices=(unit,),
                        focus=Focus(layer.name), scale=Scale("activation", tr("values"), layer.name, -largest,
                                                              largest)),
                  Text(x, at + cell * picture.shape[0] + 15, plain(tr("its map before")), 11, 400, "ink-2")]
        below = max(below, at + cell * picture.shape[0])
    return below + 22


def _gates(layer: Layer, family: Family, unit: int, marks: list[Mark], y: float, look: Look) -> float:
    """The rows of one unit, gate by gate: from what is read, and from the state."""
    size = layer.output.shape[-1]
    names = [translated(TABS[key]) for key in family.keys] if len(family.keys) > 1 else [""]
    for key, words in (("weight_ih", tr("from what is read")), ("weight_hh", tr("from its state"))):
        held = layer.weights.get(key)
        if held is None or held.shape[0] < len(names) * size:
            continue
        marks.append(Text(LEFT, y + 12, plain(words), 12, 600))
        y += 18
        top = _largest(held)
        scale = Scale("weight", tr("weights"), layer.name, -top, top)
        for number, name in enumerate(names):
            row, start = number * size + unit, y
            marks.append(Text(LEFT, y + 10, plain(elide(name, 11, 62, 400)), 11, 400, "ink-2"))
            y = _cells(layer, key, (row,), np.asarray(held[row], np.float64), marks, LEFT + 66, y, RIGHT - LEFT - 66,
                       top, scale, look)
            y = max(y + 4, start + 15)
        y += 4
    held = layer.weights.get("bias_ih")
    if held is not None and held.size >= len(names) * size:
        marks.append(Text(LEFT, y + 12, plain(tr("its biases")), 12, 600))
        for number in range(len(names)):
            row = number * size + unit
            told = said(numbers.number(float(held[row])), "value", layer.name, (row,), array="weights.bias_ih")
            marks += _number(told, Focus(layer.name, (row,), "weights.bias_ih"), LEFT + number * 60, y + 18, 56)
        y += 46
    return y


def _cells(layer: Layer, key: str, place: tuple[int, ...], values: Values, marks: list[Mark], x: float, y: float,
           wide: float, top: float, scale: Scale, look: Look) -> float:
    """The weights as cells, each with its own focus; the bottom of it."""
    if values.ndim >= 3:
        tiles = values.reshape(values.shape[0], values.shape[1], -1)[:MOST_TILES]
        count = len(tiles)
        across = min(count, 6 if count > 1 else 1)
        cell = max(2.0, min((wide - 4 * (across - 1)) / across / tiles.shape[2], 22.0))
        indices, folds = tuple(range(count)), None
    elif values.ndim == 2:
        tiles, across, count = values[None], 1, 1
        cell = max(2.0, min(wide / values.shape[1], 120.0 / values.shape[0], 18.0))
        indices, folds = (-1,), None
    else:
        size = values.size
        columns = min(size, next((each for each in range(48, 7, -1) if size % each == 0), size))
        if columns > 64:
            return y
        tiles, across, count = values.reshape(1, -1, columns), 1, 1
        cell = max(2.0, min(wide / columns, 14.0))
        indices, folds = (-1,), ((layer.weights[key].shape[0], *tiles.shape[1:]), layer.weights[key].shape)
    rows, columns = tiles.shape[1:]
    pitch = (columns * cell + 4, rows * cell + 4)
    shades = colour.signed(np.nan_to_num(tiles), top)
    marks.append(Image(x, y, (cell, cell), shades, "weight", across, pitch, focus=Focus(layer.name, place,
                                                                                       f"weights.{key}"),
                       hatched=None if np.isfinite(tiles).all() else ~np.isfinite(tiles), indices=indices, folds=folds,
                       scale=scale))
    if look.signs or (cell >= SIGNED and tiles.size <= MOST_SIGNED):
        marks += parts.minuses(tiles, shades, "weight", look, cell, lambda tile, row, column: (
            x + tile % across * pitch[0] + (column + 0.5) * cell, y + tile // across * pitch[1] + (row + 0.5) * cell))
    return float(y + -(-count // across) * pitch[1] - 4)


def _largest(held: NDArray[np.generic]) -> float:
    finite = np.abs(np.asarray(held, np.float64))
    finite = finite[np.isfinite(finite)]
    return max(float(finite.max()) if finite.size else 1.0, 1e-30)


# --- what came of it --------------------------------------------------------------------------------------------------

def _right(trace: Trace, marks: list[Mark], y: float) -> float:
    found = measured.counted(trace)
    if found is None:
        return y
    before, now, of = found
    told = [said(numbers.percent(each / of, 1), quantity) for each, quantity in
            ((before, "right before the edits"), (now, "right after the edits"))]
    words = f"{told[0]} → {told[1]}" if measured.words(trace) else told[0]
    below = tr("right answers, of {count} that ship").format(count=said(numbers.count(of), "answers counted"))
    marks += [Text(LEFT, y + 16, plain(words), 18, 600),
              Text(LEFT, y + 34, plain(below), 12, 400, "ink-2")]
    return y + 40


def _reach(trace: Trace, marks: list[Mark], y: float) -> float:
    """‖after − before‖ / ‖before‖ of each layer that is seen, bars to 100 %."""
    if not measured.words(trace):
        return y
    marks.append(Text(LEFT, y + 12, plain(tr("How far the cut reaches")), 13, 600))
    y += 20
    answer = trace.answers[0].layer if trace.answers else ""
    left, right = LEFT + 74, RIGHT - 50
    names = [name for name in (*measured.rows(trace), answer) if name]
    for name in (names if len(names) <= 10 else [*names[:9], names[-1]]):
        share = measured.reaches(trace, name)
        known = np.isfinite(share)
        told = "–" if not known else said(numbers.percent(share, 0), "how far it reaches", name) if share < MOST else \
            f"{said(numbers.significant(share, 1), 'how far it reaches', name)} ×"
        marks += [Text(LEFT, y + 14, plain(name), 12, 400, mono=True, max_width=70),
                  Rect(left, y + 5, right - left, 8, "sunk"),
                  Rect(left, y + 5, (right - left) * min(1.0, share if known else 0.0), 8, "ink-2"),
                  Text(RIGHT, y + 14, plain(told), 12, 600, "ink", "end")]
        y += 19
    marks.append(Text(LEFT, y + 13, plain(tr("‖after − before‖ / ‖before‖, bars to 100 %")), 11, 400, "ink-2"))
    return y + 16


def _bits(trace: Trace, marks: list[Mark], y: float) -> float:
    """Whether the weights to which one goes back are those that were there, bit for bit."""
    found = measured.bits(trace)
    if found is None:
        return y
    same, of = found
    good = same == of
    words = tr("Undo gives the same bits back") if good else tr("Undo would give other weights back")
    below = tr("all {count} weights compared") if good else tr("{other} of {count} weights are others")
    told = below.format(count=said(numbers.count(of), "weights compared"),
                        other=said(numbers.count(of - same), "weights that differ"))
    marks += [Rect(LEFT - 8, y, RIGHT - LEFT + 16, 44, "tint" if good else "alarm", radius=8),
              Rect(LEFT + 2, y + 13, 18, 18, "accent" if good else "ink", radius=9),
              *(Line(points, "on-accent", 2) for points in _tick(LEFT + 2, y + 13, good)),
              Text(LEFT + 30, y + 19, plain(words), 12, 600, "accent-ink" if good else "ink"),
              Text(LEFT + 30, y + 35, plain(told), 12, 400, "ink-2")]
    return y + 48


def _tick(x: float, y: float, good: bool) -> tuple[tuple[tuple[float, float], ...], ...]:
    return (((x + 5, y + 9.5), (x + 8, y + 12.5), (x + 13.5, y + 6)),) if good else \
        (((x + 5, y + 5), (x + 13, y + 13)), ((x + 13, y + 5), (x + 5, y + 13)))


def _table(trace: Trace) -> Table:
    return Table((tr("layer"), tr("change")),
                 tuple((name, float(measured.reaches(trace, name))) for name in measured.rows(trace)))
