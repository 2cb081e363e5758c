"""The columns of a step, forwards: the states before, gates as levels, the candidate, the states after; under them the
numbers of one unit, which read as the equation."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from visualizer.language import english, tr, translated
from visualizer.motions import out
from visualizer.said import said, tick
from visualizer.scene import colour, gatesigns, numbers, parts
from visualizer.scene.cellnumbers import Forward
from visualizer.scene.picture import (
    Flight,
    Focus,
    Group,
    Image,
    Mark,
    Opens,
    Path,
    Points,
    Rect,
    Run,
    Scale,
    Text,
    Touch,
    grouped,
    plain,
    rich,
)
from visualizer.scene.reading import step_said, steps_said, unit_said
from visualizer.scene.type import Runs, width
from visualizer.trace import remembered
from visualizer.views.network._step.scene import Scene

OPERATORS: Mapping[str, Mapping[str, str]] = {
    "lstm": {"forget": "×", "input": "+", "candidate": "×", "cell": "=", "output_gate": "→", "hidden": "="},
    "gru": {"update": "×", "new": "+ (1 − _z_) ×", "hidden": "="},
    "rnn": {"preactivation": "", "hidden": "→"},
}
"""What stands before the number of a column in the row that reads as the equation."""
MADE_OF: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "lstm": {"cell": ("cell_before", "forget", "input", "candidate"), "hidden": ("cell", "output_gate")},
    "gru": {"hidden": ("hidden_before", "update", "new")},
    "rnn": {"hidden": ("preactivation",)},
}
"""Which columns a state is made of, as it is computed."""
SHORT = {"candidate": english("cand."), "new": english("cand."), "output_gate": english("output"),
         "preactivation": english("sum")}


def frame(sc: Scene) -> list[Mark]:
    """The layer as a box around its columns, with its name and size; a click on it opens its drawing."""
    x, y, wide, high = sc.plan.frame
    about = Focus(sc.layer.name)
    marks: list[Mark] = [Rect(x, y, wide, high, "", "rule", 1.5, radius=8)]
    rims = ((x, y - 22 * sc.look.mode.lanes, wide, 6 + 22 * sc.look.mode.lanes), (x, y + high - 6, wide, 6),
            (x, y, 6, high), (x + wide - 6, y, 6, high))
    marks += [Rect(left, top, across, down, focus=about, holds=Opens("diagram"), tip=tr("Open the cell, drawn"))
              for left, top, across, down in rims]
    if sc.look.mode.lanes:
        units, plan = sc.shown.units, sc.plan
        name = sc.layer.name
        marks.append(Text(x + 12, y - 8, plain(name), 12, 600, "accent-ink", mono=True, focus=about))
        left = x + 12 + width(name, 12, 600, mono=True) + 12
        step = tr("step {step} of {count}").format(step=step_said(sc.shown, sc.step), count=steps_said(sc.shown))
        own = said(numbers.count(units), "how many units", name)
        gates = said(str(sc.shown.width), "how many units", name, array=f"inner.{sc.shown.family.keys[0]}")
        counted = tr("{units} units, projected to {count}").format(units=gates, count=own) \
            if sc.shown.projected else numbers.units(units, own)
        ways = [f"{step}, {counted}, " + tr("{count} columns of {rows}").format(
            count=tick(str(plan.sub), plan.sub, 1, units), rows=tick(str(plan.rows), plan.rows, 1, units))] \
            if plan.sub > 1 else []
        ways += [f"{step}, {counted}", step]
        told = next((way for way in ways if left + width(way, 12) <= x + wide), "")
        marks.append(Text(left, y - 8, plain(told), 12, 400, "ink-2"))
    return grouped(Group(sc.layer.name, about), marks)


def standing(sc: Scene) -> list[Mark]:
    """What stays while a step is computed: names, empty columns, the states before it."""
    marks: list[Mark] = []
    for key in sc.plan.columns:
        count = sc.forward.arrays[key].shape[1]
        found = [*head(sc, key, False), *outline(sc, key, count)]
        if sc.when.coming < 0 and key.endswith("_before"):
            found += _filled(sc, key)
        marks += grouped(_group(sc, key), [*found, *touch(sc, key, count)])
    return marks


def draw(sc: Scene) -> list[Mark]:
    """All other columns as far as the step has come, and the row of numbers."""
    marks: list[Mark] = []
    for key in sc.plan.columns:
        if not (sc.when.coming < 0 and key.endswith("_before")):
            marks += grouped(_group(sc, key), _filled(sc, key))
    marks += _slides(sc)
    marks += _front(sc)
    marks += grouped(Group(tr("unit {unit} in numbers").format(unit=sc.unit), Focus(sc.layer.name, (sc.step, sc.unit))),
                     parts.faded(_numbers(sc), sc.going if sc.when.step >= 0 else 0.0))
    return marks


def _group(sc: Scene, key: str) -> Group:
    about = sc.focus(key)
    word = translated(sc.shown.family.quantities[key.removesuffix("_before")].name)
    return Group(tr("{what} before").format(what=word) if key.endswith("_before") else word, about)


def number_of(sc: Scene, key: str) -> int:
    """The step, from 1, whose state a column holds; 0 is the state that a sequence starts from."""
    return (sc.before if key.endswith("_before") else sc.step) + 1


def _number_said(sc: Scene, key: str) -> str:
    before = key.endswith("_before")
    return said(str(number_of(sc, key)), "step before" if before else "step", sc.layer.name, step=sc.step)


def head(sc: Scene, key: str, back: bool) -> list[Mark]:
    """The name of a column, with the sign of its gate, and its symbol with what its colours or levels reach."""
    plan, state = sc.plan, key.removesuffix("_before")
    part = sc.shown.family.quantities[state]
    middle, room = plan.middle(key), plan.pitch - 2
    word = translated(SHORT[state]) if state in SHORT else translated(part.tab).lower()
    size = 13.0 if plan.roomy else 12.0
    sign = (17.0 if plan.roomy else 15.0) if part.sign else 0.0
    if width(word, size, 600) + (sign + 5 if sign else 0) > room:
        size = 11.0
    long = width(word, size, 600) + (sign + 5 if sign else 0)
    after = key in ("cell", "hidden")
    marks: list[Mark] = []
    if long > room and sign:
        marks += gatesigns.sign(state, middle, plan.heads - 4.5, sign)
    elif long > room:
        marks.append(Text(middle, plan.heads, (Run(part.symbol, italic=True),), 12, 600,
                          "accent-ink" if after and not back else "ink", "middle"))
    else:
        x = middle - long / 2
        marks += gatesigns.sign(state, x + sign / 2, plan.heads - 4.5, sign) if sign else []
        marks.append(Text(x + (sign + 5 if sign else 0), plan.heads, plain(word), size, 600,
                          "accent-ink" if after and not back else "ink"))
    if not sc.look.mode.notes:
        return marks
    under: Runs
    most = said(numbers.significant(sc.most(key), 2), "most that a column may be", sc.layer.name, array=state)
    if part.gate and not back:
        zero, one = tick("0", 0, 0, 1), tick("1", 1, 0, 1)
        under = plain(tr("{low} to {high}").format(low=zero, high=one))
        if width(under, 12) > room:
            under = plain(f"{zero} … {one}")
    elif state in ("hidden", "cell"):
        symbol = (Run(part.symbol, italic=True), Run(_number_said(sc, key), shift="sub"))
        under = (Run("∂L/∂"), *symbol) if back else (*symbol, Run(f", ±{most}"))
        if width(under, 12) > room:
            under = symbol
    else:
        under = (Run("∂L/∂"), Run(part.symbol, italic=True)) if back else \
            plain(f"±{most}")
    marks.append(Text(middle, plan.heads + 15, under, 12, 400, "ink-2", "middle"))
    return marks


def _filled(sc: Scene, key: str) -> list[Mark]:
    """What has come of one column."""
    plan = sc.plan
    part = sc.shown.family.quantities[key.removesuffix("_before")]
    started = sc.when.step >= 0
    marks: list[Mark] = []
    if not started and not key.endswith("_before"):
        return marks
    going = sc.going if started else sc.when.slide
    share = sc.share(key)
    if part.gate and share > 0:
        marks += parts.faded(_levels(sc, key, out(share)), going)
    elif share > 0:
        marks += parts.faded(heat(sc, key, plan.columns[key], share), going)
    if sc.owns(key) and share > 0:
        x, y, wide, high = plan.cell_at(key, sc.unit)
        marks.append(Rect(x - 2, y - 2, wide + 4, high + 4, "", "ink", 1.5, radius=2,
                          focus=sc.focus(key, sc.unit)))
    return marks


def outline(sc: Scene, key: str, count: int) -> list[Mark]:
    """Where the units of a column stand."""
    plan = sc.plan
    high = min(count, plan.rows) * plan.cell
    return [Rect(plan.columns[key] - 1, plan.top - 1, plan.wide + 2, high + 2, "", "rule", 1, inside=True)]


def _areas(sc: Scene, key: str, count: int) -> tuple[Points, ...]:
    plan, found = sc.plan, list[Points]()
    for sub in range(plan.sub):
        rows = min(plan.rows, count - sub * plan.rows)
        if rows > 0:
            left = plan.columns[key] + sub * (plan.sub_wide + 1)
            found.append(_box(left, plan.top, left + plan.sub_wide, plan.top + rows * plan.cell))
    return tuple(found)


def touch(sc: Scene, key: str, count: int) -> list[Mark]:
    """Nothing that is seen: the units of a column, to be pointed at."""
    plan, marks = sc.plan, list[Mark]()
    focus, step = sc.focus(key), sc.focus(key).cell[0]
    for sub in range(plan.sub):
        first = sub * plan.rows
        rows = range(first, min(first + plan.rows, count))
        if len(rows):
            marks.append(Image(plan.columns[key] + sub * (plan.sub_wide + 1), plan.top, (plan.sub_wide, plan.cell),
                               np.zeros((1, len(rows), 1), np.uint8), "pixel", border="", indices=(step,),
                               rows=tuple(rows), focus=Focus(focus.layer, (), focus.array), opacity=0.0))
    return marks


def heat(sc: Scene, key: str, x: float, share: float = 1.0, flight: Flight | None = None) -> list[Mark]:
    """Values as colours. A candidate grows from zero, as the gates do; a state is uncovered from the top."""
    most, state = sc.most(key), key.removesuffix("_before")
    grows = state in ("candidate", "new", "preactivation")
    values = sc.row(key) * (out(share) if grows else 1.0)
    scale = Scale("activation", english("values"), f"{state} of {sc.layer.name}", -most, most)
    return shaded(sc, colour.signed(values, most), "activation", key, x, 1.0 if grows else share, scale, flight)


def shaded(sc: Scene, shades: np.ndarray, palette: str, key: str, x: float, share: float, scale: Scale,
           flight: Flight | None = None, own: bool = True) -> list[Mark]:
    """The units of a column in colours, uncovered from the top; `own`: they are all of the numbers they stand for, not
    a part of a sum."""
    plan, marks = sc.plan, list[Mark]()
    focus = sc.focus(key)
    for sub in range(plan.sub):
        rows = range(sub * plan.rows, min((sub + 1) * plan.rows, len(shades)))
        if len(rows):
            marks.append(Image(x + sub * (plan.sub_wide + 1), plan.top, (plan.sub_wide, plan.cell),
                               np.ascontiguousarray(shades[None, rows.start:rows.stop, None]), palette,
                               indices=(focus.cell[0],), rows=tuple(rows), rows_shown=share, scale=scale,
                               focus=Focus(focus.layer, (), focus.array) if own else None, holds=flight))
    return marks


def _levels(sc: Scene, key: str, share: float) -> list[Mark]:
    """How open a gate is, one bar a unit, from 0 at the left to 1; they grow from 0 together."""
    plan = sc.plan
    bars = _bars(sc.forward, key, sc.step, share, plan.columns[key], plan.top, plan.rows, plan.sub_wide, plan.cell)
    marks: list[Mark] = [Path(_areas(sc, key, len(sc.row(key))), fill="sunk")]
    return [*marks, Path(bars, fill="ink-2", opacity=0.62)] if bars else marks


@remembered(64)
def _bars(forward: Forward, key: str, step: int, share: float, left: float, top: float, rows: int, wide: float,
          cell: float) -> tuple[Points, ...]:
    values = np.clip(np.nan_to_num(forward.arrays[key][step]), 0.0, 1.0) * share * wide
    high = cell - (1 if cell >= 4 else 0.0)
    found: list[Points] = []
    for unit, long in enumerate(values.tolist()):
        if long > 0.05:
            across, down = divmod(unit, rows)
            x, y = left + across * (wide + 1), top + down * cell
            found.append(_box(x, y, x + long, y + high))
    return tuple(found)


def _box(left: float, top: float, right: float, bottom: float) -> Points:
    one, two, three, four = (left, top), (right, top), (right, bottom), (left, bottom)
    return one, one, two, two, two, three, three, three, four, four, four, one, one


# --- what moves -----------------------------------------------------------------------------------------------------

def _slides(sc: Scene) -> list[Mark]:
    """The states of the step before, on their way to where the next one reads them."""
    if sc.when.step < 0 or sc.when.coming < 0:
        return []
    marks: list[Mark] = []
    for key in ("cell", "hidden"):
        if key not in sc.plan.columns:
            continue
        start, end = sc.plan.columns[key], sc.plan.columns[f"{key}_before"]
        x = start + (end - start) * sc.when.slide
        marks += heat(sc, key, x)
        if not sc.owns(key):
            continue
        about = sc.focus(key, sc.unit)
        left, top, wide, high = sc.plan.cell_at(key, sc.unit, x)
        marks.append(Rect(left - 2, top - 2, wide + 4, high + 4, "", "ink", 1.5, radius=2,
                          holds=Flight(about, about, sc.value(key), sc.when.slide)))
    return grouped(Group(tr("states on their way")), marks)


def _front(sc: Scene) -> list[Mark]:
    """Where a state is being computed: a line across it and across what it is made of, at the same units; and around
    the chosen unit, what is read and what is made."""
    marks: list[Mark] = []
    if sc.when.step < 0 or sc.when.coming >= 0:
        return marks
    for key, sources in MADE_OF[sc.shown.family.name].items():
        share = sc.share(key)
        if 0 < share < 1:
            name = Group(tr("what makes {what}").format(what=sc.shown.family.quantities[key].symbol))
            marks += grouped(name, parts.faded(_made_of(sc, key, sources, share), min(1.0, 4 * share, 4 - 4 * share)))
    return marks


def _made_of(sc: Scene, key: str, sources: tuple[str, ...], share: float) -> list[Mark]:
    plan = sc.plan
    y = plan.top + plan.rows * plan.cell * share
    marks: list[Mark] = [Rect(plan.columns[column] - 2, y - 1, plan.wide + 4, 2, "accent")
                         for column in (*sources, key)]
    target = sc.focus(key, sc.unit)
    for column in (*sources, key) if sc.owns(key) else ():
        if column.endswith("_before") and not 0 <= sc.before < sc.shown.steps:
            continue
        x, top, wide, high = plan.cell_at(column, sc.unit)
        marks.append(Rect(x - 3, top - 3, wide + 6, high + 6, "", "accent", 2, radius=3,
                          holds=Touch(sc.focus(column, sc.unit), target)
                          if column == key or sc.shown.family.kept[0] else None))
    return marks


# --- the row of numbers ---------------------------------------------------------------------------------------------

def _numbers(sc: Scene) -> list[Mark]:
    """The numbers of one unit under its columns, as far as they are there, with what stands between them."""
    plan, family = sc.plan, sc.shown.family.name
    marks: list[Mark] = []
    ends: dict[str, tuple[float, float]] = {}
    digits = 2 if plan.pitch >= 46 else 1
    size = 13.0 if plan.roomy else 12.0 if plan.pitch >= 46 else 11.0
    for key in plan.columns:
        if not sc.owns(key):
            continue
        value = sc.value(key)
        written = (numbers.number(value, digits), numbers.number(value, 1), numbers.significant(value, 1))
        words = next((way for way in written if width(way, size, 600) <= plan.pitch - 12), "0" if value == 0 else
                     "≈ 0" if abs(value) < 0.1 else "")
        half = width(words, size, 600) / 2
        ends[key] = plan.middle(key) - half, plan.middle(key) + half
        if sc.share(key) < 1:
            continue
        gate = sc.shown.family.quantities[key.removesuffix("_before")].gate
        ink = "ink" if gate or value == 0 else "positive-text" if value > 0 else "negative-text"
        words = words and said(words, "in the cell", sc.layer.name, (sc.unit,), sc.step, key)
        marks.append(Text(plan.middle(key), plan.numbers, plain(words), size, 600, ink, "middle"))
    order = list(ends)
    for key, operator in OPERATORS[family].items():
        if key not in ends or not operator:
            continue
        before = order[order.index(key) - 1]
        if sc.share(key) < 1 or sc.share(before) < 1:
            continue
        left, right = ends[before][1], ends[key][0]
        ways = (operator, operator.replace("(1 − _z_) ×", "…"))
        sign = next((way for way in ways if width(rich(way), size, 500) <= right - left - 2), "")
        if sign:
            marks.append(Text((left + right) / 2, plan.numbers, rich(sign), size, 500, "ink-2", "middle"))
    if sc.look.mode.notes and plan.roomy:
        told = {"lstm": tr("unit {unit} in numbers; the last state is _W_ (_o_ ⊙ tanh _c_), made of all units")
                if sc.shown.projected else tr("unit {unit} in numbers; the last state is _o_ × tanh(_c_)"),
                "gru": tr("unit {unit} in numbers; the candidate reads the last state through _r_"),
                "rnn": tr("unit {unit} in numbers; the state is {curve} of the sum")}[family]
        curve, unit = sc.shown.family.quantities["hidden"].curve, unit_said(
            sc.shown, sc.unit, f"inner.{sc.shown.family.keys[0]}")
        words = told.format(unit=unit, curve="tanh" if curve is None else curve.name)
        if width(rich(words), 12) > plan.frame[2]:  # else it runs into what is said under the answers
            words = tr("unit {unit} in numbers").format(unit=unit)
        marks.append(Text(plan.frame[0] + 12, plan.frame[1] + plan.frame[3] + 17, rich(words), 12, 400, "ink-2"))
    return marks


