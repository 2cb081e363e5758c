"""recall: which share of sequences a network answers with their first symbol, over the seeds of its training."""

import json
import sys

import numpy as np
from safetensors.torch import load_file

from visualizer import registry
from visualizer.claims import Number
from visualizer.record.catalog import source_of
from visualizer.record.measures import Data, Measure, as_mean

OF = {"lowest": min, "highest": max}


def _run(data: Data, model: str, trained: str, tested: str = "", what: str = "") -> Number:
    """Trained at one delay, or as a run is called (`window5`: the gradient came back through five steps only), tested
    at the same or another; the mean over the seeds, or the lowest or the highest."""
    path = registry.folder("models") / f"{model}.runs.safetensors"
    source, tensors, found = source_of(model), load_file(path), []
    for run, said in json.loads(registry.card(path)["runs"]).items():
        if run.partition(".")[0] not in (f"T{trained}", trained):
            continue
        delay = int(tested or said["delay"])
        net = source.build().eval()
        net.load_state_dict({name.removeprefix(f"{run}."): tensor.float() for name, tensor in tensors.items()
                             if name.startswith(f"{run}.")})
        found.append(sys.modules["_recall"].accuracy(net, delay))
    if not found:
        raise ValueError(f"{model} was not trained so")
    if what:
        return Number(OF[what](found), 0.0, len(found))
    return as_mean(np.array(found))


MEASURE = Measure("recall", "recall MODEL TRAINED [TESTED [lowest|highest]]", "share of sequences of which the first "
                  "symbol is recalled, over the seeds of the training", _run)
