"""The state of one unit of a recurrent layer, step by step; of a network without steps one number of each layer."""

from __future__ import annotations

from dataclasses import replace

from visualizer.language import english, tr
from visualizer.scene import parts
from visualizer.scene.cellnumbers import telling_unit
from visualizer.scene.picture import Scale
from visualizer.scene.reading import Reading, layers, reading, shown_layer, top_of
from visualizer.scene.subject import NUMBER, is_inner, strongest, subject
from visualizer.scene.timeline import Moment, in_beat
from visualizer.sight import Sight
from visualizer.sonify import Audible, Heard
from visualizer.trace import Trace


def words(trace: Trace, seen: Sight) -> str:
    """Which unit of which layer, and over how many steps."""
    if not layers(trace):
        return tr("One number of each layer, the one that the microscope opens")
    shown = reading(trace, _layer(trace, seen))
    key, unit = _unit(trace, shown, seen)
    said = tr("Unit {unit} of {layer} over {steps} steps")
    title = {"cell": tr("cell state")} | {name: title for name, title, _ in shown.gates}
    if key != "hidden":
        said = tr("{array} of unit {unit} of {layer} over {steps} steps")
    return said.format(array=title.get(key, key), unit=unit, layer=shown.layer.name, steps=shown.steps)


def heard(trace: Trace, seen: Sight, moment: Moment) -> tuple[Heard, ...]:
    """Its value where its step is done; on the way back nothing."""
    if moment.backward:
        return ()
    if not layers(trace):
        return _one_of_a_layer(trace, seen, moment)
    shown = reading(trace, _layer(trace, seen))
    if not in_beat(shown.layer, moment) or moment.beat.step is None:
        return ()
    key, unit = _unit(trace, shown, seen)
    gate = any(name == key for name, _, _ in shown.gates)
    top = top_of(shown, key)
    scale = Scale("pixel", english("probability"), key, 0.0, 1.0) if gate else \
        Scale("activation", english("values"), key, -top, top)
    return (Heard(moment.beat.stretch(key)[1] if key != "hidden" else 1.0,
                  float(shown.layer.inner[key][moment.beat.step - 1, unit]), scale),)


def _layer(trace: Trace, seen: Sight) -> str:
    """The recurrent layer that is looked at, whatever moment it is; else that of the moment, else the last."""
    focus = seen.focus.layer if seen.focus is not None else ""
    found = [layer.name for layer in layers(trace)]
    return focus if focus in found else shown_layer(trace, seen.moment, None).name


def _unit(trace: Trace, shown: Reading, seen: Sight) -> tuple[str, int]:
    """Which state or gate, and which unit of it: what was chosen, else the unit that changes most."""
    focus, key, unit = seen.focus, "hidden", -1
    if focus is not None and focus.layer == shown.layer.name:
        if is_inner(focus) and focus.array.removeprefix("inner.") in shown.layer.inner:
            key = focus.array.removeprefix("inner.")
        unit = focus.cell[1] if len(focus.cell) == 2 else -1
    units = shown.layer.inner[key].shape[1]
    return key, unit if 0 <= unit < units else min(telling_unit(trace, shown), units - 1)


def _one_of_a_layer(trace: Trace, seen: Sight, moment: Moment) -> tuple[Heard, ...]:
    """On the one scale for all layers: on its own the strongest number of each would sound the same."""
    layer = trace[moment.beat.layer]
    if layer.output.size == 0 or layer.output.dtype.kind == "c":
        return ()
    about = subject(trace, moment, seen.focus, NUMBER)
    whole = about.layer == layer.name and about.array == "output" and len(about.cell) == layer.output.ndim
    cell = about.cell if whole else strongest(layer, False)
    scale = parts.value_scale(trace, layer, replace(seen.look, scope="network"))
    return (Heard(1.0, float(layer.output[cell]), scale),)


AUDIBLE = Audible("state", english("State"), words, heard, order=30, fits=lambda trace, seen: True)
