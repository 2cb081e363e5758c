"""How sure a recurrent network is of its answer after every step."""

from __future__ import annotations

import numpy as np

from visualizer.language import english, tr
from visualizer.scene.picture import Scale
from visualizer.scene.reading import layers, reading, visible
from visualizer.scene.sofar import SoFar, so_far
from visualizer.scene.timeline import Moment, in_beat
from visualizer.sight import Sight
from visualizer.sonify import Audible, Heard
from visualizer.trace import Refused, Trace


def words(trace: Trace, seen: Sight) -> str:
    """Of which answer; Refused where none is known before the end."""
    found = _found(trace)
    if found is None:
        raise Refused(tr("This network gives no probability after each step; choose the state or the gradient."))
    labels = next((answer.labels for answer in trace.answers if len(answer.labels) == found.values.shape[1]), ())
    last = _last(trace, found)
    return tr("The probability of {answer} after each of {steps} steps").format(
        answer=visible(labels[last]) if labels else last, steps=len(found.values))


def heard(trace: Trace, seen: Sight, moment: Moment) -> tuple[Heard, ...]:
    """The probability of what is answered in the end."""
    found = _found(trace)
    if found is None or moment.backward or moment.beat.step is None or not in_beat(layers(trace)[-1], moment):
        return ()
    return (Heard(1.0, float(found.values[moment.beat.step - 1, _last(trace, found)]),
                  Scale("pixel", english("probability"), "", 0.0, 1.0)),)


def _found(trace: Trace) -> SoFar | None:
    if not layers(trace):
        return None
    found = so_far(trace, reading(trace, layers(trace)[-1].name))
    return found if found is not None and found.shares else None


def _last(trace: Trace, found: SoFar) -> int:
    """The class that is the likeliest after the step that is read last."""
    end = 0 if reading(trace, layers(trace)[-1].name).reverse else -1
    return int(np.argmax(found.values[end]))


AUDIBLE = Audible("answer", english("Answer"), words, heard, order=40)
