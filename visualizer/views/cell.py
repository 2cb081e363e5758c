"""One step of a recurrent layer, opened: every gate from its products to its value, then the memory and the state."""

from __future__ import annotations

from functools import partial
from itertools import groupby

import numpy as np

from visualizer.kinds.gates import quantity
from visualizer.language import english, tr, translated
from visualizer.said import said
from visualizer.scene import colour, gatesigns, numbers, parts, steps
from visualizer.scene.boxes import whole
from visualizer.scene.cellnumbers import unit_chosen
from visualizer.scene.picture import (
    Focus,
    Group,
    Image,
    Look,
    Mark,
    Picture,
    Rect,
    Scale,
    Table,
    Text,
    grouped,
    plain,
    rich,
    unmarked,
)
from visualizer.scene.projector import begins
from visualizer.scene.reading import (
    Reading,
    Row,
    bounded,
    conclusion,
    layers,
    opened,
    reading,
    shown_layer,
    step_named,
    step_said,
    steps_said,
    tabs,
    unit_said,
    word_said,
)
from visualizer.scene.telling import read_to_the_end
from visualizer.scene.timeline import Moment
from visualizer.scene.type import width
from visualizer.trace import Trace
from visualizer.views import STEPS, View

TOP, NUMBERS = 112.0, 96.0
LOWEST = 12.0
"""Lines at least so high all have their words and number; of lower ones only what a block makes."""
CLEAR = 15.0
"""Lines of text whose baselines are so far apart do not touch."""
TALLEST, FEW = 40.0, 240.0
"""Height of a line at most; and width of all units together, where they are few."""
SIGNED = 20.0
"""Cells at least so wide, at a text scale of 1, carry a minus where their value is negative; all do with `signs`."""


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """All lines of all gates of the current step, one column a unit; the numbers of one unit at the right."""
    layer = shown_layer(trace, moment, None if focus is None else focus.layer)
    shown = reading(trace, layer.name)
    step = steps.current(trace, shown, moment)
    chosen = unit_chosen(shown, focus)
    unit = _telling(shown, step) if chosen is None else chosen
    blocks = [(key, title, opened(trace, shown, key, step)) for key, title in tabs(shown)]
    told = _sentence(shown, step, unit, moment)
    words = tr("step {step} of {steps}; all {units} units, unit {unit} in numbers") \
        if not shown.worded else \
        tr("step {step} of {steps} reads “{word}”; all {units} units, unit {unit} in numbers")
    gate = f"inner.{shown.family.keys[0]}"
    words = words.format(step=step_said(shown, step), steps=steps_said(shown),
                         word=word_said(shown, step) if shown.worded else "",
                         units=said(str(shown.width), "how many units", layer.name, array=gate),
                         unit=unit_said(shown, unit, gate))
    if shown.between:
        words = tr("{words}; between the steps the state goes through {layers}").format(
            words=words, layers=shown.between)
    words = tr("{words}; values of the way forward").format(words=words) if moment.backward else words
    marks = [*parts.sentence(look, told), *parts.title(look, layer.name, words, False)]
    looked = "" if focus is None or focus.layer != layer.name else focus.array.removeprefix("inner.")
    keys = [key for key, _, _ in blocks]
    open_key = next((key for key in (looked, moment.act, look.knob("gate", "")) if key in keys), keys[0])
    marks += _blocks(shown, blocks, step, unit, moment, open_key, look)
    still, moving = steps.lane(trace, shown, moment, look, steps.span(shown, look))
    return Picture(look.size, tuple(still), (*marks, *moving), look.theme, caption=unmarked(told),
                   table=_table(blocks, shown))


