"""Overture: a forward pass in one strip, for the start screen: input, maps, units and answers, nothing but values.

Pure, like a view, but with no beats to walk through: it is read from left to right.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from visualizer.scene import numbers, parts
from visualizer.scene.picture import Image, Look, Mark, Path, Picture, Points, Rect, Run, Text, plain
from visualizer.trace import Layer, Trace

NAMES = 26.0
"""Pixels at the foot for the names of the layers."""
GAP = 2.0
LEAST_BAR = 90.0
"""Pixels of the longest bar of an answer, below which the answers are left out."""


def overture(trace: Trace, names: Sequence[str], look: Look) -> Picture:
    """The values of these layers as a strip of `look.size`; columns are left out from the middle where it is narrow."""
    wide, high = look.size
    tall = high - NAMES
    layers = [trace[name] for name in names if name in trace]
    maps = [layer for layer in layers[:-1] if layer.has("row", "column")]
    lines = [layer for layer in layers[:-1] if not layer.has("row", "column")]
    answer = layers[-1]
    marks: list[Mark] = []
    while len(maps) > 2 and _width(maps, lines, tall) + 190 > wide:
        maps.pop(1)
    left = wide - 190 - _width(maps, lines, tall)
    spare = max(0.0, left) / max(1, len(maps) + len(lines))
    x, before = 0.0, None
    for layer in maps:
        tiles, cell, pitch, columns = _grid(layer, tall)
        entries, palette = parts.entries(trace, layer, look, False)
        rows = -(-tiles // columns)
        top = (tall - rows * pitch + GAP) / 2
        here = [(x + column * pitch, top + row * pitch) for row in range(rows) for column in range(columns)][:tiles]
        side = pitch - GAP
        if before is not None:
            marks += _edges(before, x, here, side)
        marks.append(Image(x, top, (cell, cell), np.ascontiguousarray(entries), palette, columns, (pitch, pitch)))
        marks.append(Text(x, tall + 18, (Run(layer.name, mono=True),), 12, 400, "ink-2"))
        before = (x + (columns - 1) * pitch + side, [at for number, at in enumerate(here)
                                                     if number % columns == columns - 1], side)
        x += columns * pitch - GAP + 36 + spare
    for layer in lines:
        entries, palette = parts.entries(trace, layer, look, False)
        count = entries.size
        columns = 2
        each = tall / -(-count // columns)
        column = np.ascontiguousarray(np.resize(entries.ravel(), (count, 1, 1)))
        marks.append(Image(x, 0, (20, max(1.0, each - 1)), column, palette, columns, (24, each), border=""))
        marks.append(Text(x, tall + 18, (Run(layer.name, mono=True),), 12, 400, "ink-2"))
        x += 48 + 28 + spare
    if wide - x >= LEAST_BAR:
        marks += _answers(trace, answer, x, wide, tall)
    return Picture(look.size, tuple(marks), (), look.theme, "sunk", caption=said(trace, answer))


def said(trace: Trace, answer: Layer) -> str:
    """`4: 80.5 %`"""
    best = int(np.argmax(answer.output))
    label = trace.labels[best] if best < len(trace.labels) else str(best)
    return f"{label}: {numbers.percent(float(answer.output[best]))}"


def _grid(layer: Layer, tall: float) -> tuple[int, float, float, int]:
    """(tiles, cell, pitch, columns): whole pixels a value where there is room for that."""
    tiles, side = layer.shape[0], max(layer.shape[-2:])
    columns = 1 if tiles == 1 else 2 if tiles <= 6 else 3
    rows = -(-tiles // columns)
    room = min(tall / rows - GAP, 112.0 if tiles == 1 else 56.0)
    cell = max(1.0, float(int(room / side)))
    return tiles, cell, side * cell + GAP, columns


def _width(maps: Sequence[Layer], lines: Sequence[Layer], tall: float) -> float:
    found = 0.0
    for layer in maps:
        _, _, pitch, columns = _grid(layer, tall)
        found += columns * pitch - GAP + 36
    return found + 76 * len(lines)


def _edges(before: tuple[float, list[tuple[float, float]], float], x: float, here: list[tuple[float, float]],
           side: float) -> list[Mark]:
    """Pale lines from the right edges of a column to the left ones of the next."""
    start, left, tall = before
    ends = [y + side / 2 for at, y in here if at == here[0][0]]
    starts = [y + tall / 2 for _, y in left]
    pairs = zip(starts, ends, strict=True) if len(starts) == len(ends) > 1 else \
        ((one, other) for one in starts for other in ends)
    middle = (start + x) / 2
    curves: tuple[Points, ...] = tuple(((start + 2, one), (middle, one), (middle, other), (x - 2, other))
                                       for one, other in pairs)
    return [Path(curves, stroke="rule")]


def _answers(trace: Trace, answer: Layer, x: float, wide: float, tall: float) -> list[Mark]:
    """One bar a class, the winner in the accent."""
    count = answer.shape[0]
    pitch, best = tall / count, int(np.argmax(answer.output))
    marks: list[Mark] = []
    most = wide - x - 18 - 44
    for index, share in enumerate(answer.output.astype(float)):
        y, winner = index * pitch, index == best
        label = trace.labels[index] if index < len(trace.labels) else str(index)
        token = "accent-ink" if winner else "ink-2"
        marks += [Text(x, y + pitch / 2 + 4.5, plain(label), 12, 600 if winner else 400, token),
                  Rect(x + 18, y + pitch / 2 - 4, most, 8, "stage"),
                  Rect(x + 18, y + pitch / 2 - 4, max(1.0, most * share), 8, "accent" if winner else "ink-2")]
        if share >= 0.05:
            marks.append(Text(wide, y + pitch / 2 + 4.5, plain(numbers.percent(share, 0)), 12, 600 if winner else 400,
                              token, "end"))
    return [*marks, Text(x + 18, tall + 18, (Run(answer.name, mono=True),), 12, 400, "ink-2")]
