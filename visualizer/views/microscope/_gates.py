"""Slides of recurrent layers: a gate as two long sums and its curve, a state as a few products; both turned over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.kinds import Taps, Terms, gates, recurrent
from visualizer.kinds.gates import named, symbol
from visualizer.language import english, tr, translated
from visualizer.said import Claim, claimed, constants, tick
from visualizer.scene import colour, numbers, parts
from visualizer.scene.boxes import descending, split
from visualizer.scene.grids import LOOKED_AT, Ink, curve
from visualizer.scene.labels import cut, fitting
from visualizer.scene.picture import (
    Focus,
    Image,
    Line,
    Mark,
    Rect,
    Scale,
    Term,
    TermTiles,
    Text,
    Touch,
    box_of,
    grouped,
    plain,
    rich,
    unmarked,
)
from visualizer.scene.picture import Group as PartOf
from visualizer.scene.subject import array
from visualizer.trace import Layer, Trace
from visualizer.views.microscope._claims import counted, itself, of_value, of_weight
from visualizer.views.microscope._maps import emptied
from visualizer.views.microscope._slide import (
    NAMES,
    RESULT,
    Area,
    Laid,
    Slide,
    about,
    flown,
    focus_of,
    followed,
    halves,
    held,
    input_shares,
    largest,
    result_of,
    said,
    weight_shares,
)
from visualizer.views.microscope._steps import through_time
from visualizer.views.microscope._sums import (
    Listed,
    Slot,
    added_up,
    handed_out,
    joint,
    number_cell,
    sorted_fall,
    term_list,
)
from visualizer.views.microscope._words import curve_of, curve_words, several, where

FEW = 4
"""Terms that are written as one line of arithmetic; more are drawn as tiles."""
TILE = 18.0
"""Largest side of a tile."""
FACTORS = {"value": PartOf(english("terms"), cells=True, shows="value"),
           "weight": PartOf(english("factors"), cells=True, shows="weight"),
           "": PartOf(english("on the way"), cells=True)}
"""The parts of a line of arithmetic, by which number of a term a cell shows."""
LINE = 112.0
"""Height of a line of arithmetic."""


def recurrent_slide(trace: Trace, slide: Slide, frame: Area) -> Laid:
    """One number of a gate or a state, whichever way it is looked at."""
    if not slide.terms:
        return _nothing(slide, frame)
    if slide.backward and slide.hands_on:
        weighs = recurrent.weighs(slide.layer, slide.key)
        return _hands(trace, slide, frame) if weighs else _hands_on(trace, slide, frame)
    terms = slide.terms[0][1]
    if not slide.backward:
        return _sum(trace, slide, frame) if len(terms.taps) > 2 or _count(slide) > FEW or terms.op == "gate" else \
            _products(trace, slide, frame)
    return tiles_slide(trace, slide, frame) if _count(slide) > FEW else _arrival(trace, slide, frame)


def _count(slide: Slide) -> int:
    return sum(len(taps.values) for _, terms in slide.terms for taps in terms.taps)


def _nothing(slide: Slide, frame: Area) -> Laid:
    """Why a number is not taken apart, and the number where there is one."""
    words = (slide.refusal or tr("nothing reads it")).rstrip(".")
    ends = slide.hands_on and not slide.refusal
    told = tr("The way back ends here: nothing has made this state") + "." if ends else \
        tr("Not taken apart: {words}.").format(words=words)
    marks: list[Mark] = [Text(frame.x, frame.y + 24, plain(told), 14, 400, "ink-2", max_width=frame.width)]
    if np.isfinite(slide.value):
        marks.append(Text(frame.x, frame.y + 84, plain(claimed(said(slide.value, slide.backward), [
            itself(slide.value)])), 44, 600,
                          "gradient-text" if slide.backward else "accent-ink", display=True, max_width=frame.width))
    return Laid(tuple(marks))


# --- groups of terms --------------------------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class Group:
    """Terms of one sum that were read from one array: x_t, the state before, the gradients of a gate."""

    taps: Taps
    owner: str
    """The layer whose weights they met."""
    title: str
    words: str
    short: str
    """What one of them is called in a list, before its index."""
    ways: tuple[str, ...] = ()
    """Its title, and briefer ones for where that has no room."""

    @property
    def size(self) -> int:
        return len(self.taps.values)


def _groups(trace: Trace, slide: Slide) -> list[Group]:
    return [_group(trace, slide, owner, taps) for owner, terms in slide.terms for taps in terms.taps
            if len(taps.values)]


def _group(trace: Trace, slide: Slide, owner: str, taps: Taps) -> Group:
    source, axis = trace[taps.source], _last_axis(trace, taps)
    count, axis = several(len(taps.values), axis), translated(axis)
    group, _, key = taps.array.partition(".")
    step = _step_words(slide, taps, source)
    if group == "inner_gradients":
        name = named(key.removesuffix(gates.PREACTIVATION))
        of = f"∂L/∂{symbol(key)}"
        ways = (tr("∂L/∂{symbol} of the {name}").format(symbol=symbol(key), name=name), f"{of}, {name}", name, of)
        return Group(taps, owner, ways[0], f"{step}{count}", f"{name} {axis}", ways[key == "hidden_new":])
    if group == "gradient":
        return Group(taps, owner, f"∂L/∂`{taps.source}`", count, f"{taps.source} {axis}")
    if taps.weight == "weight_ih":
        return Group(taps, owner, "W x", f"`{taps.source}` {step}{count}", f"x {axis}")
    if taps.weight == "weight_hr":
        return Group(taps, owner, "W · (o · tanh c)", f"{step}{count}", f"o·tanh c {axis}")
    title = "r · (U h₋)" if _under(slide) else "U h₋"
    begins = taps.inside is not None and not taps.inside.any()
    where_ = tr("starts at zero, ") if begins else f"`{taps.source}` " if taps.source != slide.layer.name else step
    return Group(taps, owner, title, f"{where_}{count}", f"h₋ {axis}")


def _under(slide: Slide) -> bool:
    """Whether a gate stands before U h₋ + b."""
    quantity = _family(slide).quantities.get(slide.key)
    return quantity is not None and bool(quantity.under)


def _last_axis(trace: Trace, taps: Taps) -> str:
    axes = trace[taps.source].axes
    return "unit" if taps.array.startswith("inner") or not axes else axes[-1]


def _step_words(slide: Slide, taps: Taps, source: Layer) -> str:
    """`step 11, ` where all terms stand at one step."""
    stepped = (taps.array.startswith("inner") and "step" in slide.layer.axes) or source.axes[:1] == ("step",)
    if not stepped or taps.cells.shape[1] < 2 or not len(taps.cells) or np.any(taps.cells[:, 0] != taps.cells[0, 0]):
        return ""
    return tr("step {step}, ").format(step=_step_said(taps, source, int(taps.cells[0, 0])))


def _step_said(taps: Taps, source: Layer, step: int) -> str:
    """The number of a step, at which a source or a gate of it was read."""
    kind = ("step inside", source.name, (), step, taps.array) if taps.array.startswith("inner") else \
        ("step", source.name, (), step, "")
    return claimed(str(step + 1), [kind])


def _named_in(trace: Trace, groups: Sequence[Group]) -> Callable[[int], tuple[str, Focus | None]]:
    """Of a term, counted through all groups: what it is, and where it was read."""
    starts = np.cumsum([0, *(group.size for group in groups)])

    def found(index: int) -> tuple[str, Focus | None]:
        place = int(np.searchsorted(starts, index, side="right")) - 1
        group, at = groups[place], index - int(starts[place])
        source, cell = trace[group.taps.source], tuple(group.taps.cells[at].tolist())
        inside = group.taps.array if group.taps.array.startswith("inner") else ""
        number = counted(source, cell, len(cell) - 1) if not inside else \
            claimed(str(cell[-1]), [("index", source.name, cell, None, inside)])
        padded = group.taps.inside is not None and not group.taps.inside[at]
        number = claimed(str(cell[-1]), [itself(cell[-1])]) if padded else number
        return f"{group.short} {number}", focus_of(trace, group.taps, at)

    return found


def _term_in(trace: Trace, slide: Slide, groups: Sequence[Group]) -> Callable[[int], Term | None]:
    """A term of a slide, counted through all groups."""
    return _terms_of([held(trace, slide, group.taps) for group in groups])


def _claims_in(trace: Trace, groups: Sequence[Group]) -> Callable[[int], tuple[Claim, Claim]]:
    """What the value and the weight of a term claim to be, counted through all groups."""
    starts = np.cumsum([0, *(group.size for group in groups)])

    def found(index: int) -> tuple[Claim, Claim]:
        place = int(np.searchsorted(starts, index, side="right")) - 1
        group, at = groups[place], index - int(starts[place])
        return of_value(group.taps, at), of_weight(trace, group.taps, at, group.owner)

    return found


def _terms_of(tiles: Sequence[TermTiles]) -> Callable[[int], Term | None]:
    """A term, counted through several arrays of them."""
    starts = np.cumsum([0, *(len(found.values) for found in tiles)])

    def found(index: int) -> Term | None:
        place = int(np.searchsorted(starts, index, side="right")) - 1
        return tiles[place].at(index - int(starts[place]))

    return found


# --- tiles ------------------------------------------------------------------------------------------------------------

@dataclass(frozen=True, eq=False)
class Tiled:
    """One line of tiles: a value for each term of each group."""

    title: str
    words: str
    values: Sequence[NDArray[np.float64]]
    palette: str
    foci: Sequence[tuple[Focus, tuple[int, ...]] | None]
    """Of each group where its tiles lead: a focus, and what each tile appends to it."""
    totals: Sequence[Sequence[str]] = ()
    """Written under each group: the first of several ways to say it that fits."""
    shows: str = ""
    """Which number of the terms it is; empty where it is none of them."""
    held: Sequence[TermTiles | None] = ()
    """Of each group the terms that its tiles are."""
    there: bool = True
    """Whether its values have been computed; until then its tiles are empty."""


def _tiles(groups: Sequence[Group], rows: Sequence[Tiled], frame: Area, y: float, made: bool
           ) -> tuple[list[Mark], float]:
    """Groups side by side, rows below each other, all tiles of one size; each row on one scale. And where it ends."""
    room, gap = frame.width - NAMES - 20, 30
    tall = min(72, (frame.height * 0.46 - 40) / len(rows) - 14)
    least = min(164, (room - gap * (len(groups) - 1)) / len(groups))
    tile, down, widths = _fitting([group.size for group in groups], room - gap * (len(groups) - 1), tall, least,
                                   frame.look.pixel)
    lefts = [frame.x + sum(widths[:place]) + gap * place for place in range(len(groups))]
    high = max(min(down, group.size) for group in groups) * (tile[1] + 1)
    marks: list[Mark] = []
    for group, x, wide in zip(groups, lefts, widths, strict=True):
        room = wide + gap - 8
        heads = [Text(x, y + 12, rich(_first(group.ways or (group.title,), room, 13, 600)), 13, 600, max_width=room),
                 Text(x, y + 28, rich(_first((group.words, group.words.partition(", ")[2]), room, 12, 400)), 12, 400,
                      "ink-2", max_width=room)]
        marks += [head for head in heads if cut(head.runs, room, head.size, head.weight)]
    y += 38
    for row in rows:
        top = max((largest(values) for values in row.values), default=0.0)
        for place, (group, x) in enumerate(zip(groups, lefts, strict=True)):
            part = PartOf(f"{row.title}, {unmarked(group.title)}", cells=True, shows=row.shows)
            marks += grouped(part, _strip(row, place, top, frame, x, y, tile, down))
        x, scope = frame.right - NAMES, f"{'to' if row.palette == 'gradient' else '±'}"
        most = tick(numbers.significant(top, 2), top, 0, top)
        said_ = tr("not yet") if not row.there else f"{scope} {most}" if row.palette == "gradient" else f"±{most}"
        marks += [Text(x, y + 11, plain(row.title), 13, 600, max_width=NAMES),
                  Text(x, y + 26, plain(fitting((f"{row.words}, {said_}" if row.words else said_, said_), NAMES, 11)),
                       11, 400, "ink-2", max_width=NAMES)]
        y += max(high, 30) + (10 if not row.totals else 4)
        if row.totals:
            marks += [Text(x, y + 12, rich(words), 13, 600, max_width=wide)
                      for x, ways, wide in zip(lefts, row.totals, widths, strict=True)
                      if made and (words := fitting(ways, wide, 13, 600))]
            y += 24
    return marks, y + 2


def _first(ways: Sequence[str], room: float, size: float, weight: int) -> str:
    """The first way to say it that has room; the last of them is cut where none has."""
    ways = [words for words in ways if words]
    return fitting(ways, room, size, weight) or ways[-1]


def _fitting(sizes: Sequence[int], room: float, tall: float, least: float,
             pixel: float) -> tuple[tuple[float, float], int, list[float]]:
    """(width and height of a tile, rows of tiles, width of each group): the highest tiles that fit, and then the widest
    ones, up to twice as wide as high."""
    for high in descending(TILE, pixel):
        down = max(1, int(tall // (high + 1)))
        if sum(_widths(sizes, down, high, least)) <= room:
            break
    wide = next((wide for wide in descending(2 * high, pixel)
                 if wide <= high or sum(_widths(sizes, down, wide, least)) <= room), high)
    return (wide, high), down, _widths(sizes, down, wide, least)


def _widths(sizes: Sequence[int], down: int, wide: float, least: float) -> list[float]:
    return [max(-(-size // down) * (wide + 1.0), least) for size in sizes]


def _strip(row: Tiled, place: int, top: float, frame: Area, x: float, y: float, tile: tuple[float, float],
           down: int) -> list[Mark]:
    values, found = row.values[place], row.foci[place]
    shades = colour.magnitude(values, max(top * 1e-3, 1e-300), top or 1.0) if row.palette == "gradient" \
        else colour.signed(values, top)
    unknown = colour.unknown(values)
    wide, high = tile
    image = Image(x, y, tile, shades[:, None, None], row.palette, max(1, -(-len(values) // down)),
                  (wide + 1, high + 1), border="tile-border" if high > 6 else "",
                  hatched=unknown[:, None, None] if unknown.any() else None,
                  focus=None if found is None else found[0], indices=() if found is None else found[1],
                  holds=row.held[place] if row.held else None,
                  scale=Scale("gradient", tr("size of the gradient"), row.title, max(top * 1e-3, 1e-300), top, log=True)
                  if row.palette == "gradient" else Scale(row.palette, tr("weights") if row.palette == "weight"
                                                          else tr("values"), row.title, -top, top))
    if not row.there:
        return [emptied(image)]
    if high < 8 or not (frame.look.signs or row.palette == "gradient"):
        return [image]

    def middle(place: int, line: int, column: int) -> tuple[float, float]:
        left, upper = image.tile_origin(place)
        return left + wide / 2, upper + high / 2

    return [image, *parts.minuses(values[:, None, None], shades[:, None, None], row.palette, frame.look, high, middle)]


def _where(trace: Trace, taps: Taps) -> tuple[Focus, tuple[int, ...]] | None:
    """Where the tiles of a group lead, if their places differ in the last index alone."""
    if taps.inside is not None and not taps.inside.all():
        return None
    return _common(taps.cells, Focus(*kinds.place(trace, taps, 0)))


def _common(cells: NDArray[np.int64], one: Focus) -> tuple[Focus, tuple[int, ...]] | None:
    if not one.cell or np.any(cells[:, :-1] != cells[0, :-1]):
        return None
    return Focus(one.layer, one.cell[:-1], one.array), tuple(cells[:, -1].tolist())


def _weights_at(trace: Trace, group: Group) -> tuple[Focus, tuple[int, ...]] | None:
    cells = group.taps.weight_cells
    if cells is None or group.taps.weight not in trace[group.owner].weights:
        return None
    return _common(cells, Focus(group.owner, tuple(int(i) for i in cells[0]), group.taps.weight))


# --- a gate, and any long sum -----------------------------------------------------------------------------------------

def _sum(trace: Trace, slide: Slide, frame: Area) -> Laid:
    """All terms of W x and U h₋ as tiles, the largest as a list, the running sum, and the curve that makes the gate."""
    (_, terms) = slide.terms[0]
    groups, layer = _groups(trace, slide), slide.layer
    marks, y = _tiles(groups, _forward_rows(trace, slide, groups), frame, frame.y, slide.made)
    total = dict(terms.met).get("a", terms.result)
    listed = Listed(np.concatenate([group.taps.values for group in groups]),
                    np.concatenate([group.taps.weights for group in groups]), _named_in(trace, groups),
                    tr("value × weight"), tuple(_tail(slide, terms, total)), _term_in(trace, slide, groups),
                    _claims_in(trace, groups))
    marks.append(Line(((frame.x - 24, y), (frame.right + 24, y)), "hair"))
    y += 8
    wide = min(460, 0.42 * frame.width)
    lines = term_list(listed, frame, frame.x, y, wide, False)
    x = frame.x + wide + 24
    rest = frame.right - x
    curved = terms.op == "gate" and np.isfinite(total)
    each = (rest - 24) / 2 if curved else rest
    fall = sorted_fall(slide, listed.products, [value for _, value in _biases(slide, terms)], lines, frame, x, y, each)
    added = added_up(slide, marks, lines, fall, frame.look)
    if not curved:
        return added
    left = x + each + 24
    drawn, point = _activation(layer, slide.key, total, slide.value, _slope(layer, slide.key, slide.value), frame, left,
                               y, frame.right - left, False)
    return replace(added, after=lambda at: [*added.after(at), *(point if at >= lines.pieces - 1 else drawn)])


def _forward_rows(trace: Trace, slide: Slide, groups: Sequence[Group]) -> list[Tiled]:
    foci = [_where(trace, group.taps) for group in groups]
    reset = dict(slide.terms[0][1].met).get("r")
    found = [claimed(numbers.signed(total), [itself(total)])
             for total in (float(group.taps.products.sum()) for group in groups)]
    sums = [(f"{group.title} = {value}", value) for group, value in zip(groups, found, strict=True)]
    tiles = [held(trace, slide, group.taps) for group in groups]
    return [Tiled(tr("what it sees"), "", [group.taps.values for group in groups], "activation", foci, (), "value",
                  tiles),
            Tiled(tr("what it weighs"), "" if reset is None else
                  f"U × r = {claimed(numbers.number(reset), [itself(reset)])}",
                  [group.taps.weights for group in groups], "weight", [_weights_at(trace, group) for group in groups],
                  (), "weight", tiles),
            Tiled(tr("what it adds"), tr("products"), [group.taps.products for group in groups], "activation", foci,
                  sums, "product", tiles)]


def _biases(slide: Slide, terms: Terms) -> list[tuple[str, float]]:
    """Both biases; in a GRU's candidate the second times r."""
    met = dict(terms.met)
    share = met["r"] if _under(slide) and "r" in met else 1.0
    names = {"bias_ih": (tr("b of W x"), 1.0),
             "bias_hh": (tr("b of U h₋") if share == 1 else tr("r · b of U h₋"), share)}
    return [(names[name][0], met[name] * names[name][1]) for name in names if name in met]


