"""sees: how many pixels or steps a side one number of a layer can see."""

from visualizer.claims import Number
from visualizer.kinds import reach
from visualizer.record.measures import Data, Measure
from visualizer.record.run import record


def _run(data: Data, model: str, layer: str, sample: str = "") -> Number:
    """The receptive field of the number in its middle, of steps that of the last one, along the last axis of places."""
    trace = record(model, sample, objective="none")
    read = reach.source(trace)
    if layer not in trace or read is None or not reach.places(trace[layer]):
        raise ValueError(f"{layer} has no places")
    places = reach.places(trace[layer])
    last = trace[layer].has("step")
    cell = tuple((size - 1 if last else size // 2) if axis in places else 0
                 for axis, size in enumerate(trace[layer].shape))
    box = reach.field(trace, layer, cell, read.name)
    if box is None:
        raise ValueError(f"what {layer} sees is not known")
    low, high = box[-1]
    return Number(float(high - low + 1))


MEASURE = Measure("sees", "sees MODEL LAYER [SAMPLE]", "how many pixels or steps a side one number of a layer can see",
                  _run)
