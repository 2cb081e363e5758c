"""All steps of a long sequence, none skipped, and the window that is cut out of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from visualizer.language import tr
from visualizer.said import said
from visualizer.scene import colour, numbers, steps
from visualizer.scene.parts import not_yet, polygon
from visualizer.scene.picture import Focus, Image, Line, Look, Mark, Path, Points, Rect, Text, plain
from visualizer.scene.reading import Reading, steps_said
from visualizer.trace import remembered
from visualizer.views.unrolled._columns import shades, state_scale
from visualizer.views.unrolled._plan import LEFT, Plan

MOST_ROWS = 32
DEEP = 12
"""Powers of ten that the axis reaches down."""
FLOOR = 10.0 ** -DEEP
"""Gradients are drawn down to this share of the largest one."""


def strip(plan: Plan, look: Look) -> tuple[list[Mark], list[Mark]]:
    """(still, moving): the states of all steps, the gradient of every step above them, and the window, fanned out."""
    assert plan.strip is not None
    (y, high), shown = plan.strip, plan.shown
    wide = plan.end - plan.x
    cell, name = wide / shown.total, LEFT - 16
    share = _steps_a_pixel(shown.steps, wide)
    of = shown.layer.name
    words = numbers.units(shown.units, said(str(shown.units), "how many units", of)) if share == 1 else \
        tr("up to {count} steps a pixel").format(count=share)
    marks: list[Mark] = [Text(name, y + high * 0.4,
                              plain(tr("all {count} steps").format(count=steps_said(shown))), 13, 600, "ink", "end"),
                         Text(name, y + high * 0.4 + 16, plain(words), 11, 400, "ink-2", "end")]
    ticks: list[Mark] = []
    every = 50 if shown.total <= 400 else 250 if shown.total <= 2000 else 1000
    for tick in sorted({1, *range(every, shown.total, every), shown.total}):
        if tick in (1, shown.total) or shown.total - tick > shown.total * 0.05:
            number = said(numbers.count(tick), "step with padding", of, step=tick - 1)
            ticks.append(Text(plan.x + (tick - 0.5) * cell, y + high + 17, plain(number), 11, 400, "ink-2", "middle"))
    touched = np.zeros((shown.steps, 1, 1), np.uint8)
    marks += [Image(plan.x, y, (cell, high), touched, "pixel", shown.steps, focus=Focus(shown.layer.name), opacity=0.0),
              Rect(plan.x, y, wide, high, "hatch", "tile-border")]
    return marks, [*_states(plan, y, high, cell, share), *_gradient(plan, y - 44, cell), *_window(plan, y, high, cell),
                   *ticks]  # over the fan of the window


def _window(plan: Plan, y: float, high: float, cell: float) -> list[Mark]:
    """The frame around the steps that are seen below, and its fan; around the one step where all are folded."""
    left, right = (plan.x + (plan.start + edge) * cell for edge in (0, plan.count))
    now = plan.x + max(0.0, plan.step - 1) * cell
    left, right = left + (now - left) * plan.moved, right + (now + cell - right) * plan.moved
    below, (folded, broad) = plan.inputs_y - 8, plan.cell_box(max(0.0, plan.step - 1))
    start, end = plan.x + (folded - plan.x) * plan.moved, plan.end + (folded + broad - plan.end) * plan.moved
    under = y + high + 5
    return [Rect(left - 2, y - 4, right - left + 4, high + 8, "", "accent", 2, radius=3),
            Path((polygon(((left, under), (start, below), (end, below), (right, under))),), fill="wedge", opacity=0.7)]


def _states(plan: Plan, y: float, high: float, cell: float, share: int) -> list[Mark]:
    """What was read so far, in the order of the rows below; it covers the hatching."""
    shown, track = plan.shown, plan.track
    rows = max(1, min(shown.units, MOST_ROWS))
    done = track.read.done
    if not len(done):
        return []
    entries = _entries(shown, track.order, -(-shown.units // rows), share)
    first, last = done.start // share, -(-done.stop // share)
    return [Image(plan.x + first * share * cell, y, (cell * share, high / len(entries)),
                  np.ascontiguousarray(entries[None, :, first:last]), "activation", border="",
                  scale=state_scale(shown))]


def _steps_a_pixel(steps: int, wide: float) -> int:
    """How many steps share a column of the strip, so that none is narrower than a pixel."""
    return max(1, int(np.ceil(steps / wide)))


@remembered(8)
def _entries(shown: Reading, order: tuple[int, ...], per_row: int, share: int) -> NDArray[np.uint8]:
    """(row, column) of the strip; where steps share a column, the value farthest from zero."""
    entries = shades(shown, order, per_row).T
    if share == 1:
        return entries
    grown = np.pad(entries, ((0, 0), (0, -entries.shape[1] % share)), mode="edge").reshape(len(entries), -1, share)
    far = np.abs(grown.astype(np.int16) - colour.ZERO).argmax(-1)
    return np.take_along_axis(grown, far[..., None], -1)[..., 0]


def _gradient(plan: Plan, y: float, cell: float) -> list[Mark]:
    """∥∂L/∂h_t∥ of every step to which it has come, on a log axis with its floor."""
    shown, norms = plan.shown, plan.shown.norms
    if norms is None or not norms.max() > 0:
        return []
    high, floor, came = 34, float(norms.max()) * FLOOR, plan.track.arrived.done
    marks: list[Mark] = [Text(LEFT - 16, y + 14, plain(tr("gradient")), 13, 600, "ink", "end"),
                         Text(LEFT - 16, y + 29, plain(tr("of every step, log")), 11, 400, "ink-2", "end")]
    for part in steps.missing(came, range(shown.steps)):
        marks += not_yet(plan.x + part.start * cell, y, len(part) * cell, high, tr("comes on the way back"))
    if not len(came):
        return marks
    left, right = plan.x + came.start * cell, plan.x + came.stop * cell
    points = tuple(point for point in _curve(shown, plan.x, cell, y, high) if left <= point[0] <= right)
    if len(points) > 1:
        marks.append(Line(points, "gradient-mark", 1.5))
    top = said(numbers.significant(float(norms.max()), 1), "largest norm of gradient of a step", shown.layer.name)
    marks += [Text(plan.end + 8, y + 6, plain(top), 11, 400, "ink-2"),
              Text(plan.end + 8, y + high, plain(steps.floor_said(shown, floor, DEEP)), 11, 400, "ink-2")]
    below = np.flatnonzero(norms[:shown.entered] < floor)
    below = below[(below >= came.start) & (below < came.stop)]
    if len(below) * cell > 60:
        first, last = int(below.min()), int(below.max())
        marks += not_yet(plan.x + first * cell, y, (last - first + 1) * cell, high,
                         tr("below {value}").format(value=steps.floor_said(shown, floor, DEEP)))
    return marks


@remembered(8)
def _curve(shown: Reading, x: float, cell: float, y: float, high: float) -> Points:
    """The points of the line, as far as they lie above the floor; where steps share a pixel, the largest of them."""
    norms = shown.norms
    assert norms is not None
    share = max(1, int(1 / cell))
    padded = np.pad(norms, (0, -len(norms) % share)).reshape(-1, share).max(axis=1)
    top = float(norms.max())
    known = np.flatnonzero(padded >= top * FLOOR)
    ys = y + high * np.log10(top / padded[known]) / -np.log10(FLOOR)
    xs = x + (known + 0.5) * share * cell
    return tuple(zip(xs.tolist(), ys.tolist(), strict=True))
