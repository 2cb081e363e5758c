"""Which units follow a pattern, ranked by their correlation with it, always beside those of random weights."""

from __future__ import annotations

import numpy as np

from visualizer.kinds import units
from visualizer.kinds.units import DRAWN, HEIGHTS, UPDATES
from visualizer.language import tr
from visualizer.said import said
from visualizer.scene import colour, numbers
from visualizer.scene.boxes import Box, split
from visualizer.scene.picture import Choice, Focus, Group, Line, Look, Mark, Rect, Table, Text, grouped, plain
from visualizer.scene.type import elide
from visualizer.trace import Layer
from visualizer.views.units._seen import Seen, Values, chip, focus_of, name_of, pattern_words, ways

MOST_ROWS, ROW = 16, 26.0
CURVES = 3
"""So many units are drawn over the steps of this input."""
SEEN = {"\n": "↵", " ": "·"}


def ranked(seen: Seen) -> list[tuple[Layer, int, float]]:
    """(layer, unit, correlation), the strongest first, whatever its sign."""
    assert seen.arrays is not None
    found = [(layer, unit, float(value)) for layer in units.layers(seen.trace) if layer.name in seen.arrays
             for unit, value in enumerate(np.asarray(seen.arrays[layer.name])) if np.isfinite(value)]
    return sorted(found, key=lambda each: -abs(each[2]))


def controls(seen: Seen) -> list[tuple[str, int, float]]:
    """The same with random weights."""
    assert seen.arrays is not None
    found = [(layer.name, unit, float(value)) for layer in units.layers(seen.trace)
             if f"control/{layer.name}" in seen.arrays
             for unit, value in enumerate(np.asarray(seen.arrays[f"control/{layer.name}"])) if np.isfinite(value)]
    return sorted(found, key=lambda each: -abs(each[2]))


def sentence(seen: Seen) -> str:
    best, control = ranked(seen), controls(seen)
    if not best or not control:
        return tr("No unit changes with {pattern}: over these inputs one of the two is always the same.").format(
            pattern=pattern_words(seen.pattern))
    layer, unit, value = best[0]
    other, place, drawn = control[0]
    assert seen.arrays is not None
    words = {"unit": name_of(layer, unit), "pattern": pattern_words(seen.pattern),
             "value": seen.value(numbers.number(value), layer.name, unit),
             "control": seen.value(numbers.number(drawn), f"control/{other}", place)}
    if _among(seen):
        return tr("{unit} follows {pattern} best, this input of yours counted ({inputs} in all): correlation "
                  "{{{value}}}; with random weights {control}.").format(**words, inputs=seen.value(
            numbers.count(int(np.asarray(seen.arrays["inputs"]))), "inputs"))
    return tr("{unit} follows {pattern} best, correlation {{{value}}}; with random weights the best unit has "
              "{control}.").format(**words)


def _among(seen: Seen) -> bool:
    """Whether the chosen input is none of those that ship, and is counted among them."""
    return seen.arrays is not None and bool(np.asarray(seen.arrays.get("chosen", 0)))


def waits(seen: Seen) -> str:
    if told := units.refusal(seen.trace, seen.pattern):
        return told
    return tr("The inputs that ship go through the network, and through one with random weights, to find units that "
              "follow {pattern}.").format(pattern=pattern_words(seen.pattern))


def has_no_meaning(seen: Seen) -> str:
    return tr("No inputs ship with this network, over which a unit could follow a pattern.")


def table(seen: Seen) -> Table:
    return Table((tr("layer"), tr("unit"), tr("correlation")),
                 tuple((layer.name, unit, value) for layer, unit, value in ranked(seen)[:200]))


def marks(seen: Seen, look: Look, box: Box) -> list[Mark]:
    """The patterns to choose from, the ranking, and the strongest units over the steps of this input."""
    left, right = split(box, "left", min(400.0, box.width * 0.42), 28.0)
    found = _choices(seen, Box(box.left, box.top - 34, box.right, box.top - 12))
    found += grouped(Group(tr("units that follow it")), _ranking(seen, look, left))
    if units.steps_read(seen.trace):
        found += grouped(Group(tr("over the steps of this input")), _steps(seen, look, right))
    else:
        found += grouped(Group(tr("over the inputs")), _scatter(seen, right))
    return found


