"""The right of the view: the point, the layers that grow out of it column by column, and the picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.language import tr
from visualizer.said import lengths, said
from visualizer.scene import colour, numbers, parts
from visualizer.scene.boxes import Box, descending
from visualizer.scene.picture import Focus, Image, Line, Look, Mark, Rect, Run, Scale, Text, plain
from visualizer.scene.timeline import Moment
from visualizer.trace import Layer, Trace
from visualizer.views.generate._made import BESIDE, RESHAPED, Aim, Made, came, computed
from visualizer.views.generate._plane import name, outline

MOST_STAGES, MOST_TILES, MOST_CELLS = 4, 16, 64
"""So many columns between point and picture, and so many maps and cells in one."""
HEAD = 34.0
"""Height of the name and the shape over a column."""
POINT = 58.0
"""Width of the column of the point."""


@dataclass(frozen=True, eq=False)
class Stage:
    """One column: layers of as many numbers, and where their tiles stand."""

    layers: tuple[Layer, ...]
    shape: tuple[int, ...]
    """In which all of them are drawn: that of the last."""
    x: float
    top: float
    cell: float
    pitch: tuple[float, float]
    across: int
    shown: tuple[int, ...]

    @property
    def wide(self) -> float:
        return (self.across - 1) * self.pitch[0] + self.tile[0]

    @property
    def tile(self) -> tuple[float, float]:
        rows, columns = (1, 1) if len(self.shape) == 1 else self.shape[-2:]
        return columns * self.cell, rows * self.cell

    def corner(self, place: int) -> tuple[float, float]:
        """The left upper corner of the tile at a place."""
        return self.x + place % self.across * self.pitch[0], self.top + place // self.across * self.pitch[1]


def growing(trace: Trace, made: Made, moment: Moment, box: Box, aim: Aim | None,
            look: Look) -> tuple[list[Mark], list[Mark]]:
    """(still, moving): the columns, the picture, and under it what it becomes if one number moves."""
    rows, columns = made.picture.shape[-2:]
    body = Box(box.left, box.top + (HEAD if look.mode.notes else 4), box.right, box.bottom)
    strip = 96.0 if look.mode.charts and body.height > 300 else 0.0
    before = _logits(made)
    top = 0.26 if before is not None and body.height > 300 else 0.0
    most = min(0.42 * box.width, (body.height - strip) * (1 - top) - 26)
    cell = next((each for each in descending(most / max(rows, columns), look.pixel)), most / max(rows, columns))
    wide = cell * columns
    right = Box(box.right - wide - (44 if look.mode.notes else 4), body.top, box.right, body.bottom)
    still: list[Mark] = []
    moving: list[Mark] = []
    point = Box(box.left, body.top, box.left + POINT, body.bottom)
    marks, ends = _point(trace, made, moment, point, look)
    still += _head(made.z, point.left, box.top, look)
    moving += marks
    stages = _stages(made, Box(point.right + 22, body.top, right.left - 26, body.bottom), look)
    for stage in stages:
        still += _head(stage.layers[0], stage.x, box.top, look, stage.layers[-1])
        moving += _stage(trace, stage, moment, look)
    if stages and not moment.backward and computed(trace, moment, stages[0].layers[0]) > 0:
        first = stages[0]
        high = first.corner(len(first.shown) - 1)[1] + first.tile[1]
        moving = [Line(((ends[0], ends[1]), (first.x - 3, first.top)), "rule", 1),
                  Line(((ends[0], ends[2]), (first.x - 3, high)), "rule", 1), *moving]
    y = right.top
    if before is not None and top:
        small = next(iter(descending((body.height - strip) * top / rows - 0.6, look.pixel)), 1.0)
        marks, high = _before(trace, made, before, moment, right, small, aim, look)
        moving += marks
        y += high
    still_, marks, place = _picture(trace, made, moment, Box(right.left, y, right.right, right.bottom), cell, aim, look)
    still, moving = still + still_, moving + marks
    if aim is not None and stages and not moment.backward and before is not None \
            and computed(trace, moment, before) == 1:
        moving += _window(trace, made, stages[-1], aim, place, cell, look)
    y = place[1] + cell * rows
    if strip and aim is not None:
        below = Box(right.left, max(y + 24, body.bottom - strip), right.right, body.bottom)
        moving += _strip(trace, made, moment, below, aim, look)
    return still, moving


def _logits(made: Made) -> Layer | None:
    """What the picture was before its last curve."""
    last = made.stages[-1]
    found = last[last.index(made.picture) - 1] if made.picture in last and last.index(made.picture) else None
    return found if found is not None and found.shape == made.picture.shape and kinds.curve(made.picture) else None


def _head(layer: Layer, x: float, y: float, look: Look, last: Layer | None = None) -> list[Mark]:
    """The name of a column, and its shape."""
    if not look.mode.notes:
        return []
    return [Text(x, y + 12, plain(layer.name if last is not None else tr("point")), 12.5, 600, mono=last is not None,
                 max_width=86),
            Text(x, y + 27, plain(lengths(last or layer)), 11, 400, "ink-2")]


# --- the point --------------------------------------------------------------------------------------------------------

def _point(trace: Trace, made: Made, moment: Moment, box: Box, look: Look) -> tuple[list[Mark],
                                                                                     tuple[float, float, float]]:
    """Its numbers, one below the other; on the way back their gradients; and where the lines to the next column begin.
    """
    count = len(made.point)
    high = min(30.0, (box.height - 40) / count)
    axes = made.axes(look)
    known, back = computed(trace, moment, made.z) == 1, moment.backward
    values = made.z.gradient if back else made.z.output
    there = (came(trace, moment, made.z) == 1) if back else known
    y = box.top + max(0.0, (box.height - count * high) / 2)
    marks: list[Mark] = []
    if not made.given and look.mode.notes and y - box.top > 74:
        marks += _shown(trace, box.left, box.top, look)
    shades, palette = (None, "") if values is None else parts.entries(trace, made.z, look, back)
    ends = box.left + 18 + 40, y, y + count * high
    for axis in range(count):
        top = y + axis * high
        if count <= 16:
            marks.append(Text(box.left + 14, top + high / 2 + 4, (name(axis),), 12, 600 if axis in axes else 400,
                              "ink" if axis in axes or count == 2 else "ink-2", "end"))
        if not there or shades is None:
            marks.append(Rect(box.left + 18, top + 1, 40, high - 3, "hatch", "tile-border", focus=Focus(made.z.name,
                                                                                                       (axis,))))
            continue
        pale = f"{palette}-pale:{int(shades[axis])}" if palette == "activation" else f"{palette}:{int(shades[axis])}"
        marks.append(Rect(box.left + 18, top + 1, 40, high - 3, pale, "tile-border", focus=Focus(made.z.name, (axis,)),
                          scale=parts.scale_of(trace, made.z, look, back)))
        if high >= 16:
            value = float(values[axis])  # type: ignore[index]
            words = numbers.brief(value, 3, plus=True) if back else numbers.brief(value)
            ink = colour.ink_on(pale, look.theme) if palette != "activation" else "ink"
            marks.append(Text(box.left + 38, top + high / 2 + 4,
                              plain(said(words, "gradient" if back else "value", made.z.name, (axis,))),
                              12 if len(words) < 6 else 11, 600, ink, "middle"))
    if known and not back and made.region is not None and look.mode.notes and count == 2:
        marks += _region(made, box.left, ends[2] + 14)
    return marks, ends


def _shown(trace: Trace, x: float, y: float, look: Look) -> list[Mark]:
    """The picture of which the point is, small."""
    given = trace.layers[0]
    if given.axes[-2:] != ("row", "column") or given.shape[0] not in (1, 3) or given.output.ndim != 3:
        return []
    shades = colour.unit(given.output, *colour.reach(given.output))
    cell = max(look.pixel, math.floor(56 / max(given.shape[-2:]) / look.pixel) * look.pixel)
    tiles = np.moveaxis(shades, 0, -1)[None] if len(shades) == 3 else shades
    return [Image(x, y, (cell, cell), np.ascontiguousarray(tiles), "pixel", border="tile-border",
                  focus=Focus(given.name), indices=() if len(shades) == 1 else (-1,),
                  scale=parts.scale_of(trace, given, look, False)),
            Text(x, y + cell * given.shape[-2] + 13, plain(tr("given")), 11, 400, "ink-2")]


def _region(made: Made, x: float, y: float) -> list[Mark]:
    """Where the point comes from: the middle of the region and how wide it is; where it was drawn by chance with what.
    """
    assert made.region is not None
    mean, spread = made.region
    marks: list[Mark] = []
    drawn = made.z.name != mean.name
    for axis in range(len(made.point)):
        wide = float(np.exp(np.float64(spread.output[axis]) / 2))
        sigma = said(numbers.significant(wide, 2), "width of a region", spread.name, (axis,))
        if drawn:
            middle = said(numbers.number(float(mean.output[axis])), "value", mean.name, (axis,))
            chance = (float(made.point[axis]) - float(mean.output[axis])) / wide
            noise = said(numbers.signed(chance, 1), "noise of a point", made.z.name, (axis,))
            lines = [f"μ {middle}", f"σ {sigma}", f"ε {noise}"]
        else:
            lines = [f"σ {sigma}"]
        for words in lines:
            head = (name(axis), Run(" ")) if words is lines[0] else (Run("    "),)
            marks.append(Text(x, y, (*head, Run(words)), 11, 400, "ink-2"))
            y += 13
    return marks


# --- the columns ------------------------------------------------------------------------------------------------------

def _stages(made: Made, box: Box, look: Look) -> list[Stage]:
    """The columns between the point and the picture, evenly over the width; of many the last."""
    between = [stage for stage in made.stages[1:] if made.picture not in stage]
    between = [stage for stage in between if stage[-1].output.ndim in (1, 3)][-MOST_STAGES:]
    if not between or box.width < 40:
        return []
    laid = [_laid(stage, box.height, look) for stage in between]
    total = sum(stage.wide for stage in laid)
    while len(laid) > 1 and total > box.width - 14 * (len(laid) - 1):
        laid.pop(0)
        total = sum(stage.wide for stage in laid)
    gap = (box.width - total) / max(1, len(laid) - 1) if len(laid) > 1 else 0
    gap = min(gap, 76.0)
    x = box.left + max(0.0, (box.width - total - gap * (len(laid) - 1)) / 2)
    placed = []
    for stage in laid:
        high = stage.corner(len(stage.shown) - 1)[1] - stage.top + stage.tile[1]
        placed.append(Stage(stage.layers, stage.shape, x, box.top + (box.height - high) / 2, stage.cell, stage.pitch,
                            stage.across, stage.shown))
        x += stage.wide + gap
    return placed


def _laid(layers: tuple[Layer, ...], room: float, look: Look) -> Stage:
    """How the tiles of a column stand, at the left upper corner."""
    shape = layers[-1].shape
    if len(shape) == 1:
        shown = tuple(range(min(shape[0], MOST_CELLS)))
        across = 1 if len(shown) <= 32 else 2
        down = -(-len(shown) // across)
        cell = next(iter(descending(min(14.0, room / down - 1), look.pixel)), look.pixel)
        return Stage(layers, shape, 0, 0, cell, (cell + 1, min(room / down, cell + 1)), across, shown)
    count, rows, columns = shape
    shown = tuple(range(min(count, MOST_TILES if max(rows, columns) > 10 else 2 * MOST_TILES)))
    across = 1 if len(shown) <= MOST_TILES else 2
    down = -(-len(shown) // across)
    most = min(room / down - 4, 60.0)
    cell = next(iter(descending(most / max(rows, columns), look.pixel)), look.pixel)
    if cell * rows + 2 > room / down:
        shown = shown[:max(1, int(room // (cell * rows + 4))) * across]
        down = -(-len(shown) // across)
    pitch = min(room / down, cell * rows + 16)
    return Stage(layers, shape, 0, 0, cell, (cell * columns + 5, pitch), across, shown)


def _in_shape(stage: Stage, layer: Layer, values: NDArray[np.generic]) -> NDArray[np.generic] | None:
    """The numbers of a layer as the column draws them; None where they are in another order in between."""
    if layer.shape == stage.shape:
        return values
    after = stage.layers[stage.layers.index(layer) + 1:]
    moved = [later for later, before in zip(after, (layer, *after), strict=False) if later.shape != before.shape]
    return values.reshape(stage.shape) if all(later.kind in RESHAPED for later in moved) else None


def _stage(trace: Trace, stage: Stage, moment: Moment, look: Look) -> list[Mark]:
    """What of a column is there: of the layers in it the last that has come, and over it as much as has come of the
    next; where none has, hatched."""
    back = moment.backward
    order = stage.layers if not back else stage.layers[::-1]
    marks: list[Mark] = []
    whole: Layer | None = None
    for layer in order:
        share = came(trace, moment, layer) if back else computed(trace, moment, layer)
        if share == 1:
            whole = layer
        else:
            base = _tiles(trace, stage, whole, look, back, 1.0) if whole is not None else _hatched(stage)
            return [*base, *(_tiles(trace, stage, layer, look, back, share) if share > 0 else [])]
    marks += _tiles(trace, stage, whole, look, back, 1.0) if whole is not None else _hatched(stage)
    if stage.shape[0] > len(stage.shown) and look.mode.notes:
        y = stage.corner(len(stage.shown) - 1)[1] + stage.tile[1] + 13
        words = tr("{shown} of {count}").format(
            shown=said(str(len(stage.shown)), "maps of a column shown", stage.layers[-1].name, (len(stage.shown),)),
            count=said(numbers.count(stage.shape[0]), "length of axis", stage.layers[-1].name, (0,)))
        marks.append(Text(stage.x, y, plain(words), 11, 400, "ink-2"))
    return marks


def _tiles(trace: Trace, stage: Stage, layer: Layer, look: Look, back: bool, share: float) -> list[Mark]:
    values = layer.gradient if back else layer.output
    shaped = None if values is None else _in_shape(stage, layer, values)
    if values is None or shaped is None:
        return _hatched(stage)
    shades, palette = parts.entries_of(trace, layer, look, back, values)
    tiles = np.asarray(shades).reshape(stage.shape)
    tiles = tiles[list(stage.shown)]
    shown = stage.shown
    if len(stage.shape) == 1:
        kept = max(1, math.ceil(len(tiles) * share))
        tiles, shown, share = tiles[:kept, None, None], shown[:kept], 1.0
    folds = None if layer.shape == stage.shape else (stage.shape, layer.shape)
    return [Image(stage.x, stage.top, (stage.cell, stage.cell), np.ascontiguousarray(tiles), palette, stage.across,
                  stage.pitch, focus=Focus(layer.name), indices=shown, rows_shown=share, folds=folds,
                  scale=parts.scale_of(trace, layer, look, back))]


def _hatched(stage: Stage) -> list[Mark]:
    last = stage.layers[-1].name
    return [Rect(*stage.corner(place), *stage.tile, "hatch", "tile-border", focus=Focus(last, (index,)))
            for place, index in enumerate(stage.shown)]


# --- the picture ------------------------------------------------------------------------------------------------------

def _before(trace: Trace, made: Made, layer: Layer, moment: Moment, box: Box, cell: float, aim: Aim | None,
            look: Look) -> tuple[list[Mark], float]:
    """(marks, height): the picture before its last curve, with its range, and what stands at the pixel."""
    rows, columns = layer.shape[-2:]
    high = 18 + cell * rows + 12
    curve = kinds.curve(made.picture)
    head = tr("before the {curve}").format(curve=made.picture.kind if curve is None else curve.name)
    marks: list[Mark] = [Text(box.left, box.top + 11, plain(head), 12, 500, "ink-2", max_width=box.width)]
    marks += _map(trace, layer, moment, box.left, box.top + 18, cell, look)
    there = computed(trace, moment, layer) == 1 and not moment.backward
    x = box.left + cell * columns + 10
    if there and look.mode.notes and box.right - x > 80 and cell * rows >= 30:
        values = layer.output
        marks += [Text(x, box.top + 30, plain(tr("from {low}").format(low=said(
                      numbers.number(float(values.min()), 1), "smallest", layer.name))), 12, 400, "ink-2"),
                  Text(x, box.top + 46, plain(tr("to {high}").format(high=said(
                      numbers.number(float(values.max()), 1), "largest", layer.name))), 12, 400, "ink-2")]
        if aim is not None and high > 88:
            marks += [Text(x, box.top + 68, plain(tr("at the pixel")), 12, 400, "ink-2"),
                      Text(x, box.top + 84, plain(said(numbers.number(float(values[aim.cell])), "value", layer.name,
                                                       aim.cell)), 12.5, 600)]
    if aim is not None and there:
        marks += outline(box.left + aim.cell[-1] * cell, box.top + 18 + aim.cell[-2] * cell, cell)
    return marks, high


def _map(trace: Trace, layer: Layer, moment: Moment, x: float, y: float, cell: float, look: Look,
         span: tuple[float, float] | None = None) -> list[Mark]:
    """One layer of the last column as one picture, as far as it has come; with a `span` in the colours of pixels."""
    back = moment.backward
    share = came(trace, moment, layer) if back else computed(trace, moment, layer)
    rows, columns = layer.shape[-2:]
    values = layer.gradient if back else layer.output
    marks: list[Mark] = []
    if share < 1 or values is None:
        marks.append(Rect(x, y, columns * cell, rows * cell, "hatch", "tile-border", focus=Focus(layer.name)))
    if share <= 0 or values is None:
        return marks
    scale = parts.scale_of(trace, layer, look, back)
    if span is not None and not back:
        shades, palette = colour.unit(values, *span), "pixel"
        scale = Scale("pixel", "pixels", layer.name, *span)
    else:
        shades, palette = parts.entries(trace, layer, look, back)
    stack = np.asarray(shades).reshape(-1, rows, columns)
    if len(stack) == 3:
        stack = np.moveaxis(stack, 0, -1)[None] if palette == "pixel" else stack.max(0, keepdims=True)
    marks.append(Image(x, y, (cell, cell), np.ascontiguousarray(stack[:1]), palette, focus=Focus(layer.name),
                       indices=(0,) if layer.output.ndim == 3 and layer.shape[0] == 1 else (-1,), rows_shown=share,
                       scale=scale))
    return marks


def _picture(trace: Trace, made: Made, moment: Moment, box: Box, cell: float, aim: Aim | None,
             look: Look) -> tuple[list[Mark], list[Mark], tuple[float, float]]:
    """(still, moving, left upper corner) of the picture."""
    layer = made.picture
    low, high = made.span
    back = moment.backward
    still: list[Mark] = []
    head = tr("gradient of the picture") if back else tr("picture")
    if look.mode.notes:
        still.append(Text(box.left, box.top + 12, plain(head), 12.5, 600, "gradient-text" if back else "ink"))
    top = box.top + (18 if look.mode.notes else 4)
    marks = _map(trace, layer, moment, box.left, top, cell, look, (low, high))
    wide = cell * layer.shape[-1]
    if aim is not None and not back and computed(trace, moment, layer) == 1:
        x, y = box.left + aim.cell[-1] * cell, top + aim.cell[-2] * cell
        marks += outline(x, y, cell)
        if look.mode.notes:
            value = said(numbers.number(float(layer.output[aim.cell])), "value", layer.name, aim.cell)
            at = min(max(y + 4, top + 26), top + cell * layer.shape[-2] - 4)
            marks += [Text(box.left + wide + 7, at - 15, plain(tr("pixel")), 11, 400, "ink-2"),
                      Text(box.left + wide + 7, at, plain(value), 12.5, 600, "accent-ink")]
    return still, marks, (box.left, top)


def _window(trace: Trace, made: Made, stage: Stage, aim: Aim, place: tuple[float, float], cell: float,
            look: Look) -> list[Mark]:
    """Which places of the maps before make the pixel, and with what: lines as thick as what each map adds."""
    before = _logits(made)
    if before is None or len(stage.shape) != 3:
        return []
    try:
        terms = kinds.terms(trace, before.name, aim.cell)
    except (LookupError, IndexError):
        return []
    taps = next((taps for taps in terms.taps if taps.source in {layer.name for layer in stage.layers}
                 and taps.cells.shape[1] == 3), None)
    if taps is None:
        return []
    inside = np.ones(len(taps.cells), bool) if taps.inside is None else taps.inside
    sums = {index: float(taps.products[(taps.cells[:, 0] == index) & inside].sum()) for index in stage.shown}
    most = max(map(abs, sums.values()), default=0.0)
    if not most:
        return []
    end = place[0] - 4, place[1] + (aim.cell[-2] + 0.5) * cell
    marks: list[Mark] = []
    for number, index in enumerate(stage.shown):
        cells = taps.cells[(taps.cells[:, 0] == index) & inside]
        if not len(cells):
            continue
        x, y = stage.corner(number)
        (r0, c0), (r1, c1) = cells[:, 1:].min(0), cells[:, 1:].max(0) + 1
        marks.append(Rect(x + c0 * stage.cell, y + r0 * stage.cell, (c1 - c0) * stage.cell, (r1 - r0) * stage.cell, "",
                          "accent", 1.5))
        start = x + stage.tile[0] + 3, y + stage.tile[1] / 2
        thick = 4 * abs(sums[index]) / most
        if thick >= 0.25:
            mid = (start[0] + end[0]) / 2
            steps = [(t, (1 - t) ** 3 * start[1] + 3 * (1 - t) ** 2 * t * start[1] + 3 * (1 - t) * t * t * end[1]
                      + t ** 3 * end[1]) for t in np.linspace(0, 1, 13).tolist()]
            points = tuple(((1 - t) ** 3 * start[0] + 3 * (1 - t) ** 2 * t * mid + 3 * (1 - t) * t * t * mid
                            + t ** 3 * end[0], y_) for t, y_ in steps)
            marks.append(Line(points, "positive-bar" if sums[index] > 0 else "negative-bar", thick, opacity=0.6))
    return marks


def _strip(trace: Trace, made: Made, moment: Moment, box: Box, aim: Aim, look: Look) -> list[Mark]:
    """The picture if one number were less or more by a half: three pictures side by side."""
    beside = made.study.get("beside")
    if beside is None or moment.backward or computed(trace, moment, made.picture) < 1:
        return []
    rows, columns = made.picture.shape[-2:]
    most = min((box.width - 12) / 3 / columns, (box.height - 40) / rows)
    cell = next(iter(descending(most, look.pixel)), 0.0)
    if cell * rows < 28 or cell > most + 1e-9:
        return []
    less, half, more = (said(write(value, 1), "factor", array=repr(value)) for write, value in (
        (numbers.signed, -BESIDE), (numbers.number, BESIDE), (numbers.signed, BESIDE)))
    before, _, after = tr("If | moves by ±{half}").partition("|")
    marks: list[Mark] = [Text(box.left, box.top + 11, (Run(before), name(aim.axis), Run(after.format(half=half))), 12.5,
                              600, max_width=box.width)]
    for place, (values, words) in enumerate(((beside[aim.axis, 0], less), (made.picture.output, tr("now")),
                                             (beside[aim.axis, 1], more))):
        shades = colour.unit(values, *made.span).reshape(-1, rows, columns)
        stack = np.moveaxis(shades, 0, -1)[None] if len(shades) == 3 else shades[:1]
        x = box.left + place * (cell * columns + 6)
        marks += [Image(x, box.top + 18, (cell, cell), np.ascontiguousarray(stack), "pixel", border="tile-border",
                        scale=Scale("pixel", "pixels", made.picture.name, *made.span)),
                  Text(x + cell * columns / 2, box.top + 18 + cell * rows + 13, plain(words), 11,
                       600 if place == 1 else 400, "accent-ink" if place == 1 else "ink-2", "middle")]
    return marks


