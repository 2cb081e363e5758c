"""The opened cell under the columns: how one quantity of the current step came about, unit by unit."""

from __future__ import annotations

from functools import partial

from visualizer.language import english, tr, translated
from visualizer.said import said, tick
from visualizer.scene import colour, numbers, parts
from visualizer.scene.boxes import whole
from visualizer.scene.labels import fitting
from visualizer.scene.picture import Focus, Image, Line, Look, Mark, Rect, Scale, Text, plain, rich
from visualizer.scene.reading import Reading, Row, bounded, conclusion, opened, step_said, tabs, unit_said
from visualizer.scene.timeline import Moment, in_beat
from visualizer.scene.type import width
from visualizer.trace import Trace
from visualizer.views.unrolled._around import unit_of
from visualizer.views.unrolled._columns import OPENED_BY
from visualizer.views.unrolled._plan import LEFT, OPENED, Plan

OPENNESS = Scale("pixel", english("gate"), english("every gate"), 0.0, 1.0, english("0 shut, 1 open"))
"""What the grey of a gate stands for."""
MOST_UNITS = 32
"""Units of the opened cell that stand side by side."""
SIGNED = 8.0
"""Cells at least so wide, at a text scale of 1, carry a minus where their value is negative."""


def opened_cell(trace: Trace, plan: Plan, moment: Moment, focus: Focus | None, look: Look) -> list[Mark]:
    """The opened cell under the columns: how a gate of the current step came about, unit by unit.

    It is the one looked at, or on the way back the one whose act of the beat was just walked, or the knob's.
    """
    top, shown, step = plan.opened, plan.shown, plan.now
    titles = tabs(shown)
    part_of = "" if focus is None or focus.layer != shown.layer.name else focus.array.removeprefix("inner.")
    walked = _walked(moment)
    key = part_of if part_of in dict(titles) else walked if walked in dict(titles) else \
        look.knob("gate", titles[0][0])
    key = key if key in dict(titles) else titles[0][0]
    chosen = None if focus is None else unit_of(focus, shown)
    if shown.projected and focus is not None and part_of and len(focus.cell) == 2:
        chosen = min(focus.cell[1], shown.width - 1)
    unit = plan.track.order[0] if chosen is None else chosen
    units = _units_around(plan, unit, shown)
    marks: list[Mark] = [Line(((0, top), (look.size[0], top)), "hair")]
    ways = (tr("{name} at step {step}, all {count} units") if len(units) == shown.width else
            tr("{name} at step {step}, {shown} of {count} units"), tr("{name} at step {step}"), tr("Step {step}"))
    name = translated(shown.family.quantities[key].name)
    name = name[:1].upper() + name[1:]
    across = [width(title, 12, 500) + 20 for _, title in titles]
    x = max(LEFT, min(plan.x + 270, look.size[0] - 8 - sum(across) - 4 * len(across)))
    marks.append(Text(plan.x, top + 24, rich(fitting(
        [words.format(name=name, step=step_said(shown, step), count=said(
            str(shown.width), "how many units", shown.layer.name, array=f"inner.{shown.family.keys[0]}"),
            shown=tick(str(len(units)), len(units), 1, shown.width)) for words in ways],
        x - plan.x - 12, 13, 600)), 13, 600))
    for (tab, title), wide in zip(titles, across, strict=True):
        if tab == key:
            marks.append(Rect(x, top + 8, wide, 24, "tint", radius=6))
        marks.append(Rect(x, top + 8, wide, 24, focus=Focus(shown.layer.name, (step, unit), f"inner.{tab}")))
        marks.append(Text(x + wide / 2, top + 24, plain(title), 12, 600 if tab == key else 400,
                          "accent-ink" if tab == key else "ink-2", "middle"))
        x += wide + 4
    lines = opened(trace, shown, key, step)
    if not _made(plan, moment, key):
        return [*marks, *(Rect(plan.x, plan.opened + 42 + index * 22, look.size[0] - plan.x - 180, 18, "hatch")
                          for index in range(len(lines)))]
    return marks + _opened_rows(lines, units, unit, key, shown, step, plan, look)


def _made(plan: Plan, moment: Moment, key: str) -> bool:
    """Whether a gate or a state of the step of the beat has come: nothing is shown before its time."""
    if moment.backward or not in_beat(plan.shown.layer, moment) or plan.share == 0:
        return True
    acts = key in moment.beat.acts
    return moment.phase >= (moment.beat.stretch(key)[1] if acts else OPENED_BY[1]) - 1e-9