def _choices(seen: Seen, box: Box) -> list[Mark]:
    x, marks = box.left, list[Mark]()
    names = units.names(seen.trace)
    for name in (*names, *(() if seen.pattern in names else (seen.pattern,))):
        words = pattern_words(name)
        x, made = chip(elide(words, 12, 220, 500), x, box.top, name == seen.pattern, Choice("pattern", name),
                       Focus(seen.trace.layers[0].name), words)
        if x > box.right:
            break
        marks += made
    return grouped(Group(tr("pattern")), marks)


def _ranking(seen: Seen, look: Look, box: Box) -> list[Mark]:
    """A row a unit: its correlation, and below it in grey that of the unit of the same rank with random weights."""
    best, control = ranked(seen), controls(seen)
    assert seen.arrays is not None
    rows = min(MOST_ROWS, max(1, int((box.height - 66) / ROW)), len(best))
    about = tr("over {count} numbers of {inputs} inputs").format(
        count=seen.value(numbers.count(int(seen.arrays["numbers"])), "numbers"),
        inputs=seen.value(numbers.count(int(seen.arrays["inputs"])), "inputs"))
    marks: list[Mark] = [Text(box.left, box.top + 14, plain(tr("Correlation with it")), 13, 600),
                         Text(box.left, box.top + 31, plain(about), 12, 400, "ink-2", max_width=box.width)]
    middle, half = box.left + 124 + (box.width - 180) / 2, (box.width - 180) / 2
    top = box.top + 40
    marks.append(Line(((middle, top), (middle, top + rows * ROW)), "hair"))
    for rank in range(rows):
        layer, unit, value = best[rank]
        y = top + rank * ROW
        chosen = layer is seen.layer and unit == seen.unit
        marks += [Rect(box.left - 6, y + 1, box.width + 6, ROW - 2, "tint" if chosen else "", radius=4,
                       focus=focus_of(layer, unit), tip=tr("choose this unit")),
                  Text(box.left, y + 17, plain(name_of(layer, unit)), 12, 600 if chosen else 400,
                       "accent-ink" if chosen else "ink", max_width=118),
                  _bar(middle, half, value, y + 6, 8, "positive-bar" if value > 0 else "negative-bar"),
                  Text(box.right - 4, y + 17, plain(seen.value(numbers.signed(value), layer.name, unit)), 12, 600,
                       "ink", "end")]
        if rank < len(control):
            marks.append(_bar(middle, half, control[rank][2], y + 16, 4, "ink-2"))
    y = top + rows * ROW + 17
    words = ways((tr("grey: units with random weights, ranked in the same way"), tr("grey: random weights")), box.width)
    return [*marks, Text(box.left, y, plain(words), 12, 400, "ink-2", max_width=box.width)]


def _bar(middle: float, half: float, value: float, y: float, high: float, ink: str) -> Rect:
    wide = min(1.0, abs(value)) * half
    return Rect(middle if value > 0 else middle - wide, y, wide, high, ink)


# --- over the steps of this input -------------------------------------------------------------------------------------

