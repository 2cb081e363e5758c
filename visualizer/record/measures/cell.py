"""cell: one number of a recording: a value, a weight, or a gradient."""

from __future__ import annotations

import re

from visualizer import kinds
from visualizer.claims import Number
from visualizer.record.measures import Data, Measure
from visualizer.record.run import record
from visualizer.trace import Array, Trace

WHAT = ("value", "gradient", "terms", "off")
PLACE = re.compile(r"(?P<layer>[^\s:/]+):(?P<cell>\d+(?:,\d+)*)(?:/(?P<array>[\w.]+))?")


def _run(data: Data, what: str, model: str, sample: str, place: str, *done: str) -> Number:
    """`value`, `gradient`, in how many `terms` it is taken apart, or how far these, added up, are `off`."""
    found = PLACE.fullmatch(place)
    if what not in WHAT or found is None:
        raise ValueError(f"{what} {place} is none of {', '.join(WHAT)} of a place such as conv2:7,3,5")
    trace = record(model, sample, edits=done)
    layer, cell = found["layer"], tuple(map(int, found["cell"].split(",")))
    if layer not in trace:
        raise ValueError(f"{model} has no layer {layer}")
    if what in ("terms", "off"):
        terms = kinds.terms(trace, layer, cell)
        return Number(float(sum(len(taps.values) for taps in terms.taps))) if what == "terms" else \
            Number(abs(terms.result - float(trace[layer].output[cell])))
    return Number(float(_array(trace, layer, found["array"] or "", what == "gradient")[cell]))


def _array(trace: Trace, name: str, part: str, gradient: bool) -> Array:
    """The output of a layer, a weight (`weight`), or a gate or state (`inner.forget`); or its gradient."""
    layer = trace[name]
    group, _, key = part.rpartition(".")
    arrays = ({"": layer.gradient, **layer.weight_gradients} if gradient else {"": layer.output, **layer.weights}) \
        if group != "inner" else (layer.inner_gradients if gradient else layer.inner)
    found = arrays.get(key)
    if found is None:
        raise ValueError(f"{name} has no such part")
    return found


MEASURE = Measure("cell", "cell value|gradient|terms|off MODEL SAMPLE LAYER:I,J[/PART] [EDIT …]", "one number of a "
                  "recording, in how many terms it is taken apart, or how far these are off", _run)
