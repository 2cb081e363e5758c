"""Subject: what a moment is about, resolved from what a person has chosen. The one place where that is decided.

A view says whether it wants a `channel` (or a unit, a step, a whole layer where there is nothing smaller) or one
`number`. What has been chosen counts where it lies in the beat's layer; else the same channel of that layer, and where
there is none, its strongest one.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from visualizer.kinds.gates import PREACTIVATION
from visualizer.scene.picture import BEAT, Focus
from visualizer.scene.timeline import Moment, in_beat
from visualizer.trace import Array, Cell, Layer, Trace, remembered

CHANNEL, NUMBER = "channel", "number"
"""What a view wants to be about."""


def subject(trace: Trace, moment: Moment, focus: Focus | None, wants: str = CHANNEL) -> Focus:
    """What a view that wants a channel or a number is about at a moment, when `focus` has been chosen."""
    focus = focus if focus is None or _exists(trace, focus) else None
    return _number(trace, moment, focus) if wants == NUMBER else _channel(trace, moment, focus)


def _exists(trace: Trace, focus: Focus) -> bool:
    """Whether there is such a cell: a focus may still be that of another recording, which has not come yet."""
    if focus.array != "output" or focus.layer not in trace:
        return True
    shape = trace[focus.layer].shape
    return len(focus.cell) <= len(shape) and all(0 <= at < size for at, size in zip(focus.cell, shape, strict=False))


def _channel(trace: Trace, moment: Moment, focus: Focus | None) -> Focus:
    """The focus if it lies in the beat's layer, else the same or the strongest channel."""
    layer = trace[moment.beat.layer]
    if moment.beat.step is not None:
        return _at_step(layer, focus, moment.beat.step - 1)
    if focus is not None and focus.array != BEAT and focus.layer == layer.name:
        return focus
    if layer.is_input:
        return Focus(layer.name, (0,) if layer.output.ndim == 3 and layer.shape[0] == 1 else ())
    if layer.output.ndim < 3:
        return Focus(layer.name)
    if focus is not None and focus.layer in trace and focus.cell and focus.array == "output":
        other = trace[focus.layer]
        if other.output.ndim == layer.output.ndim and other.shape[0] == layer.shape[0]:
            return Focus(layer.name, focus.cell[:1])
    return Focus(layer.name, strongest(layer, moment.backward)[:1])


def _at_step(layer: Layer, focus: Focus | None, step: int) -> Focus:
    """The step that is being computed, and in it the unit that was chosen."""
    if focus is None or focus.layer != layer.name or focus.array == BEAT:
        return Focus(layer.name, (step,))
    inside = focus.array == "output" or is_inner(focus)
    started = focus.array.startswith("inner.initial_")
    return Focus(layer.name, (step, *focus.cell[1:]), focus.array) if inside and focus.cell and not started else focus


def _number(trace: Trace, moment: Moment, focus: Focus | None) -> Focus:
    """One number of the beat's layer; the cell that was chosen, too, where another layer of the same shape has it."""
    layer = trace[moment.beat.layer]
    about = _channel(trace, moment, focus)
    inner = is_inner(about) and about.array != "inner.hidden"
    if layer.inner and (inner or moment.opens not in ("output", "inner.hidden")):
        cell = about.cell or ((moment.beat.step or 1) - 1,)
        array = about.array if inner else moment.opens
        if not moment.backward:
            array = f"inner.{kept_key(layer, array.removeprefix('inner.'))}"
        if len(cell) == 1 and layer.output.ndim == 1 and about.array == "output":
            cell = (0, *cell)  # the unit of a layer of one step
        return one_number(layer, Focus(layer.name, cell, array), moment.backward)
    if about.array == "inner.hidden":
        about = Focus(layer.name, about.cell[-layer.output.ndim:])
    if focus is not None and focus.layer in trace and focus.array == "output" and len(focus.cell) == layer.output.ndim \
            and trace[focus.layer].shape == layer.shape:
        return Focus(layer.name, about.cell if len(about.cell) == layer.output.ndim else focus.cell)
    return Focus(layer.name, strongest(layer, moment.backward, about.cell if about.array == "output" else ()))


