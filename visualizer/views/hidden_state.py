"""The hidden state as a map, units × time, filling column by column; on the way back the gradient of every state."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from visualizer.scene import colour, numbers, parts, steps
from visualizer.scene.columns import lanes_height
from visualizer.scene.picture import Focus, Image, Look, Mark, Picture, Rect, Scale, Table, Text, plain, unmarked
from visualizer.scene.reading import Reading, layers, reading, shown_layer
from visualizer.scene.timeline import Moment
from visualizer.trace import Trace
from visualizer.views import View

TOP = 116.0
LARGE_CHANGE = 0.5
"""A unit's first large change: the first step at which it moves by more than this share of its whole range."""


def draw(trace: Trace, moment: Moment, focus: Focus | None, look: Look) -> Picture:
    """All units of one recurrent layer over all steps, on a scale that never changes from step to step."""
    layer = shown_layer(trace, moment, None if focus is None else focus.layer)
    shown = reading(trace, layer.name)
    key = look.knob("state", "hidden") if look.knob("state", "hidden") in layer.inner else "hidden"
    values = np.asarray(layer.inner[key], np.float64)
    gradient = layer.inner_gradients.get(key)
    by = look.knob("order", "as is")
    order = ordered(shown, key, by)
    place = steps.span(shown, look)
    top = scale_of(values, key, shown)
    said = _sentence(trace, shown, values, key, moment, top)
    words = f"{shown.units} units × {shown.steps} steps, {_order_words(by)}"
    marks = [*parts.sentence(look, said), *parts.title(look, f"{layer.name}.{key}", words)]
    marks += _map(trace, shown, values, None if gradient is None else np.asarray(gradient, np.float64), order, top,
                  moment,
                  focus, place, look, key)
    marks += _legend(values, gradient, moment, top, key, look)
    marks += steps.lane(trace, shown, moment, look, place)
    return Picture(look.size, (), tuple(marks), look.theme, caption=unmarked(said), table=_table(shown, values))


@lru_cache(maxsize=32)
def ordered(shown: Reading, key: str, by: str) -> tuple[int, ...]:
    """Units from the top: as they are, by their part in the first principal component, or by first large change."""
    values = np.asarray(shown.layer.inner[key], np.float64)
    if by == "principal" and len(values) > 1:
        _, _, axes = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)
        loading = axes[0] * (1 if axes[0][np.argmax(np.abs(axes[0]))] > 0 else -1)
        return tuple(int(unit) for unit in np.argsort(-loading, kind="stable"))
    if by == "change" and len(values) > 1:
        span = np.ptp(values, axis=0)
        moved = np.abs(np.diff(values, axis=0)) > LARGE_CHANGE * np.where(span > 0, span, np.inf)
        first = np.where(moved.any(axis=0), moved.argmax(axis=0), len(values))
        return tuple(int(unit) for unit in np.argsort(first, kind="stable"))
    return tuple(range(values.shape[1]))


def scale_of(values: NDArray[np.float64], key: str, shown: Reading) -> float:
    """±1 for tanh states; for what is unbounded (the LSTM's cell) the 99th percentile of its size."""
    if key == "hidden" and shown.layer.settings.get("nonlinearity", "tanh") == "tanh":
        return 1.0
    return float(np.percentile(np.abs(values), 99)) or 1.0


