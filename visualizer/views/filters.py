"""Filters: every weight of one layer as the pictures it looks for; on the way back the gradient of each weight."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.scene import colour, numbers, parts
from visualizer.scene.columns import lanes_height
from visualizer.scene.picture import Focus, Image, Look, Mark, Path, Picture, Points, Rect, Table, Text, plain, unmarked
from visualizer.scene.timeline import Moment, timeline
from visualizer.trace import Layer, Trace
from visualizer.views import View

TOP = 120.0


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """The kernels of the beat's layer; where it has none, those of the nearest layer before that has."""
    layer, times = _with_weights(trace, moment.beat.layer), timeline(trace)
    said = _sentence(trace, layer, moment)
    before, share = parts.crossing(moment, times)
    older = _with_weights(trace, before.beat.layer)
    if (older, before.backward) == (layer, moment.backward):
        share = 1.0
    body = parts.faded(_sheet_marks(trace, older, before.backward, focus, look), 1 - share)
    body += parts.faded(_sheet_marks(trace, layer, moment.backward, focus, look), share)
    lane_still, lane_moving = parts.lanes(trace, times, moment, look, parts.even_places(trace, look))
    still = (*parts.sentence(look, said), *lane_still)
    settled = share == 1
    return Picture(look.size, (*still, *body) if settled else still,
                   tuple(lane_moving) if settled else (*body, *lane_moving), look.theme, caption=unmarked(said),
                   table=_table(layer, moment.backward))


@dataclass(frozen=True, eq=False)
class Sheet:
    """Weights laid out for the eye."""

    values: NDArray[np.floating]
    """(row of the sheet, column of the sheet, row, column)."""
    across: str
    """What the columns of the sheet are."""
    down: str
    linear: bool = False


def _with_weights(trace: Trace, name: str) -> Layer | None:
    names = [layer.name for layer in trace.layers]
    for layer in reversed(trace.layers[:names.index(name) + 1]):
        if _sheet(trace, layer, False) is not None:
            return layer
    return next((layer for layer in trace.layers if _sheet(trace, layer, False) is not None), None)


def _sheet(trace: Trace, layer: Layer, backward: bool) -> Sheet | None:
    """Kernels (output, input, row, column); the rows of a dense layer as maps, where its input was flattened maps."""
    weight = (layer.weight_gradients if backward else layer.weights).get("weight")
    if weight is None or weight.ndim < 2:
        return None
    if weight.ndim == 3:
        return Sheet(weight[:, :, None, :], "input channel", "output channel")
    if weight.ndim == 4:
        return Sheet(weight, "input channel", "output channel")
    maps = _flattened_maps(trace, layer)
    if maps is not None and int(np.prod(maps)) == weight.shape[1]:
        shaped = weight.reshape(len(weight), *((1,) * (3 - len(maps))), *maps)
        return Sheet(shaped, "input channel", "unit", linear=True)
    return Sheet(weight[None, None], "input unit", "unit", linear=True)


def _flattened_maps(trace: Trace, layer: Layer) -> tuple[int, ...] | None:
    """Shape of the maps a dense layer reads through a flatten."""
    source = trace.inputs(layer)[0] if layer.reads else None
    while source is not None and source.reads:
        kind = kinds.of(source)
        if kind is None or not kind.moves_only:
            break
        source = trace.inputs(source)[0]
    return source.shape if source is not None and source.has("row", "column") and source.output.ndim in (2, 3) else None