def _tail(slide: Slide, terms: Terms, total: float) -> Iterator[tuple[str, float]]:
    yield from _biases(slide, terms)
    if terms.op != "gate":
        yield (tr("{symbol}, the sum").format(symbol=symbol(slide.key)), terms.result)
        return
    yield tr("a, the sum"), total
    yield f"{curve_words(slide.layer, slide.key, 'a')} = {symbol(slide.key)}", terms.result


def _activation(layer: Layer, key: str, total: float, value: float, slope: float | None, frame: Area, x: float,
                y: float, wide: float, backward: bool) -> tuple[list[Mark], list[Mark]]:
    """σ, tanh or ReLU on axes, without its point and with it."""
    left, top = x + 40, y + 46
    height, room = frame.bottom - top - 42, wide - 48
    if room < 100 or height < 60 or not np.isfinite(total):
        return [], []
    reach = max(4.0, abs(total) * 1.2)
    xs = np.linspace(-reach, reach, 121)
    ys = curve_of(layer, key).value(xs).astype(np.float64)
    inner = "c" if key == "cell" or (key == "hidden" and "cell" in layer.inner) else "a"
    name = curve_words(layer, key, inner)
    known = f"{inner} = {claimed(numbers.significant(total, 3), [itself(total)])}"
    known += "" if slope is None else tr(", slope {slope}").format(
        slope=claimed(numbers.significant(slope, 3), [itself(slope)]))
    drawn, point = (curve(left, top, room, height, xs, ys, spot, slope, frame.look, backward=backward,
                          names=(words, name)) for spot, words in ((None, inner), ((total, value), known)))
    return drawn, point