def _map(trace: Trace, shown: Reading, values: NDArray[np.float64], gradient: NDArray[np.float64] | None,
         order: tuple[int, ...], top: float, moment: Moment, focus: Focus | None, place: steps.Span, look: Look,
         key: str) -> list[Mark]:
    s = look.text_scale
    room = look.size[1] - lanes_height(look) - TOP * s - 60 * s
    high = max(1.0, float(int(min(16 * s, room / shown.units)))) if shown.units <= room else room / shown.units
    y = TOP * s
    read = sum(steps.progress(trace, shown, step, moment) >= 1 for step in range(shown.steps))
    marks: list[Mark] = []
    part_of = Focus(shown.layer.name, (), "output" if key == "hidden" else f"inner.{key}")
    columns = [step for step in range(shown.steps) if steps.progress(trace, shown, step, moment) > 0]
    for step in range(shown.steps):
        done = steps.progress(trace, shown, step, moment)
        if done == 0:
            marks.append(Rect(place.left(step), y, place.pitch, high * shown.units, "hatch"))
    whole = [step for step in columns if steps.progress(trace, shown, step, moment) >= 1]
    stacks = [(whole, 1.0)] if whole else []
    stacks += [([step], steps.progress(trace, shown, step, moment)) for step in columns if step not in whole]
    for group, done in stacks:
        shades = colour.signed(values[group][:, list(order)].T, top)
        marks.append(Image(place.left(group[0]), y, (place.pitch, high), np.ascontiguousarray(shades[None]),
                           "activation",
                           border="", focus=part_of, indices=(-1,), transposed=True, rows_shown=done,
                           scale=Scale("activation", "values", f"{shown.layer.name}.{key}", -top, top,
                                       "one scale for every step")))
    if gradient is not None:
        largest = float(np.max(np.abs(gradient))) or 1.0
        for step in range(shown.steps):
            arrived = steps.arrival(trace, shown, step, moment)
            if arrived > 0:
                shades = colour.magnitude(gradient[step][list(order)], largest * 1e-6, largest)
                marks.append(Image(place.left(step), y, (place.pitch, high), shades[None, :, None].copy(), "gradient",
                                   border="", focus=Focus(part_of.layer, (step,), part_of.part), indices=(-1,),
                                   rows_shown=arrived,
                                   scale=Scale("gradient", "size of the gradient", f"{shown.layer.name}.{key}",
                                               largest * 1e-6, largest, "one scale for every step", log=True)))
    now = steps.current(trace, shown, moment)
    if read or moment.backward or columns:
        marks.append(Rect(place.left(now) - 1, y - 2, place.pitch + 2, high * shown.units + 4, "", "accent", 2))
    if focus is not None and focus.layer == shown.layer.name and len(focus.cell) == 2 and focus.cell[1] < shown.units:
        row = y + order.index(focus.cell[1]) * high
        marks.append(Rect(place.x - 2, row - 2, place.pitch * place.count + 4, high + 4, "", "ink", 1.5))
        marks.append(Text((steps.LEFT - 16) * s, row + high / 2 + 4 * s, plain(f"unit {focus.cell[1]}"), 12 * s, 600,
                          "ink",
                          "end"))
    return marks


def _legend(values: NDArray[np.float64], gradient: object, moment: Moment, top: float, key: str,
            look: Look) -> list[Mark]:
    s = look.text_scale
    x, y = steps.LEFT * s, look.size[1] - lanes_height(look) - 40 * s
    if moment.backward and gradient is not None:
        largest = float(np.max(np.abs(np.asarray(gradient)))) or 1.0
        return parts.legend(x, y, 168 * s, look, "gradient", f"Size of ∂L/∂{key}, all steps",
                            numbers.significant(largest * 1e-6, 1), "", numbers.significant(largest, 2))
    beyond = int(np.count_nonzero(np.abs(values) > top))
    title = "One scale for every step" + (f"; {numbers.count(beyond)} values beyond it" if beyond else "")
    return parts.legend(x, y, 168 * s, look, "activation", title, numbers.number(-top), "0", numbers.number(top))


def _order_words(by: str) -> str:
    return {"principal": "sorted by their part in the first principal component",
            "change": "sorted by the step of their first large change"}.get(by, "in PyTorch's order")


def _sentence(trace: Trace, shown: Reading, values: NDArray[np.float64], key: str, moment: Moment, top: float) -> str:
    step = steps.current(trace, shown, moment)
    name = {"hidden": "hidden state", "cell": "cell state"}.get(key, key)
    if moment.backward:
        norms = shown.norms
        if norms is None or not norms.max() > 0:
            return f"No gradient reaches {shown.layer.name}: {shown.layer.why or 'nothing flowed back through it'}."
        return (f"On the way back at step {step + 1}: ‖∂L/∂h‖ is {{{numbers.significant(float(norms[step]), 3)}}}, at "
                f"most {numbers.significant(float(norms.max()), 3)} anywhere.")
    moved = float(np.mean(np.abs(values[step] - (values[step - 1] if step else 0))))
    far = float(np.mean(np.abs(values[step]) > 0.9 * top))
    return (f"Step {step + 1}, “{shown.words[step]}”: the units of the {name} move by {{{numbers.number(moved)}}} on "
            f"average; {numbers.percent(far, 0)} of them are beyond {numbers.number(0.9 * top)} in size.")


def _table(shown: Reading, values: NDArray[np.float64]) -> Table:
    """One row a step, one column a unit."""
    rows: list[tuple[str | float | int, ...]] = [
        (step + 1, shown.words[step], *(float(value) for value in values[step])) for step in range(shown.steps)]
    return Table(("step", "reads", *(f"unit {unit}" for unit in range(values.shape[1]))), tuple(rows))


VIEW = View(
    "hidden_state", "State", "The hidden state as a map of units over time.",
    suits=lambda trace: bool(layers(trace)), draw=draw, order=13,
    knobs=(("order", ("as is", "principal", "change")), ("state", ("hidden", "cell"))),
)
