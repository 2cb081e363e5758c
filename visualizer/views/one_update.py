"""One update: how a weight comes from its gradient, stage by stage, and where the step moves the loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from visualizer.language import english, tr
from visualizer.said import constants, said
from visualizer.scene import colour, numbers, parts
from visualizer.scene.picture import (
    Focus,
    Group,
    Image,
    Look,
    Mark,
    Picture,
    Rect,
    Run,
    Scale,
    Table,
    Text,
    grouped,
    plain,
    unmarked,
)
from visualizer.scene.subject import NUMBER, subject
from visualizer.scene.timeline import Moment, Timeline
from visualizer.scene.type import elide, width
from visualizer.trace import ONE_UPDATE, Cell, Layer, Trace
from visualizer.train import BETA1, BETA2, MOMENTUM
from visualizer.train.taken_apart import name_of
from visualizer.views import WHOLE, View

TOP, FOOT, GAP = 92.0, 16.0, 10.0
MOST_ROW, MOST_SIDE, BROAD = 96.0, 20, 2.0
"""Pixels of a row; rows and columns of a map around the number that is looked at; how much wider than high a
map may be."""
GRADIENTS = ("gradient", "clipped")
"""Layers that hold the gradient itself."""


@dataclass(frozen=True)
class Stage:
    """One number on the way."""

    layer: str
    """The layer of the recording in which it stands."""
    name: str
    """As `taken_apart.name_of` knows it."""
    symbol: str
    formula: str
    made: Callable[[Callable[[str], str]], str]
    """The formula with its numbers: asked with a function that says the number of a layer."""


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """A row for each stage: its map, its formula, the numbers in it, and what comes of them."""
    about = subject(trace, moment, focus, NUMBER)
    shown = stages(trace)
    told = sentence(trace, about.cell)
    marks: list[Mark] = parts.sentence(look, told)
    order = list(trace.places)
    high = min(MOST_ROW, (look.size[1] - TOP - FOOT) / len(shown))
    for place, stage in enumerate(shown):
        y = TOP + place * high
        done = order.index(stage.layer) <= order.index(moment.beat.layer)
        here = _within(trace, shown, place, moment.beat.layer)
        marks += grouped(Group(name_of(stage.name), Focus(stage.layer, about.cell)),
                         _row(trace, stage, about.cell, y, high - GAP, look, done, here))
    rows = tuple((name_of(stage.name), stage.formula, float(trace[stage.layer].output[about.cell])) for stage in shown)
    return Picture(look.size, (), tuple(marks), look.theme, caption=unmarked(told),
                   table=Table((tr("what"), tr("formula"), tr("value")), rows))


def stages(trace: Trace) -> tuple[Stage, ...]:
    """The numbers from the gradient to the new weight, as the optimiser of this update makes them."""
    fact = trace.facts[ONE_UPDATE]
    rate = numbers.short(float(fact["rate"]))
    found = [Stage("gradient", "gradient", "g", "g = ∂L/∂w", lambda say: "")]
    read = "gradient"
    if "clipped" in trace:
        factor = _plain(float(trace["clipped"].settings["other"]))
        found.append(Stage("clipped", "gradient", "g", "g = ∂L/∂w · clip / ‖∂L/∂W‖",
                           lambda say: f"{say('gradient')} · {factor}"))
        read = "clipped"
    if "first" in trace:
        found += _adam(trace, read, rate)
    elif "velocity" in trace:
        found += [Stage("velocity", "velocity", "m", f"m = {numbers.short(MOMENTUM)} · m + g",
                        lambda say: f"{numbers.short(MOMENTUM)} · {say('velocity_before')} + {say(read)}"),
                  Stage("step", "step", "Δw", "Δw = −η · m", lambda say: f"−{rate} · {say('velocity')}")]
    else:
        found.append(Stage("step", "step", "Δw", "Δw = −η · g", lambda say: f"−{rate} · {say(read)}"))
    found.append(Stage("weight", "weight", "w", "w = w + Δw",
                       lambda say: f"{say('weight_before')} + {say('step')}"))
    return tuple(found)


def _adam(trace: Trace, read: str, rate: str) -> list[Stage]:
    first, second = (float(trace[name].settings["other"]) for name in ("first_corrected", "second_corrected"))
    one, rest, two, little = map(numbers.short, (BETA1, round(1 - BETA1, 6), BETA2, round(1 - BETA2, 6)))
    return [
        Stage("first", "first", "m", "m = β₁ · m + (1 − β₁) · g",
              lambda say: f"{one} · {say('first_before')} + {rest} · {say(read)}"),
        Stage("second", "second", "v", "v = β₂ · v + (1 − β₂) · g²",
              lambda say: f"{two} · {say('second_before')} + {little} · {say(read)}²"),
        Stage("first_corrected", "first_corrected", "m̂", "m̂ = m / (1 − β₁ᵗ)",
              lambda say: f"{say('first')} / {_plain(first)}"),
        Stage("second_corrected", "second_corrected", "v̂", "v̂ = v / (1 − β₂ᵗ)",
              lambda say: f"{say('second')} / {_plain(second)}"),
        Stage("step", "step", "Δw", "Δw = −η · m̂ / (√v̂ + ε)",
              lambda say: f"−{rate} · {say('first_corrected')} / (√{say('second_corrected')} + "
                          f"{numbers.power_of_ten(-8)})")]


def sentence(trace: Trace, cell: Cell) -> str:
    """What the update does to the weight, and what one step of it, and one of 0.1, do to the loss of its batch."""
    fact: Mapping[str, Any] = trace.facts[ONE_UPDATE]
    rate, before, after = fact["moves"]
    words = tr("Update {number} moves this number of {parameter} by {{{step}}}, and the loss of its batch from "
               "{before} to {own}. One step of {rate} against the gradient moves that loss from {before} to "
               "{{{after}}}.")
    return words.format(number=(numbers.count(int(fact["step"]))), parameter=fact["parameter"],
                        step=said(numbers.significant(float(trace["step"].output[cell])), "value", "step", cell),
                        before=(numbers.significant(before)), own=(numbers.significant(fact["own"])),
                        rate=(numbers.short(rate)), after=(numbers.significant(after)))


# --- a row ------------------------------------------------------------------------------------------------------------

def _row(trace: Trace, stage: Stage, cell: Cell, y: float, high: float, look: Look, done: bool,
         here: bool) -> list[Mark]:
    wide, layer = look.size[0], trace[stage.layer]
    focus = Focus(stage.layer, cell)
    marks: list[Mark] = [Rect(16, y - 4, wide - 32, high + 8, "tint" if here else "", "", radius=8, focus=focus)]
    drawn, broad = _map(layer, cell, 28.0, y, high, done, focus)
    marks += drawn
    left, right = 28.0 + broad + 22, wide - 32.0
    middle = y + high / 2
    value = said(numbers.significant(float(layer.output[cell])), "value", stage.layer, cell) if done else "–"
    room = right - width(value, 18, 600) - 16 - left
    named = tr("{name} {symbol}").format(name=name_of(stage.name), symbol=stage.symbol)
    marks += [Text(left, middle - 6, (Run(named),), 14, 600, "ink"),
              Text(right, middle + 6, plain(value), 18, 600, "accent-ink", "end")]
    beside = left + width(named, 14, 600) + 16
    if look.mode.notes:
        marks.append(Text(beside, middle - 6, plain(elide(constants(stage.formula), 13, right - 90 - beside)), 13, 400,
                          "ink-2"))
    if done:
        def number(name: str) -> str:
            value = float(trace[name].output[cell])
            told = said(numbers.significant(value), "value", name, cell)
            return f"({told})" if value < 0 else told

        words = stage.made(number)
        marks.append(Text(left, middle + 16, plain(words), 13, 400, "ink", max_width=room))
    return marks


def _map(layer: Layer, cell: Cell, x: float, y: float, side: float, done: bool,
         focus: Focus) -> tuple[list[Mark], float]:
    """The numbers around the one that is looked at, and that one outlined; and how much width they have."""
    values = np.asarray(layer.output, float)
    plane = values[cell[0]] if values.ndim == 3 else values[None]
    at = cell[1:] if values.ndim == 3 else (0, *cell)
    starts = [min(max(0, place - MOST_SIDE // 2), max(0, size - MOST_SIDE))
              for place, size in zip(at, plane.shape, strict=True)]
    seen = plane[starts[0]:starts[0] + MOST_SIDE, starts[1]:starts[1] + MOST_SIDE]
    room = side * min(BROAD, max(1.0, seen.shape[1] / seen.shape[0]))
    size = min(side / seen.shape[0], room / seen.shape[1])
    high, wide = size * seen.shape[0], size * seen.shape[1]
    top, left = y + (side - high) / 2, x + (room - wide) / 2
    if not done:
        return [Rect(left, top, wide, high, "hatch", "tile-border")], room
    largest = float(np.abs(seen[np.isfinite(seen)]).max(initial=0.0)) or 1.0
    row, column = (place - start for place, start in zip(at, starts, strict=True))
    scale = _scale(layer.name, largest)
    entries = colour.magnitude(seen[None], scale.low, scale.high) if scale.log else colour.signed(seen[None], largest)
    return [Image(left, top, (size, size), entries, scale.palette, indices=(-1,), focus=focus, scale=scale),
            Rect(left + column * size, top + row * size, size, size, "", "accent", 2)], room


def _scale(name: str, largest: float) -> Scale:
    """A gradient is seen by its size, as everywhere; what is made of it, and the weight, with their signs."""
    if name in GRADIENTS:
        return Scale("gradient", tr("size of the gradient"), name, largest * parts.FLOOR, largest, log=True)
    palette = "weight" if name == "weight" else "activation"
    return Scale(palette, name_of("weight") if palette == "weight" else tr("value"), name, -largest, largest)


def _within(trace: Trace, shown: tuple[Stage, ...], place: int, layer: str) -> bool:
    """Whether a layer is computed on the way from the stage before to this one."""
    order = trace.places
    before = order[shown[place - 1].layer] if place else -1
    return before < order[layer] <= order[shown[place].layer]


def _plain(value: float) -> str:
    """A constant of the optimiser."""
    return numbers.significant(value)


def _telling(trace: Trace, times: Timeline) -> str:
    """The new weight: all is done."""
    return times.settled(len(times.beats) - 1).address


VIEW = View(
    "one_update", english("One update"), english("How a weight comes from its gradient, over the optimiser's memory, "
                                                 "and where the step moves the loss."),
    suits=lambda trace: ONE_UPDATE in trace.facts, draw=draw, wants=NUMBER, telling=_telling, order=4, group=WHOLE,
    tries=english("Click a stage and open it in the microscope: it is made term by term."),
)
