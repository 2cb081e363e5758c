"""among: which share of some of its own inputs a network answers rightly: those whose names begin so."""

from visualizer.claims import Number
from visualizer.record.curves import Data as Inputs
from visualizer.record.curves import counted, data_of
from visualizer.record.measures import Data, Measure, opened


def _run(data: Data, model: str, beginning: str, *done: str) -> Number:
    made = opened(model)
    found = data_of(made)
    some = tuple(given for given in found.given if given.sample.name.startswith(beginning))
    if not some:
        raise ValueError(f"none of its inputs begins with {beginning}")
    point = counted(made, done, Inputs(some, found.kind))
    return Number(point.share, point.error, point.of)


MEASURE = Measure("among", "among MODEL BEGINNING [EDIT …]", "share of right answers among the inputs whose names "
                  "begin so, after the edits of the input", _run)