def _sheet_marks(trace: Trace, layer: Layer | None, backward: bool, focus: Focus | None, look: Look) -> list[Mark]:
    if layer is None:
        return []
    s = look.text_scale
    sheet = _sheet(trace, layer, backward)
    words = Text(24 * s, 84 * s, plain(layer.name), 13 * s, 600, "accent-ink", mono=True)
    weights = layer.weights["weight"]
    title = "∂L/∂w" if backward else "weights"
    shape = Text(24 * s, 101 * s, plain(f"{numbers.shape(weights.shape)} {title}"), 12 * s, 400, "ink-2")
    if sheet is None:
        return [words, shape, Text(24 * s, 140 * s, plain("No gradient reached these weights."), 14 * s, 500, "ink")]
    largest = float(np.max(np.abs(sheet.values))) or 1.0
    if backward:
        shades, palette = colour.magnitude(sheet.values, largest * parts.FLOOR, largest), "gradient"
    else:
        shades, palette = colour.signed(sheet.values, largest), "weight"
    plan = _Plan.of(sheet, look, s)
    marks: list[Mark] = [words, shape]
    down, across, rows, columns = sheet.values.shape
    grouped = across <= plan.across and not sheet.linear
    for place in range(plan.tiles // across if grouped else 0):  # a row of the sheet is one output channel's kernels
        x, y = plan.origin(place * across)
        marks.append(Image(x, y, (plan.cell, plan.cell), shades[place].copy(), palette, across, plan.pitch,
                           focus=Focus(layer.name, (place,), "weight")))
        if plan.pitch[1] >= 14 * s:
            middle = y + plan.cell * rows / 2 + 4 * s
            marks.append(Text(x - 8 * s, middle, plain(str(place)), 11 * s, 400, "ink-2", "end"))
    if not grouped:
        stack = shades.reshape(down * across, rows, columns)[:plan.tiles]
        marks.append(Image(*plan.origin(0), (plan.cell, plan.cell), stack.copy(), palette, plan.across, plan.pitch,
                           focus=Focus(layer.name, (), "weight"), indices=(-1,) if len(stack) == 1 else ()))
    if plan.cell >= 6:
        marks += _signs(sheet, plan, shades, palette, look)
    if focus is not None and focus.layer == layer.name and focus.cell and grouped and focus.cell[0] < down:
        x, y = plan.origin(focus.cell[0] * across)
        wide = plan.pitch[0] * (across - 1) + plan.cell * columns
        marks.append(Rect(x - 4, y - 4, wide + 8, plan.cell * rows + 8, "", "accent", 2, radius=4))
    y = look.size[1] - lanes_height(look) - 38 * s
    if backward:
        marks += parts.legend(24 * s, y, 168 * s, look, "gradient", f"Size of ∂L/∂w in {layer.name}, log",
                              numbers.significant(largest * parts.FLOOR, 1), "", numbers.significant(largest, 2))
    else:
        marks += parts.legend(24 * s, y, 168 * s, look, "weight", f"Weights, one scale for all of {layer.name}",
                              numbers.number(-largest), "0", numbers.number(largest))
    if plan.tiles < down * across:
        left_out = f"{numbers.count(plan.tiles)} of {numbers.count(down * across)} shown"
        marks.append(Text(look.size[0] - 24 * s, y, plain(left_out), 12 * s, 500, "ink-2", "end"))
    return marks


@dataclass(frozen=True)
class _Plan:
    """A grid of tiles: how large, how many across, how many fit."""

    x: float
    y: float
    cell: float
    pitch: tuple[float, float]
    across: int
    tiles: int

    @staticmethod
    def of(sheet: Sheet, look: Look, s: float) -> _Plan:
        down, across, rows, columns = sheet.values.shape
        count = down * across
        left = 56 * s
        room = (look.size[0] - left - 24 * s, look.size[1] - lanes_height(look) - TOP * s - 56 * s)
        for cell in range(28, 0, -1):
            gap = max(2.0, min(12 * s, cell * 0.8)) if count > 1 else 0
            pitch = (columns * cell + gap, rows * cell + gap)
            fit_across, fit_down = int((room[0] + gap) // pitch[0]), int((room[1] + gap) // pitch[1])
            per_row = across * max(1, fit_across // across) if across <= fit_across and not sheet.linear else fit_across
            if not sheet.linear and across <= fit_across:
                per_row = across  # one output channel a row, as long as they fit
                if down > fit_down:
                    per_row = across
            if per_row and -(-count // per_row) <= fit_down:
                break
        per_row = max(1, per_row)
        fits = max(1, fit_down) * per_row
        shown = min(count, fits)
        if not sheet.linear and across <= per_row:
            shown -= shown % across
        return _Plan(left, TOP * s, float(cell), pitch, per_row, max(1, shown))

    def origin(self, tile: int) -> tuple[float, float]:
        return self.x + (tile % self.across) * self.pitch[0], self.y + (tile // self.across) * self.pitch[1]


def _signs(sheet: Sheet, plan: _Plan, shades: NDArray[np.uint8], palette: str, look: Look) -> list[Mark]:
    """A minus on every negative weight: sign is never hue alone."""
    rows, columns = sheet.values.shape[-2:]
    flat, colours = sheet.values.reshape(-1, rows, columns), shades.reshape(-1, rows, columns)
    half = max(1.5, plan.cell * 0.18)
    strokes: dict[str, list[Points]] = {}
    for tile, row, column in zip(*np.nonzero(flat[:plan.tiles] < 0), strict=True):
        x, y = plan.origin(int(tile))
        x, y = x + (column + 0.5) * plan.cell, y + (row + 0.5) * plan.cell
        ink = colour.ink_on(f"{palette}:{colours[tile, row, column]}", look.theme)
        strokes.setdefault(ink, []).append(((x - half, y), (x - half, y), (x + half, y), (x + half, y)))
    return [Path(tuple(curves), stroke=ink, width=1.2) for ink, curves in strokes.items()]


def _sentence(trace: Trace, layer: Layer | None, moment: Moment) -> str:
    if layer is None:
        return "This network has no weights to show."
    weights = layer.weights["weight"]
    if not moment.backward:
        negative = float(np.mean(weights < 0))
        return (f"{layer.name} has {{{numbers.count(weights.size)} weights}} from "
                f"{numbers.number(float(weights.min()))} to {numbers.number(float(weights.max()))}; "
                f"{numbers.percent(negative, 0)} are negative.")
    gradient = layer.weight_gradients.get("weight")
    if gradient is None:
        return f"No gradient reached the weights of {layer.name}."
    at = np.unravel_index(int(np.argmax(np.abs(gradient))), gradient.shape)
    where = ", ".join(str(int(i)) for i in at)
    return (f"‖∂L/∂w‖ of {layer.name} is {{{numbers.significant(float(np.linalg.norm(gradient)), 3)}}}; the largest, "
            f"{numbers.signed(float(gradient[at]), 4)}, belongs to weight ({where}).")


def _table(layer: Layer | None, backward: bool) -> Table:
    """One row an output channel or unit."""
    weight = None if layer is None else (layer.weight_gradients if backward else layer.weights).get("weight")
    if weight is None:
        return Table((), ())
    flat = weight.reshape(len(weight), -1).astype(np.float64)
    return Table(("output", "min", "mean", "max", "norm"),
                 tuple((index, float(own.min()), float(own.mean()), float(own.max()), float(np.linalg.norm(own)))
                       for index, own in enumerate(flat)))


VIEW = View(
    "filters", "Filters", "The weights of one layer, as the pictures it looks for.",
    suits=lambda trace: any(weight.ndim >= 2 for layer in trace.layers for weight in layer.weights.values()),
    draw=draw, order=30,
)
