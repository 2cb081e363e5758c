"""How large the gradient is on its way back: of every step of a recurrent layer, of every other layer as a whole."""

from __future__ import annotations

from visualizer.language import english, tr
from visualizer.scene.picture import Scale
from visualizer.scene.reading import layers, reading
from visualizer.scene.steps import DECADES
from visualizer.scene.timeline import BACKWARD, Moment, timeline
from visualizer.sight import Sight
from visualizer.size import norm
from visualizer.sonify import Audible, Heard
from visualizer.trace import Refused, Trace, remembered


def words(trace: Trace, seen: Sight) -> str:
    """Over how many beats; Refused where nothing was differentiated."""
    known = [size for size in _sizes(trace).values() if size is not None]
    if not known:
        raise Refused(tr("Nothing was differentiated here, so no gradient is heard; choose the loss as what is looked "
                         "at."))
    return tr("The size of the gradient on its way back, {count} beats").format(count=len(known))


def heard(trace: Trace, seen: Sight, moment: Moment) -> tuple[Heard, ...]:
    """The norm of the gradient that has arrived with a beat."""
    sizes = _sizes(trace)
    if not moment.backward or (moment.beat.layer, moment.beat.step) not in sizes:
        return ()
    return (Heard(1.0, sizes[moment.beat.layer, moment.beat.step], _scale(trace)),)


@remembered(4)
def _scale(trace: Trace) -> Scale:
    """Six decades below the largest, as the strip of the norms has them."""
    top = max((size for size in _sizes(trace).values() if size is not None and size < float("inf")), default=0.0) or 1.0
    return Scale("gradient", english("size of the gradient"), "", top * 10.0 ** -DECADES, top, log=True)


@remembered(4)
def _sizes(trace: Trace) -> dict[tuple[str, int | None], float | None]:
    """By layer and step of the beats backwards; None where no gradient is kept."""
    steps = {layer.name: reading(trace, layer.name).norms for layer in layers(trace)}
    found: dict[tuple[str, int | None], float | None] = {}
    for beat in timeline(trace).beats:
        if beat.direction != BACKWARD:
            continue
        layer, norms = trace[beat.layer], steps.get(beat.layer)
        if beat.step is not None and norms is not None:
            found[beat.layer, beat.step] = float(norms[beat.step - 1])
        else:
            found[beat.layer, beat.step] = None if layer.gradient is None else norm(layer.gradient)
    return found


AUDIBLE = Audible("gradient", english("Gradient"), words, heard, order=20,
                  fits=lambda trace, seen: seen.moment.backward)