def _steps(seen: Seen, look: Look, box: Box) -> list[Mark]:
    """The pattern, to be drawn over, and the units below it, step by step."""
    assert seen.arrays is not None
    wanted = np.asarray(seen.arrays["pattern"], np.float64)
    count = len(wanted)
    best = ranked(seen)
    chosen = next((each for each in best if each[0] is seen.layer and each[1] == seen.unit), None)
    shown = best[:CURVES] if chosen is None or chosen in best[:CURVES] else [*best[:CURVES - 1], chosen]
    high = (box.height - 30) / (len(shown) + 1)
    cell = box.width / count
    at = min(count - 1, seen.now * count // UPDATES)
    words = seen.trace.sample.steps
    symbols = words if len(words) == count and cell >= 7 and units.symbolic(seen.trace) else ()
    marks: list[Mark] = [Text(box.left, box.top + 14, plain(ways(
        (tr("This input: {pattern}; draw a curve of your own into it").format(pattern=pattern_words(seen.pattern)),
         tr("This input; draw into it"), tr("This input"))
        , box.width, 13)), 13, 600, max_width=box.width)]
    body = Box(box.left, box.top + 22, box.right, box.top + high - 6)
    marks += _curve(wanted, body, "gradient-mark")
    marks += _drawing(seen, wanted, body)
    for number, (layer, unit, _) in enumerate(shown):
        y = box.top + (number + 1) * high
        values = units.by_unit(layer)[unit]
        lane = Box(box.left, y + 22, box.right, y + high - 6)
        marks += [Text(box.left, y + 14, plain(name_of(layer, unit)), 12, 600, max_width=box.width),
                  *_curve(np.asarray(values, np.float64), lane, "accent")]
    if symbols:
        for step, symbol in enumerate(symbols):
            marks.append(Text(box.left + (step + 0.5) * cell, box.bottom - 8, plain(said(
                SEEN.get(symbol, symbol), "word of the sample", step=step)), 11, 700 if step == at else 400,
                "accent-ink" if step == at else "ink-2", "middle", max_width=max(cell, 6.0)))
    x = box.left + (at + 0.5) * cell
    return [*marks, Line(((x, box.top + 20), (x, box.bottom - 22)), "accent", 1.25)]


def _curve(values: Values, box: Box, ink: str) -> list[Mark]:
    """A line a step wide for each, between the least and the largest."""
    low, high = colour.reach(values)
    span = (high - low) or 1.0
    cell = box.width / max(1, len(values))
    points: list[tuple[float, float]] = []
    for step, value in enumerate(values):
        y = box.bottom - (float(value) - low) / span * box.height
        points += [(box.left + step * cell, y), (box.left + (step + 1) * cell, y)]
    return [Rect(box.left, box.top, box.width, box.height, "sunk", radius=3), Line(tuple(points), ink, 1.75)]


def _drawing(seen: Seen, wanted: Values, box: Box) -> list[Mark]:
    """Places to press: each sets the curve at its step to its height."""
    low, high = colour.reach(wanted)
    span = (high - low) or 1.0
    heights = [round((float(value) - low) / span * (HEIGHTS - 1)) if np.isfinite(value) else 0 for value in wanted]
    cell, tall = box.width / len(wanted), box.height / HEIGHTS
    marks: list[Mark] = []
    for step in range(len(wanted)):
        for level in range(HEIGHTS):
            drawn = "".join(map(str, (*heights[:step], level, *heights[step + 1:])))
            marks.append(Rect(box.left + step * cell, box.bottom - (level + 1) * tall, cell, tall, "",
                              focus=Focus(seen.trace.layers[0].name), holds=Choice("pattern", f"{DRAWN}{drawn}")))
    return marks


# --- over the inputs, where nothing is read step by step --------------------------------------------------------------

def _scatter(seen: Seen, box: Box) -> list[Mark]:
    """The chosen unit over the pattern, a dot an input."""
    assert seen.arrays is not None
    best = ranked(seen)
    layer, unit = (seen.layer, seen.unit) if f"values/{seen.layer.name}" in seen.arrays else (best[0][0], best[0][1])
    values = np.asarray(seen.arrays[f"values/{layer.name}"])[unit]
    wanted = np.asarray(seen.arrays["pattern"], np.float64)
    there = np.isfinite(wanted)
    (left, right), (low, high) = colour.reach(wanted[there]), colour.reach(values[there])
    side = Box(box.left + 12, box.top + 30, box.right - 8, box.bottom - 40)
    marks: list[Mark] = [Text(box.left, box.top + 14, plain(name_of(layer, unit)), 13, 600),
                         Rect(side.left, side.top, side.width, side.height, "sunk", radius=3)]
    for x, y in zip(wanted[there], values[there], strict=True):
        across = (float(x) - left) / ((right - left) or 1.0)
        up = (float(y) - low) / ((high - low) or 1.0)
        marks.append(Rect(side.left + 4 + across * (side.width - 12), side.bottom - 8 - up * (side.height - 12), 4, 4,
                          "accent", radius=2))
    words = tr("across: {pattern}; up: the mean of the unit; a dot an input").format(
        pattern=pattern_words(seen.pattern))
    return [*marks, Text(side.left, side.bottom + 20, plain(words), 12, 400, "ink-2", max_width=side.width)]
