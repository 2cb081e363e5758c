"""The sentence and the table of a seam."""

from __future__ import annotations

from visualizer.language import tr
from visualizer.motions import CAMERA
from visualizer.said import axis, said
from visualizer.scene import numbers
from visualizer.scene.reading import blank_of, label, label_said, step_said, steps_said
from visualizer.size import norm, norms
from visualizer.views.network._seam.rows import _read
from visualizer.views.network._seam.scene import Scene


def sentence(sc: Scene) -> str:
    """What has happened so far."""
    return _back(sc) if sc.backward else _forward(sc)


def _forward(sc: Scene) -> str:
    seam, name = sc.seam, sc.moment.beat.layer
    layer = sc.trace[seam.steps_layer]
    known = {"maps": said(numbers.count(sc.maps.shape[0]), *axis(sc.trace[seam.maps], 0)),
             "count": said(numbers.count(layer.shape[1]), *axis(layer, 1)), "layer": seam.maps, "steps": _steps(sc)}
    if name == seam.chain[0]:
        if len(sc.lifted) == seam.count:
            return tr("{{{steps} columns}} of {layer} have become steps of {count} numbers each.").format(**known)
        if sc.second < CAMERA or (sc.march.done == 0 and not sc.march.slow):
            return tr("{layer} is done: {maps} maps, read column by column from here on.").format(**known)
        return tr("Column {column} of all {maps} maps lifts off: its {{{count} numbers}} become step {column}.").format(
            column=_step(sc, sc.step), **known)
    if name in seam.chain:
        return tr("Turned: what were {steps} columns are {{{steps} steps}} of {count} numbers now.").format(**known)
    if name in seam.lanes:
        step = (sc.moment.beat.step or 1)
        shown = sc.readings(name)
        words = tr("Leftwards, {layer} reads step {{{step}}} of {steps}: its state has size {size}.") if shown.reverse \
            else tr("Rightwards, {layer} reads step {{{step}}} of {steps}: its state has size {size}.")
        if sc.step not in sc.lane(name)[0]:
            words = tr("Leftwards, {layer} reads step {{{step}}} of {steps}.") if shown.reverse else \
                tr("Rightwards, {layer} reads step {{{step}}} of {steps}.")
        size = said(numbers.significant(norm(shown.states[step - 1]), 3), "norm", name, step=step - 1,
                    array="inner.hidden")
        return words.format(layer=shown.name, step=step_said(shown, step - 1), steps=steps_said(shown), size=size)
    if name == seam.after[-1] and len(sc.answered) and sc.path:
        step = sc.answered.stop - 1
        if sc.moment.phase >= 1 and sc.step < 0:
            return tr("Along {steps} steps the network reads {{{text}}}.").format(
                steps=_steps(sc), text=_spelled(sc))
        step = sc.step if sc.moment.phase >= 1 else step
        share = float(sc.trace[name].output[step].max())
        what = tr("blank") if sc.path[step] == blank_of(sc.trace) else label_said(sc.trace, name, sc.path[step])
        return tr("Step {step} says {{{what}}} with {share}: read so far {text}.").format(
            step=_step(sc, step), what=what, share=said(numbers.percent(share, 0), "largest", name, step=step),
            text=_spelled(sc))
    words = tr("Every step has a state from each direction; {layer} makes {{{count} numbers}} of them there.") \
        if len(seam.lanes) > 1 else tr("{layer} makes {{{count} numbers}} of the state at each step.")
    made = sc.trace[name]
    return words.format(layer=name, count=said(numbers.count(made.shape[-1]), *axis(made, made.output.ndim - 1)))


def _step(sc: Scene, step: int) -> str:
    return said(str(step + 1), "step", sc.seam.lanes[0], step=step)


def _steps(sc: Scene) -> str:
    return said(numbers.count(sc.seam.count), "how many steps", sc.seam.lanes[0])


def _spelled(sc: Scene) -> str:
    """What has been read so far, from the first answer to the last that is known."""
    return said(_read(sc), "symbols spelled", sc.moment.beat.layer, (sc.answered.start, sc.answered.stop - 1))


def _back(sc: Scene) -> str:
    seam, name = sc.seam, sc.moment.beat.layer
    if name in seam.lanes:
        shown = sc.readings(name)
        step = sc.moment.beat.step or 1
        if shown.norms is None or sc.step not in sc.lane(name)[0]:
            return tr("The gradient comes to step {step} of {layer}.").format(
                step=step_said(shown, step - 1), layer=name)
        return tr("At step {step} of {layer} ∥∂L/∂_h_∥ is {{{size}}}.").format(
            step=step_said(shown, step - 1), layer=name,
            size=said(numbers.significant(float(shown.norms[step - 1]), 3), "norm of gradient", name, step=step - 1,
                      array="inner.hidden"))
    layer = sc.trace[name]
    size = "" if layer.gradient is None else \
        said(numbers.significant(norm(layer.gradient), 3), "norm of gradient", name)
    if name == seam.maps:
        if len(sc.lifted) == seam.count:
            return tr("The gradients of {steps} steps lie as columns on {layer} again: ∥∂L/∂{layer}∥ is {{{size}}}."
                      ).format(steps=_steps(sc), layer=name, size=size)
        if sc.step < 0:
            return tr("The gradient of every step is known; {layer} has none yet.").format(layer=name)
        return tr("The gradient of step {step} lays itself back as column {{{step}}} of all {maps} maps.").format(
            step=_step(sc, sc.step), maps=said(numbers.count(sc.maps.shape[0]), *axis(layer, 0)))
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
