"""adds: how far the contributions of a dense layer, added up, are from what it gave."""

import torch

from visualizer.claims import Number
from visualizer.record.measures import Data, Measure, opened, output_of


def _run(data: Data, model: str, layer: str) -> Number:
    made = opened(model)
    dense = made.module.get_submodule(layer)
    assert isinstance(dense, torch.nn.Linear)
    assert made.prepare is not None
    kept: list[torch.Tensor] = []
    hook = dense.register_forward_hook(lambda module, given, out: kept.append(given[0]))
    try:
        with torch.no_grad():
            out = output_of(made.module, layer, made.prepare(data.digits[0][:400]))
    finally:
        hook.remove()
    with torch.no_grad():
        added = (kept[-1].double()[:, None, :] * dense.weight.double()).sum(-1) + dense.bias.double()
    return Number(float((added - out.double()).abs().max()))


MEASURE = Measure("adds", "adds MODEL LAYER", "the largest difference between the sum of a dense layer's contributions "
                  "and what it gave", _run)
