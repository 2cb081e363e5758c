"""One unit of a recurrent layer through time: a row of cells for each gate and state, its step framed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from visualizer.kinds.gates import family_of, named, symbol
from visualizer.kinds.gates import quantity as gate
from visualizer.language import tr
from visualizer.said import Claim, claimed, constants, tick
from visualizer.scene import colour, gatesigns, numbers, parts
from visualizer.scene.picture import Focus, Group, Image, Mark, Rect, Scale, Text, grouped, plain, rich
from visualizer.scene.reading import words_of
from visualizer.trace import Layer, Trace
from visualizer.views.microscope._slide import Area, Slide, spot

ROW, TALLEST = 44.0, 92.0
"""Height of a row, at least and at most."""
SIDE, NUMBER = 118.0, 100.0
"""Width for the names of the rows, and for the numbers of the step that is looked at."""
SMALLEST, LARGEST = 6.0, 52.0
"""Pixels a step. Where they would be smaller, a window of steps is shown."""
FLOOR = 1e-6


def through_time(trace: Trace, slide: Slide, keys: Sequence[str], frame: Area, x: float, y: float, room: float,
                 tall: float) -> list[Mark]:
    """The same unit at every step, as many of the rows as fit; every cell leads to its number."""
    layer = slide.layer
    count, wide = len(layer.inner["hidden"]), room - (SIDE + NUMBER)
    step, unit = (0, *slide.cell)[-2:]
    if slide.key.startswith("initial_") and layer.settings.get("reverse"):
        step = count - 1  # what it started from stands before the first step that it went through
    rows = [key for key in keys if _values(layer, key, slide.backward) is not None][:int((tall - 44) // ROW)]
    if not rows or wide < 80 or step >= count:
        return []
    shown = min(count, int(wide // SMALLEST))
    first = min(max(0, step - shown // 2), count - shown)
    pitch = float(int(min(LARGEST, wide / shown)))
    own = claimed(str(unit), [("index", layer.name, (0, unit), None, "inner.hidden")])
    head = tr("unit {unit} at every step").format(unit=own) if shown == count else \
        tr("unit {unit} at steps {first} to {last} of {count}").format(
            unit=own, first=_step(layer, first), last=_step(layer, first + shown - 1),
            count=claimed(numbers.count(count), [("how many steps", layer.name, (), None, "")]))
    row = min(TALLEST, (tall - 50) / len(rows))
    head += tr("; size on a log scale") if slide.backward else ""
    left, high = x + SIDE, row - 18
    marks: list[Mark] = [Text(x, y + 12, plain(head), 12, 600, "ink-2", max_width=room)]
    marks += _words(trace, layer, first, shown, step, left, y + 34, pitch, count)
    top = y + 44
    names = gatesigns.titles({key: named(key) for key in rows if gate(key).sign}, SIDE - 6, 12, 400)
    for index, key in enumerate(rows):
        part = Group((tr("∂L/∂{name} at every step") if slide.backward
                      else tr("{name} at every step")).format(name=named(key)),
                     Focus(layer.name), cells=True)
        marks += grouped(part, [
            *_row(slide, key, range(first, first + shown), unit, left, top + index * row, (pitch, high), frame),
            *_name(slide, key, names.get(key, ""), step, unit, x, left + pitch * shown + 10,
                   top + index * row + high / 2)])
    return [*marks, *spot(left + (step - first) * pitch, top, pitch - 1, (len(rows) - 1) * row + high, 2)]


def is_there(slide: Slide, key: str, step: int) -> bool:
    """Whether a gate or state, or its gradient, is known at a step by the time that the slide's own number is made."""
    layer, backward = slide.layer, slide.backward
    own, order = (0, *slide.cell)[-2], list(layer.inner)
    if step != own:
        return (step < own) != (bool(layer.settings.get("reverse")) != backward)
    if key == slide.key:
        return slide.made or slide.hands_on
    here, there = (order.index(name) if (name := one.removesuffix("_preactivation")) in order else len(order)
                   for one in (slide.key, key))
    return (there > here) if backward else there < here


def _step(layer: Layer, step: int) -> str:
    """The number of a step."""
    return claimed(str(step + 1), [("step", layer.name, (), step, "")])


def _values(layer: Layer, key: str, backward: bool) -> np.ndarray | None:
    return (layer.inner_gradients if backward else layer.inner).get(key)


def _words(trace: Trace, layer: Layer, first: int, shown: int, step: int, x: float, y: float, pitch: float,
           count: int) -> list[Mark]:
    """What each step reads, where there is room for the words; else the number of the step that is looked at."""
    said = words_of(trace, count)[first:first + shown]
    longest = max(len(word) for word in said)
    if longest * 7.6 <= pitch:
        read = len(trace.sample.steps) == count
        said = tuple(claimed(word, [("word read", layer.name, (), first + place, "")]) if read else
                     _step(layer, first + place) for place, word in enumerate(said))
        return [Text(x + (place + 0.5) * pitch, y, plain(word), 12, 600 if place + first == step else 400,
                     "accent-ink" if place + first == step else "ink-2", "middle") for place, word in enumerate(said)]
    return [Text(x + (step - first + 0.5) * pitch, y, plain(_step(layer, step)), 12, 600, "accent-ink", "middle")]


