"""answers: the probability that a network gives to a class."""

from visualizer.claims import Number
from visualizer.record.measures import Data, Measure
from visualizer.record.run import record


def _run(data: Data, model: str, sample: str, label: str, *done: str) -> Number:
    trace = record(model, sample, objective="none", edits=done)
    if trace.answer is None or label not in trace.labels:
        raise ValueError(f"{model} does not tell {label} apart")
    return Number(float(trace.answer.output[trace.labels.index(label)]))


MEASURE = Measure("answers", "answers MODEL SAMPLE CLASS [EDIT …]", "the probability that a network gives to a class",
                  _run)
