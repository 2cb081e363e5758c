"""depends: how much a later layer changes when an earlier one gives zeros."""

import torch

from visualizer.claims import Number
from visualizer.record.measures import Data, Measure, as_mean, opened, output_of


def _run(data: Data, model: str, first: str, later: str) -> Number:
    """Mean over digits of ‖g(without) − g(x)‖ / ‖g(x)‖."""
    made = opened(model)
    assert made.prepare is not None
    x = made.prepare(data.digits[0][:400])
    before = output_of(made.module, later, x).double().flatten(1)
    hook = made.module.get_submodule(first).register_forward_hook(lambda module, given, out: torch.zeros_like(out))
    try:
        after = output_of(made.module, later, x).double().flatten(1)
    finally:
        hook.remove()
    return as_mean((torch.linalg.vector_norm(after - before, dim=1) / torch.linalg.vector_norm(before, dim=1)).numpy())


MEASURE = Measure("depends", "depends MODEL FIRST LATER", "relative change of a layer when an earlier one gives zeros",
                  _run)