# --- a state, a few products ------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Factor:
    """One number of a line of arithmetic."""

    joint: str
    """What stands before it: `×`, `+`, `=`; nothing before the first."""
    title: str
    words: str
    value: float
    palette: str
    """`activation` or `gradient`; empty for what is only a factor."""
    focus: Focus | None = None
    result: bool = False
    term: Term | None = None
    """Which term it is a number of, and which number of it."""
    shows: str = ""


def _equation(factors: Sequence[Factor], frame: Area, y: float) -> Laid:
    """Numbers as cells with what joins them; each step adds one."""
    pitch, wide = _slots(factors, frame)
    still: list[Mark] = []
    lines: list[list[Mark]] = []
    empty: list[Mark] = []
    for place, factor in enumerate(factors):
        at = Slot(frame.x + place * pitch, y, pitch, wide, frame.look)
        ink = "gradient-text" if factor.palette == "gradient" else "accent-ink" if factor.result else "ink"
        still += [Text(at.x, y + 18, rich(factor.title), 13, 600, ink, max_width=pitch - 12),
                  Text(at.x, y + 35, rich(factor.words), 12, 400, "ink-2", max_width=pitch - 12)]
        still += joint(at, factor.joint)
        line = _factor_cell(factor, at)
        if factor.result:
            line.append(Rect(at.x - 2, at.top - 2, wide + 4, at.high + 4, "", "accent", 2, radius=4))
        lines.append(line)
        empty.append(Rect(at.x, at.top, wide, at.high, "hatch", "tile-border", 1, inside=True, radius=3,
                          focus=factor.focus if factor.result else None))
    return Laid(tuple(grouped(FACTORS["value"], still)), len(factors),
                 lambda at: [*empty[int(at):], *(mark for line in lines[:int(at)] for mark in line)])


