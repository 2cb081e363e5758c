"""How much a state of a recurrent layer depends on every step that it has read, and how that fills step by step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from visualizer.kinds import reach
from visualizer.kinds.reach import Influence
from visualizer.language import english, tr
from visualizer.said import said
from visualizer.scene import colour, numbers
from visualizer.scene.boxes import Box
from visualizer.scene.picture import Focus, Group, Image, Look, Mark, Rect, Scale, Text, grouped, plain
from visualizer.scene.reading import Reading, here, layers, reading, step_said
from visualizer.scene.timeline import Moment
from visualizer.scene.type import elide, width
from visualizer.trace import Trace
from visualizer.views.reach._axis import horizon_said

LEFT, HEAD, WIDEST = 72.0, 34.0, 40.0
FLOOR = 1e-3


@dataclass(frozen=True)
class State:
    """The state of a layer after it has read some steps."""

    layer: str
    step: int
    """How many it has read, 0 for none."""


def at(trace: Trace, moment: Moment) -> State | None:
    """The state that a beat is about; None before a recurrent layer runs, and where nothing recurs."""
    order = [layer.name for layer in trace]
    found = [layer.name for layer in layers(trace)]
    name = moment.beat.layer
    if not found or (name in reach.direct(trace) and name not in found and order.index(name) < order.index(found[0])):
        return None
    before = [each for each in found if order.index(each) <= order.index(name)]
    layer = name if name in found else (before or found)[-1]
    shown = reading(trace, layer)
    count = here(trace, moment, shown)
    return State(layer, shown.steps - count + 1 if shown.reverse and count else count)


def recalls(trace: Trace, layer: str) -> NDArray[np.float64] | None:
    """(state, step), both in the order of reading: ‖∂h / ∂ what was read‖; None where it was not measured."""
    held = trace.studies.get(reach.STUDY, {}).get(f"{layer}/memory")
    if held is None:
        return None
    found = np.asarray(held, np.float64)
    return found[::-1, ::-1] if trace[layer].settings.get("reverse", False) else found


def influence(trace: Trace, state: State) -> Influence | None:
    """By steps back from the last one that was read."""
    found = recalls(trace, state.layer)
    if found is None or not state.step:
        return None
    return Influence(np.arange(state.step, dtype=np.float64), found[state.step - 1, :state.step][::-1])


def all_of(trace: Trace, layer: str) -> list[tuple[int, Influence | None]]:
    """Every state of a layer."""
    return [(step, influence(trace, State(layer, step))) for step in range(1, len(trace[layer].output) + 1)]


def draw(trace: Trace, state: State, box: Box, moment: Moment, look: Look) -> list[Mark]:
    """A row for every state, a column for every step: what each state still knows of each step, row by row."""
    shown = reading(trace, state.layer)
    found, steps = recalls(trace, state.layer), shown.steps
    square = Box(box.left + LEFT, box.top + HEAD, box.right, box.bottom)
    cell = min(square.width / steps, WIDEST * 2), min(square.height / steps, WIDEST)
    wide, high = cell[0] * steps, cell[1] * steps
    marks: list[Mark] = [
        Text(box.left, box.top + 6, plain(tr("How much each state depends on each step that was read")), 12, 600,
             max_width=box.width),
        Rect(square.left, square.top, wide, high, "hatch")]
    done = steps if moment.backward else state.step
    if found is None:
        words = tr("is being measured") if reach.STUDY not in trace.studies else tr("too long to be measured")
        room = width(words, 12) + 12
        x, y = square.left + wide / 2, square.top + high / 2
        marks += [Rect(x - room / 2, y - 10, room, 20, "stage", "rule", 1, radius=4),
                  Text(x, y + 4.5, plain(words), 12, 400, "ink-2", "middle")]
    elif done:
        top = float(found.max(initial=0.0)) or 1.0
        hidden = np.triu(np.ones((done, done), bool), 1)
        marks.append(Image(square.left, square.top, cell, colour.magnitude(found[:done, :done], top * FLOOR, top)[None],
                           "gradient", indices=(-1,), border="", hatched=hidden[None],
                           scale=Scale("gradient", english("size of the gradient"), state.layer, top * FLOOR, top,
                                       english("one scale for all steps"), log=True)))
    if state.step:
        ink = "gradient-mark" if moment.backward else "accent"
        marks.append(Rect(square.left - 2, square.top + (state.step - 1) * cell[1] - 1, wide + 4, max(3.0, cell[1]) + 2,
                          "", ink, 2, radius=2))
    if all(cell):  # a low stage may leave the squares no room
        marks += _words(shown, square, cell, state)
    return grouped(Group(state.layer, Focus(state.layer)), marks)


def _words(shown: Reading, square: Box, cell: tuple[float, float], state: State) -> list[Mark]:
    """What each step reads, above its column and before the row of the state after it, as far as there is room."""
    marks: list[Mark] = []
    order = list(reversed(range(shown.steps))) if shown.reverse else list(range(shown.steps))
    texts = [elide(shown.words[step], 11, LEFT - 12) for step in order]
    room = max(width(text, 11) for text in texts) + 8
    across, down = max(1, int(np.ceil(room / cell[0]))), max(1, int(np.ceil(15 / cell[1])))
    for place, text in enumerate(texts):
        if place % across == 0:
            marks.append(Text(square.left + (place + 0.5) * cell[0], square.top - 6, plain(text), 11, 400, "ink-2",
                              "middle"))
        now = place == state.step - 1
        near = abs(place - state.step + 1) * cell[1] < 15 and not now
        if now or (place % down == 0 and not near):
            marks.append(Text(square.left - 8, square.top + (place + 0.5) * cell[1] + 4, plain(text), 11,
                              600 if now else 400, "accent-ink" if now else "ink-2", "end", max_width=LEFT - 8))
    return marks


def sentence(trace: Trace, state: State, backward: bool) -> str:
    shown = reading(trace, state.layer)
    if not state.step:
        return tr("{layer} has read nothing yet: its memory is empty.").format(layer=state.layer)
    step = shown.steps - state.step if shown.reverse else state.step - 1
    found = influence(trace, state)
    after = step_said(shown, step)
    if found is None:
        return tr("How much the state of {layer} after step {step} depends on each step that it has read takes further "
                  "passes.").format(step=after, layer=state.layer)
    if state.step == 1:
        return tr("After its first step {layer} depends on that alone.").format(layer=state.layer)
    first = shown.steps - 1 if shown.reverse else 0
    ratio = float(found.sizes[-1]) / float(found.sizes[0]) if found.sizes[0] else float("inf")
    share = said(numbers.percent(ratio, 1 if ratio < 0.1 else 0), "share of the first", state.layer, step=step)
    told = tr("What comes back to {layer} after step {step} goes on to step {first} {{{share}}} as strongly as to step "
              "{step}.") if backward else \
        tr("After step {step} {layer} still depends on step {first} {{{share}}} as much as on step {step}.")
    told = told.format(step=after, first=step_said(shown, first), layer=state.layer, share=share)
    if found.horizon >= state.step - 1:
        return told
    return told + " " + tr("Beyond {count} steps back it is less than {least}.").format(
        count=horizon_said(found, state.layer, (), step), least=said("1 %", "horizon"))
