"""learns: what is left of the loss after a few updates by one rule, the same for every network."""

import torch

from visualizer.claims import Number
from visualizer.record.measures import Data, Measure, opened

UPDATES, RATE, BATCH = 10, 1e-3, 64


def _run(data: Data, model: str) -> Number:
    """Loss after over loss before, on 64 digits that were learned from: AdamW from the weights before training."""
    made = opened(f"{model}:before")
    assert made.prepare is not None
    pictures, labels = data.digits
    x, right = made.prepare(pictures[:BATCH]), torch.from_numpy(labels[:BATCH])
    rule = torch.optim.AdamW(made.module.parameters(), RATE)
    losses = []
    for _ in range(UPDATES + 1):
        rule.zero_grad()
        loss = torch.nn.functional.cross_entropy(made.module(x), right)
        loss.backward()  # type: ignore[no-untyped-call]
        losses.append(float(loss.detach()))
        rule.step()
    return Number(losses[-1] / losses[0])


MEASURE = Measure("learns", "learns MODEL", f"what is left of the loss on 64 digits after {UPDATES} updates of AdamW",
                  _run)
