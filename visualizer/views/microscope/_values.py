"""The slide of a number without terms: what was fed in, what no kind explains, where no gradient came."""

from __future__ import annotations

import numpy as np

from visualizer.language import english, tr
from visualizer.said import Claim
from visualizer.said import said as claimed
from visualizer.scene.grids import Ink, number_grid, outline
from visualizer.scene.picture import Focus, Group, Mark, Rect, Text, grouped, plain
from visualizer.scene.type import wrap
from visualizer.trace import Trace
from visualizer.views.microscope._maps import TITLE, marked, one_map
from visualizer.views.microscope._slide import Area, Laid, Slide, about, largest, said

NEIGHBOURS = Group(english("its neighbours"), cells=True)
REACH = 3
"""How many neighbours are printed on each side of a pixel."""


def value_slide(trace: Trace, slide: Slide, frame: Area) -> Laid:
    """The number as recorded, on its map and among its neighbours, and why it is not taken apart."""
    layer = slide.layer
    gradient = slide.backward and layer.gradient is not None
    known = layer.is_input or gradient or not slide.backward
    y = frame.y
    marks: list[Mark] = []
    if not layer.is_input:
        drawn, y = _reason(slide, frame)
        marks += drawn
    values = layer.gradient if gradient else layer.output
    assert values is not None
    if not known:
        return Laid(tuple(marks))
    side = min(frame.width * 0.52, frame.bottom - y - (TITLE + 16), 640)
    title = tr("what was fed in") if layer.is_input and not slide.backward else tr("the map it stands in")
    there = layer.is_input or slide.made
    drawn, wide = one_map(trace, marked(layer, slide.cell, title, slide.backward, there), frame, frame.x, y, side)
    marks += drawn
    x = frame.x + max(wide, 120) + 56
    marks += [Text(x, y + 10, plain(tr("its value") if not slide.backward else tr("its gradient")), 12, 400, "ink-2")]
    pieces = 0 if layer.is_input else 1
    if not there:
        marks.append(Rect(x, y + TITLE, 120, 40, "hatch", radius=3, focus=about(slide)))
        return Laid(tuple(marks), pieces)
    missing = slide.backward and layer.gradient is None
    marks += [Text(x, y + TITLE + 34, plain("–" if missing else claimed(said(slide.value, slide.backward), (
        "gradient" if slide.backward else "value"), layer.name, slide.cell)), 44, 600,
                   "gradient-text" if slide.backward else "accent-ink", display=True, max_width=frame.right - x)]
    if layer.output.ndim >= 2:
        marks += _neighbours(slide, np.asarray(values, np.float64), frame, x, y + TITLE + 72)
    return Laid(tuple(marks), pieces)


def _reason(slide: Slide, frame: Area) -> tuple[list[Mark], float]:
    """A hatched band that says that nothing can be taken apart here, and why."""
    title = tr("unexplained") if slide.layer.unexplained else tr("not taken apart")
    lines = wrap(plain(f"{(slide.refusal or tr('no terms are known')).rstrip('.')}."), 14, frame.width - 210)[:3]
    high = 24 + 21 * max(1, len(lines))
    marks: list[Mark] = [Rect(frame.x, frame.y, frame.width, high, "hatch", "hair", inside=True, radius=10),
                         Rect(frame.x + 12, frame.y + 8, frame.width - 24, high - 16, "stage",
                              radius=6),
                         Text(frame.x + 24, frame.y + 27, plain(title), 14, 600)]
    marks += [Text(frame.x + 180, frame.y + 27 + 21 * index, line, 14, 400, "ink-2")
              for index, line in enumerate(lines)]
    return marks, frame.y + high + 28


def _neighbours(slide: Slide, values: np.ndarray, frame: Area, x: float, y: float) -> list[Mark]:
    """The numbers around a pixel; what lies beyond the edge is hatched."""
    own = values[slide.cell[:-2]]
    row, column = slide.cell[-2:]
    size = 2 * REACH + 1
    cell = (min(66, (frame.right - x) / size), min(48, (frame.bottom - y - 30) / size))
    if cell[0] < 30 or cell[1] < 18:
        return []
    window, inside = np.zeros((size, size)), np.zeros((size, size), bool)
    for i in range(size):
        for j in range(size):
            r, c = row + i - REACH, column + j - REACH
            if 0 <= r < own.shape[0] and 0 <= c < own.shape[1]:
                window[i, j], inside[i, j] = own[r, c], True
    top = largest(values) or 1.0
    ink = Ink("gradient", top, True, 3, of=slide.layer.name) if slide.backward else \
        Ink("activation", top, of=slide.layer.name)

    def focus(i: int, j: int) -> Focus | None:
        at = (*slide.cell[:-2], row + i - REACH, column + j - REACH)
        return Focus(slide.layer.name, at) if inside[i, j] else None

    def claim(i: int, j: int) -> Claim:
        return ("gradient" if slide.backward else "value", slide.layer.name,
                (*slide.cell[:-2], row + i - REACH, column + j - REACH), None, "")

    def index(axis: int, at: int) -> str:
        cell = (*slide.cell[:-2], *((at,) if axis == 0 else (row, at)))
        return claimed(str(at), "index", slide.layer.name, cell)

    words = tr("and its neighbours, rows {top} to {bottom}, columns {left} to {right}").format(
        top=index(0, max(0, row - REACH)), bottom=index(0, min(own.shape[0] - 1, row + REACH)),
        left=index(1, max(0, column - REACH)), right=index(1, min(own.shape[1] - 1, column + REACH)))
    return grouped(NEIGHBOURS, [
            Text(x, y, plain(words), 12, 400, "ink-2", max_width=frame.right - x),
            *number_grid(x, y + 12, cell, window, ink, frame.look, known=inside, foci=focus, claims=claim),
            outline(x, y + 12, cell, REACH, REACH, 3),
            Text(x, y + 12 + 20 + cell[1] * size, plain(ink.range), 12, 400, "ink-2")])
