"""differs: how far the gradient of the loss at the logits is from probabilities minus the right answer."""

import torch

from visualizer.claims import Number
from visualizer.record.measures import Data, Measure, opened


def _run(data: Data, model: str) -> Number:
    """The largest |∂L/∂z − (p − y)| over digits, L the cross entropy of each."""
    made = opened(model)
    assert made.prepare is not None
    pictures, labels = data.digits
    logits = made.module(made.prepare(pictures[:400])).detach().double().requires_grad_()
    right = torch.from_numpy(labels[:400])
    torch.nn.functional.cross_entropy(logits, right, reduction="sum").backward()
    assert logits.grad is not None
    wanted = logits.detach().softmax(-1) - torch.nn.functional.one_hot(right, logits.shape[-1])
    return Number(float((logits.grad - wanted).abs().max()))


MEASURE = Measure("differs", "differs MODEL", "the largest difference between the gradient at the logits and p − y",
                  _run)