def _brought(trace: Trace, slide: Slide, factors: Sequence[Factor], line: Laid, rows: Sequence[Mark], frame: Area
             ) -> Laid:
    """The same line of arithmetic: each number is outlined where it stands through time, and comes from there."""
    pitch, wide = _slots(factors, frame)
    boxes = [_standing(rows, factor, slide.backward) for factor in factors]
    own = about(slide)
    frames = [None if box is None or factor.focus is None else
              Rect(box[0] - 2, box[1] - 2, box[2] + 4, box[3] + 4, "", "accent", 2, radius=2, group=LOOKED_AT,
                   holds=Touch(factor.focus, own, slide.backward)) for box, factor in zip(boxes, factors, strict=True)]

    def after(at: float) -> list[Mark]:
        done, share = halves(at)
        marks = [*line.after(at), *(followed(frames, at, frame.look) if at < len(factors) else [])]
        box, factor = (boxes[done], factors[done]) if share and done < len(factors) else (None, None)
        if box is None or factor is None or factor.focus is None or not _as_it_stands(trace, factor, slide.backward):
            return marks
        slot = Slot(frame.x + done * pitch, frame.y, pitch, wide, frame.look)
        start = box[0] + box[2] / 2, box[1] + box[3] / 2
        end = slot.x + slot.wide / 2, slot.top + slot.high / 2
        return marks + flown(Term(factor.focus, factor.focus, factor.value, backward=slide.backward), start, end,
                             numbers.significant(factor.value, 3),
                             "gradient-text" if factor.palette == "gradient" else "ink", at, True)

    return replace(line, after=after)


def _slots(factors: Sequence[Factor], frame: Area) -> tuple[float, float]:
    """From one number of a line to the next, and how wide one is."""
    pitch = min(170, frame.width / len(factors))
    return pitch, min(110, pitch - 26)


def _standing(rows: Sequence[Mark], factor: Factor, backward: bool) -> tuple[float, float, float, float] | None:
    """Where a number of the line stands in the rows through time: gradients in those of gradients, others in others."""
    if factor.focus is None or factor.result or backward != (factor.palette == "gradient"):
        return None
    for mark in rows:
        if isinstance(mark, Image) and mark.focus is not None and \
                (mark.focus.layer, mark.focus.array) == (factor.focus.layer, factor.focus.array) and \
                (*mark.focus.cell, mark.index(0)) == factor.focus.cell:
            return box_of(mark)
    return None


