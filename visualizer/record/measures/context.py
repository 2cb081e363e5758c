"""context: which share of what a character model's next character depends on lies in the last characters."""

import numpy as np
import torch
from torch import Tensor, nn

from visualizer.claims import Number
from visualizer.record.measures import Data, Measure, as_mean, opened
from visualizer.record.run import given_of, prepared

FROM = 20
"""Answers before this one have too little behind them."""


def _run(data: Data, model: str, last: str, sample: str = "") -> Number:
    """Mean over the answers of a text of the share of Σ_t ‖∂ logit / ∂x_t‖ in the last so many characters, x_t what the
    recurrent layer reads and the logit that of the likeliest character (Madsen 2019)."""
    made = opened(model)
    module = made.module.double()
    read: list[Tensor] = []
    cell = next(part for part in module.modules() if isinstance(part, (nn.RNN, nn.LSTM, nn.GRU)))
    hook = cell.register_forward_pre_hook(lambda part, given: (read.append(given[0].detach().requires_grad_()),
                                                               (read[0], *given[1:]))[1])
    try:
        logits = module(prepared(made, given_of(made, sample).raw))[0]
    finally:
        hook.remove()
    shares = []
    for at in range(FROM, len(logits)):
        (slope,) = torch.autograd.grad(logits[at].max(), read[0], retain_graph=True)
        steps = torch.linalg.vector_norm(slope[0], dim=-1)
        shares.append(float(steps[max(0, at + 1 - int(last)):at + 1].sum() / steps[:at + 1].sum()))
    return as_mean(np.array(shares))


MEASURE = Measure("context", "context MODEL CHARACTERS [SAMPLE]", "share of what the next character depends on that "
                  "lies in the last ones", _run)