def _row(slide: Slide, key: str, steps: range, unit: int, x: float, y: float, cell: tuple[float, float],
         frame: Area) -> list[Mark]:
    found = _values(slide.layer, key, slide.backward)
    assert found is not None
    values = found[steps.start:steps.stop, min(unit, found.shape[1] - 1)].astype(np.float64)
    top = _top(slide.layer, key, slide.backward, unit)
    opens = gate(key).gate and not slide.backward
    shades = colour.magnitude(values, top * FLOOR, top) if slide.backward else \
        colour.unit(values) if opens else colour.signed(values, top)
    palette, unknown = "gradient" if slide.backward else "pixel" if opens else "activation", colour.unknown(values)
    focus = Focus(slide.layer.name, (), "output") if key == "hidden" else Focus(slide.layer.name, (), f"inner.{key}")
    of = f"{slide.layer.name}.{key}"
    scale = Scale(palette, tr("size of the gradient"), of, top * FLOOR, top, log=True) if slide.backward else \
        Scale(palette, tr("gate"), of, 0.0, 1.0) if opens else Scale(palette, tr("values"), of, -top, top)
    marks: list[Mark] = []
    wide, high = cell[0] - (1 if cell[0] >= 4 else 0), cell[1]
    for place, step in enumerate(steps):
        at = (step, unit) if key != "hidden" else (step, unit)[-slide.layer.output.ndim:]
        if not is_there(slide, key, step):
            marks.append(Rect(x + place * cell[0], y, wide, high, "hatch"))
            continue
        marks.append(Image(x + place * cell[0], y, (wide, high), shades[place].reshape(1, 1, 1), palette,
                           border="tile-border" if wide >= 6 else "", focus=Focus(focus.layer, at[:-1], focus.array),
                           indices=(at[-1],), hatched=unknown[place].reshape(1, 1, 1) if unknown[place] else None,
                           scale=scale))
    if wide >= 10 and not opens:
        tiles = np.where([is_there(slide, key, step) for step in steps], values, 0.0)[:, None, None]
        marks += parts.minuses(tiles, shades[:, None, None], palette, frame.look, min(wide, high),
                               lambda tile, row, column: (x + tile * cell[0] + wide / 2, y + high / 2))
    return marks


def _top(layer: Layer, key: str, backward: bool, unit: int) -> float:
    """What the strongest colour stands for: 1 for what is bounded, else the largest of this unit at any step."""
    family = family_of(layer)
    if not backward and (key == "hidden" or (family is not None and key in family.keys)):
        made = None if family is None else family.quantities[key].curve
        if (made is None and key == "hidden") or (made is not None and made.flat is not None
                                                   and made.flat.range[1] <= 1):
            return 1.0
    found = _values(layer, key, backward)
    assert found is not None
    sizes = np.abs(found[:, min(unit, found.shape[1] - 1)].astype(np.float64))
    return float(np.max(sizes[np.isfinite(sizes)], initial=0.0)) or 1.0


def _name(slide: Slide, key: str, name: str, step: int, unit: int, x: float, right: float, middle: float) -> list[Mark]:
    """What a row is, the sign of its gate and `name` if it has one; and its number at the step."""
    found = _values(slide.layer, key, slide.backward)
    assert found is not None
    value, top = float(found[step, min(unit, found.shape[1] - 1)]), _top(slide.layer, key, slide.backward, unit)
    signed = bool(gate(key).sign)
    title = f"∂L/∂**{symbol(key)}**" if slide.backward else name or f"**{symbol(key)}** {named(key)}"
    left = x + 24 if signed else x
    most = tick(numbers.significant(top, 2), top, 0, top)
    scope = tr("size to {most}").format(most=most) if slide.backward else \
        constants(tr("0 to 1")) if gate(key).gate else f"±{most}"
    array = f"inner_gradients.{key}" if slide.backward else f"inner.{key}"
    claim: Claim = ("value", slide.layer.name, (step, min(unit, found.shape[1] - 1)), None, array)
    return [*gatesigns.sign(key, x + 10, middle + 2, 17),
            Text(left, middle, rich(title), 12, 400, max_width=SIDE - 10 - (left - x)),
            Text(left, middle + 14, plain(scope), 11, 400, "ink-2", max_width=SIDE - 10 - (left - x)),
            *([Text(right, middle + 4, plain(claimed(numbers.significant(value, 3), [claim])), 13, 600,
                    "gradient-text" if slide.backward else "ink", max_width=NUMBER - 12)]
              if is_there(slide, key, step) else [])]
