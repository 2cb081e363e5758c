"""blanks: in which share of its steps a network that spells says nothing."""

import numpy as np

from visualizer.claims import Number
from visualizer.record.measures import Data, Measure, answered, as_share
from visualizer.record.run import record


def _run(data: Data, model: str, sample: str, *done: str) -> Number:
    answer, values = answered(record(model, sample, objective="none", edits=done), "string")
    return as_share(np.argmax(values, axis=-1) == int(answer.settings.get("blank", 0)))


MEASURE = Measure("blanks", "blanks MODEL SAMPLE [EDIT …]", "share of the steps at which a network that spells says "
                  "nothing", _run)
