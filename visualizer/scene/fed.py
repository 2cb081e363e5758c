"""What was fed in, small, as the rail shows it: a picture, a wave, the words that are read."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from visualizer.language import tr
from visualizer.scene import colour, controls, parts
from visualizer.scene.boxes import Box
from visualizer.scene.picture import Focus, Group, Image, Line, Look, Mark, Text, grouped, plain
from visualizer.scene.type import wrap
from visualizer.trace import Array, Trace


def marks(trace: Trace, look: Look, box: Box) -> list[Mark]:
    """The input as it was fed in, where it is a picture and there is room."""
    layer = trace.layers[0]
    if box.height < 90:
        return []
    if layer.axes != ("channel", "row", "column"):
        return _told(trace, box)
    entries, palette = parts.entries(trace, layer, look, False)
    side = min(box.width, box.height - 46)
    rows, columns = layer.shape[-2:]
    cell = min(side / rows, side / columns)
    cell = max(1, int(cell / look.pixel)) * look.pixel if cell >= look.pixel else cell
    shown = entries[:1] if layer.shape[0] != 3 else None
    image = Image(box.left, box.top + 22, (cell, cell), shown, palette, indices=(0,), focus=Focus(layer.name),
                  scale=parts.scale_of(trace, layer, look, False)) if shown is not None else Image(
        box.left, box.top + 22, (cell, cell), _colours(layer.output)[None], "pixel", indices=(-1,),
        focus=Focus(layer.name))
    found = controls.title(tr("Input"), box, box.top + 12)
    found += [image, Text(box.left, box.top + 22 + cell * rows + 18, plain(
        trace.sample.title or trace.sample.name), 12, 500, max_width=box.width)]
    return grouped(Group(tr("Input")), found)


def _told(trace: Trace, box: Box) -> list[Mark]:
    """A wave as a line; else the words that are read, or what it is called."""
    layer = trace.layers[0]
    marks = controls.title(tr("Input"), box, box.top + 12)
    y = box.top + 22
    if layer.axes == ("unit",) and layer.output.size > box.width:
        marks += wave(layer.output, (0.0, layer.output.size - 1.0), Box(box.left, y, box.right, y + 48))
        y += 50
    words = trace.sample.title or trace.sample.name
    lines = wrap(plain(words.replace("\n", " ↵ ")), 12, box.width, 500)
    room = max(1, int((box.bottom - y) / 17))
    for number, line in enumerate(lines[:room]):
        marks.append(Text(box.left, y + 14 + 17 * number, line, 12, 500, max_width=box.width))
    return grouped(Group(tr("Input")), marks)


def wave(values: Array, span: tuple[float, float], box: Box) -> list[Mark]:
    """A line a pixel, from the least to the largest of the numbers that lie there; from the first to the last number,
    counted from 0, that are to stand at the ends of the box. The largest size of all reaches its edge."""
    first, last = span
    top = float(np.abs(values).max()) or 1.0
    middle, half = box.top + box.height / 2, box.height / 2
    columns = max(1, int(box.width))
    edges = np.clip(np.rint(np.linspace(first, last + 1, columns + 1)).astype(int), 0, len(values))
    marks: list[Mark] = []
    for number, (begin, end) in enumerate(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)):
        if end > begin:
            some, x = values[begin:end], box.left + (number + 0.5) * box.width / columns
            high, low = float(some.max()) / top * half, float(some.min()) / top * half
            marks.append(Line(((x, middle - high), (x, middle - low + 0.5)), "ink-2", 1))
    return marks


def _colours(values: Array) -> NDArray[np.uint8]:
    low, high = colour.reach(values)
    shades = np.clip((values - low) / ((high - low) or 1.0), 0, 1) * 255
    return np.asarray(np.moveaxis(np.rint(shades).astype(np.uint8), 0, -1))