def _as_it_stands(trace: Trace, factor: Factor, backward: bool) -> bool:
    """Whether it is the number itself, rather than what follows from it, such as its tanh."""
    assert factor.focus is not None
    values = array(trace[factor.focus.layer], factor.focus, backward)
    return values is not None and bool(np.isclose(float(values[factor.focus.cell]), factor.value))


def _factor_cell(factor: Factor, at: Slot) -> list[Mark]:
    group = RESULT if factor.result else FACTORS[factor.shows]
    if factor.palette:
        ink = Ink(factor.palette, abs(factor.value) * 2, plus=factor.palette == "gradient", digits=3, alone=True)
        return number_cell(at, factor.value, ink, factor.focus, group, factor.term)
    return grouped(group, [
            Rect(at.x, at.top, at.wide, at.high, "sunk", "tile-border", 1, inside=True, radius=3, focus=factor.focus,
                 holds=factor.term),
            Text(at.x + at.wide / 2, at.top + at.high / 2 + 5, plain(claimed(
                numbers.significant(factor.value, 3), [itself(factor.value)])), 15, 600, "ink", "middle",
                 max_width=at.wide)])


def _products(trace: Trace, slide: Slide, frame: Area) -> Laid:
    """c = f·c₋ + i·g, h = o·tanh c, h = (1 − z)·n + z·h₋ in numbers; below, the unit at every step."""
    (_, terms) = slide.terms[0]
    factors: list[Factor] = []
    for taps in terms.taps:
        pair = [_read(trace, slide, taps, 0), _weight(trace, slide, taps)]
        if taps.weight == f"inner.{_family(slide).kept[0]}":
            pair.reverse()
        factors += [_joined(pair[0], "+" if factors else ""), _joined(pair[1], "×")]
    factors.append(Factor("=", symbol(slide.key), _place_words(slide), terms.result, "activation", about(slide), True,
                          result_of(slide, terms.result), "value"))
    line = _equation(factors, frame, frame.y)
    marks: list[Mark] = [Text(frame.x, frame.y + LINE + 14, plain(constants(terms.formula)), 14, 500, "ink-2",
                              max_width=frame.width)]
    y, x = frame.y + LINE + 34, frame.x
    opened = dict(terms.met).get("c")
    if opened is not None and frame.bottom - y > 160:
        wide = 0.32 * frame.width
        marks += _activation(slide.layer, "hidden", opened, float(np.tanh(opened)), None, frame, x, y, wide,
                             False)[slide.made]
        x += wide + 24
    rows = through_time(trace, slide, _keys(slide), frame, x, y, frame.right - x, frame.bottom - y)
    return _brought(trace, slide, factors, line, rows, frame).beside([*marks, *rows])


def _keys(slide: Slide) -> tuple[str, ...]:
    """The gates and states that belong together, for the rows through time."""
    return ("hidden", "unprojected", *dict.fromkeys(("cell", *_family(slide).through)))


def _family(slide: Slide) -> gates.Family:
    found = gates.family_of(slide.layer)
    assert found is not None
    return found


def _joined(factor: Factor, sign: str) -> Factor:
    return replace(factor, joint=sign)


def _place_words(slide: Slide) -> str:
    words = tr("step {step}, unit {unit}") if "step" in slide.layer.axes and len(slide.cell) == 2 else tr("unit {unit}")
    array = f"inner.{slide.key}" if slide.key in slide.layer.inner else f"inner_gradients.{slide.key}"
    cell = (0, *slide.cell)[-2:]
    return words.format(step=claimed(str(slide.cell[0] + 1), [("step", slide.layer.name, (), slide.cell[0], "")]),
                        unit=claimed(str(cell[-1]), [("index", slide.layer.name, cell, None, array)]))


def _read(trace: Trace, slide: Slide, taps: Taps, index: int) -> Factor:
    """The number that a term read."""
    group, _, key = taps.array.partition(".")
    back = "gradient" in group
    focus, term = focus_of(trace, taps, index), held(trace, slide, taps).at(index)
    if not group.startswith("inner"):
        name = f"`{taps.source}`"
        words = where(trace[taps.source], tuple(int(i) for i in taps.cells[index])) if focus is not None else tr("zero")
        return Factor("", f"∂L/∂{name}" if back else name, words, float(taps.values[index]),
                      "gradient" if back else "activation", focus, False, term, "value")
    at = int(taps.cells[index, 0])
    side = _side(slide, at, key)
    title = f"∂L/∂{symbol(key)}{side}" if back else f"{symbol(key)}{side}"
    words = tr("starts at zero") if focus is None else named(key)
    if focus is not None and side:
        words = tr("{name}, step {step}").format(name=named(key), step=_step_said(taps, trace[taps.source], at))
    return Factor("", title, words, float(taps.values[index]), "gradient" if back else "activation", focus, False,
                  term, "value")


def _side(slide: Slide, step: int, key: str) -> str:
    """`₋` for the step before in the order of the layer, `₊` for the one after."""
    if len(slide.cell) < 2 or key.startswith("initial_") or slide.key.startswith("initial_") or step == slide.cell[0]:
        return ""
    return "₋" if (step < slide.cell[0]) != bool(slide.layer.settings.get("reverse")) else "₊"


def _weight(trace: Trace, slide: Slide, taps: Taps) -> Factor:
    """What a term was multiplied by, as a factor of it."""
    return replace(_weight_named(trace, slide, taps), term=held(trace, slide, taps).at(0), shows="weight")