def _walked(moment: Moment) -> str:
    """The part of a step that the gradient has just gone through, where the beat stands at its end.

    While it plays a beat is nowhere near such a place for longer than a frame, so that nothing flicks; stepping from
    act to act and addresses such as `lstm.backward[3].forget` stop there.
    """
    count = len(moment.beat.acts)
    if not moment.backward or not count or moment.phase in (0, 1):
        return ""
    walked = moment.phase * count
    return moment.act if abs(walked - round(walked)) < 1e-9 else ""


def _units_around(plan: Plan, unit: int, shown: Reading) -> tuple[int, ...]:
    """So many units as stand side by side, in the order of the rows, with one among them; those of a gate as they are
    where a row is a number that the layer projected."""
    order, count = tuple(range(shown.width)) if shown.projected else plan.track.order, shown.width
    if count <= MOST_UNITS:
        return order
    start = min(max(0, order.index(unit) - MOST_UNITS // 2), count - MOST_UNITS)
    return order[start:start + MOST_UNITS]


def _opened_rows(lines: tuple[Row, ...], units: tuple[int, ...], unit: int, key: str, shown: Reading, step: int,
                 plan: Plan, look: Look) -> list[Mark]:
    y = plan.opened + 42
    room = look.size[0] - plan.x - 180
    side = whole(min(22, room / len(units) - 2), look.pixel)
    pitch, high = side + 2, whole(min(22, (OPENED - 50) / len(lines) - 3), look.pixel)
    squashed = bounded(shown, key)
    top = max(1e-12, *(colour.largest(row.values) for row in (lines[:-1] if squashed else lines)))
    marks: list[Mark] = []
    right = plan.x + len(units) * pitch + 12
    for index, row in enumerate(lines):
        within = row.result and squashed
        most = 1.0 if within else top
        palette = "pixel" if row.gate else "activation"
        here = tuple(each for each in units if each < len(row.values))
        values = row.values[list(here)]
        shades = colour.unit(values) if row.gate else colour.signed(values, most)
        line = y + index * (high + 3)
        marks.append(Text(LEFT - 16, line + high * 0.7, rich(row.words), 13, 500, "ink", "end"))
        marks.append(Image(plan.x, line, (side, high), shades[:, None, None].copy(), palette, len(here),
                           (pitch, 0), focus=Focus(shown.layer.name, (step,), f"inner.{key}"), indices=here,
                           scale=OPENNESS if row.gate else
                           Scale("activation", tr("values"), f"{shown.layer.name}.{key}" if within else
                                 tr("sums of {layer}.{key}").format(layer=shown.layer.name, key=key), -most, most)))
        if side >= SIGNED and not row.gate:
            marks += parts.minuses(values[:, None, None], shades[:, None, None], "activation", look,
                                   side, partial(_middle, plan.x + side / 2, pitch, line + high / 2))
        if unit not in here:
            continue
        value = float(row.values[unit])
        size = numbers.number(value) if row.result or index == 0 else numbers.signed(value)
        marks.append(Text(right + 44, line + high * 0.7, plain(row.said(shown, step, unit, size)), 13, 600,
            "accent-ink" if row.result else "ink", "end"))
    left = plan.x + units.index(unit) * pitch
    marks.append(Rect(left - 2, y - 3, side + 4, len(lines) * (high + 3) + 3, "", "ink", 1.5, radius=3))
    facts = [tr("unit {unit}").format(unit=unit_said(shown, unit, f"inner.{shown.family.keys[0]}")),
             tr("colour ±{top}").format(top=said(numbers.significant(top, 2), "largest of its lines", shown.layer.name,
                                                 step=step, array=key)),
             tr("gate {shut} to {open}").format(shut=tick("0", 0, 0, 1), open=tick("1", 1, 0, 1))
             if shown.family.quantities[key].gate else "", ]
    for index, text in enumerate(word for word in facts if word):
        marks.append(Text(right + 56, y + 12 + 16 * index, plain(text), 11, 600 if index == 0 else 400,
                          "ink" if index == 0 else "ink-2", max_width=120))
    words = conclusion(shown, key, float(lines[-1].values[unit]), step, unit) if unit < len(lines[-1].values) else ""
    if words:
        half = words.rfind(" ", 0, 22)
        for index, text in enumerate((words[:half], words[half + 1:])):
            marks.append(Text(right + 56, y + 76 + 16 * index, plain(text), 11, 500, "accent-ink",
                              max_width=min(120, look.size[0] - right - 60)))
    return marks


def _middle(x: float, pitch: float, y: float, tile: int, row: int, column: int) -> tuple[float, float]:
    """The middle of one of the cells that stand side by side."""
    return x + tile * pitch, y