def _blocks(shown: Reading, blocks: list[tuple[str, str, tuple[Row, ...]]], step: int, unit: int, moment: Moment,
            open_key: str, look: Look) -> list[Mark]:
    body = parts.body(look, begins(look, TOP, 12))
    top = body.top
    shows = [rows if look.mode.workings or key == open_key else rows[-1:] for key, _, rows in blocks]
    lines = sum(map(len, shows))
    room = body.height - 8 - 12 * len(blocks)
    high = whole(min(TALLEST, room / lines), look.pixel)
    left, beside = (196, 150) if look.mode.notes else (182, 0.0)
    wide = (look.size[0] - left - NUMBERS - beside) / shown.width
    wide = whole(min(max(look.mode.cell, FEW / shown.width), wide), look.pixel) or wide
    gap, end = 2 if wide >= 6 else 0, left + wide * shown.width
    y, drawn = top, moment.phase * len(blocks) if moment.beat.layer == shown.layer.name and not moment.backward \
        else float(len(blocks))
    marks: list[Mark] = []
    for index, ((key, title, _), rows) in enumerate(zip(blocks, shows, strict=True)):
        known = index < drawn or drawn >= len(blocks)
        apart = bounded(shown, key)
        most = _largest(blocks[index][2], apart)
        own, before = Group(title, Focus(shown.layer.name, (step,), f"inner.{key}")), marks
        base = y + min(14, high * 0.5 + 4)
        baselines = [y + line * high + high * 0.5 + 4 for line in range(len(rows))]
        words_at = [width(rich(row.words), 12, 600) for row, at in zip(rows, baselines, strict=True)
                  if (high >= LOWEST or row.result) and abs(at - base) < CLEAR]
        marks = _titled(key, title, base, left - 16 - max(words_at, default=0.0))
        claim = ("largest of its lines", shown.layer.name, (), step, key)
        if len(rows) > 1 and most:
            marks.append(Text(24, y + 30, plain(f"±{said(numbers.significant(most, 2), *claim)}"), 11, 400, "ink-2"))
        for line, row in enumerate(rows):
            at = y + line * high
            written = high >= LOWEST or row.result
            if written:
                marks.append(Text(left - 12, at + high * 0.5 + 4, rich(row.words), 12,
                                  600 if row.result else 400, "ink" if row.result else "ink-2", "end"))
            if not known:
                marks.append(Rect(left, at, wide * len(row.values), high - 2, "hatch"))
                continue
            if written and unit < len(row.values) and not (shown.projected and key == "hidden" and row.result):
                value = float(row.values[unit])
                size = numbers.number(value) if row.result or line == 0 else numbers.signed(value)
                marks.append(Text(end + NUMBERS * 0.75, at + high * 0.5 + 4, plain(row.said(shown, step, unit, size)),
                                  12, 600, "accent-ink" if row.result else "ink", "end"))
        if known:
            marks += _lines(shown, key, title, rows, most or 1.0, apart, step, (left, y), (wide, high), gap, look)
        words = conclusion(shown, key, float(rows[-1].values[unit]), step, unit).removeprefix(tr("so it ")) \
            if unit < len(rows[-1].values) else ""
        if words and known and look.mode.notes:
            x = max(end + NUMBERS * 0.75 + 8, min(end + NUMBERS, look.size[0] - 8 - width(words, 11)))
            marks.append(Text(x, y + (len(rows) - 0.5) * high + 4, plain(words), 11, 400, "ink-2",
                              max_width=look.size[0] - x - 8))
        marks = before + grouped(own, marks)
        y += len(rows) * high + 12
    tall = y - top - 6 - (high if shown.projected else 0)  # the last line of these is of other units
    marks.append(Rect(left + unit * wide - 2, top - 3, wide - gap + 4, tall, "", "ink", 1.5, radius=3))
    return marks


def _telling(shown: Reading, step: int) -> int:
    """The unit in numbers where none was chosen: the one whose state, before a projection, is largest."""
    states = shown.layer.inner["unprojected"] if shown.projected else shown.states
    return int(np.argmax(np.abs(states[step])))


def _titled(key: str, title: str, base: float, end: float) -> list[Mark]:
    """The sign and the name of a gate; its sign alone where there is no room for both."""
    if not quantity(key).sign:
        return [Text(24, base, plain(title), 13, 600, max_width=end - 24)] if end >= 72 else []
    sign = gatesigns.sign(key, 33, base - 4.5, 17)
    return [*sign, Text(48, base, plain(title), 13, 600)] if 48 + width(title, 13, 600) <= end else sign


def _largest(rows: tuple[Row, ...], within: bool) -> float:
    """The largest size in the lines of a block that share a scale: all but what is squashed; 0 where no number is."""
    return max((colour.largest(row.values) for row in (rows[:-1] if within else rows)), default=0.0)


def _lines(shown: Reading, key: str, title: str, rows: tuple[Row, ...], most: float, within: bool, step: int,
           corner: tuple[float, float], pitch: tuple[float, float], gap: int, look: Look) -> list[Mark]:
    """The lines of a block as cells: its sums on their own largest size, what is squashed on −1 … 1."""
    kinds = [(row.gate + 2 * (within and number == len(rows) - 1 and not row.gate), len(row.values))
             for number, row in enumerate(rows)]
    marks: list[Mark] = []
    for (kind, count), numbered in groupby(range(len(rows)), kinds.__getitem__):
        places = list(numbered)
        part, first = [rows[place] for place in places], places[0]
        top, of, scope = (most, tr("sums of the {title}").format(title=title), tr("each gate by its own largest")) \
            if kind == 0 else (1.0, tr("what they make"), tr("gates 0 to 1, states and candidates −1 to 1"))
        if kind == 1:
            marks.append(Image(corner[0], corner[1] + first * pitch[1], (pitch[0] - gap, pitch[1] - 2),
                               np.concatenate([colour.unit(row.values) for row in part])[:, None, None], "pixel",
                               count, pitch, border="tile-border" if pitch[0] >= 6 else "",
                               focus=Focus(shown.layer.name, (step,), f"inner.{key}"),
                               indices=tuple(range(count)) * len(part),
                               scale=Scale("pixel", tr("gate"), tr("every gate"), 0.0, 1.0, tr("0 shut, 1 open"))))
        else:
            shades = np.concatenate([colour.signed(row.values, top) for row in part])
            marks.append(Image(corner[0], corner[1] + first * pitch[1], (pitch[0] - gap, pitch[1] - 2),
                               shades[:, None, None], "activation", count, pitch,
                               border="tile-border" if pitch[0] >= 6 else "",
                               focus=Focus(shown.layer.name, (step,), f"inner.{key}"),
                               indices=tuple(range(count)) * len(part),
                               scale=Scale("activation", tr("values"), of, -top, top, scope)))
            if look.signs or pitch[0] >= SIGNED:
                values = np.stack([row.values for row in part])[None]
                marks += parts.minuses(values, shades.reshape(values.shape), "activation", look, pitch[0] - gap,
                                       partial(_middle, corner, pitch, gap, first))
    return marks


