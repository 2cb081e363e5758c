"""The unrolled cell: one column a step, what it reads, its state and gates, and the gradient on its way back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from visualizer.scene import colour, numbers, parts, steps
from visualizer.scene.columns import lanes_height
from visualizer.scene.picture import (
    Focus,
    Image,
    Line,
    Look,
    Mark,
    Path,
    Picture,
    Rect,
    Run,
    Scale,
    Table,
    Text,
    plain,
    rich,
    unmarked,
)
from visualizer.scene.reading import (
    TABS,
    Reading,
    Row,
    conclusion,
    entropy,
    foretells,
    guesses,
    here,
    label,
    layers,
    opened,
    reading,
    shown_layer,
)
from visualizer.scene.timeline import Moment, part, timeline
from visualizer.scene.type import width
from visualizer.trace import Trace
from visualizer.views import View

LEFT, RIGHT = 132.0, 76.0
PITCH, WINDOW, MOST_WITHOUT = 50.0, 18, 40
"""Columns stand this far apart; over 40 steps a window of 18 is cut out of the whole strip."""
MOST_ROWS = 96
OPENED = 170.0
MOST_UNITS = 32
"""Units of the opened cell that stand side by side."""
DECADES = 6
"""How many powers of ten below the largest gradient are drawn; smaller ones are printed as below that."""


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """The recurrent layer of the beat, unrolled over its steps; `fold=1` folds it back into one cell with its loop."""
    layer = shown_layer(trace, moment, None if focus is None else focus.layer)
    shown = reading(trace, layer.name)
    before, share = parts.crossing(moment, timeline(trace))
    plan = _plan(trace, shown, moment, before, share, look)
    said = _sentence(trace, shown, moment, plan.step)
    marks = [*parts.sentence(look, said), *_band(plan, look), *_names(trace, shown, plan, look)]
    if plan.strip is not None:
        marks += _strip(shown, plan, moment, look)
    for step in range(max(0, int(np.floor(plan.start)) - 1), min(shown.steps, int(plan.start) + plan.count + 2)):
        opacity = plan.seen(step)
        if opacity > 0:
            marks += parts.faded(_column(trace, shown, plan, step, moment, before, look), opacity)
    marks += _loop(plan, look) if plan.fold > 0 else []
    marks += _unit_row(shown, plan, focus, look)
    if plan.opened:
        marks += _opened(trace, shown, plan, focus, look)
    marks += _lane(shown, plan, moment, look)
    return Picture(look.size, (), tuple(marks), look.theme, caption=unmarked(said), table=_table(trace, shown))


# --- where things stand ---------------------------------------------------------------------------------------------

@dataclass(frozen=True)
class _Plan:
    """Which steps are shown, and where their rows are."""

    step: float
    """How many steps have been read; between two whole numbers while the band moves on."""
    start: float
    """First step of the window, from 0."""
    count: int
    x: float
    pitch: float
    tile: float
    rows: dict[str, float]
    """Top of each row: `reads expects weights hidden gates lane`."""
    hidden_cell: float
    per_row: int
    """Units that share a row of the state."""
    order: tuple[int, ...]
    strip: tuple[float, float] | None
    """Top and height of the whole strip, where a window is cut out of it."""
    fold: float
    opened: float
    """Top of the opened cell; 0 where there is no room for it."""

    def column(self, step: float) -> float:
        """Left of the tile of a step, from 0."""
        open_x = self.x + (step - self.start) * self.pitch
        folded = self.x + (self.count / 2 - 0.5) * self.pitch
        return open_x + (folded - open_x) * self.fold

    def seen(self, step: int) -> float:
        """How much of a step's column is seen: it fades at the rim of the window, and into the folded cell."""
        place = step - self.start
        rim = min(1.0, max(0.0, 1.0 + 3 * place), max(0.0, 1.0 + 3 * (self.count - 1 - place)))
        apart = 1.0 - self.fold if abs(step + 1 - max(1.0, self.step)) >= 1 else 1.0
        return rim * apart


