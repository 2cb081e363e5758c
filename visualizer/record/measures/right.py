"""right: which share of its inputs a network answers rightly, as they are or after something was done to them."""

from visualizer.claims import Number
from visualizer.record.curves import counted, data_of
from visualizer.record.measures import Data, Measure, opened
from visualizer.record.run import reads_of


def _run(data: Data, model: str, *done: str) -> Number:
    made = opened(model)
    source = "" if data.folder is None or reads_of(made).get("samples") else str(data.folder)
    point = counted(made, done, data_of(made, source))
    return Number(point.share, point.error, point.of)


MEASURE = Measure("right", "right MODEL [EDIT …]", "share of right answers, after the edits of the input", _run)
