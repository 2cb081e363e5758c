"""carries: how many numbers a recurrent network keeps of what it read, whatever the length."""

from visualizer.claims import Number
from visualizer.record.measures import Data, Measure
from visualizer.record.run import record


def _run(data: Data, model: str, steps: str) -> Number:
    """The size of its states after a text of so many characters."""
    trace = record(model, "text:" + ("to be or not to be " * int(steps))[:int(steps)], objective="none")
    return Number(float(sum(layer.inner[key].shape[-1] for layer in trace for key in ("hidden", "cell")
                            if key in layer.inner)))


MEASURE = Measure("carries", "carries MODEL STEPS", "how many numbers of state a network has after a text of so many "
                  "characters", _run)
