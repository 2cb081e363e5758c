"""The sentence and the table of a seam."""

from __future__ import annotations

from visualizer.language import tr
from visualizer.motions import CAMERA
from visualizer.scene import numbers
from visualizer.scene.reading import blank_of, label
from visualizer.size import norm, norms
from visualizer.views.network._seam.rows import _read
from visualizer.views.network._seam.scene import Scene


def sentence(sc: Scene) -> str:
    """What has happened so far."""
    return _back(sc) if sc.backward else _forward(sc)


def _forward(sc: Scene) -> str:
    seam, name = sc.seam, sc.moment.beat.layer
    layer = sc.trace[seam.steps_layer]
    known = {"maps": numbers.count(sc.maps.shape[0]), "count": numbers.count(layer.shape[1]), "layer": seam.maps,
             "steps": numbers.count(seam.count)}
    if name == seam.chain[0]:
        if len(sc.lifted) == seam.count:
            return tr("{{{steps} columns}} of {layer} have become steps of {count} numbers each.").format(**known)
        if sc.second < CAMERA or (sc.march.done == 0 and not sc.march.slow):
            return tr("{layer} is done: {maps} maps, read column by column from here on.").format(**known)
        return tr("Column {column} of all {maps} maps lifts off: its {{{count} numbers}} become step {column}.").format(
            column=sc.step + 1, **known)
    if name in seam.chain:
        return tr("Turned: what were {steps} columns are {{{steps} steps}} of {count} numbers now.").format(**known)
    if name in seam.lanes:
        step = (sc.moment.beat.step or 1)
        shown = sc.readings(name)
        said = tr("Leftwards, {layer} reads step {{{step}}} of {steps}: its state has size {size}.") if shown.reverse \
            else tr("Rightwards, {layer} reads step {{{step}}} of {steps}: its state has size {size}.")
        if sc.step not in sc.lane(name)[0]:
            said = tr("Leftwards, {layer} reads step {{{step}}} of {steps}.") if shown.reverse else \
                tr("Rightwards, {layer} reads step {{{step}}} of {steps}.")
        return said.format(layer=shown.name, step=step, steps=numbers.count(seam.count),
                           size=numbers.significant(norm(shown.states[step - 1]), 3))
    if name == seam.after[-1] and len(sc.answered) and sc.path:
        step = sc.answered.stop - 1
        if sc.moment.phase >= 1 and sc.step < 0:
            return tr("Along {steps} steps the network reads {{{text}}}.").format(
                steps=numbers.count(seam.count), text=_read(sc))
        step = sc.step if sc.moment.phase >= 1 else step
        share = float(sc.trace[name].output[step].max())
        what = tr("blank") if sc.path[step] == blank_of(sc.trace) else label(sc.trace, sc.path[step])
        return tr("Step {step} says {{{what}}} with {share}: read so far {text}.").format(
            step=step + 1, what=what, share=numbers.percent(share, 0), text=_read(sc))
    said = tr("Every step has a state from each direction; {layer} makes {{{count} numbers}} of them there.") \
        if len(seam.lanes) > 1 else tr("{layer} makes {{{count} numbers}} of the state at each step.")
    return said.format(layer=name, count=numbers.count(sc.trace[name].shape[-1]))


def _back(sc: Scene) -> str:
    seam, name = sc.seam, sc.moment.beat.layer
    if name in seam.lanes:
        shown = sc.readings(name)
        step = sc.moment.beat.step or 1
        if shown.norms is None or sc.step not in sc.lane(name)[0]:
            return tr("The gradient comes to step {step} of {layer}.").format(step=step, layer=name)
        return tr("At step {step} of {layer} ∥∂L/∂_h_∥ is {{{size}}}.").format(
            step=step, layer=name, size=numbers.significant(float(shown.norms[step - 1]), 3))
    layer = sc.trace[name]
    size = "" if layer.gradient is None else numbers.significant(norm(layer.gradient), 3)
    if name == seam.maps:
        if len(sc.lifted) == seam.count:
            return tr("The gradients of {steps} steps lie as columns on {layer} again: ∥∂L/∂{layer}∥ is {{{size}}}."
                      ).format(steps=numbers.count(seam.count), layer=name, size=size)
        if sc.step < 0:
            return tr("The gradient of every step is known; {layer} has none yet.").format(layer=name)
        return tr("The gradient of step {step} lays itself back as column {{{step}}} of all {maps} maps.").format(
            step=sc.step + 1, maps=numbers.count(sc.maps.shape[0]))
    if sc.moment.phase < 0.5:
        return tr("The gradient comes to {layer}.").format(layer=name)
    return tr("The gradient has come to {layer}: its size is {{{size}}}.").format(layer=name, size=size)


def table(sc: Scene) -> tuple[tuple[str, ...], tuple[tuple[str | float | int, ...], ...]]:
    """One row a step: size of what it reads, of its states, and what is said there."""
    layer = sc.trace[sc.seam.steps_layer]
    heads = [tr("step"), tr("size of what is read")]
    columns: list[list[str | float | int]] = [list(range(1, sc.seam.count + 1)),
                                              norms(layer.output, 1).tolist()]
    for name in sc.seam.lanes:
        shown = sc.readings(name)
        heads.append(tr("size of the state of {layer}").format(layer=name))
        columns.append(norms(shown.states, 1).tolist())
    if sc.path:
        heads.append(tr("says"))
        columns.append([tr("blank") if index == blank_of(sc.trace) else label(sc.trace, index) for index in sc.path])
    return tuple(heads), tuple(zip(*columns, strict=True))