def one_number(layer: Layer, about: Focus, backward: bool) -> Focus:
    """One number of a gate or state: the unit that was chosen, else the one of the largest size at that step."""
    values = array(layer, about, backward)
    if values is None:
        return about if len(about.cell) == 2 else replace(about, cell=(about.cell[0], 0))
    step = min(about.cell[0], len(values) - 1)
    if len(about.cell) == 2 and about.cell[1] < values.shape[1]:
        return replace(about, cell=(step, about.cell[1]))
    known = np.where(np.isfinite(values[step]), np.abs(values[step]), -np.inf)
    return replace(about, cell=(step, int(np.argmax(known))))


def kept_key(layer: Layer, key: str) -> str:
    """Which gate or state of a layer stands for one that it does not keep: the sum before a gate is looked at in the
    gate, and what only a gradient has in the state that it is the gradient of."""
    if key in layer.inner:
        return key
    gate = key.removesuffix("_preactivation")
    if gate in layer.inner:
        return gate
    return "new" if key == "hidden_new" else "cell" if "cell" in layer.inner and key.startswith("cell") else "hidden"


@remembered(16)
def strongest(layer: Layer, backward: bool, head: Cell = ()) -> Cell:
    """The cell with the largest value, or with the largest size of gradient, in what `head` points to."""
    values = np.abs(layer.gradient) if backward and layer.gradient is not None else layer.output
    sizes = np.where(np.isfinite(values[head]), values[head], -np.inf)
    if sizes.ndim == 0:
        return head
    return (*head, *(int(index) for index in np.unravel_index(int(np.argmax(sizes)), sizes.shape)))


def array(layer: Layer, focus: Focus, backward: bool) -> Array | None:
    """The numbers that a focus points into: values or gradients of the layer, or one of its weights or states."""
    group, _, key = focus.array.rpartition(".")
    if focus.array in ("output", BEAT):
        return layer.gradient if backward else layer.output
    if group.startswith("inner"):
        found = (layer.inner_gradients if backward else layer.inner).get(key)
        return found if found is not None or backward else layer.inner.get(key.removesuffix("_preactivation"))
    return (layer.weight_gradients if backward else layer.weights).get(key)


def there(trace: Trace, moment: Moment, focus: Focus) -> bool:
    """Whether the numbers that a focus points into are there at a moment: computed, or on the way back given their
    gradient. Weights are always there. Of a layer that hides time those of a step come with its beat, each gate with
    its act; all of them together with the last.
    """
    layer, back = trace[focus.layer], moment.backward
    inside = focus.array in ("output", BEAT) or is_inner(focus)
    if not back and (not inside or layer.is_input or focus.array.startswith("inner.initial_")):
        return True
    order, beat = [each.name for each in trace.layers], moment.beat
    if beat.doing and layer.name == beat.layer:
        return True
    if not in_beat(layer, moment):
        ahead = order.index(layer.name) - order.index(beat.layer)
        return ahead > 0 if back else ahead < 0
    if beat.step is None:
        return moment.phase == 1
    falling = bool(layer.settings.get("reverse", False)) != back
    last = 1 if falling else layer.shape[layer.axes.index("step")]
    step = (step_of(trace, focus) or last) if inside else last
    if step != beat.step:
        return (step > beat.step) == falling
    key = focus.array.removeprefix("inner.").removesuffix(PREACTIVATION) if is_inner(focus) else "hidden"
    return moment.phase >= beat.stretch(key)[1] - 1e-9


def is_inner(focus: Focus) -> bool:
    """Whether it points into a gate or a state."""
    return focus.array.startswith("inner.")


def is_number(trace: Trace, focus: Focus) -> bool:
    """Whether it points to one number of a layer: of its output, of a gate or of a state."""
    if is_inner(focus):
        return len(focus.cell) == 2
    return focus.array == "output" and len(focus.cell) == trace[focus.layer].output.ndim


def step_of(trace: Trace, focus: Focus) -> int | None:
    """The step that a focus lies in, counted from 1, if it is in one; a state to start from lies in none."""
    axes = trace[focus.layer].axes
    inside = "step" in axes and (focus.array == "output" or is_inner(focus)) and \
        not focus.array.startswith("inner.initial_")
    place = axes.index("step") if inside else len(focus.cell)
    return focus.cell[place] + 1 if place < len(focus.cell) else None
