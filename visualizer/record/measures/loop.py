"""loop: how well a recurrent network does that is asked for what came before, with its loop and without it."""

import torch
from torch import nn

from visualizer.claims import Number
from visualizer.edits import drawn
from visualizer.record.catalog import source_of
from visualizer.record.measures import Data, Measure, as_share, opened

OF, SEED = 1000, 2


def _run(data: Data, model: str, how: str) -> Number:
    """`whole`, `cut`: the recurrent weights at zero, or `chance`: one of all symbols; over 1,000 new sequences every
    answer but the first."""
    if how not in ("whole", "cut", "chance"):
        raise ValueError(f"{how} is neither whole nor cut nor chance")
    made, source = opened(model), source_of(model)
    if how == "chance":
        return Number(1 / len(made.labels))
    sequences, places = source.drawn(OF, drawn(SEED))
    with torch.no_grad():
        for part in made.module.modules():
            if how == "cut" and isinstance(part, nn.RNNBase):
                part.weight_hh_l0.zero_()
        answers = made.module(source.prepare(sequences))[:, 1:].argmax(2).numpy()
    return as_share((answers == places[:, :-1]).ravel())


MEASURE = Measure("loop", "loop MODEL whole|cut|chance", "share of answers that name the symbol before, with the "
                  "recurrent weights or without them", _run)