def _weight_named(trace: Trace, slide: Slide, taps: Taps) -> Factor:
    """What a term was multiplied by: another gate or state, or what follows from one."""
    value = float(taps.weights[0])
    key = taps.weight.removeprefix("inner.")
    if taps.weight in trace and taps.weight_cells is not None:  # the state that it started from
        at = tuple(int(i) for i in taps.weight_cells[0])
        return Factor("×", f"`{taps.weight}`", where(trace[taps.weight], at), value, "activation",
                      Focus(taps.weight, at))
    if taps.weight.startswith("weights."):
        return Factor("×", "c₋", tr("learned start"), value, "activation", None)
    if taps.weight.startswith("inner.") and taps.weight_cells is not None:
        at = tuple(int(i) for i in taps.weight_cells[0])
        inside = all(0 <= i < n for i, n in zip(at, slide.layer.inner[key].shape, strict=True))
        focus = Focus(slide.layer.name, at, f"inner.{key}") if inside else None
        if key == "hidden" and focus is not None:
            focus = Focus(slide.layer.name, at[-slide.layer.output.ndim:])
        side = _side(slide, at[0], key)
        if focus is None:
            return Factor("×", f"{symbol(key)}₋", tr("starts at zero"), value, "activation", None)
        title = "tanh c" if key == "cell" and (slide.key in ("hidden", "unprojected", "output_gate")) else \
            f"{symbol(key)}{side}"
        number = claimed(str(at[0] + 1), [("step", slide.layer.name, (), at[0], "")])
        words = tr("{name}, step {step}").format(name=named(key), step=number) if side else named(key)
        return Factor("×", title, words, value, "activation", focus)
    title, focus = _derived(slide, taps)
    return Factor("×", title, tr("factor"), value, "", focus)


def _derived(slide: Slide, taps: Taps) -> tuple[str, Focus | None]:
    """What a factor that follows from other numbers is called, and the number it mostly depends on."""
    layer, (step, unit) = slide.layer, (0, *slide.cell)[-2:]

    def there(key: str) -> Focus | None:
        return Focus(layer.name, (step, unit), f"inner.{key}") if key in layer.inner else None

    known = _family(slide).quantities
    gate = slide.key.removesuffix(gates.PREACTIVATION)
    quantity = known.get(gate)
    if quantity is not None and gate != slide.key and quantity.curve is not None:
        return quantity.curve.slope_words.format(quantity.symbol), there(gate)
    times = None if quantity is None else quantity.back or next((one for one in quantity.made if one.derived), None)
    return ("factor", None) if times is None else (times.symbol, there(times.stands) if times.stands else None)


# --- backwards: how it arrives ----------------------------------------------------------------------------------------

def tiles_slide(trace: Trace, slide: Slide, frame: Area) -> Laid:
    """The gradient of one number as the sum over everything that read it: all readers side by side."""
    groups = _groups(trace, slide)
    foci = [_where(trace, group.taps) for group in groups]
    sums = [[claimed(numbers.significant(total, digits), [itself(total)]) for digits in (3, 2, 1)]
            for total in (float(group.taps.products.sum()) for group in groups)]
    tiles = [held(trace, slide, group.taps) for group in groups]
    rows = [Tiled(tr("gradients"), tr("of what reads it"), [group.taps.values for group in groups], "gradient", foci,
                  (), "value", tiles),
            Tiled(tr("weights"), "", [group.taps.weights for group in groups], "weight",
                  [_weights_at(trace, group) for group in groups], (), "weight", tiles),
            Tiled(tr("what arrives"), tr("products"), [group.taps.products for group in groups], "gradient", foci, sums,
                  "product", tiles)]
    marks, y = _tiles(groups, rows, frame, frame.y, slide.made)
    listed = Listed(np.concatenate([group.taps.values for group in groups]),
                    np.concatenate([group.taps.weights for group in groups]), _named_in(trace, groups),
                    tr("gradient × weight"), ((tr("result"), sum(terms.result for _, terms in slide.terms)),),
                    _term_in(trace, slide, groups), _claims_in(trace, groups))
    marks.append(Line(((frame.x - 24, y), (frame.right + 24, y)), "hair"))
    y += 8
    wide = min(500, (frame.width - 40) / 2)
    lines = term_list(listed, frame, frame.x, y, wide, True)
    x = frame.right - wide
    fall = sorted_fall(slide, listed.products, (), lines, frame, x, y, wide)
    return added_up(slide, marks, lines, fall, frame.look)


def _chain(trace: Trace, slide: Slide) -> list[Factor]:
    """From what reads a gate, through its slope, to the sum before it: as far as gradients are known."""
    layer, (step, unit) = slide.layer, (0, *slide.cell)[-2:]
    gate = slide.key.removesuffix("_preactivation")
    keys = [slide.key] if slide.key in ("preactivation", "hidden_new") else [gate, f"{gate}_preactivation"]
    if slide.key == "new" or gate == "new":
        keys.append("hidden_new")
    found: list[Factor] = []
    for key in keys:
        own = Slide(layer, (step, unit), slide.value, (), "", True, key=key)
        terms = kinds.inner_backward_terms(trace, layer.name, key, step, unit)
        if not found:
            found.append(_read(trace, own, terms.taps[0], 0))
        found.append(_weight(trace, own, terms.taps[0]))
        title = f"g = ∂L/∂{symbol(key)}" if key.endswith("preactivation") else f"∂L/∂{symbol(key)}"
        words = tr("its sum") if key.endswith("preactivation") else \
            tr("g for U h₋") if key == "hidden_new" else named(key)
        found.append(Factor("=", title, words, terms.result, "gradient",
                            Focus(layer.name, (step, unit), f"inner.{key}"), key == slide.key))
    return found


def _arrival(trace: Trace, slide: Slide, frame: Area) -> Laid:
    """A gradient of a few terms as one line; below, the curve whose slope it meets, and the unit at every step."""
    if recurrent.weighs(slide.layer, slide.key):
        factors = _chain(trace, slide)
    else:
        factors = []
        for _, terms in slide.terms:
            for taps in terms.taps:
                for index in range(len(taps.values)):
                    factors.append(_joined(_read(trace, slide, taps, index), "+" if factors else ""))
                    if float(taps.weights[index]) != 1 or taps.weight:
                        factors.append(_taps_weight(trace, slide, taps, index))
        total = sum(terms.result for _, terms in slide.terms)
        factors.append(Factor("=", f"∂L/∂{symbol(slide.key)}", _place_words(slide), total, "gradient", about(slide),
                              True, result_of(slide, total), "value"))
    line = _equation(factors, frame, frame.y)
    equation = constants(slide.terms[0][1].formula)
    marks: list[Mark] = [Text(frame.x, frame.y + LINE + 14, plain(equation), 14, 500, "ink-2",
                              max_width=frame.width)]
    y, x = frame.y + LINE + 34, frame.x
    curved = _slope_of(trace, slide)
    if curved is not None and frame.bottom - y > 160:
        key, total, value, slope = curved
        wide = 0.32 * frame.width
        marks += _activation(slide.layer, key, total, value, slope, frame, x, y, wide, True)[1]
        x += wide + 24
    own = () if slide.key in _keys(slide) or slide.key.startswith("initial_") else (slide.key,)
    rows = through_time(trace, slide, (*own, *_keys(slide)), frame, x, y, frame.right - x, frame.bottom - y)
    return _brought(trace, slide, factors, line, rows, frame).beside([*marks, *rows])


