"""cost: multiply-adds of one input, or how many steps must wait for each other."""

from visualizer import kinds
from visualizer.claims import Number
from visualizer.kinds import waiting
from visualizer.record.measures import Data, Measure
from visualizer.record.run import record


def _run(data: Data, model: str, what: str, sample: str = "") -> Number:
    trace = record(model, sample, objective="none")
    if what == "macs":
        return Number(float(kinds.macs(trace)))
    if what == "waits":
        return Number(float(waiting.waits(trace)))
    raise ValueError(f"{what} is neither macs nor waits")


MEASURE = Measure("cost", "cost MODEL macs|waits [SAMPLE]", "multiply-adds of one input, or steps that must wait for "
                  "each other", _run)