def _plan(trace: Trace, shown: Reading, moment: Moment, before: Moment, share: float, look: Look) -> _Plan:
    s = look.text_scale
    reached = here(trace, moment, shown)
    came = here(trace, before, shown)
    step = came + (reached - came) * part(share, 0.0, 1.0) if abs(reached - came) <= 1 else float(reached)
    windowed = shown.steps > MOST_WITHOUT
    room = look.size[0] - (LEFT + RIGHT) * s
    count = min(shown.steps, max(4, min(WINDOW, int(room // (40 * s))))) if windowed else shown.steps
    pitch = min(PITCH * s, room / count)
    start = min(max(0.0, step - count + 2), shown.steps - count) if windowed else 0.0
    tile = pitch - (8 * s if pitch > 30 * s else 3 * s)
    rows, per_row, cell, strip, opened = _rows(shown, windowed, look)
    return _Plan(step, start, count, LEFT * s, pitch, tile, rows, cell, per_row,
                 _order(shown, look.knob("order", "last"), reached), strip, float(look.knob("fold", "0")), opened)


def _rows(shown: Reading, windowed: bool, look: Look) -> tuple[dict[str, float], int, float,
                                                                 tuple[float, float] | None, float]:
    """Rows from top to bottom; the opened cell has its place if there is room, the state takes what is left."""
    s = look.text_scale
    y, bottom = 58 * s, look.size[1] - lanes_height(look) - 10 * s
    strip = None
    if windowed:
        strip = (y + 44 * s, 88 * s)
        y += 172 * s
    rows = {"reads": y, "expects": y + 46 * s}
    y += 92 * s
    gates = 29 * s * len(shown.gates) + 16 * s
    opened = 0.0
    if not windowed and bottom - y - gates > 320 * s:
        opened = bottom - OPENED * s
        bottom = opened - 8 * s
    if not windowed and bottom - y - gates > 220 * s:
        rows["weights"] = y
        y += 54 * s
    room = bottom - y - gates
    per_row = max(1, -(-shown.units // MOST_ROWS))
    while -(-shown.units // per_row) > max(1.0, room):
        per_row += 1
    count = -(-shown.units // per_row)
    cell = max(1.0, float(int(min(12 * s, room / count))))
    rows["hidden"] = y
    rows["gates"] = y + count * cell + 16 * s
    rows["lane"] = look.size[1] - lanes_height(look)
    return rows, per_row, cell, strip, opened


@lru_cache(maxsize=64)
def _order(shown: Reading, by: str, step: int) -> tuple[int, ...]:
    """Units from the top: by the state at the last step (fixed), at the step shown (`here`), or as they are."""
    if by == "as is":
        return tuple(range(shown.units))
    at = shown.states[max(0, step - 1)] if by == "here" else shown.states[0 if shown.reverse else -1]
    return tuple(int(unit) for unit in np.argsort(-at, kind="stable"))


# --- columns --------------------------------------------------------------------------------------------------------

def _column(trace: Trace, shown: Reading, plan: _Plan, step: int, moment: Moment, before: Moment,
            look: Look) -> list[Mark]:
    """One step: what it reads, what comes next, its state and gates; hatched while it has not been read."""
    s, x = look.text_scale, plan.column(step)
    done = steps.progress(trace, shown, step, moment)
    arrived = steps.arrival(trace, shown, step, moment)
    current = step + 1 == here(trace, moment, shown) and moment.beat.layer == shown.layer.name
    marks = _reads(shown, plan, step, x, current, done, look)
    probabilities = guesses(trace)
    if probabilities is not None and len(probabilities) == shown.steps:
        marks += parts.faded(_expects(trace, shown, probabilities[step], plan, step, x, look), part(done, 0.8, 1.0))
    if "weights" in plan.rows and plan.pitch >= 24 * s:
        marks += _same_weights(shown, plan, step, x, look)
    marks += _state(shown, plan, step, x, part(done, 0.667, 1.0), arrived, look)
    for index, (key, _, values) in enumerate(shown.gates):
        marks += _gate(shown, plan, index, key, values[step], step, x, part(done, 0.333, 0.667), arrived, current, look)
    return marks


def _reads(shown: Reading, plan: _Plan, step: int, x: float, current: bool, done: float, look: Look) -> list[Mark]:
    s, y = look.text_scale, plan.rows["reads"]
    word = shown.words[step]
    if plan.tile < 7 * s * len(word) and word[-1:].isdigit():
        word = word.rpartition(" ")[2]  # the number alone, where `row 12` is too long
    size = 16 * s if len(word) <= 2 else min(13 * s, plan.tile / max(1, len(word)) * 1.55)
    marks: list[Mark] = [Rect(x, y, plan.tile, 32 * s, "accent-fill" if current else "sunk", radius=6 * s,
                              focus=Focus(shown.layer.name, (step,)))]
    if size >= 8 * s:
        marks.append(Text(x + plan.tile / 2, y + 21 * s, plain(word), size, 600,
                          "on-accent" if current else "ink" if done > 0 else "ink-2", "middle", plan.tile - 2,
                          mono=len(word) <= 2))
    return marks


def _expects(trace: Trace, shown: Reading, probabilities: NDArray[np.float64], plan: _Plan, step: int, x: float,
             look: Look) -> list[Mark]:
    """The likeliest answer after a step: its name, percent and a bar; in the accent when it turned out right."""
    s, y = look.text_scale, plan.rows["expects"]
    best = int(np.argmax(probabilities))
    share = float(probabilities[best])
    right = step + 1 < shown.steps and foretells(trace) and label(trace, best) == shown.words[step + 1]
    ink = "accent-ink" if right else "ink-2"
    marks: list[Mark] = []
    if plan.pitch >= 40 * s:
        words = (Run(f"{label(trace, best)} ", mono=True), Run(f"{share * 100:.0f} %"))
        marks.append(Text(x, y + 12 * s, words, 11 * s, 600 if right else 400, ink, max_width=plan.tile + 6 * s))
    elif plan.pitch >= 18 * s:
        marks.append(Text(x + plan.tile / 2, y + 12 * s, plain(label(trace, best)), 11 * s, 600 if right else 400, ink,
                          "middle", plan.tile, mono=True))
    marks += [Rect(x, y + 19 * s, plan.tile, 3 * s, "sunk", radius=1.5 * s),
              Rect(x, y + 19 * s, max(1.0, plan.tile * share), 3 * s, "accent" if right else "ink-2", radius=1.5 * s)]
    return marks


def _same_weights(shown: Reading, plan: _Plan, step: int, x: float, look: Look) -> list[Mark]:
    """The same corner of the same recurrent matrix at every step: the repetition is the message."""
    s, y = look.text_scale, plan.rows["weights"]
    corner = shown.layer.weights["weight_hh"][:16, :16]
    cell = max(1.0, float(int(min(plan.tile, 34 * s) // max(corner.shape))))
    top = float(np.max(np.abs(corner))) or 1.0
    shades = colour.signed(corner, top)
    side = corner.shape[1] * cell
    left = x + (plan.tile - side) / 2
    marks: list[Mark] = []
    if step:
        marks.append(Line(((left - (plan.pitch - side), y + side / 2), (left, y + side / 2)), "weight-negative-text", 1,
                          opacity=1.0 - plan.fold if plan.fold < 1 else 0.01))
    marks.append(Image(left, y, (cell, cell), shades[None], "weight", border="tile-border",
                       focus=Focus(shown.layer.name, (), "weight_hh"), indices=(-1,),
                       scale=parts.weight_scale(f"{shown.layer.name}.weight_hh", top, False, "the corner shown")))
    return marks


def _state(shown: Reading, plan: _Plan, step: int, x: float, done: float, arrived: float, look: Look) -> list[Mark]:
    """The column of units: the state, and over it, from the moment it arrives, the gradient."""
    y, cell = plan.rows["hidden"], plan.hidden_cell
    count = -(-shown.units // plan.per_row)
    height = count * cell
    marks: list[Mark] = []
    if done < 1:
        marks.append(Rect(x, y, plan.tile, height, "hatch", "tile-border", 1, inside=True))
    focus = Focus(shown.layer.name, (step,))
    if done > 0:
        states = _shared(shown.states[step], plan.order, plan.per_row)
        marks.append(Image(x, y, (plan.tile, cell), colour.signed(states, _top_of_states(shown))[None, :, None],
                           "activation", focus=focus, indices=(-1,), rows_shown=done, scale=_state_scale(shown)))
    if arrived > 0 and shown.gradients is not None:
        top = float(np.max(np.abs(shown.gradients))) or 1.0
        shades = colour.magnitude(_shared(shown.gradients[step], plan.order, plan.per_row), top * 10.0 ** -DECADES, top)
        marks.append(Image(x, y, (plan.tile, cell), shades[None, :, None], "gradient", focus=focus, indices=(-1,),
                           rows_shown=arrived, scale=_gradient_scale(f"{shown.layer.name}.hidden", top)))
    return marks


def _shared(values: NDArray[np.float64], order: tuple[int, ...], per_row: int) -> NDArray[np.float64]:
    """Values in the order of the rows; where several units share a row, the one farthest from zero."""
    ordered = values[list(order)]
    if per_row == 1:
        return ordered
    padded = np.concatenate([ordered, np.zeros(-len(ordered) % per_row)]).reshape(-1, per_row)
    strongest: NDArray[np.float64] = padded[np.arange(len(padded)), np.argmax(np.abs(padded), axis=1)]
    return strongest


def _top_of_states(shown: Reading) -> float:
    """tanh states are drawn on −1 … 1 always; those of a ReLU by their largest."""
    return 1.0 if shown.layer.settings.get("nonlinearity", "tanh") == "tanh" else \
        float(np.max(np.abs(shown.states))) or 1.0


def _state_scale(shown: Reading) -> Scale:
    top = _top_of_states(shown)
    return Scale("activation", "values", f"{shown.layer.name}.hidden", -top, top, "one scale for every step")


def _gradient_scale(of: str, top: float) -> Scale:
    return Scale("gradient", "size of the gradient", of, top * 10.0 ** -DECADES, top, "one scale for every step", True)


def _gate(shown: Reading, plan: _Plan, index: int, key: str, values: NDArray[np.float64], step: int, x: float,
          done: float, arrived: float, current: bool, look: Look) -> list[Mark]:
    """How open a gate is on average, as a fill level; on the way back the size of its gradient."""
    s = look.text_scale
    y, high = plan.rows["gates"] + 29 * s * index, 18 * s
    focus = Focus(shown.layer.name, (step,), f"inner.{key}")
    if done == 0:
        return [Rect(x, y, plan.tile, high, "hatch", "tile-border", 1, inside=True, focus=focus)]
    level = float(values.mean()) * done
    marks: list[Mark] = [Rect(x, y, plan.tile, high, "sunk", radius=2, focus=focus),
                         Rect(x, y + high * (1 - level), plan.tile, max(1.0, high * level),
                              "accent" if current else "rule", radius=1)]
    gradient = shown.layer.inner_gradients.get(key)
    if arrived > 0 and gradient is not None:
        top = float(np.max(np.abs(gradient))) or 1.0
        entry = int(colour.magnitude(np.max(np.abs(gradient[step])), top * 10.0 ** -DECADES, top))
        marks.append(Rect(x, y, plan.tile, high, f"gradient:{entry}", radius=2, opacity=arrived, focus=focus,
                          scale=_gradient_scale(f"{shown.layer.name}.{key}", top)))
    return marks


# --- around the columns ---------------------------------------------------------------------------------------------

def _band(plan: _Plan, look: Look) -> list[Mark]:
    """The tinted band behind the current step."""
    if plan.step <= 0:
        return []
    s, top = look.text_scale, plan.rows["reads"] - 8 * look.text_scale
    x = plan.column(plan.step - 1) - 4 * s
    bottom = plan.opened or plan.rows["lane"]
    return [Rect(x, top, plan.tile + 8 * s, bottom - top - 4 * s, "tint", radius=8 * s)]


def _names(trace: Trace, shown: Reading, plan: _Plan, look: Look) -> list[Mark]:
    """What each row is, at its left; the numbers of the current step at its right."""
    s, x = look.text_scale, (LEFT - 16) * look.text_scale
    step = min(shown.steps, max(1, round(plan.step))) - 1
    count = -(-shown.units // plan.per_row)
    share = f"{plan.per_row} units a row" if plan.per_row > 1 else f"{shown.units} units"
    span = "−1 to 1" if _top_of_states(shown) == 1 else f"±{numbers.significant(_top_of_states(shown), 2)}"
    rows = [("reads", plan.rows["reads"] + 20 * s, "reads", "")]
    if guesses(trace) is not None:
        title, words = ("expects next", "bold when right") if foretells(trace) else ("says", "likeliest answer")
        rows.append(("expects", plan.rows["expects"] + 12 * s, title, words))
    if "weights" in plan.rows:
        rows.append(("weights", plan.rows["weights"] + 14 * s, "same weights", f"used {shown.steps} times"))
    middle = plan.rows["hidden"] + count * plan.hidden_cell * 0.25
    rows.append(("hidden", middle, "hidden state _h_", f"{share}, {span}"))
    marks: list[Mark] = []
    for _, y, title, words in rows:
        marks.append(Text(x, y, rich(title), 13 * s, 600, "ink", "end"))
        if words:
            marks.append(Text(x, y + 16 * s, plain(words), 11 * s, 400, "ink-2", "end", x - 4 * s))
    for index, (_, title, values) in enumerate(shown.gates):
        y = plan.rows["gates"] + 29 * s * index + 14 * s
        marks.append(Text(x, y, plain(title), 13 * s, 600, "ink", "end"))
        if plan.step >= 1:
            right = plan.x + plan.count * plan.pitch + 8 * s
            marks.append(Text(right, y, plain(numbers.number(float(values[step].mean()))), 13 * s, 600))
    return marks


def _loop(plan: _Plan, look: Look) -> list[Mark]:
    """The loop of the folded cell: its state is what it reads again at the next step."""
    x, wide = plan.column(plan.step - 1), plan.tile
    top, bottom = plan.rows["hidden"], plan.rows["gates"]
    right = x + wide + 40 * look.text_scale
    middle = (top + bottom) / 2
    curve = ((x + wide, middle), (right, middle), (right, top - 26), (x + wide / 2, top - 26),
             (x + wide / 2, top - 26), (x + wide / 2, top - 4), (x + wide / 2, top - 4))
    return [Path((curve,), stroke="accent", width=2.5, opacity=plan.fold),
            Text(right + 6, middle, plain("the state of this step is read by the next"), 12 * look.text_scale, 400,
                 "ink-2", opacity=plan.fold)]


def _unit_row(shown: Reading, plan: _Plan, focus: Focus | None, look: Look) -> list[Mark]:
    """One unit framed through time, if one is looked at."""
    if focus is None or focus.layer != shown.layer.name or len(focus.cell) != 2 or focus.cell[1] >= shown.units:
        return []
    s = look.text_scale
    row = plan.order.index(focus.cell[1]) // plan.per_row
    y = plan.rows["hidden"] + row * plan.hidden_cell
    x, right = plan.column(plan.start), plan.column(plan.start + plan.count - 1) + plan.tile
    return [Rect(x - 3, y - 2, right - x + 6, plan.hidden_cell + 4, "", "ink", 1.5, radius=3),
            Text((LEFT - 16) * s, y + plan.hidden_cell / 2 + 4 * s, plain(f"unit {focus.cell[1]}"), 11 * s, 500, "ink",
                 "end")]


def _opened(trace: Trace, shown: Reading, plan: _Plan, focus: Focus | None, look: Look) -> list[Mark]:
    """The opened cell under the columns: how a gate of the current step came about, unit by unit."""
    s, top = look.text_scale, plan.opened
    step = min(shown.steps, max(1, round(plan.step))) - 1
    tabs = TABS[shown.cell]
    part_of = "" if focus is None or focus.layer != shown.layer.name else focus.part.removeprefix("inner.")
    key = part_of if part_of in dict(tabs) else look.knob("gate", tabs[0][0])
    key = key if key in dict(tabs) else tabs[0][0]
    unit = focus.cell[1] if focus is not None and focus.layer == shown.layer.name and len(focus.cell) == 2 and \
        focus.cell[1] < shown.units else plan.order[0]
    units = _units_around(plan, unit, shown.units)
    marks: list[Mark] = [Line(((0, top), (look.size[0], top)), "hair")]
    of = f"all {shown.units} units" if len(units) == shown.units else f"{len(units)} of {shown.units} units"
    name = dict(tabs)[key]
    marks.append(Text(plan.x, top + 24 * s, plain(f"{name} at step {step + 1}, {of}"), 13 * s, 600))
    x = plan.x + 270 * s
    for tab, title in tabs:
        wide = width(title, 12 * s, 500) + 20 * s
        if tab == key:
            marks.append(Rect(x, top + 8 * s, wide, 24 * s, "tint", radius=6 * s))
        marks.append(Rect(x, top + 8 * s, wide, 24 * s, focus=Focus(shown.layer.name, (step, unit), f"inner.{tab}")))
        marks.append(Text(x + wide / 2, top + 24 * s, plain(title), 12 * s, 600 if tab == key else 400,
                          "accent-ink" if tab == key else "ink-2", "middle"))
        x += wide + 4 * s
    return marks + _opened_rows(opened(trace, shown, key, step), units, unit, key, shown, step, plan, look)


def _units_around(plan: _Plan, unit: int, count: int) -> tuple[int, ...]:
    """So many units as stand side by side, in the order of the rows, with one among them."""
    if count <= MOST_UNITS:
        return plan.order
    place = plan.order.index(unit)
    start = min(max(0, place - MOST_UNITS // 2), count - MOST_UNITS)
    return plan.order[start:start + MOST_UNITS]


def _opened_rows(lines: tuple[Row, ...], units: tuple[int, ...], unit: int, key: str, shown: Reading, step: int,
                 plan: _Plan, look: Look) -> list[Mark]:
    s = look.text_scale
    y = plan.opened + 42 * s
    room = look.size[0] - plan.x - 180 * s
    side = float(int(min(22 * s, room / len(units) - 2)))
    pitch, high = side + 2, float(int(min(22 * s, (OPENED * s - 50 * s) / len(lines) - 3)))
    top = max(1e-12, max(float(np.max(np.abs(row.values))) for row in lines[:-1]))
    marks: list[Mark] = []
    right = plan.x + len(units) * pitch + 12 * s
    for index, row in enumerate(lines):
        bounded = row.result and key not in ("cell", "preactivation")
        most = 1.0 if bounded else top
        shades = colour.signed(row.values[list(units)], most)
        line = y + index * (high + 3)
        marks.append(Text((LEFT - 16) * s, line + high * 0.7, rich(row.words), 13 * s, 500, "ink", "end"))
        marks.append(Image(plan.x, line, (side, high), shades[:, None, None].copy(), "activation", len(units),
                           (pitch, 0), focus=Focus(shown.layer.name, (step,), f"inner.{key}"), indices=units,
                           scale=Scale("activation", "values", f"{shown.layer.name}.{key}" if bounded else
                                       f"sums of {shown.layer.name}.{key}", -most, most)))
        for place, value in enumerate(row.values[list(units)]):
            if value < 0 and side >= 16:
                ink = colour.ink_on(f"activation:{shades[place]}", look.theme)
                marks.append(Text(plan.x + place * pitch + side / 2, line + high * 0.5 + 4 * s, plain("−"), 12 * s, 600,
                                  ink, "middle"))
        value = float(row.values[unit])
        marks.append(Text(right + 44 * s, line + high * 0.7, plain(
            numbers.number(value) if row.result or index == 0 else numbers.signed(value)), 13 * s, 600,
            "accent-ink" if row.result else "ink", "end"))
    left = plan.x + units.index(unit) * pitch
    marks.append(Rect(left - 2, y - 3, side + 4, len(lines) * (high + 3) + 3, "", "ink", 1.5, radius=3))
    words = [f"unit {unit}", f"colour ±{numbers.significant(top, 2)}",
             "gate 0 to 1" if key in ("forget", "input", "output_gate", "reset", "update") else "", ]
    for index, text in enumerate(word for word in words if word):
        marks.append(Text(right + 56 * s, y + (12 + 16 * index) * s, plain(text), 11 * s, 600 if index == 0 else 400,
                          "ink" if index == 0 else "ink-2", max_width=120 * s))
    said = conclusion(key, float(lines[-1].values[unit]))
    if said:
        half = said.rfind(" ", 0, 22)
        for index, text in enumerate((said[:half], said[half + 1:])):
            marks.append(Text(right + 56 * s, y + (76 + 16 * index) * s, plain(text), 11 * s, 500, "accent-ink",
                              max_width=120 * s))
    return marks


def _strip(shown: Reading, plan: _Plan, moment: Moment, look: Look) -> list[Mark]:
    """All steps of a long sequence, none skipped, and the window that is cut out of it."""
    assert plan.strip is not None
    s, (y, high) = look.text_scale, plan.strip
    wide = look.size[0] - (LEFT + RIGHT) * s
    rows = max(1, int(high // max(1, high // min(shown.units, 32))))
    per_row = -(-shown.units // rows)
    read = int(plan.step) if not moment.backward else shown.steps
    cell = wide / shown.steps
    states = _strip_states(shown, plan.order, per_row)
    marks: list[Mark] = [Text((LEFT - 16) * s, y + high * 0.4, plain(f"all {shown.steps} steps"), 13 * s, 600, "ink",
                              "end"),
                         Text((LEFT - 16) * s, y + high * 0.4 + 16 * s, plain(f"{shown.units} units"), 11 * s, 400,
                              "ink-2",
                              "end")]
    if read:
        shades = colour.signed(states[:, :read], _top_of_states(shown))
        marks.append(Image(plan.x, y, (cell, high / len(states)), shades[None], "activation", border="",
                           focus=Focus(shown.layer.name), indices=(-1,), transposed=True,
                           scale=_state_scale(shown)))
    if read < shown.steps:
        marks.append(Rect(plan.x + read * cell, y, (shown.steps - read) * cell, high, "hatch", "tile-border"))
    left, right = plan.x + plan.start * cell, plan.x + (plan.start + plan.count) * cell
    marks.append(Rect(left - 2, y - 4, right - left + 4, high + 8, "", "accent", 2, radius=3))
    below = plan.rows["reads"] - 6 * s
    fan = ((left, y + high + 5), (left, y + high + 5), (plan.x, below), (plan.x, below), (plan.x, below),
           (plan.x + plan.count * plan.pitch, below), (plan.x + plan.count * plan.pitch, below),
           (plan.x + plan.count * plan.pitch, below), (right, y + high + 5), (right, y + high + 5))
    marks.append(Path((fan,), fill="wedge"))
    for tick in sorted({1, *range(50 if shown.steps <= 400 else 250, shown.steps, 50 if shown.steps <= 400 else 250),
                        shown.steps}):
        if tick in (1, shown.steps) or shown.steps - tick > shown.steps * 0.05:
            marks.append(Text(plan.x + (tick - 0.5) * cell, y + high + 17 * s, plain(str(tick)), 11 * s, 400, "ink-2",
                              "middle"))
    return marks + _strip_gradient(shown, plan, y - 44 * s, cell, look)


@lru_cache(maxsize=8)
def _strip_states(shown: Reading, order: tuple[int, ...], per_row: int) -> NDArray[np.float64]:
    """(row, step): all states in the order of the rows, several units a row."""
    return np.stack([_shared(state, order, per_row) for state in shown.states], axis=1)


def _strip_gradient(shown: Reading, plan: _Plan, y: float, cell: float, look: Look) -> list[Mark]:
    """‖∂L/∂h_t‖ of every step, on a log axis with its floor."""
    norms, s = shown.norms, look.text_scale
    if norms is None or not norms.max() > 0:
        return []
    high, floor = 34 * s, float(norms.max()) * 1e-12
    drawn = norms >= floor
    marks: list[Mark] = [Text((LEFT - 16) * s, y + 14 * s, plain("gradient"), 13 * s, 600, "ink", "end"),
                         Text((LEFT - 16) * s, y + 29 * s, plain("of every step, log"), 11 * s, 400, "ink-2", "end")]
    points = tuple((plan.x + (step + 0.5) * cell, y + high * (np.log10(norms.max()) - np.log10(norms[step])) / 12)
                   for step in range(shown.steps) if drawn[step])
    if len(points) > 1:
        marks.append(Line(tuple((float(a), float(b)) for a, b in points), "gradient-mark", 1.5 * s))
    right = plan.x + shown.steps * cell + 8 * s
    marks += [Text(right, y + 6 * s, plain(numbers.significant(float(norms.max()), 1)), 11 * s, 400, "ink-2"),
              Text(right, y + high, plain(numbers.power(floor, 0)), 11 * s, 400, "ink-2")]
    below = np.flatnonzero(~drawn[:shown.entered])
    if len(below) * cell > 60 * s:
        first, last = int(below.min()), int(below.max())
        marks.append(Rect(plan.x + first * cell, y, (last - first + 1) * cell, high, "hatch"))
        marks.append(Text(plan.x + (first + last + 1) / 2 * cell, y + high / 2 + 4 * s,
                          plain(f"below {numbers.power(floor, 0)}"), 11 * s, 500, "ink", "middle"))
    return marks


# --- the lane -------------------------------------------------------------------------------------------------------

def _lane(shown: Reading, plan: _Plan, moment: Moment, look: Look) -> list[Mark]:
    """‖∂L/∂h_t‖ under its step on a log axis with a floor, and the share of saturated gates."""
    s, top = look.text_scale, plan.rows["lane"]
    marks: list[Mark] = [Line(((0, top), (look.size[0], top)), "hair")]
    window = range(max(0, int(np.ceil(plan.start - 0.01))), min(shown.steps, int(plan.start + plan.count + 0.01)))
    middle = {step: plan.column(step) + plan.tile / 2 for step in window}
    norms = shown.norms
    x = (LEFT - 16) * s
    marks += [Text(x, top + 34 * s, (Run("‖∂L/∂"), Run("h", italic=True), Run("t", shift="sub"), Run("‖")), 13 * s,
                   600, "ink",
                   "end"), Text(x, top + 50 * s, plain("log scale"), 11 * s, 400, "ink-2", "end")]
    if norms is None or not norms.max() > 0:
        why = shown.layer.why or "nothing flowed back through time"
        marks.append(Text(plan.x, top + 44 * s, plain(f"No gradient: {why}"), 12 * s, 400, "ink-2",
                          max_width=look.size[0] - plan.x - 20 * s))
        return marks + _saturation(shown, plan, middle, look)
    high, low = float(norms.max()), float(norms.max()) * 10.0 ** -DECADES
    chart = (top + 20 * s, top + 68 * s)

    def at(value: float) -> float:
        share = (np.log10(max(value, low)) - np.log10(low)) / DECADES
        return float(chart[1] - share * (chart[1] - chart[0]))

    for power in range(0, DECADES + 1, 3):
        y = at(high * 10.0 ** -power)
        marks.append(Line(((plan.x - 6 * s, y), (plan.x + plan.count * plan.pitch, y)), "hair"))
    points = [(middle[step], at(float(norms[step]))) for step in window]
    if len(points) > 1:
        marks.append(Line(tuple(points), "gradient-line", 1.5 * s))
    now = min(shown.steps, max(1, round(plan.step))) - 1
    written: list[float] = []
    for step, (px, py) in zip(window, points, strict=True):
        below = norms[step] < low
        size = 4 * s if step == now else 2.5 * s
        marks.append(Rect(px - size, py - size, 2 * size, 2 * size, "stage" if below else "gradient-mark",
                          "gradient-mark",
                          1, radius=size))
        if step in (now, window[0], window[-1]) and all(abs(px - other) > 52 * s for other in written):
            words = f"below {numbers.power(low, 0)}" if below else numbers.significant(float(norms[step]), 2)
            marks.append(Text(min(max(px, plan.x + 16 * s), look.size[0] - 30 * s), py - 8 * s, plain(words), 12 * s,
                              600,
                              "gradient-text", "middle"))
            written.append(px)
    return marks + _saturation(shown, plan, middle, look)


def _saturation(shown: Reading, plan: _Plan, middle: dict[int, float], look: Look) -> list[Mark]:
    s, y = look.text_scale, look.size[1] - 18 * look.text_scale
    shares = shown.saturation()
    if lanes_height(look) < 112 * s:
        return []
    marks: list[Mark] = [Text((LEFT - 16) * s, y + 4 * s,
                              plain("saturated gates" if shown.gates else "saturated units"),
                              11 * s, 500, "ink-2", "end")]
    for step, x in middle.items():
        wide = plan.tile
        marks += [Rect(x - wide / 2, y - 2 * s, wide, 4 * s, "sunk", radius=2 * s),
                  Rect(x - wide / 2, y - 2 * s, wide * float(shares[step]), 4 * s, "ink-2", radius=2 * s)]
    now = min(shown.steps, max(1, round(plan.step))) - 1
    marks.append(Text(plan.x + plan.count * plan.pitch + 8 * s, y + 4 * s, plain(numbers.percent(float(shares[now]),
                                                                                                 0)),
                      12 * s, 600))
    return marks


# --- words and table ------------------------------------------------------------------------------------------------

def _sentence(trace: Trace, shown: Reading, moment: Moment, step: float) -> str:
    reached = round(step)
    if moment.backward:
        return _sentence_back(shown, moment, reached)
    if reached < 1:
        return f"The {shown.name} has read nothing yet: its state is all zeros, {shown.units} of them."
    probabilities = guesses(trace)
    read = "".join(trace.sample.steps[:reached]) if len(trace.sample.steps) == shown.steps and \
        all(len(word) == 1 for word in trace.sample.steps) else ""
    if probabilities is not None and len(probabilities) == shown.steps:
        best = int(np.argmax(probabilities[reached - 1]))
        share = numbers.percent(float(probabilities[reached - 1][best]), 0)
        tail = read[-24:].replace("\n", "↵").replace("{", "(").replace("}", ")")
        before = f"Having read “{'…' if len(read) > 24 else ''}{tail}”" if read else \
            f"After step {reached} of {shown.steps}, “{shown.words[reached - 1]}”"
        does = f"the {shown.name} expects" if foretells(trace) else "the model says"
        return f"{before}, {does} “{label(trace, best)}” with {{{share}}}."
    change = float(np.linalg.norm(shown.states[reached - 1] - (shown.states[reached - 2] if reached > 1 else 0)))
    return (f"Step {reached} of {shown.steps} reads “{shown.words[reached - 1]}”: the state moves by "
            f"{{{numbers.significant(change, 3)}}}, to a size of "
            f"{numbers.significant(float(np.linalg.norm(shown.states[reached - 1])), 3)}.")


def _sentence_back(shown: Reading, moment: Moment, reached: int) -> str:
    norms = shown.norms
    if norms is None or not norms.max() > 0:
        return f"No gradient reaches {shown.layer.name}: {shown.layer.why or 'nothing flowed back through it'}."
    last = float(norms[shown.entered])
    back = (reached - 1 - shown.entered) * (1 if shown.reverse else -1)
    value = float(norms[reached - 1])
    if back < 0:
        return f"Step {reached} gets no gradient: what is differentiated was known before it."
    if back == 0:
        return f"The gradient enters at step {reached} with ‖∂L/∂h‖ = {{{numbers.significant(value, 3)}}}."
    share = value / last
    kept = numbers.percent(share, 1) if share >= 0.001 else numbers.power(share)
    return (f"{back} step{'s' if back > 1 else ''} back ‖∂L/∂h‖ is {{{numbers.significant(value, 3)}}}: "
            f"{kept} of what it was where it entered.")


def _table(trace: Trace, shown: Reading) -> Table:
    """One row a step."""
    probabilities = guesses(trace)
    norms = shown.norms
    rows: list[tuple[str | float | int, ...]] = []
    for step in range(shown.steps):
        row: list[str | float | int] = [step + 1, shown.words[step]]
        if probabilities is not None and len(probabilities) == shown.steps:
            best = int(np.argmax(probabilities[step]))
            row += [label(trace, best), float(probabilities[step][best]), entropy(probabilities[step])]
        row += [float(np.linalg.norm(shown.states[step]))]
        row += [float(values[step].mean()) for _, _, values in shown.gates]
        row.append("" if norms is None else float(norms[step]))
        rows.append(tuple(row))
    heads = ["step", "reads"]
    if probabilities is not None and len(probabilities) == shown.steps:
        heads += ["expects", "probability", "entropy in bits"]
    heads += ["size of the state", *(title for _, title, _ in shown.gates), "gradient norm"]
    return Table(tuple(heads), tuple(rows))


VIEW = View(
    "unrolled", "Unrolled", "A recurrent layer unrolled over its steps: what it reads, its state and its gates.",
    suits=lambda trace: bool(layers(trace)), draw=draw, order=12,
    knobs=(("order", ("last", "here", "as is")), ("fold", ("0", "1")), ("gate", ("",))),
)
