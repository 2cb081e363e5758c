"""Over inputs: one channel, unit, gate or state over many inputs side by side, each below the input that made it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visualizer import kinds
from visualizer.kinds.gates import named
from visualizer.language import counted_as, english, tr
from visualizer.over import SEPARATOR, STUDY
from visualizer.said import Claim, said, tick
from visualizer.scene import colour, logchart, numbers, parts
from visualizer.scene.columns import lanes_height
from visualizer.scene.labels import fitting
from visualizer.scene.lanes import lanes
from visualizer.scene.picture import (
    BEAT,
    Focus,
    Group,
    Image,
    Line,
    Look,
    Mark,
    Picture,
    Rect,
    Scale,
    Table,
    Text,
    ToInput,
    grouped,
    plain,
    unmarked,
)
from visualizer.scene.reading import layers
from visualizer.scene.subject import CHANNEL, is_inner, subject
from visualizer.scene.telling import read_to_the_end, weighed
from visualizer.scene.timeline import Moment, Timeline
from visualizer.scene.type import elide, wrap
from visualizer.trace import Layer, Trace, remembered
from visualizer.views import PARTS, View

Values = NDArray[np.float32]
TOP, GAP, BELOW = 116.0, 14.0, 18.0
LEAST, MOST = 30.0, 200.0
"""Smallest and largest side of a tile."""
WORDS = 32.0
"""Height of an input that stands in words."""
FLAT = 0.55
"""Height of a curve or a bar as a share of its width."""


@dataclass(frozen=True, eq=False)
class Series:
    """One quantity over many inputs."""

    name: str
    """What it is, as a sentence begins: `Channel 7 of conv2`."""
    about: Focus
    values: Values
    """(input, row, column) for maps, one row for units side by side; (input, step) for what changes with the steps,
    (input,) for numbers; NaN where an input is shorter."""
    scale: Scale
    claim: Claim
    """Of the largest of all."""

    @property
    def largest(self) -> NDArray[np.float64]:
        """(input,)."""
        flat = self.values.reshape(len(self.values), -1).astype(np.float64)
        found: NDArray[np.float64] = np.where(np.isnan(flat), -np.inf, flat).max(axis=1)
        return found


@dataclass(frozen=True, eq=False)
class Shown:
    """The inputs, and what of them is seen."""

    words: tuple[str, ...]
    titles: tuple[str, ...]
    answers: tuple[str, ...]
    labels: tuple[str, ...]
    """Empty where an input has none."""
    right: tuple[bool | None, ...]
    pictures: Values | None
    """(input, row, column) where the network reads pictures."""


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """A grid of inputs, below each what the chosen channel, unit, gate or state makes of it."""
    if STUDY not in trace.studies:
        return logchart.unmeasured(look, tr("Over inputs"), tr("What the network makes of other inputs"))
    shown = _shown(trace)
    if not shown.words:
        return logchart.unmeasured(look, tr("Over inputs"), "", tr("None of the inputs could be run."))
    series = _series(trace, subject(trace, moment, focus, CHANNEL), look)
    order = list(range(len(shown.words)))
    if series is not None and look.knob("order", "list") == "largest":
        order.sort(key=lambda place: -series.largest[place])
    told = _sentence(shown, series, moment.backward)
    title = tr("{inputs}, a click goes there") if not moment.backward else \
        tr("{inputs}, a click goes there; the gradient of one input is in the other views")
    counted = counted_as(len(order), tr("{count} input"), tr("{count} inputs"))
    title = title.format(inputs=counted.format(count=said(numbers.count(len(order)), "how many inputs", array="over")))
    marks = [*parts.sentence(look, told), *parts.title(look, series.about.layer if series else trace.layers[0].name,
                                                       title, False)]
    marks += grouped(Group(tr("inputs")), _grid(trace, shown, series, order, look))
    still, moving = lanes(trace, moment, look)
    return Picture(look.size, tuple(still), (*marks, *moving), look.theme, caption=unmarked(told),
                   table=_table(shown, series, order))


# --- what is seen ---------------------------------------------------------------------------------------------------

@remembered(2)
def _shown(trace: Trace) -> Shown:
    held = trace.studies[STUDY]
    words, titles, answers = (tuple(bytes(held[key]).decode().split(SEPARATOR))
                              for key in ("words", "titles", "answers"))
    known = [int(label) for label in held["labels"]]
    if not known:
        return Shown((), (), (), (), (), None)
    labels = tuple("" if label < 0 else trace.labels[label] if label < len(trace.labels) else str(label)
                   for label in known)
    right = tuple(None if not label or not answer else label == answer
                  for label, answer in zip(labels, answers, strict=True))
    first = trace.layers[0]
    pixels = held.get(f"{first.name}:output") if first.has("row", "column") else None
    pictures = None if pixels is None else pixels.reshape(len(known), -1, *pixels.shape[-2:]).mean(axis=1)
    return Shown(words, titles, answers, labels, right, pictures)


@remembered(8)
def _series(trace: Trace, about: Focus, look: Look) -> Series | None:
    """What a focus picks of every input; None where it is only what was fed in."""
    layer, held = trace[about.layer], trace.studies[STUDY]
    values = held.get(f"{layer.name}:{about.array}")
    if values is None or layer.is_input:
        return None
    axes = ("step", "unit") if is_inner(about) else layer.axes
    axis = next((axes.index(each) for each in ("channel", "unit", "class", "feature") if each in axes), None)
    picked, name = values, layer.name
    if axis is not None and axis < len(about.cell) and about.cell[axis] < values.shape[axis + 1]:
        picked, name = np.take(values, about.cell[axis], axis + 1), _name(trace, about, axes[axis], about.cell[axis])
    elif axes == ("step", "unit"):
        picked = np.moveaxis(values, 1, 2)
        name = tr("{what} of {layer}").format(what=_inner(about) or tr("State"), layer=layer.name)
    if picked.ndim > 3:
        picked = picked.reshape(len(picked), -1, picked.shape[-1])
    if picked.ndim == 2 and (axis is None or axis >= len(about.cell)) and "step" not in axes:
        picked = picked[:, None]
    chosen = axis is not None and axis < len(about.cell) and about.cell[axis] < values.shape[axis + 1]
    claim = "largest over inputs", layer.name, (about.cell[axis],) if chosen and axis is not None else (), axis, \
        about.array
    return Series(name, about, picked, _scale(layer, about, picked, look), claim)


def _inner(about: Focus) -> str:
    return named(about.array.removeprefix("inner.")).capitalize() if is_inner(about) else ""


def _name(trace: Trace, about: Focus, axis: str, index: int) -> str:
    if is_inner(about):
        return tr("{what} of unit {unit} in {layer}").format(what=_inner(about), layer=about.layer, unit=said(
            str(index), "index", about.layer, about.cell, array=about.array))
    if axis == "class" and index < len(trace.labels):
        return tr("Class {label} of {layer}").format(label=said(trace.labels[index], "label", about.layer, (index,)),
                                                     layer=about.layer)
    words = tr("Channel {number} of {layer}") if axis == "channel" else tr("Unit {number} of {layer}")
    place = trace[about.layer].axes.index(axis)
    return words.format(number=said(str(index), "index", about.layer, about.cell[:place + 1]), layer=about.layer)


def _scale(layer: Layer, about: Focus, values: Values, look: Look) -> Scale:
    """One scale for all inputs."""
    known = values[np.isfinite(values)]
    if kinds.shares(layer) or (is_inner(about) and about.array.removeprefix("inner.") in ("forget", "input", "output",
                                                                                          "reset", "update")):
        return Scale("pixel", tr("share"), about.layer, 0.0, 1.0, tr("one scale for all inputs"))
    top = float(np.abs(known).max()) if known.size else 0.0
    top = top or 1.0
    return Scale("activation", tr("values"), about.layer, -top, top, tr("one scale for all inputs"))


def _entries(values: Values, scale: Scale) -> NDArray[np.uint8]:
    return colour.unit(values, scale.low, scale.high) if scale.palette == "pixel" else colour.signed(values, scale.high)


def _sentence(shown: Shown, series: Series | None, back: bool) -> str:
    """What is seen; on the way back, too, it is what was computed on the way forward, and that is said."""
    count = said(numbers.count(len(shown.words)), "how many inputs", array="over")
    wrong = sum(each is False for each in shown.right)
    if series is None:
        return tr("{count} inputs side by side, of which {{{wrong}}} are answered wrong.").format(
            count=count, wrong=said(str(wrong), "how many inputs are answered wrong")) \
            if any(each is not None for each in shown.right) else \
            tr("{{{count}}} inputs side by side; choose a channel or a unit to see what it makes of each.").format(
                count=count)
    best = int(np.argmax(series.largest))
    words = tr("{what} over {count} inputs, as computed on the way forward: largest for {title}, {{{value}}}.") \
        if back else tr("{what} over {count} inputs: largest for {title}, {{{value}}}.")
    return words.format(what=series.name, count=count, title=_escaped(_title(shown, best)),
                        value=said(numbers.significant(float(series.largest[best])), *series.claim))


def _title(shown: Shown, place: int) -> str:
    return said(shown.titles[place], "title of an input", cell=(place,))


def _escaped(text: str) -> str:
    """Words as they are, none of their signs read as markup."""
    return "".join(f"\\{sign}" if sign in "\\*`{}_" else sign for sign in text)


def _table(shown: Shown, series: Series | None, order: list[int]) -> Table:
    """One row an input, in the order in which they stand."""
    largest = None if series is None else series.largest
    rows = tuple((shown.titles[place], shown.labels[place] or "–", shown.answers[place] or "–",
                  *(() if largest is None else (float(largest[place]),))) for place in order)
    return Table((tr("input"), tr("label"), tr("answer"), *(() if largest is None else (tr("largest value"),))), rows)


# --- the grid -------------------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class Grid:
    """Where the inputs stand."""

    side: float
    """Width of a tile."""
    above: float
    below: float
    """Heights of the input and of what is made of it."""
    columns: int
    count: int

    @property
    def high(self) -> float:
        return self.above + (4 + self.below if self.below else 0) + BELOW

    def place(self, number: int, left: float) -> tuple[float, float]:
        """Left and top of one of them."""
        return (left + number % self.columns * (self.side + GAP),
                TOP + number // self.columns * (self.high + GAP))


def _laid(shown: Shown, series: Series | None, look: Look) -> Grid:
    """Tiles as large as they can be for all to be seen; of too many the first."""
    wide, room = look.size[0] - 48.0, parts.body(look, TOP).height - 56.0
    made = 0.0 if series is None else _proportion(series.values) if series.values.ndim == 3 else FLAT
    above = 0.0 if shown.pictures is None else _proportion(shown.pictures)
    least = max(LEAST, 92.0 if shown.pictures is None else LEAST)
    side = MOST
    while True:
        columns = max(1, int((wide + GAP) // (side + GAP)))
        grid = Grid(side, side * above or WORDS, side * made, columns, len(shown.words))
        rows = max(1, int((room + GAP) // (grid.high + GAP)))
        if columns * rows >= len(shown.words) or side <= least:
            return Grid(side, grid.above, grid.below, columns, min(len(shown.words), columns * rows))
        side -= 2


def _proportion(values: Values) -> float:
    """Height of a map for a width of 1: its own if it lies, else that of a square."""
    rows, columns = values.shape[1:]
    return float(min(1.0, max(0.2, rows / columns)))


def _grid(trace: Trace, shown: Shown, series: Series | None, order: list[int], look: Look) -> list[Mark]:
    grid = _laid(shown, series, look)
    order = order[:grid.count]
    left = 24.0
    marks: list[Mark] = []
    if shown.pictures is not None:
        low, high = float(np.nanmin(shown.pictures)), float(np.nanmax(shown.pictures))
        scale = Scale("pixel", tr("pixels"), trace.layers[0].name, low, high)
        marks.append(_tiles(shown.pictures[order], scale, grid, left, 0.0, grid.above, look))
    if series is not None and series.values.ndim == 3:
        marks.append(_tiles(series.values[order], series.scale, grid, left, grid.above + 4, grid.below, look))
    for number, place in enumerate(order):
        x, y = grid.place(number, left)
        if shown.pictures is None:
            lines = wrap(plain(shown.titles[place]), 11, grid.side, 400)[:2]
            marks += [Text(x, y + 11 + 14 * index, line, 11, max_width=grid.side) for index, line in enumerate(lines)]
        if series is not None and series.values.ndim < 3:
            marks += _curve(series, place, x, y + grid.above + 4, grid)
        marks += _answer(trace, shown, place, x, y + grid.high - 5, grid)
        here = shown.words[place] == trace.sample.name
        marks.append(Rect(x - 5, y - 5, grid.side + 10, grid.high + 8, stroke="accent" if here else "",
                          stroke_width=2, radius=6, focus=Focus(trace.layers[0].name, (place,), BEAT),
                          tip=_title(shown, place), holds=ToInput(shown.words[place])))
    foot = look.size[1] - lanes_height(look) - 38
    if series is not None and series.values.ndim == 3:
        marks += parts.legend(24, foot, 168, look, series.scale, tr("Values, one scale for all inputs"),
                              _ends(series))
    elif series is not None:
        low, high = _range(series)
        words = tr("Height from {low} to {high}, the same for all inputs").format(
            low=said(numbers.significant(low), "least height", *series.claim[1:]),
            high=said(numbers.significant(high), *_size_of(series)))
        marks.append(Text(24, foot, plain(words), 12, 500, "ink-2"))
    if grid.count < len(shown.words):
        words = tr("{count} of {total} shown").format(count=grid.count, total=numbers.count(len(shown.words)))
        marks.append(Text(look.size[0] - 24, foot, plain(words), 12, 500, "ink-2", "end"))
    return marks


def _tiles(values: Values, scale: Scale, grid: Grid, left: float, down: float, high: float, look: Look) -> Image:
    """One mark for the maps of all inputs, each as large as its place."""
    factor = max(1, -(-max(values.shape[1:]) // int(grid.side / look.pixel)))
    values = _pooled(values, factor)
    rows, columns = values.shape[1:]
    return Image(left, TOP + down, (grid.side / columns, high / rows), _entries(values, scale), scale.palette,
                 grid.columns, (grid.side + GAP, grid.high + GAP), hatched=~np.isfinite(values), scale=scale)


def _pooled(values: Values, factor: int) -> Values:
    """The strongest of each so many rows and columns."""
    if factor == 1:
        return values
    rows, columns = (-(-size // factor) * factor for size in values.shape[1:])
    padded = np.full((len(values), rows, columns), np.nan, np.float32)
    padded[:, :values.shape[1], :values.shape[2]] = values
    blocks = padded.reshape(len(values), rows // factor, factor, columns // factor, factor).swapaxes(2, 3)
    blocks = blocks.reshape(*blocks.shape[:3], -1)
    sizes = np.where(np.isnan(blocks), -1.0, np.abs(blocks))
    found: Values = np.take_along_axis(blocks, sizes.argmax(axis=-1)[..., None], -1)[..., 0]
    return found


def _curve(series: Series, place: int, x: float, y: float, grid: Grid) -> list[Mark]:
    """What changes with the steps as a line, a number as a bar; both over zero, on the scale of all inputs."""
    (low, high), known = _range(series), series.values[place]

    def level(value: float) -> float:
        return y + grid.below * (high - value) / (high - low)

    zero = level(0.0)
    marks: list[Mark] = [Rect(x, y, grid.side, grid.below, "sunk", radius=2),
                         Line(((x, zero), (x + grid.side, zero)), "rule")]
    if known.ndim == 0:
        value = float(known)
        if np.isfinite(value):
            top = level(value)
            marks.append(Rect(x + grid.side / 2 - 10, min(top, zero), 20, abs(top - zero),
                              "positive-bar" if value >= 0 else "negative-bar"))
        return marks
    read = known[np.isfinite(known)]
    step = grid.side / max(1, len(read) - 1)
    points = tuple((x + index * step, level(float(value))) for index, value in enumerate(read))
    return [*marks, Line(points, "positive-bar", 1.5)] if len(points) > 1 else marks


def _range(series: Series) -> tuple[float, float]:
    """Between which numbers curves and bars stand: from zero where none is below it."""
    return (0.0 if np.nanmin(series.values) >= 0 else series.scale.low), series.scale.high


def _telling(trace: Trace, times: Timeline) -> str:
    """The end of the reading, or the first layer with weights."""
    return read_to_the_end(trace, times) if layers(trace) else weighed(trace, times)


def _ends(series: Series) -> tuple[str, str, str]:
    """What stands below the colours of the maps."""
    top = series.scale.high
    return (said(numbers.number(series.scale.low), "least that has a colour over inputs", *series.claim[1:]),
            tick("0", 0, series.scale.low, top), said(numbers.number(top), *_size_of(series)))


def _size_of(series: Series) -> Claim:
    return ("largest size over inputs", *series.claim[1:])


def _answer(trace: Trace, shown: Shown, place: int, x: float, y: float, grid: Grid) -> list[Mark]:
    """`4 → 9`: label and answer, strong where they differ."""
    label, answer, right = shown.labels[place], shown.answers[place], shown.right[place]
    label = label and said(label, "label of one of the inputs", cell=(place,))
    answer = answer and said(answer, "answer to one of the inputs", cell=(place,))
    ways = [f"{label} → {answer}"] if label and answer else []
    words = fitting([*ways, answer or label], grid.side, 11, 600) or answer or label
    return [] if not words else [Text(x, y, plain(elide(words, 11, grid.side, 600)), 11, 600 if right is False else 400,
                                      "negative-text" if right is False else "ink-2", max_width=grid.side)]


VIEW = View(
    "over", english("Over inputs"), english("One channel, unit, gate or state over many inputs side by side."),
    suits=lambda trace: "lab" not in trace.studies and bool(trace.facts.get("input")), draw=draw, telling=_telling,
    order=22, knobs=(("order", ("list", "largest")),), studies=(STUDY,), continuous=False, group=PARTS,
    tries=english("Choose a channel first, then look which inputs it answers to, and click one."),
)
