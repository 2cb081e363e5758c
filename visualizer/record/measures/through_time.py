"""through_time: what the steps of a recurrent network add to the gradient of its recurrent weights."""

import numpy as np

from visualizer.claims import Number
from visualizer.record.measures import Data, Measure, as_mean
from visualizer.record.origins import recurrent
from visualizer.record.run import pass_of
from visualizer.record.studies import with_study

ERROR = "error"
INPUTS = 10
"""So many inputs are looked at."""


def _run(data: Data, model: str, what: str) -> Number:
    """`error`: the largest ‖Σ G_t − dL/dW_hh‖ / ‖dL/dW_hh‖; a number n: the share of Σ ‖G_t‖ in the last n steps."""
    found = []
    for index in range(INPUTS):
        trace = with_study(pass_of(model, "", pixels=data.digits[0][index], target=int(data.digits[1][index])), "bptt")
        study, layer = trace.studies["bptt"], recurrent(trace)[0].name
        norms = study[f"{layer}/norms"]
        found.append(float(study[f"{layer}/error"]) if what == ERROR
                     else float(norms[-int(what):].sum() / norms.sum()))
    return Number(max(found)) if what == ERROR else as_mean(np.array(found))


MEASURE = Measure("through_time", "through_time MODEL error|STEPS", "how far the parts of the steps, added up, are "
                  "from the gradient of the recurrent weights, or which share of them the last steps have", _run)
