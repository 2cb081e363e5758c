"""Cards of windows: window × kernel = products, and the same turned over for the gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visualizer.kinds import Taps, Terms
from visualizer.scene import numbers
from visualizer.scene.grids import Ink, axis, number_grid, unit_name, unit_of, waterfall
from visualizer.scene.picture import Focus, Line, Mark, Rect, Run, Text, plain, rich
from visualizer.trace import Trace
from visualizer.views.walk._card import (
    MOST_COLUMNS,
    NAMES,
    Card,
    Frame,
    foci_of,
    in_unit,
    known_steps,
    largest,
    outlined_terms,
    source_tile,
)
from visualizer.views.walk._maps import map_pair


def window_card(trace: Trace, card: Card, name: str, terms: Terms, grid: tuple[int, int, int], frame: Frame,
                 backward: bool) -> list[Mark]:
    """Window × kernel = products, channel by channel; below, the running sum to the result."""
    s, taps = frame.look.text_scale, terms.taps[0]
    values, weights, products = (array.reshape(grid) for array in (taps.values, taps.weights, taps.products))
    summed = terms.op != "max"
    inside = None if taps.inside is None else taps.inside.reshape(grid)
    sums = np.where(np.isfinite(products), products, 0).sum(axis=(1, 2))
    columns, others = _chosen(sums, frame)
    factors = ("kernel", "turned around" if backward else "what it weighs") if taps.weight else \
        ("factors", "how much each counts")
    first, last = (("gradient", f"of {name}"), "what arrives") if backward else (("window", "what it sees"),
                                                                                 "what it adds")
    rows = [(*first, values), (*factors, weights), ("products", last, products)]
    plain_max = not summed or (not taps.weight and bool(np.all(taps.weights == 1)))
    if plain_max:
        rows = rows[:1]
    layout = _window_layout(frame, grid, len(columns) + bool(len(others)), len(rows))
    drawn = len(columns) * grid[1] * grid[2]
    known = known_steps(frame, drawn + (len(others) > 0) + 2)
    inks = _inks(values, weights, products, backward)
    marks: list[Mark] = []
    for place, channel in enumerate(columns):
        x = layout.x + place * layout.pitch
        marks += source_tile(trace, taps, channel, grid, x, frame.y, frame.look)
        revealed = np.clip(known - place * grid[1] * grid[2], 0, grid[1] * grid[2])
        shown = np.arange(grid[1] * grid[2]).reshape(grid[1:]) < revealed
        here = outlined_terms(known, place, grid, frame.phase)
        for index, (_, _, numbers_shown) in enumerate(rows):
            y = layout.tops[index]
            marks += number_grid(
                x, y, layout.cell, numbers_shown[channel], inks[index], frame.look,
                inside=None if inside is None or index else inside[channel],
                known=shown if index == 2 else None, foci=foci_of(taps, channel, grid), size=13, outlined=here)
            if index:
                sign = "×" if index == 1 else "="
                marks.append(Text(x + layout.cell[0] * grid[2] / 2, y - 9 * s, plain(sign), 16 * s, 500, "ink-2",
                                  "middle"))
        if not summed and terms.winner is not None and terms.winner // (grid[1] * grid[2]) == channel:
            row, column = divmod(terms.winner % (grid[1] * grid[2]), grid[2])
            if known > drawn - 1:
                marks.append(Rect(x + column * layout.cell[0] - 3, frame.y + 50 * s + row * layout.cell[1] - 3,
                                  layout.cell[0] + 4, layout.cell[1] + 4, "", "accent", 3, radius=5))
        if summed and len(columns) > 1 and known >= (place + 1) * grid[1] * grid[2]:
            ink = "positive-text" if sums[channel] > 0 else "negative-text"
            marks.append(Text(x + layout.cell[0] * grid[2] / 2, layout.sums, plain(inks[2].words(sums[channel])),
                              18 * s, 600, "gradient-text" if backward else ink, "middle"))
    if len(others):
        marks += _others_column(others, sums, layout, len(columns), inks[2], frame, known > drawn)
    if summed:
        after = layout.x + (len(columns) + bool(others)) * layout.pitch
        marks += _maps_beside(trace, card, taps, frame, after, layout.below, backward)
    marks += _row_names(rows, inks, layout, frame, summed and len(columns) > 1, terms)
    return marks + _result_below(trace, card, terms, columns, others, sums, products, grid, layout, known, inks[2],
                                 frame,
                                 backward, name)


def _maps_beside(trace: Trace, card: Card, taps: Taps, frame: Frame, x: float, bottom: float,
                 backward: bool) -> list[Mark]:
    """The whole maps, where few columns leave room for them."""
    s = frame.look.text_scale
    room = frame.x + frame.width - NAMES * s - x - 40 * s
    if room < 340 * s or bottom - frame.y < 180 * s:
        return []
    return map_pair(trace, card, taps, frame, x + 40 * s, frame.y + 30 * s, room, bottom - frame.y - 40 * s, backward)


AXIS = 34.0
"""Width at the left for the numbers on the axis of the running sum."""


@dataclass(frozen=True)
class _WindowLayout:
    x: float
    pitch: float
    cell: tuple[float, float]
    tops: tuple[float, ...]
    sums: float
    """Baseline of the channel sums."""
    below: float
    """Where the running sum may begin."""


def _window_layout(frame: Frame, grid: tuple[int, int, int], columns: int, rows: int) -> _WindowLayout:
    s = frame.look.text_scale
    room = frame.width - (NAMES + AXIS) * s
    pitch = min(room / columns, max(152 * s, grid[2] * 62 * s))
    wide = min(58.0 * s if columns == 1 else 44.0 * s, (pitch - 16 * s) / grid[2])
    high = min(wide * 0.73, 32 * s, (frame.height * 0.56 - 80 * s) / (rows * grid[1]))
    high = max(high, 8 * s)
    top = frame.y + 50 * s
    step = high * grid[1] + 28 * s
    tops = tuple(top + index * step for index in range(rows))
    sums = tops[-1] + high * grid[1] + 22 * s
    return _WindowLayout(frame.x + AXIS * s, pitch, (wide, high), tops, sums, sums + 12 * s)


def _chosen(sums: NDArray[np.float64], frame: Frame) -> tuple[list[int], list[int]]:
    """The channels that get a column, in their order, and the others: those with the smallest sums."""
    most = MOST_COLUMNS if frame.width >= 860 * frame.look.text_scale else 3
    if len(sums) <= most:
        return list(range(len(sums))), []
    strong = sorted(np.argsort(-np.abs(sums), kind="stable")[:most - 1].tolist())
    return strong, [channel for channel in range(len(sums)) if channel not in strong]


def _inks(values: NDArray[np.float64], weights: NDArray[np.float64], products: NDArray[np.float64],
          backward: bool) -> tuple[Ink, Ink, Ink]:
    if not backward:
        return (Ink("activation", largest(values)), Ink("weight", largest(weights), plus=True),
                Ink("activation", largest(products), plus=True))
    unit, _ = unit_of(max(largest(values), largest(products)))
    digits = 2 if unit == 1 else 1
    return (Ink("gradient", largest(values), True, digits, unit), Ink("weight", largest(weights), plus=True),
            Ink("gradient", largest(products), True, digits, unit))


def _result_below(trace: Trace, card: Card, terms: Terms, columns: list[int], others: list[int],
                  sums: NDArray[np.float64],
                  products: NDArray[np.float64], grid: tuple[int, int, int], layout: _WindowLayout, known: int,
                  ink: Ink, frame: Frame, backward: bool, name: str) -> list[Mark]:
    """The running sum as a waterfall, ending in the bias and the result; a plain result for a maximum."""
    s = frame.look.text_scale
    if terms.op == "max":
        y = layout.tops[0] + layout.cell[1] * grid[1] + 40 * s
        words = rich(f"the largest is {{{numbers.number(terms.result)}}}")
        said = Text(layout.x, y, words, 18 * s, 500)
        return [said, *map_pair(trace, card, terms.taps[0], frame, layout.x,
                                                                  y + 24 * s,
                                frame.width - layout.x + frame.x,
                                frame.bottom - y - 24 * s, backward)]
    size = grid[1] * grid[2]
    bar = max(2.0, min(12 * s, layout.cell[0] * grid[2] / size - 1))
    steps: list[float] = []
    places: list[float] = []
    for place, channel in enumerate(columns):
        own = products[channel].ravel()
        steps += [float(value) for value in own]
        left = layout.x + place * layout.pitch
        places += [left + (index + 0.5) * layout.cell[0] * grid[2] / size for index in range(size)]
    if others:
        steps.append(float(sum(sums[channel] for channel in others)))
        places.append(layout.x + len(columns) * layout.pitch + layout.cell[0] * grid[2] / 2)
    colors = ["gradient-mark" if backward else "positive-bar" if step >= 0 else "negative-bar" for step in steps]
    right = max(frame.x + frame.width - NAMES * s + 8 * s, places[-1] + 30 * s)
    if terms.bias is not None:
        steps.append(terms.bias)
        places.append(right + 14 * s)
        colors.append("weight-positive-text" if terms.bias >= 0 else "weight-negative-text")
    x, y = frame.x + (AXIS - 6) * s, layout.below + 14 * s
    height = frame.bottom - y - 34 * s
    if height < 60 * s:
        return []
    marks: list[Mark] = [Line(((frame.x - 24 * s, layout.below), (frame.x + frame.width + 24 * s, layout.below)),
                              "hair")]
    fall, ends = waterfall(x, y, frame.width - (AXIS - 6) * s, height, steps, colors, places, bar, frame.look,
                           known=known, foci=_bar_foci(terms.taps[0], columns, grid, len(steps)),
                           outlined=known - 1 if 0 < known and frame.phase < 1 else None)
    marks += fall
    running = np.cumsum(steps)
    for place in range(len(columns)):
        done = (place + 1) * size
        if known >= done:
            middle = layout.x + place * layout.pitch + layout.cell[0] * grid[2] / 2
            marks.append(Text(middle, frame.bottom - 6 * s, rich(f"so far **{in_unit(running[done - 1], ink)}**"),
                              12 * s,
                              400, "ink-2", "middle"))
    if terms.bias is not None and known >= len(steps):
        below = max(ends[-1], ends[-2]) + 15 * s
        marks.append(Text(places[-1], min(below, frame.bottom - 20 * s), plain(numbers.signed(terms.bias)), 12 * s, 600,
                          colors[-1], "middle"))
        marks.append(Text(places[-1], frame.bottom - 6 * s, plain("bias"), 12 * s, 400, "ink-2", "middle"))
    if known > len(steps) - (terms.bias is None):
        marks += _result_bar(card, terms, right, y, height, frame, backward, ink, min([0.0, *running]),
                             max([0.0, *running]))
    return marks


def _bar_foci(taps: Taps, columns: list[int], grid: tuple[int, int, int], count: int) -> list[Focus | None]:
    """Each bar stands for its term; what is summed up, and the bias, for none."""
    found = [foci_of(taps, channel, grid)(row, column) for channel in columns
             for row in range(grid[1]) for column in range(grid[2])]
    return found + [None] * (count - len(found))


def _result_bar(card: Card, terms: Terms, right: float, y: float, height: float, frame: Frame, backward: bool,
                ink: Ink, low: float, high: float) -> list[Mark]:
    s = frame.look.text_scale
    bottom, top, _ = axis(low, high)
    zero = y + height - (0 - bottom) / (top - bottom) * height
    at = y + height - (terms.result - bottom) / (top - bottom) * height
    x, wide = right + 48 * s, 44 * s
    a, b = sorted((zero, at))
    fill = "gradient-mark" if backward else "accent-fill"
    words = in_unit(terms.result, ink)
    marks: list[Mark] = [Rect(x, a, wide, max(2.0, b - a), fill, radius=2, focus=Focus(card.layer.name, card.cell))]
    inside = b - a > 22 * s
    ink_name = "on-accent" if inside and not backward else "ink"
    where = (a + 16 * s if terms.result >= 0 else b - 7 * s) if inside else \
        (a - 5 * s if terms.result >= 0 else b + 14 * s)
    marks.append(Text(x + wide / 2, where, plain(words), 13 * s, 600, ink_name, "middle"))
    marks.append(Text(x + wide / 2, frame.bottom - 6 * s, plain("result"), 12 * s, 500, "ink-2", "middle"))
    return marks


def _others_column(others: list[int], sums: NDArray[np.float64], layout: _WindowLayout, place: int, ink: Ink,
                   frame: Frame, shown: bool) -> list[Mark]:
    s = frame.look.text_scale
    x = layout.x + place * layout.pitch
    total = float(sum(sums[channel] for channel in others))
    marks: list[Mark] = [Text(x, frame.y + 22 * s, plain(f"{numbers.count(len(others))} others"), 13 * s, 600),
                         Text(x, frame.y + 40 * s, plain("smaller channel sums"), 12 * s, 400, "ink-2",
                              max_width=layout.pitch - 8)]
    if shown:
        marks.append(Text(x, layout.sums, plain(ink.words(total)), 18 * s, 600, "ink"))
    return marks


def _row_names(rows: Sequence[tuple[str, str, NDArray[np.float64]]], inks: Sequence[Ink], layout: _WindowLayout,
               frame: Frame, summed: bool, terms: Terms) -> list[Mark]:
    s = frame.look.text_scale
    x = frame.x + frame.width - NAMES * s + 16 * s
    marks: list[Mark] = [Text(x, frame.y + 24 * s, plain(terms.formula), 13 * s, 400, "ink",
                              max_width=NAMES * s - 16 * s)]
    for top, ink, (title, words, values) in zip(layout.tops, inks, rows, strict=False):
        middle = top + layout.cell[1] * values.shape[1] / 2
        marks.append(Text(x, middle - 2 * s, plain(title), 13 * s, 600))
        marks.append(Text(x, middle + 15 * s, plain(words), 12 * s, 400, "ink-2"))
        if ink.unit != 1:
            marks.append(Text(x, middle + 31 * s, plain(unit_name(ink.unit)), 12 * s, 400, "ink-2"))
    if summed:
        marks.append(Text(x, layout.sums, plain("channel sums"), 13 * s, 600))
    return marks


def hands_card(trace: Trace, card: Card, taps: Taps, grid: tuple[int, int, int], frame: Frame) -> list[Mark]:
    """window × g is its share of ∂L/∂w; kernel × g is its share of ∂L/∂x; below, ∂L/∂w of all positions together."""
    s, look, g = frame.look.text_scale, frame.look, card.value
    values, weights = taps.values.reshape(grid), taps.weights.reshape(grid)
    totals = card.layer.weight_gradients.get("weight")
    strength = np.abs(values * g).sum(axis=(1, 2)) + np.abs(weights * g).sum(axis=(1, 2))
    columns, others = _chosen(strength, frame)
    unit, unit_name = unit_of(max(largest(values * g), largest(weights * g)))
    inks = [Ink("activation", largest(values)), Ink("gradient", largest(values * g), True, 1, unit),
            Ink("weight", largest(weights), True), Ink("gradient", largest(weights * g), True, 1, unit)]
    arrays = [values, values * g, weights, weights * g]
    names = [("window", "what it saw"), ("share of ∂L/∂w", "g × input"), ("kernel", "what it weighed"),
             ("share of ∂L/∂x", "g × weight")]
    pitch = min((frame.width - NAMES * s) / (len(columns) + bool(others)), max(152 * s, grid[2] * 62 * s))
    wide = min(44 * s, (pitch - 16 * s) / grid[2])
    high = max(8 * s, min(32 * s, wide * 0.73, (frame.height - 50 * s - 150 * s - 100 * s) / (4 * grid[1])))
    step = high * grid[1]
    tops = [frame.y + 50 * s, frame.y + 50 * s + step + 24 * s, frame.y + 50 * s + 2 * step + 44 * s,
            frame.y + 50 * s + 3 * step + 68 * s]
    known = known_steps(frame, 4)
    marks: list[Mark] = []
    below = tops[3] + step + 14 * s
    for place, channel in enumerate(columns):
        x = frame.x + place * pitch
        marks += source_tile(trace, taps, channel, grid, x, frame.y, look)
        for index, values_shown in enumerate(arrays):
            shown = None if known > index or index in (0, 2) else np.zeros(grid[1:], bool)
            inside = None if taps.inside is None or index > 1 else taps.inside.reshape(grid)[channel]
            marks += number_grid(x, tops[index], (wide, high), values_shown[channel], inks[index], look, inside=inside,
                                 known=shown, foci=foci_of(taps, channel, grid), size=13 if index in (0, 2) else 12)
        for index in (1, 3):
            marks.append(Text(x + wide * grid[2] / 2, tops[index] - 7 * s,
                              plain(f"↓ × {numbers.signed(g, 4) if abs(g) >= 1e-4 else numbers.power(g)}"), 12 * s, 600,
                              "gradient-text", "middle"))
        if totals is not None:
            marks += _total_tile(card, totals, channel, x + wide * grid[2] / 2, below, frame)
    marks += _maps_beside(trace, card, taps, frame, frame.x + (len(columns) + bool(others)) * pitch, below, False)
    x = frame.x + frame.width - NAMES * s + 16 * s
    for index, (title, words) in enumerate(names):
        middle = tops[index] + step / 2
        marks.append(Text(x, middle - 4 * s, plain(title), 13 * s, 600))
        marks.append(Text(x, middle + 12 * s, plain(words), 12 * s, 400, "ink-2"))
        if index in (1, 3) and unit_name:
            marks.append(Text(x, middle + 28 * s, plain(unit_name), 12 * s, 400, "ink-2"))
    marks.append(Text(x, frame.y + 24 * s, (Run("g", italic=True), Run(" = ∂L/∂"), Run("y", italic=True)), 13 * s, 400))
    if others:
        marks.append(Text(frame.x + len(columns) * pitch, frame.y + 22 * s, plain(f"{len(others)} others"), 13 * s,
                          600))
        marks.append(Text(frame.x + len(columns) * pitch, frame.y + 40 * s, plain("with smaller shares"), 12 * s, 400,
                          "ink-2", max_width=pitch - 8))
    marks.append(Line(((frame.x - 24 * s, below), (frame.x + frame.width + 24 * s, below)), "hair"))
    return marks + _totals_words(trace, card, x, below, frame)


def _total_tile(card: Card, totals: NDArray[np.floating], channel: int, middle: float, y: float,
                frame: Frame) -> list[Mark]:
    """∂L/∂w of one kernel, all positions added up, a sign in each cell."""
    s = frame.look.text_scale
    own = totals[card.cell[0]] if card.layer.kind.startswith("conv") else totals[card.cell[-1]]
    if channel >= len(own):
        return []
    tile = np.atleast_2d(own[channel])
    ink = Ink("gradient", largest(own))
    room = frame.bottom - y - 44 * s
    side = min(28 * s, room / tile.shape[0])
    left, top = middle - side * tile.shape[1] / 2, y + 14 * s
    marks: list[Mark] = []
    if side < 6:
        return marks
    fills = ink.fills(tile)
    for (row, column), value in np.ndenumerate(tile):
        focus = Focus(card.layer.name, (card.cell[0], channel, row, column)[:own.ndim + 1], "weight")
        marks.append(Rect(left + column * side, top + row * side, side - 1.5, side - 1.5,
                          f"gradient-pale:{fills[row, column]}", "tile-border", 1, inside=True, radius=2, focus=focus))
        if side >= 12 and value:
            marks.append(Text(left + (column + 0.5) * side - 0.7, top + row * side + side * 0.5 + 4.5 * s,
                              plain("+" if value > 0 else "−"), 12 * s, 600, "ink", "middle"))
    marks.append(Text(middle, top + tile.shape[0] * side + 16 * s,
                      rich(f"‖∂L/∂w‖ **{numbers.significant(float(np.linalg.norm(tile)), 3)}**"), 12 * s, 400, "ink-2",
                      "middle"))
    return marks


def _totals_words(trace: Trace, card: Card, x: float, y: float, frame: Frame) -> list[Mark]:
    s = frame.look.text_scale
    assert card.layer.gradient is not None
    own = card.layer.gradient[card.cell[0]]
    alive = int(np.count_nonzero(own))
    lines = [("**all positions**",), (f"{numbers.count(alive)} of {numbers.count(own.size)}",), ("carry gradient;",),
             ("added up: ∂L/∂w",)]
    marks: list[Mark] = [Text(x, y + (28 + 17 * index) * s, rich(words), 13 * s if index == 0 else 12 * s, 400,
                              "ink" if index == 0 else "ink-2") for index, (words,) in enumerate(lines)]
    bias = card.layer.weight_gradients.get("bias")
    if bias is not None and card.cell[0] < len(bias):
        marks.append(Text(x, y + 104 * s, rich(f"∂L/∂b **{numbers.signed(float(bias[card.cell[0]]), 3)}**"), 12 * s,
                          400,
                          "ink-2"))
    return marks