def _middle(corner: tuple[float, float], pitch: tuple[float, float], gap: int, first: int, tile: int, line: int,
            unit: int) -> tuple[float, float]:
    """The middle of a unit's cell in a line of a block."""
    return (corner[0] + (unit + 0.5) * pitch[0] - gap / 2, corner[1] + (first + line + 0.5) * pitch[1] - 1)


def _sentence(shown: Reading, step: int, unit: int, moment: Moment) -> str:
    if shown.projected:
        return _of_memory(shown, step, unit, moment)
    state, of, number = float(shown.states[step][unit]), shown.layer.name, unit_said(shown, unit)
    if moment.backward and shown.gradients is not None:
        size = float(shown.gradients[step][unit])
        slope = f"{'+' if size > 0 else ''}{numbers.significant(size, 3)}"
        return tr("At step {step} the loss would change by {{{slope}}} for each {one} that the state of unit {unit} "
                  "grows.").format(step=step_said(shown, step), unit=number, one=said("1", "one"), slope=said(
                      slope, "value", of, (unit,), step, "inner_gradients.hidden"))
    inner = shown.layer.inner
    ends = said(numbers.number(state), "value", of, (unit,), step, "inner.hidden")
    gate, keeps = shown.family.kept
    if gate:
        kept = float(inner[gate][step][unit])
        return tr("At {step}, unit {unit} keeps {{{share}}} of its {name} and ends at {state}.").format(
                   step=step_named(shown, step), unit=number, state=ends,
                   share=said(numbers.percent(kept, 0), "value", of, (unit,), step, f"inner.{gate}"),
                   name=translated(shown.family.quantities[keeps].name))
    total = float(inner["preactivation"][step][unit])
    return tr("At {step}, the sums of unit {unit} make {total}; its state is {{{state}}}.").format(
               step=step_named(shown, step), unit=number, state=ends,
               total=said(numbers.number(total), "value", of, (unit,), step, "inner.preactivation"))


def _of_memory(shown: Reading, step: int, unit: int, moment: Moment) -> str:
    """Where the state is projected: what becomes of the memory, which has the units of the gates."""
    inner, came, of = shown.layer.inner, shown.layer.inner_gradients, shown.layer.name
    number = unit_said(shown, unit, "inner.cell")
    if moment.backward and "cell" in came:
        size = float(came["cell"][step][unit])
        slope = f"{'+' if size > 0 else ''}{numbers.significant(size, 3)}"
        return tr("At step {step} the loss would change by {{{slope}}} for each {one} that the memory of unit {unit} "
                  "grows.").format(step=step_said(shown, step), unit=number, one=said("1", "one"), slope=said(
                      slope, "value", of, (unit,), step, "inner_gradients.cell"))
    return tr("At {step}, unit {unit} keeps {{{share}}} of its memory, which becomes {memory}; the state is made of "
              "all units.").format(
        step=step_named(shown, step), unit=number,
        share=said(numbers.percent(float(inner["forget"][step][unit]), 0), "value", of, (unit,), step, "inner.forget"),
        memory=said(numbers.number(float(inner["cell"][step][unit])), "value", of, (unit,), step, "inner.cell"))


def _table(blocks: list[tuple[str, str, tuple[Row, ...]]], shown: Reading) -> Table:
    """One row a line of the cell, one column a unit."""
    rows: list[tuple[str | float | int, ...]] = [
        (title, "".join(run.text for run in rich(row.words)), *row.values.tolist(),
         *[""] * (shown.width - len(row.values)))
        for _, title, lines in blocks for row in lines]
    return Table((tr("part"), tr("line"), *(
        tr("unit {unit}").format(unit=unit_said(shown, unit, f"inner.{shown.family.keys[0]}"))
        for unit in range(shown.width))),
                 tuple(rows))


VIEW = View(
    "cell", english("Equations"), english("One step of a recurrent layer, opened line by line."),
    suits=lambda trace: bool(layers(trace)), draw=draw, telling=read_to_the_end, order=19,
    knobs=(("gate", ()),), group=STEPS,
    tries=english("Press the arrow keys to go from step to step, and click a number to see what made it."),
)
