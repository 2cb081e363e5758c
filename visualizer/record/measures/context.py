"""context: which share of what a character model's next character depends on lies in the last characters."""

import numpy as np

from visualizer.claims import Number
from visualizer.record.measures import Data, Measure, as_mean
from visualizer.record.run import pass_of
from visualizer.record.studies import with_study

FROM = 20
"""Answers before this one have too little behind them."""


def _run(data: Data, model: str, last: str, sample: str = "") -> Number:
    """Mean over the answers of a text of the share of Σ_t ‖∂ logit / ∂x_t‖ in the last so many characters."""
    found = with_study(pass_of(model, sample), "connectivity").studies["connectivity"]["gradient"]
    return as_mean(np.array([row[max(0, at + 1 - int(last)):at + 1].sum() / row[:at + 1].sum()
                             for at, row in enumerate(found) if at >= FROM]))


MEASURE = Measure("context", "context MODEL CHARACTERS [SAMPLE]", "share of the dependence of the next character on the "
                  "last ones", _run)
