"""A card of the microscope: one number and its terms; and the small things all cards are drawn with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from visualizer.kinds import Taps, Terms
from visualizer.scene import numbers, parts
from visualizer.scene.grids import Ink
from visualizer.scene.picture import Focus, Image, Look, Mark, Rect, Text, plain
from visualizer.trace import Cell, Layer, Trace

MOST_COLUMNS = 6
LISTED = 11
NAMES = 136.0
"""Width at the right for the names of the rows."""


@dataclass(frozen=True, eq=False)
class Card:
    """One number and its terms."""

    layer: Layer
    cell: Cell
    value: float
    terms: tuple[tuple[str, Terms], ...]
    """(whose, terms): the layer's own forwards; one for each reader backwards."""
    sentence: str
    refusal: str = ""
    hands_on: bool = False
    """Backwards: show what it hands to its weights and inputs, rather than how it arrived."""


@dataclass(frozen=True)
class Frame:
    """The part of the picture a card may use."""

    x: float
    y: float
    width: float
    height: float
    look: Look
    phase: float
    counted: list[int] = field(default_factory=list, compare=False)
    """How many steps the card goes in: written by the card that is drawn in it."""

    @property
    def bottom(self) -> float:
        return self.y + self.height


def as_windows(taps: Taps) -> tuple[int, int, int] | None:
    """(channel, row, column) of taps that form windows; None where they do not."""
    grid = taps.grid
    if len(grid) == 3:
        channels, rows, columns = grid
    elif len(grid) == 2:
        channels, rows, columns = (grid[0], 1, grid[1]) if taps.cells.shape[1] == 2 else (1, *grid)
    elif len(grid) == 1 and taps.cells.shape[1] == 2 and grid[0] <= 16:
        channels, rows, columns = 1, 1, grid[0]
    else:
        return None
    if channels * rows * columns != len(taps.values) or (rows * columns == 1 and channels > 1) or rows * columns > 225:
        return None
    return channels, rows, columns


def source_tile(trace: Trace, taps: Taps, channel: int, grid: tuple[int, int, int], x: float, y: float,
                 look: Look) -> list[Mark]:
    """The map a window was cut from, with the window on it, and its name."""
    s = look.text_scale
    own = taps.cells.reshape(*grid, -1)[channel]
    source = trace[taps.source]
    marks: list[Mark] = []
    index = int(own[0, 0, 0]) if own.shape[-1] == 3 else 0
    side = 42 * s
    if source.has("row", "column") and own.shape[-1] >= 2:
        values = source.gradient if taps.array == "gradient" else source.output
        assert values is not None
        whole = values[index] if values.ndim == 3 else values
        shades, palette = shades_of(trace, source, taps.array == "gradient", look)
        tile = shades[index] if shades.ndim == 3 else shades
        pixel = side / max(whole.shape)
        marks.append(Image(x, y, (pixel, pixel), tile[None].copy(), palette, focus=Focus(source.name, (index,)),
                           indices=(-1,)))
        top, left = (int(value) for value in own.reshape(-1, own.shape[-1]).min(axis=0)[-2:])
        bottom, right = (int(value) for value in own.reshape(-1, own.shape[-1]).max(axis=0)[-2:])
        top, left = max(0, top), max(0, left)
        bottom, right = min(whole.shape[0] - 1, bottom), min(whole.shape[1] - 1, right)
        if bottom >= top and right >= left:
            marks.append(Rect(x + left * pixel, y + top * pixel, (right - left + 1) * pixel, (bottom - top + 1) * pixel,
                              "", "accent", 2))
    words = x + (side + 10 * s if marks else 0)
    marks.append(Text(words, y + 16 * s, plain(taps.source), 12 * s, 400, "ink-2", mono=True, max_width=86 * s))
    marks.append(Text(words, y + 33 * s, plain(f"{source.axes[0] if source.axes else ''} {index}"), 13 * s, 600,
                      max_width=86 * s))
    return marks


def in_unit(value: float, ink: Ink) -> str:
    return numbers.number(value / ink.unit, ink.digits)


def shades_of(trace: Trace, layer: Layer, gradient: bool, look: Look) -> tuple[NDArray[np.uint8], str]:
    return parts.entries(trace, layer, look, gradient)


def foci_of(taps: Taps, channel: int, grid: tuple[int, int, int]) -> Callable[[int, int], Focus | None]:
    """What a cell of a window answers when it is clicked: where its number was read from; padding nothing."""
    cells = taps.cells.reshape(*grid, -1)[channel]
    inside = None if taps.inside is None else taps.inside.reshape(grid)[channel]

    def focus(row: int, column: int) -> Focus | None:
        if inside is not None and not inside[row, column]:
            return None
        return Focus(taps.source, tuple(int(i) for i in cells[row, column]))

    return focus


def outlined_terms(known: int, place: int, grid: tuple[int, int, int], phase: float) -> list[tuple[int, int]]:
    """The term being added just now."""
    index = known - 1 - place * grid[1] * grid[2]
    if phase >= 1 or not 0 <= index < grid[1] * grid[2]:
        return []
    return [divmod(index, grid[2])]


def known_steps(frame: Frame, count: int) -> int:
    """How many of so many steps are done."""
    frame.counted[:] = [count]
    return int(np.floor(frame.phase * count + 1e-9))


def largest(values: NDArray[np.float64]) -> float:
    known = np.abs(values[np.isfinite(values)])
    return float(known.max()) if known.size else 0.0
