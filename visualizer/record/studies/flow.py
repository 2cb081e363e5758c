"""How large the gradient is everywhere, in float64: at every layer, at every weight, and at every step in time."""

from __future__ import annotations

import numpy as np

from visualizer.answers import told
from visualizer.kinds.sizes import rows, sizes_of
from visualizer.language import tr
from visualizer.record import origins
from visualizer.record.studies import Pass, Study, Work
from visualizer.record.tracing import capture
from visualizer.trace import Array, Arrays, Layer, Refused, Trace


def run(again: Pass) -> Work:
    """The pass once more in float64, of which the sizes are kept; `sizes` says which arrays there are."""
    yield 0.0, "again in float64"
    trace = in_float64(again)
    if [layer.name for layer in trace] != [layer.name for layer in again.trace]:
        raise Refused(tr("In float64 the model went another way than in the recording, so the two cannot be compared; "
                         "record it in float64."))
    return dict(sizes(trace))


def in_float64(again: Pass) -> Trace:
    """The same pass in float64: at lags where float32 would have rounded to zero, there is still a number."""
    if again.trace.dtype == "float64":
        return again.trace
    return capture(again.model, again.inputs, again.target, "float64", sample=again.trace.sample,
                   labels=again.trace.labels, objective=again.objective, asks=again.asks, seed=again.trace.seed,
                   answer=again.answer or told(again.trace), keywords=again.keywords, output=again.output,
                   budget=again.budget)


def sizes(trace: Trace) -> Arrays:
    """What `kinds.sizes` tells of a recording, and of each layer with steps `NAME/last` and `NAME/last_cell`: how much
    of what entered at the last step that had any came to each step, alone."""
    found = dict(sizes_of(trace))
    for layer in origins.recurrent(trace):
        found |= {f"{layer.name}/{key}": array for key, array in _of_the_last_alone(trace, layer).items()}
    return found


def _of_the_last_alone(trace: Trace, layer: Layer) -> dict[str, Array]:
    """Rows at the places where they were read."""
    try:
        one = origins.again(trace, layer)
    except LookupError:
        return {}
    found: dict[str, Array] = {}
    if one.entered:
        back = origins.entering_at(one, one.entered[-1]).inner
        for key, name in (("hidden", "last"), ("cell", "last_cell")):
            if key in back:
                part = np.zeros(one.steps)
                part[:one.entered[-1] + 1] = rows(back[key].numpy())
                found[name] = origins.in_order(layer, part)
    return found


STUDY = Study("flow", "the size of the gradient everywhere, in float64", lambda trace: trace.has_backward, run)
