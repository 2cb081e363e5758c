"""Slides of windows: window × kernel = products and their running sum; the largest of a window; and the window turned
over, as what it hands back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.kinds import Taps, Terms
from visualizer.language import english, tr, translated
from visualizer.said import Claim, claimed, constants, tick
from visualizer.scene import colour, numbers, parts
from visualizer.scene.grids import Ink, in_unit, number_grid, outline, scale, unit_name, unit_of, waterfall
from visualizer.scene.labels import fitting
from visualizer.scene.picture import (
    Focus,
    Group,
    Line,
    Mark,
    Path,
    Rect,
    Run,
    Term,
    Text,
    Touch,
    box_of,
    grouped,
    plain,
    rich,
)
from visualizer.scene.timeline import SLOW_TERMS
from visualizer.size import norm
from visualizer.trace import Trace
from visualizer.views.microscope._claims import itself, of_product, of_value, of_weight
from visualizer.views.microscope._maps import TITLE, Shown, map_row, maps_in, marked, one_map, way_back
from visualizer.views.microscope._slide import (
    COME,
    KNOWN,
    NAMES,
    RESULT,
    Area,
    Laid,
    Place,
    Slide,
    about,
    arrow,
    flown,
    followed,
    halves,
    held,
    hopped,
    input_shares,
    largest,
    read_at,
    result_of,
    said,
    slow,
    source_tile,
    value_ink,
    weight_shares,
    window_terms,
)
from visualizer.views.microscope._sums import Running

MOST_COLUMNS = 6
MOST_FRAMES = 150
"""Frames in which all terms come but the slow ones: where they are more than half a row each, the row is outlined."""
LEAST_CELL = 36.0
"""A number of two decimals fits into a cell of this width."""
AXIS = 34.0
"""Width at the left for the numbers on the axis of the running sum."""
LABELLED = 200.0
"""Width of a grid and the arrow after it that leaves room for what is said above the grid."""
HEAD = 50.0
"""Height of the source tiles above the grids."""
SAID = 72.0
"""Height of the name of a row of grids with all that is said of it; grids that are lower stand as far apart as that
where there is room."""

FALL = Group(english("running sum"), cells=True, shows="total")
WINDOW = Group(english("window"), cells=True, shows="value")
LARGEST = Group(english("the largest so far"), cells=True, shows="value")

Grid = tuple[int, int, int]
"""(channel, row, column)."""
Tiled = tuple[str, str, NDArray[np.float64]]
"""Title, words, and the values (channel, row, column)."""


# --- window × kernel = products -------------------------------------------------------------------------------------

def window_slide(trace: Trace, slide: Slide, name: str, terms: Terms, grid: Grid, frame: Area) -> Laid:
    """Window × kernel = products, channel by channel; below, the running sum to the result."""
    taps, backward = terms.taps[0], slide.backward
    values, weights, products = (array.reshape(grid) for array in (taps.values, taps.weights, taps.products))
    inside = None if taps.inside is None else taps.inside.reshape(grid)
    sums = np.where(np.isfinite(products), products, 0).sum(axis=(1, 2))
    columns, others = _chosen(sums, grid, frame)
    rows = _rows(name, taps, values, weights, products, backward)
    inks = _inks(values, weights, products, backward)
    layout = _layout(frame, grid, len(columns) + bool(others), len(rows))
    size = grid[1] * grid[2]

    groups = [Group(title, cells=True, shows=shows)
              for (title, _, _), shows in zip(rows, ("value", "weight", "product"), strict=True)]
    tiles = held(trace, slide, taps)
    found = {channel: window_terms(tiles, channel, grid) for channel in columns}

    still: list[Mark] = []
    spots: dict[int, Place | None] = {}
    for place, channel in enumerate(columns):
        x = layout.x + place * layout.pitch
        tile, spots[channel] = source_tile(trace, taps, channel, grid, x, frame.y, frame.look, layout.pitch - 8,
                                           about(slide), backward)
        still += tile
        for index, (_, _, shown) in enumerate(rows[:2]):
            still += number_grid(x, layout.tops[index], layout.cell, shown[channel], inks[index], frame.look,
                                 inside=None if inside is None or index else inside[channel],
                                 foci=read_at(found[channel]), group=groups[index], terms=found[channel],
                                 claims=_claims(trace, taps, name, channel, grid, inks[index].unit)[index])
        for index, sign in ((1, "×"), (2, "=")):
            still.append(Text(x + layout.wide / 2, layout.tops[index] - 9, plain(sign), 16, 500, "ink-2",
                              "middle"))
    still += _row_names(rows, inks, groups, layout, frame, len(columns) > 1, constants(terms.formula))
    if others:
        still += _others_words(others, layout, len(columns), tr("smaller channel sums"), frame)
    if len(columns) + bool(others) <= 2:
        still += _maps_beside(trace, slide, taps, frame, layout)
    fall = _running_sum(slide, terms, columns, others, sums, products, found, grid, layout, inks[2], frame)
    pieces = len(columns) * size + bool(others) + (terms.bias is not None) + 1
    order = [(place, channel, *divmod(index, grid[2])) for place, channel in enumerate(columns)
             for index in range(size)]
    bands = (len(order) - SLOW_TERMS) / MOST_FRAMES > grid[2] / 2
    lies: list[Sequence[Rect | None]] = [[
        outline(layout.x + place * layout.pitch, top, layout.cell, row, 0 if bands else column,
                term=None if bands else found[channel][row][column], across=grid[2] if bands else 1)
        for place, channel, row, column in order] for top in layout.tops]
    lies.append([_on_tile(spots[channel], found[channel][row][column]) for _, channel, row, column in order])

    def after(at: float) -> list[Mark]:
        done, share = halves(at)
        seen = done + (share >= KNOWN and done < len(order))
        marks: list[Mark] = []
        for place, channel in enumerate(columns):
            x = layout.x + place * layout.pitch
            revealed = min(max(seen - place * size, 0), size)
            known = None if revealed == size else np.arange(size).reshape(grid[1:]) < revealed
            marks += number_grid(x, layout.tops[2], layout.cell, products[channel], inks[2], frame.look, known=known,
                                 foci=read_at(found[channel]), group=groups[2], terms=found[channel],
                                 claims=_claims(trace, taps, name, channel, grid, inks[2].unit)[2])
            if done >= (place + 1) * size and len(columns) > 1:
                marks.append(Text(x + layout.wide / 2, layout.sums, plain(
                    _itself(inks[2].words(sums[channel]), sums[channel], inks[2])), 18, 600,
                                  value_ink(sums[channel], backward), "middle"))
        if others and done > len(order):
            total = float(sums[others].sum())
            marks.append(Text(layout.x + len(columns) * layout.pitch, layout.sums, plain(
                _itself(inks[2].words(total), total, inks[2])), 18,
                              600, value_ink(total, backward)))
        if done < pieces and at <= len(order):  # the term that is added just now
            for frames in lies:
                marks += followed(frames, at, frame.look)
        marks += fall.after(at)
        if share and done < len(order):
            place, channel, row, column = order[done]
            start = (layout.x + place * layout.pitch + (column + 0.5) * layout.cell[0],
                     layout.tops[2] + (row + 0.5) * layout.cell[1])
            term = found[channel][row][column]
            if fall.slot is not None and term is not None:
                marks += flown(term, start, fall.slot(done), inks[2].words(term.product),
                               value_ink(term.product, backward), at)
        return marks

    return Laid((*still, *fall.still), pieces, after, fall.total)


def _claims(trace: Trace, taps: Taps, owner: str, channel: int, grid: Grid,
            unit: float) -> list[Callable[[int, int], Claim]]:
    """What a number of the window, of the kernel and of the products of a channel claims to be."""
    def at(row: int, column: int) -> int:
        return _at(channel, grid, row, column)

    one: Claim = ("factor", "", (), None, "1.0")
    return [lambda row, column: of_product(of_value(taps, at(row, column)), one, unit),
            lambda row, column: of_weight(trace, taps, at(row, column), owner),
            lambda row, column: of_product(of_value(taps, at(row, column)),
                                           of_weight(trace, taps, at(row, column), owner), unit)]


def _at(channel: int, grid: Grid, row: int, column: int) -> int:
    """Which of the terms stands in a cell of a channel."""
    return channel * grid[1] * grid[2] + row * grid[2] + column


def _itself(words: str, value: float, ink: Ink) -> str:
    """A sum, in the unit of its grid."""
    return claimed(words, [itself(value / ink.unit)])


def _on_tile(spot: Place | None, term: Term | None) -> Rect | None:
    """A frame round the pixel that a term was read from, on its map; padding has none."""
    box = None if spot is None or term is None or term.source is None else spot(term.source.cell)
    if box is None or term is None or term.source is None:
        return None
    x, y, side = box
    return Rect(x - 2, y - 2, side + 4, side + 4, "", "accent", 2, radius=1,
                holds=Touch(term.source, term.target, term.backward))


def _rows(name: str, taps: Taps, values: NDArray[np.float64], weights: NDArray[np.float64],
          products: NDArray[np.float64], backward: bool) -> list[Tiled]:
    factors = (tr("kernel"), tr("turned around") if backward else tr("what it weighs")) if taps.weight else \
        (tr("factors"), tr("how each counts"))
    if backward:
        return [(tr("gradient"), tr("of {layer}").format(layer=name), values), (*factors, weights),
                (tr("products"), tr("what arrives"), products)]
    return [(tr("window"), tr("what it sees"), values), (*factors, weights),
            (tr("products"), tr("what it adds"), products)]


def _inks(values: NDArray[np.float64], weights: NDArray[np.float64], products: NDArray[np.float64],
          backward: bool) -> tuple[Ink, Ink, Ink]:
    if not backward:
        return (Ink("activation", largest(values), of=tr("window")),
                Ink("weight", largest(weights), True, of=tr("kernel")),
                Ink("activation", largest(products), True, of=tr("products")))
    unit, _ = unit_of(max(largest(values), largest(products)))
    digits = 2 if unit == 1 else 1
    return (Ink("gradient", largest(values), True, digits, unit, "gradient"),
            Ink("weight", largest(weights), True, of=tr("kernel")),
            Ink("gradient", largest(products), True, digits, unit, "products"))


def _chosen(strength: NDArray[np.float64], grid: Grid, frame: Area) -> tuple[list[int], list[int]]:
    """The channels that get a column, in their order, and the others: those of least strength.

    As many columns as have room for cells that print their number, six at most.
    """
    room = frame.width - (NAMES + AXIS)
    most = int(min(MOST_COLUMNS, max(2, room // (max(grid[2] * LEAST_CELL, 96) + 16))))
    if len(strength) <= most:
        return list(range(len(strength))), []
    strong = sorted(np.argsort(-np.abs(strength), kind="stable")[:most - 1].tolist())
    return strong, [channel for channel in range(len(strength)) if channel not in strong]


@dataclass(frozen=True)
class _Layout:
    """Where the grids of a slide stand, one column a channel."""

    x: float
    pitch: float
    cell: tuple[float, float]
    wide: float
    """Of one grid."""
    tops: tuple[float, ...]
    sums: float
    """Baseline of the channel sums."""
    below: float
    """Where the running sum may begin."""
    names: float
    """x of the names of the rows."""


def _layout(frame: Area, grid: Grid, columns: int, rows: int) -> _Layout:
    room = frame.width - (NAMES + AXIS)
    pitch = float(int(min(room / columns, max(152, grid[2] * 62))))
    wide = float(int(min(58.0 if columns <= 2 else 44.0, (pitch - 16) / grid[2])))
    tall = frame.height * 0.58 - 80 if frame.look.mode.charts else frame.height - 160  # below it the running sum
    high = min(wide * 0.73, 32, tall / (rows * grid[1]))
    high = float(int(max(high, 8)))
    step = max(high * grid[1] + 28, min(SAID, tall / rows))
    tops = tuple(frame.y + HEAD + index * step for index in range(rows))
    end = tops[-1] + high * grid[1]
    sums = max(end + 22, tops[-1] + high * grid[1] / 2 + 46) if columns > 1 else end + 2  # under the last row's name
    x = float(round(frame.x + AXIS))
    names = min(frame.right - NAMES + 16, x + (columns - 1) * pitch + wide * grid[2] + 24)
    return _Layout(x, pitch, (wide, high), wide * grid[2], tops, sums, sums + 12, names)


def _row_names(rows: Sequence[Tiled], inks: Sequence[Ink], groups: Sequence[Group], layout: _Layout, frame: Area,
               summed: bool, formula: str) -> list[Mark]:
    x = layout.names
    room = NAMES - 16
    marks: list[Mark] = [Text(x, frame.y + 24, plain(formula), 13, 400, "ink", max_width=room)]
    for top, ink, group, (title, words, values) in zip(layout.tops, inks, groups, rows, strict=True):
        middle = top + layout.cell[1] * values.shape[1] / 2
        marks += grouped(group, _name(x, middle, room, title, words, ink, layout.tops[1] - layout.tops[0]))
    if summed:
        marks.append(Text(x, layout.sums, plain(tr("channel sums")), 13, 600))
    return marks


def _name(x: float, middle: float, room: float, title: str, words: str, ink: Ink, tall: float) -> list[Mark]:
    """The name of a row of grids, what it is, its unit and what its strongest colour stands for; as much of it as is
    not too `tall`."""
    lines = [words, *([tr("in {unit}").format(unit=unit_name(ink.unit))] if ink.unit != 1 else []), ink.range]
    lines = lines[:max(1, int(tall // 16) - 1)]
    top = middle - 8 * (len(lines) - 1)
    return [Text(x, top, plain(title), 13, 600, max_width=room),
            *(Text(x, top + 16 * (line + 1), plain(line_words), 12, 400, "ink-2", max_width=room)
              for line, line_words in enumerate(lines))]


def _others_words(others: list[int], layout: _Layout, place: int, words: str, frame: Area) -> list[Mark]:
    x = layout.x + place * layout.pitch
    room = min(layout.pitch, layout.names - x) - 8
    return [Text(x, frame.y + 16, plain(numbers.others(len(others), tick(
        numbers.count(len(others)), len(others), 0, len(others)))), 13, 600,
                 max_width=room),
            Text(x, frame.y + 33, plain(fitting((words, words.replace(f"{tr('channel')} ", "")), room, 12)), 12, 400,
                 "ink-2",
                 max_width=room)]


def _maps_beside(trace: Trace, slide: Slide, taps: Taps, frame: Area, layout: _Layout) -> list[Mark]:
    """The whole maps, where few columns leave room for them."""
    x = layout.names + NAMES
    return map_row(trace, _read_and_made(trace, slide, taps), ("←" if slide.backward else "→",), frame, x, frame.y,
                   frame.right - x, layout.below - frame.y - 12)


def _read_and_made(trace: Trace, slide: Slide, taps: Taps) -> list[Shown]:
    """The map the terms were read from, and the map the number stands in: in the order in which things flow."""
    source = trace[taps.source]
    if slide.backward and not slide.hands_on:
        return [marked(slide.layer, slide.cell, tr("handed to"), True, slide.made),
                Shown(source, taps.cells, tr("from"), True, target=about(slide), to_gradient=True)]
    return [Shown(source, taps.cells, tr("read from"), target=about(slide)),
            marked(slide.layer, slide.cell, tr("stands in"), made=slide.made)]


# --- the running sum ------------------------------------------------------------------------------------------------

def _running_sum(slide: Slide, terms: Terms, columns: list[int], others: list[int], sums: NDArray[np.float64],
                 products: NDArray[np.float64], found: Mapping[int, list[list[Term | None]]], grid: Grid,
                 layout: _Layout, ink: Ink, frame: Area) -> Running:
    """The running sum as a waterfall, ending in the bias and the result."""
    backward, size = slide.backward, grid[1] * grid[2]
    x, y = frame.x + AXIS - 6, layout.below + 30
    height = frame.bottom - y - 34
    if not np.isfinite(products).all():
        return Running(())
    right = frame.right - NAMES + 8
    added = [float(value) for channel in columns for value in products[channel].ravel()]
    rest = ([float(sums[others].sum())] if others else []) + ([] if terms.bias is None else [terms.bias])
    running = np.cumsum([*added, *rest])

    def total(done: int) -> float | None:
        return float(running[min(done, len(running)) - 1]) if done else None

    if height < 60:
        return Running((), total=total)
    if len(columns) + bool(others) <= 2:  # no columns to stand under: over the whole width
        step = (right - layout.x - 30) / (len(added) + bool(others))
        places = [layout.x + (index + 0.5) * step for index in range(len(added) + bool(others))]
    else:
        step = layout.wide / size
        places = [layout.x + place * layout.pitch + (index + 0.5) * step
                  for place in range(len(columns)) for index in range(size)]
        if others:
            places.append(layout.x + len(columns) * layout.pitch + layout.wide / 2)
        right = max(right, places[-1] + 30)
    if others:
        added.append(float(sums[others].sum()))
    bar = max(2.0, min(26, step - 1))
    colors = ["gradient-mark" if backward else "positive-bar" if step >= 0 else "negative-bar" for step in added]
    if terms.bias is not None:
        added.append(terms.bias)
        places.append(right + 14)
        colors.append("weight-positive-text" if terms.bias >= 0 else "weight-negative-text")
    sums_up = [term for channel in columns for row in found[channel] for term in row]
    fall = waterfall(x, y, frame.right - x, height, added, colors, places, bar, frame.look, unit=ink.unit, group=FALL,
                     terms=[term and replace(term, total=float(total))
                            for term, total in zip(sums_up, running, strict=False)])
    title = tr("running sum, {unit}").format(unit=unit_name(ink.unit)) if ink.unit != 1 else tr("running sum")
    still: list[Mark] = [
        Line(((frame.x - 24, layout.below), (frame.right + 24, layout.below)), "hair"),
        Text(frame.x, layout.below + 16, plain(title), 12, 600, "ink-2"), *fall.axis]
    ends: list[list[Mark]] = [[] for _ in added]
    for place in range(len(columns)):
        done = (place + 1) * size
        words = rich(tr("so far **{running}**").format(
            running=_itself(in_unit(running[done - 1], ink), running[done - 1], ink)))
        middle = layout.x + place * layout.pitch + layout.wide / 2 if len(columns) + bool(others) > 2 \
            else min(places[done - 1], right - 40)
        ends[done - 1] = [Text(middle, frame.bottom - 6, words, 12, 400, "ink-2", "middle")]
    if terms.bias is not None:
        below = min(max(fall.ends[-1], fall.ends[-2] if len(fall.ends) > 1 else 0) + 15, frame.bottom - 20)
        ends[-1] = [Text(places[-1], below, plain(claimed(numbers.signed(terms.bias), [itself(terms.bias)])), 12,
                         600, colors[-1], "middle"),
                    Text(places[-1], frame.bottom - 6, plain(tr("bias")), 12, 400, "ink-2", "middle")]
    empty: list[Mark] = [Rect(right + 48, fall.zero - 9, 44, 18, "hatch", "tile-border", 1, True, 3, focus=about(slide),
                              group=RESULT)]
    result = _result_bar(slide, terms, right, y, height, frame, ink, min([0.0, *running]), max([0.0, *running]))

    frames = [fall.outlined(index) for index in range(len(added))]
    heights = [fall.zero, *fall.ends]

    def slot(index: int) -> tuple[float, float]:
        """Where the next term will land: on the sum as it stands."""
        return places[index], heights[index]

    def after(at: float) -> list[Mark]:
        done, share = halves(at)
        marks = [mark for bars in fall.bars[:done] for mark in bars]
        marks += [mark for words in ends[:done] for mark in words]
        if share and slow(done) and done < len(added):
            x, y = slot(done)
            own = Rect(x - bar / 2 - 3, y - 7, bar + 6, 14, "", "rule", 1, radius=3, dashed=True, focus=about(slide))
            marks += parts.faded([own], min(1.0, share / COME))
        marks += hopped(frames, at, frame.look)
        return marks + (result if done > len(added) else empty)

    return Running(tuple(grouped(FALL, still)), len(added) + 1, after,
                   total, slot)


def _result_bar(slide: Slide, terms: Terms, right: float, y: float, height: float, frame: Area, ink: Ink, low: float,
                high: float) -> list[Mark]:
    backward = slide.backward
    _, at = scale(0, y, 0, height, low, high, frame.look)
    x, wide = right + 48, 44
    a, b = sorted((at(0), at(terms.result)))
    fill = "gradient-mark" if backward else "accent-fill"
    inside = b - a > 22
    where = (a + 16 if terms.result >= 0 else b - 7) if inside else \
        (a - 5 if terms.result >= 0 else b + 14)
    own = result_of(slide, terms.result)
    return grouped(RESULT, [
            Rect(x, a, wide, max(2.0, b - a), fill, radius=2, focus=own.target, holds=own),
            Text(x + wide / 2, where, plain(_itself(in_unit(terms.result, ink), terms.result, ink)), 13, 600,
                 "ink" if not inside else colour.ink_on(fill, frame.look.theme) if backward else "on-accent",
                 "middle"),
            Text(x + wide / 2, frame.bottom - 6, plain(tr("result")), 12, 500, "ink-2", "middle")])


# --- the largest of a window ----------------------------------------------------------------------------------------

def max_slide(trace: Trace, slide: Slide, terms: Terms, grid: Grid, frame: Area) -> Laid:
    """The map, the window cut out of it, the winner and where it goes; below, the largest so far, value by value."""
    taps = terms.taps[0]
    values = taps.values.reshape(grid)[0]
    inside = None if taps.inside is None else taps.inside.reshape(grid)[0]
    size, ink = grid[1] * grid[2], Ink("activation", largest(values), of=tr("window"))
    found = window_terms(held(trace, slide, taps), 0, grid)
    across = float(int(min(84, 260 / grid[2], 0.28 * frame.width / grid[2])))
    wide = across * grid[2]
    read, made = _read_and_made(trace, slide, taps)
    side = min((frame.width - wide - 160) / 2, frame.height * 0.58 - TITLE, 400)
    cell = (across, float(int(min(60, 220 / grid[1], max(side / grid[1], 24)))))
    tall = cell[1] * grid[1]
    left, across = one_map(trace, read, frame, frame.x, frame.y, side)
    x, y = frame.x + across + 80, frame.y + TITLE + max(0.0, side - tall) / 2
    right, _ = one_map(trace, made, frame, x + wide + 80, frame.y, side)
    window = next((mark for mark in reversed(left) if isinstance(mark, Rect)), None)
    still = [*left]
    if window is not None:
        edge = window.x + window.width
        still.insert(0, Path((parts.polygon(((edge, window.y), (x - 8, y), (x - 8, y + tall),
                                             (edge, window.y + window.height))),), fill="wedge"))
    still += [*right, Text(x, y - 12, plain(tr("what it sees")), 12, 400, "ink-2"),
              *number_grid(x, y, cell, values, ink, frame.look, inside=inside, size=16, foci=read_at(found),
                           group=WINDOW, terms=found,
                           claims=lambda row, column: of_value(taps, row * grid[2] + column)),
              Text(x, y + tall + 20, plain(ink.range), 12, 400, "ink-2"),
              *arrow(x + wide + 14, y + tall / 2, x + wide + 66, "ink-2"),
              Text(x + wide + 40, y + tall / 2 - 12, plain("max"), 13, 600, "ink-2", "middle")]
    race = _race(taps, found, frame, frame.y + TITLE + max(side, tall + 8) + 24, ink)

    frames: list[Rect | None] = [outline(x, y, cell, row, column, term=found[row][column])
                                 for row, column in np.ndindex(*grid[1:])]
    winner = None if terms.winner is None else divmod(terms.winner, grid[2])
    if winner is not None:
        frames.append(outline(x, y, cell, *winner, 3, found[winner[0]][winner[1]]))
    spots = [mark for mark in right if isinstance(mark, Rect) and mark.stroke == "accent"]

    def after(at: float) -> list[Mark]:
        marks = [*race.after(at), *followed(frames, at, frame.look)]
        if winner is not None and spots and at > size:
            own = found[winner[0]][winner[1]]
            start = x + (winner[1] + 0.5) * cell[0], y + (winner[0] + 0.5) * cell[1]
            end = spots[-1].x + spots[-1].width / 2, spots[-1].y + spots[-1].height / 2
            marks += flown(own, start, end, "" if own is None else ink.words(own.product), "ink", at, True)
        return marks

    return Laid((*still, *race.still), size + 1, after)


def _race(taps: Taps, found: Sequence[Sequence[Term | None]], frame: Area, y: float, ink: Ink) -> Laid:
    """Every value as a bar, and a line at the largest so far."""
    values = taps.values
    height = frame.bottom - y - 56
    drawn = np.where(np.isfinite(values), values, 0.0)
    if height < 60 or not len(values):
        return Laid(())
    x, wide = frame.x + AXIS, min(frame.width - AXIS, len(values) * 140)
    axis, height_of = scale(x, y + 30, wide, height, float(drawn.min()), float(drawn.max()), frame.look)
    step = wide / len(values)
    still: list[Mark] = [Line(((frame.x - 24, y), (frame.right + 24, y)), "hair"),
                         Text(frame.x, y + 18, plain(tr("the largest so far")), 12, 600, "ink-2"), *axis]
    running = np.maximum.accumulate(drawn)
    terms = [term for row in found for term in row if term is not None]

    def after(at: float) -> list[Mark]:
        done = int(at)
        marks: list[Mark] = []
        for index, value in enumerate(drawn[:done].tolist()):
            left, (a, b) = x + index * step, sorted((height_of(0), height_of(value)))
            best = done > len(values) and value == running[-1] and index == int(np.argmax(drawn))
            fill = "accent-fill" if best else "positive-bar" if value >= 0 else "negative-bar"
            marks.append(Rect(left + step * 0.25, a, step * 0.5, max(1.0, b - a), fill, radius=2,
                              focus=terms[index].source, group=LARGEST, holds=terms[index]))
            marks.append(Text(left + step / 2, frame.bottom - 6, plain(
                claimed(ink.words(float(values[index])), [of_value(taps, index)])), 12,
                              600 if best else 400, "accent-ink" if best else "ink-2", "middle"))
        level = [(x + (index + end) * step, height_of(float(running[index]))) for index in range(min(done, len(values)))
                 for end in (0, 1)]
        if level:
            marks.append(Line(tuple(level), "accent", 2))
        return marks

    return Laid(tuple(grouped(LARGEST, still)), len(values) + 1, after)


# --- what a number hands back ---------------------------------------------------------------------------------------

def hands_slide(trace: Trace, slide: Slide, taps: Taps, grid: Grid, frame: Area) -> Laid:
    """window × g is its share of ∂L/∂w; kernel × g is its share of ∂L/∂x; below, ∂L/∂w of all positions together."""
    g = slide.value
    values, weights = taps.values.reshape(grid), taps.weights.reshape(grid)
    strength = np.abs(values * g).sum(axis=(1, 2)) + np.abs(weights * g).sum(axis=(1, 2))
    columns, others = _chosen(strength, grid, frame)
    arrays = [values, values * g, weights, weights * g]
    unit, _ = unit_of(max(largest(arrays[1]), largest(arrays[3])))
    digits = 2 if unit == 1 else 1
    inks = [Ink("activation", largest(values), of=tr("window")),
            Ink("gradient", largest(arrays[1]), True, digits, unit, tr("share of ∂L/∂w")),
            Ink("weight", largest(weights), True, of=tr("kernel")),
            Ink("gradient", largest(arrays[3]), True, digits, unit, tr("share of ∂L/∂x"))]
    inside = None if taps.inside is None else taps.inside.reshape(grid)
    if len(columns) + bool(others) <= 2:
        layout, spots = _two_by_two(frame, grid, len(columns))
    else:
        layout, spots = _four_rows(frame, grid, len(columns) + bool(others))
    words = numbers.signed(g, 4) if abs(g) >= 1e-4 or g == 0 else numbers.power(g)
    times = f"× {claimed(words, [('gradient', slide.layer.name, slide.cell, None, '')])}"
    to_weights, to_reads = weight_shares(trace, slide, taps, g), input_shares(trace, slide, taps, g)
    read = held(trace, slide, taps)
    shares = {channel: [window_terms(to_weights or read, channel, grid)] * 2
              + [window_terms(to_reads, channel, grid)] * 2 for channel in columns}
    foci = {channel: read_at(window_terms(read, channel, grid)) for channel in columns}
    still: list[Mark] = []
    for place, channel in enumerate(columns):
        x = layout.x + place * layout.pitch
        still += source_tile(trace, taps, channel, grid, x, frame.y, frame.look, layout.pitch - 8, about(slide))[0]
        for index in (0, 2):
            still += number_grid(x + spots[index][0], spots[index][1], layout.cell, arrays[index][channel], inks[index],
                                 frame.look, inside=None if inside is None or index else inside[channel],
                                 foci=foci[channel], group=HANDED[index], terms=shares[channel][index],
                                 claims=_claims_back(trace, slide, taps, channel, grid, unit)[index])
        still += _total_tile(slide, channel, x, layout, frame)
    if others:
        still += _others_words(others, layout, len(columns), tr("with smaller shares"), frame)
    still += _hands_names(trace, slide, taps, layout, spots, inks, len(columns), grid[1], frame)
    if frame.look.mode.charts:
        still.append(Line(((frame.x - 24, layout.below), (frame.right + 24, layout.below)), "hair"))

    own = about(slide)
    told = next(box_of(mark) for mark in still if isinstance(mark, Text) and mark.focus == own)
    start = told[0] + told[2] / 2, told[1] + told[3] / 2

    def after(at: float) -> list[Mark]:
        done, share = halves(at)
        marks: list[Mark] = []
        for place, channel in enumerate(columns):
            x = layout.x + place * layout.pitch
            for index in (1, 3):
                if done >= index:
                    marks += _times(times, x, spots[index - 1], spots[index], layout)
                unknown = np.zeros(grid[1:], bool) if done <= index else None
                marks += number_grid(x + spots[index][0], spots[index][1], layout.cell,
                                     arrays[index][channel], inks[index], frame.look, known=unknown, size=12,
                                     inside=None if inside is None or index > 1 else inside[channel],
                                     foci=foci[channel], group=HANDED[index], terms=shares[channel][index],
                                     claims=_claims_back(trace, slide, taps, channel, grid, unit)[index])
        if share and done in (0, 2):  # what arrived goes to every channel
            for place in range(len(columns)):
                left, top = spots[done + 1]
                end = layout.x + place * layout.pitch + left + layout.wide / 2, top - 11
                marks += flown(Term(own, own, g, backward=True), start, end, said(g, True, 3), "gradient-text", at,
                               leave=0.02)
        return marks

    return Laid(tuple(still), 4, after)  # two arrows with the gradient on them, two grids of what it makes


def _claims_back(trace: Trace, slide: Slide, taps: Taps, channel: int, grid: Grid,
                 unit: float) -> list[Callable[[int, int], Claim]]:
    """What a number of the window, of its share, of the kernel and of its share claims to be."""
    read, weighed, _ = _claims(trace, taps, slide.layer.name, channel, grid, 1.0)
    g: Claim = ("gradient", slide.layer.name, slide.cell, None, "")
    return [read, lambda row, column: of_product(of_value(taps, _at(channel, grid, row, column)), g, unit),
            weighed, lambda row, column: of_product(g, weighed(row, column), unit)]


HANDED = tuple(Group(name, cells=True, shows=shows) for name, shows in (
    (english("window"), "weight"), (english("share of ∂L/∂w"), "product"),
    (english("kernel"), "weight"), (english("share of ∂L/∂x"), "product")))
"""The four grids of a channel."""
TOTALS = Group(english("∂L/∂w of all positions"), cells=True)

Spots = list[tuple[float, float]]
"""Where the four grids of a channel stand: x from the left of its column, y of the picture."""


def _four_rows(frame: Area, grid: Grid, columns: int) -> tuple[_Layout, Spots]:
    """Window, its share, kernel, its share: above each other, a column a channel."""
    pitch = float(int(min((frame.width - NAMES) / columns, max(152, grid[2] * 62))))
    wide = float(int(min(44, (pitch - 16) / grid[2])))
    totals = min(150, 0.2 * frame.height) if frame.look.mode.charts else 0.0
    room = frame.height - (HEAD + 24 + 20 + 24 + 14) - totals
    high = float(int(max(8, min(32, wide * 0.73, room / (4 * grid[1])))))
    step, top = high * grid[1], frame.y + HEAD
    apart = min(SAID, (frame.height - HEAD - 14 - totals) / 4)
    share, pair = max(step + 24, apart), max(step + 20, apart)
    tops = (top, top + share, top + share + pair, top + 2 * share + pair)
    below = tops[3] + max(step + 14, step / 2 + apart / 2)
    names = min(frame.right - NAMES + 16, frame.x + (columns - 1) * pitch + wide * grid[2] + 24)
    layout = _Layout(frame.x, pitch, (wide, high), wide * grid[2], tops, below, below, names)
    return layout, [(0.0, y) for y in tops]


def _two_by_two(frame: Area, grid: Grid, columns: int) -> tuple[_Layout, Spots]:
    """Window and its share side by side, below them kernel and its share: larger cells, where channels are few."""
    above = 40
    room = (frame.width - (columns - 1) * 40) / columns
    wide = float(int(min(58, ((room if columns > 1 else 0.6 * room) - 92) / (2 * grid[2]))))
    between = max(92.0, min(LABELLED, room / 2) - wide * grid[2])
    totals = min(190, 0.3 * frame.height) if frame.look.mode.charts else 0.0
    high = min(36, wide * 0.73, (frame.height - (HEAD + 14) - 2 * above - totals) / (2 * grid[1]))
    high = float(int(max(8, high)))
    across, step = wide * grid[2], high * grid[1]
    tops = (frame.y + HEAD + above, frame.y + HEAD + 2 * above + step)
    below = tops[1] + step + 14
    layout = _Layout(frame.x, 2 * across + between + 40, (wide, high), across, tops, below, below,
                     frame.x + columns * (2 * across + between + 40))
    return layout, [(0.0, tops[0]), (across + between, tops[0]), (0.0, tops[1]), (across + between, tops[1])]


def _times(words: str, x: float, source: tuple[float, float], target: tuple[float, float],
           layout: _Layout) -> list[Mark]:
    """The arrow from a grid to its share, with the gradient it is multiplied by."""
    if source[1] == target[1]:
        left, right = x + source[0] + layout.wide + 4, x + target[0] - 8
        rows = (layout.below - layout.tops[1] - 14) / 2
        return [*arrow(left, source[1] + rows, right, "gradient-mark"),
                Text((left + right) / 2, source[1] + rows - 10, plain(words), 12, 600, "gradient-text",
                     "middle")]
    return [Text(x + layout.wide / 2, target[1] - 7, plain(f"↓ {words}"), 12, 600, "gradient-text", "middle")]


def _hands_names(trace: Trace, slide: Slide, taps: Taps, layout: _Layout, spots: Spots, inks: Sequence[Ink],
                 columns: int, rows: int, frame: Area) -> list[Mark]:
    """What the four grids are: beside the rows, or above each grid where they stand two by two."""
    g = slide.value
    names = list(zip(HANDED, (tr("what it saw"), tr("g × input"), tr("what it weighed"), tr("g × weight")),
                     strict=True))
    formula = (Run("g", italic=True), Run(" = "), Run(claimed(said(g, True), [
        ("gradient", slide.layer.name, slide.cell, None, "")]), 600, "gradient-text"))
    meaning = (Run("∂L/∂"), Run("y", italic=True), Run(tr(", what arrived")))
    marks: list[Mark] = []
    if spots[0][1] == spots[1][1]:
        for place in range(columns):
            for (group, words), ink, (left, top) in zip(names, inks, spots, strict=True):
                x = layout.x + place * layout.pitch + left
                ends = frame.right if left and place == columns - 1 else x - left + (layout.pitch if left else
                                                                                     spots[1][0])
                room = min(ends - x - 8, layout.wide + 60)
                unit = f", {unit_name(ink.unit)}" if ink.unit != 1 else ""
                ways = (*([f"{words}{unit}; {ink.range}"] if frame.look.mode.notes else []), f"{words}{unit}", words)
                marks += grouped(group, [Text(x, top - 24, plain(translated(group.name)), 13, 600, max_width=room),
                                         Text(x, top - 8, plain(fitting(ways, room, 11) or words), 11, 400, "ink-2",
                                              max_width=room)])
        x = layout.x + 170
        marks += [Text(x, frame.y + 16, formula, 15, 500, focus=about(slide)),
                  Text(x, frame.y + 33, meaning, 12, 400, "ink-2")]
        x, y, maps = layout.names + 16, frame.y, [Shown(trace[taps.source], taps.cells, tr("read from")),
                                                      marked(slide.layer, slide.cell, tr("∂L/∂y of its map"), True)]
        if not frame.look.mode.charts:  # what was read stands at the left already, here how many more there are
            x, y, maps = x + 12, layout.tops[0] - 34, maps[1:]
        marks += maps_in(trace, maps, frame, x, y, frame.right - x, layout.below - y - 12)
        x = layout.x + (columns - 1) * layout.pitch + layout.wide + 92
        marks += _totals_words(slide, x, layout.below, frame)
        beside = x + 180, layout.below + 28
        if frame.right - beside[0] < LABELLED:  # else below what stands there
            beside = layout.x, layout.below + 136
        return marks + way_back(trace, slide.layer, slide.cell, frame, *beside, min(300, frame.right - beside[0]))
    x, room = layout.names, NAMES - 16
    marks += [Text(x, frame.y + 16, formula, 15, 500, max_width=room, focus=about(slide)),
              Text(x, frame.y + 33, meaning, 12, 400, "ink-2", max_width=room)]
    apart = layout.tops[1] - layout.tops[0]
    for (group, words), ink, (_, top) in zip(names, inks, spots, strict=True):
        marks += grouped(group, _name(x, top + rows * layout.cell[1] / 2, room, group.name, words, ink, apart))
    return marks + _totals_words(slide, x, layout.below, frame)


def _total_tile(slide: Slide, channel: int, x: float, layout: _Layout, frame: Area) -> list[Mark]:
    """∂L/∂w of one kernel, all positions added up, a sign in each cell."""
    totals = slide.layer.weight_gradients.get("weight")
    if totals is None or not kinds.adds_up(slide.layer, "weight") or not frame.look.mode.charts:
        return []
    kind, unit = kinds.of(slide.layer), slide.cell[_of_units(slide)]
    own = totals[unit] if kind is None else np.moveaxis(totals, kind.weight_axis, 0)[unit]
    if channel >= len(own):
        return []
    tile = np.atleast_2d(own[channel])
    ink, y = Ink("gradient", largest(own), of=tr("∂L/∂w of all positions")), layout.below
    side = min(28, (frame.bottom - y - 44) / tile.shape[0])
    if side < 6:
        return []
    left, top = x + (layout.wide - side * tile.shape[1]) / 2, y + 14
    marks: list[Mark] = []
    shades = ink.fills(tile)
    if not slide.made:
        wide = side - 1.5
        return grouped(TOTALS, [Rect(left + column * side, top + row * side, wide, wide, "", "rule", 1, True, 2)
                                for row, column in np.ndindex(*tile.shape)])
    for (row, column), value in np.ndenumerate(tile):
        focus = Focus(slide.layer.name, (unit, channel, row, column)[:own.ndim + 1], "weight")
        marks.append(Rect(left + column * side, top + row * side, side - 1.5, side - 1.5,
                          f"gradient-pale:{shades[row, column]}", "tile-border", 1, inside=True, radius=2, focus=focus,
                          scale=ink.scale))
        if side >= 12 and value:
            marks.append(Text(left + (column + 0.5) * side - 0.7, top + row * side + side * 0.5 + 4.5,
                              plain("+" if value > 0 else "−"), 12, 600, "ink", "middle"))
    first = kind is None or not kind.weight_axis
    size = claimed(numbers.significant(norm(tile), 3), [
        ("norm", slide.layer.name, (unit, channel), None, "weight_gradients.weight") if first else itself(norm(tile))])
    words = rich(f"∥∂L/∂w∥ **{size}**")
    return grouped(TOTALS, [*marks, Text(x + layout.wide / 2, top + tile.shape[0] * side + 16, words, 12, 400, "ink-2",
                                         "middle")])


def _of_units(slide: Slide) -> int:
    """The axis along which a layer has weights of its own: the first of a picture, the last of a sequence."""
    axes = slide.layer.axes
    return next((axes.index(axis) for axis in ("channel", "unit", "class") if axis in axes), 0)


def _totals_words(slide: Slide, x: float, y: float, frame: Area) -> list[Mark]:
    if not frame.look.mode.charts:
        return []
    assert slide.layer.gradient is not None
    unit = slide.cell[_of_units(slide)]
    own = np.moveaxis(slide.layer.gradient, _of_units(slide), 0)[unit]
    alive = int(np.count_nonzero(own))
    added = tr("added up: ∂L/∂w") if kinds.adds_up(slide.layer, "weight") else tr("added up: a share of ∂L/∂w")
    lines = [(tr("all positions"), 13, "ink"),
             (tr("{alive} of {count}").format(alive=claimed(numbers.count(alive), [
        itself(alive)]), count=claimed(numbers.count(own.size), [itself(own.size)])), 12, "ink-2"),
             (tr("carry gradient;"), 12, "ink-2"), (added, 12, "ink-2")]
    marks: list[Mark] = [Text(x, y + 28 + 17 * index, plain(words), size, 600 if index == 0 else 400, ink)
                         for index, (words, size, ink) in enumerate(lines)]
    bias = slide.layer.weight_gradients.get("bias")
    claims: list[Claim] = [("value", slide.layer.name, (unit,), None, "weight_gradients.bias")]
    known = slide.made and bias is not None and kinds.adds_up(slide.layer, "bias")
    if known and bias is not None and unit < len(bias) and y + 104 < frame.bottom:
        marks.append(Text(x, y + 100, rich(f"∂L/∂b **{claimed(said(float(bias[unit]), True, 3), claims)}**"), 12, 400,
                          "ink-2"))
    return marks
