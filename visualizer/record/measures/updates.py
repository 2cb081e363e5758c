"""updates: after how many updates a task was solved, as its recipe has counted them."""

import json

import numpy as np

from visualizer import registry
from visualizer.claims import Number
from visualizer.record.measures import Data, Measure, as_mean


def _run(data: Data, model: str, trained: str) -> Number:
    """Mean over the seeds; one that never solved it counts with all updates of its training."""
    runs = json.loads(registry.card(registry.folder("models") / f"{model}.runs.safetensors")["runs"])
    found = [float(run["updates"]) for name, run in runs.items() if f"{name}.".startswith(f"T{trained}.")]
    if not found:
        raise ValueError(f"{model} was not trained so")
    return as_mean(np.array(found))


MEASURE = Measure("updates", "updates MODEL TRAINED", "updates until solved, as the recipe counted them over its "
                  "seeds", _run)
