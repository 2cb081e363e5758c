"""reaches: how much the last state of a recurrent network depends on a row that it read early."""

import numpy as np
import torch

from visualizer.claims import Number
from visualizer.record.measures import Data, Measure, as_mean, opened

DIGITS, STEP, EPSILON = 20, 14, 1e-6
"""Digits that are looked at; the row whose slope is measured the other way, too, and by how much it is moved."""


def _run(data: Data, model: str, what: str) -> Number:
    """`error`: the largest relative difference between autograd and a central difference at row 14, in float64; a
    number n: the share of Σ_t ‖∂s/∂x_t‖ that the last n rows have, s the sum of the logits' squares."""
    made = opened(model)
    assert made.prepare is not None
    module = made.module.double()
    found = []
    for picture in data.digits[0][:DIGITS]:
        x = made.prepare(picture).double().requires_grad_()
        (slope,) = torch.autograd.grad((module(x) ** 2).sum(), x)
        rows = torch.linalg.vector_norm(slope[0, 0], dim=1)
        if what != "error":
            found.append(float(rows[-int(what):].sum() / rows.sum()))
            continue
        way = torch.zeros_like(x)
        way[0, 0, STEP] = slope[0, 0, STEP] / rows[STEP]
        with torch.no_grad():
            ends = [float((module(x + sign * EPSILON * way) ** 2).sum()) for sign in (1, -1)]
        found.append(abs((ends[0] - ends[1]) / (2 * EPSILON) - float(rows[STEP])) / float(rows[STEP]))
    return Number(max(found)) if what == "error" else as_mean(np.array(found))


MEASURE = Measure("reaches", "reaches MODEL error|ROWS", "which share of what the answer depends on lies in the last "
                  "rows, or how far that is from a finite difference", _run)
