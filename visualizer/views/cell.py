"""One step of a recurrent layer, opened: every gate from its products to its value, then the memory and the state."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from visualizer.scene import colour, numbers, parts, steps
from visualizer.scene.columns import lanes_height
from visualizer.scene.picture import Focus, Image, Look, Mark, Picture, Rect, Scale, Table, Text, plain, rich, unmarked
from visualizer.scene.reading import (
    TABS,
    Reading,
    Row,
    conclusion,
    layers,
    opened,
    reading,
    shown_layer,
)
from visualizer.scene.timeline import Moment
from visualizer.trace import Trace
from visualizer.views import View

TOP, NUMBERS = 112.0, 96.0


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """All lines of all gates of the current step, one column a unit; the numbers of one unit at the right."""
    layer = shown_layer(trace, moment, None if focus is None else focus.layer)
    shown = reading(trace, layer.name)
    step = steps.current(trace, shown, moment)
    unit = focus.cell[1] if focus is not None and focus.layer == layer.name and len(focus.cell) == 2 \
        and focus.cell[1] < shown.units else int(np.argmax(np.abs(shown.states[step])))
    blocks = [(key, title, opened(trace, shown, key, step)) for key, title in TABS[shown.cell]]
    said = _sentence(shown, step, unit, moment)
    words = (f"step {step + 1} of {shown.steps} reads “{shown.words[step]}”; all {shown.units} units, unit {unit} in "
             "numbers")
    marks = [*parts.sentence(look, said), *parts.title(look, layer.name, words)]
    marks += _blocks(shown, blocks, step, unit, moment, trace, look)
    still, moving = steps.lane(trace, shown, moment, look, steps.span(shown, look))
    return Picture(look.size, tuple(still), (*marks, *moving), look.theme, caption=unmarked(said),
                   table=_table(blocks, shown))


def _blocks(shown: Reading, blocks: list[tuple[str, str, tuple[Row, ...]]], step: int, unit: int, moment: Moment,
            trace: Trace, look: Look) -> list[Mark]:
    s = look.text_scale
    lines = sum(len(rows) for _, _, rows in blocks)
    room = look.size[1] - lanes_height(look) - TOP * s - 8 * s - 12 * s * len(blocks)
    high = float(int(min(26 * s, room / lines)))
    left = 196 * s
    wide = float(int(min(24 * s, (look.size[0] - left - NUMBERS * s - 150 * s) / shown.units)))
    wide = wide if wide >= 1 else (look.size[0] - left - NUMBERS * s - 150 * s) / shown.units
    gap = 2 if wide >= 6 else 0
    pitch = wide
    y, drawn = TOP * s, moment.phase * len(blocks) if moment.beat.layer == shown.layer.name and not moment.backward \
        else float(len(blocks))
    marks: list[Mark] = []
    for index, (key, title, rows) in enumerate(blocks):
        known = index < drawn or drawn >= len(blocks)
        marks.append(Text(24 * s, y + 14 * s, plain(title), 13 * s, 600))
        top = max(1e-12, max(float(np.max(np.abs(row.values))) for row in rows[:-1])) if len(rows) > 1 else 1.0
        marks.append(Text(24 * s, y + 30 * s, plain(f"±{numbers.significant(top, 2)}"), 11 * s, 400, "ink-2"))
        shades: list[NDArray[np.uint8]] = []
        for line, row in enumerate(rows):
            at = y + line * high
            bounded = row.result and key not in ("cell", "preactivation")
            marks.append(Text(left - 12 * s, at + high * 0.5 + 4 * s, rich(row.words), 12 * s,
                              600 if row.result else 400,
                              "ink" if row.result else "ink-2", "end"))
            if not known:
                marks.append(Rect(left, at, pitch * shown.units, high - 2, "hatch"))
                continue
            shades.append(colour.signed(row.values, 1.0 if bounded else top))
            value = float(row.values[unit])
            said = numbers.number(value) if row.result or line == 0 else numbers.signed(value)
            marks.append(Text(left + pitch * shown.units + NUMBERS * s * 0.75, at + high * 0.5 + 4 * s, plain(said),
                              12 * s, 600, "accent-ink" if row.result else "ink", "end"))
        if shades:
            marks.append(Image(left, y, (wide - gap, high - 2), np.concatenate(shades)[:, None, None], "activation",
                               shown.units, (pitch, high), border="tile-border" if wide >= 6 else "",
                               focus=Focus(shown.layer.name, (step,), f"inner.{key}"),
                               indices=tuple(range(shown.units)) * len(shades),
                               scale=Scale("activation", "values", f"sums of the {title}", -top, top,
                                           "each gate by its own largest")))
        words = conclusion(key, float(rows[-1].values[unit])).removeprefix("so it ")
        if words and known:
            x = left + pitch * shown.units + NUMBERS * s
            marks.append(Text(x, y + (len(rows) - 0.5) * high + 4 * s, plain(words), 11 * s, 400, "ink-2",
                              max_width=look.size[0] - x - 8))
        y += len(rows) * high + 12 * s
    marks.append(Rect(left + unit * pitch - 2, TOP * s - 3, wide - gap + 4, y - TOP * s - 6 * s, "", "ink", 1.5,
                      radius=3))
    return marks


def _sentence(shown: Reading, step: int, unit: int, moment: Moment) -> str:
    state = float(shown.states[step][unit])
    if moment.backward and shown.gradients is not None:
        slope = numbers.signed(float(shown.gradients[step][unit]), 4)
        return (f"At step {step + 1} the loss would change by {{{slope}}} for each 1 that the state of unit {unit} "
                "grows.")
    inner = shown.layer.inner
    if shown.cell == "lstm":
        kept = float(inner["forget"][step][unit])
        return (f"At step {step + 1}, “{shown.words[step]}”, unit {unit} keeps {{{numbers.percent(kept, 0)}}} of its "
                f"memory and ends at {numbers.number(state)}.")
    if shown.cell == "gru":
        kept = float(inner["update"][step][unit])
        return (f"At step {step + 1}, “{shown.words[step]}”, unit {unit} keeps {{{numbers.percent(kept, 0)}}} of its "
                f"state and ends at {numbers.number(state)}.")
    total = float(inner["preactivation"][step][unit])
    return (f"At step {step + 1}, “{shown.words[step]}”, the sums of unit {unit} make {numbers.number(total)}; its "
            f"state is {{{numbers.number(state)}}}.")


def _table(blocks: list[tuple[str, str, tuple[Row, ...]]], shown: Reading) -> Table:
    """One row a line of the cell, one column a unit."""
    rows: list[tuple[str | float | int, ...]] = [
        (title, "".join(run.text for run in rich(row.words)), *row.values.tolist())
        for _, title, lines in blocks for row in lines]
    return Table(("part", "line", *(f"unit {unit}" for unit in range(shown.units))), tuple(rows))


VIEW = View(
    "cell", "Cell", "One step of a recurrent layer, opened line by line.",
    suits=lambda trace: bool(layers(trace)), draw=draw, order=19,
)
