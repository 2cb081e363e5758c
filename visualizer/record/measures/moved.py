"""moved: how far training took the weights of a layer, as a share of where they began."""

import torch

from visualizer.claims import Number
from visualizer.record.measures import Data, Measure, opened


def _run(data: Data, model: str, layer: str) -> Number:
    trained, before = (opened(name).module.get_submodule(layer).get_parameter("weight").detach().double()
                       for name in (model, f"{model}:before"))
    return Number(float(torch.linalg.vector_norm(trained - before) / torch.linalg.vector_norm(before)))


MEASURE = Measure("moved", "moved MODEL LAYER", "‖W − W₀‖ / ‖W₀‖ of a layer's weights, W₀ those from before training",
                  _run)