def _taps_weight(trace: Trace, slide: Slide, taps: Taps, index: int) -> Factor:
    if taps.weight in trace[slide.layer.name].weights:
        return Factor("×", "weight", taps.weight, float(taps.weights[index]), "", None, False,
                      held(trace, slide, taps).at(index), "weight")
    return _weight(trace, slide, taps)


def _slope_of(trace: Trace, slide: Slide) -> tuple[str, float, float, float] | None:
    """(whose curve, where on it, its value, its slope) that the gradient of this number meets; None where it meets
    none."""
    layer, (step, unit) = slide.layer, (0, *slide.cell)[-2:]
    if slide.key == "cell" and step < len(layer.inner["cell"]):
        at = float(layer.inner["cell"][step, unit])
        return "cell", at, float(np.tanh(at)), 1 - float(np.tanh(at)) ** 2
    gate = slide.key.removesuffix("_preactivation")
    key = "hidden" if gate == "preactivation" else gate
    if not recurrent.weighs(layer, slide.key) or key not in layer.inner or gate == "hidden_new":
        return None
    terms = kinds.inner_terms(trace, layer.name, key, step, unit)
    value = float(layer.inner[key][step, unit])
    return key, dict(terms.met).get("a", terms.result), value, _slope(layer, key, value)


def _slope(layer: Layer, key: str, value: float) -> float:
    """Of the curve that makes a gate or state, where it has that value."""
    return float(curve_of(layer, key).slope(np.asarray(value)))


# --- backwards: what it hands on --------------------------------------------------------------------------------------

