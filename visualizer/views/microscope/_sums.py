"""Slides of sums that form no windows: long ones as tiles and a sorted list, short ones as one line of arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.kinds import Taps, Terms
from visualizer.language import counted_as, english, tr, translated
from visualizer.said import Claim, claimed, constants, tick
from visualizer.scene import colour, numbers, parts
from visualizer.scene.boxes import descending, whole
from visualizer.scene.grids import LOOKED_AT, Ink, curve, number_grid, scale, unit_of
from visualizer.scene.labels import cut, fitting
from visualizer.scene.picture import (
    Focus,
    Group,
    Image,
    Line,
    Look,
    Mark,
    Rect,
    Scale,
    Term,
    TermTiles,
    Text,
    Touch,
    grouped,
    plain,
    rich,
)
from visualizer.scene.type import width
from visualizer.trace import Layer, Trace
from visualizer.views.microscope._claims import itself, of_product, of_value, of_weight
from visualizer.views.microscope._maps import Shown, emptied, factor_words, map_row, marked, way_back
from visualizer.views.microscope._slide import (
    KNOWN,
    LAND,
    LISTED,
    NAMES,
    RESULT,
    Area,
    Laid,
    Slide,
    about,
    arrow,
    fills,
    flown,
    followed,
    halves,
    held,
    input_shares,
    largest,
    result_of,
    said,
    slow,
    value_ink,
    weight_shares,
)
from visualizer.views.microscope._words import adds_up, cell_words, stands, tap_words, told_place

FALL, LINE = Group(english("running sum")), Group(english("terms"), cells=True, shows="value")
ROW = 24.0
"""Height of a line of the list of terms."""
LEAST_BAR = 16.0
"""Length that is left for the bars of that list where names need the rest."""
MOST_ENTRIES, LEAST_PITCH = 8, 72.0
"""Terms in one line of arithmetic, and how far apart they stand at least: nearer, their numbers would be cut."""


@dataclass(frozen=True, eq=False)
class Strip:
    """One number of each term, as tiles."""

    title: str
    words: str
    values: NDArray[np.float64]
    palette: str
    shows: str
    """Which number of the terms it is."""
    held: TermTiles

    @property
    def group(self) -> Group:
        return Group(self.title, cells=True, shows=self.shows)


# --- long sums ------------------------------------------------------------------------------------------------------

def long_sum_slide(trace: Trace, slide: Slide, name: str, terms: Terms, frame: Area) -> Laid:
    """All terms as tiles; the largest as a list; the running sum from the largest to the smallest."""
    taps = terms.taps[0]
    strips = _strips(trace, slide, taps, name)
    marks, y = _tiles(trace, taps, strips, frame, ["→", "", "→"] if slide.hands_on else ["×", "="])
    marks.append(Line(((frame.x - 24, y), (frame.right + 24, y)), "hair"))
    y += 10
    wide = min(500, (frame.width - 60) / 2)
    x = frame.right - wide
    if slide.hands_on:
        one = _term_list(trace, slide, name, taps, terms, taps.values, slide.value, tr("∂L/∂w = g × input"), frame,
                         frame.x, y, wide, tiles=strips[1].held)
        other = _term_list(trace, slide, name, taps, terms, taps.weights, slide.value,
                           tr("share of ∂L/∂x = g × weight"), frame, x, y, wide, tiles=strips[3].held)
        return handed_out(slide, marks, (one, other))
    listed = _term_list(trace, slide, name, taps, terms, taps.values, None, tr("value × weight"), frame, frame.x, y,
                        wide, slide.backward, strips[0].held)
    fall = sorted_fall(slide, taps.products, () if terms.bias is None else (terms.bias,), listed, frame, x, y, wide)
    return added_up(slide, marks, listed, fall, frame.look)


# --- tiles of which one after the other is added ----------------------------------------------------------------------

def added_up(slide: Slide, marks: Sequence[Mark], listed: Listing, fall: Running, look: Look) -> Laid:
    """Tiles, a list of the largest terms, and the running sum: the term under way is outlined in its tiles, its product
    appears, and flies to the running sum."""
    products = _rows(marks, "product")
    rows = [row for shows in ("value", "weight", "product") if (row := _rows(marks, shows))]
    count = len(listed.shown)
    frames = [[_framed(row, index, listed.term(index), slide.backward, shows == 0) for index in listed.shown]
              for shows, row in enumerate(rows)]

    def after(at: float) -> list[Mark]:
        done, share = halves(at)
        found = _revealed(products, listed, done + (share >= KNOWN)) if not slide.made else []
        if at <= count and done < listed.pieces:
            found += [mark for row in frames for mark in followed(row, at, look)]
        found += [*listed.after(at), *fall.after(at)]
        if share and done < count and fall.slot is not None and products:
            term = listed.term(listed.shown[done])
            x, y, wide, high = _tile_box(products, listed.shown[done])
            words = "" if term is None else said(term.product, True, 3)
            found += flown(term, (x + wide / 2, y + high / 2), fall.slot(done), words,
                           "ink" if term is None else value_ink(term.product, slide.backward), at, until=LAND)
        return found

    still = marks if slide.made else _without_products(marks)
    return Laid((*still, *listed.still, *fall.still), listed.pieces, after,
                fall.total)


def handed_out(slide: Slide, marks: Sequence[Mark], lists: Sequence[Listing], first: Laid | None = None) -> Laid:
    """Tiles, and lists of what is handed to the weights and to what was read, each share in its turn; before them comes
    what `first` lays out."""
    products = _rows(marks, "product")
    half = len(products) // len(lists)
    before = first or Laid(())
    pieces = before.pieces + max(one.pieces for one in lists)

    def after(at: float) -> list[Mark]:
        late = max(0.0, at - before.pieces)
        found: list[Mark] = list(before.after(min(at, before.pieces)))
        for place, one in enumerate(lists):
            if not slide.made:
                found += _revealed(products[place * half:(place + 1) * half], one, int(late))
            found += one.after(min(late, one.pieces))
        return found

    still = marks if slide.made else _without_products(marks)
    return Laid((*before.still, *still, *(mark for one in lists for mark in one.still)), pieces, after)


def _rows(marks: Sequence[Mark], shows: str) -> list[Image]:
    """The tiles that show one number of each term, group beside group."""
    return [mark for mark in marks if isinstance(mark, Image) and isinstance(mark.holds, TermTiles)
            and mark.group is not None and mark.group.shows == shows]


def _without_products(marks: Sequence[Mark]) -> list[Mark]:
    """The same before anything has been multiplied: no tile of a product, and no sign on it."""
    return [mark for mark in marks if isinstance(mark, Text) or mark.group is None or mark.group.shows != "product"]


def _revealed(images: Sequence[Image], listed: Listing, done: int) -> list[Mark]:
    """The tiles of the products that are known: those of the lines that are there, then all."""
    marks, first = list[Mark](), 0
    shown = np.array(listed.shown[:done], np.int64)
    for image in images:
        count = image.values.size
        if done <= len(listed.shown):
            values, own = emptied(image).values.flatten(), shown[(shown >= first) & (shown < first + count)] - first
            values[own] = image.values.ravel()[own]
            image = replace(image, values=values.reshape(image.values.shape))
        marks.append(image)
        first += count
    return marks


def _tile_box(images: Sequence[Image], index: int) -> tuple[float, float, float, float]:
    """Where the tile of a term stands, counted through all groups."""
    for image in images:
        if index < image.values.size:
            tile, row, column = np.unravel_index(index, image.values.shape)
            x, y = image.tile_origin(int(tile))
            return x + int(column) * image.cell[0], y + int(row) * image.cell[1], *image.cell
        index -= image.values.size
    raise IndexError(index)


def _framed(images: Sequence[Image], index: int, term: Term | None, backward: bool, read: bool) -> Rect:
    x, y, wide, high = _tile_box(images, index)
    touches = read and term is not None and term.source is not None and any(
        image.focus is not None and (image.focus.layer, image.focus.array) == (term.source.layer, term.source.array)
        for image in images)
    holds = Touch(term.source, term.target, backward) if touches and term is not None and term.source is not None \
        else term
    return Rect(x - 2, y - 2, wide + 4, high + 4, "", "accent", 2, radius=2, group=LOOKED_AT, holds=holds)


def _strips(trace: Trace, slide: Slide, taps: Taps, name: str) -> list[Strip]:
    g, read, one = slide.value, held(trace, slide, taps), len(taps.values) == 1
    inputs, weights = (tr("one input"), tr("one weight")) if one else (
        words.format(count=_so_many(len(taps.values))) for words in (tr("{count} inputs"), tr("{count} weights")))
    if slide.hands_on:
        to_weights, to_reads = weight_shares(trace, slide, taps, g) or read, input_shares(trace, slide, taps, g)
        return [Strip(tr("what it saw"), inputs, taps.values, "activation", "weight", to_weights),
                Strip(tr("share of ∂L/∂w"), tr("g × input"), taps.values * g, "gradient", "product", to_weights),
                Strip(tr("what it weighed"), weights, taps.weights, "weight", "weight", to_reads),
                Strip(tr("share of ∂L/∂x"), tr("g × weight"), taps.weights * g, "gradient", "product", to_reads)]
    if taps.array == "gradient":
        return [Strip(tr("gradient"), tr("of {layer}").format(layer=name), taps.values, "gradient", "value", read),
                Strip(tr("weights"), "", taps.weights, "weight", "weight", read),
                Strip(tr("what arrives"), tr("products"), taps.products, "gradient", "product", read)]
    return [Strip(tr("what it sees"), inputs, taps.values, "activation", "value", read),
            Strip(tr("what it weighs"), weights, taps.weights, "weight", "weight", read),
            Strip(tr("what it adds"), tr("products"), taps.products, "activation", "product", read)]


def _tiles(trace: Trace, taps: Taps, strips: Sequence[Strip], frame: Area,
           signs: Sequence[str]) -> tuple[list[Mark], float]:
    """The strips, and where the next thing may begin: below each other, or beside each other where each is one map."""
    found, shape = _origin(trace, taps)
    y = frame.y + 8
    marks: list[Mark] = []
    if shape[0] == 1 and shape[1] > 1:
        gap = 64
        side = min((frame.width - gap * len(signs)) / len(strips), 0.4 * frame.height)
        pixel = max(frame.look.pixel, whole(side / max(shape[1:]), frame.look.pixel))
        wide, tall = pixel * shape[2], pixel * shape[1]
        pitch = wide + gap + max(0.0, min(40, (frame.width - gap * len(signs)) / len(strips) - wide))
        for index, strip in enumerate(strips):
            x = frame.x + index * pitch
            marks += grouped(strip.group, [
                      Text(x, y + 10, plain(strip.title), 13, 600, max_width=wide),
                      Text(x, y + 27, plain(_under(strip)), 12, 400, "ink-2",
                           max_width=pitch - 8),
                      *_strip(strip, found, shape, frame, x, y + 36, pixel, 1, (0, 0))])
            if index < len(signs) and signs[index]:
                middle, ends = y + 36 + tall / 2, (x + wide + 12, x + pitch - 12)
                marks += arrow(ends[0], middle, ends[1], "gradient-mark") if signs[index] == "→" else [
                    Text((ends[0] + ends[1]) / 2, middle + 8, plain(signs[index]), 24, 500, "ink-2", "middle")]
        return marks, y + 36 + tall + 18
    room = frame.width - NAMES - 14
    pixel, across, pitches = _sizes(shape, room, frame.look.mode.strip, frame.look.pixel)
    height = max(-(-shape[0] // across) * pitches[1], 34)
    for strip in strips:
        x = frame.right - NAMES
        marks += grouped(strip.group, [
            *_strip(strip, found, shape, frame, frame.x, y, pixel, across, pitches),
            Text(x, y + 13, plain(strip.title), 13, 600, max_width=NAMES),
            Text(x, y + 29, plain(_under(strip)), 12, 400, "ink-2", max_width=NAMES)])
        y += height + 12
    return marks, y + 4


def _under(strip: Strip) -> str:
    """What a strip is, and what its strongest colour stands for."""
    most = largest(strip.values)
    top = tick(numbers.significant(most, 2), most, 0, most)
    scope = f"to {top}" if strip.palette == "gradient" else f"±{top}"
    return f"{strip.words}, {scope}" if strip.words else scope


def _sizes(shape: tuple[int, int, int], room: float, tall: float,
           screen: float) -> tuple[float, int, tuple[float, float]]:
    """Pixels a value, tiles beside each other, and the pitch: all in one row, or in rows of the same length."""
    count, rows, columns = shape
    gap = 4 if rows > 1 else 1
    alone = whole(min(18, tall / rows, ((room + gap) / count - gap) / columns), screen)
    if alone >= 9:
        return alone, count, (alone * columns + gap, alone * rows + gap)
    for pixel in descending(18, screen)[:-1]:
        across = max(1, int((room + gap) // (pixel * columns + gap)))
        down = -(-count // across)
        if down * (pixel * rows + gap) <= tall:
            return pixel, -(-count // down), (pixel * columns + gap, pixel * rows + gap)
    return screen, max(1, min(count, int(room // (columns * screen + 1)))), (columns * screen + 1, rows * screen + 1)


def _strip(strip: Strip, found: Layer | None, shape: tuple[int, int, int], frame: Area, x: float, y: float,
           pixel: float, across: int, pitch: tuple[float, float]) -> list[Mark]:
    """All values of a long sum as tiles in the shape they came from; a minus where colour does not tell the sign."""
    title, values, palette = strip.title, strip.values, strip.palette
    top = largest(values)
    stands = parts.weight_scale(title, top, False) if palette == "weight" else \
        Scale(palette, tr("size of the gradient"), title, top * 1e-3, top, log=True) if palette == "gradient" else \
        Scale(palette, tr("values"), title, -top, top)
    tiles, shades = values.reshape(shape), fills(values, palette).reshape(shape)
    unknown = colour.unknown(tiles)
    image = Image(x, y, (pixel, pixel), shades, palette, across, pitch,
                  border="tile-border" if pixel * shape[1] > 6 else "",
                  hatched=unknown if unknown.any() else None,
                  focus=None if found is None else Focus(found.name),
                  indices=(-1,) if found is not None and found.output.ndim == 2 else (), scale=stands,
                  holds=strip.held)
    if pixel < 8 or not (frame.look.signs or palette == "gradient" or pixel >= 20):
        return [image]

    def middle(tile: int, row: int, column: int) -> tuple[float, float]:
        left, top = image.tile_origin(tile)
        return left + (column + 0.5) * pixel, top + (row + 0.5) * pixel

    return [image, *parts.minuses(tiles, shades, palette, frame.look, pixel, middle)]


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
    if source.output.ndim > 3 and len(taps.grid) > 3:  # a window of a volume, slice by slice
        return found, (int(np.prod(taps.grid[:-2])), taps.grid[-2], taps.grid[-1])
    return found, (len(taps.values), 1, 1)


def _is_in_order(layer: Layer, taps: Taps) -> bool:
    values = layer.gradient if taps.array == "gradient" else layer.output
    return values is not None and values.ndim <= 3 and np.array_equal(values.ravel(), taps.values, equal_nan=True)


def _term_list(trace: Trace, slide: Slide, owner: str, taps: Taps, terms: Terms, factors: NDArray[np.float64],
               times: float | None, head: str, frame: Area, x: float, y: float, wide: float, backward: bool = True,
               tiles: TermTiles | None = None) -> Listing:
    """The terms of one array: each value times its own weight, or all `factors` times one number, the gradient."""
    def named(index: int) -> tuple[str, Focus | None]:
        where, cell = tap_words(trace, taps, index)
        return f"`{where}` {told_place(trace, taps, index)}", Focus(where, cell)

    at = None if tiles is None else tiles.at
    own: Claim = ("gradient", slide.layer.name, slide.cell, None, "")
    if times is not None:
        return term_list(Listed(factors, np.full(len(factors), times), named, head, at=at, claims=lambda index: (
            of_value(taps, index) if factors is taps.values else of_weight(trace, taps, index, owner), own)),
                         frame, x, y, wide, backward)
    tail = [(tr("bias"), terms.bias)] if terms.bias is not None else []
    tail.append((tr("result"), terms.result))
    return term_list(Listed(taps.values, taps.weights, named, head, tuple(tail), at, lambda index: (
        of_value(taps, index), of_weight(trace, taps, index, owner))), frame, x, y, wide, backward)


@dataclass(frozen=True, eq=False)
class Listed:
    """Terms to be listed, each a value times a weight."""

    values: NDArray[np.float64]
    weights: NDArray[np.float64]
    named: Callable[[int], tuple[str, Focus | None]]
    """What a term is, with markup, and where it was read."""
    head: str
    """What stands over the products."""
    tail: tuple[tuple[str, float], ...] = ()
    """What comes after all terms, the result last."""
    at: Callable[[int], Term | None] | None = None
    """Which term stands in a line."""
    claims: Callable[[int], tuple[Claim, Claim]] | None = None
    """What the value and the weight of a term claim to be."""

    @property
    def products(self) -> NDArray[np.float64]:
        return self.values * self.weights


@dataclass(frozen=True, eq=False)
class Listing(Laid):
    """A list of terms: which of them stand in it, the first first, and any of them."""

    shown: tuple[int, ...] = ()
    term: Callable[[int], Term | None] = lambda index: None


@dataclass(frozen=True, eq=False)
class Running(Laid):
    """A running sum, and where on it the next term will land."""

    slot: Callable[[int], tuple[float, float]] | None = None


def term_list(listed: Listed, frame: Area, x: float, y: float, wide: float, backward: bool) -> Listing:
    """The largest terms, one a line, and the rest in one, so that the list adds up; then what comes after them."""
    items = listed.products
    known = np.where(np.isfinite(items), np.abs(items), np.inf)
    order = np.argsort(-known, kind="stable")
    room = int((frame.bottom - y - 18) // ROW) - 1 - len(listed.tail)
    shown = order[:max(3, min(LISTED if listed.tail else LISTED + 2, room))]
    top = largest(items) or 1.0
    unit, unit_name = unit_of(top) if backward else (1.0, "")
    digits = 2 if unit == 1 else 1
    title = (tr("{shown} largest of {count}") if len(shown) < len(items) else
             tr("{count} terms, largest first") if len(items) > 1 else tr("one term")).format(
        shown=tick(str(len(shown)), len(shown), 0, len(items)), count=_so_many(len(items)))
    title += f", {unit_name}" if unit_name else ""
    widest = max((width(numbers.signed(item / unit, digits), 13, 600) for item in items[shown].tolist()), default=0)
    claims: dict[int, tuple[Claim, ...]] = {
        index: () if listed.claims is None else listed.claims(index) for index in shown.tolist()}
    said = {index: f"{claimed(numbers.significant(float(listed.values[index]), 3), claims[index])} × "
                   f"{claimed(numbers.significant(float(listed.weights[index]), 3), claims[index], 1)}"
            for index in claims}
    ways = {index: _ways(listed.named(index)[0]) for index in said}
    need = max((width(rich(ways[index][-1]), 13) + 12 + width(words, 13) for index, words in said.items()), default=0)
    # bars give way to names that would not fit otherwise
    end = x + max(0.62 * wide, min(need, 0.97 * wide - widest - 8 - LEAST_BAR))
    bars, product = end + 0.03 * wide, x + wide
    length = max(8, min(0.18 * wide, product - bars - widest - 8))
    still: list[Mark] = [Text(x, y + 18, plain(title), 12, 600, "ink-2", max_width=0.55 * wide),
                         Text(product, y + 18, plain(listed.head), 12, 400, "ink-2", "end",
                              max_width=0.44 * wide)]
    lines: list[list[Mark]] = []
    names = 0.36 * wide
    for place, index in enumerate(shown.tolist()):
        row = y + 18 + ROW * (place + 1)
        focus, words, item = listed.named(index)[1], said[index], float(items[index])
        still.append(Rect(x - 6, row - 16, wide + 12, 23, focus=focus,
                          holds=None if listed.at is None else listed.at(index)))
        for_name = end - x - width(words, 13) - 10
        fits = fitting(ways[index], min(0.36 * wide, for_name), 13) or fitting(ways[index][-1:], for_name, 13)
        if fits or cut(rich(ways[index][-1]), for_name, 13):
            still.append(Text(x, row, rich(fits or ways[index][-1]), 13, 400, "ink-2", max_width=for_name))
            names = max(names, min(for_name, width(rich(fits or ways[index][-1]), 13)))
        fill = "gradient-mark" if backward else "positive-bar" if item >= 0 else "negative-bar"
        lines.append([
            Text(end, row, plain(words), 13, 400, "ink", "end"),
            Rect(bars, row - 11, max(1.0, length * min(1.0, abs(item) / top)) if np.isfinite(item) else length,
                 12, fill if np.isfinite(item) else "hatch", radius=2),
            Text(product, row, plain(claimed(numbers.signed(item / unit, digits), [
                of_product(claims[index][0], claims[index][1], unit)] if claims[index] else ())), 13, 600,
                 value_ink(item, backward), "end")])
    rest: list[tuple[str, float]] = []
    if len(items) > len(shown):
        left = len(items) - len(shown)
        what = counted_as(left, tr("{count} smaller term"), tr("{count} smaller terms")) if listed.tail else \
            counted_as(left, tr("{count} smaller one"), tr("{count} smaller ones"))
        rest.append((what.format(count=_so_many(left)), float(items[order[len(shown):]].sum())))
    rest += listed.tail
    rest = rest[max(0, len(shown) + len(rest) - max(len(shown) + 1, room + 1 + len(listed.tail))):]
    for place, (words, value) in enumerate(rest, len(shown)):
        row, last = y + 18 + ROW * (place + 1), bool(listed.tail) and place == len(shown) + len(rest) - 1
        lines.append([Text(x, row, rich(words), 13, 600 if last else 400, "ink"),
                      Text(product, row, plain(claimed(numbers.signed(value / unit, digits), [itself(value / unit)])),
                           13, 600, "accent-ink" if last and not backward else value_ink(value, backward), "end")])

    def after(at: float) -> list[Mark]:
        done = int(at)
        left = names + 0.04 * wide
        hatched = [Rect(x + left, y + 5 + ROW * (place + 1), wide - left, 17, "hatch", radius=3)
                   for place in range(done, len(shown))]
        return [*hatched, *(mark for line in lines[:done] for mark in line)]

    group = Group(f"{title}: {listed.head}", cells=True, shows="product")
    lines = [grouped(group, line) for line in lines]
    return Listing(tuple(grouped(group, still)), len(lines), after, shown=tuple(shown.tolist()),
                   term=listed.at or (lambda index: None))


def _so_many(count: int) -> str:
    """How many terms there are in a list."""
    return tick(numbers.count(count), count, 0, count)


def _ways(name: str) -> tuple[str, ...]:
    """Ways to say what a term is, each shorter: without the words that its number or its sign says, too."""
    without = name.replace(f" {tr('unit')} ", " ")
    return name, without, without.replace(f" {tr('gate')} ", " ")


def sorted_fall(slide: Slide, items: NDArray[np.float64], biases: Sequence[float], listed: Listing, frame: Area,
                x: float, y: float, wide: float) -> Running:
    """The running sum over all terms, the largest first: how few of them decide. It keeps step with the list."""
    order = np.argsort(-np.abs(items), kind="stable")
    running = np.concatenate([[0.0], np.cumsum([*items[order], *biases])])
    x, wide = x + 40, wide - 48
    top, height = y + 34, frame.bottom - y - 62
    if not np.all(np.isfinite(running)):
        return Running(())
    pieces = listed.pieces
    stops = list(range(len(listed.shown) + 1)) + [len(items)] * (len(listed.shown) < len(items))
    stops = [*stops, *range(len(items) + 1, len(running))][:pieces + 1]  # so many terms are there after each piece
    stops += [len(running) - 1] * (pieces + 1 - len(stops))

    def total(done: int) -> float | None:
        return float(running[stops[done]]) if done else None

    if wide < 120 or height < 60:
        return Running((), total=total)
    axis, height_of = scale(x, top, wide, height, float(running.min()), float(running.max()), frame.look)
    title = tr("running sum, the largest term first") if wide >= 230 else tr("running sum, largest first")
    ends = (tr("{one} … {count} terms and the bias") if len(biases) == 1 else
            tr("{one} … {count} terms and the biases") if biases else
            tr("{one} … {count} terms")).format(one=tick("1", 1, 0, 1), count=_so_many(len(items)))
    still: list[Mark] = [Text(x, y + 18, plain(title), 12, 600, "ink-2",
                              max_width=wide), *axis,
                         Text(x, frame.bottom - 6, plain(ends), 11, 400, "ink-2")]
    xs = x + np.arange(len(running)) / max(1, len(running) - 1) * wide
    points = tuple((float(a), height_of(float(b))) for a, b in zip(xs, running, strict=True))
    color = "gradient-mark" if slide.backward else "positive-bar"
    own = about(slide)
    way = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(np.array(points), axis=0).T))])

    def after(at: float) -> list[Mark]:
        done, share = halves(at)
        go = max(0.0, (share - LAND) / (1 - LAND)) if slow(done) else share  # it goes on when the term has landed
        ends = way[[stops[done], stops[min(done + 1, pieces)]]]
        reached = float(np.interp(ends[0] + (ends[1] - ends[0]) * go, way, np.arange(len(way)))) if go else stops[done]
        drawn, part = points[:int(reached) + 1], reached % 1
        if part:
            (x0, y0), (x1, y1) = drawn[-1], points[len(drawn)]
            drawn = (*drawn, (x0 + (x1 - x0) * part, y0 + (y1 - y0) * part))
        marks: list[Mark] = [Line(drawn, color, 2)] if len(drawn) > 1 else []
        px, py = drawn[-1]
        return grouped(FALL, [*marks, Rect(px - 5, py - 5, 10, 10, "accent", "stage", 2, radius=5, focus=own)])

    return Running(tuple(grouped(FALL, still)), pieces, after,
                   total,
                   lambda index: points[stops[index]])


# --- short sums, and what only moves numbers ------------------------------------------------------------------------

def short_slide(trace: Trace, slide: Slide, name: str, terms: Terms, frame: Area) -> Laid:
    """A few terms as one line of arithmetic: a sum, a norm, a copy; with the numbers met on the way, and the maps. Of
    many that are not added the first few, and the one that was picked.

    What flows forwards is read from left to right, the gradient from right to left.
    """
    backward = slide.backward
    line = _arithmetic(trace, slide, name, terms, frame)
    y = frame.y + 150
    still: list[Mark] = [Text(frame.x, y, plain(constants(terms.formula)), 14, 500, "ink-2", max_width=frame.width)]
    met = [*terms.met, *([(terms.bias_name or "bias", terms.bias)] if terms.bias is not None and not adds_up(terms)
                         else [])]
    y += 12
    across = max(1, int((frame.width + 40) // 240))
    for index, (words, value) in enumerate(met):
        x, row = frame.x + index % across * 240, y + 18 + 24 * (index // across)
        still += [Text(x, row, plain(translated(words)), 13, 400, "ink-2", max_width=110),
                  Text(x + 200, row, plain(claimed(numbers.significant(value, 4), [itself(value)])), 14, 600, "ink",
                       "end")]
    y += 24 * -(-len(met) // across) + 18
    room = frame.width
    if backward and not frame.told:
        room -= 340
        still += way_back(trace, slide.layer, slide.cell, frame, frame.right - 300, y + 10, 300) if slide.made else []
    maps, signs = _maps(trace, slide, terms)
    if all(shown.layer.output.size == 1 for shown in maps):  # one number each: they stand above already
        still += _square(trace[name], terms, frame, y, room, backward)
    else:
        still += map_row(trace, maps, signs, frame, frame.x, y, room, frame.bottom - y)
    return line.beside(still)


def _square(layer: Layer, terms: Terms, frame: Area, y: float, room: float, backward: bool) -> list[Mark]:
    """The square that a loss of one answer is, and where the answer stands on it; on the way back with its slope."""
    met, kind = dict(terms.met), kinds.of(layer)
    top, height = y + 20, min(frame.bottom - y - 84, 420)
    if kind is None or kind.label != "numbers" or not {"answered", "wanted"} <= met.keys() or height < 100:
        return []
    off = met["answered"] - met["wanted"]
    xs = np.linspace(-2 * abs(off) or -1.0, 2 * abs(off) or 1.0, 121)
    return curve(frame.x + 64, top, min(room - 96, 640), height, xs, xs ** 2, (off, off ** 2),
                 terms.result if backward else None, frame.look, backward=backward,
                 names=(tr("y − target"), tr("(y − target)²")))


@dataclass(frozen=True)
class Slot:
    """Where one cell of a line of arithmetic stands."""

    x: float
    y: float
    """Of the frame: its name stands below that, then the cell, then its factor."""
    pitch: float
    wide: float
    look: Look

    @property
    def top(self) -> float:
        return self.y + 46

    @property
    def high(self) -> float:
        return 40


def _arithmetic(trace: Trace, slide: Slide, name: str, terms: Terms, frame: Area) -> Laid:
    """Terms, bias and result as cells, with what joins them between; each step adds one of them."""
    backward, adds = slide.backward, adds_up(terms)
    entries = [(taps, index) for taps in terms.taps for index in range(len(taps.values))]
    shown = entries[:max(2, min(MOST_ENTRIES, int(frame.width / LEAST_PITCH) - 2))]
    if terms.winner is not None and terms.winner >= len(shown):
        shown[-1] = entries[terms.winner]
    bias = terms.bias if adds else None
    count = len(shown) + (bias is not None) + 1
    pitch = min(170, frame.width / count)
    wide = min(110, pitch - 28)
    first = 1 if backward else 0  # the result stands at the left on the way back
    spots = [Slot(frame.x + place * pitch, frame.y, pitch, wide, frame.look) for place in range(count)]
    still: list[Mark] = []
    lines: list[list[Mark]] = []
    for place, (taps, index) in enumerate(shown):
        at = spots[place + first]
        factor = float(taps.weights[index]) if adds and any(np.any(taps.weights != 1) for taps in terms.taps) else None
        still += _term_names(trace, taps, index, at, factor, name)
        still += joint(at, ("=" if adds else "←") if backward and place == 0 else "+" if adds and place else "")
        lines.append(_term_cell(held(trace, slide, taps).at(index), taps, at, of_value(taps, index)))
    if backward and len(entries) == 1 and adds:
        still.append(Text(spots[1].x, spots[1].y + (126 if float(shown[0][0].weights[0]) != 1 else 108),
                          plain(factor_words(trace[name], float(shown[0][0].weights[0]))), 12, 400, "ink-2",
                          max_width=frame.right - spots[1].x))
    if len(entries) > len(shown):
        words = tr("… and {count} more").format(count=_so_many(len(entries) - len(shown)))
        still.append(Text(spots[len(shown)].x - 20, frame.y + 104, plain(words), 12, 500, "ink-2"))
    if bias is not None:
        at = spots[len(shown) + first]
        still += [Text(at.x, at.y + 18, plain(terms.bias_name or tr("bias")), 13, 600, mono=True, max_width=wide),
                  *joint(at, "+")]
        lines.append(number_cell(at, bias, Ink("weight", abs(bias) * 2, plus=True, digits=3, alone=True), None))
    at = spots[0] if backward else spots[-1]
    if not backward:
        still += joint(at, "=" if (adds and len(entries) > 1) or bias is not None else "→")
    still += _result_names(slide, at)
    ink = Ink("gradient" if backward else "activation", abs(terms.result) * 2, plus=backward, digits=3, alone=True)
    result = result_of(slide, terms.result)
    lines.append([*number_cell(at, terms.result, ink, result.target, RESULT, result),
                  Rect(at.x - 2, at.top - 2, wide + 4, at.high + 4, "", "accent", 2, radius=4)])
    empty = [Rect(at.x, at.top, wide, at.high, "hatch", "tile-border", 1, inside=True, radius=3)
             for at in spots[first:first + len(shown)]]

    def after(at: float) -> list[Mark]:
        done = int(at)
        return [*empty[done:], *(mark for line in lines[:done] for mark in line)]

    lines = [grouped(LINE, line) for line in lines]
    whole = adds and len(entries) == len(shown)
    added = [float(taps.products[index]) for taps, index in shown] + ([] if bias is None else [bias])
    return Laid(tuple(grouped(LINE, still)), count, after,
                lambda done: float(sum(added[:done])) if whole and done else None)


def joint(at: Slot, sign: str) -> list[Mark]:
    """What stands between a cell and the one before it."""
    middle, left = at.top + at.high / 2, at.x - (at.pitch - at.wide)
    if sign in ("→", "←"):
        ends = (left + 10, at.x - 10) if sign == "→" else (at.x - 10, left + 10)
        return arrow(ends[0], middle, ends[1], "ink-2")
    return [Text((left + at.x) / 2, middle + 7, plain(sign), 20, 500, "ink-2", "middle")] if sign else []


def _term_names(trace: Trace, taps: Taps, index: int, at: Slot, factor: float | None, owner: str) -> list[Mark]:
    room = at.pitch - 12
    cell = tuple(int(i) for i in taps.cells[index])
    padded = taps.inside is not None and not taps.inside[index]
    marks: list[Mark] = [Text(at.x, at.y + 18, plain(taps.source), 13, 600, mono=True, max_width=room),
                         Text(at.x, at.y + 35, plain(tr("padding") if padded else stands(trace, taps, index)
                              if taps.array not in ("output", "gradient") else cell_words(trace[taps.source], cell)),
                              12, 400, "ink-2", max_width=room)]
    if factor is not None:
        ink = "ink" if not taps.weight else "weight-negative-text" if factor < 0 else "weight-positive-text"
        words = claimed(numbers.significant(factor, 4), [of_weight(trace, taps, index, owner)])
        marks.append(Text(at.x, at.y + 108, plain(f"× {words}"), 14, 600, ink, max_width=room))
    return marks


def _result_names(slide: Slide, at: Slot) -> list[Mark]:
    room = at.pitch - 12
    words = slide.layer.name if not slide.backward else \
        (tr("part of ∂L/∂{layer}") if len(slide.terms) > 1 else "∂L/∂{layer}").format(layer=slide.layer.name)
    return [Text(at.x, at.y + 18, plain(words), 13, 600, "accent-ink", mono=True, max_width=room),
            Text(at.x, at.y + 35, plain(cell_words(slide.layer, slide.cell)), 12, 400, "ink-2", max_width=room)]


def _term_cell(term: Term | None, taps: Taps, at: Slot, claim: Claim) -> list[Mark]:
    assert term is not None  # what is read, padding too, is a term
    gradient = "gradient" in taps.array
    ink = Ink("gradient" if gradient else "activation", abs(term.value) * 2, plus=gradient, digits=3, alone=True)
    return number_cell(at, term.value, ink, term.source, LINE, term, claim)


def number_cell(at: Slot, value: float, ink: Ink, focus: Focus | None, group: Group = LINE,
                term: Term | None = None, claim: Claim | None = None) -> list[Mark]:
    """One number, large; a power of ten where three decimals would say nothing."""
    own = itself(value) if claim is None else claim
    if value != 0 and np.isfinite(value) and abs(value) < 1e-2:
        fill = f"{ink.palette}-pale:{ink.fills(np.array(value))}"
        return grouped(group, [
                Rect(at.x, at.top, at.wide, at.high, fill, "tile-border", 1, inside=True, radius=3, focus=focus,
                     holds=term),
                Text(at.x + at.wide / 2, at.top + at.high / 2 + 5, plain(claimed(said(value, ink.plus, 3), [own])), 14,
                     600, "ink", "middle", max_width=at.wide)])
    return number_grid(at.x, at.top, (at.wide + 2, at.high + 2), np.array([[value]]), ink, at.look, size=16,
                       foci=lambda row, column: focus, group=group, terms=None if term is None else [[term]],
                       claims=lambda row, column: own)


def _maps(trace: Trace, slide: Slide, terms: Terms) -> tuple[list[Shown], list[str]]:
    """The maps that were read, up to three, and the map the number stands in; in the order in which things flow."""
    read: list[Shown] = []
    for taps in terms.taps[:3]:
        source = trace[taps.source]
        array = source.gradient if taps.array == "gradient" else source.output
        if array is not None and taps.array in ("output", "gradient") and taps.cells.shape[1] == array.ndim:
            read.append(Shown(source, taps.cells, tr("from") if slide.backward else tr("read from"),
                              taps.array == "gradient"))
    sign = {"sum": "+", "product": "×"}.get(terms.op, "")
    own = marked(slide.layer, slide.cell, tr("handed to") if slide.backward else tr("stands in"), slide.backward,
                 slide.made)
    if slide.backward:
        return [own, *read], ["←", *[""] * (len(read) - 1)][:len(read)]
    return [*read, own], [*[sign] * (len(read) - 1), "=" if len(read) > 1 else "→"][:len(read)]
