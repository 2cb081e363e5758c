"""Cards of sums that form no windows: long ones as tiles and a sorted list, short ones in a row."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.kinds import Taps, Terms
from visualizer.scene import colour, numbers
from visualizer.scene.grids import Ink, axis, number_grid, tick_words, unit_of
from visualizer.scene.picture import Focus, Image, Line, Mark, Rect, Text, plain, rich
from visualizer.trace import Layer, Trace
from visualizer.views.walk._card import LISTED, Card, Frame, known_steps, largest
from visualizer.views.walk._maps import map_pair, way_back
from visualizer.views.walk._words import cell_words


def long_sum_card(trace: Trace, card: Card, name: str, terms: Terms, frame: Frame, backward: bool) -> list[Mark]:
    """All terms as tiles; the largest as a list; the running sum from the largest to the smallest."""
    s, taps = frame.look.text_scale, terms.taps[0]
    g = card.value
    rows: list[tuple[str, str, NDArray[np.float64], str]]
    if card.hands_on:
        rows = [("what it saw", "inputs", taps.values, "activation"), ("∂L/∂w", "g × input", taps.values * g,
                                                                       "gradient"),
                ("what it weighed", "weights", taps.weights, "weight"),
                ("share of ∂L/∂x", "g × weight", taps.weights * g, "gradient")]
    else:
        first = "gradient" if taps.array == "gradient" else "activation"
        rows = [("what it sees", f"{numbers.count(len(taps.values))} inputs", taps.values, first),
                ("what it weighs", "weights", taps.weights, "weight"), ("what it adds", "products", taps.products,
                                                                        first)]
    marks: list[Mark] = []
    y = frame.y + 8 * s
    for title, words, values, palette in rows:
        tile_marks, height = _strip(trace, taps, values, palette, frame, y, title, words)
        marks += tile_marks
        y += height + 14 * s
    marks.append(Line(((frame.x - 24 * s, y), (frame.x + frame.width + 24 * s, y)), "hair"))
    y += 10 * s
    items = taps.values * g if card.hands_on else taps.products
    marks += _term_list(trace, taps, terms, items, card, frame, y, backward)
    if card.hands_on and frame.width > 820 * s:
        return marks + way_back(trace, card.layer, card.cell, frame, frame.x + 580 * s, y + 18 * s,
                                frame.width - 590 * s)
    return marks + (_sorted_fall(terms, items, frame, y, backward) if not card.hands_on else [])


def _strip(trace: Trace, taps: Taps, values: NDArray[np.float64], palette: str, frame: Frame, y: float, title: str,
           words: str) -> tuple[list[Mark], float]:
    """All values of a long sum as tiles in the shape they came from, in one row."""
    s = frame.look.text_scale
    origin, shape = _origin(trace, taps)
    tiles = values.reshape(shape)
    room = frame.width - 150 * s
    pixel = max(1, int(min((room / shape[0] - 4) / shape[2], 72 * s / shape[1], 12 * s)))
    crowded = pixel * shape[2] + 4 > room / shape[0]
    across = max(1, int(room // (pixel * shape[2] + 2))) if crowded else shape[0]
    down = -(-shape[0] // across)
    pitch = (pixel * shape[2] + (4 if shape[2] > 1 else 1), pixel * shape[1] + (4 if shape[1] > 1 else 1))
    top = largest(values)
    shades = colour.magnitude(tiles, max(top * 1e-3, 1e-300), top or 1.0) if palette == "gradient" \
        else colour.signed(tiles, top)
    height = max(down * pitch[1], 36 * s)
    marks: list[Mark] = [Image(frame.x, y, (pixel, pixel), shades, palette, across, pitch,
                               border="tile-border" if pixel * shape[1] > 6 else "",
                               focus=None if origin is None else Focus(origin.name),
                               indices=(-1,) if origin is not None and origin.output.ndim == 2 else ())]
    x = frame.x + frame.width - 136 * s
    marks.append(Text(x, y + 14 * s, plain(title), 13 * s, 600))
    marks.append(Text(x, y + 31 * s, plain(f"{words}, ±{numbers.significant(top, 2)}"), 12 * s, 400, "ink-2",
                      max_width=136 * s))
    return marks, height


def _origin(trace: Trace, taps: Taps) -> tuple[Layer | None, tuple[int, int, int]]:
    """The layer whose numbers the terms are, one by one, and (tile, row, column) in which they are laid out: the maps
    they came from, through a flatten. No layer where they are a part of one, or in another order."""
    found, source = None, trace[taps.source]
    while _is_in_order(source, taps):
        found, kind = source, kinds.of(source)
        if kind is None or not kind.moves_only or not source.reads:
            break
        source = trace.inputs(source)[0]
    if found is not None and found.output.ndim == 3:
        return found, (found.shape[0], found.shape[1], found.shape[2])
    if found is not None and found.output.ndim == 2:
        return found, (1, found.shape[0], found.shape[1])
    return found, (len(taps.values), 1, 1)


def _is_in_order(layer: Layer, taps: Taps) -> bool:
    values = layer.gradient if taps.array == "gradient" else layer.output
    return values is not None and values.ndim <= 3 and np.array_equal(values.ravel(), taps.values, equal_nan=True)


def _term_list(trace: Trace, taps: Taps, terms: Terms, items: NDArray[np.float64], card: Card, frame: Frame, y: float,
               backward: bool) -> list[Mark]:
    s = frame.look.text_scale
    order = np.argsort(-np.abs(items), kind="stable")
    room = int((frame.bottom - y - 24 * s) // (24 * s)) - 4
    shown = order[:max(3, min(LISTED, room))]
    known = known_steps(frame, len(shown) + 3)
    top = float(np.abs(items[order[0]])) or 1.0
    x, row = frame.x, y + 18 * s
    hands = card.hands_on
    unit, unit_name = unit_of(top) if backward else (1.0, "")
    digits = 2 if unit == 1 else 1
    title = f"{len(shown)} largest of {numbers.count(len(items))} terms" + (f", in {unit_name}" if unit_name else "")
    marks: list[Mark] = [Text(x, row, plain(title), 12 * s, 600, "ink-2"),
                         Text(x + 320 * s, row, plain("g × input" if hands else "value × weight"), 12 * s, 400, "ink-2",
                              "end")]
    for place, index in enumerate(shown):
        row += 24 * s
        cell = tuple(int(i) for i in taps.cells[index])
        value, weight = float(taps.values[index]), card.value if hands else float(taps.weights[index])
        focus = Focus(taps.source, cell)
        marks.append(Rect(x - 6 * s, row - 16 * s, 500 * s, 23 * s, focus=focus))
        marks.append(Text(x, row, rich(f"`{taps.source}` {cell_words(trace, taps.source, cell)}"), 13 * s, 400, "ink-2",
                          max_width=190 * s))
        if known <= place:
            marks.append(Rect(x + 200 * s, row - 13 * s, 280 * s, 17 * s, "hatch", radius=3))
            continue
        factors = f"{numbers.significant(value, 3)} × {numbers.significant(weight, 3)}"
        marks.append(Text(x + 320 * s, row, plain(factors), 13 * s, 400, "ink", "end"))
        product = float(items[index])
        length = 90 * s * abs(product) / top
        marks.append(Rect(x + 334 * s, row - 11 * s, max(1.0, length), 12 * s,
                          "gradient-mark" if backward else "positive-bar" if product >= 0 else "negative-bar",
                          radius=2))
        ink = "gradient-text" if backward else "positive-text" if product >= 0 else "negative-text"
        marks.append(Text(x + 490 * s, row, plain(numbers.signed(product / unit, digits)), 13 * s, 600, ink, "end"))
    rest = float(items.sum() - items[shown].sum())
    lines = [(f"{numbers.count(len(items) - len(shown))} smaller terms", rest)]
    if terms.bias is not None and not hands:
        lines.append(("bias", terms.bias))
    if not hands:
        lines.append(("result", terms.result))
    for place, (words, value) in enumerate(lines):
        row += 24 * s
        if known > len(shown) + place:
            marks.append(Text(x, row, plain(words), 13 * s, 600 if words == "result" else 400, "ink"))
            marks.append(Text(x + 490 * s, row, plain(numbers.signed(value / unit, digits)), 13 * s, 600,
                              "accent-ink" if words == "result" else "ink", "end"))
    return marks


def _sorted_fall(terms: Terms, items: NDArray[np.float64], frame: Frame, y: float, backward: bool) -> list[Mark]:
    """The running sum over all terms, the largest first: how few of them decide."""
    s = frame.look.text_scale
    order = np.argsort(-np.abs(items), kind="stable")
    running = np.concatenate([[0.0], np.cumsum(items[order])])
    if terms.bias is not None:
        running = np.append(running, running[-1] + terms.bias)
    x, width = frame.x + 560 * s, frame.width - 570 * s
    top, height = y + 34 * s, frame.bottom - y - 62 * s
    if width < 160 * s or height < 60 * s or not np.all(np.isfinite(running)):
        return []
    low, high, ticks = axis(float(running.min()), float(running.max()))

    def at(value: float) -> float:
        return top + height - (value - low) / (high - low) * height

    marks: list[Mark] = [Text(x, y + 18 * s, plain("running sum, the largest term first"), 12 * s, 600, "ink-2")]
    for tick in ticks:
        marks.append(Line(((x, at(tick)), (x + width, at(tick))), "rule" if tick == 0 else "hair"))
        marks.append(Text(x - 8 * s, at(tick) + 4 * s, plain(tick_words(tick)), 11 * s, 400, "ink-2",
                          "end"))
    drawn = max(2, int(len(running) * frame.phase))
    xs = x + np.arange(len(running)) / max(1, len(running) - 1) * (width - 8 * s)
    points = tuple((float(a), at(float(b))) for a, b in zip(xs[:drawn], running[:drawn], strict=True))
    marks.append(Line(points, "gradient-mark" if backward else "positive-bar", 2 * s))
    if frame.phase >= 1:
        px, py = points[-1]
        marks.append(Rect(px - 5 * s, py - 5 * s, 10 * s, 10 * s, "accent", "stage", 2, radius=5 * s))
    marks.append(Text(x, frame.bottom - 6 * s, plain(f"1 … {numbers.count(len(items))} terms"
                                                     + (" and the bias" if terms.bias is not None else "")), 11 * s,
                                                     400,
                      "ink-2"))
    return marks


def short_card(trace: Trace, card: Card, name: str, terms: Terms, frame: Frame, backward: bool) -> list[Mark]:
    """A few terms in a row: add, cat, a copy, a normalisation; with the numbers met on the way."""
    s = frame.look.text_scale
    marks: list[Mark] = []
    x, y = frame.x + 20 * s, frame.y + 60 * s
    entries = [(taps, index) for taps in terms.taps for index in range(len(taps.values))][:8]
    known = known_steps(frame, len(entries) + 1)
    pitch = min(190 * s, (frame.width - 200 * s) / max(1, len(entries)))
    for place, (taps, index) in enumerate(entries):
        left = x + place * pitch
        cell = tuple(int(i) for i in taps.cells[index])
        value, weight = float(taps.values[index]), float(taps.weights[index])
        marks.append(Text(left, y, plain(taps.source), 13 * s, 600, mono=True, max_width=pitch - 12))
        marks.append(Text(left, y + 18 * s, plain(cell_words(trace, taps.source, cell)), 12 * s, 400, "ink-2",
                          max_width=pitch - 12))
        palette = "gradient" if taps.array == "gradient" else "activation"
        marks += number_grid(left, y + 30 * s, (min(96 * s, pitch - 20 * s), 40 * s), np.array([[value]]),
                             Ink(palette, abs(value) * 2, digits=3), frame.look, size=16,
                             foci=_always(Focus(taps.source, cell)),
                             known=None if known > place else np.zeros((1, 1), bool))
        if weight != 1:
            marks.append(Text(left, y + 92 * s, plain(f"× {numbers.significant(weight, 4)}"), 14 * s, 500, "ink"))
    row = y + 132 * s
    for words, value in terms.steps:
        marks.append(Text(x, row, plain(words), 13 * s, 400, "ink-2"))
        marks.append(Text(x + 320 * s, row, plain(numbers.significant(value, 5)), 14 * s, 600, "ink", "end"))
        row += 26 * s
    if terms.bias is not None:
        marks.append(Text(x, row, plain(terms.bias_name or "bias"), 13 * s, 400, "ink-2"))
        marks.append(Text(x + 320 * s, row, plain(numbers.signed(terms.bias, 4)), 14 * s, 600, "ink", "end"))
        row += 26 * s
    if known > len(entries):
        marks.append(Line(((x, row - 8 * s), (x + 320 * s, row - 8 * s)), "hair"))
        marks.append(Text(x, row + 20 * s, plain(terms.formula or "result"), 14 * s, 500, "ink"))
        marks.append(Text(x + 320 * s, row + 50 * s, plain(numbers.significant(terms.result, 5)), 26 * s, 600,
                          "gradient-text" if backward else "accent-ink", "end", display=True))
    if terms.taps and len(terms.taps[0].cells):
        below = row + 84 * s
        across = x + 420 * s
        marks += map_pair(trace, card, terms.taps[0], frame, x, below, 400 * s if backward else frame.width - 40 * s,
                          frame.bottom - below, backward)
        if backward:
            marks += way_back(trace, card.layer, card.cell, frame, across + 60 * s, y + 132 * s,
                              min(360 * s, frame.x + frame.width - across - 60 * s))
    return marks


def _always(focus: Focus) -> Callable[[int, int], Focus | None]:
    return lambda row, column: focus