def handed(trace: Trace, slide: Slide) -> list[tuple[Group, NDArray[np.float64], float]]:
    """Of each group of terms of a gate: its own weights, and the gradient that they and what they met are handed."""
    layer, (step, unit) = slide.layer, (0, *slide.cell)[-2:]
    gate = slide.key.removesuffix("_preactivation")
    key = "new" if gate == "hidden_new" else gate
    forward = Slide(layer, (step, unit), slide.value, slide.terms, "", key=key)
    total = key if key == "preactivation" else f"{key}_preactivation"
    own = float(layer.inner_gradients[total][step, unit])
    found = []
    for group in _groups(trace, forward):
        if group.taps.weight == "weight_ih":
            if slide.key != "hidden_new":
                found.append((group, group.taps.weights, own))
        elif key == "new":
            number = 2 * (len(layer.weights["weight_hh"]) // 3) + unit
            cells = np.stack([np.full(group.size, number), np.arange(group.size)], axis=1)
            taps = group.taps
            whole = Taps(taps.source, taps.cells, taps.values, layer.weights["weight_hh"][number].astype(np.float64),
                         taps.array, "weight_hh", cells, taps.inside, taps.grid)
            found.append((Group(whole, group.owner, "U h₋", group.words, group.short), whole.weights,
                          float(layer.inner_gradients["hidden_new"][step, unit])))
        else:
            found.append((group, group.taps.weights, own))
    return found


def _hands(trace: Trace, slide: Slide, frame: Area) -> Laid:
    """A gate turned over: the gradient through its slope, then a share for every weight and for every number read."""
    layer = slide.layer
    line = _equation(_chain(trace, slide), frame, frame.y)
    found = handed(trace, slide)
    groups = [group for group, _, _ in found]
    foci, at = [_where(trace, group.taps) for group in groups], [_weights_at(trace, group) for group in groups]
    values, weights = [group.taps.values for group in groups], [own for _, own, _ in found]
    to_weights = [group.taps.values * g for group, _, g in found]
    to_reads = [own * g for _, own, g in found]
    shares_w = [weight_shares(trace, slide, group.taps, g, _sum_before(slide, group), group.owner)
                for group, _, g in found]
    shares_x = [input_shares(trace, slide, replace(group.taps, weights=own), g, _sum_before(slide, group))
                for group, own, g in found]
    rows = [Tiled(tr("what it saw"), "", values, "activation", foci, (), "weight", shares_w),
            Tiled(tr("share of ∂L/∂W"), tr("g × value"), to_weights, "gradient", at, (), "product", shares_w)]
    all_steps = [_recorded(layer, group) for group in groups]
    if all(total is not None for total in all_steps) and "step" in layer.axes:
        last = len(layer.output) - 1 if layer.settings.get("reverse") else 0
        rows.append(Tiled("∂L/∂W", tr("all steps"), [total for total in all_steps if total is not None], "gradient",
                          at, there=slide.made and slide.cell[0] == last))
    rows += [Tiled(tr("what it weighed"), "", weights, "weight", at, (), "weight", shares_x),
             Tiled(tr("share of ∂L/∂x, h₋"), tr("g × weight"), to_reads, "gradient", foci, (), "product", shares_x)]
    below = Area(split(frame.box, "top", LINE - 8)[1], frame.look)
    marks, y = _tiles(groups, rows, below, below.y, slide.made)
    marks.append(Line(((frame.x - 24, y), (frame.right + 24, y)), "hair"))
    wide = min(640, (frame.width - 60) / 2)
    gradients = np.repeat([g for _, _, g in found], [group.size for group in groups])
    name = _named_in(trace, groups)

    def weight_name(index: int) -> tuple[str, Focus | None]:
        words, _ = name(index)
        return tr("for {name}").format(name=words), None

    in_x = _terms_of(shares_x)
    read = _claims_in(trace, groups)
    met = _claims_in(trace, [replace(group, taps=replace(group.taps, weights=own)) for group, own, _ in found])
    owns = [_sum_before(slide, group) for group in groups for _ in range(group.size)]

    def gradient_at(index: int) -> Claim:
        return "gradient", owns[index].layer, owns[index].cell, None, owns[index].array

    one = term_list(Listed(np.concatenate(values), gradients, weight_name, tr("∂L/∂W = value × g"),
                           claims=lambda index: (read(index)[0], gradient_at(index))), frame, frame.x, y + 6, wide,
                    True)
    other = term_list(Listed(np.concatenate(weights), gradients, name, tr("∂L/∂x, ∂L/∂h₋ = weight × g"), at=in_x,
                             claims=lambda index: (met(index)[1], gradient_at(index))), frame, frame.right - wide,
                      y + 6, wide, True)
    return handed_out(slide, marks, (one, other), line)


def _sum_before(slide: Slide, group: Group) -> Focus:
    """The sum that a group of terms is a part of: its gradient is what they are handed."""
    gate = slide.key.removesuffix("_preactivation")
    key = "preactivation" if gate == "preactivation" else "hidden_new" if gate in ("new", "hidden_new") \
        and group.taps.weight != "weight_ih" else f"{gate}_preactivation"
    return Focus(slide.layer.name, (0, *slide.cell)[-2:], f"inner.{key}")


def _recorded(layer: Layer, group: Group) -> NDArray[np.float64] | None:
    """∂L/∂ the weights of a group, as recorded: the shares of all steps added up."""
    array, cells = layer.weight_gradients.get(group.taps.weight), group.taps.weight_cells
    if array is None or cells is None or not kinds.adds_up(layer, group.taps.weight):
        return None
    found: NDArray[np.float64] = array[tuple(cells.T)].astype(np.float64)
    return found


def hands_of_state(trace: Trace, slide: Slide) -> list[tuple[str, Focus, float]]:
    """Every gradient that one number of a state is a term of: what it is called, where it stands, the factor."""
    layer, (step, unit) = slide.layer, (0, *slide.cell)[-2:]
    found: list[tuple[str, Focus, float]] = []
    array = f"inner_gradients.{slide.key}"
    for key, values in layer.inner_gradients.items():
        for at in _steps_beside(layer, key, step, len(values)):
            for other in range(values.shape[1]) if key == "unprojected" else (unit,):
                if key.endswith("_direct") or other >= values.shape[1] or (key == slide.key and at == step):
                    continue
                terms = kinds.inner_backward_terms(trace, layer.name, key, at, other)
                for taps in terms.taps:
                    hit = np.flatnonzero((taps.cells == (step, unit)).all(axis=1)) if taps.array == array else ()
                    for index in hit:
                        side = _side(Slide(layer, (step, unit), 0.0, (), "", key=slide.key), at, key)
                        focus = Focus(layer.name, (at, other)[-layer.output.ndim:]) if key == "hidden" else \
                            Focus(layer.name, (at, other), f"inner.{key}")
                        found.append((f"{symbol(key)}{side} {named(key)}", focus, float(taps.weights[index])))
    return found


def _steps_beside(layer: Layer, key: str, step: int, count: int) -> list[int]:
    """The step itself, and for states the one before; a state to start from has one place."""
    if key.startswith("initial_"):
        start = len(layer.inner["hidden"]) - 1 if layer.settings.get("reverse") else 0
        return [0] if step == start else []
    before = step + 1 if layer.settings.get("reverse") else step - 1
    return [step, before] if key in ("hidden", "cell") and 0 <= before < count else [step]


def _hands_on(trace: Trace, slide: Slide, frame: Area) -> Laid:
    """A state turned over: to what it hands its gradient, each with the factor; below, the unit at every step."""
    found = hands_of_state(trace, slide)
    if not found:
        return _nothing(slide, frame)
    gradients = np.full(len(found), slide.value)
    factors = np.array([factor for _, _, factor in found])
    own = about(slide)
    listed = Listed(gradients, factors, lambda index: (found[index][0], found[index][1]), tr("gradient × factor"),
                    at=lambda index: Term(found[index][1], own, slide.value, found[index][2], backward=True),
                    claims=lambda index: (("gradient", slide.layer.name, (0, *slide.cell)[-2:], None,
                                           f"inner.{slide.key}"), itself(found[index][2])))
    wide = min(860, frame.width)
    height = (min(len(found), 13) + 2.5) * 24
    top = Area(split(frame.box, "top", height)[0], frame.look)
    lines = term_list(listed, top, frame.x, frame.y, wide, True)
    y = frame.y + height + 12
    marks = through_time(trace, slide, _keys(slide), frame, frame.x, y, frame.width, frame.bottom - y)
    return lines.beside(marks)


def hands_rows(trace: Trace, slide: Slide) -> list[tuple[str | float | int, ...]]:
    """What a slide that hands on shows, one row a share: layer, what gets it, cell, number, gradient, product."""
    rows: list[tuple[str | float | int, ...]] = []
    name = slide.layer.name
    if not slide.key:
        terms = slide.terms[0][1]
        bias = [] if terms.bias is None else [(name, f"{name}/{terms.bias_name or 'bias'}", "", 1.0, slide.value,
                                               slide.value)]
        return [*(row for taps in terms.taps for row in shares_rows(trace, slide, taps, name, taps.weights,
                                                                    slide.value)), *bias]
    if not recurrent.weighs(slide.layer, slide.key):
        return [(name, focus.layer + (f"/{focus.array}" if focus.array != "output" else ""), _cell_words(focus.cell),
                 factor, slide.value, factor * slide.value) for _, focus, factor in hands_of_state(trace, slide)]
    for group, weights, g in handed(trace, slide):
        rows += shares_rows(trace, slide, group.taps, group.owner, weights, g)
    return rows


def shares_rows(trace: Trace, slide: Slide, taps: Taps, owner: str, weights: NDArray[np.float64],
                g: float) -> list[tuple[str | float | int, ...]]:
    """What one sum hands to all that it read, and then to all weights that it met there."""
    name = slide.layer.name
    source, first, array = kinds.place(trace, taps, 0)
    read = source if array == "output" else f"{source}/{array}"
    cells = taps.cells[:, taps.cells.shape[1] - len(first):].tolist()
    inside = [True] * len(cells) if taps.inside is None else taps.inside.tolist()
    rows: list[tuple[str | float | int, ...]] = [
        (name, read, _cell_words(cell), weight, g, weight * g)
        for cell, weight, real in zip(cells, weights.tolist(), inside, strict=True) if real]
    if taps.weight_cells is not None:
        rows += [(name, f"{owner}/{taps.weight}", _cell_words(cell), value, g, value * g)
                 for cell, value in zip(taps.weight_cells.tolist(), taps.values.tolist(), strict=True)]
    return rows


def _cell_words(cell: Sequence[int]) -> str:
    return f"({', '.join(map(str, cell))})"
